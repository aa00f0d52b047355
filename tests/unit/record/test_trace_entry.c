/* Entries of a trace, of every kind: whole in each form, and refused where a byte, a field or memory is
 * missing. */
#include "failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/coder.h"
#include "record/trace_entry.h"

static const struct Decision decision = {.verb = VERB_KILL,
                                         .cause = CAUSE_RULE,
                                         .resource = RESOURCE_MEMORY,
                                         .holder = 3,
                                         .rule = "r",
                                         .at_usec = 12,
                                         .withheld = true,
                                         .percent = 50,
                                         .reason = "tasks.denied 1 (> 0)"};

/* With something in every field. */
static void make_entry(enum TraceKind kind, struct TraceEntry *ret)
{
    *ret = (struct TraceEntry){.kind = kind,
                               .at_usec = 300,
                               .realtime_usec = 1u << 30,
                               .tenant_id = 42,
                               .name = "docker/\xff",
                               .path = "system.slice/docker.scope",
                               .class = "containers",
                               .standing = {.holders = 3,
                                            .throttles = {1, 2, 4, 8},
                                            .memory_slowed = true,
                                            .under_way = VERB_FREEZE,
                                            .untouchable = true,
                                            .released = true,
                                            .exempt = true,
                                            .oom_preference = OOM_PREFERENCE_OMIT,
                                            .protected_by = "job*"},
                               .n_rules = 2,
                               .election = "first of two",
                               .rule = "host",
                               .scope = 2049,
                               .began_usec = 17,
                               .elected_usec = USEC_INFINITY,
                               .vain = true,
                               .withdrawn = true,
                               .decision = decision,
                               .result = RESULT_DONE,
                               .fed = true,
                               .count = 200,
                               .last_usec = 21,
                               .budget = {.spent_usec = {0, 9}, .next = 2},
                               .text = "[Rule r]\n",
                               .text_size = 9};
    for (size_t i = 0; i < ret->n_rules; i++) {
        snprintf(ret->rules[i].name, sizeof(ret->rules[i].name), "rule-%zu", i);
        ret->rules[i].state =
            (struct RuleState){.phase = PHASE_STANDING, .step = 7, .killed = i > 0, .repeats = 3};
    }
    for (int id = 0; id < READING_COUNT; id += 2) {
        ret->readings.valid[id] = true;
        ret->readings.value[id] = id % 4 ? -id : INT64_MAX;
        ret->readings.limit[id] = id % 3 ? id % 5 - 2 : READING_UNLIMITED;
    }
}

/* What is kept of it, as a text. */
static char *shown(struct TraceEntry *entry)
{
    sd_json_variant *object = NULL;
    char *text = NULL;

    assert_int_equal(trace_entry_make(entry, &object), 0);
    assert_true(sd_json_variant_format(object, 0, &text) >= 0);
    sd_json_variant_unref(object);
    return text;
}

static void assert_same(struct TraceEntry *a, struct TraceEntry *b)
{
    char *of_a = shown(a), *of_b = shown(b);

    assert_string_equal(of_a, of_b);
    free(of_a);
    free(of_b);
}

static void assert_survives(struct TraceEntry *entry)
{
    struct TraceEntry *again = calloc(1, sizeof(*again));
    uint8_t bytes[TRACE_ENTRY_MAX];
    ssize_t n = trace_entry_write(entry, bytes, sizeof(bytes));
    sd_json_variant *object = NULL;
    const char *field;

    assert_true(n > 0);
    assert_int_equal(trace_entry_read(bytes, (size_t)n, again), n);
    assert_same(entry, again);
    assert_int_equal(trace_entry_make(entry, &object), 0);
    assert_int_equal(trace_entry_parse(object, again, &field), 0);
    assert_same(entry, again);
    sd_json_variant_unref(object);
    free(again);
}

