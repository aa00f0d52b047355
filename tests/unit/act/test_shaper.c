/* The shaper on a kernel: a pair of veths in a network namespace of its own, skipped where that cannot be
 * had. And killed before each message that it sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/qdisc.h"
#include "act/shaper.h"

#define HERE "tenant0"
#define THERE "inside0"

static const struct Shape slow = {126166, 2145, 1514, 17285, 18000, 113000, 262144};
static const struct Shape fast = {12616666, 64598, 1514, 695432, 5000, 100000, 5046667};

/* --- killed between two messages -------------------------------------------------------------------------
 */

static int messages_left = -1; /* before the process is gone; -1: it lives */

/* Instead of libnl's, which it calls. */
int nl_send_auto(struct nl_sock *socket, struct nl_msg *message)
{
    int (*next)(struct nl_sock *, struct nl_msg *) =
        (int (*)(struct nl_sock *, struct nl_msg *))dlsym(RTLD_NEXT, "nl_send_auto");

    if (messages_left == 0)
        _exit(EXIT_SUCCESS);
    if (messages_left > 0)
        messages_left--;
    return next(socket, message);
}

static bool answer_is_lost; /* of the next request */

int nl_recvmsgs_report(struct nl_sock *socket, struct nl_cb *callbacks)
{
    int (*next)(struct nl_sock *, struct nl_cb *) =
        (int (*)(struct nl_sock *, struct nl_cb *))dlsym(RTLD_NEXT, "nl_recvmsgs_report");

    if (!answer_is_lost)
        return next(socket, callbacks);
    answer_is_lost = false;
    return -NLE_NOMEM;
}

/* --- the ground ------------------------------------------------------------------------------------------
 */

struct Ground {
    struct Shaper shaper;
    struct ShaperLink link;
    const char *skip; /* why; NULL: not */
};

static struct Ground ground;

static struct rtnl_link *find(const char *name)
{
    struct rtnl_link *link = NULL;

    return rtnl_link_get_kernel(ground.shaper.rtnetlink.socket, 0, name, &link) < 0 ? NULL : link;
}

static int index_of(const char *name)
{
    struct rtnl_link *link = find(name);
    int ifindex = link ? rtnl_link_get_ifindex(link) : 0;

    rtnl_link_put(link);
    return ifindex;
}

static void set_up_or_down(const char *name, bool up)
{
    struct rtnl_link *link = find(name), *change = rtnl_link_alloc();

    assert_non_null(link);
    (up ? rtnl_link_set_flags : rtnl_link_unset_flags)(change, IFF_UP);
    assert_int_equal(rtnl_link_change(ground.shaper.rtnetlink.socket, link, change, 0), 0);
    rtnl_link_put(link);
    rtnl_link_put(change);
}

static void remove_link(const char *name)
{
    struct rtnl_link *link = find(name);

    if (link)
        assert_int_equal(rtnl_link_delete(ground.shaper.rtnetlink.socket, link), 0);
    rtnl_link_put(link);
}

static int prepare(void **state)
{
    static char reason[128];
    const char *module = NULL;
    int r;

    if (unshare(CLONE_NEWNET) < 0) {
        snprintf(reason, sizeof(reason), "no network namespace: %s", strerror(errno));
        ground.skip = reason;
        return 0;
    }
    assert_int_equal(shaper_open(&ground.shaper), 0);
    r = shaper_probe(&ground.shaper, &module);
    if (r < 0) {
        snprintf(reason, sizeof(reason), "this kernel cannot shape: %s %s", module ? module : "",
                 strerror(-r));
        ground.skip = reason;
    }
    return 0;
}

static int end(void **state)
{
    if (ground.shaper.rtnetlink.socket)
        shaper_close(&ground.shaper);
    return 0;
}

