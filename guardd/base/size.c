/* Suffixes are one table a kind. A number is read with its fraction, which must come to whole units: nobody
 * means two and a half bytes. */
#include "base/size.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char suffixes[] = "kMGTPE";

/* How often the step is taken for a suffix letter: 0 for none, -1 when it is none. */
static int suffix_power(char letter)
{
    const char *at;

    if (letter == '\0')
        return 0;
    at = strchr("KMGTPE", toupper((unsigned char)letter));
    return at ? (int)(at - strchr("KMGTPE", 'K')) + 1 : -1;
}

static bool multiply(uint64_t *value, uint64_t step, int power)
{
    for (int i = 0; i < power; i++)
        if (__builtin_mul_overflow(*value, step, value))
            return false;
    return true;
}

static bool take_digits(const char **p, uint64_t *ret_value, unsigned *ret_count)
{
    uint64_t value = 0;
    unsigned count = 0;

    for (; isdigit((unsigned char)**p); (*p)++, count++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, **p - '0', &value))
            return false;
    *ret_value = value;
    *ret_count = count;
    return true;
}

/* What is behind the point, as a number of units: 5 of "1.5k" are 500. */
static bool add_fraction(uint64_t digits, unsigned count, uint64_t unit, uint64_t *value)
{
    uint64_t product;

    for (; count > 0 && digits % 10 == 0; count--)
        digits /= 10;
    if (__builtin_mul_overflow(digits, unit, &product))
        return false;
    for (; count > 0; count--) {
        if (product % 10 != 0 && unit < 1024 * 1024)
            return false;
        product /= 10;
    }
    return !__builtin_add_overflow(*value, product, value);
}

static bool parse(const char *text, uint64_t step, bool bytes, uint64_t *ret_value)
{
    uint64_t value, fraction = 0, unit = 1;
    unsigned digits, decimals = 0;
    int power;

    if (!take_digits(&text, &value, &digits) || digits == 0)
        return false;
    if (*text == '.') {
        text++;
        if (!take_digits(&text, &fraction, &decimals) || decimals == 0)
            return false;
    }
    power = bytes && strcasecmp(text, "B") == 0 ? 0 : suffix_power(*text);
    if (power < 0)
        return false;
    text += power > 0;
    if (*text != '\0' && !(bytes && (strcmp(text, "B") == 0 || (power > 0 && strcmp(text, "iB") == 0))))
        return false;
    if (!multiply(&unit, step, power) || !multiply(&value, step, power) ||
        !add_fraction(fraction, decimals, unit, &value))
        return false;
    *ret_value = value;
    return true;
}

bool size_parse_bytes(const char *text, uint64_t *ret_bytes)
{
    return parse(text, 1024, true, ret_bytes);
}

bool size_parse_count(const char *text, uint64_t *ret_count)
{
    return parse(text, 1000, false, ret_count);
}

/* Three digits that tell something, and none behind the point that tell nothing. */
static const char *format(uint64_t value, unsigned step, char *buf, size_t size)
{
    double scaled = (double)value;
    size_t power = 0, length;

    if (value < 10 * (uint64_t)step) {
        snprintf(buf, size, "%" PRIu64, value);
        return buf;
    }
    while (scaled >= step * 0.9995 && power < sizeof(suffixes) - 1) {
        scaled /= step;
        power++;
    }
    snprintf(buf, size, "%.*f", scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0, scaled);
    length = strlen(buf);
    if (strchr(buf, '.')) {
        while (length > 0 && buf[length - 1] == '0')
            buf[--length] = '\0';
        if (length > 0 && buf[length - 1] == '.')
            buf[--length] = '\0';
    }
    if (length + 1 < size) {
        buf[length] = suffixes[power - 1];
        buf[length + 1] = '\0';
    }
    return buf;
}

const char *size_format_bytes(uint64_t bytes, char *buf, size_t size)
{
    const char *text = format(bytes, 1024, buf, size);
    char *kilo = strchr(buf, 'k');

    if (kilo)
        *kilo = 'K';
    return text;
}

const char *size_format_count(uint64_t count, char *buf, size_t size)
{
    return format(count, 1000, buf, size);
}
