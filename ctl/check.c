/* guardctl check: can this host be guarded, is the configuration right, does every file of a tenant count for
 * it? Of host and configuration guardd itself answers, started for nothing else: this must work where the
 * daemon cannot start, and judge as the daemon would. A tenant's files the running daemon walks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/size.h"
#include "build-config.h"
#include "ctl/amount.h"
#include "ctl/client.h"
#include "ctl/disk.h"
#include "ctl/reply.h"
#include "ctl/terminal.h"
#include "wire/text.h"

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)

/* A file that is there, or what only a file is called. */
static bool is_file(const char *argument)
{
    size_t length = strlen(argument);
    struct stat st;

    if (argument[0] == '/' || strncmp(argument, "./", 2) == 0 || strncmp(argument, "../", 3) == 0)
        return true;
    if (length >= 5 && strcmp(argument + length - 5, ".conf") == 0)
        return true;
    return stat(argument, &st) == 0 && !S_ISDIR(st.st_mode);
}

static enum Exit check_host(const struct Options *options, char **arguments, size_t n_arguments)
{
    const char *program = getenv("GUARDD_PROGRAM");
    _cleanup_free_ char **argv = NULL;
    size_t n = 0;

    if (!program || program[0] == '\0')
        program = GUARDD_PROGRAM;
    argv = calloc(n_arguments + 4, sizeof(*argv));
    if (!argv) {
        complain("out of memory");
        return EXIT_FAILED;
    }
    argv[n++] = (char *)program;
    argv[n++] = (char *)"--check";
    if (options->json)
        argv[n++] = (char *)"--json";
    memcpy(argv + n, arguments, n_arguments * sizeof(*argv));
    execv(program, argv);
    complain("cannot start %s: %s", program, strerror(errno));
    return EXIT_FAILED;
}

/* What the directories that count have in sum. */
struct Sum {
    uint64_t seen, changed, passed_over;
    bool unfinished; /* one of them is not tagged to its end */
};

static struct Sum sum_up(sd_json_variant *reply)
{
    sd_json_variant *directory;
    struct Sum sum = {};

    for (size_t i = 0; (directory = reply_item(reply, "directories", i)); i++) {
        uint64_t seen = 0, changed = 0, passed_over = 0;
        const char *state = reply_text_or(directory, "state", "?");

        if (strcmp(state, "out") == 0)
            continue;
        reply_unsigned(directory, "seen", &seen);
        reply_unsigned(directory, "changed", &changed);
        reply_unsigned(directory, "passedOver", &passed_over);
        sum.seen += seen;
        sum.changed += changed;
        sum.passed_over += passed_over;
        sum.unfinished |= strcmp(state, "counted") != 0;
    }
    return sum;
}

/* A sentence of its own behind the tenant's name. */
static void print_line(const char *tenant, const char *text, enum Style style)
{
    print_text(tenant, STYLE_BOLD);
    fputs(": ", stdout);
    print_text(text, style);
    putchar('\n');
}

static void print_verdict(sd_json_variant *reply, const char *tenant, bool repair)
{
    struct Sum sum = sum_up(reply);
    char text[512], n[AMOUNT_MAX], all[AMOUNT_MAX];

    if (sum.changed > 0 && repair)
        snprintf(text, sizeof(text), "%s of %s files did not count for it and do now",
                 size_format_count(sum.changed, n, sizeof(n)), size_format_count(sum.seen, all, sizeof(all)));
    else if (sum.changed > 0)
        snprintf(text, sizeof(text),
                 "%s of %s files do not count for it; 'guardctl check --repair %.256s' mends that",
                 size_format_count(sum.changed, n, sizeof(n)), size_format_count(sum.seen, all, sizeof(all)),
                 tenant);
    if (sum.changed > 0)
        print_line(tenant, text, repair ? STYLE_PLAIN : STYLE_WARNING);
    if (sum.passed_over > 0) {
        snprintf(text, sizeof(text),
                 "%s files were left as they are: they have names elsewhere, or belong to another project",
                 size_format_count(sum.passed_over, n, sizeof(n)));
        print_line(tenant, text, STYLE_WARNING);
    }
    if (sum.unfinished)
        print_line(tenant, "not all of it is tagged yet", STYLE_WARNING);
    if (reply_flag(reply, "clean")) {
        snprintf(text, sizeof(text), "every file counts for it (%s seen)",
                 size_format_count(sum.seen, n, sizeof(n)));
        print_line(tenant, text, STYLE_GOOD);
    }
}

static enum Exit check_tenant(const struct Options *options, const char *tenant)
{
    _cleanup_json_ sd_json_variant *parameters = NULL, *reply = NULL;
    const char *text;
    enum Exit exit;

    if (sd_json_buildo(&parameters, WIRE_PAIR_TEXT("tenant", tenant),
                       SD_JSON_BUILD_PAIR_BOOLEAN("repair", options->repair)) < 0)
        have_memory(NULL);
    exit = client_call_patiently(options, "CheckTenant", parameters, &reply);
    if (exit != EXIT_DONE)
        return exit;
    if (options->json) {
        reply_print_pretty(reply);
    } else {
        tenant = reply_text_or(reply, "name", tenant);
        print_directories(reply);
        print_verdict(reply, tenant, options->repair);
        text = reply_text(reply, "text");
        if (text)
            print_line(tenant, text, STYLE_PLAIN);
    }
    return reply_flag(reply, "clean") ? EXIT_DONE : EXIT_FAILED;
}

enum Exit verb_check(const struct Options *options, char **arguments)
{
    const char *tenant = NULL;
    size_t n = 0;

    for (; arguments[n]; n++)
        if (!is_file(arguments[n]))
            tenant = arguments[n];
    if (tenant && n > 1)
        complain("'%s' is no file, and a tenant is checked alone", tenant);
    else if (options->repair && !tenant)
        complain("--repair needs a tenant: guardctl check --repair TENANT");
    else
        return tenant ? check_tenant(options, tenant) : check_host(options, arguments, n);
    return EXIT_USAGE;
}
