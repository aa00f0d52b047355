/* The way up and the way down of a rule that throttles first: the table, cell by cell, and what it adds up
 * to. */
#include "fixture.h"

#include "decide/escalation.h"

/* --- the table as data ------------------------------------------------------------------------------ */

static void test_every_move(void **state)
{
    static const struct Move stay[PHASE_COUNT] = {
        {PHASE_IDLE, EFFECT_NONE},     {PHASE_PENDING, EFFECT_NONE},   {PHASE_ACTING, EFFECT_NONE},
        {PHASE_STANDING, EFFECT_NONE}, {PHASE_RELEASING, EFFECT_NONE},
    };
    static const struct {
        enum RulePhase phase;
        enum RuleEvent event;
        struct Move move;
    } moves[] = {
        {PHASE_IDLE, RULE_HOLDS, {PHASE_PENDING, EFFECT_NOTE}},
        {PHASE_IDLE, RULE_DUE, {PHASE_ACTING, EFFECT_BEGIN}},
        {PHASE_PENDING, RULE_QUIET, {PHASE_IDLE, EFFECT_FORGET}},
        {PHASE_PENDING, RULE_DUE, {PHASE_ACTING, EFFECT_BEGIN}},
        {PHASE_ACTING, RULE_TOOK, {PHASE_STANDING, EFFECT_SETTLE}},
        {PHASE_ACTING, RULE_FAILED, {PHASE_STANDING, EFFECT_STAND_BY}},
        {PHASE_STANDING, RULE_STEP_OVER, {PHASE_ACTING, EFFECT_NEXT_STEP}},
        {PHASE_STANDING, RULE_STALLED, {PHASE_ACTING, EFFECT_NEXT_STEP}},
        {PHASE_STANDING, RULE_RELIEVED, {PHASE_RELEASING, EFFECT_RELEASE}},
        {PHASE_RELEASING, RULE_STEP_OVER, {PHASE_RELEASING, EFFECT_RELEASE}},
        {PHASE_RELEASING, RULE_TOOK, {PHASE_STANDING, EFFECT_STEP_DOWN}},
        {PHASE_RELEASING, RULE_FAILED, {PHASE_RELEASING, EFFECT_RETRY}},
    };

    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (int event = 0; event < RULE_EVENT_COUNT; event++) {
            const struct Move *is = escalation_move((enum RulePhase)phase, (enum RuleEvent)event);
            struct Move wanted = stay[phase];

            for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
                if ((int)moves[i].phase == phase && (int)moves[i].event == event)
                    wanted = moves[i].move;
            if (is->next != wanted.next || is->effect != wanted.effect)
                fail_msg("phase %d, event %d: %d, %d", phase, event, is->next, is->effect);
        }
}

/* --- a rule that throttles -------------------------------------------------------------------------- */

/* memory-stall: When=memory.pressure.full > 40%, Until=memory.pressure.full < 10% for 10s,
 * Steps=throttle 10s, freeze 20s, kill */
static void slow_init(struct World *world)
{
    world_init(world);
    snprintf(world->rule.name, sizeof(world->rule.name), "memory-stall");
    world->rule.when = (struct Condition){READING_MEMORY_PRESSURE_FULL, COMPARISON_ABOVE, 4000, false, 0};
    world->rule.until =
        (struct Condition){READING_MEMORY_PRESSURE_FULL, COMPARISON_BELOW, 1000, false, 10 * SECOND};
    world->rule.resource = RESOURCE_MEMORY;
    world->rule.throttle_percent = 70;
    world->rule.steps[0] = (struct Step){VERB_THROTTLE, 10 * SECOND};
    world->rule.steps[1] = (struct Step){VERB_FREEZE, 20 * SECOND};
    world->rule.steps[2] = (struct Step){VERB_KILL, USEC_INFINITY};
    world->rule.n_steps = 3;
}

static void only_steps(struct World *world, size_t n)
{
    world->rule.n_steps = n;
    world->rule.steps[n - 1].lasts_usec = USEC_INFINITY;
}

/* A look with this much of the time stalled, in percent. */
static void look(struct World *world, int64_t percent)
{
    struct Readings *readings = &world->tenant.readings;

    *readings = (struct Readings){.at_usec = world->now};
    readings->valid[READING_MEMORY_PRESSURE_FULL] = true;
    readings->value[READING_MEMORY_PRESSURE_FULL] = percent * 100;
    readings->limit[READING_MEMORY_PRESSURE_FULL] = READING_UNLIMITED;
    world->decisions.n = 0;
    engine_look(&world->engine, &world->tenant, world->now, &world->decisions);
}

static void look_after(struct World *world, unsigned seconds, int64_t percent)
{
    world->now += seconds * SECOND;
    look(world, percent);
}

static struct RuleState *rule_state(struct World *world)
{
    return &world->tenant.condition.rules[0];
}

static uint32_t throttled(const struct World *world)
{
    return world->tenant.throttles[RESOURCE_MEMORY].holders;
}

static uint32_t frozen(const struct World *world)
{
    return world->tenant.condition.holders;
}

static const char *reason(const struct World *world)
{
    return world->decisions.list[0].reason;
}

static void do_it(struct World *world, enum Verb verb)
{
    assert_decided(world, verb);
    world_outcome(world, RESULT_DONE);
}

static void throttle_it(struct World *world)
{
    look(world, 60);
    do_it(world, VERB_THROTTLE);
    assert_nothing_decided(world);
}

static void freeze_it(struct World *world)
{
    throttle_it(world);
    look_after(world, 10, 60);
    do_it(world, VERB_FREEZE);
    assert_nothing_decided(world);
}

/* Relieved for as long as Until asks without repeats. */
static void relieve(struct World *world)
{
    look(world, 0);
    assert_nothing_decided(world);
    look_after(world, 10, 0);
}

/* --- every cell, by the public way ------------------------------------------------------------------ */

enum Rung {
    RUNG_IDLE,
    RUNG_PENDING,
    RUNG_THROTTLING,   /* decided */
    RUNG_THROTTLED,    /* stands */
    RUNG_FREEZING,     /* above the throttle */
    RUNG_FROZEN,       /* stands there */
    RUNG_THAWING,      /* back to the throttle */
    RUNG_COME_DOWN,    /* stands at the throttle again */
    RUNG_UNTHROTTLING, /* back to peace */
    RUNG_COUNT,
};

