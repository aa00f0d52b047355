/* What a number counts, and how it is written for people. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum Measure {
    MEASURE_COUNT,         /* 1024; 200k for what is counted in thousands */
    MEASURE_BYTES,         /* 9.8G */
    MEASURE_RATE,          /* per second */
    MEASURE_BYTES_PER_SEC, /* 120M/s */
    MEASURE_SECONDS,       /* 2min */
    MEASURE_PERCENT,       /* 23.4%; in hundredths of a percent: 2340 */
    MEASURE_BITS_PER_SEC,  /* 98.5Mbit: in powers of 1000, as tc(8) and everybody on a network counts */
    MEASURE_INVALID = -1,
};

/* Name on the wire: "count", "bytes", "rate", "bytes/s", "seconds", "percent", "bits/s". */
const char *measure_name(enum Measure measure);
enum Measure measure_from_name(const char *name);

/* Returns `buf`. INT64_MIN.. are written with their sign. Allocates nothing. Tasks are written exactly. */
const char *measure_format(enum Measure measure, int64_t value, char *buf, size_t size);
#define MEASURE_FORMAT_MAX 48

/* Reads what people write and what measure_format() writes: counts ("500", "20k"), bytes ("100M", "1.5G"),
 * both with "/s" behind them or without it for what is per second, bits per second in powers of 1000 ("10M",
 * "10Mbit", "10Mbit/s"), durations in whole seconds ("2min"), and
 * percentages with at most two digits behind the point ("20%", "0.5%"; may be above 100%).
 * Never negative, and below INT64_MAX. false: it is none. */
bool measure_parse(enum Measure measure, const char *text, int64_t *ret_value);
/* The same value that measure_format() writes, but exactly: measure_parse() gives back what went in. */
const char *measure_format_exact(enum Measure measure, int64_t value, char *buf, size_t size);
