/* Rules on the network: amounts in bits per second, and whom a rule of the host may elect by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/values.h"

static void test_conditions(void **state)
{
    static const struct {
        const char *text, *written;
        int64_t value;
        bool percent;
    } rows[] = {
        {"net.egress > 100M for 10s", "net.egress > 100Mbit for 10s", 100000000, false},
        {"net.ingress >= 1.5Gbit/s", "net.ingress >= 1.5Gbit", 1500000000, false},
        {"net.egress > 80%", "net.egress > 80%", 80, true},
        {"net.dropped > 0", "net.dropped > 0", 0, false},
        {"host.net.egress > 900Mbit", "host.net.egress > 900Mbit", 900000000, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct Complaint complaint = {0};
        struct Condition condition, again;
        char buf[CONDITION_FORMAT_MAX];

        assert_true(value_condition(rows[i].text, &condition, &complaint));
        assert_int_equal(condition.value, rows[i].value);
        assert_int_equal(condition.percent, rows[i].percent);
        assert_string_equal(condition_format(&condition, buf, sizeof(buf)), rows[i].written);
        assert_true(value_condition(buf, &again, &complaint));
        assert_int_equal(again.value, condition.value);
    }
}

#define BITS "bits per second in powers of 1000, such as 500k, 10M or 1Gbit"
#define PEACE(condition) "'" condition "' holds for every tenant at every moment"

static void test_triggers_refused(void **state)
{
    static const struct {
        const char *text, *what, *right;
    } rows[] = {
        {"net.egress > 100MB/s", "'100MB/s' is no value of net.egress", BITS ", or a percentage such as 80%"},
        {"host.net.egress > fast", "'fast' is no value of host.net.egress", BITS},
        {"host.net.egress > 50%", "host.net.egress has no limit that it could be a percentage of",
         BITS "; only a reading with a limit of its own, such as tasks.current, has a percentage"},
        {"net.ingress >= 0", PEACE("net.ingress >= 0"), "what is too much, such as > 100M"},
        {"net.dropped >= 0", PEACE("net.dropped >= 0"), "> 0, or >= with a value above 0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct Complaint complaint = {0};
        struct Condition condition;

        assert_false(value_trigger(rows[i].text, &condition, &complaint));
        assert_string_equal(complaint.what, rows[i].what);
        assert_string_equal(complaint.right, rows[i].right);
    }
}

#define HOST "[Rule r]\nScope=host\nWhen=host.net.egress > 900M for 10s\nSteps=freeze\n"

static void test_elections(void **state)
{
    static const struct {
        const char *text, *what, *right; /* NULL: taken */
    } rows[] = {
        {HOST "Rank=net.egress\nFloor=10M\n", NULL, NULL},
        {HOST "Rank=net.ingress\n", NULL, NULL},
        {HOST "Rank=cpu.usage\n",
         "Rank=: rule 'r' is on host.net.egress, and who has most of cpu.usage has nothing to do with it",
         "such as Rank=net.egress"},
        {HOST "Rank=disk.growth\n",
         "Rank=: rule 'r' is on host.net.egress, and who has most of disk.growth has nothing to do with it",
         "such as Rank=net.egress"},
        {HOST "Rank=net.egress\nFloor=10%\n", "Floor=: '10%' is no value of net.egress", BITS},
        {"[Rule r]\nScope=host\nWhen=host.disk.free < 5%\nSteps=freeze\nRank=net.egress\n",
         "Rank=: rule 'r' is on host.disk.free, and who has most of net.egress has nothing to do with it",
         "such as Rank=disk.growth"},
        {"[Rule r]\nWhen=host.net.ingress > 1G\nSteps=freeze\n",
         "When=: host.net.ingress holds for every tenant at the same moment, and rule 'r' elects nobody",
         "Scope=host and Rank=READING with it, such as Rank=net.egress"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct Problems problems = {0};
        struct Config *config = NULL;
        int r = config_parse_buffer("f", rows[i].text, strlen(rows[i].text), &config, &problems);

        if (rows[i].what) {
            assert_int_equal(r, CONFIG_INVALID);
            assert_int_equal(problems.n, 1);
            assert_string_equal(problems.list[0].what, rows[i].what);
            assert_string_equal(problems.list[0].right, rows[i].right);
        } else {
            assert_int_equal(r, 0);
            config_free(config);
        }
        problems_free(&problems);
    }
}

