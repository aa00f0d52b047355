/* Who waits for whom: the worker with limits and trees that are held up by the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "act/worker_ops.h"
#include "base/fd.h"

struct Ground {
    struct Worker worker;
    struct WorkerOps ops;
    sem_t tree_begun, tree_go, limit_begun, limit_go;
    atomic_bool hold_trees, hold_limits, deaf; /* deaf: a tree does not heed its stop */
    atomic_uint trees, stopped;
    atomic_int nice;
    /* events */
    unsigned limited, tagged, progress, wrote;
    uint64_t tickets[16];
    int error;
    struct TagResult result;
    struct DiskUsage usage;
    uint64_t cancel_in_event;
};

static int fake_limit(void *userdata, const struct QuotaOrder *order, struct DiskUsage *ret)
{
    struct Ground *ground = userdata;

    sem_post(&ground->limit_begun);
    if (atomic_load(&ground->hold_limits))
        sem_wait(&ground->limit_go);
    assert_string_equal(order->path, "/srv");
    *ret = (struct DiskUsage){.inodes = order->project};
    return order->project == 13 ? -EROFS : 0;
}

static int fake_tag(void *userdata, const struct TagOrder *order, struct TagCount *count,
                    const atomic_bool *stop)
{
    struct Ground *ground = userdata;

    atomic_fetch_add(&ground->trees, 1);
    atomic_store(&ground->nice, getpriority(PRIO_PROCESS, (id_t)gettid()));
    atomic_store(&count->seen, order->project);
    atomic_store(&count->linked, 5);
    sem_post(&ground->tree_begun);
    while (atomic_load(&ground->hold_trees) && sem_trywait(&ground->tree_go) < 0) {
        if (atomic_load(stop) && !atomic_load(&ground->deaf)) {
            atomic_fetch_add(&ground->stopped, 1);
            return TAG_STOPPED;
        }
        usleep(1000);
    }
    return 0;
}

static void on_limited(void *userdata, uint64_t ticket, int error, const struct DiskUsage *usage)
{
    struct Ground *ground = userdata;

    ground->tickets[ground->limited++] = ticket;
    ground->error = error;
    ground->usage = *usage;
    if (ground->cancel_in_event)
        worker_cancel(&ground->worker, ground->cancel_in_event);
}

static void on_tagged(void *userdata, uint64_t ticket, bool done, int error, const struct TagResult *result)
{
    struct Ground *ground = userdata;

    ground->result = *result;
    if (!done) {
        ground->progress++;
        return;
    }
    ground->tickets[ground->tagged++] = ticket;
    ground->error = error;
}

static void on_wrote(void *userdata, uint64_t ticket, int error)
{
    struct Ground *ground = userdata;

    ground->tickets[ground->wrote++] = ticket;
    ground->error = error;
}

static int write_file(void *userdata, int fd, const char *line)
{
    return fd_write_text(fd, line);
}

static const struct WorkerEvents events = {.limited = on_limited, .tagged = on_tagged, .wrote = on_wrote};

static int set_up(void **state)
{
    struct Ground *ground = calloc(1, sizeof(*ground));

    assert_non_null(ground);
    sem_init(&ground->tree_begun, 0, 0);
    sem_init(&ground->tree_go, 0, 0);
    sem_init(&ground->limit_begun, 0, 0);
    sem_init(&ground->limit_go, 0, 0);
    ground->ops = (struct WorkerOps){
        .limit = fake_limit,
        .tag = fake_tag,
        .write = write_file,
        .userdata = ground,
        .close_msec = 5000,
    };
    assert_int_equal(worker_open_with(&ground->worker, &events, ground, &ground->ops), 0);
    *state = ground;
    return 0;
}

static int tear_down(void **state)
{
    struct Ground *ground = *state;

    worker_close(&ground->worker);
    worker_close(&ground->worker); /* once more does nothing */
    free(ground);
    return 0;
}

static void limit(struct Ground *ground, uint32_t project, uint64_t ticket)
{
    char path[] = "/srv";
    const struct QuotaOrder order = {.path = path, .project = project, .space = true};

    assert_int_equal(worker_limit(&ground->worker, &order, ticket), 0);
    memset(path, 'x', sizeof(path)); /* the order was copied */
}

static void tag(struct Ground *ground, uint32_t project, uint64_t ticket)
{
    const struct TagOrder order = {.path = "/srv", .project = project};

    assert_int_equal(worker_tag(&ground->worker, &order, ticket), 0);
}

/* One dispatch, when there is something within so long. */
static bool turn(struct Ground *ground, int msec)
{
    struct pollfd pollfd = {.fd = worker_fd(&ground->worker), .events = POLLIN};

    if (poll(&pollfd, 1, msec) <= 0)
        return false;
    worker_dispatch(&ground->worker);
    return true;
}

static void turn_until(struct Ground *ground, const unsigned *number, unsigned value)
{
    for (unsigned i = 0; i < 50 && *number < value; i++)
        turn(ground, 1000);
    assert_int_equal(*number, value);
}

