/* Rules of the host: when somebody is elected, who, and what is said of it. */
#include "fixture.h"

#include <inttypes.h>

#include "decide/host.h"

#define GIB (INT64_C(1) << 30)
#define MIB (INT64_C(1) << 20)
#define CANDIDATES_MAX 12

struct Stage {
    struct Rule rule;
    struct TenantClass class;
    struct HostState state;
    struct Readings host;
    struct Tenant tenants[CANDIDATES_MAX];
    struct Tenant *candidates[CANDIDATES_MAX];
    size_t n;
    struct Choice choice;
};

static void set(struct Readings *readings, enum ReadingId id, int64_t value, int64_t limit)
{
    readings->valid[id] = true;
    readings->value[id] = value;
    readings->limit[id] = limit;
}

/* disk-host-low: When=host.disk.free < 10% for 5s, Rank=disk.growth, Floor=1M/s, Steps=freeze */
static void stage_init(struct Stage *stage)
{
    memset(stage, 0, sizeof(*stage));
    snprintf(stage->rule.name, sizeof(stage->rule.name), "disk-host-low");
    stage->rule.scope = SCOPE_HOST;
    stage->rule.rank = READING_DISK_GROWTH;
    stage->rule.floor = MIB;
    stage->rule.when = (struct Condition){READING_HOST_DISK_FREE, COMPARISON_BELOW, 10, true, 5 * SECOND};
    stage->rule.steps[0] = (struct Step){VERB_FREEZE, USEC_INFINITY};
    stage->rule.n_steps = 1;
    stage->class.rules[0] = &stage->rule;
    stage->class.n_rules = 1;
    stage->state = (struct HostState){.rule = &stage->rule, .began_usec = USEC_INFINITY};
    set(&stage->host, READING_HOST_DISK_FREE, 91 * GIB / 10, 100 * GIB);
}

static struct Tenant *candidate(struct Stage *stage, const char *name, int64_t mib_per_sec)
{
    struct Tenant *tenant = &stage->tenants[stage->n];

    stage->candidates[stage->n++] = tenant;
    snprintf(tenant->name, sizeof(tenant->name), "%s", name);
    tenant->cgroup.id = 1000 - stage->n;
    tenant->class = &stage->class;
    set(&tenant->readings, READING_DISK_GROWTH, mib_per_sec * MIB, READING_UNLIMITED);
    set(&tenant->readings, READING_HOST_DISK_FREE, 91 * GIB / 10, 100 * GIB);
    return tenant;
}

static struct Tenant *elect(struct Stage *stage, usec_t now)
{
    memset(stage->choice.reason, 'x', sizeof(stage->choice.reason));
    return host_elect(&stage->state, stage->candidates, stage->n, &stage->host, now, &stage->choice);
}

/* --- when ------------------------------------------------------------------------------------------- */

static void test_looks(void **state)
{
    enum What {
        FREE, /* GiB free of 100 */
        NOT_KNOWN,
    };
    static const struct {
        usec_t at; /* seconds */
        enum What what;
        int64_t free;
        bool elect; /* somebody is elected then */
        enum HostVerdict verdict;
        usec_t next; /* seconds, 0: never */
    } table[] = {
        {0, FREE, 20, false, HOST_QUIET, 0},
        {10, FREE, 9, false, HOST_PENDING, 11},
        {11, FREE, 9, false, HOST_PENDING, 12},
        {12, FREE, 10, false, HOST_QUIET, 0}, /* a break: anew */
        {13, FREE, 9, false, HOST_PENDING, 14},
        {17, FREE, 9, false, HOST_PENDING, 18},
        {18, FREE, 9, true, HOST_ELECT, 19},
        {19, FREE, 9, false, HOST_PENDING, 20}, /* the first one's end must show */
        {20, FREE, 9, false, HOST_PENDING, 21},
        {21, FREE, 9, true, HOST_ELECT, 22},
        {22, FREE, 11, false, HOST_QUIET, 0},
        {23, FREE, 9, false, HOST_PENDING, 24},
        {27, FREE, 9, false, HOST_PENDING, 28},
        {28, NOT_KNOWN, 0, false, HOST_QUIET, 0},
        {29, FREE, 9, false, HOST_PENDING, 30},
        {40, FREE, 9, false, HOST_ELECT, 41}, /* the caller did not elect */
        {41, FREE, 9, true, HOST_ELECT, 42},
    };
    struct Stage stage;

    stage_init(&stage);
    candidate(&stage, "docker/a", 120);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        usec_t now = START + table[i].at * SECOND;
        usec_t next = table[i].next == 0 ? USEC_INFINITY : START + table[i].next * SECOND;

        set(&stage.host, READING_HOST_DISK_FREE, table[i].free * GIB, 100 * GIB);
        stage.host.valid[READING_HOST_DISK_FREE] = table[i].what == FREE;
        if (host_look(&stage.state, &stage.host, now) != table[i].verdict)
            fail_msg("row %zu", i);
        if (table[i].elect)
            assert_non_null(elect(&stage, now));
        if (host_look_usec(&stage.state, now) != next)
            fail_msg("row %zu: looks again after %" PRIu64 " s", i,
                     (uint64_t)((host_look_usec(&stage.state, now) - START) / SECOND));
    }
}

