/* Three indexes by cgroup id: the tenants; the cgroups that Protect= names, tenants or not; and who owns
 * which freeze point. Parents are found by the inode number of "..", never by a path.
 *
 * A tenant's protection is computed anew whenever one of the protected cgroups in it appears or
 * vanishes, so that it can be read at any time without a search. */
#define HASH_NONFATAL_OOM 1 /* a failed add leaves hh.tbl NULL; looked at after each one */

#include "tenant/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "tenant/cgroup.h"

struct ProtectedPath {
    uint64_t id;
    char *path;
    UT_hash_handle hh;
};

struct PointOwner {
    uint64_t id, tenant_id;
    UT_hash_handle hh;
};

static void free_strings(char **list)
{
    for (char **p = list; p && *p; p++)
        free(*p);
    free(list);
}

static char **copy_strings(char *const *list)
{
    size_t n = 0;
    char **copy;

    while (list && list[n])
        n++;
    copy = calloc(n + 1, sizeof(*copy));
    for (size_t i = 0; copy && i < n; i++) {
        copy[i] = strdup(list[i]);
        if (!copy[i]) {
            free_strings(copy);
            return NULL;
        }
    }
    return copy;
}

int registry_init(struct Registry *registry, const struct NameSources *sources, char *const *own_paths,
                  bool managed)
{
    *registry = (struct Registry){.sources = *sources, .managed = managed};
    registry->own_paths = copy_strings(own_paths);
    return registry->own_paths ? 0 : -ENOMEM;
}

/* Is `path` below `above`? Nothing is below the root here: it is no tenant. */
static bool path_is_below(const char *path, const char *above)
{
    size_t length = strlen(above);

    return length > 0 && strncmp(path, above, length) == 0 && path[length] == '/';
}

/* guardd's own cgroup or PID 1's: frozen with the tenant, nobody would thaw it. */
static bool protect_own(const struct Registry *registry, struct Tenant *tenant)
{
    static const char *const whose[] = {"guardd itself", "PID 1"};

    for (size_t i = 0; i < sizeof(whose) / sizeof(whose[0]) && registry->own_paths[i]; i++) {
        const char *own = registry->own_paths[i];

        if (strcmp(own, tenant->cgroup.path) != 0 && !path_is_below(own, tenant->cgroup.path))
            continue;
        snprintf(tenant->protected_by, sizeof(tenant->protected_by), "holds %s", whose[i]);
        return true;
    }
    return false;
}

static const char *protected_path_in(const struct Registry *registry, const char *path)
{
    for (struct ProtectedPath *p = registry->protected_paths; p; p = p->hh.next)
        if (path_is_below(p->path, path))
            return p->path;
    return NULL;
}

static void protect(const struct Registry *registry, const struct Policy *policy, struct Tenant *tenant)
{
    const char *reason;

    tenant->protected_by[0] = '\0';
    tenant->untouchable = protect_own(registry, tenant);
    if (tenant->untouchable)
        return;
    reason = policy_protects(policy, tenant->cgroup.path);
    if (reason) {
        snprintf(tenant->protected_by, sizeof(tenant->protected_by), "%s", reason);
        return;
    }
    reason = protected_path_in(registry, tenant->cgroup.path);
    if (reason)
        snprintf(tenant->protected_by, sizeof(tenant->protected_by), "holds %s", reason);
}

static void protect_those_above(const struct Registry *registry, const struct Policy *policy,
                                const char *path)
{
    for (struct Tenant *tenant = registry->tenants; tenant; tenant = tenant->hh.next)
        if (path_is_below(path, tenant->cgroup.path))
            protect(registry, policy, tenant);
}

static void protected_path_free(struct ProtectedPath *p)
{
    free(p->path);
    free(p);
}

int registry_protect_note(struct Registry *registry, const struct Policy *policy, uint64_t id,
                          const char *path)
{
    struct ProtectedPath *p;

    if (!policy_protects(policy, path))
        return 0;
    HASH_FIND(hh, registry->protected_paths, &id, sizeof(id), p);
    if (p)
        return 0;
    p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->id = id;
    p->path = strdup(path);
    if (p->path)
        HASH_ADD(hh, registry->protected_paths, id, sizeof(p->id), p);
    if (!p->path || !p->hh.tbl) {
        protected_path_free(p);
        return -ENOMEM;
    }
    protect_those_above(registry, policy, path);
    return 0;
}

