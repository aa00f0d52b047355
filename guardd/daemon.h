/* The daemon: the process around the guard. Owns it and the service by value, the event loop and its timer.
 * Nobody else includes this but main.c. */
#pragma once

#include "guard.h"

struct DaemonOptions {
    struct GuardPlace place;
    const char *socket; /* to listen on when no socket was passed in; NULL: the usual one */
};

/* Runs until SIGTERM or SIGINT. Returns an exit status: 0, EX_CONFIG (78), or 1. */
int daemon_run(const struct DaemonOptions *options);