static void test_looks_are_not_late(void **state)
{
    struct Stage stage;

    stage_init(&stage);
    stage.rule.when.for_usec = SECOND / 4;
    assert_int_equal(host_look(&stage.state, &stage.host, START), HOST_PENDING);
    assert_true(host_look_usec(&stage.state, START) == START + SECOND / 4);
    stage.rule.when.for_usec = 0;
    assert_int_equal(host_look(&stage.state, &stage.host, START), HOST_ELECT);
}

/* Even at the first moment of the clock. */
static void test_dwells_after_an_election_at_zero(void **state)
{
    struct Stage stage;

    stage_init(&stage);
    stage.rule.when.for_usec = 0;
    candidate(&stage, "docker/a", 120);
    assert_int_equal(host_look(&stage.state, &stage.host, 0), HOST_ELECT);
    assert_non_null(elect(&stage, 0));
    assert_int_equal(host_look(&stage.state, &stage.host, SECOND), HOST_PENDING);
}

/* --- who --------------------------------------------------------------------------------------------- */

static void test_most_is_elected(void **state)
{
    struct Stage stage;

    stage_init(&stage);
    candidate(&stage, "docker/c", 3);
    snprintf(stage.tenants[0].protected_by, sizeof(stage.tenants[0].protected_by), "docker-*");
    candidate(&stage, "docker/a", 120);
    candidate(&stage, "docker/b", 80);
    assert_ptr_equal(elect(&stage, START), &stage.tenants[1]);
    assert_string_equal(stage.choice.reason,
                        "host.disk.free 9.1G of 100G, 9% (< 10%); docker/a has most disk.growth, "
                        "120M/s; passed over: docker/b 80M/s, docker/c 3M/s (protected)");
    assert_true(stage.state.elected_usec == START);
    assert_false(stage.state.vain);
}

/* The same for the record: in numbers, and with the host's last values. */
static void test_rivals(void **state)
{
    struct Stage stage;
    const struct Rivals *rivals = &stage.choice.rivals;

    stage_init(&stage);
    candidate(&stage, "docker/c", 3);
    snprintf(stage.tenants[0].protected_by, sizeof(stage.tenants[0].protected_by), "docker-*");
    candidate(&stage, "docker/a", 120);
    candidate(&stage, "docker/b", 80);
    for (int i = 1; i <= 4; i++) {
        char name[16];

        snprintf(name, sizeof(name), "docker/x%d", i);
        candidate(&stage, name, 2);
    }
    for (usec_t second = 0; second < 3; second++) {
        set(&stage.host, READING_HOST_DISK_FREE, (9 - (int64_t)second) * GIB, 100 * GIB);
        host_look(&stage.state, &stage.host, START + second * SECOND);
    }
    assert_ptr_equal(elect(&stage, START + 2 * SECOND), &stage.tenants[1]);
    assert_true(rivals->any);
    assert_int_equal(rivals->rank, READING_DISK_GROWTH);
    assert_int_equal(rivals->value, 120 * MIB);
    assert_int_equal(rivals->n, RIVALS_MAX);
    assert_int_equal(rivals->more, 2);
    assert_string_equal(rivals->list[0].name, "docker/b");
    assert_null(rivals->list[0].against);
    assert_string_equal(rivals->list[1].name, "docker/c");
    assert_string_equal(rivals->list[1].against, "protected");
    assert_int_equal(rivals->list[1].value, 3 * MIB);
    assert_int_equal(stage.choice.series.n, 3);
    assert_int_equal(stage.choice.series.value[0], 9 * GIB);
    assert_int_equal(stage.choice.series.value[2], 7 * GIB);
    assert_int_equal(stage.choice.series.age_msec[0], 2000);
}

