#include "decide/engine.h"

#include <stdio.h>
#include <string.h>

#include "decide/condition.h"

enum RuleEvent {
    RULE_QUIET,     /* When is false; or nothing is due */
    RULE_HOLDS,     /* When is true, not yet for as long as it asks */
    RULE_DUE,       /* When held for as long as it asks */
    RULE_STEP_OVER, /* the time of the step (or of a retry) is over */
    RULE_RELIEVED,  /* Until held for as long as it asks */
    RULE_TOOK,      /* the outcome of what was decided: it took */
    RULE_FAILED,
    RULE_EVENT_COUNT,
};

enum Effect {
    EFFECT_NONE,
    EFFECT_NOTE,      /* remember since when */
    EFFECT_BEGIN,     /* decide the first step; the last one for a repeat offender */
    EFFECT_SETTLE,    /* the step is in force from now on */
    EFFECT_STAND_BY,  /* the step did not take: wait for its time to pass */
    EFFECT_NEXT_STEP, /* decide the next step; the last one again when it failed */
    EFFECT_RELEASE,   /* decide the inverse */
    EFFECT_RETRY,     /* the release failed: wait, then again */
    EFFECT_FORGET,    /* all is over */
};

/* The whole of the escalation. An effect may lead elsewhere than `next`: a kill that is held back stays
 * STANDING, a release with nothing to undo goes to IDLE at once. */
static const struct Move {
    enum RulePhase next;
    enum Effect effect;
} moves[PHASE_COUNT][RULE_EVENT_COUNT] = {
    [PHASE_IDLE] =
        {
            [RULE_QUIET] = {PHASE_IDLE, EFFECT_NONE},
            [RULE_HOLDS] = {PHASE_PENDING, EFFECT_NOTE},
            [RULE_DUE] = {PHASE_ACTING, EFFECT_BEGIN},
            [RULE_STEP_OVER] = {PHASE_IDLE, EFFECT_NONE},
            [RULE_RELIEVED] = {PHASE_IDLE, EFFECT_NONE},
            [RULE_TOOK] = {PHASE_IDLE, EFFECT_NONE},
            [RULE_FAILED] = {PHASE_IDLE, EFFECT_NONE},
        },
    [PHASE_PENDING] =
        {
            [RULE_QUIET] = {PHASE_IDLE, EFFECT_FORGET},
            [RULE_HOLDS] = {PHASE_PENDING, EFFECT_NONE},
            [RULE_DUE] = {PHASE_ACTING, EFFECT_BEGIN},
            [RULE_STEP_OVER] = {PHASE_PENDING, EFFECT_NONE},
            [RULE_RELIEVED] = {PHASE_PENDING, EFFECT_NONE},
            [RULE_TOOK] = {PHASE_PENDING, EFFECT_NONE},
            [RULE_FAILED] = {PHASE_PENDING, EFFECT_NONE},
        },
    [PHASE_ACTING] =
        {
            [RULE_QUIET] = {PHASE_ACTING, EFFECT_NONE},
            [RULE_HOLDS] = {PHASE_ACTING, EFFECT_NONE},
            [RULE_DUE] = {PHASE_ACTING, EFFECT_NONE},
            [RULE_STEP_OVER] = {PHASE_ACTING, EFFECT_NONE},
            [RULE_RELIEVED] = {PHASE_ACTING, EFFECT_NONE},
            [RULE_TOOK] = {PHASE_STANDING, EFFECT_SETTLE},
            [RULE_FAILED] = {PHASE_STANDING, EFFECT_STAND_BY},
        },
    [PHASE_STANDING] =
        {
            [RULE_QUIET] = {PHASE_STANDING, EFFECT_NONE},
            [RULE_HOLDS] = {PHASE_STANDING, EFFECT_NONE},
            [RULE_DUE] = {PHASE_STANDING, EFFECT_NONE},
            [RULE_STEP_OVER] = {PHASE_ACTING, EFFECT_NEXT_STEP},
            [RULE_RELIEVED] = {PHASE_RELEASING, EFFECT_RELEASE},
            [RULE_TOOK] = {PHASE_STANDING, EFFECT_NONE},
            [RULE_FAILED] = {PHASE_STANDING, EFFECT_NONE},
        },
    [PHASE_RELEASING] =
        {
            [RULE_QUIET] = {PHASE_RELEASING, EFFECT_NONE},
            [RULE_HOLDS] = {PHASE_RELEASING, EFFECT_NONE},
            [RULE_DUE] = {PHASE_RELEASING, EFFECT_NONE},
            [RULE_STEP_OVER] = {PHASE_RELEASING, EFFECT_RELEASE},
            [RULE_RELIEVED] = {PHASE_RELEASING, EFFECT_NONE},
            [RULE_TOOK] = {PHASE_IDLE, EFFECT_FORGET},
            [RULE_FAILED] = {PHASE_RELEASING, EFFECT_RETRY},
        },
};

