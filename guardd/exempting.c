/* See exempting.h. Exempt is a name, and with it whoever is called so: first on disk, then in memory, then
 * what stands is taken off, on the way of an operator's thaw. */
#include "exempting.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "release.h"

static usec_t realtime_of(const struct Guard *guard, usec_t now)
{
    return usec_add(now, guard->pipeline.realtime_offset_usec);
}

/* Held, slowed, or on its way to be. */
static bool has_something_on_it(const struct Tenant *tenant)
{
    return tenant->condition.holders != 0 || tenant->action.under_way || tenant_is_throttled(tenant);
}

static void leave_alone(struct Guard *guard, struct Tenant *tenant)
{
    char why[64];

    snprintf(why, sizeof(why), "exempt by uid %u", tenant->exemption.by.uid);
    if (has_something_on_it(tenant))
        release_hold(guard, tenant, CAUSE_OPERATOR, tenant->exemption.by.uid, why);
    trace_reset(&guard->trace, tenant, guard->clock());
    engine_reset(tenant);
}

static void guard_again(struct Guard *guard, struct Tenant *tenant)
{
    tenant->exemption = (struct Exemption){};
    trace_reset(&guard->trace, tenant, guard->clock());
    engine_reset(tenant);
    guard_look(guard, tenant, guard->clock());
}

bool exempting_begin(struct Guard *guard, struct Tenant *tenant, usec_t for_usec, const struct Author *author,
                     char *why)
{
    usec_t realtime_usec = realtime_of(guard, guard->clock());
    struct Exemption exemption = {.since_realtime_usec = realtime_usec,
                                  .until_realtime_usec = usec_add(realtime_usec, for_usec),
                                  .by = *author};
    int r = exemption_set(&guard->exemptions, tenant->name, &exemption);
    char name[TENANT_NAME_MAX];
    struct Tenant *other, *next;

    if (r < 0) {
        snprintf(why, REASON_MAX, "it could not be written down: %s", strerror(-r));
        return false;
    }
    snprintf(name, sizeof(name), "%s", tenant->name);
    HASH_ITER (hh, guard->registry.tenants, other, next) {
        if (strcmp(other->name, name) != 0)
            continue;
        other->exemption = exemption;
        leave_alone(guard, other);
    }
    return true;
}

static void end(struct Guard *guard, const char *name)
{
    struct Tenant *tenant, *next;

    HASH_ITER (hh, guard->registry.tenants, tenant, next)
        if (tenant_is_exempt(tenant) && strcmp(tenant->name, name) == 0)
            guard_again(guard, tenant);
}

static void forget(struct Guard *guard, const char *name)
{
    int r = exemption_remove(&guard->exemptions, name);

    if (r < 0)
        guard_notice(guard, EVENT_NOTICE, LOG_WARNING,
                     "the exemption of %.200s is over, but stays on disk until its time is: %s", name,
                     strerror(-r));
}

bool exempting_end(struct Guard *guard, struct Tenant *tenant)
{
    char name[TENANT_NAME_MAX];

    if (!tenant_is_exempt(tenant))
        return false;
    snprintf(name, sizeof(name), "%s", tenant->name);
    forget(guard, name);
    end(guard, name);
    return true;
}

int exempting_open(struct Guard *guard)
{
    return exemptions_open(&guard->exemptions, guard->place->state_dir);
}

void exempting_meet(struct Guard *guard, struct Tenant *tenant)
{
    const struct Exemption *exemption = exemption_find(&guard->exemptions, tenant->name);

    if (exemption)
        tenant->exemption = *exemption;
}

void exempting_take_off(struct Guard *guard)
{
    struct Tenant *tenant, *next;

    HASH_ITER (hh, guard->registry.tenants, tenant, next)
        if (tenant_is_exempt(tenant))
            leave_alone(guard, tenant);
}

usec_t exempting_due_usec(const struct Guard *guard)
{
    usec_t due = exemptions_due_usec(&guard->exemptions), offset = guard->pipeline.realtime_offset_usec;

    if (due == USEC_INFINITY)
        return due;
    return due > offset ? due - offset : 0;
}

void exempting_pass(struct Guard *guard, usec_t now)
{
    const struct ExemptName *ended;
    char name[TENANT_NAME_MAX];

    while ((ended = exemption_ended(&guard->exemptions, realtime_of(guard, now)))) {
        snprintf(name, sizeof(name), "%s", ended->tenant);
        guard_notice(guard, EVENT_NOTICE, LOG_NOTICE,
                     "the exemption of %.200s is over: its rules hold for it again", name);
        forget(guard, name);
        end(guard, name);
    }
}
