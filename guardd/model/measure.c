#include "model/measure.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/size.h"
#include "base/usec.h"

static const char *const names[] = {
    [MEASURE_COUNT] = "count",           [MEASURE_BYTES] = "bytes",     [MEASURE_RATE] = "rate",
    [MEASURE_BYTES_PER_SEC] = "bytes/s", [MEASURE_SECONDS] = "seconds", [MEASURE_PERCENT] = "percent",
    [MEASURE_BITS_PER_SEC] = "bits/s",
};

const char *measure_name(enum Measure measure)
{
    return names[measure];
}

enum Measure measure_from_name(const char *name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return (enum Measure)i;
    return MEASURE_INVALID;
}

/* No more digits behind the point than there are. */
static void format_percent(const char *sign, uint64_t hundredths, char *buf, size_t size)
{
    uint64_t whole = hundredths / 100, part = hundredths % 100;

    if (part == 0)
        snprintf(buf, size, "%s%" PRIu64 "%%", sign, whole);
    else if (part % 10 == 0)
        snprintf(buf, size, "%s%" PRIu64 ".%" PRIu64 "%%", sign, whole, part / 10);
    else
        snprintf(buf, size, "%s%" PRIu64 ".%02" PRIu64 "%%", sign, whole, part);
}

const char *measure_format(enum Measure measure, int64_t value, char *buf, size_t size)
{
    const char *sign = value < 0 ? "-" : "";
    uint64_t amount = value < 0 ? -(uint64_t)value : (uint64_t)value;
    char text[USEC_FORMAT_MAX > SIZE_FORMAT_MAX ? USEC_FORMAT_MAX : SIZE_FORMAT_MAX];

    switch (measure) {
    case MEASURE_BYTES:
        snprintf(buf, size, "%s%s", sign, size_format_bytes(amount, text, sizeof(text)));
        break;
    case MEASURE_BYTES_PER_SEC:
        snprintf(buf, size, "%s%s/s", sign, size_format_bytes(amount, text, sizeof(text)));
        break;
    case MEASURE_SECONDS:
        amount = amount < USEC_INFINITY / USEC_PER_SEC ? amount * USEC_PER_SEC : USEC_INFINITY;
        snprintf(buf, size, "%s%s", sign, usec_format(amount, text, sizeof(text)));
        break;
    case MEASURE_PERCENT:
        format_percent(sign, amount, buf, size);
        break;
    case MEASURE_BITS_PER_SEC:
        snprintf(buf, size, "%s%sbit", sign, size_format_count(amount, text, sizeof(text)));
        break;
    case MEASURE_RATE:
        snprintf(buf, size, "%" PRId64 "/s", value);
        break;
    default:
        snprintf(buf, size, "%" PRId64, value);
    }
    return buf;
}

/* Parses `text` without this at its end, which it may have. */
static bool parse_without(const char *end, bool (*parse)(const char *, uint64_t *), const char *text,
                          uint64_t *ret_amount)
{
    const size_t length = strlen(text), n = strlen(end);
    char copy[MEASURE_FORMAT_MAX];

    if (length < n || strcasecmp(text + length - n, end) != 0)
        return parse(text, ret_amount);
    if (length - n >= sizeof(copy))
        return false;
    memcpy(copy, text, length - n);
    copy[length - n] = '\0';
    return parse(copy, ret_amount);
}

static bool parse_rate(bool (*parse)(const char *, uint64_t *), const char *text, uint64_t *ret_amount)
{
    return parse_without("/s", parse, text, ret_amount);
}

static bool parse_bits(const char *text, uint64_t *ret_amount)
{
    return parse_without("bit", size_parse_count, text, ret_amount);
}

static bool parse_seconds(const char *text, uint64_t *ret_seconds)
{
    usec_t usec;

    if (usec_parse(text, &usec) < 0 || usec == USEC_INFINITY || usec % USEC_PER_SEC != 0)
        return false;
    *ret_seconds = usec / USEC_PER_SEC;
    return true;
}

static bool is_digits(const char *text, size_t n)
{
    return n > 0 && strspn(text, "0123456789") >= n;
}

/* DIGITS[.D[D]]% */
static bool parse_percent(const char *text, uint64_t *ret_hundredths)
{
    size_t length = strlen(text), whole = strcspn(text, ".%"), part = 0;
    uint64_t value = 0;

    if (length < 2 || length > 16 || text[length - 1] != '%' || !is_digits(text, whole))
        return false;
    if (text[whole] == '.') {
        part = length - whole - 2;
        if (part > 2 || !is_digits(text + whole + 1, part))
            return false;
    }
    for (size_t i = 0; i < whole; i++)
        value = value * 10 + (uint64_t)(text[i] - '0');
    for (size_t i = 1; i <= 2; i++)
        value = value * 10 + (i <= part ? (uint64_t)(text[whole + i] - '0') : 0);
    *ret_hundredths = value;
    return true;
}

bool measure_parse(enum Measure measure, const char *text, int64_t *ret_value)
{
    uint64_t amount = 0;
    bool taken = false;

    switch (measure) {
    case MEASURE_COUNT:
        taken = size_parse_count(text, &amount);
        break;
    case MEASURE_BYTES:
        taken = size_parse_bytes(text, &amount);
        break;
    case MEASURE_RATE:
        taken = parse_rate(size_parse_count, text, &amount);
        break;
    case MEASURE_BYTES_PER_SEC:
        taken = parse_rate(size_parse_bytes, text, &amount);
        break;
    case MEASURE_SECONDS:
        taken = parse_seconds(text, &amount);
        break;
    case MEASURE_PERCENT:
        taken = parse_percent(text, &amount);
        break;
    case MEASURE_BITS_PER_SEC:
        taken = parse_rate(parse_bits, text, &amount);
        break;
    case MEASURE_INVALID:
        break;
    }
    if (!taken || amount >= INT64_MAX)
        return false;
    *ret_value = (int64_t)amount;
    return true;
}

const char *measure_format_exact(enum Measure measure, int64_t value, char *buf, size_t size)
{
    int64_t again;

    measure_format(measure, value, buf, size);
    if (!measure_parse(measure, buf, &again) || again != value)
        snprintf(buf, size, "%" PRId64, value);
    return buf;
}
