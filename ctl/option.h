/* The options of guardctl: one table, from which what getopt_long() is told, what --help says and which verb
 * may have what are made. A new option is a field of struct Options and a row of the table in option.c. */
#pragma once

#include <stdbool.h>

#include "ctl/guardctl.h"

/* Reads the command line into `options`, all of it NULL and false before, whose texts are borrowed from it.
 * `argv` is put in order: options first. Returns the index of the first word that is no option; -1 when
 * something was wrong with one, complained about. */
int option_parse(int argc, char **argv, struct Options *options);

/* No option was given that is for other verbs only. false: complained about. */
bool option_suit(const struct Options *options, const char *verb);

/* Calls for each option that was given. `argument`: NULL when it has none. */
void option_each_given(const struct Options *options,
                       void (*function)(void *userdata, const char *name, const char *argument),
                       void *userdata);

/* Calls for each option that `verb` may have, NULL: for all. `argument`: NULL when it has none. */
void option_each(const char *verb,
                 void (*function)(void *userdata, const char *name, const char *argument, const char *help),
                 void *userdata);
/* What the option of that name takes: "FILE"; NULL when it takes nothing, or there is none. */
const char *option_argument(const char *name);

/* Those that every verb has; those that only `verb` has, with their heading, nothing when there is none; and
 * those that some verbs have, with their names. */
void option_print_common(void);
void option_print_own(const char *verb);
void option_print_particular(void);
