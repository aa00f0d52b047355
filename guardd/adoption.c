/* A directory goes through these states: found and judged (DIRECTORY_OUT with the reason, or it may count),
 * its project written down (record/project.h), its files tagged by the worker, DIRECTORY_COUNTED. What is
 * written down says which directories may have tagged files, before the first one is: after kill -9 the walk
 * begins again, and passes quickly over what is done. The same the other way round when a directory counts no
 * more. */
#include "adoption.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "act/tagger.h"
#include "act/whiteout.h"
#include "allowance.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "tenant/footprint.h"

#define PROJID_FILE "/etc/projid"
#define PROJECTS_FILE "/etc/projects"
/* Progress of a long walk is told this often. */
#define PROGRESS_INTERVAL_USEC (5 * USEC_PER_SEC)
/* What could not be done now is tried again after this. */
#define RETRY_USEC (30 * USEC_PER_SEC)
/* Runtimes remove a container's directories after its cgroup. */
#define COLLECT_DELAY_USEC (30 * USEC_PER_SEC)

bool adoption_wanted(const struct Tenant *tenant)
{
    if (tenant->untouchable || tenant->released || tenant->gone)
        return false;
    return (tenant->class && tenant->class->disk) || tenant->overrides.set[LIMIT_DISK_SPACE_MAX] ||
           tenant->overrides.set[LIMIT_DISK_INODES_MAX];
}

/* What a project's file names a filesystem by: its UUID outlives a change of device names. */
static const char *filesystem_key(const struct Filesystem *filesystem, char *buf, size_t size)
{
    if (filesystem->uuid[0] != '\0')
        snprintf(buf, size, "UUID=%s", filesystem->uuid);
    else
        snprintf(buf, size, "%s", filesystem->device ? filesystem->device : filesystem->path);
    return buf;
}
#define FILESYSTEM_KEY_MAX 256

static bool counts(const struct Directory *directory)
{
    return directory->state != DIRECTORY_OUT;
}

static bool is_same(const struct Directory *a, const struct Directory *b)
{
    return a->dev == b->dev && a->inode == b->inode && strcmp(a->path, b->path) == 0;
}

static struct Directory *find_directory(const struct Disk *disk, const char *path)
{
    for (size_t i = 0; i < disk->n_directories; i++)
        if (strcmp(disk->directories[i].path, path) == 0)
            return &disk->directories[i];
    return NULL;
}

__attribute__((format(printf, 2, 3))) static void leave_out(struct Directory *directory, const char *format,
                                                            ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(directory->why, sizeof(directory->why), format, arguments);
    va_end(arguments);
    directory->state = DIRECTORY_OUT;
}

static void try_again(const struct DiskGuard *disk, struct Tenant *tenant)
{
    tenant->limits_due_usec = usec_min(tenant->limits_due_usec, usec_add(disk->clock(), RETRY_USEC));
}

/* --- orders to tag -------------------------------------------------------------------------------- */

static int order_walk(struct DiskGuard *disk, enum OrderKind kind, enum TagMode mode, uint64_t tenant_id,
                      const struct Directory *directory, uint32_t project)
{
    struct DiskOrder *order = disk_order_new(disk, kind, tenant_id, directory->dev, project, directory->path);
    struct TagOrder tag = {.path = directory->path,
                           .dev = directory->dev,
                           .inode = directory->inode,
                           .project = project,
                           .first_project = disk->projects.first,
                           .last_project = disk->projects.last,
                           .mode = mode};
    int r;

    if (!order)
        return -ENOMEM;
    r = worker_tag(&disk->worker, &tag, order->ticket);
    if (r < 0)
        disk_order_free(disk, order);
    return r;
}

/* A walk for this project that is under way, or waits, for this directory ends. */
static void cancel_walks(struct DiskGuard *disk, const char *path, uint32_t project)
{
    struct DiskOrder *order, *next;

    HASH_ITER (hh, disk->orders, order, next)
        if (order->path && strcmp(order->path, path) == 0 && order->project == project &&
            (order->kind == ORDER_TAG || order->kind == ORDER_CLEAR)) {
            worker_cancel(&disk->worker, order->ticket);
            disk_order_free(disk, order);
        }
}

/* From now on nobody believes that all of it is tagged, neither when it counts again before all is cleared
 * nor after kill -9. */
static int order_clear(struct DiskGuard *disk, uint64_t tenant_id, const struct Directory *directory,
                       uint32_t id)
{
    struct Project *project = project_by_id(&disk->projects, id);

    cancel_walks(disk, directory->path, id);
    if (project)
        (void)project_note(&disk->projects, project, directory->path, false);
    return order_walk(disk, ORDER_CLEAR, TAG_CLEAR, tenant_id, directory, id);
}

/* It counted, or was about to, and does no more. */
static void give_up(struct DiskGuard *disk, struct Tenant *tenant, const struct Directory *directory)
{
    struct DiskShare *share = disk_share(&tenant->disk, directory->dev);

    if (share)
        (void)order_clear(disk, tenant->cgroup.id, directory, share->project);
}

