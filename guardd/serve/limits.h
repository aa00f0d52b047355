/* The methods that set and reset limits live. Each is called with the link's peer as userdata. What is asked
 * for is taken apart whole before anything is done: one wrong name or value, and nothing is changed. */
#pragma once

#include "serve/peer.h"

int limits_set(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
               void *userdata);
int limits_reset(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                 void *userdata);

/* The outcome that a peer with AWAITS_LIMITS waited for. `tenant`: NULL when it is gone. */
int limits_answer(struct ServicePeer *peer, const struct Tenant *tenant, const struct Outcome *outcome);
