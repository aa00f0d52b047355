/* One file a tenant in each of the two directories, named by the tenant's escaped name: docker%2Fweb.json
 *
 *   {"tenant": "docker/web", "uid": 1000, "realtimeUSec": 1763773500000000,
 *    "limits": {"DiskSpaceMax": 21474836480, "DiskInodesMax": "infinity"}}
 *
 * The true name stands inside, escaped too: the file's name is cut where it would be too long. Limits are
 * named by their directives. What is in memory is what is on disk: files first, and memory follows when
 * that has succeeded, with nothing left that could fail. */
#define HASH_NONFATAL_OOM 1 /* a failed add leaves hh.tbl NULL; looked at after each one */

#include "record/override.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "model/tenant.h"
#include "record/store.h"

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)
#define INFINITY_TEXT "infinity"

/* --- in memory ------------------------------------------------------------------------------------ */

static void override_free(struct Override *override)
{
    if (!override)
        return;
    free(override->tenant);
    free(override);
}

static struct Override *find(const struct Overrides *overrides, const char *tenant)
{
    struct Override *override;

    HASH_FIND_STR(overrides->list, tenant, override);
    return override;
}

const struct Override *override_find(const struct Overrides *overrides, const char *tenant)
{
    return find(overrides, tenant);
}

static void forget(struct Overrides *overrides, struct Override *override)
{
    HASH_DEL(overrides->list, override);
    override_free(override);
}

/* An empty one where there is none yet. */
static struct Override *find_or_add(struct Overrides *overrides, const char *tenant)
{
    struct Override *override = find(overrides, tenant);

    if (override)
        return override;
    override = calloc(1, sizeof(*override));
    if (!override)
        return NULL;
    override->tenant = strdup(tenant);
    if (override->tenant)
        HASH_ADD_KEYPTR(hh, overrides->list, override->tenant, strlen(override->tenant), override);
    if (!override->hh.tbl) {
        override_free(override);
        return NULL;
    }
    return override;
}

static bool any_set(const struct Limits *limits)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        if (limits->set[i])
            return true;
    return false;
}

/* `from` over `to`. */
static void put_over(struct Limits *to, const struct Limits *from)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        if (from->set[i]) {
            to->set[i] = true;
            to->value[i] = from->value[i];
        }
}

static void take_out(struct Limits *from, const struct Limits *named)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        if (!named || named->set[i]) {
            from->set[i] = false;
            from->value[i] = 0;
        }
}

static bool same_limits(const struct Limits *a, const struct Limits *b)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        if (a->set[i] != b->set[i] || (a->set[i] && a->value[i] != b->value[i]))
            return false;
    return true;
}

void override_limits(const struct Overrides *overrides, const char *tenant, struct Limits *ret)
{
    const struct Override *override = find(overrides, tenant);

    *ret = (struct Limits){0};
    if (!override)
        return;
    put_over(ret, &override->persistent);
    put_over(ret, &override->runtime);
}

/* --- to disk -------------------------------------------------------------------------------------- */

static int limits_to_json(const struct Limits *limits, sd_json_variant **ret)
{
    _cleanup_json_ sd_json_variant *object = NULL;
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < LIMIT_COUNT; i++) {
        const char *directive = limit_info((enum LimitId)i)->directive;

        if (!limits->set[i])
            continue;
        if (limits->value[i] == LIMIT_INFINITY)
            r = sd_json_variant_set_field_string(&object, directive, INFINITY_TEXT);
        else
            r = sd_json_variant_set_field_unsigned(&object, directive, limits->value[i]);
    }
    if (r >= 0)
        *ret = take_ptr(object);
    return r;
}

