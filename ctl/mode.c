/* guardctl mode: in which mode guardd is, and the other one, until a reload or restart. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/client.h"
#include "ctl/reply.h"
#include "ctl/terminal.h"
#include "wire/text.h"

static enum Exit ask(const struct Options *options, const char *mode, sd_json_variant **ret_reply)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL;

    if (!mode)
        return client_call(options, "GetStatus", NULL, ret_reply);
    if (sd_json_buildo(&parameters, WIRE_PAIR_TEXT("mode", mode)) < 0)
        have_memory(NULL);
    return client_call(options, "SetMode", parameters, ret_reply);
}

/* Of a status only what is of the mode. */
static void print_fields(sd_json_variant *reply)
{
    static const char *const keys[] = {"mode", "configuredMode", "modeUid", "modeUser", "modeRealtimeUsec"};
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *object = NULL;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        sd_json_variant *value = sd_json_variant_by_key(reply, keys[i]);

        if (value && sd_json_variant_set_field(&object, keys[i], value) < 0)
            have_memory(NULL);
    }
    reply_print_pretty(object);
}

enum Exit verb_mode(const struct Options *options, char **arguments)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
    const char *mode = arguments[0];
    enum Exit exit;

    if (mode && strcmp(mode, "enforce") != 0 && strcmp(mode, "observe") != 0) {
        complain("'%s' is no mode; enforce and observe are", mode);
        return EXIT_USAGE;
    }
    exit = ask(options, mode, &reply);
    if (exit != EXIT_DONE)
        return exit;
    if (options->json) {
        print_fields(reply);
        return EXIT_DONE;
    }
    print_text(reply_text_or(reply, "mode", "?"), STYLE_PLAIN);
    puts(mode ? ", until a reload or restart" : "");
    return EXIT_DONE;
}
