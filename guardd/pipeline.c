#include "pipeline.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "act/actuator.h"
#include "act/limit.h"
#include "base/error.h"

/* --- records -------------------------------------------------------------------------------------- */

/* Says of whom and when, and adds it to the history. */
static void record(struct Pipeline *pipeline, const struct Tenant *tenant, struct Event *event)
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

void pipeline_note(struct Pipeline *pipeline, const struct Tenant *tenant, enum EventKind kind, int priority,
                   usec_t now, const char *text)
{
    struct Event event = {.kind = kind, .priority = priority, .at_usec = now};

    snprintf(event.text, sizeof(event.text), "%s", text);
    record(pipeline, tenant, &event);
}

/* Limits of a busy host come and go with its containers: they are there to be looked up, not to be read. */
static int decision_priority(const struct Decision *decision)
{
    switch (decision->verb) {
    case VERB_LIMIT:
    case VERB_UNLIMIT:
        return LOG_DEBUG;
    case VERB_KILL:
    case VERB_FREEZE:
    case VERB_TERMINATE:
    case VERB_WARN:
        return LOG_WARNING;
    default:
        return LOG_NOTICE;
    }
}

static void record_decision(struct Pipeline *pipeline, const struct Tenant *tenant,
                            const struct Decision *decision)
{
    struct Event event = {.kind = EVENT_DECISION,
                          .priority = decision_priority(decision),
                          .at_usec = decision->at_usec,
                          .decision = *decision};

    record(pipeline, tenant, &event);
}

static int outcome_priority(const struct Decision *decision, const struct Outcome *outcome)
{
    if (outcome->result == RESULT_FAILED)
        return LOG_ERR;
    return decision->verb == VERB_LIMIT || decision->verb == VERB_UNLIMIT ? LOG_DEBUG : LOG_NOTICE;
}

/* The end of every way. A warning is complete as a decision; its outcome is no news. */
static void finish(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                   const struct Outcome *outcome, uint64_t ticket, usec_t now)
{
    struct Event event = {.kind = EVENT_OUTCOME,
                          .priority = outcome_priority(decision, outcome),
                          .at_usec = now,
                          .decision = *decision,
                          .outcome = *outcome};

    if (decision->verb != VERB_WARN)
        record(pipeline, tenant, &event);
    pipeline->settled(pipeline->userdata, tenant, decision, outcome, ticket, now);
}

__attribute__((format(printf, 4, 5))) static struct Outcome
make_outcome(enum Result result, const struct Decision *decision, usec_t now, const char *format, ...)
{
    struct Outcome outcome = {.result = result, .took_usec = now - decision->at_usec};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(outcome.text, sizeof(outcome.text), format, arguments);
    va_end(arguments);
    return outcome;
}

static struct Outcome failure(const struct Decision *decision, int error, usec_t now, const char *what)
{
    struct Outcome outcome = make_outcome(RESULT_FAILED, decision, now, "%s: %s", what, strerror(-error));

    outcome.error = error;
    return outcome;
}

/* --- holds: who keeps a tenant frozen ------------------------------------------------------------- */

static struct LedgerEntry entry_for(const struct Tenant *tenant, const struct Decision *decision,
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

static void drop_slot(struct Pipeline *pipeline, uint32_t *slot)
{
    if (*slot != LEDGER_SLOT_NONE)
        ledger_drop(pipeline->ledger, *slot);
    *slot = LEDGER_SLOT_NONE;
}

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
            drop_slot(pipeline, &tenant->hold_slots[i]);
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
        entry = entry_for(tenant, decision, ENTRY_HOLD);
        return ledger_put(pipeline->ledger, &entry, &tenant->hold_slots[decision->holder]);
    case VERB_THAW:
        mark_holders_undoing(pipeline, tenant, holders_of(decision));
        return 0;
    case VERB_TERMINATE:
        mark_holders_undoing(pipeline, tenant, UINT32_MAX);
        entry = entry_for(tenant, decision, ENTRY_TERMINATE);
        /* Memory only: without it a crash in the grace costs the kill, which a rule decides again. */
        (void)ledger_put(pipeline->ledger, &entry, &slot);
        return 0;
    case VERB_KILL:
        entry = entry_for(tenant, decision, ENTRY_KILL);
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
    drop_slot(pipeline, &tenant->hold_slots[decision->holder]);
}

