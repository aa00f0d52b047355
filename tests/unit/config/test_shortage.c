/* Without memory there is no configuration: whatever of it is refused, by the C library or the kernel, is
 * told as -ENOMEM, and never taken for one that is right, or wrong. */
#include "../scratch.h"

#include <errno.h>

#include "../fault.h"
#include "config/config.h"

/* Each kind of key, and what comes in lists twice. */
static const char right[] =
    "[Guard]\nMode=enforce\nCgroupRoot=/sys/fs/cgroup\nOperatorGroup=wheel\nViewerGroup=adm\n"
    "Protect=a\nProtect=b\nDiskRoots=/srv /home\n"
    "[Tenants docker]\nMatch=a/*\nMatch=b\nTasksMax=100\nDiskPath=/srv/%n StateDirectory\nRules=one two\n"
    "[Tenants users]\nMatch=c\nRules=two\n"
    "[Rule one]\nWhen=tasks.denied > 0\nSteps=warn\n"
    "[Rule two]\nScope=host\nWhen=host.disk.free < 10%\nRank=disk.growth\nFloor=1M\nSteps=freeze\n";

/* Whatever is found at its own place: in a line, a header, a value, and in what no line shows. */
static const char wrong[] =
    "Mode=enforce\n\x01\n[Nothing]\n[Guard\nnonsense\n[Guard] Mode=observe\n[Guard host]\n[Rule]\n[Rule "
    "a/b]\n"
    "[Guard]\nMoode=enforce\nMode=none\nMode ;=enforce\nProtect=a\\\n"
    "[Tenants c]\nMatch=a\nRules=incomplete missing flood\n"
    "[Tenants d]\nRules=incomplete\n[Rule incomplete]\n[Rule steps]\nWhen=tasks.denied > 0\n"
    "[Rule flood]\nWhen=net.egress > 120%\nSteps=throttle\n"
    "[Rule judged]\nWhen=tasks.denied > 0\nSteps=warn\nRank=disk.growth\n";

static int parse(void *text)
{
    struct Problems problems = {0};
    struct Config *config = NULL;
    int r = config_parse_buffer("test.conf", text, strlen(text), &config, &problems);

    assert_int_equal(config != NULL, r == 0);
    config_free(config);
    problems_free(&problems);
    return r;
}

static void test_right_configuration(void **state)
{
    fault_each_shortage(parse, (void *)right, 0);
}

static void test_wrong_configuration(void **state)
{
    fault_each_shortage(parse, (void *)wrong, CONFIG_INVALID);
}

static void test_too_many_rules(void **state)
{
    char text[2048] = "[Tenants c]\nMatch=a\nRules=r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11 r12 r13 r14 r15\n"
                      "Rules=r16\n";
    size_t used = strlen(text);

    for (int i = 0; i <= POLICY_CLASS_RULES_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "[Rule r%d]\nWhen=tasks.denied > 0\nSteps=warn\n", i);
    fault_each_shortage(parse, text, CONFIG_INVALID);
}

static int load(void *root)
{
    struct Problems problems = {0};
    struct Config *config = NULL;
    int r = config_load(root, &config, &problems);

    assert_int_equal(config != NULL, r == 0);
    config_free(config);
    problems_free(&problems);
    return r;
}

static int load_files(void *files)
{
    struct Problems problems = {0};
    struct Config *config = NULL;
    int r = config_load_files(files, &config, &problems);

    assert_int_equal(config != NULL, r == 0);
    config_free(config);
    problems_free(&problems);
    return r;
}

static void test_files(void **state)
{
    struct Scratch root = scratch_new("/tmp");
    char main[PATH_MAX], drop_in[PATH_MAX];

    scratch_mkdir(&root, "etc/guardd/guardd.conf.d");
    scratch_mkdir(&root, "usr/lib/guardd/guardd.conf.d");
    scratch_write(&root, "usr/lib/guardd/guardd.conf", right);
    scratch_write(&root, "usr/lib/guardd/guardd.conf.d/50-b.conf", "[Guard]\nMode=observe\n");
    scratch_write(&root, "etc/guardd/guardd.conf.d/10-a.conf", "[Guard]\nProtect=c\n");
    fault_each_shortage(load, root.path, 0);
    scratch_path(&root, "usr/lib/guardd/guardd.conf", main);
    scratch_path(&root, "etc/guardd/guardd.conf.d/10-a.conf", drop_in);
    fault_each_shortage(load_files, (char *[]){main, drop_in, NULL}, 0);

    /* What is no file that can be read, and what is no directory. */
    scratch_mkdir(&root, "etc/guardd/guardd.conf.d/a.conf");
    scratch_write(&root, "etc/guardd/guardd.conf.d/\xff.conf", "[Guard]\n");
    scratch_write(&root, "etc/guardd/guardd.conf.d/b.conf", "nonsense\n");
    scratch_mkdir(&root, "run/guardd");
    scratch_write(&root, "run/guardd/guardd.conf.d", "");
    fault_each_shortage(load, root.path, CONFIG_INVALID);
    scratch_done(&root);
}

static int format(void *problem)
{
    char *text = problem_format(problem);
    int r = text ? 0 : -ENOMEM;

    free(text);
    return r;
}

static void test_format(void **state)
{
    struct Problem problem = {
        .file = (char *)"a.conf", .line = 3, .what = (char *)"bad", .right = (char *)"good"};

    fault_each_shortage(format, &problem, 0);
    problem.line = 0;
    fault_each_shortage(format, &problem, 0);
}

/* inih may have been built to take its buffer from the heap: it then reads nothing, and says why. */
static int inih_without_memory(ini_reader reader, void *stream, ini_handler handler, void *user)
{
    return -2;
}

static void test_inih_without_memory(void **state)
{
    fault_inih = inih_without_memory;
    assert_int_equal(parse((void *)right), -ENOMEM);
    fault_inih = NULL;
    assert_int_equal(parse((void *)right), 0);
}

/* Or with a shorter line: one that does not fit is refused, and not cut. */
#define SHORT 32
static int inih_with_short_lines(ini_reader reader, void *stream, ini_handler handler, void *user)
{
    char buffer[SHORT + 1];

    buffer[SHORT] = 'x';
    while (reader(buffer, SHORT, stream)) {
        assert_int_equal(buffer[SHORT], 'x');
        assert_true(buffer[strlen(buffer) - 1] == '\n');
        handler(user, "", "Protect", "a");
    }
    return 0;
}

static void test_inih_with_short_lines(void **state)
{
    /* Of 30 bytes, and of 31. */
    static const char text[] = "[Guard]\nProtect=0123456789012345678901\nProtect=01234567890123456789012\n";
    struct Problems problems = {0};
    struct Config *config = NULL;

    fault_inih = inih_with_short_lines;
    assert_int_equal(config_parse_buffer("f", text, strlen(text), &config, &problems), CONFIG_INVALID);
    fault_inih = NULL;
    assert_int_equal(problems.n, 1);
    assert_int_equal(problems.list[0].line, 3);
    assert_string_equal(problems.list[0].what, "the line is too long");
    assert_string_equal(problems.list[0].right, "at most 30 bytes a line");
    problems_free(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right_configuration),
        cmocka_unit_test(test_wrong_configuration),
        cmocka_unit_test(test_too_many_rules),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_inih_without_memory),
        cmocka_unit_test(test_inih_with_short_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