static void test_limits(void **state)
{
    const char *text = "[Tenants a]\nMatch=a\nRules=\nNetworkEgressMax=10M\nNetworkIngressMax=infinity\n"
                       "NetworkBurst=64K\n[Tenants b]\nMatch=b\nRules=\nNetworkIngressMax=1Gbit\n"
                       "NetworkEgressMax=5M\nNetworkEgressMax=\nNetworkBurst=1M\nNetworkBurst=\n";
    struct Problems problems = {0};
    struct Config *config = NULL;
    const struct TenantClass *a, *b;

    (void)state;
    assert_int_equal(config_parse_buffer("f", text, strlen(text), &config, &problems), 0);
    a = &config->policy.classes[0];
    b = &config->policy.classes[1];
    assert_true(a->limits.set[LIMIT_NETWORK_EGRESS_MAX]);
    assert_int_equal(a->limits.value[LIMIT_NETWORK_EGRESS_MAX], 10000000);
    assert_int_equal(a->limits.value[LIMIT_NETWORK_INGRESS_MAX], LIMIT_INFINITY);
    assert_int_equal(a->network_burst_bytes, 65536);
    assert_false(b->limits.set[LIMIT_NETWORK_EGRESS_MAX]);
    assert_int_equal(b->limits.value[LIMIT_NETWORK_INGRESS_MAX], 1000000000);
    assert_int_equal(b->network_burst_bytes, 0);
    config_free(config);
    problems_free(&problems);
}

#define FLOOD "[Rule flood]\nWhen=net.egress > 120% for 10s\nSteps=throttle\n"
#define CLASS "[Tenants a]\nMatch=a\nRules=flood\n"

static void test_flood(void **state)
{
    static const char text[] = FLOOD CLASS "NetworkFloodRate=5M\n";
    struct Problems problems = {0};
    struct Config *config = NULL;
    const struct Rule *rule;
    char step[STEP_FORMAT_MAX];

    assert_int_equal(config_parse_buffer("f", text, strlen(text), &config, &problems), 0);
    rule = config->policy.classes[0].rules[0];
    assert_int_equal(config->policy.classes[0].network_flood_bits, 5000000);
    assert_true(config->policy.classes[0].sweep);
    assert_int_equal(rule->resource, RESOURCE_NETWORK);
    assert_string_equal(step_format(rule, 0, step, sizeof(step)), "throttle");
    config_free(config);
    problems_free(&problems);
}

/* A rate that is taken back, and a rule on the network that throttles nobody and needs none. */
static void test_no_flood_rate(void **state)
{
    static const char text[] = "[Rule loud]\nWhen=net.egress > 120% for 10s\nSteps=freeze\n"
                               "[Tenants a]\nMatch=a\nNetworkFloodRate=5M\nNetworkFloodRate=\nRules=loud\n";
    struct Problems problems = {0};
    struct Config *config = NULL;

    assert_int_equal(config_parse_buffer("f", text, strlen(text), &config, &problems), 0);
    assert_int_equal(config->policy.classes[0].network_flood_bits, 0);
    assert_string_equal(config->policy.classes[0].rules[0]->name, "loud");
    config_free(config);
}

static void test_flood_refused(void **state)
{
    static const struct {
        const char *text, *what;
    } rows[] = {
        {FLOOD CLASS, "class 'a' has no NetworkFloodRate=, to which its rule 'flood' throttles"},
        {FLOOD CLASS "NetworkFloodRate=infinity\n", "NetworkFloodRate=: 'infinity' slows nobody down"},
        {FLOOD CLASS "NetworkFloodRate=fast\n", "NetworkFloodRate=: 'fast' is no rate"},
        {FLOOD "ThrottleTo=50%\n" CLASS "NetworkFloodRate=5M\n",
         "ThrottleTo=: rule 'flood' throttles the network, which is to a rate"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct Problems problems = {0};
        struct Config *config = NULL;

        assert_int_equal(config_parse_buffer("f", rows[i].text, strlen(rows[i].text), &config, &problems),
                         CONFIG_INVALID);
        assert_true(problems.n > 0);
        assert_string_equal(problems.list[0].what, rows[i].what);
        problems_free(&problems);
    }
}

static void test_burst_refused(void **state)
{
    static const struct {
        const char *text, *what;
    } rows[] = {
        {"NetworkBurst=1500\n", "NetworkBurst=: 1500 is out of range"},
        {"NetworkBurst=0\n", "NetworkBurst=: 0 is out of range"},
        {"NetworkBurst=2G\n", "NetworkBurst=: 2G is out of range"},
        {"NetworkBurst=64kbit\n", "NetworkBurst=: '64kbit' is no amount of data"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct Problems problems = {0};
        struct Config *config = NULL;
        char text[128] = "[Tenants a]\nMatch=a\nRules=\nTasksMax=5\n";

        strcat(text, rows[i].text);
        assert_int_equal(config_parse_buffer("f", text, strlen(text), &config, &problems), CONFIG_INVALID);
        assert_int_equal(problems.n, 1);
        assert_string_equal(problems.list[0].what, rows[i].what);
        assert_string_equal(problems.list[0].right,
                            "bytes in powers of 1024 from 2K to 1G, such as 64K; empty: by the rate");
        problems_free(&problems);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),    cmocka_unit_test(test_triggers_refused),
        cmocka_unit_test(test_elections),     cmocka_unit_test(test_limits),
        cmocka_unit_test(test_burst_refused), cmocka_unit_test(test_flood),
        cmocka_unit_test(test_flood_refused), cmocka_unit_test(test_no_flood_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
