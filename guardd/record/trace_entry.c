/* See trace_entry.h. Each field is named once, for all four ways of coder.h. */
#include "record/trace_entry.h"

#include <errno.h>
#include <string.h>

#include "record/coder.h"

static const char *const kind_names[TRACE_COUNT] = {
    [TRACE_CONFIG] = "config",     [TRACE_BUDGET] = "budget",       [TRACE_OFFENCE] = "offence",
    [TRACE_WATCH] = "watch",       [TRACE_TENANT] = "tenant",       [TRACE_GONE] = "gone",
    [TRACE_LOOK] = "look",         [TRACE_OUTCOME] = "outcome",     [TRACE_RESET] = "reset",
    [TRACE_HOST] = "host",         [TRACE_CANDIDATE] = "candidate", [TRACE_ELECTION] = "election",
    [TRACE_DECISION] = "decision",
};

/* --- names ---------------------------------------------------------------------------------------- */

const char *trace_kind_name(enum TraceKind kind)
{
    return kind_names[kind];
}

static const char *name_kind(int kind)
{
    return kind_names[kind];
}

static const char *name_verb(int verb)
{
    return verb_name((enum Verb)verb);
}

static const char *name_cause(int cause)
{
    return cause_name((enum Cause)cause);
}

static const char *name_result(int result)
{
    return result_name((enum Result)result);
}

static const char *name_resource(int resource)
{
    return resource_name((enum Resource)resource);
}

static const char *name_phase(int phase)
{
    return phase_name((enum RulePhase)phase);
}

static const char *name_preference(int preference)
{
    static const char *const names[] = {"none", "avoid", "omit"};

    return names[preference];
}

/* --- parts ---------------------------------------------------------------------------------------- */

static void code_standing(struct Coder *coder, struct TraceStanding *standing)
{
    coder_u32(coder, "frozenBy", &standing->holders);
    coder_u32(coder, "memoryThrottledBy", &standing->throttles[RESOURCE_MEMORY]);
    coder_u32(coder, "cpuThrottledBy", &standing->throttles[RESOURCE_CPU]);
    coder_u32(coder, "ioThrottledBy", &standing->throttles[RESOURCE_IO]);
    coder_u32(coder, "networkThrottledBy", &standing->throttles[RESOURCE_NETWORK]);
    coder_flag(coder, "memorySlowed", &standing->memory_slowed);
    coder_choice(coder, "underWay", &standing->under_way, VERB_COUNT, name_verb);
    coder_flag(coder, "untouchable", &standing->untouchable);
    coder_flag(coder, "released", &standing->released);
    coder_flag(coder, "exempt", &standing->exempt);
    coder_choice(coder, "oomPreference", &standing->oom_preference, OOM_PREFERENCE_OMIT + 1, name_preference);
    if (standing->oom_preference < 0)
        standing->oom_preference = OOM_PREFERENCE_NONE;
    coder_text(coder, "protectedBy", standing->protected_by, sizeof(standing->protected_by));
}

/* What is always there; in a damaged file it may be missing. */
static void code_name(struct Coder *coder, const char *field, char *text, size_t size)
{
    coder_text(coder, field, text, size);
    if (coder->error == 0 && text[0] == '\0')
        coder_refuse(coder, field);
}

static void code_rule(struct Coder *coder, void *item)
{
    struct TraceRule *rule = item;
    struct RuleState *state = &rule->state;
    int phase = (int)state->phase;

    code_name(coder, "rule", rule->name, sizeof(rule->name));
    coder_choice(coder, "phase", &phase, PHASE_COUNT, name_phase);
    if (coder->error == 0 && phase < 0)
        coder_refuse(coder, "phase");
    state->phase = (enum RulePhase)phase;
    coder_size(coder, "step", &state->step, POLICY_STEPS_MAX - 1);
    coder_flag(coder, "stepFailed", &state->step_failed);
    coder_flag(coder, "elected", &state->elected);
    coder_flag(coder, "withheld", &state->withheld);
    coder_flag(coder, "cameDown", &state->came_down);
    coder_flag(coder, "killed", &state->killed);
    coder_usec(coder, "beganUsec", &state->began_usec);
    coder_usec(coder, "stepUsec", &state->step_usec);
    coder_usec(coder, "stoodUsec", &state->stood_usec);
    coder_usec(coder, "untilSinceUsec", &state->until_since_usec);
    coder_usec(coder, "stallSinceUsec", &state->stall_since_usec);
    coder_u32(coder, "repeats", &state->repeats);
}

