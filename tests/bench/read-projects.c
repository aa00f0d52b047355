/* read-projects MOUNT            usage of every project of a filesystem, in one go
 * read-projects MOUNT FIRST N    of N projects from FIRST on, each by itself
 *
 * By guardd's own sensor. Prints how many there were, and the sum of what they use. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sense/filesystem.h"

struct Sum {
    uint64_t projects, bytes;
};

static int add(void *userdata, uint32_t project, const struct DiskUsage *usage)
{
    struct Sum *sum = userdata;

    (void)project;
    sum->projects++;
    sum->bytes += usage->space_bytes;
    return 0;
}

static int read_each(const struct Filesystem *filesystem, uint32_t first, uint32_t n, struct Sum *sum)
{
    int r = 0;

    for (uint32_t project = first; r == 0 && project < first + n; project++) {
        struct DiskUsage usage;

        r = quota_read(filesystem, project, &usage);
        if (r == 0)
            r = add(sum, project, &usage);
    }
    return r;
}

int main(int argc, char **argv)
{
    struct Filesystem filesystem = {0};
    struct Sum sum = {0};
    struct stat status;
    int r;

    if (argc != 2 && argc != 4) {
        fprintf(stderr, "usage: read-projects MOUNT [FIRST N]\n");
        return 2;
    }
    if (stat(argv[1], &status) < 0) {
        perror(argv[1]);
        return EXIT_FAILURE;
    }
    filesystem.path = argv[1];
    filesystem.dev = status.st_dev;
    r = argc == 2 ? quota_for_each(&filesystem, 1, add, &sum)
                  : read_each(&filesystem, (uint32_t)strtoul(argv[2], NULL, 10),
                              (uint32_t)strtoul(argv[3], NULL, 10), &sum);
    if (r < 0) {
        fprintf(stderr, "read-projects: %s: %s\n", argv[1], strerror(-r));
        return EXIT_FAILURE;
    }
    printf("%" PRIu64 " projects, %" PRIu64 " bytes\n", sum.projects, sum.bytes);
    return EXIT_SUCCESS;
}
