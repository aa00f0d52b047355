/* projid PATH...          a line `PROJECT FLAGS TYPE PATH` for each file at and below the paths
 * projid set ID[+|-] PATH sets the project id of one file; + sets and - takes off the flag that hands it on
 *
 * FLAGS is `P` for a directory that hands its project on, else `-`. TYPE is `f`, `d`, or for what can carry
 * no project of its own `l`, `p`, `s`, `b`, `c`; its PROJECT is then `-`. No link is followed and no other
 * filesystem entered. Exits 1 when something could not be read; what vanishes meanwhile is no error. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool failed;

static void fail(const char *path)
{
    if (errno == ENOENT)
        return;
    fprintf(stderr, "projid: %s: %s\n", path, strerror(errno));
    failed = true;
}

static char type_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return 'f';
    case S_IFDIR:
        return 'd';
    case S_IFLNK:
        return 'l';
    case S_IFIFO:
        return 'p';
    case S_IFSOCK:
        return 's';
    case S_IFBLK:
        return 'b';
    default:
        return 'c';
    }
}

static void show(int fd, const struct stat *st, const char *path)
{
    struct fsxattr attributes;

    if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0)
        fail(path);
    else
        printf("%u %c %c %s\n", attributes.fsx_projid,
               attributes.fsx_xflags & FS_XFLAG_PROJINHERIT ? 'P' : '-', type_of(st->st_mode), path);
}

static void walk(int dir_fd, const char *name, const char *path, dev_t dev);

/* Takes the descriptor over. */
static void walk_below(int fd, const char *path, dev_t dev)
{
    DIR *dir = fdopendir(fd);
    const struct dirent *entry;

    if (!dir) {
        fail(path);
        close(fd);
        return;
    }
    while ((entry = readdir(dir))) {
        char *below;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (asprintf(&below, "%s/%s", path, entry->d_name) < 0)
            abort();
        walk(dirfd(dir), entry->d_name, below, dev);
        free(below);
    }
    closedir(dir);
}

static void walk(int dir_fd, const char *name, const char *path, dev_t dev)
{
    struct stat st;
    int fd;

    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        fail(path);
        return;
    }
    if (dev != 0 && st.st_dev != dev)
        return;
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        printf("- - %c %s\n", type_of(st.st_mode), path);
        return;
    }
    fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        fail(path);
        return;
    }
    show(fd, &st, path);
    if (S_ISDIR(st.st_mode))
        walk_below(fd, path, st.st_dev);
    else
        close(fd);
}

static int set(const char *id, const char *path)
{
    struct fsxattr attributes;
    char *end;
    unsigned long project = strtoul(id, &end, 10);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 || ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0) {
        fprintf(stderr, "projid: %s: %s\n", path, strerror(errno));
        return EXIT_FAILURE;
    }
    attributes.fsx_projid = (uint32_t)project;
    if (*end == '+')
        attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
    else if (*end == '-')
        attributes.fsx_xflags &= ~(uint32_t)FS_XFLAG_PROJINHERIT;
    if (ioctl(fd, FS_IOC_FSSETXATTR, &attributes) < 0) {
        fprintf(stderr, "projid: %s: %s\n", path, strerror(errno));
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "set") == 0)
        return set(argv[2], argv[3]);
    if (argc < 2) {
        fprintf(stderr, "usage: projid PATH...\n       projid set ID[+|-] PATH\n");
        return 2;
    }
    for (int i = 1; i < argc; i++)
        walk(AT_FDCWD, argv[i], argv[i], 0);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
