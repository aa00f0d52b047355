/* A limit is a value that the kernel enforces for a tenant. Names are systemd's directives. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum LimitId {
    LIMIT_TASKS_MAX, /* pids.max */
    LIMIT_COUNT,
    LIMIT_INVALID = -1,
};

/* "infinity" in configuration, "max" in cgroup files. */
#define LIMIT_INFINITY UINT64_MAX

struct LimitInfo {
    const char *directive;   /* systemd's name: TasksMax */
    const char *cgroup_file; /* pids.max */
    const char *controller;  /* pids */
};

/* What a class asks for. A limit that is not set is left as it is found. */
struct Limits {
    bool set[LIMIT_COUNT];
    uint64_t value[LIMIT_COUNT];
};

const struct LimitInfo *limit_info(enum LimitId id);
enum LimitId limit_from_directive(const char *directive);