static int pair(void **state)
{
    if (ground.skip)
        return 0;
    assert_int_equal(rtnl_link_veth_add(ground.shaper.rtnetlink.socket, HERE, THERE, getpid()), 0);
    set_up_or_down(HERE, true);
    set_up_or_down(THERE, true);
    ground.link = (struct ShaperLink){.ifindex = index_of(HERE), .name = HERE, .mtu = 1500};
    return 0;
}

static int unpair(void **state)
{
    if (!ground.skip)
        remove_link(HERE);
    return 0;
}

/* --- what is there ---------------------------------------------------------------------------------------
 */

static const char *obstacle_of_set(enum Direction direction, const struct Shape *shape)
{
    static char obstacle[SHAPER_OBSTACLE_MAX];
    const char *module = NULL;
    int r = shaper_set(&ground.shaper, &ground.link, direction, shape, obstacle, &module);

    if (r == SHAPER_OBSTRUCTED)
        return obstacle;
    if (r < 0)
        fail_msg("%s: %s", strerror(-r), ground.shaper.rtnetlink.sentence);
    return NULL;
}

static void set(enum Direction direction, const struct Shape *shape)
{
    assert_null(obstacle_of_set(direction, shape));
}

static enum ShaperState state_of(enum Direction direction, const struct Shape *shape)
{
    struct ShaperReport report;

    assert_int_equal(shaper_inspect(&ground.shaper, &ground.link, direction, shape, &report), 0);
    if (report.state == SHAPER_FITS)
        assert_int_equal(report.rate_bytes, shape->rate_bytes);
    return report.state;
}

static void unset(enum Direction direction)
{
    assert_int_equal(shaper_unset(&ground.shaper, ground.link.ifindex, direction), 0);
}

static const char *device_name(void)
{
    static char name[SHAPER_NAME_MAX];

    shaper_device_name(ground.link.ifindex, name);
    return name;
}

static void request(struct nl_msg *message)
{
    int r = rtnetlink_request(&ground.shaper.rtnetlink, message, NULL, NULL);

    if (r < 0)
        fail_msg("%s: %s", strerror(-r), ground.shaper.rtnetlink.sentence);
}

struct Count {
    unsigned hooks, roots; /* that are not the kernel's */
};

static void count_qdisc(void *userdata, struct nlmsghdr *message)
{
    struct Count *count = userdata;
    struct Qdisc qdisc;

    if (!qdisc_read(message, &qdisc) || qdisc_is_default(&qdisc))
        return;
    count->hooks += qdisc_is_hook(&qdisc);
    count->roots += qdisc_is_root(&qdisc);
}

static struct Count count(void)
{
    struct Count count = {0};

    assert_int_equal(rtnetlink_request(&ground.shaper.rtnetlink, qdisc_dump_message(), count_qdisc, &count),
                     0);
    return count;
}

static void assert_nothing(void)
{
    assert_int_equal(index_of(device_name()), 0);
    assert_int_equal(count().hooks, 0);
    assert_int_equal(count().roots, 0);
    assert_int_equal(state_of(DIRECTION_INGRESS, &slow), SHAPER_MISSING);
    assert_int_equal(state_of(DIRECTION_EGRESS, &slow), SHAPER_MISSING);
}

static struct nl_msg *qdisc(int ifindex, uint32_t handle, uint32_t parent, const char *kind)
{
    const struct tcmsg head = {.tcm_ifindex = ifindex, .tcm_handle = handle, .tcm_parent = parent};
    struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE);

    nlmsg_append(message, (void *)(uintptr_t)&head, sizeof(head), NLMSG_ALIGNTO);
    nla_put_string(message, TCA_KIND, kind);
    return message;
}

/* A redirection as somebody else would make it. */
static struct nl_msg *filter(int ifindex, uint16_t preference)
{
    struct nl_msg *message = filter_create_message(ifindex, index_of("lo"));
    struct tcmsg *head = nlmsg_data(nlmsg_hdr(message));

    head->tcm_handle = 1;
    head->tcm_info = (head->tcm_info & 0xffff) | (uint32_t)preference << 16;
    return message;
}