/* --- projects ------------------------------------------------------------------------------------- */

/* For project_take(): does the kernel count anything by this id? */
static int is_used(void *userdata, uint32_t id)
{
    struct DiskUsage usage;
    int r = quota_read(userdata, id, &usage);

    if (r < 0)
        return r;
    return usage.space_bytes != 0 || usage.inodes != 0 || usage.space_hard_bytes != 0 ||
           usage.space_soft_bytes != 0 || usage.inodes_hard != 0 || usage.inodes_soft != 0;
}

static int get_project(struct DiskGuard *disk, const struct Tenant *tenant,
                       const struct Filesystem *filesystem, struct Project **ret)
{
    char key[FILESYSTEM_KEY_MAX];

    filesystem_key(filesystem, key, sizeof(key));
    *ret = project_find(&disk->projects, key, tenant->name);
    if (*ret)
        return 0;
    return project_take(&disk->projects, key, tenant->name, PROJID_FILE, PROJECTS_FILE, is_used,
                        (void *)filesystem, ret);
}

static void describe(const struct Filesystem *filesystem, char *buf, size_t size)
{
    snprintf(buf, size, "%.60s (%.30s%s%.36s)", filesystem->path,
             filesystem->device ? filesystem->device : filesystem->type,
             filesystem->uuid[0] != '\0' ? ", UUID=" : "", filesystem->uuid);
}

/* The tenant's share of this filesystem, new if it has none; NULL and `why` otherwise. */
static struct DiskShare *get_share(struct DiskGuard *disk, struct Tenant *tenant,
                                   const struct Filesystem *filesystem, char *why, size_t size)
{
    struct DiskShare *share = disk_share(&tenant->disk, filesystem->dev);
    struct Project *project;
    int r;

    if (share)
        return share;
    if (tenant->disk.n_shares == DISK_SHARES_MAX) {
        snprintf(why, size, "it has files on more than %d filesystems", DISK_SHARES_MAX);
        return NULL;
    }
    r = get_project(disk, tenant, filesystem, &project);
    if (r >= 0)
        r = disk_own(disk, filesystem->dev, project->id, tenant->cgroup.id);
    if (r < 0) {
        try_again(disk, tenant);
        snprintf(why, size, "no project id could be taken for it: %s",
                 r == -ENOSPC ? "ProjectIds= is used up, or the disk of /var/lib is full" : strerror(-r));
        return NULL;
    }
    share = &tenant->disk.shares[tenant->disk.n_shares++];
    *share = (struct DiskShare){.dev = filesystem->dev, .project = project->id};
    describe(filesystem, share->where, sizeof(share->where));
    share->valid = quota_read(filesystem, project->id, &share->usage) >= 0;
    tenant->disk.stale = true;
    return share;
}

/* --- one directory -------------------------------------------------------------------------------- */

static const char *name_of(const struct DiskGuard *disk, uint64_t tenant_id)
{
    const struct Tenant *tenant = registry_find(disk->registry, tenant_id);

    return tenant ? tenant->name : "another tenant";
}

/* Does its root belong to a project of somebody else? */
static bool is_foreign(const struct DiskGuard *disk, uint32_t present, uint32_t ours)
{
    return present != 0 && present != ours &&
           (present < disk->projects.first || present > disk->projects.last);
}

/* Podman gives each container a project of its own on XFS, without a limit, to see its size by: such a one
 * gives way. It is read off the directory above, which the container does not reach. 0: there is none. */
static uint32_t superseded(struct DiskGuard *disk, const struct Directory *directory,
                           const struct DiskShare *share)
{
    const struct Filesystem *filesystem = filesystem_find(&disk->filesystems, share->dev);
    _cleanup_free_ char *above = strdup(directory->path);
    struct DiskUsage usage;
    uint32_t project = 0;
    bool inherits = false;

    if (!filesystem || !above || (directory->kind != DIRECTORY_LAYER && directory->kind != DIRECTORY_WORK))
        return 0;
    *strrchr(above, '/') = '\0';
    if (tag_read(above, &project, &inherits) < 0 || !is_foreign(disk, project, share->project) ||
        quota_read(filesystem, project, &usage) < 0)
        return 0;
    return usage.space_hard_bytes == 0 && usage.inodes_hard == 0 ? project : 0;
}

static bool was_tagged(const struct Project *project, const char *path)
{
    for (size_t i = 0; project && i < project->n_directories; i++)
        if (strcmp(project->directories[i].path, path) == 0)
            return project->directories[i].tagged;
    return false;
}

/* Overlay's work directory goes first: a whiteout that overlayfs made before would break the container
 * (act/whiteout.h), and from when the directory has its project none is made without. */
static struct Directory *find_work(const struct Disk *disk, dev_t dev)
{
    for (size_t i = 0; i < disk->n_directories; i++)
        if (disk->directories[i].kind == DIRECTORY_WORK && disk->directories[i].dev == dev)
            return &disk->directories[i];
    return NULL;
}

#define HAD_WHITEOUTS                                                                                        \
    "it removed files of its image before guardd came: its root counts when it was stopped and started"

