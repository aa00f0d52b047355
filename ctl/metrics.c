/* guardctl metrics: what guardd measures and counts, for a monitoring system. A table says which metric is
 * made of which reading and limit; all that is in no table is guardd's own.
 *
 * The text is that which Prometheus and node_exporter's textfile collector read, and ends with `# EOF`, so
 * that what is cut off shows. With --openmetrics it is OpenMetrics 1.0: there a counter is declared without
 * its `_total`, which the former do not understand. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ctl/client.h"
#include "ctl/network.h"
#include "ctl/reply.h"
#include "ctl/terminal.h"
#include "model/decision.h"
#include "model/limit.h"
#include "model/reading.h"
#include "wire/text.h"

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)

/* Where they go, and in which of the two texts. */
struct Sink {
    FILE *out;
    bool openmetrics;
};

enum Kind { GAUGE, COUNTER };

/* Of a tenant, by reading: the totals of what is counted, the value of all else. */
static const struct Metric {
    const char *name, *help;
} of_readings[READING_COUNT] = {
    [READING_TASKS_CURRENT] = {"guardd_tenant_tasks", "Processes and threads"},
    [READING_TASKS_DENIED] = {"guardd_tenant_tasks_denied_total",
                              "Forks refused at the tenant's own task limit"},
    [READING_TASKS_GROWTH] = {"guardd_tenant_tasks_growth_per_second", "Change of tasks per second"},
    [READING_DISK_SPACE] = {"guardd_tenant_disk_bytes", "What its files take, on its fullest filesystem"},
    [READING_DISK_INODES] = {"guardd_tenant_disk_inodes", "Files and directories it has there"},
    [READING_DISK_GROWTH] = {"guardd_tenant_disk_growth_bytes_per_second",
                             "Change per second of what its files take"},
    [READING_DISK_DENIED] = {"guardd_tenant_disk_denied_total",
                             "Refusals at its own disk limits that the kernel announced"},
    [READING_DISK_ETA] = {"guardd_tenant_disk_eta_seconds",
                          "Until its filesystem is full if it grows like this; +Inf: never"},
    [READING_HOST_DISK_FREE] = {"guardd_tenant_filesystem_free_bytes",
                                "Left on the filesystem that it writes to"},
    [READING_HOST_DISK_INODES] = {"guardd_tenant_filesystem_free_inodes",
                                  "Inodes left on the filesystem that it writes to"},
    [READING_MEMORY_CURRENT] = {"guardd_tenant_memory_bytes", "Memory that is charged to it"},
    [READING_MEMORY_SWAP] = {"guardd_tenant_memory_swap_bytes", "Memory of it that is swapped out"},
    [READING_MEMORY_SHMEM] = {"guardd_tenant_memory_shmem_bytes", "Memory of it in tmpfs and shared memory"},
    [READING_MEMORY_GROWTH] = {"guardd_tenant_memory_growth_bytes_per_second",
                               "Change per second of its memory, swap included"},
    [READING_MEMORY_HIGH] = {"guardd_tenant_memory_high_total", "Times it was slowed at memory.high"},
    [READING_MEMORY_MAX] = {"guardd_tenant_memory_max_total", "Times it came to memory.max"},
    [READING_MEMORY_OOM] = {"guardd_tenant_memory_oom_kills_total",
                            "Its processes that the kernel killed for memory"},
    [READING_MEMORY_PRESSURE_SOME] = {"guardd_tenant_memory_pressure_some_ratio",
                                      "Part of the time some of it waited for memory"},
    [READING_MEMORY_PRESSURE_FULL] = {"guardd_tenant_memory_pressure_full_ratio",
                                      "Part of the time all of it waited for memory"},
    [READING_MEMORY_STALL] = {"guardd_tenant_memory_stall_ratio",
                              "The same, while it is at its own limit of memory, else 0"},
    [READING_CPU_USAGE] = {"guardd_tenant_cpu_usage_ratio", "Of one CPU that it used: 2 is two CPUs"},
    [READING_CPU_THROTTLED] = {"guardd_tenant_cpu_throttled_ratio",
                               "Part of the time its quota held it back"},
    [READING_CPU_PRESSURE_SOME] = {"guardd_tenant_cpu_pressure_some_ratio",
                                   "Part of the time some of it waited for a CPU"},
    [READING_IO_RATE] = {"guardd_tenant_io_bytes_per_second", "Read and written per second"},
    [READING_IO_PRESSURE_SOME] = {"guardd_tenant_io_pressure_some_ratio",
                                  "Part of the time some of it waited for I/O"},
    [READING_IO_PRESSURE_FULL] = {"guardd_tenant_io_pressure_full_ratio",
                                  "Part of the time all of it waited for I/O"},
    [READING_HOST_MEMORY_AVAILABLE] = {"guardd_host_memory_available_bytes",
                                       "Memory that the host could still give"},
    [READING_HOST_MEMORY_PRESSURE_SOME] = {"guardd_host_memory_pressure_some_ratio",
                                           "Part of the time some of the host waited for memory"},
    [READING_HOST_MEMORY_PRESSURE_FULL] = {"guardd_host_memory_pressure_full_ratio",
                                           "Part of the time all of the host waited for memory"},
    [READING_HOST_CPU_PRESSURE_SOME] = {"guardd_host_cpu_pressure_some_ratio",
                                        "Part of the time some of the host waited for a CPU"},
    [READING_HOST_IO_PRESSURE_SOME] = {"guardd_host_io_pressure_some_ratio",
                                       "Part of the time some of the host waited for I/O"},
    [READING_HOST_IO_PRESSURE_FULL] = {"guardd_host_io_pressure_full_ratio",
                                       "Part of the time all of the host waited for I/O"},
    [READING_NET_EGRESS] = {"guardd_tenant_network_egress_bytes_per_second", "What it sends per second"},
    [READING_NET_INGRESS] = {"guardd_tenant_network_ingress_bytes_per_second", "What it gets per second"},
    [READING_NET_DROPPED] = {"guardd_tenant_network_dropped_packets_total",
                             "Packets to and from it that were dropped"},
    [READING_HOST_NET_EGRESS] = {"guardd_host_network_egress_bytes_per_second",
                                 "What the host sends per second on its physical links"},
    [READING_HOST_NET_INGRESS] = {"guardd_host_network_ingress_bytes_per_second",
                                  "What the host gets per second on its physical links"},
};

