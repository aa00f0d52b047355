/* The worker: what may wait for a disk, for memory to be reclaimed, or for a lock of the kernel's is done
 * beside the loop, so that it never delays a freeze. It has a thread for each kind of job that it was opened
 * for (the unit's TasksMax= counts them): limits and lines of cgroup files; trees; tasks. A limit asked for
 * while a million files are tagged does not wait for them. Of each kind, jobs are done one after the other.
 * What came of them is handed back in the loop's thread by worker_dispatch(). */
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

/* What the worker does not know itself. */
struct WorkerTask {
    void (*run)(void *data);  /* in its thread */
    void (*done)(void *data); /* in the loop's, by worker_dispatch() */
    void (*free)(void *data); /* after that; or alone, when it is closed before */
};

struct Worker {
    struct WorkerState *state; /* owned; NULL: not open */
    struct WorkerEvents events;
    void *userdata;
};

/* Starts the threads for limits, lines and trees, with all signals blocked. */
int worker_open(struct Worker *worker, const struct WorkerEvents *events, void *userdata);
/* The one for tasks alone. */
int worker_open_tasks(struct Worker *worker);
/* Stops it: a tree under way is left where it is, what waits is not done. Waits for the threads at most 5 s:
 * one that hangs in the kernel is left to the end of the process. False: so it is, and what it was given may
 * still be in use. */
bool worker_close(struct Worker *worker);
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
/* A task, after those asked for before. `task` must outlive it; `data` is the worker's from now on, unless it
 * fails. */
int worker_run(struct Worker *worker, const struct WorkerTask *task, void *data);
/* Waits until limits, lines and tasks that were asked for are done, at most so long. */
void worker_finish(struct Worker *worker, uint64_t wait_usec);
