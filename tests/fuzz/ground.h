/* The ground of targets: a word for what they hold, the input as a text, and for what reads files a directory
 * for as long as they run. What the host cannot give ends the target. */
#pragma once

#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char ground_path[64];

/* Of what a target holds, and of what it needs; says which it was. */
#define must(condition) ((condition) ? (void)0 : must_not_be(__FILE__, __LINE__, #condition))

static inline void must_not_be(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    abort();
}

static inline int ground_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static inline void ground_done(void)
{
    nftw(ground_path, ground_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline const char *ground(void)
{
    if (ground_path[0] != '\0')
        return ground_path;
    strcpy(ground_path, "/tmp/guardd-fuzz-XXXXXX");
    must(mkdtemp(ground_path));
    atexit(ground_done);
    return ground_path;
}

/* Of a name below the directory; the one before the last is overwritten. */
static inline const char *ground_file(const char *name)
{
    static char paths[2][4096];
    static unsigned next;
    char *path = paths[next++ % 2];

    must(snprintf(path, sizeof(paths[0]), "%s/%s", ground(), name) < (int)sizeof(paths[0]));
    return path;
}

static inline void ground_write(const char *name, const void *data, size_t size)
{
    int fd = open(ground_file(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
}

/* A file NAME.json of a store, and what the store put aside of it as damaged. */
static inline void ground_forget(int dir_fd, const char *name)
{
    char aside[4096];

    snprintf(aside, sizeof(aside), "%.*s.damaged", (int)(strlen(name) - strlen(".json")), name);
    unlinkat(dir_fd, aside, 0);
    unlinkat(dir_fd, name, 0);
}

/* Its end is that of its memory, so that reading beyond it is seen. Caller frees. */
static inline char *input_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    must(text);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}
