#include "pipeline.h"

#include <inttypes.h>
#include <stdio.h>

#include "act/actuator.h"
#include "base/error.h"
#include "limiting.h"
#include "report.h"
#include "throttling.h"

void pipeline_note(struct Pipeline *pipeline, const struct Tenant *tenant, enum EventKind kind, int priority,
                   usec_t now, const char *text)
{
    struct Event event = {.kind = kind, .priority = priority, .at_usec = now};

    snprintf(event.text, sizeof(event.text), "%s", text);
    report_event(pipeline, tenant, &event);
}

/* --- holds: who keeps a tenant frozen ------------------------------------------------------------- */

static void mark_undoing(struct Pipeline *pipeline, uint32_t slot)
{
    struct LedgerEntry entry;

    if (slot == LEDGER_SLOT_NONE || ledger_get(pipeline->ledger, slot, &entry) < 0)
        return;
    entry.phase = ENTRY_UNDOING;
    ledger_update(pipeline->ledger, slot, &entry);
}

/* Which holders a thaw lets go: an operator's, a stop and a kill's end let all go. */
static uint32_t holders_of(const struct Decision *decision)
{
    bool all = decision->cause == CAUSE_OPERATOR || decision->cause == CAUSE_STOP ||
               decision->cause == CAUSE_RECOVERY || decision->verb == VERB_TERMINATE;

    return all ? UINT32_MAX : 1u << decision->holder;
}

static void mark_holders_undoing(struct Pipeline *pipeline, struct Tenant *tenant, uint32_t holders)
{
    for (unsigned i = 0; i < HOLDER_COUNT; i++)
        if (holders & (1u << i))
            mark_undoing(pipeline, tenant->hold_slots[i]);
}

static void drop_holders(struct Pipeline *pipeline, struct Tenant *tenant, uint32_t holders)
{
    for (unsigned i = 0; i < HOLDER_COUNT; i++)
        if (holders & (1u << i))
            report_drop_entry(pipeline, &tenant->hold_slots[i]);
    tenant->condition.holders &= ~holders;
}

/* PID 1 is told of each unit that is frozen: the cgroup's own, or for a slice those in it. */
static void tell_systemd(struct Pipeline *pipeline, const struct Tenant *tenant, bool frozen)
{
    if (!tenant->cgroup.unit || pipeline->mode == MODE_OBSERVE)
        return;
    for (size_t i = 0; i < tenant->cgroup.n_points; i++)
        unit_tell_freezer(pipeline->units, tenant->cgroup.points[i].name, frozen);
}

/* --- the ledger's part, before the act ------------------------------------------------------------ */

static int put_entry(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision)
{
    struct LedgerEntry entry;
    uint32_t slot;

    if (pipeline->mode == MODE_OBSERVE)
        return 0;
    switch (decision->verb) {
    case VERB_FREEZE:
        if (tenant->hold_slots[decision->holder] != LEDGER_SLOT_NONE)
            return 0;
        entry = report_entry(tenant, decision, ENTRY_HOLD);
        return ledger_put(pipeline->ledger, &entry, &tenant->hold_slots[decision->holder]);
    case VERB_THAW:
        mark_holders_undoing(pipeline, tenant, holders_of(decision));
        return 0;
    case VERB_TERMINATE:
        mark_holders_undoing(pipeline, tenant, UINT32_MAX);
        entry = report_entry(tenant, decision, ENTRY_TERMINATE);
        /* Memory only: without it a crash in the grace costs the kill, which a rule decides again. */
        (void)ledger_put(pipeline->ledger, &entry, &slot);
        return 0;
    case VERB_KILL:
        entry = report_entry(tenant, decision, ENTRY_KILL);
        (void)ledger_put(pipeline->ledger, &entry, &slot);
        return 0;
    default:
        return 0;
    }
}

/* Kills are remembered for the budget and for repeat offenders, and no longer. */
struct Expiry {
    struct Ledger *ledger;
    usec_t before_usec;
};

static int expire_entry(void *userdata, uint32_t slot, const struct LedgerEntry *entry)
{
    const struct Expiry *expiry = userdata;

    if ((entry->kind == ENTRY_KILL || entry->kind == ENTRY_TERMINATE) &&
        entry->since_usec < expiry->before_usec)
        ledger_drop(expiry->ledger, slot);
    return 0;
}

static void expire_kills(struct Pipeline *pipeline, usec_t now)
{
    struct Expiry expiry = {.ledger = pipeline->ledger};

    if (now <= pipeline->kill_memory_usec)
        return;
    expiry.before_usec = now - pipeline->kill_memory_usec;
    (void)ledger_for_each(pipeline->ledger, expire_entry, &expiry);
}

/* --- after the kernel's word ---------------------------------------------------------------------- */

