/* A directory goes through these states: found and judged (DIRECTORY_OUT with the reason, or it may count),
 * its project written down (record/project.h), its files tagged by the worker, DIRECTORY_COUNTED. What is
 * written down says which directories may have tagged files, before the first one is: after kill -9 the walk
 * begins again, and passes quickly over what is done. The same the other way round when a directory counts no
 * more. */
#include "adoption.h"

#include <errno.h>
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
#include "share.h"
#include "tenant/footprint.h"
#include "walk.h"

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

static bool is_same(const struct Directory *a, const struct Directory *b)
{
    return a->dev == b->dev && a->inode == b->inode && strcmp(a->path, b->path) == 0;
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

void adoption_try_again(const struct DiskGuard *disk, struct Tenant *tenant)
{
    tenant->limits_due_usec = usec_min(tenant->limits_due_usec, usec_add(disk->clock(), RETRY_USEC));
    agenda_put(tenant);
}

/* It counted, or was about to, and does no more. */
static void give_up(struct DiskGuard *disk, struct Tenant *tenant, const struct Directory *directory)
{
    struct DiskShare *share = disk_share(&tenant->disk, directory->dev);

    if (share)
        (void)walk_clear(disk, tenant->cgroup.id, directory, share->project);
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

/* It may count: has it walked, unless that is done or under way. */
static void adopt(struct DiskGuard *disk, struct Tenant *tenant, struct Directory *directory,
                  const struct DiskShare *share)
{
    struct Project *project = project_by_id(&disk->projects, share->project);
    uint32_t present = 0, other = superseded(disk, directory, share);
    bool inherits = false;
    int r = tag_read(directory->path, &present, &inherits);

    if (r == -EMFILE || r == -ENFILE || r == -ENOMEM)
        return adoption_try_again(disk, tenant); /* it stays what it is */
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
    r = walk_begin(disk, tenant, directory, project, other != 0 ? TAG_REPAIR : TAG_ADOPT);
    if (r < 0) {
        adoption_try_again(disk, tenant);
        leave_out(directory, "not begun: %s", strerror(-r));
    }
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
    share = share_get(disk, tenant, filesystem, why, sizeof(why));
    if (!share)
        return leave_out(directory, "%s", why);
    adopt(disk, tenant, directory, share);
}

/* Overlayfs moves files from the one into the other: of two projects, or of one and none, they would break
 * the container. */
static void keep_pairs(struct DiskGuard *disk, struct Tenant *tenant)
{
    for (size_t i = 0; i < tenant->disk.n_directories; i++) {
        const struct Directory *layer = &tenant->disk.directories[i];
        struct Directory *work = find_work(&tenant->disk, layer->dev);

        if (layer->kind != DIRECTORY_LAYER || directory_counts(layer) || !work || !directory_counts(work))
            continue;
        give_up(disk, tenant, work);
        leave_out(work, "%s", layer->why);
    }
}

void adoption_work_tagged(struct DiskGuard *disk, struct Tenant *tenant, struct Directory *work)
{
    if (whiteout_find(work->path) > 0 && work->changed > 0) {
        give_up(disk, tenant, work);
        leave_out(work, HAD_WHITEOUTS);
    }
    for (size_t i = 0; i < tenant->disk.n_directories; i++) {
        struct Directory *layer = &tenant->disk.directories[i];

        if (layer->kind != DIRECTORY_LAYER || layer->dev != work->dev || !directory_counts(layer))
            continue;
        judge(disk, tenant, layer);
        if (!directory_counts(layer)) /* of an earlier run it may have its project */
            give_up(disk, tenant, layer);
    }
    keep_pairs(disk, tenant);
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

            if (!directory_counts(&list[i]) || !directory_counts(old) || !is_same(&list[i], old))
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

    if (!tenant)
        return;
    tenant->limits_due_usec = 0;
    agenda_put(tenant);
}

/* Directories that were not among `before` may be another's too. */
static void wake_rivals_of_new(struct DiskGuard *disk, const struct Tenant *tenant,
                               const struct Directory *before, size_t n_before)
{
    for (size_t i = 0; i < tenant->disk.n_directories; i++) {
        const struct Directory *directory = &tenant->disk.directories[i];

        if (directory_counts(directory) && !is_in(directory, before, n_before))
            claims_each_rival(&disk->claims, tenant->cgroup.id, directory, 1, wake_rival, disk);
    }
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
        if (!directory_counts(&disk->directories[i])) {
            snprintf(disk->unguarded, sizeof(disk->unguarded), "%s", disk->directories[i].why);
            return;
        }
}

/* A directory it had before: is it still its own, does it still count? Where the kernel does not count for
 * the moment (quotas are off, the filesystem is read-only) its files keep their project: it would be walked
 * twice. Observing, nothing is taken off. */
static void compare(struct DiskGuard *disk, struct Tenant *tenant, const struct Directory *before)
{
    const struct Directory *now = disk_directory(&tenant->disk, before->path);
    const struct Filesystem *filesystem = filesystem_find(&disk->filesystems, before->dev);

    if (!now)
        claims_each_rival(&disk->claims, tenant->cgroup.id, before, 1, wake_rival, disk);
    if (directory_counts(before) && (!now || !directory_counts(now)) &&
        disk->pipeline->mode == MODE_ENFORCE && filesystem && filesystem->guarded && !filesystem->read_only)
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
            const struct Directory *now = disk_directory(&tenant->disk, left.path);
            struct stat status;

            if (now && directory_counts(now))
                continue;
            if (lstat(left.path, &status) < 0) {
                if (errno == ENOENT)
                    (void)project_forget(&disk->projects, project, left.path);
            } else if (status.st_dev == tenant->disk.shares[i].dev) {
                left.dev = status.st_dev;
                left.inode = status.st_ino;
                (void)walk_clear(disk, tenant->cgroup.id, &left, project->id);
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

        if (!directory_counts(old) || old->kind == DIRECTORY_NAMED || is_in(old, *list, *n) ||
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
        if (directory_counts(&list[i]) && list[i].kind == DIRECTORY_WORK)
            judge(disk, tenant, &list[i]);
    for (size_t i = 0; i < n; i++)
        if (directory_counts(&list[i]) && list[i].kind != DIRECTORY_WORK)
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
            adoption_try_again(disk, tenant);
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
    share_settle(disk, tenant);
    share_take_up_limits(tenant);
    explain_unguarded(tenant);
}

/* --- giving up ------------------------------------------------------------------------------------ */

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
    share_leave(disk, tenant);
    disk->collect_usec = usec_add(now, COLLECT_DELAY_USEC);
}

static bool has_something(const struct Disk *disk)
{
    for (size_t i = 0; i < disk->n_directories; i++)
        if (directory_counts(&disk->directories[i]))
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
        if (directory_counts(&tenant->disk.directories[i])) {
            give_up(disk, tenant, &tenant->disk.directories[i]);
            leave_out(&tenant->disk.directories[i], "%s",
                      tenant->released ? "released" : "nothing asks for it");
        }
    forget_claims(disk, tenant);
    share_settle(disk, tenant);
}
