/* Project quotas by the commands that were XFS's own and that the kernel's generic layer understands as well
 * (ext4): one struct for both, in basic blocks of 512 bytes.
 *
 * A limit is rounded up to whole blocks, here and again by the filesystem to its own. XFS ignores a soft
 * limit above the hard one without a word, and other filesystems may refuse or round as they like: what
 * counts is what is read back. A project that was never used and gets no limit has no record: that reads as
 * zeroes.
 *
 * The default grace stands at id 0 when it is set; it is read by Q_GETINFO, which both kinds answer. */
#include "act/quota_ops.h"

#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/quota.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"

#define BASIC_BLOCK 512U
#define ROUNDING_MIN 4096U

static int kernel_control(void *userdata, int fd, unsigned command, uint32_t id, void *data)
{
    return syscall(SYS_quotactl_fd, fd, command, id, data) < 0 ? negative_errno() : 0;
}

static const struct QuotaOps kernel_ops = {.control = kernel_control};

static int control(const struct QuotaOps *ops, int fd, int command, uint32_t id, void *data)
{
    int r = ops->control(ops->userdata, fd, QCMD((unsigned)command, PRJQUOTA), id, data);

    /* no quotas in this filesystem, none of it is on, not the one of projects */
    return r == -ENOSYS || r == -EOPNOTSUPP || r == -ENOTTY ? -ESRCH : r;
}

static int filesystem_open(const char *path, dev_t dev)
{
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return negative_errno();
    if (fstat(fd, &st) < 0)
        return negative_errno();
    return st.st_dev == dev ? take_fd(&fd) : -ENODEV;
}

static uint64_t blocks_of(uint64_t bytes)
{
    return bytes / BASIC_BLOCK + (bytes % BASIC_BLOCK != 0);
}

static uint64_t bytes_of(uint64_t blocks)
{
    return blocks > UINT64_MAX / BASIC_BLOCK ? UINT64_MAX : blocks * BASIC_BLOCK;
}

static int order_problem(const struct QuotaOrder *order)
{
    if ((order->grace_sec != 0 || order->ends_grace) && !order->space && !order->inodes)
        return 0;
    if (order->project == 0 || (!order->space && !order->inodes))
        return -EINVAL;
    if (order->space && order->space_hard_bytes > 0 && order->space_soft_bytes > order->space_hard_bytes)
        return -EINVAL;
    if (order->inodes && order->inodes_hard > 0 && order->inodes_soft > order->inodes_hard)
        return -EINVAL;
    return 0;
}

static int limits_write(const struct QuotaOps *ops, int fd, const struct QuotaOrder *order)
{
    struct fs_disk_quota quota = {
        .d_version = FS_DQUOT_VERSION,
        .d_flags = FS_PROJ_QUOTA,
        .d_id = order->project,
    };

    if (order->space) {
        quota.d_fieldmask |= FS_DQ_BHARD | FS_DQ_BSOFT;
        quota.d_blk_hardlimit = blocks_of(order->space_hard_bytes);
        quota.d_blk_softlimit = blocks_of(order->space_soft_bytes);
    }
    if (order->inodes) {
        quota.d_fieldmask |= FS_DQ_IHARD | FS_DQ_ISOFT;
        quota.d_ino_hardlimit = order->inodes_hard;
        quota.d_ino_softlimit = order->inodes_soft;
    }
    return control(ops, fd, Q_XSETQLIM, order->project, &quota);
}

/* -ENOENT, and -ESRCH right after the limits could be written: there is no record, all of it is zero. */
static int limits_read(const struct QuotaOps *ops, int fd, uint32_t project, struct DiskUsage *ret)
{
    struct fs_disk_quota quota = {.d_version = FS_DQUOT_VERSION};
    int r = control(ops, fd, Q_XGETQUOTA, project, &quota);

    if (r == -ENOENT || r == -ESRCH)
        memset(&quota, 0, sizeof(quota));
    else if (r < 0)
        return r;
    *ret = (struct DiskUsage){
        .space_bytes = bytes_of(quota.d_bcount),
        .inodes = quota.d_icount,
        .space_hard_bytes = bytes_of(quota.d_blk_hardlimit),
        .space_soft_bytes = bytes_of(quota.d_blk_softlimit),
        .inodes_hard = quota.d_ino_hardlimit,
        .inodes_soft = quota.d_ino_softlimit,
    };
    return 0;
}

/* What was asked for, or more by less than `rounding`; "none" is exact. */
static bool is_rounded(uint64_t read, uint64_t asked, uint64_t rounding)
{
    if (asked == 0 || read < asked)
        return read == asked;
    return read - asked < rounding;
}

