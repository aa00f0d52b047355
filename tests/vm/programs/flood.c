/* flood ADDRESS BYTES [MBIT]: sends UDP packets of so many bytes to a port where nobody listens, as fast as
 * it can or as fast as it is told, until it is killed.
 *
 * Through many sockets: what waits in a queue, on the host too, fills the buffer of the socket that it is
 * from, which then takes no more. A single one would never have enough there for anything to be dropped. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BYTES_MAX 1400
#define PORT 9 /* discard */
#define BATCH 16
#define SOCKETS 64
#define STEP_NSEC INT64_C(5000000)

static int64_t now_nsec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int open_to(const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (inet_pton(AF_INET, address, &to.sin_addr) != 1 || fd < 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        fprintf(stderr, "flood: %s: %s\n", address, strerror(errno));
        exit(EXIT_FAILURE);
    }
    return fd;
}

static void sleep_until(int64_t nsec)
{
    const struct timespec until = {.tv_sec = nsec / 1000000000, .tv_nsec = nsec % 1000000000};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* That a packet is refused, by a full buffer or by the other end, is no reason to stop. */
static void send_packets(const int *fds, size_t bytes, uint64_t count)
{
    static uint8_t packet[BYTES_MAX];
    static uint64_t sent;

    for (uint64_t i = 0; i < count; i++)
        (void)!send(fds[sent++ % SOCKETS], packet, bytes, MSG_DONTWAIT);
}

int main(int argc, char **argv)
{
    size_t bytes = argc >= 3 ? strtoul(argv[2], NULL, 10) : 0;
    uint64_t mbit = argc == 4 ? strtoull(argv[3], NULL, 10) : 0, batch = BATCH;
    int64_t next = now_nsec();
    int fds[SOCKETS];

    if (bytes < 1 || bytes > BYTES_MAX) {
        fprintf(stderr, "usage: flood ADDRESS BYTES [MBIT] (at most %d bytes)\n", BYTES_MAX);
        return 2;
    }
    for (int i = 0; i < SOCKETS; i++)
        fds[i] = open_to(argv[1]);
    if (mbit > 0) /* in a step, headers counted */
        batch = mbit * 1000000 / 8 / (1000000000 / STEP_NSEC) / (bytes + 28) + 1;
    while (true) {
        send_packets(fds, bytes, batch);
        next += STEP_NSEC;
        if (mbit > 0)
            sleep_until(next);
    }
}
