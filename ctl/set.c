/* guardctl set, reset: limits of a tenant while it runs. What was before is asked for first, so that the
 * answer can tell what has changed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/usec.h"
#include "ctl/amount.h"
#include "ctl/client.h"
#include "ctl/override.h"
#include "ctl/reply.h"
#include "ctl/terminal.h"
#include "model/limit.h"
#include "wire/text.h"

#define SPAN_MAX_USEC (10 * 366 * 24 * USEC_PER_HOUR)

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)

/* KEY=VALUE into the list of settings; false: complained about. Which keys and values there are guardd
 * knows. */
static bool add_setting(const char *word, sd_json_variant **settings)
{
    const char *equals = strchr(word, '=');
    _cleanup_free_ char *key = NULL;

    if (!equals)
        complain("'%s' has no value; a limit is set as KEY=VALUE: DiskSpaceMax=20G", word);
    else if (equals == word)
        complain("'%s' names no limit; a limit is set as KEY=VALUE: DiskSpaceMax=20G", word);
    else if (equals[1] == '\0')
        complain("'%s' has no value; '%sinfinity' takes the limit off, and 'guardctl reset' gives back the "
                 "class's",
                 word, word);
    if (!equals || equals == word || equals[1] == '\0')
        return false;
    key = have_memory(strndup(word, (size_t)(equals - word)));
    if (sd_json_variant_append_arraybo(settings, WIRE_PAIR_TEXT("name", key),
                                       WIRE_PAIR_TEXT("value", equals + 1)) < 0)
        have_memory(NULL);
    return true;
}

static sd_json_variant *limit_named(sd_json_variant *object, const char *name)
{
    sd_json_variant *limit;

    for (size_t i = 0; (limit = reply_item(object, "limits", i)); i++)
        if (strcmp(reply_text_or(limit, "name", ""), name) == 0)
            return limit;
    return NULL;
}

/* ", uses 8.24G, 41%" and what follows from it */
static void print_use(sd_json_variant *limit)
{
    char buf[AMOUNT_MAX];
    const char *text = amount_limit_used(limit, NULL, buf, sizeof(buf));
    enum LimitId id = limit_from_directive(reply_text_or(limit, "name", ""));
    uint64_t used = 0, value = 0;

    if (!text)
        return;
    printf(", uses %s", text);
    if (!reply_unsigned(reply_object(limit, "inForce"), "value", &value))
        return;
    reply_unsigned(limit, "used", &used);
    if (value > 0)
        printf(", %.0f%%", (double)(uint64_t)(100.0 * (double)used / (double)value));
    if (used > value) {
        fputs(", ", stdout);
        print_text(id == LIMIT_MEMORY_HIGH ? "below the present use: it is slowed down until it fits"
                   : id == LIMIT_MEMORY_MAX
                       ? "below the present use: it is killed unless it can be made to fit"
                       : "below the present use: it cannot grow",
                   STYLE_WARNING);
    }
}

/* "docker/web: DiskSpaceMax=20G (was 10G), uses 8.24G, 41%, until 2025-06-01 14:03:12 (2h left)" */
static void print_limit(const char *tenant, sd_json_variant *limit, sd_json_variant *before,
                        sd_json_variant *override)
{
    const char *name = reply_text_or(limit, "name", "?"), *note = reply_text(limit, "note");
    char now_buf[AMOUNT_MAX], old_buf[AMOUNT_MAX], asked_buf[AMOUNT_MAX];
    const char *now = amount_limit(limit, "inForce", NULL, now_buf, sizeof(now_buf));
    const char *old = before ? amount_limit(before, "inForce", NULL, old_buf, sizeof(old_buf)) : NULL;
    const char *asked = amount_limit(limit, "override", NULL, asked_buf, sizeof(asked_buf));

    print_text(tenant, STYLE_BOLD);
    fputs(": ", stdout);
    print_text(name, STYLE_PLAIN);
    if (now)
        printf("=%s", now);
    else
        fputs(" is not known to be in force", stdout);
    if (now && old && strcmp(now, old) != 0)
        printf(" (was %s)", old);
    if (asked && (!now || strcmp(now, asked) != 0))
        printf(", %s is asked for", asked);
    print_use(limit);
    if (override)
        print_override_end(override);
    if (note) {
        fputs("; ", stdout);
        print_text(note, STYLE_WARNING);
    }
    putchar('\n');
}

static void print_remark(sd_json_variant *reply, const char *tenant)
{
    const char *text = reply_text(reply, "text");

    if (!text)
        return;
    print_text(tenant, STYLE_BOLD);
    fputs(": ", stdout);
    print_text(text, STYLE_PLAIN);
    putchar('\n');
}

static bool is_named(const char *name, sd_json_variant *names)
{
    for (size_t i = 0; names && i < sd_json_variant_elements(names); i++) {
        sd_json_variant *item = sd_json_variant_by_index(names, i);
        const char *text =
            sd_json_variant_is_string(item) ? sd_json_variant_string(item) : reply_text_or(item, "name", "");

        if (strcmp(text, name) == 0)
            return true;
    }
    return false;
}

