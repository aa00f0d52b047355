/* Directories are made and removed by another process while the tree scans and dispatches; when it has
 * ended, what is known must be what is there, to the inode number. The witness fails on any broken promise
 * on the way. On ext4 inode numbers are used again at once, which is harder than cgroupfs ever is. */
#include "witness.h"

#include <dirent.h>
#include <sys/wait.h>

#include "cgroupfs.h"

#define STEPS 20000
#define STEPS_ON_CGROUPFS 3000

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

/* Up to four levels, few names: they are taken again all the time. */
static void random_path(const struct Scratch *scratch, unsigned *seed, char *path)
{
    unsigned depth = 1 + next_random(seed) % 4;
    int n = snprintf(path, PATH_MAX, "%s", scratch->path);

    for (unsigned i = 0; i < depth; i++)
        n += snprintf(path + n, PATH_MAX - (size_t)n, "/%c", (char)('a' + next_random(seed) % 4));
}

/* More is made than removed; a full directory refuses rmdir. */
static void churn(const struct Scratch *scratch, unsigned seed, unsigned steps)
{
    char path[PATH_MAX];

    for (unsigned i = 0; i < steps; i++) {
        random_path(scratch, &seed, path);
        if (next_random(&seed) % 2 == 0)
            mkdir(path, 0755);
        else
            rmdir(path);
    }
}

static pid_t start_churn(const struct Scratch *scratch, unsigned seed, unsigned steps)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        churn(scratch, seed, steps);
        _exit(0);
    }
    return pid;
}

/* Now and then a scan besides the events, as after an overflow. */
static void watch_until_ended(struct Witness *witness, pid_t pid)
{
    for (unsigned turn = 1; waitpid(pid, NULL, WNOHANG) == 0; turn++) {
        if (witness_poll(witness, 1))
            assert_int_equal(tree_dispatch(&witness->tree), 0);
        if (turn % 50 == 0)
            assert_int_equal(tree_scan(&witness->tree), 0);
    }
    witness_drain(witness);
}

struct Found {
    const struct Scratch *scratch;
    const struct Witness *witness;
    unsigned n;
};

static void compare(struct Found *found, const char *name)
{
    char path[PATH_MAX];
    DIR *list;

    list = opendir(scratch_path(found->scratch, name, path));
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list));) {
        const struct Known *known;
        char child[PATH_MAX];

        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        snprintf(child, sizeof(child), "%.2000s%s%.200s", name, name[0] != '\0' ? "/" : "", entry->d_name);
        known = witness_find(found->witness, child);
        if (!known)
            fail_msg("%s is there and was missed", child);
        assert_int_equal(known->id, scratch_id(found->scratch, child));
        found->n++;
        compare(found, child);
    }
    closedir(list);
}

static void assert_agrees(const struct Scratch *scratch, const struct Witness *witness)
{
    struct Found found = {.scratch = scratch, .witness = witness};

    compare(&found, "");
    assert_int_equal(HASH_COUNT(witness->known), found.n);
    assert_int_equal(witness_kernel_watches(witness), found.n + 1);
    assert_false(witness->tree.degraded);
}

static void churn_in(const struct Scratch *scratch, unsigned steps)
{
    for (unsigned seed = 1; seed <= 4; seed++) {
        struct Witness witness = {0};
        pid_t pid = start_churn(scratch, seed, steps);

        assert_int_equal(witness_open(&witness, scratch->path), 0);
        assert_int_equal(tree_scan(&witness.tree), 0);
        watch_until_ended(&witness, pid);
        assert_true(witness.appeared > 100);
        assert_agrees(scratch, &witness);
        witness_done(&witness);
    }
}

static void churn_on_tmpfs(void **state)
{
    struct Scratch scratch = scratch_new("/tmp");

    (void)state;
    churn_in(&scratch, STEPS);
    scratch_done(&scratch);
}

static void churn_where_the_build_is(void **state)
{
    struct Scratch scratch = scratch_new(".");

    (void)state;
    churn_in(&scratch, STEPS);
    scratch_done(&scratch);
}

static void churn_on_cgroupfs(void **state)
{
    const struct Scratch *cgroups = *state;

    if (cgroups->path[0] == '\0')
        skip();
    churn_in(cgroups, STEPS_ON_CGROUPFS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(churn_on_tmpfs),
        cmocka_unit_test(churn_where_the_build_is),
        cmocka_unit_test_setup_teardown(churn_on_cgroupfs, cgroupfs_setup, cgroupfs_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
