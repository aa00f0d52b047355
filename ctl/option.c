/* See option.h. */
#include "ctl/option.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "ctl/terminal.h"
#include "wire/interface.h"

#define HELP_COLUMN 19

static const struct Row {
    const char *name;
    const char *argument; /* NULL: it has none, and its field is a bool; else a const char * */
    const char *verbs;    /* that may have it: "one, two"; NULL: all */
    size_t field;         /* of struct Options */
    const char *help;
} rows[] = {
    {"all", NULL, "release", offsetof(struct Options, all), "every tenant"},
    {"end", NULL, "exempt", offsetof(struct Options, end), "the rules hold again from now on"},
    {"runtime", NULL, "set", offsetof(struct Options, runtime), "until the next boot, not for good"},
    {"for", "SPAN", "set, exempt", offsetof(struct Options, span),
     "so long: 2h, 30min; then what was before it counts again, also over a reboot"},
    {"if-version", "N", "set, reset", offsetof(struct Options, if_version),
     "only when nobody has changed it since: N as 'show' says it, else it exits with 5"},
    {"repair", NULL, "check", offsetof(struct Options, repair),
     "give the tenant's project to every file of it"},
    {"since", "TIME", "explain, history", offsetof(struct Options, since),
     "nothing before it: '2h ago', today, yesterday, '2026-11-22 10:00', -30min"},
    {"until", "TIME", "explain, history", offsetof(struct Options, until), "nothing after it"},
    {"class", "CLASS", "history", offsetof(struct Options, class), "tenants of this class only"},
    {"directory", "DIR", "explain, history", offsetof(struct Options, directory),
     "journal files from there, not this host's journal"},
    {"textfile", "FILE", "metrics", offsetof(struct Options, textfile),
     "into this file, all of it or nothing"},
    {"openmetrics", NULL, "metrics", offsetof(struct Options, openmetrics),
     "as OpenMetrics 1.0, which node_exporter does not read"},
    {"config", "DIR", "replay", offsetof(struct Options, config),
     "by this configuration, not the recorded one"},
    {"diff", NULL, "replay", offsetof(struct Options, diff),
     "only what differs from the present configuration"},
    {"json", NULL, NULL, offsetof(struct Options, json), "print what guardd answered, as JSON"},
    {"socket", "PATH", NULL, offsetof(struct Options, socket),
     "where guardd listens (default: $GUARDD_SOCKET, else " WIRE_SOCKET ")"},
    {"host", "USER@HOST", NULL, offsetof(struct Options, host),
     "run guardctl there, through ssh ($GUARDD_SSH, else the one in $PATH); files that are named are that "
     "host's"},
    {"help", NULL, NULL, offsetof(struct Options, help), "this help; with a verb, that of the verb"},
    {"version", NULL, NULL, offsetof(struct Options, version), "the version of guardctl"},
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static bool *flag_of(const struct Row *row, struct Options *options)
{
    return (bool *)((char *)options + row->field);
}

static const char **text_of(const struct Row *row, struct Options *options)
{
    return (const char **)((char *)options + row->field);
}

static const char *given_text(const struct Row *row, const struct Options *options)
{
    return row->argument ? *(const char *const *)((const char *)options + row->field) : NULL;
}

static bool is_given(const struct Row *row, const struct Options *options)
{
    return row->argument ? given_text(row, options) != NULL
                         : *(const bool *)((const char *)options + row->field);
}

static bool is_for(const struct Row *row, const char *verb)
{
    size_t length = strlen(verb);

    for (const char *at = row->verbs; at && *at != '\0'; at += strspn(at, ", ")) {
        size_t n = strcspn(at, ", ");

        if (n == length && strncmp(at, verb, n) == 0)
            return true;
        at += n;
    }
    return false;
}

/* --- the command line ------------------------------------------------------------------------------- */

int option_parse(int argc, char **argv, struct Options *options)
{
    struct option known[N_ROWS + 1] = {0};
    int option, at = 0;

    for (size_t i = 0; i < N_ROWS; i++)
        known[i] = (struct option){rows[i].name, rows[i].argument ? required_argument : no_argument, NULL, 0};
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", known, &at)) >= 0)
        switch (option) {
        case 0:
            if (rows[at].argument)
                *text_of(&rows[at], options) = optarg;
            else
                *flag_of(&rows[at], options) = true;
            break;
        case 'h':
            options->help = true;
            break;
        case ':':
            complain("option '%s' needs a value", argv[optind - 1]);
            return -1;
        default:
            complain("option '%s' is wrong here; 'guardctl --help' names all", argv[optind - 1]);
            return -1;
        }
    return optind;
}

bool option_suit(const struct Options *options, const char *verb)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i].verbs && is_given(&rows[i], options) && !is_for(&rows[i], verb)) {
            complain("--%s is for %s only", rows[i].name, rows[i].verbs);
            return false;
        }
    return true;
}

void option_each_given(const struct Options *options,
                       void (*function)(void *userdata, const char *name, const char *argument),
                       void *userdata)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (is_given(&rows[i], options))
            function(userdata, rows[i].name, given_text(&rows[i], options));
}

void option_each(const char *verb,
                 void (*function)(void *userdata, const char *name, const char *argument, const char *help),
                 void *userdata)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (!verb || !rows[i].verbs || is_for(&rows[i], verb))
            function(userdata, rows[i].name, rows[i].argument, rows[i].help);
}

const char *option_argument(const char *name)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].argument;
    return NULL;
}

/* --- help ------------------------------------------------------------------------------------------- */

static void print_row(const struct Row *row, bool with_verbs)
{
    int used = printf("  --%s%s%s", row->name, row->argument ? "=" : "", row->argument ? row->argument : "");
    char text[256];

    if (used < 0 || used >= HELP_COLUMN) {
        putchar('\n');
        used = 0;
    }
    printf("%*s", HELP_COLUMN - used, "");
    snprintf(text, sizeof(text), "%s%s%s%s", with_verbs ? "of " : "", with_verbs ? row->verbs : "",
             with_verbs ? ": " : "", row->help);
    print_wrapped(text, HELP_COLUMN);
}

void option_print_common(void)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (!rows[i].verbs)
            print_row(&rows[i], false);
}

void option_print_particular(void)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i].verbs)
            print_row(&rows[i], true);
}

void option_print_own(const char *verb)
{
    bool any = false;

    for (size_t i = 0; i < N_ROWS; i++)
        if (is_for(&rows[i], verb)) {
            fputs(any ? "" : "\n", stdout);
            any = true;
            print_row(&rows[i], false);
        }
}
