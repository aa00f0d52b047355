/* Model types as JSON: each object conforms to the interface, and says what is known and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "tests/unit/wire/conform.h"
#include "wire/codec.h"

#define _cleanup_json_ __attribute__((cleanup(sd_json_variant_unrefp)))
#define NOW (1000 * USEC_PER_SEC)

static const struct Rule fork_bomb = {
    .name = "fork-bomb",
    .when = {.reading = READING_TASKS_DENIED, .comparison = COMPARISON_ABOVE, .for_usec = 2 * USEC_PER_SEC},
    .until = {.reading = READING_TASKS_CURRENT,
              .comparison = COMPARISON_BELOW,
              .value = 50,
              .percent = true,
              .for_usec = 10 * USEC_PER_SEC},
    .steps = {{VERB_FREEZE, 5 * USEC_PER_SEC}, {VERB_KILL, USEC_INFINITY}},
    .n_steps = 2,
};

static const struct TenantClass containers = {
    .name = "containers",
    .limits = {.set = {true}, .value = {2048}},
    .rules = {&fork_bomb},
    .n_rules = 1,
};

/* As it is when it has just appeared: nothing known yet. */
static struct Tenant bare_tenant(void)
{
    struct Tenant tenant = {.cgroup = CGROUP_NULL, .name = "docker/web", .class = &containers};

    tenant.cgroup.id = UINT64_C(0xfffffffffffffff0); /* beyond what a double holds */
    tenant.cgroup.path = (char *)"system.slice/docker-0a1b.scope";
    tenant.condition.rules[0].until_since_usec = USEC_INFINITY;
    return tenant;
}

/* In the middle of an attack. */
static struct Tenant frozen_tenant(void)
{
    struct Tenant tenant = bare_tenant();

    tenant.cgroup.unit = (char *)"docker-0a1b.scope";
    strcpy(tenant.container_id, "0a1b");
    tenant.appeared_usec = NOW - 60 * USEC_PER_SEC;
    tenant.readings = (struct Readings){.at_usec = NOW - 1500,
                                        .valid = {true, true, true},
                                        .value = {2048, 117, -3},
                                        .limit = {2048, READING_UNLIMITED, READING_UNLIMITED}};
    tenant.limits[LIMIT_TASKS_MAX] =
        (struct LimitState){.applied = true, .found = LIMIT_INFINITY, .value = 2048};
    tenant.condition.rules[0] = (struct RuleState){.phase = PHASE_STANDING,
                                                   .began_usec = NOW - 3 * USEC_PER_SEC,
                                                   .step_usec = NOW - 2 * USEC_PER_SEC,
                                                   .until_since_usec = USEC_INFINITY};
    tenant.condition.holders = UINT32_C(1) << 0 | UINT32_C(1) << HOLDER_OPERATOR;
    return tenant;
}

#define GIB (INT64_C(1) << 30)

/* On two filesystems, of which one could not be read; an operator has set one of its limits. */
static struct Tenant filling_tenant(struct Directory directories[2])
{
    struct Tenant tenant = frozen_tenant();

    directories[0] = (struct Directory){.path = (char *)"/var/lib/docker/overlay2/4d",
                                        .kind = DIRECTORY_LAYER,
                                        .state = DIRECTORY_TAGGING,
                                        .seen = 12345,
                                        .changed = 4000,
                                        .passed_over = 3};
    directories[1] = (struct Directory){.path = (char *)"/srv/\x1b[2J\xff",
                                        .kind = DIRECTORY_VOLUME,
                                        .state = DIRECTORY_OUT,
                                        .why = "it is read-only"};
    tenant.disk = (struct Disk){.directories = directories,
                                .n_directories = 2,
                                .n_shares = 2,
                                .shares = {{.project = 1000003,
                                            .where = "/var/lib/docker (/dev/vdb)",
                                            .valid = true,
                                            .usage = {.space_bytes = 8 * GIB,
                                                      .inodes = 12345,
                                                      .space_hard_bytes = 20 * GIB,
                                                      .space_soft_bytes = 16 * GIB},
                                            .size_bytes = 100 * GIB},
                                           {.project = 1000004, .where = "/srv (/dev/vdc)"}}};
    tenant.readings.valid[READING_DISK_SPACE] = tenant.readings.valid[READING_DISK_INODES] = true;
    tenant.readings.value[READING_DISK_SPACE] = 8 * GIB;
    tenant.readings.limit[READING_DISK_SPACE] = 20 * GIB;
    tenant.readings.value[READING_DISK_INODES] = 12345;
    tenant.readings.limit[READING_DISK_INODES] = READING_UNLIMITED;
    tenant.overrides.set[LIMIT_DISK_SPACE_MAX] = tenant.overrides.set[LIMIT_TASKS_MAX] = true;
    tenant.overrides.value[LIMIT_DISK_SPACE_MAX] = 20 * GIB;
    tenant.overrides.value[LIMIT_TASKS_MAX] = LIMIT_INFINITY;
    return tenant;
}

