/* A tree of directories by name, with what is claimed and all that is above it, and nothing else: on the way
 * down to a directory lie the rivals above it, and all that is below its node are rivals inside it. A node is
 * found by its parent and its name, so that a path costs as many steps as it has components, however many
 * tenants there are. A node without claims and without children is taken away. */
#define HASH_NONFATAL_OOM 1 /* a failed add leaves hh.tbl NULL; looked at after each one */

#include "tenant/claims.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "base/error.h"

struct Claim {
    struct Claim *parent, *children; /* utlist */
    struct Claim *prev, *next;       /* of one parent */
    uint64_t *tenants;               /* that claim exactly this one */
    size_t n_tenants;
    UT_hash_handle hh;
    char key[]; /* the parent's address, then the name */
};

struct Claimant {
    uint64_t tenant_id;
    struct Claim **claims;
    size_t n_claims;
    bool marked; /* while rivals are collected */
    UT_hash_handle hh;
};

#define KEY_MAX (sizeof(struct Claim *) + PATH_MAX)

/* Takes the next component off a path; false at its end. */
static bool next_component(const char **path, const char **ret_name, size_t *ret_length)
{
    *path += strspn(*path, "/");
    *ret_name = *path;
    *ret_length = strcspn(*path, "/");
    *path += *ret_length;
    return *ret_length > 0;
}

/* 0 when the name is longer than any can be. */
static size_t make_key(const struct Claim *parent, const char *name, size_t length, char key[KEY_MAX])
{
    if (length > PATH_MAX)
        return 0;
    memcpy(key, &parent, sizeof(parent));
    memcpy(key + sizeof(parent), name, length);
    return sizeof(parent) + length;
}

static struct Claim *find_child(const struct Claims *claims, const struct Claim *parent, const char *name,
                                size_t length)
{
    char key[KEY_MAX];
    size_t size = make_key(parent, name, length, key);
    struct Claim *found = NULL;

    if (parent && size > 0)
        HASH_FIND(hh, claims->by_name, key, size, found);
    return found;
}

static struct Claim *add_node(struct Claims *claims, struct Claim *parent, const char *name, size_t length)
{
    char key[KEY_MAX];
    size_t size = make_key(parent, name, length, key);
    struct Claim *node = size > 0 ? calloc(1, sizeof(*node) + size) : NULL;

    if (!node)
        return NULL;
    node->parent = parent;
    memcpy(node->key, key, size);
    HASH_ADD_KEYPTR(hh, claims->by_name, node->key, size, node);
    if (!node->hh.tbl) {
        free(node);
        return NULL;
    }
    if (parent)
        DL_APPEND(parent->children, node);
    else
        claims->top = node;
    return node;
}

/* Takes away what nothing is left of, from here upwards. */
static void prune(struct Claims *claims, struct Claim *node)
{
    while (node && claims->by_name && !node->children && node->n_tenants == 0) {
        struct Claim *parent = node->parent;

        HASH_DEL(claims->by_name, node);
        if (parent)
            DL_DELETE(parent->children, node);
        else
            claims->top = NULL;
        free(node->tenants);
        free(node);
        node = parent;
    }
}

/* The node of a path, made when it is not there with all above it; NULL without memory. */
static struct Claim *node_of(struct Claims *claims, const char *path)
{
    struct Claim *node = claims->top ? claims->top : add_node(claims, NULL, "", 0);
    const char *name;
    size_t length;

    while (node && next_component(&path, &name, &length)) {
        struct Claim *child = find_child(claims, node, name, length);

        if (!child)
            child = add_node(claims, node, name, length);
        if (!child)
            prune(claims, node);
        node = child;
    }
    return node;
}

static struct Claimant *find_claimant(const struct Claims *claims, uint64_t tenant_id)
{
    struct Claimant *found;

    HASH_FIND(hh, claims->by_tenant, &tenant_id, sizeof(tenant_id), found);
    return found;
}

static struct Claimant *add_claimant(struct Claims *claims, uint64_t tenant_id, size_t n)
{
    struct Claimant *claimant = calloc(1, sizeof(*claimant));

    if (!claimant)
        return NULL;
    claimant->tenant_id = tenant_id;
    claimant->claims = calloc(n, sizeof(struct Claim *));
    if (claimant->claims)
        HASH_ADD(hh, claims->by_tenant, tenant_id, sizeof(claimant->tenant_id), claimant);
    if (!claimant->claims || !claimant->hh.tbl) {
        free(claimant->claims);
        free(claimant);
        return NULL;
    }
    return claimant;
}

static bool is_claimed_by(const struct Claim *node, uint64_t tenant_id)
{
    for (size_t i = 0; i < node->n_tenants; i++)
        if (node->tenants[i] == tenant_id)
            return true;
    return false;
}

static int claim(struct Claims *claims, struct Claimant *claimant, const char *path)
{
    struct Claim *node = node_of(claims, path);
    uint64_t *tenants;

    if (!node)
        return -ENOMEM;
    if (is_claimed_by(node, claimant->tenant_id))
        return 0;
    tenants = reallocarray(node->tenants, node->n_tenants + 1, sizeof(*tenants));
    if (!tenants) {
        prune(claims, node);
        return -ENOMEM;
    }
    node->tenants = tenants;
    node->tenants[node->n_tenants++] = claimant->tenant_id;
    claimant->claims[claimant->n_claims++] = node;
    return 0;
}

