/* Limits of a project on a filesystem, by quotactl_fd(2): no tool is forked, no device node opened. Each call
 * may wait for the filesystem (a journal that is full, a freeze), so that only the worker's thread makes it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/disk.h"

struct QuotaOrder {
    const char *path;   /* of a mount point on it */
    dev_t dev;          /* it must be this filesystem */
    uint32_t project;   /* never 0 */
    bool space, inodes; /* which of the two; neither: the grace alone, and no project is needed */
    uint32_t grace_sec; /* first the default grace of all soft limits there; 0: it stays as it is */
    bool ends_grace;    /* alone: where it is QUOTA_GRACE_NEVER, it is what the kernel begins with */
    uint64_t space_hard_bytes, space_soft_bytes; /* 0: none */
    uint64_t inodes_hard, inodes_soft;
};

/* Sets, reads back into `ret` and compares. -EINVAL for project 0, a soft limit above its hard one; -ENODEV:
 * another filesystem; -ESRCH: no project quota there; -EROFS; -EBADMSG: it reads back as something else.
 * Space is kept in units of 512 bytes (XFS: its block): what is read back may be rounded by less than one of
 * 4096. */
int quota_set(const struct QuotaOrder *order, struct DiskUsage *ret);

/* Default grace of soft limits of all projects of a filesystem (kept at id 0): with QUOTA_GRACE_NEVER no soft
 * limit ever hardens. `ret_found_sec`: what it was. */
#define QUOTA_GRACE_NEVER INT32_MAX
/* What the kernel begins with: a week. */
#define QUOTA_GRACE_DEFAULT_SEC (7 * 24 * 3600)
int quota_grace(const char *path, dev_t dev, uint32_t space_sec, uint32_t inodes_sec,
                uint32_t *ret_found_space_sec, uint32_t *ret_found_inodes_sec);
