/* The network guard on a made-up kernel: links, namespaces and what is set on links are tables here; the
 * worker does nothing until a test has it do so. The ledger, the history and the way of a limit are real. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>

#include "act/qdisc.h"
#include "act/shaper.h"
#include "act/unit.h"
#include "decide/limits.h"
#include "limiting.h"
#include "metering.h"
#include "network.h"
#include "record/history.h"
#include "recover.h"
#include "shaping.h"
#include "tenant/namespace.h"
#include "tests/unit/scratch.h"
#include "throttling.h"

#define MBIT UINT64_C(1000000)
#define SECOND USEC_PER_SEC
#define LINKS_MAX 16
#define TASKS_MAX 256
#define OUR_PORT 77
#define HOST_INODE 1

/* What is set on a link. */
struct Set {
    uint64_t rate_bytes; /* 0: nothing */
    uint32_t burst_bytes;
    const char *obstacle;
};

static struct Ground {
    struct Scratch scratch;
    usec_t now;
    struct TenantClass class;
    const struct Rule *no_rules;
    struct Rule rule;
    struct Registry registry;
    struct Ledger ledger;
    struct History history;
    struct Pipeline pipeline;
    struct NetworkGuard guard;

    struct Link links[LINKS_MAX];
    struct Set sets[LINKS_MAX][DIRECTION_COUNT];
    bool devices[LINKS_MAX]; /* an IFB for the link of this number is there */
    size_t n_links;
    struct LinkTable inside;
    const char *module;         /* that the kernel lacks */
    int set_error, unset_error; /* once: of the next one, which is left half done */
    bool no_memory;             /* for orders */
    bool goes_when_set;         /* the first link, right after its next rate was set */
    unsigned sets_made, inspections, sweeps, lists, meters;
    struct {
        const struct WorkerTask *task;
        void *data;
    } tasks[TASKS_MAX];
    size_t n_tasks;
    bool is_open, is_stuck; /* the worker, on a lock of the kernel's */
    unsigned waits;
    struct Outcome outcome;
    unsigned settled;
} *ground;

/* A cgroup's descriptor says here in which namespace it is: that of inode 100 has the id 0, and so on. 0:
 * nobody is in it; HOST_INODE: the host's. */
static ino_t namespaces[8];

/* --- tenant/namespace.h ---------------------------------------------------------------------------- */

int namespace_own(const char *proc, struct NetworkNamespace *ret)
{
    *ret = (struct NetworkNamespace){.dev = 1, .inode = HOST_INODE};
    return 0;
}

int namespace_find(const char *proc, int cgroup_fd, struct NamespaceSighting *ret)
{
    if (namespaces[cgroup_fd] == 0)
        return -ESRCH;
    *ret = (struct NamespaceSighting){.namespace = {.dev = 1, .inode = namespaces[cgroup_fd]},
                                      .task = (pid_t)namespaces[cgroup_fd]};
    return 0;
}

bool namespace_stands(const char *proc, const struct NamespaceSighting *sighting)
{
    return true;
}

/* --- sense/link.h ---------------------------------------------------------------------------------- */

int link_sensor_open(struct LinkSensor *sensor)
{
    ground->is_open = true;
    return 0;
}

int link_sensor_open_lists(struct LinkSensor *sensor)
{
    return 0;
}

void link_sensor_close(struct LinkSensor *sensor)
{
    ground->is_open = false;
}

int link_sensor_fd(const struct LinkSensor *sensor)
{
    return -EBADF;
}

int link_sensor_dispatch(struct LinkSensor *sensor)
{
    return 0;
}

int link_sensor_namespace_id(struct LinkSensor *sensor, pid_t task, int32_t *ret_id)
{
    *ret_id = task - 100;
    return 0;
}

int link_sensor_dump(struct LinkSensor *sensor, int32_t namespace_id, struct LinkTable *table)
{
    link_table_clear(table);
    if (namespace_id == NAMESPACE_ID_NONE)
        ground->lists++;
    for (size_t i = 0; namespace_id != NAMESPACE_ID_NONE && i < ground->inside.n; i++)
        assert_true(link_table_put(table, &ground->inside.list[i]) >= 0);
    for (size_t i = 0; namespace_id == NAMESPACE_ID_NONE && i < ground->n_links; i++)
        assert_true(link_table_put(table, &ground->links[i]) >= 0);
    return 0;
}

int link_sensor_dump_queues(struct LinkSensor *sensor,
                            void (*take)(void *userdata, const struct QueueCounters *counters),
                            void *userdata)
{
    const struct QueueCounters ours = {.ifindex = 10, .handle = QDISC_BUCKET, .sent = {.dropped = 5}};
    const struct QueueCounters another = {.ifindex = 10, .handle = 0x10000, .sent = {.dropped = 500}};
    const struct QueueCounters on_device = {.ifindex = 50, .handle = QDISC_BUCKET, .sent = {.dropped = 7}};

    take(userdata, &on_device);
    take(userdata, &ours);
    take(userdata, &another);
    return 0;
}

/* --- act/shaper.h, act/rtnetlink.h ------------------------------------------------------------------ */

static size_t at(int ifindex)
{
    for (size_t i = 0; i < ground->n_links; i++)
        if (ground->links[i].ifindex == ifindex)
            return i;
    return LINKS_MAX;
}

int shaper_open(struct Shaper *shaper)
{
    return 0;
}

void shaper_close(struct Shaper *shaper)
{
}

uint32_t rtnetlink_port(const struct Rtnetlink *rtnetlink)
{
    return OUR_PORT;
}

int shaper_timer_hz(const char *path, uint32_t *ret_hz)
{
    *ret_hz = 1000000000;
    return 0;
}

bool shaper_device_owner(const char *name, int *ret_ifindex)
{
    return sscanf(name, "guardd-%x", (unsigned *)ret_ifindex) == 1;
}

static int fails(int *error)
{
    int r = *error;

    *error = 0;
    return r;
}

int shaper_set(struct Shaper *shaper, const struct ShaperLink *link, enum Direction direction,
               const struct Shape *shape, char *ret_obstacle, const char **ret_module)
{
    struct Set *set = at(link->ifindex) < LINKS_MAX ? &ground->sets[at(link->ifindex)][direction] : NULL;

    ground->sets_made++;
    assert_true(shape->rate_bytes > 0);
    if (!set)
        return -ENODEV;
    *ret_module = ground->module;
    if (ground->module)
        return -EOPNOTSUPP;
    if (set->obstacle) {
        snprintf(ret_obstacle, SHAPER_OBSTACLE_MAX, "%s", set->obstacle);
        return SHAPER_OBSTRUCTED;
    }
    set->rate_bytes = shape->rate_bytes;
    set->burst_bytes = shape->burst_bytes;
    if (direction == DIRECTION_EGRESS)
        ground->devices[at(link->ifindex)] = true;
    if (ground->goes_when_set)
        ground->links[0].ifindex = 0;
    ground->goes_when_set = false;
    return fails(&ground->set_error);
}

int shaper_unset(struct Shaper *shaper, int ifindex, enum Direction direction)
{
    if (ground->unset_error < 0)
        return fails(&ground->unset_error);
    for (size_t i = 0; direction == DIRECTION_EGRESS && i < LINKS_MAX; i++)
        if (ground->links[i].ifindex == ifindex)
            ground->devices[i] = false;
    if (at(ifindex) < LINKS_MAX)
        ground->sets[at(ifindex)][direction].rate_bytes = 0;
    return 0;
}