static const char *text_at(sd_json_variant *v, const char *key)
{
    return sd_json_variant_string(sd_json_variant_by_key(v, key));
}

static int64_t number_at(sd_json_variant *v, const char *key)
{
    assert_non_null(sd_json_variant_by_key(v, key));
    return sd_json_variant_integer(sd_json_variant_by_key(v, key));
}

static sd_json_variant *first_at(sd_json_variant *v, const char *key)
{
    return sd_json_variant_by_index(sd_json_variant_by_key(v, key), 0);
}

static void test_row(void **state)
{
    struct Tenant bare = bare_tenant(), frozen = frozen_tenant();
    _cleanup_json_ sd_json_variant *a = NULL, *b = NULL;

    assert_true(wire_tenant_row(&bare, &a) >= 0);
    assert_true(conform_object(a, conform_symbol("Tenant"), SD_VARLINK_REGULAR));
    assert_null(sd_json_variant_by_key(a, "tasksCurrent"));
    assert_true(sd_json_variant_unsigned(sd_json_variant_by_key(a, "cgroupId")) == bare.cgroup.id);
    assert_string_equal(text_at(a, "state"), "ok");

    assert_true(wire_tenant_row(&frozen, &b) >= 0);
    assert_true(conform_object(b, conform_symbol("Tenant"), SD_VARLINK_REGULAR));
    assert_int_equal(number_at(b, "tasksCurrent"), 2048);
    assert_int_equal(number_at(b, "tasksMax"), 2048);
    assert_string_equal(text_at(b, "state"), "frozen");
    assert_null(sd_json_variant_by_key(b, "cpuMax"));
}

static void test_quota_in_a_row(void **state)
{
    struct Tenant tenant = bare_tenant();
    _cleanup_json_ sd_json_variant *a = NULL, *b = NULL;

    tenant.views[LIMIT_CPU_QUOTA] = (struct LimitView){.known = true, .present = LIMIT_INFINITY};
    assert_true(wire_tenant_row(&tenant, &a) >= 0);
    assert_null(sd_json_variant_by_key(a, "cpuMax"));
    tenant.views[LIMIT_CPU_QUOTA].present = 15000;
    assert_true(wire_tenant_row(&tenant, &b) >= 0);
    assert_int_equal(number_at(b, "cpuMax"), 15000);
}

static void test_without_class(void **state)
{
    struct Tenant tenant = frozen_tenant();
    _cleanup_json_ sd_json_variant *v = NULL;

    tenant.class = NULL;
    assert_true(wire_tenant_full(&tenant, NOW, &v) >= 0);
    assert_true(conform_object(v, conform_symbol("TenantDetails"), SD_VARLINK_REGULAR));
    assert_null(sd_json_variant_by_key(v, "class"));
    assert_int_equal(sd_json_variant_elements(sd_json_variant_by_key(v, "rules")), 0);
    assert_int_equal(sd_json_variant_elements(sd_json_variant_by_key(v, "frozenBy")), 2);
}

static void test_bare_details(void **state)
{
    struct Tenant tenant = bare_tenant();
    _cleanup_json_ sd_json_variant *v = NULL;
    sd_json_variant *limit, *rule;

    assert_true(wire_tenant_full(&tenant, NOW, &v) >= 0);
    assert_true(conform_object(v, conform_symbol("TenantDetails"), SD_VARLINK_REGULAR));
    assert_null(sd_json_variant_by_key(v, "underWay"));
    assert_null(sd_json_variant_by_key(v, "readingsUsec"));
    limit = first_at(v, "limits");
    assert_int_equal(number_at(sd_json_variant_by_key(limit, "asked"), "value"), 2048);
    assert_null(sd_json_variant_by_key(limit, "inForce"));
    assert_null(sd_json_variant_by_key(limit, "found"));
    rule = first_at(v, "rules");
    assert_string_equal(text_at(rule, "phase"), "idle");
    assert_null(sd_json_variant_by_key(rule, "heldUsec"));
    assert_null(sd_json_variant_by_key(rule, "nextStep"));
}

