/* The pids sensor: pids.current, pids.max and the count of refused forks ("max" in pids.events, which counts
 * refusals at the cgroup itself and below it, and announces both).
 *
 * Not every refusal below is one of the tenant's: a nested cgroup with a small limit of its own is no danger
 * to the host, and must not count against the tenant around it. But podman gives the container's scope and
 * the cgroup inside it the same limit, and the kernel, charging from the leaf upwards, counts every refusal
 * inside. So a refusal counts when it was at the tenant's own limit (pids.events.local), or when the tenant
 * stands at its own limit (from DENIED_NEAR_PERCENT on: tasks end between the refusal and the look). A kernel
 * without pids.events.local counts at the forking cgroup; there every refusal counts. */
#pragma once

#include "base/usec.h"
#include "model/cgroup.h"
#include "model/reading.h"
#include "model/tenant.h"

#define DENIED_NEAR_PERCENT 90

/* One look: fills tasks.current (with the limit), tasks.denied and tasks.growth since the baseline, and moves
 * the baseline on. The first look has neither denied nor growth: what was refused before is not ours to
 * judge. Without the controller the readings are not valid and 0 is returned. A counter that went back is
 * taken as a new beginning. Allocates nothing. -ENODEV when the cgroup is gone. */
int pids_look(const struct Cgroup *cgroup, struct PidsBaseline *baseline, usec_t now,
              struct Readings *readings);
