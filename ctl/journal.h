/* The journal, as far as guardd wrote it. Only what journald says came from guardd.service and from root is
 * believed: anybody may write GUARDD_* fields. Whoever may not read the journal is told what to do. */
#pragma once

#include <stdint.h>

#include <systemd/sd-json.h>

#include "ctl/acts.h"
#include "ctl/guardctl.h"

/* Which events. Everything is optional: NULL, 0. */
struct JournalFilter {
    const char *field, *value; /* a field of the journal and what it has to be: GUARDD_TENANT */
    const char *class;
    int64_t since_usec, until_usec; /* realtime; until_usec 0: no end */
};

/* --since=, --until= and --class= as a filter. EXIT_USAGE: complained about. */
enum Exit journal_filter(const struct Options *options, struct JournalFilter *ret);

/* Adds what was done, and what is missing, to `acts`. --directory= where it is given. Complains about what
 * went wrong: EXIT_DENIED, EXIT_FAILED. */
enum Exit journal_read(const struct Options *options, const struct JournalFilter *filter, struct Acts *acts);