static void add_device(const char *name, const char *kind, uint32_t group)
{
    struct rtnl_link *link = rtnl_link_alloc();

    rtnl_link_set_type(link, kind);
    rtnl_link_set_name(link, name);
    rtnl_link_set_group(link, group);
    assert_int_equal(rtnl_link_add(ground.shaper.rtnetlink.socket, link, NLM_F_CREATE | NLM_F_EXCL), 0);
    rtnl_link_put(link);
}

/* --- the tests -------------------------------------------------------------------------------------------
 */

static void test_names(void **state)
{
    static const struct {
        const char *name;
        int owner; /* 0: nobody's */
    } table[] = {
        {"guardd-1", 1},
        {"guardd-7fffffff", INT32_MAX},
        {"guardd-80000000", 0},
        {"guardd-0", 0},
        {"guardd-01", 0},
        {"guardd-1F", 0},
        {"guardd-1f", 31},
        {"guardd-", 0},
        {"guardd-probe", 0},
        {"guardd--1", 0},
        {"guardd- 1", 0},
        {"guardd-1x", 0},
        {"ifb0", 0},
        {"guard-1", 0},
        {"", 0},
        {"guardd-fffffffff", 0},
    };
    char name[SHAPER_NAME_MAX];

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int owner = 0;

        if (shaper_device_owner(table[i].name, &owner) != (table[i].owner > 0) || owner != table[i].owner)
            fail_msg("%s: %d", table[i].name, owner);
    }
    shaper_device_name(INT32_MAX, name);
    assert_string_equal(name, "guardd-7fffffff");
}

static void test_timer(void **state)
{
    static const struct {
        const char *text;
        int r;
        uint32_t hz;
    } table[] = {
        {"000003e8 00000040 000f4240 3b9aca00\n", 0, 1000000000},
        {"000003e8 00000040 000f4240 000000fa\n", 0, 250},
        {"000003e8 00000040 000f4240 00000000\n", -EBADMSG, 0},
        {"000003e8 00000040 000f4240", -EBADMSG, 0},
        {"", -EBADMSG, 0},
        {"hertz", -EBADMSG, 0},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        uint32_t hz = 0;

        assert_int_equal(shaper_timer_parse(table[i].text, &hz), table[i].r);
        assert_int_equal(hz, table[i].hz);
    }
    assert_int_equal(shaper_timer_hz("/nowhere", &(uint32_t){0}), -ENOENT);
}

static void test_set_change_unset(void)
{
    for (enum Direction direction = 0; direction < DIRECTION_COUNT; direction++) {
        int device;

        set(direction, &slow);
        assert_int_equal(state_of(direction, &slow), SHAPER_FITS);
        assert_int_equal(state_of(direction, &fast), SHAPER_CHANGED);
        assert_int_equal(state_of(!direction, &slow), SHAPER_MISSING);
        device = index_of(device_name());
        assert_true((device > 0) == (direction == DIRECTION_EGRESS));
        set(direction, &slow);
        set(direction, &fast);
        assert_int_equal(state_of(direction, &fast), SHAPER_FITS);
        assert_int_equal(index_of(device_name()), device);
        unset(direction);
        unset(direction);
        assert_nothing();
    }
}

static void test_both(void)
{
    set(DIRECTION_INGRESS, &slow);
    set(DIRECTION_EGRESS, &fast);
    assert_int_equal(state_of(DIRECTION_INGRESS, &slow), SHAPER_FITS);
    assert_int_equal(state_of(DIRECTION_EGRESS, &fast), SHAPER_FITS);
    unset(DIRECTION_INGRESS);
    assert_int_equal(state_of(DIRECTION_INGRESS, &slow), SHAPER_MISSING);
    assert_int_equal(state_of(DIRECTION_EGRESS, &fast), SHAPER_FITS);
    unset(DIRECTION_EGRESS);
    assert_nothing();
}

