/* See journal.h. */
#include "ctl/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>

#include "base/cleanup.h"
#include "base/usec.h"
#include "ctl/entry.h"
#include "ctl/moment.h"
#include "ctl/reply.h"
#include "ctl/terminal.h"

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)

/* guardd's writer may come so much later than the event (record/history.c), or the clock was set. */
#define LAG_USEC ((int64_t)(60 * USEC_PER_SEC))

/* --- what is asked for ------------------------------------------------------------------------------- */

static int64_t realtime_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * (int64_t)USEC_PER_SEC + now.tv_nsec / 1000;
}

static enum Exit parse(const char *option, const char *text, int64_t *ret)
{
    if (!text || moment_parse(text, realtime_now(), ret) >= 0)
        return EXIT_DONE;
    complain("--%s=%s is no point in time; right is '2h ago', 'today', 'yesterday', '10:00', "
             "'2026-11-22 10:00' or '-30min'",
             option, text);
    return EXIT_USAGE;
}

enum Exit journal_filter(const struct Options *options, struct JournalFilter *ret)
{
    enum Exit exit;

    *ret = (struct JournalFilter){.class = options->class};
    exit = parse("since", options->since, &ret->since_usec);
    if (exit == EXIT_DONE)
        exit = parse("until", options->until, &ret->until_usec);
    if (exit == EXIT_DONE && ret->until_usec != 0 && ret->until_usec < ret->since_usec) {
        complain("--until is before --since");
        return EXIT_USAGE;
    }
    return exit;
}

/* --- rights ------------------------------------------------------------------------------------------ */

/* sd-journal leaves out files that it may not read, and says nothing of it. */
static bool is_denied_in(const char *directory)
{
    char machine[SD_ID128_STRING_MAX], path[PATH_MAX];
    sd_id128_t id;
    _cleanup_fd_ int fd = -EBADF;

    if (sd_id128_get_machine(&id) < 0)
        return false;
    snprintf(path, sizeof(path), "%s/%s/system.journal", directory, sd_id128_to_string(id, machine));
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 && (errno == EACCES || errno == EPERM);
}

static bool is_denied(const char *directory)
{
    _cleanup_dir_ DIR *dir = directory ? opendir(directory) : NULL;

    if (directory)
        return !dir && (errno == EACCES || errno == EPERM);
    return is_denied_in("/run/log/journal") || is_denied_in("/var/log/journal");
}

static enum Exit complain_denied(void)
{
    complain(
        "you may not read the journal: root may, and so may members of the groups systemd-journal and adm "
        "('usermod -aG systemd-journal USER', then log in again)");
    return EXIT_DENIED;
}

static enum Exit open_journal(const struct Options *options, sd_journal **ret)
{
    int r;

    if (is_denied(options->directory))
        return complain_denied();
    r = options->directory ? sd_journal_open_directory(ret, options->directory, 0)
                           : sd_journal_open(ret, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
    if (r == -EACCES || r == -EPERM)
        return complain_denied();
    if (r < 0)
        complain("the journal%s%s cannot be read: %s", options->directory ? " in " : "",
                 options->directory ? options->directory : "", strerror(-r));
    return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* --- reading ----------------------------------------------------------------------------------------- */

static int match(sd_journal *journal, const char *name, const char *value)
{
    _cleanup_free_ char *text = NULL;
    char *made = NULL;

    if (asprintf(&made, "%s=%s", name, value) < 0)
        made = NULL;
    text = have_memory(made);
    return sd_journal_add_match(journal, text, 0);
}

static int match_trusted(sd_journal *journal, const char *const *events)
{
    int r = match(journal, "_SYSTEMD_UNIT", "guardd.service");

    if (r >= 0)
        r = match(journal, "_UID", "0");
    for (; r >= 0 && *events; events++)
        r = match(journal, "GUARDD_EVENT", *events);
    return r;
}

/* What was done to whom is asked for, or that something is missing. */
static int match_all(sd_journal *journal, const struct JournalFilter *filter)
{
    static const char *const done[] = {"decision", "outcome", "change", NULL}, *const lost[] = {"lost", NULL};
    int r = match_trusted(journal, done);

    if (r >= 0 && filter->field)
        r = match(journal, filter->field, filter->value);
    if (r >= 0 && filter->class)
        r = match(journal, "GUARDD_CLASS", filter->class);
    if (r >= 0)
        r = sd_journal_add_disjunction(journal);
    return r >= 0 ? match_trusted(journal, lost) : r;
}

static void read_entry(sd_journal *journal, struct Entry *entry)
{
    const void *data;
    size_t length;
    uint64_t realtime;

    entry_clear(entry);
    sd_journal_restart_data(journal);
    while (sd_journal_enumerate_available_data(journal, &data, &length) > 0)
        entry_add(entry, data, length);
    /* A guardd that did not write its own time yet, or the word of what is lost. */
    if (!entry_text(entry, "GUARDD_TIME_USEC") && sd_journal_get_realtime_usec(journal, &realtime) >= 0) {
        char text[64];
        int n = snprintf(text, sizeof(text), "GUARDD_TIME_USEC=%llu", (unsigned long long)realtime);

        entry_add(entry, text, (size_t)n);
    }
}

static void take_entry(const struct Entry *entry, const struct JournalFilter *filter, struct Acts *acts)
{
    _cleanup_json_ sd_json_variant *event = NULL;
    int64_t at = 0;

    if (entry_event(entry, &event) < 0)
        return;
    reply_number(event, "realtimeUsec", &at);
    if (at >= filter->since_usec && (filter->until_usec == 0 || at <= filter->until_usec))
        acts_add(acts, event);
}

static int read_all(sd_journal *journal, const struct JournalFilter *filter, struct Acts *acts)
{
    struct Entry entry;
    uint64_t realtime;
    int r = match_all(journal, filter);

    if (r >= 0)
        r = filter->since_usec > LAG_USEC
                ? sd_journal_seek_realtime_usec(journal, (uint64_t)(filter->since_usec - LAG_USEC))
                : sd_journal_seek_head(journal);
    entry_init(&entry);
    while (r >= 0 && (r = sd_journal_next(journal)) > 0) {
        if (filter->until_usec != 0 && sd_journal_get_realtime_usec(journal, &realtime) >= 0 &&
            realtime > (uint64_t)(filter->until_usec + LAG_USEC))
            break;
        read_entry(journal, &entry);
        take_entry(&entry, filter, acts);
    }
    entry_done(&entry);
    return r;
}

enum Exit journal_read(const struct Options *options, const struct JournalFilter *filter, struct Acts *acts)
{
    sd_journal *journal = NULL;
    enum Exit exit = open_journal(options, &journal);
    int r;

    if (exit != EXIT_DONE)
        return exit;
    r = read_all(journal, filter, acts);
    sd_journal_close(journal);
    if (r < 0) {
        complain("the journal cannot be read to its end: %s", strerror(-r));
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}
