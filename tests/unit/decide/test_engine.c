/* The escalation, cell by cell (phase × event), and the stories that the cells make up. */
#include "fixture.h"

/* --- the table: each phase is reached by the public way, then each event is let in ------------------ */

enum Input {
    INPUT_QUIET,     /* a look: When false, Until false */
    INPUT_HOLDS,     /* a look: When true, its `for` not over */
    INPUT_DUE,       /* a look: When true for long enough */
    INPUT_STEP_OVER, /* a look: the step's time is over, no relief */
    INPUT_RELIEVED,  /* a look: Until held for as long as it asks */
    INPUT_TOOK,
    INPUT_FAILED,
    INPUT_COUNT,
};

static void bring_to(struct World *world, enum RulePhase phase)
{
    world_init(world);
    world->rule.when.for_usec = 3 * SECOND;
    if (phase == PHASE_IDLE)
        return;
    world_look(world, 1024, 7);
    if (phase == PHASE_PENDING)
        return;
    world->now += 3 * SECOND;
    world_look(world, 1024, 7);
    if (phase == PHASE_ACTING)
        return;
    world_outcome(world, RESULT_DONE);
    if (phase == PHASE_STANDING)
        return;
    world_look(world, 10, 0);
    world->now += 10 * SECOND;
    world_look(world, 10, 0);
}

static void let_in(struct World *world, enum Input input)
{
    bool pending = world_phase(world) == PHASE_PENDING;

    switch (input) {
    case INPUT_QUIET:
        world_look(world, 1024, 0);
        break;
    case INPUT_HOLDS:
        world_look(world, 1024, 5);
        break;
    case INPUT_DUE:
        if (!pending)
            world->rule.when.for_usec = 0;
        else
            world->now += 3 * SECOND;
        world_look(world, 1024, 5);
        break;
    case INPUT_STEP_OVER:
        world->now += 5 * SECOND;
        world_look(world, 1024, 0);
        break;
    case INPUT_RELIEVED:
        world_look(world, 10, 0);
        world->now += 10 * SECOND;
        world_look(world, 10, 0);
        break;
    case INPUT_TOOK:
    case INPUT_FAILED:
        if (world->decisions.n == 0) {
            world->decisions.n = 1;
            world->decisions.list[0] = (struct Decision){.verb = VERB_FREEZE, .holder = 0};
        }
        world_outcome(world, input == INPUT_TOOK ? RESULT_DONE : RESULT_FAILED);
        break;
    default:
        break;
    }
}

static void test_every_cell(void **state)
{
    static const struct {
        enum RulePhase next;
        enum Verb verb; /* VERB_INVALID: nothing is decided */
    } cells[PHASE_COUNT][INPUT_COUNT] = {
        [PHASE_IDLE] = {{PHASE_IDLE, VERB_INVALID},
                        {PHASE_PENDING, VERB_INVALID},
                        {PHASE_ACTING, VERB_FREEZE},
                        {PHASE_IDLE, VERB_INVALID},
                        {PHASE_IDLE, VERB_INVALID},
                        {PHASE_IDLE, VERB_INVALID},
                        {PHASE_IDLE, VERB_INVALID}},
        [PHASE_PENDING] = {{PHASE_IDLE, VERB_INVALID},
                           {PHASE_PENDING, VERB_INVALID},
                           {PHASE_ACTING, VERB_FREEZE},
                           {PHASE_IDLE, VERB_INVALID}, /* no refused fork any more */
                           {PHASE_IDLE, VERB_INVALID},
                           {PHASE_PENDING, VERB_INVALID},
                           {PHASE_PENDING, VERB_INVALID}},
        [PHASE_ACTING] = {{PHASE_ACTING, VERB_INVALID},
                          {PHASE_ACTING, VERB_INVALID},
                          {PHASE_ACTING, VERB_INVALID},
                          {PHASE_ACTING, VERB_INVALID},
                          {PHASE_ACTING, VERB_INVALID},
                          {PHASE_STANDING, VERB_INVALID},
                          {PHASE_STANDING, VERB_INVALID}},
        [PHASE_STANDING] = {{PHASE_STANDING, VERB_INVALID},
                            {PHASE_STANDING, VERB_INVALID},
                            {PHASE_STANDING, VERB_INVALID},
                            {PHASE_ACTING, VERB_KILL},
                            {PHASE_RELEASING, VERB_THAW},
                            {PHASE_STANDING, VERB_INVALID},
                            {PHASE_STANDING, VERB_INVALID}},
        [PHASE_RELEASING] = {{PHASE_RELEASING, VERB_INVALID},
                             {PHASE_RELEASING, VERB_INVALID},
                             {PHASE_RELEASING, VERB_INVALID},
                             {PHASE_RELEASING, VERB_INVALID}, /* a retry is due only after a failure */
                             {PHASE_RELEASING, VERB_INVALID},
                             {PHASE_IDLE, VERB_INVALID},
                             {PHASE_RELEASING, VERB_INVALID}},
    };

    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (int input = 0; input < INPUT_COUNT; input++) {
            struct World world;

            bring_to(&world, (enum RulePhase)phase);
            assert_int_equal(world_phase(&world), phase);
            let_in(&world, (enum Input)input);
            if (world_phase(&world) != cells[phase][input].next)
                fail_msg("phase %d, input %d: went to %d", phase, input, world_phase(&world));
            if (cells[phase][input].verb == VERB_INVALID)
                assert_nothing_decided(&world);
            else
                assert_decided(&world, cells[phase][input].verb);
        }
}

