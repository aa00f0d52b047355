/* One request to the kernel's rtnetlink and its answer, by libnl: what it says, as an errno and as its
 * sentence. libnl's own error numbers fold several of the kernel's into one.
 *
 * A call waits for the kernel's RTNL lock, which others may hold for seconds (a thousand namespaces that go
 * at once): not for a loop that has to answer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct nl_sock;
struct nl_msg;
struct nlmsghdr;

struct Rtnetlink {
    struct nl_sock *socket; /* NULL: closed */
    char sentence[96];      /* the kernel's, of the last request that it refused; or "" */
    bool stale;             /* an answer did not come whole: the next request takes a new socket */
};

int rtnetlink_open(struct Rtnetlink *rtnetlink);
void rtnetlink_close(struct Rtnetlink *rtnetlink);
/* The port that the kernel knows our requests by: whoever listens to events can tell what we did ourselves.
 */
uint32_t rtnetlink_port(const struct Rtnetlink *rtnetlink);

/* Sends `message`, which is released, and waits for the answer; NULL is -ENOMEM. `each` is told each message
 * that comes before the end; NULL: nobody is. -EAGAIN: a dump was overtaken by a change. */
int rtnetlink_request(struct Rtnetlink *rtnetlink, struct nl_msg *message,
                      void (*each)(void *userdata, struct nlmsghdr *message), void *userdata);
/* What the library's own requests return, as an errno. */
int rtnetlink_error(int library_error);
