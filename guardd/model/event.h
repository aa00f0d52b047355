/* What is recorded: one line of the history, of `watch` and of the journal. Fixed size, so that the
 * bounded history holds it by value. */
#pragma once

#include <stdint.h>

#include "base/usec.h"
#include "model/author.h"
#include "model/decision.h"
#include "model/tenant.h"

enum EventKind {
    EVENT_APPEARED, /* a tenant is guarded from now on */
    EVENT_VANISHED,
    EVENT_DECISION, /* about to be carried out */
    EVENT_OUTCOME,
    EVENT_NOTICE, /* guardd itself: started, reloaded, cannot watch something */
    EVENT_CONFIG, /* a configuration was taken over, or refused and why */
    EVENT_CHANGE, /* an operator asks for something: who, and what */
    EVENT_COUNT,
};

struct Event {
    uint64_t sequence; /* from 1, of this run */
    enum EventKind kind;
    int priority; /* syslog(3) */
    usec_t at_usec, realtime_usec;
    uint64_t tenant_id; /* 0: the host */
    char tenant[TENANT_NAME_MAX];
    char class[POLICY_NAME_MAX];
    char path[512];           /* cut when longer */
    struct Decision decision; /* EVENT_DECISION, EVENT_OUTCOME */
    struct Outcome outcome;   /* EVENT_OUTCOME */
    struct Author author;     /* EVENT_CHANGE */
    char text[REASON_MAX];    /* EVENT_NOTICE, EVENT_CONFIG, EVENT_CHANGE */
};

const char *event_kind_name(enum EventKind kind);

/* The event as one sentence for people, without time and tenant. Returns `buf`. Allocates nothing. */
const char *event_sentence(const struct Event *event, char *buf, size_t size);
#define EVENT_SENTENCE_MAX 1024
