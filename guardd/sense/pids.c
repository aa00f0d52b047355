/* The baseline holds the counters and the point in time that the next look is compared with. A counter that
 * could not be read is remembered as the largest number there is: whatever comes next is then smaller, and so
 * a new beginning. */
#include "sense/pids.h"

#include "base/error.h"
#include "base/fd.h"

#define GROWTH_MIN_USEC USEC_PER_MSEC
#define DENIED_UNKNOWN UINT64_MAX

/* No count of tasks comes near it (the kernel's pid limit is 2^22); it keeps the arithmetic in range. */
#define TASKS_CEILING INT32_MAX

static int64_t task_count(uint64_t value)
{
    return value < TASKS_CEILING ? (int64_t)value : TASKS_CEILING;
}

/* A tenant whose pids.max cannot be read, or is more than any count comes near, has no limit that a
 * percentage could be of. */
static int read_limit(int fd, int64_t *ret_limit)
{
    uint64_t value;
    int r = fd_read_value(fd, &value);

    if (error_is_gone(r))
        return r;
    *ret_limit = r < 0 || value > TASKS_CEILING ? READING_UNLIMITED : (int64_t)value;
    return 0;
}

static int read_denied(int fd, uint64_t *ret_denied)
{
    char buf[512];
    ssize_t n = fd_read_file(fd, buf, sizeof(buf));

    if (error_is_gone((int)n))
        return (int)n;
    if (n < 0 || !keyed_value(buf, "max", ret_denied))
        *ret_denied = DENIED_UNKNOWN;
    return 0;
}

static void set_reading(struct Readings *readings, enum ReadingId id, int64_t value)
{
    readings->valid[id] = true;
    readings->value[id] = value;
}

/* How far a counter went on; false when there is nothing to compare with. */
static bool counted(uint64_t before, uint64_t now, int64_t *ret_difference)
{
    if (now == DENIED_UNKNOWN || now < before)
        return false;
    *ret_difference = now - before < INT64_MAX ? (int64_t)(now - before) : INT64_MAX;
    return true;
}

static bool is_near_limit(const struct Readings *readings)
{
    int64_t limit = readings->limit[READING_TASKS_CURRENT];

    return limit != READING_UNLIMITED &&
           readings->value[READING_TASKS_CURRENT] >= limit - limit * (100 - DENIED_NEAR_PERCENT) / 100;
}

static void take_denied(struct PidsBaseline *baseline, uint64_t denied, uint64_t local,
                        struct Readings *readings)
{
    bool everything = local == DENIED_UNKNOWN || is_near_limit(readings);
    int64_t refused;

    if (baseline->valid && (everything ? counted(baseline->denied, denied, &refused)
                                       : counted(baseline->denied_local, local, &refused)))
        reading_count(readings, READING_TASKS_DENIED, refused);
    baseline->denied = denied;
    baseline->denied_local = local;
}

/* Two looks in quick succession tell no speed: then the older point stands until the next one. */
static void take_growth(struct PidsBaseline *baseline, int64_t current, usec_t now, struct Readings *readings)
{
    bool comparable = baseline->valid && now >= baseline->at_usec;
    usec_t elapsed = comparable ? now - baseline->at_usec : 0;

    if (comparable && elapsed < GROWTH_MIN_USEC)
        return;
    if (comparable) {
        double change = (double)(current - baseline->current);

        set_reading(readings, READING_TASKS_GROWTH,
                    (int64_t)(change * (double)USEC_PER_SEC / (double)elapsed));
    }
    baseline->current = current;
    baseline->at_usec = now;
}

int pids_look(const struct Cgroup *cgroup, struct PidsBaseline *baseline, usec_t now,
              struct Readings *readings)
{
    int64_t limit = READING_UNLIMITED;
    uint64_t value, denied, local;
    int r;

    readings->at_usec = now;
    for (int id = READING_TASKS_CURRENT; id <= READING_TASKS_GROWTH; id++) {
        readings->valid[id] = false;
        readings->limit[id] = READING_UNLIMITED;
    }
    r = fd_read_value(cgroup->pids_current_fd, &value);
    if (r < 0)
        return r == -EBADF ? 0 : r;
    r = read_limit(cgroup->pids_max_fd, &limit);
    if (r < 0)
        return r;
    r = read_denied(cgroup->pids_local_fd, &local);
    if (r >= 0)
        r = read_denied(cgroup->pids_events_fd, &denied);
    if (r < 0)
        return r;
    set_reading(readings, READING_TASKS_CURRENT, task_count(value));
    readings->limit[READING_TASKS_CURRENT] = limit;
    take_denied(baseline, denied, local, readings);
    take_growth(baseline, task_count(value), now, readings);
    baseline->valid = true;
    return 0;
}
