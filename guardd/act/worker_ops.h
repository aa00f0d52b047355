/* The worker with what it does replaced: for tests of who waits for whom. */
#pragma once

#include "act/worker.h"

struct WorkerOps {
    int (*limit)(void *userdata, const struct QuotaOrder *order, struct DiskUsage *ret);
    int (*tag)(void *userdata, const struct TagOrder *order, struct TagCount *count, const atomic_bool *stop);
    int (*write)(void *userdata, int fd, const char *line);
    void *userdata;
    unsigned close_msec; /* how long worker_close() waits for the threads */
};

/* `ops` must outlive the threads. */
int worker_open_with(struct Worker *worker, const struct WorkerEvents *events, void *userdata,
                     const struct WorkerOps *ops);
