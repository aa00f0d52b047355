/* A tenant, a class with one rule, and a clock that only moves when a test says so. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "decide/engine.h"

#define SECOND USEC_PER_SEC
#define START (1000 * SECOND)

struct World {
    struct Policy policy;
    struct Rule rule;
    struct TenantClass class;
    struct KillBudget budget;
    struct Offences offences;
    struct Engine engine;
    struct Tenant tenant;
    struct Decisions decisions;
    usec_t now;
};

/* fork-bomb: When=tasks.denied > 0, Until=tasks.current < 50% for 10s, Steps=freeze 5s, kill */
static inline void world_init(struct World *world)
{
    memset(world, 0, sizeof(*world));
    snprintf(world->rule.name, sizeof(world->rule.name), "fork-bomb");
    world->rule.when = (struct Condition){READING_TASKS_DENIED, COMPARISON_ABOVE, 0, false, 0};
    world->rule.until = (struct Condition){READING_TASKS_CURRENT, COMPARISON_BELOW, 50, true, 10 * SECOND};
    world->rule.steps[0] = (struct Step){VERB_FREEZE, 5 * SECOND};
    world->rule.steps[1] = (struct Step){VERB_KILL, USEC_INFINITY};
    world->rule.n_steps = 2;
    snprintf(world->class.name, sizeof(world->class.name), "containers");
    world->class.rules[0] = &world->rule;
    world->class.n_rules = 1;
    world->policy.kill_limit = (struct KillLimit){5, 60 * SECOND};
    world->engine = (struct Engine){&world->policy, &world->budget, &world->offences};
    snprintf(world->tenant.name, sizeof(world->tenant.name), "docker/web");
    world->tenant.class = &world->class;
    for (size_t i = 0; i < HOLDER_COUNT; i++)
        world->tenant.hold_slots[i] = LEDGER_SLOT_NONE;
    engine_reset(&world->tenant);
    world->now = START;
}

/* One look with these readings at the present time; what it decided is in world->decisions. */
static inline void world_look(struct World *world, int64_t current, int64_t denied)
{
    struct Readings *readings = &world->tenant.readings;

    *readings = (struct Readings){.at_usec = world->now};
    readings->valid[READING_TASKS_CURRENT] = readings->valid[READING_TASKS_DENIED] = true;
    readings->value[READING_TASKS_CURRENT] = current;
    readings->limit[READING_TASKS_CURRENT] = 1024;
    readings->value[READING_TASKS_DENIED] = denied;
    readings->limit[READING_TASKS_DENIED] = READING_UNLIMITED;
    world->decisions.n = 0;
    engine_look(&world->engine, &world->tenant, world->now, &world->decisions);
}

/* What the pipeline does to the holders. */
static inline void world_carry_out(struct World *world, const struct Decision *decision)
{
    uint32_t *frozen = &world->tenant.condition.holders, *throttled;

    if (decision->verb == VERB_FREEZE)
        *frozen |= 1u << decision->holder;
    if (decision->verb == VERB_THAW)
        *frozen &= ~(1u << decision->holder);
    if (decision->verb != VERB_THROTTLE && decision->verb != VERB_UNTHROTTLE)
        return;
    assert_true(resource_can_throttle(decision->resource));
    throttled = &world->tenant.throttles[decision->resource].holders;
    if (decision->verb == VERB_THROTTLE)
        *throttled |= 1u << decision->holder;
    else
        *throttled &= ~(1u << decision->holder);
}

/* The outcome of the last decision. */
static inline void world_outcome(struct World *world, enum Result result)
{
    const struct Decision decision = world->decisions.list[world->decisions.n - 1];

    if (result == RESULT_DONE)
        world_carry_out(world, &decision);
    world->decisions.n = 0;
    engine_outcome(&world->engine, &world->tenant, &decision, result, world->now, &world->decisions);
}

static inline enum RulePhase world_phase(const struct World *world)
{
    return world->tenant.condition.rules[0].phase;
}

#define assert_decided(world, wanted)                                                                        \
    do {                                                                                                     \
        assert_int_equal((world)->decisions.n, 1);                                                           \
        assert_int_equal((world)->decisions.list[0].verb, (wanted));                                         \
    } while (0)
#define assert_nothing_decided(world) assert_int_equal((world)->decisions.n, 0)
