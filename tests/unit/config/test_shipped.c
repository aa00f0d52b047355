/* The configuration that is installed: right as a whole, and each class matches what its comments say. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

/* The directory conf/ of the source. */
static const char *conf_directory(void)
{
    const char *directory = getenv("GUARDD_CONF_DIR");

    return directory ? directory : "conf";
}

static int set_up(void **state)
{
    struct Problems problems = {0};
    struct Config *config = NULL;
    char pattern[4096];
    glob_t files;

    snprintf(pattern, sizeof(pattern), "%s/guardd.conf", conf_directory());
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    snprintf(pattern, sizeof(pattern), "%s/guardd.conf.d/*.conf", conf_directory());
    assert_int_equal(glob(pattern, GLOB_APPEND, NULL, &files), 0);
    assert_int_equal(files.gl_pathc, 7);
    config_load_files(files.gl_pathv, &config, &problems);
    for (size_t i = 0; i < problems.n; i++)
        fprintf(stderr, "%s:%u: %s; %s\n", problems.list[i].file, problems.list[i].line,
                problems.list[i].what, problems.list[i].right);
    globfree(&files);
    problems_free(&problems);
    *state = config;
    return config ? 0 : -1;
}

static int tear_down(void **state)
{
    *state = config_free(*state);
    return 0;
}

#define ID "4f2a9c01d3b7e8564f2a9c01d3b7e8564f2a9c01d3b7e8564f2a9c01d3b7e856"

static void test_classes(void **state)
{
    static const struct {
        const char *path, *class; /* NULL: none */
    } rows[] = {
        {"system.slice/docker-" ID ".scope", "docker"},
        {"docker/" ID, "docker"},
        {"a/docker/" ID, "docker"},
        {"docker/buildkit", NULL},
        {"docker", NULL},
        {"machine.slice/libpod-" ID ".scope", "podman"},
        {"machine.slice/libpod-conmon-" ID ".scope", NULL},
        {"machine.slice/machine-libpod_pod_" ID ".slice/libpod-" ID ".scope", "podman"},
        {"machine.slice/libpod-" ID ".scope/container", NULL},
        {"libpod_parent/libpod-" ID, "podman"},
        {"libpod_parent/conmon", NULL},
        {"system.slice/web.service/libpod-payload-" ID, "podman"},
        {"user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope", "podman"},
        {"user.slice/user-1000.slice/user@1000.service/user.slice/libpod-conmon-" ID ".scope", NULL},
        {"machine.slice/machine-web.scope", "nspawn"},
        {"machine.slice/systemd-nspawn@web.service", "nspawn"},
        {"machine.slice/machine-qemu\\x2d1\\x2dvm.scope", "vm"},
        {"user.slice/user-1000.slice", "users"},
        {"user.slice/user-1000.slice/session-3.scope", NULL},
        {"system.slice/nginx.service", "services"},
        {"system.slice/run-r5ac.service", "services"},
        {"system.slice/system-getty.slice/getty@tty1.service", "services"},
        {"system.slice/docker-" ID ".scope/system.slice/inner.service", NULL},
        {"system.slice", NULL},
        {"user.slice", NULL},
        {"machine.slice", NULL},
        {"init.scope", NULL},
        {"", NULL},
    };
    const struct Config *config = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct TenantClass *class = policy_classify(&config->policy, rows[i].path);
        const char *name = class ? class->name : "(none)";

        if (strcmp(name, rows[i].class ? rows[i].class : "(none)") != 0)
            fail_msg("'%s' is in %s", rows[i].path, name);
    }
}

static const struct TenantClass *find_class(const struct Config *config, const char *name)
{
    for (size_t i = 0; i < config->policy.n_classes; i++)
        if (strcmp(config->policy.classes[i].name, name) == 0)
            return &config->policy.classes[i];
    fail_msg("no class '%s'", name);
    return NULL;
}

static void test_containers_are_killed(void **state)
{
    static const char *const names[] = {"docker", "podman", "nspawn"};

    for (size_t i = 0; i < 3; i++) {
        const struct TenantClass *class = find_class(*state, names[i]);

        assert_true(class->limits.set[LIMIT_TASKS_MAX]);
        assert_int_equal(class->n_rules, 1);
        assert_string_equal(class->rules[0]->name, "fork-bomb");
        assert_int_equal(class->rules[0]->steps[0].verb, VERB_FREEZE);
        assert_int_equal(class->rules[0]->steps[1].verb, VERB_KILL);
    }
}

static void test_the_rest_is_warned(void **state)
{
    static const char *const names[] = {"vm", "users", "services"};

    for (size_t i = 0; i < 3; i++) {
        const struct TenantClass *class = find_class(*state, names[i]);

        assert_false(class->limits.set[LIMIT_TASKS_MAX]);
        assert_int_equal(class->n_rules, 1);
        assert_int_equal(class->rules[0]->n_steps, 1);
        assert_int_equal(class->rules[0]->steps[0].verb, VERB_WARN);
    }
}

/* With every tenant at peace the daemon does not wake. */
static void test_nothing_is_swept(void **state)
{
    const struct Config *config = *state;

    for (size_t i = 0; i < config->policy.n_classes; i++)
        assert_false(config->policy.classes[i].sweep);
}

/* What guardd.conf shows as defaults are the defaults. */
static void test_defaults(void **state)
{
    const struct Config *config = *state;

    assert_int_equal(config->policy.mode, MODE_ENFORCE);
    assert_string_equal(config->operator_group, "guardd");
    assert_int_equal(config->policy.kill_limit.kills, 5);
    assert_non_null(policy_protects(&config->policy, "system.slice/ssh.service"));
    assert_non_null(policy_protects(&config->policy,
                                    "system.slice/system-serial\\x2dgetty.slice/serial-getty@ttyS0.service"));
    assert_null(policy_protects(&config->policy, "user.slice/user-1000.slice"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_containers_are_killed),
        cmocka_unit_test(test_the_rest_is_warned),
        cmocka_unit_test(test_nothing_is_swept),
        cmocka_unit_test(test_defaults),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
