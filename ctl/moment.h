/* Points in time as people give them to --since and --until: the part of systemd.time(7) that is used there.
 *
 *   now, today, yesterday, tomorrow      the last three: at midnight
 *   2h ago, -2h, 1h 30min ago, +5min     from now; spans as in the configuration
 *   2026-11-22, 2026-11-22 10:00[:30]    without a time: midnight
 *   10:00[:30]                           of today
 *   @1795341600                          seconds since 1970
 *
 * Local time; with "UTC" behind a date or a time it is that. */
#pragma once

#include <stdint.h>

/* `now` and `*ret`: microseconds of realtime. -EINVAL when it is none of these. */
int moment_parse(const char *text, int64_t now, int64_t *ret);
