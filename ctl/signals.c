/* See signals.h. */
#include "ctl/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>

#include "base/error.h"

int signals_open(void)
{
    sigset_t signals;
    int fd;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
        return negative_errno();
    fd = signalfd(-1, &signals, SFD_CLOEXEC);
    return fd < 0 ? negative_errno() : fd;
}
