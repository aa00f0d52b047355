/* The journal's fields: each event has those that mean something for it, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "record/history.h"
#include "record/journal.h"

/* The value of a field, NULL when it is not there. Valid until the next call. */
static const char *value(const struct JournalEntry *entry, const char *name)
{
    static char buf[2048];
    size_t length = strlen(name);

    for (size_t i = 0; i < entry->n_fields; i++) {
        const char *text = entry->fields[i].iov_base;

        if (entry->fields[i].iov_len > length && strncmp(text, name, length) == 0 && text[length] == '=') {
            snprintf(buf, sizeof(buf), "%.*s", (int)(entry->fields[i].iov_len - length - 1),
                     text + length + 1);
            return buf;
        }
    }
    return NULL;
}

#define assert_field(entry, name, expected)                                                                  \
    do {                                                                                                     \
        const char *value_ = value(entry, name);                                                             \
        assert_non_null(value_);                                                                             \
        assert_string_equal(value_, expected);                                                               \
    } while (0)
#define assert_no_field(entry, name) assert_null(value(entry, name))

static struct Event frozen(void)
{
    struct Event event = {
        .sequence = 7,
        .kind = EVENT_OUTCOME,
        .priority = LOG_NOTICE,
        .tenant_id = 4711,
        .tenant = "docker/web",
        .class = "containers",
        .path = "system.slice/docker-1.scope",
        .decision = {.verb = VERB_FREEZE,
                     .cause = CAUSE_RULE,
                     .rule = "fork-bomb",
                     .uid = 1000,
                     .reason = "tasks.denied 12 > 0"},
        .outcome = {.result = RESULT_DONE, .took_usec = 1500},
    };

    return event;
}

static void an_outcome_has_all(void **state)
{
    struct JournalEntry entry;
    struct Event event = frozen();

    journal_compose(&event, &entry);
    assert_field(&entry, "MESSAGE_ID", MESSAGE_ID_OUTCOME);
    assert_field(&entry, "PRIORITY", "5");
    assert_field(&entry, "SYSLOG_IDENTIFIER", "guardd");
    assert_field(&entry, "GUARDD_EVENT", "outcome");
    assert_field(&entry, "GUARDD_TENANT", "docker/web");
    assert_field(&entry, "GUARDD_CLASS", "containers");
    assert_field(&entry, "GUARDD_CGROUP", "system.slice/docker-1.scope");
    assert_field(&entry, "GUARDD_CGROUP_ID", "4711");
    assert_field(&entry, "GUARDD_VERB", "freeze");
    assert_field(&entry, "GUARDD_CAUSE", "rule");
    assert_field(&entry, "GUARDD_RULE", "fork-bomb");
    assert_field(&entry, "GUARDD_REASON", "tasks.denied 12 > 0");
    assert_field(&entry, "GUARDD_RESULT", "done");
    assert_field(&entry, "GUARDD_TOOK_USEC", "1500");
    assert_no_field(&entry, "GUARDD_OPERATOR_UID");
    assert_no_field(&entry, "GUARDD_LIMIT");
    assert_no_field(&entry, "ERRNO");
    assert_non_null(strstr(value(&entry, "MESSAGE"), "docker/web: frozen"));
}

static void a_failure_has_its_errno(void **state)
{
    struct JournalEntry entry;
    struct Event event = frozen();

    event.outcome.result = RESULT_FAILED;
    event.outcome.error = -ETIMEDOUT;
    journal_compose(&event, &entry);
    assert_field(&entry, "MESSAGE_ID", MESSAGE_ID_FAILED);
    assert_field(&entry, "ERRNO", "110");
    assert_field(&entry, "GUARDD_RESULT", "failed");
}

static void a_decision_has_no_result(void **state)
{
    struct JournalEntry entry;
    struct Event event = frozen();

    event.kind = EVENT_DECISION;
    event.decision.cause = CAUSE_OPERATOR;
    event.decision.rule[0] = '\0';
    journal_compose(&event, &entry);
    assert_field(&entry, "MESSAGE_ID", MESSAGE_ID_DECISION);
    assert_field(&entry, "GUARDD_OPERATOR_UID", "1000");
    assert_no_field(&entry, "GUARDD_RULE");
    assert_no_field(&entry, "GUARDD_RESULT");
    assert_no_field(&entry, "GUARDD_TOOK_USEC");
}

