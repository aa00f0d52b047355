/* Limits of I/O, which hold on each of several disks (model/rate.h): what limiting.c asks for here where a
 * limit of one value has one file. While a throttle stands in io.max, what is read is what it found
 * (throttling.h). */
#pragma once

#include "model/rate.h"
#include "pipeline.h"

/* The whole disks that such limits are for: of what is mounted at /, /var and DiskRoots= (`roots`,
 * NULL-terminated), as systemd finds the disk of a path. At most RATE_DISKS_MAX, none twice. `host`: before
 * /proc and /sys; "" but for tests. */
void rates_find_disks(const char *host, char *const *roots, struct Rate *ret);

/* The value that limiting.h calls present. `hidden`: but for a throttle. -ENOTBLK: no disk is known. */
int rates_read(const struct Tenant *tenant, enum LimitId limit, bool hidden, uint64_t *ret_value);
/* Is it on each disk what was decided last? */
bool rates_hold(const struct Tenant *tenant, enum LimitId limit);

/* When somebody else has set one of the disks since: what would be in force if the limit were given back now.
 * Else nothing. */
void rates_drifted(const struct Tenant *tenant, enum LimitId limit, uint64_t *ret_value);

/* Before a decision is carried out: what is found on each disk, what is to be set there. The value of an
 * UNLIMIT becomes that of what is given back. */
void rates_plan(struct Tenant *tenant, struct Decision *decision, uint64_t *ret_found);
/* Writes what is planned direct, and reads back. A disk that is gone has no limit any more. */
int rates_write(struct Tenant *tenant, enum LimitId limit);
/* The same through the service manager, as unit_set_limit(). All numbers of these disks that are set are
 * told: it writes whole lines, and would take off what it does not know of. */
int rates_tell(struct UnitManager *units, const struct Tenant *tenant, enum LimitId limit);
/* It could not be set: what is there is not to be taken for somebody else's. */
void rates_failed(struct Tenant *tenant, enum LimitId limit);

/* In the ledger: "8:0 max" a disk, found and set. -ENOBUFS. */
int rates_to_entry(const struct Rate *rate, struct LedgerEntry *entry);
/* -EBADMSG. */
int rates_from_entry(const struct LedgerEntry *entry, struct Rate *ret);
