/* quota_set() and quota_grace() with the system call replaced: for tests, where no filesystem keeps quotas.
 */
#pragma once

#include "act/quota.h"

struct QuotaOps {
    /* quotactl_fd(2): 0 or a negative errno. */
    int (*control)(void *userdata, int fd, unsigned command, uint32_t id, void *data);
    void *userdata;
};

int quota_set_with(const struct QuotaOrder *order, struct DiskUsage *ret, const struct QuotaOps *ops);
int quota_grace_with(const char *path, dev_t dev, uint32_t space_sec, uint32_t inodes_sec,
                     uint32_t *ret_found_space_sec, uint32_t *ret_found_inodes_sec,
                     const struct QuotaOps *ops);
