/* Names from paths and made-up state files, the hostile ones included. */
#include "../failing.h"
#include "../scratch.h"

#include <errno.h>

#include <systemd/sd-login.h>

#include "tenant/name.h"
#include "tenant/runtime.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER_ID "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NO_ID "g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define STORAGE "var/lib/containers/storage/overlay-containers"

struct Fixture {
    struct Scratch scratch;
    char name[256], id[65];
};

/* What logind would say: instead of libsystemd's. */
static const char *logged_in[3]; /* by session; NULL at the end, "?" for one that has just ended */

int sd_uid_get_sessions(uid_t uid, int require_active, char ***ret_sessions)
{
    char **sessions;
    int n = 0;

    (void)require_active;
    while (logged_in[n])
        n++;
    if (uid != 2123456789 || n == 0)
        return -ENODATA;
    sessions = calloc((size_t)n + 1, sizeof(*sessions));
    for (int i = 0; i < n; i++)
        assert_true(asprintf(&sessions[i], "%d", i) > 0);
    *ret_sessions = sessions;
    return n;
}

int sd_session_get_username(const char *session, char **ret_name)
{
    const char *name = logged_in[atoi(session)];

    if (strcmp(name, "?") == 0)
        return -ENXIO;
    *ret_name = strdup(name);
    return 0;
}

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

/* What does not say where it is leaves it where it is if nothing is said. */
static void docker_not_moved(void **state)
{
    static const char *const texts[] = {"{", "{}", "[]", "{\"data-root\":7}", "{\"graph\":\"srv\"}"};
    struct Fixture *f = *state;
    char path[64];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        state_file(f, "etc/docker", "daemon.json", texts[i]);
        docker_data_root(f->scratch.path, path, sizeof(path));
        assert_string_equal(path, "/var/lib/docker");
    }
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

/* A path that would be cut is not looked at. */
static void too_deep(void **state)
{
    static char root[PATH_MAX];
    const struct NameSources sources = {.root = root};
    char name[256], id[65];

    (void)state;
    memset(root, '/', sizeof(root) - 1);
    tenant_name(&sources, "docker/" ID, name, sizeof(name), id);
    assert_string_equal(name, "docker/0123456789ab");
}

/* Whatever goes wrong with the files: the short name, or the whole one where the file is another's. */
static void files_that_cannot_be_read(void **state)
{
    static const struct {
        const char *function;
        int error;
    } table[] = {{"open64", EMFILE}, {"fstat64", EIO}, {"pread64", EIO}, {ANY_ALLOCATION, ENOMEM}};
    struct Fixture *f = *state;

    state_file(f, "var/lib/docker/containers/" ID, "config.v2.json", "{\"Name\":\"/web\"}");
    state_file(f, "etc/docker", "daemon.json", "{}");
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct NameSources sources = {.root = f->scratch.path};
        unsigned n_short = 0;

        EACH_FAILURE(nth, table[i].function, table[i].error)
        {
            tenant_name(&sources, "docker/" ID, f->name, sizeof(f->name), f->id);
            if (!call_failed())
                break;
            n_short += strcmp(f->name, "docker/0123456789ab") == 0;
            assert_true(n_short > 0 || strcmp(f->name, "docker/web") == 0);
            assert_string_equal(f->id, ID);
        }
        assert_string_equal(f->name, "docker/web");
        assert_true(n_short > 0);
    }
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
    static const char *const no_names[] = {"[7]", "[]", "{}", "\"passing\"", "[\"/\"]"};
    struct Fixture *f = *state;

    state_file(f, STORAGE, "containers.json", "[{\"id\":\"" OTHER_ID "\"}]");
    state_file(f, STORAGE, "volatile-containers.json", "[{\"id\":\"" ID "\",\"names\":[\"passing\"]}]");
    assert_name(f, "machine.slice/libpod-" ID ".scope", "podman/passing", ID);
    assert_name(f, "machine.slice/libpod-" OTHER_ID ".scope", "podman/f123456789ab", OTHER_ID);
    state_file(f, STORAGE, "containers.json", "{\"id\":\"" ID "\"}");
    for (size_t i = 0; i < sizeof(no_names) / sizeof(no_names[0]); i++) {
        char text[256];

        snprintf(text, sizeof(text), "[{\"id\":\"" ID "\",\"names\":%s}]", no_names[i]);
        state_file(f, STORAGE, "volatile-containers.json", text);
        assert_name(f, "machine.slice/libpod-" ID ".scope", "podman/0123456789ab", ID);
    }
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
    assert_name(f, "docker/" NO_ID, "docker/" NO_ID, "");
    assert_name(f, "docker/" ID "0", "docker/" ID "0", "");
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
    assert_name(f, "machine.slice/machine-a\\x.scope", "machine-a\\x.scope", "");
    assert_name(f, "machine.slice/machine-a\\xz1.scope", "machine-a\\xz1.scope", "");
    assert_name(f, "machine.slice/machine-a\\y41.scope", "machine-a\\y41.scope", "");
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

