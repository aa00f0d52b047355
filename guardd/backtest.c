/* See backtest.h. With --diff a recording is played twice, and the decisions of both are held against each
 * other: the first `freeze` of a tenant by a rule here against the first one there, the second one against
 * the second. */
#include "backtest.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "recording.h"
#include "replay.h"
#include "wire/codec.h"
#include "wire/text.h"

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)

static int complain(const char *text)
{
    fprintf(stderr, "guardd: %s\n", text);
    return EXIT_FAILURE;
}

static int complain_errno(const char *what, int error)
{
    fprintf(stderr, "guardd: %s: %s\n", what, strerror(-error));
    return EXIT_FAILURE;
}

/* --- configurations ------------------------------------------------------------------------------- */

/* DIR/guardd.conf and DIR/guardd.conf.d/ *.conf, in their order; or the file itself. Caller frees with
 * globfree(). */
static int find_files(const char *path, glob_t *ret)
{
    _cleanup_free_ char *main = NULL, *drop_ins = NULL;
    struct stat st;

    *ret = (glob_t){};
    if (stat(path, &st) < 0)
        return -errno;
    if (!S_ISDIR(st.st_mode))
        return glob(path, GLOB_NOMAGIC, NULL, ret) == 0 ? 0 : -ENOMEM;
    if (asprintf(&main, "%s/guardd.conf", path) < 0)
        main = NULL;
    if (asprintf(&drop_ins, "%s/guardd.conf.d/*.conf", path) < 0)
        drop_ins = NULL;
    if (!main || !drop_ins || glob(main, 0, NULL, ret) == GLOB_NOSPACE ||
        glob(drop_ins, GLOB_APPEND, NULL, ret) == GLOB_NOSPACE)
        return -ENOMEM;
    return ret->gl_pathc > 0 ? 0 : -ENOENT;
}

static int complain_problems(const struct Problems *problems)
{
    for (size_t i = 0; i < problems->n; i++) {
        _cleanup_free_ char *text = problem_format(&problems->list[i]);

        fprintf(stderr, "guardd: %s\n", text ? text : "out of memory");
    }
    return EXIT_FAILURE;
}

/* Of a file or directory; NULL: the present one below `root`. 0, or the exit status, complained about. */
static int load_config(const char *path, const char *root, struct Config **ret)
{
    struct Problems problems = {};
    glob_t files = {};
    int r = path ? find_files(path, &files) : 0;

    if (r < 0) {
        fprintf(stderr, "guardd: %s: %s\n", path,
                r == -ENOENT ? "there is no guardd.conf and no guardd.conf.d/*.conf" : strerror(-r));
        r = EXIT_FAILURE;
    } else {
        r = path ? config_load_files(files.gl_pathv, ret, &problems) : config_load(root, ret, &problems);
        if (r > 0)
            r = complain_problems(&problems);
        else if (r < 0)
            r = complain_errno("the configuration cannot be read", r);
    }
    globfree(&files);
    problems_free(&problems);
    return r;
}

/* --- what is told --------------------------------------------------------------------------------- */

static const char *format_time(usec_t realtime, char *buf, size_t size)
{
    time_t seconds = (time_t)(realtime / USEC_PER_SEC);
    struct tm tm;
    size_t n;

    if (!localtime_r(&seconds, &tm) || (n = strftime(buf, size, "%F %T", &tm)) == 0) {
        snprintf(buf, size, "?");
        return buf;
    }
    snprintf(buf + n, size - n, ".%03u", (unsigned)(realtime % USEC_PER_SEC / USEC_PER_MSEC));
    return buf;
}
#define TIME_MAX 64

static int print_json(sd_json_variant *object)
{
    _cleanup_free_ char *text = NULL;
    int r = sd_json_variant_format(object, 0, &text);

    if (r >= 0)
        puts(text);
    return r;
}

static int print_event_json(const struct Event *event)
{
    _cleanup_json_ sd_json_variant *object = NULL;
    int r = wire_event(event, &object);

    return r < 0 ? r : print_json(object);
}

