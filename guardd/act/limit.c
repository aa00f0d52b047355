/* A limit is one file of the cgroup. What was written is read back: only what the kernel says is in
 * force is.
 *
 * Most files hold one number. cpu.max holds a quota and its period, both in microseconds, and the period
 * stays as it is found as long as the quota is one that the kernel takes. io.weight holds a line "default N"
 * and further ones of single devices, which are not touched. io.max holds a line for each device that has a
 * limit, with four numbers, of which one is written at a time: the others stay.
 *
 * Whoever writes less than the present use into memory.high or memory.max does not come back before the
 * kernel has taken back what it can, for memory.max with the OOM killer's help: its retries are bounded, but
 * take their time. From 6.16 on the kernel spares a writer that opened them with O_NONBLOCK, as
 * tenant/cgroup.c does; before, the loop waits. That is only so where guardd itself writes (no unit of PID
 * 1), below the present use, which only an operator and a newcomer's class may ask for (decide/limits.h). */
#include "act/limit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "act/throttle.h"
#include "base/error.h"
#include "base/fd.h"

_Static_assert(LIMIT_INFINITY == FD_VALUE_MAX, "both stand for \"max\"");

#define PERCENT_UNIT 10000 /* a whole CPU, in hundredths of a percent */
/* What the kernel takes in cpu.max. */
#define QUOTA_LEAST_USEC 1000
#define PERIOD_GREATEST_USEC 1000000
#define CPU_MAX_SIZE 64
#define IO_WEIGHT_SIZE 4096

static const struct {
    uint32_t limit, used;
} files[LIMIT_COUNT] = {
    [LIMIT_MEMORY_HIGH] = {1u << CGROUP_MEMORY_HIGH, 1u << CGROUP_MEMORY_CURRENT},
    [LIMIT_MEMORY_MAX] = {1u << CGROUP_MEMORY_MAX, 1u << CGROUP_MEMORY_CURRENT},
    [LIMIT_MEMORY_SWAP_MAX] = {1u << CGROUP_MEMORY_SWAP_MAX, 1u << CGROUP_MEMORY_SWAP_CURRENT},
    [LIMIT_CPU_QUOTA] = {1u << CGROUP_CPU_MAX, 0},
    [LIMIT_CPU_WEIGHT] = {1u << CGROUP_CPU_WEIGHT, 0},
    [LIMIT_IO_WEIGHT] = {1u << CGROUP_IO_WEIGHT, 0},
    [LIMIT_IO_READ_BANDWIDTH_MAX] = {1u << CGROUP_IO_MAX, 0},
    [LIMIT_IO_WRITE_BANDWIDTH_MAX] = {1u << CGROUP_IO_MAX, 0},
    [LIMIT_IO_READ_IOPS_MAX] = {1u << CGROUP_IO_MAX, 0},
    [LIMIT_IO_WRITE_IOPS_MAX] = {1u << CGROUP_IO_MAX, 0},
};

uint32_t limit_file(enum LimitId id)
{
    return files[id].limit;
}

uint32_t limit_used_file(enum LimitId id)
{
    return files[id].used;
}

static int file_fd(const struct Cgroup *cgroup, uint32_t file)
{
    return file == 0 ? -EBADF : cgroup->files[__builtin_ctz(file)];
}

static int limit_fd(const struct Cgroup *cgroup, enum LimitId id)
{
    if (id == LIMIT_TASKS_MAX)
        return cgroup->pids_max_fd;
    return id < LIMIT_COUNT ? file_fd(cgroup, files[id].limit) : -EBADF;
}

/* Digits, and moves *p behind them; false: there are none, or too many. */
static bool take_number(const char **p, uint64_t *ret_number)
{
    const char *begin = *p;

    for (*ret_number = 0; **p >= '0' && **p <= '9'; (*p)++)
        if (__builtin_mul_overflow(*ret_number, 10, ret_number) ||
            __builtin_add_overflow(*ret_number, (uint64_t)(**p - '0'), ret_number))
            return false;
    return *p > begin;
}

static bool is_end(const char *p)
{
    return *p == '\n' || *p == '\0';
}

/* --- cpu.max: "max 100000", "50000 100000" --------------------------------------------------------- */

static int read_quota(int fd, uint64_t *ret_quota, uint64_t *ret_period)
{
    char buf[CPU_MAX_SIZE];
    ssize_t n = fd_read_file(fd, buf, sizeof(buf));
    const char *p = buf;

    if (n < 0)
        return (int)n;
    *ret_quota = LIMIT_INFINITY;
    if (strncmp(p, "max", 3) == 0)
        p += 3;
    else if (!take_number(&p, ret_quota))
        return -EBADMSG;
    if (*p != ' ')
        return -EBADMSG;
    p++;
    if (!take_number(&p, ret_period) || !is_end(p))
        return -EBADMSG;
    return *ret_period > 0 && *ret_period <= PERIOD_GREATEST_USEC ? 0 : -EBADMSG;
}

