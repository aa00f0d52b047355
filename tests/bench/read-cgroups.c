/* read-cgroups DIRECTORY FILE...: the least that a list of tenants could be, and what guardctl's is measured
 * against: reads these files of each cgroup in a directory, and prints a line for each: its name, and the
 * first word of each file
 * (- where there is none). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* memory.stat is a page and more, and nobody needs all of it. */
#define HEAD 4096

static void print_word(int cgroup_fd, const char *file)
{
    char buf[HEAD];
    int fd = openat(cgroup_fd, file, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, buf, sizeof(buf) - 1) : 0;

    buf[n > 0 ? n : 0] = '\0';
    buf[strcspn(buf, " \n")] = '\0';
    printf(" %s", buf[0] != '\0' ? buf : "-");
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    DIR *directory = argc > 2 ? opendir(argv[1]) : NULL;
    struct dirent *entry;

    if (!directory) {
        fprintf(stderr, "usage: read-cgroups DIRECTORY FILE...\n");
        return 2;
    }
    while ((entry = readdir(directory))) {
        int fd;

        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        fd = openat(dirfd(directory), entry->d_name, O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            continue;
        fputs(entry->d_name, stdout);
        for (int i = 2; i < argc; i++)
            print_word(fd, argv[i]);
        putchar('\n');
        close(fd);
    }
    closedir(directory);
    return EXIT_SUCCESS;
}