int shaper_inspect(struct Shaper *shaper, const struct ShaperLink *link, enum Direction direction,
                   const struct Shape *shape, struct ShaperReport *ret)
{
    const struct Set none = {0};
    const struct Set *set =
        at(link->ifindex) < LINKS_MAX ? &ground->sets[at(link->ifindex)][direction] : &none;

    const bool same = set->rate_bytes == shape->rate_bytes && set->burst_bytes == shape->burst_bytes;

    ground->inspections++;
    *ret = (struct ShaperReport){.state = set->obstacle          ? SHAPER_FOREIGN
                                          : set->rate_bytes == 0 ? SHAPER_MISSING
                                          : same                 ? SHAPER_FITS
                                                                 : SHAPER_CHANGED};
    return 0;
}

int shaper_sweep(struct Shaper *shaper, bool (*claims)(void *userdata, int ifindex, enum Direction direction),
                 void *userdata)
{
    ground->sweeps++;
    for (size_t i = 0; i < ground->n_links; i++)
        for (int d = 0; d < DIRECTION_COUNT; d++)
            if (!claims(userdata, ground->links[i].ifindex, (enum Direction)d))
                (void)shaper_unset(shaper, ground->links[i].ifindex, (enum Direction)d);
    return 0;
}

/* --- act/worker.h ----------------------------------------------------------------------------------- */

int worker_open_tasks(struct Worker *worker)
{
    return 0;
}

int worker_fd(const struct Worker *worker)
{
    return -EBADF;
}

int worker_run(struct Worker *worker, const struct WorkerTask *task, void *data)
{
    assert_true(ground->n_tasks < TASKS_MAX);
    if (ground->no_memory)
        return -ENOMEM;
    ground->tasks[ground->n_tasks].task = task;
    ground->tasks[ground->n_tasks++].data = data;
    return 0;
}

/* `between`: what happens when it was run, and before its answer is read. */
static bool work_once_and(void (*between)(void))
{
    const struct WorkerTask *task = ground->tasks[0].task;
    void *data = ground->tasks[0].data;

    if (ground->n_tasks == 0)
        return false;
    memmove(ground->tasks, ground->tasks + 1, --ground->n_tasks * sizeof(ground->tasks[0]));
    task->run(data);
    if (between)
        between();
    task->done(data);
    task->free(data);
    return true;
}

static bool work_once(void)
{
    return work_once_and(NULL);
}

/* All that is due, until nothing is. */
static void work(void)
{
    for (int turn = 0; turn < 100; turn++) {
        bool any = work_once();

        network_guard_pass(&ground->guard, ground->now);
        if (!any && ground->n_tasks == 0)
            return;
    }
    fail_msg("it never ends");
}

void worker_finish(struct Worker *worker, uint64_t wait_usec)
{
    ground->waits++;
}

void worker_dispatch(struct Worker *worker)
{
    while (!ground->is_stuck && work_once())
        ;
}

bool worker_close(struct Worker *worker)
{
    for (size_t i = 0; i < ground->n_tasks; i++)
        ground->tasks[i].task->free(ground->tasks[i].data);
    ground->n_tasks = 0;
    return true;
}

/* PID 1, whom nothing here concerns */
int unit_set_limit(struct UnitManager *manager, const char *unit, enum LimitId limit, uint64_t value,
                   uint64_t tenant_id)
{
    return -ENOENT;
}

int unit_set_rates(struct UnitManager *manager, const char *unit, enum LimitId limit,
                   const struct UnitDisk *disks, size_t n, uint64_t tenant_id)
{
    return -ENOENT;
}

void unit_tell_freezer(struct UnitManager *manager, const char *unit, bool frozen)
{
}

/* --- the ground -------------------------------------------------------------------------------------- */

static usec_t ground_clock(void)
{
    return ground->now;
}

static void on_settled(void *userdata, struct Tenant *tenant, const struct Decision *decision,
                       const struct Outcome *outcome, uint64_t ticket, usec_t now)
{
    ground->outcome = *outcome;
    ground->settled++;
}

static int set_network(void *userdata, struct Tenant *tenant, enum LimitId limit, uint64_t value, char *why)
{
    return shaping_set(&ground->guard, tenant, limit, value, why);
}

static int throttle_network(void *userdata, struct Tenant *tenant, uint64_t rate_bits)
{
    return shaping_throttle(&ground->guard, tenant, rate_bits);
}

static int no_sink(void *userdata, const struct Event *event, uint64_t lost)
{
    return 0;
}

