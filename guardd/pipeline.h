/* The one way of every action, automatic or an operator's: record → act → verify → record.
 *
 *   decision ─▶ ledger (what can be undone, before it is done) ─▶ actuator ─▶ wait for the kernel's word
 *            ─▶ outcome ─▶ ledger (undone: the entry goes) ─▶ history, engine, whoever asked
 *
 * Limits and throttles have ways of their own (limiting.h, throttling.h); what all ways write is in report.h.
 *
 * At most one action of a tenant is under way; a later one that is at least as strong takes its place.
 * A tenant is frozen as long as one holder (a rule, the operator) wants it; the last to let go thaws it.
 * On the way from a decision to the freeze nothing is allocated and nothing is opened. */
#pragma once

#include <stdint.h>

#include "act/unit.h"
#include "model/decision.h"
#include "model/tenant.h"
#include "record/history.h"
#include "record/ledger.h"
#include "record/tally.h"
#include "record/trace.h"

struct Pipeline {
    /* All borrowed, all of the daemon. */
    struct Ledger *ledger;
    struct History *history;
    struct UnitManager *units;
    struct Tally tally;  /* its own */
    struct Trace *trace; /* NULL: none */
    enum Mode mode;
    usec_t (*clock)(void);       /* for the end of what ends while it is begun */
    usec_t realtime_offset_usec; /* CLOCK_REALTIME less CLOCK_BOOTTIME, for the records */
    usec_t kill_memory_usec;     /* how long a kill is remembered in the ledger */
    uint64_t last_action;        /* number of the last one; the upper half is this run's */
    size_t reserved;             /* entries that are kept free in the ledger for what may not allocate */
    /* Orders a limit that a project quota keeps; returns how many calls of limiting_answer() will come,
     * or < 0. */
    int (*set_quota)(void *userdata, struct Tenant *tenant, enum LimitId limit, uint64_t value);
    /* The same of a limit that is kept on links. < 0 with a sentence in `why` (REASON_MAX), or "". */
    int (*set_network)(void *userdata, struct Tenant *tenant, enum LimitId limit, uint64_t value, char *why);
    /* Has the line of a throttle written by the worker: one call of throttling_answer() will come. < 0, or
     * NULL: it is to be written here. */
    int (*write_slowly)(void *userdata, struct Tenant *tenant, enum Resource resource, const char *line);
    /* Has the links of a tenant throttled to this rate, LIMIT_INFINITY: no more. Returns how many calls of
     * throttling_answer() will come, or < 0. */
    int (*throttle_network)(void *userdata, struct Tenant *tenant, uint64_t rate_bits);
    /* Told of every outcome, after it is recorded. `ticket`: 0 when nobody waits. May carry out what follows
     * from it. */
    void (*settled)(void *userdata, struct Tenant *tenant, const struct Decision *decision,
                    const struct Outcome *outcome, uint64_t ticket, usec_t now);
    void *userdata;
};

void pipeline_carry_out(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                        uint64_t ticket, usec_t now);

/* cgroup.events of the tenant (or of a freeze point) changed, or its action's deadline may be over. */
void pipeline_check(struct Pipeline *pipeline, struct Tenant *tenant, usec_t now);

/* Takes up a hold of the run before: the freeze is made sure of, the entry is there already. */
void pipeline_adopt_hold(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                         uint32_t slot, usec_t now);

/* The cgroup is gone: whatever is under way ends, and its ledger entries are dropped. */
void pipeline_vanished(struct Pipeline *pipeline, struct Tenant *tenant, usec_t now);

/* Records an event about a tenant (NULL: the host). */
void pipeline_note(struct Pipeline *pipeline, const struct Tenant *tenant, enum EventKind kind, int priority,
                   usec_t now, const char *text);

/* When pipeline_check() is due for this tenant at the latest. */
static inline usec_t pipeline_deadline_usec(const struct Tenant *tenant)
{
    usec_t action = tenant->action.under_way ? tenant->action.deadline_usec : USEC_INFINITY;
    usec_t throttling = tenant->throttling.under_way ? tenant->throttling.deadline_usec : USEC_INFINITY;

    return usec_min(action, throttling);
}