static void test_alone(void **state)
{
    struct Stage stage;

    stage_init(&stage);
    candidate(&stage, "docker/a", 120);
    assert_ptr_equal(elect(&stage, START), &stage.tenants[0]);
    assert_string_equal(stage.choice.reason,
                        "host.disk.free 9.1G of 100G, 9% (< 10%); docker/a has most disk.growth, 120M/s");
}

enum Trouble {
    TROUBLE_UNTOUCHABLE,
    TROUBLE_PROTECTED,
    TROUBLE_RELEASED,
    TROUBLE_EXEMPT,
    TROUBLE_HELD,
    TROUBLE_HELD_BY_OPERATOR,
    TROUBLE_BEING_FROZEN,
    TROUBLE_BEING_KILLED,
    TROUBLE_IN_HAND,
    TROUBLE_THROTTLED,
    TROUBLE_OMITTED,
    TROUBLE_NOT_KNOWN,
    TROUBLE_BELOW_FLOOR,
    TROUBLE_NONE_OF_IT,
    TROUBLE_SHRINKS,
    TROUBLE_ELSEWHERE,
};

static void give(struct Stage *stage, struct Tenant *tenant, enum Trouble trouble)
{
    switch (trouble) {
    case TROUBLE_UNTOUCHABLE:
        tenant->untouchable = true;
        break;
    case TROUBLE_PROTECTED:
        snprintf(tenant->protected_by, sizeof(tenant->protected_by), "exempt until 12:00");
        break;
    case TROUBLE_RELEASED:
        tenant->released = true;
        break;
    case TROUBLE_EXEMPT:
        tenant->exemption.until_realtime_usec = USEC_INFINITY;
        break;
    case TROUBLE_HELD:
        tenant->condition.holders = 1u << 3;
        break;
    case TROUBLE_HELD_BY_OPERATOR:
        tenant->condition.holders = 1u << HOLDER_OPERATOR;
        break;
    case TROUBLE_BEING_FROZEN:
    case TROUBLE_BEING_KILLED:
        tenant->action.under_way = true;
        tenant->action.decision.verb = trouble == TROUBLE_BEING_FROZEN ? VERB_FREEZE : VERB_KILL;
        break;
    case TROUBLE_IN_HAND:
        tenant->condition.rules[0].phase = PHASE_STANDING;
        break;
    case TROUBLE_THROTTLED:
        stage->rule.resource = RESOURCE_IO;
        tenant->throttles[RESOURCE_IO].holders = 1;
        break;
    case TROUBLE_OMITTED:
        tenant->oom_preference = OOM_PREFERENCE_OMIT;
        break;
    case TROUBLE_NOT_KNOWN:
        tenant->readings.valid[READING_DISK_GROWTH] = false;
        break;
    case TROUBLE_BELOW_FLOOR:
        tenant->readings.value[READING_DISK_GROWTH] = MIB / 2;
        break;
    case TROUBLE_NONE_OF_IT:
        stage->rule.floor = 0;
        tenant->readings.value[READING_DISK_GROWTH] = 0;
        break;
    case TROUBLE_SHRINKS:
        stage->rule.floor = INT64_MIN;
        tenant->readings.value[READING_DISK_GROWTH] = -5 * MIB;
        break;
    case TROUBLE_ELSEWHERE:
        tenant->readings.value[READING_HOST_DISK_FREE] = 50 * GIB;
        break;
    }
}

