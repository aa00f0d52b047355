#include "sense/counter.h"

#include <string.h>

/* Of a rate: no tenant comes near it, and sums of a few stay in range. */
#define RATE_CEILING ((double)(INT64_C(1) << 60))

bool counter_parse(const char **text, uint64_t *ret)
{
    const char *p = *text;
    uint64_t value = 0;

    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
            return false;
    if (p == *text)
        return false;
    *text = p;
    *ret = value;
    return true;
}

bool counter_parse_pair(const char **text, char between, uint64_t *ret_first, uint64_t *ret_second)
{
    if (!counter_parse(text, ret_first) || **text != between)
        return false;
    (*text)++;
    return counter_parse(text, ret_second);
}

void reading_set(struct Readings *readings, enum ReadingId id, int64_t value)
{
    readings->valid[id] = true;
    readings->value[id] = value;
}

int64_t reading_amount(uint64_t value)
{
    return value < INT64_MAX ? (int64_t)value : INT64_MAX - 1;
}

enum Interval interval_between(bool valid, usec_t before, usec_t now, usec_t max)
{
    if (!valid || now < before || now - before > max)
        return INTERVAL_NONE;
    return now - before < RATE_MIN_USEC ? INTERVAL_SHORT : INTERVAL_GOOD;
}

static void move_on(struct CounterBaseline *baseline, uint64_t value, usec_t now)
{
    *baseline = (struct CounterBaseline){.valid = true, .value = value, .at_usec = now};
}

void counter_growth(struct CounterBaseline *baseline, uint64_t value, usec_t now, struct Readings *readings,
                    enum ReadingId id)
{
    readings->valid[id] = false;
    if (baseline->valid && value >= baseline->value)
        reading_count(readings, id, reading_amount(value - baseline->value));
    move_on(baseline, value, now);
}

int64_t rate_per_second(double change, usec_t elapsed)
{
    double rate = change * (double)USEC_PER_SEC / (double)elapsed;

    return (int64_t)(rate > RATE_CEILING ? RATE_CEILING : rate);
}

void counter_rate(struct CounterBaseline *baseline, uint64_t value, usec_t now, double unit,
                  struct Readings *readings, enum ReadingId id)
{
    bool comparable = baseline->valid && value >= baseline->value;
    enum Interval interval = interval_between(comparable, baseline->at_usec, now, RATE_MAX_USEC);

    if (interval == INTERVAL_SHORT)
        return;
    readings->valid[id] = false;
    if (interval == INTERVAL_GOOD)
        reading_set(readings, id,
                    rate_per_second((double)(value - baseline->value) * unit, now - baseline->at_usec));
    move_on(baseline, value, now);
}

static void drop_samples(struct GrowthWindow *window, size_t n)
{
    window->n -= n;
    memmove(window->samples, window->samples + n, window->n * sizeof(window->samples[0]));
}

/* Looks in quick succession must not push out of the window what is a few seconds old. */
static void add_sample(struct GrowthWindow *window, uint64_t value, usec_t now)
{
    if (window->n >= 2 &&
        now - window->samples[window->n - 2].at_usec < GROWTH_WINDOW_USEC / (GROWTH_SAMPLES_MAX - 1))
        window->n--;
    else if (window->n == GROWTH_SAMPLES_MAX)
        drop_samples(window, 1);
    window->samples[window->n].value = value;
    window->samples[window->n].at_usec = now;
    window->n++;
}

static int64_t growth_per_second(uint64_t before, uint64_t after, usec_t elapsed)
{
    return after >= before ? rate_per_second((double)(after - before), elapsed)
                           : -rate_per_second((double)(before - after), elapsed);
}

void growth_rate(struct GrowthWindow *window, uint64_t value, usec_t now, struct Readings *readings,
                 enum ReadingId id)
{
    usec_t last = window->n > 0 ? window->samples[window->n - 1].at_usec : 0;
    enum Interval interval = interval_between(window->n > 0, last, now, RATE_MAX_USEC);

    if (interval == INTERVAL_SHORT)
        return;
    readings->valid[id] = false;
    if (interval == INTERVAL_NONE)
        window->n = 0;
    while (window->n > 1 && now - window->samples[0].at_usec > GROWTH_WINDOW_USEC)
        drop_samples(window, 1);
    if (window->n > 0)
        reading_set(readings, id,
                    growth_per_second(window->samples[0].value, value,
                                      usec_max(now - window->samples[0].at_usec, GROWTH_LEAST_USEC)));
    add_sample(window, value, now);
}

void counter_lost(struct CounterBaseline *baseline, struct Readings *readings, enum ReadingId id)
{
    baseline->valid = false;
    readings->valid[id] = false;
}
