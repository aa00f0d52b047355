/* What is outside DiskRoots= is not opened, nor is what could hang in somebody's FUSE or network filesystem.
 * A directory is opened without symbolic links, because whoever owns one above it could make it another one;
 * and of what is open path, device and inode are believed. A file that has other names is nobody's for sure:
 * by one of them it may be another tenant's. */
#include "tenant/findings.h"

#include <dirent.h>
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

static int open_without_links(const struct Findings *findings, const char *path, int flags)
{
    const struct open_how how = {
        .flags = (unsigned)flags | O_CLOEXEC,
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

/* Returns what opening it came to. */
static int look_inside(const struct Findings *findings, dev_t dev, struct Directory *directory)
{
    int flags = directory->kind == DIRECTORY_RUNTIME ? O_PATH : O_PATH | O_DIRECTORY;
    _cleanup_fd_ int fd = open_without_links(findings, directory->path, flags);
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
    if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
        snprintf(directory->why, sizeof(directory->why), "neither a regular file nor a directory");
    if (S_ISREG(st.st_mode) && st.st_nlink > 1)
        snprintf(directory->why, sizeof(directory->why), "has other names");
    directory->dev = st.st_dev;
    directory->inode = st.st_ino;
    return 0;
}

/* May it be opened? */
static bool look_at_path(const struct Findings *findings, struct Directory *directory)
{
    if (!is_plain(directory->path))
        snprintf(directory->why, sizeof(directory->why), "not a plain absolute path");
    if (directory->why[0] == '\0')
        look_at_filesystem(findings, directory);
    if (directory->why[0] == '\0')
        look_at_roots(findings, directory);
    return directory->why[0] == '\0';
}

/* Returns what opening it came to, 0 when it was not tried. */
static int examine(const struct Findings *findings, dev_t dev, struct Directory *directory)
{
    int r = 0;

    if (look_at_path(findings, directory))
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
    bool out = directory->state == DIRECTORY_OUT, told = findings->error < 0;

    for (size_t i = 0; i < findings->n && !told; i++)
        told = stands_for(&findings->list[i], directory);
    if (told) {
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

static int make(struct Findings *findings, enum DirectoryKind kind, const char *path, dev_t dev,
                struct Directory *ret)
{
    struct Directory directory = {.kind = kind, .dev = dev, .path = strdup(path)};
    int r = directory.path ? examine(findings, dev, &directory) : -ENOMEM;

    if (r == -ENOMEM) {
        findings->error = r;
        free(directory.path);
        return r;
    }
    *ret = directory;
    return r;
}

void findings_add(struct Findings *findings, enum DirectoryKind kind, const char *path, dev_t dev)
{
    struct Directory directory;

    if (findings->error == 0 && make(findings, kind, path, dev, &directory) != -ENOMEM)
        keep(findings, &directory);
}

static void keep_out_with(struct Directory *directory, const struct Directory *other)
{
    if (directory->state == DIRECTORY_OUT || other->state != DIRECTORY_OUT)
        return;
    snprintf(directory->why, sizeof(directory->why), "not without %.90s: %.80s", other->path, other->why);
    directory->state = DIRECTORY_OUT;
}

bool findings_add_pair(struct Findings *findings, const char *upper, const char *work, bool quiet)
{
    struct Directory layer = {0}, beside = {0};
    int r = findings->error, of_work = 0;

    if (r >= 0)
        r = make(findings, DIRECTORY_LAYER, upper, 0, &layer);
    if (r != -ENOMEM)
        of_work = make(findings, DIRECTORY_WORK, work, 0, &beside);
    if (findings->error < 0 || (quiet && (r == -ENOENT || of_work == -ENOENT))) {
        free(layer.path);
        free(beside.path);
        return false;
    }
    keep_out_with(&layer, &beside);
    keep_out_with(&beside, &layer);
    keep(findings, &layer);
    keep(findings, &beside);
    return true;
}

static void add_entries(struct Findings *findings, DIR *stream, const char *directory,
                        const char *const *prefixes)
{
    for (const struct dirent *entry; findings->error == 0 && (entry = readdir(stream));)
        for (size_t i = 0; prefixes[i]; i++) {
            _cleanup_free_ char *path = NULL;

            if (strncmp(entry->d_name, prefixes[i], strlen(prefixes[i])) != 0)
                continue;
            if (asprintf(&path, "%s/%s", directory, entry->d_name) < 0) {
                path = NULL;
                findings->error = -ENOMEM;
                return;
            }
            findings_add(findings, DIRECTORY_RUNTIME, path, 0);
        }
}

static int open_listing(const struct Findings *findings, const char *path, DIR **ret)
{
    _cleanup_fd_ int fd = open_without_links(findings, path, O_RDONLY | O_DIRECTORY);

    if (fd < 0)
        return fd;
    *ret = fdopendir(fd);
    if (!*ret)
        return negative_errno();
    take_fd(&fd);
    return 0;
}

void findings_add_beginning(struct Findings *findings, const char *directory, const char *const *prefixes)
{
    struct Directory listed = {.kind = DIRECTORY_RUNTIME};
    _cleanup_free_ char *path = strdup(directory);
    _cleanup_dir_ DIR *stream = NULL;
    int r = 0;

    listed.path = path;
    if (!path)
        r = -ENOMEM;
    else if (look_at_path(findings, &listed))
        r = open_listing(findings, directory, &stream);
    if (r == -ENOMEM)
        findings->error = r;
    else if (r < 0 && r != -ENOENT)
        say_not_opened(r, listed.why, sizeof(listed.why));
    if (stream)
        add_entries(findings, stream, directory, prefixes);
    else if (listed.why[0] != '\0')
        findings_add_out(findings, DIRECTORY_RUNTIME, directory, 0, "%s", listed.why);
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