static void a_limit_comes_back(void **state)
{
    struct Ground *ground = *state;

    limit(ground, 7, 100);
    turn_until(ground, &ground->limited, 1);
    assert_int_equal(ground->tickets[0], 100);
    assert_int_equal(ground->error, 0);
    assert_int_equal(ground->usage.inodes, 7);
    limit(ground, 13, 101);
    turn_until(ground, &ground->limited, 2);
    assert_int_equal(ground->error, -EROFS);
    assert_false(turn(ground, 0));
}

/* After the limits before it, to a file that its tenant has closed meanwhile. */
static void a_line_is_written_in_its_turn(void **state)
{
    struct Ground *ground = *state;
    int fd = memfd_create("line", MFD_CLOEXEC), mine;
    char line[] = "104857600", text[32] = "";

    mine = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    atomic_store(&ground->hold_limits, true);
    limit(ground, 1, 1);
    sem_wait(&ground->limit_begun);
    assert_int_equal(worker_write(&ground->worker, fd, line, 2), 0);
    close(fd);
    memset(line, 'x', sizeof(line));
    assert_int_equal(pread(mine, text, sizeof(text), 0), 0);
    atomic_store(&ground->hold_limits, false);
    sem_post(&ground->limit_go);
    turn_until(ground, &ground->wrote, 1);
    assert_int_equal(ground->limited, 1);
    assert_int_equal(ground->tickets[0], 2);
    assert_int_equal(ground->error, 0);
    assert_int_equal(pread(mine, text, sizeof(text), 0), 9);
    assert_string_equal(text, "104857600");
    close(mine);
}

static void a_line_that_cannot_be_written(void **state)
{
    struct Ground *ground = *state;
    int fd = open("/dev/full", O_RDWR | O_CLOEXEC);

    assert_int_equal(worker_write(&ground->worker, -1, "max", 1), -EBADF);
    assert_int_equal(worker_write(&ground->worker, fd, "max", 2), 0);
    close(fd);
    turn_until(ground, &ground->wrote, 1);
    assert_int_equal(ground->error, -ENOSPC);
    assert_false(turn(ground, 0));
}

static void limits_do_not_wait_for_a_tree(void **state)
{
    struct Ground *ground = *state;

    atomic_store(&ground->hold_trees, true);
    tag(ground, 1, 200);
    sem_wait(&ground->tree_begun);
    limit(ground, 1, 1);
    limit(ground, 2, 2);
    limit(ground, 3, 3);
    turn_until(ground, &ground->limited, 3);
    assert_int_equal(ground->tickets[0], 1);
    assert_int_equal(ground->tickets[1], 2);
    assert_int_equal(ground->tickets[2], 3);
    assert_int_equal(ground->tagged, 0);
    sem_post(&ground->tree_go);
    turn_until(ground, &ground->tagged, 1);
    assert_int_equal(ground->tickets[0], 200);
}

static void progress_is_told_twice_a_second_while_there_is_any(void **state)
{
    struct Ground *ground = *state;
    time_t until;

    atomic_store(&ground->hold_trees, true);
    tag(ground, 77, 1);
    until = time(NULL) + 2;
    while (time(NULL) < until)
        turn(ground, 100);
    assert_in_range(ground->progress, 1, 5);
    assert_int_equal(ground->result.seen, 77);
    assert_int_equal(ground->result.linked, 5);
    assert_int_equal(ground->tagged, 0);
    sem_post(&ground->tree_go);
    turn_until(ground, &ground->tagged, 1);
    ground->progress = 0;
    assert_false(turn(ground, 1200));
    assert_int_equal(ground->progress, 0);
    assert_int_equal(atomic_load(&ground->nice), 19);
}

static void a_cancelled_tree_is_never_heard_of(void **state)
{
    struct Ground *ground = *state;

    atomic_store(&ground->hold_trees, true);
    tag(ground, 1, 1);
    tag(ground, 2, 2);
    tag(ground, 3, 3);
    sem_wait(&ground->tree_begun);
    worker_cancel(&ground->worker, 2);
    worker_cancel(&ground->worker, 1);
    sem_wait(&ground->tree_begun); /* the third */
    assert_int_equal(atomic_load(&ground->stopped), 1);
    sem_post(&ground->tree_go);
    turn_until(ground, &ground->tagged, 1);
    assert_int_equal(ground->tickets[0], 3);
    assert_int_equal(atomic_load(&ground->trees), 2);
    assert_false(turn(ground, 50) && ground->tagged > 1);
}

/* It was done, and waits to be told, when another event cancels it. */
static void a_tree_is_cancelled_between_its_end_and_its_event(void **state)
{
    struct Ground *ground = *state;

    limit(ground, 1, 1);
    sem_wait(&ground->limit_begun);
    worker_finish(&ground->worker, 5000000);
    tag(ground, 1, 9);
    sem_wait(&ground->tree_begun);
    usleep(100000);
    ground->cancel_in_event = 9;
    while (turn(ground, 100))
        ;
    assert_int_equal(ground->limited, 1);
    assert_int_equal(ground->tagged, 0);
}

