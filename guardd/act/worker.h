/* The worker: what may wait for a disk, or for memory to be reclaimed, is done beside the loop, so that it
 * never delays a freeze. It has two threads (the unit's TasksMax= counts them), one for limits and lines of
 * cgroup files, one for trees: a limit asked for while a million files are tagged does not wait for them. Of
 * each kind, jobs are done one after the other. What came of them is handed back in the loop's thread by
 * worker_dispatch(). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "act/quota.h"
#include "act/tagger.h"

struct WorkerJob; /* owned by the worker */
struct WorkerState;

/* Plain numbers of a TagCount. */
struct TagResult {
    uint64_t seen, changed, wrong, linked, foreign, failed;
};

struct WorkerEvents {
    /* `error`: 0 or what quota_set() returned; `usage`: as read back, zeroes after an error. */
    void (*limited)(void *userdata, uint64_t ticket, int error, const struct DiskUsage *usage);
    /* Of a tree: now and then (`done` false, at most about twice a second) and at its end. */
    void (*tagged)(void *userdata, uint64_t ticket, bool done, int error, const struct TagResult *result);
    /* `error`: 0, or what the write of the line returned. */
    void (*wrote)(void *userdata, uint64_t ticket, int error);
};

struct Worker {
    struct WorkerState *state; /* owned; NULL: not open */
    struct WorkerEvents events;
    void *userdata;
};

/* Starts the threads, with all signals blocked. */
int worker_open(struct Worker *worker, const struct WorkerEvents *events, void *userdata);
/* Stops it: a tree under way is left where it is, limits and lines that wait are not set. Waits for the
 * threads at most 5 s: one that hangs in the kernel is left to the end of the process. */
void worker_close(struct Worker *worker);
int worker_fd(const struct Worker *worker);
void worker_dispatch(struct Worker *worker);

/* The order is copied. `ticket` comes back with the events. -ENOMEM. */
int worker_limit(struct Worker *worker, const struct QuotaOrder *order, uint64_t ticket);
int worker_tag(struct Worker *worker, const struct TagOrder *order, uint64_t ticket);
/* Writes a line to a file of a cgroup, after the limits and lines asked for before. The descriptor is
 * duplicated, the line copied: both may go meanwhile. -EMFILE too. */
int worker_write(struct Worker *worker, int fd, const char *line, uint64_t ticket);
/* Trees with this ticket are stopped or not begun; no event comes for them any more. */
void worker_cancel(struct Worker *worker, uint64_t ticket);
/* Waits until limits and lines that were asked for are set, at most so long (at a stop). */
void worker_finish_limits(struct Worker *worker, uint64_t wait_usec);
