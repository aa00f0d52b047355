/* The host's strain on a made-up /proc, and on this one. */
#include "strain_files.h"

#include "sense/strain.h"

static void write_proc(const struct StrainFixture *f, const char *meminfo)
{
    scratch_mkdir(&f->scratch, "proc/pressure");
    scratch_write(&f->scratch, "proc/meminfo", meminfo);
    scratch_write(&f->scratch, "proc/pressure/cpu", "some avg10=1.00 avg60=0.00 avg300=0.00 total=1\n");
    scratch_write(
        &f->scratch, "proc/pressure/memory",
        "some avg10=2.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=3.00 avg60=0.00 avg300=0.00 total=1\n");
    scratch_write(
        &f->scratch, "proc/pressure/io",
        "some avg10=4.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=5.00 avg60=0.00 avg300=0.00 total=1\n");
}

static void all_is_there(void **state)
{
    struct StrainFixture *f = *state;
    struct HostStrain host;

    write_proc(f, "MemTotal:       16384 kB\nMemFree:  1 kB\nMemAvailable:    4096 kB\nBuffers:   9 kB\n");
    host_strain_open(&host, f->scratch.path);
    host_strain_look(&host, USEC_PER_SEC, &f->readings);
    strain_assert(f, READING_HOST_MEMORY_AVAILABLE, 4096 * 1024);
    assert_int_equal(f->readings.limit[READING_HOST_MEMORY_AVAILABLE], 16384 * 1024);
    strain_assert(f, READING_HOST_CPU_PRESSURE_SOME, 100);
    strain_assert(f, READING_HOST_MEMORY_PRESSURE_SOME, 200);
    strain_assert(f, READING_HOST_MEMORY_PRESSURE_FULL, 300);
    strain_assert(f, READING_HOST_IO_PRESSURE_SOME, 400);
    strain_assert(f, READING_HOST_IO_PRESSURE_FULL, 500);
    assert_false(f->readings.valid[READING_MEMORY_PRESSURE_FULL]);
    scratch_write(&f->scratch, "proc/pressure/cpu", "some avg10=1.00 avg60=0.00 avg300=0.00 total=250001\n");
    host_strain_look(&host, 2 * USEC_PER_SEC, &f->readings);
    strain_assert(f, READING_HOST_CPU_PRESSURE_SOME, 2500);
    host_strain_close(&host);
    assert_int_equal(host.meminfo_fd, -EBADF);
}

static void nothing_is_there(void **state)
{
    struct StrainFixture *f = *state;
    struct HostStrain host;

    host_strain_open(&host, f->scratch.path);
    for (int i = 0; i < PRESSURE_COUNT; i++)
        assert_int_equal(host.pressure_fds[i], -EBADF);
    host_strain_look(&host, USEC_PER_SEC, &f->readings);
    for (int id = READING_HOST_MEMORY_AVAILABLE; id <= READING_HOST_IO_PRESSURE_FULL; id++)
        assert_false(f->readings.valid[id]);
    host_strain_close(&host);
}

static void meminfo_that_is_none(void **state)
{
    uint64_t available, total;

    (void)state;
    assert_true(meminfo_parse("MemAvailable: 1 kB\nMemTotal: 2 kB\n", &available, &total));
    assert_int_equal(available, 1024);
    assert_int_equal(total, 2048);
    assert_false(meminfo_parse("", &available, &total));
    assert_false(meminfo_parse("MemTotal: 2 kB\n", &available, &total));
    assert_false(meminfo_parse("MemTotal: 2 kB\nMemAvailable: 1 k", &available, &total));
    assert_false(meminfo_parse("MemTotal: 2 kB\nMemAvailable: 1 kiB\n", &available, &total));
    assert_false(meminfo_parse("MemTotal: -2 kB\nMemAvailable: 1 kB\n", &available, &total));
    assert_false(
        meminfo_parse("MemTotal: 2 kB\nMemAvailable: 18446744073709551615 kB\n", &available, &total));
}

static void this_host(void **state)
{
    struct StrainFixture *f = *state;
    struct HostStrain host;

    host_strain_open(&host, "");
    host_strain_look(&host, USEC_PER_SEC, &f->readings);
    assert_true(f->readings.valid[READING_HOST_MEMORY_AVAILABLE]);
    assert_true(f->readings.value[READING_HOST_MEMORY_AVAILABLE] <
                f->readings.limit[READING_HOST_MEMORY_AVAILABLE]);
    if (access("/proc/pressure/memory", R_OK) == 0)
        assert_true(f->readings.valid[READING_HOST_MEMORY_PRESSURE_FULL]);
    host_strain_close(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STRAIN_TEST(all_is_there),
        STRAIN_TEST(nothing_is_there),
        cmocka_unit_test(meminfo_that_is_none),
        STRAIN_TEST(this_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
