/* Links (network interfaces) of this host, and which of them carry what a tenant sends and gets.
 *
 * A container of a bridge network has one end of a veth pair in its network namespace, the other one is here.
 * The kernel names the namespace of the far end by a number (a namespace id), which is this host's own for
 * it: whoever asks for the number of the tenant's namespace knows its links. What a link receives here the
 * tenant has sent. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/strain.h"

/* Of the tenant: egress is what it sends. */
enum Direction {
    DIRECTION_EGRESS,
    DIRECTION_INGRESS,
    DIRECTION_COUNT,
    DIRECTION_INVALID = -1,
};

enum LinkKind {
    LINK_PHYSICAL, /* made by a driver, not by software: the kernel has no kind for it */
    LINK_LOOPBACK,
    LINK_VETH,
    LINK_MACVLAN, /* and macvtap */
    LINK_IPVLAN,  /* and ipvtap */
    LINK_BRIDGE,
    LINK_IFB,
    LINK_OTHER,
    LINK_KIND_COUNT,
};

/* Since the link was made. */
struct LinkCounters {
    uint64_t bytes, packets, dropped;
};

/* No number is below 0. */
#define NAMESPACE_ID_NONE (-1)
#define LINK_NAME_MAX 16

struct Link {
    int ifindex;
    char name[LINK_NAME_MAX]; /* may change at any time */
    enum LinkKind kind;
    uint32_t mtu;
    bool up;                            /* administratively: IFF_UP */
    int32_t peer_namespace;             /* where the far end of a veth is; NAMESPACE_ID_NONE: here */
    int peer;                           /* ifindex there: the far end, or what a macvlan is on; 0: none */
    int master;                         /* ifindex of its bridge; 0: none */
    struct LinkCounters received, sent; /* by this end */
    int next;                           /* the table's own: ifindex of the next one in its chain; 0: none */
};

/* Links of a namespace by ifindex, and those that lead out of it by where to. {0} is empty. */
struct LinkTable {
    struct Link *list; /* in order, owned */
    size_t n, allocated;
    int *chains; /* owned; of the links that lead into a namespace, by its number: ifindex of the first one */
};

/* What link_table_put() found to be different. */
enum LinkChange {
    LINK_CHANGE_NEW = 1 << 0, /* alone: it was not there */
    LINK_CHANGE_NAME = 1 << 1,
    LINK_CHANGE_PEER = 1 << 2, /* another far end, or another namespace */
    LINK_CHANGE_MASTER = 1 << 3,
    LINK_CHANGE_MTU = 1 << 4,
    LINK_CHANGE_UP = 1 << 5,
};

/* A network namespace while it lives: device and inode of net/dev of a process in it. */
struct NetworkNamespace {
    dev_t dev;
    ino_t inode;
};

/* Why what a tenant sends and gets passes no link here that could be shaped. */
enum Unshaped {
    UNSHAPED_NOT, /* it does */
    UNSHAPED_HOST_NETWORK,
    UNSHAPED_MACVLAN,
    UNSHAPED_IPVLAN,
    UNSHAPED_OTHER_LINK,     /* a device of its own, a tunnel, what a program serves (slirp4netns, pasta) */
    UNSHAPED_NO_LINK,        /* none that leads out of its namespace */
    UNSHAPED_TOO_MANY_LINKS, /* more than LINK_MATCH_MAX */
    UNSHAPED_COUNT,
};

#define LINK_MATCH_MAX 8
struct LinkMatch {
    enum Unshaped why;
    const struct Link *links[LINK_MATCH_MAX]; /* in the table, by ifindex; where `why` is UNSHAPED_NOT */
    size_t n;
};

/* What sense/net.c remembers of a tenant, or of the host, between two looks. */
struct NetBaseline {
    uint64_t mark; /* of the links that were added up */
    struct CounterBaseline bytes[DIRECTION_COUNT], dropped;
};

/* What the kernel announces (sense/link.h). */
enum LinkEventKind {
    LINK_EVENT_LINK,         /* made, renamed, changed, or looked at only: `link` */
    LINK_EVENT_LINK_GONE,    /* removed, or moved into another namespace */
    LINK_EVENT_QDISC_GONE,   /* removed, or replaced by another one */
    LINK_EVENT_FILTER_GONE,  /* likewise; a handle of 0: all of that parent */
    LINK_EVENT_NAMESPACE_ID, /* a namespace has got its number */
    LINK_EVENT_NAMESPACE_ID_GONE,
};

struct LinkEvent {
    enum LinkEventKind kind;
    struct Link link;     /* of LINK_EVENT_LINK */
    int ifindex;          /* of all that is of a link */
    uint32_t handle;      /* of a qdisc or filter, as tc(8) has it: 0x10000 is 1: */
    uint32_t parent;      /* its parent */
    uint32_t port;        /* the netlink port of whoever removed it; 0: the kernel by itself */
    int32_t namespace_id; /* of LINK_EVENT_NAMESPACE_ID* */
};

/* "egress", "ingress"; DIRECTION_INVALID when it is neither. */
const char *direction_name(enum Direction direction);
enum Direction direction_from_name(const char *name);

/* By the kernel's name for it; NULL: it has none. */
enum LinkKind link_kind(const char *name, bool loopback);

/* What a tenant at the far end of this link sent or got. */
const struct LinkCounters *link_counters(const struct Link *link, enum Direction direction);

/* Adds a link or takes its new state: 0 when it is the same but for its counters, else enum LinkChange.
 * -ENOMEM. Invalidates what points into the table. */
int link_table_put(struct LinkTable *table, const struct Link *link);
/* False: it was not there. */
bool link_table_remove(struct LinkTable *table, int ifindex);
const struct Link *link_table_find(const struct LinkTable *table, int ifindex);
/* The namespace of this number is gone: what led there leads nowhere. */
void link_table_forget_namespace(struct LinkTable *table, int32_t namespace_id);
void link_table_clear(struct LinkTable *table);
void link_table_done(struct LinkTable *table);

bool network_namespace_is_same(const struct NetworkNamespace *a, const struct NetworkNamespace *b);

/* The links here whose far end is in the namespace of this number. `inside`: the links that are in there,
 * where they are known, or NULL: they tell why there is none here. */
void link_match(const struct LinkTable *here, int32_t namespace_id, const struct LinkTable *inside,
                struct LinkMatch *ret);

/* Of several links the marks are added: the sum tells them from others. What one counted before it was among
 * them did not pass just now. */
uint64_t link_mark(const struct Link *link);

/* Through which the host is reached: the physical links, once each. What is made of them (a bond, a VLAN, a
 * bridge, a tunnel) carries again what passes one of them. The host's egress is what they sent. False: there
 * is none. */
bool link_sum_host(const struct LinkTable *here, struct LinkCounters ret[DIRECTION_COUNT],
                   uint64_t *ret_mark);

/* "host-network", "macvlan", ...; a sentence for operators, without a point at its end. */
const char *unshaped_name(enum Unshaped why);
const char *unshaped_text(enum Unshaped why);
