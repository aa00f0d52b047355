/* The last values of the readings that a tenant's rules go by, for whoever asks afterwards what led to a
 * decision. A ring of fixed size for all of them: it is written on the way to a freeze. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/usec.h"
#include "model/reading.h"

#define TRAIL_SAMPLES 48
/* What lies further back is no part of the story. */
#define TRAIL_REACH_USEC (10 * USEC_PER_MINUTE)

struct Sample {
    enum ReadingId reading;
    int64_t value;
    usec_t at_usec;
};

/* All zeros: nothing yet. */
struct Trail {
    uint64_t n; /* ever added; the i-th is in ring[i % TRAIL_SAMPLES] */
    struct Sample ring[TRAIL_SAMPLES];
};

/* The last values of one reading, the oldest first. */
#define SERIES_MAX 12
struct Series {
    size_t n;
    int64_t value[SERIES_MAX];
    uint32_t age_msec[SERIES_MAX]; /* before the decision */
};

/* Adds what was read at `now`; the same reading of the same moment counts once. */
void trail_add(struct Trail *trail, enum ReadingId reading, int64_t value, usec_t now);

/* The value that was added last; false: there is none. */
bool trail_last(const struct Trail *trail, enum ReadingId reading, int64_t *ret_value);

void trail_series(const struct Trail *trail, enum ReadingId reading, usec_t now, struct Series *ret);