static void a_limit_has_its_value(void **state)
{
    struct JournalEntry entry;
    struct Event event = frozen();

    event.decision.verb = VERB_LIMIT;
    event.decision.limit = LIMIT_TASKS_MAX;
    event.decision.value = 2048;
    journal_compose(&event, &entry);
    assert_field(&entry, "GUARDD_LIMIT", "TasksMax");
    assert_field(&entry, "GUARDD_VALUE", "2048");
    event.decision.value = LIMIT_INFINITY;
    journal_compose(&event, &entry);
    assert_field(&entry, "GUARDD_VALUE", "infinity");
}

static void what_is_withheld_is_explained_as_that(void **state)
{
    struct JournalEntry entry;
    struct Event event = frozen();

    event.kind = EVENT_DECISION;
    event.decision.verb = VERB_WARN;
    event.decision.withheld = true;
    journal_compose(&event, &entry);
    assert_field(&entry, "MESSAGE_ID", MESSAGE_ID_WITHHELD);
}

static void a_notice_of_the_host_has_no_tenant(void **state)
{
    struct JournalEntry entry;
    struct Event event = {.kind = EVENT_NOTICE, .priority = LOG_INFO, .text = "started"};

    journal_compose(&event, &entry);
    assert_field(&entry, "MESSAGE", "started");
    assert_field(&entry, "GUARDD_EVENT", "notice");
    assert_no_field(&entry, "MESSAGE_ID");
    assert_no_field(&entry, "GUARDD_TENANT");
    assert_no_field(&entry, "GUARDD_CGROUP_ID");
    assert_no_field(&entry, "GUARDD_VERB");
    event.priority = LOG_WARNING;
    journal_compose(&event, &entry);
    assert_field(&entry, "MESSAGE_ID", MESSAGE_ID_DEGRADED);
}

static void what_is_missing_is_said(void **state)
{
    struct JournalEntry entry;

    journal_compose_lost(42, &entry);
    assert_field(&entry, "GUARDD_LOST", "42");
    assert_field(&entry, "PRIORITY", "4");
    assert_non_null(strstr(value(&entry, "MESSAGE"), "42 events are missing"));
}

/* The longest event there can be loses nothing. */
static void the_longest_event_has_room(void **state)
{
    struct JournalEntry entry;
    struct Event event = frozen();

    memset(event.tenant, 't', sizeof(event.tenant) - 1);
    memset(event.class, 'c', sizeof(event.class) - 1);
    memset(event.path, 'p', sizeof(event.path) - 1);
    memset(event.decision.rule, 'r', sizeof(event.decision.rule) - 1);
    memset(event.decision.reason, 'w', sizeof(event.decision.reason) - 1);
    memset(event.outcome.text, 'o', sizeof(event.outcome.text) - 1);
    event.decision.verb = VERB_LIMIT;
    event.decision.cause = CAUSE_OPERATOR;
    event.decision.value = UINT64_MAX - 1;
    event.tenant_id = event.outcome.took_usec = UINT64_MAX;
    event.outcome.error = -EIO;
    journal_compose(&event, &entry);
    assert_int_equal(entry.n_fields, 19);
    assert_int_equal(strlen(value(&entry, "GUARDD_CGROUP")), sizeof(event.path) - 1);
    assert_field(&entry, "ERRNO", "5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_outcome_has_all),
        cmocka_unit_test(a_failure_has_its_errno),
        cmocka_unit_test(a_decision_has_no_result),
        cmocka_unit_test(a_limit_has_its_value),
        cmocka_unit_test(what_is_withheld_is_explained_as_that),
        cmocka_unit_test(a_notice_of_the_host_has_no_tenant),
        cmocka_unit_test(what_is_missing_is_said),
        cmocka_unit_test(the_longest_event_has_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
