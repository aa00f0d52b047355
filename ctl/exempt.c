/* guardctl exempt: for a time, no rule does anything to a tenant; and --end: that is over. */
#include "ctl/exempt.h"

#include <stdio.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/usec.h"
#include "ctl/client.h"
#include "ctl/clock.h"
#include "ctl/reply.h"
#include "ctl/terminal.h"
#include "model/exemption.h"
#include "wire/text.h"

const char *exemption_left(sd_json_variant *object, char *buf, size_t size)
{
    sd_json_variant *exemption = reply_object(object, "exemption");
    usec_t now = (usec_t)time(NULL) * USEC_PER_SEC;
    uint64_t until;

    if (!exemption || !reply_unsigned(exemption, "untilRealtimeUsec", &until))
        return NULL;
    return usec_format(until > now ? until - now : 0, buf, size);
}

const char *exemption_text(sd_json_variant *object, char *buf, size_t size)
{
    sd_json_variant *exemption = reply_object(object, "exemption");
    const char *user = exemption ? reply_text(exemption, "user") : NULL;
    char date[CLOCK_TEXT_MAX], left[USEC_FORMAT_MAX], uid[REPLY_DIGITS_MAX];
    int64_t until = 0;

    if (!exemption_left(object, left, sizeof(left)))
        return NULL;
    reply_number(exemption, "untilRealtimeUsec", &until);
    snprintf(buf, size, "until %s (in %s), by %s%suid %s%s", clock_date(until, date, sizeof(date)), left,
             user ? user : "", user ? " (" : "", reply_digits(exemption, "uid", "?", uid, sizeof(uid)),
             user ? ")" : "");
    return buf;
}

/* False: complained about. */
static bool read_duration(const char *text, usec_t *ret_usec)
{
    char most[USEC_FORMAT_MAX];

    if (usec_parse(text, ret_usec) >= 0 && *ret_usec > 0 && *ret_usec <= EXEMPTION_MAX_USEC)
        return true;
    complain("'%s' is no time for an exemption; right is 30min, 2h, 1d, at most %s", text,
             usec_format(EXEMPTION_MAX_USEC, most, sizeof(most)));
    return false;
}

static enum Exit ask(const struct Options *options, const char *tenant, usec_t for_usec,
                     sd_json_variant **ret_reply)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL;

    if (for_usec == 0)
        return client_call_tenant(options, "EndExemption", tenant, ret_reply);
    if (sd_json_buildo(&parameters, WIRE_PAIR_TEXT("tenant", tenant),
                       SD_JSON_BUILD_PAIR_UNSIGNED("forUsec", for_usec)) < 0)
        have_memory(NULL);
    return client_call(options, "Exempt", parameters, ret_reply);
}

enum Exit verb_exempt(const struct Options *options, char **arguments)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
    char text[EXEMPTION_TEXT_MAX];
    usec_t for_usec = 0;
    enum Exit exit;

    if (options->end == (options->span != NULL)) {
        complain("it is: guardctl exempt TENANT --for=1h, or guardctl exempt TENANT --end");
        return EXIT_USAGE;
    }
    if (options->span && !read_duration(options->span, &for_usec))
        return EXIT_USAGE;
    exit = ask(options, arguments[0], for_usec, &reply);
    if (exit != EXIT_DONE)
        return exit;
    if (options->json) {
        reply_print_pretty(reply);
        return EXIT_DONE;
    }
    print_text(reply_text_or(reply, "name", arguments[0]), STYLE_BOLD);
    if (exemption_text(reply, text, sizeof(text)))
        printf(": exempt from all rules %s\n", text);
    else
        printf(": %s\n", reply_text_or(reply, "text", "its rules hold for it again"));
    return EXIT_DONE;
}
