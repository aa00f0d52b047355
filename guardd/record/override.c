/* What is in memory is what is on disk: files first, and memory follows when that has succeeded, with nothing
 * left that could fail. There are two exceptions, an end and a restore: both hold in any case, and files that
 * could not be written are tried again. */
#define HASH_NONFATAL_OOM 1 /* a failed add leaves hh.tbl NULL; looked at after each one */

#include "record/override.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "model/tenant.h"
#include "record/override_file.h"
#include "record/store.h"

#define RETRY_USEC (30 * USEC_PER_SEC)

/* --- in memory ------------------------------------------------------------------------------------ */

static void override_free(struct Override *override)
{
    if (!override)
        return;
    override_done(override);
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
    const struct Override *override = find(overrides, tenant);

    return override && override->n > 0 ? override : NULL;
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

void override_limits(const struct Overrides *overrides, const char *tenant, struct Limits *ret)
{
    const struct Override *override = find(overrides, tenant);

    *ret = (struct Limits){};
    for (int i = 0; i < LIMIT_COUNT; i++) {
        const struct OverrideEntry *top = override_topmost(override, i);

        ret->set[i] = top != NULL;
        ret->value[i] = top ? top->value : 0;
    }
}

/* --- files ---------------------------------------------------------------------------------------- */

static int directory(const struct Overrides *overrides, bool runtime)
{
    return runtime ? overrides->runtime_fd : overrides->state_fd;
}

static int write_one(const struct Overrides *overrides, struct Override *override, bool runtime,
                     const struct OverrideEntry *entries, size_t n)
{
    int r = override_file_write(directory(overrides, runtime), runtime, override, entries, n);

    if (r >= 0)
        override->unwritten &= ~(1u << runtime);
    return r;
}

static bool is_same_entry(const struct OverrideEntry *a, const struct OverrideEntry *b)
{
    return a->limit == b->limit && a->layer == b->layer && a->value == b->value &&
           a->set_realtime_usec == b->set_realtime_usec && a->until_realtime_usec == b->until_realtime_usec;
}

/* Each entry in this directory, and those in the other list. */
static bool is_within(const struct OverrideEntry *some, size_t n_some, const struct OverrideEntry *all,
                      size_t n_all, bool runtime)
{
    for (size_t i = 0; i < n_some; i++) {
        bool found = override_is_runtime(some[i].layer) != runtime;

        for (size_t k = 0; k < n_all && !found; k++)
            found = is_same_entry(&some[i], &all[k]);
        if (!found)
            return false;
    }
    return true;
}

static bool is_same_there(const struct Override *override, const struct OverrideEntry *entries, size_t n,
                          bool runtime)
{
    return is_within(override->entries, override->n, entries, n, runtime) &&
           is_within(entries, n, override->entries, override->n, runtime);
}

/* Both files, or none: what the first one had is put back when the second one fails. */
static int write_both(struct Overrides *overrides, struct Override *override,
                      const struct OverrideEntry *entries, size_t n)
{
    bool state = !is_same_there(override, entries, n, false);
    bool runtime = !is_same_there(override, entries, n, true);
    int r = state ? write_one(overrides, override, false, entries, n) : 0;

    if (r >= 0 && runtime) {
        r = write_one(overrides, override, true, entries, n);
        if (r < 0 && state && write_one(overrides, override, false, override->entries, override->n) < 0)
            override->unwritten |= 1u << false;
    }
    return r;
}

/* --- changes -------------------------------------------------------------------------------------- */

/* Entries as they are to be. */
struct Draft {
    struct OverrideEntry *list; /* owned */
    size_t n;
};

static void draft_done(struct Draft *draft)
{
    free(draft->list);
}
#define _cleanup_draft_ _cleanup_(draft_done)

/* Without what `goes`, and with room for more. */
static int draft_begin(struct Draft *draft, const struct Override *override,
                       bool (*goes)(const void *userdata, const struct OverrideEntry *entry),
                       const void *userdata)
{
    draft->list = calloc(override->n + LIMIT_COUNT, sizeof(*draft->list));
    draft->n = 0;
    if (!draft->list)
        return -ENOMEM;
    for (size_t i = 0; i < override->n; i++)
        if (!goes(userdata, &override->entries[i]))
            draft->list[draft->n++] = override->entries[i];
    return 0;
}

static void draft_take_over(struct Draft *draft, struct Override *override)
{
    free(override->entries);
    override->entries = take_ptr(draft->list);
    override->n = draft->n;
}

/* The newest first; the oldest is forgotten. */
static void note_change(struct Overrides *overrides, struct Override *override, const struct Author *author,
                        usec_t realtime_usec, const char *what)
{
    struct OverrideChange *change = override->changes;
    uint64_t version = usec_max(realtime_usec / USEC_PER_MSEC, overrides->last_version + 1);
    const size_t kept = OVERRIDE_CHANGES_MAX - 1;

    memmove(change + 1, change, kept * sizeof(*change));
    if (override->n_changes < OVERRIDE_CHANGES_MAX)
        override->n_changes++;
    *change = (struct OverrideChange){.version = version, .realtime_usec = realtime_usec, .uid = author->uid};
    snprintf(change->name, sizeof(change->name), "%s", author->name);
    snprintf(change->what, sizeof(change->what), "%s", what);
    override->version = overrides->last_version = version;
}

/* Files first; when one cannot be written all is as it was. */
static int commit(struct Overrides *overrides, struct Override *override, struct Draft *draft,
                  const struct Author *author, usec_t realtime_usec, const char *what)
{
    const struct Override before = *override;
    int r;

    note_change(overrides, override, author, realtime_usec, what);
    r = write_both(overrides, override, draft->list, draft->n);
    if (r < 0) {
        memcpy(override->changes, before.changes, sizeof(before.changes));
        override->n_changes = before.n_changes;
        override->version = before.version;
        if (override->n == 0 && override->version == 0)
            forget(overrides, override);
        return r;
    }
    draft_take_over(draft, override);
    return 0;
}

/* Names that are cut may come to one file: the one that was there first keeps it. */
static bool file_is_taken(const struct Overrides *overrides, const char *tenant)
{
    char name[STORE_NAME_MAX], other[STORE_NAME_MAX];

    store_file_name(tenant, name);
    if (!strchr(name, '~')) /* not cut, hence its own */
        return false;
    for (const struct Override *p = overrides->list; p; p = p->hh.next)
        if (p->n > 0 && strcmp(store_file_name(p->tenant, other), name) == 0 &&
            strcmp(p->tenant, tenant) != 0)
            return true;
    return false;
}

/* "TasksMax=300 MemoryMax=2G"; without values "TasksMax MemoryMax". Cut where there is no room. */
static void describe(const struct Limits *limits, bool values, char *buf, size_t size)
{
    char text[MEASURE_FORMAT_MAX];
    size_t used = 0;

    buf[0] = '\0';
    for (int i = 0; i < LIMIT_COUNT && used < size; i++)
        if (limits->set[i])
            used += (size_t)snprintf(buf + used, size - used, "%s%s%s%s", used > 0 ? " " : "",
                                     limit_info(i)->directive, values ? "=" : "",
                                     values ? limit_format(i, limits->value[i], text, sizeof(text)) : "");
}

/* --- setting and taking back ---------------------------------------------------------------------- */

struct Placing {
    const struct Limits *limits;
    enum OverrideLayer layer;
};

/* Of the same limits: what lies there, and above. */
static bool is_in_the_way(const void *userdata, const struct OverrideEntry *entry)
{
    const struct Placing *placing = userdata;

    return placing->limits->set[entry->limit] &&
           (entry->layer >= placing->layer ||
            (override_is_timed(entry->layer) && override_is_timed(placing->layer)));
}

static enum OverrideLayer layer_of(const struct OverrideWish *wish)
{
    if (wish->for_usec > 0)
        return wish->runtime ? OVERRIDE_TIMED_RUNTIME : OVERRIDE_TIMED;
    return wish->runtime ? OVERRIDE_RUNTIME : OVERRIDE_PERSISTENT;
}

static void place(struct Draft *draft, const struct Limits *limits, const struct OverrideWish *wish,
                  usec_t realtime_usec)
{
    for (int i = 0; i < LIMIT_COUNT; i++)
        if (limits->set[i])
            draft->list[draft->n++] = (struct OverrideEntry){
                .limit = i,
                .layer = layer_of(wish),
                .value = limits->value[i],
                .author = wish->author,
                .set_realtime_usec = realtime_usec,
                .until_realtime_usec =
                    wish->for_usec > 0 ? usec_add(realtime_usec, wish->for_usec) : USEC_INFINITY};
}

static bool any_set(const struct Limits *limits)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        if (limits->set[i])
            return true;
    return false;
}

