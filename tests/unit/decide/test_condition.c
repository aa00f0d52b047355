#include "fixture.h"

#include "decide/condition.h"
#include "decide/limits.h"
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
        {COMPARISON_ABOVE, true, 50, INT64_MAX, 5, false},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct Condition condition = {READING_TASKS_CURRENT, table[i].comparison, table[i].threshold,
                                            table[i].percent, 0};
        const struct Readings readings = tasks(table[i].value, table[i].limit);

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

/* --- limits: what the class asks against what is found ---------------------------------------------- */

static bool limit_of(struct World *world, uint64_t asked, uint64_t present, int64_t running,
                     struct Decision *decision)
{
    world->class.limits.set[LIMIT_TASKS_MAX] = true;
    world->class.limits.value[LIMIT_TASKS_MAX] = asked;
    world->tenant.readings = tasks(running, READING_UNLIMITED);
    return limit_decide(&world->tenant, LIMIT_TASKS_MAX, present, world->now, decision);
}

static void test_limit_is_set(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    assert_true(limit_of(&world, 1024, LIMIT_INFINITY, 5, &decision));
    assert_int_equal(decision.verb, VERB_LIMIT);
    assert_int_equal(decision.value, 1024);
    assert_string_equal(world.tenant.limits[0].note, "");
}

static void test_tighter_limit_is_kept(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    assert_false(limit_of(&world, 1024, 100, 5, &decision));
    assert_non_null(strstr(world.tenant.limits[0].note, "TasksMax=100 already"));
}

static void test_limit_below_use_is_not_set(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.was_here = true;
    assert_false(limit_of(&world, 1024, LIMIT_INFINITY, 5000, &decision));
    assert_non_null(strstr(world.tenant.limits[0].note, "5000 tasks run already"));
}

/* A bomb that was quicker than the limit must not win by it. */
static void test_newcomer_beyond_its_limit_gets_it(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.appeared_usec = world.now - 1 * SECOND;
    assert_true(limit_of(&world, 1024, LIMIT_INFINITY, 5000, &decision));
    world.now += LIMIT_NEWCOMER_USEC;
    assert_false(limit_of(&world, 1024, LIMIT_INFINITY, 5000, &decision));
}

/* The runtime was slower than guardd, and set less: that is the tenant's own from now on. */
static void test_limit_set_by_another_is_kept(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.limits[0] = (struct LimitState){.applied = true, .found = LIMIT_INFINITY, .value = 1024};
    assert_true(limit_of(&world, 1024, 100, 5, &decision));
    assert_int_equal(decision.verb, VERB_UNLIMIT);
    assert_int_equal(decision.value, 100);
}

/* Written direct while the runtime was at work; at the last look PID 1 is told. */
static void test_systemd_is_told_at_the_last_look(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.limits[0] =
        (struct LimitState){.applied = true, .untold = true, .found = LIMIT_INFINITY, .value = 1024};
    world.tenant.limits_due_usec = world.now + 1 * SECOND;
    assert_false(limit_of(&world, 1024, 1024, 5, &decision));
    world.tenant.limits_due_usec = USEC_INFINITY;
    assert_true(limit_of(&world, 1024, 1024, 5000, &decision));
    assert_int_equal(decision.verb, VERB_LIMIT);
    world.tenant.limits[0].untold = false;
    assert_false(limit_of(&world, 1024, 1024, 5, &decision));
}

static void test_limit_lost_is_set_again(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.limits[0] = (struct LimitState){.applied = true, .found = 5000, .value = 1024};
    assert_true(limit_of(&world, 1024, LIMIT_INFINITY, 5, &decision));
    assert_int_equal(decision.verb, VERB_LIMIT);
    assert_int_equal(decision.value, 1024);
    assert_true(world.tenant.limits[0].found == LIMIT_INFINITY);
}

static void test_limit_follows_a_reload(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.limits[0] = (struct LimitState){.applied = true, .found = LIMIT_INFINITY, .value = 1024};
    assert_false(limit_of(&world, 1024, 1024, 5, &decision));
    assert_true(limit_of(&world, 2048, 1024, 5, &decision));
    assert_int_equal(decision.value, 2048);
    world.class.limits.set[LIMIT_TASKS_MAX] = false;
    assert_true(limit_decide(&world.tenant, LIMIT_TASKS_MAX, 1024, world.now, &decision));
    assert_int_equal(decision.verb, VERB_UNLIMIT);
    assert_true(decision.value == LIMIT_INFINITY);
}

static void test_untouchable_gets_no_limit(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.untouchable = true;
    assert_false(limit_of(&world, 1024, LIMIT_INFINITY, 5, &decision));
}

/* --- operators -------------------------------------------------------------------------------------- */

static void test_operator(void **state)
{
    static const struct {
        enum Verb verb;
        bool is_protected, frozen;
        uint32_t holders;
        enum OperatorAnswer answer;
    } table[] = {
        {VERB_FREEZE, false, false, 0, OPERATOR_DECIDED},
        {VERB_FREEZE, true, false, 0, OPERATOR_REFUSED},
        {VERB_FREEZE, false, true, 0, OPERATOR_NOTHING}, /* docker pause */
        {VERB_FREEZE, false, true, 1u << HOLDER_OPERATOR, OPERATOR_NOTHING},
        {VERB_FREEZE, false, true, 1u << 0, OPERATOR_DECIDED}, /* joins the rule */
        {VERB_THAW, false, false, 0, OPERATOR_NOTHING},
        {VERB_THAW, false, true, 0, OPERATOR_NOTHING}, /* not ours */
        {VERB_THAW, true, true, 1u << 0, OPERATOR_DECIDED},
        {VERB_KILL, false, false, 0, OPERATOR_DECIDED},
        {VERB_KILL, true, false, 0, OPERATOR_REFUSED},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct World world;
        struct Decision decision;
        char why[REASON_MAX];

        world_init(&world);
        world.tenant.condition.holders = table[i].holders;
        if (table[i].is_protected)
            snprintf(world.tenant.protected_by, sizeof(world.tenant.protected_by), "init.scope");
        if (operator_decide(&world.tenant, table[i].verb, table[i].frozen, 1000, world.now, &decision, why) !=
            table[i].answer)
            fail_msg("row %zu: %s", i, why);
        assert_true((why[0] != '\0') == (table[i].answer != OPERATOR_DECIDED));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comparisons),
        cmocka_unit_test(test_invalid_holds_neither_way),
        cmocka_unit_test(test_limit_is_set),
        cmocka_unit_test(test_tighter_limit_is_kept),
        cmocka_unit_test(test_limit_below_use_is_not_set),
        cmocka_unit_test(test_newcomer_beyond_its_limit_gets_it),
        cmocka_unit_test(test_limit_set_by_another_is_kept),
        cmocka_unit_test(test_systemd_is_told_at_the_last_look),
        cmocka_unit_test(test_limit_lost_is_set_again),
        cmocka_unit_test(test_limit_follows_a_reload),
        cmocka_unit_test(test_untouchable_gets_no_limit),
        cmocka_unit_test(test_operator),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
