/* A cgroup of our own on the real cgroup tree, where this process may make one; removed again whether the
 * test passed or not. */
#pragma once

#include "../scratch.h"

#include <dirent.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "sense/host.h"

static inline void cgroupfs_remove(const char *path)
{
    _cleanup_dir_ DIR *list = opendir(path);

    for (struct dirent *entry; list && (entry = readdir(list));) {
        char child[PATH_MAX];

        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        snprintf(child, sizeof(child), "%.2000s/%.200s", path, entry->d_name);
        cgroupfs_remove(child);
    }
    rmdir(path);
}

/* The state is a Scratch; its path is empty where there is nothing to test on. */
static inline int cgroupfs_setup(void **state)
{
    struct Scratch *cgroups = calloc(1, sizeof(*cgroups));
    _cleanup_free_ char *root = NULL;

    assert_non_null(cgroups);
    *state = cgroups;
    if (host_find_cgroup_root("/proc/self/mounts", &root) < 0)
        return 0;
    snprintf(cgroups->path, sizeof(cgroups->path), "%.200s/guardd-test-%d", root, getpid());
    if (mkdir(cgroups->path, 0755) < 0)
        cgroups->path[0] = '\0';
    return 0;
}

/* A failed test may have left a child that still makes cgroups. */
static inline int cgroupfs_teardown(void **state)
{
    struct Scratch *cgroups = *state;

    while (wait(NULL) > 0)
        ;
    if (cgroups->path[0] != '\0')
        cgroupfs_remove(cgroups->path);
    free(cgroups);
    return 0;
}
