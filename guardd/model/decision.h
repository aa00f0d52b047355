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

struct Decision {
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

const char *cause_name(enum Cause cause);
const char *result_name(enum Result result);

/* Did the tenant end up as the decision wanted? Observing counts, so that a rule's steps go on. */
static inline bool result_is_success(enum Result result)
{
    return result == RESULT_DONE || result == RESULT_OBSERVED || result == RESULT_SKIPPED;
}
