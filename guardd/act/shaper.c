/* What is there when a link is shaped:
 *
 *   ingress of the tenant        what the host sends to it: the veth here
 *     root 6764: tbf               keeps the rate
 *       6765: fq_codel             lets those wait who cause it
 *
 *   egress of the tenant         what the host receives from it. There is no queue for that, so it goes
 * through an IFB: ffff: clsact                 on the veth, with a mark where guardd made it (act/qdisc.c)
 *       6764 matchall              redirects all to
 *     guardd-IFINDEX               an IFB of its own, of link group 0x6764
 *       root 6764: tbf
 *         6765: fq_codel
 *
 * Nothing is asked before it is set, where one message can do both. A qdisc is changed by a message that
 * neither creates nor replaces: the kernel changes 6764: in place, or says that there is none (then it is
 * created, which fails where there is one that is not the kernel's default by now), or that another one is
 * there. So no race with an operator's tc replaces anything of his.
 *
 * What waits. A packet that is longer than the bucket is let in by no change of it, and TBF tries it for
 * ever. So below 1 Gbit/s all are split up before they wait (decide/shape.c). Only whoever comes down from
 * above may have longer ones: then the queue is made anew, and what was in it is lost.
 *
 * In which order. What redirects comes last and goes first: without the IFB, or while that is down, the
 * kernel drops whatever is redirected to it, and an IFB without qdiscs lets all pass. So a guardd that is
 * killed in between leaves a tenant that is not shaped, or is, but never one that is cut off. What it leaves
 * is recognised by number, name and group, and shaper_set() goes through all the steps again, each of which
 * finds it done.
 *
 * What is in the way. A root qdisc with a handle: somebody asked for it. Any filter on what the veth
 * receives: ours would hide the packets from those behind it (they come back from the IFB past the filters),
 * and those before it may hide them from ours. A clsact or ingress without filters is not in the way, and
 * stays when ours goes. BPF programs that are attached by tcx are not seen by rtnetlink; they run before.
 *
 * The IFB has no address (not even IPv6's own: it would send neighbour discovery into the tenant's rate) and
 * the MTU of the veth, of which fq_codel makes its turns. GSO packets pass it whole, as long as TBF does not
 * split them up. Its txqueuelen stays the kernel's 32: that is no queue before the qdiscs, but how many
 * packets it takes from them before it has delivered one. */
#include "act/shaper.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netlink/attr.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>

#include "act/qdisc.h"
#include "base/cleanup.h"
#include "base/error.h"

#define DEVICE_PREFIX "guardd-"
#define DEVICE_KIND "ifb"
#define DEVICE_GROUP 0x6764
#define PROBE_NAME DEVICE_PREFIX "probe"
#define DUMP_TRIES 3

static void cleanup_link(struct rtnl_link **link)
{
    rtnl_link_put(*link);
}

static void cleanup_cache(struct nl_cache **cache)
{
    if (*cache)
        nl_cache_free(*cache);
}

#define _cleanup_link_ _cleanup_(cleanup_link)
#define _cleanup_cache_ _cleanup_(cleanup_cache)

int shaper_open(struct Shaper *shaper)
{
    return rtnetlink_open(&shaper->rtnetlink);
}

void shaper_close(struct Shaper *shaper)
{
    rtnetlink_close(&shaper->rtnetlink);
}

static int request(struct Shaper *shaper, struct nl_msg *message)
{
    return rtnetlink_request(&shaper->rtnetlink, message, NULL, NULL);
}

/* --- what the kernel lacks -------------------------------------------------------------------------------
 */

/* A kind that it does not know is -ENOENT of tc and -EOPNOTSUPP of links; so the step tells which it is. */
static int lacking(int r, const char *module, const char **ret_module)
{
    if (r != -ENOENT && r != -EOPNOTSUPP)
        return r;
    *ret_module = module;
    return -EOPNOTSUPP;
}

