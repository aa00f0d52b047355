#include "base/usec.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

usec_t usec_add(usec_t a, usec_t b)
{
    return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}

usec_t usec_shift(usec_t a, unsigned shift)
{
    if (a == 0)
        return 0;
    if (shift >= 64 || a > (USEC_INFINITY >> shift))
        return USEC_INFINITY;
    return a << shift;
}

/* Longest names first where one is a prefix of another. */
static const struct {
    const char *name;
    usec_t usec;
} units[] = {
    {"weeks", 7 * 24 * USEC_PER_HOUR},
    {"week", 7 * 24 * USEC_PER_HOUR},
    {"days", 24 * USEC_PER_HOUR},
    {"day", 24 * USEC_PER_HOUR},
    {"hours", USEC_PER_HOUR},
    {"hour", USEC_PER_HOUR},
    {"minutes", USEC_PER_MINUTE},
    {"minute", USEC_PER_MINUTE},
    {"seconds", USEC_PER_SEC},
    {"second", USEC_PER_SEC},
    {"msec", USEC_PER_MSEC},
    {"usec", 1},
    {"min", USEC_PER_MINUTE},
    {"sec", USEC_PER_SEC},
    {"ms", USEC_PER_MSEC},
    {"us", 1},
    {"hr", USEC_PER_HOUR},
    {"w", 7 * 24 * USEC_PER_HOUR},
    {"d", 24 * USEC_PER_HOUR},
    {"h", USEC_PER_HOUR},
    {"m", USEC_PER_MINUTE},
    {"s", USEC_PER_SEC},
};

/* The unit at `text`, which must end there in a letterless place; seconds when there is none. */
static int parse_unit(const char *text, usec_t *ret_usec, const char **ret_end)
{
    size_t length = 0;

    while (isalpha((unsigned char)text[length]))
        length++;
    *ret_end = text + length;
    if (length == 0) {
        *ret_usec = USEC_PER_SEC;
        return 0;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strlen(units[i].name) == length && strncmp(units[i].name, text, length) == 0) {
            *ret_usec = units[i].usec;
            return 0;
        }
    return -EINVAL;
}

int usec_parse(const char *text, usec_t *ret_usec)
{
    usec_t sum = 0;
    const char *p = text + strspn(text, " \t");

    if (strcmp(p, "infinity") == 0) {
        *ret_usec = USEC_INFINITY;
        return 0;
    }
    if (*p == '\0')
        return -EINVAL;
    while (*p != '\0') {
        unsigned long long number;
        usec_t unit;
        char *end;

        if (!isdigit((unsigned char)*p))
            return -EINVAL;
        errno = 0;
        number = strtoull(p, &end, 10);
        if (errno != 0 || parse_unit(end, &unit, &p) < 0 || number > USEC_INFINITY / unit)
            return -EINVAL;
        sum = usec_add(sum, number * unit);
        p += strspn(p, " \t");
    }
    *ret_usec = sum;
    return 0;
}

const char *usec_format(usec_t usec, char *buf, size_t size)
{
    static const struct {
        const char *name;
        usec_t usec;
    } shown[] = {{"d", 24 * USEC_PER_HOUR}, {"h", USEC_PER_HOUR},  {"min", USEC_PER_MINUTE},
                 {"s", USEC_PER_SEC},       {"ms", USEC_PER_MSEC}, {"us", 1}};
    size_t used = 0;
    unsigned parts = 0;

    if (usec == USEC_INFINITY) {
        snprintf(buf, size, "infinity");
        return buf;
    }
    snprintf(buf, size, "0");
    /* What nobody reads: milliseconds from ten seconds on, microseconds from a millisecond on. */
    if (usec >= 10 * USEC_PER_SEC)
        usec -= usec % USEC_PER_SEC;
    else if (usec >= USEC_PER_MSEC)
        usec -= usec % USEC_PER_MSEC;
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]) && parts < 2 && used < size; i++) {
        usec_t count = usec / shown[i].usec;
        int n;

        if (count == 0)
            continue;
        n = snprintf(buf + used, size - used, "%s%" PRIu64 "%s", parts > 0 ? " " : "", count, shown[i].name);
        used += n > 0 ? (size_t)n : 0;
        usec %= shown[i].usec;
        parts++;
    }
    return buf;
}
