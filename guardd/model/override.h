/* An override: a limit of a tenant that an operator set live. Those of one limit lie one above the other, and
 * the topmost is asked for:
 *
 *   timed       until a point in time
 *   runtime     until the next boot
 *   persistent  for good
 *
 * What is set last is what the operator wants: it ends those of the same limit that lie above it. What ends
 * by itself gives way to the one below it, and the last of them to the class. A timed one is kept over a
 * reboot (its end is a point in time, CLOCK_REALTIME), or is not: that makes two layers of it, of which one
 * is there at most.
 *
 * The version of a tenant's overrides is another one after each change. It grows, and is not used again: it
 * is the time of the change in milliseconds, or one more than the last one. 0: nothing was ever changed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uthash.h>

#include "base/usec.h"
#include "model/author.h"
#include "model/limit.h"

enum OverrideLayer {
    OVERRIDE_PERSISTENT,
    OVERRIDE_RUNTIME,
    OVERRIDE_TIMED,
    OVERRIDE_TIMED_RUNTIME,
    OVERRIDE_LAYERS,
};

static inline bool override_is_timed(enum OverrideLayer layer)
{
    return layer >= OVERRIDE_TIMED;
}

/* Ends with the boot. */
static inline bool override_is_runtime(enum OverrideLayer layer)
{
    return layer == OVERRIDE_RUNTIME || layer == OVERRIDE_TIMED_RUNTIME;
}

/* "persistent", "runtime", "timed". */
const char *override_layer_name(enum OverrideLayer layer);

struct OverrideEntry {
    enum LimitId limit;
    enum OverrideLayer layer;
    uint64_t value;
    struct Author author;
    usec_t set_realtime_usec;
    usec_t until_realtime_usec; /* of a timed one; else USEC_INFINITY */
};

/* What has changed, for whoever did not know of it. */
struct OverrideChange {
    uint64_t version; /* that it made */
    usec_t realtime_usec;
    uint32_t uid;
    char name[AUTHOR_NAME_MAX];
    char what[160]; /* "TasksMax=300 for 2h" */
};
#define OVERRIDE_CHANGES_MAX 4

/* All of a tenant's. */
struct Override {
    char *tenant;
    struct OverrideEntry *entries; /* owned; in no order */
    size_t n;
    uint64_t version;
    struct OverrideChange changes[OVERRIDE_CHANGES_MAX]; /* the newest first */
    size_t n_changes;
    unsigned unwritten; /* bit 0, 1: the persistent, the runtime file is not as it should be */
    UT_hash_handle hh;
};

/* How an operator wants limits set. */
struct OverrideWish {
    bool runtime;    /* until the next boot, at the longest */
    usec_t for_usec; /* for so long; 0: no end */
    bool if_version; /* only when this is the version: */
    uint64_t version;
    struct Author author;
};

/* The one that is asked for, NULL when there is none. `override` may be NULL. */
const struct OverrideEntry *override_topmost(const struct Override *override, enum LimitId limit);