/* One message brings classifier and action; the kernel's sentence tells them apart. */
static const char *module_of_filter(const struct Shaper *shaper)
{
    return strstr(shaper->rtnetlink.sentence, "action") ? "act_mirred" : "cls_matchall";
}

/* --- names -----------------------------------------------------------------------------------------------
 */

void shaper_device_name(int ifindex, char ret[static SHAPER_NAME_MAX])
{
    snprintf(ret, SHAPER_NAME_MAX, DEVICE_PREFIX "%x", (unsigned)ifindex);
}

bool shaper_device_owner(const char *name, int *ret_ifindex)
{
    char again[SHAPER_NAME_MAX];
    unsigned long number;

    if (strncmp(name, DEVICE_PREFIX, strlen(DEVICE_PREFIX)) != 0)
        return false;
    number = strtoul(name + strlen(DEVICE_PREFIX), NULL, 16);
    if (number == 0 || number > INT32_MAX)
        return false;
    shaper_device_name((int)number, again);
    if (strcmp(name, again) != 0)
        return false;
    *ret_ifindex = (int)number;
    return true;
}

/* --- the two qdiscs, on whatever device ------------------------------------------------------------------
 */

static int set_bucket(struct Shaper *shaper, int device, const struct Shape *shape, const char **ret_module)
{
    int r = request(shaper, qdisc_bucket_message(device, shape, QDISC_CHANGE));

    if (r != -ENOENT)
        return r;
    r = request(shaper, qdisc_bucket_message(device, shape, QDISC_CREATE));
    return lacking(r, "sch_tbf", ret_module);
}

/* Under our own bucket all is ours: what somebody else put there is replaced. */
static int set_queue(struct Shaper *shaper, int device, const struct Shape *shape, const char **ret_module)
{
    int r = request(shaper, qdisc_queue_message(device, shape, QDISC_CHANGE));

    if (r == -ENOENT || r == -EEXIST || r == -EINVAL)
        r = request(shaper, qdisc_queue_message(device, shape, QDISC_REPLACE));
    if (r == -ENOENT && strstr(shaper->rtnetlink.sentence, "Failed to find"))
        return -EAGAIN; /* not the kind: somebody took the bucket away */
    return lacking(r, "sch_fq_codel", ret_module);
}

static void look_at_root(void *userdata, struct nlmsghdr *message)
{
    struct Qdisc *root = userdata;

    if (!qdisc_read(message, root) || !qdisc_is_bucket(root))
        *root = (struct Qdisc){0};
}

/* May packets wait that are longer than what is split up from now on? */
static bool has_long_packets(struct Shaper *shaper, int device, const struct Shape *shape)
{
    struct Qdisc root = {0};

    if (shape->packet_bytes == 0)
        return false;
    (void)rtnetlink_request(&shaper->rtnetlink, qdisc_get_root_message(device), look_at_root, &root);
    return root.handle != 0 && !root.splits;
}

/* -EEXIST: another's is there. */
static int set_qdiscs(struct Shaper *shaper, int device, const struct Shape *shape, const char **ret_module)
{
    bool anew = has_long_packets(shaper, device, shape);
    int r = set_bucket(shaper, device, shape, ret_module);

    if (r < 0)
        return r;
    if (anew)
        (void)request(shaper, qdisc_delete_queue_message(device));
    r = set_queue(shaper, device, shape, ret_module);
    return r == -EEXIST ? -EAGAIN : r;
}

/* Deletes what may not be there. */
static int remove_qdiscs(struct Shaper *shaper, int device)
{
    int r = request(shaper, qdisc_delete_bucket_message(device));

    return error_is_gone(r) || r == -EINVAL ? 0 : r;
}

/* --- qdiscs that are there -------------------------------------------------------------------------------
 */

struct Look {
    int device; /* 0: none */
    bool has_root, has_queue;
    struct Qdisc root, queue;
};

