/* The handle: which files it holds, where it freezes, and which unit a path is. */
#include "../failing.h"
#include "../scratch.h"

#include <dirent.h>
#include <errno.h>
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
    int fd;

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
    fd = f->cgroup.pids_max_fd;
    assert_int_equal(cgroup_open_controllers(&f->cgroup), 0);
    assert_int_equal(f->cgroup.pids_max_fd, fd);
    assert_true(cgroup_is_there(f->cgroup.dir_fd));
    scratch_unlink_file(&f->scratch, "a/cgroup.events");
    assert_false(cgroup_is_there(f->cgroup.dir_fd));
}

static void files_on_demand(void **state)
{
    const uint32_t wanted = 1u << CGROUP_MEMORY_CURRENT | 1u << CGROUP_MEMORY_HIGH | 1u << CGROUP_IO_STAT;
    struct Fixture *f = *state;

    scratch_cgroup(&f->scratch, "a");
    scratch_write(&f->scratch, "a/memory.current", "1\n");
    scratch_write(&f->scratch, "a/memory.high", "max\n");
    scratch_write(&f->scratch, "a/memory.max", "max\n");
    assert_int_equal(open_cgroup(f, "a", true), 0);
    assert_int_equal(cgroup_open_files(&f->cgroup, wanted), 0);
    assert_true(f->cgroup.files[CGROUP_MEMORY_CURRENT] >= 0 && f->cgroup.files[CGROUP_MEMORY_HIGH] >= 0);
    assert_int_equal(f->cgroup.files[CGROUP_IO_STAT], -EBADF);
    assert_int_equal(f->cgroup.files[CGROUP_MEMORY_MAX], -EBADF);
    cgroup_close_files(&f->cgroup, 1u << CGROUP_MEMORY_HIGH);
    assert_int_equal(f->cgroup.files[CGROUP_MEMORY_HIGH], -EBADF);
    assert_true(f->cgroup.files[CGROUP_MEMORY_CURRENT] >= 0);
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

static unsigned open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void assert_nothing_is_left(const struct Fixture *f, unsigned descriptors)
{
    assert_int_equal(f->cgroup.dir_fd, -EBADF);
    assert_null(f->cgroup.unit);
    assert_int_equal(open_descriptors(), descriptors);
}

/* Whatever cannot be had: nothing is left half done, and the unit is not passed over as if there were none.
 */
static void opened_whole_or_not_at_all(void **state)
{
    static const struct {
        const char *function;
        int error;
    } table[] = {{ANY_ALLOCATION, ENOMEM}, {"openat64", EMFILE},  {"fcntl64", EMFILE},
                 {"fstat64", EIO},         {"fdopendir", EMFILE}, {"readdir64", EIO}};
    struct Fixture *f = *state;

    scratch_cgroup(&f->scratch, "user-1.slice");
    scratch_cgroup(&f->scratch, "user-1.slice/session-1.scope");
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        _cleanup_fd_ int fd = scratch_open(&f->scratch, "user-1.slice");
        unsigned descriptors = open_descriptors();

        EACH_FAILURE(nth, table[i].function, table[i].error)
        {
            int r = cgroup_open(fd, "user-1.slice", true, &f->cgroup);

            if (!call_failed()) {
                assert_int_equal(r, 0);
                assert_true(nth > 1);
                break;
            }
            assert_int_equal(r, -table[i].error);
            assert_nothing_is_left(f, descriptors);
        }
        assert_string_equal(f->cgroup.unit, "user-1.slice");
        assert_int_equal(f->cgroup.n_points, 1);
        cgroup_close(&f->cgroup);
    }
}

/* What vanishes while it is looked through, or is no directory after all, is none of the points. */
static void child_that_is_none(void **state)
{
    static const struct {
        unsigned nth;
        int error;
    } opened[] = {{8, ENOTDIR}, {8, ELOOP}, {8, ENOENT}, {8, ENODEV}, {9, ENODEV}};
    struct Fixture *f = *state;

    scratch_cgroup(&f->scratch, "a.slice");
    scratch_cgroup(&f->scratch, "a.slice/b.scope");
    for (size_t i = 0; i < sizeof(opened) / sizeof(opened[0]); i++) {
        fail_call("openat64", opened[i].nth, opened[i].error);
        assert_int_equal(open_cgroup(f, "a.slice", true), 0);
        assert_true(call_failed());
        assert_int_equal(f->cgroup.n_points, 0);
        cgroup_close(&f->cgroup);
    }
    fail_call("readdir64", 1, ENOENT); /* the slice itself */
    assert_int_equal(open_cgroup(f, "a.slice", true), 0);
    assert_true(call_failed());
    assert_int_equal(f->cgroup.n_points, 0);
}

/* One that is added later and cannot be opened is none. */
static void point_that_cannot_be_opened(void **state)
{
    struct Fixture *f = *state;
    _cleanup_fd_ int fd = -EBADF;

    scratch_cgroup(&f->scratch, "a.slice");
    scratch_cgroup(&f->scratch, "a.slice/b.scope");
    assert_int_equal(open_cgroup(f, "a.slice", true), 0);
    fd = scratch_open(&f->scratch, "a.slice/b.scope");
    fail_call("openat64", 2, EMFILE);
    assert_int_equal(cgroup_add_point(&f->cgroup, fd, 7, "other.scope"), -EMFILE);
    assert_true(call_failed());
    assert_int_equal(f->cgroup.n_points, 1);
}

static void has_controllers(void **state)
{
    struct Fixture *f = *state;
    int *fds[] = {&f->cgroup.pids_current_fd, &f->cgroup.pids_max_fd, &f->cgroup.pids_events_fd,
                  &f->cgroup.pids_local_fd};

    scratch_cgroup(&f->scratch, "a");
    assert_int_equal(open_cgroup(f, "a", true), 0);
    assert_true(cgroup_has_controllers(&f->cgroup));
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        int fd = *fds[i];

        *fds[i] = -EBADF;
        assert_false(cgroup_has_controllers(&f->cgroup));
        *fds[i] = fd;
    }
}

/* For each of the numbers that say so a file is opened for reading only, and what is for writing only is left
 * closed. */
static void what_may_not_be_written(void **state)
{
    static const int errors[] = {EACCES, EPERM, EROFS};
    struct Fixture *f = *state;

    scratch_cgroup(&f->scratch, "a");
    scratch_write(&f->scratch, "a/memory.high", "max\n");
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        fail_call("openat64", 2, errors[i]);
        assert_int_equal(open_cgroup(f, "a", true), 0);
        assert_true(call_failed());
        assert_int_equal(f->cgroup.kill_fd, -EBADF);
        fail_call("openat64", 1, errors[i]);
        assert_int_equal(cgroup_open_files(&f->cgroup, 1u << CGROUP_MEMORY_HIGH), 0);
        assert_true(call_failed());
        assert_int_equal(fd_write_text(f->cgroup.files[CGROUP_MEMORY_HIGH], "1"), -EBADF);
        cgroup_close(&f->cgroup);
    }
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
        const char *unit = cgroup_unit(table[i].path);

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
        CGROUP_TEST(files_on_demand),
        CGROUP_TEST(gone_while_opening),
        CGROUP_TEST(a_slice_freezes_by_its_children),
        CGROUP_TEST(opened_whole_or_not_at_all),
        CGROUP_TEST(child_that_is_none),
        CGROUP_TEST(point_that_cannot_be_opened),
        CGROUP_TEST(has_controllers),
        CGROUP_TEST(what_may_not_be_written),
        CGROUP_TEST(without_permission),
        cmocka_unit_test(units),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
