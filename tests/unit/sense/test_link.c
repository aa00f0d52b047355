/* The kernel's own links, in network namespaces of this test: the one it is in plays the host's, a child is
 * in another one, as a container would be. Where no namespace can be made all is skipped. */
#include "../scratch.h"

#include <errno.h>
#include <grp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_sched.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/link/macvlan.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/qdisc/fifo.h>
#include <netlink/route/tc.h>

#include "sense/link.h"

#define EVENTS_MAX 512

struct Ground {
    struct nl_sock *tool; /* what ip(8) would be */
    struct LinkSensor sensor;
    struct LinkTable table;
    struct LinkEvent events[EVENTS_MAX];
    size_t n_events;
    unsigned lost;
};

static bool namespaces; /* can be made here */

static void heard(void *userdata, const struct LinkEvent *event)
{
    struct Ground *ground = userdata;

    if (ground->n_events < EVENTS_MAX)
        ground->events[ground->n_events++] = *event;
}

static void lost(void *userdata)
{
    ((struct Ground *)userdata)->lost++;
}

static int set_up(void **state)
{
    struct Ground *ground = calloc(1, sizeof(*ground));

    assert_non_null(ground);
    *state = ground;
    if (!namespaces)
        return 0;
    assert_int_equal(unshare(CLONE_NEWNET), 0);
    ground->tool = nl_socket_alloc();
    assert_int_equal(nl_connect(ground->tool, NETLINK_ROUTE), 0);
    ground->sensor = (struct LinkSensor){.heard = heard, .lost = lost, .userdata = ground};
    assert_int_equal(link_sensor_open(&ground->sensor), 0);
    return 0;
}

static int tear_down(void **state)
{
    struct Ground *ground = *state;

    link_sensor_close(&ground->sensor);
    link_table_done(&ground->table);
    nl_socket_free(ground->tool);
    free(ground);
    return 0;
}

/* --- a container -----------------------------------------------------------------------------------------
 */

/* A process in a network namespace of its own, that does what it is told. */
struct Container {
    pid_t pid;
    int tell; /* a byte: go on */
    int hear;
};

static void raise_link(const char *name)
{
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    request.ifr_flags = IFF_UP;
    if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        _exit(1);
    close(fd);
}

static void send_frames(const char *link, int n)
{
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(link), .sll_halen = 6};
    char frame[1000] = {0};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

    memset(frame, 0xff, 6);
    frame[12] = (char)0x88; /* of no protocol */
    frame[13] = (char)0xb5;
    for (int i = 0; i < n; i++)
        if (sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)) != sizeof(frame))
            _exit(1);
    close(fd);
}

static void live_in_container(int tell, int hear)
{
    char byte = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWNET) < 0)
        _exit(1);
    if (write(hear, "r", 1) != 1)
        _exit(1);
    while (read(tell, &byte, 1) == 1) {
        raise_link("eth0");
        if (byte == 's')
            send_frames("eth0", 100);
        if (write(hear, "s", 1) != 1)
            _exit(1);
    }
    _exit(0);
}

static struct Container container_new(void)
{
    struct Container container;
    int tell[2], hear[2];
    char byte = 0;

    assert_int_equal(pipe(tell), 0);
    assert_int_equal(pipe(hear), 0);
    container.pid = fork();
    assert_true(container.pid >= 0);
    if (container.pid == 0) {
        close(tell[1]);
        close(hear[0]);
        live_in_container(tell[0], hear[1]);
    }
    close(tell[0]);
    close(hear[1]);
    container.tell = tell[1];
    container.hear = hear[0];
    assert_int_equal(read(container.hear, &byte, 1), 1);
    return container;
}

/* "u": raise eth0; "s": and send 100 frames there. */
static void container_do(const struct Container *container, const char *what)
{
    char byte = 0;

    assert_int_equal(write(container->tell, what, 1), 1);
    assert_int_equal(read(container->hear, &byte, 1), 1);
}

static void container_done(const struct Container *container)
{
    close(container->tell);
    close(container->hear);
    kill(container->pid, SIGKILL);
    assert_int_equal(waitpid(container->pid, NULL, 0), container->pid);
}

/* --- what ip(8) and tc(8) do -------------------------------------------------------------------------------
 */

static void add(struct Ground *ground, struct rtnl_link *link)
{
    int r = rtnl_link_add(ground->tool, link, NLM_F_CREATE | NLM_F_EXCL);

    if (r < 0)
        fail_msg("%s: %s", rtnl_link_get_name(link), nl_geterror(r));
    rtnl_link_put(link);
}

