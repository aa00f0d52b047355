/* The history: a bounded ring, and a sink that may be slow, stuck or refuse without anyone waiting for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "record/history.h"

#define CAPACITY 8

struct Sink {
    pthread_mutex_t lock;
    sem_t entered, leave; /* of each event, when it is gated */
    bool gated, refuses, signals_blocked;
    size_t n;
    uint64_t sequence[1024], lost[1024];
};

struct Ground {
    struct History history;
    struct Sink sink;
};

static int take(void *userdata, const struct Event *event, uint64_t lost)
{
    struct Sink *sink = userdata;
    sigset_t mask;
    bool refuses;

    if (sink->gated) {
        sem_post(&sink->entered);
        while (sem_wait(&sink->leave) < 0 && errno == EINTR)
            ;
    }
    pthread_mutex_lock(&sink->lock);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    sink->signals_blocked = sigismember(&mask, SIGTERM) && sigismember(&mask, SIGCHLD);
    refuses = sink->refuses;
    if (!refuses) {
        sink->sequence[sink->n] = event->sequence;
        sink->lost[sink->n++] = lost;
    }
    pthread_mutex_unlock(&sink->lock);
    return refuses ? -EPIPE : 0;
}

static struct Ground *open_ground(bool gated)
{
    struct Ground *ground = calloc(1, sizeof(*ground));

    assert_non_null(ground);
    pthread_mutex_init(&ground->sink.lock, NULL);
    sem_init(&ground->sink.entered, 0, 0);
    sem_init(&ground->sink.leave, 0, 0);
    ground->sink.gated = gated;
    assert_int_equal(history_open_sink(&ground->history, CAPACITY, take, &ground->sink), 0);
    return ground;
}

static void close_ground(struct Ground *ground)
{
    history_close(&ground->history);
    sem_destroy(&ground->sink.entered);
    sem_destroy(&ground->sink.leave);
    pthread_mutex_destroy(&ground->sink.lock);
    free(ground);
}

static uint64_t add(struct Ground *ground, int priority)
{
    struct Event event = {.kind = EVENT_NOTICE, .priority = priority};

    history_add(&ground->history, &event);
    history_write(&ground->history);
    return event.sequence;
}

static void add_many(struct Ground *ground, size_t n)
{
    for (size_t i = 0; i < n; i++)
        (void)add(ground, LOG_NOTICE);
}

static double seconds_since(struct timespec begin)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begin.tv_sec) + (double)(now.tv_nsec - begin.tv_nsec) / 1e9;
}

static void events_are_numbered_from_one(void **state)
{
    struct Ground *ground = open_ground(false);
    struct Event event = {.sequence = 0};

    assert_false(history_get(&ground->history, 0, &event));
    assert_false(history_get(&ground->history, 1, &event));
    assert_int_equal(add(ground, LOG_NOTICE), 1);
    assert_int_equal(add(ground, LOG_DEBUG), 2);
    assert_true(history_get(&ground->history, 2, &event));
    assert_int_equal(event.sequence, 2);
    assert_int_equal(event.priority, LOG_DEBUG);
    assert_false(history_get(&ground->history, 3, &event));
    close_ground(ground);
}

static void the_ring_keeps_the_newest(void **state)
{
    struct Ground *ground = open_ground(false);
    struct Event event;

    add_many(ground, 3 * CAPACITY + 1);
    for (uint64_t sequence = 0; sequence <= 2 * CAPACITY + 1; sequence++)
        assert_false(history_get(&ground->history, sequence, &event));
    for (uint64_t sequence = 2 * CAPACITY + 2; sequence <= 3 * CAPACITY + 1; sequence++) {
        assert_true(history_get(&ground->history, sequence, &event));
        assert_int_equal(event.sequence, sequence);
    }
    assert_false(history_get(&ground->history, UINT64_MAX, &event));
    close_ground(ground);
}

