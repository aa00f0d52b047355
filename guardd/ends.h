/* The ends of what was asked for until a point in time: overrides of an operator. One timer of the time of
 * day for the next of them, off when there is none. It goes by what the clock says: when that is set, or the
 * host was suspended or switched off meanwhile, what has ended ends at once, and what has not waits.
 *
 * Whatever else is to end by itself belongs in ends_run() and next_end(). */
#pragma once

#include "guard.h"

/* Makes the timer. */
int ends_open(struct Guard *guard);
void ends_close(struct Guard *guard);
/* After whatever was dispatched: the next end may be another one. */
void ends_arm(struct Guard *guard);
/* Ends what is over by now. At a start, before tenants are met, too. */
void ends_run(struct Guard *guard);
