/* The handle on one cgroup: what identifies it, and every file that an action or a reading needs,
 * opened when it appears, so that nothing has to be opened under attack. The descriptors stay bound to
 * that very cgroup: once it is removed they answer ENODEV, even if its path is used again.
 *
 * A cgroup is frozen at its freeze points. Mostly that is the cgroup itself. For a slice it is what is
 * in it: PID 1 could start nothing in a frozen slice, so that a user whose slice is frozen could not
 * log in to see why. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct FreezePoint {
    uint64_t id; /* of its directory */
    char *name;  /* last component of its path, owned */
    int freeze_fd, events_fd;
};

/* Files of the controllers memory, cpu and io, opened when something needs them (tenant/cgroup.h). */
enum CgroupFile {
    CGROUP_MEMORY_CURRENT,
    CGROUP_MEMORY_SWAP_CURRENT,
    CGROUP_MEMORY_HIGH,
    CGROUP_MEMORY_MAX,
    CGROUP_MEMORY_SWAP_MAX,
    CGROUP_MEMORY_EVENTS,       /* of it and of what is in it */
    CGROUP_MEMORY_EVENTS_LOCAL, /* its own */
    CGROUP_MEMORY_STAT,
    CGROUP_MEMORY_PRESSURE,
    CGROUP_CPU_MAX,
    CGROUP_CPU_WEIGHT,
    CGROUP_CPU_STAT,
    CGROUP_CPU_PRESSURE,
    CGROUP_IO_MAX,
    CGROUP_IO_WEIGHT,
    CGROUP_IO_STAT,
    CGROUP_IO_PRESSURE,
    CGROUP_FILE_COUNT,
};
#define CGROUP_FILES_ALL ((1u << CGROUP_FILE_COUNT) - 1)

struct Cgroup {
    uint64_t id;   /* inode number of the directory: the key, paths are reused */
    char *path;    /* from the root of the tree, no leading slash, owned */
    char *unit;    /* PID 1's unit of this cgroup, NULL when it is none of its units; owned */
    bool is_slice; /* frozen by its children */
    int dir_fd;
    int kill_fd, events_fd;                           /* cgroup.kill, cgroup.events */
    int pids_current_fd, pids_max_fd, pids_events_fd; /* -EBADF without the controller */
    int pids_local_fd;                                /* pids.events.local, where the kernel has it */
    int files[CGROUP_FILE_COUNT];                     /* -EBADF: not opened, or no controller */
    struct FreezePoint *points;                       /* owned */
    size_t n_points;
};

/* A cgroup that owns nothing yet: every descriptor -EBADF. */
#define CGROUP_NULL                                                                                          \
    (struct Cgroup)                                                                                          \
    {                                                                                                        \
        .dir_fd = -EBADF, .kill_fd = -EBADF, .events_fd = -EBADF, .pids_current_fd = -EBADF,                 \
        .pids_max_fd = -EBADF, .pids_events_fd = -EBADF, .pids_local_fd = -EBADF, .files = {                 \
            [0 ... CGROUP_FILE_COUNT - 1] = -EBADF                                                           \
        }                                                                                                    \
    }

/* What cgroup.events says. */
struct CgroupState {
    bool populated, frozen;
};
