/* Points in time as people write them. The time zone of the test is one with summer time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "ctl/moment.h"

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
/* 2026-11-22 15:30:00 UTC, which is 16:30:00 in the zone of the test */
#define NOW (INT64_C(1795361400) * SECOND)
#define MIDNIGHT (NOW - 16 * HOUR - 30 * 60 * SECOND)

static void each_form_is_read(void **state)
{
    static const struct {
        const char *text;
        int64_t at;
    } table[] = {
        {"now", NOW},
        {"today", MIDNIGHT},
        {"yesterday", MIDNIGHT - DAY},
        {"tomorrow", MIDNIGHT + DAY},
        {"2h ago", NOW - 2 * HOUR},
        {"1h 30min ago", NOW - HOUR - 1800 * SECOND},
        {"-2h", NOW - 2 * HOUR},
        {"+5min", NOW + 300 * SECOND},
        {"2026-11-22", MIDNIGHT},
        {"2026-11-22 10:00", MIDNIGHT + 10 * HOUR},
        {"2026-11-22 10:00:30", MIDNIGHT + 10 * HOUR + 30 * SECOND},
        {"2026-11-22 10:00 UTC", MIDNIGHT + 11 * HOUR},
        {"10:00", MIDNIGHT + 10 * HOUR},
        {"10:00:30", MIDNIGHT + 10 * HOUR + 30 * SECOND},
        {"2026-07-01 12:00", INT64_C(1782900000) * SECOND}, /* 10:00 UTC: summer time */
        {"@1795361400", NOW},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int64_t at = 0;

        if (moment_parse(table[i].text, NOW, &at) < 0 || at != table[i].at)
            fail_msg("%s: %lld, not %lld", table[i].text, (long long)at, (long long)table[i].at);
    }
}

static void what_is_none_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "soon",
        "2h",
        "ago",
        " ago",
        "-",
        "-x",
        "+",
        "2026-02-30",
        "25:00",
        "10:60",
        "2026-13-01",
        "2026-11-22x",
        "@",
        "@-1",
        "@1x",
        "-infinity",
        "10:00 CET",
        "2026-11-22 10:00:30 and much more than any point in time ever takes"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        int64_t at;

        if (moment_parse(wrong[i], NOW, &at) != -EINVAL)
            fail_msg("'%s' is taken for a point in time", wrong[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_is_read),
        cmocka_unit_test(what_is_none_is_refused),
    };

    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1); /* no file is needed for it */
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