/* --- stories --------------------------------------------------------------------------------------- */

static void freeze_it(struct World *world)
{
    world_look(world, 1024, 37);
    assert_decided(world, VERB_FREEZE);
    assert_string_equal(world->decisions.list[0].rule, "fork-bomb");
    assert_non_null(strstr(world->decisions.list[0].reason, "tasks.denied 37 (> 0)"));
    assert_non_null(strstr(world->decisions.list[0].reason, "1024 of 1024, 100%"));
    assert_true(world->decisions.list[0].begins);
    assert_int_equal(world->decisions.list[0].step, 1);
    assert_int_equal(world->decisions.list[0].n_steps, world->tenant.class->rules[0]->n_steps);
    assert_int_equal(world->decisions.list[0].when.value, 37);
    assert_int_equal(world->decisions.list[0].when.limit, READING_UNLIMITED);
    assert_int_equal(world->decisions.list[0].when.condition.reading, READING_TASKS_DENIED);
    assert_int_equal(world->decisions.list[0].until.value, 1024);
    assert_int_equal(world->decisions.list[0].until.limit, 1024);
    assert_false(world->decisions.list[0].rivals.any);
    world_outcome(world, RESULT_DONE);
    assert_nothing_decided(world);
}

static void kill_it(struct World *world)
{
    freeze_it(world);
    world->now += 5 * SECOND;
    world_look(world, 1024, 0);
    assert_decided(world, VERB_KILL);
}

static void test_frozen_then_killed(void **state)
{
    struct World world;

    world_init(&world);
    freeze_it(&world);
    world.now += 4 * SECOND;
    world_look(&world, 1024, 0);
    assert_nothing_decided(&world);
    world.now += 1 * SECOND;
    world_look(&world, 1024, 0);
    assert_decided(&world, VERB_KILL);
    world_outcome(&world, RESULT_DONE);
    /* What was frozen is given back to whoever uses the cgroup next. */
    assert_decided(&world, VERB_THAW);
    world_outcome(&world, RESULT_DONE);
    assert_int_equal(world_phase(&world), PHASE_IDLE);
    assert_true(world.tenant.condition.look_usec == USEC_INFINITY);
}

static void test_relief_thaws(void **state)
{
    struct World world;

    world_init(&world);
    world.rule.n_steps = 1;
    world.rule.steps[0].lasts_usec = USEC_INFINITY;
    freeze_it(&world);
    world_look(&world, 100, 0);
    world.now += 9 * SECOND;
    world_look(&world, 600, 0); /* back above: the relief begins anew */
    world_look(&world, 100, 0);
    world.now += 9 * SECOND;
    world_look(&world, 100, 0);
    assert_nothing_decided(&world);
    world.now += 1 * SECOND;
    world_look(&world, 100, 0);
    assert_decided(&world, VERB_THAW);
    assert_int_equal(world.decisions.list[0].cause, CAUSE_RELIEF);
    world_outcome(&world, RESULT_DONE);
    assert_int_equal(world_phase(&world), PHASE_IDLE);
}

static void test_measured_again_before_kill(void **state)
{
    struct World world;

    world_init(&world);
    freeze_it(&world);
    world.now += 5 * SECOND;
    world_look(&world, 100, 0);
    assert_nothing_decided(&world);
    assert_int_equal(world_phase(&world), PHASE_STANDING);
    world.now += 1 * SECOND;
    world_look(&world, 1000, 0);
    assert_decided(&world, VERB_KILL);
}

static void test_repeat_offender(void **state)
{
    struct World world;

    world_init(&world);
    kill_it(&world);
    world_outcome(&world, RESULT_DONE);
    /* The runtime starts it again: another cgroup, the same name. */
    engine_reset(&world.tenant);
    world.tenant.condition.holders = 0;
    world.now += 20 * SECOND;
    world_look(&world, 1024, 3);
    assert_decided(&world, VERB_KILL);
    assert_non_null(strstr(world.decisions.list[0].reason, "straight to the last step"));
    /* Forgotten after the memory. */
    engine_reset(&world.tenant);
    world.now += OFFENCE_MEMORY_USEC;
    world_look(&world, 1024, 3);
    assert_decided(&world, VERB_FREEZE);
}

static void test_repeat_offender_at_peace_is_not_killed(void **state)
{
    struct World world;

    world_init(&world);
    kill_it(&world);
    engine_reset(&world.tenant);
    world.tenant.condition.holders = 0;
    world_look(&world, 100, 1);
    assert_decided(&world, VERB_FREEZE);
}

static usec_t thaw_delay(struct World *world)
{
    usec_t since;

    world_look(world, 1024, 1);
    assert_decided(world, VERB_FREEZE);
    world_outcome(world, RESULT_DONE);
    world_look(world, 10, 0);
    since = world->now;
    while (world->decisions.n == 0) {
        world->now = world->tenant.condition.look_usec;
        world_look(world, 10, 0);
    }
    assert_decided(world, VERB_THAW);
    world_outcome(world, RESULT_DONE);
    return world->now - since;
}

static void test_thaw_delays_grow(void **state)
{
    struct World world;

    world_init(&world);
    world.rule.n_steps = 1;
    world.rule.steps[0].lasts_usec = USEC_INFINITY;
    assert_true(thaw_delay(&world) == 10 * SECOND);
    assert_true(thaw_delay(&world) == 20 * SECOND);
    assert_true(thaw_delay(&world) == 40 * SECOND);
    for (int i = 0; i < 12; i++)
        assert_true(thaw_delay(&world) <= THAW_DELAY_MAX_USEC);
}

