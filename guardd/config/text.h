/* Is it text? What is not would go from a message to a terminal, and could not go into JSON. */
#pragma once

#include <stddef.h>

/* NULL when these bytes are UTF-8 without control characters (a tab is none), else what they hold instead, to
 * be put behind "it holds". */
const char *text_problem(const char *bytes, size_t size);
