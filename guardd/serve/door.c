/* See door.h. */
#include "serve/door.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "serve/peer.h"

/* As systemd's: the kernel takes less where net.core.somaxconn says so. */
#define BACKLOG 4096

/* Whoever is one too many, or has gone already, is hung up on. */
static void let_in(struct Service *service, int fd)
{
    _cleanup_fd_ int peer_fd = fd;
    sd_varlink *link;

    if (sd_varlink_server_add_connection(service->server, peer_fd, &link) < 0)
        return;
    take_fd(&peer_fd);
    if (peer_connected(service->server, link, service) < 0)
        sd_varlink_close(link);
}

/* The one who knocks stays where it is: without this the loop would turn and turn. */
static int shut_for_a_while(struct Service *service, int error)
{
    if (!service->door_was_shut)
        fprintf(stderr, "<4>nobody can be let in for the moment: %s\n", strerror(-error));
    service->door_was_shut = true;
    (void)sd_event_source_set_enabled(service->door, SD_EVENT_OFF);
    (void)sd_event_source_set_time_relative(service->door_opens, DOOR_SHUT_USEC);
    return sd_event_source_set_enabled(service->door_opens, SD_EVENT_ONESHOT);
}

static int on_opens(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct Service *service = userdata;

    return sd_event_source_set_enabled(service->door, SD_EVENT_ON);
}

static int on_knock(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct Service *service = userdata;

    for (int i = 0; i < DOOR_TURN_MAX; i++) {
        int peer_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (peer_fd >= 0) {
            service->door_was_shut = false;
            let_in(service, peer_fd);
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return shut_for_a_while(service, negative_errno());
        }
    }
    return 0;
}

/* Not the file's mode decides who may do what, and whoever may not is to hear why. */
static int listen_at(const char *address)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return negative_errno();
    if (strlen(address) >= sizeof(name.sun_path))
        return -ENAMETOOLONG;
    memcpy(name.sun_path, address, strlen(address));
    if ((unlink(address) < 0 && errno != ENOENT) ||
        bind(fd, (const struct sockaddr *)&name, sizeof(name)) < 0 || chmod(address, 0666) < 0 ||
        listen(fd, BACKLOG) < 0)
        return negative_errno();
    return take_fd(&fd);
}

/* The one who has made it may have made it for somebody who waits. */
static int take_over(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) <= 0)
        return -EINVAL;
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return negative_errno();
    return 0;
}

static int make_timer(struct Service *service, sd_event *event)
{
    int r = sd_event_add_time_relative(event, &service->door_opens, CLOCK_MONOTONIC, DOOR_SHUT_USEC, 0,
                                       on_opens, service);

    return r < 0 ? r : sd_event_source_set_enabled(service->door_opens, SD_EVENT_OFF);
}

int door_open(struct Service *service, sd_event *event, int fd, const char *address)
{
    _cleanup_fd_ int own = fd >= 0 ? fd : listen_at(address);
    int r = own;

    if (r >= 0 && fd >= 0)
        r = take_over(own);
    if (r >= 0)
        r = make_timer(service, event);
    if (r >= 0)
        r = sd_event_add_io(event, &service->door, own, EPOLLIN, on_knock, service);
    if (r >= 0)
        r = sd_event_source_set_io_fd_own(service->door, true);
    if (r < 0)
        return r;
    take_fd(&own);
    return sd_event_source_set_priority(service->door, SERVICE_PRIORITY);
}

void door_close(struct Service *service)
{
    service->door = sd_event_source_disable_unref(service->door);
    service->door_opens = sd_event_source_disable_unref(service->door_opens);
}
