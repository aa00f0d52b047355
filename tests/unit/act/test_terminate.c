/* Whom terminate signals: real processes, listed in the cgroup.procs of made-up directories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "act/actuator.h"

#define CHILDREN 200

struct Tree {
    char path[64];
    struct Cgroup cgroup;
    struct FreezePoint point;
    pid_t children[CHILDREN];
    size_t n_children;
};

/* Between the first reading of cgroup.procs and the second: called when a pidfd was opened. */
static void (*after_pidfd_open)(pid_t pid);

int pidfd_open(pid_t pid, unsigned flags)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, flags);

    if (after_pidfd_open)
        after_pidfd_open(pid);
    return fd;
}

static void write_file(const struct Tree *tree, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", tree->path, name);
    file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void make_dir(const struct Tree *tree, const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", tree->path, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static int open_file(const struct Tree *tree, const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", tree->path, name);
    return open(path, O_RDWR | O_CLOEXEC);
}

static int set_up(void **state)
{
    struct Tree *tree = calloc(1, sizeof(*tree));

    assert_non_null(tree);
    strcpy(tree->path, "/tmp/guardd-terminate-XXXXXX");
    assert_non_null(mkdtemp(tree->path));
    write_file(tree, "cgroup.events", "populated 1\nfrozen 1\n");
    write_file(tree, "cgroup.freeze", "1");
    write_file(tree, "cgroup.procs", "");
    tree->cgroup = CGROUP_NULL;
    tree->cgroup.dir_fd = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    tree->cgroup.events_fd = open_file(tree, "cgroup.events");
    tree->point.freeze_fd = open_file(tree, "cgroup.freeze");
    tree->point.events_fd = tree->cgroup.events_fd;
    tree->cgroup.points = &tree->point;
    tree->cgroup.n_points = 1;
    *state = tree;
    return 0;
}

static int tear_down(void **state)
{
    struct Tree *tree = *state;
    char command[128];

    after_pidfd_open = NULL;
    for (size_t i = 0; i < tree->n_children; i++) {
        if (tree->children[i] <= 0)
            continue;
        kill(tree->children[i], SIGKILL);
        waitpid(tree->children[i], NULL, 0);
    }
    close(tree->cgroup.dir_fd);
    close(tree->cgroup.events_fd);
    close(tree->point.freeze_fd);
    snprintf(command, sizeof(command), "rm -rf '%s'", tree->path);
    assert_int_equal(system(command), 0);
    free(tree);
    return 0;
}

/* A child that SIGTERM ends, from its first moment on: until it has dropped our handler it is blocked. */
static pid_t spawn(struct Tree *tree)
{
    sigset_t term, before;
    pid_t pid;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &before);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the test be killed */
        signal(SIGTERM, SIG_DFL);
        sigprocmask(SIG_UNBLOCK, &term, NULL);
        for (;;)
            pause();
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    tree->children[tree->n_children++] = pid;
    return pid;
}

/* Waits for the end of a child: was it SIGTERM? */
static bool was_terminated(struct Tree *tree, pid_t pid)
{
    int status;

    for (size_t i = 0; i < tree->n_children; i++)
        if (tree->children[i] == pid)
            tree->children[i] = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
}

static bool is_running(pid_t pid)
{
    struct timespec grace = {.tv_nsec = 20 * 1000 * 1000};

    nanosleep(&grace, NULL);
    return waitpid(pid, NULL, WNOHANG) == 0;
}

static void list_processes(const struct Tree *tree, const char *name, const pid_t *pids, size_t n)
{
    static char text[CHILDREN * 12];
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%d\n", pids[i]);
    write_file(tree, name, text);
}

static bool is_thawed(const struct Tree *tree)
{
    char c = 0;

    assert_int_equal(pread(tree->point.freeze_fd, &c, 1, 0), 1);
    return c == '0';
}

static void every_process_of_the_subtree_is_told(void **state)
{
    struct Tree *tree = *state;
    pid_t pids[3] = {spawn(tree), spawn(tree), spawn(tree)}, other = spawn(tree);

    make_dir(tree, "a");
    make_dir(tree, "a/b");
    list_processes(tree, "cgroup.procs", &pids[0], 1);
    list_processes(tree, "a/cgroup.procs", &pids[1], 1);
    list_processes(tree, "a/b/cgroup.procs", &pids[2], 1);
    assert_int_equal(actuator_terminate.begin(&tree->cgroup), ACT_SETTLED);
    assert_int_equal(actuator_terminate.settled(&tree->cgroup), ACT_SETTLED);
    for (size_t i = 0; i < 3; i++)
        assert_true(was_terminated(tree, pids[i]));
    assert_true(is_running(other));
    assert_true(is_thawed(tree));
}

