/* Answers that say no: a typed error of the interface with its sentence; and the answer to what needed no
 * waiting. */
#pragma once

#include <systemd/sd-varlink.h>

#include "model/decision.h"
#include "serve/peer.h"

int answer_error(sd_varlink *link, const char *error, const char *message);

/* What was asked for failed with `r`, a negative errno; `what`: "freeze". */
int answer_failure(sd_varlink *link, const char *what, int r);

/* So it did, or came too late: an outcome that is no success. */
int answer_unsuccessful(sd_varlink *link, const char *what, const struct Outcome *outcome);

/* What one of ServiceOps returned (`r`, `why`) for a tenant, if the peer waits for an answer and it is there
 * already. `reply` is for a yes, with a remark or "". */
int answer_at_once(struct ServicePeer *peer, const char *what, uint64_t tenant_id, int r, const char *why,
                   int (*reply)(struct ServicePeer *peer, const struct Tenant *tenant, const char *text));
