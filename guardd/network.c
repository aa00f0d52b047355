/* See network.h. A link is found by the number of the namespace behind it: the number is asked for, then
 * whatever has been announced so far is taken in, then the list is gone through, and at last it is made sure
 * that the task that was asked about is still the same. What was found once stays the tenant's until the link
 * is gone.
 *
 * While the links are listed the announcements wait, so that none is older than the list when it is heard. */
#include "network.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>

#include "act/shaper.h"
#include "base/error.h"
#include "limiting.h"
#include "metering.h"
#include "shaping.h"
#include "tenant/namespace.h"

/* Of what is announced together. */
#define SEEK_USEC (20 * USEC_PER_MSEC)
/* The task that was asked about has just ended. */
#define RETRY_USEC (100 * USEC_PER_MSEC)
#define LIST_AGAIN_USEC USEC_PER_SEC
/* So long a new tenant may be on its way into a namespace of its own. */
#define NEWCOMER_USEC (30 * USEC_PER_SEC)
/* For somebody who waits for an answer: how long the kernel may keep the worker waiting. */
#define PATIENCE_USEC (200 * USEC_PER_MSEC)
/* After somebody has looked, it stays connected: for the next look, which then has rates. */
#define LINGER_USEC USEC_PER_MINUTE
#define PASS_MAX_USEC (10 * USEC_PER_MSEC)
/* Of what could not be taken off: first after a second, then after twice the time each. */
#define SWEEP_AGAIN_USEC USEC_PER_SEC
#define SWEEPS_MAX 8
#define PSCHED "/proc/net/psched"

