/* Names from paths and made-up state files, the hostile ones included. */
#include "../scratch.h"

#include <errno.h>

#include "tenant/name.h"
#include "tenant/runtime.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER_ID "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define STORAGE "var/lib/containers/storage/overlay-containers"

struct Fixture {
    struct Scratch scratch;
    char name[256], id[65];
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

static void assert_name(struct Fixture *f, const char *path, const char *name, const char *id)
{
    const struct NameSources sources = {.root = f->scratch.path};

    tenant_name(&sources, path, f->name, sizeof(f->name), f->id);
    assert_string_equal(f->name, name);
    assert_string_equal(f->id, id);
}

static void state_file(const struct Fixture *f, const char *directory, const char *file, const char *text)
{
    char path[PATH_MAX];

    scratch_mkdir(&f->scratch, directory);
    snprintf(path, sizeof(path), "%s/%s", directory, file);
    scratch_write(&f->scratch, path, text);
}

static void docker_by_container_name(void **state)
{
    struct Fixture *f = *state;

    state_file(f, "var/lib/docker/containers/" ID, "config.v2.json",
               "{\"State\":{\"Running\":true},\"ID\":\"" ID "\",\"Name\":\"/web\"}");
    assert_name(f, "system.slice/docker-" ID ".scope", "docker/web", ID);
    assert_name(f, "docker/" ID, "docker/web", ID);
    assert_name(f, "some.slice/some-more.slice/docker-" ID ".scope", "docker/web", ID);
    assert_name(f, "system.slice/docker-" OTHER_ID ".scope", "docker/f123456789ab", OTHER_ID);
}

static void docker_moved(void **state)
{
    struct Fixture *f = *state;

    state_file(f, "srv/d/containers/" ID, "config.v2.json", "{\"Name\":\"/moved\"}");
    state_file(f, "etc/docker", "daemon.json", "{\"data-root\":\"/srv/d\"}");
    assert_name(f, "docker/" ID, "docker/moved", ID);
    state_file(f, "etc/docker", "daemon.json", "{\"graph\":\"/srv/d\"}");
    assert_name(f, "docker/" ID, "docker/moved", ID);
    state_file(f, "etc/docker", "daemon.json", "{\"data-root\":\"srv/d\"}");
    assert_name(f, "docker/" ID, "docker/0123456789ab", ID);
}

/* Only the name is lost. */
static void bad_state_files(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "null",
        "{\"Name\":7}",
        "{\"Name\":\"\"}",
        "{\"Name\":\"/\"}",
        "{\"Name\":\"/-rf\"}",
        "{\"Name\":\"/a/b\"}",
        "{\"Name\":\"//web\"}",
        "{\"Name\":\"/web\\u001b[2J\"}",
        "{\"Name\":\"/web\\nnginx\"}",
        "{\"Name\":\"/w\xc3\xa9"
        "b\"}",
    };
    struct Fixture *f = *state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        state_file(f, "var/lib/docker/containers/" ID, "config.v2.json", texts[i]);
        assert_name(f, "docker/" ID, "docker/0123456789ab", ID);
    }
}

static void too_large_or_no_file(void **state)
{
    struct Fixture *f = *state;
    char path[PATH_MAX];

    state_file(f, "var/lib/docker/containers/" ID, "config.v2.json", "{\"Name\":\"/web\"}");
    scratch_path(&f->scratch, "var/lib/docker/containers/" ID "/config.v2.json", path);
    assert_int_equal(truncate(path, 1024 * 1024 + 1), 0);
    assert_name(f, "docker/" ID, "docker/0123456789ab", ID);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_name(f, "docker/" ID, "docker/0123456789ab", ID);
}

static void podman_by_container_name(void **state)
{
    struct Fixture *f = *state;

    assert_name(f, "machine.slice/libpod-" ID ".scope", "podman/0123456789ab", ID);
    state_file(f, STORAGE, "containers.json",
               "[{\"id\":\"" OTHER_ID "\",\"names\":[\"other\"]},7,"
               "{\"id\":\"" ID "\",\"names\":[\"db\",\"alias\"]}]");
    assert_name(f, "machine.slice/libpod-" ID ".scope", "podman/db", ID);
    assert_name(f, "libpod_parent/libpod-" ID, "podman/db", ID);
    assert_name(f, "machine.slice/libpod-" OTHER_ID ".scope", "podman/other", OTHER_ID);
}

static void podman_volatile(void **state)
{
    struct Fixture *f = *state;

    state_file(f, STORAGE, "containers.json", "[{\"id\":\"" OTHER_ID "\"}]");
    state_file(f, STORAGE, "volatile-containers.json", "[{\"id\":\"" ID "\",\"names\":[\"passing\"]}]");
    assert_name(f, "machine.slice/libpod-" ID ".scope", "podman/passing", ID);
    assert_name(f, "machine.slice/libpod-" OTHER_ID ".scope", "podman/f123456789ab", OTHER_ID);
    state_file(f, STORAGE, "containers.json", "{\"id\":\"" ID "\"}");
    state_file(f, STORAGE, "volatile-containers.json", "[{\"id\":\"" ID "\",\"names\":[7]}]");
    assert_name(f, "machine.slice/libpod-" ID ".scope", "podman/0123456789ab", ID);
}

/* A user makes such a cgroup in the own tree, and the container's state files too. */
static void rootless_is_not_believed(void **state)
{
    static const char path[] = "user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope";
    struct Fixture *f = *state;

    state_file(f, STORAGE, "containers.json", "[{\"id\":\"" ID "\",\"names\":[\"db\"]}]");
    assert_name(f, path, path, "");
}

