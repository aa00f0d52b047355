#include "model/resource.h"

#include <string.h>

static const char *const names[RESOURCE_COUNT] = {
    [RESOURCE_TASKS] = "tasks", [RESOURCE_MEMORY] = "memory", [RESOURCE_CPU] = "cpu",
    [RESOURCE_IO] = "io",       [RESOURCE_DISK] = "disk",     [RESOURCE_NETWORK] = "network",
};

const char *resource_name(enum Resource resource)
{
    return resource >= 0 && resource < RESOURCE_COUNT ? names[resource] : "none";
}

enum Resource resource_from_name(const char *name)
{
    for (int i = 0; i < RESOURCE_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return (enum Resource)i;
    return RESOURCE_INVALID;
}

const char *resource_throttle_file(enum Resource resource)
{
    switch (resource) {
    case RESOURCE_CPU:
        return "cpu.max";
    case RESOURCE_MEMORY:
        return "memory.high";
    case RESOURCE_IO:
        return "io.max";
    case RESOURCE_NETWORK:
        return "links";
    default:
        return "";
    }
}
