/* A trigger is kept by tenant and pressure; the host's by 0 and pressure. What it announces is a fact that
 * the counters cannot tell any more when they were read long ago: the share that it proves goes into the
 * baseline, and counts for the look that follows at once. */
#include "strain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>

#include <utlist.h>

#include "base/error.h"
#include "base/fd.h"
#include "decide/engine.h"
#include "sense/oomd.h"
#include "sense/pressure.h"
#include "tenant/cgroup.h"

/* What was read longer ago says nothing of now: rates begin anew. */
#define BASELINE_MAX_USEC (15 * USEC_PER_SEC)
/* The host is read once for all tenants that are looked at within this time. */
#define HOST_LOOK_USEC (900 * USEC_PER_MSEC)
/* Candidates are read again while a condition is held for longer. */
#define CANDIDATES_LOOK_USEC (5 * USEC_PER_SEC)
/* Who waits for less than this part of what the rule asks of the host does not suffer. */
#define WAITING_PART 4

struct Trigger {
    struct {
        uint64_t tenant_id; /* 0: the host */
        uint64_t pressure;
    } key;
    struct StrainGuard *guard;
    int fd;
    int64_t share; /* the least that a rule asks for */
    sd_event_source *source;
    UT_hash_handle hh;
};

struct HostWatch {
    struct HostState state;
    usec_t look_usec;       /* look at it again; USEC_INFINITY while it does not hold */
    usec_t candidates_usec; /* when everybody was read last */
    struct HostWatch *prev, *next;
};

/* --- triggers ------------------------------------------------------------------------------------- */

struct Wanted {
    bool any, fast;
    int64_t share;
};

static bool announces(const struct Rule *rule, enum Pressure pressure)
{
    return reading_pressure(rule->when.reading) == pressure &&
           (rule->when.comparison == COMPARISON_ABOVE || rule->when.comparison == COMPARISON_AT_LEAST) &&
           rule->when.value > 0;
}

static void want(struct Wanted *wanted, const struct Rule *rule)
{
    if (!wanted->any || rule->when.value < wanted->share)
        wanted->share = rule->when.value;
    wanted->fast |= rule->when.for_usec < PRESSURE_WINDOW_USEC;
    wanted->any = true;
}

static struct Wanted wanted_of_class(const struct TenantClass *class, enum Pressure pressure)
{
    struct Wanted wanted = {0};

    for (size_t i = 0; class && i < class->n_rules; i++)
        if (class->rules[i]->scope == SCOPE_TENANT && announces(class->rules[i], pressure))
            want(&wanted, class->rules[i]);
    return wanted;
}

/* A rule that no class lists asks for nothing. */
static struct Wanted wanted_of_host(const struct StrainGuard *guard, enum Pressure pressure)
{
    struct Wanted wanted = {0};
    const struct HostWatch *watch;

    DL_FOREACH (guard->watches, watch)
        if (announces(watch->state.rule, pressure))
            want(&wanted, watch->state.rule);
    return wanted;
}

static struct Trigger *find_trigger(const struct StrainGuard *guard, uint64_t tenant_id,
                                    enum Pressure pressure)
{
    struct Trigger *trigger, wanted = {};

    wanted.key.tenant_id = tenant_id;
    wanted.key.pressure = pressure;
    HASH_FIND(hh, guard->triggers, &wanted.key, sizeof(wanted.key), trigger);
    return trigger;
}

static void drop_trigger(struct Trigger *trigger)
{
    HASH_DEL(trigger->guard->triggers, trigger);
    sd_event_source_disable_unref(trigger->source);
    fd_close(trigger->fd);
    free(trigger);
}

static void host_announced(struct StrainGuard *guard, enum Pressure pressure, usec_t now);

