/* See override.h. */
#include "ctl/override.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/usec.h"
#include "ctl/amount.h"
#include "ctl/clock.h"
#include "ctl/reply.h"
#include "ctl/table.h"
#include "model/author.h"
#include "model/limit.h"

sd_json_variant *override_of(sd_json_variant *reply, const char *limit)
{
    sd_json_variant *override;

    for (size_t i = 0; (override = reply_item(reply, "overrides", i)); i++)
        if (reply_flag(override, "topmost") && strcmp(reply_text_or(override, "limit", ""), limit) == 0)
            return override;
    return NULL;
}

void print_override_end(sd_json_variant *override)
{
    char date[CLOCK_TEXT_MAX], left[USEC_FORMAT_MAX];
    const char *span = reply_duration(override, "leftUsec", left, sizeof(left));
    int64_t until;

    if (reply_number(override, "untilRealtimeUsec", &until))
        printf(", until %s (%s left)", clock_date(until, date, sizeof(date)), span ? span : "?");
    else if (reply_flag(override, "runtime"))
        fputs(", until the next boot", stdout);
}

static const char *value_text(sd_json_variant *override, char *buf, size_t size)
{
    enum LimitId id = limit_from_directive(reply_text_or(override, "limit", ""));
    sd_json_variant *value = reply_object(override, "value");
    uint64_t number = LIMIT_INFINITY;

    (void)reply_unsigned(value, "value", &number);
    if (id != LIMIT_INVALID)
        return limit_format(id, number, buf, size);
    return reply_digits(value, "value", "infinity", buf, size);
}

static void print_author(sd_json_variant *override)
{
    const char *user = reply_text(override, "user"), *command = reply_text(override, "command");
    char uid[REPLY_DIGITS_MAX], pid[REPLY_DIGITS_MAX];

    reply_digits(override, "uid", "?", uid, sizeof(uid));
    if (user) {
        print_text(user, STYLE_PLAIN);
        printf(" (uid %s)", uid);
    } else {
        printf("uid %s", uid);
    }
    if (!reply_digits(override, "pid", NULL, pid, sizeof(pid)))
        return;
    printf("\n    by process %s", pid);
    if (command) {
        fputs(": ", stdout);
        print_text(command, STYLE_DIM);
    }
}

/* "  TasksMax=300 since 2025-06-01 14:03:12, until ... (1h 58min left), set by alice (uid 1000)" */
static void print_one(sd_json_variant *override)
{
    char date[CLOCK_TEXT_MAX], value[AMOUNT_MAX];
    int64_t at = 0;

    reply_number(override, "setRealtimeUsec", &at);
    fputs(reply_flag(override, "topmost") ? "  " : "  below it ", stdout);
    print_text(reply_text_or(override, "limit", "?"), STYLE_PLAIN);
    printf("=%s since %s", value_text(override, value, sizeof(value)), clock_date(at, date, sizeof(date)));
    print_override_end(override);
    fputs("\n    set by ", stdout);
    print_author(override);
    putchar('\n');
}

void print_overrides(sd_json_variant *reply)
{
    char version[REPLY_DIGITS_MAX];
    sd_json_variant *override;

    if (strcmp(reply_digits(reply, "version", "0", version, sizeof(version)), "0") == 0)
        return;
    printf("\nSet by operators (version %s):%s\n", version,
           reply_item(reply, "overrides", 0) ? "" : " nothing any more");
    for (size_t i = 0; (override = reply_item(reply, "overrides", i)); i++)
        print_one(override);
}
