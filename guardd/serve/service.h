/* The varlink service: a listening socket, the methods (look.c, change.c, limits.c,
 * inspect.c, trace.c), who may call them (authority.c),
 * and the peers that wait: for the outcome of their action, or for every event (`Watch`).
 *
 * It changes nothing itself. What it shows it reads from the rooms below through `struct ServiceView`; what
 * it is asked to do it hands to the daemon through `struct ServiceOps`, so that an operator's action takes
 * the same way as a rule's. A peer costs itself its connection: bounds on connections (all and per user), a
 * watcher whose socket is full is dropped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <systemd/sd-event.h>
#include <systemd/sd-varlink.h>

#include "config/config.h"
#include "decide/health.h"
#include "model/author.h"
#include "model/event.h"
#include "model/tenant.h"
#include "model/verb.h"
#include "record/history.h"
#include "record/override.h"
#include "record/tally.h"
#include "record/trace.h"
#include "sense/host.h"
#include "tenant/registry.h"

/* What GetStatus and GetMetrics tell beyond the registry. */
struct ServiceStatus {
    const char *mode, *configured_mode;
    const struct Author *mode_by; /* who has changed the mode live; NULL: nobody */
    usec_t mode_realtime_usec;    /* and when */
    const char *health;           /* one word, and */
    char sentence[HEALTH_SENTENCE_MAX];
    const char *cgroup_root;
    usec_t started_realtime_usec;
    size_t standing; /* tenants kept frozen now */
    size_t throttled, exempt;
    unsigned kills_left, kills_limit;
    usec_t kills_window_usec;
    const struct HostFindings *host;
    const struct Tally *tally; /* NULL: nothing was counted */
    uint64_t events_lost;      /* to the journal */
    const char *notices[8]; /* what is degraded now, NULL-terminated: watches exhausted, no ledger, no bus */
};

/* What an operator's wish came to at once. */
enum ServiceAnswer {
    SERVICE_REFUSED = 1, /* `ret_why` says why */
    SERVICE_UNDER_WAY,   /* the outcome comes through service_settled() with the ticket given */
    SERVICE_DONE,        /* there was nothing to wait for */
    SERVICE_CHANGED,     /* of set and reset: the version is another one, `ret_why` says what has changed */
};

/* VERB_FREEZE, KILL, THROTTLE; THAW, which takes throttles off too. */
struct ServiceAct {
    enum Verb verb;
    enum Resource resource; /* VERB_THROTTLE */
    unsigned percent;       /* VERB_THROTTLE: to this share of what it uses */
};

