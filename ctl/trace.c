/* guardctl trace save FILE: what guardd read and decided lately, a line of JSON for each, as `replay` reads
 * it. The file is written beside its place and renamed into it when it is whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ctl/client.h"
#include "ctl/reply.h"
#include "ctl/terminal.h"
#include "wire/interface.h"

struct Trace {
    FILE *file; /* borrowed */
    size_t entries;
    bool ended;
    enum Exit exit; /* once it has ended */
};

static void end(struct Trace *trace, enum Exit exit)
{
    trace->ended = true;
    trace->exit = exit;
}

static void write_entries(struct Trace *trace, sd_json_variant *reply)
{
    sd_json_variant *entry;

    for (size_t i = 0; (entry = reply_item(reply, "entries", i)); i++) {
        _cleanup_free_ char *line = NULL;

        if (sd_json_variant_format(entry, 0, &line) < 0)
            have_memory(NULL);
        fprintf(trace->file, "%s\n", line);
        trace->entries++;
    }
}

static int on_reply(sd_varlink *link, sd_json_variant *parameters, const char *error,
                    sd_varlink_reply_flags_t flags, void *userdata)
{
    struct Trace *trace = userdata;

    if (flags & SD_VARLINK_REPLY_LOCAL) {
        complain("guardd went away");
        end(trace, EXIT_FAILED);
    } else if (error) {
        end(trace, client_error(error, parameters));
    } else {
        write_entries(trace, parameters);
        if (!(flags & SD_VARLINK_REPLY_CONTINUES))
            end(trace, EXIT_DONE);
    }
    return 0;
}

static int receive(sd_varlink *link, struct Trace *trace)
{
    int r;

    sd_varlink_set_userdata(link, trace);
    r = sd_varlink_bind_reply(link, on_reply);
    if (r >= 0)
        r = sd_varlink_observe(link, WIRE_INTERFACE ".Trace", NULL);
    while (r >= 0 && !trace->ended) {
        r = sd_varlink_process(link);
        if (r == 0 && !trace->ended)
            r = sd_varlink_wait(link, UINT64_MAX);
    }
    return r;
}

/* Everything into `file`, which stays open. */
static enum Exit fetch(const struct Options *options, FILE *file, size_t *ret_entries)
{
    struct Trace trace = {.file = file};
    _cleanup_(sd_varlink_unrefp) sd_varlink *link = NULL;
    enum Exit exit = client_open(options, &link);
    int r;

    if (exit != EXIT_DONE)
        return exit;
    r = receive(link, &trace);
    if (!trace.ended) {
        complain("the trace cannot be read: %s", strerror(-r));
        return EXIT_FAILED;
    }
    *ret_entries = trace.entries;
    return trace.exit;
}

static enum Exit complain_file(const char *path, int error)
{
    complain("%s cannot be written: %s", path, strerror(error));
    return EXIT_FAILED;
}

/* Names of tenants and what they did are for operators alone: 0600. */
static enum Exit save(const struct Options *options, const char *path)
{
    _cleanup_free_ char *aside = NULL;
    FILE *file;
    size_t entries = 0;
    enum Exit exit;
    int fd;

    if (asprintf(&aside, "%s.XXXXXX", path) < 0)
        aside = have_memory(NULL);
    fd = mkostemp(aside, O_CLOEXEC);
    file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file)
        return complain_file(path, errno);
    exit = fetch(options, file, &entries);
    if (fclose(file) == EOF && exit == EXIT_DONE)
        exit = complain_file(path, errno);
    if (exit == EXIT_DONE && rename(aside, path) < 0)
        exit = complain_file(path, errno);
    if (exit != EXIT_DONE)
        (void)unlink(aside);
    else
        printf("%zu entries in %s\n", entries, path);
    return exit;
}

enum Exit verb_trace(const struct Options *options, char **arguments)
{
    size_t entries;

    if (strcmp(arguments[0], "save") != 0) {
        complain("trace can only save: guardctl trace save FILE");
        return EXIT_USAGE;
    }
    return strcmp(arguments[1], "-") == 0 ? fetch(options, stdout, &entries) : save(options, arguments[1]);
}
