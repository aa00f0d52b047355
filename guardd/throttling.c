/* See throttling.h. Where a throttle of one resource stands:
 *
 *   nothing     no lines
 *   beginning   lines, and Tenant.throttling is a throttle     the worker has still to write it
 *   in force    lines and holders
 *   ending      lines, and Tenant.throttling is its end        the worker has still to write what was found
 *   abandoned   lines without holders                          did not take, is being written back
 *
 * Each line has an entry in the ledger as long as it is there; the entry names one of the holders. */
#include "throttling.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "act/actuator.h"
#include "act/throttle.h"
#include "base/error.h"
#include "rates.h"
#include "report.h"
#include "tenant/cgroup.h"

/* While the worker writes, it is read back so often: a line is in force before its write returns. */
#define READ_BACK_USEC (100 * USEC_PER_MSEC)
#define GIVE_UP_USEC (10 * USEC_PER_SEC)

static bool is_under_way(const struct Tenant *tenant, enum Resource resource, enum Verb verb)
{
    const struct Action *action = &tenant->throttling;

    return action->under_way && action->decision.resource == resource && action->decision.verb == verb;
}

static bool is_in_force(const struct Tenant *tenant, enum Resource resource)
{
    return tenant->throttles[resource].holders != 0 && !is_under_way(tenant, resource, VERB_UNTHROTTLE);
}

/* See throttling.h. */
static bool stands_aside(const struct Tenant *tenant, enum Resource resource)
{
    const struct Action *action = &tenant->action;

    return resource == RESOURCE_CPU && action->under_way &&
           (action->decision.verb == VERB_FREEZE || action->decision.verb == VERB_KILL);
}

/* "cpu.max 50000 100000, found max 100000"; of several lines one after the other. */
static const char *describe(const struct Tenant *tenant, enum Resource resource, char *buf, size_t size)
{
    const struct Throttle *throttle = &tenant->throttles[resource];
    size_t used = 0;

    buf[0] = '\0';
    for (size_t i = 0; i < throttle->n_lines && used < size; i++) {
        int n =
            snprintf(buf + used, size - used, "%s%s %s, found %s", i > 0 ? "; " : "",
                     resource_throttle_file(resource), throttle->lines[i].value, throttle->lines[i].found);

        used += n > 0 ? (size_t)n : 0;
    }
    return buf;
}

/* --- the ledger ----------------------------------------------------------------------------------- */

static void set_lines(struct LedgerEntry *entry, enum Resource resource, const struct ThrottleLine *line)
{
    entry->resource = (uint32_t)resource;
    snprintf(entry->found_line, sizeof(entry->found_line), "%s", line->found);
    snprintf(entry->value_line, sizeof(entry->value_line), "%s", line->value);
}

static void drop_lines(struct Pipeline *pipeline, struct Throttle *throttle)
{
    for (size_t i = 0; i < throttle->n_lines; i++)
        report_drop_entry(pipeline, &throttle->lines[i].slot);
    *throttle = (struct Throttle){.waiting = throttle->waiting};
}

/* Until all are written down, no line is replaced. They do not live on what is kept for freezes. */
static int put_entries(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision)
{
    struct Throttle *throttle = &tenant->throttles[decision->resource];
    int r = ledger_reserve(pipeline->ledger, pipeline->reserved + throttle->n_lines);

    for (size_t i = 0; i < throttle->n_lines; i++)
        throttle->lines[i].slot = LEDGER_SLOT_NONE;
    for (size_t i = 0; r >= 0 && i < throttle->n_lines; i++) {
        struct LedgerEntry entry = report_entry(tenant, decision, ENTRY_THROTTLE);

        set_lines(&entry, decision->resource, &throttle->lines[i]);
        r = ledger_put(pipeline->ledger, &entry, &throttle->lines[i].slot);
    }
    if (r < 0)
        drop_lines(pipeline, throttle);
    return r;
}

/* Writes down what has changed of the lines; who holds them and the phase stay. */
static void update_entries(struct Pipeline *pipeline, const struct Tenant *tenant, enum Resource resource)
{
    const struct Throttle *throttle = &tenant->throttles[resource];

    for (size_t i = 0; i < throttle->n_lines; i++) {
        struct LedgerEntry entry;

        if (ledger_get(pipeline->ledger, throttle->lines[i].slot, &entry) < 0)
            continue;
        set_lines(&entry, resource, &throttle->lines[i]);
        (void)ledger_update(pipeline->ledger, throttle->lines[i].slot, &entry);
    }
}

