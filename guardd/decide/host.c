/* A rule of the host goes by two clocks: since when its condition holds, and when it elected last. Whom it
 * elects is a matter of one order: those with most of `Rank=` first. The first in that order against whom
 * nothing speaks is the victim, and the same order tells who was passed over, so that what is most worth
 * knowing is told where there is not room for all. */
#include "decide/host.h"

#include <stdio.h>
#include <string.h>

#include "decide/condition.h"
#include "decide/engine.h"

/* What the engine has to say behind it: until when, how often it offended. */
#define REASON_LEFT_FOR_ENGINE 96

static usec_t due_usec(const struct HostState *state)
{
    usec_t due = usec_add(state->began_usec, state->rule->when.for_usec);
    usec_t dwelt = state->elected_usec > 0 ? usec_add(state->elected_usec, HOST_DWELL_USEC) : 0;

    return due > dwelt ? due : dwelt;
}

enum HostVerdict host_look(struct HostState *state, const struct Readings *readings, usec_t now)
{
    enum ReadingId id = state->rule->when.reading;

    if (readings->valid[id])
        trail_add(&state->trail, id, readings->value[id], now);
    if (!condition_holds(&state->rule->when, readings)) {
        state->began_usec = USEC_INFINITY;
        state->vain = false;
        return HOST_QUIET;
    }
    if (state->began_usec == USEC_INFINITY)
        state->began_usec = now;
    return now >= due_usec(state) ? HOST_ELECT : HOST_PENDING;
}

usec_t host_look_usec(const struct HostState *state, usec_t now)
{
    usec_t next = usec_add(now, LOOK_INTERVAL_USEC);

    if (state->began_usec == USEC_INFINITY)
        return USEC_INFINITY;
    if (due_usec(state) > now)
        return usec_min(next, due_usec(state));
    /* Nobody may be elected: that seldom changes. */
    return state->vain ? usec_add(now, HOST_DWELL_USEC) : next;
}

/* --- who may be elected --------------------------------------------------------------------------- */

static const struct RuleState *rule_state(const struct Tenant *tenant, const struct Rule *rule)
{
    for (size_t i = 0; tenant->class && !tenant->gone && i < tenant->class->n_rules; i++)
        if (strcmp(tenant->class->rules[i]->name, rule->name) == 0)
            return &tenant->condition.rules[i];
    return NULL;
}

static bool is_being_held(const struct Tenant *tenant)
{
    enum Verb verb = tenant->action.decision.verb;

    return tenant->action.under_way && (verb == VERB_FREEZE || verb_is_final(verb));
}

/* By this rule: its own steps go on by their times. */
static bool is_in_hand(const struct RuleState *state)
{
    return state->phase != PHASE_IDLE && state->phase != PHASE_PENDING;
}

/* A step that can be undone is ahead of it, or the last one is so young that its end cannot show yet. */
static bool is_unfinished(const struct RuleState *state, const struct Rule *rule, usec_t now)
{
    if (state->phase == PHASE_ACTING)
        return true;
    if (state->phase != PHASE_STANDING || state->step_failed || verb_is_final(rule->steps[state->step].verb))
        return false;
    return (state->step + 1 < rule->n_steps && !verb_is_final(rule->steps[state->step + 1].verb)) ||
           usec_add(state->stood_usec, HOST_DWELL_USEC) > now;
}

static bool is_throttled(const struct Tenant *tenant, const struct Rule *rule)
{
    size_t index = (size_t)(rule_state(tenant, rule) - tenant->condition.rules);

    return resource_can_throttle(rule->resource) &&
           (tenant->throttles[rule->resource].holders & (1u << index)) != 0;
}

/* Who has all the memory that its own limit gives it takes no more from anybody. That it stalls there is its
 * own matter, and counts in the host's pressure as anybody's. */
#define AT_LIMIT_PERCENT 90
static bool is_at_its_limit(const struct Tenant *tenant, const struct Rule *rule)
{
    const struct Readings *readings = &tenant->readings;
    int64_t limit = readings->limit[READING_MEMORY_CURRENT];

    if (tenant->throttles[RESOURCE_MEMORY].n_lines > 0) /* that limit is ours */
        return false;
    return reading_info(rule->rank)->resource == RESOURCE_MEMORY && readings->valid[READING_MEMORY_CURRENT] &&
           limit != READING_UNLIMITED &&
           readings->value[READING_MEMORY_CURRENT] >= limit / 100 * AT_LIMIT_PERCENT;
}