static void test_budget_spent(void **state)
{
    struct World world;

    world_init(&world);
    world.policy.kill_limit.kills = 1;
    budget_spend(&world.budget, world.now);
    freeze_it(&world);
    world.now += 5 * SECOND;
    world_look(&world, 1024, 0);
    assert_decided(&world, VERB_WARN); /* it is frozen already: said, not done */
    assert_non_null(strstr(world.decisions.list[0].reason, "kill budget of 1 in 1min is spent"));
    world_outcome(&world, RESULT_DONE);
    world.now += 1 * SECOND;
    world_look(&world, 1024, 0);
    assert_nothing_decided(&world); /* said once */
    assert_true(world.tenant.condition.holders != 0);
    world.now = START + 60 * SECOND;
    world_look(&world, 1024, 0);
    assert_decided(&world, VERB_KILL);
}

static void test_budget_spent_freezes_repeat_offender(void **state)
{
    struct World world;

    world_init(&world);
    world.policy.kill_limit.kills = 1;
    budget_spend(&world.budget, world.now);
    offences_add(&world.offences, "docker/web", "fork-bomb", world.now);
    world_look(&world, 1024, 9);
    assert_decided(&world, VERB_FREEZE);
    assert_non_null(strstr(world.decisions.list[0].reason, "kill withheld"));
    world_outcome(&world, RESULT_DONE);
    world.now = START + 60 * SECOND;
    world_look(&world, 1024, 0);
    assert_decided(&world, VERB_KILL);
}

/* The freeze in place of the kill does not take (a process that cannot be frozen): tried again, and said. */
static void test_budget_spent_and_not_frozen(void **state)
{
    struct World world;

    world_init(&world);
    world.policy.kill_limit.kills = 1;
    budget_spend(&world.budget, world.now);
    offences_add(&world.offences, "docker/web", "fork-bomb", world.now);
    world_look(&world, 1024, 9);
    for (int i = 0; i < 3; i++) {
        assert_decided(&world, VERB_FREEZE);
        world_outcome(&world, RESULT_FAILED);
        world.now += 4 * SECOND;
        world_look(&world, 1024, 9);
        assert_nothing_decided(&world);
        world.now += 1 * SECOND;
        world_look(&world, 1024, 9);
    }
    assert_decided(&world, VERB_FREEZE);
    assert_true(world.decisions.list[0].withheld);
    world_outcome(&world, RESULT_DONE);
    world.now += 5 * SECOND;
    world_look(&world, 1024, 9);
    assert_nothing_decided(&world);
    world.now = START + 60 * SECOND;
    world_look(&world, 1024, 9);
    assert_decided(&world, VERB_KILL);
}

static void test_no_kills_at_all(void **state)
{
    struct World world;

    world_init(&world);
    world.policy.kill_limit.kills = 0;
    freeze_it(&world);
    for (int i = 0; i < 100; i++) {
        world.now += 5 * SECOND;
        world_look(&world, 1024, 0);
        for (size_t k = 0; k < world.decisions.n; k++)
            assert_int_equal(world.decisions.list[k].verb, VERB_WARN);
    }
}

static void test_protected_is_only_warned_about(void **state)
{
    struct World world;
    int warnings = 0;

    world_init(&world);
    snprintf(world.tenant.protected_by, sizeof(world.tenant.protected_by), "system.slice/ssh*");
    for (int i = 0; i < 60; i++) {
        world_look(&world, 1024, 5);
        for (size_t k = 0; k < world.decisions.n; k++) {
            assert_int_equal(world.decisions.list[k].verb, VERB_WARN);
            assert_non_null(strstr(world.decisions.list[k].reason, "protected (system.slice/ssh*)"));
            warnings++;
        }
        world.now += 1 * SECOND;
    }
    assert_int_equal(warnings, 1);
}

/* guardd's own, whether or not it is told why; and where the last step is no kill. */
static void test_untouchable_is_only_warned_about(void **state)
{
    struct World world;
    int warnings = 0;

    world_init(&world);
    world.rule.n_steps = 1;
    world.rule.steps[0].lasts_usec = USEC_INFINITY;
    world.tenant.untouchable = true;
    for (int i = 0; i < 60; i++) {
        world_look(&world, 1024, 5);
        for (size_t k = 0; k < world.decisions.n; k++) {
            assert_int_equal(world.decisions.list[k].verb, VERB_WARN);
            assert_non_null(strstr(world.decisions.list[k].reason, "freeze withheld: protected"));
            warnings++;
        }
        world.now += 1 * SECOND;
    }
    assert_int_equal(warnings, 1);
    /* It is tried again as anything is that could not be done. */
    world_look(&world, 1024, 5);
    world.tenant.untouchable = false;
    world.now += RETRY_USEC - SECOND;
    world_look(&world, 1024, 5);
    assert_nothing_decided(&world);
    world.now += SECOND;
    world_look(&world, 1024, 5);
    assert_decided(&world, VERB_FREEZE);
}

/* Who is only warned about never offends. */
static void test_a_warning_is_no_offence(void **state)
{
    struct World world;

    world_init(&world);
    world.rule.n_steps = 1;
    world.rule.steps[0] = (struct Step){VERB_WARN, USEC_INFINITY};
    world_look(&world, 1024, 5);
    assert_decided(&world, VERB_WARN);
    assert_int_equal(offences_count(&world.offences, "docker/web", "fork-bomb", world.now), 0);
}

