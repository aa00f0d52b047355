/* Limits written direct: taken over whole, and believed only when they read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "act/limit.h"
#include "tests/unit/act/fake_io_max.h"

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

/* What stands in the file after a limit was written over what stood there before. */
static void each_has_its_file_and_its_form(void **state)
{
    static const struct {
        enum LimitId id;
        enum CgroupFile file;
        const char *before;
        uint64_t found, value;
        const char *after;
    } table[] = {
        {LIMIT_MEMORY_HIGH, CGROUP_MEMORY_HIGH, "max\n", LIMIT_INFINITY, 1 << 30, "1073741824"},
        {LIMIT_MEMORY_MAX, CGROUP_MEMORY_MAX, "4096\n", 4096, LIMIT_INFINITY, "max"},
        {LIMIT_MEMORY_SWAP_MAX, CGROUP_MEMORY_SWAP_MAX, "max\n", LIMIT_INFINITY, 0, "0"},
        {LIMIT_CPU_QUOTA, CGROUP_CPU_MAX, "max 100000\n", LIMIT_INFINITY, 15050, "150500 100000"},
        {LIMIT_CPU_QUOTA, CGROUP_CPU_MAX, "50000 100000\n", 5000, LIMIT_INFINITY, "max 100000"},
        /* the period stays, unless the quota would be less than the kernel takes */
        {LIMIT_CPU_QUOTA, CGROUP_CPU_MAX, "max 20000\n", LIMIT_INFINITY, 5000, "10000 20000"},
        {LIMIT_CPU_QUOTA, CGROUP_CPU_MAX, "100000 1000000\n", 1000, 100000000, "10000000000 1000000"},
        {LIMIT_CPU_QUOTA, CGROUP_CPU_MAX, "max 1000\n", LIMIT_INFINITY, 5000, "1000 2000"},
        {LIMIT_CPU_QUOTA, CGROUP_CPU_MAX, "max 100000\n", LIMIT_INFINITY, 10, "1000 1000000"},
        {LIMIT_CPU_QUOTA, CGROUP_CPU_MAX, "33333 100000\n", 3333, 3333, "33330 100000"},
        {LIMIT_CPU_WEIGHT, CGROUP_CPU_WEIGHT, "100\n", 100, 20, "20"},
        {LIMIT_IO_WEIGHT, CGROUP_IO_WEIGHT, "default 100\n8:16 200\n", 100, 10000, "default 10000"},
    };
    struct Cgroup *cgroup = *state;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int fd = cgroup->files[table[i].file];
        uint64_t value = 7;
        char text[64];

        assert_true(limit_file(table[i].id) == 1u << table[i].file);
        fake_say(fd, table[i].before);
        assert_int_equal(limit_read(cgroup, table[i].id, &value), 0);
        assert_true(value == table[i].found);
        assert_int_equal(limit_write(cgroup, table[i].id, table[i].value), 0);
        assert_string_equal(fake_read(fd, text, sizeof(text)), table[i].after);
    }
}

/* One number of one device's line: the others stay. */
static void a_limit_of_a_disk_is_one_number(void **state)
{
    struct Cgroup *cgroup = *state;
    const struct RateDisk one = {.major = 8, .minor = 0}, two = {.major = 8, .minor = 16};
    uint64_t value = 7;
    char text[256];

    assert_true(limit_file(LIMIT_IO_WRITE_IOPS_MAX) == 1u << CGROUP_IO_MAX);
    fake_io_max(cgroup);
    fake_io_say("8:16 rbps=1000000 wiops=50");
    assert_int_equal(limit_read(cgroup, LIMIT_IO_READ_BANDWIDTH_MAX, &value), -ENOTBLK);
    assert_int_equal(limit_read_on(cgroup, LIMIT_IO_READ_BANDWIDTH_MAX, &two, &value), 0);
    assert_int_equal(value, 1000000);
    assert_int_equal(limit_read_on(cgroup, LIMIT_IO_WRITE_IOPS_MAX, &two, &value), 0);
    assert_int_equal(value, 50);
    assert_int_equal(limit_read_on(cgroup, LIMIT_IO_WRITE_IOPS_MAX, &one, &value), 0);
    assert_true(value == LIMIT_INFINITY);

    assert_int_equal(limit_write_on(cgroup, LIMIT_IO_WRITE_BANDWIDTH_MAX, &two, 5000000), 0);
    assert_int_equal(limit_write_on(cgroup, LIMIT_IO_READ_IOPS_MAX, &one, 200), 0);
    assert_int_equal(limit_write_on(cgroup, LIMIT_IO_WRITE_IOPS_MAX, &two, LIMIT_INFINITY), 0);
    assert_string_equal(fake_read(cgroup->files[CGROUP_IO_MAX], text, sizeof(text)),
                        "8:16 rbps=1000000 wbps=5000000 riops=max wiops=max\n"
                        "8:0 rbps=max wbps=max riops=200 wiops=max\n");
    fake_ignore_writes = true;
    assert_int_equal(limit_write_on(cgroup, LIMIT_IO_READ_IOPS_MAX, &one, 100), -EIO);
    fake_ignore_writes = false;

    /* a disk that is gone, and a cgroup that is */
    fake_io.gone = true;
    assert_int_equal(limit_write_on(cgroup, LIMIT_IO_READ_IOPS_MAX, &two, 100), -ENXIO);
    fake_gone(cgroup->files[CGROUP_IO_MAX]);
    assert_int_equal(limit_write_on(cgroup, LIMIT_IO_READ_IOPS_MAX, &one, 100), -ENODEV);
    fake_take = NULL;
}

