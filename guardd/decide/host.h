/* Rules with Scope=host: the condition is the host's, the victim is elected. Pure.
 *
 * Of the tenants whose class lists the rule and that the condition concerns, the one with most of `Rank=` is
 * elected; never one that is protected, exempt, released, frozen already, in the hand of this rule already
 * (its steps go on by their own times), below Floor=, that has none of it, that is at its own limit of memory
 * where `Rank=` is of memory, or whose ManagedOOMPreference= is
 * omit; one with avoid only when there is nobody else. Who was passed over and why is part of the reason.
 * The next election waits until this one has shown what it does: until whoever is in hand has been taken to
 * the last of its steps that can be undone, and then HOST_DWELL_USEC. The first suspect is held firmly before
 * the second one is touched.
 *
 * The caller asks host_look() when something was announced and when host_look_usec() says so; at HOST_ELECT
 * it calls host_elect(), sets the chosen one's RuleState.elected and Case.election, and has the engine look
 * at it (engine.h). Nobody elected is told once: when `vain` was false before. */
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
    struct Trail trail;  /* of its reading */
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

/* Picks among `candidates`: tenants that the condition concerns, their readings fresh; who does not list the
 * rule or is gone does not count. On equal terms the name decides. NULL when nobody may be: then `vain` is
 * set and the reason begins with "nobody to freeze: " (the rule's first step beyond a warning). `ret->reason`
 * (of which some is left for the engine's own words): "host.disk.free 9.1G of 100G, 9% (< 10%);
 * docker/a has most disk.growth, 120M/s; passed over: docker/b 80M/s, docker/c 3M/s (protected)", at most
 * RIVALS_MAX of them, "and 5 more"; the same in numbers beside it. NULL, too, while somebody in hand has
 * steps ahead; then `vain` and `ret` are left as they are. */
struct Tenant *host_elect(struct HostState *state, struct Tenant *const *candidates, size_t n,
                          const struct Readings *host, usec_t now, struct Choice *ret);
