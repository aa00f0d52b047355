/* See codec.h. An object is built in one go, its lists before it; `_cleanup_` takes care of every way
 * out. Points in time of the model are CLOCK_BOOTTIME, which means nothing to a peer: they cross the
 * wire as durations from or to `now`. */
#include "wire/codec.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "wire/text.h"

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)
#define PAIR_NUMBER_IF(condition, name, number)                                                              \
    SD_JSON_BUILD_PAIR_CONDITION(condition, name, SD_JSON_BUILD_INTEGER((int64_t)(number)))
#define PAIR_VARIANT_IF_ANY(name, variant)                                                                   \
    SD_JSON_BUILD_PAIR_CONDITION((variant) != NULL, name, SD_JSON_BUILD_VARIANT(variant))
/* A list without elements is [], not null. */
#define PAIR_LIST(name, list)                                                                                \
    SD_JSON_BUILD_PAIR_CONDITION((list) != NULL, name, SD_JSON_BUILD_VARIANT(list)),                         \
        SD_JSON_BUILD_PAIR_CONDITION((list) == NULL, name, SD_JSON_BUILD_EMPTY_ARRAY)

/* Microseconds from `then` to `now`; 0 when that lies ahead. */
static int64_t elapsed(usec_t then, usec_t now)
{
    return then < now ? (int64_t)(now - then) : 0;
}

static bool is_limited(const struct Readings *readings, enum ReadingId id)
{
    return readings->valid[id] && readings->limit[id] != READING_UNLIMITED;
}

#define PAIR_READING(readings, id, name) PAIR_NUMBER_IF((readings)->valid[id], name, (readings)->value[id])

/* What was measured of a reading, and its limit: two fields. */
#define PAIR_MEASURED(readings, id, value_name, limit_name)                                                  \
    PAIR_READING(readings, id, value_name),                                                                  \
        PAIR_NUMBER_IF(is_limited(readings, id), limit_name, (readings)->limit[id])

/* What is in force, but for a throttle. */
#define PAIR_LIMIT(view, name)                                                                               \
    PAIR_NUMBER_IF((view)->known && (view)->present != LIMIT_INFINITY, name, (view)->present)

/* What all who share its links may send or get. */
#define PAIR_RATE(network, direction, name)                                                                  \
    PAIR_NUMBER_IF((network)->n_links > 0 && (network)->wanted[direction] != LIMIT_INFINITY, name,           \
                   (network)->wanted[direction])

int wire_exemption(const struct Exemption *exemption, sd_json_variant **ret)
{
    const struct Author *by = &exemption->by;

    *ret = NULL;
    if (exemption->until_realtime_usec == 0)
        return 0;
    return sd_json_buildo(ret, PAIR_NUMBER_IF(true, "untilRealtimeUsec", exemption->until_realtime_usec),
                          PAIR_NUMBER_IF(true, "sinceRealtimeUsec", exemption->since_realtime_usec),
                          SD_JSON_BUILD_PAIR_UNSIGNED("uid", by->uid),
                          WIRE_PAIR_TEXT_IF_ANY("user", by->name),
                          PAIR_NUMBER_IF(by->pid > 0, "pid", by->pid));
}

int wire_tenant_row(const struct Tenant *tenant, sd_json_variant **ret)
{
    const struct Readings *readings = &tenant->readings;
    const struct Network *network = &tenant->network;
    bool unshaped = network->looked && network->why != UNSHAPED_NOT;
    _cleanup_json_ sd_json_variant *exemption = NULL;
    int r = wire_exemption(&tenant->exemption, &exemption);

    if (r < 0)
        return r;
    return sd_json_buildo(ret, WIRE_PAIR_TEXT("name", tenant->name),
                          WIRE_PAIR_TEXT_IF_ANY("class", tenant->class ? tenant->class->name : ""),
                          SD_JSON_BUILD_PAIR_STRING("state", tenant_state(tenant)),
                          PAIR_VARIANT_IF_ANY("exemption", exemption),
                          WIRE_PAIR_TEXT("path", tenant->cgroup.path),
                          SD_JSON_BUILD_PAIR_UNSIGNED("cgroupId", tenant->cgroup.id),
                          PAIR_MEASURED(readings, READING_TASKS_CURRENT, "tasksCurrent", "tasksMax"),
                          PAIR_MEASURED(readings, READING_MEMORY_CURRENT, "memoryUsed", "memoryMax"),
                          PAIR_READING(readings, READING_CPU_USAGE, "cpuUsed"),
                          PAIR_LIMIT(&tenant->views[LIMIT_CPU_QUOTA], "cpuMax"),
                          PAIR_READING(readings, READING_CPU_PRESSURE_SOME, "cpuPressure"),
                          PAIR_READING(readings, READING_MEMORY_PRESSURE_SOME, "memoryPressure"),
                          PAIR_READING(readings, READING_IO_PRESSURE_SOME, "ioPressure"),
                          PAIR_MEASURED(readings, READING_DISK_SPACE, "diskUsed", "diskMax"),
                          PAIR_MEASURED(readings, READING_DISK_INODES, "inodesUsed", "inodesMax"),
                          WIRE_PAIR_TEXT_IF_ANY("diskUnguarded", tenant->disk.unguarded),
                          PAIR_READING(readings, READING_NET_EGRESS, "netEgress"),
                          PAIR_RATE(network, DIRECTION_EGRESS, "netEgressMax"),
                          PAIR_READING(readings, READING_NET_INGRESS, "netIngress"),
                          PAIR_RATE(network, DIRECTION_INGRESS, "netIngressMax"),
                          PAIR_NUMBER_IF(network->n_links > 0, "netDropped", network_dropped(network)),
                          PAIR_NUMBER_IF(network->looked, "netLinks", network->n_links),
                          WIRE_PAIR_TEXT_IF_ANY("netUnshaped", unshaped ? unshaped_name(network->why) : ""));
}

