/* Overrides: limits that an operator set live (model/override.h), by the tenant's name. STATE/overrides
 * outlives a reboot, RUNTIME/overrides does not; one JSON file a tenant in each (override_file.h), written
 * whole to a temporary name, synced, renamed; names of files are escaped names of tenants.
 *
 * Points in time are CLOCK_REALTIME here: a boot's own clock would not outlive it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/usec.h"
#include "model/override.h"

struct Overrides {
    int state_fd, runtime_fd; /* negative: why nothing can be kept there */
    struct Override *list;    /* of whom nothing is set any more stays, for its version */
    uint64_t last_version;    /* of all */
    usec_t retry_usec;        /* when a file that could not be written is tried again */
    size_t damaged;           /* files that could not be read; kept as NAME.damaged */
};

/* Makes both directories where needed; where that cannot be done it succeeds, and the descriptor says why.
 * What has ended meanwhile is there still: overrides_end(). */
int overrides_open(struct Overrides *overrides, const char *state_dir, const char *runtime_dir);
void overrides_close(struct Overrides *overrides);
/* NULL when nothing is set. Until the next change. */
const struct Override *override_find(const struct Overrides *overrides, const char *tenant);
/* What is asked for: of each limit the topmost. */
void override_limits(const struct Overrides *overrides, const char *tenant, struct Limits *ret);

/* Sets (where `limits->set`) for a tenant, durable before it returns. -EROFS, -ENOSPC, any: nothing is
 * changed. -EEXIST: another tenant's long name comes to the same file. The version is not looked at here. */
int override_set(struct Overrides *overrides, const char *tenant, const struct Limits *limits,
                 const struct OverrideWish *wish, usec_t realtime_usec);
/* Takes back the limits named (where `limits->set`), on all layers; all of them with NULL. Done too when
 * there are none. */
int override_reset(struct Overrides *overrides, const char *tenant, const struct Limits *limits,
                   const struct Author *author, usec_t realtime_usec);

/* 0 when nothing was ever changed. */
uint64_t override_version(const struct Overrides *overrides, const char *tenant);
/* What was changed since `version` and by whom, the newest first: "TasksMax=300 by alice (uid 1000) 5s ago".
 * Returns `buf`. */
const char *override_changes(const struct Overrides *overrides, const char *tenant, uint64_t version,
                             usec_t realtime_usec, char *buf, size_t size);

/* A copy of what is set for a tenant, for override_restore(): with nothing when there is nothing. -ENOMEM. */
int override_copy(const struct Overrides *overrides, const char *tenant, struct Override *ret);
void override_done(struct Override *copy);
/* Puts that in the place of what there is now, version and all. In memory in any case; < 0: a file could not
 * be written, which overrides_end() goes on to try. Takes over what is in `copy`. */
int override_restore(struct Overrides *overrides, struct Override *copy);

/* When overrides_end() is due, USEC_INFINITY when it is not. */
usec_t overrides_due_usec(const struct Overrides *overrides);
/* Takes out what has ended; `ended` is told of each afterwards. Where a file cannot be written the end holds
 * nevertheless: it stands in the file. */
void overrides_end(struct Overrides *overrides, usec_t realtime_usec,
                   void (*ended)(void *userdata, const char *tenant, const struct OverrideEntry *entry),
                   void *userdata);
