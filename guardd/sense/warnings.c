/* libnl finds the family and its group, and takes messages apart; they are received into a buffer on the
 * stack, so that a host without memory still hears of its refusals. Only what the kernel itself sent counts.
 *
 * What was told in a dispatch stands in a small table by hash. Where it finds no place a message is told
 * again, which costs time and nothing else. */
#include "sense/warnings.h"

#include <linux/quota.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "base/error.h"
#include "sense/netlink.h"

/* Messages in one dispatch: more wait for the next one. */
#define DISPATCH_MAX 4096
/* A thousand messages or so. */
#define RECEIVE_BYTES (1024 * 1024)
/* A warning has less than 100 bytes. */
#define MESSAGE_MAX 4096
#define TOLD_MAX 256
#define PROBES_MAX 8

struct Warning {
    dev_t dev;
    uint32_t project;
    enum WarningKind kind;
};

struct Told {
    bool used[TOLD_MAX];
    struct Warning list[TOLD_MAX];
};

/* --- one message ------------------------------------------------------------------------------------ */

static bool kind_of(uint32_t type, enum WarningKind *ret)
{
    static const struct {
        bool known;
        enum WarningKind kind;
    } kinds[] = {
        [QUOTA_NL_IHARDWARN] = {true, WARNING_HARD_INODES},
        [QUOTA_NL_ISOFTLONGWARN] = {true, WARNING_HARD_INODES}, /* the soft limit has hardened */
        [QUOTA_NL_ISOFTWARN] = {true, WARNING_SOFT_INODES},
        [QUOTA_NL_BHARDWARN] = {true, WARNING_HARD_SPACE},
        [QUOTA_NL_BSOFTLONGWARN] = {true, WARNING_HARD_SPACE},
        [QUOTA_NL_BSOFTWARN] = {true, WARNING_SOFT_SPACE},
        [QUOTA_NL_IHARDBELOW] = {true, WARNING_BELOW},
        [QUOTA_NL_ISOFTBELOW] = {true, WARNING_BELOW},
        [QUOTA_NL_BHARDBELOW] = {true, WARNING_BELOW},
        [QUOTA_NL_BSOFTBELOW] = {true, WARNING_BELOW},
    };

    if (type >= sizeof(kinds) / sizeof(kinds[0]) || !kinds[type].known)
        return false;
    *ret = kinds[type].kind;
    return true;
}

/* 1: a warning of a project; 0: of a user or group, or of a kind that is not known. */
static int decode(const struct Warnings *warnings, struct nlmsghdr *message, struct Warning *ret)
{
    static const struct nla_policy policy[QUOTA_NL_A_MAX + 1] = {
        [QUOTA_NL_A_QTYPE] = {.type = NLA_U32},     [QUOTA_NL_A_EXCESS_ID] = {.type = NLA_U64},
        [QUOTA_NL_A_WARNING] = {.type = NLA_U32},   [QUOTA_NL_A_DEV_MAJOR] = {.type = NLA_U32},
        [QUOTA_NL_A_DEV_MINOR] = {.type = NLA_U32},
    };
    struct nlattr *attributes[QUOTA_NL_A_MAX + 1];
    uint64_t project;

    if (message->nlmsg_type < NLMSG_MIN_TYPE || !genlmsg_valid_hdr(message, 0) ||
        (warnings->family != 0 && message->nlmsg_type != warnings->family) ||
        ((struct genlmsghdr *)nlmsg_data(message))->cmd != QUOTA_NL_C_WARNING ||
        genlmsg_parse(message, 0, attributes, QUOTA_NL_A_MAX, policy) < 0)
        return -EBADMSG;
    for (int i = QUOTA_NL_A_QTYPE; i <= QUOTA_NL_A_DEV_MINOR; i++)
        if (!attributes[i])
            return -EBADMSG;
    project = nla_get_u64(attributes[QUOTA_NL_A_EXCESS_ID]);
    if (nla_get_u32(attributes[QUOTA_NL_A_QTYPE]) != PRJQUOTA ||
        !kind_of(nla_get_u32(attributes[QUOTA_NL_A_WARNING]), &ret->kind))
        return 0;
    if (project > UINT32_MAX)
        return -EBADMSG;
    ret->project = (uint32_t)project;
    ret->dev =
        makedev(nla_get_u32(attributes[QUOTA_NL_A_DEV_MAJOR]), nla_get_u32(attributes[QUOTA_NL_A_DEV_MINOR]));
    return 1;
}

