#include "model/decision.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define RUN_DIGITS 8

const char *action_format(uint64_t action, char *buf, size_t size)
{
    snprintf(buf, size, "%08" PRIx32 "-%" PRIu32, (uint32_t)(action >> 32), (uint32_t)action);
    return buf;
}

bool action_parse(const char *text, uint64_t *ret_action)
{
    char again[ACTION_FORMAT_MAX];
    uint64_t run, number;

    if (strspn(text, "0123456789abcdef") != RUN_DIGITS || text[RUN_DIGITS] != '-' ||
        strlen(text) >= sizeof(again))
        return false;
    run = strtoull(text, NULL, 16);
    number = strtoull(text + RUN_DIGITS + 1, NULL, 10);
    if (number > UINT32_MAX)
        return false;
    *ret_action = run << 32 | number;
    return strcmp(action_format(*ret_action, again, sizeof(again)), text) == 0;
}

const char *cause_name(enum Cause cause)
{
    static const char *const names[CAUSE_COUNT] = {
        [CAUSE_RULE] = "rule",   [CAUSE_RELIEF] = "relief", [CAUSE_OPERATOR] = "operator",
        [CAUSE_CLASS] = "class", [CAUSE_STOP] = "stop",     [CAUSE_RECOVERY] = "recovery",
    };

    return names[cause];
}

const char *result_name(enum Result result)
{
    static const char *const names[RESULT_COUNT] = {
        [RESULT_PENDING] = "pending",   [RESULT_DONE] = "done",       [RESULT_FAILED] = "failed",
        [RESULT_OBSERVED] = "observed", [RESULT_SKIPPED] = "skipped", [RESULT_SUPERSEDED] = "superseded",
        [RESULT_GONE] = "gone",
    };

    return names[result];
}

/* Limits of a busy host come and go with its containers: they are there to be looked up, not to be read. What
 * somebody does by hand is. */
bool decision_is_for_lookup(const struct Decision *decision)
{
    return (decision->verb == VERB_LIMIT || decision->verb == VERB_UNLIMIT) &&
           decision->cause != CAUSE_OPERATOR;
}

int decision_priority(const struct Decision *decision)
{
    if (decision_is_for_lookup(decision))
        return LOG_DEBUG;
    switch (decision->verb) {
    case VERB_KILL:
    case VERB_FREEZE:
    case VERB_TERMINATE:
    case VERB_WARN:
        return LOG_WARNING;
    default:
        return LOG_NOTICE;
    }
}