/* The limits that were named; with no names those that an override was taken off. Returns how many. */
static size_t print_limits(sd_json_variant *reply, sd_json_variant *details, sd_json_variant *names)
{
    const char *tenant = reply_text_or(reply, "name", "?");
    sd_json_variant *limit;
    size_t n = 0;

    for (size_t i = 0; (limit = reply_item(reply, "limits", i)); i++) {
        const char *name = reply_text_or(limit, "name", "?");
        sd_json_variant *before = limit_named(details, name);
        bool meant = names ? is_named(name, names) : before && reply_object(before, "override");

        if (meant)
            print_limit(tenant, limit, before, override_of(reply, name));
        n += meant;
    }
    return n;
}

/* `names`: strings or settings; NULL for all. */
static enum Exit change(const struct Options *options, const char *method, const char *tenant,
                        sd_json_variant *parameters, sd_json_variant *names)
{
    _cleanup_json_ sd_json_variant *shown = NULL, *reply = NULL;
    enum Exit exit = options->json ? EXIT_DONE : client_call_tenant(options, "ShowTenant", tenant, &shown);

    if (exit == EXIT_DONE)
        exit = client_call(options, method, parameters, &reply);
    if (exit != EXIT_DONE)
        return exit;
    if (options->json) {
        reply_print_pretty(reply);
        return EXIT_DONE;
    }
    if (print_limits(reply, reply_object(shown, "details"), names) == 0 && !reply_text(reply, "text")) {
        print_text(reply_text_or(reply, "name", tenant), STYLE_BOLD);
        puts(": no operator had set a limit of it");
    }
    print_remark(reply, reply_text_or(reply, "name", tenant));
    return EXIT_DONE;
}

/* Longer is for good. */
static bool take_span(const char *text, usec_t *ret_usec)
{
    *ret_usec = 0;
    if (!text)
        return true;
    if (usec_parse(text, ret_usec) >= 0 && *ret_usec >= USEC_PER_SEC && *ret_usec <= SPAN_MAX_USEC)
        return true;
    complain("--for=%s is no span of time between a second and ten years: 2h, 30min, '1h 30min'", text);
    return false;
}

/* Digits; the version of a tenant of whom nothing was ever changed is 0. */
static bool take_version(const char *text, uint64_t *ret_version)
{
    char *end = NULL;

    *ret_version = 0;
    if (!text)
        return true;
    errno = 0;
    *ret_version = strtoull(text, &end, 10);
    if (errno == 0 && strspn(text, "0123456789") == strlen(text) && end != text && *ret_version <= INT64_MAX)
        return true;
    complain("--if-version=%s is no version; 'guardctl show' says the present one", text);
    return false;
}

enum Exit verb_set(const struct Options *options, char **arguments)
{
    _cleanup_json_ sd_json_variant *settings = NULL, *parameters = NULL;
    uint64_t version;
    usec_t span;

    if (!take_span(options->span, &span) || !take_version(options->if_version, &version))
        return EXIT_USAGE;
    for (char **word = arguments + 1; *word; word++)
        if (!add_setting(*word, &settings))
            return EXIT_USAGE;
    if (sd_json_buildo(&parameters, WIRE_PAIR_TEXT("tenant", arguments[0]),
                       SD_JSON_BUILD_PAIR_VARIANT("limits", settings),
                       SD_JSON_BUILD_PAIR_BOOLEAN("runtime", options->runtime),
                       SD_JSON_BUILD_PAIR_CONDITION(span > 0, "forUsec", SD_JSON_BUILD_UNSIGNED(span)),
                       SD_JSON_BUILD_PAIR_CONDITION(options->if_version != NULL, "ifVersion",
                                                    SD_JSON_BUILD_UNSIGNED(version))) < 0)
        have_memory(NULL);
    return change(options, "SetLimits", arguments[0], parameters, settings);
}

enum Exit verb_reset(const struct Options *options, char **arguments)
{
    _cleanup_json_ sd_json_variant *names = NULL, *parameters = NULL;
    uint64_t version;

    if (!take_version(options->if_version, &version))
        return EXIT_USAGE;
    for (char **word = arguments + 1; *word; word++) {
        if (strchr(*word, '=')) {
            complain("'%s' has a value; reset takes the limit's name alone", *word);
            return EXIT_USAGE;
        }
        if (sd_json_variant_append_arrayb(&names, WIRE_BUILD_TEXT(*word)) < 0)
            have_memory(NULL);
    }
    if (sd_json_buildo(&parameters, WIRE_PAIR_TEXT("tenant", arguments[0]),
                       SD_JSON_BUILD_PAIR_CONDITION(names != NULL, "names", SD_JSON_BUILD_VARIANT(names)),
                       SD_JSON_BUILD_PAIR_CONDITION(options->if_version != NULL, "ifVersion",
                                                    SD_JSON_BUILD_UNSIGNED(version))) < 0)
        have_memory(NULL);
    return change(options, "ResetLimits", arguments[0], parameters, names);
}
