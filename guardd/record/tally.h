/* What was done in this run of guardd, counted: actions by verb and what came of them, and decisions that
 * fell short because more was held back. Only ever goes up; begins anew with each run. */
#pragma once

#include <stdint.h>

#include "model/decision.h"

struct Tally {
    uint64_t actions[VERB_COUNT][RESULT_COUNT];
    uint64_t withheld;
};

static inline void tally_decision(struct Tally *tally, const struct Decision *decision)
{
    tally->withheld += decision->withheld;
}

static inline void tally_outcome(struct Tally *tally, const struct Decision *decision,
                                 const struct Outcome *outcome)
{
    tally->actions[decision->verb][outcome->result]++;
}
