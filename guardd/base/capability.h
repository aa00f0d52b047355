/* Capabilities of the calling thread: those that a process has in reserve (permitted), and takes into use
 * (effective) for one call. Other threads are not touched. */
#pragma once

#include <stdbool.h>

/* Takes `capability` (CAP_..., linux/capability.h) into use or out of it. 1: that was a change, which the
 * caller takes back; 0: it was so already; -EPERM: it is not permitted. */
int capability_use(int capability, bool on);
