/* The methods that only look. Each is called with the link's peer as userdata. */
#pragma once

#include "serve/peer.h"

int look_get_status(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                    void *userdata);
int look_get_metrics(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                     void *userdata);
int look_list_tenants(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                      void *userdata);
int look_show_tenant(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                     void *userdata);
int look_watch(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
               void *userdata);

/* Sends the watchers every event that they have not been sent yet. */
void look_feed(struct Service *service);
bool look_is_watched(const struct Service *service);
size_t look_watchers(const struct Service *service);