static void code_identity(struct Coder *coder, struct TraceEntry *entry)
{
    code_name(coder, "name", entry->name, sizeof(entry->name));
    code_name(coder, "path", entry->path, sizeof(entry->path));
    coder_text(coder, "class", entry->class, sizeof(entry->class));
    coder_list(coder, "rules", &entry->n_rules, POLICY_CLASS_RULES_MAX, entry->rules, sizeof(entry->rules[0]),
               code_rule);
    coder_text(coder, "election", entry->election, sizeof(entry->election));
}

/* What a decision and its outcome have in common. */
static void code_action(struct Coder *coder, struct Decision *decision)
{
    int verb = (int)decision->verb, cause = (int)decision->cause, resource = (int)decision->resource;

    coder_choice(coder, "verb", &verb, VERB_COUNT, name_verb);
    coder_choice(coder, "cause", &cause, CAUSE_COUNT, name_cause);
    coder_choice(coder, "resource", &resource, RESOURCE_COUNT, name_resource);
    if (coder->error == 0 && verb < 0)
        coder_refuse(coder, "verb");
    if (coder->error == 0 && cause < 0)
        coder_refuse(coder, "cause");
    decision->verb = (enum Verb)verb;
    decision->cause = (enum Cause)cause;
    decision->resource = (enum Resource)resource;
    coder_u32(coder, "holder", &decision->holder);
    if (coder->error == 0 && decision->holder >= HOLDER_COUNT)
        coder_refuse(coder, "holder");
    coder_text(coder, "rule", decision->rule, sizeof(decision->rule));
    coder_usec(coder, "decidedUsec", &decision->at_usec);
}

static void code_decision(struct Coder *coder, struct TraceEntry *entry)
{
    code_action(coder, &entry->decision);
    coder_flag(coder, "withheld", &entry->decision.withheld);
    coder_u32(coder, "percent", &entry->decision.percent);
    coder_text(coder, "reason", entry->decision.reason, sizeof(entry->decision.reason));
}

static void code_outcome(struct Coder *coder, struct TraceEntry *entry)
{
    code_action(coder, &entry->decision);
    coder_choice(coder, "result", &entry->result, RESULT_COUNT, name_result);
    if (coder->error == 0 && entry->result < 0)
        coder_refuse(coder, "result");
    coder_flag(coder, "fed", &entry->fed);
    code_standing(coder, &entry->standing);
}

static void code_watch(struct Coder *coder, struct TraceEntry *entry)
{
    coder_usec(coder, "beganUsec", &entry->began_usec);
    coder_usec(coder, "electedUsec", &entry->elected_usec);
    coder_flag(coder, "vain", &entry->vain);
}

static void code_offence(struct Coder *coder, struct TraceEntry *entry)
{
    code_name(coder, "name", entry->name, sizeof(entry->name));
    coder_u32(coder, "count", &entry->count);
    coder_usec(coder, "lastUsec", &entry->last_usec);
}

static void code_kill(struct Coder *coder, void *item)
{
    coder_usec(coder, "spentUsec", item);
}

