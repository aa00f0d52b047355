/* See entry.h. What cannot be read is left out: an older or newer guardd may have written it. */
#include "ctl/entry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/usec.h"
#include "ctl/terminal.h"
#include "model/measure.h"
#include "model/reading.h"
#include "wire/text.h"

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)
#define FIELD_NAME_MAX 64

static void free_text(void *element)
{
    free(*(char **)element);
}

static const UT_icd text_icd = {sizeof(char *), NULL, NULL, free_text};

void entry_init(struct Entry *entry)
{
    utarray_init(&entry->fields, &text_icd);
}

void entry_clear(struct Entry *entry)
{
    utarray_clear(&entry->fields);
}

void entry_done(struct Entry *entry)
{
    utarray_done(&entry->fields);
}

void entry_add(struct Entry *entry, const void *data, size_t length)
{
    char *text = have_memory(strndup(data, length));

    utarray_push_back(&entry->fields, &text);
}

const char *entry_text_at(const struct Entry *entry, const char *name, size_t index)
{
    size_t length = strlen(name);

    for (char **field = NULL; (field = (char **)utarray_next(&entry->fields, field));)
        if (strncmp(*field, name, length) == 0 && (*field)[length] == '=' && index-- == 0)
            return *field + length + 1;
    return NULL;
}

const char *entry_text(const struct Entry *entry, const char *name)
{
    return entry_text_at(entry, name, 0);
}

/* --- numbers ---------------------------------------------------------------------------------------- */

static bool to_signed(const char *text, int64_t *ret)
{
    char *end;
    long long value;

    if (!text)
        return false;
    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || (*end != '\0' && *end != '%'))
        return false;
    *ret = (int64_t)value;
    return true;
}

static bool to_unsigned(const char *text, uint64_t *ret)
{
    char *end;
    unsigned long long value;

    if (!text || text[0] == '-')
        return false;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0')
        return false;
    *ret = (uint64_t)value;
    return true;
}

/* --- what an object has of the entry ---------------------------------------------------------------- */

/* Each adds a field to `*object`, which may be NULL yet, when the entry has it. */
static void have(int r)
{
    if (r < 0)
        have_memory(NULL);
}

static void put(sd_json_variant **object, const char *key, sd_json_variant *value)
{
    have(sd_json_variant_set_field(object, key, value));
}

static void put_text(sd_json_variant **object, const char *key, const char *text)
{
    _cleanup_json_ sd_json_variant *value = NULL;

    if (!text)
        return;
    have(sd_json_build(&value, WIRE_BUILD_TEXT(text)));
    put(object, key, value);
}

static void put_unsigned(sd_json_variant **object, const char *key, const char *text)
{
    uint64_t number;

    if (to_unsigned(text, &number))
        have(sd_json_variant_set_field_unsigned(object, key, number));
}

static void put_signed(sd_json_variant **object, const char *key, const char *text)
{
    int64_t number;

    if (to_signed(text, &number))
        have(sd_json_variant_set_field_integer(object, key, number));
}

/* The value of the field whose name has `which` in its middle: GUARDD_WHEN_VALUE. */
static const char *part(const struct Entry *entry, const char *which, const char *suffix)
{
    char name[FIELD_NAME_MAX];

    snprintf(name, sizeof(name), "GUARDD_%s%s", which, suffix);
    return entry_text(entry, name);
}

/* "2000:1200 0:900" */
static void put_series(sd_json_variant **object, const char *text)
{
    _cleanup_json_ sd_json_variant *list = NULL;

    while (text && *text != '\0') {
        uint64_t age;
        int64_t value;
        int n = 0;

        if (sscanf(text, "%" SCNu64 ":%" SCNd64 "%n", &age, &value, &n) < 2 || n == 0 ||
            age > INT64_MAX / 1000)
            break;
        have(sd_json_variant_append_arraybo(&list,
                                            SD_JSON_BUILD_PAIR_UNSIGNED("ageUsec", age * USEC_PER_MSEC),
                                            SD_JSON_BUILD_PAIR_INTEGER("value", value)));
        text += n;
        text += strspn(text, " ");
    }
    if (list)
        put(object, "series", list);
}