/* May the layer be walked? Else it waits, or is left out. */
static bool may_walk_layer(const struct Disk *disk, struct Directory *layer)
{
    const struct Directory *work = find_work(disk, layer->dev);

    if (!work)
        return true;
    if (work->state == DIRECTORY_COUNTED)
        return true;
    if (work->state == DIRECTORY_OUT)
        leave_out(layer, "%s", work->why);
    return false;
}

/* Of a container's small files, and of what goes with its root, nobody wants to read at each start. */
static bool is_worth_a_line(const struct Directory *directory)
{
    return directory->kind != DIRECTORY_RUNTIME && directory->kind != DIRECTORY_WORK;
}

/* Has it walked. What is written down comes first: kill -9 may come at any time. */
static void begin_walk(struct DiskGuard *disk, struct Tenant *tenant, struct Directory *directory,
                       struct Project *project, enum TagMode mode)
{
    int r = project ? project_note(&disk->projects, project, directory->path, false) : -ENOENT;

    if (r >= 0) {
        cancel_walks(disk, directory->path, project->id);
        r = order_walk(disk, ORDER_TAG, mode, tenant->cgroup.id, directory, project->id);
    }
    if (r < 0) {
        try_again(disk, tenant);
        return leave_out(directory, "not begun: %s", strerror(-r));
    }
    directory->state = DIRECTORY_TAGGING;
    if (!is_worth_a_line(directory))
        return;
    disk_notice(disk, tenant, LOG_INFO, "%.200s counts from now on (%s), what is in it is tagged",
                directory->path, directory_kind_name(directory->kind));
}

/* It may count: has it walked, unless that is done or under way. */
static void adopt(struct DiskGuard *disk, struct Tenant *tenant, struct Directory *directory,
                  const struct DiskShare *share)
{
    struct Project *project = project_by_id(&disk->projects, share->project);
    uint32_t present = 0, other = superseded(disk, directory, share);
    bool inherits = false;
    int r = tag_read(directory->path, &present, &inherits);

    if (r == -EMFILE || r == -ENFILE || r == -ENOMEM)
        return try_again(disk, tenant); /* it stays what it is */
    if (r < 0)
        return leave_out(directory, "its project cannot be read: %s", strerror(-r));
    if (is_foreign(disk, present, share->project) && present != other)
        return leave_out(
            directory, "it is of project %u already, somebody else's (docker --storage-opt size?)", present);
    if (directory->state == DIRECTORY_TAGGING)
        return;
    if (directory->kind == DIRECTORY_WORK && present != share->project && whiteout_find(directory->path) > 0)
        return leave_out(directory, HAD_WHITEOUTS);
    if (directory->kind == DIRECTORY_LAYER && !may_walk_layer(&tenant->disk, directory))
        return;
    if (present == share->project && (inherits || directory->kind == DIRECTORY_RUNTIME) &&
        was_tagged(project, directory->path)) {
        directory->state = DIRECTORY_COUNTED;
        return;
    }
    begin_walk(disk, tenant, directory, project, other != 0 ? TAG_REPAIR : TAG_ADOPT);
}

/* Another tenant has it, too. One of the same name is this tenant before its restart. */
static uint64_t find_rival(const struct DiskGuard *disk, const struct Tenant *tenant,
                           const struct Directory *directory)
{
    uint64_t rival = claims_rival(&disk->claims, tenant->cgroup.id, directory);

    return rival != 0 && strcmp(name_of(disk, rival), tenant->name) == 0 ? 0 : rival;
}

static void judge(struct DiskGuard *disk, struct Tenant *tenant, struct Directory *directory)
{
    const struct Filesystem *filesystem = filesystem_find(&disk->filesystems, directory->dev);
    uint64_t rival = find_rival(disk, tenant, directory);
    struct DiskShare *share;
    char why[128];

    if (!filesystem)
        return leave_out(directory, "its filesystem is not mounted here");
    if (!filesystem->guarded)
        return leave_out(directory, "%s", filesystem->why);
    if (rival != 0)
        return leave_out(directory, "shared with %.150s", name_of(disk, rival));
    if (disk->pipeline->mode == MODE_OBSERVE)
        return leave_out(directory, "it would count, but Mode=observe changes nothing");
    share = get_share(disk, tenant, filesystem, why, sizeof(why));
    if (!share)
        return leave_out(directory, "%s", why);
    adopt(disk, tenant, directory, share);
}

/* --- all of a tenant's ---------------------------------------------------------------------------- */

static int find(struct DiskGuard *disk, struct Tenant *tenant, struct Directory **ret_list, size_t *ret_n,
                bool *ret_unsettled)
{
    const struct FootprintSources sources = {.proc = "/proc",
                                             .root = disk->root,
                                             .mounts = &disk->filesystems.mounts,
                                             .policy = &disk->policy->disk,
                                             .passwd = "/etc/passwd"};
    const struct FootprintOwner owner = {.name = tenant->name,
                                         .path = tenant->cgroup.path,
                                         .unit = tenant->cgroup.unit,
                                         .container_id = tenant->container_id,
                                         .cgroup_fd = tenant->cgroup.dir_fd,
                                         .class = tenant->class,
                                         .state_directories = tenant->state_directories};

    return footprint_find(&sources, &owner, ret_list, ret_n, ret_unsettled);
}

