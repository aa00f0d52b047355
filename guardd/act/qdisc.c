/* These messages are put together from libnl's attributes and not from libnl-route's objects, of which each
 * lacks what matters here (3.7 to 3.11):
 * - tbf: a rate is an int, a burst is rounded down to whole microseconds (at 10 Gbit/s: 1250 bytes), and
 * there is neither TCA_TBF_BURST nor TCA_TBF_RATE64. With TCA_TBF_BURST the kernel takes the burst in bytes.
 * - fq_codel: no TCA_FQ_CODEL_MEMORY_LIMIT, without which a flood may take 32 MB for each tenant.
 * - qdiscs: no size table (TCA_STAB), which is guardd's mark on a clsact.
 * - matchall: along with an action it sends a class id of 0, too.
 *
 * The mark. All that guardd makes has a number of its own, save the place for filters on what a device
 * receives: its handle is always ffff:. What tells whose it is must be made with it in one message, or a
 * guardd that is killed in between leaves one that nobody dares to remove. So it gets a size table without
 * sizes, which only says that 0x6764 bytes of overhead are to be counted in its queue; it has no queue. tc -d
 * shows it as "overhead 26468".
 *
 * clsact and not ingress: they exclude each other, and clsact is what others look for who come later (they
 * then find one and add their filters), while their clsact fails where there is an ingress. Where there is
 * either, filters are added to that.
 *
 * matchall and not u32 or flower: it looks at nothing, so that nothing passes it by, whatever the protocol,
 * and costs the least. It cannot be changed in place; one that redirects to the wrong device lets nothing
 * pass anyway. */
#include "act/qdisc.h"

#include <arpa/inet.h>
#include <linux/gen_stats.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/msg.h>

/* A fair queue has a bucket for each hash of a flow, 64 bytes of the host's memory for each. 1024, its
 * default, would take 70 KB for each direction of each tenant; what one container does at once is spread well
 * enough over these. */
#define QUEUE_FLOWS 256
#define NSEC_PER_SEC UINT64_C(1000000000)
#define NSEC_PER_TICK 64
#define PEAK_RATE UINT64_C(125000000000) /* bytes a second */

/* --- to build --------------------------------------------------------------------------------------------
 */

static struct nl_msg *message_begin(int type, int flags, const struct tcmsg *head, const char *kind)
{
    struct nl_msg *message = nlmsg_alloc_simple(type, flags);

    if (!message)
        return NULL;
    if (nlmsg_append(message, (void *)(uintptr_t)head, sizeof(*head), NLMSG_ALIGNTO) < 0 ||
        (kind && nla_put_string(message, TCA_KIND, kind) < 0)) {
        nlmsg_free(message);
        return NULL;
    }
    return message;
}

/* Gives the message on, or NULL where not all of it could be built. */
static struct nl_msg *message_end(struct nl_msg *message, bool complete)
{
    if (complete)
        return message;
    nlmsg_free(message);
    return NULL;
}

static int flags_of(enum QdiscVerb verb)
{
    static const int flags[] = {
        [QDISC_CREATE] = NLM_F_CREATE | NLM_F_EXCL,
        [QDISC_CHANGE] = 0,
        [QDISC_REPLACE] = NLM_F_CREATE | NLM_F_REPLACE,
    };

    return flags[verb];
}

/* A shape without a rate is nobody's wish: whoever takes a rate away looks whether it is gone. */
static uint32_t ticks_of(const struct Shape *shape)
{
    uint64_t ticks =
        shape->rate_bytes > 0 ? shape->burst_bytes * NSEC_PER_SEC / shape->rate_bytes / NSEC_PER_TICK : 0;

    return ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
}

/* TBF splits a GSO packet that is longer than the burst, or than that of a second bucket, for the peak rate,
 * where there is one. That one is only there for this: at its rate a frame takes 12 ns. */
