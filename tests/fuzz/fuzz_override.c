/* Fuzz target: files of overrides (record/override.h), and the escaping of their texts (record/store.h). What
 * is read of a file is the same when it is written and read again, and the next change of it is read again,
 * too, under a version that is higher. */
#include "record/override.h"
#include "record/override_file.h"
#include "record/store.h"
#include "tests/fuzz/ground.h"

#define NOW (UINT64_C(1763773500) * USEC_PER_SEC)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each text has one escaped form, and only that is taken. */
static void escape(const char *text)
{
    char *escaped = store_escape(text), *plain = store_unescape(escaped), *other = store_unescape(text);

    must(plain && strcmp(plain, text) == 0);
    if (other) {
        char *again = store_escape(other);

        must(strcmp(again, text) == 0);
        free(again);
    }
    free(other);
    free(plain);
    free(escaped);
}

/* The name that the file must have to be believed. */
static void make_name(const char *text, char buf[static STORE_NAME_MAX])
{
    sd_json_variant *json = NULL, *tenant;
    char *plain = NULL;

    if (sd_json_parse(text, 0, &json, NULL, NULL) >= 0 && (tenant = sd_json_variant_by_key(json, "tenant")) &&
        sd_json_variant_is_string(tenant))
        plain = store_unescape(sd_json_variant_string(tenant));
    store_file_name(plain ? plain : "web", buf);
    free(plain);
    sd_json_variant_unref(json);
}

static struct Overrides open_overrides(void)
{
    struct Overrides overrides;

    must(overrides_open(&overrides, ground_file("state"), ground_file("run")) == 0);
    must(overrides.state_fd >= 0 && overrides.runtime_fd >= 0);
    return overrides;
}

static bool is_same_entry(const struct OverrideEntry *a, const struct OverrideEntry *b)
{
    return a->limit == b->limit && a->layer == b->layer && a->value == b->value &&
           a->author.uid == b->author.uid && a->author.pid == b->author.pid &&
           strcmp(a->author.name, b->author.name) == 0 && strcmp(a->author.command, b->author.command) == 0 &&
           a->set_realtime_usec == b->set_realtime_usec && a->until_realtime_usec == b->until_realtime_usec;
}

static bool is_in(const struct Override *override, const struct OverrideEntry *entry)
{
    for (size_t i = 0; i < override->n; i++)
        if (is_same_entry(&override->entries[i], entry))
            return true;
    return false;
}

/* Entries are in no order. */
static void compare(const struct Override *a, const struct Override *b)
{
    must(a->n == b->n && a->version == b->version && a->n_changes == b->n_changes);
    for (size_t i = 0; i < a->n; i++)
        must(is_in(b, &a->entries[i]) && is_in(a, &b->entries[i]));
    for (size_t i = 0; i < a->n_changes; i++)
        must(a->changes[i].version == b->changes[i].version && a->changes[i].uid == b->changes[i].uid &&
             a->changes[i].realtime_usec == b->changes[i].realtime_usec &&
             strcmp(a->changes[i].name, b->changes[i].name) == 0 &&
             strcmp(a->changes[i].what, b->changes[i].what) == 0);
}

/* The first one in memory: there is one tenant's file at most. */
static const struct Override *only(const struct Overrides *overrides)
{
    must(HASH_COUNT(overrides->list) <= 1);
    return overrides->list;
}

static void reopen(struct Overrides *overrides)
{
    overrides_close(overrides);
    *overrides = open_overrides();
    must(overrides->damaged == 0);
}

static void write_again(struct Overrides *overrides)
{
    struct Override before;

    must(override_copy(overrides, only(overrides)->tenant, &before) == 0);
    must(override_file_write(overrides->state_fd, false, &before, before.entries, before.n) == 0);
    must(override_file_write(overrides->runtime_fd, true, &before, before.entries, before.n) == 0);
    reopen(overrides);
    must(only(overrides) && strcmp(only(overrides)->tenant, before.tenant) == 0);
    compare(&before, only(overrides));
    override_done(&before);
}

static void change(struct Overrides *overrides)
{
    const struct Limits limits = {.set[LIMIT_TASKS_MAX] = true, .value[LIMIT_TASKS_MAX] = 300};
    const struct OverrideWish wish = {.author = {.uid = 1000, .name = "alice", .command = "guardctl set"}};
    struct Override after;
    uint64_t version = only(overrides)->version;
    char text[512];

    must(override_set(overrides, only(overrides)->tenant, &limits, &wish, NOW) == 0);
    must(only(overrides)->version > version);
    must(override_topmost(only(overrides), LIMIT_TASKS_MAX)->value == 300);
    must(override_copy(overrides, only(overrides)->tenant, &after) == 0);
    reopen(overrides);
    must(only(overrides));
    compare(&after, only(overrides));
    must(strlen(override_changes(overrides, after.tenant, version, NOW, text, sizeof(text))) > 0);
    override_done(&after);
}

static void take_up(const char *text)
{
    struct Overrides overrides = open_overrides();
    char name[STORE_NAME_MAX], file[STORE_NAME_MAX + sizeof("state/overrides/")];

    make_name(text, name);
    for (size_t i = 0; i < 2; i++) {
        snprintf(file, sizeof(file), "%s/overrides/%s", i == 0 ? "state" : "run", name);
        ground_write(file, text, strlen(text));
    }
    overrides_close(&overrides);
    overrides = open_overrides();
    must(overrides.damaged == 0 || (overrides.damaged == 2 && !only(&overrides)));
    if (only(&overrides)) {
        write_again(&overrides);
        change(&overrides);
    }
    ground_forget(overrides.state_fd, name);
    ground_forget(overrides.runtime_fd, name);
    overrides_close(&overrides);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = input_text(data, size);

    mkdir(ground_file("state"), 0700);
    mkdir(ground_file("run"), 0700);
    escape(text);
    take_up(text);
    free(text);
    return 0;
}
