/* bare-loop CGROUP: the least that a guard against fork bombs could be, and what guardd's reaction
 * is measured against. Waits by inotify for pids.events.local to change, then writes 1 to
 * cgroup.freeze, and ends. It judges nothing, records nothing and checks nothing. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <unistd.h>

static void die(const char *what)
{
    fprintf(stderr, "bare-loop: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static const char *file_of(const char *cgroup, const char *name)
{
    static char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", cgroup, name);
    return path;
}

int main(int argc, char **argv)
{
    char buffer[4096];
    int inotify_fd = inotify_init1(IN_CLOEXEC), freeze_fd;

    if (argc != 2) {
        fprintf(stderr, "usage: bare-loop CGROUP\n");
        return 2;
    }
    if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
        die("mlockall");
    freeze_fd = open(file_of(argv[1], "cgroup.freeze"), O_WRONLY | O_CLOEXEC);
    if (freeze_fd < 0 || inotify_add_watch(inotify_fd, file_of(argv[1], "pids.events.local"), IN_MODIFY) < 0)
        die(argv[1]);
    printf("ready\n");
    fflush(stdout);
    if (read(inotify_fd, buffer, sizeof(buffer)) < 0)
        die("inotify");
    if (write(freeze_fd, "1", 1) != 1)
        die("cgroup.freeze");
    return EXIT_SUCCESS;
}
