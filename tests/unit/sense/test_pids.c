/* The pids sensor on plain files in place of the kernel's. */
#include "../failing.h"
#include "../scratch.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "sense/pids.h"

struct Fixture {
    struct Scratch scratch;
    struct Cgroup cgroup;
    struct PidsBaseline baseline;
    struct Readings readings;
};

static int open_file(const struct Scratch *scratch, const char *name, const char *text)
{
    char path[PATH_MAX];

    scratch_write(scratch, name, text);
    return open(scratch_path(scratch, name, path), O_RDONLY | O_CLOEXEC);
}

static int setup(void **state)
{
    struct Fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->scratch = scratch_new("/tmp");
    f->cgroup = CGROUP_NULL;
    f->cgroup.pids_current_fd = open_file(&f->scratch, "pids.current", "10\n");
    f->cgroup.pids_max_fd = open_file(&f->scratch, "pids.max", "1024\n");
    f->cgroup.pids_events_fd = open_file(&f->scratch, "pids.events", "max 7\n");
    f->cgroup.pids_local_fd = open_file(&f->scratch, "pids.events.local", "max 7\n");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct Fixture *f = *state;

    fd_close(f->cgroup.pids_current_fd);
    fd_close(f->cgroup.pids_max_fd);
    fd_close(f->cgroup.pids_events_fd);
    fd_close(f->cgroup.pids_local_fd);
    scratch_done(&f->scratch);
    free(f);
    return 0;
}

static void look(struct Fixture *f, usec_t now)
{
    assert_int_equal(pids_look(&f->cgroup, &f->baseline, now, &f->readings), 0);
    assert_int_equal(f->readings.at_usec, now);
}

static void assert_reading(const struct Fixture *f, enum ReadingId id, int64_t value)
{
    assert_true(f->readings.valid[id]);
    assert_int_equal(f->readings.value[id], value);
}

static void set(const struct Fixture *f, const char *current, const char *events)
{
    scratch_write(&f->scratch, "pids.current", current);
    scratch_write(&f->scratch, "pids.events", events);
    scratch_write(&f->scratch, "pids.events.local", events);
}

static void first_look_judges_nothing(void **state)
{
    struct Fixture *f = *state;

    look(f, USEC_PER_SEC);
    assert_reading(f, READING_TASKS_CURRENT, 10);
    assert_int_equal(f->readings.limit[READING_TASKS_CURRENT], 1024);
    assert_false(f->readings.valid[READING_TASKS_DENIED]);
    assert_false(f->readings.valid[READING_TASKS_GROWTH]);
}

static void second_look_compares(void **state)
{
    struct Fixture *f = *state;

    look(f, USEC_PER_SEC);
    set(f, "60\n", "max 9\n");
    look(f, USEC_PER_SEC + 500 * USEC_PER_MSEC);
    assert_reading(f, READING_TASKS_CURRENT, 60);
    assert_reading(f, READING_TASKS_DENIED, 2);
    assert_reading(f, READING_TASKS_GROWTH, 100);
    set(f, "40\n", "max 9\n");
    look(f, USEC_PER_SEC + 1500 * USEC_PER_MSEC);
    assert_reading(f, READING_TASKS_DENIED, 0);
    assert_reading(f, READING_TASKS_GROWTH, -20);
}

static void looks_in_quick_succession_tell_no_growth(void **state)
{
    struct Fixture *f = *state;

    look(f, USEC_PER_SEC);
    set(f, "20\n", "max 8\n");
    look(f, USEC_PER_SEC + 999);
    assert_false(f->readings.valid[READING_TASKS_GROWTH]);
    assert_reading(f, READING_TASKS_DENIED, 1);
    set(f, "30\n", "max 8\n");
    look(f, USEC_PER_SEC + 2000);
    assert_reading(f, READING_TASKS_GROWTH, 10000);
    assert_reading(f, READING_TASKS_DENIED, 0);
}