/* What the kernel enforces. A limit that there is not has no line. */
static const struct Metric of_limits[LIMIT_COUNT] = {
    [LIMIT_TASKS_MAX] = {"guardd_tenant_limit_tasks", "TasksMax in force"},
    [LIMIT_DISK_SPACE_MAX] = {"guardd_tenant_limit_disk_bytes", "DiskSpaceMax in force"},
    [LIMIT_DISK_INODES_MAX] = {"guardd_tenant_limit_disk_inodes", "DiskInodesMax in force"},
    [LIMIT_MEMORY_HIGH] = {"guardd_tenant_limit_memory_high_bytes", "MemoryHigh in force"},
    [LIMIT_MEMORY_MAX] = {"guardd_tenant_limit_memory_max_bytes", "MemoryMax in force"},
    [LIMIT_MEMORY_SWAP_MAX] = {"guardd_tenant_limit_memory_swap_bytes", "MemorySwapMax in force"},
    [LIMIT_CPU_QUOTA] = {"guardd_tenant_limit_cpu_ratio", "CPUQuota in force: 2 is two CPUs"},
    [LIMIT_CPU_WEIGHT] = {"guardd_tenant_limit_cpu_weight", "CPUWeight in force"},
    [LIMIT_IO_WEIGHT] = {"guardd_tenant_limit_io_weight", "IOWeight in force"},
    [LIMIT_IO_READ_BANDWIDTH_MAX] = {"guardd_tenant_limit_io_read_bytes_per_second",
                                     "IOReadBandwidthMax in force"},
    [LIMIT_IO_WRITE_BANDWIDTH_MAX] = {"guardd_tenant_limit_io_write_bytes_per_second",
                                      "IOWriteBandwidthMax in force"},
    [LIMIT_IO_READ_IOPS_MAX] = {"guardd_tenant_limit_io_read_operations_per_second",
                                "IOReadIOPSMax in force"},
    [LIMIT_IO_WRITE_IOPS_MAX] = {"guardd_tenant_limit_io_write_operations_per_second",
                                 "IOWriteIOPSMax in force"},
    [LIMIT_NETWORK_EGRESS_MAX] = {"guardd_tenant_limit_network_egress_bytes_per_second",
                                  "NetworkEgressMax in force, in bytes"},
    [LIMIT_NETWORK_INGRESS_MAX] = {"guardd_tenant_limit_network_ingress_bytes_per_second",
                                   "NetworkIngressMax in force, in bytes"},
};

/* --- one line ---------------------------------------------------------------------------------------- */

/* What comes before the lines of a metric. Of a counter OpenMetrics declares the family: its name without
 * `_total`. */
