#include "act/whiteout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"

/* Whoever fills that directory is not to hold us up: a whiteout is among the first. */
#define ENTRIES_MAX 4096

static int open_work(const char *work)
{
    const struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK,
                                 .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    _cleanup_free_ char *path = NULL;
    long fd;

    if (asprintf(&path, "%s/work", work) < 0)
        return -ENOMEM;
    fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
    return fd < 0 ? negative_errno() : (int)fd;
}

/* Where the filesystem does not know when it was born, it may be of now. */
static int is_whiteout(int dir_fd, const char *name, usec_t since_usec)
{
    struct statx status;

    if (statx(dir_fd, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_BTIME, &status) < 0 ||
        !S_ISCHR(status.stx_mode) || status.stx_rdev_major != 0 || status.stx_rdev_minor != 0)
        return 0;
    return !(status.stx_mask & STATX_BTIME) ||
           (usec_t)status.stx_btime.tv_sec * USEC_PER_SEC + status.stx_btime.tv_nsec / 1000 >= since_usec;
}

int whiteout_find(const char *work, usec_t since_usec)
{
    _cleanup_dir_ DIR *dir = NULL;
    const struct dirent *entry;
    int fd = open_work(work), found = 0;

    if (fd < 0)
        return fd;
    dir = fdopendir(fd);
    if (!dir) {
        found = negative_errno();
        close(fd);
        return found;
    }
    for (size_t i = 0; i < ENTRIES_MAX && found == 0 && (entry = readdir(dir)); i++)
        found = is_whiteout(fd, entry->d_name, since_usec);
    return found;
}
