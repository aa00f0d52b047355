/* A file of STATE/exemptions, docker%2Fweb.json:
 *
 *   {"tenant": "docker/web", "untilRealtimeUSec": 1763777100000000, "sinceRealtimeUSec": 1763773500000000,
 *    "uid": 1000, "pid": 4711, "user": "alice"}
 *
 * The true name stands inside, escaped, as the user's does: the file's name is cut where it would be too
 * long. */
#include "record/exemption.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/tenant.h"
#include "record/store.h"

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)

/* --- in memory ------------------------------------------------------------------------------------ */

static void forget(struct Exemptions *exemptions, struct ExemptName *name)
{
    struct ExemptName **at = &exemptions->list;

    while (*at != name)
        at = &(*at)->next;
    *at = name->next;
    free(name->tenant);
    free(name);
}

static struct ExemptName *find(const struct Exemptions *exemptions, const char *tenant)
{
    struct ExemptName *name = exemptions->list;

    while (name && strcmp(name->tenant, tenant) != 0)
        name = name->next;
    return name;
}

const struct Exemption *exemption_find(const struct Exemptions *exemptions, const char *tenant)
{
    const struct ExemptName *name = find(exemptions, tenant);

    return name ? &name->exemption : NULL;
}

static struct ExemptName *find_or_add(struct Exemptions *exemptions, const char *tenant)
{
    struct ExemptName *name = find(exemptions, tenant);

    if (name)
        return name;
    name = calloc(1, sizeof(*name));
    if (!name)
        return NULL;
    name->tenant = strdup(tenant);
    if (!name->tenant) {
        free(name);
        return NULL;
    }
    name->next = exemptions->list;
    exemptions->list = name;
    return name;
}

usec_t exemptions_due_usec(const struct Exemptions *exemptions)
{
    usec_t due = USEC_INFINITY;

    for (const struct ExemptName *name = exemptions->list; name; name = name->next)
        due = usec_min(due, name->exemption.until_realtime_usec);
    return due;
}

const struct ExemptName *exemption_ended(const struct Exemptions *exemptions, usec_t realtime_usec)
{
    for (const struct ExemptName *name = exemptions->list; name; name = name->next)
        if (name->exemption.until_realtime_usec <= realtime_usec)
            return name;
    return NULL;
}

/* --- on disk -------------------------------------------------------------------------------------- */

struct ExemptionFile {
    const char *tenant, *user;
    struct Exemption exemption;
};

static const sd_json_dispatch_field file_fields[] = {
    {"tenant", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, offsetof(struct ExemptionFile, tenant),
     SD_JSON_MANDATORY},
    {"untilRealtimeUSec", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint64,
     offsetof(struct ExemptionFile, exemption.until_realtime_usec), SD_JSON_MANDATORY},
    {"sinceRealtimeUSec", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint64,
     offsetof(struct ExemptionFile, exemption.since_realtime_usec), SD_JSON_MANDATORY},
    {"uid", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint32,
     offsetof(struct ExemptionFile, exemption.by.uid), SD_JSON_MANDATORY},
    {"pid", SD_JSON_VARIANT_INTEGER, sd_json_dispatch_int32, offsetof(struct ExemptionFile, exemption.by.pid),
     0},
    {"user", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, offsetof(struct ExemptionFile, user), 0},
    {0},
};

/* A file whose name is not its tenant's: not written by guardd. */
static int read_file(void *userdata, const char *name, sd_json_variant *object)
{
    struct Exemptions *exemptions = userdata;
    _cleanup_free_ char *tenant = NULL, *user = NULL;
    struct ExemptionFile file = {0};
    struct ExemptName *exempt;
    char expected[STORE_NAME_MAX];
    int r = sd_json_dispatch(object, file_fields, SD_JSON_ALLOW_EXTENSIONS, &file);

    if (r < 0)
        return r == -ENOMEM ? r : STORE_DAMAGED;
    tenant = store_unescape(file.tenant);
    user = tenant ? store_unescape(file.user ? file.user : "") : NULL;
    if (!user)
        return errno == ENOMEM ? -ENOMEM : STORE_DAMAGED;
    if (!tenant[0] || strlen(tenant) >= TENANT_NAME_MAX || file.exemption.until_realtime_usec == 0 ||
        strcmp(name, store_file_name(tenant, expected)) != 0)
        return STORE_DAMAGED;
    exempt = find_or_add(exemptions, tenant);
    if (!exempt)
        return -ENOMEM;
    snprintf(file.exemption.by.name, sizeof(file.exemption.by.name), "%s", user);
    exempt->exemption = file.exemption;
    return 0;
}