static void look_at_qdisc(void *userdata, struct nlmsghdr *message)
{
    struct Look *look = userdata;
    struct Qdisc qdisc;

    if (!qdisc_read(message, &qdisc) || qdisc.ifindex != look->device)
        return;
    if (qdisc_is_root(&qdisc)) {
        look->root = qdisc;
        look->has_root = !qdisc_is_default(&qdisc);
    } else if (qdisc_is_queue(&qdisc)) {
        look->queue = qdisc;
        look->has_queue = true;
    }
}

static int dump_qdiscs(struct Shaper *shaper, void (*each)(void *userdata, struct nlmsghdr *message),
                       void *userdata)
{
    return rtnetlink_request(&shaper->rtnetlink, qdisc_dump_message(), each, userdata);
}

/* Two requests, however many qdiscs the host has. The kernel's own queue and a device that is gone are none.
 */
static int look_at(struct Shaper *shaper, int device, struct Look *ret)
{
    int r;

    *ret = (struct Look){.device = device};
    r = rtnetlink_request(&shaper->rtnetlink, qdisc_get_root_message(device), look_at_qdisc, ret);
    if (r == 0 && ret->has_root && qdisc_is_bucket(&ret->root))
        r = rtnetlink_request(&shaper->rtnetlink, qdisc_get_queue_message(device), look_at_qdisc, ret);
    return error_is_gone(r) || r == -EINVAL ? 0 : r;
}

static void name_qdisc(const struct Qdisc *qdisc, char *ret_obstacle)
{
    snprintf(ret_obstacle, SHAPER_OBSTACLE_MAX, "%s %x:", qdisc->kind, qdisc->handle >> 16);
}

/* What is in the way at the root, which the kernel has just said is there. */
static int name_root(struct Shaper *shaper, int device, char *ret_obstacle)
{
    struct Look look;
    int r = look_at(shaper, device, &look);

    if (r < 0)
        return r;
    if (!look.has_root || qdisc_is_bucket(&look.root))
        return -EAGAIN; /* it has just gone */
    name_qdisc(&look.root, ret_obstacle);
    return SHAPER_OBSTRUCTED;
}

static enum ShaperState judge_qdiscs(const struct Look *look, const struct Shape *shape,
                                     struct ShaperReport *report)
{
    const struct Qdisc *root = &look->root;

    if (!look->has_root)
        return SHAPER_MISSING;
    if (!qdisc_is_bucket(root)) {
        name_qdisc(root, report->obstacle);
        return SHAPER_FOREIGN;
    }
    report->device = look->device;
    report->rate_bytes = root->rate_bytes;
    report->bytes = root->bytes;
    report->packets = root->packets;
    report->dropped = root->dropped;
    report->backlog_bytes = root->backlog_bytes;
    if (!qdisc_bucket_fits(root, shape) || !look->has_queue || !qdisc_queue_fits(&look->queue, shape))
        return SHAPER_CHANGED;
    return SHAPER_FITS;
}

/* --- filters that are there ------------------------------------------------------------------------------
 */

struct Filters {
    bool ours;
    int redirect; /* where ours leads */
    bool others;
    struct Filter other; /* the first of them */
};

static void look_at_filter(void *userdata, struct nlmsghdr *message)
{
    struct Filters *filters = userdata;
    struct Filter filter;

    if (!filter_read(message, &filter) || filter.handle == 0)
        return;
    if (filter_is_ours(&filter)) {
        filters->ours = true;
        filters->redirect = filter.redirect;
    } else if (!filters->others) {
        filters->others = true;
        filters->other = filter;
    }
}

/* A device that is gone has none. -EINVAL: nor has one whose hook has no such side. */
static int find_filters(struct Shaper *shaper, int ifindex, bool sends, struct Filters *ret)
{
    int r = -EAGAIN;

    for (int i = 0; i < DUMP_TRIES && r == -EAGAIN; i++) {
        *ret = (struct Filters){0};
        r = rtnetlink_request(&shaper->rtnetlink, filter_dump_message(ifindex, sends), look_at_filter, ret);
    }
    return error_is_gone(r) || r == -EINVAL ? 0 : r;
}

