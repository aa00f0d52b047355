/* Messages of traffic control: what is built reads as what was meant, and what others built is not taken for
 * ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "act/qdisc.h"

static const struct Shape slow = {126166, 2145, 1514, 17285, 18000, 113000, 262144};
static const struct Shape fast = {UINT64_C(12616666666), 63084848, 0, 700000000, 5000, 100000, 33554432};

static struct Qdisc qdisc_of(struct nl_msg *message)
{
    struct Qdisc qdisc;

    assert_non_null(message);
    assert_true(qdisc_read(nlmsg_hdr(message), &qdisc));
    nlmsg_free(message);
    return qdisc;
}

static struct Filter filter_of(struct nl_msg *message)
{
    struct Filter filter;

    assert_non_null(message);
    assert_true(filter_read(nlmsg_hdr(message), &filter));
    nlmsg_free(message);
    return filter;
}

static void test_bucket(void **state)
{
    const struct Shape *shapes[] = {&slow, &fast};

    for (size_t i = 0; i < 2; i++) {
        struct Qdisc qdisc = qdisc_of(qdisc_bucket_message(7, shapes[i], QDISC_CREATE));

        assert_int_equal(qdisc.ifindex, 7);
        assert_string_equal(qdisc.kind, "tbf");
        assert_int_equal(qdisc.rate_bytes, shapes[i]->rate_bytes); /* the fast one has more than 32 bits */
        assert_true(qdisc_is_bucket(&qdisc) && qdisc_is_root(&qdisc));
        assert_false(qdisc_is_queue(&qdisc) || qdisc_is_default(&qdisc) || qdisc_is_hook(&qdisc));
        assert_true(qdisc_bucket_fits(&qdisc, shapes[i]));
        assert_false(qdisc_bucket_fits(&qdisc, shapes[!i]));
    }
}

/* The kernel's time for 2145 bytes at this rate is 17.0014 ms, which is 265646 ticks. */
static void test_bucket_fits(void **state)
{
    static const struct {
        uint64_t rate;
        uint32_t ticks;
        bool fits;
    } table[] = {
        {126166, 265646, true},  {126166, 265647, true},  {126166, 265700, true},  {126166, 265500, true},
        {126166, 266000, false}, {126166, 265000, false}, {126167, 265646, false}, {0, 0, false},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct Qdisc qdisc = {
            .rate_bytes = table[i].rate, .buffer_ticks = table[i].ticks, .splits = true};

        if (qdisc_bucket_fits(&qdisc, &slow) != table[i].fits)
            fail_msg("row %zu", i);
    }
}

static void test_queue(void **state)
{
    struct Qdisc qdisc = qdisc_of(qdisc_queue_message(7, &slow, QDISC_REPLACE));

    assert_string_equal(qdisc.kind, "fq_codel");
    assert_true(qdisc_is_queue(&qdisc));
    assert_false(qdisc_is_bucket(&qdisc) || qdisc_is_root(&qdisc));
    assert_true(qdisc_queue_fits(&qdisc, &slow));
    assert_false(qdisc_queue_fits(&qdisc, &fast));
    qdisc.target_usec--; /* as the kernel rounds */
    assert_true(qdisc_queue_fits(&qdisc, &slow));
    qdisc.memory_bytes--;
    assert_false(qdisc_queue_fits(&qdisc, &slow));
}

/* An attribute of a message's options; NULL: none. */
static const struct nlattr *option_of(struct nl_msg *message, int type)
{
    struct nlattr *options = nlmsg_find_attr(nlmsg_hdr(message), sizeof(struct tcmsg), TCA_OPTIONS);

    assert_non_null(options);
    return nla_find(nla_data(options), nla_len(options), type);
}

/* What the kernel refuses to change is not in a change, and only what creates may create. */
static void test_verbs(void **state)
{
    struct nl_msg *change = qdisc_queue_message(7, &slow, QDISC_CHANGE);
    struct nl_msg *create = qdisc_queue_message(7, &slow, QDISC_CREATE);
    struct nl_msg *replace = qdisc_queue_message(7, &slow, QDISC_REPLACE);
    int asked = NLM_F_CREATE | NLM_F_EXCL | NLM_F_REPLACE;

    assert_null(option_of(change, TCA_FQ_CODEL_FLOWS));
    assert_non_null(option_of(create, TCA_FQ_CODEL_FLOWS));
    assert_int_equal(nlmsg_hdr(change)->nlmsg_flags & asked, 0);
    assert_int_equal(nlmsg_hdr(create)->nlmsg_flags & asked, NLM_F_CREATE | NLM_F_EXCL);
    assert_int_equal(nlmsg_hdr(replace)->nlmsg_flags & asked, NLM_F_CREATE | NLM_F_REPLACE);
    nlmsg_free(change);
    nlmsg_free(create);
    nlmsg_free(replace);
}