static void protect_forget(struct Registry *registry, const struct Policy *policy, uint64_t id)
{
    struct ProtectedPath *p;

    HASH_FIND(hh, registry->protected_paths, &id, sizeof(id), p);
    if (!p)
        return;
    HASH_DELETE(hh, registry->protected_paths, p);
    protect_those_above(registry, policy, p->path);
    protected_path_free(p);
}

void registry_protect_reset(struct Registry *registry)
{
    struct ProtectedPath *p, *next;

    HASH_ITER (hh, registry->protected_paths, p, next) {
        HASH_DELETE(hh, registry->protected_paths, p);
        protected_path_free(p);
    }
}

void registry_reclassify(struct Registry *registry, const struct Policy *policy, struct Tenant *tenant)
{
    tenant->class = policy_classify(policy, tenant->cgroup.path);
    protect(registry, policy, tenant);
    agenda_put(tenant); /* other rules may look at it more often */
}

struct Tenant *registry_find(const struct Registry *registry, uint64_t id)
{
    struct Tenant *tenant;

    HASH_FIND(hh, registry->tenants, &id, sizeof(id), tenant);
    return tenant;
}

static struct PointOwner *find_point_owner(const struct Registry *registry, uint64_t id)
{
    struct PointOwner *owner;

    HASH_FIND(hh, registry->points, &id, sizeof(id), owner);
    return owner;
}

struct Tenant *registry_point_owner(const struct Registry *registry, uint64_t id)
{
    const struct PointOwner *owner = find_point_owner(registry, id);

    return owner ? registry_find(registry, owner->tenant_id) : NULL;
}

static int own_point(struct Registry *registry, uint64_t id, uint64_t tenant_id)
{
    struct PointOwner *owner = find_point_owner(registry, id);

    if (owner)
        return 0;
    owner = calloc(1, sizeof(*owner));
    if (!owner)
        return -ENOMEM;
    owner->id = id;
    owner->tenant_id = tenant_id;
    HASH_ADD(hh, registry->points, id, sizeof(owner->id), owner);
    if (owner->hh.tbl)
        return 0;
    free(owner);
    return -ENOMEM;
}

static void disown_point(struct Registry *registry, uint64_t id)
{
    struct PointOwner *owner = find_point_owner(registry, id);

    if (!owner)
        return;
    HASH_DELETE(hh, registry->points, owner);
    free(owner);
}

static void disown_points(struct Registry *registry, const struct Tenant *slice)
{
    for (size_t i = 0; slice->cgroup.is_slice && i < slice->cgroup.n_points; i++)
        disown_point(registry, slice->cgroup.points[i].id);
}

static int own_points(struct Registry *registry, const struct Tenant *slice)
{
    int r = 0;

    for (size_t i = 0; slice->cgroup.is_slice && i < slice->cgroup.n_points && r == 0; i++)
        r = own_point(registry, slice->cgroup.points[i].id, slice->cgroup.id);
    return r;
}

static struct Tenant *parent_slice(const struct Registry *registry, int dir_fd)
{
    struct Tenant *parent;
    struct stat st;

    if (fstatat(dir_fd, "..", &st, 0) < 0)
        return NULL;
    parent = registry_find(registry, st.st_ino);
    return parent && parent->cgroup.is_slice ? parent : NULL;
}

/* A child of a tenant that is a slice is one of its freeze points. */
static int add_point(struct Registry *registry, uint64_t id, const char *path, int dir_fd)
{
    struct Tenant *slice = parent_slice(registry, dir_fd);
    const char *slash = strrchr(path, '/');
    int r;

    if (!slice)
        return 0;
    r = cgroup_add_point(&slice->cgroup, dir_fd, id, slash ? slash + 1 : path);
    return r < 0 && r != -EEXIST ? r : own_point(registry, id, slice->cgroup.id);
}

static void remove_point(struct Registry *registry, uint64_t id)
{
    struct Tenant *slice = registry_point_owner(registry, id);

    if (slice)
        cgroup_remove_point(&slice->cgroup, id);
    disown_point(registry, id);
}

/* At peace, with nothing in the ledger. */
static struct Tenant *tenant_new(void)
{
    struct Tenant *tenant = calloc(1, sizeof(*tenant));

