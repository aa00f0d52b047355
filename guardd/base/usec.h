/* Points in time and durations, in microseconds. A point in time is CLOCK_BOOTTIME unless a name says
 * `realtime`: it goes on over suspend and is comparable between two runs of guardd in one boot, which
 * is what the ledger needs. Only the event loop asks the clock; everyone below is handed `now`. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef uint64_t usec_t;

#define USEC_INFINITY UINT64_MAX
#define USEC_PER_MSEC ((usec_t)1000)
#define USEC_PER_SEC ((usec_t)1000 * 1000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MINUTE)

/* a + b, and b times 2^shift, that stop at USEC_INFINITY instead of wrapping. */
usec_t usec_add(usec_t a, usec_t b);
usec_t usec_shift(usec_t a, unsigned shift);

static inline usec_t usec_min(usec_t a, usec_t b)
{
    return a < b ? a : b;
}

static inline usec_t usec_max(usec_t a, usec_t b)
{
    return a > b ? a : b;
}

/* Parses systemd's time spans: "5s", "1min", "500ms", "1min 30s", a bare number in seconds, "infinity".
 * -EINVAL when it is none. */
int usec_parse(const char *text, usec_t *ret_usec);

/* Formats as "1min 30s", "250ms", "0"; at most two units, as `systemctl` does, and no finer than people read
 * it. Returns `buf`. */
const char *usec_format(usec_t usec, char *buf, size_t size);
#define USEC_FORMAT_MAX 32