/* Another holder, or another phase. `decision`: of whom they are from now on. */
static void sign_entries(struct Pipeline *pipeline, const struct Tenant *tenant,
                         const struct Decision *decision, enum EntryPhase phase)
{
    const struct Throttle *throttle = &tenant->throttles[decision->resource];
    struct LedgerEntry entry = report_entry(tenant, decision, ENTRY_THROTTLE);

    entry.phase = phase;
    for (size_t i = 0; i < throttle->n_lines; i++) {
        set_lines(&entry, decision->resource, &throttle->lines[i]);
        (void)ledger_update(pipeline->ledger, throttle->lines[i].slot, &entry);
    }
}

/* Whoever the entries name has let go: they go on for one of the others. */
static void pass_on(struct Pipeline *pipeline, const struct Tenant *tenant, const struct Decision *decision)
{
    uint32_t holders = tenant->throttles[decision->resource].holders;
    struct Decision heir = {.resource = decision->resource, .at_usec = decision->at_usec};

    while (heir.holder < HOLDER_OPERATOR && !(holders & (1u << heir.holder)))
        heir.holder++;
    if (tenant->class && heir.holder < tenant->class->n_rules)
        snprintf(heir.rule, sizeof(heir.rule), "%s", tenant->class->rules[heir.holder]->name);
    sign_entries(pipeline, tenant, &heir, ENTRY_STANDING);
}

/* --- the file ------------------------------------------------------------------------------------- */

/* A device that is gone needs no line any more; a cgroup that is gone is told. */
static int write_line(const struct Tenant *tenant, enum Resource resource, const char *line)
{
    struct CgroupState state;
    int r = throttle_write(&tenant->cgroup, resource, line);

    if (resource == RESOURCE_IO && error_is_gone(r))
        r = cgroup_read_state(tenant->cgroup.events_fd, &state);
    return r;
}

/* Nothing is reclaimed for a limit that is lifted; and nothing that the worker has still to write comes after
 * it. */
static bool is_quick(const struct Tenant *tenant, enum Resource resource, bool found)
{
    const struct Throttle *throttle = &tenant->throttles[resource];
    const struct ThrottleLine *line = &throttle->lines[0];
    uint64_t value;

    if (resource != RESOURCE_MEMORY)
        return true;
    if (!found || throttle_value(LIMIT_MEMORY_HIGH, line->found, &value) < 0 || value != LIMIT_INFINITY)
        return false;
    return throttle->waiting == 0 ||
           (throttle->waiting == 1 && throttle_is(&tenant->cgroup, resource, line->value) > 0);
}

/* What a line of the network says, in bits per second. */
static uint64_t rate_of(const char *line)
{
    return strtoull(line, NULL, 10);
}

static int shape_links(struct Pipeline *pipeline, struct Tenant *tenant, bool found)
{
    struct Throttle *throttle = &tenant->throttles[RESOURCE_NETWORK];
    int r = pipeline->throttle_network(pipeline->userdata, tenant,
                                       found ? LIMIT_INFINITY : rate_of(throttle->lines[0].value));

    throttle->waiting += r > 0 ? (unsigned)r : 0;
    return r > 0 ? 1 : r;
}

/* 1: the worker writes it, and throttling_answer() comes; 0: in force; < 0. */
static int write_lines(struct Pipeline *pipeline, struct Tenant *tenant, enum Resource resource, bool found)
{
    struct Throttle *throttle = &tenant->throttles[resource];
    int error = 0;

    if (resource == RESOURCE_NETWORK)
        return shape_links(pipeline, tenant, found);
    if (!is_quick(tenant, resource, found) && pipeline->write_slowly &&
        pipeline->write_slowly(pipeline->userdata, tenant, resource,
                               found ? throttle->lines[0].found : throttle->lines[0].value) >= 0) {
        throttle->waiting++;
        return 1;
    }
    for (size_t i = 0; i < throttle->n_lines; i++) {
        const struct ThrottleLine *line = &throttle->lines[i];
        int r = write_line(tenant, resource, found ? line->found : line->value);

        if (r < 0 && error == 0)
            error = r;
    }
    return error;
}

