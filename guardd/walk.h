/* Walks: a worker's thread goes through all of a directory to tag its files, to take the project off them, or
 * to see whether they have it. See disk.h. */
#pragma once

#include "act/tagger.h"
#include "disk.h"

/* Has it tagged: DIRECTORY_TAGGING. */
int walk_begin(struct DiskGuard *disk, struct Tenant *tenant, struct Directory *directory,
               struct Project *project, enum TagMode mode);

/* Has the project taken off it. From now on nobody believes that all of it is tagged, neither when it counts
 * again before all is cleared nor after kill -9. `tenant_id`: 0, whose it was is not here. */
int walk_clear(struct DiskGuard *disk, uint64_t tenant_id, const struct Directory *directory, uint32_t id);

/* Any walk; nothing is written down and none is cancelled for it. */
int walk_order(struct DiskGuard *disk, enum OrderKind kind, enum TagMode mode, uint64_t tenant_id,
               const struct Directory *directory, uint32_t project);

/* The worker's word on a directory: how far it came, or (`done`) what came of it. */
void walk_answered(struct DiskGuard *disk, struct DiskOrder *order, bool done, int error,
                   const struct TagResult *result);

/* What a walk saw, as the directory's numbers. */
void walk_take_counts(struct Directory *directory, const struct TagResult *result);
