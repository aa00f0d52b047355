/* The agenda: of which tenants something may be due.
 *
 * Of ten thousand tenants at peace none has anything due. So who wants to know what is due first does not ask
 * them all, but those on the agenda; whoever is about to have something due, or may be, is put there
 * (agenda_put), and is taken off again only by who has asked and found nothing (agenda_remove). To be on it
 * for nothing costs one question. */
#pragma once

#include <utlist.h>

struct Tenant;

struct Agenda {
    struct Tenant *first; /* utlist, by tenant->before and ->after; iterate with AGENDA_EACH */
};

/* While it goes on tenants may be put on it, and this one be taken off. */
#define AGENDA_EACH(agenda, tenant, next) DL_FOREACH_SAFE2((agenda)->first, tenant, next, after)

/* On the agenda of its registry; nothing when it is there, or is in no registry. */
void agenda_put(struct Tenant *tenant);
void agenda_remove(struct Tenant *tenant);
