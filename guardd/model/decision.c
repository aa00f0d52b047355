#include "model/decision.h"

const char *cause_name(enum Cause cause)
{
    static const char *const names[CAUSE_COUNT] = {
        [CAUSE_RULE] = "rule",   [CAUSE_RELIEF] = "relief", [CAUSE_OPERATOR] = "operator",
        [CAUSE_CLASS] = "class", [CAUSE_STOP] = "stop",     [CAUSE_RECOVERY] = "recovery",
    };

    return names[cause];
}

const char *result_name(enum Result result)
{
    static const char *const names[RESULT_COUNT] = {
        [RESULT_PENDING] = "pending",   [RESULT_DONE] = "done",       [RESULT_FAILED] = "failed",
        [RESULT_OBSERVED] = "observed", [RESULT_SKIPPED] = "skipped", [RESULT_SUPERSEDED] = "superseded",
        [RESULT_GONE] = "gone",
    };

    return names[result];
}
