/* Rules with Scope=host: the condition is the host's, the victim is elected. Pure.
 *
 * Of the tenants whose class lists the rule and that the condition concerns, the one with most of `Rank=` is
 * elected; never one that is protected, exempt, released, already held, or below Floor=. Who was passed over
 * and why is part of the reason. After an election the next one waits HOST_DWELL_USEC: the first one's end
 * must have time to show. */
#pragma once

#include "model/decision.h"
#include "model/policy.h"
#include "model/tenant.h"

#define HOST_DWELL_USEC (3 * USEC_PER_SEC)

/* One rule on one thing of the host (a filesystem; 0 for what there is one of). */
struct HostState {
    const struct Rule *rule;
    uint64_t scope;
    usec_t began_usec;   /* the condition began to hold; USEC_INFINITY */
    usec_t elected_usec; /* the last election; 0: none */
    bool vain;           /* it holds and there is nobody to elect: said once */
};

enum HostVerdict {
    HOST_QUIET,   /* does not hold */
    HOST_PENDING, /* not yet long enough, or the last election is too young */
    HOST_ELECT,   /* elect somebody */
};
/* `readings`: of the host, as far as the rule's condition asks. */
enum HostVerdict host_look(struct HostState *state, const struct Readings *readings, usec_t now);
/* When to look again; USEC_INFINITY when quiet. */
usec_t host_look_usec(const struct HostState *state, usec_t now);

/* Picks among `candidates` (their readings fresh); NULL when nobody may be. `reason` (REASON_MAX):
 * "host.disk.free 9%
 * (< 10%); docker/a has most disk.growth, 120M/s; passed over: docker/b 80M/s, docker/c 3M/s (protected)". */
struct Tenant *host_elect(struct HostState *state, struct Tenant *const *candidates, size_t n,
                          const struct Readings *host, usec_t now, char *reason);