/* One rule of one tenant at one moment: what the functions below hand to each other. */
struct Turn {
    const struct Engine *engine;
    struct Tenant *tenant;
    const struct Rule *rule;
    struct RuleState *state;
    unsigned holder;
    usec_t now;
    struct Decisions *decisions;
};

static size_t last_step(const struct Rule *rule)
{
    return rule->n_steps - 1;
}

static enum Verb step_verb(const struct Turn *turn)
{
    return turn->rule->steps[turn->state->step].verb;
}

static bool begins(const struct Turn *turn)
{
    return turn->state->phase == PHASE_IDLE || turn->state->phase == PHASE_PENDING;
}

/* What made the rule decide: at its beginning When, later that there is no relief, or that there is. An
 * election has told When already. */
static void evidence(const struct Turn *turn, char *buf, size_t size)
{
    const struct Readings *readings = &turn->tenant->readings;
    char text[CONDITION_EVIDENCE_MAX], until[CONDITION_EVIDENCE_MAX];
    bool elected = turn->rule->scope == SCOPE_HOST;

    buf[0] = '\0';
    if (!begins(turn)) {
        condition_evidence(&turn->rule->until, readings, buf, size);
        return;
    }
    if (!elected)
        condition_evidence(&turn->rule->when, readings, text, sizeof(text));
    if (turn->rule->until.reading != turn->rule->when.reading)
        snprintf(buf, size, "%s%suntil %s", elected ? "" : text, elected ? "" : ", ",
                 condition_evidence(&turn->rule->until, readings, until, sizeof(until)));
    else if (!elected)
        snprintf(buf, size, "%s", text);
}

/* The election, why, the evidence: what there is of them. host_elect() leaves room for the rest. */
static void write_reason(const struct Turn *turn, const char *why, char *reason)
{
    bool elected = turn->rule->scope == SCOPE_HOST && begins(turn);
    char text[3 * CONDITION_EVIDENCE_MAX];
    size_t n;

    evidence(turn, text, sizeof(text));
    snprintf(reason, REASON_MAX, "%s", elected ? turn->tenant->condition.election : "");
    n = strlen(reason);
    snprintf(reason + n, REASON_MAX - n, "%s%s%s%s", n > 0 && (why[0] || text[0]) ? "; " : "", why,
             why[0] && text[0] ? ": " : "", text);
}

/* `why`: a sentence, or "" where the evidence says it all. */
static void decide(const struct Turn *turn, enum Verb verb, enum Cause cause, const char *why)
{
    struct Decision *decision;

    if (turn->decisions->n == DECISIONS_MAX)
        return;
    decision = &turn->decisions->list[turn->decisions->n++];
    *decision = (struct Decision){
        .verb = verb, .cause = cause, .holder = turn->holder, .limit = LIMIT_INVALID, .at_usec = turn->now};
    snprintf(decision->rule, sizeof(decision->rule), "%s", turn->rule->name);
    write_reason(turn, why, decision->reason);
}

/* Something else, in place of what is due. */
static void decide_withheld(const struct Turn *turn, enum Verb instead, const char *why)
{
    size_t n = turn->decisions->n;

    decide(turn, instead, CAUSE_RULE, why);
    if (turn->decisions->n > n)
        turn->decisions->list[n].withheld = true;
}

