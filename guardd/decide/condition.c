#include "decide/condition.h"

#include <inttypes.h>
#include <stdio.h>

static bool is_below(enum Comparison comparison)
{
    return comparison == COMPARISON_BELOW || comparison == COMPARISON_AT_MOST;
}

/* A share of what the limit is. Bytes times a percentage may be more than a number holds: where it is, the
 * last digits do not matter. */
static bool compare_share(int64_t value, int64_t limit, enum Comparison comparison, int64_t percent)
{
    int64_t left, right;

    while (__builtin_mul_overflow(value, 100, &left) || __builtin_mul_overflow(limit, percent, &right)) {
        value /= 2;
        limit /= 2;
    }
    return comparison_holds(left, comparison, right);
}

bool condition_holds(const struct Condition *condition, const struct Readings *readings)
{
    int64_t value = readings->value[condition->reading];
    int64_t limit = readings->limit[condition->reading];

    if (!readings->valid[condition->reading])
        return false;
    /* Never, without end: more than any number. */
    if (value == READING_UNLIMITED)
        return !is_below(condition->comparison);
    /* What is a percentage itself is compared as it is. */
    if (!condition->percent || !reading_info(condition->reading)->has_limit)
        return comparison_holds(value, condition->comparison, condition->value);
    if (limit == READING_UNLIMITED)
        return is_below(condition->comparison);
    return compare_share(value, limit, condition->comparison, condition->value);
}

static const char *format_value(enum Measure measure, int64_t value, char *buf, size_t size)
{
    if (value != READING_UNLIMITED)
        return measure_format(measure, value, buf, size);
    snprintf(buf, size, "%s", measure == MEASURE_SECONDS ? "never" : "unlimited");
    return buf;
}

static const char *format_threshold(const struct Condition *condition, char *buf, size_t size)
{
    enum Measure measure = reading_info(condition->reading)->measure;

    if (condition->percent && measure != MEASURE_PERCENT)
        snprintf(buf, size, "%" PRId64 "%%", condition->value);
    else if (measure == MEASURE_RATE) /* the value beside it says that it is per second */
        snprintf(buf, size, "%" PRId64, condition->value);
    else
        measure_format(measure, condition->value, buf, size);
    return buf;
}

static int64_t percent_of(int64_t value, int64_t limit)
{
    int64_t product;

    if (!__builtin_mul_overflow(value, 100, &product))
        return product / limit;
    return limit >= 100 ? value / (limit / 100) : INT64_MAX;
}

const char *condition_evidence(const struct Condition *condition, const struct Readings *readings, char *buf,
                               size_t size)
{
    const struct ReadingInfo *info = reading_info(condition->reading);
    int64_t value = readings->value[condition->reading], limit = readings->limit[condition->reading];
    char text[MEASURE_FORMAT_MAX], threshold[MEASURE_FORMAT_MAX], whole[MEASURE_FORMAT_MAX];
    char share[MEASURE_FORMAT_MAX + 32] = "";

    if (!readings->valid[condition->reading]) {
        snprintf(buf, size, "%s not known", info->name);
        return buf;
    }
    if (info->has_limit && limit > 0 && limit != READING_UNLIMITED)
        snprintf(share, sizeof(share), " of %s, %" PRId64 "%%",
                 measure_format(info->measure, limit, whole, sizeof(whole)), percent_of(value, limit));
    snprintf(buf, size, "%s %s%s (%s %s)", info->name, format_value(info->measure, value, text, sizeof(text)),
             share, comparison_text(condition->comparison),
             format_threshold(condition, threshold, sizeof(threshold)));
    return buf;
}
