/* See report.h. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

void report_number(struct Pipeline *pipeline, struct Decision *decision)
{
    if (decision->action == 0)
        decision->action = ++pipeline->last_action;
}

void report_event(struct Pipeline *pipeline, const struct Tenant *tenant, struct Event *event)
{
    event->realtime_usec = event->at_usec + pipeline->realtime_offset_usec;
    if (tenant) {
        event->tenant_id = tenant->cgroup.id;
        snprintf(event->tenant, sizeof(event->tenant), "%s", tenant->name);
        snprintf(event->class, sizeof(event->class), "%s", tenant->class ? tenant->class->name : "");
        snprintf(event->path, sizeof(event->path), "%s", tenant->cgroup.path);
    }
    history_add(pipeline->history, event);
}

void report_change(struct Pipeline *pipeline, const struct Tenant *tenant, const struct Author *author,
                   usec_t now, const char *what)
{
    struct Event event = {.kind = EVENT_CHANGE, .priority = LOG_NOTICE, .at_usec = now, .author = *author};

    snprintf(event.text, sizeof(event.text), "%s", what);
    report_event(pipeline, tenant, &event);
}

void report_decision(struct Pipeline *pipeline, const struct Tenant *tenant, const struct Decision *decision)
{
    struct Event event = {.kind = EVENT_DECISION,
                          .priority = decision_priority(decision),
                          .at_usec = decision->at_usec,
                          .decision = *decision};

    tally_decision(&pipeline->tally, decision);
    report_event(pipeline, tenant, &event);
}

static int outcome_priority(const struct Decision *decision, const struct Outcome *outcome)
{
    if (outcome->result == RESULT_FAILED)
        return LOG_ERR;
    return decision_is_for_lookup(decision) ? LOG_DEBUG : LOG_NOTICE;
}

/* A warning is complete as a decision; its outcome is no news. */
void report_outcome(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                    const struct Outcome *outcome, uint64_t ticket, usec_t now)
{
    struct Event event = {.kind = EVENT_OUTCOME,
                          .priority = outcome_priority(decision, outcome),
                          .at_usec = now,
                          .decision = *decision,
                          .outcome = *outcome};

    agenda_put(tenant);
    tally_outcome(&pipeline->tally, decision, outcome);
    if (decision->verb != VERB_WARN)
        report_event(pipeline, tenant, &event);
    pipeline->settled(pipeline->userdata, tenant, decision, outcome, ticket, now);
}

struct Outcome outcome_make(enum Result result, const struct Decision *decision, usec_t now,
                            const char *format, ...)
{
    struct Outcome outcome = {.result = result, .took_usec = now - decision->at_usec};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(outcome.text, sizeof(outcome.text), format, arguments);
    va_end(arguments);
    return outcome;
}

struct Outcome outcome_failure(const struct Decision *decision, int error, usec_t now, const char *what)
{
    struct Outcome outcome = outcome_make(RESULT_FAILED, decision, now, "%s: %s", what, strerror(-error));

    outcome.error = error;
    return outcome;
}

struct LedgerEntry report_entry(const struct Tenant *tenant, const struct Decision *decision,
                                enum EntryKind kind)
{
    const struct RuleState *state =
        decision->holder < POLICY_CLASS_RULES_MAX ? &tenant->condition.rules[decision->holder] : NULL;
    struct LedgerEntry entry = {.kind = kind,
                                .phase = ENTRY_STANDING,
                                .cgroup_id = tenant->cgroup.id,
                                .since_usec = decision->at_usec,
                                .holder = decision->holder,
                                .step = state ? (uint32_t)state->step : 0,
                                .repeats = state ? state->repeats : 0};

    snprintf(entry.rule, sizeof(entry.rule), "%s", decision->rule);
    snprintf(entry.name, sizeof(entry.name), "%s", tenant->name);
    snprintf(entry.path, sizeof(entry.path), "%s", tenant->cgroup.path);
    return entry;
}

void report_drop_entry(struct Pipeline *pipeline, uint32_t *slot)
{
    if (*slot != LEDGER_SLOT_NONE)
        ledger_drop(pipeline->ledger, *slot);
    *slot = LEDGER_SLOT_NONE;
}
