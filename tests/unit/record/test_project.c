/* Projects: what is taken is found again after a restart, ids that others use are left alone, and what a bad
 * day does to the files. */
#include "failing.h"
#include "scratch.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "record/project.h"
#include "record/store.h"

#define FIRST 1000000
#define LAST 1999999
#define UUID "UUID=0f3c"

struct Ground {
    struct Scratch scratch;
    struct Projects projects;
    char projid[PATH_MAX], admin[PATH_MAX];
};

static int set_up(void **state)
{
    struct Ground *ground = calloc(1, sizeof(*ground));

    ground->scratch = scratch_new("/tmp");
    scratch_path(&ground->scratch, "projid", ground->projid);
    scratch_path(&ground->scratch, "admin", ground->admin);
    assert_int_equal(projects_open(&ground->projects, ground->scratch.path, FIRST, LAST), 0);
    *state = ground;
    return 0;
}

static int tear_down(void **state)
{
    struct Ground *ground = *state;

    projects_close(&ground->projects);
    scratch_done(&ground->scratch);
    free(ground);
    return 0;
}

static void reopen(struct Ground *ground, uint32_t first, uint32_t last)
{
    projects_close(&ground->projects);
    assert_int_equal(projects_open(&ground->projects, ground->scratch.path, first, last), 0);
}

static bool is_there(const struct Ground *ground, const char *name)
{
    char path[PATH_MAX];

    return access(scratch_path(&ground->scratch, name, path), F_OK) == 0;
}

static int nobody(void *userdata, uint32_t id)
{
    return 0;
}

static int take(struct Ground *ground, const char *tenant, struct Project **ret)
{
    return project_take(&ground->projects, UUID, tenant, ground->projid, ground->admin, nobody, NULL, ret);
}

static uint32_t id_taken(struct Ground *ground, const char *tenant)
{
    struct Project *project = NULL;

    assert_int_equal(take(ground, tenant, &project), 0);
    assert_string_equal(project->tenant, tenant);
    return project->id;
}

/* --- what is kept --------------------------------------------------------------------------------- */

static void found_again(void **state)
{
    static const char tenant[] = "a/b\nc%41\xff\x01\"\\";
    struct Ground *ground = *state;
    struct Project *project;

    assert_int_equal(take(ground, tenant, &project), 0);
    assert_int_equal(project->id, FIRST);
    assert_int_equal(project_note(&ground->projects, project, "/var/lib/\xc3\x28/\n", false), 0);
    assert_int_equal(project_note(&ground->projects, project, "/srv", false), 0);
    assert_int_equal(project_note(&ground->projects, project, "/home", true), 0);
    assert_int_equal(project_note(&ground->projects, project, "/srv", true), 0);
    assert_int_equal(project_forget(&ground->projects, project, "/home"), 0);
    assert_int_equal(project_forget(&ground->projects, project, "/never"), 0);

    reopen(ground, FIRST, LAST);
    assert_int_equal(ground->projects.damaged, 0);
    project = project_find(&ground->projects, UUID, tenant);
    assert_non_null(project);
    assert_ptr_equal(project, project_by_id(&ground->projects, FIRST));
    assert_int_equal(project->n_directories, 2);
    assert_string_equal(project->directories[0].path, "/var/lib/\xc3\x28/\n");
    assert_false(project->directories[0].tagged);
    assert_string_equal(project->directories[1].path, "/srv");
    assert_true(project->directories[1].tagged);
    assert_null(project_find(&ground->projects, "UUID=other", tenant));
    assert_null(project_find(&ground->projects, UUID, "a"));
}

