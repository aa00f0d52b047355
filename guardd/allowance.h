/* Allowance: hard limits and tripwires of a tenant's projects, as orders to the worker. See disk.h. */
#pragma once

#include "disk.h"

/* For Pipeline.set_quota: orders this limit on each share; returns how many answers will come
 * (limiting_answer), or < 0: -ENODATA, it has no share. */
int allowance_set(struct DiskGuard *disk, struct Tenant *tenant, enum LimitId limit, uint64_t value);

/* Lays the tripwires where they belong by what was just read; when something was announced, everybody's
 * there. */
void allowance_place_tripwires(struct DiskGuard *disk, struct Tenant *tenant, bool announced);

/* A tenant that is at its limit could not be started again: its runtime makes directories and files of its
 * own for a start. While it is not here its project gets a little more than it had been given. */
void allowance_ease(struct DiskGuard *disk, const struct Tenant *tenant, const struct DiskShare *share);

/* All limits off a project that has no tenant. */
void allowance_lift(struct DiskGuard *disk, const struct Filesystem *filesystem, uint32_t project);

/* Soft limits of others harden again as they did before guardd, on every filesystem where this run, or one
 * before, has put that off: nothing of it is left on the host. */
void allowance_end_grace(struct DiskGuard *disk);

/* The worker's word. */
void allowance_limited(struct DiskGuard *disk, struct DiskOrder *order, int error,
                       const struct DiskUsage *usage);
