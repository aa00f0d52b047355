/* What to do about one limit of one tenant: the class asks, the tenant has a value already.
 *
 * guardd only ever tightens: a container that was started with a smaller limit keeps it. A value that is
 * neither what guardd set nor what it found was set by somebody else since: it counts as found, and the class
 * is held against it again.
 *
 * And guardd does not set a limit that a tenant is beyond already: the kernel would refuse its every fork
 * from then on, and a rule would take the guard's own doing for an attack. A newcomer has no such right: what
 * is beyond its limit seconds after it began is the attack. */
#pragma once

#include "base/usec.h"
#include "model/decision.h"
#include "model/tenant.h"

/* A tenant that appeared under guardd's eyes is a newcomer for so long. */
#define LIMIT_NEWCOMER_USEC (10 * USEC_PER_SEC)

/* `present`: in force now. Returns true and a decision (VERB_LIMIT or VERB_UNLIMIT) when something is to be
 * done. tenant->limits[id].note is set to why the limit is not as the class asks, or emptied. */
bool limit_decide(struct Tenant *tenant, enum LimitId id, uint64_t present, usec_t now,
                  struct Decision *ret_decision);

/* The inverse, whatever the class asks: for release. False when guardd has set nothing. */
bool limit_release(const struct Tenant *tenant, enum LimitId id, enum Cause cause, usec_t now,
                   struct Decision *ret_decision);
