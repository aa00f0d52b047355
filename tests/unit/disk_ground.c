/* See disk_ground.h: the rooms below the disk guard, as far as they would ask a kernel. */
#include "tests/unit/disk_ground.h"

#include <errno.h>

#include "act/unit.h"
#include "act/whiteout.h"
#include "base/fd.h"
#include "decide/limits.h"
#include "limiting.h"
#include "tenant/footprint.h"

struct Ground *ground;

/* --- sense/filesystem.h --------------------------------------------------------------------------- */

int filesystems_open(struct Filesystems *filesystems, const char *mountinfo)
{
    *filesystems = (struct Filesystems){.mountinfo_fd = -EBADF};
    return ground->filesystems_error;
}

void filesystems_close(struct Filesystems *filesystems)
{
    *filesystems = (struct Filesystems){.mountinfo_fd = -EBADF};
}

int filesystems_load(struct Filesystems *filesystems, char *const *roots, bool *ret_changed)
{
    filesystems->list = ground->filesystems;
    filesystems->n = 2;
    *ret_changed = true;
    return 0;
}

const struct Filesystem *filesystem_find(struct Filesystems *filesystems, dev_t dev)
{
    for (size_t i = 0; i < filesystems->n; i++)
        if (filesystems->list[i].dev == dev && !filesystems->list[i].gone)
            return &filesystems->list[i];
    return NULL;
}

int filesystems_mount_fd(const struct Filesystems *filesystems)
{
    return -EBADF;
}

int filesystems_udev_fd(const struct Filesystems *filesystems)
{
    return -EBADF;
}

void filesystems_drain(struct Filesystems *filesystems)
{
}

int filesystem_room(const struct Filesystem *filesystem, struct DiskShare *share)
{
    share->free_bytes = ground->free_bytes;
    share->size_bytes = ground->size_bytes;
    share->free_inodes = share->all_inodes = 0;
    return 0;
}

struct DiskUsage *ground_usage(dev_t dev, uint32_t project)
{
    struct GroundUsage *usage;

    for (size_t i = 0; i < ground->n_usages; i++)
        if (ground->usages[i].dev == dev && ground->usages[i].project == project)
            return &ground->usages[i].usage;
    assert_true(ground->n_usages < GROUND_USAGES);
    usage = &ground->usages[ground->n_usages++];
    *usage = (struct GroundUsage){.dev = dev, .project = project};
    return &usage->usage;
}

int quota_read(const struct Filesystem *filesystem, uint32_t project, struct DiskUsage *ret)
{
    if (filesystem->gone || !filesystem->guarded)
        return -ESRCH;
    if (ground->quota_reads == 0)
        return -EMFILE;
    *ret = *ground_usage(filesystem->dev, project);
    return 0;
}

int filesystem_measure(const struct Filesystem *filesystem, struct DiskShare *share)
{
    int r = quota_read(filesystem, share->project, &share->usage);

    return r < 0 ? r : filesystem_room(filesystem, share);
}

int quota_for_each(const struct Filesystem *filesystem, uint32_t first,
                   int (*each)(void *userdata, uint32_t project, const struct DiskUsage *usage),
                   void *userdata)
{
    for (size_t i = 0; i < ground->n_usages; i++)
        if (ground->usages[i].dev == filesystem->dev && ground->usages[i].project >= first)
            each(userdata, ground->usages[i].project, &ground->usages[i].usage);
    return 0;
}

/* --- sense/warnings.h ----------------------------------------------------------------------------- */

int warnings_open(struct Warnings *warnings)
{
    return 0;
}

void warnings_close(struct Warnings *warnings)
{
}

int warnings_fd(const struct Warnings *warnings)
{
    return -EBADF;
}

int warnings_dispatch(struct Warnings *warnings)
{
    return 0;
}

/* --- tenant/footprint.h --------------------------------------------------------------------------- */

