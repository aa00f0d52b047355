/* What the kernel is told of one direction of a link: a token bucket (TBF) with a fair queue (fq_codel) in
 * it. */
#pragma once

#include <stdint.h>

struct Shape {
    uint64_t rate_bytes;    /* a second, Ethernet headers counted */
    uint32_t burst_bytes;   /* of tokens: what passes at once after a pause */
    uint32_t packet_bytes;  /* what is longer is split up into frames as it is queued; 0: nothing is */
    uint32_t limit_bytes;   /* of the plain queue, for the moment before the fair one is there */
    uint32_t target_usec;   /* of fq_codel: what a packet may wait for long */
    uint32_t interval_usec; /* for so long */
    uint32_t memory_bytes;  /* what waits may take of the host's memory */
};
