/* Limits set and reset live, and the check of what they count: what the daemon is asked for, what is answered
 * when its outcome is there, and that a wrong word changes nothing. */
#include "tests/unit/serve/world.h"

#define GIB (UINT64_C(1) << 30)

struct Pair {
    const char *name, *value;
};

/* SetLimits of podman/db; `n` pairs. Answered at once or not. */
static void send_set(struct World *world, struct Client *client, const struct Pair *pairs, size_t n,
                     int runtime)
{
    sd_json_variant *list = NULL;

    assert_true(sd_json_variant_new_array(&list, NULL, 0) >= 0);
    for (size_t i = 0; i < n; i++)
        assert_true(sd_json_variant_append_arraybo(&list, SD_JSON_BUILD_PAIR_STRING("name", pairs[i].name),
                                                   SD_JSON_BUILD_PAIR_STRING("value", pairs[i].value)) >= 0);
    client->method = "SetLimits";
    assert_true(sd_varlink_invokebo(client->link, WIRE_INTERFACE ".SetLimits",
                                    SD_JSON_BUILD_PAIR_STRING("tenant", "podman/db"),
                                    SD_JSON_BUILD_PAIR_VARIANT("limits", list),
                                    SD_JSON_BUILD_PAIR_CONDITION(runtime >= 0, "runtime",
                                                                 SD_JSON_BUILD_BOOLEAN(runtime > 0))) >= 0);
    sd_json_variant_unref(list);
    turn(world);
}

static void send_reset(struct World *world, struct Client *client, const char *const *names, size_t n)
{
    sd_json_variant *list = NULL;

    assert_true(sd_json_variant_new_array(&list, NULL, 0) >= 0);
    for (size_t i = 0; i < n; i++)
        assert_true(sd_json_variant_append_arrayb(&list, SD_JSON_BUILD_STRING(names[i])) >= 0);
    client->method = "ResetLimits";
    assert_true(sd_varlink_invokebo(client->link, WIRE_INTERFACE ".ResetLimits",
                                    SD_JSON_BUILD_PAIR_STRING("tenant", "podman/db"),
                                    SD_JSON_BUILD_PAIR_VARIANT("names", list)) >= 0);
    sd_json_variant_unref(list);
    turn(world);
}

static void send_check(struct World *world, struct Client *client, bool repair)
{
    client->method = "CheckTenant";
    assert_true(sd_varlink_invokebo(client->link, WIRE_INTERFACE ".CheckTenant",
                                    SD_JSON_BUILD_PAIR_STRING("tenant", "podman/db"),
                                    SD_JSON_BUILD_PAIR_BOOLEAN("repair", repair)) >= 0);
    turn(world);
}

static const char *text_of(const struct Client *client, const char *key)
{
    sd_json_variant *v = sd_json_variant_by_key(client->parameters, key);

    return v ? sd_json_variant_string(v) : "";
}

/* Setting */

static void test_set(void **state)
{
    static const struct Pair pairs[] = {{"DiskSpaceMax", "20G"}, {"DiskInodesMax", "infinity"}};
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    send_set(world, &client, pairs, 2, true);
    assert_int_equal(client.replies, 0); /* not before the outcome is there */
    assert_ptr_equal(world->meant, &world->tenants[0]);
    assert_true(world->limits.set[LIMIT_DISK_SPACE_MAX] && world->limits.set[LIMIT_DISK_INODES_MAX]);
    assert_false(world->limits.set[LIMIT_TASKS_MAX]);
    assert_true(world->limits.value[LIMIT_DISK_SPACE_MAX] == 20 * GIB);
    assert_true(world->limits.value[LIMIT_DISK_INODES_MAX] == LIMIT_INFINITY);
    assert_true(world->flag);
    assert_int_equal(world->uid, getuid());
    settle_change(world, RESULT_PENDING, "");
    turn(world);
    assert_int_equal(client.replies, 0);
    settle_change(world, RESULT_DONE, "below the present use");
    turn(world);
    assert_int_equal(client.replies, 1);
    assert_conforms(&client);
    assert_string_equal(client.error, "");
    assert_string_equal(text_of(&client, "name"), "podman/db");
    assert_string_equal(text_of(&client, "text"), "below the present use");
    assert_int_equal(sd_json_variant_elements(sd_json_variant_by_key(client.parameters, "limits")),
                     LIMIT_COUNT);
    client_close(&client);
}

