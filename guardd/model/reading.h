/* A reading is one measured value of one tenant (or of the host), with its time. Their names are API:
 * add, never rename. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/usec.h"
#include "model/measure.h"
#include "model/resource.h"
#include "model/strain.h"

enum ReadingId {
    READING_TASKS_CURRENT, /* pids.current: processes and threads, zombies included */
    READING_TASKS_DENIED,  /* forks refused at the tenant's own limit since the last look */
    READING_TASKS_GROWTH,  /* change of pids.current, per second; negative when it shrinks */
    /* Of the tenant's fullest filesystem, where it has files on several. */
    READING_DISK_SPACE,  /* bytes that its files take; the limit is DiskSpaceMax */
    READING_DISK_INODES, /* files, directories and so on; the limit is DiskInodesMax */
    READING_DISK_GROWTH, /* bytes per second; negative when it shrinks; only while it is armed */
    READING_DISK_DENIED, /* refusals at a hard limit since the last look, repeated ones announced once */
    READING_DISK_ETA,    /* seconds until its filesystem is full if it goes on like this; never: unlimited */
    READING_HOST_DISK_FREE,   /* bytes left on the filesystem that the tenant writes to; the limit is its size
                               */
    READING_HOST_DISK_INODES, /* inodes left there; the limit is how many there could be */
    READING_MEMORY_CURRENT,   /* bytes charged to it (memory.current); the limit is the least of MemoryHigh,
                                 MemoryMax */
    READING_MEMORY_SWAP,      /* bytes of it that are swapped out; the limit is MemorySwapMax */
    READING_MEMORY_SHMEM,     /* bytes of it in tmpfs and shared memory (shmem of memory.stat) */
    READING_MEMORY_GROWTH, /* change of memory.current and swap, bytes per second; negative when it shrinks */
    READING_MEMORY_HIGH,   /* times it was slowed at memory.high since the last look */
    READING_MEMORY_MAX,    /* times it came to memory.max since the last look */
    READING_MEMORY_OOM,    /* of its own processes killed by the kernel's OOM killer since the last look */
    READING_MEMORY_PRESSURE_SOME, /* percent of the time in which some of it waited for memory */
    READING_MEMORY_PRESSURE_FULL, /* percent of the time in which all of it did */
    READING_MEMORY_STALL,  /* memory.pressure.full while it stands at its own limit (90 %), else 0: what it
                            * inflicts on itself, not what others inflict on it */
    READING_CPU_USAGE,     /* percent of one CPU: 200 % are two */
    READING_CPU_THROTTLED, /* percent of the time in which cpu.max held it back */
    READING_CPU_PRESSURE_SOME,
    READING_IO_RATE, /* bytes per second, read and written, all devices */
    READING_IO_PRESSURE_SOME,
    READING_IO_PRESSURE_FULL,
    READING_HOST_MEMORY_AVAILABLE, /* MemAvailable; the limit is MemTotal */
    READING_HOST_MEMORY_PRESSURE_SOME,
    READING_HOST_MEMORY_PRESSURE_FULL,
    READING_HOST_CPU_PRESSURE_SOME,
    READING_HOST_IO_PRESSURE_SOME,
    READING_HOST_IO_PRESSURE_FULL,
    READING_NET_EGRESS,  /* bits per second that it sends, also what its limit then drops; the limit is
                            NetworkEgressMax */
    READING_NET_INGRESS, /* bits per second that it gets, after its limit; the limit is NetworkIngressMax */
    READING_NET_DROPPED, /* packets to and from it that were dropped since the last look */
    READING_HOST_NET_EGRESS,  /* bits per second that the host sends, through physical links */
    READING_HOST_NET_INGRESS, /* and gets */
    READING_COUNT,
    READING_INVALID = -1,
};

struct ReadingInfo {
    const char *name;
    const char *unit;    /* "" for a plain count */
    const char *meaning; /* one line, for help and the interface */
    enum Measure measure;
    enum Resource resource;
    bool announced; /* the kernel announces its change: a rule on it costs nothing at peace */
    bool has_limit; /* a percentage of it is of the tenant's own limit, or of what the host has */
    bool of_host;   /* of the host: a rule on it with Scope=host elects its victim */
};

/* What one look at a tenant measured. A reading that could not be taken is not valid; a limit that is
 * not set is READING_UNLIMITED, and every value is below every percentage of it. */
#define READING_UNLIMITED INT64_MAX
struct Readings {
    usec_t at_usec;
    bool valid[READING_COUNT];
    int64_t value[READING_COUNT];
    int64_t limit[READING_COUNT];
    uint64_t total[READING_COUNT]; /* of what is counted "since the last look": since the first one */
};

const struct ReadingInfo *reading_info(enum ReadingId id);

/* True for what needs a project to be measured: disk.*, and host.disk.*, which is of the filesystem that the
 * project is on. */
bool reading_is_of_disk(enum ReadingId id);

/* True for memory.*, cpu.* and io.*, and the host's. */
bool reading_is_of_strain(enum ReadingId id);

/* True for net.*, and the host's. */
bool reading_is_of_network(enum ReadingId id);

/* True for what is 0 of a tenant that is frozen: what it uses, and waits for, per time. */
bool reading_is_of_running(enum ReadingId id);

/* True for what is counted "since the last look": it has a total, too. */
bool reading_is_counted(enum ReadingId id);
/* What the look counted: sets the reading, and adds to its total. */
void reading_count(struct Readings *taken, enum ReadingId id, int64_t n);

/* The PSI line that announces it; PRESSURE_INVALID for what is not a pressure. */
enum Pressure reading_pressure(enum ReadingId id);

/* READING_INVALID when there is none of that name. */
enum ReadingId reading_from_name(const char *name);
