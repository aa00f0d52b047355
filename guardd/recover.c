#include "recover.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "act/actuator.h"
#include "act/limit.h"
#include "act/throttle.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "limiting.h"
#include "rates.h"
#include "tenant/cgroup.h"
#include "throttling.h"

/* A cgroup that is no tenant has nobody who would wait for the kernel's word: the inverse is written, and a
 * thaw, once written, cannot fail any more. PID 1 is told as it was told of the act. */
static int undo_hold(const struct Recovery *recovery, const struct Cgroup *cgroup)
{
    int r = actuator_thaw.begin(cgroup);

    for (size_t i = 0; r >= 0 && cgroup->unit && i < cgroup->n_points; i++)
        unit_tell_freezer(recovery->pipeline->units, cgroup->points[i].name, false);
    return r;
}

/* Each disk as it was found. PID 1 knows of the other limits of these disks, as far as it was told of them.
 */
static int undo_rate(const struct Recovery *recovery, struct Cgroup *cgroup, const struct LedgerEntry *entry)
{
    enum LimitId limit = (enum LimitId)entry->limit;
    struct UnitDisk disks[RATE_DISKS_MAX];
    struct Rate rate;
    int r = rates_from_entry(entry, &rate);

    if (r >= 0)
        r = cgroup_open_files(cgroup, limit_file(limit));
    for (size_t i = 0; r >= 0 && i < rate.n; i++) {
        disks[i] = (struct UnitDisk){
            rate.disks[i].major, rate.disks[i].minor, {[0 ... LIMIT_RATE_COUNT - 1] = LIMIT_INFINITY}};
        disks[i].rate[limit - LIMIT_RATE_FIRST] = rate.disks[i].found;
        r = limit_write_on(cgroup, limit, &rate.disks[i], rate.disks[i].found);
        if (r == -EBADF || r == -ENXIO) /* the controller is not enabled any more, or the disk is gone */
            r = 0;
    }
    if (r >= 0 && cgroup->unit)
        (void)unit_set_rates(recovery->pipeline->units, cgroup->unit, limit, disks, rate.n, 0);
    return r;
}

/* Written at once, and for a unit PID 1 is told: else it would set our value again with the next property. */
static int undo_limit(const struct Recovery *recovery, struct Cgroup *cgroup, const struct LedgerEntry *entry)
{
    int r;

    if (entry->limit >= LIMIT_COUNT)
        return -EBADMSG;
    if (limit_is_network((enum LimitId)entry->limit))
        return 0; /* there are no links by which to find it; it is nobody's now, and swept */
    if (limit_is_rate((enum LimitId)entry->limit))
        return undo_rate(recovery, cgroup, entry);
    r = cgroup_open_files(cgroup, limit_file((enum LimitId)entry->limit));
    if (r >= 0)
        r = limit_write(cgroup, (enum LimitId)entry->limit, entry->found);
    if (r == -EBADF) /* its controller is not enabled any more, and the limit gone with it */
        r = 0;
    if (r >= 0 && cgroup->unit)
        (void)unit_set_limit(recovery->pipeline->units, cgroup->unit, (enum LimitId)entry->limit,
                             entry->found, 0);
    return r;
}

/* What is neither ours nor what was found somebody has set since: it stays. A device that is gone has no line
 * any more. */
static int undo_throttle(struct Cgroup *cgroup, const struct LedgerEntry *entry)
{
    enum Resource resource = (enum Resource)entry->resource;
    int r;

    if (resource == RESOURCE_NETWORK)
        return 0; /* as with limits */
    r = cgroup_open_files(cgroup, throttle_files(resource));
    if (r >= 0)
        r = throttle_is(cgroup, resource, entry->value_line);
    return r > 0 ? throttle_write(cgroup, resource, entry->found_line) : r;
}

static int run_inverse(const struct Recovery *recovery, const struct LedgerEntry *entry, int dir_fd)
{
    struct Cgroup cgroup = CGROUP_NULL;
    int r = cgroup_open(dir_fd, entry->path, recovery->registry->managed, &cgroup);

    if (r < 0)
        return r;
    if (entry->kind == ENTRY_HOLD)
        r = undo_hold(recovery, &cgroup);
    else if (entry->kind == ENTRY_LIMIT)
        r = undo_limit(recovery, &cgroup, entry);
    else if (entry->kind == ENTRY_THROTTLE)
        r = undo_throttle(&cgroup, entry);
    cgroup_close(&cgroup);
    return r;
}

