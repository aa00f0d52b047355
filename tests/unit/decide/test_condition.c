#include "fixture.h"

#include "decide/condition.h"
#include "decide/operator.h"

static struct Readings tasks(int64_t value, int64_t limit)
{
    struct Readings readings = {};

    readings.valid[READING_TASKS_CURRENT] = true;
    readings.value[READING_TASKS_CURRENT] = value;
    readings.limit[READING_TASKS_CURRENT] = limit;
    return readings;
}

static void test_comparisons(void **state)
{
    static const struct {
        enum Comparison comparison;
        bool percent;
        int64_t threshold, value, limit;
        bool holds;
    } table[] = {
        {COMPARISON_ABOVE, false, 10, 11, 100, true},
        {COMPARISON_ABOVE, false, 10, 10, 100, false},
        {COMPARISON_AT_LEAST, false, 10, 10, 100, true},
        {COMPARISON_BELOW, false, 10, 9, 100, true},
        {COMPARISON_BELOW, false, 10, 10, 100, false},
        {COMPARISON_AT_MOST, false, 10, 10, 100, true},
        {COMPARISON_BELOW, true, 50, 511, 1024, true},
        {COMPARISON_BELOW, true, 50, 512, 1024, false},
        {COMPARISON_ABOVE, true, 80, 81, 100, true},
        {COMPARISON_ABOVE, true, 80, 80, 100, false},
        /* No limit: whatever it is, it is little. */
        {COMPARISON_BELOW, true, 50, 1000000, READING_UNLIMITED, true},
        {COMPARISON_ABOVE, true, 50, 1000000, READING_UNLIMITED, false},
        /* More than a product holds. */
        {COMPARISON_BELOW, true, 10, INT64_MAX / 19, INT64_MAX / 2, false},
        {COMPARISON_BELOW, true, 10, INT64_MAX / 21, INT64_MAX / 2, true},
        {COMPARISON_ABOVE, true, 80, INT64_MAX - 1, 5, true},
        {COMPARISON_BELOW, true, 10, 5, INT64_MAX / 5, true},
        /* Never, without end: more than anything. */
        {COMPARISON_BELOW, false, 120, READING_UNLIMITED, READING_UNLIMITED, false},
        {COMPARISON_AT_MOST, false, INT64_MAX, READING_UNLIMITED, READING_UNLIMITED, false},
        {COMPARISON_ABOVE, false, INT64_MAX, READING_UNLIMITED, READING_UNLIMITED, true},
        {COMPARISON_AT_LEAST, false, 120, READING_UNLIMITED, READING_UNLIMITED, true},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct Condition condition = {READING_TASKS_CURRENT, table[i].comparison, table[i].threshold,
                                            table[i].percent, 0};
        const struct Readings readings = tasks(table[i].value, table[i].limit);

        if (condition_holds(&condition, &readings) != table[i].holds)
            fail_msg("row %zu", i);
    }
}

/* A percentage is compared as it is. */
static void test_percentages(void **state)
{
    static const struct {
        enum Comparison comparison;
        int64_t threshold, value;
        bool percent, holds;
    } table[] = {
        {COMPARISON_ABOVE, 2000, 2001, false, true}, {COMPARISON_ABOVE, 2000, 2000, false, false},
        {COMPARISON_BELOW, 50, 49, false, true},     {COMPARISON_BELOW, 50, 50, false, false},
        {COMPARISON_ABOVE, 2000, 2001, true, true},  {COMPARISON_BELOW, 2000, 2001, true, false},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct Condition condition = {READING_MEMORY_PRESSURE_FULL, table[i].comparison,
                                            table[i].threshold, table[i].percent, 0};
        struct Readings readings = {};

        readings.valid[READING_MEMORY_PRESSURE_FULL] = true;
        readings.value[READING_MEMORY_PRESSURE_FULL] = table[i].value;
        readings.limit[READING_MEMORY_PRESSURE_FULL] = READING_UNLIMITED;
        if (condition_holds(&condition, &readings) != table[i].holds)
            fail_msg("row %zu", i);
    }
}

static void test_invalid_holds_neither_way(void **state)
{
    const struct Readings none = {};
    const struct Condition above = {READING_TASKS_CURRENT, COMPARISON_AT_LEAST, 0, false, 0};
    const struct Condition below = {READING_TASKS_CURRENT, COMPARISON_AT_MOST, 0, false, 0};

    assert_false(condition_holds(&above, &none));
    assert_false(condition_holds(&below, &none));
}

#define GIB (INT64_C(1) << 30)

