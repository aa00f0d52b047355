/* A hard limit is asked for by the pipeline and answered to it. The tripwire of the same resource goes with
 * it in one order, and by itself whenever a look shows that it lies wrong. */
#include "allowance.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#include <utlist.h>

#include "decide/tripwire.h"
#include "limiting.h"
#include "share.h"

/* A tripwire that lies within this of where it belongs stays: each change is a write to the filesystem. */
#define TRIPWIRE_SLACK_BYTES (1024 * 1024)
#define TRIPWIRE_SLACK_INODES 64
/* What a runtime needs to start a container that is full. */
#define EASE_BYTES (16 * 1024 * 1024)
#define EASE_INODES 1024

static uint64_t quota_value(uint64_t value)
{
    return value == LIMIT_INFINITY ? 0 : value;
}

static struct TripwireView view_of(const struct DiskGuard *disk, const struct Tenant *tenant,
                                   const struct DiskShare *share, uint64_t space_hard_bytes,
                                   uint64_t inodes_hard)
{
    const struct DiskStore *store = disk_store(disk, share->dev);

    return (struct TripwireView){.class = tenant->class,
                                 .space_hard_bytes = space_hard_bytes,
                                 .inodes_hard = inodes_hard,
                                 .share = share,
                                 .n_growers = store ? store->n_growers : 1};
}

/* While a limit is on its way its tripwire goes with it. */
static bool may_place(const struct Tenant *tenant)
{
    return !tenant->released && tenant->limits[LIMIT_DISK_SPACE_MAX].waiting == 0 &&
           tenant->limits[LIMIT_DISK_INODES_MAX].waiting == 0;
}

static void place(struct DiskGuard *disk, const struct Tenant *tenant, const struct DiskShare *share,
                  uint64_t space_hard_bytes, uint64_t inodes_hard, struct QuotaOrder *order)
{
    const struct TripwireView view = view_of(disk, tenant, share, space_hard_bytes, inodes_hard);

    order->space_hard_bytes = space_hard_bytes;
    order->inodes_hard = inodes_hard;
    order->space_soft_bytes = order->inodes_soft = 0;
    if (!tenant->released)
        tripwire_place(&view, &order->space_soft_bytes, &order->inodes_soft);
}

/* The first soft limit of a filesystem comes with a default grace that never ends: a tripwire forbids
 * nothing. */
static void see_to_grace(const struct DiskGuard *disk, struct QuotaOrder *order)
{
    const struct DiskStore *store = disk_store(disk, order->dev);

    if (store && !store->graced && (order->space_soft_bytes != 0 || order->inodes_soft != 0))
        order->grace_sec = QUOTA_GRACE_NEVER;
}

static int ask(struct DiskGuard *disk, enum OrderKind kind, const struct Tenant *tenant, enum LimitId limit,
               struct QuotaOrder *order)
{
    struct DiskOrder *asked = disk_order_new(disk, kind, tenant->cgroup.id, order->dev, order->project, NULL);
    int r;

    if (!asked)
        return -ENOMEM;
    asked->limit = limit;
    see_to_grace(disk, order);
    r = worker_limit(&disk->worker, order, asked->ticket);
    if (r < 0)
        disk_order_free(disk, asked);
    return r;
}

static int set_share(struct DiskGuard *disk, struct Tenant *tenant, const struct DiskShare *share,
                     enum LimitId limit, uint64_t value)
{
    const struct Filesystem *filesystem = filesystem_find(&disk->filesystems, share->dev);
    bool space = limit == LIMIT_DISK_SPACE_MAX;
    struct QuotaOrder order = {
        .dev = share->dev, .project = share->project, .space = space, .inodes = !space};

    if (!filesystem || !filesystem->guarded)
        return -ENODEV;
    order.path = filesystem->path;
    place(disk, tenant, share, space ? quota_value(value) : share->usage.space_hard_bytes,
          space ? share->usage.inodes_hard : quota_value(value), &order);
    return ask(disk, ORDER_LIMIT, tenant, limit, &order);
}

