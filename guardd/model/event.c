#include "model/event.h"

#include <stdio.h>

const char *event_kind_name(enum EventKind kind)
{
    static const char *const names[EVENT_COUNT] = {
        [EVENT_APPEARED] = "appeared", [EVENT_VANISHED] = "vanished", [EVENT_DECISION] = "decision",
        [EVENT_OUTCOME] = "outcome",   [EVENT_NOTICE] = "notice",     [EVENT_CONFIG] = "configuration",
        [EVENT_CHANGE] = "change",
    };

    return names[kind];
}

static void outcome_sentence(const struct Event *event, char *buf, size_t size)
{
    const struct Outcome *outcome = &event->outcome;
    const char *more = outcome->text, *colon = more[0] != '\0' ? ": " : "";
    enum Verb verb = event->decision.verb;
    char took[USEC_FORMAT_MAX];

    switch (outcome->result) {
    case RESULT_DONE:
        if (outcome->took_usec == 0)
            snprintf(buf, size, "%s at once%s%s", verb_past(verb), colon, more);
        else
            snprintf(buf, size, "%s after %s%s%s", verb_past(verb),
                     usec_format(outcome->took_usec, took, sizeof(took)), colon, more);
        break;
    case RESULT_OBSERVED:
        snprintf(buf, size, "would have been %s (Mode=observe)", verb_past(verb));
        break;
    default:
        snprintf(buf, size, "%s %s%s%s", verb_name(verb), result_name(outcome->result), colon, more);
    }
}

const char *event_sentence(const struct Event *event, char *buf, size_t size)
{
    char who[AUTHOR_FORMAT_MAX];

    switch (event->kind) {
    case EVENT_APPEARED:
        snprintf(buf, size, "guarded as %s", event->class);
        break;
    case EVENT_VANISHED:
        snprintf(buf, size, "gone");
        break;
    case EVENT_DECISION:
        snprintf(buf, size, "%s: %s", verb_name(event->decision.verb), event->decision.reason);
        break;
    case EVENT_OUTCOME:
        outcome_sentence(event, buf, size);
        break;
    case EVENT_CHANGE:
        snprintf(buf, size, "%s asks: %s", author_format(&event->author, who, sizeof(who)), event->text);
        break;
    default:
        snprintf(buf, size, "%s", event->text);
    }
    return buf;
}