/* Are all lines in force? 1, 0, or < 0. */
static int are_lines(const struct Tenant *tenant, enum Resource resource, bool found)
{
    const struct Throttle *throttle = &tenant->throttles[resource];
    int r = 1;

    if (resource == RESOURCE_NETWORK)
        return network_is_as_wanted(&tenant->network);
    for (size_t i = 0; r > 0 && i < throttle->n_lines; i++)
        r = throttle_is(&tenant->cgroup, resource,
                        found ? throttle->lines[i].found : throttle->lines[i].value);
    return r;
}

enum Drift {
    DRIFT_NONE,
    DRIFT_LIFTED,  /* what was found is in force again */
    DRIFT_ANOTHER, /* somebody has set a new limit; it is now what was found */
};

static enum Drift learn_line(const struct Tenant *tenant, enum Resource resource, struct ThrottleLine *line)
{
    char present[THROTTLE_LINE_MAX];

    if (throttle_read(&tenant->cgroup, resource, line->value, present) < 0 ||
        throttle_is_same(resource, present, line->value))
        return DRIFT_NONE;
    if (throttle_is_same(resource, present, line->found))
        return DRIFT_LIFTED;
    memcpy(line->found, present, sizeof(line->found));
    (void)throttle_lower(resource, present, line->value, line->value);
    return DRIFT_ANOTHER;
}

/* Whatever is in force that is neither ours nor what was found is a new limit. */
static enum Drift learn(struct Pipeline *pipeline, struct Tenant *tenant, enum Resource resource)
{
    struct Throttle *throttle = &tenant->throttles[resource];
    enum Drift worst = DRIFT_NONE;

    /* A limit that is set meanwhile is kept by itself, and what keeps the rate is watched (network.h). */
    for (size_t i = 0; resource != RESOURCE_NETWORK && i < throttle->n_lines; i++) {
        enum Drift drift = learn_line(tenant, resource, &throttle->lines[i]);

        if (drift > worst)
            worst = drift;
    }
    if (worst == DRIFT_ANOTHER)
        update_entries(pipeline, tenant, resource);
    return worst;
}

/* The throttle goes over what has replaced it. */
static void keep(struct Pipeline *pipeline, struct Tenant *tenant, enum Resource resource, bool tell,
                 usec_t now)
{
    struct Throttle *throttle = &tenant->throttles[resource];
    enum Drift drift = learn(pipeline, tenant, resource);
    char lines[REASON_MAX], text[REASON_MAX];

    if (drift == DRIFT_NONE)
        return;
    (void)write_lines(pipeline, tenant, resource, false);
    if (drift != DRIFT_ANOTHER || !tell || throttle->told)
        return;
    throttle->told = true;
    snprintf(text, sizeof(text),
             "somebody else set it while it was throttled, its end gives that back: %.400s",
             describe(tenant, resource, lines, sizeof(lines)));
    pipeline_note(pipeline, tenant, EVENT_NOTICE, LOG_NOTICE, now, text);
}

/* --- outcomes ------------------------------------------------------------------------------------- */

/* What did not take is written back. Entries stay until it is. */
static void take_back(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision)
{
    struct Throttle *throttle = &tenant->throttles[decision->resource];

    throttle->holders = 0;
    sign_entries(pipeline, tenant, decision, ENTRY_UNDOING);
    if (write_lines(pipeline, tenant, decision->resource, true) == 0)
        drop_lines(pipeline, throttle);
}

static void finish_throttle(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                            uint64_t ticket, int error, usec_t now)
{
    struct Throttle *throttle = &tenant->throttles[decision->resource];
    struct Outcome outcome;
    char text[REASON_MAX];

    if (error_is_gone(error)) {
        outcome = outcome_make(RESULT_GONE, decision, now, "the cgroup is gone");
        drop_lines(pipeline, throttle);
    } else if (error < 0) {
        outcome = outcome_failure(decision, error, now, resource_throttle_file(decision->resource));
        take_back(pipeline, tenant, decision);
    } else {
        throttle->holders |= 1u << decision->holder;
        outcome = outcome_make(RESULT_DONE, decision, now, "%s",
                               describe(tenant, decision->resource, text, sizeof(text)));
    }
    report_outcome(pipeline, tenant, decision, &outcome, ticket, now);
}

