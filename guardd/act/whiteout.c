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

static int is_whiteout(int dir_fd, const char *name)
{
    struct stat status;

    return fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(status.st_mode) &&
           status.st_rdev == 0;
}

int whiteout_find(const char *work)
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
        found = is_whiteout(fd, entry->d_name);
    return found;
}