static int read_cpu_max(int fd, uint64_t *ret_value)
{
    uint64_t quota, period;
    int r = read_quota(fd, &quota, &period);

    if (r < 0)
        return r;
    if (quota == LIMIT_INFINITY)
        *ret_value = LIMIT_INFINITY;
    else if (__builtin_mul_overflow(quota, PERCENT_UNIT, &quota))
        return -EBADMSG;
    else
        *ret_value = (quota + period / 2) / period;
    return 0;
}

static int write_cpu_max(int fd, uint64_t value)
{
    uint64_t quota, period;
    char buf[CPU_MAX_SIZE];
    int r;

    r = read_quota(fd, &quota, &period);
    if (r < 0)
        return r;
    if (value == LIMIT_INFINITY) {
        snprintf(buf, sizeof(buf), "max %" PRIu64, period);
        return fd_write_text(fd, buf);
    }
    if (value == 0 || __builtin_mul_overflow(value, period, &quota))
        return -ERANGE;
    quota = (quota + PERCENT_UNIT / 2) / PERCENT_UNIT;
    if (quota < QUOTA_LEAST_USEC) { /* as systemd: a longer period */
        quota = QUOTA_LEAST_USEC;
        period = quota * PERCENT_UNIT / value;
    }
    snprintf(buf, sizeof(buf), "%" PRIu64 " %" PRIu64, quota, period);
    return fd_write_text(fd, buf);
}

/* --- io.weight: "default 100", then "8:16 200" ----------------------------------------------------- */

static int read_io_weight(int fd, uint64_t *ret_value)
{
    static const char before[] = "default ";
    char buf[IO_WEIGHT_SIZE];
    ssize_t n = fd_read_file(fd, buf, sizeof(buf));
    const char *p = buf + strlen(before);
    uint64_t value;

    if (n < 0)
        return (int)n;
    if (strncmp(buf, before, strlen(before)) != 0 || !take_number(&p, &value) || !is_end(p))
        return -EBADMSG;
    *ret_value = value;
    return 0;
}

static int write_io_weight(int fd, uint64_t value)
{
    char buf[32];

    snprintf(buf, sizeof(buf), "default %" PRIu64, value);
    return fd_write_text(fd, buf);
}

/* --- io.max: "8:16 rbps=max wbps=1048576 riops=max wiops=max", a line a device --------------------- */

int limit_read_on(const struct Cgroup *cgroup, enum LimitId id, const struct RateDisk *disk,
                  uint64_t *ret_value)
{
    char like[32], line[THROTTLE_LINE_MAX];
    int r;

    snprintf(like, sizeof(like), "%" PRIu32 ":%" PRIu32, disk->major, disk->minor);
    r = throttle_read(cgroup, RESOURCE_IO, like, line);
    return r < 0 ? r : throttle_value(id, line, ret_value);
}

/* The kernel has one answer, ENODEV, for a cgroup that is gone, whose file cannot be read either, and for a
 * disk. */
int limit_write_on(const struct Cgroup *cgroup, enum LimitId id, const struct RateDisk *disk, uint64_t value)
{
    static const char *const keys[LIMIT_RATE_COUNT] = {"rbps", "wbps", "riops", "wiops"};
    char number[24] = "max", buf[64];
    uint64_t in_force;
    int written, r;

    if (value != LIMIT_INFINITY)
        snprintf(number, sizeof(number), "%" PRIu64, value);
    snprintf(buf, sizeof(buf), "%" PRIu32 ":%" PRIu32 " %s=%s", disk->major, disk->minor,
             keys[id - LIMIT_RATE_FIRST], number);
    written = fd_write_text(cgroup->files[CGROUP_IO_MAX], buf);
    r = limit_read_on(cgroup, id, disk, &in_force);
    if (written < 0)
        return error_is_gone(written) && r >= 0 ? -ENXIO : written;
    return r < 0 ? r : in_force == value ? 0 : -EIO;
}

/* --- all of them ------------------------------------------------------------------------------------ */

int limit_read(const struct Cgroup *cgroup, enum LimitId id, uint64_t *ret_value)
{
    int fd = limit_fd(cgroup, id);

    if (limit_is_rate(id))
        return fd < 0 ? fd : -ENOTBLK;
    if (id == LIMIT_CPU_QUOTA)
        return read_cpu_max(fd, ret_value);
    return id == LIMIT_IO_WEIGHT ? read_io_weight(fd, ret_value) : fd_read_value(fd, ret_value);
}

static int write_value(int fd, enum LimitId id, uint64_t value)
{
    if (limit_is_rate(id))
        return fd < 0 ? fd : -ENOTBLK;
    if (id == LIMIT_CPU_QUOTA)
        return write_cpu_max(fd, value);
    return id == LIMIT_IO_WEIGHT ? write_io_weight(fd, value) : fd_write_value(fd, value);
}

int limit_write(const struct Cgroup *cgroup, enum LimitId id, uint64_t value)
{
    uint64_t in_force;
    int r = write_value(limit_fd(cgroup, id), id, value);

    if (r < 0)
        return r;
    r = limit_read(cgroup, id, &in_force);
    if (r < 0)
        return r;
    return limit_is_same(id, in_force, value) ? 0 : -EIO;
}

int limit_read_used(const struct Cgroup *cgroup, enum LimitId id, uint64_t *ret_used)
{
    return fd_read_value(file_fd(cgroup, files[id].used), ret_used);
}
