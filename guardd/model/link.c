#include "model/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of a table. Some thousand namespaces are many. */
#define CHAINS 4096

static const char *const direction_names[DIRECTION_COUNT] = {
    [DIRECTION_EGRESS] = "egress",
    [DIRECTION_INGRESS] = "ingress",
};

const char *direction_name(enum Direction direction)
{
    return direction_names[direction];
}

enum Direction direction_from_name(const char *name)
{
    for (int i = 0; i < DIRECTION_COUNT; i++)
        if (strcmp(direction_names[i], name) == 0)
            return (enum Direction)i;
    return DIRECTION_INVALID;
}

enum LinkKind link_kind(const char *name, bool loopback)
{
    static const struct {
        const char *name;
        enum LinkKind kind;
    } kinds[] = {
        {"veth", LINK_VETH},     {"macvlan", LINK_MACVLAN}, {"macvtap", LINK_MACVLAN},
        {"ipvlan", LINK_IPVLAN}, {"ipvtap", LINK_IPVLAN},   {"bridge", LINK_BRIDGE},
        {"ifb", LINK_IFB},
    };

    if (!name)
        return loopback ? LINK_LOOPBACK : LINK_PHYSICAL;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return kinds[i].kind;
    return LINK_OTHER;
}

const struct LinkCounters *link_counters(const struct Link *link, enum Direction direction)
{
    return direction == DIRECTION_EGRESS ? &link->received : &link->sent;
}

/* --- the table -------------------------------------------------------------------------------------------
 */

/* Where it is, or would be. */
static size_t position(const struct LinkTable *table, int ifindex)
{
    size_t low = 0, high = table->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (table->list[middle].ifindex < ifindex)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct LinkTable *table, size_t at, int ifindex)
{
    return at < table->n && table->list[at].ifindex == ifindex;
}

static int make_room(struct LinkTable *table)
{
    size_t allocated = table->allocated > 0 ? 2 * table->allocated : 16;
    struct Link *list;

    if (!table->chains)
        table->chains = calloc(CHAINS, sizeof(*table->chains));
    if (!table->chains)
        return -ENOMEM;
    if (table->n < table->allocated)
        return 0;
    list = reallocarray(table->list, allocated, sizeof(*list));
    if (!list)
        return -ENOMEM;
    table->list = list;
    table->allocated = allocated;
    return 0;
}

static int changes(const struct Link *before, const struct Link *now)
{
    bool same_peer = before->kind == now->kind && before->peer == now->peer &&
                     before->peer_namespace == now->peer_namespace;

    return (strcmp(before->name, now->name) != 0 ? LINK_CHANGE_NAME : 0) |
           (!same_peer ? LINK_CHANGE_PEER : 0) | (before->master != now->master ? LINK_CHANGE_MASTER : 0) |
           (before->mtu != now->mtu ? LINK_CHANGE_MTU : 0) | (before->up != now->up ? LINK_CHANGE_UP : 0);
}

static bool leads_out(const struct Link *link)
{
    return link->kind == LINK_VETH && link->peer_namespace >= 0;
}

/* Several numbers have one chain: the kernel gives the lowest that is free, but others may give any. */
static int *chain_of(const struct LinkTable *table, int32_t namespace_id)
{
    return &table->chains[(uint32_t)namespace_id % CHAINS];
}

static struct Link *entry(const struct LinkTable *table, int ifindex)
{
    return &table->list[position(table, ifindex)];
}

static void chain(struct LinkTable *table, struct Link *link)
{
    int *first;

    if (!leads_out(link))
        return;
    first = chain_of(table, link->peer_namespace);
    link->next = *first;
    *first = link->ifindex;
}

static void unchain(struct LinkTable *table, const struct Link *link)
{
    int *place;

    if (!leads_out(link))
        return;
    place = chain_of(table, link->peer_namespace);
    while (*place != link->ifindex)
        place = &entry(table, *place)->next;
    *place = link->next;
}

static void replace(struct LinkTable *table, size_t at, const struct Link *link)
{
    unchain(table, &table->list[at]);
    table->list[at] = *link;
    chain(table, &table->list[at]);
}

int link_table_put(struct LinkTable *table, const struct Link *link)
{
    size_t at = position(table, link->ifindex);
    int r;

    if (is_at(table, at, link->ifindex)) {
        r = changes(&table->list[at], link);
        replace(table, at, link);
        return r;
    }
    r = make_room(table);
    if (r < 0)
        return r;
    memmove(&table->list[at + 1], &table->list[at], (table->n - at) * sizeof(table->list[0]));
    table->list[at] = *link;
    table->n++;
    chain(table, &table->list[at]);
    return LINK_CHANGE_NEW;
}

void link_table_forget_namespace(struct LinkTable *table, int32_t namespace_id)
{
    int next;

    if (!table->chains || namespace_id < 0)
        return;
    for (int ifindex = *chain_of(table, namespace_id); ifindex != 0; ifindex = next) {
        struct Link *link = entry(table, ifindex);

        next = link->next;
        if (link->peer_namespace != namespace_id)
            continue;
        unchain(table, link);
        link->peer_namespace = NAMESPACE_ID_NONE;
    }
}

bool link_table_remove(struct LinkTable *table, int ifindex)
{
    size_t at = position(table, ifindex);

    if (!is_at(table, at, ifindex))
        return false;
    unchain(table, &table->list[at]);
    table->n--;
    memmove(&table->list[at], &table->list[at + 1], (table->n - at) * sizeof(table->list[0]));
    return true;
}

