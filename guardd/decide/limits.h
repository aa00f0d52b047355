/* What to do about one limit of one tenant: the class asks, the tenant has a value already.
 *
 * guardd only ever tightens: a container that was started with a smaller limit keeps it. A value that is
 * neither what guardd set nor what it found was set by somebody else since: it counts as found, and the class
 * is held against it again.
 *
 * And guardd does not set a limit that a tenant is beyond already: the kernel would refuse its every fork
 * from then on, and a rule would take the guard's own doing for an attack. A newcomer has no such right: what
 * is beyond its limit seconds after it began is the attack.
 *
 * What is beyond a limit of memory would be slowed down to a crawl (MemoryHigh=) or killed (MemoryMax=) by
 * the kernel there and then, so the same holds there. A swap limit only stops growth, as that of a disk does.
 *
 * A weight is no bound: a tenant with the default weight is one that nobody has thought of, and gets what the
 * class asks, less or more; with another weight, the smaller one counts, as with limits.
 *
 * Of a limit that holds on several disks (model/rate.h) what is found, and what is in force, is that of the
 * disk with most.
 *
 * While a throttle stands in the file of a limit (Tenant.throttles), the limit is left alone.
 *
 * Two exceptions. An operator's override (Tenant.overrides) comes before what the class asks, and is set
 * exactly as asked: above what was found, below what is in use. A disk limit is one of guardd's own project:
 * found is always none, and below the present use it is set too, since it only stops growth. */
#pragma once

#include "base/usec.h"
#include "model/decision.h"
#include "model/tenant.h"

/* A tenant that appeared under guardd's eyes is a newcomer for so long. */
#define LIMIT_NEWCOMER_USEC (10 * USEC_PER_SEC)

/* `present`: in force now; a disk limit of 0 or LIMIT_INFINITY is none. Returns true and a decision
 * (VERB_LIMIT or VERB_UNLIMIT) when something is to be done; of an override its cause is CAUSE_OPERATOR and
 * its uid is the caller's to set. tenant->limits[id].note is set to why the limit is not as asked, or to what
 * follows from a disk limit below the present use ("below the present use of 8.2G: it cannot grow"), or
 * emptied. */
bool limit_decide(struct Tenant *tenant, enum LimitId id, uint64_t present, usec_t now,
                  struct Decision *ret_decision);

/* The inverse, whatever the class asks: for release. False when guardd has set nothing. */
bool limit_release(const struct Tenant *tenant, enum LimitId id, enum Cause cause, usec_t now,
                   struct Decision *ret_decision);
