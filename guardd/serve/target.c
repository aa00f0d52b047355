/* See target.h. What an operator types was mostly read off a screen: a name with bytes that cannot be
 * shown stands there cleaned (wire/text.h), and is found by that, too. */
#include "serve/target.h"

#include <string.h>

#include "base/cleanup.h"
#include "serve/author.h"
#include "wire/interface.h"
#include "wire/text.h"

#define CANDIDATES_MAX 32
#define ID_START_MIN 4 /* as registry_lookup() has it */

static bool is_shown_as(const char *raw, const char *text)
{
    _cleanup_free_ char *clean = wire_text_clean(raw);

    return clean && strcmp(clean, text) == 0;
}

static int find_shown(const struct Registry *registry, const char *text, struct Tenant **ret_tenant)
{
    struct Tenant *tenant, *next, *found = NULL;

    if (!strstr(text, "\\x"))
        return -ENOENT;
    HASH_ITER (hh, registry->tenants, tenant, next) {
        if (!is_shown_as(tenant->name, text) && !is_shown_as(tenant->cgroup.path, text))
            continue;
        if (found)
            return REGISTRY_AMBIGUOUS;
        found = tenant;
    }
    *ret_tenant = found;
    return found ? 0 : -ENOENT;
}

/* Could `text` mean this one? Only asked once several could; registry_lookup() knows the order of the ways.
 */
static bool is_candidate(const struct Tenant *tenant, const char *text)
{
    const char *slash = strchr(tenant->name, '/');
    size_t length = strlen(text);

    return is_shown_as(tenant->name, text) || (slash && strcmp(slash + 1, text) == 0) ||
           (length >= ID_START_MIN && strncmp(tenant->container_id, text, length) == 0) ||
           (tenant->cgroup.unit && strcmp(tenant->cgroup.unit, text) == 0) ||
           is_shown_as(tenant->cgroup.path, text);
}

/* A name that is the text itself tells nothing apart; the path does. */
static const char *candidate_name(const struct Tenant *tenant, const char *text)
{
    return strcmp(tenant->name, text) == 0 ? tenant->cgroup.path : tenant->name;
}

static int answer_ambiguous(struct ServicePeer *peer, const char *text)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *list = NULL;
    struct Tenant *tenant, *next;
    char message[REASON_MAX];
    int r = sd_json_variant_new_array(&list, NULL, 0);

    HASH_ITER (hh, peer->service->view.registry->tenants, tenant, next) {
        if (r >= 0 && sd_json_variant_elements(list) < CANDIDATES_MAX && is_candidate(tenant, text))
            r = sd_json_variant_append_arrayb(&list, WIRE_BUILD_TEXT(candidate_name(tenant, text)));
    }
    if (r < 0)
        return r;
    snprintf(message, sizeof(message), "'%s' could be several tenants", text);
    return sd_varlink_errorbo(peer->link, WIRE_ERROR_AMBIGUOUS, WIRE_PAIR_TEXT("message", message),
                              SD_JSON_BUILD_PAIR_VARIANT("candidates", list));
}

/* 0; else the peer was answered. */
static int find_named(struct ServicePeer *peer, const char *text, struct Tenant **ret_tenant)
{
    const struct Registry *registry = peer->service->view.registry;
    char message[REASON_MAX];
    int r = registry_lookup(registry, text, ret_tenant);

    if (r == -ENOENT)
        r = find_shown(registry, text, ret_tenant);
    if (r == REGISTRY_AMBIGUOUS)
        return answer_ambiguous(peer, text);
    if (r != -ENOENT)
        return r;
    snprintf(message, sizeof(message), "there is no tenant '%s'", text);
    return sd_varlink_errorbo(peer->link, WIRE_ERROR_NO_SUCH_TENANT, WIRE_PAIR_TEXT("message", message));
}

int target_find(struct ServicePeer *peer, enum Right wanted, sd_json_variant *parameters,
                const sd_json_dispatch_field *fields, struct Target *target)
{
    static const sd_json_dispatch_field only_tenant[] = {TARGET_FIELD, {}};
    int r = peer_demand(peer, wanted);

    if (r == 0)
        r = sd_varlink_dispatch(peer->link, parameters, fields ? fields : only_tenant, target);
    if (r == 0)
        r = find_named(peer, target->name, &target->tenant);
    if (r == 0)
        r = sd_varlink_get_peer_uid(peer->link, &target->uid);
    if (r == 0 && wanted == RIGHT_CHANGE)
        author_of_peer(peer->service->passwd_file, peer->link, &target->author);
    return r;
}
