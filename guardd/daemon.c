/* The model: one event loop, woken by the kernel (inotify on the cgroup tree), by a single timer, by
 * the varlink socket and by signals. At peace none of them fires, and the timer is off.
 *
 *   pids.events changed ─▶ look: sense ─▶ decide ─▶ pipeline        (no allocation on this way)
 *   cgroup.events changed ─▶ pipeline: has the kernel confirmed?
 *   timer ─▶ the looks and deadlines that armed tenants asked for, in one pass
 *   mkdir, rmdir ─▶ registry, limits
 */
#include "daemon.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <syslog.h>
#include <sysexits.h>
#include <time.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "act/actuator.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "decide/operator.h"
#include "ends.h"
#include "exempting.h"
#include "guard.h"
#include "inspection.h"
#include "release.h"
#include "report.h"
#include "reload.h"
#include "setting.h"
#include "status.h"
#include "serve/service.h"
#include "wire/interface.h"

#define TIMER_ACCURACY_USEC (5 * USEC_PER_MSEC)
/* A busy host's worth of it, by far. */
#define MEMORY_NEEDED_BYTES (64UL * 1024 * 1024)

struct Daemon {
    const struct DaemonOptions *options;
    sd_event *event;
    sd_event_source *tree_source, *timer_source;
    struct Guard guard;
    struct Service service;
    usec_t started_realtime_usec;
    uint64_t announced_sequence; /* of the history, to the watchers */
};

static usec_t clock_usec(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / 1000;
}

static usec_t boot_clock(void)
{
    return clock_usec(CLOCK_BOOTTIME);
}

/* Events carry the time of day too; it may be set while we run. */
static void follow_realtime(struct Daemon *daemon)
{
    daemon->guard.pipeline.realtime_offset_usec = clock_usec(CLOCK_REALTIME) - boot_clock();
}

/* --- sources of the loop -------------------------------------------------------------------------- */

static int on_tree_input(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct Daemon *daemon = userdata;

    guard_dispatch(&daemon->guard);
    return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct Daemon *daemon = userdata;

    guard_pass(&daemon->guard);
    return 0;
}

