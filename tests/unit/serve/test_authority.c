/* Who may do what, and which groups the configuration means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "serve/authority.h"

#define OPERATORS 900
#define VIEWERS 901

static void test_right(void **state)
{
    static const struct Authority both = {OPERATORS, VIEWERS}, none = {GID_NONE, GID_NONE};
    static const struct {
        const struct Authority *authority;
        uid_t uid;
        gid_t gids[3];
        size_t n;
        enum Right right;
    } cases[] = {
        {&both, 0, {0}, 1, RIGHT_CHANGE},
        {&none, 0, {0}, 0, RIGHT_CHANGE},
        {&both, 1000, {1000}, 1, RIGHT_NONE},
        {&both, 1000, {1000, OPERATORS}, 2, RIGHT_CHANGE},
        {&both, 1000, {OPERATORS}, 1, RIGHT_CHANGE},
        {&both, 1000, {1000, 4, VIEWERS}, 3, RIGHT_LOOK},
        {&both, 1000, {VIEWERS, OPERATORS}, 2, RIGHT_CHANGE},
        {&both, 1000, {0}, 1, RIGHT_NONE},         /* group root is not root */
        {&both, OPERATORS, {1000}, 1, RIGHT_NONE}, /* a uid is no gid */
        {&none, 1000, {GID_NONE}, 1, RIGHT_NONE},  /* "no group" is nobody's group */
        {&none, 1000, {1000}, 0, RIGHT_NONE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(authority_right(cases[i].authority, cases[i].uid, cases[i].gids, cases[i].n),
                         cases[i].right);
}

static void load(const char *content, const char *operators, const char *viewers, struct Authority *ret)
{
    struct Config config = {.operator_group = (char *)operators, .viewer_group = (char *)viewers};
    char path[] = "/tmp/test-authority-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    close(fd);
    authority_load(path, &config, ret);
    unlink(path);
}

static void test_load(void **state)
{
    static const char *const file = "root:x:0:\nguardd:x:900:alice,bob\nguardd:x:666:\nview:x:901:\n";
    struct Authority authority;

    load(file, "guardd", "view", &authority);
    assert_int_equal(authority.operators, 900);
    assert_int_equal(authority.viewers, 901);

    load(file, NULL, NULL, &authority);
    assert_int_equal(authority.operators, GID_NONE);
    assert_int_equal(authority.viewers, GID_NONE);

    load(file, "nobody-made-it", "guard", &authority);
    assert_int_equal(authority.operators, GID_NONE);
    assert_int_equal(authority.viewers, GID_NONE);

    load("garbage\n\n:::\nguardd\n", "guardd", "", &authority);
    assert_int_equal(authority.operators, GID_NONE);
    assert_int_equal(authority.viewers, GID_NONE);
}

static void test_no_group_file(void **state)
{
    struct Config config = {.operator_group = (char *)"guardd"};
    struct Authority authority;

    authority_load("/nonexistent/group", &config, &authority);
    assert_int_equal(authority.operators, GID_NONE);
}

static void test_denial_names_the_group(void **state)
{
    static const struct {
        const char *operators, *viewers;
        enum Right wanted;
        const char *names;
    } cases[] = {
        {"ops", "eyes", RIGHT_CHANGE, "join 'ops'"}, {"ops", "eyes", RIGHT_LOOK, "join 'eyes'"},
        {"ops", NULL, RIGHT_LOOK, "join 'ops'"},     {NULL, NULL, RIGHT_CHANGE, "only root"},
        {NULL, NULL, RIGHT_LOOK, "only root"},       {NULL, "eyes", RIGHT_CHANGE, "only root"},
    };
    char buf[AUTHORITY_DENIAL_MAX];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct Config config = {.operator_group = (char *)cases[i].operators,
                                .viewer_group = (char *)cases[i].viewers};

        assert_non_null(strstr(authority_denial(&config, cases[i].wanted, buf, sizeof(buf)), cases[i].names));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_no_group_file),
        cmocka_unit_test(test_denial_names_the_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
