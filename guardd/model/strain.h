/* What the sensors of memory, cpu and io remember of a tenant (or of the host) between two looks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/usec.h"

/* The lines of the PSI files that guardd goes by. */
enum Pressure {
    PRESSURE_CPU_SOME,
    PRESSURE_MEMORY_SOME,
    PRESSURE_MEMORY_FULL,
    PRESSURE_IO_SOME,
    PRESSURE_IO_FULL,
    PRESSURE_COUNT,
    PRESSURE_INVALID = -1,
};

/* A share of stalled time is the growth of `total_usec` over the time since `at_usec`. */
struct PressureBaseline {
    bool valid;
    uint64_t total_usec;
    usec_t at_usec;
    int64_t proven; /* a trigger says that the share was at least this (model/reading.h, percent); 0: nothing
                     * said. Counts for the next look alone */
};

/* A counter that only grows. */
struct CounterBaseline {
    bool valid;
    uint64_t value;
    usec_t at_usec;
};

/* A value that goes up and down, as of the last few looks, the oldest first. */
#define GROWTH_SAMPLES_MAX 8
struct GrowthWindow {
    struct {
        uint64_t value;
        usec_t at_usec;
    } samples[GROWTH_SAMPLES_MAX];
    size_t n;
};

/* What a tenant moves to and from one device, per second, as of the last look. */
struct DeviceUse {
    uint32_t major, minor;
    uint64_t rbps, wbps, riops, wiops;
};
#define STRAIN_DEVICES_MAX 4

/* The counters of io.stat of one device. More of them are remembered than of the devices in use: whichever
 * becomes busy next has a rate at once. */
struct DeviceCounters {
    uint32_t major, minor;
    uint64_t rbytes, wbytes, rios, wios;
};
#define STRAIN_COUNTERS_MAX 16

struct Strain {
    struct PressureBaseline pressure[PRESSURE_COUNT];
    struct GrowthWindow memory_taken; /* memory.current and swap */
    struct CounterBaseline memory_high, memory_max, memory_oom;
    struct CounterBaseline cpu_usage_usec, cpu_throttled_usec, io_bytes;
    struct DeviceCounters counters[STRAIN_COUNTERS_MAX]; /* as of devices_usec, the busiest first */
    size_t n_counters;
    bool counters_valid;
    struct DeviceUse devices[STRAIN_DEVICES_MAX]; /* those it moves most to and from, the busiest first */
    size_t n_devices;
    usec_t devices_usec;
    bool announced; /* an event of memory.events: for the next look */
};
