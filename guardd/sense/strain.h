/* One look at a tenant's memory, CPU and I/O: memory.c, cpu.c, io.c and pressure.c in one go, for the tenants
 * that a rule is at work on and for those that somebody looks at. Nothing here is read at peace.
 *
 * A reading whose file is not open (no controller, not asked for) is not valid. Counters that went back are a
 * new beginning. Rates need two looks at least 100 ms apart; of two that are nearer the former value stays;
 * of two that are more than a minute apart the second is a new beginning (sense/counter.h). Allocates
 * nothing. */
#pragma once

#include "base/usec.h"
#include "model/cgroup.h"
#include "model/reading.h"
#include "model/strain.h"

#define STRAIN_ALL (1u << RESOURCE_MEMORY | 1u << RESOURCE_CPU | 1u << RESOURCE_IO)

/* `resources`: bits 1u << enum Resource. What else there is stays as it was found by an earlier look: it may
 * be old. -ENODEV/-ENOENT when the cgroup is gone; 0 with whatever could be read. */
int strain_look(const struct Cgroup *cgroup, uint32_t resources, struct Strain *strain, usec_t now,
                struct Readings *readings);

/* When pressures (bits 1u << enum Pressure) were just announced: these, and all that is of `resources`.
 * Everything else stays as it was found, and so does its time (readings->at_usec). As strain_look(). */
int strain_look_announced(const struct Cgroup *cgroup, uint32_t pressures, uint32_t resources,
                          struct Strain *strain, usec_t now, struct Readings *readings);

/* Each of them for itself, with the same contract. memory_look() also fills memory.stall, after
 * pressure_look(). */
int memory_look(const struct Cgroup *cgroup, struct Strain *strain, usec_t now, struct Readings *readings);
int cpu_look(const struct Cgroup *cgroup, struct Strain *strain, usec_t now, struct Readings *readings);
int io_look(const struct Cgroup *cgroup, struct Strain *strain, usec_t now, struct Readings *readings);

/* What the files say, for those who have their text. */
struct MemoryEvents {
    bool has_high, has_max, has_oom_kill;
    uint64_t high, max, oom_kill;
};
void memory_events_parse(const char *text, struct MemoryEvents *ret);
/* The text may be the beginning of the file. false: the line is not in it. */
bool memory_stat_parse(const char *text, uint64_t *ret_shmem);
/* Whole lines only; at most `max` devices. Returns how many. */
size_t io_stat_parse(const char *text, struct DeviceCounters *devices, size_t max);
/* In bytes; false: one of them is missing. */
bool meminfo_parse(const char *text, uint64_t *ret_available, uint64_t *ret_total);

/* The host: /proc/pressure, /proc/meminfo. Held open from the start. */
struct HostStrain {
    int pressure_fds[PRESSURE_COUNT]; /* -EBADF where the kernel has none */
    int meminfo_fd;
    struct Strain strain;
};
/* `root`: put before /proc, "" on a host. Never fails: what is not there is not read. */
void host_strain_open(struct HostStrain *host, const char *root);
void host_strain_close(struct HostStrain *host);
/* Fills host.memory.*, host.cpu.*, host.io.*. */
void host_strain_look(struct HostStrain *host, usec_t now, struct Readings *readings);
