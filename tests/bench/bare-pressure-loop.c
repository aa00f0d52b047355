/* bare-pressure-loop TRIGGER FILE TEXT: the least that a guard against pressure on the CPU could be, and what
 * guardd's reaction is measured against. For each cgroup that is named on its input: sets TRIGGER ("some
 * 150000 500000") on its cpu.pressure, waits for the kernel to announce it, then writes TEXT to its FILE. It
 * judges nothing, records nothing and checks nothing. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct Deed {
    const char *trigger, *file, *text;
};

static void die(const char *what)
{
    fprintf(stderr, "bare-pressure-loop: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static int open_in(const char *cgroup, const char *name)
{
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", cgroup, name);
    fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        die(path);
    return fd;
}

static void guard(const char *cgroup, const struct Deed *deed)
{
    struct pollfd pressure = {.fd = open_in(cgroup, "cpu.pressure"), .events = POLLPRI};
    int file_fd = open_in(cgroup, deed->file);
    size_t length = strlen(deed->text);

    /* With its NUL, as the kernel's documentation has it. */
    if (write(pressure.fd, deed->trigger, strlen(deed->trigger) + 1) < 0)
        die(deed->trigger);
    printf("ready %d\n", getpid());
    if (poll(&pressure, 1, -1) < 0 || !(pressure.revents & POLLPRI) || (pressure.revents & POLLERR))
        die("poll");
    if (write(file_fd, deed->text, length) != (ssize_t)length)
        die(deed->file);
    close(file_fd);
    close(pressure.fd);
}

int main(int argc, char **argv)
{
    char cgroup[PATH_MAX / 2];

    if (argc != 4) {
        fputs("usage: bare-pressure-loop TRIGGER FILE TEXT\n", stderr);
        return 2;
    }
    if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
        die("mlockall");
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(cgroup, sizeof(cgroup), stdin)) {
        cgroup[strcspn(cgroup, "\n")] = '\0';
        guard(cgroup, &(struct Deed){.trigger = argv[1], .file = argv[2], .text = argv[3]});
    }
    return EXIT_SUCCESS;
}
