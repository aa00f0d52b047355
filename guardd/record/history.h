/* The history: the last events in a bounded ring, and all of them in the journal.
 *
 * A journald that is stuck or starved must not stop the guard: sd_journal_sendv() blocks when the socket
 * is full. So a thread of its own takes events from the ring to the journal; when it falls behind by more
 * than the ring, the oldest are lost to the journal, and the next line there says how many. Adding an event
 * copies it into the ring: no allocation, no I/O. The thread is woken afterwards, when there is time. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/event.h"

/* MESSAGE_IDs, explained in the catalog (journalctl -x). */
#define MESSAGE_ID_DECISION "6d2f5a0b9c6b4bb0a5a4d0d3c9a1e701"
#define MESSAGE_ID_OUTCOME "6d2f5a0b9c6b4bb0a5a4d0d3c9a1e702"
#define MESSAGE_ID_FAILED "6d2f5a0b9c6b4bb0a5a4d0d3c9a1e703"
#define MESSAGE_ID_WITHHELD "6d2f5a0b9c6b4bb0a5a4d0d3c9a1e704"
#define MESSAGE_ID_DEGRADED "6d2f5a0b9c6b4bb0a5a4d0d3c9a1e705"
#define MESSAGE_ID_CONFIG "6d2f5a0b9c6b4bb0a5a4d0d3c9a1e706"
#define MESSAGE_ID_CHANGE "6d2f5a0b9c6b4bb0a5a4d0d3c9a1e70a"

/* Where the writer takes events to. `lost`: how many it could not be given before this one. May wait. < 0: it
 * did not take it, which counts as lost. */
typedef int (*history_sink_t)(void *userdata, const struct Event *event, uint64_t lost);

struct History {
    struct Event *ring; /* owned; event N is in ring[(N - 1) % capacity] */
    size_t capacity;
    uint64_t last_sequence; /* of the newest event; 0: none yet */
    uint64_t written;       /* the writer's: sequence of the last one it took */
    uint64_t lost;          /* in all */
    uint64_t lost_unsaid;   /* of these, what the sink has not been told of */
    int wake_fd;
    bool waiting; /* there is something for the sink, and the writer was not woken for it */
    bool stopping;
    history_sink_t sink;
    void *sink_userdata;
    pthread_t writer;
    pthread_mutex_t lock; /* of everything above but what open() sets, and `waiting` */
};

/* `journal`: without it (tests, foreground) events go to standard error, a line each, by the same thread.
 * Events of LOG_DEBUG priority stay in the ring: a busy host's coming and going would flood the journal. */
int history_open(struct History *history, size_t capacity, bool journal);
/* The same with another sink. */
int history_open_sink(struct History *history, size_t capacity, history_sink_t sink, void *userdata);
/* Waits a bounded time for the writer to finish. */
void history_close(struct History *history);

/* Copies `event` and gives it its sequence number, which is written into it too. */
void history_add(struct History *history, struct Event *event);
/* Wakes the thread for what was added since it was woken last, if it is to have any of it. */
void history_write(struct History *history);

/* How many events the sink was not given, in all. */
uint64_t history_lost(struct History *history);

/* The event with that sequence; false when it is no longer or not yet in the ring. */
bool history_get(struct History *history, uint64_t sequence, struct Event *ret_event);

/* The newest event of a tenant (its cgroup's id) that is no newer than *sequence, which becomes its own.
 * false: there is none in the ring any more. The others are passed over, not copied. */
bool history_get_of(struct History *history, uint64_t tenant_id, uint64_t *sequence, struct Event *ret_event);
