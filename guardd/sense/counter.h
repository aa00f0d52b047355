/* What a counter tells from one look to the next: how far it went on, and how fast.
 *
 * A rate needs two looks that are at least RATE_MIN_USEC apart: of nearer ones the former value stays, and
 * the older point in time is what the next look is compared with. Looks that are further apart than
 * RATE_MAX_USEC begin anew: what a tenant did on average over an hour of peace says nothing of now, and a
 * throttle that went by it would choke it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/usec.h"
#include "model/reading.h"
#include "model/strain.h"

#define RATE_MIN_USEC (100 * USEC_PER_MSEC)
#define RATE_MAX_USEC USEC_PER_MINUTE

/* Takes the digits at `*text` and moves it behind them. false: there are none, or too many. */
bool counter_parse(const char **text, uint64_t *ret);

/* Two of them, with `between` between: "8:16". */
bool counter_parse_pair(const char **text, char between, uint64_t *ret_first, uint64_t *ret_second);

void reading_set(struct Readings *readings, enum ReadingId id, int64_t value);
/* Into what a reading holds: never above INT64_MAX - 1, which is not "unlimited". */
int64_t reading_amount(uint64_t value);

enum Interval {
    INTERVAL_NONE,  /* nothing to compare with: a new beginning */
    INTERVAL_SHORT, /* too near: the former value stays, and so does the point in time */
    INTERVAL_GOOD,
};
enum Interval interval_between(bool valid, usec_t before, usec_t now, usec_t max);

/* Of a `change` that is not negative. Never so much that sums of a few would not stay in range. */
int64_t rate_per_second(double change, usec_t elapsed);

/* The growth since the last look, however long ago. Not valid at the first look, or when it went back. */
void counter_growth(struct CounterBaseline *baseline, uint64_t value, usec_t now, struct Readings *readings,
                    enum ReadingId id);

/* The growth per second, in units of `unit` (0.5: two of the counter's make one of the reading's). A value
 * that went back is a new beginning. */
void counter_rate(struct CounterBaseline *baseline, uint64_t value, usec_t now, double unit,
                  struct Readings *readings, enum ReadingId id);

/* How fast a value grows that goes up and down by itself (a tenant that works takes memory and gives it
 * back): the change over the last GROWTH_WINDOW_USEC, or since the last look where that is longer ago. What
 * was seen for less than GROWTH_LEAST_USEC counts as if it had taken that long: a moment's need is no growth.
 */
#define GROWTH_WINDOW_USEC (5 * USEC_PER_SEC)
#define GROWTH_LEAST_USEC (3 * USEC_PER_SEC)
void growth_rate(struct GrowthWindow *window, uint64_t value, usec_t now, struct Readings *readings,
                 enum ReadingId id);

/* It cannot be read. */
void counter_lost(struct CounterBaseline *baseline, struct Readings *readings, enum ReadingId id);
