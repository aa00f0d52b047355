/* thread-bomb: starts threads without end. Each counts for a while, then sleeps; a refused thread
 * is asked for again at once. To the pids controller a thread is a task like a process. */
#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

#define STACK_BYTES (64 * 1024)
#define SPINS 100000

static void *spin_and_sleep(void *unused)
{
    for (volatile unsigned i = 0; i < SPINS; i++)
        ;
    for (;;)
        pause();
    return unused;
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    for (;;)
        pthread_create(&thread, &attributes, spin_and_sleep, NULL);
}
