/* What is read of a tenant when the kernel announces its pressure: no more than the deed has to wait for, and
 * never less than the rules go by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "strain.h"

#include "tests/unit/sense/strain_files.h"

#define NOW (1000 * USEC_PER_SEC)
#define LONG_AGO (NOW - 60 * USEC_PER_SEC)
#define JUST_NOW (NOW - 400 * USEC_PER_MSEC)

struct Ground {
    struct StrainFixture files; /* whose cgroup's descriptors the tenant has */
    struct Rule rules[2];
    struct TenantClass class;
    struct Tenant tenant;
    struct StrainGuard guard;
};

static void rule_on(struct Ground *ground, size_t index, enum ReadingId reading, enum Verb verb)
{
    ground->rules[index] = (struct Rule){
        .scope = SCOPE_TENANT,
        .when = {.reading = reading, .comparison = COMPARISON_ABOVE, .value = 3000},
        .until = {.reading = reading, .comparison = COMPARISON_BELOW, .value = 1000},
        .steps = {{.verb = verb, .lasts_usec = USEC_INFINITY}},
        .n_steps = 1,
    };
    ground->class.rules[index] = &ground->rules[index];
    if (ground->class.n_rules <= index)
        ground->class.n_rules = index + 1;
}

static int setup(void **state)
{
    struct Ground *ground = calloc(1, sizeof(*ground));

    assert_non_null(ground);
    ground->files.scratch = scratch_new("/tmp");
    ground->files.cgroup = CGROUP_NULL;
    strain_file(&ground->files, CGROUP_CPU_PRESSURE, "cpu.pressure",
                "some avg10=1.00 avg60=0.00 avg300=0.00 total=1\n");
    strain_file(&ground->files, CGROUP_CPU_STAT, "cpu.stat", "usage_usec 5000\n");
    ground->tenant.cgroup = ground->files.cgroup;
    ground->tenant.class = &ground->class;
    ground->tenant.readings.at_usec = LONG_AGO;
    ground->tenant.strain.pressure[PRESSURE_CPU_SOME].proven = 3001;
    ground->guard.open = true;
    rule_on(ground, 0, READING_CPU_PRESSURE_SOME, VERB_FREEZE);
    *state = ground;
    return 0;
}

static int teardown(void **state)
{
    struct Ground *ground = *state;

    for (int i = 0; i < CGROUP_FILE_COUNT; i++)
        fd_close(ground->files.cgroup.files[i]);
    scratch_done(&ground->files.scratch);
    free(ground);
    return 0;
}

static void test_what_is_announced_is_read_alone(void **state)
{
    struct Ground *ground = *state;
    struct Tenant *tenant = &ground->tenant;

    assert_true(strain_guard_is_brief(tenant, NOW));
    strain_guard_look(&ground->guard, tenant, false, NOW);
    assert_true(tenant->readings.valid[READING_CPU_PRESSURE_SOME]);
    assert_int_equal(tenant->readings.value[READING_CPU_PRESSURE_SOME], 3001);
    assert_false(tenant->strain.cpu_usage_usec.valid);
    assert_int_equal(tenant->readings.at_usec, LONG_AGO); /* of all the rest */
    /* It counts for one look. */
    assert_false(strain_guard_is_brief(tenant, NOW));
}

static void test_whoever_looks_sees_everything(void **state)
{
    struct Ground *ground = *state;

    rule_on(ground, 1, READING_CPU_USAGE, VERB_WARN);
    strain_guard_look(&ground->guard, &ground->tenant, false, NOW);
    assert_true(ground->tenant.strain.cpu_usage_usec.valid);
    assert_int_equal(ground->tenant.readings.at_usec, NOW);
}

static void test_what_is_old_is_judged_by_nobody(void **state)
{
    struct Ground *ground = *state;

    rule_on(ground, 1, READING_TASKS_DENIED, VERB_WARN);
    assert_false(strain_guard_is_brief(&ground->tenant, NOW));
    ground->tenant.readings.at_usec = JUST_NOW;
    assert_true(strain_guard_is_brief(&ground->tenant, NOW));
}

