/* See disk.h. The kernel's words come in here, and are handed to the file that they concern. */
#include "disk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>

#include <utlist.h>

#include "adoption.h"
#include "allowance.h"
#include "base/error.h"
#include "decide/tripwire.h"
#include "election.h"
#include "limiting.h"
#include "sense/disk.h"
#include "share.h"
#include "throttling.h"
#include "walk.h"

/* XFS tells of each write above a limit. One look at what waits is enough for all of them. */
#define WARNINGS_INTERVAL_USEC (250 * USEC_PER_MSEC)
/* Every container that starts changes the mount table several times. */
#define MOUNTS_INTERVAL_USEC USEC_PER_SEC
#define SWEEP_INTERVAL_USEC USEC_PER_SEC
/* At a stop, for limits that were asked for. */
#define FINISH_WAIT_USEC (2 * USEC_PER_SEC)
/* Nobody announces that quotas are turned off or on: whoever asks finds it, not more often than this. */
#define PROBE_INTERVAL_USEC USEC_PER_SEC
/* Of the host: guardd has a mount namespace of its own, and what is private on the host is not seen there. */
#define HOST_MOUNTS "/proc/1/mountinfo"

void disk_notice(struct DiskGuard *disk, const struct Tenant *tenant, int priority, const char *format, ...)
{
    char text[REASON_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    pipeline_note(disk->pipeline, tenant, EVENT_NOTICE, priority, disk->clock(), text);
}

/* --- orders and owners ---------------------------------------------------------------------------- */

struct DiskOrder *disk_order_new(struct DiskGuard *disk, enum OrderKind kind, uint64_t tenant_id, dev_t dev,
                                 uint32_t project, const char *path)
{
    struct DiskOrder *order = calloc(1, sizeof(*order));

    if (!order || (path && !(order->path = strdup(path)))) {
        free(order);
        return NULL;
    }
    order->ticket = ++disk->last_ticket;
    order->kind = kind;
    order->tenant_id = tenant_id;
    order->dev = dev;
    order->project = project;
    HASH_ADD(hh, disk->orders, ticket, sizeof(order->ticket), order);
    return order;
}

void disk_order_take(struct DiskGuard *disk, struct DiskOrder *order)
{
    HASH_DEL(disk->orders, order);
}

void disk_order_done(struct DiskOrder *order)
{
    free(order->path);
    free(order);
}

void disk_order_free(struct DiskGuard *disk, struct DiskOrder *order)
{
    disk_order_take(disk, order);
    disk_order_done(order);
}

struct DiskStore *disk_store(const struct DiskGuard *disk, dev_t dev)
{
    struct DiskStore *store;

    DL_FOREACH (disk->stores, store)
        if (store->dev == dev)
            return store;
    return NULL;
}

static struct DiskStore *make_store(struct DiskGuard *disk, dev_t dev)
{
    struct DiskStore *store = disk_store(disk, dev);

    if (store)
        return store;
    store = calloc(1, sizeof(*store));
    if (store) {
        store->dev = dev;
        DL_APPEND(disk->stores, store);
    }
    return store;
}

struct ProjectOwner *disk_project_owner(const struct DiskGuard *disk, dev_t dev, uint32_t project)
{
    struct ProjectOwner *owner, wanted = {};

    wanted.key.dev = dev;
    wanted.key.project = project;
    HASH_FIND(hh, disk->owners, &wanted.key, sizeof(wanted.key), owner);
    return owner;
}

int disk_own(struct DiskGuard *disk, dev_t dev, uint32_t project, uint64_t tenant_id)
{
    struct ProjectOwner *owner = disk_project_owner(disk, dev, project);
    struct DiskStore *store = make_store(disk, dev);

    if (!owner) {
        owner = calloc(1, sizeof(*owner));
        if (!owner || !store) {
            free(owner);
            return -ENOMEM;
        }
        owner->key.dev = dev;
        owner->key.project = project;
        HASH_ADD(hh, disk->owners, key, sizeof(owner->key), owner);
        store->n_growers++;
    }
    owner->tenant_id = tenant_id;
    return 0;
}

void disk_disown(struct DiskGuard *disk, dev_t dev, uint32_t project, uint64_t tenant_id)
{
    struct ProjectOwner *owner = disk_project_owner(disk, dev, project);
    struct DiskStore *store = disk_store(disk, dev);

    if (!owner || owner->tenant_id != tenant_id)
        return;
    if (store)
        store->n_growers--;
    HASH_DEL(disk->owners, owner);
    free(owner);
}

bool disk_owns(const struct DiskGuard *disk, dev_t dev, uint32_t project, uint64_t tenant_id)
{
    const struct ProjectOwner *owner = disk_project_owner(disk, dev, project);

    return owner && owner->tenant_id == tenant_id;
}

struct Tenant *disk_owner(const struct DiskGuard *disk, dev_t dev, uint32_t project)
{
    const struct ProjectOwner *owner = disk_project_owner(disk, dev, project);

    return owner ? registry_find(disk->registry, owner->tenant_id) : NULL;
}

/* --- what the kernel announces -------------------------------------------------------------------- */

static void on_warned(void *userdata, dev_t dev, uint32_t project, enum WarningKind kind)
{
    struct DiskGuard *disk = userdata;
    struct Tenant *tenant = disk_owner(disk, dev, project);

    if (!tenant)
        return;
    if (kind == WARNING_HARD_SPACE || kind == WARNING_HARD_INODES)
        tenant->disk.denied++;
    tenant->disk.stale = true;
    disk->look(disk->userdata, tenant);
}

static void on_lost(void *userdata)
{
    struct DiskGuard *disk = userdata;

    if (disk->sweep_usec == USEC_INFINITY)
        disk->sweep_usec = usec_add(disk->clock(), SWEEP_INTERVAL_USEC);
}

struct Sweep {
    struct DiskGuard *disk;
    dev_t dev;
};

static bool is_over(const struct DiskUsage *usage)
{
    return (usage->space_soft_bytes != 0 && usage->space_bytes > usage->space_soft_bytes) ||
           (usage->inodes_soft != 0 && usage->inodes > usage->inodes_soft) ||
           (usage->space_hard_bytes != 0 && usage->space_bytes >= usage->space_hard_bytes) ||
           (usage->inodes_hard != 0 && usage->inodes >= usage->inodes_hard);
}

static int sweep_project(void *userdata, uint32_t project, const struct DiskUsage *usage)
{
    const struct Sweep *sweep = userdata;
    struct Tenant *tenant = is_over(usage) ? disk_owner(sweep->disk, sweep->dev, project) : NULL;

    if (tenant) {
        tenant->disk.stale = true;
        sweep->disk->look(sweep->disk->userdata, tenant);
    }
    return 0;
}

/* Somebody's warning was lost: everybody who is over a limit is looked at. */
static void sweep(struct DiskGuard *disk)
{
    struct Sweep sweep = {.disk = disk};
    struct DiskStore *store;

    disk->sweep_usec = USEC_INFINITY;
    DL_FOREACH (disk->stores, store) {
        const struct Filesystem *filesystem =
            store->n_growers > 0 ? filesystem_find(&disk->filesystems, store->dev) : NULL;

        sweep.dev = store->dev;
        if (filesystem && filesystem->guarded)
            (void)quota_for_each(filesystem, disk->projects.first, sweep_project, &sweep);
    }
}

static int on_warnings(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct DiskGuard *disk = userdata;

    (void)warnings_dispatch(&disk->warnings);
    disk->announced(disk->userdata);
    return 0;
}

/* Whoever could be concerned finds its directories again. */
static void look_again(struct DiskGuard *disk)
{
    struct Tenant *tenant, *other;
    usec_t now = disk->clock();

    HASH_ITER (hh, disk->registry->tenants, tenant, other)
        if (adoption_wanted(tenant)) {
            tenant->limits_due_usec = usec_min(tenant->limits_due_usec, now);
            agenda_put(tenant);
        }
}

static void load_filesystems(struct DiskGuard *disk)
{
    bool changed = false;
    int r = filesystems_load(&disk->filesystems, disk->policy->disk.roots, &changed);

    disk->probed_usec = disk->clock();
    if (r < 0)
        disk_notice(disk, NULL, LOG_ERR, "the mount table cannot be read: %s", strerror(-r));
    if (!changed)
        return;
    disk->filesystems_changed(disk->userdata);
    for (size_t i = 0; i < disk->filesystems.n; i++)
        if (disk->filesystems.list[i].gone)
            disk_notice(disk, NULL, LOG_NOTICE, "the filesystem of %.150s is not mounted any more",
                        disk->filesystems.list[i].path);
    look_again(disk);
}

static int on_mounts(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct DiskGuard *disk = userdata;

    filesystems_drain(&disk->filesystems);
    load_filesystems(disk);
    return 0;
}

static int on_worker(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct DiskGuard *disk = userdata;

    worker_dispatch(&disk->worker);
    return 0;
}

static struct DiskOrder *find_order(const struct DiskGuard *disk, uint64_t ticket)
{
    struct DiskOrder *order;

    HASH_FIND(hh, disk->orders, &ticket, sizeof(ticket), order);
    return order;
}

static void on_limited(void *userdata, uint64_t ticket, int error, const struct DiskUsage *usage)
{
    struct DiskGuard *disk = userdata;
    struct DiskOrder *order = find_order(disk, ticket);

    if (order)
        allowance_limited(disk, order, error, usage);
}

static void on_tagged(void *userdata, uint64_t ticket, bool done, int error, const struct TagResult *result)
{
    struct DiskGuard *disk = userdata;
    struct DiskOrder *order = find_order(disk, ticket);

    if (order)
        walk_answered(disk, order, done, error, result);
}

static void on_wrote(void *userdata, uint64_t ticket, int error)
{
    struct DiskGuard *disk = userdata;
    struct DiskOrder *order = find_order(disk, ticket);
    struct Tenant *tenant = order ? registry_find(disk->registry, order->tenant_id) : NULL;
    enum Resource resource;

    if (!order)
        return;
    resource = order->resource;
    disk_order_free(disk, order);
    if (tenant)
        throttling_answer(disk->pipeline, tenant, resource, error, disk->clock());
}

int disk_guard_write(struct DiskGuard *disk, const struct Tenant *tenant, enum Resource resource, int fd,
                     const char *line)
{
    struct DiskOrder *order;
    int r;

    if (!disk->open)
        return -ENOTCONN;
    order = disk_order_new(disk, ORDER_WRITE, tenant->cgroup.id, 0, 0, NULL);
    if (!order)
        return -ENOMEM;
    order->resource = resource;
    r = worker_write(&disk->worker, fd, line, order->ticket);
    if (r < 0)
        disk_order_free(disk, order);
    return r;
}

/* --- looks ---------------------------------------------------------------------------------------- */

/* A rule that is at work wants to see whether there is relief. */
static bool is_at_work(const struct Tenant *tenant)
{
    for (size_t i = 0; tenant->class && i < tenant->class->n_rules; i++)
        if (tenant->condition.rules[i].phase != PHASE_IDLE &&
            (tenant->class->rules[i]->when.reading >= READING_DISK_SPACE ||
             tenant->class->rules[i]->until.reading >= READING_DISK_SPACE))
            return true;
    return false;
}

/* Somebody else set another limit on the project of a tenant: the limits are looked at, which says so and
 * mends it. */
static void check_drift(struct DiskGuard *disk, struct Tenant *tenant, usec_t now)
{
    for (int id = 0; id < LIMIT_COUNT; id++) {
        const struct LimitState *state = &tenant->limits[id];
        uint64_t present;

        if (!limit_is_quota(id) || !state->applied || state->waiting > 0 || tenant->limits_due_usec <= now ||
            limiting_present(tenant, id, &present) < 0 || limit_is_same(id, present, state->value))
            continue;
        disk_notice(disk, tenant, LOG_WARNING, "somebody else changed its %s: it is looked at again",
                    limit_info(id)->directive);
        tenant->limits_due_usec = now;
        agenda_put(tenant);
    }
}

void disk_guard_probe(struct DiskGuard *disk)
{
    if (disk->open)
        load_filesystems(disk);
}

void disk_guard_look(struct DiskGuard *disk, struct Tenant *tenant, bool fresh, usec_t now)
{
    int64_t denied;
    bool announced;

    if (fresh && disk->open && now >= usec_add(disk->probed_usec, PROBE_INTERVAL_USEC))
        load_filesystems(disk);
    if (tenant->disk.n_shares == 0) {
        /* What was read while it had some is not so any more. */
        if (tenant->readings.valid[READING_DISK_SPACE])
            disk_tell(&tenant->disk, now, &tenant->readings);
        return;
    }
    if (!fresh && !tenant->disk.stale && tenant->disk.look_usec > now && !is_at_work(tenant)) {
        disk_pass(&tenant->disk, &tenant->readings);
        return;
    }
    announced = tenant->disk.stale;
    disk_look(&disk->filesystems, &tenant->disk, now, &tenant->readings);
    agenda_put(tenant);
    denied = tenant->readings.value[READING_DISK_DENIED];
    check_drift(disk, tenant, now);
    allowance_place_tripwires(disk, tenant, announced);
    election_look(disk, tenant, now);
    /* An election reads everybody once more; a refusal is told to the one look that it was announced to. */
    tenant->readings.value[READING_DISK_DENIED] = denied;
}

usec_t disk_guard_due_usec(const struct DiskGuard *disk)
{
    return usec_min(usec_min(disk->sweep_usec, disk->collect_usec), election_due_usec(disk));
}

void disk_guard_pass(struct DiskGuard *disk, usec_t now)
{
    if (disk->sweep_usec <= now)
        sweep(disk);
    if (disk->collect_usec <= now)
        share_collect(disk);
    election_pass(disk, now);
}

/* --- start and end -------------------------------------------------------------------------------- */

static void trouble(struct DiskGuard *disk, const char *what, int error)
{
    if (disk->trouble[0] == '\0')
        snprintf(disk->trouble, sizeof(disk->trouble), "%s: %s", what, strerror(-error));
    disk_notice(disk, NULL, LOG_WARNING, "%s: %s", what, strerror(-error));
}

static int add_source(struct DiskGuard *disk, sd_event *event, size_t at, int fd, uint32_t events,
                      sd_event_io_handler_t handler, usec_t interval_usec)
{
    int r;

    if (fd < 0)
        return 0;
    r = sd_event_add_io(event, &disk->sources[at], fd, events, handler, disk);
    if (r >= 0 && interval_usec > 0)
        r = sd_event_source_set_ratelimit(disk->sources[at], interval_usec, 1);
    return r < 0 ? r : 0;
}

static int add_sources(struct DiskGuard *disk, sd_event *event)
{
    int r = add_source(disk, event, 0, warnings_fd(&disk->warnings), EPOLLIN, on_warnings,
                       WARNINGS_INTERVAL_USEC);

    if (r >= 0)
        r = add_source(disk, event, 1, filesystems_mount_fd(&disk->filesystems), EPOLLPRI, on_mounts,
                       MOUNTS_INTERVAL_USEC);
    if (r >= 0)
        r = add_source(disk, event, 2, filesystems_udev_fd(&disk->filesystems), EPOLLIN, on_mounts,
                       MOUNTS_INTERVAL_USEC);
    if (r >= 0)
        r = add_source(disk, event, 3, worker_fd(&disk->worker), EPOLLIN, on_worker, 0);
    return r;
}

static const struct WorkerEvents worker_events = {
    .limited = on_limited, .tagged = on_tagged, .wrote = on_wrote};

static void open_projects(struct DiskGuard *disk)
{
    const struct DiskPolicy *policy = &disk->policy->disk;
    int r = projects_open(&disk->projects, disk->state_dir, policy->first_project, policy->last_project);

    if (r >= 0 && disk->projects.dir_fd < 0)
        r = disk->projects.dir_fd;
    if (r < 0)
        trouble(disk, "no state directory: no disk limit can be kept", r);
    if (disk->projects.damaged > 0)
        disk_notice(disk, NULL, LOG_WARNING, "%zu damaged files of projects: kept as NAME.damaged",
                    disk->projects.damaged);
}

static int open_parts(struct DiskGuard *disk, sd_event *event)
{
    int r;

    open_projects(disk);
    r = filesystems_open(&disk->filesystems, HOST_MOUNTS);
    if (r < 0)
        return r;
    r = warnings_open(&disk->warnings);
    if (r < 0)
        trouble(
            disk,
            "the kernel announces no quota warnings (CONFIG_QUOTA_NETLINK_INTERFACE): limits hold, rules on "
            "disk.* readings do not see a flood",
            r);
    r = worker_open(&disk->worker, &worker_events, disk);
    return r < 0 ? r : add_sources(disk, event);
}

void disk_guard_open(struct DiskGuard *disk, sd_event *event)
{
    int r;

    disk->open = true;
    disk->sweep_usec = disk->collect_usec = USEC_INFINITY;
    disk->warnings = (struct Warnings){.warned = on_warned, .lost = on_lost, .userdata = disk};
    r = open_parts(disk, event);
    if (r < 0) {
        disk->trouble[0] = '\0';
        trouble(disk, "disks are not guarded", r);
        disk_guard_close(disk);
        return;
    }
    load_filesystems(disk);
    disk->collect_usec = usec_add(disk->clock(), 30 * USEC_PER_SEC);
}

void disk_guard_close(struct DiskGuard *disk)
{
    struct ProjectOwner *owner, *next_owner;
    struct DiskOrder *order, *next_order;
    struct DiskStore *store, *next_store;

    if (!disk->open)
        return;
    for (size_t i = 0; i < sizeof(disk->sources) / sizeof(disk->sources[0]); i++)
        disk->sources[i] = sd_event_source_disable_unref(disk->sources[i]);
    if (disk->orders)
        worker_finish(&disk->worker, FINISH_WAIT_USEC);
    worker_close(&disk->worker);
    warnings_close(&disk->warnings);
    filesystems_close(&disk->filesystems);
    projects_close(&disk->projects);
    claims_done(&disk->claims);
    election_reset(disk);
    HASH_ITER (hh, disk->orders, order, next_order)
        disk_order_free(disk, order);
    HASH_ITER (hh, disk->owners, owner, next_owner)
        disk_disown(disk, (dev_t)owner->key.dev, (uint32_t)owner->key.project, owner->tenant_id);
    DL_FOREACH_SAFE (disk->stores, store, next_store) {
        DL_DELETE(disk->stores, store);
        free(store);
    }
    disk->open = false;
}

void disk_guard_reload(struct DiskGuard *disk)
{
    const struct DiskPolicy *policy = &disk->policy->disk;
    struct Tenant *tenant, *other;

    disk->projects.first = policy->first_project;
    disk->projects.last = policy->last_project;
    election_reset(disk);
    load_filesystems(disk);
    HASH_ITER (hh, disk->registry->tenants, tenant, other)
        if (adoption_wanted(tenant) || tenant->disk.n_directories > 0)
            adoption_look(disk, tenant, disk->clock());
}
