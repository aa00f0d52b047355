/* A tenant: a cgroup that a class matches, with what guardd knows of it. Pure data, composed of the
 * parts that each room works on: the handle (tenant/, sense/, act/), the readings (sense/), the case
 * (decide/), the action under way (the pipeline). The registry owns it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>

#include "base/usec.h"
#include "model/agenda.h"
#include "model/cgroup.h"
#include "model/decision.h"
#include "model/disk.h"
#include "model/exemption.h"
#include "model/network.h"
#include "model/policy.h"
#include "model/rate.h"
#include "model/reading.h"
#include "model/strain.h"
#include "model/throttle.h"
#include "model/trail.h"

#define TENANT_NAME_MAX 256

/* Where a rule stands with a tenant. decide/engine.c holds the table of its moves. */
enum RulePhase {
    PHASE_IDLE,      /* the condition does not hold */
    PHASE_PENDING,   /* it holds, but not yet for as long as `for` asks */
    PHASE_ACTING,    /* a step was decided, its outcome is awaited */
    PHASE_STANDING,  /* the step is in force */
    PHASE_RELEASING, /* an inverse was decided, its outcome is awaited */
    PHASE_COUNT,
};

struct RuleState {
    enum RulePhase phase;
    size_t step;             /* index into the rule's steps, in ACTING and STANDING */
    bool step_failed;        /* it did not take: not in force, to be tried again or passed */
    bool elected;            /* of a rule with Scope=host: this tenant is the victim */
    bool withheld;           /* a kill is due but held back (protected, budget, relief); said once */
    bool came_down;          /* to this step from a stronger one: the way up again is a repeat */
    bool killed;             /* nothing is left to hold: all of it is let go, not step by step */
    usec_t began_usec;       /* the condition began to hold */
    usec_t step_usec;        /* the step took, or was last tried */
    usec_t stood_usec;       /* a step took last, or was come down to; 0: none */
    usec_t until_since_usec; /* Until began to hold; USEC_INFINITY while it does not */
    usec_t stall_since_usec; /* stuck in reclaim under a throttle; USEC_INFINITY while it is not */
    unsigned repeats;        /* offences of this name within the memory, this one not counted */
};

/* Why a tenant was elected by a rule with Scope=host, and not another one. */
struct Choice {
    char reason[REASON_MAX]; /* "": it was not */
    struct Rivals rivals;
    struct Series series; /* of the host's reading */
};

struct Case {
    struct RuleState rules[POLICY_CLASS_RULES_MAX];
    struct Choice election;
    uint32_t holders;   /* bit i: HOLDER i keeps it frozen */
    usec_t look_usec;   /* when decide wants to look again; USEC_INFINITY at peace */
    struct Trail trail; /* of what the rules go by */
};

/* The action whose outcome is awaited; one per tenant. */
struct Action {
    bool under_way;
    struct Decision decision;
    usec_t deadline_usec;
    uint64_t ticket; /* whom to answer; 0: nobody */
};

/* Memory of the pids sensor between two looks. */
struct PidsBaseline {
    bool valid;
    uint64_t denied, denied_local; /* the counters, not the differences; UINT64_MAX: not known */
    int64_t current;
    usec_t at_usec;
};

/* What guardd did to one limit of a tenant. */
struct LimitState {
    bool applied;      /* by guardd: `found` is to be given back on release */
    unsigned waiting;  /* times the service manager was asked and has not answered yet */
    bool untold;       /* written direct to a unit that is being started; the service manager is told later */
    bool told;         /* it was told of an earlier value, and would come back to that one */
    usec_t asked_usec; /* when it was decided last */
    uint64_t action;   /* the number of that decision */
    uint32_t cause;    /* of it: enum Cause */
    uint32_t uid;      /* and whose wish it was */
    uint64_t found;    /* before guardd */
    uint64_t value;    /* in force through guardd */
    uint64_t previous; /* in force before it: through guardd, or as found */
    char note[192];    /* why it is not as the class asks, "" when it is */
};

