/* guardctl replay FILE: what would have been done? The rules are tried by the code that the daemon decides
 * with, so guardd itself answers, started for nothing else (guardd --replay). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build-config.h"
#include "ctl/guardctl.h"
#include "ctl/terminal.h"

enum Exit verb_replay(const struct Options *options, char **arguments)
{
    const char *program = getenv("GUARDD_PROGRAM");
    const char *argv[8];
    size_t n = 0;

    if (!program || program[0] == '\0')
        program = GUARDD_PROGRAM;
    argv[n++] = program;
    argv[n++] = "--replay";
    argv[n++] = arguments[0];
    if (options->json)
        argv[n++] = "--json";
    if (options->diff)
        argv[n++] = "--diff";
    if (options->config) {
        argv[n++] = "--config";
        argv[n++] = options->config;
    }
    argv[n] = NULL;
    execv(program, (char *const *)argv);
    complain("cannot start %s: %s", program, strerror(errno));
    return EXIT_FAILED;
}