static void arm_timer(struct Daemon *daemon)
{
    usec_t due = guard_due_usec(&daemon->guard);

    sd_event_source_set_time(daemon->timer_source, due);
    sd_event_source_set_enabled(daemon->timer_source, due == USEC_INFINITY ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

/* After whatever was dispatched: what became due, and that watchers have something to hear. */
static int on_post(sd_event_source *source, void *userdata)
{
    struct Daemon *daemon = userdata;
    uint64_t last = daemon->guard.history.last_sequence;

    arm_timer(daemon);
    ends_arm(&daemon->guard);
    follow_realtime(daemon);
    if (daemon->announced_sequence != last) {
        daemon->announced_sequence = last;
        service_event(&daemon->service);
        history_write(&daemon->guard.history);
    }
    return 0;
}

/* --- reload --------------------------------------------------------------------------------------- */

static void log_problems(struct Daemon *daemon, const struct Problems *problems)
{
    for (size_t i = 0; i < problems->n; i++) {
        _cleanup_free_ char *text = problem_format(&problems->list[i]);

        guard_notice(&daemon->guard, EVENT_CONFIG, LOG_ERR, "%.400s", text ? text : "out of memory");
    }
}

static int reload(struct Daemon *daemon, struct Problems *problems)
{
    struct Guard *guard = &daemon->guard;
    struct Config *config = NULL;
    int r;

    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)clock_usec(CLOCK_MONOTONIC));
    r = config_load(daemon->options->place.root, &config, problems);
    if (r == 0) {
        reload_config(guard, config);
        guard_notice(guard, EVENT_CONFIG, LOG_NOTICE, "configuration reloaded: %zu tenants, mode %s",
                     registry_count(&guard->registry), mode_name(config->policy.mode));
    } else if (r < 0) {
        guard_notice(guard, EVENT_CONFIG, LOG_ERR, "configuration not reloaded: %s", strerror(-r));
    } else {
        guard_notice(guard, EVENT_CONFIG, LOG_ERR,
                     "configuration not reloaded, the one in force stays: %zu problem%s", problems->n,
                     problems->n == 1 ? "" : "s");
        log_problems(daemon, problems);
    }
    sd_notifyf(0, "READY=1\nSTATUS=%s",
               r == 0 ? "Guarding" : "Guarding; the configuration on disk is not valid");
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

static enum OperatorAnswer decide(struct Daemon *daemon, struct Tenant *tenant, const struct ServiceAct *act,
                                  uid_t uid, usec_t now, struct Decision *ret_decision, char *why)
{
    struct CgroupState state = {};

    if (act->verb == VERB_THROTTLE) {
        guard_refresh(&daemon->guard, tenant); /* it goes by what is used now */
        return operator_throttle(tenant, act->verb, act->resource, act->percent, uid, now, ret_decision, why);
    }
    if (tenant->cgroup.n_points > 0)
        (void)cgroup_read_state(tenant->cgroup.points[0].events_fd, &state);
    return operator_decide(tenant, act->verb, state.frozen, uid, now, ret_decision, why);
}

static int service_act(void *userdata, struct Tenant *tenant, const struct ServiceAct *act, uid_t uid,
                       uint64_t ticket, char *why)
{
    struct Daemon *daemon = userdata;
    bool held = tenant->condition.holders != 0 || tenant->action.under_way;
    struct Decision decision;
    usec_t now = boot_clock();

    if (act->verb == VERB_THAW && tenant_is_throttled(tenant)) {
        snprintf(why, REASON_MAX, "asked for by uid %u", uid);
        release_throttles(&daemon->guard, tenant, CAUSE_OPERATOR, uid, held ? 0 : ticket, why);
        if (!held)
            return SERVICE_UNDER_WAY;
    }
    switch (decide(daemon, tenant, act, uid, now, &decision, why)) {
    case OPERATOR_REFUSED:
        return SERVICE_REFUSED;
    case OPERATOR_NOTHING:
        return SERVICE_DONE;
    default:
        break;
    }
    pipeline_carry_out(&daemon->guard.pipeline, tenant, &decision, ticket, now);
    return SERVICE_UNDER_WAY;
}

static int service_release(void *userdata, struct Tenant *tenant, uid_t uid, uint64_t ticket,
                           size_t *ret_released)
{
    struct Daemon *daemon = userdata;
    int r = release_run(&daemon->guard, tenant, uid, ticket, ret_released);

    return r < 0 ? r : SERVICE_UNDER_WAY;
}

static int setting_answer(enum SettingAnswer answer)
{
    switch (answer) {
    case SETTING_REFUSED:
        return SERVICE_REFUSED;
    case SETTING_CHANGED:
        return SERVICE_CHANGED;
    default:
        return SERVICE_UNDER_WAY;
    }
}

static int service_set(void *userdata, struct Tenant *tenant, const struct Limits *limits,
                       const struct OverrideWish *wish, uint64_t ticket, char *why)
{
    struct Daemon *daemon = userdata;

    return setting_answer(setting_set(&daemon->guard, tenant, limits, wish, ticket, why));
}

static int service_reset(void *userdata, struct Tenant *tenant, const struct Limits *limits,
                         const struct OverrideWish *wish, uint64_t ticket, char *why)
{
    struct Daemon *daemon = userdata;

    return setting_answer(setting_reset(&daemon->guard, tenant, limits, wish, ticket, why));
}

static int service_inspect(void *userdata, struct Tenant *tenant, bool repair, uid_t uid, uint64_t ticket,
                           char *why)
{
    struct Daemon *daemon = userdata;
    int r = daemon->guard.disk.open ? inspection_begin(&daemon->guard.disk, tenant, repair, ticket) : -ENOENT;

    if (r >= 0)
        return SERVICE_UNDER_WAY;
    if (r == -EBUSY)
        snprintf(why, REASON_MAX, "another check of it is under way");
    else
        snprintf(why, REASON_MAX, "no directory of it counts%s%s",
                 tenant->disk.unguarded[0] != '\0' ? ": " : "", tenant->disk.unguarded);
    return SERVICE_REFUSED;
}

static int service_reload(void *userdata, struct Problems *problems)
{
    return reload(userdata, problems);
}

static void service_status(void *userdata, struct ServiceStatus *ret)
{
    struct Daemon *daemon = userdata;

    status_tell(&daemon->guard, boot_clock(), ret);
    ret->started_realtime_usec = daemon->started_realtime_usec;
}

static void service_set_mode(void *userdata, enum Mode mode, const struct Author *author)
{
    struct Daemon *daemon = userdata;
    char by[AUTHOR_FORMAT_MAX];

    if (daemon->guard.pipeline.mode == mode)
        return;
    guard_notice(&daemon->guard, EVENT_CONFIG, LOG_NOTICE,
                 "mode %s, by %s, process %d, until a reload or restart", mode_name(mode),
                 author_format(author, by, sizeof(by)), author->pid);
    reload_mode(&daemon->guard, mode, author);
}

static void note_exemption(struct Daemon *daemon, struct Tenant *tenant, const char *what,
                           const struct Author *author)
{
    char by[AUTHOR_FORMAT_MAX], text[AUTHOR_FORMAT_MAX + 96];

    snprintf(text, sizeof(text), "%s, by %s, process %d", what, author_format(author, by, sizeof(by)),
             author->pid);
    pipeline_note(&daemon->guard.pipeline, tenant, EVENT_NOTICE, LOG_NOTICE, boot_clock(), text);
}

static int service_exempt(void *userdata, struct Tenant *tenant, usec_t for_usec, const struct Author *author,
                          char *why)
{
    struct Daemon *daemon = userdata;
    char what[USEC_FORMAT_MAX + 32], duration[USEC_FORMAT_MAX];

    if (for_usec == 0) {
        if (tenant_is_exempt(tenant))
            note_exemption(daemon, tenant, "exempt no longer", author);
        else
            snprintf(why, REASON_MAX, "it is not exempt");
        exempting_end(&daemon->guard, tenant);
        return SERVICE_DONE;
    }
    snprintf(what, sizeof(what), "exempt for %s", usec_format(for_usec, duration, sizeof(duration)));
    note_exemption(daemon, tenant, what, author);
    return exempting_begin(&daemon->guard, tenant, for_usec, author, why) ? SERVICE_DONE : SERVICE_REFUSED;
}

static void service_refresh(void *userdata, struct Tenant *tenant)
{
    struct Daemon *daemon = userdata;

    guard_refresh(&daemon->guard, tenant);
}

static usec_t service_now(void *userdata)
{
    return boot_clock();
}

static usec_t service_realtime(void *userdata)
{
    const struct Daemon *daemon = userdata;

    return guard_realtime_usec(&daemon->guard);
}

static void service_asked(void *userdata, const struct Tenant *tenant, const struct Author *author,
                          const char *what)
{
    struct Daemon *daemon = userdata;

    report_change(&daemon->guard.pipeline, tenant, author, boot_clock(), what);
}

static const struct ServiceOps service_ops = {
    .asked = service_asked,
    .act = service_act,
    .release = service_release,
    .set = service_set,
    .reset = service_reset,
    .inspect = service_inspect,
    .set_mode = service_set_mode,
    .exempt = service_exempt,
    .reload = service_reload,
    .status = service_status,
    .refresh = service_refresh,
    .now = service_now,
    .realtime = service_realtime,
};

static void answer(void *userdata, uint64_t ticket, const struct Tenant *tenant,
                   const struct Decision *decision, const struct Outcome *outcome)
{
    struct Daemon *daemon = userdata;

    service_settled(&daemon->service, ticket, tenant, decision, outcome);
}

/* Whoever watches sees what the kernel announced before timers, journal and tripwires are seen to. */
static void announced(void *userdata)
{
    struct Daemon *daemon = userdata;

    service_tell(&daemon->service);
}

/* --- start ----------------------------------------------------------------------------------------- */

/* Before the first thread is made: what the loop takes as an event must not end another thread. */
static int block_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR1);
    return sigprocmask(SIG_BLOCK, &signals, NULL) < 0 ? negative_errno() : 0;
}