static void test_never_elected(void **state)
{
    static const struct {
        enum Trouble trouble;
        const char *told;
    } table[] = {
        {TROUBLE_UNTOUCHABLE, "docker/a 900M/s (untouchable)"},
        {TROUBLE_PROTECTED, "docker/a 900M/s (protected)"},
        {TROUBLE_RELEASED, "docker/a 900M/s (released)"},
        {TROUBLE_EXEMPT, "docker/a 900M/s (exempt)"},
        {TROUBLE_HELD, "docker/a 900M/s (frozen already)"},
        {TROUBLE_HELD_BY_OPERATOR, "docker/a 900M/s (frozen already)"},
        {TROUBLE_BEING_FROZEN, "docker/a 900M/s (frozen already)"},
        {TROUBLE_BEING_KILLED, "docker/a 900M/s (frozen already)"},
        {TROUBLE_IN_HAND, "docker/a 900M/s (in hand already)"},
        {TROUBLE_THROTTLED, "docker/a 900M/s (throttled already)"},
        {TROUBLE_OMITTED, "docker/a 900M/s (ManagedOOMPreference=omit)"},
        {TROUBLE_NOT_KNOWN, "docker/a (not known)"},
        {TROUBLE_BELOW_FLOOR, "docker/a 512K/s (below Floor=)"},
        {TROUBLE_NONE_OF_IT, "docker/a 0/s (has none)"},
        {TROUBLE_SHRINKS, "docker/a -5M/s (has none)"},
        {TROUBLE_ELSEWHERE, "docker/a 900M/s (not concerned)"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct Stage stage;
        char wanted[REASON_MAX];

        stage_init(&stage);
        give(&stage, candidate(&stage, "docker/a", 900), table[i].trouble);
        assert_null(elect(&stage, START));
        snprintf(wanted, sizeof(wanted),
                 "nobody to freeze: host.disk.free 9.1G of 100G, 9%% (< 10%%); passed over: %s",
                 table[i].told);
        assert_string_equal(stage.choice.reason, wanted);
        candidate(&stage, "docker/b", 2);
        assert_ptr_equal(elect(&stage, START), &stage.tenants[1]);
        assert_non_null(strstr(stage.choice.reason, table[i].told));
    }
}

/* avoid: only when there is nobody else above the floor, and then with most of it. */
static void test_avoided(void **state)
{
    struct Stage stage;

    stage_init(&stage);
    candidate(&stage, "docker/a", 900)->oom_preference = OOM_PREFERENCE_AVOID;
    candidate(&stage, "docker/b", 800)->oom_preference = OOM_PREFERENCE_AVOID;
    candidate(&stage, "docker/c", 990)->oom_preference = OOM_PREFERENCE_OMIT;
    candidate(&stage, "docker/d", 2);
    assert_ptr_equal(elect(&stage, START), &stage.tenants[3]);
    assert_non_null(strstr(stage.choice.reason, "docker/a 900M/s (ManagedOOMPreference=avoid)"));
    set(&stage.tenants[3].readings, READING_DISK_GROWTH, MIB / 2, READING_UNLIMITED);
    assert_ptr_equal(elect(&stage, START), &stage.tenants[0]);
    assert_non_null(strstr(stage.choice.reason,
                           "docker/c 990M/s (ManagedOOMPreference=omit), docker/b 800M/s, "
                           "docker/d 512K/s (below Floor=)"));
}

/* Held by another rule's throttle, warned about, or pending in this one: nothing speaks against it. */
static void test_not_in_hand(void **state)
{
    struct Stage stage;

    stage_init(&stage);
    stage.rule.resource = RESOURCE_IO;
    candidate(&stage, "docker/a", 900)->throttles[RESOURCE_IO].holders = 1u << 1 | 1u << HOLDER_OPERATOR;
    stage.tenants[0].throttles[RESOURCE_CPU].holders = 1;
    stage.tenants[0].condition.rules[0].phase = PHASE_PENDING;
    stage.tenants[0].action = (struct Action){.under_way = true, .decision.verb = VERB_WARN};
    assert_ptr_equal(elect(&stage, START), &stage.tenants[0]);
}

/* Its place among the rules of the class is nothing to it: what counts is held and in hand by this one. */
static void test_second_rule(void **state)
{
    const struct Rule other = {.name = "other", .n_steps = 1};
    struct Stage stage;

    stage_init(&stage);
    stage.rule.resource = RESOURCE_IO;
    stage.class.rules[0] = &other;
    stage.class.rules[1] = &stage.rule;
    stage.class.n_rules = 2;
    candidate(&stage, "docker/a", 900)->throttles[RESOURCE_IO].holders = 1u << 0;
    stage.tenants[0].condition.rules[0].phase = PHASE_STANDING;
    assert_ptr_equal(elect(&stage, START), &stage.tenants[0]);
    stage.tenants[0].throttles[RESOURCE_IO].holders = 1u << 1;
    assert_null(elect(&stage, START));
    assert_non_null(strstr(stage.choice.reason, "(throttled already)"));
}

/* Of memory: who has all that its own limit gives it takes no more from the others. */
static void test_at_its_own_limit(void **state)
{
    static const struct {
        enum ReadingId rank;
        int64_t current, limit;
        bool elected;
    } table[] = {
        {READING_MEMORY_GROWTH, 89, 100, true},  {READING_MEMORY_GROWTH, 90, 100, false},
        {READING_MEMORY_SHMEM, 100, 100, false}, {READING_MEMORY_GROWTH, 1000, READING_UNLIMITED, true},
        {READING_DISK_GROWTH, 100, 100, true},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct Stage stage;
        struct Tenant *tenant;

        stage_init(&stage);
        stage.rule.rank = table[i].rank;
        tenant = candidate(&stage, "docker/a", 900);
        set(&tenant->readings, table[i].rank, 900 * MIB, READING_UNLIMITED);
        set(&tenant->readings, READING_MEMORY_CURRENT, table[i].current * MIB,
            table[i].limit == READING_UNLIMITED ? READING_UNLIMITED : table[i].limit * MIB);
        assert_ptr_equal(elect(&stage, START), table[i].elected ? tenant : NULL);
        if (table[i].elected)
            continue;
        assert_non_null(strstr(stage.choice.reason, "(at its own limit)"));
        tenant->throttles[RESOURCE_MEMORY] = (struct Throttle){.holders = 1u << 1, .n_lines = 1};
        assert_ptr_equal(elect(&stage, START), tenant); /* for another rule, and the limit is that */
        tenant->throttles[RESOURCE_MEMORY] = (struct Throttle){};
        tenant->readings.valid[READING_MEMORY_CURRENT] = false;
        assert_ptr_equal(elect(&stage, START), tenant); /* how near it is nobody knows */
    }
}

/* Who is in hand is taken to the last step that can be undone, and that one is given time to show. */
static void test_one_after_the_other(void **state)
{
    static const struct {
        enum RulePhase phase;
        size_t step;
        bool failed;
        usec_t stood; /* seconds ago */
        bool waits;
    } table[] = {
        {PHASE_ACTING, 0, false, 100, true},  {PHASE_STANDING, 0, false, 100, true},
        {PHASE_ACTING, 1, false, 100, true},  {PHASE_STANDING, 1, false, 2, true},
        {PHASE_STANDING, 1, false, 3, false}, {PHASE_STANDING, 1, true, 2, false},
        {PHASE_STANDING, 2, false, 1, false}, {PHASE_RELEASING, 1, false, 1, false},
        {PHASE_PENDING, 0, false, 1, false},
    };
    struct Stage stage;

    stage_init(&stage);
    stage.rule.steps[0] = (struct Step){VERB_WARN, SECOND};
    stage.rule.steps[1] = (struct Step){VERB_FREEZE, SECOND};
    stage.rule.steps[2] = (struct Step){VERB_KILL, USEC_INFINITY};
    stage.rule.n_steps = 3;
    candidate(&stage, "docker/first", 2);
    candidate(&stage, "docker/second", 900);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        stage.tenants[0].condition.rules[0] =
            (struct RuleState){.phase = table[i].phase,
                               .step = table[i].step,
                               .step_failed = table[i].failed,
                               .stood_usec = START - table[i].stood * SECOND};
        stage.state.vain = false;
        assert_ptr_equal(elect(&stage, START), table[i].waits ? NULL : &stage.tenants[1]);
        assert_false(stage.state.vain);
    }
}

