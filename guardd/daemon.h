/* The daemon: owns every module by value, the event loop and its timers. Nobody else includes this but main.c. */
#pragma once

#include <stdbool.h>

struct DaemonOptions {
    const char *root;        /* put before configuration and state directories; "" on a host, a made-up tree in tests */
    const char *cgroup_root; /* over CgroupRoot=; NULL */
    const char *runtime_dir; /* of the ledger; /run/guardd */
    const char *socket;      /* to listen on when no socket was passed in; NULL: the usual one */
    bool journal;            /* history to the journal, else to standard error */
};

/* Runs until SIGTERM or SIGINT. Returns an exit status: 0, EX_CONFIG (78), or 1. */
int daemon_run(const struct DaemonOptions *options);
