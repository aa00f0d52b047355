/* A ring with one writer's thread behind it.
 *
 * The guard adds, the thread follows: `written` chases `last_sequence`. Both copy an event under the lock
 * and do nothing else there, so neither waits for the other longer than for a copy; what may block, the
 * sink, runs without it. An event that is overwritten before the thread got to it is lost, and told so with
 * the next one that gets through.
 *
 * At the end the thread gets some time to write what is left. If it is stuck in the sink still, it is
 * cancelled there: waiting for a socket is a cancellation point, and it holds no lock. */
#include "record/history.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "record/journal.h"

#define WRITER_STACK (256 * 1024)
#define CLOSE_SECONDS 2

static struct Event *event_at(const struct History *history, uint64_t sequence)
{
    return &history->ring[(sequence - 1) % history->capacity];
}

/* Sequence of the oldest event in the ring, one more than the newest when it is empty. */
static uint64_t oldest(const struct History *history)
{
    return history->last_sequence > history->capacity ? history->last_sequence - history->capacity + 1 : 1;
}

static bool is_for_sink(const struct Event *event)
{
    return event->priority < LOG_DEBUG;
}

/* The first event of a story is a decision, and what it decides is under way: the processor belongs to that,
 * not to the journal. */
#define WRITER_LAG_USEC (20 * USEC_PER_MSEC)

/* The next event for the sink, and what was lost before it. */
static bool writer_take(struct History *history, struct Event *ret_event, uint64_t *ret_lost)
{
    bool found = false;

    pthread_mutex_lock(&history->lock);
    if (history->written + 1 < oldest(history))
        history->written = oldest(history) - 1;
    while (!found && history->written < history->last_sequence)
        found = is_for_sink(event_at(history, ++history->written));
    if (found) {
        *ret_event = *event_at(history, history->written);
        *ret_lost = history->lost_unsaid;
        history->lost_unsaid = 0;
    }
    pthread_mutex_unlock(&history->lock);
    return found;
}

/* The sink took neither the event nor the word of those lost before it. */
static void writer_refused(struct History *history, uint64_t lost)
{
    pthread_mutex_lock(&history->lock);
    history->lost++;
    history->lost_unsaid += lost + 1;
    pthread_mutex_unlock(&history->lock);
}

static bool writer_stops(struct History *history)
{
    bool stopping;

    pthread_mutex_lock(&history->lock);
    stopping = history->stopping;
    pthread_mutex_unlock(&history->lock);
    return stopping;
}

static void writer_wait(const struct History *history)
{
    uint64_t wakes;

    while (read(history->wake_fd, &wakes, sizeof(wakes)) < 0 && errno == EINTR)
        ;
}

static void *writer_main(void *userdata)
{
    struct History *history = userdata;
    struct Event event;
    uint64_t lost;

    for (;;) {
        while (writer_take(history, &event, &lost))
            if (history->sink(history->sink_userdata, &event, lost) < 0)
                writer_refused(history, lost);
        if (writer_stops(history))
            return NULL;
        writer_wait(history);
        usleep(WRITER_LAG_USEC);
    }
}

static void writer_wake(const struct History *history)
{
    static const uint64_t one = 1;

    /* it would block after 2^64 - 2 wakes that nobody read */
    (void)!write(history->wake_fd, &one, sizeof(one));
}

/* Signals are the event loop's: a thread inherits what is blocked when it is made. */
static int writer_start(struct History *history)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int r;

    r = pthread_attr_init(&attributes);
    if (r != 0)
        return -r;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_attr_setstacksize(&attributes, WRITER_STACK);
    if (r == 0)
        r = pthread_create(&history->writer, &attributes, writer_main, history);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return -r;
}

static void history_free(struct History *history)
{
    pthread_mutex_destroy(&history->lock);
    fd_close(history->wake_fd);
    free(history->ring);
    *history = (struct History){.wake_fd = -EBADF};
}

