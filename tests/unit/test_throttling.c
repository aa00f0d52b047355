/* The way of a throttle on made-up files: what is written down before, who holds it, what is given back. The
 * worker is made up here: it writes when the test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "limiting.h"
#include "tests/unit/act/fake_cgroup.h"
#include "throttling.h"

#define NOW (1000 * USEC_PER_SEC)
#define MAX_QUEUE 8

struct Ground {
    struct Ledger ledger;
    struct History history;
    struct Pipeline pipeline;
    struct Rule rules[2];
    struct TenantClass class;
    struct Tenant tenant;
    int dir_fd;
    char directory[64];
    /* the worker's */
    char queue[MAX_QUEUE][THROTTLE_LINE_MAX];
    size_t n_queue, n_written;
    /* outcomes */
    unsigned settled;
    enum Result result, results[2]; /* the last one; and each rule's */
    uint64_t ticket;
    char text[REASON_MAX];
};

int unit_set_limit(struct UnitManager *manager, const char *unit, enum LimitId limit, uint64_t value,
                   uint64_t tenant_id)
{
    return -ENOTCONN;
}

int unit_set_rates(struct UnitManager *manager, const char *unit, enum LimitId limit,
                   const struct UnitDisk *disks, size_t n, uint64_t tenant_id)
{
    return -ENOENT;
}

void unit_tell_freezer(struct UnitManager *manager, const char *unit, bool frozen)
{
}

static usec_t no_clock(void)
{
    return NOW;
}

static void settled(void *userdata, struct Tenant *tenant, const struct Decision *decision,
                    const struct Outcome *outcome, uint64_t ticket, usec_t now)
{
    struct Ground *ground = userdata;

    ground->settled++;
    ground->result = outcome->result;
    ground->ticket = ticket;
    if (decision->holder < 2)
        ground->results[decision->holder] = outcome->result;
    memcpy(ground->text, outcome->text, sizeof(ground->text));
}

static int no_sink(void *userdata, const struct Event *event, uint64_t lost)
{
    return 0;
}

static int write_slowly(void *userdata, struct Tenant *tenant, enum Resource resource, const char *line)
{
    struct Ground *ground = userdata;

    assert_int_equal(resource, RESOURCE_MEMORY);
    assert_true(ground->n_queue < MAX_QUEUE);
    snprintf(ground->queue[ground->n_queue++], THROTTLE_LINE_MAX, "%s", line);
    return 0;
}

static void open_files(struct Ground *ground)
{
    int *files = ground->tenant.cgroup.files;

    files[CGROUP_CPU_MAX] = fake_file("max 100000\n");
    files[CGROUP_MEMORY_HIGH] = fake_file("max\n");
    files[CGROUP_MEMORY_CURRENT] = fake_file("104857600\n");
    files[CGROUP_IO_MAX] = fake_file("");
    ground->tenant.readings.valid[READING_CPU_USAGE] = true;
    ground->tenant.readings.value[READING_CPU_USAGE] = 10000;
}

static void make_class(struct Ground *ground)
{
    ground->class = (struct TenantClass){.n_rules = 2};
    for (unsigned i = 0; i < 2; i++) {
        snprintf(ground->rules[i].name, POLICY_NAME_MAX, "rule%u", i);
        ground->rules[i].resource = RESOURCE_CPU;
        ground->rules[i].n_steps = 1;
        ground->rules[i].steps[0].verb = VERB_THROTTLE;
        ground->class.rules[i] = &ground->rules[i];
    }
    ground->tenant.class = &ground->class;
}

