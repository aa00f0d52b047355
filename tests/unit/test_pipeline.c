/* The way of a limit: what is written direct, what goes through systemd, and what a release has to take back
 * from whom. systemd is made up here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "limiting.h"
#include "tests/unit/act/fake_cgroup.h"

struct Ground {
    struct Ledger ledger;
    struct History history;
    struct Pipeline pipeline;
    struct Tenant tenant;
    int dir_fd;
    char directory[64];
};

/* What PID 1 was told last, and how often. */
static uint64_t told_value;
static unsigned told;
static enum LimitId told_limit;
/* What came of the last limit. */
static struct Outcome last;
static uint64_t last_action; /* its number */

int unit_set_limit(struct UnitManager *manager, const char *unit, enum LimitId limit, uint64_t value,
                   uint64_t tenant_id)
{
    told_value = value;
    told_limit = limit;
    told++;
    return 0;
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
    return 1;
}

static void settled(void *userdata, struct Tenant *tenant, const struct Decision *decision,
                    const struct Outcome *outcome, uint64_t ticket, usec_t now)
{
    last = *outcome;
    last_action = decision->action;
}

static int no_sink(void *userdata, const struct Event *event, uint64_t lost)
{
    return 0;
}

static int set_up(void **state)
{
    struct Ground *ground = calloc(1, sizeof(*ground));
    struct LedgerReport report;

    strcpy(ground->directory, "/tmp/guardd-test-XXXXXX");
    assert_non_null(mkdtemp(ground->directory));
    ground->dir_fd = open(ground->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(ledger_open(&ground->ledger, ground->dir_fd, "ledger", &report), 0);
    assert_int_equal(ledger_reserve(&ground->ledger, 8), 0);
    assert_int_equal(history_open_sink(&ground->history, 64, no_sink, NULL), 0);
    ground->pipeline = (struct Pipeline){.ledger = &ground->ledger,
                                         .history = &ground->history,
                                         .mode = MODE_ENFORCE,
                                         .clock = no_clock,
                                         .settled = settled};
    ground->tenant.cgroup = fake_cgroup(1);
    ground->tenant.cgroup.path = strdup("system.slice/docker-1.scope");
    ground->tenant.cgroup.unit = strdup("docker-1.scope");
    ground->tenant.limits_due_usec = USEC_INFINITY;
    for (int id = 0; id < LIMIT_COUNT; id++)
        ground->tenant.limit_slots[id] = LEDGER_SLOT_NONE;
    told = 0;
    last = (struct Outcome){.result = RESULT_DONE};
    *state = ground;
    return 0;
}

static int tear_down(void **state)
{
    struct Ground *ground = *state;

    free(ground->tenant.cgroup.path);
    free(ground->tenant.cgroup.unit);
    fake_cgroup_close(&ground->tenant.cgroup);
    history_close(&ground->history);
    ledger_close(&ground->ledger);
    unlinkat(ground->dir_fd, "ledger", 0);
    close(ground->dir_fd);
    rmdir(ground->directory);
    free(ground);
    return 0;
}

static void limit(struct Ground *ground, enum Verb verb, uint64_t value)
{
    struct Decision decision = {.verb = verb,
                                .cause = CAUSE_CLASS,
                                .holder = HOLDER_OPERATOR,
                                .limit = LIMIT_TASKS_MAX,
                                .value = value,
                                .at_usec = 1};

    pipeline_carry_out(&ground->pipeline, &ground->tenant, &decision, 0, 1);
    assert_int_equal(last.result, RESULT_DONE);
}

/* What PID 1 does then: it writes what it was told. */
static void systemd_answers(struct Ground *ground)
{
    char text[32];

    if (told_value == LIMIT_INFINITY)
        strcpy(text, "max\n");
    else
        snprintf(text, sizeof(text), "%llu\n", (unsigned long long)told_value);
    fake_say(ground->tenant.cgroup.pids_max_fd, text);
    limiting_answer(&ground->pipeline, &ground->tenant, LIMIT_TASKS_MAX, 0, NULL, 1);
    assert_int_equal(last.result, RESULT_DONE);
    assert_int_not_equal(last_action, 0);
    assert_int_equal(last_action, ground->pipeline.last_action); /* that of the last decision */
}

static void settling(struct Ground *ground, bool yes)
{
    ground->tenant.settling = yes;
}

static void in_force(const struct Ground *ground, const char *wanted)
{
    char text[32];

    fake_read(ground->tenant.cgroup.pids_max_fd, text, sizeof(text));
    text[strcspn(text, "\n")] = '\0';
    assert_string_equal(text, wanted);
}

static const struct LimitState *state_of(const struct Ground *ground)
{
    return &ground->tenant.limits[LIMIT_TASKS_MAX];
}

/* A newcomer: PID 1 hears of nothing, so there is nothing that it would have to forget. */
static void never_told(void **state)
{
    struct Ground *ground = *state;

    settling(ground, true);
    limit(ground, VERB_LIMIT, 100);
    limit(ground, VERB_LIMIT, 90);
    in_force(ground, "90");
    limit(ground, VERB_UNLIMIT, LIMIT_INFINITY);
    in_force(ground, "max");
    assert_int_equal(told, 0);
    assert_false(state_of(ground)->applied);
}

/* At the last look it is told, and then it has to be told of the release. */
static void told_at_last(void **state)
{
    struct Ground *ground = *state;

    settling(ground, true);
    limit(ground, VERB_LIMIT, 100);
    settling(ground, false);
    limit(ground, VERB_LIMIT, 100);
    assert_int_equal(told, 1);
    systemd_answers(ground);
    limit(ground, VERB_UNLIMIT, LIMIT_INFINITY);
    assert_int_equal(told, 2);
    systemd_answers(ground);
    in_force(ground, "max");
    assert_false(state_of(ground)->applied);
}

/* PID 1 writes the value that it knows whenever it applies the unit's cgroup. So what it was told of once it
 * is told of again, also where the tenant is to be looked at (a reload, an override that has ended). */
static void told_stays_told(void **state)
{
    struct Ground *ground = *state;

    limit(ground, VERB_LIMIT, 100);
    assert_int_equal(told, 1);
    systemd_answers(ground);
    settling(ground, true);
    limit(ground, VERB_LIMIT, 50);
    assert_int_equal(told, 2);
    assert_true(told_value == 50);
    systemd_answers(ground);
    in_force(ground, "50");
    assert_false(state_of(ground)->untold);
    limit(ground, VERB_UNLIMIT, LIMIT_INFINITY);
    assert_int_equal(told, 3);
    systemd_answers(ground);
    in_force(ground, "max");

    /* that is over: what is written direct from now on it need not hear of */
    limit(ground, VERB_LIMIT, 30);
    limit(ground, VERB_UNLIMIT, LIMIT_INFINITY);
    assert_int_equal(told, 3);
    in_force(ground, "max");
}

/* --- what files of memory, CPU and I/O keep --------------------------------------------------------- */

/* An operator asks: an override, whose limit is looked at now. */
static void ask(struct Ground *ground, enum LimitId id, uint64_t value)
{
    ground->tenant.overrides.set[id] = true;
    ground->tenant.overrides.value[id] = value;
    limiting_check(&ground->pipeline, &ground->tenant, 1);
}

static void take_back(struct Ground *ground, enum LimitId id)
{
    ground->tenant.overrides.set[id] = false;
    limiting_check(&ground->pipeline, &ground->tenant, 1);
}

static void no_unit(struct Ground *ground)
{
    free(ground->tenant.cgroup.unit);
    ground->tenant.cgroup.unit = NULL;
}

static void file_has(const struct Ground *ground, enum CgroupFile file, const char *wanted)
{
    char text[64];

    fake_read(ground->tenant.cgroup.files[file], text, sizeof(text));
    text[strcspn(text, "\n")] = '\0';
    assert_string_equal(text, wanted);
}

/* Written, written down, and given back as found. */
static void each_is_set_and_given_back(void **state)
{
    static const struct {
        enum LimitId id;
        enum CgroupFile file;
        uint64_t value, found;
        const char *before, *set;
    } table[] = {
        {LIMIT_MEMORY_HIGH, CGROUP_MEMORY_HIGH, 1 << 20, LIMIT_INFINITY, "max", "1048576"},
        {LIMIT_MEMORY_MAX, CGROUP_MEMORY_MAX, 2 << 20, 8 << 20, "8388608", "2097152"},
        {LIMIT_MEMORY_SWAP_MAX, CGROUP_MEMORY_SWAP_MAX, 0, LIMIT_INFINITY, "max", "0"},
        {LIMIT_CPU_QUOTA, CGROUP_CPU_MAX, 5000, LIMIT_INFINITY, "max 50000", "25000 50000"},
        {LIMIT_CPU_QUOTA, CGROUP_CPU_MAX, 20000, 5000, "50000 100000", "200000 100000"},
        {LIMIT_CPU_WEIGHT, CGROUP_CPU_WEIGHT, 50, 100, "100", "50"},
        {LIMIT_IO_WEIGHT, CGROUP_IO_WEIGHT, 50, 200, "default 200", "default 50"},
    };
    struct Ground *ground = *state;

    no_unit(ground);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct LimitState *limit_state = &ground->tenant.limits[table[i].id];
        struct LedgerEntry entry;

        fake_say(ground->tenant.cgroup.files[table[i].file], table[i].before);
        ask(ground, table[i].id, table[i].value);
        file_has(ground, table[i].file, table[i].set);
        assert_int_equal(last.result, RESULT_DONE);
        assert_true(limit_state->applied);
        assert_int_equal(ledger_get(&ground->ledger, ground->tenant.limit_slots[table[i].id], &entry), 0);
        assert_int_equal(entry.limit, table[i].id);
        assert_true(entry.found == table[i].found && entry.value == table[i].value);
        assert_false(limiting_look(&ground->tenant));
        take_back(ground, table[i].id);
        file_has(ground, table[i].file, table[i].before);
        assert_false(limit_state->applied);
        assert_int_equal(ground->tenant.limit_slots[table[i].id], LEDGER_SLOT_NONE);
    }
    assert_int_equal(told, 0);
}

