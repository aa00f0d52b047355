/* What the kernel says of project quota on a filesystem. Private to sense/; what others may ask is in
 * sense/filesystem.h. */
#pragma once

#include "sense/filesystem.h"

enum QuotaState {
    QUOTA_OFF,      /* projects are not counted */
    QUOTA_COUNTED,  /* counted, but limits do not bind */
    QUOTA_ENFORCED, /* limits bind */
};

/* A descriptor (O_PATH) of the mount point. -ENODEV: it is another filesystem now. */
int filesystem_open(const struct Filesystem *filesystem);

/* -EOPNOTSUPP: this kernel has no quotactl_fd(2) (Linux 5.14). */
int quota_probe(int fd, enum QuotaState *ret);

/* Whether it is guarded, and why not, by what probing it gave: an error, or a state. */
void filesystem_explain(struct Filesystem *filesystem, int error, enum QuotaState state);
