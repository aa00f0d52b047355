/* direct: loads a disk past the page cache (O_DIRECT), endlessly, in files of bounded size.
 *
 *     direct [-b BYTES] [-c CHUNK] [-p PROCESSES] [-r] DIRECTORY
 *
 * PROCESSES (32) of them, which is the depth of the queue, each with its own file "direct.NUMBER". They
 * write in chunks of CHUNK (64 KiB), front to back and again, BYTES (256 MiB) in all files together. -r:
 * every other one reads, at random, what it wrote once. They go when the first one does. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PAGE 4096

struct Order {
    uint64_t bytes, chunk, processes;
    bool read;
    const char *directory;
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "direct: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void write_through(int fd, const char *block, const struct Order *order, uint64_t chunks)
{
    for (uint64_t i = 0; i < chunks; i++)
        must(pwrite(fd, block, order->chunk, (off_t)(i * order->chunk)) == (ssize_t)order->chunk, "write");
}

static void read_around(int fd, char *block, const struct Order *order, uint64_t chunks)
{
    uint64_t at = (uint64_t)random() % chunks;

    must(pread(fd, block, order->chunk, (off_t)(at * order->chunk)) == (ssize_t)order->chunk, "read");
}

static void work(const struct Order *order, uint64_t number)
{
    uint64_t chunks = order->bytes / order->processes / order->chunk;
    char name[32], *block;
    int fd;

    srandom((unsigned)number);
    snprintf(name, sizeof(name), "direct.%llu", (unsigned long long)number);
    block = aligned_alloc(PAGE, order->chunk);
    must(block, "memory");
    memset(block, 'x', order->chunk);
    fd = open(name, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0644);
    must(fd >= 0, name);
    write_through(fd, block, order, chunks);
    for (;;)
        if (order->read && number % 2)
            read_around(fd, block, order, chunks);
        else
            write_through(fd, block, order, chunks);
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

static bool parse(struct Order *order, int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "b:c:p:r")) != -1) {
        uint64_t number = optarg ? strtoull(optarg, NULL, 10) : 0;

        switch (option) {
        case 'b':
            order->bytes = number;
            break;
        case 'c':
            order->chunk = number;
            break;
        case 'p':
            order->processes = number;
            break;
        case 'r':
            order->read = true;
            break;
        default:
            return false;
        }
    }
    if (optind + 1 != argc || !order->processes || !order->chunk || order->chunk % PAGE)
        return false;
    order->directory = argv[optind];
    return order->bytes / order->processes >= order->chunk;
}

int main(int argc, char **argv)
{
    struct Order order = {.bytes = (uint64_t)256 << 20, .chunk = 64 << 10, .processes = 32};

    if (!parse(&order, argc, argv)) {
        fprintf(stderr, "usage: direct [-b BYTES] [-c CHUNK] [-p PROCESSES] [-r] DIRECTORY\n");
        return 2;
    }
    must(chdir(order.directory) == 0, order.directory);
    for (uint64_t number = 1; number < order.processes; number++)
        start(&order, number);
    work(&order, 0);
}