static void open_ledger(void)
{
    struct LedgerReport report;
    int fd = open(ground->scratch.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_int_equal(
        ledger_open_boot(&ground->ledger, fd, "ledger", "0123456789abcdef0123456789abcdef", &report), 0);
    close(fd);
}

static int set_up(void **state)
{
    const struct Scratch scratch = scratch_new("/tmp");

    ground = calloc(1, sizeof(*ground));
    assert_non_null(ground);
    ground->scratch = scratch;
    ground->now = 1000 * SECOND;
    ground->class = (struct TenantClass){.name = "containers"};
    open_ledger();
    assert_int_equal(history_open_sink(&ground->history, 512, no_sink, NULL), 0);
    ground->pipeline = (struct Pipeline){.ledger = &ground->ledger,
                                         .history = &ground->history,
                                         .mode = MODE_ENFORCE,
                                         .clock = ground_clock,
                                         .set_network = set_network,
                                         .throttle_network = throttle_network,
                                         .settled = on_settled};
    ground->guard = (struct NetworkGuard){.registry = &ground->registry,
                                          .pipeline = &ground->pipeline,
                                          .clock = ground_clock,
                                          .proc = "",
                                          .slot = LEDGER_SLOT_NONE};
    memset(namespaces, 0, sizeof(namespaces));
    return 0;
}

static void free_tenant(struct Tenant *tenant)
{
    agenda_remove(tenant);
    HASH_DEL(ground->registry.tenants, tenant);
    free(tenant->cgroup.path);
    free(tenant);
}

static int tear_down(void **state)
{
    struct Tenant *tenant, *next;

    network_guard_close(&ground->guard);
    HASH_ITER (hh, ground->registry.tenants, tenant, next)
        free_tenant(tenant);
    link_table_done(&ground->inside);
    history_close(&ground->history);
    ledger_close(&ground->ledger);
    scratch_done(&ground->scratch);
    free(ground);
    return 0;
}

/* The id is the descriptor, too. */
static struct Tenant *tenant(int id, const char *name, ino_t namespace)
{
    struct Tenant *made = calloc(1, sizeof(*made));

    assert_non_null(made);
    made->cgroup = CGROUP_NULL;
    made->cgroup.id = (uint64_t)id;
    made->cgroup.dir_fd = id;
    made->cgroup.path = strdup(name);
    snprintf(made->name, sizeof(made->name), "%s", name);
    made->class = &ground->class;
    made->limits_due_usec = USEC_INFINITY;
    made->agenda = &ground->registry.agenda;
    network_begin(&made->network);
    for (size_t i = 0; i < HOLDER_COUNT; i++)
        made->hold_slots[i] = LEDGER_SLOT_NONE;
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        made->limit_slots[i] = LEDGER_SLOT_NONE;
    namespaces[id] = namespace;
    HASH_ADD(hh, ground->registry.tenants, cgroup.id, sizeof(made->cgroup.id), made);
    return made;
}

static void veth(int ifindex, ino_t namespace)
{
    struct Link *link = &ground->links[ground->n_links++];

    *link = (struct Link){.ifindex = ifindex,
                          .kind = LINK_VETH,
                          .mtu = 1500,
                          .up = true,
                          .peer_namespace = (int32_t)namespace - 100,
                          .peer = 2};
    snprintf(link->name, sizeof(link->name), "veth%d", ifindex);
}

static void hear(const struct LinkEvent *event)
{
    ground->guard.sensor.heard(ground->guard.sensor.userdata, event);
}

static void hear_link(int ifindex)
{
    const struct LinkEvent event = {
        .kind = LINK_EVENT_LINK, .ifindex = ifindex, .link = ground->links[at(ifindex)]};

    hear(&event);
}

static void hear_gone(enum LinkEventKind kind, int ifindex, uint32_t port)
{
    const struct LinkEvent event = {.kind = kind, .ifindex = ifindex, .port = port};

    hear(&event);
}

static void ask(uint64_t egress)
{
    ground->class.limits.set[LIMIT_NETWORK_EGRESS_MAX] = egress > 0;
    ground->class.limits.value[LIMIT_NETWORK_EGRESS_MAX] = egress;
}

static void override(struct Tenant *whose, enum LimitId id, uint64_t value)
{
    whose->overrides.set[id] = value > 0;
    whose->overrides.value[id] = value;
    memset(whose->network.error, 0, sizeof(whose->network.error));
    limiting_check_network(&ground->pipeline, whose, ground->now);
}

static uint64_t rate_of(int ifindex, enum Direction direction)
{
    return ground->sets[at(ifindex)][direction].rate_bytes * 8 * 1500 / 1514;
}

static void assert_rate(int ifindex, enum Direction direction, uint64_t rate_bits)
{
    uint64_t present = rate_of(ifindex, direction);

    if (present > rate_bits || present + 16 < rate_bits)
        fail_msg("%s of link %d is %llu", direction_name(direction), ifindex, (unsigned long long)present);
}

static bool said(const char *text)
{
    struct Event event;

    for (uint64_t i = 1; i <= ground->history.last_sequence; i++)
        if (history_get(&ground->history, i, &event) &&
            (strstr(event.text, text) || strstr(event.decision.reason, text) ||
             strstr(event.outcome.text, text)))
            return true;
    return false;
}

static void clear_agenda(void)
{
    struct Tenant *tenant, *next;

    AGENDA_EACH(&ground->registry.agenda, tenant, next)
    agenda_remove(tenant);
}

/* --- whose links ------------------------------------------------------------------------------------- */

static void nobody_asks(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    network_guard_open(&ground->guard, false);
    network_guard_meet(&ground->guard, web);
    network_guard_look(&ground->guard, web, ground->now);
    work();
    assert_false(ground->is_open);
    assert_int_equal(ground->lists, 0);
    assert_true(network_guard_due_usec(&ground->guard) == USEC_INFINITY);
}

/* Of whom something may be due that was not before: nobody else is asked. */
static void who_is_concerned_is_put_on_the_agenda(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100), *pod = tenant(2, "docker/pod", 100);
    struct Tenant *other = tenant(3, "docker/other", 101);

    veth(10, 100);
    veth(11, 101);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    assert_true(web->on_agenda && pod->on_agenda && other->on_agenda);
    work();
    clear_agenda();
    override(web, LIMIT_NETWORK_EGRESS_MAX, 5 * MBIT);
    work();
    assert_true(web->on_agenda && pod->on_agenda);
    clear_agenda();
    ground->sets[at(10)][DIRECTION_EGRESS].rate_bytes = 0;
    hear_gone(LINK_EVENT_FILTER_GONE, 10, OUR_PORT + 1);
    assert_true(web->on_agenda && pod->on_agenda);
    work();
    clear_agenda();
    ground->n_links--;
    ground->links[0] = ground->links[1];
    hear_gone(LINK_EVENT_LINK_GONE, 10, 0);
    assert_true(web->network.look_usec < USEC_INFINITY && pod->network.look_usec < USEC_INFINITY);
    assert_true(web->on_agenda && pod->on_agenda);
    assert_false(other->on_agenda);
}

static void a_class_asks(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    veth(11, 101);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    assert_int_equal(ground->lists, 1);
    assert_int_equal(web->network.n_links, 1);
    assert_rate(10, DIRECTION_EGRESS, 10 * MBIT);
    assert_rate(10, DIRECTION_INGRESS, 0);
    assert_rate(11, DIRECTION_EGRESS, 0);
    assert_int_equal(ground->outcome.result, RESULT_DONE);
    assert_true(web->limits[LIMIT_NETWORK_EGRESS_MAX].applied);
    assert_int_equal(ground->ledger.n_used, 1);
}

/* While it is being started it is still in the host's; the link is announced a moment later. */
static void a_link_comes_later(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", HOST_INODE);

    web->appeared_usec = ground->now;
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    assert_true(web->network.looked);
    assert_int_equal(web->network.why, UNSHAPED_HOST_NETWORK);
    assert_non_null(strstr(web->limits[LIMIT_NETWORK_EGRESS_MAX].note, "host-network"));
    namespaces[1] = 100;
    veth(10, 100);
    hear_link(10);
    assert_true(web->network.look_usec < ground->now + SECOND);
    ground->now += SECOND;
    work();
    assert_rate(10, DIRECTION_EGRESS, 10 * MBIT);
    assert_string_equal(web->limits[LIMIT_NETWORK_EGRESS_MAX].note, "");
}

/* The number of a namespace that has ended is another one's before the links of the first one are gone. */
static void a_namespace_number_is_used_again(void **state)
{
    const struct LinkEvent event = {.kind = LINK_EVENT_NAMESPACE_ID_GONE, .namespace_id = 1};
    struct Tenant *web, *db;

    ask(10 * MBIT);
    web = tenant(1, "docker/web", 100);
    veth(10, 100);
    veth(11, 101); /* of a container that has just ended */
    network_guard_open(&ground->guard, false);
    work();
    hear(&event);
    db = tenant(2, "docker/db", 101);
    veth(12, 101);
    hear_link(12);
    ground->now += SECOND;
    work();
    assert_int_equal(web->network.n_links, 1);
    assert_int_equal(db->network.n_links, 1);
    assert_int_equal(db->network.links[0].ifindex, 12);
}

/* Whoever is its oldest process now is in somebody else's namespace. */
static void links_of_others_are_not_taken(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100), *db = tenant(2, "docker/db", 101);

    veth(10, 100);
    veth(11, 101);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    namespaces[1] = 101;
    network_guard_look(&ground->guard, web, ground->now);
    work();
    assert_int_equal(web->network.n_links, 1);
    ground->links[1].mtu = 9000;
    hear_link(11);
    work();
    assert_int_equal(db->network.n_links, 1);
    assert_int_equal(db->network.n_sharers, 0);
}