static void name_filter(const struct Filter *filter, char *ret_obstacle)
{
    snprintf(ret_obstacle, SHAPER_OBSTACLE_MAX, "%s filter, preference %u", filter->kind, filter->preference);
}

/* --- the IFB ---------------------------------------------------------------------------------------------
 */

struct Device {
    int ifindex; /* 0: there is none */
    bool ours, up;
};

static bool is_our_device(struct rtnl_link *link)
{
    const char *kind = rtnl_link_get_type(link);

    return kind && strcmp(kind, DEVICE_KIND) == 0 && rtnl_link_get_group(link) == DEVICE_GROUP;
}

static int find_device(struct Shaper *shaper, const char *name, struct Device *ret)
{
    _cleanup_link_ struct rtnl_link *link = NULL;
    int r = rtnetlink_error(rtnl_link_get_kernel(shaper->rtnetlink.socket, 0, name, &link));

    *ret = (struct Device){0};
    if (error_is_gone(r))
        return 0;
    if (r < 0)
        return r;
    *ret = (struct Device){.ifindex = rtnl_link_get_ifindex(link),
                           .ours = is_our_device(link),
                           .up = (rtnl_link_get_flags(link) & IFF_UP) != 0};
    return 0;
}

/* The group comes with the device itself: what is left of a guardd that was killed now is known by it. */
static int create_device(struct Shaper *shaper, const char *name, uint32_t mtu, const char **ret_module)
{
    _cleanup_link_ struct rtnl_link *link = rtnl_link_alloc();
    struct nl_msg *message = NULL;
    int r;

    if (!link)
        return -ENOMEM;
    r = rtnl_link_set_type(link, DEVICE_KIND);
    if (r < 0)
        return rtnetlink_error(r);
    rtnl_link_set_name(link, name);
    rtnl_link_set_group(link, DEVICE_GROUP);
    if (mtu > 0)
        rtnl_link_set_mtu(link, mtu);
    r = rtnl_link_build_add_request(link, NLM_F_CREATE | NLM_F_EXCL, &message);
    if (r < 0)
        return rtnetlink_error(r);
    return lacking(request(shaper, message), DEVICE_KIND, ret_module);
}

/* Changes what `change` has set. */
static int change_device(struct Shaper *shaper, int ifindex, struct rtnl_link *change)
{
    _cleanup_link_ struct rtnl_link *link = rtnl_link_alloc();
    struct nl_msg *message = NULL;
    int r;

    if (!link)
        return -ENOMEM;
    rtnl_link_set_ifindex(link, ifindex);
    r = rtnl_link_build_change_request(link, change, 0, &message);
    return r < 0 ? rtnetlink_error(r) : request(shaper, message);
}

/* While it is down: with IPv6 an address is given as it comes up. A kernel without IPv6 gives none. */
static int settle_device(struct Shaper *shaper, int ifindex, const char *of)
{
    _cleanup_link_ struct rtnl_link *change = rtnl_link_alloc(), *no_address = rtnl_link_alloc();
    char alias[64];
    int r;

    if (!change || !no_address)
        return -ENOMEM;
    snprintf(alias, sizeof(alias), "guardd: egress of %s", of);
    rtnl_link_set_ifalias(change, alias);
    r = change_device(shaper, ifindex, change);
    if (r < 0)
        return r;
    if (rtnl_link_inet6_set_addr_gen_mode(no_address, IN6_ADDR_GEN_MODE_NONE) < 0)
        return -ENOMEM;
    r = change_device(shaper, ifindex, no_address);
    return r == -EAFNOSUPPORT ? 0 : r;
}

static int raise_device(struct Shaper *shaper, int ifindex)
{
    _cleanup_link_ struct rtnl_link *change = rtnl_link_alloc();

    if (!change)
        return -ENOMEM;
    rtnl_link_set_flags(change, IFF_UP);
    return change_device(shaper, ifindex, change);
}