/* {} for LIMIT_INFINITY; NULL when the limit is not known. */
static int limit_value(bool known, uint64_t value, sd_json_variant **ret)
{
    *ret = NULL;
    if (!known)
        return 0;
    return sd_json_buildo(
        ret, SD_JSON_BUILD_PAIR_CONDITION(value != LIMIT_INFINITY, "value", SD_JSON_BUILD_UNSIGNED(value)));
}

/* The reading that measures what a limit bounds, and alone has it as its limit; READING_INVALID:
 * Tenant.views. */
static enum ReadingId measured_by(enum LimitId id)
{
    switch (id) {
    case LIMIT_TASKS_MAX:
        return READING_TASKS_CURRENT;
    case LIMIT_DISK_SPACE_MAX:
        return READING_DISK_SPACE;
    case LIMIT_DISK_INODES_MAX:
        return READING_DISK_INODES;
    default:
        return READING_INVALID;
    }
}

/* On the link that has most. False: nobody has looked. */
static bool rate_in_force(const struct Network *network, enum LimitId id, uint64_t *ret_rate)
{
    enum Direction direction = limit_direction(id);

    *ret_rate = 0;
    for (size_t i = 0; i < network->n_links; i++) {
        const struct LinkRate *rate = &network->links[i].rates[direction];

        if (!rate->known && network->wanted[direction] != LIMIT_INFINITY)
            return false;
        if (rate->rate_bits > *ret_rate)
            *ret_rate = rate->rate_bits;
    }
    return network->n_links > 0;
}

/* What the kernel enforces: as measured, else as guardd last set it. False: it is not known. */
static bool limit_in_force(const struct Tenant *tenant, enum LimitId id, uint64_t *ret_value)
{
    const struct LimitState *state = &tenant->limits[id];
    const struct LimitView *view = &tenant->views[id];
    enum ReadingId reading = measured_by(id);
    int64_t measured = reading != READING_INVALID ? tenant->readings.limit[reading] : 0;

    if (limit_is_network(id) && rate_in_force(&tenant->network, id, ret_value))
        return true;
    if (reading != READING_INVALID && tenant->readings.valid[reading]) {
        *ret_value = measured == READING_UNLIMITED ? LIMIT_INFINITY : (uint64_t)measured;
        return true;
    }
    *ret_value = view->known ? view->present : state->value;
    return view->known || state->applied;
}

/* And where others have a limit, too: the rate of links is that of all who share them. */
static enum ReadingId used_by(enum LimitId id)
{
    if (!limit_is_network(id))
        return measured_by(id);
    return limit_direction(id) == DIRECTION_EGRESS ? READING_NET_EGRESS : READING_NET_INGRESS;
}

static bool limit_used(const struct Tenant *tenant, enum LimitId id, int64_t *ret_used)
{
    enum ReadingId reading = used_by(id);
    bool measured = reading != READING_INVALID ? tenant->readings.valid[reading] : tenant->views[id].measured;

    *ret_used = !measured                    ? 0
                : reading != READING_INVALID ? tenant->readings.value[reading]
                                             : (int64_t)tenant->views[id].used;
    return measured;
}

