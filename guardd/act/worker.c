/* Lanes, each a thread with a queue: limits and lines do not wait for trees, and a tree need not be left
 * for them. The lane of the trees has the lowest priority of processor and disk that there is; what the
 * tenant is refused meanwhile does not depend on it.
 *
 * A job belongs to one list at a time: waiting or running in its lane, or done, from where worker_dispatch()
 * takes it, in the order in which they ended. A thread holds the lock only to move a job; the loop holds it
 * as shortly, so that it never waits for a disk. What is running is read through its atomic counts.
 *
 * The descriptor is an epoll of two: an eventfd (something is done) and a timer that runs only while a tree
 * does (time to tell how far it is).
 *
 * At the end the threads get a few seconds. One that hangs in the kernel then is left alone, and all that it
 * may use is never freed. */
#include "act/worker_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <utlist.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/usec.h"

#define LANE_STACK (256 * 1024)
#define CLOSE_MSEC 5000
#define PROGRESS_NSEC 500000000

/* linux/ioprio.h is not everywhere */
#define IOPRIO_WHO_THREAD 1
#define IOPRIO_IDLE (3 << 13)

enum LaneKind { LANE_LIMITS, LANE_TREES, LANE_TASKS };
#define N_LANES 3

enum JobKind { JOB_LIMIT, JOB_WRITE, JOB_TREE, JOB_TASK };

struct WorkerJob {
    enum JobKind kind;
    uint64_t ticket;
    union {
        struct {
            struct QuotaOrder order;
            struct DiskUsage usage;
        } limit;
        struct {
            struct TagOrder order;
            struct TagCount count;
            atomic_bool stop;
            bool cancelled;
        } tree;
        int fd; /* of JOB_WRITE, owned */
        struct {
            const struct WorkerTask *task;
            void *data; /* owned */
        };
    };
    int error;
    struct WorkerJob *prev, *next;
    char text[]; /* the order's path, or the line */
};

struct Lane {
    struct WorkerState *state;
    enum LaneKind kind;
    pthread_t thread;
    bool started;
    struct WorkerJob *waiting; /* owned, utlist */
    struct WorkerJob *running; /* owned */
    pthread_cond_t wake;
};

struct WorkerState {
    const struct WorkerOps *ops;
    pthread_mutex_t lock; /* of all below */
    struct Lane lanes[N_LANES];
    struct WorkerJob *done;  /* owned, utlist */
    pthread_cond_t all_done; /* of limits and tasks */
    bool closing;
    int epoll_fd, event_fd, timer_fd;
};

static enum LaneKind lane_of(enum JobKind kind)
{
    return kind == JOB_TREE ? LANE_TREES : kind == JOB_TASK ? LANE_TASKS : LANE_LIMITS;
}

static void job_free(struct WorkerJob *job)
{
    if (job->kind == JOB_WRITE)
        fd_close(job->fd);
    if (job->kind == JOB_TASK)
        job->task->free(job->data);
    free(job);
}

static int kernel_limit(void *userdata, const struct QuotaOrder *order, struct DiskUsage *ret)
{
    return quota_set(order, ret);
}

static int kernel_tag(void *userdata, const struct TagOrder *order, struct TagCount *count,
                      const atomic_bool *stop)
{
    return tag_tree(order, count, stop);
}

static int kernel_write(void *userdata, int fd, const char *line)
{
    return fd_write_text(fd, line);
}

static const struct WorkerOps kernel_ops = {
    .limit = kernel_limit,
    .tag = kernel_tag,
    .write = kernel_write,
    .close_msec = CLOSE_MSEC,
};

/* --- in the threads ---------------------------------------------------------------------------------------
 */

static void progress_timer(const struct WorkerState *state, bool on)
{
    const struct itimerspec every = {
        .it_interval.tv_nsec = on ? PROGRESS_NSEC : 0,
        .it_value.tv_nsec = on ? PROGRESS_NSEC : 0,
    };

    (void)timerfd_settime(state->timer_fd, 0, &every, NULL);
}

/* As far as it is allowed: none of it changes what is done. */
static void lane_lower_priority(void)
{
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), 19);
    (void)syscall(SYS_ioprio_set, IOPRIO_WHO_THREAD, 0, IOPRIO_IDLE);
}

/* The next job, or NULL: the end. */
static struct WorkerJob *lane_take(struct Lane *lane)
{
    struct WorkerState *state = lane->state;
    struct WorkerJob *job = NULL;