static void counter_that_went_back_is_a_new_beginning(void **state)
{
    struct Fixture *f = *state;

    look(f, USEC_PER_SEC);
    set(f, "10\n", "max 3\n");
    look(f, 2 * USEC_PER_SEC);
    assert_false(f->readings.valid[READING_TASKS_DENIED]);
    set(f, "10\n", "max 5\n");
    look(f, 3 * USEC_PER_SEC);
    assert_reading(f, READING_TASKS_DENIED, 2);
}

/* The counter comes into sight late: what it held then is no refusal of now. */
static void counter_that_was_missing(void **state)
{
    struct Fixture *f = *state;
    int fd = f->cgroup.pids_events_fd, local_fd = f->cgroup.pids_local_fd;

    f->cgroup.pids_events_fd = f->cgroup.pids_local_fd = -EBADF;
    look(f, USEC_PER_SEC);
    look(f, 2 * USEC_PER_SEC);
    assert_false(f->readings.valid[READING_TASKS_DENIED]);
    assert_reading(f, READING_TASKS_CURRENT, 10);
    f->cgroup.pids_events_fd = fd;
    f->cgroup.pids_local_fd = local_fd;
    look(f, 3 * USEC_PER_SEC);
    assert_false(f->readings.valid[READING_TASKS_DENIED]);
    set(f, "10\n", "max 8\n");
    look(f, 4 * USEC_PER_SEC);
    assert_reading(f, READING_TASKS_DENIED, 1);
}

/* A nested cgroup ran into a small limit of its own: no matter of the tenant's. */
static void refusal_below_is_not_ours(void **state)
{
    struct Fixture *f = *state;

    look(f, USEC_PER_SEC);
    scratch_write(&f->scratch, "pids.current", "900\n");
    scratch_write(&f->scratch, "pids.events", "max 50\n");
    look(f, 2 * USEC_PER_SEC);
    assert_reading(f, READING_TASKS_DENIED, 0);
}

/* podman's cgroup inside the scope has the scope's own limit: refused inside, at the tenant's limit all the
 * same. */
static void refusal_below_at_our_limit_is_ours(void **state)
{
    struct Fixture *f = *state;

    look(f, USEC_PER_SEC);
    scratch_write(&f->scratch, "pids.current", "1000\n");
    scratch_write(&f->scratch, "pids.events", "max 50\n");
    look(f, 2 * USEC_PER_SEC);
    assert_reading(f, READING_TASKS_DENIED, 43);
}

static void kernel_without_local_counter(void **state)
{
    struct Fixture *f = *state;

    fd_close(f->cgroup.pids_local_fd);
    f->cgroup.pids_local_fd = -EBADF;
    look(f, USEC_PER_SEC);
    scratch_write(&f->scratch, "pids.events", "max 9\n");
    look(f, 2 * USEC_PER_SEC);
    assert_reading(f, READING_TASKS_DENIED, 2);
}

static void no_limit(void **state)
{
    struct Fixture *f = *state;

    scratch_write(&f->scratch, "pids.max", "max\n");
    look(f, USEC_PER_SEC);
    assert_true(f->readings.limit[READING_TASKS_CURRENT] == READING_UNLIMITED);
    scratch_write(&f->scratch, "pids.max", "9223372036854775807\n");
    look(f, 2 * USEC_PER_SEC);
    assert_true(f->readings.limit[READING_TASKS_CURRENT] == READING_UNLIMITED);
    scratch_write(&f->scratch, "pids.max", "9223372036854775806\n");
    look(f, 3 * USEC_PER_SEC);
    assert_true(f->readings.limit[READING_TASKS_CURRENT] == READING_UNLIMITED);
    scratch_write(&f->scratch, "pids.max", "2147483647\n");
    look(f, 3 * USEC_PER_SEC);
    assert_int_equal(f->readings.limit[READING_TASKS_CURRENT], INT32_MAX);
    scratch_write(&f->scratch, "pids.max", "few\n");
    look(f, 4 * USEC_PER_SEC);
    assert_true(f->readings.limit[READING_TASKS_CURRENT] == READING_UNLIMITED);
}

