/* See network.h. How much passes now stands among the readings: a link has no more than the tenant's only
 * one. */
#include "ctl/network.h"

#include <stdio.h>
#include <unistd.h>

#include "ctl/amount.h"
#include "ctl/reply.h"
#include "ctl/table.h"

/* guardd reads them again after 200 ms. */
#define WAIT_USEC (300 * 1000)

bool network_lacks_rates(sd_json_variant *tenant)
{
    uint64_t links;
    int64_t bits;

    return reply_unsigned(tenant, "netLinks", &links) && links > 0 &&
           !reply_number(tenant, "netEgress", &bits);
}

void network_wait(void)
{
    usleep(WAIT_USEC);
}

static void print_links(sd_json_variant *network)
{
    static const struct Column columns[] = {
        {"LINK", COLUMN_WORD},          {"EGRESS MAX", COLUMN_NUMBER}, {"DROPPED", COLUMN_NUMBER},
        {"INGRESS MAX", COLUMN_NUMBER}, {"DROPPED", COLUMN_NUMBER},
    };
    static const struct {
        const char *key, *otherwise;
    } cells[] = {{"egressMax", "infinity"},
                 {"egressDropped", "-"},
                 {"ingressMax", "infinity"},
                 {"ingressDropped", "-"}};
    struct Table table;
    sd_json_variant *link;
    char amount[AMOUNT_MAX];

    table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; (link = reply_item(network, "links", i)); i++) {
        table_add(&table, reply_text_or(link, "name", "?"), STYLE_PLAIN);
        for (size_t k = 0; k < sizeof(cells) / sizeof(cells[0]); k++)
            table_add(&table,
                      k % 2 == 0
                          ? amount_bits(link, cells[k].key, cells[k].otherwise, amount, sizeof(amount))
                          : reply_digits(link, cells[k].key, cells[k].otherwise, amount, sizeof(amount)),
                      STYLE_PLAIN);
    }
    putchar('\n');
    table_print(&table);
    table_done(&table);
}

static void print_sharers(sd_json_variant *network)
{
    uint64_t sharers = 0;

    if (!reply_unsigned(network, "sharers", &sharers) || sharers == 0)
        return;
    fputs("Shares its links with ", stdout);
    print_text(reply_text_or(network, "sharer", "?"), STYLE_BOLD);
    if (sharers > 1)
        printf(" and %llu more", (unsigned long long)sharers - 1);
    puts(": they have one rate together, the lowest that is set");
}

void print_network(sd_json_variant *tenant)
{
    sd_json_variant *network = reply_object(tenant, "network");
    const char *unshaped = reply_text(network, "unshaped");
    uint64_t repaired = 0;

    if (!network)
        return;
    if (reply_item(network, "links", 0))
        print_links(network);
    print_sharers(network);
    if (unshaped) {
        fputs("\nNetwork not shaped: ", stdout);
        print_text(reply_text_or(tenant, "netUnshaped", "?"), STYLE_WARNING);
        fputs(": ", stdout);
        print_text(unshaped, STYLE_PLAIN);
        putchar('\n');
    }
    if (reply_unsigned(network, "repaired", &repaired) && repaired > 0)
        printf("Put back %llu times: somebody had taken away what keeps its rates\n",
               (unsigned long long)repaired);
}