/* Who asks for it: the operator before the class. */
static const char *limit_source(const struct Tenant *tenant, enum LimitId id)
{
    if (tenant->overrides.set[id])
        return "override";
    return tenant->class && tenant->class->limits.set[id] ? "class" : "";
}

/* Where the value in force comes from. What is asked for and is in force anyway counts as what was asked for.
 */
static const char *limit_origin(const struct Tenant *tenant, enum LimitId id, uint64_t in_force)
{
    uint64_t asked;

    if (tenant_asked(tenant, id, &asked) && !tenant->released && limit_is_same(id, asked, in_force))
        return limit_source(tenant, id);
    if (in_force == limit_default(id))
        return "kernel";
    if (tenant->container_id[0] != '\0')
        return "runtime";
    return tenant->cgroup.unit ? "systemd" : "other";
}

static int limit_object(const struct Tenant *tenant, enum LimitId id, sd_json_variant **ret)
{
    _cleanup_json_ sd_json_variant *asked = NULL, *override = NULL, *in_force = NULL, *found = NULL;
    const struct LimitInfo *info = limit_info(id);
    const struct LimitState *state = &tenant->limits[id];
    const struct Limits *limits = tenant->class ? &tenant->class->limits : NULL;
    int64_t used;
    uint64_t present;
    bool measured = limit_used(tenant, id, &used), known = limit_in_force(tenant, id, &present);
    int r = limit_value(limits && limits->set[id], limits ? limits->value[id] : 0, &asked);

    if (r >= 0)
        r = limit_value(tenant->overrides.set[id], tenant->overrides.value[id], &override);
    if (r >= 0)
        r = limit_value(known, present, &in_force);
    if (r >= 0)
        r = limit_value(state->applied, state->found, &found);
    if (r < 0)
        return r;
    return sd_json_buildo(
        ret, SD_JSON_BUILD_PAIR_STRING("name", info->directive),
        SD_JSON_BUILD_PAIR_STRING("unit", measure_name(info->measure)), PAIR_VARIANT_IF_ANY("asked", asked),
        PAIR_VARIANT_IF_ANY("override", override), PAIR_VARIANT_IF_ANY("inForce", in_force),
        PAIR_VARIANT_IF_ANY("found", found), SD_JSON_BUILD_PAIR_STRING("source", limit_source(tenant, id)),
        SD_JSON_BUILD_PAIR_CONDITION(known, "origin",
                                     SD_JSON_BUILD_STRING(known ? limit_origin(tenant, id, present) : "")),
        PAIR_NUMBER_IF(measured, "used", used), SD_JSON_BUILD_PAIR_BOOLEAN("waiting", state->waiting),
        WIRE_PAIR_TEXT_IF_ANY("note", state->note));
}

static int reading_object(const struct Readings *readings, enum ReadingId id, sd_json_variant **ret)
{
    const struct ReadingInfo *info = reading_info(id);
    bool valid = readings->valid[id];
    bool limited = valid && info->has_limit && readings->limit[id] != READING_UNLIMITED;

    return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("name", info->name),
                          SD_JSON_BUILD_PAIR_STRING("unit", info->unit),
                          SD_JSON_BUILD_PAIR_STRING("meaning", info->meaning),
                          PAIR_NUMBER_IF(valid, "value", readings->value[id]),
                          PAIR_NUMBER_IF(limited, "limit", readings->limit[id]));
}

static int steps_list(const struct Rule *rule, sd_json_variant **ret)
{
    char text[STEP_FORMAT_MAX];
    int r = 0;

    for (size_t i = 0; i < rule->n_steps && r >= 0; i++)
        r = sd_json_variant_append_arrayb(ret,
                                          SD_JSON_BUILD_STRING(step_format(rule, i, text, sizeof(text))));
    return r;
}

/* The step that follows while the condition lasts, and when. NULL: none, or nobody can tell. */
static const struct Step *next_step(const struct Rule *rule, const struct RuleState *state, usec_t *ret_usec)
{
    size_t at = state->step;

    switch (state->phase) {
    case PHASE_PENDING: /* whoever did it before goes straight to the last step */
        *ret_usec = usec_add(state->began_usec, rule->when.for_usec);
        return &rule->steps[state->repeats > 0 ? rule->n_steps - 1 : 0];
    case PHASE_STANDING:
        if (state->step_failed || state->withheld || at + 1 >= rule->n_steps)
            return NULL;
        *ret_usec = usec_add(state->step_usec, rule->steps[at].lasts_usec);
        return &rule->steps[at + 1];
    default:
        return NULL;
    }
}

