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
        .realtime_usec = 1700000000000000,
        .kind = EVENT_OUTCOME,
        .priority = LOG_NOTICE,
        .tenant_id = 4711,
        .tenant = "docker/web",
        .class = "containers",
        .path = "system.slice/docker-1.scope",
        .decision = {.action = UINT64_C(0x5f3c09ab) << 32 | 17,
                     .verb = VERB_FREEZE,
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
    assert_field(&entry, "GUARDD_TIME_USEC", "1700000000000000");
    assert_field(&entry, "GUARDD_SEQUENCE", "7");
    assert_field(&entry, "GUARDD_ACTION", "5f3c09ab-17");
    assert_field(&entry, "GUARDD_VERB", "freeze");
    assert_field(&entry, "GUARDD_CAUSE", "rule");
    assert_field(&entry, "GUARDD_RULE", "fork-bomb");
    assert_field(&entry, "GUARDD_REASON", "tasks.denied 12 > 0");
    assert_field(&entry, "GUARDD_RESULT", "done");
    assert_field(&entry, "GUARDD_TOOK_USEC", "1500");
    assert_no_field(&entry, "GUARDD_OPERATOR_UID");
    assert_no_field(&entry, "GUARDD_LIMIT");
    assert_no_field(&entry, "ERRNO");
    assert_no_field(&entry, "GUARDD_RESULT_TEXT");
    assert_no_field(&entry, "GUARDD_WITHHELD");
    assert_no_field(&entry, "GUARDD_STEP");
    assert_non_null(strstr(value(&entry, "MESSAGE"), "docker/web: frozen"));
}

static void a_change_has_its_author(void **state)
{
    struct Event event = {.kind = EVENT_CHANGE,
                          .priority = LOG_NOTICE,
                          .tenant_id = 4711,
                          .tenant = "docker/web",
                          .author = {.uid = 1000,
                                     .pid = 42,
                                     .name = "alice",
                                     .command = "guardctl set docker/web TasksMax=300"},
                          .text = "set TasksMax=300"};
    struct JournalEntry entry;

    journal_compose(&event, &entry);
    assert_field(&entry, "MESSAGE", "docker/web: alice (uid 1000) asks: set TasksMax=300");
    assert_field(&entry, "MESSAGE_ID", MESSAGE_ID_CHANGE);
    assert_field(&entry, "GUARDD_EVENT", "change");
    assert_field(&entry, "GUARDD_REQUEST", "set TasksMax=300");
    assert_field(&entry, "GUARDD_OPERATOR", "alice");
    assert_field(&entry, "GUARDD_OPERATOR_UID", "1000");
    assert_field(&entry, "GUARDD_OPERATOR_PID", "42");
    assert_field(&entry, "GUARDD_OPERATOR_COMMAND", "guardctl set docker/web TasksMax=300");

    event.author = (struct Author){.uid = 1001};
    journal_compose(&event, &entry);
    assert_field(&entry, "MESSAGE", "docker/web: uid 1001 asks: set TasksMax=300");
    assert_no_field(&entry, "GUARDD_OPERATOR");
    assert_no_field(&entry, "GUARDD_OPERATOR_PID");
    assert_no_field(&entry, "GUARDD_OPERATOR_COMMAND");
}

/* The first step of a rule with Scope=host. */
static struct Event elected(void)
{
    struct Event event = frozen();
    struct Decision *decision = &event.decision;

    event.kind = EVENT_DECISION;
    decision->step = 2;
    decision->n_steps = 3;
    decision->begins = true;
    decision->when =
        (struct Evidence){.condition = {READING_HOST_DISK_FREE, COMPARISON_BELOW, 10, true, 5 * USEC_PER_SEC},
                          .known = true,
                          .value = 900,
                          .limit = 10000,
                          .series = {.n = 3, .value = {1200, 1000, 900}, .age_msec = {2000, 1000, 0}}};
    decision->until = (struct Evidence){.condition = {READING_DISK_GROWTH, COMPARISON_BELOW, 1024, false, 0},
                                        .limit = READING_UNLIMITED};
    decision->rivals =
        (struct Rivals){.any = true,
                        .rank = READING_DISK_GROWTH,
                        .value = 1 << 20,
                        .n = 3,
                        .more = 4,
                        .list = {{.name = "a;b", .known = true, .value = 5},
                                 {.name = "c", .known = true, .value = 4, .against = "protected"},
                                 {.name = "d", .against = "not known"}}};
    return event;
}

/* How often there is a field of that name. */
static size_t count(const struct JournalEntry *entry, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < entry->n_fields; i++)
        n += strncmp(entry->fields[i].iov_base, name, strlen(name)) == 0 &&
             ((const char *)entry->fields[i].iov_base)[strlen(name)] == '=';
    return n;
}

