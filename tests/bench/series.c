/* See series.h. */
#include "series.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_nsec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool input_ended(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char byte;

    return poll(&input, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

bool series_next(struct Series *series)
{
    if (series->wanted > 0 ? series->done >= series->wanted : input_ended())
        return false;
    if (series->done > 0 && series->pause_usec > 0)
        usleep((useconds_t)series->pause_usec);
    series->began_nsec = now_nsec();
    return true;
}

void series_done(struct Series *series)
{
    printf("%llu\n", (unsigned long long)(now_nsec() - series->began_nsec));
    series->done++;
}
