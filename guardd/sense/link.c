/* Two sockets: an answer must not wait behind announcements. Neither blocks: the kernel has answered when the
 * request was sent, and goes on with a list while it is received. What is left over of a request that failed
 * goes away with its socket, which is connected anew.
 *
 * libnl-route takes links and queues apart. A link that it cannot take apart is left out: it is of a kind
 * that no container has. */
#include "sense/link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/tc.h>

#include "sense/netlink.h"

/* An announcement of a link has about 1.5K. */
#define EVENT_BYTES (4 * 1024 * 1024)
#define REQUEST_BYTES (256 * 1024)
/* In one dispatch: more wait for the next one. */
#define DISPATCH_MAX 1024
/* Of a list that changes while it is read. */
#define TRIES 5

static void free_message(struct nl_msg **message)
{
    nlmsg_free(*message);
}
#define _cleanup_message_ __attribute__((cleanup(free_message)))

/* --- what a message says ---------------------------------------------------------------------------------
 */

static void take_counters(struct rtnl_link *from, struct Link *link)
{
    link->received = (struct LinkCounters){.bytes = rtnl_link_get_stat(from, RTNL_LINK_RX_BYTES),
                                           .packets = rtnl_link_get_stat(from, RTNL_LINK_RX_PACKETS),
                                           .dropped = rtnl_link_get_stat(from, RTNL_LINK_RX_DROPPED)};
    link->sent = (struct LinkCounters){.bytes = rtnl_link_get_stat(from, RTNL_LINK_TX_BYTES),
                                       .packets = rtnl_link_get_stat(from, RTNL_LINK_TX_PACKETS),
                                       .dropped = rtnl_link_get_stat(from, RTNL_LINK_TX_DROPPED)};
}

static void describe(struct rtnl_link *from, struct Link *ret)
{
    const char *name = rtnl_link_get_name(from);
    int32_t namespace_id;

    *ret = (struct Link){
        .ifindex = rtnl_link_get_ifindex(from),
        .kind = link_kind(rtnl_link_get_type(from), rtnl_link_get_arptype(from) == ARPHRD_LOOPBACK),
        .mtu = rtnl_link_get_mtu(from),
        .up = rtnl_link_get_flags(from) & IFF_UP,
        .peer_namespace =
            rtnl_link_get_link_netnsid(from, &namespace_id) == 0 ? namespace_id : NAMESPACE_ID_NONE,
        .peer = rtnl_link_get_link(from),
        .master = rtnl_link_get_master(from),
    };
    snprintf(ret->name, sizeof(ret->name), "%s", name ? name : "");
    take_counters(from, ret);
}

/* Bridges announce their ports as links of their own family, which has the same types: a port that leaves is
 * no link that is gone. */
static bool is_link_itself(struct nlmsghdr *message)
{
    return nlmsg_valid_hdr(message, sizeof(struct ifinfomsg)) &&
           ((const struct ifinfomsg *)nlmsg_data(message))->ifi_family == AF_UNSPEC;
}

static int parse_namespace_id(struct nlmsghdr *message, int32_t *ret_id)
{
    static const struct nla_policy policy[NETNSA_MAX + 1] = {[NETNSA_NSID] = {.type = NLA_S32}};
    struct nlattr *attributes[NETNSA_MAX + 1];

    if (nlmsg_parse(message, sizeof(struct rtgenmsg), attributes, NETNSA_MAX, policy) < 0 ||
        !attributes[NETNSA_NSID])
        return -EBADMSG;
    *ret_id = nla_get_s32(attributes[NETNSA_NSID]);
    return 0;
}

/* --- requests --------------------------------------------------------------------------------------------
 */

static int connect_requests(struct nl_sock *socket)
{
    int r = nl_connect(socket, NETLINK_ROUTE);

    if (r >= 0)
        r = nl_socket_set_nonblocking(socket);
    if (r >= 0)
        netlink_make_room(socket, REQUEST_BYTES);
    return r;
}

