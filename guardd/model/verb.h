/* What can be done to a tenant, in the order of its force: warn < throttle < freeze < terminate < kill. */
#pragma once

#include <stdbool.h>

enum Verb {
    VERB_WARN,       /* say so, touch nothing */
    VERB_THROTTLE,   /* slowed down in one resource (model/throttle.h); its inverse is VERB_UNTHROTTLE */
    VERB_UNTHROTTLE, /* the former values again */
    VERB_FREEZE,     /* cgroup.freeze 1; its inverse is VERB_THAW */
    VERB_THAW,       /* cgroup.freeze 0 */
    VERB_TERMINATE,  /* thaw and SIGTERM: the grace of `kill 10s` */
    VERB_KILL,       /* cgroup.kill; has no inverse */
    VERB_LIMIT,      /* set a limit that the kernel enforces; its inverse is the value found before */
    VERB_UNLIMIT,    /* give that value back */
    VERB_COUNT,
    VERB_INVALID = -1,
};

/* Names as in configuration, on the wire and in the journal. */
const char *verb_name(enum Verb verb);
enum Verb verb_from_name(const char *name);

/* What a human reads: "frozen", "killed", ... */
const char *verb_past(enum Verb verb);

/* True for what cannot be taken back. */
bool verb_is_final(enum Verb verb);
