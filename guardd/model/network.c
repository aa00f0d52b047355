#include "model/network.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RETRIES_MAX 7

void network_begin(struct Network *network)
{
    *network = (struct Network){.namespace_id = NAMESPACE_ID_NONE,
                                .wanted = {LIMIT_INFINITY, LIMIT_INFINITY},
                                .flood_bits = LIMIT_INFINITY,
                                .look_usec = USEC_INFINITY,
                                .retry_usec = USEC_INFINITY};
}

void network_retry_later(struct Network *network, usec_t now)
{
    if (network->retry_usec == USEC_INFINITY && network->retries < RETRIES_MAX)
        network->retry_usec = usec_add(now, USEC_PER_SEC << network->retries++);
}

void network_take_burst(struct Network *network, uint64_t burst_bytes)
{
    for (size_t i = 0; i < network->n_links && network->burst_bytes != burst_bytes; i++)
        for (int d = 0; d < DIRECTION_COUNT; d++)
            if (network->links[i].rates[d].rate_bits != LIMIT_INFINITY)
                network->links[i].rates[d].known = false;
    network->burst_bytes = burst_bytes;
}

usec_t network_due_usec(const struct Network *network)
{
    return usec_min(network->look_usec, network->retry_usec);
}

void network_begin_anew(struct Network *network)
{
    memset(network->error, 0, sizeof(network->error));
    network->retry_usec = USEC_INFINITY;
    network->retries = 0;
}

enum Direction limit_direction(enum LimitId id)
{
    return id == LIMIT_NETWORK_EGRESS_MAX ? DIRECTION_EGRESS : DIRECTION_INGRESS;
}

enum LimitId direction_limit(enum Direction direction)
{
    return direction == DIRECTION_EGRESS ? LIMIT_NETWORK_EGRESS_MAX : LIMIT_NETWORK_INGRESS_MAX;
}

struct TenantLink *network_link(struct Network *network, int ifindex)
{
    for (size_t i = 0; i < network->n_links; i++)
        if (network->links[i].ifindex == ifindex)
            return &network->links[i];
    return NULL;
}

struct TenantLink *network_add(struct Network *network, const struct Link *link)
{
    struct TenantLink *mine = network_link(network, link->ifindex);

    if (!mine && network->n_links == LINK_MATCH_MAX)
        return NULL;
    if (!mine) {
        mine = &network->links[network->n_links++];
        *mine = (struct TenantLink){
            .ifindex = link->ifindex,
            .rates = {{.rate_bits = LIMIT_INFINITY}, {.rate_bits = LIMIT_INFINITY}},
        };
    }
    snprintf(mine->name, sizeof(mine->name), "%s", link->name);
    mine->mtu = link->mtu;
    return mine;
}

bool network_remove(struct Network *network, int ifindex)
{
    const struct TenantLink *link = network_link(network, ifindex);
    size_t at = link ? (size_t)(link - network->links) : 0;

    if (!link)
        return false;
    network->n_links--;
    memmove(&network->links[at], &network->links[at + 1],
            (network->n_links - at) * sizeof(network->links[0]));
    return true;
}

bool link_rate_is_marked(const struct LinkRate *rate)
{
    return !rate->known || rate->unsure || rate->orders > 0 || rate->rate_bits != LIMIT_INFINITY;
}

bool link_rate_is_to_be_renewed(const struct LinkRate *rate, uint64_t wanted)
{
    if (rate->orders > 0)
        return false;
    if (wanted == LIMIT_INFINITY && rate->unsure)
        return true;
    return rate->known ? rate->rate_bits != wanted : wanted != LIMIT_INFINITY;
}

bool network_has_orders(const struct Network *network)
{
    for (size_t i = 0; i < network->n_links; i++)
        for (int d = 0; d < DIRECTION_COUNT; d++)
            if (network->links[i].rates[d].orders > 0)
                return true;
    return false;
}

uint64_t network_dropped(const struct Network *network)
{
    uint64_t dropped = 0;

    for (size_t i = 0; i < network->n_links; i++)
        for (int d = 0; d < DIRECTION_COUNT; d++)
            dropped += network->links[i].rates[d].dropped;
    return dropped;
}

bool network_is_as_wanted(const struct Network *network)
{
    for (size_t i = 0; i < network->n_links; i++)
        for (int d = 0; d < DIRECTION_COUNT; d++) {
            const struct LinkRate *rate = &network->links[i].rates[d];

            if (rate->orders > 0 || link_rate_is_to_be_renewed(rate, network->wanted[d]) ||
                (rate->known ? rate->rate_bits : LIMIT_INFINITY) != network->wanted[d])
                return false;
        }
    return true;
}

int network_present(const struct Network *network, enum LimitId id, uint64_t own, uint64_t *ret_value)
{
    enum Direction direction = limit_direction(id);

    if (network->n_links == 0)
        return -ENODATA;
    *ret_value = own;
    for (size_t i = 0; i < network->n_links; i++) {
        const struct LinkRate *rate = &network->links[i].rates[direction];

        if (rate->known && rate->orders == 0 && rate->rate_bits != network->wanted[direction]) {
            *ret_value = rate->rate_bits;
            break;
        }
    }
    return 0;
}