static void add_of(struct Ground *ground, uint64_t tenant_id)
{
    struct Event event = {.kind = EVENT_NOTICE, .priority = LOG_DEBUG, .tenant_id = tenant_id};

    history_add(&ground->history, &event);
}

static void events_of_one_tenant_are_found_among_others(void **state)
{
    struct Ground *ground = open_ground(false);
    uint64_t sequence = UINT64_MAX;
    struct Event event;

    assert_false(history_get_of(&ground->history, 7, &sequence, &event));
    for (uint64_t i = 0; i < CAPACITY + 2; i++) /* 1, 3 and 5 are its own, and 1 is overwritten */
        add_of(ground, i < 5 && i % 2 == 0 ? 7 : 8);
    assert_true(history_get_of(&ground->history, 7, &sequence, &event));
    assert_int_equal(sequence, 5);
    assert_int_equal(event.sequence, 5);
    sequence--;
    assert_true(history_get_of(&ground->history, 7, &sequence, &event));
    assert_int_equal(sequence, 3);
    sequence--;
    assert_false(history_get_of(&ground->history, 7, &sequence, &event));
    assert_int_equal(sequence, 2);
    close_ground(ground);
}

static void closing_writes_what_is_left(void **state)
{
    struct Ground *ground = open_ground(true);

    add_many(ground, CAPACITY);
    for (size_t i = 0; i < CAPACITY; i++)
        sem_post(&ground->sink.leave);
    history_close(&ground->history);
    assert_int_equal(ground->sink.n, CAPACITY);
    for (size_t i = 0; i < CAPACITY; i++) {
        assert_int_equal(ground->sink.sequence[i], i + 1);
        assert_int_equal(ground->sink.lost[i], 0);
    }
    assert_true(ground->sink.signals_blocked);
    close_ground(ground);
}

static void a_stuck_sink_blocks_nobody_and_is_told_what_it_missed(void **state)
{
    struct Ground *ground = open_ground(true);
    struct timespec begin;

    (void)add(ground, LOG_NOTICE);
    sem_wait(&ground->sink.entered); /* it has the first, and is stuck with it */
    clock_gettime(CLOCK_MONOTONIC, &begin);
    add_many(ground, 1000 * CAPACITY);
    assert_true(seconds_since(begin) < 2);
    assert_int_equal(ground->history.lost, 999 * CAPACITY);
    for (size_t i = 0; i < CAPACITY + 1; i++)
        sem_post(&ground->sink.leave);
    history_close(&ground->history);
    assert_int_equal(ground->sink.n, CAPACITY + 1);
    assert_int_equal(ground->sink.lost[0], 0);
    assert_int_equal(ground->sink.lost[1], 999 * CAPACITY);
    assert_int_equal(ground->sink.sequence[1], 999 * CAPACITY + 2);
    for (size_t i = 2; i < CAPACITY + 1; i++)
        assert_int_equal(ground->sink.lost[i], 0); /* said once */
    close_ground(ground);
}

static void debug_events_stay_in_the_ring(void **state)
{
    struct Ground *ground = open_ground(true);
    struct Event event;

    (void)add(ground, LOG_NOTICE);
    sem_wait(&ground->sink.entered);
    for (size_t i = 0; i < 3 * CAPACITY; i++)
        (void)add(ground, LOG_DEBUG);
    assert_true(history_get(&ground->history, 3 * CAPACITY + 1, &event));
    (void)add(ground, LOG_INFO);
    for (size_t i = 0; i < 4; i++)
        sem_post(&ground->sink.leave);
    history_close(&ground->history);
    assert_int_equal(ground->sink.n, 2);
    assert_int_equal(ground->sink.sequence[1], 3 * CAPACITY + 2);
    assert_int_equal(ground->sink.lost[1], 0); /* what is not meant for it is not lost to it */
    close_ground(ground);
}

