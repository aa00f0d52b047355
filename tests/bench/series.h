/* A series of one thing done over and over, and how long each of them took. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Series {
    unsigned long wanted; /* 0: until standard input ends */
    unsigned long done;
    unsigned long pause_usec; /* before each but the first */
    uint64_t began_nsec;
};

/* Pauses, and begins another one; false when that were one too many. */
bool series_next(struct Series *series);

/* Ends it, and prints how many nanoseconds it took, on a line of its own. */
void series_done(struct Series *series);
