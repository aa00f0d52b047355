/* held: for how long were the CPUs of this machine not there, since whoever emulates it gave them to somebody
 * else? A thread on each, of the realtime class, sleeps for STEP and looks how late it wakes up. It prints
 * "ready", and when its input ends
 *
 *   LOST TOTAL      microseconds: of the CPU that lost most, and since it was ready */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STEP_USEC 5000
#define LATE_USEC 5000 /* what a timer may be late by itself */
#define CPUS_MAX 64
#define PRIORITY 50

static uint64_t lost_usec[CPUS_MAX];

static uint64_t now_usec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void must(int error, const char *what)
{
    if (error == 0)
        return;
    fprintf(stderr, "held: %s: %s\n", what, strerror(error));
    exit(EXIT_FAILURE);
}

static void *look(void *userdata)
{
    uint64_t *lost = userdata, last = now_usec();

    while (true) {
        uint64_t now;

        usleep(STEP_USEC);
        now = now_usec();
        if (now - last > STEP_USEC + LATE_USEC)
            __atomic_add_fetch(lost, now - last - STEP_USEC, __ATOMIC_RELAXED);
        last = now;
    }
    return NULL;
}

static void start_on(unsigned cpu)
{
    const struct sched_param parameters = {.sched_priority = PRIORITY};
    pthread_attr_t attributes;
    pthread_t thread;
    cpu_set_t cpus;

    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    must(pthread_attr_init(&attributes), "attributes");
    must(pthread_attr_setaffinity_np(&attributes, sizeof(cpus), &cpus), "affinity");
    must(pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED), "scheduling");
    must(pthread_attr_setschedpolicy(&attributes, SCHED_FIFO), "policy");
    must(pthread_attr_setschedparam(&attributes, &parameters), "priority");
    must(pthread_create(&thread, &attributes, look, &lost_usec[cpu]), "thread");
    pthread_attr_destroy(&attributes);
}

int main(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t begun = now_usec(), most = 0;
    char byte;

    for (unsigned cpu = 0; cpu < CPUS_MAX && (long)cpu < cpus; cpu++)
        start_on(cpu);
    printf("ready\n");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++) {
        uint64_t lost = __atomic_load_n(&lost_usec[cpu], __ATOMIC_RELAXED);

        most = lost > most ? lost : most;
    }
    printf("%llu %llu\n", (unsigned long long)most, (unsigned long long)(now_usec() - begun));
    return EXIT_SUCCESS;
}