static void a_decision_of_a_rule_has_its_grounds(void **state)
{
    struct Event event = elected();
    struct JournalEntry entry;

    journal_compose(&event, &entry);
    assert_field(&entry, "GUARDD_STEP", "2");
    assert_field(&entry, "GUARDD_STEPS", "3");
    assert_field(&entry, "GUARDD_GROUND", "when");
    assert_field(&entry, "GUARDD_WHEN", "host.disk.free < 10% for 5s");
    assert_field(&entry, "GUARDD_WHEN_READING", "host.disk.free");
    assert_field(&entry, "GUARDD_WHEN_UNIT", "bytes");
    assert_field(&entry, "GUARDD_WHEN_VALUE", "900");
    assert_field(&entry, "GUARDD_WHEN_LIMIT", "10000");
    assert_field(&entry, "GUARDD_WHEN_THRESHOLD", "10%");
    assert_field(&entry, "GUARDD_WHEN_SERIES", "2000:1200 1000:1000 0:900");
    assert_field(&entry, "GUARDD_UNTIL_READING", "disk.growth");
    assert_field(&entry, "GUARDD_UNTIL_THRESHOLD", "1024");
    assert_no_field(&entry, "GUARDD_UNTIL_VALUE");
    assert_no_field(&entry, "GUARDD_UNTIL_LIMIT");
    assert_no_field(&entry, "GUARDD_UNTIL_SERIES");
    event.kind = EVENT_OUTCOME;
    journal_compose(&event, &entry);
    assert_no_field(&entry, "GUARDD_WHEN");
}

static void an_election_tells_who_was_passed_over(void **state)
{
    struct Event event = elected();
    struct JournalEntry entry;

    journal_compose(&event, &entry);
    assert_field(&entry, "GUARDD_RANK", "disk.growth");
    assert_field(&entry, "GUARDD_RANK_VALUE", "1048576");
    assert_int_equal(count(&entry, "GUARDD_PASSED_OVER"), 3);
    assert_field(&entry, "GUARDD_PASSED_OVER", "5;;a;b"); /* the first of them */
    assert_field(&entry, "GUARDD_PASSED_OVER_MORE", "4");
    event.decision.rivals.any = false;
    journal_compose(&event, &entry);
    assert_no_field(&entry, "GUARDD_RANK");
}

static void a_throttle_has_its_resource(void **state)
{
    struct Event event = frozen();
    struct JournalEntry entry;

    event.decision.verb = VERB_THROTTLE;
    event.decision.resource = RESOURCE_MEMORY;
    event.decision.percent = 95;
    snprintf(event.outcome.text, sizeof(event.outcome.text), "memory.high 95M");
    journal_compose(&event, &entry);
    assert_field(&entry, "GUARDD_RESOURCE", "memory");
    assert_field(&entry, "GUARDD_PERCENT", "95");
    assert_field(&entry, "GUARDD_RESULT_TEXT", "memory.high 95M");
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
    assert_field(&entry, "GUARDD_WITHHELD", "1");
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
    assert_int_equal(entry.n_fields, 23);
    assert_int_equal(strlen(value(&entry, "GUARDD_CGROUP")), sizeof(event.path) - 1);
    assert_field(&entry, "ERRNO", "5");
}

static void fill(struct Series *series)
{
    series->n = SERIES_MAX;
    for (size_t i = 0; i < SERIES_MAX; i++) {
        series->value[i] = INT64_MIN;
        series->age_msec[i] = UINT32_MAX;
    }
}

static void the_longest_grounds_have_room(void **state)
{
    struct Event event = elected();
    struct Decision *decision = &event.decision;
    struct JournalEntry entry;

    memset(event.tenant, 't', sizeof(event.tenant) - 1);
    memset(event.path, 'p', sizeof(event.path) - 1);
    memset(decision->reason, 'w', sizeof(decision->reason) - 1);
    decision->until = decision->when;
    fill(&decision->when.series);
    fill(&decision->until.series);
    decision->rivals.n = RIVALS_MAX;
    for (size_t i = 0; i < RIVALS_MAX; i++) {
        memset(decision->rivals.list[i].name, 'n', RIVAL_NAME_MAX - 1);
        decision->rivals.list[i].against = "ManagedOOMPreference=avoid";
    }
    journal_compose(&event, &entry);
    assert_int_equal(count(&entry, "GUARDD_PASSED_OVER"), RIVALS_MAX);
    assert_field(&entry, "GUARDD_PASSED_OVER_MORE", "4");
    assert_non_null(value(&entry, "GUARDD_UNTIL_SERIES"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_outcome_has_all),
        cmocka_unit_test(a_change_has_its_author),
        cmocka_unit_test(a_failure_has_its_errno),
        cmocka_unit_test(a_decision_has_no_result),
        cmocka_unit_test(a_limit_has_its_value),
        cmocka_unit_test(what_is_withheld_is_explained_as_that),
        cmocka_unit_test(a_notice_of_the_host_has_no_tenant),
        cmocka_unit_test(what_is_missing_is_said),
        cmocka_unit_test(the_longest_event_has_room),
        cmocka_unit_test(a_decision_of_a_rule_has_its_grounds),
        cmocka_unit_test(an_election_tells_who_was_passed_over),
        cmocka_unit_test(a_throttle_has_its_resource),
        cmocka_unit_test(the_longest_grounds_have_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
