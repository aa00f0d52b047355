/* --host: the same command, run by the guardctl of another host, through ssh. */
#pragma once

#include "ctl/guardctl.h"

/* Becomes ssh: what that exits with is what guardctl exits with (the other guardctl's status, or 255 when ssh
 * failed). `words`: the verb and what follows it, NULL-terminated. Returns only when ssh cannot be started or
 * the host's name is none, complained about. */
enum Exit remote_run(const struct Options *options, char **words);
