/* guardctl freeze, thaw, throttle, kill: by hand, what a rule would do; answered when the outcome is there.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/usec.h"
#include "ctl/client.h"
#include "ctl/reply.h"
#include "ctl/terminal.h"
#include "model/decision.h"
#include "wire/text.h"

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

/* A rate takes two looks. */
#define BETWEEN_LOOKS_USEC 250000

static enum Exit answer(const struct Options *options, enum Verb verb, const char *tenant,
                        sd_json_variant *reply)
{
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

static enum Exit act(const struct Options *options, const char *method, enum Verb verb, const char *tenant)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
    enum Exit exit = client_call_tenant(options, method, tenant, &reply);

    return exit == EXIT_DONE ? answer(options, verb, tenant, reply) : exit;
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

/* "50" or "50%"; false: complained about. */
static bool read_percent(const char *word, uint64_t *ret_percent)
{
    char *end;

    *ret_percent = strtoull(word, &end, 10);
    if (word[0] >= '0' && word[0] <= '9' && (*end == '\0' || strcmp(end, "%") == 0) && *ret_percent >= 1 &&
        *ret_percent <= 99)
        return true;
    complain("'%s' is no share of what it uses; 1%% to 99%%, as in: guardctl throttle TENANT cpu 50%%", word);
    return false;
}

static bool read_resource(const char *word)
{
    if (resource_is_strain(resource_from_name(word)))
        return true;
    complain("'%s' cannot be throttled; cpu, memory and io can", word);
    return false;
}

/* Both words may be left out. */
static bool read_throttle(char **words, const char **ret_resource, uint64_t *ret_percent)
{
    if (*words && resource_from_name(*words) == RESOURCE_INVALID && !words[1] && words[0][0] >= '0' &&
        words[0][0] <= '9')
        return read_percent(*words, ret_percent);
    if (*words && !read_resource(*words))
        return false;
    if (*words)
        *ret_resource = *words++;
    return !*words || read_percent(*words, ret_percent);
}

enum Exit verb_throttle(const struct Options *options, char **arguments)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL, *before = NULL, *reply = NULL;
    const char *resource = "cpu";
    uint64_t percent = 50;
    enum Exit exit;

    if (!read_throttle(arguments + 1, &resource, &percent))
        return EXIT_USAGE;
    if (sd_json_buildo(&parameters, WIRE_PAIR_TEXT("tenant", arguments[0]),
                       SD_JSON_BUILD_PAIR_STRING("resource", resource),
                       SD_JSON_BUILD_PAIR_UNSIGNED("percent", percent)) < 0)
        have_memory(NULL);
    exit = client_call_tenant(options, "ShowTenant", arguments[0], &before);
    if (exit != EXIT_DONE)
        return exit;
    usleep(BETWEEN_LOOKS_USEC);
    exit = client_call(options, "Throttle", parameters, &reply);
    return exit == EXIT_DONE ? answer(options, VERB_THROTTLE, arguments[0], reply) : exit;
}
