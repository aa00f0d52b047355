/* The way of a throttle: decision ─▶ ledger (the former lines, before they are replaced) ─▶ written ─▶ read
 * back ─▶ outcome. In force while one holder wants it (model/throttle.h); it is no action in the sense of the
 * pipeline: a tenant may be throttled in two resources, and frozen above that. A throttle that is on its way
 * does not hold up a freeze or a kill.
 *
 * It is written direct, to units too, and the service manager is not told: it is temporary. Whoever replaces
 * our line meanwhile has set a new limit: that is what is given back at the end, and the throttle is put
 * back over it, unless the new limit is lower. The same goes for limits of guardd's own on the same file
 * (MemoryHigh=, CPUQuota=, IOReadBandwidthMax= and its like): limiting.c tells of them with
 * throttling_found().
 *
 * Who has next to no CPU cannot stop soon, nor end: a task is frozen, and dies, on its way out of the kernel,
 * and has to get there. So while a freeze or a kill is under way the throttle of the CPU stands aside; it is
 * put back when the tenant is looked at after that.
 *
 * memory.high is written by the worker: of its throttle and that one's end one is on its way at a time
 * (Tenant.throttling). */
#pragma once

#include "pipeline.h"

/* VERB_THROTTLE and VERB_UNTHROTTLE (CAUSE_OPERATOR, STOP, RECOVERY: all holders let go): for
 * pipeline_carry_out(). */
void throttling_carry_out(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                          uint64_t ticket, usec_t now);

/* The worker wrote memory.high. */
void throttling_answer(struct Pipeline *pipeline, struct Tenant *tenant, enum Resource resource, int error,
                       usec_t now);

/* Takes up a line of the run before: 0, or -ESTALE when its holder's rule does not throttle this resource
 * (any more), or the file cannot be opened (the caller writes it back). `holder`: of the rule of that name in
 * the tenant's class. */
int throttling_adopt(struct Pipeline *pipeline, struct Tenant *tenant, const struct LedgerEntry *entry,
                     uint32_t slot, unsigned holder, usec_t now);

/* A freeze or a kill has begun. */
void throttling_stand_aside(struct Pipeline *pipeline, struct Tenant *tenant);

/* Is what is in force still ours, and did what is on its way arrive? Asked at each look while a tenant is
 * throttled, and by pipeline_check(). */
void throttling_check(struct Pipeline *pipeline, struct Tenant *tenant, usec_t now);

/* A limit was set on a file that may be throttled: it is what is given back, and the throttle goes over it
 * again. */
void throttling_found(struct Pipeline *pipeline, struct Tenant *tenant, enum LimitId limit);

/* What a limit is but for the throttle on its file. false: there is none. */
bool throttling_hides(const struct Tenant *tenant, enum LimitId limit, uint64_t *ret_value);

void throttling_vanished(struct Pipeline *pipeline, struct Tenant *tenant, usec_t now);
