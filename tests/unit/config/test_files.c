/* Which files are read: precedence on a made-up root, masks, and what is there but is no readable file. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../fault.h"
#include "config/config.h"

#define PATH_SIZE 512

struct Root {
    char path[64];
};

static int set_up(void **state)
{
    struct Root *root = calloc(1, sizeof(*root));

    snprintf(root->path, sizeof(root->path), "/tmp/guardd-test-XXXXXX");
    *state = root;
    return mkdtemp(root->path) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static int tear_down(void **state)
{
    struct Root *root = *state;
    int r = nftw(root->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);

    free(root);
    return r;
}

/* The path of NAME below the root, with its directories made. */
static char *place(const struct Root *root, const char *name, char path[static PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "%s/%s", root->path, name);
    for (char *p = path + strlen(root->path) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
        *p = '/';
    }
    return path;
}

static void put(const struct Root *root, const char *name, const char *text)
{
    char path[PATH_SIZE];
    FILE *file = fopen(place(root, name, path), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void mask(const struct Root *root, const char *name)
{
    char path[PATH_SIZE];

    assert_int_equal(symlink("/dev/null", place(root, name, path)), 0);
}

static struct Config *load(const struct Root *root)
{
    struct Problems problems = {0};
    struct Config *config = NULL;

    assert_int_equal(config_load(root->path, &config, &problems), 0);
    assert_int_equal(problems.n, 0);
    return config;
}

/* The files that were read, below the root, are these. */
static void assert_files(const struct Root *root, const struct Config *config, const char *const *names)
{
    size_t n = 0;

    for (; names[n]; n++) {
        assert_non_null(config->files[n]);
        assert_string_equal(config->files[n] + strlen(root->path) + 1, names[n]);
    }
    assert_null(config->files[n]);
}

/* Loading fails with one problem, in that file. */
static void assert_refused(const struct Root *root, const char *name, const char *what)
{
    struct Problems problems = {0};
    struct Config *config = NULL;

    assert_int_equal(config_load(root->path, &config, &problems), CONFIG_INVALID);
    assert_null(config);
    assert_int_equal(problems.n, 1);
    assert_string_equal(problems.list[0].file + strlen(root->path) + 1, name);
    assert_int_equal(problems.list[0].line, 0);
    assert_non_null(strstr(problems.list[0].what, what));
    problems_free(&problems);
}

static void test_no_file(void **state)
{
    struct Config *config = load(*state);

    assert_null(config->files[0]);
    assert_string_equal(config->operator_group, "guardd");
    config_free(config);
}

static void test_main_file(void **state)
{
    static const char *const order[] = {"usr/lib/guardd/guardd.conf", "usr/local/lib/guardd/guardd.conf",
                                        "run/guardd/guardd.conf", "etc/guardd/guardd.conf"};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        char text[64];
        struct Config *config;

        snprintf(text, sizeof(text), "[Guard]\nViewerGroup=g%zu\n", i);
        put(*state, order[i], text);
        config = load(*state);
        assert_files(*state, config, (const char *const[]){order[i], NULL});
        assert_int_equal(config->viewer_group[1], '0' + (char)i);
        config_free(config);
    }
}

static void test_drop_ins(void **state)
{
    struct Config *config;

    put(*state, "etc/guardd/guardd.conf.d/90-last.conf", "[Guard]\nOperatorGroup=last\n");
    put(*state, "usr/lib/guardd/guardd.conf.d/50-vendor.conf",
        "[Guard]\nOperatorGroup=vendor\nViewerGroup=vendor\n");
    put(*state, "run/guardd/guardd.conf.d/50-vendor.conf", "[Guard]\nProtect=run\n");
    put(*state, "run/guardd/guardd.conf.d/10-first.conf", "[Guard]\nOperatorGroup=first\nMode=observe\n");
    put(*state, "usr/lib/guardd/guardd.conf", "[Guard]\nOperatorGroup=main\nMode=enforce\n");
    put(*state, "etc/guardd/guardd.conf.d/.hidden.conf", "nonsense");
    put(*state, "etc/guardd/guardd.conf.d/note.conf~", "nonsense");
    put(*state, "etc/guardd/guardd.conf.d/README", "nonsense");
    put(*state, "etc/guardd/guardd.conf.d/conf", "nonsense");
    config = load(*state);
    assert_files(*state, config,
                 (const char *const[]){"usr/lib/guardd/guardd.conf", "run/guardd/guardd.conf.d/10-first.conf",
                                       "run/guardd/guardd.conf.d/50-vendor.conf",
                                       "etc/guardd/guardd.conf.d/90-last.conf", NULL});
    assert_string_equal(config->operator_group, "last");
    assert_int_equal(config->policy.mode, MODE_OBSERVE);
    assert_null(config->viewer_group);
    config_free(config);
}

static void test_masks(void **state)
{
    struct Config *config;

    put(*state, "usr/lib/guardd/guardd.conf", "nonsense");
    put(*state, "usr/lib/guardd/guardd.conf.d/10-a.conf", "nonsense");
    put(*state, "usr/lib/guardd/guardd.conf.d/20-b.conf", "nonsense");
    put(*state, "usr/lib/guardd/guardd.conf.d/30-c.conf", "[Guard]\nViewerGroup=c\n");
    mask(*state, "etc/guardd/guardd.conf");
    mask(*state, "etc/guardd/guardd.conf.d/10-a.conf");
    put(*state, "run/guardd/guardd.conf.d/20-b.conf", "");
    mask(*state, "usr/lib/guardd/guardd.conf.d/99-nothing.conf");
    config = load(*state);
    assert_files(*state, config, (const char *const[]){"usr/lib/guardd/guardd.conf.d/30-c.conf", NULL});
    assert_string_equal(config->viewer_group, "c");
    config_free(config);
}

/* By their names, whatever directory they are in and however many there are. */
static void test_order_of_drop_ins(void **state)
{
    static const char *const directories[] = {"usr/lib", "etc", "run", "usr/local/lib"};
    struct Config *config;
    char name[PATH_SIZE];

    for (unsigned i = 0; i < 40; i++) {
        unsigned n = i * 17 % 40; /* each of them once */

        snprintf(name, sizeof(name), "%s/guardd/guardd.conf.d/%02u.conf", directories[n % 4], n);
        put(*state, name, "[Guard]\n");
    }
    config = load(*state);
    for (unsigned n = 0; n < 40; n++) {
        snprintf(name, sizeof(name), "/%s/guardd/guardd.conf.d/%02u.conf", directories[n % 4], n);
        assert_string_equal(config->files[n] + strlen(((struct Root *)*state)->path), name);
    }
    assert_null(config->files[40]);
    config_free(config);
}

/* A class keeps the place where a file first names it; a later file adds to it. */
static void test_drop_in_extends_class(void **state)
{
    struct Config *config;

    put(*state, "usr/lib/guardd/guardd.conf.d/10.conf",
        "[Tenants a]\nMatch=a\nTasksMax=1\nRules=\n[Tenants b]\nMatch=b\nTasksMax=1\nRules=\n");
    put(*state, "etc/guardd/guardd.conf.d/20.conf",
        "[Tenants b]\nMatch=b2\n[Tenants a]\nTasksMax=9\nRules=late\n"
        "[Rule late]\nWhen=tasks.denied > 0\nSteps=warn\n");
    config = load(*state);
    assert_int_equal(config->policy.n_classes, 2);
    assert_string_equal(config->policy.classes[0].name, "a");
    assert_int_equal(config->policy.classes[0].limits.value[LIMIT_TASKS_MAX], 9);
    assert_string_equal(config->policy.classes[0].rules[0]->name, "late");
    assert_string_equal(config->policy.classes[1].match[1], "b2");
    config_free(config);
}

/* A section does not reach over the end of its file. */
static void test_section_ends_with_file(void **state)
{
    struct Problems problems = {0};
    struct Config *config = NULL;

    put(*state, "etc/guardd/guardd.conf.d/10.conf", "\n\n\n[Guard]\n");
    put(*state, "etc/guardd/guardd.conf.d/20.conf", "Mode=observe\n");
    assert_int_equal(config_load(((struct Root *)*state)->path, &config, &problems), CONFIG_INVALID);
    assert_int_equal(problems.n, 1);
    assert_int_equal(problems.list[0].line, 1);
    assert_non_null(strstr(problems.list[0].file, "20.conf"));
    problems_free(&problems);
}

static void test_directory(void **state)
{
    char path[PATH_SIZE];

    put(*state, "usr/lib/guardd/guardd.conf", "");
    assert_int_equal(mkdir(place(*state, "etc/guardd/guardd.conf", path), 0755), 0);
    assert_refused(*state, "etc/guardd/guardd.conf", "it is a directory");
}

static void test_directory_as_drop_in(void **state)
{
    char path[PATH_SIZE];

    assert_int_equal(mkdir(place(*state, "etc/guardd/guardd.conf.d/x.conf", path), 0755), 0);
    assert_refused(*state, "etc/guardd/guardd.conf.d/x.conf", "it is a directory");
}

static void test_file_as_directory(void **state)
{
    put(*state, "etc/guardd/guardd.conf.d", "[Guard]\n");
    assert_refused(*state, "etc/guardd/guardd.conf.d", "Not a directory");
}

/* What stands where the directory should be is no reason to look in the next one. */
static void test_file_above(void **state)
{
    struct Problems problems = {0};
    struct Config *config = NULL;

    put(*state, "usr/lib/guardd/guardd.conf", "[Guard]\n");
    put(*state, "etc/guardd", "");
    assert_int_equal(config_load(((struct Root *)*state)->path, &config, &problems), CONFIG_INVALID);
    assert_int_equal(problems.n, 2);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(problems.list[i].what, "it cannot be read: Not a directory");
    assert_non_null(strstr(problems.list[0].file, "/etc/guardd/guardd.conf.d"));
    assert_string_equal(strstr(problems.list[1].file, "/etc/"), "/etc/guardd/guardd.conf");
    problems_free(&problems);
}

static void test_dangling_link(void **state)
{
    char path[PATH_SIZE];

    put(*state, "usr/lib/guardd/guardd.conf", "[Guard]\n");
    assert_int_equal(symlink("nowhere", place(*state, "etc/guardd/guardd.conf", path)), 0);
    assert_refused(*state, "etc/guardd/guardd.conf", "No such file");
}

/* What would hold up a reader. */
static void test_fifo(void **state)
{
    char path[PATH_SIZE];

    assert_int_equal(mkfifo(place(*state, "etc/guardd/guardd.conf.d/x.conf", path), 0644), 0);
    assert_refused(*state, "etc/guardd/guardd.conf.d/x.conf", "no regular file");
}

/* Its problem must be fit for a terminal and for JSON. */
static void test_name_that_is_no_text(void **state)
{
    put(*state, "etc/guardd/guardd.conf.d/\xff\033.conf", "[Guard]\n");
    assert_refused(*state, "etc/guardd/guardd.conf.d/??.conf", "name is not text");
}

/* A device is none either; a link to it masks nothing. */
static void test_device(void **state)
{
    char path[PATH_SIZE];

    put(*state, "usr/lib/guardd/guardd.conf", "[Guard]\n");
    assert_int_equal(symlink("/dev/zero", place(*state, "etc/guardd/guardd.conf", path)), 0);
    assert_refused(*state, "etc/guardd/guardd.conf", "no regular file");
}

/* What breaks while it is read is not taken for what it should be. */
static void test_failing(void **state)
{
    static const struct {
        const char *function;
        size_t nth;
        const char *file;
    } rows[] = {
        {"fstat", 0, "etc/guardd/guardd.conf"},
        {"read", 0, "etc/guardd/guardd.conf"},
        {"readdir", 0, "etc/guardd/guardd.conf.d"},
        {"readdir", 3, "etc/guardd/guardd.conf.d"},
    };

    put(*state, "etc/guardd/guardd.conf", "[Guard]\nViewerGroup=adm\n");
    put(*state, "etc/guardd/guardd.conf.d/a.conf", "[Guard]\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fault_call(rows[i].function, rows[i].nth, EIO);
        assert_refused(*state, rows[i].file, "it cannot be read: Input/output error");
    }
}

/* What does not is read whole: interrupted it goes on, and a file that became shorter ends there. */
static void test_not_failing(void **state)
{
    struct Config *config;

    put(*state, "etc/guardd/guardd.conf", "[Guard]\nViewerGroup=adm\n");
    fault_call("read", 0, EINTR);
    config = load(*state);
    assert_string_equal(config->viewer_group, "adm");
    config_free(config);
    fault_call("read", 0, 0);
    config = load(*state);
    assert_null(config->viewer_group);
    config_free(config);
}

static void test_too_large(void **state)
{
    char path[PATH_SIZE];

    put(*state, "etc/guardd/guardd.conf", "#");
    assert_int_equal(truncate(place(*state, "etc/guardd/guardd.conf", path), CONFIG_FILE_MAX + 1), 0);
    assert_refused(*state, "etc/guardd/guardd.conf", "larger than");
}

/* root reads everything, so that it is nobody who tries. */
static void test_unreadable(void **state)
{
    struct Root *root = *state;
    char path[PATH_SIZE];
    bool is_root = geteuid() == 0;

    put(root, "etc/guardd/guardd.conf", "[Guard]\n");
    assert_int_equal(chmod(place(root, "etc/guardd/guardd.conf", path), 0), 0);
    assert_int_equal(chmod(root->path, 0755), 0);
    if (is_root)
        assert_int_equal(seteuid(65534), 0);
    assert_refused(root, "etc/guardd/guardd.conf", "Permission denied");
    if (is_root)
        assert_int_equal(seteuid(0), 0);
}

/* A directory that cannot be looked into may hold what matters. */
static void test_unreadable_directory(void **state)
{
    struct Root *root = *state;
    char path[PATH_SIZE];
    bool is_root = geteuid() == 0;

    put(root, "etc/guardd/guardd.conf.d/a.conf", "[Guard]\n");
    assert_int_equal(chmod(place(root, "etc/guardd/guardd.conf.d", path), 0), 0);
    assert_int_equal(chmod(root->path, 0755), 0);
    if (is_root)
        assert_int_equal(seteuid(65534), 0);
    assert_refused(root, "etc/guardd/guardd.conf.d", "Permission denied");
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(path, 0755), 0);
}