static int set_up(void **state)
{
    struct Ground *ground = calloc(1, sizeof(*ground));
    struct LedgerReport report;

    strcpy(ground->directory, "/tmp/guardd-test-XXXXXX");
    assert_non_null(mkdtemp(ground->directory));
    ground->dir_fd = open(ground->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(ledger_open(&ground->ledger, ground->dir_fd, "ledger", &report), 0);
    assert_int_equal(history_open_sink(&ground->history, 64, no_sink, NULL), 0);
    ground->pipeline = (struct Pipeline){.ledger = &ground->ledger,
                                         .history = &ground->history,
                                         .mode = MODE_ENFORCE,
                                         .clock = no_clock,
                                         .settled = settled,
                                         .userdata = ground};
    ground->tenant.cgroup = fake_cgroup(1);
    ground->tenant.cgroup.dir_fd = ground->dir_fd;
    ground->tenant.cgroup.path = strdup("jobs/a");
    ground->tenant.limits_due_usec = USEC_INFINITY;
    for (unsigned i = 0; i < HOLDER_COUNT; i++)
        ground->tenant.hold_slots[i] = LEDGER_SLOT_NONE;
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        ground->tenant.limit_slots[i] = LEDGER_SLOT_NONE;
    open_files(ground);
    make_class(ground);
    fake_ignore_writes = false;
    *state = ground;
    return 0;
}

static int tear_down(void **state)
{
    struct Ground *ground = *state;

    free(ground->tenant.cgroup.path);
    for (int i = 0; i < CGROUP_FILE_COUNT; i++)
        if (ground->tenant.cgroup.files[i] >= 0)
            close(ground->tenant.cgroup.files[i]);
    fake_cgroup_close(&ground->tenant.cgroup);
    history_close(&ground->history);
    ledger_close(&ground->ledger);
    unlinkat(ground->dir_fd, "ledger", 0);
    close(ground->dir_fd);
    rmdir(ground->directory);
    free(ground);
    return 0;
}

static void carry_out(struct Ground *ground, enum Verb verb, enum Resource resource, unsigned holder,
                      enum Cause cause)
{
    struct Decision decision = {.verb = verb,
                                .cause = cause,
                                .holder = holder,
                                .limit = LIMIT_INVALID,
                                .resource = resource,
                                .percent = 50,
                                .at_usec = NOW};

    if (holder < 2)
        memcpy(decision.rule, ground->rules[holder].name, sizeof(decision.rule));
    pipeline_carry_out(&ground->pipeline, &ground->tenant, &decision, 7, NOW);
}

static void throttle(struct Ground *ground, enum Resource resource, unsigned holder)
{
    carry_out(ground, VERB_THROTTLE, resource, holder, CAUSE_RULE);
}

static void unthrottle(struct Ground *ground, enum Resource resource, unsigned holder)
{
    carry_out(ground, VERB_UNTHROTTLE, resource, holder, CAUSE_RELIEF);
}

static void in_force(struct Ground *ground, enum CgroupFile file, const char *wanted)
{
    char text[256];

    fake_read(ground->tenant.cgroup.files[file], text, sizeof(text));
    text[strcspn(text, "\n")] = '\0';
    assert_string_equal(text, wanted);
}

static void ended(struct Ground *ground, unsigned n, enum Result result, const char *says)
{
    assert_int_equal(ground->settled, n);
    assert_int_equal(ground->result, result);
    assert_non_null(strstr(ground->text, says));
}

static struct LedgerEntry entry_of(struct Ground *ground, enum Resource resource)
{
    struct LedgerEntry entry;

    assert_int_equal(ledger_get(&ground->ledger, ground->tenant.throttles[resource].lines[0].slot, &entry),
                     0);
    return entry;
}

/* The worker's next write, if it has one, and its answer. */
static void work(struct Ground *ground, int error)
{
    assert_true(ground->n_written < ground->n_queue);
    if (error == 0)
        fake_say(ground->tenant.cgroup.files[CGROUP_MEMORY_HIGH], ground->queue[ground->n_written]);
    ground->n_written++;
    throttling_answer(&ground->pipeline, &ground->tenant, RESOURCE_MEMORY, error, NOW + 1);
}

/* --- one holder ------------------------------------------------------------------------------------ */

static void there_and_back(void **state)
{
    struct Ground *ground = *state;
    struct LedgerEntry entry;

    throttle(ground, RESOURCE_CPU, 0);
    ended(ground, 1, RESULT_DONE, "cpu.max 50000 100000, found max 100000");
    assert_int_equal(ground->ticket, 7);
    in_force(ground, CGROUP_CPU_MAX, "50000 100000");
    assert_int_equal(ground->ledger.n_used, 1);
    entry = entry_of(ground, RESOURCE_CPU);
    assert_int_equal(entry.kind, ENTRY_THROTTLE);
    assert_int_equal(entry.phase, ENTRY_STANDING);
    assert_string_equal(entry.found_line, "max 100000");
    assert_string_equal(entry.value_line, "50000 100000");
    assert_string_equal(entry.rule, "rule0");
    assert_string_equal(tenant_state(&ground->tenant), "throttled");
    unthrottle(ground, RESOURCE_CPU, 0);
    ended(ground, 2, RESULT_DONE, "cpu.max max 100000 again");
    in_force(ground, CGROUP_CPU_MAX, "max 100000");
    assert_int_equal(ground->ledger.n_used, 0);
    assert_string_equal(tenant_state(&ground->tenant), "ok");
    unthrottle(ground, RESOURCE_CPU, 0);
    ended(ground, 3, RESULT_SKIPPED, "not throttled");
}

static void of_a_device(void **state)
{
    struct Ground *ground = *state;

    throttle(ground, RESOURCE_IO, 0);
    ended(ground, 1, RESULT_FAILED, "nothing is known");
    assert_int_equal(ground->ledger.n_used, 0);
    ground->tenant.strain.n_devices = 1;
    ground->tenant.strain.devices[0] = (struct DeviceUse){.major = 8, .minor = 16, .wbps = 2000000};
    throttle(ground, RESOURCE_IO, 0);
    ended(ground, 2, RESULT_DONE, "io.max 8:16 ");
    in_force(ground, CGROUP_IO_MAX, "8:16 rbps=65536 wbps=1000000 riops=8 wiops=8");
    /* the device goes: its line is no more, and needs not be given back */
    fake_refuse(ground->tenant.cgroup.files[CGROUP_IO_MAX], ENODEV);
    unthrottle(ground, RESOURCE_IO, 0);
    ended(ground, 3, RESULT_DONE, "again");
    assert_int_equal(ground->ledger.n_used, 0);
}

static void without_a_ledger_nothing_is_written(void **state)
{
    struct Ground *ground = *state;

    ledger_close(&ground->ledger);
    throttle(ground, RESOURCE_CPU, 0);
    ended(ground, 1, RESULT_FAILED, "could not be written down");
    in_force(ground, CGROUP_CPU_MAX, "max 100000");
    assert_false(tenant_is_throttled(&ground->tenant));
}

static void observed(void **state)
{
    struct Ground *ground = *state;

    ground->pipeline.mode = MODE_OBSERVE;
    throttle(ground, RESOURCE_CPU, 0);
    ended(ground, 1, RESULT_OBSERVED, "");
    unthrottle(ground, RESOURCE_CPU, 0);
    ended(ground, 2, RESULT_OBSERVED, "");
    in_force(ground, CGROUP_CPU_MAX, "max 100000");
    assert_int_equal(ground->ledger.n_used, 0);
}

static void what_does_not_take_is_taken_back(void **state)
{
    struct Ground *ground = *state;

    fake_refuse(ground->tenant.cgroup.files[CGROUP_CPU_MAX], EINVAL);
    throttle(ground, RESOURCE_CPU, 0);
    ended(ground, 1, RESULT_FAILED, "cpu.max: Invalid argument");
    /* nor could it be written back: what it was stays written down */
    assert_int_equal(entry_of(ground, RESOURCE_CPU).phase, ENTRY_UNDOING);
    fake_refuse(ground->tenant.cgroup.files[CGROUP_CPU_MAX], 0);
    throttle(ground, RESOURCE_CPU, 0);
    ended(ground, 2, RESULT_DONE, "cpu.max 50000 100000, found max 100000");
    assert_int_equal(entry_of(ground, RESOURCE_CPU).phase, ENTRY_STANDING);
    assert_int_equal(ground->ledger.n_used, 1);

    fake_refuse(ground->tenant.cgroup.files[CGROUP_CPU_MAX], EBUSY);
    unthrottle(ground, RESOURCE_CPU, 0);
    ended(ground, 3, RESULT_FAILED, "could not be given back");
    fake_refuse(ground->tenant.cgroup.files[CGROUP_CPU_MAX], 0);
    unthrottle(ground, RESOURCE_CPU, 0);
    ended(ground, 4, RESULT_DONE, "again");
    assert_int_equal(ground->ledger.n_used, 0);
}

static void as_low_already(void **state)
{
    struct Ground *ground = *state;

    fake_say(ground->tenant.cgroup.files[CGROUP_CPU_MAX], "10000 100000\n");
    throttle(ground, RESOURCE_CPU, 0);
    ended(ground, 1, RESULT_SKIPPED, "as low already");
    assert_false(tenant_is_throttled(&ground->tenant));
    assert_int_equal(ground->ledger.n_used, 0);
}

/* --- several holders ------------------------------------------------------------------------------- */

static void the_last_to_let_go(void **state)
{
    struct Ground *ground = *state;

    throttle(ground, RESOURCE_CPU, 0);
    ground->tenant.readings.value[READING_CPU_USAGE] = 5000;
    throttle(ground, RESOURCE_CPU, 1);
    ended(ground, 2, RESULT_DONE, "throttled already: cpu.max 50000 100000");
    assert_int_equal(ground->ledger.n_used, 1);
    unthrottle(ground, RESOURCE_CPU, 0);
    ended(ground, 3, RESULT_SKIPPED, "another reason");
    in_force(ground, CGROUP_CPU_MAX, "50000 100000");
    assert_string_equal(entry_of(ground, RESOURCE_CPU).rule, "rule1"); /* whom the next start asks */
    assert_int_equal(entry_of(ground, RESOURCE_CPU).holder, 1);
    unthrottle(ground, RESOURCE_CPU, 1);
    ended(ground, 4, RESULT_DONE, "again");
    in_force(ground, CGROUP_CPU_MAX, "max 100000");
}

static void an_operator_lets_all_go(void **state)
{
    struct Ground *ground = *state;

    throttle(ground, RESOURCE_CPU, 0);
    throttle(ground, RESOURCE_CPU, HOLDER_OPERATOR);
    carry_out(ground, VERB_UNTHROTTLE, RESOURCE_CPU, HOLDER_OPERATOR, CAUSE_OPERATOR);
    ended(ground, 3, RESULT_DONE, "again");
    assert_false(tenant_is_throttled(&ground->tenant));
    assert_int_equal(ground->ledger.n_used, 0);
}

/* A freeze, above two throttles, knows nothing of them. */
static void frozen_as_well(void **state)
{
    struct Ground *ground = *state;

    throttle(ground, RESOURCE_CPU, 0);
    fake_events(ground->tenant.cgroup.points[0].events_fd, true, true);
    carry_out(ground, VERB_FREEZE, RESOURCE_INVALID, 1, CAUSE_RULE);
    assert_int_equal(ground->tenant.condition.holders, 2);
    assert_string_equal(tenant_state(&ground->tenant), "frozen");
    unthrottle(ground, RESOURCE_CPU, 0);
    in_force(ground, CGROUP_CPU_MAX, "max 100000");
    assert_int_equal(ground->tenant.condition.holders, 2);
    assert_int_equal(ground->ledger.n_used, 1);
}

/* Who has no CPU would neither stop nor end. */
static void aside_while_a_freeze_is_under_way(void **state)
{
    static const enum Verb verbs[] = {VERB_FREEZE, VERB_KILL};
    struct Ground *ground = *state;
    const int events_fd = ground->tenant.cgroup.points[0].events_fd;

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        fake_events(events_fd, true, false);
        throttle(ground, RESOURCE_CPU, 0);
        in_force(ground, CGROUP_CPU_MAX, "50000 100000");
        carry_out(ground, verbs[i], RESOURCE_INVALID, 1, CAUSE_RULE);
        in_force(ground, CGROUP_CPU_MAX, "max 100000");
        throttling_check(&ground->pipeline, &ground->tenant, NOW + 1);
        in_force(ground, CGROUP_CPU_MAX, "max 100000");
        fake_events(verbs[i] == VERB_KILL ? ground->tenant.cgroup.events_fd : events_fd, false, true);
        pipeline_check(&ground->pipeline, &ground->tenant, NOW + 2);
        assert_false(ground->tenant.action.under_way);
        throttling_check(&ground->pipeline, &ground->tenant, NOW + 2);
        in_force(ground, CGROUP_CPU_MAX, "50000 100000");
        unthrottle(ground, RESOURCE_CPU, 0);
        in_force(ground, CGROUP_CPU_MAX, "max 100000");
    }
}

