/* Cgroups are read breadth first and bounded: a tenant may nest thousands, and what its runtime started is
 * near the top. A process can be gone at any moment and its pid be another's; pid and start time together are
 * one process for ever. Only what everybody may read of /proc/PID is read: guardd has no CAP_SYS_PTRACE. */
#include "tenant/process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "tenant/footprint.h"

#define CGROUPS_MAX 256
#define PIDS_MAX 4096
#define TASKS_MAX 64
#define STAT_SIZE_MAX 2048
#define START_TIME_FIELD 22

/* --- one process ------------------------------------------------------------------------------------- */

/* Field 22 of proc_pid_stat(5). The name, field 2, is the process's to choose, but for the bracket that ends
 * it. */
static int parse_start(const char *text, uint64_t *ret_start)
{
    const char *at = strrchr(text, ')');
    char *end;

    for (int field = 2; at && field < START_TIME_FIELD; field++)
        at = strchr(at + 1, ' ');
    if (!at || at[1] < '0' || at[1] > '9')
        return -EBADMSG;
    *ret_start = strtoull(at + 1, &end, 10);
    return *end == ' ' || *end == '\n' ? 0 : -EBADMSG;
}

static int read_start(const char *proc, pid_t pid, uint64_t *ret_start)
{
    char path[PATH_MAX], text[STAT_SIZE_MAX];
    _cleanup_fd_ int fd = -EBADF;
    ssize_t n;

    snprintf(path, sizeof(path), "%s/%d/stat", proc, pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : negative_errno();
    n = fd_read_file(fd, text, sizeof(text));
    return n < 0 ? (int)n : parse_start(text, ret_start);
}

int process_see(const char *proc, pid_t pid, struct Process *ret)
{
    uint64_t start;
    int r = read_start(proc, pid, &start);

    if (r < 0)
        return r;
    *ret = (struct Process){.pid = pid, .start = start};
    return 0;
}

static bool is_there(const char *proc, const struct Process *process)
{
    struct Process now;

    return process_see(proc, process->pid, &now) == 0 && now.start == process->start;
}

/* The first thread of a process has ended, others have not: what they see is read from them. */
static int read_mounts_of_tasks(const char *proc, pid_t pid, struct Mounts *ret)
{
    _cleanup_dir_ DIR *tasks = NULL;
    char path[PATH_MAX];
    const struct dirent *entry;
    int r = -ESRCH;

    snprintf(path, sizeof(path), "%s/%d/task", proc, pid);
    tasks = opendir(path);
    for (int n = 0; tasks && r == -ESRCH && n < TASKS_MAX && (entry = readdir(tasks)); n++) {
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
            continue;
        snprintf(path, sizeof(path), "%s/%d/task/%.16s/mountinfo", proc, pid, entry->d_name);
        r = mounts_read(path, ret);
        r = r == -ENOENT ? -ESRCH : r;
    }
    return r;
}

int process_mounts(const char *proc, const struct Process *process, struct Mounts *ret)
{
    struct Mounts mounts = {0};
    char path[PATH_MAX];
    int r;

    snprintf(path, sizeof(path), "%s/%d/mountinfo", proc, process->pid);
    r = mounts_read(path, &mounts);
    if (r == -ESRCH || r == -ENOENT)
        r = read_mounts_of_tasks(proc, process->pid, &mounts);
    if (r < 0)
        return r;
    if (!is_there(proc, process)) {
        mounts_done(&mounts);
        return -ESRCH;
    }
    *ret = mounts;
    return 0;
}

/* --- the oldest -------------------------------------------------------------------------------------- */

/* Cgroups still to be read, and the oldest process so far. */
struct Search {
    const char *proc;
    const struct ProcessFilter *filter; /* or NULL */
    int fds[CGROUPS_MAX];
    size_t n_fds, n_read;
    size_t n_pids;
    struct Process oldest;
    bool found;
};

static void consider(struct Search *search, pid_t pid)
{
    struct Process candidate, *oldest = &search->oldest;

    if (process_see(search->proc, pid, &candidate) < 0)
        return;
    if (search->found &&
        (candidate.start > oldest->start || (candidate.start == oldest->start && pid > oldest->pid)))
        return;
    if (search->filter && !search->filter->fits(search->filter->userdata, &candidate))
        return;
    *oldest = candidate;
    search->found = true;
}

/* The kernel lists the oldest first, mostly: a bound loses the newest. */
static int consider_cgroup(struct Search *search, int fd)
{
    int procs_fd = openat(fd, "cgroup.procs", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    _cleanup_file_ FILE *procs = procs_fd < 0 ? NULL : fdopen(procs_fd, "re");
    int pid;

    if (!procs) {
        int r = error_is_gone(-errno) ? -ENODEV : negative_errno();

        fd_close(procs_fd);
        return r;
    }
    while (search->n_pids < PIDS_MAX && fscanf(procs, "%10d", &pid) == 1) {
        search->n_pids++;
        if (pid > 0)
            consider(search, pid);
    }
    return ferror(procs) && errno == ENODEV ? -ENODEV : 0;
}

static bool is_passed_over(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static void add_children(struct Search *search, int fd, const char *const *passed_over)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_dir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *entry;

    if (!dir)
        fd_close(copy);
    while (dir && search->n_fds < CGROUPS_MAX && (entry = readdir(dir))) {
        int child;

        if (entry->d_type == DT_REG || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            is_passed_over(passed_over, entry->d_name))
            continue;
        child = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (child >= 0)
            search->fds[search->n_fds++] = child;
    }
}

int process_oldest_that(const char *proc, int cgroup_fd, const struct ProcessFilter *filter,
                        struct Process *ret)
{
    struct Search search = {.proc = proc, .filter = filter};
    int r = consider_cgroup(&search, cgroup_fd);

    if (r == -ENODEV || r == -EMFILE || r == -ENFILE || r == -ENOMEM)
        return r;
    add_children(&search, cgroup_fd, filter ? filter->passed_over : NULL);
    while (search.n_read < search.n_fds) {
        int fd = search.fds[search.n_read++];

        (void)consider_cgroup(&search, fd);
        add_children(&search, fd, NULL);
        fd_close(fd);
    }
    if (!search.found)
        return -ESRCH;
    *ret = search.oldest;
    return 0;
}

int process_oldest(const char *proc, int cgroup_fd, struct Process *ret)
{
    return process_oldest_that(proc, cgroup_fd, NULL, ret);
}

int footprint_oldest(const char *proc, int cgroup_fd, pid_t *ret_pid)
{
    struct Process oldest;
    int r = process_oldest(proc, cgroup_fd, &oldest);

    if (r == 0)
        *ret_pid = oldest.pid;
    return r;
}
