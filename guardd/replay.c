/* See replay.h. An actor is a tenant as decide/ knows it: it has no cgroup, no files, no ledger. */
#include "replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "decide/engine.h"
#include "decide/host.h"

/* A look that the engine asks for is made up where none was recorded within this time: a busy host looks
 * late. */
#define LATE_USEC (500 * USEC_PER_MSEC)
/* For so long at most looks are made up between two entries. A host that was suspended had no more of them,
 * and a time in a file may be wrong by ages. */
#define MADE_UP_USEC USEC_PER_HOUR

/* An action of a rule whose recorded outcome is awaited. */
struct Awaited {
    bool active;
    enum Verb verb;
    usec_t at_usec;
};

struct Actor {
    struct Tenant tenant;          /* its cgroup has an id and a path only; the path is owned */
    const struct TenantClass *was; /* its class in the recording; NULL */
    bool strayed;                  /* its story is no longer the recorded one */
    struct Awaited awaited[POLICY_CLASS_RULES_MAX];
    usec_t next_usec; /* when it is looked at next, in the recording */
    UT_hash_handle hh;
};

struct Watch {
    struct HostState state;
    bool elects; /* the election is in the recording, a few entries on */
    struct Watch *prev, *next;
};

/* Configurations of the recording: rules of all of them may be referred to. */
struct Known {
    struct Config *config; /* owned */
    struct Known *next;
};

struct Stage {
    const struct Recording *recording;
    struct Replay *replay;
    char *why;
    bool altered, restoring; /* by another configuration; what is read is a state to begin with */
    const struct Policy *policy, *recorded;
    struct Known *known;
    struct Actor *actors;
    struct Watch *watches;
    struct KillBudget budget;
    struct Offences offences;
    struct Engine engine;
    bool *met;          /* of each entry that is a decision: it was decided again */
    usec_t *next_usec;  /* of each entry about a tenant: when that is looked at next */
    size_t at;          /* the entry that is played */
    usec_t offset_usec; /* time of day less CLOCK_BOOTTIME */
    int error;
};

static void play_look(struct Stage *stage, struct Actor *actor, usec_t now);

static struct Actor *find_actor(const struct Stage *stage, uint64_t id)
{
    struct Actor *actor;

    HASH_FIND(hh, stage->actors, &id, sizeof(id), actor);
    return actor;
}

/* --- rules by name -------------------------------------------------------------------------------- */

static bool find_rule(const struct TenantClass *class, const char *name, unsigned *ret_index)
{
    for (unsigned i = 0; class && i < class->n_rules; i++)
        if (strcmp(class->rules[i]->name, name) == 0) {
            *ret_index = i;
            return true;
        }
    return false;
}

static const struct TenantClass *find_class(const struct Policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->n_classes; i++)
        if (strcmp(policy->classes[i].name, name) == 0)
            return &policy->classes[i];
    return NULL;
}

/* The same holders, by the places of their rules in the class that is played. */
static uint32_t translate(const struct Actor *actor, uint32_t holders)
{
    uint32_t into = holders & (1u << HOLDER_OPERATOR);
    unsigned index;

    for (unsigned i = 0; actor->was && i < actor->was->n_rules; i++)
        if ((holders & (1u << i)) && find_rule(actor->tenant.class, actor->was->rules[i]->name, &index))
            into |= 1u << index;
    return into;
}

/* --- what is decided ------------------------------------------------------------------------------ */

static void note(struct Stage *stage, const struct Actor *actor, const struct Decision *decision)
{
    const struct Tenant *tenant = &actor->tenant;
    struct Replay *replay = stage->replay;
    struct Event *event;

    if (replay->n == replay->allocated) {
        event = reallocarray(replay->decisions, 2 * replay->allocated + 16, sizeof(*event));
        if (!event) {
            stage->error = -ENOMEM;
            return;
        }
        replay->decisions = event;
        replay->allocated = 2 * replay->allocated + 16;
    }
    event = &replay->decisions[replay->n++];
    *event = (struct Event){.kind = EVENT_DECISION,
                            .priority = decision_priority(decision),
                            .at_usec = decision->at_usec,
                            .realtime_usec = decision->at_usec + stage->offset_usec,
                            .tenant_id = tenant->cgroup.id,
                            .decision = *decision};
    snprintf(event->tenant, sizeof(event->tenant), "%s", tenant->name);
    snprintf(event->class, sizeof(event->class), "%s", tenant->class ? tenant->class->name : "");
    snprintf(event->path, sizeof(event->path), "%s", tenant->cgroup.path);
}

