/* The file is read whole and bounded, then given to libmount a line at a time: a line that is broken costs
 * itself only. What overlay was told is taken from the raw line, because a comma in a path and one between
 * two options can only be told apart before they are unescaped.
 *
 * Of two mounts the one with the longer mount point is seen, unless something was mounted above it later on:
 * then the table is walked down as the kernel walks, from parent to child. */
#include "base/mounts.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmount.h>

#include "base/cleanup.h"
#include "base/error.h"

/* A host with a thousand containers has some thousands of mounts; the kernel allows 100,000 a namespace,
 * whose owner may be an enemy. */
#define MOUNTS_MAX 16384
#define TABLE_SIZE_MAX (16U * 1024 * 1024)
#define TABLE_SIZE_FIRST (64U * 1024)
/* No sane table nests deeper. */
#define DEPTH_MAX 256

static void mount_done(struct Mount *mount)
{
    free(mount->root);
    free(mount->path);
    free(mount->type);
    free(mount->source);
    free(mount->upper);
    free(mount->work);
    *mount = (struct Mount){0};
}

void mounts_done(struct Mounts *mounts)
{
    for (size_t i = 0; i < mounts->n; i++)
        mount_done(&mounts->list[i]);
    free(mounts->list);
    *mounts = (struct Mounts){0};
}

/* --- reading ---------------------------------------------------------------------------------------- */

