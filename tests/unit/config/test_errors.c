/* Every kind of configuration error, in one table: the text of a file, the line that is wrong, a part of
 * what is said to be wrong and of what would be right. Each row makes exactly one problem: an error must
 * not drag others behind it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

#define RULE "[Rule r]\nWhen=tasks.denied > 0\nSteps=warn\n" /* three lines */
#define CLASS RULE "[Tenants c]\nMatch=a\nRules=r\n"         /* six lines */
#define WHEN(condition) "[Rule r]\nSteps=warn\nWhen=" condition "\n"
#define STEPS(steps) "[Rule r]\nWhen=tasks.denied > 0\nSteps=" steps "\n"
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define SIXTY_FOUR TEN TEN TEN TEN TEN TEN "0123"

static const struct Row {
    const char *text;
    unsigned line;
    const char *what, *right;
    size_t size; /* 0: up to the NUL */
} rows[] = {
    /* Lines */
    {"[Guard]\nMode\n", 2, "no KEY=VALUE", "KEY=VALUE", 0},
    {"[Guard]\nMode: enforce\n", 2, "no KEY=VALUE", "KEY=VALUE", 0},
    {"[Guard]\nMode: enforce=1\n", 2, "no KEY=VALUE", "KEY=VALUE", 0},
    {"[Guard]\nMode ;=enforce\n", 2, "no KEY=VALUE", "comment after '#'", 0},
    {"[Guard]\n=enforce\n", 2, "no key ''", "Mode=", 0},
    {"\n# comment\n[Guard]\nMode ;=enforce", 4, "no KEY=VALUE", "comment after '#'", 0},
    {"[Guard]\nProtect=a\\\n", 2, "ends in '\\'", "one line", 0},
    {"[Guard]\nProtect=a\n   b.service\n", 3, "no KEY=VALUE", "KEY=VALUE", 0},
    {"[Guard]\nProtect=" HUNDRED HUNDRED "\n", 2, "too long", "at most 198 bytes", 0},
    {"[Guard]\nProtect=a\xff\n", 2, "not UTF-8", "UTF-8", 0},
    {"[Guard]\n# \xc0\xaf\n", 2, "not UTF-8", "UTF-8", 0},         /* '/' in two bytes */
    {"[Guard]\n# \xed\xa0\x80\n", 2, "not UTF-8", "UTF-8", 0},     /* a surrogate */
    {"[Guard]\n# \xf4\x90\x80\x80\n", 2, "not UTF-8", "UTF-8", 0}, /* beyond Unicode */
    {"[Guard]\n# \xe2\x82", 2, "not UTF-8", "UTF-8", 0},           /* cut off by the end */
    {"[Guard]\n# \xe2\x82(\n", 2, "not UTF-8", "UTF-8", 0},        /* cut off by another character */
    {"[Guard]\nProtect=a\0b\n", 2, "NUL", "UTF-8", sizeof("[Guard]\nProtect=a\0b\n") - 1},
    {"[Guard]\nProtect=\033[31m\n", 2, "control character", "text file", 0},
    {"[Guard]\nProtect=\xc2\x9b"
     "31m\n",
     2, "control character", "text file", 0},
    {"[Guard]\nProtect=a\rMode=observe\n", 2, "control character", "text file", 0},

    /* Sections */
    {"Mode=enforce\n", 1, "before the first section", "[Guard]", 0},
    {"[guard]\nMode=observe\n", 1, "no section [guard]", "Guard? one of: [Guard]", 0},
    {"[Tenant x]\nMatch=y\n", 1, "no section [Tenant]", "Tenants? one of:", 0},
    {"[Network]\nAnything=goes\n", 1, "no section [Network]", "one of: [Guard], [Tenants NAME]", 0},
    {"[]\n", 1, "no section []", "[Guard]", 0},
    {"[Guard\nMode=observe\n", 1, "']' is missing", "[Guard]", 0},
    {"[Guard] Mode=observe\n", 1, "behind the section's ']'", "line of its own", 0},
    {"[Guard host]\nMode=observe\n", 1, "[Guard] has no name", "[Guard]", 0},
    {"[Rule]\nWhen=nonsense\n", 1, "[Rule] lacks its name", "[Rule NAME]", 0},
    {"[Tenants]\n", 1, "[Tenants] lacks its name", "[Tenants NAME]", 0},
    {"[Tenants a b]\n", 1, "'a b' is not a name", "1 to 63", 0},
    {"[Rule a/b]\n", 1, "'a/b' is not a name", "A-Z a-z 0-9", 0},
    {"[Rule " SIXTY_FOUR "]\n", 1, "is not a name", "1 to 63", 0},

    /* Keys */
    {"[Guard]\nmode=enforce\n", 2, "no key 'mode' in [Guard]", "Mode=? one of: Mode= CgroupRoot=", 0},
    {"[Guard]\nProtects=a\n", 2, "no key 'Protects'", "Protect=?", 0},
    {"[Guard]\nMdoe=observe\n", 2, "no key 'Mdoe'", "Mode=?", 0},
    {"[Guard]\nKillsBudget=1/1s\n", 2, "no key 'KillsBudget'", "KillBudget=?", 0},
    {"[Guard]\nWhen=tasks.denied > 0\n", 2, "no key 'When' in [Guard]", "one of: Mode=", 0},
    {CLASS "MemoryMin=1G\n", 7, "no key 'MemoryMin' in [Tenants]",
     "one of: Match= TasksMax= DiskSpaceMax= DiskInodesMax=", 0},
    {RULE "Ranks=size\n", 4, "no key 'Ranks' in [Rule]",
     "Rank=? one of: When= Until= Steps= Scope= Rank= Floor= ThrottleTo=", 0},
    {"[Rule r]\nwhen=tasks.denied > 0\nSteps=warn\n", 2, "no key 'when'", "When=?", 0},

    /* [Guard] */
    {"[Guard]\nMode=Enforce\n", 2, "Mode=: there is no mode 'Enforce'", "enforce, or observe", 0},
    {"[Guard]\nMode=observe # really\n", 2, "no mode 'observe # really'", "enforce, or observe", 0},
    {"[Guard]\nCgroupRoot=sys/fs/cgroup\n", 2, "no absolute path", "/sys/fs/cgroup", 0},
    {"[Guard]\nOperatorGroup=wheel adm\n", 2, "not the name of one group", "name of one group", 0},
    {"[Guard]\nViewerGroup=a,b\n", 2, "ViewerGroup=: 'a,b'", "name of one group", 0},
    {"[Guard]\nKillBudget=5\n", 2, "there is no '/'", "5/1min", 0},
    {"[Guard]\nKillBudget=many/1min\n", 2, "'many' is no number", "5/1min", 0},
    {"[Guard]\nKillBudget=-1/1min\n", 2, "'-1' is no number", "N from 0 to 64", 0},
    {"[Guard]\nKillBudget=/1min\n", 2, "'' is no number", "5/1min", 0},
    {"[Guard]\nKillBudget=65/1min\n", 2, "65 kills are too many", "0 to 64", 0},
    {"[Guard]\nKillBudget=99999999999999999999/1min\n", 2, "no number of kills", "0 to 64", 0},
    {"[Guard]\nKillBudget=18446744073709551616/1min\n", 2, "no number of kills", "0 to 64", 0},
    {"[Guard]\nKillBudget=18446744073709551615/1min\n", 2, "kills are too many", "0 to 64", 0},
    {"[Guard]\nKillBudget=5/\n", 2, "'' is no duration", "1min 30s", 0},
    {"[Guard]\nKillBudget=5/soon\n", 2, "'soon' is no duration", "1min 30s", 0},
    {"[Guard]\nKillBudget=5/0\n", 2, "'0' is no duration", "above 0", 0},
    {"[Guard]\nKillBudget=5/infinity\n", 2, "'infinity' is no duration", "above 0", 0},
    {"[Guard]\nTraceSize=much\n", 2, "'much' is no number of bytes", "from 512K to 256M", 0},
    {"[Guard]\nTraceSize=524287\n", 2, "524287 is too little", "from 512K to 256M", 0},
    {"[Guard]\nTraceSize=1\n", 2, "1 is too little", "or 0: no trace", 0},
    {"[Guard]\nTraceSize=268435457\n", 2, "268435457 is too much", "from 512K to 256M", 0},
    {"[Guard]\nProtect=/system.slice\n", 2, "does not begin with '/'", "a glob", 0},
    {"[Guard]\nProtect=a b\n", 2, "'a b' holds a blank", "one glob a line", 0},

    /* [Tenants] */
    {RULE "[Tenants c]\nMatch=a**b\nRules=r\n", 5, "'**' stands for whole components", "a glob", 0},
    {RULE "[Tenants c]\nMatch=a//b\nRules=r\n", 5, "empty component", "a glob", 0},
    {RULE "[Tenants c]\nMatch=a/\nRules=r\n", 5, "does not end with '/'", "a glob", 0},
    {RULE "[Tenants c]\nMatch=a # those\nRules=r\n", 5, "holds a blank", "comment in a line of its own", 0},
    {CLASS "TasksMax=50%\n", 7, "percentage", "a number from 1 to", 0},
    {CLASS "TasksMax=1K\n", 7, "'1K' is no number of tasks", "a number from 1 to", 0},
    {CLASS "TasksMax=0x10\n", 7, "no number of tasks", "a number from 1 to", 0},
    {CLASS "TasksMax=-1\n", 7, "no number of tasks", "a number from 1 to", 0},
    {CLASS "TasksMax=0\n", 7, "0 tasks are out of range", "a number from 1 to 4194304", 0},
    {CLASS "TasksMax=4194305\n", 7, "out of range", "or infinity", 0},
    {CLASS "TasksMax=max\n", 7, "'max' is no number", "infinity", 0},
    {CLASS "MemoryMax=512\n", 7, "MemoryMax=: 512 is out of range", "at least 1M", 0},
    {CLASS "MemoryHigh=120%\n", 7, "no amount of memory", "a percentage of the host's memory", 0},
    {CLASS "MemorySwapMax=10%\n", 7, "of the host's swap", "or infinity", 0},
    {CLASS "CPUQuota=2\n", 7, "CPUQuota=: '2' is no share of a CPU", "50% or 200%", 0},
    {CLASS "CPUWeight=infinity\n", 7, "'infinity' is no weight", "1 to 10000", 0},
    {CLASS "IOReadBandwidthMax=/dev/sda 5M\n", 7, "'/dev/sda 5M' is no rate", "none is named here", 0},
    {CLASS "IOWriteIOPSMax=0\n", 7, "IOWriteIOPSMax=: 0 is out of range", "or infinity", 0},
    {CLASS "IOWeight=0\n", 7, "IOWeight=: 0 is out of range", "1 to 10000", 0},
    {CLASS "Rules=a,b\n", 7, "'a,b' is not a name", "characters", 0},
    {CLASS "Rules=\nRules=r r2\n", 8, "class 'c' names the rule 'r2'", "r?", 0},
    {CLASS "Rules=missing\n\n", 7, "names the rule 'missing'", "[Rule missing]", 0},
    {RULE "[Tenants c]\nRules=r\n", 4, "matches nothing: it has no Match=", "Match=GLOB", 0},
    {RULE "[Tenants c]\nMatch=a\nMatch=\nRules=r\n", 4, "matches nothing", "Match=GLOB", 0},
    {"[Tenants c]\n", 1, "matches nothing", "Match=GLOB", 0},
    {"[Tenants c]\nMatch=a\n", 1, "guards nothing", "Rules=NAME", 0},
    {"[Tenants c]\nMatch=a\nRules=\n", 1, "guards nothing", "TasksMax=4096", 0},
    {"[Tenants c]\nMatch=a\nRules=\nTasksMax=infinity\n", 1, "guards nothing", "TasksMax=4096", 0},
    {"[Tenants c]\nMatch=a\nTasksMax=5\n", 1, "class 'c' names no rule", "an empty Rules=", 0},

    /* [Rule]: conditions */
    {"[Rule r]\nSteps=warn\n", 1, "rule 'r' has no When=", "When=READING", 0},
    {"[Rule r]\nSteps=warn\nWhen=tasks.denied > 0\nWhen=\n", 1, "no When=", "When=READING", 0},
    {WHEN("tasks.refused > 0"), 3, "no reading 'tasks.refused'", "one of: tasks.current, tasks.denied", 0},
    {WHEN("Tasks.Denied > 0"), 3, "no reading 'Tasks.Denied'", "tasks.denied? one of:", 0},
    {WHEN("> 0"), 3, "no reading ''", "tasks.denied", 0},
    {WHEN("tasks.denied"), 3, "no operator behind tasks.denied", "one of > >= < <=", 0},
    {WHEN("tasks.denied 0"), 3, "no operator behind", "one of > >= < <=", 0},
    {WHEN("tasks.denied == 0"), 3, "no operator '=='", "one of > >= < <=", 0},
    {WHEN("tasks.denied => 5"), 3, "no operator '=>'", "one of > >= < <=", 0},
    {WHEN("tasks.denied >"), 3, "no value behind tasks.denied", "whole decimal", 0},
    {WHEN("tasks.denied > many"), 3, "'many' is no value", "whole decimal", 0},
    {WHEN("tasks.denied > 1.5"), 3, "'1.5' is no value of tasks.denied", "whole decimal", 0},
    {WHEN("tasks.denied > -1"), 3, "'-1' is no value", "without sign", 0},
    {WHEN("tasks.current > 1x"), 3, "'1x' is no value", "or a percentage such as 80%", 0},
    {WHEN("tasks.current > 9223372036854775807"), 3, "is no value", "whole decimal", 0},
    {WHEN("tasks.current > %"), 3, "'%' is no value", "whole decimal", 0},
    {WHEN("tasks.denied > 50%"), 3, "tasks.denied has no limit", "such as tasks.current", 0},
    {WHEN("tasks.growth > 50%"), 3, "tasks.growth has no limit", "such as tasks.current", 0},
    {WHEN("tasks.current > 101%"), 3, "101% of a limit", "0% to 100%", 0},
    {WHEN("tasks.current > 9223372036854775807%"), 3, "is no value", "or a percentage such as 80%", 0},
    {WHEN("tasks.current > 9223372036854775806%"), 3, "of a limit is never reached", "0% to 100%", 0},
    {WHEN("tasks.denied >= 0"), 3, "holds for every tenant", "> 0", 0},
    {WHEN("tasks.denied > 0 and more"), 3, "'and' stands where", "[for DURATION]", 0},
    {WHEN("tasks.denied > 0 for"), 3, "'' is no duration", "above 0", 0},
    {WHEN("tasks.denied > 0 for ever"), 3, "'ever' is no duration", "500ms", 0},
    {WHEN("tasks.denied > 0 for 0s"), 3, "'0s' is no duration", "above 0", 0},
    {WHEN("tasks.denied > 0 for infinity"), 3, "'infinity' is no duration", "above 0", 0},
    {RULE "Until=tasks.denied < 50%\n", 4, "Until=: tasks.denied has no limit", "tasks.current", 0},
    {RULE "Until=when it is over\n", 4, "Until=: there is no reading 'when'", "one of:", 0},

    /* [Rule]: steps and scope */
    {"[Rule r]\nWhen=tasks.denied > 0\n", 1, "rule 'r' has no Steps=", "Steps=warn", 0},
    {"[Rule r]\nWhen=tasks.denied > 0\nSteps=warn\nSteps=\n", 1, "no Steps=", "Steps=warn", 0},
    {STEPS("frieze"), 3, "no step 'frieze'", "one of: warn, throttle, freeze, kill", 0},
    {STEPS("Freeze"), 3, "no step 'Freeze'", "freeze? one of:", 0},
    {STEPS("terminate"), 3, "no step 'terminate'", "one of: warn, throttle, freeze, kill", 0},
    {STEPS("thaw"), 3, "no step 'thaw'", "one of: warn, throttle, freeze, kill", 0},
    {STEPS(","), 3, "missing around a ','", "VERB [DURATION]", 0},
    {STEPS("freeze 5s,"), 3, "missing around a ','", "VERB [DURATION]", 0},
    {STEPS("freeze 5s kill"), 3, "'freeze' has a duration", "until Until= holds", 0},
    {STEPS("freeze, kill"), 3, "'freeze' has no duration", "freeze 5s", 0},
    {STEPS("freeze soon, kill"), 3, "'soon' is no duration", "500ms", 0},
    {STEPS("freeze 0s, kill"), 3, "'0s' is no duration", "above 0", 0},
    {STEPS("freeze infinity, kill"), 3, "'infinity' is no duration", "above 0", 0},
    {STEPS("freeze 5s"), 3, "last step 'freeze' has a duration", "stands until", 0},
    {STEPS("warn 5s"), 3, "last step 'warn' has a duration", "stands until", 0},
    {STEPS("kill 0s"), 3, "'0s' is no duration", "above 0", 0},
    {STEPS("kill, freeze"), 3, "'kill' is not the last step", "grow in force", 0},
    {STEPS("kill 5s, kill"), 3, "'kill' is not the last step", "at most once", 0},
    {STEPS("freeze 5s, warn"), 3, "'warn' comes after 'freeze'", "grow in force", 0},
    {STEPS("freeze 5s, freeze 5s, kill"), 3, "'freeze' stands twice", "at most once", 0},
    {RULE "Scope=container\n", 4, "no scope 'container'", "tenant: the condition", 0},
};

