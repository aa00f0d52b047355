/* `guardd --check`, and so `guardctl check`: is the configuration right, and can this host be guarded? */
#pragma once

#include <stdbool.h>

/* Checks these files (NULL-terminated), or what the daemon would read when there are none; `root` is put
 * before the directories of the configuration. Prints to standard output, for people or as JSON. Returns an
 * exit code: 0, or 1 when the host lacks what guarding needs or the configuration is not valid. Acts on
 * nothing. */
int check_run(const char *root, char *const *files, bool json);