static void finish_end(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                       uint64_t ticket, int error, usec_t now)
{
    struct Throttle *throttle = &tenant->throttles[decision->resource];
    const char *file = resource_throttle_file(decision->resource);
    struct Outcome outcome;
    char what[64];

    if (error_is_gone(error)) {
        outcome = outcome_make(RESULT_DONE, decision, now, "the cgroup is gone");
    } else if (error < 0) {
        snprintf(what, sizeof(what), "%s could not be given back", file);
        outcome = outcome_failure(decision, error, now, what);
    } else {
        outcome = outcome_make(RESULT_DONE, decision, now, "%s %s again%s", file, throttle->lines[0].found,
                               throttle->n_lines > 1 ? ", and so its other devices" : "");
    }
    if (outcome.result == RESULT_DONE)
        drop_lines(pipeline, throttle);
    report_outcome(pipeline, tenant, decision, &outcome, ticket, now);
}

static void finish_under_way(struct Pipeline *pipeline, struct Tenant *tenant, int error, usec_t now)
{
    const struct Action action = tenant->throttling;

    tenant->throttling.under_way = false;
    if (action.decision.verb == VERB_THROTTLE)
        finish_throttle(pipeline, tenant, &action.decision, action.ticket, error, now);
    else
        finish_end(pipeline, tenant, &action.decision, action.ticket, error, now);
}

/* What is on its way in this resource makes way. */
static void supersede(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *by, usec_t now)
{
    const struct Action action = tenant->throttling;
    struct Outcome outcome;

    if (!action.under_way || action.decision.resource != by->resource)
        return;
    tenant->throttling.under_way = false;
    outcome = outcome_make(RESULT_SUPERSEDED, &action.decision, now, "%s came first", verb_name(by->verb));
    report_outcome(pipeline, tenant, &action.decision, &outcome, action.ticket, now);
}

static void await(struct Tenant *tenant, const struct Decision *decision, uint64_t ticket, usec_t now)
{
    tenant->throttling = (struct Action){.under_way = true,
                                         .decision = *decision,
                                         .ticket = ticket,
                                         .deadline_usec = usec_add(now, READ_BACK_USEC)};
}

/* --- beginning ------------------------------------------------------------------------------------ */

static struct Outcome not_begun(const struct Decision *decision, int error, const char *why, usec_t now)
{
    return error_is_gone(error) ? outcome_make(RESULT_GONE, decision, now, "the cgroup is gone")
                                : outcome_failure(decision, error, now, why);
}

static const char *plan_trouble(int error)
{
    switch (error) {
    case -ENODATA:
        return "not begun, nothing is known of what it uses, or it uses nothing";
    case -EBADF:
        return "not begun, its cgroup has no such controller";
    case -EADDRNOTAVAIL:
        return "not begun, no link of it is known, or its class has no NetworkFloodRate=";
    default:
        return "not begun, its present use cannot be read";
    }
}

/* Nothing to slow down: it is that low already. */
static bool is_futile(const struct Throttle *plan, enum Resource resource)
{
    if (resource == RESOURCE_NETWORK)
        return rate_of(plan->lines[0].found) > 0 &&
               rate_of(plan->lines[0].found) <= rate_of(plan->lines[0].value);
    for (size_t i = 0; i < plan->n_lines; i++)
        if (!throttle_is_same(resource, plan->lines[i].found, plan->lines[i].value))
            return false;
    return true;
}

/* The higher one of its two limits: below that there is something to slow down. */
static void describe_limits(const struct Tenant *tenant, char *line)
{
    uint64_t highest = 0;

    for (int d = 0; d < DIRECTION_COUNT; d++)
        if (tenant->network.wanted[d] > highest)
            highest = tenant->network.wanted[d];
    if (highest == LIMIT_INFINITY)
        snprintf(line, THROTTLE_LINE_MAX, "infinity");
    else
        snprintf(line, THROTTLE_LINE_MAX, "%" PRIu64 " bit/s", highest);
}

static int plan_network(const struct Tenant *tenant, struct Throttle *ret)
{
    uint64_t flood_bits = tenant->class ? tenant->class->network_flood_bits : 0;

    if (tenant->network.n_links == 0 || flood_bits == 0)
        return -EADDRNOTAVAIL;
    *ret = (struct Throttle){.n_lines = 1};
    describe_limits(tenant, ret->lines[0].found);
    snprintf(ret->lines[0].value, sizeof(ret->lines[0].value), "%" PRIu64 " bit/s", flood_bits);
    return 0;
}