static void describe_wish(const struct Limits *limits, const struct OverrideWish *wish, char *buf,
                          size_t size)
{
    char values[128], span[USEC_FORMAT_MAX];

    describe(limits, true, values, sizeof(values));
    snprintf(buf, size, "%s%s%s%s", values, wish->for_usec > 0 ? " for " : "",
             wish->for_usec > 0 ? usec_format(wish->for_usec, span, sizeof(span)) : "",
             wish->runtime ? " until the next boot" : "");
}

int override_set(struct Overrides *overrides, const char *tenant, const struct Limits *limits,
                 const struct OverrideWish *wish, usec_t realtime_usec)
{
    const struct Placing placing = {.limits = limits, .layer = layer_of(wish)};
    _cleanup_draft_ struct Draft draft = {};
    struct Override *override;
    char what[160];
    int r;

    if (!tenant[0] || strlen(tenant) >= TENANT_NAME_MAX || !any_set(limits))
        return -EINVAL;
    if (file_is_taken(overrides, tenant))
        return -EEXIST;
    override = find_or_add(overrides, tenant);
    r = override ? draft_begin(&draft, override, is_in_the_way, &placing) : -ENOMEM;
    if (r < 0)
        return r;
    place(&draft, limits, wish, realtime_usec);
    describe_wish(limits, wish, what, sizeof(what));
    return commit(overrides, override, &draft, &wish->author, realtime_usec, what);
}

