/* The tree, step by step: one event, one promise at a time. */
#include "witness.h"

#include <sched.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "cgroupfs.h"

#define CHILD_SKIPS 77

/* The kernel's limits, as this test wants them: these two stand before the C library's. */
static int watches_left = INT_MAX;
static bool no_instances;

int inotify_add_watch(int fd, const char *name, uint32_t mask)
{
    if (watches_left == 0) {
        errno = ENOSPC;
        return -1;
    }
    watches_left--;
    return (int)syscall(SYS_inotify_add_watch, fd, name, mask);
}

int inotify_init1(int flags)
{
    if (no_instances) {
        errno = EMFILE;
        return -1;
    }
    return (int)syscall(SYS_inotify_init1, flags);
}

struct Fixture {
    struct Scratch scratch;
    struct Witness witness;
};

static int setup(void **state)
{
    struct Fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->scratch = scratch_new("/tmp");
    watches_left = INT_MAX;
    no_instances = false;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct Fixture *f = *state;

    witness_done(&f->witness);
    scratch_done(&f->scratch);
    free(f);
    return 0;
}

static void open_and_scan(struct Fixture *f)
{
    assert_int_equal(witness_open(&f->witness, f->scratch.path), 0);
    assert_int_equal(tree_scan(&f->witness.tree), 0);
}

static void assert_known(const struct Fixture *f, const char *path)
{
    const struct Known *known = witness_find(&f->witness, path);

    if (!known)
        fail_msg("%s is not known", path);
    assert_int_equal(known->id, scratch_id(&f->scratch, path));
}

static void assert_unknown(const struct Fixture *f, const char *path)
{
    if (witness_find(&f->witness, path))
        fail_msg("%s is known", path);
}

static void scan_finds_what_is_there(void **state)
{
    struct Fixture *f = *state;

    scratch_mkdir(&f->scratch, "a/b/c");
    scratch_mkdir(&f->scratch, "d");
    scratch_write(&f->scratch, "file", "");
    assert_int_equal(witness_open(&f->witness, f->scratch.path), 0);
    assert_int_equal(f->witness.appeared, 0);
    assert_int_equal(tree_scan(&f->witness.tree), 0);
    assert_known(f, "a");
    assert_known(f, "a/b");
    assert_known(f, "a/b/c");
    assert_known(f, "d");
    assert_int_equal(f->witness.appeared, 4);
    assert_int_equal(tree_scan(&f->witness.tree), 0);
    assert_int_equal(f->witness.appeared, 4);
    assert_int_equal(f->witness.vanished, 0);
}

static void scan_finds_what_vanished(void **state)
{
    struct Fixture *f = *state;

    scratch_mkdir(&f->scratch, "a/b/c");
    scratch_mkdir(&f->scratch, "d");
    open_and_scan(f);
    scratch_rmdir(&f->scratch, "a/b/c");
    scratch_rmdir(&f->scratch, "a/b");
    assert_int_equal(tree_scan(&f->witness.tree), 0);
    assert_known(f, "a");
    assert_unknown(f, "a/b");
    assert_unknown(f, "a/b/c");
    assert_known(f, "d");
    witness_drain(&f->witness);
    assert_int_equal(f->witness.vanished, 2);
}

static void mkdir_and_rmdir_are_announced(void **state)
{
    struct Fixture *f = *state;

    open_and_scan(f);
    scratch_mkdir(&f->scratch, "a");
    assert_true(witness_poll(&f->witness, 1000));
    witness_drain(&f->witness);
    assert_known(f, "a");
    scratch_mkdir(&f->scratch, "a/b");
    witness_drain(&f->witness);
    assert_known(f, "a/b");
    scratch_rmdir(&f->scratch, "a/b");
    scratch_rmdir(&f->scratch, "a");
    witness_drain(&f->witness);
    assert_null(f->witness.known);
    assert_int_equal(witness_kernel_watches(&f->witness), 1);
}

/* "a" is announced; "a/b" was there before "a" was watched. */
static void subtree_made_at_once_is_found(void **state)
{
    struct Fixture *f = *state;

    open_and_scan(f);
    scratch_mkdir(&f->scratch, "a/b/c/d");
    witness_drain(&f->witness);
    assert_known(f, "a/b/c/d");
    assert_int_equal(f->witness.appeared, 4);
}

static void made_and_removed_before_the_look(void **state)
{
    struct Fixture *f = *state;

    open_and_scan(f);
    scratch_mkdir(&f->scratch, "a/b");
    scratch_rmdir(&f->scratch, "a/b");
    scratch_rmdir(&f->scratch, "a");
    witness_drain(&f->witness);
    assert_int_equal(f->witness.appeared, 0);
}

