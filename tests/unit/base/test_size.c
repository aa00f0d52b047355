/* Amounts: what people write, what they read, and that the second is the first again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/size.h"

#define K UINT64_C(1024)
#define REFUSED UINT64_MAX - 77

struct Row {
    const char *text;
    uint64_t value; /* or REFUSED */
};

static void check(bool (*parse)(const char *, uint64_t *), const struct Row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t value = REFUSED;
        bool taken = parse(rows[i].text, &value);

        if (value != rows[i].value || taken != (value != REFUSED))
            fail_msg("'%s' is %ju", rows[i].text, (uintmax_t)value);
    }
}

static void test_bytes(void **state)
{
    static const struct Row rows[] = {
        {"0", 0},
        {"4096", 4096},
        {"64K", 64 * K},
        {"64k", 64 * K},
        {"512M", 512 * K * K},
        {"10G", 10 * K * K * K},
        {"10g", 10 * K * K * K},
        {"10GB", 10 * K * K * K},
        {"10GiB", 10 * K * K * K},
        {"10B", 10},
        {"1.5G", 3 * K * K * K / 2},
        {"0.5K", 512},
        {"0.5k", 512},
        {"2.0", 2},
        {"1.50", REFUSED},
        {"1.5B", REFUSED},
        {"1.1K", 1126}, /* 1126.4 */
        {"1.1G", 1181116006},
        {"0.0009K", 0},
        {"0.99999999999999999999999999999999999K", 1023},
        {"007", 7},
        {"15E", 15 * K * K * K * K * K * K},
        {"15.9999999999999999999999E", UINT64_MAX},
        {"16E", REFUSED},
        {"17179869183.9G", UINT64_MAX - 107374182},
        {"17179869184G", REFUSED},
        {"18446744073709551615", UINT64_MAX},
        {"18446744073709551616", REFUSED},
        {"99999999999999999999999", REFUSED},
    };

    check(size_parse_bytes, rows, sizeof(rows) / sizeof(rows[0]));
}

static void test_counts(void **state)
{
    static const struct Row rows[] = {
        {"0", 0},
        {"1500", 1500},
        {"200k", 200000},
        {"200K", 200000},
        {"1M", 1000000},
        {"0.5k", 500},
        {"1.234k", 1234},
        {"1.2340k", 1234},
        {"1.2345k", REFUSED},
        {"1.5", REFUSED},
        {"10B", REFUSED},
        {"10kB", REFUSED},
        {"10ki", REFUSED},
        {"18E", UINT64_C(18000000000000000000)},
        {"18.446744073709551615E", UINT64_MAX},
        {"18.446744073709551616E", REFUSED},
        {"19E", REFUSED},
    };

    check(size_parse_count, rows, sizeof(rows) / sizeof(rows[0]));
}

/* What is no amount is none of either kind. */
static void test_refused(void **state)
{
    static const char *const texts[] = {
        "",     " ",     " 1",     "1 ",  "1 G", "-1",       "+1",   ".5",   ".5G",   "5.",
        "5.G",  "1..5G", "1.5.5G", "G",   "B",   "iB",       "1iB",  "1BB",  "1GBB",  "1Gi",
        "1gb",  "1GIB",  "1KG",    "1X",  "1e3", "1E3",      "0x10", "1,5G", "1%",    "max",
        "1G/s", "1b",    "\xb2",   "1_0", "nan", "infinity", "1\n",  "1K\t", "1.-5k",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const struct Row row = {texts[i], REFUSED};

        check(size_parse_bytes, &row, 1);
        check(size_parse_count, &row, 1);
    }
}

static void test_format_bytes(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } rows[] = {
        {0, "0"},
        {4096, "4096"},
        {10 * K - 1, "10239"},
        {10 * K, "10K"},
        {10 * K + 600, "10.6K"},
        {1023 * K, "1023K"},
        {1024 * K - 1, "1M"},
        {1024 * K * K - 102 * K, "1G"}, /* 1023.9M */
        {K * K, "1M"},
        {5 * K * K * K, "5G"},
        {9 * K * K * K + 4 * K * K * K / 5, "9.8G"},
        {9 * K * K * K + 996 * K * K, "9.97G"},
        {10 * K * K * K - 1, "10G"},
        {100 * K * K * K - 1, "100G"},
        {INT64_MAX, "8E"},
        {UINT64_MAX, "16E"},
    };
    char buf[SIZE_FORMAT_MAX];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(size_format_bytes(rows[i].bytes, buf, sizeof(buf)), rows[i].text);
}

static void test_format_counts(void **state)
{
    static const struct {
        uint64_t count;
        const char *text;
    } rows[] = {
        {0, "0"},           {9999, "9999"},   {10000, "10k"},      {12345, "12.3k"},      {200000, "200k"},
        {999499, "999k"},   {999500, "1M"},   {1020000, "1.02M"},  {1004999, "1M"},       {1005001, "1.01M"},
        {9994999, "9.99M"}, {9995001, "10M"}, {99949999, "99.9M"}, {UINT64_MAX, "18.4E"},
    };
    char buf[SIZE_FORMAT_MAX];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(size_format_count(rows[i].count, buf, sizeof(buf)), rows[i].text);
}

/* What was written is read, and written again the same. */
static void test_there_and_back(void **state)
{
    char first[SIZE_FORMAT_MAX], second[SIZE_FORMAT_MAX];

    for (uint64_t value = 1; value < UINT64_MAX / 16 * 15; value += value / 7 + 1) {
        uint64_t again;

        assert_true(size_parse_bytes(size_format_bytes(value, first, sizeof(first)), &again));
        assert_string_equal(first, size_format_bytes(again, second, sizeof(second)));
        assert_true(size_parse_count(size_format_count(value, first, sizeof(first)), &again));
        assert_string_equal(first, size_format_count(again, second, sizeof(second)));
    }
}

/* A buffer that is too small is not overrun. */
static void test_small_buffer(void **state)
{
    char buf[4] = "xxx";

    size_format_bytes(UINT64_C(1234567), buf, 3);
    assert_string_equal(buf, "1.");
    assert_int_equal(buf[3], '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),         cmocka_unit_test(test_counts),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_format_bytes),
        cmocka_unit_test(test_format_counts), cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_small_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
