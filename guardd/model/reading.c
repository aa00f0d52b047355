#include "model/reading.h"

#include <string.h>

static const struct ReadingInfo readings[READING_COUNT] = {
    [READING_TASKS_CURRENT] = {"tasks.current", "", "processes and threads now (pids.current)", false, true},
    [READING_TASKS_DENIED] = {"tasks.denied", "",
                              "forks refused at the tenant's own limit since the last look", true, false},
    [READING_TASKS_GROWTH] = {"tasks.growth", "/s", "change of tasks.current per second", false, false},
};

const struct ReadingInfo *reading_info(enum ReadingId id)
{
    return &readings[id];
}

enum ReadingId reading_from_name(const char *name)
{
    for (int i = 0; i < READING_COUNT; i++)
        if (strcmp(readings[i].name, name) == 0)
            return (enum ReadingId)i;
    return READING_INVALID;
}
