/* The CPU sensor, from cpu.stat. Without the cpu controller the kernel tells of the time used all the same,
 * but of no throttling. It adds up throttled time over all CPUs: what would be above 100 % of the time is 100
 * %. */
#include "base/error.h"
#include "base/fd.h"
#include "sense/counter.h"
#include "sense/strain.h"

/* Microseconds per second into hundredths of a percent. */
#define USEC_TO_PERCENT 0.01
#define THROTTLED_MAX 10000

static void take_counter(const char *stat, const char *key, struct CounterBaseline *baseline, usec_t now,
                         struct Readings *readings, enum ReadingId id)
{
    uint64_t value;

    readings->limit[id] = READING_UNLIMITED;
    if (keyed_value(stat, key, &value))
        counter_rate(baseline, value, now, USEC_TO_PERCENT, readings, id);
    else
        counter_lost(baseline, readings, id);
}

int cpu_look(const struct Cgroup *cgroup, struct Strain *strain, usec_t now, struct Readings *readings)
{
    char buf[1024];
    ssize_t n = fd_read_file(cgroup->files[CGROUP_CPU_STAT], buf, sizeof(buf));

    readings->at_usec = now;
    if (error_is_gone((int)n))
        return (int)n;
    if (n < 0)
        buf[0] = '\0';
    take_counter(buf, "usage_usec", &strain->cpu_usage_usec, now, readings, READING_CPU_USAGE);
    take_counter(buf, "throttled_usec", &strain->cpu_throttled_usec, now, readings, READING_CPU_THROTTLED);
    if (readings->value[READING_CPU_THROTTLED] > THROTTLED_MAX)
        readings->value[READING_CPU_THROTTLED] = THROTTLED_MAX;
    return 0;
}