/* Who is in no local file: by what logind has written down. */
static void users_of_a_directory(void **state)
{
    static const struct {
        const char *logged_in[3], *name;
    } table[] = {
        {{"carol"}, "user/carol"},         {{"?", "carol"}, "user/carol"},
        {{"carol", "dave"}, "user/carol"}, {{"a/b", "carol"}, "user/carol"},
        {{""}, "user/2123456789"},         {{"\033[2J", " "}, "user/2123456789"},
        {{NULL}, "user/2123456789"},
    };
    const struct NameSources sources = {.root = ""};
    char name[256], id[65];

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        memcpy(logged_in, table[i].logged_in, sizeof(logged_in));
        tenant_name(&sources, "user.slice/user-2123456789.slice", name, sizeof(name), id);
        assert_string_equal(name, table[i].name);
    }
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
    assert_int_equal(docker_data_root_from_json("{", name, sizeof(name)), -EBADMSG);
    fail_call("sd_json_parse", 1, ENOMEM);
    assert_int_equal(docker_name_from_json("{\"Name\":\"/web\"}", name, sizeof(name)), -ENOMEM);
    assert_true(call_failed());
}

/* Where the container writes, and no beginning of that. */
static void layers_that_fit(void **state)
{
    struct Fixture *f = *state;
    const char *root = f->scratch.path;
    char path[PATH_MAX];

    assert_int_equal(docker_layer(root, ID, path, sizeof(path)), -ENOENT);
    assert_int_equal(podman_layer(root, ID, path, sizeof(path)), -ENOENT);
    state_file(f, "var/lib/docker/image/overlay2/layerdb/mounts/" ID, "mount-id", "ab\n");
    state_file(f, STORAGE, "containers.json", "[{\"id\":\"" ID "\",\"layer\":\"cd\"}]");
    assert_int_equal(docker_layer(root, ID, path, sizeof("/var/lib/docker/overlay2/ab")), 0);
    assert_string_equal(path, "/var/lib/docker/overlay2/ab");
    assert_int_equal(docker_layer(root, ID, path, sizeof("/var/lib/docker/overlay2/ab") - 1), -ENOENT);
    assert_int_equal(podman_layer(root, ID, path, sizeof(PODMAN_STORAGE "/overlay/cd")), 0);
    assert_string_equal(path, PODMAN_STORAGE "/overlay/cd");
    assert_int_equal(podman_layer(root, ID, path, sizeof(PODMAN_STORAGE "/overlay/cd") - 1), -ENOENT);
    state_file(f, "var/lib/docker/image/overlay2/layerdb/mounts/" ID, "mount-id", "../ab");
    assert_int_equal(docker_layer(root, ID, path, sizeof(path)), -ENOENT);
    docker_directory(root, ID, path);
    assert_string_equal(path, "/var/lib/docker/containers/" ID);
}

#define NAME_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NAME_TEST(docker_by_container_name),
        NAME_TEST(docker_moved),
        NAME_TEST(docker_not_moved),
        NAME_TEST(bad_state_files),
        NAME_TEST(too_large_or_no_file),
        cmocka_unit_test(too_deep),
        NAME_TEST(files_that_cannot_be_read),
        NAME_TEST(podman_by_container_name),
        NAME_TEST(podman_volatile),
        NAME_TEST(rootless_is_not_believed),
        NAME_TEST(what_is_in_a_container_is_not_it),
        NAME_TEST(machines),
        NAME_TEST(users),
        cmocka_unit_test(users_of_a_directory),
        NAME_TEST(units_and_paths),
        NAME_TEST(terminal_escapes_are_made_plain),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(parsers_tell_why),
        NAME_TEST(layers_that_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
