/* Globs, durations, and the files of the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/glob.h"
#include "base/usec.h"

static void test_glob(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool matches;
    } table[] = {
        {"system.slice/docker-*.scope", "system.slice/docker-0123.scope", true},
        {"system.slice/docker-*.scope", "system.slice/docker-0123.scope/inner", false},
        {"system.slice/*", "system.slice/a/b", false},
        {"*", "system.slice", true},
        {"*", "system.slice/a", false},
        {"**", "system.slice/a/b/c", true},
        {"**/docker/*", "docker/abc", true},
        {"**/docker/*", "a/b/docker/abc", true},
        {"**/docker/*", "a/b/docker/abc/d", false},
        {"user.slice/**/libpod-*.scope", "user.slice/libpod-1.scope", true},
        {"user.slice/**/libpod-*.scope", "user.slice/a/b/libpod-1.scope", true},
        {"user.slice/**/libpod-*.scope", "machine.slice/libpod-1.scope", false},
        {"user.slice/**", "user.slice", true},
        {"user.slice/**", "user.slice/a/b", true},
        {"user.slice/**", "user.slicer/a", false},
        {"**/**/x", "x", true},
        {"a/[bc]", "a/c", true},
        {"system.slice/dev-disk\\x2d1.service", "system.slice/dev-disk\\x2d1.service", true},
        {"init.scope", "init.scope", true},
        {"init.scope", "", false},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (glob_match(table[i].pattern, table[i].path) != table[i].matches)
            fail_msg("%s against %s", table[i].pattern, table[i].path);
}

static void test_glob_problem(void **state)
{
    assert_null(glob_problem("system.slice/**/x*"));
    assert_non_null(glob_problem(""));
    assert_non_null(glob_problem("/system.slice"));
    assert_non_null(glob_problem("system.slice/"));
    assert_non_null(glob_problem("a//b"));
    assert_non_null(glob_problem("a/x**"));
}

/* What is cut off is another name: too long a component matches none, and is no pattern. */
static void test_glob_too_long(void **state)
{
    char longest[256], longer[257], below[264];

    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    snprintf(below, sizeof(below), "%s/b", longer);
    assert_true(glob_match(longest, longest));
    assert_false(glob_match(longest, longer));
    assert_false(glob_match(longer, longest));
    assert_false(glob_match("*", longer));
    assert_true(glob_match("**", below));
    assert_true(glob_match("**/b", below));
    assert_null(glob_problem(longest));
    assert_non_null(strstr(glob_problem(longer), "longer than 255"));
    assert_non_null(strstr(glob_problem(below), "longer than 255"));
}

static void test_usec_parse(void **state)
{
    static const struct {
        const char *text;
        usec_t usec;
    } good[] = {
        {"5s", 5 * USEC_PER_SEC},        {"5", 5 * USEC_PER_SEC},
        {"1min 30s", 90 * USEC_PER_SEC}, {"1min30s", 90 * USEC_PER_SEC},
        {"500ms", 500 * USEC_PER_MSEC},  {"2h", 2 * USEC_PER_HOUR},
        {"1d", 24 * USEC_PER_HOUR},      {"0", 0},
        {"infinity", USEC_INFINITY},     {"18446744073709551615us 1us", USEC_INFINITY},
    };
    static const char *const bad[] = {
        "", "s", "5x", "-5s", "5ss", "1.5s", "99999999999999999999s", "9999999999999d"};
    usec_t usec;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(usec_parse(good[i].text, &usec), 0);
        assert_true(usec == good[i].usec);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (usec_parse(bad[i], &usec) == 0)
            fail_msg("'%s' was taken", bad[i]);
}