static int on_pressure(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct Trigger *trigger = userdata;
    struct StrainGuard *guard = trigger->guard;
    enum Pressure pressure = (enum Pressure)trigger->key.pressure;
    struct Tenant *tenant;

    if (events & (EPOLLERR | EPOLLHUP))
        /* The cgroup is gone; that it vanished is announced by itself. */
        return sd_event_source_set_enabled(source, SD_EVENT_OFF);
    if (trigger->key.tenant_id == 0) {
        guard->host.strain.pressure[pressure].proven = trigger->share + 1;
        host_announced(guard, pressure, guard->clock());
        return 0;
    }
    tenant = registry_find(guard->registry, trigger->key.tenant_id);
    if (tenant && !tenant_is_left_alone(tenant)) {
        tenant->strain.pressure[pressure].proven = trigger->share + 1;
        guard->look(guard->userdata, tenant);
    }
    return 0;
}

static int add_trigger(struct StrainGuard *guard, uint64_t tenant_id, int dir_fd, const char *file,
                       enum Pressure pressure, const struct Wanted *wanted)
{
    struct Trigger *trigger = calloc(1, sizeof(*trigger));
    int r;

    if (!trigger)
        return -ENOMEM;
    *trigger = (struct Trigger){
        .key = {.tenant_id = tenant_id, .pressure = pressure}, .guard = guard, .share = wanted->share};
    trigger->fd =
        pressure_trigger(dir_fd, file, pressure_is_full(pressure), wanted->share,
                         wanted->fast ? PRESSURE_FAST_WINDOW_USEC : PRESSURE_WINDOW_USEC, wanted->fast);
    if (trigger->fd == -EPERM && wanted->fast) /* later than asked for, but announced */
        trigger->fd = pressure_trigger(dir_fd, file, pressure_is_full(pressure), wanted->share,
                                       PRESSURE_WINDOW_USEC, false);
    r = trigger->fd;
    if (r >= 0)
        r = sd_event_add_io(guard->event, &trigger->source, trigger->fd, EPOLLPRI, on_pressure, trigger);
    if (r < 0) {
        fd_close(trigger->fd);
        free(trigger);
        return r;
    }
    HASH_ADD(hh, guard->triggers, key, sizeof(trigger->key), trigger);
    return 0;
}

/* Sets, leaves or takes away the trigger, as is wanted. */
static int keep_trigger(struct StrainGuard *guard, uint64_t tenant_id, int dir_fd, const char *file,
                        enum Pressure pressure, const struct Wanted *wanted)
{
    struct Trigger *present = find_trigger(guard, tenant_id, pressure);

    if (present && wanted->any && present->share == wanted->share)
        return 0;
    if (present)
        drop_trigger(present);
    return wanted->any ? add_trigger(guard, tenant_id, dir_fd, file, pressure, wanted) : 0;
}

static void trouble(struct StrainGuard *guard, const char *file, int error)
{
    if (guard->trouble[0] != '\0')
        return;
    snprintf(guard->trouble, sizeof(guard->trouble),
             "%.100s announces nothing (%s): rules on pressure do not begin%s", file, strerror(-error),
             error == -EOPNOTSUPP ? "; boot with psi=1" : "");
    pipeline_note(guard->pipeline, NULL, EVENT_NOTICE, LOG_WARNING, guard->clock(), guard->trouble);
}

static void keep_tenant_triggers(struct StrainGuard *guard, const struct Tenant *tenant)
{
    for (int i = 0; i < PRESSURE_COUNT; i++) {
        struct Wanted wanted = wanted_of_class(tenant->class, i);
        const char *file = pressure_cgroup_file(i);
        int r = keep_trigger(guard, tenant->cgroup.id, tenant->cgroup.dir_fd, file, i, &wanted);

        if (r < 0 && !error_is_gone(r))
            trouble(guard, file, r);
    }
}

static bool is_of_memory_events(enum ReadingId id)
{
    return id == READING_MEMORY_HIGH || id == READING_MEMORY_MAX || id == READING_MEMORY_OOM;
}

/* memory.events announces what is below the cgroup, too: where its OOM killer strikes. */
static void watch_memory_events(struct StrainGuard *guard, const struct Tenant *tenant)
{
    const struct TenantClass *class = tenant->class;

    for (size_t i = 0; class && i < class->n_rules; i++)
        if (is_of_memory_events(class->rules[i]->when.reading)) {
            (void)tree_watch_file(guard->tree, tenant->cgroup.id, tenant->cgroup.dir_fd, "memory.events",
                                  TREE_MEMORY_EVENTS);
            return;
        }
}

