#include "model/reading.h"

#include <string.h>

static const struct ReadingInfo readings[READING_COUNT] = {
    [READING_TASKS_CURRENT] = {"tasks.current", "", MEASURE_COUNT, "processes and threads now (pids.current)",
                               false, true, false},
    [READING_TASKS_DENIED] = {"tasks.denied", "", MEASURE_COUNT,
                              "forks refused at the tenant's own limit since the last look", true, false,
                              false},
    [READING_TASKS_GROWTH] = {"tasks.growth", "/s", MEASURE_RATE, "change of tasks.current per second", false,
                              false, false},
    [READING_DISK_SPACE] = {"disk.space", "B", MEASURE_BYTES,
                            "bytes that its files take, on its fullest filesystem", true, true, false},
    [READING_DISK_INODES] = {"disk.inodes", "", MEASURE_COUNT, "files and directories it has there", true,
                             true, false},
    [READING_DISK_GROWTH] = {"disk.growth", "B/s", MEASURE_BYTES_PER_SEC, "change of disk.space per second",
                             true, false, false},
    [READING_DISK_DENIED] = {"disk.denied", "", MEASURE_COUNT,
                             "refusals at its own disk limits since the last look", true, false, false},
    [READING_DISK_ETA] = {"disk.eta", "s", MEASURE_SECONDS,
                          "until its filesystem is full if it grows like this", true, false, false},
    [READING_HOST_DISK_FREE] = {"host.disk.free", "B", MEASURE_BYTES, "left on the filesystem it writes to",
                                true, true, true},
    [READING_HOST_DISK_INODES] = {"host.disk.inodes", "", MEASURE_COUNT,
                                  "inodes left on the filesystem it writes to", true, true, true},
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