/* memory-host: When=host.memory.pressure.full > 20%, Rank=io.pressure.full, Steps=warn, throttle, freeze */
static void test_percentages(void **state)
{
    struct Stage stage;
    struct Tenant *tenant;

    stage_init(&stage);
    stage.rule.when =
        (struct Condition){READING_HOST_MEMORY_PRESSURE_FULL, COMPARISON_ABOVE, 2000, false, 5 * SECOND};
    stage.rule.rank = READING_IO_PRESSURE_FULL;
    stage.rule.floor = 500;
    stage.rule.steps[0] = (struct Step){VERB_WARN, SECOND};
    stage.rule.steps[1] = (struct Step){VERB_THROTTLE, SECOND};
    stage.rule.steps[2] = (struct Step){VERB_FREEZE, USEC_INFINITY};
    stage.rule.n_steps = 3;
    set(&stage.host, READING_HOST_MEMORY_PRESSURE_FULL, 3420, READING_UNLIMITED);
    tenant = candidate(&stage, "docker/a", 0);
    set(&tenant->readings, READING_HOST_MEMORY_PRESSURE_FULL, 3420, READING_UNLIMITED);
    set(&tenant->readings, READING_IO_PRESSURE_FULL, 8150, READING_UNLIMITED);
    assert_ptr_equal(elect(&stage, START), tenant);
    assert_string_equal(stage.choice.reason, "host.memory.pressure.full 34.2% (> 20%); docker/a has most "
                                             "io.pressure.full, 81.5%");
    set(&tenant->readings, READING_IO_PRESSURE_FULL, 499, READING_UNLIMITED);
    assert_null(elect(&stage, START));
    assert_string_equal(stage.choice.reason,
                        "nobody to throttle: host.memory.pressure.full 34.2% (> 20%); passed "
                        "over: docker/a 4.99% (below Floor=)");
    stage.rule.n_steps = 1;
    assert_null(elect(&stage, START));
    assert_non_null(strstr(stage.choice.reason, "nobody to warn: "));
}

