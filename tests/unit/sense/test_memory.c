/* The memory sensor on plain files. */
#include "../failing.h"
#include "strain_files.h"

#include "sense/strain.h"

#define MIB (INT64_C(1) << 20)

static int setup(void **state)
{
    struct StrainFixture *f;

    strain_setup(state);
    f = *state;
    strain_file(f, CGROUP_MEMORY_CURRENT, "memory.current", "104857600\n");
    strain_file(f, CGROUP_MEMORY_SWAP_CURRENT, "memory.swap.current", "4096\n");
    strain_file(f, CGROUP_MEMORY_HIGH, "memory.high", "max\n");
    strain_file(f, CGROUP_MEMORY_MAX, "memory.max", "1073741824\n");
    strain_file(f, CGROUP_MEMORY_SWAP_MAX, "memory.swap.max", "0\n");
    strain_file(f, CGROUP_MEMORY_STAT, "memory.stat", "anon 100\nfile 5\nshmem 8192\nshmem_thp 0\n");
    strain_file(f, CGROUP_MEMORY_EVENTS_LOCAL, "memory.events.local",
                "low 0\nhigh 3\nmax 4\noom 0\noom_kill 5\noom_group_kill 0\n");
    strain_file(f, CGROUP_MEMORY_EVENTS, "memory.events",
                "low 0\nhigh 30\nmax 40\noom 0\noom_kill 50\noom_group_kill 0\n");
    return 0;
}

static void look(struct StrainFixture *f, usec_t now)
{
    assert_int_equal(memory_look(&f->cgroup, &f->strain, now, &f->readings), 0);
    assert_int_equal(f->readings.at_usec, now);
}

static void amounts_and_limits(void **state)
{
    struct StrainFixture *f = *state;

    look(f, USEC_PER_SEC);
    strain_assert(f, READING_MEMORY_CURRENT, 100 * MIB);
    strain_assert(f, READING_MEMORY_SWAP, 4096);
    strain_assert(f, READING_MEMORY_SHMEM, 8192);
    assert_int_equal(f->readings.limit[READING_MEMORY_CURRENT], 1024 * MIB);
    assert_int_equal(f->readings.limit[READING_MEMORY_SWAP], 0);
    scratch_write(&f->scratch, "memory.high", "536870912\n");
    scratch_write(&f->scratch, "memory.swap.max", "max\n");
    look(f, 2 * USEC_PER_SEC);
    assert_int_equal(f->readings.limit[READING_MEMORY_CURRENT], 512 * MIB);
    assert_true(f->readings.limit[READING_MEMORY_SWAP] == READING_UNLIMITED);
    scratch_write(&f->scratch, "memory.high", "max\n");
    scratch_write(&f->scratch, "memory.max", "max\n");
    look(f, 3 * USEC_PER_SEC);
    assert_true(f->readings.limit[READING_MEMORY_CURRENT] == READING_UNLIMITED);
}

static void events_since_the_last_look(void **state)
{
    struct StrainFixture *f = *state;

    look(f, USEC_PER_SEC);
    assert_false(f->readings.valid[READING_MEMORY_HIGH]);
    assert_false(f->readings.valid[READING_MEMORY_OOM]);
    scratch_write(&f->scratch, "memory.events.local", "high 5\nmax 7\noom_kill 5\n");
    scratch_write(&f->scratch, "memory.events", "high 90\nmax 90\noom_kill 51\n");
    look(f, USEC_PER_SEC + 1);
    strain_assert(f, READING_MEMORY_HIGH, 2);
    strain_assert(f, READING_MEMORY_MAX, 3);
    strain_assert(f, READING_MEMORY_OOM, 1);
    look(f, USEC_PER_HOUR);
    strain_assert(f, READING_MEMORY_HIGH, 0);
    strain_assert(f, READING_MEMORY_OOM, 0);
    scratch_write(&f->scratch, "memory.events.local", "high 1\n");
    look(f, 2 * USEC_PER_HOUR);
    assert_false(f->readings.valid[READING_MEMORY_HIGH]);
    assert_false(f->readings.valid[READING_MEMORY_MAX]);
}

static void growth_both_ways(void **state)
{
    struct StrainFixture *f = *state;

    look(f, USEC_PER_SEC);
    assert_false(f->readings.valid[READING_MEMORY_GROWTH]);
    scratch_write(&f->scratch, "memory.current", "209715200\n");
    look(f, USEC_PER_SEC + 99 * USEC_PER_MSEC);
    assert_false(f->readings.valid[READING_MEMORY_GROWTH]);
    look(f, 5 * USEC_PER_SEC);
    strain_assert(f, READING_MEMORY_GROWTH, 25 * MIB);
    scratch_write(&f->scratch, "memory.current", "104857600\n");
    look(f, 9 * USEC_PER_SEC); /* the first look is no matter any more */
    strain_assert(f, READING_MEMORY_GROWTH, -25 * MIB);
}