static bool put_bucket(struct nl_msg *message, const struct Shape *shape)
{
    struct tc_tbf_qopt parameters = {
        .rate = {.rate = shape->rate_bytes < UINT32_MAX ? (uint32_t)shape->rate_bytes : UINT32_MAX,
                 .linklayer = TC_LINKLAYER_ETHERNET}, /* no rate table is needed then */
        .limit = shape->limit_bytes,
        .buffer = ticks_of(shape),
    };
    struct nlattr *options = nla_nest_start(message, TCA_OPTIONS);

    if (shape->packet_bytes > 0)
        parameters.peakrate = (struct tc_ratespec){.rate = UINT32_MAX, .linklayer = TC_LINKLAYER_ETHERNET};
    if (!options || nla_put(message, TCA_TBF_PARMS, sizeof(parameters), &parameters) < 0 ||
        nla_put_u32(message, TCA_TBF_BURST, shape->burst_bytes) < 0)
        return false;
    if (shape->rate_bytes >= UINT32_MAX && nla_put_u64(message, TCA_TBF_RATE64, shape->rate_bytes) < 0)
        return false;
    if (shape->packet_bytes > 0 && (nla_put_u64(message, TCA_TBF_PRATE64, PEAK_RATE) < 0 ||
                                    nla_put_u32(message, TCA_TBF_PBURST, shape->packet_bytes) < 0))
        return false;
    nla_nest_end(message, options);
    return true;
}

struct nl_msg *qdisc_bucket_message(int ifindex, const struct Shape *shape, enum QdiscVerb verb)
{
    const struct tcmsg head = {
        .tcm_family = AF_UNSPEC, .tcm_ifindex = ifindex, .tcm_handle = QDISC_BUCKET, .tcm_parent = TC_H_ROOT};
    struct nl_msg *message = message_begin(RTM_NEWQDISC, flags_of(verb), &head, "tbf");

    return message ? message_end(message, put_bucket(message, shape)) : NULL;
}

static bool put_queue(struct nl_msg *message, const struct Shape *shape, bool is_new)
{
    struct nlattr *options = nla_nest_start(message, TCA_OPTIONS);

    if (!options || nla_put_u32(message, TCA_FQ_CODEL_TARGET, shape->target_usec) < 0 ||
        nla_put_u32(message, TCA_FQ_CODEL_INTERVAL, shape->interval_usec) < 0 ||
        nla_put_u32(message, TCA_FQ_CODEL_MEMORY_LIMIT, shape->memory_bytes) < 0)
        return false;
    if (is_new && nla_put_u32(message, TCA_FQ_CODEL_FLOWS, QUEUE_FLOWS) < 0)
        return false;
    nla_nest_end(message, options);
    return true;
}

struct nl_msg *qdisc_queue_message(int ifindex, const struct Shape *shape, enum QdiscVerb verb)
{
    const struct tcmsg head = {.tcm_family = AF_UNSPEC,
                               .tcm_ifindex = ifindex,
                               .tcm_handle = QDISC_QUEUE,
                               .tcm_parent = QDISC_BUCKET | 1}; /* TBF's only class */
    struct nl_msg *message = message_begin(RTM_NEWQDISC, flags_of(verb), &head, "fq_codel");

    return message ? message_end(message, put_queue(message, shape, verb != QDISC_CHANGE)) : NULL;
}

static struct tcmsg hook_head(int ifindex)
{
    return (struct tcmsg){.tcm_family = AF_UNSPEC,
                          .tcm_ifindex = ifindex,
                          .tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
                          .tcm_parent = TC_H_CLSACT};
}

struct nl_msg *qdisc_hook_message(int ifindex)
{
    const struct tc_sizespec mark = {.overhead = FILTER_NUMBER, .linklayer = TC_LINKLAYER_ETHERNET};
    const struct tcmsg head = hook_head(ifindex);
    struct nl_msg *message = message_begin(RTM_NEWQDISC, flags_of(QDISC_CREATE), &head, "clsact");
    struct nlattr *table = message ? nla_nest_start(message, TCA_STAB) : NULL;
    bool complete = table && nla_put(message, TCA_STAB_BASE, sizeof(mark), &mark) >= 0;

    if (complete)
        nla_nest_end(message, table);
    return message ? message_end(message, complete) : NULL;
}

struct nl_msg *qdisc_delete_bucket_message(int ifindex)
{
    const struct tcmsg head = {
        .tcm_family = AF_UNSPEC, .tcm_ifindex = ifindex, .tcm_handle = QDISC_BUCKET, .tcm_parent = TC_H_ROOT};

    return message_begin(RTM_DELQDISC, 0, &head, "tbf");
}

struct nl_msg *qdisc_delete_queue_message(int ifindex)
{
    const struct tcmsg head = {.tcm_family = AF_UNSPEC,
                               .tcm_ifindex = ifindex,
                               .tcm_handle = QDISC_QUEUE,
                               .tcm_parent = QDISC_BUCKET | 1};

