/* Block devices, as sysfs tells of them. `host` is put before /sys: "" on a host, a made-up tree in tests. */
#pragma once

#include <stddef.h>
#include <sys/sysmacros.h>
#include <sys/types.h>

#include "base/mounts.h"

/* The whole disk that a mounted filesystem is on, as systemd finds it for IOReadBandwidthMax=: below what is
 * stacked on one device alone (dm-crypt, a volume on one disk), and of a partition its disk. A filesystem
 * with a number of no device (btrfs) goes by its source in /dev. -ENOTBLK: it is on none. */
int device_of_mount(const char *host, const struct Mount *mount, dev_t *ret);

/* "/dev/vda" into `buf`; "/dev/block/254:0" when its name is not known. Returns `buf`. */
const char *device_node(const char *host, unsigned major, unsigned minor, char *buf, size_t size);