static sd_json_variant *limit_at(sd_json_variant *details, enum LimitId id)
{
    return sd_json_variant_by_index(sd_json_variant_by_key(details, "limits"), (size_t)id);
}

/* What files of the cgroup keep is as it was read last; where it was not, it is not known. */
static void test_limits_of_files(void **state)
{
    struct Tenant tenant = bare_tenant();
    _cleanup_json_ sd_json_variant *v = NULL;
    sd_json_variant *limit;

    tenant.readings.valid[READING_MEMORY_CURRENT] = true;
    tenant.readings.value[READING_MEMORY_CURRENT] = 4096;
    tenant.readings.limit[READING_MEMORY_CURRENT] = 8192;
    tenant.views[LIMIT_MEMORY_MAX] = (struct LimitView){true, true, 8192, 4096};
    tenant.views[LIMIT_MEMORY_HIGH] = (struct LimitView){.known = true, .present = LIMIT_INFINITY};
    tenant.limits[LIMIT_CPU_QUOTA] =
        (struct LimitState){.applied = true, .found = LIMIT_INFINITY, .value = 5000};
    assert_true(wire_tenant_full(&tenant, NOW, &v) >= 0);
    assert_true(conform_object(v, conform_symbol("TenantDetails"), SD_VARLINK_REGULAR));
    assert_int_equal(number_at(v, "memoryUsed"), 4096);
    assert_int_equal(number_at(v, "memoryMax"), 8192);
    limit = limit_at(v, LIMIT_MEMORY_MAX);
    assert_string_equal(text_at(limit, "name"), "MemoryMax");
    assert_int_equal(number_at(sd_json_variant_by_key(limit, "inForce"), "value"), 8192);
    assert_int_equal(number_at(limit, "used"), 4096);
    limit = limit_at(v, LIMIT_MEMORY_HIGH);
    assert_non_null(sd_json_variant_by_key(limit, "inForce"));
    assert_null(sd_json_variant_by_key(sd_json_variant_by_key(limit, "inForce"), "value"));
    assert_null(sd_json_variant_by_key(limit, "used"));
    limit = limit_at(v, LIMIT_CPU_QUOTA);
    assert_string_equal(text_at(limit, "unit"), "percent");
    assert_int_equal(number_at(sd_json_variant_by_key(limit, "inForce"), "value"), 5000);
    assert_null(sd_json_variant_by_key(limit_at(v, LIMIT_IO_WEIGHT), "inForce"));
}

static void test_frozen_details(void **state)
{
    struct Tenant tenant = frozen_tenant();
    _cleanup_json_ sd_json_variant *v = NULL;
    sd_json_variant *limit, *rule, *found, *holders;

    assert_true(wire_tenant_full(&tenant, NOW, &v) >= 0);
    assert_true(conform_object(v, conform_symbol("TenantDetails"), SD_VARLINK_REGULAR));
    assert_int_equal(number_at(v, "readingsUsec"), 1500);
    limit = first_at(v, "limits");
    found = sd_json_variant_by_key(limit, "found"); /* known, and unlimited */
    assert_non_null(found);
    assert_null(sd_json_variant_by_key(found, "value"));
    assert_int_equal(number_at(sd_json_variant_by_key(limit, "inForce"), "value"), 2048);
    rule = first_at(v, "rules");
    assert_string_equal(text_at(rule, "when"), "tasks.denied > 0 for 2s");
    assert_string_equal(text_at(rule, "step"), "freeze");
    assert_int_equal(number_at(rule, "heldUsec"), 3 * USEC_PER_SEC);
    assert_string_equal(text_at(rule, "nextStep"), "kill");
    assert_int_equal(number_at(rule, "nextStepUsec"), 3 * USEC_PER_SEC);
    holders = sd_json_variant_by_key(v, "frozenBy");
    assert_string_equal(sd_json_variant_string(sd_json_variant_by_index(holders, 0)), "fork-bomb");
    assert_string_equal(sd_json_variant_string(sd_json_variant_by_index(holders, 1)), "operator");
}