static bool is_of_links(const struct LedgerEntry *entry)
{
    if (entry->kind == ENTRY_THROTTLE)
        return entry->resource == RESOURCE_NETWORK;
    return entry->kind == ENTRY_LIMIT && entry->limit < LIMIT_COUNT &&
           limit_is_network((enum LimitId)entry->limit);
}

/* What stood on links is swept later: until then one entry goes on to say so. */
static void forget(struct Recovery *recovery, uint32_t slot, const struct LedgerEntry *entry)
{
    const struct LedgerEntry links = {
        .kind = ENTRY_LINKS, .phase = ENTRY_UNDOING, .since_usec = recovery->now};

    if (is_of_links(entry) && recovery->links_slot == LEDGER_SLOT_NONE &&
        ledger_update(recovery->pipeline->ledger, slot, &links) >= 0)
        recovery->links_slot = slot;
    else
        (void)ledger_drop(recovery->pipeline->ledger, slot);
}

/* The entry's cgroup is there, but is no tenant (any more), or what held it is gone. */
static void undo(struct Recovery *recovery, uint32_t slot, const struct LedgerEntry *entry, int dir_fd)
{
    char text[REASON_MAX];
    int r = run_inverse(recovery, entry, dir_fd);

    if (r < 0 && !error_is_gone(r)) {
        snprintf(text, sizeof(text), "%.200s of the run before could not be undone: %s", entry->path,
                 strerror(-r));
        pipeline_note(recovery->pipeline, NULL, EVENT_NOTICE, LOG_ERR, recovery->now, text);
        return;
    }
    forget(recovery, slot, entry);
    recovery->undone++;
}

static bool find_rule(const struct Tenant *tenant, const char *name, unsigned *ret_index)
{
    for (unsigned i = 0; tenant->class && i < tenant->class->n_rules; i++)
        if (strcmp(tenant->class->rules[i]->name, name) == 0) {
            *ret_index = i;
            return true;
        }
    return false;
}

static struct Decision taken_up(const struct LedgerEntry *entry, unsigned holder, usec_t now)
{
    struct Decision decision = {.verb = VERB_FREEZE,
                                .cause = CAUSE_RECOVERY,
                                .holder = holder,
                                .limit = LIMIT_INVALID,
                                .at_usec = now};

    snprintf(decision.rule, sizeof(decision.rule), "%s", entry->rule);
    snprintf(decision.reason, sizeof(decision.reason), "taken up from the run before guardd was restarted");
    return decision;
}

static bool may_stay_held(const struct Recovery *recovery, const struct Tenant *tenant)
{
    return recovery->pipeline->mode == MODE_ENFORCE && !tenant->untouchable &&
           tenant->protected_by[0] == '\0';
}

/* Returns false when nothing keeps it frozen any more. */
static bool take_up_hold(struct Recovery *recovery, uint32_t slot, const struct LedgerEntry *entry,
                         struct Tenant *tenant)
{
    unsigned holder = HOLDER_OPERATOR;
    struct Decision decision;

    if (entry->phase != ENTRY_STANDING || !may_stay_held(recovery, tenant))
        return false;
    if (entry->holder != HOLDER_OPERATOR) {
        const struct Rule *rule;

        if (!find_rule(tenant, entry->rule, &holder))
            return false;
        rule = tenant->class->rules[holder];
        if (entry->step >= rule->n_steps)
            return false;
        engine_adopt(tenant, holder, entry->step, entry->since_usec, entry->repeats);
    }
    decision = taken_up(entry, holder, recovery->now);
    pipeline_adopt_hold(recovery->pipeline, tenant, &decision, slot, recovery->now);
    return true;
}

/* Returns false when nothing throttles it any more: what was found is given back. */
static bool take_up_throttle(struct Recovery *recovery, uint32_t slot, const struct LedgerEntry *entry,
                             struct Tenant *tenant)
{
    unsigned holder = HOLDER_OPERATOR;
    bool by_rule = entry->holder != HOLDER_OPERATOR;

    if (entry->phase != ENTRY_STANDING || !may_stay_held(recovery, tenant) ||
        (by_rule && !find_rule(tenant, entry->rule, &holder)) ||
        throttling_adopt(recovery->pipeline, tenant, entry, slot, holder, recovery->now) < 0)
        return false;
    if (by_rule)
        engine_adopt(tenant, holder, entry->step, entry->since_usec, entry->repeats);
    return true;
}