static int rule_object(const struct Rule *rule, const struct RuleState *state, usec_t now,
                       sd_json_variant **ret)
{
    char when[CONDITION_FORMAT_MAX], until[CONDITION_FORMAT_MAX];
    _cleanup_json_ sd_json_variant *steps = NULL;
    bool holds = state->phase != PHASE_IDLE, at_step;
    bool ending = holds && state->until_since_usec != USEC_INFINITY;
    usec_t next_usec = 0;
    const struct Step *next = next_step(rule, state, &next_usec);
    int r = steps_list(rule, &steps);

    at_step = state->phase == PHASE_ACTING || state->phase == PHASE_STANDING;
    if (r < 0)
        return r;
    return sd_json_buildo(
        ret, WIRE_PAIR_TEXT("name", rule->name), SD_JSON_BUILD_PAIR_STRING("phase", phase_name(state->phase)),
        SD_JSON_BUILD_PAIR_STRING("when", condition_format(&rule->when, when, sizeof(when))),
        SD_JSON_BUILD_PAIR_STRING("until", condition_format(&rule->until, until, sizeof(until))),
        PAIR_LIST("steps", steps),
        SD_JSON_BUILD_PAIR_CONDITION(
            at_step, "step", SD_JSON_BUILD_STRING(at_step ? verb_name(rule->steps[state->step].verb) : "")),
        PAIR_NUMBER_IF(holds, "heldUsec", elapsed(state->began_usec, now)),
        PAIR_NUMBER_IF(at_step, "stepUsec", elapsed(state->step_usec, now)),
        SD_JSON_BUILD_PAIR_CONDITION(next != NULL, "nextStep",
                                     SD_JSON_BUILD_STRING(next ? verb_name(next->verb) : "")),
        PAIR_NUMBER_IF(next != NULL, "nextStepUsec", elapsed(now, next_usec)),
        PAIR_NUMBER_IF(ending, "untilHeldUsec", elapsed(state->until_since_usec, now)),
        SD_JSON_BUILD_PAIR_BOOLEAN("stepFailed", state->step_failed),
        SD_JSON_BUILD_PAIR_BOOLEAN("withheld", state->withheld),
        SD_JSON_BUILD_PAIR_UNSIGNED("repeats", state->repeats));
}

static int decision_object(const struct Decision *decision, sd_json_variant **ret)
{
    _cleanup_json_ sd_json_variant *value = NULL;
    bool limits = decision->verb == VERB_LIMIT || decision->verb == VERB_UNLIMIT;
    bool throttles = decision->verb == VERB_THROTTLE || decision->verb == VERB_UNTHROTTLE;
    int r = limit_value(decision->verb == VERB_LIMIT, decision->value, &value);

    if (r < 0)
        return r;
    return sd_json_buildo(
        ret, SD_JSON_BUILD_PAIR_STRING("verb", verb_name(decision->verb)),
        SD_JSON_BUILD_PAIR_STRING("cause", cause_name(decision->cause)),
        WIRE_PAIR_TEXT_IF_ANY("rule", decision->rule),
        PAIR_NUMBER_IF(decision->cause == CAUSE_OPERATOR, "uid", decision->uid),
        SD_JSON_BUILD_PAIR_CONDITION(
            limits, "limit", SD_JSON_BUILD_STRING(limits ? limit_info(decision->limit)->directive : "")),
        PAIR_VARIANT_IF_ANY("value", value),
        SD_JSON_BUILD_PAIR_CONDITION(
            throttles, "resource", SD_JSON_BUILD_STRING(throttles ? resource_name(decision->resource) : "")),
        PAIR_NUMBER_IF(decision->verb == VERB_THROTTLE, "percent", decision->percent),
        WIRE_PAIR_TEXT("reason", decision->reason));
}

int wire_outcome(const struct Outcome *outcome, sd_json_variant **ret)
{
    return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("result", result_name(outcome->result)),
                          PAIR_NUMBER_IF(outcome->error != 0, "error", -outcome->error),
                          SD_JSON_BUILD_PAIR_UNSIGNED("tookUsec", outcome->took_usec),
                          WIRE_PAIR_TEXT_IF_ANY("text", outcome->text));
}

/* Each list of `show`, element by element; the element is released in every case. */
static int append(sd_json_variant **list, int r, sd_json_variant *element)
{
    if (r >= 0)
        r = sd_json_variant_append_array(list, element);
    sd_json_variant_unref(element);
    return r;
}

int wire_limits(const struct Tenant *tenant, sd_json_variant **ret)
{
    int r = 0;

    for (int i = 0; i < LIMIT_COUNT && r >= 0; i++) {
        sd_json_variant *element = NULL;

        r = limit_object(tenant, (enum LimitId)i, &element);
        r = append(ret, r, element);
    }
    return r;
}