/* What is known of a directory goes with it. */
static void carry_over(const struct Disk *from, struct Directory *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < from->n_directories; j++) {
            const struct Directory *old = &from->directories[j];

            if (!counts(&list[i]) || !counts(old) || !is_same(&list[i], old))
                continue;
            list[i].state = old->state;
            list[i].seen = old->seen;
            list[i].changed = old->changed;
            list[i].passed_over = old->passed_over;
            memcpy(list[i].why, old->why, sizeof(old->why));
        }
}

static bool is_in(const struct Directory *directory, const struct Directory *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_same(directory, &list[i]))
            return true;
    return false;
}

/* Whoever shares something with this tenant finds its own directories again. */
static void wake_rival(void *userdata, uint64_t rival)
{
    struct DiskGuard *disk = userdata;
    struct Tenant *tenant = registry_find(disk->registry, rival);

    if (tenant)
        tenant->limits_due_usec = 0;
}

/* Directories that were not among `before` may be another's too. */
static void wake_rivals_of_new(struct DiskGuard *disk, const struct Tenant *tenant,
                               const struct Directory *before, size_t n_before)
{
    for (size_t i = 0; i < tenant->disk.n_directories; i++) {
        const struct Directory *directory = &tenant->disk.directories[i];

        if (counts(directory) && !is_in(directory, before, n_before))
            claims_each_rival(&disk->claims, tenant->cgroup.id, directory, 1, wake_rival, disk);
    }
}

static const struct Filesystem *find_by_key(struct DiskGuard *disk, const char *wanted)
{
    for (size_t i = 0; i < disk->filesystems.n; i++) {
        const struct Filesystem *filesystem = &disk->filesystems.list[i];
        char key[FILESYSTEM_KEY_MAX];

        if (!filesystem->gone && filesystem->guarded &&
            strcmp(filesystem_key(filesystem, key, sizeof(key)), wanted) == 0)
            return filesystem;
    }
    return NULL;
}

/* No file has it any more: its limits go, and the id with them. */
static void return_unused(struct DiskGuard *disk, dev_t dev, uint32_t id)
{
    struct Project *project = project_by_id(&disk->projects, id);
    const struct Filesystem *filesystem = project ? find_by_key(disk, project->filesystem) : NULL;

    if (!filesystem || project->n_directories > 0 || disk_project_owner(disk, dev, id))
        return;
    allowance_lift(disk, filesystem, id);
    (void)project_return(&disk->projects, project);
}

static bool is_used_share(const struct Disk *disk, const struct DiskShare *share)
{
    for (size_t i = 0; i < disk->n_directories; i++)
        if (counts(&disk->directories[i]) && disk->directories[i].dev == share->dev)
            return true;
    return false;
}

/* Shares on which nothing counts any more. */
static void drop_shares(struct DiskGuard *disk, struct Tenant *tenant)
{
    struct Disk *of = &tenant->disk;
    size_t kept = 0;

    for (size_t i = 0; i < of->n_shares; i++) {
        const struct DiskShare share = of->shares[i];

        if (is_used_share(of, &share)) {
            of->shares[kept++] = share;
            continue;
        }
        disk_disown(disk, share.dev, share.project, tenant->cgroup.id);
        return_unused(disk, share.dev, share.project);
    }
    of->n_shares = kept;
    if (kept == 0)
        of->look_usec = USEC_INFINITY;
}

/* The tenant goes; its projects stay, and wait for whoever comes by its name. Perhaps that one is here
 * already. */
static void leave_shares(struct DiskGuard *disk, struct Tenant *tenant)
{
    for (size_t i = 0; i < tenant->disk.n_shares; i++) {
        const struct DiskShare *share = &tenant->disk.shares[i];

        if (tenant->container_id[0] != '\0' && disk_owns(disk, share->dev, share->project, tenant->cgroup.id))
            allowance_ease(disk, tenant, share);
        disk_disown(disk, share->dev, share->project, tenant->cgroup.id);
    }
    tenant->disk.n_shares = 0;
}

/* What is no container has directories only where its class names them. */
static bool has_none(const struct Tenant *tenant)
{
    return tenant->disk.n_directories == 0 && tenant->container_id[0] == '\0' &&
           !(tenant->class && tenant->class->disk_paths && tenant->class->disk_paths[0]);
}

static void explain_unguarded(struct Tenant *tenant)
{
    struct Disk *disk = &tenant->disk;

    disk->unguarded[0] = '\0';
    if (disk->n_shares > 0 || has_none(tenant))
        return;
    snprintf(disk->unguarded, sizeof(disk->unguarded), "no directory of it was found");
    for (size_t i = 0; i < disk->n_directories; i++)
        if (!counts(&disk->directories[i])) {
            snprintf(disk->unguarded, sizeof(disk->unguarded), "%s", disk->directories[i].why);
            return;
        }
}

