/* See inspection.h. */
#include "inspection.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "walk.h"

static struct Inspection *find(struct DiskGuard *disk, uint64_t tenant_id)
{
    for (size_t i = 0; i < INSPECTIONS_MAX; i++)
        if (disk->inspections[i].ticket != 0 && disk->inspections[i].tenant_id == tenant_id)
            return &disk->inspections[i];
    return NULL;
}

static struct Outcome outcome_of(const struct Inspection *inspection)
{
    struct Outcome outcome = {.result = RESULT_DONE, .error = inspection->error};
    const char *still = inspection->passed_over > 0 ? "; some have names outside or could not be tagged" : "";

    if (inspection->error < 0) {
        outcome.result = RESULT_FAILED;
        snprintf(outcome.text, sizeof(outcome.text), "not all of it could be looked at: %s",
                 strerror(-inspection->error));
    } else if (inspection->wrong == 0) {
        snprintf(outcome.text, sizeof(outcome.text), "all %" PRIu64 " files count%s", inspection->seen,
                 still);
    } else if (inspection->repair) {
        snprintf(outcome.text, sizeof(outcome.text),
                 "%" PRIu64 " of %" PRIu64 " files did not count, and do now%s", inspection->wrong,
                 inspection->seen, still);
    } else {
        outcome.result = RESULT_SKIPPED;
        snprintf(outcome.text, sizeof(outcome.text),
                 "%" PRIu64 " of %" PRIu64 " files do not count: --repair mends it%s", inspection->wrong,
                 inspection->seen, still);
    }
    return outcome;
}

void inspection_walked(struct DiskGuard *disk, struct Tenant *tenant, const struct DiskOrder *order,
                       int error, const struct TagResult *result)
{
    struct Inspection *inspection = find(disk, order->tenant_id);
    struct Directory *directory = tenant ? disk_directory(&tenant->disk, order->path) : NULL;
    struct Outcome outcome;
    uint64_t ticket;

    if (!inspection)
        return;
    inspection->seen += result->seen;
    inspection->wrong += inspection->repair ? result->changed : result->wrong;
    inspection->passed_over += result->linked + result->foreign + result->failed;
    inspection->error = error < 0 ? error : inspection->error;
    if (directory) {
        walk_take_counts(directory, result);
        directory->changed = inspection->repair ? result->changed : result->wrong;
    }
    if (--inspection->waiting > 0)
        return;
    outcome = outcome_of(inspection);
    ticket = inspection->ticket;
    inspection->ticket = 0;
    if (tenant)
        disk_notice(disk, tenant, LOG_NOTICE, "checked: %s", outcome.text);
    disk->inspected(disk->userdata, ticket, tenant, &outcome);
}

int inspection_begin(struct DiskGuard *disk, struct Tenant *tenant, bool repair, uint64_t ticket)
{
    struct Inspection *inspection = NULL;

    for (size_t i = 0; i < INSPECTIONS_MAX && !inspection; i++)
        if (disk->inspections[i].ticket == 0)
            inspection = &disk->inspections[i];
    if (!inspection || find(disk, tenant->cgroup.id))
        return -EBUSY;
    *inspection = (struct Inspection){.ticket = ticket, .tenant_id = tenant->cgroup.id, .repair = repair};
    for (size_t i = 0; i < tenant->disk.n_directories; i++) {
        const struct Directory *directory = &tenant->disk.directories[i];
        const struct DiskShare *share =
            directory_counts(directory) ? disk_share(&tenant->disk, directory->dev) : NULL;

        if (share && walk_order(disk, ORDER_INSPECT, repair ? TAG_REPAIR : TAG_CHECK, tenant->cgroup.id,
                                directory, share->project) >= 0)
            inspection->waiting++;
    }
    if (inspection->waiting > 0)
        return 0;
    inspection->ticket = 0;
    return -ENOENT;
}
