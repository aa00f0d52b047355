/* The keys about disks, and rules whose condition is the host's: what they become, and each complaint, word
 * by word. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "config/config.h"

#define RULE "[Rule r]\nWhen=tasks.denied > 0\nSteps=warn\n" /* three lines */
#define CLASS RULE "[Tenants c]\nMatch=a\nRules=r\n"         /* six lines */
#define HOST "[Rule r]\nScope=host\nWhen=host.disk.free < 10%\n"

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

static void assert_list(char *const *list, const char *const *expected)
{
    for (; *expected; list++, expected++) {
        assert_non_null(*list);
        assert_string_equal(*list, *expected);
    }
    assert_null(*list);
}

#define assert_words(list, ...) assert_list(list, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void test_defaults(void **state)
{
    struct Config *config = parse(CLASS);
    const struct Policy *policy = &config->policy;

    assert_words(policy->disk.roots, "/var/lib/docker", "/var/lib/containers", "/var/lib/containerd", "/srv",
                 "/home");
    assert_int_equal(policy->disk.first_project, 1000000);
    assert_int_equal(policy->disk.last_project, 1999999);
    assert_int_equal(policy->classes[0].disk_warn_percent, 80);
    assert_words(policy->classes[0].disk_paths);
    assert_false(policy->classes[0].disk);
    assert_false(policy->classes[0].limits.set[LIMIT_DISK_SPACE_MAX]);
    config_free(config);
}

static void test_roots(void **state)
{
    struct Config *config = parse("[Guard]\nDiskRoots=/data/  /srv/a.b///\t/x..y\nDiskRoots=/.z\n");

    assert_words(config->policy.disk.roots, "/data", "/srv/a.b", "/x..y", "/.z");
    config_free(config);
    config = parse("[Guard]\nDiskRoots=/data\nDiskRoots=\nDiskRoots=/srv\n");
    assert_words(config->policy.disk.roots, "/srv");
    config_free(config);
    config = parse("[Guard]\nDiskRoots=\n");
    assert_words(config->policy.disk.roots);
    config_free(config);
}

static void test_project_ids(void **state)
{
    struct Config *config = parse("[Guard]\nProjectIds=1-4294967294\n");

    assert_int_equal(config->policy.disk.first_project, 1);
    assert_int_equal(config->policy.disk.last_project, UINT32_MAX - 1);
    config_free(config);
    config = parse("[Guard]\nProjectIds=7-7\n");
    assert_int_equal(config->policy.disk.first_project, 7);
    assert_int_equal(config->policy.disk.last_project, 7);
    config_free(config);
    config = parse("[Guard]\nProjectIds=7-7\nProjectIds=\n");
    assert_int_equal(config->policy.disk.first_project, 1000000);
    assert_int_equal(config->policy.disk.last_project, 1999999);
    config_free(config);
}

static void test_class(void **state)
{
    struct Config *config = parse(CLASS "DiskSpaceMax=10G\nDiskInodesMax=200k\nDiskWarnAt=75%\n"
                                        "DiskPath=/srv/%n/ /home/%u\nDiskPath=StateDirectory\n"
                                        "DiskPath=/x/%p-%U-100%%\n");
    const struct TenantClass *class = config->policy.classes;

    assert_true(class->limits.set[LIMIT_DISK_SPACE_MAX] && class->limits.set[LIMIT_DISK_INODES_MAX]);
    assert_true(class->limits.value[LIMIT_DISK_SPACE_MAX] == UINT64_C(10) << 30);
    assert_int_equal(class->limits.value[LIMIT_DISK_INODES_MAX], 200000);
    assert_int_equal(class->disk_warn_percent, 75);
    assert_words(class->disk_paths, "/srv/%n", "/home/%u", "StateDirectory", "/x/%p-%U-100%%");
    assert_true(class->disk);
    config_free(config);
}

static void test_taken_back(void **state)
{
    struct Config *config =
        parse(CLASS "DiskSpaceMax=10G\nDiskInodesMax=200k\nDiskWarnAt=off\nDiskPath=/srv/%n\n"
                    "DiskSpaceMax=\nDiskInodesMax=\nDiskWarnAt=\nDiskPath=\n");
    const struct TenantClass *class = config->policy.classes;

    assert_false(class->limits.set[LIMIT_DISK_SPACE_MAX] || class->limits.set[LIMIT_DISK_INODES_MAX]);
    assert_int_equal(class->disk_warn_percent, 80);
    assert_words(class->disk_paths);
    assert_false(class->disk);
    config_free(config);
}

