/* The tagger on real directories, with a made-up store of project ids by inode: the filesystems of most
 * machines keep none. What the kernel would add (ids that are inherited, EXDEV) is tested in the guest. */
#include "../scratch.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "act/tagger_ops.h"

#define OURS 1000007U
#define FIRST 1000000U
#define LAST 1999999U
#define FOREIGN 42U

struct Mark {
    uint64_t inode;
    uint32_t project, flags;
    UT_hash_handle hh;
};

struct Ground {
    struct Scratch scratch;
    char root[PATH_MAX];
    struct Mark *marks; /* uthash */
    struct TagCount count;
    atomic_bool stop;
    int set_error;
    uint64_t sets;
    /* called at each get and set of this inode, 0: of each */
    void (*meddle)(struct Ground *ground);
    uint64_t meddle_inode;
};

static struct Mark *mark_of(struct Ground *ground, uint64_t inode)
{
    struct Mark *mark;

    HASH_FIND(hh, ground->marks, &inode, sizeof(inode), mark);
    if (mark)
        return mark;
    mark = calloc(1, sizeof(*mark));
    assert_non_null(mark);
    mark->inode = inode;
    HASH_ADD(hh, ground->marks, inode, sizeof(mark->inode), mark);
    return mark;
}

static struct Mark *mark_of_fd(struct Ground *ground, int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    if (ground->meddle && (ground->meddle_inode == 0 || ground->meddle_inode == st.st_ino))
        ground->meddle(ground);
    return mark_of(ground, st.st_ino);
}

static int fake_get(void *userdata, int fd, struct fsxattr *ret)
{
    const struct Mark *mark = mark_of_fd(userdata, fd);

    *ret = (struct fsxattr){.fsx_projid = mark->project, .fsx_xflags = mark->flags, .fsx_extsize = 4096};
    return 0;
}

static int fake_set(void *userdata, int fd, const struct fsxattr *attributes)
{
    struct Ground *ground = userdata;
    struct Mark *mark = mark_of_fd(ground, fd);

    assert_int_equal(attributes->fsx_extsize, 4096);
    ground->sets++;
    if (ground->set_error < 0)
        return ground->set_error;
    mark->project = attributes->fsx_projid;
    mark->flags = attributes->fsx_xflags;
    return 0;
}

static const char *at(const struct Ground *ground, const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned next;

    return scratch_path(&ground->scratch, name, paths[next++ % 4]);
}

static struct Mark *mark_at(struct Ground *ground, const char *name)
{
    struct stat st;

    assert_int_equal(lstat(at(ground, name), &st), 0);
    return mark_of(ground, st.st_ino);
}

static void assert_tagged(struct Ground *ground, const char *name)
{
    struct stat st;

    assert_int_equal(lstat(at(ground, name), &st), 0);
    if (mark_at(ground, name)->project != OURS)
        fail_msg("%s has project %u", name, mark_at(ground, name)->project);
    assert_int_equal(mark_at(ground, name)->flags & FS_XFLAG_PROJINHERIT,
                     S_ISDIR(st.st_mode) ? FS_XFLAG_PROJINHERIT : 0);
}

static void assert_untagged(struct Ground *ground, const char *name)
{
    if (mark_at(ground, name)->project != 0)
        fail_msg("%s has project %u", name, mark_at(ground, name)->project);
}

static void make(const struct Ground *ground, const char *name)
{
    scratch_write(&ground->scratch, name, "x");
}

static void make_link(const struct Ground *ground, const char *from, const char *to)
{
    assert_int_equal(link(at(ground, from), at(ground, to)), 0);
}

/* Stamps are as coarse as the kernel's tick; the tagger waits for that by itself, but then needs a pass. */
static void settle(void)
{
    usleep(20000);
}

static struct TagOrder order_for(const struct Ground *ground, enum TagMode mode)
{
    struct stat st;

    assert_int_equal(stat(at(ground, "tree"), &st), 0);
    return (struct TagOrder){
        .path = ground->root,
        .dev = st.st_dev,
        .inode = st.st_ino,
        .project = OURS,
        .first_project = FIRST,
        .last_project = LAST,
        .mode = mode,
    };
}

static int run_order(struct Ground *ground, const struct TagOrder *order)
{
    struct TagOps ops = {.get = fake_get, .set = fake_set, .userdata = ground};

    return tag_tree_with(order, &ground->count, &ground->stop, &ops);
}

