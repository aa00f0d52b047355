/* A cgroup made of files in memory, and a kernel that answers for them as the test wants: `fake_gone()`
 * makes a file one of a removed cgroup, `fake_refuse()` one that cannot be written. It comes in between
 * by defining pread() and pwrite(), so it is included by one file of a test. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "model/cgroup.h"

#define FAKE_FDS_MAX 256
static int fake_read_errno[FAKE_FDS_MAX], fake_write_errno[FAKE_FDS_MAX];
static bool fake_ignore_writes; /* taken, but without effect */
/* Takes a write in another way, or returns -2; NULL: none does. */
static ssize_t (*fake_take)(int fd, const void *buf, size_t size);

ssize_t pread(int fd, void *buf, size_t size, off_t offset)
{
    if (fd >= 0 && fd < FAKE_FDS_MAX && fake_read_errno[fd] != 0) {
        errno = fake_read_errno[fd];
        return -1;
    }
    return syscall(SYS_pread64, fd, buf, size, offset);
}

/* The kernel takes a value whole: what was there before does not shine through a shorter one. */
ssize_t pwrite(int fd, const void *buf, size_t size, off_t offset)
{
    if (fd >= 0 && fd < FAKE_FDS_MAX && fake_write_errno[fd] != 0) {
        errno = fake_write_errno[fd];
        return -1;
    }
    if (fake_ignore_writes)
        return (ssize_t)size;
    if (fake_take) {
        ssize_t n = fake_take(fd, buf, size);

        if (n != -2)
            return n;
    }
    if (ftruncate(fd, 0) < 0)
        return -1;
    return syscall(SYS_pwrite64, fd, buf, size, offset);
}

static inline void fake_gone(int fd)
{
    fake_read_errno[fd] = fake_write_errno[fd] = ENODEV;
}

static inline void fake_refuse(int fd, int error)
{
    fake_write_errno[fd] = error;
}

static inline int fake_file(const char *text)
{
    int fd = memfd_create("fake", MFD_CLOEXEC);

    if (fd < 0 || fd >= FAKE_FDS_MAX || write(fd, text, strlen(text)) < 0)
        abort();
    fake_read_errno[fd] = fake_write_errno[fd] = 0;
    return fd;
}

static inline void fake_say(int fd, const char *text)
{
    if (ftruncate(fd, 0) < 0 || syscall(SYS_pwrite64, fd, text, strlen(text), 0) < 0)
        abort();
}

/* What was written to it, "" when nothing was. */
static inline const char *fake_read(int fd, char *buf, size_t size)
{
    ssize_t n = syscall(SYS_pread64, fd, buf, size - 1, 0);

    if (n < 0)
        abort();
    buf[n] = '\0';
    return buf;
}

static inline void fake_events(int fd, bool populated, bool frozen)
{
    char text[64];

    snprintf(text, sizeof(text), "populated %d\nfrozen %d\n", populated, frozen);
    fake_say(fd, text);
}

/* A cgroup with its files; `n_points` freeze points, each with files of its own. */
static inline struct Cgroup fake_cgroup(size_t n_points)
{
    struct Cgroup cgroup = CGROUP_NULL;

    cgroup.kill_fd = fake_file("");
    cgroup.events_fd = fake_file("populated 1\nfrozen 0\n");
    cgroup.pids_max_fd = fake_file("max\n");
    cgroup.files[CGROUP_MEMORY_HIGH] = fake_file("max\n");
    cgroup.files[CGROUP_MEMORY_MAX] = fake_file("max\n");
    cgroup.files[CGROUP_MEMORY_SWAP_MAX] = fake_file("max\n");
    cgroup.files[CGROUP_MEMORY_CURRENT] = fake_file("1048576\n");
    cgroup.files[CGROUP_MEMORY_SWAP_CURRENT] = fake_file("0\n");
    cgroup.files[CGROUP_CPU_MAX] = fake_file("max 100000\n");
    cgroup.files[CGROUP_CPU_WEIGHT] = fake_file("100\n");
    cgroup.files[CGROUP_IO_WEIGHT] = fake_file("default 100\n");
    cgroup.points = calloc(n_points + 1, sizeof(*cgroup.points));
    cgroup.n_points = n_points;
    for (size_t i = 0; i < n_points; i++) {
        cgroup.points[i].freeze_fd = fake_file("");
        cgroup.points[i].events_fd = fake_file("populated 1\nfrozen 0\n");
    }
    return cgroup;
}

static inline void fake_cgroup_gone(struct Cgroup *cgroup)
{
    fake_gone(cgroup->kill_fd);
    fake_gone(cgroup->events_fd);
    fake_gone(cgroup->pids_max_fd);
    for (int i = 0; i < CGROUP_FILE_COUNT; i++)
        if (cgroup->files[i] >= 0)
            fake_gone(cgroup->files[i]);
    for (size_t i = 0; i < cgroup->n_points; i++) {
        fake_gone(cgroup->points[i].freeze_fd);
        fake_gone(cgroup->points[i].events_fd);
    }
}

static inline void fake_cgroup_close(struct Cgroup *cgroup)
{
    for (size_t i = 0; i < cgroup->n_points; i++) {
        close(cgroup->points[i].freeze_fd);
        close(cgroup->points[i].events_fd);
    }
    free(cgroup->points);
    close(cgroup->kill_fd);
    close(cgroup->events_fd);
    close(cgroup->pids_max_fd);
    for (int i = 0; i < CGROUP_FILE_COUNT; i++)
        if (cgroup->files[i] >= 0)
            close(cgroup->files[i]);
    *cgroup = CGROUP_NULL;
}