static int print_event(const struct Event *event)
{
    char at[TIME_MAX], sentence[EVENT_SENTENCE_MAX];
    _cleanup_free_ char *tenant = wire_text_clean(event->tenant);
    _cleanup_free_ char *text = wire_text_clean(event_sentence(event, sentence, sizeof(sentence)));

    if (!tenant || !text)
        return -ENOMEM;
    printf("%s %s %s\n", format_time(event->realtime_usec, at, sizeof(at)), tenant, text);
    return 0;
}

static void print_summary(const struct Replay *replay, const struct Recording *recording, bool altered)
{
    char lasted[USEC_FORMAT_MAX];

    printf("%zu decision%s about %zu tenant%s in %s; ", replay->n, replay->n == 1 ? "" : "s", replay->tenants,
           replay->tenants == 1 ? "" : "s",
           usec_format(replay->last_usec - replay->first_usec, lasted, sizeof(lasted)));
    if (replay->same == replay->recorded && replay->n == replay->recorded)
        puts("the same as were recorded");
    else
        printf("%zu of the %zu that were recorded\n", replay->same, replay->recorded);
    if (recording->partial || replay->unknown > 0)
        printf("The trace is not whole: %zu entries are about tenants that it does not know.\n",
               replay->unknown);
    if (altered)
        puts("What a tenant would have done after another action nobody knows: its readings are the "
             "recorded.");
}

static int tell(const struct Replay *replay, const struct Recording *recording, bool altered, bool json)
{
    int r = 0;

    for (size_t i = 0; i < replay->n && r >= 0; i++)
        r = json ? print_event_json(&replay->decisions[i]) : print_event(&replay->decisions[i]);
    if (r < 0)
        return complain_errno("it cannot be told", r);
    if (!json)
        print_summary(replay, recording, altered);
    if (!altered && (replay->same != replay->recorded || replay->n != replay->recorded))
        return complain("its own configuration does not decide what was recorded");
    return EXIT_SUCCESS;
}

/* --- the difference ------------------------------------------------------------------------------- */

static bool is_alike(const struct Event *a, const struct Event *b)
{
    return a->decision.verb == b->decision.verb && a->decision.resource == b->decision.resource &&
           strcmp(a->tenant, b->tenant) == 0 && strcmp(a->decision.rule, b->decision.rule) == 0;
}

/* How many like the one at `index` came before it. */
static size_t rank_of(const struct Replay *replay, size_t index)
{
    size_t rank = 0;

    for (size_t i = 0; i < index; i++)
        rank += is_alike(&replay->decisions[i], &replay->decisions[index]);
    return rank;
}

/* The decision of that rank that is like `event`; NULL. */
static const struct Event *find_alike(const struct Replay *replay, const struct Event *event, size_t rank)
{
    for (size_t i = 0; i < replay->n; i++)
        if (is_alike(&replay->decisions[i], event) && rank-- == 0)
            return &replay->decisions[i];
    return NULL;
}

/* `there`: the present configuration's. */
struct Difference {
    const struct Event *here, *there;
};

static const char *difference_name(const struct Difference *difference)
{
    if (!difference->there)
        return "only here";
    if (!difference->here)
        return "only there";
    if (difference->here->at_usec == difference->there->at_usec)
        return "same";
    return difference->here->at_usec < difference->there->at_usec ? "earlier" : "later";
}

static usec_t difference_usec(const struct Difference *difference)
{
    usec_t here = difference->here ? difference->here->at_usec : 0;
    usec_t there = difference->there ? difference->there->at_usec : 0;

    if (!difference->here || !difference->there)
        return 0;
    return here < there ? there - here : here - there;
}

static usec_t at_usec(const struct Difference *difference)
{
    return difference->here ? difference->here->at_usec : difference->there->at_usec;
}

static int compare_times(const void *a, const void *b)
{
    usec_t left = at_usec(a), right = at_usec(b);

    return left < right ? -1 : left > right;
}

