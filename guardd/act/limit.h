/* Limits written direct: non-unit cgroups and delegated subtrees; and the reading back of every limit. */
#pragma once

#include <stdint.h>

#include "model/cgroup.h"
#include "model/limit.h"

/* LIMIT_INFINITY stands for "max". -EBADF: the controller is not enabled here. */
int limit_read(const struct Cgroup *cgroup, enum LimitId id, uint64_t *ret_value);
/* Writes and reads back. -EIO when the kernel has another value afterwards. */
int limit_write(const struct Cgroup *cgroup, enum LimitId id, uint64_t value);