struct ServiceOps {
    /* An operator asks for something ("set TasksMax=300"), of a tenant or of the host (NULL); called before
     * it is begun. For the record. */
    void (*asked)(void *userdata, const struct Tenant *tenant, const struct Author *author, const char *what);
    /* What is done by hand. `why` (REASON_MAX bytes) is filled on SERVICE_REFUSED, and with a remark on
     * SERVICE_DONE. */
    int (*act)(void *userdata, struct Tenant *tenant, const struct ServiceAct *act, uid_t uid,
               uint64_t ticket, char *why);
    /* Takes actions and limits off one tenant (NULL: all, and what the ledger holds besides) and leaves it
     * alone until a reload. `ret_released`: how many tenants it took something from; set before the
     * outcome comes, and never after this has returned. Returns SERVICE_UNDER_WAY: the outcome comes through
     * service_settled() with this ticket and no decision, possibly before this returns; or a negative errno.
     */
    int (*release)(void *userdata, struct Tenant *tenant, uid_t uid, uint64_t ticket, size_t *ret_released);
    /* Live limits of a tenant, all or none; `limits->set` names them, a value may be LIMIT_INFINITY.
     * `why` is filled on SERVICE_REFUSED and SERVICE_CHANGED. SERVICE_UNDER_WAY:
     * the outcome comes through service_settled() with this ticket and no decision, possibly before this
     * returns; RESULT_FAILED: what could not be applied is named in its text, and everything is as before.
     * The answer tells of tenant->limits, overrides and readings: these are of now before the outcome comes.
     * SERVICE_DONE: there was nothing to change; `why` may hold a remark. */
    int (*set)(void *userdata, struct Tenant *tenant, const struct Limits *limits,
               const struct OverrideWish *wish, uint64_t ticket, char *why);
    /* Takes overrides back: those named in `limits->set`, or all (NULL). As above; of the wish author and
     * version count. */
    int (*reset)(void *userdata, struct Tenant *tenant, const struct Limits *limits,
                 const struct OverrideWish *wish, uint64_t ticket, char *why);
    /* Walks the tenant's directories: is every file counted for it? `repair`: and mends what is not. As
     * above; before the outcome, tenant->disk.directories hold what was found: `changed` what had not its
     * project (and has it now with `repair`), `passed_over` what was left as it is. All directories that are
     * not DIRECTORY_OUT are DIRECTORY_COUNTED when nothing is wrong. */
    int (*inspect)(void *userdata, struct Tenant *tenant, bool repair, uid_t uid, uint64_t ticket, char *why);
    /* Until a reload, or the end of this run. */
    void (*set_mode)(void *userdata, enum Mode mode, const struct Author *author);
    /* No rule does anything to it for so long; 0: it ends now. SERVICE_REFUSED with `why`, or SERVICE_DONE,
     * perhaps with a remark. */
    int (*exempt)(void *userdata, struct Tenant *tenant, usec_t for_usec, const struct Author *author,
                  char *why);
    /* 0, CONFIG_INVALID with problems (nothing changed), or a negative errno. */
    int (*reload)(void *userdata, struct Problems *problems);
    void (*status)(void *userdata, struct ServiceStatus *ret);
    /* Takes a fresh look at a tenant, so that what is shown is of now. */
    void (*refresh)(void *userdata, struct Tenant *tenant);
    usec_t (*now)(void *userdata);
    usec_t (*realtime)(void *userdata);
};

struct ServiceView {
    const struct Registry *registry;
    struct History *history;
    const struct Config *const *config; /* the daemon's current one, whatever it is at the call */
    const struct Overrides *overrides;
    struct Trace *trace; /* NULL: none */
};

/* Of everything here in the event loop: behind what guards. */
#define SERVICE_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)

struct ServicePeer; /* one connection: what it waits for, what it has sent; peer.h */

struct Service {
    sd_varlink_server *server;
    sd_event_source *door, *door_opens; /* where peers knock, and when they are heard again (door.h) */
    bool door_was_shut;
    struct ServiceView view;
    const struct ServiceOps *ops;
    void *userdata;
    struct ServicePeer *peers; /* utlist */
    uint64_t last_ticket;
    struct Listing *listing; /* the one that is being made (listing.h); owned, NULL */
    uint64_t last_wish;
    sd_event_source *lister; /* makes listings, a few tenants a turn */
    sd_event_source *feed;   /* takes what is new in the history to the watchers */
    uint64_t fed;            /* sequence of the last event that the watchers were sent */
    const char *group_file;  /* /etc/group; tests name another one after service_open() */
    const char *passwd_file;
};

/* Listens on `fd` (taken over, on failure too: a socket from the service manager), or on `address` when it is
 * negative. Peers are served after everything else that is ready in `event`. The view, the ops and what they
 * point to outlive it. */
int service_open(struct Service *service, sd_event *event, int fd, const char *address,
                 const struct ServiceView *view, const struct ServiceOps *ops, void *userdata);
/* Hangs up on every peer. A zeroed Service, or one that could not be opened, may be closed too. */
void service_close(struct Service *service);

/* The outcome of the action with this ticket; answers the peer that waits, if there still is one. May be
 * called from within ServiceOps.act, .release, .set, .reset and .inspect. Only of .act there is a decision;
 * of the others the tenant is NULL when it is gone, or when all were released. Ticket 0 is nobody's. */
void service_settled(struct Service *service, uint64_t ticket, const struct Tenant *tenant,
                     const struct Decision *decision, const struct Outcome *outcome);
/* The history has one more event. Watchers are sent it later, behind everything urgent: this neither
 * allocates nor writes, so it may stand on the way to a freeze. */
void service_event(struct Service *service);
/* What is new in the history is sent now, when that is quickly done; else as by service_event(). */
void service_tell(struct Service *service);