    return message_begin(RTM_DELQDISC, 0, &head, "fq_codel");
}

struct nl_msg *qdisc_delete_hook_message(int ifindex)
{
    const struct tcmsg head = hook_head(ifindex);

    return message_begin(RTM_DELQDISC, 0, &head, "clsact");
}

struct nl_msg *qdisc_dump_message(void)
{
    const struct tcmsg head = {.tcm_family = AF_UNSPEC};

    return message_begin(RTM_GETQDISC, NLM_F_DUMP, &head, NULL);
}

struct nl_msg *qdisc_get_hook_message(int ifindex)
{
    const struct tcmsg head = hook_head(ifindex);

    return message_begin(RTM_GETQDISC, NLM_F_ECHO, &head,
                         NULL); /* without it only those who listen are told */
}

struct nl_msg *qdisc_get_root_message(int ifindex)
{
    const struct tcmsg head = {.tcm_family = AF_UNSPEC, .tcm_ifindex = ifindex, .tcm_parent = TC_H_ROOT};

    return message_begin(RTM_GETQDISC, NLM_F_ECHO, &head, NULL);
}

struct nl_msg *qdisc_get_queue_message(int ifindex)
{
    const struct tcmsg head = {
        .tcm_family = AF_UNSPEC, .tcm_ifindex = ifindex, .tcm_parent = QDISC_BUCKET | 1};

    return message_begin(RTM_GETQDISC, NLM_F_ECHO, &head, NULL);
}

static struct tcmsg filter_head(int ifindex)
{
    return (struct tcmsg){.tcm_family = AF_UNSPEC,
                          .tcm_ifindex = ifindex,
                          .tcm_handle = FILTER_NUMBER,
                          .tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
                          .tcm_info = TC_H_MAKE((uint32_t)FILTER_NUMBER << 16, htons(ETH_P_ALL))};
}

static bool put_redirect(struct nl_msg *message, int redirect)
{
    const struct tc_mirred parameters = {
        .action = TC_ACT_STOLEN, .eaction = TCA_EGRESS_REDIR, .ifindex = (uint32_t)redirect};
    struct nlattr *options = nla_nest_start(message, TCA_OPTIONS), *actions, *action, *inner;

    if (!options || !(actions = nla_nest_start(message, TCA_MATCHALL_ACT)) ||
        !(action = nla_nest_start(message, 1)) || nla_put_string(message, TCA_ACT_KIND, "mirred") < 0 ||
        !(inner = nla_nest_start(message, TCA_ACT_OPTIONS)) ||
        nla_put(message, TCA_MIRRED_PARMS, sizeof(parameters), &parameters) < 0)
        return false;
    nla_nest_end(message, inner);
    nla_nest_end(message, action);
    nla_nest_end(message, actions);
    nla_nest_end(message, options);
    return true;
}

struct nl_msg *filter_create_message(int ifindex, int redirect)
{
    const struct tcmsg head = filter_head(ifindex);
    struct nl_msg *message = message_begin(RTM_NEWTFILTER, flags_of(QDISC_CREATE), &head, "matchall");

    return message ? message_end(message, put_redirect(message, redirect)) : NULL;
}

struct nl_msg *filter_delete_message(int ifindex)
{
    const struct tcmsg head = filter_head(ifindex);

    return message_begin(RTM_DELTFILTER, 0, &head, "matchall");
}

struct nl_msg *filter_dump_message(int ifindex, bool sends)
{
    const struct tcmsg head = {.tcm_family = AF_UNSPEC,
                               .tcm_ifindex = ifindex,
                               .tcm_parent =
                                   TC_H_MAKE(TC_H_CLSACT, sends ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS)};

    return message_begin(RTM_GETTFILTER, NLM_F_DUMP, &head, NULL);
}

/* --- to read ---------------------------------------------------------------------------------------------
 */

static bool read_head(struct nlmsghdr *message, struct tcmsg *ret_head,
                      struct nlattr *ret_attributes[TCA_MAX + 1])
{
    if (!nlmsg_valid_hdr(message, sizeof(*ret_head)) ||
        nlmsg_parse(message, sizeof(*ret_head), ret_attributes, TCA_MAX, NULL) < 0)
        return false;
    memcpy(ret_head, nlmsg_data(message), sizeof(*ret_head));
    return ret_attributes[TCA_KIND] != NULL;
}

