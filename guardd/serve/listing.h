/* A listing: what is told of each of many tenants, measured when it is asked for.
 *
 * To measure and encode ten thousand tenants takes long, and who may look may ask again and again. So a
 * listing is made a few tenants a turn of the loop, between which everything that guards has its turn; there
 * is one at a time; and who asks while one is made waits for the next, which is for all who ask for the same.
 * However many ask, guardd makes no more than one listing of a kind for all of them. Operators go first. */
#pragma once

#include "serve/peer.h"

#define LISTING_TURN_TENANTS 16 /* of each turn of the loop: well below a millisecond */

/* What is listed; one constant each, by whose address it is known. */
struct ListingKind {
    /* The row of a tenant; owned by the caller. */
    int (*encode)(const struct Tenant *tenant, sd_json_variant **ret);
    /* Answers a peer with all rows, sorted by name. */
    int (*reply)(struct ServicePeer *peer, sd_json_variant *rows);
};

/* The peer waits for a listing of the class ("": of all of them) from now on. Returns 0. `flags`: of its
 * call; one that wants no answer gets none. */
int listing_ask(struct ServicePeer *peer, const struct ListingKind *kind, const char *class,
                sd_varlink_method_flags_t flags);

/* What makes them, in the loop. A service that could not be opened may be closed. */
int listing_open(struct Service *service, sd_event *event);
void listing_close(struct Service *service);
