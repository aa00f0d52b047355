/* The shaping of links: how fast what a tenant sends and gets may pass the host's end of its veth.
 *
 * Each call waits for the kernel's RTNL lock (act/rtnetlink.h): not for the loop. Nothing is kept here
 * between two calls: whose a thing is, is written on it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "act/rtnetlink.h"
#include "model/link.h"
#include "model/shape.h"

struct Shaper {
    struct Rtnetlink rtnetlink;
};

struct ShaperLink {
    int ifindex;      /* of the host's end */
    const char *name; /* for the IFB's alias; it may have changed meanwhile */
    uint32_t mtu;
};

enum ShaperState {
    SHAPER_MISSING, /* nothing of guardd's is there */
    SHAPER_FITS,    /* all is as wanted */
    SHAPER_CHANGED, /* not all of it is there, or it is set otherwise */
    SHAPER_FOREIGN, /* another's is in the way */
};

#define SHAPER_OBSTACLE_MAX 64
struct ShaperReport {
    enum ShaperState state;
    char obstacle[SHAPER_OBSTACLE_MAX]; /* SHAPER_FOREIGN: "tbf 1:", "u32 filter, preference 49152" */
    int device;                         /* on which the rate is kept: the link, or the IFB; 0: none yet */
    uint64_t rate_bytes;                /* what is set there */
    /* Frames with their headers; since it was set up. */
    uint64_t bytes, packets, dropped;
    uint32_t backlog_bytes;
};

int shaper_open(struct Shaper *shaper);
void shaper_close(struct Shaper *shaper);

/* The shape is in force, made or changed in place: no packet is dropped by a change, and what waits goes on
 * waiting. (From 1 Gbit/s or more to less, what waits is dropped.) Whenever it is killed in between, the next
 * call mends it. A call refills the bucket, so it is not for polling.
 *
 * SHAPER_OBSTRUCTED: somebody else's qdisc or filter is there, and nothing was changed; `ret_obstacle`, of
 * SHAPER_OBSTACLE_MAX, says which.
 * -ENODEV: the link is gone. -EOPNOTSUPP: the kernel lacks a part, `*ret_module` is what modprobe(8) is to be
 * given. Then nothing is left of what it began. */
#define SHAPER_OBSTRUCTED 1
int shaper_set(struct Shaper *shaper, const struct ShaperLink *link, enum Direction direction,
               const struct Shape *shape, char *ret_obstacle, const char **ret_module);

/* Takes off what is guardd's, and nothing else; the link may be gone already, and there may be nothing. */
int shaper_unset(struct Shaper *shaper, int ifindex, enum Direction direction);

/* What is there? A few requests, whoever listens to events hears of them. */
int shaper_inspect(struct Shaper *shaper, const struct ShaperLink *link, enum Direction direction,
                   const struct Shape *shape, struct ShaperReport *ret);

/* Takes off whatever is guardd's and that `claims` does not know: after a crash. `ifindex` is that of the
 * link, which may be gone. Goes on after a failure, and returns the first. */
int shaper_sweep(struct Shaper *shaper, bool (*claims)(void *userdata, int ifindex, enum Direction direction),
                 void *userdata);

/* Can this kernel do it? Makes a device for a moment, and shapes that. -EOPNOTSUPP with `*ret_module`,
 * -EPERM. */
int shaper_probe(struct Shaper *shaper, const char **ret_module);

/* How finely the kernel waits: 10^9 with high resolution timers, CONFIG_HZ without. `path`: /proc/net/psched.
 */
int shaper_timer_hz(const char *path, uint32_t *ret_hz);
/* The part that a test gives its bytes to. -EBADMSG. */
int shaper_timer_parse(const char *text, uint32_t *ret_hz);

/* The IFB of a link, and back. */
#define SHAPER_NAME_MAX 16
void shaper_device_name(int ifindex, char ret[static SHAPER_NAME_MAX]);
/* False: no link's. */
bool shaper_device_owner(const char *name, int *ret_ifindex);
