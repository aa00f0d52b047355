/* An order is made in the loop, run by the worker's thread, and answered in the loop again; in between it is
 * the thread's alone. All of one kind of thread: so they are carried out in the order in which they were
 * made, and what was ordered last holds.
 *
 * An order of a rate looks first: what is as it should be is not touched (a change refills the bucket). And
 * it looks afterwards: what does not read back was not set. */
#include "shaping.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "act/qdisc.h"
#include "act/shaper.h"
#include "base/error.h"
#include "decide/shape.h"
#include "limiting.h"
#include "metering.h"
#include "throttling.h"

/* Of a request that somebody's change has overtaken. */
#define TRIES 5
/* At a stop, for rates that were ordered. */
#define FINISH_WAIT_USEC (2 * USEC_PER_SEC)

struct NetworkKernel {
    struct Shaper shaper;
    struct LinkSensor lists;
    atomic_uint port; /* of the shaper */
};

enum OrderKind {
    ORDER_RATE,    /* the link has it from now on; LIMIT_INFINITY: none */
    ORDER_INSPECT, /* has it still? */
    ORDER_SWEEP,
    ORDER_LIST,
    ORDER_EXPLAIN,
    ORDER_METER,
};

struct Claim {
    int ifindex;
    enum Direction direction;
};

struct Order {
    enum OrderKind kind;
    struct NetworkGuard *guard;   /* the loop's alone */
    struct NetworkKernel *kernel; /* the thread's alone */
    usec_t (*clock)(void);
    uint64_t tenant_id; /* 0: nobody's */
    enum LimitId limit; /* of which an answer is awaited; LIMIT_INVALID: of none */
    bool throttles;     /* an answer is awaited of a throttle */
    int ifindex;
    char name[LINK_NAME_MAX];
    uint32_t mtu;
    enum Direction direction;
    uint64_t rate_bits;
    struct Shape shape;
    int32_t namespace_id;
    struct Claim *claims; /* owned */
    size_t n_claims;

    /* what came of it */
    int error;
    char text[160]; /* why, in words, or "" */
    enum ShaperState state;
    struct LinkTable links;
    struct QueueDrops *drops; /* owned */
    size_t n_drops, allocated;
    usec_t at_usec;
};

/* --- in the thread -------------------------------------------------------------------------------- */

static struct ShaperLink link_of(const struct Order *order)
{
    return (struct ShaperLink){.ifindex = order->ifindex, .name = order->name, .mtu = order->mtu};
}

static int inspect(struct Order *order)
{
    const struct ShaperLink link = link_of(order);
    struct ShaperReport report;
    int r = shaper_inspect(&order->kernel->shaper, &link, order->direction, &order->shape, &report);

    order->state = report.state;
    return r;
}

static int set_once(struct Order *order)
{
    const struct ShaperLink link = link_of(order);
    const struct Shaper *shaper = &order->kernel->shaper;
    char obstacle[SHAPER_OBSTACLE_MAX] = "";
    const char *module = NULL;
    int r = shaper_set(&order->kernel->shaper, &link, order->direction, &order->shape, obstacle, &module);

    order->text[0] = '\0';
    if (r == SHAPER_OBSTRUCTED)
        snprintf(order->text, sizeof(order->text), "%s has a %s, which is not guardd's", order->name,
                 obstacle);
    else if (r == -EOPNOTSUPP && module)
        snprintf(order->text, sizeof(order->text), "the kernel has no %s: modprobe %s", module, module);
    else if (r == -EPERM)
        snprintf(order->text, sizeof(order->text), "guardd may not shape links (CAP_NET_ADMIN)");
    else if (r < 0 && shaper->rtnetlink.sentence[0] != '\0')
        snprintf(order->text, sizeof(order->text), "%s: %s (%s)", order->name, strerror(-r),
                 shaper->rtnetlink.sentence);
    return r == SHAPER_OBSTRUCTED ? -EBUSY : r;
}

/* What does not fit right after it was set has been undone meanwhile, or has gone with its link: to set it
 * once more tells which. */
static int set_rate(struct Order *order)
{
    int r = inspect(order);

    if (r == 0 && order->state == SHAPER_FITS)
        return 0;
    r = -EAGAIN;
    for (int i = 0; i < TRIES && (r == -EAGAIN || (r == 0 && order->state != SHAPER_FITS)); i++) {
        r = set_once(order);
        if (r == 0)
            r = inspect(order);
    }
    return r == 0 && order->state != SHAPER_FITS ? -EIO : r;
}

