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

static void assert_rules(const struct TenantClass *class, const char *const *names)
{
    size_t n = 0;

    for (; names[n]; n++) {
        assert_true(n < class->n_rules);
        assert_string_equal(class->rules[n]->name, names[n]);
    }
    assert_int_equal(class->n_rules, n);
}

#define assert_has_rules(class, ...) assert_rules(class, (const char *const[]){__VA_ARGS__, NULL})

static void test_containers_are_killed(void **state)
{
    static const char *const names[] = {"docker", "podman", "nspawn"};

    for (size_t i = 0; i < 3; i++) {
        const struct TenantClass *class = find_class(*state, names[i]);

        assert_true(class->limits.set[LIMIT_TASKS_MAX]);
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
        for (size_t j = 0; j < class->n_rules; j++) {
            assert_int_equal(class->rules[j]->n_steps, 1);
            assert_int_equal(class->rules[j]->steps[0].verb, VERB_WARN);
        }
    }
    assert_has_rules(find_class(*state, "vm"), "fork-bomb-warn");
    assert_has_rules(find_class(*state, "users"), "fork-bomb-warn", "disk-near-limit", "inode-flood",
                     "memory-stall-warn");
    assert_has_rules(find_class(*state, "services"), "fork-bomb-warn", "memory-stall-warn");
}

/* Containers are watched for the disk's sake without a limit on it; nobody else's files are adopted. */
static void test_disks(void **state)
{
    static const char *const names[] = {"docker", "podman", "nspawn", "vm", "users", "services"};
    const struct Config *config = *state;

    for (size_t i = 0; i < 6; i++) {
        const struct TenantClass *class = find_class(config, names[i]);

        assert_false(class->limits.set[LIMIT_DISK_SPACE_MAX] || class->limits.set[LIMIT_DISK_INODES_MAX]);
        assert_null(class->disk_paths[0]);
        assert_int_equal(class->disk_warn_percent, 80);
        if (i < 2)
            assert_has_rules(class, "fork-bomb", "disk-near-limit", "inode-flood", "disk-filling",
                             "disk-host-low", "disk-host-inodes", "memory-stall", "memory-host", "shm-fill",
                             "cpu-storm", "io-storm");
    }
}

/* "Never kill for disk", and a way out of each. */
static void test_rules_on_disks(void **state)
{
    static const char *const conditions[][3] = {
        {"disk-near-limit", "disk.space > 80%", "disk.space < 75% for 10s"},
        {"inode-flood", "disk.inodes > 80%", "disk.inodes < 75% for 10s"},
        {"disk-filling", "disk.eta < 2min for 3s", "disk.eta > 10min for 30s"},
        {"disk-host-low", "host.disk.free < 10% for 1s", "host.disk.free > 12% for 10s"},
        {"disk-host-inodes", "host.disk.inodes < 5% for 1s", "host.disk.inodes > 7% for 10s"},
    };
    const struct TenantClass *class = find_class(*state, "docker");

    for (size_t i = 0; i < 5; i++) {
        const struct Rule *rule = class->rules[i + 1];
        char buf[CONDITION_FORMAT_MAX];

        assert_string_equal(rule->name, conditions[i][0]);
        assert_string_equal(condition_format(&rule->when, buf, sizeof(buf)), conditions[i][1]);
        assert_string_equal(condition_format(&rule->until, buf, sizeof(buf)), conditions[i][2]);
        assert_int_equal(rule->steps[rule->n_steps - 1].verb, i < 2 ? VERB_WARN : VERB_FREEZE);
        assert_int_equal(rule->scope, i < 3 ? SCOPE_TENANT : SCOPE_HOST);
        assert_true(i < 3 || rule->rank == READING_DISK_GROWTH);
    }
    assert_int_equal(class->rules[4]->floor, 64 * 1024);
    assert_int_equal(class->rules[5]->floor, 4 * 1024);
}

static const struct Rule *find_rule(const struct Config *config, const char *name)
{
    for (size_t i = 0; i < config->policy.n_rules; i++)
        if (strcmp(config->policy.rules[i].name, name) == 0)
            return &config->policy.rules[i];
    fail_msg("no rule '%s'", name);
    return NULL;
}