static int directory_object(const struct Directory *directory, sd_json_variant **ret)
{
    return sd_json_buildo(ret, WIRE_PAIR_TEXT("path", directory->path),
                          SD_JSON_BUILD_PAIR_STRING("kind", directory_kind_name(directory->kind)),
                          SD_JSON_BUILD_PAIR_STRING("state", directory_state_name(directory->state)),
                          WIRE_PAIR_TEXT_IF_ANY("why", directory->why),
                          SD_JSON_BUILD_PAIR_UNSIGNED("seen", directory->seen),
                          SD_JSON_BUILD_PAIR_UNSIGNED("changed", directory->changed),
                          SD_JSON_BUILD_PAIR_UNSIGNED("passedOver", directory->passed_over));
}

int wire_directories(const struct Tenant *tenant, sd_json_variant **ret)
{
    int r = sd_json_variant_new_array(ret, NULL, 0);

    for (size_t i = 0; i < tenant->disk.n_directories && r >= 0; i++) {
        sd_json_variant *element = NULL;

        r = directory_object(&tenant->disk.directories[i], &element);
        r = append(ret, r, element);
    }
    return r;
}

static int share_object(const struct DiskShare *share, sd_json_variant **ret)
{
    const struct DiskUsage *usage = &share->usage;
    bool valid = share->valid, sized = share->size_bytes > 0;

    return sd_json_buildo(
        ret, WIRE_PAIR_TEXT("where", share->where), SD_JSON_BUILD_PAIR_UNSIGNED("project", share->project),
        PAIR_NUMBER_IF(valid, "diskUsed", usage->space_bytes),
        PAIR_NUMBER_IF(valid && usage->space_hard_bytes > 0, "diskMax", usage->space_hard_bytes),
        PAIR_NUMBER_IF(valid && usage->space_soft_bytes > 0, "diskWarn", usage->space_soft_bytes),
        PAIR_NUMBER_IF(valid, "inodesUsed", usage->inodes),
        PAIR_NUMBER_IF(valid && usage->inodes_hard > 0, "inodesMax", usage->inodes_hard),
        PAIR_NUMBER_IF(valid && usage->inodes_soft > 0, "inodesWarn", usage->inodes_soft),
        PAIR_NUMBER_IF(sized, "diskFree", share->free_bytes),
        PAIR_NUMBER_IF(sized, "diskSize", share->size_bytes),
        PAIR_NUMBER_IF(sized && share->all_inodes > 0, "inodesFree", share->free_inodes),
        PAIR_NUMBER_IF(sized && share->all_inodes > 0, "inodesSize", share->all_inodes));
}

static int shares_list(const struct Tenant *tenant, sd_json_variant **ret)
{
    int r = 0;

    for (size_t i = 0; i < tenant->disk.n_shares && r >= 0; i++) {
        sd_json_variant *element = NULL;

        r = share_object(&tenant->disk.shares[i], &element);
        r = append(ret, r, element);
    }
    return r;
}

static int readings_list(const struct Tenant *tenant, sd_json_variant **ret)
{
    int r = 0;

    for (int i = 0; i < READING_COUNT && r >= 0; i++) {
        sd_json_variant *element = NULL;

        r = reading_object(&tenant->readings, (enum ReadingId)i, &element);
        r = append(ret, r, element);
    }
    return r;
}

static int rules_list(const struct Tenant *tenant, usec_t now, sd_json_variant **ret)
{
    int r = 0;

    for (size_t i = 0; tenant->class && i < tenant->class->n_rules && r >= 0; i++) {
        sd_json_variant *element = NULL;

        r = rule_object(tenant->class->rules[i], &tenant->condition.rules[i], now, &element);
        r = append(ret, r, element);
    }
    return r;
}

static const char *holder_name(const struct Tenant *tenant, unsigned holder)
{
    if (holder == HOLDER_OPERATOR)
        return "operator";
    return tenant->class && holder < tenant->class->n_rules ? tenant->class->rules[holder]->name
                                                            : "a rule of an earlier configuration";
}

static int holders_list(const struct Tenant *tenant, uint32_t holders, sd_json_variant **ret)
{
    int r = sd_json_variant_new_array(ret, NULL, 0);

    for (unsigned i = 0; i < HOLDER_COUNT && r >= 0; i++)
        if (holders & (UINT32_C(1) << i))
            r = sd_json_variant_append_arrayb(ret, WIRE_BUILD_TEXT(holder_name(tenant, i)));
    return r;
}

