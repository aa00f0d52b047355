#include "decide/operator.h"

#include <stdio.h>

static enum OperatorAnswer answer(enum OperatorAnswer what, char *why, const char *text)
{
    snprintf(why, REASON_MAX, "%s", text);
    return what;
}

static bool is_protected(const struct Tenant *tenant, char *why)
{
    if (!tenant->untouchable && tenant->protected_by[0] == '\0')
        return false;
    snprintf(why, REASON_MAX, "%s is protected (%s)", tenant->name, tenant->protected_by);
    return true;
}

static enum OperatorAnswer obstacle(const struct Tenant *tenant, enum Verb verb, bool frozen, char *why)
{
    uint32_t holders = tenant->condition.holders;

    why[0] = '\0';
    if (verb == VERB_THAW) {
        if (holders != 0 || tenant->action.under_way)
            return OPERATOR_DECIDED;
        return answer(OPERATOR_NOTHING, why,
                      frozen ? "it was frozen by somebody else (a paused container?): guardd does not thaw it"
                             : "it is not frozen");
    }
    if (is_protected(tenant, why))
        return OPERATOR_REFUSED;
    if (verb != VERB_FREEZE)
        return OPERATOR_DECIDED;
    if (holders & (1u << HOLDER_OPERATOR))
        return answer(OPERATOR_NOTHING, why, "an operator has frozen it already");
    if (frozen && holders == 0 && !tenant->action.under_way)
        return answer(OPERATOR_NOTHING, why, "somebody else has frozen it already (a paused container?)");
    return OPERATOR_DECIDED;
}

static struct Decision decision_of(enum Verb verb, uint32_t uid, usec_t now)
{
    struct Decision decision = {.verb = verb,
                                .cause = CAUSE_OPERATOR,
                                .holder = HOLDER_OPERATOR,
                                .limit = LIMIT_INVALID,
                                .resource = RESOURCE_INVALID,
                                .uid = uid,
                                .at_usec = now};

    snprintf(decision.reason, sizeof(decision.reason), "asked for by uid %u", uid);
    return decision;
}

enum OperatorAnswer operator_decide(const struct Tenant *tenant, enum Verb verb, bool frozen, uint32_t uid,
                                    usec_t now, struct Decision *ret_decision, char *ret_why)
{
    enum OperatorAnswer found = obstacle(tenant, verb, frozen, ret_why);

    if (found != OPERATOR_DECIDED)
        return found;
    *ret_decision = decision_of(verb, uid, now);
    return OPERATOR_DECIDED;
}

static enum OperatorAnswer throttle_obstacle(const struct Tenant *tenant, enum Verb verb,
                                             enum Resource resource, unsigned percent, char *why)
{
    const char *name = resource_name(resource);
    uint32_t holders;

    why[0] = '\0';
    if (!resource_is_strain(resource)) {
        snprintf(why, REASON_MAX, "%s cannot be throttled: memory, cpu and io can", name);
        return OPERATOR_REFUSED;
    }
    holders = tenant->throttles[resource].holders;
    if (verb == VERB_UNTHROTTLE) {
        if (holders != 0)
            return OPERATOR_DECIDED;
        snprintf(why, REASON_MAX, "it is not throttled in %s", name);
        return OPERATOR_NOTHING;
    }
    if (is_protected(tenant, why))
        return OPERATOR_REFUSED;
    if (percent < 1 || percent > 99)
        return answer(OPERATOR_REFUSED, why, "a throttle is to 1% to 99% of what it uses");
    if (!(holders & (1u << HOLDER_OPERATOR)))
        return OPERATOR_DECIDED;
    snprintf(why, REASON_MAX, "an operator has throttled it in %s already", name);
    return OPERATOR_NOTHING;
}

enum OperatorAnswer operator_throttle(const struct Tenant *tenant, enum Verb verb, enum Resource resource,
                                      unsigned percent, uint32_t uid, usec_t now,
                                      struct Decision *ret_decision, char *ret_why)
{
    enum OperatorAnswer found = throttle_obstacle(tenant, verb, resource, percent, ret_why);

    if (found != OPERATOR_DECIDED)
        return found;
    *ret_decision = decision_of(verb, uid, now);
    ret_decision->resource = resource;
    ret_decision->percent = verb == VERB_THROTTLE ? percent : 0;
    return OPERATOR_DECIDED;
}
