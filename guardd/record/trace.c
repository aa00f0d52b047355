/* See trace.h. */
#include "record/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A state, a look, and what was decided then. */
#define HELD_MAX 5
/* Room that is made for each candidate of an election: most have less. */
#define CANDIDATE_ROOM 512
/* Behind a look come its decisions; in another segment they would stand behind a state that has them in it.
 */
#define LOOK_ROOM ((size_t)6 * TRACE_ENTRY_MAX)

int trace_open(struct Trace *trace, size_t size, const struct TraceSources *from)
{
    *trace = (struct Trace){.from = *from, .segment_size = size / TRACE_SEGMENTS, .last = trace->last};
    if (size == 0)
        return 0;
    trace->bytes = calloc(TRACE_SEGMENTS, trace->segment_size);
    trace->held = calloc(HELD_MAX, sizeof(*trace->held));
    if (trace->bytes && trace->held)
        return 0;
    trace_close(trace);
    return -ENOMEM;
}

void trace_close(struct Trace *trace)
{
    free(trace->bytes);
    free(trace->held);
    trace->bytes = NULL;
    trace->held = NULL;
    trace->n = trace->n_held = 0;
}

static bool is_on(const struct Trace *trace)
{
    return trace && trace->bytes && trace->n > 0;
}

static size_t newest(const struct Trace *trace)
{
    return (trace->first + trace->n - 1) % TRACE_SEGMENTS;
}

static size_t room(const struct Trace *trace)
{
    return trace->segment_size - trace->segments[newest(trace)].used;
}

/* Behind the newest entry, in its segment. */
static void put(struct Trace *trace, struct TraceEntry *entry, usec_t now)
{
    struct TraceSegment *segment = &trace->segments[newest(trace)];
    uint8_t *bytes = trace->bytes + newest(trace) * trace->segment_size;
    ssize_t n;

    entry->at_usec = now;
    entry->realtime_usec = now + *trace->from.realtime_offset_usec;
    n = trace_entry_write(entry, bytes + segment->used, room(trace));
    if (n < 0)
        segment->partial = true;
    else
        segment->used += (size_t)n;
}

/* --- the state ------------------------------------------------------------------------------------ */

static struct TraceStanding standing_of(const struct Tenant *tenant)
{
    struct TraceStanding standing = {.holders = tenant->condition.holders,
                                     .memory_slowed = tenant->throttles[RESOURCE_MEMORY].n_lines > 0,
                                     .under_way = tenant->action.under_way ? (int)tenant->action.decision.verb
                                                                           : VERB_INVALID,
                                     .untouchable = tenant->untouchable,
                                     .released = tenant->released,
                                     .exempt = tenant_is_exempt(tenant),
                                     .oom_preference = (int)tenant->oom_preference};

    for (int i = 0; i < RESOURCE_COUNT; i++)
        standing.throttles[i] = tenant->throttles[i].holders;
    snprintf(standing.protected_by, sizeof(standing.protected_by), "%s", tenant->protected_by);
    return standing;
}

static void fill_rules(struct TraceEntry *entry, const struct Tenant *tenant)
{
    for (size_t i = 0; tenant->class && i < tenant->class->n_rules; i++) {
        const struct RuleState *state = &tenant->condition.rules[i];
        struct TraceRule *rule = &entry->rules[entry->n_rules];

        if (state->phase == PHASE_IDLE && !state->elected)
            continue;
        snprintf(rule->name, sizeof(rule->name), "%s", tenant->class->rules[i]->name);
        rule->state = *state;
        entry->n_rules++;
    }
}

static void fill_tenant(struct TraceEntry *entry, const struct Tenant *tenant)
{
    entry->standing = standing_of(tenant);
    entry->readings = tenant->readings;
    snprintf(entry->name, sizeof(entry->name), "%s", tenant->name);
    snprintf(entry->path, sizeof(entry->path), "%s", tenant->cgroup.path);
    snprintf(entry->class, sizeof(entry->class), "%s", tenant->class ? tenant->class->name : "");
    snprintf(entry->election, sizeof(entry->election), "%s", tenant->condition.election.reason);
    entry->n_rules = 0;
    fill_rules(entry, tenant);
}

static void put_config(struct Trace *trace, usec_t now)
{
    const struct Config *config = *trace->from.config;
    const char *text = config->text ? config->text : "";
    struct TraceEntry entry = {.kind = TRACE_CONFIG, .text = text, .text_size = strlen(text)};

    put(trace, &entry, now);
}

