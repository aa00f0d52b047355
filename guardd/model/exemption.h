/* An exemption: for a time, no rule does anything to a tenant. Limits stay, and an operator may still act by
 * hand. */
#pragma once

#include "base/usec.h"
#include "model/author.h"

struct Exemption {
    usec_t until_realtime_usec; /* 0: there is none */
    usec_t since_realtime_usec;
    struct Author by;
};

/* Nobody watches for longer than this what nobody guards. */
#define EXEMPTION_MAX_USEC (31 * 24 * USEC_PER_HOUR)
