/* Text -> sections and keys of a draft, by inih. */
#pragma once

#include "config/draft.h"

/* Reads one file's text; the draft stands at its beginning (draft_begin_file). Any bytes are taken: what is
 * not configuration becomes problems. Returns 0 or -ENOMEM. */
int parse_text(struct Draft *draft, const char *text, size_t size);