static void put_directory(struct Directory *to, const struct GroundTree *tree)
{
    struct stat status = {};

    if (tree->dev == ground->dev)
        assert_int_equal(lstat(tree->path, &status), 0);
    *to = (struct Directory){.path = strdup(tree->path),
                             .kind = tree->kind,
                             .dev = tree->dev,
                             .inode = status.st_ino,
                             .state = tree->found};
    if (tree->found == DIRECTORY_OUT)
        snprintf(to->why, sizeof(to->why), "outside DiskRoots=");
}

int footprint_find(const struct FootprintSources *sources, const struct FootprintOwner *owner,
                   struct Directory **ret_list, size_t *ret_n, bool *ret_unsettled)
{
    struct Directory *list;
    size_t n = 0;

    if (ground->footprint_error < 0)
        return ground->footprint_error;
    list = calloc(GROUND_TREES, sizeof(*list));
    assert_non_null(list);
    for (size_t i = 0; i < ground->n_trees; i++)
        if (strcmp(ground->trees[i].owner, owner->name) == 0)
            put_directory(&list[n++], &ground->trees[i]);
    *ret_unsettled = ground->unsettled;
    *ret_list = list;
    *ret_n = n;
    return 0;
}

/* --- act/ ----------------------------------------------------------------------------------------- */

static struct GroundTree *find_tree(const char *path)
{
    for (size_t i = 0; i < ground->n_trees; i++)
        if (strcmp(ground->trees[i].path, path) == 0)
            return &ground->trees[i];
    return NULL;
}

int tag_read(const char *path, uint32_t *ret_project, bool *ret_inherits)
{
    const struct GroundTree *tree = find_tree(path);

    if (!tree)
        return -ENOENT;
    if (tree->unreadable < 0)
        return tree->unreadable;
    *ret_project = tree->project;
    *ret_inherits = tree->inherits;
    return 0;
}

int whiteout_find(const char *work)
{
    const struct GroundTree *tree = find_tree(work);

    return tree && tree->whiteout;
}

int worker_open(struct Worker *worker, const struct WorkerEvents *events, void *userdata)
{
    *worker = (struct Worker){.events = *events, .userdata = userdata};
    return ground->worker_error;
}

bool worker_close(struct Worker *worker)
{
    return true;
}

int worker_fd(const struct Worker *worker)
{
    return -EBADF;
}

void worker_dispatch(struct Worker *worker)
{
}

int worker_limit(struct Worker *worker, const struct QuotaOrder *order, uint64_t ticket)
{
    assert_true(ground->n_limits < GROUND_ORDERS);
    assert_non_null(order->path);
    ground->limits[ground->n_limits++] = (struct GroundLimit){*order, ticket};
    ground->limits_asked++;
    return 0;
}

int worker_write(struct Worker *worker, int fd, const char *line, uint64_t ticket)
{
    ground->line_ticket = ticket;
    return fd < 0 ? -EBADF : 0;
}

int worker_tag(struct Worker *worker, const struct TagOrder *order, uint64_t ticket)
{
    struct GroundWalk *walk = &ground->walks[ground->n_walks++];

    assert_true(ground->n_walks < GROUND_ORDERS);
    *walk = (struct GroundWalk){.order = *order, .ticket = ticket};
    snprintf(walk->path, sizeof(walk->path), "%s", order->path);
    ground->walks_asked++;
    return 0;
}

void worker_cancel(struct Worker *worker, uint64_t ticket)
{
    size_t kept = 0;

    for (size_t i = 0; i < ground->n_walks; i++)
        if (ground->walks[i].ticket != ticket)
            ground->walks[kept++] = ground->walks[i];
    ground->n_walks = kept;
}

static void keep(const struct QuotaOrder *order, struct DiskUsage *usage)
{
    if (order->space) {
        usage->space_hard_bytes = order->space_hard_bytes;
        usage->space_soft_bytes = order->space_soft_bytes;
    }
    if (order->inodes) {
        usage->inodes_hard = order->inodes_hard;
        usage->inodes_soft = order->inodes_soft;
    }
}

