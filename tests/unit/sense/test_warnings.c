/* Messages as the kernel sends them, made by hand, and messages as nobody should. What waits on a socket is a
 * datagram socket pair's other end here. */
#include "../failing.h"
#include "../scratch.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/quota.h>
#include <netlink/errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "sense/warnings.h"

#define FAMILY (NLMSG_MIN_TYPE + 1)

/* What the next calls come to, instead of libc's: 0 for as always. Behind the last they are as always. */
static struct {
    const int *errors;
    size_t n;
    uint32_t sender; /* of all that is received */
    size_t again;    /* how often the last datagram is received once more */
} play;

ssize_t recvfrom(int fd, void *buf, size_t size, int flags, struct sockaddr *sender, socklen_t *sender_size)
{
    static uint64_t kept[64];
    static ssize_t kept_size;
    ssize_t n;

    if (play.n > 0) {
        play.n--;
        errno = *play.errors++;
        return -1;
    }
    if (kept_size > 0 && play.again > 0) {
        play.again--;
        memcpy(buf, kept, (size_t)kept_size);
        return kept_size;
    }
    n = syscall(SYS_recvfrom, fd, buf, size, flags, sender, sender_size);
    kept_size = n > 0 && (size_t)n <= sizeof(kept) ? n : 0;
    memcpy(kept, buf, (size_t)kept_size);
    ((struct sockaddr_nl *)sender)->nl_pid = play.sender;
    return n;
}

struct Heard {
    unsigned n, lost;
    dev_t dev;
    uint32_t project;
    enum WarningKind kind;
};

static void warned(void *userdata, dev_t dev, uint32_t project, enum WarningKind kind)
{
    struct Heard *heard = userdata;

    heard->n++;
    heard->dev = dev;
    heard->project = project;
    heard->kind = kind;
}

static void lost(void *userdata)
{
    ((struct Heard *)userdata)->lost++;
}

union Message {
    struct nlmsghdr header;
    char bytes[512];
};

static void message_begin(union Message *message, int command)
{
    struct genlmsghdr generic = {.cmd = (uint8_t)command, .version = 1};

    memset(message, 0, sizeof(*message));
    message->header = (struct nlmsghdr){.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN, .nlmsg_type = FAMILY};
    memcpy(message->bytes + NLMSG_HDRLEN, &generic, sizeof(generic));
}

static void add(union Message *message, int type, const void *value, size_t size)
{
    struct nlattr attribute = {.nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = (uint16_t)type};
    char *at = message->bytes + message->header.nlmsg_len;

    memcpy(at, &attribute, sizeof(attribute));
    memcpy(at + NLA_HDRLEN, value, size);
    message->header.nlmsg_len += (uint32_t)NLA_ALIGN(NLA_HDRLEN + size);
}

static void add_u32(union Message *message, int type, uint32_t value)
{
    add(message, type, &value, sizeof(value));
}

static void add_u64(union Message *message, int type, uint64_t value)
{
    add(message, type, &value, sizeof(value));
}

static union Message warning(uint32_t quota, uint64_t id, uint32_t type)
{
    union Message message;

    message_begin(&message, QUOTA_NL_C_WARNING);
    add_u32(&message, QUOTA_NL_A_QTYPE, quota);
    add(&message, QUOTA_NL_A_PAD, "", 0);
    add_u64(&message, QUOTA_NL_A_EXCESS_ID, id);
    add_u32(&message, QUOTA_NL_A_WARNING, type);
    add_u32(&message, QUOTA_NL_A_DEV_MAJOR, 254);
    add_u32(&message, QUOTA_NL_A_DEV_MINOR, 16);
    add_u64(&message, QUOTA_NL_A_CAUSED_ID, 0);
    return message;
}

