/* systemd's precedence over four directories: of files with one name the one in the earliest directory is
 * read, whatever it holds; a link to /dev/null or an empty file there leaves nothing to read. */
#include "config/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "config/draft.h"

#define DIRECTORIES_N 4
static const char *const directories[DIRECTORIES_N] = {
    "/etc/guardd",
    "/run/guardd",
    "/usr/local/lib/guardd",
    "/usr/lib/guardd",
};

static bool is_dev_null(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static int refuse(struct Complaint *complaint, int error)
{
    if (error == ENOMEM)
        return -ENOMEM;
    complain(complaint, "it cannot be read: %s", strerror(error));
    complain_right(complaint, "a file that root can read, or none");
    return FILE_REFUSED;
}

static int check_kind(const struct stat *st, struct Complaint *complaint)
{
    if (!S_ISREG(st->st_mode)) {
        complain(complaint, S_ISDIR(st->st_mode) ? "it is a directory" : "it is no regular file");
        complain_right(complaint, "a file, or a link to /dev/null to mask one");
        return FILE_REFUSED;
    }
    if (st->st_size > CONFIG_FILE_MAX) {
        complain(complaint, "it is larger than %d bytes", CONFIG_FILE_MAX);
        complain_right(complaint, "a configuration; larger ones in several drop-ins");
        return FILE_REFUSED;
    }
    return 0;
}

/* Up to `size` bytes; a file that grows meanwhile is read as it was. Returns how many, or a negative errno.
 */
static ssize_t read_bytes(int fd, char *buffer, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = read(fd, buffer + done, size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return negative_errno();
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int file_read(const char *path, char **ret_text, size_t *ret_size, struct Complaint *complaint)
{
    /* O_NONBLOCK: a FIFO must not hold up the start. */
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    _cleanup_free_ char *text = NULL;
    struct stat st;
    ssize_t n;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0)
        return refuse(complaint, errno);
    if (is_dev_null(&st))
        st = (struct stat){.st_mode = S_IFREG};
    r = check_kind(&st, complaint);
    if (r != 0)
        return r;
    text = malloc((size_t)st.st_size + 1);
    if (!text)
        return -ENOMEM;
    n = read_bytes(fd, text, (size_t)st.st_size);
    if (n < 0)
        return refuse(complaint, (int)-n);
    *ret_text = take_ptr(text);
    *ret_size = (size_t)n;
    return 0;
}

/* Of paths. */
static int by_name(const void *a, const void *b)
{
    return strcmp(basename(*(char *const *)a), basename(*(char *const *)b));
}

static bool has_name(const struct Word *files, const char *name)
{
    for (const struct Word *file = files; file; file = file->next)
        if (strcmp(basename(file->text), name) == 0)
            return true;
    return false;
}

/* True when the file is there to mask others. What cannot be looked at is not: reading it will say why. */
static bool is_mask(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && (is_dev_null(&st) || (S_ISREG(st.st_mode) && st.st_size == 0));
}

static bool is_drop_in(const char *name)
{
    const char *suffix = strrchr(name, '.');

    return name[0] != '.' && suffix && strcmp(suffix, ".conf") == 0;
}

/* Adds PATH/NAME, unless an earlier directory has that name. */
static int add_file(struct Word **files, const char *directory, const char *name)
{
    _cleanup_free_ char *path = NULL;

    if (has_name(*files, name))
        return 0;
    if (asprintf(&path, "%s/%s", directory, name) < 0) {
        path = NULL;
        return -ENOMEM;
    }
    return words_add(files, path, (struct Place){0});
}

static int refuse_directory(const char *directory, int error, struct Problems *problems)
{
    struct Complaint complaint = {0};

    if (error == ENOENT)
        return 0;
    if (refuse(&complaint, error) < 0)
        return -ENOMEM;
    complain_right(&complaint, "a directory that root can read, or none");
    return problem_add(problems, (struct Place){.file = directory}, &complaint);
}

static int add_drop_ins(struct Word **files, const char *directory, struct Problems *problems)
{
    _cleanup_dir_ DIR *dir = opendir(directory);
    const struct dirent *entry;
    int r = 0;

    if (!dir)
        return refuse_directory(directory, errno, problems);
    while (r == 0 && (errno = 0, entry = readdir(dir)))
        if (is_drop_in(entry->d_name))
            r = add_file(files, directory, entry->d_name);
    return r == 0 && errno != 0 ? refuse_directory(directory, errno, problems) : r;
}

/* The first directory that has a guardd.conf, be it one that cannot be read. */
static int find_main(const char *root, struct Word **files)
{
    for (size_t i = 0; i < DIRECTORIES_N; i++) {
        _cleanup_free_ char *directory = NULL, *path = NULL;
        struct stat st;

        if (asprintf(&directory, "%s%s", root, directories[i]) < 0) {
            directory = NULL;
            return -ENOMEM;
        }
        if (asprintf(&path, "%s/guardd.conf", directory) < 0) {
            path = NULL;
            return -ENOMEM;
        }
        if (lstat(path, &st) == 0 || errno != ENOENT)
            return words_add(files, path, (struct Place){0});
    }
    return 0;
}

static int find_drop_ins(const char *root, struct Word **files, struct Problems *problems)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < DIRECTORIES_N; i++) {
        _cleanup_free_ char *directory = NULL;

        if (asprintf(&directory, "%s%s/guardd.conf.d", root, directories[i]) < 0) {
            directory = NULL;
            return -ENOMEM;
        }
        r = add_drop_ins(files, directory, problems);
    }
    return r;
}

/* Moves the texts of those files that mask nothing. Returns how many. */
static size_t move_files(char **files, struct Word *words)
{
    size_t n = 0;

    for (struct Word *file = words; file; file = file->next)
        if (!is_mask(file->text))
            files[n++] = take_ptr(file->text);
    return n;
}

/* All that are read as one NULL-terminated array. */
static int files_make(struct Word *main, struct Word *drop_ins, char ***ret_files)
{
    char **files = calloc(words_count(main) + words_count(drop_ins) + 1, sizeof(*files));
    size_t first, n;

    if (!files)
        return -ENOMEM;
    first = move_files(files, main);
    n = move_files(files + first, drop_ins);
    qsort(files + first, n, sizeof(*files), by_name);
    *ret_files = files;
    return 0;
}

int config_find_files(const char *root, char ***ret_files, struct Problems *problems)
{
    struct Word *main = NULL, *drop_ins = NULL;
    int r = find_main(root, &main);

    if (r == 0)
        r = find_drop_ins(root, &drop_ins, problems);
    if (r == 0)
        r = files_make(main, drop_ins, ret_files);
    words_clear(&main);
    words_clear(&drop_ins);
    return r;
}

char **config_files_free(char **files)
{
    for (size_t i = 0; files && files[i]; i++)
        free(files[i]);
    free(files);
    return NULL;
}
