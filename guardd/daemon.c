/* The model: one event loop, woken by the kernel (inotify on the cgroup tree), by a single timer, by
 * the varlink socket and by signals. At peace none of them fires, and the timer is off.
 *
 *   pids.events changed ─▶ look: sense ─▶ decide ─▶ pipeline        (no allocation on this way)
 *   cgroup.events changed ─▶ pipeline: has the kernel confirmed?
 *   timer ─▶ the looks and deadlines that armed tenants asked for, in one sweep
 *   mkdir, rmdir ─▶ registry, limits
 */
#include "daemon.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <syslog.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "act/actuator.h"
#include "act/limit.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "config/config.h"
#include "decide/engine.h"
#include "decide/limits.h"
#include "decide/operator.h"
#include "pipeline.h"
#include "recover.h"
#include "sense/host.h"
#include "sense/pids.h"
#include "sense/tree.h"
#include "serve/service.h"
#include "tenant/cgroup.h"
#include "tenant/registry.h"
#include "wire/interface.h"

#define HISTORY_CAPACITY 512
/* While the kernel gives no watches, everything is looked at this often. */
#define SWEEP_INTERVAL_USEC (10 * USEC_PER_SEC)
/* How long a stop waits for thawed tenants to be reported as such. */
#define STOP_WAIT_USEC (5 * USEC_PER_SEC)
#define TIMER_ACCURACY_USEC (5 * USEC_PER_MSEC)

/* An operator's release whose limits the service manager has still to give back. */
struct PendingRelease {
    uint64_t ticket; /* 0: the place is free */
    uint64_t tenant_id; /* 0: all */
};
#define PENDING_RELEASES_MAX 16

struct Daemon {
    const struct DaemonOptions *options;
    sd_event *event;
    sd_event_source *tree_source, *timer_source;
    struct Config *config;
    char *cgroup_root;
    struct HostFindings host;
    struct Tree tree;
    struct Registry registry;
    struct Ledger ledger;
    struct History history;
    struct UnitManager units;
    struct KillBudget budget;
    struct Offences offences;
    struct Engine engine;
    struct Pipeline pipeline;
    struct Service service;
    struct PendingRelease releases[PENDING_RELEASES_MAX];
    usec_t started_realtime_usec;
    uint64_t announced_sequence; /* of the history, to the watchers */
    usec_t sweep_usec; /* of the next sweep; USEC_INFINITY unless degraded */
    bool complete;     /* every tenant that was here at the start is known */
    char ledger_trouble[256];
};

static usec_t clock_usec(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / 1000;
}

static usec_t daemon_now(void)
{
    return clock_usec(CLOCK_BOOTTIME);
}