static void print_head(const struct Sink *sink, const char *name, enum Kind kind, const char *help)
{
    size_t length = strlen(name);

    if (kind == COUNTER && sink->openmetrics)
        length -= strlen("_total");
    fprintf(sink->out, "# HELP %.*s %s\n# TYPE %.*s %s\n", (int)length, name, help, (int)length, name,
            kind == COUNTER ? "counter" : "gauge");
}

/* A label's value: what would end it, or the line, is escaped. */
static void print_label(const struct Sink *sink, const char *before, const char *name, const char *value)
{
    fprintf(sink->out, "%s%s=\"", before, name);
    for (; *value != '\0'; value++)
        if (*value == '\n')
            fputs("\\n", sink->out);
        else
            fprintf(sink->out, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
    fputc('"', sink->out);
}

/* How many of a measure make one of the base unit, a power of ten or eight. */
static int64_t per_base_unit(enum Measure measure)
{
    switch (measure) {
    case MEASURE_PERCENT: /* hundredths */
        return 10000;
    case MEASURE_BITS_PER_SEC:
        return 8;
    default:
        return 1;
    }
}

/* Digits with a point, whatever the locale says. Four behind it are exact for all there is. */
static void print_value(const struct Sink *sink, int64_t value, int64_t per_unit)
{
    uint64_t amount = value < 0 ? -(uint64_t)value : (uint64_t)value, unit = (uint64_t)per_unit;

    if (value == READING_UNLIMITED)
        fputs(" +Inf\n", sink->out);
    else if (amount % unit == 0)
        fprintf(sink->out, " %s%" PRIu64 "\n", value < 0 ? "-" : "", amount / unit);
    else
        fprintf(sink->out, " %s%" PRIu64 ".%04" PRIu64 "\n", value < 0 ? "-" : "", amount / unit,
                amount % unit * 10000 / unit);
}

static void print_number(const struct Sink *sink, const char *name, int64_t value)
{
    fputs(name, sink->out);
    print_value(sink, value, 1);
}

static void print_single(const struct Sink *sink, const char *name, enum Kind kind, const char *help,
                         int64_t value)
{
    print_head(sink, name, kind, help);
    print_number(sink, name, value);
}

/* A number of the reply; nothing where there is none. */
static void print_field_of(const struct Sink *sink, sd_json_variant *reply, const char *key, const char *name,
                           enum Kind kind, const char *help)
{
    int64_t value;

    if (reply_number(reply, key, &value))
        print_single(sink, name, kind, help, value);
}

/* --- tenants ----------------------------------------------------------------------------------------- */

static bool is_called(sd_json_variant *tenant, const char *name)
{
    return tenant && strcmp(reply_text_or(tenant, "name", ""), name) == 0;
}

/* Its name; its path where another one, next to it in the list, has the same. */
static const char *label_of(sd_json_variant *reply, size_t index, sd_json_variant *tenant)
{
    const char *name = reply_text_or(tenant, "name", "");
    bool twin = is_called(reply_item(reply, "tenants", index + 1), name) ||
                (index > 0 && is_called(reply_item(reply, "tenants", index - 1), name));

    return twin ? reply_text_or(tenant, "path", name) : name;
}

static void print_of_tenant(const struct Sink *sink, sd_json_variant *reply, size_t index,
                            sd_json_variant *tenant, const char *name)
{
    fputs(name, sink->out);
    print_label(sink, "{", "tenant", label_of(reply, index, tenant));
    print_label(sink, ",", "class", reply_text_or(tenant, "class", ""));
}

/* The lines of one metric: of each tenant that has `key` in its `map`. */
static void print_metric(const struct Sink *sink, sd_json_variant *reply, const struct Metric *metric,
                         enum Kind kind, const char *map, const char *key, enum Measure measure)
{
    sd_json_variant *tenant;
    bool begun = false;
    int64_t value;

    for (size_t i = 0; (tenant = reply_item(reply, "tenants", i)); i++) {
        if (!reply_number(reply_object(tenant, map), key, &value))
            continue;
        if (!begun)
            print_head(sink, metric->name, kind, metric->help);
        begun = true;
        print_of_tenant(sink, reply, i, tenant, metric->name);
        fputc('}', sink->out);
        print_value(sink, value, per_base_unit(measure));
    }
}

/* One value, which each tenant that was looked at for it has. */
static void print_of_host(const struct Sink *sink, sd_json_variant *reply, const struct Metric *metric,
                          const struct ReadingInfo *info)
{
    sd_json_variant *tenant;
    int64_t value;

    for (size_t i = 0; (tenant = reply_item(reply, "tenants", i)); i++)
        if (reply_number(reply_object(tenant, "readings"), info->name, &value)) {
            print_head(sink, metric->name, GAUGE, metric->help);
            fputs(metric->name, sink->out);
            print_value(sink, value, per_base_unit(info->measure));
            return;
        }
}

static void print_readings(const struct Sink *sink, sd_json_variant *reply)
{
    for (int i = 0; i < READING_COUNT; i++) {
        const struct ReadingInfo *info = reading_info((enum ReadingId)i);

        if (info->of_host &&
            !reading_is_of_disk((enum ReadingId)i)) /* a tenant's filesystem is not another's */
            print_of_host(sink, reply, &of_readings[i], info);
        else if (reading_is_counted((enum ReadingId)i))
            print_metric(sink, reply, &of_readings[i], COUNTER, "totals", info->name, info->measure);
        else
            print_metric(sink, reply, &of_readings[i], GAUGE, "readings", info->name, info->measure);
    }
}

static void print_limits(const struct Sink *sink, sd_json_variant *reply)
{
    for (int i = 0; i < LIMIT_COUNT; i++) {
        const struct LimitInfo *info = limit_info((enum LimitId)i);

        print_metric(sink, reply, &of_limits[i], GAUGE, "limits", info->directive, info->measure);
    }
}

static void print_states(const struct Sink *sink, sd_json_variant *reply)
{
    sd_json_variant *tenant;

    if (reply_item(reply, "tenants", 0))
        print_head(sink, "guardd_tenant_info", GAUGE, "What a tenant is: always 1");
    for (size_t i = 0; (tenant = reply_item(reply, "tenants", i)); i++) {
        print_of_tenant(sink, reply, i, tenant, "guardd_tenant_info");
        print_label(sink, ",", "state", reply_text_or(tenant, "state", ""));
        print_label(sink, ",", "cgroup", reply_text_or(tenant, "path", ""));
        fputs("} 1\n", sink->out);
    }
}

/* --- guardd itself ----------------------------------------------------------------------------------- */

static void print_findings(const struct Sink *sink, sd_json_variant *status)
{
    sd_json_variant *finding;

    if (reply_item(status, "findings", 0))
        print_head(sink, "guardd_host_check_ok", GAUGE, "1: the host offers what guarding needs here");
    for (size_t i = 0; (finding = reply_item(status, "findings", i)); i++) {
        print_label(sink, "guardd_host_check_ok{", "check", reply_text_or(finding, "what", ""));
        fprintf(sink->out, "} %d\n", reply_flag(finding, "ok"));
    }
}

static void print_status(const struct Sink *sink, sd_json_variant *status)
{
    int64_t usec;
    size_t notices = 0;

    print_head(sink, "guardd_info", GAUGE, "The guardd that runs: always 1");
    print_label(sink, "guardd_info{", "version", reply_text_or(status, "version", ""));
    print_label(sink, ",", "mode", reply_text_or(status, "mode", ""));
    fputs("} 1\n", sink->out);
    if (reply_number(status, "startedRealtimeUsec", &usec))
        print_single(sink, "guardd_start_time_seconds", GAUGE, "When guardd began, since 1970",
                     usec / (int64_t)USEC_PER_SEC);
    print_field_of(sink, status, "tenants", "guardd_tenants", GAUGE, "Tenants that are guarded");
    print_field_of(sink, status, "standing", "guardd_tenants_frozen", GAUGE, "Tenants that are kept frozen");
    print_field_of(sink, status, "killsLeft", "guardd_kill_budget_left", GAUGE,
                   "Kills that KillBudget= still allows now");
    print_field_of(sink, status, "killsLimit", "guardd_kill_budget_kills", GAUGE,
                   "Kills that KillBudget= allows within its window");
    if (reply_number(status, "killsWindowUsec", &usec))
        print_single(sink, "guardd_kill_budget_window_seconds", GAUGE,
                     "The window of KillBudget=", usec / (int64_t)USEC_PER_SEC);
    while (reply_item(status, "notices", notices))
        notices++;
    print_single(sink, "guardd_notices", GAUGE, "How much is degraded now: guardctl status says what",
                 (int64_t)notices);
    print_findings(sink, status);
}

static int64_t action_count(sd_json_variant *reply, const char *verb, const char *result)
{
    sd_json_variant *action;
    int64_t n;

    for (size_t i = 0; (action = reply_item(reply, "actions", i)); i++)
        if (strcmp(reply_text_or(action, "verb", ""), verb) == 0 &&
            strcmp(reply_text_or(action, "result", ""), result) == 0 && reply_number(action, "count", &n))
            return n;
    return 0;
}

/* What never came about is 0, not left out: from nothing to 1 is no increase to Prometheus. */
static void print_actions(const struct Sink *sink, sd_json_variant *reply)
{
    print_head(sink, "guardd_actions_total", COUNTER, "What guardd did, by what came of it");
    for (int verb = 0; verb < VERB_COUNT; verb++)
        for (int result = RESULT_PENDING + 1; result < RESULT_COUNT; result++) {
            const char *done = verb_name((enum Verb)verb), *outcome = result_name((enum Result)result);

            print_label(sink, "guardd_actions_total{", "verb", done);
            print_label(sink, ",", "outcome", outcome);
            fputc('}', sink->out);
            print_value(sink, action_count(reply, done, outcome), 1);
        }
}

static void print_counters(const struct Sink *sink, sd_json_variant *reply)
{
    print_actions(sink, reply);
    print_field_of(sink, reply, "withheld", "guardd_withheld_total", COUNTER,
                   "Kills that were due and held back: protected, or the budget was spent");
    print_field_of(sink, reply, "events", "guardd_events_total", COUNTER, "Events of the history");
    print_field_of(sink, reply, "eventsLost", "guardd_events_lost_total", COUNTER,
                   "Events that the journal did not get");
}

/* --- asking ------------------------------------------------------------------------------------------ */

static bool lacks_rates(sd_json_variant *reply)
{
    sd_json_variant *tenant;
    int64_t n;

    for (size_t i = 0; (tenant = reply_item(reply, "tenants", i)); i++)
        if (reply_number(tenant, "netLinks", &n) && n > 0 &&
            !reply_number(reply_object(tenant, "readings"), "net.egress", &n))
            return true;
    return false;
}

static enum Exit ask(const struct Options *options, sd_json_variant **ret_status, sd_json_variant **ret_reply)
{
    enum Exit exit = client_call(options, "GetStatus", NULL, ret_status);

    if (exit == EXIT_DONE)
        exit = client_call(options, "GetMetrics", NULL, ret_reply);
    if (exit != EXIT_DONE || !lacks_rates(*ret_reply))
        return exit;
    *ret_reply = sd_json_variant_unref(*ret_reply);
    network_wait();
    return client_call(options, "GetMetrics", NULL, ret_reply);
}

static void print_all(const struct Sink *sink, bool up, sd_json_variant *status, sd_json_variant *reply)
{
    print_single(sink, "guardd_up", GAUGE, "1: guardd answers", up);
    if (up) {
        print_status(sink, status);
        print_counters(sink, reply);
        print_states(sink, reply);
        print_readings(sink, reply);
        print_limits(sink, reply);
    }
    fputs("# EOF\n", sink->out);
}

/* --- the textfile ------------------------------------------------------------------------------------ */

/* In the same directory, so that it can be renamed; node_exporter passes over what does not end in .prom. */
static FILE *make_beside(const char *path, char **ret_made)
{
    _cleanup_free_ char *made = NULL;
    FILE *file;
    int fd;

    if (asprintf(&made, "%s.XXXXXX", path) < 0)
        made = have_memory(NULL);
    fd = mkostemp(made, O_CLOEXEC);
    if (fd < 0)
        return NULL;
    file = fchmod(fd, 0644) == 0 ? fdopen(fd, "w") : NULL;
    if (!file) {
        close(fd);
        unlink(made);
        return NULL;
    }
    *ret_made = take_ptr(made);
    return file;
}

/* All of it or nothing: who reads it meanwhile sees the former one. */
static bool write_textfile(const char *path, bool openmetrics, bool up, sd_json_variant *status,
                           sd_json_variant *reply)
{
    _cleanup_free_ char *made = NULL;
    struct Sink sink = {.out = make_beside(path, &made), .openmetrics = openmetrics};
    bool written;

    if (!sink.out)
        return false;
    print_all(&sink, up, status, reply);
    written = !ferror(sink.out);
    written = fclose(sink.out) == 0 && written;
    if (written && rename(made, path) == 0)
        return true;
    unlink(made);
    return false;
}

/* Without guardd the textfile says so: what it said before would look as if it were of now. */
enum Exit verb_metrics(const struct Options *options, char **arguments)
{
    _cleanup_json_ sd_json_variant *status = NULL, *reply = NULL;
    enum Exit exit = ask(options, &status, &reply);
    bool up = exit == EXIT_DONE;

    if (options->textfile) {
        if (write_textfile(options->textfile, options->openmetrics, up, status, reply))
            return exit;
        complain("cannot write %s: %s", options->textfile, strerror(errno));
        return EXIT_FAILED;
    }
    if (up && options->json)
        reply_print_pretty(reply);
    else if (up)
        print_all(&(struct Sink){.out = stdout, .openmetrics = options->openmetrics}, up, status, reply);
    return exit;
}
