/* See failing.h. A function that is wrapped stands here and in failing_functions (meson.build): the linker
 * misses the one without the other. Names ending in 64 are those that the headers make of the usual ones. */
#include "tests/unit/failing.h"

#include <dirent.h>
#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/capability.h"

#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-json.h>

static _Thread_local struct {
    const char *function;
    unsigned left; /* calls until it fails; 0: none does */
    int error;
    bool came;
} failure;

void fail_call(const char *function, unsigned nth, int error)
{
    failure.function = function;
    failure.left = nth;
    failure.error = error;
    failure.came = false;
}

bool call_failed(void)
{
    failure.left = 0;
    return failure.came;
}

static bool fails(const char *function, bool allocates)
{
    bool meant = failure.function == ANY_ALLOCATION ? allocates : strcmp(failure.function, function) == 0;

    if (failure.left == 0 || !meant || --failure.left > 0)
        return false;
    failure.came = true;
    errno = failure.error;
    return true;
}

/* `failed`: how it says so. */
#define WRAP_AS(type, name, allocates, failed, parameters, arguments)                                        \
    type __real_##name parameters;                                                                           \
    type __wrap_##name parameters;                                                                           \
    type __wrap_##name parameters                                                                            \
    {                                                                                                        \
        return fails(#name, allocates) ? (failed) : __real_##name arguments;                                 \
    }
#define WRAP(type, name, failed, parameters, arguments)                                                      \
    WRAP_AS(type, name, false, failed, parameters, arguments)

/* --- memory ---------------------------------------------------------------------------------------- */

#define WRAP_ALLOCATION(type, name, parameters, arguments)                                                   \
    WRAP_AS(type, name, true, NULL, parameters, arguments)
#define WRAP_JSON(name, parameters, arguments) WRAP_AS(int, name, true, -failure.error, parameters, arguments)

WRAP_ALLOCATION(void *, malloc, (size_t size), (size))
WRAP_ALLOCATION(void *, calloc, (size_t n, size_t size), (n, size))
WRAP_ALLOCATION(void *, realloc, (void *old, size_t size), (old, size))
WRAP_ALLOCATION(void *, reallocarray, (void *old, size_t n, size_t size), (old, n, size))
WRAP_ALLOCATION(char *, strdup, (const char *text), (text))

WRAP_ALLOCATION(void *, tsearch, (const void *key, void **root, comparison_fn_t compare),
                (key, root, compare))

WRAP_JSON(sd_json_parse,
          (const char *text, sd_json_parse_flags_t flags, sd_json_variant **ret, unsigned *line,
           unsigned *column),
          (text, flags, ret, line, column))
WRAP_JSON(sd_json_dispatch,
          (sd_json_variant * object, const sd_json_dispatch_field table[], sd_json_dispatch_flags_t flags,
           void *userdata),
          (object, table, flags, userdata))
WRAP_JSON(sd_json_variant_new_array, (sd_json_variant * *ret, sd_json_variant **list, size_t n),
          (ret, list, n))
WRAP_JSON(sd_json_variant_new_boolean, (sd_json_variant * *ret, int flag), (ret, flag))
WRAP_JSON(sd_json_variant_new_object, (sd_json_variant * *ret, sd_json_variant **list, size_t n),
          (ret, list, n))
WRAP_JSON(sd_json_variant_new_stringn, (sd_json_variant * *ret, const char *text, size_t n), (ret, text, n))
WRAP_JSON(sd_json_variant_new_string, (sd_json_variant * *ret, const char *text), (ret, text))
WRAP_JSON(sd_json_variant_new_unsigned, (sd_json_variant * *ret, uint64_t number), (ret, number))
WRAP_JSON(sd_json_variant_append_array, (sd_json_variant * *list, sd_json_variant *element), (list, element))
WRAP_JSON(sd_json_variant_merge_object, (sd_json_variant * *object, sd_json_variant *more), (object, more))

/* Those of any number of arguments, made of those of one list. */
int __wrap_sd_json_build(sd_json_variant **ret, ...);
int __wrap_sd_json_build(sd_json_variant **ret, ...)
{
    va_list arguments;
    int r;

    if (fails("sd_json_build", true))
        return -failure.error;
    va_start(arguments, ret);
    r = sd_json_buildv(ret, arguments);
    va_end(arguments);
    return r;
}

int __wrap_sd_json_variant_append_arrayb(sd_json_variant **list, ...);
int __wrap_sd_json_variant_append_arrayb(sd_json_variant **list, ...)
{
    sd_json_variant *element = NULL;
    va_list arguments;
    int r;

    if (fails("sd_json_variant_append_arrayb", true))
        return -failure.error;
    va_start(arguments, list);
    r = sd_json_buildv(&element, arguments);
    va_end(arguments);
    if (r >= 0)
        r = __real_sd_json_variant_append_array(list, element);
    sd_json_variant_unref(element);
    return r;
}

__attribute__((format(printf, 2, 3))) int __wrap_asprintf(char **ret, const char *format, ...);
int __wrap_asprintf(char **ret, const char *format, ...)
{
    va_list arguments;
    int n;

    if (fails("asprintf", true))
        return -1;
    va_start(arguments, format);
    n = vasprintf(ret, format, arguments);
    va_end(arguments);
    return n;
}

/* --- system calls ---------------------------------------------------------------------------------- */

WRAP(int, fcntl64, -1, (int fd, int command, long argument), (fd, command, argument))
WRAP(int, flock, -1, (int fd, int operation), (fd, operation))
WRAP(int, fstat64, -1, (int fd, struct stat *ret), (fd, ret))
WRAP(int, ftruncate64, -1, (int fd, off_t length), (fd, length))
WRAP(int, open64, -1, (const char *path, int flags, mode_t mode), (path, flags, mode))
WRAP(int, openat64, -1, (int fd, const char *path, int flags, mode_t mode), (fd, path, flags, mode))
WRAP(int, renameat, -1, (int from_fd, const char *from, int to_fd, const char *to),
     (from_fd, from, to_fd, to))
WRAP(int, posix_fallocate64, failure.error, (int fd, off_t offset, off_t length), (fd, offset, length))
WRAP(ssize_t, pread64, -1, (int fd, void *buf, size_t size, off_t offset), (fd, buf, size, offset))
WRAP(ssize_t, pwrite64, -1, (int fd, const void *buf, size_t size, off_t offset), (fd, buf, size, offset))
WRAP(DIR *, fdopendir, NULL, (int fd), (fd))
WRAP(FILE *, fdopen, NULL, (int fd, const char *mode), (fd, mode))
WRAP(int, ferror, 1, (FILE * file), (file))

static _Thread_local struct {
    bool on, again;
    struct dirent entry;
} twice;

void list_twice(bool yes)
{
    twice.on = yes;
    twice.again = false;
}

struct dirent *__real_readdir64(DIR *dir);
struct dirent *__wrap_readdir64(DIR *dir);
struct dirent *__wrap_readdir64(DIR *dir)
{
    struct dirent *entry;

    if (fails("readdir64", false))
        return NULL;
    if (twice.again) {
        twice.again = false;
        return &twice.entry;
    }
    entry = __real_readdir64(dir);
    twice.again = twice.on && entry;
    if (twice.again)
        memcpy(&twice.entry, entry, entry->d_reclen);
    return entry;
}

/* --- libraries ------------------------------------------------------------------------------------- */

/* Of this one the number is the answer: it may also be told that it has changed something. */
WRAP(int, capability_use, failure.error, (int capability, bool on), (capability, on))

WRAP(int, sd_id128_get_boot, -failure.error, (sd_id128_t * ret), (ret))
WRAP(int, genl_connect, -failure.error, (struct nl_sock * socket), (socket))
WRAP(int, genl_ctrl_resolve, -failure.error, (struct nl_sock * socket, const char *name), (socket, name))
WRAP(int, genl_ctrl_resolve_grp, -failure.error,
     (struct nl_sock * socket, const char *name, const char *group), (socket, name, group))
WRAP(int, nl_socket_set_nonblocking, -failure.error, (const struct nl_sock *socket), (socket))
WRAP(struct nl_sock *, nl_socket_alloc, NULL, (void), ())
