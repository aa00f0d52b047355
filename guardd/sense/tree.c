/* An inotify event says no more than "somebody did something to this name in this directory". What is
 * known is then made to agree with what stands there now: look_at() opens the name, compares, and
 * reports what vanished and appeared. Scans, sweeps and events all end in it, so that their order does
 * not matter, and an event that comes late, twice, or after the name was taken again does no harm.
 *
 * Why nothing that stays is missed: look_at() sets the watch on a directory before anyone lists it, and
 * the listing comes after the owner was told of the directory. A child made before the listing is listed;
 * one made after the watch is announced. By induction from the root that holds for all.
 *
 * Directories still to be listed stand in a queue: a tenant decides how deep its subtree is, so nothing
 * here recurses. */
#include "sense/tree.h"

#include <fcntl.h>
#include <limits.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "sense/node.h"

#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define WATCH_DIRECTORY (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_ONLYDIR)
#define DISPATCH_BYTES (16 * 1024)
#define SWEPT "new cgroups and refused forks are found only by a slow sweep"

static __attribute__((format(printf, 2, 3))) void degrade(struct Tree *tree, const char *format, ...)
{
    va_list args;

    if (tree->degraded)
        return;
    tree->degraded = true;
    va_start(args, format);
    vsnprintf(tree->degraded_why, sizeof(tree->degraded_why), format, args);
    va_end(args);
    tree->events.degraded(tree->userdata, tree->degraded_why);
}

static void degrade_no_watch(struct Tree *tree, int error)
{
    if (error == -ENOSPC)
        degrade(tree, "the kernel gives no more inotify watches: " SWEPT
                      "; raise the sysctl fs.inotify.max_user_watches");
    else
        degrade(tree, "cannot set an inotify watch (%s): " SWEPT, strerror(-error));
}

static void degrade_no_open(struct Tree *tree, const char *path, int error)
{
    if (error == -EMFILE || error == -ENFILE)
        degrade(tree, "too many open files: cgroups are not guarded until a slow sweep can open them; "
                      "raise LimitNOFILE= of guardd.service");
    else
        degrade(tree, "cannot look at cgroup %.80s (%s): it and what is in it are not guarded", path,
                strerror(-error));
}

/* Reports a whole subtree as vanished, children first. */
static void vanish(struct Tree *tree, struct TreeNode *top)
{
    struct TreeNode *node = top, *parent;
    bool last;

    do {
        while (node->children)
            node = node->children;
        parent = node->parent;
        last = node == top;
        node_remove(tree, node);
        tree->events.vanished(tree->userdata, node->id, node->path);
        node_free(node);
        node = parent;
    } while (!last);
}

/* Sets the watch through the open directory: it cannot end up on another one that took the name. Setting
 * it again returns the same descriptor, which makes it a proof of identity. Returns it, or < 0. */
static int watch_directory(struct Tree *tree, int dir_fd)
{
    char path[64];
    int wd;

    if (tree->inotify_fd < 0)
        return -EBADF;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", dir_fd);
    wd = inotify_add_watch(tree->inotify_fd, path, WATCH_DIRECTORY);
    if (wd >= 0)
        return wd;
    wd = negative_errno();
    degrade_no_watch(tree, wd);
    return wd;
}

/* Opens what stands under a name. -ENOENT: no cgroup does. */
static int open_child(const struct Tree *tree, int dir_fd, const char *name, uint64_t *ret_id)
{
    _cleanup_fd_ int fd = openat(dir_fd, name, OPEN_DIRECTORY);
    struct stat st;

    if (fd < 0)
        return errno == ENODEV || errno == ENOTDIR || errno == ELOOP ? -ENOENT : negative_errno();
    if (fstat(fd, &st) < 0)
        return negative_errno();
    if (st.st_dev != tree->root_dev)
        return -ENOENT;
    *ret_id = st.st_ino;
    return take_fd(&fd);
}

/* Can this watch be that of the known node? Without a watch on either side the id must do. */
static bool same_watch(const struct TreeNode *node, int wd)
{
    return wd < 0 || node->wd < 0 || wd == node->wd;
}

static int still_there(struct Tree *tree, struct TreeNode *node, int wd, bool full)
{
    bool newly_watched = wd >= 0 && node->wd < 0;

    node_seen(tree, node);
    if (newly_watched && node_set_watch(tree, node, wd) < 0)
        return -ENOMEM;
    if (full || newly_watched)
        node_enqueue(tree, node);
    return 0;
}

