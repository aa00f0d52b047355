/* What an operator asks for by hand takes the same way as a rule's decision: here it becomes one, or is
 * refused with a sentence. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/decision.h"
#include "model/tenant.h"

enum OperatorAnswer {
    OPERATOR_DECIDED, /* `ret_decision` is to be carried out */
    OPERATOR_REFUSED, /* `ret_why` says why: protected */
    OPERATOR_NOTHING, /* it is so already; `ret_why` says so */
};

/* `verb`: VERB_FREEZE, VERB_THAW or VERB_KILL; what is throttled goes by operator_throttle(). `frozen`: what
 * cgroup.events says now. `ret_why`: REASON_MAX bytes. */
enum OperatorAnswer operator_decide(const struct Tenant *tenant, enum Verb verb, bool frozen, uint32_t uid,
                                    usec_t now, struct Decision *ret_decision, char *ret_why);

/* `verb`: VERB_THROTTLE, to `percent` (1 to 99) of what it uses of `resource`, for the operator as one more
 * holder; or VERB_UNTHROTTLE, which lets all holders of that resource go, as a thaw does. */
enum OperatorAnswer operator_throttle(const struct Tenant *tenant, enum Verb verb, enum Resource resource,
                                      unsigned percent, uint32_t uid, usec_t now,
                                      struct Decision *ret_decision, char *ret_why);
