/* tagrace DIRECTORY OUTSIDE SECONDS: an enemy of whoever gives the files in DIRECTORY a project. OUTSIDE is
 * on the same filesystem, and not below DIRECTORY. For so long, three processes at random
 *
 *   - exchange directories in DIRECTORY with symbolic links to OUTSIDE, and with each other;
 *   - link the canaries in OUTSIDE into DIRECTORY, rename, exchange and remove these names;
 *   - move files and directories to OUTSIDE/moved and back;
 *   - put fifos, directories, links and files in each other's place.
 *
 * What is in OUTSIDE/moved was in DIRECTORY at some time, and may rightly carry its project. Everything else
 * in OUTSIDE, the directories included, never was, and must not:
 *
 *   OUTSIDE  OUTSIDE/canary-N  OUTSIDE/deep  OUTSIDE/deep/canary-N  OUTSIDE/moved
 *
 * They are made at the start. Prints `ready` when it begins, and at the end `done ROUNDS SUCCEEDED`: of how
 * many attempts the kernel let how many through. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RACERS 3
#define CANARIES 8
#define NAMES 12 /* in each place */

struct Score {
    unsigned long rounds, succeeded;
};

struct Racer {
    int inside, outside, moved;
    const char *outside_path; /* absolute */
    unsigned seed;
    struct Score *score;
};