static void took(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                 usec_t now)
{
    switch (decision->verb) {
    case VERB_FREEZE:
        tenant->condition.holders |= 1u << decision->holder;
        tell_systemd(pipeline, tenant, true);
        break;
    case VERB_THAW:
        drop_holders(pipeline, tenant, holders_of(decision));
        tell_systemd(pipeline, tenant, false);
        break;
    case VERB_TERMINATE:
        drop_holders(pipeline, tenant, UINT32_MAX);
        tell_systemd(pipeline, tenant, false);
        break;
    case VERB_KILL:
        /* A unit that PID 1 takes for frozen would not be started again by it. */
        tell_systemd(pipeline, tenant, false);
        expire_kills(pipeline, now);
        break;
    default:
        break;
    }
}

/* What was begun and did not take is undone; the entry of a freeze goes with it. */
static void undo_begun(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision)
{
    const struct Actuator *actuator = actuator_for(decision->verb, pipeline->mode);

    if (decision->verb != VERB_FREEZE || tenant->condition.holders != 0)
        return;
    if (actuator && actuator->roll_back)
        (void)actuator->roll_back(&tenant->cgroup);
    report_drop_entry(pipeline, &tenant->hold_slots[decision->holder]);
}

static void end_action(struct Pipeline *pipeline, struct Tenant *tenant, const struct Outcome *outcome,
                       usec_t now)
{
    struct Action action = tenant->action;

    tenant->action.under_way = false;
    if (outcome->result == RESULT_DONE)
        took(pipeline, tenant, &action.decision, now);
    report_outcome(pipeline, tenant, &action.decision, outcome, action.ticket, now);
}

/* A kill of a cgroup that is gone has reached its aim. */
static struct Outcome gone_outcome(const struct Decision *decision, usec_t now)
{
    bool aim = decision->verb == VERB_KILL || decision->verb == VERB_THAW;

    return outcome_make(aim ? RESULT_DONE : RESULT_GONE, decision, now, "the cgroup is gone");
}

static void time_out(struct Pipeline *pipeline, struct Tenant *tenant, usec_t now)
{
    const struct Decision *decision = &tenant->action.decision;
    struct Outcome outcome;
    char tasks[64] = "";

    if (tenant->readings.valid[READING_TASKS_CURRENT])
        snprintf(tasks, sizeof(tasks), ", %" PRId64 " tasks", tenant->readings.value[READING_TASKS_CURRENT]);
    if (decision->verb == VERB_FREEZE)
        outcome = outcome_make(RESULT_FAILED, decision, now,
                               "the kernel did not confirm it in time (tasks in uninterruptible sleep?%s): "
                               "rolled back",
                               tasks);
    else
        outcome =
            outcome_make(RESULT_FAILED, decision, now, "the kernel did not confirm it in time%s", tasks);
    outcome.error = -ETIMEDOUT;
    undo_begun(pipeline, tenant, decision);
    end_action(pipeline, tenant, &outcome, now);
}

void pipeline_check(struct Pipeline *pipeline, struct Tenant *tenant, usec_t now)
{
    const struct Action *action = &tenant->action;
    const struct Actuator *actuator;
    struct Outcome outcome;
    int r;

    if (tenant->throttling.under_way)
        throttling_check(pipeline, tenant, now);
    if (!action->under_way)
        return;
    actuator = actuator_for(action->decision.verb, pipeline->mode);
    r = actuator ? actuator->settled(&tenant->cgroup) : -EOPNOTSUPP;
    if (error_is_gone(r))
        outcome = gone_outcome(&action->decision, now);
    else if (r < 0)
        outcome = outcome_failure(&action->decision, r, now, "cgroup.events cannot be read");
    else if (r == ACT_SETTLED)
        outcome = outcome_make(RESULT_DONE, &action->decision, now, "%s", "");
    else if (now >= action->deadline_usec)
        return time_out(pipeline, tenant, now);
    else
        return;
    if (outcome.result == RESULT_FAILED)
        undo_begun(pipeline, tenant, &action->decision);
    end_action(pipeline, tenant, &outcome, now);
}

/* --- actions -------------------------------------------------------------------------------------- */

/* Makes way for `decision`, or answers it because what is under way is stronger. Returns whether it may go
 * on. */
static bool make_way(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                     uint64_t ticket, usec_t now)
{
    const struct Decision *present = &tenant->action.decision;
    struct Outcome outcome;

    if (!tenant->action.under_way)
        return true;
    if (present->verb == VERB_KILL && decision->verb != VERB_KILL) {
        outcome = outcome_make(RESULT_SUPERSEDED, decision, now, "it is being killed");
        report_outcome(pipeline, tenant, decision, &outcome, ticket, now);
        return false;
    }
    /* A kill does not touch cgroup.freeze, all others do: what it overtakes stays held until it is let go. */
    if (present->verb == VERB_FREEZE && decision->verb == VERB_KILL)
        tenant->condition.holders |= 1u << present->holder;
    else if (present->verb == VERB_FREEZE && present->holder != decision->holder)
        report_drop_entry(pipeline, &tenant->hold_slots[present->holder]);
    outcome = outcome_make(RESULT_SUPERSEDED, present, now, "%s came first", verb_name(decision->verb));
    end_action(pipeline, tenant, &outcome, now);
    return true;
}

