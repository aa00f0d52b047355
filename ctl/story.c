/* See story.h. What stands is followed from act to act: a freeze or a throttle by who holds it. */
#include "ctl/story.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/reply.h"
#include "ctl/terminal.h"
#include "model/verb.h"
#include "wire/text.h"

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)

static void have(int r)
{
    if (r < 0)
        have_memory(NULL);
}

/* --- what stands ------------------------------------------------------------------------------------ */

/* Indexes of acts that stand. */
struct Standing {
    struct Acts *acts;
    UT_array list;
};

static const UT_icd index_icd = {sizeof(size_t), NULL, NULL, NULL};

static bool is_verb(sd_json_variant *act, const char *verb)
{
    return strcmp(act_verb(act), verb) == 0;
}

static bool is_result(sd_json_variant *act, const char *result)
{
    return strcmp(act_result(act), result) == 0;
}

static const char *decision_text(sd_json_variant *act, const char *key)
{
    return reply_text_or(reply_object(act, "decision"), key, "");
}

/* Let go by an operator, a stop or a new start is what anybody held. */
static bool lets_all_go(sd_json_variant *act)
{
    const char *cause = act_cause(act);

    return strcmp(cause, "operator") == 0 || strcmp(cause, "stop") == 0 || strcmp(cause, "recovery") == 0;
}

static bool ends(sd_json_variant *end, sd_json_variant *act)
{
    const char *begun = is_verb(end, "thaw") ? "freeze" : is_verb(end, "unthrottle") ? "throttle" : "";

    return is_verb(act, begun) &&
           strcmp(decision_text(end, "resource"), decision_text(act, "resource")) == 0 &&
           (lets_all_go(end) || strcmp(decision_text(end, "rule"), decision_text(act, "rule")) == 0);
}

static void mark_undone(struct Acts *acts, size_t index, sd_json_variant *by)
{
    _cleanup_json_ sd_json_variant *undone = NULL;

    have(sd_json_buildo(&undone, WIRE_PAIR_TEXT_IF_ANY("action", reply_text_or(by, "action", "")),
                        SD_JSON_BUILD_PAIR_INTEGER("realtimeUsec", act_ended(by)),
                        WIRE_PAIR_TEXT_IF_ANY("cause", act_cause(by)),
                        WIRE_PAIR_TEXT_IF_ANY("reason", decision_text(by, "reason"))));
    acts_mark(acts, index, "undone", undone);
}

static void undo(struct Standing *standing, sd_json_variant *by)
{
    for (unsigned i = 0; i < utarray_len(&standing->list);) {
        size_t index = *(size_t *)utarray_eltptr(&standing->list, i);

        if (!ends(by, acts_at(standing->acts, index))) {
            i++;
            continue;
        }
        mark_undone(standing->acts, index, by);
        utarray_erase(&standing->list, i, 1);
    }
}

static void follow(struct Standing *standing, size_t index)
{
    sd_json_variant *act = acts_at(standing->acts, index);
    bool done = is_result(act, "done");

    if (is_result(act, "gone") || (done && is_verb(act, "kill")))
        utarray_clear(&standing->list);
    else if (done && (is_verb(act, "freeze") || is_verb(act, "throttle")))
        utarray_push_back(&standing->list, &index);
    else if (done || is_result(act, "skipped"))
        undo(standing, act);
}

static void mark_standing(struct Standing *standing)
{
    _cleanup_json_ sd_json_variant *yes = NULL;

    have(sd_json_variant_new_boolean(&yes, true));
    for (size_t *index = NULL; (index = (size_t *)utarray_next(&standing->list, index));)
        acts_mark(standing->acts, *index, "stands", yes);
}

/* --- where a story begins --------------------------------------------------------------------------- */