/* What the kernel said last of a limit that a file of the cgroup keeps. */
struct LimitView {
    bool known, measured;
    uint64_t present; /* enforced; where `known` */
    uint64_t used;    /* of what it bounds; where `measured`: memory and swap */
};

/* What systemd-oomd is told with ManagedOOMPreference=; guardd respects it in elections. */
enum OomPreference {
    OOM_PREFERENCE_NONE,
    OOM_PREFERENCE_AVOID, /* only when there is nobody else */
    OOM_PREFERENCE_OMIT,  /* never */
};

#define LEDGER_SLOT_NONE UINT32_MAX

struct Tenant {
    struct Cgroup cgroup;
    char name[TENANT_NAME_MAX];        /* docker/web, podman/db, user/alice, nginx.service, else the path */
    char container_id[65];             /* "" when it is no container */
    const struct TenantClass *class;   /* of the current policy; NULL: no class any more */
    char protected_by[128];            /* the glob or the reason, "" when it is not protected */
    bool untouchable;                  /* holds guardd, PID 1 or what they need: no limits either */
    bool released;                     /* by the operator: left alone until a reload */
    struct Exemption exemption;        /* by the operator: no rule does anything to it */
    enum OomPreference oom_preference; /* ManagedOOMPreference= of its unit, or its xattr */
    bool gone;                         /* the cgroup was removed, the registry is about to forget it */
    bool was_here;                     /* before this run of guardd */
    usec_t appeared_usec;
    usec_t limits_due_usec; /* when its limits are looked at again; USEC_INFINITY */
    unsigned limit_checks;  /* how often since it changed last */
    bool settling;          /* its runtime may still be at work on it: that many looks are not over */

    struct Limits overrides;  /* by an operator, live: before what the class asks for */
    char **state_directories; /* StateDirectory= of its unit, absolute, NULL-terminated; NULL: not known;
                                 owned */
    struct Disk disk;
    struct Readings readings;
    struct PidsBaseline pids;
    struct Strain strain;
    struct Network network;
    struct NetBaseline net;
    struct Throttle throttles[RESOURCE_COUNT]; /* of those that can be */
    struct Case condition;
    struct Action action;
    struct Action throttling; /* a throttle, or its end, that the worker has still to write */
    struct LimitState limits[LIMIT_COUNT];
    struct LimitView views[LIMIT_COUNT];
    const struct Rate *disks; /* of the host, that limits of I/O are for; NULL: not known; borrowed */
    struct Rate rates[LIMIT_RATE_COUNT]; /* where such a limit stands, while it is applied */
    uint32_t hold_slots[HOLDER_COUNT];   /* in the ledger; LEDGER_SLOT_NONE */
    uint32_t limit_slots[LIMIT_COUNT];

    uint64_t traced; /* the number of the segment of the trace that has its state; 0: none */

    UT_hash_handle hh;             /* by cgroup.id */
    struct Agenda *agenda;         /* of its registry; NULL: it is in none */
    struct Tenant *before, *after; /* on it */
    bool on_agenda;
};

/* What is asked for a limit: the operator's override, else the class's. false: nothing. */
bool tenant_asked(const struct Tenant *tenant, enum LimitId id, uint64_t *ret_value);

/* Does its class list the rule? `ret_index` may be NULL. */
bool tenant_lists(const struct Tenant *tenant, const struct Rule *rule, size_t *ret_index);

/* Does a throttle stand in the file that keeps this limit? What was there before it puts back. */
bool tenant_throttled_at(const struct Tenant *tenant, enum LimitId id);

const char *phase_name(enum RulePhase phase);

/* A rule is pending or stands. */
bool tenant_is_armed(const struct Tenant *tenant);

/* By an operator, for a time. */
bool tenant_is_exempt(const struct Tenant *tenant);
/* No rule does anything to it: released, or exempt. */
bool tenant_is_left_alone(const struct Tenant *tenant);

/* In any resource, or on its way to it. */
bool tenant_is_throttled(const struct Tenant *tenant);

/* One word for a table: "ok", "armed", "throttled", "frozen", "killing", "released", "exempt",
 * "protected". */
const char *tenant_state(const struct Tenant *tenant);