enum Input {
    INPUT_QUIET,     /* neither When nor Until */
    INPUT_HOLDS,     /* When, its `for` not over */
    INPUT_DUE,       /* When for long enough */
    INPUT_STEP_OVER, /* the step's time is over, no relief */
    INPUT_STALLED,   /* stuck for long enough, before the step's time is over */
    INPUT_RELIEVED,
    INPUT_TOOK,
    INPUT_FAILED,
    INPUT_COUNT,
};

static void bring_to(struct World *world, enum Rung rung)
{
    slow_init(world);
    world->rule.when.for_usec = 3 * SECOND;
    if (rung == RUNG_IDLE)
        return;
    look(world, 60);
    if (rung == RUNG_PENDING)
        return;
    look_after(world, 3, 60);
    if (rung == RUNG_THROTTLING)
        return;
    world_outcome(world, RESULT_DONE);
    if (rung == RUNG_THROTTLED)
        return;
    if (rung == RUNG_UNTHROTTLING) {
        relieve(world);
        return;
    }
    look_after(world, 10, 60);
    if (rung == RUNG_FREEZING)
        return;
    world_outcome(world, RESULT_DONE);
    if (rung == RUNG_FROZEN)
        return;
    relieve(world);
    if (rung == RUNG_THAWING)
        return;
    world_outcome(world, RESULT_DONE);
}

static void let_in(struct World *world, enum Input input)
{
    switch (input) {
    case INPUT_QUIET:
        look(world, 20);
        break;
    case INPUT_HOLDS:
        look(world, 60);
        break;
    case INPUT_DUE:
        if (world_phase(world) == PHASE_PENDING)
            world->now += 3 * SECOND;
        else
            world->rule.when.for_usec = 0;
        look(world, 60);
        break;
    case INPUT_STEP_OVER:
        look_after(world, rule_state(world)->step == 0 ? 10 : 20, 20);
        break;
    case INPUT_STALLED:
        world->rule.when.for_usec = 60 * SECOND;
        look(world, 95);
        assert_nothing_decided(world);
        look_after(world, 5, 95);
        break;
    case INPUT_RELIEVED:
        look(world, 0);
        if (world->decisions.n == 0)
            look_after(world, 10, 0);
        break;
    default:
        if (world->decisions.n == 0) {
            world->decisions.n = 1;
            world->decisions.list[0] = (struct Decision){.verb = VERB_WARN, .holder = 0};
        }
        world_outcome(world, input == INPUT_TOOK ? RESULT_DONE : RESULT_FAILED);
    }
}

#define NOTHING VERB_INVALID

static void test_every_cell(void **state)
{
    static const struct {
        enum RulePhase next;
        size_t step;
        enum Verb verb;
    } cells[RUNG_COUNT][INPUT_COUNT] = {
        [RUNG_IDLE] = {{PHASE_IDLE, 0, NOTHING},
                       {PHASE_PENDING, 0, NOTHING},
                       {PHASE_ACTING, 0, VERB_THROTTLE},
                       {PHASE_IDLE, 0, NOTHING},
                       {PHASE_PENDING, 0, NOTHING},
                       {PHASE_IDLE, 0, NOTHING},
                       {PHASE_IDLE, 0, NOTHING},
                       {PHASE_IDLE, 0, NOTHING}},
        [RUNG_PENDING] = {{PHASE_IDLE, 0, NOTHING},
                          {PHASE_PENDING, 0, NOTHING},
                          {PHASE_ACTING, 0, VERB_THROTTLE},
                          {PHASE_IDLE, 0, NOTHING},
                          {PHASE_PENDING, 0, NOTHING},
                          {PHASE_IDLE, 0, NOTHING},
                          {PHASE_PENDING, 0, NOTHING},
                          {PHASE_PENDING, 0, NOTHING}},
        [RUNG_THROTTLING] = {{PHASE_ACTING, 0, NOTHING},
                             {PHASE_ACTING, 0, NOTHING},
                             {PHASE_ACTING, 0, NOTHING},
                             {PHASE_ACTING, 0, NOTHING},
                             {PHASE_ACTING, 0, NOTHING},
                             {PHASE_ACTING, 0, NOTHING},
                             {PHASE_STANDING, 0, NOTHING},
                             {PHASE_STANDING, 0, NOTHING}},
        [RUNG_THROTTLED] = {{PHASE_STANDING, 0, NOTHING},
                            {PHASE_STANDING, 0, NOTHING},
                            {PHASE_STANDING, 0, NOTHING},
                            {PHASE_ACTING, 1, VERB_FREEZE},
                            {PHASE_ACTING, 1, VERB_FREEZE},
                            {PHASE_RELEASING, 0, VERB_UNTHROTTLE},
                            {PHASE_STANDING, 0, NOTHING},
                            {PHASE_STANDING, 0, NOTHING}},
        [RUNG_FREEZING] = {{PHASE_ACTING, 1, NOTHING},
                           {PHASE_ACTING, 1, NOTHING},
                           {PHASE_ACTING, 1, NOTHING},
                           {PHASE_ACTING, 1, NOTHING},
                           {PHASE_ACTING, 1, NOTHING},
                           {PHASE_ACTING, 1, NOTHING},
                           {PHASE_STANDING, 1, NOTHING},
                           {PHASE_STANDING, 1, NOTHING}},
        [RUNG_FROZEN] = {{PHASE_STANDING, 1, NOTHING},
                         {PHASE_STANDING, 1, NOTHING},
                         {PHASE_STANDING, 1, NOTHING},
                         {PHASE_ACTING, 2, VERB_KILL},
                         {PHASE_STANDING, 1, NOTHING}, /* frozen it reclaims nothing */
                         {PHASE_RELEASING, 1, VERB_THAW},
                         {PHASE_STANDING, 1, NOTHING},
                         {PHASE_STANDING, 1, NOTHING}},
        [RUNG_THAWING] = {{PHASE_RELEASING, 1, NOTHING},
                          {PHASE_RELEASING, 1, NOTHING},
                          {PHASE_RELEASING, 1, NOTHING},
                          {PHASE_RELEASING, 1, NOTHING},
                          {PHASE_RELEASING, 1, NOTHING},
                          {PHASE_RELEASING, 1, NOTHING},
                          {PHASE_STANDING, 0, NOTHING},
                          {PHASE_RELEASING, 1, NOTHING}},
        [RUNG_COME_DOWN] = {{PHASE_STANDING, 0, NOTHING},
                            {PHASE_STANDING, 0, NOTHING},
                            {PHASE_STANDING, 0, NOTHING},
                            {PHASE_ACTING, 1, VERB_FREEZE},
                            {PHASE_ACTING, 1, VERB_FREEZE},
                            {PHASE_RELEASING, 0, VERB_UNTHROTTLE},
                            {PHASE_STANDING, 0, NOTHING},
                            {PHASE_STANDING, 0, NOTHING}},
        [RUNG_UNTHROTTLING] = {{PHASE_RELEASING, 0, NOTHING},
                               {PHASE_RELEASING, 0, NOTHING},
                               {PHASE_RELEASING, 0, NOTHING},
                               {PHASE_RELEASING, 0, NOTHING},
                               {PHASE_RELEASING, 0, NOTHING},
                               {PHASE_RELEASING, 0, NOTHING},
                               {PHASE_IDLE, 0, NOTHING},
                               {PHASE_RELEASING, 0, NOTHING}},
    };
    static const enum RulePhase phases[RUNG_COUNT] = {
        PHASE_IDLE,     PHASE_PENDING,   PHASE_ACTING,   PHASE_STANDING,  PHASE_ACTING,
        PHASE_STANDING, PHASE_RELEASING, PHASE_STANDING, PHASE_RELEASING,
    };

    for (int rung = 0; rung < RUNG_COUNT; rung++)
        for (int input = 0; input < INPUT_COUNT; input++) {
            struct World world;

            bring_to(&world, (enum Rung)rung);
            assert_int_equal(world_phase(&world), phases[rung]);
            let_in(&world, (enum Input)input);
            if (world_phase(&world) != cells[rung][input].next ||
                rule_state(&world)->step != cells[rung][input].step)
                fail_msg("rung %d, input %d: went to %d, step %zu", rung, input, world_phase(&world),
                         rule_state(&world)->step);
            if (cells[rung][input].verb == NOTHING)
                assert_nothing_decided(&world);
            else
                assert_decided(&world, cells[rung][input].verb);
        }
}