int allowance_set(struct DiskGuard *disk, struct Tenant *tenant, enum LimitId limit, uint64_t value)
{
    int asked = 0, error = -ENODATA;

    for (size_t i = 0; i < tenant->disk.n_shares; i++) {
        int r = set_share(disk, tenant, &tenant->disk.shares[i], limit, value);

        if (r >= 0)
            asked++;
        else
            error = r;
    }
    return asked > 0 ? asked : error;
}

static bool is_off(uint64_t present, uint64_t wanted, uint64_t slack)
{
    if (present == 0 || wanted == 0)
        return present != wanted;
    return present > wanted ? present - wanted >= slack : wanted - present >= slack;
}

static void place_share(struct DiskGuard *disk, struct Tenant *tenant, struct DiskShare *share)
{
    const struct Filesystem *filesystem = filesystem_find(&disk->filesystems, share->dev);
    const struct DiskUsage *usage = &share->usage;
    struct QuotaOrder order = {.dev = share->dev, .project = share->project};
    struct ProjectOwner *owner = disk_project_owner(disk, share->dev, share->project);

    if (!share->valid || !filesystem || !filesystem->guarded || disk->pipeline->mode == MODE_OBSERVE ||
        !owner || owner->wire_under_way)
        return;
    order.path = filesystem->path;
    place(disk, tenant, share, usage->space_hard_bytes, usage->inodes_hard, &order);
    /* Where its growth is to be announced again, a wire that was crossed is of no use, however near. */
    order.space = is_off(usage->space_soft_bytes, order.space_soft_bytes,
                         usage->space_bytes > usage->space_soft_bytes ? 1 : TRIPWIRE_SLACK_BYTES);
    order.inodes = is_off(usage->inodes_soft, order.inodes_soft,
                          usage->inodes > usage->inodes_soft ? 1 : TRIPWIRE_SLACK_INODES);
    if ((order.space || order.inodes) && ask(disk, ORDER_TRIPWIRE, tenant, LIMIT_INVALID, &order) >= 0) {
        owner->wire_under_way = true;
        /* As asked, until the worker says what is. */
        share->usage.space_soft_bytes = order.space ? order.space_soft_bytes : usage->space_soft_bytes;
        share->usage.inodes_soft = order.inodes ? order.inodes_soft : usage->inodes_soft;
    }
}

/* The others' wires were laid when there was more, or for fewer (decide/tripwire.c). What is free is read for
 * one and is so for all. */
static void place_others(struct DiskGuard *disk, const struct DiskShare *read)
{
    struct Tenant *tenant, *other;

    HASH_ITER (hh, disk->registry->tenants, tenant, other) {
        struct DiskShare *share = disk_share(&tenant->disk, read->dev);
        struct TripwireView view;

        if (!share || share == read || !share->valid || !may_place(tenant))
            continue;
        share->free_bytes = read->free_bytes;
        share->size_bytes = read->size_bytes;
        share->free_inodes = read->free_inodes;
        share->all_inodes = read->all_inodes;
        view = view_of(disk, tenant, share, share->usage.space_hard_bytes, share->usage.inodes_hard);
        if (tripwire_is_far(&view))
            place_share(disk, tenant, share);
    }
}

void allowance_place_tripwires(struct DiskGuard *disk, struct Tenant *tenant, bool announced)
{
    if (!may_place(tenant))
        return;
    for (size_t i = 0; i < tenant->disk.n_shares; i++) {
        place_share(disk, tenant, &tenant->disk.shares[i]);
        if (announced)
            place_others(disk, &tenant->disk.shares[i]);
    }
}

/* By what guardd gave it, if it did: what was read last may have its headroom in it from last time. */
static uint64_t eased(const struct LimitState *state, uint64_t read, uint64_t headroom)
{
    uint64_t given = state->applied ? quota_value(state->value) : read;

    return given == 0 ? 0 : given + headroom;
}