static int appear(struct Tree *tree, struct TreeNode *dir, uint64_t id, const char *path, int fd, int wd)
{
    struct TreeNode *node = node_new(tree, dir, id, path, wd);

    if (!node) {
        if (wd >= 0)
            inotify_rm_watch(tree->inotify_fd, wd);
        degrade_no_open(tree, path, -ENOMEM);
        return -ENOMEM;
    }
    node_enqueue(tree, node);
    tree->events.appeared(tree->userdata, id, path, fd);
    return 0;
}

/* Makes what is known of one open directory agree with it. */
static int reconcile(struct Tree *tree, struct TreeNode *dir, uint64_t id, const char *path, int fd,
                     bool full)
{
    struct TreeNode *at_path = node_by_path(tree, path), *same = node_by_id(tree, id);
    int wd;

    if (node_is_within(dir, id))
        return 0; /* a bind mount of an ancestor: following it would never end */
    if (at_path && at_path != same)
        vanish(tree, at_path);
    /* Looked up again: it may have been below the one that vanished. */
    same = node_by_id(tree, id);
    if (same && strcmp(same->path, path) != 0) {
        vanish(tree, same); /* its number was given to a new directory, or it was moved */
        same = NULL;
    }
    wd = watch_directory(tree, fd);
    if (same && same_watch(same, wd))
        return still_there(tree, same, wd, full);
    if (same)
        vanish(tree, same);
    return appear(tree, dir, id, path, fd, wd);
}

/* Nothing more is taken in where this directory is. */
static bool is_full(const struct TreeNode *dir)
{
    return dir->bound && (dir->bound->crowded || dir->bound->n_below >= TREE_MOST_BELOW);
}

static void turn_away(struct Tree *tree, struct TreeNode *bound)
{
    bound->crowded = true;
    if (!bound->told)
        tree->events.crowded(tree->userdata, bound->id);
    bound->told = true;
}

/* Looks what stands under a name now. `full`: what is known is to be listed again as well. A path longer
 * than PATH_MAX cannot be opened and is passed over: what holds for the cgroup above holds for it too. */
static int look_at(struct Tree *tree, struct TreeNode *dir, int dir_fd, const char *name, bool full)
{
    _cleanup_fd_ int fd = -EBADF;
    struct TreeNode *known;
    char path[PATH_MAX];
    uint64_t id;
    int n;

    n = snprintf(path, sizeof(path), "%s%s%s", dir->path, dir->parent ? "/" : "", name);
    if (n < 0 || (size_t)n >= sizeof(path))
        return 0;
    known = node_by_path(tree, path);
    if (!known && is_full(dir)) {
        turn_away(tree, dir->bound);
        return 0;
    }
    fd = open_child(tree, dir_fd, name, &id);
    if (fd >= 0)
        return reconcile(tree, dir, id, path, fd, full);
    if (fd != -ENOENT) {
        degrade_no_open(tree, path, fd);
        return fd;
    }
    if (known)
        vanish(tree, known);
    return 0;
}

/* Opens a known directory to look into it; the node is gone afterwards where the directory is. */
static int enter(struct Tree *tree, struct TreeNode *dir)
{
    int fd = tree_open_node(tree, dir->id);

    if (fd == -ENOENT && dir->parent)
        vanish(tree, dir);
    else if (fd < 0)
        degrade_no_open(tree, dir->path, fd);
    return fd;
}

static bool may_be_cgroup(const struct dirent *entry)
{
    return (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) && strcmp(entry->d_name, ".") != 0 &&
           strcmp(entry->d_name, "..") != 0;
}

/* A child that the listing did not show is not taken for gone before it was looked for. */
static int look_for_unseen(struct Tree *tree, struct TreeNode *dir, int dir_fd, bool full)
{
    char name[NAME_MAX + 1];
    int r = 0;

    while (dir->children && dir->children->listing != tree->listing) {
        struct TreeNode *child = dir->children;
        int q;

        snprintf(name, sizeof(name), "%s", node_name(child)); /* look_at() may free the child */
        node_seen(tree, child);
        q = look_at(tree, dir, dir_fd, name, full);
        r = r < 0 ? r : q;
    }
    return r;
}

