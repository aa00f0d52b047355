/* Is the host fine, or what is not: one word and one sentence of what guardd knows at this moment. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "model/policy.h"

enum Health {
    HEALTH_FINE,      /* all is guarded, and nothing stands */
    HEALTH_HOLDING,   /* guarded: somebody is held or slowed for it, or about to be */
    HEALTH_IMPAIRED,  /* guarded, but something that guardd would do it could not, or will not */
    HEALTH_UNGUARDED, /* nothing would be done: Mode=observe, or what guarding needs is not there */
};

/* What it is judged by. Names are of the first of those that are counted beside them, borrowed; NULL when
 * there is none. */
struct HealthFacts {
    enum Mode mode;
    size_t tenants;
    size_t frozen, throttled, armed; /* each tenant in the first of them that it is in */
    const char *frozen_name, *throttled_name, *armed_name;
    size_t failing; /* tenants with a step that did not take, or a kill that is held back */
    const char *failing_name;
    size_t unlimited; /* tenants with a limit that is not as it is asked for */
    const char *unlimited_name;
    size_t exempt; /* and guarded by no rule */
    const char *exempt_name;
    unsigned kills_left, kills_limit;
    size_t missing;             /* features that this host does not offer */
    const char *missing_needed; /* one of them that nothing can be guarded without */
    size_t degraded;
    const char *degraded_text;
};

const char *health_name(enum Health health);

/* "The host is fine: 12 tenants are guarded, and nothing stands.", "Under control: docker/web is frozen.",
 * "Not fine: the kill budget is spent; docker/web is frozen." `buf` gets the sentence, cut where it does not
 * fit. */
enum Health health_judge(const struct HealthFacts *facts, char *buf, size_t size);
#define HEALTH_SENTENCE_MAX 512
