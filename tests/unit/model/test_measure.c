/* Numbers with what they count: their names, how they are written, and how they are read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/limit.h"
#include "model/measure.h"
#include "model/policy.h"

#define G (INT64_C(1024) * 1024 * 1024)

/* They are on the wire. */
static void test_names(void **state)
{
    static const char *const names[] = {"count", "bytes", "rate", "bytes/s", "seconds", "percent", "bits/s"};

    for (int i = 0; i < 7; i++) {
        assert_string_equal(measure_name((enum Measure)i), names[i]);
        assert_int_equal(measure_from_name(names[i]), i);
    }
    assert_int_equal(measure_from_name("Bytes"), MEASURE_INVALID);
    assert_int_equal(measure_from_name(""), MEASURE_INVALID);
}

static void test_format(void **state)
{
    static const struct {
        enum Measure measure;
        int64_t value;
        const char *text, *exact;
    } rows[] = {
        {MEASURE_COUNT, 0, "0", "0"},
        {MEASURE_COUNT, 200000, "200000", "200000"},
        {MEASURE_COUNT, -5, "-5", "-5"},
        {MEASURE_RATE, 37, "37/s", "37/s"},
        {MEASURE_RATE, -37, "-37/s", "-37"},
        {MEASURE_BYTES, 5 * G, "5G", "5G"},
        {MEASURE_BYTES, 5 * G + 1, "5G", "5368709121"},
        {MEASURE_BYTES, -5 * G, "-5G", "-5368709120"},
        {MEASURE_BYTES, INT64_MAX, "8E", "9223372036854775807"},
        {MEASURE_BYTES, INT64_MIN, "-8E", "-9223372036854775808"},
        {MEASURE_BYTES_PER_SEC, 3 * G / 2, "1.5G/s", "1.5G/s"},
        {MEASURE_BYTES_PER_SEC, 0, "0/s", "0/s"},
        {MEASURE_SECONDS, 0, "0", "0"},
        {MEASURE_SECONDS, 120, "2min", "2min"},
        {MEASURE_SECONDS, 90, "1min 30s", "1min 30s"},
        {MEASURE_SECONDS, 3725, "1h 2min", "3725"},
        {MEASURE_SECONDS, INT64_MAX, "infinity", "9223372036854775807"},
        {MEASURE_BITS_PER_SEC, 0, "0bit", "0bit"},
        {MEASURE_BITS_PER_SEC, 9999, "9999bit", "9999bit"},
        {MEASURE_BITS_PER_SEC, 98500000, "98.5Mbit", "98.5Mbit"},
        {MEASURE_BITS_PER_SEC, 98512345, "98.5Mbit", "98512345"},
        {MEASURE_BITS_PER_SEC, 64000, "64kbit", "64kbit"},
        {MEASURE_BITS_PER_SEC, 10000000000, "10Gbit", "10Gbit"},
        {MEASURE_BITS_PER_SEC, -10000000, "-10Mbit", "-10000000"},
    };
    char buf[MEASURE_FORMAT_MAX];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(measure_format(rows[i].measure, rows[i].value, buf, sizeof(buf)), rows[i].text);
        assert_string_equal(measure_format_exact(rows[i].measure, rows[i].value, buf, sizeof(buf)),
                            rows[i].exact);
    }
}

