/* spin [-t] COUNT: burns CPU in COUNT processes, or with -t in as many threads of one, until it is killed.
 * The processes go when the first one does. */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define COUNT_MAX 4096

static void *burn(void *unused)
{
    volatile uint64_t turns = 0;

    (void)unused;
    while (true)
        turns++;
    return NULL;
}

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(EXIT_FAILURE);
}

static void start_thread(void)
{
    pthread_t thread;

    must(pthread_create(&thread, NULL, burn, NULL) == 0, "spin: pthread_create");
}

static void start_process(void)
{
    pid_t parent = getpid(), pid = fork();

    must(pid >= 0, "spin: fork");
    if (pid > 0)
        return;
    must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "spin: prctl");
    if (getppid() == parent)
        burn(NULL);
    _exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
    bool threads = argc > 1 && strcmp(argv[1], "-t") == 0;
    long count = argc == 2 + threads ? strtol(argv[1 + threads], NULL, 10) : 0;

    if (count < 1 || count > COUNT_MAX) {
        fprintf(stderr, "usage: spin [-t] COUNT (at most %d)\n", COUNT_MAX);
        return 2;
    }
    for (long i = 1; i < count; i++)
        threads ? start_thread() : start_process();
    burn(NULL);
}
