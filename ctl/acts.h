/* What was done, from the events of the journal: an act is a decision with its outcome, which comes later and
 * perhaps between those of others. Its object is the decision's event (entry.h) without kind and sequence,
 * with `outcome` when there is one, and in that `realtimeUsec`; or a request of an operator, or a notice that
 * events are lost. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-json.h>
#include <utarray.h>

struct Acts {
    UT_array list; /* of sd_json_variant *, owned, in the order in which they began */
};

void acts_init(struct Acts *acts);
void acts_done(struct Acts *acts);

/* The next event, which is borrowed. Events come in the journal's order. */
void acts_add(struct Acts *acts, sd_json_variant *event);

size_t acts_count(const struct Acts *acts);
sd_json_variant *acts_at(const struct Acts *acts, size_t index);
/* Adds a field to one; `value` is borrowed. */
void acts_mark(struct Acts *acts, size_t index, const char *key, sd_json_variant *value);

/* When it began, and when its outcome was there (or it began, when there is none): microseconds of realtime.
 */
int64_t act_began(sd_json_variant *act);
int64_t act_ended(sd_json_variant *act);
/* "" where there is none. */
const char *act_verb(sd_json_variant *act);
const char *act_cause(sd_json_variant *act);
const char *act_result(sd_json_variant *act);
/* A limit that was set or reset. */
bool act_is_limit(sd_json_variant *act);