static void test_set_is_for_good_unless_it_says_so(void **state)
{
    static const struct Pair pair = {"TasksMax", "300"};
    struct World *world = *state;
    struct Client client;

    world->settle_at_once = true;
    client_open(world, &client);
    send_set(world, &client, &pair, 1, true);
    assert_true(world->flag);
    send_set(world, &client, &pair, 1, -1);
    assert_false(world->flag);
    assert_int_equal(client.replies, 2);
    assert_int_equal(world->limits.value[LIMIT_TASKS_MAX], 300);
    client_close(&client);
}

/* Nothing of a call is done when one word of it is wrong. */
static void test_what_is_wrong_changes_nothing(void **state)
{
    static const struct {
        struct Pair pairs[2];
        size_t n;
        const char *name, *message, *right;
    } cases[] = {
        {{}, 0, "", "no limit is named", "DiskInodesMax"},
        {{{"DiskSpace", "1G"}}, 1, "DiskSpace", "'DiskSpace'", "TasksMax, DiskSpaceMax, DiskInodesMax"},
        {{{"", "1G"}}, 1, "", "no limit ''", "TasksMax"},
        {{{"TasksMax", "300"}, {"diskspacemax", "1G"}}, 2, "diskspacemax", "'diskspacemax'", "DiskSpaceMax"},
        {{{"Tasks", "300"}, {"DiskSpaceMax", "1G"}}, 2, "Tasks", "'Tasks'", "DiskSpaceMax"},
        {{{"TasksMax", "300"}, {"TasksMax", "400"}}, 2, "TasksMax", "twice", "once"},
        {{{"TasksMax", "300"}, {"DiskSpaceMax", "20X"}}, 2, "DiskSpaceMax", "'20X'", "infinity"},
        {{{"DiskSpaceMax", "-1"}}, 1, "DiskSpaceMax", "'-1'", "infinity"},
        {{{"DiskInodesMax", "20Gi"}}, 1, "DiskInodesMax", "'20Gi'", "infinity"},
        {{{"TasksMax", "many"}}, 1, "TasksMax", "'many'", "infinity"},
        {{{"DiskSpaceMax", ""}}, 1, "DiskSpaceMax", "''", "infinity"},
        {{{"TasksMax", " 300"}}, 1, "TasksMax", "' 300'", "infinity"},
        {{{"TasksMax", "300\n"}}, 1, "TasksMax", "300", "infinity"},
        {{{"TasksMax", "\x1b[2J"}}, 1, "TasksMax", "'\\x1b[2J'", "infinity"},
    };
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        send_set(world, &client, cases[i].pairs, cases[i].n, -1);
        assert_int_equal(client.replies, i + 1);
        assert_string_equal(client.error, WIRE_ERROR_INVALID_LIMIT);
        assert_conforms(&client);
        assert_string_equal(text_of(&client, "name"), cases[i].name);
        assert_non_null(strstr(message(&client), cases[i].message));
        assert_non_null(strstr(text_of(&client, "right"), cases[i].right));
    }
    assert_int_equal(world->changes, 0);
    client_close(&client);
}

static void test_a_value_of_any_length(void **state)
{
    struct World *world = *state;
    struct Client client;
    char *large = malloc(32 * 1024);
    struct Pair pairs[] = {{"DiskSpaceMax", large}, {large, "1G"}};

    memset(large, '9', 32 * 1024 - 1);
    large[32 * 1024 - 1] = '\0';
    client_open(world, &client);
    for (size_t i = 0; i < 2; i++) {
        send_set(world, &client, &pairs[i], 1, -1);
        assert_string_equal(client.error, WIRE_ERROR_INVALID_LIMIT);
        assert_true(strlen(message(&client)) < 2048);
    }
    client_close(&client);
    free(large);
}

static void raw_call(struct World *world, struct Client *client, const char *method, const char *json)
{
    sd_json_variant *parameters = NULL;

    assert_true(sd_json_parse(json, 0, &parameters, NULL, NULL) >= 0);
    assert_true(sd_varlink_invoke(client->link, method, parameters) >= 0);
    sd_json_variant_unref(parameters);
    turn(world);
}

