/* See share.h. */
#include "share.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "adoption.h"
#include "allowance.h"
#include "walk.h"

#define PROJID_FILE "/etc/projid"
#define PROJECTS_FILE "/etc/projects"

/* --- one share ------------------------------------------------------------------------------------ */

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

struct DiskShare *share_get(struct DiskGuard *disk, struct Tenant *tenant,
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
        adoption_try_again(disk, tenant);
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

void share_take_up_limits(struct Tenant *tenant)
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

/* --- giving it up --------------------------------------------------------------------------------- */

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

void share_return_unused(struct DiskGuard *disk, dev_t dev, uint32_t id)
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
        if (directory_counts(&disk->directories[i]) && disk->directories[i].dev == share->dev)
            return true;
    return false;
}

/* Shares on which nothing counts any more. */
static void drop_unused(struct DiskGuard *disk, struct Tenant *tenant)
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
        share_return_unused(disk, share.dev, share.project);
    }
    of->n_shares = kept;
    if (kept == 0)
        of->look_usec = USEC_INFINITY;
}

static bool waits_for_limit(const struct Tenant *tenant)
{
    return tenant->limits[LIMIT_DISK_SPACE_MAX].waiting > 0 ||
           tenant->limits[LIMIT_DISK_INODES_MAX].waiting > 0;
}

void share_settle(struct DiskGuard *disk, struct Tenant *tenant)
{
    if (!waits_for_limit(tenant))
        drop_unused(disk, tenant);
}

void share_leave(struct DiskGuard *disk, struct Tenant *tenant)
{
    for (size_t i = 0; i < tenant->disk.n_shares; i++) {
        const struct DiskShare *share = &tenant->disk.shares[i];

        if (tenant->container_id[0] != '\0' && disk_owns(disk, share->dev, share->project, tenant->cgroup.id))
            allowance_ease(disk, tenant, share);
        disk_disown(disk, share->dev, share->project, tenant->cgroup.id);
    }
    tenant->disk.n_shares = 0;
}

/* --- of tenants that are not here ----------------------------------------------------------------- */

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
        if (walk_clear(disk, 0, &directory, project->id) >= 0)
            n++;
    }
    return n;
}

size_t share_release_absent(struct DiskGuard *disk)
{
    struct Project *project, *next;
    size_t n = 0;

    if (!disk->open)
        return 0;
    for (project = LIST_FIRST(&disk->projects.list); project; project = next) {
        const struct Filesystem *filesystem = find_by_key(disk, project->filesystem);

        next = LIST_NEXT(project, others);
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

void share_collect(struct DiskGuard *disk)
{
    struct Project *project, *next;

    disk->collect_usec = USEC_INFINITY;
    for (project = LIST_FIRST(&disk->projects.list); project; project = next) {
        const struct Filesystem *filesystem = find_by_key(disk, project->filesystem);

        next = LIST_NEXT(project, others);
        if (!filesystem || disk_owner(disk, filesystem->dev, project->id) ||
            !is_deserted(project, filesystem))
            continue;
        allowance_lift(disk, filesystem, project->id);
        disk_notice(disk, NULL, LOG_INFO, "project %u of %.200s is given back: nothing is left of it",
                    project->id, project->tenant);
        (void)project_return(&disk->projects, project);
    }
}
