/* Overrides: what an operator set is found again, of two the runtime one is in force, and a name may be any.
 */
#include "failing.h"
#include "scratch.h"

#include <errno.h>
#include <sys/mount.h>

#include "record/override.h"
#include "record/store.h"

struct Ground {
    struct Scratch scratch;
    char state[PATH_MAX], runtime[PATH_MAX];
    struct Overrides overrides;
};

static int set_up(void **state)
{
    struct Ground *ground = calloc(1, sizeof(*ground));

    ground->scratch = scratch_new("/tmp");
    scratch_mkdir(&ground->scratch, "state");
    scratch_mkdir(&ground->scratch, "run");
    scratch_path(&ground->scratch, "state", ground->state);
    scratch_path(&ground->scratch, "run", ground->runtime);
    assert_int_equal(overrides_open(&ground->overrides, ground->state, ground->runtime), 0);
    *state = ground;
    return 0;
}

static int tear_down(void **state)
{
    struct Ground *ground = *state;

    overrides_close(&ground->overrides);
    scratch_done(&ground->scratch);
    free(ground);
    return 0;
}

static void reopen(struct Ground *ground)
{
    overrides_close(&ground->overrides);
    assert_int_equal(overrides_open(&ground->overrides, ground->state, ground->runtime), 0);
}

static bool is_there(const struct Ground *ground, const char *name)
{
    char path[PATH_MAX];

    return access(scratch_path(&ground->scratch, name, path), F_OK) == 0;
}

static struct Limits one(enum LimitId id, uint64_t value)
{
    struct Limits limits = {0};

    limits.set[id] = true;
    limits.value[id] = value;
    return limits;
}

#define SECOND USEC_PER_SEC
#define NOW (1000 * SECOND)

static const struct Author alice = {.uid = 1000, .pid = 42, .name = "alice", .command = "guardctl \x01 \xff"};

static int set_for(struct Ground *ground, const char *tenant, enum LimitId id, uint64_t value, bool runtime,
                   usec_t for_usec)
{
    const struct OverrideWish wish = {.runtime = runtime, .for_usec = for_usec, .author = alice};
    struct Limits limits = one(id, value);

    return override_set(&ground->overrides, tenant, &limits, &wish, NOW);
}

static int set(struct Ground *ground, const char *tenant, enum LimitId id, uint64_t value, bool runtime)
{
    return set_for(ground, tenant, id, value, runtime, 0);
}

static int reset(struct Ground *ground, const char *tenant, const struct Limits *limits)
{
    return override_reset(&ground->overrides, tenant, limits, &alice, NOW);
}

#define NOTHING 12345678

static uint64_t in_force(const struct Ground *ground, const char *tenant, enum LimitId id)
{
    struct Limits limits;

    override_limits(&ground->overrides, tenant, &limits);
    return limits.set[id] ? limits.value[id] : NOTHING;
}

static void found_again(void **state)
{
    struct Ground *ground = *state;
    const struct Override *override;
    const struct OverrideEntry *top;

    assert_int_equal(set(ground, "docker/web", LIMIT_DISK_SPACE_MAX, 20ULL << 30, false), 0);
    assert_int_equal(set(ground, "docker/web", LIMIT_DISK_INODES_MAX, LIMIT_INFINITY, false), 0);
    assert_int_equal(set(ground, "docker/web", LIMIT_TASKS_MAX, LIMIT_INFINITY - 1, true), 0);
    for (unsigned i = 0; i < 2; i++) {
        override = override_find(&ground->overrides, "docker/web");
        assert_non_null(override);
        assert_int_equal(override->n, 3);
        top = override_topmost(override, LIMIT_TASKS_MAX);
        assert_int_equal(top->layer, OVERRIDE_RUNTIME);
        top = override_topmost(override, LIMIT_DISK_SPACE_MAX);
        assert_int_equal(top->layer, OVERRIDE_PERSISTENT);
        assert_memory_equal(&top->author, &alice, sizeof(alice));
        assert_true(top->set_realtime_usec == NOW && top->until_realtime_usec == USEC_INFINITY);
        assert_int_equal(in_force(ground, "docker/web", LIMIT_DISK_SPACE_MAX), 20ULL << 30);
        assert_true(in_force(ground, "docker/web", LIMIT_DISK_INODES_MAX) == LIMIT_INFINITY);
        assert_true(in_force(ground, "docker/web", LIMIT_TASKS_MAX) == LIMIT_INFINITY - 1);
        assert_true(is_there(ground, "state/overrides/docker%2Fweb.json"));
        assert_true(is_there(ground, "run/overrides/docker%2Fweb.json"));
        reopen(ground);
    }
    assert_int_equal(ground->overrides.damaged, 0);
    assert_null(override_find(&ground->overrides, "docker/we"));
    assert_int_equal(in_force(ground, "docker/we", LIMIT_TASKS_MAX), NOTHING);
}

