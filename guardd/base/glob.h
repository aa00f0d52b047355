/* Globs over cgroup paths, as Match= and Protect= take them: `*`, `?` and `[...]` stay within one path
 * component (fnmatch(3) with FNM_PATHNAME), `**` as a whole component stands for any number of
 * components, none included. A pattern matches the whole path; neither begins with a slash. */
#pragma once

#include <stdbool.h>

bool glob_match(const char *pattern, const char *path);

/* NULL when the pattern is usable, else a sentence that says what is wrong with it. */
const char *glob_problem(const char *pattern);
