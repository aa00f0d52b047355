/* An amount is digits, perhaps a point and more digits, and a suffix that says how often a step of 1024 or
 * 1000 is taken. What stands behind the point is added up digit by digit from the last one, so that neither
 * floating point nor the number of digits decides what comes out. */
#include "base/size.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DIGITS "0123456789"
#define BYTES_STEP 1024
#define COUNT_STEP 1000

/* 1, and the step once for each letter up to this one; 0: it is no suffix. Both fit for every letter. */
static uint64_t suffix_unit(char letter, uint64_t step)
{
    const char *known = "KMGTPE", *at = strchr(known, toupper((unsigned char)letter));
    uint64_t unit = step;

    if (letter == '\0' || !at)
        return 0;
    for (; at > known; at--)
        unit *= step;
    return unit;
}

/* All that stands behind the number. */
static bool parse_suffix(const char *text, uint64_t step, uint64_t *ret_unit)
{
    uint64_t unit = suffix_unit(text[0], step);

    text += unit > 0;
    if (text[0] != '\0' &&
        !(step == BYTES_STEP && (strcmp(text, "B") == 0 || (unit > 0 && strcmp(text, "iB") == 0))))
        return false;
    *ret_unit = unit > 0 ? unit : 1;
    return true;
}

static bool parse_digits(const char *text, size_t length, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (size_t i = 0; i < length; i++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text[i] - '0', &value))
            return false;
    *ret_value = value;
    return length > 0;
}

/* What the digits behind the point are of a unit, rounded down: 512 for "5" of 1024. No sum is above ten
 * units, which fits. */
static uint64_t fraction_of(const char *digits, size_t count, uint64_t unit, bool *ret_whole)
{
    uint64_t part = 0;

    *ret_whole = true;
    while (count > 0) {
        part += (uint64_t)(digits[--count] - '0') * unit;
        *ret_whole &= part % 10 == 0;
        part /= 10;
    }
    return part;
}

static bool parse(const char *text, uint64_t step, uint64_t *ret_value)
{
    const size_t digits = strspn(text, DIGITS);
    const char *point = text + digits;
    const size_t decimals = *point == '.' ? strspn(point + 1, DIGITS) : 0;
    uint64_t value, unit, part;
    bool whole;

    if (!parse_digits(text, digits, &value) || (*point == '.' && decimals == 0) ||
        !parse_suffix(*point == '.' ? point + 1 + decimals : point, step, &unit))
        return false;
    part = fraction_of(point + 1, decimals, unit, &whole);
    if (!whole && (step == COUNT_STEP || unit == 1))
        return false;
    if (__builtin_mul_overflow(value, unit, &value) || __builtin_add_overflow(value, part, &value))
        return false;
    *ret_value = value;
    return true;
}

bool size_parse_bytes(const char *text, uint64_t *ret_bytes)
{
    return parse(text, BYTES_STEP, ret_bytes);
}

bool size_parse_count(const char *text, uint64_t *ret_count)
{
    return parse(text, COUNT_STEP, ret_count);
}

/* Three digits that tell something, and none behind the point that tell nothing. The point is a point in
 * every locale. */
static const char *format(uint64_t value, unsigned step, const char *suffixes, char *buf, size_t size)
{
    double scaled = (double)value;
    unsigned tenths[] = {1, 10, 100}, decimals, shown;

    if (value < 10 * (uint64_t)step) {
        snprintf(buf, size, "%" PRIu64, value);
        return buf;
    }
    for (scaled /= step; scaled >= step * 0.9995; suffixes++) /* no number is beyond E */
        scaled /= step;
    decimals = scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0;
    shown = (unsigned)(scaled * tenths[decimals] + 0.5);
    for (; decimals > 0 && shown % 10 == 0; decimals--)
        shown /= 10;
    if (decimals > 0)
        snprintf(buf, size, "%u.%0*u%c", shown / tenths[decimals], (int)decimals, shown % tenths[decimals],
                 suffixes[0]);
    else
        snprintf(buf, size, "%u%c", shown, suffixes[0]);
    return buf;
}

const char *size_format_bytes(uint64_t bytes, char *buf, size_t size)
{
    return format(bytes, BYTES_STEP, "KMGTPE", buf, size);
}

const char *size_format_count(uint64_t count, char *buf, size_t size)
{
    return format(count, COUNT_STEP, "kMGTPE", buf, size);
}