static int print_difference_json(const struct Difference *difference)
{
    _cleanup_json_ sd_json_variant *here = NULL, *there = NULL, *object = NULL;
    int r = difference->here ? wire_event(difference->here, &here) : 0;

    if (r >= 0 && difference->there)
        r = wire_event(difference->there, &there);
    if (r >= 0)
        r = sd_json_buildo(
            &object, SD_JSON_BUILD_PAIR_STRING("difference", difference_name(difference)),
            SD_JSON_BUILD_PAIR_UNSIGNED("byUsec", difference_usec(difference)),
            SD_JSON_BUILD_PAIR_CONDITION(here != NULL, "here", SD_JSON_BUILD_VARIANT(here)),
            SD_JSON_BUILD_PAIR_CONDITION(there != NULL, "there", SD_JSON_BUILD_VARIANT(there)));
    return r < 0 ? r : print_json(object);
}

static int print_difference(const struct Difference *difference)
{
    const struct Event *event = difference->here ? difference->here : difference->there;
    char by[USEC_FORMAT_MAX] = "", label[USEC_FORMAT_MAX + 32];
    usec_t usec = difference_usec(difference);

    snprintf(label, sizeof(label), "%s%s%s", usec > 0 ? usec_format(usec, by, sizeof(by)) : "",
             usec > 0 ? " " : "", difference_name(difference));
    printf("%-16s ", label);
    return print_event(event);
}

static int collect(const struct Replay *here, const struct Replay *there, struct Difference *list,
                   size_t *ret_n)
{
    size_t n = 0;

    for (size_t i = 0; i < here->n; i++)
        list[n++] = (struct Difference){&here->decisions[i],
                                        find_alike(there, &here->decisions[i], rank_of(here, i))};
    for (size_t i = 0; i < there->n; i++)
        if (!find_alike(here, &there->decisions[i], rank_of(there, i)))
            list[n++] = (struct Difference){NULL, &there->decisions[i]};
    qsort(list, n, sizeof(*list), compare_times);
    *ret_n = n;
    return 0;
}

static int tell_difference(const struct Replay *here, const struct Replay *there, bool json)
{
    _cleanup_free_ struct Difference *list = calloc(here->n + there->n + 1, sizeof(*list));
    size_t n = 0, told = 0;
    int r;

    if (!list)
        return complain_errno("it cannot be told", -ENOMEM);
    r = collect(here, there, list, &n);
    for (size_t i = 0; i < n && r >= 0; i++) {
        if (list[i].here && list[i].there && difference_usec(&list[i]) == 0)
            continue;
        r = json ? print_difference_json(&list[i]) : print_difference(&list[i]);
        told++;
    }
    if (r < 0)
        return complain_errno("it cannot be told", r);
    if (!json && told == 0)
        puts("No decision would be another one, or come at another time.");
    else if (!json)
        printf("%zu of %zu decisions differ from the present configuration's (\"there\").\n", told, n);
    return EXIT_SUCCESS;
}

/* --- the way through ------------------------------------------------------------------------------ */

static int play(const struct Recording *recording, const struct Config *config, struct Replay *ret)
{
    char why[RECORDING_WHY_MAX] = "";
    int r = replay_run(recording, config, ret, why);

    if (r < 0 && why[0] != '\0')
        return complain(why);
    return r < 0 ? complain_errno("it cannot be replayed", r) : 0;
}

static int run_diff(const struct BacktestOptions *options, const struct Recording *recording,
                    const struct Replay *here)
{
    struct Config *present = NULL;
    struct Replay there = {};
    int r = load_config(NULL, options->root, &present);

    if (r == 0)
        r = play(recording, present, &there);
    if (r == 0)
        r = tell_difference(here, &there, options->json);
    replay_free(&there);
    config_free(present);
    return r;
}

int backtest_run(const struct BacktestOptions *options)
{
    char why[RECORDING_WHY_MAX];
    struct Config *config = NULL;
    struct Recording recording;
    struct Replay replay = {};
    int r = recording_load(options->file, &recording, why) < 0 ? complain(why) : 0;

    if (r == 0 && options->config)
        r = load_config(options->config, options->root, &config);
    if (r == 0)
        r = play(&recording, config, &replay);
    if (r == 0 && options->diff)
        r = run_diff(options, &recording, &replay);
    else if (r == 0)
        r = tell(&replay, &recording, config != NULL, options->json);
    replay_free(&replay);
    config_free(config);
    recording_free(&recording);
    return r;
}
