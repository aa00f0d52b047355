/* Limits that an operator sets live: all of them or none. An override is durable before it is applied; what
 * the kernel did not take takes all of it back again. */
#pragma once

#include "guard.h"

/* As ServiceOps.set and .reset (`limits` NULL: all that are overridden). SETTING_REFUSED and SETTING_CHANGED
 * (the wish's version is not the present one) with `why`, or SETTING_UNDER_WAY: guard->answer() is called
 * with the ticket and no decision, possibly before this returns. */
enum SettingAnswer {
    SETTING_REFUSED,
    SETTING_CHANGED,
    SETTING_UNDER_WAY,
};
enum SettingAnswer setting_set(struct Guard *guard, struct Tenant *tenant, const struct Limits *limits,
                               const struct OverrideWish *wish, uint64_t ticket, char *why);
enum SettingAnswer setting_reset(struct Guard *guard, struct Tenant *tenant, const struct Limits *limits,
                                 const struct OverrideWish *wish, uint64_t ticket, char *why);

/* The outcome of a limit of this tenant; perhaps one that a setting waits for. */
void setting_settled(struct Guard *guard, struct Tenant *tenant, const struct Decision *decision,
                     const struct Outcome *outcome);
/* The tenant is gone: whoever waits is told. The override stays. */
void setting_vanished(struct Guard *guard, const struct Tenant *tenant);
/* What is under way is forgotten. */
void setting_close(struct Guard *guard);
