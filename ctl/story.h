/* Stories of one tenant, from what was done to it (acts.h). A story goes on while something stands that was
 * done in it (a freeze, a throttle), and for a minute after: so an attack that comes back at once is the same
 * one. A reboot ends it. Pure. */
#pragma once

#include "ctl/acts.h"

#define STORY_PAUSE_USEC (60 * 1000 * 1000)

/* Acts first .. first + n - 1. */
struct Story {
    size_t first, n;
    size_t earlier; /* stories before it */
    size_t before;  /* where the one before it begins, if there is one */
};

/* The story that `action` is part of; or, where that is NULL, the last one in which something was done beside
 * limits that were set, with all that came after it; or, where there is none, all of it. Each act that was
 * undone gets `undone`: by which action, when, and why; one that stands at the end gets `stands`. false:
 * there is no such action, or nothing at all. */
bool story_find(struct Acts *acts, const char *action, struct Story *ret);

/* "frozen, then killed"; returns `buf`. */
const char *story_summary(const struct Acts *acts, const struct Story *story, char *buf, size_t size);
#define STORY_SUMMARY_MAX 256

/* The whole of it as one object: tenant, class, path, summary, fromUsec, untilUsec, actions (acts), earlier
 * (how many stories came before), earlierAction (one of the last of them). Caller unrefs. */
sd_json_variant *story_object(const struct Acts *acts, const struct Story *story);