/* Who does not list the rule, has no class or is gone is nobody's candidate. */
static void test_not_candidates(void **state)
{
    struct TenantClass other = {};
    struct Stage stage;

    stage_init(&stage);
    candidate(&stage, "docker/a", 900)->class = NULL;
    candidate(&stage, "docker/b", 900)->class = &other;
    candidate(&stage, "docker/c", 900)->gone = true;
    assert_null(elect(&stage, START));
    assert_string_equal(stage.choice.reason,
                        "nobody to freeze: host.disk.free 9.1G of 100G, 9% (< 10%); no tenant is "
                        "concerned");
    candidate(&stage, "docker/d", 2);
    assert_ptr_equal(elect(&stage, START), &stage.tenants[3]);
    assert_null(strstr(stage.choice.reason, "passed over"));
}

/* In vain: said once (the caller compares), looked at seldom, over when somebody is elected or all is well.
 */
static void test_vain(void **state)
{
    struct Stage stage;

    stage_init(&stage);
    stage.rule.when.for_usec = 0;
    assert_int_equal(host_look(&stage.state, &stage.host, START), HOST_ELECT);
    assert_null(elect(&stage, START));
    assert_true(stage.state.vain);
    assert_true(stage.state.elected_usec == 0);
    assert_true(host_look_usec(&stage.state, START) == START + HOST_DWELL_USEC);
    assert_int_equal(host_look(&stage.state, &stage.host, START + SECOND), HOST_ELECT);
    assert_true(stage.state.vain);
    set(&stage.host, READING_HOST_DISK_FREE, 50 * GIB, 100 * GIB);
    assert_int_equal(host_look(&stage.state, &stage.host, START + 2 * SECOND), HOST_QUIET);
    assert_false(stage.state.vain);
    stage.state.vain = true;
    candidate(&stage, "docker/a", 5);
    assert_non_null(elect(&stage, START));
    assert_false(stage.state.vain);
}

