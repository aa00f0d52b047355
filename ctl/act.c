/* guardctl freeze, thaw, kill: by hand, what a rule would do; answered when the outcome is there. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/usec.h"
#include "ctl/client.h"
#include "ctl/reply.h"
#include "ctl/terminal.h"
#include "model/decision.h"

/* "frozen after 12ms", "would have been killed (Mode=observe)", "it is thawed already" */
static void print_outcome(enum Verb verb, sd_json_variant *outcome)
{
    const char *result = reply_text_or(outcome, "result", "?"), *text = reply_text(outcome, "text");
    char took[USEC_FORMAT_MAX];

    if (strcmp(result, result_name(RESULT_OBSERVED)) == 0)
        printf("would have been %s (Mode=observe)", verb_past(verb));
    else if (strcmp(result, result_name(RESULT_GONE)) == 0)
        printf("gone before it was %s", verb_past(verb));
    else if (strcmp(result, result_name(RESULT_SKIPPED)) != 0)
        printf("%s after %s%s", verb_past(verb), reply_duration(outcome, "tookUsec", took, sizeof(took)),
               text ? ": " : "");
    else if (!text)
        fputs("there was nothing to do", stdout);
    if (text && strcmp(result, result_name(RESULT_OBSERVED)) != 0 &&
        strcmp(result, result_name(RESULT_GONE)) != 0)
        print_text(text, STYLE_PLAIN);
}

static enum Exit act(const struct Options *options, const char *method, enum Verb verb, const char *tenant)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
    enum Exit exit = client_call_tenant(options, method, tenant, &reply);

    if (exit != EXIT_DONE)
        return exit;
    if (options->json) {
        reply_print_pretty(reply);
        return EXIT_DONE;
    }
    print_text(reply_text_or(reply, "name", tenant), STYLE_BOLD);
    fputs(": ", stdout);
    print_outcome(verb, reply_object(reply, "outcome"));
    putchar('\n');
    return EXIT_DONE;
}

enum Exit verb_freeze(const struct Options *options, char **arguments)
{
    return act(options, "Freeze", VERB_FREEZE, arguments[0]);
}

enum Exit verb_thaw(const struct Options *options, char **arguments)
{
    return act(options, "Thaw", VERB_THAW, arguments[0]);
}

enum Exit verb_kill(const struct Options *options, char **arguments)
{
    return act(options, "Kill", VERB_KILL, arguments[0]);
}
