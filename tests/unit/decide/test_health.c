/* What `status` begins with: a row a case, and its word and sentence. */
#include "fixture.h"

#include "decide/health.h"

#define PEACE .tenants = 3, .kills_left = 5, .kills_limit = 5

static void test_sentences(void **state)
{
    static const struct {
        struct HealthFacts facts;
        const char *health, *sentence;
    } table[] = {
        {{PEACE}, "fine", "The host is fine: 3 tenants are guarded, and nothing stands."},
        {{.tenants = 1}, "fine", "The host is fine: 1 tenant is guarded, and nothing stands."},
        {{.tenants = 0}, "fine", "The host is fine: 0 tenants are guarded, and nothing stands."},
        /* What this host does not offer besides what is needed is no harm by itself. */
        {{PEACE, .missing = 2}, "fine", "The host is fine: 3 tenants are guarded, and nothing stands."},
        {{PEACE, .exempt = 1, .exempt_name = "a"},
         "fine",
         "The host is fine: 3 tenants are guarded, and nothing stands; a is exempt from all rules."},
        {{PEACE, .exempt = 3, .exempt_name = "a"},
         "fine",
         "The host is fine: 3 tenants are guarded, and nothing stands; a and 2 more are exempt from all "
         "rules."},
        /* Held: the guard works. */
        {{PEACE, .frozen = 1, .frozen_name = "docker/web"},
         "holding",
         "Under control: docker/web is frozen."},
        {{PEACE, .frozen = 4, .frozen_name = "a"}, "holding", "Under control: a and 3 more are frozen."},
        {{PEACE, .frozen = 1, .frozen_name = "a", .throttled = 1, .throttled_name = "b"},
         "holding",
         "Under control: a is frozen; b is throttled."},
        {{PEACE, .armed = 2, .armed_name = "a"},
         "holding",
         "Under control: a and 1 more are under suspicion."},
        /* What guardd would do and cannot. */
        {{PEACE, .failing = 1, .failing_name = "a", .frozen = 1, .frozen_name = "b"},
         "impaired",
         "Not fine: a is not held although a rule wants it; b is frozen."},
        {{.tenants = 3, .kills_limit = 5, .kills_left = 0},
         "impaired",
         "Not fine: the kill budget is spent."},
        {{PEACE, .unlimited = 1, .unlimited_name = "a"},
         "fine",
         "The host is fine: 3 tenants are guarded, and nothing stands; a has a limit that is not in force."},
        {{PEACE, .degraded = 1, .degraded_text = "no ledger in /run"},
         "impaired",
         "Not fine: no ledger in /run."},
        {{PEACE, .degraded = 2, .degraded_text = "no ledger in /run"},
         "impaired",
         "Not fine: no ledger in /run, and more."},
        /* No budget at all is a choice. */
        {{.tenants = 3, .kills_limit = 0},
         "fine",
         "The host is fine: 3 tenants are guarded, and nothing stands."},
        /* The worst first. */
        {{PEACE, .mode = MODE_OBSERVE, .armed = 1, .armed_name = "a"},
         "unguarded",
         "Not guarded: Mode=observe, guardd looks on and does nothing; a is under suspicion."},
        {{PEACE, .missing = 1, .missing_needed = "cgroup v2"},
         "unguarded",
         "Not guarded: this host cannot be guarded, cgroup v2 is not to be had."},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char sentence[HEALTH_SENTENCE_MAX];
        enum Health health = health_judge(&table[i].facts, sentence, sizeof(sentence));

        assert_string_equal(sentence, table[i].sentence);
        assert_string_equal(health_name(health), table[i].health);
    }
}

/* Names of 255 bytes in all clauses: the sentence is cut, and ends all the same. */
static void test_cut(void **state)
{
    char name[256], sentence[HEALTH_SENTENCE_MAX];
    struct HealthFacts facts = {PEACE, .frozen = 1, .throttled = 1, .armed = 1};

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    facts.frozen_name = facts.throttled_name = facts.armed_name = name;
    health_judge(&facts, sentence, sizeof(sentence));
    assert_true(strlen(sentence) < sizeof(sentence));
    assert_int_equal(sentence[strlen(sentence) - 1], '.');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
