/* A load takes the mount table anew, looks again at every filesystem that is known and takes in those that
 * hold a root or lie below one. What stands in a filesystem's entry is therefore never older than the last
 * load; what a share is read from is asked of the kernel at that moment (sense/quota.c). */
#include "sense/filesystem.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <libudev.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "sense/host.h"
#include "sense/quota.h"

/* Of devices announced, read in one go. */
#define DRAIN_MAX 1024
/* What comes and goes (loop devices) must not be remembered without end. */
#define GONE_MAX 64

/* --- which ------------------------------------------------------------------------------------------ */

/* Can have files of a tenant that outlive it and belong to nobody else: no overlay (it writes elsewhere), no
 * tmpfs (that is memory), nothing of the kernel's. */
static bool is_disk(const struct Mount *mount)
{
    static const char *const without_device[] = {"btrfs", "zfs",  "bcachefs", "nfs",
                                                 "nfs4",  "ceph", "cifs",     "virtiofs"};

    if (major(mount->dev) != 0)
        return true;
    for (size_t i = 0; i < sizeof(without_device) / sizeof(without_device[0]); i++)
        if (strcmp(mount->type, without_device[i]) == 0)
            return true;
    return false;
}

static bool is_below(const char *path, const char *root)
{
    size_t n = strlen(root);

    while (n > 0 && root[n - 1] == '/')
        n--;
    return strncmp(path, root, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static struct Filesystem *by_device(const struct Filesystems *filesystems, dev_t dev)
{
    for (size_t i = 0; i < filesystems->n; i++)
        if (filesystems->list[i].dev == dev)
            return &filesystems->list[i];
    return NULL;
}

static unsigned mount_rank(const struct Mount *mount)
{
    return (mount->read_only ? 0U : 2U) + (strcmp(mount->root, "/") == 0 ? 1U : 0U);
}

/* The mount to go through: writable before read-only, of the whole before a part; NULL: none is seen. */
static const struct Mount *best_mount(const struct Mounts *mounts, dev_t dev)
{
    const struct Mount *best = NULL;

    for (size_t i = 0; i < mounts->n; i++) {
        const struct Mount *mount = &mounts->list[i];

        if (mount->dev == dev && (!best || mount_rank(mount) > mount_rank(best)) &&
            mounts_holding(mounts, mount->path) == mount)
            best = mount;
    }
    return best;
}

/* --- what is said of it ------------------------------------------------------------------------------ */

static __attribute__((format(printf, 2, 3))) void unguarded(struct Filesystem *filesystem, const char *format,
                                                            ...)
{
    va_list args;

    filesystem->guarded = false;
    va_start(args, format);
    vsnprintf(filesystem->why, sizeof(filesystem->why), format, args);
    va_end(args);
}

static void explain_xfs(struct Filesystem *filesystem, enum QuotaState state)
{
    if (state == QUOTA_COUNTED)
        unguarded(filesystem,
                  "project quota is counted but not enforced: xfs_quota -x -c 'enable -p' %.60s turns it on "
                  "now, the mount option prjquota instead of pqnoenforce for good",
                  filesystem->path);
    else
        unguarded(filesystem,
                  "mounted without project quota: guarding its space needs the mount option prjquota (in "
                  "/etc/fstab; a remount cannot turn it on; for the root filesystem rootflags=prjquota on "
                  "the kernel's command line)");
}

static void explain_ext4(struct Filesystem *filesystem, enum QuotaState state)
{
    if (state == QUOTA_COUNTED)
        unguarded(filesystem,
                  "project quota is counted but not enforced: quotaon -P %.80s turns it on now, the mount "
                  "option prjquota (in /etc/fstab) for good",
                  filesystem->path);
    else
        unguarded(filesystem,
                  "has no project quota: tune2fs -O project,quota %.60s while it is unmounted, then mount it "
                  "with the option prjquota",
                  filesystem->device);
}

static bool counts_projects(const struct Filesystem *filesystem)
{
    return strcmp(filesystem->type, "xfs") == 0 || strcmp(filesystem->type, "ext4") == 0;
}

static void explain_error(struct Filesystem *filesystem, int error)
{
    if (error == -EOPNOTSUPP)
        unguarded(filesystem, "this kernel has no quotactl_fd(2): Linux 5.14 or later is needed");
    else if (error == -ENODEV)
        unguarded(filesystem, "another filesystem is seen at %.150s: unmount that one", filesystem->path);
    else
        unguarded(filesystem,
                  "cannot be asked for its quota (%s) at %.120s: look whether guardd may enter it",
                  strerror(-error), filesystem->path);
}

void filesystem_explain(struct Filesystem *filesystem, int error, enum QuotaState state)
{
    filesystem->guarded = false;
    filesystem->why[0] = '\0';
    if (filesystem->gone)
        unguarded(filesystem, "no longer mounted: mount it again at %.150s", filesystem->path);
    else if (!counts_projects(filesystem))
        unguarded(filesystem,
                  "%.30s cannot limit a directory: xfs or ext4 with project quota is needed (mkfs.xfs, mount "
                  "option prjquota)",
                  filesystem->type);
    else if (error < 0)
        explain_error(filesystem, error);
    else if (state == QUOTA_ENFORCED && filesystem->read_only)
        unguarded(filesystem, "mounted read-only: no limit can be set there. Mount it writable");
    else if (state == QUOTA_ENFORCED)
        filesystem->guarded = true;
    else if (strcmp(filesystem->type, "xfs") == 0)
        explain_xfs(filesystem, state);
    else
        explain_ext4(filesystem, state);
}

static void probe(struct Filesystem *filesystem)
{
    _cleanup_fd_ int fd = -EBADF;
    enum QuotaState state = QUOTA_OFF;
    int r = 0;

    /* Others are not opened: a dead server would hold us. */
    if (!filesystem->gone && counts_projects(filesystem)) {
        r = fd = filesystem_open(filesystem);
        if (fd >= 0)
            r = quota_probe(fd, &state);
    }
    filesystem_explain(filesystem, r, state);
}

static void copy_property(struct udev_device *device, const char *name, char *buf, size_t size)
{
    const char *value = device ? udev_device_get_property_value(device, name) : NULL;

    snprintf(buf, size, "%s", value ? value : "");
}

static int replace(char **text, const char *with)
{
    char *copy;

    if (*text && strcmp(*text, with) == 0)
        return 0;
    copy = strdup(with);
    if (!copy)
        return -ENOMEM;
    free(*text);
    *text = copy;
    return 0;
}

/* udev may not have looked at the device yet, or have seen another filesystem on it (a loop device): the
 * kernel knows what is mounted. Since Linux 6.9. */
static void take_kernels_uuid(struct Filesystem *filesystem)
{
    _cleanup_fd_ int fd = open(filesystem->path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
    struct fsuuid2 found = {};
    struct stat status;
    char *end = filesystem->uuid;

    if (fd < 0 || fstat(fd, &status) < 0 || status.st_dev != filesystem->dev ||
        ioctl(fd, FS_IOC_GETFSUUID, &found) < 0 || found.len != sizeof(found.uuid))
        return;
    for (size_t i = 0; i < sizeof(found.uuid); i++)
        end += sprintf(end, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", found.uuid[i]);
}

static int name_device(struct Filesystem *filesystem, struct udev *udev, const char *source)
{
    struct udev_device *device = udev ? udev_device_new_from_devnum(udev, 'b', filesystem->dev) : NULL;
    const char *node = device ? udev_device_get_devnode(device) : NULL;
    int r;

    copy_property(device, "ID_FS_UUID", filesystem->uuid, sizeof(filesystem->uuid));
    copy_property(device, "ID_FS_LABEL", filesystem->label, sizeof(filesystem->label));
    r = replace(&filesystem->device, node ? node : source);
    if (device)
        udev_device_unref(device);
    return r;
}

/* --- the list --------------------------------------------------------------------------------------- */

static void filesystem_done(struct Filesystem *filesystem)
{
    free(filesystem->path);
    free(filesystem->type);
    free(filesystem->device);
}

/* Brings an entry up to date; `mount` is NULL when it is mounted no more. */
static int look_at(struct Filesystem *filesystem, const struct Mount *mount, struct udev *udev)
{
    int r = 0;

    filesystem->gone = !mount;
    if (mount) {
        filesystem->read_only = mount->read_only;
        filesystem->repeats = strcmp(mount->type, "xfs") == 0;
        r = replace(&filesystem->path, mount->path);
        if (r == 0)
            r = replace(&filesystem->type, mount->type);
        if (r == 0)
            r = name_device(filesystem, udev, mount->source);
        if (r == 0)
            take_kernels_uuid(filesystem);
    }
    if (r == 0)
        probe(filesystem);
    return r;
}

static int add(struct Filesystems *filesystems, const struct Mount *mount)
{
    struct Filesystem added = {.dev = mount->dev}, *larger;
    int r = look_at(&added, mount, filesystems->udev);

    larger = r == 0 ? reallocarray(filesystems->list, filesystems->n + 1, sizeof(*larger)) : NULL;
    if (!larger) {
        filesystem_done(&added);
        return -ENOMEM;
    }
    filesystems->list = larger;
    filesystems->list[filesystems->n++] = added;
    return 0;
}

/* Looks again at one that is known. 1: it is otherwise than before. */
static int look_again(const struct Filesystems *filesystems, struct Filesystem *filesystem)
{
    struct Filesystem before = *filesystem;
    const struct Mount *mount = best_mount(&filesystems->mounts, filesystem->dev);
    bool another = mount && strcmp(mount->type, filesystem->type) != 0;
    int r;

    if (!mount && filesystems->mounts.truncated)
        return 0; /* it may be among those that were not read */
    r = look_at(filesystem, mount, filesystems->udev);
    if (r < 0)
        return r;
    return another || filesystem->gone != before.gone || filesystem->guarded != before.guarded ||
           filesystem->read_only != before.read_only || strcmp(filesystem->uuid, before.uuid) != 0 ||
           strcmp(filesystem->why, before.why) != 0;
}

static void forget_oldest_gone(struct Filesystems *filesystems)
{
    size_t gone = 0;

    for (size_t i = 0; i < filesystems->n; i++)
        gone += filesystems->list[i].gone;
    for (size_t i = 0; i < filesystems->n && gone > GONE_MAX;) {
        if (!filesystems->list[i].gone) {
            i++;
            continue;
        }
        filesystem_done(&filesystems->list[i]);
        filesystems->n--;
        gone--;
        memmove(&filesystems->list[i], &filesystems->list[i + 1],
                (filesystems->n - i) * sizeof(*filesystems->list));
    }
}

/* 1: one was taken in. */
static int take_in(struct Filesystems *filesystems, const struct Mount *mount)
{
    const struct Mount *best;
    int r;

    if (by_device(filesystems, mount->dev))
        return 0;
    best = best_mount(&filesystems->mounts, mount->dev);
    if (!best)
        return 0;
    r = add(filesystems, best);
    return r < 0 ? r : 1;
}

static int take_in_root(struct Filesystems *filesystems, const char *root)
{
    _cleanup_free_ char *real = realpath(root, NULL); /* /var/lib/docker may be a link */
    const char *path = real ? real : root;
    const struct Mount *holding = mounts_holding(&filesystems->mounts, path);
    int added = 0, r = holding ? take_in(filesystems, holding) : 0;

    for (size_t i = 0; r >= 0 && i < filesystems->mounts.n; i++) {
        const struct Mount *mount = &filesystems->mounts.list[i];

        added |= r;
        r = is_below(mount->path, path) && is_disk(mount) ? take_in(filesystems, mount) : 0;
    }
    return r < 0 ? r : added | r;
}

int filesystems_load(struct Filesystems *filesystems, char *const *roots, bool *ret_changed)
{
    struct Mounts mounts;
    int changed = 0, r = mounts_read(filesystems->mountinfo, &mounts);

    if (r < 0)
        return r;
    mounts_done(&filesystems->mounts);
    filesystems->mounts = mounts;
    for (size_t i = 0; r >= 0 && i < filesystems->n; i++) {
        r = look_again(filesystems, &filesystems->list[i]);
        changed |= r > 0;
    }
    for (; r >= 0 && roots && *roots; roots++) {
        r = take_in_root(filesystems, *roots);
        changed |= r > 0;
    }
    if (r < 0)
        return r;
    forget_oldest_gone(filesystems);
    if (ret_changed)
        *ret_changed = changed;
    return 0;
}

const struct Filesystem *filesystem_find(struct Filesystems *filesystems, dev_t dev)
{
    struct Filesystem *known = by_device(filesystems, dev);
    const struct Mount *mount;

    if (known)
        return known;
    mount = best_mount(&filesystems->mounts, dev);
    return mount && add(filesystems, mount) == 0 ? by_device(filesystems, dev) : NULL;
}

/* --- what is announced ------------------------------------------------------------------------------ */

/* Without udev there are no names, and a change of devices is seen when they are mounted. */
static void open_monitor(struct Filesystems *filesystems)
{
    struct udev_monitor *monitor;

    filesystems->udev = udev_new();
    monitor = filesystems->udev ? udev_monitor_new_from_netlink(filesystems->udev, "udev") : NULL;
    if (monitor && (udev_monitor_filter_add_match_subsystem_devtype(monitor, "block", NULL) < 0 ||
                    udev_monitor_enable_receiving(monitor) < 0)) {
        udev_monitor_unref(monitor);
        monitor = NULL;
    }
    filesystems->monitor = monitor;
}

int filesystems_open(struct Filesystems *filesystems, const char *mountinfo)
{
    struct statfs kind;

    *filesystems = (struct Filesystems){.mountinfo_fd = -EBADF};
    filesystems->mountinfo = strdup(mountinfo ? mountinfo : "/proc/self/mountinfo");
    if (!filesystems->mountinfo)
        return -ENOMEM;
    filesystems->mountinfo_fd = open(filesystems->mountinfo, O_RDONLY | O_CLOEXEC);
    if (filesystems->mountinfo_fd < 0) {
        int r = negative_errno();

        filesystems_close(filesystems);
        return r;
    }
    /* A plain file announces nothing, and epoll would not have it. */
    if (fstatfs(filesystems->mountinfo_fd, &kind) < 0 || kind.f_type != PROC_SUPER_MAGIC) {
        fd_close(filesystems->mountinfo_fd);
        filesystems->mountinfo_fd = -EBADF;
    }
    open_monitor(filesystems);
    return 0;
}

void filesystems_close(struct Filesystems *filesystems)
{
    for (size_t i = 0; i < filesystems->n; i++)
        filesystem_done(&filesystems->list[i]);
    free(filesystems->list);
    mounts_done(&filesystems->mounts);
    fd_close(filesystems->mountinfo_fd);
    free(filesystems->mountinfo);
    if (filesystems->monitor)
        udev_monitor_unref(filesystems->monitor);
    if (filesystems->udev)
        udev_unref(filesystems->udev);
    *filesystems = (struct Filesystems){.mountinfo_fd = -EBADF};
}

int filesystems_mount_fd(const struct Filesystems *filesystems)
{
    return filesystems->mountinfo_fd;
}

int filesystems_udev_fd(const struct Filesystems *filesystems)
{
    return filesystems->monitor ? udev_monitor_get_fd(filesystems->monitor) : -EBADF;
}

/* The poll itself took the mount table's announcement. */
void filesystems_drain(struct Filesystems *filesystems)
{
    struct udev_device *device;

    for (int i = 0; filesystems->monitor && i < DRAIN_MAX; i++) {
        device = udev_monitor_receive_device(filesystems->monitor);
        if (!device)
            return;
        udev_device_unref(device);
    }
}

/* --- for people ------------------------------------------------------------------------------------- */

void filesystem_findings(const struct Filesystems *filesystems, struct HostFindings *findings)
{
    for (size_t i = 0; i < filesystems->n; i++) {
        const struct Filesystem *filesystem = &filesystems->list[i];
        char what[sizeof(findings->list[0].what)], name[160] = "";

        snprintf(what, sizeof(what), "disk %.42s", filesystem->path);
        if (filesystem->label[0] != '\0')
            snprintf(name, sizeof(name), " (label %.100s)", filesystem->label);
        else if (filesystem->uuid[0] != '\0')
            snprintf(name, sizeof(name), " (UUID %s)", filesystem->uuid);
        if (filesystem->guarded)
            host_finding(findings, true, what, "%s on %.80s%s, project quota enforced", filesystem->type,
                         filesystem->device, name);
        else
            host_finding(findings, false, what, "%s", filesystem->why);
    }
}
