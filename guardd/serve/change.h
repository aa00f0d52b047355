/* The methods that change something, but for limits (limits.h). Each is called with the link's peer as
 * userdata; none changes anything itself, ServiceOps does. */
#pragma once

#include "serve/peer.h"

int change_freeze(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                  void *userdata);
int change_thaw(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                void *userdata);
int change_kill(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                void *userdata);
int change_throttle(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                    void *userdata);
int change_release(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                   void *userdata);
int change_release_all(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                       void *userdata);
int change_reload(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                  void *userdata);
