/* guardctl history: what was done on this host, from the journal, a row for each decision, the oldest first.
 */
#include <stdio.h>
#include <string.h>

#include "base/usec.h"
#include "ctl/clock.h"
#include "ctl/journal.h"
#include "ctl/reply.h"
#include "ctl/table.h"
#include "ctl/terminal.h"
#include "model/verb.h"

#define DONE_MAX 96

static enum Style style_of(sd_json_variant *act)
{
    enum Verb verb = verb_from_name(act_verb(act));

    if (strcmp(act_result(act), "failed") == 0)
        return STYLE_BAD;
    return verb_is_final(verb) || verb == VERB_FREEZE ? STYLE_WARNING : STYLE_PLAIN;
}

/* "frozen", "would have been killed", "limit TasksMax failed" */
static const char *describe(sd_json_variant *act, char *buf, size_t size)
{
    sd_json_variant *decision = reply_object(act, "decision");
    enum Verb verb = verb_from_name(act_verb(act));
    const char *result = act_result(act), *of = reply_text(decision, "limit");
    char lost[REPLY_DIGITS_MAX];

    if (!of)
        of = reply_text(decision, "resource");
    if (reply_object(act, "request"))
        snprintf(buf, size, "asked for: %s", reply_text_or(reply_object(act, "request"), "text", "?"));
    else if (!decision)
        snprintf(buf, size, "%s events are missing", reply_digits(act, "lost", "?", lost, sizeof(lost)));
    else if (strcmp(result, "observed") == 0)
        snprintf(buf, size, "would have been %s", verb_past(verb));
    else if (strcmp(result, "done") == 0 || verb == VERB_WARN)
        snprintf(buf, size, "%s%s%s", verb_past(verb), of ? ", " : "", of ? of : "");
    else
        snprintf(buf, size, "%s %s%s%s", act_verb(act), result[0] != '\0' ? result : "decided",
                 of ? ", " : "", of ? of : "");
    return buf;
}

/* The rule, or why else. */
static const char *author_of(sd_json_variant *act, char *buf, size_t size)
{
    const char *rule = reply_text(reply_object(act, "decision"), "rule");
    sd_json_variant *by =
        reply_object(act, "request") ? reply_object(act, "request") : reply_object(act, "decision");
    char uid[REPLY_DIGITS_MAX];

    if (rule)
        snprintf(buf, size, "%s", rule);
    else if (reply_digits(by, "uid", NULL, uid, sizeof(uid)))
        snprintf(buf, size, "uid %s", uid);
    else
        snprintf(buf, size, "%s", act_cause(act));
    return buf;
}

static void add_row(struct Table *table, sd_json_variant *act)
{
    char at[CLOCK_TEXT_MAX], done[DONE_MAX], author[DONE_MAX], took_buf[USEC_FORMAT_MAX];
    sd_json_variant *outcome = reply_object(act, "outcome");
    const char *took = outcome ? reply_duration(outcome, "tookUsec", took_buf, sizeof(took_buf)) : NULL;

    table_add(table, clock_date(act_began(act), at, sizeof(at)), STYLE_PLAIN);
    table_add(table, reply_text_or(act, "tenant", "-"), STYLE_BOLD);
    table_add(table, describe(act, done, sizeof(done)), style_of(act));
    table_add(table, took ? took : "-", STYLE_PLAIN);
    table_add(table, author_of(act, author, sizeof(author)), STYLE_PLAIN);
    table_add(table, reply_text_or(act, "action", "-"), STYLE_PLAIN);
}

static void print_table(const struct Acts *acts)
{
    static const struct Column columns[] = {
        {"WHEN", COLUMN_WORD},   {"TENANT", COLUMN_TEXT}, {"DONE", COLUMN_TEXT},
        {"TOOK", COLUMN_NUMBER}, {"BY", COLUMN_TEXT},     {"ACTION", COLUMN_WORD},
    };
    struct Table table;

    table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < acts_count(acts); i++)
        add_row(&table, acts_at(acts, i));
    table_print(&table);
    table_done(&table);
}

enum Exit verb_history(const struct Options *options, char **arguments)
{
    struct JournalFilter filter;
    struct Acts acts;
    enum Exit exit = journal_filter(options, &filter);

    if (exit != EXIT_DONE)
        return exit;
    acts_init(&acts);
    exit = journal_read(options, &filter, &acts);
    if (exit == EXIT_DONE && options->json)
        for (size_t i = 0; i < acts_count(&acts); i++)
            reply_print_line(acts_at(&acts, i));
    else if (exit == EXIT_DONE && acts_count(&acts) == 0)
        puts("Nothing was done in that time, as far as the journal knows.");
    else if (exit == EXIT_DONE)
        print_table(&acts);
    acts_done(&acts);
    return exit;
}