static void die(const char *what)
{
    fprintf(stderr, "tagrace: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static unsigned dice(struct Racer *racer, unsigned sides)
{
    return (unsigned)rand_r(&racer->seed) % sides;
}

static int open_dir(int at, const char *path)
{
    int fd;

    if (mkdirat(at, path, 0755) < 0 && errno != EEXIST)
        die(path);
    fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        die(path);
    return fd;
}

static void make_canaries(int dir_fd)
{
    for (unsigned i = 0; i < CANARIES; i++) {
        char name[32];
        int fd;

        snprintf(name, sizeof(name), "canary-%u", i);
        fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0)
            die(name);
        close(fd);
    }
}

/* A name in the tree: of the upper level, or below one of it, which may be a link or no directory just now.
 */
static const char *any_name(struct Racer *racer, char *buf, size_t size)
{
    unsigned top = dice(racer, NAMES), below = dice(racer, NAMES);

    if (dice(racer, 3) == 0)
        snprintf(buf, size, "n%u", top);
    else if (dice(racer, 2) == 0)
        snprintf(buf, size, "n%u/n%u", top, below);
    else
        snprintf(buf, size, "n%u/n%u/n%u", top, below, dice(racer, NAMES));
    return buf;
}

static int make_file(struct Racer *racer, const char *name)
{
    int fd = openat(racer->inside, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

static int make_link_to_outside(struct Racer *racer, const char *name)
{
    static const char *const below[] = {"", "/deep", "/deep/canary-1", "/canary-2"};
    char target[PATH_MAX];

    snprintf(target, sizeof(target), "%s%s", racer->outside_path, below[dice(racer, 4)]);
    return symlinkat(target, racer->inside, name);
}

/* Links a canary in, from either of their directories. */
static int link_canary(struct Racer *racer, const char *name)
{
    char canary[48];

    snprintf(canary, sizeof(canary), "%scanary-%u", dice(racer, 2) ? "deep/" : "", dice(racer, CANARIES));
    return linkat(racer->outside, canary, racer->inside, name, 0);
}

/* The names here lead through links that this program made itself: what stands in OUTSIDE must not be removed
 * or moved that way, so only names that stay inside are taken. */
static int dir_of(const struct Racer *racer, char *name, const char **ret_last)
{
    char *slash = strrchr(name, '/'), *at = name;
    int fd = fcntl(racer->inside, F_DUPFD_CLOEXEC, 0);

    *ret_last = slash ? slash + 1 : name;
    while (fd >= 0 && slash && at <= slash) {
        char *end = strchr(at, '/');
        int next;

        *end = '\0';
        next = openat(fd, at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(fd);
        fd = next;
        at = end + 1;
    }
    return fd;
}

static int act(struct Racer *racer, int a_fd, const char *a, int b_fd, const char *b)
{
    struct Racer here = *racer;
    int r;

    here.inside = a_fd;
    switch (dice(racer, 14)) {
    case 0:
    case 1:
    case 2:
        r = renameat2(a_fd, a, b_fd, b, RENAME_EXCHANGE);
        break;
    case 3:
    case 4:
        r = renameat2(a_fd, a, b_fd, b, RENAME_NOREPLACE);
        break;
    case 5:
        r = mkdirat(a_fd, a, 0755);
        break;
    case 6:
        r = make_file(&here, a);
        break;
    case 7:
        r = make_link_to_outside(&here, a);
        break;
    case 8:
    case 9:
        r = link_canary(&here, a);
        break;
    case 10:
        r = mkfifoat(a_fd, a, 0600);
        break;
    case 11:
        r = unlinkat(a_fd, a, 0);
        break;
    case 12:
        r = unlinkat(a_fd, a, AT_REMOVEDIR);
        break;
    default:
        r = linkat(a_fd, a, b_fd, b, 0);
        break;
    }
    racer->seed = here.seed;
    return r;
}

/* Out, back, or in exchange. */
static int act_moved(struct Racer *racer, int fd, const char *name)
{
    char moved[16];

    snprintf(moved, sizeof(moved), "n%u", dice(racer, NAMES));
    switch (dice(racer, 3)) {
    case 0:
        return renameat2(fd, name, racer->moved, moved, RENAME_NOREPLACE);
    case 1:
        return renameat2(racer->moved, moved, fd, name, RENAME_NOREPLACE);
    default:
        return renameat2(racer->moved, moved, fd, name, RENAME_EXCHANGE);
    }
}

static void play(struct Racer *racer)
{
    char a[64], b[64];
    const char *a_last, *b_last;
    int a_fd = dir_of(racer, (char *)any_name(racer, a, sizeof(a)), &a_last);
    int b_fd = dir_of(racer, (char *)any_name(racer, b, sizeof(b)), &b_last);
    int r = -1;

    if (a_fd >= 0 && dice(racer, 8) == 0)
        r = act_moved(racer, a_fd, a_last);
    else if (a_fd >= 0 && b_fd >= 0)
        r = act(racer, a_fd, a_last, b_fd, b_last);
    racer->score->rounds++;
    racer->score->succeeded += r == 0;
    if (a_fd >= 0)
        close(a_fd);
    if (b_fd >= 0)
        close(b_fd);
}

static time_t seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void race(struct Racer *racer, time_t until)
{
    while (seconds_now() < until)
        for (unsigned i = 0; i < 100; i++)
            play(racer);
    _exit(EXIT_SUCCESS);
}

static void start_all(struct Racer *racer, struct Score *scores, time_t until)
{
    for (unsigned i = 0; i < RACERS; i++) {
        pid_t pid;

        racer->seed = i + 1;
        racer->score = &scores[i];
        pid = fork();
        if (pid < 0)
            die("fork");
        if (pid == 0)
            race(racer, until);
    }
}

int main(int argc, char **argv)
{
    struct Score *scores =
        mmap(NULL, RACERS * sizeof(*scores), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct Score all = {.rounds = 0};
    struct Racer racer;
    int deep;

    if (argc != 4 || scores == MAP_FAILED) {
        fprintf(stderr, "usage: tagrace DIRECTORY OUTSIDE SECONDS\n");
        return 2;
    }
    racer.inside = open_dir(AT_FDCWD, argv[1]);
    racer.outside = open_dir(AT_FDCWD, argv[2]);
    racer.moved = open_dir(racer.outside, "moved");
    deep = open_dir(racer.outside, "deep");
    racer.outside_path = realpath(argv[2], NULL);
    if (!racer.outside_path)
        die(argv[2]);
    make_canaries(racer.outside);
    make_canaries(deep);
    printf("ready\n");
    fflush(stdout);
    start_all(&racer, scores, seconds_now() + atoi(argv[3]));
    while (wait(NULL) > 0)
        ;
    for (unsigned i = 0; i < RACERS; i++) {
        all.rounds += scores[i].rounds;
        all.succeeded += scores[i].succeeded;
    }
    printf("done %lu %lu\n", all.rounds, all.succeeded);
    return EXIT_SUCCESS;
}
