/* Overrides: limits that an operator set live, by the tenant's name. STATE/overrides outlives a reboot,
 * RUNTIME/overrides does not; one JSON file a tenant in each, written whole to a temporary name, synced,
 * renamed; names of files are escaped names of tenants. Of two for one limit the runtime one is in force. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <uthash.h>

#include "base/usec.h"
#include "model/limit.h"

struct Override {
    char *tenant;
    struct Limits persistent, runtime;
    uid_t uid;            /* who set it last */
    usec_t realtime_usec; /* when */
    UT_hash_handle hh;
};

struct Overrides {
    int state_fd, runtime_fd; /* negative: why nothing can be kept there */
    struct Override *list;
    size_t damaged; /* files that could not be read; kept as NAME.damaged */
};

/* Makes both directories where needed; where that cannot be done it succeeds, and the descriptor says why. */
int overrides_open(struct Overrides *overrides, const char *state_dir, const char *runtime_dir);
void overrides_close(struct Overrides *overrides);
const struct Override *override_find(const struct Overrides *overrides, const char *tenant);
/* What is in force: runtime before persistent. */
void override_limits(const struct Overrides *overrides, const char *tenant, struct Limits *ret);
/* Sets (where `limits->set`) for a tenant, durable before it returns. -EROFS, -ENOSPC: nothing is changed.
 * -EEXIST: another tenant's long name comes to the same file. */
int override_set(struct Overrides *overrides, const char *tenant, const struct Limits *limits, bool runtime,
                 uid_t uid, usec_t realtime_usec);
/* Takes back the limits named (where `limits->set`), persistent and runtime ones; all of them with NULL. Done
 * too when there are none. */
int override_reset(struct Overrides *overrides, const char *tenant, const struct Limits *limits);
