/* What is done by hand: actions, releases, a reload; each is answered when its outcome is there. */
#include "tests/unit/serve/world.h"

static void test_an_action_is_answered_by_its_outcome(void **state)
{
    static const struct {
        const char *method;
        enum Verb verb;
        enum Result result;
        const char *error, *says;
    } cases[] = {
        {"Freeze", VERB_FREEZE, RESULT_DONE, "", "done"},
        {"Thaw", VERB_THAW, RESULT_SKIPPED, "", "skipped"},
        {"Kill", VERB_KILL, RESULT_OBSERVED, "", "observed"},
        {"Kill", VERB_KILL, RESULT_GONE, "", "gone"},
        {"Freeze", VERB_FREEZE, RESULT_GONE, WIRE_ERROR_FAILED, "vanished"},
        {"Freeze", VERB_FREEZE, RESULT_FAILED, WIRE_ERROR_FAILED, "freeze failed: Device or resource busy"},
        {"Thaw", VERB_THAW, RESULT_SUPERSEDED, WIRE_ERROR_FAILED, "took the place of thaw"},
    };
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned replies = client.replies;

        send_call(world, &client, cases[i].method, "podman/db");
        assert_int_equal(client.replies, replies); /* not before the outcome is there */
        assert_int_equal(world->verb, cases[i].verb);
        assert_int_equal(world->uid, getuid());
        settle(world, RESULT_PENDING, 0);
        turn(world);
        assert_int_equal(client.replies, replies);
        settle(world, cases[i].result, -EBUSY);
        turn(world);
        assert_int_equal(client.replies, replies + 1);
        assert_conforms(&client);
        assert_string_equal(client.error, cases[i].error);
        assert_non_null(
            strstr(cases[i].error[0] != '\0' ? message(&client) : result(&client), cases[i].says));
    }
    client_close(&client);
}

static void send_throttle(struct World *world, struct Client *client, const char *resource, unsigned percent)
{
    client->method = "Throttle";
    assert_true(
        sd_varlink_invokebo(
            client->link, WIRE_INTERFACE ".Throttle", SD_JSON_BUILD_PAIR_STRING("tenant", "podman/db"),
            SD_JSON_BUILD_PAIR_CONDITION(resource != NULL, "resource", SD_JSON_BUILD_STRING(resource)),
            SD_JSON_BUILD_PAIR_CONDITION(percent != 0, "percent", SD_JSON_BUILD_UNSIGNED(percent))) >= 0);
    turn(world);
}

/* Half of its CPU time, when nothing else is said. */
static void test_throttle(void **state)
{
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    send_throttle(world, &client, NULL, 0);
    assert_int_equal(world->act.verb, VERB_THROTTLE);
    assert_int_equal(world->act.resource, RESOURCE_CPU);
    assert_int_equal(world->act.percent, 50);
    settle(world, RESULT_DONE, 0);
    turn(world);
    assert_conforms(&client);
    assert_string_equal(client.error, "");
    send_throttle(world, &client, "memory", 80);
    assert_int_equal(world->act.resource, RESOURCE_MEMORY);
    assert_int_equal(world->act.percent, 80);
    settle(world, RESULT_DONE, 0);
    turn(world);
    world->act.percent = 0;
    send_throttle(world, &client, "speed", 80);
    assert_string_equal(client.error, SD_VARLINK_ERROR_INVALID_PARAMETER);
    assert_int_equal(world->act.percent, 0);
    client_close(&client);
}

static void test_an_action_is_answered_at_once(void **state)
{
    static const struct {
        int answer;
        const char *why, *error, *says;
    } cases[] = {
        {SERVICE_REFUSED, "protected by init.scope", WIRE_ERROR_REFUSED, "protected by init.scope"},
        {SERVICE_DONE, "it is frozen already", "", "skipped"},
        {SERVICE_DONE, "", "", "done"},
        {-ENODEV, "", WIRE_ERROR_FAILED, "vanished"},
        {-EBADF, "", WIRE_ERROR_FAILED, "freeze failed: Bad file descriptor"},
    };
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        world->answer = cases[i].answer;
        world->why = cases[i].why;
        call(world, &client, "Freeze", "podman/db");
        assert_string_equal(client.error, cases[i].error);
        assert_non_null(
            strstr(cases[i].error[0] != '\0' ? message(&client) : result(&client), cases[i].says));
    }
    client_close(&client);
}

static void test_the_outcome_may_come_before_act_returns(void **state)
{
    struct World *world = *state;
    struct Client client;

    world->settle_at_once = true;
    client_open(world, &client);
    call(world, &client, "Freeze", "podman/db");
    assert_string_equal(result(&client), "done");
    settle(world, RESULT_FAILED, -EIO); /* a ticket is good for one answer */
    turn(world);
    assert_int_equal(client.replies, 1);
    client_close(&client);
}

static void test_oneway_gets_no_answer(void **state)
{
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    assert_true(sd_varlink_sendbo(client.link, WIRE_INTERFACE ".Freeze",
                                  SD_JSON_BUILD_PAIR_STRING("tenant", "podman/db")) >= 0);
    turn(world);
    assert_int_equal(world->verb, VERB_FREEZE);
    assert_int_equal(world->ticket, 0);
    watch(world, &client); /* which the outcome must not answer */
    settle(world, RESULT_DONE, 0);
    turn(world);
    assert_int_equal(client.replies, 1);
    client_close(&client);
}