static void test_parameters_of_another_shape(void **state)
{
    static const char *const sets[] = {
        "{\"tenant\":\"podman/db\"}",
        "{\"tenant\":\"podman/db\",\"limits\":{}}",
        "{\"tenant\":\"podman/db\",\"limits\":[\"TasksMax\"]}",
        "{\"tenant\":\"podman/db\",\"limits\":[{\"name\":\"TasksMax\"}]}",
        "{\"tenant\":\"podman/db\",\"limits\":[{\"name\":\"TasksMax\",\"value\":300}]}",
        "{\"tenant\":\"podman/db\",\"limits\":[{\"name\":\"TasksMax\",\"value\":\"300\",\"x\":1}]}",
        "{\"tenant\":\"podman/db\",\"limits\":[{\"name\":\"TasksMax\",\"value\":\"300\"}],\"runtime\":1}",
        "{\"limits\":[{\"name\":\"TasksMax\",\"value\":\"300\"}]}",
        "{\"tenant\":\"podman/db\",\"limits\":[{\"name\":\"TasksMax\",\"value\":\"300\"}],\"more\":1}",
    };
    static const char *const resets[] = {
        "{\"tenant\":\"podman/db\",\"names\":\"TasksMax\"}",
        "{\"tenant\":\"podman/db\",\"names\":[1]}",
        "{\"names\":[]}",
    };
    static const char *const checks[] = {"{}", "{\"tenant\":\"podman/db\",\"repair\":\"yes\"}"};
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        raw_call(world, &client, WIRE_INTERFACE ".SetLimits", sets[i]);
        assert_string_equal(client.error, SD_VARLINK_ERROR_INVALID_PARAMETER);
    }
    for (size_t i = 0; i < sizeof(resets) / sizeof(resets[0]); i++) {
        raw_call(world, &client, WIRE_INTERFACE ".ResetLimits", resets[i]);
        assert_string_equal(client.error, SD_VARLINK_ERROR_INVALID_PARAMETER);
    }
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        raw_call(world, &client, WIRE_INTERFACE ".CheckTenant", checks[i]);
        assert_string_equal(client.error, SD_VARLINK_ERROR_INVALID_PARAMETER);
    }
    assert_int_equal(world->changes, 0);
    client_close(&client);
}

/* Resetting */

static void test_reset(void **state)
{
    static const char *const names[] = {"DiskSpaceMax", "TasksMax"};
    struct World *world = *state;
    struct Client client;

    world->settle_at_once = true;
    client_open(world, &client);
    send_reset(world, &client, names, 2);
    assert_string_equal(client.error, "");
    assert_conforms(&client);
    assert_true(world->named && world->limits.set[LIMIT_DISK_SPACE_MAX] &&
                world->limits.set[LIMIT_TASKS_MAX] && !world->limits.set[LIMIT_DISK_INODES_MAX]);
    send_reset(world, &client, NULL, 0); /* all */
    assert_false(world->named);
    call(world, &client, "ResetLimits", "podman/db"); /* names left out: all */
    assert_int_equal(world->changes, 3);
    assert_false(world->named);
    client_close(&client);
}

static void test_reset_of_what_there_is_not(void **state)
{
    static const char *const unknown[] = {"TasksMax", "MemoryMin"}, *const twice[] = {"TasksMax", "TasksMax"};
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    send_reset(world, &client, unknown, 2);
    assert_string_equal(client.error, WIRE_ERROR_INVALID_LIMIT);
    assert_string_equal(text_of(&client, "name"), "MemoryMin");
    assert_conforms(&client);
    send_reset(world, &client, twice, 2);
    assert_string_equal(client.error, WIRE_ERROR_INVALID_LIMIT);
    assert_int_equal(world->changes, 0);
    client_close(&client);
}

/* For how long, and under which version */

