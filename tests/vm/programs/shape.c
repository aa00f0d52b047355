/* shape VERB...: the rooms that shape a link, without a guardd around them.
 *
 *   shape set LINK ingress|egress RATE [BURST]      bit/s; prints "set", "obstructed by WHAT", "lacks MODULE"
 *
 *   shape unset LINK|IFINDEX ingress|egress
 *
 *   shape inspect LINK ingress|egress RATE [BURST]  STATE DEVICE RATE BYTES PACKETS DROPPED BACKLOG
 * [OBSTACLE]
 *
 *   shape sweep [IFINDEX/ingress|egress]...         takes off all but these
 *
 *   shape probe
 *
 *   shape read                                      a line for each rate: DEVICE BYTES DROPPED; all of links
 * and queues is read for it, as guardd does
 *
 *   shape times LINK COUNT                          how long set, change, inspect and unset take
 *
 * It ends with 1 and the errno's name where that failed. */
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "act/qdisc.h"
#include "act/shaper.h"
#include "decide/shape.h"
#include "sense/link.h"

static const char *const directions[] = {[DIRECTION_EGRESS] = "egress", [DIRECTION_INGRESS] = "ingress"};

static int finish(const char *what, int r)
{
    if (r < 0)
        printf("%s: %s\n", what, strerrorname_np(-r));
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static enum Direction direction_of(const char *name)
{
    return strcmp(name, directions[DIRECTION_INGRESS]) == 0 ? DIRECTION_INGRESS : DIRECTION_EGRESS;
}

static uint32_t mtu_of(const char *name)
{
    struct ifreq query = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(query.ifr_name, sizeof(query.ifr_name), "%.15s", name);
    if (ioctl(fd, SIOCGIFMTU, &query) < 0)
        query.ifr_mtu = 0;
    close(fd);
    return (uint32_t)query.ifr_mtu;
}

/* A link by its name or its number. */
static int ifindex_of(const char *text)
{
    unsigned index = if_nametoindex(text);

    return index > 0 ? (int)index : atoi(text);
}

static struct ShaperLink link_of(const char *name)
{
    return (struct ShaperLink){.ifindex = ifindex_of(name), .name = name, .mtu = mtu_of(name)};
}

static struct Shape shape_of(char **arguments, uint32_t mtu)
{
    struct ShapeWish wish = {.rate_bits = strtoull(arguments[0], NULL, 10), .mtu = mtu};
    struct Shape shape;

    if (arguments[1])
        wish.burst_bytes = strtoull(arguments[1], NULL, 10);
    if (shaper_timer_hz("/proc/net/psched", &wish.timer_hz) < 0 || shape_find(&wish, &shape) != SHAPE_OK) {
        fprintf(stderr, "shape: no such rate\n");
        exit(2);
    }
    return shape;
}

static int set(struct Shaper *shaper, char **arguments)
{
    const struct ShaperLink link = link_of(arguments[0]);
    const struct Shape shape = shape_of(arguments + 2, link.mtu);
    char obstacle[SHAPER_OBSTACLE_MAX];
    const char *module = NULL;
    int r = shaper_set(shaper, &link, direction_of(arguments[1]), &shape, obstacle, &module);

    if (r == SHAPER_OBSTRUCTED)
        printf("obstructed by %s\n", obstacle);
    else if (r == -EOPNOTSUPP && module)
        printf("lacks %s\n", module);
    else if (r < 0)
        printf("kernel: %s\n", shaper->rtnetlink.sentence);
    else
        printf("set\n");
    return finish("set", r);
}

static int inspect(struct Shaper *shaper, char **arguments)
{
    static const char *const states[] = {
        [SHAPER_MISSING] = "missing",
        [SHAPER_FITS] = "fits",
        [SHAPER_CHANGED] = "changed",
        [SHAPER_FOREIGN] = "foreign",
    };
    const struct ShaperLink link = link_of(arguments[0]);
    const struct Shape shape = shape_of(arguments + 2, link.mtu);
    struct ShaperReport report;
    int r = shaper_inspect(shaper, &link, direction_of(arguments[1]), &shape, &report);

    if (r == 0)
        printf("%s %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %u %s\n", states[report.state],
               report.device, report.rate_bytes, report.bytes, report.packets, report.dropped,
               report.backlog_bytes, report.obstacle);
    return finish("inspect", r);
}

static bool is_claimed(void *userdata, int ifindex, enum Direction direction)
{
    char claim[32];

    snprintf(claim, sizeof(claim), "%d/%s", ifindex, directions[direction]);
    for (char **known = userdata; *known; known++)
        if (strcmp(*known, claim) == 0)
            return true;
    return false;
}

static int probe(struct Shaper *shaper)
{
    const char *module = NULL;
    int r = shaper_probe(shaper, &module);

    if (module)
        printf("lacks %s\n", module);
    return finish("probe", r);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static int times(struct Shaper *shaper, char **arguments)
{
    const struct ShaperLink link = link_of(arguments[0]);
    char *rates[] = {"10000000", NULL, "20000000", NULL};
    const struct Shape shape = shape_of(rates, link.mtu), other = shape_of(rates + 2, link.mtu);
    char obstacle[SHAPER_OBSTACLE_MAX];
    const char *module = NULL;
    struct ShaperReport report;
    int count = atoi(arguments[1]), r = 0;

    for (enum Direction direction = 0; direction < DIRECTION_COUNT && r == 0; direction++) {
        double spent[4] = {0};

        for (int i = 0; i < count && r == 0; i++) {
            double start = now();

            r = shaper_set(shaper, &link, direction, &shape, obstacle, &module);
            spent[0] += now() - start, start = now();
            r = r ? r : shaper_set(shaper, &link, direction, &other, obstacle, &module);
            spent[1] += now() - start, start = now();
            r = r ? r : shaper_inspect(shaper, &link, direction, &other, &report);
            spent[2] += now() - start, start = now();
            r = r ? r : shaper_unset(shaper, link.ifindex, direction);
            spent[3] += now() - start;
        }
        printf("%s: set %.2f ms, change %.2f ms, inspect %.2f ms, unset %.2f ms\n", directions[direction],
               spent[0] / count, spent[1] / count, spent[2] / count, spent[3] / count);
    }
    return finish("times", r);
}

static void print_bucket(void *userdata, const struct QueueCounters *counters)
{
    if (counters->handle == QDISC_BUCKET)
        printf("%d %" PRIu64 " %" PRIu64 "\n", counters->ifindex, counters->sent.bytes,
               counters->sent.dropped);
}

static int read_all(void)
{
    struct LinkSensor lists = {0};
    struct LinkTable links = {0};
    int r = link_sensor_open_lists(&lists);

    if (r >= 0)
        r = link_sensor_dump(&lists, NAMESPACE_ID_NONE, &links);
    if (r >= 0)
        r = link_sensor_dump_queues(&lists, print_bucket, NULL);
    link_table_done(&links);
    link_sensor_close(&lists);
    return finish("read", r);
}

static int run(struct Shaper *shaper, int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";

    if (strcmp(verb, "set") == 0 && argc >= 5)
        return set(shaper, argv + 2);
    if (strcmp(verb, "inspect") == 0 && argc >= 5)
        return inspect(shaper, argv + 2);
    if (strcmp(verb, "unset") == 0 && argc == 4)
        return finish("unset", shaper_unset(shaper, ifindex_of(argv[2]), direction_of(argv[3])));
    if (strcmp(verb, "sweep") == 0)
        return finish("sweep", shaper_sweep(shaper, is_claimed, argv + 2));
    if (strcmp(verb, "probe") == 0)
        return probe(shaper);
    if (strcmp(verb, "read") == 0 && argc == 2)
        return read_all();
    if (strcmp(verb, "times") == 0 && argc == 4)
        return times(shaper, argv + 2);
    fprintf(stderr, "usage: shape set|unset|inspect|sweep|probe|read|times ...: see its source\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct Shaper shaper;
    int r = shaper_open(&shaper), status;

    if (r < 0)
        return finish("open", r);
    status = run(&shaper, argc, argv);
    shaper_close(&shaper);
    return status;
}