static void a_macvlan_is_explained(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);
    const struct Link link = {.ifindex = 2, .kind = LINK_MACVLAN, .up = true};

    assert_true(link_table_put(&ground->inside, &link) > 0);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    assert_int_equal(web->network.why, UNSHAPED_MACVLAN);
    assert_non_null(strstr(web->limits[LIMIT_NETWORK_EGRESS_MAX].note, "not shaped: macvlan"));
}

/* What kept its rate beside the link itself goes, too. */
static void a_link_goes(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    assert_true(ground->devices[0]);
    namespaces[1] = 0;
    ground->links[0].peer = 0;
    hear_gone(LINK_EVENT_LINK_GONE, 10, 0);
    work();
    assert_false(ground->devices[0]);
    assert_int_equal(web->network.n_links, 0);
    assert_false(web->limits[LIMIT_NETWORK_EGRESS_MAX].applied);
    assert_int_equal(ground->ledger.n_used, 0);
    assert_false(said("somebody"));
}

static void vanish(struct Tenant *gone)
{
    agenda_remove(gone);
    HASH_DEL(ground->registry.tenants, gone);
    network_guard_vanished(&ground->guard, gone);
    limiting_vanished(&ground->pipeline, gone);
    free(gone->cgroup.path);
    free(gone);
}

static void a_tenant_vanishes(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    vanish(web);
    work();
    assert_rate(10, DIRECTION_EGRESS, 0);
    assert_false(ground->devices[0]);
}

/* Its oldest process is in another one now: the links of both are not one tenant's. */
static void it_comes_to_another_namespace(void **state)
{
    struct Tenant *web = tenant(1, "user/alice", 100);

    veth(10, 100);
    veth(11, 101);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    namespaces[1] = 101;
    network_guard_look(&ground->guard, web, ground->now);
    work();
    assert_int_equal(web->network.n_links, 1);
    assert_rate(11, DIRECTION_EGRESS, 0);
    assert_rate(10, DIRECTION_EGRESS, 10 * MBIT);
    ground->links[0].peer = 0;
    hear_gone(LINK_EVENT_LINK_GONE, 10, 0);
    ground->now += SECOND;
    work();
    assert_rate(11, DIRECTION_EGRESS, 10 * MBIT);
}

static void a_link_is_renamed_and_gets_another_mtu(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);
    uint64_t before;

    veth(10, 100);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    before = ground->sets[0][DIRECTION_EGRESS].rate_bytes;
    snprintf(ground->links[0].name, sizeof(ground->links[0].name), "another");
    hear_link(10);
    assert_string_equal(web->network.links[0].name, "another");
    ground->links[0].mtu = 9000;
    hear_link(10);
    work();
    assert_true(ground->sets[0][DIRECTION_EGRESS].rate_bytes < before); /* fewer headers */
    assert_false(said("somebody"));
}

/* A packet of it would take longer than a second now: what is there stays, and it is said. */
static void an_mtu_for_which_there_is_no_such_rate(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ask(20000);
    network_guard_open(&ground->guard, false);
    work();
    assert_rate(10, DIRECTION_EGRESS, 20000);
    ground->links[0].mtu = 9000;
    ground->sets_made = 0;
    hear_link(10);
    work();
    assert_int_equal(ground->sets_made, 0);
    assert_true(said("at least 72kbit"));
    shaping_inspect(&ground->guard, web, &web->network.links[0], DIRECTION_EGRESS);
    work();
    assert_rate(10, DIRECTION_EGRESS, 20000);
}

/* --- limits ------------------------------------------------------------------------------------------- */

static void live(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);
    struct Limits limits = {.set[LIMIT_NETWORK_INGRESS_MAX] = true,
                            .value[LIMIT_NETWORK_INGRESS_MAX] = 10 * MBIT};
    char why[REASON_MAX] = "";

    veth(10, 100);
    network_guard_open(&ground->guard, false);
    assert_true(network_guard_can(&ground->guard, web, &limits, why)); /* which connects */
    override(web, LIMIT_NETWORK_INGRESS_MAX, 10 * MBIT);
    work();
    assert_rate(10, DIRECTION_INGRESS, 10 * MBIT);
    override(web, LIMIT_NETWORK_INGRESS_MAX, 50 * MBIT);
    work();
    assert_rate(10, DIRECTION_INGRESS, 50 * MBIT);
    override(web, LIMIT_NETWORK_INGRESS_MAX, 0);
    work();
    assert_rate(10, DIRECTION_INGRESS, 0);
    assert_int_equal(ground->ledger.n_used, 0);
    ground->now += 10 * USEC_PER_MINUTE;
    work();
    assert_false(ground->is_open); /* nobody wants it any more */
}

static void what_cannot_be(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100), *host = tenant(2, "docker/host", HOST_INODE);
    struct Limits limits = {.set[LIMIT_NETWORK_INGRESS_MAX] = true, .value[LIMIT_NETWORK_INGRESS_MAX] = 1000};
    char why[REASON_MAX] = "";

    veth(10, 100);
    network_guard_open(&ground->guard, false);
    assert_false(network_guard_can(&ground->guard, web, &limits, why));
    assert_non_null(strstr(why, "at least 12kbit"));
    limits.value[LIMIT_NETWORK_INGRESS_MAX] = 10 * MBIT;
    assert_false(network_guard_can(&ground->guard, host, &limits, why));
    assert_non_null(strstr(why, "host-network: it uses the host's network"));
}

static void somebody_is_in_the_way(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ground->sets[0][DIRECTION_EGRESS].obstacle = "tbf 1:";
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    assert_int_equal(ground->outcome.result, RESULT_FAILED);
    assert_non_null(
        strstr(web->limits[LIMIT_NETWORK_EGRESS_MAX].note, "veth10 has a tbf 1:, which is not guardd's"));
    assert_false(web->limits[LIMIT_NETWORK_EGRESS_MAX].applied);
    assert_int_equal(ground->settled, 1);
    limiting_check_network(&ground->pipeline, web, ground->now); /* not again and again */
    work();
    assert_int_equal(ground->settled, 1);
    ground->sets[0][DIRECTION_EGRESS].obstacle = NULL;
    hear_gone(LINK_EVENT_QDISC_GONE, 10, 4711);
    assert_true(web->network.retry_usec < ground->now + SECOND);
    assert_true(web->limits_due_usec == USEC_INFINITY); /* its other limits have settled, and stay so */
    ground->now += SECOND;
    work();
    assert_rate(10, DIRECTION_EGRESS, 10 * MBIT);
}

static void a_module_is_missing(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ground->module = "sch_tbf";
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    assert_non_null(strstr(web->limits[LIMIT_NETWORK_EGRESS_MAX].note, "modprobe sch_tbf"));
}

/* Nothing will be announced when that is over. */
static void what_went_wrong_is_tried_again(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ground->module = "sch_tbf";
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    assert_true(web->network.retry_usec == ground->now + SECOND);
    ground->now += SECOND;
    work();
    assert_true(web->network.retry_usec == ground->now + 2 * SECOND); /* not at the same pace for ever */
    ground->now += SECOND;
    ground->module = NULL;
    work();
    assert_rate(10, DIRECTION_EGRESS, 0);
    ground->now += SECOND;
    work();
    assert_rate(10, DIRECTION_EGRESS, 10 * MBIT);
    assert_int_equal(web->network.retries, 0);
    assert_int_equal(ground->ledger.n_used, 1);
}