__attribute__((format(printf, 3, 4))) static void notice(struct Daemon *daemon, int priority, const char *format,
                                                         ...)
{
    char text[REASON_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    pipeline_note(&daemon->pipeline, NULL, EVENT_NOTICE, priority, daemon_now(), text);
}

/* --- looking and acting --------------------------------------------------------------------------- */

static void carry_out_all(struct Daemon *daemon, struct Tenant *tenant, const struct Decisions *decisions,
                          usec_t now)
{
    for (size_t i = 0; i < decisions->n; i++)
        pipeline_carry_out(&daemon->pipeline, tenant, &decisions->list[i], 0, now);
}

/* Sense, decide, act: the short way of everything that guardd does by itself. */
static void look(struct Daemon *daemon, struct Tenant *tenant, usec_t now)
{
    struct Decisions decisions;

    decisions.n = 0;
    if (pids_look(&tenant->cgroup, &tenant->pids, now, &tenant->readings) < 0)
        return; /* it is gone, or cannot be read; rmdir is announced */
    engine_look(&daemon->engine, tenant, now, &decisions);
    carry_out_all(daemon, tenant, &decisions, now);
}

/* Classes with a rule on what the kernel does not announce are looked at as often as an armed tenant. */
static usec_t next_look_usec(const struct Tenant *tenant)
{
    usec_t look_usec = tenant->condition.look_usec;

    if (tenant->class && tenant->class->sweep && !tenant->released)
        look_usec = usec_min(look_usec, usec_add(tenant->readings.at_usec, LOOK_INTERVAL_USEC));
    return look_usec;
}

static void arm_timer(struct Daemon *daemon)
{
    usec_t next = daemon->sweep_usec;
    struct Tenant *tenant, *other;

    if (!daemon->timer_source)
        return;
    HASH_ITER(hh, daemon->registry.tenants, tenant, other)
    next = usec_min(next, usec_min(next_look_usec(tenant), pipeline_deadline_usec(tenant)));
    sd_event_source_set_time(daemon->timer_source, next);
    sd_event_source_set_enabled(daemon->timer_source, next == USEC_INFINITY ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

static void apply_limits(struct Daemon *daemon, struct Tenant *tenant, usec_t now)
{
    struct Decision decision;
    uint64_t present;

    for (int id = 0; id < LIMIT_COUNT; id++)
        if (limit_read(&tenant->cgroup, id, &present) >= 0 &&
            limit_decide(tenant, id, present, now, &decision))
            pipeline_carry_out(&daemon->pipeline, tenant, &decision, 0, now);
}

/* --- the tree ------------------------------------------------------------------------------------- */

/* Room in the ledger for what may be done at once to everybody, made while there is time. */
static void reserve(struct Daemon *daemon)
{
    (void)ledger_reserve(&daemon->ledger, 2 * registry_count(&daemon->registry) + 64);
}

static void watch_tenant(struct Daemon *daemon, const struct Tenant *tenant, int dir_fd)
{
    uint64_t id = tenant->cgroup.id;

    (void)tree_watch_file(&daemon->tree, id, dir_fd, "cgroup.events", TREE_CGROUP_EVENTS);
    if (tenant->cgroup.pids_events_fd >= 0)
        (void)tree_watch_file(&daemon->tree, id, dir_fd, "pids.events", TREE_PIDS_EVENTS);
}

static void on_appeared(void *userdata, uint64_t id, const char *path, int dir_fd)
{
    struct Daemon *daemon = userdata;
    struct Tenant *tenant = NULL;
    usec_t now = daemon_now();
    int r = registry_add(&daemon->registry, &daemon->config->policy, id, path, dir_fd, now, &tenant);

    if (r < 0 && r != -EEXIST && !error_is_gone(r))
        notice(daemon, LOG_ERR, "%.200s cannot be guarded: %s", path, strerror(-r));
    if (registry_point_owner(&daemon->registry, id))
        (void)tree_watch_file(&daemon->tree, id, dir_fd, "cgroup.events", TREE_CGROUP_EVENTS);
    if (r < 0 || !tenant)
        return;
    /* The watch first, then the first look: what changes in between is announced. */
    watch_tenant(daemon, tenant, dir_fd);
    (void)pids_look(&tenant->cgroup, &tenant->pids, now, &tenant->readings);
    pipeline_note(&daemon->pipeline, tenant, EVENT_APPEARED, LOG_DEBUG, now, "");
    reserve(daemon);
    if (daemon->complete)
        apply_limits(daemon, tenant, now);
}

static void settle_release(struct Daemon *daemon);

static void on_vanished(void *userdata, uint64_t id, const char *path)
{
    struct Daemon *daemon = userdata;
    usec_t now = daemon_now();
    struct Tenant *tenant = registry_remove(&daemon->registry, &daemon->config->policy, id);

    if (!tenant)
        return;
    tenant->gone = true;
    pipeline_vanished(&daemon->pipeline, tenant, now);
    pipeline_note(&daemon->pipeline, tenant, EVENT_VANISHED, LOG_DEBUG, now, "");
    tenant_free(tenant);
    settle_release(daemon);
}

static void on_changed(void *userdata, uint64_t id, enum TreeFile file)
{
    struct Daemon *daemon = userdata;
    struct Tenant *tenant = registry_find(&daemon->registry, id);
    usec_t now = daemon_now();

    if (file == TREE_PIDS_EVENTS) {
        if (tenant)
            look(daemon, tenant, now);
        return;
    }
    if (tenant)
        pipeline_check(&daemon->pipeline, tenant, now);
    tenant = registry_point_owner(&daemon->registry, id);
    if (tenant)
        pipeline_check(&daemon->pipeline, tenant, now);
}

static void on_degraded(void *userdata, const char *why)
{
    struct Daemon *daemon = userdata;

    daemon->sweep_usec = usec_add(daemon_now(), SWEEP_INTERVAL_USEC);
    notice(daemon, LOG_WARNING, "%s", why);
}

static const struct TreeEvents tree_events = {
    .appeared = on_appeared,
    .vanished = on_vanished,
    .changed = on_changed,
    .degraded = on_degraded,
};

/* --- sources of the loop -------------------------------------------------------------------------- */

static int on_tree_input(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct Daemon *daemon = userdata;
    int r = tree_dispatch(&daemon->tree);

    if (r < 0)
        notice(daemon, LOG_ERR, "the cgroup tree cannot be read: %s", strerror(-r));
    return 0;
}

static void sweep(struct Daemon *daemon, usec_t now)
{
    int r = tree_sweep(&daemon->tree);

    if (r < 0)
        notice(daemon, LOG_ERR, "the cgroup tree cannot be scanned: %s", strerror(-r));
    daemon->sweep_usec = daemon->tree.degraded ? usec_add(now, SWEEP_INTERVAL_USEC) : USEC_INFINITY;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct Daemon *daemon = userdata;
    struct Tenant *tenant, *other;
    usec_t now = daemon_now();

    HASH_ITER(hh, daemon->registry.tenants, tenant, other)
    {
        if (tenant->action.under_way)
            pipeline_check(&daemon->pipeline, tenant, now);
        if (next_look_usec(tenant) <= now)
            look(daemon, tenant, now);
    }
    if (daemon->sweep_usec <= now)
        sweep(daemon, now);
    return 0;
}

static void follow_realtime(struct Daemon *daemon);

/* After whatever was dispatched: what became due, and that watchers have something to hear. */
static int on_post(sd_event_source *source, void *userdata)
{
    struct Daemon *daemon = userdata;

    arm_timer(daemon);
    follow_realtime(daemon);
    if (daemon->announced_sequence != daemon->history.last_sequence) {
        daemon->announced_sequence = daemon->history.last_sequence;
        service_event(&daemon->service);
    }
    return 0;
}

static void on_unit_answer(void *userdata, uint64_t tenant_id, enum LimitId limit, int error, const char *message)
{
    struct Daemon *daemon = userdata;
    struct Tenant *tenant = registry_find(&daemon->registry, tenant_id);

    if (tenant)
        pipeline_limit_answer(&daemon->pipeline, tenant, limit, error, message, daemon_now());
}

static void on_settled(void *userdata, struct Tenant *tenant, const struct Decision *decision,
                       const struct Outcome *outcome, uint64_t ticket, usec_t now)
{
    struct Daemon *daemon = userdata;
    struct Decisions decisions;

    if (ticket != 0)
        service_settled(&daemon->service, ticket, tenant, decision, outcome);
    if (decision->cause == CAUSE_OPERATOR && decision->verb != VERB_FREEZE && result_is_success(outcome->result))
        engine_reset(tenant);
    if (decision->holder != HOLDER_OPERATOR && !tenant->gone) {
        decisions.n = 0;
        engine_outcome(&daemon->engine, tenant, decision, outcome->result, now, &decisions);
        carry_out_all(daemon, tenant, &decisions, now);
    }
    settle_release(daemon);
}

/* --- undoing: release, reload, stop ---------------------------------------------------------------- */

static bool is_held(const struct Tenant *tenant)
{
    return tenant->condition.holders != 0 ||
           (tenant->action.under_way && tenant->action.decision.verb == VERB_FREEZE);
}

static void let_go(struct Daemon *daemon, struct Tenant *tenant, enum Cause cause, uid_t uid, const char *why)
{
    struct Decision decision = {.verb = VERB_THAW,
                                .cause = cause,
                                .holder = HOLDER_OPERATOR,
                                .limit = LIMIT_INVALID,
                                .uid = uid,
                                .at_usec = daemon_now()};

    if (!is_held(tenant))
        return;
    snprintf(decision.reason, sizeof(decision.reason), "%s", why);
    pipeline_carry_out(&daemon->pipeline, tenant, &decision, 0, decision.at_usec);
}

/* Waits for thaws where the loop cannot: at a stop, and at a reload before rules change their places. The kernel needs
 * milliseconds; what takes longer is thawing all the same. */
static void wait_for_actions(struct Daemon *daemon, enum Verb verb)
{
    usec_t until = usec_add(daemon_now(), STOP_WAIT_USEC);
    struct Tenant *tenant, *other;
    bool waiting;

    do {
        waiting = false;
        HASH_ITER(hh, daemon->registry.tenants, tenant, other)
        {
            if (!tenant->action.under_way || tenant->action.decision.verb != verb)
                continue;
            pipeline_check(&daemon->pipeline, tenant, daemon_now());
            waiting = waiting || tenant->action.under_way;
        }
        if (waiting)
            usleep(1000);
    } while (waiting && daemon_now() < until);
}

static bool gives_back(struct Daemon *daemon, struct Tenant *tenant, enum Cause cause, usec_t now)
{
    struct Decision decision;
    bool any = false;

    for (int id = 0; id < LIMIT_COUNT; id++)
        if (limit_release(tenant, id, cause, now, &decision)) {
            any = true;
            pipeline_carry_out(&daemon->pipeline, tenant, &decision, 0, now);
        }
    return any;
}

static bool release_one(struct Daemon *daemon, struct Tenant *tenant, uid_t uid)
{
    bool held = is_held(tenant), any;
    char why[64];

    snprintf(why, sizeof(why), "released by uid %u", uid);
    tenant->released = true;
    let_go(daemon, tenant, CAUSE_OPERATOR, uid, why);
    engine_reset(tenant);
    any = gives_back(daemon, tenant, CAUSE_OPERATOR, daemon_now());
    return any || held;
}

static bool has_something_of_ours(const struct Tenant *tenant)
{
    bool any = is_held(tenant) || (tenant->action.under_way && tenant->action.decision.verb == VERB_THAW);

    for (int id = 0; id < LIMIT_COUNT; id++)
        any = any || tenant->limits[id].waiting > 0;
    return any;
}

static bool release_is_complete(const struct Daemon *daemon, const struct PendingRelease *release)
{
    struct Tenant *tenant, *other;

    HASH_ITER(hh, daemon->registry.tenants, tenant, other)
    if ((release->tenant_id == 0 || release->tenant_id == tenant->cgroup.id) && tenant->released &&
        has_something_of_ours(tenant))
        return false;
    return true;
}

/* What is still ours although nothing is awaited any more could not be given back. */
static struct Outcome release_outcome(const struct Daemon *daemon, const struct PendingRelease *release)
{
    struct Outcome outcome = {.result = RESULT_DONE};
    struct Tenant *tenant, *other;

    HASH_ITER(hh, daemon->registry.tenants, tenant, other)
    for (int id = 0; id < LIMIT_COUNT; id++)
        if ((release->tenant_id == 0 || release->tenant_id == tenant->cgroup.id) && tenant->released &&
            tenant->limits[id].applied) {
            outcome.result = RESULT_FAILED;
            snprintf(outcome.text, sizeof(outcome.text), "%.200s keeps %s: %.127s", tenant->name,
                     limit_info(id)->directive, tenant->limits[id].note);
        }
    return outcome;
}

/* Answers the releases that nothing keeps waiting any more. */
static void settle_release(struct Daemon *daemon)
{
    struct Outcome outcome;

    for (size_t i = 0; i < PENDING_RELEASES_MAX; i++) {
        struct PendingRelease *release = &daemon->releases[i];
        uint64_t ticket = release->ticket;

        if (ticket == 0 || !release_is_complete(daemon, release))
            continue;
        release->ticket = 0;
        outcome = release_outcome(daemon, release);
        service_settled(&daemon->service, ticket, registry_find(&daemon->registry, release->tenant_id), NULL,
                        &outcome);
    }
}

/* --- reload --------------------------------------------------------------------------------------- */

static void reclass(struct Daemon *daemon, struct Tenant *tenant, const struct Config *config)
{
    const struct TenantClass *class = policy_classify(&config->policy, tenant->cgroup.path);
    bool observe = config->policy.mode == MODE_OBSERVE;

    tenant->released = false;
    if (observe || engine_lost_holders(tenant, class) != 0) {
        let_go(daemon, tenant, CAUSE_STOP, 0,
               observe ? "Mode=observe: nothing is kept frozen" : "the rule that held it is gone");
        engine_reset(tenant);
    }
}

static void note_protected(void *userdata, uint64_t id, const char *path, int dir_fd)
{
    struct Daemon *daemon = userdata;

    (void)registry_protect_note(&daemon->registry, &daemon->config->policy, id, path);
}

/* Everything validated: from here on nothing fails. */
static void take_over_config(struct Daemon *daemon, struct Config *config)
{
    struct Config *old = daemon->config;
    struct Tenant *tenant, *other;
    usec_t now = daemon_now();

    HASH_ITER(hh, daemon->registry.tenants, tenant, other)
    reclass(daemon, tenant, config);
    wait_for_actions(daemon, VERB_THAW);

    daemon->config = config;
    daemon->engine.policy = &config->policy;
    daemon->pipeline.mode = config->policy.mode;
    registry_protect_reset(&daemon->registry);
    tree_for_each(&daemon->tree, note_protected, daemon);
    HASH_ITER(hh, daemon->registry.tenants, tenant, other)
    {
        engine_reclass(tenant, policy_classify(&config->policy, tenant->cgroup.path));
        registry_reclassify(&daemon->registry, &config->policy, tenant);
        apply_limits(daemon, tenant, now);
    }
    tree_for_each(&daemon->tree, on_appeared, daemon);
    config_free(old);
}

static void log_problems(struct Daemon *daemon, const struct Problems *problems)
{
    for (size_t i = 0; i < problems->n; i++) {
        _cleanup_free_ char *text = problem_format(&problems->list[i]);

        notice(daemon, LOG_ERR, "%.400s", text ? text : "out of memory");
    }
}

static int reload(struct Daemon *daemon, struct Problems *problems)
{
    struct Config *config = NULL;
    int r;

    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)clock_usec(CLOCK_MONOTONIC));
    r = config_load(daemon->options->root, &config, problems);
    if (r == 0) {
        take_over_config(daemon, config);
        notice(daemon, LOG_NOTICE, "configuration reloaded: %zu tenants, mode %s",
               registry_count(&daemon->registry), mode_name(config->policy.mode));
    } else if (r < 0) {
        notice(daemon, LOG_ERR, "configuration not reloaded: %s", strerror(-r));
    } else {
        notice(daemon, LOG_ERR, "configuration not reloaded, the one in force stays: %zu problem%s", problems->n,
               problems->n == 1 ? "" : "s");
        log_problems(daemon, problems);
    }
    sd_notifyf(0, "READY=1\nSTATUS=%s", r == 0 ? "Guarding" : "Guarding; the configuration on disk is not valid");
    return r;
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    struct Problems problems = {};

    (void)reload(userdata, &problems);
    problems_free(&problems);
    return 0;
}

/* --- what the service asks of us ------------------------------------------------------------------- */

static int service_act(void *userdata, struct Tenant *tenant, enum Verb verb, uid_t uid, uint64_t ticket, char *why)
{
    struct Daemon *daemon = userdata;
    struct CgroupState state = {};
    struct Decision decision;
    usec_t now = daemon_now();

    if (tenant->cgroup.n_points > 0)
        (void)cgroup_read_state(tenant->cgroup.points[0].events_fd, &state);
    switch (operator_decide(tenant, verb, state.frozen, uid, now, &decision, why)) {
    case OPERATOR_REFUSED:
        return SERVICE_REFUSED;
    case OPERATOR_NOTHING:
        return SERVICE_DONE;
    default:
        break;
    }
    pipeline_carry_out(&daemon->pipeline, tenant, &decision, ticket, now);
    return SERVICE_UNDER_WAY;
}

static int service_release(void *userdata, struct Tenant *only, uid_t uid, uint64_t ticket, size_t *ret_released)
{
    struct Daemon *daemon = userdata;
    struct Tenant *tenant, *other;
    struct PendingRelease *place = NULL;

    for (size_t i = 0; i < PENDING_RELEASES_MAX && !place; i++)
        if (daemon->releases[i].ticket == 0)
            place = &daemon->releases[i];
    if (!place)
        return -EBUSY;
    *ret_released = 0;
    HASH_ITER(hh, daemon->registry.tenants, tenant, other)
    if (!only || tenant == only)
        *ret_released += release_one(daemon, tenant, uid) ? 1 : 0;
    *place = (struct PendingRelease){.ticket = ticket, .tenant_id = only ? only->cgroup.id : 0};
    settle_release(daemon);
    return SERVICE_UNDER_WAY;
}

static int service_reload(void *userdata, struct Problems *problems)
{
    return reload(userdata, problems);
}

static void service_status(void *userdata, struct ServiceStatus *ret)
{
    struct Daemon *daemon = userdata;
    const struct KillLimit *limit = &daemon->config->policy.kill_limit;
    struct Tenant *tenant, *other;
    size_t n = 0;

    *ret = (struct ServiceStatus){.mode = mode_name(daemon->config->policy.mode),
                                  .cgroup_root = daemon->cgroup_root,
                                  .started_realtime_usec = daemon->started_realtime_usec,
                                  .kills_left = budget_left(&daemon->budget, limit, daemon_now()),
                                  .kills_limit = limit->kills,
                                  .kills_window_usec = limit->window_usec,
                                  .host = &daemon->host};
    HASH_ITER(hh, daemon->registry.tenants, tenant, other)
    if (tenant->condition.holders != 0)
        ret->standing++;
    if (daemon->tree.degraded)
        ret->notices[n++] = daemon->tree.degraded_why;
    if (daemon->ledger_trouble[0] != '\0')
        ret->notices[n++] = daemon->ledger_trouble;
    if (ret->kills_left == 0)
        ret->notices[n++] = "the kill budget is spent: guardd freezes instead of killing";
}

static void service_refresh(void *userdata, struct Tenant *tenant)
{
    struct Daemon *daemon = userdata;

    /* The controller may have been enabled since the tenant appeared. */
    if (tenant->cgroup.pids_current_fd < 0 && cgroup_open_controllers(&tenant->cgroup) >= 0)
        watch_tenant(daemon, tenant, tenant->cgroup.dir_fd);
    look(daemon, tenant, daemon_now());
}

static usec_t service_now(void *userdata)
{
    return daemon_now();
}

static const struct ServiceOps service_ops = {
    .act = service_act,
    .release = service_release,
    .reload = service_reload,
    .status = service_status,
    .refresh = service_refresh,
    .now = service_now,
};

/* --- start ----------------------------------------------------------------------------------------- */

/* A guard that is swapped out or short of descriptors fails when it is needed. Neither is fatal. */
static void harden(struct Daemon *daemon)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
        notice(daemon, LOG_NOTICE, "memory cannot be locked (%s): under memory pressure guardd may be slow",
               strerror(errno));
}