static void test_named_files(void **state)
{
    char a[PATH_SIZE], b[PATH_SIZE], missing[PATH_SIZE];
    struct Problems problems = {0};
    struct Config *config = NULL;

    put(*state, "z", "[Guard]\nViewerGroup=z\nMode=observe\n");
    put(*state, "a", "[Guard]\nViewerGroup=a\n");
    place(*state, "z", a);
    place(*state, "a", b);
    place(*state, "missing", missing);
    assert_int_equal(config_load_files((char *[]){a, b, NULL}, &config, &problems), 0);
    assert_string_equal(config->viewer_group, "a");
    assert_int_equal(config->policy.mode, MODE_OBSERVE);
    config_free(config);
    assert_int_equal(config_load_files((char *[]){a, missing, NULL}, &config, &problems), CONFIG_INVALID);
    assert_int_equal(problems.n, 1);
    assert_string_equal(problems.list[0].file, missing);
    problems_free(&problems);
    assert_int_equal(config_load_files((char *[]){"/dev/null", a, NULL}, &config, &problems), 0);
    assert_string_equal(config->files[0], "/dev/null"); /* as an empty one */
    assert_string_equal(config->viewer_group, "z");
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_main_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_drop_ins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_order_of_drop_ins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_masks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_drop_in_extends_class, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_section_ends_with_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directory_as_drop_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_as_directory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_above, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dangling_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fifo, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_name_that_is_no_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_device, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_failing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_large, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unreadable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unreadable_directory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_named_files, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
