/* hog: takes memory as a tenant would that leaks it, and goes on using all it has.
 *
 *     hog [-s DIRECTORY] [-r RATE] BYTES
 *
 * Takes BYTES of anonymous memory; -s: of a tmpfs, in the file "hog" in DIRECTORY, which is memory as
 * well, but nobody's as processes go. RATE: bytes a second. What it has is touched in turn, at the same
 * rate (of a tmpfs: when it has all), so that none of it is idle, until it is killed. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define CHUNK ((uint64_t)1024 * 1024)
#define PAGE 4096
#define USEC_PER_SEC 1000000

struct Hog {
    uint64_t bytes, rate;
    const char *directory;
    int fd;
    volatile char *memory;
    uint64_t taken, cursor, touched;
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "hog: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static uint64_t boottime_usec(void)
{
    struct timespec now;

    must(clock_gettime(CLOCK_BOOTTIME, &now) == 0, "clock_gettime");
    return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}

/* False when the tmpfs has no more room. */
static bool touch(struct Hog *hog, uint64_t offset)
{
    static char chunk[CHUNK];

    hog->touched += CHUNK;
    if (!hog->directory) {
        for (uint64_t i = 0; i < CHUNK; i += PAGE)
            hog->memory[offset + i] = (char)hog->touched; /* not ++: a page that is read first faults twice */
        return true;
    }
    chunk[0]++;
    if (pwrite(hog->fd, chunk, CHUNK, (off_t)offset) == (ssize_t)CHUNK)
        return true;
    must(errno == ENOSPC || errno == EINTR || errno == 0, "write");
    return false;
}

/* Takes a chunk more and touches an old one. In a tmpfs, where touching is as dear as taking, only when it
 * has all. */
static void step(struct Hog *hog)
{
    if (hog->taken + CHUNK <= hog->bytes && touch(hog, hog->taken)) {
        hog->taken += CHUNK;
        if (hog->directory)
            return;
    }
    if (hog->cursor + CHUNK > hog->taken)
        hog->cursor = 0;
    if (hog->taken && touch(hog, hog->cursor))
        hog->cursor += CHUNK;
}

static void pace(const struct Hog *hog, uint64_t began)
{
    uint64_t usec = hog->rate ? CHUNK * USEC_PER_SEC / hog->rate : 0; /* what a chunk takes */
    struct timespec nap = {(time_t)(usec / USEC_PER_SEC), (long)(usec % USEC_PER_SEC) * 1000};
    uint64_t each = hog->directory ? 1 : 2;

    while (hog->rate && hog->touched / each > (boottime_usec() - began) * hog->rate / USEC_PER_SEC)
        nanosleep(&nap, NULL);
}

static void prepare(struct Hog *hog)
{
    if (hog->directory) {
        must(chdir(hog->directory) == 0, hog->directory);
        hog->fd = open("hog", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        must(hog->fd >= 0, hog->directory);
        return;
    }
    hog->memory =
        mmap(NULL, hog->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    must(hog->memory != MAP_FAILED, "mmap");
}

static void usage(void)
{
    fprintf(stderr, "usage: hog [-s DIRECTORY] [-r RATE] BYTES\n");
    exit(2);
}

int main(int argc, char **argv)
{
    struct Hog hog = {0};
    uint64_t began;
    int option;

    while ((option = getopt(argc, argv, "s:r:")) != -1)
        switch (option) {
        case 's':
            hog.directory = optarg;
            break;
        case 'r':
            hog.rate = strtoull(optarg, NULL, 10);
            break;
        default:
            usage();
        }
    if (optind + 1 != argc)
        usage();
    hog.bytes = strtoull(argv[optind], NULL, 10);
    if (hog.bytes < CHUNK)
        usage();
    prepare(&hog);
    began = boottime_usec();
    for (;;) {
        step(&hog);
        pace(&hog, began);
    }
}
