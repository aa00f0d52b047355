/* The way of a limit: decision ─▶ ledger ─▶ whoever sets it ─▶ read back ─▶ outcome.
 *
 *   a file of the cgroup   the service manager sets it for a unit, and answers; else, and when it does not
 *                          answer, it is written direct (act/limit.h). It has an entry in the ledger.
 *   a project quota        a worker sets it, on each filesystem, and answers (allowance.h). What is to be
 *                          undone is written down with the project (record/project.h), not in the ledger.
 *
 *   a rate of links        a worker sets it, on each link of the tenant, and answers (shaping.h). It has an
 *                          entry in the ledger; whatever stands on a link that nobody claims is taken off.
 *
 * A limit is no action: it holds nobody up, several may be on their way, and of several wishes for the same
 * one the last counts. Where it stands is in `struct LimitState`. Limits of I/O hold on several disks
 * at once: what that takes is in rates.h. A further limit needs nothing here, as long as one of these ways
 * is its own. */
#pragma once

#include "pipeline.h"

/* VERB_LIMIT and VERB_UNLIMIT: for pipeline_carry_out(). */
void limiting_carry_out(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                        usec_t now);

/* Holds what is in force against what is asked for, and sets each limit that is not as it should be. */
void limiting_check(struct Pipeline *pipeline, struct Tenant *tenant, usec_t now);

/* The same for what is kept on links alone: they have just been found, or have changed. */
void limiting_check_network(struct Pipeline *pipeline, struct Tenant *tenant, usec_t now);

/* The tenant has no links any more: what was set on them is gone with them. */
void limiting_forget_network(struct Pipeline *pipeline, struct Tenant *tenant);

/* What the kernel enforces for a limit now; of one that is throttled (throttling.h) what it is without that.
 * Opens its file when that is needed for the first time. A limit of a unit whose controller is not enabled is
 * limit_default(): systemd enables it when it is told of a limit. Of several disks (rates.h) that one counts
 * which has most. -EBADF, -ENODATA, -ENOTBLK: it cannot be kept for this tenant. */
int limiting_present(struct Tenant *tenant, enum LimitId limit, uint64_t *ret_value);

/* Why limiting_present() failed, in words; "" when its errno says it. */
void limiting_trouble(const struct Tenant *tenant, enum LimitId limit, int error, char *buf, size_t size);

/* Reads what files of the cgroup keep, for somebody who looks: Tenant.views. Returns true when a limit is not
 * any more as guardd has set it: limiting_check() is due. */
bool limiting_look(struct Tenant *tenant);

/* The service manager, or a worker, answered a limit. `message`: what went wrong, as a sentence; NULL: the
 * errno says it. */
void limiting_answer(struct Pipeline *pipeline, struct Tenant *tenant, enum LimitId limit, int error,
                     const char *message, usec_t now);

/* The cgroup is gone, and its limits with it: their ledger entries are dropped. */
void limiting_vanished(struct Pipeline *pipeline, struct Tenant *tenant);
