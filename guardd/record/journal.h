/* An event as an entry of the journal: its structured fields. Which of them an event has depends on its
 * kind: a field that would mean nothing is not there. Allocates nothing.
 *
 *   all        MESSAGE, MESSAGE_ID, PRIORITY, SYSLOG_IDENTIFIER, GUARDD_EVENT, GUARDD_TIME_USEC (realtime:
 * the journal's own time is when the writer got to it), GUARDD_SEQUENCE a tenant's GUARDD_TENANT,
 * GUARDD_CLASS, GUARDD_CGROUP, GUARDD_CGROUP_ID decision   GUARDD_ACTION (its number), GUARDD_VERB,
 * GUARDD_CAUSE, GUARDD_REASON; GUARDD_RULE of a rule's, GUARDD_OPERATOR_UID of an operator's, GUARDD_LIMIT
 * and GUARDD_VALUE of a limit's, GUARDD_RESOURCE and GUARDD_PERCENT of a throttle's, GUARDD_WITHHELD=1 where
 * more was due outcome    those, and GUARDD_RESULT, GUARDD_TOOK_USEC; GUARDD_RESULT_TEXT, ERRNO of a failure
 *
 * A decision of a rule has its grounds, too: GUARDD_STEP and GUARDD_STEPS ("2" of "3"), GUARDD_GROUND
 * ("when": it began, "until": relief was there, or was not), and of each of the two conditions, here of
 * When=:
 *
 *   GUARDD_WHEN            "tasks.denied > 0": the condition
 *   GUARDD_WHEN_READING    "tasks.denied"
 *   GUARDD_WHEN_UNIT       the measure of what follows: "count", "bytes", ... (percent: in hundredths)
 *   GUARDD_WHEN_VALUE      as measured; left out when it could not be taken
 *   GUARDD_WHEN_LIMIT      what 100 % of it are; left out when there is no limit
 *   GUARDD_WHEN_THRESHOLD  in the same unit, or "50%" of the limit
 *   GUARDD_WHEN_SERIES     the last values before it, "AGE:VALUE ..." with the age in milliseconds
 *
 * One of a rule with Scope=host, when it begins, says who else there was: GUARDD_RANK (the reading that it
 * elects by), GUARDD_RANK_VALUE (the tenant's own), GUARDD_PASSED_OVER ("VALUE;WHY;NAME" of each: VALUE "-"
 * where it is not known, WHY "" where it has just less) and GUARDD_PASSED_OVER_MORE, how many are not named.
 *
 * A change (an operator asks for something) has GUARDD_REQUEST, GUARDD_OPERATOR_UID, and as far as they are
 * known GUARDD_OPERATOR (the user's name), GUARDD_OPERATOR_PID, GUARDD_OPERATOR_COMMAND.
 *
 *   lost       GUARDD_LOST: how many events the journal did not get before this line */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "model/event.h"

#define JOURNAL_FIELDS_MAX 56

struct JournalEntry {
    struct iovec fields[JOURNAL_FIELDS_MAX]; /* "NAME=value", into `text` */
    size_t n_fields;
    char text[10240];
    size_t length;
};

/* NULL when there is nothing to explain. */
const char *journal_message_id(const struct Event *event);

void journal_compose(const struct Event *event, struct JournalEntry *ret);
void journal_compose_lost(uint64_t lost, struct JournalEntry *ret);

/* Waits while the journal's socket is full. < 0: not written. */
int journal_send(const struct JournalEntry *entry);
