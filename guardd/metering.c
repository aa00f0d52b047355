/* See metering.h. Two lists, made by the worker, serve all tenants; what each does not share with the others
 * is the point in time at which it was read first. The links of the last list are kept: whose links are found
 * later begins with what was counted then.
 *
 * The lists wait for the kernel's lock of links. A rule must not take what was read before that for what is
 * so now: readings that are too old are not known any more. */
#include "metering.h"

#include <stdlib.h>
#include <string.h>

#include "act/shaper.h"
#include "sense/net.h"
#include "shaping.h"

/* For all that ask within this time, it is read once. */
#define METER_INTERVAL_USEC (900 * USEC_PER_MSEC)
/* Where somebody has no rate yet. */
#define METER_AGAIN_USEC (200 * USEC_PER_MSEC)
#define RULES_INTERVAL_USEC USEC_PER_SEC
#define LAPSE_USEC (3 * USEC_PER_SEC)

static usec_t interval_usec(const struct NetworkGuard *guard)
{
    return guard->began ? METER_AGAIN_USEC : METER_INTERVAL_USEC;
}

void metering_ask(struct NetworkGuard *guard, usec_t now)
{
    if (!guard->connected || !guard->listed || guard->metering ||
        (guard->metered_usec > 0 && now < usec_add(guard->metered_usec, interval_usec(guard))))
        return;
    guard->metering = shaping_meter(guard) >= 0;
    if (!guard->metering)
        guard->metered_usec = now; /* no memory: later */
}

int metering_compare(const void *a, const void *b)
{
    const struct QueueDrops *left = a, *right = b;

    if (left->ifindex != right->ifindex)
        return left->ifindex < right->ifindex ? -1 : 1;
    return (int)left->direction - (int)right->direction;
}

static void note_drops(struct Network *network, const struct QueueDrops *drops, size_t n_drops)
{
    for (size_t i = 0; n_drops > 0 && i < network->n_links; i++)
        for (int d = 0; d < DIRECTION_COUNT; d++) {
            const struct QueueDrops wanted = {.ifindex = network->links[i].ifindex,
                                              .direction = (enum Direction)d};
            const struct QueueDrops *found =
                bsearch(&wanted, drops, n_drops, sizeof(wanted), metering_compare);

            if (found)
                network->links[i].rates[d].dropped = found->dropped;
        }
}

static uint64_t own_limit(const struct Tenant *tenant, enum Direction direction)
{
    const struct LimitState *limit = &tenant->limits[direction_limit(direction)];

    return limit->applied ? limit->value : LIMIT_INFINITY;
}

/* Its own, or else the lowest of those it shares its links with. */
static uint64_t limit_of(const struct NetworkGuard *guard, struct Tenant *tenant, enum Direction direction)
{
    uint64_t limit = own_limit(tenant, direction);
    struct Tenant *other;

    if (limit != LIMIT_INFINITY || tenant->network.n_sharers == 0)
        return limit;
    for (size_t at = 0; (other = network_sharer(guard, tenant, at)); at++)
        if (own_limit(other, direction) < limit)
            limit = own_limit(other, direction);
    return limit;
}

/* A percentage of a rate is of the limit, also while a throttle leaves it less: Until= is about that. */
static void add_limits(const struct NetworkGuard *guard, struct Tenant *tenant, struct NetSums *sums)
{
    for (int i = 0; i < DIRECTION_COUNT; i++) {
        uint64_t limit = limit_of(guard, tenant, (enum Direction)i);

        if (limit != LIMIT_INFINITY)
            sums->limit_bits[i] = (int64_t)limit;
    }
}

static void read_tenant(struct NetworkGuard *guard, struct Tenant *tenant, const struct LinkTable *links,
                        usec_t at_usec)
{
    const struct Network *network = &tenant->network;
    usec_t looked_usec = tenant->readings.at_usec; /* at all of it */
    struct NetSums sums;
    size_t n = 0;

    net_begin(&sums);
    for (size_t i = 0; i < network->n_links; i++) {
        const struct Link *link = link_table_find(links, network->links[i].ifindex);

        if (!link)
            continue;
        n++;
        net_add_link(&sums, link);
        for (int d = 0; d < DIRECTION_COUNT; d++)
            net_add_dropped(&sums, (enum Direction)d, network->links[i].rates[d].dropped);
    }
    add_limits(guard, tenant, &sums);
    net_look(n > 0 ? &sums : NULL, &tenant->net, at_usec, &tenant->readings);
    tenant->readings.at_usec = looked_usec;
    guard->began = guard->began || (n > 0 && !tenant->readings.valid[READING_NET_EGRESS]);
}

