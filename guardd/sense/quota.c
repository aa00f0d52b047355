/* All by quotactl_fd(2) with the XFS commands (Q_X...), which the kernel translates for ext4: amounts come in
 * blocks of 512 bytes, whatever the filesystem. The call takes a descriptor opened with O_PATH, so nothing of
 * the filesystem is read to ask it. None of the commands used here writes: they work on a read-only mount. */
#include "sense/quota.h"

#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/quota.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"

#define BLOCK_BYTES 512U

int filesystem_open(const struct Filesystem *filesystem)
{
    _cleanup_fd_ int fd = -EBADF;
    struct stat st;

    if (filesystem->gone || !filesystem->path)
        return -ENODEV;
    fd = open(filesystem->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return negative_errno();
    if (fstat(fd, &st) < 0)
        return negative_errno();
    return st.st_dev == filesystem->dev ? take_fd(&fd) : -ENODEV;
}

static int quotactl_fd(int fd, int command, uint32_t id, void *argument)
{
    return syscall(SYS_quotactl_fd, fd, (unsigned)QCMD(command, PRJQUOTA), id, argument) < 0
               ? negative_errno()
               : 0;
}

/* A kernel that has the call looks at the descriptor first. */
static bool call_is_there(void)
{
    return quotactl_fd(-1, Q_XGETQSTATV, 0, NULL) != -ENOSYS;
}

int quota_probe(int fd, enum QuotaState *ret)
{
    struct fs_quota_statv state = {.qs_version = FS_QSTATV_VERSION1};
    int r = quotactl_fd(fd, Q_XGETQSTATV, 0, &state);

    if (r == -ENOSYS && !call_is_there())
        return -EOPNOTSUPP;
    /* What the kernel says where no quota of any type is on, and of a filesystem that has none. */
    if (r == -ENOSYS || r == -EINVAL || r == -ESRCH || r == -EOPNOTSUPP) {
        *ret = QUOTA_OFF;
        return 0;
    }
    if (r < 0)
        return r;
    if (!(state.qs_flags & FS_QUOTA_PDQ_ACCT))
        *ret = QUOTA_OFF;
    else
        *ret = state.qs_flags & FS_QUOTA_PDQ_ENFD ? QUOTA_ENFORCED : QUOTA_COUNTED;
    return 0;
}

static int room_of(int fd, struct DiskShare *share)
{
    struct statfs room;
    uint64_t unit;

    if (fstatfs(fd, &room) < 0)
        return negative_errno();
    unit = (uint64_t)(room.f_frsize > 0 ? room.f_frsize : room.f_bsize);
    share->free_bytes = room.f_bavail * unit;
    share->size_bytes = room.f_blocks * unit;
    share->free_inodes = room.f_ffree;
    share->all_inodes = room.f_files;
    return 0;
}

int filesystem_room(const struct Filesystem *filesystem, struct DiskShare *share)
{
    _cleanup_fd_ int fd = filesystem_open(filesystem);

    return fd < 0 ? fd : room_of(fd, share);
}

/* --- projects --------------------------------------------------------------------------------------- */

static uint64_t bytes_of(uint64_t blocks)
{
    return blocks > UINT64_MAX / BLOCK_BYTES ? UINT64_MAX : blocks * BLOCK_BYTES;
}

static struct DiskUsage usage_of(const struct fs_disk_quota *quota)
{
    return (struct DiskUsage){
        .space_bytes = bytes_of(quota->d_bcount),
        .inodes = quota->d_icount,
        .space_hard_bytes = bytes_of(quota->d_blk_hardlimit),
        .space_soft_bytes = bytes_of(quota->d_blk_softlimit),
        .inodes_hard = quota->d_ino_hardlimit,
        .inodes_soft = quota->d_ino_softlimit,
    };
}

/* The kernel's words for "no quota here" made one. */
static int quota_error(int r)
{
    return r == -ENOSYS || r == -EINVAL || r == -EOPNOTSUPP ? -ENOTSUP : r;
}

static int usage_by(int fd, uint32_t project, struct DiskUsage *ret)
{
    struct fs_disk_quota quota = {0};
    int r = quotactl_fd(fd, Q_XGETQUOTA, project, &quota);

    if (r == -ENOENT) { /* XFS: never used */
        *ret = (struct DiskUsage){0};
        return 0;
    }
    if (r < 0)
        return quota_error(r);
    *ret = usage_of(&quota);
    return 0;
}

int quota_read(const struct Filesystem *filesystem, uint32_t project, struct DiskUsage *ret)
{
    _cleanup_fd_ int fd = filesystem_open(filesystem);

    return fd < 0 ? fd : usage_by(fd, project, ret);
}

int filesystem_measure(const struct Filesystem *filesystem, struct DiskShare *share)
{
    _cleanup_fd_ int fd = filesystem_open(filesystem);
    int r = fd < 0 ? fd : usage_by(fd, share->project, &share->usage);

    return r < 0 ? r : room_of(fd, share);
}

static bool is_used(const struct DiskUsage *usage)
{
    return usage->space_bytes || usage->inodes || usage->space_hard_bytes || usage->space_soft_bytes ||
           usage->inodes_hard || usage->inodes_soft;
}

int quota_for_each(const struct Filesystem *filesystem, uint32_t first,
                   int (*each)(void *userdata, uint32_t project, const struct DiskUsage *usage),
                   void *userdata)
{
    _cleanup_fd_ int fd = filesystem_open(filesystem);

    if (fd < 0)
        return fd;
    for (uint32_t project = first;;) {
        struct fs_disk_quota quota = {0};
        struct DiskUsage usage;
        int r = quotactl_fd(fd, Q_XGETNEXTQUOTA, project, &quota);

        if (r == -ENOENT)
            return 0;
        if (r < 0)
            return quota_error(r);
        if (quota.d_id < project)
            return -EBADMSG;
        usage = usage_of(&quota);
        r = is_used(&usage) ? each(userdata, quota.d_id, &usage) : 0;
        if (r != 0 || quota.d_id == UINT32_MAX)
            return r;
        project = quota.d_id + 1;
    }
}