/* Neither a decision nor what is said in place of one is written behind the end of the list. */
static void test_full_list_takes_no_more(void **state)
{
    for (int is_protected = 0; is_protected < 2; is_protected++) {
        struct World world;
        struct {
            struct Decisions full;
            struct Decision behind;
        } memory = {.full.n = DECISIONS_MAX, .behind.verb = VERB_LIMIT};

        world_init(&world);
        world_look(&world, 10, 0);
        world.tenant.readings.value[READING_TASKS_DENIED] = 5;
        if (is_protected)
            snprintf(world.tenant.protected_by, sizeof(world.tenant.protected_by), "init.scope");
        engine_look(&world.engine, &world.tenant, world.now, &memory.full);
        assert_int_equal(memory.full.n, DECISIONS_MAX);
        assert_int_equal(memory.behind.verb, VERB_LIMIT);
        assert_false(memory.behind.withheld);
    }
}

static void test_grace_before_kill(void **state)
{
    struct World world;

    world_init(&world);
    world.policy.kill_limit.kills = 1;
    world.rule.steps[1] = (struct Step){VERB_TERMINATE, 10 * SECOND};
    world.rule.steps[2] = (struct Step){VERB_KILL, USEC_INFINITY};
    world.rule.n_steps = 3;
    freeze_it(&world);
    world.now += 5 * SECOND;
    world_look(&world, 1024, 0);
    assert_decided(&world, VERB_TERMINATE);
    world.tenant.condition.holders = 0;
    world_outcome(&world, RESULT_DONE);
    world.now += 9 * SECOND;
    world_look(&world, 900, 0);
    assert_nothing_decided(&world);
    world.now += 1 * SECOND;
    world_look(&world, 900, 0);
    assert_decided(&world, VERB_KILL); /* paid with the SIGTERM: a budget of one is enough */
}

static void test_failed_freeze_goes_on_to_kill(void **state)
{
    struct World world;

    world_init(&world);
    world_look(&world, 1024, 5);
    world_outcome(&world, RESULT_FAILED);
    assert_int_equal(world_phase(&world), PHASE_STANDING);
    assert_true(world.tenant.condition.rules[0].step_failed);
    world.now += 5 * SECOND;
    world_look(&world, 1024, 5);
    assert_decided(&world, VERB_KILL);
}

static void test_failed_last_step_is_tried_again(void **state)
{
    struct World world;

    world_init(&world);
    kill_it(&world);
    world_outcome(&world, RESULT_FAILED);
    world_look(&world, 1024, 0);
    assert_nothing_decided(&world);
    world.now += RETRY_USEC;
    world_look(&world, 1024, 0);
    assert_decided(&world, VERB_KILL);
}

static void test_failed_thaw_is_tried_again(void **state)
{
    struct World world;

    bring_to(&world, PHASE_RELEASING);
    world_outcome(&world, RESULT_FAILED);
    world_look(&world, 10, 0);
    assert_nothing_decided(&world);
    world.now = world.tenant.condition.look_usec;
    world_look(&world, 10, 0);
    assert_decided(&world, VERB_THAW);
}

static void test_observing_kills_once(void **state)
{
    struct World world;

    world_init(&world);
    world_look(&world, 1024, 5);
    world_outcome(&world, RESULT_OBSERVED);
    world.now += 5 * SECOND;
    world_look(&world, 1024, 5);
    assert_decided(&world, VERB_KILL);
    world_outcome(&world, RESULT_OBSERVED);
    for (int i = 0; i < 30; i++) {
        world.now += 1 * SECOND;
        world_look(&world, 1024, 5);
        assert_nothing_decided(&world);
    }
}

static void test_released_is_left_alone(void **state)
{
    struct World world;

    world_init(&world);
    world.tenant.released = true;
    world_look(&world, 1024, 50);
    assert_nothing_decided(&world);
}

/* What an operator wanted, and what comes in when a reload took the class away, moves no rule. */
static void test_outcome_of_no_rule(void **state)
{
    struct World world;
    struct Decision decision = {.verb = VERB_FREEZE, .holder = HOLDER_OPERATOR};

    world_init(&world);
    world_look(&world, 1024, 5);
    world.decisions.n = 0;
    engine_outcome(&world.engine, &world.tenant, &decision, RESULT_DONE, world.now, &world.decisions);
    assert_int_equal(world_phase(&world), PHASE_ACTING);
    world.tenant.class = NULL;
    decision.holder = 0;
    engine_outcome(&world.engine, &world.tenant, &decision, RESULT_DONE, world.now, &world.decisions);
    assert_int_equal(world_phase(&world), PHASE_ACTING);
    assert_nothing_decided(&world);
    assert_true(world.tenant.condition.look_usec == USEC_INFINITY);
    world_look(&world, 1024, 5);
    assert_nothing_decided(&world);
    assert_true(world.tenant.condition.look_usec == USEC_INFINITY);
}

static void test_peace_asks_for_no_look(void **state)
{
    struct World world;

    world_init(&world);
    for (int64_t tasks = 10; tasks <= 900; tasks += 89) {
        world_look(&world, tasks, 0);
        assert_nothing_decided(&world);
        assert_true(world.tenant.condition.look_usec == USEC_INFINITY);
    }
}

static void test_invalid_reading_holds_nothing(void **state)
{
    struct World world;

    world_init(&world);
    engine_look(&world.engine, &world.tenant, world.now, &world.decisions);
    assert_nothing_decided(&world);
}

