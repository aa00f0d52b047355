/* The service as its peers see it: over a real socket, in one event loop with its clients. What lies below
 * (registry, history, configuration) and the daemon behind ServiceOps are made up here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "serve/peer.h"
#include "tests/unit/wire/conform.h"

#define EVENTS_MAX 256
#define TURNS_MAX 20000
#define OPERATORS 60900
#define VIEWERS 60901

/* What lies below */

struct World {
    struct Registry registry;
    struct Config config, *current;
    struct TenantClass classes[2];
    struct Tenant tenants[3];
    struct History history;
    struct Event events[EVENTS_MAX];
    struct HostFindings host;
    char dir[32], socket[48], group_file[48];
    sd_event *event;
    struct Service service;
    /* of the daemon */
    int answer; /* what act() returns */
    const char *why;
    bool settle_at_once;
    enum Verb verb;
    uint64_t ticket;
    uid_t uid;
    size_t refreshed;
    int reload_answer;
    enum Result release_result;
};

struct Tenant *registry_find(const struct Registry *registry, uint64_t id)
{
    struct Tenant *tenant;

    HASH_FIND(hh, registry->tenants, &id, sizeof(id), tenant);
    return tenant;
}

size_t registry_count(const struct Registry *registry)
{
    return HASH_COUNT(registry->tenants);
}

int registry_lookup(const struct Registry *registry, const char *text, struct Tenant **ret_tenant)
{
    struct Tenant *tenant, *next;

    if (strcmp(text, "twin") == 0)
        return REGISTRY_AMBIGUOUS;
    HASH_ITER (hh, registry->tenants, tenant, next) {
        if (strcmp(tenant->name, text) == 0) {
            *ret_tenant = tenant;
            return 0;
        }
    }
    return -ENOENT;
}

bool history_get(struct History *history, uint64_t sequence, struct Event *ret_event)
{
    if (sequence == 0 || sequence > history->last_sequence ||
        sequence + history->capacity <= history->last_sequence)
        return false;
    *ret_event = history->ring[(sequence - 1) % history->capacity];
    return true;
}

void problems_free(struct Problems *problems)
{
    free(problems->list);
    *problems = (struct Problems){0};
}

static void add_event(struct World *world, struct Event event)
{
    event.sequence = ++world->history.last_sequence;
    world->history.ring[(event.sequence - 1) % EVENTS_MAX] = event;
    service_event(&world->service);
}

static void add_notice(struct World *world)
{
    add_event(world, (struct Event){.kind = EVENT_NOTICE, .text = "something came to pass"});
}

/* The daemon */

static void settle(struct World *world, enum Result result, int error)
{
    struct Decision decision = {.verb = world->verb};
    struct Outcome outcome = {.result = result, .error = error, .took_usec = 1234};

    service_settled(&world->service, world->ticket, &world->tenants[0], &decision, &outcome);
}

static void settle_release(struct World *world, enum Result result, const char *text)
{
    struct Outcome outcome = {.result = result};

    snprintf(outcome.text, sizeof(outcome.text), "%s", text);
    service_settled(&world->service, world->ticket, NULL, NULL, &outcome);
}

static int fake_act(void *userdata, struct Tenant *tenant, enum Verb verb, uid_t uid, uint64_t ticket,
                    char *why)
{
    struct World *world = userdata;

    world->verb = verb;
    world->ticket = ticket;
    world->uid = uid;
    snprintf(why, REASON_MAX, "%s", world->why);
    if (world->settle_at_once)
        settle(world, RESULT_DONE, 0);
    return world->answer;
}

/* Whether it settles before it returns is the daemon's. */
static int fake_release(void *userdata, struct Tenant *tenant, uid_t uid, uint64_t ticket,
                        size_t *ret_released)
{
    struct World *world = userdata;

    if (world->answer < 0)
        return world->answer;
    world->ticket = ticket;
    *ret_released = tenant ? 1 : 3;
    if (world->settle_at_once)
        settle_release(world, RESULT_DONE, world->why);
    return SERVICE_UNDER_WAY;
}