static bool reads_back(int fd, const struct QuotaOrder *order, const struct DiskUsage *usage)
{
    uint64_t rounding = ROUNDING_MIN;
    struct statfs filesystem;

    if (fstatfs(fd, &filesystem) == 0 && filesystem.f_bsize > (long)ROUNDING_MIN)
        rounding = (uint64_t)filesystem.f_bsize;
    if (order->space && (!is_rounded(usage->space_hard_bytes, order->space_hard_bytes, rounding) ||
                         !is_rounded(usage->space_soft_bytes, order->space_soft_bytes, rounding)))
        return false;
    return !order->inodes ||
           (usage->inodes_hard == order->inodes_hard && usage->inodes_soft == order->inodes_soft);
}

static int grace_read(const struct QuotaOps *ops, int fd, uint64_t *ret_space_sec, uint64_t *ret_inodes_sec)
{
    struct if_dqinfo info = {.dqi_valid = 0};
    int r = control(ops, fd, Q_GETINFO, 0, &info);

    if (r < 0)
        return r;
    *ret_space_sec = info.dqi_bgrace;
    *ret_inodes_sec = info.dqi_igrace;
    return 0;
}

static uint32_t seconds_of(uint64_t seconds)
{
    return seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
}

int quota_grace_with(const char *path, dev_t dev, uint32_t space_sec, uint32_t inodes_sec,
                     uint32_t *ret_found_space_sec, uint32_t *ret_found_inodes_sec,
                     const struct QuotaOps *ops)
{
    struct fs_disk_quota quota = {
        .d_version = FS_DQUOT_VERSION,
        .d_flags = FS_PROJ_QUOTA,
        .d_fieldmask = FS_DQ_BTIMER | FS_DQ_ITIMER,
        .d_btimer = (int32_t)space_sec,
        .d_itimer = (int32_t)inodes_sec,
    };
    _cleanup_fd_ int fd = -EBADF;
    uint64_t found_space, found_inodes, space, inodes;
    int r;

    if (space_sec > QUOTA_GRACE_NEVER || inodes_sec > QUOTA_GRACE_NEVER)
        return -EINVAL;
    fd = filesystem_open(path, dev);
    if (fd < 0)
        return fd;
    r = grace_read(ops, fd, &found_space, &found_inodes);
    if (r < 0)
        return r;
    if (found_space != space_sec || found_inodes != inodes_sec) {
        r = control(ops, fd, Q_XSETQLIM, 0, &quota);
        if (r == 0)
            r = grace_read(ops, fd, &space, &inodes);
        if (r == 0 && (space != space_sec || inodes != inodes_sec))
            r = -EBADMSG;
    }
    if (r < 0)
        return r;
    *ret_found_space_sec = seconds_of(found_space);
    *ret_found_inodes_sec = seconds_of(found_inodes);
    return 0;
}

int quota_grace(const char *path, dev_t dev, uint32_t space_sec, uint32_t inodes_sec,
                uint32_t *ret_found_space_sec, uint32_t *ret_found_inodes_sec)
{
    return quota_grace_with(path, dev, space_sec, inodes_sec, ret_found_space_sec, ret_found_inodes_sec,
                            &kernel_ops);
}

/* What somebody else has set is left alone, each of the two. */
static int end_grace(const struct QuotaOrder *order, const struct QuotaOps *ops)
{
    _cleanup_fd_ int fd = filesystem_open(order->path, order->dev);
    uint64_t space, inodes;
    uint32_t found_space_sec, found_inodes_sec;
    int r = fd < 0 ? fd : grace_read(ops, fd, &space, &inodes);

    if (r < 0 || (space != QUOTA_GRACE_NEVER && inodes != QUOTA_GRACE_NEVER))
        return r;
    return quota_grace_with(order->path, order->dev,
                            space == QUOTA_GRACE_NEVER ? QUOTA_GRACE_DEFAULT_SEC : seconds_of(space),
                            inodes == QUOTA_GRACE_NEVER ? QUOTA_GRACE_DEFAULT_SEC : seconds_of(inodes),
                            &found_space_sec, &found_inodes_sec, ops);
}

int quota_set_with(const struct QuotaOrder *order, struct DiskUsage *ret, const struct QuotaOps *ops)
{
    struct DiskUsage usage;
    _cleanup_fd_ int fd = -EBADF;
    uint32_t found_space_sec, found_inodes_sec;
    int r = order_problem(order);

    if (r == 0 && order->grace_sec != 0)
        r = quota_grace_with(order->path, order->dev, order->grace_sec, order->grace_sec, &found_space_sec,
                             &found_inodes_sec, ops);
    if (r == 0 && order->ends_grace)
        r = end_grace(order, ops);
    if (r < 0)
        return r;
    if (!order->space && !order->inodes) {
        *ret = (struct DiskUsage){};
        return 0;
    }
    fd = filesystem_open(order->path, order->dev);
    if (fd < 0)
        return fd;
    r = limits_write(ops, fd, order);
    if (r == 0)
        r = limits_read(ops, fd, order->project, &usage);
    if (r < 0)
        return r;
    if (!reads_back(fd, order, &usage))
        return -EBADMSG;
    *ret = usage;
    return 0;
}

int quota_set(const struct QuotaOrder *order, struct DiskUsage *ret)
{
    return quota_set_with(order, ret, &kernel_ops);
}