static void end_action(struct Pipeline *pipeline, struct Tenant *tenant, const struct Outcome *outcome,
                       usec_t now)
{
    struct Action action = tenant->action;

    tenant->action.under_way = false;
    if (outcome->result == RESULT_DONE)
        took(pipeline, tenant, &action.decision, now);
    finish(pipeline, tenant, &action.decision, outcome, action.ticket, now);
}

/* A kill of a cgroup that is gone has reached its aim. */
static struct Outcome gone_outcome(const struct Decision *decision, usec_t now)
{
    bool aim = decision->verb == VERB_KILL || decision->verb == VERB_THAW;

    return make_outcome(aim ? RESULT_DONE : RESULT_GONE, decision, now, "the cgroup is gone");
}

static void time_out(struct Pipeline *pipeline, struct Tenant *tenant, usec_t now)
{
    const struct Decision *decision = &tenant->action.decision;
    struct Outcome outcome;
    char tasks[64] = "";

    if (tenant->readings.valid[READING_TASKS_CURRENT])
        snprintf(tasks, sizeof(tasks), ", %" PRId64 " tasks", tenant->readings.value[READING_TASKS_CURRENT]);
    if (decision->verb == VERB_FREEZE)
        outcome = make_outcome(RESULT_FAILED, decision, now,
                               "the kernel did not confirm it in time (tasks in uninterruptible sleep?%s): "
                               "rolled back",
                               tasks);
    else
        outcome =
            make_outcome(RESULT_FAILED, decision, now, "the kernel did not confirm it in time%s", tasks);
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

    if (!action->under_way)
        return;
    actuator = actuator_for(action->decision.verb, pipeline->mode);
    r = actuator ? actuator->settled(&tenant->cgroup) : -EOPNOTSUPP;
    if (error_is_gone(r))
        outcome = gone_outcome(&action->decision, now);
    else if (r < 0)
        outcome = failure(&action->decision, r, now, "cgroup.events cannot be read");
    else if (r == ACT_SETTLED)
        outcome = make_outcome(RESULT_DONE, &action->decision, now, "%s", "");
    else if (now >= action->deadline_usec)
        return time_out(pipeline, tenant, now);
    else
        return;
    if (outcome.result == RESULT_FAILED)
        undo_begun(pipeline, tenant, &action->decision);
    end_action(pipeline, tenant, &outcome, now);
}

/* --- limits --------------------------------------------------------------------------------------- */

static struct Decision limit_decision_of(const struct Tenant *tenant, enum LimitId limit)
{
    const struct LimitState *state = &tenant->limits[limit];

    return (struct Decision){.verb = state->value == state->found ? VERB_UNLIMIT : VERB_LIMIT,
                             .cause = (enum Cause)state->cause,
                             .holder = HOLDER_OPERATOR,
                             .uid = state->uid,
                             .limit = limit,
                             .value = state->value,
                             .at_usec = state->asked_usec};
}

/* Of several filesystems that one on which it is not as it should be, if there is one. */
static int present_quota(const struct Tenant *tenant, enum LimitId limit, uint64_t *ret_value)
{
    const struct LimitState *state = &tenant->limits[limit];
    uint64_t wanted = state->value;
    int r = disk_limit(&tenant->disk, limit, ret_value);
    bool is_asked = !tenant->released && tenant_asked(tenant, limit, &wanted);

    for (size_t i = 0; r >= 0 && (is_asked || state->applied) && i < tenant->disk.n_shares; i++) {
        const struct DiskShare *share = &tenant->disk.shares[i];
        uint64_t hard =
            limit == LIMIT_DISK_SPACE_MAX ? share->usage.space_hard_bytes : share->usage.inodes_hard;

        if (hard == 0)
            hard = LIMIT_INFINITY;
        if (share->valid && !limit_is_same(limit, hard, wanted)) {
            *ret_value = hard;
            break;
        }
    }
    return r;
}

