#include "model/tenant.h"

bool tenant_asked(const struct Tenant *tenant, enum LimitId id, uint64_t *ret_value)
{
    const struct Limits *from = tenant->overrides.set[id] ? &tenant->overrides
                                : tenant->class           ? &tenant->class->limits
                                                          : NULL;

    if (!from || !from->set[id])
        return false;
    *ret_value = from->value[id];
    return true;
}

bool tenant_throttled_at(const struct Tenant *tenant, enum LimitId id)
{
    enum Resource resource = limit_throttle(id);

    return resource != RESOURCE_INVALID && tenant->throttles[resource].n_lines > 0;
}

const char *phase_name(enum RulePhase phase)
{
    static const char *const names[PHASE_COUNT] = {
        [PHASE_IDLE] = "idle",         [PHASE_PENDING] = "pending",     [PHASE_ACTING] = "acting",
        [PHASE_STANDING] = "standing", [PHASE_RELEASING] = "releasing",
    };

    return names[phase];
}

bool tenant_is_armed(const struct Tenant *tenant)
{
    for (size_t i = 0; tenant->class && i < tenant->class->n_rules; i++)
        if (tenant->condition.rules[i].phase != PHASE_IDLE)
            return true;
    return false;
}

bool tenant_is_exempt(const struct Tenant *tenant)
{
    return tenant->exemption.until_realtime_usec != 0;
}

bool tenant_is_left_alone(const struct Tenant *tenant)
{
    return tenant->released || tenant_is_exempt(tenant);
}

bool tenant_is_throttled(const struct Tenant *tenant)
{
    for (int i = 0; i < RESOURCE_COUNT; i++)
        if (tenant->throttles[i].n_lines > 0)
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
    if (tenant_is_throttled(tenant))
        return "throttled";
    if (tenant->released)
        return "released";
    if (tenant_is_exempt(tenant))
        return "exempt";
    if (tenant_is_armed(tenant))
        return "armed";
    return tenant->protected_by[0] != '\0' ? "protected" : "ok";
}

bool tenant_lists(const struct Tenant *tenant, const struct Rule *rule, size_t *ret_index)
{
    for (size_t i = 0; tenant->class && i < tenant->class->n_rules; i++)
        if (tenant->class->rules[i] == rule) {
            if (ret_index)
                *ret_index = i;
            return true;
        }
    return false;
}
