/* The network namespace of a tenant, from outside.
 *
 * A namespace is known by device and inode of net/dev of a process in it: /proc/PID/net is that of the
 * process, everybody may look at it, and the kernel numbers its files anew for each namespace.
 * (/proc/PID/ns/net would have to be opened with the power to trace the process, which guardd does not have.)
 * Tenants with the same one share it, as those of a pod do.
 *
 * It is that of the oldest process of the cgroup and all below it, as with mount tables (tenant/footprint.h).
 * Whoever runs a container may keep itself in the same cgroup, in one of its own right below it: those are
 * passed over while there is anybody else. That process may go elsewhere later (who has a user namespace of
 * its own may), and its sockets stay where they were made: a link that was found once is the tenant's as long
 * as it is there, whatever a later look says. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/link.h"

struct NamespaceSighting {
    struct NetworkNamespace namespace;
    pid_t task;     /* whom to ask the kernel about: a process, or a thread of one whose first has ended */
    uint64_t start; /* tells it from a later one of the same number */
};

/* The namespace that guardd itself is in: the host's. */
int namespace_own(const char *proc, struct NetworkNamespace *ret);

/* Of a tenant that is being started it may still be the host's. -ESRCH: no process is there; -ENODEV: the
 * cgroup is gone. */
int namespace_find(const char *proc, int cgroup_fd, struct NamespaceSighting *ret);

/* Is the task that was seen still there, and in that namespace? Then what the kernel said of it meanwhile is
 * of this namespace. */
bool namespace_stands(const char *proc, const struct NamespaceSighting *sighting);
