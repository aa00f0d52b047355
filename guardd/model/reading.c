#include "model/reading.h"

#include <string.h>

static const struct ReadingInfo readings[READING_COUNT] = {
    [READING_TASKS_CURRENT] = {"tasks.current", "", "processes and threads now (pids.current)", MEASURE_COUNT,
                               RESOURCE_TASKS, 0, 1, 0},
    [READING_TASKS_DENIED] = {"tasks.denied", "",
                              "forks refused at the tenant's own limit since the last look", MEASURE_COUNT,
                              RESOURCE_TASKS, 1, 0, 0},
    [READING_TASKS_GROWTH] = {"tasks.growth", "/s", "change of tasks.current per second", MEASURE_RATE,
                              RESOURCE_TASKS, 0, 0, 0},
    [READING_DISK_SPACE] = {"disk.space", "B", "bytes that its files take, on its fullest filesystem",
                            MEASURE_BYTES, RESOURCE_DISK, 1, 1, 0},
    [READING_DISK_INODES] = {"disk.inodes", "", "files and directories it has there", MEASURE_COUNT,
                             RESOURCE_DISK, 1, 1, 0},
    [READING_DISK_GROWTH] = {"disk.growth", "B/s", "change of disk.space per second", MEASURE_BYTES_PER_SEC,
                             RESOURCE_DISK, 1, 0, 0},
    [READING_DISK_DENIED] = {"disk.denied", "", "refusals at its own disk limits since the last look",
                             MEASURE_COUNT, RESOURCE_DISK, 1, 0, 0},
    [READING_DISK_ETA] = {"disk.eta", "s", "until its filesystem is full if it grows like this",
                          MEASURE_SECONDS, RESOURCE_DISK, 1, 0, 0},
    [READING_HOST_DISK_FREE] = {"host.disk.free", "B", "left on the filesystem it writes to", MEASURE_BYTES,
                                RESOURCE_DISK, 1, 1, 1},
    [READING_HOST_DISK_INODES] = {"host.disk.inodes", "", "inodes left on the filesystem it writes to",
                                  MEASURE_COUNT, RESOURCE_DISK, 1, 1, 1},
    [READING_MEMORY_CURRENT] = {"memory.current", "B", "memory charged to it (memory.current)", MEASURE_BYTES,
                                RESOURCE_MEMORY, 0, 1, 0},
    [READING_MEMORY_SWAP] = {"memory.swap", "B", "of it swapped out", MEASURE_BYTES, RESOURCE_MEMORY, 0, 1,
                             0},
    [READING_MEMORY_SHMEM] = {"memory.shmem", "B", "of it in tmpfs and shared memory", MEASURE_BYTES,
                              RESOURCE_MEMORY, 0, 0, 0},
    [READING_MEMORY_GROWTH] = {"memory.growth", "B/s",
                               "change of what it takes, swap included, per second, over the last 5 s",
                               MEASURE_BYTES_PER_SEC, RESOURCE_MEMORY, 0, 0, 0},
    [READING_MEMORY_HIGH] = {"memory.high", "", "times it was slowed at memory.high since the last look",
                             MEASURE_COUNT, RESOURCE_MEMORY, 1, 0, 0},
    [READING_MEMORY_MAX] = {"memory.max", "", "times it came to memory.max since the last look",
                            MEASURE_COUNT, RESOURCE_MEMORY, 1, 0, 0},
    [READING_MEMORY_OOM] = {"memory.oom", "", "its processes that the kernel killed for memory since then",
                            MEASURE_COUNT, RESOURCE_MEMORY, 1, 0, 0},
    [READING_MEMORY_PRESSURE_SOME] = {"memory.pressure.some", "%", "of the time some of it waited for memory",
                                      MEASURE_PERCENT, RESOURCE_MEMORY, 1, 0, 0},
    [READING_MEMORY_PRESSURE_FULL] = {"memory.pressure.full", "%", "of the time all of it waited for memory",
                                      MEASURE_PERCENT, RESOURCE_MEMORY, 1, 0, 0},
    [READING_MEMORY_STALL] = {"memory.stall", "%", "the same, while it is at its own limit of memory",
                              MEASURE_PERCENT, RESOURCE_MEMORY, 1, 0, 0},
    [READING_CPU_USAGE] = {"cpu.usage", "%", "of one CPU that it used", MEASURE_PERCENT, RESOURCE_CPU, 0, 0,
                           0},
    [READING_CPU_THROTTLED] = {"cpu.throttled", "%", "of the time its quota held it back", MEASURE_PERCENT,
                               RESOURCE_CPU, 0, 0, 0},
    [READING_CPU_PRESSURE_SOME] = {"cpu.pressure.some", "%", "of the time some of it waited for a CPU",
                                   MEASURE_PERCENT, RESOURCE_CPU, 1, 0, 0},
    [READING_IO_RATE] = {"io.rate", "B/s", "read and written per second", MEASURE_BYTES_PER_SEC, RESOURCE_IO,
                         0, 0, 0},
    [READING_IO_PRESSURE_SOME] = {"io.pressure.some", "%", "of the time some of it waited for I/O",
                                  MEASURE_PERCENT, RESOURCE_IO, 1, 0, 0},
    [READING_IO_PRESSURE_FULL] = {"io.pressure.full", "%", "of the time all of it waited for I/O",
                                  MEASURE_PERCENT, RESOURCE_IO, 1, 0, 0},
    [READING_HOST_MEMORY_AVAILABLE] = {"host.memory.available", "B", "what the host could still give",
                                       MEASURE_BYTES, RESOURCE_MEMORY, 0, 1, 1},
    [READING_HOST_MEMORY_PRESSURE_SOME] = {"host.memory.pressure.some", "%",
                                           "of the time some of the host waited for memory", MEASURE_PERCENT,
                                           RESOURCE_MEMORY, 1, 0, 1},
    [READING_HOST_MEMORY_PRESSURE_FULL] = {"host.memory.pressure.full", "%",
                                           "of the time all of the host waited for memory", MEASURE_PERCENT,
                                           RESOURCE_MEMORY, 1, 0, 1},
    [READING_HOST_CPU_PRESSURE_SOME] = {"host.cpu.pressure.some", "%",
                                        "of the time some of the host waited for a CPU", MEASURE_PERCENT,
                                        RESOURCE_CPU, 1, 0, 1},
    [READING_HOST_IO_PRESSURE_SOME] = {"host.io.pressure.some", "%",
                                       "of the time some of the host waited for I/O", MEASURE_PERCENT,
                                       RESOURCE_IO, 1, 0, 1},
    [READING_HOST_IO_PRESSURE_FULL] = {"host.io.pressure.full", "%",
                                       "of the time all of the host waited for I/O", MEASURE_PERCENT,
                                       RESOURCE_IO, 1, 0, 1},
    [READING_NET_EGRESS] = {"net.egress", "bit/s", "what it sends", MEASURE_BITS_PER_SEC, RESOURCE_NETWORK, 0,
                            1, 0},
    [READING_NET_INGRESS] = {"net.ingress", "bit/s", "what it gets", MEASURE_BITS_PER_SEC, RESOURCE_NETWORK,
                             0, 1, 0},
    [READING_NET_DROPPED] = {"net.dropped", "", "packets to and from it dropped since the last look",
                             MEASURE_COUNT, RESOURCE_NETWORK, 0, 0, 0},
    [READING_HOST_NET_EGRESS] = {"host.net.egress", "bit/s", "what the host sends on its physical links",
                                 MEASURE_BITS_PER_SEC, RESOURCE_NETWORK, 0, 0, 1},
    [READING_HOST_NET_INGRESS] = {"host.net.ingress", "bit/s", "what the host gets on its physical links",
                                  MEASURE_BITS_PER_SEC, RESOURCE_NETWORK, 0, 0, 1},
};

