#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <dirent.h>
#include <libmount.h>

/* What takes memory, be it the kernel's. */
static const char memory[] = "memory";

static struct {
    const char *function; /* or memory; NULL: none */
    size_t left;          /* calls until then */
    int error;
} fault;

void fault_call(const char *function, size_t nth, int error)
{
    fault.function = function;
    fault.left = nth;
    fault.error = error;
}

void fault_each_shortage(int (*attempt)(void *userdata), void *userdata, int expected)
{
    int r = -ENOMEM;

    for (size_t nth = 0; r == -ENOMEM; nth++) {
        fault_call(memory, nth, ENOMEM);
        r = attempt(userdata);
        if (r != (fault.function ? expected : -ENOMEM))
            fail_msg("%d without the request %zu", r, nth);
    }
    fault.function = NULL;
}

static bool fails(const char *function)
{
    if (!fault.function || strcmp(fault.function, function) != 0 || fault.left-- > 0)
        return false;
    fault.function = NULL;
    errno = fault.error;
    return true;
}

/* A function whose calls come here, and what it returns where it fails as `name_of`. */
#define WRAP(type, name, parameters, arguments, name_of, failed)                                             \
    type __real_##name parameters;                                                                           \
    type __wrap_##name parameters;                                                                           \
    type __wrap_##name parameters                                                                            \
    {                                                                                                        \
        return fails(name_of) ? failed : __real_##name arguments;                                            \
    }

WRAP(void *, malloc, (size_t size), (size), memory, NULL)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), memory, NULL)
WRAP(void *, realloc, (void *pointer, size_t size), (pointer, size), memory, NULL)
WRAP(void *, reallocarray, (void *pointer, size_t n, size_t size), (pointer, n, size), memory, NULL)
WRAP(char *, strdup, (const char *text), (text), memory, NULL)
WRAP(char *, strndup, (const char *text, size_t size), (text, size), memory, NULL)
WRAP(FILE *, fmemopen, (void *buffer, size_t size, const char *mode), (buffer, size, mode), memory, NULL)
WRAP(DIR *, opendir, (const char *path), (path), memory, NULL)
WRAP(struct libmnt_table *, mnt_new_table, (void), (), memory, NULL)

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode = 0;

    va_start(arguments, flags);
    if ((flags & O_CREAT) != 0)
        mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return fails(memory) ? -1 : __real_open64(path, flags, mode);
}

/* Where it fails nothing is said of *ret. */
int __wrap_asprintf(char **ret, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **ret, const char *format, ...)
{
    va_list arguments;
    int n;

    *ret = (char *)1;
    if (fails(memory))
        return -1;
    va_start(arguments, format);
    n = vasprintf(ret, format, arguments);
    va_end(arguments);
    return n;
}

/* With 64 bits for an offset, which meson asks for, this is what the C library calls them. */
WRAP(int, fstat64, (int fd, struct stat *st), (fd, st), "fstat", -1)
WRAP(struct dirent *, readdir64, (DIR * dir), (dir), "readdir", NULL)

WRAP(ssize_t, read, (int fd, void *buffer, size_t size), (fd, buffer, size), "read",
     fault.error == 0 ? 0 : -1)
WRAP(long, sysconf, (int name), (name), "sysconf", -1)
WRAP(int, mnt_table_parse_stream, (struct libmnt_table * table, FILE *file, const char *name),
     (table, file, name), "mnt_table_parse_stream", -fault.error)

int (*fault_inih)(ini_reader reader, void *stream, ini_handler handler, void *user);

int __real_ini_parse_stream(ini_reader reader, void *stream, ini_handler handler, void *user);
int __wrap_ini_parse_stream(ini_reader reader, void *stream, ini_handler handler, void *user);
int __wrap_ini_parse_stream(ini_reader reader, void *stream, ini_handler handler, void *user)
{
    return (fault_inih ? fault_inih : __real_ini_parse_stream)(reader, stream, handler, user);
}
