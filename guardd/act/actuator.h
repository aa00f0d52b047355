/* An actuator carries out one verb on one cgroup. One table of operations, several back ends: the
 * kernel's files (freeze.c, kill.c) and observe.c, which touches nothing. The pipeline knows only this
 * header; it owns waiting, deadlines and records. None of these allocates, save terminate's.
 *
 * begin() writes; the kernel may need time. settled() reads whether the cgroup is as wanted; it is called
 * right after begin() and at each change of cgroup.events. roll_back() undoes a begun action that did not
 * settle in time. All of them return -ENODEV/-ENOENT when the cgroup is gone. */
#pragma once

#include <stdint.h>

#include "base/usec.h"
#include "model/cgroup.h"
#include "model/policy.h"
#include "model/verb.h"

#define ACT_PENDING 0  /* on its way */
#define ACT_SETTLED 1  /* the kernel confirms it */
#define ACT_OBSERVED 2 /* Mode=observe: nothing was done */

struct Actuator {
    const char *name;
    usec_t timeout_usec;                           /* for settled() to become true */
    int (*begin)(const struct Cgroup *cgroup);     /* ACT_* or < 0 */
    int (*settled)(const struct Cgroup *cgroup);   /* ACT_PENDING, ACT_SETTLED or < 0 */
    int (*roll_back)(const struct Cgroup *cgroup); /* NULL: there is nothing to undo */
};

/* Of VERB_FREEZE, THAW, TERMINATE and KILL; NULL for the others, which need no cgroup file. */
const struct Actuator *actuator_for(enum Verb verb, enum Mode mode);

extern const struct Actuator actuator_freeze, actuator_thaw, actuator_terminate, actuator_kill,
    actuator_observe;

/* Reads cgroup.events. */
int cgroup_read_state(int events_fd, struct CgroupState *ret);