/* --- up and down ------------------------------------------------------------------------------------ */

static void test_throttle_is_decided(void **state)
{
    struct World world;

    slow_init(&world);
    look(&world, 60);
    assert_decided(&world, VERB_THROTTLE);
    assert_int_equal(world.decisions.list[0].resource, RESOURCE_MEMORY);
    assert_int_equal(world.decisions.list[0].percent, 70);
    assert_int_equal(world.decisions.list[0].cause, CAUSE_RULE);
    assert_string_equal(reason(&world), "memory.pressure.full 60% (> 40%)");
}

static void test_slowed_frozen_killed(void **state)
{
    struct World world;

    slow_init(&world);
    freeze_it(&world);
    assert_int_equal(throttled(&world), 1);
    look_after(&world, 20, 60);
    assert_decided(&world, VERB_KILL);
    world_outcome(&world, RESULT_DONE);
    /* Both holds are given back, the stronger one first, without a wait. */
    do_it(&world, VERB_THAW);
    assert_decided(&world, VERB_UNTHROTTLE);
    assert_string_equal(reason(&world), "killed, nothing is left to hold: memory.pressure.full 60% (< 10%)");
    world_outcome(&world, RESULT_DONE);
    assert_nothing_decided(&world);
    assert_int_equal(world_phase(&world), PHASE_IDLE);
}

static void test_killed_is_let_go_in_spite_of_failures(void **state)
{
    struct World world;

    slow_init(&world);
    freeze_it(&world);
    look_after(&world, 20, 60);
    do_it(&world, VERB_KILL);
    assert_decided(&world, VERB_THAW);
    world_outcome(&world, RESULT_FAILED);
    look_after(&world, 5, 60);
    do_it(&world, VERB_THAW);
    assert_decided(&world, VERB_UNTHROTTLE);
    world_outcome(&world, RESULT_FAILED);
    look_after(&world, 5, 60);
    do_it(&world, VERB_UNTHROTTLE);
    assert_int_equal(world_phase(&world), PHASE_IDLE);
}

static void test_down_step_by_step(void **state)
{
    struct World world;

    slow_init(&world);
    freeze_it(&world);
    relieve(&world);
    assert_decided(&world, VERB_THAW);
    assert_int_equal(world.decisions.list[0].cause, CAUSE_RELIEF);
    assert_string_equal(reason(&world),
                        "relief for 10s, back to step 1 of 3: memory.pressure.full 0% (< 10%)");
    world_outcome(&world, RESULT_DONE);
    assert_nothing_decided(&world);
    assert_int_equal(frozen(&world), 0);
    assert_int_equal(throttled(&world), 1);
    /* Both clocks are new: the relief of before does not count. */
    look_after(&world, 9, 0);
    look_after(&world, 9, 0);
    assert_nothing_decided(&world);
    look_after(&world, 1, 0);
    assert_decided(&world, VERB_UNTHROTTLE);
    assert_int_equal(world.decisions.list[0].resource, RESOURCE_MEMORY);
    assert_string_equal(reason(&world), "relief for 10s: memory.pressure.full 0% (< 10%)");
    world_outcome(&world, RESULT_DONE);
    assert_int_equal(world_phase(&world), PHASE_IDLE);
    assert_int_equal(throttled(&world), 0);
    assert_true(world.tenant.condition.look_usec == USEC_INFINITY);
}

static void test_up_again_is_a_repeat(void **state)
{
    struct World world;

    slow_init(&world);
    freeze_it(&world);
    relieve(&world);
    do_it(&world, VERB_THAW);
    assert_int_equal(rule_state(&world)->repeats, 0);
    look_after(&world, 9, 60);
    assert_nothing_decided(&world); /* the step's time begins anew, too */
    look_after(&world, 1, 60);
    do_it(&world, VERB_FREEZE);
    assert_int_equal(rule_state(&world)->repeats, 1);
    look(&world, 0);
    look_after(&world, 19, 0);
    assert_nothing_decided(&world);
    look_after(&world, 1, 0);
    do_it(&world, VERB_THAW);
    assert_int_equal(offences_count(&world.offences, "docker/web", "memory-stall", world.now), 2);
}

/* The step's time is over, but relief is only waited for. */
static void test_at_peace_is_not_pressed_harder(void **state)
{
    struct World world;

    slow_init(&world);
    world.rule.until.for_usec = 60 * SECOND;
    throttle_it(&world);
    for (int i = 0; i < 30; i++) {
        look_after(&world, 1, 0);
        assert_nothing_decided(&world);
    }
    look_after(&world, 1, 20);
    assert_decided(&world, VERB_FREEZE);
}

