/* Claims: which tenant counts which directory. One that two tenants have (the same, or one inside the
 * other's) is nobody's: it counts for neither while both are there. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/disk.h"

struct Claim;    /* uthash: a directory that is claimed, or one above such */
struct Claimant; /* uthash: a tenant and what it claims */

struct Claims {
    struct Claim *top; /* "/" */
    struct Claim *by_name;
    struct Claimant *by_tenant;
};

void claims_done(struct Claims *claims);
/* Replaces what a tenant claims by its directories that may count (state other than DIRECTORY_OUT). -ENOMEM:
 * it then claims nothing. */
int claims_set(struct Claims *claims, uint64_t tenant_id, const struct Directory *list, size_t n);
void claims_drop(struct Claims *claims, uint64_t tenant_id);
/* Another tenant that has this directory, one above or one below it; 0: none. */
uint64_t claims_rival(const struct Claims *claims, uint64_t tenant_id, const struct Directory *directory);
/* Calls for every tenant that shares something with this one (each once): theirs is to be looked at again.
 * Looked at is what it claims, and what may count of the list, which need not be claimed (any more). `each`
 * must not change the claims. */
void claims_each_rival(const struct Claims *claims, uint64_t tenant_id, const struct Directory *list,
                       size_t n, void (*each)(void *userdata, uint64_t rival), void *userdata);
