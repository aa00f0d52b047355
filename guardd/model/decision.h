/* A decision is what decide/ (or an operator) wants done, and why; an outcome is what really came of
 * it. Both are plain values of fixed size: they are made on the way from an event to a freeze, where
 * nothing is allocated. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/usec.h"
#include "model/limit.h"
#include "model/policy.h"
#include "model/resource.h"
#include "model/trail.h"
#include "model/verb.h"

#define REASON_MAX 512

/* Who keeps a tenant frozen or throttled: a rule of its class by its index, or the operator. */
#define HOLDER_OPERATOR POLICY_CLASS_RULES_MAX
#define HOLDER_COUNT (POLICY_CLASS_RULES_MAX + 1)

enum Cause {
    CAUSE_RULE,     /* a rule's condition holds */
    CAUSE_RELIEF,   /* the danger has passed: the inverse */
    CAUSE_OPERATOR, /* by hand */
    CAUSE_CLASS,    /* the class sets a limit */
    CAUSE_STOP,     /* guardd stops and takes its standing actions with it */
    CAUSE_RECOVERY, /* taken up from the run before */
    CAUSE_COUNT,
};

/* A reading as it was held against one condition of a rule. */
struct Evidence {
    struct Condition condition;
    bool known;           /* it could be taken: the three below are valid */
    int64_t value, limit; /* limit READING_UNLIMITED: none */
    struct Series series; /* up to this value */
};

/* Who had less of what a rule ranks by, or could not be meant. */
#define RIVALS_MAX 4
#define RIVAL_NAME_MAX 96
struct Rival {
    char name[RIVAL_NAME_MAX]; /* cut when longer */
    bool known;                /* `value` is */
    int64_t value;
    const char *against; /* what speaks against it, static; NULL: it has less */
};

/* Of a rule with Scope=host: why this tenant and not the others. */
struct Rivals {
    bool any;            /* there was an election, and this tenant was elected */
    enum ReadingId rank; /* of which it has most */
    int64_t value;       /* so much of it */
    size_t n;            /* those passed over, the first in the order of election */
    size_t more;         /* and so many who are not listed */
    struct Rival list[RIVALS_MAX];
};

struct Decision {
    uint64_t action; /* its number, of this run and all others; 0: not carried out yet */
    enum Verb verb;
    enum Cause cause;
    bool withheld;              /* more was due and is held back, and the reason says why */
    unsigned holder;            /* index of the rule, or HOLDER_OPERATOR */
    char rule[POLICY_NAME_MAX]; /* "" when no rule decided it */
    uint32_t uid;               /* of the operator */
    enum LimitId limit;         /* VERB_LIMIT, VERB_UNLIMIT */
    uint64_t value;             /* the limit asked for */
    enum Resource resource;     /* VERB_THROTTLE, VERB_UNTHROTTLE */
    unsigned percent;           /* VERB_THROTTLE: to this share of what it uses */
    usec_t at_usec;
    unsigned step, n_steps;      /* of the rule, from 1; 0: it is no step of a rule */
    bool begins;                 /* the rule decides by When=, not because Until= holds or does not */
    struct Evidence when, until; /* where n_steps > 0 */
    struct Rivals rivals;
    char reason[REASON_MAX]; /* a sentence: reading, threshold, what was passed over */
};

#define DECISIONS_MAX (2 * POLICY_CLASS_RULES_MAX)
struct Decisions {
    size_t n;
    struct Decision list[DECISIONS_MAX];
};

enum Result {
    RESULT_PENDING,    /* written, the kernel has not confirmed it yet */
    RESULT_DONE,       /* done and verified */
    RESULT_FAILED,     /* not done; what was begun is undone */
    RESULT_OBSERVED,   /* Mode=observe: would have been done */
    RESULT_SKIPPED,    /* there was nothing to do, and the reason says why */
    RESULT_SUPERSEDED, /* a stronger or later decision took its place */
    RESULT_GONE,       /* the cgroup vanished first */
    RESULT_COUNT,
};

struct Outcome {
    enum Result result;
    int error;             /* negative errno of RESULT_FAILED, else 0 */
    usec_t took_usec;      /* from the decision to the confirmation */
    char text[REASON_MAX]; /* a sentence where there is more to say, else "" */
};

/* How people name an action: "5f3c09ab-17". Returns `buf`. The upper half of the number tells runs apart. */
const char *action_format(uint64_t action, char *buf, size_t size);
#define ACTION_FORMAT_MAX 24
/* false: it is no name of an action. */
bool action_parse(const char *text, uint64_t *ret_action);
/* A limit of the class: such come and go with containers. */
bool decision_is_for_lookup(const struct Decision *decision);
/* syslog(3): how loudly it is told. */
int decision_priority(const struct Decision *decision);

const char *cause_name(enum Cause cause);
const char *result_name(enum Result result);

/* Did the tenant end up as the decision wanted? Observing counts, so that a rule's steps go on. */
static inline bool result_is_success(enum Result result)
{
    return result == RESULT_DONE || result == RESULT_OBSERVED || result == RESULT_SKIPPED;
}
