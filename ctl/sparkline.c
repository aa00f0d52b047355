/* See sparkline.h. */
#include "ctl/sparkline.h"

#include <stdio.h>
#include <string.h>

#define LEVELS 8

static size_t level(int64_t value, int64_t least, int64_t greatest)
{
    /* of values that may be as far apart as int64_t reaches */
    long double share = greatest > least ? ((long double)value - (long double)least) /
                                               ((long double)greatest - (long double)least)
                                         : 0;

    return (size_t)(share * (LEVELS - 1) + 0.5L);
}

const char *sparkline(const int64_t *values, size_t n, bool utf8, char *buf, size_t size)
{
    static const char *const blocks[LEVELS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const plain[LEVELS] = {"_", ".", ":", "-", "=", "+", "*", "#"};
    int64_t least = n > 0 ? values[0] : 0, greatest = least;
    size_t used = 0;

    for (size_t i = 1; i < n; i++) {
        least = values[i] < least ? values[i] : least;
        greatest = values[i] > greatest ? values[i] : greatest;
    }
    buf[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        const char *bar = (utf8 ? blocks : plain)[level(values[i], least, greatest)];

        if (used + strlen(bar) >= size)
            break;
        used += (size_t)snprintf(buf + used, size - used, "%s", bar);
    }
    return buf;
}
