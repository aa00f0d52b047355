/* Another policy for the tenants that are here. Each is classified anew; a rule that its new class has too
 * goes on where it stands, what another one held is let go; limits follow; what was released is guarded
 * again. */
#pragma once

#include "guard.h"

/* Takes over `config`, which is valid, and frees the one before. From here on nothing fails. */
void reload_config(struct Guard *guard, struct Config *config);
