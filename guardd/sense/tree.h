/* The cgroup tree, by inotify: which cgroups there are, and which of their event files changed.
 *
 * Every directory is watched for mkdir and rmdir; the watch is set before its children are listed, so
 * that one made meanwhile is seen by the watch, the listing or both, never by neither. Identity is the
 * inode number, taken from the open directory. A change is a hint to read the counters again: notifications
 * coalesce. IN_Q_OVERFLOW: everything is scanned again and every watched file is taken as changed.
 * When the kernel gives no more watches (ENOSPC), the tree goes on with what it has, is `degraded`, and
 * tree_sweep(), called now and then, finds what no watch announces. The same when a cgroup cannot be opened
 * (EMFILE): the next sweep tries again.
 *
 * Watches are the whole host's, and who may make cgroups could take them all. So of what is in a cgroup that
 * is bound no more than TREE_MOST_BELOW are known; those beyond are met when half of these are gone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TREE_MOST_BELOW 1024

struct TreeNode;  /* node.h; uthash by cgroup id, by path, and by watch descriptor */
struct TreeWatch; /* node.h; uthash by watch descriptor */

enum TreeFile {
    TREE_CGROUP_EVENTS, /* cgroup.events */
    TREE_PIDS_EVENTS,   /* pids.events */
    TREE_MEMORY_EVENTS, /* memory.events.local */
    TREE_FILE_COUNT,
};

/* What the owner is told, all five of it. `dir_fd` is borrowed. A parent appears before its children and
 * vanishes after them. Callbacks may call tree_watch_file() and tree_bind(); nothing else of the tree. */
struct TreeEvents {
    void (*appeared)(void *userdata, uint64_t id, const char *path, int dir_fd);
    void (*vanished)(void *userdata, uint64_t id, const char *path);
    void (*changed)(void *userdata, uint64_t id, enum TreeFile file);
    void (*degraded)(void *userdata, const char *why); /* once; names the sysctl */
    void (*crowded)(void *userdata,
                    uint64_t id); /* once for each: a bound one has more in it than are known */
};

struct Tree {
    int root_fd, inotify_fd;
    dev_t root_dev; /* what is mounted on a cgroup is no cgroup */
    char *root_path;
    struct TreeNode *root; /* known as path "", never reported */
    struct TreeNode *nodes;
    struct TreeNode *nodes_by_path;
    struct TreeNode *nodes_by_watch;
    struct TreeWatch *watches;
    struct TreeNode *queue; /* directories still to be listed */
    struct TreeEvents events;
    void *userdata;
    bool degraded;
    char degraded_why[256];
    bool relieved;    /* some node is */
    uint64_t listing; /* number of the one under way */
};

/* Opens the root and the inotify instance; finds nothing yet. A failing inotify_init1 (EMFILE) is no
 * failure: the tree begins degraded. -ENOTDIR, -ENOENT, -EACCES for the root. */
int tree_open(struct Tree *tree, const char *root_path, const struct TreeEvents *events, void *userdata);
void tree_close(struct Tree *tree);

/* Lists the whole tree; `appeared` and `vanished` are called for every difference to what is known. The
 * root itself (path "") does not appear. A cgroup that cannot be looked at (-EMFILE, -EACCES, -ENOMEM) does
 * not stop the scan; the first such error is returned. */
int tree_scan(struct Tree *tree);
/* The same, and every file that was to be watched is reported as changed. For when the tree is degraded. */
int tree_sweep(struct Tree *tree);

/* To be polled for input; -EBADF when there is no inotify instance. */
int tree_fd(const struct Tree *tree);
/* Reads and handles the events that wait, a bounded number at once. Allocates only when a cgroup appears.
 * Errors as of tree_scan(): the rest was handled, and the tree is degraded. */
int tree_dispatch(struct Tree *tree);

/* Announces changes of this file of cgroup `id`. `dir_fd` is borrowed. Forgotten by itself when the file
 * vanishes. A second call for the same file changes nothing. -ENOENT: no such file; -ENOSPC: no more watches
 * (degraded; tree_sweep() reports the file all the same). */
int tree_watch_file(struct Tree *tree, uint64_t id, int dir_fd, const char *name, enum TreeFile file);

/* Somebody may make cgroups in this one: see above. One within another that is bound counts for that one.
 * -ENOENT. */
int tree_bind(struct Tree *tree, uint64_t id);

/* Every known cgroup, parents before their children. A cgroup that cannot be opened now comes with a negative
 * errno for its `dir_fd`. */
void tree_for_each(const struct Tree *tree,
                   void (*each)(void *userdata, uint64_t id, const char *path, int dir_fd), void *userdata);
/* Opens the directory of a known cgroup: the id is checked. -ENOENT when it is gone. Caller closes. */
int tree_open_node(const struct Tree *tree, uint64_t id);