/* What the kernel already keeps for a project of ours is ours, from before a restart. */
static void take_up_limits(struct Tenant *tenant)
{
    for (int id = 0; id < LIMIT_COUNT; id++) {
        struct LimitState *state = &tenant->limits[id];
        uint64_t present;

        if (limit_is_quota(id) && !state->applied && disk_limit(&tenant->disk, id, &present) >= 0 &&
            present != LIMIT_INFINITY)
            *state = (struct LimitState){
                .applied = true, .cause = CAUSE_CLASS, .found = LIMIT_INFINITY, .value = present};
    }
}

static bool waits_for_limit(const struct Tenant *tenant)
{
    return tenant->limits[LIMIT_DISK_SPACE_MAX].waiting > 0 ||
           tenant->limits[LIMIT_DISK_INODES_MAX].waiting > 0;
}

/* A directory it had before: is it still its own, does it still count? Where the kernel does not count for
 * the moment (quotas are off, the filesystem is read-only) its files keep their project: it would be walked
 * twice. Observing, nothing is taken off. */
static void compare(struct DiskGuard *disk, struct Tenant *tenant, const struct Directory *before)
{
    const struct Directory *now = find_directory(&tenant->disk, before->path);
    const struct Filesystem *filesystem = filesystem_find(&disk->filesystems, before->dev);

    if (!now)
        claims_each_rival(&disk->claims, tenant->cgroup.id, before, 1, wake_rival, disk);
    if (counts(before) && (!now || !counts(now)) && disk->pipeline->mode == MODE_ENFORCE && filesystem &&
        filesystem->guarded && !filesystem->read_only)
        give_up(disk, tenant, before);
}

/* What counted for the tenant of this name when it was here last, and does no more: a volume that its new
 * container does not have, a layer that is gone. */
static void clear_leftovers(struct DiskGuard *disk, struct Tenant *tenant)
{
    for (size_t i = 0; i < tenant->disk.n_shares; i++) {
        struct Project *project = project_by_id(&disk->projects, tenant->disk.shares[i].project);

        for (size_t j = project ? project->n_directories : 0; j-- > 0;) {
            struct Directory left = {.path = project->directories[j].path};
            const struct Directory *now = find_directory(&tenant->disk, left.path);
            struct stat status;

            if (now && counts(now))
                continue;
            if (lstat(left.path, &status) < 0) {
                if (errno == ENOENT)
                    (void)project_forget(&disk->projects, project, left.path);
            } else if (status.st_dev == tenant->disk.shares[i].dev) {
                left.dev = status.st_dev;
                left.inode = status.st_ino;
                (void)order_clear(disk, tenant->cgroup.id, &left, project->id);
            }
        }
    }
}

/* A process of a container may unmount what it was given, and another one still have it: what counted goes on
 * counting as long as the container lives. -ENOMEM: it does not. */
static int retain(const struct Disk *disk, struct Directory **list, size_t *n)
{
    for (size_t i = 0; i < disk->n_directories; i++) {
        const struct Directory *old = &disk->directories[i];
        struct Directory *longer;
        struct stat status;

        if (!counts(old) || old->kind == DIRECTORY_NAMED || is_in(old, *list, *n) ||
            lstat(old->path, &status) < 0 || status.st_dev != old->dev || status.st_ino != old->inode)
            continue;
        longer = reallocarray(*list, *n + 1, sizeof(**list));
        if (!longer)
            return -ENOMEM;
        *list = longer;
        longer[*n] = *old;
        longer[*n].path = strdup(old->path);
        if (!longer[*n].path)
            return -ENOMEM;
        (*n)++;
    }
    return 0;
}

/* Overlayfs moves files from the one into the other: of two projects, or of one and none, they would break
 * the container. */
static void keep_pairs(struct DiskGuard *disk, struct Tenant *tenant)
{
    for (size_t i = 0; i < tenant->disk.n_directories; i++) {
        const struct Directory *layer = &tenant->disk.directories[i];
        struct Directory *work = find_work(&tenant->disk, layer->dev);

        if (layer->kind != DIRECTORY_LAYER || counts(layer) || !work || !counts(work))
            continue;
        give_up(disk, tenant, work);
        leave_out(work, "%s", layer->why);
    }
}

static void replace(struct DiskGuard *disk, struct Tenant *tenant, struct Directory *list, size_t n)
{
    struct Directory *before = tenant->disk.directories;
    size_t n_before = tenant->disk.n_directories;

    if (tenant->container_id[0] != '\0' && n > 0)
        (void)retain(&tenant->disk, &list, &n);
    carry_over(&tenant->disk, list, n);
    tenant->disk.directories = list;
    tenant->disk.n_directories = n;
    if (claims_set(&disk->claims, tenant->cgroup.id, list, n) < 0)
        disk_notice(disk, tenant, LOG_ERR, "out of memory: nothing of it counts");
    wake_rivals_of_new(disk, tenant, before, n_before);
    for (size_t i = 0; i < n; i++)
        if (counts(&list[i]) && list[i].kind == DIRECTORY_WORK)
            judge(disk, tenant, &list[i]);
    for (size_t i = 0; i < n; i++)
        if (counts(&list[i]) && list[i].kind != DIRECTORY_WORK)
            judge(disk, tenant, &list[i]);
    keep_pairs(disk, tenant);
    for (size_t i = 0; i < n_before; i++)
        compare(disk, tenant, &before[i]);
    directories_free(before, n_before);
}