static int unset_rate(struct Order *order)
{
    int r = -EAGAIN;

    for (int i = 0; i < TRIES && r == -EAGAIN; i++)
        r = shaper_unset(&order->kernel->shaper, order->ifindex, order->direction);
    if (r == 0)
        r = inspect(order);
    return r == 0 && order->state != SHAPER_MISSING && order->state != SHAPER_FOREIGN ? -EIO : r;
}

static int compare_claims(const void *a, const void *b)
{
    const struct Claim *left = a, *right = b;

    if (left->ifindex != right->ifindex)
        return left->ifindex < right->ifindex ? -1 : 1;
    return (int)left->direction - (int)right->direction;
}

static bool is_claimed(void *userdata, int ifindex, enum Direction direction)
{
    const struct Order *order = userdata;
    const struct Claim wanted = {.ifindex = ifindex, .direction = direction};

    return order->n_claims > 0 &&
           bsearch(&wanted, order->claims, order->n_claims, sizeof(wanted), compare_claims);
}

static void take_queue(void *userdata, const struct QueueCounters *counters)
{
    struct Order *order = userdata;

    if (counters->handle != QDISC_BUCKET)
        return;
    if (order->n_drops == order->allocated) {
        size_t allocated = order->allocated > 0 ? 2 * order->allocated : 64;
        struct QueueDrops *drops = reallocarray(order->drops, allocated, sizeof(*drops));

        if (!drops)
            return;
        order->drops = drops;
        order->allocated = allocated;
    }
    order->drops[order->n_drops++] = (struct QueueDrops){
        .ifindex = counters->ifindex, .direction = DIRECTION_INGRESS, .dropped = counters->sent.dropped};
}

/* What is dropped on an IFB is what the tenant behind its link has sent. */
static void assign_drops(struct Order *order)
{
    for (size_t i = 0; i < order->n_drops; i++) {
        const struct Link *device = link_table_find(&order->links, order->drops[i].ifindex);

        if (device && device->kind == LINK_IFB && shaper_device_owner(device->name, &order->drops[i].ifindex))
            order->drops[i].direction = DIRECTION_EGRESS;
    }
    if (order->n_drops > 0)
        qsort(order->drops, order->n_drops, sizeof(order->drops[0]), metering_compare);
}

static int meter(struct Order *order)
{
    int r = link_sensor_dump(&order->kernel->lists, NAMESPACE_ID_NONE, &order->links), q = -EAGAIN;

    order->at_usec = order->clock();
    for (int i = 0; r == 0 && i < TRIES && q == -EAGAIN; i++) {
        order->n_drops = 0;
        q = link_sensor_dump_queues(&order->kernel->lists, take_queue, order);
    }
    assign_drops(order);
    return r;
}

static int carry_out(struct Order *order)
{
    switch (order->kind) {
    case ORDER_RATE:
        return order->rate_bits == LIMIT_INFINITY ? unset_rate(order) : set_rate(order);
    case ORDER_INSPECT:
        return inspect(order);
    case ORDER_SWEEP:
        return shaper_sweep(&order->kernel->shaper, is_claimed, order);
    case ORDER_LIST:
        return link_sensor_dump(&order->kernel->lists, NAMESPACE_ID_NONE, &order->links);
    case ORDER_EXPLAIN:
        return link_sensor_dump(&order->kernel->lists, order->namespace_id, &order->links);
    case ORDER_METER:
        return meter(order);
    }
    return -EINVAL;
}

static void run_order(void *data)
{
    struct Order *order = data;

    order->error = carry_out(order);
    atomic_store(&order->kernel->port, rtnetlink_port(&order->kernel->shaper.rtnetlink));
}

/* --- in the loop: what is written down -------------------------------------------------------------- */

/* Entries of limits and throttles go with their tenant, or with its link, while what they speak of is still
 * to be taken off. Until that is done there is one for all of it: whoever finds it sweeps. */
static void remember(struct NetworkGuard *guard)
{
    const struct LedgerEntry entry = {
        .kind = ENTRY_LINKS, .phase = ENTRY_UNDOING, .since_usec = guard->clock()};
    struct Ledger *ledger = guard->pipeline->ledger;

    if (guard->slot != LEDGER_SLOT_NONE)
        return;
    (void)ledger_reserve(ledger, guard->pipeline->reserved + 1);
    (void)ledger_put(ledger, &entry, &guard->slot);
}

