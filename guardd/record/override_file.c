/* See override_file.h. */
#include "record/override_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/tenant.h"
#include "record/store.h"

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)
#define INFINITY_TEXT "infinity"
/* No clock and no counting comes so far. Behind a higher one there might be none that is higher still. */
#define VERSION_MAX INT64_MAX
#define PAIR_ESCAPED_IF_ANY(name, text)                                                                      \
    SD_JSON_BUILD_PAIR_CONDITION((text)[0] != '\0', name, SD_JSON_BUILD_STRING(text))

/* --- to disk -------------------------------------------------------------------------------------- */

static int entry_to_json(const struct OverrideEntry *entry, sd_json_variant **ret)
{
    _cleanup_free_ char *name = store_escape(entry->author.name);
    _cleanup_free_ char *command = store_escape(entry->author.command);
    bool infinite = entry->value == LIMIT_INFINITY, timed = override_is_timed(entry->layer);

    if (!name || !command)
        return -ENOMEM;
    return sd_json_buildo(
        ret, SD_JSON_BUILD_PAIR_STRING("limit", limit_info(entry->limit)->directive),
        SD_JSON_BUILD_PAIR_CONDITION(infinite, "value", SD_JSON_BUILD_STRING(INFINITY_TEXT)),
        SD_JSON_BUILD_PAIR_CONDITION(!infinite, "value", SD_JSON_BUILD_UNSIGNED(entry->value)),
        SD_JSON_BUILD_PAIR_UNSIGNED("uid", entry->author.uid), PAIR_ESCAPED_IF_ANY("name", name),
        SD_JSON_BUILD_PAIR_CONDITION(entry->author.pid > 0, "pid", SD_JSON_BUILD_INTEGER(entry->author.pid)),
        PAIR_ESCAPED_IF_ANY("command", command),
        SD_JSON_BUILD_PAIR_UNSIGNED("realtimeUSec", entry->set_realtime_usec),
        SD_JSON_BUILD_PAIR_CONDITION(timed, "untilRealtimeUSec",
                                     SD_JSON_BUILD_UNSIGNED(entry->until_realtime_usec)));
}

static int change_to_json(const struct OverrideChange *change, sd_json_variant **ret)
{
    _cleanup_free_ char *name = store_escape(change->name), *what = store_escape(change->what);

    if (!name || !what)
        return -ENOMEM;
    return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_UNSIGNED("version", change->version),
                          SD_JSON_BUILD_PAIR_UNSIGNED("realtimeUSec", change->realtime_usec),
                          SD_JSON_BUILD_PAIR_UNSIGNED("uid", change->uid), PAIR_ESCAPED_IF_ANY("name", name),
                          SD_JSON_BUILD_PAIR_STRING("what", what));
}

static int append(sd_json_variant **list, int r, sd_json_variant *element)
{
    if (r >= 0)
        r = sd_json_variant_append_array(list, element);
    sd_json_variant_unref(element);
    return r;
}

/* NULL when there is none. */
static int entries_to_json(bool runtime, const struct OverrideEntry *entries, size_t n, sd_json_variant **ret)
{
    int r = 0;

    for (size_t i = 0; i < n && r >= 0; i++) {
        sd_json_variant *element = NULL;

        if (override_is_runtime(entries[i].layer) != runtime)
            continue;
        r = entry_to_json(&entries[i], &element);
        r = append(ret, r, element);
    }
    return r;
}

static int changes_to_json(const struct Override *override, sd_json_variant **ret)
{
    int r = sd_json_variant_new_array(ret, NULL, 0);

    for (size_t i = 0; i < override->n_changes && r >= 0; i++) {
        sd_json_variant *element = NULL;

        r = change_to_json(&override->changes[i], &element);
        r = append(ret, r, element);
    }
    return r;
}

int override_file_write(int dir_fd, bool runtime, const struct Override *override,
                        const struct OverrideEntry *entries, size_t n)
{
    _cleanup_json_ sd_json_variant *list = NULL, *changes = NULL, *json = NULL;
    _cleanup_free_ char *escaped = store_escape(override->tenant);
    char name[STORE_NAME_MAX];
    int r = escaped ? entries_to_json(runtime, entries, n, &list) : -ENOMEM;

    store_file_name(override->tenant, name);
    if (r >= 0 && !list)
        return store_remove(dir_fd, name, true);
    if (r >= 0)
        r = changes_to_json(override, &changes);
    if (r >= 0)
        r = sd_json_buildo(&json, SD_JSON_BUILD_PAIR_STRING("tenant", escaped),
                           SD_JSON_BUILD_PAIR_UNSIGNED("version", override->version),
                           SD_JSON_BUILD_PAIR_VARIANT("overrides", list),
                           SD_JSON_BUILD_PAIR_VARIANT("changes", changes));
    return r < 0 ? r : store_write(dir_fd, name, json, true);
}

