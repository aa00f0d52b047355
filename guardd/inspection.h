/* Inspection: an operator asks whether every file of a tenant counts, and may have it mended. See disk.h. */
#pragma once

#include "act/tagger.h"
#include "disk.h"

/* Has all that counts walked; `inspected` is called at the end. 0, or -EBUSY; -ENOENT: there is nothing that
 * could count. */
int inspection_begin(struct DiskGuard *disk, struct Tenant *tenant, bool repair, uint64_t ticket);

/* One of its walks is over. */
void inspection_walked(struct DiskGuard *disk, struct Tenant *tenant, const struct DiskOrder *order,
                       int error, const struct TagResult *result);
