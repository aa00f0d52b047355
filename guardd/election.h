/* Election: rules with Scope=host on a filesystem. See disk.h and decide/host.h. */
#pragma once

#include "disk.h"

/* A tenant's usage was just read: are the host's rules on its filesystems content? Elects who is to stand
 * still, and has it looked at. */
void election_look(struct DiskGuard *disk, struct Tenant *tenant, usec_t now);

/* How far each rule of the host is, for TraceSources.watches. */
void election_trace(const struct DiskGuard *disk, struct Trace *trace, usec_t now);

usec_t election_due_usec(const struct DiskGuard *disk);
void election_pass(struct DiskGuard *disk, usec_t now);
/* The rules of the old policy are gone. */
void election_reset(struct DiskGuard *disk);