static void forgotten_in_the_middle(void **state)
{
    struct Ground *ground = *state;
    struct Project *project;

    assert_int_equal(take(ground, "web", &project), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(
            project_note(&ground->projects, project, (const char *[]){"/a", "/b", "/c"}[i], i == 2), 0);
    assert_int_equal(project_forget(&ground->projects, project, "/b"), 0);
    assert_int_equal(project->n_directories, 2);
    assert_string_equal(project->directories[0].path, "/a");
    assert_string_equal(project->directories[1].path, "/c");
    assert_true(project->directories[1].tagged);
}

static void given_back(void **state)
{
    struct Ground *ground = *state;
    struct Project *project;

    assert_int_equal(take(ground, "web", &project), 0);
    assert_true(is_there(ground, "projects/1000000.json"));
    assert_int_equal(project_return(&ground->projects, project), 0);
    assert_false(is_there(ground, "projects/1000000.json"));
    assert_null(project_by_id(&ground->projects, FIRST));
    assert_null(project_find(&ground->projects, UUID, "web"));
    /* not at once to somebody else */
    assert_int_equal(id_taken(ground, "db"), FIRST + 1);
    reopen(ground, FIRST, LAST);
    assert_int_equal(id_taken(ground, "web"), FIRST + 2);
}

static void one_each(void **state)
{
    struct Ground *ground = *state;
    struct Project *project;
    char longest[300];

    assert_int_equal(id_taken(ground, "web"), FIRST);
    assert_int_equal(take(ground, "web", &project), -EEXIST);
    assert_int_equal(project_take(&ground->projects, "/dev/vdb", "web", ground->projid, ground->admin, nobody,
                                  NULL, &project),
                     0);
    assert_int_equal(project->id, FIRST + 1);
    memset(longest, 'x', sizeof(longest));
    longest[255] = '\0';
    assert_int_equal(id_taken(ground, longest), FIRST + 2);
    longest[255] = 'x';
    longest[256] = '\0';
    assert_int_equal(take(ground, longest, &project), -EINVAL);
    assert_int_equal(take(ground, "", &project), -EINVAL);
    assert_int_equal(
        project_take(&ground->projects, "a\nb", "c", ground->projid, ground->admin, nobody, NULL, &project),
        -EINVAL);
    assert_int_equal(
        project_take(&ground->projects, "", "c", ground->projid, ground->admin, nobody, NULL, &project),
        -EINVAL);
    assert_int_equal(
        project_take(&ground->projects, longest, "c", ground->projid, ground->admin, nobody, NULL, &project),
        -EINVAL);
}

/* --- ids that others use -------------------------------------------------------------------------- */

static int odd_ones(void *userdata, uint32_t id)
{
    unsigned *asked = userdata;

    (*asked)++;
    return id % 2;
}

static void not_others(void **state)
{
    struct Ground *ground = *state;
    struct Project *project;
    unsigned asked = 0;

    scratch_write(
        &ground->scratch, "projid",
        "# a comment: 1000004\n\nbroken\nweb:1000000\nx: 1000002 \nno:-4293967292\nhuge:99999999999999\n"
        "more:99999999999999999999999\nempty:\n:\nlast:1000006");
    scratch_write(&ground->scratch, "admin",
                  "1000008:/srv/a:1000004\n#1000004:/x\n1000004\nx1000004:/a\n1000004x:/a\n");
    assert_int_equal(project_take(&ground->projects, UUID, "web", ground->projid, ground->admin, odd_ones,
                                  &asked, &project),
                     0);
    assert_int_equal(project->id, FIRST + 4);
    assert_int_equal(asked, 3); /* of 1, 3 and 4: not of those in the files */
    assert_int_equal(project_take(&ground->projects, UUID, "db", ground->projid, ground->admin, odd_ones,
                                  &asked, &project),
                     0);
    assert_int_equal(project->id, FIRST + 10);
}

/* A line without an end is bounded; what stands behind it counts. */
static void odd_files(void **state)
{
    struct Ground *ground = *state;
    struct Project *project;
    FILE *file = fopen(ground->projid, "we");

    if (!file)
        abort();
    for (unsigned i = 0; i < 3 * 1000 * 1000; i++)
        fputs(i == 9000 ? ":1000001 " : "1", file);
    fprintf(file, "\nweb:%u\n", FIRST);
    fclose(file);
    assert_int_equal(mkfifo(ground->admin, 0600), 0);
    assert_int_equal(id_taken(ground, "web"), FIRST + 1);

    assert_int_equal(unlink(ground->admin), 0);
    assert_int_equal(symlink("admin", ground->admin), 0);
    assert_int_equal(take(ground, "db", &project), -ELOOP);
    assert_null(project_find(&ground->projects, UUID, "db"));
}

/* More of them than are looked for at first, and more lines than are read. */
static void many_others(void **state)
{
    struct Ground *ground = *state;
    FILE *file = fopen(ground->projid, "we");

    if (!file)
        abort();
    for (unsigned i = 0; i < 300; i++)
        fprintf(file, "%u:%u\n", i, FIRST + i);
    for (unsigned i = 300; i < 1000 * 1000; i++)
        fputc('\n', file);
    fprintf(file, "behind:%u\n", FIRST + 300);
    fclose(file);
    assert_int_equal(id_taken(ground, "web"), FIRST + 300);
}

static void behind_the_last(void **state)
{
    struct Ground *ground = *state;

    reopen(ground, LAST, LAST + 1);
    assert_int_equal(id_taken(ground, "a"), LAST);
    assert_int_equal(id_taken(ground, "b"), LAST + 1);
    reopen(ground, FIRST, LAST);
    assert_int_equal(id_taken(ground, "c"), FIRST);
    reopen(ground, FIRST, FIRST + 1); /* those behind it are nothing to it */
    assert_int_equal(id_taken(ground, "d"), FIRST + 1);
}

/* What names the ids of others must be read whole: else one of them could be taken. */
static void admin_file_that_cannot_be_read(void **state)
{
    static const struct {
        const char *function;
        int error;
    } table[] = {
        {"open64", EACCES}, {"open64", EMFILE}, {"fstat64", EIO}, {"fdopen", ENOMEM}, {"ferror", EIO}};
    struct Ground *ground = *state;
    struct Project *project;

    scratch_write(&ground->scratch, "projid", "web:1000000\n");
    scratch_write(&ground->scratch, "admin", "1000001:/srv\n");
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        for (unsigned nth = 1; nth <= 2; nth++) {
            fail_call(table[i].function, nth, table[i].error);
            assert_int_equal(take(ground, "web", &project), -table[i].error);
            assert_true(call_failed());
            assert_null(project_find(&ground->projects, UUID, "web"));
        }
    fail_call("open64", 1, ENOTDIR); /* there is none */
    assert_int_equal(take(ground, "web", &project), 0);
    assert_int_equal(project->id, FIRST);
}

static void used_up(void **state)
{
    struct Ground *ground = *state;
    struct Project *project;
    uint32_t id;

    reopen(ground, FIRST, FIRST + 2);
    id_taken(ground, "a");
    id_taken(ground, "b");
    id_taken(ground, "c");
    assert_int_equal(take(ground, "d", &project), -ENOSPC);
    project = project_find(&ground->projects, UUID, "b");
    id = project->id;
    assert_int_equal(project_return(&ground->projects, project), 0);
    assert_int_equal(id_taken(ground, "d"), id);
    /* another range: what is here stays */
    reopen(ground, 5, 5);
    assert_non_null(project_find(&ground->projects, UUID, "a"));
    assert_int_equal(id_taken(ground, "e"), 5);
    projects_close(&ground->projects);
    assert_int_equal(projects_open(&ground->projects, ground->scratch.path, 0, 5), -EINVAL);
    assert_int_equal(projects_open(&ground->projects, ground->scratch.path, 7, 6), -EINVAL);
}

static int broken(void *userdata, uint32_t id)
{
    return -EIO;
}

static void filesystem_does_not_say(void **state)
{
    struct Ground *ground = *state;
    struct Project *project;

    assert_int_equal(
        project_take(&ground->projects, UUID, "web", ground->projid, ground->admin, broken, NULL, &project),
        -EIO);
    assert_null(project_find(&ground->projects, UUID, "web"));
    assert_false(is_there(ground, "projects/1000000.json"));
}

/* --- bad days ------------------------------------------------------------------------------------- */

#define REST ",\"tenant\":\"t\",\"filesystem\":\"f\",\"directories\":[]}"

#define HEAD "{\"id\":1000000,\"tenant\":\"t\",\"filesystem\":\"f\",\"directories\":"

static void damaged(void **state)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{\"id\":",
        "{}",
        "{\"id\":1000007" REST, /* another's name */
        "{\"id\":\"1000000\"" REST,
        "{\"id\":1000000,\"tenant\":\"%zz\",\"filesystem\":\"f\",\"directories\":[]}",
        "{\"id\":1000000,\"tenant\":\"%00\",\"filesystem\":\"f\",\"directories\":[]}",
        "{\"id\":1000000,\"tenant\":\"%41\",\"filesystem\":\"f\",\"directories\":[]}",
        "{\"id\":1000000,\"tenant\":\"\",\"filesystem\":\"f\",\"directories\":[]}",
        "{\"id\":1000000,\"tenant\":\"t\",\"filesystem\":\"f\",\"directories\":{}}",
        "{\"id\":1000000,\"tenant\":\"t\",\"filesystem\":\"f\",\"directories\":[1]}",
        "{\"id\":1000000,\"tenant\":\"t\",\"filesystem\":\"f\",\"directories\":[{\"path\":\"/\"}]}",
        "{\"id\":1000000,\"tenant\":\"t\",\"filesystem\":\"f\",\"directories\":[{\"path\":\"/"
        "\",\"tagged\":0}]}",
        "{\"id\":0" REST,
        "{\"id\":1000000,\"tenant\":\"t\",\"filesystem\":\"%zz\",\"directories\":[]}",
        "{\"id\":1000000,\"tenant\":\"t\",\"filesystem\":\"\",\"directories\":[]}",
        HEAD "[{\"tagged\":true}]}",
        HEAD "[{\"path\":7,\"tagged\":true}]}",
        HEAD "[{\"path\":\"%zz\",\"tagged\":true}]}",
        HEAD "[{\"path\":\"/\",\"tagged\":true},{\"path\":\"/\",\"tagged\":false}]}",
    };
    struct Ground *ground = *state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        scratch_write(&ground->scratch, "projects/1000000.json", texts[i]);
        scratch_write(
            &ground->scratch, "projects/1000001.json",
            "{\"id\":1000001,\"later\":[{}],\"tenant\":\"web\",\"filesystem\":\"f\",\"directories\":[]}");
        reopen(ground, FIRST, LAST);
        assert_int_equal(ground->projects.damaged, 1);
        assert_int_equal(ground->projects.n, 1);
        assert_non_null(project_find(&ground->projects, "f", "web"));
        assert_false(is_there(ground, "projects/1000000.json"));
        assert_true(is_there(ground, "projects/1000000.damaged"));
        scratch_unlink_file(&ground->scratch, "projects/1000000.damaged");
    }
}

