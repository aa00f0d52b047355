/* Scope-bound ownership: a variable marked with one of these is released when it goes out of scope.
 * `take_fd()` and `take_ptr()` move ownership out, so that a function says where it gives up a thing. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <dirent.h>

#include "base/fd.h"

static inline void cleanup_free(void *p)
{
    free(*(void **)p);
}

static inline void cleanup_fd(const int *fd)
{
    fd_close(*fd);
}

static inline void cleanup_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static inline void cleanup_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_fd_ _cleanup_(cleanup_fd)
#define _cleanup_dir_ _cleanup_(cleanup_dir)
#define _cleanup_file_ _cleanup_(cleanup_file)

static inline int take_fd(int *fd)
{
    int taken = *fd;

    *fd = -EBADF;
    return taken;
}

#define take_ptr(ptr)                                                                                        \
    ({                                                                                                       \
        __typeof__(ptr) taken_ = (ptr);                                                                      \
        (ptr) = NULL;                                                                                        \
        taken_;                                                                                              \
    })
