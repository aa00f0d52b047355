/* What `status` tells of the guard. */
#pragma once

#include "guard.h"
#include "serve/service.h"

/* All of it but when the run began. What it points to is the guard's. */
void status_tell(const struct Guard *guard, usec_t now, struct ServiceStatus *ret);