static int load_config(struct Daemon *daemon)
{
    struct Problems problems = {};
    int r = config_load(daemon->options->root, &daemon->config, &problems);

    for (size_t i = 0; i < problems.n; i++) {
        _cleanup_free_ char *text = problem_format(&problems.list[i]);

        fprintf(stderr, "<3>%s\n", text ? text : "out of memory");
    }
    problems_free(&problems);
    if (r < 0)
        fprintf(stderr, "<3>the configuration cannot be read: %s\n", strerror(-r));
    return r;
}

static int open_tree(struct Daemon *daemon)
{
    const char *named = daemon->options->cgroup_root ? daemon->options->cgroup_root : daemon->config->cgroup_root;
    int r = 0;

    if (named)
        daemon->cgroup_root = strdup(named);
    else
        r = host_find_cgroup_root("/proc/self/mounts", &daemon->cgroup_root);
    if (r >= 0 && !daemon->cgroup_root)
        r = -ENOMEM;
    if (r >= 0)
        r = tree_open(&daemon->tree, daemon->cgroup_root, &tree_events, daemon);
    if (r < 0)
        fprintf(stderr, "<3>no cgroup v2 tree at %s: %s\n",
                daemon->cgroup_root ? daemon->cgroup_root : "any mount point", strerror(-r));
    return r;
}

