/* The tagger: gives every file of a tree its project id. THE TREE BELONGS TO AN ENEMY who renames, links and
 * replaces while it is walked. See tagger.c for why no file outside can be reached.
 *
 * One call may take long (it is the worker's thread that calls); it can be stopped, and begun again: what has
 * the id already is only looked at. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum TagMode {
    TAG_ADOPT,  /* what has no project, or one of guardd's own range, gets `project`; another's stays */
    TAG_REPAIR, /* everything gets it */
    TAG_CLEAR,  /* what has `project` gets none, and no flag */
    TAG_CHECK,  /* nothing is changed: what is wrong is counted */
};

struct TagOrder {
    const char
        *path; /* of the root, absolute, a directory or one regular file; opened without following any link */
    dev_t dev;
    ino_t inode; /* it must be this directory */
    uint32_t project;
    uint32_t first_project, last_project; /* guardd's own range */
    enum TagMode mode;
};

/* Counted as the walk goes; may be read from another thread. Of files and directories alike. */
struct TagCount {
    atomic_uint_fast64_t seen, changed;
    atomic_uint_fast64_t wrong;   /* TAG_CHECK: has not the id, or is a directory that does not hand it on */
    atomic_uint_fast64_t linked;  /* passed over: a file with names that are not proven to be in this tree */
    atomic_uint_fast64_t foreign; /* passed over: has another's project id; a directory with all below */
    atomic_uint_fast64_t failed;  /* passed over: could not be opened or set */
};

/* Returns 0 when a last pass found nothing more to change; TAG_STOPPED; -ENOENT, -ESTALE: the root is gone or
 * is another directory now, or a link stands in its path; -EROFS; -EOPNOTSUPP, -ENOTTY: no projects there;
 * -EDQUOT, -ENOSPC: the filesystem could not write some of it (they are in `failed`, all else is done);
 * -EMFILE, -ENFILE, -ENOMEM; -EAGAIN: it was changed faster than it could be walked (what was reached is
 * tagged). A root that is another's in TAG_ADOPT is passed over: 0, and foreign is 1. */
#define TAG_STOPPED 1
int tag_tree(const struct TagOrder *order, struct TagCount *count, const atomic_bool *stop);

/* The project id of one directory and whether it hands it on; opened as above. */
int tag_read(const char *path, uint32_t *ret_project, bool *ret_inherits);
