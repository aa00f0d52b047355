/* Fuzz target: any bytes on the socket of the service (serve/service.h), from a peer that may do everything,
 * and hangs up. One service has all inputs, as the daemon has: it survives them, nothing of a peer is left,
 * what it answers is JSON, and whoever calls next is answered. The daemon below it agrees to everything, at
 * once or later. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "serve/service.h"
#include "tests/fuzz/ground.h"
#include "wire/interface.h"

#define TURNS_MAX 100000
#define EVENTS_MAX 16
#define REPLIES_MAX (4 * 1024 * 1024)
#define CALL_EVERY 32 /* inputs */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    sd_event *event;
    struct Service service;
    struct Registry registry;
    struct Tenant tenants[2];
    struct TenantClass class;
    struct Config config, *current;
    struct History history;
    struct Event events[EVENTS_MAX];
    struct Overrides overrides;
    uint64_t waiting; /* the last ticket that was promised an outcome */
    unsigned n_inputs;
} world;

/* --- the daemon ----------------------------------------------------------------------------------- */

static int agree(const struct Tenant *tenant, uint64_t ticket, char *why)
{
    must(tenant);
    snprintf(why, REASON_MAX, "so be it");
    if (ticket % 3 == 0)
        return SERVICE_DONE;
    if (ticket % 3 == 1)
        return SERVICE_REFUSED;
    world.waiting = ticket;
    return SERVICE_UNDER_WAY;
}

static void asked(void *userdata, const struct Tenant *tenant, const struct Author *author, const char *what)
{
    must(what[0] != '\0' && strlen(what) < REASON_MAX);
}

static int act(void *userdata, struct Tenant *tenant, const struct ServiceAct *act, uid_t uid,
               uint64_t ticket, char *why)
{
    must(act->verb >= 0 && act->verb < VERB_COUNT);
    must(act->verb != VERB_THROTTLE ||
         (resource_can_throttle(act->resource) || act->resource == RESOURCE_NETWORK));
    return agree(tenant, ticket, why);
}

static int release(void *userdata, struct Tenant *tenant, uid_t uid, uint64_t ticket, size_t *ret_released)
{
    *ret_released = 1;
    world.waiting = ticket;
    return SERVICE_UNDER_WAY;
}

static int set(void *userdata, struct Tenant *tenant, const struct Limits *limits,
               const struct OverrideWish *wish, uint64_t ticket, char *why)
{
    bool any = !limits;

    for (int i = 0; limits && i < LIMIT_COUNT; i++)
        any |= limits->set[i];
    must(any);
    return agree(tenant, ticket, why);
}

static int inspect(void *userdata, struct Tenant *tenant, bool repair, uid_t uid, uint64_t ticket, char *why)
{
    return agree(tenant, ticket, why);
}

static void set_mode(void *userdata, enum Mode mode, const struct Author *author)
{
}

static int exempt(void *userdata, struct Tenant *tenant, usec_t for_usec, const struct Author *author,
                  char *why)
{
    must(for_usec <= EXEMPTION_MAX_USEC);
    tenant->exemption = (struct Exemption){.until_realtime_usec = for_usec, .by = *author};
    return SERVICE_DONE;
}

static int reload(void *userdata, struct Problems *problems)
{
    return 0;
}

static void status(void *userdata, struct ServiceStatus *ret)
{
    *ret = (struct ServiceStatus){.mode = "enforce",
                                  .configured_mode = "enforce",
                                  .health = "fine",
                                  .sentence = "The host is fine.",
                                  .cgroup_root = "/sys/fs/cgroup"};
}

static void refresh(void *userdata, struct Tenant *tenant)
{
}

static usec_t now(void *userdata)
{
    return USEC_PER_HOUR;
}

static const struct ServiceOps ops = {
    .asked = asked,
    .act = act,
    .release = release,
    .set = set,
    .reset = set,
    .inspect = inspect,
    .set_mode = set_mode,
    .exempt = exempt,
    .reload = reload,
    .status = status,
    .refresh = refresh,
    .now = now,
    .realtime = now,
};

/* --- the world ------------------------------------------------------------------------------------ */

