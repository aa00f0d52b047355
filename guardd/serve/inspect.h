/* CheckTenant: does every file of a tenant count for it? Called with the link's peer as userdata; the walk is
 * ServiceOps' and may take minutes. */
#pragma once

#include "serve/peer.h"

int inspect_check(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                  void *userdata);

/* The outcome that a peer with AWAITS_CHECK waited for. `tenant`: NULL when it is gone. */
int inspect_answer(struct ServicePeer *peer, const struct Tenant *tenant, const struct Outcome *outcome);