/* PID 1 is systemd, and the tree is the one it keeps its units in. */
static bool is_managed(const struct Daemon *daemon)
{
    _cleanup_free_ char *scope = NULL;

    return daemon->options->root[0] == '\0' && access("/run/systemd/system", F_OK) == 0 &&
           asprintf(&scope, "%s/init.scope", daemon->cgroup_root) > 0 && access(scope, F_OK) == 0;
}

static int open_registry(struct Daemon *daemon)
{
    const struct NameSources sources = {.root = daemon->options->root};
    _cleanup_free_ char *own = NULL, *init = NULL;
    char *own_paths[3] = {};
    size_t n = 0;

    if (daemon->options->root[0] == '\0') {
        if (host_cgroup_of(0, &own) >= 0)
            own_paths[n++] = own;
        if (host_cgroup_of(1, &init) >= 0)
            own_paths[n++] = init;
    }
    return registry_init(&daemon->registry, &sources, own_paths, is_managed(daemon));
}

/* Without a ledger guardd still guards: it sets no limit and freezes nothing, but it warns and kills. */
static void open_ledger(struct Daemon *daemon)
{
    struct LedgerReport report = {};
    _cleanup_fd_ int dir_fd = open(daemon->options->runtime_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = dir_fd < 0 ? negative_errno() : ledger_open(&daemon->ledger, dir_fd, "ledger", &report);

    if (r < 0) {
        snprintf(daemon->ledger_trouble, sizeof(daemon->ledger_trouble),
                 "no ledger in %.100s (%s): nothing is frozen or limited, for it could not be undone after a crash",
                 daemon->options->runtime_dir, strerror(-r));
        notice(daemon, LOG_ERR, "%s", daemon->ledger_trouble);
    }
    if (report.damaged)
        notice(daemon, LOG_WARNING, "the ledger was damaged: kept as %s/ledger.damaged, begun anew",
               daemon->options->runtime_dir);
    if (report.torn > 0)
        notice(daemon, LOG_WARNING, "%zu half-written ledger entries dropped: what they announced was not done",
               report.torn);
}

/* Events carry the time of day too; it may be set while we run. */
static void follow_realtime(struct Daemon *daemon)
{
    daemon->pipeline.realtime_offset_usec = clock_usec(CLOCK_REALTIME) - daemon_now();
}

static void connect_parts(struct Daemon *daemon)
{
    daemon->engine = (struct Engine){
        .policy = &daemon->config->policy, .budget = &daemon->budget, .offences = &daemon->offences};
    daemon->pipeline = (struct Pipeline){.ledger = &daemon->ledger,
                                         .history = &daemon->history,
                                         .units = &daemon->units,
                                         .mode = daemon->config->policy.mode,
                                         .kill_memory_usec = OFFENCE_MEMORY_USEC,
                                         .settled = on_settled,
                                         .userdata = daemon};
    follow_realtime(daemon);
}

static int open_service(struct Daemon *daemon)
{
    const struct ServiceView view = {.registry = &daemon->registry,
                                     .history = &daemon->history,
                                     .config = (const struct Config *const *)&daemon->config};
    const char *address = daemon->options->socket ? daemon->options->socket : WIRE_SOCKET;
    int fd = sd_listen_fds(1) > 0 ? SD_LISTEN_FDS_START : -EBADF;
    int r = service_open(&daemon->service, daemon->event, fd, address, &view, &service_ops, daemon);

    if (r < 0)
        fprintf(stderr, "<3>cannot listen on %s: %s\n", address, strerror(-r));
    return r;
}

static int add_sources(struct Daemon *daemon)
{
    int r;

    if (tree_fd(&daemon->tree) >= 0) {
        r = sd_event_add_io(daemon->event, &daemon->tree_source, tree_fd(&daemon->tree), EPOLLIN, on_tree_input,
                            daemon);
        if (r < 0)
            return r;
        /* What the kernel announces comes before what an operator asks. */
        sd_event_source_set_priority(daemon->tree_source, SD_EVENT_PRIORITY_IMPORTANT);
    }
    r = sd_event_add_time(daemon->event, &daemon->timer_source, CLOCK_BOOTTIME, USEC_INFINITY, TIMER_ACCURACY_USEC,
                          on_timer, daemon);
    if (r >= 0)
        r = sd_event_source_set_enabled(daemon->timer_source, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_post(daemon->event, NULL, on_post, daemon);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGHUP, on_hangup, daemon);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGTERM, NULL, NULL);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGINT, NULL, NULL);
    if (r >= 0)
        r = sd_event_set_watchdog(daemon->event, true);
    return r < 0 ? r : 0;
}