static int plan_lines(struct Tenant *tenant, const struct Decision *decision, struct Throttle *ret)
{
    int r;

    if (decision->resource == RESOURCE_NETWORK)
        return plan_network(tenant, ret);
    r = cgroup_open_files(&tenant->cgroup, throttle_files(decision->resource));
    return r < 0 ? r
                 : throttle_plan(&tenant->cgroup, decision->resource, decision->percent, &tenant->strain,
                                 &tenant->readings, ret);
}

/* Makes the lines and writes down what was found. false: `*ret_outcome` was the end of it. */
static bool plan(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                 usec_t now, struct Outcome *ret_outcome)
{
    struct Throttle *throttle = &tenant->throttles[decision->resource], made = {};
    int r = plan_lines(tenant, decision, &made);

    if (r < 0) {
        *ret_outcome = not_begun(decision, r, plan_trouble(r), now);
        return false;
    }
    if (is_futile(&made, decision->resource)) {
        *ret_outcome = outcome_make(RESULT_SKIPPED, decision, now, "%s is as low already: %s",
                                    resource_throttle_file(decision->resource), made.lines[0].found);
        return false;
    }
    made.waiting = throttle->waiting;
    *throttle = made;
    r = put_entries(pipeline, tenant, decision);
    if (r < 0)
        *ret_outcome = not_begun(decision, r, "not begun, it could not be written down", now);
    return r >= 0;
}

/* The first one's amount stands. */
static void join(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                 uint64_t ticket, usec_t now)
{
    struct Outcome outcome;
    char text[REASON_MAX];

    tenant->throttles[decision->resource].holders |= 1u << decision->holder;
    report_decision(pipeline, tenant, decision);
    outcome = outcome_make(RESULT_DONE, decision, now, "it was throttled already: %.400s",
                           describe(tenant, decision->resource, text, sizeof(text)));
    report_outcome(pipeline, tenant, decision, &outcome, ticket, now);
}

/* What is told of it comes after the deed: it wakes others, and they would come between. */
static void begin(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                  uint64_t ticket, usec_t now)
{
    struct Throttle *throttle = &tenant->throttles[decision->resource];
    bool written = is_under_way(tenant, decision->resource, VERB_THROTTLE);
    struct Outcome outcome;
    int r = 1;

    if (is_in_force(tenant, decision->resource))
        return join(pipeline, tenant, decision, ticket, now);
    if (throttle->n_lines == 0) {
        if (!plan(pipeline, tenant, decision, now, &outcome)) {
            report_decision(pipeline, tenant, decision);
            return report_outcome(pipeline, tenant, decision, &outcome, ticket, now);
        }
    } else {
        /* On its way for somebody else, or on its way back: the same lines go on for this one. */
        supersede(pipeline, tenant, decision, now);
        throttle->holders = 0;
        sign_entries(pipeline, tenant, decision, ENTRY_STANDING);
    }
    if (!written)
        r = write_lines(pipeline, tenant, decision->resource, stands_aside(tenant, decision->resource));
    report_decision(pipeline, tenant, decision);
    if (r > 0)
        await(tenant, decision, ticket, now);
    else
        finish_throttle(pipeline, tenant, decision, ticket, r, now);
}

/* --- its end -------------------------------------------------------------------------------------- */

static uint32_t let_go_by(const struct Decision *decision)
{
    bool all = decision->cause == CAUSE_OPERATOR || decision->cause == CAUSE_STOP ||
               decision->cause == CAUSE_RECOVERY;

    return all ? UINT32_MAX : 1u << decision->holder;
}

static uint32_t others_than(const struct Tenant *tenant, const struct Decision *decision)
{
    uint32_t holders = tenant->throttles[decision->resource].holders;

    if (is_under_way(tenant, decision->resource, VERB_THROTTLE))
        holders |= 1u << tenant->throttling.decision.holder;
    return holders & ~let_go_by(decision);
}

static void end(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                uint64_t ticket, usec_t now)
{
    bool written = is_under_way(tenant, decision->resource, VERB_UNTHROTTLE);
    int r = 1;

    supersede(pipeline, tenant, decision, now);
    if (!written) {
        (void)learn(pipeline, tenant, decision->resource);
        sign_entries(pipeline, tenant, decision, ENTRY_UNDOING);
        r = write_lines(pipeline, tenant, decision->resource, true);
    }
    if (r > 0)
        await(tenant, decision, ticket, now);
    else
        finish_end(pipeline, tenant, decision, ticket, r, now);
}

