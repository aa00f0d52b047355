/* The tenant that a call means: its `tenant` parameter, looked up in the registry. */
#pragma once

#include "serve/peer.h"

/* 0 and the tenant; else the peer was answered (WIRE_ERROR_NO_SUCH_TENANT, WIRE_ERROR_AMBIGUOUS, an invalid
 * parameter), and the method returns what this returns. */
int target_find(struct ServicePeer *peer, sd_json_variant *parameters, struct Tenant **ret_tenant);

/* The same for a call that has more parameters: `text` is its `tenant`. */
int target_named(struct ServicePeer *peer, const char *text, struct Tenant **ret_tenant);
