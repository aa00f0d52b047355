/* Two tables of one kind: what links and namespaces are known by fits in two numbers. */
#include "owners.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

struct OwnerKey {
    uint64_t first, second;
};

struct OwnerSet {
    struct OwnerKey key;
    struct Tenant **list; /* owned */
    size_t n, allocated;
    UT_hash_handle hh;
};

static struct OwnerKey key_of_link(int ifindex)
{
    return (struct OwnerKey){.first = (uint64_t)ifindex};
}

static struct OwnerKey key_of_namespace(const struct NetworkNamespace *namespace)
{
    return (struct OwnerKey){.first = namespace->dev, .second = namespace->inode};
}

/* --- one set ------------------------------------------------------------------------------------------ */

static struct OwnerSet *find(struct OwnerSet *table, struct OwnerKey key)
{
    struct OwnerSet *set;

    HASH_FIND(hh, table, &key, sizeof(key), set);
    return set;
}

static struct OwnerSet *find_or_make(struct OwnerSet **table, struct OwnerKey key)
{
    struct OwnerSet *set = find(*table, key);

    if (set)
        return set;
    set = calloc(1, sizeof(*set));
    if (set) {
        set->key = key;
        HASH_ADD(hh, *table, key, sizeof(set->key), set);
    }
    return set;
}

static void drop(struct OwnerSet **table, struct OwnerSet *set)
{
    HASH_DEL(*table, set);
    free(set->list);
    free(set);
}

static size_t place_of(const struct OwnerSet *set, const struct Tenant *tenant)
{
    size_t at = 0;

    while (at < set->n && set->list[at] != tenant)
        at++;
    return at;
}

static int put(struct OwnerSet **table, struct OwnerKey key, struct Tenant *tenant)
{
    struct OwnerSet *set = find_or_make(table, key);

    if (!set)
        return -ENOMEM;
    if (place_of(set, tenant) < set->n)
        return 0;
    if (set->n == set->allocated) {
        size_t allocated = set->allocated > 0 ? 2 * set->allocated : 1;
        struct Tenant **list = reallocarray(set->list, allocated, sizeof(struct Tenant *));

        if (!list) {
            if (set->n == 0)
                drop(table, set);
            return -ENOMEM;
        }
        set->list = list;
        set->allocated = allocated;
    }
    set->list[set->n++] = tenant;
    return 0;
}

static void take(struct OwnerSet **table, struct OwnerKey key, const struct Tenant *tenant)
{
    struct OwnerSet *set = find(*table, key);
    size_t at = set ? place_of(set, tenant) : 0;

    if (!set || at == set->n)
        return;
    set->n--;
    memmove(&set->list[at], &set->list[at + 1], (set->n - at) * sizeof(struct Tenant *));
    if (set->n == 0)
        drop(table, set);
}

static struct Tenant *member(struct OwnerSet *table, struct OwnerKey key, size_t at)
{
    const struct OwnerSet *set = find(table, key);

    return set && at < set->n ? set->list[at] : NULL;
}

/* --- both --------------------------------------------------------------------------------------------- */

int owners_add(struct Owners *owners, struct Tenant *tenant, int ifindex)
{
    int r = put(&owners->of_namespaces, key_of_namespace(&tenant->network.namespace), tenant);

    return r < 0 ? r : put(&owners->of_links, key_of_link(ifindex), tenant);
}

void owners_remove(struct Owners *owners, struct Tenant *tenant, int ifindex, bool last)
{
    take(&owners->of_links, key_of_link(ifindex), tenant);
    if (last)
        take(&owners->of_namespaces, key_of_namespace(&tenant->network.namespace), tenant);
}

void owners_done(struct Owners *owners)
{
    struct OwnerSet *set, *next;

    HASH_ITER (hh, owners->of_links, set, next)
        drop(&owners->of_links, set);
    HASH_ITER (hh, owners->of_namespaces, set, next)
        drop(&owners->of_namespaces, set);
}

struct Tenant *owners_of_link(const struct Owners *owners, int ifindex, size_t at)
{
    return member(owners->of_links, key_of_link(ifindex), at);
}

struct Tenant *owners_of_namespace(const struct Owners *owners, const struct NetworkNamespace *namespace,
                                   size_t at)
{
    return member(owners->of_namespaces, key_of_namespace(namespace), at);
}
