#include "model/author.h"

#include <inttypes.h>
#include <stdio.h>

const char *author_format(const struct Author *author, char *buf, size_t size)
{
    if (author->name[0] != '\0')
        snprintf(buf, size, "%s (uid %" PRIu32 ")", author->name, author->uid);
    else
        snprintf(buf, size, "uid %" PRIu32, author->uid);
    return buf;
}
