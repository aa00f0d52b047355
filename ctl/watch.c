/* guardctl watch: events as they happen, a line each, until ^C (which is how it ends well) or until guardd
 * goes away (which is not).
 *
 * Somebody waits for the line, so there is no event loop: what came in is taken apart and printed without
 * another question to the kernel, and what the terminal is like is asked once. Of each event guardd is asked
 * for no more than the line shows. */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "ctl/client.h"
#include "ctl/clock.h"
#include "ctl/reply.h"
#include "ctl/signals.h"
#include "ctl/terminal.h"
#include "wire/interface.h"
#include "wire/text.h"

struct Watch {
    const struct Options *options;
    const char *bold, *warning, *plain; /* what switches to a style */
    bool ended;
    enum Exit exit; /* once it has ended */
};

static void end(struct Watch *watch, enum Exit exit)
{
    watch->ended = true;
    watch->exit = exit;
}

static void print_line(const struct Watch *watch, sd_json_variant *event)
{
    _cleanup_free_ char *tenant = have_memory(wire_text_clean(reply_text_or(event, "tenant", "guardd")));
    _cleanup_free_ char *sentence = have_memory(wire_text_clean(reply_text_or(event, "sentence", "?")));
    char at[CLOCK_TEXT_MAX];
    int64_t realtime = 0, priority = 6;
    bool warns;

    reply_number(event, "realtimeUsec", &realtime);
    reply_number(event, "priority", &priority);
    warns = priority <= 4;
    printf("%s %s%s%s %s%s%s\n", clock_time(realtime, at, sizeof(at)), watch->bold, tenant, watch->plain,
           warns ? watch->warning : "", sentence, warns ? watch->plain : "");
}

static int on_reply(sd_varlink *link, sd_json_variant *parameters, const char *error,
                    sd_varlink_reply_flags_t flags, void *userdata)
{
    struct Watch *watch = userdata;
    sd_json_variant *event = reply_object(parameters, "event");

    if (flags & SD_VARLINK_REPLY_LOCAL) {
        complain("guardd went away");
        end(watch, EXIT_FAILED);
        return 0;
    }
    if (error) {
        end(watch, client_error(error, parameters));
        return 0;
    }
    if (event && watch->options->json)
        reply_print_line(event);
    else if (reply_text(parameters, "sentence"))
        print_line(watch, parameters);
    else if (event) /* of a guardd that is older */
        print_line(watch, event);
    if (!(flags & SD_VARLINK_REPLY_CONTINUES)) {
        complain("guardd ended the watch");
        end(watch, EXIT_FAILED);
    }
    return 0;
}

static int start(sd_varlink *link, struct Watch *watch)
{
    int r;

    sd_varlink_set_userdata(link, watch);
    r = sd_varlink_bind_reply(link, on_reply);
    if (r >= 0)
        r = sd_varlink_set_relative_timeout(link, UINT64_MAX); /* peace may last */
    return r < 0 ? r
                 : sd_varlink_observebo(link, WIRE_INTERFACE ".Watch",
                                        SD_JSON_BUILD_PAIR_BOOLEAN("brief", !watch->options->json));
}

static int wait_for_input(sd_varlink *link, int signals, struct Watch *watch)
{
    /* Of the output only that its reader is gone: over ssh nothing else tells. */
    struct pollfd inputs[] = {
        {.fd = sd_varlink_get_fd(link)}, {.fd = signals, .events = POLLIN}, {.fd = STDOUT_FILENO}};
    int events = sd_varlink_get_events(link);

    if (events < 0)
        return events;
    inputs[0].events = (short)events;
    if (poll(inputs, 3, -1) < 0)
        return errno == EINTR ? 0 : negative_errno();
    if (inputs[1].revents != 0 || inputs[2].revents & (POLLERR | POLLHUP))
        end(watch, EXIT_DONE);
    return 0;
}

static int follow(sd_varlink *link, int signals, struct Watch *watch)
{
    int r = 0;

    while (r >= 0 && !watch->ended) {
        r = sd_varlink_process(link);
        if (r == 0 && !watch->ended)
            r = wait_for_input(link, signals, watch);
    }
    return watch->ended ? 0 : r;
}

enum Exit verb_watch(const struct Options *options, char **arguments)
{
    struct Watch watch = {.options = options,
                          .bold = terminal_style(STYLE_BOLD),
                          .warning = terminal_style(STYLE_WARNING),
                          .plain = terminal_style(STYLE_PLAIN)};
    _cleanup_(sd_varlink_unrefp) sd_varlink *link = NULL;
    _cleanup_fd_ int signals = -EBADF;
    enum Exit exit = client_open(options, &link);
    int r;

    if (exit != EXIT_DONE)
        return exit;
    setvbuf(stdout, NULL, _IOLBF, 0);
    r = signals = signals_open();
    if (r >= 0)
        r = start(link, &watch);
    if (r >= 0)
        r = follow(link, signals, &watch);
    if (r < 0) {
        complain("cannot watch: %s", strerror(-r));
        return EXIT_FAILED;
    }
    return watch.exit;
}
