#include "decide/operator.h"

#include <stdio.h>

static enum OperatorAnswer answer(enum OperatorAnswer what, char *why, const char *text)
{
    snprintf(why, REASON_MAX, "%s", text);
    return what;
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
    if (tenant->untouchable || tenant->protected_by[0] != '\0') {
        snprintf(why, REASON_MAX, "%s is protected (%s)", tenant->name, tenant->protected_by);
        return OPERATOR_REFUSED;
    }
    if (verb != VERB_FREEZE)
        return OPERATOR_DECIDED;
    if (holders & (1u << HOLDER_OPERATOR))
        return answer(OPERATOR_NOTHING, why, "an operator has frozen it already");
    if (frozen && holders == 0 && !tenant->action.under_way)
        return answer(OPERATOR_NOTHING, why, "somebody else has frozen it already (a paused container?)");
    return OPERATOR_DECIDED;
}

enum OperatorAnswer operator_decide(const struct Tenant *tenant, enum Verb verb, bool frozen, uint32_t uid,
                                    usec_t now, struct Decision *ret_decision, char *ret_why)
{
    enum OperatorAnswer found = obstacle(tenant, verb, frozen, ret_why);

    if (found != OPERATOR_DECIDED)
        return found;
    *ret_decision = (struct Decision){.verb = verb,
                                      .cause = CAUSE_OPERATOR,
                                      .holder = HOLDER_OPERATOR,
                                      .limit = LIMIT_INVALID,
                                      .uid = uid,
                                      .at_usec = now};
    snprintf(ret_decision->reason, sizeof(ret_decision->reason), "asked for by uid %u", uid);
    return OPERATOR_DECIDED;
}
