/* The tagger with its two ioctls replaced: for tests, on filesystems that know no projects. */
#pragma once

#include <linux/fs.h>

#include "act/tagger.h"

struct TagOps {
    /* FS_IOC_FSGETXATTR and FS_IOC_FSSETXATTR: 0 or a negative errno. */
    int (*get)(void *userdata, int fd, struct fsxattr *ret);
    int (*set)(void *userdata, int fd, const struct fsxattr *attributes);
    void *userdata;
};

int tag_tree_with(const struct TagOrder *order, struct TagCount *count, const atomic_bool *stop,
                  const struct TagOps *ops);