static uint64_t msec_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void limits_are_finished_but_not_waited_for_for_ever(void **state)
{
    struct Ground *ground = *state;
    uint64_t begun = msec_now();

    atomic_store(&ground->hold_limits, true);
    limit(ground, 1, 1);
    limit(ground, 2, 2);
    worker_finish(&ground->worker, 200000);
    assert_in_range(msec_now() - begun, 190, 3000);
    sem_post(&ground->limit_go);
    sem_post(&ground->limit_go);
    begun = msec_now();
    worker_finish(&ground->worker, 10000000);
    assert_in_range(msec_now() - begun, 0, 5000);
    worker_dispatch(&ground->worker);
    assert_int_equal(ground->limited, 2);
    begun = msec_now();
    worker_finish(&ground->worker, 10000000);
    assert_in_range(msec_now() - begun, 0, 1000);
}

static void a_close_stops_a_tree_and_drops_the_rest(void **state)
{
    struct Ground *ground = *state;

    atomic_store(&ground->hold_trees, true);
    tag(ground, 1, 1);
    tag(ground, 2, 2);
    sem_wait(&ground->tree_begun);
    worker_close(&ground->worker);
    assert_int_equal(atomic_load(&ground->stopped), 1);
    assert_int_equal(atomic_load(&ground->trees), 1);
    assert_int_equal(ground->tagged, 0);
}

static void a_close_does_not_wait_for_what_hangs(void **state)
{
    static struct WorkerState *left; /* still reachable: no leak */
    struct Ground *ground = *state;
    uint64_t begun = msec_now();

    ground->ops.close_msec = 100;
    atomic_store(&ground->hold_trees, true);
    atomic_store(&ground->deaf, true);
    tag(ground, 1, 1);
    sem_wait(&ground->tree_begun);
    left = ground->worker.state;
    worker_close(&ground->worker);
    assert_in_range(msec_now() - begun, 90, 3000);
    assert_null(ground->worker.state);
    assert_non_null(left);
    sem_post(&ground->tree_go); /* it ends after all */
    usleep(100000);
}

/* --- tasks ------------------------------------------------------------------------------------------------
 */

struct Task {
    int number;
    pthread_t thread;
    sem_t *go; /* NULL: at once */
};

static int tasks_done[4], n_tasks_done, n_tasks_freed;

static void run_task(void *data)
{
    struct Task *task = data;

    task->thread = pthread_self();
    if (task->go)
        sem_wait(task->go);
}

static void task_done(void *data)
{
    const struct Task *task = data;

    assert_false(pthread_equal(task->thread, pthread_self()));
    tasks_done[n_tasks_done++] = task->number;
}

static void free_task(void *data)
{
    n_tasks_freed++;
    free(data);
}

static const struct WorkerTask task_kind = {.run = run_task, .done = task_done, .free = free_task};

static void begin_task(struct Worker *worker, int number, sem_t *go)
{
    struct Task *task = calloc(1, sizeof(*task));

    assert_non_null(task);
    *task = (struct Task){.number = number, .go = go};
    assert_int_equal(worker_run(worker, &task_kind, task), 0);
}

static void tasks_are_done_in_their_order(void **state)
{
    struct Worker worker;

    n_tasks_done = n_tasks_freed = 0;
    assert_int_equal(worker_open_tasks(&worker), 0);
    for (int i = 0; i < 3; i++)
        begin_task(&worker, i, NULL);
    worker_finish(&worker, 5000000);
    assert_int_equal(n_tasks_done, 0); /* told by the dispatch alone */
    worker_dispatch(&worker);
    assert_int_equal(n_tasks_done, 3);
    assert_int_equal(n_tasks_freed, 3);
    assert_true(tasks_done[0] == 0 && tasks_done[1] == 1 && tasks_done[2] == 2);
    assert_true(worker_close(&worker));
}

static void a_close_frees_tasks_that_were_not_done(void **state)
{
    struct Worker worker;
    sem_t go;

    n_tasks_done = n_tasks_freed = 0;
    sem_init(&go, 0, 0);
    assert_int_equal(worker_open_tasks(&worker), 0);
    begin_task(&worker, 0, &go);
    begin_task(&worker, 1, NULL);
    worker_finish(&worker, 100000);
    sem_post(&go);
    assert_true(worker_close(&worker));
    assert_int_equal(n_tasks_done, 0);
    assert_int_equal(n_tasks_freed, 2);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_limit_comes_back),
        TEST(a_line_is_written_in_its_turn),
        TEST(a_line_that_cannot_be_written),
        TEST(limits_do_not_wait_for_a_tree),
        TEST(progress_is_told_twice_a_second_while_there_is_any),
        TEST(a_cancelled_tree_is_never_heard_of),
        TEST(a_tree_is_cancelled_between_its_end_and_its_event),
        TEST(limits_are_finished_but_not_waited_for_for_ever),
        TEST(a_close_stops_a_tree_and_drops_the_rest),
        TEST(a_close_does_not_wait_for_what_hangs),
        cmocka_unit_test(tasks_are_done_in_their_order),
        cmocka_unit_test(a_close_frees_tasks_that_were_not_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
