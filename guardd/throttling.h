/* The way of a throttle: decision ─▶ ledger (the former lines, before they are replaced) ─▶ written ─▶ read
 * back ─▶ outcome. In force while one holder wants it (model/throttle.h); it is no action in the sense of the
 * pipeline: a tenant may be throttled in two resources, and frozen above that. A throttle that is on its way
 * does not hold up a freeze or a kill.
 *
 * Limits of the class on the same file (MemoryHigh=, CPUQuota=) that change meanwhile become what is given
 * back: limiting.c asks throttling_found(). */
#pragma once

#include "pipeline.h"

/* VERB_THROTTLE and VERB_UNTHROTTLE (CAUSE_OPERATOR, STOP, RECOVERY: all holders let go): for
 * pipeline_carry_out(). */
void throttling_carry_out(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                          uint64_t ticket, usec_t now);

/* The worker wrote memory.high. */
void throttling_answer(struct Pipeline *pipeline, struct Tenant *tenant, enum Resource resource, int error,
                       usec_t now);

/* Takes up a line of the run before: 0, or -ESTALE when its holder's rule is gone (the caller writes it
 * back). */
int throttling_adopt(struct Pipeline *pipeline, struct Tenant *tenant, const struct LedgerEntry *entry,
                     uint32_t slot, unsigned holder);

/* Somebody else replaced our line meanwhile: it is put back, and told once. Asked at each look while in
 * force. */
void throttling_check(struct Pipeline *pipeline, struct Tenant *tenant, usec_t now);

void throttling_vanished(struct Pipeline *pipeline, struct Tenant *tenant);
