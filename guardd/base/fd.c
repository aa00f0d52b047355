#include "base/fd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

void fd_close(int fd)
{
    int saved = errno;

    if (fd >= 0)
        close(fd);
    errno = saved;
}

/* What the kernel hands out in one read, it hands out as far as its page reaches: a file that ends well
 * before was read whole, and need not be asked for its end, which would be half of what a look costs. */
#define SHORT_FILE 2048

/* Up to `size` bytes; fewer when the file ends before. */
static ssize_t read_up_to(int fd, char *buf, size_t size)
{
    size_t length = 0;

    if (fd < 0)
        return -EBADF;
    while (length < size) {
        ssize_t n = pread(fd, buf + length, size - length, (off_t)length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return negative_errno();
        length += (size_t)n;
        if (n == 0 || length < SHORT_FILE)
            break;
    }
    return (ssize_t)length;
}

ssize_t fd_read_file(int fd, char *buf, size_t size)
{
    ssize_t n = read_up_to(fd, buf, size);

    if (n < 0)
        return n;
    if ((size_t)n == size)
        return -ENOBUFS;
    buf[n] = '\0';
    return n;
}

ssize_t fd_read_head(int fd, char *buf, size_t size)
{
    ssize_t n = read_up_to(fd, buf, size - 1);

    if (n >= 0)
        buf[n] = '\0';
    return n;
}

/* Takes digits up to a newline, a NUL or a blank; anything else is no number. */
static bool parse_value(const char *text, uint64_t *ret_value)
{
    char *end;
    unsigned long long value;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || (*end != '\n' && *end != '\0'))
        return false;
    *ret_value = value;
    return true;
}

int fd_read_value(int fd, uint64_t *ret_value)
{
    char buf[32];
    ssize_t n = fd_read_file(fd, buf, sizeof(buf));

    if (n < 0)
        return (int)n;
    if (strcmp(buf, "max\n") == 0 || strcmp(buf, "max") == 0) {
        *ret_value = FD_VALUE_MAX;
        return 0;
    }
    return parse_value(buf, ret_value) ? 0 : -EBADMSG;
}

int fd_write_text(int fd, const char *text)
{
    size_t length = strlen(text);
    ssize_t n;

    if (fd < 0)
        return -EBADF;
    do
        n = pwrite(fd, text, length, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return negative_errno();
    return (size_t)n == length ? 0 : -EIO;
}

int fd_write_value(int fd, uint64_t value)
{
    char buf[24];

    if (value == FD_VALUE_MAX)
        return fd_write_text(fd, "max");
    snprintf(buf, sizeof(buf), "%" PRIu64, value);
    return fd_write_text(fd, buf);
}

bool keyed_value(const char *buf, const char *key, uint64_t *ret_value)
{
    size_t length = strlen(key);

    for (const char *line = buf; *line != '\0';) {
        const char *next = strchr(line, '\n');

        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return parse_value(line + length + 1, ret_value);
        if (!next)
            return false;
        line = next + 1;
    }
    return false;
}
