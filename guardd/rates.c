/* See rates.h. A tenant keeps its own list of disks for each limit that is applied: what was found there is
 * given back there, whatever disks the host has by then. */
#include "rates.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/limit.h"
#include "act/throttle.h"
#include "base/cleanup.h"
#include "base/device.h"
#include "base/mounts.h"

/* Whatever a tenant writes to without a directory of its own. */
static const char *const host_paths[] = {"/", "/var"};

/* --- the disks of the host ------------------------------------------------------------------------ */

static void add_disk(struct Rate *disks, dev_t dev)
{
    struct RateDisk disk = {.major = major(dev), .minor = minor(dev)};

    for (size_t i = 0; i < disks->n; i++)
        if (disks->disks[i].major == disk.major && disks->disks[i].minor == disk.minor)
            return;
    if (disks->n < RATE_DISKS_MAX)
        disks->disks[disks->n++] = disk;
}

static void add_disk_of(struct Rate *disks, const char *host, const struct Mounts *mounts, const char *path)
{
    _cleanup_free_ char *real = host[0] == '\0' ? realpath(path, NULL) : NULL;
    const struct Mount *mount = mounts_holding(mounts, real ? real : path);
    dev_t dev;

    if (mount && device_of_mount(host, mount, &dev) >= 0)
        add_disk(disks, dev);
}

void rates_find_disks(const char *host, char *const *roots, struct Rate *ret)
{
    struct Mounts mounts = {};
    char table[256];

    *ret = (struct Rate){};
    snprintf(table, sizeof(table), "%s/proc/1/mountinfo", host);
    if (mounts_read(table, &mounts) < 0)
        return;
    for (size_t i = 0; i < sizeof(host_paths) / sizeof(host_paths[0]); i++)
        add_disk_of(ret, host, &mounts, host_paths[i]);
    for (; roots && *roots; roots++)
        add_disk_of(ret, host, &mounts, *roots);
    mounts_done(&mounts);
}

/* --- what is in force ----------------------------------------------------------------------------- */

static const struct Rate no_disks;

static struct Rate *applied_rate(struct Tenant *tenant, enum LimitId limit)
{
    return &tenant->rates[limit - LIMIT_RATE_FIRST];
}

/* Those that it is set on, else those that it would be. */
static const struct Rate *disks_of(const struct Tenant *tenant, enum LimitId limit)
{
    const struct Rate *applied = &tenant->rates[limit - LIMIT_RATE_FIRST];

    if (tenant->limits[limit].applied && applied->n > 0)
        return applied;
    return tenant->disks ? tenant->disks : &no_disks;
}

/* A throttle may stand on this disk, on others, or on none. */
static const char *found_by_throttle(const struct Tenant *tenant, const struct RateDisk *disk)
{
    const struct Throttle *throttle = &tenant->throttles[RESOURCE_IO];
    char name[32];
    int length = snprintf(name, sizeof(name), "%" PRIu32 ":%" PRIu32 " ", disk->major, disk->minor);

    for (size_t i = 0; i < throttle->n_lines; i++)
        if (strncmp(throttle->lines[i].found, name, (size_t)length) == 0)
            return throttle->lines[i].found;
    return NULL;
}

static int read_on(const struct Tenant *tenant, enum LimitId limit, const struct RateDisk *disk, bool hidden,
                   uint64_t *ret_value)
{
    const char *line = hidden ? found_by_throttle(tenant, disk) : NULL;

    return line ? throttle_value(limit, line, ret_value)
                : limit_read_on(&tenant->cgroup, limit, disk, ret_value);
}

/* What cannot be read has no limit: the controller is still to be enabled. */
static uint64_t present_on(const struct Tenant *tenant, enum LimitId limit, const struct RateDisk *disk)
{
    uint64_t value;

    return read_on(tenant, limit, disk, true, &value) >= 0 ? value : LIMIT_INFINITY;
}

int rates_read(const struct Tenant *tenant, enum LimitId limit, bool hidden, uint64_t *ret_value)
{
    const struct Rate *rate = disks_of(tenant, limit);
    uint64_t most = 0, value;

    for (size_t i = 0; i < rate->n; i++) {
        int r = read_on(tenant, limit, &rate->disks[i], hidden, &value);

        if (r < 0)
            return r;
        if (value > most)
            most = value;
    }
    if (rate->n == 0)
        return -ENOTBLK;
    *ret_value = most;
    return 0;
}

bool rates_hold(const struct Tenant *tenant, enum LimitId limit)
{
    const struct Rate *rate = disks_of(tenant, limit);

    for (size_t i = 0; i < rate->n; i++)
        if (present_on(tenant, limit, &rate->disks[i]) != rate->disks[i].value)
            return false;
    return true;
}

void rates_drifted(const struct Tenant *tenant, enum LimitId limit, uint64_t *ret_value)
{
    const struct Rate *rate = disks_of(tenant, limit);
    const struct LimitState *state = &tenant->limits[limit];
    uint64_t most = 0;

    if (!state->applied || state->waiting > 0 || rates_hold(tenant, limit))
        return;
    for (size_t i = 0; i < rate->n; i++) {
        const struct RateDisk *disk = &rate->disks[i];
        uint64_t present = present_on(tenant, limit, disk);
        uint64_t found = present == disk->value ? disk->found : present;

        most = found > most ? found : most;
    }
    *ret_value = most;
}

/* --- setting it ----------------------------------------------------------------------------------- */