/* The most that can be said: a rate of more than 32 bits. */
static void test_fastest(void)
{
    const struct Shape shape = {UINT64_C(126166666666), 630834848, 0, 2147483647, 5000, 100000, 33554432};

    set(DIRECTION_INGRESS, &shape);
    assert_int_equal(state_of(DIRECTION_INGRESS, &shape), SHAPER_FITS);
    unset(DIRECTION_INGRESS);
}

static void test_slowest(void)
{
    const struct Shape shape = {1514, 1514, 1514, 16654, 1500000, 1595000, 262144};

    set(DIRECTION_INGRESS, &shape);
    assert_int_equal(state_of(DIRECTION_INGRESS, &shape), SHAPER_FITS);
    unset(DIRECTION_INGRESS);
}

/* Between a rate at which long packets wait as they are and one at which they are split up. */
static void test_whole_and_split(void)
{
    const struct Shape whole = {250000000, 1251514, 0, 13000000, 5000, 100000, 33554432};

    for (enum Direction direction = 0; direction < DIRECTION_COUNT; direction++) {
        set(direction, &whole);
        assert_int_equal(state_of(direction, &whole), SHAPER_FITS);
        set(direction, &slow);
        assert_int_equal(state_of(direction, &slow), SHAPER_FITS);
        set(direction, &whole);
        assert_int_equal(state_of(direction, &whole), SHAPER_FITS);
        unset(direction);
    }
    assert_nothing();
}

static void test_root_of_another(void)
{
    request(qdisc(ground.link.ifindex, 0x10000, TC_H_ROOT, "sfq"));
    assert_string_equal(obstacle_of_set(DIRECTION_INGRESS, &slow), "sfq 1:");
    assert_int_equal(state_of(DIRECTION_INGRESS, &slow), SHAPER_FOREIGN);
    unset(DIRECTION_INGRESS);
    assert_int_equal(count().roots, 1);
    set(DIRECTION_EGRESS, &slow); /* that is not in its way */
    unset(DIRECTION_EGRESS);
}

static void test_filter_of_another(void)
{
    request(qdisc(ground.link.ifindex, 0xffff0000, TC_H_INGRESS, "ingress"));
    request(filter(ground.link.ifindex, 5));
    assert_string_equal(obstacle_of_set(DIRECTION_EGRESS, &slow), "matchall filter, preference 5");
    assert_int_equal(state_of(DIRECTION_EGRESS, &slow), SHAPER_FOREIGN);
    unset(DIRECTION_EGRESS);
    assert_int_equal(count().hooks, 1);
    assert_int_equal(state_of(DIRECTION_EGRESS, &slow), SHAPER_FOREIGN);
    assert_int_equal(index_of(device_name()), 0);
}

static void test_hook_of_another_stays(void)
{
    static const char *const kinds[] = {"ingress", "clsact"};

    for (size_t i = 0; i < 2; i++) {
        request(qdisc(ground.link.ifindex, 0xffff0000, TC_H_INGRESS, kinds[i]));
        set(DIRECTION_EGRESS, &slow);
        assert_int_equal(state_of(DIRECTION_EGRESS, &slow), SHAPER_FITS);
        unset(DIRECTION_EGRESS);
        assert_int_equal(count().hooks, 1);
        unpair(NULL);
        pair(NULL);
    }
}

/* Who comes later and finds our clsact uses it: then it stays. */
static void test_hook_in_use_stays(void)
{
    set(DIRECTION_EGRESS, &slow);
    request(filter(ground.link.ifindex, 5));
    assert_int_equal(state_of(DIRECTION_EGRESS, &slow), SHAPER_FITS);
    unset(DIRECTION_EGRESS);
    assert_int_equal(count().hooks, 1);
    assert_int_equal(index_of(device_name()), 0);
}