/* --- looks ---------------------------------------------------------------------------------------- */

/* The files of a resource that looks, limits and throttles need. */
static uint32_t files_of(enum Resource resource)
{
    switch (resource) {
    case RESOURCE_MEMORY:
        return 1u << CGROUP_MEMORY_CURRENT | 1u << CGROUP_MEMORY_HIGH | 1u << CGROUP_MEMORY_MAX |
               1u << CGROUP_MEMORY_EVENTS | 1u << CGROUP_MEMORY_EVENTS_LOCAL | 1u << CGROUP_MEMORY_STAT |
               1u << CGROUP_MEMORY_PRESSURE | 1u << CGROUP_MEMORY_SWAP_CURRENT | 1u << CGROUP_MEMORY_SWAP_MAX;
    case RESOURCE_CPU:
        return 1u << CGROUP_CPU_MAX | 1u << CGROUP_CPU_STAT | 1u << CGROUP_CPU_PRESSURE;
    case RESOURCE_IO:
        return 1u << CGROUP_IO_MAX | 1u << CGROUP_IO_STAT | 1u << CGROUP_IO_PRESSURE;
    default:
        return 0;
    }
}

/* What the class's rules go by, as strain_look() takes it. */
static uint32_t resources_of_class(const struct TenantClass *class)
{
    uint32_t resources = 0;

    for (size_t i = 0; class && i < class->n_rules; i++) {
        const struct Rule *rule = class->rules[i];

        resources |= 1u << reading_info(rule->when.reading)->resource |
                     1u << reading_info(rule->until.reading)->resource;
        if (rule->scope == SCOPE_HOST)
            resources |= 1u << reading_info(rule->rank)->resource;
    }
    return resources & STRAIN_ALL;
}

static uint32_t files_of_class(const struct TenantClass *class)
{
    uint32_t resources = resources_of_class(class), files = 0;

    for (int i = 0; i < RESOURCE_COUNT; i++)
        if (resources & (1u << i))
            files |= files_of((enum Resource)i);
    return files;
}

static bool is_of_host(enum ReadingId id)
{
    return reading_info(id)->of_host && reading_is_of_strain(id);
}

static bool asks_of_host(const struct TenantClass *class)
{
    for (size_t i = 0; class && i < class->n_rules; i++)
        if (is_of_host(class->rules[i]->when.reading) || is_of_host(class->rules[i]->until.reading))
            return true;
    return false;
}

static bool rule_is_of_strain(const struct Rule *rule)
{
    return reading_is_of_strain(rule->when.reading) || reading_is_of_strain(rule->until.reading);
}

static bool is_of_host_strain(const struct Rule *rule)
{
    return rule->scope == SCOPE_HOST &&
           (reading_is_of_strain(rule->when.reading) || reading_is_of_network(rule->when.reading));
}

/* Those whose triggers have spoken since the last look: 1u << enum Pressure. */
static uint32_t announced_pressures(const struct Tenant *tenant)
{
    uint32_t pressures = 0;

    for (int i = 0; i < PRESSURE_COUNT; i++)
        if (tenant->strain.pressure[i].proven > 0)
            pressures |= 1u << i;
    return pressures;
}

/* A rule is at work, a trigger has spoken, or everybody is looked at all the time. */
static bool needs_look(const struct Tenant *tenant)
{
    const struct TenantClass *class = tenant->class;

    if (announced_pressures(tenant) != 0)
        return true;
    for (int i = 0; i < RESOURCE_COUNT; i++)
        if (tenant->throttles[i].n_lines > 0)
            return true;
    for (size_t i = 0; class && i < class->n_rules; i++) {
        const struct RuleState *state = &tenant->condition.rules[i];

        if (rule_is_of_strain(class->rules[i]) &&
            (state->phase != PHASE_IDLE || state->elected || class->sweep))
            return true;
    }
    return tenant->strain.announced;
}

/* What was measured too long ago is no beginning of a rate. Counters of events stay: they are counted since
 * then. */
