/* Which files are read, and their bytes. */
#pragma once

#include <stddef.h>

#include "config/problem.h"

/* Reads a whole file into a new buffer. Returns 0; FILE_REFUSED and a complaint when it is no file, cannot be
 * read or is too large; -ENOMEM. /dev/null is an empty file. */
#define FILE_REFUSED 1
int file_read(const char *path, char **ret_text, size_t *ret_size, struct Complaint *complaint);
