/* See trace.h. */
#include "serve/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <utlist.h>

#include <systemd/sd-id128.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "build-config.h"
#include "record/trace.h"
#include "serve/answer.h"
#include "wire/interface.h"

/* Of a message: the loop is not held up for longer than encoding these takes. */
#define ENTRIES_MAX 32

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)

struct TraceFeed {
    struct ServicePeer *peer;
    sd_event_source *writable;
    struct TraceCopy copy;
    size_t at;
    bool begun; /* the header was sent */
};

struct TraceFeed *trace_feed_free(struct TraceFeed *feed)
{
    if (!feed)
        return NULL;
    sd_event_source_disable_unref(feed->writable);
    trace_copy_free(&feed->copy);
    free(feed);
    return NULL;
}

/* What a file begins with. */
static int add_header(struct TraceFeed *feed, sd_json_variant **entries)
{
    _cleanup_json_ sd_json_variant *header = NULL;
    sd_id128_t boot = SD_ID128_NULL;
    int r;

    (void)sd_id128_get_boot(&boot);
    r = sd_json_buildo(&header, SD_JSON_BUILD_PAIR_STRING("kind", "trace"),
                       SD_JSON_BUILD_PAIR_UNSIGNED("format", TRACE_FORMAT),
                       SD_JSON_BUILD_PAIR_STRING("guardd", GUARDD_VERSION),
                       SD_JSON_BUILD_PAIR_ID128("bootId", boot),
                       SD_JSON_BUILD_PAIR_BOOLEAN("partial", feed->copy.partial));
    feed->begun = true;
    return r < 0 ? r : sd_json_variant_append_array(entries, header);
}

static int add_entry(struct TraceFeed *feed, sd_json_variant **entries)
{
    _cleanup_json_ sd_json_variant *object = NULL;
    struct TraceEntry entry;
    ssize_t n = trace_entry_read(feed->copy.bytes + feed->at, feed->copy.size - feed->at, &entry);
    int r;

    if (n < 0)
        return (int)n;
    r = trace_entry_make(&entry, &object);
    if (r >= 0)
        r = sd_json_variant_append_array(entries, object);
    feed->at += (size_t)n;
    return r;
}

/* The next message; the last one ends the call. */
static int send_some(struct TraceFeed *feed)
{
    _cleanup_json_ sd_json_variant *entries = NULL;
    sd_varlink *link = feed->peer->link;
    int r = sd_json_variant_new_array(&entries, NULL, 0);

    if (r >= 0 && !feed->begun)
        r = add_header(feed, &entries);
    for (size_t i = 0; r >= 0 && i < ENTRIES_MAX && feed->at < feed->copy.size; i++)
        r = add_entry(feed, &entries);
    if (r < 0)
        return r;
    if (feed->at < feed->copy.size)
        return sd_varlink_notifybo(link, SD_JSON_BUILD_PAIR_VARIANT("entries", entries));
    feed->peer->trace = NULL;
    r = sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("entries", entries));
    trace_feed_free(feed);
    return r;
}

/* There is room in the socket; more is made when all that was queued is in it. */
static int on_writable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct TraceFeed *feed = userdata;
    struct ServicePeer *peer = feed->peer;
    sd_varlink *link = sd_varlink_ref(peer->link);
    int pending = sd_varlink_get_events(link);

    if (pending >= 0 && (pending & EPOLLOUT))
        peer_push(peer);
    else if (pending < 0 || send_some(feed) < 0)
        sd_varlink_close(link); /* frees the peer */
    sd_varlink_unref(link);
    return 0;
}

static int watch_output(struct TraceFeed *feed)
{
    sd_varlink_server *server = sd_varlink_get_server(feed->peer->link);
    _cleanup_fd_ int fd = fcntl(sd_varlink_get_fd(feed->peer->link), F_DUPFD_CLOEXEC, 3);
    int r;

    if (fd < 0)
        return negative_errno();
    r = sd_event_add_io(sd_varlink_server_get_event(server), &feed->writable, fd, EPOLLOUT, on_writable,
                        feed);
    if (r >= 0)
        r = sd_event_source_set_io_fd_own(feed->writable, true);
    if (r < 0)
        return r;
    take_fd(&fd);
    return sd_event_source_set_priority(feed->writable, SERVICE_PRIORITY + 1);
}

static bool is_being_sent(const struct Service *service)
{
    const struct ServicePeer *peer;

    DL_FOREACH (service->peers, peer)
        if (peer->trace)
            return true;
    return false;
}

int trace_send(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags, void *userdata)
{
    struct ServicePeer *peer = userdata;
    struct TraceFeed *feed;
    int r = peer_demand(peer, RIGHT_CHANGE);

    if (r < 0)
        return r;
    if (is_being_sent(peer->service))
        return answer_error(link, WIRE_ERROR_REFUSED, "somebody else is being sent the trace just now");
    feed = calloc(1, sizeof(*feed));
    if (!feed)
        return -ENOMEM;
    feed->peer = peer;
    r = peer->service->view.trace ? trace_copy(peer->service->view.trace, &feed->copy) : -ENODATA;
    if (r >= 0)
        r = watch_output(feed);
    if (r >= 0)
        peer->trace = feed;
    else
        trace_feed_free(feed);
    if (r == -ENODATA)
        return answer_error(link, WIRE_ERROR_REFUSED, "no trace is kept: TraceSize=0");
    return r;
}
