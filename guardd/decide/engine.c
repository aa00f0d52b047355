#include "decide/engine.h"

#include <stdio.h>
#include <string.h>

#include "decide/condition.h"
#include "decide/escalation.h"

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
    snprintf(reason, REASON_MAX, "%s", elected ? turn->tenant->condition.election.reason : "");
    n = strlen(reason);
    snprintf(reason + n, REASON_MAX - n, "%s%s%s%s", n > 0 && (why[0] || text[0]) ? "; " : "", why,
             why[0] && text[0] ? ": " : "", text);
}

static void weigh(const struct Turn *turn, const struct Condition *condition, struct Evidence *ret)
{
    const struct Readings *readings = &turn->tenant->readings;
    enum ReadingId id = condition->reading;

    ret->condition = *condition;
    ret->known = readings->valid[id];
    ret->value = readings->value[id];
    ret->limit = reading_info(id)->has_limit ? readings->limit[id] : READING_UNLIMITED;
    trail_series(&turn->tenant->condition.trail, id, turn->now, &ret->series);
}

/* What a story is told by afterwards. `decision` is what is said of it in numbers. */
static void write_grounds(const struct Turn *turn, struct Decision *decision)
{
    const struct Choice *election = &turn->tenant->condition.election;

    decision->begins = begins(turn);
    decision->step = (unsigned)turn->state->step + 1;
    decision->n_steps = (unsigned)turn->rule->n_steps;
    weigh(turn, &turn->rule->when, &decision->when);
    weigh(turn, &turn->rule->until, &decision->until);
    if (turn->rule->scope != SCOPE_HOST || !begins(turn))
        return;
    decision->rivals = election->rivals;
    decision->when.series = election->series;
}

/* `why`: a sentence, or "" where the evidence says it all. */
static void decide(const struct Turn *turn, enum Verb verb, enum Cause cause, const char *why)
{
    struct Decision *decision;

    if (turn->decisions->n == DECISIONS_MAX)
        return;
    decision = &turn->decisions->list[turn->decisions->n++];
    *decision = (struct Decision){.verb = verb,
                                  .cause = cause,
                                  .holder = turn->holder,
                                  .limit = LIMIT_INVALID,
                                  .resource = RESOURCE_INVALID,
                                  .at_usec = turn->now};
    if (verb == VERB_THROTTLE || verb == VERB_UNTHROTTLE)
        decision->resource = turn->rule->resource;
    if (verb == VERB_THROTTLE)
        decision->percent = turn->rule->throttle_percent;
    snprintf(decision->rule, sizeof(decision->rule), "%s", turn->rule->name);
    write_reason(turn, why, decision->reason);
    write_grounds(turn, decision);
}

/* Something else, in place of what is due. */
static void decide_withheld(const struct Turn *turn, enum Verb instead, const char *why)
{
    size_t n = turn->decisions->n;

    decide(turn, instead, CAUSE_RULE, why);
    if (turn->decisions->n > n)
        turn->decisions->list[n].withheld = true;
}

/* --- what is in force ----------------------------------------------------------------------------- */

static bool freezes(const struct Turn *turn)
{
    return (turn->tenant->condition.holders & (1u << turn->holder)) != 0;
}

static bool throttles(const struct Turn *turn)
{
    enum Resource resource = turn->rule->resource;

    return resource_can_throttle(resource) &&
           (turn->tenant->throttles[resource].holders & (1u << turn->holder)) != 0;
}

/* The first step that throttles, of a rule that has one; else its last step. */
static size_t throttle_step(const struct Rule *rule)
{
    size_t step = 0;

    while (step < last_step(rule) && rule->steps[step].verb != VERB_THROTTLE)
        step++;
    return step;
}

/* --- clocks --------------------------------------------------------------------------------------- */

