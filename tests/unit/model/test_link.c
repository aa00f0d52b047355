/* Whose link is whose, on made-up tables. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/link.h"

static struct Link link_of(int ifindex, const char *name, enum LinkKind kind, int32_t peer_namespace)
{
    struct Link link = {.ifindex = ifindex, .kind = kind, .mtu = 1500, .peer_namespace = peer_namespace};

    snprintf(link.name, sizeof(link.name), "%s", name);
    return link;
}

static void put(struct LinkTable *table, struct Link link)
{
    assert_true(link_table_put(table, &link) >= 0);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(direction_name(DIRECTION_EGRESS), "egress");
    assert_string_equal(direction_name(DIRECTION_INGRESS), "ingress");
    assert_int_equal(direction_from_name("egress"), DIRECTION_EGRESS);
    assert_int_equal(direction_from_name("ingress"), DIRECTION_INGRESS);
    assert_int_equal(direction_from_name("in"), DIRECTION_INVALID);
    assert_string_equal(unshaped_text(UNSHAPED_NOT), "");
    for (int i = UNSHAPED_NOT + 1; i < UNSHAPED_COUNT; i++) {
        const char *text = unshaped_text((enum Unshaped)i);

        assert_true(strlen(unshaped_name((enum Unshaped)i)) > 0);
        assert_true(strlen(text) > 20 && text[strlen(text) - 1] != '.');
        for (int j = 0; j < i; j++)
            assert_string_not_equal(unshaped_name((enum Unshaped)i), unshaped_name((enum Unshaped)j));
    }
}

static void test_kinds(void **state)
{
    (void)state;
    assert_int_equal(link_kind("veth", false), LINK_VETH);
    assert_int_equal(link_kind("macvlan", false), LINK_MACVLAN);
    assert_int_equal(link_kind("macvtap", false), LINK_MACVLAN);
    assert_int_equal(link_kind("ipvlan", false), LINK_IPVLAN);
    assert_int_equal(link_kind("bridge", false), LINK_BRIDGE);
    assert_int_equal(link_kind("ifb", false), LINK_IFB);
    assert_int_equal(link_kind("wireguard", false), LINK_OTHER);
    assert_int_equal(link_kind("", false), LINK_OTHER);
    assert_int_equal(link_kind(NULL, false), LINK_PHYSICAL);
    assert_int_equal(link_kind(NULL, true), LINK_LOOPBACK);
}

/* The tenant sends what this end receives. */
static void test_directions(void **state)
{
    struct Link link = link_of(1, "ve0", LINK_VETH, 0);

    (void)state;
    link.received.bytes = 1000;
    link.sent.bytes = 5;
    assert_int_equal(link_counters(&link, DIRECTION_EGRESS)->bytes, 1000);
    assert_int_equal(link_counters(&link, DIRECTION_INGRESS)->bytes, 5);
}

static void test_table(void **state)
{
    struct LinkTable table = {0};

    (void)state;
    assert_null(link_table_find(&table, 1));
    assert_false(link_table_remove(&table, 1));
    /* 7 is prime to 101: each once, in no order. */
    for (int i = 0; i < 101; i++)
        put(&table, link_of(1 + i * 7 % 101, "x", LINK_VETH, i));
    assert_int_equal(table.n, 101);
    for (int i = 0; i < 101; i++)
        assert_int_equal(table.list[i].ifindex, i + 1);
    assert_int_equal(link_table_find(&table, 8)->peer_namespace, 1);
    assert_true(link_table_remove(&table, 8));
    assert_false(link_table_remove(&table, 8));
    assert_null(link_table_find(&table, 8));
    assert_int_equal(link_table_find(&table, 7)->ifindex, 7);
    assert_int_equal(link_table_find(&table, 9)->ifindex, 9);
    assert_true(link_table_remove(&table, 101));
    assert_int_equal(table.n, 99);
    link_table_clear(&table);
    assert_null(link_table_find(&table, 9));
    link_table_done(&table);
    link_table_done(&table);
}