void adoption_look(struct DiskGuard *disk, struct Tenant *tenant, usec_t now)
{
    struct Directory *list = NULL;
    size_t n = 0, n_shares = tenant->disk.n_shares;
    bool unsettled = false;
    int r;

    if (!disk->open)
        return;
    if (!adoption_wanted(tenant)) {
        adoption_release(disk, tenant);
        return;
    }
    r = find(disk, tenant, &list, &n, &unsettled);
    if (r < 0 || unsettled) {
        if (r != -ESRCH && r != -ENODEV)
            try_again(disk, tenant);
        /* A container that is being made: where its root writes is known, and is best tagged before anything
         * runs. */
        if (r < 0 || n == 0 || tenant->disk.n_directories > 0) {
            directories_free(list, n);
            return;
        }
    }
    replace(disk, tenant, list, n);
    /* Early, its volumes are not known yet: they are no leftovers. */
    if (!unsettled && (!tenant->disk.settled || tenant->disk.n_shares > n_shares))
        clear_leftovers(disk, tenant);
    tenant->disk.settled = tenant->disk.settled || !unsettled;
    adoption_settle(disk, tenant);
    take_up_limits(tenant);
    explain_unguarded(tenant);
}

static void forget_claims(struct DiskGuard *disk, struct Tenant *tenant)
{
    claims_each_rival(&disk->claims, tenant->cgroup.id, tenant->disk.directories, tenant->disk.n_directories,
                      wake_rival, disk);
    claims_drop(&disk->claims, tenant->cgroup.id);
}

void adoption_vanished(struct DiskGuard *disk, struct Tenant *tenant, usec_t now)
{
    if (!disk->open || (tenant->disk.n_directories == 0 && tenant->disk.n_shares == 0))
        return;
    forget_claims(disk, tenant);
    leave_shares(disk, tenant);
    disk->collect_usec = usec_add(now, COLLECT_DELAY_USEC);
}

/* --- giving up ------------------------------------------------------------------------------------ */

void adoption_settle(struct DiskGuard *disk, struct Tenant *tenant)
{
    if (!waits_for_limit(tenant))
        drop_shares(disk, tenant);
}

static bool has_something(const struct Disk *disk)
{
    for (size_t i = 0; i < disk->n_directories; i++)
        if (counts(&disk->directories[i]))
            return true;
    return disk->n_shares > 0;
}

void adoption_release(struct DiskGuard *disk, struct Tenant *tenant)
{
    if (!disk->open || disk->pipeline->mode == MODE_OBSERVE || !has_something(&tenant->disk))
        return;
    for (size_t i = 0; i < tenant->disk.n_shares; i++) {
        const struct Filesystem *filesystem = filesystem_find(&disk->filesystems, tenant->disk.shares[i].dev);

        if (filesystem)
            allowance_lift(disk, filesystem, tenant->disk.shares[i].project);
    }
    for (size_t i = 0; i < tenant->disk.n_directories; i++)
        if (counts(&tenant->disk.directories[i])) {
            give_up(disk, tenant, &tenant->disk.directories[i]);
            leave_out(&tenant->disk.directories[i], "%s",
                      tenant->released ? "released" : "nothing asks for it");
        }
    forget_claims(disk, tenant);
    adoption_settle(disk, tenant);
}

/* Orders the project off each of its directories and files that is there; returns how many. */
static size_t clear_directories(struct DiskGuard *disk, struct Project *project,
                                const struct Filesystem *filesystem)
{
    size_t n = 0;

    for (size_t i = project->n_directories; i-- > 0;) {
        struct Directory directory = {.path = project->directories[i].path};
        struct stat status;

        if (lstat(directory.path, &status) < 0) {
            if (errno == ENOENT)
                (void)project_forget(&disk->projects, project, directory.path);
            continue;
        }
        if ((!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) || status.st_dev != filesystem->dev)
            continue;
        directory.dev = status.st_dev;
        directory.inode = status.st_ino;
        if (order_clear(disk, 0, &directory, project->id) >= 0)
            n++;
    }
    return n;
}

size_t adoption_release_absent(struct DiskGuard *disk)
{
    struct Project *project, *next;
    size_t n = 0;

    if (!disk->open)
        return 0;
    HASH_ITER (by_id, disk->projects.by_id, project, next) {
        const struct Filesystem *filesystem = find_by_key(disk, project->filesystem);

        if (!filesystem || disk_owner(disk, filesystem->dev, project->id))
            continue;
        n++;
        allowance_lift(disk, filesystem, project->id);
        if (clear_directories(disk, project, filesystem) == 0)
            (void)project_return(&disk->projects, project);
    }
    return n;
}

