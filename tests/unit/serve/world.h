/* The ground of the service's tests: the service as its peers see it, over a real socket, in one event loop
 * with its clients. What lies below (registry, history) and the daemon behind ServiceOps are made up here. */
#pragma once

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
    struct Overrides overrides;
    char dir[32], socket[48], group_file[48];
    sd_event *event;
    struct Service service;
    /* of the daemon */
    int answer; /* what act() returns */
    const char *why;
    bool settle_at_once;
    enum Verb verb;
    struct ServiceAct act;
    uint64_t ticket;
    uid_t uid;
    size_t refreshed;
    int reload_answer;
    enum Mode mode;       /* of set_mode */
    struct Author author; /* of set_mode */
    struct Tenant *meant; /* of set, reset, inspect */
    struct Limits limits;
    struct OverrideWish wish;
    char asked[128];  /* for the record: who, what */
    bool named, flag; /* limits were given; runtime, repair */
    unsigned changes; /* how often one of them was called */
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

bool history_get_of(struct History *history, uint64_t tenant_id, uint64_t *sequence, struct Event *ret_event)
{
    for (; *sequence > 0 && history_get(history, *sequence, ret_event); (*sequence)--)
        if (ret_event->tenant_id == tenant_id)
            return true;
    return false;
}

static inline void add_event(struct World *world, struct Event event)
{
    event.sequence = ++world->history.last_sequence;
    world->history.ring[(event.sequence - 1) % EVENTS_MAX] = event;
    service_event(&world->service);
}

static inline void add_notice(struct World *world)
{
    add_event(world, (struct Event){.kind = EVENT_NOTICE, .text = "something came to pass"});
}

/* The daemon */

static inline void settle(struct World *world, enum Result result, int error)
{
    struct Decision decision = {.verb = world->verb};
    struct Outcome outcome = {.result = result, .error = error, .took_usec = 1234};

    service_settled(&world->service, world->ticket, &world->tenants[0], &decision, &outcome);
}

static inline void settle_release(struct World *world, enum Result result, const char *text)
{
    struct Outcome outcome = {.result = result};

    snprintf(outcome.text, sizeof(outcome.text), "%s", text);
    service_settled(&world->service, world->ticket, NULL, NULL, &outcome);
}

static inline void settle_change(struct World *world, enum Result result, const char *text)
{
    struct Outcome outcome = {.result = result};

    snprintf(outcome.text, sizeof(outcome.text), "%s", text);
    service_settled(&world->service, world->ticket, world->meant, NULL, &outcome);
}

