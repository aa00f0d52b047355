/* The I/O sensor on plain files. */
#include "../failing.h"
#include "strain_files.h"

#include "sense/strain.h"

static void look(struct StrainFixture *f, const char *text, usec_t now)
{
    if (f->cgroup.files[CGROUP_IO_STAT] < 0)
        strain_file(f, CGROUP_IO_STAT, "io.stat", text);
    else
        scratch_write(&f->scratch, "io.stat", text);
    assert_int_equal(io_look(&f->cgroup, &f->strain, now, &f->readings), 0);
    assert_int_equal(f->readings.at_usec, now);
}

static void parses_what_the_kernel_writes(void **state)
{
    struct DeviceCounters devices[4];

    (void)state;
    assert_int_equal(io_stat_parse("8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n"
                                   "253:1 rbytes=10 wbytes=20 rios=30 wios=40 dbytes=0 dios=0 cost.usage=7\n",
                                   devices, 4),
                     2);
    assert_int_equal(devices[0].major, 8);
    assert_int_equal(devices[0].minor, 16);
    assert_int_equal(devices[0].rbytes, 1);
    assert_int_equal(devices[0].wbytes, 2);
    assert_int_equal(devices[0].rios, 3);
    assert_int_equal(devices[0].wios, 4);
    assert_int_equal(devices[1].major, 253);
    assert_int_equal(devices[1].wios, 40);
    assert_int_equal(io_stat_parse("8:0 rbytes=1\n8:1 rbytes=1\n", devices, 1), 1);
}

/* Names without counters, on one line with the next; a line that the buffer cut. */
static void parses_odd_lines(void **state)
{
    struct DeviceCounters devices[4];

    (void)state;
    assert_int_equal(
        io_stat_parse("7:7 7:6 253:0 rbytes=9 wios=8\n8:0 \n(unknown) rbytes=1\n\n8:16 rbytes=100", devices,
                      4),
        2);
    assert_int_equal(devices[0].major, 253);
    assert_int_equal(devices[0].rbytes, 9);
    assert_int_equal(devices[0].wios, 8);
    assert_int_equal(devices[1].major, 8);
    assert_int_equal(devices[1].rbytes, 0);
    assert_int_equal(io_stat_parse("8:16 rbytes=x wbytes=12y rios=99999999999999999999 wios=3\n", devices, 4),
                     1);
    assert_int_equal(devices[0].rbytes + devices[0].wbytes + devices[0].rios, 0);
    assert_int_equal(devices[0].wios, 3);
    assert_int_equal(io_stat_parse("", devices, 4), 0);
    assert_int_equal(io_stat_parse("99999999999:1 rbytes=1\n", devices, 4), 0);
    assert_int_equal(io_stat_parse("1:99999999999 rbytes=1\n", devices, 4), 0);
    assert_int_equal(io_stat_parse("8:16x rbytes=1\n8:16", devices, 4), 0);
    assert_int_equal(io_stat_parse("8:16\n", devices, 4), 1);
}

static void rates_of_devices(void **state)
{
    struct StrainFixture *f = *state;

    look(f, "8:0 rbytes=1000 wbytes=0 rios=10 wios=0\n8:16 rbytes=0 wbytes=500 rios=0 wios=5\n",
         USEC_PER_SEC);
    assert_false(f->readings.valid[READING_IO_RATE]);
    assert_int_equal(f->strain.n_devices, 0);
    look(f, "8:0 rbytes=3000 wbytes=0 rios=12 wios=0\n8:16 rbytes=0 wbytes=20500 rios=0 wios=25\n",
         3 * USEC_PER_SEC);
    strain_assert(f, READING_IO_RATE, 11000);
    assert_int_equal(f->strain.n_devices, 2);
    assert_int_equal(f->strain.devices[0].minor, 16);
    assert_int_equal(f->strain.devices[0].wbps, 10000);
    assert_int_equal(f->strain.devices[0].wiops, 10);
    assert_int_equal(f->strain.devices[1].minor, 0);
    assert_int_equal(f->strain.devices[1].rbps, 1000);
    assert_int_equal(f->strain.devices[1].riops, 1);
    /* Idle again. */
    look(f, "8:0 rbytes=3000 wbytes=0 rios=12 wios=0\n8:16 rbytes=0 wbytes=20500 rios=0 wios=25\n",
         4 * USEC_PER_SEC);
    strain_assert(f, READING_IO_RATE, 0);
    assert_int_equal(f->strain.n_devices, 0);
}

