/* See service.h. */
#include "serve/service.h"

#include <poll.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "build-config.h"
#include "serve/change.h"
#include "serve/door.h"
#include "serve/inspect.h"
#include "serve/limits.h"
#include "serve/listing.h"
#include "serve/look.h"
#include "serve/peer.h"
#include "serve/suspend.h"
#include "serve/trace.h"
#include "wire/interface.h"

/* Messages to watchers that may be sent while something else waits. */
#define TELL_MAX 16

static int on_feed(sd_event_source *source, void *userdata)
{
    look_feed(userdata);
    return 0;
}

static int make_feed(struct Service *service, sd_event *event)
{
    int r = sd_event_add_defer(event, &service->feed, on_feed, service);

    if (r >= 0)
        r = sd_event_source_set_priority(service->feed, SERVICE_PRIORITY);
    if (r >= 0)
        r = sd_event_source_set_enabled(service->feed, SD_EVENT_OFF);
    return r;
}

static int bind_methods(sd_varlink_server *server)
{
    int r = sd_varlink_server_add_interface(server, &vl_interface_io_guardd_Guard);

    if (r < 0)
        return r;
    return sd_varlink_server_bind_method_many(
        server, WIRE_INTERFACE ".GetStatus", look_get_status, WIRE_INTERFACE ".GetMetrics", look_get_metrics,
        WIRE_INTERFACE ".ListTenants", look_list_tenants, WIRE_INTERFACE ".ShowTenant", look_show_tenant,
        WIRE_INTERFACE ".Watch", look_watch, WIRE_INTERFACE ".Freeze", change_freeze, WIRE_INTERFACE ".Thaw",
        change_thaw, WIRE_INTERFACE ".Kill", change_kill, WIRE_INTERFACE ".Throttle", change_throttle,
        WIRE_INTERFACE ".Release", change_release, WIRE_INTERFACE ".ReleaseAll", change_release_all,
        WIRE_INTERFACE ".SetLimits", limits_set, WIRE_INTERFACE ".ResetLimits", limits_reset,
        WIRE_INTERFACE ".CheckTenant", inspect_check, WIRE_INTERFACE ".Trace", trace_send,
        WIRE_INTERFACE ".SetMode", suspend_set_mode, WIRE_INTERFACE ".Exempt", suspend_exempt,
        WIRE_INTERFACE ".EndExemption", suspend_end_exemption, WIRE_INTERFACE ".Reload", change_reload);
}

static int make_server(struct Service *service)
{
    int r = sd_varlink_server_new(&service->server, SD_VARLINK_SERVER_ACCOUNT_UID);

    if (r < 0)
        return r;
    sd_varlink_server_set_userdata(service->server, service);
    r = sd_varlink_server_set_info(service->server, "guardd", "guardd", GUARDD_VERSION, NULL);
    if (r >= 0)
        r = sd_varlink_server_set_connections_max(service->server, PEERS_MAX);
    if (r >= 0)
        r = sd_varlink_server_set_connections_per_uid_max(service->server, PEERS_PER_USER_MAX);
    if (r >= 0)
        r = sd_varlink_server_bind_disconnect(service->server, peer_disconnected);
    if (r >= 0)
        r = bind_methods(service->server);
    return r;
}

int service_open(struct Service *service, sd_event *event, int fd, const char *address,
                 const struct ServiceView *view, const struct ServiceOps *ops, void *userdata)
{
    _cleanup_fd_ int listen_fd = fd;
    int r;

    *service = (struct Service){.view = *view,
                                .ops = ops,
                                .userdata = userdata,
                                .group_file = "/etc/group",
                                .passwd_file = "/etc/passwd"};
    r = make_server(service);
    if (r >= 0)
        r = make_feed(service, event);
    if (r >= 0)
        r = listing_open(service, event);
    if (r >= 0)
        r = sd_varlink_server_attach_event(service->server, event, SERVICE_PRIORITY);
    if (r >= 0)
        r = door_open(service, event, take_fd(&listen_fd), address);
    if (r < 0)
        service_close(service);
    return r < 0 ? r : 0;
}

/* What is queued for a peer is written as far as its socket takes it, and nobody waits for more. */
static void hang_up(struct ServicePeer *peer)
{
    int pending = sd_varlink_get_events(peer->link);

    if (pending > 0 && (pending & POLLOUT))
        sd_varlink_process(peer->link);
    sd_varlink_close(peer->link);
}

void service_close(struct Service *service)
{
    struct ServicePeer *peer, *next;

    if (service->peers)
        look_feed(service);
    DL_FOREACH_SAFE (service->peers, peer, next)
        hang_up(peer);
    service->feed = sd_event_source_disable_unref(service->feed);
    listing_close(service);
    door_close(service);
    service->server = sd_varlink_server_unref(service->server);
}

void service_event(struct Service *service)
{
    if (service->feed && service->fed < service->view.history->last_sequence && look_is_watched(service))
        sd_event_source_set_enabled(service->feed, SD_EVENT_ONESHOT);
}

void service_tell(struct Service *service)
{
    uint64_t events = service->view.history->last_sequence - service->fed;
    size_t watchers = service->feed ? look_watchers(service) : 0;

    if (watchers == 0 || events == 0)
        return;
    if (events * watchers <= TELL_MAX)
        look_feed(service);
    else
        service_event(service);
}
