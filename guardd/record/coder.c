/* See coder.h. Each kind of field has one function with its four ways. */
#include "record/coder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "wire/text.h"

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)

struct Coder coder_write(uint8_t *bytes, size_t size)
{
    return (struct Coder){.way = CODER_WRITE, .bytes = bytes, .size = size};
}

struct Coder coder_read(const uint8_t *bytes, size_t size)
{
    return (struct Coder){.way = CODER_READ, .bytes = (uint8_t *)bytes, .size = size};
}

struct Coder coder_make(void)
{
    return (struct Coder){.way = CODER_MAKE};
}

struct Coder coder_parse(sd_json_variant *object)
{
    return (struct Coder){.way = CODER_PARSE, .object = object};
}

int coder_made(struct Coder *coder, sd_json_variant **ret)
{
    int r = coder->error;

    if (r == 0)
        r = sd_json_variant_new_object(ret, coder->pairs, coder->n_pairs);
    for (size_t i = 0; i < coder->n_pairs; i++)
        sd_json_variant_unref(coder->pairs[i]);
    coder->n_pairs = 0;
    return r < 0 ? r : 0;
}

/* Nobody goes on behind an error: this is the first. */
static void fail(struct Coder *coder, const char *field, int error)
{
    coder->error = error;
    coder->field = field;
}

void coder_refuse(struct Coder *coder, const char *field)
{
    fail(coder, field, -EBADMSG);
}

/* --- bytes ---------------------------------------------------------------------------------------- */

static void put(struct Coder *coder, const char *field, uint64_t value)
{
    do {
        if (coder->error == 0 && coder->at >= coder->size)
            fail(coder, field, -ENOSPC);
        if (coder->error != 0)
            return;
        coder->bytes[coder->at++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value > 0);
}

static uint64_t get(struct Coder *coder, const char *field)
{
    uint64_t value = 0;
    uint8_t byte = 0x80;

    for (unsigned shift = 0; (byte & 0x80) && coder->error == 0; shift += 7) {
        if (shift > 63 || coder->at >= coder->size) {
            coder_refuse(coder, field);
            return 0;
        }
        byte = coder->bytes[coder->at++];
        value |= (uint64_t)(byte & 0x7f) << shift;
    }
    return value;
}

static void put_bytes(struct Coder *coder, const char *field, const char *text, size_t size)
{
    put(coder, field, size);
    if (coder->error == 0 && size > coder->size - coder->at)
        fail(coder, field, -ENOSPC);
    if (coder->error != 0)
        return;
    memcpy(coder->bytes + coder->at, text, size);
    coder->at += size;
}

/* Points into the bytes. */
static const char *get_bytes(struct Coder *coder, const char *field, size_t *ret_size)
{
    uint64_t size = get(coder, field);
    const char *text = (const char *)coder->bytes + coder->at;

    if (coder->error == 0 && size > coder->size - coder->at)
        coder_refuse(coder, field);
    if (coder->error != 0) {
        *ret_size = 0;
        return "";
    }
    coder->at += size;
    *ret_size = size;
    return text;
}

/* Small numbers of either sign are short. */
static uint64_t zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t value)
{
    return (int64_t)((value >> 1) ^ (value & 1 ? UINT64_MAX : 0));
}

/* --- JSON ----------------------------------------------------------------------------------------- */

/* Takes over `value`, which may be NULL, with what came of making it. */
static void add_pair(struct Coder *coder, const char *name, int r, sd_json_variant *value)
{
    _cleanup_json_ sd_json_variant *owned = value, *key = NULL;

    if (r >= 0)
        r = sd_json_variant_new_string(&key, name);
    if (r >= 0 && coder->n_pairs + 2 > CODER_PAIRS_MAX)
        r = -ENOMEM;
    if (r < 0) {
        fail(coder, name, r);
        return;
    }
    coder->pairs[coder->n_pairs++] = take_ptr(key);
    coder->pairs[coder->n_pairs++] = take_ptr(owned);
}

static void make_number(struct Coder *coder, const char *name, uint64_t value)
{
    sd_json_variant *number = NULL;
    int r = sd_json_variant_new_unsigned(&number, value);

    add_pair(coder, name, r, number);
}

static sd_json_variant *field_of(const struct Coder *coder, const char *name)
{
    return sd_json_variant_by_key(coder->object, name);
}

