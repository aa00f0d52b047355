/* guardctl: asks guardd over its socket, and says the answer to people (or with --json as guardd gave it).
 * A verb is a function here and a line in the table of guardctl.c. It prints its own errors and returns
 * what guardctl exits with. */
#pragma once

#include <stdbool.h>

enum Exit {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NO_TENANT = 3, /* or several that could be meant */
    EXIT_DENIED = 4,
    EXIT_REFUSED = 5, /* protected, budget spent */
};

/* What was given; each is a row of the table in option.c. */
struct Options {
    const char *socket; /* where it was not given, the default, by the time a verb is called */
    const char *host;   /* NULL: this one */
    bool json, help, version;
    bool all;                  /* of release */
    bool runtime;              /* of set */
    bool repair;               /* of check */
    const char *since, *until; /* of explain, history */
    const char *class;         /* of history */
    const char *directory;     /* of explain, history: of journal files; NULL: this host's journal */
    const char *span;          /* --for, of set, exempt */
    const char *if_version;    /* of set, reset */
    const char *textfile;      /* of metrics */
    bool openmetrics;          /* of metrics */
    const char *config;        /* of replay */
    bool diff;                 /* of replay */
    bool end;                  /* of exempt */
};

/* A verb: a row of the table in guardctl.c. */
struct Command {
    const char *name, *arguments;
    int min, max; /* arguments */
    const char *help;
    const char *more; /* of its own help; NULL */
    enum Exit (*function)(const struct Options *options, char **arguments);
};

/* `arguments`: what follows the verb, NULL-terminated, as many as the table allows. */
enum Exit verb_status(const struct Options *options, char **arguments);
enum Exit verb_list(const struct Options *options, char **arguments);
enum Exit verb_show(const struct Options *options, char **arguments);
enum Exit verb_set(const struct Options *options, char **arguments);
enum Exit verb_reset(const struct Options *options, char **arguments);
enum Exit verb_freeze(const struct Options *options, char **arguments);
enum Exit verb_thaw(const struct Options *options, char **arguments);
enum Exit verb_throttle(const struct Options *options, char **arguments);
enum Exit verb_kill(const struct Options *options, char **arguments);
enum Exit verb_exempt(const struct Options *options, char **arguments);
enum Exit verb_mode(const struct Options *options, char **arguments);
enum Exit verb_release(const struct Options *options, char **arguments);
enum Exit verb_watch(const struct Options *options, char **arguments);
enum Exit verb_explain(const struct Options *options, char **arguments);
enum Exit verb_history(const struct Options *options, char **arguments);
enum Exit verb_replay(const struct Options *options, char **arguments);
enum Exit verb_trace(const struct Options *options, char **arguments);
enum Exit verb_top(const struct Options *options, char **arguments);
enum Exit verb_metrics(const struct Options *options, char **arguments);
enum Exit verb_reload(const struct Options *options, char **arguments);
enum Exit verb_check(const struct Options *options, char **arguments);
