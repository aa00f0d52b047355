/* See standings.h. */
#include "ctl/standings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/amount.h"
#include "ctl/reply.h"
#include "model/reading.h"

#define PERCENT_MAX 999 /* what a column holds */

static const struct GaugeInfo {
    const char *title;
    const char *used, *limit; /* fields of a tenant; NULL */
    const char *noun;         /* of the limit */
    enum { WORD, DIGITS, COUNT, BYTES, PERCENT } kind;
    char letter;
} gauges[GAUGE_COUNT] = {
    [GAUGE_NEAREST] = {"NEAREST LIMIT", NULL, NULL, NULL, WORD, 'l'},
    [GAUGE_NAME] = {"NAME", NULL, NULL, NULL, WORD, 'n'},
    [GAUGE_TASKS] = {"TASKS", "tasksCurrent", "tasksMax", "tasks", DIGITS, 't'},
    [GAUGE_CPU] = {"CPU", "cpuUsed", "cpuMax", "cpu", PERCENT, 'c'},
    [GAUGE_MEMORY] = {"MEMORY", "memoryUsed", "memoryMax", "memory", BYTES, 'm'},
    [GAUGE_DISK] = {"DISK", "diskUsed", "diskMax", "disk", BYTES, 'd'},
    [GAUGE_INODES] = {"INODES", "inodesUsed", "inodesMax", "inodes", COUNT, 'i'},
    [GAUGE_SENDS] = {"SENDS", "netEgress", "netEgressMax", "sends", COUNT, 's'},
    [GAUGE_GETS] = {"GETS", "netIngress", "netIngressMax", "gets", COUNT, 'g'},
    [GAUGE_DROPS] = {"DROPS", "netDropped", NULL, NULL, COUNT, 'x'},
};

const char *gauge_title(enum Gauge gauge)
{
    return gauges[gauge].title;
}

char gauge_letter(enum Gauge gauge)
{
    return gauges[gauge].letter;
}

enum Gauge gauge_from_letter(int letter)
{
    int gauge = 0;

    while (gauge < GAUGE_COUNT && gauges[gauge].letter != letter)
        gauge++;
    return (enum Gauge)gauge;
}

/* What guardd does to it comes before what it may come to do. */
static int rank_of(const char *state)
{
    static const char *const quiet[] = {"ok", "released", "protected"};

    for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++)
        if (strcmp(state, quiet[i]) == 0)
            return 0;
    return strcmp(state, "armed") == 0 ? 1 : 2;
}

/* Of the gauge's limit, rounded down; -1 without one. */
static int percent_of(sd_json_variant *tenant, const struct GaugeInfo *gauge)
{
    int64_t used, limit;
    double percent;

    if (!gauge->limit || !reply_number(tenant, gauge->used, &used) ||
        !reply_number(tenant, gauge->limit, &limit) || used < 0)
        return -1;
    if (limit <= 0)
        return PERCENT_MAX;
    percent = 100.0 * (double)used / (double)limit;
    return percent < PERCENT_MAX ? (int)percent : PERCENT_MAX;
}

static struct Standing make_standing(sd_json_variant *tenant)
{
    struct Standing standing = {
        .tenant = tenant, .rank = rank_of(reply_text_or(tenant, "state", "ok")), .nearest = GAUGE_NAME};
    int most = -1;

    for (int gauge = 0; gauge < GAUGE_COUNT; gauge++) {
        int percent = percent_of(tenant, &gauges[gauge]);

        if (percent > most) {
            most = percent;
            standing.nearest = (enum Gauge)gauge;
        }
    }
    standing.percent = most > 0 ? most : 0;
    return standing;
}

static int compare_numbers(int64_t a, int64_t b)
{
    return a > b ? -1 : a < b; /* the most first */
}

static int compare_amounts(const struct Standing *a, const struct Standing *b, const struct GaugeInfo *gauge)
{
    int64_t left = -1, right = -1;

    reply_number(a->tenant, gauge->used, &left);
    reply_number(b->tenant, gauge->used, &right);
    return compare_numbers(left, right);
}

static int compare(const void *left, const void *right, void *userdata)
{
    const struct Standing *a = left, *b = right;
    const enum Gauge *by = userdata;
    int order = 0;

    if (*by == GAUGE_NEAREST) {
        order = compare_numbers(a->rank, b->rank);
        if (order == 0)
            order = compare_numbers(a->percent, b->percent);
    } else if (*by != GAUGE_NAME) {
        order = compare_amounts(a, b, &gauges[*by]);
    }
    return order != 0 ? order
                      : strcmp(reply_text_or(a->tenant, "name", "?"), reply_text_or(b->tenant, "name", "?"));
}

struct Standing *standings_make(sd_json_variant *tenants, enum Gauge by, size_t *ret_n)
{
    size_t n = tenants && sd_json_variant_is_array(tenants) ? sd_json_variant_elements(tenants) : 0;
    struct Standing *standings = calloc(n + 1, sizeof(*standings));

    if (!standings)
        return NULL;
    for (size_t i = 0; i < n; i++)
        standings[i] = make_standing(sd_json_variant_by_index(tenants, i));
    qsort_r(standings, n, sizeof(*standings), compare, &by);
    *ret_n = n;
    return standings;
}

const char *standing_amount(const struct Standing *standing, enum Gauge gauge, char *buf, size_t size)
{
    const struct GaugeInfo *info = &gauges[gauge];
    const char *text = "-";
    int64_t hundredths;

    if (info->kind == DIGITS)
        text = reply_digits(standing->tenant, info->used, "-", buf, size);
    else if (info->kind == COUNT)
        text = amount_files(standing->tenant, info->used, "-", buf, size);
    else if (info->kind == BYTES)
        text = amount_bytes(standing->tenant, info->used, "-", buf, size);
    else if (info->kind == PERCENT && reply_number(standing->tenant, info->used, &hundredths)) {
        snprintf(buf, size, "%.0f%%", (double)hundredths / 100);
        return buf;
    }
    if (text != buf)
        snprintf(buf, size, "%s", text);
    return buf;
}

const char *standing_nearest(const struct Standing *standing, char *buf, size_t size)
{
    if (standing->nearest == GAUGE_NAME)
        buf[0] = '\0';
    else
        snprintf(buf, size, "%d%% %s", standing->percent, gauges[standing->nearest].noun);
    return buf;
}