static void runtime_before_persistent(void **state)
{
    struct Ground *ground = *state;
    struct Limits space = one(LIMIT_DISK_SPACE_MAX, 0);

    assert_int_equal(set(ground, "web", LIMIT_DISK_SPACE_MAX, 2, false), 0);
    assert_int_equal(set(ground, "web", LIMIT_DISK_SPACE_MAX, 1, true), 0);
    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 3, false), 0);
    assert_int_equal(in_force(ground, "web", LIMIT_DISK_SPACE_MAX), 1);
    reopen(ground);
    assert_int_equal(in_force(ground, "web", LIMIT_DISK_SPACE_MAX), 1);
    assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 3);

    /* a reboot */
    scratch_unlink_file(&ground->scratch, "run/overrides/web.json");
    reopen(ground);
    assert_int_equal(in_force(ground, "web", LIMIT_DISK_SPACE_MAX), 2);

    assert_int_equal(set(ground, "web", LIMIT_DISK_SPACE_MAX, 1, true), 0);
    assert_int_equal(reset(ground, "web", &space), 0);
    assert_int_equal(in_force(ground, "web", LIMIT_DISK_SPACE_MAX), NOTHING);
    assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 3);
    assert_false(is_there(ground, "run/overrides/web.json"));
    reopen(ground);
    assert_int_equal(in_force(ground, "web", LIMIT_DISK_SPACE_MAX), NOTHING);
    assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 3);
}

static void all_taken_back(void **state)
{
    struct Ground *ground = *state;

    assert_int_equal(set(ground, "web", LIMIT_DISK_SPACE_MAX, 1, true), 0);
    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 2, false), 0);
    assert_int_equal(reset(ground, "web", NULL), 0);
    assert_null(override_find(&ground->overrides, "web"));
    assert_false(is_there(ground, "state/overrides/web.json"));
    assert_int_equal(reset(ground, "web", NULL), 0);
    reopen(ground);
    assert_null(override_find(&ground->overrides, "web"));
}

/* --- layers, ends --------------------------------------------------------------------------------- */

/* What is set last is in force, and ends what lies above it; what lies below stays. */
static void last_one_counts(void **state)
{
    struct Ground *ground = *state;

    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 1, false), 0);
    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 2, true), 0);
    assert_int_equal(set_for(ground, "web", LIMIT_TASKS_MAX, 3, false, SECOND), 0);
    assert_int_equal(override_find(&ground->overrides, "web")->n, 3);
    assert_int_equal(set_for(ground, "web", LIMIT_TASKS_MAX, 4, true, SECOND), 0);
    assert_int_equal(override_find(&ground->overrides, "web")->n, 3);
    assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 4);
    assert_int_equal(set_for(ground, "web", LIMIT_TASKS_MAX, 3, false, SECOND), 0);
    reopen(ground);
    assert_int_equal(override_find(&ground->overrides, "web")->n, 3);
    assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 3);
    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 5, true), 0);
    assert_int_equal(override_find(&ground->overrides, "web")->n, 2);
    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 6, false), 0);
    assert_int_equal(override_find(&ground->overrides, "web")->n, 1);
    reopen(ground);
    assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 6);
    assert_false(is_there(ground, "run/overrides/web.json"));
}

struct Ended {
    unsigned n;
    struct OverrideEntry last;
};

static void on_ended(void *userdata, const char *tenant, const struct OverrideEntry *entry)
{
    struct Ended *ended = userdata;

    assert_string_equal(tenant, "web");
    ended->n++;
    ended->last = *entry;
}