void network_notice(struct NetworkGuard *guard, const struct Tenant *tenant, int priority, const char *format,
                    ...)
{
    char text[REASON_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    pipeline_note(guard->pipeline, tenant, EVENT_NOTICE, priority, guard->clock(), text);
}

/* --- who wants anything --------------------------------------------------------------------------- */

/* Whom a rule of the host's network elects is read when its condition is. */
static bool class_reads(const struct TenantClass *class)
{
    for (size_t i = 0; class && i < class->n_rules; i++)
        if (reading_is_of_network(class->rules[i]->when.reading))
            return true;
    return false;
}

static bool class_ends(const struct TenantClass *class)
{
    for (size_t i = 0; class && i < class->n_rules; i++)
        if (reading_is_of_network(class->rules[i]->until.reading))
            return true;
    return false;
}

bool network_is_used(const struct Tenant *tenant)
{
    uint64_t value;

    for (int id = 0; id < LIMIT_COUNT; id++)
        if (limit_is_network(id) && (tenant->limits[id].applied || tenant_asked(tenant, id, &value)))
            return true;
    return tenant->throttles[RESOURCE_NETWORK].n_lines > 0 || class_reads(tenant->class) ||
           class_ends(tenant->class);
}

static bool is_asked(const struct NetworkGuard *guard, usec_t now)
{
    return guard->asked_usec > 0 && now < usec_add(guard->asked_usec, LINGER_USEC);
}

static bool concerns(const struct NetworkGuard *guard, const struct Tenant *tenant, usec_t now)
{
    return network_is_used(tenant) || is_asked(guard, now);
}

struct Tenant *network_sharer(const struct NetworkGuard *guard, struct Tenant *tenant, size_t at)
{
    if (tenant->network.n_links == 0)
        return at == 0 ? tenant : NULL;
    return owners_of_namespace(&guard->owners, &tenant->network.namespace, at);
}

/* --- whose links they are ------------------------------------------------------------------------- */

/* Who shares its namespace, and what is known already of the links. */
static void find_sharers(const struct NetworkGuard *guard, struct Tenant *tenant)
{
    struct Tenant *other;

    tenant->network.n_sharers = 0;
    tenant->network.sharer[0] = '\0';
    for (size_t at = 0; (other = network_sharer(guard, tenant, at)); at++) {
        if (other == tenant)
            continue;
        tenant->network.n_sharers++;
        snprintf(tenant->network.sharer, sizeof(tenant->network.sharer), "%.63s", other->name);
        for (size_t i = 0; i < other->network.n_links; i++) {
            const struct TenantLink *theirs = &other->network.links[i];
            struct TenantLink *link = network_link(&tenant->network, theirs->ifindex);

            if (link)
                memcpy(link->rates, theirs->rates, sizeof(link->rates));
        }
    }
}

/* Of the others too: one has come, or is gone. */
static void tell_sharers(const struct NetworkGuard *guard, struct Tenant *tenant)
{
    struct Tenant *other;

    for (size_t at = 0; (other = network_sharer(guard, tenant, at)); at++)
        if (other != tenant)
            find_sharers(guard, other);
}

/* What is set for it is set on its links from now on; what it asks for else goes the way of a limit. */
static void shape(struct NetworkGuard *guard, struct Tenant *tenant, usec_t now)
{
    shaping_renew(guard, tenant);
    limiting_check_network(guard->pipeline, tenant, now);
}

static void found_none(struct NetworkGuard *guard, struct Tenant *tenant, enum Unshaped why, usec_t now)
{
    struct Network *network = &tenant->network;

    network->looked = true;
    network->why = why;
    limiting_forget_network(guard->pipeline, tenant);
    limiting_check_network(guard->pipeline, tenant, now); /* which says so */
    if (why == UNSHAPED_NO_LINK && network->namespace_id >= 0)
        (void)shaping_explain(guard, tenant);
}

/* Without memory it is looked for again. */
static void gain(struct NetworkGuard *guard, struct Tenant *tenant, const struct Link *link, usec_t now)
{
    struct Network *network = &tenant->network;
    bool had = network_link(network, link->ifindex);

    if (!network_add(network, link) || had || owners_add(&guard->owners, tenant, link->ifindex) >= 0)
        return;
    (void)network_remove(network, link->ifindex);
    owners_remove(&guard->owners, tenant, link->ifindex, network->n_links == 0);
    network->look_usec = usec_add(now, RETRY_USEC);
}

static void found(struct NetworkGuard *guard, struct Tenant *tenant, const struct LinkMatch *match,
                  usec_t now)
{
    struct Network *network = &tenant->network;
    size_t before = network->n_links;

    for (size_t i = 0; i < match->n; i++)
        gain(guard, tenant, match->links[i], now);
    if (network->n_links == before)
        return;
    network->looked = true;
    network->why = UNSHAPED_NOT;
    network_begin_anew(network);
    find_sharers(guard, tenant);
    tell_sharers(guard, tenant);
    shape(guard, tenant, now);
}

static void hear_all(struct NetworkGuard *guard);

/* Looks whether concerned or not. */
static void look(struct NetworkGuard *guard, struct Tenant *tenant, usec_t now)
{
    struct Network *network = &tenant->network;
    struct NamespaceSighting sighting;
    struct LinkMatch match;
    int32_t id = NAMESPACE_ID_NONE;
    int r = namespace_find(guard->proc, tenant->cgroup.dir_fd, &sighting);

    if (r < 0) /* nobody is in it, yet or any more */
        return;
    if (network_namespace_is_same(&sighting.namespace, &guard->own)) {
        if (network->n_links == 0)
            found_none(guard, tenant, UNSHAPED_HOST_NETWORK, now);
        return;
    }
    /* What was found first stays (tenant/namespace.h): whoever has come to another namespace keeps the links
     * of the former one as long as they are there, and never are those of two taken for one tenant's. */
    if (network->n_links > 0 && !network_namespace_is_same(&sighting.namespace, &network->namespace))
        return;
    r = link_sensor_namespace_id(&guard->sensor, sighting.task, &id);
    hear_all(guard);
    if (r < 0 || !namespace_stands(guard->proc, &sighting)) {
        network->look_usec = usec_add(now, RETRY_USEC);
        return;
    }
    if (network->n_links == 0) {
        network->namespace = sighting.namespace;
        network->namespace_id = id;
    }
    link_match(&guard->links, id, NULL, &match);
    if (match.why == UNSHAPED_NOT)
        found(guard, tenant, &match, now);
    else if (network->n_links == 0)
        found_none(guard, tenant, match.why, now);
}

void network_guard_look(struct NetworkGuard *guard, struct Tenant *tenant, usec_t now)
{
    tenant->network.look_usec = USEC_INFINITY;
    if (guard->connected && guard->listed && concerns(guard, tenant, now))
        look(guard, tenant, now);
}

void network_explained(struct NetworkGuard *guard, struct Tenant *tenant, const struct LinkTable *inside)
{
    static const struct LinkTable none;
    struct LinkMatch match;

    if (tenant->network.n_links > 0)
        return;
    link_match(&none, NAMESPACE_ID_NONE, inside, &match);
    tenant->network.why = match.why;
    limiting_check_network(guard->pipeline, tenant, guard->clock());
    agenda_put(tenant);
}

/* The link has gone, or leads elsewhere now. */
static void lose(struct NetworkGuard *guard, struct Tenant *tenant, int ifindex)
{
    struct Network *network = &tenant->network;
    bool had = network_remove(network, ifindex);

    owners_remove(&guard->owners, tenant, ifindex, network->n_links == 0);
    if (!had || network->n_links > 0)
        return;
    network->wanted[DIRECTION_EGRESS] = network->wanted[DIRECTION_INGRESS] = LIMIT_INFINITY;
    network->looked = false;
    limiting_forget_network(guard->pipeline, tenant);
    network->look_usec = usec_add(guard->clock(), RETRY_USEC);
    agenda_put(tenant);
}

/* What is on the link itself goes with it: but what is on its way there may meet another link by then, which
 * has got the same number. */
static bool is_to_be_dropped(const struct LinkRate *rate, enum Direction direction, bool gone)
{
    return link_rate_is_marked(rate) && (!gone || direction == DIRECTION_EGRESS || rate->orders > 0);
}

/* Everybody who has it loses it, and what is guardd's on it goes: ordered first, for with the order it is
 * written down, and with the link the entries of its limits are dropped. */
static void lose_link(struct NetworkGuard *guard, int ifindex, bool gone)
{
    bool drop[DIRECTION_COUNT] = {false};
    struct Tenant *tenant;

    for (size_t at = 0; (tenant = owners_of_link(&guard->owners, ifindex, at)); at++) {
        const struct TenantLink *link = network_link(&tenant->network, ifindex);

        for (int d = 0; link && d < DIRECTION_COUNT; d++)
            drop[d] = drop[d] || is_to_be_dropped(&link->rates[d], (enum Direction)d, gone);
    }
    for (int d = 0; d < DIRECTION_COUNT; d++)
        if (drop[d])
            shaping_drop(guard, ifindex, (enum Direction)d);
    while ((tenant = owners_of_link(&guard->owners, ifindex, 0)))
        lose(guard, tenant, ifindex);
}

static void note_rules(struct NetworkGuard *guard, const struct TenantClass *class)
{
    guard->reads = guard->reads || class_reads(class);
    guard->ends = guard->ends || class_ends(class);
}

/* Whether anybody is left who wants anything. Returns false when nobody does. */
static bool find_users(struct NetworkGuard *guard)
{
    struct Tenant *tenant, *next;
    bool used = guard->inherited;

    guard->reads = guard->ends = false;
    HASH_ITER (hh, guard->registry->tenants, tenant, next) {
        note_rules(guard, tenant->class);
        used = used || network_is_used(tenant);
    }
    return used;
}

void network_guard_vanished(struct NetworkGuard *guard, struct Tenant *tenant)
{
    struct Network *network = &tenant->network;
    struct Tenant *other, *heir = NULL;

    if (!guard->connected)
        return;
    if (!find_users(guard) && guard->asked_usec == 0)
        guard->asked_usec = guard->clock(); /* and then no more */
    for (size_t at = 0; (other = network_sharer(guard, tenant, at)); at++)
        heir = other != tenant ? other : heir;
    for (size_t i = 0; !heir && i < network->n_links; i++)
        for (int d = 0; d < DIRECTION_COUNT; d++)
            if (link_rate_is_marked(&network->links[i].rates[d]))
                shaping_drop(guard, network->links[i].ifindex, (enum Direction)d);
    for (; network->n_links > 0; network->n_links--) /* of none of its limits an answer is awaited any more */
        owners_remove(&guard->owners, tenant, network->links[network->n_links - 1].ifindex,
                      network->n_links == 1);
    if (!heir)
        return;
    find_sharers(guard, heir);
    tell_sharers(guard, heir);
    shaping_renew(guard, heir);
}

/* --- what the kernel announces -------------------------------------------------------------------- */

/* Who may have got a link by this. In the host's network nobody gets one but who is on the way out of it. */
static bool may_have(const struct Tenant *tenant, int32_t namespace_id, usec_t now)
{
    const struct Network *network = &tenant->network;

    if (network->looked && network->namespace_id == namespace_id)
        return true;
    return network->n_links == 0 &&
           (!network->looked || network->why != UNSHAPED_HOST_NETWORK ||
            (!tenant->was_here && now < usec_add(tenant->appeared_usec, NEWCOMER_USEC)));
}

static void seek(struct NetworkGuard *guard, int32_t namespace_id)
{
    struct Tenant *tenant, *next;
    usec_t now = guard->clock();

    HASH_ITER (hh, guard->registry->tenants, tenant, next)
        if (may_have(tenant, namespace_id, now) && concerns(guard, tenant, now)) {
            tenant->network.look_usec = usec_min(tenant->network.look_usec, usec_add(now, SEEK_USEC));
            agenda_put(tenant);
        }
}

/* Of a link that may be a tenant's. */
static void on_changed_link(struct NetworkGuard *guard, const struct Link *link, int changes)
{
    struct Tenant *tenant;
    bool lost = false;

    for (size_t at = 0; (tenant = owners_of_link(&guard->owners, link->ifindex, at)); at++) {
        struct TenantLink *mine = network_link(&tenant->network, link->ifindex);

        lost = lost || link->peer_namespace != tenant->network.namespace_id;
        (void)network_add(&tenant->network, link); /* its name and MTU */
        for (int d = 0; (changes & LINK_CHANGE_MTU) && d < DIRECTION_COUNT; d++)
            mine->rates[d].known = false;
        if (changes & LINK_CHANGE_MTU)
            shaping_renew(guard, tenant);
        agenda_put(tenant);
    }
    if (lost)
        lose_link(guard, link->ifindex, false);
    if ((changes & (LINK_CHANGE_NEW | LINK_CHANGE_PEER)) && link->kind == LINK_VETH &&
        link->peer_namespace >= 0)
        seek(guard, link->peer_namespace);
}

/* Somebody may have taken away what keeps a rate, or what stood in the way of one. */
static void suspect(struct NetworkGuard *guard, int ifindex, enum Direction direction)
{
    struct Tenant *tenant;

    for (size_t at = 0; (tenant = owners_of_link(&guard->owners, ifindex, at)); at++) {
        struct TenantLink *link = network_link(&tenant->network, ifindex);

        if (tenant->network.error[direction] < 0)
            tenant->network.retry_usec =
                usec_min(tenant->network.retry_usec, usec_add(guard->clock(), RETRY_USEC));
        if (at == 0)
            shaping_inspect(guard, tenant, link, direction);
        agenda_put(tenant);
    }
}

static void on_removed(struct NetworkGuard *guard, const struct LinkEvent *event)
{
    const struct Link *device = link_table_find(&guard->links, event->ifindex);
    int owner;

    if (shaping_is_own(guard, event->port))
        return;
    if (device && device->kind == LINK_IFB) {
        if (shaper_device_owner(device->name, &owner))
            suspect(guard, owner, DIRECTION_EGRESS);
        return;
    }
    suspect(guard, event->ifindex, DIRECTION_EGRESS);
    if (event->kind == LINK_EVENT_QDISC_GONE)
        suspect(guard, event->ifindex, DIRECTION_INGRESS);
}

static void on_link_gone(struct NetworkGuard *guard, int ifindex)
{
    const struct Link *link = link_table_find(&guard->links, ifindex);
    int owner;

    if (link && link->kind == LINK_IFB && shaper_device_owner(link->name, &owner))
        suspect(guard, owner, DIRECTION_EGRESS);
    link_table_remove(&guard->links, ifindex);
    lose_link(guard, ifindex, true);
}

/* The next namespace may have the number before the links that led into this one are gone. */
static void forget_namespace_id(struct NetworkGuard *guard, int32_t id)
{
    struct Tenant *tenant, *next;

    link_table_forget_namespace(&guard->links, id);
    HASH_ITER (hh, guard->registry->tenants, tenant, next)
        if (tenant->network.namespace_id == id && tenant->network.n_links == 0)
            tenant->network.namespace_id = NAMESPACE_ID_NONE;
}

static void list_again(struct NetworkGuard *guard, usec_t in_usec)
{
    guard->listed = false;
    guard->list_usec = usec_add(guard->clock(), in_usec);
    (void)sd_event_source_set_enabled(guard->sources[0], SD_EVENT_OFF);
}

static void on_lost(void *userdata)
{
    struct NetworkGuard *guard = userdata;

    guard->missed = true;
    list_again(guard, 0);
}

static void on_heard(void *userdata, const struct LinkEvent *event)
{
    struct NetworkGuard *guard = userdata;
    int r;

    switch (event->kind) {
    case LINK_EVENT_LINK:
        r = link_table_put(&guard->links, &event->link);
        if (r > 0)
            on_changed_link(guard, &event->link, r);
        else if (r < 0)
            on_lost(guard);
        break;
    case LINK_EVENT_LINK_GONE:
        on_link_gone(guard, event->ifindex);
        break;
    case LINK_EVENT_QDISC_GONE:
    case LINK_EVENT_FILTER_GONE:
        on_removed(guard, event);
        break;
    case LINK_EVENT_NAMESPACE_ID:
        seek(guard, event->namespace_id);
        break;
    case LINK_EVENT_NAMESPACE_ID_GONE:
        forget_namespace_id(guard, event->namespace_id);
        break;
    }
}

static void hear_all(struct NetworkGuard *guard)
{
    int r = link_sensor_dispatch(&guard->sensor);

    if (r < 0)
        on_lost(guard);
}

static int on_links(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    hear_all(userdata);
    return 0;
}

static int on_worker(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct NetworkGuard *guard = userdata;

    worker_dispatch(&guard->worker);
    return 0;
}

/* Whatever was not announced may have happened to links that are known. */
static void look_at_all(struct NetworkGuard *guard, bool missed)
{
    struct Tenant *tenant, *next;
    usec_t now = guard->clock();

    HASH_ITER (hh, guard->registry->tenants, tenant, next) {
        for (size_t i = tenant->network.n_links; i > 0; i--) {
            struct TenantLink *link = &tenant->network.links[i - 1];
            const struct Link *listed = link_table_find(&guard->links, link->ifindex);

            if (!listed) {
                lose_link(guard, link->ifindex, true);
                continue;
            }
            for (int d = 0; missed && d < DIRECTION_COUNT; d++)
                shaping_inspect(guard, tenant, link, (enum Direction)d);
            on_changed_link(guard, listed, 0);
        }
        if (!concerns(guard, tenant, now))
            continue;
        tenant->network.look_usec = now;
        agenda_put(tenant);
    }
}

void network_listed(struct NetworkGuard *guard, int error, struct LinkTable *table)
{
    struct LinkTable before = guard->links;
    bool missed = guard->missed;

    if (error < 0) {
        snprintf(guard->trouble, sizeof(guard->trouble), "the links of this host cannot be listed: %s",
                 strerror(-error));
        list_again(guard, LIST_AGAIN_USEC);
        return;
    }
    guard->trouble[0] = '\0';
    guard->links = *table;
    *table = before;
    guard->listed = true;
    guard->missed = false;
    (void)sd_event_source_set_enabled(guard->sources[0], SD_EVENT_ON);
    look_at_all(guard, missed);
}

/* --- connecting ----------------------------------------------------------------------------------- */

static void trouble(struct NetworkGuard *guard, int error)
{
    snprintf(guard->trouble, sizeof(guard->trouble), "the network is not guarded: %s", strerror(-error));
    network_notice(guard, NULL, LOG_WARNING, "%s", guard->trouble);
}

static void drop_sources(struct NetworkGuard *guard)
{
    for (size_t i = 0; i < sizeof(guard->sources) / sizeof(guard->sources[0]); i++)
        guard->sources[i] = sd_event_source_disable_unref(guard->sources[i]);
}

static int add_sources(struct NetworkGuard *guard)
{
    int fd = link_sensor_fd(&guard->sensor);
    int r = fd < 0 ? 0 : sd_event_add_io(guard->event, &guard->sources[0], fd, EPOLLIN, on_links, guard);

    if (r >= 0 && guard->sources[0])
        r = sd_event_source_set_enabled(guard->sources[0], SD_EVENT_OFF); /* until all are listed */
    fd = worker_fd(&guard->worker);
    if (r >= 0 && fd >= 0)
        r = sd_event_add_io(guard->event, &guard->sources[1], fd, EPOLLIN, on_worker, guard);
    return r < 0 ? r : 0;
}

static int open_parts(struct NetworkGuard *guard)
{
    int r = namespace_own(guard->proc, &guard->own);

    if (r >= 0)
        r = link_sensor_open(&guard->sensor);
    if (r < 0)
        return r;
    if (shaper_timer_hz(PSCHED, &guard->timer_hz) < 0)
        guard->timer_hz = 0;
    r = shaping_open(guard);
    if (r < 0) {
        link_sensor_close(&guard->sensor);
        return r;
    }
    r = add_sources(guard);
    if (r < 0) {
        drop_sources(guard);
        shaping_close(guard);
        link_sensor_close(&guard->sensor);
    }
    return r;
}

static bool connect_network(struct NetworkGuard *guard)
{
    int r;

    if (guard->connected)
        return true;
    guard->sensor = (struct LinkSensor){.heard = on_heard, .lost = on_lost, .userdata = guard};
    r = open_parts(guard);
    if (r < 0) {
        trouble(guard, r);
        return false;
    }
    guard->connected = true;
    guard->inherited = guard->inherited || guard->unclean;
    guard->slow = false;
    guard->sweep_usec = USEC_INFINITY;
    guard->n_sweeps = 0;
    guard->trouble[0] = '\0';
    guard->listed = guard->missed = guard->metering = guard->began = false;
    guard->lapsed = true;
    guard->metered_usec = 0;
    guard->list_usec = USEC_INFINITY;
    if (shaping_list(guard) < 0)
        list_again(guard, LIST_AGAIN_USEC);
    return true;
}

static void disconnect(struct NetworkGuard *guard)
{
    struct Tenant *tenant, *next;

    drop_sources(guard);
    shaping_close(guard);
    link_sensor_close(&guard->sensor);
    link_table_done(&guard->links);
    owners_done(&guard->owners);
    metering_end(guard);
    guard->connected = guard->listed = false;
    guard->list_usec = USEC_INFINITY;
    HASH_ITER (hh, guard->registry->tenants, tenant, next)
        network_begin(&tenant->network);
}

void network_guard_open(struct NetworkGuard *guard, bool inherited)
{
    guard->opened = true;
    guard->list_usec = USEC_INFINITY;
    guard->inherited = guard->unclean = inherited;
    network_guard_reload(guard);
}

void network_guard_close(struct NetworkGuard *guard)
{
    if (guard->connected)
        disconnect(guard);
    guard->opened = false;
}

void network_guard_meet(struct NetworkGuard *guard, struct Tenant *tenant)
{
    if (!guard->opened || !network_is_used(tenant))
        return;
    note_rules(guard, tenant->class);
    if (!connect_network(guard))
        return;
    tenant->network.look_usec = guard->clock();
    agenda_put(tenant);
}

void network_guard_reload(struct NetworkGuard *guard)
{
    struct Tenant *tenant, *next;

    if (!guard->opened)
        return;
    HASH_ITER (hh, guard->registry->tenants, tenant, next) {
        network_begin_anew(&tenant->network);
        if (guard->connected && tenant->network.n_links > 0)
            shaping_renew(guard, tenant); /* NetworkBurst= may be another one */
        tenant->network.look_usec = guard->clock();
        agenda_put(tenant);
    }
    if (find_users(guard))
        (void)connect_network(guard);
    else if (guard->connected && guard->asked_usec == 0)
        guard->asked_usec = guard->clock();
}

/* --- for somebody who looks ----------------------------------------------------------------------- */

/* While others hold the kernel's lock of links each who looks would hold up the loop: the first one is
 * enough. */
static void wait_a_moment(struct NetworkGuard *guard)
{
    if (guard->slow)
        return;
    worker_finish(&guard->worker, PATIENCE_USEC);
    worker_dispatch(&guard->worker);
    guard->slow = guard->n_orders > 0;
}

static bool get_ready(struct NetworkGuard *guard, usec_t now)
{
    bool waited = guard->asked_usec > 0 && now < usec_add(guard->asked_usec, USEC_PER_SEC);

    guard->asked_usec = now;
    if (!guard->opened || !connect_network(guard))
        return false;
    if (!guard->listed && !waited)
        wait_a_moment(guard);
    return guard->listed;
}

void network_guard_refresh(struct NetworkGuard *guard, struct Tenant *tenant, usec_t now)
{
    bool was_metering = guard->metering;

    if (!get_ready(guard, now))
        return;
    if (!tenant->network.looked || tenant->network.n_links == 0)
        look(guard, tenant, now);
    metering_ask(guard, now);
    if (guard->metering && !was_metering)
        wait_a_moment(guard);
    metering_begin(guard, tenant);
}

bool network_guard_can(struct NetworkGuard *guard, struct Tenant *tenant, const struct Limits *limits,
                       char *why)
{
    struct Network *network = &tenant->network;

    if (!get_ready(guard, guard->clock())) {
        snprintf(why, REASON_MAX, "its network cannot be limited: %s",
                 guard->trouble[0] != '\0' ? guard->trouble
                                           : "the kernel has not listed its links yet; try again");
        return false;
    }
    look(guard, tenant, guard->clock());
    if (network->n_links == 0 && guard->n_orders > 0)
        wait_a_moment(guard);
    if (network->n_links == 0) {
        snprintf(why, REASON_MAX, "its network cannot be limited: %s%s%s",
                 network->looked ? unshaped_name(network->why) : "", network->looked ? ": " : "",
                 network->looked ? unshaped_text(network->why) : "no process of it is there");
        return false;
    }
    network_begin_anew(network);
    for (int id = 0; id < LIMIT_COUNT; id++)
        for (size_t i = 0; limit_is_network(id) && limits->set[id] && i < network->n_links; i++)
            if (!shaping_is_possible(guard, tenant, &network->links[i], limits->value[id], why))
                return false;
    return true;
}

/* --- time ----------------------------------------------------------------------------------------- */

usec_t network_guard_due_usec(const struct NetworkGuard *guard)
{
    usec_t due;

    if (!guard->connected)
        return USEC_INFINITY;
    due = usec_min(guard->list_usec, metering_due_usec(guard));
    if (guard->listed)
        due = usec_min(due, guard->sweep_usec);
    if (guard->inherited && guard->listed)
        due = 0;
    return guard->asked_usec > 0 ? usec_min(due, usec_add(guard->asked_usec, LINGER_USEC)) : due;
}

void network_sweep_later(struct NetworkGuard *guard)
{
    guard->unclean = true;
    if (guard->sweep_usec == USEC_INFINITY && guard->n_sweeps < SWEEPS_MAX)
        guard->sweep_usec = usec_add(guard->clock(), SWEEP_AGAIN_USEC << guard->n_sweeps++);
}

/* What tenants have is known by now: the rest is what a run before has left, or what could not be taken off.
 */
static void sweep(struct NetworkGuard *guard)
{
    guard->inherited = false;
    guard->sweep_usec = USEC_INFINITY;
    if (guard->pipeline->mode != MODE_OBSERVE)
        shaping_sweep(guard);
    if (guard->asked_usec == 0)
        guard->asked_usec = guard->clock(); /* perhaps that was all */
}

static void end_lingering(struct NetworkGuard *guard, usec_t now)
{
    struct Tenant *tenant, *next;
    bool used = false;

    HASH_ITER (hh, guard->registry->tenants, tenant, next)
        used = used || network_is_used(tenant);
    used = used || guard->sweep_usec != USEC_INFINITY;
    guard->asked_usec = !used && guard->n_orders > 0 ? now : 0;
    if (!used && guard->n_orders == 0)
        disconnect(guard);
}

/* As if nothing had gone wrong; if something does again, the next time is later. */
static void retry(struct NetworkGuard *guard, struct Tenant *tenant, usec_t now)
{
    tenant->network.retry_usec = USEC_INFINITY;
    memset(tenant->network.error, 0, sizeof(tenant->network.error));
    shape(guard, tenant, now);
}

/* Returns false when some are left for the next pass. */
static bool pass_tenants(struct NetworkGuard *guard, usec_t now)
{
    struct Tenant *tenant, *next;
    bool left = false;

    AGENDA_EACH(&guard->registry->agenda, tenant, next)
    {
        if (network_due_usec(&tenant->network) > now)
            continue;
        left = left || guard->clock() >= usec_add(now, PASS_MAX_USEC);
        if (!left && tenant->network.retry_usec <= now)
            retry(guard, tenant, now);
        if (!left && tenant->network.look_usec <= now)
            network_guard_look(guard, tenant, now);
    }
    return !left;
}

void network_guard_pass(struct NetworkGuard *guard, usec_t now)
{
    bool all;

    if (!guard->connected)
        return;
    if (guard->list_usec <= now) {
        guard->list_usec = USEC_INFINITY;
        if (shaping_list(guard) < 0)
            list_again(guard, LIST_AGAIN_USEC);
    }
    all = pass_tenants(guard, now);
    if ((guard->inherited || guard->sweep_usec <= now) && guard->listed && all)
        sweep(guard);
    metering_pass(guard, now);
    if (guard->asked_usec > 0 && usec_add(guard->asked_usec, LINGER_USEC) <= now)
        end_lingering(guard, now);
}