/* One end here, the other one, `far`, in the container. */
static void add_veth(struct Ground *ground, const char *name, const struct Container *container,
                     const char *far, bool up)
{
    struct rtnl_link *link = rtnl_link_veth_alloc(), *peer = rtnl_link_veth_get_peer(link);

    rtnl_link_set_name(link, name);
    rtnl_link_set_name(peer, far);
    rtnl_link_set_mtu(link, 1400);
    if (container)
        rtnl_link_set_ns_pid(peer, container->pid);
    rtnl_link_put(peer);
    add(ground, link);
    if (up)
        raise_link(name);
}

static struct rtnl_link *find(struct Ground *ground, const char *name)
{
    struct rtnl_link *link = NULL;

    assert_int_equal(rtnl_link_get_kernel(ground->tool, 0, name, &link), 0);
    return link;
}

static int add_bridge(struct Ground *ground, const char *name)
{
    struct rtnl_link *link = rtnl_link_bridge_alloc();

    rtnl_link_set_name(link, name);
    add(ground, link);
    return (int)if_nametoindex(name);
}

static void change(struct Ground *ground, const char *name, void (*set)(struct rtnl_link *link, int value),
                   int value)
{
    struct rtnl_link *link = find(ground, name), *wanted = rtnl_link_alloc();

    set(wanted, value);
    assert_int_equal(rtnl_link_change(ground->tool, link, wanted, 0), 0);
    rtnl_link_put(wanted);
    rtnl_link_put(link);
}

static void set_master(struct rtnl_link *link, int value)
{
    rtnl_link_set_master(link, value);
}

static void set_renamed(struct rtnl_link *link, int value)
{
    (void)value;
    rtnl_link_set_name(link, "renamed");
}

static void set_namespace(struct rtnl_link *link, int value)
{
    rtnl_link_set_ns_pid(link, value);
}

static void remove_link(struct Ground *ground, const char *name)
{
    struct rtnl_link *link = find(ground, name);

    assert_int_equal(rtnl_link_delete(ground->tool, link), 0);
    rtnl_link_put(link);
}

static struct rtnl_qdisc *queue_of(const char *name, uint32_t handle)
{
    struct rtnl_qdisc *queue = rtnl_qdisc_alloc();

    rtnl_tc_set_ifindex(TC_CAST(queue), (int)if_nametoindex(name));
    rtnl_tc_set_parent(TC_CAST(queue), TC_H_ROOT);
    rtnl_tc_set_handle(TC_CAST(queue), handle);
    return queue;
}

/* A plain queue of at most so many packets. */
static void add_queue(struct Ground *ground, const char *name, uint32_t handle, const char *kind)
{
    struct rtnl_qdisc *queue = queue_of(name, handle);

    assert_int_equal(rtnl_tc_set_kind(TC_CAST(queue), kind), 0);
    rtnl_qdisc_fifo_set_limit(queue, 1000000);
    assert_int_equal(rtnl_qdisc_add(ground->tool, queue, NLM_F_CREATE | NLM_F_REPLACE), 0);
    rtnl_qdisc_put(queue);
}

static void remove_queue(struct Ground *ground, const char *name, uint32_t handle)
{
    struct rtnl_qdisc *queue = queue_of(name, handle);

    assert_int_equal(rtnl_qdisc_delete(ground->tool, queue), 0);
    rtnl_qdisc_put(queue);
}

/* --- looking -----------------------------------------------------------------------------------------------
 */

static void dump(struct Ground *ground)
{
    assert_int_equal(link_sensor_dump(&ground->sensor, NAMESPACE_ID_NONE, &ground->table), 0);
}

static const struct Link *named(const struct Ground *ground, const char *name)
{
    for (size_t i = 0; i < ground->table.n; i++)
        if (strcmp(ground->table.list[i].name, name) == 0)
            return &ground->table.list[i];
    fail_msg("there is no %s", name);
    return NULL;
}

static int32_t id_of(struct Ground *ground, pid_t pid)
{
    int32_t id = -2;

    assert_int_equal(link_sensor_namespace_id(&ground->sensor, pid, &id), 0);
    return id;
}

static void catch_up(struct Ground *ground)
{
    assert_int_equal(link_sensor_dispatch(&ground->sensor), 0);
}

