#include "model/tenant.h"

const char *phase_name(enum RulePhase phase)
{
    static const char *const names[PHASE_COUNT] = {
        [PHASE_IDLE] = "idle",         [PHASE_PENDING] = "pending",     [PHASE_ACTING] = "acting",
        [PHASE_STANDING] = "standing", [PHASE_RELEASING] = "releasing",
    };

    return names[phase];
}

static bool is_armed(const struct Tenant *tenant)
{
    for (size_t i = 0; tenant->class && i < tenant->class->n_rules; i++)
        if (tenant->condition.rules[i].phase != PHASE_IDLE)
            return true;
    return false;
}

const char *tenant_state(const struct Tenant *tenant)
{
    if (tenant->action.under_way)
        switch (tenant->action.decision.verb) {
        case VERB_FREEZE:
            return "freezing";
        case VERB_THAW:
            return "thawing";
        case VERB_TERMINATE:
            return "ending";
        case VERB_KILL:
            return "killing";
        default:
            break;
        }
    if (tenant->condition.holders != 0)
        return "frozen";
    if (tenant->released)
        return "released";
    if (is_armed(tenant))
        return "armed";
    return tenant->protected_by[0] != '\0' ? "protected" : "ok";
}
