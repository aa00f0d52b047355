/* The tripwire: a soft limit, which the kernel announces when it is crossed and which forbids nothing. Pure.
 *
 * It lies at DiskWarnAt= of the tenant's hard limit, or nearer: where a rule watches what is left of the
 * host's disk, as near that all tenants together cannot use up what lies between here and that rule's mark
 * without one of them crossing. So nobody has to be polled. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/disk.h"
#include "model/policy.h"

struct TripwireView {
    const struct TenantClass *class;
    uint64_t space_hard_bytes, inodes_hard; /* 0 or LIMIT_INFINITY: none */
    const struct DiskShare *share;          /* usage and room, as of now */
    size_t n_growers;                       /* tenants with a project on that filesystem */
};

/* 0: none is needed. Never above the hard limit. Below the present usage only where it has crossed
 * DiskWarnAt= and no rule asks for more: then it stays there. Space is a multiple of 4096. */
void tripwire_place(const struct TripwireView *view, uint64_t *ret_space_soft_bytes,
                    uint64_t *ret_inodes_soft);

/* Does what lies there now (`share->usage`) leave the tenant more than twice what it would be given? It was
 * placed when more was free, or for fewer growers: to be placed anew. */
bool tripwire_is_far(const struct TripwireView *view);
