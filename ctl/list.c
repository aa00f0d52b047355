/* guardctl list: a row per tenant, compact enough for a terminal of 80 columns. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/usec.h"
#include "ctl/amount.h"
#include "ctl/client.h"
#include "ctl/exempt.h"
#include "ctl/network.h"
#include "ctl/reply.h"
#include "ctl/table.h"
#include "wire/text.h"

#define REASONS_MAX 5 /* said under the table */

/* "37/2048", "37" when there is no limit, "-" when it is not known */
static void add_tasks(struct Table *table, sd_json_variant *tenant)
{
    char digits[REPLY_DIGITS_MAX], limit[REPLY_DIGITS_MAX], text[2 * REPLY_DIGITS_MAX];
    const char *max = reply_digits(tenant, "tasksMax", NULL, limit, sizeof(limit));

    snprintf(text, sizeof(text), "%s%s%s", reply_digits(tenant, "tasksCurrent", "-", digits, sizeof(digits)),
             max ? "/" : "", max ? max : "");
    table_add(table, text, STYLE_PLAIN);
}

static enum Style fullness_style(sd_json_variant *tenant, const char *used_key, const char *limit_key)
{
    int64_t used, limit;

    if (!reply_number(tenant, used_key, &used) || !reply_number(tenant, limit_key, &limit))
        return STYLE_PLAIN;
    if (used >= limit)
        return STYLE_BAD;
    return (double)used >= (double)limit * 0.8 ? STYLE_WARNING : STYLE_PLAIN;
}

/* "390M/512M" */
static void add_memory(struct Table *table, sd_json_variant *tenant)
{
    char used[AMOUNT_MAX], limit[AMOUNT_MAX], text[2 * AMOUNT_MAX];
    const char *max = amount_bytes(tenant, "memoryMax", NULL, limit, sizeof(limit));

    snprintf(text, sizeof(text), "%s%s%s", amount_bytes(tenant, "memoryUsed", "-", used, sizeof(used)),
             max ? "/" : "", max ? max : "");
    table_add(table, text, fullness_style(tenant, "memoryUsed", "memoryMax"));
}

/* "8.24G/10G 82%" */
static void add_disk(struct Table *table, sd_json_variant *tenant)
{
    char used[AMOUNT_MAX], limit[AMOUNT_MAX], percent[AMOUNT_MAX], text[3 * AMOUNT_MAX];
    const char *max = amount_bytes(tenant, "diskMax", NULL, limit, sizeof(limit));
    const char *part = amount_percent(tenant, "diskUsed", "diskMax", percent, sizeof(percent));

    snprintf(text, sizeof(text), "%s%s%s%s%s", amount_bytes(tenant, "diskUsed", "-", used, sizeof(used)),
             max ? "/" : "", max ? max : "", part[0] != '\0' ? " " : "", part);
    table_add(table, text, fullness_style(tenant, "diskUsed", "diskMax"));
}

/* "12.3k/200k" */
static void add_inodes(struct Table *table, sd_json_variant *tenant)
{
    char used[AMOUNT_MAX], limit[AMOUNT_MAX], text[2 * AMOUNT_MAX];
    const char *max = amount_files(tenant, "inodesMax", NULL, limit, sizeof(limit));

    snprintf(text, sizeof(text), "%s%s%s", amount_files(tenant, "inodesUsed", "-", used, sizeof(used)),
             max ? "/" : "", max ? max : "");
    table_add(table, text, fullness_style(tenant, "inodesUsed", "inodesMax"));
}

/* "9.8M/10M", bits per second; "-" also where nothing can be known: host-network */
static void add_rate(struct Table *table, sd_json_variant *tenant, const char *key, const char *limit_key)
{
    char used[AMOUNT_MAX], limit[AMOUNT_MAX], text[2 * AMOUNT_MAX];
    const char *max = amount_files(tenant, limit_key, NULL, limit, sizeof(limit));

    snprintf(text, sizeof(text), "%s%s%s", amount_files(tenant, key, "-", used, sizeof(used)), max ? "/" : "",
             max ? max : "");
    table_add(table, text, STYLE_PLAIN);
}

static bool has_network(sd_json_variant *reply)
{
    sd_json_variant *tenant;
    int64_t bits;

    for (size_t i = 0; (tenant = reply_item(reply, "tenants", i)); i++)
        if (reply_number(tenant, "netEgress", &bits) || reply_number(tenant, "netEgressMax", &bits) ||
            reply_number(tenant, "netIngressMax", &bits))
            return true;
    return false;
}