static void test_parse(void **state)
{
    static const struct {
        enum Measure measure;
        const char *text;
        int64_t value; /* -1: refused */
    } rows[] = {
        {MEASURE_COUNT, "20k", 20000},
        {MEASURE_COUNT, "20k/s", -1},
        {MEASURE_COUNT, "9223372036854775806", INT64_MAX - 1},
        {MEASURE_COUNT, "9223372036854775807", -1}, /* what is unlimited */
        {MEASURE_COUNT, "-1", -1},
        {MEASURE_COUNT, "2min", -1},
        {MEASURE_BYTES, "5G", 5 * G},
        {MEASURE_BYTES, "5G/s", -1},
        {MEASURE_BYTES, "8E", -1},
        {MEASURE_BYTES, "infinity", -1},
        {MEASURE_RATE, "2k", 2000},
        {MEASURE_RATE, "2k/s", 2000},
        {MEASURE_RATE, "/s", -1},
        {MEASURE_RATE, "2/s/s", -1},
        {MEASURE_BYTES_PER_SEC, "5G", 5 * G},
        {MEASURE_BYTES_PER_SEC, "5GiB/s", 5 * G},
        {MEASURE_BYTES_PER_SEC, "5G/min", -1},
        {MEASURE_BYTES_PER_SEC, "0000000000000000000000000000000000000000000000000000001G/s", -1},
        {MEASURE_SECONDS, "2min", 120},
        {MEASURE_SECONDS, "1h 2min 5s", 3725},
        {MEASURE_SECONDS, "45", 45},
        {MEASURE_SECONDS, "0", 0},
        {MEASURE_SECONDS, "1500ms", -1},
        {MEASURE_SECONDS, "2000ms", 2},
        {MEASURE_SECONDS, "infinity", -1},
        {MEASURE_BITS_PER_SEC, "100M", 100000000},
        {MEASURE_BITS_PER_SEC, "1.5G", 1500000000},
        {MEASURE_BITS_PER_SEC, "10Mbit", 10000000},
        {MEASURE_BITS_PER_SEC, "10mbit/s", 10000000},
        {MEASURE_BITS_PER_SEC, "10MBIT", 10000000},
        {MEASURE_BITS_PER_SEC, "64Kbit", 64000},
        {MEASURE_BITS_PER_SEC, "500bit", 500},
        {MEASURE_BITS_PER_SEC, "500", 500},
        {MEASURE_BITS_PER_SEC, "bit", -1},
        {MEASURE_BITS_PER_SEC, "10Mbps", -1}, /* bytes to tc(8), bits to others */
        {MEASURE_BITS_PER_SEC, "10MB", -1},
        {MEASURE_BITS_PER_SEC, "10Mibit", -1},
        {MEASURE_BITS_PER_SEC, "10Mbitbit", -1},
        {MEASURE_BITS_PER_SEC, "10M/sbit", -1},
        {MEASURE_BITS_PER_SEC, "50%", -1},
        {MEASURE_SECONDS, "", -1},
        {MEASURE_INVALID, "5", -1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t value = -1;
        bool taken = measure_parse(rows[i].measure, rows[i].text, &value);

        if (value != rows[i].value || taken != (value >= 0))
            fail_msg("'%s' as %s is %jd", rows[i].text, measure_name(rows[i].measure), (intmax_t)value);
    }
}

static void test_limits(void **state)
{
    char buf[MEASURE_FORMAT_MAX];

    assert_string_equal(limit_format(LIMIT_TASKS_MAX, 4194304, buf, sizeof(buf)), "4194304");
    assert_string_equal(limit_format(LIMIT_DISK_SPACE_MAX, 20 * G, buf, sizeof(buf)), "20G");
    assert_string_equal(limit_format(LIMIT_DISK_SPACE_MAX, LIMIT_INFINITY, buf, sizeof(buf)), "infinity");
    assert_string_equal(limit_format(LIMIT_IO_READ_BANDWIDTH_MAX, 20000000, buf, sizeof(buf)), "20M/s");
    assert_string_equal(limit_format(LIMIT_IO_WRITE_BANDWIDTH_MAX, 4000, buf, sizeof(buf)), "4000/s");
    assert_string_equal(limit_format(LIMIT_IO_WRITE_IOPS_MAX, 12345, buf, sizeof(buf)), "12345/s");
    assert_string_equal(limit_format(LIMIT_IO_READ_IOPS_MAX, LIMIT_INFINITY, buf, sizeof(buf)), "infinity");
    assert_string_equal(limit_format(LIMIT_DISK_INODES_MAX, 200000, buf, sizeof(buf)), "200000");
    assert_true(limit_is_quota(LIMIT_DISK_SPACE_MAX) && limit_is_quota(LIMIT_DISK_INODES_MAX));
    assert_false(limit_is_quota(LIMIT_TASKS_MAX));
    assert_true(limit_is_own(LIMIT_DISK_SPACE_MAX) && limit_is_own(LIMIT_NETWORK_EGRESS_MAX));
    assert_false(limit_is_own(LIMIT_MEMORY_MAX));
    for (int i = 0; i < LIMIT_COUNT; i++) {
        assert_false(limit_is_quota((enum LimitId)i) && limit_is_network((enum LimitId)i));
        assert_int_equal(limit_info((enum LimitId)i)->cgroup_file == NULL, limit_is_own((enum LimitId)i));
    }
    assert_string_equal(limit_format(LIMIT_NETWORK_EGRESS_MAX, 100000000, buf, sizeof(buf)), "100Mbit");
    assert_true(limit_is_same(LIMIT_NETWORK_EGRESS_MAX, 1000007, 1000000));
    assert_false(limit_is_same(LIMIT_NETWORK_EGRESS_MAX, 1000008, 1000000));
}

/* By their names, so that a new one is not forgotten. */
static void test_readings_of_the_disk(void **state)
{
    for (int i = 0; i < READING_COUNT; i++) {
        const struct ReadingInfo *info = reading_info((enum ReadingId)i);

        assert_int_equal(reading_is_of_disk((enum ReadingId)i),
                         strncmp(info->name, "disk.", 5) == 0 || strncmp(info->name, "host.disk.", 10) == 0);
        assert_int_equal(info->of_host, strncmp(info->name, "host.", 5) == 0);
    }
}

static void test_readings_of_the_network(void **state)
{
    for (int i = 0; i < READING_COUNT; i++) {
        const char *name = reading_info((enum ReadingId)i)->name;
        bool expected = strncmp(name, "net.", 4) == 0 || strncmp(name, "host.net.", 9) == 0;

        assert_int_equal(reading_is_of_network((enum ReadingId)i), expected);
        if (expected) {
            assert_false(reading_is_of_strain((enum ReadingId)i) || reading_is_of_disk((enum ReadingId)i));
            /* Others go on to send to whoever is frozen. */
            assert_int_equal(reading_is_of_running((enum ReadingId)i), i == READING_NET_EGRESS);
        }
    }
}

static void test_conditions(void **state)
{
    static const struct {
        struct Condition condition;
        const char *text;
    } rows[] = {
        {{READING_DISK_GROWTH, COMPARISON_ABOVE, 100 << 20, false, 0}, "disk.growth > 100M/s"},
        {{READING_HOST_DISK_FREE, COMPARISON_BELOW, 5 * G, false, 0}, "host.disk.free < 5G"},
        {{READING_HOST_DISK_FREE, COMPARISON_BELOW, 10, true, 0}, "host.disk.free < 10%"},
        {{READING_DISK_ETA, COMPARISON_BELOW, 90, false, 3 * USEC_PER_SEC}, "disk.eta < 1min 30s for 3s"},
        {{READING_DISK_ETA, COMPARISON_AT_MOST, 3725, false, 0}, "disk.eta <= 3725"},
        {{READING_DISK_SPACE, COMPARISON_ABOVE, 10000000, false, 0}, "disk.space > 10000000"},
        {{READING_TASKS_GROWTH, COMPARISON_ABOVE, 100, false, 0}, "tasks.growth > 100"},
        {{READING_NET_EGRESS, COMPARISON_ABOVE, 80, true, 10 * USEC_PER_SEC}, "net.egress > 80% for 10s"},
        {{READING_NET_INGRESS, COMPARISON_ABOVE, 100000000, false, 0}, "net.ingress > 100Mbit"},
    };
    char buf[CONDITION_FORMAT_MAX];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(condition_format(&rows[i].condition, buf, sizeof(buf)), rows[i].text);
}

static void test_comparisons(void **state)
{
    for (int64_t left = 4; left <= 6; left++) {
        assert_int_equal(comparison_holds(left, COMPARISON_ABOVE, 5), left > 5);
        assert_int_equal(comparison_holds(left, COMPARISON_AT_LEAST, 5), left >= 5);
        assert_int_equal(comparison_holds(left, COMPARISON_BELOW, 5), left < 5);
        assert_int_equal(comparison_holds(left, COMPARISON_AT_MOST, 5), left <= 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_readings_of_the_disk),
        cmocka_unit_test(test_readings_of_the_network),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_comparisons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
