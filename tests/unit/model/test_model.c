/* The words: names that are API, and how an event reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/event.h"
#include "model/policy.h"

static void test_names_go_both_ways(void **state)
{
    for (int i = 0; i < READING_COUNT; i++)
        assert_int_equal(reading_from_name(reading_info((enum ReadingId)i)->name), i);
    for (int i = 0; i < LIMIT_COUNT; i++)
        assert_int_equal(limit_from_directive(limit_info((enum LimitId)i)->directive), i);
    for (int i = 0; i < VERB_COUNT; i++)
        assert_int_equal(verb_from_name(verb_name((enum Verb)i)), i);
    assert_int_equal(reading_from_name("tasks"), READING_INVALID);
    assert_int_equal(verb_from_name("FREEZE"), VERB_INVALID);
}

/* They are API: a rename breaks every policy that is written. */
static void test_reading_names(void **state)
{
    assert_string_equal(reading_info(READING_TASKS_CURRENT)->name, "tasks.current");
    assert_string_equal(reading_info(READING_TASKS_DENIED)->name, "tasks.denied");
    assert_string_equal(reading_info(READING_TASKS_GROWTH)->name, "tasks.growth");
}

static void test_first_class_wins(void **state)
{
    char *first[] = {"system.slice/web*", NULL}, *second[] = {"system.slice/*", NULL};
    struct TenantClass classes[] = {{.name = "web", .match = first}, {.name = "all", .match = second}};
    const struct Policy policy = {.classes = classes, .n_classes = 2};

    assert_ptr_equal(policy_classify(&policy, "system.slice/web.service"), &classes[0]);
    assert_ptr_equal(policy_classify(&policy, "system.slice/db.service"), &classes[1]);
    assert_null(policy_classify(&policy, "user.slice"));
}

static void test_condition_text(void **state)
{
    const struct Condition condition = {READING_TASKS_CURRENT, COMPARISON_BELOW, 50, true, 10 * USEC_PER_SEC};
    char buf[CONDITION_FORMAT_MAX];

    assert_string_equal(condition_format(&condition, buf, sizeof(buf)), "tasks.current < 50% for 10s");
}

static void test_sentences(void **state)
{
    struct Event event = {.kind = EVENT_OUTCOME, .decision.verb = VERB_FREEZE};
    char buf[EVENT_SENTENCE_MAX];

    event.outcome = (struct Outcome){.result = RESULT_DONE, .took_usec = 12 * USEC_PER_MSEC};
    assert_string_equal(event_sentence(&event, buf, sizeof(buf)), "frozen after 12ms");
    event.outcome = (struct Outcome){.result = RESULT_FAILED, .text = "no ledger"};
    assert_string_equal(event_sentence(&event, buf, sizeof(buf)), "freeze failed: no ledger");
    event.outcome = (struct Outcome){.result = RESULT_OBSERVED};
    assert_string_equal(event_sentence(&event, buf, sizeof(buf)), "would have been frozen (Mode=observe)");
}

static void test_tenant_state(void **state)
{
    struct Rule rule = {};
    struct TenantClass class = {.rules = {&rule}, .n_rules = 1};
    struct Tenant tenant = {.class = &class};

    assert_string_equal(tenant_state(&tenant), "ok");
    tenant.condition.rules[0].phase = PHASE_PENDING;
    assert_string_equal(tenant_state(&tenant), "armed");
    tenant.condition.holders = 1;
    assert_string_equal(tenant_state(&tenant), "frozen");
    tenant.action = (struct Action){.under_way = true, .decision.verb = VERB_KILL};
    assert_string_equal(tenant_state(&tenant), "killing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_go_both_ways), cmocka_unit_test(test_reading_names),
        cmocka_unit_test(test_first_class_wins),   cmocka_unit_test(test_condition_text),
        cmocka_unit_test(test_sentences),          cmocka_unit_test(test_tenant_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
