/* bare-watch SOCKET: the least that a service and its client could be between the kernel's quota warnings and
 * a printed line, when they speak varlink: what of guardd's way from a tripwire to a line of `guardctl watch`
 * is that of any such pair. The service tells of each message as it comes, the client prints "PROJECT
 * WARNING", "ready" first. They judge nothing, read no usage, record nothing. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <linux/quota.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <systemd/sd-event.h>
#include <systemd/sd-varlink.h>

#define METHOD "io.guardd.Bench.Watch"

static void must(int r, const char *what)
{
    if (r >= 0)
        return;
    fprintf(stderr, "bare-watch: %s: %s\n", what, strerror(-r));
    exit(EXIT_FAILURE);
}

/* --- the service
 * ---------------------------------------------------------------------------------------------- */

static int told(struct nl_msg *message, void *userdata)
{
    sd_varlink **watcher = userdata;
    struct nlattr *found[QUOTA_NL_A_MAX + 1];

    if (!*watcher || genlmsg_parse(nlmsg_hdr(message), 0, found, QUOTA_NL_A_MAX, NULL) < 0 ||
        !found[QUOTA_NL_A_EXCESS_ID] || !found[QUOTA_NL_A_WARNING])
        return NL_SKIP;
    must(sd_varlink_notifybo(*watcher,
                             SD_JSON_BUILD_PAIR_UNSIGNED("project", nla_get_u64(found[QUOTA_NL_A_EXCESS_ID])),
                             SD_JSON_BUILD_PAIR_UNSIGNED("warning", nla_get_u32(found[QUOTA_NL_A_WARNING]))),
         "notify");
    return NL_OK;
}

static int on_warning(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    nl_recvmsgs_default(userdata);
    return 0;
}

static struct nl_sock *listen_to_warnings(sd_event *event, sd_varlink **watcher)
{
    struct nl_sock *socket = nl_socket_alloc();
    int group;

    must(socket ? genl_connect(socket) : -ENOMEM, "no netlink");
    nl_socket_disable_seq_check(socket);
    nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, told, watcher);
    group = genl_ctrl_resolve_grp(socket, "VFS_DQUOT", "events");
    must(group < 0 ? -ENOENT : nl_socket_add_membership(socket, group), "no VFS_DQUOT");
    must(sd_event_add_io(event, NULL, nl_socket_get_fd(socket), EPOLLIN, on_warning, socket), "the loop");
    return socket;
}

static int on_watch(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                    void *userdata)
{
    *(sd_varlink **)userdata = sd_varlink_ref(link);
    return sd_varlink_notifybo(link, SD_JSON_BUILD_PAIR_STRING("ready", "ready"));
}

static void serve(const char *address)
{
    static sd_varlink *watcher;
    sd_varlink_server *server;
    sd_event *event;

    must(sd_event_default(&event), "a loop");
    must(sd_varlink_server_new(&server, SD_VARLINK_SERVER_INHERIT_USERDATA), "a server");
    must(sd_varlink_server_bind_method(server, METHOD, on_watch), "a method");
    must(sd_varlink_server_listen_address(server, address, 0600), address);
    sd_varlink_server_set_userdata(server, &watcher);
    must(sd_varlink_server_attach_event(server, event, SD_EVENT_PRIORITY_NORMAL), "the loop");
    listen_to_warnings(event, &watcher);
    must(sd_event_loop(event), "the loop");
}

/* --- the client
 * ----------------------------------------------------------------------------------------------- */

static int on_reply(sd_varlink *link, sd_json_variant *parameters, const char *error_id,
                    sd_varlink_reply_flags_t flags, void *userdata)
{
    if (error_id)
        must(-EIO, error_id);
    if (sd_json_variant_by_key(parameters, "ready"))
        puts("ready");
    else
        printf("%llu %llu\n",
               (unsigned long long)sd_json_variant_unsigned(sd_json_variant_by_key(parameters, "project")),
               (unsigned long long)sd_json_variant_unsigned(sd_json_variant_by_key(parameters, "warning")));
    return 0;
}

static void watch(const char *address)
{
    sd_varlink *link;
    sd_event *event;

    must(sd_event_default(&event), "a loop");
    while (sd_varlink_connect_address(&link, address) < 0)
        usleep(10000); /* the service begins */
    must(sd_varlink_bind_reply(link, on_reply), "the answers");
    must(sd_varlink_attach_event(link, event, SD_EVENT_PRIORITY_NORMAL), "the loop");
    must(sd_varlink_set_relative_timeout(link, UINT64_MAX), "no timeout");
    must(sd_varlink_observe(link, METHOD, NULL), METHOD);
    must(sd_event_loop(event), "the loop");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: bare-watch SOCKET\n");
        return 2;
    }
    unlink(argv[1]);
    switch (fork()) {
    case -1:
        must(-errno, "fork");
        break;
    case 0:
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(argv[1]);
        break;
    default:
        setvbuf(stdout, NULL, _IOLBF, 0);
        watch(argv[1]);
    }
    return EXIT_SUCCESS;
}
