/* The configuration in the making. Files are read one after the other into a draft: sections are found
 * again or begun, lists grow, every word remembers where it stood, so that what only shows at the end (a
 * class that names a rule nobody wrote) is told with its own line. resolve.c turns it into a Config. */
#pragma once

#include <stdbool.h>

#include "config/config.h"
#include "config/problem.h"

struct Section; /* keys.c */

/* One element of a list (utlist, doubly linked). */
struct Word {
    char *text; /* owned */
    struct Place place;
    struct Word *prev, *next;
};

struct RuleDraft {
    struct Rule rule;
    struct Place place; /* of its first header */
    bool has_when, has_until, has_rank;
    struct Place when_place, steps_place, rank_place, throttle_place;
    struct Word *floor;          /* as written: what it means is Rank='s to say, which may come later */
    bool refused;                /* something in it is wrong already: what then is missing is no news */
    const struct Rule *resolved; /* in the policy; set by resolve.c */
    struct RuleDraft *prev, *next;
};

struct ClassDraft {
    char name[POLICY_NAME_MAX];
    struct Place place;
    struct Word *match, *rules;
    bool says_rules; /* has a Rules=, if only an empty one */
    bool refused;
    struct Limits limits;
    struct Word *disk_paths;
    unsigned disk_warn_percent;
    uint64_t network_burst_bytes, network_flood_bits;
    struct ClassDraft *prev, *next;
};

struct Draft {
    struct Config *config; /* owned; what needs no second look goes there at once */
    struct Word *protect;
    struct Word *disk_roots;
    bool says_disk_roots; /* has a DiskRoots=, if only an empty one */
    struct ClassDraft *classes;
    struct RuleDraft *rules;
    struct Problems *problems; /* borrowed */

    /* Where the reading is. */
    struct Place place;
    const struct Section *section; /* NULL: before the first header */
    struct ClassDraft *class;
    struct RuleDraft *rule;
};

/* What the keys of [Guard] are when nobody sets them. */
#define CONFIG_DEFAULT_GROUP "guardd"
#define CONFIG_DEFAULT_TRACE_BYTES ((size_t)4 * 1024 * 1024)
#define CONFIG_DEFAULT_KILL_LIMIT                                                                            \
    (struct KillLimit)                                                                                       \
    {                                                                                                        \
        .kills = 5, .window_usec = USEC_PER_MINUTE                                                           \
    }

int draft_init(struct Draft *draft, struct Problems *problems);
void draft_done(struct Draft *draft);

/* Notes that a file is read from here on; its name lives as long as the draft's Config. -ENOMEM. */
int draft_begin_file(struct Draft *draft, const char *name);

/* Finds the class or rule of that (valid) name, or begins it; NULL: no memory. */
struct ClassDraft *draft_class(struct Draft *draft, const char *name);
struct RuleDraft *draft_rule(struct Draft *draft, const char *name);

int words_add(struct Word **words, const char *text, struct Place place);
void words_clear(struct Word **words);

static inline size_t words_count(const struct Word *words)
{
    size_t n = 0;

    for (const struct Word *word = words; word; word = word->next)
        n++;
    return n;
}

/* Checks what no single line shows, and moves everything into the draft's Config. 0, also with problems;
 * -ENOMEM. */
int draft_resolve(struct Draft *draft);