/* The kernel keeps whole pages: that is what was asked for, and nobody else's doing. */
static void rounded_is_in_force(void **state)
{
    struct Ground *ground = *state;

    ask(ground, LIMIT_MEMORY_MAX, 1000000000);
    assert_int_equal(told_limit, LIMIT_MEMORY_MAX);
    fake_say(ground->tenant.cgroup.files[CGROUP_MEMORY_MAX], "999997440\n");
    limiting_answer(&ground->pipeline, &ground->tenant, LIMIT_MEMORY_MAX, 0, NULL, 1);
    assert_int_equal(last.result, RESULT_DONE);
    assert_false(limiting_look(&ground->tenant));
    limiting_check(&ground->pipeline, &ground->tenant, 2);
    assert_int_equal(told, 1);
    assert_true(ground->tenant.limits[LIMIT_MEMORY_MAX].found == LIMIT_INFINITY);
}

/* Somebody else's value is seen by who looks, and mended by the check that is due then. */
static void drift_is_seen_and_mended(void **state)
{
    struct Ground *ground = *state;

    no_unit(ground);
    ask(ground, LIMIT_CPU_QUOTA, 5000);
    ask(ground, LIMIT_MEMORY_MAX, 1 << 30);
    assert_false(limiting_look(&ground->tenant));
    fake_say(ground->tenant.cgroup.files[CGROUP_CPU_MAX], "90000 100000\n");
    assert_true(limiting_look(&ground->tenant));
    assert_int_equal(ground->tenant.views[LIMIT_CPU_QUOTA].present, 9000);
    limiting_check(&ground->pipeline, &ground->tenant, 2);
    file_has(ground, CGROUP_CPU_MAX, "50000 100000");
    assert_int_equal(ground->tenant.limits[LIMIT_CPU_QUOTA].found, 9000);
    assert_false(limiting_look(&ground->tenant));
}