static int remove_device(struct Shaper *shaper, int ifindex)
{
    _cleanup_link_ struct rtnl_link *link = rtnl_link_alloc();
    struct nl_msg *message = NULL;
    int r;

    if (!link)
        return -ENOMEM;
    rtnl_link_set_ifindex(link, ifindex);
    r = rtnl_link_build_delete_request(link, &message);
    r = r < 0 ? rtnetlink_error(r) : request(shaper, message);
    return error_is_gone(r) ? 0 : r;
}

/* --- what redirects --------------------------------------------------------------------------------------
 */

static int set_redirect(struct Shaper *shaper, int ifindex, int device, const struct Filters *filters,
                        const char **ret_module)
{
    int r;

    if (filters->ours && filters->redirect == device)
        return 0;
    if (filters->ours) {
        r = request(shaper, filter_delete_message(ifindex));
        if (r < 0)
            return r;
    }
    r = request(shaper, qdisc_hook_message(ifindex));
    if (r < 0 && r != -EEXIST) /* there is a clsact or an ingress */
        return lacking(r, "sch_ingress", ret_module);
    r = request(shaper, filter_create_message(ifindex, device));
    return r == -ENOENT ? lacking(r, module_of_filter(shaper), ret_module) : r;
}

/* The first that is seen is it: a device has one. */
static void look_at_hook(void *userdata, struct nlmsghdr *message)
{
    struct Qdisc qdisc;

    if (qdisc_read(message, &qdisc) && qdisc_is_hook(&qdisc))
        *(bool *)userdata = qdisc.marked;
}

/* Where guardd made it, and nobody has come to use it. */
static int remove_hook(struct Shaper *shaper, int ifindex)
{
    struct Filters receives, sends = {0};
    bool marked = false;
    int r = rtnetlink_request(&shaper->rtnetlink, qdisc_get_hook_message(ifindex), look_at_hook, &marked);

    if (error_is_gone(r) || r == -EINVAL || (r == 0 && !marked))
        return 0;
    if (r < 0)
        return r;
    r = find_filters(shaper, ifindex, false, &receives);
    if (r == 0)
        r = find_filters(shaper, ifindex, true, &sends);
    if (r < 0 || receives.ours || receives.others || sends.ours || sends.others)
        return r;
    r = request(shaper, qdisc_delete_hook_message(ifindex));
    return error_is_gone(r) || r == -EINVAL ? 0 : r;
}

static int remove_redirect(struct Shaper *shaper, int ifindex)
{
    int r = request(shaper, filter_delete_message(ifindex));

    /* -EINVAL: no place for filters, or one of another kind by our number. */
    if (r < 0 && !error_is_gone(r) && r != -EINVAL)
        return r;
    return remove_hook(shaper, ifindex);
}

/* --- a direction -----------------------------------------------------------------------------------------
 */

static int set_ingress(struct Shaper *shaper, const struct ShaperLink *link, const struct Shape *shape,
                       char *ret_obstacle, const char **ret_module)
{
    int r = set_qdiscs(shaper, link->ifindex, shape, ret_module);

    if (r == -EEXIST)
        return name_root(shaper, link->ifindex, ret_obstacle);
    if (r == -EOPNOTSUPP)
        (void)remove_qdiscs(shaper, link->ifindex);
    return r;
}

/* An IFB with its qdiscs, up, through which nothing goes yet. */
static int set_device(struct Shaper *shaper, const struct ShaperLink *link, const struct Shape *shape,
                      struct Device *device, char *ret_obstacle, const char **ret_module)
{
    char name[SHAPER_NAME_MAX];
    int r;

    shaper_device_name(link->ifindex, name);
    if (device->ifindex == 0) {
        r = create_device(shaper, name, link->mtu, ret_module);
        if (r == 0 || r == -EEXIST)
            r = find_device(shaper, name, device);
        if (r < 0)
            return r;
    }
    if (device->ifindex == 0)
        return -EAGAIN; /* it has just gone */
    if (!device->ours) {
        snprintf(ret_obstacle, SHAPER_OBSTACLE_MAX, "device %s", name);
        return SHAPER_OBSTRUCTED;
    }
    if (!device->up) {
        r = settle_device(shaper, device->ifindex, link->name);
        if (r < 0)
            return r;
    }
    r = set_qdiscs(shaper, device->ifindex, shape, ret_module);
    if (r == -EEXIST)
        return name_root(shaper, device->ifindex, ret_obstacle);
    return r < 0 || device->up ? r : raise_device(shaper, device->ifindex);
}

