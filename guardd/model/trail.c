#include "model/trail.h"

/* The newest one has index 0. NULL: behind the oldest. */
static const struct Sample *sample_at(const struct Trail *trail, uint64_t index)
{
    if (index >= trail->n || index >= TRAIL_SAMPLES)
        return NULL;
    return &trail->ring[(trail->n - 1 - index) % TRAIL_SAMPLES];
}

static const struct Sample *newest(const struct Trail *trail, enum ReadingId reading)
{
    const struct Sample *sample;

    for (uint64_t i = 0; (sample = sample_at(trail, i)); i++)
        if (sample->reading == reading)
            return sample;
    return NULL;
}

void trail_add(struct Trail *trail, enum ReadingId reading, int64_t value, usec_t now)
{
    const struct Sample *last = newest(trail, reading);

    if (last && last->at_usec == now)
        return;
    trail->ring[trail->n++ % TRAIL_SAMPLES] = (struct Sample){reading, value, now};
}

bool trail_last(const struct Trail *trail, enum ReadingId reading, int64_t *ret_value)
{
    const struct Sample *last = newest(trail, reading);

    if (last)
        *ret_value = last->value;
    return last != NULL;
}

static void turn_round(struct Series *series)
{
    for (size_t i = 0, k = series->n; i + 1 < k; i++) {
        int64_t value = series->value[i];
        uint32_t age = series->age_msec[i];

        k--;
        series->value[i] = series->value[k];
        series->age_msec[i] = series->age_msec[k];
        series->value[k] = value;
        series->age_msec[k] = age;
    }
}

void trail_series(const struct Trail *trail, enum ReadingId reading, usec_t now, struct Series *ret)
{
    const struct Sample *sample;

    ret->n = 0;
    for (uint64_t i = 0; ret->n < SERIES_MAX && (sample = sample_at(trail, i)); i++) {
        if (sample->reading != reading || sample->at_usec > now)
            continue;
        if (now - sample->at_usec > TRAIL_REACH_USEC)
            break;
        ret->value[ret->n] = sample->value;
        ret->age_msec[ret->n++] = (uint32_t)((now - sample->at_usec) / USEC_PER_MSEC);
    }
    turn_round(ret);
}
