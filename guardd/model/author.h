/* The author of a change: who asked for it, as the kernel knows the caller. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define AUTHOR_NAME_MAX 33     /* of a user, with its NUL */
#define AUTHOR_COMMAND_MAX 192 /* cut where it is longer */

struct Author {
    uint32_t uid;
    int32_t pid;                /* 0: not known */
    char name[AUTHOR_NAME_MAX]; /* by /etc/passwd; "" when that does not name it */
    char
        command[AUTHOR_COMMAND_MAX]; /* its command line, with spaces between; "" when it was gone already.
                                        For operators and the journal only: a command line may hold secrets */
};

/* "alice (uid 1000)", "uid 1000". Returns `buf`. Allocates nothing. */
const char *author_format(const struct Author *author, char *buf, size_t size);
#define AUTHOR_FORMAT_MAX 64