static int set_egress(struct Shaper *shaper, const struct ShaperLink *link, const struct Shape *shape,
                      char *ret_obstacle, const char **ret_module)
{
    struct Device device;
    struct Filters filters;
    char name[SHAPER_NAME_MAX];
    bool is_new;
    int r = find_filters(shaper, link->ifindex, false, &filters);

    if (r < 0)
        return r;
    if (!filters.ours && filters.others) {
        name_filter(&filters.other, ret_obstacle);
        return SHAPER_OBSTRUCTED;
    }
    shaper_device_name(link->ifindex, name);
    r = find_device(shaper, name, &device);
    if (r < 0)
        return r;
    is_new = device.ifindex == 0;
    r = set_device(shaper, link, shape, &device, ret_obstacle, ret_module);
    if (r == 0)
        r = set_redirect(shaper, link->ifindex, device.ifindex, &filters, ret_module);
    /* What shaped before goes on as it did. */
    if (r < 0 && (is_new || r == -ENODEV))
        (void)shaper_unset(shaper, link->ifindex, DIRECTION_EGRESS);
    return r;
}

int shaper_set(struct Shaper *shaper, const struct ShaperLink *link, enum Direction direction,
               const struct Shape *shape, char *ret_obstacle, const char **ret_module)
{
    return (direction == DIRECTION_INGRESS ? set_ingress : set_egress)(shaper, link, shape, ret_obstacle,
                                                                       ret_module);
}

int shaper_unset(struct Shaper *shaper, int ifindex, enum Direction direction)
{
    char name[SHAPER_NAME_MAX];
    struct Device device;
    int r;

    if (direction == DIRECTION_INGRESS)
        return remove_qdiscs(shaper, ifindex);
    r = remove_redirect(shaper, ifindex);
    if (r < 0)
        return r;
    shaper_device_name(ifindex, name);
    r = find_device(shaper, name, &device);
    return r < 0 || !device.ours ? r : remove_device(shaper, device.ifindex);
}

/* --- to look ---------------------------------------------------------------------------------------------
 */

static int inspect_egress(struct Shaper *shaper, const struct ShaperLink *link, const struct Shape *shape,
                          struct ShaperReport *ret)
{
    char name[SHAPER_NAME_MAX];
    struct Device device;
    struct Filters filters;
    struct Look look;
    int r = find_filters(shaper, link->ifindex, false, &filters);

    if (r < 0)
        return r;
    shaper_device_name(link->ifindex, name);
    r = find_device(shaper, name, &device);
    if (r < 0)
        return r;
    if (!filters.ours && filters.others) {
        ret->state = SHAPER_FOREIGN;
        name_filter(&filters.other, ret->obstacle);
        return 0;
    }
    if (device.ifindex > 0 && !device.ours) {
        ret->state = SHAPER_FOREIGN;
        snprintf(ret->obstacle, sizeof(ret->obstacle), "device %s", name);
        return 0;
    }
    if (device.ifindex == 0) {
        ret->state = filters.ours ? SHAPER_CHANGED : SHAPER_MISSING;
        return 0;
    }
    r = look_at(shaper, device.ifindex, &look);
    if (r < 0)
        return r;
    ret->state = judge_qdiscs(&look, shape, ret);
    if (ret->state == SHAPER_MISSING ||
        (ret->state == SHAPER_FITS && (!device.up || !filters.ours || filters.redirect != device.ifindex)))
        ret->state = SHAPER_CHANGED;
    return 0;
}

