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

int unit_set_limit(struct UnitManager *manager, const char *unit, enum LimitId limit, uint64_t value,
                   uint64_t tenant_id)
{
    told_value = value;
    told++;
    return 0;
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
    assert_int_equal(outcome->result, RESULT_DONE);
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
    ground->tenant.limit_slots[LIMIT_TASKS_MAX] = LEDGER_SLOT_NONE;
    told = 0;
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
}

static void settling(struct Ground *ground, bool yes)
{
    ground->tenant.limits_due_usec = yes ? 100 : USEC_INFINITY;
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

/* Told, then another value written direct (a reload within seconds of a change of cgroup.events): the release
 * goes to PID 1 all the same, or it would come back to the value that it knows. */
static void told_then_direct(void **state)
{
    struct Ground *ground = *state;

    limit(ground, VERB_LIMIT, 100);
    assert_int_equal(told, 1);
    systemd_answers(ground);
    settling(ground, true);
    limit(ground, VERB_LIMIT, 50);
    limit(ground, VERB_LIMIT, 40);
    in_force(ground, "40");
    assert_int_equal(told, 1);
    assert_true(state_of(ground)->untold);
    limit(ground, VERB_UNLIMIT, LIMIT_INFINITY);
    assert_int_equal(told, 2);
    assert_true(told_value == LIMIT_INFINITY);
    systemd_answers(ground);
    in_force(ground, "max");
    assert_false(state_of(ground)->applied);

    /* that is over: what is written direct from now on it need not hear of */
    limit(ground, VERB_LIMIT, 30);
    limit(ground, VERB_UNLIMIT, LIMIT_INFINITY);
    assert_int_equal(told, 2);
    in_force(ground, "max");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(never_told),
        TEST(told_at_last),
        TEST(told_then_direct),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
