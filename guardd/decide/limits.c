#include "decide/limits.h"

#include <inttypes.h>
#include <stdio.h>

static const char *format_limit(uint64_t value, char *buf, size_t size)
{
    if (value == LIMIT_INFINITY)
        snprintf(buf, size, "infinity");
    else
        snprintf(buf, size, "%" PRIu64, value);
    return buf;
}

static struct Decision limit_decision(enum Verb verb, enum Cause cause, enum LimitId id, uint64_t value,
                                      usec_t now)
{
    return (struct Decision){
        .verb = verb, .cause = cause, .holder = HOLDER_OPERATOR, .limit = id, .value = value, .at_usec = now};
}

/* Beyond the limit already, and long since? Only what is counted can be. */
static bool is_beyond(const struct Tenant *tenant, enum LimitId id, uint64_t value, usec_t now)
{
    const struct Readings *readings = &tenant->readings;

    if (!tenant->was_here && now < usec_add(tenant->appeared_usec, LIMIT_NEWCOMER_USEC))
        return false;
    return id == LIMIT_TASKS_MAX && readings->valid[READING_TASKS_CURRENT] &&
           (uint64_t)readings->value[READING_TASKS_CURRENT] > value;
}

bool limit_release(const struct Tenant *tenant, enum LimitId id, enum Cause cause, usec_t now,
                   struct Decision *ret_decision)
{
    const struct LimitState *state = &tenant->limits[id];
    char found[24];

    if (!state->applied)
        return false;
    *ret_decision = limit_decision(VERB_UNLIMIT, cause, id, state->found, now);
    snprintf(ret_decision->reason, sizeof(ret_decision->reason), "%s back to %s, as found",
             limit_info(id)->directive, format_limit(state->found, found, sizeof(found)));
    return true;
}

bool limit_decide(struct Tenant *tenant, enum LimitId id, uint64_t present, usec_t now,
                  struct Decision *ret_decision)
{
    const char *directive = limit_info(id)->directive;
    struct LimitState *state = &tenant->limits[id];
    uint64_t found, asked;
    char asked_text[24], other_text[24];

    state->note[0] = '\0';
    if (state->waiting > 0 || tenant->untouchable || tenant->released)
        return false;
    if (state->applied && present != state->value)
        state->found = present;
    found = state->applied ? state->found : present;
    if (!tenant->class || !tenant->class->limits.set[id])
        return limit_release(tenant, id, CAUSE_CLASS, now, ret_decision);
    asked = tenant->class->limits.value[id];
    format_limit(asked, asked_text, sizeof(asked_text));
    if (found <= asked) {
        if (found < asked)
            snprintf(state->note, sizeof(state->note), "it has %s=%s already, which is less", directive,
                     format_limit(found, other_text, sizeof(other_text)));
        return limit_release(tenant, id, CAUSE_CLASS, now, ret_decision);
    }
    if (state->applied && present == asked && !(state->untold && tenant->limits_due_usec == USEC_INFINITY))
        return false;
    if (!state->applied && is_beyond(tenant, id, asked, now)) {
        snprintf(state->note, sizeof(state->note), "not set: %" PRId64 " tasks run already, more than %s",
                 tenant->readings.value[READING_TASKS_CURRENT], asked_text);
        return false;
    }
    *ret_decision = limit_decision(VERB_LIMIT, CAUSE_CLASS, id, asked, now);
    snprintf(ret_decision->reason, sizeof(ret_decision->reason), "class %s asks for %s=%s, found %s",
             tenant->class->name, directive, asked_text, format_limit(found, other_text, sizeof(other_text)));
    return true;
}