static void forget(struct NetworkGuard *guard)
{
    if (guard->slot == LEDGER_SLOT_NONE || guard->n_orders > 0 || guard->unclean)
        return;
    (void)ledger_drop(guard->pipeline->ledger, guard->slot);
    guard->slot = LEDGER_SLOT_NONE;
}

/* --- in the loop: what came of it ----------------------------------------------------------------- */

/* The link of an order, as each of those has it who share it. */
static struct LinkRate *rate_at(const struct Order *order, size_t at, struct Tenant **ret_tenant)
{
    struct Tenant *tenant = owners_of_link(&order->guard->owners, order->ifindex, at);

    *ret_tenant = tenant;
    return tenant ? &network_link(&tenant->network, order->ifindex)->rates[order->direction] : NULL;
}

/* Where somebody else is in the way, or a part is missing, no rate is kept; but a piece may be left, too. */
static void note_rate(const struct Order *order, struct LinkRate *rate)
{
    rate->unsure = order->error < 0;
    rate->known = order->error == 0 || order->error == -EBUSY || order->error == -EOPNOTSUPP;
    rate->rate_bits = order->error == 0 ? order->rate_bits : LIMIT_INFINITY;
}

static void note_inspection(const struct Order *order, struct LinkRate *rate)
{
    rate->unsure = order->state != SHAPER_FITS && order->state != SHAPER_MISSING;
    rate->known = true;
    rate->rate_bits = order->state == SHAPER_FITS ? order->rate_bits : LIMIT_INFINITY;
}

static void note_rates(const struct Order *order)
{
    struct Tenant *tenant;
    struct LinkRate *rate;

    for (size_t at = 0; (rate = rate_at(order, at, &tenant)); at++) {
        if (rate->orders > 0)
            rate->orders--;
        if (order->kind == ORDER_RATE)
            note_rate(order, rate);
        else if (order->error == 0)
            note_inspection(order, rate);
    }
}

/* Somebody took something away meanwhile. */
static void look_again(const struct Order *order)
{
    struct Tenant *tenant;
    struct LinkRate *rate;

    for (size_t at = 0; (rate = rate_at(order, at, &tenant)); at++)
        if (rate->again && rate->orders == 0) {
            rate->again = false;
            shaping_inspect(order->guard, tenant, network_link(&tenant->network, order->ifindex),
                            order->direction);
            return;
        }
}

/* What has been in the way is heard of when it is gone, and what cannot be is no other after a while. */
static void note_failure(struct NetworkGuard *guard, struct Network *network, int error)
{
    if (error < 0 && error != -EBUSY && error != -ERANGE)
        network_retry_later(network, guard->clock());
}

/* Its link has gone meanwhile: that says nothing of those that it has now. */
static bool is_of_lost_link(const struct Order *order, struct Tenant *tenant)
{
    return error_is_gone(order->error) && !network_link(&tenant->network, order->ifindex);
}

/* Of several links the first thing that went wrong is told, with the last answer. */
static void collect(const struct Order *order, struct Tenant *tenant)
{
    struct Network *network = &tenant->network;
    enum Direction direction = order->direction;

    if (order->error == 0 || network->error[direction] < 0 || is_of_lost_link(order, tenant))
        return;
    network->error[direction] = order->error;
    snprintf(network->trouble[direction], sizeof(network->trouble[direction]), "%s", order->text);
}

static void answer(const struct Order *order, struct Tenant *tenant, usec_t now)
{
    struct Network *network = &tenant->network;
    const char *trouble = network->trouble[order->direction];
    int error;

    if (order->error < 0)
        remember(order->guard); /* the limit's own entry may be dropped now */
    collect(order, tenant);
    error = network->error[order->direction];
    if (tenant->limits[order->limit].waiting > 1)
        return limiting_answer(order->guard->pipeline, tenant, order->limit, 0, NULL, now);
    if (error == 0 && is_of_lost_link(order, tenant)) {
        limiting_answer(order->guard->pipeline, tenant, order->limit, order->error, NULL, now);
        return limiting_check_network(order->guard->pipeline, tenant, now);
    }
    limiting_answer(order->guard->pipeline, tenant, order->limit, error, trouble[0] != '\0' ? trouble : NULL,
                    now);
    note_failure(order->guard, network, error);
    if (error < 0) /* what was in force before is wanted again, on all links */
        shaping_renew(order->guard, tenant);
    else if (network->error[DIRECTION_EGRESS] == 0 && network->error[DIRECTION_INGRESS] == 0)
        network_begin_anew(network);
}

