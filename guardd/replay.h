/* Replay: a recording's entries once more through decide/, and what it says to them.
 *
 * By the recorded configuration decide/ is told exactly what it was told, and decides exactly what it
 * decided. By another one it may decide something else. From there on the tenant's story is another one than
 * the recorded, of which only the readings remain: they are taken for what they would have been (nobody knows
 * better), each action is taken to succeed at once, and where the engine asks for a look that nobody took,
 * the readings of the last one stand in (what is counted between two looks, as 0). A tenant whose story is
 * still the recorded one goes on to get its recorded outcomes.
 *
 * What nobody looked at is not in a recording: a rule on a reading that no rule went by finds little, and
 * cgroups that no class matched are not there. Limits are not replayed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "model/event.h"
#include "recording.h"

struct Replay {
    struct Event *decisions; /* in their order; owned. sequence is 0 */
    size_t n, allocated;
    size_t recorded; /* decisions in the recording */
    size_t same;     /* of these, decided again word by word */
    size_t unknown;  /* entries about tenants of whom the recording does not say who they are */
    size_t tenants;
    usec_t first_usec, last_usec; /* of its entries, time of day */
};

/* `config`: NULL: the recorded one. -EBADMSG: a configuration in the recording is none; `ret_why`
 * (RECORDING_WHY_MAX). Caller frees, also on failure. */
int replay_run(const struct Recording *recording, const struct Config *config, struct Replay *ret,
               char *ret_why);
void replay_free(struct Replay *replay);
