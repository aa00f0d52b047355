/* Metering: counters of all links and queues, read once for all tenants, as readings. See network.h. */
#pragma once

#include "network.h"

/* What a queue of guardd's dropped of what the tenant behind a link sends, or gets. */
struct QueueDrops {
    int ifindex; /* of that link, also where the queue is on an IFB for it */
    enum Direction direction;
    uint64_t dropped;
};
/* Their order, by link and direction. */
int metering_compare(const void *a, const void *b);

/* Reads them, unless that was done a moment ago or is under way. */
void metering_ask(struct NetworkGuard *guard, usec_t now);
/* They were read: the links, which are kept in place of the former ones, and what was dropped, in order. */
void metering_take(struct NetworkGuard *guard, int error, struct LinkTable *links,
                   const struct QueueDrops *drops, size_t n_drops, usec_t at_usec);
/* Its links were found after the counters were read: the next look has something to compare with. */
void metering_begin(struct NetworkGuard *guard, struct Tenant *tenant);
/* Nothing is read any more. */
void metering_end(struct NetworkGuard *guard);

/* When rules need them next, or what was read is too old; USEC_INFINITY. */
usec_t metering_due_usec(const struct NetworkGuard *guard);
void metering_pass(struct NetworkGuard *guard, usec_t now);
