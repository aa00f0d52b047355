/* The file of a tenant's overrides, one in each of the two directories, named by the tenant's escaped name:
 * docker%2Fweb.json. The true name stands inside, escaped too: the file's name is cut where it would be too
 * long.
 *
 *   {"tenant": "docker/web", "version": 1763773500123,
 *    "overrides": [{"limit": "DiskSpaceMax", "value": 21474836480, "uid": 1000, "name": "alice", "pid": 4242,
 *                   "command": "guardctl set docker/web DiskSpaceMax=20G",
 *                   "realtimeUSec": 1763773500000000, "untilRealtimeUSec": 1763780700000000}],
 *    "changes": [{"version": 1763773500123, "realtimeUSec": ..., "uid": 1000, "name": "alice", "what":
 * "..."}]}
 *
 * One with `untilRealtimeUSec` is timed; a value may be "infinity". Older ones have "limits" in the place of
 * "overrides": {"DiskInodesMax": "infinity"}, all of them set by `uid` at `realtimeUSec`. */
#pragma once

#include "model/override.h"

#include <systemd/sd-json.h>

/* Writes what of `entries` belongs into this directory, durable; without any there is no file. */
int override_file_write(int dir_fd, bool runtime, const struct Override *override,
                        const struct OverrideEntry *entries, size_t n);

/* What the file named so says; `ret` has no uthash handle, and its tenant and entries are the caller's to
 * free. Limits that this guardd does not know are passed over: an older one may read what a newer one wrote.
 * STORE_DAMAGED: not written by guardd. */
int override_file_read(const char *name, sd_json_variant *object, bool runtime, struct Override *ret);