/* A freeze of what is frozen, a thaw of what others hold: the holder changes, the cgroup does not. */
static bool join_or_leave(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                          uint64_t ticket, usec_t now)
{
    uint32_t others = tenant->condition.holders & ~holders_of(decision);
    struct Outcome outcome;

    if (pipeline->mode == MODE_OBSERVE || others == 0)
        return false;
    if (decision->verb == VERB_FREEZE) {
        tenant->condition.holders |= 1u << decision->holder;
        outcome = outcome_make(RESULT_DONE, decision, now, "it was frozen already");
    } else if (decision->verb == VERB_THAW) {
        drop_holders(pipeline, tenant, holders_of(decision));
        outcome = outcome_make(RESULT_SKIPPED, decision, now, "it stays frozen for another reason");
    } else {
        return false;
    }
    report_decision(pipeline, tenant, decision);
    report_outcome(pipeline, tenant, decision, &outcome, ticket, now);
    return true;
}

static void begin_action(struct Pipeline *pipeline, struct Tenant *tenant, const struct Actuator *actuator,
                         const struct Decision *decision, uint64_t ticket, usec_t now)
{
    int r = actuator->begin(&tenant->cgroup);
    struct Outcome outcome;

    report_decision(pipeline, tenant, decision);
    tenant->action = (struct Action){.under_way = true,
                                     .decision = *decision,
                                     .ticket = ticket,
                                     .deadline_usec = usec_add(now, actuator->timeout_usec)};
    if (r == ACT_OBSERVED)
        outcome = outcome_make(RESULT_OBSERVED, decision, now, "%s", "");
    else if (error_is_gone(r))
        outcome = gone_outcome(decision, now);
    else if (r < 0)
        outcome = outcome_failure(decision, r, now, actuator->name);
    if (r >= 0 && r != ACT_OBSERVED) {
        throttling_stand_aside(pipeline, tenant);
        return pipeline_check(pipeline, tenant, pipeline->clock());
    }
    if (outcome.result == RESULT_FAILED)
        undo_begun(pipeline, tenant, decision);
    end_action(pipeline, tenant, &outcome, now);
}

static void carry_out(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                      uint64_t ticket, usec_t now)
{
    const struct Actuator *actuator = actuator_for(decision->verb, pipeline->mode);
    struct Outcome outcome;
    int r;

    if (decision->verb == VERB_LIMIT || decision->verb == VERB_UNLIMIT)
        return limiting_carry_out(pipeline, tenant, decision, now);
    if (decision->verb == VERB_THROTTLE || decision->verb == VERB_UNTHROTTLE)
        return throttling_carry_out(pipeline, tenant, decision, ticket, now);
    if (!actuator) {
        report_decision(pipeline, tenant, decision);
        outcome = outcome_make(RESULT_DONE, decision, now, "%s", "");
        return report_outcome(pipeline, tenant, decision, &outcome, ticket, now);
    }
    if (!make_way(pipeline, tenant, decision, ticket, now))
        return;
    r = put_entry(pipeline, tenant, decision);
    if (r < 0) {
        report_decision(pipeline, tenant, decision);
        outcome = outcome_failure(decision, r, now, "not begun, it could not be written down");
        return report_outcome(pipeline, tenant, decision, &outcome, ticket, now);
    }
    if (!join_or_leave(pipeline, tenant, decision, ticket, now))
        begin_action(pipeline, tenant, actuator, decision, ticket, now);
}

void pipeline_carry_out(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                        uint64_t ticket, usec_t now)
{
    struct Decision numbered = *decision;

    agenda_put(tenant);
    report_number(pipeline, &numbered);
    carry_out(pipeline, tenant, &numbered, ticket, now);
}

void pipeline_adopt_hold(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                         uint32_t slot, usec_t now)
{
    tenant->hold_slots[decision->holder] = slot;
    pipeline_carry_out(pipeline, tenant, decision, 0, now);
}

void pipeline_vanished(struct Pipeline *pipeline, struct Tenant *tenant, usec_t now)
{
    if (tenant->action.under_way) {
        struct Outcome outcome = gone_outcome(&tenant->action.decision, now);

        end_action(pipeline, tenant, &outcome, now);
    }
    for (unsigned i = 0; i < HOLDER_COUNT; i++)
        report_drop_entry(pipeline, &tenant->hold_slots[i]);
    limiting_vanished(pipeline, tenant);
    throttling_vanished(pipeline, tenant, now);
    tenant->condition.holders = 0;
}