static void test_wishes(void **state)
{
    struct World *world = *state;
    struct Client client;

    world->settle_at_once = true;
    client_open(world, &client);
    client.method = "SetLimits";
    raw_call(world, &client, WIRE_INTERFACE ".SetLimits",
             "{\"tenant\":\"podman/db\",\"limits\":[{\"name\":\"TasksMax\",\"value\":\"300\"},"
             "{\"name\":\"DiskSpaceMax\",\"value\":\"20G\"}],\"forUsec\":7200000000,\"ifVersion\":0}");
    assert_string_equal(client.error, "");
    assert_conforms(&client);
    assert_true(world->wish.for_usec == 2 * USEC_PER_HOUR && !world->wish.runtime);
    assert_true(world->wish.if_version && world->wish.version == 0);
    assert_int_equal(world->wish.author.uid, getuid());
    assert_int_equal(world->wish.author.pid, getpid());
    assert_non_null(strstr(world->asked, "podman/db: set TasksMax=300 DiskSpaceMax=20G for 2h"));
    raw_call(world, &client, WIRE_INTERFACE ".ResetLimits",
             "{\"tenant\":\"podman/db\",\"names\":[\"TasksMax\"],\"ifVersion\":1763773500123}");
    assert_true(world->wish.if_version && world->wish.version == 1763773500123);
    assert_non_null(strstr(world->asked, "podman/db: reset TasksMax"));
    raw_call(world, &client, WIRE_INTERFACE ".ResetLimits", "{\"tenant\":\"podman/db\",\"ifVersion\":null}");
    assert_false(world->wish.if_version);
    for (int i = 0; i < 2; i++) {
        unsigned changes = world->changes;

        raw_call(world, &client, WIRE_INTERFACE ".ResetLimits",
                 i == 0 ? "{\"tenant\":\"podman/db\",\"ifVersion\":-1}"
                        : "{\"tenant\":\"podman/db\",\"ifVersion\":\"1\"}");
        assert_string_equal(client.error, SD_VARLINK_ERROR_INVALID_PARAMETER);
        assert_int_equal(world->changes, changes);
    }
    client_close(&client);
}

static void test_somebody_was_quicker(void **state)
{
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    world->answer = SERVICE_CHANGED;
    world->why = "limits of podman/db have changed meanwhile: reset all of it by alice (uid 1000) 5s ago";
    for (size_t method = 0; method < 2; method++) {
        if (method == 0)
            send_set(world, &client, &(struct Pair){"TasksMax", "300"}, 1, -1);
        else
            send_reset(world, &client, NULL, 0);
        assert_string_equal(client.error, WIRE_ERROR_CHANGED);
        assert_conforms(&client);
        assert_non_null(strstr(message(&client), "by alice"));
        assert_int_equal(world->ticket, method + 1);
    }
    client_close(&client);
}

/* Who set what: a viewer sees the user, an operator the process, too. */
static void test_who_set_it(void **state)
{
    static const gid_t groups[] = {VIEWERS, OPERATORS};
    struct World *world = *state;
    struct OverrideEntry entries[] = {
        {.limit = LIMIT_TASKS_MAX,
         .layer = OVERRIDE_PERSISTENT,
         .value = 300,
         .author = {.uid = 1000, .pid = 42, .name = "alice", .command = "guardctl set secret"},
         .set_realtime_usec = USEC_PER_SEC,
         .until_realtime_usec = USEC_INFINITY},
        {.limit = LIMIT_TASKS_MAX,
         .layer = OVERRIDE_TIMED,
         .value = LIMIT_INFINITY,
         .author = {.uid = 7},
         .until_realtime_usec = USEC_PER_HOUR + 5},
    };
    struct Override override = {.tenant = (char *)"podman/db", .entries = entries, .n = 2, .version = 99};

    if (getuid() != 0)
        skip();
    HASH_ADD_KEYPTR(hh, world->overrides.list, override.tenant, strlen(override.tenant), &override);
    for (size_t i = 0; i < 2; i++) {
        struct Client client;
        sd_json_variant *list, *top, *below;

        client_open_as(world, &client, 60000, groups[i]);
        call(world, &client, "ShowTenant", "podman/db");
        list = sd_json_variant_by_key(client.parameters, "overrides");
        assert_int_equal(sd_json_variant_unsigned(sd_json_variant_by_key(client.parameters, "version")), 99);
        assert_int_equal(sd_json_variant_elements(list), 2);
        top = sd_json_variant_by_index(list, 0);
        below = sd_json_variant_by_index(list, 1);
        assert_int_equal(sd_json_variant_unsigned(sd_json_variant_by_key(top, "leftUsec")), 5);
        assert_true(sd_json_variant_boolean(sd_json_variant_by_key(top, "topmost")));
        assert_null(sd_json_variant_by_key(top, "user"));
        assert_string_equal(sd_json_variant_string(sd_json_variant_by_key(below, "user")), "alice");
        assert_null(sd_json_variant_by_key(below, "untilRealtimeUsec"));
        assert_true((sd_json_variant_by_key(below, "command") != NULL) == (groups[i] == OPERATORS));
        assert_true((sd_json_variant_by_key(below, "pid") != NULL) == (groups[i] == OPERATORS));
        client_close(&client);
    }
    HASH_DEL(world->overrides.list, &override);
}