static bool is_same_action(const struct Decision *a, const struct Decision *b)
{
    return a->verb == b->verb && a->cause == b->cause && a->at_usec == b->at_usec &&
           a->resource == b->resource && strcmp(a->rule, b->rule) == 0;
}

/* Was this decided there, too? */
static bool find_recorded(struct Stage *stage, const struct Actor *actor, const struct Decision *decision)
{
    struct TraceEntry entry;

    for (size_t i = stage->at; i < stage->recording->n; i++) {
        recording_get(stage->recording, i, &entry);
        if (entry.at_usec > usec_add(decision->at_usec, USEC_PER_SEC))
            return false;
        if (entry.kind != TRACE_DECISION || stage->met[i] || entry.tenant_id != actor->tenant.cgroup.id ||
            !is_same_action(&entry.decision, decision))
            continue;
        stage->met[i] = true;
        stage->replay->same += strcmp(entry.decision.reason, decision->reason) == 0 &&
                               entry.decision.withheld == decision->withheld &&
                               entry.decision.percent == decision->percent;
        return true;
    }
    return false;
}

/* What the pipeline would make of it, taken to succeed. */
static void carry_out(struct Actor *actor, const struct Decision *decision)
{
    struct Tenant *tenant = &actor->tenant;
    uint32_t bit = 1u << decision->holder;
    uint32_t let_go = decision->holder == HOLDER_OPERATOR ? UINT32_MAX : bit;
    struct Throttle *throttle =
        decision->resource == RESOURCE_INVALID ? NULL : &tenant->throttles[decision->resource];

    if (decision->verb == VERB_FREEZE)
        tenant->condition.holders |= bit;
    else if (decision->verb == VERB_THAW)
        tenant->condition.holders &= ~let_go;
    else if (decision->verb == VERB_TERMINATE)
        tenant->condition.holders = 0;
    else if (decision->verb == VERB_THROTTLE && throttle)
        throttle->holders |= bit;
    else if (decision->verb == VERB_UNTHROTTLE && throttle)
        throttle->holders &= ~let_go;
    if (throttle)
        throttle->n_lines = throttle->holders != 0;
}

static void take_all(struct Stage *stage, struct Actor *actor, const struct Decisions *decisions);

static void feed(struct Stage *stage, struct Actor *actor, const struct Decision *decision,
                 enum Result result, usec_t now)
{
    _cleanup_free_ struct Decisions *decisions = calloc(1, sizeof(*decisions));

    if (!decisions) {
        stage->error = -ENOMEM;
        return;
    }
    engine_outcome(&stage->engine, &actor->tenant, decision, result, now, decisions);
    take_all(stage, actor, decisions);
}

/* Not in the recording, so its outcome is not either. */
static void make_up_outcome(struct Stage *stage, struct Actor *actor, const struct Decision *decision)
{
    bool observed = stage->policy->mode == MODE_OBSERVE;

    if (!observed)
        carry_out(actor, decision);
    feed(stage, actor, decision, observed && decision->verb != VERB_WARN ? RESULT_OBSERVED : RESULT_DONE,
         decision->at_usec);
}

static void take(struct Stage *stage, struct Actor *actor, const struct Decision *decision)
{
    bool recorded = find_recorded(stage, actor, decision);

    note(stage, actor, decision);
    actor->strayed |= !recorded;
    if (actor->strayed)
        make_up_outcome(stage, actor, decision);
    else
        actor->awaited[decision->holder] =
            (struct Awaited){.active = true, .verb = decision->verb, .at_usec = decision->at_usec};
}

