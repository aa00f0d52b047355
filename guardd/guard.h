/* The guarding itself: the rooms below put together, without the process around them (daemon.c).
 *
 *   guard.c    what happens when a cgroup appears, changes or vanishes, and when time passes
 *   release.c  taking off what was put on: by an operator, at a stop
 *   reload.c   another policy for the tenants that are here
 *   exempting.c tenants that the rules leave alone for a time
 *   setting.c  limits that an operator sets live
 *   ends.c     what ends by itself
 *   disk.h     what tenants have on disk
 *   strain.h   pressure: memory, CPU, I/O
 *   network.h  what tenants send and get
 *
 * The guard asks for the time through `clock`, which is the loop's; all below it are handed `now`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "act/unit.h"
#include "config/config.h"
#include "decide/budget.h"
#include "decide/engine.h"
#include "decide/offence.h"
#include "disk.h"
#include "network.h"
#include "pipeline.h"
#include "record/exemption.h"
#include "record/history.h"
#include "record/ledger.h"
#include "record/override.h"
#include "record/trace.h"
#include "sense/host.h"
#include "sense/tree.h"
#include "strain.h"
#include "tenant/registry.h"

/* An operator's release whose limits the service manager has still to give back. */
struct PendingRelease {
    uint64_t ticket;    /* 0: the place is free */
    uint64_t tenant_id; /* 0: all */
};
#define PENDING_RELEASES_MAX 16

/* An operator's change of limits whose outcomes are awaited (setting.c). */
struct Setting {
    uint64_t ticket; /* 0: the place is free */
    uint64_t tenant_id;
    struct Limits asked;    /* which are set or reset */
    struct Override before; /* owned */
    struct Author author;
    uint32_t waiting; /* bit i: limit i */
    bool beginning;   /* they are being asked for: it is not over yet */
    bool undoing;     /* something went wrong: what was before is being put back */
    char failed[256]; /* what went wrong, "" */
};
#define SETTINGS_MAX 16

/* Who has changed the mode live. */
struct ModeChange {
    usec_t realtime_usec; /* 0: nobody, since the start or a reload */
    struct Author by;
};

/* Where this guard finds its host; all borrowed. */
struct GuardPlace {
    const char
        *root; /* put before configuration and state directories; "" on a host, a made-up tree in tests */
    const char *cgroup_root; /* over CgroupRoot=; NULL */
    const char *runtime_dir; /* of the ledger */
    const char *state_dir;   /* of projects and overrides */
    bool journal;            /* history to the journal, else to standard error */
};

struct Guard {
    const struct GuardPlace *place;
    usec_t (*clock)(void); /* CLOCK_BOOTTIME */
    /* The outcome of what an operator asked for with this ticket; a release has no decision. */
    void (*answer)(void *userdata, uint64_t ticket, const struct Tenant *tenant,
                   const struct Decision *decision, const struct Outcome *outcome);
    /* The history may have something that watchers wait for. */
    void (*announced)(void *userdata);
    void *userdata;

    sd_event *event;       /* borrowed */
    sd_event_source *ends; /* the timer of ends.h */
    struct Config *config; /* owned */
    char *cgroup_root;     /* owned */
    struct Rate disks;     /* that limits of I/O are for */
    struct HostFindings host;
    size_t n_cgroup_findings; /* the first of them; the others are of filesystems */
    struct Tree tree;
    struct Registry registry;
    struct Ledger ledger;
    struct History history;
    struct Trace trace;
    struct UnitManager units;
    struct KillBudget budget;
    struct Offences offences;
    struct Engine engine;
    struct Pipeline pipeline;
    struct DiskGuard disk;
    struct StrainGuard strain;
    struct NetworkGuard network;
    struct Overrides overrides;
    struct Exemptions exemptions;
    struct ModeChange mode_change;
    struct Setting settings[SETTINGS_MAX];
    struct PendingRelease releases[PENDING_RELEASES_MAX];
    usec_t sweep_usec; /* of the next sweep of the whole tree; USEC_INFINITY unless degraded */
    usec_t
        meet_usec; /* when those who could not be taken in are met again; USEC_INFINITY when nobody waits */
    usec_t meet_delay_usec;
    bool meeting_again; /* it has been said of them */
    bool complete;      /* false while those are met who were here before: at the start, at a reload */
    char ledger_trouble[256];
};

/* Opens everything and takes stock: every tenant, what the run before left, the limits. Takes over `config`.
 * The fields place, clock, answer and userdata are the caller's to set before. < 0: guard_close() is still
 * due. */
int guard_open(struct Guard *guard, struct Config *config, sd_event *event);
void guard_close(struct Guard *guard);

/* The tree has something to say (guard->tree, tree_fd()). */
void guard_dispatch(struct Guard *guard);
/* The time of day, by the loop. */
usec_t guard_realtime_usec(const struct Guard *guard);

/* When guard_pass() is due, USEC_INFINITY at peace; and the looks and deadlines that are due by now. Both
 * cost no more than there are tenants on the agenda. */
usec_t guard_due_usec(struct Guard *guard);
void guard_pass(struct Guard *guard);

/* Sense, decide, act: the short way of everything that guardd does by itself. */
void guard_look(struct Guard *guard, struct Tenant *tenant, usec_t now);
/* The same, for somebody who looks: reads its disk in any case, and finds a controller that was enabled
 * since. */
void guard_refresh(struct Guard *guard, struct Tenant *tenant);
/* A cgroup that is known to the tree, and perhaps to the registry. For tree_for_each(). */
void guard_meet(void *guard, uint64_t id, const char *path, int dir_fd);

/* Another configuration is in force: its TraceSize=, and the state that it begins with. */
void guard_begin_trace(struct Guard *guard);

/* What is mounted, or DiskRoots=, has changed: which disks limits of I/O are for. */
void guard_find_disks(struct Guard *guard);

/* A line about guardd itself, EVENT_NOTICE or EVENT_CONFIG: history and journal. */
void guard_notice(struct Guard *guard, enum EventKind kind, int priority, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
