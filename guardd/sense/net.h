/* The network sensor: counters of a tenant's links, and of the queues that shape it, as readings. Where the
 * counters come from is sense/link.h; one list of all links serves all tenants of a tick.
 *
 * net.egress is what the tenant sends, before anything is dropped of it for its limit: who floods is seen
 * flooding while it is slowed. net.ingress is what got through to it. Rates need two looks, as in
 * sense/counter.h, at the same links: when there are others than before, what these counted earlier is no
 * rate of now, and it is a new beginning. Allocates nothing. */
#pragma once

#include "base/usec.h"
#include "model/link.h"
#include "model/reading.h"

struct NetSums {
    struct LinkCounters counters[DIRECTION_COUNT];
    uint64_t mark;                       /* of the links */
    int64_t limit_bits[DIRECTION_COUNT]; /* per second; READING_UNLIMITED */
};

/* Begins with nothing, and no limit. */
void net_begin(struct NetSums *sums);
void net_add_link(struct NetSums *sums, const struct Link *link);
/* What a queue dropped that shapes the tenant in this direction: no link counts it. */
void net_add_dropped(struct NetSums *sums, enum Direction direction, uint64_t dropped);

/* Fills net.*. NULL: it has no links (any more). */
void net_look(const struct NetSums *sums, struct NetBaseline *baseline, usec_t now,
              struct Readings *readings);

/* Fills host.net.* by all links of the host. */
void net_look_host(const struct LinkTable *here, struct NetBaseline *baseline, usec_t now,
                   struct Readings *readings);
