/* What this host offers to a guard, found by probing, never by version: the cgroup2 mount, its
 * controllers, the files that enforcing needs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HOST_FINDINGS_MAX 32

struct HostFinding {
    bool ok;
    char what[48];  /* "cgroup v2", "pids controller" */
    char text[256]; /* what was found; when not ok also what follows and what to do */
};

struct HostFindings {
    struct HostFinding list[HOST_FINDINGS_MAX];
    size_t n;
};

/* Adds one; when there is no room left it is dropped. */
void host_finding(struct HostFindings *findings, bool ok, const char *what, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Without it nothing can be guarded. What is missing besides makes the guard slower or blinder, and is no
 * reason not to have it. */
bool host_finding_is_needed(const struct HostFinding *finding);

/* The first cgroup2 mount of a mount table (getmntent(3)); the unified one of a hybrid host included.
 * Caller frees. -ENOENT when there is none. */
int host_find_cgroup_root(const char *mount_table, char **ret_path);

/* Looks at a cgroup tree: controllers (cgroup.controllers), cgroup.freeze and cgroup.kill in a child,
 * pids.events.local, pressure, inotify limits, systemd as PID 1, and who else kills for want of memory. Never
 * fails: what cannot be found is a finding. */
void host_probe(const char *cgroup_root, struct HostFindings *ret);

/* The cgroup path of a process on the cgroup2 tree ("0::" of /proc/PID/cgroup; pid 0: self), without the
 * leading slash. Caller frees. */
int host_cgroup_of(int pid, char **ret_path);
