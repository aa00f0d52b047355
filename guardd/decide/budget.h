/* The kill budget: at most so many kills by rules within a window, for the whole host. A guard that kills
 * more than that is more likely wrong than right; then it freezes instead, which can be undone.
 * An operator's kill is not counted. */
#pragma once

#include "base/usec.h"
#include "model/policy.h"

struct KillBudget {
    usec_t spent_usec[POLICY_BUDGET_MAX]; /* a ring of the newest kills; 0: none */
    size_t next;
};

unsigned budget_left(const struct KillBudget *budget, const struct KillLimit *limit, usec_t now);
void budget_spend(struct KillBudget *budget, usec_t now);

/* When there will be room again: `now` if there is, USEC_INFINITY if there never will be (0 kills). */
usec_t budget_room_usec(const struct KillBudget *budget, const struct KillLimit *limit, usec_t now);