static void test_adopted_goes_on(void **state)
{
    struct World world;

    world_init(&world);
    engine_adopt(&world.tenant, 0, 0, world.now - 3 * SECOND, 0);
    world.tenant.condition.holders = 1;
    world_look(&world, 1024, 0);
    assert_nothing_decided(&world);
    world.now += 2 * SECOND;
    world_look(&world, 1024, 0);
    assert_decided(&world, VERB_KILL);
}

static void test_reclass_keeps_by_name(void **state)
{
    struct World world;
    struct Rule other = {.name = "other", .n_steps = 1};
    struct TenantClass two, one;

    world_init(&world);
    freeze_it(&world);
    world.tenant.hold_slots[0] = 42;
    two = world.class;
    two.rules[0] = &other;
    two.rules[1] = &world.rule;
    two.n_rules = 2;
    assert_int_equal(engine_lost_holders(&world.tenant, &two), 0);
    engine_reclass(&world.tenant, &two);
    assert_int_equal(world.tenant.condition.rules[1].phase, PHASE_STANDING);
    assert_int_equal(world.tenant.condition.rules[0].phase, PHASE_IDLE);
    assert_int_equal(world.tenant.condition.holders, 1u << 1);
    assert_int_equal(world.tenant.hold_slots[1], 42);
    assert_int_equal(world.tenant.hold_slots[0], LEDGER_SLOT_NONE);
    one = two;
    one.n_rules = 1;
    assert_int_equal(engine_lost_holders(&world.tenant, &one), 1u << 1);
    engine_reclass(&world.tenant, &one);
    assert_int_equal(world.tenant.condition.holders, 0);
    assert_int_equal(world.tenant.condition.rules[1].phase, PHASE_IDLE);
}

/* Without a class nothing is held by a rule, and the new one's rules begin at peace. */
static void test_reclass_of_nobody(void **state)
{
    struct World world;

    world_init(&world);
    freeze_it(&world);
    world.tenant.class = NULL;
    assert_int_equal(engine_lost_holders(&world.tenant, &world.class), 0);
    engine_reclass(&world.tenant, &world.class);
    assert_ptr_equal(world.tenant.class, &world.class);
    assert_int_equal(world_phase(&world), PHASE_IDLE);
    assert_int_equal(world.tenant.condition.holders, 0);
}

/* The last step of before is not there any more: what is the last one now is done in its place. */
static void test_reclass_to_fewer_steps(void **state)
{
    struct World world;
    struct Rule shorter;
    struct TenantClass other;

    world_init(&world);
    kill_it(&world);
    world_outcome(&world, RESULT_FAILED);
    shorter = world.rule;
    shorter.n_steps = 1;
    shorter.steps[0].lasts_usec = USEC_INFINITY;
    other = world.class;
    other.rules[0] = &shorter;
    engine_reclass(&world.tenant, &other);
    assert_int_equal(world.tenant.condition.rules[0].step, 0);
    world.now += RETRY_USEC;
    world_look(&world, 1024, 0);
    assert_decided(&world, VERB_FREEZE);
}

/* What is on its way goes on under the new place of its rule. */
static void test_reclass_renames_what_is_on_its_way(void **state)
{
    for (unsigned freezer = 0; freezer < 2; freezer++) {
        struct World world;
        struct Rule other;
        struct TenantClass turned;
        struct Tenant *tenant = &world.tenant;

        world_init(&world);
        other = world.rule;
        snprintf(other.name, sizeof(other.name), "other");
        world.class.rules[1] = &other;
        world.class.n_rules = 2;
        turned = world.class;
        turned.rules[0] = &other;
        turned.rules[1] = &world.rule;
        tenant->action = (struct Action){.under_way = true, .decision.holder = freezer};
        tenant->throttling.under_way = true;
        tenant->throttling.decision.holder = 1 - freezer;
        engine_reclass(tenant, &turned);
        assert_int_equal(tenant->action.decision.holder, 1 - freezer);
        assert_int_equal(tenant->throttling.decision.holder, freezer);
        /* What is an operator's, or is over, is left as it was. */
        tenant->action.decision.holder = HOLDER_OPERATOR;
        tenant->throttling.under_way = false;
        engine_reclass(tenant, &world.class);
        assert_int_equal(tenant->action.decision.holder, HOLDER_OPERATOR);
        assert_int_equal(tenant->throttling.decision.holder, freezer);
    }
}

/* --- offences --------------------------------------------------------------------------------------- */

static void test_oldest_offence_is_forgotten(void **state)
{
    struct Offences offences = {};
    const usec_t now = START + OFFENCES_MAX * SECOND;
    char name[16];

    for (unsigned i = 0; i < OFFENCES_MAX; i++) {
        snprintf(name, sizeof(name), "docker/%u", i);
        offences_add(&offences, name, "fork-bomb", i == 100 ? START : START + (1 + i) * SECOND);
    }
    offences_add(&offences, "docker/new", "fork-bomb", now);
    assert_int_equal(offences_count(&offences, "docker/new", "fork-bomb", now), 1);
    for (unsigned i = 0; i < OFFENCES_MAX; i++) {
        snprintf(name, sizeof(name), "docker/%u", i);
        assert_int_equal(offences_count(&offences, name, "fork-bomb", now), i == 100 ? 0 : 1);
    }
}

/* --- Scope=host ------------------------------------------------------------------------------------ */

/* disk-host-low: When=host.disk.free < 10% for 3s, Until=host.disk.free > 12% for 10s, Steps=freeze 5s, kill
 */