    pthread_mutex_lock(&state->lock);
    while (!state->closing && !lane->waiting)
        pthread_cond_wait(&lane->wake, &state->lock);
    if (!state->closing) {
        job = lane->waiting;
        DL_DELETE(lane->waiting, job);
        lane->running = job;
    }
    pthread_mutex_unlock(&state->lock);
    return job;
}

static void lane_finish(struct Lane *lane, struct WorkerJob *job)
{
    struct WorkerState *state = lane->state;
    const uint64_t one = 1;

    pthread_mutex_lock(&state->lock);
    lane->running = NULL;
    if (job->kind == JOB_TREE && job->tree.cancelled)
        job_free(job);
    else
        DL_APPEND(state->done, job);
    if (lane->kind != LANE_TREES && !lane->waiting)
        pthread_cond_broadcast(&state->all_done);
    (void)!write(state->event_fd, &one, sizeof(one));
    pthread_mutex_unlock(&state->lock);
}

static void job_do(const struct WorkerState *state, struct WorkerJob *job)
{
    const struct WorkerOps *ops = state->ops;

    if (job->kind == JOB_LIMIT) {
        job->error = ops->limit(ops->userdata, &job->limit.order, &job->limit.usage);
        return;
    }
    if (job->kind == JOB_WRITE) {
        job->error = ops->write(ops->userdata, job->fd, job->text);
        return;
    }
    if (job->kind == JOB_TASK) {
        job->task->run(job->data);
        return;
    }
    progress_timer(state, true);
    job->error = ops->tag(ops->userdata, &job->tree.order, &job->tree.count, &job->tree.stop);
    progress_timer(state, false);
}

static void *lane_main(void *userdata)
{
    struct Lane *lane = userdata;
    struct WorkerJob *job;

    if (lane->kind == LANE_TREES)
        lane_lower_priority();
    while ((job = lane_take(lane))) {
        job_do(lane->state, job);
        lane_finish(lane, job);
    }
    return NULL;
}

/* --- opening and closing ----------------------------------------------------------------------------------
 */

/* Signals are the event loop's: a thread inherits what is blocked when it is made. */
static int lane_start(struct Lane *lane)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int r = pthread_attr_init(&attributes);

    if (r != 0)
        return -r;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_attr_setstacksize(&attributes, LANE_STACK);
    if (r == 0)
        r = pthread_create(&lane->thread, &attributes, lane_main, lane);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    lane->started = r == 0;
    return -r;
}

static int state_open_fds(struct WorkerState *state)
{
    struct epoll_event event = {.events = EPOLLIN};

    state->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    state->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    state->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (state->epoll_fd < 0 || state->event_fd < 0 || state->timer_fd < 0)
        return negative_errno();
    if (epoll_ctl(state->epoll_fd, EPOLL_CTL_ADD, state->event_fd, &event) < 0 ||
        epoll_ctl(state->epoll_fd, EPOLL_CTL_ADD, state->timer_fd, &event) < 0)
        return negative_errno();
    return 0;
}

static struct WorkerState *state_new(const struct WorkerOps *ops)
{
    struct WorkerState *state = calloc(1, sizeof(*state));

    if (!state)
        return NULL;
    state->ops = ops;
    state->epoll_fd = state->event_fd = state->timer_fd = -EBADF;
    pthread_mutex_init(&state->lock, NULL);
    pthread_cond_init(&state->all_done, NULL);
    for (size_t i = 0; i < N_LANES; i++) {
        state->lanes[i].state = state;
        state->lanes[i].kind = (enum LaneKind)i;
        pthread_cond_init(&state->lanes[i].wake, NULL);
    }
    return state;
}

static void jobs_free(struct WorkerJob *list)
{
    struct WorkerJob *job, *next;

    DL_FOREACH_SAFE (list, job, next)
        job_free(job);
}

static void state_free(struct WorkerState *state)
{
    for (size_t i = 0; i < N_LANES; i++) {
        jobs_free(state->lanes[i].waiting);
        pthread_cond_destroy(&state->lanes[i].wake);
    }
    jobs_free(state->done);
    pthread_cond_destroy(&state->all_done);
    pthread_mutex_destroy(&state->lock);
    fd_close(state->epoll_fd);
    fd_close(state->event_fd);
    fd_close(state->timer_fd);
    free(state);
}

static int open_lanes(struct Worker *worker, const struct WorkerOps *ops, enum LaneKind first,
                      enum LaneKind last)
{
    int r;

