/* The memory sensor. Events at the tenant's own limits (high, max) are those of memory.events.local: a nested
 * cgroup with a limit of its own is no matter of the tenant's, and a limit of the tenant's that is hit from
 * inside a nested one is counted where the limit is. Kills are those of memory.events: the kernel counts them
 * at the cgroup of the task that was killed, which is a nested one in podman's containers and in user
 * sessions. */
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "sense/counter.h"
#include "sense/strain.h"

/* The line "shmem" is among the first. */
#define MEMORY_STAT_HEAD 4096
#define STALL_NEAR_PERCENT 90

void memory_events_parse(const char *text, struct MemoryEvents *ret)
{
    ret->has_high = keyed_value(text, "high", &ret->high);
    ret->has_max = keyed_value(text, "max", &ret->max);
    ret->has_oom_kill = keyed_value(text, "oom_kill", &ret->oom_kill);
}

/* The first whole line of that name: the buffer may end in the middle of one. */
bool memory_stat_parse(const char *text, uint64_t *ret_shmem)
{
    const char *line = strncmp(text, "shmem ", 6) == 0 ? text : strstr(text, "\nshmem ");

    return line && strchr(line + 1, '\n') && keyed_value(line + (*line == '\n'), "shmem", ret_shmem);
}

/* < 0 when the cgroup is gone; else an amount of bytes, or that there is none. */
static int look_amount(int fd, struct Readings *readings, enum ReadingId id)
{
    uint64_t value;
    int r = fd_read_value(fd, &value);

    readings->valid[id] = false;
    if (error_is_gone(r))
        return r;
    if (r == 0)
        reading_set(readings, id, reading_amount(value));
    return 0;
}

static int read_limit(int fd, int64_t *limit)
{
    uint64_t value;
    int r = fd_read_value(fd, &value);

    if (error_is_gone(r))
        return r;
    if (r == 0 && value < (uint64_t)*limit)
        *limit = (int64_t)value;
    return 0;
}

static int look_limits(const struct Cgroup *cgroup, struct Readings *readings)
{
    int r;

    for (int id = READING_MEMORY_CURRENT; id <= READING_MEMORY_OOM; id++)
        readings->limit[id] = READING_UNLIMITED;
    readings->limit[READING_MEMORY_STALL] = READING_UNLIMITED;
    r = read_limit(cgroup->files[CGROUP_MEMORY_HIGH], &readings->limit[READING_MEMORY_CURRENT]);
    if (r >= 0)
        r = read_limit(cgroup->files[CGROUP_MEMORY_MAX], &readings->limit[READING_MEMORY_CURRENT]);
    if (r >= 0)
        r = read_limit(cgroup->files[CGROUP_MEMORY_SWAP_MAX], &readings->limit[READING_MEMORY_SWAP]);
    return r;
}

/* What cannot be read holds no counters. */
static int read_events(int fd, struct MemoryEvents *ret)
{
    char buf[1024];
    ssize_t n = fd_read_file(fd, buf, sizeof(buf));

    *ret = (struct MemoryEvents){0};
    if (error_is_gone((int)n))
        return (int)n;
    if (n >= 0)
        memory_events_parse(buf, ret);
    return 0;
}

static void take_event(bool has, uint64_t value, struct CounterBaseline *baseline, usec_t now,
                       struct Readings *readings, enum ReadingId id)
{
    if (has)
        counter_growth(baseline, value, now, readings, id);
    else
        counter_lost(baseline, readings, id);
}

/* A kernel without memory.events.local (before 5.2) is not asked for. */
static int look_events(const struct Cgroup *cgroup, struct Strain *strain, usec_t now,
                       struct Readings *readings)
{
    struct MemoryEvents own, all;
    int r = read_events(cgroup->files[CGROUP_MEMORY_EVENTS_LOCAL], &own);

    if (r >= 0)
        r = read_events(cgroup->files[CGROUP_MEMORY_EVENTS], &all);
    if (r < 0)
        return r;
    take_event(own.has_high, own.high, &strain->memory_high, now, readings, READING_MEMORY_HIGH);
    take_event(own.has_max, own.max, &strain->memory_max, now, readings, READING_MEMORY_MAX);
    take_event(all.has_oom_kill, all.oom_kill, &strain->memory_oom, now, readings, READING_MEMORY_OOM);
    return 0;
}

static int look_shmem(int fd, struct Readings *readings)
{
    char buf[MEMORY_STAT_HEAD];
    ssize_t n = fd_read_head(fd, buf, sizeof(buf));
    uint64_t shmem;

    readings->valid[READING_MEMORY_SHMEM] = false;
    if (error_is_gone((int)n))
        return (int)n;
    if (n >= 0 && memory_stat_parse(buf, &shmem))
        reading_set(readings, READING_MEMORY_SHMEM, reading_amount(shmem));
    return 0;
}

static bool is_at_limit(const struct Readings *readings)
{
    int64_t limit = readings->limit[READING_MEMORY_CURRENT];

    return limit != READING_UNLIMITED &&
           readings->value[READING_MEMORY_CURRENT] >= limit - limit / 100 * (100 - STALL_NEAR_PERCENT);
}

/* What it takes, wherever it is: who is swapped out while it grows would seem to stand still. */
static uint64_t taken(const struct Readings *readings)
{
    int64_t swapped = readings->valid[READING_MEMORY_SWAP] ? readings->value[READING_MEMORY_SWAP] : 0;

    return (uint64_t)readings->value[READING_MEMORY_CURRENT] + (uint64_t)swapped;
}

static void take_derived(struct Strain *strain, usec_t now, struct Readings *readings)
{
    bool known = readings->valid[READING_MEMORY_CURRENT];

    if (known)
        growth_rate(&strain->memory_taken, taken(readings), now, readings, READING_MEMORY_GROWTH);
    else
        strain->memory_taken.n = 0;
    readings->valid[READING_MEMORY_GROWTH] = readings->valid[READING_MEMORY_GROWTH] && known;
    readings->valid[READING_MEMORY_STALL] = known && readings->valid[READING_MEMORY_PRESSURE_FULL];
    readings->value[READING_MEMORY_STALL] = readings->valid[READING_MEMORY_STALL] && is_at_limit(readings)
                                                ? readings->value[READING_MEMORY_PRESSURE_FULL]
                                                : 0;
}

int memory_look(const struct Cgroup *cgroup, struct Strain *strain, usec_t now, struct Readings *readings)
{
    int r = look_limits(cgroup, readings);

    readings->at_usec = now;
    if (r >= 0)
        r = look_amount(cgroup->files[CGROUP_MEMORY_CURRENT], readings, READING_MEMORY_CURRENT);
    if (r >= 0)
        r = look_amount(cgroup->files[CGROUP_MEMORY_SWAP_CURRENT], readings, READING_MEMORY_SWAP);
    if (r >= 0)
        r = look_shmem(cgroup->files[CGROUP_MEMORY_STAT], readings);
    if (r >= 0)
        r = look_events(cgroup, strain, now, readings);
    if (r >= 0)
        take_derived(strain, now, readings);
    return r < 0 ? r : 0;
}
