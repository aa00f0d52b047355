/* A reading is one measured value of one tenant (or of the host), with its time. Their names are API:
 * add, never rename. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/usec.h"
#include "model/measure.h"

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
    READING_COUNT,
    READING_INVALID = -1,
};

struct ReadingInfo {
    const char *name;
    const char *unit; /* "" for a plain count */
    enum Measure measure;
    const char *meaning; /* one line, for help and the interface */
    bool announced;      /* the kernel announces its change: a rule on it costs nothing at peace */
    bool has_limit;      /* a percentage of it is of the tenant's own limit, or of what the host has */
    bool of_host;        /* of the host: a rule on it with Scope=host elects its victim */
};

/* What one look at a tenant measured. A reading that could not be taken is not valid; a limit that is
 * not set is READING_UNLIMITED, and every value is below every percentage of it. */
#define READING_UNLIMITED INT64_MAX
struct Readings {
    usec_t at_usec;
    bool valid[READING_COUNT];
    int64_t value[READING_COUNT];
    int64_t limit[READING_COUNT];
};

const struct ReadingInfo *reading_info(enum ReadingId id);

/* True for what needs a project to be measured: disk.*, and host.disk.*, which is of the filesystem that the
 * project is on. */
bool reading_is_of_disk(enum ReadingId id);

/* READING_INVALID when there is none of that name. */
enum ReadingId reading_from_name(const char *name);
