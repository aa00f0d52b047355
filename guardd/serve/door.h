/* The door of the service: its listening socket. sd-varlink would accept one connection a turn of the loop,
 * so that whoever knocks often enough has an operator wait behind all of it; and give up listening for good
 * the first time that the host is short of descriptors or memory. Here several are let in a turn, and after a
 * shortage the door opens again. Who may stay is peer.h's to say. */
#pragma once

#include "serve/service.h"

/* How many are let in before others that are ready in the loop have their turn. */
#define DOOR_TURN_MAX 32
/* After a shortage nobody is let in for so long. */
#define DOOR_SHUT_USEC (500 * USEC_PER_MSEC)

/* Listens on `fd` (taken over, on failure too), or on a socket of its own at `address` when it is negative:
 * everyone may connect to that, and one that is left there from before is replaced. -EINVAL: `fd` is no
 * listening socket of that kind; -ENAMETOOLONG; or what the kernel says. */
int door_open(struct Service *service, sd_event *event, int fd, const char *address);
/* Nobody is let in any more; the socket is closed. */
void door_close(struct Service *service);
