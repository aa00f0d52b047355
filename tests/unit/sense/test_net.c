/* Counters of links as readings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sense/net.h"

struct Fixture {
    struct NetBaseline baseline;
    struct Readings readings;
};

/* Of one link; `queue`: what the queue for what it gets dropped. */
static void look(struct Fixture *f, uint64_t out, uint64_t in, uint64_t dropped, uint64_t queue, usec_t now)
{
    const struct Link link = {
        .kind = LINK_VETH, .received = {.bytes = out, .dropped = dropped}, .sent = {.bytes = in}};
    struct NetSums sums;

    net_begin(&sums);
    net_add_link(&sums, &link);
    net_add_dropped(&sums, DIRECTION_INGRESS, queue);
    sums.limit_bits[DIRECTION_EGRESS] = 10000000;
    net_look(&sums, &f->baseline, now, &f->readings);
    assert_int_equal(f->readings.at_usec, now);
}

static void check(const struct Fixture *f, enum ReadingId id, int64_t value)
{
    assert_true(f->readings.valid[id]);
    assert_int_equal(f->readings.value[id], value);
}

static void test_rates(void **state)
{
    struct Fixture f = {0};

    (void)state;
    look(&f, 1000, 5000, 1, 2, USEC_PER_SEC);
    assert_false(f.readings.valid[READING_NET_EGRESS]);
    assert_false(f.readings.valid[READING_NET_INGRESS]);
    assert_false(f.readings.valid[READING_NET_DROPPED]);
    assert_int_equal(f.readings.limit[READING_NET_EGRESS], 10000000);
    assert_int_equal(f.readings.limit[READING_NET_INGRESS], READING_UNLIMITED);
    look(&f, 1000 + 250000, 5000 + 1000000, 4, 12, 3 * USEC_PER_SEC);
    check(&f, READING_NET_EGRESS, 1000000);
    check(&f, READING_NET_INGRESS, 4000000);
    check(&f, READING_NET_DROPPED, 13);
    /* Too near: the rates stay, what was dropped is told. */
    look(&f, 1000 + 500000, 5000 + 2000000, 4, 13, 3 * USEC_PER_SEC + 1);
    check(&f, READING_NET_EGRESS, 1000000);
    check(&f, READING_NET_DROPPED, 1);
}

/* A link is gone: the sums went back. */
static void test_new_beginning(void **state)
{
    struct Fixture f = {0};

    (void)state;
    look(&f, 1000, 1000, 9, 0, USEC_PER_SEC);
    look(&f, 2000, 2000, 9, 0, 2 * USEC_PER_SEC);
    check(&f, READING_NET_EGRESS, 8000);
    look(&f, 500, 3000, 0, 0, 3 * USEC_PER_SEC);
    assert_false(f.readings.valid[READING_NET_EGRESS]);
    check(&f, READING_NET_INGRESS, 8000);
    assert_false(f.readings.valid[READING_NET_DROPPED]);
    look(&f, 1500, 3000, 0, 0, 4 * USEC_PER_SEC);
    check(&f, READING_NET_EGRESS, 8000);
    check(&f, READING_NET_INGRESS, 0);
    check(&f, READING_NET_DROPPED, 0);
}

/* A link that has counted much before comes in, or in place of another one: nothing of that is of now. */
static void test_other_links(void **state)
{
    struct Link links[] = {{.ifindex = 5, .received = {.bytes = 1000, .dropped = 1}},
                           {.ifindex = 6, .received = {.bytes = 1000000000, .dropped = 100}}};
    struct Fixture f = {0};
    struct NetSums sums;

    (void)state;
    for (size_t turn = 0; turn < 4; turn++) {
        net_begin(&sums);
        for (size_t i = turn == 2 ? 1 : 0; i < (turn == 0 ? 1 : 2); i++)
            net_add_link(&sums, &links[i]);
        net_look(&sums, &f.baseline, (turn + 1) * USEC_PER_SEC, &f.readings);
        assert_false(f.readings.valid[READING_NET_EGRESS]);
        assert_false(f.readings.valid[READING_NET_INGRESS]);
        assert_false(f.readings.valid[READING_NET_DROPPED]);
        links[0].received.bytes += 1000;
        links[1].received.bytes += 1000;
    }
    net_begin(&sums);
    net_add_link(&sums, &links[1]); /* in whatever order */
    net_add_link(&sums, &links[0]);
    net_look(&sums, &f.baseline, 5 * USEC_PER_SEC, &f.readings);
    check(&f, READING_NET_EGRESS, 16000);
    check(&f, READING_NET_DROPPED, 0);
}