/* Done by the threads, and told nobody. */
void worker_finish(struct Worker *worker, uint64_t wait_usec)
{
    for (size_t i = 0; i < ground->n_limits; i++)
        keep(&ground->limits[i].order,
             ground_usage(ground->limits[i].order.dev, ground->limits[i].order.project));
    ground->n_limits = 0;
}

void ground_answer_limit(int error)
{
    struct GroundLimit limit = ground->limits[0];
    struct DiskUsage *usage = ground_usage(limit.order.dev, limit.order.project), read = {};

    assert_true(ground->n_limits > 0);
    memmove(ground->limits, ground->limits + 1, --ground->n_limits * sizeof(limit));
    if (error == 0) {
        keep(&limit.order, usage);
        read = *usage;
    }
    ground->disk.worker.events.limited(ground->disk.worker.userdata, limit.ticket, error, &read);
}

size_t ground_answer_limits(int error)
{
    size_t n = ground->n_limits;

    for (size_t i = 0; i < n; i++)
        ground_answer_limit(error);
    return n;
}

static void walk_tree(const struct GroundWalk *walk, struct TagResult *result)
{
    struct GroundTree *tree = find_tree(walk->path);

    *result = (struct TagResult){.seen = 1};
    if (!tree)
        return;
    if (walk->order.mode == TAG_CLEAR && tree->project == walk->order.project) {
        tree->project = 0;
        tree->inherits = false;
        result->changed = 1;
    } else if (walk->order.mode == TAG_ADOPT || walk->order.mode == TAG_REPAIR) {
        result->changed = tree->project != walk->order.project;
        tree->project = walk->order.project;
        tree->inherits = true;
    } else if (walk->order.mode == TAG_CHECK) {
        result->wrong = tree->project != walk->order.project;
    }
}

size_t ground_answer_walks(int error)
{
    size_t n = ground->n_walks, done = 0;

    for (; done < n && ground->n_walks > 0; done++) {
        struct GroundWalk walk = ground->walks[0];
        struct TagResult result = {};

        memmove(ground->walks, ground->walks + 1, --ground->n_walks * sizeof(walk));
        if (error == 0)
            walk_tree(&walk, &result);
        ground->disk.worker.events.tagged(ground->disk.worker.userdata, walk.ticket, true, error, &result);
    }
    return done;
}

/* PID 1, whom nothing here concerns */
int unit_set_limit(struct UnitManager *manager, const char *unit, enum LimitId limit, uint64_t value,
                   uint64_t tenant_id)
{
    return -ENOENT;
}

int unit_set_rates(struct UnitManager *manager, const char *unit, enum LimitId limit,
                   const struct UnitDisk *disks, size_t n, uint64_t tenant_id)
{
    return -ENOENT;
}

void unit_tell_freezer(struct UnitManager *manager, const char *unit, bool frozen)
{
}

/* --- the guard ------------------------------------------------------------------------------------ */

static usec_t ground_clock(void)
{
    return ground->now;
}

static void on_settled(void *userdata, struct Tenant *tenant, const struct Decision *decision,
                       const struct Outcome *outcome, uint64_t ticket, usec_t now)
{
    ground->outcome = *outcome;
    if (decision->limit >= 0)
        ground->settled[decision->limit]++;
}

static int set_quota(void *userdata, struct Tenant *tenant, enum LimitId limit, uint64_t value)
{
    return allowance_set(&ground->disk, tenant, limit, value);
}

/* As guard_look(), without an engine. */
static void on_look(void *userdata, struct Tenant *tenant)
{
    if (ground->n_looked < sizeof(ground->looked) / sizeof(ground->looked[0]))
        ground->looked[ground->n_looked++] = tenant;
    disk_guard_look(&ground->disk, tenant, false, ground->now);
}

static void on_announced(void *userdata)
{
}

static void on_filesystems(void *userdata)
{
}

