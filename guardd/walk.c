/* See walk.h. */
#include "walk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "adoption.h"
#include "inspection.h"
#include "share.h"

/* Progress of a long walk is told this often. */
#define PROGRESS_INTERVAL_USEC (5 * USEC_PER_SEC)

/* --- orders --------------------------------------------------------------------------------------- */

int walk_order(struct DiskGuard *disk, enum OrderKind kind, enum TagMode mode, uint64_t tenant_id,
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
static void cancel(struct DiskGuard *disk, const char *path, uint32_t project)
{
    struct DiskOrder *order, *next;

    HASH_ITER (hh, disk->orders, order, next)
        if (order->path && strcmp(order->path, path) == 0 && order->project == project &&
            (order->kind == ORDER_TAG || order->kind == ORDER_CLEAR)) {
            worker_cancel(&disk->worker, order->ticket);
            disk_order_free(disk, order);
        }
}

int walk_clear(struct DiskGuard *disk, uint64_t tenant_id, const struct Directory *directory, uint32_t id)
{
    struct Project *project = project_by_id(&disk->projects, id);

    cancel(disk, directory->path, id);
    if (project)
        (void)project_note(&disk->projects, project, directory->path, false);
    return walk_order(disk, ORDER_CLEAR, TAG_CLEAR, tenant_id, directory, id);
}

/* Of a container's small files, and of what goes with its root, nobody wants to read at each start. */
static bool is_worth_a_line(const struct Directory *directory)
{
    return directory->kind != DIRECTORY_RUNTIME && directory->kind != DIRECTORY_WORK;
}

/* What is written down comes first: kill -9 may come at any time. */
int walk_begin(struct DiskGuard *disk, struct Tenant *tenant, struct Directory *directory,
               struct Project *project, enum TagMode mode)
{
    int r = project ? project_note(&disk->projects, project, directory->path, false) : -ENOENT;

    if (r >= 0) {
        cancel(disk, directory->path, project->id);
        r = walk_order(disk, ORDER_TAG, mode, tenant->cgroup.id, directory, project->id);
    }
    if (r < 0)
        return r;
    directory->state = DIRECTORY_TAGGING;
    if (is_worth_a_line(directory))
        disk_notice(disk, tenant, LOG_INFO, "%.200s counts from now on (%s), what is in it is tagged",
                    directory->path, directory_kind_name(directory->kind));
    return 0;
}

/* --- the worker's word ---------------------------------------------------------------------------- */

void walk_take_counts(struct Directory *directory, const struct TagResult *result)
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

static void end_tagging(struct DiskGuard *disk, struct Tenant *tenant, const struct DiskOrder *order,
                        int error, const struct TagResult *result)
{
    struct Directory *directory = tenant ? disk_directory(&tenant->disk, order->path) : NULL;

    if (error == 0)
        note_tagged(disk, order);
    if (!directory || directory->state != DIRECTORY_TAGGING)
        return;
    walk_take_counts(directory, result);
    if (error == 0) {
        directory->state = DIRECTORY_COUNTED;
        if (is_worth_a_line(directory))
            disk_notice(disk, tenant, LOG_INFO,
                        "%.200s is counted: %" PRIu64 " files, %" PRIu64 " tagged%s%s", directory->path,
                        result->seen, result->changed, directory->why[0] != '\0' ? "; " : "", directory->why);
        if (directory->kind == DIRECTORY_WORK)
            adoption_work_tagged(disk, tenant, directory);
    } else {
        directory->state = DIRECTORY_WAITING;
        snprintf(directory->why, sizeof(directory->why), "not all of it is tagged: %s", strerror(-error));
        disk_notice(disk, tenant, LOG_WARNING, "%.200s: %s", directory->path, directory->why);
        adoption_try_again(disk, tenant);
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
        share_settle(disk, tenant);
    share_return_unused(disk, order->dev, order->project);
}

void walk_answered(struct DiskGuard *disk, struct DiskOrder *order, bool done, int error,
                   const struct TagResult *result)
{
    struct Tenant *tenant = order->tenant_id != 0 ? registry_find(disk->registry, order->tenant_id) : NULL;
    struct Directory *directory = tenant ? disk_directory(&tenant->disk, order->path) : NULL;

    if (!done) {
        if (directory && order->kind == ORDER_TAG)
            walk_take_counts(directory, result);
        return say_progress(disk, tenant, order, result);
    }
    disk_order_take(disk, order);
    if (order->kind == ORDER_TAG)
        end_tagging(disk, tenant, order, error, result);
    else if (order->kind == ORDER_CLEAR)
        end_clearing(disk, tenant, order, error);
    else
        inspection_walked(disk, tenant, order, error, result);
    disk_order_done(order);
}
