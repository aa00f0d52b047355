/* The lines of a throttle: what is planned, and what is taken for the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "act/throttle.h"
#include "tests/unit/act/fake_cgroup.h"

struct Ground {
    struct Cgroup cgroup;
    struct Strain strain;
    struct Readings readings;
    struct Throttle plan;
};

static int set_up(void **state)
{
    struct Ground *ground = calloc(1, sizeof(*ground));

    ground->cgroup = CGROUP_NULL;
    ground->cgroup.files[CGROUP_CPU_MAX] = fake_file("max 100000\n");
    ground->cgroup.files[CGROUP_MEMORY_HIGH] = fake_file("max\n");
    ground->cgroup.files[CGROUP_MEMORY_CURRENT] = fake_file("104857600\n");
    ground->cgroup.files[CGROUP_IO_MAX] = fake_file("");
    fake_ignore_writes = false;
    *state = ground;
    return 0;
}

static int tear_down(void **state)
{
    struct Ground *ground = *state;

    for (int i = 0; i < CGROUP_FILE_COUNT; i++)
        if (ground->cgroup.files[i] >= 0)
            close(ground->cgroup.files[i]);
    free(ground);
    return 0;
}

static void uses_cpu(struct Ground *ground, int64_t usage)
{
    ground->readings.valid[READING_CPU_USAGE] = true;
    ground->readings.value[READING_CPU_USAGE] = usage;
}

static int plan(struct Ground *ground, enum Resource resource, unsigned percent)
{
    return throttle_plan(&ground->cgroup, resource, percent, &ground->strain, &ground->readings,
                         &ground->plan);
}

static void planned(const struct Ground *ground, size_t i, const char *found, const char *value)
{
    assert_true(i < ground->plan.n_lines);
    assert_string_equal(ground->plan.lines[i].found, found);
    assert_string_equal(ground->plan.lines[i].value, value);
}

static void cpu(void **state)
{
    static const struct {
        const char *there;
        int64_t usage;
        unsigned percent;
        const char *found, *value;
    } cases[] = {
        {"max 100000\n", 20000, 50, "max 100000", "100000 100000"},    /* of two CPUs one */
        {"max 50000\n", 10000, 50, "max 50000", "25000 50000"},        /* in the period that is there */
        {"20000 100000\n", 10000, 50, "20000 100000", "20000 100000"}, /* never above a quota */
        {"max 100000\n", 10, 50, "max 100000", "1000 100000"},         /* not below 1 % */
        {"max 10000\n", 0, 50, "max 10000", "1000 10000"},             /* nor below what the kernel takes */
    };
    struct Ground *ground = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake_say(ground->cgroup.files[CGROUP_CPU_MAX], cases[i].there);
        uses_cpu(ground, cases[i].usage);
        assert_int_equal(plan(ground, RESOURCE_CPU, cases[i].percent), 0);
        assert_int_equal(ground->plan.n_lines, 1);
        planned(ground, 0, cases[i].found, cases[i].value);
    }
}

static void memory(void **state)
{
    struct Ground *ground = *state;

    assert_int_equal(plan(ground, RESOURCE_MEMORY, 90), 0);
    planned(ground, 0, "max", "94371840");
    fake_say(ground->cgroup.files[CGROUP_MEMORY_HIGH], "4096\n");
    assert_int_equal(plan(ground, RESOURCE_MEMORY, 90), 0);
    planned(ground, 0, "4096", "4096");
    fake_say(ground->cgroup.files[CGROUP_MEMORY_HIGH], "max\n");
    fake_say(ground->cgroup.files[CGROUP_MEMORY_CURRENT], "0\n");
    assert_int_equal(plan(ground, RESOURCE_MEMORY, 90), 0);
    planned(ground, 0, "max", "16777216");
    /* whole pages */
    fake_say(ground->cgroup.files[CGROUP_MEMORY_CURRENT], "100000001\n");
    assert_int_equal(plan(ground, RESOURCE_MEMORY, 33), 0);
    planned(ground, 0, "max", "32997376");
}

/* Of the devices that it loads; what is there of others and in other numbers stays. */
static void io(void **state)
{
    struct Ground *ground = *state;

    fake_say(ground->cgroup.files[CGROUP_IO_MAX],
             "8:0 rbps=max wbps=1000000 riops=max wiops=max\n8:16 rbps=max wbps=max riops=7 wiops=max\n");
    ground->strain.n_devices = 3;
    ground->strain.devices[0] =
        (struct DeviceUse){.major = 8, .minor = 16, .wbps = 4000000, .riops = 100, .wiops = 30};
    ground->strain.devices[1] = (struct DeviceUse){.major = 8, .minor = 32};
    ground->strain.devices[2] = (struct DeviceUse){.major = 253, .rbps = 1000000};
    assert_int_equal(plan(ground, RESOURCE_IO, 25), 0);
    assert_int_equal(ground->plan.n_lines, 2);
    planned(ground, 0, "8:16 rbps=max wbps=max riops=7 wiops=max",
            "8:16 rbps=65536 wbps=1000000 riops=7 wiops=8");
    planned(ground, 1, "253:0 rbps=max wbps=max riops=max wiops=max",
            "253:0 rbps=250000 wbps=65536 riops=8 wiops=8");
}