static void take_all(struct Stage *stage, struct Actor *actor, const struct Decisions *decisions)
{
    for (size_t i = 0; i < decisions->n && stage->error == 0; i++)
        take(stage, actor, &decisions->list[i]);
}

static void play_look(struct Stage *stage, struct Actor *actor, usec_t now)
{
    _cleanup_free_ struct Decisions *decisions = calloc(1, sizeof(*decisions));

    if (!decisions) {
        stage->error = -ENOMEM;
        return;
    }
    engine_look(&stage->engine, &actor->tenant, now, decisions);
    take_all(stage, actor, decisions);
}

/* --- looks that nobody took ----------------------------------------------------------------------- */

static void forget_counts(struct Readings *readings)
{
    static const enum ReadingId counts[] = {READING_TASKS_DENIED, READING_DISK_DENIED, READING_MEMORY_HIGH,
                                            READING_MEMORY_MAX,   READING_MEMORY_OOM,  READING_NET_DROPPED};

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        readings->value[counts[i]] = 0;
}

static bool is_due(const struct Actor *actor, usec_t until)
{
    usec_t due = actor->tenant.condition.look_usec;

    return due != USEC_INFINITY && due < until && usec_add(due, LATE_USEC) < actor->next_usec;
}

static struct Actor *next_due(const struct Stage *stage, usec_t until)
{
    struct Actor *actor, *other, *found = NULL;

    HASH_ITER (hh, stage->actors, actor, other)
        if (is_due(actor, until) &&
            (!found || actor->tenant.condition.look_usec < found->tenant.condition.look_usec))
            found = actor;
    return found;
}

static void make_up_looks(struct Stage *stage, usec_t from, usec_t until)
{
    struct Actor *actor;

    until = usec_min(until, usec_add(from, MADE_UP_USEC));
    while (stage->error == 0 && (actor = next_due(stage, until))) {
        usec_t now = usec_max(actor->tenant.condition.look_usec, from);

        forget_counts(&actor->tenant.readings);
        actor->tenant.readings.at_usec = now;
        play_look(stage, actor, now);
        if (actor->tenant.condition.look_usec <= now)
            actor->tenant.condition.look_usec = USEC_INFINITY;
    }
}

/* --- tenants -------------------------------------------------------------------------------------- */

/* Whom the configuration that is played protects; what holds somebody protected is so by any. */
static void protect(const struct Stage *stage, struct Tenant *tenant, const struct TraceStanding *standing)
{
    const char *by = standing->protected_by;
    const char *glob = policy_protects(stage->policy, tenant->cgroup.path);

    if (stage->altered && !standing->untouchable && strncmp(by, "holds ", 6) != 0)
        by = glob ? glob : "";
    snprintf(tenant->protected_by, sizeof(tenant->protected_by), "%s", by);
}

static void take_standing(const struct Stage *stage, struct Actor *actor,
                          const struct TraceStanding *standing)
{
    struct Tenant *tenant = &actor->tenant;

    tenant->untouchable = standing->untouchable;
    tenant->released = standing->released;
    tenant->exemption.until_realtime_usec = standing->exempt; /* when it ends the recording tells */
    tenant->oom_preference = (enum OomPreference)standing->oom_preference;
    protect(stage, tenant, standing);
    if (actor->strayed)
        return;
    tenant->condition.holders = translate(actor, standing->holders);
    for (int i = 0; i < RESOURCE_COUNT; i++) {
        tenant->throttles[i].holders = translate(actor, standing->throttles[i]);
        tenant->throttles[i].n_lines = tenant->throttles[i].holders != 0;
    }
    tenant->throttles[RESOURCE_MEMORY].n_lines = standing->memory_slowed;
    tenant->action.under_way = standing->under_way >= 0;
    tenant->action.decision.verb = (enum Verb)standing->under_way;
}

static void take_readings(struct Actor *actor, const struct TraceEntry *entry)
{
    actor->tenant.readings = entry->readings;
    actor->tenant.readings.at_usec = entry->at_usec;
}

