/* What the tree knows: a node for each cgroup directory, found by its id, its path and its watch, and
 * linked to its parent and children. No descriptor is kept: there may be thousands. Private to sense/. */
#pragma once

#include <uthash.h>

#include "sense/tree.h"

/* One event file of a cgroup. Wanted without a watch: the kernel gave none, a sweep stands in for it. */
struct TreeWatch {
    bool wanted;
    int wd; /* -1: no watch */
    uint64_t id;
    enum TreeFile file;
    UT_hash_handle hh;
};

struct TreeNode {
    uint64_t id;
    char *path; /* owned */
    int wd;     /* -1: no watch */
    struct TreeNode *parent;
    struct TreeNode *children, *prev, *next; /* the ones not seen for longest come first */
    struct TreeNode *bound; /* the outermost one around it that is bound, or itself; or NULL */
    size_t n_below;         /* of a bound one: those that are known and have it as theirs */
    bool crowded;           /* there are more: none is taken in before half of them are gone */
    bool told, relieved;    /* of that; and to be listed again */
    uint64_t listing;       /* the last one that saw it */
    bool queued;
    struct TreeNode *queue_prev, *queue_next;
    struct TreeWatch files[TREE_FILE_COUNT];
    UT_hash_handle hh, by_path, by_watch;
};

/* NULL: no memory. `parent` is NULL for the root. `wd` may be -1; on success the node owns that watch. */
struct TreeNode *node_new(struct Tree *tree, struct TreeNode *parent, uint64_t id, const char *path, int wd);
/* It and what is below it have `bound` from now on. */
void node_bind(struct TreeNode *bound);
/* Takes a node that has no children out of everything, its watches included. Free it afterwards. */
void node_remove(struct Tree *tree, struct TreeNode *node);
struct TreeNode *node_free(struct TreeNode *node);

struct TreeNode *node_by_id(const struct Tree *tree, uint64_t id);
struct TreeNode *node_by_path(const struct Tree *tree, const char *path);
struct TreeNode *node_by_watch(const struct Tree *tree, int wd);
struct TreeWatch *file_by_watch(const struct Tree *tree, int wd);

/* The last component of its path. */
const char *node_name(const struct TreeNode *node);
bool node_is_within(const struct TreeNode *node, uint64_t id);

/* -ENOMEM: without the watch as before. */
int node_set_watch(struct Tree *tree, struct TreeNode *node, int wd);
int file_set_watch(struct Tree *tree, struct TreeWatch *file, int wd);
/* The kernel dropped the watch, or is told to. */
void node_drop_watch(struct Tree *tree, struct TreeNode *node);
void file_drop_watch(struct Tree *tree, struct TreeWatch *file);

/* The listing under way saw this child. */
void node_seen(struct Tree *tree, struct TreeNode *node);
void node_enqueue(struct Tree *tree, struct TreeNode *node);
/* The next directory to be listed, NULL when none is left. */
struct TreeNode *node_dequeue(struct Tree *tree);