int shaper_inspect(struct Shaper *shaper, const struct ShaperLink *link, enum Direction direction,
                   const struct Shape *shape, struct ShaperReport *ret)
{
    struct Look look;
    int r;

    *ret = (struct ShaperReport){0};
    if (direction == DIRECTION_EGRESS)
        return inspect_egress(shaper, link, shape, ret);
    r = look_at(shaper, link->ifindex, &look);
    if (r < 0)
        return r;
    ret->state = judge_qdiscs(&look, shape, ret);
    return 0;
}

/* --- what is left of another guardd ----------------------------------------------------------------------
 */

struct Found {
    int *list; /* owned */
    size_t n, allocated;
    bool failed;
};

static void found_add(struct Found *found, int ifindex)
{
    if (found->n == found->allocated) {
        size_t allocated = found->allocated > 0 ? 2 * found->allocated : 64;
        int *list = reallocarray(found->list, allocated, sizeof(*list));

        if (!list) {
            found->failed = true;
            return;
        }
        found->list = list;
        found->allocated = allocated;
    }
    found->list[found->n++] = ifindex;
}

struct Sweep {
    struct Shaper *shaper;
    bool (*claims)(void *userdata, int ifindex, enum Direction direction);
    void *userdata;
    struct Found buckets; /* devices with our qdiscs */
    struct Found hooks;   /* devices where filters may be, or a mark is */
    struct nl_cache *links;
    size_t n_devices; /* of our group */
    bool keeps_devices;
    int result;
};

static void keep_error(struct Sweep *sweep, int r)
{
    if (r < 0 && sweep->result == 0)
        sweep->result = r;
}

static void find_remains(void *userdata, struct nlmsghdr *message)
{
    struct Sweep *sweep = userdata;
    struct Qdisc qdisc;

    if (!qdisc_read(message, &qdisc))
        return;
    if (qdisc_is_bucket(&qdisc))
        found_add(&sweep->buckets, qdisc.ifindex);
    if (qdisc_is_hook(&qdisc))
        found_add(&sweep->hooks, qdisc.ifindex);
}

/* The buckets of IFBs go with these. */
static void sweep_ingress(struct Sweep *sweep)
{
    for (size_t i = 0; i < sweep->buckets.n; i++) {
        _cleanup_link_ struct rtnl_link *link = rtnl_link_get(sweep->links, sweep->buckets.list[i]);

        if (link && !is_our_device(link) &&
            !sweep->claims(sweep->userdata, sweep->buckets.list[i], DIRECTION_INGRESS))
            keep_error(sweep, remove_qdiscs(sweep->shaper, sweep->buckets.list[i]));
    }
}

static void sweep_redirects(struct Sweep *sweep)
{
    for (size_t i = 0; i < sweep->hooks.n; i++)
        if (!sweep->claims(sweep->userdata, sweep->hooks.list[i], DIRECTION_EGRESS))
            keep_error(sweep, remove_redirect(sweep->shaper, sweep->hooks.list[i]));
}

static bool is_claimed_device(const struct Sweep *sweep, struct rtnl_link *link)
{
    int owner;

    return shaper_device_owner(rtnl_link_get_name(link), &owner) &&
           sweep->claims(sweep->userdata, owner, DIRECTION_EGRESS);
}

static void sweep_device(struct nl_object *object, void *userdata)
{
    struct rtnl_link *link = (struct rtnl_link *)object;
    struct Sweep *sweep = userdata;

    if (is_our_device(link) && !is_claimed_device(sweep, link))
        keep_error(sweep, remove_device(sweep->shaper, rtnl_link_get_ifindex(link)));
}

/* Somebody's who uses our group number, or one that stays. */
static void look_for_others(struct nl_object *object, void *userdata)
{
    struct rtnl_link *link = (struct rtnl_link *)object;
    struct Sweep *sweep = userdata;

    if (rtnl_link_get_group(link) != DEVICE_GROUP)
        return;
    sweep->n_devices++;
    if (!is_our_device(link) || is_claimed_device(sweep, link))
        sweep->keeps_devices = true;
}

/* A device takes the kernel 15 ms, in which it waits for all CPUs, and all of a group take no longer than
 * one. */