/* Everybody who is here, what the run before left, the limits: complete before READY=1. */
static int take_stock(struct Daemon *daemon)
{
    struct Recovery recovery = {.pipeline = &daemon->pipeline,
                                .engine = &daemon->engine,
                                .registry = &daemon->registry,
                                .tree = &daemon->tree,
                                .now = daemon_now()};
    struct Tenant *tenant, *other;
    int r = tree_scan(&daemon->tree);

    if (r < 0)
        return r;
    r = recover_run(&recovery);
    if (r < 0 && r != -EBADF)
        notice(daemon, LOG_ERR, "the ledger cannot be read: %s", strerror(-r));
    daemon->complete = true;
    HASH_ITER(hh, daemon->registry.tenants, tenant, other)
    apply_limits(daemon, tenant, daemon_now());
    notice(daemon, LOG_NOTICE, "guarding %zu tenants at %s, mode %s; from the run before: %zu taken up, %zu undone, "
                               "%zu void",
           registry_count(&daemon->registry), daemon->cgroup_root, mode_name(daemon->config->policy.mode),
           recovery.taken_up, recovery.undone, recovery.void_entries);
    return 0;
}

/* Nobody would thaw them: what stands is undone. Limits stay, the next start knows them. */
static void stop(struct Daemon *daemon)
{
    struct Tenant *tenant, *other;

    sd_notify(0, "STOPPING=1");
    HASH_ITER(hh, daemon->registry.tenants, tenant, other)
    let_go(daemon, tenant, CAUSE_STOP, 0, "guardd stops, and nobody else would thaw it");
    wait_for_actions(daemon, VERB_THAW);
}