/* The same when the throttle comes second; and what an operator sets meanwhile is what is given back. */
static void aside_when_it_begins(void **state)
{
    struct Ground *ground = *state;
    const int events_fd = ground->tenant.cgroup.points[0].events_fd;

    assert_int_equal(ledger_reserve(&ground->ledger, 8), 0);
    fake_events(events_fd, true, false);
    carry_out(ground, VERB_FREEZE, RESOURCE_INVALID, 1, CAUSE_RULE);
    throttle(ground, RESOURCE_CPU, 0);
    assert_true(tenant_is_throttled(&ground->tenant));
    in_force(ground, CGROUP_CPU_MAX, "max 100000");
    fake_say(ground->tenant.cgroup.files[CGROUP_CPU_MAX], "80000 100000\n");
    fake_events(events_fd, true, true);
    pipeline_check(&ground->pipeline, &ground->tenant, NOW + 1);
    throttling_check(&ground->pipeline, &ground->tenant, NOW + 1);
    in_force(ground, CGROUP_CPU_MAX, "50000 100000");
    unthrottle(ground, RESOURCE_CPU, 0);
    in_force(ground, CGROUP_CPU_MAX, "80000 100000");
}

/* --- the worker ------------------------------------------------------------------------------------ */

static void memory_by_the_worker(void **state)
{
    struct Ground *ground = *state;

    ground->pipeline.write_slowly = write_slowly;
    throttle(ground, RESOURCE_MEMORY, 0);
    assert_int_equal(ground->settled, 0);
    in_force(ground, CGROUP_MEMORY_HIGH, "max");
    assert_int_equal(ground->ledger.n_used, 1);
    assert_true(pipeline_deadline_usec(&ground->tenant) < USEC_INFINITY);
    work(ground, 0);
    ended(ground, 1, RESULT_DONE, "memory.high 52428800, found max");
    assert_true(pipeline_deadline_usec(&ground->tenant) == USEC_INFINITY);
    /* a limit that is lifted needs no reclaim */
    unthrottle(ground, RESOURCE_MEMORY, 0);
    ended(ground, 2, RESULT_DONE, "memory.high max again");
    in_force(ground, CGROUP_MEMORY_HIGH, "max");
    assert_int_equal(ground->n_queue, 1);
    assert_int_equal(ground->ledger.n_used, 0);
}