static void make_tenants(void)
{
    static const char *const names[] = {"docker/web", "evil\x1b[2J\xff"};
    static const char *const paths[] = {"system.slice/docker-0a.scope", "evil"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct Tenant *tenant = &world.tenants[i];

        *tenant = (struct Tenant){.cgroup = CGROUP_NULL, .class = &world.class};
        tenant->cgroup.id = 100 + i;
        tenant->cgroup.path = (char *)paths[i];
        strcpy(tenant->name, names[i]);
        HASH_ADD(hh, world.registry.tenants, cgroup.id, sizeof(uint64_t), tenant);
    }
}

static void open_world(void)
{
    struct ServiceView view = {.registry = &world.registry,
                               .history = &world.history,
                               .config = (const struct Config *const *)&world.current,
                               .overrides = &world.overrides};
    char group[64];
    int n = snprintf(group, sizeof(group), "ops:x:%u:\n", getgid());

    ground_write("group", group, (size_t)n);
    strcpy(world.class.name, "containers");
    world.config = (struct Config){.policy = {.classes = &world.class, .n_classes = 1},
                                   .operator_group = (char *)"ops",
                                   .viewer_group = (char *)"eyes"};
    world.current = &world.config;
    world.history = (struct History){.ring = world.events, .capacity = EVENTS_MAX, .wake_fd = -EBADF};
    world.overrides = (struct Overrides){.state_fd = -EROFS, .runtime_fd = -EROFS};
    make_tenants();
    must(sd_event_new(&world.event) >= 0);
    must(service_open(&world.service, world.event, -EBADF, ground_file("socket"), &view, &ops, NULL) == 0);
    world.service.group_file = strdup(ground_file("group"));
}

static void turn(void)
{
    for (int i = 0; i < TURNS_MAX; i++)
        if (sd_event_run(world.event, 0) <= 0)
            return;
    must(!"the event loop comes to rest");
}

/* Something comes to pass, and what was promised is over. */
static void go_on(void)
{
    static const struct Decision decision = {.verb = VERB_FREEZE, .rule = "fork-bomb"};
    struct Outcome outcome = {.result = RESULT_DONE, .took_usec = 1234};
    struct Event event = {.kind = EVENT_NOTICE, .text = "something came to pass"};

    history_add(&world.history, &event);
    service_event(&world.service);
    service_settled(&world.service, world.waiting, &world.tenants[0], &decision, &outcome);
    world.waiting = 0;
}

/* --- a peer --------------------------------------------------------------------------------------- */

static int call(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    strcpy(address.sun_path, ground_file("socket"));
    must(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

/* All that is sent back until there is no more, each reply behind a NUL. Returns the length. */
static size_t listen_to(int fd, char *replies)
{
    size_t n = 0;
    ssize_t got;

    do {
        turn();
        got = recv(fd, replies + n, REPLIES_MAX - n, MSG_DONTWAIT);
        n += got > 0 ? (size_t)got : 0;
    } while (got > 0 && n < REPLIES_MAX);
    return n;
}

/* Returns how many there are. */
static unsigned check(const char *replies, size_t n)
{
    unsigned count = 0;

    for (const char *end; n > 0 && (end = memchr(replies, '\0', n)); count++) {
        sd_json_variant *json = NULL;

        must(sd_json_parse(replies, 0, &json, NULL, NULL) >= 0 && sd_json_variant_is_object(json));
        sd_json_variant_unref(json);
        n -= (size_t)(end + 1 - replies);
        replies = end + 1;
    }
    return count;
}

static unsigned talk(const void *data, size_t size)
{
    static char replies[REPLIES_MAX];
    int fd = call();
    unsigned n;

    turn();
    must(world.service.peers);
    must(size == 0 || send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size);
    turn();
    go_on();
    n = check(replies, listen_to(fd, replies));
    close(fd);
    turn();
    must(!world.service.peers);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char status_call[] = "{\"method\":\"" WIRE_INTERFACE ".GetStatus\"}";

    if (!world.event)
        open_world();
    talk(data, size);
    if (world.n_inputs++ % CALL_EVERY == 0)
        must(talk(status_call, sizeof(status_call)) == 1);
    return 0;
}