static void take_rules(struct Actor *actor, const struct TraceEntry *entry)
{
    struct Tenant *tenant = &actor->tenant;
    unsigned index;

    engine_reset(tenant);
    snprintf(tenant->condition.election.reason, REASON_MAX, "%s", entry->election);
    for (size_t i = 0; i < entry->n_rules; i++) {
        if (!find_rule(tenant->class, entry->rules[i].name, &index))
            continue;
        tenant->condition.rules[index] = entry->rules[i].state;
        if (entry->rules[i].state.step >= tenant->class->rules[index]->n_steps)
            tenant->condition.rules[index].step = tenant->class->rules[index]->n_steps - 1;
    }
}

static struct Actor *add_actor(struct Stage *stage, const struct TraceEntry *entry)
{
    struct Actor *actor = calloc(1, sizeof(*actor));

    if (!actor || !(actor->tenant.cgroup.path = strdup(entry->path))) {
        free(actor);
        stage->error = -ENOMEM;
        return NULL;
    }
    actor->tenant.cgroup.id = entry->tenant_id;
    snprintf(actor->tenant.name, sizeof(actor->tenant.name), "%s", entry->name);
    HASH_ADD(hh, stage->actors, tenant.cgroup.id, sizeof(actor->tenant.cgroup.id), actor);
    stage->replay->tenants++;
    return actor;
}

static void remove_actor(struct Stage *stage, struct Actor *actor)
{
    HASH_DEL(stage->actors, actor);
    free(actor->tenant.cgroup.path);
    free(actor);
}

static void play_tenant(struct Stage *stage, const struct TraceEntry *entry)
{
    struct Actor *actor = find_actor(stage, entry->tenant_id);
    bool is_new = !actor;

    if (is_new)
        actor = add_actor(stage, entry);
    if (!actor)
        return;
    actor->was = find_class(stage->recorded, entry->class);
    actor->tenant.class =
        stage->altered ? policy_classify(stage->policy, actor->tenant.cgroup.path) : actor->was;
    if (is_new || !stage->altered) {
        actor->strayed = false;
        take_rules(actor, entry);
    }
    actor->next_usec = stage->next_usec[stage->at];
    take_standing(stage, actor, &entry->standing);
    take_readings(actor, entry);
}

static void play_outcome(struct Stage *stage, struct Actor *actor, const struct TraceEntry *entry)
{
    struct Decision decision = entry->decision;
    struct Awaited *awaited;
    bool by_rule = decision.holder != HOLDER_OPERATOR, is_awaited;

    take_standing(stage, actor, &entry->standing);
    if (by_rule && !find_rule(actor->tenant.class, decision.rule, &decision.holder))
        return;
    if (!by_rule) {
        if (actor->strayed && result_is_success((enum Result)entry->result))
            carry_out(actor, &decision);
        return;
    }
    awaited = &actor->awaited[decision.holder];
    is_awaited = awaited->active && awaited->verb == decision.verb && awaited->at_usec == decision.at_usec;
    if (actor->strayed && !is_awaited)
        return;
    if (actor->strayed && entry->result == RESULT_DONE)
        carry_out(actor, &decision);
    if (is_awaited)
        awaited->active = false;
    if (entry->fed)
        feed(stage, actor, &decision, (enum Result)entry->result, entry->at_usec);
}

/* --- the host ------------------------------------------------------------------------------------- */

static const struct Rule *find_host_rule(const struct Policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->n_rules; i++)
        if (policy->rules[i].scope == SCOPE_HOST && strcmp(policy->rules[i].name, name) == 0)
            return &policy->rules[i];
    return NULL;
}

static struct Watch *get_watch(struct Stage *stage, const struct Rule *rule, uint64_t scope)
{
    struct Watch *watch;

    DL_FOREACH (stage->watches, watch)
        if (watch->state.rule == rule && watch->state.scope == scope)
            return watch;
    watch = calloc(1, sizeof(*watch));
    if (!watch) {
        stage->error = -ENOMEM;
        return NULL;
    }
    watch->state = (struct HostState){.rule = rule, .scope = scope, .began_usec = USEC_INFINITY};
    DL_APPEND(stage->watches, watch);
    return watch;
}

