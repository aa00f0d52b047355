/* Limits written direct: taken over whole, and believed only when they read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "act/limit.h"
#include "tests/unit/act/fake_cgroup.h"

static int set_up(void **state)
{
    static struct Cgroup cgroup;

    cgroup = fake_cgroup(0);
    *state = &cgroup;
    return 0;
}

static int tear_down(void **state)
{
    fake_cgroup_close(*state);
    return 0;
}

static void a_limit_is_written_and_read(void **state)
{
    struct Cgroup *cgroup = *state;
    uint64_t value = 0;

    assert_int_equal(limit_read(cgroup, LIMIT_TASKS_MAX, &value), 0);
    assert_true(value == LIMIT_INFINITY);
    assert_int_equal(limit_write(cgroup, LIMIT_TASKS_MAX, 2048), 0);
    assert_int_equal(limit_read(cgroup, LIMIT_TASKS_MAX, &value), 0);
    assert_int_equal(value, 2048);
    assert_int_equal(limit_write(cgroup, LIMIT_TASKS_MAX, 7), 0);
    assert_int_equal(limit_write(cgroup, LIMIT_TASKS_MAX, LIMIT_INFINITY), 0);
    assert_int_equal(limit_read(cgroup, LIMIT_TASKS_MAX, &value), 0);
    assert_true(value == LIMIT_INFINITY);
}

static void another_value_in_force_is_an_error(void **state)
{
    struct Cgroup *cgroup = *state;

    fake_refuse(cgroup->pids_max_fd, EINVAL);
    assert_int_equal(limit_write(cgroup, LIMIT_TASKS_MAX, 1), -EINVAL);
    fake_refuse(cgroup->pids_max_fd, 0);
    fake_ignore_writes = true;
    assert_int_equal(limit_write(cgroup, LIMIT_TASKS_MAX, 1), -EIO);
    fake_ignore_writes = false;
    assert_int_equal(limit_write(cgroup, LIMIT_TASKS_MAX, 1), 0);
}

static void what_is_no_number_is_an_error(void **state)
{
    struct Cgroup *cgroup = *state;
    uint64_t value = 5;

    fake_say(cgroup->pids_max_fd, "lots\n");
    assert_int_equal(limit_read(cgroup, LIMIT_TASKS_MAX, &value), -EBADMSG);
    assert_int_equal(value, 5);
}

static void without_the_controller_there_is_no_limit(void **state)
{
    struct Cgroup cgroup = CGROUP_NULL;
    uint64_t value;

    assert_int_equal(limit_read(&cgroup, LIMIT_TASKS_MAX, &value), -EBADF);
    assert_int_equal(limit_write(&cgroup, LIMIT_TASKS_MAX, 1), -EBADF);
    assert_int_equal(limit_read(*state, LIMIT_COUNT, &value), -EBADF);
}

static void a_removed_cgroup_says_so(void **state)
{
    uint64_t value;

    fake_cgroup_gone(*state);
    assert_int_equal(limit_read(*state, LIMIT_TASKS_MAX, &value), -ENODEV);
    assert_int_equal(limit_write(*state, LIMIT_TASKS_MAX, 1), -ENODEV);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_limit_is_written_and_read),   TEST(another_value_in_force_is_an_error),
        TEST(what_is_no_number_is_an_error), TEST(without_the_controller_there_is_no_limit),
        TEST(a_removed_cgroup_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