/* Of that link, where one is named. */
static const struct LinkEvent *last_of(const struct Ground *ground, enum LinkEventKind kind, int ifindex)
{
    for (size_t i = ground->n_events; i > 0; i--)
        if (ground->events[i - 1].kind == kind && (ifindex == 0 || ground->events[i - 1].ifindex == ifindex))
            return &ground->events[i - 1];
    return NULL;
}

static const struct LinkEvent *last(const struct Ground *ground, enum LinkEventKind kind)
{
    return last_of(ground, kind, 0);
}

/* Some announcements come when the kernel gets to it. */
static const struct LinkEvent *await(struct Ground *ground, enum LinkEventKind kind)
{
    for (int i = 0; i < 100 && !last(ground, kind); i++) {
        struct pollfd wait = {.fd = link_sensor_fd(&ground->sensor), .events = POLLIN};

        poll(&wait, 1, 100);
        catch_up(ground);
    }
    assert_non_null(last(ground, kind));
    return last(ground, kind);
}

#define SKIP_WITHOUT_NAMESPACES()                                                                            \
    do {                                                                                                     \
        if (!namespaces)                                                                                     \
            skip();                                                                                          \
    } while (0)

/* --- tests -------------------------------------------------------------------------------------------------
 */

static void test_veth_of_a_container(void **state)
{
    struct Ground *ground = *state;
    struct Container one, other;
    struct LinkMatch match;
    int32_t id;

    SKIP_WITHOUT_NAMESPACES();
    one = container_new();
    other = container_new();
    assert_int_equal(id_of(ground, one.pid), NAMESPACE_ID_NONE);
    assert_int_equal(id_of(ground, getpid()), NAMESPACE_ID_NONE);
    add_veth(ground, "ve-one", &one, "eth0", false);
    add_veth(ground, "ve-other", &other, "eth0", true);
    dump(ground);
    id = id_of(ground, one.pid);
    assert_true(id >= 0);
    assert_true(id_of(ground, other.pid) >= 0);
    assert_int_not_equal(id_of(ground, other.pid), id);

    link_match(&ground->table, id, NULL, &match);
    assert_int_equal(match.why, UNSHAPED_NOT);
    assert_int_equal(match.n, 1);
    assert_string_equal(match.links[0]->name, "ve-one");
    assert_int_equal(match.links[0]->ifindex, if_nametoindex("ve-one"));
    assert_int_equal(match.links[0]->mtu, 1400);
    assert_false(match.links[0]->up);
    assert_true(match.links[0]->peer > 0);
    assert_int_equal(match.links[0]->master, 0);
    assert_true(named(ground, "ve-other")->up);
    assert_int_equal(named(ground, "lo")->kind, LINK_LOOPBACK);
    container_done(&one);
    container_done(&other);
}

static void test_several_links_and_bridges(void **state)
{
    struct Ground *ground = *state;
    struct Container container;
    struct LinkMatch match;
    int bridge;

    SKIP_WITHOUT_NAMESPACES();
    container = container_new();
    bridge = add_bridge(ground, "br0");
    add_veth(ground, "ve0", &container, "eth0", false);
    add_veth(ground, "ve1", &container, "eth1", false);
    add_veth(ground, "here", NULL, "there", false);
    change(ground, "ve1", set_master, bridge);
    dump(ground);
    link_match(&ground->table, id_of(ground, container.pid), NULL, &match);
    assert_int_equal(match.n, 2);
    assert_string_equal(match.links[0]->name, "ve0");
    assert_string_equal(match.links[1]->name, "ve1");
    assert_int_equal(match.links[1]->master, bridge);
    assert_int_equal(named(ground, "br0")->kind, LINK_BRIDGE);
    assert_int_equal(named(ground, "here")->peer_namespace, NAMESPACE_ID_NONE);
    assert_int_equal(named(ground, "here")->peer, if_nametoindex("there"));
    container_done(&container);
}

