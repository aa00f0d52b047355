/* The disk sensor: usage of a tenant's projects and room on their filesystems -> disk.* and host.disk.*
 * readings. */
#pragma once

#include "model/disk.h"
#include "model/reading.h"
#include "sense/filesystem.h"

/* Growth is counted over at least this; where it is looked at again and again over one to two windows. */
#define DISK_GROWTH_MIN_USEC (900 * USEC_PER_MSEC)
#define DISK_GROWTH_WINDOW_USEC (5 * USEC_PER_SEC)
/* Steps that follow each other within this are one growth. */
#define DISK_GROWTH_STEP_USEC (60 * USEC_PER_SEC)
/* A tenant that has not grown for this long is at peace. */
#define DISK_QUIET_USEC (10 * USEC_PER_SEC)

/* One look: reads every share (usage and room), moves the growth on, fills the disk.* and host.disk.*
 * readings (not valid where there is no share, or none that could be read), takes `denied`. Of several
 * filesystems space, inodes, growth and room are those of the one on which it is nearest to its limit;
 * without limits of the one with the least room; disk.eta is that of the one that is full first, if its own
 * limit lets it get there. Sets look_usec. Other readings are left alone. Allocates nothing. */
void disk_look(const struct Filesystems *filesystems, struct Disk *disk, usec_t now,
               struct Readings *readings);

/* No look was due: what was read stays valid, but a refusal is told once. */
void disk_pass(struct Disk *disk, struct Readings *readings);

/* --- the parts of a look that ask nobody ------------------------------------------------------------ */

/* Moves the growth of a share on, whose `valid` and `usage` are new. */
void disk_grow(struct DiskShare *share, usec_t now);
/* Readings and look_usec from the shares; takes `denied` and `stale`. */
void disk_tell(struct Disk *disk, usec_t now, struct Readings *readings);