    if (!tenant)
        return NULL;
    tenant->cgroup = CGROUP_NULL;
    tenant->condition.look_usec = USEC_INFINITY;
    tenant->limits_due_usec = USEC_INFINITY;
    tenant->disk.look_usec = USEC_INFINITY;
    network_begin(&tenant->network);
    for (size_t i = 0; i < POLICY_CLASS_RULES_MAX; i++)
        tenant->condition.rules[i].until_since_usec = USEC_INFINITY;
    for (size_t i = 0; i < HOLDER_COUNT; i++)
        tenant->hold_slots[i] = LEDGER_SLOT_NONE;
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        tenant->limit_slots[i] = LEDGER_SLOT_NONE;
    return tenant;
}

int tenant_set_directories(struct Tenant *tenant, char *const *directories)
{
    char **copy = copy_strings(directories);

    if (!copy)
        return -ENOMEM;
    free_strings(tenant->state_directories);
    tenant->state_directories = copy;
    return 0;
}

struct Tenant *tenant_free(struct Tenant *tenant)
{
    if (tenant) {
        cgroup_close(&tenant->cgroup);
        disk_done(&tenant->disk);
        free_strings(tenant->state_directories);
    }
    free(tenant);
    return NULL;
}

static int enter(struct Registry *registry, struct Tenant *tenant)
{
    int r;

    HASH_ADD(hh, registry->tenants, cgroup.id, sizeof(tenant->cgroup.id), tenant);
    if (!tenant->hh.tbl)
        return -ENOMEM;
    r = own_points(registry, tenant);
    if (r < 0) {
        disown_points(registry, tenant);
        HASH_DELETE(hh, registry->tenants, tenant);
    }
    return r;
}

static int add_tenant(struct Registry *registry, const struct Policy *policy, const char *path, int dir_fd,
                      usec_t now, struct Tenant **ret_tenant)
{
    struct Tenant *tenant = tenant_new();
    int r = tenant ? cgroup_open(dir_fd, path, registry->managed, &tenant->cgroup) : -ENOMEM;

    if (r < 0) {
        tenant_free(tenant);
        return r;
    }
    tenant->appeared_usec = now;
    tenant_name(&registry->sources, path, tenant->name, sizeof(tenant->name), tenant->container_id);
    registry_reclassify(registry, policy, tenant);
    tenant->agenda = &registry->agenda;
    r = enter(registry, tenant);
    if (r < 0)
        tenant_free(tenant);
    else
        *ret_tenant = tenant;
    return r;
}

int registry_add(struct Registry *registry, const struct Policy *policy, uint64_t id, const char *path,
                 int dir_fd, usec_t now, struct Tenant **ret_tenant)
{
    struct Tenant *known = registry_find(registry, id);
    int r = registry_protect_note(registry, policy, id, path);

    if (r == 0 && dir_fd < 0)
        r = dir_fd;
    if (r == 0)
        r = add_point(registry, id, path, dir_fd);
    if (known) {
        *ret_tenant = known;
        return r < 0 ? r : -EEXIST;
    }
    if (r < 0)
        return r;
    if (policy_classify(policy, path))
        return add_tenant(registry, policy, path, dir_fd, now, ret_tenant);
    *ret_tenant = NULL;
    return 0;
}

static void leave(struct Registry *registry, struct Tenant *tenant)
{
    agenda_remove(tenant);
    tenant->agenda = NULL;
    disown_points(registry, tenant);
    /* It is in the table, so there is one. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    HASH_DELETE(hh, registry->tenants, tenant);
}

struct Tenant *registry_remove(struct Registry *registry, const struct Policy *policy, uint64_t id)
{
    struct Tenant *tenant = registry_find(registry, id);

    remove_point(registry, id);
    if (tenant) {
        leave(registry, tenant);
        tenant->gone = true;
    }
    protect_forget(registry, policy, id);
    return tenant;
}

void registry_done(struct Registry *registry)
{
    struct Tenant *tenant, *next;
    struct PointOwner *owner, *next_owner;

    HASH_ITER (hh, registry->tenants, tenant, next) {
        leave(registry, tenant);
        tenant_free(tenant);
    }
    HASH_ITER (hh, registry->points, owner, next_owner)
        disown_point(registry, owner->id);
    registry_protect_reset(registry);
    free_strings(registry->own_paths);
    registry->own_paths = NULL;
}

size_t registry_count(const struct Registry *registry)
{
    return HASH_COUNT(registry->tenants);
}
