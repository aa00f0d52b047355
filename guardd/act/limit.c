/* A limit is one file of the cgroup. What was written is read back: only what the kernel says is in
 * force is. */
#include "act/limit.h"

#include <errno.h>

#include "base/fd.h"

_Static_assert(LIMIT_INFINITY == FD_VALUE_MAX, "both stand for \"max\"");

static int limit_fd(const struct Cgroup *cgroup, enum LimitId id)
{
    switch (id) {
    case LIMIT_TASKS_MAX:
        return cgroup->pids_max_fd;
    default:
        return -EBADF;
    }
}

int limit_read(const struct Cgroup *cgroup, enum LimitId id, uint64_t *ret_value)
{
    return fd_read_value(limit_fd(cgroup, id), ret_value);
}

int limit_write(const struct Cgroup *cgroup, enum LimitId id, uint64_t value)
{
    uint64_t in_force;
    int r = fd_write_value(limit_fd(cgroup, id), value);

    if (r < 0)
        return r;
    r = limit_read(cgroup, id, &in_force);
    if (r < 0)
        return r;
    return in_force == value ? 0 : -EIO;
}