static uint32_t read_u32(const struct nlattr *attribute)
{
    return attribute && nla_len(attribute) >= (int)sizeof(uint32_t) ? nla_get_u32(attribute) : 0;
}

static uint64_t read_u64(const struct nlattr *attribute)
{
    return attribute && nla_len(attribute) >= (int)sizeof(uint64_t) ? nla_get_u64(attribute) : 0;
}

static void read_bucket(struct nlattr *options, struct Qdisc *ret)
{
    struct nlattr *list[TCA_TBF_MAX + 1];
    struct tc_tbf_qopt parameters = {0};

    if (nla_parse_nested(list, TCA_TBF_MAX, options, NULL) < 0 || !list[TCA_TBF_PARMS])
        return;
    nla_memcpy(&parameters, list[TCA_TBF_PARMS], sizeof(parameters));
    ret->rate_bytes = parameters.rate.rate;
    ret->buffer_ticks = parameters.buffer;
    ret->splits = parameters.peakrate.rate > 0;
    if (list[TCA_TBF_RATE64])
        ret->rate_bytes = read_u64(list[TCA_TBF_RATE64]);
}

static void read_queue(struct nlattr *options, struct Qdisc *ret)
{
    struct nlattr *list[TCA_FQ_CODEL_MAX + 1];

    if (nla_parse_nested(list, TCA_FQ_CODEL_MAX, options, NULL) < 0)
        return;
    ret->target_usec = read_u32(list[TCA_FQ_CODEL_TARGET]);
    ret->interval_usec = read_u32(list[TCA_FQ_CODEL_INTERVAL]);
    ret->memory_bytes = read_u32(list[TCA_FQ_CODEL_MEMORY_LIMIT]);
}

static void read_counters(struct nlattr *counters, struct Qdisc *ret)
{
    struct nlattr *list[TCA_STATS_MAX + 1];
    struct gnet_stats_basic basic = {0};
    struct gnet_stats_queue queue = {0};

    if (nla_parse_nested(list, TCA_STATS_MAX, counters, NULL) < 0)
        return;
    if (list[TCA_STATS_BASIC])
        nla_memcpy(&basic, list[TCA_STATS_BASIC], sizeof(basic));
    if (list[TCA_STATS_QUEUE])
        nla_memcpy(&queue, list[TCA_STATS_QUEUE], sizeof(queue));
    ret->bytes = basic.bytes;
    ret->packets = basic.packets;
    if (list[TCA_STATS_PKT64]) /* where 32 bits are not enough */
        ret->packets = read_u64(list[TCA_STATS_PKT64]);
    ret->dropped = queue.drops;
    ret->backlog_bytes = queue.backlog;
}

static bool is_marked(struct nlattr *table)
{
    struct nlattr *list[TCA_STAB_MAX + 1];
    struct tc_sizespec mark = {0};

    if (nla_parse_nested(list, TCA_STAB_MAX, table, NULL) < 0 || !list[TCA_STAB_BASE])
        return false;
    nla_memcpy(&mark, list[TCA_STAB_BASE], sizeof(mark));
    return mark.overhead == FILTER_NUMBER && mark.tsize == 0;
}

bool qdisc_read(struct nlmsghdr *message, struct Qdisc *ret)
{
    struct nlattr *list[TCA_MAX + 1];
    struct tcmsg head;

    if (message->nlmsg_type != RTM_NEWQDISC || !read_head(message, &head, list))
        return false;
    *ret = (struct Qdisc){.ifindex = head.tcm_ifindex, .handle = head.tcm_handle, .parent = head.tcm_parent};
    nla_strlcpy(ret->kind, list[TCA_KIND], sizeof(ret->kind));
    if (list[TCA_OPTIONS] && strcmp(ret->kind, "tbf") == 0)
        read_bucket(list[TCA_OPTIONS], ret);
    if (list[TCA_OPTIONS] && strcmp(ret->kind, "fq_codel") == 0)
        read_queue(list[TCA_OPTIONS], ret);
    if (list[TCA_STATS2])
        read_counters(list[TCA_STATS2], ret);
    ret->marked = list[TCA_STAB] && is_marked(list[TCA_STAB]);
    return true;
}

