/* guardctl status: is the host fine, or what is not; then what guardd is about, and what cannot be watched
 * here and why. It fits a screen of 80 columns and 24 lines, whatever there is to be said: what is cut, or
 * not told, `guardctl check` tells in full. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/usec.h"
#include "ctl/client.h"
#include "ctl/clock.h"
#include "ctl/reply.h"
#include "ctl/terminal.h"
#include "wire/text.h"

#define WIDTH 80
#define FINDINGS_MAX 5
#define NOTICES_MAX 4
#define NOTICE_LINES 2

static void print_health(sd_json_variant *status)
{
    sd_json_variant *health = reply_object(status, "health");
    const char *state = health ? reply_text_or(health, "state", "?") : NULL;
    _cleanup_free_ char *clean = NULL;

    if (!health)
        return; /* of an older guardd */
    clean = have_memory(wire_text_clean(reply_text_or(health, "sentence", "?")));
    fputs(terminal_style(strcmp(state, "fine") == 0      ? STYLE_GOOD
                         : strcmp(state, "holding") == 0 ? STYLE_WARNING
                                                         : STYLE_BAD),
          stdout);
    print_wrapped_lines(clean, 0, 5);
    fputs(terminal_style(STYLE_PLAIN), stdout);
    putchar('\n');
}

/* "observe, by alice since 2025-06-01 14:03:12; a reload comes back to enforce" */
static void print_mode(sd_json_variant *status)
{
    const char *mode = reply_text_or(status, "mode", "?"), *user = reply_text(status, "modeUser");
    char text[256], uid[REPLY_DIGITS_MAX], date[CLOCK_TEXT_MAX];
    int64_t at;

    if (!reply_number(status, "modeRealtimeUsec", &at))
        snprintf(text, sizeof(text), "%s", mode);
    else
        snprintf(text, sizeof(text), "%s, by %.32s%s since %s; a reload brings %s", mode,
                 user ? user : "uid ", user ? "" : reply_digits(status, "modeUid", "?", uid, sizeof(uid)),
                 clock_date(at, date, sizeof(date)), reply_text_or(status, "configuredMode", "?"));
    print_field_styled("Mode", text, state_style(mode));
}

static void print_version(sd_json_variant *status)
{
    char date[CLOCK_TEXT_MAX], ago[USEC_FORMAT_MAX], text[CLOCK_TEXT_MAX + USEC_FORMAT_MAX + 64];
    int64_t started, elapsed;

    if (!reply_number(status, "startedRealtimeUsec", &started))
        return;
    elapsed = (int64_t)time(NULL) - started / (int64_t)USEC_PER_SEC;
    snprintf(text, sizeof(text), "%.32s, since %s (%s ago)", reply_text_or(status, "version", "?"),
             clock_date(started, date, sizeof(date)),
             usec_format(elapsed > 0 ? (usec_t)elapsed * USEC_PER_SEC : 0, ago, sizeof(ago)));
    print_field("guardd", text);
}

static void print_tenants(sd_json_variant *status)
{
    int64_t tenants = 0, frozen = 0, throttled = 0, exempt = 0;
    char text[128];

    reply_number(status, "tenants", &tenants);
    reply_number(status, "standing", &frozen);
    reply_number(status, "throttled", &throttled);
    reply_number(status, "exempt", &exempt);
    snprintf(text, sizeof(text), "%lld; %lld frozen, %lld throttled, %lld exempt", (long long)tenants,
             (long long)frozen, (long long)throttled, (long long)exempt);
    print_field_styled("Tenants", text, frozen + throttled > 0 ? STYLE_WARNING : STYLE_PLAIN);
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

/* In one line: what it is, and the beginning of why. */
static void print_finding(sd_json_variant *finding)
{
    const char *what = reply_text_or(finding, "what", "?");
    _cleanup_free_ char *text = have_memory(wire_text_clean(reply_text_or(finding, "text", "?")));
    size_t room = strlen(what) + 4 < WIDTH ? WIDTH - strlen(what) - 4 : 0;

    fputs("  ", stdout);
    print_text(what, STYLE_WARNING);
    fputs(": ", stdout);
    print_wrapped_lines(text, WIDTH - room, 1);
}

/* What all tenants are the poorer for first, filesystems that are not guarded behind it. */
static void print_findings(sd_json_variant *status)
{
    sd_json_variant *finding;
    size_t n = 0;

    for (size_t i = 0; (finding = reply_item(status, "findings", i)); i++) {
        if (reply_flag(finding, "ok"))
            continue;
        if (n == 0)
            puts("\nNot to be had on this host ('guardctl check' tells all of it):");
        if (n++ < FINDINGS_MAX)
            print_finding(finding);
    }
    if (n > FINDINGS_MAX)
        printf("  and %zu more\n", n - FINDINGS_MAX);
}

static void print_notices(sd_json_variant *status)
{
    sd_json_variant *notice;

    for (size_t i = 0; i < NOTICES_MAX && (notice = reply_item(status, "notices", i)); i++) {
        _cleanup_free_ char *text = have_memory(wire_text_clean(sd_json_variant_string(notice)));

        fputs(i == 0 ? "\nDegraded now:\n  " : "  ", stdout);
        print_wrapped_lines(text, 2, NOTICE_LINES);
    }
}

static void print_status(sd_json_variant *status)
{
    print_health(status);
    print_mode(status);
    print_version(status);
    print_field("Cgroup root", reply_text(status, "cgroupRoot"));
    print_tenants(status);
    print_kill_budget(status);
    print_notices(status);
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