static void host_init(struct World *world)
{
    world_init(world);
    snprintf(world->rule.name, sizeof(world->rule.name), "disk-host-low");
    world->rule.scope = SCOPE_HOST;
    world->rule.rank = READING_DISK_GROWTH;
    world->rule.when = (struct Condition){READING_HOST_DISK_FREE, COMPARISON_BELOW, 10, true, 3 * SECOND};
    world->rule.until = (struct Condition){READING_HOST_DISK_FREE, COMPARISON_ABOVE, 12, true, 10 * SECOND};
}

/* Of 100 GiB. */
static void host_look_at(struct World *world, int64_t free_gib)
{
    struct Readings *readings = &world->tenant.readings;

    *readings = (struct Readings){.at_usec = world->now};
    readings->valid[READING_HOST_DISK_FREE] = true;
    readings->value[READING_HOST_DISK_FREE] = free_gib << 30;
    readings->limit[READING_HOST_DISK_FREE] = INT64_C(100) << 30;
    world->decisions.n = 0;
    engine_look(&world->engine, &world->tenant, world->now, &world->decisions);
}

static void elect(struct World *world, size_t rule)
{
    world->tenant.condition.rules[rule].elected = true;
    snprintf(world->tenant.condition.election.reason, sizeof(world->tenant.condition.election.reason),
             "host.disk.free 9G of 100G, 9%% (< 10%%); docker/web has most disk.growth, 120M/s");
}

static void host_bring_to(struct World *world, enum RulePhase phase, bool elected)
{
    host_init(world);
    if (elected)
        elect(world, 0);
    if (phase == PHASE_IDLE)
        return;
    if (phase == PHASE_PENDING) { /* only a reload leaves one: a rule of the tenant became one of the host */
        world->tenant.condition.rules[0].phase = PHASE_PENDING;
        world->tenant.condition.rules[0].began_usec = world->now;
        return;
    }
    host_look_at(world, 9);
    if (phase == PHASE_ACTING)
        return;
    world_outcome(world, RESULT_DONE);
    if (phase == PHASE_STANDING)
        return;
    host_look_at(world, 13);
    world->now += 10 * SECOND;
    host_look_at(world, 13);
}

static void host_let_in(struct World *world, enum Input input)
{
    switch (input) {
    case INPUT_QUIET:
        host_look_at(world, 11);
        break;
    case INPUT_HOLDS:
        host_look_at(world, 9);
        break;
    case INPUT_DUE:
        world->now += 3 * SECOND;
        host_look_at(world, 9);
        break;
    case INPUT_STEP_OVER:
        world->now += 5 * SECOND;
        host_look_at(world, world_phase(world) == PHASE_STANDING ? 9 : 11);
        break;
    case INPUT_RELIEVED:
        host_look_at(world, 13);
        world->now += 10 * SECOND;
        host_look_at(world, 13);
        break;
    default:
        let_in(world, input);
    }
}

