/* An event as an entry of the journal: its structured fields. Which of them an event has depends on its
 * kind: a field that would mean nothing is not there. Allocates nothing.
 *
 *   all        MESSAGE, MESSAGE_ID, PRIORITY, SYSLOG_IDENTIFIER, GUARDD_EVENT
 *   a tenant's GUARDD_TENANT, GUARDD_CLASS, GUARDD_CGROUP, GUARDD_CGROUP_ID
 *   decision   GUARDD_VERB, GUARDD_CAUSE, GUARDD_REASON; GUARDD_RULE of a rule's,
 *              GUARDD_OPERATOR_UID of an operator's, GUARDD_LIMIT and GUARDD_VALUE of a limit's
 *   outcome    those, and GUARDD_RESULT, GUARDD_TOOK_USEC; ERRNO of a failure
 *   lost       GUARDD_LOST: how many events the journal did not get before this line */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "model/event.h"

#define JOURNAL_FIELDS_MAX 24

struct JournalEntry {
    struct iovec fields[JOURNAL_FIELDS_MAX]; /* "NAME=value", into `text` */
    size_t n_fields;
    char text[6144];
    size_t length;
};

/* NULL when there is nothing to explain. */
const char *journal_message_id(const struct Event *event);

void journal_compose(const struct Event *event, struct JournalEntry *ret);
void journal_compose_lost(uint64_t lost, struct JournalEntry *ret);

/* Waits while the journal's socket is full. < 0: not written. */
int journal_send(const struct JournalEntry *entry);