static void test_throttled_details(void **state)
{
    struct Tenant tenant = bare_tenant();
    struct Throttle *throttle = &tenant.throttles[RESOURCE_CPU];
    _cleanup_json_ sd_json_variant *v = NULL;
    sd_json_variant *line;

    throttle->n_lines = 1;
    throttle->holders = 1u << HOLDER_OPERATOR;
    strcpy(throttle->lines[0].found, "max 100000");
    strcpy(throttle->lines[0].value, "50000 100000");
    tenant.throttling.under_way = true;
    tenant.throttling.decision =
        (struct Decision){.verb = VERB_THROTTLE, .resource = RESOURCE_MEMORY, .percent = 80};
    assert_true(wire_tenant_full(&tenant, NOW, &v) >= 0);
    assert_true(conform_object(v, conform_symbol("TenantDetails"), SD_VARLINK_REGULAR));
    assert_string_equal(text_at(v, "state"), "throttled");
    line = first_at(v, "throttles");
    assert_string_equal(text_at(line, "resource"), "cpu");
    assert_string_equal(text_at(line, "file"), "cpu.max");
    assert_string_equal(text_at(line, "found"), "max 100000");
    assert_string_equal(text_at(line, "value"), "50000 100000");
    assert_string_equal(sd_json_variant_string(first_at(line, "by")), "operator");
    line = sd_json_variant_by_key(v, "underWay");
    assert_string_equal(text_at(line, "resource"), "memory");
    assert_int_equal(number_at(line, "percent"), 80);
}

/* What comes next depends on phase, step and history of the rule. */
static void test_next_step(void **state)
{
    static const struct {
        struct RuleState rule;
        const char *next;
        int64_t in_usec;
    } cases[] = {
        {{.phase = PHASE_PENDING, .began_usec = NOW - USEC_PER_SEC}, "freeze", USEC_PER_SEC},
        {{.phase = PHASE_PENDING, .began_usec = NOW - USEC_PER_SEC, .repeats = 1}, "kill", USEC_PER_SEC},
        {{.phase = PHASE_PENDING, .began_usec = NOW - USEC_PER_MINUTE}, "freeze", 0},
        {{.phase = PHASE_ACTING}, NULL, 0},
        {{.phase = PHASE_STANDING, .step = 1, .step_usec = NOW}, NULL, 0},
        {{.phase = PHASE_STANDING, .step_usec = NOW, .step_failed = true}, NULL, 0},
        {{.phase = PHASE_STANDING, .step_usec = NOW - USEC_PER_MINUTE, .withheld = true}, NULL, 0},
        {{.phase = PHASE_RELEASING}, NULL, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct Tenant tenant = frozen_tenant();
        _cleanup_json_ sd_json_variant *v = NULL;
        sd_json_variant *rule;

        tenant.condition.rules[0] = cases[i].rule;
        assert_true(wire_tenant_full(&tenant, NOW, &v) >= 0);
        rule = first_at(v, "rules");
        if (!cases[i].next) {
            assert_null(sd_json_variant_by_key(rule, "nextStep"));
            continue;
        }
        assert_string_equal(text_at(rule, "nextStep"), cases[i].next);
        assert_int_equal(number_at(rule, "nextStepUsec"), cases[i].in_usec);
    }
}

static void test_events(void **state)
{
    static const struct Event events[] = {
        {.sequence = 1, .kind = EVENT_NOTICE, .priority = 5, .text = "started"},
        {.sequence = 2,
         .kind = EVENT_APPEARED,
         .tenant_id = 7,
         .tenant = "docker/web",
         .class = "containers"},
        {.sequence = 3,
         .kind = EVENT_DECISION,
         .tenant_id = 7,
         .tenant = "docker/\x1b[31m",
         .path = "a\xff",
         .decision = {.action = 0x100000002,
                      .verb = VERB_FREEZE,
                      .cause = CAUSE_RULE,
                      .rule = "fork-bomb",
                      .reason = "tasks.denied 3 > 0"}},
        {.sequence = 5,
         .kind = EVENT_CHANGE,
         .tenant_id = 7,
         .author = {.uid = 1000, .name = "alice", .command = "secret"},
         .text = "freeze"},
        {.sequence = 4,
         .kind = EVENT_OUTCOME,
         .tenant_id = 7,
         .decision = {.verb = VERB_LIMIT, .cause = CAUSE_OPERATOR, .uid = 1000, .value = LIMIT_INFINITY},
         .outcome = {.result = RESULT_FAILED, .error = -EBUSY, .took_usec = 2000, .text = "busy"}},
    };

    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        _cleanup_json_ sd_json_variant *v = NULL;

        assert_true(wire_event(&events[i], &v) >= 0);
        assert_true(conform_object(v, conform_symbol("Event"), SD_VARLINK_REGULAR));
        assert_int_equal(sd_json_variant_by_key(v, "decision") != NULL,
                         events[i].kind == EVENT_DECISION || events[i].kind == EVENT_OUTCOME);
        if (events[i].kind == EVENT_CHANGE) {
            char *text = NULL;

            assert_true(sd_json_variant_format(v, 0, &text) >= 0);
            assert_null(strstr(text, "secret"));
            assert_string_equal(text_at(v, "sentence"), "alice (uid 1000) asks: freeze");
            free(text);
        }
        assert_int_equal(sd_json_variant_by_key(v, "outcome") != NULL, events[i].kind == EVENT_OUTCOME);
        if (i == 2)
            assert_string_equal(text_at(v, "tenant"), "docker/\\x1b[31m");
        if (i == 2)
            assert_string_equal(text_at(v, "action"), "00000001-2");
        else
            assert_null(sd_json_variant_by_key(v, "action"));
        if (i == 4)
            assert_int_equal(number_at(sd_json_variant_by_key(v, "outcome"), "error"), EBUSY);
    }
}