void allowance_ease(struct DiskGuard *disk, const struct Tenant *tenant, const struct DiskShare *share)
{
    const struct Filesystem *filesystem = filesystem_find(&disk->filesystems, share->dev);
    struct QuotaOrder order = {.dev = share->dev, .project = share->project, .space = true, .inodes = true};
    struct DiskOrder *asked;

    order.space_hard_bytes =
        eased(&tenant->limits[LIMIT_DISK_SPACE_MAX], share->usage.space_hard_bytes, EASE_BYTES);
    order.inodes_hard = eased(&tenant->limits[LIMIT_DISK_INODES_MAX], share->usage.inodes_hard, EASE_INODES);
    if (!filesystem || !filesystem->guarded || !share->valid || tenant->released ||
        disk->pipeline->mode == MODE_OBSERVE || (order.space_hard_bytes == 0 && order.inodes_hard == 0))
        return;
    order.path = filesystem->path;
    asked = disk_order_new(disk, ORDER_LIFT, 0, share->dev, share->project, NULL);
    if (asked && worker_limit(&disk->worker, &order, asked->ticket) < 0)
        disk_order_free(disk, asked);
}

void allowance_lift(struct DiskGuard *disk, const struct Filesystem *filesystem, uint32_t project)
{
    const struct QuotaOrder order = {
        .path = filesystem->path, .dev = filesystem->dev, .project = project, .space = true, .inodes = true};
    struct DiskOrder *asked = disk_order_new(disk, ORDER_LIFT, 0, filesystem->dev, project, NULL);

    if (asked && worker_limit(&disk->worker, &order, asked->ticket) < 0)
        disk_order_free(disk, asked);
}

void allowance_end_grace(struct DiskGuard *disk)
{
    struct DiskStore *store;

    if (!disk->open)
        return;
    DL_FOREACH (disk->stores, store)
        store->graced = false;
    for (size_t i = 0; i < disk->filesystems.n; i++) {
        const struct Filesystem *filesystem = &disk->filesystems.list[i];
        const struct QuotaOrder order = {
            .path = filesystem->path, .dev = filesystem->dev, .ends_grace = true};
        struct DiskOrder *asked = NULL;

        if (filesystem->guarded && !filesystem->gone)
            asked = disk_order_new(disk, ORDER_LIFT, 0, filesystem->dev, 0, NULL);
        if (asked && worker_limit(&disk->worker, &order, asked->ticket) < 0)
            disk_order_free(disk, asked);
    }
}

void allowance_limited(struct DiskGuard *disk, struct DiskOrder *order, int error,
                       const struct DiskUsage *usage)
{
    struct Tenant *tenant = order->tenant_id != 0 ? registry_find(disk->registry, order->tenant_id) : NULL;
    struct DiskShare *share = tenant ? disk_share(&tenant->disk, order->dev) : NULL;
    struct ProjectOwner *owner = disk_project_owner(disk, order->dev, order->project);
    struct DiskStore *store = disk_store(disk, order->dev);

    disk_order_take(disk, order);
    if (owner && order->kind == ORDER_TRIPWIRE)
        owner->wire_under_way = false;
    if (store && order->kind != ORDER_LIFT && error == 0 &&
        (usage->space_soft_bytes != 0 || usage->inodes_soft != 0))
        store->graced = true;
    if (share && error == 0) {
        share->usage = *usage;
        share->valid = true;
    }
    if (order->kind == ORDER_TRIPWIRE && error < 0 && error != -ENODEV)
        disk_notice(disk, tenant, LOG_WARNING, "no tripwire on project %u: %s", order->project,
                    strerror(-error));
    if (tenant && order->kind == ORDER_LIMIT) {
        limiting_answer(disk->pipeline, tenant, order->limit, error, NULL, disk->clock());
        share_settle(disk, tenant);
    }
    disk_order_done(order);
}