/* An error of a list comes with its end, which libnl does not look into. */
static int take_end(struct nl_msg *message, void *userdata)
{
    struct nlmsghdr *header = nlmsg_hdr(message);
    int *error = userdata;

    if (nlmsg_datalen(header) >= (int)sizeof(*error))
        memcpy(error, nlmsg_data(header), sizeof(*error));
    return NL_STOP;
}

static void connect_anew(struct nl_sock *socket)
{
    nl_close(socket);
    nl_socket_set_local_port(socket, 0); /* any */
    if (connect_requests(socket) < 0)
        nl_close(socket); /* the next request says so */
}

static int ask(struct LinkSensor *sensor, struct nl_msg *request, nl_recvmsg_msg_cb_t take, void *userdata)
{
    struct nl_sock *socket = sensor->requests;
    int r, error = 0;

    if (!socket)
        return -NLE_BAD_SOCK;
    nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, take, userdata);
    nl_socket_modify_cb(socket, NL_CB_FINISH, NL_CB_CUSTOM, take_end, &error);
    r = nl_send_auto(socket, request);
    if (r >= 0)
        r = nl_recvmsgs_default(socket);
    if (r >= 0 && error < 0)
        r = -nl_syserr2nlerr(error);
    if (r < 0)
        connect_anew(socket);
    return r < 0 ? r : 0;
}

/* What is taken of one list, and what went wrong with it. */
struct Taking {
    struct LinkTable *table;
    void (*take_queue)(void *userdata, const struct QueueCounters *counters);
    void *userdata;
    int error;
};

static void put_link(struct nl_object *object, void *userdata)
{
    struct Taking *taking = userdata;
    struct Link link;
    int r;

    describe((struct rtnl_link *)object, &link);
    r = link_table_put(taking->table, &link);
    if (r < 0)
        taking->error = r;
}

static int take_link(struct nl_msg *message, void *userdata)
{
    struct Taking *taking = userdata;
    struct nlmsghdr *header = nlmsg_hdr(message);

    if (header->nlmsg_type == RTM_NEWLINK && is_link_itself(header) &&
        nl_msg_parse(message, put_link, taking) == -NLE_NOMEM)
        taking->error = -ENOMEM;
    return NL_OK;
}