static void events_without_a_count(void **state)
{
    struct Fixture *f = *state;

    look(f, USEC_PER_SEC);
    set(f, "10\n", "min 9\n");
    look(f, 2 * USEC_PER_SEC);
    assert_false(f->readings.valid[READING_TASKS_DENIED]);
}

/* Of a clock that went back there is no speed. */
static void look_before_the_last(void **state)
{
    struct Fixture *f = *state;

    look(f, 2 * USEC_PER_SEC);
    set(f, "20\n", "max 7\n");
    look(f, USEC_PER_SEC);
    assert_false(f->readings.valid[READING_TASKS_GROWTH]);
    set(f, "30\n", "max 7\n");
    look(f, 2 * USEC_PER_SEC);
    assert_reading(f, READING_TASKS_GROWTH, 10);
}

/* Whichever file is the first of which the kernel says so. */
static void cgroup_that_is_gone(void **state)
{
    struct Fixture *f = *state;

    EACH_FAILURE(nth, "pread64", ENODEV)
    {
        int r = pids_look(&f->cgroup, &f->baseline, nth * USEC_PER_SEC, &f->readings);

        if (!call_failed()) {
            assert_int_equal(r, 0);
            assert_int_equal(nth, 5);
            break;
        }
        assert_int_equal(r, -ENODEV);
        assert_false(f->readings.valid[READING_TASKS_CURRENT]);
        assert_false(f->baseline.valid);
    }
}

static void without_controller(void **state)
{
    struct Fixture *f = *state;
    struct Cgroup none = CGROUP_NULL;

    look(f, USEC_PER_SEC);
    assert_int_equal(pids_look(&none, &f->baseline, 2 * USEC_PER_SEC, &f->readings), 0);
    assert_false(f->readings.valid[READING_TASKS_CURRENT]);
    assert_false(f->readings.valid[READING_TASKS_DENIED]);
    assert_false(f->readings.valid[READING_TASKS_GROWTH]);
}

static void what_is_no_number_is_an_error(void **state)
{
    struct Fixture *f = *state;

    scratch_write(&f->scratch, "pids.current", "many\n");
    assert_int_equal(pids_look(&f->cgroup, &f->baseline, USEC_PER_SEC, &f->readings), -EBADMSG);
    assert_false(f->baseline.valid);
}

static void absurd_numbers_stay_in_range(void **state)
{
    struct Fixture *f = *state;

    set(f, "0\n", "max 0\n");
    look(f, 0);
    set(f, "18446744073709551615\n", "max 18446744073709551614\n");
    look(f, USEC_PER_MSEC);
    assert_reading(f, READING_TASKS_DENIED, INT64_MAX);
    assert_true(f->readings.value[READING_TASKS_GROWTH] > 0);
}

#define PIDS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PIDS_TEST(first_look_judges_nothing),
        PIDS_TEST(second_look_compares),
        PIDS_TEST(looks_in_quick_succession_tell_no_growth),
        PIDS_TEST(counter_that_went_back_is_a_new_beginning),
        PIDS_TEST(counter_that_was_missing),
        PIDS_TEST(refusal_below_is_not_ours),
        PIDS_TEST(refusal_below_at_our_limit_is_ours),
        PIDS_TEST(kernel_without_local_counter),
        PIDS_TEST(no_limit),
        PIDS_TEST(events_without_a_count),
        PIDS_TEST(look_before_the_last),
        PIDS_TEST(cgroup_that_is_gone),
        PIDS_TEST(without_controller),
        PIDS_TEST(what_is_no_number_is_an_error),
        PIDS_TEST(absurd_numbers_stay_in_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
