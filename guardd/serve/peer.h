/* A peer: one connection to the service, from the moment it is let in until either side hangs up.
 *
 * What a peer may cost is bounded here. Strangers (no right at all) are let in, so that they hear why
 * they are refused, but share few places; each user has a bounded number; root's and operators' places
 * are not strangers' to take. sd-varlink would buffer 16 MiB of a call before it gives up, a parsed one
 * costs many times that: so what comes in is counted before sd-varlink reads it, and a peer that sends
 * more than a call can need is hung up on. A watcher that does not read is, too. */
#pragma once

#include "serve/authority.h"
#include "serve/service.h"

#define PEERS_MAX 128
#define PEERS_PER_USER_MAX 32
#define PEERS_STRANGERS_MAX 32           /* of all users without any right together */
#define PEER_CALL_BYTES_MAX (256 * 1024) /* sent without a call coming of it */
#define PEER_BEHIND_MAX 64               /* events, with the socket full */
#define PEER_QUEUED_MAX 1024             /* events, in one burst with the socket not yet full */

/* What a peer waits for: how it is answered. */
enum Awaits {
    AWAITS_ACTION,
    AWAITS_RELEASE,
    AWAITS_LIMITS,
    AWAITS_CHECK,
};

struct ListingKind;

/* What it waits for, if not for an outcome: a listing (listing.h). */
struct ListingWish {
    const struct ListingKind *kind; /* NULL: it waits for none */
    char class[POLICY_NAME_MAX];    /* "": of all classes */
    uint64_t number;                /* who has come first */
    bool being_made;                /* the listing that is being made is for it, too */
};

struct ServicePeer {
    struct Service *service;
    sd_varlink *link;        /* referenced */
    sd_event_source *input;  /* sees what comes in before sd-varlink does */
    enum Right right;        /* when it connected; every call asks again */
    size_t unanswered_bytes; /* come in since the last call */
    uint64_t ticket;         /* of what it waits for; 0: it waits for nothing */
    enum Awaits awaits;
    char subject[TENANT_NAME_MAX]; /* the tenant whose outcome that is; "" for all */
    size_t released;               /* AWAITS_RELEASE: how many it was taken from */
    bool repair;                   /* AWAITS_CHECK: what is wrong is mended */
    struct ListingWish wish;
    bool watching, brief;    /* sent every event; only what a line of it needs */
    unsigned queued;         /* events not yet written to its socket */
    struct TraceFeed *trace; /* what it is being sent (trace.h); owned, NULL */
    struct ServicePeer *prev, *next;
};

/* Callbacks of the server. Letting in fails (the connection is closed) when there is no place. */
int peer_connected(sd_varlink_server *server, sd_varlink *link, void *userdata);
void peer_disconnected(sd_varlink_server *server, sd_varlink *link, void *userdata);

/* Each method calls this first. 0 when the peer has the right; else it was answered (WIRE_ERROR_DENIED), and
 * the method returns what this returns. */
int peer_demand(struct ServicePeer *peer, enum Right wanted);

/* What operators have set of a tenant, as far as this peer may know it. */
int peer_overrides(struct ServicePeer *peer, const char *tenant, sd_json_variant **ret);

/* What the peer asks for is recorded, by the daemon. `tenant` NULL: of the host. */
void peer_asked(struct ServicePeer *peer, const struct Tenant *tenant, const struct Author *author,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Sends one more reply (of wire_event_reply() or wire_event_brief(); NULL: an empty one) to a watcher, or
 * hangs up on one that does not keep up: `peer` may be gone then. */
void peer_notify(struct ServicePeer *peer, sd_json_variant *reply);
/* Writes what is queued for it, as far as its socket takes it: now, and not two turns of the loop later. It
 * may be freed. */
void peer_push(struct ServicePeer *peer);

/* The peer waits from now on, under a ticket of its own (none where the call wants no answer). Before what it
 * waits for is begun: the outcome may be there at once. `tenant`: NULL for all. */
void peer_await(struct ServicePeer *peer, enum Awaits awaits, const struct Tenant *tenant,
                sd_varlink_method_flags_t flags);

/* The peer that waits for this ticket, NULL when there is none. It waits no longer. */
struct ServicePeer *peer_take_waiting(struct Service *service, uint64_t ticket);