/* The duration that Until must hold; for what was frozen before it doubles with every repeat. */
static usec_t until_for_usec(const struct Turn *turn)
{
    usec_t wanted = turn->rule->until.for_usec, delay;

    if (step_verb(turn) != VERB_FREEZE || turn->state->repeats == 0)
        return wanted;
    delay = usec_shift(wanted, turn->state->repeats);
    if (delay > THAW_DELAY_MAX_USEC)
        delay = wanted > THAW_DELAY_MAX_USEC ? wanted : THAW_DELAY_MAX_USEC;
    return delay;
}

/* When the step that stands gives way to the next; USEC_INFINITY when it is the last and took. */
static usec_t step_over_usec(const struct Turn *turn)
{
    const struct RuleState *state = turn->state;

    if (state->withheld && step_verb(turn) == VERB_KILL)
        return budget_room_usec(turn->engine->budget, &turn->engine->policy->kill_limit, turn->now);
    if (state->step == last_step(turn->rule))
        return state->step_failed ? usec_add(state->step_usec, RETRY_USEC) : USEC_INFINITY;
    return usec_add(state->step_usec, turn->rule->steps[state->step].lasts_usec);
}

static bool is_protected(const struct Tenant *tenant)
{
    return tenant->untouchable || tenant->protected_by[0] != '\0';
}

/* Says once per standing step why nothing is done, and stays. */
static enum RulePhase withhold(const struct Turn *turn, const char *why)
{
    if (!turn->state->withheld)
        decide_withheld(turn, VERB_WARN, why);
    turn->state->withheld = true;
    turn->state->step_failed = true;
    turn->state->step_usec = turn->now;
    return PHASE_STANDING;
}

static bool holds(const struct Turn *turn)
{
    return (turn->tenant->condition.holders & (1u << turn->holder)) != 0;
}

/* The kill is due but the budget is spent: what can be undone takes its place. */
static enum RulePhase freeze_instead(const struct Turn *turn)
{
    char window[USEC_FORMAT_MAX], why[128];
    const struct KillLimit *limit = &turn->engine->policy->kill_limit;

    snprintf(why, sizeof(why), "kill withheld: the kill budget of %u in %s is spent", limit->kills,
             usec_format(limit->window_usec, window, sizeof(window)));
    turn->state->step = last_step(turn->rule);
    if (holds(turn))
        return withhold(turn, why);
    if (!turn->state->withheld)
        decide_withheld(turn, VERB_FREEZE, why);
    turn->state->withheld = true;
    return PHASE_ACTING;
}

/* A kill after its own SIGTERM is the same kill: it was paid then. */
static bool is_paid(const struct Turn *turn, size_t step)
{
    return turn->rule->steps[step].verb == VERB_KILL && turn->state->step + 1 == step &&
           turn->rule->steps[turn->state->step].verb == VERB_TERMINATE;
}

/* Decides `step`, unless something speaks against it. */
static enum RulePhase enter_step(const struct Turn *turn, size_t step, const char *why)
{
    enum Verb verb = turn->rule->steps[step].verb;
    char text[256];

    if (verb != VERB_WARN && is_protected(turn->tenant)) {
        snprintf(text, sizeof(text), "%s withheld: protected (%s)", verb_name(verb),
                 turn->tenant->protected_by);
        turn->state->step = last_step(turn->rule);
        return withhold(turn, text);
    }
    if (verb_is_final(verb) && !is_paid(turn, step)) {
        if (budget_left(turn->engine->budget, &turn->engine->policy->kill_limit, turn->now) == 0)
            return freeze_instead(turn);
        budget_spend(turn->engine->budget, turn->now);
    }
    turn->state->step = step;
    turn->state->withheld = false;
    decide(turn, verb, CAUSE_RULE, why);
    return PHASE_ACTING;
}

static bool is_more_than_a_warning(const struct Rule *rule)
{
    return rule->steps[last_step(rule)].verb != VERB_WARN;
}

static enum RulePhase begin(const struct Turn *turn)
{
    struct RuleState *state = turn->state;
    size_t step = 0;
    char why[96] = "";