/* What nobody waits for: nobody else would try again. */
static void complain(const struct Order *order, struct Tenant *tenant)
{
    if (order->error == 0 || error_is_gone(order->error))
        return;
    network_notice(order->guard, tenant, LOG_WARNING, "%s of link %s is not as it should be: %s",
                   direction_name(order->direction), order->name,
                   order->text[0] != '\0' ? order->text : strerror(-order->error));
    if (tenant)
        note_failure(order->guard, &tenant->network, order->error);
}

static void rate_done(const struct Order *order)
{
    struct NetworkGuard *guard = order->guard;
    struct Tenant *tenant = registry_find(guard->registry, order->tenant_id);

    note_rates(order);
    if (order->rate_bits == LIMIT_INFINITY && order->error < 0 && !error_is_gone(order->error))
        network_sweep_later(guard);
    if (tenant && order->limit != LIMIT_INVALID)
        answer(order, tenant, guard->clock());
    else if (tenant && order->throttles)
        throttling_answer(guard->pipeline, tenant, RESOURCE_NETWORK, order->error, guard->clock());
    else
        complain(order, tenant);
    look_again(order);
}

/* What is not there any more goes the way of every limit once more. */
static void inspect_done(const struct Order *order)
{
    struct Tenant *tenant, *owner = registry_find(order->guard->registry, order->tenant_id);

    note_rates(order);
    if (order->error < 0 || order->state == SHAPER_FITS)
        return look_again(order);
    for (size_t at = 0; rate_at(order, at, &tenant); at++) {
        tenant->network.repaired++;
        network_notice(order->guard, tenant, LOG_WARNING,
                       "somebody has taken away, or changed, what keeps %s on %s: it is put back",
                       limit_info(direction_limit(order->direction))->directive, order->name);
        limiting_check_network(order->guard->pipeline, tenant, order->guard->clock());
    }
    if (owner) /* what is no limit's but a throttle's */
        shaping_renew(order->guard, owner);
}

static void sweep_done(const struct Order *order)
{
    struct NetworkGuard *guard = order->guard;

    if (order->error == 0) {
        guard->unclean = false;
        guard->n_sweeps = 0;
        return;
    }
    network_notice(guard, NULL, LOG_WARNING, "what nobody claims stays on links for now: %s",
                   strerror(-order->error));
    network_sweep_later(guard);
}

static void deliver(struct Order *order)
{
    struct NetworkGuard *guard = order->guard;
    struct Tenant *tenant = registry_find(guard->registry, order->tenant_id);

    switch (order->kind) {
    case ORDER_RATE:
        return rate_done(order);
    case ORDER_INSPECT:
        return inspect_done(order);
    case ORDER_SWEEP:
        return sweep_done(order);
    case ORDER_LIST:
        return network_listed(guard, order->error, &order->links);
    case ORDER_EXPLAIN:
        if (tenant && order->error == 0 && tenant->network.namespace_id == order->namespace_id)
            network_explained(guard, tenant, &order->links);
        return;
    case ORDER_METER:
        return metering_take(guard, order->error, &order->links, order->drops, order->n_drops,
                             order->at_usec);
    }
}

/* Whom an answer concerns: who has the link, and on whose behalf it was. */
static void put_on_agenda(const struct Order *order)
{
    struct Tenant *owner = registry_find(order->guard->registry, order->tenant_id);
    struct Tenant *tenant;

    if (owner)
        agenda_put(owner);
    for (size_t at = 0; (tenant = owners_of_link(&order->guard->owners, order->ifindex, at)); at++)
        agenda_put(tenant);
}

static void order_done(void *data)
{
    struct Order *order = data;

    if (--order->guard->n_orders == 0)
        order->guard->slow = false;
    deliver(order);
    put_on_agenda(order);
    forget(order->guard);
}

static void order_free(void *data)
{
    struct Order *order = data;

    link_table_done(&order->links);
    free(order->claims);
    free(order->drops);
    free(order);
}