static bool is_named(const void *userdata, const struct OverrideEntry *entry)
{
    const struct Limits *limits = userdata;

    return !limits || limits->set[entry->limit];
}

int override_reset(struct Overrides *overrides, const char *tenant, const struct Limits *limits,
                   const struct Author *author, usec_t realtime_usec)
{
    struct Override *override = find(overrides, tenant);
    _cleanup_draft_ struct Draft draft = {};
    char what[160] = "all of it", names[140];
    int r;

    r = override ? draft_begin(&draft, override, is_named, limits) : 0;
    if (r < 0 || !override || draft.n == override->n)
        return r;
    if (limits)
        describe(limits, false, what, sizeof(what));
    snprintf(names, sizeof(names), "%.130s", what);
    snprintf(what, sizeof(what), "reset %s", names);
    return commit(overrides, override, &draft, author, realtime_usec, what);
}

/* --- versions ------------------------------------------------------------------------------------- */

uint64_t override_version(const struct Overrides *overrides, const char *tenant)
{
    const struct Override *override = find(overrides, tenant);

    return override ? override->version : 0;
}

static size_t describe_change(const struct OverrideChange *change, usec_t realtime_usec, char *buf,
                              size_t size)
{
    struct Author author = {.uid = change->uid};
    char who[AUTHOR_FORMAT_MAX], span[USEC_FORMAT_MAX] = "just now";
    usec_t age = realtime_usec > change->realtime_usec ? realtime_usec - change->realtime_usec : 0;

    snprintf(author.name, sizeof(author.name), "%s", change->name);
    if (age >= USEC_PER_SEC)
        usec_format(age, span, sizeof(span));
    return (size_t)snprintf(buf, size, "%s by %s %s%s", change->what,
                            author_format(&author, who, sizeof(who)), span,
                            age >= USEC_PER_SEC ? " ago" : "");
}

const char *override_changes(const struct Overrides *overrides, const char *tenant, uint64_t version,
                             usec_t realtime_usec, char *buf, size_t size)
{
    const struct Override *override = find(overrides, tenant);
    size_t used = 0, n = 0;

    snprintf(buf, size, "what it was is not known any more, guardd was restarted since");
    for (; override && n < override->n_changes && override->changes[n].version > version && used < size;
         n++) {
        used += (size_t)snprintf(buf + used, size - used, "%s", n > 0 ? ", before that " : "");
        if (used < size)
            used += describe_change(&override->changes[n], realtime_usec, buf + used, size - used);
    }
    return buf;
}

/* --- putting back --------------------------------------------------------------------------------- */

int override_copy(const struct Overrides *overrides, const char *tenant, struct Override *ret)
{
    const struct Override *override = find(overrides, tenant);

    *ret = (struct Override){};
    if (override)
        *ret = *override;
    ret->tenant = strdup(tenant);
    ret->entries = calloc(ret->n + 1, sizeof(*ret->entries));
    if (!ret->tenant || !ret->entries) {
        override_done(ret);
        return -ENOMEM;
    }
    for (size_t i = 0; i < ret->n; i++)
        ret->entries[i] = override->entries[i];
    return 0;
}

void override_done(struct Override *copy)
{
    free(copy->tenant);
    free(copy->entries);
    *copy = (struct Override){};
}

/* Whatever is in memory. */
static int write_again(struct Overrides *overrides, struct Override *override)
{
    int r = 0;

    for (unsigned runtime = 0; runtime < 2; runtime++)
        if (override->unwritten & (1u << runtime)) {
            int one = write_one(overrides, override, runtime, override->entries, override->n);

            r = r < 0 ? r : one;
        }
    return r;
}

int override_restore(struct Overrides *overrides, struct Override *copy)
{
    struct Override *override = find_or_add(overrides, copy->tenant);
    struct Draft draft = {.list = copy->entries, .n = copy->n};
    int r;

    if (!override) {
        override_done(copy);
        return -ENOMEM;
    }
    for (unsigned runtime = 0; runtime < 2; runtime++)
        if (!is_same_there(override, draft.list, draft.n, runtime))
            override->unwritten |= 1u << runtime;
    copy->entries = NULL;
    draft_take_over(&draft, override);
    memcpy(override->changes, copy->changes, sizeof(copy->changes));
    override->n_changes = copy->n_changes;
    override->version = copy->version;
    r = write_again(overrides, override);
    if (r < 0)
        overrides->retry_usec = 0; /* at once */
    override_done(copy);
    return r;
}

