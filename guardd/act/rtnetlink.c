/* libnl calls back for each message. What ends a request is an acknowledgement, an error or the end of a
 * dump: all three are waited for, so that nothing is left on the socket for the next request. */
#include "act/rtnetlink.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/socket.h>

#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "base/error.h"

struct Exchange {
    struct Rtnetlink *rtnetlink;
    void (*each)(void *userdata, struct nlmsghdr *message);
    void *userdata;
    bool done;
    int error;
};

int rtnetlink_error(int library_error)
{
    static const struct {
        int library, system;
    } errors[] = {
        {NLE_NOMEM, -ENOMEM},        {NLE_NODEV, -ENODEV},
        {NLE_OBJ_NOTFOUND, -ENOENT}, {NLE_PERM, -EPERM},
        {NLE_NOACCESS, -EACCES},     {NLE_AGAIN, -EAGAIN},
        {NLE_DUMP_INTR, -EAGAIN},    {NLE_OPNOTSUPP, -EOPNOTSUPP},
        {NLE_EXIST, -EEXIST},        {NLE_AF_NOSUPPORT, -EAFNOSUPPORT},
        {NLE_MSGSIZE, -EMSGSIZE},    {NLE_BUSY, -EBUSY},
        {NLE_INVAL, -EINVAL},
    };
    int number = library_error < 0 ? -library_error : library_error;

    if (number == 0)
        return 0;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i].library == number)
            return errors[i].system;
    return -EIO;
}

/* What the kernel adds to an error number. The request is not repeated in front of it: NETLINK_CAP_ACK. */
static void keep_sentence(struct Rtnetlink *rtnetlink, const struct nlmsgerr *error)
{
    const struct nlmsghdr *message = (const struct nlmsghdr *)((const char *)error - NLMSG_HDRLEN);
    size_t taken = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(*error));
    const struct nlattr *sentence;

    if (!(message->nlmsg_flags & NLM_F_ACK_TLVS) || !(message->nlmsg_flags & NLM_F_CAPPED) ||
        message->nlmsg_len <= taken)
        return;
    sentence = nla_find((const struct nlattr *)(const void *)((const char *)message + taken),
                        (int)(message->nlmsg_len - taken), NLMSGERR_ATTR_MSG);
    if (sentence)
        nla_strlcpy(rtnetlink->sentence, sentence, sizeof(rtnetlink->sentence));
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *userdata)
{
    struct Exchange *exchange = userdata;

    exchange->error = error->error;
    exchange->done = true;
    keep_sentence(exchange->rtnetlink, error);
    return NL_STOP;
}

static int on_end(struct nl_msg *message, void *userdata)
{
    struct Exchange *exchange = userdata;

    exchange->done = true;
    return NL_STOP;
}

static int on_message(struct nl_msg *message, void *userdata)
{
    struct Exchange *exchange = userdata;

    if (exchange->each)
        exchange->each(exchange->userdata, nlmsg_hdr(message));
    return NL_OK;
}

static int receive(struct Exchange *exchange)
{
    struct nl_cb *callbacks = nl_cb_alloc(NL_CB_DEFAULT);
    int r = 0;

    if (!callbacks)
        return -ENOMEM;
    nl_cb_set(callbacks, NL_CB_VALID, NL_CB_CUSTOM, on_message, exchange);
    nl_cb_set(callbacks, NL_CB_ACK, NL_CB_CUSTOM, on_end, exchange);
    nl_cb_set(callbacks, NL_CB_FINISH, NL_CB_CUSTOM, on_end, exchange);
    nl_cb_err(callbacks, NL_CB_CUSTOM, on_error, exchange);
    while (!exchange->done && r >= 0)
        r = nl_recvmsgs_report(exchange->rtnetlink->socket, callbacks);
    nl_cb_put(callbacks);
    if (exchange->error < 0)
        return exchange->error;
    return r < 0 ? rtnetlink_error(r) : 0;
}

/* Another socket, or the old one where there is none to be had. */
static void renew(struct Rtnetlink *rtnetlink)
{
    struct Rtnetlink fresh;

    if (rtnetlink_open(&fresh) < 0)
        return;
    nl_socket_free(rtnetlink->socket);
    rtnetlink->socket = fresh.socket;
    rtnetlink->stale = false;
}

int rtnetlink_request(struct Rtnetlink *rtnetlink, struct nl_msg *message,
                      void (*each)(void *userdata, struct nlmsghdr *message), void *userdata)
{
    struct Exchange exchange = {.rtnetlink = rtnetlink, .each = each, .userdata = userdata};
    int r;

    if (!message)
        return -ENOMEM;
    rtnetlink->sentence[0] = '\0';
    if (rtnetlink->stale)
        renew(rtnetlink);
    r = nl_send_auto(rtnetlink->socket, message);
    nlmsg_free(message);
    r = r < 0 ? rtnetlink_error(r) : receive(&exchange);
    if (!exchange.done)
        rtnetlink->stale = true;
    return r;
}

int rtnetlink_open(struct Rtnetlink *rtnetlink)
{
    const int on = 1;
    int r;

    *rtnetlink = (struct Rtnetlink){.socket = nl_socket_alloc()};
    if (!rtnetlink->socket)
        return -ENOMEM;
    r = nl_connect(rtnetlink->socket, NETLINK_ROUTE);
    if (r < 0) {
        rtnetlink_close(rtnetlink);
        return rtnetlink_error(r);
    }
    nl_socket_set_msg_buf_size(rtnetlink->socket, 65536);
    /* Sentences are a comfort: a kernel without them still answers. */
    for (int option = NETLINK_CAP_ACK; option <= NETLINK_EXT_ACK; option++)
        (void)setsockopt(nl_socket_get_fd(rtnetlink->socket), SOL_NETLINK, option, &on, sizeof(on));
    return 0;
}

void rtnetlink_close(struct Rtnetlink *rtnetlink)
{
    nl_socket_free(rtnetlink->socket);
    rtnetlink->socket = NULL;
}

uint32_t rtnetlink_port(const struct Rtnetlink *rtnetlink)
{
    return nl_socket_get_local_port(rtnetlink->socket);
}
