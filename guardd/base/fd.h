/* File descriptors of small kernel files: cgroupfs and procfs hand out a whole file in one read and
 * take a whole value in one write. Nothing here allocates, so all of it may stand on the way from an
 * event to a freeze. -EBADF stands for "no descriptor". */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What pids.max and its like read when no limit is set. */
#define FD_VALUE_MAX UINT64_MAX

/* Closes `fd` unless it is negative; errno is preserved. */
void fd_close(int fd);

/* Reads the whole file from offset 0 into `buf` and terminates it with NUL. EINTR is retried.
 * Returns the length (>= 0); -ENOBUFS when the file does not fit, -ENODEV when its cgroup is gone. */
ssize_t fd_read_file(int fd, char *buf, size_t size);

/* The same of the beginning of a file, as much of it as fits: for long files whose interesting lines come
 * early (memory.stat, meminfo) or where the last ones can be spared. The last line may be cut. */
ssize_t fd_read_head(int fd, char *buf, size_t size);

/* Reads one unsigned number, or "max" (FD_VALUE_MAX), ended by a newline.
 * -EBADMSG when it is neither. */
int fd_read_value(int fd, uint64_t *ret_value);

/* Writes `text` in one write at offset 0. EINTR is retried; a short write is -EIO. */
int fd_write_text(int fd, const char *text);

/* Writes `value` in decimal, or "max" for FD_VALUE_MAX. */
int fd_write_value(int fd, uint64_t value);

/* Finds `key` in a flat keyed buffer ("key value\n" lines, as in cgroup.events and pids.events).
 * Returns true and the value, or false when the key is not there or its value is no number. */
bool keyed_value(const char *buf, const char *key, uint64_t *ret_value);
