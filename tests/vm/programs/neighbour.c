/* neighbour DIRECTORY LOG: a small honest tenant. One operation is what a request costs a common
 * service: fork and exec a child, write 64 KiB and fsync them, touch 4 MiB of fresh memory. After
 * each operation a line "COUNT BOOTTIME_USEC" goes to LOG, so that the rate in any window can be
 * told afterwards. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WRITE_BYTES (64 * 1024)
#define TOUCH_BYTES (4 * 1024 * 1024)
#define CHILD "--child"

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "neighbour: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static uint64_t boottime_usec(void)
{
    struct timespec now;

    must(clock_gettime(CLOCK_BOOTTIME, &now) == 0, "clock_gettime");
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void run_child(char *program)
{
    char child[] = CHILD, *argv[] = {program, child, NULL};
    int status;
    pid_t pid = fork();

    must(pid >= 0, "fork");
    if (pid == 0) {
        execv("/proc/self/exe", argv);
        _exit(127);
    }
    must(waitpid(pid, &status, 0) == pid, "waitpid");
    must(status == 0, "the child failed");
}

static void write_file(int fd)
{
    static char block[WRITE_BYTES];

    block[0]++;
    must(pwrite(fd, block, sizeof(block), 0) == sizeof(block), "pwrite");
    must(fsync(fd) == 0, "fsync");
}

static void touch_memory(void)
{
    char *memory = mmap(NULL, TOUCH_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(memory != MAP_FAILED, "mmap");
    memset(memory, 1, TOUCH_BYTES);
    must(munmap(memory, TOUCH_BYTES) == 0, "munmap");
}

int main(int argc, char **argv)
{
    int data, log;

    if (argc == 2 && strcmp(argv[1], CHILD) == 0)
        return EXIT_SUCCESS;
    if (argc != 3) {
        fprintf(stderr, "usage: neighbour DIRECTORY LOG\n");
        return 2;
    }
    log = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    must(log >= 0, argv[2]);
    must(chdir(argv[1]) == 0, argv[1]);
    data = open("data", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    must(data >= 0, "data");
    for (uint64_t count = 1;; count++) {
        run_child(argv[0]);
        write_file(data);
        touch_memory();
        must(dprintf(log, "%llu %llu\n", (unsigned long long)count, (unsigned long long)boottime_usec()) > 0,
             "log");
    }
}
