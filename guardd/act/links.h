/* Names of files that have several, as a walk meets them: says when all names of one lie in the tree. See
 * links.c for why an enemy who renames meanwhile cannot make one name count twice. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

/* Names that are remembered, about 30 MB of them. */
#define LINKS_MAX 262144

struct LinkedName;
struct LinkedFile;

struct Links {
    struct LinkedName *names; /* uthash */
    struct LinkedFile *files; /* uthash, by inode */
    size_t n_names;
    uint64_t seed; /* so that nobody can choose names that collide */
    unsigned pass;
};

enum LinksAnswer {
    LINKS_MISSING, /* of this file not all names were met in this pass */
    LINKS_INSIDE,  /* all its names are in the tree: it may be tagged */
    LINKS_FULL,    /* too many to remember */
};

/* One sighting: `now` was read before the rest, `file` is what the name leads to, and `directory` was looked
 * at last. */
struct LinkSighting {
    struct timespec now; /* CLOCK_REALTIME_COARSE, which is what the kernel stamps files with */
    struct stat file, directory;
    const char *name;
};

void links_open(struct Links *links);
void links_done(struct Links *links);
void links_begin_pass(struct Links *links);
enum LinksAnswer links_saw(struct Links *links, const struct LinkSighting *sighting);

/* Of this pass: files that LINKS_INSIDE was not said of, and those among them whose names were all met, so
 * that another pass may prove it. */
void links_count(const struct Links *links, uint64_t *ret_left, uint64_t *ret_unproven);

/* Whether a change after `now` would have to show in `changed` (a st_ctim): stamps are as coarse as the
 * kernel's tick, and on some filesystems as a second. */
bool links_settled(const struct timespec *changed, const struct timespec *now);
bool links_same_time(const struct timespec *a, const struct timespec *b);
