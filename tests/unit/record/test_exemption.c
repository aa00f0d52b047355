/* Exemptions: what is set is found again by the next run, the one that ends first is told, and what makes no
 * sense on disk is put aside. */
#include "failing.h"
#include "scratch.h"

#include <errno.h>

#include "record/exemption.h"
#include "record/store.h"

#define HOUR USEC_PER_HOUR

struct Ground {
    struct Scratch scratch;
    char state[PATH_MAX];
    struct Exemptions exemptions;
};

static int set_up(void **state)
{
    struct Ground *ground = calloc(1, sizeof(*ground));

    ground->scratch = scratch_new("/tmp");
    scratch_mkdir(&ground->scratch, "state");
    scratch_path(&ground->scratch, "state", ground->state);
    assert_int_equal(exemptions_open(&ground->exemptions, ground->state), 0);
    *state = ground;
    return 0;
}

static int tear_down(void **state)
{
    struct Ground *ground = *state;

    exemptions_close(&ground->exemptions);
    scratch_done(&ground->scratch);
    free(ground);
    return 0;
}

static void reopen(struct Ground *ground)
{
    exemptions_close(&ground->exemptions);
    assert_int_equal(exemptions_open(&ground->exemptions, ground->state), 0);
}

static struct Exemption until(usec_t until_usec)
{
    return (struct Exemption){.until_realtime_usec = until_usec,
                              .since_realtime_usec = 7,
                              .by = {.uid = 1000, .pid = 4711, .name = "alice"}};
}

static void test_found_again(void **state)
{
    static const char *const names[] = {"docker/web", "..", "a b\n\x80%", "x"};
    struct Ground *ground = *state;

    for (size_t i = 0; i < 4; i++) {
        struct Exemption exemption = until((i + 1) * HOUR);

        assert_int_equal(exemption_set(&ground->exemptions, names[i], &exemption), 0);
    }
    reopen(ground);
    for (size_t i = 0; i < 4; i++) {
        const struct Exemption *found = exemption_find(&ground->exemptions, names[i]);

        assert_non_null(found);
        assert_int_equal(found->until_realtime_usec, (i + 1) * HOUR);
        assert_int_equal(found->since_realtime_usec, 7);
        assert_int_equal(found->by.uid, 1000);
        assert_int_equal(found->by.pid, 4711);
        assert_string_equal(found->by.name, "alice");
    }
    assert_null(exemption_find(&ground->exemptions, "y"));
}

/* A name in /etc/passwd may hold any byte, and is cut where it is long. */
static void test_any_user(void **state)
{
    static const char *const users[] = {"j\xfcrgen", "100%", "\xc3\xa4",
                                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3"};
    struct Ground *ground = *state;

    for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
        struct Exemption exemption = until(HOUR);

        snprintf(exemption.by.name, sizeof(exemption.by.name), "%s", users[i]);
        assert_int_equal(exemption_set(&ground->exemptions, "x", &exemption), 0);
        reopen(ground);
        assert_non_null(exemption_find(&ground->exemptions, "x"));
        assert_string_equal(exemption_find(&ground->exemptions, "x")->by.name, users[i]);
    }
}

static void test_ends(void **state)
{
    struct Ground *ground = *state;
    struct Exemption late = until(3 * HOUR), soon = until(2 * HOUR);

    assert_int_equal(exemptions_due_usec(&ground->exemptions), USEC_INFINITY);
    assert_int_equal(exemption_set(&ground->exemptions, "a", &late), 0);
    assert_int_equal(exemption_set(&ground->exemptions, "b", &soon), 0);
    assert_int_equal(exemptions_due_usec(&ground->exemptions), 2 * HOUR);
    assert_null(exemption_ended(&ground->exemptions, 2 * HOUR - 1));
    assert_string_equal(exemption_ended(&ground->exemptions, 2 * HOUR)->tenant, "b");
    /* Another time in the place of the first. */
    soon.until_realtime_usec = 4 * HOUR;
    assert_int_equal(exemption_set(&ground->exemptions, "b", &soon), 0);
    assert_int_equal(exemptions_due_usec(&ground->exemptions), 3 * HOUR);
    assert_int_equal(exemption_remove(&ground->exemptions, "a"), 0);
    assert_int_equal(exemption_remove(&ground->exemptions, "a"), 0);
    reopen(ground);
    assert_null(exemption_find(&ground->exemptions, "a"));
    assert_int_equal(exemptions_due_usec(&ground->exemptions), 4 * HOUR);
}

#define UNTIL(usec) "\"untilRealtimeUSec\":" usec ",\"sinceRealtimeUSec\":1,\"uid\":0"

