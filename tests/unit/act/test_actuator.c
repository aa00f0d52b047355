/* The actuators that only write and read a file: freeze, thaw, kill, observe, and the table of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "act/actuator.h"
#include "tests/unit/act/fake_cgroup.h"

static int set_up(void **state)
{
    static struct Cgroup cgroup;

    cgroup = fake_cgroup(3);
    *state = &cgroup;
    return 0;
}

static int tear_down(void **state)
{
    fake_cgroup_close(*state);
    return 0;
}

static void assert_points(const struct Cgroup *cgroup, const char *text)
{
    char buf[16];

    for (size_t i = 0; i < cgroup->n_points; i++)
        assert_string_equal(fake_read(cgroup->points[i].freeze_fd, buf, sizeof(buf)), text);
}

static void say_points(const struct Cgroup *cgroup, bool frozen)
{
    for (size_t i = 0; i < cgroup->n_points; i++)
        fake_events(cgroup->points[i].events_fd, true, frozen);
}

static void each_verb_has_its_actuator(void **state)
{
    assert_ptr_equal(actuator_for(VERB_FREEZE, MODE_ENFORCE), &actuator_freeze);
    assert_ptr_equal(actuator_for(VERB_THAW, MODE_ENFORCE), &actuator_thaw);
    assert_ptr_equal(actuator_for(VERB_TERMINATE, MODE_ENFORCE), &actuator_terminate);
    assert_ptr_equal(actuator_for(VERB_KILL, MODE_ENFORCE), &actuator_kill);
    for (int mode = MODE_ENFORCE; mode <= MODE_OBSERVE; mode++) {
        assert_null(actuator_for(VERB_WARN, mode));
        assert_null(actuator_for(VERB_LIMIT, mode));
        assert_null(actuator_for(VERB_UNLIMIT, mode));
        assert_null(actuator_for(VERB_INVALID, mode));
        assert_null(actuator_for(VERB_COUNT, mode));
    }
}

static void observing_touches_nothing(void **state)
{
    static const enum Verb verbs[] = {VERB_FREEZE, VERB_THAW, VERB_TERMINATE, VERB_KILL};
    struct Cgroup *cgroup = *state;
    char buf[16];

    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
        const struct Actuator *actuator = actuator_for(verbs[i], MODE_OBSERVE);

        assert_ptr_equal(actuator, &actuator_observe);
        assert_int_equal(actuator->begin(cgroup), ACT_OBSERVED);
        assert_int_equal(actuator->settled(cgroup), ACT_SETTLED);
        assert_null(actuator->roll_back);
    }
    assert_points(cgroup, "");
    assert_string_equal(fake_read(cgroup->kill_fd, buf, sizeof(buf)), "");
}

static void freeze_settles_when_all_points_are_frozen(void **state)
{
    struct Cgroup *cgroup = *state;

    assert_int_equal(actuator_freeze.begin(cgroup), ACT_PENDING);
    assert_points(cgroup, "1");
    assert_int_equal(actuator_freeze.settled(cgroup), ACT_PENDING);
    fake_events(cgroup->points[0].events_fd, true, true);
    fake_events(cgroup->points[1].events_fd, true, true);
    assert_int_equal(actuator_freeze.settled(cgroup), ACT_PENDING);
    fake_events(cgroup->points[2].events_fd, true, true);
    assert_int_equal(actuator_freeze.settled(cgroup), ACT_SETTLED);
}

static void freeze_rolls_back(void **state)
{
    struct Cgroup *cgroup = *state;

    assert_int_equal(actuator_freeze.begin(cgroup), ACT_PENDING);
    assert_int_equal(actuator_freeze.roll_back(cgroup), 0);
    assert_points(cgroup, "0");
}

static void freeze_refused_at_one_point_is_taken_back(void **state)
{
    struct Cgroup *cgroup = *state;
    char buf[16];

    fake_refuse(cgroup->points[1].freeze_fd, EACCES);
    assert_int_equal(actuator_freeze.begin(cgroup), -EACCES);
    assert_string_equal(fake_read(cgroup->points[0].freeze_fd, buf, sizeof(buf)), "0");
    assert_string_equal(fake_read(cgroup->points[2].freeze_fd, buf, sizeof(buf)), "0");
}

static void freeze_without_the_file_is_an_error(void **state)
{
    struct Cgroup *cgroup = *state;
    int fd = cgroup->points[0].freeze_fd;

    cgroup->points[0].freeze_fd = -EBADF;
    assert_int_equal(actuator_freeze.begin(cgroup), -EBADF);
    cgroup->points[0].freeze_fd = fd;
}

static void a_point_that_vanished_is_settled(void **state)
{
    struct Cgroup *cgroup = *state;

    fake_gone(cgroup->points[1].freeze_fd);
    fake_gone(cgroup->points[1].events_fd);
    assert_int_equal(actuator_freeze.begin(cgroup), ACT_PENDING);
    fake_events(cgroup->points[0].events_fd, true, true);
    assert_int_equal(actuator_freeze.settled(cgroup), ACT_PENDING);
    fake_events(cgroup->points[2].events_fd, true, true);
    assert_int_equal(actuator_freeze.settled(cgroup), ACT_SETTLED);
}

static void a_slice_whose_children_all_vanished_is_settled(void **state)
{
    struct Cgroup *cgroup = *state;

    for (size_t i = 0; i < cgroup->n_points; i++) {
        fake_gone(cgroup->points[i].freeze_fd);
        fake_gone(cgroup->points[i].events_fd);
    }
    assert_int_equal(actuator_freeze.begin(cgroup), ACT_PENDING);
    assert_int_equal(actuator_freeze.settled(cgroup), ACT_SETTLED);
    assert_int_equal(actuator_thaw.settled(cgroup), ACT_SETTLED);
}

static void a_slice_without_children_is_settled(void **state)
{
    struct Cgroup slice = fake_cgroup(0);

    assert_int_equal(actuator_freeze.begin(&slice), ACT_PENDING);
    assert_int_equal(actuator_freeze.settled(&slice), ACT_SETTLED);
    assert_int_equal(actuator_thaw.begin(&slice), ACT_PENDING);
    assert_int_equal(actuator_thaw.settled(&slice), ACT_SETTLED);
    fake_cgroup_close(&slice);
}

static void all_say_when_the_cgroup_is_gone(void **state)
{
    static const struct Actuator *const actuators[] = {&actuator_freeze, &actuator_thaw, &actuator_kill};
    struct Cgroup *cgroup = *state;

    fake_cgroup_gone(cgroup);
    for (size_t i = 0; i < sizeof(actuators) / sizeof(*actuators); i++) {
        assert_int_equal(actuators[i]->begin(cgroup), -ENODEV);
        assert_int_equal(actuators[i]->settled(cgroup), -ENODEV);
    }
    assert_int_equal(actuator_freeze.roll_back(cgroup), -ENODEV);
    assert_int_equal(actuator_terminate.settled(cgroup), -ENODEV);
}

static void thaw_settles_when_no_point_is_frozen(void **state)
{
    struct Cgroup *cgroup = *state;

    say_points(cgroup, true);
    assert_int_equal(actuator_thaw.begin(cgroup), ACT_PENDING);
    assert_points(cgroup, "0");
    assert_int_equal(actuator_thaw.settled(cgroup), ACT_PENDING);
    say_points(cgroup, false);
    assert_int_equal(actuator_thaw.settled(cgroup), ACT_SETTLED);
    assert_null(actuator_thaw.roll_back);
}

static void thaw_reaches_the_points_behind_one_that_refuses(void **state)
{
    struct Cgroup *cgroup = *state;
    char buf[16];

    fake_refuse(cgroup->points[0].freeze_fd, EACCES);
    assert_int_equal(actuator_thaw.begin(cgroup), -EACCES);
    assert_string_equal(fake_read(cgroup->points[2].freeze_fd, buf, sizeof(buf)), "0");
}

static void kill_settles_when_the_cgroup_is_empty(void **state)
{
    struct Cgroup *cgroup = *state;
    char buf[16];

    assert_int_equal(actuator_kill.begin(cgroup), ACT_PENDING);
    assert_string_equal(fake_read(cgroup->kill_fd, buf, sizeof(buf)), "1");
    assert_int_equal(actuator_kill.settled(cgroup), ACT_PENDING);
    fake_events(cgroup->events_fd, false, false);
    assert_int_equal(actuator_kill.settled(cgroup), ACT_SETTLED);
    assert_null(actuator_kill.roll_back);
}

static void kill_without_cgroup_kill_is_an_error(void **state)
{
    struct Cgroup cgroup = CGROUP_NULL;

    assert_int_equal(actuator_kill.begin(&cgroup), -EBADF);
}

static void cgroup_events_are_read(void **state)
{
    struct CgroupState read;
    int fd = fake_file("populated 1\nfrozen 0\n");

    assert_int_equal(cgroup_read_state(fd, &read), 0);
    assert_true(read.populated);
    assert_false(read.frozen);
    fake_say(fd, "frozen 1\nsomething 7\npopulated 0\n");
    assert_int_equal(cgroup_read_state(fd, &read), 0);
    assert_false(read.populated);
    assert_true(read.frozen);
    fake_say(fd, "populated 1\n");
    assert_int_equal(cgroup_read_state(fd, &read), -EBADMSG);
    fake_say(fd, "");
    assert_int_equal(cgroup_read_state(fd, &read), -EBADMSG);
    assert_int_equal(cgroup_read_state(-EBADF, &read), -EBADF);
    close(fd);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_verb_has_its_actuator),
        TEST(observing_touches_nothing),
        TEST(freeze_settles_when_all_points_are_frozen),
        TEST(freeze_rolls_back),
        TEST(freeze_refused_at_one_point_is_taken_back),
        TEST(freeze_without_the_file_is_an_error),
        TEST(a_point_that_vanished_is_settled),
        TEST(a_slice_whose_children_all_vanished_is_settled),
        TEST(a_slice_without_children_is_settled),
        TEST(all_say_when_the_cgroup_is_gone),
        TEST(thaw_settles_when_no_point_is_frozen),
        TEST(thaw_reaches_the_points_behind_one_that_refuses),
        TEST(kill_settles_when_the_cgroup_is_empty),
        TEST(kill_without_cgroup_kill_is_an_error),
        TEST(cgroup_events_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