/* Takes 4 MiB and gives them back all the time: what one look or another sees of it is no growth to speak of.
 */
static void a_need_of_the_moment(void **state)
{
    struct StrainFixture *f = *state;

    for (unsigned i = 0; i < 20; i++) {
        scratch_write(&f->scratch, "memory.current", i % 2 ? "5242880\n" : "1048576\n");
        look(f, USEC_PER_SEC + i * 500 * USEC_PER_MSEC);
        if (i > 0)
            assert_true(llabs(f->readings.value[READING_MEMORY_GROWTH]) <= 4 * MIB / 3);
    }
}

/* Somebody looks ten times a second: what is seen goes by the last 5 s all the same. */
static void growth_for_the_curious(void **state)
{
    struct StrainFixture *f = *state;
    char current[32];

    for (unsigned i = 0; i <= 100; i++) {
        snprintf(current, sizeof(current), "%u\n", i * 1024 * 1024);
        scratch_write(&f->scratch, "memory.current", current);
        look(f, USEC_PER_SEC + i * 100 * USEC_PER_MSEC);
        if (i >= 30)
            strain_assert(f, READING_MEMORY_GROWTH, 10 * MIB);
    }
}

static void assert_stall(struct StrainFixture *f, const char *current, int64_t expected)
{
    scratch_write(&f->scratch, "memory.current", current);
    look(f, USEC_PER_SEC);
    strain_assert(f, READING_MEMORY_STALL, expected);
}

/* Pressure of others is no stall of its own. */
static void stall_at_its_own_limit(void **state)
{
    struct StrainFixture *f = *state;

    look(f, USEC_PER_SEC);
    assert_false(f->readings.valid[READING_MEMORY_STALL]);
    f->readings.valid[READING_MEMORY_PRESSURE_FULL] = true;
    f->readings.value[READING_MEMORY_PRESSURE_FULL] = 6000;
    scratch_write(&f->scratch, "memory.max", "1000000\n");
    assert_stall(f, "899999\n", 0);
    assert_stall(f, "900000\n", 6000);
    scratch_write(&f->scratch, "memory.high", "500000\n");
    assert_stall(f, "450000\n", 6000);
    scratch_write(&f->scratch, "memory.high", "max\n");
    scratch_write(&f->scratch, "memory.max", "max\n");
    assert_stall(f, "18446744073709551614\n", 0);
}

/* The file is long, and read only as far as the line is. */
static void long_memory_stat(void **state)
{
    struct StrainFixture *f = *state;
    char text[8192] = "anon 1\nshmem 77\n";

    for (int i = 0; strlen(text) < sizeof(text) - 64; i++)
        sprintf(text + strlen(text), "filler_%d 1234567\n", i);
    scratch_write(&f->scratch, "memory.stat", text);
    look(f, USEC_PER_SEC);
    strain_assert(f, READING_MEMORY_SHMEM, 77);
}

static void cut_memory_stat(void **state)
{
    uint64_t shmem;

    (void)state;
    assert_true(memory_stat_parse("shmem 12\n", &shmem));
    assert_int_equal(shmem, 12);
    assert_true(memory_stat_parse("anon 1\nshmem 13\nfile", &shmem));
    assert_int_equal(shmem, 13);
    assert_false(memory_stat_parse("anon 1\nshmem 13", &shmem));
    assert_false(memory_stat_parse("anon 1\nshmem_thp 13\n", &shmem));
    assert_false(memory_stat_parse("", &shmem));
    assert_false(memory_stat_parse("anon 1\nshmem many\n", &shmem));
}

static void without_controller(void **state)
{
    struct StrainFixture *f = *state;
    struct Cgroup none = CGROUP_NULL;

    look(f, USEC_PER_SEC);
    assert_int_equal(memory_look(&none, &f->strain, 2 * USEC_PER_SEC, &f->readings), 0);
    for (int id = READING_MEMORY_CURRENT; id <= READING_MEMORY_STALL; id++)
        assert_false(f->readings.valid[id]);
    look(f, 3 * USEC_PER_SEC);
    assert_false(f->readings.valid[READING_MEMORY_HIGH]);
    assert_false(f->readings.valid[READING_MEMORY_GROWTH]);
}

