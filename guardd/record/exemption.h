/* Exemptions by the tenant's name, in STATE/exemptions, one JSON file a tenant: a restart and a reboot leave
 * them as they are, and whoever comes back under the name is exempt until the same moment. Ends are points in
 * time of CLOCK_REALTIME: a boot's own clock would not outlive it. */
#pragma once

#include <stddef.h>

#include "model/exemption.h"

struct ExemptName {
    char *tenant;
    struct Exemption exemption;
    struct ExemptName *next;
};

struct Exemptions {
    int fd;                  /* negative: why nothing can be kept */
    struct ExemptName *list; /* few: an operator sets each */
    size_t damaged;          /* files that could not be read; kept as NAME.damaged */
};

/* Makes the directory where needed; where that cannot be done it succeeds, and the descriptor says why. What
 * has ended meanwhile is there still. */
int exemptions_open(struct Exemptions *exemptions, const char *state_dir);
void exemptions_close(struct Exemptions *exemptions);

/* Until the next change; NULL: there is none. */
const struct Exemption *exemption_find(const struct Exemptions *exemptions, const char *tenant);
/* In the place of one that is there. Durable before it returns. < 0: nothing is changed; -EEXIST: another
 * tenant's long name comes to the same file. */
int exemption_set(struct Exemptions *exemptions, const char *tenant, const struct Exemption *exemption);
/* Done too when there is none. In memory in any case; < 0: the file is there still, and ends with its time.
 */
int exemption_remove(struct Exemptions *exemptions, const char *tenant);

/* The end that comes first, CLOCK_REALTIME; USEC_INFINITY. */
usec_t exemptions_due_usec(const struct Exemptions *exemptions);
/* One that has ended by then; NULL: none. */
const struct ExemptName *exemption_ended(const struct Exemptions *exemptions, usec_t realtime_usec);