static sd_json_variant *nth_at(sd_json_variant *v, const char *key, size_t i)
{
    return sd_json_variant_by_index(sd_json_variant_by_key(v, key), i);
}

static void test_disk_in_a_row(void **state)
{
    struct Directory directories[2];
    struct Tenant bare = bare_tenant(), filling = filling_tenant(directories);
    _cleanup_json_ sd_json_variant *a = NULL, *b = NULL;

    strcpy(bare.disk.unguarded, "/srv has no project quotas\n");
    assert_true(wire_tenant_row(&bare, &a) >= 0);
    assert_true(conform_object(a, conform_symbol("Tenant"), SD_VARLINK_REGULAR));
    assert_null(sd_json_variant_by_key(a, "diskUsed"));
    assert_null(sd_json_variant_by_key(a, "diskMax"));
    assert_null(sd_json_variant_by_key(a, "inodesUsed"));
    assert_string_equal(text_at(a, "diskUnguarded"), "/srv has no project quotas\\x0a");

    assert_true(wire_tenant_row(&filling, &b) >= 0);
    assert_true(conform_object(b, conform_symbol("Tenant"), SD_VARLINK_REGULAR));
    assert_true(number_at(b, "diskUsed") == 8 * GIB);
    assert_true(number_at(b, "diskMax") == 20 * GIB);
    assert_int_equal(number_at(b, "inodesUsed"), 12345);
    assert_null(sd_json_variant_by_key(b, "inodesMax")); /* unlimited */
    assert_null(sd_json_variant_by_key(b, "diskUnguarded"));
}

static void test_limits(void **state)
{
    struct Directory directories[2];
    struct Tenant tenant = filling_tenant(directories);
    _cleanup_json_ sd_json_variant *list = NULL;
    sd_json_variant *tasks, *space, *inodes;

    assert_true(wire_limits(&tenant, &list) >= 0);
    assert_int_equal(sd_json_variant_elements(list), LIMIT_COUNT);
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        assert_true(
            conform_object(sd_json_variant_by_index(list, i), conform_symbol("Limit"), SD_VARLINK_REGULAR));
    tasks = sd_json_variant_by_index(list, LIMIT_TASKS_MAX);
    assert_string_equal(text_at(tasks, "source"), "override"); /* before the class */
    assert_string_equal(text_at(tasks, "unit"), "count");
    assert_int_equal(number_at(sd_json_variant_by_key(tasks, "asked"), "value"), 2048);
    assert_non_null(sd_json_variant_by_key(tasks, "override"));
    assert_null(sd_json_variant_by_key(sd_json_variant_by_key(tasks, "override"), "value"));
    assert_int_equal(number_at(tasks, "used"), 2048);
    space = sd_json_variant_by_index(list, LIMIT_DISK_SPACE_MAX);
    assert_string_equal(text_at(space, "unit"), "bytes");
    assert_true(number_at(sd_json_variant_by_key(space, "inForce"), "value") == 20 * GIB);
    assert_null(sd_json_variant_by_key(space, "asked"));
    inodes = sd_json_variant_by_index(list, LIMIT_DISK_INODES_MAX);
    assert_string_equal(text_at(inodes, "source"), "");
    assert_null(sd_json_variant_by_key(inodes, "override"));
    assert_null(sd_json_variant_by_key(sd_json_variant_by_key(inodes, "inForce"), "value"));
    assert_int_equal(number_at(inodes, "used"), 12345);
}

