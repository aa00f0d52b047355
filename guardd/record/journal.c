/* Events to journal entries. Values may hold anything, a tenant chooses the name of its cgroups: the
 * journal's protocol counts lengths where a value has a newline, so that none can forge a field. */
#define SD_JOURNAL_SUPPRESS_LOCATION /* where in history.c it was sent from says nothing */
#include "record/journal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include <systemd/sd-journal.h>

#include "record/history.h"

/* A field that has no room is left out: better an entry with a gap than none. */
__attribute__((format(printf, 2, 3))) static void field(struct JournalEntry *entry, const char *format, ...)
{
    char *at = entry->text + entry->length;
    size_t room = sizeof(entry->text) - entry->length;
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(at, room, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= room || entry->n_fields == JOURNAL_FIELDS_MAX)
        return;
    entry->fields[entry->n_fields++] = (struct iovec){.iov_base = at, .iov_len = (size_t)n};
    entry->length += (size_t)n;
}

static void common_fields(struct JournalEntry *entry, int priority, const char *message_id)
{
    field(entry, "PRIORITY=%d", priority);
    field(entry, "SYSLOG_IDENTIFIER=guardd");
    if (message_id)
        field(entry, "MESSAGE_ID=%s", message_id);
}

static void tenant_fields(struct JournalEntry *entry, const struct Event *event)
{
    field(entry, "GUARDD_TENANT=%s", event->tenant);
    field(entry, "GUARDD_CLASS=%s", event->class);
    field(entry, "GUARDD_CGROUP=%s", event->path);
    field(entry, "GUARDD_CGROUP_ID=%" PRIu64, event->tenant_id);
}

static void limit_fields(struct JournalEntry *entry, const struct Decision *decision)
{
    field(entry, "GUARDD_LIMIT=%s", limit_info(decision->limit)->directive);
    if (decision->value == LIMIT_INFINITY)
        field(entry, "GUARDD_VALUE=infinity");
    else
        field(entry, "GUARDD_VALUE=%" PRIu64, decision->value);
}

static void throttle_fields(struct JournalEntry *entry, const struct Decision *decision)
{
    field(entry, "GUARDD_RESOURCE=%s", resource_name(decision->resource));
    if (decision->verb == VERB_THROTTLE && decision->percent > 0)
        field(entry, "GUARDD_PERCENT=%u", decision->percent);
}

static void series_field(struct JournalEntry *entry, const char *which, const struct Series *series)
{
    char text[SERIES_MAX * sizeof("4294967295:-9223372036854775808 ")];
    size_t length = 0;

    for (size_t i = 0; i < series->n; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%" PRIu32 ":%" PRId64,
                                   i > 0 ? " " : "", series->age_msec[i], series->value[i]);
    if (series->n > 0)
        field(entry, "GUARDD_%s_SERIES=%s", which, text);
}

static void evidence_fields(struct JournalEntry *entry, const char *which, const struct Evidence *evidence)
{
    const struct Condition *condition = &evidence->condition;
    const struct ReadingInfo *info = reading_info(condition->reading);
    bool share = condition->percent && info->measure != MEASURE_PERCENT;
    char text[CONDITION_FORMAT_MAX];

    field(entry, "GUARDD_%s=%s", which, condition_format(condition, text, sizeof(text)));
    field(entry, "GUARDD_%s_READING=%s", which, info->name);
    field(entry, "GUARDD_%s_UNIT=%s", which, measure_name(info->measure));
    if (evidence->known)
        field(entry, "GUARDD_%s_VALUE=%" PRId64, which, evidence->value);
    if (evidence->known && evidence->limit != READING_UNLIMITED)
        field(entry, "GUARDD_%s_LIMIT=%" PRId64, which, evidence->limit);
    field(entry, "GUARDD_%s_THRESHOLD=%" PRId64 "%s", which, condition->value, share ? "%" : "");
    series_field(entry, which, &evidence->series);
}

static void rival_fields(struct JournalEntry *entry, const struct Rivals *rivals)
{
    field(entry, "GUARDD_RANK=%s", reading_info(rivals->rank)->name);
    field(entry, "GUARDD_RANK_VALUE=%" PRId64, rivals->value);
    for (size_t i = 0; i < rivals->n; i++) {
        const struct Rival *rival = &rivals->list[i];
        const char *against = rival->against ? rival->against : "";
        char value[24] = "-";

        if (rival->known)
            snprintf(value, sizeof(value), "%" PRId64, rival->value);
        field(entry, "GUARDD_PASSED_OVER=%s;%s;%s", value, against, rival->name);
    }
    if (rivals->more > 0)
        field(entry, "GUARDD_PASSED_OVER_MORE=%zu", rivals->more);
}

static void ground_fields(struct JournalEntry *entry, const struct Decision *decision)
{
    if (decision->n_steps == 0)
        return;
    field(entry, "GUARDD_STEP=%u", decision->step);
    field(entry, "GUARDD_STEPS=%u", decision->n_steps);
    field(entry, "GUARDD_GROUND=%s", decision->begins ? "when" : "until");
    evidence_fields(entry, "WHEN", &decision->when);
    evidence_fields(entry, "UNTIL", &decision->until);
    if (decision->rivals.any)
        rival_fields(entry, &decision->rivals);
}

