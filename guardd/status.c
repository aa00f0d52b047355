/* See status.h. */
#include "status.h"

/* One more of a kind; the first one's name is told. */
static void count(const struct Tenant *tenant, size_t *n, const char **name)
{
    if ((*n)++ == 0)
        *name = tenant->name;
}

/* A step that did not take, or a kill that is held back, and nothing else in its place. */
static bool is_failing(const struct Tenant *tenant)
{
    for (size_t i = 0; tenant->class && i < tenant->class->n_rules; i++) {
        const struct RuleState *rule = &tenant->condition.rules[i];

        if (rule->phase == PHASE_STANDING && (rule->step_failed || rule->withheld))
            return tenant->condition.holders == 0 && !tenant_is_throttled(tenant);
    }
    return false;
}

/* One that is asked for: a note on another (why its network could not be shaped) is no lack. */
static bool lacks_limit(const struct Tenant *tenant)
{
    uint64_t asked;

    for (int id = 0; id < LIMIT_COUNT; id++)
        if (tenant->limits[id].note[0] != '\0' && tenant_asked(tenant, id, &asked))
            return true;
    return false;
}

static void count_tenant(const struct Tenant *tenant, struct HealthFacts *facts)
{
    facts->tenants++;
    if (tenant->condition.holders != 0)
        count(tenant, &facts->frozen, &facts->frozen_name);
    else if (tenant_is_throttled(tenant))
        count(tenant, &facts->throttled, &facts->throttled_name);
    else if (is_failing(tenant))
        count(tenant, &facts->failing, &facts->failing_name);
    else if (tenant_is_armed(tenant))
        count(tenant, &facts->armed, &facts->armed_name);
    if (lacks_limit(tenant))
        count(tenant, &facts->unlimited, &facts->unlimited_name);
    if (tenant_is_exempt(tenant))
        count(tenant, &facts->exempt, &facts->exempt_name);
}

static void count_missing(const struct HostFindings *host, struct HealthFacts *facts)
{
    for (size_t i = 0; i < host->n; i++) {
        if (host->list[i].ok)
            continue;
        facts->missing++;
        if (!facts->missing_needed && host_finding_is_needed(&host->list[i]))
            facts->missing_needed = host->list[i].what;
    }
}

/* What is degraded now, and then that the kills are used up, which health counts by itself. */
static void list_notices(const struct Guard *guard, struct ServiceStatus *ret, struct HealthFacts *facts)
{
    size_t n = 0;

    if (guard->tree.degraded)
        ret->notices[n++] = guard->tree.degraded_why;
    if (guard->ledger_trouble[0] != '\0')
        ret->notices[n++] = guard->ledger_trouble;
    if (guard->disk.trouble[0] != '\0')
        ret->notices[n++] = guard->disk.trouble;
    if (guard->network.trouble[0] != '\0')
        ret->notices[n++] = guard->network.trouble;
    facts->degraded = n;
    facts->degraded_text = ret->notices[0];
    if (ret->kills_left == 0)
        ret->notices[n++] = "the kill budget is spent: guardd freezes instead of killing";
}

void status_tell(const struct Guard *guard, usec_t now, struct ServiceStatus *ret)
{
    const struct Policy *policy = &guard->config->policy;
    struct HealthFacts facts = {.mode = guard->pipeline.mode, .kills_limit = policy->kill_limit.kills};
    struct Tenant *tenant, *other;

    HASH_ITER (hh, guard->registry.tenants, tenant, other)
        count_tenant(tenant, &facts);
    count_missing(&guard->host, &facts);
    facts.kills_left = budget_left(&guard->budget, &policy->kill_limit, now);
    *ret = (struct ServiceStatus){.mode = mode_name(guard->pipeline.mode),
                                  .configured_mode = mode_name(policy->mode),
                                  .mode_by =
                                      guard->mode_change.realtime_usec > 0 ? &guard->mode_change.by : NULL,
                                  .mode_realtime_usec = guard->mode_change.realtime_usec,
                                  .cgroup_root = guard->cgroup_root,
                                  .standing = facts.frozen,
                                  .throttled = facts.throttled,
                                  .exempt = facts.exempt,
                                  .kills_left = facts.kills_left,
                                  .kills_limit = policy->kill_limit.kills,
                                  .kills_window_usec = policy->kill_limit.window_usec,
                                  .host = &guard->host,
                                  .tally = &guard->pipeline.tally,
                                  .events_lost = history_lost(guard->pipeline.history)};
    list_notices(guard, ret, &facts);
    ret->health = health_name(health_judge(&facts, ret->sentence, sizeof(ret->sentence)));
}
