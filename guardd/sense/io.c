/* The I/O sensor, from io.stat: a line for each device that the cgroup ever used, with counters of bytes and
 * operations. Which of them it loads shows in the rates, so all are compared with those of the last look and
 * put in order: the busiest first, then those that were not compared yet (there are more devices than are
 * remembered: each has its turn), then the idle ones.
 *
 * The kernel counts at each level of stacked devices: what goes through dm or loop to a disk is in the lines
 * of both, and io.rate then tells the double. A limit is good at either level, so the list has both. */
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "sense/counter.h"
#include "sense/strain.h"

/* About 100 bytes a line. What is beyond is not looked at. */
#define IO_STAT_HEAD 8192
#define DEVICES_READ_MAX 64

/* How many bytes an operation stands for, when devices are put in order. */
#define OPERATION_BYTES 4096

struct Device {
    struct DeviceCounters counters;
    struct DeviceUse use;
    bool compared;
    double load;
};

static bool ends_word(char c)
{
    return c == ' ' || c == '\n';
}

/* "8:16" */
static bool take_device(const char *word, struct DeviceCounters *ret)
{
    uint64_t major, minor;

    if (!counter_parse_pair(&word, ':', &major, &minor) || !ends_word(*word) || major > UINT32_MAX ||
        minor > UINT32_MAX)
        return false;
    *ret = (struct DeviceCounters){.major = (uint32_t)major, .minor = (uint32_t)minor};
    return true;
}

static void take_counter(const char *word, const char *key, uint64_t *counter)
{
    size_t length = strlen(key);
    uint64_t value;

    if (strncmp(word, key, length) != 0)
        return;
    word += length;
    if (counter_parse(&word, &value) && ends_word(*word))
        *counter = value;
}

/* One whole line. Some kernels put names of devices without counters before the one that has them. */
static bool take_line(const char *line, const char *end, struct DeviceCounters *ret)
{
    bool named = false;

    for (const char *word = line; word < end;) {
        if (take_device(word, ret)) {
            named = true;
        } else if (named) {
            take_counter(word, "rbytes=", &ret->rbytes);
            take_counter(word, "wbytes=", &ret->wbytes);
            take_counter(word, "rios=", &ret->rios);
            take_counter(word, "wios=", &ret->wios);
        }
        word += strcspn(word, " \n");
        word += *word == ' ';
    }
    return named;
}

size_t io_stat_parse(const char *text, struct DeviceCounters *devices, size_t max)
{
    size_t n = 0;

    for (const char *line = text, *end; n < max && (end = strchr(line, '\n')); line = end + 1)
        if (take_line(line, end, &devices[n]))
            n++;
    return n;
}

static uint64_t sum_of_bytes(const struct DeviceCounters *counters, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        if (__builtin_add_overflow(sum, counters[i].rbytes, &sum) ||
            __builtin_add_overflow(sum, counters[i].wbytes, &sum))
            return UINT64_MAX;
    return sum;
}

static uint64_t per_second(uint64_t before, uint64_t now, usec_t elapsed)
{
    return now > before ? (uint64_t)rate_per_second((double)(now - before), elapsed) : 0;
}

/* What was known of a device at the last look. One that is new in the kernel's list began at 0, if the last
 * look remembered all there were. */
static const struct DeviceCounters *counters_before(const struct Strain *strain,
                                                    const struct DeviceCounters *counters)
{
    static const struct DeviceCounters beginning;

    for (size_t i = 0; i < strain->n_counters; i++)
        if (strain->counters[i].major == counters->major && strain->counters[i].minor == counters->minor)
            return &strain->counters[i];
    return strain->n_counters < STRAIN_COUNTERS_MAX ? &beginning : NULL;
}

static void compare(struct Device *device, const struct Strain *strain, usec_t elapsed)
{
    const struct DeviceCounters *now = &device->counters, *before = counters_before(strain, now);

    device->use = (struct DeviceUse){.major = now->major, .minor = now->minor};
    device->compared = before != NULL;
    device->load = 0;
    if (!before)
        return;
    device->use.rbps = per_second(before->rbytes, now->rbytes, elapsed);
    device->use.wbps = per_second(before->wbytes, now->wbytes, elapsed);
    device->use.riops = per_second(before->rios, now->rios, elapsed);
    device->use.wiops = per_second(before->wios, now->wios, elapsed);
    device->load = (double)device->use.rbps + (double)device->use.wbps +
                   OPERATION_BYTES * ((double)device->use.riops + (double)device->use.wiops);
}

static bool comes_before(const struct Device *a, const struct Device *b)
{
    if (a->load > 0 || b->load > 0)
        return a->load > b->load;
    return !a->compared && b->compared;
}

/* Few, and mostly in order since the last time; qsort() may allocate. */
static void put_in_order(struct Device *devices, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct Device device = devices[i];
        size_t at = i;

        for (; at > 0 && comes_before(&device, &devices[at - 1]); at--)
            devices[at] = devices[at - 1];
        devices[at] = device;
    }
}

static void remember(struct Strain *strain, const struct Device *devices, size_t n, usec_t now)
{
    strain->n_counters = strain->n_devices = 0;
    for (size_t i = 0; i < n && i < STRAIN_COUNTERS_MAX; i++)
        strain->counters[strain->n_counters++] = devices[i].counters;
    for (size_t i = 0; i < n && i < STRAIN_DEVICES_MAX && devices[i].load > 0; i++)
        strain->devices[strain->n_devices++] = devices[i].use;
    strain->counters_valid = true;
    strain->devices_usec = now;
}

static void take_devices(struct Strain *strain, const struct DeviceCounters *counters, size_t n, usec_t now)
{
    struct Device devices[DEVICES_READ_MAX];
    enum Interval interval =
        interval_between(strain->counters_valid, strain->devices_usec, now, RATE_MAX_USEC);

    if (interval == INTERVAL_SHORT)
        return;
    for (size_t i = 0; i < n; i++) {
        devices[i] = (struct Device){.counters = counters[i]};
        if (interval == INTERVAL_GOOD)
            compare(&devices[i], strain, now - strain->devices_usec);
    }
    put_in_order(devices, n);
    remember(strain, devices, n, now);
}

int io_look(const struct Cgroup *cgroup, struct Strain *strain, usec_t now, struct Readings *readings)
{
    struct DeviceCounters counters[DEVICES_READ_MAX];
    char buf[IO_STAT_HEAD];
    ssize_t n_read = fd_read_head(cgroup->files[CGROUP_IO_STAT], buf, sizeof(buf));
    size_t n;

    readings->at_usec = now;
    readings->limit[READING_IO_RATE] = READING_UNLIMITED;
    if (error_is_gone((int)n_read))
        return (int)n_read;
    if (n_read < 0) {
        counter_lost(&strain->io_bytes, readings, READING_IO_RATE);
        strain->n_devices = strain->n_counters = 0;
        strain->counters_valid = false;
        return 0;
    }
    n = io_stat_parse(buf, counters, DEVICES_READ_MAX);
    counter_rate(&strain->io_bytes, sum_of_bytes(counters, n), now, 1, readings, READING_IO_RATE);
    take_devices(strain, counters, n, now);
    return 0;
}