/* Events of the first "a" come when the second one stands there. */
static void name_taken_again(void **state)
{
    struct Fixture *f = *state;

    scratch_mkdir(&f->scratch, "a/b");
    open_and_scan(f);
    scratch_rmdir(&f->scratch, "a/b");
    scratch_rmdir(&f->scratch, "a");
    scratch_mkdir(&f->scratch, "a/c");
    witness_drain(&f->witness);
    assert_known(f, "a");
    assert_known(f, "a/c");
    assert_unknown(f, "a/b");
    scratch_mkdir(&f->scratch, "a/c/d");
    witness_drain(&f->witness);
    assert_known(f, "a/c/d");
    assert_int_equal(witness_kernel_watches(&f->witness), 4);
}

/* The number of a removed directory is given away at once on ext4: the watch tells the two apart. */
static void id_taken_again_is_another_directory(void **state)
{
    struct Fixture *f = *state;
    struct Scratch here = scratch_new(".");
    struct Witness witness = {.watch_files = true};

    (void)f;
    scratch_mkdir(&here, "a");
    scratch_write(&here, "a/pids.events", "max 0\n");
    assert_int_equal(witness_open(&witness, here.path), 0);
    assert_int_equal(tree_scan(&witness.tree), 0);
    scratch_unlink_file(&here, "a/pids.events");
    scratch_rmdir(&here, "a");
    scratch_mkdir(&here, "a/inside");
    scratch_write(&here, "a/pids.events", "max 0\n");
    assert_int_equal(tree_scan(&witness.tree), 0);
    assert_int_equal(witness.vanished, 1);
    assert_int_equal(witness.appeared, 3);
    witness_drain(&witness);
    scratch_write(&here, "a/pids.events", "max 1\n");
    witness_drain(&witness);
    assert_true(witness_find(&witness, "a")->changed[TREE_PIDS_EVENTS] > 0);
    witness_done(&witness);
    scratch_done(&here);
}

static void moved_directory(void **state)
{
    struct Fixture *f = *state;
    char from[PATH_MAX], to[PATH_MAX];

    scratch_mkdir(&f->scratch, "a/b");
    scratch_mkdir(&f->scratch, "d");
    open_and_scan(f);
    assert_int_equal(rename(scratch_path(&f->scratch, "a/b", from), scratch_path(&f->scratch, "d/e", to)), 0);
    scratch_mkdir(&f->scratch, "d/e/g");
    witness_drain(&f->witness);
    assert_unknown(f, "a/b");
    assert_known(f, "d/e");
    assert_known(f, "d/e/g");
    scratch_mkdir(&f->scratch, "d/e/h");
    witness_drain(&f->witness);
    assert_known(f, "d/e/h");
    assert_int_equal(witness_kernel_watches(&f->witness), 6);
}

static void assert_moved(struct Fixture *f, const char *from, const char *to)
{
    char old[PATH_MAX], new[PATH_MAX];

    assert_int_equal(rename(scratch_path(&f->scratch, from, old), scratch_path(&f->scratch, to, new)), 0);
    assert_int_equal(tree_scan(&f->witness.tree), 0);
    assert_unknown(f, from);
    assert_known(f, to);
}

/* To and fro: once the scan comes to the new place before it misses the directory at the old one. */
static void scan_finds_a_known_id_elsewhere(void **state)
{
    struct Fixture *f = *state;

    scratch_mkdir(&f->scratch, "a/b/c");
    scratch_mkdir(&f->scratch, "d");
    open_and_scan(f);
    assert_moved(f, "a/b", "d/e");
    assert_moved(f, "d/e", "a/b");
    assert_known(f, "a/b/c");
    witness_drain(&f->witness);
    assert_known(f, "a/b/c");
    assert_int_equal(witness_kernel_watches(&f->witness), 5);
}

/* In a mount namespace of its own, so that nobody else sees the mount. */
static int scan_bind_mount_of_itself(struct Fixture *f)
{
    char above[PATH_MAX], below[PATH_MAX];

    scratch_path(&f->scratch, "a", above);
    scratch_path(&f->scratch, "a/b", below);
    if (unshare(CLONE_NEWNS) < 0 || (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 &&
                                     mount(NULL, "/tmp", NULL, MS_PRIVATE, NULL) < 0))
        return CHILD_SKIPS;
    if (mount(above, below, NULL, MS_BIND, NULL) < 0)
        return CHILD_SKIPS;
    alarm(10);
    open_and_scan(f);
    return f->witness.appeared == 1 ? 0 : 1;
}