static void not_for_ever(void **state)
{
    const struct Tenant *web = tenant(1, "docker/web", 100);
    usec_t begin = ground->now;

    veth(10, 100);
    ground->module = "sch_tbf";
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    while (web->network.retry_usec != USEC_INFINITY && ground->now < begin + 1000 * SECOND) {
        ground->now = web->network.retry_usec;
        work();
    }
    assert_int_equal(ground->settled, 8);
    assert_true(ground->now == begin + 127 * SECOND);
}

/* What is put right by nobody's order, and fails. */
static void what_is_put_back_is_tried_again(void **state)
{
    tenant(1, "docker/web", 100);
    veth(10, 100);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    ground->links[0].mtu = 9000;
    ground->set_error = -ENOBUFS;
    hear_link(10);
    work();
    assert_true(said("is not as it should be"));
    ground->sets[0][DIRECTION_EGRESS].rate_bytes = 0;
    ground->now += SECOND;
    work();
    assert_true(ground->sets[0][DIRECTION_EGRESS].rate_bytes > 0);
}

/* The answer of an order for the old link comes when the new one is there already. */
static void a_link_is_replaced_while_it_is_set(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    while (web->limits[LIMIT_NETWORK_EGRESS_MAX].waiting == 0) {
        assert_true(work_once() || ground->n_tasks == 0);
        network_guard_pass(&ground->guard, ground->now);
    }
    ground->links[0].ifindex = 11;
    hear_gone(LINK_EVENT_LINK_GONE, 10, 0);
    hear_link(11);
    ground->now += SECOND;
    network_guard_pass(&ground->guard, ground->now);
    assert_int_equal(web->network.n_links, 1);
    work();
    assert_rate(11, DIRECTION_EGRESS, 10 * MBIT);
    assert_int_equal(web->network.error[DIRECTION_EGRESS], 0);
    assert_true(web->limits[LIMIT_NETWORK_EGRESS_MAX].applied);
    assert_int_equal(ground->ledger.n_used, 1);
}

/* That its qdiscs are gone says nothing, that it is gone itself does. */
static void a_link_goes_while_it_is_set(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ask(10 * MBIT);
    ground->goes_when_set = true;
    network_guard_open(&ground->guard, false);
    while (ground->sets_made == 0) {
        assert_true(work_once() || ground->n_tasks == 0);
        network_guard_pass(&ground->guard, ground->now);
    }
    namespaces[1] = 0;
    hear_gone(LINK_EVENT_LINK_GONE, 10, 0);
    work();
    assert_false(said("Input/output error"));
    assert_int_not_equal(ground->outcome.result, RESULT_FAILED);
    assert_false(web->limits[LIMIT_NETWORK_EGRESS_MAX].applied);
    assert_int_equal(ground->ledger.n_used, 0);
}

static void the_link_goes(void)
{
    if (ground->sets_made == 0)
        return;
    namespaces[1] = 0;
    ground->links[0].ifindex = 0;
    hear_gone(LINK_EVENT_LINK_GONE, 10, 0);
    network_guard_pass(&ground->guard, ground->now);
}

/* The rate was set, and there is nothing left to read it back from. */
static void a_link_goes_before_the_answer(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    while (ground->sets_made == 0) {
        assert_true(work_once_and(the_link_goes) || ground->n_tasks == 0);
        network_guard_pass(&ground->guard, ground->now);
    }
    assert_int_equal(ground->settled, 1);
    assert_int_equal(ground->outcome.result, RESULT_GONE);
    assert_string_equal(ground->outcome.text, "its link is gone");
    work();
    assert_false(web->limits[LIMIT_NETWORK_EGRESS_MAX].applied);
    assert_string_equal(web->limits[LIMIT_NETWORK_EGRESS_MAX].note, "");
    assert_int_equal(ground->ledger.n_used, 0);
}

static void somebody_takes_it_away(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);
    unsigned inspections;

    veth(10, 100);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    inspections = ground->inspections;
    hear_gone(LINK_EVENT_FILTER_GONE, 10, OUR_PORT); /* ourselves */
    work();
    assert_int_equal(ground->inspections, inspections);
    hear_gone(LINK_EVENT_FILTER_GONE, 10, 4711); /* another's filter */
    work();
    assert_int_equal(web->network.repaired, 0);
    ground->sets[0][DIRECTION_EGRESS].rate_bytes = 0;
    hear_gone(LINK_EVENT_FILTER_GONE, 10, 4711);
    work();
    assert_int_equal(web->network.repaired, 1);
    assert_rate(10, DIRECTION_EGRESS, 10 * MBIT);
    assert_true(said("it is put back"));
}

/* Of an IFB that goes nothing but its link's number is known. */
static void somebody_takes_the_device_away(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);
    struct LinkEvent event = {.kind = LINK_EVENT_LINK,
                              .ifindex = 20,
                              .link = {.ifindex = 20, .kind = LINK_IFB, .name = "guardd-a"}};

    veth(10, 100);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    hear(&event);
    ground->sets[0][DIRECTION_EGRESS].rate_bytes = 0;
    hear_gone(LINK_EVENT_LINK_GONE, 20, 0);
    work();
    assert_int_equal(web->network.repaired, 1);
    assert_rate(10, DIRECTION_EGRESS, 10 * MBIT);
}

/* What was begun is taken back, and what cannot be is not forgotten. */
static void half_of_it_is_set(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ask(10 * MBIT);
    ground->set_error = -EPERM;
    network_guard_open(&ground->guard, false);
    work();
    assert_int_equal(ground->outcome.result, RESULT_FAILED);
    assert_false(web->limits[LIMIT_NETWORK_EGRESS_MAX].applied);
    assert_rate(10, DIRECTION_EGRESS, 0);
    assert_false(ground->devices[0]);
    assert_int_equal(ground->ledger.n_used, 0);
}

/* Somebody puts his own there instead of a piece of ours: the rest goes with the link at the latest. */
static void somebody_comes_in_the_way(void **state)
{
    tenant(1, "docker/web", 100);
    veth(10, 100);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    assert_true(ground->devices[0]);
    ground->sets[0][DIRECTION_EGRESS].obstacle = "u32 filter, preference 10";
    hear_gone(LINK_EVENT_FILTER_GONE, 10, 4711);
    work();
    ground->links[0].peer = 0;
    namespaces[1] = 0;
    hear_gone(LINK_EVENT_LINK_GONE, 10, 0);
    work();
    assert_false(ground->devices[0]);
}

/* An order that is under way finds another link by the same number. */
static void a_number_is_used_again(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    network_guard_open(&ground->guard, false);
    override(web, LIMIT_NETWORK_INGRESS_MAX, 10 * MBIT);
    network_guard_meet(&ground->guard, web);
    while (web->network.n_links == 0) {
        assert_true(work_once() || ground->n_tasks == 0);
        network_guard_pass(&ground->guard, ground->now);
    }
    assert_true(ground->n_tasks > 0);
    hear_gone(LINK_EVENT_LINK_GONE, 10, 0);
    ground->links[0].peer_namespace = 7;
    hear_link(10);
    work();
    assert_rate(10, DIRECTION_INGRESS, 0);
}

/* --- those who share ---------------------------------------------------------------------------------- */

