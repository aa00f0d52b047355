/* The known cgroups as a tree of nodes, with an index by id (what owners ask for), by path (what an
 * event's directory and name lead to) and by watch descriptor (what an event carries). A node is in all
 * of them or in none. */
#define HASH_NONFATAL_OOM 1 /* a failed add leaves hh.tbl NULL; looked at after each one */

#include "sense/node.h"

#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include <utlist.h>

#include "base/error.h"

struct TreeNode *node_by_id(const struct Tree *tree, uint64_t id)
{
    struct TreeNode *node;

    HASH_FIND(hh, tree->nodes, &id, sizeof(id), node);
    return node;
}

struct TreeNode *node_by_path(const struct Tree *tree, const char *path)
{
    struct TreeNode *node;

    HASH_FIND(by_path, tree->nodes_by_path, path, strlen(path), node);
    return node;
}

struct TreeNode *node_by_watch(const struct Tree *tree, int wd)
{
    struct TreeNode *node;

    HASH_FIND(by_watch, tree->nodes_by_watch, &wd, sizeof(wd), node);
    return node;
}

struct TreeWatch *file_by_watch(const struct Tree *tree, int wd)
{
    struct TreeWatch *file;

    HASH_FIND(hh, tree->watches, &wd, sizeof(wd), file);
    return file;
}

const char *node_name(const struct TreeNode *node)
{
    const char *slash = strrchr(node->path, '/');

    return slash ? slash + 1 : node->path;
}

bool node_is_within(const struct TreeNode *node, uint64_t id)
{
    for (; node; node = node->parent)
        if (node->id == id)
            return true;
    return false;
}

int node_set_watch(struct Tree *tree, struct TreeNode *node, int wd)
{
    node->wd = wd;
    HASH_ADD(by_watch, tree->nodes_by_watch, wd, sizeof(node->wd), node);
    if (node->by_watch.tbl)
        return 0;
    node->wd = -1;
    return -ENOMEM;
}

int file_set_watch(struct Tree *tree, struct TreeWatch *file, int wd)
{
    file->wd = wd;
    HASH_ADD(hh, tree->watches, wd, sizeof(file->wd), file);
    if (file->hh.tbl)
        return 0;
    file->wd = -1;
    return -ENOMEM;
}

/* cgroupfs keeps a watch on a removed directory until it is told otherwise, and it counts against
 * max_user_watches. A plain file system has dropped it by then: the error says nothing. */
static void remove_watch(const struct Tree *tree, int wd)
{
    int saved = errno;

    inotify_rm_watch(tree->inotify_fd, wd);
    errno = saved;
}

void node_drop_watch(struct Tree *tree, struct TreeNode *node)
{
    if (node->wd < 0)
        return;
    HASH_DELETE(by_watch, tree->nodes_by_watch, node);
    remove_watch(tree, node->wd);
    node->wd = -1;
}

void file_drop_watch(struct Tree *tree, struct TreeWatch *file)
{
    if (file->wd < 0)
        return;
    /* It is in the table, so there is one. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    HASH_DELETE(hh, tree->watches, file);
    remove_watch(tree, file->wd);
    file->wd = -1;
}

static struct TreeNode *node_alloc(struct TreeNode *parent, uint64_t id, const char *path)
{
    struct TreeNode *node = calloc(1, sizeof(*node));

    if (!node)
        return NULL;
    node->id = id;
    node->wd = -1;
    node->parent = parent;
    node->path = strdup(path);
    for (int i = 0; i < TREE_FILE_COUNT; i++)
        node->files[i] = (struct TreeWatch){.wd = -1, .id = id, .file = (enum TreeFile)i};
    return node->path ? node : node_free(node);
}

/* Into both indexes or none. */
static bool node_index(struct Tree *tree, struct TreeNode *node)
{
    HASH_ADD(hh, tree->nodes, id, sizeof(node->id), node);
    if (!node->hh.tbl)
        return false;
    HASH_ADD_KEYPTR(by_path, tree->nodes_by_path, node->path, strlen(node->path), node);
    if (node->by_path.tbl)
        return true;
    HASH_DELETE(hh, tree->nodes, node);
    return false;
}

static void node_unindex(struct Tree *tree, struct TreeNode *node)
{
    HASH_DELETE(by_path, tree->nodes_by_path, node);
    HASH_DELETE(hh, tree->nodes, node);
}

struct TreeNode *node_new(struct Tree *tree, struct TreeNode *parent, uint64_t id, const char *path, int wd)
{
    struct TreeNode *node = node_alloc(parent, id, path);

    if (!node)
        return NULL;
    if (!node_index(tree, node))
        return node_free(node);
    if (wd >= 0 && node_set_watch(tree, node, wd) < 0) {
        node_unindex(tree, node);
        return node_free(node);
    }
    node->listing = tree->listing;
    if (!parent)
        return node;
    DL_APPEND(parent->children, node);
    node->bound = parent->bound;
    if (node->bound)
        node->bound->n_below++;
    return node;
}

/* The next one of the subtree, parents first. */
static struct TreeNode *next_within(const struct TreeNode *top, struct TreeNode *node)
{
    if (node->children)
        return node->children;
    while (node != top && !node->next)
        node = node->parent;
    return node == top ? NULL : node->next;
}

void node_bind(struct TreeNode *bound)
{
    bound->bound = bound;
    bound->n_below = 0;
    for (struct TreeNode *node = next_within(bound, bound); node; node = next_within(bound, node)) {
        node->bound = bound;
        bound->n_below++;
    }
}

static void leave_bound(struct Tree *tree, struct TreeNode *node)
{
    struct TreeNode *bound = node->bound;

    node->bound = NULL;
    if (!bound || bound == node)
        return;
    bound->n_below--;
    if (!bound->crowded || bound->n_below > TREE_MOST_BELOW / 2)
        return;
    bound->crowded = false;
    bound->relieved = tree->relieved = true;
}

void node_remove(struct Tree *tree, struct TreeNode *node)
{
    for (int i = 0; i < TREE_FILE_COUNT; i++)
        file_drop_watch(tree, &node->files[i]);
    node_drop_watch(tree, node);
    node_unindex(tree, node);
    if (node->queued)
        DL_DELETE2(tree->queue, node, queue_prev, queue_next);
    node->queued = false;
    leave_bound(tree, node);
    if (node->parent)
        DL_DELETE(node->parent->children, node);
    node->parent = NULL;
}

struct TreeNode *node_free(struct TreeNode *node)
{
    if (node)
        free(node->path);
    free(node);
    return NULL;
}

/* Behind its sisters: the ones that a listing did not see are then the first. */
void node_seen(struct Tree *tree, struct TreeNode *node)
{
    node->listing = tree->listing;
    if (!node->parent)
        return;
    DL_DELETE(node->parent->children, node);
    DL_APPEND(node->parent->children, node);
}

void node_enqueue(struct Tree *tree, struct TreeNode *node)
{
    if (node->queued)
        return;
    DL_APPEND2(tree->queue, node, queue_prev, queue_next);
    node->queued = true;
}

struct TreeNode *node_dequeue(struct Tree *tree)
{
    struct TreeNode *node = tree->queue;

    if (!node)
        return NULL;
    DL_DELETE2(tree->queue, node, queue_prev, queue_next);
    node->queued = false;
    return node;
}