/* An old kill leaves nothing standing, nor does what a boot ended. */
static bool is_another_boot(sd_json_variant *act, sd_json_variant *before)
{
    const char *a = reply_text(act, "boot"), *b = reply_text(before, "boot");

    return a && b && strcmp(a, b) != 0;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool is_substantial(sd_json_variant *act)
{
    return reply_object(act, "decision") && !act_is_limit(act);
}

static bool is_action(sd_json_variant *act, const char *action)
{
    const char *name = reply_text(act, "action");

    return name && strcmp(name, action) == 0;
}

struct Search {
    const char *action;
    struct Story current, found;
    bool any;         /* there is a story that is found */
    bool substantial; /* the current one is more than limits */
    bool wanted;      /* it has the action */
};

/* The current story ends before `end`. */
static void close_story(struct Search *search, size_t end)
{
    struct Story *current = &search->current;

    current->n = end - current->first;
    if (current->n > 0 && (search->action ? search->wanted : search->substantial)) {
        search->found = *current;
        search->any = true;
    }
    current->before = current->first;
    current->earlier += current->n > 0;
    current->first = end;
    search->substantial = search->wanted = false;
}

static void search_stories(struct Acts *acts, struct Search *search)
{
    struct Standing standing = {.acts = acts};
    int64_t last = 0;

    utarray_init(&standing.list, &index_icd);
    for (size_t i = 0; i < acts_count(acts); i++) {
        sd_json_variant *act = acts_at(acts, i);
        bool rebooted = i > 0 && is_another_boot(act, acts_at(acts, i - 1));

        if (rebooted)
            utarray_clear(&standing.list);
        if (i > 0 && utarray_len(&standing.list) == 0 &&
            (rebooted || act_began(act) - last > STORY_PAUSE_USEC))
            close_story(search, i);
        search->substantial |= is_substantial(act);
        search->wanted |= search->action && is_action(act, search->action);
        last = later(last, act_ended(act));
        follow(&standing, i);
    }
    mark_standing(&standing);
    utarray_done(&standing.list);
    close_story(search, acts_count(acts));
}

bool story_find(struct Acts *acts, const char *action, struct Story *ret)
{
    struct Search search = {.action = action};

    search_stories(acts, &search);
    if (action && !search.any)
        return false;
    *ret = search.found;
    if (!search.any)
        *ret = (struct Story){.n = acts_count(acts)};
    else if (!action)
        ret->n = acts_count(acts) - ret->first;
    return ret->n > 0;
}

/* --- what is said of all of it ---------------------------------------------------------------------- */

/* One or two words for an act; NULL: it is no news in a summary. */
static const char *word_of(sd_json_variant *act, char *buf, size_t size)
{
    enum Verb verb = verb_from_name(act_verb(act));

    if (verb == VERB_INVALID)
        return NULL;
    if (verb == VERB_LIMIT || verb == VERB_UNLIMIT)
        snprintf(buf, size, "%s", verb == VERB_LIMIT ? "limits set by hand" : "limits reset by hand");
    else if (verb == VERB_WARN)
        snprintf(buf, size, "warned about");
    else if (is_result(act, "done"))
        snprintf(buf, size, "%s", verb_past(verb));
    else if (is_result(act, "observed"))
        snprintf(buf, size, "would have been %s", verb_past(verb));
    else if (is_result(act, "failed"))
        snprintf(buf, size, "%s failed", act_verb(act));
    else
        return NULL;
    return buf;
}

const char *story_summary(const struct Acts *acts, const struct Story *story, char *buf, size_t size)
{
    char word[64], last[64] = "";
    size_t used = 0;

    snprintf(buf, size, "nothing was done");
    for (size_t i = story->first; i < story->first + story->n; i++) {
        if (!word_of(acts_at(acts, i), word, sizeof(word)) || strcmp(word, last) == 0)
            continue;
        memcpy(last, word, sizeof(last));
        if (used + strlen(word) + sizeof(", then ...") > size) {
            snprintf(buf + used, size - used, " ...");
            break;
        }
        used += (size_t)snprintf(buf + used, size - used, "%s%s", used > 0 ? ", then " : "", word);
    }
    return buf;
}

/* A field of the first act that has it. */
static sd_json_variant *first_having(const struct Acts *acts, const struct Story *story, const char *key)
{
    for (size_t i = story->first; i < story->first + story->n; i++) {
        sd_json_variant *v = sd_json_variant_by_key(acts_at(acts, i), key);

        if (v)
            return v;
    }
    return NULL;
}

static int64_t end_of(const struct Acts *acts, const struct Story *story)
{
    int64_t end = 0;

    for (size_t i = story->first; i < story->first + story->n; i++)
        end = later(end, act_ended(acts_at(acts, i)));
    return end;
}

/* An action of the story before, by which it is explained. */
static const char *earlier_action(const struct Acts *acts, const struct Story *story)
{
    for (size_t i = story->first; story->earlier > 0 && i > story->before; i--) {
        const char *action = reply_text(acts_at(acts, i - 1), "action");

        if (action)
            return action;
    }
    return "";
}

sd_json_variant *story_object(const struct Acts *acts, const struct Story *story)
{
    static const char *const keys[] = {"tenant", "class", "path"};
    _cleanup_json_ sd_json_variant *list = NULL;
    sd_json_variant *object = NULL;
    char summary[STORY_SUMMARY_MAX];

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        sd_json_variant *v = first_having(acts, story, keys[i]);

        if (v)
            have(sd_json_variant_set_field(&object, keys[i], v));
    }
    for (size_t i = story->first; i < story->first + story->n; i++)
        have(sd_json_variant_append_array(&list, acts_at(acts, i)));
    have(sd_json_variant_merge_objectbo(
        &object, WIRE_PAIR_TEXT("summary", story_summary(acts, story, summary, sizeof(summary))),
        SD_JSON_BUILD_PAIR_INTEGER("fromUsec", act_began(acts_at(acts, story->first))),
        SD_JSON_BUILD_PAIR_INTEGER("untilUsec", end_of(acts, story)),
        SD_JSON_BUILD_PAIR_VARIANT("actions", list), SD_JSON_BUILD_PAIR_UNSIGNED("earlier", story->earlier),
        WIRE_PAIR_TEXT_IF_ANY("earlierAction", earlier_action(acts, story))));
    return object;
}
