/* What a right configuration becomes: every field, every default, and how later values meet earlier ones. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "config/config.h"

/* Parses what must be right. */
static struct Config *parse(const char *text)
{
    struct Problems problems = {0};
    struct Config *config = NULL;
    int r = config_parse_buffer("test.conf", text, strlen(text), &config, &problems);

    for (size_t i = 0; i < problems.n; i++)
        fprintf(stderr, "%u: %s; %s\n", problems.list[i].line, problems.list[i].what, problems.list[i].right);
    assert_int_equal(r, 0);
    assert_int_equal(problems.n, 0);
    assert_non_null(config);
    return config;
}

static bool has(char *const *list, const char *text)
{
    for (; *list; list++)
        if (strcmp(*list, text) == 0)
            return true;
    return false;
}

static void assert_condition(const struct Condition *condition, const char *text)
{
    char buf[CONDITION_FORMAT_MAX];

    assert_string_equal(condition_format(condition, buf, sizeof(buf)), text);
}

static void assert_step(const struct Step *step, enum Verb verb, usec_t lasts)
{
    assert_int_equal(step->verb, verb);
    assert_true(step->lasts_usec == lasts);
}

static void test_empty(void **state)
{
    struct Config *config = parse("");
    const struct Policy *policy = &config->policy;

    assert_int_equal(policy->mode, MODE_ENFORCE);
    assert_int_equal(policy->kill_limit.kills, 5);
    assert_int_equal(policy->kill_limit.window_usec, USEC_PER_MINUTE);
    assert_null(config->cgroup_root);
    assert_string_equal(config->operator_group, "guardd");
    assert_null(config->viewer_group);
    assert_string_equal(config->files[0], "test.conf");
    assert_null(config->files[1]);
    assert_int_equal(policy->n_classes, 0);
    assert_int_equal(policy->n_rules, 0);
    assert_true(has(policy->protect, "init.scope"));
    config_free(config);
}

static void test_guard(void **state)
{
    struct Config *config =
        parse("[Guard]\nMode=observe\nCgroupRoot=/sys/fs/cgroup/unified\nOperatorGroup=wheel\n"
              "ViewerGroup=adm\nKillBudget=64/1h 30min\nProtect=a\nProtect=b/**\n");
    const struct Policy *policy = &config->policy;

    assert_int_equal(policy->mode, MODE_OBSERVE);
    assert_string_equal(config->cgroup_root, "/sys/fs/cgroup/unified");
    assert_string_equal(config->operator_group, "wheel");
    assert_string_equal(config->viewer_group, "adm");
    assert_int_equal(policy->kill_limit.kills, 64);
    assert_int_equal(policy->kill_limit.window_usec, 90 * USEC_PER_MINUTE);
    assert_true(has(policy->protect, "a") && has(policy->protect, "b/**"));
    config_free(config);
}

static void test_empty_values_take_back(void **state)
{
    struct Config *config =
        parse("[Guard]\nMode=observe\nCgroupRoot=/x\nOperatorGroup=\nViewerGroup=adm\n"
              "KillBudget=0/1s\nProtect=a\nMode=\nCgroupRoot=\nViewerGroup=\nKillBudget=\n"
              "Protect=\nProtect=b\n");
    const struct Policy *policy = &config->policy;

    assert_int_equal(policy->mode, MODE_ENFORCE);
    assert_null(config->cgroup_root);
    assert_null(config->operator_group);
    assert_null(config->viewer_group);
    assert_int_equal(policy->kill_limit.kills, 5);
    assert_false(has(policy->protect, "a"));
    assert_true(has(policy->protect, "b"));
    config_free(config);
}

/* However Protect= is emptied. */
static void test_built_in_protection(void **state)
{
    static const char *const paths[] = {
        "init.scope",
        "system.slice/guardd.service",
        "system.slice/systemd-journald.service",
        "system.slice/systemd-journald@ns.service",
        "system.slice/system-systemd\\x2djournald.slice/systemd-journald@ns.service",
        "system.slice/systemd-logind.service",
        "system.slice/systemd-udevd.service",
        "system.slice/dbus.service",
        "system.slice/dbus-broker.service",
    };
    struct Config *config = parse("[Guard]\nProtect=\n");

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_non_null(policy_protects(&config->policy, paths[i]));
    assert_null(policy_protects(&config->policy, "system.slice/nginx.service"));
    config_free(config);
}

