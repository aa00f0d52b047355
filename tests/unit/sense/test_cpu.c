/* The CPU sensor on plain files. */
#include "../failing.h"
#include "strain_files.h"

#include "sense/strain.h"

static void look(struct StrainFixture *f, unsigned usage, unsigned throttled, usec_t now)
{
    char text[256];

    snprintf(text, sizeof(text),
             "usage_usec %u\nuser_usec 1\nsystem_usec 2\nnr_periods 5\nnr_throttled 1\nthrottled_usec %u\n",
             usage, throttled);
    if (f->cgroup.files[CGROUP_CPU_STAT] < 0)
        strain_file(f, CGROUP_CPU_STAT, "cpu.stat", text);
    else
        scratch_write(&f->scratch, "cpu.stat", text);
    assert_int_equal(cpu_look(&f->cgroup, &f->strain, now, &f->readings), 0);
    assert_int_equal(f->readings.at_usec, now);
}

static void use_of_cpus(void **state)
{
    struct StrainFixture *f = *state;

    look(f, 5000, 100, USEC_PER_SEC);
    assert_false(f->readings.valid[READING_CPU_USAGE]);
    assert_false(f->readings.valid[READING_CPU_THROTTLED]);
    look(f, 3005000, 500100, 3 * USEC_PER_SEC);
    strain_assert(f, READING_CPU_USAGE, 15000);
    strain_assert(f, READING_CPU_THROTTLED, 2500);
    assert_true(f->readings.limit[READING_CPU_USAGE] == READING_UNLIMITED);
}

static void near_looks_change_nothing(void **state)
{
    struct StrainFixture *f = *state;

    look(f, 0, 0, USEC_PER_SEC);
    look(f, 500000, 0, 2 * USEC_PER_SEC);
    look(f, 599000, 0, 2 * USEC_PER_SEC + 99 * USEC_PER_MSEC);
    strain_assert(f, READING_CPU_USAGE, 5000);
    look(f, 700000, 0, 2 * USEC_PER_SEC + 100 * USEC_PER_MSEC);
    strain_assert(f, READING_CPU_USAGE, 20000);
}

static void peace_is_no_rate(void **state)
{
    struct StrainFixture *f = *state;

    look(f, 0, 0, USEC_PER_SEC);
    look(f, 4000000, 0, USEC_PER_HOUR);
    assert_false(f->readings.valid[READING_CPU_USAGE]);
    look(f, 8000000, 0, USEC_PER_HOUR + USEC_PER_SEC);
    strain_assert(f, READING_CPU_USAGE, 40000);
}

/* The kernel adds up over all CPUs. */
static void throttled_all_the_time(void **state)
{
    struct StrainFixture *f = *state;

    look(f, 0, 0, USEC_PER_SEC);
    look(f, 0, 3000000, 2 * USEC_PER_SEC);
    strain_assert(f, READING_CPU_THROTTLED, 10000);
}

static void counter_that_went_back(void **state)
{
    struct StrainFixture *f = *state;

    look(f, 900000, 0, USEC_PER_SEC);
    look(f, 100000, 0, 2 * USEC_PER_SEC);
    assert_false(f->readings.valid[READING_CPU_USAGE]);
    look(f, 200000, 0, 3 * USEC_PER_SEC);
    strain_assert(f, READING_CPU_USAGE, 1000);
}

static void without_controller(void **state)
{
    struct StrainFixture *f = *state;

    look(f, 0, 0, USEC_PER_SEC);
    scratch_write(&f->scratch, "cpu.stat", "usage_usec 1000000\nuser_usec 0\nsystem_usec 0\n");
    assert_int_equal(cpu_look(&f->cgroup, &f->strain, 2 * USEC_PER_SEC, &f->readings), 0);
    strain_assert(f, READING_CPU_USAGE, 10000);
    assert_false(f->readings.valid[READING_CPU_THROTTLED]);
    fd_close(f->cgroup.files[CGROUP_CPU_STAT]);
    f->cgroup = CGROUP_NULL;
    assert_int_equal(cpu_look(&f->cgroup, &f->strain, 3 * USEC_PER_SEC, &f->readings), 0);
    assert_false(f->readings.valid[READING_CPU_USAGE]);
}

static void cgroup_that_is_gone(void **state)
{
    struct StrainFixture *f = *state;

    look(f, 0, 0, USEC_PER_SEC);
    fail_call("pread64", 1, ENODEV);
    assert_int_equal(cpu_look(&f->cgroup, &f->strain, 2 * USEC_PER_SEC, &f->readings), -ENODEV);
    assert_true(call_failed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STRAIN_TEST(use_of_cpus),
        STRAIN_TEST(near_looks_change_nothing),
        STRAIN_TEST(peace_is_no_rate),
        STRAIN_TEST(throttled_all_the_time),
        STRAIN_TEST(counter_that_went_back),
        STRAIN_TEST(without_controller),
        STRAIN_TEST(cgroup_that_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
