/* Text -> values of the keys that are about disks, as values.h has it for all others: DiskRoots=, DiskPath=,
 * ProjectIds=, DiskWarnAt=. (Limits are in values.h.) Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/problem.h"

/* What the keys are when nobody sets them. */
extern const char *const disk_default_roots[]; /* NULL-terminated */
#define DISK_DEFAULT_FIRST_PROJECT 1000000
#define DISK_DEFAULT_LAST_PROJECT 1999999
#define DISK_DEFAULT_WARN_PERCENT 80

/* An absolute path without '.' and '..', and not '/' itself. It comes without '/' at its end. */
bool value_disk_root(const char *text, struct Complaint *complaint);
/* Such a path that may hold %n %p %u %U %%, or "StateDirectory". */
bool value_disk_path(const char *text, struct Complaint *complaint);
/* FIRST-LAST. 0 is no project, and the last number of all means none to some. */
bool value_project_ids(const char *text, uint32_t *ret_first, uint32_t *ret_last,
                       struct Complaint *complaint);
/* 1% to 99%; 0 for "off". */
bool value_disk_warn(const char *text, unsigned *ret_percent, struct Complaint *complaint);
