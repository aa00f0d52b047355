/* What a start does with the ledger of the run before. That run may have ended anywhere: between an entry and
 * its act, in the middle of an inverse, with tenants frozen, with limits set.
 *
 *   hold, standing       its tenant is here and its class still has the rule: taken up, the freeze is
 *                        made sure of, the rule goes on from its step. Else: thawed, dropped
 *   throttle, standing   the same; the line is written again where it is not in force. Else: what was
 *                        found is written back, unless somebody has set something else since
 *   ... undoing          the inverse runs (again), then it is dropped
 *   terminate            the rule goes on in its grace
 *   kill                 counts for the kill budget and the offences until it expires
 *   limit                known to be ours, with the value found before. No tenant any more: given back.
 *                        Of links: whatever is on those that are no tenant's is taken off (network.h)
 *   links                stays until they are swept, and so does the first entry of links that is dropped
 *
 * The cgroup is gone, or its id is used by another path: dropped, nothing is touched. */
#pragma once

#include <stddef.h>

#include "config/config.h"
#include "decide/engine.h"
#include "pipeline.h"
#include "sense/tree.h"
#include "tenant/registry.h"

struct Recovery {
    struct Pipeline *pipeline;
    const struct Engine *engine;
    const struct Registry *registry;
    const struct Tree *tree;
    usec_t now;
    /* what came of it */
    size_t taken_up, undone, void_entries;
    bool links;          /* rates of links were set: they are to be swept */
    uint32_t links_slot; /* of ENTRY_LINKS, which stays until that is done; LEDGER_SLOT_NONE before */
};

/* To be called when every tenant is known, with `links_slot` as said. Returns 0, or < 0 when the ledger
 * cannot be read. */
int recover_run(struct Recovery *recovery);