static void a_worker_that_is_not_there(void **state)
{
    struct Ground *ground = *state;

    throttle(ground, RESOURCE_MEMORY, 0);
    ended(ground, 1, RESULT_DONE, "memory.high 52428800, found max");
    in_force(ground, CGROUP_MEMORY_HIGH, "52428800");
}

/* It reclaims for long, but the line is in force from the beginning. */
static void read_back_before_the_answer(void **state)
{
    struct Ground *ground = *state;

    ground->pipeline.write_slowly = write_slowly;
    throttle(ground, RESOURCE_MEMORY, 0);
    pipeline_check(&ground->pipeline, &ground->tenant, NOW + USEC_PER_SEC);
    assert_int_equal(ground->settled, 0);
    fake_say(ground->tenant.cgroup.files[CGROUP_MEMORY_HIGH], "52428800\n");
    pipeline_check(&ground->pipeline, &ground->tenant, NOW + 2 * USEC_PER_SEC);
    ended(ground, 1, RESULT_DONE, "memory.high 52428800");
    unthrottle(ground, RESOURCE_MEMORY,
               0); /* its write has set what it sets: what comes now comes after it */
    ended(ground, 2, RESULT_DONE, "memory.high max again");
    throttling_answer(&ground->pipeline, &ground->tenant, RESOURCE_MEMORY, 0, NOW);
    assert_int_equal(ground->settled, 2);
    in_force(ground, CGROUP_MEMORY_HIGH, "max");
}

