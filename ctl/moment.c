/* See moment.h. */
#include "ctl/moment.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/usec.h"

#define LENGTH_MAX 64

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), n = strlen(end);

    return length >= n && strcmp(text + length - n, end) == 0;
}

/* `sign`: 1 for what lies ahead. */
static int from_now(const char *span, int sign, int64_t now, int64_t *ret)
{
    usec_t usec;

    if (usec_parse(span, &usec) < 0 || usec > INT64_MAX / 2)
        return -EINVAL;
    *ret = now + sign * (int64_t)usec;
    return 0;
}

/* "2h ago" */
static int parse_ago(const char *text, int64_t now, int64_t *ret)
{
    char span[LENGTH_MAX];

    snprintf(span, sizeof(span), "%.*s", (int)(strlen(text) - strlen(" ago")), text);
    return from_now(span, -1, now, ret);
}

static int parse_epoch(const char *digits, int64_t *ret)
{
    char *end;
    long long seconds;

    errno = 0;
    seconds = strtoll(digits, &end, 10);
    if (errno != 0 || end == digits || *end != '\0' || digits[0] == '-' || digits[0] == '+' ||
        seconds > INT64_MAX / (int64_t)USEC_PER_SEC)
        return -EINVAL;
    *ret = (int64_t)seconds * (int64_t)USEC_PER_SEC;
    return 0;
}

/* What a calendar does not have (a 30th of February) comes back as another day, and is refused. */
static int from_calendar(struct tm *tm, bool utc, int64_t *ret)
{
    const struct tm asked = *tm;
    time_t seconds;

    tm->tm_isdst = -1;
    seconds = utc ? timegm(tm) : mktime(tm);
    if (tm->tm_mday != asked.tm_mday || tm->tm_mon != asked.tm_mon)
        return -EINVAL;
    *ret = (int64_t)seconds * (int64_t)USEC_PER_SEC;
    return 0;
}

/* The day of `now`, at midnight, so many days later. */
static int from_today(int days, int64_t now, int64_t *ret)
{
    time_t seconds = (time_t)(now / (int64_t)USEC_PER_SEC);
    struct tm tm;

    if (!localtime_r(&seconds, &tm))
        return -EINVAL;
    tm.tm_mday += days;
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_isdst = -1;
    *ret = (int64_t)mktime(&tm) * (int64_t)USEC_PER_SEC;
    return 0;
}

static int parse_calendar(const char *text, int64_t now, int64_t *ret)
{
    static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%H:%M:%S",
                                          "%H:%M"};
    time_t seconds = (time_t)(now / (int64_t)USEC_PER_SEC);
    char plain[LENGTH_MAX];
    bool utc = ends_with(text, " UTC");

    snprintf(plain, sizeof(plain), "%.*s", (int)(strlen(text) - (utc ? strlen(" UTC") : 0)), text);
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct tm tm;
        const char *end;

        if (!(utc ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm)))
            return -EINVAL;
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        end = strptime(plain, formats[i], &tm);
        if (end && *end == '\0')
            return from_calendar(&tm, utc, ret);
    }
    return -EINVAL;
}

int moment_parse(const char *text, int64_t now, int64_t *ret)
{
    static const struct {
        const char *word;
        int days;
    } days[] = {{"today", 0}, {"yesterday", -1}, {"tomorrow", 1}};

    if (strlen(text) >= LENGTH_MAX)
        return -EINVAL;
    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++)
        if (strcmp(text, days[i].word) == 0)
            return from_today(days[i].days, now, ret);
    if (strcmp(text, "now") == 0)
        return from_now("0", 1, now, ret);
    if (text[0] == '-' || text[0] == '+')
        return from_now(text + 1, text[0] == '-' ? -1 : 1, now, ret);
    if (text[0] == '@')
        return parse_epoch(text + 1, ret);
    if (ends_with(text, " ago"))
        return parse_ago(text, now, ret);
    return parse_calendar(text, now, ret);
}