int exemptions_open(struct Exemptions *exemptions, const char *state_dir)
{
    int r;

    *exemptions = (struct Exemptions){.fd = store_open(state_dir, "exemptions")};
    if (exemptions->fd < 0)
        return 0;
    r = store_read(exemptions->fd, read_file, exemptions, &exemptions->damaged);
    if (r < 0)
        exemptions_close(exemptions);
    return r;
}

void exemptions_close(struct Exemptions *exemptions)
{
    while (exemptions->list)
        forget(exemptions, exemptions->list);
    fd_close(exemptions->fd);
    *exemptions = (struct Exemptions){.fd = -EBADF};
}

static int write_file(int dir_fd, const char *tenant, const struct Exemption *exemption)
{
    _cleanup_json_ sd_json_variant *json = NULL;
    _cleanup_free_ char *escaped = store_escape(tenant), *user = store_escape(exemption->by.name);
    char name[STORE_NAME_MAX];
    int r;

    if (!escaped || !user)
        return -ENOMEM;
    r = sd_json_buildo(&json, SD_JSON_BUILD_PAIR_STRING("tenant", escaped),
                       SD_JSON_BUILD_PAIR_UNSIGNED("untilRealtimeUSec", exemption->until_realtime_usec),
                       SD_JSON_BUILD_PAIR_UNSIGNED("sinceRealtimeUSec", exemption->since_realtime_usec),
                       SD_JSON_BUILD_PAIR_UNSIGNED("uid", exemption->by.uid),
                       SD_JSON_BUILD_PAIR_INTEGER("pid", exemption->by.pid),
                       SD_JSON_BUILD_PAIR_STRING("user", user));
    return r < 0 ? r : store_write(dir_fd, store_file_name(tenant, name), json, true);
}

/* Names that are cut may come to one file: the one that was there first keeps it. */
static bool file_is_taken(const struct Exemptions *exemptions, const char *tenant)
{
    char name[STORE_NAME_MAX], other[STORE_NAME_MAX];

    store_file_name(tenant, name);
    for (const struct ExemptName *p = exemptions->list; p; p = p->next)
        if (strcmp(store_file_name(p->tenant, other), name) == 0 && strcmp(p->tenant, tenant) != 0)
            return true;
    return false;
}

int exemption_set(struct Exemptions *exemptions, const char *tenant, const struct Exemption *exemption)
{
    bool was_there = find(exemptions, tenant);
    struct ExemptName *name;
    int r;

    if (!tenant[0] || strlen(tenant) >= TENANT_NAME_MAX || exemption->until_realtime_usec == 0)
        return -EINVAL;
    if (file_is_taken(exemptions, tenant))
        return -EEXIST;
    name = find_or_add(exemptions, tenant);
    if (!name)
        return -ENOMEM;
    r = write_file(exemptions->fd, tenant, exemption);
    if (r < 0 && !was_there)
        forget(exemptions, name);
    if (r < 0)
        return r;
    name->exemption = *exemption;
    return 0;
}

int exemption_remove(struct Exemptions *exemptions, const char *tenant)
{
    struct ExemptName *name = find(exemptions, tenant);
    char file[STORE_NAME_MAX];
    int r;

    if (!name)
        return 0;
    r = store_remove(exemptions->fd, store_file_name(tenant, file), true);
    forget(exemptions, name);
    return r;
}
