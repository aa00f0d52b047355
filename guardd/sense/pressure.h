/* Pressure stall information (PSI): which share of the time tasks waited for memory, a CPU or I/O.
 *
 * The kernel counts stalled microseconds ("total="); a reading is their growth between two looks over the
 * time between them, in hundredths of a percent. That is exact and follows at once, where avg10 lags behind
 * for ten seconds. The first look has only the kernel's avg10, and takes it; so does one that comes more than
 * PRESSURE_BASELINE_MAX_USEC after the last: an average over an hour of peace would say nothing of now.
 *
 * At peace nobody looks: a trigger (a threshold written to the file) makes the kernel announce (EPOLLPRI)
 * that within a window the stalls came to the threshold. Opened without CAP_SYS_RESOURCE a trigger needs a
 * window that is a multiple of 2 s, and then costs nothing; with it, the kernel starts a thread (psimon) for
 * the cgroup. There is one announcement a window as long as it holds, and none of recovery. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/usec.h"
#include "model/cgroup.h"
#include "model/reading.h"
#include "model/strain.h"

/* Without a thread of the kernel, and the window of those that need one. */
#define PRESSURE_WINDOW_USEC (2 * USEC_PER_SEC)
#define PRESSURE_FAST_WINDOW_USEC (500 * USEC_PER_MSEC)

#define PRESSURE_BASELINE_MAX_USEC (10 * USEC_PER_SEC)

/* One file: the lines "some" and "full" (full of cpu is absent on old kernels). avg10 in hundredths of a
 * percent. */
struct PressureLine {
    bool valid;
    int64_t avg10;
    uint64_t total_usec;
};
struct PressureFile {
    struct PressureLine some, full;
};
/* -EBADMSG for what is none. */
int pressure_parse(const char *text, struct PressureFile *ret);

/* "memory.pressure" of a cgroup, or "/proc/pressure/memory" of the host, by which line. */
const char *pressure_cgroup_file(enum Pressure pressure);
const char *pressure_host_file(enum Pressure pressure);
bool pressure_is_full(enum Pressure pressure);

/* Sets a trigger: stalls of `share` (hundredths of a percent) of `window_usec`. `dir_fd` is the cgroup's
 * directory, or AT_FDCWD with the host's file. Returns a descriptor to be polled for EPOLLPRI, owned by the
 * caller; EPOLLERR means that the cgroup is gone. -EOPNOTSUPP: the kernel has no PSI (psi=1), -EINVAL: a
 * window it does not take without CAP_SYS_RESOURCE, or a share that is none, -ENOENT, -ENODEV. `fast`: opened
 * with CAP_SYS_RESOURCE raised for the moment in this thread; -EPERM when it is not in the permitted set. Not
 * `fast`: opened without it, whether or not this thread has it otherwise; -EPERM from kernels that give
 * nobody without it a trigger (before 6.5). */
int pressure_trigger(int dir_fd, const char *file, bool full, int64_t share, usec_t window_usec, bool fast);

/* One look: fills the readings of `pressures` (1u << enum Pressure) that can be read, and moves the baselines
 * on. `fds`: descriptors by enum Pressure (of a cgroup: cgroup->files; of the host: own), `host`: which
 * readings are filled. Two looks within 100 ms: the reading stays what it was. A baseline's `proven` raises
 * the reading of this one look. 0; -ENODEV when the cgroup is gone. */
struct PressureFds {
    int fd[PRESSURE_COUNT]; /* -EBADF: there is none; some and full of one resource may be the same */
};
/* Instead of a descriptor: the reading stays what it was. */
#define PRESSURE_NOT_ASKED INT_MIN
int pressure_look(const struct PressureFds *fds, bool host, struct Strain *strain, usec_t now,
                  struct Readings *readings);