static void put_offences(struct Trace *trace, usec_t now)
{
    for (size_t i = 0; i < OFFENCES_MAX; i++) {
        const struct Offence *offence = &trace->from.offences->list[i];
        struct TraceEntry entry = {
            .kind = TRACE_OFFENCE, .count = offence->count, .last_usec = offence->last_usec};

        if (offence->count == 0)
            continue;
        snprintf(entry.name, sizeof(entry.name), "%s", offence->name);
        snprintf(entry.rule, sizeof(entry.rule), "%s", offence->rule);
        put(trace, &entry, now);
    }
}

static void put_state(struct Trace *trace, usec_t now)
{
    struct TraceEntry budget = {.kind = TRACE_BUDGET, .budget = *trace->from.budget};
    struct TraceSegment *segment = &trace->segments[newest(trace)];

    put_config(trace, now);
    put(trace, &budget, now);
    put_offences(trace, now);
    if (trace->from.watches)
        trace->from.watches(trace->from.userdata, trace, now);
    segment->state_size = segment->used;
}

static void next_segment(struct Trace *trace, bool reloaded, usec_t now)
{
    if (trace->n < TRACE_SEGMENTS)
        trace->n++;
    else
        trace->first = (trace->first + 1) % TRACE_SEGMENTS;
    trace->segments[newest(trace)] = (struct TraceSegment){.reloaded = reloaded};
    trace->last++;
    put_state(trace, now);
}

void trace_begin(struct Trace *trace, usec_t now)
{
    trace_flush(trace);
    if (trace->bytes)
        next_segment(trace, trace->n > 0, now);
}

/* --- entries -------------------------------------------------------------------------------------- */

static void make_room(struct Trace *trace, size_t size, usec_t now)
{
    if (room(trace) < size)
        next_segment(trace, false, now);
}

void trace_flush(struct Trace *trace)
{
    if (!is_on(trace))
        return;
    for (size_t i = 0; i < trace->n_held; i++) {
        make_room(trace, TRACE_ENTRY_MAX, trace->held[i].at_usec);
        put(trace, &trace->held[i], trace->held[i].at_usec);
    }
    trace->n_held = 0;
}

static struct TraceEntry *hold(struct Trace *trace, enum TraceKind kind, const struct Tenant *tenant,
                               usec_t now)
{
    struct TraceEntry *entry;

    if (trace->n_held == HELD_MAX)
        trace_flush(trace);
    entry = &trace->held[trace->n_held++];
    entry->kind = kind;
    entry->tenant_id = tenant->cgroup.id;
    entry->at_usec = now;
    return entry;
}

/* For what follows at once, behind all that is held. */
static void begin_room(struct Trace *trace, size_t size, usec_t now)
{
    trace_flush(trace);
    make_room(trace, size, now);
}

static void add(struct Trace *trace, struct TraceEntry *entry, usec_t now)
{
    begin_room(trace, TRACE_ENTRY_MAX, now);
    put(trace, entry, now);
}

/* Its state as it is now, unless the segment has it. */
static void introduce(struct Trace *trace, struct Tenant *tenant, usec_t now)
{
    if (tenant->traced == trace->last)
        return;
    fill_tenant(hold(trace, TRACE_TENANT, tenant, now), tenant);
    tenant->traced = trace->last;
}

static size_t look_room(const struct Trace *trace)
{
    return LOOK_ROOM < trace->segment_size / 4 ? LOOK_ROOM : trace->segment_size / 4;
}

static void add_of_tenant(struct Trace *trace, struct Tenant *tenant, struct TraceEntry *entry, usec_t now)
{
    begin_room(trace, look_room(trace), now);
    introduce(trace, tenant, now);
    trace_flush(trace);
    entry->tenant_id = tenant->cgroup.id;
    put(trace, entry, now);
}

void trace_look(struct Trace *trace, struct Tenant *tenant, usec_t now)
{
    struct TraceEntry *entry;

    if (!is_on(trace))
        return;
    begin_room(trace, look_room(trace), now);
    introduce(trace, tenant, now);
    entry = hold(trace, TRACE_LOOK, tenant, now);
    entry->standing = standing_of(tenant);
    entry->readings = tenant->readings;
}

