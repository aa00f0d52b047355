/* Which sections and keys there are, and what each may hold: the one table of the configuration. */
#pragma once

#include "config/draft.h"

/* `header` is what stands between the brackets. Later keys are of this section. An unknown section or a bad
 * name is a problem, and what stands in it is passed over: its keys may be right for the section that was
 * meant. Returns 0, also with a problem, or -ENOMEM. */
int section_enter(struct Draft *draft, const char *header);

/* Takes KEY=VALUE, from one line and so at most CONFIG_LINE_MAX long, into the section that the draft is in.
 * Returns 0, also with a problem, or -ENOMEM. */
int key_assign(struct Draft *draft, const char *key, const char *value);
