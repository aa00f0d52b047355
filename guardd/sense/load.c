/* How the host is: /proc/pressure and /proc/meminfo, open from the start. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "sense/counter.h"
#include "sense/pressure.h"
#include "sense/strain.h"

/* MemTotal and MemAvailable are the first lines. */
#define MEMINFO_HEAD 1024

/* "MemTotal:       16318440 kB" */
static bool meminfo_value(const char *text, const char *key, uint64_t *ret_bytes)
{
    size_t length = strlen(key);

    for (const char *line = text, *next; (next = strchr(line, '\n')); line = next + 1) {
        unsigned long long kib;
        char *end;

        if (strncmp(line, key, length) != 0)
            continue;
        line += length;
        line += strspn(line, " ");
        if (*line < '0' || *line > '9')
            return false;
        errno = 0;
        kib = strtoull(line, &end, 10);
        if (errno != 0 || strncmp(end, " kB\n", 4) != 0 || kib > UINT64_MAX / 1024)
            return false;
        *ret_bytes = (uint64_t)kib * 1024;
        return true;
    }
    return false;
}

bool meminfo_parse(const char *text, uint64_t *ret_available, uint64_t *ret_total)
{
    uint64_t available, total;

    if (!meminfo_value(text, "MemAvailable:", &available) || !meminfo_value(text, "MemTotal:", &total))
        return false;
    *ret_available = available;
    *ret_total = total;
    return true;
}

static int open_below(const char *root, const char *file)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s%s", root, file) >= (int)sizeof(path))
        return -EBADF;
    return open(path, O_RDONLY | O_CLOEXEC);
}

void host_strain_open(struct HostStrain *host, const char *root)
{
    *host = (struct HostStrain){.meminfo_fd = open_below(root, "/proc/meminfo")};
    /* Both lines of a file share a descriptor. */
    for (int i = 0; i < PRESSURE_COUNT; i++) {
        const char *file = pressure_host_file((enum Pressure)i);
        bool shared = i > 0 && strcmp(file, pressure_host_file((enum Pressure)(i - 1))) == 0;

        host->pressure_fds[i] = shared ? host->pressure_fds[i - 1] : open_below(root, file);
        if (host->pressure_fds[i] < 0)
            host->pressure_fds[i] = -EBADF;
    }
}

void host_strain_close(struct HostStrain *host)
{
    for (int i = 0; i < PRESSURE_COUNT; i++) {
        if (i == 0 || host->pressure_fds[i] != host->pressure_fds[i - 1])
            fd_close(host->pressure_fds[i]);
    }
    for (int i = 0; i < PRESSURE_COUNT; i++)
        host->pressure_fds[i] = -EBADF;
    fd_close(host->meminfo_fd);
    host->meminfo_fd = -EBADF;
}

static void look_memory(int fd, struct Readings *readings)
{
    char buf[MEMINFO_HEAD];
    uint64_t available, total;

    readings->valid[READING_HOST_MEMORY_AVAILABLE] = false;
    readings->limit[READING_HOST_MEMORY_AVAILABLE] = READING_UNLIMITED;
    if (fd_read_head(fd, buf, sizeof(buf)) < 0 || !meminfo_parse(buf, &available, &total))
        return;
    reading_set(readings, READING_HOST_MEMORY_AVAILABLE, reading_amount(available));
    readings->limit[READING_HOST_MEMORY_AVAILABLE] = reading_amount(total);
}

void host_strain_look(struct HostStrain *host, usec_t now, struct Readings *readings)
{
    struct PressureFds fds;

    memcpy(fds.fd, host->pressure_fds, sizeof(fds.fd));
    /* Files of /proc do not go away. */
    pressure_look(&fds, true, &host->strain, now, readings);
    look_memory(host->meminfo_fd, readings);
}
