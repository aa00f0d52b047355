/* guardctl release: takes what guardd did to a tenant, or to all, off again. */
#include <stdio.h>

#include "base/cleanup.h"
#include "ctl/client.h"
#include "ctl/reply.h"
#include "ctl/terminal.h"

static void print_remark(sd_json_variant *reply)
{
    const char *text = reply_text(reply, "text");

    if (text) {
        fputs(": ", stdout);
        print_text(text, STYLE_PLAIN);
    }
    putchar('\n');
}

static void print_released_all(sd_json_variant *reply)
{
    int64_t released = 0;

    reply_number(reply, "released", &released);
    printf(released == 1 ? "%lld tenant released, left alone until a reload"
                         : "%lld tenants released, left alone until a reload",
           (long long)released);
    print_remark(reply);
}

static void print_released(sd_json_variant *reply)
{
    print_text(reply_text_or(reply, "name", "?"), STYLE_BOLD);
    fputs(": released, left alone until a reload", stdout);
    print_remark(reply);
}

enum Exit verb_release(const struct Options *options, char **arguments)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
    enum Exit exit;

    if (options->all == (arguments[0] != NULL)) {
        complain("release takes either a tenant or --all");
        return EXIT_USAGE;
    }
    exit = options->all ? client_call(options, "ReleaseAll", NULL, &reply)
                        : client_call_tenant(options, "Release", arguments[0], &reply);
    if (exit != EXIT_DONE)
        return exit;
    if (options->json)
        reply_print_pretty(reply);
    else if (options->all)
        print_released_all(reply);
    else
        print_released(reply);
    return EXIT_DONE;
}