static void test_class(void **state)
{
    struct Config *config = parse("[Tenants docker]\nMatch=a/*\nMatch=b\nTasksMax=4096\nRules=two one\n"
                                  "[Rule one]\nWhen=tasks.denied > 0\nSteps=warn\n"
                                  "[Rule two]\nWhen=tasks.denied > 5\nSteps=warn\n"
                                  "[Rule unused]\nWhen=tasks.growth > 5\nSteps=warn\n");
    const struct TenantClass *class = config->policy.classes;

    assert_int_equal(config->policy.n_classes, 1);
    assert_int_equal(config->policy.n_rules, 3);
    assert_string_equal(class->name, "docker");
    assert_string_equal(class->match[0], "a/*");
    assert_string_equal(class->match[1], "b");
    assert_null(class->match[2]);
    assert_true(class->limits.set[LIMIT_TASKS_MAX]);
    assert_int_equal(class->limits.value[LIMIT_TASKS_MAX], 4096);
    assert_int_equal(class->n_rules, 2);
    assert_string_equal(class->rules[0]->name, "two");
    assert_string_equal(class->rules[1]->name, "one");
    assert_ptr_equal(class->rules[1], &config->policy.rules[0]);
    assert_false(class->sweep);
    config_free(config);
}

/* A rule on what the kernel does not announce costs a sweep, one Until= on it does not. */
static void test_sweep(void **state)
{
    struct Config *config = parse("[Rule a]\nWhen=tasks.denied > 0\nUntil=tasks.current < 5\nSteps=warn\n"
                                  "[Rule b]\nWhen=tasks.growth > 100\nSteps=warn\n"
                                  "[Tenants quiet]\nMatch=q\nRules=a\n[Tenants swept]\nMatch=s\nRules=a b\n");

    assert_false(config->policy.classes[0].sweep);
    assert_true(config->policy.classes[1].sweep);
    config_free(config);
}

static void test_lists_grow_and_sections_go_on(void **state)
{
    struct Config *config =
        parse("[Rule r]\nWhen=tasks.denied > 9\nSteps=kill\n[Rule s]\nWhen=tasks.denied > 0\nSteps=warn\n"
              "[Tenants b]\nMatch=b1\nRules=r\nTasksMax=7\n"
              "[Tenants a]\nMatch=a1\nMatch=\nMatch=a2\nRules=r s\nRules=\nRules=s s\n"
              "[Tenants b]\nMatch=b2\nRules=s r\nTasksMax=infinity\n"
              "[Rule r]\nWhen=tasks.denied > 3\n");
    const struct Policy *policy = &config->policy;

    assert_string_equal(policy->classes[0].name, "b"); /* the order of first appearance */
    assert_string_equal(policy->classes[1].name, "a");
    assert_string_equal(policy->classes[0].match[1], "b2");
    assert_int_equal(policy->classes[0].n_rules, 2);
    assert_true(policy->classes[0].limits.value[LIMIT_TASKS_MAX] == LIMIT_INFINITY);
    assert_string_equal(policy->classes[1].match[0], "a2");
    assert_null(policy->classes[1].match[1]);
    assert_int_equal(policy->classes[1].n_rules, 1);
    assert_string_equal(policy->classes[1].rules[0]->name, "s");
    assert_int_equal(policy->rules[0].when.value, 3);
    assert_int_equal(policy->rules[0].steps[0].verb, VERB_KILL);
    config_free(config);
}

/* Each key sets its own limit, and an empty value takes it back. */
static void test_each_limit(void **state)
{
    static const uint64_t wanted[LIMIT_COUNT] = {
        [LIMIT_MEMORY_HIGH] = 1 << 30,
        [LIMIT_MEMORY_MAX] = 2U << 30,
        [LIMIT_MEMORY_SWAP_MAX] = 0,
        [LIMIT_CPU_QUOTA] = 15000,
        [LIMIT_CPU_WEIGHT] = 50,
        [LIMIT_IO_WEIGHT] = 200,
        [LIMIT_IO_READ_BANDWIDTH_MAX] = 1000000,
        [LIMIT_IO_WRITE_BANDWIDTH_MAX] = 2000000,
        [LIMIT_IO_READ_IOPS_MAX] = 300,
        [LIMIT_IO_WRITE_IOPS_MAX] = 4000,
        [LIMIT_NETWORK_EGRESS_MAX] = 10000000,
        [LIMIT_NETWORK_INGRESS_MAX] = LIMIT_INFINITY,
    };
    struct Config *config =
        parse("[Tenants c]\nMatch=a\nRules=\nMemoryHigh=1G\nMemoryMax=2G\nMemorySwapMax=0\n"
              "CPUQuota=150%\nCPUWeight=50\nIOWeight=200\n"
              "IOReadBandwidthMax=1M\nIOWriteBandwidthMax=2M\nIOReadIOPSMax=300\nIOWriteIOPSMax=4K\nTasksMax="
              "5\nTasksMax=\n"
              "NetworkEgressMax=10M\nNetworkIngressMax=infinity\n"
              "[Tenants d]\nMatch=b\nRules=\nMemoryMax=1G\nMemoryMax=\nCPUQuota=1%\n");
    const struct Limits *limits = &config->policy.classes[0].limits,
                        *other = &config->policy.classes[1].limits;

    for (int id = 0; id < LIMIT_COUNT; id++) {
        assert_int_equal(limits->set[id], id >= LIMIT_MEMORY_HIGH);
        if (limits->set[id])
            assert_true(limits->value[id] == wanted[id]);
        assert_int_equal(other->set[id], id == LIMIT_CPU_QUOTA);
    }
    assert_false(config->policy.classes[0].disk);
    config_free(config);
}

