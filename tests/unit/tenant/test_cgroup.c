/* The handle: which files it holds, where it freezes, and which unit a path is. */
#include "../scratch.h"

#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "tenant/cgroup.h"

struct Fixture {
    struct Scratch scratch;
    struct Cgroup cgroup;
};

static int setup(void **state)
{
    struct Fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->scratch = scratch_new("/tmp");
    f->cgroup = CGROUP_NULL;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct Fixture *f = *state;

    cgroup_close(&f->cgroup);
    scratch_done(&f->scratch);
    free(f);
    return 0;
}

static int open_cgroup(struct Fixture *f, const char *path, bool managed)
{
    _cleanup_fd_ int fd = scratch_open(&f->scratch, path);

    return cgroup_open(fd, path, managed, &f->cgroup);
}

static void every_file_is_open(void **state)
{
    struct Fixture *f = *state;
    struct Cgroup *c = &f->cgroup;

    scratch_cgroup(&f->scratch, "system.slice/web.service");
    assert_int_equal(open_cgroup(f, "system.slice/web.service", true), 0);
    assert_int_equal(c->id, scratch_id(&f->scratch, "system.slice/web.service"));
    assert_string_equal(c->path, "system.slice/web.service");
    assert_string_equal(c->unit, "web.service");
    assert_false(c->is_slice);
    assert_true(c->dir_fd >= 0 && c->kill_fd >= 0 && c->events_fd >= 0);
    assert_true(c->pids_current_fd >= 0 && c->pids_events_fd >= 0 && c->pids_local_fd >= 0);
    assert_int_equal(fd_write_value(c->pids_max_fd, 7), 0);
    assert_int_equal(fd_write_text(c->kill_fd, "1"), 0);
    assert_int_equal(c->n_points, 1);
    assert_int_equal(c->points[0].id, c->id);
    assert_string_equal(c->points[0].name, "web.service");
    assert_int_equal(fd_write_text(c->points[0].freeze_fd, "1"), 0);
    assert_true(c->points[0].events_fd >= 0);
}

static void no_unit_without_systemd(void **state)
{
    struct Fixture *f = *state;

    scratch_cgroup(&f->scratch, "web.service");
    assert_int_equal(open_cgroup(f, "web.service", false), 0);
    assert_null(f->cgroup.unit);
}

static void controllers_that_come_later(void **state)
{
    struct Fixture *f = *state;

    scratch_mkdir(&f->scratch, "a");
    scratch_write(&f->scratch, "a/cgroup.events", "populated 0\n");
    scratch_write(&f->scratch, "a/cgroup.freeze", "0\n");
    assert_int_equal(open_cgroup(f, "a", true), 0);
    assert_int_equal(f->cgroup.pids_current_fd, -EBADF);
    assert_int_equal(f->cgroup.pids_max_fd, -EBADF);
    assert_int_equal(f->cgroup.pids_events_fd, -EBADF);
    assert_int_equal(f->cgroup.kill_fd, -EBADF);
    scratch_write(&f->scratch, "a/pids.current", "1\n");
    scratch_write(&f->scratch, "a/pids.max", "max\n");
    scratch_write(&f->scratch, "a/pids.events", "max 0\n");
    assert_int_equal(cgroup_open_controllers(&f->cgroup), 0);
    assert_true(f->cgroup.pids_current_fd >= 0 && f->cgroup.pids_max_fd >= 0);
    assert_true(f->cgroup.pids_events_fd >= 0);
    assert_int_equal(f->cgroup.pids_local_fd, -EBADF);
}

static void gone_while_opening(void **state)
{
    struct Fixture *f = *state;
    _cleanup_fd_ int fd = -EBADF;

    scratch_mkdir(&f->scratch, "a");
    fd = scratch_open(&f->scratch, "a");
    scratch_rmdir(&f->scratch, "a");
    assert_int_equal(cgroup_open(fd, "a", true, &f->cgroup), -ENOENT);
    assert_int_equal(f->cgroup.dir_fd, -EBADF);
}

