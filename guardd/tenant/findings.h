/* Findings: the directories of a footprint while they are collected. Each is looked at as it comes in, and of
 * those that lie in one another the outer one stays. Private to tenant/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "model/disk.h"
#include "tenant/footprint.h"

#define FINDINGS_MAX 256    /* that count */
#define FINDINGS_OUT_MAX 64 /* that do not */
#define ON_TMPFS "on tmpfs: it is memory, not disk"

struct Findings {
    const struct FootprintSources *sources;
    struct Directory *list;
    size_t n, n_out, room;
    size_t dropped;
    int error; /* 0 or -ENOMEM */
};

void findings_done(struct Findings *findings);
/* A directory of this host: counts, or is out for a reason that is found here. `dev`: of the filesystem that
 * it must be on; 0: any. */
void findings_add(struct Findings *findings, enum DirectoryKind kind, const char *path, dev_t dev);
/* The same, but no word of it when it is not there. */
void findings_add_if_there(struct Findings *findings, enum DirectoryKind kind, const char *path, dev_t dev);
__attribute__((format(printf, 5, 6))) void findings_add_out(struct Findings *findings,
                                                            enum DirectoryKind kind, const char *path,
                                                            dev_t dev, const char *format, ...);
/* Sorted, and owned by the caller now. */
int findings_take(struct Findings *findings, struct Directory **ret_list, size_t *ret_n);
