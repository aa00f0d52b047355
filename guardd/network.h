/* What tenants send and get, kept within limits: the rooms below put together for links and rates, as disk.c
 * does it for directories and quotas.
 *
 *   network.c    what the kernel announces (links, namespace ids, queues that are gone), whose links they are
 *   shaping.c    limits, and all else that waits for the kernel's lock of links, as orders to the worker
 *   metering.c   counters: what passes links, and what is dropped there
 *   owners.c     whose a link is, and who is in a namespace
 *
 * As long as no class, rule or override of a tenant that is here asks for anything of the network, and
 * nobody looks, there is no socket, no thread and no announcement. Then it is connected: announcements are
 * subscribed to first, all links are listed once, and from then on what is announced keeps the list up to
 * date. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "act/worker.h"
#include "model/policy.h"
#include "owners.h"
#include "pipeline.h"
#include "sense/link.h"
#include "tenant/registry.h"

struct NetworkKernel; /* what the worker's thread has for itself (shaping.c) */

struct NetworkGuard {
    /* All borrowed; the caller's to set before network_guard_open(). */
    struct Registry *registry;
    struct Pipeline *pipeline;
    usec_t (*clock)(void);
    const char *proc; /* "/proc" */
    sd_event *event;
    uint32_t slot; /* in the ledger: links may carry what no other entry speaks of; LEDGER_SLOT_NONE */

    bool opened, connected;
    bool listed;      /* `links` is complete */
    bool missed;      /* announcements were */
    bool reads;       /* a rule of a tenant's class goes by the counters */
    bool ends;        /* one ends by them: while it is at work */
    usec_t list_usec; /* list them again; USEC_INFINITY */
    struct LinkSensor sensor;
    struct LinkTable links;
    struct Owners owners;        /* of those who have links */
    struct NetworkNamespace own; /* the host's */
    uint32_t timer_hz;           /* act/shaper.h */
    struct Worker worker;
    struct NetworkKernel *kernel; /* owned, by the worker's thread too */
    sd_event_source *sources[2];
    size_t n_orders;     /* that the worker has not answered */
    bool slow;           /* somebody has waited for them in vain: nobody does again until all are answered */
    bool inherited;      /* something may stand that a run before has set: to be swept */
    bool unclean;        /* ... or that could not be taken off, and no sweep has succeeded since */
    unsigned n_sweeps;   /* of which none has succeeded */
    usec_t sweep_usec;   /* the next one; USEC_INFINITY */
    bool metering;       /* counters were ordered */
    bool began;          /* somebody has no rate yet: they may be read again soon */
    bool lapsed;         /* nothing is known of them: not read, or too long ago */
    usec_t metered_usec; /* when they were read last */
    struct LinkTable counted; /* what was read then */
    usec_t asked_usec;        /* when somebody looked last; 0: never */
    struct NetBaseline host;
    struct Readings host_readings;
    char trouble[256]; /* what cannot be done here, "" */
};

/* Connects if somebody wants it to. `inherited`: see above. */
void network_guard_open(struct NetworkGuard *guard, bool inherited);
void network_guard_close(struct NetworkGuard *guard);

/* A tenant has appeared, or there is another policy, or another override: is it wanted (any more)? */
void network_guard_meet(struct NetworkGuard *guard, struct Tenant *tenant);
void network_guard_reload(struct NetworkGuard *guard);
/* Its cgroup is gone. */
void network_guard_vanished(struct NetworkGuard *guard, struct Tenant *tenant);

/* Looks for its links, if anything is wanted of them. A container that is being started has them a moment
 * after its cgroup: so whenever its limits are looked at, and when one is announced. */
void network_guard_look(struct NetworkGuard *guard, struct Tenant *tenant, usec_t now);
/* For somebody who looks: connects if need be, and reads the counters. Waits for a moment at most. */
void network_guard_refresh(struct NetworkGuard *guard, struct Tenant *tenant, usec_t now);
/* Can its links be shaped at these rates? Else `why` (REASON_MAX) is a sentence. Likewise. */
bool network_guard_can(struct NetworkGuard *guard, struct Tenant *tenant, const struct Limits *limits,
                       char *why);

usec_t network_guard_due_usec(const struct NetworkGuard *guard);
void network_guard_pass(struct NetworkGuard *guard, usec_t now);

/* --- between the files of the network guard -------------------------------------------------------- */

/* Does its class, an operator or a limit that stands ask for anything of the network? */
bool network_is_used(const struct Tenant *tenant);
/* Who has the same links, the tenant itself included: the one at this place, from 0 on; NULL: there are no
 * more. Whoever has none shares them with nobody. */
struct Tenant *network_sharer(const struct NetworkGuard *guard, struct Tenant *tenant, size_t at);
/* All links, in place of those that are known: what is announced comes in again from here on. */
void network_listed(struct NetworkGuard *guard, int error, struct LinkTable *table);
/* Sweeps again, a while from now, if it was not tried too often already. */
void network_sweep_later(struct NetworkGuard *guard);
/* Why nothing leads into the tenant's namespace. */
void network_explained(struct NetworkGuard *guard, struct Tenant *tenant, const struct LinkTable *inside);
__attribute__((format(printf, 4, 5))) void network_notice(struct NetworkGuard *guard,
                                                          const struct Tenant *tenant, int priority,
                                                          const char *format, ...);
