/* See complete.h. What an argument may be says the text of arguments in the table of verbs: words in capitals
 * stand for something (TENANT, CLASS, FILE), others for themselves, `|` stands between those that may be
 * there, and behind
 * `...` the last one goes on. */
#include "ctl/complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/client.h"
#include "ctl/option.h"
#include "ctl/reply.h"
#include "model/limit.h"
#include "model/resource.h"

#define FILES ":files"
#define PLACE_MAX 64 /* of one argument in the text of arguments */

/* The line as far as it is written. */
struct Line {
    const struct Command *command; /* NULL: no verb yet */
    size_t n_arguments;            /* of the verb, before `word` */
    const char *word;              /* that is being written */
    const char *valued;            /* the option that `word` is the value of; NULL */
    struct Options options;
};

static bool begins(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* A candidate, if it goes on from what is written. Its help may be NULL. */
static void offer(const struct Line *line, const char *candidate, const char *ending, const char *help)
{
    char text[512];

    snprintf(text, sizeof(text), "%s%s", candidate, ending);
    if (begins(text, line->word))
        printf("%s%s%s\n", text, help ? "\t" : "", help ? help : "");
}

/* --- what stands on the line ------------------------------------------------------------------------- */

static const struct Command *find(const struct Command *commands, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* Where to ask, when the line says so. */
static void take_option(struct Line *line, const char *name, const char *value)
{
    if (strcmp(name, "socket") == 0)
        line->options.socket = value;
    else if (strcmp(name, "host") == 0)
        line->options.host = value;
}

/* "--NAME=VALUE", or "--NAME" with the value in the word behind it. */
static void read_option(struct Line *line, const char *word)
{
    const char *value = strchr(word, '=');
    char name[PLACE_MAX];

    snprintf(name, sizeof(name), "%.*s", (int)(value ? value - word - 2 : (ptrdiff_t)strlen(word) - 2),
             word + 2);
    line->valued = NULL;
    if (value)
        take_option(line, name, value + 1);
    else if (option_argument(name))
        line->valued = word + 2;
}

static void read_word(struct Line *line, const struct Command *commands, size_t n, const char *word)
{
    if (line->valued) {
        take_option(line, line->valued, word);
        line->valued = NULL;
    } else if (begins(word, "--")) {
        read_option(line, word);
    } else if (!line->command) {
        line->command = find(commands, n, word);
    } else if (word[0] != '-') {
        line->n_arguments++;
    }
}

/* --- what may be there ------------------------------------------------------------------------------- */

static bool list(const struct Line *line, sd_json_variant **ret_reply)
{
    /* Of another host it would ask for a password, at a press of the tab key. */
    return !line->options.host && client_call(&line->options, "ListTenants", NULL, ret_reply) == EXIT_DONE;
}

static void offer_tenants(const struct Line *line)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
    sd_json_variant *tenant;

    if (!list(line, &reply))
        return;
    for (size_t i = 0; (tenant = reply_item(reply, "tenants", i)); i++)
        offer(line, reply_text_or(tenant, "name", ""), "", reply_text_or(tenant, "state", NULL));
}

/* Of the tenants there are, each once. */
static void offer_classes(const struct Line *line)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
    sd_json_variant *tenant, *other;
    const char *class;
    size_t before;

    if (!list(line, &reply))
        return;
    for (size_t i = 0; (tenant = reply_item(reply, "tenants", i)); i++) {
        class = reply_text(tenant, "class");
        for (before = 0; class && before < i; before++) {
            other = reply_item(reply, "tenants", before);
            if (strcmp(reply_text_or(other, "class", ""), class) == 0)
                class = NULL;
        }
        if (class)
            offer(line, class, "", NULL);
    }
}

static void offer_limits(const struct Line *line, const char *ending)
{
    for (int i = 0; i < LIMIT_COUNT; i++)
        offer(line, limit_info((enum LimitId)i)->directive, ending, NULL);
}