static void a_pod_has_one_rate(void **state)
{
    struct Tenant *a = tenant(1, "docker/a", 100), *b = tenant(2, "docker/b", 100);

    veth(10, 100);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    assert_int_equal(a->network.n_sharers, 1);
    assert_string_equal(b->network.sharer, "docker/a");
    assert_rate(10, DIRECTION_EGRESS, 10 * MBIT);
    override(b, LIMIT_NETWORK_EGRESS_MAX, 5 * MBIT);
    work();
    assert_int_equal(ground->outcome.result, RESULT_DONE);
    assert_rate(10, DIRECTION_EGRESS, 5 * MBIT);
    override(a, LIMIT_NETWORK_EGRESS_MAX, 20 * MBIT); /* the lowest counts */
    work();
    assert_int_equal(ground->outcome.result, RESULT_DONE);
    assert_rate(10, DIRECTION_EGRESS, 5 * MBIT);
    vanish(b);
    work();
    assert_int_equal(a->network.n_sharers, 0);
    assert_rate(10, DIRECTION_EGRESS, 20 * MBIT);
    assert_false(said("somebody"));
}

/* --- the run before ------------------------------------------------------------------------------------ */

static void what_stands_is_taken_up(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    veth(11, 101); /* of nobody any more */
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    ground->sets[1][DIRECTION_INGRESS].rate_bytes = 1000;
    network_guard_close(&ground->guard); /* kill -9, and a start that knows the ledger */
    ground->sets_made = 0;
    web->limits[LIMIT_NETWORK_EGRESS_MAX] =
        (struct LimitState){.applied = true, .found = LIMIT_INFINITY, .value = 10 * MBIT};
    network_guard_open(&ground->guard, true);
    work();
    assert_int_equal(ground->sets_made, 0); /* it fits */
    assert_int_equal(ground->sweeps, 1);
    assert_rate(10, DIRECTION_EGRESS, 10 * MBIT);
    assert_int_equal(ground->sets[1][DIRECTION_INGRESS].rate_bytes, 0);
}

static void what_nobody_asks_for_any_more_goes(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ground->sets[0][DIRECTION_EGRESS].rate_bytes = 1000;
    web->limits[LIMIT_NETWORK_EGRESS_MAX] =
        (struct LimitState){.applied = true, .found = LIMIT_INFINITY, .value = 10 * MBIT};
    network_guard_open(&ground->guard, true);
    work();
    assert_false(web->limits[LIMIT_NETWORK_EGRESS_MAX].applied);
    assert_rate(10, DIRECTION_EGRESS, 0);
}

static int find_links(void *userdata, uint32_t slot, const struct LedgerEntry *entry)
{
    *(bool *)userdata |= entry->kind == ENTRY_LINKS;
    return 0;
}

/* As a start would find it that came now. */
static bool is_to_be_swept(void)
{
    bool found = false;

    assert_int_equal(ledger_for_each(&ground->ledger, find_links, &found), 0);
    return found;
}

/* The entry of the limit goes with the tenant, and the order has not been carried out yet. */
static void killed_before_it_is_taken_off(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    assert_false(is_to_be_swept());
    vanish(web);
    assert_true(is_to_be_swept());
    work();
    assert_false(is_to_be_swept());
    assert_int_equal(ground->ledger.n_used, 0);
}

static void killed_before_a_lost_link_is_swept(void **state)
{
    tenant(1, "docker/web", 100);
    veth(10, 100);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    namespaces[1] = 0;
    ground->links[0].peer = 0;
    hear_gone(LINK_EVENT_LINK_GONE, 10, 0);
    assert_true(is_to_be_swept());
    work();
    assert_false(is_to_be_swept());
}

static void what_cannot_be_taken_off_is_swept_later(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    vanish(web);
    ground->unset_error = -ENOBUFS;
    work();
    assert_rate(10, DIRECTION_EGRESS, 10 * MBIT);
    assert_true(is_to_be_swept());
    assert_true(network_guard_due_usec(&ground->guard) <= ground->now + SECOND);
    ground->now += SECOND;
    work();
    assert_rate(10, DIRECTION_EGRESS, 0);
    assert_int_equal(ground->ledger.n_used, 0);
}

/* Its tenant is gone: until links are swept the ledger goes on to say that they are to be. */
static void killed_again_before_the_sweep(void **state)
{
    const struct Tree tree = {.root_fd = -EBADF};
    struct Recovery recovery = {.pipeline = &ground->pipeline,
                                .registry = &ground->registry,
                                .tree = &tree,
                                .now = ground->now,
                                .links_slot = LEDGER_SLOT_NONE};
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    network_guard_close(&ground->guard);
    free_tenant(web);
    assert_int_equal(recover_run(&recovery), 0);
    assert_true(recovery.links && is_to_be_swept());
    recovery.links_slot = LEDGER_SLOT_NONE;
    assert_int_equal(recover_run(&recovery), 0);
    assert_true(recovery.links && is_to_be_swept());
    ground->guard.slot = recovery.links_slot;
    network_guard_open(&ground->guard, recovery.links);
    work();
    assert_rate(10, DIRECTION_EGRESS, 0);
    assert_int_equal(ground->ledger.n_used, 0);
}

static void announcements_are_lost(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    ground->sets[0][DIRECTION_EGRESS].rate_bytes = 0;
    ground->guard.sensor.lost(ground->guard.sensor.userdata);
    work();
    assert_int_equal(ground->lists, 2);
    assert_rate(10, DIRECTION_EGRESS, 10 * MBIT);
    assert_int_equal(web->network.repaired, 1);
}

/* --- a throttle ---------------------------------------------------------------------------------------- */

static void decide(struct Tenant *whose, enum Verb verb)
{
    const struct Decision decision = {.verb = verb,
                                      .limit = LIMIT_INVALID,
                                      .resource = RESOURCE_NETWORK,
                                      .rule = "flood",
                                      .at_usec = ground->now};

    pipeline_carry_out(&ground->pipeline, whose, &decision, 0, ground->now);
}

static struct Tenant *flooding(void)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ground->rule = (struct Rule){.name = "flood",
                                 .resource = RESOURCE_NETWORK,
                                 .when = {.reading = READING_NET_EGRESS},
                                 .until = {.reading = READING_NET_EGRESS},
                                 .steps = {{.verb = VERB_THROTTLE, .lasts_usec = USEC_INFINITY}},
                                 .n_steps = 1};
    ground->class.rules[0] = &ground->rule;
    ground->class.n_rules = 1;
    ground->class.network_flood_bits = MBIT;
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    decide(web, VERB_THROTTLE);
    return web;
}

static void a_flood_is_throttled(void **state)
{
    struct Tenant *web = flooding();

    assert_true(web->throttling.under_way);
    work();
    assert_false(web->throttling.under_way);
    assert_int_equal(ground->outcome.result, RESULT_DONE);
    assert_rate(10, DIRECTION_EGRESS, MBIT);
    assert_rate(10, DIRECTION_INGRESS, MBIT);
    override(web, LIMIT_NETWORK_EGRESS_MAX, 20 * MBIT); /* a limit that is set meanwhile */
    work();
    assert_int_equal(ground->outcome.result, RESULT_DONE);
    assert_rate(10, DIRECTION_EGRESS, MBIT);
    decide(web, VERB_UNTHROTTLE);
    work();
    assert_int_equal(ground->outcome.result, RESULT_DONE);
    assert_rate(10, DIRECTION_EGRESS, 20 * MBIT);
    assert_rate(10, DIRECTION_INGRESS, 0);
    assert_int_equal(ground->ledger.n_used, 1); /* the limit */
}