static int fake_reload(void *userdata, struct Problems *problems)
{
    struct World *world = userdata;

    if (world->reload_answer == CONFIG_INVALID) {
        problems->list = calloc(2, sizeof(*problems->list));
        problems->n = 2;
        problems->list[0] =
            (struct Problem){(char *)"/etc/guardd/guardd.conf", 3, (char *)"wrong", (char *)"right"};
        problems->list[1] = (struct Problem){NULL, 0, (char *)"no class", NULL};
    }
    return world->reload_answer;
}

static void fake_status(void *userdata, struct ServiceStatus *ret)
{
    struct World *world = userdata;

    *ret = (struct ServiceStatus){.mode = "enforce",
                                  .cgroup_root = "/sys/fs/cgroup",
                                  .kills_left = 4,
                                  .kills_limit = 5,
                                  .host = &world->host,
                                  .notices = {"the ledger cannot be written"}};
}

static void fake_refresh(void *userdata, struct Tenant *tenant)
{
    struct World *world = userdata;

    world->refreshed++;
}

static usec_t fake_now(void *userdata)
{
    return USEC_PER_HOUR;
}

static const struct ServiceOps ops = {
    .act = fake_act,
    .release = fake_release,
    .reload = fake_reload,
    .status = fake_status,
    .refresh = fake_refresh,
    .now = fake_now,
};

/* The world */

static void add_tenant(struct World *world, size_t i, const char *name, const char *path)
{
    struct Tenant *tenant = &world->tenants[i];

    *tenant = (struct Tenant){.cgroup = CGROUP_NULL, .class = &world->classes[0]};
    tenant->cgroup.id = 100 + i;
    tenant->cgroup.path = (char *)path;
    snprintf(tenant->name, sizeof(tenant->name), "%s", name);
    HASH_ADD(hh, world->registry.tenants, cgroup.id, sizeof(uint64_t), tenant);
}

