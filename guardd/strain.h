/* Memory, CPU and I/O guarded: the rooms below put together for pressure, as disk.h does it for directories.
 *
 * At peace nothing is read. A trigger of the kernel on the pressure of a tenant (for rules of its class with
 * Scope=tenant) or of the host (for rules with Scope=host) announces a stall: the tenant is looked at, and
 * then once a second while a rule is at work. A rule whose `for` is 2 s or longer goes by a trigger that
 * costs nothing; one that needs less gets one with a thread of the kernel (sense/pressure.h).
 *
 * Rules of the host on its network (host.net.*) are looked at here, too: once a second, since the kernel does
 * not announce what is sent.
 *
 * A rule of the host elects its victim (decide/host.h) among all tenants whose class lists it; they are read
 * when the condition begins to hold and again when it elects, so that growth and rates are of that time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <systemd/sd-event.h>

#include "decide/host.h"
#include "model/policy.h"
#include "pipeline.h"
#include "sense/strain.h"
#include "sense/tree.h"
#include "tenant/registry.h"

struct Trigger;   /* of a tenant or of the host; owned by the strain guard */
struct HostWatch; /* a rule with Scope=host */

struct StrainGuard {
    /* All borrowed; the caller's to set before strain_guard_open(). */
    const struct Policy *policy; /* the one in force; set anew before strain_guard_reload() */
    struct Registry *registry;
    struct Tree *tree;
    struct Pipeline *pipeline;
    usec_t (*clock)(void);
    const char *root; /* of made-up trees; "" */
    void (*look)(void *userdata, struct Tenant *tenant);
    void *userdata;
    const struct Readings
        *network; /* host.net.*, which somebody else reads (metering.h); NULL: nobody does */

    sd_event *event; /* borrowed */
    struct HostStrain host;
    struct Readings host_readings;
    struct Trigger *triggers;
    struct HostWatch *watches;
    bool open;
    char trouble[256]; /* what cannot be announced here, "" */
};

void strain_guard_open(struct StrainGuard *guard, sd_event *event);
void strain_guard_close(struct StrainGuard *guard);
void strain_guard_reload(struct StrainGuard *guard);

/* A tenant is there, or its class changed: opens the files and sets the triggers that its class needs. */
void strain_guard_meet(struct StrainGuard *guard, struct Tenant *tenant);
void strain_guard_vanished(struct StrainGuard *guard, struct Tenant *tenant);

/* Is this look for a pressure that the kernel has just announced, and that alone to be read? The deed waits
 * for nothing that was read within the second, and for nothing that no rule of the class goes by. */
bool strain_guard_is_brief(const struct Tenant *tenant, usec_t now);

/* The strain's part of a look: reads when the class has a rule on it that is at work or was just announced,
 * or with `fresh`, for somebody who looks (then all files are opened). */
void strain_guard_look(struct StrainGuard *guard, struct Tenant *tenant, bool fresh, usec_t now);

/* How far each rule of the host is, for TraceSources.watches. */
void strain_guard_trace(const struct StrainGuard *guard, struct Trace *trace, usec_t now);

usec_t strain_guard_due_usec(const struct StrainGuard *guard);
void strain_guard_pass(struct StrainGuard *guard, usec_t now);