void trace_outcome(struct Trace *trace, struct Tenant *tenant, const struct Decision *decision,
                   enum Result result, bool fed, usec_t now)
{
    struct TraceEntry entry = {
        .kind = TRACE_OUTCOME, .decision = *decision, .result = (int)result, .fed = fed};

    if (!is_on(trace))
        return;
    entry.standing = standing_of(tenant);
    add_of_tenant(trace, tenant, &entry, now);
}

void trace_reset(struct Trace *trace, struct Tenant *tenant, usec_t now)
{
    struct TraceEntry entry = {.kind = TRACE_RESET};

    if (is_on(trace))
        add_of_tenant(trace, tenant, &entry, now);
}

void trace_decision(struct Trace *trace, struct Tenant *tenant, const struct Decision *decision, usec_t now)
{
    if (is_on(trace))
        hold(trace, TRACE_DECISION, tenant, now)->decision = *decision;
}

/* Nobody asks how somebody ended who is in no segment that is left. */
void trace_gone(struct Trace *trace, struct Tenant *tenant, usec_t now)
{
    struct TraceEntry entry = {.kind = TRACE_GONE, .tenant_id = tenant->cgroup.id};

    if (is_on(trace) && tenant->traced + trace->n > trace->last)
        add(trace, &entry, now);
}

static struct TraceEntry host_entry(enum TraceKind kind, const struct HostState *state,
                                    const struct Readings *host)
{
    struct TraceEntry entry = {.kind = kind, .scope = state->scope, .readings = *host};

    snprintf(entry.rule, sizeof(entry.rule), "%s", state->rule->name);
    return entry;
}

void trace_host(struct Trace *trace, const struct HostState *state, const struct Readings *host,
                size_t candidates, usec_t now)
{
    struct TraceEntry entry = host_entry(TRACE_HOST, state, host);
    size_t wanted = 2 * TRACE_ENTRY_MAX + candidates * CANDIDATE_ROOM;

    if (!is_on(trace))
        return;
    begin_room(trace, wanted < trace->segment_size / 2 ? wanted : trace->segment_size / 2, now);
    put(trace, &entry, now);
}

void trace_candidate(struct Trace *trace, struct Tenant *tenant, usec_t now)
{
    struct TraceEntry entry;

    if (!is_on(trace))
        return;
    entry = (struct TraceEntry){.kind = TRACE_CANDIDATE,
                                .tenant_id = tenant->cgroup.id,
                                .standing = standing_of(tenant),
                                .readings = tenant->readings};
    begin_room(trace, 2 * TRACE_ENTRY_MAX, now);
    introduce(trace, tenant, now);
    trace_flush(trace);
    put(trace, &entry, now);
}

void trace_election(struct Trace *trace, const struct HostState *state, const struct Readings *host,
                    bool withdrawn, usec_t now)
{
    struct TraceEntry entry = host_entry(TRACE_ELECTION, state, host);

    entry.withdrawn = withdrawn;
    if (is_on(trace))
        put(trace, &entry, now); /* nothing is held behind a candidate */
}

void trace_watch(struct Trace *trace, const struct HostState *state, usec_t now)
{
    struct TraceEntry entry = {.kind = TRACE_WATCH,
                               .scope = state->scope,
                               .began_usec = state->began_usec,
                               .elected_usec = state->elected_usec,
                               .vain = state->vain};

    snprintf(entry.rule, sizeof(entry.rule), "%s", state->rule->name);
    put(trace, &entry, now);
}

/* --- reading it ----------------------------------------------------------------------------------- */

int trace_copy(struct Trace *trace, struct TraceCopy *ret)
{
    struct TraceCopy copy = {};

    if (!is_on(trace))
        return -ENODATA;
    trace_flush(trace);
    copy.bytes = malloc(trace->n * trace->segment_size);
    if (!copy.bytes)
        return -ENOMEM;
    for (size_t i = 0; i < trace->n; i++) {
        size_t index = (trace->first + i) % TRACE_SEGMENTS;
        const struct TraceSegment *segment = &trace->segments[index];
        size_t skip = i == 0 || segment->reloaded ? 0 : segment->state_size;

        memcpy(copy.bytes + copy.size, trace->bytes + index * trace->segment_size + skip,
               segment->used - skip);
        copy.size += segment->used - skip;
        copy.partial |= segment->partial;
    }
    *ret = copy;
    return 0;
}

void trace_copy_free(struct TraceCopy *copy)
{
    free(copy->bytes);
    *copy = (struct TraceCopy){};
}