static void make_files(struct World *world)
{
    FILE *file;

    strcpy(world->dir, "/tmp/test-service-XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    assert_int_equal(chmod(world->dir, 0755), 0);
    snprintf(world->socket, sizeof(world->socket), "%s/socket", world->dir);
    snprintf(world->group_file, sizeof(world->group_file), "%s/group", world->dir);
    file = fopen(world->group_file, "we");
    assert_non_null(file);
    /* whoever runs the test is an operator */
    fprintf(file, "ops:x:%u:\neyes:x:%u:\n", getuid() == 0 ? OPERATORS : getgid(), VIEWERS);
    fclose(file);
}

static int setup(void **state)
{
    struct World *world = calloc(1, sizeof(*world));
    struct ServiceView view;

    strcpy(world->classes[0].name, "containers");
    strcpy(world->classes[1].name, "users");
    world->config = (struct Config){.policy = {.classes = world->classes, .n_classes = 2},
                                    .operator_group = (char *)"ops",
                                    .viewer_group = (char *)"eyes"};
    world->current = &world->config;
    world->history = (struct History){.ring = world->events, .capacity = EVENTS_MAX};
    world->host =
        (struct HostFindings){{{true, "cgroup v2", "mounted"}, {false, "pids controller", "missing"}}, 2};
    world->answer = SERVICE_UNDER_WAY;
    world->why = "";
    add_tenant(world, 0, "podman/db", "machine.slice/libpod-0b.scope");
    add_tenant(world, 1, "evil\x1b[2J\xff", "evil");
    add_tenant(world, 2, "docker/web", "system.slice/docker-0a.scope");
    make_files(world);
    view = (struct ServiceView){&world->registry, &world->history,
                                (const struct Config *const *)&world->current};
    assert_true(sd_event_new(&world->event) >= 0);
    assert_int_equal(service_open(&world->service, world->event, -EBADF, world->socket, &view, &ops, world),
                     0);
    world->service.group_file = world->group_file;
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct World *world = *state;

    service_close(&world->service);
    sd_event_unref(world->event);
    HASH_CLEAR(hh, world->registry.tenants);
    unlink(world->socket);
    unlink(world->group_file);
    rmdir(world->dir);
    free(world);
    return 0;
}

/* The clients */

struct Client {
    sd_varlink *link;
    const char *method;
    unsigned replies;
    bool closed;
    char error[128];
    sd_json_variant *parameters; /* of the newest reply */
};

static int on_reply(sd_varlink *link, sd_json_variant *parameters, const char *error,
                    sd_varlink_reply_flags_t flags, void *userdata)
{
    struct Client *client = userdata;

    client->closed |= (flags & SD_VARLINK_REPLY_LOCAL) != 0;
    client->replies += !client->closed;
    snprintf(client->error, sizeof(client->error), "%s", error ? error : "");
    sd_json_variant_unref(client->parameters);
    client->parameters = sd_json_variant_ref(parameters);
    return 0;
}

static int raw_connect(const struct World *world)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    strcpy(address.sun_path, world->socket);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void client_open(struct World *world, struct Client *client)
{
    *client = (struct Client){0};
    assert_true(sd_varlink_connect_fd(&client->link, raw_connect(world)) >= 0);
    sd_varlink_set_userdata(client->link, client);
    assert_true(sd_varlink_bind_reply(client->link, on_reply) >= 0);
    assert_true(sd_varlink_attach_event(client->link, world->event, SD_EVENT_PRIORITY_NORMAL) >= 0);
}

static void client_close(struct Client *client)
{
    sd_varlink_close_unref(client->link);
    sd_json_variant_unref(client->parameters);
    *client = (struct Client){0};
}

/* Lets everybody do what can be done without waiting. */
static void turn(struct World *world)
{
    for (int i = 0; i < TURNS_MAX; i++)
        if (sd_event_run(world->event, 0) <= 0)
            return;
    fail_msg("the event loop does not come to rest");
}

/* The last reply is what the interface says it is. */
static void assert_conforms(const struct Client *client)
{
    const char *name = client->error[0] != '\0' ? strrchr(client->error, '.') + 1 : client->method;

    if (client->error[0] != '\0' &&
        strncmp(client->error, WIRE_INTERFACE ".", strlen(WIRE_INTERFACE) + 1) != 0)
        return; /* varlink's own */
    assert_true(conform_object(client->parameters, conform_symbol(name),
                               client->error[0] != '\0' ? SD_VARLINK_REGULAR : SD_VARLINK_OUTPUT));
}

static void send_call(struct World *world, struct Client *client, const char *method, const char *tenant)
{
    char name[64];

    snprintf(name, sizeof(name), WIRE_INTERFACE ".%s", method);
    client->method = method;
    assert_true(sd_varlink_invokebo(client->link, name,
                                    SD_JSON_BUILD_PAIR_CONDITION(tenant != NULL, "tenant",
                                                                 SD_JSON_BUILD_STRING(tenant))) >= 0);
    turn(world);
}

/* A call that is answered at once. */
static sd_json_variant *call(struct World *world, struct Client *client, const char *method,
                             const char *tenant)
{
    unsigned replies = client->replies;

    send_call(world, client, method, tenant);
    assert_int_equal(client->replies, replies + 1);
    assert_conforms(client);
    return client->parameters;
}

static void watch(struct World *world, struct Client *client)
{
    client->method = "Watch";
    assert_true(sd_varlink_observe(client->link, WIRE_INTERFACE ".Watch", NULL) >= 0);
    turn(world);
}

static const char *message(const struct Client *client)
{
    return sd_json_variant_string(sd_json_variant_by_key(client->parameters, "message"));
}

static const char *result(const struct Client *client)
{
    sd_json_variant *outcome = sd_json_variant_by_key(client->parameters, "outcome");

    return sd_json_variant_string(sd_json_variant_by_key(outcome, "result"));
}

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

/* Changing */

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

static void test_a_peer_hangs_up_while_it_waits(void **state)
{
    struct World *world = *state;
    struct Client a, b;

    client_open(world, &a);
    client_open(world, &b);
    send_call(world, &a, "Freeze", "podman/db");
    assert_non_null(world->service.peers);
    client_close(&a);
    turn(world);
    settle(world, RESULT_DONE, 0);
    turn(world);
    assert_int_equal(b.replies, 0);
    call(world, &b, "GetStatus", NULL);
    client_close(&b);
    turn(world);
    assert_null(world->service.peers);
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

static void test_watch_needs_more(void **state)
{
    struct World *world = *state;
    struct Client client;

    client_open(world, &client);
    call(world, &client, "Watch", NULL);
    assert_string_equal(client.error, SD_VARLINK_ERROR_EXPECTED_MORE);
    client_close(&client);
}

static void raw_send(int fd, const char *text, size_t size)
{
    assert_int_equal(send(fd, text, size, MSG_NOSIGNAL), size);
}

static size_t n_peers(const struct World *world)
{
    size_t n = 0;

    for (const struct ServicePeer *peer = world->service.peers; peer; peer = peer->next)
        n++;
    return n;
}

static void test_a_watcher_that_does_not_read_is_hung_up_on(void **state)
{
    static const char request[] = "{\"method\":\"io.guardd.Guard.Watch\",\"more\":true}";
    struct World *world = *state;
    _cleanup_fd_ int deaf = raw_connect(world);
    struct Client client;

    client_open(world, &client);
    watch(world, &client);
    raw_send(deaf, request, sizeof(request));
    turn(world);
    assert_int_equal(n_peers(world), 2);
    for (unsigned i = 0; i < 20000 && n_peers(world) == 2; i++) {
        add_notice(world);
        turn(world);
        for (const struct ServicePeer *peer = world->service.peers; peer; peer = peer->next)
            assert_true(peer->queued <= PEER_BEHIND_MAX);
    }
    assert_int_equal(n_peers(world), 1);
    assert_int_equal(client.replies, world->history.last_sequence + 1); /* the other one missed nothing */
    client_close(&client);
}

/* What a peer may cost */

static bool is_hung_up_on(struct World *world, int fd)
{
    char buf[4096];

    turn(world);
    for (;;) {
        ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

        if (n > 0)
            continue;
        return n == 0 || errno != EAGAIN;
    }
}

static void test_garbage(void **state)
{
    static const struct {
        const char *text;
        size_t size;
    } garbage[] = {
        {"garbage\0", 8}, {"{}\0", 3}, {"[]\0", 3}, {"{\"method\":7}\0", 13}, {"\0\0\0\0", 4}, {"\xff\0", 2},
    };
    struct World *world = *state;

    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        _cleanup_fd_ int fd = raw_connect(world);

        raw_send(fd, garbage[i].text, garbage[i].size);
        assert_true(is_hung_up_on(world, fd));
    }
    assert_null(world->service.peers);
}

static void test_a_huge_call(void **state)
{
    struct World *world = *state;
    _cleanup_fd_ int fd = raw_connect(world);
    char block[4096];
    size_t sent = 0;

    memset(block, ' ', sizeof(block));
    while (sent < 4 * PEER_CALL_BYTES_MAX) {
        if (send(fd, block, sizeof(block), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            break;
        sent += sizeof(block);
        turn(world);
    }
    assert_true(is_hung_up_on(world, fd));
    assert_true(sent <= 2 * PEER_CALL_BYTES_MAX);
}

/* Bounds one call, not a connection. */
static void test_many_calls(void **state)
{
    struct World *world = *state;
    struct Client client;
    char *large = malloc(32 * 1024);

    memset(large, 'x', 32 * 1024 - 1);
    large[32 * 1024 - 1] = '\0';
    client_open(world, &client);
    for (int i = 0; i < 20; i++) {
        call(world, &client, "ShowTenant", large);
        assert_string_equal(client.error, WIRE_ERROR_NO_SUCH_TENANT);
    }
    client_close(&client);
    free(large);
}

static void test_connections_of_one_user_are_bounded(void **state)
{
    struct World *world = *state;
    int fds[PEERS_PER_USER_MAX + 4];
    size_t n = sizeof(fds) / sizeof(fds[0]);

    for (size_t i = 0; i < n; i++)
        fds[i] = raw_connect(world);
    turn(world);
    assert_int_equal(n_peers(world), PEERS_PER_USER_MAX);
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
    turn(world);
    assert_int_equal(n_peers(world), 0);
}

/* Who may */

static void become(uid_t uid, gid_t gid, const gid_t *groups, size_t n)
{
    assert_int_equal(setgroups(n, groups), 0);
    assert_int_equal(setegid(gid), 0);
    assert_int_equal(seteuid(uid), 0);
}

static void become_root(void)
{
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(setegid(0), 0);
    assert_int_equal(setgroups(0, NULL), 0);
}

static void client_open_as(struct World *world, struct Client *client, uid_t uid, gid_t group)
{
    const gid_t groups[] = {7, group};

    become(uid, 60000, groups, 2);
    client_open(world, client);
    become_root();
}

static void test_who_may(void **state)
{
    static const struct {
        gid_t group;
        const char *look, *change;
    } cases[] = {
        {OPERATORS, "", ""},
        {VIEWERS, "", WIRE_ERROR_DENIED},
        {8, WIRE_ERROR_DENIED, WIRE_ERROR_DENIED},
    };
    static const char *const looks[] = {"GetStatus", "ListTenants"};
    static const char *const changes[] = {"Freeze", "Thaw", "Kill", "Release", "ReleaseAll", "Reload"};
    struct World *world = *state;

    if (getuid() != 0)
        skip();
    world->answer = SERVICE_DONE;
    world->settle_at_once = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct Client client;

        client_open_as(world, &client, 60000, cases[i].group);
        for (size_t k = 0; k < sizeof(looks) / sizeof(looks[0]); k++) {
            call(world, &client, looks[k], NULL);
            assert_string_equal(client.error, cases[i].look);
        }
        for (size_t k = 0; k < sizeof(changes) / sizeof(changes[0]); k++) {
            call(world, &client, changes[k], k < 4 ? "podman/db" : NULL);
            assert_string_equal(client.error, cases[i].change);
            if (cases[i].change[0] != '\0')
                assert_non_null(strstr(message(&client), "'ops'"));
        }
        watch(world, &client);
        assert_string_equal(client.error, cases[i].look);
        client_close(&client);
    }
}

static void test_strangers_do_not_lock_anyone_out(void **state)
{
    struct World *world = *state;
    int fds[4 * PEERS_PER_USER_MAX];
    size_t n = sizeof(fds) / sizeof(fds[0]);
    struct Client client;

    if (getuid() != 0)
        skip();
    for (size_t i = 0; i < n; i++) {
        become((uid_t)(60000 + i / PEERS_PER_USER_MAX), 60000, NULL, 0);
        fds[i] = raw_connect(world);
        become_root();
        turn(world);
    }
    assert_int_equal(n_peers(world), PEERS_STRANGERS_MAX);
    client_open_as(world, &client, 60010, OPERATORS);
    call(world, &client, "GetStatus", NULL);
    assert_string_equal(client.error, "");
    client_close(&client);
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
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
    assert_int_equal(service_open(&world->service, world->event, fd, NULL, &view, &ops, world), 0);
    world->service.group_file = world->group_file;
    client_open(world, &client);
    call(world, &client, "GetStatus", NULL);
    client_close(&client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_status),
        TEST(test_list_is_sorted_fresh_and_clean),
        TEST(test_list_of_a_class),
        TEST(test_show_has_the_newest_events),
        TEST(test_which_tenant),
        TEST(test_an_action_is_answered_by_its_outcome),
        TEST(test_an_action_is_answered_at_once),
        TEST(test_the_outcome_may_come_before_act_returns),
        TEST(test_a_peer_hangs_up_while_it_waits),
        TEST(test_oneway_gets_no_answer),
        TEST(test_release),
        TEST(test_release_tells_how_many),
        TEST(test_reload),
        TEST(test_watch),
        TEST(test_watch_needs_more),
        TEST(test_a_watcher_that_does_not_read_is_hung_up_on),
        TEST(test_garbage),
        TEST(test_a_huge_call),
        TEST(test_many_calls),
        TEST(test_connections_of_one_user_are_bounded),
        TEST(test_who_may),
        TEST(test_strangers_do_not_lock_anyone_out),
        TEST(test_close_says_the_last_word),
        TEST(test_open_on_a_given_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
