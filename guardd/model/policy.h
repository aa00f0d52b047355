/* What the operator wants: classes of tenants, their limits, and the rules with their steps. Made and
 * owned by config/, immutable afterwards; a reload makes a new one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/usec.h"
#include "model/limit.h"
#include "model/reading.h"
#include "model/resource.h"
#include "model/verb.h"

#define POLICY_NAME_MAX 64        /* of a class or rule, NUL included */
#define POLICY_STEPS_MAX 8        /* steps of a rule */
#define POLICY_CLASS_RULES_MAX 16 /* rules of a class */
#define POLICY_BUDGET_MAX 64      /* kills a KillBudget= may name */

enum Mode {
    MODE_ENFORCE,
    MODE_OBSERVE, /* decide and record, act on nothing */
};

enum Comparison {
    COMPARISON_ABOVE,    /* > */
    COMPARISON_AT_LEAST, /* >= */
    COMPARISON_BELOW,    /* < */
    COMPARISON_AT_MOST,  /* <= */
};

/* READING OPERATOR VALUE [for DURATION] */
struct Condition {
    enum ReadingId reading;
    enum Comparison comparison;
    int64_t value;
    bool percent;    /* `value` is a percentage of the tenant's own limit */
    usec_t for_usec; /* it must hold that long without a break; 0: at once */
};

/* `kill 10s` is two steps: terminate for 10 s, then kill. */
struct Step {
    enum Verb verb;
    usec_t lasts_usec; /* before the next step; USEC_INFINITY for the last one */
};

enum Scope {
    SCOPE_TENANT, /* the condition is that of the tenant that is acted on */
    SCOPE_HOST, /* the condition is the host's; the victim is the worst by `rank` of those that list the rule
                 */
};

struct Rule {
    char name[POLICY_NAME_MAX];
    enum Scope scope;
    enum ReadingId rank; /* SCOPE_HOST: who has most of it */
    int64_t floor;       /* Floor=: and nobody below this much of it */
    struct Condition when, until;
    enum Resource resource; /* that its `throttle` step slows down: of Rank= with Scope=host, else of When= */
    unsigned throttle_percent; /* ThrottleTo=: of what the tenant uses; 0 of the network */
    struct Step steps[POLICY_STEPS_MAX];
    size_t n_steps; /* >= 1 */
};

/* ThrottleTo= where it is not said: half of the time or the rate, and nearly all of the memory, which is what
 * a tenant has in use and not what it takes anew. */
#define POLICY_THROTTLE_PERCENT 50
#define POLICY_THROTTLE_MEMORY_PERCENT 95

struct TenantClass {
    char name[POLICY_NAME_MAX];
    char **match; /* globs, NULL-terminated */
    struct Limits limits;
    char **disk_paths;            /* DiskPath=, NULL-terminated; %n %p %c %u %U, or "StateDirectory" */
    uint64_t network_burst_bytes; /* NetworkBurst=; 0: by the rate */
    uint64_t network_flood_bits;  /* NetworkFloodRate=: what a throttle leaves it; 0: not said */
    unsigned disk_warn_percent;   /* DiskWarnAt=: of each disk limit, the tripwire; 0: none */
    const struct Rule *rules[POLICY_CLASS_RULES_MAX];
    size_t n_rules;
    bool sweep;         /* a rule of tenant scope has When= on a reading that the kernel does not announce */
    uint32_t pressures; /* bit i: a rule of tenant scope is on enum Pressure i */
    bool strain;        /* has a rule on memory.*, cpu.* or io.*, or one that ranks by or throttles these */
    bool disk; /* has a disk limit, a DiskPath=, or a rule on disk.* or host.disk.*: it gets projects */
};

struct KillLimit {
    unsigned kills;     /* at most POLICY_BUDGET_MAX; 0: guardd never kills */
    usec_t window_usec; /* within this time */
};

/* What may be counted, and by which numbers. */
struct DiskPolicy {
    char **roots; /* DiskRoots=: absolute paths, NULL-terminated; what lies outside is never adopted */
    uint32_t first_project, last_project; /* ProjectIds= */
};

struct Policy {
    enum Mode mode;
    struct DiskPolicy disk;
    struct KillLimit kill_limit;
    char **protect; /* globs, NULL-terminated, the built-in ones included */
    struct TenantClass *classes;
    size_t n_classes;
    struct Rule *rules;
    size_t n_rules;
};

const char *mode_name(enum Mode mode);
const char *comparison_text(enum Comparison comparison);
/* Is `left > right`, or whatever the comparison says? */
bool comparison_holds(int64_t left, enum Comparison comparison, int64_t right);

/* The class that a cgroup path falls in: the first that matches in file order, else NULL. */
const struct TenantClass *policy_classify(const struct Policy *policy, const char *path);

/* The Protect= glob that a cgroup path matches, else NULL. */
const char *policy_protects(const struct Policy *policy, const char *path);

/* "tasks.current < 50% for 10s", "disk.growth > 100M/s": what config/ reads back as the same, into `buf`;
 * returns `buf`. Allocates nothing. */
const char *condition_format(const struct Condition *condition, char *buf, size_t size);
#define CONDITION_FORMAT_MAX 96

/* "throttle to 50% 10s", "freeze 5s", and "kill" for the last one, which stands. As above. */
const char *step_format(const struct Rule *rule, size_t step, char *buf, size_t size);
#define STEP_FORMAT_MAX 64

/* True when one of its steps is `verb`. */
bool rule_has_step(const struct Rule *rule, enum Verb verb);
/* True when one of its steps slows down in `resource`. */
bool rule_throttles(const struct Rule *rule, enum Resource resource);
