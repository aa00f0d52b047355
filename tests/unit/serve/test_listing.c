/* How what is told of many tenants is made: a few of them a turn of the loop, and once for all who ask. */
#include "tests/unit/serve/world.h"

#include "serve/listing.h"

#define CROWD 1000
#define ALL (CROWD + 3) /* with those of the world */

static struct Tenant crowd[CROWD];

static int setup_crowd(void **state)
{
    struct World *world;

    if (setup(state) != 0)
        return -1;
    world = *state;
    for (size_t i = 0; i < CROWD; i++) {
        crowd[i] = (struct Tenant){.cgroup = CGROUP_NULL, .class = &world->classes[1]};
        crowd[i].cgroup.id = 1000 + i;
        crowd[i].cgroup.path = (char *)"crowd";
        snprintf(crowd[i].name, sizeof(crowd[i].name), "one-%04zu", CROWD - i);
        HASH_ADD(hh, world->registry.tenants, cgroup.id, sizeof(uint64_t), (&crowd[i]));
    }
    return 0;
}

/* Asks, and leaves the loop alone. */
static void ask(struct Client *client, const char *class)
{
    client->method = "ListTenants";
    assert_true(sd_varlink_invokebo(
                    client->link, WIRE_INTERFACE ".ListTenants",
                    SD_JSON_BUILD_PAIR_CONDITION(class != NULL, "class", SD_JSON_BUILD_STRING(class))) >= 0);
}

static size_t n_listed(const struct Client *client)
{
    return sd_json_variant_elements(sd_json_variant_by_key(client->parameters, "tenants"));
}

static void until_refreshed(struct World *world, size_t n)
{
    for (int i = 0; i < TURNS_MAX && world->refreshed < n; i++)
        assert_true(sd_event_run(world->event, 0) > 0);
    assert_true(world->refreshed >= n);
}

static int count_urgent(sd_event_source *source, void *userdata)
{
    unsigned *urgent = userdata;

    (*urgent)++;
    return 0;
}

/* Before each of its turns whatever guards has had its own. */
static void test_a_few_a_turn(void **state)
{
    struct World *world = *state;
    sd_event_source *source = NULL;
    unsigned urgent = 0, turns = 0;
    struct Client client;

    assert_true(sd_event_add_defer(world->event, &source, count_urgent, &urgent) >= 0);
    client_open(world, &client);
    ask(&client, NULL);
    while (client.replies == 0 && turns++ < TURNS_MAX) {
        size_t refreshed = world->refreshed;

        assert_true(sd_event_source_set_enabled(source, SD_EVENT_ONESHOT) >= 0);
        urgent = 0;
        while (urgent == 0)
            assert_true(sd_event_run(world->event, 0) > 0);
        assert_int_equal(world->refreshed, refreshed);
        sd_event_run(world->event, 0);
        assert_true(world->refreshed <= refreshed + LISTING_TURN_TENANTS);
    }
    assert_true(turns > ALL / 50);
    assert_int_equal(n_listed(&client), ALL);
    assert_int_equal(world->refreshed, ALL);
    assert_conforms(&client);
    sd_event_source_unref(source);
    client_close(&client);
}

/* One for whom it was begun, one for all who came later. */
static void test_many_ask_for_the_same(void **state)
{
    struct World *world = *state;
    struct Client clients[6];

    for (size_t i = 0; i < 6; i++)
        client_open(world, &clients[i]);
    turn(world);
    ask(&clients[0], NULL);
    until_refreshed(world, 1);
    for (size_t i = 1; i < 6; i++)
        ask(&clients[i], NULL);
    turn(world);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(n_listed(&clients[i]), ALL);
        client_close(&clients[i]);
    }
    assert_int_equal(world->refreshed, 2 * ALL);
}

/* Of another class, or of metrics, is another. */
static void test_each_gets_what_it_asked_for(void **state)
{
    struct World *world = *state;
    struct Client all, class, metrics;

    client_open(world, &all);
    client_open(world, &class);
    client_open(world, &metrics);
    ask(&all, NULL);
    ask(&class, "users");
    metrics.method = "GetMetrics";
    assert_true(sd_varlink_invoke(metrics.link, WIRE_INTERFACE ".GetMetrics", NULL) >= 0);
    turn(world);
    assert_int_equal(n_listed(&all), ALL);
    assert_int_equal(n_listed(&class), CROWD);
    assert_int_equal(n_listed(&metrics), ALL);
    assert_conforms(&metrics);
    client_close(&all);
    client_close(&class);
    client_close(&metrics);
}

static void test_operators_go_first(void **state)
{
    struct World *world = *state;
    struct Client first, viewer, operator;

    client_open(world, &first);
    client_open(world, &viewer);
    client_open(world, &operator);
    turn(world);
    world->service.peers->right = world->service.peers->next->right = RIGHT_LOOK;
    world->service.peers->next->next->right = RIGHT_CHANGE;
    ask(&first, NULL);
    until_refreshed(world, 1);
    ask(&viewer, "users");
    turn(world);
    assert_int_equal(viewer.replies, 1);
    ask(&first, NULL);
    until_refreshed(world, ALL + CROWD + 1);
    ask(&viewer, "users");
    ask(&operator, "containers");
    for (int i = 0; i < TURNS_MAX && operator.replies == 0; i++)
        assert_true(sd_event_run(world->event, 0) > 0);
    assert_int_equal(n_listed(&operator), 3);
    assert_int_equal(viewer.replies, 1);
    turn(world);
    assert_int_equal(viewer.replies, 2);
    client_close(&first);
    client_close(&viewer);
    client_close(&operator);
}

static void test_one_goes_meanwhile(void **state)
{
    struct World *world = *state;
    struct Tenant *last = &crowd[0]; /* by its name */
    struct Client client;

    client_open(world, &client);
    ask(&client, "users");
    until_refreshed(world, 1);
    HASH_DEL(world->registry.tenants, last);
    turn(world);
    assert_int_equal(n_listed(&client), CROWD - 1);
    client_close(&client);
}

static void test_nobody_waits_any_more(void **state)
{
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    ask(&client, NULL);
    until_refreshed(world, 1);
    client_close(&client);
    turn(world);
    assert_null(world->service.listing);
    assert_true(world->refreshed < ALL);
}

static void test_without_an_answer(void **state)
{
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    assert_true(sd_varlink_send(client.link, WIRE_INTERFACE ".ListTenants", NULL) >= 0);
    turn(world);
    assert_int_equal(world->refreshed, 0);
    ask(&client, NULL);
    turn(world);
    assert_int_equal(n_listed(&client), ALL);
    client_close(&client);
}

/* What is being made when the service is closed goes with it. */
static void test_closed_meanwhile(void **state)
{
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    ask(&client, NULL);
    until_refreshed(world, 1);
    service_close(&world->service);
    assert_null(world->service.listing);
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_few_a_turn, setup_crowd, teardown),
        cmocka_unit_test_setup_teardown(test_many_ask_for_the_same, setup_crowd, teardown),
        cmocka_unit_test_setup_teardown(test_each_gets_what_it_asked_for, setup_crowd, teardown),
        cmocka_unit_test_setup_teardown(test_operators_go_first, setup_crowd, teardown),
        cmocka_unit_test_setup_teardown(test_one_goes_meanwhile, setup_crowd, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_waits_any_more, setup_crowd, teardown),
        cmocka_unit_test_setup_teardown(test_without_an_answer, setup_crowd, teardown),
        cmocka_unit_test_setup_teardown(test_closed_meanwhile, setup_crowd, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