static const struct WorkerTask order_task = {.run = run_order, .done = order_done, .free = order_free};

/* --- in the loop: orders -------------------------------------------------------------------------- */

static struct Order *order_new(struct NetworkGuard *guard, enum OrderKind kind, uint64_t tenant_id)
{
    struct Order *order = guard->connected ? calloc(1, sizeof(*order)) : NULL;

    if (!order)
        return NULL;
    order->kind = kind;
    order->guard = guard;
    order->kernel = guard->kernel;
    order->clock = guard->clock;
    order->tenant_id = tenant_id;
    order->limit = LIMIT_INVALID;
    order->rate_bits = LIMIT_INFINITY;
    return order;
}

static int give(struct NetworkGuard *guard, struct Order *order)
{
    int r;

    if (order && order->kind == ORDER_RATE && order->rate_bits == LIMIT_INFINITY)
        remember(guard);
    r = order ? worker_run(&guard->worker, &order_task, order) : -ENOMEM;
    if (r < 0 && order)
        order_free(order);
    if (r >= 0)
        guard->n_orders++;
    return r;
}

static enum ShapeVerdict find_shape(const struct NetworkGuard *guard, const struct Tenant *tenant,
                                    uint32_t mtu, uint64_t rate_bits, struct Shape *ret)
{
    const struct ShapeWish wish = {.rate_bits = rate_bits,
                                   .burst_bytes = tenant->network.burst_bytes,
                                   .mtu = mtu,
                                   .timer_hz = guard->timer_hz};

    return shape_find(&wish, ret);
}

bool shaping_is_possible(const struct NetworkGuard *guard, const struct Tenant *tenant,
                         const struct TenantLink *link, uint64_t rate_bits, char *why)
{
    char text[MEASURE_FORMAT_MAX];
    struct Shape shape;

    if (rate_bits == LIMIT_INFINITY)
        return true;
    switch (find_shape(guard, tenant, link->mtu, rate_bits, &shape)) {
    case SHAPE_TOO_SLOW:
        snprintf(
            why, REASON_MAX,
            "a packet of %s (%u bytes) would take longer than a second: at least %s, or infinity", link->name,
            link->mtu,
            measure_format(MEASURE_BITS_PER_SEC, (int64_t)shape_rate_min(link->mtu), text, sizeof(text)));
        return false;
    case SHAPE_TOO_FAST:
        snprintf(why, REASON_MAX, "no link is so fast: at most %s, or infinity",
                 measure_format(MEASURE_BITS_PER_SEC, (int64_t)SHAPE_RATE_MAX, text, sizeof(text)));
        return false;
    default:
        return true;
    }
}

/* An order about one direction of a link. -ERANGE: for what is wanted there is no shape (any more: the link's
 * MTU may be another one). */
static int about(struct NetworkGuard *guard, enum OrderKind kind, const struct Tenant *tenant,
                 const struct TenantLink *link, enum Direction direction, struct Order **ret)
{
    uint64_t wanted = tenant->network.wanted[direction];
    struct Shape shape = {0};
    struct Order *order;

    if (wanted != LIMIT_INFINITY && find_shape(guard, tenant, link->mtu, wanted, &shape) != SHAPE_OK)
        return -ERANGE;
    order = order_new(guard, kind, tenant->cgroup.id);
    if (!order)
        return -ENOMEM;
    order->ifindex = link->ifindex;
    snprintf(order->name, sizeof(order->name), "%s", link->name);
    order->mtu = link->mtu;
    order->direction = direction;
    order->rate_bits = wanted;
    order->shape = shape;
    *ret = order;
    return 0;
}

/* All who share the link are told to wait for it. */
static int give_rate(struct NetworkGuard *guard, struct Order *order)
{
    struct Tenant *tenant;
    struct LinkRate *rate;
    int r = give(guard, order);

    for (size_t at = 0; r >= 0 && (rate = rate_at(order, at, &tenant)); at++)
        rate->orders++;
    return r;
}

static int order_link(struct NetworkGuard *guard, enum OrderKind kind, const struct Tenant *tenant,
                      const struct TenantLink *link, enum Direction direction, enum LimitId limit)
{
    struct Order *order = NULL;
    int r = about(guard, kind, tenant, link, direction, &order);

    if (r < 0)
        return r;
    assert(order);
    order->limit = limit;
    return give_rate(guard, order);
}