/* The duration that Until must hold; for what was frozen or throttled before it doubles with every repeat. */
static usec_t until_for_usec(const struct Turn *turn)
{
    usec_t wanted = turn->rule->until.for_usec, base = usec_max(wanted, STEP_DWELL_USEC);
    bool is_held = freezes(turn) || throttles(turn) || step_verb(turn) == VERB_FREEZE ||
                   step_verb(turn) == VERB_THROTTLE;

    if (!is_held || turn->state->repeats == 0)
        return wanted;
    return usec_min(usec_shift(base, turn->state->repeats), usec_max(wanted, THAW_DELAY_MAX_USEC));
}

static bool is_protected(const struct Tenant *tenant)
{
    return tenant->untouchable || tenant->protected_by[0] != '\0';
}

/* Frozen, it neither uses nor waits for anything, whatever it would do: what Until asks for says nothing. */
static bool is_silenced(const struct Turn *turn)
{
    return freezes(turn) && reading_is_of_running(turn->rule->until.reading);
}

/* Until when who is frozen in place of a kill stays so, however silent: until there is room to kill it, if
 * it goes on. Where there never will be, the freeze is the last step like any other. */
static usec_t withheld_until_usec(const struct Turn *turn)
{
    const struct RuleState *state = turn->state;
    usec_t room;

    if (!state->withheld || step_verb(turn) != VERB_KILL || !is_silenced(turn) || is_protected(turn->tenant))
        return 0;
    room = budget_room_usec(turn->engine->budget, &turn->engine->policy->kill_limit, turn->now);
    return room == USEC_INFINITY ? 0 : usec_min(room, usec_add(state->stood_usec, THAW_DELAY_MAX_USEC));
}

/* When what stands is let go, if Until goes on to hold. */
static usec_t relief_usec(const struct Turn *turn)
{
    usec_t relief = usec_max(usec_add(turn->state->until_since_usec, until_for_usec(turn)),
                             usec_add(turn->state->stood_usec, STEP_DWELL_USEC));

    return usec_max(relief, withheld_until_usec(turn));
}

/* When a throttle that leaves the tenant stuck gives way to the next step. */
static usec_t stall_over_usec(const struct Turn *turn)
{
    return usec_add(turn->state->stall_since_usec, STALL_USEC);
}

