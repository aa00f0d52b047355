/* The method Trace: what is in the ring (record/trace.h), as JSON, a handful of entries a message. It is
 * copied when it is asked for, so that it is of one moment; it is sent as fast as the peer reads, after
 * everything else that waits in the loop. One peer has it at a time: the copy is as large as the ring. */
#pragma once

#include "serve/peer.h"

int trace_send(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
               void *userdata);

/* The peer goes: whatever is left of its copy. NULL: it has none. */
struct TraceFeed *trace_feed_free(struct TraceFeed *feed);
