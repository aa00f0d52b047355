/* A limit is a value that the kernel enforces for a tenant. Names are systemd's directives. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/measure.h"
#include "model/resource.h"

enum LimitId {
    LIMIT_TASKS_MAX,       /* pids.max */
    LIMIT_DISK_SPACE_MAX,  /* project quota, blocks, hard */
    LIMIT_DISK_INODES_MAX, /* project quota, inodes, hard */
    LIMIT_MEMORY_HIGH,     /* memory.high */
    LIMIT_MEMORY_MAX,      /* memory.max */
    LIMIT_MEMORY_SWAP_MAX, /* memory.swap.max */
    LIMIT_CPU_QUOTA,       /* cpu.max: hundredths of a percent of one CPU; the period stays as it is found */
    LIMIT_CPU_WEIGHT,      /* cpu.weight, 1 to 10000 */
    LIMIT_IO_WEIGHT,       /* io.weight, default, 1 to 10000 */
    /* io.max, in the order of its numbers: per second, on each of some disks (model/rate.h) */
    LIMIT_IO_READ_BANDWIDTH_MAX,
    LIMIT_IO_WRITE_BANDWIDTH_MAX,
    LIMIT_IO_READ_IOPS_MAX,
    LIMIT_IO_WRITE_IOPS_MAX,
    LIMIT_NETWORK_EGRESS_MAX, /* bits per second, on the tenant's links */
    LIMIT_NETWORK_INGRESS_MAX,
    LIMIT_COUNT,
    LIMIT_INVALID = -1,
};

/* "infinity" in configuration, "max" in cgroup files. */
#define LIMIT_INFINITY UINT64_MAX

struct LimitInfo {
    const char *directive;   /* systemd's name where it has one: TasksMax */
    const char *cgroup_file; /* pids.max; NULL: kept by a project quota, or on links */
    const char *controller;  /* pids; NULL likewise */
    enum Measure measure;
};

/* What a class asks for. A limit that is not set is left as it is found. */
struct Limits {
    bool set[LIMIT_COUNT];
    uint64_t value[LIMIT_COUNT];
};

const struct LimitInfo *limit_info(enum LimitId id);
enum LimitId limit_from_directive(const char *directive);

/* True for what a project quota keeps (model/disk.h), false for a file of the cgroup. */
bool limit_is_quota(enum LimitId id);
/* True for what is kept on the tenant's links (model/link.h). */
bool limit_is_network(enum LimitId id);
/* True for what nobody but guardd sets: nothing is found in its place. */
bool limit_is_own(enum LimitId id);
/* A share among neighbours rather than a bound: less is not tighter, and none has it off. */
bool limit_is_weight(enum LimitId id);

/* Per second on each of some disks: what is found and set has a value for each (model/rate.h). */
bool limit_is_rate(enum LimitId id);
#define LIMIT_RATE_FIRST LIMIT_IO_READ_BANDWIDTH_MAX
#define LIMIT_RATE_COUNT 4

/* In which resource a throttle writes to the same file; RESOURCE_INVALID: none does. */
enum Resource limit_throttle(enum LimitId id);

/* What the kernel has where nobody has set anything: LIMIT_INFINITY, for a weight 100. */
uint64_t limit_default(enum LimitId id);

/* Space is kept in blocks, memory in pages, a quota in microseconds of a period: they read back rounded. */
bool limit_is_same(enum LimitId id, uint64_t a, uint64_t b);

/* "infinity", or the value by its measure. Returns `buf` (MEASURE_FORMAT_MAX). Allocates nothing. */
const char *limit_format(enum LimitId id, uint64_t value, char *buf, size_t size);
