/* See tale.h. An act is a line with its time, what was decided and its number, and below it fields with a
 * label each. Every text is clean: entry.c took care of that. */
#include "ctl/tale.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/usec.h"
#include "ctl/acts.h"
#include "ctl/clock.h"
#include "ctl/reply.h"
#include "ctl/sparkline.h"
#include "ctl/terminal.h"
#include "model/limit.h"
#include "model/measure.h"
#include "model/verb.h"

#define WIDTH 80
#define INDENT 15 /* of a field's text */
#define LABEL 12
#define SERIES_SHOWN 32

struct Tale {
    FILE *file;
    const struct TaleStyle *style;
    int64_t day_usec; /* of the last date that was told */
};

/* --- lines ------------------------------------------------------------------------------------------ */

/* Columns of a text that is clean UTF-8. */
static size_t columns(const char *text, size_t length)
{
    size_t n = 0;

    for (size_t i = 0; i < length; i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

/* A text from column `indent` on, which is where the line stands, wrapped at spaces, and a newline. */
static void wrap(FILE *file, const char *text, size_t indent)
{
    size_t column = indent;

    while (*text != '\0') {
        size_t length = strcspn(text, " "), wide = columns(text, length);

        if (column > indent && column + 1 + wide > WIDTH) {
            fprintf(file, "\n%*s", (int)indent, "");
            column = indent;
        }
        fprintf(file, "%s%.*s", column > indent ? " " : "", (int)length, text);
        column += wide + (column > indent);
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', file);
}

static void field_text(const struct Tale *tale, const char *label, const char *text, bool warns)
{
    fprintf(tale->file, "  %-*s %s", LABEL, label, warns ? tale->style->warning : "");
    wrap(tale->file, text, INDENT);
    if (warns)
        fputs(tale->style->plain, tale->file);
}

/* Caller frees. */
__attribute__((format(printf, 1, 0))) static char *format_list(const char *format, va_list arguments)
{
    char *text = NULL;

    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    return have_memory(text);
}

__attribute__((format(printf, 1, 2))) static char *format_text(const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = format_list(format, arguments);
    va_end(arguments);
    return text;
}

__attribute__((format(printf, 3, 4))) static void field(const struct Tale *tale, const char *label,
                                                        const char *format, ...)
{
    _cleanup_free_ char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = format_list(format, arguments);
    va_end(arguments);
    field_text(tale, label, text, false);
}

/* --- readings --------------------------------------------------------------------------------------- */

static const char *measured(sd_json_variant *object, const char *key, char *buf, size_t size)
{
    enum Measure measure = measure_from_name(reply_text_or(object, "unit", ""));
    int64_t value;

    if (!reply_number(object, key, &value))
        return NULL;
    return measure_format(measure == MEASURE_INVALID ? MEASURE_COUNT : measure, value, buf, size);
}

/* " (98%)", or "" where that would say nothing. */
static const char *share_of(sd_json_variant *evidence, char *buf, size_t size)
{
    int64_t number, whole;

    buf[0] = '\0';
    if (reply_number(evidence, "value", &number) && reply_number(evidence, "limit", &whole) && whole > 0 &&
        number >= 0 && number <= INT64_MAX / 100)
        snprintf(buf, size, " (%" PRId64 "%%)", number * 100 / whole);
    return buf;
}

/* "tasks.current 1024 of 1024 (100%)" */
static char *describe_value(sd_json_variant *evidence)
{
    char value_buf[MEASURE_FORMAT_MAX], limit_buf[MEASURE_FORMAT_MAX], share[32];
    const char *value = measured(evidence, "value", value_buf, sizeof(value_buf));
    const char *limit = measured(evidence, "limit", limit_buf, sizeof(limit_buf));

    return format_text("%s %s%s%s%s", reply_text_or(evidence, "reading", "?"), value ? value : "not known",
                       limit ? " of " : "", limit ? limit : "", share_of(evidence, share, sizeof(share)));
}

/* The values of a series; how far they reach back. */
static size_t series_of(sd_json_variant *evidence, int64_t *values, int64_t *ret_reach)
{
    sd_json_variant *item;
    size_t n = 0;

    *ret_reach = 0;
    for (; n < SERIES_SHOWN && (item = reply_item(evidence, "series", n)); n++) {
        if (!reply_number(item, "value", &values[n]))
            return 0;
        if (n == 0)
            reply_number(item, "ageUsec", ret_reach);
    }
    return n;
}

static void tell_series(const struct Tale *tale, sd_json_variant *evidence)
{
    enum Measure measure = measure_from_name(reply_text_or(evidence, "unit", ""));
    int64_t values[SERIES_SHOWN], reach, least, greatest;
    size_t n = series_of(evidence, values, &reach);
    char bars[SPARKLINE_MAX(SERIES_SHOWN)], from[MEASURE_FORMAT_MAX], to[MEASURE_FORMAT_MAX],
        time[USEC_FORMAT_MAX];

    if (n < 2 || reach < 0 || measure == MEASURE_INVALID)
        return;
    least = greatest = values[0];
    for (size_t i = 1; i < n; i++) {
        least = values[i] < least ? values[i] : least;
        greatest = values[i] > greatest ? values[i] : greatest;
    }
    if (least == greatest)
        return field(tale, "", "unchanged in the %s before", usec_format((usec_t)reach, time, sizeof(time)));
    field(tale, "", "%s  %s to %s in the %s before",
          sparkline(values, n, tale->style->utf8, bars, sizeof(bars)),
          measure_format(measure, least, from, sizeof(from)),
          measure_format(measure, greatest, to, sizeof(to)), usec_format((usec_t)reach, time, sizeof(time)));
}

static void tell_evidence(const struct Tale *tale, sd_json_variant *evidence, const char *label,
                          const char *threshold)
{
    _cleanup_free_ char *text = NULL;

    if (!evidence)
        return;
    text = describe_value(evidence);
    field(tale, label, "%s; %s: %s", text, threshold, reply_text_or(evidence, "condition", "?"));
    tell_series(tale, evidence);
}

static bool is_same_reading(sd_json_variant *a, sd_json_variant *b)
{
    return a && b && strcmp(reply_text_or(a, "reading", "a"), reply_text_or(b, "reading", "b")) == 0;
}

/* Of what is let go only relief is told. */
static bool is_inverse(sd_json_variant *decision)
{
    enum Verb verb = verb_from_name(reply_text_or(decision, "verb", ""));

    return verb == VERB_THAW || verb == VERB_UNTHROTTLE;
}

/* What decided, first: at the beginning When=, later Until=. */
static void tell_readings(const struct Tale *tale, sd_json_variant *decision)
{
    sd_json_variant *when = reply_object(decision, "when"), *until = reply_object(decision, "until");

    if (reply_flag(decision, "begins")) {
        tell_evidence(tale, when, "reading", "threshold");
        if (!is_same_reading(when, until))
            tell_evidence(tale, until, "", "until");
        return;
    }
    tell_evidence(tale, until, "reading", "until");
    if (!is_same_reading(when, until) && !is_inverse(decision))
        tell_evidence(tale, when, "", "threshold");
}

/* --- why this one ----------------------------------------------------------------------------------- */

static void tell_rivals(const struct Tale *tale, sd_json_variant *decision, sd_json_variant *rank)
{
    const char *unit = reply_text_or(rank, "unit", ""), *reading = reply_text_or(rank, "reading", "?");
    enum Measure measure = measure_from_name(unit);
    char value[MEASURE_FORMAT_MAX], more[REPLY_DIGITS_MAX];
    const char *digits = reply_digits(decision, "passedOverMore", NULL, more, sizeof(more));
    sd_json_variant *rival;
    size_t n = 0;

    field(tale, "why this one", "the rule is the host's: of all whom it may mean it has most %s, %s", reading,
          measured(rank, "value", value, sizeof(value)) ? value : "?");
    for (; (rival = reply_item(decision, "passedOver", n)); n++) {
        int64_t number;
        bool known = reply_number(rival, "value", &number);

        if (known)
            measure_format(measure == MEASURE_INVALID ? MEASURE_COUNT : measure, number, value,
                           sizeof(value));
        field(tale, n == 0 ? "passed over" : "", "%s, %s: %s", reply_text_or(rival, "name", "?"),
              known ? value : "not known", reply_text_or(rival, "why", "has less"));
    }
    if (digits)
        field(tale, "", "and %s more", digits);
    else if (n == 0)
        field(tale, "passed over", "nobody: there is no other that the rule may mean");
}

static char *user_name(int64_t uid)
{
    const struct passwd *user = getpwuid((uid_t)uid);

    return user ? format_text("%s (uid %" PRId64 ")", user->pw_name, uid) : format_text("uid %" PRId64, uid);
}

static void tell_why(const struct Tale *tale, sd_json_variant *decision)
{
    const char *cause = reply_text_or(decision, "cause", "");
    sd_json_variant *rank = reply_object(decision, "rank");
    _cleanup_free_ char *name = NULL;
    int64_t uid;

    if (rank)
        tell_rivals(tale, decision, rank);
    else if (strcmp(cause, "rule") == 0 && reply_flag(decision, "begins"))
        field(tale, "why this one", "the rule goes by the tenant's own readings, and so means nobody else");
    if (strcmp(cause, "operator") == 0 && reply_number(decision, "uid", &uid)) {
        name = user_name(uid);
        field(tale, "by hand", "%s", name);
    }
    /* An election's sentence has been told in its parts. */
    if (!rank && reply_text(decision, "reason"))
        field(tale, "because", "%s", reply_text(decision, "reason"));
}

/* --- what came of it -------------------------------------------------------------------------------- */

static void tell_outcome(const struct Tale *tale, sd_json_variant *act)
{
    sd_json_variant *outcome = reply_object(act, "outcome");
    enum Verb verb = verb_from_name(reply_text_or(reply_object(act, "decision"), "verb", ""));
    const char *result = reply_text_or(outcome, "result", ""), *text = reply_text_or(outcome, "text", "");
    const char *colon = text[0] != '\0' ? ": " : "";
    char buf[USEC_FORMAT_MAX];
    const char *took = outcome ? reply_duration(outcome, "tookUsec", buf, sizeof(buf)) : NULL;

    if (verb == VERB_WARN)
        field(tale, "outcome", "nothing is done to it: this says so");
    else if (!outcome)
        field(tale, "outcome", "not in the journal: guardd ended before it, or it is yet to come");
    else if (strcmp(result, "observed") == 0)
        field(tale, "outcome", "nothing is done to it: Mode=observe");
    else if (strcmp(result, "done") == 0)
        field(tale, "outcome", "%s after %s%s%s", verb_past(verb), took ? took : "?", colon, text);
    else
        field(tale, "outcome", "%s after %s%s%s", result, took ? took : "?", colon, text);
}

static void tell_undone(const struct Tale *tale, sd_json_variant *act)
{
    sd_json_variant *undone = reply_object(act, "undone");
    char at[CLOCK_TEXT_MAX], lasted[USEC_FORMAT_MAX];
    int64_t usec = 0, done = 0;

    if (reply_flag(act, "stands"))
        field_text(tale, "stands", "the journal knows of nothing that has undone it", true);
    if (!undone)
        return;
    reply_number(undone, "realtimeUsec", &usec);
    if (!reply_number(reply_object(act, "outcome"), "realtimeUsec", &done) || done > usec)
        done = usec;
    field(tale, "undone", "at %s, after %s, by %s", clock_time(usec, at, sizeof(at)),
          usec_format((usec_t)(usec - done), lasted, sizeof(lasted)), reply_text_or(undone, "action", "?"));
}

/* --- an act ----------------------------------------------------------------------------------------- */

/* What is told of no decision. */
static void tell_other(FILE *file, sd_json_variant *act)
{
    sd_json_variant *request = reply_object(act, "request");
    char lost[REPLY_DIGITS_MAX];

    if (request)
        fprintf(file, "asked for: %s", reply_text_or(request, "text", "?"));
    else
        fprintf(file, "%s events are missing: the journal did not take them in time",
                reply_digits(act, "lost", "?", lost, sizeof(lost)));
}

/* "freeze, rule fork-bomb, step 1 of 2" */
static void tell_title(FILE *file, sd_json_variant *act)
{
    sd_json_variant *decision = reply_object(act, "decision");
    const char *rule = reply_text(decision, "rule"), *resource = reply_text(decision, "resource");
    const char *limit = reply_text(decision, "limit");
    char text[MEASURE_FORMAT_MAX], step[REPLY_DIGITS_MAX], steps[REPLY_DIGITS_MAX];
    uint64_t value = LIMIT_INFINITY;
    enum LimitId id = limit ? limit_from_directive(limit) : LIMIT_INVALID;

    if (!decision) {
        tell_other(file, act);
        return;
    }
    fprintf(file, "%s%s%s", act_verb(act), resource ? " " : "", resource ? resource : "");
    if (id != LIMIT_INVALID) {
        reply_unsigned(reply_object(decision, "value"), "value", &value);
        fprintf(file, " %s=%s", limit, limit_format(id, value, text, sizeof(text)));
    }
    if (rule)
        fprintf(file, ", rule %s", rule);
    if (reply_digits(decision, "step", NULL, step, sizeof(step)) &&
        reply_digits(decision, "steps", NULL, steps, sizeof(steps)))
        fprintf(file, ", step %s of %s", step, steps);
}

/* The date where it is another one than before. */
static void tell_date(struct Tale *tale, int64_t at)
{
    char before[CLOCK_TEXT_MAX], now[CLOCK_TEXT_MAX];

    clock_date(tale->day_usec, before, sizeof(before));
    clock_date(at, now, sizeof(now));
    if (strncmp(before, now, strlen("2026-11-22")) != 0)
        fprintf(tale->file, "\n%.10s", now);
    tale->day_usec = at;
    fputc('\n', tale->file);
}

static void tell_request(const struct Tale *tale, sd_json_variant *request)
{
    _cleanup_free_ char *name = NULL;
    char pid[REPLY_DIGITS_MAX];
    const char *digits = reply_digits(request, "pid", NULL, pid, sizeof(pid)),
               *known = reply_text(request, "name");
    int64_t uid = 0;

    if (!reply_number(request, "uid", &uid))
        return;
    name = known ? format_text("%s (uid %" PRId64 ")", known, uid) : user_name(uid);
    field(tale, "by", "%s%s%s", name, digits ? ", process " : "", digits ? digits : "");
}

static void tell_act(struct Tale *tale, sd_json_variant *act)
{
    sd_json_variant *decision = reply_object(act, "decision");
    const char *action = reply_text(act, "action");
    char at[CLOCK_TEXT_MAX];

    tell_date(tale, act_began(act));
    fprintf(tale->file, "%s  %s", clock_time(act_began(act), at, sizeof(at)), tale->style->bold);
    tell_title(tale->file, act);
    fprintf(tale->file, "%s\n", tale->style->plain);
    if (reply_object(act, "request"))
        tell_request(tale, reply_object(act, "request"));
    if (!decision)
        return;
    tell_readings(tale, decision);
    tell_why(tale, decision);
    tell_outcome(tale, act);
    tell_undone(tale, act);
    if (action)
        field(tale, "action", "%s", action);
}

void tale_print(FILE *file, sd_json_variant *story, const struct TaleStyle *style)
{
    struct Tale tale = {.file = file, .style = style};
    const char *class = reply_text(story, "class"), *action = reply_text(story, "earlierAction");
    sd_json_variant *act;
    uint64_t earlier = 0;

    fprintf(file, "%s%s%s%s%s\n", style->bold, reply_text_or(story, "tenant", "?"), style->plain,
            class ? ", class " : "", class ? class : "");
    wrap(file, reply_text_or(story, "summary", ""), 0);
    for (size_t i = 0; (act = reply_item(story, "actions", i)); i++)
        tell_act(&tale, act);
    reply_unsigned(story, "earlier", &earlier);
    if (earlier > 0)
        fprintf(file, "\nBefore that: %" PRIu64 " %s, the last one: guardctl explain %s\n", earlier,
                earlier == 1 ? "story" : "stories", action ? action : "ACTION-ID");
}