const struct ReadingInfo *reading_info(enum ReadingId id)
{
    return &readings[id];
}

bool reading_is_of_disk(enum ReadingId id)
{
    return readings[id].resource == RESOURCE_DISK;
}

bool reading_is_of_strain(enum ReadingId id)
{
    return resource_is_strain(readings[id].resource);
}

bool reading_is_of_network(enum ReadingId id)
{
    return readings[id].resource == RESOURCE_NETWORK;
}

bool reading_is_of_running(enum ReadingId id)
{
    switch (readings[id].measure) {
    case MEASURE_PERCENT:
    case MEASURE_BYTES_PER_SEC:
        return !readings[id].of_host && reading_is_of_strain(id);
    case MEASURE_BITS_PER_SEC:
        return id == READING_NET_EGRESS;
    default:
        return false;
    }
}

bool reading_is_counted(enum ReadingId id)
{
    switch (id) {
    case READING_TASKS_DENIED:
    case READING_DISK_DENIED:
    case READING_MEMORY_HIGH:
    case READING_MEMORY_MAX:
    case READING_MEMORY_OOM:
    case READING_NET_DROPPED:
        return true;
    default:
        return false;
    }
}

void reading_count(struct Readings *taken, enum ReadingId id, int64_t n)
{
    taken->valid[id] = true;
    taken->value[id] = n;
    taken->total[id] += (uint64_t)n;
}

enum Pressure reading_pressure(enum ReadingId id)
{
    switch (id) {
    case READING_CPU_PRESSURE_SOME:
    case READING_HOST_CPU_PRESSURE_SOME:
        return PRESSURE_CPU_SOME;
    case READING_MEMORY_PRESSURE_SOME:
    case READING_HOST_MEMORY_PRESSURE_SOME:
        return PRESSURE_MEMORY_SOME;
    case READING_MEMORY_PRESSURE_FULL:
    case READING_MEMORY_STALL:
    case READING_HOST_MEMORY_PRESSURE_FULL:
        return PRESSURE_MEMORY_FULL;
    case READING_IO_PRESSURE_SOME:
    case READING_HOST_IO_PRESSURE_SOME:
        return PRESSURE_IO_SOME;
    case READING_IO_PRESSURE_FULL:
    case READING_HOST_IO_PRESSURE_FULL:
        return PRESSURE_IO_FULL;
    default:
        return PRESSURE_INVALID;
    }
}

enum ReadingId reading_from_name(const char *name)
{
    for (int i = 0; i < READING_COUNT; i++)
        if (strcmp(readings[i].name, name) == 0)
            return (enum ReadingId)i;
    return READING_INVALID;
}
