/* See throttle.h. A line is four numbers at most, UINT64_MAX for "max":
 *
 *   cpu.max      QUOTA PERIOD                            microseconds
 *   memory.high  BYTES                                   whole pages
 *   io.max       MAJ:MIN rbps= wbps= riops= wiops=       a device without a line has no limit
 *
 * Lines are compared by their numbers: the kernel says "max" its own way, rounds bytes down to pages, and
 * leaves out a device that has no limit (any more). */
#include "act/throttle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

#define NONE UINT64_MAX
#define IO_MAX_SIZE 4096
#define PERIOD_DEFAULT_USEC 100000
/* The kernel takes no less than a millisecond for a quota. */
#define QUOTA_MIN_USEC 1000
#define CPU_MIN 100 /* hundredths of a percent */
#define MEMORY_MIN_BYTES (16 * 1024 * 1024)
#define IO_MIN_BYTES (64 * 1024)
#define IO_MIN_OPERATIONS 8

enum { RBPS, WBPS, RIOPS, WIOPS, IO_NUMBERS };
enum { QUOTA, PERIOD };

static const char *const io_keys[IO_NUMBERS] = {"rbps=", "wbps=", "riops=", "wiops="};

struct Line {
    uint32_t major, minor; /* of io */
    uint64_t number[IO_NUMBERS];
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Without overflow; of nothing there is no share. */
static uint64_t share(uint64_t value, unsigned percent)
{
    return value / 100 * percent + value % 100 * percent / 100;
}

enum CgroupFile throttle_file(enum Resource resource)
{
    switch (resource) {
    case RESOURCE_CPU:
        return CGROUP_CPU_MAX;
    case RESOURCE_MEMORY:
        return CGROUP_MEMORY_HIGH;
    default:
        return CGROUP_IO_MAX;
    }
}

uint32_t throttle_files(enum Resource resource)
{
    uint32_t files = 1u << throttle_file(resource);

    return resource == RESOURCE_MEMORY ? files | 1u << CGROUP_MEMORY_CURRENT : files;
}

/* --- lines as text -------------------------------------------------------------------------------- */

/* A number or "max" at `*text`, which is moved behind it. */
static bool parse_number(const char **text, uint64_t *ret)
{
    const char *at = *text;
    char *end;

    if (strncmp(at, "max", 3) == 0) {
        *ret = NONE;
        *text = at + 3;
        return true;
    }
    if (*at < '0' || *at > '9')
        return false;
    errno = 0;
    *ret = strtoull(at, &end, 10);
    *text = end;
    return errno == 0;
}

static bool is_end(const char *text)
{
    return *text == '\0' || *text == '\n';
}

static bool parse_cpu(const char *text, struct Line *ret)
{
    ret->number[PERIOD] = PERIOD_DEFAULT_USEC;
    if (!parse_number(&text, &ret->number[QUOTA]))
        return false;
    if (*text == ' ') {
        text++;
        if (!parse_number(&text, &ret->number[PERIOD]))
            return false;
    }
    return is_end(text) && ret->number[PERIOD] > 0 && ret->number[PERIOD] != NONE;
}

static bool parse_memory(const char *text, struct Line *ret)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    if (!parse_number(&text, &ret->number[0]) || !is_end(text))
        return false;
    if (ret->number[0] != NONE)
        ret->number[0] -= ret->number[0] % page;
    return true;
}

/* "rbps=1048576" and what follows; a key that is not known here belongs to a later kernel. */
static bool parse_pairs(const char *text, struct Line *ret)
{
    while (*text == ' ') {
        size_t i = 0;

        text++;
        while (i < IO_NUMBERS && strncmp(text, io_keys[i], strlen(io_keys[i])) != 0)
            i++;
        if (i < IO_NUMBERS) {
            text += strlen(io_keys[i]);
            if (!parse_number(&text, &ret->number[i]))
                return false;
        } else {
            text += strcspn(text, " \n");
        }
    }
    return is_end(text);
}

static bool parse_io(const char *text, struct Line *ret)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    ret->major = (uint32_t)strtoul(text, &end, 10);
    if (*end != ':' || end[1] < '0' || end[1] > '9')
        return false;
    ret->minor = (uint32_t)strtoul(end + 1, &end, 10);
    for (size_t i = 0; i < IO_NUMBERS; i++)
        ret->number[i] = NONE;
    return parse_pairs(end, ret);
}

static bool parse(enum Resource resource, const char *text, struct Line *ret)
{
    *ret = (struct Line){};
    switch (resource) {
    case RESOURCE_CPU:
        return parse_cpu(text, ret);
    case RESOURCE_MEMORY:
        return parse_memory(text, ret);
    case RESOURCE_IO:
        return parse_io(text, ret);
    default:
        return false;
    }
}

static const char *number_text(uint64_t number, char *buf, size_t size)
{
    if (number == NONE)
        return "max";
    snprintf(buf, size, "%" PRIu64, number);
    return buf;
}