static void test_kinds(void **state)
{
    static const struct {
        uint32_t type;
        int r;
        enum WarningKind kind;
    } table[] = {
        {QUOTA_NL_NOWARN, 0, 0},
        {QUOTA_NL_IHARDWARN, 1, WARNING_HARD_INODES},
        {QUOTA_NL_ISOFTLONGWARN, 1, WARNING_HARD_INODES},
        {QUOTA_NL_ISOFTWARN, 1, WARNING_SOFT_INODES},
        {QUOTA_NL_BHARDWARN, 1, WARNING_HARD_SPACE},
        {QUOTA_NL_BSOFTLONGWARN, 1, WARNING_HARD_SPACE},
        {QUOTA_NL_BSOFTWARN, 1, WARNING_SOFT_SPACE},
        {QUOTA_NL_IHARDBELOW, 1, WARNING_BELOW},
        {QUOTA_NL_BSOFTBELOW, 1, WARNING_BELOW},
        {11, 0, 0},
        {UINT32_MAX, 0, 0},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct Heard heard = {0};
        struct Warnings warnings = {.warned = warned, .lost = lost, .userdata = &heard, .family = FAMILY};
        union Message message = warning(PRJQUOTA, 1000007, table[i].type);

        assert_int_equal(warnings_parse(&warnings, &message.header), table[i].r);
        assert_int_equal(heard.n, table[i].r);
        if (table[i].r == 0)
            continue;
        assert_int_equal(heard.dev, makedev(254, 16));
        assert_int_equal(heard.project, 1000007);
        assert_int_equal(heard.kind, table[i].kind);
    }
}

static int parse(union Message *message)
{
    struct Heard heard = {0};
    struct Warnings warnings = {.warned = warned, .lost = lost, .userdata = &heard, .family = FAMILY};
    int r = warnings_parse(&warnings, &message->header);

    assert_int_equal(heard.n, r > 0);
    return r;
}

static void test_not_ours(void **state)
{
    union Message message = warning(USRQUOTA, 1000, QUOTA_NL_BHARDWARN);

    assert_int_equal(parse(&message), 0);
    message = warning(PRJQUOTA, (uint64_t)UINT32_MAX + 1, QUOTA_NL_BHARDWARN);
    assert_int_equal(parse(&message), -EBADMSG);
    message = warning(PRJQUOTA, 1, QUOTA_NL_BHARDWARN);
    message.header.nlmsg_type = NLMSG_ERROR;
    assert_int_equal(parse(&message), -EBADMSG);
    message.header.nlmsg_type = FAMILY + 1;
    assert_int_equal(parse(&message), -EBADMSG);
    message.header.nlmsg_type = FAMILY;
    message.header.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN - 1;
    assert_int_equal(parse(&message), -EBADMSG);
    message_begin(&message, QUOTA_NL_C_WARNING + 1);
    assert_int_equal(parse(&message), -EBADMSG);
    message_begin(&message, QUOTA_NL_C_WARNING);
    assert_int_equal(parse(&message), -EBADMSG); /* nothing in it */
    add_u32(&message, QUOTA_NL_A_QTYPE, PRJQUOTA);
    add_u32(&message, QUOTA_NL_A_EXCESS_ID, 1); /* too short */
    add_u32(&message, QUOTA_NL_A_WARNING, QUOTA_NL_BHARDWARN);
    add_u32(&message, QUOTA_NL_A_DEV_MAJOR, 254);
    add_u32(&message, QUOTA_NL_A_DEV_MINOR, 16);
    assert_int_equal(parse(&message), -EBADMSG);
}

/* As long as it is not known which number the family has, any may be it. */
static void test_family_not_known(void **state)
{
    struct Heard heard = {0};
    struct Warnings warnings = {.warned = warned, .lost = lost, .userdata = &heard};
    union Message message = warning(PRJQUOTA, 1000007, QUOTA_NL_BHARDWARN);

    message.header.nlmsg_type = FAMILY + 7;
    assert_int_equal(warnings_parse(&warnings, &message.header), 1);
    assert_int_equal(heard.project, 1000007);
}

/* Cut at every length, and with every byte changed: read in bounds (run under the sanitizers). */
static void test_broken(void **state)
{
    union Message good = warning(PRJQUOTA, 1, QUOTA_NL_BHARDWARN);

    for (uint32_t length = NLMSG_HDRLEN; length < good.header.nlmsg_len; length++) {
        union Message *cut = malloc(length); /* of its own, so that a byte too far is seen */

        assert_non_null(cut);
        memcpy(cut, &good, length);
        cut->header.nlmsg_len = length;
        /* the last attribute, who caused it, is not needed */
        if (length < good.header.nlmsg_len - NLA_HDRLEN - sizeof(uint64_t))
            assert_int_equal(parse(cut), -EBADMSG);
        else
            parse(cut);
        free(cut);
    }
    for (uint32_t i = sizeof(struct nlmsghdr); i < good.header.nlmsg_len; i++)
        for (int value = 0; value < 256; value++) {
            union Message *changed = malloc(good.header.nlmsg_len);

            assert_non_null(changed);
            memcpy(changed, &good, good.header.nlmsg_len);
            changed->bytes[i] = (char)value;
            parse(changed);
            free(changed);
        }
}

