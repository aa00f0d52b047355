/* The trace: what decide/ was told lately, and what it said, in a ring of bytes (TraceSize=), so that it can
 * be told the same again (replay.c).
 *
 * The ring is a few segments, each of which begins with the state of that moment: configuration, budget,
 * offences, rules of the host. A tenant's state stands before the first entry about it in a segment: who is
 * at peace, as most of ten thousand are, is in none. When all are full the oldest one is begun anew, so that
 * the oldest one left always says from where it goes on.
 *
 * Everything is allocated by trace_open(). On the way to a freeze a look and its decisions are copied and no
 * more: they become bytes of the ring when the deed is done (trace_flush()), or before anything else does. A
 * Trace that is NULL, or has no size, records nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "decide/budget.h"
#include "decide/host.h"
#include "decide/offence.h"
#include "record/trace_entry.h"
#include "tenant/registry.h"

#define TRACE_SEGMENTS 8

struct Trace;

/* Where the state is that a segment begins with; all borrowed. */
struct TraceSources {
    const struct Registry *registry;
    const struct KillBudget *budget;
    const struct Offences *offences;
    const struct Config *const *config;
    const usec_t *realtime_offset_usec; /* CLOCK_REALTIME less CLOCK_BOOTTIME */
    /* Calls trace_watch() for each rule of the host; may be NULL. */
    void (*watches)(void *userdata, struct Trace *trace, usec_t now);
    void *userdata;
};

struct TraceSegment {
    size_t used, state_size; /* bytes; of these, of the state at its beginning */
    bool reloaded;           /* that state is news: another configuration is in force */
    bool partial;            /* there was no room for something */
};

struct Trace {
    uint8_t *bytes; /* owned; NULL: off */
    size_t segment_size;
    struct TraceSegment segments[TRACE_SEGMENTS];
    size_t first, n;         /* the oldest one, and how many are in use; 0: not begun */
    struct TraceEntry *held; /* not in the ring yet, in their order; owned */
    size_t n_held;
    uint64_t last; /* number of the newest one, of all there ever were; tenants remember it */
    struct TraceSources from;
};

/* `size`: in bytes, 0: off. `trace` is zero, or was closed: what tenants remember of it holds. -ENOMEM: it is
 * off. */
int trace_open(struct Trace *trace, size_t size, const struct TraceSources *from);
void trace_close(struct Trace *trace);

/* From here on: at the start, and when another configuration is in force. */
void trace_begin(struct Trace *trace, usec_t now);

/* What was told lately is in the ring now. */
void trace_flush(struct Trace *trace);

/* Each before decide/ is asked, so that the state of the tenant that goes before it is the one before it. */
void trace_look(struct Trace *trace, struct Tenant *tenant, usec_t now);
void trace_outcome(struct Trace *trace, struct Tenant *tenant, const struct Decision *decision,
                   enum Result result, bool fed, usec_t now);
void trace_reset(struct Trace *trace, struct Tenant *tenant, usec_t now);

/* After the engine decided. */
void trace_decision(struct Trace *trace, struct Tenant *tenant, const struct Decision *decision, usec_t now);

void trace_gone(struct Trace *trace, struct Tenant *tenant, usec_t now);

/* After host_look(). `candidates`: how many trace_candidate() may follow, with a trace_election() behind
 * them, after host_elect(): all in one segment. */
void trace_host(struct Trace *trace, const struct HostState *state, const struct Readings *host,
                size_t candidates, usec_t now);
void trace_candidate(struct Trace *trace, struct Tenant *tenant, usec_t now);
void trace_election(struct Trace *trace, const struct HostState *state, const struct Readings *host,
                    bool withdrawn, usec_t now);
/* For TraceSources.watches. */
void trace_watch(struct Trace *trace, const struct HostState *state, usec_t now);

/* What is in the ring, the oldest first: entries one behind the other, of whose states only the first one and
 * those that are news. */
struct TraceCopy {
    uint8_t *bytes; /* owned */
    size_t size;
    bool partial;
};

/* -ENODATA: it is off, or empty; -ENOMEM. */
int trace_copy(struct Trace *trace, struct TraceCopy *ret);
void trace_copy_free(struct TraceCopy *copy);
