#include "model/measure.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/size.h"
#include "base/usec.h"

static const char *const names[] = {
    [MEASURE_COUNT] = "count",           [MEASURE_BYTES] = "bytes",     [MEASURE_RATE] = "rate",
    [MEASURE_BYTES_PER_SEC] = "bytes/s", [MEASURE_SECONDS] = "seconds",
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
    case MEASURE_RATE:
        snprintf(buf, size, "%" PRId64 "/s", value);
        break;
    default:
        snprintf(buf, size, "%" PRId64, value);
    }
    return buf;
}
