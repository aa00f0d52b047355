/* Taking off what guardd put on. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "guard.h"

/* Lets go of a tenant, whoever holds it, and takes its throttles off. Does nothing when nobody holds it. */
void release_hold(struct Guard *guard, struct Tenant *tenant, enum Cause cause, uid_t uid, const char *why);

/* Its throttles alone. `ticket`: who waits for the first one's outcome; 0. */
void release_throttles(struct Guard *guard, struct Tenant *tenant, enum Cause cause, uid_t uid,
                       uint64_t ticket, const char *why);

/* Waits a bounded time for thaws and ends of throttles, where the loop cannot: at a stop, and at a reload
 * before rules change their places. The kernel needs milliseconds; what takes longer is thawing all the same.
 */
void release_wait(struct Guard *guard);

/* For an operator: actions and limits off one tenant (NULL: all), which is then left alone until a reload.
 * The answer to `ticket` comes when everything is given back, possibly before this returns. `ret_released`:
 * how many tenants it took something from. -EBUSY: too many releases wait already. */
int release_run(struct Guard *guard, struct Tenant *only, uid_t uid, uint64_t ticket, size_t *ret_released);

/* Answers the releases that nothing keeps waiting any more. */
void release_settle(struct Guard *guard);

/* At a stop: nobody would thaw them, so what stands is undone. Limits stay, the next start knows them. */
void release_for_stop(struct Guard *guard);
