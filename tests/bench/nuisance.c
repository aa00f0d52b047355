/* nuisance INTERVAL_MSEC CGROUP...: a tenant that misbehaves, in each of these cgroups: it asks for one task
 * more than it may have, again and again, and is refused. It prints "ready" when all of them do. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "nuisance: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void enter(const char *cgroup)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    must(fd >= 0 && write(fd, "0", 1) == 1, path);
    close(fd);
}

static void ask(const struct timespec *interval)
{
    for (;;) {
        pid_t pid = fork();

        if (pid == 0)
            _exit(0);
        if (pid > 0)
            (void)waitpid(pid, NULL, 0);
        (void)nanosleep(interval, NULL);
    }
}

int main(int argc, char **argv)
{
    long msec = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    const struct timespec interval = {.tv_sec = msec / 1000, .tv_nsec = msec % 1000 * 1000000};

    if (msec <= 0) {
        fprintf(stderr, "usage: nuisance INTERVAL_MSEC CGROUP...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        pid_t pid = fork();

        must(pid >= 0, "fork");
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            enter(argv[i]);
            ask(&interval);
        }
    }
    puts("ready");
    fflush(stdout);
    for (;;)
        pause();
}
