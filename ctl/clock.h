/* Points in time, in local time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CLOCK_TEXT_MAX 40

/* "14:03:12.123"; returns `buf`. */
const char *clock_time(int64_t realtime_usec, char *buf, size_t size);
/* "2025-06-01 14:03:12"; returns `buf`. */
const char *clock_date(int64_t realtime_usec, char *buf, size_t size);
