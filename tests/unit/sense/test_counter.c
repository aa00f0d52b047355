/* Numbers in the kernel's files, and what they come to from one look to the next. */
#include "../scratch.h"

#include "sense/counter.h"

#define ID READING_IO_RATE
#define CEILING (INT64_C(1) << 60)

static void numbers(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
        const char *rest;
    } table[] = {
        {"0", true, 0, ""},
        {"17 x", true, 17, " x"},
        {"007", true, 7, ""},
        {"18446744073709551615", true, UINT64_MAX, ""},
        {"18446744073709551616", false, 0, NULL}, /* the last digit is too much */
        {"99999999999999999999", false, 0, NULL}, /* and here the one before */
        {"", false, 0, NULL},
        {"x1", false, 0, NULL},
        {"-1", false, 0, NULL},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const char *text = table[i].text;
        uint64_t value = 4711;

        assert_int_equal(counter_parse(&text, &value), table[i].ok);
        assert_true(value == (table[i].ok ? table[i].value : 4711));
        assert_string_equal(text, table[i].ok ? table[i].rest : table[i].text);
    }
}

static void pairs_of_numbers(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } table[] = {{"8:16", true}, {"8-16", false}, {":16", false},
                 {"8:", false},  {"8", false},    {"8:x", false}};

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const char *text = table[i].text;
        uint64_t first, second;

        assert_int_equal(counter_parse_pair(&text, ':', &first, &second), table[i].ok);
        if (!table[i].ok)
            continue;
        assert_int_equal(first, 8);
        assert_int_equal(second, 16);
        assert_string_equal(text, "");
    }
}

static void amounts(void **state)
{
    assert_true(reading_amount(0) == 0);
    assert_true(reading_amount(INT64_MAX - 1) == INT64_MAX - 1);
    assert_true(reading_amount(INT64_MAX) == INT64_MAX - 1); /* never "unlimited" */
    assert_true(reading_amount(UINT64_MAX) == INT64_MAX - 1);
}

static void intervals(void **state)
{
    static const struct {
        bool valid;
        usec_t before, now;
        enum Interval interval;
    } table[] = {
        {false, 0, RATE_MIN_USEC, INTERVAL_NONE},
        {true, 5, 4, INTERVAL_NONE}, /* the clock went back */
        {true, 5, 5, INTERVAL_SHORT},
        {true, 0, RATE_MIN_USEC - 1, INTERVAL_SHORT},
        {true, 0, RATE_MIN_USEC, INTERVAL_GOOD},
        {true, 0, RATE_MAX_USEC, INTERVAL_GOOD},
        {true, 0, RATE_MAX_USEC + 1, INTERVAL_NONE},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        assert_int_equal(interval_between(table[i].valid, table[i].before, table[i].now, RATE_MAX_USEC),
                         table[i].interval);
}

static void assert_reading(const struct Readings *readings, int64_t value)
{
    assert_true(readings->valid[ID]);
    assert_true(readings->value[ID] == value);
}

static void growth_of_a_counter(void **state)
{
    struct CounterBaseline baseline = {0};
    struct Readings readings = {0};

    counter_growth(&baseline, 10, 1, &readings, ID);
    assert_false(readings.valid[ID]);
    counter_growth(&baseline, 17, 2, &readings, ID);
    assert_reading(&readings, 7);
    counter_growth(&baseline, 16, 3, &readings, ID);
    assert_false(readings.valid[ID]);
    counter_growth(&baseline, 16, 4, &readings, ID);
    assert_reading(&readings, 0);
    counter_lost(&baseline, &readings, ID);
    assert_false(readings.valid[ID]);
    counter_growth(&baseline, 20, 5, &readings, ID);
    assert_false(readings.valid[ID]);
}

static void rate_of_a_counter(void **state)
{
    struct CounterBaseline baseline = {0};
    struct Readings readings = {0};
    usec_t now = USEC_PER_SEC;

    counter_rate(&baseline, 100, now, 0.5, &readings, ID);
    assert_false(readings.valid[ID]);
    counter_rate(&baseline, 300, now += 2 * USEC_PER_SEC, 0.5, &readings, ID);
    assert_reading(&readings, 50);
    counter_rate(&baseline, 900, now += RATE_MIN_USEC - 1, 0.5, &readings, ID);
    assert_reading(&readings, 50);
    counter_rate(&baseline, 299, now += USEC_PER_SEC, 0.5, &readings, ID); /* went back */
    assert_false(readings.valid[ID]);
    counter_rate(&baseline, UINT64_MAX, now += USEC_PER_SEC, 1, &readings, ID);
    assert_reading(&readings, CEILING);
    assert_true(rate_per_second(1e30, 1) == CEILING);
    assert_true(rate_per_second(3, 2 * USEC_PER_SEC) == 1);
}

static void growth_of_what_goes_up_and_down(void **state)
{
    struct GrowthWindow window = {0};
    struct Readings readings = {0};
    usec_t now = USEC_PER_SEC;

    growth_rate(&window, 0, now, &readings, ID);
    assert_false(readings.valid[ID]);
    growth_rate(&window, UINT64_MAX, now += USEC_PER_SEC, &readings, ID);
    assert_reading(&readings, CEILING);
    growth_rate(&window, 5, now += USEC_PER_HOUR, &readings, ID); /* a new beginning */
    assert_false(readings.valid[ID]);
    growth_rate(&window, UINT64_MAX, now += 6 * USEC_PER_SEC, &readings, ID);
    growth_rate(&window, 0, now += 6 * USEC_PER_SEC, &readings, ID);
    assert_reading(&readings, -CEILING);
    growth_rate(&window, 6000, now += 6 * USEC_PER_SEC, &readings, ID);
    assert_reading(&readings, 1000);
    growth_rate(&window, 0, now += 6 * USEC_PER_SEC, &readings, ID);
    assert_reading(&readings, -1000);
    growth_rate(&window, 9000, now += RATE_MIN_USEC - 1, &readings, ID);
    assert_reading(&readings, -1000);
}

/* As many looks as there is room for, and one more. */
static void window_that_is_full(void **state)
{
    const usec_t apart = GROWTH_WINDOW_USEC / (GROWTH_SAMPLES_MAX - 1);
    struct GrowthWindow window = {0};
    struct Readings readings = {0};

    for (unsigned i = 0; i < 3 * GROWTH_SAMPLES_MAX; i++) {
        growth_rate(&window, i * apart, USEC_PER_SEC + i * apart, &readings, ID);
        assert_true(window.n <= GROWTH_SAMPLES_MAX);
    }
    assert_reading(&readings, USEC_PER_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(pairs_of_numbers),
        cmocka_unit_test(amounts),
        cmocka_unit_test(intervals),
        cmocka_unit_test(growth_of_a_counter),
        cmocka_unit_test(rate_of_a_counter),
        cmocka_unit_test(growth_of_what_goes_up_and_down),
        cmocka_unit_test(window_that_is_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