static void code_budget(struct Coder *coder, struct KillBudget *budget)
{
    size_t n = POLICY_BUDGET_MAX;

    while (n > 0 && budget->spent_usec[n - 1] == 0)
        n--;
    coder_list(coder, "kills", &n, POLICY_BUDGET_MAX, budget->spent_usec, sizeof(budget->spent_usec[0]),
               code_kill);
    coder_size(coder, "next", &budget->next, POLICY_BUDGET_MAX - 1);
}

static bool has_tenant(enum TraceKind kind)
{
    return kind >= TRACE_TENANT && kind != TRACE_HOST && kind != TRACE_ELECTION;
}

static bool has_rule(enum TraceKind kind)
{
    return kind == TRACE_OFFENCE || kind == TRACE_WATCH || kind == TRACE_HOST || kind == TRACE_ELECTION;
}

static void code_state(struct Coder *coder, struct TraceEntry *entry)
{
    code_standing(coder, &entry->standing);
    coder_readings(coder, "readings", &entry->readings);
}

static void code_members(struct Coder *coder, struct TraceEntry *entry)
{
    switch (entry->kind) {
    case TRACE_CONFIG:
        coder_span(coder, "text", &entry->text, &entry->text_size);
        break;
    case TRACE_BUDGET:
        code_budget(coder, &entry->budget);
        break;
    case TRACE_OFFENCE:
        code_offence(coder, entry);
        break;
    case TRACE_WATCH:
        code_watch(coder, entry);
        break;
    case TRACE_TENANT:
        code_identity(coder, entry);
        code_state(coder, entry);
        break;
    case TRACE_LOOK:
    case TRACE_CANDIDATE:
        code_state(coder, entry);
        break;
    case TRACE_OUTCOME:
        code_outcome(coder, entry);
        break;
    case TRACE_HOST:
        coder_readings(coder, "readings", &entry->readings);
        break;
    case TRACE_ELECTION:
        coder_readings(coder, "readings", &entry->readings);
        coder_flag(coder, "withdrawn", &entry->withdrawn);
        break;
    case TRACE_DECISION:
        code_decision(coder, entry);
        break;
    default:
        break;
    }
}

static void code_entry(struct Coder *coder, struct TraceEntry *entry)
{
    int kind = (int)entry->kind;

    coder_choice(coder, "kind", &kind, TRACE_COUNT, name_kind);
    if (coder->error == 0 && kind < 0)
        coder_refuse(coder, "kind");
    if (coder->error != 0)
        return;
    entry->kind = (enum TraceKind)kind;
    coder_number(coder, "atUsec", &entry->at_usec);
    coder_number(coder, "realtimeUsec", &entry->realtime_usec);
    if (has_tenant(entry->kind))
        coder_number(coder, "cgroupId", &entry->tenant_id);
    if (has_rule(entry->kind)) {
        code_name(coder, "rule", entry->rule, sizeof(entry->rule));
        coder_number(coder, "scope", &entry->scope);
    }
    code_members(coder, entry);
}

ssize_t trace_entry_write(struct TraceEntry *entry, uint8_t *bytes, size_t size)
{
    struct Coder coder = coder_write(bytes, size);

    code_entry(&coder, entry);
    return coder.error < 0 ? coder.error : (ssize_t)coder.at;
}

ssize_t trace_entry_read(const uint8_t *bytes, size_t size, struct TraceEntry *ret)
{
    struct Coder coder = coder_read(bytes, size);

    *ret = (struct TraceEntry){};
    code_entry(&coder, ret);
    return coder.error < 0 ? coder.error : (ssize_t)coder.at;
}

int trace_entry_make(struct TraceEntry *entry, sd_json_variant **ret)
{
    struct Coder coder = coder_make();

    code_entry(&coder, entry);
    return coder_made(&coder, ret);
}

int trace_entry_parse(sd_json_variant *object, struct TraceEntry *ret, const char **ret_field)
{
    struct Coder coder = coder_parse(object);

    *ret = (struct TraceEntry){};
    code_entry(&coder, ret);
    *ret_field = coder.field;
    return coder.error;
}