static void test_damaged(void **state)
{
    static const char *const texts[] = {
        "{\"tenant\":\"x\"}",
        "{\"tenant\":7," UNTIL("5") "}",
        "{\"tenant\":\"x\"," UNTIL("0") "}",
        "{\"tenant\":\"\"," UNTIL("5") "}",
        "{\"tenant\":\"%zz\"," UNTIL("5") "}",
        "{\"tenant\":\"x\",\"user\":\"%zz\"," UNTIL("5") "}",
    };
    struct Ground *ground = *state;
    char name[300], file[STORE_NAME_MAX], path[PATH_MAX], text[512];

    scratch_write(&ground->scratch, "state/exemptions/a.json", "{");
    scratch_write(&ground->scratch, "state/exemptions/b.json",
                  "{\"tenant\":\"c\",\"untilRealtimeUSec\":5,\"sinceRealtimeUSec\":1,\"uid\":0}");
    scratch_write(&ground->scratch, "state/exemptions/d.json",
                  "{\"tenant\":\"d\",\"untilRealtimeUSec\":5,\"sinceRealtimeUSec\":1,\"uid\":0,\"new\":1}");
    reopen(ground);
    assert_int_equal(ground->exemptions.damaged, 2);
    assert_non_null(exemption_find(&ground->exemptions, "d"));
    assert_null(exemption_find(&ground->exemptions, "c"));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        scratch_write(&ground->scratch, "state/exemptions/x.json", texts[i]);
        reopen(ground);
        assert_int_equal(ground->exemptions.damaged, 1);
        assert_null(exemption_find(&ground->exemptions, "x"));
    }
    /* longer than the name of any tenant */
    memset(name, 'a', 256);
    name[256] = '\0';
    snprintf(path, sizeof(path), "state/exemptions/%s", store_file_name(name, file));
    snprintf(text, sizeof(text), "{\"tenant\":\"%s\"," UNTIL("5") "}", name);
    scratch_write(&ground->scratch, path, text);
    reopen(ground);
    assert_int_equal(ground->exemptions.damaged, 1);
}

static void test_nobody_and_never(void **state)
{
    struct Ground *ground = *state;
    struct Exemption exemption = until(HOUR), none = until(0);
    char name[300];

    memset(name, 'a', 256);
    name[256] = '\0';
    assert_int_equal(exemption_set(&ground->exemptions, name, &exemption), -EINVAL);
    assert_int_equal(exemption_set(&ground->exemptions, "", &exemption), -EINVAL);
    assert_int_equal(exemption_set(&ground->exemptions, "x", &none), -EINVAL);
    assert_null(ground->exemptions.list);
}

/* crc32 is no secret: two long names that come to one file. The first one keeps it. */
static void test_one_file_for_two(void **state)
{
    struct Ground *ground = *state;
    struct Exemption exemption = until(HOUR), later = until(2 * HOUR);
    char first[256], second[256];

    /* crc32's own polynomial, added to a message, leaves its checksum as it is. */
    memset(first, 'a', 255);
    first[255] = '\0';
    memcpy(second, first, sizeof(first));
    for (unsigned i = 0; i < 5; i++)
        second[240 + i] = (char)(second[240 + i] ^ (char)(0x1db710641ULL >> (8 * i)));
    assert_int_equal(exemption_set(&ground->exemptions, "other", &exemption), 0);
    assert_int_equal(exemption_set(&ground->exemptions, first, &exemption), 0);
    assert_int_equal(exemption_set(&ground->exemptions, second, &exemption), -EEXIST);
    assert_int_equal(exemption_set(&ground->exemptions, first, &later), 0);
    reopen(ground);
    assert_int_equal(exemption_find(&ground->exemptions, first)->until_realtime_usec, 2 * HOUR);
    assert_null(exemption_find(&ground->exemptions, second));
}

/* --- without memory ------------------------------------------------------------------------------- */

static void test_set_without_memory(void **state)
{
    struct Ground *ground = *state;
    struct Exemption first = until(HOUR), second = until(2 * HOUR);

    for (unsigned again = 0; again < 2; again++)
        EACH_FAILURE(nth, ANY_ALLOCATION, ENOMEM)
        {
            const struct Exemption *found;
            int r = exemption_set(&ground->exemptions, "x", again ? &second : &first);

            if (!call_failed()) {
                assert_int_equal(r, 0);
                assert_true(nth > 1);
                break;
            }
            assert_int_equal(r, -ENOMEM);
            found = exemption_find(&ground->exemptions, "x");
            assert_true(again ? found && found->until_realtime_usec == HOUR : !found);
        }
    assert_int_equal(exemption_find(&ground->exemptions, "x")->until_realtime_usec, 2 * HOUR);
}

/* A file that could not be read for want of memory is not damaged. */
static void test_opened_without_memory(void **state)
{
    struct Ground *ground = *state;
    struct Exemption exemption = until(HOUR);

    assert_int_equal(exemption_set(&ground->exemptions, "x", &exemption), 0);
    for (unsigned nth = 1, failed = true; failed; nth++) {
        int r;

        exemptions_close(&ground->exemptions);
        fail_call(ANY_ALLOCATION, nth, ENOMEM);
        r = exemptions_open(&ground->exemptions, ground->state);
        failed = call_failed();
        assert_int_equal(r, failed ? -ENOMEM : 0);
        if (failed)
            assert_int_equal(ground->exemptions.fd, -EBADF);
    }
    assert_int_equal(ground->exemptions.damaged, 0);
    assert_non_null(exemption_find(&ground->exemptions, "x"));
}

/* Nothing is in force that could not be written down. */
static void test_nowhere(void **state)
{
    struct Ground *ground = *state;
    struct Exemption exemption = until(HOUR);

    exemptions_close(&ground->exemptions);
    assert_int_equal(exemptions_open(&ground->exemptions, "/nonexistent"), 0);
    assert_true(exemption_set(&ground->exemptions, "a", &exemption) < 0);
    assert_null(exemption_find(&ground->exemptions, "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_found_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_any_user, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nowhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_and_never, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_file_for_two, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_set_without_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_opened_without_memory, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