static void forget_old(struct Strain *strain, usec_t now)
{
    struct CounterBaseline *rates[] = {&strain->cpu_usage_usec, &strain->cpu_throttled_usec,
                                       &strain->io_bytes};
    struct GrowthWindow *taken = &strain->memory_taken;

    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
        if (rates[i]->valid && now - rates[i]->at_usec > BASELINE_MAX_USEC)
            rates[i]->valid = false;
    if (taken->n > 0 && now - taken->samples[taken->n - 1].at_usec > BASELINE_MAX_USEC)
        taken->n = 0;
    for (int i = 0; i < PRESSURE_COUNT; i++)
        if (strain->pressure[i].valid && now - strain->pressure[i].at_usec > BASELINE_MAX_USEC)
            strain->pressure[i].valid = false;
    if (strain->n_devices > 0 && now - strain->devices_usec > BASELINE_MAX_USEC)
        strain->n_devices = 0;
}

static void copy_network(const struct Readings *from, struct Readings *to)
{
    static const enum ReadingId ids[] = {READING_HOST_NET_EGRESS, READING_HOST_NET_INGRESS};

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        to->valid[ids[i]] = from->valid[ids[i]];
        to->value[ids[i]] = from->value[ids[i]];
        to->limit[ids[i]] = from->limit[ids[i]];
    }
}

static void look_at_host(struct StrainGuard *guard, bool fresh, usec_t now)
{
    if (!fresh && guard->host_readings.at_usec > 0 && now - guard->host_readings.at_usec < HOST_LOOK_USEC)
        return;
    forget_old(&guard->host.strain, now);
    host_strain_look(&guard->host, now, &guard->host_readings);
    if (guard->network)
        copy_network(guard->network, &guard->host_readings);
    guard->host_readings.at_usec = now;
}

static void copy_host_readings(const struct StrainGuard *guard, struct Readings *readings)
{
    for (int id = 0; id < READING_COUNT; id++)
        if (is_of_host((enum ReadingId)id)) {
            readings->valid[id] = guard->host_readings.valid[id];
            readings->value[id] = guard->host_readings.value[id];
            readings->limit[id] = guard->host_readings.limit[id];
        }
}

static bool is_on_stall(const struct TenantClass *class, unsigned holder)
{
    return class && holder < class->n_rules && class->rules[holder]->when.reading == READING_MEMORY_STALL;
}

/* Where guardd itself lowered memory.high for another reason, it stands at no limit of its own. */
static void forgive_stall(struct Tenant *tenant)
{
    uint32_t holders = tenant->throttles[RESOURCE_MEMORY].holders;

    if (holders == 0)
        return;
    for (unsigned i = 0; i < POLICY_CLASS_RULES_MAX; i++)
        if ((holders & (1u << i)) && is_on_stall(tenant->class, i))
            return;
    tenant->readings.value[READING_MEMORY_STALL] = 0;
}

/* `resources`: and what its rules go by. */
static void read_tenant(struct StrainGuard *guard, struct Tenant *tenant, uint32_t resources, usec_t now)
{
    forget_old(&tenant->strain, now);
    (void)strain_look(&tenant->cgroup, resources | resources_of_class(tenant->class), &tenant->strain, now,
                      &tenant->readings);
    tenant->strain.announced = false;
    forgive_stall(tenant);
    copy_host_readings(guard, &tenant->readings);
}

static bool goes_by(const struct Rule *rule, uint32_t pressures)
{
    enum Pressure pressure = reading_pressure(rule->when.reading);

    return rule->scope == SCOPE_TENANT && pressure != PRESSURE_INVALID && (pressures & (1u << pressure));
}

/* Nothing is judged by what was read long ago. */
static bool awaits_nothing_else(const struct Tenant *tenant, uint32_t pressures)
{
    for (size_t i = 0; tenant->class && i < tenant->class->n_rules; i++)
        if (tenant->condition.rules[i].phase != PHASE_IDLE || !goes_by(tenant->class->rules[i], pressures))
            return false;
    return true;
}

