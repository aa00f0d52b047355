/* Shaping: rates on the links of tenants, as orders to the worker. See network.h.
 *
 * The rate of a link is that of the namespace behind it: the lowest of what is set for the tenants in it
 * (LimitState of each). */
#pragma once

#include "network.h"

/* What the worker's thread works with. */
int shaping_open(struct NetworkGuard *guard);
void shaping_close(struct NetworkGuard *guard);

/* For Pipeline.set_network: orders this limit on each link of the tenant; returns how many answers will come
 * (limiting_answer), or < 0: -ENODATA, it has no links; -ERANGE, no such rate: `why` (REASON_MAX) says it. */
int shaping_set(struct NetworkGuard *guard, struct Tenant *tenant, enum LimitId limit, uint64_t value,
                char *why);

/* For Pipeline.throttle_network: the tenant's links get no more than this, both ways, whatever its limits are
 * (LIMIT_INFINITY: these again). Returns how many answers will come (throttling_answer), or < 0. */
int shaping_throttle(struct NetworkGuard *guard, struct Tenant *tenant, uint64_t rate_bits);

/* Is there a shape for this rate on this link? Else a sentence. */
bool shaping_is_possible(const struct NetworkGuard *guard, const struct Tenant *tenant,
                         const struct TenantLink *link, uint64_t rate_bits, char *why);

/* All who share its links have another rate now, if need be: one of them is gone, or a link is another. */
void shaping_renew(struct NetworkGuard *guard, struct Tenant *tenant);

/* Is what was set still there? If not it is set again, on the way of every limit. */
void shaping_inspect(struct NetworkGuard *guard, struct Tenant *tenant, struct TenantLink *link,
                     enum Direction direction);

/* Takes off what may be guardd's on a link that is nobody's any more, or that is gone. */
void shaping_drop(struct NetworkGuard *guard, int ifindex, enum Direction direction);

/* Takes off whatever no link of a tenant should have. */
void shaping_sweep(struct NetworkGuard *guard);

/* Orders for the lists: all links; those in the tenant's namespace. */
int shaping_list(struct NetworkGuard *guard);
int shaping_explain(struct NetworkGuard *guard, const struct Tenant *tenant);
/* All links with their counters, and what was dropped by each queue of guardd's: for metering_take(). */
int shaping_meter(struct NetworkGuard *guard);

/* Was this removed by the worker itself? */
bool shaping_is_own(const struct NetworkGuard *guard, uint32_t port);