static void whole_in_every_form(void **state)
{
    for (int kind = 0; kind < TRACE_COUNT; kind++) {
        struct TraceEntry entry;

        make_entry(kind, &entry);
        assert_survives(&entry);
        entry.n_rules = 0;
        entry.budget = (struct KillBudget){0};
        entry.standing = (struct TraceStanding){.under_way = -1};
        assert_survives(&entry);
    }
}

/* Of a limit that is negative, too, and of one that is none. */
static void readings_survive(void **state)
{
    struct TraceEntry entry, again;
    uint8_t bytes[TRACE_ENTRY_MAX];
    ssize_t n;

    make_entry(TRACE_LOOK, &entry);
    n = trace_entry_write(&entry, bytes, sizeof(bytes));
    assert_int_equal(trace_entry_read(bytes, (size_t)n, &again), n);
    for (int id = 0; id < READING_COUNT; id++) {
        bool limited = entry.readings.valid[id] && reading_info((enum ReadingId)id)->has_limit;

        assert_int_equal(again.readings.valid[id], entry.readings.valid[id]);
        assert_int_equal(again.readings.value[id], entry.readings.value[id]);
        assert_true(again.readings.limit[id] == (limited ? entry.readings.limit[id] : READING_UNLIMITED));
    }
}

/* As bytes, with whatever room there is but too little: no byte is written behind it, and none read. */
static void cut_at_every_length(void **state)
{
    for (int kind = 0; kind < TRACE_COUNT; kind++) {
        uint8_t bytes[TRACE_ENTRY_MAX];
        struct TraceEntry entry, again;
        ssize_t n;

        make_entry(kind, &entry);
        n = trace_entry_write(&entry, bytes, sizeof(bytes));
        for (ssize_t size = 0; size < n; size++) {
            uint8_t *cut = malloc((size_t)size + 1);

            cut[size] = 0xa5;
            assert_int_equal(trace_entry_write(&entry, cut, (size_t)size), -ENOSPC);
            assert_int_equal(cut[size], 0xa5);
            cut = realloc(cut, (size_t)size > 0 ? (size_t)size : 1); /* so that a byte too far is seen */
            memcpy(cut, bytes, (size_t)size);
            assert_int_equal(trace_entry_read(cut, (size_t)size, &again), -EBADMSG);
            free(cut);
        }
    }
}

static void changed_at_every_bit(void **state)
{
    for (int kind = 0; kind < TRACE_COUNT; kind++) {
        uint8_t bytes[TRACE_ENTRY_MAX];
        struct TraceEntry entry, again;
        ssize_t n;

        make_entry(kind, &entry);
        n = trace_entry_write(&entry, bytes, sizeof(bytes));
        for (ssize_t at = 0; at < n; at++)
            for (unsigned bit = 0; bit < 8; bit++) {
                ssize_t r;

                bytes[at] ^= (uint8_t)(1u << bit);
                r = trace_entry_read(bytes, (size_t)n, &again);
                assert_true(r == -EBADMSG || (r > 0 && r <= n));
                bytes[at] ^= (uint8_t)(1u << bit);
            }
    }
}

/* Whichever allocation fails, there is no object, and none that has half of it. */
static void made_whole_or_not_at_all(void **state)
{
    for (int kind = 0; kind < TRACE_COUNT; kind++) {
        struct TraceEntry entry;

        make_entry(kind, &entry);
        EACH_FAILURE(nth, ANY_ALLOCATION, ENOMEM)
        {
            sd_json_variant *object = NULL;
            int r = trace_entry_make(&entry, &object);

            if (!call_failed()) {
                assert_int_equal(r, 0);
                assert_true(nth > 1);
                sd_json_variant_unref(object);
                break;
            }
            assert_int_equal(r, -ENOMEM);
            assert_null(object);
        }
    }
}

/* --- field by field --------------------------------------------------------------------------------- */

#define DECISION "{\"kind\":\"decision\",\"verb\":\"kill\",\"cause\":\"rule\""
#define TENANT "{\"kind\":\"tenant\",\"name\":\"a\",\"path\":\"a\""
#define LOOK "{\"kind\":\"look\",\"readings\":"
#define RULE "{\"rule\":\"r\",\"phase\":\"idle\"}"
#define RULES_4 RULE "," RULE "," RULE "," RULE

