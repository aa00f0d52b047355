/* The engine: f(policy, what is known of a tenant, readings, now) -> decisions with their reasons. No I/O,
 * no clock, no allocation, no globals; what it remembers lies in the tenant's case, the budget and the
 * offences it is handed.
 *
 * A rule walks through its steps by the table in engine.c, phase × event. The words:
 *   - a look evaluates When in IDLE and PENDING, Until and the step's time in STANDING;
 *   - a step is decided (ACTING), and stands when its outcome says that it took;
 *   - the next step comes when the step's time is over and Until has not held;
 *   - relief: Until held for as long as it asks; then the inverse (RELEASING), then peace (IDLE).
 * A rule with Scope=host begins only where host_elect() chose the tenant (RuleState.elected, Case.election)
 * and When holds on its own host.* readings; from there on it goes like any other. A look that does not begin
 * it, and its end, take the election back.
 *
 * Before anything final (terminate, kill) the fresh readings are asked once more whether Until is true at
 * this very moment; if so, nobody is killed. */
#pragma once

#include "base/usec.h"
#include "decide/budget.h"
#include "decide/offence.h"
#include "model/decision.h"
#include "model/policy.h"
#include "model/tenant.h"

/* How often an armed tenant is looked at where the kernel announces nothing. */
#define LOOK_INTERVAL_USEC USEC_PER_SEC
/* A last step, or a release, that failed is tried again after this. */
#define RETRY_USEC (5 * USEC_PER_SEC)
/* Thaw delays of repeat offenders double up to this. */
#define THAW_DELAY_MAX_USEC USEC_PER_HOUR

struct Engine {
    const struct Policy *policy;
    struct KillBudget *budget;
    struct Offences *offences;
};

/* After the tenant's readings were taken at `now`. Appends to `decisions`, and sets
 * tenant->condition.look_usec. */
void engine_look(const struct Engine *engine, struct Tenant *tenant, usec_t now, struct Decisions *decisions);

/* What came of a decision of this engine. Operators' decisions: see below. */
void engine_outcome(const struct Engine *engine, struct Tenant *tenant, const struct Decision *decision,
                    enum Result result, usec_t now, struct Decisions *decisions);

/* An operator took the matter in hand (thaw, release): every rule begins anew. */
void engine_reset(struct Tenant *tenant);

/* The run before left this step in force (ledger): goes on from there. */
void engine_adopt(struct Tenant *tenant, size_t rule, size_t step, usec_t since_usec, unsigned repeats);

/* The holders whose rule the new class does not have: they must be released before engine_reclass(). */
uint32_t engine_lost_holders(const struct Tenant *tenant, const struct TenantClass *to);

/* After a reload: sets tenant->class and keeps, by name, the state of each rule that the new class has too.
 */
void engine_reclass(struct Tenant *tenant, const struct TenantClass *to);