static uint64_t parse_number(struct Coder *coder, const char *name, uint64_t absent)
{
    sd_json_variant *value = field_of(coder, name);

    if (!value)
        return absent;
    if (!sd_json_variant_is_unsigned(value)) {
        coder_refuse(coder, name);
        return absent;
    }
    return sd_json_variant_unsigned(value);
}

/* --- fields --------------------------------------------------------------------------------------- */

void coder_number(struct Coder *coder, const char *name, uint64_t *value)
{
    if (coder->error != 0)
        return;
    switch (coder->way) {
    case CODER_WRITE:
        put(coder, name, *value);
        break;
    case CODER_READ:
        *value = get(coder, name);
        break;
    case CODER_MAKE:
        if (*value != 0)
            make_number(coder, name, *value);
        break;
    default: /* CODER_PARSE */
        *value = parse_number(coder, name, 0);
        break;
    }
}

void coder_u32(struct Coder *coder, const char *name, uint32_t *value)
{
    uint64_t wide = *value;

    coder_number(coder, name, &wide);
    if (wide > UINT32_MAX)
        coder_refuse(coder, name);
    else
        *value = (uint32_t)wide;
}

void coder_size(struct Coder *coder, const char *name, size_t *value, size_t max)
{
    uint64_t wide = *value;

    coder_number(coder, name, &wide);
    if (wide > max)
        coder_refuse(coder, name);
    else
        *value = wide;
}

static bool parse_flag(struct Coder *coder, const char *name)
{
    sd_json_variant *value = field_of(coder, name);

    if (!value)
        return false;
    if (!sd_json_variant_is_boolean(value)) {
        coder_refuse(coder, name);
        return false;
    }
    return sd_json_variant_boolean(value);
}

static void make_flag(struct Coder *coder, const char *name)
{
    sd_json_variant *flag = NULL;
    int r = sd_json_variant_new_boolean(&flag, true);

    add_pair(coder, name, r, flag);
}

void coder_flag(struct Coder *coder, const char *name, bool *value)
{
    uint64_t number = *value;

    if (coder->error != 0)
        return;
    if (coder->way == CODER_PARSE) {
        *value = parse_flag(coder, name);
    } else if (coder->way == CODER_MAKE) {
        if (*value)
            make_flag(coder, name);
    } else {
        coder_number(coder, name, &number);
        *value = number != 0;
    }
}

void coder_usec(struct Coder *coder, const char *name, usec_t *value)
{
    if (coder->error != 0)
        return;
    switch (coder->way) {
    case CODER_WRITE:
        put(coder, name, *value + 1); /* wraps to 0 for USEC_INFINITY */
        break;
    case CODER_READ:
        *value = get(coder, name) - 1;
        break;
    case CODER_MAKE:
        if (*value != USEC_INFINITY)
            make_number(coder, name, *value);
        break;
    default: /* CODER_PARSE */
        *value = parse_number(coder, name, USEC_INFINITY);
        break;
    }
}

static int parse_choice(struct Coder *coder, const char *name, int count, const char *(*name_of)(int))
{
    sd_json_variant *value = field_of(coder, name);

    if (!value)
        return -1;
    for (int i = 0; sd_json_variant_is_string(value) && i < count; i++)
        if (strcmp(name_of(i), sd_json_variant_string(value)) == 0)
            return i;
    coder_refuse(coder, name);
    return -1;
}

static void make_text(struct Coder *coder, const char *name, const char *text)
{
    sd_json_variant *string = NULL;
    int r = wire_text_build(&string, name, (void *)text);

    add_pair(coder, name, r, string);
}

void coder_choice(struct Coder *coder, const char *name, int *value, int count, const char *(*name_of)(int))
{
    uint64_t number;

    if (coder->error != 0)
        return;
    switch (coder->way) {
    case CODER_WRITE:
        put(coder, name, (uint64_t)*value + 1);
        break;
    case CODER_READ:
        number = get(coder, name);
        if (number > (uint64_t)count)
            coder_refuse(coder, name);
        else
            *value = (int)number - 1;
        break;
    case CODER_MAKE:
        if (*value >= 0)
            make_text(coder, name, name_of(*value));
        break;
    default: /* CODER_PARSE */
        *value = parse_choice(coder, name, count, name_of);
        break;
    }
}

