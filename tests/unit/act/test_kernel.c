/* The actuators on real cgroups, where the machine lets us have some: a cgroup2 tree in which our own
 * cgroup may have children (root, or a delegated subtree). Elsewhere these are skipped; the VM tests do
 * the same and more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "act/actuator.h"

struct Ground {
    char path[448]; /* "" when there is none */
    struct Cgroup cgroup;
    struct FreezePoint point;
    pid_t children[8];
    size_t n_children;
};

static bool find_mount(char *buf, size_t size)
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    const struct mntent *entry;
    bool found = false;

    while (mounts && !found && (entry = getmntent(mounts))) {
        found = strcmp(entry->mnt_type, "cgroup2") == 0;
        if (found)
            snprintf(buf, size, "%s", entry->mnt_dir);
    }
    if (mounts)
        endmntent(mounts);
    return found;
}

static bool find_own(char *buf, size_t size)
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    char line[256];
    bool found = false;

    while (file && !found && fgets(line, sizeof(line), file)) {
        found = strncmp(line, "0::/", 4) == 0;
        line[strcspn(line, "\n")] = '\0';
        if (found)
            snprintf(buf, size, "%s", line + 4);
    }
    if (file)
        fclose(file);
    return found;
}

static int open_file(const struct Ground *ground, const char *name)
{
    return openat(ground->cgroup.dir_fd, name, O_RDWR | O_CLOEXEC);
}

static bool make_ground(struct Ground *ground)
{
    char mount[128], own[256];
    struct Cgroup *cgroup = &ground->cgroup;

    if (!find_mount(mount, sizeof(mount)) || !find_own(own, sizeof(own)))
        return false;
    snprintf(ground->path, sizeof(ground->path), "%s/%s/guardd-test-%d", mount, own, getpid());
    if (mkdir(ground->path, 0755) < 0)
        return false;
    cgroup->dir_fd = open(ground->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cgroup->kill_fd = open_file(ground, "cgroup.kill");
    cgroup->events_fd = openat(cgroup->dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
    ground->point.freeze_fd = open_file(ground, "cgroup.freeze");
    ground->point.events_fd = dup(cgroup->events_fd);
    cgroup->points = &ground->point;
    cgroup->n_points = 1;
    return cgroup->kill_fd >= 0 && ground->point.freeze_fd >= 0;
}

static int set_up(void **state)
{
    struct Ground *ground = calloc(1, sizeof(*ground));

    assert_non_null(ground);
    ground->cgroup = CGROUP_NULL;
    if (!make_ground(ground))
        ground->path[0] = '\0';
    *state = ground;
    return 0;
}

static int tear_down(void **state)
{
    struct Ground *ground = *state;

    for (size_t i = 0; i < ground->n_children; i++) {
        kill(ground->children[i], SIGKILL);
        waitpid(ground->children[i], NULL, 0);
    }
    close(ground->cgroup.kill_fd);
    close(ground->cgroup.events_fd);
    close(ground->cgroup.dir_fd);
    close(ground->point.freeze_fd);
    close(ground->point.events_fd);
    if (ground->path[0] != '\0')
        rmdir(ground->path);
    free(ground);
    return 0;
}

/* Moves `pid` in; skips the test where that is not allowed. */
static void take_in(const struct Ground *ground, pid_t pid)
{
    int fd = open_file(ground, "cgroup.procs");
    int n = fd >= 0 ? dprintf(fd, "%d\n", pid) : -1;

    close(fd);
    if (n < 0)
        skip();
}

/* A child that runs until it is told otherwise. */
static pid_t spawn(struct Ground *ground)
{
    pid_t pid;

    if (ground->path[0] == '\0')
        skip();
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the test be killed */
        signal(SIGTERM, SIG_DFL);
        for (;;)
            usleep(1000);
    }
    ground->children[ground->n_children++] = pid;
    take_in(ground, pid);
    return pid;
}

/* Waits for the actuator as the pipeline does: cgroup.events announces its change by POLLPRI. */
static int carry_out(const struct Ground *ground, const struct Actuator *actuator)
{
    int r = actuator->begin(&ground->cgroup);

    for (int turn = 0; r >= 0 && turn < 50; turn++) {
        struct pollfd change = {.fd = ground->cgroup.events_fd, .events = POLLPRI};

        r = actuator->settled(&ground->cgroup);
        if (r != ACT_PENDING)
            return r;
        (void)poll(&change, 1, 100);
    }
    return r;
}

static int ended_by(struct Ground *ground, pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    ground->n_children = 0;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void the_kernel_freezes_and_thaws(void **state)
{
    struct Ground *ground = *state;
    struct CgroupState now;

    (void)spawn(ground);
    assert_int_equal(carry_out(ground, &actuator_freeze), ACT_SETTLED);
    assert_int_equal(cgroup_read_state(ground->cgroup.events_fd, &now), 0);
    assert_true(now.frozen);
    assert_int_equal(carry_out(ground, &actuator_thaw), ACT_SETTLED);
    assert_int_equal(cgroup_read_state(ground->cgroup.events_fd, &now), 0);
    assert_false(now.frozen);
}

static void the_frozen_are_killed(void **state)
{
    struct Ground *ground = *state;
    pid_t pid = spawn(ground);

    assert_int_equal(carry_out(ground, &actuator_freeze), ACT_SETTLED);
    assert_int_equal(carry_out(ground, &actuator_kill), ACT_SETTLED);
    assert_int_equal(ended_by(ground, pid), SIGKILL);
}

static void the_frozen_are_terminated(void **state)
{
    struct Ground *ground = *state;
    pid_t pid = spawn(ground);

    assert_int_equal(carry_out(ground, &actuator_freeze), ACT_SETTLED);
    assert_int_equal(carry_out(ground, &actuator_terminate), ACT_SETTLED);
    assert_int_equal(ended_by(ground, pid), SIGTERM);
}

static void a_removed_cgroup_is_gone(void **state)
{
    static const struct Actuator *const actuators[] = {&actuator_freeze, &actuator_thaw, &actuator_terminate,
                                                       &actuator_kill};
    struct Ground *ground = *state;

    if (ground->path[0] == '\0')
        skip();
    assert_int_equal(rmdir(ground->path), 0);
    ground->path[0] = '\0';
    for (size_t i = 0; i < sizeof(actuators) / sizeof(*actuators); i++) {
        assert_int_equal(actuators[i]->begin(&ground->cgroup), -ENODEV);
        assert_int_equal(actuators[i]->settled(&ground->cgroup), -ENODEV);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_kernel_freezes_and_thaws),
        TEST(the_frozen_are_killed),
        TEST(the_frozen_are_terminated),
        TEST(a_removed_cgroup_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
