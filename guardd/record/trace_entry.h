/* What a trace consists of: everything that decide/ is told, in its order, and what it said to that. An entry
 * is bytes in the ring (trace.h) and a line of JSON in a file; record/coder.h has both forms.
 *
 * From such entries replay.c brings decide/ into the same state again, and asks it the same. What begins a
 * trace is the state of that moment: a TRACE_CONFIG, then budget, offences, rules of the host. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-json.h>

#include "decide/budget.h"
#include "decide/host.h"
#include "model/tenant.h"

enum TraceKind {
    TRACE_CONFIG,    /* the configuration in force from here on */
    TRACE_BUDGET,    /* kills that count */
    TRACE_OFFENCE,   /* who offended before */
    TRACE_WATCH,     /* how far a rule of the host is */
    TRACE_TENANT,    /* a tenant as it is, with the state of its rules: before the first that is said of it */
    TRACE_GONE,      /* its cgroup was removed */
    TRACE_LOOK,      /* engine_look() */
    TRACE_OUTCOME,   /* an action has ended: engine_outcome(), where a rule asked for it */
    TRACE_RESET,     /* engine_reset() */
    TRACE_HOST,      /* host_look() */
    TRACE_CANDIDATE, /* a tenant that was read for an election */
    TRACE_ELECTION,  /* host_elect() */
    TRACE_DECISION,  /* what the engine said */
    TRACE_COUNT,
};

/* Of a tenant what is not decide/'s own to remember. */
struct TraceStanding {
    uint32_t holders;                   /* Case.holders */
    uint32_t throttles[RESOURCE_COUNT]; /* Throttle.holders */
    bool memory_slowed;                 /* the line in memory.high is ours */
    int under_way;                      /* enum Verb of the action whose outcome is awaited, -1 */
    bool untouchable, released, exempt;
    int oom_preference;
    char protected_by[128];
};

struct TraceRule {
    char name[POLICY_NAME_MAX];
    struct RuleState state;
};

#define TRACE_PATH_MAX 512

/* Which members an entry has, trace_entry.c says by its kind. */
struct TraceEntry {
    enum TraceKind kind;
    usec_t at_usec;       /* the `now` that decide/ was handed */
    usec_t realtime_usec; /* the time of day then */
    uint64_t tenant_id;

    char name[TENANT_NAME_MAX], path[TRACE_PATH_MAX], class[POLICY_NAME_MAX];
    struct TraceStanding standing;
    struct Readings readings;                       /* at_usec is not kept */
    struct TraceRule rules[POLICY_CLASS_RULES_MAX]; /* those that are not at peace */
    size_t n_rules;
    char election[REASON_MAX]; /* Choice.reason; its numbers are told to the journal alone */

    char rule[POLICY_NAME_MAX];
    uint64_t scope;                  /* of a rule of the host: the filesystem, or 0 */
    usec_t began_usec, elected_usec; /* HostState */
    bool vain;
    bool withdrawn; /* an election that was taken back: nobody else waits */

    struct Decision decision; /* of TRACE_OUTCOME without its reason */
    int result;
    bool fed; /* engine_outcome() was called */

    unsigned count; /* Offence */
    usec_t last_usec;
    struct KillBudget budget;

    const char *text; /* of a TRACE_CONFIG; borrowed */
    size_t text_size;
};

/* Of a file; another number is another format. */
#define TRACE_FORMAT 1

/* No entry but a TRACE_CONFIG has more bytes. */
#define TRACE_ENTRY_MAX 8192

const char *trace_kind_name(enum TraceKind kind);

/* Returns the length, or -ENOSPC. Allocates nothing. */
ssize_t trace_entry_write(struct TraceEntry *entry, uint8_t *bytes, size_t size);
/* Returns how many bytes it has, or -EBADMSG. `ret->text` points into `bytes`. */
ssize_t trace_entry_read(const uint8_t *bytes, size_t size, struct TraceEntry *ret);

/* Caller unrefs. -ENOMEM. */
int trace_entry_make(struct TraceEntry *entry, sd_json_variant **ret);
/* `ret->text` points into `object`. -EBADMSG: `ret_field` names what is wrong. */
int trace_entry_parse(sd_json_variant *object, struct TraceEntry *ret, const char **ret_field);
