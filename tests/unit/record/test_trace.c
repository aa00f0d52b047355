/* The trace: entries as bytes and as JSON and back, a ring that wraps, damage, and no allocation. */
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
#include "record/trace.h"

static _Thread_local size_t allocations;

#ifdef __SANITIZE_ADDRESS__
/* <sanitizer/allocator_interface.h>, which not every gcc package has */
int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void *, size_t),
                                              void (*free_hook)(const volatile void *));

static void on_malloc(const volatile void *pointer, size_t size)
{
    allocations++;
}

static void on_free(const volatile void *pointer)
{
}

static void count_allocations(void)
{
    assert_true(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0);
}
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);

#define EXPORTED __attribute__((visibility("default")))

EXPORTED void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

EXPORTED void *calloc(size_t n, size_t size)
{
    allocations++;
    return __libc_calloc(n, size);
}

static void count_allocations(void)
{
}
#endif

#define SIZE ((size_t)512 * 1024)

struct Ground {
    struct Trace trace;
    struct Registry registry;
    struct KillBudget budget;
    struct Offences offences;
    struct Config config, *current;
    struct Rule rule;
    struct TenantClass class;
    struct Tenant *tenant;
    usec_t offset;
};

static char config_text[] = "[Rule r]\nWhen=tasks.denied > 0\nSteps=kill\n";

static struct Tenant *make_tenant(struct Ground *ground)
{
    struct Tenant *tenant = calloc(1, sizeof(*tenant));

    tenant->cgroup.id = 42;
    tenant->cgroup.path = strdup("jobs/a");
    tenant->class = &ground->class;
    tenant->condition.holders = 1;
    tenant->condition.rules[0] = (struct RuleState){.phase = PHASE_STANDING,
                                                    .began_usec = 7,
                                                    .until_since_usec = USEC_INFINITY,
                                                    .stall_since_usec = USEC_INFINITY,
                                                    .repeats = 3};
    tenant->readings.valid[READING_TASKS_CURRENT] = tenant->readings.valid[READING_TASKS_GROWTH] = true;
    tenant->readings.value[READING_TASKS_CURRENT] = 1000;
    tenant->readings.limit[READING_TASKS_CURRENT] = 2048;
    tenant->readings.value[READING_TASKS_GROWTH] = -5;
    tenant->readings.limit[READING_TASKS_GROWTH] = READING_UNLIMITED;
    snprintf(tenant->name, sizeof(tenant->name), "jobs/a");
    snprintf(tenant->protected_by, sizeof(tenant->protected_by), "job*");
    return tenant;
}

static struct Ground *open_ground(size_t size)
{
    struct Ground *ground = calloc(1, sizeof(*ground));
    struct Tenant *tenant;

    ground->current = &ground->config;
    ground->config.text = config_text;
    snprintf(ground->rule.name, sizeof(ground->rule.name), "r");
    snprintf(ground->class.name, sizeof(ground->class.name), "jobs");
    ground->class.rules[0] = &ground->rule;
    ground->class.n_rules = 1;
    ground->tenant = tenant = make_tenant(ground);
    HASH_ADD(hh, ground->registry.tenants, cgroup.id, sizeof(tenant->cgroup.id), tenant);
    ground->offences.list[3] = (struct Offence){.name = "jobs/a", .rule = "r", .count = 2, .last_usec = 5};
    ground->budget.spent_usec[2] = 9;
    ground->budget.next = 3;
    assert_int_equal(
        trace_open(&ground->trace, size,
                   &(struct TraceSources){.registry = &ground->registry,
                                          .budget = &ground->budget,
                                          .offences = &ground->offences,
                                          .config = (const struct Config *const *)&ground->current,
                                          .realtime_offset_usec = &ground->offset}),
        0);
    return ground;
}

static void close_ground(struct Ground *ground)
{
    trace_close(&ground->trace);
    HASH_CLEAR(hh, ground->registry.tenants);
    free(ground->tenant->cgroup.path);
    free(ground->tenant);
    free(ground);
}

/* Reads all entries; how many of each kind. */
static void count_kinds(const struct TraceCopy *copy, size_t counts[TRACE_COUNT], struct TraceEntry *ret_last)
{
    memset(counts, 0, TRACE_COUNT * sizeof(counts[0]));
    for (size_t at = 0; at < copy->size;) {
        ssize_t n = trace_entry_read(copy->bytes + at, copy->size - at, ret_last);

        assert_true(n > 0);
        counts[ret_last->kind]++;
        at += (size_t)n;
    }
}