/* Slowed first, frozen second, killed last, and never killed for CPU or I/O. */
static void test_rules_on_strain(void **state)
{
    static const struct {
        const char *name;
        enum Resource resource;
        unsigned n_steps;
        enum Verb last;
    } rows[] = {
        {"memory-stall", RESOURCE_MEMORY, 3, VERB_KILL}, {"memory-host", RESOURCE_MEMORY, 3, VERB_KILL},
        {"shm-fill", RESOURCE_MEMORY, 1, VERB_THROTTLE}, {"cpu-storm", RESOURCE_CPU, 1, VERB_THROTTLE},
        {"io-storm", RESOURCE_IO, 1, VERB_THROTTLE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct Rule *rule = find_rule(*state, rows[i].name);

        assert_int_equal(rule->resource, rows[i].resource);
        assert_int_equal(rule->n_steps, rows[i].n_steps);
        assert_int_equal(rule->steps[0].verb, VERB_THROTTLE);
        assert_int_equal(rule->steps[rule->n_steps - 1].verb, rows[i].last);
        assert_int_equal(rule->scope, i == 0 ? SCOPE_TENANT : SCOPE_HOST);
        assert_true(i == 0 || rule->floor > 0);
    }
    assert_int_equal(find_rule(*state, "memory-stall-warn")->steps[0].verb, VERB_WARN);
}

/* Steps that end within 10 s must not pass for relief while the tenant is frozen. */
static void test_nobody_is_thawed_at_once(void **state)
{
    const struct Config *config = *state;

    for (size_t i = 0; i < config->policy.n_rules; i++) {
        const struct Rule *rule = &config->policy.rules[i];

        if (reading_is_of_strain(rule->when.reading))
            assert_true(rule->until.for_usec >= 10 * USEC_PER_SEC);
    }
}

/* It is there for classes that an operator gives a limit to. */
static bool is_not_listed(const struct Rule *rule)
{
    return strcmp(rule->name, "net-flood") == 0;
}

/* With every tenant at peace the daemon does not wake, and no tenant costs the kernel a thread. */
static void test_nothing_is_swept(void **state)
{
    const struct Config *config = *state;

    for (size_t i = 0; i < config->policy.n_classes; i++)
        assert_false(config->policy.classes[i].sweep);
    for (size_t i = 0; i < config->policy.n_rules; i++) {
        const struct Rule *rule = &config->policy.rules[i];
        bool pressure = reading_pressure(rule->when.reading) != PRESSURE_INVALID;

        assert_true(reading_info(rule->when.reading)->announced || is_not_listed(rule));
        assert_true(!pressure || rule->scope == SCOPE_HOST || rule->when.for_usec >= 2 * USEC_PER_SEC);
    }
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
    assert_int_equal(config->policy.disk.first_project, 1000000);
    assert_int_equal(config->policy.disk.last_project, 1999999);
}

/* The file says the list, so that a drop-in adds to it; it is that of nobody saying anything. */
static void test_roots_are_the_defaults(void **state)
{
    const struct Config *config = *state;
    struct Problems problems = {0};
    struct Config *empty = NULL;
    size_t n = 0;

    assert_int_equal(config_parse_buffer("empty", "", 0, &empty, &problems), 0);
    for (; empty->policy.disk.roots[n]; n++)
        assert_string_equal(config->policy.disk.roots[n], empty->policy.disk.roots[n]);
    assert_int_equal(n, 5);
    assert_null(config->policy.disk.roots[n]);
    config_free(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_containers_are_killed),
        cmocka_unit_test(test_the_rest_is_warned),
        cmocka_unit_test(test_rules_on_strain),
        cmocka_unit_test(test_nobody_is_thawed_at_once),
        cmocka_unit_test(test_nothing_is_swept),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_disks),
        cmocka_unit_test(test_rules_on_disks),
        cmocka_unit_test(test_roots_are_the_defaults),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