/* Who is frozen waits for nothing: that it is quiet does not save it. */
static void test_frozen_is_no_peace(void **state)
{
    struct World world;

    slow_init(&world);
    world.rule.until.for_usec = 60 * SECOND;
    freeze_it(&world);
    look_after(&world, 5, 0);
    assert_nothing_decided(&world);
    look_after(&world, 15, 0);
    assert_decided(&world, VERB_KILL);
}

/* Slowed first each time, but for longer. */
static void test_repeats_begin_at_the_throttle(void **state)
{
    static const unsigned delays[] = {10, 20, 40, 80};
    struct World world;

    slow_init(&world);
    for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
        look(&world, 60);
        assert_decided(&world, VERB_THROTTLE);
        if (i == 2)
            assert_string_equal(reason(&world), "offended 2 times in the last 10 min, relief must last 40s: "
                                                "memory.pressure.full 60% (> 40%)");
        world_outcome(&world, RESULT_DONE);
        look(&world, 0);
        world.rule.steps[0].lasts_usec = 1000 * SECOND;
        look_after(&world, delays[i] - 1, 0);
        assert_nothing_decided(&world);
        look_after(&world, 1, 0);
        do_it(&world, VERB_UNTHROTTLE);
        assert_int_equal(world_phase(&world), PHASE_IDLE);
    }
    for (int i = 0; i < 20; i++)
        offences_add(&world.offences, "docker/web", "memory-stall", world.now);
    throttle_it(&world);
    look(&world, 0);
    world.now += THAW_DELAY_MAX_USEC;
    world.rule.steps[0].lasts_usec = USEC_INFINITY;
    look(&world, 0);
    assert_decided(&world, VERB_UNTHROTTLE);
}

/* The delay that is told is that of the throttle, wherever it stands. */
static void test_repeats_begin_before_the_throttle(void **state)
{
    struct World world;

    slow_init(&world);
    world.rule.steps[2] = world.rule.steps[1];
    world.rule.steps[1] = world.rule.steps[0];
    world.rule.steps[0] = (struct Step){VERB_WARN, 10 * SECOND};
    only_steps(&world, 3);
    offences_add(&world.offences, "docker/web", "memory-stall", world.now);
    look(&world, 60);
    assert_decided(&world, VERB_WARN);
    assert_string_equal(reason(&world), "offended 1 time in the last 10 min, relief must last 20s: "
                                        "memory.pressure.full 60% (> 40%)");
}

static void test_dwells(void **state)
{
    struct World world;

    slow_init(&world);
    world.rule.until.for_usec = 0;
    throttle_it(&world);
    look_after(&world, 1, 0);
    assert_nothing_decided(&world);
    assert_true(world.tenant.condition.look_usec == world.now + SECOND);
    world.now += SECOND - 1;
    look(&world, 0);
    assert_nothing_decided(&world);
    world.now += 1;
    look(&world, 0);
    do_it(&world, VERB_UNTHROTTLE);
    /* What is doubled is the dwell, where Until asks for less. */
    throttle_it(&world);
    look(&world, 0);
    look_after(&world, 3, 0);
    assert_nothing_decided(&world);
    look_after(&world, 1, 0);
    do_it(&world, VERB_UNTHROTTLE);
}

static void test_dwells_where_it_came_down_to(void **state)
{
    struct World world;

    slow_init(&world);
    world.rule.until.for_usec = 0;
    freeze_it(&world);
    look_after(&world, 2, 0);
    do_it(&world, VERB_THAW);
    look_after(&world, 1, 0);
    assert_nothing_decided(&world);
    look_after(&world, 1, 0);
    assert_decided(&world, VERB_UNTHROTTLE);
}

/* --- stuck ------------------------------------------------------------------------------------------- */

static void test_stuck_in_reclaim(void **state)
{
    struct World world;

    slow_init(&world);
    throttle_it(&world);
    look_after(&world, 1, 90);
    look_after(&world, 4, 97);
    assert_nothing_decided(&world);
    assert_true(world.tenant.condition.look_usec == world.now + SECOND);
    look_after(&world, 1, 97);
    assert_decided(&world, VERB_FREEZE);
    assert_string_equal(reason(&world), "stuck in reclaim, memory.pressure.full 97%, for 5s of step 1 of 3: "
                                        "memory.pressure.full 97% (< 10%)");
}

static void test_not_stuck(void **state)
{
    enum Why { BREAK, UNKNOWN, OTHER_RESOURCE, LAST_STEP, FAILED, COUNT };

    for (int why = 0; why < COUNT; why++) {
        struct World world;

        slow_init(&world);
        world.rule.steps[0].lasts_usec = 60 * SECOND;
        if (why == OTHER_RESOURCE)
            world.rule.resource = RESOURCE_CPU;
        if (why == LAST_STEP)
            only_steps(&world, 1);
        look(&world, 95);
        world_outcome(&world, why == FAILED ? RESULT_FAILED : RESULT_DONE);
        look(&world, 95);
        look_after(&world, 4, why == BREAK ? 89 : 95);
        if (why == UNKNOWN) {
            world.tenant.readings.valid[READING_MEMORY_PRESSURE_FULL] = false;
            engine_look(&world.engine, &world.tenant, world.now, &world.decisions);
        }
        look_after(&world, 4, 95);
        if (world.decisions.n != 0 && why == LAST_STEP)
            fail_msg("why %d", why);
        if (why != FAILED || world.decisions.n > 0)
            assert_nothing_decided(&world);
    }
}

/* What cannot be undone is asked about once more, stuck or not. */
static void test_stuck_is_not_killed_at_peace(void **state)
{
    struct World world;

    slow_init(&world);
    world.rule.steps[1] = world.rule.steps[2];
    world.rule.n_steps = 2;
    world.rule.until = (struct Condition){READING_TASKS_CURRENT, COMPARISON_ABOVE, 0, false, 60 * SECOND};
    throttle_it(&world);
    for (int i = 0; i < 20; i++) {
        look_after(&world, 1, 95);
        world.tenant.readings.valid[READING_TASKS_CURRENT] = true;
        world.tenant.readings.value[READING_TASKS_CURRENT] = 5;
        if (i < 4)
            continue;
        world.decisions.n = 0;
        rule_state(&world)->phase = PHASE_STANDING;
        engine_look(&world.engine, &world.tenant, world.now, &world.decisions);
        assert_nothing_decided(&world);
    }
}