static void test_release(void **state)
{
    static const struct {
        const char *method, *tenant;
    } cases[] = {{"Release", "podman/db"}, {"ReleaseAll", NULL}};
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned replies = client.replies;

        world->settle_at_once = true;
        world->why = "thawed";
        call(world, &client, cases[i].method, cases[i].tenant);
        assert_string_equal(client.error, "");
        assert_string_equal(sd_json_variant_string(sd_json_variant_by_key(client.parameters, "text")),
                            "thawed");
        world->settle_at_once = false;
        send_call(world, &client, cases[i].method, cases[i].tenant);
        assert_int_equal(client.replies, replies + 1); /* not before the outcome is there */
        settle_release(world, RESULT_DONE, "");
        turn(world);
        assert_int_equal(client.replies, replies + 2);
        assert_conforms(&client);
        send_call(world, &client, cases[i].method, cases[i].tenant);
        settle_release(world, RESULT_FAILED, "pids.max cannot be written");
        turn(world);
        assert_string_equal(client.error, WIRE_ERROR_FAILED);
        assert_string_equal(message(&client), "pids.max cannot be written");
    }
    world->answer = -ENODEV;
    call(world, &client, "Release", "podman/db");
    assert_string_equal(client.error, WIRE_ERROR_FAILED);
    client_close(&client);
}

static void test_release_tells_how_many(void **state)
{
    struct World *world = *state;
    struct Client client;

    world->settle_at_once = true;
    client_open(world, &client);
    call(world, &client, "ReleaseAll", NULL);
    assert_int_equal(sd_json_variant_unsigned(sd_json_variant_by_key(client.parameters, "released")), 3);
    client_close(&client);
}

static void test_reload(void **state)
{
    struct World *world = *state;
    struct Client client;
    sd_json_variant *problems;

    client_open(world, &client);
    call(world, &client, "Reload", NULL);
    assert_string_equal(client.error, "");
    world->reload_answer = CONFIG_INVALID;
    call(world, &client, "Reload", NULL);
    assert_string_equal(client.error, WIRE_ERROR_CONFIG);
    problems = sd_json_variant_by_key(client.parameters, "problems");
    assert_int_equal(sd_json_variant_elements(problems), 2);
    world->reload_answer = -EIO;
    call(world, &client, "Reload", NULL);
    assert_string_equal(client.error, WIRE_ERROR_FAILED);
    client_close(&client);
}

static void test_mode(void **state)
{
    static const struct {
        const char *mode, *error;
        enum Mode set;
    } cases[] = {
        {"observe", "", MODE_OBSERVE},
        {"enforce", "", MODE_ENFORCE},
        {"watch", SD_VARLINK_ERROR_INVALID_PARAMETER, MODE_ENFORCE},
    };
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        client.method = "SetMode";
        assert_true(sd_varlink_invokebo(client.link, WIRE_INTERFACE ".SetMode",
                                        SD_JSON_BUILD_PAIR_STRING("mode", cases[i].mode)) >= 0);
        turn(world);
        assert_conforms(&client);
        assert_string_equal(client.error, cases[i].error);
        assert_int_equal(world->mode, cases[i].set);
        assert_int_equal(world->author.uid, getuid());
    }
    client_close(&client);
}

static void exempt(struct World *world, struct Client *client, uint64_t for_usec)
{
    client->method = "Exempt";
    assert_true(sd_varlink_invokebo(client->link, WIRE_INTERFACE ".Exempt",
                                    SD_JSON_BUILD_PAIR_STRING("tenant", "podman/db"),
                                    SD_JSON_BUILD_PAIR_UNSIGNED("forUsec", for_usec)) >= 0);
    turn(world);
    assert_conforms(client);
}

static void test_exempt(void **state)
{
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    exempt(world, &client, 7);
    assert_string_equal(client.error, "");
    assert_non_null(sd_json_variant_by_key(client.parameters, "exemption"));
    call(world, &client, "EndExemption", "podman/db");
    assert_null(sd_json_variant_by_key(client.parameters, "exemption"));
    exempt(world, &client, 0);
    assert_string_equal(client.error, SD_VARLINK_ERROR_INVALID_PARAMETER);
    exempt(world, &client, EXEMPTION_MAX_USEC + 1);
    assert_string_equal(client.error, SD_VARLINK_ERROR_INVALID_PARAMETER);
    world->answer = SERVICE_REFUSED;
    exempt(world, &client, 7);
    assert_string_equal(client.error, WIRE_ERROR_REFUSED);
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_action_is_answered_by_its_outcome),
        TEST(test_throttle),
        TEST(test_an_action_is_answered_at_once),
        TEST(test_the_outcome_may_come_before_act_returns),
        TEST(test_oneway_gets_no_answer),
        TEST(test_release),
        TEST(test_release_tells_how_many),
        TEST(test_reload),
        TEST(test_mode),
        TEST(test_exempt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
