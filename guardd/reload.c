/* See reload.h. */
#include "reload.h"

#include <string.h>

#include "limiting.h"
#include "release.h"

/* Nobody holds it yet, but a rule would that is gone, or that has no such throttle any more. */
static bool loses_what_is_on_its_way(const struct Tenant *tenant, const struct TenantClass *to)
{
    const struct Decision *decision = &tenant->throttling.decision;

    if (!tenant->throttling.under_way || decision->holder == HOLDER_OPERATOR)
        return false;
    for (size_t i = 0; to && i < to->n_rules; i++)
        if (strcmp(to->rules[i]->name, decision->rule) == 0)
            return !rule_throttles(to->rules[i], decision->resource);
    return true;
}

/* What its new class would not hold any more is let go, as long as its rules are in their old places. */
static void prepare(struct Guard *guard, struct Tenant *tenant, const struct Config *config)
{
    const struct TenantClass *class = policy_classify(&config->policy, tenant->cgroup.path);
    bool observe = config->policy.mode == MODE_OBSERVE;

    tenant->released = false;
    /* What was only told in Mode=observe has still to be done. */
    if (observe || guard->pipeline.mode == MODE_OBSERVE || engine_lost_holders(tenant, class) != 0 ||
        loses_what_is_on_its_way(tenant, class)) {
        release_hold(guard, tenant, CAUSE_STOP, 0,
                     observe ? "Mode=observe: nothing is kept as it is" : "the rule that held it is gone");
        trace_reset(&guard->trace, tenant, guard->clock());
        engine_reset(tenant);
    }
}

static void note_protected(void *userdata, uint64_t id, const char *path, int dir_fd)
{
    struct Guard *guard = userdata;

    (void)registry_protect_note(&guard->registry, &guard->config->policy, id, path);
}

void reload_config(struct Guard *guard, struct Config *config)
{
    struct Config *old = guard->config;
    struct Tenant *tenant, *other;
    usec_t now = guard->clock();

    HASH_ITER (hh, guard->registry.tenants, tenant, other)
        prepare(guard, tenant, config);
    release_wait(guard);

    guard->config = config;
    guard->engine.policy = &config->policy;
    guard->pipeline.mode = config->policy.mode;
    guard->mode_change = (struct ModeChange){};
    registry_protect_reset(&guard->registry);
    tree_for_each(&guard->tree, note_protected, guard);
    HASH_ITER (hh, guard->registry.tenants, tenant, other) {
        engine_reclass(tenant, policy_classify(&config->policy, tenant->cgroup.path));
        registry_reclassify(&guard->registry, &config->policy, tenant);
    }
    /* Whom only the new classes match was here all the time: no newcomers. */
    guard->complete = false;
    tree_for_each(&guard->tree, guard_meet, guard);
    guard->complete = true;
    guard->disk.policy = &config->policy;
    if (guard->disk.open)
        disk_guard_reload(&guard->disk);
    guard->strain.policy = &config->policy;
    strain_guard_reload(&guard->strain);
    guard_find_disks(guard);
    HASH_ITER (hh, guard->registry.tenants, tenant, other)
        strain_guard_meet(&guard->strain, tenant);
    network_guard_reload(&guard->network);
    HASH_ITER (hh, guard->registry.tenants, tenant, other)
        limiting_check(&guard->pipeline, tenant, now);
    guard_begin_trace(guard);
    config_free(old);
}

/* What was told and not done begins anew, and is done. */
static void change_mode(struct Guard *guard, struct Tenant *tenant, enum Mode mode)
{
    if (mode == MODE_OBSERVE)
        release_hold(guard, tenant, CAUSE_STOP, 0, "Mode=observe: nothing is kept as it is");
    trace_reset(&guard->trace, tenant, guard->clock());
    engine_reset(tenant);
}

void reload_mode(struct Guard *guard, enum Mode mode, const struct Author *author)
{
    struct Tenant *tenant, *other;
    usec_t now = guard->clock();

    HASH_ITER (hh, guard->registry.tenants, tenant, other)
        change_mode(guard, tenant, mode);
    release_wait(guard);
    /* What was only told offended nobody: the first step comes first. The kills told stay paid for. */
    if (mode == MODE_ENFORCE)
        guard->offences = (struct Offences){};
    guard->pipeline.mode = mode;
    guard->mode_change = (struct ModeChange){
        .realtime_usec = usec_add(now, guard->pipeline.realtime_offset_usec), .by = *author};
    if (guard->disk.open)
        disk_guard_reload(&guard->disk);
    strain_guard_reload(&guard->strain);
    network_guard_reload(&guard->network);
    guard_begin_trace(guard);
    HASH_ITER (hh, guard->registry.tenants, tenant, other) {
        strain_guard_meet(&guard->strain, tenant);
        limiting_check(&guard->pipeline, tenant, now);
        guard_look(guard, tenant, now);
    }
}