static void a_slice_freezes_by_its_children(void **state)
{
    struct Fixture *f = *state;
    struct Cgroup *c = &f->cgroup;
    _cleanup_fd_ int fd = -EBADF;
    uint64_t id;

    scratch_cgroup(&f->scratch, "user-1.slice");
    scratch_cgroup(&f->scratch, "user-1.slice/session-1.scope");
    scratch_cgroup(&f->scratch, "user-1.slice/session-1.scope/below");
    scratch_mkdir(&f->scratch, "user-1.slice/no-cgroup");
    assert_int_equal(open_cgroup(f, "user-1.slice", true), 0);
    assert_true(c->is_slice);
    assert_int_equal(c->n_points, 1);
    assert_string_equal(c->points[0].name, "session-1.scope");

    scratch_cgroup(&f->scratch, "user-1.slice/session-2.scope");
    fd = scratch_open(&f->scratch, "user-1.slice/session-2.scope");
    id = scratch_id(&f->scratch, "user-1.slice/session-2.scope");
    assert_int_equal(cgroup_add_point(c, fd, id, "session-2.scope"), 0);
    assert_int_equal(cgroup_add_point(c, fd, id, "session-2.scope"), -EEXIST);
    assert_int_equal(c->n_points, 2);
    assert_int_equal(cgroup_remove_point(c, scratch_id(&f->scratch, "user-1.slice/session-1.scope")), 0);
    assert_int_equal(c->n_points, 1);
    assert_int_equal(c->points[0].id, id);
    assert_int_equal(cgroup_remove_point(c, id + 1000), -ENOENT);
    assert_int_equal(cgroup_remove_point(c, id), 0);
    assert_int_equal(c->n_points, 0);
}

/* `guardctl check` by anyone: what may not be written is still looked at. */
static int look_without_permission(const struct Fixture *f)
{
    struct Cgroup cgroup;
    int fd = scratch_open(&f->scratch, "a"), r;
    bool right;

    if (setresuid(65534, 65534, 65534) < 0)
        return 2;
    r = cgroup_open(fd, "a", true, &cgroup);
    close(fd);
    if (r < 0)
        return 3;
    right = cgroup.kill_fd == -EBADF && cgroup.pids_max_fd >= 0 && cgroup.points[0].freeze_fd >= 0 &&
            fd_write_text(cgroup.points[0].freeze_fd, "1") == -EBADF;
    cgroup_close(&cgroup);
    return right ? 0 : 4;
}

static void without_permission(void **state)
{
    struct Fixture *f = *state;
    int status;
    pid_t pid;

    if (geteuid() != 0)
        skip();
    scratch_cgroup(&f->scratch, "a");
    assert_int_equal(chmod(f->scratch.path, 0755), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(look_without_permission(f));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void units(void **state)
{
    static const struct {
        const char *path, *unit;
    } table[] = {
        {"init.scope", "init.scope"},
        {"system.slice", "system.slice"},
        {"system.slice/nginx.service", "nginx.service"},
        {"system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service"},
        {"system.slice/dev-disk.swap", "dev-disk.swap"},
        {"system.slice/_cgroup.service", "cgroup.service"},
        {"user.slice/user-1000.slice/session-1.scope", "session-1.scope"},
        {"user.slice/user-1000.slice/user@1000.service", "user@1000.service"},
        {"user.slice/user-1000.slice/user@1000.service/app.slice/x.service", NULL},
        {"machine.slice/libpod-1.scope/container", NULL},
        {"machine.slice/libpod-1.scope/init.scope", NULL},
        {"docker/web.service", NULL},
        {"docker", NULL},
        {".service", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        _cleanup_free_ char *unit = cgroup_unit(table[i].path);

        if (table[i].unit)
            assert_string_equal(unit, table[i].unit);
        else
            assert_null(unit);
    }
}

#define CGROUP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CGROUP_TEST(every_file_is_open),
        CGROUP_TEST(no_unit_without_systemd),
        CGROUP_TEST(controllers_that_come_later),
        CGROUP_TEST(gone_while_opening),
        CGROUP_TEST(a_slice_freezes_by_its_children),
        CGROUP_TEST(without_permission),
        cmocka_unit_test(units),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
