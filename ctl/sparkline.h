/* Values as a row of small bars, from the least to the greatest. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One bar for each value into `buf`: of block elements, or without `utf8` of what every terminal has. Of
 * equal values all bars are low. Returns `buf`; what has no room is left out. */
const char *sparkline(const int64_t *values, size_t n, bool utf8, char *buf, size_t size);
#define SPARKLINE_MAX(n) (3 * (n) + 1)
