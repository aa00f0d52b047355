/* What belongs to a container, by its mount table and its runtime's state. Private to tenant/. */
#pragma once

#include <stdbool.h>

#include "base/mounts.h"
#include "tenant/findings.h"
#include "tenant/footprint.h"

/* Did a runtime make it, so that its mount table may be believed? */
bool container_is_one(const struct FootprintOwner *owner);
/* Does the table have this host's own root: is it still being made? */
bool container_is_unsettled(const struct Mounts *host, const struct Mounts *table);
/* What is known of one that is being made: where its root writes, by its runtime's state. false: not known.
 */
bool container_find_early(struct Findings *findings, const struct FootprintOwner *owner);
void container_find(struct Findings *findings, const struct FootprintOwner *owner,
                    const struct Mounts *table);