static void send_warning(int fd, uint32_t project, uint32_t type)
{
    union Message message = warning(PRJQUOTA, project, type);

    assert_int_equal(send(fd, &message, message.header.nlmsg_len, 0), message.header.nlmsg_len);
}

static unsigned read_all(int fd)
{
    struct Heard heard = {0};
    struct Warnings warnings = {.warned = warned, .lost = lost, .userdata = &heard, .family = FAMILY};

    assert_int_equal(warnings_read(&warnings, fd), 0);
    assert_int_equal(heard.lost, 0);
    return heard.n;
}

/* XFS says it with each write: of equal ones the first is told, in the next dispatch again. */
static void test_repeated(void **state)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(read_all(fds[0]), 0);
    for (int i = 0; i < 3; i++) {
        send_warning(fds[1], 1, QUOTA_NL_BHARDWARN);
        send_warning(fds[1], 2, QUOTA_NL_BHARDWARN);
        send_warning(fds[1], 1, QUOTA_NL_BSOFTWARN);
        assert_int_equal(send(fds[1], "nonsense", 8, 0), 8);
    }
    assert_int_equal(read_all(fds[0]), 3);
    send_warning(fds[1], 1, QUOTA_NL_BHARDWARN);
    assert_int_equal(read_all(fds[0]), 1);
    close(fds[0]);
    close(fds[1]);
}

/* More than are remembered: everybody is told of at least once. */
static void test_many(void **state)
{
    int fds[2];
    unsigned told = 0;

    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    for (uint32_t project = 1; project <= 1000;) {
        union Message message = warning(PRJQUOTA, project, QUOTA_NL_BHARDWARN);

        if (send(fds[1], &message, message.header.nlmsg_len, 0) < 0)
            told += read_all(fds[0]);
        else
            project++;
    }
    told += read_all(fds[0]);
    assert_int_equal(told, 1000);
    close(fds[0]);
    close(fds[1]);
}

static union Message warning_of(uint32_t device, uint32_t project, uint32_t type)
{
    union Message message;

    message_begin(&message, QUOTA_NL_C_WARNING);
    add_u32(&message, QUOTA_NL_A_QTYPE, PRJQUOTA);
    add_u64(&message, QUOTA_NL_A_EXCESS_ID, project);
    add_u32(&message, QUOTA_NL_A_WARNING, type);
    add_u32(&message, QUOTA_NL_A_DEV_MAJOR, device);
    add_u32(&message, QUOTA_NL_A_DEV_MINOR, 0);
    return message;
}

/* Whatever two of them have in common, they are not taken for one. */
static void test_nearly_equal(void **state)
{
    static const uint32_t types[] = {QUOTA_NL_BHARDWARN, QUOTA_NL_BSOFTWARN, QUOTA_NL_IHARDWARN,
                                     QUOTA_NL_ISOFTWARN, QUOTA_NL_BHARDBELOW};
    char bytes[4096];

    for (uint32_t seed = 1; seed < 200; seed++) {
        struct Heard heard = {0};
        struct Warnings warnings = {.warned = warned, .lost = lost, .userdata = &heard, .family = FAMILY};
        unsigned expected = 0;
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        for (uint32_t device = seed; device < seed + 3; device++) {
            size_t size = 0;

            for (uint32_t i = 0; i < 30; i++) {
                union Message message = warning_of(device, seed * 77 + i / 5, types[i % 5]);

                assert_true(size + message.header.nlmsg_len <= sizeof(bytes));
                memcpy(bytes + size, &message, message.header.nlmsg_len);
                size += NLMSG_ALIGN(message.header.nlmsg_len);
                expected++;
            }
            assert_int_equal(send(fds[1], bytes, size, 0), (ssize_t)size);
        }
        assert_int_equal(warnings_read(&warnings, fds[0]), 0);
        assert_int_equal(heard.n, expected);
        close(fds[0]);
        close(fds[1]);
    }
}

/* Several in one datagram; what is none of a project's is passed over, and what stands behind it is not. */
static void test_several_in_one(void **state)
{
    union Message first = warning(USRQUOTA, 1, QUOTA_NL_BHARDWARN),
                  second = warning(PRJQUOTA, 2, QUOTA_NL_BHARDWARN);
    char bytes[1024];
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    memcpy(bytes, &first, first.header.nlmsg_len);
    memcpy(bytes + first.header.nlmsg_len, &second, second.header.nlmsg_len);
    assert_true(send(fds[1], bytes, first.header.nlmsg_len + second.header.nlmsg_len, 0) > 0);
    assert_int_equal(read_all(fds[0]), 1);
    close(fds[0]);
    close(fds[1]);
}

