/* Who offended lately, by tenant name and rule: a container that its runtime restarts has a new cgroup id
 * but the same name. What the engine makes of it, engine.h says. Bounded: the one that offended longest ago
 * is forgotten first. */
#pragma once

#include "base/usec.h"
#include "model/policy.h"
#include "model/tenant.h"

#define OFFENCE_MEMORY_USEC (10 * USEC_PER_MINUTE)
#define OFFENCES_MAX 256

struct Offence {
    char name[TENANT_NAME_MAX];
    char rule[POLICY_NAME_MAX];
    unsigned count; /* 0: the place is free */
    usec_t last_usec;
};

struct Offences {
    struct Offence list[OFFENCES_MAX];
};

/* How often within the memory; 0 for a blameless one. */
unsigned offences_count(const struct Offences *offences, const char *name, const char *rule, usec_t now);
void offences_add(struct Offences *offences, const char *name, const char *rule, usec_t now);
/* The offence has ended only now: the memory counts from here. */
void offences_touch(struct Offences *offences, const char *name, const char *rule, usec_t now);
