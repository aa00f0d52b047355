/* Findings: the directories and files of a footprint while they are collected. Each is looked at as it comes
 * in, and of those that lie in one another the outer one stays. Private to tenant/. */
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
/* A directory of this host, or of the kind DIRECTORY_RUNTIME a file: counts, or is out for a reason that is
 * found here. `dev`: of the filesystem that it must be on; 0: any. */
void findings_add(struct Findings *findings, enum DirectoryKind kind, const char *path, dev_t dev);
/* DIRECTORY_LAYER and DIRECTORY_WORK: both count or neither. `quiet`: no word of them when one is not there.
 * Were they there? */
bool findings_add_pair(struct Findings *findings, const char *upper, const char *work, bool quiet);
/* DIRECTORY_RUNTIME: what is in this directory and begins with one of `prefixes` (NULL-terminated). No word
 * of it when the directory is not there. */
void findings_add_beginning(struct Findings *findings, const char *directory, const char *const *prefixes);
__attribute__((format(printf, 5, 6))) void findings_add_out(struct Findings *findings,
                                                            enum DirectoryKind kind, const char *path,
                                                            dev_t dev, const char *format, ...);
/* Sorted, and owned by the caller now. */
int findings_take(struct Findings *findings, struct Directory **ret_list, size_t *ret_n);