/* What the worker has still to write is not overtaken by what is to come after it. */
static void ended_before_it_began(void **state)
{
    struct Ground *ground = *state;

    ground->pipeline.write_slowly = write_slowly;
    throttle(ground, RESOURCE_MEMORY, 0);
    unthrottle(ground, RESOURCE_MEMORY, 0);
    ended(ground, 1, RESULT_SUPERSEDED, "unthrottle came first");
    assert_int_equal(ground->n_queue, 2);
    throttling_check(&ground->pipeline, &ground->tenant, NOW + 1); /* "max" still, but not for long */
    assert_int_equal(ground->settled, 1);
    work(ground, 0);
    in_force(ground, CGROUP_MEMORY_HIGH, "52428800");
    assert_int_equal(ground->ledger.n_used, 1);
    work(ground, 0);
    ended(ground, 2, RESULT_DONE, "again");
    in_force(ground, CGROUP_MEMORY_HIGH, "max");
    assert_int_equal(ground->ledger.n_used, 0);
}

static void taken_over_on_its_way(void **state)
{
    struct Ground *ground = *state;

    ground->pipeline.write_slowly = write_slowly;
    throttle(ground, RESOURCE_MEMORY, 0);
    throttle(ground, RESOURCE_MEMORY, 1);
    assert_int_equal(ground->results[0], RESULT_SUPERSEDED);
    assert_int_equal(ground->n_queue, 1);
    unthrottle(ground, RESOURCE_MEMORY, 0); /* nothing of his */
    ended(ground, 2, RESULT_SKIPPED, "another reason");
    work(ground, 0);
    ended(ground, 3, RESULT_DONE, "memory.high 52428800");
    assert_int_equal(ground->tenant.throttles[RESOURCE_MEMORY].holders, 2);
    assert_string_equal(entry_of(ground, RESOURCE_MEMORY).rule, "rule1");
}