static int run(struct Ground *ground, enum TagMode mode)
{
    struct TagOrder order = order_for(ground, mode);

    return run_order(ground, &order);
}

static int set_up(void **state)
{
    struct Ground *ground = calloc(1, sizeof(*ground));

    assert_non_null(ground);
    ground->scratch = scratch_new("/tmp");
    scratch_mkdir(&ground->scratch, "tree");
    scratch_mkdir(&ground->scratch, "outside");
    scratch_path(&ground->scratch, "tree", ground->root);
    *state = ground;
    return 0;
}

/* Not nftw(): the paths may be longer than any. */
static int tear_down(void **state)
{
    struct Ground *ground = *state;
    struct Mark *mark, *next;
    char command[320];

    snprintf(command, sizeof(command), "rm -rf '%s'", ground->scratch.path);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    HASH_ITER (hh, ground->marks, mark, next) {
        HASH_DEL(ground->marks, mark);
        free(mark);
    }
    free(ground);
    return 0;
}

/* --- what it does -----------------------------------------------------------------------------------------
 */

static void files_and_directories_are_tagged(void **state)
{
    struct Ground *ground = *state;

    scratch_mkdir(&ground->scratch, "tree/a/b/c");
    make(ground, "tree/f");
    make(ground, "tree/a/b/c/g");
    mark_at(ground, "tree/a/b")->flags = FS_XFLAG_NODUMP;
    settle();
    assert_int_equal(run(ground, TAG_ADOPT), 0);
    assert_tagged(ground, "tree");
    assert_tagged(ground, "tree/f");
    assert_tagged(ground, "tree/a");
    assert_tagged(ground, "tree/a/b/c/g");
    assert_int_equal(mark_at(ground, "tree/a/b")->flags, FS_XFLAG_NODUMP | FS_XFLAG_PROJINHERIT);
    assert_untagged(ground, "outside");
    assert_int_equal(ground->count.seen, 6);
    assert_int_equal(ground->count.changed, 6);
    assert_int_equal(run(ground, TAG_ADOPT), 0);
    assert_int_equal(ground->count.changed, 0);
    assert_int_equal(ground->count.seen, 6);
}

static void all_else_is_passed_over(void **state)
{
    struct Ground *ground = *state;

    assert_int_equal(mkfifo(at(ground, "tree/fifo"), 0600), 0);
    assert_int_equal(mknod(at(ground, "tree/socket"), S_IFSOCK | 0600, 0), 0);
    make(ground, "outside/canary");
    assert_int_equal(symlink(at(ground, "outside"), at(ground, "tree/link")), 0);
    assert_int_equal(symlink("../outside/canary", at(ground, "tree/relative")), 0);
    assert_int_equal(symlink("/proc/self/cwd", at(ground, "tree/magic")), 0);
    assert_int_equal(run(ground, TAG_REPAIR), 0);
    assert_untagged(ground, "outside");
    assert_untagged(ground, "outside/canary");
    assert_int_equal(ground->count.seen, 1);
    assert_int_equal(ground->count.failed, 0);
}

static void a_foreign_id_stays_unless_repaired(void **state)
{
    struct Ground *ground = *state;

    scratch_mkdir(&ground->scratch, "tree/theirs/below");
    make(ground, "tree/theirs/f");
    make(ground, "tree/foreign");
    make(ground, "tree/stale");
    mark_at(ground, "tree/theirs")->project = FOREIGN;
    mark_at(ground, "tree/foreign")->project = FOREIGN;
    mark_at(ground, "tree/stale")->project = LAST;
    assert_int_equal(run(ground, TAG_ADOPT), 0);
    assert_int_equal(mark_at(ground, "tree/theirs")->project, FOREIGN);
    assert_int_equal(mark_at(ground, "tree/foreign")->project, FOREIGN);
    assert_untagged(ground, "tree/theirs/below");
    assert_tagged(ground, "tree/stale");
    assert_int_equal(ground->count.foreign, 2);
    assert_int_equal(run(ground, TAG_REPAIR), 0);
    assert_int_equal(ground->count.foreign, 0);
    assert_tagged(ground, "tree/theirs");
    assert_tagged(ground, "tree/theirs/below");
    assert_tagged(ground, "tree/theirs/f");
    assert_tagged(ground, "tree/foreign");
}