static void assert_same(const struct TraceEntry *a, const struct TraceEntry *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->at_usec, b->at_usec);
    assert_int_equal(a->tenant_id, b->tenant_id);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->path, b->path);
    assert_int_equal(a->n_rules, b->n_rules);
    assert_memory_equal(a->rules, b->rules, sizeof(a->rules));
    assert_memory_equal(&a->standing, &b->standing, sizeof(a->standing));
    for (int id = 0; id < READING_COUNT; id++) {
        assert_int_equal(a->readings.valid[id], b->readings.valid[id]);
        assert_int_equal(a->readings.value[id], b->readings.value[id]);
        assert_int_equal(a->readings.limit[id], b->readings.limit[id]);
    }
    assert_memory_equal(&a->decision, &b->decision, sizeof(a->decision));
    assert_int_equal(a->result, b->result);
    assert_int_equal(a->fed, b->fed);
    assert_memory_equal(&a->budget, &b->budget, sizeof(a->budget));
    assert_int_equal(a->count, b->count);
}

/* Bytes -> entry -> JSON -> entry is the same. */
static void assert_survives_json(struct TraceEntry *entry)
{
    struct TraceEntry *again = calloc(1, sizeof(*again));
    sd_json_variant *object = NULL, *parsed = NULL;
    const char *field = NULL;
    char *text = NULL;

    assert_int_equal(trace_entry_make(entry, &object), 0);
    assert_true(sd_json_variant_format(object, 0, &text) >= 0);
    assert_true(sd_json_parse(text, 0, &parsed, NULL, NULL) >= 0);
    assert_int_equal(trace_entry_parse(parsed, again, &field), 0);
    assert_same(entry, again);
    sd_json_variant_unref(object);
    sd_json_variant_unref(parsed);
    free(text);
    free(again);
}

static void an_entry_is_the_same_in_every_form(void **state)
{
    struct Decision decision = {.verb = VERB_FREEZE,
                                .cause = CAUSE_RULE,
                                .limit = LIMIT_TASKS_MAX,
                                .resource = RESOURCE_INVALID,
                                .rule = "r",
                                .at_usec = 12,
                                .reason = "tasks.denied 1 (> 0)"};
    static const enum TraceKind kinds[] = {TRACE_CONFIG, TRACE_BUDGET,   TRACE_OFFENCE, TRACE_TENANT,
                                           TRACE_LOOK,   TRACE_DECISION, TRACE_OUTCOME};
    struct Ground *ground = open_ground(SIZE);
    struct TraceEntry entry;
    struct TraceCopy copy;
    size_t n_entries = 0;

    trace_begin(&ground->trace, 10);
    trace_look(&ground->trace, ground->tenant, 11);
    trace_decision(&ground->trace, ground->tenant, &decision, 12);
    trace_outcome(&ground->trace, ground->tenant, &decision, RESULT_DONE, true, 13);
    assert_int_equal(trace_copy(&ground->trace, &copy), 0);
    assert_false(copy.partial);
    for (size_t at = 0; at < copy.size;) {
        ssize_t n = trace_entry_read(copy.bytes + at, copy.size - at, &entry);

        assert_true(n > 0);
        assert_int_equal(entry.kind, kinds[n_entries++]); /* what is held goes before what is not */
        assert_survives_json(&entry);
        at += (size_t)n;
    }
    assert_int_equal(entry.kind, TRACE_OUTCOME);
    assert_int_equal(entry.result, RESULT_DONE);
    assert_int_equal(entry.at_usec, 13);
    trace_copy_free(&copy);
    trace_look(&ground->trace, ground->tenant, 14);
    assert_int_equal(trace_copy(&ground->trace, &copy), 0);
    for (size_t at = 0; at < copy.size;)
        at += (size_t)trace_entry_read(copy.bytes + at, copy.size - at, &entry);
    assert_int_equal(entry.kind, TRACE_LOOK); /* also of who copies it before anything else is told */
    assert_int_equal(entry.at_usec, 14);
    trace_copy_free(&copy);
    close_ground(ground);
}