/* 1000000000 bytes are no whole number of pages. */
static void what_the_kernel_rounds_is_the_same(void **state)
{
    struct Cgroup *cgroup = *state;

    fake_say(cgroup->files[CGROUP_MEMORY_MAX], "999997440\n");
    fake_ignore_writes = true;
    assert_int_equal(limit_write(cgroup, LIMIT_MEMORY_MAX, 1000000000), 0);
    assert_int_equal(limit_write(cgroup, LIMIT_MEMORY_MAX, 1001000000), -EIO);
    assert_int_equal(limit_write(cgroup, LIMIT_MEMORY_MAX, LIMIT_INFINITY), -EIO);
    fake_ignore_writes = false;
}

static void what_is_used_is_read(void **state)
{
    struct Cgroup *cgroup = *state;
    uint64_t used = 5;

    assert_int_equal(limit_read_used(cgroup, LIMIT_MEMORY_HIGH, &used), 0);
    assert_int_equal(used, 1048576);
    assert_int_equal(limit_read_used(cgroup, LIMIT_MEMORY_MAX, &used), 0);
    assert_int_equal(limit_read_used(cgroup, LIMIT_MEMORY_SWAP_MAX, &used), 0);
    assert_int_equal(used, 0);
    assert_int_equal(limit_read_used(cgroup, LIMIT_CPU_QUOTA, &used), -EBADF);
    assert_int_equal(limit_read_used(cgroup, LIMIT_TASKS_MAX, &used), -EBADF);
}

static void what_is_not_the_form_is_an_error(void **state)
{
    static const char *const quotas[] = {"",
                                         "max",
                                         "max\n",
                                         "100000\n",
                                         "5 \n",
                                         "5 0\n",
                                         "x 100000\n",
                                         "max 1x\n",
                                         "5  100000\n",
                                         "-5 100000\n",
                                         "99999999999999999999 100000\n",
                                         "5 100000 7\n"};
    static const char *const weights[] = {"",           "100\n",           "default \n",
                                          "8:16 200\n", "default 100 1\n", "default x\n"};
    struct Cgroup *cgroup = *state;
    uint64_t value = 5;

    for (size_t i = 0; i < sizeof(quotas) / sizeof(quotas[0]); i++) {
        fake_say(cgroup->files[CGROUP_CPU_MAX], quotas[i]);
        assert_int_equal(limit_read(cgroup, LIMIT_CPU_QUOTA, &value), -EBADMSG);
        assert_int_equal(limit_write(cgroup, LIMIT_CPU_QUOTA, 5000), -EBADMSG);
    }
    for (size_t i = 0; i < sizeof(weights) / sizeof(weights[0]); i++) {
        fake_say(cgroup->files[CGROUP_IO_WEIGHT], weights[i]);
        assert_int_equal(limit_read(cgroup, LIMIT_IO_WEIGHT, &value), -EBADMSG);
    }
    assert_int_equal(value, 5);
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
    for (int id = LIMIT_MEMORY_HIGH; id < LIMIT_COUNT; id++) {
        assert_int_equal(limit_read(&cgroup, (enum LimitId)id, &value), -EBADF);
        assert_int_equal(limit_write(&cgroup, (enum LimitId)id, 1), -EBADF);
    }
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
        TEST(a_limit_is_written_and_read),        TEST(another_value_in_force_is_an_error),
        TEST(what_is_no_number_is_an_error),      TEST(without_the_controller_there_is_no_limit),
        TEST(a_removed_cgroup_says_so),           TEST(each_has_its_file_and_its_form),
        TEST(a_limit_of_a_disk_is_one_number),    TEST(what_is_used_is_read),
        TEST(what_the_kernel_rounds_is_the_same), TEST(what_is_not_the_form_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