static void a_check_changes_nothing(void **state)
{
    struct Ground *ground = *state;

    scratch_mkdir(&ground->scratch, "tree/a");
    make(ground, "tree/a/f");
    make(ground, "tree/g");
    assert_int_equal(run(ground, TAG_CHECK), 0);
    assert_int_equal(ground->count.wrong, 4);
    assert_int_equal(ground->sets, 0);
    assert_int_equal(run(ground, TAG_ADOPT), 0);
    assert_int_equal(run(ground, TAG_CHECK), 0);
    assert_int_equal(ground->count.wrong, 0);
    mark_at(ground, "tree/a")->flags = 0;
    mark_at(ground, "tree/g")->project = 0;
    make_link(ground, "tree/g", "tree/a/g");
    assert_int_equal(run(ground, TAG_CHECK), 0);
    assert_int_equal(ground->count.wrong, 2);
    assert_int_equal(ground->count.linked, 0);
}

static void a_clear_takes_off_only_ours(void **state)
{
    struct Ground *ground = *state;

    scratch_mkdir(&ground->scratch, "tree/a");
    make(ground, "tree/a/f");
    make(ground, "tree/theirs");
    make_link(ground, "tree/a/f", "outside/f");
    assert_int_equal(run(ground, TAG_ADOPT), 0);
    mark_at(ground, "tree/a/f")->project = OURS;
    mark_at(ground, "tree/theirs")->project = FOREIGN;
    assert_int_equal(run(ground, TAG_CLEAR), 0);
    assert_untagged(ground, "tree");
    assert_untagged(ground, "tree/a");
    assert_untagged(ground, "tree/a/f");
    assert_int_equal(mark_at(ground, "tree")->flags, 0);
    assert_int_equal(mark_at(ground, "tree/theirs")->project, FOREIGN);
}

/* --- the root ---------------------------------------------------------------------------------------------
 */

static void another_root_is_refused(void **state)
{
    struct Ground *ground = *state;
    struct TagOrder order = order_for(ground, TAG_ADOPT);

    assert_int_equal(rename(at(ground, "tree"), at(ground, "was")), 0);
    assert_int_equal(run_order(ground, &order), -ENOENT);
    assert_int_equal(symlink("was", at(ground, "tree")), 0);
    assert_int_equal(run_order(ground, &order), -ESTALE);
    assert_int_equal(unlink(at(ground, "tree")), 0);
    scratch_mkdir(&ground->scratch, "tree");
    assert_int_equal(run_order(ground, &order), -ESTALE);
    order.path = "tree";
    assert_int_equal(run_order(ground, &order), -EINVAL);
    assert_int_equal(ground->sets, 0);
}

static void a_link_above_the_root_is_not_followed(void **state)
{
    struct Ground *ground = *state;
    struct TagOrder order;

    scratch_mkdir(&ground->scratch, "tree/root");
    assert_int_equal(symlink("tree", at(ground, "link")), 0);
    order = order_for(ground, TAG_ADOPT);
    scratch_path(&ground->scratch, "link/root", ground->root);
    order.inode = scratch_id(&ground->scratch, "tree/root");
    assert_int_equal(run_order(ground, &order), -ESTALE);
    scratch_path(&ground->scratch, "tree/root", ground->root);
    assert_int_equal(run_order(ground, &order), 0);
}

static void meddle_stop(struct Ground *ground)
{
    if (ground->sets == 2)
        atomic_store(&ground->stop, true);
}

static void a_stop_is_heeded_and_the_walk_begun_again(void **state)
{
    struct Ground *ground = *state;

    scratch_mkdir(&ground->scratch, "tree/a");
    for (unsigned i = 0; i < 10; i++) {
        char name[32];

        snprintf(name, sizeof(name), "tree/a/%u", i);
        make(ground, name);
    }
    ground->meddle = meddle_stop;
    assert_int_equal(run(ground, TAG_ADOPT), TAG_STOPPED);
    assert_true(ground->sets < 4);
    ground->meddle = NULL;
    atomic_store(&ground->stop, false);
    assert_int_equal(run(ground, TAG_ADOPT), 0);
    assert_tagged(ground, "tree/a/9");
}

static void errors_of_the_filesystem_are_told(void **state)
{
    struct Ground *ground = *state;

    make(ground, "tree/f");
    ground->set_error = -EROFS;
    assert_int_equal(run(ground, TAG_ADOPT), -EROFS);
    ground->set_error = -EOPNOTSUPP;
    assert_int_equal(run(ground, TAG_ADOPT), -EOPNOTSUPP);
    ground->set_error = -EDQUOT;
    assert_int_equal(run(ground, TAG_ADOPT), -EDQUOT);
    assert_int_equal(ground->count.failed, 2);
    ground->set_error = -EPERM;
    assert_int_equal(run(ground, TAG_ADOPT), 0);
    assert_int_equal(ground->count.failed, 2);
}

