/* The files of a throttle (model/throttle.h): what to write, writing it, and giving back what was there.
 *
 * cpu and io are written at once: the kernel only notes the new rate. memory.high is not: the writer reclaims
 * what is above it before it returns, which on a thrashing host takes long. So it is written by the worker
 * (act/worker.h). It is in force, and reads back so, from the beginning of the write on. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/cgroup.h"
#include "model/limit.h"
#include "model/reading.h"
#include "model/resource.h"
#include "model/strain.h"
#include "model/throttle.h"

/* The place of resource_throttle_file() among the cgroup's files. */
enum CgroupFile throttle_file(enum Resource resource);
/* The files (1u << enum CgroupFile) that throttle_plan() reads. */
uint32_t throttle_files(enum Resource resource);

/* Reads the file and makes the lines: `found` as it is, `value` for `percent` of what the tenant uses by its
 * last look (cpu: cpu.usage, not below 1 % of one CPU, never above a quota that is there; memory:
 * memory.current, not below 16 MiB, never above what memory.high is; io: the rates of each device that it
 * loads, not below 64 KiB/s and 8 operations a second, never above what is there). A value may be what was
 * found: then there is nothing to slow down. 0; -ENODATA: nothing is known of its use yet, or it loads no
 * device; -EBADF: no controller; -ENODEV. Writes nothing. */
int throttle_plan(const struct Cgroup *cgroup, enum Resource resource, unsigned percent,
                  const struct Strain *strain, const struct Readings *readings, struct Throttle *ret_plan);

/* Writes one line, and reads back that it is in force (the kernel rounds: pages, periods). -EIO: it is not.
 * -ENODEV of io: the cgroup, or the device, is gone. */
int throttle_write(const struct Cgroup *cgroup, enum Resource resource, const char *line);

/* Is `line` in force now? 1, 0, or < 0. */
int throttle_is(const struct Cgroup *cgroup, enum Resource resource, const char *line);

/* The present line into `ret_line` (THROTTLE_LINE_MAX); of io that of the device that `like` names. */
int throttle_read(const struct Cgroup *cgroup, enum Resource resource, const char *like, char *ret_line);

/* Do two lines mean the same? */
bool throttle_is_same(enum Resource resource, const char *a, const char *b);

/* What is the lower one of two lines (of io: number by number, of the device of `a`), into `ret_line`
 * (THROTTLE_LINE_MAX). -EBADMSG: one of them cannot be read. */
int throttle_lower(enum Resource resource, const char *a, const char *b, char *ret_line);

/* What a line says in the measure of a limit on the same file (limit_throttle()): bytes of memory.high,
 * hundredths of a percent of cpu.max, its number of io.max; UINT64_MAX for "max". -EBADMSG. */
int throttle_value(enum LimitId limit, const char *line, uint64_t *ret_value);