    worker->state = state_new(ops);
    if (!worker->state)
        return -ENOMEM;
    r = state_open_fds(worker->state);
    for (enum LaneKind i = first; r == 0 && i <= last; i++)
        r = lane_start(&worker->state->lanes[i]);
    if (r < 0)
        (void)worker_close(worker);
    return r;
}

int worker_open_with(struct Worker *worker, const struct WorkerEvents *events, void *userdata,
                     const struct WorkerOps *ops)
{
    *worker = (struct Worker){.events = *events, .userdata = userdata};
    return open_lanes(worker, ops, LANE_LIMITS, LANE_TREES);
}

int worker_open_tasks(struct Worker *worker)
{
    *worker = (struct Worker){};
    return open_lanes(worker, &kernel_ops, LANE_TASKS, LANE_TASKS);
}

int worker_open(struct Worker *worker, const struct WorkerEvents *events, void *userdata)
{
    return worker_open_with(worker, events, userdata, &kernel_ops);
}

static struct timespec time_in(uint64_t usec)
{
    struct timespec at;
    uint64_t nsec;

    clock_gettime(CLOCK_MONOTONIC, &at);
    if (usec > 365 * 24 * USEC_PER_HOUR)
        usec = 365 * 24 * USEC_PER_HOUR;
    nsec = (uint64_t)at.tv_nsec + usec % USEC_PER_SEC * 1000;
    at.tv_sec += (time_t)(usec / USEC_PER_SEC + nsec / 1000000000);
    at.tv_nsec = (long)(nsec % 1000000000);
    return at;
}

/* True when no thread is left that could use the state. */
static bool lanes_join(struct WorkerState *state)
{
    struct timespec until = time_in(state->ops->close_msec * USEC_PER_MSEC);
    bool joined = true;

    for (size_t i = 0; i < N_LANES; i++) {
        struct Lane *lane = &state->lanes[i];

        if (!lane->started || pthread_clockjoin_np(lane->thread, NULL, CLOCK_MONOTONIC, &until) == 0)
            continue;
        pthread_detach(lane->thread);
        joined = false;
    }
    return joined;
}

bool worker_close(struct Worker *worker)
{
    struct WorkerState *state = worker->state;

    if (!state)
        return true;
    worker->state = NULL;
    pthread_mutex_lock(&state->lock);
    state->closing = true;
    if (state->lanes[LANE_TREES].running)
        atomic_store(&state->lanes[LANE_TREES].running->tree.stop, true);
    for (size_t i = 0; i < N_LANES; i++)
        pthread_cond_broadcast(&state->lanes[i].wake);
    pthread_mutex_unlock(&state->lock);
    if (!lanes_join(state))
        return false;
    state_free(state);
    return true;
}

int worker_fd(const struct Worker *worker)
{
    return worker->state->epoll_fd;
}

/* --- in the loop ------------------------------------------------------------------------------------------
 */

static struct WorkerJob *job_new(enum JobKind kind, const char *text, uint64_t ticket)
{
    size_t size = strlen(text) + 1;
    struct WorkerJob *job = calloc(1, sizeof(*job) + size);

    if (!job)
        return NULL;
    job->kind = kind;
    job->ticket = ticket;
    memcpy(job->text, text, size);
    return job;
}

static void job_queue(struct WorkerState *state, struct WorkerJob *job)
{
    struct Lane *lane = &state->lanes[lane_of(job->kind)];

    pthread_mutex_lock(&state->lock);
    DL_APPEND(lane->waiting, job);
    pthread_cond_signal(&lane->wake);
    pthread_mutex_unlock(&state->lock);
}

int worker_limit(struct Worker *worker, const struct QuotaOrder *order, uint64_t ticket)
{
    struct WorkerJob *job = job_new(JOB_LIMIT, order->path, ticket);

    if (!job)
        return -ENOMEM;
    job->limit.order = *order;
    job->limit.order.path = job->text;
    job_queue(worker->state, job);
    return 0;
}

int worker_tag(struct Worker *worker, const struct TagOrder *order, uint64_t ticket)
{
    struct WorkerJob *job = job_new(JOB_TREE, order->path, ticket);

    if (!job)
        return -ENOMEM;
    job->tree.order = *order;
    job->tree.order.path = job->text;
    job_queue(worker->state, job);
    return 0;
}

