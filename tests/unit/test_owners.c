/* Whose links they are: what is put in is found, in order, and leaves nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "owners.h"

#define SOME 300

static struct Tenant *tenant_in(ino_t inode)
{
    struct Tenant *tenant = calloc(1, sizeof(*tenant));

    assert_non_null(tenant);
    tenant->network.namespace = (struct NetworkNamespace){.dev = 4, .inode = inode};
    return tenant;
}

static void nobody_has_anything(void **state)
{
    struct Tenant *tenant = tenant_in(7);
    struct Owners owners = {0};

    assert_null(owners_of_link(&owners, 3, 0));
    assert_null(owners_of_namespace(&owners, &tenant->network.namespace, 0));
    owners_remove(&owners, tenant, 3, true);
    owners_done(&owners);
    free(tenant);
}

/* Two of a pod, of whom one has a second link; a third one is elsewhere. */
static void who_shares_a_link_is_found(void **state)
{
    struct Tenant *a = tenant_in(7), *b = tenant_in(7), *c = tenant_in(8);
    struct Owners owners = {0};

    assert_int_equal(owners_add(&owners, a, 3), 0);
    assert_int_equal(owners_add(&owners, b, 3), 0);
    assert_int_equal(owners_add(&owners, b, 4), 0);
    assert_int_equal(owners_add(&owners, b, 4), 0); /* once is enough */
    assert_int_equal(owners_add(&owners, c, 5), 0);
    assert_ptr_equal(owners_of_link(&owners, 3, 0), a);
    assert_ptr_equal(owners_of_link(&owners, 3, 1), b);
    assert_null(owners_of_link(&owners, 3, 2));
    assert_ptr_equal(owners_of_link(&owners, 4, 0), b);
    assert_null(owners_of_link(&owners, 4, 1));
    assert_ptr_equal(owners_of_namespace(&owners, &a->network.namespace, 1), b);
    assert_null(owners_of_namespace(&owners, &a->network.namespace, 2));
    assert_ptr_equal(owners_of_namespace(&owners, &c->network.namespace, 0), c);

    owners_remove(&owners, a, 3, true);
    assert_ptr_equal(owners_of_link(&owners, 3, 0), b);
    owners_remove(&owners, b, 3, false);
    assert_null(owners_of_link(&owners, 3, 0));
    assert_ptr_equal(owners_of_namespace(&owners, &b->network.namespace, 0), b);
    owners_remove(&owners, b, 4, true);
    assert_null(owners_of_namespace(&owners, &b->network.namespace, 0));
    owners_done(&owners);
    assert_null(owners_of_link(&owners, 5, 0));
    free(a);
    free(b);
    free(c);
}

static void many_come_and_go(void **state)
{
    struct Tenant *tenants[SOME];
    struct Owners owners = {0};

    for (int i = 0; i < SOME; i++) {
        tenants[i] = tenant_in((ino_t)(1000 + i % 100));
        assert_int_equal(owners_add(&owners, tenants[i], i), 0);
    }
    for (int i = 0; i < SOME; i++)
        assert_ptr_equal(owners_of_link(&owners, i, 0), tenants[i]);
    assert_ptr_equal(owners_of_namespace(&owners, &tenants[42]->network.namespace, 2), tenants[242]);
    for (int i = 0; i < SOME; i++)
        owners_remove(&owners, tenants[i], i, true);
    assert_null(owners.of_links);
    assert_null(owners.of_namespaces);
    for (int i = 0; i < SOME; i++)
        free(tenants[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_has_anything),
        cmocka_unit_test(who_shares_a_link_is_found),
        cmocka_unit_test(many_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
