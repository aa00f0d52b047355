/* What the service shows, to whom it shows what happens, and how it begins and ends. */
#include "tests/unit/serve/world.h"

#include <sys/ioctl.h>
#include <syslog.h>

/* Looking */

static void test_status(void **state)
{
    struct World *world = *state;
    struct Client client;
    sd_json_variant *v;

    client_open(world, &client);
    v = call(world, &client, "GetStatus", NULL);
    assert_int_equal(sd_json_variant_unsigned(sd_json_variant_by_key(v, "tenants")), 3);
    assert_int_equal(sd_json_variant_elements(sd_json_variant_by_key(v, "findings")), 2);
    assert_int_equal(sd_json_variant_elements(sd_json_variant_by_key(v, "notices")), 1);
    client_close(&client);
}

static void test_list_is_sorted_fresh_and_clean(void **state)
{
    static const char *const names[] = {"docker/web", "evil\\x1b[2J\\xff", "podman/db"};
    struct World *world = *state;
    struct Client client;
    sd_json_variant *list;

    client_open(world, &client);
    list = sd_json_variant_by_key(call(world, &client, "ListTenants", NULL), "tenants");
    assert_int_equal(sd_json_variant_elements(list), 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(
            sd_json_variant_string(sd_json_variant_by_key(sd_json_variant_by_index(list, i), "name")),
            names[i]);
    assert_int_equal(world->refreshed, 3);
    client_close(&client);
}

static sd_json_variant *metrics_of(sd_json_variant *reply, const char *name)
{
    sd_json_variant *list = sd_json_variant_by_key(reply, "tenants"), *tenant;

    for (size_t i = 0; i < sd_json_variant_elements(list); i++) {
        tenant = sd_json_variant_by_index(list, i);
        if (strcmp(sd_json_variant_string(sd_json_variant_by_key(tenant, "name")), name) == 0)
            return tenant;
    }
    return NULL;
}

/* The only number of one of its maps. */
static uint64_t only_number(sd_json_variant *tenant, const char *map, const char *name)
{
    sd_json_variant *numbers = sd_json_variant_by_key(tenant, map);

    assert_int_equal(sd_json_variant_elements(numbers), 2);
    return sd_json_variant_unsigned(sd_json_variant_by_key(numbers, name));
}

static void test_metrics(void **state)
{
    struct World *world = *state;
    struct Readings *readings = &world->tenants[0].readings;
    sd_json_variant *reply, *tenant;
    struct Client client;

    reading_count(readings, READING_TASKS_DENIED, 3);
    reading_count(readings, READING_TASKS_DENIED, 0); /* a look takes nothing away */
    readings->valid[READING_TASKS_CURRENT] = true;
    readings->value[READING_TASKS_CURRENT] = 37;
    readings->limit[READING_TASKS_CURRENT] = 100;
    client_open(world, &client);
    reply = call(world, &client, "GetMetrics", NULL);
    assert_int_equal(sd_json_variant_elements(sd_json_variant_by_key(reply, "actions")), 0);
    tenant = metrics_of(reply, world->tenants[0].name);
    assert_int_equal(only_number(tenant, "readings", "tasks.current"), 37);
    assert_int_equal(only_number(tenant, "totals", "tasks.denied"), 3);
    assert_int_equal(only_number(tenant, "limits", "TasksMax"), 100);
    client_close(&client);
}

static void list_class(struct World *world, struct Client *client, const char *class)
{
    client->method = "ListTenants";
    assert_true(sd_varlink_invokebo(client->link, WIRE_INTERFACE ".ListTenants",
                                    SD_JSON_BUILD_PAIR_STRING("class", class)) >= 0);
    turn(world);
    assert_conforms(client);
}

static void test_list_of_a_class(void **state)
{
    struct World *world = *state;
    struct Client client;

    world->tenants[0].class = &world->classes[1];
    client_open(world, &client);
    list_class(world, &client, "users");
    assert_int_equal(sd_json_variant_elements(sd_json_variant_by_key(client.parameters, "tenants")), 1);
    list_class(world, &client, "usres");
    assert_string_equal(client.error, WIRE_ERROR_NO_SUCH_CLASS);
    assert_int_equal(sd_json_variant_elements(sd_json_variant_by_key(client.parameters, "classes")), 2);
    client_close(&client);
}

static void test_show_has_the_newest_events(void **state)
{
    struct World *world = *state;
    struct Client client;
    sd_json_variant *events;

    for (uint64_t i = 0; i < 60; i++)
        add_event(world, (struct Event){.kind = EVENT_APPEARED, .tenant_id = 100 + i % 2, .tenant = "x"});
    client_open(world, &client);
    events = sd_json_variant_by_key(call(world, &client, "ShowTenant", "podman/db"), "events");
    assert_int_equal(sd_json_variant_elements(events), 20);
    for (size_t i = 0; i < 20; i++) /* every other one, the newest last */
        assert_int_equal(
            sd_json_variant_unsigned(sd_json_variant_by_key(sd_json_variant_by_index(events, i), "sequence")),
            59 - 2 * (19 - i));
    client_close(&client);
}

static void test_which_tenant(void **state)
{
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    call(world, &client, "ShowTenant", "nobody");
    assert_string_equal(client.error, WIRE_ERROR_NO_SUCH_TENANT);
    assert_non_null(strstr(message(&client), "'nobody'"));
    call(world, &client, "ShowTenant", "evil\\x1b[2J\\xff"); /* as it is shown */
    assert_string_equal(client.error, "");
    strcpy(world->tenants[0].name, "podman/twin");
    strcpy(world->tenants[2].name, "docker/twin");
    call(world, &client, "Kill", "twin");
    assert_string_equal(client.error, WIRE_ERROR_AMBIGUOUS);
    assert_int_equal(sd_json_variant_elements(sd_json_variant_by_key(client.parameters, "candidates")), 2);
    call(world, &client, "ShowTenant", NULL);
    assert_string_equal(client.error, SD_VARLINK_ERROR_INVALID_PARAMETER);
    client_close(&client);
}

/* Watching */

static uint64_t seen_sequence(const struct Client *client)
{
    sd_json_variant *event = sd_json_variant_by_key(client->parameters, "event");

    return sd_json_variant_unsigned(sd_json_variant_by_key(event, "sequence"));
}

static void test_watch(void **state)
{
    struct World *world = *state;
    struct Client a, b;

    client_open(world, &a);
    client_open(world, &b);
    add_notice(world); /* before anybody watched */
    watch(world, &a);
    assert_int_equal(a.replies, 1);
    assert_null(sd_json_variant_by_key(a.parameters, "event"));
    add_notice(world);
    turn(world);
    assert_int_equal(a.replies, 2);
    assert_conforms(&a);
    assert_int_equal(seen_sequence(&a), 2);
    add_notice(world); /* not taken to anybody yet */
    watch(world, &b);
    add_notice(world);
    add_notice(world);
    turn(world);
    assert_int_equal(a.replies, 5);
    assert_int_equal(b.replies, 3);
    assert_int_equal(seen_sequence(&b), 5);
    client_close(&a);
    add_notice(world);
    turn(world);
    assert_int_equal(b.replies, 4);
    client_close(&b);
}

static void test_an_event_is_written_at_once(void **state)
{
    struct World *world = *state;
    struct Client client;
    int unread = 0;

    client_open(world, &client);
    watch(world, &client);
    add_notice(world);
    assert_true(sd_event_run(world->event, 0) > 0); /* the feed, and nothing else */
    assert_int_equal(ioctl(sd_varlink_get_fd(client.link), FIONREAD, &unread), 0);
    assert_true(unread > 0);
    turn(world);
    assert_int_equal(client.replies, 2);
    client_close(&client);
}

static int unread_bytes(const struct Client *client)
{
    int unread = 0;

    assert_int_equal(ioctl(sd_varlink_get_fd(client->link), FIONREAD, &unread), 0);
    return unread;
}

static void test_what_is_told_needs_no_turn(void **state)
{
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    service_tell(&world->service); /* nobody watches */
    watch(world, &client);
    add_notice(world);
    service_tell(&world->service);
    assert_true(unread_bytes(&client) > 0);
    turn(world);
    assert_int_equal(client.replies, 2);
    for (int i = 0; i < 17; i++)
        add_notice(world);
    service_tell(&world->service); /* too much for now */
    assert_int_equal(unread_bytes(&client), 0);
    turn(world);
    assert_int_equal(client.replies, 19);
    client_close(&client);
}

/* Whoever needs a line gets no more than that, beside one who gets all. */
static void test_watch_briefly(void **state)
{
    struct World *world = *state;
    struct Client all, brief;

    client_open(world, &all);
    client_open(world, &brief);
    watch(world, &all);
    brief.method = "Watch";
    assert_true(sd_varlink_observebo(brief.link, WIRE_INTERFACE ".Watch",
                                     SD_JSON_BUILD_PAIR_BOOLEAN("brief", true)) >= 0);
    turn(world);
    add_event(world, (struct Event){.kind = EVENT_APPEARED,
                                    .priority = LOG_DEBUG,
                                    .tenant_id = 100,
                                    .tenant = "docker/web",
                                    .class = "docker",
                                    .path = "a/b"});
    turn(world);
    assert_conforms(&all);
    assert_conforms(&brief);
    assert_int_equal(seen_sequence(&all), 1);
    assert_null(sd_json_variant_by_key(brief.parameters, "event"));
    assert_int_equal(sd_json_variant_elements(brief.parameters) / 2, 4);
    assert_string_equal(sd_json_variant_string(sd_json_variant_by_key(brief.parameters, "sentence")),
                        "guarded as docker");
    client_close(&all);
    client_close(&brief);
}

static void test_watch_needs_more(void **state)
{
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    call(world, &client, "Watch", NULL);
    assert_string_equal(client.error, SD_VARLINK_ERROR_EXPECTED_MORE);
    client_close(&client);
}

/* The end */

static void test_close_says_the_last_word(void **state)
{
    struct World *world = *state;
    struct Client watcher, waiter;

    client_open(world, &watcher);
    client_open(world, &waiter);
    watch(world, &watcher);
    send_call(world, &waiter, "Freeze", "podman/db");
    add_notice(world);
    service_close(&world->service);
    turn(world);
    assert_int_equal(watcher.replies, 2);
    assert_true(watcher.closed);
    assert_int_equal(waiter.replies, 0);
    assert_true(waiter.closed);
    client_close(&watcher);
    client_close(&waiter);
}

static void test_open_on_a_given_socket(void **state)
{
    struct World *world = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct ServiceView view = world->service.view;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct Client client;

    service_close(&world->service);
    unlink(world->socket);
    strcpy(address.sun_path, world->socket);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(service_open(&world->service, world->event, fd, NULL, &view, &fake_ops, world), 0);
    world->service.group_file = world->group_file;
    client_open(world, &client);
    call(world, &client, "GetStatus", NULL);
    client_close(&client);
}

/* No descriptor is left, for a while: as when a tenant has taken all that the host has. */
static void test_without_descriptors_it_is_deaf_for_a_while_only(void **state)
{
    struct World *world = *state;
    struct rlimit all, none;
    struct Client client;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    client_open(world, &client);
    none = all;
    none.rlim_cur = (rlim_t)fcntl(STDERR_FILENO, F_DUPFD, 3); /* the lowest that is free, and stays so */
    close((int)none.rlim_cur);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    send_call(world, &client, "GetStatus", NULL);
    turn(world);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
    for (int i = 0; i < 40 && client.replies == 0; i++)
        assert_true(sd_event_run(world->event, 250 * USEC_PER_MSEC) >= 0);
    assert_int_equal(client.replies, 1);
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_status),
        TEST(test_list_is_sorted_fresh_and_clean),
        TEST(test_metrics),
        TEST(test_list_of_a_class),
        TEST(test_show_has_the_newest_events),
        TEST(test_which_tenant),
        TEST(test_watch),
        TEST(test_an_event_is_written_at_once),
        TEST(test_what_is_told_needs_no_turn),
        TEST(test_watch_briefly),
        TEST(test_watch_needs_more),
        TEST(test_close_says_the_last_word),
        TEST(test_open_on_a_given_socket),
        TEST(test_without_descriptors_it_is_deaf_for_a_while_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
