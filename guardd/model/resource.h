/* What tenants share, and can take too much of. */
#pragma once

#include <stdbool.h>

enum Resource {
    RESOURCE_TASKS,
    RESOURCE_MEMORY,
    RESOURCE_CPU,
    RESOURCE_IO,
    RESOURCE_DISK,
    RESOURCE_NETWORK,
    RESOURCE_COUNT,
    RESOURCE_INVALID = -1,
};

/* "tasks", "memory", "cpu", "io", "disk", "network". */
const char *resource_name(enum Resource resource);
/* The file of the cgroup that a throttle goes into: "cpu.max"; "links" for the network, else "". */
const char *resource_throttle_file(enum Resource resource);
enum Resource resource_from_name(const char *name);

/* True for what tasks wait for: a file of the cgroup slows them down in it (memory.high, cpu.max, io.max). */
static inline bool resource_is_strain(enum Resource resource)
{
    return resource == RESOURCE_MEMORY || resource == RESOURCE_CPU || resource == RESOURCE_IO;
}

/* True for what a rule can slow a tenant down in: these, and the network (NetworkFloodRate=). */
static inline bool resource_can_throttle(enum Resource resource)
{
    return resource_is_strain(resource) || resource == RESOURCE_NETWORK;
}