/* Before the first thread is made: what the loop takes as an event must not end another thread. */
static int block_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return sigprocmask(SIG_BLOCK, &signals, NULL) < 0 ? negative_errno() : 0;
}

static int start(struct Daemon *daemon)
{
    int r = block_signals();

    if (r >= 0)
        r = sd_event_default(&daemon->event);
    if (r >= 0)
        r = history_open(&daemon->history, HISTORY_CAPACITY, daemon->options->journal);
    if (r < 0)
        return r;
    connect_parts(daemon);
    unit_manager_init(&daemon->units, daemon->event, on_unit_answer, daemon);
    r = open_tree(daemon);
    if (r < 0)
        return r;
    harden(daemon);
    host_probe(daemon->cgroup_root, &daemon->host);
    open_ledger(daemon);
    r = open_registry(daemon);
    if (r >= 0)
        r = open_service(daemon);
    if (r >= 0)
        r = add_sources(daemon);
    if (r >= 0)
        r = take_stock(daemon);
    return r;
}

static void finish(struct Daemon *daemon)
{
    service_close(&daemon->service);
    sd_event_source_unref(daemon->timer_source);
    sd_event_source_unref(daemon->tree_source);
    unit_manager_done(&daemon->units);
    registry_done(&daemon->registry);
    tree_close(&daemon->tree);
    ledger_close(&daemon->ledger);
    history_close(&daemon->history);
    sd_event_unref(daemon->event);
    config_free(daemon->config);
    free(daemon->cgroup_root);
    free(daemon);
}

int daemon_run(const struct DaemonOptions *options)
{
    struct Daemon *daemon = calloc(1, sizeof(*daemon));
    int r;

    if (!daemon)
        return EXIT_FAILURE;
    daemon->options = options;
    daemon->started_realtime_usec = clock_usec(CLOCK_REALTIME);
    daemon->sweep_usec = USEC_INFINITY;
    daemon->ledger.fd = -EBADF;
    daemon->tree.inotify_fd = daemon->tree.root_fd = -EBADF;
    r = load_config(daemon);
    if (r != 0) {
        free(daemon);
        return r == CONFIG_INVALID ? EX_CONFIG : EXIT_FAILURE;
    }
    r = start(daemon);
    if (r >= 0) {
        arm_timer(daemon);
        sd_notify(0, "READY=1\nSTATUS=Guarding");
        r = sd_event_loop(daemon->event);
        stop(daemon);
    } else {
        fprintf(stderr, "<3>guardd cannot start: %s\n", strerror(-r));
    }
    finish(daemon);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
