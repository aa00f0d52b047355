/* guardctl list: a row per tenant. */
#include "base/cleanup.h"
#include "ctl/client.h"
#include "ctl/reply.h"
#include "ctl/table.h"
#include "wire/text.h"

static void print_tenants(sd_json_variant *reply)
{
    static const struct Column columns[] = {
        {"NAME", COLUMN_TEXT},    {"CLASS", COLUMN_TEXT},      {"STATE", COLUMN_WORD},
        {"TASKS", COLUMN_NUMBER}, {"TASKSMAX", COLUMN_NUMBER},
    };
    struct Table table;
    sd_json_variant *tenant;
    char digits[REPLY_DIGITS_MAX];

    table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; (tenant = reply_item(reply, "tenants", i)); i++) {
        const char *state = reply_text_or(tenant, "state", "?");

        table_add(&table, reply_text_or(tenant, "name", "?"), STYLE_PLAIN);
        table_add(&table, reply_text_or(tenant, "class", "-"), STYLE_PLAIN);
        table_add(&table, state, state_style(state));
        table_add(&table, reply_digits(tenant, "tasksCurrent", "-", digits, sizeof(digits)), STYLE_PLAIN);
        table_add(&table, reply_digits(tenant, "tasksMax", "-", digits, sizeof(digits)), STYLE_PLAIN);
    }
    table_print(&table);
    table_done(&table);
}

enum Exit verb_list(const struct Options *options, char **arguments)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL, *reply = NULL;
    const char *class = arguments[0] ? arguments[0] : "";
    enum Exit exit;

    if (sd_json_buildo(&parameters, WIRE_PAIR_TEXT_IF_ANY("class", class)) < 0)
        have_memory(NULL);
    exit = client_call(options, "ListTenants", parameters, &reply);
    if (exit != EXIT_DONE)
        return exit;
    if (options->json)
        reply_print_pretty(reply);
    else
        print_tenants(reply);
    return EXIT_DONE;
}
