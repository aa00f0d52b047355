/* thrash: takes the page cache from everybody, by reading more than fits in memory, endlessly.
 *
 *     thrash [-c CHUNK] [-p PROCESSES] FILE
 *
 * PROCESSES (8) of them read CHUNK (256 KiB) at random places of a file, which is to be larger than
 * memory: every other one by read(), the others through a mapping. They go when the first one does. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096

struct Order {
    uint64_t chunk, processes, bytes;
    int fd;
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "thrash: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static uint64_t anywhere(const struct Order *order)
{
    return (uint64_t)random() % (order->bytes / order->chunk) * order->chunk;
}

static void read_around(const struct Order *order)
{
    char *block = malloc(order->chunk);

    must(block, "memory");
    for (;;)
        must(pread(order->fd, block, order->chunk, (off_t)anywhere(order)) == (ssize_t)order->chunk, "read");
}

static void look_around(const struct Order *order)
{
    const volatile char *map = mmap(NULL, order->bytes, PROT_READ, MAP_SHARED, order->fd, 0);

    must(map != MAP_FAILED, "mmap");
    for (;;) {
        uint64_t at = anywhere(order);

        for (uint64_t i = 0; i < order->chunk; i += PAGE)
            (void)map[at + i];
    }
}

static void work(const struct Order *order, uint64_t number)
{
    srandom((unsigned)number);
    number % 2 ? look_around(order) : read_around(order);
}

static void start(const struct Order *order, uint64_t number)
{
    pid_t parent = getpid(), pid = fork();

    must(pid >= 0, "fork");
    if (pid > 0)
        return;
    must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "prctl");
    if (getppid() == parent)
        work(order, number);
    _exit(EXIT_SUCCESS);
}

static const char *parse(struct Order *order, int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "c:p:")) != -1) {
        uint64_t number = optarg ? strtoull(optarg, NULL, 10) : 0;

        switch (option) {
        case 'c':
            order->chunk = number;
            break;
        case 'p':
            order->processes = number;
            break;
        default:
            return NULL;
        }
    }
    return optind + 1 == argc && order->processes && order->chunk >= PAGE ? argv[optind] : NULL;
}

int main(int argc, char **argv)
{
    struct Order order = {.chunk = 256 << 10, .processes = 8};
    const char *file = parse(&order, argc, argv);
    struct stat status;

    if (!file) {
        fprintf(stderr, "usage: thrash [-c CHUNK] [-p PROCESSES] FILE\n");
        return 2;
    }
    order.fd = open(file, O_RDONLY | O_CLOEXEC);
    must(order.fd >= 0 && fstat(order.fd, &status) == 0, file);
    order.bytes = (uint64_t)status.st_size;
    if (order.bytes < order.chunk) {
        fprintf(stderr, "thrash: %s is smaller than a chunk\n", file);
        return EXIT_FAILURE;
    }
    for (uint64_t number = 1; number < order.processes; number++)
        start(&order, number);
    work(&order, 0);
}