static void bind_mount_of_itself_ends(void **state)
{
    struct Fixture *f = *state;
    int status;
    pid_t pid;

    scratch_mkdir(&f->scratch, "a/b");
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(scan_bind_mount_of_itself(f));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIPS)
        skip();
    assert_int_equal(status, 0);
}

static void links_and_files_are_no_cgroups(void **state)
{
    struct Fixture *f = *state;
    char link[PATH_MAX];

    assert_int_equal(symlink("/", scratch_path(&f->scratch, "link", link)), 0);
    open_and_scan(f);
    scratch_write(&f->scratch, "file", "");
    scratch_mkdir(&f->scratch, "a");
    witness_drain(&f->witness);
    assert_int_equal(f->witness.appeared, 1);
}

/* A tenant chooses the depth: the stack must not. Paths that no call takes are passed over. */
static void deeper_than_a_path_may_be(void **state)
{
    struct Fixture *f = *state;
    int fd = scratch_open(&f->scratch, ".");
    char command[PATH_MAX];
    unsigned depth = 0;

    for (; depth < PATH_MAX; depth++) {
        int next;

        assert_int_equal(mkdirat(fd, "d", 0755), 0);
        next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(next >= 0);
        close(fd);
        fd = next;
    }
    close(fd);
    open_and_scan(f);
    assert_true(f->witness.appeared >= 1900 && f->witness.appeared < PATH_MAX);
    assert_false(f->witness.tree.degraded);
    snprintf(command, sizeof(command), "rm -rf %s/d", f->scratch.path); /* nftw() takes no such path */
    assert_int_equal(system(command), 0);
    witness_drain(&f->witness);
    assert_null(f->witness.known);
}

static void file_changes_are_announced(void **state)
{
    struct Fixture *f = *state;
    struct Tree *tree = &f->witness.tree;
    _cleanup_fd_ int fd = -EBADF;
    uint64_t id;

    scratch_cgroup(&f->scratch, "a");
    open_and_scan(f);
    id = scratch_id(&f->scratch, "a");
    fd = tree_open_node(tree, id);
    assert_true(fd >= 0);
    assert_int_equal(tree_watch_file(tree, id, fd, "pids.events", TREE_PIDS_EVENTS), 0);
    assert_int_equal(tree_watch_file(tree, id, fd, "pids.events", TREE_PIDS_EVENTS), 0);
    assert_int_equal(tree_watch_file(tree, id, fd, "cgroup.events", TREE_CGROUP_EVENTS), 0);
    scratch_write(&f->scratch, "a/pids.events", "max 1\n");
    witness_drain(&f->witness);
    assert_true(witness_find(&f->witness, "a")->changed[TREE_PIDS_EVENTS] > 0);
    assert_int_equal(witness_find(&f->witness, "a")->changed[TREE_CGROUP_EVENTS], 0);
    assert_int_equal(tree_watch_file(tree, id, fd, "no.such", TREE_CGROUP_EVENTS), 0);
    assert_int_equal(tree_watch_file(tree, id + 1, fd, "pids.events", TREE_PIDS_EVENTS), -ENOENT);
}

static void missing_file_is_refused_and_forgotten_when_it_vanishes(void **state)
{
    struct Fixture *f = *state;
    struct Tree *tree = &f->witness.tree;
    _cleanup_fd_ int fd = -EBADF;
    uint64_t id;

    scratch_cgroup(&f->scratch, "a");
    open_and_scan(f);
    id = scratch_id(&f->scratch, "a");
    fd = tree_open_node(tree, id);
    assert_int_equal(tree_watch_file(tree, id, fd, "no.such", TREE_PIDS_EVENTS), -ENOENT);
    assert_int_equal(tree_watch_file(tree, id, fd, "pids.events", TREE_PIDS_EVENTS), 0);
    scratch_unlink_file(&f->scratch, "a/pids.events");
    witness_drain(&f->witness);
    assert_null(tree->watches);
    scratch_write(&f->scratch, "a/pids.events", "max 0\n");
    assert_int_equal(tree_watch_file(tree, id, fd, "pids.events", TREE_PIDS_EVENTS), 0);
}