int history_open_sink(struct History *history, size_t capacity, history_sink_t sink, void *userdata)
{
    int r;

    *history = (struct History){
        .capacity = capacity,
        .sink = sink,
        .sink_userdata = userdata,
        .wake_fd = eventfd(0, EFD_CLOEXEC),
    };
    if (history->wake_fd < 0)
        return negative_errno();
    history->ring = calloc(capacity, sizeof(*history->ring));
    r = history->ring ? -pthread_mutex_init(&history->lock, NULL) : -ENOMEM;
    if (r == 0)
        r = writer_start(history);
    if (r < 0)
        history_free(history);
    return r;
}

static int journal_sink(void *userdata, const struct Event *event, uint64_t lost)
{
    struct JournalEntry entry;
    int r = 0;

    if (lost > 0) {
        journal_compose_lost(lost, &entry);
        r = journal_send(&entry);
    }
    if (r < 0)
        return r;
    journal_compose(event, &entry);
    return journal_send(&entry);
}

/* A cgroup's name may hold anything but a slash: what is not printable would write to the terminal. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

static int stderr_sink(void *userdata, const struct Event *event, uint64_t lost)
{
    char sentence[EVENT_SENTENCE_MAX], line[TENANT_NAME_MAX + EVENT_SENTENCE_MAX];
    const char *tenant = event->tenant_id != 0 ? event->tenant : "";

    if (lost > 0)
        fprintf(stderr, "%llu events are missing here\n", (unsigned long long)lost);
    snprintf(line, sizeof(line), "%s%s%s", tenant, tenant[0] != '\0' ? ": " : "",
             event_sentence(event, sentence, sizeof(sentence)));
    make_printable(line);
    return fprintf(stderr, "%s\n", line) < 0 ? -EIO : 0;
}

int history_open(struct History *history, size_t capacity, bool journal)
{
    return history_open_sink(history, capacity, journal ? journal_sink : stderr_sink, NULL);
}

static bool writer_join(struct History *history)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += CLOSE_SECONDS;
    return pthread_clockjoin_np(history->writer, NULL, CLOCK_MONOTONIC, &until) == 0;
}

void history_close(struct History *history)
{
    if (!history->ring)
        return;
    pthread_mutex_lock(&history->lock);
    history->stopping = true;
    pthread_mutex_unlock(&history->lock);
    writer_wake(history);
    if (!writer_join(history)) {
        pthread_cancel(history->writer);
        if (!writer_join(history))
            return; /* it may use the ring yet: the end of the process, which is near, frees it */
    }
    history_free(history);
}

void history_add(struct History *history, struct Event *event)
{
    uint64_t victim;

    pthread_mutex_lock(&history->lock);
    event->sequence = ++history->last_sequence;
    victim = event->sequence > history->capacity ? event->sequence - history->capacity : 0;
    if (victim > history->written && is_for_sink(event_at(history, victim))) {
        history->lost++;
        history->lost_unsaid++;
    }
    *event_at(history, event->sequence) = *event;
    pthread_mutex_unlock(&history->lock);
    if (is_for_sink(event))
        history->waiting = true;
}

void history_write(struct History *history)
{
    if (history->waiting)
        writer_wake(history);
    history->waiting = false;
}

uint64_t history_lost(struct History *history)
{
    uint64_t lost;

    pthread_mutex_lock(&history->lock);
    lost = history->lost;
    pthread_mutex_unlock(&history->lock);
    return lost;
}

bool history_get(struct History *history, uint64_t sequence, struct Event *ret_event)
{
    bool found;

    pthread_mutex_lock(&history->lock);
    found = sequence >= oldest(history) && sequence <= history->last_sequence;
    if (found)
        *ret_event = *event_at(history, sequence);
    pthread_mutex_unlock(&history->lock);
    return found;
}

bool history_get_of(struct History *history, uint64_t tenant_id, uint64_t *sequence, struct Event *ret_event)
{
    uint64_t at;
    bool found = false;

    pthread_mutex_lock(&history->lock);
    at = *sequence < history->last_sequence ? *sequence : history->last_sequence;
    for (; !found && at >= oldest(history) && at > 0; at--) {
        found = event_at(history, at)->tenant_id == tenant_id;
        if (found) {
            *ret_event = *event_at(history, at);
            *sequence = at;
        }
    }
    pthread_mutex_unlock(&history->lock);
    return found;
}