static void leave(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                  uint64_t ticket, usec_t now)
{
    struct Throttle *throttle = &tenant->throttles[decision->resource];
    struct Outcome outcome =
        outcome_make(RESULT_SKIPPED, decision, now, "it stays throttled for another reason");

    throttle->holders &= ~let_go_by(decision);
    if (throttle->holders != 0)
        pass_on(pipeline, tenant, decision);
    report_outcome(pipeline, tenant, decision, &outcome, ticket, now);
}

void throttling_carry_out(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                          uint64_t ticket, usec_t now)
{
    bool possible = decision->resource >= 0 && resource_can_throttle(decision->resource) &&
                    (decision->resource != RESOURCE_NETWORK || pipeline->throttle_network);
    bool any = possible && tenant->throttles[decision->resource].n_lines > 0;
    bool observed = pipeline->mode == MODE_OBSERVE && !any;
    struct Outcome outcome;

    if (possible && !observed && decision->verb == VERB_THROTTLE)
        return begin(pipeline, tenant, decision, ticket, now);
    report_decision(pipeline, tenant, decision);
    if (!possible) {
        outcome = not_begun(decision, -EOPNOTSUPP, "not begun, it cannot be throttled", now);
        return report_outcome(pipeline, tenant, decision, &outcome, ticket, now);
    }
    if (observed) {
        outcome = outcome_make(RESULT_OBSERVED, decision, now, "%s", "");
        return report_outcome(pipeline, tenant, decision, &outcome, ticket, now);
    }
    if (!any) {
        outcome = outcome_make(RESULT_SKIPPED, decision, now, "it is not throttled");
        return report_outcome(pipeline, tenant, decision, &outcome, ticket, now);
    }
    if (others_than(tenant, decision) != 0)
        return leave(pipeline, tenant, decision, ticket, now);
    end(pipeline, tenant, decision, ticket, now);
}

/* --- later ---------------------------------------------------------------------------------------- */

void throttling_answer(struct Pipeline *pipeline, struct Tenant *tenant, enum Resource resource, int error,
                       usec_t now)
{
    struct Throttle *throttle = &tenant->throttles[resource];
    bool ends = !is_under_way(tenant, resource, VERB_THROTTLE);
    int r;

    /* Of several writes the last one counts, and its answer comes last. */
    if (throttle->waiting == 0)
        return;
    throttle->waiting--;
    if (throttle->waiting > 0)
        return;
    r = are_lines(tenant, resource, ends);
    if (r == 0 && error == 0 && resource == RESOURCE_NETWORK && network_has_orders(&tenant->network)) {
        if (is_under_way(tenant, resource, ends ? VERB_UNTHROTTLE : VERB_THROTTLE))
            return; /* a limit was ordered meanwhile, which heeds the throttle: it is read back after that */
        r = 1;
    }
    if (r == 0)
        r = error < 0 ? error : -EIO;
    if (tenant->throttling.under_way && tenant->throttling.decision.resource == resource)
        finish_under_way(pipeline, tenant, r < 0 ? r : 0, now);
    else if (throttle->holders == 0 && (r > 0 || error_is_gone(r)))
        drop_lines(pipeline, throttle);
}

/* Before the last write has returned it may be in force already. */
static void read_back(struct Pipeline *pipeline, struct Tenant *tenant, usec_t now)
{
    struct Action *action = &tenant->throttling;
    enum Resource resource = action->decision.resource;
    int r = are_lines(tenant, resource, action->decision.verb == VERB_UNTHROTTLE);

    if (tenant->throttles[resource].waiting <= 1 && r != 0)
        finish_under_way(pipeline, tenant, r < 0 ? r : 0, now);
    else if (now >= usec_add(action->decision.at_usec, GIVE_UP_USEC))
        finish_under_way(pipeline, tenant, -ETIMEDOUT, now);
    else if (now >= action->deadline_usec)
        action->deadline_usec = usec_add(now, READ_BACK_USEC);
}

void throttling_stand_aside(struct Pipeline *pipeline, struct Tenant *tenant)
{
    if (!stands_aside(tenant, RESOURCE_CPU) || !is_in_force(tenant, RESOURCE_CPU))
        return;
    (void)learn(pipeline, tenant, RESOURCE_CPU);
    (void)write_lines(pipeline, tenant, RESOURCE_CPU, true);
}

