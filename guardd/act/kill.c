/* Terminate and kill.
 *
 * Kill is cgroup.kill: the kernel sends SIGKILL to everything in the cgroup and below it, frozen or not,
 * forking or not, and `populated 0` says when the last one is gone.
 *
 * Terminate is the grace before it: SIGTERM to every process in the cgroup and below, then a thaw, in
 * this order. While the tenant is frozen the list of its processes stands still, and a task that thaws
 * with a signal pending does not get to fork first; the other way round we would run after a bomb.
 *
 * Whom to signal: a pid read from cgroup.procs may have ended, and its number may by now be someone
 * else's. So pids are taken a batch at a time: a pidfd is opened for each, then cgroup.procs is read
 * again, and only what is still listed is signalled. If the process of the pidfd lives, it is that which
 * the second reading names; if it does not, the signal goes nowhere.
 *
 * A tenant with a delegated subtree decides how deep, wide and full it is. The walk stops at fixed bounds,
 * so that it cannot hold up the guard: whoever got no SIGTERM gets the SIGKILL. */
#include "act/actuator.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"

#define BATCH_MAX 64
#define WALK_DEPTH_MAX 32
#define WALK_CGROUPS_MAX 4096
#define WALK_PROCESSES_MAX 65536

struct Batch {
    size_t n;
    pid_t pid[BATCH_MAX];
    int pidfd[BATCH_MAX];
};

struct Walk {
    unsigned cgroups_left, processes_left;
    int error; /* the first, if any */
};

static void walk_error(struct Walk *walk, int r)
{
    if (r < 0 && !error_is_gone(r) && walk->error == 0)
        walk->error = r;
}

static int procs_open(int dir_fd, FILE **ret)
{
    _cleanup_fd_ int fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *file;

    if (fd < 0)
        return negative_errno();
    file = fdopen(fd, "re");
    if (!file)
        return negative_errno();
    (void)take_fd(&fd);
    *ret = file;
    return 0;
}

/* Reads the next pid; false at the end. The processes of a threaded cgroup are listed at its domain, and
 * reading its own list fails: that is its end too. */
static bool procs_next(FILE *procs, pid_t *ret_pid)
{
    return fscanf(procs, "%d", ret_pid) == 1;
}

/* 0 stands for a process of a pid namespace that is not below ours. */
static bool may_signal(pid_t pid)
{
    return pid > 1 && pid != getpid();
}

static int batch_add(struct Batch *batch, pid_t pid)
{
    int pidfd = pidfd_open(pid, 0);

    if (pidfd < 0)
        return errno == ESRCH || errno == EINVAL ? 0 : negative_errno();
    batch->pid[batch->n] = pid;
    batch->pidfd[batch->n++] = pidfd;
    return 0;
}

static int batch_signal_one(const struct Batch *batch, pid_t pid)
{
    for (size_t i = 0; i < batch->n; i++)
        if (batch->pid[i] == pid && pidfd_send_signal(batch->pidfd[i], SIGTERM, NULL, 0) < 0)
            return errno == ESRCH ? 0 : negative_errno();
    return 0;
}

/* Signals those of the batch that are still in the cgroup, and empties it. */
static int batch_signal(struct Batch *batch, int dir_fd)
{
    _cleanup_file_ FILE *procs = NULL;
    int error = procs_open(dir_fd, &procs);
    pid_t pid;

    while (error == 0 && procs_next(procs, &pid))
        error = batch_signal_one(batch, pid);
    while (batch->n > 0)
        fd_close(batch->pidfd[--batch->n]);
    return error;
}

static void terminate_processes(struct Walk *walk, int dir_fd)
{
    _cleanup_file_ FILE *procs = NULL;
    struct Batch batch = {.n = 0};
    pid_t pid;

    walk_error(walk, procs_open(dir_fd, &procs));
    while (procs && walk->processes_left > 0 && procs_next(procs, &pid)) {
        if (!may_signal(pid))
            continue;
        walk->processes_left--;
        walk_error(walk, batch_add(&batch, pid));
        if (batch.n == BATCH_MAX)
            walk_error(walk, batch_signal(&batch, dir_fd));
    }
    if (batch.n > 0)
        walk_error(walk, batch_signal(&batch, dir_fd));
}

static bool is_child(const struct dirent *entry)
{
    return entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* Opens `name` in `dir_fd` for reading it as a directory. */
static int dir_open(int dir_fd, const char *name, DIR **ret)
{
    _cleanup_fd_ int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir;

    if (fd < 0)
        return negative_errno();
    dir = fdopendir(fd);
    if (!dir)
        return negative_errno();
    (void)take_fd(&fd);
    *ret = dir;
    return 0;
}

static void terminate_tree(struct Walk *walk, int parent_fd, const char *name, unsigned depth)
{
    _cleanup_dir_ DIR *dir = NULL;
    const struct dirent *entry;

    if (depth > WALK_DEPTH_MAX || walk->cgroups_left == 0)
        return;
    walk->cgroups_left--;
    walk_error(walk, dir_open(parent_fd, name, &dir));
    if (!dir)
        return;
    terminate_processes(walk, dirfd(dir));
    while ((void)(errno = 0), (entry = readdir(dir)))
        if (is_child(entry))
            terminate_tree(walk, dirfd(dir), entry->d_name, depth + 1);
    if (errno != 0)
        walk_error(walk, negative_errno());
}

/* What could not be told to end is not let loose either: after an error the tenant stays frozen. */
static int terminate_begin(const struct Cgroup *cgroup)
{
    struct Walk walk = {
        .cgroups_left = WALK_CGROUPS_MAX,
        .processes_left = WALK_PROCESSES_MAX,
    };
    int r;

    terminate_tree(&walk, cgroup->dir_fd, ".", 0);
    if (walk.error < 0)
        return walk.error;
    r = actuator_thaw.begin(cgroup);
    return r < 0 ? r : ACT_SETTLED;
}

/* Whether the processes heed the signal is not waited for: that is what the step's duration is for. */
static int terminate_settled(const struct Cgroup *cgroup)
{
    struct CgroupState state;
    int r = cgroup_read_state(cgroup->events_fd, &state);

    return r < 0 ? r : ACT_SETTLED;
}

static int kill_begin(const struct Cgroup *cgroup)
{
    int r = fd_write_text(cgroup->kill_fd, "1");

    return r < 0 ? r : ACT_PENDING;
}

static int kill_settled(const struct Cgroup *cgroup)
{
    struct CgroupState state;
    int r = cgroup_read_state(cgroup->events_fd, &state);

    if (r < 0)
        return r;
    return state.populated ? ACT_PENDING : ACT_SETTLED;
}

const struct Actuator actuator_terminate = {
    .name = "terminate",
    .timeout_usec = 10 * USEC_PER_SEC,
    .begin = terminate_begin,
    .settled = terminate_settled,
    .roll_back = NULL,
};

const struct Actuator actuator_kill = {
    .name = "kill",
    .timeout_usec = 30 * USEC_PER_SEC,
    .begin = kill_begin,
    .settled = kill_settled,
    .roll_back = NULL,
};