/* The same, in whatever order they come. */
static void test_ties(void **state)
{
    static const char *const names[] = {"docker/c", "docker/a", "docker/d", "docker/b"};
    struct Stage stage;

    for (size_t turn = 0; turn < 4; turn++) {
        stage_init(&stage);
        for (size_t i = 0; i < 4; i++)
            candidate(&stage, names[(i + turn) % 4], 7);
        assert_string_equal(elect(&stage, START)->name, "docker/a");
        assert_non_null(
            strstr(stage.choice.reason, "passed over: docker/b 7M/s, docker/c 7M/s, docker/d 7M/s"));
    }
    /* Two of one name: the older cgroup, and both are counted. */
    stage_init(&stage);
    candidate(&stage, "docker/a", 7);
    candidate(&stage, "docker/a", 7);
    assert_ptr_equal(elect(&stage, START), &stage.tenants[1]);
    assert_non_null(strstr(stage.choice.reason, "passed over: docker/a 7M/s"));
}

/* What is not known comes last, whatever was known once. */
static void test_order_of_the_unknown(void **state)
{
    struct Stage stage;

    stage_init(&stage);
    candidate(&stage, "docker/c", 90)->readings.valid[READING_DISK_GROWTH] = false;
    candidate(&stage, "docker/b", 10)->readings.valid[READING_DISK_GROWTH] = false;
    candidate(&stage, "docker/a", 5);
    assert_string_equal(elect(&stage, START)->name, "docker/a");
    assert_non_null(strstr(stage.choice.reason, "passed over: docker/b (not known), docker/c (not known)"));
}

/* --- what is said ------------------------------------------------------------------------------------ */

static void test_and_more(void **state)
{
    struct Stage stage;
    char name[16];

    stage_init(&stage);
    for (int i = 0; i < 11; i++) {
        snprintf(name, sizeof(name), "docker/%02d", i);
        candidate(&stage, name, 50 - i);
        if (i < 2)
            stage.tenants[i].untouchable = true;
    }
    assert_ptr_equal(elect(&stage, START), &stage.tenants[2]);
    assert_non_null(strstr(stage.choice.reason,
                           "passed over: docker/00 50M/s (untouchable), docker/01 49M/s "
                           "(untouchable), docker/03 47M/s, docker/04 46M/s and 6 more"));
    /* The elected one among the first is not told twice, and five are four and one more. */
    stage.n = 6;
    elect(&stage, START);
    assert_non_null(strstr(stage.choice.reason, "docker/04 46M/s and 1 more"));
    stage.n = 5;
    elect(&stage, START);
    assert_null(strstr(stage.choice.reason, "more"));
}

/* Nobody hides the others behind a long name, and there is room left for what the engine says. */
static void test_long_names(void **state)
{
    struct Stage stage;
    char name[TENANT_NAME_MAX];

    for (size_t length = 1; length < TENANT_NAME_MAX; length++) {
        stage_init(&stage);
        for (int i = 0; i < 6; i++) {
            memset(name, 'a' + i, length);
            name[length] = '\0';
            candidate(&stage, name, 50);
        }
        assert_ptr_equal(elect(&stage, START), &stage.tenants[0]);
        assert_non_null(memchr(stage.choice.reason, '\0', sizeof(stage.choice.reason)));
        assert_non_null(strstr(stage.choice.reason, stage.tenants[0].name));
        if (strlen(stage.choice.reason) > REASON_MAX - 96)
            fail_msg("length %zu: %zu", length, strlen(stage.choice.reason));
        assert_true(strstr(stage.choice.reason, " more") || strstr(stage.choice.reason, "; 5 passed over"));
        for (int i = 0; i < 6; i++)
            stage.tenants[i].untouchable = true;
        assert_null(elect(&stage, START));
        assert_true(strlen(stage.choice.reason) <= REASON_MAX - 96);
        assert_true(strstr(stage.choice.reason, " more") || strstr(stage.choice.reason, "; 6 passed over"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_looks_are_not_late),
        cmocka_unit_test(test_dwells_after_an_election_at_zero),
        cmocka_unit_test(test_most_is_elected),
        cmocka_unit_test(test_rivals),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_never_elected),
        cmocka_unit_test(test_avoided),
        cmocka_unit_test(test_not_in_hand),
        cmocka_unit_test(test_second_rule),
        cmocka_unit_test(test_at_its_own_limit),
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_percentages),
        cmocka_unit_test(test_not_candidates),
        cmocka_unit_test(test_vain),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_order_of_the_unknown),
        cmocka_unit_test(test_and_more),
        cmocka_unit_test(test_long_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