/* --- from disk ------------------------------------------------------------------------------------ */

/* What stands in a file, entry and change, before it is believed. */
struct File {
    const char *tenant;
    uint64_t version;
    sd_json_variant *overrides, *changes;
    uid_t uid; /* of older ones */
    uint64_t realtime_usec;
    sd_json_variant *limits;
};

struct FileEntry {
    const char *limit, *name, *command;
    sd_json_variant *value;
    uid_t uid;
    int pid;
    uint64_t realtime_usec, until_usec;
};

struct FileChange {
    const char *name, *what;
    uint64_t version, realtime_usec;
    uid_t uid;
};

static const sd_json_dispatch_field file_fields[] = {
    {"tenant", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, offsetof(struct File, tenant),
     SD_JSON_MANDATORY},
    {"version", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint64, offsetof(struct File, version), 0},
    {"overrides", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_variant_noref, offsetof(struct File, overrides), 0},
    {"changes", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_variant_noref, offsetof(struct File, changes), 0},
    {"uid", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint32, offsetof(struct File, uid), 0},
    {"realtimeUSec", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint64, offsetof(struct File, realtime_usec),
     0},
    {"limits", SD_JSON_VARIANT_OBJECT, sd_json_dispatch_variant_noref, offsetof(struct File, limits), 0},
    {},
};

