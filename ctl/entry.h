/* An entry of the journal that guardd wrote (record/journal.h names its fields), and the event that it tells
 * of: the same object as the interface's Event, with what the journal alone knows beside it. Pure. */
#pragma once

#include <stddef.h>

#include <systemd/sd-json.h>
#include <utarray.h>

/* All zeros is none; entry_init() first. */
struct Entry {
    UT_array fields; /* "NAME=value", owned */
};

void entry_init(struct Entry *entry);
void entry_clear(struct Entry *entry);
void entry_done(struct Entry *entry);

/* "NAME=value", `length` bytes of it, copied up to the first NUL. A name may come several times. */
void entry_add(struct Entry *entry, const void *data, size_t length);

/* The value; NULL when there is no such field. `index`: which of several. */
const char *entry_text(const struct Entry *entry, const char *name);
const char *entry_text_at(const struct Entry *entry, const char *name, size_t index);

/* What it tells of. Caller unrefs. -EBADMSG when it is no event of guardd's.
 *
 *   kind, sequence, realtimeUsec, boot, tenant, cgroupId, class, path, action
 *   decision   verb, cause, rule, uid, limit, value, resource, percent, withheld, reason; of a rule also
 *              step, steps, begins, when, until, rank, passedOver, passedOverMore
 *     when, until    condition, reading, unit, value, limit, threshold (or thresholdPercent, of the limit),
 *                    series: a list of {ageUsec, value}
 *     rank           reading, unit, value
 *     passedOver     a list of {name, value, why}
 *   outcome    result, error, tookUsec, text
 *   request    of a change that was asked for: text, uid, name, pid; never a command line
 *   lost       how many events the journal does not have */
int entry_event(const struct Entry *entry, sd_json_variant **ret);