/* What cannot be read is not known, and what goes by it neither. */
static void files_that_say_nothing(void **state)
{
    struct StrainFixture *f = *state;

    look(f, USEC_PER_SEC);
    look(f, 2 * USEC_PER_SEC);
    strain_assert(f, READING_MEMORY_GROWTH, 0);
    scratch_write(&f->scratch, "memory.swap.current", "some\n");
    scratch_write(&f->scratch, "memory.stat", "anon 1\n");
    scratch_write(&f->scratch, "memory.current", "104861696\n");
    look(f, 3 * USEC_PER_SEC);
    assert_false(f->readings.valid[READING_MEMORY_SWAP]);
    assert_false(f->readings.valid[READING_MEMORY_SHMEM]);
    strain_assert(f, READING_MEMORY_GROWTH, 0); /* what was swapped is back */
    scratch_write(&f->scratch, "memory.current", "much\n");
    look(f, 4 * USEC_PER_SEC);
    assert_false(f->readings.valid[READING_MEMORY_CURRENT]);
    assert_false(f->readings.valid[READING_MEMORY_GROWTH]);
}

/* Whichever file is the first of which the kernel says so. */
static void cgroup_that_is_gone(void **state)
{
    struct StrainFixture *f = *state;

    EACH_FAILURE(nth, "pread64", ENODEV)
    {
        int r = memory_look(&f->cgroup, &f->strain, nth * USEC_PER_SEC, &f->readings);

        if (!call_failed()) {
            assert_int_equal(r, 0);
            assert_int_equal(nth, 9);
            break;
        }
        assert_int_equal(r, -ENODEV);
    }
}

/* All of it: what pressure.c reads is what memory.stall goes by. */
static void one_look_at_everything(void **state)
{
    struct StrainFixture *f = *state;

    strain_file(
        f, CGROUP_MEMORY_PRESSURE, "memory.pressure",
        "some avg10=90.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=70.50 avg60=0.00 avg300=0.00 total=1\n");
    strain_file(f, CGROUP_CPU_PRESSURE, "cpu.pressure", "some avg10=3.00 avg60=0.00 avg300=0.00 total=1\n");
    strain_file(f, CGROUP_IO_PRESSURE, "io.pressure", "some avg10=4.00 avg60=0.00 avg300=0.00 total=1\n");
    scratch_write(&f->scratch, "memory.max", "104857600\n");
    assert_int_equal(strain_look(&f->cgroup, STRAIN_ALL, &f->strain, USEC_PER_SEC, &f->readings), 0);
    strain_assert(f, READING_MEMORY_STALL, 7050);
    strain_assert(f, READING_CPU_PRESSURE_SOME, 300);
    strain_assert(f, READING_IO_PRESSURE_SOME, 400);
    assert_false(f->readings.valid[READING_IO_PRESSURE_FULL]);
    assert_false(f->readings.valid[READING_CPU_USAGE]);
}

/* What nobody asks for is not read, and stays what it was. */
static void one_look_at_some(void **state)
{
    struct StrainFixture *f = *state;

    strain_file(f, CGROUP_CPU_PRESSURE, "cpu.pressure", "some avg10=3.00 avg60=0.00 avg300=0.00 total=1\n");
    strain_file(f, CGROUP_IO_PRESSURE, "io.pressure", "some avg10=4.00 avg60=0.00 avg300=0.00 total=1\n");
    assert_int_equal(strain_look(&f->cgroup, 1u << RESOURCE_MEMORY, &f->strain, USEC_PER_SEC, &f->readings),
                     0);
    strain_assert(f, READING_MEMORY_CURRENT, 100 * MIB);
    assert_false(f->readings.valid[READING_CPU_PRESSURE_SOME]);
    scratch_write(&f->scratch, "memory.current", "5\n");
    assert_int_equal(strain_look(&f->cgroup, 1u << RESOURCE_CPU, &f->strain, 2 * USEC_PER_SEC, &f->readings),
                     0);
    strain_assert(f, READING_CPU_PRESSURE_SOME, 300);
    strain_assert(f, READING_MEMORY_CURRENT, 100 * MIB);
    assert_false(f->readings.valid[READING_IO_PRESSURE_SOME]);
}

#define MEMORY_TEST(name) cmocka_unit_test_setup_teardown(name, setup, strain_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MEMORY_TEST(amounts_and_limits),     MEMORY_TEST(events_since_the_last_look),
        MEMORY_TEST(growth_both_ways),       MEMORY_TEST(a_need_of_the_moment),
        MEMORY_TEST(growth_for_the_curious), MEMORY_TEST(stall_at_its_own_limit),
        MEMORY_TEST(long_memory_stat),       cmocka_unit_test(cut_memory_stat),
        MEMORY_TEST(without_controller),     MEMORY_TEST(one_look_at_everything),
        MEMORY_TEST(one_look_at_some),       MEMORY_TEST(files_that_say_nothing),
        MEMORY_TEST(cgroup_that_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
