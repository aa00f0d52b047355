#include "model/verb.h"

#include <string.h>

static const struct {
    const char *name, *past;
} verbs[VERB_COUNT] = {
    [VERB_WARN] = {"warn", "warned"},
    [VERB_THROTTLE] = {"throttle", "throttled"},
    [VERB_UNTHROTTLE] = {"unthrottle", "unthrottled"},
    [VERB_FREEZE] = {"freeze", "frozen"},
    [VERB_THAW] = {"thaw", "thawed"},
    [VERB_TERMINATE] = {"terminate", "sent SIGTERM"},
    [VERB_KILL] = {"kill", "killed"},
    [VERB_LIMIT] = {"limit", "limited"},
    [VERB_UNLIMIT] = {"unlimit", "unlimited"},
};

const char *verb_name(enum Verb verb)
{
    return verb >= 0 && verb < VERB_COUNT ? verbs[verb].name : "none";
}

const char *verb_past(enum Verb verb)
{
    return verb >= 0 && verb < VERB_COUNT ? verbs[verb].past : "none";
}

enum Verb verb_from_name(const char *name)
{
    for (int i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return (enum Verb)i;
    return VERB_INVALID;
}

bool verb_is_final(enum Verb verb)
{
    return verb == VERB_TERMINATE || verb == VERB_KILL;
}