static int format(enum Resource resource, const struct Line *line, char *ret_line)
{
    char text[IO_NUMBERS][24];
    const char *n[IO_NUMBERS];
    int length;

    for (size_t i = 0; i < IO_NUMBERS; i++)
        n[i] = number_text(line->number[i], text[i], sizeof(text[i]));
    if (resource == RESOURCE_CPU)
        length = snprintf(ret_line, THROTTLE_LINE_MAX, "%s %s", n[QUOTA], n[PERIOD]);
    else if (resource == RESOURCE_MEMORY)
        length = snprintf(ret_line, THROTTLE_LINE_MAX, "%s", n[0]);
    else
        length =
            snprintf(ret_line, THROTTLE_LINE_MAX, "%" PRIu32 ":%" PRIu32 " rbps=%s wbps=%s riops=%s wiops=%s",
                     line->major, line->minor, n[RBPS], n[WBPS], n[RIOPS], n[WIOPS]);
    return length < THROTTLE_LINE_MAX ? 0 : -ENOBUFS;
}

/* As it stands in the file, without its end. */
static int copy_line(const char *text, char *ret_line)
{
    size_t length = strcspn(text, "\n");

    if (length >= THROTTLE_LINE_MAX)
        return -ENOBUFS;
    memcpy(ret_line, text, length);
    ret_line[length] = '\0';
    return 0;
}

/* --- lines compared ------------------------------------------------------------------------------- */

static bool is_same(const struct Line *a, const struct Line *b)
{
    return a->major == b->major && a->minor == b->minor &&
           memcmp(a->number, b->number, sizeof(a->number)) == 0;
}

bool throttle_is_same(enum Resource resource, const char *a, const char *b)
{
    struct Line one, other;

    return parse(resource, a, &one) && parse(resource, b, &other) && is_same(&one, &other);
}

/* Of one CPU, in hundredths of a percent, as exactly as may be compared. */
static double rate(const struct Line *line)
{
    return line->number[QUOTA] == NONE ? 1e300 : (double)line->number[QUOTA] / (double)line->number[PERIOD];
}

static struct Line lower(enum Resource resource, const struct Line *a, const struct Line *b)
{
    struct Line line = *a;

    if (resource == RESOURCE_CPU)
        return rate(b) < rate(a) ? *b : *a;
    for (size_t i = 0; i < IO_NUMBERS; i++)
        line.number[i] = least(a->number[i], b->number[i]);
    return line;
}

int throttle_lower(enum Resource resource, const char *a, const char *b, char *ret_line)
{
    struct Line one, other;

    if (!parse(resource, a, &one) || !parse(resource, b, &other))
        return -EBADMSG;
    one = lower(resource, &one, &other);
    return format(resource, &one, ret_line);
}

_Static_assert(LIMIT_RATE_FIRST + RBPS == LIMIT_IO_READ_BANDWIDTH_MAX &&
                   LIMIT_RATE_FIRST + WIOPS == LIMIT_IO_WRITE_IOPS_MAX,
               "limits of I/O are in the order of the numbers of io.max");

int throttle_value(enum LimitId limit, const char *text, uint64_t *ret_value)
{
    enum Resource resource = limit_throttle(limit);
    struct Line line;

    if (!parse(resource, text, &line))
        return -EBADMSG;
    if (resource == RESOURCE_CPU && line.number[QUOTA] != NONE)
        *ret_value = (line.number[QUOTA] * 10000 + line.number[PERIOD] / 2) / line.number[PERIOD];
    else
        *ret_value = line.number[limit_is_rate(limit) ? limit - LIMIT_RATE_FIRST : 0];
    return 0;
}

/* --- the file ------------------------------------------------------------------------------------- */

/* The line of this device; without one it has no limit. */
static int find_device(const char *text, uint32_t major, uint32_t minor, char *ret_line)
{
    struct Line line = {.major = major, .minor = minor, .number = {NONE, NONE, NONE, NONE}};

    while (*text != '\0') {
        const char *end = strchrnul(text, '\n');
        char copy[THROTTLE_LINE_MAX];
        struct Line present;

        if (copy_line(text, copy) == 0 && parse_io(copy, &present) && present.major == major &&
            present.minor == minor)
            return copy_line(copy, ret_line);
        text = *end == '\n' ? end + 1 : end;
    }
    return format(RESOURCE_IO, &line, ret_line);
}

int throttle_read(const struct Cgroup *cgroup, enum Resource resource, const char *like, char *ret_line)
{
    char text[IO_MAX_SIZE];
    struct Line line;
    ssize_t n = fd_read_file(cgroup->files[throttle_file(resource)], text, sizeof(text));

    if (n < 0)
        return (int)n;
    if (resource != RESOURCE_IO)
        return parse(resource, text, &line) ? copy_line(text, ret_line) : -EBADMSG;
    return parse_io(like, &line) ? find_device(text, line.major, line.minor, ret_line) : -EBADMSG;
}

