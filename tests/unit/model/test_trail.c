/* What is remembered of readings, and how people name actions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/decision.h"
#include "model/trail.h"

#define SECOND USEC_PER_SEC

static void a_series_is_of_one_reading_the_oldest_first(void **state)
{
    struct Trail trail = {};
    struct Series series;

    trail_series(&trail, READING_TASKS_CURRENT, 9 * SECOND, &series);
    assert_int_equal(series.n, 0);
    trail_add(&trail, READING_TASKS_CURRENT, 10, 1 * SECOND);
    trail_add(&trail, READING_TASKS_DENIED, 99, 1 * SECOND);
    trail_add(&trail, READING_TASKS_CURRENT, 20, 2 * SECOND);
    trail_add(&trail, READING_TASKS_CURRENT, 21, 2 * SECOND); /* of the same moment */
    trail_add(&trail, READING_TASKS_CURRENT, 30, 4 * SECOND);
    trail_series(&trail, READING_TASKS_CURRENT, 5 * SECOND, &series);
    assert_int_equal(series.n, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(series.value[i], 10 * (int64_t)(i + 1));
    assert_int_equal(series.age_msec[0], 4000);
    assert_int_equal(series.age_msec[2], 1000);
}

static void of_many_the_last_are_kept(void **state)
{
    struct Trail trail = {};
    struct Series series;
    int64_t last = 0;

    assert_false(trail_last(&trail, READING_TASKS_CURRENT, &last));
    for (int i = 0; i < 1000; i++)
        trail_add(&trail, READING_TASKS_CURRENT, i, (usec_t)i * SECOND);
    assert_true(trail_last(&trail, READING_TASKS_CURRENT, &last));
    assert_int_equal(last, 999);
    trail_series(&trail, READING_TASKS_CURRENT, 999 * SECOND, &series);
    assert_int_equal(series.n, SERIES_MAX);
    assert_int_equal(series.value[0], 1000 - SERIES_MAX);
    assert_int_equal(series.value[SERIES_MAX - 1], 999);
}

static void what_lies_far_back_is_no_part_of_it(void **state)
{
    struct Trail trail = {};
    struct Series series;

    trail_add(&trail, READING_TASKS_CURRENT, 1, SECOND);
    trail_add(&trail, READING_TASKS_CURRENT, 2, SECOND + TRAIL_REACH_USEC);
    trail_series(&trail, READING_TASKS_CURRENT, 2 * SECOND + TRAIL_REACH_USEC, &series);
    assert_int_equal(series.n, 1);
    assert_int_equal(series.value[0], 2);
}

static void an_action_is_named_and_found_again(void **state)
{
    static const char *const wrong[] = {"",
                                        "web",
                                        "5f3c09ab",
                                        "5f3c09ab-",
                                        "5F3C09AB-1",
                                        "5f3c09ab-01",
                                        "5f3c09ab-1x",
                                        "5f3c09a-1",
                                        "5f3c09abc-1",
                                        "5f3c09ab--1",
                                        "5f3c09ab-4294967296"};
    char text[ACTION_FORMAT_MAX];
    uint64_t action = 0;

    assert_string_equal(action_format(UINT64_C(0x0f3c09ab) << 32 | 17, text, sizeof(text)), "0f3c09ab-17");
    assert_true(action_parse("0f3c09ab-17", &action));
    assert_int_equal(action, UINT64_C(0x0f3c09ab) << 32 | 17);
    assert_true(action_parse("ffffffff-4294967295", &action));
    assert_true(action == UINT64_MAX);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(action_parse(wrong[i], &action));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_series_is_of_one_reading_the_oldest_first),
        cmocka_unit_test(of_many_the_last_are_kept),
        cmocka_unit_test(what_lies_far_back_is_no_part_of_it),
        cmocka_unit_test(an_action_is_named_and_found_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
