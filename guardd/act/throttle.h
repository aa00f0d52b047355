/* The files of a throttle (model/throttle.h): what to write, writing it, and giving back what was there.
 *
 * cpu and io are written at once: the kernel only notes the new rate. memory.high is not: the writer reclaims
 * what is above it before it returns, which on a thrashing host takes long. So it is written by the worker
 * (act/worker.h). */
#pragma once

#include "model/cgroup.h"
#include "model/reading.h"
#include "model/resource.h"
#include "model/strain.h"
#include "model/throttle.h"

/* Reads the file and makes the lines: `found` as it is, `value` for `percent` of what the tenant uses by its
 * last look (cpu: cpu.usage, not below 1 % of one CPU, never above a quota that is there; memory:
 * memory.current, never above what memory.high is; io: each device's rates, not below 64 KiB/s and 8
 * operations a second, never above what is there). 0; -ENODATA: nothing is known of its use yet, or it loads
 * no device; -EBADF: no controller; -ENODEV. Writes nothing. */
int throttle_plan(const struct Cgroup *cgroup, enum Resource resource, unsigned percent,
                  const struct Strain *strain, const struct Readings *readings, struct Throttle *ret_plan);

/* Writes one line, and reads back that it is in force (the kernel rounds: pages, periods). -EIO: it is not.
 */
int throttle_write(const struct Cgroup *cgroup, enum Resource resource, const char *line);

/* Is `line` in force now? 1, 0, or < 0. */
int throttle_is(const struct Cgroup *cgroup, enum Resource resource, const char *line);
