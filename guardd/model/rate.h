/* A limit of I/O (IOReadBandwidthMax= and its like) is one number in lines of io.max, a line for each device.
 * It is one value for the tenant, and holds on each of some whole disks: those on which the host keeps what
 * tenants have. What was found may differ from disk to disk, and is given back to each as it was; a class
 * leaves a disk alone that has less already. Where one value is asked for, it is that of the disk with most.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define RATE_DISKS_MAX 4

struct RateDisk {
    uint32_t major, minor;
    uint64_t found, value; /* before guardd, and through it */
};

struct Rate {
    struct RateDisk disks[RATE_DISKS_MAX];
    size_t n;
};
