/* witness LIMITED [FROZEN]: an observer that depends on nothing of guardd. It watches
 * pids.events.local of the cgroup LIMITED and cgroup.events of FROZEN (default: the same; for a
 * slice, one of its children) and prints a line for each change:
 *
 *   ready USEC | refused USEC COUNT | frozen USEC | thawed USEC | empty USEC | gone USEC
 *
 * USEC is CLOCK_BOOTTIME. It runs in the realtime class: what it tells must not wait for the bomb.
 * It ends when FROZEN is gone. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct Witness {
    int inotify_fd, pids_fd, events_fd;
    uint64_t refused;
    bool frozen, populated;
};

static void die(const char *what)
{
    fprintf(stderr, "witness: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void say(const char *what, uint64_t usec)
{
    printf("%s %llu\n", what, (unsigned long long)usec);
}

static uint64_t boottime_usec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* The number behind KEY in a file of "KEY NUMBER" lines; false when the cgroup is gone. */
static bool read_key(int fd, const char *key, uint64_t *ret)
{
    char text[256], *at;
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

    if (n < 0)
        return false;
    text[n] = '\0';
    at = strstr(text, key);
    if (!at)
        die(key);
    *ret = strtoull(at + strlen(key), NULL, 10);
    return true;
}

static int watch(struct Witness *witness, const char *cgroup, const char *file)
{
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", cgroup, file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || inotify_add_watch(witness->inotify_fd, path, IN_MODIFY) < 0)
        die(path);
    return fd;
}

/* That it is removed is not told of the files that are open in it, and may come before it is told that it is
 * empty. */
static void watch_removal(struct Witness *witness, const char *cgroup)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/..", cgroup);
    if (inotify_add_watch(witness->inotify_fd, path, IN_DELETE | IN_ONLYDIR) < 0)
        die(path);
}

static void look_at_pids(struct Witness *witness)
{
    uint64_t refused, now;

    if (!read_key(witness->pids_fd, "max ", &refused) || refused == witness->refused)
        return;
    now = boottime_usec();
    printf("refused %llu %llu\n", (unsigned long long)now, (unsigned long long)refused);
    witness->refused = refused;
}

static bool look_at_events(struct Witness *witness)
{
    uint64_t frozen, populated, now;

    if (!read_key(witness->events_fd, "frozen ", &frozen) ||
        !read_key(witness->events_fd, "populated ", &populated))
        return false;
    now = boottime_usec();
    if ((frozen != 0) != witness->frozen)
        say(frozen ? "frozen" : "thawed", now);
    if (populated == 0 && witness->populated)
        say("empty", now);
    witness->frozen = frozen != 0;
    witness->populated = populated != 0;
    return true;
}

static void run(struct Witness *witness)
{
    char buffer[4096];

    /* What was refused before is not news. */
    read_key(witness->pids_fd, "max ", &witness->refused);
    look_at_events(witness);
    say("ready", boottime_usec());
    for (;;) {
        if (read(witness->inotify_fd, buffer, sizeof(buffer)) < 0 && errno != EINTR)
            die("inotify");
        look_at_pids(witness);
        if (!look_at_events(witness))
            break;
    }
    say("gone", boottime_usec());
}

int main(int argc, char **argv)
{
    const struct sched_param realtime = {.sched_priority = 50};
    struct Witness witness = {.inotify_fd = inotify_init1(IN_CLOEXEC)};

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: witness LIMITED [FROZEN]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (sched_setscheduler(0, SCHED_FIFO, &realtime) < 0 || mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
        die("realtime");
    witness.pids_fd = watch(&witness, argv[1], "pids.events.local");
    witness.events_fd = watch(&witness, argv[argc - 1], "cgroup.events");
    watch_removal(&witness, argv[argc - 1]);
    run(&witness);
    return EXIT_SUCCESS;
}
