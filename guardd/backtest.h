/* guardd --replay FILE: what would these rules have done? Of a recording (recording.h) once more through
 * decide/ (replay.h), told to people or, as Watch tells it, to programs. */
#pragma once

#include <stdbool.h>

struct BacktestOptions {
    const char *file;
    const char *config; /* a configuration: a file, or a directory with guardd.conf and guardd.conf.d; NULL:
                         * the recorded one */
    const char *root;   /* of the present configuration, for --diff */
    bool diff, json;
};

/* Returns the exit status: 0; 1 when the file or a configuration is wrong, or when the recorded configuration
 * does not decide what was recorded; EX_USAGE. */
int backtest_run(const struct BacktestOptions *options);
