/* Exemptions: what is set is found again by the next run, the one that ends first is told, and what makes no
 * sense on disk is put aside. */
#include "scratch.h"

#include <errno.h>

#include "record/exemption.h"

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

static void test_damaged(void **state)
{
    struct Ground *ground = *state;

    scratch_write(&ground->scratch, "state/exemptions/a.json", "{");
    scratch_write(&ground->scratch, "state/exemptions/b.json",
                  "{\"tenant\":\"c\",\"untilRealtimeUSec\":5,\"sinceRealtimeUSec\":1,\"uid\":0}");
    scratch_write(&ground->scratch, "state/exemptions/d.json",
                  "{\"tenant\":\"d\",\"untilRealtimeUSec\":5,\"sinceRealtimeUSec\":1,\"uid\":0,\"new\":1}");
    reopen(ground);
    assert_int_equal(ground->exemptions.damaged, 2);
    assert_non_null(exemption_find(&ground->exemptions, "d"));
    assert_null(exemption_find(&ground->exemptions, "c"));
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
