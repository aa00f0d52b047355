/* The process that a cgroup began with, and its mount table. Private to tenant/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/mounts.h"

struct Process {
    pid_t pid;
    uint64_t start; /* in the kernel's ticks: tells it from a later one of the same pid */
};

/* Of a cgroup and those below it, as far as is looked: the first 256 cgroups, breadth first, and 4096
 * processes. -ESRCH: there is none; -ENODEV: the cgroup is gone. */
int process_oldest(const char *proc, int cgroup_fd, struct Process *ret);

struct ProcessFilter {
    /* Asked of each that is older than all that fitted before it: the last one that fits is the answer. */
    bool (*fits)(void *userdata, const struct Process *process);
    void *userdata;
    const char *const *passed_over; /* names of cgroups right below it, NULL-terminated; or NULL */
};
int process_oldest_that(const char *proc, int cgroup_fd, const struct ProcessFilter *filter,
                        struct Process *ret);

/* -ESRCH: there is none of that pid. */
int process_see(const char *proc, pid_t pid, struct Process *ret);
/* -ESRCH: it is gone. */
int process_mounts(const char *proc, const struct Process *process, struct Mounts *ret);
