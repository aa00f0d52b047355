/* filler: takes disk as a tenant would, and tells what it got.
 *
 *     filler [-o REPORT] [-b BYTES] [-r RATE] [-c CHUNK] [-k] WHERE...
 *         Writes CHUNK bytes (64 KiB) to each WHERE in turn: a directory (the file "fill" in it), or "-",
 * standard output. Ends when every directory has refused, or after BYTES in all. RATE: bytes per second. -k:
 * does not end, but tries again ten times a second what has refused. filler [-o REPORT] -n COUNT [-d] WHERE
 *         Makes COUNT empty files in a directory; -d: every other one is a directory.
 *
 * One line each in REPORT (standard error), which is to be where no limit holds, with the time since boot in
 * microseconds: full WHERE ERRNO WROTE USEC        it refused; so much was written to it, or made again WHERE
 * WROTE USEC             it takes something again (-k) end WROTE USEC                     to all of them */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PLACES_MAX 16
#define CHUNK_MAX (1024 * 1024)
#define USEC_PER_SEC 1000000

struct Place {
    const char *where;
    int fd;
    uint64_t wrote;
    bool full;
};

struct Order {
    uint64_t bytes, rate, chunk, count;
    bool keep, directories;
    FILE *report;
    struct Place places[PLACES_MAX];
    size_t n_places;
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "filler: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static uint64_t boottime_usec(void)
{
    struct timespec now;

    must(clock_gettime(CLOCK_BOOTTIME, &now) == 0, "clock_gettime");
    return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}

static void sleep_usec(uint64_t usec)
{
    struct timespec time = {(time_t)(usec / USEC_PER_SEC), (long)(usec % USEC_PER_SEC) * 1000};

    nanosleep(&time, NULL);
}

static void tell_full(struct Order *order, struct Place *place, int error)
{
    place->full = true;
    fprintf(order->report, "full %s %s %llu %llu\n", place->where, strerrorname_np(error),
            (unsigned long long)place->wrote, (unsigned long long)boottime_usec());
}

static uint64_t wrote(const struct Order *order)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < order->n_places; i++)
        sum += order->places[i].wrote;
    return sum;
}

static void open_place(struct Place *place)
{
    int dir;

    if (strcmp(place->where, "-") == 0) {
        place->fd = STDOUT_FILENO;
        return;
    }
    dir = open(place->where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(dir >= 0, place->where);
    place->fd = openat(dir, "fill", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    must(place->fd >= 0, place->where);
    close(dir);
}

/* What is written ends lines, so that a log takes it as it comes. */
static void write_chunk(struct Order *order, struct Place *place)
{
    static char chunk[CHUNK_MAX];
    ssize_t n;

    if (!chunk[0])
        for (size_t i = 0; i < sizeof(chunk); i++)
            chunk[i] = i % 1024 == 1023 ? '\n' : 'x';
    n = write(place->fd, chunk, order->chunk);
    if (n < 0) {
        must(errno == ENOSPC || errno == EDQUOT, place->where);
        if (!place->full)
            tell_full(order, place, errno);
        return;
    }
    place->wrote += (uint64_t)n;
    if (place->full)
        fprintf(order->report, "again %s %llu %llu\n", place->where, (unsigned long long)place->wrote,
                (unsigned long long)boottime_usec());
    place->full = false;
}

/* Standard output takes everything: it is whoever reads it that is refused. */
static bool all_full(const struct Order *order)
{
    bool any = false;

    for (size_t i = 0; i < order->n_places; i++) {
        if (order->places[i].fd == STDOUT_FILENO)
            continue;
        if (!order->places[i].full)
            return false;
        any = true;
    }
    return any;
}

static void fill(struct Order *order)
{
    uint64_t began = boottime_usec();

    if (!order->n_places)
        return;
    for (size_t i = 0; i < order->n_places; i++)
        open_place(&order->places[i]);
    for (size_t i = 0; !order->bytes || wrote(order) < order->bytes;
         i = i + 1 < order->n_places ? i + 1 : 0) {
        if (all_full(order)) {
            if (!order->keep)
                break;
            sleep_usec(USEC_PER_SEC / 10);
        }
        if (!order->places[i].full || order->keep)
            write_chunk(order, &order->places[i]);
        while (order->rate && wrote(order) * USEC_PER_SEC > (boottime_usec() - began) * order->rate)
            sleep_usec(USEC_PER_SEC / 100);
    }
}

static void make_files(struct Order *order)
{
    struct Place *place = &order->places[0];
    char name[32];

    must(chdir(place->where) == 0, place->where);
    for (; place->wrote < order->count; place->wrote++) {
        bool directory = order->directories && place->wrote % 2;
        int r;

        snprintf(name, sizeof(name), "%llu", (unsigned long long)place->wrote);
        r = directory ? mkdir(name, 0755) : open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (r < 0) {
            tell_full(order, place, errno);
            return;
        }
        if (!directory)
            close(r);
    }
}

static void parse(struct Order *order, int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "o:b:r:c:n:kd")) != -1) {
        uint64_t number = optarg ? strtoull(optarg, NULL, 10) : 0;

        switch (option) {
        case 'o':
            order->report = optarg ? fopen(optarg, "we") : NULL;
            break;
        case 'b':
            order->bytes = number;
            break;
        case 'r':
            order->rate = number;
            break;
        case 'c':
            order->chunk = number;
            break;
        case 'n':
            order->count = number;
            break;
        case 'k':
            order->keep = true;
            break;
        case 'd':
            order->directories = true;
            break;
        default:
            exit(2);
        }
    }
    if (!order->report) {
        perror("filler: the report");
        exit(EXIT_FAILURE);
    }
    setvbuf(order->report, NULL, _IOLBF, 0);
    for (; optind < argc && order->n_places < PLACES_MAX; optind++)
        order->places[order->n_places++].where = argv[optind];
}

int main(int argc, char **argv)
{
    static struct Order order = {.chunk = 64 * 1024};

    order.report = stderr;
    parse(&order, argc, argv);
    if (!order.n_places || !order.chunk || order.chunk > CHUNK_MAX) {
        fprintf(stderr, "usage: filler [-o REPORT] [-b BYTES] [-r RATE] [-c CHUNK] [-k] WHERE...\n"
                        "       filler [-o REPORT] -n COUNT [-d] WHERE\n");
        return 2;
    }
    if (!order.report)
        return EXIT_FAILURE;
    order.count ? make_files(&order) : fill(&order);
    fprintf(order.report, "end %llu %llu\n", (unsigned long long)wrote(&order),
            (unsigned long long)boottime_usec());
    return EXIT_SUCCESS;
}