static void fail_row(const struct Row *row, const struct Problems *problems)
{
    fprintf(stderr, "for this text, %zu problems and not the one expected (line %u, '%s', '%s'):\n%s\n",
            problems->n, row->line, row->what, row->right, row->text);
    for (size_t i = 0; i < problems->n; i++)
        fprintf(stderr, "  line %u: '%s', '%s'\n", problems->list[i].line, problems->list[i].what,
                problems->list[i].right);
    fail();
}

static void check_row(const struct Row *row)
{
    struct Problems problems = {0};
    struct Config *config = NULL;
    size_t size = row->size > 0 ? row->size : strlen(row->text);
    int r = config_parse_buffer("test.conf", row->text, size, &config, &problems);
    const struct Problem *problem = problems.list;

    assert_int_equal(r, CONFIG_INVALID);
    assert_null(config);
    if (problems.n != 1 || problem->line != row->line || strcmp(problem->file, "test.conf") != 0 ||
        !strstr(problem->what, row->what) || !strstr(problem->right, row->right))
        fail_row(row, &problems);
    problems_free(&problems);
}

static void test_each_kind(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_row(&rows[i]);
}

static void test_too_many_rules(void **state)
{
    char text[2048] = "[Tenants c]\nMatch=a\nRules=r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11 r12 r13 r14 r15\n"
                      "Rules=r16\n";
    size_t used = strlen(text);

    for (int i = 0; i <= POLICY_CLASS_RULES_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "[Rule r%d]\nWhen=tasks.denied > 0\nSteps=warn\n", i);
    check_row(&(struct Row){text, 4, "too many rules, from 'r16' on", "at most 16", 0});
}