/* Under LimitMEMLOCK= of a shell, say, what is asked for later would be refused: memory is worth more than
 * its lock. */
static int lock_memory(void)
{
    void *room;

    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
        return negative_errno();
    room = mmap(NULL, MEMORY_NEEDED_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room != MAP_FAILED) {
        munmap(room, MEMORY_NEEDED_BYTES);
        return 0;
    }
    munlockall();
    return -ENOMEM;
}

/* A guard that is swapped out or short of descriptors fails when it is needed. Neither is fatal. */
static int harden(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    return lock_memory();
}

static int load_config(const struct Daemon *daemon, struct Config **ret_config)
{
    struct Problems problems = {};
    int r = config_load(daemon->options->place.root, ret_config, &problems);

    for (size_t i = 0; i < problems.n; i++) {
        _cleanup_free_ char *text = problem_format(&problems.list[i]);

        fprintf(stderr, "<3>%s\n", text ? text : "out of memory");
    }
    problems_free(&problems);
    if (r < 0)
        fprintf(stderr, "<3>the configuration cannot be read: %s\n", strerror(-r));
    return r;
}

static int open_service(struct Daemon *daemon)
{
    const struct ServiceView view = {.registry = &daemon->guard.registry,
                                     .history = &daemon->guard.history,
                                     .config = (const struct Config *const *)&daemon->guard.config,
                                     .overrides = &daemon->guard.overrides,
                                     .trace = &daemon->guard.trace};
    const char *address = daemon->options->socket ? daemon->options->socket : WIRE_SOCKET;
    int fd = sd_listen_fds(1) > 0 ? SD_LISTEN_FDS_START : -EBADF;
    int r = service_open(&daemon->service, daemon->event, fd, address, &view, &service_ops, daemon);

    if (r < 0)
        fprintf(stderr, "<3>cannot listen on %s: %s\n", address, strerror(-r));
    return r;
}

static void stop(struct Daemon *daemon)
{
    sd_notify(0, "STOPPING=1");
    release_for_stop(&daemon->guard);
    service_close(&daemon->service);
}

