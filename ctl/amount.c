/* See amount.h. What this guardctl does not know by name is written by the unit that guardd gives. */
#include "ctl/amount.h"

#include <stdio.h>
#include <string.h>

#include "base/size.h"
#include "ctl/reply.h"
#include "model/limit.h"
#include "model/reading.h"

const char *amount_bytes(sd_json_variant *object, const char *key, const char *otherwise, char *buf,
                         size_t size)
{
    uint64_t bytes;

    return reply_unsigned(object, key, &bytes) ? size_format_bytes(bytes, buf, size) : otherwise;
}

const char *amount_files(sd_json_variant *object, const char *key, const char *otherwise, char *buf,
                         size_t size)
{
    uint64_t count;

    return reply_unsigned(object, key, &count) ? size_format_count(count, buf, size) : otherwise;
}

const char *amount_bits(sd_json_variant *object, const char *key, const char *otherwise, char *buf,
                        size_t size)
{
    int64_t bits;

    return reply_number(object, key, &bits) ? measure_format(MEASURE_BITS_PER_SEC, bits, buf, size)
                                            : otherwise;
}

static const char *by_limit(sd_json_variant *limit, sd_json_variant *object, const char *key,
                            const char *otherwise, char *buf, size_t size)
{
    enum LimitId id = limit_from_directive(reply_text_or(limit, "name", ""));
    enum Measure measure = measure_from_name(reply_text_or(limit, "unit", "count"));
    int64_t value;

    if (measure == MEASURE_BYTES)
        return amount_bytes(object, key, otherwise, buf, size);
    if (measure == MEASURE_PERCENT || measure == MEASURE_BITS_PER_SEC)
        return reply_number(object, key, &value) ? measure_format(measure, value, buf, size) : otherwise;
    if (id != LIMIT_INVALID && limit_is_rate(id))
        return reply_number(object, key, &value) ? limit_format(id, (uint64_t)value, buf, size) : otherwise;
    if (id != LIMIT_INVALID && limit_is_quota(id))
        return amount_files(object, key, otherwise, buf, size);
    return reply_digits(object, key, otherwise, buf, size);
}

const char *amount_limit(sd_json_variant *limit, const char *key, const char *otherwise, char *buf,
                         size_t size)
{
    sd_json_variant *value = reply_object(limit, key);

    return value ? by_limit(limit, value, "value", "infinity", buf, size) : otherwise;
}

const char *amount_limit_used(sd_json_variant *limit, const char *otherwise, char *buf, size_t size)
{
    return by_limit(limit, limit, "used", otherwise, buf, size);
}

static bool counts_files(enum ReadingId id)
{
    return id == READING_DISK_INODES || id == READING_HOST_DISK_INODES;
}

const char *amount_reading(sd_json_variant *reading, const char *otherwise, char *buf, size_t size)
{
    enum ReadingId id = reading_from_name(reply_text_or(reading, "name", ""));
    char digits[REPLY_DIGITS_MAX];
    const char *number = reply_digits(reading, "value", NULL, digits, sizeof(digits));
    int64_t value;

    if (!number)
        return otherwise;
    if (id != READING_INVALID && counts_files(id))
        return amount_files(reading, "value", number, buf, size);
    if (id != READING_INVALID && reply_number(reading, "value", &value))
        return measure_format(reading_info(id)->measure, value, buf, size);
    snprintf(buf, size, "%s%.8s", number, reply_text_or(reading, "unit", ""));
    return buf;
}

const char *amount_percent(sd_json_variant *object, const char *used_key, const char *limit_key, char *buf,
                           size_t size)
{
    int64_t used, limit;

    if (!reply_number(object, used_key, &used) || !reply_number(object, limit_key, &limit) || limit <= 0)
        return "";
    snprintf(buf, size, "%.0f%%", (double)(int64_t)(100.0 * (double)used / (double)limit));
    return buf;
}
