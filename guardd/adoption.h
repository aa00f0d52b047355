/* Adoption: which directories count for a tenant. See disk.h. */
#pragma once

#include "disk.h"

/* Does its class, or an operator, want its disk guarded? */
bool adoption_wanted(const struct Tenant *tenant);

/* Finds the tenant's directories (again), and has adopted what belongs to it alone. What counted and is no
 * more its own is given up. Cheap enough for each time that the cgroup has changed. */
void adoption_look(struct DiskGuard *disk, struct Tenant *tenant, usec_t now);
/* Something could not be done now: its directories are looked at again soon. */
void adoption_try_again(const struct DiskGuard *disk, struct Tenant *tenant);

/* All of overlay's work directory is tagged: its layer may follow, if no whiteout came before. */
void adoption_work_tagged(struct DiskGuard *disk, struct Tenant *tenant, struct Directory *work);

/* Its cgroup is gone: its directories and their project stay as they are, for when it comes back by that
 * name. */
void adoption_vanished(struct DiskGuard *disk, struct Tenant *tenant, usec_t now);

/* Nothing of it is to count any more: the project is taken off every file, in the background. */
void adoption_release(struct DiskGuard *disk, struct Tenant *tenant);
