/* See peer.h. The userdata of a link is its peer, of the server the service. */
#include "serve/peer.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "wire/codec.h"
#include "serve/trace.h"
#include "wire/interface.h"
#include "wire/text.h"

#define READ_BYTES_MAX (64 * 1024) /* what sd-varlink takes in one read */

/* Something came in. When it is gone already, sd-varlink was quicker: then it counts as much as that can have
 * taken. */
static int on_input(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct ServicePeer *peer = userdata;
    int unread = 0;

    if (!(events & EPOLLIN) || ioctl(fd, SIOCINQ, &unread) < 0)
        return 0;
    peer->unanswered_bytes += unread > 0 ? (size_t)unread : READ_BYTES_MAX;
    if (peer->unanswered_bytes > PEER_CALL_BYTES_MAX)
        sd_varlink_close(peer->link); /* frees the peer */
    return 0;
}

/* Edge-triggered: once per arrival, in front of sd-varlink, which reads in a later turn of the loop. A
 * descriptor of its own, for epoll takes each only once. */
static int watch_input(struct ServicePeer *peer)
{
    sd_varlink_server *server = sd_varlink_get_server(peer->link);
    _cleanup_fd_ int fd = fcntl(sd_varlink_get_fd(peer->link), F_DUPFD_CLOEXEC, 3);
    int r;

    if (fd < 0)
        return negative_errno();
    r = sd_event_add_io(sd_varlink_server_get_event(server), &peer->input, fd, EPOLLIN | EPOLLET, on_input,
                        peer);
    if (r < 0)
        return r;
    r = sd_event_source_set_io_fd_own(peer->input, true);
    if (r < 0)
        return r;
    take_fd(&fd);
    return sd_event_source_set_priority(peer->input, SERVICE_PRIORITY - 1);
}

static void peer_free(struct ServicePeer *peer)
{
    trace_feed_free(peer->trace);
    sd_event_source_disable_unref(peer->input);
    sd_varlink_unref(peer->link);
    free(peer);
}

static bool has_place(const struct Service *service, enum Right right)
{
    const struct ServicePeer *peer;
    size_t strangers = 0;

    if (right != RIGHT_NONE)
        return true;
    DL_FOREACH (service->peers, peer)
        strangers += peer->right == RIGHT_NONE;
    return strangers < PEERS_STRANGERS_MAX;
}

int peer_connected(sd_varlink_server *server, sd_varlink *link, void *userdata)
{
    struct Service *service = userdata;
    enum Right right = authority_of_peer(service->group_file, *service->view.config, link);
    struct ServicePeer *peer;
    int r;

    if (!has_place(service, right))
        return -EUSERS;
    peer = calloc(1, sizeof(*peer));
    if (!peer)
        return -ENOMEM;
    *peer = (struct ServicePeer){.service = service, .link = sd_varlink_ref(link), .right = right};
    r = watch_input(peer);
    if (r < 0) {
        peer_free(peer);
        return r;
    }
    sd_varlink_set_userdata(link, peer);
    DL_APPEND(service->peers, peer);
    return 0;
}

void peer_disconnected(sd_varlink_server *server, sd_varlink *link, void *userdata)
{
    struct Service *service = userdata;
    struct ServicePeer *peer = sd_varlink_get_userdata(link);

    if (!peer) /* was never let in */
        return;
    DL_DELETE(service->peers, peer);
    sd_varlink_set_userdata(link, NULL);
    peer_free(peer);
}

int peer_demand(struct ServicePeer *peer, enum Right wanted)
{
    const struct Config *config = *peer->service->view.config;
    char denial[AUTHORITY_DENIAL_MAX];

    peer->unanswered_bytes = 0; /* a call came of it */
    if (authority_of_peer(peer->service->group_file, config, peer->link) >= wanted)
        return 0;
    return sd_varlink_errorbo(
        peer->link, WIRE_ERROR_DENIED,
        WIRE_PAIR_TEXT("message", authority_denial(config, wanted, denial, sizeof(denial))));
}

int peer_overrides(struct ServicePeer *peer, const char *tenant, sd_json_variant **ret)
{
    struct Service *service = peer->service;
    const struct Override *override = override_find(service->view.overrides, tenant);
    enum Right right = authority_of_peer(service->group_file, *service->view.config, peer->link);

    return wire_overrides(override, service->ops->realtime(service->userdata), right >= RIGHT_CHANGE, ret);
}

void peer_asked(struct ServicePeer *peer, const struct Tenant *tenant, const struct Author *author,
                const char *format, ...)
{
    struct Service *service = peer->service;
    char what[REASON_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    service->ops->asked(service->userdata, tenant, author, what);
}

static bool is_writable(sd_varlink *link)
{
    struct pollfd pollfd = {.fd = sd_varlink_get_fd(link), .events = POLLOUT};

    return poll(&pollfd, 1, 0) > 0 && (pollfd.revents & POLLOUT);
}

void peer_notify(struct ServicePeer *peer, sd_json_variant *reply)
{
    int pending = sd_varlink_get_events(peer->link);

    if (pending >= 0 && !(pending & EPOLLOUT)) /* all that was queued is written */
        peer->queued = 0;
    peer->queued++;
    if (peer->queued > PEER_QUEUED_MAX || (peer->queued > PEER_BEHIND_MAX && !is_writable(peer->link)) ||
        sd_varlink_notify(peer->link, reply) < 0)
        sd_varlink_close(peer->link);
}

void peer_push(struct ServicePeer *peer)
{
    int pending = sd_varlink_get_events(peer->link);

    if (pending > 0 && (pending & EPOLLOUT))
        (void)sd_varlink_process(peer->link);
}

void peer_await(struct ServicePeer *peer, enum Awaits awaits, const struct Tenant *tenant,
                sd_varlink_method_flags_t flags)
{
    peer->awaits = awaits;
    snprintf(peer->subject, sizeof(peer->subject), "%s", tenant ? tenant->name : "");
    peer->ticket = flags & SD_VARLINK_METHOD_ONEWAY ? 0 : ++peer->service->last_ticket;
}

struct ServicePeer *peer_take_waiting(struct Service *service, uint64_t ticket)
{
    struct ServicePeer *peer;

    if (ticket == 0)
        return NULL;
    DL_FOREACH (service->peers, peer)
        if (peer->ticket == ticket) {
            peer->ticket = 0;
            return peer;
        }
    return NULL;
}