static void test_device_of_another(void)
{
    add_device(device_name(), "ifb", 0);
    assert_int_equal(strncmp(obstacle_of_set(DIRECTION_EGRESS, &slow), "device guardd-", 14), 0);
    assert_int_equal(state_of(DIRECTION_EGRESS, &slow), SHAPER_FOREIGN);
    unset(DIRECTION_EGRESS);
    assert_int_not_equal(index_of(device_name()), 0);
    remove_link(device_name());
    assert_nothing();
}

/* What others do to ours: seen, and put right. */
static void break_queue(void)
{
    request(qdisc(ground.link.ifindex, 0x10000, QDISC_BUCKET | 1, "sfq"));
}

static void break_root(void)
{
    request(qdisc_delete_bucket_message(ground.link.ifindex));
}

static void break_rate(void)
{
    request(qdisc_bucket_message(ground.link.ifindex, &fast, QDISC_CHANGE));
}

static void break_device_root(void)
{
    request(qdisc_delete_bucket_message(index_of(device_name())));
}

static void break_device_up(void)
{
    set_up_or_down(device_name(), false);
}

static void break_device(void)
{
    remove_link(device_name());
}

static void break_filter(void)
{
    request(filter_delete_message(ground.link.ifindex));
}

static void break_hook(void)
{
    request(qdisc_delete_hook_message(ground.link.ifindex));
}

static void break_target(void)
{
    break_filter();
    request(filter_create_message(ground.link.ifindex, index_of("lo")));
}

static void test_mended(void)
{
    static const struct {
        void (*breaks)(void);
        enum Direction direction;
        enum ShaperState seen;
    } table[] = {
        {break_queue, DIRECTION_INGRESS, SHAPER_CHANGED},
        {break_rate, DIRECTION_INGRESS, SHAPER_CHANGED},
        {break_root, DIRECTION_INGRESS, SHAPER_MISSING},
        {break_device_root, DIRECTION_EGRESS, SHAPER_CHANGED},
        {break_device_up, DIRECTION_EGRESS, SHAPER_CHANGED},
        {break_device, DIRECTION_EGRESS, SHAPER_CHANGED},
        {break_filter, DIRECTION_EGRESS, SHAPER_CHANGED},
        {break_hook, DIRECTION_EGRESS, SHAPER_CHANGED},
        {break_target, DIRECTION_EGRESS, SHAPER_CHANGED},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        set(table[i].direction, &slow);
        table[i].breaks();
        if (state_of(table[i].direction, &slow) != table[i].seen)
            fail_msg("row %zu: seen as %d", i, state_of(table[i].direction, &slow));
        set(table[i].direction, &slow);
        if (state_of(table[i].direction, &slow) != SHAPER_FITS)
            fail_msg("row %zu: not mended", i);
        unset(table[i].direction);
        assert_nothing();
    }
}

static void test_link_gone(void)
{
    char obstacle[SHAPER_OBSTACLE_MAX];
    const char *module = NULL;

    set(DIRECTION_EGRESS, &slow);
    remove_link(HERE);
    assert_int_not_equal(index_of(device_name()), 0);
    unset(DIRECTION_EGRESS);
    unset(DIRECTION_INGRESS);
    assert_int_equal(index_of(device_name()), 0);
    for (enum Direction direction = 0; direction < DIRECTION_COUNT; direction++) {
        assert_int_equal(shaper_set(&ground.shaper, &ground.link, direction, &slow, obstacle, &module),
                         -ENODEV);
        assert_null(module);
    }
    assert_int_equal(index_of(device_name()), 0);
}

static void test_answer_lost(void)
{
    struct Count found = {0};

    set(DIRECTION_INGRESS, &slow);
    answer_is_lost = true;
    assert_int_equal(rtnetlink_request(&ground.shaper.rtnetlink, qdisc_dump_message(), count_qdisc, &found),
                     -ENOMEM);
    assert_int_equal(found.roots, 0);
    assert_int_equal(count().roots, 1);
    assert_int_equal(state_of(DIRECTION_INGRESS, &slow), SHAPER_FITS);
    unset(DIRECTION_INGRESS);
}

