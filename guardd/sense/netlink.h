/* What the sensors that hear the kernel through libnl share. Private to sense/. */
#pragma once

/* A negative errno for what libnl returned (-NLE_...). */
int netlink_error(int error);

struct nl_sock;
/* Room for so many bytes of announcements: beyond what anybody may have, where we may. */
void netlink_make_room(struct nl_sock *socket, int bytes);
