/* guardd --release: nothing of guardd is left on this host, whether it was running or not. */
#pragma once

#include "guard.h"

/* Undoes what stands in the ledger, sweeps the links, takes limits and project ids off files, and waits for
 * all of that, five minutes at most. Says on standard output or standard error what came of it. Returns an
 * exit status: 0; 1 when something is left, or another guardd is running. */
int removal_run(const struct GuardPlace *place);