int pipeline_present_limit(const struct Tenant *tenant, enum LimitId limit, uint64_t *ret_value)
{
    return limit_is_quota(limit) ? present_quota(tenant, limit, ret_value)
                                 : limit_read(&tenant->cgroup, limit, ret_value);
}

/* Reads back what is in force and settles the matter. `how` is said in the outcome. */
static void limit_verify(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                         const char *how, usec_t now)
{
    struct LimitState *state = &tenant->limits[decision->limit];
    uint64_t present = 0;
    int r = pipeline_present_limit(tenant, decision->limit, &present);
    char text[MEASURE_FORMAT_MAX];
    struct Outcome outcome;

    if (error_is_gone(r))
        outcome = make_outcome(RESULT_GONE, decision, now, "the cgroup is gone");
    else if (r < 0)
        outcome = failure(decision, r, now, "it cannot be read back");
    else if (!limit_is_same(decision->limit, present, decision->value))
        outcome = make_outcome(RESULT_FAILED, decision, now, "it reads back as %s",
                               limit_format(decision->limit, present, text, sizeof(text)));
    else
        outcome = make_outcome(RESULT_DONE, decision, now, "%s", how);
    snprintf(state->note, sizeof(state->note), "%.127s", outcome.result == RESULT_FAILED ? outcome.text : "");
    if (decision->verb == VERB_UNLIMIT && outcome.result == RESULT_DONE) {
        state->applied = false;
        drop_slot(pipeline, &tenant->limit_slots[decision->limit]);
    }
    finish(pipeline, tenant, decision, &outcome, 0, now);
}

static void limit_direct(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                         const char *how, usec_t now)
{
    struct LimitState *state = &tenant->limits[decision->limit];
    struct Outcome outcome;
    int r = limit_write(&tenant->cgroup, decision->limit, decision->value);

    if (r >= 0)
        return limit_verify(pipeline, tenant, decision, how, now);
    outcome = error_is_gone(r) ? make_outcome(RESULT_GONE, decision, now, "the cgroup is gone")
                               : failure(decision, r, now, limit_info(decision->limit)->cgroup_file);
    if (outcome.result == RESULT_FAILED) {
        /* What was in force stays in force, and is not to be taken for somebody else's. */
        state->value = state->previous;
        snprintf(state->note, sizeof(state->note), "%.127s", outcome.text);
    }
    finish(pipeline, tenant, decision, &outcome, 0, now);
}

static void quota_failed(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                         int error, usec_t now)
{
    struct LimitState *state = &tenant->limits[decision->limit];
    struct Outcome outcome = failure(decision, error, now, "its project quota");

    state->value = state->previous;
    state->applied = state->value != LIMIT_INFINITY;
    snprintf(state->note, sizeof(state->note), "%.127s", outcome.text);
    finish(pipeline, tenant, decision, &outcome, 0, now);
}

static void quota_answered(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                           int error, usec_t now)
{
    if (error < 0)
        quota_failed(pipeline, tenant, decision, error, now);
    else
        limit_verify(pipeline, tenant, decision, "", now);
}

void pipeline_limit_answer(struct Pipeline *pipeline, struct Tenant *tenant, enum LimitId limit, int error,
                           const char *message, usec_t now)
{
    struct Decision decision = limit_decision_of(tenant, limit);
    char how[256];

    /* Of several wishes the last one counts, and its answer comes last. */
    if (tenant->limits[limit].waiting == 0)
        return;
    tenant->limits[limit].waiting--;
    if (tenant->limits[limit].waiting > 0)
        return;
    if (limit_is_quota(limit))
        return quota_answered(pipeline, tenant, &decision, error, now);
    if (error == 0)
        return limit_verify(pipeline, tenant, &decision, "through systemd", now);
    snprintf(how, sizeof(how), "written direct, systemd said: %s", message ? message : strerror(-error));
    limit_direct(pipeline, tenant, &decision, how, now);
}