static int remove_group(struct Shaper *shaper)
{
    const struct ifinfomsg head = {.ifi_family = AF_UNSPEC};
    struct nl_msg *message = nlmsg_alloc_simple(RTM_DELLINK, 0);

    if (!message)
        return -ENOMEM;
    if (nlmsg_append(message, (void *)(uintptr_t)&head, sizeof(head), NLMSG_ALIGNTO) < 0 ||
        nla_put_u32(message, IFLA_GROUP, DEVICE_GROUP) < 0) {
        nlmsg_free(message);
        return -ENOMEM;
    }
    return request(shaper, message);
}

static void sweep_devices(struct Sweep *sweep)
{
    nl_cache_foreach(sweep->links, look_for_others, sweep);
    if (sweep->n_devices > 1 && !sweep->keeps_devices && remove_group(sweep->shaper) == 0)
        return;
    nl_cache_foreach(sweep->links, sweep_device, sweep);
}

static int find_all(struct Sweep *sweep)
{
    int r = rtnetlink_error(rtnl_link_alloc_cache(sweep->shaper->rtnetlink.socket, AF_UNSPEC, &sweep->links));

    if (r < 0)
        return r;
    r = dump_qdiscs(sweep->shaper, find_remains, sweep);
    if (r < 0)
        return r;
    return sweep->buckets.failed || sweep->hooks.failed ? -ENOMEM : 0;
}

int shaper_sweep(struct Shaper *shaper, bool (*claims)(void *userdata, int ifindex, enum Direction direction),
                 void *userdata)
{
    int r = -EAGAIN, result = 0;

    for (int i = 0; i < DUMP_TRIES && r == -EAGAIN; i++) {
        struct Sweep sweep = {.shaper = shaper, .claims = claims, .userdata = userdata};

        r = find_all(&sweep);
        if (r == 0) {
            sweep_ingress(&sweep);
            sweep_redirects(&sweep);
            sweep_devices(&sweep);
        }
        result = r < 0 ? r : sweep.result;
        free(sweep.buckets.list);
        free(sweep.hooks.list);
        cleanup_cache(&sweep.links);
    }
    return result;
}

/* --- what the kernel can ---------------------------------------------------------------------------------
 */

static int probe_on(struct Shaper *shaper, int device, const char **ret_module)
{
    static const struct Shape shape = {.rate_bytes = 1000000,
                                       .burst_bytes = 16384,
                                       .packet_bytes = 1514,
                                       .limit_bytes = 65536,
                                       .target_usec = 5000,
                                       .interval_usec = 100000,
                                       .memory_bytes = 262144};
    const struct Filters none = {0};
    int r = set_qdiscs(shaper, device, &shape, ret_module);

    return r < 0 ? r : set_redirect(shaper, device, device, &none, ret_module);
}

int shaper_probe(struct Shaper *shaper, const char **ret_module)
{
    struct Device device;
    int r = create_device(shaper, PROBE_NAME, 0, ret_module), removed;

    if (r == 0 || r == -EEXIST)
        r = find_device(shaper, PROBE_NAME, &device);
    if (r < 0)
        return r;
    if (!device.ours)
        return -EAGAIN;
    r = probe_on(shaper, device.ifindex, ret_module);
    removed = remove_device(shaper, device.ifindex);
    return r < 0 ? r : removed;
}

int shaper_timer_parse(const char *text, uint32_t *ret_hz)
{
    unsigned ticks, per, unit, hz;

    if (sscanf(text, "%8x %8x %8x %8x", &ticks, &per, &unit, &hz) != 4 || hz == 0) // NOLINT(cert-err34-c)
        return -EBADMSG;
    *ret_hz = hz;
    return 0;
}

int shaper_timer_hz(const char *path, uint32_t *ret_hz)
{
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[64];
    ssize_t n;

    if (fd < 0)
        return negative_errno();
    n = read(fd, text, sizeof(text) - 1);
    if (n < 0)
        return negative_errno();
    text[n] = '\0';
    return shaper_timer_parse(text, ret_hz);
}
