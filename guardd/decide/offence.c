#include "decide/offence.h"

#include <stdio.h>
#include <string.h>

static bool remembered(const struct Offence *offence, usec_t now)
{
    return usec_add(offence->last_usec, OFFENCE_MEMORY_USEC) > now;
}

static struct Offence *find(struct Offences *offences, const char *name, const char *rule)
{
    for (size_t i = 0; i < OFFENCES_MAX; i++) {
        struct Offence *offence = &offences->list[i];

        if (offence->count > 0 && strcmp(offence->name, name) == 0 && strcmp(offence->rule, rule) == 0)
            return offence;
    }
    return NULL;
}

unsigned offences_count(const struct Offences *offences, const char *name, const char *rule, usec_t now)
{
    const struct Offence *offence = find((struct Offences *)offences, name, rule);

    return offence && remembered(offence, now) ? offence->count : 0;
}

static struct Offence *oldest(struct Offences *offences)
{
    struct Offence *found = &offences->list[0];

    for (size_t i = 0; i < OFFENCES_MAX; i++) {
        if (offences->list[i].count == 0)
            return &offences->list[i];
        if (offences->list[i].last_usec < found->last_usec)
            found = &offences->list[i];
    }
    return found;
}

void offences_add(struct Offences *offences, const char *name, const char *rule, usec_t now)
{
    struct Offence *offence = find(offences, name, rule);

    if (!offence) {
        offence = oldest(offences);
        *offence = (struct Offence){};
        snprintf(offence->name, sizeof(offence->name), "%s", name);
        snprintf(offence->rule, sizeof(offence->rule), "%s", rule);
    } else if (!remembered(offence, now)) {
        offence->count = 0;
    }
    offence->count++;
    offence->last_usec = now;
}

void offences_touch(struct Offences *offences, const char *name, const char *rule, usec_t now)
{
    struct Offence *offence = find(offences, name, rule);

    if (offence)
        offence->last_usec = now;
}
