/* bare-quota-listener: the least that whoever waits for quota warnings could be, and what guardd's way from a
 * tripwire to a line of `guardctl watch` is measured against. Prints "PROJECT WARNING BOOTTIME_USEC" for each
 * message of the kernel, "ready" first. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/quota.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bare-quota-listener: %s\n", what);
    exit(EXIT_FAILURE);
}

static int told(struct nl_msg *message, void *userdata)
{
    struct nlattr *found[QUOTA_NL_A_MAX + 1];
    struct timespec now;

    (void)userdata;
    if (genlmsg_parse(nlmsg_hdr(message), 0, found, QUOTA_NL_A_MAX, NULL) < 0)
        return NL_SKIP;
    must(clock_gettime(CLOCK_BOOTTIME, &now) == 0, "clock_gettime");
    if (found[QUOTA_NL_A_EXCESS_ID] && found[QUOTA_NL_A_WARNING])
        printf("%llu %u %llu\n", (unsigned long long)nla_get_u64(found[QUOTA_NL_A_EXCESS_ID]),
               nla_get_u32(found[QUOTA_NL_A_WARNING]),
               (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
    return NL_OK;
}

int main(void)
{
    struct nl_sock *socket = nl_socket_alloc();
    int group;

    must(socket != NULL && genl_connect(socket) == 0, "no netlink");
    setvbuf(stdout, NULL, _IOLBF, 0);
    nl_socket_disable_seq_check(socket);
    nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, told, NULL);
    group = genl_ctrl_resolve_grp(socket, "VFS_DQUOT", "events");
    must(group >= 0 && nl_socket_add_membership(socket, group) == 0, "no VFS_DQUOT");
    puts("ready");
    for (;;)
        nl_recvmsgs_default(socket);
}
