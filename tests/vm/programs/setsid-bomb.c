/* setsid-bomb: doubles without end. Every new process leaves session, process group and parent
 * behind (setsid, double fork), so that neither a signal to a group nor a walk along parents finds
 * them all. Only the cgroup does. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
    signal(SIGCHLD, SIG_IGN); /* those in the middle are reaped at once */
    signal(SIGHUP, SIG_IGN);
    for (;;) {
        if (fork() != 0)
            continue;
        setsid();
        if (fork() != 0)
            _exit(EXIT_SUCCESS);
    }
}