static void sweep_reports_watched_files(void **state)
{
    struct Fixture *f = *state;

    f->witness.watch_files = true;
    scratch_cgroup(&f->scratch, "a");
    scratch_mkdir(&f->scratch, "b");
    open_and_scan(f);
    assert_int_equal(witness_find(&f->witness, "a")->changed[TREE_PIDS_EVENTS], 0);
    assert_int_equal(tree_sweep(&f->witness.tree), 0);
    assert_int_equal(witness_find(&f->witness, "a")->changed[TREE_PIDS_EVENTS], 1);
    assert_int_equal(witness_find(&f->witness, "b")->changed[TREE_PIDS_EVENTS], 0);
}

static unsigned queue_length(void)
{
    FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
    unsigned n = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%u", &n), 1);
    fclose(file);
    return n;
}

static void overflow_rescans_and_takes_every_file_as_changed(void **state)
{
    struct Fixture *f = *state;
    unsigned n = queue_length();

    if (n > 100000)
        skip();
    f->witness.watch_files = true;
    scratch_cgroup(&f->scratch, "a");
    scratch_mkdir(&f->scratch, "old");
    open_and_scan(f);
    for (unsigned i = 0; i <= n / 2; i++) {
        scratch_mkdir(&f->scratch, "x");
        scratch_rmdir(&f->scratch, "x");
    }
    scratch_mkdir(&f->scratch, "lost/too");
    scratch_rmdir(&f->scratch, "old");
    witness_drain(&f->witness);
    assert_known(f, "lost/too");
    assert_unknown(f, "old");
    assert_int_equal(witness_find(&f->witness, "a")->changed[TREE_PIDS_EVENTS], 1);
}

struct Listed {
    unsigned n, unopened;
};

static void count_node(void *userdata, uint64_t id, const char *path, int dir_fd)
{
    struct Listed *listed = userdata;

    (void)id, (void)path;
    listed->n++;
    listed->unopened += dir_fd < 0;
}

static void every_known_cgroup_is_listed(void **state)
{
    struct Fixture *f = *state;
    struct Listed listed = {0};
    uint64_t id;

    scratch_mkdir(&f->scratch, "a/b");
    open_and_scan(f);
    tree_for_each(&f->witness.tree, count_node, &listed);
    assert_int_equal(listed.n, 2);
    assert_int_equal(listed.unopened, 0);
    id = scratch_id(&f->scratch, "a/b");
    scratch_rmdir(&f->scratch, "a/b");
    tree_for_each(&f->witness.tree, count_node, &listed);
    assert_int_equal(listed.n, 4);
    assert_int_equal(listed.unopened, 1);
    assert_int_equal(tree_open_node(&f->witness.tree, id), -ENOENT);
    scratch_mkdir(&f->scratch, "a/b");
    assert_int_equal(tree_open_node(&f->witness.tree, id), -ENOENT);
}

/* Numbered directories in `dir`: made up to `to`, or removed. */
static void number_directories(const struct Fixture *f, const char *dir, int from, int to, bool make)
{
    char path[64];

    for (int i = from; i < to; i++) {
        snprintf(path, sizeof(path), "%s/%d", dir, i);
        if (make)
            scratch_mkdir(&f->scratch, path);
        else
            scratch_rmdir(&f->scratch, path);
    }
}

/* Whatever is made in one that is bound, the others are met and watched. */
static void no_more_than_so_many_in_a_bound_one(void **state)
{
    struct Fixture *f = *state;

    scratch_mkdir(&f->scratch, "bound/old");
    open_and_scan(f);
    assert_int_equal(tree_bind(&f->witness.tree, scratch_id(&f->scratch, "bound")), 0);
    number_directories(f, "bound", 0, 10, true);
    witness_drain(&f->witness);
    number_directories(f, "bound/old", 0, 2 * TREE_MOST_BELOW, true);
    witness_drain(&f->witness);
    assert_int_equal(f->witness.appeared, 1 + TREE_MOST_BELOW);
    assert_int_equal(f->witness.crowded, 1);
    assert_false(f->witness.tree.degraded);
    assert_int_equal(witness_kernel_watches(&f->witness), 2 + TREE_MOST_BELOW);
    scratch_mkdir(&f->scratch, "other/below");
    witness_drain(&f->witness);
    assert_known(f, "other/below");
    assert_int_equal(tree_scan(&f->witness.tree), 0);
    assert_int_equal(f->witness.appeared, 3 + TREE_MOST_BELOW);
    assert_int_equal(f->witness.vanished, 0);
}

