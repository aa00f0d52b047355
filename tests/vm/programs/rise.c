/* rise LOW HIGH TIMES: a busy but honest tenant. Goes from LOW tasks (itself counted) up to HIGH
 * and back, TIMES times, and says so on its output; ends with status 1 when a fork is refused. Then
 * it stays at LOW until it is killed. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TASKS_MAX 4096

static pid_t children[TASKS_MAX];
static long n_children;

static void grow(long tasks)
{
    while (n_children + 1 < tasks) {
        pid_t pid = fork();

        if (pid == 0)
            for (;;)
                pause();
        if (pid < 0) {
            printf("refused at %ld: %s\n", n_children + 1, strerror(errno));
            exit(EXIT_FAILURE);
        }
        children[n_children++] = pid;
    }
    printf("at %ld\n", n_children + 1);
}

static void shrink(long tasks)
{
    while (n_children + 1 > tasks) {
        kill(children[--n_children], SIGKILL);
        waitpid(children[n_children], NULL, 0);
    }
    printf("at %ld\n", n_children + 1);
}

int main(int argc, char **argv)
{
    long low, high, times;

    if (argc != 4) {
        fprintf(stderr, "usage: rise LOW HIGH TIMES\n");
        return 2;
    }
    low = atol(argv[1]);
    high = atol(argv[2]);
    times = atol(argv[3]);
    if (low < 1 || high > TASKS_MAX) {
        fprintf(stderr, "rise: 1 <= LOW, HIGH <= %d\n", TASKS_MAX);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    grow(low);
    for (long i = 0; i < times; i++) {
        grow(high);
        shrink(low);
    }
    printf("done\n");
    for (;;)
        pause();
}
