/* See guard.h. The hot way is on_changed() → guard_look(): it allocates nothing and opens nothing. */
#include "guard.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "adoption.h"
#include "act/throttle.h"
#include "allowance.h"
#include "election.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "ends.h"
#include "exempting.h"
#include "limiting.h"
#include "rates.h"
#include "recover.h"
#include "release.h"
#include "sense/pids.h"
#include "setting.h"
#include "shaping.h"
#include "tenant/cgroup.h"
#include "throttling.h"

#define HISTORY_CAPACITY 512
/* A new cgroup belongs to its runtime at first: systemd, docker and podman set its limits after they have
 * made it. What is found then is the tenant's own; so limits are looked at when it has settled, and again,
 * since the runtime may be slow. The rules run from the first moment. */
static const usec_t limit_checks_usec[] = {500 * USEC_PER_MSEC, 2 * USEC_PER_SEC, 5 * USEC_PER_SEC};
#define LIMIT_CHECKS (sizeof(limit_checks_usec) / sizeof(limit_checks_usec[0]))
/* So long a pass may find directories and set limits before the kernel's news are heard again. */
#define PASS_MAX_USEC (10 * USEC_PER_MSEC)
/* While the kernel gives no watches, everything is looked at this often. */
#define SWEEP_INTERVAL_USEC (10 * USEC_PER_SEC)
/* Whoever could not be taken in is met again after so long, and after twice as long each time that fails. */
#define MEET_AGAIN_USEC USEC_PER_SEC
#define MEET_AGAIN_MAX_USEC (64 * USEC_PER_SEC)