/* Those that were turned away are met when half of the others are gone. */
static void who_was_turned_away_comes_in_later(void **state)
{
    struct Fixture *f = *state;
    unsigned known;

    scratch_mkdir(&f->scratch, "bound");
    open_and_scan(f);
    assert_int_equal(tree_bind(&f->witness.tree, scratch_id(&f->scratch, "bound")), 0);
    number_directories(f, "bound", 0, TREE_MOST_BELOW, true);
    witness_drain(&f->witness);
    assert_int_equal(f->witness.crowded, 0);
    scratch_mkdir(&f->scratch, "bound/late/later");
    witness_drain(&f->witness);
    assert_unknown(f, "bound/late");
    number_directories(f, "bound", 0, TREE_MOST_BELOW / 2 - 1, false);
    witness_drain(&f->witness);
    assert_unknown(f, "bound/late");
    scratch_rmdir(&f->scratch, "bound/1000");
    witness_drain(&f->witness);
    assert_known(f, "bound/late/later");
    known = f->witness.appeared - f->witness.vanished;
    assert_int_equal(known, 1 + TREE_MOST_BELOW / 2 + 2);
    number_directories(f, "bound", TREE_MOST_BELOW, 2 * TREE_MOST_BELOW, true);
    witness_drain(&f->witness);
    assert_int_equal(f->witness.crowded, 1); /* it was told of before */
    assert_int_equal(f->witness.appeared - f->witness.vanished, 1 + TREE_MOST_BELOW);
}

/* One that is bound within another is that one's: who has much cannot have more by making tenants of it. */
static void a_bound_one_within_another(void **state)
{
    struct Fixture *f = *state;

    scratch_mkdir(&f->scratch, "outer/inner");
    open_and_scan(f);
    assert_int_equal(tree_bind(&f->witness.tree, scratch_id(&f->scratch, "outer/inner")), 0);
    assert_int_equal(tree_bind(&f->witness.tree, scratch_id(&f->scratch, "outer")), 0);
    number_directories(f, "outer/inner", 0, TREE_MOST_BELOW + 1, true);
    witness_drain(&f->witness);
    assert_int_equal(f->witness.appeared, 1 + TREE_MOST_BELOW);
    assert_int_equal(f->witness.crowded, 1);
    assert_int_equal(tree_bind(&f->witness.tree, 1), -ENOENT);
}

static void bad_roots(void **state)
{
    struct Fixture *f = *state;
    char path[PATH_MAX];

    scratch_write(&f->scratch, "file", "");
    assert_int_equal(witness_open(&f->witness, scratch_path(&f->scratch, "none", path)), -ENOENT);
    assert_int_equal(witness_open(&f->witness, scratch_path(&f->scratch, "file", path)), -ENOTDIR);
}

static void watches_exhausted(void **state)
{
    struct Fixture *f = *state;
    struct Witness *w = &f->witness;

    scratch_mkdir(&f->scratch, "a/b");
    scratch_mkdir(&f->scratch, "c");
    scratch_write(&f->scratch, "a/pids.events", "max 0\n");
    w->watch_files = true;
    watches_left = 2;
    open_and_scan(f);
    assert_int_equal(w->appeared, 3);
    assert_int_equal(w->degraded, 1);
    assert_non_null(strstr(w->tree.degraded_why, "fs.inotify.max_user_watches"));
    scratch_mkdir(&f->scratch, "a/b/unannounced");
    scratch_rmdir(&f->scratch, "c");
    assert_int_equal(tree_sweep(&w->tree), 0);
    assert_known(f, "a/b/unannounced");
    assert_unknown(f, "c");
    /* The watch of this file was refused; the sweep stands in for it. */
    assert_int_equal(witness_find(w, "a")->changed[TREE_PIDS_EVENTS], 1);
    assert_int_equal(w->degraded, 1);
}

/* What was found without a watch gets one, and what it missed meanwhile is found. */
static void watches_are_there_again(void **state)
{
    struct Fixture *f = *state;

    scratch_mkdir(&f->scratch, "a/b");
    watches_left = 1;
    open_and_scan(f);
    assert_int_equal(witness_kernel_watches(&f->witness), 1);
    scratch_mkdir(&f->scratch, "a/b/c");
    watches_left = INT_MAX;
    assert_int_equal(tree_sweep(&f->witness.tree), 0);
    assert_int_equal(witness_kernel_watches(&f->witness), 4);
    scratch_mkdir(&f->scratch, "a/b/d");
    witness_drain(&f->witness);
    assert_known(f, "a/b/c");
    assert_known(f, "a/b/d");
}