static int list_directory(struct Tree *tree, struct TreeNode *dir, bool full)
{
    _cleanup_dir_ DIR *list = NULL;
    struct dirent *entry;
    int fd = enter(tree, dir), r = 0, q;

    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    list = fdopendir(fd);
    if (!list) {
        r = negative_errno();
        fd_close(fd);
        degrade_no_open(tree, dir->path, r);
        return r;
    }
    tree->listing++;
    while ((void)(errno = 0), (entry = readdir(list))) {
        q = may_be_cgroup(entry) ? look_at(tree, dir, fd, entry->d_name, full) : 0;
        r = r < 0 ? r : q;
    }
    if (errno != 0 && errno != ENOENT) {
        q = negative_errno();
        degrade_no_open(tree, dir->path, q);
        r = r < 0 ? r : q;
    }
    q = look_for_unseen(tree, dir, fd, full);
    return r < 0 ? r : q;
}

static int list_queued(struct Tree *tree, bool full)
{
    struct TreeNode *dir;
    int r = 0;

    while ((dir = node_dequeue(tree))) {
        int q = list_directory(tree, dir, full);

        r = r < 0 ? r : q;
    }
    return r;
}

/* What was turned away may come in. */
static int list_relieved(struct Tree *tree)
{
    struct TreeNode *node, *next;

    if (!tree->relieved)
        return 0;
    tree->relieved = false;
    HASH_ITER (hh, tree->nodes, node, next) {
        if (node->relieved)
            node_enqueue(tree, node);
        node->relieved = false;
    }
    return list_queued(tree, true);
}

int tree_scan(struct Tree *tree)
{
    node_enqueue(tree, tree->root);
    return list_queued(tree, true);
}

int tree_sweep(struct Tree *tree)
{
    struct TreeNode *node, *next;
    int r = tree_scan(tree);

    HASH_ITER (hh, tree->nodes, node, next)
        for (int i = 0; i < TREE_FILE_COUNT; i++)
            if (node->files[i].wanted)
                tree->events.changed(tree->userdata, node->id, (enum TreeFile)i);
    return r;
}

/* Somebody made or removed a directory of this name. */
static int name_changed(struct Tree *tree, struct TreeNode *dir, const char *name)
{
    _cleanup_fd_ int fd = enter(tree, dir);
    int r, q;

    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    r = look_at(tree, dir, fd, name, false);
    q = list_queued(tree, false);
    return r < 0 ? r : q;
}

static void directory_gone(struct Tree *tree, struct TreeNode *dir)
{
    if (dir->parent) {
        vanish(tree, dir);
        return;
    }
    node_drop_watch(tree, dir);
    degrade(tree, "the root of the cgroup tree was unmounted or removed: " SWEPT);
}

static int file_event(struct Tree *tree, struct TreeWatch *file, uint32_t mask)
{
    if (mask & IN_MODIFY)
        tree->events.changed(tree->userdata, file->id, file->file);
    if (mask & IN_IGNORED) {
        file_drop_watch(tree, file);
        file->wanted = false;
    }
    return 0;
}

/* A watch that is not known was taken off after the event was queued. */
static int handle_event(struct Tree *tree, const struct inotify_event *event)
{
    struct TreeWatch *file;
    struct TreeNode *dir;

    if (event->mask & IN_Q_OVERFLOW)
        return tree_sweep(tree);
    file = file_by_watch(tree, event->wd);
    if (file)
        return file_event(tree, file, event->mask);
    dir = node_by_watch(tree, event->wd);
    if (!dir)
        return 0;
    if (event->mask & (IN_DELETE_SELF | IN_IGNORED)) {
        directory_gone(tree, dir);
        return 0;
    }
    if (!(event->mask & IN_ISDIR) || event->len == 0)
        return 0;
    return name_changed(tree, dir, event->name);
}

int tree_dispatch(struct Tree *tree)
{
    alignas(struct inotify_event) char buf[DISPATCH_BYTES];
    ssize_t length;
    int r = 0, q;

    do
        length = read(tree->inotify_fd, buf, sizeof(buf));
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return errno == EAGAIN ? 0 : negative_errno();
    for (ssize_t at = 0; at < length;) {
        const struct inotify_event *event = (const void *)(buf + at);

        q = handle_event(tree, event);
        r = r < 0 ? r : q;
        at += (ssize_t)(sizeof(*event) + event->len);
    }
    q = list_relieved(tree);
    return r < 0 ? r : q;
}