static void free_watches(struct Stage *stage)
{
    struct Watch *watch, *next;

    DL_FOREACH_SAFE (stage->watches, watch, next) {
        DL_DELETE(stage->watches, watch);
        free(watch);
    }
}

/* Is the victim's look the next in the recording? */
static bool is_looked_at_next(const struct Stage *stage, const struct Tenant *victim)
{
    struct TraceEntry entry;

    if (stage->at + 1 >= stage->recording->n)
        return false;
    recording_get(stage->recording, stage->at + 1, &entry);
    return entry.kind == TRACE_LOOK && entry.tenant_id == victim->cgroup.id;
}

static void elect(struct Stage *stage, struct Watch *watch, struct Tenant *const *candidates, size_t n,
                  const struct TraceEntry *entry)
{
    const struct HostState before = watch->state;
    struct Choice choice = {};
    struct Tenant *victim =
        host_elect(&watch->state, candidates, n, &entry->readings, entry->at_usec, &choice);
    struct Actor *actor;
    size_t index;

    if (victim && entry->withdrawn)
        watch->state = before;
    else if (victim && tenant_lists(victim, watch->state.rule, &index)) {
        victim->condition.rules[index].elected = true;
        victim->condition.election = choice;
        actor = find_actor(stage, victim->cgroup.id);
        if (actor && !is_looked_at_next(stage, victim))
            play_look(stage, actor, entry->at_usec);
    }
}

/* Everybody, as they were read last: the recording has no election here. */
static void elect_among_all(struct Stage *stage, struct Watch *watch, const struct TraceEntry *entry)
{
    _cleanup_free_ struct Tenant **all = calloc(HASH_COUNT(stage->actors) + 1, sizeof(*all));
    struct Actor *actor, *other;
    size_t n = 0;

    if (!all) {
        stage->error = -ENOMEM;
        return;
    }
    HASH_ITER (hh, stage->actors, actor, other)
        if (tenant_lists(&actor->tenant, watch->state.rule, NULL))
            all[n++] = &actor->tenant;
    elect(stage, watch, all, n, entry);
}

/* The entries that follow are candidates, and then the election by this rule. */
static bool is_election_recorded(const struct Stage *stage, const struct TraceEntry *host)
{
    struct TraceEntry entry;

    for (size_t i = stage->at + 1; i < stage->recording->n; i++) {
        recording_get(stage->recording, i, &entry);
        if (entry.kind != TRACE_CANDIDATE && entry.kind != TRACE_TENANT)
            return entry.kind == TRACE_ELECTION && strcmp(entry.rule, host->rule) == 0;
    }
    return false;
}

static void look_at_host(struct Stage *stage, const struct Rule *rule, const struct TraceEntry *entry)
{
    struct Watch *watch = get_watch(stage, rule, entry->scope);
    bool is_own = strcmp(rule->name, entry->rule) == 0;

    if (!watch || host_look(&watch->state, &entry->readings, entry->at_usec) != HOST_ELECT)
        return;
    watch->elects = is_own && is_election_recorded(stage, entry);
    if (!watch->elects)
        elect_among_all(stage, watch, entry);
}

/* A rule that the recording does not know looks whenever another one did. */
static void play_host(struct Stage *stage, const struct TraceEntry *entry)
{
    for (size_t i = 0; i < stage->policy->n_rules; i++) {
        const struct Rule *rule = &stage->policy->rules[i];
        bool is_own = strcmp(rule->name, entry->rule) == 0;

        if (rule->scope != SCOPE_HOST || reading_is_of_disk(rule->when.reading) != (entry->scope != 0))
            continue;
        if (is_own || !find_host_rule(stage->recorded, rule->name))
            look_at_host(stage, rule, entry);
    }
}