/* systemd enables the controller when it is told; before, there is nothing in force and nothing to write. */
static void a_unit_without_the_controller(void **state)
{
    struct Ground *ground = *state;
    struct Cgroup *cgroup = &ground->tenant.cgroup;
    int weight = cgroup->files[CGROUP_CPU_WEIGHT];

    cgroup->files[CGROUP_CPU_WEIGHT] = -EBADF;
    settling(ground, true);
    ask(ground, LIMIT_CPU_WEIGHT, 50);
    assert_int_equal(told, 0); /* it is being started */
    assert_false(ground->tenant.limits[LIMIT_CPU_WEIGHT].applied);
    settling(ground, false);
    limiting_check(&ground->pipeline, &ground->tenant, 2);
    assert_int_equal(told, 1);
    assert_int_equal(ground->tenant.limits[LIMIT_CPU_WEIGHT].found, 100);
    cgroup->files[CGROUP_CPU_WEIGHT] = weight;
    fake_say(weight, "50\n");
    limiting_answer(&ground->pipeline, &ground->tenant, LIMIT_CPU_WEIGHT, 0, NULL, 3);
    assert_int_equal(last.result, RESULT_DONE);

    /* and may disable it again with the last limit: the file goes, the cgroup stays */
    take_back(ground, LIMIT_CPU_WEIGHT);
    assert_int_equal(told, 2);
    assert_true(told_value == 100);
    fake_gone(weight);
    limiting_answer(&ground->pipeline, &ground->tenant, LIMIT_CPU_WEIGHT, 0, NULL, 4);
    assert_int_equal(last.result, RESULT_DONE);
    assert_false(ground->tenant.limits[LIMIT_CPU_WEIGHT].applied);
    assert_int_equal(cgroup->files[CGROUP_CPU_WEIGHT], -EBADF);
}

