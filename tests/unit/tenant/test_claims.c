/* Who shares what with whom. */
#include "../scratch.h"

#include <errno.h>
#include <time.h>

#include "tenant/claims.h"

#define LIST(...)                                                                                            \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        __VA_ARGS__, NULL                                                                                    \
    }

static int set(struct Claims *claims, uint64_t tenant, const char *const *paths)
{
    struct Directory list[16] = {0};
    size_t n = 0;

    for (; paths[n]; n++)
        list[n] = (struct Directory){.path = (char *)paths[n], .state = DIRECTORY_WAITING};
    return claims_set(claims, tenant, list, n);
}

static uint64_t rival(const struct Claims *claims, uint64_t tenant, const char *path)
{
    const struct Directory directory = {.path = (char *)path, .state = DIRECTORY_WAITING};

    return claims_rival(claims, tenant, &directory);
}

struct Called {
    uint64_t rivals[16];
    size_t n;
};

static void note(void *userdata, uint64_t tenant)
{
    struct Called *called = userdata;

    assert_true(called->n < 16);
    called->rivals[called->n++] = tenant;
}

static bool was_called(const struct Called *called, uint64_t tenant)
{
    for (size_t i = 0; i < called->n; i++)
        if (called->rivals[i] == tenant)
            return true;
    return false;
}

static void alone(void **state)
{
    struct Claims claims = {0};

    assert_int_equal(rival(&claims, 1, "/srv/a"), 0);
    assert_int_equal(set(&claims, 1, LIST("/srv/a", "/srv/a/below", "/home/x")), 0);
    assert_int_equal(rival(&claims, 1, "/srv/a"), 0);
    assert_int_equal(rival(&claims, 2, "/srv/ab"), 0);
    assert_int_equal(rival(&claims, 2, "/srv/b"), 0);
    assert_int_equal(rival(&claims, 2, "/hom"), 0);
    claims_done(&claims);
    assert_null(claims.top);
}

static void the_same(void **state)
{
    struct Claims claims = {0};

    assert_int_equal(set(&claims, 1, LIST("/srv/a")), 0);
    assert_int_equal(set(&claims, 2, LIST("/srv/a", "/srv/b")), 0);
    assert_int_equal(rival(&claims, 1, "/srv/a"), 2);
    assert_int_equal(rival(&claims, 2, "/srv/a"), 1);
    assert_int_equal(rival(&claims, 2, "/srv/b"), 0);
    claims_done(&claims);
}

static void above_and_below(void **state)
{
    struct Claims claims = {0};

    assert_int_equal(set(&claims, 1, LIST("/srv/a/b/c")), 0);
    assert_int_equal(set(&claims, 2, LIST("/srv/a")), 0);
    assert_int_equal(rival(&claims, 1, "/srv/a/b/c"), 2);
    assert_int_equal(rival(&claims, 2, "/srv/a"), 1);
    assert_true(rival(&claims, 3, "/srv/a/b/c/d") != 0);
    assert_true(rival(&claims, 3, "/srv/a/b") != 0);
    assert_int_equal(rival(&claims, 3, "/srv/a/other"), 2);
    assert_true(rival(&claims, 3, "/") != 0);
    assert_int_equal(rival(&claims, 3, "/home"), 0);
    claims_done(&claims);
}

/* A rival is found behind claims of one's own. */
static void behind_ones_own(void **state)
{
    struct Claims claims = {0};

    assert_int_equal(set(&claims, 1, LIST("/srv/a", "/srv/a/m", "/srv/a/z")), 0);
    assert_int_equal(set(&claims, 2, LIST("/srv/a/z/deep/er")), 0);
    assert_int_equal(rival(&claims, 1, "/srv/a"), 2);
    assert_int_equal(rival(&claims, 1, "/srv/a/m"), 0);
    claims_done(&claims);
}

static void drop_and_replace(void **state)
{
    struct Claims claims = {0};

    assert_int_equal(set(&claims, 1, LIST("/srv/a")), 0);
    assert_int_equal(set(&claims, 2, LIST("/srv/a/b")), 0);
    assert_int_equal(set(&claims, 2, LIST("/srv/c")), 0);
    assert_int_equal(rival(&claims, 1, "/srv/a"), 0);
    assert_int_equal(rival(&claims, 1, "/srv/c"), 2);
    claims_drop(&claims, 2);
    claims_drop(&claims, 2);
    assert_int_equal(rival(&claims, 1, "/srv/c"), 0);
    assert_int_equal(rival(&claims, 2, "/srv/a"), 1);
    claims_drop(&claims, 1);
    assert_null(claims.top);
    assert_null(claims.by_name);
    assert_null(claims.by_tenant);
}