static void on_inspected(void *userdata, uint64_t ticket, struct Tenant *tenant,
                         const struct Outcome *outcome)
{
    ground->inspected = *outcome;
    ground->n_inspected++;
}

static int no_sink(void *userdata, const struct Event *event, uint64_t lost)
{
    return 0;
}

static void start(void)
{
    ground->pipeline = (struct Pipeline){.ledger = &ground->ledger,
                                         .history = &ground->history,
                                         .mode = MODE_ENFORCE,
                                         .clock = ground_clock,
                                         .set_quota = set_quota,
                                         .settled = on_settled};
    ground->disk = (struct DiskGuard){.policy = &ground->policy,
                                      .registry = &ground->registry,
                                      .pipeline = &ground->pipeline,
                                      .clock = ground_clock,
                                      .root = "",
                                      .state_dir = ground->state_dir,
                                      .look = on_look,
                                      .inspected = on_inspected,
                                      .announced = on_announced,
                                      .filesystems_changed = on_filesystems};
    assert_int_equal(history_open_sink(&ground->history, 512, no_sink, NULL), 0);
    disk_guard_open(&ground->disk, NULL);
}

static void free_tenant(struct Tenant *tenant)
{
    disk_done(&tenant->disk);
    free(tenant->cgroup.path);
    free(tenant);
}

static void end(void)
{
    struct Tenant *tenant, *other;

    disk_guard_close(&ground->disk);
    HASH_ITER (hh, ground->registry.tenants, tenant, other) {
        HASH_DEL(ground->registry.tenants, tenant);
        free_tenant(tenant);
    }
    history_close(&ground->history);
    ground->n_limits = ground->n_walks = 0;
}

static void set_filesystem(struct Filesystem *filesystem, dev_t dev, char *path)
{
    *filesystem = (struct Filesystem){
        .dev = dev, .path = path, .type = (char *)"xfs", .device = path, .guarded = true, .repeats = true};
}

int ground_set_up(void **state)
{
    const struct Scratch scratch = scratch_new("/tmp");
    struct stat status;

    ground = calloc(1, sizeof(*ground));
    assert_non_null(ground);
    ground->scratch = scratch;
    scratch_mkdir(&scratch, "state");
    scratch_path(&scratch, "state", ground->state_dir);
    assert_int_equal(lstat(ground->scratch.path, &status), 0);
    ground->dev = status.st_dev;
    ground->now = 1000 * USEC_PER_SEC;
    ground->ledger.fd = -EBADF;
    ground->quota_reads = UINT32_MAX;
    ground->size_bytes = 100 * GB;
    ground->free_bytes = 90 * GB;
    set_filesystem(&ground->filesystems[0], ground->dev, ground->scratch.path);
    set_filesystem(&ground->filesystems[1], OTHER_DEV, (char *)"/other");
    ground->policy.disk = (struct DiskPolicy){.first_project = FIRST_PROJECT, .last_project = LAST_PROJECT};
    ground->class = (struct TenantClass){.name = "containers", .disk = true, .disk_warn_percent = 80};
    ground->class.limits.set[LIMIT_DISK_SPACE_MAX] = true;
    ground->class.limits.value[LIMIT_DISK_SPACE_MAX] = 10 * GB;
    ground->other_class = (struct TenantClass){.name = "others"};
    start();
    *state = ground;
    return 0;
}

int ground_tear_down(void **state)
{
    end();
    scratch_done(&ground->scratch);
    free(ground);
    ground = NULL;
    return 0;
}

void ground_restart(void)
{
    end();
    start();
}

struct Tenant *ground_tenant(uint64_t id, const char *name)
{
    struct Tenant *tenant = calloc(1, sizeof(*tenant));