/* Answers */

static void send_each(struct World *world, struct Client *client, size_t method)
{
    static const struct Pair pair = {"DiskSpaceMax", "1G"};

    if (method == 0)
        send_set(world, client, &pair, 1, -1);
    else if (method == 1)
        send_reset(world, client, NULL, 0);
    else
        send_check(world, client, false);
}

static void test_answered_at_once(void **state)
{
    static const struct {
        int answer;
        const char *why, *error, *says;
    } cases[] = {
        {SERVICE_REFUSED, "it holds guardd", WIRE_ERROR_REFUSED, "it holds guardd"},
        {SERVICE_DONE, "it is so already", "", "it is so already"},
        {-ENODEV, "", WIRE_ERROR_FAILED, "vanished"},
        {-ENOSPC, "", WIRE_ERROR_FAILED, "No space left"},
    };
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    for (size_t method = 0; method < 3; method++)
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            unsigned replies = client.replies;

            world->answer = cases[i].answer;
            world->why = cases[i].why;
            send_each(world, &client, method);
            assert_int_equal(client.replies, replies + 1);
            assert_conforms(&client);
            assert_string_equal(client.error, cases[i].error);
            assert_non_null(strstr(cases[i].error[0] != '\0' ? message(&client) : text_of(&client, "text"),
                                   cases[i].says));
        }
    client_close(&client);
}

static void test_answered_by_the_outcome(void **state)
{
    static const struct {
        enum Result result;
        bool gone;
        const char *text, *error, *says;
    } cases[] = {
        {RESULT_FAILED, false, "quotas are off", WIRE_ERROR_FAILED, "failed: quotas are off"},
        {RESULT_GONE, true, "", WIRE_ERROR_FAILED, "vanished"},
        {RESULT_DONE, true, "", WIRE_ERROR_FAILED, "vanished"},
        {RESULT_SUPERSEDED, false, "", WIRE_ERROR_FAILED, "took the place"},
        {RESULT_SKIPPED, false, "it is so already", "", "it is so already"},
        {RESULT_DONE, false, "", "", ""},
    };
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    for (size_t method = 0; method < 3; method++)
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            unsigned replies = client.replies;

            send_each(world, &client, method);
            assert_int_equal(client.replies, replies);
            world->meant = cases[i].gone ? NULL : world->meant;
            settle_change(world, cases[i].result, cases[i].text);
            turn(world);
            assert_int_equal(client.replies, replies + 1);
            assert_conforms(&client);
            assert_string_equal(client.error, cases[i].error);
            assert_non_null(strstr(cases[i].error[0] != '\0' ? message(&client) : text_of(&client, "text"),
                                   cases[i].says));
        }
    client_close(&client);
}

static void test_observed(void **state)
{
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    send_each(world, &client, 0);
    settle_change(world, RESULT_OBSERVED, "");
    turn(world);
    assert_string_equal(client.error, "");
    assert_non_null(strstr(text_of(&client, "text"), "Mode=observe"));
    client_close(&client);
}

static void test_of_whom(void **state)
{
    static const char *const methods[] = {"ResetLimits", "CheckTenant"};
    struct World *world = *state;
    struct Client client;

    strcpy(world->tenants[0].name, "podman/twin");
    strcpy(world->tenants[2].name, "docker/twin");
    client_open(world, &client);
    for (size_t i = 0; i < 2; i++) {
        call(world, &client, methods[i], "nobody");
        assert_string_equal(client.error, WIRE_ERROR_NO_SUCH_TENANT);
        call(world, &client, methods[i], "twin");
        assert_string_equal(client.error, WIRE_ERROR_AMBIGUOUS);
    }
    send_each(world, &client, 0); /* podman/db, which is called otherwise now */
    assert_string_equal(client.error, WIRE_ERROR_NO_SUCH_TENANT);
    assert_int_equal(world->changes, 0);
    client_close(&client);
}

