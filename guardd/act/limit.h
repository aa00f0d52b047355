/* Limits written direct: non-unit cgroups and delegated subtrees; and the reading back of every limit. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/cgroup.h"
#include "model/limit.h"
#include "model/rate.h"

/* The file that keeps a limit, as 1u << enum CgroupFile, to be opened with cgroup_open_files(); 0 where
 * nothing has to be (pids.max, which is always open, and what no file of a cgroup keeps). */
uint32_t limit_file(enum LimitId id);

/* LIMIT_INFINITY stands for "max". -EBADF: the controller is not enabled here, or its file is not open. */
int limit_read(const struct Cgroup *cgroup, enum LimitId id, uint64_t *ret_value);
/* Writes and reads back. -EIO when the kernel has another value afterwards (limit_is_same()). */
int limit_write(const struct Cgroup *cgroup, enum LimitId id, uint64_t value);

/* The same of a limit of I/O (limit_is_rate()) on one disk; -ENXIO: there is no such disk (any more). The
 * functions above answer -ENOTBLK for these. */
int limit_read_on(const struct Cgroup *cgroup, enum LimitId id, const struct RateDisk *disk,
                  uint64_t *ret_value);
int limit_write_on(const struct Cgroup *cgroup, enum LimitId id, const struct RateDisk *disk, uint64_t value);

/* How much of it is used now, where that is a file of the cgroup too: memory and swap. The files are those of
 * limit_used_file(); -EBADF as above. */
uint32_t limit_used_file(enum LimitId id);
int limit_read_used(const struct Cgroup *cgroup, enum LimitId id, uint64_t *ret_used);