void metering_begin(struct NetworkGuard *guard, struct Tenant *tenant)
{
    if (!guard->lapsed && tenant->network.n_links > 0 && !tenant->net.bytes[DIRECTION_EGRESS].valid)
        read_tenant(guard, tenant, &guard->counted, guard->metered_usec);
}

static void copy_host(const struct Readings *from, struct Readings *to)
{
    static const enum ReadingId ids[] = {READING_HOST_NET_EGRESS, READING_HOST_NET_INGRESS};

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        to->valid[ids[i]] = from->valid[ids[i]];
        to->value[ids[i]] = from->value[ids[i]];
        to->limit[ids[i]] = from->limit[ids[i]];
    }
}

static void forget(struct Readings *readings)
{
    for (int id = 0; id < READING_COUNT; id++)
        if (reading_is_of_network((enum ReadingId)id))
            readings->valid[id] = false;
}

/* They cannot be read any more, or not now: what they were is not what they are. */
static void lapse(struct NetworkGuard *guard)
{
    struct Tenant *tenant, *next;

    guard->lapsed = true;
    forget(&guard->host_readings);
    HASH_ITER (hh, guard->registry->tenants, tenant, next)
        forget(&tenant->readings);
}

void metering_take(struct NetworkGuard *guard, int error, struct LinkTable *links,
                   const struct QueueDrops *drops, size_t n_drops, usec_t at_usec)
{
    struct LinkTable before = guard->counted;
    struct Tenant *tenant, *next;

    guard->metering = guard->began = false;
    guard->metered_usec = at_usec;
    if (error < 0)
        return lapse(guard);
    guard->lapsed = false;
    guard->counted = *links;
    *links = before;
    net_look_host(&guard->counted, &guard->host, at_usec, &guard->host_readings);
    HASH_ITER (hh, guard->registry->tenants, tenant, next) {
        note_drops(&tenant->network, drops, n_drops);
        read_tenant(guard, tenant, &guard->counted, at_usec);
        copy_host(&guard->host_readings, &tenant->readings);
    }
}

void metering_end(struct NetworkGuard *guard)
{
    struct Tenant *tenant, *next;

    guard->metering = false;
    lapse(guard);
    link_table_done(&guard->counted);
    guard->host = (struct NetBaseline){0};
    HASH_ITER (hh, guard->registry->tenants, tenant, next)
        tenant->net = (struct NetBaseline){0};
}

/* Until= is asked for while the rule is at work. */
static bool rule_ends(const struct Tenant *tenant)
{
    const struct TenantClass *class = tenant->class;

    for (size_t i = 0; class && i < class->n_rules; i++)
        if (tenant->condition.rules[i].phase != PHASE_IDLE &&
            reading_is_of_network(class->rules[i]->until.reading))
            return true;
    return false;
}

static bool is_read(const struct NetworkGuard *guard)
{
    struct Tenant *tenant, *next;

    if (guard->reads || !guard->ends)
        return guard->reads;
    HASH_ITER (hh, guard->registry->tenants, tenant, next)
        if (rule_ends(tenant))
            return true;
    return false;
}

usec_t metering_due_usec(const struct NetworkGuard *guard)
{
    if (guard->listed && !guard->metering && is_read(guard))
        return usec_add(guard->metered_usec, RULES_INTERVAL_USEC);
    return guard->lapsed ? USEC_INFINITY : usec_add(guard->metered_usec, LAPSE_USEC);
}

void metering_pass(struct NetworkGuard *guard, usec_t now)
{
    if (now < metering_due_usec(guard))
        return;
    if (is_read(guard))
        metering_ask(guard, now);
    if (!guard->lapsed && now >= usec_add(guard->metered_usec, LAPSE_USEC))
        lapse(guard);
}