static void ends_by_itself(void **state)
{
    struct Ground *ground = *state;
    struct Ended ended = {};

    assert_true(overrides_due_usec(&ground->overrides) == USEC_INFINITY);
    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 1, false), 0);
    assert_int_equal(set_for(ground, "web", LIMIT_TASKS_MAX, 2, false, 5 * SECOND), 0);
    assert_int_equal(set_for(ground, "web", LIMIT_DISK_SPACE_MAX, 3, true, 9 * SECOND), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(overrides_due_usec(&ground->overrides), NOW + 5 * SECOND);
        assert_true(override_topmost(override_find(&ground->overrides, "web"), LIMIT_TASKS_MAX)
                        ->until_realtime_usec == NOW + 5 * SECOND);
        overrides_end(&ground->overrides, NOW + 5 * SECOND - 1, on_ended, &ended);
        assert_int_equal(ended.n, 0);
        assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 2);
        reopen(ground);
    }
    overrides_end(&ground->overrides, NOW + 5 * SECOND, on_ended, &ended);
    assert_int_equal(ended.n, 1);
    assert_int_equal(ended.last.value, 2);
    assert_string_equal(ended.last.author.name, "alice");
    assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 1);
    assert_int_equal(overrides_due_usec(&ground->overrides), NOW + 9 * SECOND);
    reopen(ground);
    assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 1);

    /* while nobody was there: it is read, and ends at once */
    overrides_end(&ground->overrides, NOW + 3600 * SECOND, on_ended, &ended);
    assert_int_equal(ended.n, 2);
    assert_int_equal(in_force(ground, "web", LIMIT_DISK_SPACE_MAX), NOTHING);
    assert_false(is_there(ground, "run/overrides/web.json"));
    assert_true(overrides_due_usec(&ground->overrides) == USEC_INFINITY);
}

/* --- versions ------------------------------------------------------------------------------------- */

static uint64_t version(const struct Ground *ground)
{
    return override_version(&ground->overrides, "web");
}

static void versions(void **state)
{
    struct Ground *ground = *state;
    struct Override before;
    uint64_t first, second, third;
    char text[512];

    assert_int_equal(version(ground), 0);
    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 1, false), 0);
    first = version(ground);
    assert_int_equal(set_for(ground, "web", LIMIT_TASKS_MAX, 2, true, 7200 * SECOND), 0);
    second = version(ground);
    assert_true(first > 0 && second > first);
    assert_int_equal(override_copy(&ground->overrides, "web", &before), 0);
    assert_int_equal(reset(ground, "web", NULL), 0);
    third = version(ground);
    assert_true(third > second);
    override_changes(&ground->overrides, "web", first, NOW + 5 * SECOND, text, sizeof(text));
    assert_string_equal(text,
                        "reset all of it by alice (uid 1000) 5s ago, before that TasksMax=2 for 2h until "
                        "the next boot by alice (uid 1000) 5s ago");
    override_changes(&ground->overrides, "web", second, NOW, text, sizeof(text));
    assert_string_equal(text, "reset all of it by alice (uid 1000) just now");

    /* what did not take */
    assert_int_equal(override_restore(&ground->overrides, &before), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(version(ground), second);
        assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 2);
        override_changes(&ground->overrides, "web", first, NOW, text, sizeof(text));
        assert_non_null(strstr(text, "TasksMax=2"));
        reopen(ground);
    }
    /* a number is not used again */
    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 3, false), 0);
    assert_true(version(ground) > second);
    overrides_end(&ground->overrides, NOW, NULL, NULL);
    override_changes(&ground->overrides, "web", version(ground), NOW, text, sizeof(text));
    assert_non_null(strstr(text, "not known any more"));
}

