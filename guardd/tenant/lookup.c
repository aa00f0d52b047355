/* TENANT as people write it. The ways to name a tenant stand in one table, from the most exact to the
 * loosest; the first that fits any tenant decides, so that a container called "cafe" is found by its name
 * even if another one's id begins so. */
#include "tenant/registry.h"

#include <string.h>

#include "base/error.h"

#define ID_PREFIX_MIN 4

static bool is_named(const struct Tenant *tenant, const char *text)
{
    return strcmp(tenant->name, text) == 0;
}

static bool has_path(const struct Tenant *tenant, const char *text)
{
    return strcmp(tenant->cgroup.path, text) == 0;
}

static bool is_unit(const struct Tenant *tenant, const char *text)
{
    return tenant->cgroup.unit && strcmp(tenant->cgroup.unit, text) == 0;
}

/* "web" for docker/web; a path's last component is no name. */
static bool is_named_behind_slash(const struct Tenant *tenant, const char *text)
{
    const char *slash = strchr(tenant->name, '/');

    return slash && strcmp(tenant->name, tenant->cgroup.path) != 0 && strcmp(slash + 1, text) == 0;
}

static bool has_container_id(const struct Tenant *tenant, const char *text)
{
    size_t length = strlen(text);

    return length >= ID_PREFIX_MIN && tenant->container_id[0] != '\0' &&
           strncmp(tenant->container_id, text, length) == 0;
}

/* -ENOENT, REGISTRY_AMBIGUOUS, or 0 and the only one that it fits. */
static int find_only(const struct Registry *registry,
                     bool (*matches)(const struct Tenant *tenant, const char *text), const char *text,
                     struct Tenant **ret_tenant)
{
    struct Tenant *found = NULL;

    for (struct Tenant *tenant = registry->tenants; tenant; tenant = tenant->hh.next) {
        if (!matches(tenant, text))
            continue;
        if (found)
            return REGISTRY_AMBIGUOUS;
        found = tenant;
    }
    if (!found)
        return -ENOENT;
    *ret_tenant = found;
    return 0;
}

int registry_lookup(const struct Registry *registry, const char *text, struct Tenant **ret_tenant)
{
    static bool (*const ways[])(const struct Tenant *tenant, const char *text) = {
        is_named, has_path, is_unit, is_named_behind_slash, has_container_id,
    };
    int r = -ENOENT;

    if (text[0] == '/')
        return find_only(registry, has_path, text + strspn(text, "/"), ret_tenant);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]) && r == -ENOENT; i++)
        r = find_only(registry, ways[i], text, ret_tenant);
    return r;
}