struct Claim {
    bool directions[DIRECTION_COUNT];
};

static bool claims(void *userdata, int ifindex, enum Direction direction)
{
    const struct Claim *claim = userdata;

    return ifindex == ground.link.ifindex && claim->directions[direction];
}

static void sweep(bool egress, bool ingress)
{
    struct Claim claim = {{[DIRECTION_EGRESS] = egress, [DIRECTION_INGRESS] = ingress}};

    assert_int_equal(shaper_sweep(&ground.shaper, claims, &claim), 0);
}

static void test_sweep(void)
{
    for (unsigned kept = 0; kept < 4; kept++) {
        bool egress = kept & 1, ingress = kept & 2;

        set(DIRECTION_EGRESS, &slow);
        set(DIRECTION_INGRESS, &slow);
        sweep(egress, ingress);
        assert_int_equal(state_of(DIRECTION_EGRESS, &slow), egress ? SHAPER_FITS : SHAPER_MISSING);
        assert_int_equal(state_of(DIRECTION_INGRESS, &slow), ingress ? SHAPER_FITS : SHAPER_MISSING);
        sweep(false, false);
        assert_nothing();
    }
}

static void test_sweep_leaves_others(void)
{
    request(qdisc(ground.link.ifindex, 0x10000, TC_H_ROOT, "sfq"));
    request(qdisc(ground.link.ifindex, 0xffff0000, TC_H_INGRESS, "clsact"));
    request(filter(ground.link.ifindex, 5));
    sweep(false, false);
    assert_int_equal(count().roots, 1);
    assert_int_equal(count().hooks, 1);
    assert_int_equal(state_of(DIRECTION_EGRESS, &slow), SHAPER_FOREIGN);
}

static void test_sweep_after_the_link(void)
{
    set(DIRECTION_EGRESS, &slow);
    remove_link(HERE);
    sweep(false, false);
    assert_int_equal(index_of(device_name()), 0);
}

/* Many go at once; but not where one of the group stays, whoever's it is. */
static void test_sweep_of_many(void)
{
    for (unsigned stays = 0; stays < 3; stays++) {
        set(DIRECTION_EGRESS, &slow);
        add_device("guardd-1000", "ifb", 0x6764);
        add_device("guardd-1001", "ifb", 0x6764);
        if (stays == 2)
            add_device("another", "bridge", 0x6764);
        sweep(stays == 1, false);
        assert_int_equal(index_of("guardd-1000"), 0);
        assert_int_equal(index_of("guardd-1001"), 0);
        assert_true((index_of(device_name()) > 0) == (stays == 1));
        assert_true((index_of("another") > 0) == (stays == 2));
        remove_link("another");
        sweep(false, false);
        assert_nothing();
    }
}

/* A guardd that does `act` in a process of its own, which is gone before its message number `n`. False: it
 * has not so many. */
static bool killed_before(int n, void (*act)(void))
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        struct Shaper own;

        if (shaper_open(&own) < 0)
            _exit(3);
        ground.shaper = own;
        messages_left = n;
        act();
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 3);
    return WEXITSTATUS(status) == EXIT_SUCCESS;
}

static void act_set(void)
{
    char obstacle[SHAPER_OBSTACLE_MAX];
    const char *module;

    (void)shaper_set(&ground.shaper, &ground.link, DIRECTION_INGRESS, &slow, obstacle, &module);
    (void)shaper_set(&ground.shaper, &ground.link, DIRECTION_EGRESS, &slow, obstacle, &module);
}

static void act_unset(void)
{
    (void)shaper_unset(&ground.shaper, ground.link.ifindex, DIRECTION_INGRESS);
    (void)shaper_unset(&ground.shaper, ground.link.ifindex, DIRECTION_EGRESS);
}