/* What the first action of a matchall redirects to; 0: it does not. */
static int read_redirect(struct nlattr *options)
{
    struct nlattr *list[TCA_MATCHALL_MAX + 1], *actions[2], *action[TCA_ACT_MAX + 1],
        *inner[TCA_MIRRED_MAX + 1];
    struct tc_mirred parameters = {0};

    if (nla_parse_nested(list, TCA_MATCHALL_MAX, options, NULL) < 0 || !list[TCA_MATCHALL_ACT] ||
        nla_parse_nested(actions, 1, list[TCA_MATCHALL_ACT], NULL) < 0 || !actions[1] ||
        nla_parse_nested(action, TCA_ACT_MAX, actions[1], NULL) < 0 || !action[TCA_ACT_KIND] ||
        nla_strcmp(action[TCA_ACT_KIND], "mirred") != 0 || !action[TCA_ACT_OPTIONS] ||
        nla_parse_nested(inner, TCA_MIRRED_MAX, action[TCA_ACT_OPTIONS], NULL) < 0 ||
        !inner[TCA_MIRRED_PARMS])
        return 0;
    nla_memcpy(&parameters, inner[TCA_MIRRED_PARMS], sizeof(parameters));
    return parameters.eaction == TCA_EGRESS_REDIR ? (int)parameters.ifindex : 0;
}

bool filter_read(struct nlmsghdr *message, struct Filter *ret)
{
    struct nlattr *list[TCA_MAX + 1];
    struct tcmsg head;

    if (message->nlmsg_type != RTM_NEWTFILTER || !read_head(message, &head, list))
        return false;
    *ret = (struct Filter){.ifindex = head.tcm_ifindex,
                           .handle = head.tcm_handle,
                           .preference = (uint16_t)(TC_H_MAJ(head.tcm_info) >> 16)};
    nla_strlcpy(ret->kind, list[TCA_KIND], sizeof(ret->kind));
    if (list[TCA_OPTIONS] && strcmp(ret->kind, "matchall") == 0)
        ret->redirect = read_redirect(list[TCA_OPTIONS]);
    return true;
}

/* --- whose it is, and how it is set ----------------------------------------------------------------------
 */

/* What the kernel puts there by itself has no handle, and whatever somebody asked for has one. */
bool qdisc_is_default(const struct Qdisc *qdisc)
{
    return qdisc->handle == 0;
}

bool qdisc_is_root(const struct Qdisc *qdisc)
{
    return qdisc->parent == TC_H_ROOT;
}

bool qdisc_is_hook(const struct Qdisc *qdisc)
{
    return qdisc->parent == TC_H_INGRESS;
}

bool qdisc_is_bucket(const struct Qdisc *qdisc)
{
    return qdisc_is_root(qdisc) && qdisc->handle == QDISC_BUCKET && strcmp(qdisc->kind, "tbf") == 0;
}

bool qdisc_is_queue(const struct Qdisc *qdisc)
{
    return qdisc->parent == (QDISC_BUCKET | 1) && qdisc->handle == QDISC_QUEUE &&
           strcmp(qdisc->kind, "fq_codel") == 0;
}

bool filter_is_ours(const struct Filter *filter)
{
    return filter->preference == FILTER_NUMBER && filter->handle == FILTER_NUMBER &&
           strcmp(filter->kind, "matchall") == 0;
}

static bool is_near(uint64_t a, uint64_t b, uint64_t slack)
{
    return a > b ? a - b <= slack : b - a <= slack;
}

/* The kernel keeps the burst as a time, which it finds with a division of its own. */
bool qdisc_bucket_fits(const struct Qdisc *qdisc, const struct Shape *shape)
{
    uint32_t ticks = ticks_of(shape);

    return shape->rate_bytes > 0 && qdisc->rate_bytes == shape->rate_bytes &&
           qdisc->splits == (shape->packet_bytes > 0) &&
           is_near(qdisc->buffer_ticks, ticks, 2 + ticks / 1000);
}

/* The kernel counts these times in units of 1024 ns. */
bool qdisc_queue_fits(const struct Qdisc *qdisc, const struct Shape *shape)
{
    return is_near(qdisc->target_usec, shape->target_usec, 2) &&
           is_near(qdisc->interval_usec, shape->interval_usec, 2) &&
           qdisc->memory_bytes == shape->memory_bytes;
}