int warnings_parse(struct Warnings *warnings, struct nlmsghdr *message)
{
    struct Warning warning;
    int r = decode(warnings, message, &warning);

    if (r > 0)
        warnings->warned(warnings->userdata, warning.dev, warning.project, warning.kind);
    return r;
}

/* --- what waits ------------------------------------------------------------------------------------- */

static bool is_equal(const struct Warning *a, const struct Warning *b)
{
    return a->dev == b->dev && a->project == b->project && a->kind == b->kind;
}

/* True the first time. */
static bool is_news(struct Told *told, const struct Warning *warning)
{
    uint64_t hash = (warning->dev * 31 + warning->project) * 31 + (uint64_t)warning->kind;

    hash *= 0x9E3779B97F4A7C15U; /* Fibonacci hashing: the upper bits are mixed well */
    for (uint64_t i = 0; i < PROBES_MAX; i++) {
        size_t at = ((hash >> 32) + i) % TOLD_MAX;

        if (!told->used[at]) {
            told->used[at] = true;
            told->list[at] = *warning;
            return true;
        }
        if (is_equal(&told->list[at], warning))
            return false;
    }
    return true;
}

static void take(struct Warnings *warnings, struct Told *told, void *bytes, int length)
{
    struct nlmsghdr *message = bytes;
    struct Warning warning;

    for (; nlmsg_ok(message, length); message = nlmsg_next(message, &length))
        if (decode(warnings, message, &warning) > 0 && is_news(told, &warning))
            warnings->warned(warnings->userdata, warning.dev, warning.project, warning.kind);
}

/* Returns the number of bytes, 0 for a message that is not to be looked at. */
static int receive(int fd, void *bytes, size_t size)
{
    struct sockaddr_nl sender = {0};
    socklen_t sender_size = sizeof(sender);
    ssize_t n = recvfrom(fd, bytes, size, MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&sender, &sender_size);

    if (n < 0)
        return errno == EINTR ? 0 : negative_errno();
    return sender.nl_pid == 0 && (size_t)n <= size ? (int)n : 0;
}

int warnings_read(struct Warnings *warnings, int fd)
{
    struct Told told = {0};
    bool lost = false;
    union {
        struct nlmsghdr header; /* for its alignment */
        char bytes[MESSAGE_MAX];
    } message;

    for (int i = 0; i < DISPATCH_MAX; i++) {
        int n = receive(fd, &message, sizeof(message));

        if (n == -EAGAIN)
            return 0;
        if (n == -ENOBUFS) {
            if (!lost)
                warnings->lost(warnings->userdata);
            lost = true;
        } else if (n < 0) {
            return n;
        } else {
            take(warnings, &told, &message, n);
        }
    }
    return 0;
}

int warnings_dispatch(struct Warnings *warnings)
{
    return warnings->socket ? warnings_read(warnings, nl_socket_get_fd(warnings->socket)) : -EBADF;
}

/* --- the socket ------------------------------------------------------------------------------------- */

static int join(struct nl_sock *socket, int *ret_family)
{
    int family, group, r = genl_connect(socket);

    if (r < 0)
        return r;
    family = genl_ctrl_resolve(socket, "VFS_DQUOT");
    group = family < 0 ? family : genl_ctrl_resolve_grp(socket, "VFS_DQUOT", "events");
    if (group < 0)
        return group;
    netlink_make_room(socket, RECEIVE_BYTES);
    r = nl_socket_set_nonblocking(socket);
    if (r >= 0)
        r = nl_socket_add_membership(socket, group);
    *ret_family = family;
    return r;
}

int warnings_open(struct Warnings *warnings)
{
    struct nl_sock *socket = nl_socket_alloc();
    int r, family = 0;

    warnings->socket = NULL;
    if (!socket)
        return -ENOMEM;
    r = join(socket, &family);
    if (r < 0) {
        nl_socket_free(socket);
        return netlink_error(r);
    }
    warnings->socket = socket;
    warnings->family = family;
    return 0;
}

void warnings_close(struct Warnings *warnings)
{
    if (warnings->socket)
        nl_socket_free(warnings->socket);
    warnings->socket = NULL;
}

int warnings_fd(const struct Warnings *warnings)
{
    return warnings->socket ? nl_socket_get_fd(warnings->socket) : -EBADF;
}