/* --- what does not take ------------------------------------------------------------------------------ */

static void test_failed_throttle_is_passed(void **state)
{
    struct World world;

    slow_init(&world);
    look(&world, 60);
    world_outcome(&world, RESULT_FAILED);
    assert_true(rule_state(&world)->step_failed);
    look_after(&world, 9, 60);
    assert_nothing_decided(&world);
    look_after(&world, 1, 60);
    do_it(&world, VERB_FREEZE);
    /* There is no throttle to come down to. */
    relieve(&world);
    do_it(&world, VERB_THAW);
    assert_int_equal(world_phase(&world), PHASE_IDLE);
}

static void test_failed_last_throttle_is_tried_again(void **state)
{
    struct World world;

    slow_init(&world);
    only_steps(&world, 1);
    look(&world, 60);
    world_outcome(&world, RESULT_FAILED);
    look_after(&world, 4, 60);
    assert_nothing_decided(&world);
    look_after(&world, 1, 60);
    do_it(&world, VERB_THROTTLE);
    assert_int_equal(world_phase(&world), PHASE_STANDING);
}

static void test_failed_unthrottle_is_tried_again(void **state)
{
    struct World world;

    bring_to(&world, RUNG_UNTHROTTLING);
    world_outcome(&world, RESULT_FAILED);
    look(&world, 0);
    assert_nothing_decided(&world);
    world.now = world.tenant.condition.look_usec;
    look(&world, 0);
    do_it(&world, VERB_UNTHROTTLE);
    assert_int_equal(world_phase(&world), PHASE_IDLE);
}

static void test_failed_thaw_comes_down_later(void **state)
{
    struct World world;

    bring_to(&world, RUNG_THAWING);
    world_outcome(&world, RESULT_FAILED);
    look_after(&world, 5, 0);
    do_it(&world, VERB_THAW);
    assert_int_equal(world_phase(&world), PHASE_STANDING);
    assert_int_equal(rule_state(&world)->step, 0);
}

/* A freeze that did not take, SIGTERM: nothing is to be undone but the throttle below. */
static void test_nothing_to_undo_above_the_throttle(void **state)
{
    struct World world;

    slow_init(&world);
    throttle_it(&world);
    look_after(&world, 10, 60);
    world_outcome(&world, RESULT_FAILED);
    relieve(&world);
    assert_nothing_decided(&world);
    assert_int_equal(world_phase(&world), PHASE_STANDING);
    assert_int_equal(rule_state(&world)->step, 0);
    assert_false(rule_state(&world)->step_failed);
    relieve(&world);
    do_it(&world, VERB_UNTHROTTLE);
    assert_int_equal(world_phase(&world), PHASE_IDLE);

    slow_init(&world);
    world.rule.steps[1] = (struct Step){VERB_TERMINATE, 60 * SECOND};
    throttle_it(&world);
    look_after(&world, 10, 60);
    do_it(&world, VERB_TERMINATE);
    relieve(&world);
    assert_nothing_decided(&world);
    assert_int_equal(rule_state(&world)->step, 0);
    relieve(&world);
    assert_decided(&world, VERB_UNTHROTTLE);
}

/* The outcome of an inverse is none of a step that was decided since, nor the other way round. */
static void test_outcomes_of_before(void **state)
{
    struct Decision decision = {.verb = VERB_UNTHROTTLE, .resource = RESOURCE_MEMORY};
    struct World world;

    slow_init(&world);
    look(&world, 60);
    engine_outcome(&world.engine, &world.tenant, &decision, RESULT_SUPERSEDED, world.now, &world.decisions);
    assert_int_equal(world_phase(&world), PHASE_ACTING);
    bring_to(&world, RUNG_UNTHROTTLING);
    decision.verb = VERB_THROTTLE;
    engine_outcome(&world.engine, &world.tenant, &decision, RESULT_DONE, world.now, &world.decisions);
    assert_int_equal(world_phase(&world), PHASE_RELEASING);
}

static void test_observing(void **state)
{
    struct World world;

    slow_init(&world);
    look(&world, 60);
    world_outcome(&world, RESULT_OBSERVED);
    look_after(&world, 10, 60);
    assert_decided(&world, VERB_FREEZE);
    world_outcome(&world, RESULT_OBSERVED);
    relieve(&world);
    assert_nothing_decided(&world);
    assert_int_equal(world_phase(&world), PHASE_IDLE);
}

/* --- kills that are held back ------------------------------------------------------------------------ */

static void test_budget_spent_above_a_throttle(void **state)
{
    struct World world;

    slow_init(&world);
    world.policy.kill_limit.kills = 1;
    world.rule.steps[1] = world.rule.steps[2];
    world.rule.n_steps = 2;
    throttle_it(&world);
    budget_spend(&world.budget, world.now);
    look_after(&world, 10, 60);
    assert_decided(&world, VERB_FREEZE);
    assert_true(world.decisions.list[0].withheld);
    assert_non_null(strstr(reason(&world), "kill withheld: the kill budget of 1 in 1min is spent"));
    world_outcome(&world, RESULT_DONE);
    look_after(&world, 1, 60);
    assert_nothing_decided(&world);
    assert_int_equal(frozen(&world), 1);
    assert_int_equal(throttled(&world), 1);
    world.now += 60 * SECOND;
    relieve(&world);
    do_it(&world, VERB_THAW);
    assert_int_equal(rule_state(&world)->step, 0);
    assert_false(rule_state(&world)->withheld);
    relieve(&world);
    do_it(&world, VERB_UNTHROTTLE);
    assert_int_equal(world_phase(&world), PHASE_IDLE);
}

static void test_budget_has_room_again(void **state)
{
    struct World world;

    slow_init(&world);
    world.policy.kill_limit.kills = 1;
    freeze_it(&world);
    budget_spend(&world.budget, world.now);
    look_after(&world, 20, 60);
    assert_decided(&world, VERB_WARN); /* it is frozen already */
    world_outcome(&world, RESULT_DONE);
    look_after(&world, 39, 60);
    assert_nothing_decided(&world);
    look_after(&world, 1, 60);
    assert_decided(&world, VERB_KILL);
}