/* Without limits there is no file. */
static int write_limits(int dir_fd, const char *tenant, const struct Limits *limits, uid_t uid,
                        usec_t realtime_usec)
{
    _cleanup_json_ sd_json_variant *object = NULL, *json = NULL;
    _cleanup_free_ char *escaped = NULL;
    char name[STORE_NAME_MAX];
    int r;

    store_file_name(tenant, name);
    if (!any_set(limits))
        return store_remove(dir_fd, name, true);
    escaped = store_escape(tenant);
    if (!escaped)
        return -ENOMEM;
    r = limits_to_json(limits, &object);
    if (r < 0)
        return r;
    r = sd_json_buildo(&json, SD_JSON_BUILD_PAIR_STRING("tenant", escaped),
                       SD_JSON_BUILD_PAIR_UNSIGNED("uid", uid),
                       SD_JSON_BUILD_PAIR_UNSIGNED("realtimeUSec", realtime_usec),
                       SD_JSON_BUILD_PAIR_VARIANT("limits", object));
    return r < 0 ? r : store_write(dir_fd, name, json, true);
}

/* --- from disk ------------------------------------------------------------------------------------ */

struct OverrideFile {
    const char *tenant;
    uid_t uid;
    uint64_t realtime_usec;
    sd_json_variant *limits;
};

static const sd_json_dispatch_field override_fields[] = {
    {"tenant", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, offsetof(struct OverrideFile, tenant),
     SD_JSON_MANDATORY},
    {"uid", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint32, offsetof(struct OverrideFile, uid),
     SD_JSON_MANDATORY},
    {"realtimeUSec", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint64,
     offsetof(struct OverrideFile, realtime_usec), SD_JSON_MANDATORY},
    {"limits", SD_JSON_VARIANT_OBJECT, sd_json_dispatch_variant_noref, offsetof(struct OverrideFile, limits),
     SD_JSON_MANDATORY},
    {0},
};

/* Limits that this guardd does not know are passed over: an older one may read what a newer one wrote. */
static bool limits_from_json(sd_json_variant *object, struct Limits *ret)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        sd_json_variant *value = sd_json_variant_by_key(object, limit_info((enum LimitId)i)->directive);

        if (!value)
            continue;
        if (sd_json_variant_is_unsigned(value))
            ret->value[i] = sd_json_variant_unsigned(value);
        else if (sd_json_variant_is_string(value) &&
                 strcmp(sd_json_variant_string(value), INFINITY_TEXT) == 0)
            ret->value[i] = LIMIT_INFINITY;
        else
            return false;
        ret->set[i] = true;
    }
    return true;
}

struct Reading {
    struct Overrides *overrides;
    bool runtime;
};

/* A file whose name is not its tenant's: not written by guardd. */
static int override_read(void *userdata, const char *name, sd_json_variant *object)
{
    const struct Reading *reading = userdata;
    _cleanup_free_ char *tenant = NULL;
    struct OverrideFile file = {0};
    struct Limits limits = {0};
    struct Override *override;
    char expected[STORE_NAME_MAX];
    int r = sd_json_dispatch(object, override_fields, SD_JSON_ALLOW_EXTENSIONS, &file);

    if (r < 0)
        return r == -ENOMEM ? r : STORE_DAMAGED;
    tenant = store_unescape(file.tenant);
    if (!tenant)
        return errno == ENOMEM ? -ENOMEM : STORE_DAMAGED;
    if (!tenant[0] || strlen(tenant) >= TENANT_NAME_MAX ||
        strcmp(name, store_file_name(tenant, expected)) != 0 || !limits_from_json(file.limits, &limits))
        return STORE_DAMAGED;
    if (!any_set(&limits))
        return 0;
    override = find_or_add(reading->overrides, tenant);
    if (!override)
        return -ENOMEM;
    *(reading->runtime ? &override->runtime : &override->persistent) = limits;
    if (file.realtime_usec >= override->realtime_usec) {
        override->uid = file.uid;
        override->realtime_usec = file.realtime_usec;
    }
    return 0;
}