bool strain_guard_is_brief(const struct Tenant *tenant, usec_t now)
{
    uint32_t pressures = announced_pressures(tenant);

    /* memory.stall is more than a pressure. */
    if (tenant->strain.announced || pressures == 0 ||
        (pressures & (1u << PRESSURE_MEMORY_SOME | 1u << PRESSURE_MEMORY_FULL)))
        return false;
    /* Nobody is looked at more often. */
    return now - tenant->readings.at_usec < LOOK_INTERVAL_USEC || awaits_nothing_else(tenant, pressures);
}

/* A throttle is a part of what is used, and that of now: a storm was still before it began. */
static uint32_t resources_to_throttle(const struct TenantClass *class, uint32_t pressures)
{
    uint32_t resources = 0;

    for (size_t i = 0; class && i < class->n_rules; i++)
        if (goes_by(class->rules[i], pressures) && rule_has_step(class->rules[i], VERB_THROTTLE))
            resources |= 1u << class->rules[i]->resource;
    return resources & STRAIN_ALL;
}

static void look_briefly(struct Tenant *tenant, uint32_t pressures, usec_t now)
{
    uint32_t resources = resources_to_throttle(tenant->class, pressures);

    forget_old(&tenant->strain, now);
    (void)strain_look_announced(&tenant->cgroup, pressures, resources, &tenant->strain, now,
                                &tenant->readings);
}

void strain_guard_look(struct StrainGuard *guard, struct Tenant *tenant, bool fresh, usec_t now)
{
    if (guard->open && !fresh && strain_guard_is_brief(tenant, now)) {
        look_briefly(tenant, announced_pressures(tenant), now);
        return;
    }
    if (!guard->open || (!fresh && !needs_look(tenant)))
        return;
    if (fresh)
        (void)cgroup_open_files(&tenant->cgroup, CGROUP_FILES_ALL);
    /* Between the kernel's announcement and the deed is nothing that the rules do not go by. */
    if (fresh || asks_of_host(tenant->class))
        look_at_host(guard, false, now);
    read_tenant(guard, tenant, fresh ? STRAIN_ALL : 0, now);
}

/* --- elections ------------------------------------------------------------------------------------ */

/* Who is slowed down in CPU or I/O waits as before, only for the quota: the host's pressure does not fall. So
 * it is no reason to go on to the next one. What is: that somebody waits who is not held back. And whoever
 * makes a host busy that nobody else wants is left alone. Memory is another matter: when it is out, the
 * kernel kills somebody. */
static bool concerns_others(enum Resource resource)
{
    return resource == RESOURCE_CPU || resource == RESOURCE_IO;
}

static enum ReadingId own_reading(enum Resource resource)
{
    return resource == RESOURCE_CPU ? READING_CPU_PRESSURE_SOME : READING_IO_PRESSURE_SOME;
}

static bool is_held_back(const struct Tenant *tenant, enum Resource resource)
{
    return tenant->throttles[resource].n_lines > 0 || tenant->condition.holders != 0;
}

/* Does anybody but the victim wait? */
static bool others_wait(const struct StrainGuard *guard, const struct Rule *rule, const struct Tenant *victim,
                        enum Resource resource)
{
    enum ReadingId id = own_reading(resource);
    struct Tenant *tenant, *other;

    HASH_ITER (hh, guard->registry->tenants, tenant, other)
        if (tenant != victim && !is_held_back(tenant, resource) && tenant->readings.valid[id] &&
            tenant->readings.value[id] >= rule->when.value / WAITING_PART)
            return true;
    return false;
}

/* Of everybody, not only of those whom the rule could mean. */
static void read_waiting(struct StrainGuard *guard, enum Resource resource, usec_t now)
{
    struct Tenant *tenant, *other;

    HASH_ITER (hh, guard->registry->tenants, tenant, other) {
        (void)cgroup_open_files(&tenant->cgroup,
                                1u << (resource == RESOURCE_CPU ? CGROUP_CPU_PRESSURE : CGROUP_IO_PRESSURE));
        read_tenant(guard, tenant, 1u << resource, now);
    }
}