/* freeze 20s, kill, and the kill is held back by a budget of so many in a minute. */
static void freeze_in_place_of_a_kill(struct World *world, unsigned kills)
{
    slow_init(world);
    world->policy.kill_limit.kills = kills;
    world->rule.steps[0] = world->rule.steps[1];
    world->rule.steps[1] = world->rule.steps[2];
    world->rule.n_steps = 2;
    world->rule.until.for_usec = 30 * SECOND;
    look(world, 60);
    do_it(world, VERB_FREEZE);
    for (unsigned i = 0; i < kills; i++)
        budget_spend(&world->budget, world->now);
    look_after(world, 20, 0);
    assert_decided(world, VERB_WARN);
    assert_non_null(strstr(reason(world), "kill withheld: the kill budget of"));
    world_outcome(world, RESULT_DONE);
}

/* Silence is no relief while nobody could be killed; then it is thawed, and not killed unmeasured. */
static void test_frozen_in_place_of_a_kill(void **state)
{
    struct World world;

    freeze_in_place_of_a_kill(&world, 2);
    for (int i = 0; i < 39; i++) {
        look_after(&world, 1, 0);
        assert_nothing_decided(&world);
    }
    assert_int_equal(world.tenant.condition.look_usec, world.now + SECOND);
    look_after(&world, 1, 0);
    do_it(&world, VERB_THAW);
    assert_int_equal(world_phase(&world), PHASE_IDLE);
    look_after(&world, 2, 60);
    assert_decided(&world, VERB_KILL);
}

/* The budget is spent by others again and again: an hour is the most. */
static void test_frozen_in_place_of_a_kill_for_an_hour(void **state)
{
    struct World world;
    usec_t froze;

    freeze_in_place_of_a_kill(&world, 1);
    froze = world.now - 20 * SECOND;
    while (world.now < froze + THAW_DELAY_MAX_USEC - SECOND) {
        budget_spend(&world.budget, world.now);
        look_after(&world, 1, 0);
        assert_nothing_decided(&world);
    }
    look_after(&world, 1, 0);
    assert_decided(&world, VERB_THAW);
}

/* There never will be room: the freeze is the last step, and relieved like one. */
static void test_frozen_with_a_budget_of_none(void **state)
{
    struct World world;

    freeze_in_place_of_a_kill(&world, 0);
    look_after(&world, 29, 0);
    assert_nothing_decided(&world);
    look_after(&world, 1, 0);
    do_it(&world, VERB_THAW);
    look_after(&world, 2, 60);
    do_it(&world, VERB_FREEZE);
    look_after(&world, 1, 0);
    look_after(&world, 59, 0);
    assert_nothing_decided(&world);
    look_after(&world, 1, 0);
    assert_decided(&world, VERB_THAW);
}

/* Nor for one that came under protection meanwhile: it waits for no room either. */
static void test_protected_in_place_of_a_kill(void **state)
{
    for (int untouchable = 0; untouchable < 2; untouchable++) {
        struct World world;

        freeze_in_place_of_a_kill(&world, 2);
        world.tenant.untouchable = untouchable;
        if (!untouchable)
            snprintf(world.tenant.protected_by, sizeof(world.tenant.protected_by), "init.scope");
        look_after(&world, 29, 0);
        assert_nothing_decided(&world);
        look_after(&world, 1, 0);
        assert_decided(&world, VERB_THAW);
    }
}

static void look_at_host(struct World *world, int64_t percent)
{
    struct Readings *readings = &world->tenant.readings;

    world->now += SECOND;
    readings->valid[READING_HOST_MEMORY_PRESSURE_FULL] = true;
    readings->value[READING_HOST_MEMORY_PRESSURE_FULL] = percent * 100;
    engine_look(&world->engine, &world->tenant, world->now, &world->decisions);
}

/* What can be measured while it is frozen tells of relief as ever: here the host's. */
static void test_relieved_by_the_host_in_place_of_a_kill(void **state)
{
    struct World world;

    freeze_in_place_of_a_kill(&world, 2);
    world.rule.until =
        (struct Condition){READING_HOST_MEMORY_PRESSURE_FULL, COMPARISON_BELOW, 1000, false, 10 * SECOND};
    look_at_host(&world, 60);
    look_at_host(&world, 0);
    for (int i = 0; i < 10; i++) {
        assert_nothing_decided(&world);
        look_at_host(&world, 0);
    }
    assert_decided(&world, VERB_THAW);
}

static void test_protected_is_not_throttled(void **state)
{
    struct World world;

    slow_init(&world);
    snprintf(world.tenant.protected_by, sizeof(world.tenant.protected_by), "system.slice/ssh*");
    look(&world, 60);
    assert_decided(&world, VERB_WARN);
    assert_non_null(strstr(reason(&world), "throttle withheld: protected (system.slice/ssh*)"));
    world_outcome(&world, RESULT_DONE);
    for (int i = 0; i < 60; i++) {
        look_after(&world, 1, 60);
        assert_nothing_decided(&world);
    }
    relieve(&world);
    assert_nothing_decided(&world);
    assert_int_equal(world_phase(&world), PHASE_IDLE);
}

/* --- two rules --------------------------------------------------------------------------------------- */

/* Each lets go of its own alone: what the tenant is then is for the holders that are left. */
static void test_two_rules(void **state)
{
    struct World world;
    struct Rule other;

    slow_init(&world);
    only_steps(&world, 1);
    other = world.rule;
    snprintf(other.name, sizeof(other.name), "other");
    other.steps[0].verb = VERB_FREEZE;
    other.until.for_usec = 30 * SECOND;
    world.class.rules[1] = &other;
    world.class.n_rules = 2;
    look(&world, 60);
    assert_int_equal(world.decisions.n, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct Decision decision = world.decisions.list[i];
        struct Decisions more = {};

        assert_int_equal(decision.verb, i == 0 ? VERB_THROTTLE : VERB_FREEZE);
        assert_int_equal(decision.resource, i == 0 ? RESOURCE_MEMORY : RESOURCE_INVALID);
        world_carry_out(&world, &decision);
        engine_outcome(&world.engine, &world.tenant, &decision, RESULT_DONE, world.now, &more);
    }
    assert_int_equal(throttled(&world), 1u << 0);
    assert_int_equal(frozen(&world), 1u << 1);
    /* That it is quiet while it is frozen tells nothing of how it will be. */
    look(&world, 0);
    look_after(&world, 29, 0);
    assert_nothing_decided(&world);
    look_after(&world, 1, 0);
    assert_int_equal(world.decisions.list[0].holder, 1);
    do_it(&world, VERB_THAW);
    assert_int_equal(throttled(&world), 1u << 0);
    relieve(&world);
    assert_int_equal(world.decisions.list[0].holder, 0);
    do_it(&world, VERB_UNTHROTTLE);
}