int worker_write(struct Worker *worker, int fd, const char *line, uint64_t ticket)
{
    struct WorkerJob *job = job_new(JOB_WRITE, line, ticket);

    if (!job)
        return -ENOMEM;
    job->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (job->fd < 0) {
        int r = negative_errno();

        job_free(job);
        return r;
    }
    job_queue(worker->state, job);
    return 0;
}

int worker_run(struct Worker *worker, const struct WorkerTask *task, void *data)
{
    struct WorkerJob *job = job_new(JOB_TASK, "", 0);

    if (!job)
        return -ENOMEM;
    job->task = task;
    job->data = data;
    job_queue(worker->state, job);
    return 0;
}

static void list_cancel(struct WorkerJob **list, uint64_t ticket)
{
    struct WorkerJob *job, *next;

    DL_FOREACH_SAFE (*list, job, next) {
        if (job->kind != JOB_TREE || job->ticket != ticket)
            continue;
        DL_DELETE(*list, job);
        job_free(job);
    }
}

void worker_cancel(struct Worker *worker, uint64_t ticket)
{
    struct WorkerState *state = worker->state;
    struct Lane *lane = &state->lanes[LANE_TREES];

    pthread_mutex_lock(&state->lock);
    list_cancel(&lane->waiting, ticket);
    list_cancel(&state->done, ticket);
    if (lane->running && lane->running->ticket == ticket) {
        lane->running->tree.cancelled = true;
        atomic_store(&lane->running->tree.stop, true);
    }
    pthread_mutex_unlock(&state->lock);
}

static bool is_busy(const struct WorkerState *state)
{
    const struct Lane *limits = &state->lanes[LANE_LIMITS], *tasks = &state->lanes[LANE_TASKS];

    return limits->waiting || limits->running || tasks->waiting || tasks->running;
}

void worker_finish(struct Worker *worker, uint64_t wait_usec)
{
    struct WorkerState *state = worker->state;
    struct timespec until = time_in(wait_usec);
    int r = 0;

    pthread_mutex_lock(&state->lock);
    while (r == 0 && is_busy(state))
        r = pthread_cond_clockwait(&state->all_done, &state->lock, CLOCK_MONOTONIC, &until);
    pthread_mutex_unlock(&state->lock);
}

static struct TagResult result_of(const struct TagCount *count)
{
    return (struct TagResult){
        .seen = atomic_load(&count->seen),
        .changed = atomic_load(&count->changed),
        .wrong = atomic_load(&count->wrong),
        .linked = atomic_load(&count->linked),
        .foreign = atomic_load(&count->foreign),
        .failed = atomic_load(&count->failed),
    };
}

static void job_deliver(const struct Worker *worker, const struct WorkerJob *job)
{
    if (job->kind == JOB_LIMIT) {
        worker->events.limited(worker->userdata, job->ticket, job->error, &job->limit.usage);
    } else if (job->kind == JOB_WRITE) {
        worker->events.wrote(worker->userdata, job->ticket, job->error);
    } else if (job->kind == JOB_TASK) {
        job->task->done(job->data);
    } else {
        struct TagResult result = result_of(&job->tree.count);

        worker->events.tagged(worker->userdata, job->ticket, true, job->error, &result);
    }
}

static struct WorkerJob *done_take(struct WorkerState *state)
{
    struct WorkerJob *job;

    pthread_mutex_lock(&state->lock);
    job = state->done;
    if (job)
        DL_DELETE(state->done, job);
    pthread_mutex_unlock(&state->lock);
    return job;
}

static void progress_deliver(const struct Worker *worker)
{
    struct WorkerState *state = worker->state;
    const struct Lane *lane = &state->lanes[LANE_TREES];
    struct TagResult result;
    uint64_t ticket = 0;
    bool any;

    pthread_mutex_lock(&state->lock);
    any = lane->running && !lane->running->tree.cancelled;
    if (any) {
        ticket = lane->running->ticket;
        result = result_of(&lane->running->tree.count);
    }
    pthread_mutex_unlock(&state->lock);
    if (any)
        worker->events.tagged(worker->userdata, ticket, false, 0, &result);
}

/* What is called back may ask for more, cancel, or close the worker. */
void worker_dispatch(struct Worker *worker)
{
    struct WorkerJob *job;
    uint64_t value;

    if (read(worker->state->timer_fd, &value, sizeof(value)) == sizeof(value))
        progress_deliver(worker);
    if (!worker->state)
        return;
    (void)!read(worker->state->event_fd, &value, sizeof(value));
    while (worker->state && (job = done_take(worker->state))) {
        job_deliver(worker, job);
        job_free(job);
    }
}
