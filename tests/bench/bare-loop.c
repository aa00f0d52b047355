/* bare-loop: the least that a guard against fork bombs could be, and what guardd's reaction is measured
 * against. For each cgroup that is named on its input: waits by inotify for pids.events.local to
 * change, then writes 1 to cgroup.freeze. It judges nothing, records nothing and checks nothing. */
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

static void guard(const char *cgroup)
{
    char buffer[4096];
    int inotify_fd = inotify_init1(IN_CLOEXEC);
    int freeze_fd = open(file_of(cgroup, "cgroup.freeze"), O_WRONLY | O_CLOEXEC);

    if (freeze_fd < 0 || inotify_add_watch(inotify_fd, file_of(cgroup, "pids.events.local"), IN_MODIFY) < 0)
        die(cgroup);
    printf("ready %d\n", getpid());
    if (read(inotify_fd, buffer, sizeof(buffer)) < 0)
        die("inotify");
    if (write(freeze_fd, "1", 1) != 1)
        die("cgroup.freeze");
    close(freeze_fd);
    close(inotify_fd);
}

int main(void)
{
    char cgroup[PATH_MAX / 2];

    if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
        die("mlockall");
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(cgroup, sizeof(cgroup), stdin)) {
        cgroup[strcspn(cgroup, "\n")] = '\0';
        guard(cgroup);
    }
    return EXIT_SUCCESS;
}