/* Nor is it pressed harder for the time that somebody else held it. */
static void test_held_by_an_operator(void **state)
{
    struct World world;

    slow_init(&world);
    throttle_it(&world);
    world.tenant.condition.holders = 1u << HOLDER_OPERATOR;
    for (int i = 0; i < 60; i++) {
        look_after(&world, 1, i % 2 == 0 ? 60 : 0);
        assert_nothing_decided(&world);
    }
    world.tenant.condition.holders = 0;
    look_after(&world, 9, 60);
    assert_nothing_decided(&world);
    look_after(&world, 1, 60);
    assert_decided(&world, VERB_FREEZE);
}

/* What it holds itself is not others'. */
static void test_slowed_after_it_was_frozen(void **state)
{
    struct World world;

    slow_init(&world);
    world.rule.steps[0].verb = VERB_FREEZE;
    world.rule.steps[1].verb = VERB_THROTTLE;
    only_steps(&world, 2);
    look(&world, 60);
    do_it(&world, VERB_FREEZE);
    look_after(&world, 10, 60);
    do_it(&world, VERB_THROTTLE);
    assert_int_equal(frozen(&world), 1);
    relieve(&world);
    do_it(&world, VERB_THAW);
    assert_int_equal(world_phase(&world), PHASE_STANDING);
    assert_int_equal(rule_state(&world)->step, 1);
    relieve(&world);
    do_it(&world, VERB_UNTHROTTLE);
    assert_int_equal(world_phase(&world), PHASE_IDLE);
}

/* What is overdue while no rule may do anything is asked about once a second, not without end. */
static void test_overdue_while_it_is_left_alone(void **state)
{
    static const int64_t percents[] = {0, 95}; /* relieved, stuck */

    for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
        struct World world;

        slow_init(&world);
        world.rule.steps[0].lasts_usec = 1000 * SECOND;
        throttle_it(&world);
        look(&world, percents[i]);
        world.tenant.exemption.until_realtime_usec = USEC_INFINITY;
        look_after(&world, 20, percents[i]);
        assert_nothing_decided(&world);
        assert_true(world.tenant.condition.look_usec == world.now + SECOND);
        world.tenant.exemption.until_realtime_usec = 0;
        look_after(&world, 1, percents[i]);
        assert_decided(&world, percents[i] == 0 ? VERB_UNTHROTTLE : VERB_FREEZE);
    }
}

/* --- flapping ---------------------------------------------------------------------------------------- */

static bool is_action(enum Verb verb)
{
    return verb != VERB_WARN;
}

/* Carries out what was decided and what follows from it. Returns how many actions that were; `ret_killed`. */
static unsigned carry_out(struct World *world, bool *ret_killed)
{
    unsigned actions = 0;

    while (world->decisions.n > 0) {
        assert_int_equal(world->decisions.n, 1);
        actions += is_action(world->decisions.list[0].verb);
        *ret_killed = *ret_killed || world->decisions.list[0].verb == VERB_KILL;
        world_outcome(world, RESULT_DONE);
    }
    return actions;
}

#define TICK (SECOND / 10)
#define FLAPS (120 * SECOND)

/* Pressure on for 3 s and off for 3 s, for two minutes, and then peace until all is undone. The kernel
 * announces its beginning alone. */
static unsigned flap(struct World *world)
{
    unsigned actions = 0;
    bool killed = false, was_on = false;

    for (usec_t at = 0; !killed && (at <= FLAPS || world_phase(world) != PHASE_IDLE); at += TICK) {
        bool on = at < FLAPS && at / (3 * SECOND) % 2 == 0;

        assert_true(at < FLAPS + USEC_PER_HOUR);
        world->now = START + at;
        if ((on && !was_on) || world->now >= world->tenant.condition.look_usec) {
            look(world, on ? 95 : 0);
            actions += carry_out(world, &killed);
        }
        was_on = on;
    }
    assert_true(killed || (frozen(world) == 0 && throttled(world) == 0));
    return actions;
}

static void test_flapping(void **state)
{
    static const struct {
        unsigned when_for, until_for;
        enum Verb steps[3];
        size_t n_steps;
        unsigned actions;
    } table[] = {
        /* 2 S: no pause is long enough. */
        {0, 10, {VERB_THROTTLE}, 1, 2},
        {0, 4, {VERB_THROTTLE}, 1, 2},
        {2, 10, {VERB_THROTTLE}, 1, 2},
        {0, 10, {VERB_FREEZE}, 1, 2},
        {0, 10, {VERB_THROTTLE, VERB_FREEZE}, 2, 4},
        {0, 10, {VERB_WARN, VERB_THROTTLE, VERB_FREEZE}, 3, 4},
        /* 2 S + 2: the first pause is, the others are not. */
        {0, 0, {VERB_THROTTLE}, 1, 4},
        {0, 2, {VERB_THROTTLE}, 1, 4},
        {2, 0, {VERB_THROTTLE}, 1, 4},
        {0, 0, {VERB_FREEZE}, 1, 4},
        {0, 0, {VERB_THROTTLE, VERB_FREEZE}, 2, 6},
        /* With a kill: throttle, freeze, kill, and both given back. */
        {0, 10, {VERB_THROTTLE, VERB_FREEZE, VERB_KILL}, 3, 5},
        /* Never for as long as When asks. */
        {4, 10, {VERB_THROTTLE, VERB_FREEZE, VERB_KILL}, 3, 0},
        {4, 0, {VERB_THROTTLE}, 1, 0},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct World world;
        unsigned actions;

        slow_init(&world);
        world.rule.when.for_usec = table[i].when_for * SECOND;
        world.rule.until.for_usec = table[i].until_for * SECOND;
        for (size_t step = 0; step < table[i].n_steps; step++)
            world.rule.steps[step] = (struct Step){table[i].steps[step], 10 * SECOND};
        only_steps(&world, table[i].n_steps);
        actions = flap(&world);
        if (actions != table[i].actions)
            fail_msg("row %zu: %u actions", i, actions);
    }
}

/* Who knows the rule and times its pauses: on until it is held with all that there is, off until it has come
 * down by so many steps, and on again. */