static const sd_json_dispatch_field entry_fields[] = {
    {"limit", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, offsetof(struct FileEntry, limit),
     SD_JSON_MANDATORY},
    {"value", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_variant_noref,
     offsetof(struct FileEntry, value), SD_JSON_MANDATORY},
    {"uid", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint32, offsetof(struct FileEntry, uid),
     SD_JSON_MANDATORY},
    {"name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, offsetof(struct FileEntry, name), 0},
    {"pid", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_int, offsetof(struct FileEntry, pid), 0},
    {"command", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, offsetof(struct FileEntry, command),
     0},
    {"realtimeUSec", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint64,
     offsetof(struct FileEntry, realtime_usec), SD_JSON_MANDATORY},
    {"untilRealtimeUSec", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint64,
     offsetof(struct FileEntry, until_usec), 0},
    {},
};

static const sd_json_dispatch_field change_fields[] = {
    {"version", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint64, offsetof(struct FileChange, version),
     SD_JSON_MANDATORY},
    {"realtimeUSec", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint64,
     offsetof(struct FileChange, realtime_usec), SD_JSON_MANDATORY},
    {"uid", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint32, offsetof(struct FileChange, uid),
     SD_JSON_MANDATORY},
    {"name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, offsetof(struct FileChange, name), 0},
    {"what", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, offsetof(struct FileChange, what),
     SD_JSON_MANDATORY},
    {},
};

/* What is no memory is damage: of a file there is nothing else that could be wrong. */
static int dispatch(sd_json_variant *object, const sd_json_dispatch_field *fields, void *ret)
{
    int r = sd_json_dispatch(object, fields, SD_JSON_ALLOW_EXTENSIONS, ret);

    return r >= 0 ? 0 : r == -ENOMEM ? r : STORE_DAMAGED;
}

/* An escaped text into a room of `size` bytes. */
static int take_text(const char *text, char *buf, size_t size)
{
    _cleanup_free_ char *plain = store_unescape(text ? text : "");

    if (!plain)
        return errno == ENOMEM ? -ENOMEM : STORE_DAMAGED;
    snprintf(buf, size, "%s", plain);
    return 0;
}

static int take_value(sd_json_variant *value, uint64_t *ret)
{
    if (sd_json_variant_is_unsigned(value))
        *ret = sd_json_variant_unsigned(value);
    else if (sd_json_variant_is_string(value) && strcmp(sd_json_variant_string(value), INFINITY_TEXT) == 0)
        *ret = LIMIT_INFINITY;
    else
        return STORE_DAMAGED;
    return 0;
}

static int entry_from_json(sd_json_variant *object, bool runtime, struct OverrideEntry *ret)
{
    struct FileEntry file = {.until_usec = USEC_INFINITY};
    int r = dispatch(object, entry_fields, &file);
    bool timed = file.until_usec != USEC_INFINITY;

    if (r != 0)
        return r;
    *ret = (struct OverrideEntry){.limit = limit_from_directive(file.limit),
                                  .layer = timed ? (runtime ? OVERRIDE_TIMED_RUNTIME : OVERRIDE_TIMED)
                                                 : (runtime ? OVERRIDE_RUNTIME : OVERRIDE_PERSISTENT),
                                  .author = {.uid = file.uid, .pid = file.pid},
                                  .set_realtime_usec = file.realtime_usec,
                                  .until_realtime_usec = file.until_usec};
    if (ret->limit != LIMIT_INVALID) /* of one that is not known the value may be anything */
        r = take_value(file.value, &ret->value);
    if (r == 0)
        r = take_text(file.name, ret->author.name, sizeof(ret->author.name));
    if (r == 0)
        r = take_text(file.command, ret->author.command, sizeof(ret->author.command));
    return r;
}

static bool is_doubled(const struct Override *override, const struct OverrideEntry *entry)
{
    for (size_t i = 0; i < override->n; i++)
        if (override->entries[i].limit == entry->limit && override->entries[i].layer == entry->layer)
            return true;
    return false;
}

static int entries_from_json(sd_json_variant *list, bool runtime, struct Override *ret)
{
    size_t n = sd_json_variant_elements(list);
    int r = 0;

    ret->entries = calloc(n + 1, sizeof(*ret->entries));
    if (!ret->entries)
        return -ENOMEM;
    for (size_t i = 0; i < n && r == 0; i++) {
        struct OverrideEntry *entry = &ret->entries[ret->n];

        r = entry_from_json(sd_json_variant_by_index(list, i), runtime, entry);
        if (r != 0 || entry->limit == LIMIT_INVALID)
            continue;
        if (is_doubled(ret, entry))
            r = STORE_DAMAGED;
        else
            ret->n++;
    }
    return r;
}

static int limits_from_json(const struct File *file, bool runtime, struct Override *ret)
{
    int r = 0;

    ret->entries = calloc(LIMIT_COUNT, sizeof(*ret->entries));
    if (!ret->entries)
        return -ENOMEM;
    for (int i = 0; i < LIMIT_COUNT && r == 0; i++) {
        sd_json_variant *value = sd_json_variant_by_key(file->limits, limit_info(i)->directive);
        struct OverrideEntry *entry = &ret->entries[ret->n];

        if (!value)
            continue;
        *entry = (struct OverrideEntry){.limit = i,
                                        .layer = runtime ? OVERRIDE_RUNTIME : OVERRIDE_PERSISTENT,
                                        .author = {.uid = file->uid},
                                        .set_realtime_usec = file->realtime_usec,
                                        .until_realtime_usec = USEC_INFINITY};
        r = take_value(value, &entry->value);
        ret->n++;
    }
    return r;
}

static int changes_from_json(sd_json_variant *list, struct Override *ret)
{
    size_t n = list ? sd_json_variant_elements(list) : 0;
    int r = 0;

    for (size_t i = 0; i < n && i < OVERRIDE_CHANGES_MAX && r == 0; i++) {
        struct OverrideChange *change = &ret->changes[i];
        struct FileChange file = {};

        r = dispatch(sd_json_variant_by_index(list, i), change_fields, &file);
        if (r == 0)
            r = take_text(file.name, change->name, sizeof(change->name));
        if (r == 0)
            r = take_text(file.what, change->what, sizeof(change->what));
        change->version = file.version;
        change->realtime_usec = file.realtime_usec;
        change->uid = file.uid;
        ret->n_changes += r == 0;
    }
    return r;
}

/* A file whose name is not its tenant's is not guardd's. */
static int take_tenant(const char *name, const char *escaped, struct Override *ret)
{
    char expected[STORE_NAME_MAX];

    ret->tenant = store_unescape(escaped);
    if (!ret->tenant)
        return errno == ENOMEM ? -ENOMEM : STORE_DAMAGED;
    if (!ret->tenant[0] || strlen(ret->tenant) >= TENANT_NAME_MAX ||
        strcmp(name, store_file_name(ret->tenant, expected)) != 0)
        return STORE_DAMAGED;
    return 0;
}

int override_file_read(const char *name, sd_json_variant *object, bool runtime, struct Override *ret)
{
    struct File file = {};
    int r = dispatch(object, file_fields, &file);

    *ret = (struct Override){};
    if (r == 0)
        r = take_tenant(name, file.tenant, ret);
    if (r == 0 && ((!file.overrides && !file.limits) || file.version > VERSION_MAX))
        r = STORE_DAMAGED;
    if (r == 0)
        r = file.overrides ? entries_from_json(file.overrides, runtime, ret)
                           : limits_from_json(&file, runtime, ret);
    if (r == 0)
        r = changes_from_json(file.changes, ret);
    /* An older file has none: the time it was written serves as well. */
    ret->version = file.version > 0 ? file.version : file.realtime_usec / USEC_PER_MSEC;
    if (r == 0)
        return 0;
    free(ret->tenant);
    free(ret->entries);
    *ret = (struct Override){};
    return r;
}
