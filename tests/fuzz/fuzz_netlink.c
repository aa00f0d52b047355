/* Fuzz target: what comes over netlink (sense/link.h, sense/warnings.h, act/rtnetlink.h, act/qdisc.h). The
 * input is datagrams, each behind its length in two bytes; whoever asks the kernel is answered with them, and
 * whoever listens hears them. A first byte that is odd gives each message the number of the request: no input
 * would guess it. A name ends within its buffer, and what is told is of a kind that there is. */
#include <errno.h>
#include <sys/socket.h>

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "act/qdisc.h"
#include "act/rtnetlink.h"
#include "sense/link.h"
#include "sense/warnings.h"
#include "tests/fuzz/ground.h"

#define LENGTH_SIZE 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- the kernel's part ---------------------------------------------------------------------------- */

static struct {
    const uint8_t *at, *end;
    bool answers;
    uint32_t number, port; /* of the last request */
} input;

static size_t next_length(void)
{
    size_t length = input.at[0] | (size_t)input.at[1] << 8,
           left = (size_t)(input.end - input.at) - LENGTH_SIZE;

    return length < left ? length : left;
}

static void answer(void *bytes, size_t size)
{
    struct nlmsghdr *message = bytes;
    int left = (int)size;

    for (; input.answers && nlmsg_ok(message, left); message = nlmsg_next(message, &left)) {
        message->nlmsg_seq = input.number;
        message->nlmsg_pid = input.port;
    }
}

/* In the place of the C library's. */
ssize_t recvmsg(int fd, struct msghdr *header, int flags)
{
    size_t length, room = header->msg_iov[0].iov_len;

    if (input.end - input.at < LENGTH_SIZE) {
        errno = EAGAIN;
        return -1;
    }
    length = next_length();
    header->msg_flags = length > room ? MSG_TRUNC : 0;
    header->msg_controllen = 0;
    header->msg_namelen = sizeof(struct sockaddr_nl);
    *(struct sockaddr_nl *)header->msg_name = (struct sockaddr_nl){.nl_family = AF_NETLINK};
    memcpy(header->msg_iov[0].iov_base, input.at + LENGTH_SIZE, length < room ? length : room);
    answer(header->msg_iov[0].iov_base, length < room ? length : room);
    if (!(flags & MSG_PEEK))
        input.at += LENGTH_SIZE + length;
    return (ssize_t)(flags & MSG_TRUNC || length < room ? length : room);
}

ssize_t sendmsg(int fd, const struct msghdr *header, int flags)
{
    const struct nlmsghdr *message = header->msg_iov[0].iov_base;

    input.number = message->nlmsg_seq;
    input.port = message->nlmsg_pid;
    return (ssize_t)header->msg_iov[0].iov_len;
}

static void rewind_input(const uint8_t *data, size_t size)
{
    input.answers = size > 0 && data[0] & 1;
    input.at = size > 0 ? data + 1 : data;
    input.end = data + size;
}

/* --- links ---------------------------------------------------------------------------------------- */

static void check_link(const struct Link *link)
{
    must(memchr(link->name, '\0', sizeof(link->name)) && link->kind >= 0 && link->kind < LINK_KIND_COUNT);
}

static void heard(void *userdata, const struct LinkEvent *event)
{
    struct LinkTable *table = userdata;

    must(event->kind >= 0 && event->kind <= LINK_EVENT_NAMESPACE_ID_GONE);
    if (event->kind == LINK_EVENT_LINK) {
        check_link(&event->link);
        must(link_table_put(table, &event->link) >= 0);
        must(link_table_find(table, event->ifindex));
    } else if (event->kind == LINK_EVENT_LINK_GONE) {
        link_table_remove(table, event->ifindex);
        must(!link_table_find(table, event->ifindex));
    } else if (event->kind == LINK_EVENT_NAMESPACE_ID_GONE) {
        link_table_forget_namespace(table, event->namespace_id);
    }
}

static void lost(void *userdata)
{
}

static void take_queue(void *userdata, const struct QueueCounters *counters)
{
}

static void check_table(const struct LinkTable *table)
{
    struct LinkCounters sums[DIRECTION_COUNT];
    struct LinkMatch match;
    uint64_t mark;

    for (size_t i = 0; i < table->n; i++) {
        check_link(&table->list[i]);
        must(i == 0 || table->list[i - 1].ifindex < table->list[i].ifindex);
        link_match(table, table->list[i].peer_namespace, table, &match);
        must(match.n <= LINK_MATCH_MAX);
    }
    link_sum_host(table, sums, &mark);
}

static void try_links(const uint8_t *data, size_t size)
{
    static struct LinkSensor sensor = {.heard = heard, .lost = lost};
    struct LinkTable table = {0};
    int32_t id;

    sensor.userdata = &table;
    must(sensor.events || link_sensor_open(&sensor) == 0);
    rewind_input(data, size);
    (void)link_sensor_dispatch(&sensor);
    check_table(&table);
    rewind_input(data, size);
    must(link_sensor_dump(&sensor, NAMESPACE_ID_NONE, &table) == 0 || table.n == 0);
    check_table(&table);
    rewind_input(data, size);
    (void)link_sensor_dump_queues(&sensor, take_queue, NULL);
    rewind_input(data, size);
    must(link_sensor_namespace_id(&sensor, 1, &id) < 0 || id >= NAMESPACE_ID_NONE);
    link_table_done(&table);
}

/* --- queues --------------------------------------------------------------------------------------- */

static void take_message(void *userdata, struct nlmsghdr *message)
{
    const struct Shape shape = {.rate_bytes = 125000, .burst_bytes = 16384};
    struct Qdisc qdisc;
    struct Filter filter;

    if (qdisc_read(message, &qdisc)) {
        must(memchr(qdisc.kind, '\0', sizeof(qdisc.kind)));
        (void)qdisc_bucket_fits(&qdisc, &shape);
        (void)qdisc_queue_fits(&qdisc, &shape);
        must(!qdisc_is_bucket(&qdisc) || !qdisc_is_default(&qdisc));
    }
    if (filter_read(message, &filter))
        must(memchr(filter.kind, '\0', sizeof(filter.kind)));
}

static void try_queues(const uint8_t *data, size_t size)
{
    static struct Rtnetlink rtnetlink;

    must(rtnetlink.socket || rtnetlink_open(&rtnetlink) == 0);
    rewind_input(data, size);
    for (int i = 0; i < 2; i++) {
        (void)rtnetlink_request(&rtnetlink, qdisc_dump_message(), take_message, NULL);
        must(memchr(rtnetlink.sentence, '\0', sizeof(rtnetlink.sentence)));
    }
}

/* --- warnings of quotas --------------------------------------------------------------------------- */

static void warned(void *userdata, dev_t dev, uint32_t project, enum WarningKind kind)
{
    must(kind >= 0 && kind <= WARNING_BELOW);
}

static void try_warnings(const uint8_t *data, size_t size)
{
    struct Warnings warnings = {.warned = warned, .lost = lost};
    int pair[2];

    must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    rewind_input(data, size);
    while (input.end - input.at >= LENGTH_SIZE) {
        size_t length = next_length();

        if (send(pair[0], input.at + LENGTH_SIZE, length, 0) < 0)
            break;
        input.at += LENGTH_SIZE + length;
    }
    must(warnings_read(&warnings, pair[1]) == 0);
    close(pair[0]);
    close(pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_links(data, size);
    try_queues(data, size);
    try_warnings(data, size);
    return 0;
}
