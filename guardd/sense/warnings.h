/* Quota warnings of the kernel, by generic netlink (family VFS_DQUOT, group "events"; libnl-genl): that a
 * project crossed its soft limit, or was refused at a hard one. XFS repeats a message for each write over a
 * limit: what waits is read in one go, of equal ones only the first is told, and the caller limits how often
 * it reads. The kernel sends them in the first network namespace only. ENOBUFS: some were lost, look at
 * everybody. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct nl_sock;

enum WarningKind {
    WARNING_SOFT_SPACE, /* crossed, or wrote above it */
    WARNING_SOFT_INODES,
    WARNING_HARD_SPACE, /* refused: at the hard limit, or at a soft one whose grace time is over */
    WARNING_HARD_INODES,
    WARNING_BELOW, /* some limit is kept again (not XFS) */
};

struct Warnings {
    struct nl_sock *socket; /* NULL: closed */
    int family;             /* what its messages are numbered; 0: not known */
    /* Told of each different (device, project, kind) of one dispatch once. */
    void (*warned)(void *userdata, dev_t dev, uint32_t project, enum WarningKind kind);
    void (*lost)(void *userdata);
    void *userdata;
};

/* -ENOENT, -EOPNOTSUPP: this kernel announces none (CONFIG_QUOTA_NETLINK_INTERFACE). The fields are the
 * caller's to set before. */
int warnings_open(struct Warnings *warnings);
void warnings_close(struct Warnings *warnings);
int warnings_fd(const struct Warnings *warnings); /* -EBADF when closed */
/* Reads what waits, a bounded number of messages. Allocates nothing. */
int warnings_dispatch(struct Warnings *warnings);
/* The same of any socket of datagrams, for tests. */
int warnings_read(struct Warnings *warnings, int fd);
/* The part that a test gives its bytes to: one netlink message, header included, all of nlmsg_len readable.
 * 1: told; 0: not of a project, or of no kind that we know; -EBADMSG: it is no warning. */
struct nlmsghdr;
int warnings_parse(struct Warnings *warnings, struct nlmsghdr *message);
