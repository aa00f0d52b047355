/* The configuration: INI files -> one immutable struct Config, validated whole. A file is read by inih;
 * what a key may hold stands in one table (keys.c). Nothing here logs or exits: whatever is wrong is
 * collected, all of it, so that an operator mends a file once.
 *
 * Files, with systemd's precedence: guardd.conf is the first of /etc/guardd, /run/guardd,
 * /usr/local/lib/guardd and /usr/lib/guardd that has one; then come the drop-ins guardd.conf.d/ *.conf of
 * all four, sorted by file name, of two with one name that of the earlier directory (a link to /dev/null
 * or an empty file masks). Later values win; lists (Match=, Protect=, Rules=, DiskRoots=, DiskPath=) grow, an
 * empty value empties them; an empty value of any other key takes back what stood before. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/usec.h"
#include "model/policy.h"

struct Config {
    struct Policy policy;
    char *cgroup_root;    /* NULL: found from the mount table */
    char *operator_group; /* NULL: root only */
    char *viewer_group;   /* NULL: root and operators only */
    char **files;         /* read, in order; NULL-terminated */
    char *text; /* what was read, all in one, without comments: reads back as the same; NULL: nothing */
    size_t trace_bytes; /* TraceSize=: of the ring of record/trace.h; 0: none */
};

/* One thing that is wrong: where, what, and what would be right. */
struct Problem {
    char *file;    /* what is no text in its name is '?' */
    unsigned line; /* 0: of no single line */
    char *what;
    char *right;
};

/* At most PROBLEMS_MAX, the last of which then says that there are more. */
#define PROBLEMS_MAX 100
struct Problems {
    struct Problem *list;
    size_t n;
};

#define CONFIG_INVALID 1

/* The longest line of a file; inih's own buffer holds no more. */
#define CONFIG_LINE_MAX 198
/* The largest file, in bytes. */
#define CONFIG_FILE_MAX (1024 * 1024)

/* Reads what a daemon reads. `root` is put before every directory ("" for the host's own; tests name a
 * made-up one). Returns 0 and a Config that the caller frees; CONFIG_INVALID with at least one problem;
 * a negative errno when it could not be read at all (-ENOMEM). No file at all is an empty, valid
 * configuration. Problems that `problems` holds already count as of this configuration. */
int config_load(const char *root, struct Config **ret_config, struct Problems *problems);

/* The same for exactly these files (NULL-terminated), in this order. */
int config_load_files(char *const *files, struct Config **ret_config, struct Problems *problems);

/* The same for one file that is in memory already. */
int config_parse_buffer(const char *name, const char *text, size_t size, struct Config **ret_config,
                        struct Problems *problems);

/* The files that config_load() reads, in order, NULL-terminated; the caller frees with config_files_free.
 * Returns 0, also when there are problems, or -ENOMEM. */
int config_find_files(const char *root, char ***ret_files, struct Problems *problems);
char **config_files_free(char **files);

struct Config *config_free(struct Config *config);
void problems_free(struct Problems *problems);

/* "FILE:LINE: what; right" as one line, for the terminal and the log. Caller frees; NULL: no memory. */
char *problem_format(const struct Problem *problem);