static bool is_deserted(const struct Project *project, const struct Filesystem *filesystem)
{
    struct DiskUsage usage;
    struct stat status;

    for (size_t i = 0; i < project->n_directories; i++)
        if (lstat(project->directories[i].path, &status) == 0 || errno != ENOENT)
            return false;
    return quota_read(filesystem, project->id, &usage) >= 0 && usage.inodes == 0 && usage.space_bytes == 0;
}

void adoption_collect(struct DiskGuard *disk)
{
    struct Project *project, *next;

    disk->collect_usec = USEC_INFINITY;
    HASH_ITER (by_id, disk->projects.by_id, project, next) {
        const struct Filesystem *filesystem = find_by_key(disk, project->filesystem);

        if (!filesystem || disk_owner(disk, filesystem->dev, project->id) ||
            !is_deserted(project, filesystem))
            continue;
        allowance_lift(disk, filesystem, project->id);
        disk_notice(disk, NULL, LOG_INFO, "project %u of %.200s is given back: nothing is left of it",
                    project->id, project->tenant);
        (void)project_return(&disk->projects, project);
    }
}

/* --- the worker's word ---------------------------------------------------------------------------- */

static void take_counts(struct Directory *directory, const struct TagResult *result)
{
    directory->seen = result->seen;
    directory->changed = result->changed;
    directory->passed_over = result->linked + result->foreign + result->failed;
    directory->why[0] = '\0';
    if (directory->passed_over > 0)
        snprintf(directory->why, sizeof(directory->why),
                 "not all of it: %" PRIu64 " with names outside, %" PRIu64 " of other projects, %" PRIu64
                 " could not be tagged",
                 result->linked, result->foreign, result->failed);
}

static void say_progress(struct DiskGuard *disk, struct Tenant *tenant, struct DiskOrder *order,
                         const struct TagResult *result)
{
    usec_t now = disk->clock();

    if (!tenant || now < usec_add(order->said_usec, PROGRESS_INTERVAL_USEC))
        return;
    if (order->said_usec != 0)
        disk_notice(disk, tenant, LOG_INFO, "tagging %.200s: %" PRIu64 " files seen, %" PRIu64 " tagged",
                    order->path, result->seen, result->changed);
    order->said_usec = now;
}

static void note_tagged(struct DiskGuard *disk, const struct DiskOrder *order)
{
    struct Project *project = project_by_id(&disk->projects, order->project);

    if (project)
        (void)project_note(&disk->projects, project, order->path, true);
}

/* The work directory has its project now: its layer may follow, if no whiteout came before. */
static void follow_work(struct DiskGuard *disk, struct Tenant *tenant, struct Directory *work)
{
    if (whiteout_find(work->path) > 0 && work->changed > 0) {
        give_up(disk, tenant, work);
        leave_out(work, HAD_WHITEOUTS);
    }
    for (size_t i = 0; i < tenant->disk.n_directories; i++) {
        struct Directory *layer = &tenant->disk.directories[i];

        if (layer->kind != DIRECTORY_LAYER || layer->dev != work->dev || !counts(layer))
            continue;
        judge(disk, tenant, layer);
        if (!counts(layer)) /* of an earlier run it may have its project */
            give_up(disk, tenant, layer);
    }
    keep_pairs(disk, tenant);
}

static void end_tagging(struct DiskGuard *disk, struct Tenant *tenant, const struct DiskOrder *order,
                        int error, const struct TagResult *result)
{
    struct Directory *directory = tenant ? find_directory(&tenant->disk, order->path) : NULL;

    if (error == 0)
        note_tagged(disk, order);
    if (!directory || directory->state != DIRECTORY_TAGGING)
        return;
    take_counts(directory, result);
    if (error == 0) {
        directory->state = DIRECTORY_COUNTED;
        if (is_worth_a_line(directory))
            disk_notice(disk, tenant, LOG_INFO,
                        "%.200s is counted: %" PRIu64 " files, %" PRIu64 " tagged%s%s", directory->path,
                        result->seen, result->changed, directory->why[0] != '\0' ? "; " : "", directory->why);
        if (directory->kind == DIRECTORY_WORK)
            follow_work(disk, tenant, directory);
    } else {
        directory->state = DIRECTORY_WAITING;
        snprintf(directory->why, sizeof(directory->why), "not all of it is tagged: %s", strerror(-error));
        disk_notice(disk, tenant, LOG_WARNING, "%.200s: %s", directory->path, directory->why);
        try_again(disk, tenant);
    }
    tenant->disk.stale = true;
}

static bool is_mounted(struct DiskGuard *disk, dev_t dev)
{
    const struct Filesystem *filesystem = filesystem_find(&disk->filesystems, dev);

    return filesystem && !filesystem->gone;
}

