/* See clock.h. */
#include "ctl/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "base/usec.h"

/* false when the point in time is none that a calendar has. */
static bool local_time(int64_t realtime_usec, struct tm *ret)
{
    time_t seconds = (time_t)(realtime_usec / (int64_t)USEC_PER_SEC);

    return localtime_r(&seconds, ret) != NULL;
}

const char *clock_time(int64_t realtime_usec, char *buf, size_t size)
{
    int msec = (int)(realtime_usec % (int64_t)USEC_PER_SEC / (int64_t)USEC_PER_MSEC);
    struct tm tm;

    if (!local_time(realtime_usec, &tm))
        tm = (struct tm){0};
    snprintf(buf, size, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec, msec);
    return buf;
}

const char *clock_date(int64_t realtime_usec, char *buf, size_t size)
{
    struct tm tm;

    if (!local_time(realtime_usec, &tm) || strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        snprintf(buf, size, "?");
    return buf;
}
