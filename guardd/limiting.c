/* See limiting.h. */
#include "limiting.h"

#include <stdio.h>
#include <string.h>

#include "act/limit.h"
#include "base/error.h"
#include "decide/limits.h"
#include "base/fd.h"
#include "rates.h"
#include "report.h"
#include "tenant/cgroup.h"
#include "throttling.h"

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

static int present_on_links(const struct Tenant *tenant, enum LimitId limit, uint64_t *ret_value)
{
    const struct LimitState *state = &tenant->limits[limit];

    return network_present(&tenant->network, limit, state->applied ? state->value : LIMIT_INFINITY,
                           ret_value);
}

/* A controller may have been disabled and enabled again since its files were opened. `missing`: none is open,
 * since there was none a moment ago. */
static int open_anew(struct Cgroup *cgroup, enum LimitId limit, bool missing)
{
    const uint32_t files = limit_file(limit) | limit_used_file(limit);
    char events[128];
    ssize_t n = fd_read_file(cgroup->events_fd, events, sizeof(events));

    if (n < 0)
        return (int)n; /* it is gone, with everything */
    if (missing)
        return -EBADF;
    cgroup_close_files(cgroup, files);
    return cgroup_open_files(cgroup, files);
}

static int read_limit(const struct Tenant *tenant, enum LimitId limit, uint64_t *ret_value)
{
    return limit_is_rate(limit) ? rates_read(tenant, limit, false, ret_value)
                                : limit_read(&tenant->cgroup, limit, ret_value);
}

static int present_in_cgroup(struct Tenant *tenant, enum LimitId limit, uint64_t *ret_value)
{
    struct LimitView *view = &tenant->views[limit];
    struct Cgroup *cgroup = &tenant->cgroup;
    int r;

    (void)cgroup_open_files(cgroup, limit_file(limit) | limit_used_file(limit));
    r = read_limit(tenant, limit, ret_value);
    if (limit_file(limit) != 0 && (r == -EBADF || error_is_gone(r))) {
        r = open_anew(cgroup, limit, r == -EBADF);
        if (r >= 0)
            r = read_limit(tenant, limit, ret_value);
    }
    *view = (struct LimitView){.known = r >= 0};
    if (r >= 0)
        view->present = *ret_value;
    view->measured = limit_used_file(limit) != 0 && limit_read_used(cgroup, limit, &view->used) >= 0;
    if (r != -EBADF || limit_file(limit) == 0 || !cgroup->unit)
        return r;
    *ret_value = limit_default(limit);
    return 0;
}

int limiting_present(struct Tenant *tenant, enum LimitId limit, uint64_t *ret_value)
{
    int r;

    if (limit_is_network(limit))
        return present_on_links(tenant, limit, ret_value);
    r = limit_is_quota(limit) ? present_quota(tenant, limit, ret_value)
                              : present_in_cgroup(tenant, limit, ret_value);
    if (r >= 0)
        (void)throttling_hides(tenant, limit, ret_value);
    if (r >= 0 && limit_is_rate(limit))
        rates_drifted(tenant, limit, ret_value);
    return r;
}

bool limiting_look(struct Tenant *tenant)
{
    bool changed = false;

    for (int id = 0; id < LIMIT_COUNT; id++) {
        const struct LimitState *state = &tenant->limits[id];
        uint64_t present;

        if (limit_is_own(id) || limiting_present(tenant, id, &present) < 0)
            continue;
        changed = changed || (state->applied && state->waiting == 0 && state->note[0] == '\0' &&
                              !tenant_throttled_at(tenant, id) && !limit_is_same(id, present, state->value));
    }
    return changed;
}

/* --- the end of the way --------------------------------------------------------------------------- */

/* What nobody but guardd sets. What was in force before stays so. */
static void own_failed(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                       int error, const char *message, usec_t now)
{
    struct LimitState *state = &tenant->limits[decision->limit];
    bool quota = limit_is_quota(decision->limit);
    struct Outcome outcome;

    if (!quota && (error_is_gone(error) || error == -ENODATA))
        outcome = outcome_make(RESULT_GONE, decision, now, "its link is gone");
    else
        outcome = outcome_failure(decision, error, now, quota ? "its project quota" : "its links");
    if (message)
        snprintf(outcome.text, sizeof(outcome.text), "%.200s", message);
    state->value = state->previous;
    state->applied = state->value != LIMIT_INFINITY;
    if (outcome.result == RESULT_FAILED)
        snprintf(state->note, sizeof(state->note), "%.191s", outcome.text);
    if (!state->applied)
        report_drop_entry(pipeline, &tenant->limit_slots[decision->limit]);
    report_outcome(pipeline, tenant, decision, &outcome, 0, now);
}