const struct Link *link_table_find(const struct LinkTable *table, int ifindex)
{
    size_t at = position(table, ifindex);

    return is_at(table, at, ifindex) ? &table->list[at] : NULL;
}

void link_table_clear(struct LinkTable *table)
{
    table->n = 0;
    if (table->chains)
        memset(table->chains, 0, CHAINS * sizeof(*table->chains));
}

void link_table_done(struct LinkTable *table)
{
    free(table->list);
    free(table->chains);
    *table = (struct LinkTable){0};
}

/* --- whose they are --------------------------------------------------------------------------------------
 */

bool network_namespace_is_same(const struct NetworkNamespace *a, const struct NetworkNamespace *b)
{
    return a->dev == b->dev && a->inode == b->inode;
}

/* What is in a namespace to which no veth of ours leads. The tunnels that the kernel puts into every
 * namespace (tunl0, sit0) are down and lead nowhere. */
static enum Unshaped explain(const struct LinkTable *inside)
{
    enum Unshaped why = UNSHAPED_NO_LINK;

    for (size_t i = 0; inside && i < inside->n; i++) {
        const struct Link *link = &inside->list[i];

        if (link->kind == LINK_MACVLAN)
            return UNSHAPED_MACVLAN;
        if (link->kind == LINK_IPVLAN)
            return UNSHAPED_IPVLAN;
        if (link->up && link->kind != LINK_LOOPBACK)
            why = UNSHAPED_OTHER_LINK;
    }
    return why;
}

/* By ifindex. */
static void insert(struct LinkMatch *match, const struct Link *link)
{
    size_t at = match->n++;

    for (; at > 0 && match->links[at - 1]->ifindex > link->ifindex; at--)
        match->links[at] = match->links[at - 1];
    match->links[at] = link;
}

void link_match(const struct LinkTable *here, int32_t namespace_id, const struct LinkTable *inside,
                struct LinkMatch *ret)
{
    int ifindex = here->chains && namespace_id >= 0 ? *chain_of(here, namespace_id) : 0;

    *ret = (struct LinkMatch){.why = UNSHAPED_NOT};
    for (const struct Link *link; ifindex != 0; ifindex = link->next) {
        link = entry(here, ifindex);
        if (link->peer_namespace != namespace_id)
            continue;
        if (ret->n == LINK_MATCH_MAX) {
            *ret = (struct LinkMatch){.why = UNSHAPED_TOO_MANY_LINKS};
            return;
        }
        insert(ret, link);
    }
    if (ret->n == 0)
        ret->why = explain(inside);
}

/* Numbers that are near each other have marks that are not. */
uint64_t link_mark(const struct Link *link)
{
    uint64_t mark = (uint64_t)link->ifindex * UINT64_C(0x9e3779b97f4a7c15);

    mark = (mark ^ mark >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return mark ^ mark >> 27;
}

static void add(struct LinkCounters *sum, const struct LinkCounters *counters)
{
    sum->bytes += counters->bytes;
    sum->packets += counters->packets;
    sum->dropped += counters->dropped;
}

/* Some drivers of virtual machines have a physical link as master of another one: the same packets. */
static bool is_counted_by_its_master(const struct LinkTable *table, const struct Link *link)
{
    const struct Link *master = link->master > 0 ? link_table_find(table, link->master) : NULL;

    return master && master->kind == LINK_PHYSICAL;
}

bool link_sum_host(const struct LinkTable *here, struct LinkCounters ret[DIRECTION_COUNT], uint64_t *ret_mark)
{
    struct LinkCounters sums[DIRECTION_COUNT] = {0};
    uint64_t mark = 0;
    bool found = false;

    for (size_t i = 0; i < here->n; i++) {
        const struct Link *link = &here->list[i];

        if (link->kind != LINK_PHYSICAL || is_counted_by_its_master(here, link))
            continue;
        add(&sums[DIRECTION_EGRESS], &link->sent);
        add(&sums[DIRECTION_INGRESS], &link->received);
        mark += link_mark(link);
        found = true;
    }
    if (found)
        memcpy(ret, sums, sizeof(sums));
    *ret_mark = mark;
    return found;
}

/* --- why not ---------------------------------------------------------------------------------------------
 */

static const struct {
    const char *name, *text;
} unshaped[UNSHAPED_COUNT] = {
    [UNSHAPED_NOT] = {"", ""},
    [UNSHAPED_HOST_NETWORK] = {"host-network",
                               "it uses the host's network: what it sends cannot be told from what others "
                               "there send"},
    [UNSHAPED_MACVLAN] = {"macvlan", "its link is a macvlan, which passes no link of this host but the one "
                                     "that all share"},
    [UNSHAPED_IPVLAN] = {"ipvlan",
                         "its link is an ipvlan, which passes no link of this host but the one that "
                         "all share"},
    [UNSHAPED_OTHER_LINK] = {"other-link", "no veth of this host leads into its network namespace: it has a "
                                           "device of its own, or a program serves it"},
    [UNSHAPED_NO_LINK] = {"no-link", "no link of this host leads into its network namespace"},
    [UNSHAPED_TOO_MANY_LINKS] = {"too-many-links",
                                 "more links of this host lead into its network namespace than are shaped"},
};

const char *unshaped_name(enum Unshaped why)
{
    return unshaped[why].name;
}

const char *unshaped_text(enum Unshaped why)
{
    return unshaped[why].text;
}