static void what_is_left_begins_with_the_state(void **state)
{
    struct Ground *ground = open_ground(SIZE);
    size_t counts[TRACE_COUNT];
    struct TraceEntry last, first;
    struct TraceCopy copy;

    trace_begin(&ground->trace, 1);
    for (usec_t now = 2; now < 60000; now++)
        trace_look(&ground->trace, ground->tenant, now);
    assert_int_equal(trace_copy(&ground->trace, &copy), 0);
    count_kinds(&copy, counts, &last);
    assert_true(trace_entry_read(copy.bytes, copy.size, &first) > 0);
    assert_int_equal(first.kind, TRACE_CONFIG);
    assert_int_equal(first.text_size, strlen(config_text));
    assert_true(first.at_usec > 2); /* it went round */
    assert_int_equal(counts[TRACE_CONFIG], 1);
    assert_int_equal(counts[TRACE_BUDGET], 1);
    assert_int_equal(counts[TRACE_OFFENCE], 1);
    assert_int_equal(counts[TRACE_TENANT], TRACE_SEGMENTS); /* in each before it is spoken of */
    assert_true(counts[TRACE_LOOK] > 1000);
    assert_int_equal(last.at_usec, 59999); /* the newest is never lost */
    assert_true(copy.size <= SIZE);
    trace_copy_free(&copy);
    close_ground(ground);
}

/* What is said of a tenant stands behind its state; of who is at peace nothing is said. */
static void who_is_at_peace_is_not_in_it(void **state)
{
    struct Ground *ground = open_ground(SIZE);
    struct Tenant *quiet = make_tenant(ground);
    size_t counts[TRACE_COUNT];
    struct TraceEntry last;
    struct TraceCopy copy;

    quiet->cgroup.id = 43;
    HASH_ADD(hh, ground->registry.tenants, cgroup.id, sizeof(quiet->cgroup.id), quiet);
    trace_begin(&ground->trace, 1);
    trace_gone(&ground->trace, quiet, 2);
    trace_reset(&ground->trace, ground->tenant, 3);
    assert_int_equal(trace_copy(&ground->trace, &copy), 0);
    count_kinds(&copy, counts, &last);
    assert_int_equal(counts[TRACE_TENANT], 1);
    assert_int_equal(counts[TRACE_GONE], 0);
    assert_int_equal(last.kind, TRACE_RESET);
    assert_int_equal(last.tenant_id, 42);
    trace_copy_free(&copy);
    trace_gone(&ground->trace, ground->tenant, 4);
    assert_int_equal(trace_copy(&ground->trace, &copy), 0);
    count_kinds(&copy, counts, &last);
    assert_int_equal(counts[TRACE_GONE], 1);
    trace_copy_free(&copy);
    HASH_DEL(ground->registry.tenants, quiet);
    free(quiet->cgroup.path);
    free(quiet);
    close_ground(ground);
}

/* Another TraceSize=: what a tenant remembers is of the ring before. */
static void another_ring_knows_nobody(void **state)
{
    struct Ground *ground = open_ground(SIZE);
    const struct TraceSources from = ground->trace.from;
    size_t counts[TRACE_COUNT];
    struct TraceEntry last;
    struct TraceCopy copy;

    trace_begin(&ground->trace, 1);
    trace_look(&ground->trace, ground->tenant, 2);
    trace_close(&ground->trace);
    assert_int_equal(trace_open(&ground->trace, 2 * SIZE, &from), 0);
    trace_begin(&ground->trace, 3);
    trace_look(&ground->trace, ground->tenant, 4);
    assert_int_equal(trace_copy(&ground->trace, &copy), 0);
    count_kinds(&copy, counts, &last);
    assert_int_equal(counts[TRACE_TENANT], 1);
    trace_copy_free(&copy);
    close_ground(ground);
}

static void a_reload_is_told(void **state)
{
    struct Ground *ground = open_ground(SIZE);
    size_t counts[TRACE_COUNT];
    struct TraceEntry last;
    struct TraceCopy copy;

    trace_begin(&ground->trace, 1);
    trace_look(&ground->trace, ground->tenant, 2);
    trace_begin(&ground->trace, 3);
    trace_look(&ground->trace, ground->tenant, 4);
    assert_int_equal(trace_copy(&ground->trace, &copy), 0);
    count_kinds(&copy, counts, &last);
    assert_int_equal(counts[TRACE_CONFIG], 2);
    assert_int_equal(counts[TRACE_LOOK], 2);
    trace_copy_free(&copy);
    close_ground(ground);
}