    assert_non_null(tenant);
    tenant->cgroup = CGROUP_NULL;
    tenant->cgroup.id = id;
    tenant->cgroup.path = strdup(name);
    snprintf(tenant->name, sizeof(tenant->name), "%s", name);
    snprintf(tenant->container_id, sizeof(tenant->container_id), "%064d", (int)id);
    tenant->class = &ground->class;
    tenant->limits_due_usec = tenant->disk.look_usec = USEC_INFINITY;
    for (size_t i = 0; i < HOLDER_COUNT; i++)
        tenant->hold_slots[i] = LEDGER_SLOT_NONE;
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        tenant->limit_slots[i] = LEDGER_SLOT_NONE;
    HASH_ADD(hh, ground->registry.tenants, cgroup.id, sizeof(tenant->cgroup.id), tenant);
    return tenant;
}

void ground_vanish(struct Tenant *tenant)
{
    HASH_DEL(ground->registry.tenants, tenant);
    tenant->gone = true;
    adoption_vanished(&ground->disk, tenant, ground->now);
    free_tenant(tenant);
}

struct GroundTree *ground_directory(const char *owner, enum DirectoryKind kind, const char *name, dev_t dev)
{
    struct GroundTree *tree = &ground->trees[ground->n_trees++];
    const struct Scratch scratch = ground->scratch;

    assert_true(ground->n_trees <= GROUND_TREES);
    *tree = (struct GroundTree){.kind = kind, .dev = dev, .found = DIRECTORY_WAITING};
    snprintf(tree->owner, sizeof(tree->owner), "%s", owner);
    if (dev == ground->dev) {
        scratch_path(&scratch, name, tree->path);
        if (access(tree->path, F_OK) < 0)
            scratch_mkdir(&scratch, name);
    } else {
        snprintf(tree->path, sizeof(tree->path), "/other/%s", name);
    }
    return tree;
}

void ground_remove(struct GroundTree *tree)
{
    assert_int_equal(rmdir(tree->path), 0);
    tree->owner[0] = tree->path[0] = '\0';
}

void ground_check(struct Tenant *tenant)
{
    struct Decision decision;
    uint64_t present;

    tenant->limits_due_usec = USEC_INFINITY;
    adoption_look(&ground->disk, tenant, ground->now);
    for (int id = LIMIT_DISK_SPACE_MAX; id <= LIMIT_DISK_INODES_MAX; id++)
        if (limiting_present(tenant, id, &present) >= 0 &&
            limit_decide(tenant, id, present, ground->now, &decision))
            pipeline_carry_out(&ground->pipeline, tenant, &decision, 0, ground->now);
}

void ground_settle(void)
{
    struct Tenant *tenant, *other;
    bool any = true;

    for (int turn = 0; any; turn++) {
        assert_true(turn < 20); /* they wake each other for ever */
        any = false;
        HASH_ITER (hh, ground->registry.tenants, tenant, other)
            if (tenant->limits_due_usec <= ground->now) {
                any = true;
                ground_check(tenant);
            }
    }
}

void ground_work(void)
{
    for (int turn = 0; ground->n_limits + ground->n_walks > 0; turn++) {
        assert_true(turn < 20);
        (void)ground_answer_limits(0);
        (void)ground_answer_walks(0);
        ground_settle();
    }
}

const struct Directory *ground_state(struct Tenant *tenant, const struct GroundTree *tree,
                                     enum DirectoryState wanted)
{
    for (size_t i = 0; i < tenant->disk.n_directories; i++) {
        const struct Directory *directory = &tenant->disk.directories[i];

        if (strcmp(directory->path, tree->path) != 0)
            continue;
        if (directory->state != wanted)
            fail_msg("%s is %s (%s), not %s", tree->path, directory_state_name(directory->state),
                     directory->why, directory_state_name(wanted));
        return directory;
    }
    fail_msg("%s is not known of %s", tree->path, tenant->name);
    return NULL;
}

bool ground_said(const char *text)
{
    struct Event event;

    for (uint64_t i = 1; i <= ground->history.last_sequence; i++)
        if (history_get(&ground->history, i, &event) &&
            (strstr(event.text, text) || strstr(event.decision.reason, text)))
            return true;
    return false;
}