    state->step = 0;
    state->step_failed = false;
    state->withheld = false;
    state->until_since_usec = USEC_INFINITY;
    state->repeats = offences_count(turn->engine->offences, turn->tenant->name, turn->rule->name, turn->now);
    if (is_more_than_a_warning(turn->rule))
        offences_add(turn->engine->offences, turn->tenant->name, turn->rule->name, turn->now);
    /* Whoever is back at peace at this moment gets the first step even so: a name is not yet a proof. */
    if (state->repeats > 0 && !condition_holds(&turn->rule->until, &turn->tenant->readings)) {
        step = last_step(turn->rule);
        snprintf(why, sizeof(why), "offended %u time%s in the last 10 min, straight to the last step",
                 state->repeats, state->repeats == 1 ? "" : "s");
    }
    return enter_step(turn, step, why);
}

static enum RulePhase next_step(const struct Turn *turn)
{
    struct RuleState *state = turn->state;
    size_t step = state->step < last_step(turn->rule) ? state->step + 1 : state->step;
    char lasted[USEC_FORMAT_MAX], why[96];

    /* Measured again, right before what cannot be undone. */
    if (verb_is_final(turn->rule->steps[step].verb) &&
        condition_holds(&turn->rule->until, &turn->tenant->readings))
        return PHASE_STANDING;
    snprintf(why, sizeof(why), "no relief within %s of step %zu of %zu",
             usec_format(turn->now - state->step_usec, lasted, sizeof(lasted)), state->step + 1,
             turn->rule->n_steps);
    return enter_step(turn, step, why);
}

/* After a kill nothing is left to hold: what was frozen is given back, for whoever uses the cgroup next. */
static enum RulePhase after_kill(const struct Turn *turn)
{
    if (turn->tenant->condition.holders == 0)
        return PHASE_IDLE;
    decide(turn, VERB_THAW, CAUSE_RELIEF, "killed, nothing is left to hold");
    return PHASE_RELEASING;
}

static enum RulePhase settle(const struct Turn *turn, enum Verb verb, enum Result result)
{
    turn->state->step_usec = turn->now;
    turn->state->step_failed = false;
    /* Observing, the bomb goes on: stay, or every refused fork would be one more line. */
    if (verb == VERB_KILL && result != RESULT_OBSERVED)
        return after_kill(turn);
    return PHASE_STANDING;
}

static enum RulePhase release(const struct Turn *turn)
{
    char held[USEC_FORMAT_MAX], why[96];

    offences_touch(turn->engine->offences, turn->tenant->name, turn->rule->name, turn->now);
    if (!holds(turn))
        return PHASE_IDLE;
    turn->state->step_failed = false;
    snprintf(why, sizeof(why), "relief for %s",
             usec_format(turn->now - turn->state->until_since_usec, held, sizeof(held)));
    decide(turn, VERB_THAW, CAUSE_RELIEF, why);
    return PHASE_RELEASING;
}

static void forget(struct RuleState *state)
{
    *state = (struct RuleState){.phase = PHASE_IDLE, .until_since_usec = USEC_INFINITY};
}

/* Why it was elected is told for as long as it is by any rule. */
static void forget_election(struct Case *condition)
{
    for (size_t i = 0; i < POLICY_CLASS_RULES_MAX; i++)
        if (condition->rules[i].elected)
            return;
    condition->election[0] = '\0';
}

/* Makes the move of the table; `decision` and `result` belong to RULE_TOOK and RULE_FAILED. */
static void move(const struct Turn *turn, enum RuleEvent event, enum Verb verb, enum Result result)
{
    const struct Move *to = &moves[turn->state->phase][event];
    struct RuleState *state = turn->state;
    enum RulePhase next = to->next;
    bool elected = state->elected;

    switch (to->effect) {
    case EFFECT_NONE:
        break;
    case EFFECT_NOTE:
        state->began_usec = turn->now;
        break;
    case EFFECT_BEGIN:
        if (state->phase == PHASE_IDLE)
            state->began_usec = turn->now;
        next = begin(turn);
        break;
    case EFFECT_SETTLE:
        next = settle(turn, verb, result);
        break;
    case EFFECT_STAND_BY:
    case EFFECT_RETRY:
        state->step_usec = turn->now;
        state->step_failed = true;
        break;
    case EFFECT_NEXT_STEP:
        next = next_step(turn);
        break;
    case EFFECT_RELEASE:
        next = release(turn);
        break;
    case EFFECT_FORGET:
        break;
    }
    state->phase = next;
    if (next != PHASE_IDLE)
        return;
    forget(state);
    if (elected)
        forget_election(&turn->tenant->condition);
}

