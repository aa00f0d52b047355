#include "model/reading.h"

#include <string.h>

static const struct ReadingInfo readings[READING_COUNT] = {
    [READING_TASKS_CURRENT] = {"tasks.current", "", "processes and threads now (pids.current)", MEASURE_COUNT,
                               false, true, false},
    [READING_TASKS_DENIED] = {"tasks.denied", "",
                              "forks refused at the tenant's own limit since the last look", MEASURE_COUNT,
                              true, false, false},
    [READING_TASKS_GROWTH] = {"tasks.growth", "/s", "change of tasks.current per second", MEASURE_RATE, false,
                              false, false},
    [READING_DISK_SPACE] = {"disk.space", "B", "bytes that its files take, on its fullest filesystem",
                            MEASURE_BYTES, true, true, false},
    [READING_DISK_INODES] = {"disk.inodes", "", "files and directories it has there", MEASURE_COUNT, true,
                             true, false},
    [READING_DISK_GROWTH] = {"disk.growth", "B/s", "change of disk.space per second", MEASURE_BYTES_PER_SEC,
                             true, false, false},
    [READING_DISK_DENIED] = {"disk.denied", "", "refusals at its own disk limits since the last look",
                             MEASURE_COUNT, true, false, false},
    [READING_DISK_ETA] = {"disk.eta", "s", "until its filesystem is full if it grows like this",
                          MEASURE_SECONDS, true, false, false},
    [READING_HOST_DISK_FREE] = {"host.disk.free", "B", "left on the filesystem it writes to", MEASURE_BYTES,
                                true, true, true},
    [READING_HOST_DISK_INODES] = {"host.disk.inodes", "", "inodes left on the filesystem it writes to",
                                  MEASURE_COUNT, true, true, true},
};

const struct ReadingInfo *reading_info(enum ReadingId id)
{
    return &readings[id];
}

bool reading_is_of_disk(enum ReadingId id)
{
    switch (id) {
    case READING_DISK_SPACE:
    case READING_DISK_INODES:
    case READING_DISK_GROWTH:
    case READING_DISK_DENIED:
    case READING_DISK_ETA:
    case READING_HOST_DISK_FREE:
    case READING_HOST_DISK_INODES:
        return true;
    default:
        return false;
    }
}

enum ReadingId reading_from_name(const char *name)
{
    for (int i = 0; i < READING_COUNT; i++)
        if (strcmp(readings[i].name, name) == 0)
            return (enum ReadingId)i;
    return READING_INVALID;
}