/* Of a rate that is wanted and that no link of this MTU can have, nobody would hear otherwise. */
static void renew_link(struct NetworkGuard *guard, const struct Tenant *tenant, const struct TenantLink *link,
                       enum Direction direction)
{
    char why[REASON_MAX] = "";
    int r = order_link(guard, ORDER_RATE, tenant, link, direction, LIMIT_INVALID);

    if (r == -ERANGE && !shaping_is_possible(guard, tenant, link, tenant->network.wanted[direction], why))
        network_notice(guard, tenant, LOG_WARNING, "%s of link %s is not as it should be: %.300s",
                       direction_name(direction), link->name, why);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The lowest that is set for any of those who share the tenant's links becomes what all of them want. */
static void find_wanted(const struct NetworkGuard *guard, struct Tenant *tenant, enum Direction direction)
{
    enum LimitId limit = direction_limit(direction);
    uint64_t wanted = LIMIT_INFINITY;
    struct Tenant *other;

    for (size_t at = 0; (other = network_sharer(guard, tenant, at)); at++) {
        wanted = least(wanted, other->network.flood_bits);
        if (other->limits[limit].applied)
            wanted = least(wanted, other->limits[limit].value);
    }
    for (size_t at = 0; (other = network_sharer(guard, tenant, at)); at++)
        other->network.wanted[direction] = wanted;
}

/* Of all who share the links one burst counts, whoever orders. With another one the links are looked at. */
static void find_burst(const struct NetworkGuard *guard, struct Tenant *tenant)
{
    uint64_t burst_bytes = 0;
    struct Tenant *other;

    for (size_t at = 0; (other = network_sharer(guard, tenant, at)); at++)
        if (other->class && other->class->network_burst_bytes > burst_bytes)
            burst_bytes = other->class->network_burst_bytes;
    for (size_t at = 0; (other = network_sharer(guard, tenant, at)); at++)
        network_take_burst(&other->network, burst_bytes);
}

int shaping_set(struct NetworkGuard *guard, struct Tenant *tenant, enum LimitId limit, uint64_t value,
                char *why)
{
    enum Direction direction = limit_direction(limit);
    struct Network *network = &tenant->network;
    int ordered = 0, error = -ENODATA;

    network->error[direction] = 0;
    network->trouble[direction][0] = '\0';
    for (size_t i = 0; i < network->n_links; i++)
        if (!shaping_is_possible(guard, tenant, &network->links[i], value, why))
            return network->error[direction] = -ERANGE;
    find_burst(guard, tenant);
    find_wanted(guard, tenant, direction);
    for (size_t i = 0; i < network->n_links; i++) {
        int r = order_link(guard, ORDER_RATE, tenant, &network->links[i], direction, limit);

        if (r >= 0)
            ordered++;
        else
            network->error[direction] = error = r; /* it goes with the others' answers */
    }
    if (ordered == 0)
        note_failure(guard, network, network->error[direction]);
    return ordered > 0 ? ordered : error;
}

static int throttle_link(struct NetworkGuard *guard, const struct Tenant *tenant,
                         const struct TenantLink *link, enum Direction direction)
{
    const struct LinkRate *rate = &link->rates[direction];
    struct Order *order = NULL;

    if (rate->orders == 0 && !link_rate_is_to_be_renewed(rate, tenant->network.wanted[direction]))
        return 0;
    if (about(guard, ORDER_RATE, tenant, link, direction, &order) < 0)
        return 0;
    assert(order);
    order->throttles = true;
    return give_rate(guard, order) < 0 ? 0 : 1;
}

int shaping_throttle(struct NetworkGuard *guard, struct Tenant *tenant, uint64_t rate_bits)
{
    struct Network *network = &tenant->network;
    char why[REASON_MAX];
    int ordered = 0;

    for (size_t i = 0; i < network->n_links; i++)
        if (!shaping_is_possible(guard, tenant, &network->links[i], rate_bits, why))
            return -ERANGE;
    network->flood_bits = rate_bits;
    for (int d = 0; d < DIRECTION_COUNT; d++) {
        find_wanted(guard, tenant, (enum Direction)d);
        for (size_t i = 0; i < network->n_links; i++)
            ordered += throttle_link(guard, tenant, &network->links[i], (enum Direction)d);
    }
    return ordered;
}

void shaping_renew(struct NetworkGuard *guard, struct Tenant *tenant)
{
    struct Network *network = &tenant->network;

    find_burst(guard, tenant);
    for (int d = 0; d < DIRECTION_COUNT; d++) {
        find_wanted(guard, tenant, (enum Direction)d);
        for (size_t i = 0; i < network->n_links && guard->pipeline->mode != MODE_OBSERVE; i++)
            if (link_rate_is_to_be_renewed(&network->links[i].rates[d], network->wanted[d]))
                renew_link(guard, tenant, &network->links[i], (enum Direction)d);
    }
}

void shaping_inspect(struct NetworkGuard *guard, struct Tenant *tenant, struct TenantLink *link,
                     enum Direction direction)
{
    struct LinkRate *rate = &link->rates[direction];

