/* The filesystems of this host that tenants can write to, and whether the kernel can count projects on them.
 *
 * A filesystem is found in the mount table when one of its mounts lies on, above or below a root
 * (DiskRoots=), or when it is asked for by number. libudev names its device by UUID and label. Project quota
 * is probed by quotactl_fd(2), never guessed from mount options. Nothing is kept open: a descriptor would
 * keep the filesystem from being unmounted; every call opens the mount point anew and checks the device
 * number. A change of the mount table is announced by the kernel (POLLPRI on mountinfo); block devices by
 * udev. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/mounts.h"
#include "model/disk.h"

struct HostFindings;

struct Filesystem {
    dev_t dev;
    char *path;   /* of one of its writable mounts (any, if none is), preferring the filesystem's own root;
                     owned */
    char *type;   /* xfs, ext4 */
    char *device; /* /dev/vdb, owned */
    char uuid[64], label[128]; /* "" where unknown */
    bool guarded;              /* project quota is on, and enforced */
    bool read_only;
    bool gone;     /* no longer mounted; kept so that what was on it can be told */
    char why[256]; /* not guarded: why, and what to do (mount option, tune2fs, mkfs line); "" */
    bool repeats;  /* announces each write over a limit (XFS), not only the crossing */
};

struct Filesystems {
    struct Filesystem *list; /* owned */
    size_t n;
    struct Mounts mounts; /* of this host, at the last load */
    int mountinfo_fd;     /* POLLPRI: the table changed */
    char *mountinfo;      /* "/proc/self/mountinfo"; tests name another */
    struct udev *udev;    /* may be NULL: names are missing then */
    struct udev_monitor *monitor;
};

/* Opens what announces; loads nothing. `mountinfo`: NULL for the host's own. Without udev it goes on. */
int filesystems_open(struct Filesystems *filesystems, const char *mountinfo);
void filesystems_close(struct Filesystems *filesystems);

/* Reads the mount table and probes every filesystem that holds a root or is below one. What was known and is
 * mounted no more stays as `gone`. `ret_changed` (or NULL): something is new, gone, or guarded otherwise than
 * before. */
int filesystems_load(struct Filesystems *filesystems, char *const *roots, bool *ret_changed);
/* Also one that holds no root, and one that is gone; NULL: not mounted here, or no memory. Valid until the
 * next call that is not const. */
const struct Filesystem *filesystem_find(struct Filesystems *filesystems, dev_t dev);

/* To be polled: POLLPRI on the first (-EBADF when the table is a plain file), input on the second (-EBADF
 * without udev). After either: filesystems_drain(), then filesystems_load(). */
int filesystems_mount_fd(const struct Filesystems *filesystems);
int filesystems_udev_fd(const struct Filesystems *filesystems);
void filesystems_drain(struct Filesystems *filesystems);

/* One for each filesystem (sense/host.h): that it is guarded, or why not and what to do. */
void filesystem_findings(const struct Filesystems *filesystems, struct HostFindings *findings);

/* Free and all space and inodes (statfs). Free is what is left to users that are not root. */
int filesystem_room(const struct Filesystem *filesystem, struct DiskShare *share);

/* --- projects on it ------------------------------------------------------------------------------- */

/* What the kernel counts and enforces for one project. A project that nobody uses is all zero.
 * -ENODEV: another filesystem is mounted there now; -ESRCH, -ENOTSUP: no project quota. */
int quota_read(const struct Filesystem *filesystem, uint32_t project, struct DiskUsage *ret);
/* Both, filesystem_room() and quota_read() of the share's project, with one open. */
int filesystem_measure(const struct Filesystem *filesystem, struct DiskShare *share);
/* Every project from `first` on that has usage or limits. Stops when `each` returns non-zero, and returns
 * that. One open for all. */
int quota_for_each(const struct Filesystem *filesystem, uint32_t first,
                   int (*each)(void *userdata, uint32_t project, const struct DiskUsage *usage),
                   void *userdata);