/* An operator sets a limit before the throttle's answer is there: what was ordered then is not in force yet.
 */
static void a_limit_changes_while_a_throttle_begins(void **state)
{
    struct Tenant *web = flooding();

    override(web, LIMIT_NETWORK_EGRESS_MAX, 20 * MBIT);
    work();
    pipeline_check(&ground->pipeline, web, ground->now);
    assert_false(web->throttling.under_way);
    assert_int_equal(ground->outcome.result, RESULT_DONE);
    assert_int_equal(web->network.flood_bits, MBIT);
    assert_rate(10, DIRECTION_EGRESS, MBIT);
    assert_rate(10, DIRECTION_INGRESS, MBIT);
}

/* Its order stands behind that of the throttle, and is not done when that is. */
static void a_limit_is_set_while_a_throttle_begins(void **state)
{
    struct Tenant *web = flooding();

    override(web, LIMIT_NETWORK_EGRESS_MAX, 20 * MBIT);
    while (web->throttles[RESOURCE_NETWORK].waiting > 0)
        assert_true(work_once());
    assert_true(network_has_orders(&web->network));
    assert_true(web->throttling.under_way);
    work();
    throttling_check(&ground->pipeline, web, ground->now);
    assert_false(web->throttling.under_way);
    assert_int_equal(ground->outcome.result, RESULT_DONE);
    assert_rate(10, DIRECTION_EGRESS, MBIT);
    assert_true(web->throttles[RESOURCE_NETWORK].holders != 0);
}

static int find_throttle(void *userdata, uint32_t slot, const struct LedgerEntry *entry)
{
    if (entry->kind == ENTRY_THROTTLE)
        *(struct LedgerEntry *)userdata = *entry;
    return 0;
}

static void a_throttle_is_taken_up(void **state)
{
    struct Tenant *web = flooding();
    struct LedgerEntry entry = {0};

    work();
    network_guard_close(&ground->guard); /* kill -9 */
    web->throttles[RESOURCE_NETWORK] = (struct Throttle){0};
    assert_int_equal(ledger_for_each(&ground->ledger, find_throttle, &entry), 0);
    assert_int_equal(entry.resource, RESOURCE_NETWORK);
    ground->sets_made = 0;
    assert_int_equal(throttling_adopt(&ground->pipeline, web, &entry, 0, 0, ground->now), 0);
    network_guard_open(&ground->guard, true);
    work();
    assert_int_equal(ground->sets_made, 0);
    assert_rate(10, DIRECTION_INGRESS, MBIT);
}

static void who_has_no_link_is_not_throttled(void **state)
{
    struct Tenant *host;

    flooding();
    host = tenant(2, "docker/host", HOST_INODE);
    work();
    decide(host, VERB_THROTTLE);
    assert_int_equal(ground->outcome.result, RESULT_FAILED);
    assert_non_null(strstr(ground->outcome.text, "no link of it is known"));
}

/* --- counters ------------------------------------------------------------------------------------------ */

static void counters_are_read_once_for_all(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100), *db = tenant(2, "docker/db", 101);

    veth(10, 100);
    veth(11, 101);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    ground->lists = 0;
    network_guard_refresh(&ground->guard, web, ground->now);
    network_guard_refresh(&ground->guard, db, ground->now);
    assert_int_equal(ground->lists, 1);
    assert_false(web->readings.valid[READING_NET_EGRESS]); /* a rate takes two looks */
    assert_int_equal(web->network.links[0].rates[DIRECTION_INGRESS].dropped, 5);
    ground->now += SECOND;
    ground->links[0].received.bytes = 1250000;
    network_guard_refresh(&ground->guard, web, ground->now);
    assert_true(web->readings.valid[READING_NET_EGRESS]);
    assert_int_equal(web->readings.value[READING_NET_EGRESS], 10 * MBIT);
    assert_int_equal(web->readings.limit[READING_NET_EGRESS], 10 * MBIT);
    assert_int_equal(db->readings.value[READING_NET_EGRESS], 0);
    assert_true(network_guard_due_usec(&ground->guard) > ground->now + SECOND); /* no rule reads them */
}

/* Of many who look while others hold the kernel's lock, one holds up the loop. */
static void nobody_waits_twice(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    ground->is_stuck = true;
    for (int i = 0; i < 5; i++) {
        ground->now += SECOND;
        ground->guard.metering = false; /* as if it were another order each time */
        network_guard_refresh(&ground->guard, web, ground->now);
    }
    assert_int_equal(ground->waits, 1);
    ground->is_stuck = false;
    work();
    ground->now += SECOND;
    network_guard_refresh(&ground->guard, web, ground->now);
    assert_int_equal(ground->waits, 2);
}

/* Of a class alone, or of one of two that share. */
static void another_burst(void **state)
{
    struct TenantClass larger = {.name = "larger", .network_burst_bytes = 200000};
    struct Tenant *web = tenant(1, "docker/web", 100), *db = tenant(2, "docker/db", 100);

    veth(10, 100);
    ask(10 * MBIT);
    ground->class.network_burst_bytes = 100000;
    db->class = &larger;
    network_guard_open(&ground->guard, false);
    network_guard_meet(&ground->guard, db);
    work();
    network_guard_look(&ground->guard, db, ground->now);
    network_guard_refresh(&ground->guard, db, ground->now); /* who wants nothing is looked for by who looks */
    work();
    assert_int_equal(ground->sets[0][DIRECTION_EGRESS].burst_bytes, 200000);
    shaping_inspect(&ground->guard, web, &web->network.links[0], DIRECTION_EGRESS);
    shaping_inspect(&ground->guard, db, &db->network.links[0], DIRECTION_EGRESS);
    work();
    assert_int_equal(web->network.repaired, 0);
    larger.network_burst_bytes = 300000;
    network_guard_reload(&ground->guard);
    work();
    assert_int_equal(ground->sets[0][DIRECTION_EGRESS].burst_bytes, 300000);
    assert_false(said("somebody"));
}

/* What a queue dropped that is on a device of guardd's, the tenant sent. */
static void drops_of_both_directions(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    veth(50, 150);
    ground->links[1].kind = LINK_IFB;
    strcpy(ground->links[1].name, "guardd-a");
    ask(10 * MBIT);
    network_guard_open(&ground->guard, false);
    work();
    network_guard_refresh(&ground->guard, web, ground->now);
    assert_int_equal(web->network.links[0].rates[DIRECTION_EGRESS].dropped, 7);
    assert_int_equal(web->network.links[0].rates[DIRECTION_INGRESS].dropped, 5);
}