void guard_notice(struct Guard *guard, enum EventKind kind, int priority, const char *format, ...)
{
    char text[REASON_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    pipeline_note(&guard->pipeline, NULL, kind, priority, guard->clock(), text);
}

usec_t guard_realtime_usec(const struct Guard *guard)
{
    uint64_t now;

    if (sd_event_now(guard->event, CLOCK_REALTIME, &now) >= 0)
        return now;
    return guard->clock() + guard->pipeline.realtime_offset_usec;
}

/* --- looking and acting --------------------------------------------------------------------------- */

static void carry_out_all(struct Guard *guard, struct Tenant *tenant, const struct Decisions *decisions,
                          usec_t now)
{
    for (size_t i = 0; i < decisions->n; i++)
        trace_decision(&guard->trace, tenant, &decisions->list[i], now);
    for (size_t i = 0; i < decisions->n; i++)
        pipeline_carry_out(&guard->pipeline, tenant, &decisions->list[i], 0, now);
    trace_flush(&guard->trace);
}

/* `fresh`: its disk is read in any case. */
static void look(struct Guard *guard, struct Tenant *tenant, bool fresh, usec_t now)
{
    struct Decisions decisions;

    agenda_put(tenant);
    decisions.n = 0;
    if (fresh || !strain_guard_is_brief(tenant, now)) {
        if (pids_look(&tenant->cgroup, &tenant->pids, now, &tenant->readings) < 0)
            return; /* it is gone, or cannot be read; rmdir is announced */
        disk_guard_look(&guard->disk, tenant, fresh, now);
    }
    strain_guard_look(&guard->strain, tenant, fresh, now);
    if (tenant_is_throttled(tenant))
        throttling_check(&guard->pipeline, tenant, now);
    trace_look(&guard->trace, tenant, now);
    engine_look(&guard->engine, tenant, now, &decisions);
    carry_out_all(guard, tenant, &decisions, now);
}

void guard_look(struct Guard *guard, struct Tenant *tenant, usec_t now)
{
    look(guard, tenant, false, now);
}

static void check_limits_again(struct Tenant *tenant, usec_t now)
{
    tenant->limit_checks = 0;
    tenant->settling = true;
    tenant->limits_due_usec = usec_add(now, limit_checks_usec[0]);
    agenda_put(tenant);
}

/* PID 1 is asked once for each service whose class goes by StateDirectory=. */
static void ask_directories(struct Guard *guard, struct Tenant *tenant)
{
    char **path = tenant->class ? tenant->class->disk_paths : NULL;

    if (!guard->disk.open || !tenant->cgroup.unit || tenant->state_directories)
        return;
    while (path && *path && strcmp(*path, "StateDirectory") != 0)
        path++;
    if (path && *path)
        (void)unit_ask_directories(&guard->units, tenant->cgroup.unit, tenant->cgroup.id);
}

static void watch_tenant(struct Guard *guard, const struct Tenant *tenant, int dir_fd)
{
    uint64_t id = tenant->cgroup.id;

    (void)tree_watch_file(&guard->tree, id, dir_fd, "cgroup.events", TREE_CGROUP_EVENTS);
    if (tenant->cgroup.pids_events_fd >= 0)
        (void)tree_watch_file(&guard->tree, id, dir_fd, "pids.events", TREE_PIDS_EVENTS);
}

/* A controller may have been enabled since the tenant appeared: PID 1 does it for whoever first needs it. */
static void open_controllers(struct Guard *guard, struct Tenant *tenant, usec_t now)
{
    if (cgroup_has_controllers(&tenant->cgroup) || cgroup_open_controllers(&tenant->cgroup) < 0)
        return;
    watch_tenant(guard, tenant, tenant->cgroup.dir_fd);
    /* The first look, to count from. One more would take refused forks from the look that judges them:
     * without pids.events.local (Linux before 6.10) this comes by again and again. */
    if (!tenant->pids.valid)
        (void)pids_look(&tenant->cgroup, &tenant->pids, now, &tenant->readings);
}

static void check_limits(struct Guard *guard, struct Tenant *tenant, usec_t now)
{
    tenant->limit_checks++;
    tenant->settling = tenant->limit_checks < LIMIT_CHECKS;
    tenant->limits_due_usec =
        tenant->settling ? usec_add(now, limit_checks_usec[tenant->limit_checks]) : USEC_INFINITY;
    open_controllers(guard, tenant, now);
    ask_directories(guard, tenant);
    adoption_look(&guard->disk, tenant, now);
    network_guard_look(&guard->network, tenant, now);
    limiting_check(&guard->pipeline, tenant, now);
}

/* Classes with a rule on what the kernel does not announce are looked at as often as an armed tenant, and so
 * is who is throttled: the service manager may write over it. */
static usec_t next_look_usec(const struct Tenant *tenant)
{
    usec_t look_usec = tenant->condition.look_usec;

    if ((tenant->class && tenant->class->sweep && !tenant_is_left_alone(tenant)) ||
        tenant_is_throttled(tenant))
        look_usec = usec_min(look_usec, usec_add(tenant->readings.at_usec, LOOK_INTERVAL_USEC));
    if (tenant->disk.n_shares > 0)
        look_usec = usec_min(look_usec, tenant->disk.look_usec);
    return look_usec;
}

/* Nobody has seen the links yet: what is due of them waits. */
static usec_t next_due_usec(const struct Guard *guard, const struct Tenant *tenant)
{
    usec_t due =
        usec_min(next_look_usec(tenant), usec_min(tenant->limits_due_usec, pipeline_deadline_usec(tenant)));

    return guard->network.listed ? usec_min(due, network_due_usec(&tenant->network)) : due;
}

/* In a build for tests: was anybody forgotten? */
static void check_nobody_is_due(struct Guard *guard, usec_t first)
{
#ifdef __SANITIZE_ADDRESS__
    struct Tenant *tenant, *next;

    HASH_ITER (hh, guard->registry.tenants, tenant, next)
        if (next_due_usec(guard, tenant) < first)
            abort();
#endif
}

static usec_t first_due_usec(struct Guard *guard)
{
    usec_t first = USEC_INFINITY;
    struct Tenant *tenant, *next;

    AGENDA_EACH(&guard->registry.agenda, tenant, next)
    {
        usec_t due = next_due_usec(guard, tenant);

        if (due == USEC_INFINITY && network_due_usec(&tenant->network) == USEC_INFINITY)
            agenda_remove(tenant);
        first = usec_min(first, due);
    }
    check_nobody_is_due(guard, first);
    return first;
}

usec_t guard_due_usec(struct Guard *guard)
{
    usec_t due =
        usec_min(guard->sweep_usec, guard->disk.open ? disk_guard_due_usec(&guard->disk) : USEC_INFINITY);

    due = usec_min(due, guard->meet_usec);
    due = usec_min(due, exempting_due_usec(guard));
    due = usec_min(due, strain_guard_due_usec(&guard->strain));
    due = usec_min(due, network_guard_due_usec(&guard->network));
    return usec_min(due, first_due_usec(guard));
}

static void sweep(struct Guard *guard, usec_t now)
{
    int r = tree_sweep(&guard->tree);

    if (r < 0)
        guard_notice(guard, EVENT_NOTICE, LOG_ERR, "the cgroup tree cannot be scanned: %s", strerror(-r));
    guard->sweep_usec = guard->tree.degraded ? usec_add(now, SWEEP_INTERVAL_USEC) : USEC_INFINITY;
}

/* Whoever is known already is left as it is. */
static void meet_again(struct Guard *guard)
{
    guard->meet_usec = USEC_INFINITY;
    guard->meet_delay_usec = usec_min(2 * guard->meet_delay_usec, MEET_AGAIN_MAX_USEC);
    guard->meeting_again = true;
    tree_for_each(&guard->tree, guard_meet, guard);
    guard->meeting_again = false;
    if (guard->meet_usec == USEC_INFINITY)
        guard->meet_delay_usec = MEET_AGAIN_USEC;
}

void guard_pass(struct Guard *guard)
{
    struct Tenant *tenant, *next;
    usec_t now = guard->clock();

    AGENDA_EACH(&guard->registry.agenda, tenant, next)
    {
        if (tenant->action.under_way || tenant->throttling.under_way)
            pipeline_check(&guard->pipeline, tenant, now);
        if (next_look_usec(tenant) <= now)
            guard_look(guard, tenant, now);
        /* What is left is due at once again, behind whatever the kernel has announced meanwhile. */
        if (tenant->limits_due_usec <= now && guard->clock() < usec_add(now, PASS_MAX_USEC))
            check_limits(guard, tenant, now);
    }
    exempting_pass(guard, now);
    if (guard->disk.open)
        disk_guard_pass(&guard->disk, now);
    strain_guard_pass(&guard->strain, now);
    network_guard_pass(&guard->network, now);
    if (guard->sweep_usec <= now)
        sweep(guard, now);
    if (guard->meet_usec <= now)
        meet_again(guard);
}

/* What follows from an outcome: an answer to who asked, and the engine's next decisions. */
static void on_settled(void *userdata, struct Tenant *tenant, const struct Decision *decision,
                       const struct Outcome *outcome, uint64_t ticket, usec_t now)
{
    struct Guard *guard = userdata;
    struct Decisions decisions;
    bool fed = decision->holder != HOLDER_OPERATOR && !tenant->gone;

    if (decision->limit == LIMIT_INVALID && !tenant->gone)
        trace_outcome(&guard->trace, tenant, decision, outcome->result, fed, now);
    if (ticket != 0)
        guard->answer(guard->userdata, ticket, tenant, decision, outcome);
    setting_settled(guard, tenant, decision, outcome);
    if (decision->cause == CAUSE_OPERATOR && decision->limit == LIMIT_INVALID &&
        decision->verb != VERB_FREEZE && decision->verb != VERB_THROTTLE &&
        result_is_success(outcome->result)) {
        trace_reset(&guard->trace, tenant, now);
        engine_reset(tenant);
    }
    /* As after a rule's kill: whoever uses the cgroup next must not begin frozen. */
    if (decision->cause == CAUSE_OPERATOR && decision->verb == VERB_KILL && outcome->result == RESULT_DONE &&
        !tenant->gone)
        release_hold(guard, tenant, CAUSE_OPERATOR, decision->uid, "killed, nothing is left to hold");
    if (fed && !tenant->gone) {
        decisions.n = 0;
        engine_outcome(&guard->engine, tenant, decision, outcome->result, now, &decisions);
        carry_out_all(guard, tenant, &decisions, now);
    }
    release_settle(guard);
}

/* --- the tree ------------------------------------------------------------------------------------- */

/* Room in the ledger for what may be done at once to everybody, made while there is time. */
static void reserve(struct Guard *guard)
{
    guard->pipeline.reserved = 2 * registry_count(&guard->registry) + 64;
    (void)ledger_reserve(&guard->ledger, guard->pipeline.reserved);
}

/* What is short now (memory, descriptors) may not be in a second; who may not look may not then, either. */
static void meet_later(struct Guard *guard, const char *path, int error, usec_t now)
{
    bool is_denied = error == -EACCES || error == -EPERM;

    if (!guard->meeting_again)
        guard_notice(guard, EVENT_NOTICE, LOG_ERR, "%.200s cannot be guarded%s: %s", path,
                     is_denied ? "" : " yet", strerror(-error));
    if (!is_denied)
        guard->meet_usec = usec_min(guard->meet_usec, usec_add(now, guard->meet_delay_usec));
}

/* What is in a slice is PID 1's to make, and a freeze has to know all of it; what is in these is theirs. */
static void bind_owned(struct Guard *guard, uint64_t id, const struct Tenant *tenant)
{
    if (registry_point_owner(&guard->registry, id) || (tenant && !tenant->cgroup.is_slice))
        (void)tree_bind(&guard->tree, id);
}

void guard_meet(void *userdata, uint64_t id, const char *path, int dir_fd)
{
    struct Guard *guard = userdata;
    struct Tenant *tenant = NULL;
    usec_t now = guard->clock();
    int r;

    if (dir_fd < 0 && error_is_gone(dir_fd))
        return; /* it vanished meanwhile */
    r = registry_add(&guard->registry, &guard->config->policy, id, path, dir_fd, now, &tenant);

    if (r < 0 && r != -EEXIST && (!error_is_gone(r) || cgroup_is_there(dir_fd)))
        meet_later(guard, path, r, now);
    bind_owned(guard, id, tenant);
    if (registry_point_owner(&guard->registry, id))
        (void)tree_watch_file(&guard->tree, id, dir_fd, "cgroup.events", TREE_CGROUP_EVENTS);
    if (r < 0 || !tenant)
        return;
    override_limits(&guard->overrides, tenant->name, &tenant->overrides);
    exempting_meet(guard, tenant);
    tenant->disks = &guard->disks;
    /* The watch first, then the first look: what changes in between is announced. */
    watch_tenant(guard, tenant, dir_fd);
    strain_guard_meet(&guard->strain, tenant);
    network_guard_meet(&guard->network, tenant);
    (void)pids_look(&tenant->cgroup, &tenant->pids, now, &tenant->readings);
    pipeline_note(&guard->pipeline, tenant, EVENT_APPEARED, LOG_DEBUG, now, "");
    reserve(guard);
    tenant->was_here = !guard->complete;
    check_limits_again(tenant, now);
    /* Before anything runs in it. */
    if (guard->complete && tenant->container_id[0] != '\0')
        adoption_look(&guard->disk, tenant, now);
}

static void on_vanished(void *userdata, uint64_t id, const char *path)
{
    struct Guard *guard = userdata;
    usec_t now = guard->clock();
    struct Tenant *tenant = registry_remove(&guard->registry, &guard->config->policy, id);

    if (!tenant)
        return;
    tenant->gone = true;
    trace_gone(&guard->trace, tenant, now);
    setting_vanished(guard, tenant);
    adoption_vanished(&guard->disk, tenant, now);
    strain_guard_vanished(&guard->strain, tenant);
    network_guard_vanished(&guard->network, tenant);
    pipeline_vanished(&guard->pipeline, tenant, now);
    pipeline_note(&guard->pipeline, tenant, EVENT_VANISHED, LOG_DEBUG, now, "");
    tenant_free(tenant);
    release_settle(guard);
}

static void on_changed(void *userdata, uint64_t id, enum TreeFile file)
{
    struct Guard *guard = userdata;
    struct Tenant *tenant = registry_find(&guard->registry, id);
    usec_t now = guard->clock();

    if (file == TREE_PIDS_EVENTS || file == TREE_MEMORY_EVENTS) {
        if (tenant) {
            tenant->strain.announced |= file == TREE_MEMORY_EVENTS;
            guard_look(guard, tenant, now);
        }
        return;
    }
    if (tenant) {
        pipeline_check(&guard->pipeline, tenant, now);
        /* It may have been filled only now, by a runtime that sets its limits now. */
        check_limits_again(tenant, now);
    }
    tenant = registry_point_owner(&guard->registry, id);
    if (tenant)
        pipeline_check(&guard->pipeline, tenant, now);
}

static void on_degraded(void *userdata, const char *why)
{
    struct Guard *guard = userdata;

    guard->sweep_usec = usec_add(guard->clock(), SWEEP_INTERVAL_USEC);
    guard_notice(guard, EVENT_NOTICE, LOG_WARNING, "%s", why);
}

/* The tenant's limits count all that is in it, known or not: what it loses is its own. */
static void on_crowded(void *userdata, uint64_t id)
{
    struct Guard *guard = userdata;
    const struct Tenant *tenant = registry_point_owner(&guard->registry, id);
    char text[REASON_MAX];

    if (!tenant)
        tenant = registry_find(&guard->registry, id);
    if (!tenant)
        return;
    snprintf(text, sizeof(text), "it has more than %d cgroups in it: the others are not looked at one by one",
             TREE_MOST_BELOW);
    pipeline_note(&guard->pipeline, tenant, EVENT_NOTICE, LOG_WARNING, guard->clock(), text);
}

static const struct TreeEvents tree_events = {
    .appeared = guard_meet,
    .vanished = on_vanished,
    .changed = on_changed,
    .degraded = on_degraded,
    .crowded = on_crowded,
};

void guard_refresh(struct Guard *guard, struct Tenant *tenant)
{
    open_controllers(guard, tenant, guard->clock());
    network_guard_refresh(&guard->network, tenant, guard->clock());
    look(guard, tenant, true, guard->clock());
    if (limiting_look(tenant)) /* it is on the agenda */
        tenant->limits_due_usec = usec_min(tenant->limits_due_usec, guard->clock());
}

void guard_dispatch(struct Guard *guard)
{
    int r = tree_dispatch(&guard->tree);

    if (r < 0)
        guard_notice(guard, EVENT_NOTICE, LOG_ERR, "the cgroup tree cannot be read: %s", strerror(-r));
}

static void on_unit_answer(void *userdata, uint64_t tenant_id, enum LimitId limit, int error,
                           const char *message)
{
    struct Guard *guard = userdata;
    struct Tenant *tenant = registry_find(&guard->registry, tenant_id);

    if (tenant)
        limiting_answer(&guard->pipeline, tenant, limit, error, message, guard->clock());
}

static void on_directories(void *userdata, uint64_t tenant_id, char *const *directories)
{
    struct Guard *guard = userdata;
    struct Tenant *tenant = registry_find(&guard->registry, tenant_id);

    if (!tenant || tenant_set_directories(tenant, directories) < 0)
        return;
    tenant->limits_due_usec = usec_min(tenant->limits_due_usec, guard->clock());
    agenda_put(tenant);
}

/* --- start ----------------------------------------------------------------------------------------- */

static int open_tree(struct Guard *guard)
{
    const char *named = guard->place->cgroup_root ? guard->place->cgroup_root : guard->config->cgroup_root;
    int r = 0;

    if (named)
        guard->cgroup_root = strdup(named);
    else
        r = host_find_cgroup_root("/proc/self/mounts", &guard->cgroup_root);
    if (r >= 0 && !guard->cgroup_root)
        r = -ENOMEM;
    if (r >= 0)
        r = tree_open(&guard->tree, guard->cgroup_root, &tree_events, guard);
    if (r < 0)
        fprintf(stderr, "<3>no cgroup v2 tree at %s: %s\n",
                guard->cgroup_root ? guard->cgroup_root : "any mount point", strerror(-r));
    return r;
}

/* PID 1 is systemd, and the tree is the one it keeps its units in. */
static bool is_managed(const struct Guard *guard)
{
    _cleanup_free_ char *scope = NULL;

    return guard->place->root[0] == '\0' && access("/run/systemd/system", F_OK) == 0 &&
           asprintf(&scope, "%s/init.scope", guard->cgroup_root) > 0 && access(scope, F_OK) == 0;
}

static int open_registry(struct Guard *guard)
{
    const struct NameSources sources = {.root = guard->place->root};
    _cleanup_free_ char *own = NULL, *init = NULL;
    char *own_paths[] = {"", "", NULL};

    if (guard->place->root[0] == '\0') {
        if (host_cgroup_of(0, &own) >= 0)
            own_paths[0] = own;
        if (host_cgroup_of(1, &init) >= 0)
            own_paths[1] = init;
    }
    return registry_init(&guard->registry, &sources, own_paths, is_managed(guard));
}

/* Without a ledger guardd still guards: it sets no limit and freezes nothing, but it warns and kills. Only
 * when another guardd has it (-EBUSY) there is nothing to guard here: there must not be two. */
static int open_ledger(struct Guard *guard)
{
    struct LedgerReport report = {};
    _cleanup_fd_ int dir_fd = open(guard->place->runtime_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = dir_fd < 0 ? negative_errno() : ledger_open(&guard->ledger, dir_fd, "ledger", &report);

    if (r == -EBUSY)
        return r;
    if (r < 0) {
        snprintf(guard->ledger_trouble, sizeof(guard->ledger_trouble),
                 "no ledger in %.100s (%s): nothing is frozen or limited, for it could not be undone after a "
                 "crash",
                 guard->place->runtime_dir, strerror(-r));
        guard_notice(guard, EVENT_NOTICE, LOG_ERR, "%s", guard->ledger_trouble);
    }
    if (report.damaged)
        guard_notice(guard, EVENT_NOTICE, LOG_WARNING,
                     "the ledger was damaged: kept as %s/ledger.damaged, begun anew",
                     guard->place->runtime_dir);
    if (report.torn > 0)
        guard_notice(guard, EVENT_NOTICE, LOG_WARNING,
                     "%zu half-written ledger entries dropped: what they announced was not done",
                     report.torn);
    return 0;
}

static int set_quota(void *userdata, struct Tenant *tenant, enum LimitId limit, uint64_t value)
{
    struct Guard *guard = userdata;

    return allowance_set(&guard->disk, tenant, limit, value);
}

static int set_network(void *userdata, struct Tenant *tenant, enum LimitId limit, uint64_t value, char *why)
{
    struct Guard *guard = userdata;

    return shaping_set(&guard->network, tenant, limit, value, why);
}

static int throttle_network(void *userdata, struct Tenant *tenant, uint64_t rate_bits)
{
    struct Guard *guard = userdata;

    return shaping_throttle(&guard->network, tenant, rate_bits);
}

static int write_slowly(void *userdata, struct Tenant *tenant, enum Resource resource, const char *line)
{
    struct Guard *guard = userdata;

    return disk_guard_write(&guard->disk, tenant, resource, tenant->cgroup.files[throttle_file(resource)],
                            line);
}

static void look_at(void *userdata, struct Tenant *tenant)
{
    struct Guard *guard = userdata;

    guard_look(guard, tenant, guard->clock());
}

static void on_inspected(void *userdata, uint64_t ticket, struct Tenant *tenant,
                         const struct Outcome *outcome)
{
    struct Guard *guard = userdata;

    guard->answer(guard->userdata, ticket, tenant, NULL, outcome);
}

/* Actions are told apart by their numbers after any restart: the upper half is drawn anew for each run. */
static uint64_t first_action(const struct Guard *guard)
{
    uint32_t run;

    if (getrandom(&run, sizeof(run), GRND_NONBLOCK) != (ssize_t)sizeof(run))
        run =
            (uint32_t)(guard->clock() / USEC_PER_MSEC); /* too early in the boot: nobody else started then */
    return (uint64_t)run << 32;
}

static void trace_watches(void *userdata, struct Trace *trace, usec_t now)
{
    struct Guard *guard = userdata;

    election_trace(&guard->disk, trace, now);
    strain_guard_trace(&guard->strain, trace, now);
}

static void open_trace(struct Guard *guard)
{
    const struct TraceSources sources = {.registry = &guard->registry,
                                         .budget = &guard->budget,
                                         .offences = &guard->offences,
                                         .config = (const struct Config *const *)&guard->config,
                                         .realtime_offset_usec = &guard->pipeline.realtime_offset_usec,
                                         .watches = trace_watches,
                                         .userdata = guard};

    if (trace_open(&guard->trace, guard->config->trace_bytes, &sources) < 0)
        guard_notice(guard, EVENT_NOTICE, LOG_WARNING, "no memory for a trace of TraceSize=: none is kept");
}

void guard_begin_trace(struct Guard *guard)
{
    if (guard->trace.bytes ? guard->trace.segment_size != guard->config->trace_bytes / TRACE_SEGMENTS
                           : guard->config->trace_bytes > 0) {
        trace_close(&guard->trace);
        open_trace(guard);
    }
    trace_begin(&guard->trace, guard->clock());
}

static void connect_parts(struct Guard *guard)
{
    guard->engine = (struct Engine){
        .policy = &guard->config->policy, .budget = &guard->budget, .offences = &guard->offences};
    guard->pipeline = (struct Pipeline){.ledger = &guard->ledger,
                                        .history = &guard->history,
                                        .units = &guard->units,
                                        .trace = &guard->trace,
                                        .mode = guard->config->policy.mode,
                                        .realtime_offset_usec = guard->pipeline.realtime_offset_usec,
                                        .clock = guard->clock,
                                        .last_action = first_action(guard),
                                        .kill_memory_usec = OFFENCE_MEMORY_USEC,
                                        .set_quota = set_quota,
                                        .set_network = set_network,
                                        .throttle_network = throttle_network,
                                        .write_slowly = write_slowly,
                                        .settled = on_settled,
                                        .userdata = guard};
}

static void open_state(struct Guard *guard)
{
    int r = overrides_open(&guard->overrides, guard->place->state_dir, guard->place->runtime_dir);

    if (r < 0)
        guard_notice(guard, EVENT_NOTICE, LOG_WARNING, "limits that operators have set cannot be read: %s",
                     strerror(-r));
    else if (guard->overrides.state_fd < 0)
        guard_notice(guard, EVENT_NOTICE, LOG_WARNING,
                     "limits that operators set cannot be kept in %.200s (%s): set refuses them",
                     guard->place->state_dir, strerror(-guard->overrides.state_fd));
    if (guard->overrides.damaged > 0)
        guard_notice(guard, EVENT_NOTICE, LOG_WARNING,
                     "%zu damaged files of limits that operators have set: kept as NAME.damaged",
                     guard->overrides.damaged);
    ends_run(guard);
}

static void open_exemptions(struct Guard *guard)
{
    int r = exempting_open(guard);

    if (r >= 0 && guard->exemptions.fd < 0)
        r = guard->exemptions.fd;
    if (r < 0)
        guard_notice(guard, EVENT_NOTICE, LOG_WARNING, "exemptions cannot be kept in %.200s: %s",
                     guard->place->state_dir, strerror(-r));
    if (guard->exemptions.damaged > 0)
        guard_notice(guard, EVENT_NOTICE, LOG_WARNING,
                     "%zu damaged files of exemptions: kept as NAME.damaged", guard->exemptions.damaged);
}

void guard_find_disks(struct Guard *guard)
{
    rates_find_disks(guard->place->root, guard->config->policy.disk.roots, &guard->disks);
}

/* What `status` says of this host: of cgroups once, of filesystems whenever they change. */
static void on_filesystems(void *userdata)
{
    struct Guard *guard = userdata;

    guard->host.n = guard->n_cgroup_findings;
    filesystem_findings(&guard->disk.filesystems, &guard->host);
    guard_find_disks(guard);
}

static void on_announced(void *userdata)
{
    struct Guard *guard = userdata;

    guard->announced(guard->userdata);
}

static void open_disk(struct Guard *guard, sd_event *event)
{
    guard->disk.policy = &guard->config->policy;
    guard->disk.registry = &guard->registry;
    guard->disk.pipeline = &guard->pipeline;
    guard->disk.clock = guard->clock;
    guard->disk.root = "";
    guard->disk.state_dir = guard->place->state_dir;
    guard->disk.look = look_at;
    guard->disk.inspected = on_inspected;
    guard->disk.announced = on_announced;
    guard->disk.filesystems_changed = on_filesystems;
    guard->disk.userdata = guard;
    disk_guard_open(&guard->disk, event);
}

static void open_strain(struct Guard *guard, sd_event *event)
{
    guard->strain.policy = &guard->config->policy;
    guard->strain.registry = &guard->registry;
    guard->strain.tree = &guard->tree;
    guard->strain.pipeline = &guard->pipeline;
    guard->strain.clock = guard->clock;
    guard->strain.root = "";
    guard->strain.look = look_at;
    guard->strain.network = &guard->network.host_readings;
    guard->strain.userdata = guard;
    strain_guard_open(&guard->strain, event);
}

static void open_network(struct Guard *guard, const struct Recovery *recovery)
{
    guard->network.registry = &guard->registry;
    guard->network.pipeline = &guard->pipeline;
    guard->network.clock = guard->clock;
    guard->network.proc = "/proc";
    guard->network.event = guard->event;
    guard->network.slot = recovery->links_slot;
    if (guard->place->root[0] == '\0')
        network_guard_open(&guard->network, recovery->links);
}

/* Everybody who is here, what the run before left, the limits: complete before READY=1. */
static int take_stock(struct Guard *guard)
{
    struct Recovery recovery = {.pipeline = &guard->pipeline,
                                .engine = &guard->engine,
                                .registry = &guard->registry,
                                .tree = &guard->tree,
                                .now = guard->clock(),
                                .links_slot = LEDGER_SLOT_NONE};
    struct Tenant *tenant, *other;
    int r = tree_scan(&guard->tree);

    /* What cannot be opened now the sweeps will look for. */
    if (r < 0 && !guard->tree.degraded)
        return r;
    r = recover_run(&recovery);
    if (r < 0 && r != -EBADF)
        guard_notice(guard, EVENT_NOTICE, LOG_ERR, "the ledger cannot be read: %s", strerror(-r));
    exempting_pass(guard, recovery.now);
    exempting_take_off(guard);
    guard->complete = true;
    guard_begin_trace(guard);
    open_network(guard, &recovery);
    HASH_ITER (hh, guard->registry.tenants, tenant, other)
        limiting_check(&guard->pipeline, tenant, guard->clock());
    guard_notice(guard, EVENT_NOTICE, LOG_NOTICE,
                 "guarding %zu tenants at %s, mode %s; from the run before: %zu taken up, %zu undone, "
                 "%zu void",
                 registry_count(&guard->registry), guard->cgroup_root, mode_name(guard->config->policy.mode),
                 recovery.taken_up, recovery.undone, recovery.void_entries);
    return 0;
}

int guard_open(struct Guard *guard, struct Config *config, sd_event *event)
{
    int r;

    guard->config = config;
    guard->event = event;
    guard->sweep_usec = guard->meet_usec = USEC_INFINITY;
    guard->meet_delay_usec = MEET_AGAIN_USEC;
    guard->overrides.state_fd = guard->overrides.runtime_fd = guard->exemptions.fd = -EBADF;
    guard->ledger.fd = guard->tree.inotify_fd = guard->tree.root_fd = -EBADF;
    r = history_open(&guard->history, HISTORY_CAPACITY, guard->place->journal);
    if (r < 0)
        return r;
    connect_parts(guard);
    unit_manager_init(&guard->units, event, on_unit_answer, guard);
    guard->units.directories = on_directories;
    r = open_tree(guard);
    if (r < 0)
        return r;
    host_probe(guard->cgroup_root, &guard->host);
    guard->n_cgroup_findings = guard->host.n;
    open_state(guard);
    open_exemptions(guard);
    r = open_ledger(guard);
    if (r < 0)
        fprintf(stderr, "<3>another guardd is using the ledger in %s\n", guard->place->runtime_dir);
    if (r >= 0)
        r = open_registry(guard);
    guard_find_disks(guard);
    if (r >= 0 && guard->place->root[0] == '\0')
        open_disk(guard, event);
    if (r >= 0 && guard->place->root[0] == '\0')
        open_strain(guard, event);
    if (r >= 0)
        r = take_stock(guard);
    return r < 0 ? r : ends_open(guard);
}

void guard_close(struct Guard *guard)
{
    ends_close(guard);
    setting_close(guard);
    network_guard_close(&guard->network);
    strain_guard_close(&guard->strain);
    disk_guard_close(&guard->disk);
    overrides_close(&guard->overrides);
    exemptions_close(&guard->exemptions);
    unit_manager_done(&guard->units);
    registry_done(&guard->registry);
    tree_close(&guard->tree);
    ledger_close(&guard->ledger);
    trace_close(&guard->trace);
    history_close(&guard->history);
    config_free(guard->config);
    free(guard->cgroup_root);
}
