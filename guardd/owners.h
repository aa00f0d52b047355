/* Whose links they are, found without going through everybody: by the number of a link, and by the network
 * namespace behind it. Several may have one link: those who share its namespace (a pod).
 *
 * Who has no link is not in it. What is found of one link costs as much with three thousand others as with
 * none. */
#pragma once

#include <stddef.h>

#include "model/tenant.h"

struct OwnerSet; /* those of one link, or of one namespace */

/* {0} is empty. */
struct Owners {
    struct OwnerSet *of_links, *of_namespaces; /* owned, uthash */
};

/* `tenant` has this link from now on, in the namespace that its Network names, which stays the same while it
 * has any. -ENOMEM. */
int owners_add(struct Owners *owners, struct Tenant *tenant, int ifindex);
/* It has this link no more. `last`: and no other. */
void owners_remove(struct Owners *owners, struct Tenant *tenant, int ifindex, bool last);
void owners_done(struct Owners *owners);

/* The one at this place, from 0 on, in the order in which they got it; NULL: there are no more. */
struct Tenant *owners_of_link(const struct Owners *owners, int ifindex, size_t at);
struct Tenant *owners_of_namespace(const struct Owners *owners, const struct NetworkNamespace *namespace,
                                   size_t at);