static void near_looks_change_nothing(void **state)
{
    struct StrainFixture *f = *state;

    look(f, "8:0 rbytes=0\n", USEC_PER_SEC);
    look(f, "8:0 rbytes=5000\n", 2 * USEC_PER_SEC);
    look(f, "8:0 rbytes=9000\n", 2 * USEC_PER_SEC + 99 * USEC_PER_MSEC);
    strain_assert(f, READING_IO_RATE, 5000);
    assert_int_equal(f->strain.devices[0].rbps, 5000);
    look(f, "8:0 rbytes=9000\n", 2 * USEC_PER_SEC + 500 * USEC_PER_MSEC);
    strain_assert(f, READING_IO_RATE, 8000);
    assert_int_equal(f->strain.devices[0].rbps, 8000);
}

static void peace_is_no_rate(void **state)
{
    struct StrainFixture *f = *state;

    look(f, "8:0 rbytes=0\n", USEC_PER_SEC);
    look(f, "8:0 rbytes=3600000\n", USEC_PER_HOUR);
    assert_false(f->readings.valid[READING_IO_RATE]);
    assert_int_equal(f->strain.n_devices, 0);
    look(f, "8:0 rbytes=3700000\n", USEC_PER_HOUR + USEC_PER_SEC);
    strain_assert(f, READING_IO_RATE, 100000);
    assert_int_equal(f->strain.devices[0].rbps, 100000);
}

/* So many devices with the same count; `busy` has 1000 operations more. */
static void look_many(struct StrainFixture *f, int n, int busy, usec_t now)
{
    char text[4096] = "";

    for (int i = 0; i < n; i++)
        sprintf(text + strlen(text), "8:%d rbytes=%d rios=%d\n", i, 1000000, i == busy ? 1001 : 1);
    look(f, text, now);
}

static void busiest_of_many(void **state)
{
    struct StrainFixture *f = *state;

    look_many(f, 15, -1, USEC_PER_SEC);
    look_many(f, 15, 13, 2 * USEC_PER_SEC);
    assert_int_equal(f->strain.n_devices, 1);
    assert_int_equal(f->strain.devices[0].minor, 13);
    assert_int_equal(f->strain.devices[0].riops, 1000);
}

/* More than are remembered: the last one is not compared at first, and is when it had its turn. */
static void more_than_are_remembered(void **state)
{
    struct StrainFixture *f = *state;
    char text[4096] = "";

    look_many(f, 20, -1, USEC_PER_SEC);
    assert_int_equal(f->strain.n_counters, STRAIN_COUNTERS_MAX);
    look_many(f, 20, -1, 2 * USEC_PER_SEC);
    assert_int_equal(f->strain.n_devices, 0);
    look_many(f, 20, 18, 3 * USEC_PER_SEC);
    assert_int_equal(f->strain.n_devices, 1);
    assert_int_equal(f->strain.devices[0].minor, 18);
    for (int i = 0; i < 20; i++)
        sprintf(text + strlen(text), "8:%d rbytes=%d rios=%d\n", i, 1000000, i == 18 ? 2001 : 1);
    look(f, text, 4 * USEC_PER_SEC);
    assert_int_equal(f->strain.devices[0].minor, 18);
}

static void five_busy_ones(void **state)
{
    struct StrainFixture *f = *state;

    look(f, "8:0 rbytes=0\n8:1 rbytes=0\n8:2 rbytes=0\n8:3 rbytes=0\n8:4 rbytes=0\n", USEC_PER_SEC);
    look(f, "8:0 rbytes=1\n8:1 rbytes=2\n8:2 rbytes=3\n8:3 rbytes=4\n8:4 rbytes=5\n", 2 * USEC_PER_SEC);
    assert_int_equal(f->strain.n_devices, STRAIN_DEVICES_MAX);
    assert_int_equal(f->strain.devices[0].minor, 4);
    assert_int_equal(f->strain.devices[3].minor, 1);
    strain_assert(f, READING_IO_RATE, 15);
}

/* Its first line: all that is in it was since the last look. */
static void device_that_is_new(void **state)
{
    struct StrainFixture *f = *state;

    look(f, "8:0 rbytes=0\n", USEC_PER_SEC);
    look(f, "8:0 rbytes=0\n8:16 wbytes=7000\n", 2 * USEC_PER_SEC);
    assert_int_equal(f->strain.n_devices, 1);
    assert_int_equal(f->strain.devices[0].minor, 16);
    assert_int_equal(f->strain.devices[0].wbps, 7000);
    /* Gone, and what it counted with it. */
    look(f, "8:0 rbytes=10\n", 3 * USEC_PER_SEC);
    assert_false(f->readings.valid[READING_IO_RATE]);
    assert_int_equal(f->strain.devices[0].rbps, 10);
}