static void nothing_to_plan(void **state)
{
    struct Ground *ground = *state;

    assert_int_equal(plan(ground, RESOURCE_CPU, 50), -ENODATA);
    assert_int_equal(plan(ground, RESOURCE_IO, 50), -ENODATA);
    ground->strain.n_devices = 1; /* nothing moves */
    assert_int_equal(plan(ground, RESOURCE_IO, 50), -ENODATA);
    assert_int_equal(plan(ground, RESOURCE_TASKS, 50), -EOPNOTSUPP);
    fake_gone(ground->cgroup.files[CGROUP_MEMORY_CURRENT]);
    assert_int_equal(plan(ground, RESOURCE_MEMORY, 50), -ENODEV);
    close(ground->cgroup.files[CGROUP_CPU_MAX]);
    ground->cgroup.files[CGROUP_CPU_MAX] = -EBADF;
    assert_int_equal(plan(ground, RESOURCE_CPU, 50), -EBADF);
    assert_int_equal(ground->plan.n_lines, 0);
}

static void same_and_lower(void **state)
{
    char line[THROTTLE_LINE_MAX];
    uint64_t value;

    assert_true(throttle_is_same(RESOURCE_MEMORY, "4096", "5000\n"));
    assert_true(throttle_is_same(RESOURCE_CPU, "max", "max 100000"));
    assert_false(throttle_is_same(RESOURCE_CPU, "50000 100000", "50000 50000"));
    assert_true(throttle_is_same(RESOURCE_IO, "8:0 wbps=5", "8:0 rbps=max wbps=5 riops=max wiops=max"));
    assert_false(throttle_is_same(RESOURCE_IO, "8:0 wbps=5", "8:1 wbps=5"));
    assert_false(throttle_is_same(RESOURCE_CPU, "", ""));

    assert_int_equal(throttle_lower(RESOURCE_CPU, "50000 100000", "10000 10000", line), 0);
    assert_string_equal(line, "50000 100000");
    assert_int_equal(throttle_lower(RESOURCE_CPU, "50000 100000", "1000 10000", line), 0);
    assert_string_equal(line, "1000 10000");
    assert_int_equal(throttle_lower(RESOURCE_IO, "8:0 rbps=7 wiops=9", "8:0 rbps=8 wbps=5", line), 0);
    assert_string_equal(line, "8:0 rbps=7 wbps=5 riops=max wiops=9");
    assert_int_equal(throttle_lower(RESOURCE_IO, "sda rbps=7", "8:0 rbps=8", line), -EBADMSG);

    assert_int_equal(throttle_value(LIMIT_CPU_QUOTA, "25000 100000", &value), 0);
    assert_int_equal(value, 2500);
    assert_int_equal(throttle_value(LIMIT_CPU_QUOTA, "max 100000", &value), 0);
    assert_true(value == UINT64_MAX);
    assert_int_equal(throttle_value(LIMIT_MEMORY_HIGH, "max", &value), 0);
    assert_true(value == UINT64_MAX);
    assert_int_equal(throttle_value(LIMIT_IO_WRITE_BANDWIDTH_MAX, "8:0 rbps=7 wbps=9", &value), 0);
    assert_int_equal(value, 9);
    assert_int_equal(throttle_value(LIMIT_IO_WRITE_IOPS_MAX, "8:0 rbps=7 wbps=9", &value), 0);
    assert_true(value == UINT64_MAX);
    assert_int_equal(throttle_value(LIMIT_IO_READ_IOPS_MAX, "rbps=7", &value), -EBADMSG);
    assert_int_equal(throttle_value(LIMIT_TASKS_MAX, "7", &value), -EBADMSG);
}

/* A device whose limits are lifted has no line any more. */
static void written(void **state)
{
    struct Ground *ground = *state;
    const char *none = "8:0 rbps=max wbps=max riops=max wiops=max";
    char line[THROTTLE_LINE_MAX];

    assert_int_equal(throttle_write(&ground->cgroup, RESOURCE_CPU, "50000 100000"), 0);
    assert_int_equal(throttle_is(&ground->cgroup, RESOURCE_CPU, "50000 100000"), 1);
    assert_int_equal(throttle_is(&ground->cgroup, RESOURCE_CPU, "max 100000"), 0);
    assert_int_equal(throttle_is(&ground->cgroup, RESOURCE_IO, none), 1);
    assert_int_equal(throttle_write(&ground->cgroup, RESOURCE_IO, "8:0 rbps=5 wbps=6 riops=7 wiops=8"), 0);
    assert_int_equal(throttle_is(&ground->cgroup, RESOURCE_IO, none), 0);
    assert_int_equal(throttle_read(&ground->cgroup, RESOURCE_IO, "8:16 rbps=1", line), 0);
    assert_string_equal(line, "8:16 rbps=max wbps=max riops=max wiops=max");
    fake_ignore_writes = true;
    assert_int_equal(throttle_write(&ground->cgroup, RESOURCE_MEMORY, "4096"), -EIO);
    fake_ignore_writes = false;
    fake_gone(ground->cgroup.files[CGROUP_CPU_MAX]);
    assert_int_equal(throttle_write(&ground->cgroup, RESOURCE_CPU, "max 100000"), -ENODEV);
    assert_int_equal(throttle_is(&ground->cgroup, RESOURCE_CPU, "max 100000"), -ENODEV);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cpu), TEST(memory), TEST(io), TEST(nothing_to_plan), TEST(same_and_lower), TEST(written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