static void decision_fields(struct JournalEntry *entry, const struct Decision *decision)
{
    char action[ACTION_FORMAT_MAX];

    if (decision->action != 0)
        field(entry, "GUARDD_ACTION=%s", action_format(decision->action, action, sizeof(action)));
    field(entry, "GUARDD_VERB=%s", verb_name(decision->verb));
    field(entry, "GUARDD_CAUSE=%s", cause_name(decision->cause));
    field(entry, "GUARDD_REASON=%s", decision->reason);
    if (decision->rule[0] != '\0')
        field(entry, "GUARDD_RULE=%s", decision->rule);
    if (decision->cause == CAUSE_OPERATOR)
        field(entry, "GUARDD_OPERATOR_UID=%" PRIu32, decision->uid);
    if (decision->verb == VERB_LIMIT || decision->verb == VERB_UNLIMIT)
        limit_fields(entry, decision);
    if (decision->verb == VERB_THROTTLE || decision->verb == VERB_UNTHROTTLE)
        throttle_fields(entry, decision);
    if (decision->withheld)
        field(entry, "GUARDD_WITHHELD=1");
}

static void outcome_fields(struct JournalEntry *entry, const struct Outcome *outcome)
{
    field(entry, "GUARDD_RESULT=%s", result_name(outcome->result));
    field(entry, "GUARDD_TOOK_USEC=%" PRIu64, outcome->took_usec);
    if (outcome->text[0] != '\0')
        field(entry, "GUARDD_RESULT_TEXT=%s", outcome->text);
    if (outcome->error < 0)
        field(entry, "ERRNO=%d", -outcome->error);
}

static void author_fields(struct JournalEntry *entry, const struct Event *event)
{
    const struct Author *author = &event->author;

    field(entry, "GUARDD_REQUEST=%s", event->text);
    field(entry, "GUARDD_OPERATOR_UID=%" PRIu32, author->uid);
    if (author->name[0] != '\0')
        field(entry, "GUARDD_OPERATOR=%s", author->name);
    if (author->pid > 0)
        field(entry, "GUARDD_OPERATOR_PID=%" PRIi32, author->pid);
    if (author->command[0] != '\0')
        field(entry, "GUARDD_OPERATOR_COMMAND=%s", author->command);
}

const char *journal_message_id(const struct Event *event)
{
    switch (event->kind) {
    case EVENT_DECISION:
        return event->decision.withheld ? MESSAGE_ID_WITHHELD : MESSAGE_ID_DECISION;
    case EVENT_OUTCOME:
        return event->outcome.result == RESULT_FAILED ? MESSAGE_ID_FAILED : MESSAGE_ID_OUTCOME;
    case EVENT_CHANGE:
        return MESSAGE_ID_CHANGE;
    case EVENT_NOTICE:
        return event->priority <= LOG_WARNING ? MESSAGE_ID_DEGRADED : NULL;
    case EVENT_CONFIG:
        return event->priority <= LOG_WARNING ? MESSAGE_ID_CONFIG : NULL;
    default:
        return NULL;
    }
}

void journal_compose(const struct Event *event, struct JournalEntry *ret)
{
    char sentence[EVENT_SENTENCE_MAX];

    ret->n_fields = ret->length = 0;
    event_sentence(event, sentence, sizeof(sentence));
    if (event->tenant_id != 0)
        field(ret, "MESSAGE=%s: %s", event->tenant, sentence);
    else
        field(ret, "MESSAGE=%s", sentence);
    common_fields(ret, event->priority, journal_message_id(event));
    field(ret, "GUARDD_EVENT=%s", event_kind_name(event->kind));
    field(ret, "GUARDD_TIME_USEC=%" PRIu64, event->realtime_usec);
    field(ret, "GUARDD_SEQUENCE=%" PRIu64, event->sequence);
    if (event->tenant_id != 0)
        tenant_fields(ret, event);
    if (event->kind == EVENT_DECISION || event->kind == EVENT_OUTCOME)
        decision_fields(ret, &event->decision);
    if (event->kind == EVENT_OUTCOME)
        outcome_fields(ret, &event->outcome);
    if (event->kind == EVENT_DECISION)
        ground_fields(ret, &event->decision);
    if (event->kind == EVENT_CHANGE)
        author_fields(ret, event);
}

void journal_compose_lost(uint64_t lost, struct JournalEntry *ret)
{
    ret->n_fields = ret->length = 0;
    field(ret, "MESSAGE=%" PRIu64 " events are missing here: the journal did not take them in time", lost);
    common_fields(ret, LOG_WARNING, MESSAGE_ID_DEGRADED);
    field(ret, "GUARDD_EVENT=lost");
    field(ret, "GUARDD_LOST=%" PRIu64, lost);
}

int journal_send(const struct JournalEntry *entry)
{
    return sd_journal_sendv(entry->fields, (int)entry->n_fields);
}
