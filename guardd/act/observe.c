/* Mode=observe: everything is decided and recorded, nothing is touched. */
#include "act/actuator.h"

#include <stddef.h>

static int observe_begin(const struct Cgroup *cgroup)
{
    return ACT_OBSERVED;
}

static int observe_settled(const struct Cgroup *cgroup)
{
    return ACT_SETTLED;
}

const struct Actuator actuator_observe = {
    .name = "observe",
    .timeout_usec = USEC_INFINITY, /* it never waits */
    .begin = observe_begin,
    .settled = observe_settled,
    .roll_back = NULL,
};