static const char *parse_text(struct Coder *coder, const char *name, size_t *ret_size)
{
    sd_json_variant *value = field_of(coder, name);

    *ret_size = 0;
    if (value && !sd_json_variant_is_string(value))
        coder_refuse(coder, name);
    if (!value || coder->error != 0)
        return "";
    *ret_size = strlen(sd_json_variant_string(value));
    return sd_json_variant_string(value);
}

static void take_text(struct Coder *coder, const char *name, const char *from, size_t n, char *text,
                      size_t size)
{
    if (n >= size || memchr(from, '\0', n))
        coder_refuse(coder, name);
    if (coder->error != 0)
        return;
    memcpy(text, from, n);
    text[n] = '\0';
}

void coder_text(struct Coder *coder, const char *name, char *text, size_t size)
{
    const char *from;
    size_t n;

    if (coder->error != 0)
        return;
    switch (coder->way) {
    case CODER_WRITE:
        put_bytes(coder, name, text, strnlen(text, size - 1));
        break;
    case CODER_MAKE:
        if (text[0] != '\0')
            make_text(coder, name, text);
        break;
    default:
        from = coder->way == CODER_READ ? get_bytes(coder, name, &n) : parse_text(coder, name, &n);
        take_text(coder, name, from, n, text, size);
        break;
    }
}

void coder_span(struct Coder *coder, const char *name, const char **text, size_t *size)
{
    sd_json_variant *string = NULL;
    int r;

    if (coder->error != 0)
        return;
    switch (coder->way) {
    case CODER_WRITE:
        put_bytes(coder, name, *text, *size);
        break;
    case CODER_READ:
        *text = get_bytes(coder, name, size);
        break;
    case CODER_MAKE:
        r = sd_json_variant_new_stringn(&string, *text, *size);
        add_pair(coder, name, r, string);
        break;
    default: /* CODER_PARSE */
        *text = parse_text(coder, name, size);
        break;
    }
}

/* --- lists ---------------------------------------------------------------------------------------- */

static void make_list(struct Coder *coder, const char *name, size_t n, char *items, size_t item_size,
                      void (*each)(struct Coder *coder, void *item))
{
    sd_json_variant *list = NULL;
    int r = sd_json_variant_new_array(&list, NULL, 0);

    for (size_t i = 0; r >= 0 && i < n; i++) {
        _cleanup_json_ sd_json_variant *element = NULL;
        struct Coder inner = coder_make();

        each(&inner, items + i * item_size);
        r = coder_made(&inner, &element);
        if (r >= 0)
            r = sd_json_variant_append_array(&list, element);
    }
    add_pair(coder, name, r, list);
}

static void parse_list(struct Coder *coder, const char *name, size_t *n, size_t max, char *items,
                       size_t item_size, void (*each)(struct Coder *coder, void *item))
{
    sd_json_variant *list = field_of(coder, name);

    *n = 0;
    if (list && (!sd_json_variant_is_array(list) || sd_json_variant_elements(list) > max))
        coder_refuse(coder, name);
    for (size_t i = 0; list && coder->error == 0 && i < sd_json_variant_elements(list); i++) {
        struct Coder inner = coder_parse(sd_json_variant_by_index(list, i));

        if (!sd_json_variant_is_object(inner.object))
            coder_refuse(coder, name);
        else
            each(&inner, items + i * item_size);
        if (inner.error != 0)
            fail(coder, inner.field, inner.error);
        *n = i + 1;
    }
}

void coder_list(struct Coder *coder, const char *name, size_t *n, size_t max, void *items, size_t item_size,
                void (*each)(struct Coder *coder, void *item))
{
    if (coder->error != 0)
        return;
    if (coder->way == CODER_PARSE) {
        parse_list(coder, name, n, max, items, item_size, each);
    } else if (coder->way == CODER_MAKE) {
        if (*n > 0)
            make_list(coder, name, *n, items, item_size, each);
    } else {
        coder_size(coder, name, n, max);
        for (size_t i = 0; coder->error == 0 && i < *n; i++)
            each(coder, (char *)items + i * item_size);
    }
}

/* --- readings ------------------------------------------------------------------------------------- */

_Static_assert(READING_COUNT <= 64, "the readings that are valid are the bits of one number");

