/* From a rate to what TBF and fq_codel are told. Pure. */
#pragma once

#include <stdint.h>

#include "model/shape.h"

struct ShapeWish {
    uint64_t rate_bits;   /* a second, of IP packets */
    uint64_t burst_bytes; /* 0: the default */
    uint32_t mtu;         /* of the link; 0 or less than IP asks for: 1500 */
    uint32_t timer_hz;    /* how finely the kernel can wait (shaper_timer_hz()); 0: not known */
};

enum ShapeVerdict {
    SHAPE_OK,
    SHAPE_TOO_SLOW, /* 0, or a full packet would take longer than a second */
    SHAPE_TOO_FAST, /* above SHAPE_RATE_MAX: no link is so fast, so nothing is to be shaped */
};

/* 1 Tbit/s. */
#define SHAPE_RATE_MAX UINT64_C(1000000000000)

/* `ret` is written where it is SHAPE_OK. A burst that is wanted too small is raised to what the rate needs,
 * one that is longer than SHAPE_BURST_MAX_SEC of the rate is cut to that. */
#define SHAPE_BURST_MAX_SEC 10
enum ShapeVerdict shape_find(const struct ShapeWish *wish, struct Shape *ret);

/* The slowest rate that is not too slow there, in bit/s. */
uint64_t shape_rate_min(uint32_t mtu);
