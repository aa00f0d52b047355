/* The kernel's io.max on a file of fake_cgroup.h: what is written is one device and some of its numbers, what
 * is read is a line for each device that has a limit. */
#pragma once

#include <stdint.h>

#include "tests/unit/act/fake_cgroup.h"

#define FAKE_DISKS_MAX 4
static const char *const fake_io_keys[] = {"rbps", "wbps", "riops", "wiops"};
static struct {
    int fd;
    bool gone; /* the second disk is: whoever writes to it gets ENODEV */
    struct {
        unsigned major, minor;
        char number[4][24];
    } disks[FAKE_DISKS_MAX];
    size_t n;
} fake_io;

static inline void fake_io_show(void)
{
    char text[512] = "";

    for (size_t i = 0; i < fake_io.n; i++) {
        size_t used = strlen(text);
        bool any = false;

        for (size_t k = 0; k < 4; k++)
            any = any || strcmp(fake_io.disks[i].number[k], "max") != 0;
        if (any)
            snprintf(text + used, sizeof(text) - used, "%u:%u rbps=%s wbps=%s riops=%s wiops=%s\n",
                     fake_io.disks[i].major, fake_io.disks[i].minor, fake_io.disks[i].number[0],
                     fake_io.disks[i].number[1], fake_io.disks[i].number[2], fake_io.disks[i].number[3]);
    }
    fake_say(fake_io.fd, text);
}

/* As the kernel would take it. */
static inline ssize_t fake_io_take(const char *line, size_t size)
{
    unsigned major, minor;
    char text[128], *word, *rest = text;
    size_t i = 0;

    snprintf(text, sizeof(text), "%.*s", (int)size, line);
    if (sscanf(text, "%u:%u", &major, &minor) != 2)
        abort();
    if (fake_io.gone && minor != 0) {
        errno = ENODEV;
        return -1;
    }
    while (i < fake_io.n && (fake_io.disks[i].major != major || fake_io.disks[i].minor != minor))
        i++;
    if (i == fake_io.n) {
        if (fake_io.n == FAKE_DISKS_MAX)
            abort();
        fake_io.disks[fake_io.n].major = major;
        fake_io.disks[fake_io.n].minor = minor;
        for (size_t k = 0; k < 4; k++)
            snprintf(fake_io.disks[fake_io.n].number[k], 24, "max");
        fake_io.n++;
    }
    (void)strsep(&rest, " \n");
    while ((word = strsep(&rest, " \n")))
        for (size_t k = 0; k < 4; k++)
            if (strncmp(word, fake_io_keys[k], strlen(fake_io_keys[k])) == 0 &&
                word[strlen(fake_io_keys[k])] == '=')
                snprintf(fake_io.disks[i].number[k], 24, "%s", word + strlen(fake_io_keys[k]) + 1);
    fake_io_show();
    return (ssize_t)size;
}

static inline ssize_t fake_io_write(int fd, const void *buf, size_t size)
{
    return fd == fake_io.fd ? fake_io_take(buf, size) : -2;
}

/* io.max of this cgroup from now on. */
static inline void fake_io_max(struct Cgroup *cgroup)
{
    cgroup->files[CGROUP_IO_MAX] = fake_file("");
    memset(&fake_io, 0, sizeof(fake_io));
    fake_io.fd = cgroup->files[CGROUP_IO_MAX];
    fake_take = fake_io_write;
}

/* Somebody else writes a line. */
static inline void fake_io_say(const char *line)
{
    (void)fake_io_take(line, strlen(line));
}