static void recording_allocates_nothing(void **state)
{
    struct Ground *ground = open_ground(SIZE);
    struct Decision decision = {.verb = VERB_FREEZE, .rule = "r"};
    size_t before;

    trace_begin(&ground->trace, 1);
    before = allocations;
    for (usec_t now = 2; now < 30000; now++) {
        trace_look(&ground->trace, ground->tenant, now);
        trace_decision(&ground->trace, ground->tenant, &decision, now);
        trace_outcome(&ground->trace, ground->tenant, &decision, RESULT_DONE, true, now);
    }
    assert_int_equal(allocations, before);
    free(strdup("something"));
    assert_true(allocations > before); /* the counter counts */
    close_ground(ground);
}

static void off_is_off(void **state)
{
    struct Ground *ground = open_ground(0);
    struct TraceCopy copy;

    trace_begin(&ground->trace, 1);
    trace_look(&ground->trace, ground->tenant, 2);
    assert_int_equal(trace_copy(&ground->trace, &copy), -ENODATA);
    trace_look(NULL, ground->tenant, 2);
    close_ground(ground);
}

/* Whatever bytes there are: an error, or an entry, and never more than there is. */
static void damage_is_refused(void **state)
{
    struct Ground *ground = open_ground(SIZE);
    struct TraceEntry entry;
    struct TraceCopy copy;

    trace_begin(&ground->trace, 1);
    trace_look(&ground->trace, ground->tenant, 2);
    assert_int_equal(trace_copy(&ground->trace, &copy), 0);
    for (size_t size = 0; size < copy.size; size++) {
        uint8_t *cut = malloc(size + 1); /* so that a byte too far is seen */
        ssize_t n;

        memcpy(cut, copy.bytes, size);
        n = trace_entry_read(cut, size, &entry);
        assert_true(n == -EBADMSG || (n > 0 && (size_t)n <= size));
        free(cut);
    }
    for (size_t at = 0; at < copy.size; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            ssize_t n;

            copy.bytes[at] ^= (uint8_t)(1u << bit);
            n = trace_entry_read(copy.bytes, copy.size, &entry);
            assert_true(n == -EBADMSG || (n > 0 && (size_t)n <= copy.size));
            copy.bytes[at] ^= (uint8_t)(1u << bit);
        }
    trace_copy_free(&copy);
    close_ground(ground);
}

static void wrong_json_names_its_field(void **state)
{
    static const struct {
        const char *text, *field;
    } wrong[] = {
        {"{}", "kind"},
        {"{\"kind\":\"bomb\"}", "kind"},
        {"{\"kind\":\"look\",\"atUsec\":-1}", "atUsec"},
        {"{\"kind\":\"look\",\"atUsec\":\"now\"}", "atUsec"},
        {"{\"kind\":\"tenant\",\"atUsec\":1,\"cgroupId\":1}", "name"},
        {"{\"kind\":\"look\",\"readings\":{\"tasks.curent\":[1]}}", "readings"},
        {"{\"kind\":\"look\",\"readings\":{\"tasks.current\":[\"1\"]}}", "tasks.current"},
        {"{\"kind\":\"look\",\"readings\":[]}", "readings"},
        {"{\"kind\":\"decision\",\"verb\":\"bite\"}", "verb"},
        {"{\"kind\":\"decision\",\"verb\":\"kill\",\"cause\":\"rule\",\"holder\":99}", "holder"},
        {"{\"kind\":\"tenant\",\"name\":\"a\",\"path\":\"a\",\"rules\":[{\"rule\":\"r\",\"phase\":\"idle\","
         "\"step\":8}]}",
         "step"},
        {"{\"kind\":\"tenant\",\"name\":\"a\",\"path\":\"a\",\"rules\":[1]}", "rules"},
        {"{\"kind\":\"budget\",\"next\":64}", "next"},
        {"{\"kind\":\"config\",\"text\":1}", "text"},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        sd_json_variant *object = NULL;
        struct TraceEntry entry;
        const char *field = NULL;

        assert_true(sd_json_parse(wrong[i].text, 0, &object, NULL, NULL) >= 0);
        assert_int_equal(trace_entry_parse(object, &entry, &field), -EBADMSG);
        assert_string_equal(field, wrong[i].field);
        sd_json_variant_unref(object);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_the_same_in_every_form),
        cmocka_unit_test(what_is_left_begins_with_the_state),
        cmocka_unit_test(who_is_at_peace_is_not_in_it),
        cmocka_unit_test(another_ring_knows_nobody),
        cmocka_unit_test(a_reload_is_told),
        cmocka_unit_test(recording_allocates_nothing),
        cmocka_unit_test(off_is_off),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(wrong_json_names_its_field),
    };

    count_allocations();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
