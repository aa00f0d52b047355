/* Another policy for the tenants that are here. Each is classified anew; a rule that its new class has too
 * goes on where it stands, what another one held is let go; limits follow; what was released is guarded
 * again. */
#pragma once

#include "guard.h"

/* Takes over `config`, which is valid, and frees the one before. From here on nothing fails. */
void reload_config(struct Guard *guard, struct Config *config);

/* The same policy in the other mode, for an operator: until a reload, or the end of this run. From enforce to
 * observe what stands is let go, and limits stay as they are; in both directions the rules begin anew. */
void reload_mode(struct Guard *guard, enum Mode mode, const struct Author *author);