static void play_election(struct Stage *stage, const struct TraceEntry *entry)
{
    const struct Rule *rule = find_host_rule(stage->policy, entry->rule);
    struct Watch *watch = rule ? get_watch(stage, rule, entry->scope) : NULL;
    _cleanup_free_ struct Tenant **candidates = calloc(stage->at + 1, sizeof(*candidates));
    size_t n = 0;

    if (!candidates)
        stage->error = -ENOMEM;
    if (!watch || !watch->elects || !candidates)
        return;
    watch->elects = false;
    for (size_t i = stage->at; i > 0; i--) {
        struct TraceEntry candidate;
        struct Actor *actor;

        recording_get(stage->recording, i - 1, &candidate);
        if (candidate.kind == TRACE_TENANT)
            continue; /* its state, before the first that is said of it */
        if (candidate.kind != TRACE_CANDIDATE)
            break;
        actor = find_actor(stage, candidate.tenant_id);
        if (actor && tenant_lists(&actor->tenant, rule, NULL))
            candidates[n++] = &actor->tenant;
    }
    elect(stage, watch, candidates, n, entry);
}

static void play_watch(struct Stage *stage, const struct TraceEntry *entry)
{
    const struct Rule *rule = find_host_rule(stage->policy, entry->rule);
    struct Watch *watch = rule ? get_watch(stage, rule, entry->scope) : NULL;

    if (!watch)
        return;
    watch->state.began_usec = entry->began_usec;
    watch->state.elected_usec = entry->elected_usec;
    watch->state.vain = entry->vain;
}

/* --- the state that it begins with ---------------------------------------------------------------- */

static void refuse_config(struct Stage *stage, const struct Problems *problems)
{
    _cleanup_free_ char *text = problems->n > 0 ? problem_format(&problems->list[0]) : NULL;

    snprintf(stage->why, RECORDING_WHY_MAX, "the configuration in the trace is not valid here: %.400s",
             text ? text : "?");
    stage->error = -EBADMSG;
}

static void play_config(struct Stage *stage, const struct TraceEntry *entry)
{
    struct Problems problems = {};
    struct Known *known = calloc(1, sizeof(*known));
    int r = known ? config_parse_buffer("trace", entry->text, entry->text_size, &known->config, &problems)
                  : -ENOMEM;

    if (r < 0)
        stage->error = r;
    else if (r > 0)
        refuse_config(stage, &problems);
    problems_free(&problems);
    if (stage->error != 0) {
        free(known);
        return;
    }
    stage->restoring = !stage->altered || !stage->known;
    LL_PREPEND(stage->known, known);
    stage->recorded = &known->config->policy;
    if (stage->altered)
        return;
    stage->policy = stage->engine.policy = stage->recorded;
    stage->offences = (struct Offences){};
    free_watches(stage);
}

static void play_offence(struct Stage *stage, const struct TraceEntry *entry)
{
    for (size_t i = 0; i < OFFENCES_MAX; i++) {
        struct Offence *offence = &stage->offences.list[i];

        if (offence->count > 0)
            continue;
        snprintf(offence->name, sizeof(offence->name), "%s", entry->name);
        snprintf(offence->rule, sizeof(offence->rule), "%s", entry->rule);
        offence->count = entry->count;
        offence->last_usec = entry->last_usec;
        return;
    }
}

/* --- entries -------------------------------------------------------------------------------------- */

static void play_of_tenant(struct Stage *stage, const struct TraceEntry *entry)
{
    struct Actor *actor = find_actor(stage, entry->tenant_id);

    if (!actor) {
        stage->replay->unknown++;
        return;
    }
    actor->next_usec = stage->next_usec[stage->at];
    switch (entry->kind) {
    case TRACE_GONE:
        remove_actor(stage, actor);
        break;
    case TRACE_CANDIDATE:
    case TRACE_LOOK:
        take_standing(stage, actor, &entry->standing);
        take_readings(actor, entry);
        if (entry->kind == TRACE_LOOK)
            play_look(stage, actor, entry->at_usec);
        break;
    case TRACE_OUTCOME:
        play_outcome(stage, actor, entry);
        break;
    case TRACE_RESET:
        engine_reset(&actor->tenant);
        break;
    case TRACE_DECISION:
        actor->strayed |= !stage->met[stage->at];
        break;
    default:
        break;
    }
}