/* When the step that stands gives way to the next; USEC_INFINITY when it is the last and took. */
static usec_t step_over_usec(const struct Turn *turn)
{
    const struct RuleState *state = turn->state;

    if (state->withheld && step_verb(turn) == VERB_KILL) {
        usec_t room = budget_room_usec(turn->engine->budget, &turn->engine->policy->kill_limit, turn->now);

        /* The freeze in its place did not take: what is due is not done in any form. */
        return state->step_failed && !freezes(turn) ? usec_min(room, usec_add(state->step_usec, RETRY_USEC))
                                                    : room;
    }
    if (state->step == last_step(turn->rule))
        return state->step_failed ? usec_add(state->step_usec, RETRY_USEC) : USEC_INFINITY;
    return usec_add(state->step_usec, turn->rule->steps[state->step].lasts_usec);
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

/* The kill is due but the budget is spent: what can be undone takes its place. */
static enum RulePhase freeze_instead(const struct Turn *turn)
{
    char window[USEC_FORMAT_MAX], why[128];
    const struct KillLimit *limit = &turn->engine->policy->kill_limit;

    snprintf(why, sizeof(why), "kill withheld: the kill budget of %u in %s is spent", limit->kills,
             usec_format(limit->window_usec, window, sizeof(window)));
    turn->state->step = last_step(turn->rule);
    if (freezes(turn))
        return withhold(turn, why);
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

/* What was slowed down first is so again: such a rule takes its steps in their order each time. */
static bool may_skip_steps(const struct Rule *rule)
{
    return !rule_has_step(rule, VERB_THROTTLE);
}

/* The step that a repeat offender begins with, and why. */
static size_t repeated_step(const struct Turn *turn, char *why, size_t size)
{
    unsigned repeats = turn->state->repeats;
    int n = snprintf(why, size, "offended %u time%s in the last 10 min, ", repeats, repeats == 1 ? "" : "s");
    char lasts[USEC_FORMAT_MAX];

    if (may_skip_steps(turn->rule)) {
        snprintf(why + n, size - (size_t)n, "straight to the last step");
        return last_step(turn->rule);
    }
    turn->state->step = throttle_step(turn->rule); /* whose delay is told */
    snprintf(why + n, size - (size_t)n, "relief must last %s",
             usec_format(until_for_usec(turn), lasts, sizeof(lasts)));
    return 0;
}

static enum RulePhase begin(const struct Turn *turn)
{
    struct RuleState *state = turn->state;
    size_t step = 0;
    char why[96] = "";

    *state = (struct RuleState){.phase = state->phase,
                                .elected = state->elected,
                                .began_usec = state->began_usec,
                                .until_since_usec = USEC_INFINITY,
                                .stall_since_usec = USEC_INFINITY};
    state->repeats = offences_count(turn->engine->offences, turn->tenant->name, turn->rule->name, turn->now);
    if (is_more_than_a_warning(turn->rule))
        offences_add(turn->engine->offences, turn->tenant->name, turn->rule->name, turn->now);
    /* Whoever is back at peace at this moment gets the first step even so: a name is not yet a proof. */
    if (state->repeats > 0 && !condition_holds(&turn->rule->until, &turn->tenant->readings))
        step = repeated_step(turn, why, sizeof(why));
    return enter_step(turn, step, why);
}

/* Why the step that stands is not enough. */
static void write_escalation(const struct Turn *turn, enum RuleEvent event, char *why, size_t size)
{
    const struct RuleState *state = turn->state;
    char lasted[USEC_FORMAT_MAX], full[MEASURE_FORMAT_MAX];

    if (event == RULE_STALLED)
        snprintf(why, size, "stuck in reclaim, memory.pressure.full %s, for %s of step %zu of %zu",
                 measure_format(MEASURE_PERCENT, turn->tenant->readings.value[READING_MEMORY_PRESSURE_FULL],
                                full, sizeof(full)),
                 usec_format(turn->now - state->stall_since_usec, lasted, sizeof(lasted)), state->step + 1,
                 turn->rule->n_steps);
    else
        snprintf(why, size, "no relief within %s of step %zu of %zu",
                 usec_format(turn->now - state->step_usec, lasted, sizeof(lasted)), state->step + 1,
                 turn->rule->n_steps);
}

/* Is it at peace at this moment? That a frozen tenant is silent is no sign of it; one whose kill was held
 * back meanwhile is measured before it is killed, and therefore thawed first. */
static bool is_at_peace(const struct Turn *turn)
{
    if (step_verb(turn) == VERB_FREEZE && is_silenced(turn))
        return false;
    return condition_holds(&turn->rule->until, &turn->tenant->readings);
}

static enum RulePhase next_step(const struct Turn *turn, enum RuleEvent event)
{
    struct RuleState *state = turn->state;
    size_t step = state->step < last_step(turn->rule) ? state->step + 1 : state->step;
    char why[160];

    /* Measured again: whoever is at peace at this moment is not pressed harder while relief is waited for,
     * and stuck or not, nothing is done to it that cannot be undone. */
    if ((event == RULE_STEP_OVER || verb_is_final(turn->rule->steps[step].verb)) && is_at_peace(turn))
        return PHASE_STANDING;
    write_escalation(turn, event, why, sizeof(why));
    if (state->came_down) {
        state->came_down = false;
        state->repeats++;
        offences_add(turn->engine->offences, turn->tenant->name, turn->rule->name, turn->now);
    }
    return enter_step(turn, step, why);
}

/* --- the way down --------------------------------------------------------------------------------- */

/* The strongest that this rule holds is undone; PHASE_IDLE when it holds nothing. */
static enum RulePhase let_go(const struct Turn *turn, const char *why)
{
    if (!freezes(turn) && !throttles(turn))
        return PHASE_IDLE;
    turn->state->step_failed = false;
    decide(turn, freezes(turn) ? VERB_THAW : VERB_UNTHROTTLE, CAUSE_RELIEF, why);
    return PHASE_RELEASING;
}

/* After a kill nothing is left to hold: all is given back, for whoever uses the cgroup next. */
static enum RulePhase let_go_of_killed(const struct Turn *turn)
{
    return let_go(turn, "killed, nothing is left to hold");
}

/* A throttle below the step that stood is in force: it begins anew. */
static enum RulePhase come_down(const struct Turn *turn)
{
    struct RuleState *state = turn->state;

    state->step = throttle_step(turn->rule);
    state->step_failed = false;
    state->withheld = false;
    state->came_down = true;
    state->step_usec = turn->now;
    state->stood_usec = turn->now;
    state->until_since_usec = USEC_INFINITY;
    state->stall_since_usec = USEC_INFINITY;
    return PHASE_STANDING;
}

static enum RulePhase release(const struct Turn *turn)
{
    const struct RuleState *state = turn->state;
    size_t below = throttle_step(turn->rule);
    bool above_throttle = throttles(turn) && state->step > below;
    char held[USEC_FORMAT_MAX], why[96];
    int n;

    if (state->killed)
        return let_go_of_killed(turn);
    offences_touch(turn->engine->offences, turn->tenant->name, turn->rule->name, turn->now);
    /* SIGTERM, a freeze that did not take, a kill held back: there is nothing to undo but what is below. */
    if (above_throttle && !freezes(turn))
        return come_down(turn);
    n = snprintf(why, sizeof(why), "relief for %s",
                 usec_format(turn->now - state->until_since_usec, held, sizeof(held)));
    if (above_throttle)
        snprintf(why + n, sizeof(why) - (size_t)n, ", back to step %zu of %zu", below + 1,
                 turn->rule->n_steps);
    return let_go(turn, why);
}

static enum RulePhase step_down(const struct Turn *turn, enum Verb undone)
{
    if (undone != VERB_THAW || !throttles(turn))
        return PHASE_IDLE;
    return turn->state->killed ? let_go_of_killed(turn) : come_down(turn);
}

static enum RulePhase settle(const struct Turn *turn, enum Verb verb, enum Result result)
{
    struct RuleState *state = turn->state;

    state->step_usec = turn->now;
    state->stood_usec = turn->now;
    state->stall_since_usec = USEC_INFINITY;
    state->step_failed = false;
    /* Observing, the bomb goes on: stay, or every refused fork would be one more line. */
    if (verb != VERB_KILL || result == RESULT_OBSERVED)
        return PHASE_STANDING;
    state->killed = true;
    return let_go_of_killed(turn);
}

/* --- moves ---------------------------------------------------------------------------------------- */

static void forget(struct RuleState *state)
{
    *state = (struct RuleState){
        .phase = PHASE_IDLE, .until_since_usec = USEC_INFINITY, .stall_since_usec = USEC_INFINITY};
}

/* Why it was elected is told for as long as it is by any rule. */
static void forget_election(struct Case *condition)
{
    for (size_t i = 0; i < POLICY_CLASS_RULES_MAX; i++)
        if (condition->rules[i].elected)
            return;
    condition->election.reason[0] = '\0';
}

/* Makes the move of the table; `decision` and `result` belong to RULE_TOOK and RULE_FAILED. */
static void move(const struct Turn *turn, enum RuleEvent event, enum Verb verb, enum Result result)
{
    const struct Move *to = escalation_move(turn->state->phase, event);
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
        next = next_step(turn, event);
        break;
    case EFFECT_RELEASE:
        next = release(turn);
        break;
    case EFFECT_STEP_DOWN:
        next = step_down(turn, verb);
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

static bool is_stuck(const struct Turn *turn)
{
    const struct Readings *readings = &turn->tenant->readings;

    return step_verb(turn) == VERB_THROTTLE && turn->rule->resource == RESOURCE_MEMORY &&
           !turn->state->step_failed && turn->state->step < last_step(turn->rule) &&
           readings->valid[READING_MEMORY_PRESSURE_FULL] &&
           readings->value[READING_MEMORY_PRESSURE_FULL] >= STALL_PERCENT;
}

/* Since when it has been true, with what was known of that before. */
static usec_t since_usec(bool is_true, usec_t known_usec, usec_t now)
{
    if (!is_true)
        return USEC_INFINITY;
    return known_usec == USEC_INFINITY ? now : known_usec;
}

/* Before a kill for the host's sake only the time counts in which the host goes on to suffer, without a
 * break: that of who was elected may be somebody else's doing. */
static bool must_go_on(const struct Turn *turn)
{
    return turn->rule->scope == SCOPE_HOST && turn->state->step < last_step(turn->rule) &&
           verb_is_final(turn->rule->steps[turn->state->step + 1].verb);
}

/* Who is frozen shows neither peace nor harm: a rule that only slows it waits until the others let go. */
static bool is_held_by_others(const struct Turn *turn)
{
    return step_verb(turn) == VERB_THROTTLE && (turn->tenant->condition.holders & ~(1u << turn->holder)) != 0;
}

static enum RuleEvent standing_event(const struct Turn *turn)
{
    struct RuleState *state = turn->state;
    bool relief;

    if (is_held_by_others(turn)) {
        state->step_usec = turn->now;
        state->until_since_usec = state->stall_since_usec = USEC_INFINITY;
        return RULE_QUIET;
    }
    if (must_go_on(turn) && !condition_holds(&turn->rule->when, &turn->tenant->readings))
        state->step_usec = turn->now;
    relief = condition_holds(&turn->rule->until, &turn->tenant->readings);
    state->until_since_usec = since_usec(relief, state->until_since_usec, turn->now);
    state->stall_since_usec = since_usec(is_stuck(turn), state->stall_since_usec, turn->now);
    if (turn->now >= relief_usec(turn))
        return RULE_RELIEVED;
    if (turn->now >= stall_over_usec(turn))
        return RULE_STALLED;
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

/* What is overdue and held back waits for the next interval. */
static usec_t earlier(usec_t look, usec_t due, usec_t now)
{
    return due > now ? usec_min(look, due) : look;
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
        look = earlier(look, relief_usec(turn), turn->now);
        look = earlier(look, stall_over_usec(turn), turn->now);
        return earlier(look, step_over_usec(turn), turn->now);
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

/* What holds still at peace is written once; while a rule is at work, every look. */
static void leave_trail(struct Tenant *tenant, const struct Condition *condition, bool at_work, usec_t now)
{
    const struct Readings *readings = &tenant->readings;
    struct Trail *trail = &tenant->condition.trail;
    enum ReadingId id = condition->reading;
    int64_t last;

    if (!readings->valid[id])
        return;
    if (at_work || !trail_last(trail, id, &last) || last != readings->value[id])
        trail_add(trail, id, readings->value[id], now);
}

static void leave_trails(struct Tenant *tenant, usec_t now)
{
    for (size_t i = 0; tenant->class && i < tenant->class->n_rules; i++) {
        const struct Rule *rule = tenant->class->rules[i];
        bool at_work = tenant->condition.rules[i].phase != PHASE_IDLE;

        leave_trail(tenant, &rule->when, at_work, now);
        if (at_work || rule->until.reading != rule->when.reading)
            leave_trail(tenant, &rule->until, at_work, now);
    }
}

void engine_look(const struct Engine *engine, struct Tenant *tenant, usec_t now, struct Decisions *decisions)
{
    leave_trails(tenant, now);
    for (size_t i = 0; tenant->class && !tenant_is_left_alone(tenant) && i < tenant->class->n_rules; i++) {
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

        bool inverse = decision->verb == VERB_THAW || decision->verb == VERB_UNTHROTTLE;

        /* What is said while a kill is held back is no step of the rule. */
        if (turn.state->phase == (inverse ? PHASE_RELEASING : PHASE_ACTING))
            move(&turn, result_is_success(result) ? RULE_TOOK : RULE_FAILED, decision->verb, result);
    }
    set_look_usec(engine, tenant, now);
}

void engine_reset(struct Tenant *tenant)
{
    for (size_t i = 0; i < POLICY_CLASS_RULES_MAX; i++)
        forget(&tenant->condition.rules[i]);
    tenant->condition.election.reason[0] = '\0';
    tenant->condition.look_usec = USEC_INFINITY;
}

void engine_adopt(struct Tenant *tenant, size_t rule, size_t step, usec_t since_usec, unsigned repeats)
{
    struct RuleState *state = &tenant->condition.rules[rule];

    /* Throttled first and frozen later, it has an entry of each. */
    if (state->phase == PHASE_STANDING && state->step > step)
        return;
    *state = (struct RuleState){.phase = PHASE_STANDING,
                                .step = step,
                                .elected = tenant->class->rules[rule]->scope == SCOPE_HOST,
                                .began_usec = since_usec,
                                .step_usec = since_usec,
                                .stood_usec = since_usec,
                                .until_since_usec = USEC_INFINITY,
                                .stall_since_usec = USEC_INFINITY,
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

    for (unsigned i = 0; tenant->class && i < tenant->class->n_rules; i++) {
        bool found = find_rule(to, tenant->class->rules[i], &at);

        if ((tenant->condition.holders & (1u << i)) && !found)
            lost |= 1u << i;
        /* A rule that throttles something else now, or nothing, has no step to come down to. */
        for (int resource = 0; resource < RESOURCE_COUNT; resource++)
            if ((tenant->throttles[resource].holders & (1u << i)) &&
                !(found && rule_throttles(to->rules[at], (enum Resource)resource)))
                lost |= 1u << i;
    }
    return lost;
}

static void carry_holder(uint32_t *into, uint32_t from, unsigned old_index, unsigned new_index)
{
    if (from & (1u << old_index))
        *into |= 1u << new_index;
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
        into->condition.election = from->condition.election;
    carry_holder(&into->condition.holders, from->condition.holders, old_index, new_index);
    for (int i = 0; i < RESOURCE_COUNT; i++)
        carry_holder(&into->throttles[i].holders, from->throttles[i].holders, old_index, new_index);
    into->hold_slots[new_index] = from->hold_slots[old_index];
    if (from->action.under_way && from->action.decision.holder == old_index)
        into->action.decision.holder = new_index;
    if (from->throttling.under_way && from->throttling.decision.holder == old_index)
        into->throttling.decision.holder = new_index;
}

void engine_reclass(struct Tenant *tenant, const struct TenantClass *to)
{
    const struct Tenant old = *tenant;
    size_t at;

    engine_reset(tenant);
    tenant->condition.holders &= 1u << HOLDER_OPERATOR;
    for (int i = 0; i < RESOURCE_COUNT; i++)
        tenant->throttles[i].holders &= 1u << HOLDER_OPERATOR;
    for (size_t i = 0; i < POLICY_CLASS_RULES_MAX; i++)
        tenant->hold_slots[i] = LEDGER_SLOT_NONE;
    for (unsigned i = 0; old.class && i < old.class->n_rules; i++)
        if (find_rule(to, old.class->rules[i], &at))
            carry_over(tenant, &old, i, (unsigned)at, to->rules[at]);
    tenant->class = to;
    tenant->condition.look_usec = 0;
}