static int throttle_object(const struct Tenant *tenant, enum Resource resource,
                           const struct ThrottleLine *line, sd_json_variant **ret)
{
    _cleanup_json_ sd_json_variant *by = NULL;
    int r = holders_list(tenant, tenant->throttles[resource].holders, &by);

    if (r < 0)
        return r;
    return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("resource", resource_name(resource)),
                          SD_JSON_BUILD_PAIR_STRING("file", resource_throttle_file(resource)),
                          WIRE_PAIR_TEXT("found", line->found), WIRE_PAIR_TEXT("value", line->value),
                          PAIR_LIST("by", by));
}

static int throttles_list(const struct Tenant *tenant, sd_json_variant **ret)
{
    int r = 0;

    for (int i = 0; i < RESOURCE_COUNT; i++)
        for (size_t k = 0; k < tenant->throttles[i].n_lines && r >= 0; k++) {
            sd_json_variant *element = NULL;

            r = throttle_object(tenant, (enum Resource)i, &tenant->throttles[i].lines[k], &element);
            r = append(ret, r, element);
        }
    return r;
}

/* Who or what keeps it as it is. */
static int add_standing(const struct Tenant *tenant, sd_json_variant **v)
{
    _cleanup_json_ sd_json_variant *holders = NULL, *throttles = NULL, *under_way = NULL;
    int r = holders_list(tenant, tenant->condition.holders, &holders);

    if (r >= 0)
        r = throttles_list(tenant, &throttles);
    if (r >= 0 && tenant->action.under_way)
        r = decision_object(&tenant->action.decision, &under_way);
    else if (r >= 0 && tenant->throttling.under_way)
        r = decision_object(&tenant->throttling.decision, &under_way);
    if (r < 0)
        return r;
    return sd_json_variant_merge_objectbo(v, PAIR_LIST("frozenBy", holders),
                                          PAIR_LIST("throttles", throttles),
                                          PAIR_VARIANT_IF_ANY("underWay", under_way));
}

static int add_identity(const struct Tenant *tenant, usec_t now, sd_json_variant **v)
{
    const char *unit = tenant->cgroup.unit ? tenant->cgroup.unit : "";
    usec_t measured = tenant->readings.at_usec;

    return sd_json_variant_merge_objectbo(
        v, WIRE_PAIR_TEXT_IF_ANY("unit", unit), WIRE_PAIR_TEXT_IF_ANY("containerId", tenant->container_id),
        WIRE_PAIR_TEXT_IF_ANY("protectedBy", tenant->protected_by),
        SD_JSON_BUILD_PAIR_BOOLEAN("untouchable", tenant->untouchable),
        SD_JSON_BUILD_PAIR_BOOLEAN("released", tenant->released),
        SD_JSON_BUILD_PAIR_INTEGER("guardedUsec", elapsed(tenant->appeared_usec, now)),
        PAIR_NUMBER_IF(measured > 0, "readingsUsec", elapsed(measured, now)));
}

static int add_lists(const struct Tenant *tenant, usec_t now, sd_json_variant **v)
{
    _cleanup_json_ sd_json_variant *limits = NULL, *readings = NULL, *rules = NULL;
    int r = wire_limits(tenant, &limits);

    if (r >= 0)
        r = readings_list(tenant, &readings);
    if (r >= 0)
        r = rules_list(tenant, now, &rules);
    if (r < 0)
        return r;
    return sd_json_variant_merge_objectbo(v, PAIR_LIST("limits", limits), PAIR_LIST("readings", readings),
                                          PAIR_LIST("rules", rules));
}

static int add_disk(const struct Tenant *tenant, sd_json_variant **v)
{
    _cleanup_json_ sd_json_variant *directories = NULL, *shares = NULL;
    int r = wire_directories(tenant, &directories);

    if (r >= 0)
        r = shares_list(tenant, &shares);
    if (r < 0)
        return r;
    return sd_json_variant_merge_objectbo(v, PAIR_LIST("directories", directories),
                                          PAIR_LIST("shares", shares));
}

static int link_object(const struct TenantLink *link, sd_json_variant **ret)
{
    const struct LinkRate *out = &link->rates[DIRECTION_EGRESS], *in = &link->rates[DIRECTION_INGRESS];
    bool has_out = out->rate_bits != LIMIT_INFINITY, has_in = in->rate_bits != LIMIT_INFINITY;

    return sd_json_buildo(ret, WIRE_PAIR_TEXT("name", link->name),
                          SD_JSON_BUILD_PAIR_INTEGER("ifindex", link->ifindex),
                          PAIR_NUMBER_IF(has_out, "egressMax", out->rate_bits),
                          PAIR_NUMBER_IF(has_out, "egressDropped", out->dropped),
                          PAIR_NUMBER_IF(has_in, "ingressMax", in->rate_bits),
                          PAIR_NUMBER_IF(has_in, "ingressDropped", in->dropped));
}

