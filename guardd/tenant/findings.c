/* What is outside DiskRoots= is not opened, nor is what could hang in somebody's FUSE or network filesystem.
 * A directory is opened without symbolic links, because whoever owns one above it could make it another one;
 * and of what is open path, device and inode are believed. */
#include "tenant/findings.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"

/* --- is it one that may count? ------------------------------------------------------------------------ */

/* Is `path` this directory or below it? Roots may be written with a slash at the end. */
static bool is_in(const char *path, const char *above)
{
    size_t length = strlen(above);

    while (length > 0 && above[length - 1] == '/')
        length--;
    return strncmp(path, above, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Absolute, without empty components, "." and "..". */
static bool is_plain(const char *path)
{
    if (path[0] != '/' || strlen(path) >= PATH_MAX)
        return false;
    if (path[1] == '\0')
        return true;
    while (*path == '/') {
        size_t length = strcspn(++path, "/");

        if (length == 0 || (length <= 2 && strspn(path, ".") >= length))
            return false;
        path += length;
    }
    return true;
}

static bool begins_with_one_of(const char *text, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strncmp(text, list[i], strlen(list[i])) == 0)
            return true;
    return false;
}

/* Those that somebody else answers for. */
static bool is_remote(const char *type)
{
    static const char *const types[] = {"fuse", "nfs", "cifs",   "smb",      "ceph",
                                        "9p",   "afs", "lustre", "virtiofs", "glusterfs"};

    return begins_with_one_of(type, types, sizeof(types) / sizeof(types[0]));
}

static void look_at_filesystem(const struct Findings *findings, struct Directory *directory)
{
    const struct Mounts *mounts = findings->sources->mounts;
    const struct Mount *holding = mounts_holding(mounts, directory->path);

    for (size_t i = 0; i < mounts->n; i++)
        if (is_remote(mounts->list[i].type) && is_in(directory->path, mounts->list[i].path)) {
            snprintf(directory->why, sizeof(directory->why), "on %.32s: not a filesystem of this host's own",
                     mounts->list[i].type);
            return;
        }
    if (holding && (strcmp(holding->type, "tmpfs") == 0 || strcmp(holding->type, "ramfs") == 0))
        snprintf(directory->why, sizeof(directory->why), "%s", ON_TMPFS);
}

static void say_outside(const struct Findings *findings, struct Directory *directory)
{
    char *why = directory->why;
    size_t size = sizeof(directory->why), used = (size_t)snprintf(why, size, "outside DiskRoots= (");

    for (char **root = findings->sources->policy->roots; root && *root; root++) {
        size_t length = strlen(*root);

        if (used + length + sizeof(" ...)") > size) {
            used += (size_t)snprintf(why + used, size - used, "...");
            break;
        }
        used += (size_t)snprintf(why + used, size - used, "%s%s", *root, root[1] ? " " : "");
    }
    snprintf(why + used, size - used, ")");
}

static void look_at_roots(const struct Findings *findings, struct Directory *directory)
{
    bool inside = false;

    for (char **root = findings->sources->policy->roots; root && *root; root++) {
        if (is_in(*root, directory->path)) {
            snprintf(directory->why, sizeof(directory->why), "holds %.120s of DiskRoots=: too much for one",
                     *root);
            return;
        }
        inside = inside || is_in(directory->path, *root);
    }
    if (!inside)
        say_outside(findings, directory);
}

static int open_directory(const struct Findings *findings, const char *path)
{
    const struct open_how how = {
        .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    _cleanup_free_ char *full = NULL;
    long fd;

    if (asprintf(&full, "%s%s", findings->sources->root, path) < 0)
        return -ENOMEM;
    fd = syscall(SYS_openat2, AT_FDCWD, full, &how, sizeof(how));
    return fd < 0 ? negative_errno() : (int)fd;
}

static void say_not_opened(int error, char *why, size_t size)
{
    switch (error) {
    case -ELOOP:
        snprintf(why, size,
                 "reached through a symbolic link: name the real path, in DiskRoots= and DiskPath= too");
        break;
    case -ENOENT:
        snprintf(why, size, "no such directory");
        break;
    case -ENOTDIR:
        snprintf(why, size, "a single file");
        break;
    default:
        snprintf(why, size, "cannot be opened: %.100s", strerrordesc_np(-error));
    }
}

/* Returns what opening it came to, 0 when it was not tried. */
static int look_inside(const struct Findings *findings, dev_t dev, struct Directory *directory)
{
    _cleanup_fd_ int fd = open_directory(findings, directory->path);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        int r = fd < 0 ? fd : negative_errno();

        say_not_opened(r, directory->why, sizeof(directory->why));
        return r;
    }
    if (dev != 0 && st.st_dev != dev) {
        snprintf(directory->why, sizeof(directory->why), "covered by another mount");
        return -EXDEV;
    }
    directory->dev = st.st_dev;
    directory->inode = st.st_ino;
    return 0;
}

static int examine(const struct Findings *findings, dev_t dev, struct Directory *directory)
{
    int r = 0;

    if (!is_plain(directory->path))
        snprintf(directory->why, sizeof(directory->why), "not a plain absolute path");
    if (directory->why[0] == '\0')
        look_at_filesystem(findings, directory);
    if (directory->why[0] == '\0')
        look_at_roots(findings, directory);
    if (directory->why[0] == '\0')
        r = look_inside(findings, dev, directory);
    directory->state = directory->why[0] == '\0' ? DIRECTORY_WAITING : DIRECTORY_OUT;
    return r;
}

/* --- the list ------------------------------------------------------------------------------------------ */

/* Is `inner` told of, or counted, by what is told of `outer`? */
static bool stands_for(const struct Directory *outer, const struct Directory *inner)
{
    if (strcmp(outer->path, inner->path) == 0)
        return outer->state != DIRECTORY_OUT || inner->state == DIRECTORY_OUT;
    if (outer->state == DIRECTORY_OUT || outer->dev != inner->dev)
        return false;
    return is_in(inner->path, outer->path) || (inner->inode != 0 && inner->inode == outer->inode);
}

static void remove_stood_for(struct Findings *findings, const struct Directory *by)
{
    size_t kept = 0;

    for (size_t i = 0; i < findings->n; i++) {
        struct Directory *directory = &findings->list[i];

        if (!stands_for(by, directory)) {
            findings->list[kept++] = *directory;
            continue;
        }
        findings->n_out -= directory->state == DIRECTORY_OUT;
        free(directory->path);
    }
    findings->n = kept;
}

static int make_room(struct Findings *findings)
{
    size_t room = findings->room > 0 ? findings->room * 2 : 8;
    struct Directory *list;

    if (findings->n < findings->room)
        return 0;
    list = reallocarray(findings->list, room, sizeof(*list));
    if (!list)
        return -ENOMEM;
    findings->list = list;
    findings->room = room;
    return 0;
}

/* Takes it over, or frees it. */
static void keep(struct Findings *findings, struct Directory *directory)
{
    bool out = directory->state == DIRECTORY_OUT;

    for (size_t i = 0; i < findings->n; i++)
        if (stands_for(&findings->list[i], directory)) {
            free(directory->path);
            return;
        }
    remove_stood_for(findings, directory);
    if (out ? findings->n_out >= FINDINGS_OUT_MAX : findings->n - findings->n_out >= FINDINGS_MAX) {
        findings->dropped++;
        free(directory->path);
        return;
    }
    findings->error = make_room(findings);
    if (findings->error < 0) {
        free(directory->path);
        return;
    }
    findings->list[findings->n++] = *directory;
    findings->n_out += out;
}

static void add(struct Findings *findings, enum DirectoryKind kind, const char *path, dev_t dev, bool quiet)
{
    struct Directory directory = {.kind = kind, .dev = dev};
    int r;

    if (findings->error < 0)
        return;
    directory.path = strdup(path);
    r = directory.path ? examine(findings, dev, &directory) : -ENOMEM;
    if (r == -ENOMEM)
        findings->error = r;
    if (r == -ENOMEM || (r == -ENOENT && quiet))
        free(directory.path);
    else
        keep(findings, &directory);
}

void findings_add(struct Findings *findings, enum DirectoryKind kind, const char *path, dev_t dev)
{
    add(findings, kind, path, dev, false);
}

void findings_add_if_there(struct Findings *findings, enum DirectoryKind kind, const char *path, dev_t dev)
{
    add(findings, kind, path, dev, true);
}

void findings_add_out(struct Findings *findings, enum DirectoryKind kind, const char *path, dev_t dev,
                      const char *format, ...)
{
    struct Directory directory = {.kind = kind, .dev = dev, .state = DIRECTORY_OUT};
    va_list arguments;

    if (findings->error < 0)
        return;
    va_start(arguments, format);
    vsnprintf(directory.why, sizeof(directory.why), format, arguments);
    va_end(arguments);
    directory.path = strdup(path);
    if (directory.path)
        keep(findings, &directory);
    else
        findings->error = -ENOMEM;
}

/* One line for all that did not fit. */
static void add_dropped(struct Findings *findings)
{
    struct Directory directory = {.kind = DIRECTORY_VOLUME, .state = DIRECTORY_OUT};

    if (findings->dropped == 0 || findings->error < 0)
        return;
    snprintf(directory.why, sizeof(directory.why), "%zu more are left out: %d directories may count",
             findings->dropped, FINDINGS_MAX);
    findings->error = make_room(findings);
    directory.path = findings->error == 0 ? strdup("(more)") : NULL;
    if (directory.path)
        findings->list[findings->n++] = directory;
    else
        findings->error = -ENOMEM;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct Directory *)a)->path, ((const struct Directory *)b)->path);
}

int findings_take(struct Findings *findings, struct Directory **ret_list, size_t *ret_n)
{
    add_dropped(findings);
    if (findings->error < 0)
        return findings->error;
    if (findings->n > 1)
        qsort(findings->list, findings->n, sizeof(*findings->list), by_path);
    *ret_list = take_ptr(findings->list);
    *ret_n = findings->n;
    findings->n = 0;
    return 0;
}

void findings_done(struct Findings *findings)
{
    directories_free(findings->list, findings->n);
    *findings = (struct Findings){0};
}
