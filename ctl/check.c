/* guardctl check: can this host be guarded, and is the configuration right? guardd itself answers, started
 * for nothing else: this must work where the daemon cannot start, and judge as the daemon would. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "build-config.h"
#include "ctl/guardctl.h"
#include "ctl/terminal.h"

enum Exit verb_check(const struct Options *options, char **arguments)
{
    const char *program = getenv("GUARDD_PROGRAM");
    _cleanup_free_ char **argv = NULL;
    size_t n = 0, n_arguments = 0;

    if (!program || program[0] == '\0')
        program = GUARDD_PROGRAM;
    while (arguments[n_arguments])
        n_arguments++;
    argv = calloc(n_arguments + 4, sizeof(*argv));
    if (!argv) {
        complain("out of memory");
        return EXIT_FAILED;
    }
    argv[n++] = (char *)program;
    argv[n++] = (char *)"--check";
    if (options->json)
        argv[n++] = (char *)"--json";
    memcpy(argv + n, arguments, n_arguments * sizeof(*argv));
    execv(program, argv);
    complain("cannot start %s: %s", program, strerror(errno));
    return EXIT_FAILED;
}
