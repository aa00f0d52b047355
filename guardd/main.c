/* guardd: arguments, then the daemon, the check of a host and its configuration, or the end of all it did. */
#include <getopt.h>
#include <stdbool.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "backtest.h"
#include "build-config.h"
#include "check.h"
#include "base/capability.h"
#include "daemon.h"
#include "removal.h"

static int help(void)
{
    puts("guardd [OPTION...]\n"
         "\n"
         "Keeps one container, service or user session from taking the host down.\n"
         "Started by guardd.service; controlled by guardctl.\n"
         "\n"
         "  --check [FILE...]     check the configuration (or these files) and the\n"
         "                        host, act on nothing; --json for programs\n"
         "  --release             take off all that guardd did to this host, while no\n"
         "                        guardd runs: before it is removed\n"
         "  --replay FILE         what would have been done, by a trace that guardctl saved\n"
         "                        (with --json for programs)\n"
         "  --config DIR          of --replay: by this configuration, not the recorded one\n"
         "  --diff                of --replay: what differs from the present configuration\n"
         "  --foreground          history to standard error, not to the journal\n"
         "  --cgroup-root=DIR     guard this tree, over CgroupRoot=\n"
         "  --runtime-dir=DIR     where the ledger lies (/run/guardd)\n"
         "  --state-dir=DIR       what outlives a reboot (/var/lib/guardd)\n"
         "  --socket=PATH         listen here when no socket is passed in\n"
         "  --root=DIR            look for configuration and state below DIR\n"
         "  -h, --help            this text\n"
         "      --version         the version");
    return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
    enum {
        OPTION_CHECK = 256,
        OPTION_REPLAY,
        OPTION_CONFIG,
        OPTION_DIFF,
        OPTION_JSON,
        OPTION_RELEASE,
        OPTION_FOREGROUND,
        OPTION_CGROUP_ROOT,
        OPTION_RUNTIME,
        OPTION_STATE,
        OPTION_SOCKET,
        OPTION_ROOT,
        OPTION_VERSION
    };
    static const struct option options[] = {
        {"check", no_argument, NULL, OPTION_CHECK},
        {"replay", required_argument, NULL, OPTION_REPLAY},
        {"config", required_argument, NULL, OPTION_CONFIG},
        {"diff", no_argument, NULL, OPTION_DIFF},
        {"json", no_argument, NULL, OPTION_JSON},
        {"release", no_argument, NULL, OPTION_RELEASE},
        {"foreground", no_argument, NULL, OPTION_FOREGROUND},
        {"cgroup-root", required_argument, NULL, OPTION_CGROUP_ROOT},
        {"runtime-dir", required_argument, NULL, OPTION_RUNTIME},
        {"state-dir", required_argument, NULL, OPTION_STATE},
        {"socket", required_argument, NULL, OPTION_SOCKET},
        {"root", required_argument, NULL, OPTION_ROOT},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, OPTION_VERSION},
        {},
    };
    struct DaemonOptions daemon = {
        .place = {.root = "", .runtime_dir = "/run/guardd", .state_dir = "/var/lib/guardd", .journal = true}};
    struct BacktestOptions backtest = {};
    bool check = false, release = false;
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
        switch (c) {
        case OPTION_CHECK:
            check = true;
            break;
        case OPTION_REPLAY:
            backtest.file = optarg;
            break;
        case OPTION_CONFIG:
            backtest.config = optarg;
            break;
        case OPTION_DIFF:
            backtest.diff = true;
            break;
        case OPTION_JSON:
            backtest.json = true;
            break;
        case OPTION_RELEASE:
            release = true;
            break;
        case OPTION_FOREGROUND:
            daemon.place.journal = false;
            break;
        case OPTION_CGROUP_ROOT:
            daemon.place.cgroup_root = optarg;
            break;
        case OPTION_RUNTIME:
            daemon.place.runtime_dir = optarg;
            break;
        case OPTION_STATE:
            daemon.place.state_dir = optarg;
            break;
        case OPTION_SOCKET:
            daemon.socket = optarg;
            break;
        case OPTION_ROOT:
            daemon.place.root = optarg;
            break;
        case OPTION_VERSION:
            puts("guardd " GUARDD_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            return help();
        default:
            return EX_USAGE;
        }
    if (check)
        return check_run(daemon.place.root, argv + optind, backtest.json);
    if (optind < argc) {
        fprintf(stderr, "guardd: takes no arguments, got '%s'; see guardd --help\n", argv[optind]);
        return EX_USAGE;
    }
    if (release)
        return removal_run(&daemon.place);
    backtest.root = daemon.place.root;
    if (backtest.file)
        return backtest_run(&backtest);
    /* In reserve: sense/pressure.h takes it into use where it must. Without it there is nothing to take. */
    (void)capability_use(CAP_SYS_RESOURCE, false);
    return daemon_run(&daemon);
}