static void write_readings(struct Coder *coder, const char *name, const struct Readings *readings)
{
    uint64_t valid = 0;

    for (int id = 0; id < READING_COUNT; id++)
        valid |= (uint64_t)readings->valid[id] << id;
    put(coder, name, valid);
    for (int id = 0; id < READING_COUNT; id++) {
        if (!readings->valid[id])
            continue;
        put(coder, name, zigzag(readings->value[id]));
        if (reading_info((enum ReadingId)id)->has_limit)
            put(coder, name, readings->limit[id] == READING_UNLIMITED ? 0 : zigzag(readings->limit[id]) + 1);
    }
}

static void read_readings(struct Coder *coder, const char *name, struct Readings *readings)
{
    uint64_t valid = get(coder, name), limit;

    for (int id = 0; id < READING_COUNT; id++) {
        readings->valid[id] = (valid >> id) & 1;
        readings->limit[id] = READING_UNLIMITED;
        if (!readings->valid[id])
            continue;
        readings->value[id] = unzigzag(get(coder, name));
        limit = reading_info((enum ReadingId)id)->has_limit ? get(coder, name) : 0;
        if (limit > 0)
            readings->limit[id] = unzigzag(limit - 1);
    }
}

static void make_readings(struct Coder *coder, const char *name, const struct Readings *readings)
{
    sd_json_variant *object = NULL;
    int r = sd_json_variant_new_object(&object, NULL, 0);

    for (int id = 0; r >= 0 && id < READING_COUNT; id++) {
        const struct ReadingInfo *info = reading_info((enum ReadingId)id);
        bool limited = info->has_limit && readings->limit[id] != READING_UNLIMITED;
        _cleanup_json_ sd_json_variant *pair = NULL;

        if (!readings->valid[id])
            continue;
        r = sd_json_buildo(
            &pair,
            SD_JSON_BUILD_PAIR(info->name, SD_JSON_BUILD_ARRAY(SD_JSON_BUILD_INTEGER(readings->value[id]))));
        if (r >= 0 && limited) {
            pair = sd_json_variant_unref(pair);
            r = sd_json_buildo(
                &pair, SD_JSON_BUILD_PAIR(info->name,
                                          SD_JSON_BUILD_ARRAY(SD_JSON_BUILD_INTEGER(readings->value[id]),
                                                              SD_JSON_BUILD_INTEGER(readings->limit[id]))));
        }
        if (r >= 0)
            r = sd_json_variant_merge_object(&object, pair);
    }
    add_pair(coder, name, r, object);
}

static void parse_reading(struct Coder *coder, const char *name, sd_json_variant *pair,
                          struct Readings *readings)
{
    enum ReadingId id = reading_from_name(name);
    size_t n = sd_json_variant_is_array(pair) ? sd_json_variant_elements(pair) : 0;

    if (id == READING_INVALID || n < 1 || n > 2) {
        coder_refuse(coder, "readings");
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (!sd_json_variant_is_integer(sd_json_variant_by_index(pair, i))) {
            coder_refuse(coder, reading_info(id)->name);
            return;
        }
    readings->valid[id] = true;
    readings->value[id] = sd_json_variant_integer(sd_json_variant_by_index(pair, 0));
    if (n > 1)
        readings->limit[id] = sd_json_variant_integer(sd_json_variant_by_index(pair, 1));
}

static void parse_readings(struct Coder *coder, const char *name, struct Readings *readings)
{
    sd_json_variant *object = field_of(coder, name);

    for (int id = 0; id < READING_COUNT; id++) {
        readings->valid[id] = false;
        readings->limit[id] = READING_UNLIMITED;
    }
    if (object && !sd_json_variant_is_object(object))
        coder_refuse(coder, name);
    for (size_t i = 0; object && coder->error == 0 && i + 1 < sd_json_variant_elements(object); i += 2)
        parse_reading(coder, sd_json_variant_string(sd_json_variant_by_index(object, i)),
                      sd_json_variant_by_index(object, i + 1), readings);
}

void coder_readings(struct Coder *coder, const char *name, struct Readings *readings)
{
    if (coder->error != 0)
        return;
    switch (coder->way) {
    case CODER_WRITE:
        write_readings(coder, name, readings);
        break;
    case CODER_READ:
        read_readings(coder, name, readings);
        break;
    case CODER_MAKE:
        make_readings(coder, name, readings);
        break;
    default: /* CODER_PARSE */
        parse_readings(coder, name, readings);
        break;
    }
}
