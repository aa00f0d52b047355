/* Links, namespace ids and the counters of queues, asked of the kernel and heard from it by rtnetlink
 * (libnl-route). No namespace is entered.
 *
 * A namespace has no id here until somebody shows a link of ours whose far end is in it: then the kernel
 * gives it one, and keeps it while the namespace lives. So after link_sensor_dump() one without an id is
 * behind none of our links. guardd gives none away by itself (RTM_NEWNSID): it would learn nothing more, and
 * could not take it back. When the namespace is gone its id is free for the next one: compare it with links
 * that were listed later than it was asked for, or that are kept by what is announced.
 *
 * A list waits for the kernel's RTNL lock, which others may hold for long (a thousand namespaces that end),
 * and takes about 9 us a link. Requests and announcements share nothing: they may be on two threads. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "model/link.h"

struct nl_sock;

struct LinkSensor {
    struct nl_sock *requests, *events; /* NULL: closed */
    void (*heard)(void *userdata, const struct LinkEvent *event);
    void (*lost)(void *userdata); /* announcements were: look at everything */
    void *userdata;
};

/* A queue (qdisc), and what passed it since it was made. */
struct QueueCounters {
    int ifindex;
    uint32_t handle, parent; /* as in struct LinkEvent; the root's parent is TC_H_ROOT */
    struct LinkCounters sent;
};

/* The fields are the caller's to set before. */
int link_sensor_open(struct LinkSensor *sensor);
/* For requests alone: nothing is announced to it. */
int link_sensor_open_lists(struct LinkSensor *sensor);
void link_sensor_close(struct LinkSensor *sensor);

/* All links, with their counters, instead of what the table has: those here, or with the id of another
 * namespace those in there (-EPERM without CAP_NET_ADMIN over it; what they are on and where is then as seen
 * from there). -EAGAIN: they change faster than they can be listed. On an error the table is empty. */
int link_sensor_dump(struct LinkSensor *sensor, int32_t namespace_id, struct LinkTable *table);

/* All queues of all links here. -EAGAIN as above, and what was told until then was not all. */
int link_sensor_dump_queues(struct LinkSensor *sensor,
                            void (*take)(void *userdata, const struct QueueCounters *counters),
                            void *userdata);

/* The id of the namespace that a task is in, or NAMESPACE_ID_NONE. Needs no power over it. -ESRCH: it is
 * gone. */
int link_sensor_namespace_id(struct LinkSensor *sensor, pid_t task, int32_t *ret_id);

/* What is announced: links, queues and filters that are removed, ids of namespaces. */
int link_sensor_fd(const struct LinkSensor *sensor); /* -EBADF when closed */
/* Reads what waits, a bounded number of messages. */
int link_sensor_dispatch(struct LinkSensor *sensor);
