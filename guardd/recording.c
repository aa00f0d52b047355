/* See recording.h. */
#include "recording.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/error.h"

#define FILE_MAX ((off_t)1024 * 1024 * 1024)
#define LINE_MAX_BYTES ((size_t)2 * 1024 * 1024)

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)

__attribute__((format(printf, 3, 4))) static int refuse(const char *path, char *why, const char *format, ...)
{
    int n = snprintf(why, RECORDING_WHY_MAX, "%.200s", path);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why + n, RECORDING_WHY_MAX - (size_t)n, format, arguments);
    va_end(arguments);
    return -EBADMSG;
}

static int grow(struct Recording *recording, size_t room)
{
    size_t wanted = 2 * recording->allocated + room;
    uint8_t *bytes;
    size_t *offsets;

    if (recording->allocated - recording->size < room) {
        bytes = realloc(recording->bytes, wanted);
        if (!bytes)
            return -ENOMEM;
        recording->bytes = bytes;
        recording->allocated = wanted;
    }
    if (recording->n < recording->n_allocated)
        return 0;
    offsets = reallocarray(recording->offsets, 2 * recording->n_allocated + 64, sizeof(*offsets));
    if (!offsets)
        return -ENOMEM;
    recording->offsets = offsets;
    recording->n_allocated = 2 * recording->n_allocated + 64;
    return 0;
}

static int add(struct Recording *recording, struct TraceEntry *entry)
{
    ssize_t n;
    int r = grow(recording, TRACE_ENTRY_MAX + entry->text_size);

    if (r < 0)
        return r;
    n = trace_entry_write(entry, recording->bytes + recording->size, recording->allocated - recording->size);
    if (n < 0)
        return (int)n;
    recording->offsets[recording->n++] = recording->size;
    recording->size += (size_t)n;
    return 0;
}

static int check_header(struct Recording *recording, sd_json_variant *header, const char *path, char *why)
{
    sd_json_variant *kind = sd_json_variant_by_key(header, "kind");
    sd_json_variant *format = sd_json_variant_by_key(header, "format");
    sd_json_variant *partial = sd_json_variant_by_key(header, "partial");

    if (!kind || !sd_json_variant_is_string(kind) || strcmp(sd_json_variant_string(kind), "trace") != 0)
        return refuse(path, why, ": no trace: its first line is not that of 'guardctl trace save'");
    if (!format || !sd_json_variant_is_unsigned(format) || sd_json_variant_unsigned(format) != TRACE_FORMAT)
        return refuse(path, why, ": its format is not %d, which is what this guardd reads", TRACE_FORMAT);
    recording->partial = partial && sd_json_variant_is_boolean(partial) && sd_json_variant_boolean(partial);
    return 0;
}

static int read_line(struct Recording *recording, const char *line, size_t number, const char *path,
                     char *why)
{
    _cleanup_json_ sd_json_variant *object = NULL;
    struct TraceEntry entry;
    const char *field = NULL;
    unsigned row = 0, column = 0;
    int r = sd_json_parse(line, 0, &object, &row, &column);

    if (r == -ENOMEM)
        return r;
    if (r < 0 || !sd_json_variant_is_object(object))
        return refuse(path, why, ":%zu: no JSON object", number);
    if (number == 1)
        return check_header(recording, object, path, why);
    r = trace_entry_parse(object, &entry, &field);
    if (r == -EBADMSG)
        return refuse(path, why, ":%zu: '%.60s' is missing or wrong", number, field);
    if (r == 0 && recording->n == 0 && entry.kind != TRACE_CONFIG)
        return refuse(path, why, ":%zu: a trace begins with its configuration, and this is '%s'", number,
                      trace_kind_name(entry.kind));
    return r < 0 ? r : add(recording, &entry);
}

static int read_lines(struct Recording *recording, FILE *file, const char *path, char *why)
{
    _cleanup_free_ char *line = NULL;
    size_t size = 0, number = 0;
    ssize_t n;
    int r = 0;

    while (r == 0 && (n = getline(&line, &size, file)) >= 0) {
        number++;
        if ((size_t)n > LINE_MAX_BYTES)
            return refuse(path, why, ":%zu: the line is too long", number);
        if (memchr(line, '\0', (size_t)n))
            return refuse(path, why, ":%zu: it holds a NUL", number);
        if (n == 0 || line[n - 1] != '\n')
            return refuse(path, why, ":%zu: the line is cut off", number);
        r = read_line(recording, line, number, path, why);
    }
    if (r == 0 && ferror(file))
        return negative_errno();
    if (r == 0 && recording->n == 0)
        return refuse(path, why, ": nothing is in it");
    return r;
}

int recording_load(const char *path, struct Recording *ret, char *ret_why)
{
    _cleanup_file_ FILE *file = fopen(path, "re");
    struct stat st;
    int r;

    *ret = (struct Recording){};
    ret_why[0] = '\0';
    if (!file || fstat(fileno(file), &st) < 0)
        r = negative_errno();
    else if (S_ISDIR(st.st_mode))
        r = -EISDIR;
    else if (st.st_size > FILE_MAX)
        r = -EFBIG;
    else
        r = read_lines(ret, file, path, ret_why);
    if (r < 0 && ret_why[0] == '\0')
        snprintf(ret_why, RECORDING_WHY_MAX, "%.200s: it cannot be read: %s", path, strerror(-r));
    return r;
}

void recording_free(struct Recording *recording)
{
    free(recording->bytes);
    free(recording->offsets);
    *recording = (struct Recording){};
}

void recording_get(const struct Recording *recording, size_t index, struct TraceEntry *ret)
{
    size_t offset = recording->offsets[index];

    (void)trace_entry_read(recording->bytes + offset, recording->size - offset, ret);
}
