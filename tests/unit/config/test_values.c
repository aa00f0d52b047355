/* Limits and conditions by themselves: what is taken, what each complaint says, and that a condition which
 * was written out is read back as the same. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../fault.h"
#include "config/nearest.h"
#include "config/values.h"

#define G (UINT64_C(1024) * 1024 * 1024)
#define ON_TASKS "a number from 1 to 4194304, or infinity"
#define ON_SPACE "bytes in powers of 1024, such as 512M or 10G, at least 64K, or infinity"
#define ON_INODES "a number such as 5000, 200k or 1M, at least 16, or infinity"
#define ON_DISKS "on each disk that tenants have something on; none is named here"
#define ON_BANDWIDTH                                                                                         \
    "bytes per second in powers of 1000, such as 500K or 20M, at least 4K, or infinity, " ON_DISKS
#define ON_OPERATIONS "operations per second, such as 200 or 5K, or infinity, " ON_DISKS
#define ON_MEMORY                                                                                            \
    "bytes in powers of 1024, such as 512M or 4G, at least 1M, a percentage of the host's memory, or "       \
    "infinity"
#define ON_SWAP "bytes in powers of 1024, such as 0, 512M or 4G, or infinity"
#define ON_QUOTA "a percentage of one CPU, such as 50% or 200%, at least 0.1%, or infinity"
#define ON_RATE "bits per second in powers of 1000, such as 500k, 10M or 1G, from 1k to 1T, or infinity"
#define ON_WEIGHT "a number from 1 to 10000; 100 is what everybody has"

static void test_limits(void **state)
{
    static const struct {
        enum LimitId id;
        const char *text;
        uint64_t value;
    } rows[] = {
        {LIMIT_TASKS_MAX, "1", 1},
        {LIMIT_TASKS_MAX, "4194304", 4194304},
        {LIMIT_TASKS_MAX, "infinity", LIMIT_INFINITY},
        {LIMIT_DISK_SPACE_MAX, "64K", 65536},
        {LIMIT_DISK_SPACE_MAX, "65536", 65536},
        {LIMIT_DISK_SPACE_MAX, "10GiB", 10 * G},
        {LIMIT_DISK_SPACE_MAX, "9223372036854775806", INT64_MAX - 1},
        {LIMIT_DISK_SPACE_MAX, "infinity", LIMIT_INFINITY},
        {LIMIT_DISK_INODES_MAX, "16", 16},
        {LIMIT_DISK_INODES_MAX, "1.5M", 1500000},
        {LIMIT_DISK_INODES_MAX, "infinity", LIMIT_INFINITY},
        {LIMIT_MEMORY_HIGH, "1.5G", 3 * G / 2},
        {LIMIT_MEMORY_MAX, "1M", 1 << 20},
        {LIMIT_MEMORY_MAX, "infinity", LIMIT_INFINITY},
        {LIMIT_MEMORY_SWAP_MAX, "0", 0},
        {LIMIT_MEMORY_SWAP_MAX, "infinity", LIMIT_INFINITY},
        {LIMIT_CPU_QUOTA, "50%", 5000},
        {LIMIT_CPU_QUOTA, "0.1%", 10},
        {LIMIT_CPU_QUOTA, "150.25%", 15025},
        {LIMIT_CPU_QUOTA, "infinity", LIMIT_INFINITY},
        {LIMIT_CPU_WEIGHT, "1", 1},
        {LIMIT_IO_WEIGHT, "10000", 10000},
        {LIMIT_IO_READ_BANDWIDTH_MAX, "4K", 4000},
        {LIMIT_IO_READ_BANDWIDTH_MAX, "20M", 20000000},
        {LIMIT_IO_WRITE_BANDWIDTH_MAX, "1.5G/s", 1500000000},
        {LIMIT_IO_WRITE_BANDWIDTH_MAX, "1T", 1000000000000},
        {LIMIT_IO_WRITE_BANDWIDTH_MAX, "infinity", LIMIT_INFINITY},
        {LIMIT_IO_READ_IOPS_MAX, "1", 1},
        {LIMIT_IO_READ_IOPS_MAX, "5K", 5000},
        {LIMIT_IO_WRITE_IOPS_MAX, "4294967294", 4294967294},
        {LIMIT_IO_WRITE_IOPS_MAX, "infinity", LIMIT_INFINITY},
        {LIMIT_NETWORK_EGRESS_MAX, "100M", 100000000},
        {LIMIT_NETWORK_EGRESS_MAX, "1k", 1000},
        {LIMIT_NETWORK_INGRESS_MAX, "2.5Gbit", 2500000000},
        {LIMIT_NETWORK_INGRESS_MAX, "1T", 1000000000000},
        {LIMIT_NETWORK_INGRESS_MAX, "infinity", LIMIT_INFINITY},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct Complaint complaint = {0};
        uint64_t value = 77;

        assert_true(value_limit(rows[i].id, rows[i].text, &value, &complaint));
        assert_true(value == rows[i].value);
        assert_string_equal(complaint.right, "");
    }
}

static void test_limits_refused(void **state)
{
    static const struct {
        enum LimitId id;
        const char *text, *what, *right;
    } rows[] = {
        {LIMIT_TASKS_MAX, "", "'' is no number of tasks", ON_TASKS},
        {LIMIT_TASKS_MAX, "1k", "'1k' is no number of tasks", ON_TASKS},
        {LIMIT_NETWORK_EGRESS_MAX, "0", "0 is out of range", ON_RATE},
        {LIMIT_NETWORK_EGRESS_MAX, "999", "999 is out of range", ON_RATE},
        {LIMIT_NETWORK_INGRESS_MAX, "1.1T", "1.1T is out of range", ON_RATE},
        {LIMIT_NETWORK_INGRESS_MAX, "10MB", "'10MB' is no rate", ON_RATE},
        {LIMIT_NETWORK_INGRESS_MAX, "50%",
         "'50%': a percentage would be of the host's links, and is not taken for a tenant", ON_RATE},
        {LIMIT_TASKS_MAX, "4194305", "4194305 tasks are out of range", ON_TASKS},
        {LIMIT_TASKS_MAX, "50%",
         "'50%': a percentage would be of the host's tasks, and is not taken for a tenant", ON_TASKS},
        {LIMIT_DISK_SPACE_MAX, "", "'' is no amount of space", ON_SPACE},
        {LIMIT_DISK_SPACE_MAX, "ten", "'ten' is no amount of space", ON_SPACE},
        {LIMIT_DISK_SPACE_MAX, "Infinity", "'Infinity' is no amount of space", ON_SPACE},
        {LIMIT_DISK_SPACE_MAX, "-10G", "'-10G' is no amount of space", ON_SPACE},
        {LIMIT_DISK_SPACE_MAX, "0", "0 is out of range", ON_SPACE},
        {LIMIT_DISK_SPACE_MAX, "63.9K", "63.9K is out of range", ON_SPACE},
        {LIMIT_DISK_SPACE_MAX, "8E", "8E is out of range", ON_SPACE},
        {LIMIT_DISK_SPACE_MAX, "16E", "'16E' is no amount of space", ON_SPACE},
        {LIMIT_DISK_SPACE_MAX, "10%",
         "'10%': a percentage would be of the host's space, and is not taken for a tenant", ON_SPACE},
        {LIMIT_DISK_INODES_MAX, "1MB", "'1MB' is no number of inodes", ON_INODES},
        {LIMIT_DISK_INODES_MAX, "15", "15 inodes are out of range", ON_INODES},
        {LIMIT_DISK_INODES_MAX, "%",
         "'%': a percentage would be of the host's inodes, and is not taken for a tenant", ON_INODES},
        {LIMIT_MEMORY_MAX, "512", "512 is out of range", ON_MEMORY},
        {LIMIT_IO_READ_BANDWIDTH_MAX, "20", "20 is out of range", ON_BANDWIDTH},
        {LIMIT_IO_READ_BANDWIDTH_MAX, "20MiB", "'20MiB' is no rate", ON_BANDWIDTH},
        {LIMIT_IO_WRITE_BANDWIDTH_MAX, "/dev/vda 20M", "'/dev/vda 20M' is no rate", ON_BANDWIDTH},
        {LIMIT_IO_WRITE_BANDWIDTH_MAX, "50%",
         "'50%': a percentage would be of the host's bandwidth, and is not taken for a tenant", ON_BANDWIDTH},
        {LIMIT_IO_READ_IOPS_MAX, "0", "0 is out of range", ON_OPERATIONS},
        {LIMIT_IO_WRITE_IOPS_MAX, "4294967295", "4294967295 is out of range", ON_OPERATIONS},
        {LIMIT_IO_WRITE_IOPS_MAX, "-5", "'-5' is no rate", ON_OPERATIONS},
        {LIMIT_MEMORY_MAX, "lots", "'lots' is no amount of memory", ON_MEMORY},
        {LIMIT_MEMORY_MAX, "", "'' is no amount of memory", ON_MEMORY},
        {LIMIT_MEMORY_HIGH, "101%", "'101%' is no amount of memory", ON_MEMORY},
        {LIMIT_MEMORY_HIGH, "-5%", "'-5%' is no amount of memory", ON_MEMORY},
        {LIMIT_MEMORY_HIGH, "0%", "0% is out of range", ON_MEMORY},
        {LIMIT_MEMORY_SWAP_MAX, "10%",
         "'10%': a percentage would be of the host's swap, and is not taken for a tenant", ON_SWAP},
        {LIMIT_CPU_QUOTA, "50", "'50' is no share of a CPU", ON_QUOTA},
        {LIMIT_CPU_QUOTA, "0.05%", "0.05% is out of range", ON_QUOTA},
        {LIMIT_CPU_QUOTA, "0%", "0% is out of range", ON_QUOTA},
        {LIMIT_CPU_QUOTA, "9999999%", "9999999% is out of range", ON_QUOTA},
        {LIMIT_CPU_WEIGHT, "0", "0 is out of range", ON_WEIGHT},
        {LIMIT_CPU_WEIGHT, "10001", "10001 is out of range", ON_WEIGHT},
        {LIMIT_CPU_WEIGHT, "infinity", "'infinity' is no weight", ON_WEIGHT},
        {LIMIT_CPU_WEIGHT, "idle", "'idle' is no weight", ON_WEIGHT},
        {LIMIT_IO_WEIGHT, "10%",
         "'10%': a percentage would be of the host's I/O, and is not taken for a tenant", ON_WEIGHT},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct Complaint complaint = {0};
        uint64_t value = 77;

        assert_false(value_limit(rows[i].id, rows[i].text, &value, &complaint));
        assert_string_equal(complaint.what, rows[i].what);
        assert_string_equal(complaint.right, rows[i].right);
        assert_int_equal(value, 77);
    }
}

/* As systemd means it: of what the host has. */
static void test_share_of_memory(void **state)
{
    struct Complaint complaint = {0};
    uint64_t all, half, part;

    assert_true(value_limit(LIMIT_MEMORY_MAX, "100%", &all, &complaint));
    assert_true(value_limit(LIMIT_MEMORY_MAX, "50%", &half, &complaint));
    assert_true(value_limit(LIMIT_MEMORY_HIGH, "12.5%", &part, &complaint));
    assert_true(all == (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE));
    assert_in_range(all - 2 * half, 0, 8192);
    assert_in_range(all - 8 * part, 0, 8 * 65536);
    assert_int_equal(half % 4096, 0);
    assert_string_equal(complaint.right, "");
}