/* Reads back what is in force and settles the matter. `how` is said in the outcome. */
static void verify(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                   const char *how, usec_t now)
{
    struct LimitState *state = &tenant->limits[decision->limit];
    uint64_t present = 0;
    char text[MEASURE_FORMAT_MAX];
    struct Outcome outcome;
    int r;

    throttling_found(pipeline, tenant, decision->limit);
    r = limiting_present(tenant, decision->limit, &present);
    if (r < 0 && limit_is_network(decision->limit))
        return own_failed(pipeline, tenant, decision, r, NULL, now); /* its links went after they were set */
    if (error_is_gone(r))
        outcome = outcome_make(RESULT_GONE, decision, now, "the cgroup is gone");
    else if (r < 0)
        outcome = outcome_failure(decision, r, now, "it cannot be read back");
    else if (!limit_is_same(decision->limit, present, decision->value))
        outcome = outcome_make(RESULT_FAILED, decision, now, "it reads back as %s",
                               limit_format(decision->limit, present, text, sizeof(text)));
    else
        outcome = outcome_make(RESULT_DONE, decision, now, "%s", how);
    snprintf(state->note, sizeof(state->note), "%.191s", outcome.result == RESULT_FAILED ? outcome.text : "");
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
    bool is_rate = limit_is_rate(decision->limit);
    int r = is_rate ? rates_write(tenant, decision->limit)
                    : limit_write(&tenant->cgroup, decision->limit, decision->value);

    if (r >= 0)
        return verify(pipeline, tenant, decision, how, now);
    if (error_is_gone(r))
        outcome = outcome_make(RESULT_GONE, decision, now, "the cgroup is gone");
    else
        outcome = outcome_failure(decision, r, now,
                                  r == -EBADF ? "it has no such file: the controller is not enabled"
                                              : limit_info(decision->limit)->cgroup_file);
    if (outcome.result == RESULT_FAILED) {
        /* What was in force stays in force, and is not to be taken for somebody else's. */
        state->value = state->previous;
        if (is_rate)
            rates_failed(tenant, decision->limit);
        snprintf(state->note, sizeof(state->note), "%.191s", outcome.text);
    }
    report_outcome(pipeline, tenant, decision, &outcome, 0, now);
}

static void own_answered(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                         int error, const char *message, usec_t now)
{
    if (error < 0)
        own_failed(pipeline, tenant, decision, error, message, now);
    else
        verify(pipeline, tenant, decision, "", now);
}

/* What was decided last. */
static struct Decision decision_of(const struct Tenant *tenant, enum LimitId limit)
{
    const struct LimitState *state = &tenant->limits[limit];

    return (struct Decision){.action = state->action,
                             .verb = state->value == state->found ? VERB_UNLIMIT : VERB_LIMIT,
                             .cause = (enum Cause)state->cause,
                             .holder = HOLDER_OPERATOR,
                             .uid = state->uid,
                             .limit = limit,
                             .value = state->value,
                             .at_usec = state->asked_usec};
}

/* A unit may have a limit of its own for the disk under another path: PID 1 writes both, one over the other.
 */
static bool is_overruled(struct Pipeline *pipeline, struct Tenant *tenant, enum LimitId limit)
{
    if (!limit_is_rate(limit))
        return false;
    throttling_found(pipeline, tenant, limit);
    return !rates_hold(tenant, limit);
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
    if (limit_is_own(limit))
        return own_answered(pipeline, tenant, &decision, error, message, now);
    if (error == 0 && !is_overruled(pipeline, tenant, limit))
        return verify(pipeline, tenant, &decision, "through systemd", now);
    if (error == 0)
        message = "done, and has another limit of the same disk";
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
    if (limit_is_rate(decision->limit) &&
        rates_to_entry(&tenant->rates[decision->limit - LIMIT_RATE_FIRST], &entry) < 0)
        return -ENOBUFS;
    if (decision->verb == VERB_UNLIMIT)
        entry.phase = ENTRY_UNDOING;
    if (*slot != LEDGER_SLOT_NONE)
        return ledger_update(pipeline->ledger, *slot, &entry);
    /* A limit is not set in a hurry: it does not live on what is kept for freezes. */
    (void)ledger_reserve(pipeline->ledger, pipeline->reserved + 1);
    return ledger_put(pipeline->ledger, &entry, slot);
}

/* Its file can be written here and now. */
static bool is_open(const struct Tenant *tenant, enum LimitId limit)
{
    uint64_t value;

    return read_limit(tenant, limit, &value) >= 0;
}