/* "exempt 58min" */
static void add_state(struct Table *table, sd_json_variant *tenant)
{
    const char *state = reply_text_or(tenant, "state", "?");
    char left[USEC_FORMAT_MAX], text[64 + USEC_FORMAT_MAX];
    bool exempt = strcmp(state, "exempt") == 0 && exemption_left(tenant, left, sizeof(left));

    snprintf(text, sizeof(text), "%.63s%s%s", state, exempt ? " " : "", exempt ? left : "");
    table_add(table, text, state_style(state));
}

static void print_tenants(sd_json_variant *reply)
{
    static const struct Column columns[] = {
        {"NAME", COLUMN_TEXT},     {"CLASS", COLUMN_TEXT},    {"STATE", COLUMN_WORD},
        {"TASKS", COLUMN_NUMBER},  {"MEMORY", COLUMN_NUMBER}, {"DISK", COLUMN_NUMBER},
        {"INODES", COLUMN_NUMBER}, {"SENDS", COLUMN_NUMBER},  {"GETS", COLUMN_NUMBER},
    };
    static const size_t spare[] = {6, 1}; /* INODES, CLASS */
    bool network = has_network(reply);
    struct Table table;
    sd_json_variant *tenant;

    table_init(&table, columns, sizeof(columns) / sizeof(columns[0]) - (network ? 0 : 2));
    table_may_leave_out(&table, spare, sizeof(spare) / sizeof(spare[0]));
    for (size_t i = 0; (tenant = reply_item(reply, "tenants", i)); i++) {
        table_add(&table, reply_text_or(tenant, "name", "?"), STYLE_PLAIN);
        table_add(&table, reply_text_or(tenant, "class", "-"), STYLE_PLAIN);
        add_state(&table, tenant);
        add_tasks(&table, tenant);
        add_memory(&table, tenant);
        add_disk(&table, tenant);
        add_inodes(&table, tenant);
        if (network)
            add_rate(&table, tenant, "netEgress", "netEgressMax");
        if (network)
            add_rate(&table, tenant, "netIngress", "netIngressMax");
    }
    table_print(&table);
    table_done(&table);
}

/* How many tenants from `first` on have the same reason as that one; 0 when one before it has. */
static size_t count_same(sd_json_variant *reply, size_t first, const char *reason)
{
    sd_json_variant *tenant;
    size_t n = 0;

    for (size_t i = 0; (tenant = reply_item(reply, "tenants", i)); i++) {
        if (strcmp(reply_text_or(tenant, "diskUnguarded", ""), reason) != 0)
            continue;
        if (i < first)
            return 0;
        n++;
    }
    return n;
}

/* Each reason once, with how many it holds for. */
static void print_unguarded(sd_json_variant *reply)
{
    sd_json_variant *tenant;
    size_t reasons = 0;

    for (size_t i = 0; (tenant = reply_item(reply, "tenants", i)); i++) {
        const char *reason = reply_text(tenant, "diskUnguarded");
        size_t n = reason ? count_same(reply, i, reason) : 0;

        if (n == 0)
            continue;
        if (reasons++ == 0)
            putchar('\n');
        if (reasons > REASONS_MAX) {
            puts("More are not guarded on disk for other reasons: 'guardctl show TENANT' says why.");
            return;
        }
        printf(n == 1 ? "%zu tenant is not guarded on disk: " : "%zu tenants are not guarded on disk: ", n);
        print_text(reason, STYLE_WARNING);
        putchar('\n');
    }
}

static void print_answer(sd_json_variant *reply)
{
    print_tenants(reply);
    print_unguarded(reply);
}

static bool lacks_rates(sd_json_variant *reply)
{
    sd_json_variant *tenant;

    for (size_t i = 0; (tenant = reply_item(reply, "tenants", i)); i++)
        if (network_lacks_rates(tenant))
            return true;
    return false;
}

static enum Exit ask(const struct Options *options, const char *class, sd_json_variant **ret_reply)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL;
    enum Exit exit;

    if (sd_json_buildo(&parameters, WIRE_PAIR_TEXT_IF_ANY("class", class)) < 0)
        have_memory(NULL);
    exit = client_call(options, "ListTenants", parameters, ret_reply);
    if (exit != EXIT_DONE || !lacks_rates(*ret_reply))
        return exit;
    *ret_reply = sd_json_variant_unref(*ret_reply);
    network_wait();
    return client_call(options, "ListTenants", parameters, ret_reply);
}

enum Exit verb_list(const struct Options *options, char **arguments)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
    enum Exit exit = ask(options, arguments[0] ? arguments[0] : "", &reply);

    if (exit != EXIT_DONE)
        return exit;
    if (options->json)
        reply_print_pretty(reply);
    else
        print_answer(reply);
    return EXIT_DONE;
}