/* Values that mean the same for every limit that has them. */
static void offer_settings(const struct Line *line)
{
    if (!strchr(line->word, '=')) {
        offer_limits(line, "=");
        return;
    }
    for (int i = 0; i < LIMIT_COUNT; i++)
        offer(line, limit_info((enum LimitId)i)->directive,
              limit_is_weight((enum LimitId)i) ? "=100" : "=infinity", NULL);
}

static void offer_resources(const struct Line *line)
{
    for (int i = 0; i < RESOURCE_COUNT; i++)
        if (resource_is_strain((enum Resource)i))
            offer(line, resource_name((enum Resource)i), "", NULL);
}

static bool is_placeholder(const char *place)
{
    return place[0] >= 'A' && place[0] <= 'Z';
}

static void offer_place(const struct Line *line, const char *place)
{
    if (strcmp(place, "TENANT") == 0)
        offer_tenants(line);
    else if (strcmp(place, "CLASS") == 0)
        offer_classes(line);
    else if (strcmp(place, "FILE") == 0 || strcmp(place, "DIR") == 0 || strcmp(place, "PATH") == 0)
        puts(FILES);
    else if (strcmp(place, "KEY=VALUE") == 0)
        offer_settings(line);
    else if (strcmp(place, "KEY") == 0)
        offer_limits(line, "");
    else if (strcmp(place, "RESOURCE") == 0)
        offer_resources(line);
    else if (!is_placeholder(place))
        offer(line, place, "", NULL);
}

/* "[FILE...|TENANT]": one after the other, without what stands around it. */
static void offer_argument(const struct Line *line, char *argument)
{
    char *rest = argument, *place;

    while ((place = strsep(&rest, "[]|."))) /* "..." leaves empty ones */
        if (place[0] != '\0')
            offer_place(line, place);
}

/* The argument in that place; the last one where it goes on. */
static void offer_arguments(const struct Line *line)
{
    char copy[256], *rest = copy, *argument, *at = NULL;
    size_t n = 0;

    snprintf(copy, sizeof(copy), "%s", line->command->arguments);
    while ((argument = strsep(&rest, " ")) && n <= line->n_arguments) {
        bool goes_on = strstr(argument, "...") != NULL;

        at = n++ == line->n_arguments || goes_on ? argument : NULL;
    }
    if (at)
        offer_argument(line, at);
}

/* --- options ----------------------------------------------------------------------------------------- */

static void offer_option(void *userdata, const char *name, const char *argument, const char *help)
{
    const struct Line *line = userdata;
    char text[PLACE_MAX];

    snprintf(text, sizeof(text), "--%s", name);
    offer(line, text, argument ? "=" : "", help);
}

/* Behind "--NAME=": a value that is a file is the shell's to complete, without what stands before it. */
static void offer_value(const struct Line *line, const char *option)
{
    char name[PLACE_MAX];
    const char *argument;

    snprintf(name, sizeof(name), "%.*s", (int)strcspn(option, "="), option);
    argument = option_argument(name);
    if (argument)
        offer_place(line, argument);
}

enum Exit complete(const struct Options *options, const struct Command *commands, size_t n_commands,
                   char *const *words)
{
    struct Line line = {.word = "", .options = *options};

    for (; words[0] && words[1]; words++)
        read_word(&line, commands, n_commands, words[0]);
    if (words[0])
        line.word = words[0];
    if (line.valued)
        offer_value(&line, line.valued);
    else if (begins(line.word, "--") && strchr(line.word, '='))
        offer_value(&line, line.word + 2);
    else if (line.word[0] == '-')
        option_each(line.command ? line.command->name : NULL, offer_option, &line);
    else if (line.command)
        offer_arguments(&line);
    else
        for (size_t i = 0; i < n_commands; i++)
            offer(&line, commands[i].name, "", commands[i].help);
    return EXIT_DONE;
}