static int links_list(const struct Network *network, sd_json_variant **ret)
{
    int r = 0;

    for (size_t i = 0; i < network->n_links && r >= 0; i++) {
        sd_json_variant *element = NULL;

        r = link_object(&network->links[i], &element);
        r = append(ret, r, element);
    }
    return r;
}

static int add_network(const struct Tenant *tenant, sd_json_variant **v)
{
    _cleanup_json_ sd_json_variant *links = NULL, *object = NULL;
    const struct Network *network = &tenant->network;
    int r = network->looked ? links_list(network, &links) : 0;

    if (r >= 0 && network->looked)
        r = sd_json_buildo(&object, PAIR_LIST("links", links),
                           SD_JSON_BUILD_PAIR_UNSIGNED("sharers", network->n_sharers),
                           WIRE_PAIR_TEXT_IF_ANY("sharer", network->sharer),
                           WIRE_PAIR_TEXT_IF_ANY("unshaped", unshaped_text(network->why)),
                           SD_JSON_BUILD_PAIR_UNSIGNED("repaired", network->repaired));
    if (r < 0 || !object)
        return r;
    return sd_json_variant_merge_objectbo(v, PAIR_VARIANT_IF_ANY("network", object));
}

/* Names and numbers, for an object. A name is the model's, and borrowed. */
#define NUMBERS_MAX READING_COUNT
_Static_assert((int)LIMIT_COUNT <= (int)NUMBERS_MAX, "limits are told in the same way");
struct Numbers {
    sd_json_variant *parts[2 * NUMBERS_MAX];
    size_t n;
};

static int add_number(struct Numbers *numbers, const char *name, sd_json_variant *number)
{
    int r = number ? sd_json_variant_new_string(&numbers->parts[numbers->n], name) : -ENOMEM;

    if (r < 0) {
        sd_json_variant_unref(number);
        return r;
    }
    numbers->parts[numbers->n + 1] = number;
    numbers->n += 2;
    return 0;
}

static int numbers_object(struct Numbers *numbers, int r, sd_json_variant **ret)
{
    if (r >= 0)
        r = sd_json_variant_new_object(ret, numbers->parts, numbers->n);
    while (numbers->n > 0)
        sd_json_variant_unref(numbers->parts[--numbers->n]);
    return r;
}

static int readings_object(const struct Readings *readings, sd_json_variant **ret)
{
    struct Numbers numbers = {0};
    int r = 0;

    for (int i = 0; i < READING_COUNT && r >= 0; i++) {
        sd_json_variant *number = NULL;

        if (!readings->valid[i] || reading_is_counted((enum ReadingId)i))
            continue;
        r = sd_json_variant_new_integer(&number, readings->value[i]);
        if (r >= 0)
            r = add_number(&numbers, reading_info((enum ReadingId)i)->name, number);
    }
    return numbers_object(&numbers, r, ret);
}

static int totals_object(const struct Readings *readings, sd_json_variant **ret)
{
    struct Numbers numbers = {0};
    int r = 0;

    for (int i = 0; i < READING_COUNT && r >= 0; i++) {
        sd_json_variant *number = NULL;

        if (!reading_is_counted((enum ReadingId)i) || (!readings->valid[i] && readings->total[i] == 0))
            continue;
        r = sd_json_variant_new_unsigned(&number, readings->total[i]);
        if (r >= 0)
            r = add_number(&numbers, reading_info((enum ReadingId)i)->name, number);
    }
    return numbers_object(&numbers, r, ret);
}

static int limits_object(const struct Tenant *tenant, sd_json_variant **ret)
{
    struct Numbers numbers = {0};
    uint64_t value;
    int r = 0;

    for (int i = 0; i < LIMIT_COUNT && r >= 0; i++) {
        sd_json_variant *number = NULL;

        if (!limit_in_force(tenant, (enum LimitId)i, &value) || value == LIMIT_INFINITY)
            continue;
        r = sd_json_variant_new_unsigned(&number, value);
        if (r >= 0)
            r = add_number(&numbers, limit_info((enum LimitId)i)->directive, number);
    }
    return numbers_object(&numbers, r, ret);
}