/* Of a guardd that knew no layers. */
static void older_file(void **state)
{
    struct Ground *ground = *state;
    const struct OverrideEntry *top;

    scratch_write(&ground->scratch, "state/overrides/web.json",
                  "{\"tenant\":\"web\",\"uid\":1001,\"realtimeUSec\":5000000,"
                  "\"limits\":{\"TasksMax\":7,\"DiskSpaceMax\":\"infinity\"}}");
    reopen(ground);
    top = override_topmost(override_find(&ground->overrides, "web"), LIMIT_TASKS_MAX);
    assert_int_equal(top->value, 7);
    assert_int_equal(top->layer, OVERRIDE_PERSISTENT);
    assert_int_equal(top->author.uid, 1001);
    assert_int_equal(top->set_realtime_usec, 5000000);
    assert_int_equal(version(ground), 5000);
    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 8, true), 0);
    reopen(ground);
    assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 8);
    assert_true(in_force(ground, "web", LIMIT_DISK_SPACE_MAX) == LIMIT_INFINITY);
}

/* --- names ---------------------------------------------------------------------------------------- */

static void any_name(void **state)
{
    static const char *const names[] = {
        "system.slice/a b.service", ".new", "..", ".", "-x", "%2F", "a\nb", "\xff\xfe", "~", "\xc3\xa4",
    };
    struct Ground *ground = *state;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(set(ground, names[i], LIMIT_TASKS_MAX, i, false), 0);
    reopen(ground);
    assert_int_equal(ground->overrides.damaged, 0);
    assert_int_equal(HASH_COUNT(ground->overrides.list), sizeof(names) / sizeof(names[0]));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(in_force(ground, names[i], LIMIT_TASKS_MAX), i);
}

static void long_names(void **state)
{
    struct Ground *ground = *state;
    char name[300];

    /* Of all lengths about the cut, of bytes that are escaped and bytes that are not. */
    for (size_t n = 60; n < 256; n++)
        for (unsigned high = 0; high < 2; high++) {
            memset(name, high ? 0xff : 'a', n);
            name[n] = '\0';
            assert_int_equal(override_find(&ground->overrides, name), NULL);
            if (n % 13 == 0 || n > 190)
                assert_int_equal(set(ground, name, LIMIT_TASKS_MAX, n, true), 0);
        }
    reopen(ground);
    assert_int_equal(ground->overrides.damaged, 0);
    for (size_t n = 191; n < 256; n++) {
        memset(name, 'a', n);
        name[n] = '\0';
        assert_int_equal(in_force(ground, name, LIMIT_TASKS_MAX), n);
        assert_int_equal(reset(ground, name, NULL), 0);
    }
    memset(name, 'a', 256);
    name[256] = '\0';
    assert_int_equal(set(ground, name, LIMIT_TASKS_MAX, 1, true), -EINVAL);
    assert_int_equal(set(ground, "", LIMIT_TASKS_MAX, 1, true), -EINVAL);
}

/* crc32 is no secret: two long names that come to one file. The first one keeps it. */
static void one_file_for_two(void **state)
{
    struct Ground *ground = *state;
    char first[256], second[256], a[STORE_NAME_MAX], b[STORE_NAME_MAX];

    /* crc32's own polynomial, added to a message, leaves its checksum as it is. */
    memset(first, 'a', 255);
    first[255] = '\0';
    memcpy(second, first, sizeof(first));
    for (unsigned i = 0; i < 5; i++)
        second[240 + i] = (char)(second[240 + i] ^ (char)(0x1db710641ULL >> (8 * i)));
    assert_string_equal(store_file_name(first, a), store_file_name(second, b));
    assert_string_not_equal(first, second);

    assert_int_equal(set(ground, first, LIMIT_TASKS_MAX, 1, false), 0);
    assert_int_equal(set(ground, second, LIMIT_TASKS_MAX, 2, false), -EEXIST);
    assert_int_equal(reset(ground, second, NULL), 0);
    reopen(ground);
    assert_int_equal(in_force(ground, first, LIMIT_TASKS_MAX), 1);
    assert_null(override_find(&ground->overrides, second));
}

/* --- bad days ------------------------------------------------------------------------------------- */

#define HEAD "{\"tenant\":\"web\",\"uid\":0,\"realtimeUSec\":0,\"limits\":"

#define NEW "{\"tenant\":\"web\",\"overrides\":"
#define WHO "\"uid\":0,\"realtimeUSec\":0"