static int parse(const char *text, struct TraceEntry *ret, const char **ret_field)
{
    sd_json_variant *object = NULL;
    int r;

    assert_true(sd_json_parse(text, 0, &object, NULL, NULL) >= 0);
    r = trace_entry_parse(object, ret, ret_field);
    sd_json_variant_unref(object);
    return r;
}

static void wrong_json_names_its_field(void **state)
{
    static const struct {
        const char *text, *field;
    } wrong[] = {
        {"{\"kind\":7}", "kind"},
        {DECISION ",\"percent\":4294967296}", "percent"},
        {DECISION ",\"withheld\":1}", "withheld"},
        {DECISION ",\"decidedUsec\":\"now\"}", "decidedUsec"},
        {DECISION ",\"rule\":\"a-name-that-is-longer-than-any-rule-of-guardd-may-have-it-and-then-some\"}",
         "rule"},
        {"{\"kind\":\"decision\",\"cause\":\"rule\"}", "verb"},
        {"{\"kind\":\"decision\",\"verb\":\"kill\"}", "cause"},
        {"{\"kind\":\"outcome\",\"verb\":\"kill\",\"cause\":\"rule\"}", "result"},
        {"{\"kind\":\"host\"}", "rule"},
        {TENANT ",\"rules\":{}}", "rules"},
        {TENANT ",\"rules\":[{}]}", "rule"},
        {TENANT ",\"rules\":[{\"rule\":\"r\"}]}", "phase"},
        {TENANT ",\"rules\":[" RULES_4 "," RULES_4 "," RULES_4 "," RULES_4 "," RULE "]}", "rules"},
        {LOOK "7}", "readings"},
        {LOOK "{\"tasks.current\":7}}", "readings"},
        {LOOK "{\"tasks.current\":[]}}", "readings"},
        {LOOK "{\"tasks.current\":[1,2,3]}}", "readings"},
        {LOOK "{\"tasks.current\":[\"1\",\"2\"],\"tasks.none\":[1]}}", "tasks.current"},
        {LOOK "{\"tasks.current\":[1,\"2\"]}}", "tasks.current"},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct TraceEntry entry;
        const char *field = NULL;

        assert_int_equal(parse(wrong[i].text, &entry, &field), -EBADMSG);
        assert_string_equal(field, wrong[i].field);
    }
}

/* What is left out is as if it were not so. */
static void fields_that_are_left_out(void **state)
{
    struct TraceEntry entry;
    const char *field;

    assert_int_equal(parse(DECISION ",\"withheld\":false}", &entry, &field), 0);
    assert_false(entry.decision.withheld);
    assert_true(entry.decision.at_usec == USEC_INFINITY);
    assert_int_equal(entry.decision.resource, -1);
    assert_int_equal(
        parse(TENANT ",\"rules\":[" RULES_4 "," RULES_4 "," RULES_4 "," RULES_4 "]}", &entry, &field), 0);
    assert_int_equal(entry.n_rules, POLICY_CLASS_RULES_MAX);
    assert_int_equal(entry.standing.under_way, -1);
    assert_int_equal(entry.standing.oom_preference, OOM_PREFERENCE_NONE);
}

/* A decision without a verb, or with one that nobody has, is written by no guardd; and what makes no sense is
 * refused before it is written, too. */
static void wrong_entry_is_not_written(void **state)
{
    uint8_t bytes[TRACE_ENTRY_MAX];
    struct TraceEntry entry;

    make_entry(TRACE_DECISION, &entry);
    entry.decision.holder = HOLDER_COUNT;
    assert_int_equal(trace_entry_write(&entry, bytes, sizeof(bytes)), -EBADMSG);
    make_entry(TRACE_OUTCOME, &entry);
    entry.result = -1;
    assert_int_equal(trace_entry_write(&entry, bytes, sizeof(bytes)), -EBADMSG);
    make_entry(TRACE_TENANT, &entry);
    entry.rules[0].state.phase = (enum RulePhase) - 1;
    assert_int_equal(trace_entry_write(&entry, bytes, sizeof(bytes)), -EBADMSG);
}