static void not_files(void **state)
{
    struct Ground *ground = *state;
    char path[PATH_MAX];

    scratch_mkdir(&ground->scratch, "projects/1000000.json");
    assert_int_equal(mkfifo(scratch_path(&ground->scratch, "projects/1000001.json", path), 0600), 0);
    assert_int_equal(symlink("/dev/zero", scratch_path(&ground->scratch, "projects/1000002.json", path)), 0);
    scratch_write(&ground->scratch, "projects/1000003.json", "");
    assert_int_equal(truncate(scratch_path(&ground->scratch, "projects/1000003.json", path), 1L << 40), 0);
    scratch_write(&ground->scratch, "projects/.new", "half of it");
    scratch_write(&ground->scratch, "projects/notes.txt", "somebody else's");
    reopen(ground, FIRST, LAST);
    assert_int_equal(ground->projects.damaged, 4);
    assert_false(is_there(ground, "projects/.new"));
    assert_true(is_there(ground, "projects/notes.txt"));
}

/* The same tenant twice: one of them is not ours. */
static void twice(void **state)
{
    struct Ground *ground = *state;

    scratch_write(&ground->scratch, "projects/5.json", "{\"id\":5" REST);
    scratch_write(&ground->scratch, "projects/6.json", "{\"id\":6" REST);
    reopen(ground, FIRST, LAST);
    assert_int_equal(ground->projects.damaged, 1);
    assert_non_null(project_find(&ground->projects, "f", "t"));
}