static void end_clearing(struct DiskGuard *disk, struct Tenant *tenant, const struct DiskOrder *order,
                         int error)
{
    struct Project *project = project_by_id(&disk->projects, order->project);

    /* Not there: with its filesystem, that comes back, or by itself. */
    if (error != 0 && !is_mounted(disk, order->dev))
        return;
    if (error != 0 && error != -ENOENT && error != -ESTALE) {
        disk_notice(disk, tenant, LOG_WARNING, "project %u cannot be taken off %.200s: %s", order->project,
                    order->path, strerror(-error));
        return;
    }
    if (project)
        (void)project_forget(&disk->projects, project, order->path);
    if (tenant)
        adoption_settle(disk, tenant);
    return_unused(disk, order->dev, order->project);
}

static struct Inspection *find_inspection(struct DiskGuard *disk, uint64_t tenant_id)
{
    for (size_t i = 0; i < INSPECTIONS_MAX; i++)
        if (disk->inspections[i].ticket != 0 && disk->inspections[i].tenant_id == tenant_id)
            return &disk->inspections[i];
    return NULL;
}

static struct Outcome inspection_outcome(const struct Inspection *inspection)
{
    struct Outcome outcome = {.result = RESULT_DONE, .error = inspection->error};
    const char *still = inspection->passed_over > 0 ? "; some have names outside or could not be tagged" : "";

    if (inspection->error < 0) {
        outcome.result = RESULT_FAILED;
        snprintf(outcome.text, sizeof(outcome.text), "not all of it could be looked at: %s",
                 strerror(-inspection->error));
    } else if (inspection->wrong == 0) {
        snprintf(outcome.text, sizeof(outcome.text), "all %" PRIu64 " files count%s", inspection->seen,
                 still);
    } else if (inspection->repair) {
        snprintf(outcome.text, sizeof(outcome.text),
                 "%" PRIu64 " of %" PRIu64 " files did not count, and do now%s", inspection->wrong,
                 inspection->seen, still);
    } else {
        outcome.result = RESULT_SKIPPED;
        snprintf(outcome.text, sizeof(outcome.text),
                 "%" PRIu64 " of %" PRIu64 " files do not count: --repair mends it%s", inspection->wrong,
                 inspection->seen, still);
    }
    return outcome;
}

static void end_inspection(struct DiskGuard *disk, struct Tenant *tenant, const struct DiskOrder *order,
                           int error, const struct TagResult *result)
{
    struct Inspection *inspection = find_inspection(disk, order->tenant_id);
    struct Directory *directory = tenant ? find_directory(&tenant->disk, order->path) : NULL;
    struct Outcome outcome;
    uint64_t ticket;

    if (!inspection)
        return;
    inspection->seen += result->seen;
    inspection->wrong += inspection->repair ? result->changed : result->wrong;
    inspection->passed_over += result->linked + result->foreign + result->failed;
    inspection->error = error < 0 ? error : inspection->error;
    if (directory) {
        take_counts(directory, result);
        directory->changed = inspection->repair ? result->changed : result->wrong;
    }
    if (--inspection->waiting > 0)
        return;
    outcome = inspection_outcome(inspection);
    ticket = inspection->ticket;
    inspection->ticket = 0;
    if (tenant)
        disk_notice(disk, tenant, LOG_NOTICE, "checked: %s", outcome.text);
    disk->inspected(disk->userdata, ticket, tenant, &outcome);
}

void adoption_tagged(struct DiskGuard *disk, struct DiskOrder *order, bool done, int error,
                     const struct TagResult *result)
{
    struct Tenant *tenant = order->tenant_id != 0 ? registry_find(disk->registry, order->tenant_id) : NULL;
    struct Directory *directory = tenant ? find_directory(&tenant->disk, order->path) : NULL;

    if (!done) {
        if (directory && order->kind == ORDER_TAG)
            take_counts(directory, result);
        return say_progress(disk, tenant, order, result);
    }
    disk_order_take(disk, order);
    if (order->kind == ORDER_TAG)
        end_tagging(disk, tenant, order, error, result);
    else if (order->kind == ORDER_CLEAR)
        end_clearing(disk, tenant, order, error);
    else
        end_inspection(disk, tenant, order, error, result);
    disk_order_done(order);
}

int adoption_inspect(struct DiskGuard *disk, struct Tenant *tenant, bool repair, uint64_t ticket)
{
    struct Inspection *inspection = NULL;

    for (size_t i = 0; i < INSPECTIONS_MAX && !inspection; i++)
        if (disk->inspections[i].ticket == 0)
            inspection = &disk->inspections[i];
    if (!inspection || find_inspection(disk, tenant->cgroup.id))
        return -EBUSY;
    *inspection = (struct Inspection){.ticket = ticket, .tenant_id = tenant->cgroup.id, .repair = repair};
    for (size_t i = 0; i < tenant->disk.n_directories; i++) {
        const struct Directory *directory = &tenant->disk.directories[i];
        const struct DiskShare *share = counts(directory) ? disk_share(&tenant->disk, directory->dev) : NULL;

        if (share && order_walk(disk, ORDER_INSPECT, repair ? TAG_REPAIR : TAG_CHECK, tenant->cgroup.id,
                                directory, share->project) >= 0)
            inspection->waiting++;
    }
    if (inspection->waiting > 0)
        return 0;
    inspection->ticket = 0;
    return -ENOENT;
}