static void test_changes(void **state)
{
    static const struct {
        struct Link link;
        int changes;
    } rows[] = {
        {{5, "ve0", LINK_VETH, 1500, true, 3, 2, 0, {0}, {0}, 0}, LINK_CHANGE_NEW},
        {{5, "ve0", LINK_VETH, 1500, true, 3, 2, 0, {1, 1, 1}, {2, 2, 2}, 0}, 0},
        {{5, "web", LINK_VETH, 1500, true, 3, 2, 0, {0}, {0}, 0}, LINK_CHANGE_NAME},
        {{5, "web", LINK_VETH, 1400, true, 3, 2, 0, {0}, {0}, 0}, LINK_CHANGE_MTU},
        {{5, "web", LINK_VETH, 1400, true, 3, 2, 9, {0}, {0}, 0}, LINK_CHANGE_MASTER},
        {{5, "web", LINK_VETH, 1400, false, 3, 2, 9, {0}, {0}, 0}, LINK_CHANGE_UP},
        {{5, "web", LINK_VETH, 1400, false, 4, 2, 9, {0}, {0}, 0}, LINK_CHANGE_PEER},
        {{5, "web", LINK_VETH, 1400, false, 4, 6, 9, {0}, {0}, 0}, LINK_CHANGE_PEER},
        {{5, "web", LINK_BRIDGE, 1400, false, 4, 6, 9, {0}, {0}, 0}, LINK_CHANGE_PEER},
        {{5, "ve0", LINK_BRIDGE, 1400, true, 4, 6, 0, {0}, {0}, 0},
         LINK_CHANGE_NAME | LINK_CHANGE_UP | LINK_CHANGE_MASTER},
    };
    struct LinkTable table = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(link_table_put(&table, &rows[i].link), rows[i].changes);
        assert_memory_equal(link_table_find(&table, 5), &rows[i].link, sizeof(struct Link));
    }
    assert_int_equal(table.n, 1);
    link_table_done(&table);
}

#define FAR 4 /* the namespace that is looked for */

static void test_match(void **state)
{
    static const struct {
        int32_t namespace_id;
        enum Unshaped why;
        int ifindexes[3];
    } rows[] = {
        {FAR, UNSHAPED_NOT, {12}},
        {5, UNSHAPED_NOT, {13, 15}},
        {6, UNSHAPED_NO_LINK, {0}},
        {7, UNSHAPED_NO_LINK, {0}}, /* a tunnel that leads there is no veth */
        {0, UNSHAPED_NO_LINK, {0}},
        {NAMESPACE_ID_NONE, UNSHAPED_NO_LINK, {0}}, /* and not all whose far end is here */
    };
    struct LinkTable table = {0};
    struct LinkMatch match;

    (void)state;
    put(&table, link_of(1, "lo", LINK_LOOPBACK, NAMESPACE_ID_NONE));
    put(&table, link_of(2, "eth0", LINK_PHYSICAL, NAMESPACE_ID_NONE));
    put(&table, link_of(3, "docker0", LINK_BRIDGE, NAMESPACE_ID_NONE));
    put(&table, link_of(12, "veth12", LINK_VETH, FAR));
    put(&table, link_of(15, "veth15", LINK_VETH, 5));
    put(&table, link_of(13, "veth13", LINK_VETH, 5));
    put(&table, link_of(14, "here", LINK_VETH, NAMESPACE_ID_NONE));
    put(&table, link_of(16, "vxlan", LINK_OTHER, 7));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t n = 0;

        link_match(&table, rows[i].namespace_id, NULL, &match);
        assert_int_equal(match.why, rows[i].why);
        for (; n < 3 && rows[i].ifindexes[n] > 0; n++)
            assert_int_equal(match.links[n]->ifindex, rows[i].ifindexes[n]);
        assert_int_equal(match.n, n);
    }
    link_table_done(&table);
}