static void find_ours(void *userdata, struct nlmsghdr *message)
{
    struct Filter filter;

    if (filter_read(message, &filter) && filter_is_ours(&filter))
        *(int *)userdata = filter.redirect;
}

/* What redirects leads to a device that is there, is up, and has its bucket. */
static void assert_not_cut_off(void)
{
    struct rtnl_link *link = find(device_name());
    struct ShaperReport report;
    int redirect = -1; /* there is no filter */

    assert_int_equal(rtnetlink_request(&ground.shaper.rtnetlink,
                                       filter_dump_message(ground.link.ifindex, false), find_ours, &redirect),
                     0);
    assert_int_equal(shaper_inspect(&ground.shaper, &ground.link, DIRECTION_EGRESS, &slow, &report), 0);
    if (redirect != -1) {
        assert_non_null(link);
        assert_int_equal(rtnl_link_get_ifindex(link), redirect);
        assert_true(rtnl_link_get_flags(link) & IFF_UP);
        assert_int_equal(report.device, redirect);
    }
    rtnl_link_put(link);
}

static void test_killed_while_setting(void)
{
    int n;

    for (n = 0; killed_before(n, act_set); n++) {
        assert_not_cut_off();
        set(DIRECTION_INGRESS, &slow);
        set(DIRECTION_EGRESS, &slow);
        assert_int_equal(state_of(DIRECTION_INGRESS, &slow), SHAPER_FITS);
        assert_int_equal(state_of(DIRECTION_EGRESS, &slow), SHAPER_FITS);
        unset(DIRECTION_INGRESS);
        unset(DIRECTION_EGRESS);
        assert_nothing();
        assert_true(killed_before(n, act_set));
        sweep(false, false);
        assert_nothing();
        assert_true(killed_before(n, act_set));
        unset(DIRECTION_INGRESS);
        unset(DIRECTION_EGRESS);
        assert_nothing();
    }
    assert_true(n >= 12);
    sweep(false, false);
}

static void test_killed_while_unsetting(void)
{
    for (int n = 0;; n++) {
        bool killed;

        for (int sweeps = 0; sweeps < 3; sweeps++) {
            set(DIRECTION_INGRESS, &slow);
            set(DIRECTION_EGRESS, &slow);
            killed = killed_before(n, act_unset);
            assert_not_cut_off();
            if (sweeps == 0)
                sweep(false, false);
            else if (sweeps == 1)
                act_unset();
            else
                act_set();
            if (sweeps < 2)
                assert_nothing();
            else
                assert_int_equal(state_of(DIRECTION_EGRESS, &slow), SHAPER_FITS);
            sweep(false, false);
        }
        if (!killed) {
            assert_true(n >= 5);
            return;
        }
    }
}

static void on_pair(void **state)
{
    void (*test)(void) = (void (*)(void))*state;

    if (ground.skip) {
        print_message("%s\n", ground.skip);
        skip();
    }
    test();
}

#define ON_PAIR(test) {#test, on_pair, pair, unpair, (void *)(test)}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_timer),
        ON_PAIR(test_set_change_unset),
        ON_PAIR(test_both),
        ON_PAIR(test_fastest),
        ON_PAIR(test_slowest),
        ON_PAIR(test_whole_and_split),
        ON_PAIR(test_root_of_another),
        ON_PAIR(test_filter_of_another),
        ON_PAIR(test_hook_of_another_stays),
        ON_PAIR(test_hook_in_use_stays),
        ON_PAIR(test_device_of_another),
        ON_PAIR(test_mended),
        ON_PAIR(test_link_gone),
        ON_PAIR(test_answer_lost),
        ON_PAIR(test_sweep),
        ON_PAIR(test_sweep_of_many),
        ON_PAIR(test_sweep_leaves_others),
        ON_PAIR(test_sweep_after_the_link),
        ON_PAIR(test_killed_while_setting),
        ON_PAIR(test_killed_while_unsetting),
    };

    return cmocka_run_group_tests(tests, prepare, end);
}
