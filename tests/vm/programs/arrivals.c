/* arrivals DEVICE PORT: when TCP payload from this port arrives at a device, by the kernel's own clock: how
 * late a program reads it does not show. It prints "ready", counts until its input ends, and then prints a
 * line for each 10 ms in which something came:
 *
 *   BIN BYTES       the bins count from 1970 on
 *
 * What is sent again counts again. On a host's end of a veth all of this is before what is redirected from
 * there: the device to look at is one behind it, as a bridge. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK_SIZE (1U << 18)
#define BLOCKS 64U
#define HEADERS 128 /* bytes of each packet that are kept */
#define LATEST_MSEC 20
#define BIN_NSEC UINT64_C(10000000)
#define BINS (60 * 100)

struct Arrivals {
    int fd;
    uint8_t *ring;
    uint16_t port;
    uint64_t first; /* bin of the clock; 0: nothing came yet */
    uint64_t bytes[BINS];
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "arrivals: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* The kernel copies no more of a packet than this. */
static void cut_packets(int fd)
{
    struct sock_filter keep = {.code = BPF_RET | BPF_K, .k = HEADERS};
    struct sock_fprog program = {.len = 1, .filter = &keep};

    must(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0, "filter");
}

static void make_ring(struct Arrivals *arrivals)
{
    int version = TPACKET_V3;
    struct tpacket_req3 request = {
        .tp_block_size = BLOCK_SIZE,
        .tp_block_nr = BLOCKS,
        .tp_frame_size = 2048,
        .tp_frame_nr = BLOCKS * (BLOCK_SIZE / 2048),
        .tp_retire_blk_tov = LATEST_MSEC,
    };
    int fd = arrivals->fd;

    must(setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) == 0, "TPACKET_V3");
    must(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) == 0, "ring");
    arrivals->ring = mmap(NULL, (size_t)BLOCK_SIZE * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    must(arrivals->ring != MAP_FAILED, "mmap");
}

static void open_device(struct Arrivals *arrivals, const char *name)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(name)};

    must(address.sll_ifindex > 0, name);
    arrivals->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    must(arrivals->fd >= 0, "socket");
    cut_packets(arrivals->fd);
    make_ring(arrivals);
    must(bind(arrivals->fd, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
}

/* Bytes behind the header of TCP. `length`: of all that IP carries here. */
static uint64_t payload_of_tcp(const uint8_t *at, size_t kept, size_t length, uint16_t port)
{
    struct tcphdr tcp;
    size_t header;

    if (kept < sizeof(tcp))
        return 0;
    memcpy(&tcp, at, sizeof(tcp));
    header = (size_t)tcp.doff * 4;
    return ntohs(tcp.source) == port && length > header ? length - header : 0;
}

static uint64_t payload(const uint8_t *at, size_t kept, uint16_t port)
{
    if (kept >= sizeof(struct iphdr) && at[0] >> 4 == 4) {
        struct iphdr ip;
        size_t header;

        memcpy(&ip, at, sizeof(ip));
        header = (size_t)ip.ihl * 4;
        if (ip.protocol == IPPROTO_TCP && kept > header && ntohs(ip.tot_len) > header)
            return payload_of_tcp(at + header, kept - header, ntohs(ip.tot_len) - header, port);
    } else if (kept >= sizeof(struct ip6_hdr) && at[0] >> 4 == 6) {
        struct ip6_hdr ip;

        memcpy(&ip, at, sizeof(ip));
        if (ip.ip6_nxt == IPPROTO_TCP)
            return payload_of_tcp(at + sizeof(ip), kept - sizeof(ip), ntohs(ip.ip6_plen), port);
    }
    return 0;
}

static void count_packet(struct Arrivals *arrivals, const struct tpacket3_hdr *packet)
{
    const uint8_t *start = (const uint8_t *)packet;
    const struct sockaddr_ll *from = (const void *)(start + TPACKET_ALIGN(sizeof(*packet)));
    uint64_t bin = ((uint64_t)packet->tp_sec * 1000000000 + packet->tp_nsec) / BIN_NSEC, bytes;

    if (from->sll_pkttype == PACKET_OUTGOING)
        return;
    bytes = payload(start + packet->tp_net, packet->tp_snaplen, arrivals->port);
    if (bytes == 0)
        return;
    if (arrivals->first == 0)
        arrivals->first = bin;
    if (bin >= arrivals->first && bin < arrivals->first + BINS)
        arrivals->bytes[bin - arrivals->first] += bytes;
}

static void count_block(struct Arrivals *arrivals, struct tpacket_block_desc *block)
{
    const uint8_t *at = (const uint8_t *)block + block->hdr.bh1.offset_to_first_pkt;

    for (uint32_t i = 0; i < block->hdr.bh1.num_pkts; i++) {
        const struct tpacket3_hdr *packet = (const void *)at;

        count_packet(arrivals, packet);
        at += packet->tp_next_offset;
    }
    __atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
}

static void count(struct Arrivals *arrivals)
{
    struct pollfd polled[] = {{.fd = arrivals->fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    unsigned next = 0;

    while (polled[1].revents == 0) {
        struct tpacket_block_desc *block = (void *)(arrivals->ring + (size_t)next * BLOCK_SIZE);

        if (__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) {
            count_block(arrivals, block);
            next = (next + 1) % BLOCKS;
        } else {
            must(poll(polled, 2, -1) >= 0, "poll");
        }
    }
}

static void check_losses(const struct Arrivals *arrivals)
{
    struct tpacket_stats_v3 stats;
    socklen_t size = sizeof(stats);

    must(getsockopt(arrivals->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0, "statistics");
    if (stats.tp_drops > 0)
        printf("lost %u packets\n", stats.tp_drops);
}

int main(int argc, char **argv)
{
    static struct Arrivals arrivals;

    if (argc != 3) {
        fprintf(stderr, "usage: arrivals DEVICE PORT\n");
        return 2;
    }
    arrivals.port = (uint16_t)strtoul(argv[2], NULL, 10);
    open_device(&arrivals, argv[1]);
    printf("ready\n");
    fflush(stdout);
    count(&arrivals);
    check_losses(&arrivals);
    for (unsigned bin = 0; bin < BINS; bin++)
        if (arrivals.bytes[bin] > 0)
            printf("%" PRIu64 " %" PRIu64 "\n", arrivals.first + bin, arrivals.bytes[bin]);
    printf("end\n");
    return EXIT_SUCCESS;
}