static void test_evidence(void **state)
{
    static const struct {
        struct Condition condition;
        int64_t value, limit;
        const char *text;
    } table[] = {
        {{READING_TASKS_DENIED, COMPARISON_ABOVE, 0, false, 0},
         37,
         READING_UNLIMITED,
         "tasks.denied 37 (> 0)"},
        {{READING_TASKS_CURRENT, COMPARISON_BELOW, 50, true, 0},
         1024,
         1024,
         "tasks.current 1024 of 1024, 100% (< 50%)"},
        {{READING_TASKS_CURRENT, COMPARISON_ABOVE, 20000, false, 0},
         23456,
         READING_UNLIMITED,
         "tasks.current 23456 (> 20000)"},
        {{READING_TASKS_GROWTH, COMPARISON_AT_LEAST, 50, false, 0}, -70, 0, "tasks.growth -70/s (>= 50)"},
        {{READING_DISK_SPACE, COMPARISON_ABOVE, 80, true, 0},
         82 * GIB / 10,
         10 * GIB,
         "disk.space 8.2G of 10G, 81% (> 80%)"},
        {{READING_DISK_SPACE, COMPARISON_ABOVE, 8 * GIB, false, 0},
         82 * GIB / 10,
         READING_UNLIMITED,
         "disk.space 8.2G (> 8G)"},
        {{READING_DISK_GROWTH, COMPARISON_ABOVE, 100 << 20, false, 0},
         120 << 20,
         READING_UNLIMITED,
         "disk.growth 120M/s (> 100M/s)"},
        {{READING_DISK_ETA, COMPARISON_BELOW, 120, false, 0},
         100,
         READING_UNLIMITED,
         "disk.eta 1min 40s (< 2min)"},
        {{READING_DISK_ETA, COMPARISON_BELOW, 120, false, 0},
         READING_UNLIMITED,
         READING_UNLIMITED,
         "disk.eta never (< 2min)"},
        {{READING_HOST_DISK_FREE, COMPARISON_BELOW, 10, true, 0},
         91 * GIB / 10,
         100 * GIB,
         "host.disk.free 9.1G of 100G, 9% (< 10%)"},
        {{READING_MEMORY_PRESSURE_FULL, COMPARISON_ABOVE, 2000, false, 0},
         3420,
         READING_UNLIMITED,
         "memory.pressure.full 34.2% (> 20%)"},
        {{READING_HOST_MEMORY_PRESSURE_FULL, COMPARISON_BELOW, 50, false, 0},
         7,
         0,
         "host.memory.pressure.full 0.07% (< 0.5%)"},
        /* What has no limit is never shown as a share, whatever lies there. */
        {{READING_CPU_USAGE, COMPARISON_AT_LEAST, 15000, false, 0}, 40000, 80000, "cpu.usage 400% (>= 150%)"},
        {{READING_MEMORY_CURRENT, COMPARISON_ABOVE, 90, true, 0},
         950 << 20,
         INT64_C(1000) << 20,
         "memory.current 950M of 1000M, 95% (> 90%)"},
        {{READING_HOST_DISK_FREE, COMPARISON_BELOW, 10, true, 0},
         INT64_C(3) << 60,
         INT64_C(6) << 60,
         "host.disk.free 3E of 6E, 50% (< 10%)"},
        {{READING_DISK_SPACE, COMPARISON_ABOVE, 80, true, 0},
         INT64_C(1) << 60,
         50,
         "disk.space 1E of 50, 9223372036854775807% (> 80%)"},
        {{READING_TASKS_CURRENT, COMPARISON_ABOVE, 20000, false, 0},
         READING_UNLIMITED,
         READING_UNLIMITED,
         "tasks.current unlimited (> 20000)"},
        /* A share of a percentage is told as it is compared: there is none. */
        {{READING_MEMORY_PRESSURE_FULL, COMPARISON_ABOVE, 2000, true, 0},
         3420,
         READING_UNLIMITED,
         "memory.pressure.full 34.2% (> 20%)"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        enum ReadingId id = table[i].condition.reading;
        struct Readings readings = {};
        char text[CONDITION_EVIDENCE_MAX];

        readings.valid[id] = true;
        readings.value[id] = table[i].value;
        readings.limit[id] = table[i].limit;
        assert_string_equal(condition_evidence(&table[i].condition, &readings, text, sizeof(text)),
                            table[i].text);
        readings.valid[id] = false;
        assert_non_null(
            strstr(condition_evidence(&table[i].condition, &readings, text, sizeof(text)), " not known"));
    }
}

/* --- operators -------------------------------------------------------------------------------------- */

static void test_operator(void **state)
{
    static const struct {
        enum Verb verb;
        bool is_protected, frozen, under_way;
        uint32_t holders;
        enum OperatorAnswer answer;
    } table[] = {
        {VERB_FREEZE, false, false, false, 0, OPERATOR_DECIDED},
        {VERB_FREEZE, true, false, false, 0, OPERATOR_REFUSED},
        {VERB_FREEZE, false, true, false, 0, OPERATOR_NOTHING}, /* docker pause */
        {VERB_FREEZE, false, true, false, 1u << HOLDER_OPERATOR, OPERATOR_NOTHING},
        {VERB_FREEZE, false, true, false, 1u << 0, OPERATOR_DECIDED}, /* joins the rule */
        {VERB_FREEZE, false, true, true, 0, OPERATOR_DECIDED},        /* by a rule that is about to hold it */
        {VERB_THAW, false, false, false, 0, OPERATOR_NOTHING},
        {VERB_THAW, false, true, false, 0, OPERATOR_NOTHING}, /* not ours */
        {VERB_THAW, true, true, false, 1u << 0, OPERATOR_DECIDED},
        {VERB_THAW, false, false, true, 0, OPERATOR_DECIDED}, /* of what is about to be frozen */
        {VERB_KILL, false, false, false, 0, OPERATOR_DECIDED},
        {VERB_KILL, true, false, false, 0, OPERATOR_REFUSED},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct World world;
        struct Decision decision;
        char why[REASON_MAX];

        world_init(&world);
        world.tenant.condition.holders = table[i].holders;
        world.tenant.action.under_way = table[i].under_way;
        if (table[i].is_protected)
            snprintf(world.tenant.protected_by, sizeof(world.tenant.protected_by), "init.scope");
        if (operator_decide(&world.tenant, table[i].verb, table[i].frozen, 1000, world.now, &decision, why) !=
            table[i].answer)
            fail_msg("row %zu: %s", i, why);
        assert_true((why[0] != '\0') == (table[i].answer != OPERATOR_DECIDED));
    }
}

/* What would stop guardd itself is refused, whether or not it is told why. */
static void test_operator_and_untouchable(void **state)
{
    struct World world;
    struct Decision decision;
    char why[REASON_MAX];

    world_init(&world);
    world.tenant.untouchable = true;
    assert_int_equal(operator_decide(&world.tenant, VERB_FREEZE, false, 1000, world.now, &decision, why),
                     OPERATOR_REFUSED);
    assert_non_null(strstr(why, "docker/web is protected"));
}

static void test_operator_throttles(void **state)
{
    static const struct {
        enum Verb verb;
        enum Resource resource;
        unsigned percent;
        bool is_protected;
        uint32_t holders;
        enum OperatorAnswer answer;
        const char *why;
    } table[] = {
        {VERB_THROTTLE, RESOURCE_CPU, 50, false, 0, OPERATOR_DECIDED, ""},
        {VERB_THROTTLE, RESOURCE_CPU, 50, false, 1, OPERATOR_DECIDED, ""}, /* joins the rule */
        {VERB_THROTTLE, RESOURCE_CPU, 50, true, 0, OPERATOR_REFUSED, "is protected (init.scope)"},
        {VERB_THROTTLE, RESOURCE_MEMORY, 1, false, 0, OPERATOR_DECIDED, ""},
        {VERB_THROTTLE, RESOURCE_IO, 99, false, 0, OPERATOR_DECIDED, ""},
        {VERB_THROTTLE, RESOURCE_IO, 0, false, 0, OPERATOR_REFUSED, "1% to 99%"},
        {VERB_THROTTLE, RESOURCE_IO, 100, false, 0, OPERATOR_REFUSED, "1% to 99%"},
        {VERB_THROTTLE, RESOURCE_DISK, 50, false, 0, OPERATOR_REFUSED, "disk cannot be throttled"},
        {VERB_THROTTLE, RESOURCE_TASKS, 50, false, 0, OPERATOR_REFUSED, "tasks cannot be throttled"},
        {VERB_THROTTLE, RESOURCE_INVALID, 50, false, 0, OPERATOR_REFUSED, "cannot be throttled"},
        {VERB_THROTTLE, RESOURCE_CPU, 50, false, 1u << HOLDER_OPERATOR, OPERATOR_NOTHING, "in cpu already"},
        {VERB_UNTHROTTLE, RESOURCE_CPU, 0, true, 1, OPERATOR_DECIDED, ""},
        {VERB_UNTHROTTLE, RESOURCE_CPU, 0, false, 0, OPERATOR_NOTHING, "not throttled in cpu"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct World world;
        struct Decision decision;
        char why[REASON_MAX];

        world_init(&world);
        if (resource_can_throttle(table[i].resource))
            world.tenant.throttles[table[i].resource].holders = table[i].holders;
        if (table[i].is_protected)
            snprintf(world.tenant.protected_by, sizeof(world.tenant.protected_by), "init.scope");
        if (operator_throttle(&world.tenant, table[i].verb, table[i].resource, table[i].percent, 1000,
                              world.now, &decision, why) != table[i].answer ||
            !strstr(why, table[i].why) || (why[0] != '\0') != (table[i].answer != OPERATOR_DECIDED))
            fail_msg("row %zu: %s", i, why);
        if (table[i].answer != OPERATOR_DECIDED)
            continue;
        assert_int_equal(decision.verb, table[i].verb);
        assert_int_equal(decision.holder, HOLDER_OPERATOR);
        assert_int_equal(decision.resource, table[i].resource);
        assert_int_equal(decision.percent, table[i].percent);
        assert_int_equal(decision.limit, LIMIT_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comparisons),
        cmocka_unit_test(test_percentages),
        cmocka_unit_test(test_invalid_holds_neither_way),
        cmocka_unit_test(test_evidence),
        cmocka_unit_test(test_operator),
        cmocka_unit_test(test_operator_and_untouchable),
        cmocka_unit_test(test_operator_throttles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
