/* The kernel's "total=" is up to date at each read, whereas its averages are worked out every two seconds. */
#include "sense/pressure.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/capability.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "sense/counter.h"

#define SHARE_WHOLE 10000 /* 100 % */

static const struct {
    const char *cgroup_file, *host_file;
    bool full;
    enum ReadingId of_tenant, of_host;
} kinds[PRESSURE_COUNT] = {
    [PRESSURE_CPU_SOME] = {"cpu.pressure", "/proc/pressure/cpu", false, READING_CPU_PRESSURE_SOME,
                           READING_HOST_CPU_PRESSURE_SOME},
    [PRESSURE_MEMORY_SOME] = {"memory.pressure", "/proc/pressure/memory", false, READING_MEMORY_PRESSURE_SOME,
                              READING_HOST_MEMORY_PRESSURE_SOME},
    [PRESSURE_MEMORY_FULL] = {"memory.pressure", "/proc/pressure/memory", true, READING_MEMORY_PRESSURE_FULL,
                              READING_HOST_MEMORY_PRESSURE_FULL},
    [PRESSURE_IO_SOME] = {"io.pressure", "/proc/pressure/io", false, READING_IO_PRESSURE_SOME,
                          READING_HOST_IO_PRESSURE_SOME},
    [PRESSURE_IO_FULL] = {"io.pressure", "/proc/pressure/io", true, READING_IO_PRESSURE_FULL,
                          READING_HOST_IO_PRESSURE_FULL},
};

const char *pressure_cgroup_file(enum Pressure pressure)
{
    return kinds[pressure].cgroup_file;
}

const char *pressure_host_file(enum Pressure pressure)
{
    return kinds[pressure].host_file;
}

bool pressure_is_full(enum Pressure pressure)
{
    return kinds[pressure].full;
}

/* "12.34" into hundredths. */
static bool parse_percent(const char *text, int64_t *ret)
{
    uint64_t whole, hundredths;

    if (!counter_parse_pair(&text, '.', &whole, &hundredths) || *text != ' ' || hundredths >= 100)
        return false;
    *ret = whole < 100 ? (int64_t)(whole * 100 + hundredths) : SHARE_WHOLE;
    return true;
}

/* What follows `key` in this line; NULL when it is not there. */
static const char *find_value(const char *line, const char *key)
{
    const char *found = strstr(line, key);

    return found && found < line + strcspn(line, "\n") ? found + strlen(key) : NULL;
}

static bool parse_line(const char *line, struct PressureLine *ret)
{
    const char *avg10 = find_value(line, " avg10="), *total = find_value(line, " total=");

    if (!avg10 || !total || !parse_percent(avg10, &ret->avg10) || !counter_parse(&total, &ret->total_usec) ||
        (*total != '\n' && *total != '\0'))
        return false;
    ret->valid = true;
    return true;
}

int pressure_parse(const char *text, struct PressureFile *ret)
{
    struct PressureFile file = {0};

    for (const char *line = text; *line != '\0';) {
        const char *end = strchr(line, '\n');
        struct PressureLine *parsed = strncmp(line, "some ", 5) == 0   ? &file.some
                                      : strncmp(line, "full ", 5) == 0 ? &file.full
                                                                       : NULL;

        if (parsed && !parse_line(line, parsed))
            return -EBADMSG;
        if (!end)
            break;
        line = end + 1;
    }
    if (!file.some.valid)
        return -EBADMSG;
    *ret = file;
    return 0;
}

/* The kernel looks at the capability of whoever opened the file, not of who writes to it. */
static int open_as(int dir_fd, const char *file, bool privileged)
{
    int fd, changed = capability_use(CAP_SYS_RESOURCE, privileged);

    if (changed < 0)
        return changed;
    fd = openat(dir_fd, file, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        fd = negative_errno();
    if (changed > 0)
        capability_use(CAP_SYS_RESOURCE, !privileged);
    return fd;
}

int pressure_trigger(int dir_fd, const char *file, bool full, int64_t share, usec_t window_usec, bool fast)
{
    _cleanup_fd_ int fd = -EBADF;
    char text[64];
    int n;

    if (share <= 0 || share > SHARE_WHOLE || window_usec > 10 * USEC_PER_SEC)
        return -EINVAL;
    fd = open_as(dir_fd, file, fast);
    if (fd < 0)
        return fd;
    n = snprintf(text, sizeof(text), "%s %" PRIu64 " %" PRIu64, full ? "full" : "some",
                 (uint64_t)share * window_usec / SHARE_WHOLE, window_usec);
    /* With its NUL, as the kernel's documentation has it. */
    if (write(fd, text, (size_t)n + 1) < 0)
        return negative_errno();
    return take_fd(&fd);
}

static int64_t share_of(const struct PressureBaseline *baseline, const struct PressureLine *line, usec_t now)
{
    double share =
        (double)(line->total_usec - baseline->total_usec) * SHARE_WHOLE / (double)(now - baseline->at_usec);

    return share < SHARE_WHOLE ? (int64_t)share : SHARE_WHOLE;
}

static void take_line(const struct PressureLine *line, struct PressureBaseline *baseline, usec_t now,
                      struct Readings *readings, enum ReadingId id)
{
    bool comparable = baseline->valid && readings->valid[id] && line->total_usec >= baseline->total_usec;
    enum Interval interval = interval_between(comparable, baseline->at_usec, now, PRESSURE_BASELINE_MAX_USEC);
    int64_t share = readings->value[id];

    if (interval != INTERVAL_SHORT) {
        share = interval == INTERVAL_GOOD ? share_of(baseline, line, now) : line->avg10;
        baseline->valid = true;
        baseline->total_usec = line->total_usec;
        baseline->at_usec = now;
    }
    reading_set(readings, id, share > baseline->proven ? share : baseline->proven);
    baseline->proven = 0;
}

/* Lines that cannot be read are not valid. */
static int read_pressure(int fd, struct PressureFile *ret)
{
    char buf[512];
    ssize_t n = fd_read_file(fd, buf, sizeof(buf));

    *ret = (struct PressureFile){0};
    if (error_is_gone((int)n))
        return (int)n;
    if (n >= 0)
        pressure_parse(buf, ret);
    return 0;
}

int pressure_look(const struct PressureFds *fds, bool host, struct Strain *strain, usec_t now,
                  struct Readings *readings)
{
    struct PressureFile file = {0};
    int r;

    readings->at_usec = now;
    for (int i = 0; i < PRESSURE_COUNT; i++) {
        enum ReadingId id = host ? kinds[i].of_host : kinds[i].of_tenant;
        const struct PressureLine *line = kinds[i].full ? &file.full : &file.some;

        if (fds->fd[i] == PRESSURE_NOT_ASKED)
            continue;
        readings->limit[id] = READING_UNLIMITED;
        /* Both lines of a file come from one read. */
        if (i == 0 || fds->fd[i] != fds->fd[i - 1]) {
            r = read_pressure(fds->fd[i], &file);
            if (r < 0)
                return r;
        }
        if (line->valid) {
            take_line(line, &strain->pressure[i], now, readings, id);
        } else {
            readings->valid[id] = false;
            strain->pressure[i] = (struct PressureBaseline){0};
        }
    }
    return 0;
}
