/* The methods by which an operator has guardd do less for a time: the mode of the host, exemptions of a
 * tenant. Each is called with the link's peer as userdata; ServiceOps does it. */
#pragma once

#include "serve/peer.h"

int suspend_set_mode(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                     void *userdata);
int suspend_exempt(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                   void *userdata);
int suspend_end_exemption(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                          void *userdata);
