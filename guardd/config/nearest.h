/* "Did you mean": names that differ in case only, or by one slip of the fingers. */
#pragma once

#include <stdbool.h>

/* True when `word` is `name` but for case, or for one letter too many, too few, wrong or swapped. */
bool is_near(const char *word, const char *name);
