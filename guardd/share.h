/* Share: a tenant's project on one filesystem, from the taking of its id to the giving back. See disk.h. */
#pragma once

#include "disk.h"

/* The tenant's share of this filesystem, new if it has none; NULL and `why` otherwise. */
struct DiskShare *share_get(struct DiskGuard *disk, struct Tenant *tenant,
                            const struct Filesystem *filesystem, char *why, size_t size);

/* What the kernel already keeps for a project of ours is ours, from before a restart. */
void share_take_up_limits(struct Tenant *tenant);

/* Drops the shares on which nothing counts any more, unless a limit of theirs is on its way: it is called
 * again when that was answered. */
void share_settle(struct DiskGuard *disk, struct Tenant *tenant);

/* The tenant goes; its projects stay, and wait for whoever comes by its name. Perhaps that one is here
 * already.
 */
void share_leave(struct DiskGuard *disk, struct Tenant *tenant);

/* Does no file have it any more? Then its limits go, and the id with them. */
void share_return_unused(struct DiskGuard *disk, dev_t dev, uint32_t project);

/* Every project whose tenant is not here is taken off every file, in the background. Returns how many. */
size_t share_release_absent(struct DiskGuard *disk);

/* Projects of tenants that are not here, without any directory and without usage: their ids are given back.
 */
void share_collect(struct DiskGuard *disk);
