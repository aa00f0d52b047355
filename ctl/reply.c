/* See reply.h. */
#include "ctl/reply.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/usec.h"
#include "ctl/terminal.h"

const char *reply_text(sd_json_variant *object, const char *key)
{
    sd_json_variant *v = sd_json_variant_by_key(object, key);

    return v && sd_json_variant_is_string(v) ? sd_json_variant_string(v) : NULL;
}

const char *reply_text_or(sd_json_variant *object, const char *key, const char *otherwise)
{
    const char *text = reply_text(object, key);

    return text ? text : otherwise;
}

sd_json_variant *reply_object(sd_json_variant *object, const char *key)
{
    sd_json_variant *v = sd_json_variant_by_key(object, key);

    return v && sd_json_variant_is_object(v) ? v : NULL;
}

sd_json_variant *reply_item(sd_json_variant *object, const char *key, size_t index)
{
    sd_json_variant *v = sd_json_variant_by_key(object, key);

    if (!v || !sd_json_variant_is_array(v) || index >= sd_json_variant_elements(v))
        return NULL;
    return sd_json_variant_by_index(v, index);
}

bool reply_number(sd_json_variant *object, const char *key, int64_t *ret)
{
    sd_json_variant *v = sd_json_variant_by_key(object, key);

    if (!v || !sd_json_variant_is_integer(v))
        return false;
    *ret = sd_json_variant_integer(v);
    return true;
}

bool reply_unsigned(sd_json_variant *object, const char *key, uint64_t *ret)
{
    sd_json_variant *v = sd_json_variant_by_key(object, key);

    if (!v || !sd_json_variant_is_unsigned(v))
        return false;
    *ret = sd_json_variant_unsigned(v);
    return true;
}

bool reply_flag(sd_json_variant *object, const char *key)
{
    sd_json_variant *v = sd_json_variant_by_key(object, key);

    return v && sd_json_variant_is_boolean(v) && sd_json_variant_boolean(v);
}

const char *reply_digits(sd_json_variant *object, const char *key, const char *otherwise, char *buf,
                         size_t size)
{
    sd_json_variant *v = sd_json_variant_by_key(object, key);

    if (v && sd_json_variant_is_unsigned(v)) /* of which some are no int64_t */
        snprintf(buf, size, "%" PRIu64, sd_json_variant_unsigned(v));
    else if (v && sd_json_variant_is_integer(v))
        snprintf(buf, size, "%" PRId64, sd_json_variant_integer(v));
    else
        return otherwise;
    return buf;
}

const char *reply_duration(sd_json_variant *object, const char *key, char *buf, size_t size)
{
    int64_t usec;

    if (!reply_number(object, key, &usec) || usec < 0)
        return NULL;
    return usec_format((usec_t)usec, buf, size);
}

/* sd-json escapes what is below a space; DEL and C1 (U+0080 to U+009F, in UTF-8 c2 80 to c2 9f) it leaves,
 * and some terminals obey those. They can only stand within a string. */
static void print_escaped(const char *json)
{
    const unsigned char *p = (const unsigned char *)json;

    for (; *p != '\0'; p++)
        if (*p == 0x7f)
            fputs("\\u007f", stdout);
        else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
            printf("\\u%04x", *++p);
        else
            putchar(*p);
}

static void print_json(sd_json_variant *reply, sd_json_format_flags_t flags)
{
    char *formatted = NULL;
    _cleanup_free_ char *text = NULL;

    if (sd_json_variant_format(reply, flags, &formatted) < 0)
        formatted = NULL;
    text = have_memory(formatted);
    print_escaped(text);
}

void reply_print_pretty(sd_json_variant *reply)
{
    print_json(reply, SD_JSON_FORMAT_PRETTY | SD_JSON_FORMAT_NEWLINE);
}

void reply_print_line(sd_json_variant *reply)
{
    print_json(reply, SD_JSON_FORMAT_NEWLINE);
}