static void test_a_rule_of_the_host_goes_by_more(void **state)
{
    struct Ground *ground = *state;

    ground->rules[0].scope = SCOPE_HOST;
    assert_false(strain_guard_is_brief(&ground->tenant, NOW));
}

static void test_a_throttle_needs_what_is_used(void **state)
{
    struct Ground *ground = *state;
    struct Tenant *tenant = &ground->tenant;

    rule_on(ground, 0, READING_CPU_PRESSURE_SOME, VERB_THROTTLE);
    ground->rules[0].resource = RESOURCE_CPU;
    tenant->readings.at_usec = JUST_NOW;
    /* By that look it used nothing. */
    tenant->strain.cpu_usage_usec = (struct CounterBaseline){.valid = true, .value = 0, .at_usec = JUST_NOW};
    tenant->readings.valid[READING_CPU_USAGE] = true;
    scratch_write(&ground->files.scratch, "cpu.stat", "usage_usec 400000\n");
    assert_true(strain_guard_is_brief(tenant, NOW));
    strain_guard_look(&ground->guard, tenant, false, NOW);
    assert_int_equal(tenant->readings.value[READING_CPU_USAGE], 10000);
    assert_int_equal(tenant->readings.at_usec, JUST_NOW);
}

static void test_who_is_announced_over_and_over_is_read_each_second(void **state)
{
    struct Ground *ground = *state;

    ground->tenant.condition.rules[0].phase = PHASE_PENDING;
    assert_false(strain_guard_is_brief(&ground->tenant, NOW));
    ground->tenant.readings.at_usec = JUST_NOW;
    assert_true(strain_guard_is_brief(&ground->tenant, NOW));
}

static void test_of_memory_more_is_asked(void **state)
{
    struct Ground *ground = *state;

    ground->tenant.readings.at_usec = JUST_NOW;
    ground->tenant.strain.announced = true;
    assert_false(strain_guard_is_brief(&ground->tenant, NOW));
    ground->tenant.strain.announced = false;
    ground->tenant.strain.pressure[PRESSURE_MEMORY_FULL].proven = 1;
    assert_false(strain_guard_is_brief(&ground->tenant, NOW));
    ground->tenant.strain.pressure[PRESSURE_MEMORY_FULL].proven = 0;
    ground->tenant.strain.pressure[PRESSURE_MEMORY_SOME].proven = 1;
    assert_false(strain_guard_is_brief(&ground->tenant, NOW));
}

/* --- a rule on the host's network ---------------------------------------------------------------------- */

#define MBIT INT64_C(1000000)

static struct Host {
    usec_t now;
    struct Rule rule;
    struct TenantClass class;
    struct Policy policy;
    struct Registry registry;
    struct Tenant tenants[4];
    struct Readings network;
    struct Pipeline pipeline; /* of which nothing is needed here */
    struct StrainGuard guard;
    struct Tenant *victim;
    unsigned looks;
} host;

static usec_t host_clock(void)
{
    return host.now;
}

static void host_looks_at(void *userdata, struct Tenant *tenant)
{
    host.victim = tenant;
    host.looks++;
}

static void sends(size_t index, const char *name, int64_t bits)
{
    struct Tenant *tenant = &host.tenants[index];

    tenant->cgroup = CGROUP_NULL;
    tenant->cgroup.id = index + 1;
    snprintf(tenant->name, sizeof(tenant->name), "%s", name);
    tenant->class = &host.class;
    tenant->readings.valid[READING_NET_EGRESS] = bits >= 0;
    tenant->readings.value[READING_NET_EGRESS] = bits;
    HASH_ADD(hh, host.registry.tenants, cgroup.id, sizeof(tenant->cgroup.id), tenant);
}

static void host_sends(int64_t bits)
{
    host.network.valid[READING_HOST_NET_EGRESS] = bits >= 0;
    host.network.value[READING_HOST_NET_EGRESS] = bits;
}