static void what_is_out_is_not_claimed(void **state)
{
    struct Claims claims = {0};
    const struct Directory out = {.path = "/srv/a", .state = DIRECTORY_OUT};

    assert_int_equal(claims_set(&claims, 1, &out, 1), 0);
    assert_int_equal(rival(&claims, 2, "/srv/a"), 0);
    assert_int_equal(claims_set(&claims, 1, NULL, 0), 0);
    assert_null(claims.by_tenant);
    claims_done(&claims);
}

static void each_rival_once(void **state)
{
    struct Claims claims = {0};
    struct Directory list[2] = {{.path = "/srv/a", .state = DIRECTORY_WAITING},
                                {.path = "/srv/b", .state = DIRECTORY_COUNTED}};
    const struct Directory home = {.path = "/home/x", .state = DIRECTORY_WAITING};
    struct Called called = {0};

    assert_int_equal(claims_set(&claims, 1, list, 2), 0);
    assert_int_equal(set(&claims, 2, LIST("/srv/a", "/srv/b/x", "/srv/b/y")), 0);
    assert_int_equal(set(&claims, 3, LIST("/srv")), 0);
    assert_int_equal(set(&claims, 4, LIST("/home")), 0);
    claims_each_rival(&claims, 1, list, 2, note, &called);
    assert_int_equal(called.n, 2);
    assert_true(was_called(&called, 2) && was_called(&called, 3));
    called.n = 0;
    claims_each_rival(&claims, 4, &list[1], 1, note, &called);
    assert_int_equal(called.n, 3);
    called.n = 0;
    claims_each_rival(&claims, 4, &home, 1, note, &called);
    assert_int_equal(called.n, 0);
    claims_each_rival(&claims, 5, &home, 1, note, &called);
    assert_int_equal(called.n, 1);

    /* by its claims alone: the caller has put them out by now */
    called.n = 0;
    list[0].state = list[1].state = DIRECTORY_OUT;
    claims_each_rival(&claims, 1, list, 2, note, &called);
    assert_int_equal(called.n, 2);

    /* and by the list alone */
    called.n = 0;
    list[0].state = DIRECTORY_WAITING;
    claims_drop(&claims, 1);
    claims_each_rival(&claims, 1, list, 2, note, &called);
    assert_int_equal(called.n, 2);
    claims_done(&claims);
}

/* The others go on when one goes. */
static void three_tenants(void **state)
{
    struct Claims claims = {0};

    for (uint64_t tenant = 1; tenant <= 3; tenant++)
        assert_int_equal(set(&claims, tenant, LIST("/srv/shared")), 0);
    claims_drop(&claims, 1);
    assert_int_equal(rival(&claims, 2, "/srv/shared"), 3);
    claims_drop(&claims, 3);
    assert_int_equal(rival(&claims, 2, "/srv/shared"), 0);
    claims_done(&claims);
}

static void the_deepest_path(void **state)
{
    struct Claims claims = {0};
    char path[PATH_MAX];

    for (size_t i = 0; i + 1 < sizeof(path); i++)
        path[i] = i % 2 == 0 ? '/' : 'd';
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(set(&claims, 1, LIST(path)), 0);
    assert_int_equal(rival(&claims, 2, path), 1);
    assert_int_equal(rival(&claims, 2, "/d/d"), 1);
    claims_drop(&claims, 1);
    assert_null(claims.top);
    claims_done(&claims);
}

#define MANY 10000

static void many_tenants(void **state)
{
    struct Claims claims = {0};
    clock_t began = clock();

    for (int round = 0; round < 2; round++)
        for (uint64_t tenant = 1; tenant <= MANY; tenant++) {
            struct Directory list[5];
            char paths[5][64];

            for (size_t i = 0; i < 5; i++) {
                snprintf(paths[i], sizeof(paths[i]), "/var/lib/docker/%zu/%d/data", i, (int)tenant);
                list[i] = (struct Directory){.path = paths[i], .state = DIRECTORY_WAITING};
            }
            assert_int_equal(claims_set(&claims, tenant, list, 5), 0);
            assert_int_equal(claims_rival(&claims, tenant, &list[4]), 0);
        }
    assert_true(rival(&claims, MANY + 1, "/var/lib/docker") != 0);
    claims_done(&claims);
    assert_null(claims.top);
    assert_true((clock() - began) / CLOCKS_PER_SEC < 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone),
        cmocka_unit_test(the_same),
        cmocka_unit_test(above_and_below),
        cmocka_unit_test(behind_ones_own),
        cmocka_unit_test(drop_and_replace),
        cmocka_unit_test(what_is_out_is_not_claimed),
        cmocka_unit_test(each_rival_once),
        cmocka_unit_test(three_tenants),
        cmocka_unit_test(the_deepest_path),
        cmocka_unit_test(many_tenants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
