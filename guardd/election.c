/* A rule of the host is looked at whenever a tenant that lists it was read, and once a second while it holds.
 * It elects when it has held for as long as it asks; then everybody on that filesystem is read, so that
 * growth is known. */
#include "election.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <utlist.h>

#include "sense/disk.h"

static struct HostRule *get_rule(struct DiskGuard *disk, const struct Rule *rule, dev_t dev)
{
    struct HostRule *known;

    DL_FOREACH (disk->host_rules, known)
        if (known->state.rule == rule && known->dev == dev)
            return known;
    known = calloc(1, sizeof(*known));
    if (!known)
        return NULL;
    known->dev = dev;
    known->look_usec = USEC_INFINITY;
    known->state = (struct HostState){.rule = rule, .scope = dev, .began_usec = USEC_INFINITY};
    DL_APPEND(disk->host_rules, known);
    return known;
}

void election_reset(struct DiskGuard *disk)
{
    struct HostRule *rule, *next;

    DL_FOREACH_SAFE (disk->host_rules, rule, next) {
        DL_DELETE(disk->host_rules, rule);
        free(rule);
    }
}

static void read_afresh(struct DiskGuard *disk, struct Tenant *tenant, usec_t now)
{
    disk_look(&disk->filesystems, &tenant->disk, now, &tenant->readings);
    agenda_put(tenant);
}

/* Everybody whom the rule could mean, read afresh. Caller frees; NULL: nobody, or no memory. */
static struct Tenant **candidates(struct DiskGuard *disk, const struct HostRule *rule, usec_t now,
                                  size_t *ret_n)
{
    struct Tenant **list = calloc(registry_count(disk->registry) + 1, sizeof(*list));
    struct Tenant *tenant, *other;

    *ret_n = 0;
    if (!list)
        return NULL;
    HASH_ITER (hh, disk->registry->tenants, tenant, other) {
        if (!disk_share(&tenant->disk, rule->dev) || !tenant_lists(tenant, rule->state.rule, NULL))
            continue;
        read_afresh(disk, tenant, now);
        trace_candidate(disk->pipeline->trace, tenant, now);
        list[(*ret_n)++] = tenant;
    }
    return list;
}

static void elect(struct DiskGuard *disk, struct HostRule *rule, const struct Readings *host, usec_t now)
{
    bool said = rule->state.vain;
    struct Choice choice;
    struct Tenant *victim;
    size_t n, index = 0;
    struct Tenant **list = candidates(disk, rule, now, &n);

    if (!list)
        return;
    victim = host_elect(&rule->state, list, n, host, now, &choice);
    trace_election(disk->pipeline->trace, &rule->state, host, false, now);
    free(list);
    if (victim && tenant_lists(victim, rule->state.rule, &index)) {
        victim->condition.rules[index].elected = true;
        victim->condition.election = choice;
        disk->look(disk->userdata, victim);
    } else if (!said && rule->state.vain) {
        disk_notice(disk, NULL, LOG_WARNING, "%s: %.400s", rule->state.rule->name, choice.reason);
    }
}

/* The condition began to hold: growth is counted from now on, for everybody. */
static void begin(struct DiskGuard *disk, const struct HostRule *rule, usec_t now)
{
    size_t n;

    free(candidates(disk, rule, now, &n));
}

static void look(struct DiskGuard *disk, struct HostRule *rule, const struct Readings *host, usec_t now)
{
    bool began = rule->state.began_usec != USEC_INFINITY;

    enum HostVerdict verdict = host_look(&rule->state, host, now);

    trace_host(disk->pipeline->trace, &rule->state, host,
               verdict == HOST_ELECT ? registry_count(disk->registry) : 0, now);
    switch (verdict) {
    case HOST_PENDING:
        if (!began)
            begin(disk, rule, now);
        break;
    case HOST_ELECT:
        elect(disk, rule, host, now);
        break;
    default:
        break;
    }
    rule->look_usec = host_look_usec(&rule->state, now);
}

/* What was read before of a filesystem that cannot be read now is not known: nothing holds by it. */
static struct Readings room_of(const struct DiskShare *share, usec_t now)
{
    struct Readings host = {.at_usec = now};

    if (!share || !share->valid)
        return host;
    host.valid[READING_HOST_DISK_FREE] = true;
    host.valid[READING_HOST_DISK_INODES] = share->all_inodes > 0; /* else as many as there is space for */
    host.value[READING_HOST_DISK_FREE] = (int64_t)share->free_bytes;
    host.limit[READING_HOST_DISK_FREE] = (int64_t)share->size_bytes;
    host.value[READING_HOST_DISK_INODES] = (int64_t)share->free_inodes;
    host.limit[READING_HOST_DISK_INODES] = (int64_t)share->all_inodes;
    return host;
}

void election_look(struct DiskGuard *disk, struct Tenant *tenant, usec_t now)
{
    for (size_t i = 0; tenant->class && i < tenant->class->n_rules; i++) {
        const struct Rule *rule = tenant->class->rules[i];

        if (rule->scope != SCOPE_HOST)
            continue;
        for (size_t j = 0; j < tenant->disk.n_shares; j++) {
            const struct DiskShare *share = &tenant->disk.shares[j];
            struct HostRule *of = get_rule(disk, rule, share->dev);
            struct Readings host = room_of(share, now);

            if (of)
                look(disk, of, &host, now);
        }
    }
}

void election_trace(const struct DiskGuard *disk, struct Trace *trace, usec_t now)
{
    const struct HostRule *rule;

    DL_FOREACH (disk->host_rules, rule)
        trace_watch(trace, &rule->state, now);
}

usec_t election_due_usec(const struct DiskGuard *disk)
{
    const struct HostRule *rule;
    usec_t due = USEC_INFINITY;

    DL_FOREACH (disk->host_rules, rule)
        due = usec_min(due, rule->look_usec);
    return due;
}

/* What one tenant on it reads of the host is what the host has. */
static struct Tenant *anybody(const struct DiskGuard *disk, const struct HostRule *rule)
{
    struct Tenant *tenant, *other;

    HASH_ITER (hh, disk->registry->tenants, tenant, other)
        if (disk_share(&tenant->disk, rule->dev) && tenant_lists(tenant, rule->state.rule, NULL))
            return tenant;
    return NULL;
}

void election_pass(struct DiskGuard *disk, usec_t now)
{
    struct HostRule *rule;

    DL_FOREACH (disk->host_rules, rule) {
        struct Tenant *tenant = rule->look_usec <= now ? anybody(disk, rule) : NULL;
        struct Readings host;

        if (rule->look_usec > now)
            continue;
        if (tenant)
            read_afresh(disk, tenant, now);
        host = room_of(tenant ? disk_share(&tenant->disk, rule->dev) : NULL, now);
        look(disk, rule, &host, now);
    }
}