static void test_usec_format(void **state)
{
    char buf[USEC_FORMAT_MAX];

    assert_string_equal(usec_format(0, buf, sizeof(buf)), "0");
    assert_string_equal(usec_format(90 * USEC_PER_SEC, buf, sizeof(buf)), "1min 30s");
    assert_string_equal(usec_format(250 * USEC_PER_MSEC, buf, sizeof(buf)), "250ms");
    assert_string_equal(usec_format(591476, buf, sizeof(buf)), "591ms");
    assert_string_equal(usec_format(42, buf, sizeof(buf)), "42us");
    assert_string_equal(usec_format(4948562, buf, sizeof(buf)), "4s 948ms");
    assert_string_equal(usec_format(22397111, buf, sizeof(buf)), "22s");
    assert_string_equal(usec_format(USEC_INFINITY, buf, sizeof(buf)), "infinity");
    /* One that is too small is not overrun, also not by the second part. */
    memset(buf, 'x', sizeof(buf));
    assert_string_equal(usec_format(90 * USEC_PER_SEC, buf, 3), "1m");
    assert_int_equal(buf[3], 'x');
    assert_int_equal(buf[4], 'x');
}

static void test_usec_saturates(void **state)
{
    assert_true(usec_add(USEC_INFINITY, 5) == USEC_INFINITY);
    assert_true(usec_add(USEC_INFINITY - 1, 5) == USEC_INFINITY);
    assert_true(usec_add(USEC_INFINITY - 5, 5) == USEC_INFINITY);
    assert_true(usec_add(USEC_INFINITY - 6, 5) == USEC_INFINITY - 1);
    assert_true(usec_shift(10, 3) == 80);
    assert_true(usec_shift(10, 63) == USEC_INFINITY);
    assert_true(usec_shift(1, 63) == UINT64_C(1) << 63);
    assert_true(usec_shift(1, 64) == USEC_INFINITY);
    assert_true(usec_shift(0, 100) == 0);
}

static void test_keyed_value(void **state)
{
    static const char text[] = "populated 1\nfrozen 0\nbig 18446744073709551615\nbad x\nmax 7";
    uint64_t value;

    assert_true(keyed_value(text, "populated", &value) && value == 1);
    assert_true(keyed_value(text, "frozen", &value) && value == 0);
    assert_true(keyed_value(text, "big", &value) && value == UINT64_MAX);
    assert_true(keyed_value(text, "max", &value) && value == 7);
    assert_false(keyed_value(text, "bad", &value));
    assert_false(keyed_value(text, "froz", &value));
    assert_false(keyed_value("", "frozen", &value));
}

static int file_with(const char *text)
{
    char path[] = "/tmp/guardd-test-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    return fd;
}

static void test_read_value(void **state)
{
    static const struct {
        const char *text;
        int result;
        uint64_t value;
    } table[] = {{"42\n", 0, 42},
                 {"max\n", 0, FD_VALUE_MAX},
                 {"", -EBADMSG, 0},
                 {"x\n", -EBADMSG, 0},
                 {"-1\n", -EBADMSG, 0},
                 {"1 2\n", -EBADMSG, 0},
                 {"18446744073709551616\n", -EBADMSG, 0}};

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        _cleanup_fd_ int fd = file_with(table[i].text);
        uint64_t value = 0;

        assert_int_equal(fd_read_value(fd, &value), table[i].result);
        assert_true(value == table[i].value);
    }
    assert_int_equal(fd_read_value(-EBADF, &(uint64_t){0}), -EBADF);
}

static void test_read_file_bounds(void **state)
{
    _cleanup_fd_ int fd = file_with("0123456789");
    char small[10], enough[11];

    assert_int_equal(fd_read_file(fd, small, sizeof(small)), -ENOBUFS);
    assert_int_equal(fd_read_file(fd, enough, sizeof(enough)), 10);
    assert_string_equal(enough, "0123456789");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_glob),
        cmocka_unit_test(test_glob_problem),
        cmocka_unit_test(test_glob_too_long),
        cmocka_unit_test(test_usec_parse),
        cmocka_unit_test(test_usec_format),
        cmocka_unit_test(test_usec_saturates),
        cmocka_unit_test(test_keyed_value),
        cmocka_unit_test(test_read_value),
        cmocka_unit_test(test_read_file_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
