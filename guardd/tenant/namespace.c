/* A process whose namespace cannot be read has just ended, or is a zombie: the next one is as good. */
#include "tenant/namespace.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "tenant/process.h"

#define TASKS_MAX 64

static int read_namespace(const char *proc, const char *task, struct NetworkNamespace *ret)
{
    char path[PATH_MAX];
    struct stat st;

    if (snprintf(path, sizeof(path), "%s/%s/net/dev", proc, task) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    if (stat(path, &st) < 0)
        return errno == ENOENT ? -ESRCH : negative_errno();
    *ret = (struct NetworkNamespace){.dev = st.st_dev, .inode = st.st_ino};
    return 0;
}

static int read_namespace_of(const char *proc, pid_t task, struct NetworkNamespace *ret)
{
    char name[16];

    snprintf(name, sizeof(name), "%d", task);
    return read_namespace(proc, name, ret);
}

int namespace_own(const char *proc, struct NetworkNamespace *ret)
{
    return read_namespace(proc, "self", ret);
}

/* --- one process -----------------------------------------------------------------------------------------
 */

/* Threads are processes to /proc, though it does not list them. */
static bool see_task(const char *proc, pid_t task, struct NamespaceSighting *ret)
{
    struct NetworkNamespace namespace;
    struct Process process;

    if (read_namespace_of(proc, task, &namespace) < 0 || process_see(proc, task, &process) < 0)
        return false;
    *ret = (struct NamespaceSighting){.namespace = namespace, .task = task, .start = process.start};
    return true;
}

/* The first thread of a process has ended, others have not. */
static bool see_threads(const char *proc, pid_t pid, struct NamespaceSighting *ret)
{
    _cleanup_dir_ DIR *tasks = NULL;
    char path[PATH_MAX];
    const struct dirent *entry;
    bool found = false;

    snprintf(path, sizeof(path), "%s/%d/task", proc, pid);
    tasks = opendir(path);
    for (int n = 0; tasks && !found && n < TASKS_MAX && (entry = readdir(tasks)); n++)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
            found = see_task(proc, (pid_t)strtol(entry->d_name, NULL, 10), ret);
    return found;
}

/* --- the tenant's ----------------------------------------------------------------------------------------
 */

struct Look {
    const char *proc;
    struct NamespaceSighting *sighting;
};

static bool sees(void *userdata, const struct Process *process)
{
    struct Look *look = userdata;

    return see_task(look->proc, process->pid, look->sighting) ||
           see_threads(look->proc, process->pid, look->sighting);
}

int namespace_find(const char *proc, int cgroup_fd, struct NamespaceSighting *ret)
{
    /* systemd-nspawn, and conmon of a unit that podman runs (--cgroups=split). */
    static const char *const keepers[] = {"supervisor", "runtime", NULL};
    struct NamespaceSighting sighting;
    struct Look look = {.proc = proc, .sighting = &sighting};
    struct ProcessFilter filter = {.fits = sees, .userdata = &look, .passed_over = keepers};
    struct Process process;
    int r = process_oldest_that(proc, cgroup_fd, &filter, &process);

    if (r == -ESRCH) {
        filter.passed_over = NULL;
        r = process_oldest_that(proc, cgroup_fd, &filter, &process);
    }
    if (r == 0)
        *ret = sighting;
    return r;
}

bool namespace_stands(const char *proc, const struct NamespaceSighting *sighting)
{
    struct NamespaceSighting now;

    return see_task(proc, sighting->task, &now) && now.start == sighting->start &&
           network_namespace_is_same(&now.namespace, &sighting->namespace);
}