static void the_worker_is_stuck(void **state)
{
    struct Ground *ground = *state;

    ground->pipeline.write_slowly = write_slowly;
    throttle(ground, RESOURCE_MEMORY, 0);
    throttling_check(&ground->pipeline, &ground->tenant, NOW + 11 * USEC_PER_SEC);
    ended(ground, 1, RESULT_FAILED, "timed out");
    assert_int_equal(entry_of(ground, RESOURCE_MEMORY).phase, ENTRY_UNDOING);
    work(ground, 0); /* late */
    work(ground, 0);
    in_force(ground, CGROUP_MEMORY_HIGH, "max");
    assert_int_equal(ground->ledger.n_used, 0);
    assert_false(tenant_is_throttled(&ground->tenant));
}

static void refused_to_the_worker(void **state)
{
    struct Ground *ground = *state;

    ground->pipeline.write_slowly = write_slowly;
    throttle(ground, RESOURCE_MEMORY, 0);
    work(ground, -EINVAL);
    ended(ground, 1, RESULT_FAILED, "memory.high: Invalid argument");
    assert_int_equal(ground->ledger.n_used, 0);
}

static void vanished_on_its_way(void **state)
{
    struct Ground *ground = *state;

    ground->pipeline.write_slowly = write_slowly;
    throttle(ground, RESOURCE_CPU, 0);
    throttle(ground, RESOURCE_MEMORY, 1);
    pipeline_vanished(&ground->pipeline, &ground->tenant, NOW);
    ended(ground, 2, RESULT_GONE, "gone");
    assert_int_equal(ground->ledger.n_used, 0);
    assert_false(tenant_is_throttled(&ground->tenant));
}

