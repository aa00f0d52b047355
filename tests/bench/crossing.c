/* crossing FILE COMMAND [ARGUMENT...]   from a write to the line that a listener prints of it
 * crossing FILE SOCKET                  the same, reading guardd's Watch from its socket
 *
 * A line of its input is an order. `wait TEXT`: until the listener has printed a line with TEXT;
 * answered by `there`. `cross TEXT`: writes a block to FILE, which is to cross a tripwire, waits for the
 * line, empties FILE again; answered by the microseconds from before the write until the line was read. The
 * block is small, so that next to nothing of this is the write. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 8192
#define WATCH "{\"method\":\"io.guardd.Guard.Watch\",\"parameters\":{},\"more\":true}"

/* What was read of the listener, up to the next end of a line. */
struct Listener {
    int fd;
    size_t n;
    char text[64 * 1024];
};

static __attribute__((noreturn)) void die(const char *what)
{
    fprintf(stderr, "crossing: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static int start(char **command)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe");
    switch (fork()) {
    case -1:
        die("fork");
    case 0:
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        execvp(command[0], command);
        die(command[0]);
    default:
        close(ends[1]);
        return ends[0];
    }
}

static int watch(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        write(fd, WATCH, sizeof(WATCH)) != sizeof(WATCH)) /* with the NUL that ends it */
        die(path);
    return fd;
}

/* Takes the first line, which ends by a newline or, on a socket, by a NUL; false: there is none yet. */
static bool take_line(struct Listener *listener, const char *wanted, bool *ret_found)
{
    size_t end = 0;

    while (end < listener->n && listener->text[end] != '\n' && listener->text[end] != '\0')
        end++;
    if (end == listener->n)
        return false;
    listener->text[end++] = '\0';
    *ret_found = strstr(listener->text, wanted) != NULL;
    listener->n -= end;
    memmove(listener->text, listener->text + end, listener->n);
    return true;
}

static void read_more(struct Listener *listener)
{
    ssize_t n = read(listener->fd, listener->text + listener->n, sizeof(listener->text) - listener->n);

    if (n <= 0)
        die("the listener");
    listener->n += (size_t)n;
}

static void wait_line(struct Listener *listener, const char *wanted)
{
    bool found = false;

    while (!found)
        if (!take_line(listener, wanted, &found))
            read_more(listener);
}

/* What it printed of the crossing before, beyond the line that was waited for. */
static void forget_lines(struct Listener *listener)
{
    struct pollfd input = {.fd = listener->fd, .events = POLLIN};

    for (listener->n = 0; poll(&input, 1, 0) > 0; listener->n = 0)
        read_more(listener);
}

static long long now_usec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static long long cross(struct Listener *listener, int fd, const char *wanted)
{
    static const char block[BLOCK];
    long long began, took;

    forget_lines(listener);
    began = now_usec();
    if (pwrite(fd, block, sizeof(block), 0) != (ssize_t)sizeof(block))
        die("writing");
    wait_line(listener, wanted);
    took = now_usec() - began;
    if (ftruncate(fd, 0) < 0)
        die("emptying");
    return took;
}

int main(int argc, char **argv)
{
    static struct Listener listener;
    struct stat status;
    char order[512];
    int fd;

    if (argc < 3) {
        fprintf(stderr, "usage: crossing FILE COMMAND...|SOCKET\n");
        return 2;
    }
    fd = open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        die(argv[1]);
    listener.fd = stat(argv[2], &status) == 0 && S_ISSOCK(status.st_mode) ? watch(argv[2]) : start(argv + 2);
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(order, sizeof(order), stdin)) {
        order[strcspn(order, "\n")] = '\0';
        if (strncmp(order, "cross ", 6) == 0) {
            printf("%lld\n", cross(&listener, fd, order + 6));
        } else if (strncmp(order, "wait ", 5) == 0) {
            wait_line(&listener, order + 5);
            puts("there");
        }
    }
    return EXIT_SUCCESS;
}