static size_t found(const struct LinkTable *table, int32_t namespace_id)
{
    struct LinkMatch match;

    link_match(table, namespace_id, NULL, &match);
    for (size_t i = 1; i < match.n; i++)
        assert_true(match.links[i - 1]->ifindex < match.links[i]->ifindex);
    return match.n;
}

/* Numbers that have one chain are told apart, and whoever moves, goes, or loses its namespace leaves it. */
static void test_match_while_they_change(void **state)
{
    const int32_t id = 3, same_chain = 3 + 4096;
    struct LinkTable table = {0};

    (void)state;
    put(&table, link_of(8, "b", LINK_VETH, id));
    put(&table, link_of(5, "a", LINK_VETH, id));
    put(&table, link_of(6, "other", LINK_VETH, same_chain));
    put(&table, link_of(9, "c", LINK_VETH, id));
    put(&table, link_of(7, "no veth", LINK_BRIDGE, id));
    assert_int_equal(found(&table, id), 3);
    assert_int_equal(found(&table, same_chain), 1);
    put(&table, link_of(5, "a", LINK_VETH, same_chain));
    assert_int_equal(found(&table, id), 2);
    assert_int_equal(found(&table, same_chain), 2);
    assert_true(link_table_remove(&table, 8));
    assert_int_equal(found(&table, id), 1);
    link_table_forget_namespace(&table, same_chain);
    assert_int_equal(found(&table, same_chain), 0);
    assert_int_equal(link_table_find(&table, 5)->peer_namespace, NAMESPACE_ID_NONE);
    assert_int_equal(found(&table, id), 1);
    put(&table, link_of(5, "a", LINK_VETH, id));
    assert_int_equal(found(&table, id), 2);
    link_table_clear(&table);
    assert_int_equal(found(&table, id), 0);
    link_table_done(&table);
    link_table_forget_namespace(&table, id);
}

static void test_too_many(void **state)
{
    struct LinkTable table = {0};
    struct LinkMatch match;

    (void)state;
    for (int i = 1; i <= LINK_MATCH_MAX; i++)
        put(&table, link_of(i, "x", LINK_VETH, FAR));
    link_match(&table, FAR, NULL, &match);
    assert_int_equal(match.why, UNSHAPED_NOT);
    assert_int_equal(match.n, LINK_MATCH_MAX);
    put(&table, link_of(100, "x", LINK_VETH, FAR));
    link_match(&table, FAR, NULL, &match);
    assert_int_equal(match.why, UNSHAPED_TOO_MANY_LINKS);
    assert_int_equal(match.n, 0);
    link_table_done(&table);
}

static void test_why_not(void **state)
{
    static const struct {
        enum LinkKind kind;
        bool up;
        enum Unshaped why;
    } rows[] = {
        {LINK_LOOPBACK, true, UNSHAPED_NO_LINK}, {LINK_MACVLAN, false, UNSHAPED_MACVLAN},
        {LINK_IPVLAN, true, UNSHAPED_IPVLAN},    {LINK_PHYSICAL, true, UNSHAPED_OTHER_LINK},
        {LINK_OTHER, true, UNSHAPED_OTHER_LINK}, {LINK_OTHER, false, UNSHAPED_NO_LINK}, /* tunl0 */
        {LINK_VETH, true, UNSHAPED_OTHER_LINK},
    };
    struct LinkTable here = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct Link link = link_of(2, "x", rows[i].kind, NAMESPACE_ID_NONE);
        struct LinkTable inside = {0};
        struct LinkMatch match;

        link.up = rows[i].up;
        put(&inside, link_of(1, "lo", LINK_LOOPBACK, NAMESPACE_ID_NONE));
        put(&inside, link);
        link_match(&here, FAR, &inside, &match);
        assert_int_equal(match.why, rows[i].why);
        link_table_done(&inside);
    }
}

