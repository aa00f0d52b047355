/* How functions of guardd tell what happened.
 *
 *   < 0   a negative errno: the call did not do what it is for, and nothing it started is left half
 *         done. The caller decides whether that is fatal. A cgroup that vanished under the call is
 *         -ENODEV (what the kernel itself says for a file of a removed cgroup) or -ENOENT.
 *   = 0   done, or "still on its way" where the function says so.
 *   > 0   an outcome that is not an error and that the function documents by name.
 *
 * Functions do not log, save those of main.c, daemon.c, report.c, recover.c and record/: whoever
 * knows what the failure means for the host says so, once.
 * A `ret_` parameter is written only on success. `_usec`, `_bytes` name the unit of a number.
 */
#pragma once

#include <errno.h>

/* A negative errno out of errno itself; never 0, so that `return errno_or(...)` is always a failure.
 * (Some libc paths leave errno at 0.) */
static inline int negative_errno(void)
{
    return errno > 0 ? -errno : -EIO;
}

/* True for the two ways in which the kernel says "that cgroup is gone". */
static inline int error_is_gone(int r)
{
    return r == -ENODEV || r == -ENOENT;
}