int tree_fd(const struct Tree *tree)
{
    return tree->inotify_fd;
}

int tree_watch_file(struct Tree *tree, uint64_t id, int dir_fd, const char *name, enum TreeFile file)
{
    struct TreeNode *node = node_by_id(tree, id);
    char path[64 + NAME_MAX];
    int wd;

    if (!node)
        return -ENOENT;
    if (node->files[file].wd >= 0)
        return 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir_fd, name);
    wd = tree->inotify_fd < 0 ? -ENOSPC : inotify_add_watch(tree->inotify_fd, path, IN_MODIFY);
    if (wd == -1)
        wd = negative_errno();
    if (error_is_gone(wd))
        return -ENOENT;
    node->files[file].wanted = true;
    if (wd >= 0)
        return file_set_watch(tree, &node->files[file], wd);
    degrade_no_watch(tree, wd);
    return wd;
}

int tree_bind(struct Tree *tree, uint64_t id)
{
    struct TreeNode *node = node_by_id(tree, id);

    if (!node)
        return -ENOENT;
    if (!node->bound)
        node_bind(node);
    return 0;
}

int tree_open_node(const struct Tree *tree, uint64_t id)
{
    const struct TreeNode *node = node_by_id(tree, id);
    uint64_t found = 0;
    int fd;

    if (!node)
        return -ENOENT;
    fd = open_child(tree, tree->root_fd, node->parent ? node->path : ".", &found);
    if (fd < 0 || found == id)
        return fd;
    fd_close(fd);
    return -ENOENT;
}

/* In the order in which they appeared, which uthash keeps: parents first. */
void tree_for_each(const struct Tree *tree,
                   void (*each)(void *userdata, uint64_t id, const char *path, int dir_fd), void *userdata)
{
    struct TreeNode *node, *next;

    HASH_ITER (hh, tree->nodes, node, next) {
        _cleanup_fd_ int fd = -EBADF;

        if (!node->parent)
            continue;
        fd = tree_open_node(tree, node->id);
        each(userdata, node->id, node->path, fd);
    }
}

static void open_inotify(struct Tree *tree)
{
    tree->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (tree->inotify_fd >= 0)
        return;
    degrade(tree,
            "no inotify instance (%s): " SWEPT
            "; raise the sysctl fs.inotify.max_user_instances, or LimitNOFILE= of guardd.service",
            strerror(errno));
    tree->inotify_fd = -EBADF;
}

static int open_root(struct Tree *tree)
{
    struct stat st;
    int wd;

    tree->root_fd = open(tree->root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (tree->root_fd < 0 || fstat(tree->root_fd, &st) < 0)
        return negative_errno();
    tree->root_dev = st.st_dev;
    open_inotify(tree);
    wd = watch_directory(tree, tree->root_fd);
    tree->root = node_new(tree, NULL, st.st_ino, "", wd);
    return tree->root ? 0 : -ENOMEM;
}

int tree_open(struct Tree *tree, const char *root_path, const struct TreeEvents *events, void *userdata)
{
    int r;

    *tree = (struct Tree){.root_fd = -EBADF, .inotify_fd = -EBADF, .events = *events, .userdata = userdata};
    tree->root_path = strdup(root_path);
    r = tree->root_path ? open_root(tree) : -ENOMEM;
    if (r < 0)
        tree_close(tree);
    return r;
}

/* One index after the other: no node is looked up any more. Closing inotify drops every watch. */
void tree_close(struct Tree *tree)
{
    struct TreeNode *node, *next;

    HASH_CLEAR(by_path, tree->nodes_by_path);
    HASH_CLEAR(by_watch, tree->nodes_by_watch);
    HASH_CLEAR(hh, tree->watches);
    HASH_ITER (hh, tree->nodes, node, next) {
        HASH_DELETE(hh, tree->nodes, node);
        node_free(node);
    }
    fd_close(tree->inotify_fd);
    fd_close(tree->root_fd);
    free(tree->root_path);
    *tree = (struct Tree){.root_fd = -EBADF, .inotify_fd = -EBADF};
}
