/* bare-set FILE N PAUSE VALUE...: the least that setting a limit could be, and what guardd's is measured
 * against: writes the values into a file of the kernel's in turn, N times (0: until standard input ends),
 * with PAUSE microseconds between two of them, and prints a line for each: how many nanoseconds it took. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "series.h"

static void die(const char *what)
{
    fprintf(stderr, "bare-set: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    struct Series series;
    int fd;

    if (argc < 5) {
        fprintf(stderr, "usage: bare-set FILE N PAUSE VALUE...\n");
        return 2;
    }
    series = (struct Series){.wanted = strtoul(argv[2], NULL, 10), .pause_usec = strtoul(argv[3], NULL, 10)};
    fd = open(argv[1], O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        die(argv[1]);
    while (series_next(&series)) {
        const char *value = argv[4 + series.done % (unsigned long)(argc - 4)];

        if (pwrite(fd, value, strlen(value), 0) < 0)
            die(argv[1]);
        series_done(&series);
    }
    close(fd);
    return EXIT_SUCCESS;
}
