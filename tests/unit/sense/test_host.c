/* Probing on made-up trees, and mount tables of hosts as they are met. */
#include "../scratch.h"

#include <errno.h>

#include "base/cleanup.h"
#include "sense/host.h"

struct Fixture {
    struct Scratch scratch;
    struct HostFindings findings;
};

static int setup(void **state)
{
    struct Fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->scratch = scratch_new("/tmp");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct Fixture *f = *state;

    scratch_done(&f->scratch);
    free(f);
    return 0;
}

static void good_tree(const struct Fixture *f)
{
    scratch_write(&f->scratch, "cgroup.controllers", "cpuset cpu io memory pids\n");
    scratch_write(&f->scratch, "cgroup.subtree_control", "cpu io memory pids\n");
    scratch_write(&f->scratch, "cgroup.stat", "nr_descendants 40\nnr_dying_descendants 3\n");
    scratch_mkdir(&f->scratch, "nothing.in.it");
    scratch_cgroup(&f->scratch, "system.slice");
    scratch_write(&f->scratch, "system.slice/memory.pressure",
                  "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
}

static const struct HostFinding *finding(struct Fixture *f, const char *what)
{
    host_probe(f->scratch.path, &f->findings);
    for (size_t i = 0; i < f->findings.n; i++)
        if (strcmp(f->findings.list[i].what, what) == 0)
            return &f->findings.list[i];
    fail_msg("no finding on %s", what);
    return NULL;
}

static void assert_good(struct Fixture *f, const char *what)
{
    if (!finding(f, what)->ok)
        fail_msg("%s: %s", what, finding(f, what)->text);
}

static void assert_bad(struct Fixture *f, const char *what, const char *text)
{
    assert_false(finding(f, what)->ok);
    assert_true(strlen(finding(f, what)->text) < sizeof(((struct HostFinding *)NULL)->text) - 1);
    if (!strstr(finding(f, what)->text, text))
        fail_msg("%s: %s", what, finding(f, what)->text);
}

static void all_is_there(void **state)
{
    struct Fixture *f = *state;

    good_tree(f);
    assert_good(f, "cgroup v2");
    assert_good(f, "pids controller");
    assert_good(f, "freezing");
    assert_good(f, "killing");
    assert_good(f, "permission");
    assert_good(f, "own refused forks");
    assert_good(f, "memory controller");
    assert_good(f, "cpu controller");
    assert_good(f, "io controller");
    assert_good(f, "pressure");
}

static void controllers_missing(void **state)
{
    struct Fixture *f = *state;

    good_tree(f);
    scratch_write(&f->scratch, "cgroup.controllers", "cpuset memory pids\n");
    scratch_write(&f->scratch, "cgroup.subtree_control", "pids\n");
    assert_bad(f, "cpu controller", "has none: cpu.max and cpu.weight are not there");
    assert_bad(f, "io controller", "has none");
    assert_bad(f, "memory controller", "\"+memory\"");
}

static void pressure_is_not_counted(void **state)
{
    struct Fixture *f = *state;

    good_tree(f);
    scratch_unlink_file(&f->scratch, "system.slice/memory.pressure");
    assert_bad(f, "pressure", "psi=1");
}

static bool is_found(struct Fixture *f, const char *what)
{
    host_probe(f->scratch.path, &f->findings);
    for (size_t i = 0; i < f->findings.n; i++)
        if (strcmp(f->findings.list[i].what, what) == 0)
            return true;
    return false;
}

/* They are no fault, and their sentences are whole. */
static void who_else_kills(void **state)
{
    static const char *const others[] = {"systemd-oomd", "earlyoom", "oomd"};
    struct Fixture *f = *state;

    good_tree(f);
    for (size_t i = 0; i < 3; i++) {
        char name[64];

        assert_false(is_found(f, others[i]));
        snprintf(name, sizeof(name), "system.slice/%s.service", others[i]);
        scratch_cgroup(&f->scratch, name);
        assert_good(f, others[i]);
        assert_true(strlen(finding(f, others[i])->text) < sizeof(f->findings.list[0].text) - 1);
    }
}

static void no_tree(void **state)
{
    struct Fixture *f = *state;

    assert_bad(f, "cgroup v2", "CgroupRoot=");
    assert_int_equal(f->findings.n, 1);
    host_probe("/no/such/place", &f->findings);
    assert_int_equal(f->findings.n, 1);
    assert_false(f->findings.list[0].ok);
}

static void pids_controller_missing(void **state)
{
    struct Fixture *f = *state;

    good_tree(f);
    scratch_write(&f->scratch, "cgroup.controllers", "cpu pid rapids pidsx\n");
    assert_bad(f, "pids controller", "systemd.unified_cgroup_hierarchy=1");
    scratch_write(&f->scratch, "cgroup.controllers", "\n");
    assert_bad(f, "pids controller", "forks and tasks are not seen");
}

static void pids_controller_not_enabled(void **state)
{
    struct Fixture *f = *state;

    good_tree(f);
    scratch_write(&f->scratch, "cgroup.subtree_control", "memory\n");
    assert_bad(f, "pids controller", "+pids");
}

static void old_kernel(void **state)
{
    struct Fixture *f = *state;

    good_tree(f);
    scratch_unlink_file(&f->scratch, "system.slice/cgroup.freeze");
    scratch_unlink_file(&f->scratch, "system.slice/cgroup.kill");
    scratch_unlink_file(&f->scratch, "system.slice/pids.events.local");
    assert_bad(f, "freezing", "5.2");
    assert_bad(f, "killing", "5.14");
    assert_bad(f, "own refused forks", "pids.events");
}

static void nothing_to_look_into(void **state)
{
    struct Fixture *f = *state;

    scratch_write(&f->scratch, "cgroup.controllers", "pids\n");
    assert_bad(f, "freezing", "cannot tell");
    assert_bad(f, "killing", "cannot tell");
}

static void many_cgroups_want_many_watches(void **state)
{
    struct Fixture *f = *state;

    good_tree(f);
    scratch_write(&f->scratch, "cgroup.stat", "nr_descendants 4000000000\n");
    assert_bad(f, "inotify", "fs.inotify.max_user_watches");
}

static void assert_root(struct Fixture *f, const char *table, const char *expected)
{
    _cleanup_free_ char *root = NULL;
    char path[PATH_MAX];

    scratch_write(&f->scratch, "mounts", table);
    assert_int_equal(host_find_cgroup_root(scratch_path(&f->scratch, "mounts", path), &root),
                     expected ? 0 : -ENOENT);
    if (expected)
        assert_string_equal(root, expected);
}

static void mount_tables(void **state)
{
    struct Fixture *f = *state;
    _cleanup_free_ char *root = NULL;

    assert_root(f, "proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n",
                "/sys/fs/cgroup");
    assert_root(f,
                "cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0\n"
                "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n",
                "/sys/fs/cgroup/unified");
    assert_root(f, "none /mnt/with\\040blank cgroup2 rw 0 0\n", "/mnt/with blank");
    assert_root(f, "cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0\n", NULL);
    assert_root(f, "", NULL);
    assert_int_equal(host_find_cgroup_root("/no/such/table", &root), -ENOENT);
}

static void own_cgroup(void **state)
{
    _cleanup_free_ char *own = NULL, *same = NULL, *none = NULL;
    int r = host_cgroup_of(0, &own);

    (void)state;
    if (r == -ENOENT)
        skip(); /* no cgroup v2 here */
    assert_int_equal(r, 0);
    assert_true(own[0] != '/');
    assert_int_equal(host_cgroup_of(getpid(), &same), 0);
    assert_string_equal(own, same);
    assert_int_equal(host_cgroup_of(INT_MAX, &none), -ENOENT);
}

#define HOST_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(all_is_there),
        HOST_TEST(controllers_missing),
        HOST_TEST(pressure_is_not_counted),
        HOST_TEST(who_else_kills),
        HOST_TEST(no_tree),
        HOST_TEST(pids_controller_missing),
        HOST_TEST(pids_controller_not_enabled),
        HOST_TEST(old_kernel),
        HOST_TEST(nothing_to_look_into),
        HOST_TEST(many_cgroups_want_many_watches),
        HOST_TEST(mount_tables),
        HOST_TEST(own_cgroup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