/* --- links ------------------------------------------------------------------------------------------------
 */

static void a_file_with_a_name_outside_is_passed_over(void **state)
{
    struct Ground *ground = *state;

    scratch_mkdir(&ground->scratch, "tree/a");
    make(ground, "outside/canary");
    make_link(ground, "outside/canary", "tree/one");
    make_link(ground, "outside/canary", "tree/a/two");
    settle();
    assert_int_equal(run(ground, TAG_ADOPT), 0);
    assert_untagged(ground, "outside/canary");
    assert_int_equal(ground->count.linked, 1);
    assert_int_equal(run(ground, TAG_REPAIR), 0);
    assert_untagged(ground, "outside/canary");
}

static void a_file_with_all_names_inside_is_tagged(void **state)
{
    struct Ground *ground = *state;

    scratch_mkdir(&ground->scratch, "tree/a/b");
    make(ground, "tree/one");
    make_link(ground, "tree/one", "tree/a/two");
    make_link(ground, "tree/one", "tree/a/b/three");
    assert_int_equal(run(ground, TAG_ADOPT), 0);
    assert_tagged(ground, "tree/one");
    assert_int_equal(ground->count.linked, 0);
}

/* Its one name inside is renamed whenever the walk has met it. */
static void meddle_rename(struct Ground *ground)
{
    const char *a = at(ground, "tree/a/name"), *z = at(ground, "tree/z/name");

    if (rename(a, z) < 0)
        rename(z, a);
}

static void a_name_that_is_renamed_counts_once(void **state)
{
    struct Ground *ground = *state;
    int r;

    scratch_mkdir(&ground->scratch, "tree/a");
    scratch_mkdir(&ground->scratch, "tree/z");
    make(ground, "outside/canary");
    make_link(ground, "outside/canary", "tree/a/name");
    settle();
    ground->meddle = meddle_rename;
    ground->meddle_inode = scratch_id(&ground->scratch, "outside/canary");
    r = run(ground, TAG_ADOPT);
    assert_true(r == 0 || r == -EAGAIN);
    assert_untagged(ground, "outside/canary");
}

/* Two files are exchanged: XFS does not stamp them. */
static void meddle_exchange(struct Ground *ground)
{
    settle();
    renameat2(AT_FDCWD, at(ground, "tree/a/name"), AT_FDCWD, at(ground, "tree/z/name"), RENAME_EXCHANGE);
    settle();
}

static void a_name_that_is_exchanged_counts_once(void **state)
{
    struct Ground *ground = *state;
    int r;

    scratch_mkdir(&ground->scratch, "tree/a");
    scratch_mkdir(&ground->scratch, "tree/z");
    make(ground, "outside/canary");
    make(ground, "tree/z/name");
    make_link(ground, "outside/canary", "tree/a/name");
    settle();
    ground->meddle = meddle_exchange;
    ground->meddle_inode = scratch_id(&ground->scratch, "outside/canary");
    r = run(ground, TAG_ADOPT);
    assert_true(r == 0 || r == -EAGAIN);
    assert_untagged(ground, "outside/canary");
}

/* A directory with the name in it is moved to where the walk will be. */
static void meddle_move(struct Ground *ground)
{
    const char *a = at(ground, "tree/a/d"), *z = at(ground, "tree/z/d");

    if (rename(a, z) < 0)
        rename(z, a);
}

static void a_name_whose_directory_moves_counts_once(void **state)
{
    struct Ground *ground = *state;
    int r;

    scratch_mkdir(&ground->scratch, "tree/a/d");
    scratch_mkdir(&ground->scratch, "tree/z");
    make(ground, "outside/canary");
    make_link(ground, "outside/canary", "tree/a/d/name");
    settle();
    ground->meddle = meddle_move;
    ground->meddle_inode = scratch_id(&ground->scratch, "outside/canary");
    r = run(ground, TAG_ADOPT);
    assert_true(r == 0 || r == -EAGAIN);
    assert_untagged(ground, "outside/canary");
}

/* The name is taken away when the walk has opened the file: its only link now is outside. */
static void meddle_unlink(struct Ground *ground)
{
    unlink(at(ground, "tree/name"));
}

