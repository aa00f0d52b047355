/* Metering: counters of all links and queues, read once for all tenants, as readings. See network.h. */
#pragma once

#include "network.h"

/* What a queue of guardd's dropped. */
struct QueueDrops {
    int ifindex; /* of the link whose rate it keeps */
    enum Direction direction;
    uint64_t dropped;
};

/* To be sorted by: many links are looked up in many queues. */
int metering_compare_drops(const void *a, const void *b);

/* Reads them, unless that was done a moment ago or is under way. */
void metering_ask(struct NetworkGuard *guard, usec_t now);
/* They were read; `drops` is sorted. */
void metering_take(struct NetworkGuard *guard, int error, const struct LinkTable *links,
                   const struct QueueDrops *drops, size_t n_drops, usec_t at_usec);

/* When rules need them next; USEC_INFINITY. */
usec_t metering_due_usec(const struct NetworkGuard *guard);
