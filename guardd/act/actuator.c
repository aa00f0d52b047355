/* The table of operations: which actuator carries out which verb. Mode=observe is an actuator too, not
 * a question that each of the others has to ask. */
#include "act/actuator.h"

#include <stddef.h>

#include "base/fd.h"

const struct Actuator *actuator_for(enum Verb verb, enum Mode mode)
{
    static const struct Actuator *const actuators[VERB_COUNT] = {
        [VERB_FREEZE] = &actuator_freeze,
        [VERB_THAW] = &actuator_thaw,
        [VERB_TERMINATE] = &actuator_terminate,
        [VERB_KILL] = &actuator_kill,
    };

    if (verb < 0 || verb >= VERB_COUNT || !actuators[verb])
        return NULL;
    return mode == MODE_OBSERVE ? &actuator_observe : actuators[verb];
}

int cgroup_read_state(int events_fd, struct CgroupState *ret)
{
    char buf[256];
    uint64_t populated, frozen;
    ssize_t n = fd_read_file(events_fd, buf, sizeof(buf));

    if (n < 0)
        return (int)n;
    if (!keyed_value(buf, "populated", &populated) || !keyed_value(buf, "frozen", &frozen))
        return -EBADMSG;
    *ret = (struct CgroupState){.populated = populated != 0, .frozen = frozen != 0};
    return 0;
}
