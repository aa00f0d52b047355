#include "model/limit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/size.h"

#define WEIGHT_DEFAULT 100

/* Two values that are less apart are the same. Pages have 64K on some hosts. A microsecond of the shortest
 * period, 1 ms, is 0.1 % of a CPU. A rate is kept in bytes. */
static const uint64_t grain[LIMIT_COUNT] = {
    [LIMIT_DISK_SPACE_MAX] = 4096,   [LIMIT_MEMORY_HIGH] = 65536, [LIMIT_MEMORY_MAX] = 65536,
    [LIMIT_MEMORY_SWAP_MAX] = 65536, [LIMIT_CPU_QUOTA] = 10,      [LIMIT_NETWORK_EGRESS_MAX] = 8,
    [LIMIT_NETWORK_INGRESS_MAX] = 8,
};

static const struct LimitInfo limits[LIMIT_COUNT] = {
    [LIMIT_TASKS_MAX] = {"TasksMax", "pids.max", "pids", MEASURE_COUNT},
    [LIMIT_DISK_SPACE_MAX] = {"DiskSpaceMax", NULL, NULL, MEASURE_BYTES},
    [LIMIT_DISK_INODES_MAX] = {"DiskInodesMax", NULL, NULL, MEASURE_COUNT},
    [LIMIT_MEMORY_HIGH] = {"MemoryHigh", "memory.high", "memory", MEASURE_BYTES},
    [LIMIT_MEMORY_MAX] = {"MemoryMax", "memory.max", "memory", MEASURE_BYTES},
    [LIMIT_MEMORY_SWAP_MAX] = {"MemorySwapMax", "memory.swap.max", "memory", MEASURE_BYTES},
    [LIMIT_CPU_QUOTA] = {"CPUQuota", "cpu.max", "cpu", MEASURE_PERCENT},
    [LIMIT_CPU_WEIGHT] = {"CPUWeight", "cpu.weight", "cpu", MEASURE_COUNT},
    [LIMIT_IO_WEIGHT] = {"IOWeight", "io.weight", "io", MEASURE_COUNT},
    [LIMIT_IO_READ_BANDWIDTH_MAX] = {"IOReadBandwidthMax", "io.max", "io", MEASURE_BYTES_PER_SEC},
    [LIMIT_IO_WRITE_BANDWIDTH_MAX] = {"IOWriteBandwidthMax", "io.max", "io", MEASURE_BYTES_PER_SEC},
    [LIMIT_IO_READ_IOPS_MAX] = {"IOReadIOPSMax", "io.max", "io", MEASURE_RATE},
    [LIMIT_IO_WRITE_IOPS_MAX] = {"IOWriteIOPSMax", "io.max", "io", MEASURE_RATE},
    [LIMIT_NETWORK_EGRESS_MAX] = {"NetworkEgressMax", NULL, NULL, MEASURE_BITS_PER_SEC},
    [LIMIT_NETWORK_INGRESS_MAX] = {"NetworkIngressMax", NULL, NULL, MEASURE_BITS_PER_SEC},
};

const struct LimitInfo *limit_info(enum LimitId id)
{
    return &limits[id];
}

enum LimitId limit_from_directive(const char *directive)
{
    for (int i = 0; i < LIMIT_COUNT; i++)
        if (strcmp(limits[i].directive, directive) == 0)
            return (enum LimitId)i;
    return LIMIT_INVALID;
}

bool limit_is_quota(enum LimitId id)
{
    return id == LIMIT_DISK_SPACE_MAX || id == LIMIT_DISK_INODES_MAX;
}

bool limit_is_network(enum LimitId id)
{
    return id == LIMIT_NETWORK_EGRESS_MAX || id == LIMIT_NETWORK_INGRESS_MAX;
}

bool limit_is_own(enum LimitId id)
{
    return limit_is_quota(id) || limit_is_network(id);
}

bool limit_is_weight(enum LimitId id)
{
    return id == LIMIT_CPU_WEIGHT || id == LIMIT_IO_WEIGHT;
}

bool limit_is_rate(enum LimitId id)
{
    return id >= LIMIT_RATE_FIRST && id < LIMIT_RATE_FIRST + LIMIT_RATE_COUNT;
}

enum Resource limit_throttle(enum LimitId id)
{
    if (limit_is_rate(id))
        return RESOURCE_IO;
    return id == LIMIT_MEMORY_HIGH ? RESOURCE_MEMORY
           : id == LIMIT_CPU_QUOTA ? RESOURCE_CPU
                                   : RESOURCE_INVALID;
}

uint64_t limit_default(enum LimitId id)
{
    return limit_is_weight(id) ? WEIGHT_DEFAULT : LIMIT_INFINITY;
}

bool limit_is_same(enum LimitId id, uint64_t a, uint64_t b)
{
    if (a == b || a == LIMIT_INFINITY || b == LIMIT_INFINITY)
        return a == b;
    return (a > b ? a - b : b - a) < grain[id];
}

/* Bytes per second of a disk are counted in powers of 1000, as systemd does. */
const char *limit_format(enum LimitId id, uint64_t value, char *buf, size_t size)
{
    char text[SIZE_FORMAT_MAX];

    if (value == LIMIT_INFINITY)
        snprintf(buf, size, "infinity");
    else if (limits[id].measure == MEASURE_BYTES_PER_SEC)
        snprintf(buf, size, "%s/s", size_format_count(value, text, sizeof(text)));
    else
        measure_format(limits[id].measure, value < INT64_MAX ? (int64_t)value : INT64_MAX, buf, size);
    return buf;
}