static void test_every_cell_of_the_host(void **state)
{
    static const struct {
        enum RulePhase from;
        bool elected;
        enum Input input;
        enum RulePhase to;
        enum Verb verb;
    } cells[] = {
        {PHASE_IDLE, false, INPUT_QUIET, PHASE_IDLE, VERB_INVALID},
        {PHASE_IDLE, false, INPUT_HOLDS, PHASE_IDLE, VERB_INVALID},
        {PHASE_IDLE, false, INPUT_DUE, PHASE_IDLE, VERB_INVALID},
        {PHASE_IDLE, false, INPUT_STEP_OVER, PHASE_IDLE, VERB_INVALID},
        {PHASE_IDLE, false, INPUT_RELIEVED, PHASE_IDLE, VERB_INVALID},
        {PHASE_IDLE, false, INPUT_TOOK, PHASE_IDLE, VERB_INVALID},
        {PHASE_IDLE, false, INPUT_FAILED, PHASE_IDLE, VERB_INVALID},
        {PHASE_IDLE, true, INPUT_QUIET, PHASE_IDLE, VERB_INVALID},
        {PHASE_IDLE, true, INPUT_HOLDS, PHASE_ACTING, VERB_FREEZE}, /* its `for` is the host's */
        {PHASE_IDLE, true, INPUT_DUE, PHASE_ACTING, VERB_FREEZE},
        {PHASE_IDLE, true, INPUT_STEP_OVER, PHASE_IDLE, VERB_INVALID},
        {PHASE_IDLE, true, INPUT_RELIEVED, PHASE_IDLE, VERB_INVALID},
        {PHASE_IDLE, true, INPUT_TOOK, PHASE_IDLE, VERB_INVALID},
        {PHASE_IDLE, true, INPUT_FAILED, PHASE_IDLE, VERB_INVALID},
        {PHASE_PENDING, false, INPUT_QUIET, PHASE_IDLE, VERB_INVALID},
        {PHASE_PENDING, false, INPUT_HOLDS, PHASE_IDLE, VERB_INVALID},
        {PHASE_PENDING, false, INPUT_DUE, PHASE_IDLE, VERB_INVALID},
        {PHASE_PENDING, true, INPUT_HOLDS, PHASE_ACTING, VERB_FREEZE},
        {PHASE_ACTING, true, INPUT_QUIET, PHASE_ACTING, VERB_INVALID},
        {PHASE_ACTING, true, INPUT_HOLDS, PHASE_ACTING, VERB_INVALID},
        {PHASE_ACTING, true, INPUT_DUE, PHASE_ACTING, VERB_INVALID},
        {PHASE_ACTING, true, INPUT_STEP_OVER, PHASE_ACTING, VERB_INVALID},
        {PHASE_ACTING, true, INPUT_RELIEVED, PHASE_ACTING, VERB_INVALID},
        {PHASE_ACTING, true, INPUT_TOOK, PHASE_STANDING, VERB_INVALID},
        {PHASE_ACTING, true, INPUT_FAILED, PHASE_STANDING, VERB_INVALID},
        {PHASE_STANDING, true, INPUT_QUIET, PHASE_STANDING, VERB_INVALID},
        {PHASE_STANDING, true, INPUT_HOLDS, PHASE_STANDING, VERB_INVALID},
        {PHASE_STANDING, true, INPUT_DUE, PHASE_STANDING, VERB_INVALID},
        {PHASE_STANDING, true, INPUT_STEP_OVER, PHASE_ACTING, VERB_KILL},
        {PHASE_STANDING, true, INPUT_RELIEVED, PHASE_RELEASING, VERB_THAW},
        {PHASE_STANDING, true, INPUT_TOOK, PHASE_STANDING, VERB_INVALID},
        {PHASE_STANDING, true, INPUT_FAILED, PHASE_STANDING, VERB_INVALID},
        {PHASE_RELEASING, true, INPUT_QUIET, PHASE_RELEASING, VERB_INVALID},
        {PHASE_RELEASING, true, INPUT_HOLDS, PHASE_RELEASING, VERB_INVALID},
        {PHASE_RELEASING, true, INPUT_DUE, PHASE_RELEASING, VERB_INVALID},
        {PHASE_RELEASING, true, INPUT_STEP_OVER, PHASE_RELEASING, VERB_INVALID},
        {PHASE_RELEASING, true, INPUT_RELIEVED, PHASE_RELEASING, VERB_INVALID},
        {PHASE_RELEASING, true, INPUT_TOOK, PHASE_IDLE, VERB_INVALID},
        {PHASE_RELEASING, true, INPUT_FAILED, PHASE_RELEASING, VERB_INVALID},
    };

    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        struct World world;
        bool elected;

        host_bring_to(&world, cells[i].from, cells[i].elected);
        assert_int_equal(world_phase(&world), cells[i].from);
        host_let_in(&world, cells[i].input);
        if (world_phase(&world) != cells[i].to)
            fail_msg("cell %zu: went to %d", i, world_phase(&world));
        if (cells[i].verb == VERB_INVALID)
            assert_nothing_decided(&world);
        else
            assert_decided(&world, cells[i].verb);
        /* Elected as long as the rule is at work, or is to be looked at; what is idle asks for no look. */
        elected = cells[i].to != PHASE_IDLE ||
                  (cells[i].from == PHASE_IDLE && cells[i].elected && cells[i].input >= INPUT_TOOK);
        assert_int_equal(world.tenant.condition.rules[0].elected, elected);
        assert_int_equal(world.tenant.condition.election.reason[0] != '\0', elected);
        if (cells[i].to == PHASE_IDLE)
            assert_true(world.tenant.condition.look_usec == USEC_INFINITY);
    }
}

static void test_election_begins_the_reason(void **state)
{
    struct World world;

    host_init(&world);
    elect(&world, 0);
    host_look_at(&world, 9);
    assert_string_equal(world.decisions.list[0].reason,
                        "host.disk.free 9G of 100G, 9% (< 10%); docker/web has most disk.growth, 120M/s");
    world_outcome(&world, RESULT_DONE);
    world.now += 5 * SECOND;
    host_look_at(&world, 8);
    assert_string_equal(world.decisions.list[0].reason,
                        "no relief within 5s of step 1 of 2: host.disk.free 8G of 100G, 8% (> 12%)");

    host_init(&world);
    world.rule.until = (struct Condition){READING_DISK_GROWTH, COMPARISON_BELOW, 1 << 20, false, 0};
    offences_add(&world.offences, "docker/web", "disk-host-low", world.now);
    elect(&world, 0);
    host_look_at(&world, 9);
    assert_decided(&world, VERB_KILL);
    assert_string_equal(
        world.decisions.list[0].reason,
        "host.disk.free 9G of 100G, 9% (< 10%); docker/web has most disk.growth, 120M/s; "
        "offended 1 time in the last 10 min, straight to the last step: until disk.growth not "
        "known");
}

/* However long an election is, the reason ends in time. */
static void test_long_election(void **state)
{
    struct World world;

    host_init(&world);
    elect(&world, 0);
    memset(world.tenant.condition.election.reason, 'x', REASON_MAX - 1);
    world.rule.until.reading = READING_DISK_SPACE;
    host_look_at(&world, 9);
    assert_int_equal(strlen(world.decisions.list[0].reason), REASON_MAX - 1);
}

/* The host neither recovers for as long as Until asks, nor goes on to suffer: nobody is killed for that. */
static void test_killed_only_while_the_host_suffers(void **state)
{
    struct World world;

    host_bring_to(&world, PHASE_STANDING, true);
    for (int i = 0; i < 100; i++) {
        world.now += SECOND;
        host_look_at(&world, i % 4 == 0 ? 11 : 9);
        assert_nothing_decided(&world);
    }
    host_look_at(&world, 11);
    for (int i = 0; i < 5; i++) {
        assert_nothing_decided(&world);
        world.now += SECOND;
        host_look_at(&world, 9);
    }
    assert_decided(&world, VERB_KILL);
}