static int dump_once(struct LinkSensor *sensor, int32_t namespace_id, struct Taking *taking)
{
    struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
    _cleanup_message_ struct nl_msg *request = nlmsg_alloc_simple(RTM_GETLINK, NLM_F_DUMP);

    /* Not the counters of IPv6, which are most of what there would be. */
    if (!request || nlmsg_append(request, &header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
        nla_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0 ||
        (namespace_id >= 0 && nla_put_s32(request, IFLA_TARGET_NETNSID, namespace_id) < 0))
        return -NLE_NOMEM;
    return ask(sensor, request, take_link, taking);
}

int link_sensor_dump(struct LinkSensor *sensor, int32_t namespace_id, struct LinkTable *table)
{
    int r = -NLE_DUMP_INTR, error = 0;

    for (int i = 0; i < TRIES && r == -NLE_DUMP_INTR; i++) {
        struct Taking taking = {.table = table};

        link_table_clear(table);
        r = dump_once(sensor, namespace_id, &taking);
        error = taking.error;
    }
    if (r >= 0 && error == 0)
        return 0;
    link_table_clear(table);
    if (error < 0)
        return error;
    return r == -NLE_DUMP_INTR ? -EAGAIN : netlink_error(r);
}

static void tell_queue(struct nl_object *object, void *userdata)
{
    const struct Taking *taking = userdata;
    struct rtnl_tc *tc = (struct rtnl_tc *)object;
    struct QueueCounters counters = {
        .ifindex = rtnl_tc_get_ifindex(tc),
        .handle = rtnl_tc_get_handle(tc),
        .parent = rtnl_tc_get_parent(tc),
        .sent = {.bytes = rtnl_tc_get_stat(tc, RTNL_TC_BYTES),
                 .packets = rtnl_tc_get_stat(tc, RTNL_TC_PACKETS),
                 .dropped = rtnl_tc_get_stat(tc, RTNL_TC_DROPS)},
    };

    taking->take_queue(taking->userdata, &counters);
}

static int take_queue(struct nl_msg *message, void *userdata)
{
    struct Taking *taking = userdata;

    if (nlmsg_hdr(message)->nlmsg_type == RTM_NEWQDISC &&
        nl_msg_parse(message, tell_queue, taking) == -NLE_NOMEM)
        taking->error = -ENOMEM;
    return NL_OK;
}

int link_sensor_dump_queues(struct LinkSensor *sensor,
                            void (*take)(void *userdata, const struct QueueCounters *counters),
                            void *userdata)
{
    struct tcmsg header = {.tcm_family = AF_UNSPEC};
    struct Taking taking = {.take_queue = take, .userdata = userdata};
    _cleanup_message_ struct nl_msg *request = nlmsg_alloc_simple(RTM_GETQDISC, NLM_F_DUMP);
    int r;

    if (!request || nlmsg_append(request, &header, sizeof(header), NLMSG_ALIGNTO) < 0)
        return -ENOMEM;
    r = ask(sensor, request, take_queue, &taking);
    if (r < 0)
        return r == -NLE_DUMP_INTR ? -EAGAIN : netlink_error(r);
    return taking.error;
}

struct Answer {
    bool given;
    int32_t id;
};

static int take_namespace_id(struct nl_msg *message, void *userdata)
{
    struct nlmsghdr *header = nlmsg_hdr(message);
    struct Answer *answer = userdata;

    if (header->nlmsg_type == RTM_NEWNSID && parse_namespace_id(header, &answer->id) == 0)
        answer->given = true;
    return NL_OK;
}

int link_sensor_namespace_id(struct LinkSensor *sensor, pid_t task, int32_t *ret_id)
{
    struct rtgenmsg header = {.rtgen_family = AF_UNSPEC};
    struct Answer answer = {0};
    _cleanup_message_ struct nl_msg *request = nlmsg_alloc_simple(RTM_GETNSID, 0);
    int r;

    if (!request || nlmsg_append(request, &header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
        nla_put_u32(request, NETNSA_PID, (uint32_t)task) < 0)
        return -ENOMEM;
    r = ask(sensor, request, take_namespace_id, &answer);
    if (r < 0)
        return r == -NLE_OBJ_NOTFOUND ? -ESRCH : netlink_error(r);
    if (!answer.given) { /* that was the answer of something else */
        connect_anew(sensor->requests);
        return -EIO;
    }
    *ret_id = answer.id >= 0 ? answer.id : NAMESPACE_ID_NONE;
    return 0;
}

/* --- announcements ---------------------------------------------------------------------------------------
 */

static void tell_link(struct nl_object *object, void *userdata)
{
    const struct LinkSensor *sensor = userdata;
    struct LinkEvent event = {.kind = LINK_EVENT_LINK};

    describe((struct rtnl_link *)object, &event.link);
    event.ifindex = event.link.ifindex;
    sensor->heard(sensor->userdata, &event);
}

static void hear_link(struct LinkSensor *sensor, struct nl_msg *message)
{
    struct nlmsghdr *header = nlmsg_hdr(message);
    struct LinkEvent event = {.kind = LINK_EVENT_LINK_GONE};

    if (!is_link_itself(header))
        return;
    if (header->nlmsg_type == RTM_NEWLINK) {
        if (nl_msg_parse(message, tell_link, sensor) == -NLE_NOMEM)
            sensor->lost(sensor->userdata);
        return;
    }
    event.ifindex = ((const struct ifinfomsg *)nlmsg_data(header))->ifi_index;
    sensor->heard(sensor->userdata, &event);
}

static void hear_removal(const struct LinkSensor *sensor, struct nlmsghdr *message, enum LinkEventKind kind)
{
    const struct tcmsg *tc = nlmsg_data(message);
    struct LinkEvent event;

    if (!nlmsg_valid_hdr(message, sizeof(*tc)))
        return;
    event = (struct LinkEvent){.kind = kind,
                               .ifindex = tc->tcm_ifindex,
                               .handle = tc->tcm_handle,
                               .parent = tc->tcm_parent,
                               .port = message->nlmsg_pid};
    sensor->heard(sensor->userdata, &event);
}

static void hear_namespace_id(const struct LinkSensor *sensor, struct nlmsghdr *message,
                              enum LinkEventKind kind)
{
    struct LinkEvent event = {.kind = kind};

    if (parse_namespace_id(message, &event.namespace_id) == 0)
        sensor->heard(sensor->userdata, &event);
}

static int hear(struct nl_msg *message, void *userdata)
{
    struct LinkSensor *sensor = userdata;
    struct nlmsghdr *header = nlmsg_hdr(message);

    if (nlmsg_get_src(message)->nl_pid != 0)
        return NL_OK;
    switch (header->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        hear_link(sensor, message);
        break;
    case RTM_DELQDISC:
        hear_removal(sensor, header, LINK_EVENT_QDISC_GONE);
        break;
    case RTM_DELTFILTER:
        hear_removal(sensor, header, LINK_EVENT_FILTER_GONE);
        break;
    case RTM_NEWNSID:
        hear_namespace_id(sensor, header, LINK_EVENT_NAMESPACE_ID);
        break;
    case RTM_DELNSID:
        hear_namespace_id(sensor, header, LINK_EVENT_NAMESPACE_ID_GONE);
        break;
    default:
        break;
    }
    return NL_OK;
}

/* libnl has one error for want of memory and for a socket that was full: both lose something. */
int link_sensor_dispatch(struct LinkSensor *sensor)
{
    bool lost = false;

    if (!sensor->events)
        return -EBADF;
    for (int i = 0; i < DISPATCH_MAX; i++) {
        int r = nl_recvmsgs_default(sensor->events);

        if (r == -NLE_AGAIN)
            return 0;
        if (r == -NLE_NOMEM) {
            if (!lost)
                sensor->lost(sensor->userdata);
            lost = true;
        } else if (r < 0) {
            return netlink_error(r);
        }
    }
    return 0;
}

/* --- the sockets -----------------------------------------------------------------------------------------
 */

static int open_requests(struct LinkSensor *sensor)
{
    sensor->requests = nl_socket_alloc();
    if (!sensor->requests)
        return -NLE_NOMEM;
    nl_socket_disable_auto_ack(sensor->requests);
    return connect_requests(sensor->requests);
}

static int open_events(struct LinkSensor *sensor)
{
    struct nl_sock *socket = nl_socket_alloc();
    int r;

    sensor->events = socket;
    if (!socket)
        return -NLE_NOMEM;
    nl_socket_disable_seq_check(socket);
    nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, hear, sensor);
    r = nl_connect(socket, NETLINK_ROUTE);
    if (r < 0)
        return r;
    netlink_make_room(socket, EVENT_BYTES);
    r = nl_socket_set_nonblocking(socket);
    if (r >= 0)
        r = nl_socket_add_memberships(socket, RTNLGRP_LINK, RTNLGRP_TC, RTNLGRP_NSID, RTNLGRP_NONE);
    return r;
}

int link_sensor_open(struct LinkSensor *sensor)
{
    int r;

    sensor->requests = sensor->events = NULL;
    r = open_events(sensor);
    if (r >= 0)
        r = open_requests(sensor);
    if (r < 0) {
        link_sensor_close(sensor);
        return netlink_error(r);
    }
    return 0;
}

int link_sensor_open_lists(struct LinkSensor *sensor)
{
    int r;

    sensor->requests = sensor->events = NULL;
    r = open_requests(sensor);
    if (r < 0)
        link_sensor_close(sensor);
    return r < 0 ? netlink_error(r) : 0;
}

void link_sensor_close(struct LinkSensor *sensor)
{
    nl_socket_free(sensor->requests);
    nl_socket_free(sensor->events);
    sensor->requests = sensor->events = NULL;
}

int link_sensor_fd(const struct LinkSensor *sensor)
{
    return sensor->events ? nl_socket_get_fd(sensor->events) : -EBADF;
}