static void a_single_link_must_be_the_one_we_came_by(void **state)
{
    struct Ground *ground = *state;
    int r;

    make(ground, "outside/canary");
    make_link(ground, "outside/canary", "tree/name");
    ground->meddle = meddle_unlink;
    ground->meddle_inode = scratch_id(&ground->scratch, "outside/canary");
    r = run(ground, TAG_ADOPT);
    assert_true(r == 0 || r == -EAGAIN);
    assert_untagged(ground, "outside/canary");
}

static void a_busy_directory_still_has_its_files_tagged(void **state)
{
    struct Ground *ground = *state;

    make(ground, "tree/f"); /* file and directory were changed in this very tick */
    assert_int_equal(run(ground, TAG_ADOPT), 0);
    assert_tagged(ground, "tree/f");
}

/* --- depth and width --------------------------------------------------------------------------------------
 */

#define DEEP 5000

/* Leaves a directory "x" in the one before, each with a file. */
static int make_deep(int fd, unsigned levels)
{
    for (unsigned i = 0; i < levels; i++) {
        int next, file = openat(fd, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        assert_true(file >= 0);
        close(file);
        assert_int_equal(mkdirat(fd, "x", 0700), 0);
        next = openat(fd, "x", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(next >= 0);
        close(fd);
        fd = next;
    }
    return fd;
}

static unsigned open_descriptors(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static unsigned most_descriptors;

static void meddle_count(struct Ground *ground)
{
    static unsigned calls;

    (void)ground;
    if (++calls % 64 == 0 && open_descriptors() > most_descriptors)
        most_descriptors = open_descriptors();
}

static void deep_nesting_takes_few_descriptors(void **state)
{
    struct Ground *ground = *state;
    int fd = make_deep(scratch_open(&ground->scratch, "tree"), DEEP);
    unsigned before;

    close(fd);
    before = open_descriptors();
    most_descriptors = 0;
    ground->meddle = meddle_count;
    assert_int_equal(run(ground, TAG_ADOPT), 0);
    assert_int_equal(ground->count.seen, 2 * DEEP + 1);
    assert_int_equal(ground->count.changed, 2 * DEEP + 1);
    assert_true(most_descriptors > before);
    assert_true(most_descriptors < before + 80);
    assert_int_equal(open_descriptors(), before);
}

/* Siblings on the way back from the depth: each of 200 levels has a directory before and one behind "x". */
static void the_way_back_misses_nothing(void **state)
{
    struct Ground *ground = *state;
    int fd = scratch_open(&ground->scratch, "tree");

    for (unsigned i = 0; i < 200; i++) {
        int next;

        for (unsigned k = 0; k < 5; k++) {
            char name[8] = {(char)('a' + k), '\0'};

            assert_int_equal(mkdirat(fd, name, 0700), 0);
        }
        next = openat(fd, i % 2 ? "a" : "e", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = next;
    }
    close(fd);
    assert_int_equal(run(ground, TAG_ADOPT), 0);
    assert_int_equal(ground->count.changed, 1001);
    assert_int_equal(run(ground, TAG_CHECK), 0);
    assert_int_equal(ground->count.seen, 1001);
    assert_int_equal(ground->count.wrong, 0);
}

/* The lowest directory is moved out of the depth, into one outside: ".." leads there. */
static void meddle_pull(struct Ground *ground)
{
    char path[PATH_MAX] = "tree";

    for (unsigned i = 0; i < 100; i++)
        strcat(path, "/x");
    rename(at(ground, path), at(ground, "outside/x"));
}

static void a_moved_directory_does_not_lead_out(void **state)
{
    struct Ground *ground = *state;
    char path[PATH_MAX] = "tree";

    close(make_deep(scratch_open(&ground->scratch, "tree"), 102));
    make(ground, "outside/canary");
    make(ground, "outside/zz");
    for (unsigned i = 0; i < 101; i++)
        strcat(path, "/x");
    ground->meddle = meddle_pull;
    ground->meddle_inode = scratch_id(&ground->scratch, path);
    settle();
    assert_int_equal(run(ground, TAG_ADOPT), 0);
    assert_untagged(ground, "outside");
    assert_untagged(ground, "outside/canary");
    assert_untagged(ground, "outside/zz");
    assert_tagged(ground, "tree/f");
}

static void wide_directories_are_walked_whole(void **state)
{
    struct Ground *ground = *state;

    for (unsigned i = 0; i < 1500; i++) {
        char name[96];

        snprintf(name, sizeof(name), "tree/a-rather-long-name-that-fills-the-buffer-%u", i);
        if (i % 3)
            make(ground, name);
        else
            scratch_mkdir(&ground->scratch, name);
    }
    assert_int_equal(run(ground, TAG_ADOPT), 0);
    assert_int_equal(ground->count.changed, 1501);
}

/* --- a hostile thread -------------------------------------------------------------------------------------
 */

struct Enemy {
    int tree_fd, outside_fd;
    atomic_bool stop;
};

static void enemy_round(const struct Enemy *enemy, unsigned i)
{
    int tree = enemy->tree_fd;

    /* a directory becomes a link to the outside, and back */
    renameat2(tree, "d", tree, "s", RENAME_EXCHANGE);
    renameat2(tree, "d/e", tree, "s/e", RENAME_EXCHANGE);
    /* a name of the canary comes and goes, and wanders */
    linkat(enemy->outside_fd, "canary", tree, i % 2 ? "h" : "k/h", 0);
    renameat2(tree, "k/h", tree, "k/i", RENAME_EXCHANGE);
    renameat(tree, "h", tree, "k/h");
    unlinkat(tree, i % 3 ? "h" : "k/h", 0);
    /* a file becomes a fifo, a directory, a link */
    unlinkat(tree, "m", i % 3 == 1 ? AT_REMOVEDIR : 0);
    if (i % 3 == 0)
        mkdirat(tree, "m", 0700);
    else if (i % 3 == 1)
        mkfifoat(tree, "m", 0600);
    else
        symlinkat("../outside/below/deep", tree, "m");
    renameat(tree, i % 2 ? "p/q" : "q", tree, i % 2 ? "q" : "p/q");
}

static void *enemy_main(void *userdata)
{
    const struct Enemy *enemy = userdata;

    for (unsigned i = 0; !atomic_load(&enemy->stop); i++)
        enemy_round(enemy, i);
    return NULL;
}

static void an_enemy_gets_nothing_outside_tagged(void **state)
{
    struct Ground *ground = *state;
    struct Enemy enemy = {.stop = false};
    time_t until = time(NULL) + 2;
    pthread_t thread;

    scratch_mkdir(&ground->scratch, "tree/d/e");
    scratch_mkdir(&ground->scratch, "tree/k");
    scratch_mkdir(&ground->scratch, "tree/p/q/r");
    scratch_mkdir(&ground->scratch, "outside/below/deep");
    make(ground, "tree/k/i");
    make(ground, "outside/canary");
    make(ground, "outside/below/deep/canary");
    assert_int_equal(symlink("../outside/below", at(ground, "tree/s")), 0);
    enemy.tree_fd = scratch_open(&ground->scratch, "tree");
    enemy.outside_fd = scratch_open(&ground->scratch, "outside");
    assert_int_equal(pthread_create(&thread, NULL, enemy_main, &enemy), 0);
    while (time(NULL) < until) {
        (void)run(ground, TAG_REPAIR);
        (void)run(ground, TAG_ADOPT);
        mark_at(ground, "tree")->project = 0;
    }
    atomic_store(&enemy.stop, true);
    pthread_join(thread, NULL);
    close(enemy.tree_fd);
    close(enemy.outside_fd);
    assert_untagged(ground, "outside");
    assert_untagged(ground, "outside/canary");
    assert_untagged(ground, "outside/below");
    assert_untagged(ground, "outside/below/deep");
    assert_untagged(ground, "outside/below/deep/canary");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_and_directories_are_tagged),
        TEST(all_else_is_passed_over),
        TEST(a_foreign_id_stays_unless_repaired),
        TEST(a_check_changes_nothing),
        TEST(a_clear_takes_off_only_ours),
        TEST(another_root_is_refused),
        TEST(a_link_above_the_root_is_not_followed),
        TEST(a_stop_is_heeded_and_the_walk_begun_again),
        TEST(errors_of_the_filesystem_are_told),
        TEST(a_file_with_a_name_outside_is_passed_over),
        TEST(a_file_with_all_names_inside_is_tagged),
        TEST(a_name_that_is_renamed_counts_once),
        TEST(a_name_that_is_exchanged_counts_once),
        TEST(a_name_whose_directory_moves_counts_once),
        TEST(a_single_link_must_be_the_one_we_came_by),
        TEST(a_busy_directory_still_has_its_files_tagged),
        TEST(deep_nesting_takes_few_descriptors),
        TEST(the_way_back_misses_nothing),
        TEST(a_moved_directory_does_not_lead_out),
        TEST(wide_directories_are_walked_whole),
        TEST(an_enemy_gets_nothing_outside_tagged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