static void test_burst_is_in_bytes(void **state)
{
    struct nl_msg *message = qdisc_bucket_message(7, &slow, QDISC_CHANGE);

    assert_int_equal(nla_get_u32(option_of(message, TCA_TBF_BURST)), slow.burst_bytes);
    assert_null(option_of(message, TCA_TBF_RATE64));
    nlmsg_free(message);
}

/* Long packets are split up by the bucket of a peak rate that nothing reaches. */
static void test_splits(void **state)
{
    struct nl_msg *message = qdisc_bucket_message(7, &slow, QDISC_CHANGE);

    assert_int_equal(nla_get_u32(option_of(message, TCA_TBF_PBURST)), slow.packet_bytes);
    assert_true(nla_get_u64(option_of(message, TCA_TBF_PRATE64)) > slow.rate_bytes);
    assert_true(qdisc_of(message).splits);
    message = qdisc_bucket_message(7, &fast, QDISC_CHANGE);
    assert_null(option_of(message, TCA_TBF_PBURST));
    assert_null(option_of(message, TCA_TBF_PRATE64));
    assert_false(qdisc_of(message).splits);
}

static void test_hook(void **state)
{
    struct Qdisc qdisc = qdisc_of(qdisc_hook_message(7));

    assert_string_equal(qdisc.kind, "clsact");
    assert_true(qdisc_is_hook(&qdisc) && qdisc.marked);
    assert_false(qdisc_is_root(&qdisc) || qdisc_is_bucket(&qdisc) || qdisc_is_default(&qdisc));
    qdisc = qdisc_of(qdisc_bucket_message(7, &slow, QDISC_CREATE));
    assert_false(qdisc.marked);
}

/* As tc(8) or others make them, with a size table of their own. */
static struct nl_msg *strange_qdisc(uint32_t handle, uint32_t parent, const char *kind, const void *table,
                                    size_t size)
{
    const struct tcmsg head = {.tcm_ifindex = 7, .tcm_handle = handle, .tcm_parent = parent};
    struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWQDISC, 0);
    struct nlattr *nest;

    nlmsg_append(message, (void *)(uintptr_t)&head, sizeof(head), NLMSG_ALIGNTO);
    nla_put_string(message, TCA_KIND, kind);
    if (table) {
        nest = nla_nest_start(message, TCA_STAB);
        nla_put(message, TCA_STAB_BASE, (int)size, table);
        nla_nest_end(message, nest);
    }
    return message;
}

static void test_strangers(void **state)
{
    static const struct {
        uint32_t handle, parent;
        const char *kind;
        bool bucket, queue, is_default;
    } table[] = {
        {0, TC_H_ROOT, "noqueue", false, false, true},
        {0, TC_H_ROOT, "fq_codel", false, false, true},
        {0x10000, TC_H_ROOT, "tbf", false, false, false},
        {0x80010000, TC_H_ROOT, "fq_codel", false, false, false},
        {QDISC_BUCKET, TC_H_ROOT, "htb", false, false, false},
        {QDISC_BUCKET, 0x10001, "tbf", false, false, false},
        {QDISC_QUEUE, TC_H_ROOT, "fq_codel", false, false, false},
        {QDISC_QUEUE, QDISC_BUCKET | 1, "sfq", false, false, false},
        {0x10000, QDISC_BUCKET | 1, "fq_codel", false, false, false},
        {QDISC_BUCKET, TC_H_ROOT, "tbf", true, false, false},
        {QDISC_QUEUE, QDISC_BUCKET | 1, "fq_codel", false, true, false},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct Qdisc qdisc =
            qdisc_of(strange_qdisc(table[i].handle, table[i].parent, table[i].kind, NULL, 0));

        if (qdisc_is_bucket(&qdisc) != table[i].bucket || qdisc_is_queue(&qdisc) != table[i].queue ||
            qdisc_is_default(&qdisc) != table[i].is_default)
            fail_msg("row %zu", i);
        assert_false(qdisc_bucket_fits(&qdisc, &slow) || qdisc_queue_fits(&qdisc, &slow));
    }
}

static void test_marks_of_others(void **state)
{
    static const struct {
        struct tc_sizespec table;
        size_t size;
        bool marked;
    } table[] = {
        {{.overhead = FILTER_NUMBER, .linklayer = TC_LINKLAYER_ETHERNET}, sizeof(struct tc_sizespec), true},
        {{.overhead = 18, .linklayer = TC_LINKLAYER_ETHERNET}, sizeof(struct tc_sizespec), false},
        {{.overhead = FILTER_NUMBER, .tsize = 512}, sizeof(struct tc_sizespec), false},
        {{.overhead = FILTER_NUMBER}, 2, false},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct Qdisc qdisc =
            qdisc_of(strange_qdisc(0xffff0000, TC_H_CLSACT, "clsact", &table[i].table, table[i].size));

        assert_true(qdisc_is_hook(&qdisc));
        if (qdisc.marked != table[i].marked)
            fail_msg("row %zu", i);
    }
}

