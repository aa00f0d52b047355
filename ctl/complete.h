/* What a shell offers next: `guardctl __complete WORD...`, for the completions in completion/. It goes by the
 * tables of verbs and options, and asks guardd for the names of tenants, so that the shells know nothing of
 * either. */
#pragma once

#include <stddef.h>

#include "ctl/guardctl.h"

/* As the first argument; no verb is called so. */
#define COMPLETE_WORD "__complete"

/* `words`: those behind "guardctl", NULL-terminated; the last one is the one that is being written, perhaps
 * "". Prints a candidate a line, whole, with a tab and a description behind it where there is one; one that
 * ends in
 * `=` goes on. A line ":files" asks for names of files. `options` say where to ask when the line does not. */
enum Exit complete(const struct Options *options, const struct Command *commands, size_t n_commands,
                   char *const *words);
