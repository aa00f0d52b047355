/* guardctl status: the host, and what cannot be watched here and why. */
#include <stdio.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/usec.h"
#include "ctl/client.h"
#include "ctl/clock.h"
#include "ctl/reply.h"
#include "ctl/terminal.h"

static void print_since(sd_json_variant *status)
{
    char date[CLOCK_TEXT_MAX], ago[USEC_FORMAT_MAX], text[CLOCK_TEXT_MAX + USEC_FORMAT_MAX + 16];
    int64_t started, elapsed;

    if (!reply_number(status, "startedRealtimeUsec", &started))
        return;
    elapsed = (int64_t)time(NULL) - started / (int64_t)USEC_PER_SEC;
    snprintf(text, sizeof(text), "%s (%s ago)", clock_date(started, date, sizeof(date)),
             usec_format(elapsed > 0 ? (usec_t)elapsed * USEC_PER_SEC : 0, ago, sizeof(ago)));
    print_field("Since", text);
}

static void print_standing(sd_json_variant *status)
{
    int64_t standing;
    char text[64];

    if (!reply_number(status, "standing", &standing))
        return;
    snprintf(text, sizeof(text), standing == 1 ? "%lld tenant kept frozen" : "%lld tenants kept frozen",
             (long long)standing);
    print_field_styled("Standing", standing > 0 ? text : "nothing", standing > 0 ? STYLE_BAD : STYLE_PLAIN);
}

static void print_kill_budget(sd_json_variant *status)
{
    char window[USEC_FORMAT_MAX], text[USEC_FORMAT_MAX + 64];
    int64_t left, limit;

    if (!reply_number(status, "killsLeft", &left) || !reply_number(status, "killsLimit", &limit))
        return;
    if (limit == 0)
        snprintf(text, sizeof(text), "none: guardd never kills by itself");
    else if (!reply_duration(status, "killsWindowUsec", window, sizeof(window)))
        return;
    else
        snprintf(text, sizeof(text), "%lld of %lld left in %s%s", (long long)left, (long long)limit, window,
                 left == 0 ? ": guardd freezes instead" : "");
    print_field_styled("Kill budget", text, limit > 0 && left == 0 ? STYLE_WARNING : STYLE_PLAIN);
}

static void print_findings(sd_json_variant *status)
{
    sd_json_variant *finding, *notice;
    size_t n_bad = 0;

    for (size_t i = 0; (finding = reply_item(status, "findings", i)); i++) {
        if (reply_flag(finding, "ok"))
            continue;
        if (n_bad++ == 0)
            puts("\nNot to be had on this host:");
        fputs("  ", stdout);
        print_text(reply_text_or(finding, "what", "?"), STYLE_WARNING);
        fputs(": ", stdout);
        print_text(reply_text_or(finding, "text", "?"), STYLE_PLAIN);
        putchar('\n');
    }
    for (size_t i = 0; (notice = reply_item(status, "notices", i)); i++) {
        if (i == 0)
            puts("\nDegraded now:");
        fputs("  ", stdout);
        print_text(sd_json_variant_string(notice), STYLE_WARNING);
        putchar('\n');
    }
}

static void print_status(sd_json_variant *status)
{
    const char *mode = reply_text_or(status, "mode", "?");
    char tenants[REPLY_DIGITS_MAX];

    fputs("guardd ", stdout);
    print_text(reply_text_or(status, "version", "?"), STYLE_PLAIN);
    putchar('\n');
    print_field_styled("Mode", mode, state_style(mode));
    print_since(status);
    print_field("Cgroup root", reply_text(status, "cgroupRoot"));
    print_field("Tenants", reply_digits(status, "tenants", NULL, tenants, sizeof(tenants)));
    print_standing(status);
    print_kill_budget(status);
    print_findings(status);
}

enum Exit verb_status(const struct Options *options, char **arguments)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *status = NULL;
    enum Exit exit = client_call(options, "GetStatus", NULL, &status);

    if (exit != EXIT_DONE)
        return exit;
    if (options->json)
        reply_print_pretty(status);
    else
        print_status(status);
    return EXIT_DONE;
}
