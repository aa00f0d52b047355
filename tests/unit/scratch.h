/* A made-up tree in a directory of its own: a cgroup is a directory with plain files. Every helper fails
 * the test that it cannot serve. */
#pragma once

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct Scratch {
    char path[256];
};

static inline struct Scratch scratch_new(const char *parent)
{
    struct Scratch scratch;

    snprintf(scratch.path, sizeof(scratch.path), "%s/guardd-test.XXXXXX", parent);
    assert_non_null(mkdtemp(scratch.path));
    return scratch;
}

static inline int scratch_unlink(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline void scratch_done(const struct Scratch *scratch)
{
    assert_int_equal(nftw(scratch->path, scratch_unlink, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline const char *scratch_path(const struct Scratch *scratch, const char *name, char *buf)
{
    assert_true(snprintf(buf, PATH_MAX, "%s/%s", scratch->path, name) < PATH_MAX);
    return buf;
}

/* With all directories above it. */
static inline void scratch_mkdir(const struct Scratch *scratch, const char *name)
{
    char path[PATH_MAX];

    scratch_path(scratch, name, path);
    if (mkdir(path, 0755) == 0)
        return;
    for (char *p = path + strlen(scratch->path) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(path, 0755);
        *p = '/';
    }
    if (mkdir(path, 0755) < 0)
        assert_int_equal(access(path, F_OK), 0);
}

static inline void scratch_rmdir(const struct Scratch *scratch, const char *name)
{
    char path[PATH_MAX];

    assert_int_equal(rmdir(scratch_path(scratch, name, path)), 0);
}

static inline void scratch_write(const struct Scratch *scratch, const char *name, const char *text)
{
    char path[PATH_MAX];
    int fd = open(scratch_path(scratch, name, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static inline void scratch_unlink_file(const struct Scratch *scratch, const char *name)
{
    char path[PATH_MAX];

    assert_int_equal(unlink(scratch_path(scratch, name, path)), 0);
}

/* What the kernel puts into a cgroup, the pids controller included. */
static inline void scratch_cgroup(const struct Scratch *scratch, const char *name)
{
    static const struct {
        const char *name, *text;
    } files[] = {
        {"cgroup.events", "populated 1\nfrozen 0\n"},
        {"cgroup.freeze", "0\n"},
        {"cgroup.kill", ""},
        {"pids.current", "1\n"},
        {"pids.max", "max\n"},
        {"pids.events", "max 0\n"},
        {"pids.events.local", "max 0\n"},
    };

    scratch_mkdir(scratch, name);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char file[PATH_MAX];

        snprintf(file, sizeof(file), "%s/%s", name, files[i].name);
        scratch_write(scratch, file, files[i].text);
    }
}

static inline int scratch_open(const struct Scratch *scratch, const char *name)
{
    char path[PATH_MAX];
    int fd = open(scratch_path(scratch, name, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static inline uint64_t scratch_id(const struct Scratch *scratch, const char *name)
{
    char path[PATH_MAX];
    struct stat st;

    assert_int_equal(stat(scratch_path(scratch, name, path), &st), 0);
    return st.st_ino;
}
