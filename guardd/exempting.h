/* Tenants that are left alone by the rules for a time, because an operator says so: what stands on one then
 * is taken off, by whomever it was put on, and no rule does anything to it until the time is over. Its limits
 * stay. Then, and when it is ended by hand, the rules begin anew. */
#pragma once

#include "guard.h"

/* As ServiceOps.exempt. `for_usec`: at most EXEMPTION_MAX_USEC. False: `why` (REASON_MAX) says why not. */
bool exempting_begin(struct Guard *guard, struct Tenant *tenant, usec_t for_usec, const struct Author *author,
                     char *why);
/* False: it was not exempt. */
bool exempting_end(struct Guard *guard, struct Tenant *tenant);

/* Those that are kept from runs before; < 0: they cannot be read. */
int exempting_open(struct Guard *guard);
/* A tenant that is new here may have a name that is exempt. */
void exempting_meet(struct Guard *guard, struct Tenant *tenant);
/* What a run before left standing on those that are exempt: it may have ended before it took it off. */
void exempting_take_off(struct Guard *guard);

/* When the first one ends, CLOCK_BOOTTIME as it is now; USEC_INFINITY. And those that have ended by now. */
usec_t exempting_due_usec(const struct Guard *guard);
void exempting_pass(struct Guard *guard, usec_t now);