/* Everybody whom the rule could mean, read afresh. Caller frees; NULL: no memory. */
static struct Tenant **candidates(struct StrainGuard *guard, struct HostWatch *watch, usec_t now,
                                  size_t *ret_n)
{
    struct Tenant **list = calloc(registry_count(guard->registry) + 1, sizeof(*list));
    enum Resource resource = reading_info(watch->state.rule->when.reading)->resource;
    struct Tenant *tenant, *other;

    *ret_n = 0;
    if (!list)
        return NULL;
    if (concerns_others(resource))
        read_waiting(guard, resource, now);
    HASH_ITER (hh, guard->registry->tenants, tenant, other) {
        if (!tenant_lists(tenant, watch->state.rule, NULL))
            continue;
        if (!concerns_others(resource))
            read_tenant(guard, tenant, 0, now);
        if (resource == RESOURCE_NETWORK) /* may have been read again since the host was looked at */
            copy_network(&guard->host_readings, &tenant->readings);
        tenant->oom_preference = oomd_preference(tenant->cgroup.dir_fd);
        trace_candidate(guard->pipeline->trace, tenant, now);
        list[(*ret_n)++] = tenant;
    }
    watch->candidates_usec = now;
    return list;
}

static void elect(struct StrainGuard *guard, struct HostWatch *watch, usec_t now)
{
    const struct HostState before = watch->state;
    enum Resource resource = reading_info(before.rule->when.reading)->resource;
    struct Choice choice;
    struct Tenant *victim;
    bool withdrawn;
    size_t n, index = 0;
    struct Tenant **list = candidates(guard, watch, now, &n);

    if (!list)
        return;
    victim = host_elect(&watch->state, list, n, &guard->host_readings, now, &choice);
    free(list);
    withdrawn = victim && concerns_others(resource) && !others_wait(guard, before.rule, victim, resource);
    trace_election(guard->pipeline->trace, &watch->state, &guard->host_readings, withdrawn, now);
    if (withdrawn) {
        watch->state = before;
        return;
    }
    if (victim && tenant_lists(victim, watch->state.rule, &index)) {
        victim->condition.rules[index].elected = true;
        victim->condition.election = choice;
        guard->look(guard->userdata, victim);
    } else if (!before.vain && watch->state.vain) {
        char text[REASON_MAX];

        snprintf(text, sizeof(text), "%s: %.400s", watch->state.rule->name, choice.reason);
        /* Of CPU and I/O there may be much used without anybody being wronged. */
        pipeline_note(guard->pipeline, NULL, EVENT_NOTICE,
                      concerns_others(resource) ? LOG_DEBUG : LOG_WARNING, now, text);
    }
}

/* From when the condition began to hold, and now and then: rates are of this time. */
static void read_candidates(struct StrainGuard *guard, struct HostWatch *watch, usec_t now)
{
    size_t n;

    if (watch->candidates_usec == 0 || now - watch->candidates_usec >= CANDIDATES_LOOK_USEC)
        free(candidates(guard, watch, now, &n));
}

static void look_at_watch(struct StrainGuard *guard, struct HostWatch *watch, usec_t now)
{
    enum HostVerdict verdict = host_look(&watch->state, &guard->host_readings, now);

    trace_host(guard->pipeline->trace, &watch->state, &guard->host_readings,
               verdict == HOST_ELECT ? registry_count(guard->registry) : 0, now);
    switch (verdict) {
    case HOST_PENDING:
        read_candidates(guard, watch, now);
        break;
    case HOST_ELECT:
        elect(guard, watch, now);
        break;
    default:
        watch->candidates_usec = 0;
        break;
    }
    watch->look_usec = host_look_usec(&watch->state, now);
    /* The kernel announces pressure alone. */
    if (!reading_info(watch->state.rule->when.reading)->announced)
        watch->look_usec = usec_min(watch->look_usec, usec_add(now, LOOK_INTERVAL_USEC));
}

static void host_announced(struct StrainGuard *guard, enum Pressure pressure, usec_t now)
{
    struct HostWatch *watch;

    look_at_host(guard, true, now);
    DL_FOREACH (guard->watches, watch)
        if (reading_pressure(watch->state.rule->when.reading) == pressure)
            look_at_watch(guard, watch, now);
}

