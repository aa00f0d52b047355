#include "base/device.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Of devices stacked on each other; none is on itself, but a made-up tree may say so. */
#define STACK_MAX 16

__attribute__((format(printf, 2, 3))) static int read_dev(dev_t *ret, const char *format, ...)
{
    char path[PATH_MAX], text[32];
    unsigned number[2];
    va_list arguments;
    _cleanup_fd_ int fd = -EBADF;

    va_start(arguments, format);
    vsnprintf(path, sizeof(path), format, arguments);
    va_end(arguments);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fd_read_file(fd, text, sizeof(text)) < 0 ||
        sscanf(text, "%u:%u", &number[0], &number[1]) != 2)
        return -ENOTBLK;
    *ret = makedev(number[0], number[1]);
    return 0;
}

/* The one device that this one is stacked on; -ENOTBLK: on none, or on several. */
static int below(const char *host, dev_t dev, dev_t *ret)
{
    char path[PATH_MAX], name[NAME_MAX + 1] = "";
    _cleanup_dir_ DIR *slaves = NULL;
    const struct dirent *entry;

    snprintf(path, sizeof(path), "%s/sys/dev/block/%u:%u/slaves", host, major(dev), minor(dev));
    slaves = opendir(path);
    while (slaves && (entry = readdir(slaves))) {
        if (entry->d_name[0] == '.')
            continue;
        if (name[0] != '\0')
            return -ENOTBLK;
        snprintf(name, sizeof(name), "%s", entry->d_name);
    }
    return name[0] == '\0' ? -ENOTBLK : read_dev(ret, "%s/sys/class/block/%s/dev", host, name);
}

static dev_t whole(const char *host, dev_t dev)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/sys/dev/block/%u:%u/partition", host, major(dev), minor(dev));
    if (access(path, F_OK) == 0)
        (void)read_dev(&dev, "%s/sys/dev/block/%u:%u/../dev", host, major(dev), minor(dev));
    return dev;
}

int device_of_mount(const char *host, const struct Mount *mount, dev_t *ret)
{
    dev_t dev = mount->dev;
    int r = read_dev(&dev, "%s/sys/dev/block/%u:%u/dev", host, major(dev), minor(dev));

    if (r < 0 && mount->source && strncmp(mount->source, "/dev/", 5) == 0)
        r = read_dev(&dev, "%s/sys/class/block/%s/dev", host, mount->source + 5);
    if (r < 0)
        return r;
    for (unsigned i = 0; i < STACK_MAX && below(host, dev, &dev) >= 0;)
        i++;
    *ret = whole(host, dev);
    return 0;
}

/* A name with a '/' in it has a '!' there. */
const char *device_node(const char *host, unsigned major, unsigned minor, char *buf, size_t size)
{
    char path[PATH_MAX], target[PATH_MAX];
    ssize_t n;

    snprintf(path, sizeof(path), "%s/sys/dev/block/%u:%u", host, major, minor);
    n = readlink(path, target, sizeof(target) - 1);
    if (n <= 0) {
        snprintf(buf, size, "/dev/block/%u:%u", major, minor);
        return buf;
    }
    target[n] = '\0';
    snprintf(buf, size, "/dev/%s", basename(target));
    for (char *c = buf + strlen("/dev/"); *c != '\0'; c++)
        if (*c == '!')
            *c = '/';
    return buf;
}