static void put_evidence(sd_json_variant **decision, const char *key, const struct Entry *entry,
                         const char *which)
{
    _cleanup_json_ sd_json_variant *object = NULL;
    const char *threshold = part(entry, which, "_THRESHOLD");
    bool share = threshold && strchr(threshold, '%');

    if (!part(entry, which, "_READING"))
        return;
    put_text(&object, "condition", part(entry, which, ""));
    put_text(&object, "reading", part(entry, which, "_READING"));
    put_text(&object, "unit", part(entry, which, "_UNIT"));
    put_signed(&object, "value", part(entry, which, "_VALUE"));
    put_signed(&object, "limit", part(entry, which, "_LIMIT"));
    put_signed(&object, share ? "thresholdPercent" : "threshold", threshold);
    put_series(&object, part(entry, which, "_SERIES"));
    put(decision, key, object);
}

static void put_rank(sd_json_variant **decision, const struct Entry *entry)
{
    _cleanup_json_ sd_json_variant *object = NULL;
    const char *name = entry_text(entry, "GUARDD_RANK");
    enum ReadingId id = name ? reading_from_name(name) : READING_INVALID;

    if (!name)
        return;
    put_text(&object, "reading", name);
    put_text(&object, "unit", id != READING_INVALID ? measure_name(reading_info(id)->measure) : NULL);
    put_signed(&object, "value", entry_text(entry, "GUARDD_RANK_VALUE"));
    put(decision, "rank", object);
}

/* "VALUE;WHY;NAME", where the name may hold anything. */
static void put_rival(sd_json_variant **list, const char *text)
{
    _cleanup_json_ sd_json_variant *object = NULL;
    _cleanup_free_ char *why = NULL, *value = NULL;
    const char *first = strchr(text, ';'), *second = first ? strchr(first + 1, ';') : NULL;

    if (!second)
        return;
    value = have_memory(strndup(text, (size_t)(first - text)));
    why = have_memory(strndup(first + 1, (size_t)(second - first - 1)));
    put_text(&object, "name", second + 1);
    put_signed(&object, "value", value);
    put_text(&object, "why", why[0] != '\0' ? why : NULL);
    have(sd_json_variant_append_array(list, object));
}

static void put_rivals(sd_json_variant **decision, const struct Entry *entry)
{
    _cleanup_json_ sd_json_variant *list = NULL;
    const char *text;

    put_rank(decision, entry);
    for (size_t i = 0; (text = entry_text_at(entry, "GUARDD_PASSED_OVER", i)); i++)
        put_rival(&list, text);
    if (list)
        put(decision, "passedOver", list);
    put_unsigned(decision, "passedOverMore", entry_text(entry, "GUARDD_PASSED_OVER_MORE"));
}

/* {} for infinity, as on the wire */
static void put_value(sd_json_variant **decision, const struct Entry *entry)
{
    _cleanup_json_ sd_json_variant *object = NULL;
    const char *text = entry_text(entry, "GUARDD_VALUE");

    if (!text)
        return;
    have(sd_json_variant_new_object(&object, NULL, 0));
    put_unsigned(&object, "value", text);
    put(decision, "value", object);
}