static int open_one(struct Overrides *overrides, const char *parent, bool runtime)
{
    struct Reading reading = {.overrides = overrides, .runtime = runtime};
    size_t damaged = 0;
    int fd = store_open(parent, "overrides"), r;

    *(runtime ? &overrides->runtime_fd : &overrides->state_fd) = fd;
    if (fd < 0)
        return 0;
    r = store_read(fd, override_read, &reading, &damaged);
    overrides->damaged += damaged;
    return r;
}

int overrides_open(struct Overrides *overrides, const char *state_dir, const char *runtime_dir)
{
    int r;

    *overrides = (struct Overrides){.state_fd = -EBADF, .runtime_fd = -EBADF};
    r = open_one(overrides, state_dir, false);
    if (r >= 0)
        r = open_one(overrides, runtime_dir, true);
    if (r < 0)
        overrides_close(overrides);
    return r;
}

void overrides_close(struct Overrides *overrides)
{
    struct Override *override, *next;

    HASH_ITER (hh, overrides->list, override, next)
        forget(overrides, override);
    fd_close(overrides->state_fd);
    fd_close(overrides->runtime_fd);
    *overrides = (struct Overrides){.state_fd = -EBADF, .runtime_fd = -EBADF};
}

/* --- setting and taking back ---------------------------------------------------------------------- */

/* Names that are cut may come to one file: the one that was there first keeps it. */
static bool file_is_taken(const struct Overrides *overrides, const char *tenant)
{
    char name[STORE_NAME_MAX], other[STORE_NAME_MAX];

    store_file_name(tenant, name);
    if (!strchr(name, '~')) /* not cut, hence its own */
        return false;
    for (const struct Override *p = overrides->list; p; p = p->hh.next)
        if (strcmp(store_file_name(p->tenant, other), name) == 0 && strcmp(p->tenant, tenant) != 0)
            return true;
    return false;
}

int override_set(struct Overrides *overrides, const char *tenant, const struct Limits *limits, bool runtime,
                 uid_t uid, usec_t realtime_usec)
{
    int fd = runtime ? overrides->runtime_fd : overrides->state_fd, r;
    struct Override *override;
    struct Limits *kept, wanted;

    if (!tenant[0] || strlen(tenant) >= TENANT_NAME_MAX || !any_set(limits))
        return -EINVAL;
    if (file_is_taken(overrides, tenant))
        return -EEXIST;
    override = find_or_add(overrides, tenant);
    if (!override)
        return -ENOMEM;
    kept = runtime ? &override->runtime : &override->persistent;
    wanted = *kept;
    put_over(&wanted, limits);
    r = write_limits(fd, tenant, &wanted, uid, realtime_usec);
    if (r < 0) {
        if (!any_set(&override->persistent) && !any_set(&override->runtime))
            forget(overrides, override);
        return r;
    }
    *kept = wanted;
    override->uid = uid;
    override->realtime_usec = realtime_usec;
    return 0;
}

static int reset_write(int dir_fd, const struct Override *override, const struct Limits *old,
                       const struct Limits *wanted)
{
    if (same_limits(old, wanted))
        return 0;
    return write_limits(dir_fd, override->tenant, wanted, override->uid, override->realtime_usec);
}

int override_reset(struct Overrides *overrides, const char *tenant, const struct Limits *limits)
{
    struct Override *override = find(overrides, tenant);
    struct Limits persistent, runtime;
    int r;

    if (!override)
        return 0;
    persistent = override->persistent;
    runtime = override->runtime;
    take_out(&persistent, limits);
    take_out(&runtime, limits);
    r = reset_write(overrides->state_fd, override, &override->persistent, &persistent);
    if (r < 0)
        return r;
    r = reset_write(overrides->runtime_fd, override, &override->runtime, &runtime);
    if (r < 0) {
        (void)reset_write(overrides->state_fd, override, &persistent, &override->persistent);
        return r;
    }
    override->persistent = persistent;
    override->runtime = runtime;
    if (!any_set(&persistent) && !any_set(&runtime))
        forget(overrides, override);
    return 0;
}