static enum RuleEvent when_event(const struct Turn *turn)
{
    usec_t began = turn->state->phase == PHASE_PENDING ? turn->state->began_usec : turn->now;

    if (!condition_holds(&turn->rule->when, &turn->tenant->readings))
        return RULE_QUIET;
    /* `for` was held against the host already (host.c), and nobody but the elected one is meant. */
    if (turn->rule->scope == SCOPE_HOST)
        return turn->state->elected ? RULE_DUE : RULE_QUIET;
    return turn->now - began >= turn->rule->when.for_usec ? RULE_DUE : RULE_HOLDS;
}

static enum RuleEvent standing_event(const struct Turn *turn)
{
    struct RuleState *state = turn->state;

    if (!condition_holds(&turn->rule->until, &turn->tenant->readings))
        state->until_since_usec = USEC_INFINITY;
    else if (state->until_since_usec == USEC_INFINITY)
        state->until_since_usec = turn->now;
    if (state->until_since_usec != USEC_INFINITY &&
        turn->now - state->until_since_usec >= until_for_usec(turn))
        return RULE_RELIEVED;
    return turn->now >= step_over_usec(turn) ? RULE_STEP_OVER : RULE_QUIET;
}

static enum RuleEvent look_event(const struct Turn *turn)
{
    switch (turn->state->phase) {
    case PHASE_IDLE:
    case PHASE_PENDING:
        return when_event(turn);
    case PHASE_STANDING:
        return standing_event(turn);
    case PHASE_RELEASING:
        return turn->state->step_failed && turn->now >= usec_add(turn->state->step_usec, RETRY_USEC)
                   ? RULE_STEP_OVER
                   : RULE_QUIET;
    default:
        return RULE_QUIET;
    }
}

/* When this rule wants to be looked at again. */
static usec_t rule_look_usec(const struct Turn *turn)
{
    const struct RuleState *state = turn->state;
    usec_t look = usec_add(turn->now, LOOK_INTERVAL_USEC);

    switch (state->phase) {
    case PHASE_PENDING:
        return usec_min(look, usec_add(state->began_usec, turn->rule->when.for_usec));
    case PHASE_STANDING:
        if (state->until_since_usec != USEC_INFINITY)
            look = usec_min(look, usec_add(state->until_since_usec, until_for_usec(turn)));
        /* What is overdue and held back waits for the next interval. */
        return step_over_usec(turn) > turn->now ? usec_min(look, step_over_usec(turn)) : look;
    case PHASE_RELEASING:
        return state->step_failed ? usec_add(state->step_usec, RETRY_USEC) : USEC_INFINITY;
    default:
        return USEC_INFINITY;
    }
}

static struct Turn turn_of(const struct Engine *engine, struct Tenant *tenant, size_t rule, usec_t now,
                           struct Decisions *decisions)
{
    return (struct Turn){.engine = engine,
                         .tenant = tenant,
                         .rule = tenant->class->rules[rule],
                         .state = &tenant->condition.rules[rule],
                         .holder = (unsigned)rule,
                         .now = now,
                         .decisions = decisions};
}

static void set_look_usec(const struct Engine *engine, struct Tenant *tenant, usec_t now)
{
    usec_t look = USEC_INFINITY;

    for (size_t i = 0; tenant->class && i < tenant->class->n_rules; i++) {
        struct Turn turn = turn_of(engine, tenant, i, now, NULL);

        look = usec_min(look, rule_look_usec(&turn));
    }
    tenant->condition.look_usec = look;
}

