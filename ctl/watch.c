/* guardctl watch: events as they happen, a line each, until ^C (which is how it ends well) or until guardd
 * goes away (which is not). */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/client.h"
#include "ctl/clock.h"
#include "ctl/reply.h"
#include "ctl/terminal.h"
#include "wire/interface.h"

static void print_event(sd_json_variant *event)
{
    const char *tenant = reply_text(event, "tenant");
    char at[CLOCK_TEXT_MAX];
    int64_t realtime = 0, priority = 6;

    reply_number(event, "realtimeUsec", &realtime);
    reply_number(event, "priority", &priority);
    printf("%s ", clock_time(realtime, at, sizeof(at)));
    print_text(tenant ? tenant : "guardd", STYLE_BOLD);
    putchar(' ');
    print_text(reply_text_or(event, "sentence", "?"), priority <= 4 ? STYLE_WARNING : STYLE_PLAIN);
    putchar('\n');
}

static int on_reply(sd_varlink *link, sd_json_variant *parameters, const char *error,
                    sd_varlink_reply_flags_t flags, void *userdata)
{
    const struct Options *options = userdata;
    sd_json_variant *event = reply_object(parameters, "event");

    if (flags & SD_VARLINK_REPLY_LOCAL) {
        complain("guardd went away");
        return sd_event_exit(sd_varlink_get_event(link), EXIT_FAILED);
    }
    if (error)
        return sd_event_exit(sd_varlink_get_event(link), client_error(error, parameters));
    if (event && options->json)
        reply_print_line(event);
    else if (event)
        print_event(event);
    if (!(flags & SD_VARLINK_REPLY_CONTINUES)) {
        complain("guardd ended the watch");
        return sd_event_exit(sd_varlink_get_event(link), EXIT_FAILED);
    }
    return 0;
}

/* ^C and SIGTERM leave the loop with EXIT_DONE. */
static int handle_signals(sd_event *loop)
{
    int r = sd_event_add_signal(loop, NULL, SIGINT | SD_EVENT_SIGNAL_PROCMASK, NULL, NULL);

    return r < 0 ? r : sd_event_add_signal(loop, NULL, SIGTERM | SD_EVENT_SIGNAL_PROCMASK, NULL, NULL);
}

static int start(sd_event *loop, sd_varlink *link, const struct Options *options)
{
    int r = handle_signals(loop);

    sd_varlink_set_userdata(link, (void *)options);
    if (r >= 0)
        r = sd_varlink_bind_reply(link, on_reply);
    if (r >= 0)
        r = sd_varlink_set_relative_timeout(link, UINT64_MAX); /* peace may last */
    if (r >= 0)
        r = sd_varlink_observe(link, WIRE_INTERFACE ".Watch", NULL);
    if (r >= 0)
        r = sd_varlink_attach_event(link, loop, SD_EVENT_PRIORITY_NORMAL);
    return r;
}

enum Exit verb_watch(const struct Options *options, char **arguments)
{
    _cleanup_(sd_event_unrefp) sd_event *loop = NULL;
    _cleanup_(sd_varlink_unrefp) sd_varlink *link = NULL;
    enum Exit exit = client_open(options, &link);
    int r;

    if (exit != EXIT_DONE)
        return exit;
    setvbuf(stdout, NULL, _IOLBF, 0);
    r = sd_event_new(&loop);
    if (r >= 0)
        r = start(loop, link, options);
    if (r >= 0)
        r = sd_event_loop(loop);
    if (r < 0) {
        complain("cannot watch: %s", strerror(-r));
        return EXIT_FAILED;
    }
    return (enum Exit)r;
}