static void put_decision(sd_json_variant **event, const struct Entry *entry)
{
    _cleanup_json_ sd_json_variant *object = NULL;
    const char *ground = entry_text(entry, "GUARDD_GROUND");

    put_text(&object, "verb", entry_text(entry, "GUARDD_VERB"));
    put_text(&object, "cause", entry_text(entry, "GUARDD_CAUSE"));
    put_text(&object, "rule", entry_text(entry, "GUARDD_RULE"));
    put_unsigned(&object, "uid", entry_text(entry, "GUARDD_OPERATOR_UID"));
    put_text(&object, "limit", entry_text(entry, "GUARDD_LIMIT"));
    put_value(&object, entry);
    put_text(&object, "resource", entry_text(entry, "GUARDD_RESOURCE"));
    put_unsigned(&object, "percent", entry_text(entry, "GUARDD_PERCENT"));
    if (entry_text(entry, "GUARDD_WITHHELD"))
        have(sd_json_variant_set_field_boolean(&object, "withheld", true));
    put_unsigned(&object, "step", entry_text(entry, "GUARDD_STEP"));
    put_unsigned(&object, "steps", entry_text(entry, "GUARDD_STEPS"));
    if (ground)
        have(sd_json_variant_set_field_boolean(&object, "begins", strcmp(ground, "when") == 0));
    put_evidence(&object, "when", entry, "WHEN");
    put_evidence(&object, "until", entry, "UNTIL");
    put_rivals(&object, entry);
    put_text(&object, "reason", entry_text(entry, "GUARDD_REASON"));
    put(event, "decision", object);
}

static void put_outcome(sd_json_variant **event, const struct Entry *entry)
{
    _cleanup_json_ sd_json_variant *object = NULL;

    put_text(&object, "result", entry_text(entry, "GUARDD_RESULT"));
    put_unsigned(&object, "error", entry_text(entry, "ERRNO"));
    put_unsigned(&object, "tookUsec", entry_text(entry, "GUARDD_TOOK_USEC"));
    put_text(&object, "text", entry_text(entry, "GUARDD_RESULT_TEXT"));
    put(event, "outcome", object);
}

/* The command line of who asked is in the journal, for those who may read all of it; it is not told on. */
static void put_request(sd_json_variant **event, const struct Entry *entry)
{
    _cleanup_json_ sd_json_variant *object = NULL;

    put_text(&object, "text", entry_text(entry, "GUARDD_REQUEST"));
    put_unsigned(&object, "uid", entry_text(entry, "GUARDD_OPERATOR_UID"));
    put_text(&object, "name", entry_text(entry, "GUARDD_OPERATOR"));
    put_unsigned(&object, "pid", entry_text(entry, "GUARDD_OPERATOR_PID"));
    put(event, "request", object);
}

static void put_head(sd_json_variant **event, const struct Entry *entry, const char *kind)
{
    put_text(event, "kind", kind);
    put_unsigned(event, "sequence", entry_text(entry, "GUARDD_SEQUENCE"));
    put_unsigned(event, "realtimeUsec", entry_text(entry, "GUARDD_TIME_USEC"));
    put_text(event, "boot", entry_text(entry, "_BOOT_ID"));
    put_text(event, "tenant", entry_text(entry, "GUARDD_TENANT"));
    put_unsigned(event, "cgroupId", entry_text(entry, "GUARDD_CGROUP_ID"));
    put_text(event, "class", entry_text(entry, "GUARDD_CLASS"));
    put_text(event, "path", entry_text(entry, "GUARDD_CGROUP"));
    put_text(event, "action", entry_text(entry, "GUARDD_ACTION"));
    put_unsigned(event, "lost", entry_text(entry, "GUARDD_LOST"));
}

int entry_event(const struct Entry *entry, sd_json_variant **ret)
{
    _cleanup_json_ sd_json_variant *event = NULL;
    const char *kind = entry_text(entry, "GUARDD_EVENT");

    if (!kind)
        return -EBADMSG;
    put_head(&event, entry, kind);
    if (entry_text(entry, "GUARDD_VERB"))
        put_decision(&event, entry);
    if (entry_text(entry, "GUARDD_RESULT"))
        put_outcome(&event, entry);
    if (entry_text(entry, "GUARDD_REQUEST"))
        put_request(&event, entry);
    *ret = take_ptr(event);
    return 0;
}