static unsigned outwit(struct World *world, unsigned releases)
{
    unsigned actions = 0, left = 0;
    bool killed = false;

    for (usec_t at = 0; at < FLAPS || world_phase(world) != PHASE_IDLE; at += TICK) {
        assert_true(at < FLAPS + USEC_PER_HOUR);
        const struct RuleState *rule = rule_state(world);
        bool top = rule->phase == PHASE_STANDING && rule->step + 1 == world->rule.n_steps;

        if (top && left == 0)
            left = releases;
        world->now = START + at;
        look(world, at < FLAPS && left == 0 ? 60 : 0);
        if (world->decisions.n > 0 && left > 0)
            left--;
        actions += carry_out(world, &killed);
    }
    return actions;
}

static void test_outwitting(void **state)
{
    for (size_t steps = 1; steps <= 2; steps++)
        for (unsigned releases = 1; releases <= steps; releases++) {
            struct World world;
            unsigned actions;

            slow_init(&world);
            world.rule.until.for_usec = 0;
            world.rule.steps[0].lasts_usec = TICK;
            only_steps(&world, steps);
            actions = outwit(&world, releases);
            assert_true(actions > 4 * steps || releases < steps);
            if (actions > 12 * steps)
                fail_msg("%zu steps, %u releases: %u actions", steps, releases, actions);
        }
}

/* --- restart and reload ------------------------------------------------------------------------------ */

static void test_adopted(void **state)
{
    for (int throttle_first = 0; throttle_first < 2; throttle_first++) {
        struct World world;

        slow_init(&world);
        engine_adopt(&world.tenant, 0, throttle_first ? 0 : 1, world.now - (throttle_first ? 15 : 5) * SECOND,
                     1);
        engine_adopt(&world.tenant, 0, throttle_first ? 1 : 0, world.now - (throttle_first ? 5 : 15) * SECOND,
                     1);
        world.tenant.condition.holders = 1;
        world.tenant.throttles[RESOURCE_MEMORY].holders = 1;
        assert_int_equal(rule_state(&world)->step, 1);
        look_after(&world, 14, 60);
        assert_nothing_decided(&world);
        look_after(&world, 1, 60);
        assert_decided(&world, VERB_KILL);
    }
}

static void test_adopted_throttle(void **state)
{
    struct World world;

    slow_init(&world);
    engine_adopt(&world.tenant, 0, 0, world.now - SECOND, 0);
    world.tenant.throttles[RESOURCE_MEMORY].holders = 1;
    relieve(&world);
    do_it(&world, VERB_UNTHROTTLE);
    assert_int_equal(world_phase(&world), PHASE_IDLE);
}

static void test_reload(void **state)
{
    struct World world;
    struct Rule other = {.name = "other", .n_steps = 1}, changed;
    struct TenantClass two, none = {};

    slow_init(&world);
    throttle_it(&world);
    world.tenant.throttles[RESOURCE_MEMORY].holders |= 1u << HOLDER_OPERATOR;
    two = world.class;
    two.rules[0] = &other;
    two.rules[1] = &world.rule;
    two.n_rules = 2;
    assert_int_equal(engine_lost_holders(&world.tenant, &none), 1u << 0);
    assert_int_equal(engine_lost_holders(&world.tenant, NULL), 1u << 0);
    assert_int_equal(engine_lost_holders(&world.tenant, &two), 0);
    changed = world.rule;
    changed.resource = RESOURCE_IO;
    two.rules[1] = &changed;
    assert_int_equal(engine_lost_holders(&world.tenant, &two), 1u << 0);
    changed = world.rule; /* freeze 20s, kill */
    changed.steps[0] = changed.steps[1];
    changed.steps[1] = changed.steps[2];
    changed.n_steps = 2;
    assert_int_equal(engine_lost_holders(&world.tenant, &two), 1u << 0);
    two.rules[1] = &world.rule;
    engine_reclass(&world.tenant, &two);
    assert_int_equal(throttled(&world), 1u << 1 | 1u << HOLDER_OPERATOR);
    assert_int_equal(world.tenant.condition.rules[1].phase, PHASE_STANDING);
    relieve(&world);
    assert_decided(&world, VERB_UNTHROTTLE);
    assert_int_equal(world.decisions.list[0].holder, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_move),
        cmocka_unit_test(test_every_cell),
        cmocka_unit_test(test_throttle_is_decided),
        cmocka_unit_test(test_slowed_frozen_killed),
        cmocka_unit_test(test_killed_is_let_go_in_spite_of_failures),
        cmocka_unit_test(test_down_step_by_step),
        cmocka_unit_test(test_up_again_is_a_repeat),
        cmocka_unit_test(test_at_peace_is_not_pressed_harder),
        cmocka_unit_test(test_frozen_is_no_peace),
        cmocka_unit_test(test_repeats_begin_at_the_throttle),
        cmocka_unit_test(test_repeats_begin_before_the_throttle),
        cmocka_unit_test(test_dwells),
        cmocka_unit_test(test_dwells_where_it_came_down_to),
        cmocka_unit_test(test_stuck_in_reclaim),
        cmocka_unit_test(test_not_stuck),
        cmocka_unit_test(test_stuck_is_not_killed_at_peace),
        cmocka_unit_test(test_failed_throttle_is_passed),
        cmocka_unit_test(test_failed_last_throttle_is_tried_again),
        cmocka_unit_test(test_failed_unthrottle_is_tried_again),
        cmocka_unit_test(test_failed_thaw_comes_down_later),
        cmocka_unit_test(test_nothing_to_undo_above_the_throttle),
        cmocka_unit_test(test_outcomes_of_before),
        cmocka_unit_test(test_observing),
        cmocka_unit_test(test_budget_spent_above_a_throttle),
        cmocka_unit_test(test_budget_has_room_again),
        cmocka_unit_test(test_frozen_in_place_of_a_kill),
        cmocka_unit_test(test_frozen_in_place_of_a_kill_for_an_hour),
        cmocka_unit_test(test_frozen_with_a_budget_of_none),
        cmocka_unit_test(test_protected_in_place_of_a_kill),
        cmocka_unit_test(test_relieved_by_the_host_in_place_of_a_kill),
        cmocka_unit_test(test_protected_is_not_throttled),
        cmocka_unit_test(test_two_rules),
        cmocka_unit_test(test_held_by_an_operator),
        cmocka_unit_test(test_slowed_after_it_was_frozen),
        cmocka_unit_test(test_overdue_while_it_is_left_alone),
        cmocka_unit_test(test_flapping),
        cmocka_unit_test(test_outwitting),
        cmocka_unit_test(test_adopted),
        cmocka_unit_test(test_adopted_throttle),
        cmocka_unit_test(test_reload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