static void play(struct Stage *stage, const struct TraceEntry *entry)
{
    bool is_state = entry->kind == TRACE_BUDGET || entry->kind == TRACE_OFFENCE || entry->kind == TRACE_WATCH;

    if (is_state && !stage->restoring)
        return;
    switch (entry->kind) {
    case TRACE_CONFIG:
        play_config(stage, entry);
        break;
    case TRACE_BUDGET:
        stage->budget = entry->budget;
        break;
    case TRACE_OFFENCE:
        play_offence(stage, entry);
        break;
    case TRACE_WATCH:
        play_watch(stage, entry);
        break;
    case TRACE_TENANT:
        play_tenant(stage, entry);
        break;
    case TRACE_HOST:
        play_host(stage, entry);
        break;
    case TRACE_ELECTION:
        play_election(stage, entry);
        break;
    default:
        play_of_tenant(stage, entry);
        break;
    }
}

/* When each tenant is looked at next, seen from each entry about it. */
struct Next {
    uint64_t id;
    usec_t at_usec;
    UT_hash_handle hh;
};

static int prepare(struct Stage *stage)
{
    const struct Recording *recording = stage->recording;
    struct Next *nexts = NULL, *next, *other;
    struct TraceEntry entry;
    int r = 0;

    stage->met = calloc(recording->n, sizeof(*stage->met));
    stage->next_usec = calloc(recording->n, sizeof(*stage->next_usec));
    if (!stage->met || !stage->next_usec)
        return -ENOMEM;
    for (size_t i = recording->n; i > 0 && r == 0; i--) {
        recording_get(recording, i - 1, &entry);
        stage->replay->recorded += entry.kind == TRACE_DECISION;
        HASH_FIND(hh, nexts, &entry.tenant_id, sizeof(entry.tenant_id), next);
        stage->next_usec[i - 1] = next ? next->at_usec : USEC_INFINITY;
        if (entry.kind != TRACE_LOOK && entry.kind != TRACE_GONE)
            continue;
        if (!next && (next = calloc(1, sizeof(*next)))) {
            next->id = entry.tenant_id;
            HASH_ADD(hh, nexts, id, sizeof(next->id), next);
        }
        r = next ? 0 : -ENOMEM;
        if (next)
            next->at_usec = entry.at_usec;
    }
    HASH_ITER (hh, nexts, next, other) {
        HASH_DEL(nexts, next);
        free(next);
    }
    return r;
}

static void play_all(struct Stage *stage)
{
    struct TraceEntry entry;
    usec_t last_usec = 0;

    for (stage->at = 0; stage->at < stage->recording->n && stage->error == 0; stage->at++) {
        recording_get(stage->recording, stage->at, &entry);
        stage->offset_usec = entry.realtime_usec - entry.at_usec;
        if (stage->altered && stage->recorded)
            make_up_looks(stage, last_usec, entry.at_usec);
        last_usec = entry.at_usec;
        if (stage->at == 0)
            stage->replay->first_usec = entry.realtime_usec;
        stage->replay->last_usec = entry.realtime_usec;
        play(stage, &entry);
    }
}

static void clear(struct Stage *stage)
{
    struct Actor *actor, *other;
    struct Known *known, *next;

    HASH_ITER (hh, stage->actors, actor, other)
        remove_actor(stage, actor);
    free_watches(stage);
    LL_FOREACH_SAFE (stage->known, known, next) {
        config_free(known->config);
        free(known);
    }
    free(stage->met);
    free(stage->next_usec);
}

int replay_run(const struct Recording *recording, const struct Config *config, struct Replay *ret,
               char *ret_why)
{
    _cleanup_free_ struct Stage *stage = calloc(1, sizeof(*stage));
    int r;

    *ret = (struct Replay){};
    if (!stage)
        return -ENOMEM;
    *stage = (struct Stage){.recording = recording, .replay = ret, .why = ret_why, .altered = config};
    stage->engine = (struct Engine){.budget = &stage->budget, .offences = &stage->offences};
    if (config)
        stage->policy = stage->engine.policy = &config->policy;
    r = prepare(stage);
    if (r >= 0)
        play_all(stage);
    clear(stage);
    return r < 0 ? r : stage->error;
}

void replay_free(struct Replay *replay)
{
    free(replay->decisions);
    *replay = (struct Replay){};
}