    if (rate->orders > 0)
        rate->again = true;
    else if (rate->known && rate->rate_bits != LIMIT_INFINITY)
        (void)order_link(guard, ORDER_INSPECT, tenant, link, direction, LIMIT_INVALID);
}

void shaping_drop(struct NetworkGuard *guard, int ifindex, enum Direction direction)
{
    struct Order *order = order_new(guard, ORDER_RATE, 0);

    if (!order)
        return;
    order->ifindex = ifindex;
    order->direction = direction;
    (void)give(guard, order);
}

/* --- in the loop: lists --------------------------------------------------------------------------- */

static void add_claims(struct Order *order, const struct Network *network)
{
    for (size_t i = 0; i < network->n_links; i++)
        for (int d = 0; d < DIRECTION_COUNT; d++)
            if (network->wanted[d] != LIMIT_INFINITY)
                order->claims[order->n_claims++] =
                    (struct Claim){.ifindex = network->links[i].ifindex, .direction = (enum Direction)d};
}

void shaping_sweep(struct NetworkGuard *guard)
{
    struct Order *order = order_new(guard, ORDER_SWEEP, 0);
    struct Tenant *tenant, *next;

    if (order)
        order->claims = calloc((registry_count(guard->registry) + 1) * LINK_MATCH_MAX * DIRECTION_COUNT,
                               sizeof(*order->claims));
    if (!order || !order->claims) {
        if (order)
            order_free(order);
        return;
    }
    HASH_ITER (hh, guard->registry->tenants, tenant, next)
        add_claims(order, &tenant->network);
    qsort(order->claims, order->n_claims, sizeof(*order->claims), compare_claims);
    (void)give(guard, order);
}

int shaping_list(struct NetworkGuard *guard)
{
    return give(guard, order_new(guard, ORDER_LIST, 0));
}

int shaping_explain(struct NetworkGuard *guard, const struct Tenant *tenant)
{
    struct Order *order = order_new(guard, ORDER_EXPLAIN, tenant->cgroup.id);

    if (order)
        order->namespace_id = tenant->network.namespace_id;
    return give(guard, order);
}

int shaping_meter(struct NetworkGuard *guard)
{
    return give(guard, order_new(guard, ORDER_METER, 0));
}

/* --- opening and closing -------------------------------------------------------------------------- */

bool shaping_is_own(const struct NetworkGuard *guard, uint32_t port)
{
    return port == atomic_load(&guard->kernel->port);
}

int shaping_open(struct NetworkGuard *guard)
{
    struct NetworkKernel *kernel = calloc(1, sizeof(*kernel));
    int r = kernel ? shaper_open(&kernel->shaper) : -ENOMEM;

    if (r >= 0)
        r = link_sensor_open_lists(&kernel->lists);
    if (r >= 0)
        r = worker_open_tasks(&guard->worker);
    if (r >= 0) {
        atomic_init(&kernel->port, rtnetlink_port(&kernel->shaper.rtnetlink));
        guard->kernel = kernel;
        return 0;
    }
    if (kernel) {
        link_sensor_close(&kernel->lists);
        shaper_close(&kernel->shaper);
    }
    free(kernel);
    return r;
}

void shaping_close(struct NetworkGuard *guard)
{
    if (guard->n_orders > 0)
        worker_finish(&guard->worker, FINISH_WAIT_USEC);
    if (worker_close(&guard->worker)) {
        link_sensor_close(&guard->kernel->lists);
        shaper_close(&guard->kernel->shaper);
        free(guard->kernel);
    }
    guard->kernel = NULL;
    guard->n_orders = 0;
}