/* --- the coder itself ------------------------------------------------------------------------------- */

/* A number of more than 64 bits, and one that is just as long as it may be. */
static void numbers_of_any_length(void **state)
{
    uint8_t bytes[11];
    uint64_t value;
    struct Coder coder;

    memset(bytes, 0xff, sizeof(bytes));
    coder = coder_read(bytes, sizeof(bytes));
    coder_number(&coder, "n", &value);
    assert_int_equal(coder.error, -EBADMSG);
    assert_string_equal(coder.field, "n");
    bytes[9] = 1;
    coder = coder_read(bytes, sizeof(bytes));
    coder_number(&coder, "n", &value);
    assert_int_equal(coder.error, 0);
    assert_true(value == UINT64_MAX);
    assert_int_equal(coder.at, 10);
}

/* More fields than it has room for. */
static void object_that_is_full(void **state)
{
    struct Coder coder = coder_make();
    sd_json_variant *object = NULL;
    uint64_t value = 1;

    for (int i = 0; i < CODER_PAIRS_MAX / 2; i++)
        coder_number(&coder, "n", &value);
    assert_int_equal(coder.error, 0);
    coder_number(&coder, "last", &value);
    assert_int_equal(coder.error, -ENOMEM);
    assert_string_equal(coder.field, "last");
    assert_int_equal(coder_made(&coder, &object), -ENOMEM);
    assert_null(object);
}

static uint64_t a_number;
static uint32_t a_u32;
static size_t a_size;
static bool a_flag;
static usec_t a_usec;
static int a_choice;
static char a_text[8];
static const char *a_span = "";
static struct Readings some_readings;

static const char *name_choice(int value)
{
    return value == 0 ? "zero" : "one";
}

static void code_number(struct Coder *coder, void *item)
{
    coder_number(coder, "n", item);
}

static void code_all(struct Coder *coder)
{
    coder_number(coder, "number", &a_number);
    coder_u32(coder, "u32", &a_u32);
    coder_size(coder, "size", &a_size, 10);
    coder_flag(coder, "flag", &a_flag);
    coder_usec(coder, "usec", &a_usec);
    coder_choice(coder, "choice", &a_choice, 2, name_choice);
    coder_text(coder, "text", a_text, sizeof(a_text));
    coder_span(coder, "span", &a_span, &a_size);
    coder_list(coder, "list", &a_size, 1, &a_number, sizeof(a_number), code_number);
    coder_readings(coder, "readings", &some_readings);
}

/* Everything behind the first error is passed over, in each of the ways. */
static void nothing_behind_an_error(void **state)
{
    uint8_t bytes[64];
    struct Coder ways[] = {coder_write(bytes, sizeof(bytes)), coder_read(bytes, sizeof(bytes)), coder_make(),
                           coder_parse(NULL)};

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        coder_refuse(&ways[i], "first");
        code_all(&ways[i]);
        assert_int_equal(ways[i].error, -EBADMSG);
        assert_string_equal(ways[i].field, "first");
        assert_int_equal(ways[i].at + ways[i].n_pairs, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_in_every_form),      cmocka_unit_test(readings_survive),
        cmocka_unit_test(cut_at_every_length),      cmocka_unit_test(changed_at_every_bit),
        cmocka_unit_test(made_whole_or_not_at_all), cmocka_unit_test(wrong_json_names_its_field),
        cmocka_unit_test(fields_that_are_left_out), cmocka_unit_test(wrong_entry_is_not_written),
        cmocka_unit_test(numbers_of_any_length),    cmocka_unit_test(object_that_is_full),
        cmocka_unit_test(nothing_behind_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
