/* The engine: f(policy, what is known of a tenant, readings, now) -> decisions with their reasons. No I/O,
 * no clock, no allocation, no globals; what it remembers lies in the tenant's case, the budget and the
 * offences it is handed.
 *
 * A rule walks through its steps by the table in escalation.c, phase × event. The words:
 *   - a look evaluates When in IDLE and PENDING, Until and the step's time in STANDING;
 *   - a step is decided (ACTING), and stands when its outcome says that it took;
 *   - the next step comes when the step's time is over and Until is not true at this moment; at once when a
 * throttle of memory leaves the tenant stuck in reclaim for STALL_USEC;
 *   - relief: Until held for as long as it asks, and the step stood for STEP_DWELL_USEC at least; then the
 *     inverse (RELEASING) of the strongest that the rule holds;
 *   - one step down at a time: below a freeze the rule's throttle is still in force, and the rule stands
 * there again with both clocks begun anew. Relieved of that too, it is at peace (IDLE);
 *   - a rule lets go of its own hold alone: who is frozen or throttled for another reason as well stays so.
 * What is in force is not the engine's to remember: Case.holders and Throttle.holders tell it.
 *
 * A repeat (the same name and rule within OFFENCE_MEMORY_USEC) doubles how long Until must hold for what is
 * frozen or throttled, up to THAW_DELAY_MAX_USEC; what doubles is at least STEP_DWELL_USEC. Having come down,
 * the way up again is a repeat too. A rule without a throttle goes straight to its last step; one with a
 * throttle takes its steps in their order each time: slowed first, frozen second, killed last.
 *
 * So a rule cannot flap. With pressure on and off every 3 s for two minutes, and all that was taken undone
 * after it, a rule of S steps that can be undone decides 2 S actions (each step and its inverse) when its
 * Until asks for more than 3 s: no pause is long enough. When Until asks for less, the first pause is, and
 * the throttle goes once; from then on relief must last twice STEP_DWELL_USEC at least, and none does: 2
 * more, 2 S + 2. However an attacker times its pauses: the release that follows r repeats comes
 * STEP_DWELL_USEC shifted by r after its step at the earliest, so that two minutes have room for six repeats
 * at most, of 2 S actions each: 12 S.
 *
 * A rule with Scope=host begins only where host_elect() chose the tenant (RuleState.elected, Case.election)
 * and When holds on its own host.* readings; from there on it goes like any other, but that of the step
 * before a kill only the time counts in which When held without a break: whoever is frozen while the host
 * recovers, or suffers now and then from something else, is not killed for it. A look that does not begin it,
 * and its end, take the election back.
 *
 * Before anything final (terminate, kill) the fresh readings are asked once more whether Until is true at
 * this very moment; if so, nobody is killed. Of what a frozen tenant does not do while it is frozen (its own
 * pressure, its rates) the silence counts for nothing there: it was measured a step ago.
 *
 * A kill that the budget does not allow leaves its tenant frozen. Where Until is about such a reading,
 * nothing tells whether it would go on, and what it said last is older with every minute: when the budget has
 * room again (and Until's time is over) it is thawed, which alone measures it anew, and killed when it goes
 * on, or frozen for twice as long when others were quicker to spend the budget. Not before: a thaw that no
 * kill could follow would only let the same attack in again. At most THAW_DELAY_MAX_USEC, though others may
 * keep the budget spent. With a budget of none the freeze is the last step, and its thaws are those of
 * repeats. */
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
/* Delays of a thaw, or of the end of a throttle, of repeat offenders double up to this. */
#define THAW_DELAY_MAX_USEC USEC_PER_HOUR
/* A step stands at least this long before it is released, whatever Until asks. */
#define STEP_DWELL_USEC (2 * USEC_PER_SEC)
/* A throttle of memory that holds its tenant in reclaim, memory.pressure.full at STALL_PERCENT
 * (model/reading.h) or above, for this long gives way to the next step. */
#define STALL_USEC (5 * USEC_PER_SEC)
#define STALL_PERCENT 9000

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

/* The run before left this step of this rule of its class in force (ledger): goes on from there. With an
 * entry of each of several steps, from the last of them, in whatever order they are told. */
void engine_adopt(struct Tenant *tenant, size_t rule, size_t step, usec_t since_usec, unsigned repeats);

/* The holders, of a freeze or of a throttle, whose rule the new class does not have, or has with another
 * resource to throttle or without a throttle: they must be released before engine_reclass(). */
uint32_t engine_lost_holders(const struct Tenant *tenant, const struct TenantClass *to);

/* After a reload: sets tenant->class and keeps, by name, the state of each rule that the new class has too,
 * and what it holds. */
void engine_reclass(struct Tenant *tenant, const struct TenantClass *to);
