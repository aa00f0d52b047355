/* See disk.h. Paths are long and reasons are sentences: neither is cut, so this is a list of its own kind,
 * with the path last on its line and the reason on the next. */
#include "ctl/disk.h"

#include <stdio.h>
#include <string.h>

#include "ctl/amount.h"
#include "ctl/reply.h"
#include "ctl/terminal.h"

#define STATE_WIDTH 7
#define KIND_WIDTH 7

static enum Style directory_style(const char *state)
{
    return strcmp(state, "counted") == 0 ? STYLE_GOOD : STYLE_WARNING;
}

static void print_indent(void)
{
    printf("%*s", STATE_WIDTH + KIND_WIDTH + 4, "");
}

/* A text of the wire in a column; longer ones push what follows. */
static void print_column(const char *text, int width, enum Style style)
{
    int length = (int)strlen(text);

    print_text(text, style);
    printf("%*s", (length < width ? width - length : 0) + 2, "");
}

/* "tagging: 12.3k seen, 4k tagged, 3 passed over" */
static void print_progress(sd_json_variant *directory, const char *state)
{
    char seen[AMOUNT_MAX], changed[AMOUNT_MAX], passed[AMOUNT_MAX];
    uint64_t n_passed = 0;
    bool tagging = strcmp(state, "tagging") == 0;

    reply_unsigned(directory, "passedOver", &n_passed);
    if (!tagging && n_passed == 0)
        return;
    print_indent();
    if (tagging)
        printf("tagging: %s seen, %s tagged", amount_files(directory, "seen", "?", seen, sizeof(seen)),
               amount_files(directory, "changed", "?", changed, sizeof(changed)));
    if (n_passed > 0)
        printf("%s%s passed over", tagging ? ", " : "",
               amount_files(directory, "passedOver", "?", passed, sizeof(passed)));
    putchar('\n');
}

static void print_directory(sd_json_variant *directory)
{
    const char *state = reply_text_or(directory, "state", "?"), *why = reply_text(directory, "why");

    print_column(state, STATE_WIDTH, directory_style(state));
    print_column(reply_text_or(directory, "kind", "?"), KIND_WIDTH, STYLE_PLAIN);
    print_text(reply_text_or(directory, "path", "?"), STYLE_PLAIN);
    putchar('\n');
    if (why) {
        print_indent();
        print_text(why, STYLE_WARNING);
        putchar('\n');
    }
    print_progress(directory, state);
}

void print_directories(sd_json_variant *object)
{
    sd_json_variant *directory;

    for (size_t i = 0; (directory = reply_item(object, "directories", i)); i++) {
        if (i == 0) {
            print_column("ON DISK", STATE_WIDTH, STYLE_BOLD);
            print_column("KIND", KIND_WIDTH, STYLE_BOLD);
            print_text("DIRECTORY", STYLE_BOLD);
            putchar('\n');
        }
        print_directory(directory);
    }
}

/* "8.24G of 10G (82%)", "8.24G without a limit" */
static void print_used(const char *used, const char *limit, const char *percent)
{
    if (limit)
        printf("%s of %s (%s)", used, limit, percent);
    else
        printf("%s without a limit", used);
}

static void print_share(sd_json_variant *share)
{
    char a[AMOUNT_MAX], b[AMOUNT_MAX], c[AMOUNT_MAX], digits[REPLY_DIGITS_MAX];
    const char *used = amount_bytes(share, "diskUsed", NULL, a, sizeof(a)), *room;

    fputs("Filesystem ", stdout);
    print_text(reply_text_or(share, "where", "?"), STYLE_BOLD);
    printf(": project %s\n  ", reply_digits(share, "project", "?", digits, sizeof(digits)));
    if (used) {
        print_used(used, amount_bytes(share, "diskMax", NULL, b, sizeof(b)),
                   amount_percent(share, "diskUsed", "diskMax", c, sizeof(c)));
        fputs(", files ", stdout);
        print_used(amount_files(share, "inodesUsed", "?", a, sizeof(a)),
                   amount_files(share, "inodesMax", NULL, b, sizeof(b)),
                   amount_percent(share, "inodesUsed", "inodesMax", c, sizeof(c)));
    } else
        print_text("what it uses there could not be read", STYLE_WARNING);
    putchar('\n');
    room = amount_bytes(share, "diskFree", NULL, a, sizeof(a));
    if (room)
        printf("  the filesystem has %s of %s left\n", room,
               amount_bytes(share, "diskSize", "?", b, sizeof(b)));
}

void print_shares(sd_json_variant *object)
{
    sd_json_variant *share;

    for (size_t i = 0; (share = reply_item(object, "shares", i)); i++) {
        putchar('\n');
        print_share(share);
    }
}