static void test_macvlan_is_seen_inside(void **state)
{
    struct Ground *ground = *state;
    struct LinkTable inside = {0};
    struct Container container;
    struct LinkMatch match;
    struct rtnl_link *link;
    int32_t id;

    SKIP_WITHOUT_NAMESPACES();
    container = container_new();
    add_veth(ground, "up0", NULL, "up1", true);
    link = rtnl_link_macvlan_alloc();
    rtnl_link_set_name(link, "mv0");
    rtnl_link_set_link(link, (int)if_nametoindex("up0"));
    if (rtnl_link_add(ground->tool, link, NLM_F_CREATE | NLM_F_EXCL) < 0) {
        print_message("this kernel has no macvlan\n");
        rtnl_link_put(link);
        container_done(&container);
        skip();
    }
    rtnl_link_put(link);
    change(ground, "mv0", set_namespace, container.pid);
    dump(ground);
    id = id_of(ground, container.pid);
    assert_true(id >= 0);
    link_match(&ground->table, id, NULL, &match);
    assert_int_equal(match.why, UNSHAPED_NO_LINK);
    assert_int_equal(link_sensor_dump(&ground->sensor, id, &inside), 0);
    link_match(&ground->table, id, &inside, &match);
    assert_int_equal(match.why, UNSHAPED_MACVLAN);
    link_table_done(&inside);
    container_done(&container);
}

/* What the container sends is what is received here. */
static void test_counters(void **state)
{
    struct Ground *ground = *state;
    struct LinkCounters egress, ingress;
    struct Container container;

    SKIP_WITHOUT_NAMESPACES();
    container = container_new();
    add_veth(ground, "ve0", &container, "eth0", true);
    container_do(&container, "u");
    dump(ground);
    egress = *link_counters(named(ground, "ve0"), DIRECTION_EGRESS);
    ingress = *link_counters(named(ground, "ve0"), DIRECTION_INGRESS);
    container_do(&container, "s");
    dump(ground);
    /* A few of IPv6 beside them. */
    assert_in_range(link_counters(named(ground, "ve0"), DIRECTION_EGRESS)->bytes - egress.bytes, 100000,
                    150000);
    assert_in_range(link_counters(named(ground, "ve0"), DIRECTION_EGRESS)->packets - egress.packets, 100,
                    150);
    assert_in_range(link_counters(named(ground, "ve0"), DIRECTION_INGRESS)->bytes - ingress.bytes, 0, 50000);
    send_frames("ve0", 200);
    dump(ground);
    assert_in_range(link_counters(named(ground, "ve0"), DIRECTION_INGRESS)->bytes - ingress.bytes, 200000,
                    250000);
    container_done(&container);
}

struct Queues {
    int ifindex;
    unsigned n;
    struct QueueCounters counters;
};

static void take_queue(void *userdata, const struct QueueCounters *counters)
{
    struct Queues *queues = userdata;

    if (counters->ifindex != queues->ifindex || counters->handle == 0)
        return;
    queues->n++;
    queues->counters = *counters;
}

static void test_queues(void **state)
{
    struct Ground *ground = *state;
    struct Container container;
    struct Queues queues = {0};

    SKIP_WITHOUT_NAMESPACES();
    container = container_new();
    add_veth(ground, "ve0", &container, "eth0", true);
    container_do(&container, "u");
    queues.ifindex = (int)if_nametoindex("ve0");
    assert_int_equal(link_sensor_dump_queues(&ground->sensor, take_queue, &queues), 0);
    assert_int_equal(queues.n, 0);
    add_queue(ground, "ve0", 0x67640000, "pfifo");
    send_frames("ve0", 100);
    assert_int_equal(link_sensor_dump_queues(&ground->sensor, take_queue, &queues), 0);
    assert_int_equal(queues.n, 1);
    assert_int_equal(queues.counters.handle, 0x67640000);
    assert_int_equal(queues.counters.parent, TC_H_ROOT);
    assert_in_range(queues.counters.sent.packets, 100, 150);
    assert_in_range(queues.counters.sent.bytes, 100000, 150000);
    assert_int_equal(queues.counters.sent.dropped, 0);
    container_done(&container);
}

