/* The footprint: which directories and files on this host belong to a tenant, found from outside.
 *
 * A container's own mount table says which volumes it has, by the bind mounts of /etc/hostname, /etc/hosts
 * and /etc/resolv.conf the files that its runtime made for it, and what its root is: an overlay that this
 * host's table has too (upper= and work= are believed there only), or a directory of this host. Of overlay's
 * two directories both count or neither: files are moved between them, which the kernel refuses where only
 * one of them counts. What is around them, and around log and hosts, is the runtime's, which must be able to
 * write there when its container is at the limit: to stop it, to remove it. The table read is
 * that of the oldest process of the cgroup: the one that the runtime started. (Later ones may have made a
 * mount namespace of their own, and mounted what they like.) Where the runtime keeps layer and log is also
 * read from its own state. A container whose oldest process still has this host's root is being started.
 *
 * Only for what a runtime made is a mount table read: docker, podman, machines of nspawn, and scopes
 * PREFIX-ID.scope with an id of 64 digits outside user.slice. A service or a user could make a mount
 * namespace of its own in which anything on the host is mounted; those have what DiskPath= names.
 *
 * Whatever is found is resolved by the kernel's device number and root against this host's mount table, then
 * opened by openat2() without symbolic links; path, device and inode are of what is open. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/mounts.h"
#include "model/disk.h"
#include "model/policy.h"

struct FootprintSources {
    const char *proc;            /* "/proc"; a made-up one in tests */
    const char *root;            /* put before directories that are opened; "" */
    const struct Mounts *mounts; /* of this host: PID 1's, guardd has a namespace of its own */
    const struct DiskPolicy *policy;
    const char *passwd; /* "/etc/passwd", for %u */
};

/* Who it is. */
struct FootprintOwner {
    const char *name;         /* of the tenant */
    const char *path;         /* of the cgroup */
    const char *unit;         /* or NULL */
    const char *container_id; /* or "" */
    int cgroup_fd;            /* its directory, borrowed: cgroup.procs of it and of all below it are read */
    const struct TenantClass *class;
    char *const *state_directories; /* of the unit, absolute, NULL-terminated; or NULL: not known (yet) */
};

/* Every directory that was found, and of the kind DIRECTORY_RUNTIME files, also those that cannot count
 * (state DIRECTORY_OUT and why: outside DiskRoots=, mounted read-only, on a filesystem without directories of
 * its own such as tmpfs, gone, relative, a file with other names), the others as DIRECTORY_WAITING. No
 * directory twice, none inside another one of its filesystem that counts, sorted by path; at most 256 that
 * count and 64 that do not, one entry "(more)" for all others. What is not mounted on this host has its path
 * in the container. Whether its filesystem can count projects, and whether it is another tenant's too, is not
 * looked at here. `ret_unsettled`: its mounts are still being made, and only what its
 * runtime says of its root is told: ask again. Returns 0; of a container
 * -ESRCH when its cgroup is empty, -ENODEV when it is gone; -ENOMEM; -EMFILE. */
int footprint_find(const struct FootprintSources *sources, const struct FootprintOwner *owner,
                   struct Directory **ret_list, size_t *ret_n, bool *ret_unsettled);

/* The oldest process of a cgroup and all below it. -ESRCH: there is none. */
int footprint_oldest(const char *proc, int cgroup_fd, pid_t *ret_pid);
/* %n unit, %p unit without its suffix, %c last component of the cgroup path, %u user (user/alice), %U uid, %%
 * percent. -EINVAL: not all of it is known. */
int footprint_expand(const struct FootprintSources *sources, const struct FootprintOwner *owner,
                     const char *pattern, char **ret_path);