static void listed_twice(void **state)
{
    struct Ground *ground = *state;

    id_taken(ground, "web");
    id_taken(ground, "db");
    list_twice(true);
    reopen(ground, FIRST, LAST);
    list_twice(false);
    assert_int_equal(ground->projects.damaged, 0);
    assert_int_equal(ground->projects.n, 2);
    reopen(ground, FIRST, LAST);
    assert_non_null(project_find(&ground->projects, UUID, "web"));
    assert_non_null(project_find(&ground->projects, UUID, "db"));
}

/* What is in the place of its file cannot be removed: the id stays taken. */
static void file_that_stays(void **state)
{
    struct Ground *ground = *state;
    struct Project *project;

    assert_int_equal(take(ground, "web", &project), 0);
    scratch_unlink_file(&ground->scratch, "projects/1000000.json");
    scratch_mkdir(&ground->scratch, "projects/1000000.json");
    assert_int_equal(project_return(&ground->projects, project), -EISDIR);
    assert_ptr_equal(project_by_id(&ground->projects, FIRST), project);
}

/* --- without memory ------------------------------------------------------------------------------- */

/* Whichever allocation fails: all is as it was, and can be done again. */
static void taken_without_memory(void **state)
{
    struct Ground *ground = *state;

    scratch_write(&ground->scratch, "projid", "web:1000000\n");
    id_taken(ground, "db");
    EACH_FAILURE(nth, ANY_ALLOCATION, ENOMEM)
    {
        struct Project *project;
        int r = take(ground, "web", &project);

        if (!call_failed()) {
            assert_int_equal(r, 0);
            assert_int_equal(project->id, FIRST + 2);
            break;
        }
        assert_int_equal(r, -ENOMEM);
        assert_null(project_find(&ground->projects, UUID, "web"));
        assert_null(project_by_id(&ground->projects, FIRST + 2));
        assert_int_equal(ground->projects.n, 1);
    }
}