static void test_limits_of_the_class(void **state)
{
    struct Tenant tenant = bare_tenant();
    _cleanup_json_ sd_json_variant *list = NULL;

    assert_true(wire_limits(&tenant, &list) >= 0);
    assert_string_equal(text_at(sd_json_variant_by_index(list, LIMIT_TASKS_MAX), "source"), "class");
    assert_null(sd_json_variant_by_key(sd_json_variant_by_index(list, LIMIT_TASKS_MAX), "used"));
}

/* Where what is in force comes from. */
static void test_origins(void **state)
{
    static const struct {
        uint64_t present;
        bool override, class, container, unit, released;
        const char *origin;
    } cases[] = {
        {300, true, true, true, true, false, "override"},
        {512, false, true, true, true, false, "class"},
        {100, false, true, true, true, false, "runtime"},
        {100, false, true, false, true, false, "systemd"},
        {100, false, false, false, false, false, "other"},
        {300, true, false, false, true, true, "systemd"},
        {LIMIT_INFINITY, false, true, true, true, false, "kernel"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct TenantClass class = {.limits.set[LIMIT_MEMORY_MAX] = cases[i].class,
                                    .limits.value[LIMIT_MEMORY_MAX] = 512 * 65536};
        struct Tenant tenant = {.cgroup = CGROUP_NULL, .class = &class, .released = cases[i].released};
        _cleanup_json_ sd_json_variant *list = NULL;
        uint64_t present = cases[i].present;

        tenant.overrides.set[LIMIT_MEMORY_MAX] = cases[i].override;
        tenant.overrides.value[LIMIT_MEMORY_MAX] = 300 * 65536;
        tenant.container_id[0] = cases[i].container ? 'a' : '\0';
        tenant.cgroup.unit = cases[i].unit ? (char *)"a.service" : NULL;
        tenant.views[LIMIT_MEMORY_MAX] = (struct LimitView){
            .known = true, .present = present == LIMIT_INFINITY ? present : present * 65536};
        assert_true(wire_limits(&tenant, &list) >= 0);
        assert_string_equal(text_at(sd_json_variant_by_index(list, LIMIT_MEMORY_MAX), "origin"),
                            cases[i].origin);
        assert_null(sd_json_variant_by_key(sd_json_variant_by_index(list, LIMIT_TASKS_MAX), "origin"));
    }
}

static void test_disk_details(void **state)
{
    struct Directory directories[2];
    struct Tenant tenant = filling_tenant(directories);
    _cleanup_json_ sd_json_variant *v = NULL;
    sd_json_variant *directory, *share;

    assert_true(wire_tenant_full(&tenant, NOW, &v) >= 0);
    assert_true(conform_object(v, conform_symbol("TenantDetails"), SD_VARLINK_REGULAR));
    directory = first_at(v, "directories");
    assert_string_equal(text_at(directory, "kind"), "layer");
    assert_string_equal(text_at(directory, "state"), "tagging");
    assert_null(sd_json_variant_by_key(directory, "why"));
    assert_int_equal(number_at(directory, "seen"), 12345);
    assert_int_equal(number_at(directory, "changed"), 4000);
    assert_int_equal(number_at(directory, "passedOver"), 3);
    directory = nth_at(v, "directories", 1);
    assert_string_equal(text_at(directory, "path"), "/srv/\\x1b[2J\\xff");
    assert_string_equal(text_at(directory, "why"), "it is read-only");
    share = first_at(v, "shares");
    assert_int_equal(number_at(share, "project"), 1000003);
    assert_true(number_at(share, "diskUsed") == 8 * GIB);
    assert_true(number_at(share, "diskWarn") == 16 * GIB);
    assert_null(sd_json_variant_by_key(share, "inodesMax")); /* 0 is none */
    assert_int_equal(number_at(share, "diskFree"), 0);       /* full */
    assert_null(sd_json_variant_by_key(share, "inodesSize"));
    share = nth_at(v, "shares", 1);
    assert_string_equal(text_at(share, "where"), "/srv (/dev/vdc)");
    assert_null(sd_json_variant_by_key(share, "diskUsed")); /* not read, which is not 0 */
    assert_null(sd_json_variant_by_key(share, "diskFree"));
}

/* Its links are known; one direction has a rate. */
static void test_network(void **state)
{
    struct Tenant tenant = bare_tenant();
    struct Network *network = &tenant.network;
    struct Link link = {.ifindex = 5, .name = "veth\x1b"};
    _cleanup_json_ sd_json_variant *v = NULL, *limits = NULL;
    sd_json_variant *object, *limit;

    network_begin(network);
    network->looked = true;
    network->wanted[DIRECTION_EGRESS] = 10000000;
    network->n_sharers = 2;
    strcpy(network->sharer, "docker/b");
    network_add(network, &link)->rates[DIRECTION_EGRESS] =
        (struct LinkRate){.known = true, .rate_bits = 10000000, .dropped = 7};
    tenant.limits[LIMIT_NETWORK_EGRESS_MAX] =
        (struct LimitState){.applied = true, .found = LIMIT_INFINITY, .value = 20000000};
    tenant.readings.valid[READING_NET_EGRESS] = true;
    tenant.readings.value[READING_NET_EGRESS] = 9900000;
    assert_true(wire_tenant_full(&tenant, NOW, &v) >= 0);
    assert_true(conform_object(v, conform_symbol("TenantDetails"), SD_VARLINK_REGULAR));
    assert_int_equal(number_at(v, "netEgress"), 9900000);
    assert_int_equal(number_at(v, "netEgressMax"), 10000000);
    assert_null(sd_json_variant_by_key(v, "netIngress"));
    assert_null(sd_json_variant_by_key(v, "netIngressMax"));
    assert_null(sd_json_variant_by_key(v, "netUnshaped"));
    assert_int_equal(number_at(v, "netLinks"), 1);
    object = sd_json_variant_by_key(v, "network");
    assert_int_equal(number_at(object, "sharers"), 2);
    assert_string_equal(text_at(object, "sharer"), "docker/b");
    assert_null(sd_json_variant_by_key(object, "unshaped"));
    object = first_at(object, "links");
    assert_string_equal(text_at(object, "name"), "veth\\x1b");
    assert_int_equal(number_at(object, "egressDropped"), 7);
    assert_null(sd_json_variant_by_key(object, "ingressMax"));
    assert_true(wire_limits(&tenant, &limits) >= 0);
    limit = sd_json_variant_by_index(limits, LIMIT_NETWORK_EGRESS_MAX); /* another's who shares it is less */
    assert_int_equal(number_at(sd_json_variant_by_key(limit, "inForce"), "value"), 10000000);
    assert_int_equal(number_at(limit, "used"), 9900000);
    limit = sd_json_variant_by_index(limits, LIMIT_NETWORK_INGRESS_MAX);
    assert_null(sd_json_variant_by_key(limit, "used"));
    assert_non_null(sd_json_variant_by_key(limit, "inForce"));
    assert_null(sd_json_variant_by_key(sd_json_variant_by_key(limit, "inForce"), "value"));
}

static void test_network_not_shaped(void **state)
{
    struct Tenant tenant = bare_tenant();
    _cleanup_json_ sd_json_variant *v = NULL;

    network_begin(&tenant.network);
    tenant.network.looked = true;
    tenant.network.why = UNSHAPED_HOST_NETWORK;
    assert_true(wire_tenant_full(&tenant, NOW, &v) >= 0);
    assert_true(conform_object(v, conform_symbol("TenantDetails"), SD_VARLINK_REGULAR));
    assert_string_equal(text_at(v, "netUnshaped"), "host-network");
    assert_int_equal(number_at(v, "netLinks"), 0);
    assert_non_null(strstr(text_at(sd_json_variant_by_key(v, "network"), "unshaped"), "the host's network"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row),
        cmocka_unit_test(test_quota_in_a_row),
        cmocka_unit_test(test_without_class),
        cmocka_unit_test(test_bare_details),
        cmocka_unit_test(test_limits_of_files),
        cmocka_unit_test(test_frozen_details),
        cmocka_unit_test(test_throttled_details),
        cmocka_unit_test(test_next_step),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_disk_in_a_row),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_limits_of_the_class),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_disk_details),
        cmocka_unit_test(test_network),
        cmocka_unit_test(test_network_not_shaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