/* The run before may have ended between the entry and the act: then what was in force before is, and it is
 * no value of the tenant's own. */
static void take_up_limit(uint32_t slot, const struct LedgerEntry *entry, struct Tenant *tenant)
{
    struct LimitState *state = &tenant->limits[entry->limit];
    bool is_rate = limit_is_rate((enum LimitId)entry->limit);
    uint64_t present;

    if (is_rate)
        (void)rates_from_entry(entry, &tenant->rates[entry->limit - LIMIT_RATE_FIRST]);
    *state = (struct LimitState){
        .applied = true, .cause = CAUSE_CLASS, .found = entry->found, .value = entry->value};
    if (limiting_present(tenant, (enum LimitId)entry->limit, &present) >= 0 &&
        limit_is_same((enum LimitId)entry->limit, present, entry->previous)) {
        state->value = present;
        if (is_rate)
            rates_failed(tenant, (enum LimitId)entry->limit);
    }
    tenant->limit_slots[entry->limit] = slot;
}

static void take_up_grace(struct Recovery *recovery, const struct LedgerEntry *entry, struct Tenant *tenant)
{
    unsigned rule;

    if (recovery->pipeline->mode == MODE_ENFORCE && find_rule(tenant, entry->rule, &rule) &&
        entry->step < tenant->class->rules[rule]->n_steps)
        engine_adopt(tenant, rule, entry->step, entry->since_usec, entry->repeats);
}

/* The same id at another path is another cgroup: ids of removed ones may be used again. */
static bool is_same(const struct Tenant *tenant, const struct LedgerEntry *entry)
{
    return tenant && strcmp(tenant->cgroup.path, entry->path) == 0;
}

static int open_same(const struct Tree *tree, const struct LedgerEntry *entry)
{
    _cleanup_fd_ int fd = openat(tree->root_fd, entry->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0)
        return negative_errno();
    return status.st_ino == entry->cgroup_id ? take_fd(&fd) : -ENOENT;
}

static void remember_kill(struct Recovery *recovery, uint32_t slot, const struct LedgerEntry *entry)
{
    if (usec_add(entry->since_usec, recovery->pipeline->kill_memory_usec) < recovery->now) {
        ledger_drop(recovery->pipeline->ledger, slot);
        return;
    }
    if (entry->rule[0] == '\0')
        return;
    budget_spend(recovery->engine->budget, entry->since_usec);
    offences_add(recovery->engine->offences, entry->name, entry->rule, entry->since_usec);
}

static int recover_entry(void *userdata, uint32_t slot, const struct LedgerEntry *entry)
{
    struct Recovery *recovery = userdata;
    struct Tenant *tenant = registry_find(recovery->registry, entry->cgroup_id);
    _cleanup_fd_ int dir_fd = -EBADF;

    if (entry->kind == ENTRY_KILL) {
        remember_kill(recovery, slot, entry);
        return 0;
    }
    if (entry->kind == ENTRY_LINKS) {
        recovery->links = true;
        if (recovery->links_slot == LEDGER_SLOT_NONE)
            recovery->links_slot = slot;
        else
            (void)ledger_drop(recovery->pipeline->ledger, slot);
        return 0;
    }
    recovery->links |= is_of_links(entry);
    if (is_same(tenant, entry)) {
        recovery->taken_up++;
        if (entry->kind == ENTRY_LIMIT && entry->limit < LIMIT_COUNT) {
            take_up_limit(slot, entry, tenant);
            return 0;
        }
        if (entry->kind == ENTRY_TERMINATE) {
            take_up_grace(recovery, entry, tenant);
            return 0;
        }
        if (entry->kind == ENTRY_HOLD && take_up_hold(recovery, slot, entry, tenant))
            return 0;
        if (entry->kind == ENTRY_THROTTLE && take_up_throttle(recovery, slot, entry, tenant))
            return 0;
        recovery->taken_up--;
    }
    dir_fd = open_same(recovery->tree, entry);
    if (dir_fd < 0 || entry->kind == ENTRY_TERMINATE) {
        forget(recovery, slot, entry);
        recovery->void_entries++;
        return 0;
    }
    undo(recovery, slot, entry, dir_fd);
    return 0;
}

int recover_run(struct Recovery *recovery)
{
    return ledger_for_each(recovery->pipeline->ledger, recover_entry, recovery);
}