/* A veth here decides, whatever else is inside. */
static void test_veth_before_others(void **state)
{
    struct LinkTable here = {0}, inside = {0};
    struct LinkMatch match;

    (void)state;
    put(&here, link_of(12, "veth12", LINK_VETH, FAR));
    put(&inside, link_of(2, "eth1", LINK_MACVLAN, 0));
    link_match(&here, FAR, &inside, &match);
    assert_int_equal(match.why, UNSHAPED_NOT);
    link_table_done(&here);
    link_table_done(&inside);
}

static void test_namespaces(void **state)
{
    struct NetworkNamespace a = {.dev = 1, .inode = 2}, b = a;

    (void)state;
    assert_true(network_namespace_is_same(&a, &b));
    b.inode = 3;
    assert_false(network_namespace_is_same(&a, &b));
    b = a;
    b.dev = 3;
    assert_false(network_namespace_is_same(&a, &b));
}

static struct Link counting(int ifindex, enum LinkKind kind, int master, uint64_t sent)
{
    struct Link link = link_of(ifindex, "x", kind, NAMESPACE_ID_NONE);

    link.master = master;
    link.sent = (struct LinkCounters){sent, sent / 10, 1};
    link.received = (struct LinkCounters){2 * sent, sent, 2};
    return link;
}

static void test_host(void **state)
{
    struct LinkCounters counters[DIRECTION_COUNT];
    struct LinkTable table = {0};
    uint64_t mark;

    (void)state;
    assert_false(link_sum_host(&table, counters, &mark));
    put(&table, counting(1, LINK_LOOPBACK, 0, 1000000));
    put(&table, counting(3, LINK_BRIDGE, 0, 1000000));
    put(&table, counting(4, LINK_VETH, 3, 1000000));
    put(&table, counting(5, LINK_IFB, 0, 1000000));
    put(&table, counting(6, LINK_OTHER, 0, 1000000));
    put(&table, counting(7, LINK_MACVLAN, 0, 1000000));
    assert_false(link_sum_host(&table, counters, &mark));
    put(&table, counting(2, LINK_PHYSICAL, 6, 100)); /* in a bond, which is counted by it */
    put(&table, counting(8, LINK_PHYSICAL, 3, 30));
    put(&table, counting(9, LINK_PHYSICAL, 0, 50));
    put(&table, counting(10, LINK_PHYSICAL, 9, 50)); /* carries the packets of 9 */
    put(&table, counting(11, LINK_PHYSICAL, 77, 1000));
    assert_true(link_sum_host(&table, counters, &mark));
    assert_int_equal(counters[DIRECTION_EGRESS].bytes, 1180);
    assert_int_equal(counters[DIRECTION_INGRESS].bytes, 2360);
    assert_int_equal(counters[DIRECTION_EGRESS].packets, 118);
    assert_int_equal(counters[DIRECTION_INGRESS].dropped, 8);
    assert_true(mark == link_mark(link_table_find(&table, 2)) + link_mark(link_table_find(&table, 8)) +
                            link_mark(link_table_find(&table, 9)) + link_mark(link_table_find(&table, 11)));
    link_table_done(&table);
}

/* Two links that go, and two others that come, are other links. */
static void test_marks(void **state)
{
    const struct Link one = {.ifindex = 1}, two = {.ifindex = 2}, three = {.ifindex = 3},
                      six = {.ifindex = 6};

    (void)state;
    assert_true(link_mark(&one) == link_mark(&one));
    assert_true(link_mark(&one) + link_mark(&six) != link_mark(&two) + link_mark(&three));
    assert_true(link_mark(&three) != link_mark(&one) + link_mark(&two));
    assert_true(link_mark(&one) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_directions),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_match_while_they_change),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_why_not),
        cmocka_unit_test(test_veth_before_others),
        cmocka_unit_test(test_namespaces),
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_marks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
