/* Model types as JSON, in the shape that interface.c declares. Each function makes a new object; the
 * caller unrefs it. A value that is not known is left out, never 0 in its place; an unlimited limit is
 * left out too (of a Limit: {} says unlimited, nothing says unknown). -ENOMEM. */
#pragma once

#include <systemd/sd-json.h>

#include "model/event.h"
#include "model/override.h"
#include "model/tenant.h"

/* A row of `guardctl list`. */
int wire_tenant_row(const struct Tenant *tenant, sd_json_variant **ret);

/* What was measured of it, what is counted since guardd first saw it, and what is enforced: names -> numbers,
 * in few words, because all tenants are told at once. */
int wire_tenant_metrics(const struct Tenant *tenant, sd_json_variant **ret);

/* All of `guardctl show`: the row, limits (asked, in force, found before), readings, every rule with
 * its phase, step, since and next, directories and what each filesystem counts. `now`: CLOCK_BOOTTIME. */
int wire_tenant_full(const struct Tenant *tenant, usec_t now, sd_json_variant **ret);

/* Lists: every limit that guardd knows; every directory of the tenant. */
int wire_limits(const struct Tenant *tenant, sd_json_variant **ret);
int wire_directories(const struct Tenant *tenant, sd_json_variant **ret);

/* A list: what operators have set, of each limit the topmost first. `override` may be NULL. `full`: with
 * processes and command lines, which are for operators only. */
int wire_overrides(const struct Override *override, usec_t realtime_usec, bool full, sd_json_variant **ret);

/* NULL when it is none. */
int wire_exemption(const struct Exemption *exemption, sd_json_variant **ret);
int wire_outcome(const struct Outcome *outcome, sd_json_variant **ret);
int wire_event(const struct Event *event, sd_json_variant **ret);
/* The replies of a watch: the event itself... */
int wire_event_reply(const struct Event *event, sd_json_variant **ret);
/* ... and that which tells somebody who waits for a line of an event: what the line needs, as flat as it can
 * be, for each field and each byte of it is taken apart again over there. */
int wire_event_brief(const struct Event *event, sd_json_variant **ret);