static void test_link_events(void **state)
{
    struct Ground *ground = *state;
    const struct LinkEvent *event;
    struct Container container;
    int bridge, ifindex;

    SKIP_WITHOUT_NAMESPACES();
    container = container_new();
    catch_up(ground);
    ground->n_events = 0;
    catch_up(ground); /* nothing waits */
    assert_int_equal(ground->n_events, 0);

    bridge = add_bridge(ground, "br0");
    add_veth(ground, "ve0", &container, "eth0", false);
    ifindex = (int)if_nametoindex("ve0");
    catch_up(ground);
    event = last(ground, LINK_EVENT_NAMESPACE_ID);
    assert_non_null(event);
    assert_int_equal(event->namespace_id, id_of(ground, container.pid));

    change(ground, "ve0", set_renamed, 0);
    catch_up(ground);
    event = last_of(ground, LINK_EVENT_LINK, ifindex);
    assert_string_equal(event->link.name, "renamed");
    assert_int_equal(event->link.kind, LINK_VETH);
    assert_int_equal(event->link.peer_namespace, id_of(ground, container.pid));

    ground->n_events = 0;
    change(ground, "renamed", set_master, bridge);
    catch_up(ground);
    assert_int_equal(last_of(ground, LINK_EVENT_LINK, ifindex)->link.master, bridge);
    ground->n_events = 0;
    change(ground, "renamed", set_master, 0);
    catch_up(ground);
    assert_int_equal(last_of(ground, LINK_EVENT_LINK, ifindex)->link.master, 0);
    assert_null(last(ground, LINK_EVENT_LINK_GONE)); /* a port that leaves is still a link */

    remove_link(ground, "renamed");
    catch_up(ground);
    assert_int_equal(last(ground, LINK_EVENT_LINK_GONE)->ifindex, ifindex);
    assert_int_equal(ground->lost, 0);
    container_done(&container);
}

/* The far end is made here first and then moved, as docker does it. */
static void test_moved_into_a_container(void **state)
{
    struct Ground *ground = *state;
    struct Container container;
    struct LinkMatch match;
    unsigned far;

    SKIP_WITHOUT_NAMESPACES();
    container = container_new();
    add_veth(ground, "ve0", NULL, "far0", true);
    far = if_nametoindex("far0");
    catch_up(ground);
    ground->n_events = 0;
    change(ground, "far0", set_namespace, container.pid);
    assert_int_equal(await(ground, LINK_EVENT_LINK_GONE)->ifindex, far);
    assert_non_null(await(ground, LINK_EVENT_NAMESPACE_ID));
    dump(ground);
    link_match(&ground->table, id_of(ground, container.pid), NULL, &match);
    assert_int_equal(match.n, 1);
    assert_string_equal(match.links[0]->name, "ve0");
    container_done(&container);
}

static ptrdiff_t position(struct Ground *ground, enum LinkEventKind kind)
{
    return await(ground, kind) - ground->events;
}

/* Its number is free for the next one before its links are gone (network.c). */
static void test_namespace_gone(void **state)
{
    struct Ground *ground = *state;
    struct Container container;
    int32_t id;

    SKIP_WITHOUT_NAMESPACES();
    container = container_new();
    add_veth(ground, "ve0", &container, "eth0", false);
    id = id_of(ground, container.pid);
    catch_up(ground);
    ground->n_events = 0;
    container_done(&container);
    assert_int_equal(await(ground, LINK_EVENT_NAMESPACE_ID_GONE)->namespace_id, id);
    assert_true(position(ground, LINK_EVENT_LINK_GONE) > position(ground, LINK_EVENT_NAMESPACE_ID_GONE));
    assert_int_equal(link_sensor_namespace_id(&ground->sensor, container.pid, &id), -ESRCH);
    dump(ground); /* after a refusal it goes on */
}

static void test_queue_removed(void **state)
{
    struct Ground *ground = *state;
    const struct LinkEvent *event;

    SKIP_WITHOUT_NAMESPACES();
    add_veth(ground, "ve0", NULL, "ve1", true);
    add_queue(ground, "ve0", 0x67640000, "pfifo");
    catch_up(ground);
    ground->n_events = 0;
    remove_queue(ground, "ve0", 0x67640000);
    event = await(ground, LINK_EVENT_QDISC_GONE);
    assert_int_equal(event->ifindex, if_nametoindex("ve0"));
    assert_int_equal(event->handle, 0x67640000);
    assert_int_equal(event->parent, TC_H_ROOT);
    assert_int_equal(event->port, nl_socket_get_local_port(ground->tool));

    /* Another one in its place. */
    add_queue(ground, "ve0", 0x67640000, "pfifo");
    catch_up(ground);
    ground->n_events = 0;
    add_queue(ground, "ve0", 0x10000, "bfifo");
    assert_int_equal(await(ground, LINK_EVENT_QDISC_GONE)->handle, 0x67640000);
}