static void test_no_links(void **state)
{
    struct Fixture f = {0};

    (void)state;
    look(&f, 1000, 1000, 0, 0, USEC_PER_SEC);
    look(&f, 2000, 2000, 0, 0, 2 * USEC_PER_SEC);
    net_look(NULL, &f.baseline, 3 * USEC_PER_SEC, &f.readings);
    for (int id = READING_NET_EGRESS; id <= READING_NET_DROPPED; id++) {
        assert_false(f.readings.valid[id]);
        assert_int_equal(f.readings.limit[id], READING_UNLIMITED);
    }
    look(&f, 900000, 900000, 0, 0, 4 * USEC_PER_SEC);
    assert_false(f.readings.valid[READING_NET_EGRESS]);
}

static void test_several_links(void **state)
{
    const struct Link one = {.received = {1, 2, 3}, .sent = {10, 20, 30}};
    const struct Link other = {.received = {100, 200, 300}, .sent = {1000, 2000, 3000}};
    struct NetSums sums;

    (void)state;
    net_begin(&sums);
    net_add_link(&sums, &one);
    net_add_link(&sums, &other);
    net_add_dropped(&sums, DIRECTION_EGRESS, 10000);
    assert_int_equal(sums.counters[DIRECTION_EGRESS].bytes, 101);
    assert_int_equal(sums.counters[DIRECTION_EGRESS].packets, 202);
    assert_int_equal(sums.counters[DIRECTION_EGRESS].dropped, 10303);
    assert_int_equal(sums.counters[DIRECTION_INGRESS].bytes, 1010);
    assert_int_equal(sums.counters[DIRECTION_INGRESS].packets, 2020);
    assert_int_equal(sums.counters[DIRECTION_INGRESS].dropped, 3030);
    assert_int_equal(sums.limit_bits[DIRECTION_EGRESS], READING_UNLIMITED);
}

/* What the host sends its links send. */
static void test_host(void **state)
{
    struct Link links[] = {{.ifindex = 1, .kind = LINK_LOOPBACK, .sent = {.bytes = 1}},
                           {.ifindex = 2, .kind = LINK_PHYSICAL, .sent = {.bytes = 1000}},
                           {.ifindex = 3, .kind = LINK_PHYSICAL}};
    struct LinkTable table = {.list = links, .n = 2};
    struct Fixture f = {0};

    (void)state;
    net_look_host(&table, &f.baseline, USEC_PER_SEC, &f.readings);
    assert_false(f.readings.valid[READING_HOST_NET_EGRESS]);
    links[0].sent.bytes = 1000000;
    links[1].sent.bytes = 2000;
    links[1].received.bytes = 500;
    net_look_host(&table, &f.baseline, 2 * USEC_PER_SEC, &f.readings);
    check(&f, READING_HOST_NET_EGRESS, 8000);
    check(&f, READING_HOST_NET_INGRESS, 4000);
    assert_int_equal(f.readings.limit[READING_HOST_NET_EGRESS], READING_UNLIMITED);
    /* A device that was a container's, with what it counted there, is the host's again. */
    links[2].received.bytes = 1000000000;
    table.n = 3;
    net_look_host(&table, &f.baseline, 3 * USEC_PER_SEC, &f.readings);
    assert_false(f.readings.valid[READING_HOST_NET_EGRESS]);
    assert_false(f.readings.valid[READING_HOST_NET_INGRESS]);
    links[2].received.bytes += 1000;
    net_look_host(&table, &f.baseline, 4 * USEC_PER_SEC, &f.readings);
    check(&f, READING_HOST_NET_INGRESS, 8000);
    table.n = 1;
    net_look_host(&table, &f.baseline, 5 * USEC_PER_SEC, &f.readings);
    assert_false(f.readings.valid[READING_HOST_NET_EGRESS]);
    assert_false(f.readings.valid[READING_HOST_NET_INGRESS]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),         cmocka_unit_test(test_new_beginning),
        cmocka_unit_test(test_other_links),   cmocka_unit_test(test_no_links),
        cmocka_unit_test(test_several_links), cmocka_unit_test(test_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