static void test_limits_alone(void **state)
{
    struct Config *config =
        parse("[Tenants a]\nMatch=a\nTasksMax=1\nRules=\n[Tenants b]\nMatch=b\nTasksMax=4194304\n"
              "TasksMax=\nTasksMax=2\nRules=\n");

    assert_int_equal(config->policy.classes[0].n_rules, 0);
    assert_int_equal(config->policy.classes[0].limits.value[LIMIT_TASKS_MAX], 1);
    assert_int_equal(config->policy.classes[1].limits.value[LIMIT_TASKS_MAX], 2);
    config_free(config);
}

static void test_conditions(void **state)
{
    static const struct {
        const char *text, *when, *until;
    } rows[] = {
        {"tasks.denied > 0", "tasks.denied > 0", "tasks.denied <= 0 for 30s"},
        {"tasks.denied>0", "tasks.denied > 0", "tasks.denied <= 0 for 30s"},
        {"tasks.current >= 90% for 5s", "tasks.current >= 90% for 5s", "tasks.current < 90% for 30s"},
        {"tasks.growth < 100 for 1min 30s", "tasks.growth < 100 for 1min 30s", "tasks.growth >= 100 for 30s"},
        {"tasks.current  <=\t5", "tasks.current <= 5", "tasks.current > 5 for 30s"},
        {"tasks.current > 9223372036854775806", "tasks.current > 9223372036854775806",
         "tasks.current <= 9223372036854775806 for 30s"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[256];
        struct Config *config;

        snprintf(text, sizeof(text), "[Rule r]\nSteps=warn\nUntil=tasks.current < 1\nUntil=\nWhen=%s\n",
                 rows[i].text);
        config = parse(text);
        assert_condition(&config->policy.rules[0].when, rows[i].when);
        assert_condition(&config->policy.rules[0].until, rows[i].until);
        config_free(config);
    }
}

static void test_until(void **state)
{
    struct Config *config = parse(
        "[Rule r]\nSteps=warn\nWhen=tasks.denied > 0\nUntil=tasks.current < 50% for 10s\nScope=tenant\n");

    assert_condition(&config->policy.rules[0].until, "tasks.current < 50% for 10s");
    config_free(config);
}

static const struct Rule *parse_steps(const char *steps, struct Config **ret_config)
{
    char text[256];

    snprintf(text, sizeof(text), "[Rule r]\nWhen=tasks.denied > 0\nSteps=%s\n", steps);
    *ret_config = parse(text);
    return (*ret_config)->policy.rules;
}

static void test_steps(void **state)
{
    struct Config *config;
    const struct Rule *rule = parse_steps("warn 10s , freeze  1min 30s,kill", &config);

    assert_string_equal(rule->name, "r");
    assert_int_equal(rule->n_steps, 3);
    assert_step(&rule->steps[0], VERB_WARN, 10 * USEC_PER_SEC);
    assert_step(&rule->steps[1], VERB_FREEZE, 90 * USEC_PER_SEC);
    assert_step(&rule->steps[2], VERB_KILL, USEC_INFINITY);
    config_free(config);
    rule = parse_steps("freeze", &config);
    assert_int_equal(rule->n_steps, 1);
    assert_step(&rule->steps[0], VERB_FREEZE, USEC_INFINITY);
    config_free(config);
}

/* `kill 10s` is SIGTERM, 10 s of grace, and the kill. */
static void test_grace(void **state)
{
    struct Config *config;
    const struct Rule *rule = parse_steps("freeze 5s, kill 10s", &config);

    assert_int_equal(rule->n_steps, 3);
    assert_step(&rule->steps[0], VERB_FREEZE, 5 * USEC_PER_SEC);
    assert_step(&rule->steps[1], VERB_TERMINATE, 10 * USEC_PER_SEC);
    assert_step(&rule->steps[2], VERB_KILL, USEC_INFINITY);
    config_free(config);
}

/* Byte order mark, CRLF, indentation, comments of both kinds and of any length, no newline at the end. */
static void test_forms(void **state)
{
    struct Config *config = parse("\xef\xbb\xbf[Guard] ; here\r\n\r\n  Mode = observe ; not yet\r\n"
                                  "\t; a comment\n# Gr\xc3\xbc\xc3\x9f"
                                  "e: \xe2\x82\xac \xf0\x9f\x98\x80 "
                                  "0123456789012345678901234567890123456789012345678901234567890123456789"
                                  "0123456789012345678901234567890123456789012345678901234567890123456789"
                                  "0123456789012345678901234567890123456789012345678901234567890123456789\\\n"
                                  "Protect=a:b=c\n[Guard]#\nViewerGroup=adm");

    assert_int_equal(config->policy.mode, MODE_OBSERVE);
    assert_true(has(config->policy.protect, "a:b=c"));
    assert_string_equal(config->viewer_group, "adm");
    config_free(config);
}

/* Blanks count for nothing at the ends of a line, of a header and of a value. */
static void test_blanks(void **state)
{
    struct Config *config = parse(" \t \n\t[ Guard\t] \t\n Mode \t=\t observe \t \nViewerGroup=adm\t\n"
                                  "[Tenants \t c ]\nMatch=a \nTasksMax= 5\nRules= \n");

    assert_int_equal(config->policy.mode, MODE_OBSERVE);
    assert_string_equal(config->viewer_group, "adm");
    assert_string_equal(config->policy.classes[0].name, "c");
    assert_string_equal(config->policy.classes[0].match[0], "a");
    assert_int_equal(config->policy.classes[0].limits.value[LIMIT_TASKS_MAX], 5);
    assert_int_equal(config->policy.classes[0].n_rules, 0);
    config_free(config);
}

/* 198 bytes are a line; inih's buffer must hold them whole. Names may be as long as their type. */
static void test_longest(void **state)
{
    char glob[191], text[512], name[POLICY_NAME_MAX];
    struct Config *config;

    memset(glob, 'g', sizeof(glob) - 1);
    glob[sizeof(glob) - 1] = '\0';
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    snprintf(text, sizeof(text), "[Tenants %s]\nMatch=a\nTasksMax=1\nRules=\n[Guard]\nProtect=%s\n", name,
             glob);
    config = parse(text);
    assert_true(has(config->policy.protect, glob));
    assert_string_equal(config->policy.classes[0].name, name);
    config_free(config);
}

static void test_trace_size(void **state)
{
    static const struct {
        const char *text;
        size_t bytes;
    } rows[] = {
        {"", (size_t)4 << 20},
        {"TraceSize=0\n", 0},
        {"TraceSize=512K\n", (size_t)512 << 10},
        {"TraceSize=256M\n", (size_t)256 << 20},
        {"TraceSize=1M\nTraceSize=\n", (size_t)4 << 20},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[64];
        struct Config *config;

        snprintf(text, sizeof(text), "[Guard]\n%s", rows[i].text);
        config = parse(text);
        assert_int_equal(config->trace_bytes, rows[i].bytes);
        config_free(config);
    }
}

/* What was read is kept, to be read again from a trace: all but what says nothing. */
static void test_text(void **state)
{
    struct Config *config =
        parse("# one\n; two\n\n[Guard]\nMode=observe\n ; three\nProtect=a\n\nViewerGroup=adm");

    assert_string_equal(config->text, "[Guard]\nMode=observe\n ; three\nProtect=a\nViewerGroup=adm\n");
    config_free(config);
    config = parse("");
    assert_string_equal(config->text, "");
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_guard),
        cmocka_unit_test(test_empty_values_take_back),
        cmocka_unit_test(test_built_in_protection),
        cmocka_unit_test(test_class),
        cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_lists_grow_and_sections_go_on),
        cmocka_unit_test(test_limits_alone),
        cmocka_unit_test(test_each_limit),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_until),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_grace),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_blanks),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_trace_size),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
