#include "decide/condition.h"

#include <inttypes.h>
#include <stdio.h>

static bool compare(int64_t left, enum Comparison comparison, int64_t right)
{
    switch (comparison) {
    case COMPARISON_ABOVE:
        return left > right;
    case COMPARISON_AT_LEAST:
        return left >= right;
    case COMPARISON_BELOW:
        return left < right;
    case COMPARISON_AT_MOST:
        return left <= right;
    }
    return false;
}

static bool is_below(enum Comparison comparison)
{
    return comparison == COMPARISON_BELOW || comparison == COMPARISON_AT_MOST;
}

bool condition_holds(const struct Condition *condition, const struct Readings *readings)
{
    int64_t value = readings->value[condition->reading];
    int64_t limit = readings->limit[condition->reading];
    int64_t left, right;

    if (!readings->valid[condition->reading])
        return false;
    if (!condition->percent)
        return compare(value, condition->comparison, condition->value);
    if (limit == READING_UNLIMITED)
        return is_below(condition->comparison);
    /* Beyond this a product would wrap, and no count of tasks comes near it. */
    if (__builtin_mul_overflow(value, 100, &left) || __builtin_mul_overflow(limit, condition->value, &right))
        return false;
    return compare(left, condition->comparison, right);
}

const char *condition_evidence(const struct Condition *condition, const struct Readings *readings, char *buf,
                               size_t size)
{
    const struct ReadingInfo *info = reading_info(condition->reading);
    int64_t value = readings->value[condition->reading], limit = readings->limit[condition->reading];
    char share[64] = "";

    if (!readings->valid[condition->reading]) {
        snprintf(buf, size, "%s not known", info->name);
        return buf;
    }
    if (limit > 0 && limit != READING_UNLIMITED)
        snprintf(share, sizeof(share), " of %" PRId64 ", %" PRId64 "%%", limit,
                 value > INT64_MAX / 100 ? 0 : value * 100 / limit);
    snprintf(buf, size, "%s %" PRId64 "%s%s (%s %" PRId64 "%s)", info->name, value, info->unit, share,
             comparison_text(condition->comparison), condition->value, condition->percent ? "%" : "");
    return buf;
}