static void damaged(void **state)
{
    static const char *const texts[] = {
        "",
        "no",
        HEAD "[]}",
        HEAD "{\"TasksMax\":-1}}",
        HEAD "{\"TasksMax\":\"many\"}}",
        HEAD "{\"TasksMax\":1.5}}",
        "{\"tenant\":\"db\",\"uid\":0,\"realtimeUSec\":0,\"limits\":{\"TasksMax\":1}}",
        "{\"tenant\":\"web\",\"uid\":0,\"realtimeUSec\":0}",
        NEW "{}}",
        NEW "[1]}",
        NEW "[{\"limit\":\"TasksMax\"}]}",
        NEW "[{\"limit\":\"TasksMax\",\"value\":\"many\"," WHO "}]}",
        NEW "[{\"limit\":\"TasksMax\",\"value\":1,\"name\":\"%zz\"," WHO "}]}",
        NEW "[{\"limit\":\"TasksMax\",\"value\":1,\"untilRealtimeUSec\":-1," WHO "}]}",
        NEW "[{\"limit\":\"TasksMax\",\"value\":1," WHO "},{\"limit\":\"TasksMax\",\"value\":2," WHO "}]}",
        NEW "[{\"limit\":\"TasksMax\",\"value\":1,\"pid\":-5," WHO "}]}",
        NEW "[{\"limit\":\"TasksMax\",\"value\":1," WHO "}],\"version\":18446744073709551615}",
        NEW "[],\"changes\":[{}]}",
        NEW "[],\"changes\":[1,{\"version\":1," WHO ",\"what\":\"reset\"}]}",
        NEW "[],\"changes\":[{\"version\":1," WHO ",\"what\":\"reset\",\"name\":\"%zz\"}]}",
        NEW "[],\"changes\":[{\"version\":1," WHO ",\"what\":\"%zz\"}]}",
        "{\"tenant\":\"%zz\",\"overrides\":[]}",
        "{\"tenant\":\"\",\"overrides\":[]}",
    };
    struct Ground *ground = *state;

    assert_int_equal(set(ground, "db", LIMIT_TASKS_MAX, 9, false), 0);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        scratch_write(&ground->scratch, "state/overrides/web.json", texts[i]);
        scratch_write(&ground->scratch, "run/overrides/web.json", texts[i]);
        reopen(ground);
        assert_int_equal(ground->overrides.damaged, 2);
        assert_null(override_find(&ground->overrides, "web"));
        assert_int_equal(in_force(ground, "db", LIMIT_TASKS_MAX), 9);
        assert_false(is_there(ground, "state/overrides/web.json"));
        assert_true(is_there(ground, "state/overrides/web.damaged"));
    }
    /* of a newer guardd */
    scratch_write(&ground->scratch, "state/overrides/web.json",
                  HEAD "{\"Unknown\":[],\"TasksMax\":4},\"a\":1}");
    reopen(ground);
    assert_int_equal(ground->overrides.damaged, 0);
    assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 4);
    scratch_write(&ground->scratch, "state/overrides/web.json",
                  NEW "[{\"limit\":\"Unknown\",\"value\":[]," WHO "},"
                      "{\"limit\":\"TasksMax\",\"value\":5,\"a\":1," WHO "}]}");
    reopen(ground);
    assert_int_equal(ground->overrides.damaged, 0);
    assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 5);
}

/* A name that no tenant has, in the file that would be its own; and more changes than are remembered. */
static void more_than_there_is_room_for(void **state)
{
    struct Ground *ground = *state;
    char name[300], file[STORE_NAME_MAX], path[PATH_MAX], text[2048];
    size_t n;

    memset(name, 'a', 256);
    name[256] = '\0';
    snprintf(path, sizeof(path), "state/overrides/%s", store_file_name(name, file));
    snprintf(text, sizeof(text), "{\"tenant\":\"%s\",\"overrides\":[]}", name);
    scratch_write(&ground->scratch, path, text);
    n = (size_t)snprintf(text, sizeof(text),
                         NEW "[{\"limit\":\"TasksMax\",\"value\":1," WHO "}],\"changes\":[");
    for (unsigned i = 0; i < OVERRIDE_CHANGES_MAX + 2; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n,
                              "%s{\"version\":%u," WHO ",\"name\":\"bob\",\"what\":\"reset %u\"}",
                              i > 0 ? "," : "", 9 - i, i);
    snprintf(text + n, sizeof(text) - n, "]}");
    scratch_write(&ground->scratch, "state/overrides/web.json", text);
    reopen(ground);
    assert_int_equal(ground->overrides.damaged, 1);
    assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 1);
    assert_int_equal(override_find(&ground->overrides, "web")->n_changes, OVERRIDE_CHANGES_MAX);
}