/* A scan found "x" without a watch; the event of its making comes when there are watches again. */
static void late_event_brings_a_late_watch(void **state)
{
    struct Fixture *f = *state;

    watches_left = 1;
    open_and_scan(f);
    scratch_mkdir(&f->scratch, "x");
    assert_int_equal(tree_scan(&f->witness.tree), 0);
    assert_known(f, "x");
    scratch_mkdir(&f->scratch, "x/y");
    watches_left = INT_MAX;
    witness_drain(&f->witness);
    assert_known(f, "x/y");
}

static void instances_exhausted(void **state)
{
    struct Fixture *f = *state;
    struct Witness *w = &f->witness;

    scratch_mkdir(&f->scratch, "a");
    no_instances = true;
    open_and_scan(f);
    assert_int_equal(tree_fd(&w->tree), -EBADF);
    assert_non_null(strstr(w->tree.degraded_why, "fs.inotify.max_user_instances"));
    assert_int_equal(w->degraded, 1);
    assert_known(f, "a");
    scratch_rmdir(&f->scratch, "a");
    assert_int_equal(tree_sweep(&w->tree), 0);
    assert_unknown(f, "a");
}

/* With no descriptor left a cgroup cannot be looked at: said once, found by the next sweep. */
static void descriptors_exhausted(void **state)
{
    struct Fixture *f = *state;
    struct Witness *w = &f->witness;
    struct rlimit before, none;

    scratch_mkdir(&f->scratch, "a/b");
    open_and_scan(f);
    scratch_mkdir(&f->scratch, "c");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(tree_dispatch(&w->tree), -EMFILE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(w->degraded, 1);
    assert_non_null(strstr(w->tree.degraded_why, "LimitNOFILE="));
    assert_known(f, "a/b");
    assert_int_equal(tree_sweep(&w->tree), 0);
    assert_known(f, "c");
}

/* cgroupfs itself, where this process may make cgroups: its watches do not go with the directory. */
static void real_cgroups(void **state)
{
    const struct Scratch *cgroups = *state;
    struct Witness witness = {.watch_files = true};

    if (cgroups->path[0] == '\0')
        skip();
    scratch_mkdir(cgroups, "a/b");
    assert_int_equal(witness_open(&witness, cgroups->path), 0);
    assert_int_equal(tree_scan(&witness.tree), 0);
    assert_int_equal(witness.appeared, 2);
    scratch_mkdir(cgroups, "c/d");
    scratch_rmdir(cgroups, "a/b");
    witness_drain(&witness);
    assert_non_null(witness_find(&witness, "c/d"));
    assert_null(witness_find(&witness, "a/b"));
    scratch_rmdir(cgroups, "c/d");
    scratch_rmdir(cgroups, "c");
    scratch_rmdir(cgroups, "a");
    witness_drain(&witness);
    assert_null(witness.known);
    assert_int_equal(witness_kernel_watches(&witness), 1);
    witness_done(&witness);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(scan_finds_what_is_there),
        TREE_TEST(scan_finds_what_vanished),
        TREE_TEST(mkdir_and_rmdir_are_announced),
        TREE_TEST(subtree_made_at_once_is_found),
        TREE_TEST(made_and_removed_before_the_look),
        TREE_TEST(name_taken_again),
        TREE_TEST(id_taken_again_is_another_directory),
        TREE_TEST(moved_directory),
        TREE_TEST(scan_finds_a_known_id_elsewhere),
        TREE_TEST(bind_mount_of_itself_ends),
        TREE_TEST(links_and_files_are_no_cgroups),
        TREE_TEST(deeper_than_a_path_may_be),
        TREE_TEST(file_changes_are_announced),
        TREE_TEST(missing_file_is_refused_and_forgotten_when_it_vanishes),
        TREE_TEST(sweep_reports_watched_files),
        TREE_TEST(overflow_rescans_and_takes_every_file_as_changed),
        TREE_TEST(every_known_cgroup_is_listed),
        TREE_TEST(no_more_than_so_many_in_a_bound_one),
        TREE_TEST(who_was_turned_away_comes_in_later),
        TREE_TEST(a_bound_one_within_another),
        TREE_TEST(bad_roots),
        TREE_TEST(watches_exhausted),
        TREE_TEST(watches_are_there_again),
        TREE_TEST(late_event_brings_a_late_watch),
        TREE_TEST(instances_exhausted),
        TREE_TEST(descriptors_exhausted),
        cmocka_unit_test_setup_teardown(real_cgroups, cgroupfs_setup, cgroupfs_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