static void test_lost(void **state)
{
    struct Ground *ground = *state;

    SKIP_WITHOUT_NAMESPACES();
    assert_int_equal(
        setsockopt(link_sensor_fd(&ground->sensor), SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int)), 0);
    for (int i = 0; i < 20; i++) {
        add_veth(ground, "ve0", NULL, "ve1", true);
        remove_link(ground, "ve0");
    }
    catch_up(ground);
    assert_int_equal(ground->lost, 1);
    ground->n_events = 0;
    add_bridge(ground, "br0");
    catch_up(ground);
    assert_string_equal(last(ground, LINK_EVENT_LINK)->link.name, "br0");
    assert_int_equal(ground->lost, 1);
}

/* An answer that nobody waited for is not taken for the next one's. */
static void test_left_over(void **state)
{
    struct Ground *ground = *state;
    struct Container one, other;
    struct nl_msg *request = NULL;
    int32_t id = -2;

    SKIP_WITHOUT_NAMESPACES();
    one = container_new();
    other = container_new();
    add_veth(ground, "ve0", &one, "eth0", false);
    add_veth(ground, "ve1", &other, "eth0", false);
    dump(ground);
    assert_int_equal(rtnl_link_build_get_request(0, "ve0", &request), 0);
    assert_true(nl_send_auto(ground->sensor.requests, request) > 0);
    nlmsg_free(request);
    assert_int_equal(link_sensor_namespace_id(&ground->sensor, one.pid, &id), -EIO);
    assert_int_equal(id, -2);
    id = id_of(ground, other.pid);
    assert_int_equal(named(ground, "ve1")->peer_namespace, id);
    assert_int_equal(named(ground, "ve0")->peer_namespace, id_of(ground, one.pid));
    container_done(&one);
    container_done(&other);
}

/* Without any power over the other process: guardd cannot trace it. */
static void test_without_powers(void **state)
{
    struct Container container;
    pid_t pid;
    int status;

    SKIP_WITHOUT_NAMESPACES();
    if (geteuid() != 0)
        skip();
    container = container_new();
    add_veth(*state, "ve0", &container, "eth0", false);
    pid = fork();
    if (pid == 0) {
        struct LinkSensor sensor = {.heard = heard, .lost = lost};
        struct LinkTable table = {0};
        int32_t id;
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/ns/net", container.pid);
        if (setgroups(0, NULL) < 0 || setresuid(65534, 65534, 65534) < 0 || open(path, O_RDONLY) >= 0 ||
            link_sensor_open(&sensor) < 0)
            _exit(1);
        if (link_sensor_dump(&sensor, NAMESPACE_ID_NONE, &table) < 0 ||
            link_sensor_namespace_id(&sensor, container.pid, &id) < 0 || id < 0)
            _exit(2);
        _exit(link_sensor_dump(&sensor, id, &table) == -EPERM && table.n == 0 ? 0 : 3);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    container_done(&container);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
        skip();
    assert_int_equal(status, 0);
}

static void test_closed(void **state)
{
    struct LinkSensor sensor = {0};
    struct LinkTable table = {0};
    int32_t id;

    (void)state;
    assert_int_equal(link_sensor_fd(&sensor), -EBADF);
    assert_int_equal(link_sensor_dispatch(&sensor), -EBADF);
    assert_true(link_sensor_dump(&sensor, NAMESPACE_ID_NONE, &table) < 0);
    assert_true(link_sensor_namespace_id(&sensor, 1, &id) < 0);
    link_sensor_close(&sensor);
    /* Whoever is here may look. */
    assert_int_equal(link_sensor_open(&sensor), 0);
    assert_int_equal(link_sensor_dump(&sensor, NAMESPACE_ID_NONE, &table), 0);
    link_table_done(&table);
    link_sensor_close(&sensor);
    link_sensor_close(&sensor);
    assert_int_equal(link_sensor_fd(&sensor), -EBADF);
}

#define GROUND_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GROUND_TEST(test_veth_of_a_container),
        GROUND_TEST(test_several_links_and_bridges),
        GROUND_TEST(test_macvlan_is_seen_inside),
        GROUND_TEST(test_counters),
        GROUND_TEST(test_queues),
        GROUND_TEST(test_link_events),
        GROUND_TEST(test_moved_into_a_container),
        GROUND_TEST(test_namespace_gone),
        GROUND_TEST(test_queue_removed),
        GROUND_TEST(test_lost),
        GROUND_TEST(test_left_over),
        GROUND_TEST(test_without_powers),
        cmocka_unit_test(test_closed),
    };

    namespaces = unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
    if (!namespaces)
        printf("# no network namespace can be made here: %s\n", strerror(errno));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
