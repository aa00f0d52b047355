/* See remote.h. ssh hands its last argument to the shell of the other host's user, so each word is quoted for
 * it; files that are named are that host's. $GUARDD_SSH is a program that is used in ssh's place. */
#include "ctl/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ctl/option.h"
#include "ctl/terminal.h"

/* ' WORD', in single quotes: all but these are themselves there, in every shell. */
static void put_quoted(FILE *command, const char *word)
{
    fputs(" '", command);
    for (; *word != '\0'; word++)
        if (*word == '\'')
            fputs("'\\''", command);
        else
            fputc(*word, command);
    fputc('\'', command);
}

static void put_option(void *command, const char *name, const char *argument)
{
    _cleanup_free_ char *word = NULL;

    if (strcmp(name, "host") == 0)
        return;
    if (asprintf(&word, "--%s%s%s", name, argument ? "=" : "", argument ? argument : "") < 0)
        word = NULL;
    put_quoted(command, have_memory(word));
}

/* What the other host's shell is told. Caller frees. */
static char *make_command(const struct Options *options, char **words)
{
    char *text = NULL;
    size_t size = 0;
    FILE *command = have_memory(open_memstream(&text, &size));

    fputs("guardctl", command);
    option_each_given(options, put_option, command);
    fputs(" --", command);
    for (; *words; words++)
        put_quoted(command, *words);
    return have_memory(fclose(command) == 0 ? text : NULL);
}

enum Exit remote_run(const struct Options *options, char **words)
{
    const char *program = getenv("GUARDD_SSH");
    _cleanup_free_ char *command = make_command(options, words);
    bool live = strcmp(words[0], "top") == 0; /* it draws on a terminal */
    const char *argv[] = {"ssh", live ? "-t" : "-T", "--", options->host, command, NULL};

    if (options->host[0] == '\0' || options->host[0] == '-') {
        complain("'%s' is no host; right is USER@HOST, or HOST", options->host);
        return EXIT_USAGE;
    }
    if (!program || program[0] == '\0')
        program = argv[0];
    execvp(program, (char *const *)argv);
    if (errno == ENOENT)
        complain("--host needs ssh, and there is no '%s' here", program);
    else
        complain("cannot run %s: %s", program, strerror(errno));
    return EXIT_FAILED;
}
