/* The footprint: which directories on this host belong to a tenant, found from outside.
 *
 * A container's own mount table says where its root writes (overlay's upper and work directory), which
 * volumes it has, and by the bind mounts of /etc/hostname, /etc/hosts and /etc/resolv.conf the runtime's own
 * directory for it. The table read is that of the oldest process of the cgroup: the one that the runtime
 * started. (Later ones may have made a mount namespace of their own, and mounted what they like.) A cgroup
 * whose oldest process is in this host's mount namespace is no container: it has the directories that
 * DiskPath= names.
 *
 * Whatever is found is resolved by the kernel's device number and root against this host's mount table, then
 * opened by openat2() without symbolic links; path, device and inode are of that open directory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/mounts.h"
#include "model/disk.h"
#include "model/policy.h"

struct FootprintSources {
    const char *proc;            /* "/proc"; a made-up one in tests */
    const char *root;            /* put before directories that are opened; "" */
    const struct Mounts *mounts; /* of this host */
    const struct DiskPolicy *policy;
    const char *passwd; /* "/etc/passwd", for %u and %h */
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

/* Every directory that was found, also those that cannot count (state DIRECTORY_OUT and why: outside
 * DiskRoots=, mounted read-only, on a filesystem without directories of its own such as tmpfs, gone,
 * relative), the others as DIRECTORY_WAITING. No directory twice, none inside another one that counts, sorted
 * by path. Whether its filesystem can count projects, and whether it is another tenant's too, is not looked
 * at here. `ret_unsettled`: its mounts are still being made (the oldest process is in this host's mount
 * namespace although it is a container): ask again. Returns 0, -ESRCH when the cgroup is empty, -ENODEV when
 * it is gone, -ENOMEM. */
int footprint_find(const struct FootprintSources *sources, const struct FootprintOwner *owner,
                   struct Directory **ret_list, size_t *ret_n, bool *ret_unsettled);

/* The oldest process of a cgroup and all below it. -ESRCH: there is none. */
int footprint_oldest(const char *proc, int cgroup_fd, pid_t *ret_pid);
/* %n unit, %p unit without its suffix, %u user (user/alice), %U uid, %% percent. -EINVAL: not all of it is
 * known. */
int footprint_expand(const struct FootprintSources *sources, const struct FootprintOwner *owner,
                     const char *pattern, char **ret_path);
