#include "model/limit.h"

#include <string.h>

static const struct LimitInfo limits[LIMIT_COUNT] = {
    [LIMIT_TASKS_MAX] = {"TasksMax", "pids.max", "pids"},
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