/* --- without memory ------------------------------------------------------------------------------- */

/* Whichever allocation fails: all is as it was, in memory and on disk, and can be done again. */
static void set_without_memory(void **state)
{
    struct Ground *ground = *state;

    for (unsigned runtime = 0; runtime < 2; runtime++) {
        assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 1, runtime), 0);
        EACH_FAILURE(nth, ANY_ALLOCATION, ENOMEM)
        {
            int r = set_for(ground, "web", LIMIT_TASKS_MAX, LIMIT_INFINITY, runtime, SECOND);

            if (!call_failed()) {
                assert_int_equal(r, 0);
                assert_true(nth > 1);
                break;
            }
            assert_int_equal(r, -ENOMEM);
            assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 1);
            reopen(ground);
            assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 1);
        }
        assert_int_equal(reset(ground, "web", NULL), 0);
    }
}

static void first_set_without_memory(void **state)
{
    struct Ground *ground = *state;

    EACH_FAILURE(nth, ANY_ALLOCATION, ENOMEM)
    {
        int r = set(ground, "web", LIMIT_TASKS_MAX, 1, false);

        if (!call_failed()) {
            assert_int_equal(r, 0);
            break;
        }
        assert_int_equal(r, -ENOMEM);
        assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), NOTHING);
        assert_false(is_there(ground, "state/overrides/web.json"));
    }
}

/* A file that could not be read for want of memory is not damaged. */
static void opened_without_memory(void **state)
{
    struct Ground *ground = *state;

    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 1, false), 0);
    assert_int_equal(set_for(ground, "web", LIMIT_TASKS_MAX, 2, true, SECOND), 0);
    scratch_write(&ground->scratch, "state/overrides/old.json",
                  "{\"tenant\":\"old\",\"uid\":1001,\"realtimeUSec\":5,\"limits\":{\"TasksMax\":7}}");
    for (unsigned nth = 1, failed = true; failed; nth++) {
        int r;

        overrides_close(&ground->overrides);
        fail_call(ANY_ALLOCATION, nth, ENOMEM);
        r = overrides_open(&ground->overrides, ground->state, ground->runtime);
        failed = call_failed();
        assert_int_equal(r, failed ? -ENOMEM : 0);
        if (failed)
            assert_int_equal(ground->overrides.state_fd, -EBADF);
    }
    assert_int_equal(ground->overrides.damaged, 0);
    assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 2);
    assert_int_equal(in_force(ground, "old", LIMIT_TASKS_MAX), 7);
}

static void listed_twice(void **state)
{
    struct Ground *ground = *state;

    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 1, false), 0);
    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 2, true), 0);
    list_twice(true);
    reopen(ground);
    list_twice(false);
    assert_int_equal(override_find(&ground->overrides, "web")->n, 2);
    assert_int_equal(set(ground, "web", LIMIT_DISK_SPACE_MAX, 3, false), 0);
    reopen(ground);
    assert_int_equal(ground->overrides.damaged, 0);
    assert_int_equal(override_find(&ground->overrides, "web")->n, 3);
}

static void no_directory(void **state)
{
    struct Ground *ground = *state;
    char path[PATH_MAX];

    overrides_close(&ground->overrides);
    assert_int_equal(rmdir(scratch_path(&ground->scratch, "state/overrides", path)), 0);
    scratch_write(&ground->scratch, "state/overrides", "a file");
    reopen(ground);
    assert_int_equal(ground->overrides.state_fd, -ENOTDIR);
    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 1, false), -ENOTDIR);
    assert_null(override_find(&ground->overrides, "web"));
    /* the other one is not concerned */
    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 1, true), 0);
    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 2, false), -ENOTDIR);
    assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 1);
    assert_int_equal(reset(ground, "web", NULL), 0);
    assert_null(override_find(&ground->overrides, "web"));
}

/* --- read-only file systems ------------------------------------------------------------------------ */