int wire_tenant_metrics(const struct Tenant *tenant, sd_json_variant **ret)
{
    _cleanup_json_ sd_json_variant *readings = NULL, *totals = NULL, *limits = NULL;
    const struct Network *network = &tenant->network;
    int r = readings_object(&tenant->readings, &readings);

    if (r >= 0)
        r = totals_object(&tenant->readings, &totals);
    if (r >= 0)
        r = limits_object(tenant, &limits);
    if (r < 0)
        return r;
    return sd_json_buildo(
        ret, WIRE_PAIR_TEXT("name", tenant->name),
        WIRE_PAIR_TEXT_IF_ANY("class", tenant->class ? tenant->class->name : ""),
        SD_JSON_BUILD_PAIR_STRING("state", tenant_state(tenant)), WIRE_PAIR_TEXT("path", tenant->cgroup.path),
        SD_JSON_BUILD_PAIR_VARIANT("readings", readings), SD_JSON_BUILD_PAIR_VARIANT("totals", totals),
        SD_JSON_BUILD_PAIR_VARIANT("limits", limits),
        PAIR_NUMBER_IF(network->looked, "netLinks", network->n_links));
}

int wire_tenant_full(const struct Tenant *tenant, usec_t now, sd_json_variant **ret)
{
    _cleanup_json_ sd_json_variant *v = NULL;
    int r = wire_tenant_row(tenant, &v);

    if (r >= 0)
        r = add_identity(tenant, now, &v);
    if (r >= 0)
        r = add_lists(tenant, now, &v);
    if (r >= 0)
        r = add_standing(tenant, &v);
    if (r >= 0)
        r = add_disk(tenant, &v);
    if (r >= 0)
        r = add_network(tenant, &v);
    if (r >= 0)
        *ret = take_ptr(v);
    return r;
}

int wire_event(const struct Event *event, sd_json_variant **ret)
{
    _cleanup_json_ sd_json_variant *decision = NULL, *outcome = NULL;
    char sentence[EVENT_SENTENCE_MAX], action[ACTION_FORMAT_MAX] = "";
    int r = 0;

    if (event->decision.action != 0)
        action_format(event->decision.action, action, sizeof(action));
    if (event->kind == EVENT_DECISION || event->kind == EVENT_OUTCOME)
        r = decision_object(&event->decision, &decision);
    if (r >= 0 && event->kind == EVENT_OUTCOME)
        r = wire_outcome(&event->outcome, &outcome);
    if (r < 0)
        return r;
    return sd_json_buildo(
        ret, SD_JSON_BUILD_PAIR_UNSIGNED("sequence", event->sequence),
        SD_JSON_BUILD_PAIR_STRING("kind", event_kind_name(event->kind)),
        SD_JSON_BUILD_PAIR_INTEGER("priority", event->priority),
        SD_JSON_BUILD_PAIR_UNSIGNED("realtimeUsec", event->realtime_usec),
        WIRE_PAIR_TEXT_IF_ANY("tenant", event->tenant),
        PAIR_NUMBER_IF(event->tenant_id != 0, "cgroupId", event->tenant_id),
        WIRE_PAIR_TEXT_IF_ANY("class", event->class), WIRE_PAIR_TEXT_IF_ANY("path", event->path),
        WIRE_PAIR_TEXT_IF_ANY("action", action), PAIR_VARIANT_IF_ANY("decision", decision),
        PAIR_VARIANT_IF_ANY("outcome", outcome),
        PAIR_NUMBER_IF(event->kind == EVENT_CHANGE, "uid", event->author.uid),
        WIRE_PAIR_TEXT_IF_ANY("user", event->kind == EVENT_CHANGE ? event->author.name : ""),
        WIRE_PAIR_TEXT("sentence", event_sentence(event, sentence, sizeof(sentence))));
}

int wire_event_reply(const struct Event *event, sd_json_variant **ret)
{
    _cleanup_json_ sd_json_variant *object = NULL;
    int r = wire_event(event, &object);

    return r < 0 ? r : sd_json_buildo(ret, SD_JSON_BUILD_PAIR_VARIANT("event", object));
}

int wire_event_brief(const struct Event *event, sd_json_variant **ret)
{
    char sentence[EVENT_SENTENCE_MAX];

    return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_INTEGER("priority", event->priority),
                          SD_JSON_BUILD_PAIR_UNSIGNED("realtimeUsec", event->realtime_usec),
                          WIRE_PAIR_TEXT_IF_ANY("tenant", event->tenant),
                          WIRE_PAIR_TEXT("sentence", event_sentence(event, sentence, sizeof(sentence))));
}