static bool is_settling(const struct Tenant *tenant)
{
    return !tenant->was_here && tenant->settling;
}

/* PID 1 has a value of its own for this limit, and writes it whenever it applies the unit's cgroup. */
static bool is_known_to_systemd(const struct LimitState *state)
{
    return state->applied && (state->told || !state->untold);
}

/* SetUnitProperties makes PID 1 apply all of a unit's cgroup anew, its device filter too. While runc is
 * setting up that very filter this makes the start of the container fail. So as long as a newcomer is
 * settling (its limits will be looked at again) its limit is written direct, and PID 1 is told at the last
 * look. What it was told of once is not written direct any more: it would write its own value over it. What
 * it was never told of needs not be taken back. */
static bool is_not_for_systemd(const struct Tenant *tenant, const struct Decision *decision)
{
    const struct LimitState *state = &tenant->limits[decision->limit];

    if (decision->verb == VERB_UNLIMIT)
        return state->untold && !state->told;
    return is_settling(tenant) && !is_known_to_systemd(state) && is_open(tenant, decision->limit);
}

/* A quota has no entry in the ledger: that the project is guardd's own, and without limits else, is written
 * down before it gets its first one (record/project.h). */
static int order_own(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                     char *why)
{
    struct LimitState *state = &tenant->limits[decision->limit];
    int r = limit_is_quota(decision->limit) ? 0 : put_entry(pipeline, tenant, decision, LIMIT_INFINITY);

    *state = (struct LimitState){.applied = true,
                                 .waiting = state->waiting,
                                 .asked_usec = decision->at_usec,
                                 .action = decision->action,
                                 .cause = decision->cause,
                                 .uid = decision->uid,
                                 .found = LIMIT_INFINITY,
                                 .value = decision->value,
                                 .previous = in_force(state, LIMIT_INFINITY)};
    if (r < 0)
        snprintf(why, REASON_MAX, "not begun, it could not be written down: %s", strerror(-r));
    else if (limit_is_quota(decision->limit))
        r = pipeline->set_quota(pipeline->userdata, tenant, decision->limit, decision->value);
    else
        r = pipeline->set_network(pipeline->userdata, tenant, decision->limit, decision->value, why);
    return r;
}

static void set_own(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                    usec_t now)
{
    char why[REASON_MAX] = "";
    int r = order_own(pipeline, tenant, decision, why);

    if (r < 0)
        own_failed(pipeline, tenant, decision, r, why[0] != '\0' ? why : NULL, now);
    else
        tenant->limits[decision->limit].waiting += (unsigned)r;
}

/* What is found, written down. `decision` of a limit of I/O may get the value that all its disks come to. */
static int begin_in_cgroup(struct Pipeline *pipeline, struct Tenant *tenant, struct Decision *decision,
                           uint64_t *ret_found)
{
    struct LimitState *state = &tenant->limits[decision->limit];
    bool is_rate = limit_is_rate(decision->limit);
    struct Rate *rate = is_rate ? &tenant->rates[decision->limit - LIMIT_RATE_FIRST] : NULL, before = {};
    int r = 0;

    *ret_found = state->found;
    if (!state->applied)
        r = limiting_present(tenant, decision->limit, ret_found);
    if (r < 0)
        return r;
    if (is_rate) {
        before = *rate;
        rates_plan(tenant, decision, ret_found);
    }
    r = put_entry(pipeline, tenant, decision, *ret_found);
    if (r < 0 && is_rate)
        *rate = before;
    return r;
}

static int ask_systemd(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision)
{
    if (limit_is_rate(decision->limit))
        return rates_tell(pipeline->units, tenant, decision->limit);
    return unit_set_limit(pipeline->units, tenant->cgroup.unit, decision->limit, decision->value,
                          tenant->cgroup.id);
}

static void set_in_cgroup(struct Pipeline *pipeline, struct Tenant *tenant, struct Decision decision,
                          usec_t now)
{
    struct LimitState *state = &tenant->limits[decision.limit];
    bool direct = !tenant->cgroup.unit || is_not_for_systemd(tenant, &decision);
    uint64_t found;
    struct Outcome outcome;
    int r = begin_in_cgroup(pipeline, tenant, &decision, &found);

    if (r < 0) {
        outcome = outcome_failure(&decision, r, now, "not begun, it could not be written down");
        return report_outcome(pipeline, tenant, &decision, &outcome, 0, now);
    }
    *state = (struct LimitState){.applied = true,
                                 .waiting = state->waiting,
                                 .asked_usec = decision.at_usec,
                                 .action = decision.action,
                                 .cause = decision.cause,
                                 .uid = decision.uid,
                                 .found = found,
                                 .value = decision.value,
                                 .previous = in_force(state, found),
                                 .told = is_known_to_systemd(state),
                                 .untold = direct && tenant->cgroup.unit && decision.verb == VERB_LIMIT};
    if (direct)
        return write_direct(
            pipeline, tenant, &decision,
            state->untold ? "written direct, systemd is told when it has started" : "written direct", now);
    r = ask_systemd(pipeline, tenant, &decision);
    if (r >= 0)
        state->waiting++;
    else
        write_direct(pipeline, tenant, &decision, "written direct, systemd cannot be reached", now);
}

