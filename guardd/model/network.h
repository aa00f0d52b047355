/* What a tenant has of the network: the links of this host behind which its namespace is, and the rates that
 * guardd keeps on them. Tenants that share a namespace (those of a pod) have the same links, and one rate:
 * the lowest that is set for any of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/usec.h"
#include "model/limit.h"
#include "model/link.h"

struct LinkRate {
    bool known;         /* it was set or looked at by this run of guardd */
    uint64_t rate_bits; /* a second, that guardd keeps there; LIMIT_INFINITY: none; where it is known */
    bool unsure;        /* an order failed, or somebody changed it: what is left there may be guardd's */
    unsigned orders;    /* that the worker has still to carry out */
    bool again;         /* somebody took something away meanwhile: to be looked at after them */
    uint64_t dropped;   /* for it, since it is kept */
};

struct TenantLink {
    int ifindex;
    char name[LINK_NAME_MAX];
    uint32_t mtu;
    struct LinkRate rates[DIRECTION_COUNT];
};

struct Network {
    bool looked; /* for its namespace and links: all below says what was found */
    enum Unshaped why;
    struct NetworkNamespace namespace;
    int32_t namespace_id;
    struct TenantLink links[LINK_MATCH_MAX];
    size_t n_links;
    size_t n_sharers;                 /* other tenants in the namespace */
    char sharer[64];                  /* one of them, "" */
    uint64_t wanted[DIRECTION_COUNT]; /* of its links, by all who share them; LIMIT_INFINITY */
    uint64_t burst_bytes;       /* of these rates: the most that a class of theirs asks for; 0: none does */
    uint64_t flood_bits;        /* that a throttle leaves it; LIMIT_INFINITY: there is none */
    int error[DIRECTION_COUNT]; /* of what was ordered last: not ordered again meanwhile; 0 */
    char trouble[DIRECTION_COUNT][160];
    unsigned repaired; /* times that somebody had taken away what keeps a rate, and it was put back */
    usec_t look_usec;  /* look for its links; USEC_INFINITY */
    usec_t retry_usec; /* try once more what went wrong; USEC_INFINITY */
    unsigned retries;  /* so often that was done since something went right */
};

/* Has no links, and is not to be looked at. */
void network_begin(struct Network *network);

/* Something went wrong, which may be over after a while: it will be tried again, after 1 s, 2 s, 4 s ..., for
 * two minutes. */
void network_retry_later(struct Network *network, usec_t now);
/* With another burst what its links have is not known to be as wanted. */
void network_take_burst(struct Network *network, uint64_t burst_bytes);
/* When something is to be done about it next; USEC_INFINITY. */
usec_t network_due_usec(const struct Network *network);
/* Whatever went wrong does not count any more. */
void network_begin_anew(struct Network *network);

/* Of a limit that is kept on links. */
enum Direction limit_direction(enum LimitId id);
enum LimitId direction_limit(enum Direction direction);

struct TenantLink *network_link(struct Network *network, int ifindex);
/* The link is there, with rates that are not known unless it was before. NULL: there are too many. */
struct TenantLink *network_add(struct Network *network, const struct Link *link);
bool network_remove(struct Network *network, int ifindex);

/* May something of guardd's be there, or come? */
bool link_rate_is_marked(const struct LinkRate *rate);
/* Does it take an order until it is as wanted? What is not known is looked at by the order itself. */
bool link_rate_is_to_be_renewed(const struct LinkRate *rate, uint64_t wanted);

/* Orders of any of its links are not carried out yet: each brings what was wanted when it was made. */
bool network_has_orders(const struct Network *network);
/* Packets that were dropped on all of its links, both ways, since guardd keeps rates on them. */
uint64_t network_dropped(const struct Network *network);

/* All of its links have what is wanted. */
bool network_is_as_wanted(const struct Network *network);

/* What is in force of a limit whose value, set through guardd, is `own` (LIMIT_INFINITY: none): that, where
 * all links are as wanted, or on their way to it, else what a link has that is not. -ENODATA: it has no
 * links. */
int network_present(const struct Network *network, enum LimitId id, uint64_t own, uint64_t *ret_value);
