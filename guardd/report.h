/* What is written of an action, and who is told: the part that all ways of the pipeline have in common. The
 * decision goes to the history before the act, the outcome after it; what can be undone has its entry in the
 * ledger in between. On the way to a freeze: nothing here allocates. */
#pragma once

#include "pipeline.h"

/* Gives a decision the next number, by which its outcome is found; one that has a number keeps it. */
void report_number(struct Pipeline *pipeline, struct Decision *decision);

/* Says of whom (NULL: the host) and when, and adds it to the history. */
void report_event(struct Pipeline *pipeline, const struct Tenant *tenant, struct Event *event);
void report_decision(struct Pipeline *pipeline, const struct Tenant *tenant, const struct Decision *decision);
/* An operator asks for something: who, and what ("set TasksMax=300"). */
void report_change(struct Pipeline *pipeline, const struct Tenant *tenant, const struct Author *author,
                   usec_t now, const char *what);
/* The end of every way: to the history, and to whoever waits. */
void report_outcome(struct Pipeline *pipeline, struct Tenant *tenant, const struct Decision *decision,
                    const struct Outcome *outcome, uint64_t ticket, usec_t now);

__attribute__((format(printf, 4, 5))) struct Outcome
outcome_make(enum Result result, const struct Decision *decision, usec_t now, const char *format, ...);
/* RESULT_FAILED: `what`, and why. */
struct Outcome outcome_failure(const struct Decision *decision, int error, usec_t now, const char *what);

/* The ledger's entry for this decision, standing; what its kind needs else is the caller's to add. */
struct LedgerEntry report_entry(const struct Tenant *tenant, const struct Decision *decision,
                                enum EntryKind kind);
/* Undone: the entry goes, if there is one. */
void report_drop_entry(struct Pipeline *pipeline, uint32_t *slot);
