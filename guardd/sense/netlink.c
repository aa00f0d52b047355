#include "sense/netlink.h"

#include <errno.h>
#include <sys/socket.h>

#include <netlink/errno.h>
#include <netlink/socket.h>

int netlink_error(int error)
{
    switch (-error) {
    case NLE_OBJ_NOTFOUND:
        return -ENOENT;
    case NLE_NODEV:
        return -ENODEV;
    case NLE_NOMEM:
        return -ENOMEM;
    case NLE_AGAIN:
        return -EAGAIN;
    case NLE_PERM:
    case NLE_NOACCESS:
        return -EPERM;
    case NLE_AF_NOSUPPORT:
    case NLE_OPNOTSUPP:
        return -EOPNOTSUPP;
    default:
        return -EIO;
    }
}

void netlink_make_room(struct nl_sock *socket, int bytes)
{
    if (setsockopt(nl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
        nl_socket_set_buffer_size(socket, bytes, 0);
}
