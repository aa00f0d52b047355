/* guardctl show: one tenant, and why it is as it is. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/usec.h"
#include "ctl/amount.h"
#include "ctl/client.h"
#include "ctl/clock.h"
#include "ctl/disk.h"
#include "ctl/exempt.h"
#include "ctl/network.h"
#include "ctl/override.h"
#include "ctl/reply.h"
#include "ctl/table.h"
#include "model/limit.h"

/* The elements of a list of texts, with commas between; nothing for an empty one. */
static void print_joined(const char *label, sd_json_variant *object, const char *key)
{
    _cleanup_free_ char *joined = have_memory(strdup(""));
    sd_json_variant *item;

    for (size_t i = 0; (item = reply_item(object, key, i)); i++) {
        char *longer = NULL;

        if (asprintf(&longer, "%s%s%s", joined, i > 0 ? ", " : "", sd_json_variant_string(item)) < 0)
            longer = NULL;
        free(joined);
        joined = NULL;
        joined = have_memory(longer);
    }
    if (joined[0] != '\0')
        print_field(label, joined);
}

/* "cpu: cpu.max 50000 100000, found max 100000" */
static void print_throttles(sd_json_variant *tenant)
{
    sd_json_variant *throttle;

    for (size_t i = 0; (throttle = reply_item(tenant, "throttles", i)); i++) {
        char text[512];

        snprintf(text, sizeof(text), "%s: %s %s, found %s", reply_text_or(throttle, "resource", "?"),
                 reply_text_or(throttle, "file", "?"), reply_text_or(throttle, "value", "?"),
                 reply_text_or(throttle, "found", "?"));
        print_field_styled("Throttled", text, STYLE_WARNING);
        print_joined("Throttled by", throttle, "by");
    }
}

static void print_identity(sd_json_variant *tenant)
{
    const char *state = reply_text_or(tenant, "state", "?");
    sd_json_variant *under_way = reply_object(tenant, "underWay");
    char id[REPLY_DIGITS_MAX], guarded[USEC_FORMAT_MAX], exempt[EXEMPTION_TEXT_MAX];

    print_text(reply_text_or(tenant, "name", "?"), STYLE_BOLD);
    putchar('\n');
    print_field_styled("State", state, state_style(state));
    print_joined("Frozen by", tenant, "frozenBy");
    print_throttles(tenant);
    if (under_way)
        print_field("Under way", reply_text(under_way, "verb"));
    if (under_way)
        print_field("Because", reply_text(under_way, "reason"));
    print_field("Class", reply_text_or(tenant, "class", "none any more"));
    print_field("Protected by", reply_text(tenant, "protectedBy"));
    if (reply_flag(tenant, "untouchable"))
        print_field("Untouchable", "it gets no limits either");
    if (reply_flag(tenant, "released"))
        print_field("Released", "left alone until a reload");
    print_field("Exempt", exemption_text(tenant, exempt, sizeof(exempt)));
    print_field("Cgroup", reply_text(tenant, "path"));
    print_field("Cgroup id", reply_digits(tenant, "cgroupId", NULL, id, sizeof(id)));
    print_field("Unit", reply_text(tenant, "unit"));
    print_field("Container id", reply_text(tenant, "containerId"));
    print_field("Guarded for", reply_duration(tenant, "guardedUsec", guarded, sizeof(guarded)));
}

/* Sentences, which a column would cut. */
static void print_limit_notes(sd_json_variant *tenant)
{
    sd_json_variant *limit;

    for (size_t i = 0; (limit = reply_item(tenant, "limits", i)); i++) {
        const char *waiting =
            reply_flag(limit, "waiting") ? "the service manager has not answered yet" : NULL;
        const char *note = reply_text_or(limit, "note", waiting);

        if (!note)
            continue;
        print_text(reply_text_or(limit, "name", "?"), STYLE_PLAIN);
        fputs(": ", stdout);
        print_text(note, STYLE_WARNING);
        putchar('\n');
    }
}