static void noted_without_memory(void **state)
{
    struct Ground *ground = *state;
    struct Project *project;

    assert_int_equal(take(ground, "web", &project), 0);
    assert_int_equal(project_note(&ground->projects, project, "/a", false), 0);
    EACH_FAILURE(nth, ANY_ALLOCATION, ENOMEM)
    {
        int r = project_note(&ground->projects, project, "/b", false);

        if (!call_failed()) {
            assert_int_equal(r, 0);
            break;
        }
        assert_int_equal(r, -ENOMEM);
        assert_int_equal(project->n_directories, 1);
    }
    EACH_FAILURE(nth, ANY_ALLOCATION, ENOMEM)
    {
        int r = project_note(&ground->projects, project, "/a", true);

        if (!call_failed()) {
            assert_int_equal(r, 0);
            break;
        }
        assert_int_equal(r, -ENOMEM);
        assert_false(project->directories[0].tagged);
    }
    assert_int_equal(project_note(&ground->projects, project, "/a", true), 0); /* as it is already */
    EACH_FAILURE(nth, ANY_ALLOCATION, ENOMEM)
    {
        int r = project_forget(&ground->projects, project, "/b");

        if (!call_failed()) {
            assert_int_equal(r, 0);
            break;
        }
        assert_int_equal(r, -ENOMEM);
        assert_int_equal(project->n_directories, 2);
    }
    reopen(ground, FIRST, LAST);
    project = project_find(&ground->projects, UUID, "web");
    assert_int_equal(project->n_directories, 1);
    assert_true(project->directories[0].tagged);
}

/* A file that could not be read for want of memory is not damaged. */
static void opened_without_memory(void **state)
{
    struct Ground *ground = *state;
    struct Project *project;

    assert_int_equal(take(ground, "web", &project), 0);
    assert_int_equal(project_note(&ground->projects, project, "/a", false), 0);
    for (unsigned nth = 1, failed = true; failed; nth++) {
        int r;

        projects_close(&ground->projects);
        fail_call(ANY_ALLOCATION, nth, ENOMEM);
        r = projects_open(&ground->projects, ground->scratch.path, FIRST, LAST);
        failed = call_failed();
        assert_int_equal(r, failed ? -ENOMEM : 0);
        if (failed)
            assert_int_equal(ground->projects.dir_fd, -EBADF);
    }
    assert_int_equal(ground->projects.damaged, 0);
    assert_non_null(project_find(&ground->projects, UUID, "web"));
}

static void directory_gone(void **state)
{
    struct Ground *ground = *state;
    struct Project *project, *other;
    char path[PATH_MAX], aside[PATH_MAX];

    assert_int_equal(take(ground, "web", &project), 0);
    assert_int_equal(project_note(&ground->projects, project, "/a", false), 0);
    scratch_path(&ground->scratch, "projects", path);
    assert_int_equal(unlink(scratch_path(&ground->scratch, "projects/1000000.json", aside)), 0);
    assert_int_equal(rmdir(path), 0);

    assert_int_equal(take(ground, "db", &other), -ENOENT);
    assert_null(project_find(&ground->projects, UUID, "db"));
    assert_null(project_by_id(&ground->projects, FIRST + 1));
    assert_int_equal(project_note(&ground->projects, project, "/a", true), -ENOENT);
    assert_false(project->directories[0].tagged);
    assert_int_equal(project_note(&ground->projects, project, "/b", true), -ENOENT);
    assert_int_equal(project->n_directories, 1);
    assert_int_equal(project_forget(&ground->projects, project, "/a"), -ENOENT);
    assert_int_equal(project->n_directories, 1);
    assert_string_equal(project->directories[0].path, "/a");
}

