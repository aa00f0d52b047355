/* guardctl explain: the story of a tenant, or that of an action. From the journal, so also of a tenant that
 * is gone and of an earlier boot; guardd is asked only what else the tenant may be called. */
#include <langinfo.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/client.h"
#include "ctl/journal.h"
#include "ctl/reply.h"
#include "ctl/story.h"
#include "ctl/tale.h"
#include "ctl/terminal.h"
#include "model/decision.h"
#include "wire/text.h"

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)

static void tell(const struct Options *options, sd_json_variant *story)
{
    const struct TaleStyle style = {
        .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .bold = terminal_style(STYLE_BOLD),
        .warning = terminal_style(STYLE_WARNING),
        .plain = terminal_style(STYLE_PLAIN),
    };

    if (options->json)
        reply_print_pretty(story);
    else
        tale_print(stdout, story, &style);
}

static void tell_nothing(const struct Options *options, const char *tenant)
{
    _cleanup_json_ sd_json_variant *story = NULL;

    if (!options->json) {
        print_text(tenant, STYLE_BOLD);
        puts(": nothing was done to it, as far back as the journal goes");
        return;
    }
    if (sd_json_buildo(&story, WIRE_PAIR_TEXT("tenant", tenant), SD_JSON_BUILD_PAIR_STRING("summary", ""),
                       SD_JSON_BUILD_PAIR_EMPTY_ARRAY("actions"),
                       SD_JSON_BUILD_PAIR_UNSIGNED("earlier", 0)) < 0)
        have_memory(NULL);
    reply_print_pretty(story);
}

static bool is_about_somebody(const struct Acts *acts)
{
    for (size_t i = 0; i < acts_count(acts); i++)
        if (reply_text(acts_at(acts, i), "tenant"))
            return true;
    return false;
}

/* The story among all that the field has; `*ret_told`: there was one. */
static enum Exit explain_by(const struct Options *options, const char *field, const char *value,
                            const char *action, bool *ret_told)
{
    struct JournalFilter filter;
    struct Story story;
    struct Acts acts;
    enum Exit exit = journal_filter(options, &filter);

    *ret_told = false;
    if (exit != EXIT_DONE)
        return exit;
    filter.field = field;
    filter.value = value;
    acts_init(&acts);
    exit = journal_read(options, &filter, &acts);
    if (exit == EXIT_DONE && is_about_somebody(&acts) && story_find(&acts, action, &story)) {
        _cleanup_json_ sd_json_variant *object = story_object(&acts, &story);

        tell(options, object);
        *ret_told = true;
    }
    acts_done(&acts);
    return exit;
}

/* Whose action it was; "" when the journal does not have it. */
static enum Exit find_tenant(const struct Options *options, const char *action, char *ret_tenant, size_t size)
{
    const struct JournalFilter filter = {.field = "GUARDD_ACTION", .value = action};
    struct Acts acts;
    enum Exit exit;

    ret_tenant[0] = '\0';
    acts_init(&acts);
    exit = journal_read(options, &filter, &acts);
    for (size_t i = 0; i < acts_count(&acts); i++)
        if (reply_text(acts_at(&acts, i), "tenant"))
            snprintf(ret_tenant, size, "%s", reply_text(acts_at(&acts, i), "tenant"));
    acts_done(&acts);
    return exit;
}

static enum Exit explain_action(const struct Options *options, const char *action, bool *ret_told)
{
    char tenant[1024];
    enum Exit exit = find_tenant(options, action, tenant, sizeof(tenant));

    *ret_told = false;
    if (exit != EXIT_DONE || tenant[0] == '\0')
        return exit;
    return explain_by(options, "GUARDD_TENANT", tenant, action, ret_told);
}

/* guardd knows it by other names, too: the start of a container's id, what is behind the slash. */
static enum Exit explain_known(const struct Options *options, const char *word)
{
    _cleanup_json_ sd_json_variant *reply = NULL;
    enum Exit exit = client_call_tenant(options, "ShowTenant", word, &reply);
    const char *name;
    bool told;

    if (exit != EXIT_DONE)
        return exit;
    name = reply_text_or(reply_object(reply, "details"), "name", word);
    exit = explain_by(options, "GUARDD_TENANT", name, NULL, &told);
    if (exit == EXIT_DONE && !told)
        tell_nothing(options, name);
    return exit;
}

enum Exit verb_explain(const struct Options *options, char **arguments)
{
    const char *word = arguments[0];
    uint64_t action;
    bool told = false;
    enum Exit exit = EXIT_DONE;

    if (action_parse(word, &action))
        exit = explain_action(options, word, &told);
    if (exit == EXIT_DONE && !told)
        exit = explain_by(options, "GUARDD_TENANT", word, NULL, &told);
    if (exit == EXIT_DONE && !told)
        exit = explain_by(options, "GUARDD_CGROUP", word, NULL, &told);
    if (exit == EXIT_DONE && !told && action_parse(word, &action)) {
        complain("the journal has no action '%s'", word);
        return EXIT_NO_TENANT;
    }
    return exit == EXIT_DONE && !told ? explain_known(options, word) : exit;
}