/* Who looks a second time has rates, of all tenants: the first look was at all links. */
static void rates_come_with_the_second_look(void **state)
{
    struct Tenant *web = tenant(1, "docker/web", 100), *db = tenant(2, "docker/db", 101);

    veth(10, 100);
    veth(11, 101);
    network_guard_open(&ground->guard, false);
    network_guard_refresh(&ground->guard, web, ground->now);
    network_guard_refresh(&ground->guard, db, ground->now);
    assert_false(web->readings.valid[READING_NET_EGRESS]);
    ground->now += 250 * USEC_PER_MSEC;
    ground->links[0].received.bytes = 1250000;
    ground->links[1].sent.bytes = 125000;
    network_guard_refresh(&ground->guard, web, ground->now);
    network_guard_refresh(&ground->guard, db, ground->now);
    assert_true(web->readings.valid[READING_NET_EGRESS] && db->readings.valid[READING_NET_INGRESS]);
    assert_int_equal(web->readings.value[READING_NET_EGRESS], 40 * MBIT);
    assert_int_equal(db->readings.value[READING_NET_INGRESS], 4 * MBIT);
    ground->lists = 0;
    ground->now += 250 * USEC_PER_MSEC; /* now nobody waits for a rate */
    network_guard_refresh(&ground->guard, web, ground->now);
    assert_int_equal(ground->lists, 0);
}

/* A percentage is of what the pod may have, also while another one of it is throttled. */
static void a_pod_has_one_limit(void **state)
{
    struct Tenant *web, *aside = tenant(2, "docker/aside", 100);

    web = flooding();
    work();
    assert_int_equal(ground->outcome.result, RESULT_DONE);
    assert_int_equal(web->network.flood_bits, MBIT);
    ask(0);
    override(web, LIMIT_NETWORK_EGRESS_MAX, 10 * MBIT);
    override(aside, LIMIT_NETWORK_EGRESS_MAX, 0);
    work();
    assert_false(aside->limits[LIMIT_NETWORK_EGRESS_MAX].applied);
    assert_int_equal(aside->network.wanted[DIRECTION_EGRESS], MBIT);
    ground->now += SECOND;
    network_guard_refresh(&ground->guard, aside, ground->now);
    assert_int_equal(web->readings.limit[READING_NET_EGRESS], 10 * MBIT);
    assert_int_equal(aside->readings.limit[READING_NET_EGRESS], 10 * MBIT);
}

static struct Tenant *read_by_a_rule(enum ReadingId when)
{
    struct Tenant *web = tenant(1, "docker/web", 100);

    veth(10, 100);
    ground->rule =
        (struct Rule){.name = "flood", .when = {.reading = when}, .until = {.reading = READING_NET_EGRESS}};
    ground->class.rules[0] = &ground->rule;
    ground->class.n_rules = 1;
    network_guard_open(&ground->guard, false);
    work();
    return web;
}

/* While the kernel keeps its links locked nobody is judged by what was sent before. */
static void what_was_read_long_ago_is_not_known(void **state)
{
    struct Tenant *web = read_by_a_rule(READING_NET_EGRESS);

    ground->links[0].received.bytes = 1250000;
    ground->now += SECOND;
    work();
    assert_true(web->readings.valid[READING_NET_EGRESS]);
    ground->guard.host_readings.valid[READING_HOST_NET_EGRESS] = true;
    ground->now += SECOND;
    network_guard_pass(&ground->guard, ground->now); /* asks; no answer comes */
    ground->now += SECOND;
    network_guard_pass(&ground->guard, ground->now);
    assert_true(web->readings.valid[READING_NET_EGRESS]);
    assert_true(network_guard_due_usec(&ground->guard) == ground->now + SECOND);
    ground->now += SECOND;
    network_guard_pass(&ground->guard, ground->now);
    assert_false(web->readings.valid[READING_NET_EGRESS]);
    assert_false(ground->guard.host_readings.valid[READING_HOST_NET_EGRESS]);
    assert_true(network_guard_due_usec(&ground->guard) == USEC_INFINITY);
    ground->links[0].received.bytes += 3 * 1250000;
    work();
    assert_int_equal(web->readings.value[READING_NET_EGRESS], 10 * MBIT); /* since it was read last */
}

static void there_is_no_memory_to_read_them(void **state)
{
    (void)read_by_a_rule(READING_NET_EGRESS);
    ground->now += SECOND;
    ground->no_memory = true;
    network_guard_pass(&ground->guard, ground->now);
    assert_true(network_guard_due_usec(&ground->guard) > ground->now);
}

static void a_rule_that_ends_by_them_reads_them_then(void **state)
{
    struct Tenant *web = read_by_a_rule(READING_TASKS_DENIED);

    assert_true(ground->guard.connected);
    assert_true(network_guard_due_usec(&ground->guard) == USEC_INFINITY);
    web->condition.rules[0].phase = PHASE_STANDING;
    assert_true(network_guard_due_usec(&ground->guard) <= ground->now);
    work();
    assert_true(network_guard_due_usec(&ground->guard) == ground->now + SECOND);
}

static void a_rule_has_them_read(void **state)
{
    struct Tenant *web = read_by_a_rule(READING_NET_EGRESS);

    ground->now += SECOND;
    ground->links[0].received.bytes = 1250000;
    assert_true(network_guard_due_usec(&ground->guard) <= ground->now);
    work();
    assert_true(web->readings.valid[READING_NET_EGRESS]);
    assert_true(network_guard_due_usec(&ground->guard) == ground->now + SECOND);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_asks),
        TEST(a_class_asks),
        TEST(who_is_concerned_is_put_on_the_agenda),
        TEST(a_link_comes_later),
        TEST(a_namespace_number_is_used_again),
        TEST(links_of_others_are_not_taken),
        TEST(a_macvlan_is_explained),
        TEST(a_link_goes),
        TEST(a_tenant_vanishes),
        TEST(it_comes_to_another_namespace),
        TEST(a_link_is_renamed_and_gets_another_mtu),
        TEST(an_mtu_for_which_there_is_no_such_rate),
        TEST(live),
        TEST(what_cannot_be),
        TEST(somebody_is_in_the_way),
        TEST(a_module_is_missing),
        TEST(what_went_wrong_is_tried_again),
        TEST(not_for_ever),
        TEST(what_is_put_back_is_tried_again),
        TEST(a_link_is_replaced_while_it_is_set),
        TEST(a_link_goes_while_it_is_set),
        TEST(a_link_goes_before_the_answer),
        TEST(somebody_takes_it_away),
        TEST(somebody_takes_the_device_away),
        TEST(half_of_it_is_set),
        TEST(somebody_comes_in_the_way),
        TEST(a_number_is_used_again),
        TEST(a_pod_has_one_rate),
        TEST(what_stands_is_taken_up),
        TEST(what_nobody_asks_for_any_more_goes),
        TEST(killed_before_it_is_taken_off),
        TEST(killed_before_a_lost_link_is_swept),
        TEST(what_cannot_be_taken_off_is_swept_later),
        TEST(killed_again_before_the_sweep),
        TEST(announcements_are_lost),
        TEST(a_flood_is_throttled),
        TEST(a_limit_changes_while_a_throttle_begins),
        TEST(a_throttle_is_taken_up),
        TEST(who_has_no_link_is_not_throttled),
        TEST(counters_are_read_once_for_all),
        TEST(drops_of_both_directions),
        TEST(rates_come_with_the_second_look),
        TEST(a_pod_has_one_limit),
        TEST(what_was_read_long_ago_is_not_known),
        TEST(there_is_no_memory_to_read_them),
        TEST(a_rule_that_ends_by_them_reads_them_then),
        TEST(a_limit_is_set_while_a_throttle_begins),
        TEST(nobody_waits_twice),
        TEST(another_burst),
        TEST(a_rule_has_them_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