void engine_look(const struct Engine *engine, struct Tenant *tenant, usec_t now, struct Decisions *decisions)
{
    for (size_t i = 0; tenant->class && !tenant->released && i < tenant->class->n_rules; i++) {
        struct Turn turn = turn_of(engine, tenant, i, now, decisions);

        move(&turn, look_event(&turn), VERB_INVALID, RESULT_PENDING);
    }
    set_look_usec(engine, tenant, now);
}

void engine_outcome(const struct Engine *engine, struct Tenant *tenant, const struct Decision *decision,
                    enum Result result, usec_t now, struct Decisions *decisions)
{
    if (tenant->class && decision->holder < tenant->class->n_rules) {
        struct Turn turn = turn_of(engine, tenant, decision->holder, now, decisions);

        /* What is said while a kill is held back is no step of the rule. */
        if (turn.state->phase == PHASE_ACTING || decision->verb == VERB_THAW)
            move(&turn, result_is_success(result) ? RULE_TOOK : RULE_FAILED, decision->verb, result);
    }
    set_look_usec(engine, tenant, now);
}

void engine_reset(struct Tenant *tenant)
{
    for (size_t i = 0; i < POLICY_CLASS_RULES_MAX; i++)
        forget(&tenant->condition.rules[i]);
    tenant->condition.election[0] = '\0';
    tenant->condition.look_usec = USEC_INFINITY;
}

static bool is_of_host(const struct Tenant *tenant, size_t rule)
{
    return tenant->class && rule < tenant->class->n_rules && tenant->class->rules[rule]->scope == SCOPE_HOST;
}

void engine_adopt(struct Tenant *tenant, size_t rule, size_t step, usec_t since_usec, unsigned repeats)
{
    tenant->condition.rules[rule] = (struct RuleState){.phase = PHASE_STANDING,
                                                       .step = step,
                                                       .elected = is_of_host(tenant, rule),
                                                       .began_usec = since_usec,
                                                       .step_usec = since_usec,
                                                       .until_since_usec = USEC_INFINITY,
                                                       .repeats = repeats};
    tenant->condition.look_usec = since_usec;
}

static bool find_rule(const struct TenantClass *class, const struct Rule *rule, size_t *ret_index)
{
    for (size_t i = 0; class && i < class->n_rules; i++)
        if (strcmp(class->rules[i]->name, rule->name) == 0) {
            *ret_index = i;
            return true;
        }
    return false;
}

uint32_t engine_lost_holders(const struct Tenant *tenant, const struct TenantClass *to)
{
    uint32_t lost = 0;
    size_t at;

    for (unsigned i = 0; tenant->class && i < tenant->class->n_rules; i++)
        if ((tenant->condition.holders & (1u << i)) && !find_rule(to, tenant->class->rules[i], &at))
            lost |= 1u << i;
    return lost;
}

/* Carries one rule's state from its place in the old class to that in the new one. */
static void carry_over(struct Tenant *into, const struct Tenant *from, unsigned old_index, unsigned new_index,
                       const struct Rule *rule)
{
    struct RuleState *state = &into->condition.rules[new_index];

    *state = from->condition.rules[old_index];
    if (state->step > last_step(rule))
        state->step = last_step(rule);
    if (state->elected)
        memcpy(into->condition.election, from->condition.election, sizeof(into->condition.election));
    if (from->condition.holders & (1u << old_index))
        into->condition.holders |= 1u << new_index;
    into->hold_slots[new_index] = from->hold_slots[old_index];
    if (from->action.under_way && from->action.decision.holder == old_index)
        into->action.decision.holder = new_index;
}

void engine_reclass(struct Tenant *tenant, const struct TenantClass *to)
{
    const struct Tenant old = *tenant;
    size_t at;

    engine_reset(tenant);
    tenant->condition.holders &= 1u << HOLDER_OPERATOR;
    for (size_t i = 0; i < POLICY_CLASS_RULES_MAX; i++)
        tenant->hold_slots[i] = LEDGER_SLOT_NONE;
    for (unsigned i = 0; old.class && i < old.class->n_rules; i++)
        if (find_rule(to, old.class->rules[i], &at))
            carry_over(tenant, &old, i, (unsigned)at, to->rules[at]);
    tenant->class = to;
    tenant->condition.look_usec = 0;
}