static void test_counters(void **state)
{
    struct nl_msg *message = strange_qdisc(QDISC_BUCKET, TC_H_ROOT, "tbf", NULL, 0);
    const struct gnet_stats_basic basic = {.bytes = UINT64_C(5000000000), .packets = 4000000};
    const struct gnet_stats_queue queue = {.drops = 12, .backlog = 3456};
    struct nlattr *nest = nla_nest_start(message, TCA_STATS2);
    struct Qdisc qdisc;

    nla_put(message, TCA_STATS_BASIC, sizeof(basic), &basic);
    nla_put(message, TCA_STATS_QUEUE, sizeof(queue), &queue);
    nla_nest_end(message, nest);
    qdisc = qdisc_of(message);
    assert_int_equal(qdisc.bytes, UINT64_C(5000000000));
    assert_int_equal(qdisc.packets, 4000000);
    assert_int_equal(qdisc.dropped, 12);
    assert_int_equal(qdisc.backlog_bytes, 3456);
}

static void test_filter(void **state)
{
    struct Filter filter = filter_of(filter_create_message(7, 9));

    assert_int_equal(filter.ifindex, 7);
    assert_int_equal(filter.redirect, 9);
    assert_int_equal(filter.preference, FILTER_NUMBER);
    assert_string_equal(filter.kind, "matchall");
    assert_true(filter_is_ours(&filter));
    filter.preference++;
    assert_false(filter_is_ours(&filter));
    filter.preference--;
    filter.handle = 1;
    assert_false(filter_is_ours(&filter));
    filter.handle = FILTER_NUMBER;
    strcpy(filter.kind, "u32");
    assert_false(filter_is_ours(&filter));
}

/* A mirror is no redirection: what was seen goes on. */
static void test_mirror(void **state)
{
    struct nl_msg *message = filter_create_message(7, 9);
    const struct tc_mirred redirect = {.action = TC_ACT_STOLEN, .eaction = TCA_EGRESS_REDIR, .ifindex = 9};
    struct tc_mirred *found = memmem(nlmsg_data(nlmsg_hdr(message)),
                                     (size_t)nlmsg_datalen(nlmsg_hdr(message)), &redirect, sizeof(redirect));

    assert_non_null(found);
    found->eaction = TCA_EGRESS_MIRROR;
    assert_int_equal(filter_of(message).redirect, 0);
}

/* Whatever bytes a message has, and wherever it ends: it is read or it is not. */
static void test_garbage(void **state)
{
    struct nl_msg *messages[] = {qdisc_bucket_message(7, &fast, QDISC_CREATE),
                                 qdisc_queue_message(7, &slow, QDISC_CREATE), qdisc_hook_message(7),
                                 filter_create_message(7, 9)};

    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        struct nlmsghdr *whole = nlmsg_hdr(messages[i]);

        for (uint32_t length = NLMSG_HDRLEN; length < whole->nlmsg_len; length++)
            for (uint32_t at = NLMSG_HDRLEN; at <= length; at += 3) {
                struct nlmsghdr *part = malloc(length); /* so that a sanitizer sees its end */
                struct Qdisc qdisc;
                struct Filter filter;

                memcpy(part, whole, length);
                part->nlmsg_len = length;
                if (at < length)
                    ((uint8_t *)part)[at] ^= 0xff;
                (void)qdisc_read(part, &qdisc);
                (void)filter_read(part, &filter);
                free(part);
            }
        nlmsg_free(messages[i]);
    }
}

static void test_other_messages(void **state)
{
    struct nl_msg *deletion = qdisc_delete_bucket_message(7), *dump = qdisc_dump_message();
    struct Qdisc qdisc;
    struct Filter filter;

    assert_false(qdisc_read(nlmsg_hdr(deletion), &qdisc));
    assert_false(qdisc_read(nlmsg_hdr(dump), &qdisc));
    assert_false(filter_read(nlmsg_hdr(deletion), &filter));
    nlmsg_free(deletion);
    nlmsg_free(dump);
}

/* Whoever takes a rate away looks afterwards, with no shape, whether it is gone. */
static void test_no_shape(void **state)
{
    const struct Shape none = {0};
    struct Qdisc qdisc = qdisc_of(qdisc_bucket_message(7, &slow, QDISC_CREATE));

    assert_false(qdisc_bucket_fits(&qdisc, &none));
    qdisc = (struct Qdisc){0};
    assert_false(qdisc_bucket_fits(&qdisc, &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bucket),         cmocka_unit_test(test_bucket_fits),
        cmocka_unit_test(test_no_shape),       cmocka_unit_test(test_queue),
        cmocka_unit_test(test_verbs),          cmocka_unit_test(test_burst_is_in_bytes),
        cmocka_unit_test(test_splits),         cmocka_unit_test(test_hook),
        cmocka_unit_test(test_strangers),      cmocka_unit_test(test_marks_of_others),
        cmocka_unit_test(test_counters),       cmocka_unit_test(test_filter),
        cmocka_unit_test(test_mirror),         cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_other_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