/* --- ends ----------------------------------------------------------------------------------------- */

usec_t overrides_due_usec(const struct Overrides *overrides)
{
    usec_t due = USEC_INFINITY;

    for (const struct Override *p = overrides->list; p; p = p->hh.next) {
        if (p->unwritten)
            due = usec_min(due, overrides->retry_usec);
        for (size_t i = 0; i < p->n; i++)
            due = usec_min(due, p->entries[i].until_realtime_usec);
    }
    return due;
}

static bool has_ended(const void *userdata, const struct OverrideEntry *entry)
{
    const usec_t *realtime_usec = userdata;

    return entry->until_realtime_usec <= *realtime_usec;
}

static const struct OverrideEntry *find_ended(const struct Override *override, usec_t realtime_usec)
{
    for (size_t i = 0; i < override->n; i++)
        if (has_ended(&realtime_usec, &override->entries[i]))
            return &override->entries[i];
    return NULL;
}

/* One after the other, so that nothing has to be kept that could not be had. */
static void end_one(struct Overrides *overrides, struct Override *override, struct OverrideEntry ended,
                    usec_t realtime_usec)
{
    char what[160], value[MEASURE_FORMAT_MAX];
    size_t kept = 0;

    for (size_t i = 0; i < override->n; i++)
        if (override->entries[i].limit != ended.limit || override->entries[i].layer != ended.layer)
            override->entries[kept++] = override->entries[i];
    override->n = kept;
    snprintf(what, sizeof(what), "the end of %s=%s, set", limit_info(ended.limit)->directive,
             limit_format(ended.limit, ended.value, value, sizeof(value)));
    note_change(overrides, override, &ended.author, realtime_usec, what);
    override->unwritten |= 1u << override_is_runtime(ended.layer);
}

void overrides_end(struct Overrides *overrides, usec_t realtime_usec,
                   void (*ended)(void *userdata, const char *tenant, const struct OverrideEntry *entry),
                   void *userdata)
{
    struct Override *override, *next;

    HASH_ITER (hh, overrides->list, override, next) {
        const struct OverrideEntry *entry;

        while ((entry = find_ended(override, realtime_usec))) {
            const struct OverrideEntry copy = *entry;

            end_one(overrides, override, copy, realtime_usec);
            ended(userdata, override->tenant, &copy);
        }
        if (write_again(overrides, override) < 0)
            overrides->retry_usec = usec_add(realtime_usec, RETRY_USEC);
    }
}

/* --- from disk ------------------------------------------------------------------------------------ */

struct Reading {
    struct Overrides *overrides;
    bool runtime;
};

static int join(struct Override *override, const struct Override *file)
{
    struct OverrideEntry *list =
        realloc(override->entries, (override->n + file->n + 1) * sizeof(*override->entries));

    if (!list)
        return -ENOMEM;
    override->entries = list;
    for (size_t i = 0; i < file->n; i++)
        override->entries[override->n++] = file->entries[i];
    if (file->version < override->version)
        return 0;
    override->version = file->version;
    override->n_changes = file->n_changes;
    memcpy(override->changes, file->changes, sizeof(file->changes));
    return 0;
}

/* The same file once more: a directory that changes while it is read may list it twice. */
static bool is_known(const struct Override *override, bool runtime)
{
    for (size_t i = 0; i < override->n; i++)
        if (override_is_runtime(override->entries[i].layer) == runtime)
            return true;
    return false;
}

static int take_file(void *userdata, const char *name, sd_json_variant *object)
{
    const struct Reading *reading = userdata;
    struct Override file, *override;
    int r = override_file_read(name, object, reading->runtime, &file);

    if (r != 0)
        return r;
    if (file.n > 0) {
        override = find_or_add(reading->overrides, file.tenant);
        r = !override ? -ENOMEM : is_known(override, reading->runtime) ? 0 : join(override, &file);
        reading->overrides->last_version = usec_max(reading->overrides->last_version, file.version);
    }
    override_done(&file);
    return r;
}

static int open_one(struct Overrides *overrides, const char *parent, bool runtime)
{
    struct Reading reading = {.overrides = overrides, .runtime = runtime};
    size_t damaged = 0;
    int fd = store_open(parent, "overrides"), r;

    *(runtime ? &overrides->runtime_fd : &overrides->state_fd) = fd;
    if (fd < 0)
        return 0;
    r = store_read(fd, take_file, &reading, &damaged);
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