/* A step that can be undone comes when its time is over: a break delays the kill alone. */
static void test_pressed_harder_in_spite_of_a_break(void **state)
{
    struct World world;

    host_init(&world);
    world.rule.steps[2] = world.rule.steps[1];
    world.rule.steps[1] = world.rule.steps[0];
    world.rule.steps[0] = (struct Step){VERB_WARN, 5 * SECOND};
    world.rule.n_steps = 3;
    elect(&world, 0);
    host_look_at(&world, 9);
    assert_decided(&world, VERB_WARN);
    world_outcome(&world, RESULT_DONE);
    world.now += 4 * SECOND;
    host_look_at(&world, 11);
    assert_nothing_decided(&world);
    world.now += SECOND;
    host_look_at(&world, 9);
    assert_decided(&world, VERB_FREEZE);
}

/* Never kills for disk: what only freezes does so at the tenth offence too. */
static void test_elected_again_is_frozen_again(void **state)
{
    struct World world;

    host_init(&world);
    world.rule.n_steps = 1;
    world.rule.steps[0].lasts_usec = USEC_INFINITY;
    for (int i = 0; i < 10; i++)
        offences_add(&world.offences, "docker/web", "disk-host-low", world.now);
    elect(&world, 0);
    host_look_at(&world, 9);
    assert_decided(&world, VERB_FREEZE);
    world_outcome(&world, RESULT_DONE);
    for (int i = 0; i < 100; i++) {
        world.now += 10 * SECOND;
        host_look_at(&world, 5);
        assert_nothing_decided(&world);
    }
}

/* One election of two rules: it is told until the second is at peace too. */
static void test_election_of_two_rules(void **state)
{
    struct World world;
    struct Rule other;

    host_init(&world);
    other = world.rule;
    world.class.rules[1] = &other;
    world.class.n_rules = 2;
    elect(&world, 0);
    host_look_at(&world, 9);
    assert_decided(&world, VERB_FREEZE);
    elect(&world, 1);
    host_look_at(&world, 11); /* the second one does not begin any more */
    assert_false(world.tenant.condition.rules[1].elected);
    assert_true(world.tenant.condition.election.reason[0] != '\0');
}

static void test_election_is_kept(void **state)
{
    struct World world;
    struct TenantClass other;

    host_bring_to(&world, PHASE_STANDING, true);
    other = world.class;
    engine_reclass(&world.tenant, &other);
    assert_true(world.tenant.condition.rules[0].elected);
    assert_true(world.tenant.condition.election.reason[0] != '\0');
    engine_reset(&world.tenant);
    assert_false(world.tenant.condition.rules[0].elected);
    assert_string_equal(world.tenant.condition.election.reason, "");
    /* The ledger knows the rule: that it stands tells that the tenant was elected. */
    engine_adopt(&world.tenant, 0, 0, world.now, 0);
    assert_true(world.tenant.condition.rules[0].elected);
    host_look_at(&world, 13);
    world.now += 10 * SECOND;
    world.tenant.condition.holders = 1;
    host_look_at(&world, 13);
    assert_decided(&world, VERB_THAW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cell),
        cmocka_unit_test(test_frozen_then_killed),
        cmocka_unit_test(test_relief_thaws),
        cmocka_unit_test(test_measured_again_before_kill),
        cmocka_unit_test(test_repeat_offender),
        cmocka_unit_test(test_repeat_offender_at_peace_is_not_killed),
        cmocka_unit_test(test_thaw_delays_grow),
        cmocka_unit_test(test_budget_spent),
        cmocka_unit_test(test_budget_spent_freezes_repeat_offender),
        cmocka_unit_test(test_budget_spent_and_not_frozen),
        cmocka_unit_test(test_no_kills_at_all),
        cmocka_unit_test(test_protected_is_only_warned_about),
        cmocka_unit_test(test_untouchable_is_only_warned_about),
        cmocka_unit_test(test_a_warning_is_no_offence),
        cmocka_unit_test(test_full_list_takes_no_more),
        cmocka_unit_test(test_grace_before_kill),
        cmocka_unit_test(test_failed_freeze_goes_on_to_kill),
        cmocka_unit_test(test_failed_last_step_is_tried_again),
        cmocka_unit_test(test_failed_thaw_is_tried_again),
        cmocka_unit_test(test_observing_kills_once),
        cmocka_unit_test(test_released_is_left_alone),
        cmocka_unit_test(test_outcome_of_no_rule),
        cmocka_unit_test(test_peace_asks_for_no_look),
        cmocka_unit_test(test_invalid_reading_holds_nothing),
        cmocka_unit_test(test_adopted_goes_on),
        cmocka_unit_test(test_reclass_keeps_by_name),
        cmocka_unit_test(test_reclass_of_nobody),
        cmocka_unit_test(test_reclass_to_fewer_steps),
        cmocka_unit_test(test_reclass_renames_what_is_on_its_way),
        cmocka_unit_test(test_oldest_offence_is_forgotten),
        cmocka_unit_test(test_every_cell_of_the_host),
        cmocka_unit_test(test_election_begins_the_reason),
        cmocka_unit_test(test_long_election),
        cmocka_unit_test(test_killed_only_while_the_host_suffers),
        cmocka_unit_test(test_pressed_harder_in_spite_of_a_break),
        cmocka_unit_test(test_elected_again_is_frozen_again),
        cmocka_unit_test(test_election_of_two_rules),
        cmocka_unit_test(test_election_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
