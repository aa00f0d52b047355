/* kill -9 at any instant: a child sets, resets, notes and returns at random and is killed, again and again,
 * on the same directories. What it has done, and what it is about to do, it notes in shared memory: a file is
 * then as it was, or as it was to be, and no file is damaged. */
#include "scratch.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "record/override.h"
#include "record/project.h"

#define ROUNDS 200
#define TENANTS 8

/* A tenant's override is all made of this number, 0: none; its project has as many directories noted. */
struct Notes {
    uint64_t done[TENANTS];
    unsigned tenant; /* of the operation under way */
    uint64_t wanted;
    bool under_way;
    uint64_t operations;
};

#define ORDER() __asm__ volatile("" ::: "memory")

static const char *tenant_name(unsigned i, char buf[static 32])
{
    snprintf(buf, 32, "docker/\xff%u", i);
    return buf;
}

static struct Limits limits_of(uint64_t n)
{
    struct Limits limits = {0};

    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        limits.set[i] = true;
        limits.value[i] = n * 1000 + i;
    }
    return limits;
}

static int nobody(void *userdata, uint32_t id)
{
    return 0;
}

/* --- the child ------------------------------------------------------------------------------------ */

static int change(struct Overrides *overrides, struct Projects *projects, const char *tenant, uint64_t wanted)
{
    struct Limits limits = limits_of(wanted);
    struct Project *project = project_find(projects, "UUID=1", tenant);
    const struct OverrideWish wish = {};
    char path[32];
    int r;

    r = wanted ? override_set(overrides, tenant, &limits, &wish, wanted)
               : override_reset(overrides, tenant, NULL, &wish.author, wanted);
    if (r < 0)
        return r;
    if (!project)
        return project_take(projects, "UUID=1", tenant, "/nowhere", "/nowhere", nobody, NULL, &project);
    if (wanted == 0)
        return project_return(projects, project);
    snprintf(path, sizeof(path), "/%llu", (unsigned long long)wanted % 20);
    return wanted % 3 == 0 ? project_forget(projects, project, path)
                           : project_note(projects, project, path, wanted % 2);
}

static void write_until_killed(const char *directory, volatile struct Notes *notes, unsigned seed)
{
    struct Overrides overrides;
    struct Projects projects;

    srand(seed);
    if (overrides_open(&overrides, directory, "/nowhere") < 0 ||
        projects_open(&projects, directory, 1000, 2000) < 0)
        _exit(1);
    for (;;) {
        unsigned i = (unsigned)rand() % TENANTS;
        char tenant[32];

        notes->tenant = i;
        notes->wanted = rand() % 4 ? (uint64_t)rand() % 1000000 : 0;
        ORDER();
        notes->under_way = true;
        ORDER();
        if (change(&overrides, &projects, tenant_name(i, tenant), notes->wanted) < 0)
            _exit(2);
        ORDER();
        notes->done[i] = notes->wanted;
        ORDER();
        notes->under_way = false;
        notes->operations++;
    }
}

/* --- the judge ------------------------------------------------------------------------------------ */

static uint64_t number_of(const struct Overrides *overrides, const char *tenant)
{
    const struct Override *override = override_find(overrides, tenant);
    struct Limits expected, limits;

    if (!override)
        return 0;
    override_limits(overrides, tenant, &limits);
    expected = limits_of(override->entries[0].set_realtime_usec);
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        assert_true(limits.set[i] && limits.value[i] == expected.value[i]);
    return override->entries[0].set_realtime_usec;
}

static void judge(const char *directory, struct Notes *notes)
{
    struct Overrides overrides;
    struct Projects projects;

    assert_int_equal(overrides_open(&overrides, directory, "/nowhere"), 0);
    assert_int_equal(projects_open(&projects, directory, 1000, 2000), 0);
    assert_int_equal(overrides.damaged, 0);
    assert_int_equal(projects.damaged, 0);
    for (unsigned i = 0; i < TENANTS; i++) {
        char tenant[32];
        uint64_t found = number_of(&overrides, tenant_name(i, tenant));

        assert_true(found == notes->done[i] ||
                    (notes->under_way && notes->tenant == i && found == notes->wanted));
        notes->done[i] = found;
    }
    notes->under_way = false;
    overrides_close(&overrides);
    projects_close(&projects);
}

static void no_leftovers(const struct Scratch *scratch)
{
    char path[PATH_MAX];

    assert_int_not_equal(access(scratch_path(scratch, "overrides/.new", path), F_OK), 0);
    assert_int_not_equal(access(scratch_path(scratch, "projects/.new", path), F_OK), 0);
}

static void kill_at_random_instants(void **state)
{
    struct Scratch scratch = scratch_new("/tmp");
    struct Notes *notes =
        mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status;

    assert_ptr_not_equal(notes, MAP_FAILED);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct timespec life = {.tv_nsec = 2000000 + rand() % (20 * 1000 * 1000)};
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
            write_until_killed(scratch.path, notes, round);
        nanosleep(&life, NULL);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status)); /* and did not end by itself */
        judge(scratch.path, notes);
        no_leftovers(&scratch);
    }
    print_message("# %u kills, %llu operations\n", ROUNDS, (unsigned long long)notes->operations);
    assert_true(notes->operations > 0);
    munmap(notes, sizeof(*notes));
    scratch_done(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kill_at_random_instants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