/* What guardd knows to be in force: its own value, or the one found. */
static uint64_t in_force(const struct LimitState *state, uint64_t found)
{
    return state->applied ? state->value : found;
}

/* Until the entry is written, the limit is not touched. */
static int put_limit_entry(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                           uint64_t found)
{
    struct LedgerEntry entry = entry_for(tenant, decision, ENTRY_LIMIT);
    uint32_t *slot = &tenant->limit_slots[decision->limit];

    entry.limit = (uint32_t)decision->limit;
    entry.found = found;
    entry.value = decision->value;
    entry.previous = in_force(&tenant->limits[decision->limit], found);
    if (decision->verb == VERB_UNLIMIT)
        entry.phase = ENTRY_UNDOING;
    if (*slot == LEDGER_SLOT_NONE)
        return ledger_put(pipeline->ledger, &entry, slot);
    return ledger_update(pipeline->ledger, *slot, &entry);
}

/* SetUnitProperties makes PID 1 apply all of a unit's cgroup anew, its device filter too. While runc is
 * setting up that very filter this makes the start of the container fail. So as long as a newcomer is
 * settling (its limits will be looked at again) its limit is written direct, and PID 1 is told at the last
 * look. What it was never told of needs not be taken back; what it was told of once does, whatever was
 * written direct since. */
static bool is_not_for_systemd(const struct Tenant *tenant, const struct Decision *decision)
{
    if (decision->verb == VERB_UNLIMIT)
        return tenant->limits[decision->limit].untold && !tenant->limits[decision->limit].told;
    return !tenant->was_here && tenant->limits_due_usec != USEC_INFINITY;
}

/* The ledger has no entry for it: that the project is guardd's own, and without limits else, is written down
 * before it gets its first one (record/project.h). */
static void carry_out_quota(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                            usec_t now)
{
    struct LimitState *state = &tenant->limits[decision->limit];
    struct Outcome outcome;
    int r;

    record_decision(pipeline, tenant, decision);
    if (pipeline->mode == MODE_OBSERVE) {
        outcome = make_outcome(RESULT_OBSERVED, decision, now, "%s", "");
        return finish(pipeline, tenant, decision, &outcome, 0, now);
    }
    *state = (struct LimitState){.applied = true,
                                 .waiting = state->waiting,
                                 .asked_usec = decision->at_usec,
                                 .cause = decision->cause,
                                 .uid = decision->uid,
                                 .found = LIMIT_INFINITY,
                                 .value = decision->value,
                                 .previous = in_force(state, LIMIT_INFINITY)};
    r = pipeline->set_quota(pipeline->userdata, tenant, decision->limit, decision->value);
    if (r < 0)
        quota_failed(pipeline, tenant, decision, r, now);
    else
        state->waiting += (unsigned)r;
}