static void no_directory(void **state)
{
    struct Ground *ground = *state;
    struct Project *project;
    char path[PATH_MAX];

    projects_close(&ground->projects);
    assert_int_equal(rmdir(scratch_path(&ground->scratch, "projects", path)), 0);
    scratch_write(&ground->scratch, "projects", "a file");
    reopen(ground, FIRST, LAST);
    assert_int_equal(ground->projects.dir_fd, -ENOTDIR);
    assert_int_equal(take(ground, "web", &project), -ENOTDIR);
    assert_null(project_find(&ground->projects, UUID, "web"));

    projects_close(&ground->projects);
    assert_int_equal(projects_open(&ground->projects, "/nowhere", FIRST, LAST), 0);
    assert_int_equal(take(ground, "web", &project), -ENOENT);
}

/* A write that ends half way, as on a full disk. */
static void no_room(void **state)
{
    struct Ground *ground = *state;
    struct rlimit before, none = {.rlim_cur = 10};
    struct Project *project;
    int r;

    assert_int_equal(take(ground, "web", &project), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    r = project_note(&ground->projects, project, "/a", true);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(r, -EFBIG);
    assert_int_equal(project->n_directories, 0);
    assert_false(is_there(ground, "projects/.new"));
    reopen(ground, FIRST, LAST);
    assert_int_equal(ground->projects.damaged, 0);
    assert_non_null(project_find(&ground->projects, UUID, "web"));
}

/* What would not be read again is not written. */
static void too_large(void **state)
{
    struct Ground *ground = *state;
    struct Project *project;
    char *path = malloc(STORE_FILE_MAX + 1);

    memset(path, 'a', STORE_FILE_MAX);
    path[STORE_FILE_MAX] = '\0';
    assert_int_equal(take(ground, "web", &project), 0);
    assert_int_equal(project_note(&ground->projects, project, path, true), -EFBIG);
    assert_int_equal(project->n_directories, 0);
    free(path);
}

/* --- many ----------------------------------------------------------------------------------------- */

#define MANY 10000

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void many(void **state)
{
    struct Ground *ground = *state;
    struct Project *project;
    double start;
    unsigned asked = 0;

    for (unsigned i = 0; i < MANY; i++) {
        char name[64], text[256];

        snprintf(name, sizeof(name), "projects/%u.json", FIRST + i);
        snprintf(text, sizeof(text),
                 "{\"id\":%u,\"tenant\":\"docker/%u\",\"filesystem\":\"" UUID
                 "\",\"directories\":[{\"path\":\"/srv/%u\",\"tagged\":true}]}",
                 FIRST + i, i, i);
        scratch_write(&ground->scratch, name, text);
    }
    start = seconds();
    reopen(ground, FIRST, LAST);
    print_message("# %d projects: opened in %.0f ms\n", MANY, (seconds() - start) * 1000);
    assert_int_equal(ground->projects.n, MANY);
    assert_true(seconds() - start < 10); /* under sanitizers, on a busy machine */
    for (unsigned i = 0; i < 20; i++) {
        char tenant[32];

        snprintf(tenant, sizeof(tenant), "new/%u", i);
        assert_int_equal(project_take(&ground->projects, UUID, tenant, ground->projid, ground->admin,
                                      odd_ones, &asked, &project),
                         0);
    }
    assert_int_equal(asked, 39); /* no id is looked at twice */
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(found_again),
        TEST(forgotten_in_the_middle),
        TEST(given_back),
        TEST(one_each),
        TEST(not_others),
        TEST(odd_files),
        TEST(used_up),
        TEST(filesystem_does_not_say),
        TEST(damaged),
        TEST(not_files),
        TEST(twice),
        TEST(directory_gone),
        TEST(no_directory),
        TEST(no_room),
        TEST(too_large),
        TEST(many),
        TEST(many_others),
        TEST(behind_the_last),
        TEST(admin_file_that_cannot_be_read),
        TEST(listed_twice),
        TEST(file_that_stays),
        TEST(taken_without_memory),
        TEST(noted_without_memory),
        TEST(opened_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
