/* See release.h. A hold goes by a thaw, a throttle by the lines found before, a limit by the value found
 * before; all take the way of every action. */
#include "release.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "adoption.h"
#include "allowance.h"
#include "decide/limits.h"
#include "share.h"

#define RELEASE_WAIT_USEC (5 * USEC_PER_SEC)

static bool is_held(const struct Tenant *tenant)
{
    return tenant->condition.holders != 0 ||
           (tenant->action.under_way && tenant->action.decision.verb == VERB_FREEZE);
}

void release_throttles(struct Guard *guard, struct Tenant *tenant, enum Cause cause, uid_t uid,
                       uint64_t ticket, const char *why)
{
    for (int i = 0; i < RESOURCE_COUNT; i++) {
        struct Decision decision = {.verb = VERB_UNTHROTTLE,
                                    .cause = cause,
                                    .holder = HOLDER_OPERATOR,
                                    .limit = LIMIT_INVALID,
                                    .resource = (enum Resource)i,
                                    .uid = uid,
                                    .at_usec = guard->clock()};

        if (tenant->throttles[i].n_lines == 0)
            continue;
        snprintf(decision.reason, sizeof(decision.reason), "%s", why);
        pipeline_carry_out(&guard->pipeline, tenant, &decision, ticket, decision.at_usec);
        ticket = 0;
    }
}

void release_hold(struct Guard *guard, struct Tenant *tenant, enum Cause cause, uid_t uid, const char *why)
{
    struct Decision decision = {.verb = VERB_THAW,
                                .cause = cause,
                                .holder = HOLDER_OPERATOR,
                                .limit = LIMIT_INVALID,
                                .uid = uid,
                                .at_usec = guard->clock()};

    release_throttles(guard, tenant, cause, uid, 0, why);
    if (!is_held(tenant))
        return;
    snprintf(decision.reason, sizeof(decision.reason), "%s", why);
    pipeline_carry_out(&guard->pipeline, tenant, &decision, 0, decision.at_usec);
}

/* Both ways of an inverse whose end is awaited. */
static bool is_ending(const struct Tenant *tenant)
{
    return (tenant->action.under_way && tenant->action.decision.verb == VERB_THAW) ||
           (tenant->throttling.under_way && tenant->throttling.decision.verb == VERB_UNTHROTTLE);
}

void release_wait(struct Guard *guard)
{
    usec_t until = usec_add(guard->clock(), RELEASE_WAIT_USEC);
    struct Tenant *tenant, *other;
    bool waiting;

    do {
        waiting = false;
        HASH_ITER (hh, guard->registry.tenants, tenant, other) {
            if (!is_ending(tenant))
                continue;
            pipeline_check(&guard->pipeline, tenant, guard->clock());
            waiting = waiting || is_ending(tenant);
        }
        if (waiting && guard->disk.open)
            worker_dispatch(&guard->disk.worker);
        if (waiting && guard->network.connected)
            worker_dispatch(&guard->network.worker);
        if (waiting)
            usleep(1000);
    } while (waiting && guard->clock() < until);
}

static bool gives_back(struct Guard *guard, struct Tenant *tenant, enum Cause cause, usec_t now)
{
    struct Decision decision;
    bool any = false;

    for (int id = 0; id < LIMIT_COUNT; id++)
        if (limit_release(tenant, id, cause, now, &decision)) {
            any = true;
            pipeline_carry_out(&guard->pipeline, tenant, &decision, 0, now);
        }
    return any;
}

static bool release_one(struct Guard *guard, struct Tenant *tenant, uid_t uid)
{
    bool held = is_held(tenant) || tenant_is_throttled(tenant), any;
    char why[64];

    snprintf(why, sizeof(why), "released by uid %u", uid);
    tenant->released = true;
    release_hold(guard, tenant, CAUSE_OPERATOR, uid, why);
    trace_reset(&guard->trace, tenant, guard->clock());
    engine_reset(tenant);
    any = gives_back(guard, tenant, CAUSE_OPERATOR, guard->clock());
    any = tenant->disk.n_shares > 0 || any;
    adoption_release(&guard->disk, tenant);
    return any || held;
}

static bool has_something_of_ours(const struct Tenant *tenant)
{
    bool any = is_held(tenant) || is_ending(tenant);

    for (int id = 0; id < LIMIT_COUNT; id++)
        any = any || tenant->limits[id].waiting > 0;
    return any;
}

static bool release_is_complete(const struct Guard *guard, const struct PendingRelease *release)
{
    struct Tenant *tenant, *other;

    HASH_ITER (hh, guard->registry.tenants, tenant, other)
        if ((release->tenant_id == 0 || release->tenant_id == tenant->cgroup.id) && tenant->released &&
            has_something_of_ours(tenant))
            return false;
    return true;
}

/* What is still ours although nothing is awaited any more could not be given back. */
static struct Outcome release_outcome(const struct Guard *guard, const struct PendingRelease *release)
{
    struct Outcome outcome = {.result = RESULT_DONE};
    struct Tenant *tenant, *other;

    HASH_ITER (hh, guard->registry.tenants, tenant, other) {
        bool meant = (release->tenant_id == 0 || release->tenant_id == tenant->cgroup.id) && tenant->released;

        if (meant && tenant_is_throttled(tenant)) {
            outcome.result = RESULT_FAILED;
            snprintf(outcome.text, sizeof(outcome.text), "%.200s is still throttled", tenant->name);
        }
        for (int id = 0; id < LIMIT_COUNT; id++)
            if (meant && tenant->limits[id].applied) {
                outcome.result = RESULT_FAILED;
                snprintf(outcome.text, sizeof(outcome.text), "%.200s keeps %s: %.127s", tenant->name,
                         limit_info(id)->directive, tenant->limits[id].note);
            }
    }
    return outcome;
}

void release_settle(struct Guard *guard)
{
    struct Outcome outcome;

    for (size_t i = 0; i < PENDING_RELEASES_MAX; i++) {
        struct PendingRelease *release = &guard->releases[i];
        uint64_t ticket = release->ticket;

        if (ticket == 0 || !release_is_complete(guard, release))
            continue;
        release->ticket = 0;
        outcome = release_outcome(guard, release);
        guard->answer(guard->userdata, ticket, registry_find(&guard->registry, release->tenant_id), NULL,
                      &outcome);
    }
}

int release_run(struct Guard *guard, struct Tenant *only, uid_t uid, uint64_t ticket, size_t *ret_released)
{
    struct Tenant *tenant, *other;
    struct PendingRelease *place = NULL;

    for (size_t i = 0; i < PENDING_RELEASES_MAX && !place; i++)
        if (guard->releases[i].ticket == 0)
            place = &guard->releases[i];
    if (!place)
        return -EBUSY;
    *ret_released = 0;
    HASH_ITER (hh, guard->registry.tenants, tenant, other)
        if (!only || tenant == only)
            *ret_released += release_one(guard, tenant, uid) ? 1 : 0;
    if (!only)
        *ret_released += share_release_absent(&guard->disk);
    if (!only)
        allowance_end_grace(&guard->disk);
    *place = (struct PendingRelease){.ticket = ticket, .tenant_id = only ? only->cgroup.id : 0};
    release_settle(guard);
    return 0;
}

void release_for_stop(struct Guard *guard)
{
    struct Tenant *tenant, *other;

    HASH_ITER (hh, guard->registry.tenants, tenant, other)
        release_hold(guard, tenant, CAUSE_STOP, 0, "guardd stops, and nobody else would take it off");
    release_wait(guard);
}
