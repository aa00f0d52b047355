/* See client.h. */
#include "ctl/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/reply.h"
#include "ctl/terminal.h"
#include "wire/interface.h"
#include "wire/text.h"

static enum Exit connect_error(const char *socket, int r)
{
    if (r == -ENOENT || r == -ECONNREFUSED)
        complain("guardd is not running (nobody listens on %s): start it with 'systemctl start guardd'",
                 socket);
    else
        complain("cannot connect to %s: %s", socket, strerror(-r));
    return r == -EACCES || r == -EPERM ? EXIT_DENIED : EXIT_FAILED;
}

enum Exit client_open(const struct Options *options, sd_varlink **ret_link)
{
    int r = sd_varlink_connect_address(ret_link, options->socket);

    return r < 0 ? connect_error(options->socket, r) : EXIT_DONE;
}

/* What follows the message: the names it could have been, the problems there are. */
static void complain_details(sd_json_variant *parameters)
{
    sd_json_variant *item;

    for (size_t i = 0; (item = reply_item(parameters, "candidates", i)); i++)
        complain("  it could be '%s'", sd_json_variant_string(item));
    for (size_t i = 0; (item = reply_item(parameters, "classes", i)); i++)
        complain("  there is '%s'", sd_json_variant_string(item));
    for (size_t i = 0; (item = reply_item(parameters, "problems", i)); i++) {
        const char *file = reply_text(item, "file"), *right = reply_text(item, "right");
        char line[32] = "";
        int64_t number;

        if (reply_number(item, "line", &number))
            snprintf(line, sizeof(line), ":%lld", (long long)number);
        complain("  %s%s%s%s%s%s", file ? file : "", line, file ? ": " : "", reply_text_or(item, "what", ""),
                 right ? "; " : "", right ? right : "");
    }
}

static enum Exit error_exit(const char *error)
{
    static const struct {
        const char *error;
        enum Exit exit;
    } exits[] = {
        {WIRE_ERROR_NO_SUCH_TENANT, EXIT_NO_TENANT}, {WIRE_ERROR_AMBIGUOUS, EXIT_NO_TENANT},
        {WIRE_ERROR_NO_SUCH_CLASS, EXIT_USAGE},      {WIRE_ERROR_INVALID_LIMIT, EXIT_USAGE},
        {WIRE_ERROR_CHANGED, EXIT_REFUSED},          {WIRE_ERROR_DENIED, EXIT_DENIED},
        {WIRE_ERROR_REFUSED, EXIT_REFUSED},          {SD_VARLINK_ERROR_PERMISSION_DENIED, EXIT_DENIED},
    };

    for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
        if (strcmp(exits[i].error, error) == 0)
            return exits[i].exit;
    return EXIT_FAILED;
}

enum Exit client_error(const char *error, sd_json_variant *parameters)
{
    const char *message = reply_text(parameters, "message");

    if (message) {
        const char *right = reply_text(parameters, "right");

        complain("%s%s%s", message, right ? "; right is " : "", right ? right : "");
        complain_details(parameters);
    } else if (strcmp(error, SD_VARLINK_ERROR_METHOD_NOT_FOUND) == 0)
        complain("the guardd that runs here cannot do that: it is older than this guardctl");
    else if (strcmp(error, SD_VARLINK_ERROR_INVALID_PARAMETER) == 0)
        complain("guardd does not understand '%s' as it was given",
                 reply_text_or(parameters, "parameter", "?"));
    else if (strcmp(error, SD_VARLINK_ERROR_DISCONNECTED) == 0)
        complain("guardd hung up: it was stopped, or it has too many connections");
    else
        complain("guardd failed: %s", strerror(-sd_varlink_error_to_errno(error, parameters)));
    return error_exit(error);
}

static enum Exit call_error(int r)
{
    if (r == -ECONNRESET || r == -EPIPE)
        return client_error(SD_VARLINK_ERROR_DISCONNECTED, NULL);
    if (r == -ETIME)
        complain("guardd does not answer");
    else
        complain("cannot talk to guardd: %s", strerror(-r));
    return EXIT_FAILED;
}

/* `patience_usec`: 0 for sd-varlink's own. */
static enum Exit call(const struct Options *options, const char *method, sd_json_variant *parameters,
                      uint64_t patience_usec, sd_json_variant **ret_reply)
{
    _cleanup_(sd_varlink_unrefp) sd_varlink *link = NULL;
    sd_json_variant *reply = NULL;
    const char *error = NULL;
    enum Exit exit = client_open(options, &link);
    char name[128];
    int r;

    if (exit != EXIT_DONE)
        return exit;
    snprintf(name, sizeof(name), WIRE_INTERFACE ".%s", method);
    r = patience_usec > 0 ? sd_varlink_set_relative_timeout(link, patience_usec) : 0;
    if (r >= 0)
        r = sd_varlink_call(link, name, parameters, &reply, &error);
    if (r < 0)
        return call_error(r);
    if (error)
        return client_error(error, reply);
    *ret_reply = sd_json_variant_ref(reply);
    return EXIT_DONE;
}

enum Exit client_call(const struct Options *options, const char *method, sd_json_variant *parameters,
                      sd_json_variant **ret_reply)
{
    return call(options, method, parameters, 0, ret_reply);
}

enum Exit client_call_patiently(const struct Options *options, const char *method,
                                sd_json_variant *parameters, sd_json_variant **ret_reply)
{
    return call(options, method, parameters, UINT64_MAX, ret_reply);
}

enum Exit client_call_tenant(const struct Options *options, const char *method, const char *tenant,
                             sd_json_variant **ret_reply)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL;
    int r = sd_json_buildo(&parameters, WIRE_PAIR_TEXT("tenant", tenant));

    if (r < 0)
        return call_error(r);
    return client_call(options, method, parameters, ret_reply);
}
