/* Rules on memory, CPU and I/O: percentages of the time, what a throttle slows down and to what, whom a rule
 * of the host may elect by, and what a class learns from its rules; and each complaint, word by word. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/values.h"

static struct Config *parse(const char *text)
{
    struct Problems problems = {0};
    struct Config *config = NULL;
    int r = config_parse_buffer("test.conf", text, strlen(text), &config, &problems);

    for (size_t i = 0; i < problems.n; i++)
        fprintf(stderr, "%u: %s; %s\n", problems.list[i].line, problems.list[i].what, problems.list[i].right);
    assert_int_equal(r, 0);
    return config;
}

/* Of the time, not of a limit; and read back as the same. */
static void test_conditions(void **state)
{
    static const struct {
        const char *text, *written;
        int64_t value;
        bool percent;
    } rows[] = {
        {"memory.pressure.full > 20% for 5s", "memory.pressure.full > 20% for 5s", 2000, false},
        {"host.memory.pressure.full>0.5%", "host.memory.pressure.full > 0.5%", 50, false},
        {"memory.stall >= 100%", "memory.stall >= 100%", 10000, false},
        {"cpu.usage > 150%", "cpu.usage > 150%", 15000, false},
        {"cpu.throttled < 12.34% for 10s", "cpu.throttled < 12.34% for 10s", 1234, false},
        {"io.rate > 50M", "io.rate > 50M/s", 50 << 20, false},
        {"memory.growth > 1G/s", "memory.growth > 1G/s", 1 << 30, false},
        {"memory.current > 90%", "memory.current > 90%", 90, true},
        {"memory.swap > 512M", "memory.swap > 512M", 512 << 20, false},
        {"memory.oom > 0", "memory.oom > 0", 0, false},
        {"host.memory.available < 5%", "host.memory.available < 5%", 5, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct Condition condition, again;
        struct Complaint complaint = {0};
        char buf[CONDITION_FORMAT_MAX];

        assert_true(value_condition(rows[i].text, &condition, &complaint));
        assert_true(condition.value == rows[i].value);
        assert_int_equal(condition.percent, rows[i].percent);
        assert_string_equal(condition_format(&condition, buf, sizeof(buf)), rows[i].written);
        assert_true(value_condition(buf, &again, &complaint));
        assert_true(again.value == condition.value && again.percent == condition.percent);
    }
}

#define ON_TIME "what is too much, such as > 20%"
#define SHARE "a percentage such as 20% or 0.5%"
#define PEACE(condition) "'" condition "' holds for every tenant at every moment"

static void test_triggers(void **state)
{
    static const struct {
        const char *text, *what, *right; /* NULL: taken */
    } rows[] = {
        {"memory.pressure.full > 20%", NULL, NULL},
        {"memory.pressure.full > 0.01%", NULL, NULL},
        {"memory.pressure.full > 0%", PEACE("memory.pressure.full > 0%"), ON_TIME},
        {"memory.pressure.full >= 0.01%", PEACE("memory.pressure.full >= 0.01%"), ON_TIME},
        {"host.cpu.pressure.some < 90%", PEACE("host.cpu.pressure.some < 90%"), ON_TIME},
        {"io.pressure.full > 20", "'20' is no value of io.pressure.full", SHARE},
        {"io.pressure.full > 0.125%", "'0.125%' is no value of io.pressure.full", SHARE},
        {"io.pressure.full > 101%", "101% of the time is never reached", "0% to 100%"},
        {"cpu.throttled > 101%", "101% of the time is never reached", "0% to 100%"},
        {"cpu.usage > 101%", NULL, NULL},
        {"cpu.usage >= 0%", PEACE("cpu.usage >= 0%"), "what is too much, such as > 150%"},
        {"memory.current > 101%", "101% of a limit is never reached", "0% to 100%"},
        {"memory.shmem > 50%", "memory.shmem has no limit that it could be a percentage of",
         "bytes in powers of 1024, such as 65536, 100M or 1.5G; only a reading with a limit of its own, such "
         "as tasks.current, has a percentage"},
        {"host.memory.available > 1%", NULL, NULL},
        {"host.memory.available < 100%", PEACE("host.memory.available < 100%"),
         "what is too little, such as < 10%"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct Complaint complaint = {0};
        struct Condition condition;

        if (value_trigger(rows[i].text, &condition, &complaint) != !rows[i].what)
            fail_msg("'%s': '%s'", rows[i].text, complaint.what);
        if (!rows[i].what)
            continue;
        assert_string_equal(complaint.what, rows[i].what);
        assert_string_equal(complaint.right, rows[i].right);
    }
}

static void assert_steps(const struct Rule *rule, const char *expected)
{
    char text[256] = "", step[STEP_FORMAT_MAX];
    size_t used = 0;

    for (size_t i = 0; i < rule->n_steps; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i > 0 ? ", " : "",
                                 step_format(rule, i, step, sizeof(step)));
    assert_string_equal(text, expected);
}

/* By what it is on, or by what it elects. */
static void test_throttle(void **state)
{
    static const struct {
        const char *rule;
        enum Resource resource;
        unsigned percent;
        const char *steps;
    } rows[] = {
        {"When=memory.stall > 50%\nSteps=throttle 10s, freeze 10s, kill 5s\n", RESOURCE_MEMORY, 95,
         "throttle to 95% 10s, freeze 10s, terminate 5s, kill"},
        {"When=cpu.usage > 150% for 1min\nSteps=warn 5s, throttle\n", RESOURCE_CPU, 50,
         "warn 5s, throttle to 50%"},
        {"When=io.pressure.some > 50%\nSteps=throttle\nThrottleTo=1%\n", RESOURCE_IO, 1, "throttle to 1%"},
        {"When=io.rate > 1M\nSteps=throttle\nThrottleTo=99%\nThrottleTo=\n", RESOURCE_IO, 50,
         "throttle to 50%"},
        {"When=memory.oom > 0\nSteps=throttle\nThrottleTo=99%\n", RESOURCE_MEMORY, 99, "throttle to 99%"},
        {"Scope=host\nWhen=host.cpu.pressure.some > 9%\nRank=memory.growth\nSteps=throttle 1s, kill\n",
         RESOURCE_MEMORY, 95, "throttle to 95% 1s, kill"},
        {"Scope=host\nWhen=host.memory.available < 5%\nRank=io.rate\nSteps=throttle\n", RESOURCE_IO, 50,
         "throttle to 50%"},
        {"Scope=host\nWhen=host.io.pressure.full > 5%\nRank=tasks.growth\nSteps=freeze\n", RESOURCE_TASKS, 0,
         "freeze"},
        {"When=memory.stall > 50%\nSteps=freeze 10s, kill\n", RESOURCE_MEMORY, 0, "freeze 10s, kill"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[512];
        struct Config *config;
        const struct Rule *rule;

        snprintf(text, sizeof(text), "[Rule r]\n%s", rows[i].rule);
        config = parse(text);
        rule = &config->policy.rules[0];
        assert_int_equal(rule->resource, rows[i].resource);
        assert_int_equal(rule->throttle_percent, rows[i].percent);
        assert_steps(rule, rows[i].steps);
        config_free(config);
    }
}

static void test_host_rule(void **state)
{
    struct Config *config =
        parse("[Rule r]\nFloor=50%\nScope=host\nWhen=host.cpu.pressure.some > 60% for 2s\n"
              "Rank=cpu.usage\nSteps=throttle\n"
              "[Rule s]\nFloor=1M\nScope=host\nWhen=host.io.pressure.full > 60%\n"
              "Rank=tasks.current\nFloor=10\nSteps=freeze\n");
    const struct Rule *rules = config->policy.rules;
    char buf[CONDITION_FORMAT_MAX];

    assert_int_equal(rules[0].rank, READING_CPU_USAGE);
    assert_int_equal(rules[0].floor, 5000);
    assert_string_equal(condition_format(&rules[0].until, buf, sizeof(buf)),
                        "host.cpu.pressure.some <= 60% for 30s");
    assert_int_equal(rules[1].rank, READING_TASKS_CURRENT);
    assert_int_equal(rules[1].floor, 10);
    config_free(config);
}

#define BIT(pressure) (1u << PRESSURE_##pressure)

/* What has to be read of its tenants, and what the kernel announces. */
static void test_class(void **state)
{
    static const struct {
        const char *rules;
        uint32_t pressures;
        bool strain, sweep;
    } rows[] = {
        {"tasks", 0, false, false},
        {"sweep", 0, false, true},
        {"stall", BIT(MEMORY_FULL), true, false},
        {"full", BIT(MEMORY_FULL), true, false},
        {"stall io cpu", BIT(MEMORY_FULL) | BIT(IO_SOME) | BIT(CPU_SOME), true, false},
        {"oom", 0, true, false},
        {"current", 0, true, true},
        {"until", 0, true, false},
        {"host", 0, true, false},
        {"available", 0, true, false}, /* the host is looked at, not they */
        {"forks", 0, true, false},
        {"disk", 0, false, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct TenantClass *class;
        char text[2048];
        struct Config *config;

        snprintf(text, sizeof(text),
                 "[Rule tasks]\nWhen=tasks.denied > 0\nSteps=warn\n"
                 "[Rule sweep]\nWhen=tasks.current > 5\nSteps=warn\n"
                 "[Rule stall]\nWhen=memory.stall > 5%%\nSteps=throttle\n"
                 "[Rule full]\nWhen=memory.pressure.full > 5%%\nSteps=warn\n"
                 "[Rule io]\nWhen=io.pressure.some > 5%%\nSteps=warn\n"
                 "[Rule cpu]\nWhen=cpu.pressure.some > 5%% for 1s\nSteps=warn\n"
                 "[Rule oom]\nWhen=memory.oom > 0\nSteps=warn\n"
                 "[Rule current]\nWhen=memory.current > 90%%\nSteps=warn\n"
                 "[Rule until]\nWhen=tasks.denied > 0\nUntil=memory.current < 5%%\nSteps=warn\n"
                 "[Rule host]\nScope=host\nWhen=host.io.pressure.full > 5%%\nRank=io.rate\nSteps=throttle\n"
                 "[Rule available]\nScope=host\nWhen=host.memory.available < 5%%\nRank=memory.current\n"
                 "Steps=kill\n"
                 "[Rule forks]\nScope=host\nWhen=host.cpu.pressure.some > 5%%\nRank=tasks.current\n"
                 "Steps=freeze\n"
                 "[Rule disk]\nScope=host\nWhen=host.disk.free < 5G\nRank=disk.growth\nSteps=warn\n"
                 "[Tenants c]\nMatch=a\nRules=%s\n",
                 rows[i].rules);
        config = parse(text);
        class = &config->policy.classes[0];
        if (class->pressures != rows[i].pressures || class->strain != rows[i].strain ||
            class->sweep != rows[i].sweep)
            fail_msg("%s: pressures %x, strain %d, sweep %d", rows[i].rules, class->pressures, class->strain,
                     class->sweep);
        config_free(config);
    }
}

#define STALL "[Rule r]\nWhen=memory.stall > 5%\nSteps=throttle\n" /* three lines */
#define HOST "[Rule r]\nScope=host\nWhen=host.memory.pressure.full > 20%\n"
#define ON_THROTTLE "a percentage of what the tenant uses from 1% to 99%, such as 50%"
#define GROW "steps grow in force: warn, then throttle, then freeze, then kill, each at most once"

static const struct Row {
    const char *text;
    unsigned line;
    const char *what, *right;
} rows[] = {
    {STALL "ThrottleTo=50\n", 4, "ThrottleTo=: '50' is no percentage", ON_THROTTLE},
    {STALL "ThrottleTo=%\n", 4, "ThrottleTo=: '%' is no percentage", ON_THROTTLE},
    {STALL "ThrottleTo=0%\n", 4, "ThrottleTo=: 0% is out of range", ON_THROTTLE},
    {STALL "ThrottleTo=100%\n", 4, "ThrottleTo=: 100% is out of range", ON_THROTTLE},
    {"[Rule r]\nThrottleTo=50%\nWhen=memory.stall > 5%\nSteps=warn\n", 2,
     "ThrottleTo=: rule 'r' has no step that throttles",
     "a throttle among the steps, such as Steps=throttle, or no ThrottleTo="},

    {"[Rule r]\nWhen=tasks.denied > 0\nSteps=throttle\n", 3,
     "Steps=: rule 'r' is on tasks.denied, and 'throttle' slows down memory, cpu, io or network",
     "warn, freeze, kill; or When= on memory.*, cpu.*, io.* or net.*"},
    {"[Rule r]\nWhen=disk.growth > 1M\nSteps=throttle 1s, freeze\nThrottleTo=5%\n", 3,
     "Steps=: rule 'r' is on disk.growth, and 'throttle' slows down memory, cpu, io or network",
     "warn, freeze; or When= on memory.*, cpu.*, io.* or net.*"},
    {HOST "Rank=tasks.growth\nSteps=throttle\n", 5,
     "Steps=: rule 'r' ranks by tasks.growth, and 'throttle' slows down memory, cpu, io or network",
     "warn, freeze, kill; or Rank= on memory.*, cpu.*, io.* or net.*"},

    {"[Rule r]\nWhen=memory.stall > 5%\nSteps=throttle, kill\n", 3,
     "Steps=: 'throttle' has no duration, and another step comes after it",
     "how long it lasts before the next step, such as throttle 5s"},
    {"[Rule r]\nWhen=memory.stall > 5%\nSteps=throttle 5s\n", 3,
     "Steps=: the last step 'throttle' has a duration",
     "throttle without a duration: the last step stands until Until= holds"},
    {"[Rule r]\nWhen=memory.stall > 5%\nSteps=throttle 5s, throttle\n", 3, "Steps=: 'throttle' stands twice",
     GROW},
    {"[Rule r]\nWhen=memory.stall > 5%\nSteps=freeze 5s, throttle\n", 3,
     "Steps=: 'throttle' comes after 'freeze'", GROW},
    {"[Rule r]\nWhen=memory.stall > 5%\nSteps=throttle 5s, warn\n", 3,
     "Steps=: 'warn' comes after 'throttle'", GROW},
    {"[Rule r]\nWhen=memory.stall > 5%\nSteps=throtle\n", 3, "Steps=: there is no step 'throtle'",
     "throttle? one of: warn, throttle, freeze, kill"},

    {"[Rule r]\nWhen=host.cpu.pressure.some > 5%\nSteps=throttle\n", 2,
     "When=: host.cpu.pressure.some holds for every tenant at the same moment, and rule 'r' elects nobody",
     "Scope=host and Rank=READING with it, such as Rank=cpu.usage"},
    {"[Rule r]\nWhen=host.memory.available < 5%\nSteps=kill\n", 2,
     "When=: host.memory.available holds for every tenant at the same moment, and rule 'r' elects nobody",
     "Scope=host and Rank=READING with it, such as Rank=memory.growth"},
    {HOST "Rank=disk.growth\nSteps=freeze\n", 4,
     "Rank=: rule 'r' is on host.memory.pressure.full, and who has most of disk.growth has nothing to do "
     "with "
     "it",
     "such as Rank=memory.growth"},
    {HOST "Rank=tasks.denied\nSteps=freeze\n", 4,
     "Rank=: rule 'r' is on host.memory.pressure.full, and who has most of tasks.denied has nothing to do "
     "with "
     "it",
     "such as Rank=memory.growth"},
    {"[Rule r]\nScope=host\nWhen=host.disk.free < 5%\nRank=io.rate\nSteps=throttle\n", 4,
     "Rank=: rule 'r' is on host.disk.free, and who has most of io.rate has nothing to do with it",
     "such as Rank=disk.growth"},
    {HOST "Rank=net.egress\nSteps=freeze\n", 4,
     "Rank=: rule 'r' is on host.memory.pressure.full, and who has most of net.egress has nothing to do with "
     "it",
     "such as Rank=memory.growth"},
    {HOST "Rank=memory.growth\nFloor=5%\nSteps=freeze\n", 5, "Floor=: '5%' is no value of memory.growth",
     "bytes per second in powers of 1024, such as 64K, 100M or 1.5G/s"},
    {"[Rule r]\nScope=host\nWhen=host.cpu.pressure.some > 5%\nRank=cpu.usage\nFloor=50\nSteps=throttle\n", 5,
     "Floor=: '50' is no value of cpu.usage", SHARE},
};

/* Each makes exactly one problem. */
static void test_refused(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct Problems problems = {0};
        struct Config *config = NULL;
        int r = config_parse_buffer("f", rows[i].text, strlen(rows[i].text), &config, &problems);

        if (r != CONFIG_INVALID || problems.n != 1)
            fail_msg("%zu problems (%d) in:\n%s%s", problems.n, r, rows[i].text,
                     problems.n > 0 ? problems.list[0].what : "");
        assert_string_equal(problems.list[0].what, rows[i].what);
        assert_string_equal(problems.list[0].right, rows[i].right);
        assert_int_equal(problems.list[0].line, rows[i].line);
        problems_free(&problems);
    }
}

/* Whoever asks for a reading that is not there is told all that are, to the last. */
static void test_all_readings_are_named(void **state)
{
    struct Complaint complaint = {0};
    struct Condition condition;

    assert_false(value_condition("memory.presure.full > 5%", &condition, &complaint));
    assert_non_null(strstr(complaint.right, "memory.pressure.full? one of: tasks.current, "));
    assert_non_null(strstr(complaint.right, ", host.net.ingress"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_triggers),
        cmocka_unit_test(test_throttle),
        cmocka_unit_test(test_host_rule),
        cmocka_unit_test(test_class),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_all_readings_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