static void carry_out_limit(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                            usec_t now)
{
    struct LimitState *state = &tenant->limits[decision->limit];
    uint64_t found = state->found;
    struct Outcome outcome;
    int r = 0;
    bool direct = !tenant->cgroup.unit || is_not_for_systemd(tenant, decision);

    record_decision(pipeline, tenant, decision);
    if (pipeline->mode == MODE_OBSERVE) {
        outcome = make_outcome(RESULT_OBSERVED, decision, now, "%s", "");
        return finish(pipeline, tenant, decision, &outcome, 0, now);
    }
    if (!state->applied)
        r = limit_read(&tenant->cgroup, decision->limit, &found);
    if (r >= 0)
        r = put_limit_entry(pipeline, tenant, decision, found);
    if (r < 0) {
        outcome = failure(decision, r, now, "not begun, it could not be written down");
        return finish(pipeline, tenant, decision, &outcome, 0, now);
    }
    *state = (struct LimitState){.applied = true,
                                 .waiting = state->waiting,
                                 .asked_usec = decision->at_usec,
                                 .cause = decision->cause,
                                 .uid = decision->uid,
                                 .found = found,
                                 .value = decision->value,
                                 .previous = in_force(state, found),
                                 .told = state->applied && (state->told || !state->untold),
                                 .untold = direct && tenant->cgroup.unit && decision->verb == VERB_LIMIT};
    if (direct)
        return limit_direct(
            pipeline, tenant, decision,
            state->untold ? "written direct, systemd is told when it has started" : "written direct", now);
    r = unit_set_limit(pipeline->units, tenant->cgroup.unit, decision->limit, decision->value,
                       tenant->cgroup.id);
    if (r >= 0)
        state->waiting++;
    else
        limit_direct(pipeline, tenant, decision, "written direct, systemd cannot be reached", now);
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
        outcome = make_outcome(RESULT_SUPERSEDED, decision, now, "it is being killed");
        finish(pipeline, tenant, decision, &outcome, ticket, now);
        return false;
    }
    /* A kill does not touch cgroup.freeze, all others do: what it overtakes stays held until it is let go. */
    if (present->verb == VERB_FREEZE && decision->verb == VERB_KILL)
        tenant->condition.holders |= 1u << present->holder;
    else if (present->verb == VERB_FREEZE && present->holder != decision->holder)
        drop_slot(pipeline, &tenant->hold_slots[present->holder]);
    outcome = make_outcome(RESULT_SUPERSEDED, present, now, "%s came first", verb_name(decision->verb));
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
        outcome = make_outcome(RESULT_DONE, decision, now, "it was frozen already");
    } else if (decision->verb == VERB_THAW) {
        drop_holders(pipeline, tenant, holders_of(decision));
        outcome = make_outcome(RESULT_SKIPPED, decision, now, "it stays frozen for another reason");
    } else {
        return false;
    }
    record_decision(pipeline, tenant, decision);
    finish(pipeline, tenant, decision, &outcome, ticket, now);
    return true;
}

static void begin_action(struct Pipeline *pipeline, struct Tenant *tenant, const struct Actuator *actuator,
                         const struct Decision *decision, uint64_t ticket, usec_t now)
{
    int r = actuator->begin(&tenant->cgroup);
    struct Outcome outcome;

    record_decision(pipeline, tenant, decision);
    tenant->action = (struct Action){.under_way = true,
                                     .decision = *decision,
                                     .ticket = ticket,
                                     .deadline_usec = usec_add(now, actuator->timeout_usec)};
    if (r == ACT_OBSERVED)
        outcome = make_outcome(RESULT_OBSERVED, decision, now, "%s", "");
    else if (error_is_gone(r))
        outcome = gone_outcome(decision, now);
    else if (r < 0)
        outcome = failure(decision, r, now, actuator->name);
    else
        return pipeline_check(pipeline, tenant, pipeline->clock());
    if (outcome.result == RESULT_FAILED)
        undo_begun(pipeline, tenant, decision);
    end_action(pipeline, tenant, &outcome, now);
}

void pipeline_carry_out(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                        uint64_t ticket, usec_t now)
{
    const struct Actuator *actuator = actuator_for(decision->verb, pipeline->mode);
    struct Outcome outcome;
    int r;

    if (decision->verb == VERB_LIMIT || decision->verb == VERB_UNLIMIT)
        return limit_is_quota(decision->limit) ? carry_out_quota(pipeline, tenant, decision, now)
                                               : carry_out_limit(pipeline, tenant, decision, now);
    if (!actuator) {
        record_decision(pipeline, tenant, decision);
        outcome = make_outcome(RESULT_DONE, decision, now, "%s", "");
        return finish(pipeline, tenant, decision, &outcome, ticket, now);
    }
    if (!make_way(pipeline, tenant, decision, ticket, now))
        return;
    r = put_entry(pipeline, tenant, decision);
    if (r < 0) {
        record_decision(pipeline, tenant, decision);
        outcome = failure(decision, r, now, "not begun, it could not be written down");
        return finish(pipeline, tenant, decision, &outcome, ticket, now);
    }
    if (!join_or_leave(pipeline, tenant, decision, ticket, now))
        begin_action(pipeline, tenant, actuator, decision, ticket, now);
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
        drop_slot(pipeline, &tenant->hold_slots[i]);
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        drop_slot(pipeline, &tenant->limit_slots[i]);
    tenant->condition.holders = 0;
}