/* --- somebody else --------------------------------------------------------------------------------- */

/* PID 1 writes again what it knows: no news. A new value is what is given back. */
static void somebody_else_sets_a_limit(void **state)
{
    struct Ground *ground = *state;
    uint64_t sequence;

    throttle(ground, RESOURCE_CPU, 0);
    sequence = ground->history.last_sequence;
    fake_say(ground->tenant.cgroup.files[CGROUP_CPU_MAX], "max 100000\n");
    throttling_check(&ground->pipeline, &ground->tenant, NOW + 1);
    in_force(ground, CGROUP_CPU_MAX, "50000 100000");
    assert_true(ground->history.last_sequence == sequence);

    fake_say(ground->tenant.cgroup.files[CGROUP_CPU_MAX], "80000 100000\n");
    throttling_check(&ground->pipeline, &ground->tenant, NOW + 1);
    in_force(ground, CGROUP_CPU_MAX, "50000 100000");
    assert_true(ground->history.last_sequence == sequence + 1);
    assert_string_equal(entry_of(ground, RESOURCE_CPU).found_line, "80000 100000");

    /* a lower one stays in force; told once */
    fake_say(ground->tenant.cgroup.files[CGROUP_CPU_MAX], "20000 100000\n");
    throttling_check(&ground->pipeline, &ground->tenant, NOW + 1);
    in_force(ground, CGROUP_CPU_MAX, "20000 100000");
    assert_true(ground->history.last_sequence == sequence + 1);

    /* just before its end */
    fake_say(ground->tenant.cgroup.files[CGROUP_CPU_MAX], "30000 100000\n");
    unthrottle(ground, RESOURCE_CPU, 0);
    ended(ground, 2, RESULT_DONE, "cpu.max 30000 100000 again");
    in_force(ground, CGROUP_CPU_MAX, "30000 100000");
}

/* A limit of guardd's own on the same file: set by the service manager, say. */
static void a_limit_of_the_class(void **state)
{
    struct Ground *ground = *state;
    uint64_t value = 0;

    assert_false(throttling_hides(&ground->tenant, LIMIT_CPU_QUOTA, &value));
    throttle(ground, RESOURCE_CPU, 0);
    assert_int_equal(limiting_present(&ground->tenant, LIMIT_CPU_QUOTA, &value), 0);
    assert_true(value == LIMIT_INFINITY);
    assert_false(throttling_hides(&ground->tenant, LIMIT_MEMORY_HIGH, &value));
    fake_say(ground->tenant.cgroup.files[CGROUP_CPU_MAX], "75000 100000\n");
    throttling_found(&ground->pipeline, &ground->tenant, LIMIT_CPU_QUOTA);
    assert_int_equal(limiting_present(&ground->tenant, LIMIT_CPU_QUOTA, &value), 0);
    assert_int_equal(value, 7500);
    in_force(ground, CGROUP_CPU_MAX, "50000 100000");
    unthrottle(ground, RESOURCE_CPU, 0);
    in_force(ground, CGROUP_CPU_MAX, "75000 100000");
}

/* While what was found is on its way back. */
static void a_limit_at_its_end(void **state)
{
    struct Ground *ground = *state;

    ground->pipeline.write_slowly = write_slowly;
    fake_say(ground->tenant.cgroup.files[CGROUP_MEMORY_HIGH], "94371840\n");
    throttle(ground, RESOURCE_MEMORY, 0);
    work(ground, 0);
    unthrottle(ground, RESOURCE_MEMORY, 0);
    fake_say(ground->tenant.cgroup.files[CGROUP_MEMORY_HIGH], "83886080\n");
    throttling_found(&ground->pipeline, &ground->tenant, LIMIT_MEMORY_HIGH);
    work(ground, 0);
    work(ground, 0);
    ended(ground, 2, RESULT_DONE, "memory.high 83886080 again");
    in_force(ground, CGROUP_MEMORY_HIGH, "83886080");
}