struct Election {
    const struct Rule *rule;
    struct Tenant *const *candidates;
    size_t n;
    bool spares; /* whom ManagedOOMPreference=avoid spares while there is somebody else */
};

/* What speaks against electing this one; NULL: nothing. */
static const char *obstacle(const struct Election *election, const struct Tenant *tenant)
{
    const struct Readings *readings = &tenant->readings;
    const struct Rule *rule = election->rule;

    if (tenant->untouchable)
        return "untouchable";
    if (tenant->protected_by[0] != '\0')
        return "protected";
    if (tenant->released)
        return "released";
    if (tenant_is_exempt(tenant))
        return "exempt";
    if (tenant->condition.holders != 0 || is_being_held(tenant))
        return "frozen already";
    if (is_throttled(tenant, rule))
        return "throttled already";
    if (is_in_hand(rule_state(tenant, rule)))
        return "in hand already";
    if (tenant->oom_preference == OOM_PREFERENCE_OMIT)
        return "ManagedOOMPreference=omit";
    if (!readings->valid[rule->rank])
        return "not known";
    if (readings->value[rule->rank] < rule->floor)
        return "below Floor=";
    if (readings->value[rule->rank] <= 0)
        return "has none";
    if (is_at_its_limit(tenant, rule))
        return "at its own limit";
    /* The engine would not begin: its readings are of another filesystem, or not as fresh as the host's. */
    if (!condition_holds(&rule->when, readings))
        return "not concerned";
    return election->spares && tenant->oom_preference == OOM_PREFERENCE_AVOID ? "ManagedOOMPreference=avoid"
                                                                              : NULL;
}

/* The order of election. */
static bool is_before(const struct Rule *rule, const struct Tenant *a, const struct Tenant *b)
{
    bool known_a = a->readings.valid[rule->rank], known_b = b->readings.valid[rule->rank];
    int64_t value_a = a->readings.value[rule->rank], value_b = b->readings.value[rule->rank];
    int names;

    if (known_a != known_b)
        return known_a;
    if (known_a && value_a != value_b)
        return value_a > value_b;
    names = strcmp(a->name, b->name);
    return names != 0 ? names < 0 : a->cgroup.id < b->cgroup.id;
}

/* The next one in the order behind `behind` (NULL: the first); `electable`: of those against whom nothing
 * speaks. */
static struct Tenant *next_of(const struct Election *election, const struct Tenant *behind, bool electable)
{
    struct Tenant *found = NULL;

    for (size_t i = 0; i < election->n; i++) {
        struct Tenant *tenant = election->candidates[i];

        if (!rule_state(tenant, election->rule) || (electable && obstacle(election, tenant)))
            continue;
        if (behind && !is_before(election->rule, behind, tenant))
            continue;
        if (!found || is_before(election->rule, tenant, found))
            found = tenant;
    }
    return found;
}

static bool anybody_unfinished(const struct Election *election, usec_t now)
{
    for (size_t i = 0; i < election->n; i++) {
        const struct RuleState *state = rule_state(election->candidates[i], election->rule);

        if (state && is_unfinished(state, election->rule, now))
            return true;
    }
    return false;
}

/* --- what is said of it --------------------------------------------------------------------------- */

/* "docker/c 3M/s (protected)" */
static void describe(const struct Election *election, const struct Tenant *tenant, char *buf, size_t size)
{
    const char *against = obstacle(election, tenant);
    const struct Rule *rule = election->rule;
    char value[MEASURE_FORMAT_MAX] = "";

    if (tenant->readings.valid[rule->rank])
        measure_format(reading_info(rule->rank)->measure, tenant->readings.value[rule->rank], value,
                       sizeof(value));
    snprintf(buf, size, "%s%s%s%s%s%s", tenant->name, value[0] ? " " : "", value, against ? " (" : "",
             against ? against : "", against ? ")" : "");
}