/* Where there is no unit nobody would enable it: said, and not tried. */
static void no_unit_and_no_controller(void **state)
{
    struct Ground *ground = *state;
    uint64_t value;

    no_unit(ground);
    close(ground->tenant.cgroup.files[CGROUP_IO_WEIGHT]);
    ground->tenant.cgroup.files[CGROUP_IO_WEIGHT] = -EBADF;
    ask(ground, LIMIT_IO_WEIGHT, 50);
    assert_false(ground->tenant.limits[LIMIT_IO_WEIGHT].applied);
    assert_string_equal(ground->tenant.limits[LIMIT_IO_WEIGHT].note,
                        "its cgroup has no io.weight: the io controller is not enabled");
    assert_int_equal(limiting_present(&ground->tenant, LIMIT_IO_WEIGHT, &value), -EBADF);
    take_back(ground, LIMIT_IO_WEIGHT);
    assert_string_equal(ground->tenant.limits[LIMIT_IO_WEIGHT].note, "");
    fake_cgroup_gone(&ground->tenant.cgroup);
    assert_int_equal(limiting_present(&ground->tenant, LIMIT_CPU_QUOTA, &value), -ENODEV);
}

/* A class that is new to a tenant does not have it killed: what it uses is read first. */
static void a_class_comes_late(void **state)
{
    static struct TenantClass class = {.name = "jobs"};
    struct Ground *ground = *state;

    no_unit(ground);
    ground->tenant.was_here = true;
    ground->tenant.class = &class;
    class.limits.set[LIMIT_MEMORY_MAX] = true;
    class.limits.value[LIMIT_MEMORY_MAX] = 1 << 20;
    fake_say(ground->tenant.cgroup.files[CGROUP_MEMORY_CURRENT], "2097152\n");
    limiting_check(&ground->pipeline, &ground->tenant, 1);
    file_has(ground, CGROUP_MEMORY_MAX, "max");
    assert_string_equal(ground->tenant.limits[LIMIT_MEMORY_MAX].note,
                        "not set: 2M are used already, more than 1M");
    fake_say(ground->tenant.cgroup.files[CGROUP_MEMORY_CURRENT], "1048576\n");
    limiting_check(&ground->pipeline, &ground->tenant, 2);
    file_has(ground, CGROUP_MEMORY_MAX, "1048576");
}

/* Limits take room of their own in the ledger: a freeze must find the room that was made for it. */
static void holds_keep_their_room(void **state)
{
    struct Ground *ground = *state;

    no_unit(ground);
    ground->pipeline.reserved = ground->ledger.n_slots - 1; /* all that is there */
    for (int id = LIMIT_MEMORY_HIGH; id < LIMIT_RATE_FIRST; id++)
        ask(ground, (enum LimitId)id, 2 << 10);
    assert_int_equal(ground->ledger.n_used, LIMIT_RATE_FIRST - LIMIT_MEMORY_HIGH);
    assert_true(ground->ledger.n_slots - 1 - ground->ledger.n_used >= ground->pipeline.reserved);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(never_told),
        TEST(told_at_last),
        TEST(told_stays_told),
        TEST(each_is_set_and_given_back),
        TEST(rounded_is_in_force),
        TEST(drift_is_seen_and_mended),
        TEST(a_unit_without_the_controller),
        TEST(no_unit_and_no_controller),
        TEST(a_class_comes_late),
        TEST(holds_keep_their_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
