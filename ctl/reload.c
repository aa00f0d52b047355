/* guardctl reload: guardd reads its configuration anew. */
#include <stdio.h>

#include "base/cleanup.h"
#include "ctl/client.h"
#include "ctl/reply.h"

enum Exit verb_reload(const struct Options *options, char **arguments)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
    enum Exit exit = client_call(options, "Reload", NULL, &reply);

    if (exit != EXIT_DONE)
        return exit;
    if (options->json)
        reply_print_pretty(reply);
    else
        puts("the new configuration is in force");
    return EXIT_DONE;
}