int throttle_is(const struct Cgroup *cgroup, enum Resource resource, const char *line)
{
    char present[THROTTLE_LINE_MAX];
    int r = throttle_read(cgroup, resource, line, present);

    return r < 0 ? r : throttle_is_same(resource, present, line);
}

int throttle_write(const struct Cgroup *cgroup, enum Resource resource, const char *line)
{
    int r = fd_write_text(cgroup->files[throttle_file(resource)], line);

    if (r < 0)
        return r;
    r = throttle_is(cgroup, resource, line);
    return r == 0 ? -EIO : r < 0 ? r : 0;
}

/* --- the plan ------------------------------------------------------------------------------------- */

/* One line more: `wanted`, but never above what is there, which the line has `found` already. */
static int add_found_line(enum Resource resource, const struct Line *wanted, struct Throttle *plan)
{
    struct ThrottleLine *line = &plan->lines[plan->n_lines];
    char text[THROTTLE_LINE_MAX];
    int r = format(resource, wanted, text);

    line->slot = UINT32_MAX;
    if (r >= 0)
        r = throttle_lower(resource, text, line->found, line->value);
    if (r >= 0)
        plan->n_lines++;
    return r;
}

static int add_line(const struct Cgroup *cgroup, enum Resource resource, const struct Line *wanted,
                    struct Throttle *plan)
{
    char text[THROTTLE_LINE_MAX];
    int r = format(resource, wanted, text);

    if (r >= 0)
        r = throttle_read(cgroup, resource, text, plan->lines[plan->n_lines].found);
    return r < 0 ? r : add_found_line(resource, wanted, plan);
}

/* In the period that is there. */
static int plan_cpu(const struct Cgroup *cgroup, unsigned percent, const struct Readings *readings,
                    struct Throttle *plan)
{
    char *found = plan->lines[plan->n_lines].found;
    struct Line line = {};
    uint64_t usage;
    int r = throttle_read(cgroup, RESOURCE_CPU, "", found);

    if (r < 0)
        return r;
    if (!readings->valid[READING_CPU_USAGE] || !parse_cpu(found, &line))
        return -ENODATA;
    usage = most(share((uint64_t)readings->value[READING_CPU_USAGE], percent), CPU_MIN);
    line.number[QUOTA] = most(line.number[PERIOD] * usage / 10000, QUOTA_MIN_USEC);
    return add_found_line(RESOURCE_CPU, &line, plan);
}

static int plan_memory(const struct Cgroup *cgroup, unsigned percent, struct Throttle *plan)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), current;
    struct Line line = {};
    int r = fd_read_value(cgroup->files[CGROUP_MEMORY_CURRENT], &current);

    if (r < 0)
        return r;
    line.number[0] = most(share(current, percent), MEMORY_MIN_BYTES);
    line.number[0] -= line.number[0] % page;
    return add_line(cgroup, RESOURCE_MEMORY, &line, plan);
}

static int plan_io(const struct Cgroup *cgroup, unsigned percent, const struct Strain *strain,
                   struct Throttle *plan)
{
    for (size_t i = 0; i < strain->n_devices && plan->n_lines < THROTTLE_LINES_MAX; i++) {
        const struct DeviceUse *use = &strain->devices[i];
        struct Line line = {.major = use->major,
                            .minor = use->minor,
                            .number = {[RBPS] = most(share(use->rbps, percent), IO_MIN_BYTES),
                                       [WBPS] = most(share(use->wbps, percent), IO_MIN_BYTES),
                                       [RIOPS] = most(share(use->riops, percent), IO_MIN_OPERATIONS),
                                       [WIOPS] = most(share(use->wiops, percent), IO_MIN_OPERATIONS)}};
        int r;

        if (use->rbps == 0 && use->wbps == 0 && use->riops == 0 && use->wiops == 0)
            continue;
        r = add_line(cgroup, RESOURCE_IO, &line, plan);
        if (r < 0)
            return r;
    }
    return plan->n_lines > 0 ? 0 : -ENODATA;
}

int throttle_plan(const struct Cgroup *cgroup, enum Resource resource, unsigned percent,
                  const struct Strain *strain, const struct Readings *readings, struct Throttle *ret_plan)
{
    struct Throttle plan = {};
    int r;

    if (!resource_is_strain(resource))
        return -EOPNOTSUPP;
    if (cgroup->files[throttle_file(resource)] < 0)
        return -EBADF;
    if (resource == RESOURCE_CPU)
        r = plan_cpu(cgroup, percent, readings, &plan);
    else if (resource == RESOURCE_MEMORY)
        r = plan_memory(cgroup, percent, &plan);
    else
        r = plan_io(cgroup, percent, strain, &plan);
    if (r >= 0)
        *ret_plan = plan;
    return r;
}