static void test_warn_at(void **state)
{
    static const struct {
        const char *text;
        unsigned percent;
    } rows[] = {{"1%", 1}, {"99%", 99}, {"off", 0}};

    for (size_t i = 0; i < 3; i++) {
        char text[256];
        struct Config *config;

        snprintf(text, sizeof(text), CLASS "DiskWarnAt=%s\n", rows[i].text);
        config = parse(text);
        assert_int_equal(config->policy.classes[0].disk_warn_percent, rows[i].percent);
        config_free(config);
    }
}

/* Whatever asks for a project: a limit, paths, a rule's condition or the end of it. */
static void test_who_gets_projects(void **state)
{
    static const struct {
        const char *text;
        bool disk;
    } rows[] = {
        {"TasksMax=5\nRules=\n", false},
        {"TasksMax=5\nRules=tasks\n", false},
        {"DiskSpaceMax=1G\nRules=\n", true},
        {"DiskInodesMax=1k\nRules=\n", true},
        {"DiskSpaceMax=infinity\nRules=tasks\n", false},
        {"DiskPath=/srv/%n\nRules=tasks\n", true},
        {"Rules=space\n", true},
        {"Rules=until\n", true},
        {"Rules=host\n", true},
        {"Rules=tasks host\n", true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[512];
        struct Config *config;

        snprintf(text, sizeof(text),
                 "[Rule tasks]\nWhen=tasks.denied > 0\nSteps=warn\n"
                 "[Rule space]\nWhen=disk.space > 80%%\nSteps=warn\n"
                 "[Rule until]\nWhen=tasks.denied > 0\nUntil=host.disk.free > 5G\nSteps=warn\n"
                 "[Rule host]\nWhen=host.disk.free < 5G\nSteps=warn\nScope=host\nRank=tasks.current\n"
                 "[Tenants c]\nMatch=a\n%s",
                 rows[i].text);
        config = parse(text);
        assert_int_equal(config->policy.classes[0].disk, rows[i].disk);
        assert_false(config->policy.classes[0].sweep);
        config_free(config);
    }
}

/* Floor= is of the reading in Rank=, whichever comes first. */
static void test_host_rule(void **state)
{
    struct Config *config =
        parse("[Rule r]\nFloor=64K\nScope=host\nWhen=host.disk.free < 10% for 1s\n"
              "Rank=disk.growth\nSteps=warn 5s, freeze\n"
              "[Rule t]\nWhen=host.disk.free < 5G\nUntil=host.disk.free > 6G\nSteps=freeze\n"
              "[Rule e]\nScope=host\nScope=\nFloor=1\nFloor=\nRank=disk.growth\nRank=\n"
              "When=tasks.denied > 0\nSteps=kill\n");
    const struct Rule *rules = config->policy.rules;
    char buf[CONDITION_FORMAT_MAX];

    assert_int_equal(rules[0].scope, SCOPE_HOST);
    assert_int_equal(rules[0].rank, READING_DISK_GROWTH);
    assert_int_equal(rules[0].floor, 65536);
    assert_string_equal(condition_format(&rules[0].until, buf, sizeof(buf)), "host.disk.free >= 10% for 30s");
    assert_int_equal(rules[1].scope, SCOPE_TENANT);
    assert_int_equal(rules[2].scope, SCOPE_TENANT);
    assert_int_equal(rules[2].floor, 0);
    config_free(config);
    config = parse(HOST "Rank=disk.space\nSteps=freeze\n");
    assert_int_equal(config->policy.rules[0].floor, 0);
    config_free(config);
}

#define ON_ROOTS "absolute paths with blanks between them, such as /var/lib/docker /srv; empty: none"
#define ON_IDS "FIRST-LAST, such as 1000000-1999999, from 1 to 4294967294"
#define ON_WARN "a percentage of the limits from 1% to 99%, or off"
#define ON_PATHS "absolute paths such as /srv/%n or /home/%u (%n %p %c %u %U %%), or StateDirectory"
#define ON_RANK "a reading of tenants, the more of it the worse, such as disk.growth"

static const struct Row {
    const char *text;
    unsigned line;
    const char *what, *right;
} rows[] = {
    {"[Guard]\nDiskRoots=srv\n", 2, "DiskRoots=: 'srv' is no absolute path", ON_ROOTS},
    {"[Guard]\nDiskRoots=/srv home\n", 2, "DiskRoots=: 'home' is no absolute path", ON_ROOTS},
    {"[Guard]\nDiskRoots=/srv # data\n", 2, "DiskRoots=: '#' is no absolute path", ON_ROOTS},
    {"[Guard]\nDiskRoots=//\n", 2, "DiskRoots=: '/' is the whole host", ON_ROOTS},
    {"[Guard]\nDiskRoots=/srv/../etc\n", 2, "DiskRoots=: '/srv/../etc' holds a '..'", ON_ROOTS},
    {"[Guard]\nDiskRoots=/srv/..\n", 2, "DiskRoots=: '/srv/..' holds a '..'", ON_ROOTS},
    {"[Guard]\nDiskRoots=/./srv\n", 2, "DiskRoots=: '/./srv' holds a '.'", ON_ROOTS},
    {"[Guard]\nDiskRoots=/srv//a\n", 2, "DiskRoots=: '/srv//a' has an empty component", ON_ROOTS},
    {"[Guard]\nDiskRoots=StateDirectory\n", 2, "DiskRoots=: 'StateDirectory' is no absolute path", ON_ROOTS},
    {"[Guard]\nProjectIds=5\n", 2, "ProjectIds=: '5' is no range: there is no '-'", ON_IDS},
    {"[Guard]\nProjectIds=-5\n", 2, "ProjectIds=: '' is no number", ON_IDS},
    {"[Guard]\nProjectIds=5-\n", 2, "ProjectIds=: '' is no number", ON_IDS},
    {"[Guard]\nProjectIds=1M-2M\n", 2, "ProjectIds=: '1M' is no number", ON_IDS},
    {"[Guard]\nProjectIds=5 - 6\n", 2, "ProjectIds=: '5 ' is no number", ON_IDS},
    {"[Guard]\nProjectIds=5-6-7\n", 2, "ProjectIds=: '6-7' is no number", ON_IDS},
    {"[Guard]\nProjectIds=6-5\n", 2, "ProjectIds=: 6 comes after 5", ON_IDS},
    {"[Guard]\nProjectIds=0-5\n", 2, "ProjectIds=: 0 is out of range", ON_IDS},
    {"[Guard]\nProjectIds=1-4294967295\n", 2, "ProjectIds=: 4294967295 is out of range", ON_IDS},

    {CLASS "DiskSpaceMax=10X\n", 7, "DiskSpaceMax=: '10X' is no amount of space",
     "bytes in powers of 1024, such as 512M or 10G, at least 64K, or infinity"},
    {CLASS "DiskInodesMax=5\n", 7, "DiskInodesMax=: 5 inodes are out of range",
     "a number such as 5000, 200k or 1M, at least 16, or infinity"},
    {CLASS "DiskWarnAt=80\n", 7, "DiskWarnAt=: '80' is no percentage", ON_WARN},
    {CLASS "DiskWarnAt=%\n", 7, "DiskWarnAt=: '%' is no percentage", ON_WARN},
    {CLASS "DiskWarnAt=8.5%\n", 7, "DiskWarnAt=: '8.5%' is no percentage", ON_WARN},
    {CLASS "DiskWarnAt=0%\n", 7, "DiskWarnAt=: 0% is out of range", ON_WARN},
    {CLASS "DiskWarnAt=100%\n", 7, "DiskWarnAt=: 100% is out of range", ON_WARN},
    {CLASS "DiskPath=srv/%n\n", 7, "DiskPath=: 'srv/%n' is no absolute path", ON_PATHS},
    {CLASS "DiskPath=%n\n", 7, "DiskPath=: '%n' is no absolute path", ON_PATHS},
    {CLASS "DiskPath=statedirectory\n", 7, "DiskPath=: 'statedirectory' is no absolute path", ON_PATHS},
    {CLASS "DiskPath=StateDirectory/\n", 7, "DiskPath=: 'StateDirectory/' is no absolute path", ON_PATHS},
    {CLASS "DiskPath=/\n", 7, "DiskPath=: '/' is the whole host", ON_PATHS},
    {CLASS "DiskPath=/srv/%h\n", 7, "DiskPath=: '/srv/%h': behind a '%' stands none of n, p, c, u, U and %",
     ON_PATHS},
    {CLASS "DiskPath=/srv/%n%\n", 7, "DiskPath=: '/srv/%n%': behind a '%' stands none of n, p, c, u, U and %",
     ON_PATHS},
    {CLASS "DiskPath=/srv/%%%\n", 7, "DiskPath=: '/srv/%%%': behind a '%' stands none of n, p, c, u, U and %",
     ON_PATHS},
    {CLASS "DiskPath=/srv/%n/../x\n", 7, "DiskPath=: '/srv/%n/../x' holds a '..'", ON_PATHS},
    {"[Tenants c]\nMatch=a\nDiskSpaceMax=infinity\n", 1,
     "class 'c' guards nothing: it names no rule and sets no limit",
     "Rules=NAME..., or a limit such as TasksMax=4096"},

    {RULE "Rank=disk.growth\n", 4, "Rank=: rule 'r' elects nobody: it has no Scope=host",
     "Scope=host with it, or neither Rank= nor Floor="},
    {RULE "Floor=5\n", 4, "Floor=: rule 'r' elects nobody: it has no Scope=host",
     "Scope=host with it, or neither Rank= nor Floor="},
    {"[Rule r]\nScope=host\nWhen=disk.growth > 1M\nSteps=warn\nRank=disk.growth\n", 3,
     "When=: disk.growth is of a tenant, and rule 'r' has Scope=host",
     "a reading of the host, such as host.disk.free < 10%, or Scope=tenant"},
    {HOST "Steps=freeze\n", 1, "rule 'r' has Scope=host and no Rank=",
     "Rank=READING: who has most of it is acted on, such as Rank=disk.growth"},
    {HOST "Steps=freeze\nFloor=x\n", 1, "rule 'r' has Scope=host and no Rank=",
     "Rank=READING: who has most of it is acted on, such as Rank=disk.growth"},
    {HOST "Steps=freeze\nRank=host.disk.inodes\n", 5,
     "Rank=: host.disk.inodes is of the host, and the same for all who are on it", ON_RANK},
    {HOST "Steps=freeze\nRank=disk.eta\n", 5, "Rank=: who has most of disk.eta is the slowest", ON_RANK},
    {HOST "Steps=freeze\nRank=disk.growt\n", 5, "Rank=: there is no reading 'disk.growt'",
     "disk.growth? one of: tasks.current, tasks.denied, tasks.growth, disk.space, disk.inodes, disk.growth, "
     "disk.denied, disk.eta, host.disk.free, host.disk.inodes, memory.current, memory.swap, memory.shmem, "
     "memory.growth, memory.high, memory.max, memory.oom, memory.pressure.some, memory.pressure.full, "
     "memory.stall, cpu.usage, cpu.throttled, cpu.pressure.some, io.rate, io.pressure.some, "
     "io.pressure.full, "
     "host.memory.available, host.memory.pressure.some, host.memory.pressure.full, host.cpu.pressure.some, "
     "host.io.pressure.some, host.io.pressure.full, net.egress, net.ingress, net.dropped, host.net.egress, "
     "host.net.ingress"},
    {HOST "Steps=freeze\nFloor=2min\nRank=disk.growth\n", 5, "Floor=: '2min' is no value of disk.growth",
     "bytes per second in powers of 1024, such as 64K, 100M or 1.5G/s"},
    {HOST "Steps=freeze\nFloor=5%\nRank=disk.space\n", 5, "Floor=: '5%' is no value of disk.space",
     "bytes in powers of 1024, such as 65536, 100M or 1.5G"},
    {"[Guard]\nDiskRoots=/srv data /home\n", 2, "DiskRoots=: 'data' is no absolute path",
     "absolute paths with blanks between them, such as /var/lib/docker /srv; empty: none"},
    {HOST "Steps=freeze 5s, kill 10s\nRank=disk.growth\n", 4,
     "Steps=: rule 'r' is on host.disk.free, and 'kill' frees no space",
     "warn, freeze: who is frozen writes no more"},
    {"[Rule r]\nWhen=host.disk.inodes < 5%\nSteps=kill\n", 3,
     "Steps=: rule 'r' is on host.disk.inodes, and 'kill' frees no space",
     "warn, freeze: who is frozen writes no more"},
    {RULE "Scope=Host\n", 4, "Scope=: there is no scope 'Host'",
     "tenant: the condition is that of the tenant that is acted on; or host: it is the host's, and the worst "
     "by "
     "Rank= is acted on"},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),          cmocka_unit_test(test_roots),
        cmocka_unit_test(test_project_ids),       cmocka_unit_test(test_class),
        cmocka_unit_test(test_taken_back),        cmocka_unit_test(test_warn_at),
        cmocka_unit_test(test_who_gets_projects), cmocka_unit_test(test_host_rule),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
