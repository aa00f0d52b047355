/* See acts.h. */
#include "ctl/acts.h"

#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/reply.h"
#include "ctl/terminal.h"

/* So far back the decision of an outcome is looked for. */
#define REACH 512

static void unref(void *element)
{
    sd_json_variant_unref(*(sd_json_variant **)element);
}

static const UT_icd variant_icd = {sizeof(sd_json_variant *), NULL, NULL, unref};

void acts_init(struct Acts *acts)
{
    utarray_init(&acts->list, &variant_icd);
}

void acts_done(struct Acts *acts)
{
    utarray_done(&acts->list);
}

size_t acts_count(const struct Acts *acts)
{
    return utarray_len(&acts->list);
}

static sd_json_variant **place(const struct Acts *acts, size_t index)
{
    sd_json_variant **found = (sd_json_variant **)utarray_eltptr(&acts->list, (unsigned)index);

    assert(found);
    return found;
}

sd_json_variant *acts_at(const struct Acts *acts, size_t index)
{
    return index < acts_count(acts) ? *place(acts, index) : NULL;
}

void acts_mark(struct Acts *acts, size_t index, const char *key, sd_json_variant *value)
{
    if (sd_json_variant_set_field(place(acts, index), key, value) < 0)
        have_memory(NULL);
}

int64_t act_began(sd_json_variant *act)
{
    int64_t at = 0;

    reply_number(act, "realtimeUsec", &at);
    return at;
}

int64_t act_ended(sd_json_variant *act)
{
    int64_t at = act_began(act);

    reply_number(reply_object(act, "outcome"), "realtimeUsec", &at);
    return at;
}

const char *act_verb(sd_json_variant *act)
{
    return reply_text_or(reply_object(act, "decision"), "verb", "");
}

const char *act_cause(sd_json_variant *act)
{
    return reply_text_or(reply_object(act, "decision"), "cause", "");
}

const char *act_result(sd_json_variant *act)
{
    return reply_text_or(reply_object(act, "outcome"), "result", "");
}

bool act_is_limit(sd_json_variant *act)
{
    return strcmp(act_verb(act), "limit") == 0 || strcmp(act_verb(act), "unlimit") == 0;
}

/* The decision of that action, which has no outcome yet; SIZE_MAX: the journal does not have it. */
static size_t find_decision(const struct Acts *acts, const char *action)
{
    size_t n = acts_count(acts);

    for (size_t i = 0; action && i < n && i < REACH; i++) {
        sd_json_variant *act = acts_at(acts, n - 1 - i);
        const char *name = reply_text(act, "action");

        if (name && strcmp(name, action) == 0)
            return reply_object(act, "outcome") ? SIZE_MAX : n - 1 - i;
    }
    return SIZE_MAX;
}

/* The event's outcome, with the time at which it was there. */
static sd_json_variant *timed_outcome(sd_json_variant *event)
{
    sd_json_variant *outcome = sd_json_variant_ref(reply_object(event, "outcome"));
    sd_json_variant *at = sd_json_variant_by_key(event, "realtimeUsec");

    if (at && sd_json_variant_set_field(&outcome, "realtimeUsec", at) < 0)
        have_memory(NULL);
    return outcome;
}

static void push(struct Acts *acts, sd_json_variant *event)
{
    sd_json_variant *act = sd_json_variant_ref(event);
    char *left_out[] = {(char *)"kind", (char *)"sequence", NULL};

    if (sd_json_variant_filter(&act, left_out) < 0)
        have_memory(NULL);
    utarray_push_back(&acts->list, &act);
}

void acts_add(struct Acts *acts, sd_json_variant *event)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *outcome = NULL;
    bool known = reply_object(event, "decision") || reply_object(event, "request") ||
                 sd_json_variant_by_key(event, "lost");
    size_t at;

    if (!known)
        return;
    if (!reply_object(event, "outcome")) {
        push(acts, event);
        return;
    }
    outcome = timed_outcome(event);
    at = find_decision(acts, reply_text(event, "action"));
    if (at == SIZE_MAX) {
        push(acts, event);
        at = acts_count(acts) - 1;
    }
    acts_mark(acts, at, "outcome", outcome);
}