static void what_is_in_a_container_is_not_it(void **state)
{
    struct Fixture *f = *state;

    assert_name(f, "system.slice/docker-" ID ".scope/inner", "system.slice/docker-" ID ".scope/inner", "");
    assert_name(f, "docker/" ID "/inner", "docker/" ID "/inner", "");
    assert_name(f, "machine.slice/libpod-conmon-" ID ".scope", "libpod-conmon-" ID ".scope", "");
    assert_name(f, "system.slice/docker-0123.scope", "docker-0123.scope", "");
    assert_name(f, "docker/buildx", "docker/buildx", "");
}

static void machines(void **state)
{
    struct Fixture *f = *state;

    assert_name(f, "machine.slice/machine-box.scope", "nspawn/box", "");
    assert_name(f, "machine.slice/machine-my\\x2dbox.scope", "nspawn/my-box", "");
    assert_name(f, "machine.slice/systemd-nspawn@box.service", "nspawn/box", "");
    assert_name(f, "machine.slice/machine-a\\x2f..\\x2fb.scope", "machine-a\\x2f..\\x2fb.scope", "");
    assert_name(f, "machine.slice/machine-a\\x1bb.scope", "machine-a\\x1bb.scope", "");
    assert_name(f, "machine.slice/machine-a\\x00b.scope", "machine-a\\x00b.scope", "");
    assert_name(f, "machine.slice/machine-a\\x2.scope", "machine-a\\x2.scope", "");
}

static void users(void **state)
{
    struct Fixture *f = *state;

    assert_name(f, "user.slice/user-1000.slice", "user/1000", "");
    state_file(f, "etc", "passwd",
               "root:x:0:0:root:/root:/bin/sh\n"
               "\n"
               "garbage\n"
               "alice:x:1000:1000::/home/alice:/bin/sh\n"
               "b/d:x:1001:1001::/:/bin/sh\n");
    assert_name(f, "user.slice/user-1000.slice", "user/alice", "");
    assert_name(f, "user.slice/user-0.slice", "user/root", "");
    assert_name(f, "user.slice/user-1001.slice", "user/1001", "");
    assert_name(f, "user.slice/user-1000.slice/session-3.scope", "session-3.scope", "");
    assert_name(f, "user.slice/user-x.slice", "user.slice/user-x.slice", "");
    assert_name(f, "user.slice/user-4294967295.slice", "user.slice/user-4294967295.slice", "");
    assert_name(f, "a.slice/user-1000.slice", "a.slice/user-1000.slice", "");
}

static void units_and_paths(void **state)
{
    struct Fixture *f = *state;

    assert_name(f, "system.slice/nginx.service", "nginx.service", "");
    assert_name(f, "system.slice", "system.slice", "");
    assert_name(f, "jobs/one", "jobs/one", "");
}

static void terminal_escapes_are_made_plain(void **state)
{
    struct Fixture *f = *state;

    assert_name(f, "jobs/\033[2Jx", "jobs/\\x1b[2Jx", "");
    assert_name(f,
                "jobs/w\xc3\xa9"
                "b",
                "jobs/w\\xc3\\xa9b", "");
    assert_name(f, "system.slice/a\rb.service", "a\\x0db.service", "");
}

static void long_names_are_cut(void **state)
{
    const struct NameSources sources = {.root = "/nonexistent"};
    char path[1024], name[256], id[65];

    (void)state;
    memset(path, 'p', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    tenant_name(&sources, path, name, sizeof(name), id);
    assert_true(strlen(name) > 200 && strlen(name) < sizeof(name));
    memset(path, '\033', sizeof(path) - 1);
    tenant_name(&sources, path, name, sizeof(name), id);
    assert_true(strlen(name) > 200 && strlen(name) < sizeof(name));
    snprintf(path, sizeof(path), "docker/%s", ID);
    tenant_name(&sources, path, name, 12, id);
    assert_string_equal(name, "docker/0123");
}

static void parsers_tell_why(void **state)
{
    char name[64];

    (void)state;
    assert_int_equal(docker_name_from_json("{\"Name\":\"/web\"}", name, sizeof(name)), 0);
    assert_int_equal(docker_name_from_json("{}", name, sizeof(name)), -ENOENT);
    assert_int_equal(docker_name_from_json("{]", name, sizeof(name)), -EBADMSG);
    assert_int_equal(podman_name_from_json("[]", ID, name, sizeof(name)), -ENOENT);
    assert_int_equal(podman_name_from_json("[", ID, name, sizeof(name)), -EBADMSG);
    assert_int_equal(docker_data_root_from_json("{\"data-root\":\"/a/long/way\"}", name, 8), -ENOENT);
    assert_int_equal(
        podman_layer_from_json("[{\"id\":\"" ID "\",\"layer\":\"ab12\"}]", ID, name, sizeof(name)), 0);
    assert_string_equal(name, "ab12");
    assert_int_equal(
        podman_layer_from_json("[{\"id\":\"" ID "\",\"layer\":\"../x\"}]", ID, name, sizeof(name)), -ENOENT);
    assert_int_equal(podman_layer_from_json("[{\"id\":\"" ID "\"}]", ID, name, sizeof(name)), -ENOENT);
    assert_int_equal(podman_layer_from_json("{", ID, name, sizeof(name)), -EBADMSG);
}

#define NAME_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NAME_TEST(docker_by_container_name),
        NAME_TEST(docker_moved),
        NAME_TEST(bad_state_files),
        NAME_TEST(too_large_or_no_file),
        NAME_TEST(podman_by_container_name),
        NAME_TEST(podman_volatile),
        NAME_TEST(rootless_is_not_believed),
        NAME_TEST(what_is_in_a_container_is_not_it),
        NAME_TEST(machines),
        NAME_TEST(users),
        NAME_TEST(units_and_paths),
        NAME_TEST(terminal_escapes_are_made_plain),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(parsers_tell_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
