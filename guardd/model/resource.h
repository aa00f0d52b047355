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
/* The file of the cgroup that a throttle goes into: "cpu.max"; "" where there is none. */
const char *resource_throttle_file(enum Resource resource);
enum Resource resource_from_name(const char *name);

/* True for what a tenant can be slowed down in: memory (memory.high), cpu (cpu.max), io (io.max). */
static inline bool resource_can_throttle(enum Resource resource)
{
    return resource == RESOURCE_MEMORY || resource == RESOURCE_CPU || resource == RESOURCE_IO;
}