void throttling_check(struct Pipeline *pipeline, struct Tenant *tenant, usec_t now)
{
    if (tenant->throttling.under_way)
        read_back(pipeline, tenant, now);
    for (int i = 0; i < RESOURCE_COUNT; i++)
        if (tenant->throttles[i].waiting == 0 && is_in_force(tenant, (enum Resource)i) &&
            !stands_aside(tenant, (enum Resource)i))
            keep(pipeline, tenant, (enum Resource)i, true, now);
}

/* --- limits on the same file ---------------------------------------------------------------------- */

void throttling_found(struct Pipeline *pipeline, struct Tenant *tenant, enum LimitId limit)
{
    enum Resource resource = limit_throttle(limit);

    if (resource == RESOURCE_INVALID || tenant->throttles[resource].n_lines == 0)
        return;
    if (is_in_force(tenant, resource) || is_under_way(tenant, resource, VERB_THROTTLE))
        keep(pipeline, tenant, resource, false, 0);
    else if (learn(pipeline, tenant, resource) == DRIFT_ANOTHER)
        (void)write_lines(pipeline, tenant, resource, true);
}

bool throttling_hides(const struct Tenant *tenant, enum LimitId limit, uint64_t *ret_value)
{
    if (!tenant_throttled_at(tenant, limit))
        return false;
    if (limit_is_rate(limit))
        return rates_read(tenant, limit, true, ret_value) >= 0;
    return throttle_value(limit, tenant->throttles[limit_throttle(limit)].lines[0].found, ret_value) >= 0;
}

/* --- the run before, and the end ------------------------------------------------------------------ */

static bool is_wanted(const struct Tenant *tenant, const struct LedgerEntry *entry, unsigned holder)
{
    const struct Rule *rule;

    if (holder == HOLDER_OPERATOR)
        return true;
    if (!tenant->class || holder >= tenant->class->n_rules)
        return false;
    rule = tenant->class->rules[holder];
    return rule->resource == (enum Resource)entry->resource && entry->step < rule->n_steps &&
           rule->steps[entry->step].verb == VERB_THROTTLE;
}

static bool has_file(struct Tenant *tenant, enum Resource resource)
{
    return cgroup_open_files(&tenant->cgroup, throttle_files(resource)) >= 0 &&
           tenant->cgroup.files[throttle_file(resource)] >= 0;
}

int throttling_adopt(struct Pipeline *pipeline, struct Tenant *tenant, const struct LedgerEntry *entry,
                     uint32_t slot, unsigned holder, usec_t now)
{
    enum Resource resource = (enum Resource)entry->resource;
    struct Throttle *throttle = &tenant->throttles[resource];
    struct ThrottleLine *line = &throttle->lines[throttle->n_lines];
    char lines[REASON_MAX], text[REASON_MAX];

    if (throttle->n_lines == THROTTLE_LINES_MAX || !is_wanted(tenant, entry, holder) ||
        (resource == RESOURCE_NETWORK ? rate_of(entry->value_line) == 0 : !has_file(tenant, resource)))
        return -ESTALE;
    memcpy(line->found, entry->found_line, sizeof(line->found));
    memcpy(line->value, entry->value_line, sizeof(line->value));
    line->slot = slot;
    throttle->n_lines++;
    throttle->holders |= 1u << holder;
    if (resource == RESOURCE_NETWORK) /* set, unless it is, when its links are found */
        tenant->network.flood_bits = rate_of(line->value);
    /* It may have ended between the entry and the act. */
    keep(pipeline, tenant, resource, false, now);
    snprintf(text, sizeof(text), "throttled by the run before, taken up: %.400s",
             describe(tenant, resource, lines, sizeof(lines)));
    pipeline_note(pipeline, tenant, EVENT_NOTICE, LOG_NOTICE, now, text);
    return 0;
}

void throttling_vanished(struct Pipeline *pipeline, struct Tenant *tenant, usec_t now)
{
    if (tenant->throttling.under_way)
        finish_under_way(pipeline, tenant, -ENODEV, now);
    for (int i = 0; i < RESOURCE_COUNT; i++)
        drop_lines(pipeline, &tenant->throttles[i]);
}