/* Appends "; passed over: A, B and 2 more" as far as there is room, or "; 4 passed over". */
static void write_passed_over(const struct Election *election, const struct Tenant *elected, char *reason)
{
    const size_t size = REASON_MAX - REASON_LEFT_FOR_ENGINE,
                 more_size = sizeof("and 18446744073709551615 more");
    char item[TENANT_NAME_MAX + MEASURE_FORMAT_MAX + 32];
    size_t told = 0, more = 0, n = strlen(reason);

    for (struct Tenant *tenant = next_of(election, NULL, false); tenant;
         tenant = told < RIVALS_MAX ? next_of(election, tenant, false) : NULL) {
        if (tenant == elected)
            continue;
        describe(election, tenant, item, sizeof(item));
        if (n + sizeof("; passed over: ") + strlen(item) + more_size > size)
            break;
        snprintf(reason + n, size - n, "%s%s", told == 0 ? "; passed over: " : ", ", item);
        n += strlen(reason + n);
        told++;
    }
    for (size_t i = 0; i < election->n; i++)
        if (election->candidates[i] != elected && rule_state(election->candidates[i], election->rule))
            more++;
    if (more > told && n < size)
        snprintf(reason + n, size - n, told > 0 ? " and %zu more" : "; %zu passed over", more - told);
}

/* The same for the record: those who come first in the order of election, and how many there are else. */
static void list_rivals(const struct Election *election, const struct Tenant *elected, struct Rivals *ret)
{
    const enum ReadingId rank = election->rule->rank;
    size_t all = 0;

    *ret = (struct Rivals){.any = true, .rank = rank, .value = elected->readings.value[rank]};
    for (size_t i = 0; i < election->n; i++)
        all += election->candidates[i] != elected && rule_state(election->candidates[i], election->rule);
    for (struct Tenant *tenant = next_of(election, NULL, false); tenant && ret->n < RIVALS_MAX;
         tenant = next_of(election, tenant, false)) {
        struct Rival *rival = &ret->list[ret->n];

        if (tenant == elected)
            continue;
        *rival = (struct Rival){.known = tenant->readings.valid[rank],
                                .value = tenant->readings.value[rank],
                                .against = obstacle(election, tenant)};
        snprintf(rival->name, sizeof(rival->name), "%.*s", RIVAL_NAME_MAX - 1, tenant->name);
        ret->n++;
    }
    ret->more = all - ret->n;
}

/* What would be done to it: the first step that does more than say so. */
static enum Verb first_strong_verb(const struct Rule *rule)
{
    for (size_t i = 0; i < rule->n_steps; i++)
        if (rule->steps[i].verb != VERB_WARN)
            return rule->steps[i].verb;
    return VERB_WARN;
}

struct Tenant *host_elect(struct HostState *state, struct Tenant *const *candidates, size_t n,
                          const struct Readings *host, usec_t now, struct Choice *ret)
{
    const struct Rule *rule = state->rule;
    char *reason = ret->reason;
    struct Election election = {rule, candidates, n, .spares = true};
    struct Tenant *elected;
    char evidence[CONDITION_EVIDENCE_MAX], value[MEASURE_FORMAT_MAX];

    if (anybody_unfinished(&election, now))
        return NULL;
    elected = next_of(&election, NULL, true);
    if (!elected) {
        election.spares = false;
        elected = next_of(&election, NULL, true);
    }
    condition_evidence(&rule->when, host, evidence, sizeof(evidence));
    if (elected)
        snprintf(reason, REASON_MAX, "%s; %s has most %s, %s", evidence, elected->name,
                 reading_info(rule->rank)->name,
                 measure_format(reading_info(rule->rank)->measure, elected->readings.value[rule->rank], value,
                                sizeof(value)));
    else
        snprintf(reason, REASON_MAX, "nobody to %s: %s", verb_name(first_strong_verb(rule)), evidence);
    if (!elected && !next_of(&election, NULL, false))
        snprintf(reason + strlen(reason), REASON_MAX - strlen(reason), "; no tenant is concerned");
    else
        write_passed_over(&election, elected, reason);
    state->vain = !elected;
    if (elected) {
        state->elected_usec = now > 0 ? now : 1; /* 0 stands for "none" */
        list_rivals(&election, elected, &ret->rivals);
        trail_series(&state->trail, rule->when.reading, now, &ret->series);
    }
    return elected;
}