/* What is not as guardd left it somebody else has set; while an answer is awaited nobody knows. */
static void learn(struct Tenant *tenant, enum LimitId limit, struct Rate *rate)
{
    const struct LimitState *state = &tenant->limits[limit];

    if (!state->applied)
        *rate = tenant->disks ? *tenant->disks : no_disks;
    for (size_t i = 0; i < rate->n; i++) {
        struct RateDisk *disk = &rate->disks[i];
        uint64_t present = present_on(tenant, limit, disk);

        if (!state->applied || (state->waiting == 0 && present != disk->value))
            disk->found = present;
    }
}

static uint64_t most_found(const struct Rate *rate)
{
    uint64_t most = 0;

    for (size_t i = 0; i < rate->n; i++)
        most = rate->disks[i].found > most ? rate->disks[i].found : most;
    return most;
}

void rates_plan(struct Tenant *tenant, struct Decision *decision, uint64_t *ret_found)
{
    struct Rate *rate = applied_rate(tenant, decision->limit);
    bool exact = decision->verb == VERB_LIMIT && tenant->overrides.set[decision->limit];

    learn(tenant, decision->limit, rate);
    *ret_found = most_found(rate);
    if (decision->verb == VERB_UNLIMIT)
        decision->value = *ret_found;
    for (size_t i = 0; i < rate->n; i++) {
        struct RateDisk *disk = &rate->disks[i];

        disk->value = exact || decision->value < disk->found ? decision->value : disk->found;
    }
}

int rates_write(struct Tenant *tenant, enum LimitId limit)
{
    struct Rate *rate = applied_rate(tenant, limit);
    int error = 0;

    for (size_t i = rate->n; i-- > 0;) {
        struct RateDisk *disk = &rate->disks[i];
        int r = limit_write_on(&tenant->cgroup, limit, disk, disk->value);

        if (r == -ENXIO)
            *disk = rate->disks[--rate->n];
        else if (r < 0)
            error = r;
    }
    return error;
}

/* What is to be in force of one of the other limits. */
static uint64_t wanted_on(const struct Tenant *tenant, enum LimitId limit, const struct RateDisk *disk)
{
    const struct Rate *rate = &tenant->rates[limit - LIMIT_RATE_FIRST];

    for (size_t i = 0; tenant->limits[limit].applied && i < rate->n; i++)
        if (rate->disks[i].major == disk->major && rate->disks[i].minor == disk->minor)
            return rate->disks[i].value;
    return present_on(tenant, limit, disk);
}

int rates_tell(struct UnitManager *units, const struct Tenant *tenant, enum LimitId limit)
{
    const struct Rate *rate = &tenant->rates[limit - LIMIT_RATE_FIRST];
    struct UnitDisk disks[RATE_DISKS_MAX];

    for (size_t i = 0; i < rate->n; i++) {
        const struct RateDisk *disk = &rate->disks[i];

        disks[i] = (struct UnitDisk){.major = disk->major, .minor = disk->minor};
        for (int k = 0; k < LIMIT_RATE_COUNT; k++)
            disks[i].rate[k] = LIMIT_RATE_FIRST + k == (int)limit
                                   ? disk->value
                                   : wanted_on(tenant, (enum LimitId)(LIMIT_RATE_FIRST + k), disk);
    }
    return unit_set_rates(units, tenant->cgroup.unit, limit, disks, rate->n, tenant->cgroup.id);
}

void rates_failed(struct Tenant *tenant, enum LimitId limit)
{
    struct Rate *rate = applied_rate(tenant, limit);

    for (size_t i = 0; i < rate->n; i++)
        rate->disks[i].value = present_on(tenant, limit, &rate->disks[i]);
}

/* --- in the ledger -------------------------------------------------------------------------------- */

static bool add_text(char *line, const struct RateDisk *disk, uint64_t value)
{
    size_t used = strlen(line);
    char number[24] = "max";
    int n;

    if (value != LIMIT_INFINITY)
        snprintf(number, sizeof(number), "%" PRIu64, value);
    n = snprintf(line + used, THROTTLE_LINE_MAX - used, "%s%" PRIu32 ":%" PRIu32 " %s", used > 0 ? " " : "",
                 disk->major, disk->minor, number);
    return n > 0 && (size_t)n < THROTTLE_LINE_MAX - used;
}

int rates_to_entry(const struct Rate *rate, struct LedgerEntry *entry)
{
    entry->found_line[0] = entry->value_line[0] = '\0';
    for (size_t i = 0; i < rate->n; i++)
        if (!add_text(entry->found_line, &rate->disks[i], rate->disks[i].found) ||
            !add_text(entry->value_line, &rate->disks[i], rate->disks[i].value))
            return -ENOBUFS;
    return 0;
}

/* One disk, and moves *p behind it. */
static bool take_disk(const char **p, struct RateDisk *disk, uint64_t *ret_value)
{
    int length = 0;

    if (sscanf(*p, " %" SCNu32 ":%" SCNu32 " %n", &disk->major, &disk->minor, &length) != 2 || length == 0)
        return false;
    *p += length;
    length = 0;
    *ret_value = LIMIT_INFINITY;
    if (strncmp(*p, "max", 3) == 0)
        length = 3;
    else if (sscanf(*p, "%" SCNu64 "%n", ret_value, &length) != 1)
        return false;
    *p += length;
    return true;
}

int rates_from_entry(const struct LedgerEntry *entry, struct Rate *ret)
{
    const char *found = entry->found_line, *value = entry->value_line;
    struct Rate rate = {};

    while (*found != '\0' && rate.n < RATE_DISKS_MAX) {
        struct RateDisk *disk = &rate.disks[rate.n++], other;

        if (!take_disk(&found, disk, &disk->found) || !take_disk(&value, &other, &disk->value) ||
            other.major != disk->major || other.minor != disk->minor)
            return -EBADMSG;
    }
    if (*found != '\0' || *value != '\0' || rate.n == 0)
        return -EBADMSG;
    *ret = rate;
    return 0;
}