/* Of a file that grows while it is read, or is larger than allowed, what is there of it so far. */
static int read_table(int fd, char **ret_text, size_t *ret_length, bool *ret_truncated)
{
    size_t size = TABLE_SIZE_FIRST, length = 0;
    _cleanup_free_ char *text = malloc(size);
    ssize_t n;

    if (!text)
        return -ENOMEM;
    for (;;) {
        n = read(fd, text + length, size - length - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EINVAL ? -ESRCH : negative_errno(); /* EINVAL: it is a zombie */
        length += (size_t)n;
        if (n == 0 || (length == size - 1 && size >= TABLE_SIZE_MAX))
            break;
        if (length == size - 1) {
            char *larger = realloc(text, size * 2);

            if (!larger)
                return -ENOMEM;
            text = larger;
            size *= 2;
        }
    }
    text[length] = '\0';
    *ret_text = take_ptr(text);
    *ret_length = length;
    *ret_truncated = n != 0;
    return 0;
}

static int copy(const char *text, char **ret)
{
    *ret = strdup(text);
    return *ret ? 0 : -ENOMEM;
}

static bool has_option(const char *options, const char *name)
{
    char *value;
    size_t length;

    return mnt_optstr_get_option(options, name, &value, &length) == 0;
}

static bool is_octal(const char *text)
{
    return text[0] >= '0' && text[0] <= '3' && text[1] >= '0' && text[1] <= '7' && text[2] >= '0' &&
           text[2] <= '7';
}

/* The kernel's escapes (\054), then those of overlay (\: and \\, for which the kernel shows \134). */
static void unescape(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; to++) {
        if (*from == '\\' && is_octal(from + 1)) {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0');
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
    to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (from[0] == '\\' && from[1] != '\0')
            from++;
        *to++ = *from;
    }
    *to = '\0';
}

/* The value of `name=` in the options, which are the last field of a line that looks right. */
static int raw_option(const char *line, const char *name, char **ret)
{
    const char *options = line + strlen(line);
    char *value;
    size_t length;

    while (options[-1] != ' ')
        options--;
    *ret = NULL;
    if (mnt_optstr_get_option(options, name, &value, &length) != 0 || !value)
        return 0;
    *ret = strndup(value, length);
    if (!*ret)
        return -ENOMEM;
    unescape(*ret);
    return 0;
}

/* What libmount took has all of its fields. 1: a mount; 0: the line is none. */
static int take_mount(struct libmnt_fs *fs, const char *line, struct Mount *ret)
{
    struct Mount mount = {
        .id = mnt_fs_get_id(fs),
        .parent = mnt_fs_get_parent_id(fs),
        .dev = mnt_fs_get_devno(fs),
        .read_only =
            has_option(mnt_fs_get_vfs_options(fs), "ro") || has_option(mnt_fs_get_fs_options(fs), "ro"),
    };
    const char *path = mnt_fs_get_target(fs), *type = mnt_fs_get_fstype(fs);
    int r = 0;

    if (path[0] != '/')
        return 0;
    if (copy(mnt_fs_get_root(fs), &mount.root) < 0 || copy(path, &mount.path) < 0 ||
        copy(type, &mount.type) < 0 || copy(mnt_fs_get_source(fs), &mount.source) < 0)
        r = -ENOMEM;
    if (r == 0 && strcmp(type, "overlay") == 0) {
        r = raw_option(line, "upperdir", &mount.upper);
        if (r == 0)
            r = raw_option(line, "workdir", &mount.work);
    }
    if (r < 0) {
        mount_done(&mount);
        return r;
    }
    *ret = mount;
    return 1;
}

/* libmount guesses the format by the first line: what does not begin like mountinfo, or does not go on like
 * it to its last fields, is not given to it. */
static bool looks_right(const char *line)
{
    int id, parent, at = 0;

    return sscanf(line, "%9d %9d %*9u:%*9u /%n", &id, &parent, &at) == 2 && at > 0 &&
           strstr(line + at, " - ");
}

static int parse_line(char *line, struct Mount *ret)
{
    _cleanup_file_ FILE *stream = NULL;
    struct libmnt_table *table;
    struct libmnt_fs *fs = NULL;
    int r;

    if (!looks_right(line))
        return 0;
    table = mnt_new_table();
    stream = fmemopen(line, strlen(line), "re");
    if (!table || !stream) {
        mnt_unref_table(table);
        return -ENOMEM;
    }
    /* It looks by the file's name whose table it is, which costs system calls a line, but for this name. */
    r = mnt_table_parse_stream(table, stream, "/");
    if (r == 0 && mnt_table_first_fs(table, &fs) == 0)
        r = take_mount(fs, line, ret);
    else if (r != -ENOMEM)
        r = 0;
    mnt_unref_table(table);
    return r;
}

/* Makes room for one more. */
static int grow(struct Mounts *mounts, size_t *room)
{
    size_t wanted = *room > 0 ? *room * 2 : 64;
    struct Mount *larger;

    if (mounts->n < *room)
        return 0;
    larger = reallocarray(mounts->list, wanted, sizeof(*larger));
    if (!larger)
        return -ENOMEM;
    mounts->list = larger;
    *room = wanted;
    return 0;
}

static int parse_table(char *text, size_t length, struct Mounts *mounts)
{
    size_t room = 0;
    char *line, *end;

    for (line = text; line < text + length; line = end + 1) {
        int r;

        end = memchr(line, '\n', (size_t)(text + length - line));
        if (!end && mounts->truncated)
            break; /* half a line */
        if (!end)
            end = text + length;
        *end = '\0';
        if (mounts->n == MOUNTS_MAX) {
            mounts->truncated = true;
            break;
        }
        if (strlen(line) != (size_t)(end - line))
            continue; /* a NUL in it */
        r = grow(mounts, &room);
        if (r == 0)
            r = parse_line(line, &mounts->list[mounts->n]);
        if (r < 0)
            return r;
        mounts->n += (size_t)r;
    }
    return mounts->n > 0 || length == 0 ? 0 : -EBADMSG;
}

int mounts_read(const char *file, struct Mounts *ret)
{
    _cleanup_fd_ int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    _cleanup_free_ char *text = NULL;
    struct Mounts mounts = {0};
    size_t length = 0;
    int r;

    if (fd < 0)
        return errno == EINVAL ? -ESRCH : negative_errno();
    r = read_table(fd, &text, &length, &mounts.truncated);
    if (r == 0)
        r = parse_table(text, length, &mounts);
    if (r < 0) {
        mounts_done(&mounts);
        return r;
    }
    *ret = mounts;
    return 0;
}

/* --- looking ---------------------------------------------------------------------------------------- */

/* What of `path` is behind `above`: "" when they are equal, "/..." below it, NULL when it is elsewhere. */
static const char *path_behind(const char *path, const char *above)
{
    size_t n = strlen(above);

    while (n > 0 && above[n - 1] == '/')
        n--;
    if (strncmp(path, above, n) != 0 || (path[n] != '/' && path[n] != '\0'))
        return NULL;
    return strcmp(path + n, "/") == 0 ? path + n + 1 : path + n;
}

static bool is_above(const struct Mount *mount, const char *path)
{
    return path_behind(path, mount->path) != NULL;
}

static const struct Mount *by_id(const struct Mounts *mounts, int id)
{
    for (size_t i = 0; i < mounts->n; i++)
        if (mounts->list[i].id == id)
            return &mounts->list[i];
    return NULL;
}

/* Something was mounted on top of it, or later on above it or one of those it stands on. */
static bool is_covered(const struct Mounts *mounts, const struct Mount *mount)
{
    const struct Mount *at = mount, *parent = by_id(mounts, mount->parent);

    for (size_t i = 0; i < mounts->n; i++)
        if (mounts->list[i].parent == mount->id && &mounts->list[i] != mount &&
            strcmp(mounts->list[i].path, mount->path) == 0)
            return true;
    for (int depth = 0; parent && parent != at && depth < DEPTH_MAX; depth++) {
        for (size_t i = 0; i < mounts->n; i++) {
            const struct Mount *other = &mounts->list[i];

            if (other->parent == parent->id && other != at && other != parent &&
                strcmp(other->path, at->path) != 0 && is_above(other, at->path))
                return true;
        }
        at = parent;
        parent = by_id(mounts, at->parent);
    }
    return false;
}

/* One step down: of what stands on this mount the first on the way to `path`. */
static const struct Mount *step_down(const struct Mounts *mounts, const struct Mount *from, const char *path)
{
    const struct Mount *next = NULL;

    for (size_t i = 0; i < mounts->n; i++) {
        const struct Mount *mount = &mounts->list[i];

        if (mount->parent == from->id && mount != from && is_above(mount, path) &&
            (!next || strlen(mount->path) <= strlen(next->path)))
            next = mount;
    }
    return next;
}

/* The one at the bottom: nothing in the table holds it (of the first mount of a host: it holds itself). */
static const struct Mount *bottom(const struct Mounts *mounts)
{
    for (size_t i = 0; i < mounts->n; i++) {
        const struct Mount *mount = &mounts->list[i], *parent = by_id(mounts, mount->parent);

        if (strcmp(mount->path, "/") == 0 && (!parent || parent == mount))
            return mount;
    }
    return NULL;
}

static const struct Mount *walk(const struct Mounts *mounts, const char *path)
{
    const struct Mount *at = bottom(mounts), *next;

    for (int depth = 0; at && depth < DEPTH_MAX && (next = step_down(mounts, at, path)); depth++)
        at = next;
    return at;
}

const struct Mount *mounts_holding(const struct Mounts *mounts, const char *path)
{
    const struct Mount *found = NULL, *walked;

    for (size_t i = 0; i < mounts->n; i++)
        if (is_above(&mounts->list[i], path) &&
            (!found || strlen(mounts->list[i].path) >= strlen(found->path)))
            found = &mounts->list[i];
    if (!found || !is_covered(mounts, found))
        return found;
    walked = walk(mounts, path);
    return walked ? walked : found;
}

const struct Mount *mounts_at(const struct Mounts *mounts, const char *path)
{
    const struct Mount *mount = mounts_holding(mounts, path);

    return mount && strcmp(path_behind(path, mount->path), "") == 0 ? mount : NULL;
}

/* Through this mount; NULL when it does not hold the directory, or something covers it there. */
static int see_through(const struct Mounts *mounts, const struct Mount *mount, const char *directory,
                       char **ret_path)
{
    const char *behind = path_behind(directory, mount->root);
    char *path;

    *ret_path = NULL;
    if (!behind)
        return 0;
    if (asprintf(&path, "%s%s", strcmp(mount->path, "/") == 0 && *behind ? "" : mount->path, behind) < 0)
        return -ENOMEM;
    if (mounts_holding(mounts, path) == mount)
        *ret_path = path;
    else
        free(path);
    return 0;
}

static bool is_in_one_of(const char *path, char *const *list)
{
    for (; list && *list; list++)
        if (path_behind(path, *list))
            return true;
    return false;
}

int mounts_locate(const struct Mounts *mounts, dev_t dev, const char *directory, char *const *preferred,
                  char **ret_path)
{
    _cleanup_free_ char *found = NULL;
    int best = -1, most = preferred && *preferred ? 3 : 1;

    for (size_t i = 0; i < mounts->n && best < most; i++) {
        const struct Mount *mount = &mounts->list[i];
        char *path = NULL;
        int r = mount->dev == dev ? see_through(mounts, mount, directory, &path) : 0, rank;

        if (r < 0)
            return r;
        if (!path)
            continue;
        rank = 2 * is_in_one_of(path, preferred) + !mount->read_only;
        if (rank <= best) {
            free(path);
            continue;
        }
        free(found);
        found = path;
        best = rank;
    }
    if (!found)
        return -ENOENT;
    *ret_path = take_ptr(found);
    return 0;
}