/* Nobody wants to read of each limit that there could be that it is not there: those of memory, CPU and I/O
 * are shown when somebody has set them, or asks for them. */
static bool is_worth_a_row(sd_json_variant *limit)
{
    enum LimitId id = limit_from_directive(reply_text_or(limit, "name", ""));
    uint64_t value = LIMIT_INFINITY;

    if (id == LIMIT_INVALID || id == LIMIT_TASKS_MAX || limit_is_quota(id))
        return true;
    if (reply_object(limit, "asked") || reply_object(limit, "override") || reply_object(limit, "found") ||
        reply_text(limit, "note"))
        return true;
    return reply_unsigned(reply_object(limit, "inForce"), "value", &value) && value != limit_default(id);
}

/* Where the value in force comes from; who it was of the operators stands below the table. */
static const char *origin_text(sd_json_variant *tenant, sd_json_variant *limit, char *buf, size_t size)
{
    const char *origin = reply_text_or(limit, "origin", "-");

    if (strcmp(origin, "class") != 0)
        return strcmp(origin, "kernel") == 0 ? "the kernel" : origin;
    snprintf(buf, size, "class %s", reply_text_or(tenant, "class", "?"));
    return buf;
}

static void print_limits(sd_json_variant *tenant)
{
    static const struct Column columns[] = {
        {"LIMIT", COLUMN_WORD},        {"IN FORCE", COLUMN_NUMBER},     {"SET TO", COLUMN_NUMBER},
        {"CLASS ASKS", COLUMN_NUMBER}, {"FOUND BEFORE", COLUMN_NUMBER}, {"FROM", COLUMN_WORD},
    };
    static const char *const keys[] = {"inForce", "override", "asked", "found"};
    struct Table table;
    sd_json_variant *limit;
    char amount[AMOUNT_MAX], origin[128];

    table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; (limit = reply_item(tenant, "limits", i)); i++) {
        if (!is_worth_a_row(limit))
            continue;
        table_add(&table, reply_text_or(limit, "name", "?"), STYLE_PLAIN);
        for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
            table_add(&table, amount_limit(limit, keys[k], "-", amount, sizeof(amount)), STYLE_PLAIN);
        table_add(&table, origin_text(tenant, limit, origin, sizeof(origin)), STYLE_PLAIN);
    }
    putchar('\n');
    table_print(&table);
    table_done(&table);
    print_limit_notes(tenant);
}

static void print_readings(sd_json_variant *tenant)
{
    static const struct Column columns[] = {
        {"READING", COLUMN_WORD},
        {"VALUE", COLUMN_NUMBER},
        {"OF LIMIT", COLUMN_NUMBER},
        {"MEANING", COLUMN_TEXT},
    };
    struct Table table;
    sd_json_variant *reading;

    table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; (reading = reply_item(tenant, "readings", i)); i++) {
        char value[AMOUNT_MAX], percent[AMOUNT_MAX];

        table_add(&table, reply_text_or(reading, "name", "?"), STYLE_PLAIN);
        table_add(&table, amount_reading(reading, "-", value, sizeof(value)), STYLE_PLAIN);
        table_add(&table, amount_percent(reading, "value", "limit", percent, sizeof(percent)), STYLE_PLAIN);
        table_add(&table, reply_text_or(reading, "meaning", ""), STYLE_DIM);
    }
    putchar('\n');
    table_print(&table);
    table_done(&table);
}

