/* See ends.h. */
#include "ends.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "limiting.h"

#define ACCURACY_USEC (100 * USEC_PER_MSEC)

static usec_t next_end(const struct Guard *guard)
{
    return overrides_due_usec(&guard->overrides);
}

/* --- of overrides --------------------------------------------------------------------------------- */

static void note_end(struct Guard *guard, const char *name, const struct Tenant *tenant,
                     const struct OverrideEntry *entry)
{
    char value[MEASURE_FORMAT_MAX], who[AUTHOR_FORMAT_MAX], text[REASON_MAX];

    snprintf(text, sizeof(text), "%s%s%s=%s, which %s had set until now, has ended", tenant ? "" : name,
             tenant ? "" : ": ", limit_info(entry->limit)->directive,
             limit_format(entry->limit, entry->value, value, sizeof(value)),
             author_format(&entry->author, who, sizeof(who)));
    pipeline_note(&guard->pipeline, tenant, EVENT_NOTICE, LOG_NOTICE, guard->clock(), text);
}

/* What lies below it counts again. Of tenants there may be several with that name, or none. */
static void on_override_ended(void *userdata, const char *name, const struct OverrideEntry *entry)
{
    struct Guard *guard = userdata;
    struct Tenant *tenant, *other;
    bool noted = false;

    HASH_ITER (hh, guard->registry.tenants, tenant, other) {
        if (strcmp(tenant->name, name) != 0)
            continue;
        note_end(guard, name, tenant, entry);
        noted = true;
        override_limits(&guard->overrides, name, &tenant->overrides);
        limiting_check(&guard->pipeline, tenant, guard->clock());
        /* Perhaps nobody wants its directories to count any more. */
        tenant->limits_due_usec = usec_min(tenant->limits_due_usec, guard->clock());
        agenda_put(tenant);
    }
    if (!noted)
        note_end(guard, name, NULL, entry);
}

void ends_run(struct Guard *guard)
{
    overrides_end(&guard->overrides, guard_realtime_usec(guard), on_override_ended, guard);
}

/* --- the timer ------------------------------------------------------------------------------------ */

static int on_end(sd_event_source *source, uint64_t usec, void *userdata)
{
    ends_run(userdata);
    return 0;
}

void ends_arm(struct Guard *guard)
{
    usec_t due = next_end(guard);

    if (!guard->ends)
        return;
    sd_event_source_set_time(guard->ends, due);
    sd_event_source_set_enabled(guard->ends, due == USEC_INFINITY ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

int ends_open(struct Guard *guard)
{
    int r = sd_event_add_time(guard->event, &guard->ends, CLOCK_REALTIME, USEC_INFINITY, ACCURACY_USEC,
                              on_end, guard);

    if (r >= 0)
        ends_arm(guard);
    return r < 0 ? r : 0;
}

void ends_close(struct Guard *guard)
{
    guard->ends = sd_event_source_disable_unref(guard->ends);
}
