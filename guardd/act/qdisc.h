/* Traffic control as messages: what guardd puts on a device, and what is found there. Builds and reads, sends
 * nothing.
 *
 * Whatever is guardd's carries its number: 0x6764, which is "gd". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/shape.h"

struct nl_msg;
struct nlmsghdr;

#define QDISC_BUCKET UINT32_C(0x67640000) /* 6764: the TBF at the root */
#define QDISC_QUEUE UINT32_C(0x67650000)  /* 6765: the fq_codel in it */
#define FILTER_NUMBER 0x6764              /* its preference and its handle */
#define TC_KIND_MAX 16

struct Qdisc {
    int ifindex;
    uint32_t handle, parent; /* as tc(8) has them: 0x10000 is 1: */
    char kind[TC_KIND_MAX];
    bool marked; /* carries guardd's mark (qdisc_hook_message()) */
    /* tbf */
    uint64_t rate_bytes;
    uint32_t buffer_ticks; /* the burst as time, in units of 64 ns */
    bool splits;           /* long packets; of how many bytes is not told */
    /* fq_codel */
    uint32_t target_usec, interval_usec, memory_bytes;
    /* what passed it, in frames with their headers, and what did not */
    uint64_t bytes, packets, dropped;
    uint32_t backlog_bytes;
};

struct Filter {
    int ifindex;
    uint32_t handle; /* 0: no filter, but the place for some of one kind and preference */
    uint16_t preference;
    char kind[TC_KIND_MAX];
    int redirect; /* ifindex where it redirects to as guardd's does; 0: nowhere, or that is gone */
};

enum QdiscVerb {
    QDISC_CREATE, /* -EEXIST: there is one that is not the kernel's default */
    QDISC_CHANGE, /* in place. -ENOENT: there is none; -EEXIST: there is another one */
    QDISC_REPLACE,
};

/* NULL: no memory. */
struct nl_msg *qdisc_bucket_message(int ifindex, const struct Shape *shape, enum QdiscVerb verb);
struct nl_msg *qdisc_queue_message(int ifindex, const struct Shape *shape, enum QdiscVerb verb);
/* The place for filters on what a device receives: a clsact that is marked. It is only created. */
struct nl_msg *qdisc_hook_message(int ifindex);
struct nl_msg *qdisc_delete_bucket_message(int ifindex); /* -EINVAL, -ENOENT: it is not there */
struct nl_msg *qdisc_delete_queue_message(int ifindex);
struct nl_msg *qdisc_delete_hook_message(int ifindex);
struct nl_msg *qdisc_dump_message(void); /* all of all devices */
/* One of one device. Whoever listens to events is told, too. */
struct nl_msg *qdisc_get_hook_message(int ifindex);
struct nl_msg *qdisc_get_root_message(int ifindex);
struct nl_msg *qdisc_get_queue_message(int ifindex); /* what is in our bucket; -ENOENT: it is not there */

/* Redirects all that the device receives to another one, which it then leaves. */
struct nl_msg *filter_create_message(int ifindex, int redirect);
struct nl_msg *filter_delete_message(int ifindex);
/* All on what the device receives, or (sends) on what it sends through a clsact. */
struct nl_msg *filter_dump_message(int ifindex, bool sends);

/* False: it is no such message, or not in order. */
bool qdisc_read(struct nlmsghdr *message, struct Qdisc *ret);
bool filter_read(struct nlmsghdr *message, struct Filter *ret);

bool qdisc_is_default(const struct Qdisc *qdisc); /* the kernel's own: it may be replaced */
bool qdisc_is_root(const struct Qdisc *qdisc);
bool qdisc_is_hook(const struct Qdisc *qdisc); /* ingress or clsact, whoever made it */
bool qdisc_is_bucket(const struct Qdisc *qdisc);
bool qdisc_is_queue(const struct Qdisc *qdisc);
bool filter_is_ours(const struct Filter *filter);

/* Is it set to this? But for what the kernel rounds. A shape of zeroes is none that anything fits. */
bool qdisc_bucket_fits(const struct Qdisc *qdisc, const struct Shape *shape);
bool qdisc_queue_fits(const struct Qdisc *qdisc, const struct Shape *shape);