void limiting_carry_out(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *asked,
                        usec_t now)
{
    struct Decision decision = *asked;
    struct Outcome outcome;

    report_number(pipeline, &decision);
    report_decision(pipeline, tenant, &decision);
    if (pipeline->mode == MODE_OBSERVE) {
        outcome = outcome_make(RESULT_OBSERVED, &decision, now, "%s", "");
        return report_outcome(pipeline, tenant, &decision, &outcome, 0, now);
    }
    if (limit_is_own(decision.limit))
        set_own(pipeline, tenant, &decision, now);
    else
        set_in_cgroup(pipeline, tenant, decision, now);
}

void limiting_trouble(const struct Tenant *tenant, enum LimitId limit, int error, char *buf, size_t size)
{
    buf[0] = '\0';
    if (limit_is_network(limit) && tenant->network.looked && tenant->network.why != UNSHAPED_NOT)
        snprintf(buf, size, "not shaped: %s: %s", unshaped_name(tenant->network.why),
                 unshaped_text(tenant->network.why));
    else if (error == -EBADF)
        snprintf(buf, size, "its cgroup has no %s: the %s controller is not enabled",
                 limit_info(limit)->cgroup_file, limit_info(limit)->controller);
    else if (error == -ENOTBLK)
        snprintf(buf, size, "no disk is known below /, /var and DiskRoots=");
}

/* What nobody asks for and guardd has not set is not even opened. */
static bool concerns(const struct Tenant *tenant, enum LimitId limit)
{
    uint64_t asked;

    return (limit_file(limit) == 0 && !limit_is_network(limit)) || tenant->limits[limit].applied ||
           tenant_asked(tenant, limit, &asked);
}

/* What somebody else stands in the way of is not tried again and again: shaping.c knows when. */
static bool is_hopeless(const struct Tenant *tenant, enum LimitId limit)
{
    return limit_is_network(limit) && tenant->network.error[limit_direction(limit)] < 0;
}

static void check_limit(struct Pipeline *pipeline, struct Tenant *tenant, enum LimitId limit, usec_t now)
{
    struct LimitState *state = &tenant->limits[limit];
    struct Decision decision;
    uint64_t present;
    int r = concerns(tenant, limit) ? limiting_present(tenant, limit, &present) : -ENODATA;

    if (r >= 0 && is_hopeless(tenant, limit))
        return;
    if ((limit_file(limit) != 0 || limit_is_network(limit)) && r < 0)
        limiting_trouble(tenant, limit, r, state->note, sizeof(state->note));
    /* systemd alone could enable its controller, and is told when the newcomer has settled. */
    if (r < 0 || (limit_file(limit) != 0 && is_settling(tenant) && !is_open(tenant, limit)))
        return;
    if (limit_decide(tenant, limit, present, now, &decision))
        limiting_carry_out(pipeline, tenant, &decision, now);
}

void limiting_check(struct Pipeline *pipeline, struct Tenant *tenant, usec_t now)
{
    for (int id = 0; id < LIMIT_COUNT; id++)
        if (pipeline->ledger->fd >= 0 || limit_is_quota(id)) /* said once, in ledger_trouble */
            check_limit(pipeline, tenant, id, now);
}

void limiting_check_network(struct Pipeline *pipeline, struct Tenant *tenant, usec_t now)
{
    for (int id = 0; id < LIMIT_COUNT; id++)
        if (limit_is_network(id) && pipeline->ledger->fd >= 0)
            check_limit(pipeline, tenant, id, now);
}

void limiting_forget_network(struct Pipeline *pipeline, struct Tenant *tenant)
{
    for (int id = 0; id < LIMIT_COUNT; id++) {
        struct LimitState *state = &tenant->limits[id];

        if (!limit_is_network(id) || !state->applied || state->waiting > 0)
            continue;
        state->applied = false;
        report_drop_entry(pipeline, &tenant->limit_slots[id]);
    }
}

void limiting_vanished(struct Pipeline *pipeline, struct Tenant *tenant)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        report_drop_entry(pipeline, &tenant->limit_slots[i]);
}