/* Of what nobody knows there is no share. */
static void test_share_of_unknown_memory(void **state)
{
    struct Complaint complaint = {0};
    uint64_t value = 77;

    for (size_t nth = 0; nth < 2; nth++) {
        fault_call("sysconf", nth, EINVAL);
        assert_false(value_limit(LIMIT_MEMORY_MAX, "50%", &value, &complaint));
        assert_string_equal(complaint.what, "'50%' is no amount of memory");
        assert_int_equal(value, 77);
    }
    assert_true(value_limit(LIMIT_MEMORY_MAX, "50%", &value, &complaint));
}

static void test_conditions(void **state)
{
    static const struct {
        const char *text, *written;
        int64_t value;
    } rows[] = {
        {"disk.growth > 100M", "disk.growth > 100M/s", 100 << 20},
        {"disk.growth > 100M/s for 2s", "disk.growth > 100M/s for 2s", 100 << 20},
        {"disk.growth>1.5G/s", "disk.growth > 1.5G/s", (int64_t)(3 * G / 2)},
        {"host.disk.free < 5G", "host.disk.free < 5G", (int64_t)(5 * G)},
        {"host.disk.free < 5368709121", "host.disk.free < 5368709121", (int64_t)(5 * G + 1)},
        {"host.disk.free < 10%", "host.disk.free < 10%", 10},
        {"host.disk.inodes <= 20k", "host.disk.inodes <= 20000", 20000},
        {"disk.eta < 2min", "disk.eta < 2min", 120},
        {"disk.eta < 1min 30s for 3s", "disk.eta < 1min 30s for 3s", 90},
        {"disk.eta < 1h 2min 5s for 1min 3s", "disk.eta < 3725 for 1min 3s", 3725},
        {"disk.eta < 45", "disk.eta < 45s", 45},
        {"disk.space >= 80%", "disk.space >= 80%", 80},
        {"disk.space > 9.8G", "disk.space > 9.8G", 10522669875},
        {"disk.inodes > 1M", "disk.inodes > 1000000", 1000000},
        {"tasks.growth > 2k/s", "tasks.growth > 2000", 2000},
        {"tasks.denied > 0", "tasks.denied > 0", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct Condition condition, again;
        struct Complaint complaint = {0};
        char buf[CONDITION_FORMAT_MAX];

        assert_true(value_condition(rows[i].text, &condition, &complaint));
        assert_true(condition.value == rows[i].value);
        assert_string_equal(condition_format(&condition, buf, sizeof(buf)), rows[i].written);
        assert_true(value_condition(buf, &again, &complaint));
        assert_true(again.value == condition.value && again.percent == condition.percent);
        assert_int_equal(again.reading, condition.reading);
        assert_int_equal(again.comparison, condition.comparison);
        assert_true(again.for_usec == condition.for_usec);
    }
}

static void test_conditions_refused(void **state)
{
    static const struct {
        const char *text, *what, *right;
    } rows[] = {
        {"disk.growth > fast", "'fast' is no value of disk.growth",
         "bytes per second in powers of 1024, such as 64K, 100M or 1.5G/s"},
        {"disk.growth > 100M/min", "'100M/min' is no value of disk.growth",
         "bytes per second in powers of 1024, such as 64K, 100M or 1.5G/s"},
        {"disk.growth > 10%", "disk.growth has no limit that it could be a percentage of",
         "bytes per second in powers of 1024, such as 64K, 100M or 1.5G/s; only a reading with a limit of "
         "its "
         "own, such as tasks.current, has a percentage"},
        {"host.disk.free < 5G/s", "'5G/s' is no value of host.disk.free",
         "bytes in powers of 1024, such as 65536, 100M or 1.5G, or a percentage such as 80%"},
        {"host.disk.free < 8E", "'8E' is no value of host.disk.free",
         "bytes in powers of 1024, such as 65536, 100M or 1.5G, or a percentage such as 80%"},
        {"host.disk.inodes < 5.5%", "'5.5%' is no value of host.disk.inodes",
         "a whole decimal number without sign, such as 500, 20k or 1M, or a percentage such as 80%"},
        {"disk.space > 5 G", "'G' stands where the condition ends or goes on with 'for'", ""},
        {"disk.eta < 500ms", "'500ms' is no value of disk.eta",
         "a time in whole seconds, such as 30s, 2min or 1h 30min"},
        {"disk.eta < 2min and more", "'2min and more' is no value of disk.eta",
         "a time in whole seconds, such as 30s, 2min or 1h 30min"},
        {"disk.eta < 2min forever", "'2min forever' is no value of disk.eta",
         "a time in whole seconds, such as 30s, 2min or 1h 30min"},
        {"disk.eta < infinity", "'infinity' is no value of disk.eta",
         "a time in whole seconds, such as 30s, 2min or 1h 30min"},
        {"disk.eta < for 3s", "'for 3s' is no value of disk.eta",
         "a time in whole seconds, such as 30s, 2min or 1h 30min"},
        {"disk.eta <", "no value behind disk.eta", "a time in whole seconds, such as 30s, 2min or 1h 30min"},
        {"disk.eta < 2min for", "'' is no duration",
         "a number above 0 with its unit: 500ms, 5s, 1min 30s, 2h"},
        {"tasks.growth > 5M/h", "'5M/h' is no value of tasks.growth",
         "a whole decimal number without sign, per second, such as 50 or 2k/s"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct Complaint complaint = {0};
        struct Condition condition;

        assert_false(value_condition(rows[i].text, &condition, &complaint));
        assert_string_equal(complaint.what, rows[i].what);
        assert_string_equal(complaint.right, rows[i].right);
    }
}

/* NULL: it may stand behind When=. */
#define ABOVE_NOTHING "> 0, or >= with a value above 0"
#define TOO_MUCH "what is too much, such as > 80%"
#define TOO_LITTLE "what is too little, such as < 10%"
#define TOO_SOON "what is too soon, such as < 2min"
static const struct {
    const char *text, *right;
} triggers[] = {
    {"tasks.denied > 0", NULL},
    {"tasks.denied >= 0", ABOVE_NOTHING},
    {"tasks.denied >= 1", NULL},
    {"tasks.growth >= 0", ABOVE_NOTHING},
    {"tasks.growth < 100", NULL},
    {"tasks.current > 0", TOO_MUCH},
    {"tasks.current >= 1", TOO_MUCH},
    {"tasks.current > 1", NULL},
    {"tasks.current < 50%", NULL},
    {"tasks.current <= 100%", TOO_MUCH},
    {"tasks.current >= 0%", TOO_MUCH},
    {"disk.space > 0", TOO_MUCH},
    {"disk.space > 80%", NULL},
    {"disk.space <= 100%", TOO_MUCH},
    {"disk.inodes >= 1", TOO_MUCH},
    {"disk.growth > 0", NULL},
    {"disk.growth >= 0", ABOVE_NOTHING},
    {"disk.denied >= 0/s", ""}, /* no value at all */
    {"disk.denied >= 0", ABOVE_NOTHING},
    {"disk.eta < 2min", NULL},
    {"disk.eta <= 0", NULL},
    {"disk.eta > 0", TOO_SOON},
    {"disk.eta >= 0", TOO_SOON},
    {"disk.eta > 10min", TOO_SOON}, /* at peace it is never */
    {"host.disk.free > 0", TOO_LITTLE},
    {"host.disk.free >= 1", TOO_LITTLE},
    {"host.disk.free > 0%", TOO_LITTLE},
    {"host.disk.free >= 1%", TOO_LITTLE},
    {"host.disk.free < 100%", TOO_LITTLE},
    {"host.disk.free < 99%", NULL},
    {"host.disk.free < 5G", NULL},
    {"host.disk.free > 5G", NULL},
    {"host.disk.inodes >= 0", TOO_LITTLE},
    {"host.disk.inodes < 5%", NULL},
};

static void test_triggers(void **state)
{
    for (size_t i = 0; i < sizeof(triggers) / sizeof(triggers[0]); i++) {
        struct Complaint complaint = {0};
        struct Condition condition;
        char what[128];
        bool taken = value_trigger(triggers[i].text, &condition, &complaint);

        if (taken != !triggers[i].right)
            fail_msg("'%s' is %s", triggers[i].text, taken ? "taken" : complaint.what);
        if (taken || triggers[i].right[0] == '\0')
            continue;
        snprintf(what, sizeof(what), "'%s' holds for every tenant at every moment", triggers[i].text);
        assert_string_equal(complaint.what, what);
        assert_string_equal(complaint.right, triggers[i].right);
    }
}

/* A new limit or reading has its row in the tables. */
static void test_tables_are_complete(void **state)
{
    for (int i = 0; i < LIMIT_COUNT; i++) {
        struct Complaint complaint = {0};
        uint64_t value;

        assert_false(value_limit((enum LimitId)i, "?", &value, &complaint));
        assert_string_not_equal(complaint.right, "");
    }
    for (int i = 0; i < READING_COUNT; i++) {
        const struct ReadingInfo *info = reading_info((enum ReadingId)i);
        struct Complaint complaint = {0};
        struct Condition condition;
        char text[64];

        snprintf(text, sizeof(text), "%s >= 0%s", info->name, info->measure == MEASURE_PERCENT ? "%" : "");
        assert_false(value_trigger(text, &condition, &complaint));
        assert_true(strchr(complaint.right, '>') || strchr(complaint.right, '<'));
        assert_string_not_equal(value_example(info->measure), "");
    }
}

static void test_nearest(void **state)
{
    static const struct {
        const char *word, *name;
        bool is_near;
    } rows[] = {
        {"Mode", "Mode", true},  {"mODE", "Mode", true},  {"Moode", "Mode", true},   {"Mde", "Mode", true},
        {"Mope", "Mode", true},  {"Mdoe", "Mode", true},  {"oMde", "Mode", true},    {"Moed", "Mode", true},
        {"Mdxe", "Mode", false}, {"Mxoe", "Mode", false}, {"Mooode", "Mode", false}, {"Me", "Mode", false},
        {"oedM", "Mode", false}, {"", "Mode", false},     {"", "M", true},           {"Modes", "Mode", true},
        {"aa", "a", true},       {"Mode", "", false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (is_near(rows[i].word, rows[i].name) != rows[i].is_near)
            fail_msg("'%s' and '%s'", rows[i].word, rows[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_share_of_memory),
        cmocka_unit_test(test_share_of_unknown_memory),
        cmocka_unit_test(test_limits_refused),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_conditions_refused),
        cmocka_unit_test(test_triggers),
        cmocka_unit_test(test_tables_are_complete),
        cmocka_unit_test(test_nearest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