void strain_guard_trace(const struct StrainGuard *guard, struct Trace *trace, usec_t now)
{
    const struct HostWatch *watch;

    DL_FOREACH (guard->watches, watch)
        trace_watch(trace, &watch->state, now);
}

usec_t strain_guard_due_usec(const struct StrainGuard *guard)
{
    const struct HostWatch *watch;
    usec_t due = USEC_INFINITY;

    DL_FOREACH (guard->watches, watch)
        due = usec_min(due, watch->look_usec);
    return due;
}

void strain_guard_pass(struct StrainGuard *guard, usec_t now)
{
    struct HostWatch *watch;

    DL_FOREACH (guard->watches, watch) {
        if (watch->look_usec > now)
            continue;
        look_at_host(guard, false, now);
        look_at_watch(guard, watch, now);
    }
}

/* --- what comes and goes -------------------------------------------------------------------------- */

static bool is_listed(const struct Policy *policy, const struct Rule *rule)
{
    for (size_t i = 0; i < policy->n_classes; i++)
        for (size_t j = 0; j < policy->classes[i].n_rules; j++)
            if (policy->classes[i].rules[j] == rule)
                return true;
    return false;
}

static void add_watch(struct StrainGuard *guard, const struct Rule *rule, usec_t now)
{
    struct HostWatch *watch = calloc(1, sizeof(*watch));

    if (!watch)
        return;
    watch->state = (struct HostState){.rule = rule, .began_usec = USEC_INFINITY};
    watch->look_usec = reading_info(rule->when.reading)->announced ? USEC_INFINITY : now;
    DL_APPEND(guard->watches, watch);
}

static void drop_watches(struct StrainGuard *guard)
{
    struct HostWatch *watch, *next;

    DL_FOREACH_SAFE (guard->watches, watch, next) {
        DL_DELETE(guard->watches, watch);
        free(watch);
    }
}

static void watch_host(struct StrainGuard *guard)
{
    for (size_t i = 0; i < guard->policy->n_rules; i++)
        if (is_of_host_strain(&guard->policy->rules[i]) && is_listed(guard->policy, &guard->policy->rules[i]))
            add_watch(guard, &guard->policy->rules[i], guard->clock());
    for (int i = 0; i < PRESSURE_COUNT; i++) {
        struct Wanted wanted = wanted_of_host(guard, i);
        char path[256];
        int r;

        snprintf(path, sizeof(path), "%.200s%s", guard->root, pressure_host_file(i));
        r = keep_trigger(guard, 0, AT_FDCWD, path, i, &wanted);
        if (r < 0)
            trouble(guard, path, r);
    }
}

void strain_guard_open(struct StrainGuard *guard, sd_event *event)
{
    guard->event = event;
    guard->open = true;
    host_strain_open(&guard->host, guard->root);
    watch_host(guard);
}

void strain_guard_close(struct StrainGuard *guard)
{
    struct Trigger *trigger, *next;

    if (!guard->open)
        return;
    HASH_ITER (hh, guard->triggers, trigger, next)
        drop_trigger(trigger);
    drop_watches(guard);
    host_strain_close(&guard->host);
    guard->open = false;
}

void strain_guard_reload(struct StrainGuard *guard)
{
    if (!guard->open)
        return;
    drop_watches(guard);
    watch_host(guard);
}

void strain_guard_meet(struct StrainGuard *guard, struct Tenant *tenant)
{
    if (!guard->open)
        return;
    (void)cgroup_open_files(&tenant->cgroup, files_of_class(tenant->class));
    keep_tenant_triggers(guard, tenant);
    watch_memory_events(guard, tenant);
}

void strain_guard_vanished(struct StrainGuard *guard, struct Tenant *tenant)
{
    for (int i = 0; i < PRESSURE_COUNT; i++) {
        struct Trigger *trigger = find_trigger(guard, tenant->cgroup.id, i);

        if (trigger)
            drop_trigger(trigger);
    }
}