static void what_the_sink_refuses_is_lost(void **state)
{
    struct Ground *ground = open_ground(true);

    ground->sink.refuses = true;
    for (size_t i = 0; i < 3; i++) {
        (void)add(ground, LOG_NOTICE);
        sem_wait(&ground->sink.entered);
        sem_post(&ground->sink.leave);
    }
    (void)add(ground, LOG_NOTICE);
    sem_wait(&ground->sink.entered); /* so the third was refused */
    pthread_mutex_lock(&ground->sink.lock);
    ground->sink.refuses = false;
    pthread_mutex_unlock(&ground->sink.lock);
    sem_post(&ground->sink.leave);
    history_close(&ground->history);
    assert_int_equal(ground->sink.n, 1);
    assert_int_equal(ground->sink.sequence[0], 4);
    assert_true(ground->sink.lost[0] == 3);
    close_ground(ground);
}

static void the_writer_is_woken_afterwards(void **state)
{
    struct Ground *ground = open_ground(true);
    struct Event event = {.kind = EVENT_NOTICE, .priority = LOG_NOTICE};
    struct timespec until;

    usleep(200 * 1000); /* it looks once when it begins */
    history_add(&ground->history, &event);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    assert_true(sem_timedwait(&ground->sink.entered, &until) < 0 && errno == ETIMEDOUT);
    history_write(&ground->history);
    sem_wait(&ground->sink.entered);
    sem_post(&ground->sink.leave);
    close_ground(ground);
}

static void closing_does_not_wait_for_a_stuck_sink(void **state)
{
    struct Ground *ground = open_ground(true);
    struct timespec begin;

    (void)add(ground, LOG_NOTICE);
    sem_wait(&ground->sink.entered);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    history_close(&ground->history);
    assert_true(seconds_since(begin) < 4);
    assert_null(ground->history.ring);
    close_ground(ground); /* closing twice does no harm */
}

static void *look_around(void *userdata)
{
    struct Ground *ground = userdata;
    struct Event event;

    for (uint64_t sequence = 1; sequence <= 20000; sequence++)
        if (history_get(&ground->history, sequence, &event))
            assert_int_equal(event.sequence, sequence);
    return NULL;
}

static void an_event_is_copied_whole(void **state)
{
    struct Ground *ground = open_ground(false);
    pthread_t reader;

    ground->sink.refuses = true;
    assert_int_equal(pthread_create(&reader, NULL, look_around, ground), 0);
    add_many(ground, 20000);
    pthread_join(reader, NULL);
    close_ground(ground);
}

/* Runs with standard error going to a file, and reads what came. */
static void the_foreground_gets_a_line_each(void **state)
{
    struct History history;
    struct Event event = {.kind = EVENT_NOTICE, .priority = LOG_NOTICE, .text = "a sentence"};
    char text[512] = "";
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);

    assert_non_null(file);
    dup2(fileno(file), STDERR_FILENO);
    assert_int_equal(history_open(&history, CAPACITY, false), 0);
    history_add(&history, &event);
    event.tenant_id = 5;
    strcpy(event.tenant, "docker/\x1b[31mred\nforged: line");
    history_add(&history, &event);
    event.priority = LOG_DEBUG;
    history_add(&history, &event);
    history_close(&history);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, "a sentence\ndocker/?[31mred?forged: line: a sentence\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_numbered_from_one),
        cmocka_unit_test(the_ring_keeps_the_newest),
        cmocka_unit_test(events_of_one_tenant_are_found_among_others),
        cmocka_unit_test(closing_writes_what_is_left),
        cmocka_unit_test(a_stuck_sink_blocks_nobody_and_is_told_what_it_missed),
        cmocka_unit_test(debug_events_stay_in_the_ring),
        cmocka_unit_test(what_the_sink_refuses_is_lost),
        cmocka_unit_test(the_writer_is_woken_afterwards),
        cmocka_unit_test(closing_does_not_wait_for_a_stuck_sink),
        cmocka_unit_test(an_event_is_copied_whole),
        cmocka_unit_test(the_foreground_gets_a_line_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
