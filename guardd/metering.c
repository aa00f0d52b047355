/* See metering.h. Two lists, made by the worker, serve all tenants; what each does not share with the others
 * is the point in time at which it was read first. */
#include "metering.h"

#include <stdlib.h>

#include "sense/net.h"
#include "shaping.h"

/* For all that ask within this time, it is read once. */
#define METER_INTERVAL_USEC (900 * USEC_PER_MSEC)
#define RULES_INTERVAL_USEC USEC_PER_SEC

void metering_ask(struct NetworkGuard *guard, usec_t now)
{
    if (!guard->connected || !guard->listed || guard->metering ||
        (guard->metered_usec > 0 && now < usec_add(guard->metered_usec, METER_INTERVAL_USEC)))
        return;
    guard->metering = shaping_meter(guard) >= 0;
}

int metering_compare_drops(const void *a, const void *b)
{
    const struct QueueDrops *left = a, *right = b;

    if (left->ifindex != right->ifindex)
        return left->ifindex < right->ifindex ? -1 : 1;
    return (int)left->direction - (int)right->direction;
}

static void note_drops(struct Network *network, const struct QueueDrops *drops, size_t n_drops)
{
    for (size_t i = 0; i < network->n_links && n_drops > 0; i++)
        for (int d = 0; d < DIRECTION_COUNT; d++) {
            const struct QueueDrops wanted = {.ifindex = network->links[i].ifindex,
                                              .direction = (enum Direction)d};
            const struct QueueDrops *found =
                bsearch(&wanted, drops, n_drops, sizeof(wanted), metering_compare_drops);

            if (found)
                network->links[i].rates[d].dropped = found->dropped;
        }
}

/* A percentage of a rate is of the limit, also while a throttle leaves it less: Until= is about that. */
static void add_limits(const struct Tenant *tenant, struct NetSums *sums)
{
    for (int i = 0; i < DIRECTION_COUNT; i++) {
        const struct LimitState *limit = &tenant->limits[direction_limit((enum Direction)i)];
        uint64_t wanted = tenant->network.wanted[i];

        if (limit->applied && limit->value != LIMIT_INFINITY)
            sums->limit_bits[i] = (int64_t)limit->value;
        else if (wanted != LIMIT_INFINITY && tenant->network.flood_bits == LIMIT_INFINITY)
            sums->limit_bits[i] = (int64_t)wanted; /* of whom it shares its links with */
    }
}

static void read_tenant(struct Tenant *tenant, const struct LinkTable *links, usec_t at_usec)
{
    const struct Network *network = &tenant->network;
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
    add_limits(tenant, &sums);
    net_look(n > 0 ? &sums : NULL, &tenant->net, at_usec, &tenant->readings);
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

void metering_take(struct NetworkGuard *guard, int error, const struct LinkTable *links,
                   const struct QueueDrops *drops, size_t n_drops, usec_t at_usec)
{
    static const struct LinkTable none;
    struct Tenant *tenant, *next;

    guard->metering = false;
    guard->metered_usec = at_usec;
    if (error < 0)
        links = &none; /* nothing is known */
    net_look_host(links, &guard->host, at_usec, &guard->host_readings);
    HASH_ITER (hh, guard->registry->tenants, tenant, next) {
        usec_t looked_usec = tenant->readings.at_usec;

        note_drops(&tenant->network, drops, n_drops);
        read_tenant(tenant, links, at_usec);
        tenant->readings.at_usec = looked_usec; /* that of a look at all of it */
        copy_host(&guard->host_readings, &tenant->readings);
    }
}

usec_t metering_due_usec(const struct NetworkGuard *guard)
{
    if (!guard->reads || !guard->connected || !guard->listed || guard->metering)
        return USEC_INFINITY;
    return usec_add(guard->metered_usec, RULES_INTERVAL_USEC);
}