static int setup_host(void **state)
{
    host = (struct Host){.now = NOW};
    host.rule = (struct Rule){
        .name = "uplink-full",
        .scope = SCOPE_HOST,
        .when = {.reading = READING_HOST_NET_EGRESS,
                 .comparison = COMPARISON_ABOVE,
                 .value = 900 * MBIT,
                 .for_usec = 2 * USEC_PER_SEC},
        .until = {.reading = READING_HOST_NET_EGRESS, .comparison = COMPARISON_BELOW, .value = 800 * MBIT},
        .rank = READING_NET_EGRESS,
        .floor = 10 * MBIT,
        .resource = RESOURCE_NETWORK,
        .steps = {{.verb = VERB_THROTTLE, .lasts_usec = USEC_INFINITY}},
        .n_steps = 1,
    };
    host.class = (struct TenantClass){.name = "containers", .rules = {&host.rule}, .n_rules = 1};
    host.policy = (struct Policy){.classes = &host.class, .n_classes = 1, .rules = &host.rule, .n_rules = 1};
    host.guard = (struct StrainGuard){.policy = &host.policy,
                                      .pipeline = &host.pipeline,
                                      .registry = &host.registry,
                                      .clock = host_clock,
                                      .root = "/nowhere",
                                      .look = host_looks_at,
                                      .network = &host.network};
    strain_guard_open(&host.guard, NULL);
    return 0;
}

static int teardown_host(void **state)
{
    HASH_CLEAR(hh, host.registry.tenants);
    strain_guard_close(&host.guard);
    return 0;
}

/* As long as the host's rule asks for, once a second. */
static void host_passes(unsigned seconds)
{
    for (unsigned i = 0; i <= seconds; i++) {
        assert_true(strain_guard_due_usec(&host.guard) <= host.now);
        strain_guard_pass(&host.guard, host.now);
        host.now += USEC_PER_SEC;
    }
}

static void test_who_sends_most_is_elected(void **state)
{
    sends(0, "docker/web", 300 * MBIT);
    sends(1, "docker/flood", 550 * MBIT);
    sends(2, "docker/backup", 700 * MBIT);
    sends(3, "docker/host", -1); /* on the host's network */
    snprintf(host.tenants[2].protected_by, sizeof(host.tenants[2].protected_by), "docker/backup");
    host_sends(950 * MBIT);
    host_passes(1);
    assert_null(host.victim);
    host_passes(0);
    assert_ptr_equal(host.victim, &host.tenants[1]);
    assert_true(host.tenants[1].condition.rules[0].elected);
    assert_false(host.tenants[2].condition.rules[0].elected);
    assert_non_null(strstr(host.tenants[1].condition.election.reason, "host.net.egress 950Mbit"));
    assert_non_null(strstr(host.tenants[1].condition.election.reason, "most net.egress, 550Mbit"));
    /* What it goes by then is what the host's look saw. */
    assert_int_equal(host.tenants[1].readings.value[READING_HOST_NET_EGRESS], 950 * MBIT);
}

static void test_nobody_is_elected_by_what_is_not_known(void **state)
{
    sends(0, "docker/flood", 950 * MBIT);
    host_sends(950 * MBIT);
    host_passes(1);
    host_sends(-1); /* it could not be read any more */
    host_passes(3);
    assert_null(host.victim);
    host_sends(950 * MBIT);
    host_passes(1);
    assert_null(host.victim); /* from the beginning */
    host_passes(0);
    assert_ptr_equal(host.victim, &host.tenants[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_announced_is_read_alone),
        TEST(test_whoever_looks_sees_everything),
        TEST(test_what_is_old_is_judged_by_nobody),
        TEST(test_a_rule_of_the_host_goes_by_more),
        TEST(test_a_throttle_needs_what_is_used),
        TEST(test_who_is_announced_over_and_over_is_read_each_second),
        TEST(test_of_memory_more_is_asked),
        cmocka_unit_test_setup_teardown(test_who_sends_most_is_elected, setup_host, teardown_host),
        cmocka_unit_test_setup_teardown(test_nobody_is_elected_by_what_is_not_known, setup_host,
                                        teardown_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
