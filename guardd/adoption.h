/* Adoption: which directories count for a tenant. See disk.h. */
#pragma once

#include "disk.h"

/* Does its class, or an operator, want its disk guarded? */
bool adoption_wanted(const struct Tenant *tenant);

/* Finds the tenant's directories (again), and has adopted what belongs to it alone. What counted and is no
 * more its own is given up. Cheap enough for each time that the cgroup has changed. */
void adoption_look(struct DiskGuard *disk, struct Tenant *tenant, usec_t now);

/* Its cgroup is gone: its directories and their project stay as they are, for when it comes back by that
 * name. */
void adoption_vanished(struct DiskGuard *disk, struct Tenant *tenant, usec_t now);

/* A limit of it was answered: what had to wait for that. */
void adoption_settle(struct DiskGuard *disk, struct Tenant *tenant);

/* Nothing of it is to count any more: the project is taken off every file, in the background. */
void adoption_release(struct DiskGuard *disk, struct Tenant *tenant);
/* The same for every project whose tenant is not here. Returns how many. */
size_t adoption_release_absent(struct DiskGuard *disk);

/* Projects of tenants that are not here, without any directory and without usage: their ids are given back.
 */
void adoption_collect(struct DiskGuard *disk);

/* The worker's word on a directory. */
void adoption_tagged(struct DiskGuard *disk, struct DiskOrder *order, bool done, int error,
                     const struct TagResult *result);

/* An operator asks whether every file counts; `inspected` is called at the end. 0, or -EBUSY; -ENOENT: there
 * is nothing that could count. */
int adoption_inspect(struct DiskGuard *disk, struct Tenant *tenant, bool repair, uint64_t ticket);