/* --- the run before -------------------------------------------------------------------------------- */

static struct LedgerEntry left_behind(struct Ground *ground, uint32_t *ret_slot)
{
    struct LedgerEntry entry = {.kind = ENTRY_THROTTLE,
                                .phase = ENTRY_STANDING,
                                .since_usec = 5,
                                .rule = "rule0",
                                .path = "jobs/a",
                                .resource = RESOURCE_CPU,
                                .found_line = "max 100000",
                                .value_line = "40000 100000"};

    assert_int_equal(ledger_reserve(&ground->ledger, 1), 0);
    assert_int_equal(ledger_put(&ground->ledger, &entry, ret_slot), 0);
    return entry;
}

static int adopt(struct Ground *ground, const struct LedgerEntry *entry, uint32_t slot, unsigned holder)
{
    return throttling_adopt(&ground->pipeline, &ground->tenant, entry, slot, holder, NOW);
}

/* It had ended between the entry and the act, or after it. */
static void taken_up(void **state)
{
    struct Ground *ground = *state;
    uint32_t slot;
    struct LedgerEntry entry = left_behind(ground, &slot);

    assert_int_equal(adopt(ground, &entry, slot, 0), 0);
    in_force(ground, CGROUP_CPU_MAX, "40000 100000");
    assert_int_equal(ground->tenant.throttles[RESOURCE_CPU].holders, 1);
    unthrottle(ground, RESOURCE_CPU, 0);
    ended(ground, 1, RESULT_DONE, "max 100000 again");
    in_force(ground, CGROUP_CPU_MAX, "max 100000");
    assert_int_equal(ground->ledger.n_used, 0);
}

static void not_taken_up(void **state)
{
    struct Ground *ground = *state;
    uint32_t slot;
    struct LedgerEntry entry = left_behind(ground, &slot);

    assert_int_equal(adopt(ground, &entry, slot, 5), -ESTALE);
    ground->rules[0].resource = RESOURCE_IO;
    assert_int_equal(adopt(ground, &entry, slot, 0), -ESTALE);
    ground->rules[0].resource = RESOURCE_CPU;
    ground->rules[0].steps[0].verb = VERB_FREEZE;
    assert_int_equal(adopt(ground, &entry, slot, 0), -ESTALE);
    assert_false(tenant_is_throttled(&ground->tenant));
    in_force(ground, CGROUP_CPU_MAX, "max 100000");
    assert_int_equal(adopt(ground, &entry, slot, HOLDER_OPERATOR), 0);
    in_force(ground, CGROUP_CPU_MAX, "40000 100000");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(there_and_back),
        TEST(of_a_device),
        TEST(without_a_ledger_nothing_is_written),
        TEST(observed),
        TEST(what_does_not_take_is_taken_back),
        TEST(as_low_already),
        TEST(the_last_to_let_go),
        TEST(an_operator_lets_all_go),
        TEST(frozen_as_well),
        TEST(aside_while_a_freeze_is_under_way),
        TEST(aside_when_it_begins),
        TEST(memory_by_the_worker),
        TEST(a_worker_that_is_not_there),
        TEST(read_back_before_the_answer),
        TEST(ended_before_it_began),
        TEST(taken_over_on_its_way),
        TEST(the_worker_is_stuck),
        TEST(refused_to_the_worker),
        TEST(vanished_on_its_way),
        TEST(somebody_else_sets_a_limit),
        TEST(a_limit_of_the_class),
        TEST(a_limit_at_its_end),
        TEST(taken_up),
        TEST(not_taken_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