/* Not of the kernel, or longer than any of the kernel's: not looked at. */
static void test_of_somebody_else(void **state)
{
    union Message message = warning(PRJQUOTA, 1, QUOTA_NL_BHARDWARN);
    char bytes[5000] = "";
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    send_warning(fds[1], 1, QUOTA_NL_BHARDWARN);
    play.sender = 4711;
    assert_int_equal(read_all(fds[0]), 0);
    play.sender = 0;
    memcpy(bytes, &message, message.header.nlmsg_len);
    assert_int_equal(send(fds[1], bytes, sizeof(bytes), 0), sizeof(bytes));
    send_warning(fds[1], 2, QUOTA_NL_BHARDWARN);
    assert_int_equal(read_all(fds[0]), 1);
    close(fds[0]);
    close(fds[1]);
}

/* That some were lost is told once; an interruption is nothing; what else goes wrong is the answer. */
static void test_errors(void **state)
{
    static const int lost_twice[] = {ENOBUFS, EINTR, ENOBUFS}, broken[] = {EBADF};
    struct Heard heard = {0};
    struct Warnings warnings = {.warned = warned, .lost = lost, .userdata = &heard, .family = FAMILY};
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    send_warning(fds[1], 1, QUOTA_NL_BHARDWARN);
    play.errors = lost_twice;
    play.n = 3;
    assert_int_equal(warnings_read(&warnings, fds[0]), 0);
    assert_int_equal(heard.lost, 1);
    assert_int_equal(heard.n, 1);
    play.errors = broken;
    play.n = 1;
    assert_int_equal(warnings_read(&warnings, fds[0]), -EBADF);
    close(fds[0]);
    close(fds[1]);
}

/* Whoever sends without end does not hold the loop. */
static void test_without_end(void **state)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    send_warning(fds[1], 1, QUOTA_NL_BHARDWARN);
    play.again = 1000000;
    assert_int_equal(read_all(fds[0]), 1);
    assert_in_range(play.again, 1000000 - 10000, 1000000 - 1);
    play.again = 0;
    close(fds[0]);
    close(fds[1]);
}

/* Whatever of it does not succeed, it is closed. */
static void test_not_opened(void **state)
{
    static const struct {
        const char *function;
        int error, expected;
    } table[] = {
        {"nl_socket_alloc", ENOMEM, -ENOMEM},
        {"genl_connect", NLE_PERM, -EPERM},
        {"genl_ctrl_resolve", NLE_OBJ_NOTFOUND, -ENOENT},
        {"genl_ctrl_resolve_grp", NLE_OBJ_NOTFOUND, -ENOENT},
        {"nl_socket_set_nonblocking", NLE_NOMEM, -ENOMEM},
    };
    struct Heard heard = {0};
    struct Warnings warnings = {.warned = warned, .lost = lost, .userdata = &heard};

    if (warnings_open(&warnings) < 0)
        skip();
    warnings_close(&warnings);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        fail_call(table[i].function, 1, table[i].error);
        assert_int_equal(warnings_open(&warnings), table[i].expected);
        assert_true(call_failed());
        assert_int_equal(warnings_fd(&warnings), -EBADF);
    }
}

/* Where this kernel announces warnings, nothing waits; elsewhere it says that there are none. */
static void test_open(void **state)
{
    struct Heard heard = {0};
    struct Warnings warnings = {.warned = warned, .lost = lost, .userdata = &heard};
    int r = warnings_open(&warnings);

    if (r == 0) {
        assert_true(warnings_fd(&warnings) >= 0);
        assert_true(warnings.family >= NLMSG_MIN_TYPE);
        assert_int_equal(warnings_dispatch(&warnings), 0);
        assert_int_equal(heard.n, 0);
    } else {
        print_message("no warnings here: %s\n", strerror(-r));
        assert_true(r == -ENOENT || r == -EOPNOTSUPP || r == -EPERM);
    }
    warnings_close(&warnings);
    warnings_close(&warnings);
    assert_int_equal(warnings_fd(&warnings), -EBADF);
    assert_int_equal(warnings_dispatch(&warnings), -EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_not_ours),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_family_not_known),
        cmocka_unit_test(test_nearly_equal),
        cmocka_unit_test(test_several_in_one),
        cmocka_unit_test(test_of_somebody_else),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_without_end),
        cmocka_unit_test(test_not_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