/* Two drivers count their devices each from 0. */
static void devices_of_the_same_minor(void **state)
{
    struct StrainFixture *f = *state;

    look(f, "8:0 rbytes=1000\n253:0 rbytes=500\n", USEC_PER_SEC);
    look(f, "253:0 rbytes=700\n8:0 rbytes=1001\n", 2 * USEC_PER_SEC);
    assert_int_equal(f->strain.n_devices, 2);
    assert_int_equal(f->strain.devices[0].major, 253);
    assert_int_equal(f->strain.devices[0].rbps, 200);
    assert_int_equal(f->strain.devices[1].rbps, 1);
}

/* An idle one does not come before who is busy, whether or not it was known. */
static void idle_behind_busy(void **state)
{
    struct StrainFixture *f = *state;

    look(f, "8:0 rbytes=1\n8:1 rbytes=1\n8:2 rbytes=1\n", USEC_PER_SEC);
    look(f, "8:0 rbytes=1\n8:1 rbytes=9\n8:2 rbytes=1\n", 2 * USEC_PER_SEC);
    assert_int_equal(f->strain.n_devices, 1);
    assert_int_equal(f->strain.devices[0].minor, 1);
    assert_int_equal(f->strain.counters[0].minor, 1);
    look(f, "8:1 rbytes=19\n8:0 rbytes=1\n8:2 rbytes=1\n", 3 * USEC_PER_SEC);
    assert_int_equal(f->strain.n_devices, 1);
    assert_int_equal(f->strain.counters[0].minor, 1);
}

static void cgroup_that_is_gone(void **state)
{
    struct StrainFixture *f = *state;

    look(f, "8:0 rbytes=0\n", USEC_PER_SEC);
    fail_call("pread64", 1, ENODEV);
    assert_int_equal(io_look(&f->cgroup, &f->strain, 2 * USEC_PER_SEC, &f->readings), -ENODEV);
    assert_true(call_failed());
}

static void without_controller(void **state)
{
    struct StrainFixture *f = *state;
    struct Cgroup none = CGROUP_NULL;

    look(f, "8:0 rbytes=0\n", USEC_PER_SEC);
    look(f, "8:0 rbytes=5\n", 2 * USEC_PER_SEC);
    assert_int_equal(io_look(&none, &f->strain, 3 * USEC_PER_SEC, &f->readings), 0);
    assert_false(f->readings.valid[READING_IO_RATE]);
    assert_int_equal(f->strain.n_devices, 0);
    look(f, "8:0 rbytes=9\n", 4 * USEC_PER_SEC);
    assert_false(f->readings.valid[READING_IO_RATE]);
}

static void absurd_numbers_stay_in_range(void **state)
{
    struct StrainFixture *f = *state;

    look(f, "8:0 rbytes=0 wbytes=0 rios=0 wios=0\n", USEC_PER_SEC);
    look(f,
         "8:0 rbytes=18446744073709551615 wbytes=18446744073709551615 rios=18446744073709551615 "
         "wios=18446744073709551615\n",
         2 * USEC_PER_SEC);
    assert_true(f->readings.value[READING_IO_RATE] > 0);
    assert_true(f->strain.devices[0].rbps < INT64_MAX);
    /* a sum that is more than a number holds */
    look(f, "8:0 rbytes=18446744073709551615\n8:1 rbytes=1\n", 3 * USEC_PER_SEC);
    strain_assert(f, READING_IO_RATE, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_what_the_kernel_writes),
        cmocka_unit_test(parses_odd_lines),
        STRAIN_TEST(rates_of_devices),
        STRAIN_TEST(near_looks_change_nothing),
        STRAIN_TEST(peace_is_no_rate),
        STRAIN_TEST(busiest_of_many),
        STRAIN_TEST(more_than_are_remembered),
        STRAIN_TEST(five_busy_ones),
        STRAIN_TEST(device_that_is_new),
        STRAIN_TEST(devices_of_the_same_minor),
        STRAIN_TEST(idle_behind_busy),
        STRAIN_TEST(cgroup_that_is_gone),
        STRAIN_TEST(without_controller),
        STRAIN_TEST(absurd_numbers_stay_in_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