static int fake_act(void *userdata, struct Tenant *tenant, const struct ServiceAct *act, uid_t uid,
                    uint64_t ticket, char *why)
{
    struct World *world = userdata;

    world->verb = act->verb;
    world->act = *act;
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

/* What set, reset and inspect have in common. */
static int fake_change(struct World *world, struct Tenant *tenant, const struct Limits *limits, bool flag,
                       uid_t uid, uint64_t ticket, char *why)
{
    world->meant = tenant;
    world->named = limits != NULL;
    world->limits = limits ? *limits : (struct Limits){};
    world->flag = flag;
    world->uid = uid;
    world->ticket = ticket;
    world->changes++;
    snprintf(why, REASON_MAX, "%s", world->why);
    if (world->settle_at_once)
        settle_change(world, RESULT_DONE, world->why);
    return world->answer;
}

static int fake_set(void *userdata, struct Tenant *tenant, const struct Limits *limits,
                    const struct OverrideWish *wish, uint64_t ticket, char *why)
{
    struct World *world = userdata;

    world->wish = *wish;
    return fake_change(userdata, tenant, limits, wish->runtime, wish->author.uid, ticket, why);
}

static int fake_reset(void *userdata, struct Tenant *tenant, const struct Limits *limits,
                      const struct OverrideWish *wish, uint64_t ticket, char *why)
{
    return fake_set(userdata, tenant, limits, wish, ticket, why);
}

static void fake_asked(void *userdata, const struct Tenant *tenant, const struct Author *author,
                       const char *what)
{
    struct World *world = userdata;

    snprintf(world->asked, sizeof(world->asked), "%.20s(%u): %.20s: %.60s", author->name, author->uid,
             tenant ? tenant->name : "", what);
}

static int fake_inspect(void *userdata, struct Tenant *tenant, bool repair, uid_t uid, uint64_t ticket,
                        char *why)
{
    return fake_change(userdata, tenant, NULL, repair, uid, ticket, why);
}

static int fake_reload(void *userdata, struct Problems *problems)
{
    struct World *world = userdata;

    if (world->reload_answer == CONFIG_INVALID) {
        problems->list = calloc(2, sizeof(*problems->list));
        problems->n = 2;
        problems->list[0] =
            (struct Problem){strdup("/etc/guardd/guardd.conf"), 3, strdup("wrong"), strdup("right")};
        problems->list[1] = (struct Problem){NULL, 0, strdup("no class"), NULL};
    }
    return world->reload_answer;
}

static void fake_status(void *userdata, struct ServiceStatus *ret)
{
    struct World *world = userdata;

    *ret = (struct ServiceStatus){.mode = "enforce",
                                  .configured_mode = "observe",
                                  .mode_by = &world->author,
                                  .health = "fine",
                                  .sentence = "The host is fine.",
                                  .cgroup_root = "/sys/fs/cgroup",
                                  .kills_left = 4,
                                  .kills_limit = 5,
                                  .host = &world->host,
                                  .notices = {"the ledger cannot be written"}};
}

static void fake_set_mode(void *userdata, enum Mode mode, const struct Author *author)
{
    struct World *world = userdata;

    world->mode = mode;
    world->author = *author;
}

static int fake_exempt(void *userdata, struct Tenant *tenant, usec_t for_usec, const struct Author *author,
                       char *why)
{
    struct World *world = userdata;

    if (world->answer == SERVICE_REFUSED)
        snprintf(why, REASON_MAX, "no");
    else
        tenant->exemption =
            (struct Exemption){.until_realtime_usec = for_usec, .since_realtime_usec = 1, .by = *author};
    return world->answer == SERVICE_REFUSED ? SERVICE_REFUSED : SERVICE_DONE;
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

static const struct ServiceOps fake_ops = {
    .asked = fake_asked,
    .act = fake_act,
    .release = fake_release,
    .set = fake_set,
    .reset = fake_reset,
    .inspect = fake_inspect,
    .reload = fake_reload,
    .set_mode = fake_set_mode,
    .exempt = fake_exempt,
    .status = fake_status,
    .refresh = fake_refresh,
    .now = fake_now,
    .realtime = fake_now,
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

static inline int setup(void **state)
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
    world->overrides = (struct Overrides){.state_fd = -EROFS, .runtime_fd = -EROFS};
    view = (struct ServiceView){.registry = &world->registry,
                                .history = &world->history,
                                .config = (const struct Config *const *)&world->current,
                                .overrides = &world->overrides};
    assert_true(sd_event_new(&world->event) >= 0);
    assert_int_equal(
        service_open(&world->service, world->event, -EBADF, world->socket, &view, &fake_ops, world), 0);
    world->service.group_file = world->group_file;
    *state = world;
    return 0;
}

static inline int teardown(void **state)
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

static inline int raw_connect(const struct World *world)
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
static inline sd_json_variant *call(struct World *world, struct Client *client, const char *method,
                                    const char *tenant)
{
    unsigned replies = client->replies;

    send_call(world, client, method, tenant);
    assert_int_equal(client->replies, replies + 1);
    assert_conforms(client);
    return client->parameters;
}

static inline void watch(struct World *world, struct Client *client)
{
    client->method = "Watch";
    assert_true(sd_varlink_observe(client->link, WIRE_INTERFACE ".Watch", NULL) >= 0);
    turn(world);
}

static inline const char *message(const struct Client *client)
{
    return sd_json_variant_string(sd_json_variant_by_key(client->parameters, "message"));
}

static inline const char *result(const struct Client *client)
{
    sd_json_variant *outcome = sd_json_variant_by_key(client->parameters, "outcome");

    return sd_json_variant_string(sd_json_variant_by_key(outcome, "result"));
}

/* Below varlink */

static inline void raw_send(int fd, const char *text, size_t size)
{
    assert_int_equal(send(fd, text, size, MSG_NOSIGNAL), size);
}

static inline size_t n_peers(const struct World *world)
{
    size_t n = 0;

    for (const struct ServicePeer *peer = world->service.peers; peer; peer = peer->next)
        n++;
    return n;
}

/* Being somebody else */

static inline void become(uid_t uid, gid_t gid, const gid_t *groups, size_t n)
{
    assert_int_equal(setgroups(n, groups), 0);
    assert_int_equal(setegid(gid), 0);
    assert_int_equal(seteuid(uid), 0);
}

static inline void become_root(void)
{
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(setegid(0), 0);
    assert_int_equal(setgroups(0, NULL), 0);
}

static inline void client_open_as(struct World *world, struct Client *client, uid_t uid, gid_t group)
{
    const gid_t groups[] = {7, group};

    become(uid, 60000, groups, 2);
    client_open(world, client);
    become_root();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