static void test_all_are_collected(void **state)
{
    static const char text[] = "[Guard]\nMode=x\nKillBudget=x\n[Tenants t]\nMatch=/x\nRules=y\n";
    static const unsigned lines[] = {2, 3, 5, 6};
    struct Problems problems = {0};
    struct Config *config = NULL;

    assert_int_equal(config_parse_buffer("f", text, strlen(text), &config, &problems), CONFIG_INVALID);
    assert_int_equal(problems.n, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(problems.list[i].line, lines[i]);
    problems_free(&problems);
    assert_int_equal(problems.n, 0);
}

/* A file that is no configuration at all. */
static void test_they_are_bounded(void **state)
{
    char text[4 * PROBLEMS_MAX];
    struct Problems problems = {0};
    struct Config *config = NULL;

    for (size_t i = 0; i < sizeof(text); i += 2)
        memcpy(text + i, "x\n", 2);
    assert_int_equal(config_parse_buffer("f", text, sizeof(text), &config, &problems), CONFIG_INVALID);
    assert_int_equal(problems.n, PROBLEMS_MAX);
    assert_non_null(strstr(problems.list[PROBLEMS_MAX - 1].what, "more problems"));
    problems_free(&problems);
}

static void test_format(void **state)
{
    struct Problem problem = {
        .file = (char *)"a.conf", .line = 3, .what = (char *)"bad", .right = (char *)"good"};
    char *text = problem_format(&problem);

    assert_string_equal(text, "a.conf:3: bad; good");
    free(text);
    problem.line = 0;
    text = problem_format(&problem);
    assert_string_equal(text, "a.conf: bad; good");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind),
        cmocka_unit_test(test_too_many_rules),
        cmocka_unit_test(test_all_are_collected),
        cmocka_unit_test(test_they_are_bounded),
        cmocka_unit_test(test_format),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
