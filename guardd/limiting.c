/* See limiting.h. */
#include "limiting.h"

#include <stdio.h>
#include <string.h>

#include "act/limit.h"
#include "base/error.h"
#include "decide/limits.h"
#include "report.h"

/* --- what is in force ----------------------------------------------------------------------------- */

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

int limiting_present(const struct Tenant *tenant, enum LimitId limit, uint64_t *ret_value)
{
    return limit_is_quota(limit) ? present_quota(tenant, limit, ret_value)
                                 : limit_read(&tenant->cgroup, limit, ret_value);
}

/* --- the end of the way --------------------------------------------------------------------------- */

/* Reads back what is in force and settles the matter. `how` is said in the outcome. */
static void verify(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                   const char *how, usec_t now)
{
    struct LimitState *state = &tenant->limits[decision->limit];
    uint64_t present = 0;
    int r = limiting_present(tenant, decision->limit, &present);
    char text[MEASURE_FORMAT_MAX];
    struct Outcome outcome;

    if (error_is_gone(r))
        outcome = outcome_make(RESULT_GONE, decision, now, "the cgroup is gone");
    else if (r < 0)
        outcome = outcome_failure(decision, r, now, "it cannot be read back");
    else if (!limit_is_same(decision->limit, present, decision->value))
        outcome = outcome_make(RESULT_FAILED, decision, now, "it reads back as %s",
                               limit_format(decision->limit, present, text, sizeof(text)));
    else
        outcome = outcome_make(RESULT_DONE, decision, now, "%s", how);
    snprintf(state->note, sizeof(state->note), "%.127s", outcome.result == RESULT_FAILED ? outcome.text : "");
    if (decision->verb == VERB_UNLIMIT && outcome.result == RESULT_DONE) {
        state->applied = false;
        report_drop_entry(pipeline, &tenant->limit_slots[decision->limit]);
    }
    report_outcome(pipeline, tenant, decision, &outcome, 0, now);
}

static void write_direct(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                         const char *how, usec_t now)
{
    struct LimitState *state = &tenant->limits[decision->limit];
    struct Outcome outcome;
    int r = limit_write(&tenant->cgroup, decision->limit, decision->value);

    if (r >= 0)
        return verify(pipeline, tenant, decision, how, now);
    outcome = error_is_gone(r) ? outcome_make(RESULT_GONE, decision, now, "the cgroup is gone")
                               : outcome_failure(decision, r, now, limit_info(decision->limit)->cgroup_file);
    if (outcome.result == RESULT_FAILED) {
        /* What was in force stays in force, and is not to be taken for somebody else's. */
        state->value = state->previous;
        snprintf(state->note, sizeof(state->note), "%.127s", outcome.text);
    }
    report_outcome(pipeline, tenant, decision, &outcome, 0, now);
}

static void quota_failed(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                         int error, usec_t now)
{
    struct LimitState *state = &tenant->limits[decision->limit];
    struct Outcome outcome = outcome_failure(decision, error, now, "its project quota");

    state->value = state->previous;
    state->applied = state->value != LIMIT_INFINITY;
    snprintf(state->note, sizeof(state->note), "%.127s", outcome.text);
    report_outcome(pipeline, tenant, decision, &outcome, 0, now);
}

static void quota_answered(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                           int error, usec_t now)
{
    if (error < 0)
        quota_failed(pipeline, tenant, decision, error, now);
    else
        verify(pipeline, tenant, decision, "", now);
}

/* What was decided last. */
static struct Decision decision_of(const struct Tenant *tenant, enum LimitId limit)
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

void limiting_answer(struct Pipeline *pipeline, struct Tenant *tenant, enum LimitId limit, int error,
                     const char *message, usec_t now)
{
    struct Decision decision = decision_of(tenant, limit);
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
        return verify(pipeline, tenant, &decision, "through systemd", now);
    snprintf(how, sizeof(how), "written direct, systemd said: %s", message ? message : strerror(-error));
    write_direct(pipeline, tenant, &decision, how, now);
}

/* --- its beginning -------------------------------------------------------------------------------- */

/* What guardd knows to be in force: its own value, or the one found. */
static uint64_t in_force(const struct LimitState *state, uint64_t found)
{
    return state->applied ? state->value : found;
}

/* Until the entry is written, the limit is not touched. */
static int put_entry(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                     uint64_t found)
{
    struct LedgerEntry entry = report_entry(tenant, decision, ENTRY_LIMIT);
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
static void order_quota(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                        usec_t now)
{
    struct LimitState *state = &tenant->limits[decision->limit];
    int r;

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

static void set_in_cgroup(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                          usec_t now)
{
    struct LimitState *state = &tenant->limits[decision->limit];
    uint64_t found = state->found;
    struct Outcome outcome;
    int r = 0;
    bool direct = !tenant->cgroup.unit || is_not_for_systemd(tenant, decision);

    if (!state->applied)
        r = limit_read(&tenant->cgroup, decision->limit, &found);
    if (r >= 0)
        r = put_entry(pipeline, tenant, decision, found);
    if (r < 0) {
        outcome = outcome_failure(decision, r, now, "not begun, it could not be written down");
        return report_outcome(pipeline, tenant, decision, &outcome, 0, now);
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
        return write_direct(
            pipeline, tenant, decision,
            state->untold ? "written direct, systemd is told when it has started" : "written direct", now);
    r = unit_set_limit(pipeline->units, tenant->cgroup.unit, decision->limit, decision->value,
                       tenant->cgroup.id);
    if (r >= 0)
        state->waiting++;
    else
        write_direct(pipeline, tenant, decision, "written direct, systemd cannot be reached", now);
}

void limiting_carry_out(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                        usec_t now)
{
    struct Outcome outcome;

    report_decision(pipeline, tenant, decision);
    if (pipeline->mode == MODE_OBSERVE) {
        outcome = outcome_make(RESULT_OBSERVED, decision, now, "%s", "");
        return report_outcome(pipeline, tenant, decision, &outcome, 0, now);
    }
    if (limit_is_quota(decision->limit))
        order_quota(pipeline, tenant, decision, now);
    else
        set_in_cgroup(pipeline, tenant, decision, now);
}

void limiting_check(struct Pipeline *pipeline, struct Tenant *tenant, usec_t now)
{
    struct Decision decision;
    uint64_t present;

    for (int id = 0; id < LIMIT_COUNT; id++)
        if ((pipeline->ledger->fd >= 0 || limit_is_quota(id)) && /* said once, in ledger_trouble */
            limiting_present(tenant, id, &present) >= 0 && limit_decide(tenant, id, present, now, &decision))
            limiting_carry_out(pipeline, tenant, &decision, now);
}

void limiting_vanished(struct Pipeline *pipeline, struct Tenant *tenant)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        report_drop_entry(pipeline, &tenant->limit_slots[i]);
}