static void test_only_operators(void **state)
{
    static const gid_t groups[] = {VIEWERS, 8, OPERATORS};
    struct World *world = *state;

    if (getuid() != 0)
        skip();
    world->settle_at_once = true;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        bool may = groups[i] == OPERATORS;
        struct Client client;

        client_open_as(world, &client, 60000, groups[i]);
        for (size_t method = 0; method < 3; method++) {
            send_each(world, &client, method);
            assert_string_equal(client.error, may ? "" : WIRE_ERROR_DENIED);
        }
        assert_int_equal(world->changes, may ? 3 : 0);
        client_close(&client);
    }
}

/* Nobody is answered, and nothing is answered in its place. */
static void test_oneway_and_hanging_up(void **state)
{
    struct World *world = *state;
    struct Client client, other;

    client_open(world, &client);
    client_open(world, &other);
    assert_true(sd_varlink_sendbo(client.link, WIRE_INTERFACE ".ResetLimits",
                                  SD_JSON_BUILD_PAIR_STRING("tenant", "podman/db")) >= 0);
    turn(world);
    assert_int_equal(world->changes, 1);
    assert_int_equal(world->ticket, 0);
    settle_change(world, RESULT_DONE, "");
    turn(world);
    assert_int_equal(client.replies, 0);
    send_check(world, &other, false);
    client_close(&other);
    turn(world);
    settle_change(world, RESULT_DONE, "");
    turn(world);
    call(world, &client, "GetStatus", NULL);
    assert_string_equal(client.error, "");
    client_close(&client);
}

/* Checking */

static void test_check(void **state)
{
    static const struct {
        struct Directory directory;
        bool repair, clean;
    } cases[] = {
        {{.state = DIRECTORY_COUNTED, .seen = 9}, false, true},
        {{.state = DIRECTORY_COUNTED, .seen = 9, .changed = 1}, false, false},
        {{.state = DIRECTORY_COUNTED, .seen = 9, .changed = 1}, true, true},
        {{.state = DIRECTORY_COUNTED, .seen = 9, .passed_over = 1}, true, false},
        {{.state = DIRECTORY_TAGGING, .seen = 9}, true, false},
        {{.state = DIRECTORY_WAITING}, false, false},
        {{.state = DIRECTORY_OUT, .why = "it is read-only"}, false, true},
    };
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct Directory list[2] = {{.path = (char *)"/good", .state = DIRECTORY_COUNTED},
                                    cases[i].directory};
        sd_json_variant *v;

        list[1].path = (char *)"/srv/\x1b[2J";
        world->tenants[0].disk.directories = list;
        world->tenants[0].disk.n_directories = 2;
        send_check(world, &client, cases[i].repair);
        assert_int_equal(client.replies, i);
        assert_true(world->flag == cases[i].repair);
        settle_change(world, RESULT_DONE, "");
        turn(world);
        assert_conforms(&client);
        v = sd_json_variant_by_key(client.parameters, "directories");
        assert_int_equal(sd_json_variant_elements(v), 2);
        v = sd_json_variant_by_key(sd_json_variant_by_index(v, 1), "path");
        assert_string_equal(sd_json_variant_string(v), "/srv/\\x1b[2J");
        v = sd_json_variant_by_key(client.parameters, "clean");
        assert_true(sd_json_variant_boolean(v) == cases[i].clean);
    }
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_wishes),
        TEST(test_somebody_was_quicker),
        TEST(test_who_set_it),
        TEST(test_set),
        TEST(test_set_is_for_good_unless_it_says_so),
        TEST(test_what_is_wrong_changes_nothing),
        TEST(test_a_value_of_any_length),
        TEST(test_parameters_of_another_shape),
        TEST(test_reset),
        TEST(test_reset_of_what_there_is_not),
        TEST(test_answered_at_once),
        TEST(test_answered_by_the_outcome),
        TEST(test_observed),
        TEST(test_of_whom),
        TEST(test_only_operators),
        TEST(test_oneway_and_hanging_up),
        TEST(test_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
