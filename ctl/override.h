/* What operators have set of a tenant, as ShowTenant, SetLimits and ResetLimits answer. */
#pragma once

#include <systemd/sd-json.h>

/* The one that is asked for of this limit; NULL when nobody has set it. */
sd_json_variant *override_of(sd_json_variant *reply, const char *limit);
/* ", until 2025-06-01 14:03:12 (1h 58min left)" of one that ends by itself. */
void print_override_end(sd_json_variant *override);
/* A line for each: what, who, when, until when; and the version. */
void print_overrides(sd_json_variant *reply);