static void more_than_a_batch_is_told(void **state)
{
    struct Tree *tree = *state;

    for (size_t i = 0; i < CHILDREN; i++)
        (void)spawn(tree);
    list_processes(tree, "cgroup.procs", tree->children, CHILDREN);
    assert_int_equal(actuator_terminate.begin(&tree->cgroup), ACT_SETTLED);
    for (size_t i = 0; i < CHILDREN; i++)
        assert_true(was_terminated(tree, tree->children[i]));
}

static volatile sig_atomic_t told;

static void on_sigterm(int signal_number)
{
    told = 1;
}

static void guardd_and_pid_1_are_never_told(void **state)
{
    struct Tree *tree = *state;
    pid_t pids[4] = {0, 1, getpid(), spawn(tree)};

    list_processes(tree, "cgroup.procs", pids, 4);
    assert_int_equal(actuator_terminate.begin(&tree->cgroup), ACT_SETTLED);
    assert_true(was_terminated(tree, pids[3]));
    assert_false(told);
}

static void a_process_that_ended_is_no_error(void **state)
{
    struct Tree *tree = *state;
    pid_t pids[2] = {spawn(tree), spawn(tree)};

    kill(pids[0], SIGKILL);
    assert_false(was_terminated(tree, pids[0]));
    list_processes(tree, "cgroup.procs", pids, 2);
    assert_int_equal(actuator_terminate.begin(&tree->cgroup), ACT_SETTLED);
    assert_true(was_terminated(tree, pids[1]));
}

static const struct Tree *leaving_tree;
static pid_t leaving_pid;

static void leave(pid_t pid)
{
    if (pid == leaving_pid)
        write_file(leaving_tree, "cgroup.procs", "");
}

/* The pid was read, then its process left: the number may be anyone's by now. */
static void a_process_that_left_is_not_told(void **state)
{
    struct Tree *tree = *state;

    leaving_tree = tree;
    leaving_pid = spawn(tree);
    list_processes(tree, "cgroup.procs", &leaving_pid, 1);
    after_pidfd_open = leave;
    assert_int_equal(actuator_terminate.begin(&tree->cgroup), ACT_SETTLED);
    assert_true(is_running(leaving_pid));
}

static bool thawed_before_signal;

static void look_at_freeze(pid_t pid)
{
    thawed_before_signal = thawed_before_signal || is_thawed(leaving_tree);
}

static void it_thaws_after_the_signals(void **state)
{
    struct Tree *tree = *state;
    pid_t pid = spawn(tree);

    leaving_tree = tree;
    thawed_before_signal = false;
    after_pidfd_open = look_at_freeze;
    list_processes(tree, "cgroup.procs", &pid, 1);
    assert_int_equal(actuator_terminate.begin(&tree->cgroup), ACT_SETTLED);
    assert_false(thawed_before_signal);
    assert_true(is_thawed(tree));
}

static void what_cannot_be_told_stays_frozen(void **state)
{
    struct Tree *tree = *state;
    char path[128];

    snprintf(path, sizeof(path), "%s/cgroup.procs", tree->path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("cgroup.procs", path), 0); /* ELOOP */
    assert_int_equal(actuator_terminate.begin(&tree->cgroup), -ELOOP);
    assert_false(is_thawed(tree));
}

/* Below a bound nobody is told; whoever is above it is. */
static void a_subtree_without_end_does_not_hold_up(void **state)
{
    struct Tree *tree = *state;
    pid_t near = spawn(tree), deep = spawn(tree);
    char path[128] = "d", procs[160];

    list_processes(tree, "cgroup.procs", &near, 1);
    for (size_t depth = 0; depth < 60; depth++) {
        make_dir(tree, path);
        snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
        list_processes(tree, procs, NULL, 0);
        if (depth < 59)
            strcat(path, "/d");
    }
    list_processes(tree, procs, &deep, 1);
    assert_int_equal(actuator_terminate.begin(&tree->cgroup), ACT_SETTLED);
    assert_true(was_terminated(tree, near));
    assert_true(is_running(deep));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_process_of_the_subtree_is_told), TEST(more_than_a_batch_is_told),
        TEST(guardd_and_pid_1_are_never_told),      TEST(a_process_that_ended_is_no_error),
        TEST(a_process_that_left_is_not_told),      TEST(it_thaws_after_the_signals),
        TEST(what_cannot_be_told_stays_frozen),     TEST(a_subtree_without_end_does_not_hold_up),
    };

    signal(SIGTERM, on_sigterm);
    alarm(60); /* a child that was not told would be waited for without end */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