/* "standing: freeze for 2s, then kill in 3s" */
static void print_phase(sd_json_variant *rule)
{
    const char *phase = reply_text_or(rule, "phase", "?"), *step = reply_text(rule, "step");
    const char *next = reply_text(rule, "nextStep"), *duration;
    char buf[USEC_FORMAT_MAX];

    print_text(phase, strcmp(phase, "idle") == 0 ? STYLE_PLAIN : STYLE_WARNING);
    if (step) {
        fputs(": ", stdout);
        print_text(step, STYLE_BOLD);
        duration = reply_duration(rule, "stepUsec", buf, sizeof(buf));
        if (duration)
            printf(" for %s", duration);
    }
    if (reply_flag(rule, "stepFailed"))
        fputs(", which did not take", stdout);
    if (reply_flag(rule, "withheld"))
        fputs(", a kill is held back", stdout);
    duration = reply_duration(rule, "nextStepUsec", buf, sizeof(buf));
    if (next && duration) {
        fputs(", then ", stdout);
        print_text(next, STYLE_BOLD);
        printf(" in %s", duration);
    }
    putchar('\n');
}

static void print_condition(const char *label, sd_json_variant *rule, const char *key, const char *held_key)
{
    char buf[USEC_FORMAT_MAX], text[512];
    const char *held = reply_duration(rule, held_key, buf, sizeof(buf));

    snprintf(text, sizeof(text), "%s%s%s%s", reply_text_or(rule, key, "?"), held ? " (has held for " : "",
             held ? held : "", held ? ")" : "");
    print_field(label, text);
}

static void print_rules(sd_json_variant *tenant)
{
    char repeats[REPLY_DIGITS_MAX];
    sd_json_variant *rule;

    for (size_t i = 0; (rule = reply_item(tenant, "rules", i)); i++) {
        fputs("\nRule ", stdout);
        print_text(reply_text_or(rule, "name", "?"), STYLE_BOLD);
        fputs(": ", stdout);
        print_phase(rule);
        print_condition("When", rule, "when", "heldUsec");
        print_condition("Until", rule, "until", "untilHeldUsec");
        print_joined("Steps", rule, "steps");
        if (strcmp(reply_digits(rule, "repeats", "0", repeats, sizeof(repeats)), "0") != 0)
            print_field("Done before", repeats);
    }
}

static void print_disk(sd_json_variant *tenant)
{
    const char *unguarded = reply_text(tenant, "diskUnguarded");

    if (unguarded) {
        fputs("\nNot guarded on disk: ", stdout);
        print_text(unguarded, STYLE_WARNING);
        putchar('\n');
    }
    if (reply_item(tenant, "directories", 0))
        putchar('\n');
    print_directories(tenant);
    print_shares(tenant);
}

static void print_events(sd_json_variant *reply)
{
    sd_json_variant *event;

    for (size_t i = 0; (event = reply_item(reply, "events", i)); i++) {
        char date[CLOCK_TEXT_MAX];
        int64_t at = 0;

        if (i == 0)
            puts("\nLast events:");
        reply_number(event, "realtimeUsec", &at);
        printf("  %s  ", clock_date(at, date, sizeof(date)));
        print_text(reply_text_or(event, "sentence", "?"), STYLE_PLAIN);
        putchar('\n');
    }
}

static enum Exit ask(const struct Options *options, const char *tenant, sd_json_variant **ret_reply)
{
    enum Exit exit = client_call_tenant(options, "ShowTenant", tenant, ret_reply);

    if (exit != EXIT_DONE || !network_lacks_rates(reply_object(*ret_reply, "details")))
        return exit;
    *ret_reply = sd_json_variant_unref(*ret_reply);
    network_wait();
    return client_call_tenant(options, "ShowTenant", tenant, ret_reply);
}

enum Exit verb_show(const struct Options *options, char **arguments)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
    enum Exit exit = ask(options, arguments[0], &reply);
    sd_json_variant *tenant;

    if (exit != EXIT_DONE)
        return exit;
    if (options->json) {
        reply_print_pretty(reply);
        return EXIT_DONE;
    }
    tenant = reply_object(reply, "details");
    print_identity(tenant);
    print_limits(tenant);
    print_overrides(reply);
    print_readings(tenant);
    print_disk(tenant);
    print_network(tenant);
    print_rules(tenant);
    print_events(reply);
    return EXIT_DONE;
}