static void unclaim(struct Claims *claims, struct Claim *node, uint64_t tenant_id)
{
    for (size_t i = 0; i < node->n_tenants; i++)
        if (node->tenants[i] == tenant_id) {
            node->tenants[i] = node->tenants[--node->n_tenants];
            break;
        }
    prune(claims, node);
}

static void drop(struct Claims *claims, struct Claimant *claimant)
{
    for (size_t i = 0; i < claimant->n_claims; i++)
        unclaim(claims, claimant->claims[i], claimant->tenant_id);
    HASH_DEL(claims->by_tenant, claimant);
    free(claimant->claims);
    free(claimant);
}

void claims_drop(struct Claims *claims, uint64_t tenant_id)
{
    struct Claimant *claimant = find_claimant(claims, tenant_id);

    if (claimant)
        drop(claims, claimant);
}

void claims_done(struct Claims *claims)
{
    struct Claimant *claimant, *next;

    HASH_ITER (hh, claims->by_tenant, claimant, next) {
        drop(claims, claimant);
    }
}

int claims_set(struct Claims *claims, uint64_t tenant_id, const struct Directory *list, size_t n)
{
    struct Claimant *claimant;
    int r = 0;

    claims_drop(claims, tenant_id);
    if (n == 0)
        return 0;
    claimant = add_claimant(claims, tenant_id, n);
    if (!claimant)
        return -ENOMEM;
    for (size_t i = 0; i < n && r == 0; i++)
        if (list[i].state != DIRECTORY_OUT)
            r = claim(claims, claimant, list[i].path);
    if (r < 0 || claimant->n_claims == 0)
        drop(claims, claimant);
    return r;
}

/* The next one in depth-first order of all below `top`; NULL at the end. */
static const struct Claim *next_below(const struct Claim *top, const struct Claim *node)
{
    if (node->children)
        return node->children;
    while (node != top && !node->next)
        node = node->parent;
    return node == top ? NULL : node->next;
}

/* Shows nodes to `look` until it says true: this one and every one below. */
static bool look_below(const struct Claim *top, bool (*look)(const struct Claim *node, void *userdata),
                       void *userdata)
{
    for (const struct Claim *node = top; node; node = next_below(top, node))
        if (look(node, userdata))
            return true;
    return false;
}

/* Every one above, at and below a path. */
static bool look_around(const struct Claims *claims, const char *path,
                        bool (*look)(const struct Claim *node, void *userdata), void *userdata)
{
    const struct Claim *node = claims->top;
    const char *name;
    size_t length;

    while (node && next_component(&path, &name, &length)) {
        if (look(node, userdata))
            return true;
        node = find_child(claims, node, name, length);
    }
    return look_below(node, look, userdata);
}

struct RivalSearch {
    const struct Claims *claims;
    uint64_t tenant_id;
    uint64_t rival; /* that was found, 0: none */
};

static bool find_rival(const struct Claim *node, void *userdata)
{
    struct RivalSearch *search = userdata;

    for (size_t i = 0; i < node->n_tenants && search->rival == 0; i++)
        if (node->tenants[i] != search->tenant_id)
            search->rival = node->tenants[i];
    return search->rival != 0;
}

static bool mark_rivals(const struct Claim *node, void *userdata)
{
    struct RivalSearch *search = userdata;

    for (size_t i = 0; i < node->n_tenants; i++) {
        struct Claimant *claimant = find_claimant(search->claims, node->tenants[i]);

        if (!claimant || node->tenants[i] == search->tenant_id)
            continue;
        claimant->marked = true;
        search->rival = node->tenants[i];
    }
    return false;
}

uint64_t claims_rival(const struct Claims *claims, uint64_t tenant_id, const struct Directory *directory)
{
    struct RivalSearch search = {.claims = claims, .tenant_id = tenant_id};

    look_around(claims, directory->path, find_rival, &search);
    return search.rival;
}

static void mark_around_own(const struct Claimant *claimant, struct RivalSearch *search)
{
    for (size_t i = 0; i < claimant->n_claims; i++) {
        for (const struct Claim *above = claimant->claims[i]->parent; above; above = above->parent)
            mark_rivals(above, search);
        look_below(claimant->claims[i], mark_rivals, search);
    }
}

void claims_each_rival(const struct Claims *claims, uint64_t tenant_id, const struct Directory *list,
                       size_t n, void (*each)(void *userdata, uint64_t rival), void *userdata)
{
    struct RivalSearch search = {.claims = claims, .tenant_id = tenant_id};
    const struct Claimant *own = find_claimant(claims, tenant_id);

    if (own)
        mark_around_own(own, &search);
    for (size_t i = 0; i < n; i++)
        if (list[i].state != DIRECTORY_OUT)
            look_around(claims, list[i].path, mark_rivals, &search);
    if (search.rival == 0)
        return;
    for (struct Claimant *claimant = claims->by_tenant; claimant; claimant = claimant->hh.next)
        if (claimant->marked) {
            claimant->marked = false;
            each(userdata, claimant->tenant_id);
        }
}