/* One that is mounted nowhere; `path` leads to it as long as the descriptor is open. */
static int file_system(char path[static 32])
{
    int context = fsopen("tmpfs", FSOPEN_CLOEXEC), fd = -1;

    if (context >= 0 && fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
    close(context);
    if (fd < 0)
        skip();
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

static void set_read_only(int fd, bool yes)
{
    struct mount_attr attributes = {0};

    *(yes ? &attributes.attr_set : &attributes.attr_clr) = MOUNT_ATTR_RDONLY;
    assert_int_equal(mount_setattr(fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)), 0);
}

static void check_read_only(struct Ground *ground)
{
    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 2, false), -EROFS);
    assert_int_equal(set(ground, "db", LIMIT_TASKS_MAX, 2, false), -EROFS);
    assert_int_equal(reset(ground, "web", NULL), -EROFS);
    assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 1);
    assert_int_equal(in_force(ground, "web", LIMIT_DISK_SPACE_MAX), 5);
    assert_null(override_find(&ground->overrides, "db"));
}

static void read_only(void **state)
{
    struct Ground *ground = *state;
    int state_fd = file_system(ground->state), runtime_fd = file_system(ground->runtime);

    reopen(ground);
    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 1, false), 0);
    assert_int_equal(set(ground, "web", LIMIT_DISK_SPACE_MAX, 5, true), 0);
    set_read_only(state_fd, true);
    for (unsigned i = 0; i < 2; i++) {
        /* what is there is read all the same */
        check_read_only(ground);
        reopen(ground);
    }

    /* a reset whose second half fails takes the first one back */
    set_read_only(state_fd, false);
    set_read_only(runtime_fd, true);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(reset(ground, "web", NULL), -EROFS);
        reopen(ground);
        assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 1);
        assert_int_equal(in_force(ground, "web", LIMIT_DISK_SPACE_MAX), 5);
    }
    close(state_fd);
    close(runtime_fd);
}

/* An end holds in any case, and so does what is put back: the files follow when they can. */
static void read_only_ends(void **state)
{
    struct Ground *ground = *state;
    int state_fd = file_system(ground->state);
    struct Ended ended = {};
    struct Override before;

    reopen(ground);
    assert_int_equal(set(ground, "web", LIMIT_TASKS_MAX, 1, false), 0);
    assert_int_equal(set_for(ground, "web", LIMIT_TASKS_MAX, 2, false, SECOND), 0);
    assert_int_equal(override_copy(&ground->overrides, "web", &before), 0);
    set_read_only(state_fd, true);
    for (unsigned i = 0; i < 2; i++) {
        overrides_end(&ground->overrides, NOW + SECOND, on_ended, &ended);
        assert_int_equal(ended.n, i + 1);
        assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 1);
        assert_true(overrides_due_usec(&ground->overrides) == NOW + 31 * SECOND);
        if (i == 0)
            reopen(ground); /* it stands in the file still, with its end */
    }
    assert_int_equal(override_restore(&ground->overrides, &before), -EROFS);
    assert_int_equal(in_force(ground, "web", LIMIT_TASKS_MAX), 2);
    assert_true(overrides_due_usec(&ground->overrides) == 0);
    overrides_end(&ground->overrides, NOW + SECOND, on_ended, &ended);
    set_read_only(state_fd, false);
    overrides_end(&ground->overrides, NOW + 31 * SECOND, on_ended, &ended);
    assert_true(overrides_due_usec(&ground->overrides) == USEC_INFINITY);
    reopen(ground);
    assert_int_equal(override_find(&ground->overrides, "web")->n, 1);
    close(state_fd);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(found_again),
        TEST(runtime_before_persistent),
        TEST(all_taken_back),
        TEST(any_name),
        TEST(long_names),
        TEST(one_file_for_two),
        TEST(damaged),
        TEST(no_directory),
        TEST(read_only),
        TEST(read_only_ends),
        TEST(last_one_counts),
        TEST(ends_by_itself),
        TEST(versions),
        TEST(older_file),
        TEST(more_than_there_is_room_for),
        TEST(set_without_memory),
        TEST(first_set_without_memory),
        TEST(opened_without_memory),
        TEST(listed_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