/* Everything before the loop ends: at its end sd-varlink waits for each peer to read what is queued for it,
 * and one that does not read would keep its host frozen. */
static int on_terminate(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    stop(userdata);
    return sd_event_exit(sd_event_source_get_event(source), 0);
}

/* It is restarted: whoever comes in a moment takes up all that stands, as after a crash. With a configuration
 * that is wrong nobody will come. */
static int on_restart(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    struct Daemon *daemon = userdata;
    struct Config *config = NULL;
    bool valid = load_config(daemon, &config) == 0;

    config_free(config);
    if (!valid)
        return on_terminate(source, info, userdata);
    sd_notify(0, "STOPPING=1");
    guard_notice(&daemon->guard, EVENT_NOTICE, LOG_NOTICE, "restarted: what stands is left to the next run");
    history_write(&daemon->guard.history);
    service_close(&daemon->service);
    return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int add_signals(struct Daemon *daemon)
{
    int r = sd_event_add_signal(daemon->event, NULL, SIGHUP, on_hangup, daemon);

    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGTERM, on_terminate, daemon);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGINT, on_terminate, daemon);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGUSR1, on_restart, daemon);
    return r < 0 ? r : 0;
}

static int add_sources(struct Daemon *daemon)
{
    int fd = tree_fd(&daemon->guard.tree);
    int r = add_signals(daemon);

    if (r >= 0 && fd >= 0) {
        r = sd_event_add_io(daemon->event, &daemon->tree_source, fd, EPOLLIN, on_tree_input, daemon);
        /* What the kernel announces comes before what an operator asks. */
        if (r >= 0)
            r = sd_event_source_set_priority(daemon->tree_source, SD_EVENT_PRIORITY_IMPORTANT);
    }
    if (r >= 0)
        r = sd_event_add_time(daemon->event, &daemon->timer_source, CLOCK_BOOTTIME, USEC_INFINITY,
                              TIMER_ACCURACY_USEC, on_timer, daemon);
    if (r >= 0)
        r = sd_event_add_post(daemon->event, NULL, on_post, daemon);
    if (r >= 0)
        r = sd_event_set_watchdog(daemon->event, true);
    if (r >= 0)
        arm_timer(daemon);
    return r < 0 ? r : 0;
}

static int start(struct Daemon *daemon, struct Config *config)
{
    int r = block_signals(), locked;

    daemon->guard.place = &daemon->options->place;
    daemon->guard.clock = boot_clock;
    daemon->guard.answer = answer;
    daemon->guard.announced = announced;
    daemon->guard.userdata = daemon;
    daemon->guard.config = config;
    if (r >= 0)
        r = sd_event_default(&daemon->event);
    if (r < 0)
        return r;
    locked = harden();
    follow_realtime(daemon);
    r = guard_open(&daemon->guard, config, daemon->event);
    if (r >= 0 && locked < 0)
        guard_notice(&daemon->guard, EVENT_NOTICE, LOG_NOTICE,
                     "memory cannot be locked (%s): under memory pressure guardd may be slow",
                     strerror(-locked));
    if (r >= 0)
        r = open_service(daemon);
    if (r >= 0)
        r = add_sources(daemon);
    history_write(&daemon->guard.history);
    return r;
}

static void finish(struct Daemon *daemon)
{
    service_close(&daemon->service);
    guard_close(&daemon->guard);
    sd_event_source_unref(daemon->timer_source);
    sd_event_source_unref(daemon->tree_source);
    sd_event_unref(daemon->event);
    free(daemon);
}

/* Who is not heard now would be stopped by PID 1 after a while, and without a word. */
static int serve(struct Daemon *daemon)
{
    int r = sd_notify(0, "READY=1\nSTATUS=Guarding");

    if (r < 0)
        fprintf(stderr, "<3>guardd cannot tell the service manager that it is ready: %s\n", strerror(-r));
    else
        r = sd_event_loop(daemon->event);
    if (r < 0)
        stop(daemon);
    return r;
}

int daemon_run(const struct DaemonOptions *options)
{
    struct Daemon *daemon = calloc(1, sizeof(*daemon));
    struct Config *config = NULL;
    int r;

    if (!daemon) {
        fprintf(stderr, "<3>guardd cannot start: %s\n", strerror(ENOMEM));
        return EXIT_FAILURE;
    }
    daemon->options = options;
    daemon->started_realtime_usec = clock_usec(CLOCK_REALTIME);
    r = load_config(daemon, &config);
    if (r != 0) {
        free(daemon);
        return r == CONFIG_INVALID ? EX_CONFIG : EXIT_FAILURE;
    }
    r = start(daemon, config);
    if (r < 0)
        fprintf(stderr, "<3>guardd cannot start: %s\n", strerror(-r));
    else
        r = serve(daemon);
    finish(daemon);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
