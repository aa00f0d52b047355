/* An owner of a tree: keeps what it was told, and fails the test when that breaks the tree's promises (a
 * parent appears before its children and vanishes after them; no id is known twice). */
#pragma once

#include "../scratch.h"

#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>

#include <uthash.h>

#include "sense/tree.h"

struct Known {
    uint64_t id;
    char *path;
    unsigned children;
    unsigned changed[TREE_FILE_COUNT];
    UT_hash_handle hh;
};

struct Witness {
    struct Tree tree;
    struct Known *known; /* by path */
    unsigned appeared, vanished, degraded, crowded;
    bool watch_files; /* as the daemon does, in `appeared` */
};

static inline struct Known *witness_find(const struct Witness *witness, const char *path)
{
    struct Known *known;

    HASH_FIND_STR(witness->known, path, known);
    return known;
}

static inline struct Known *witness_parent(const struct Witness *witness, const char *path)
{
    char parent[PATH_MAX];

    snprintf(parent, sizeof(parent), "%s", path);
    if (!strrchr(parent, '/'))
        return NULL;
    *strrchr(parent, '/') = '\0';
    assert_non_null(witness_find(witness, parent));
    return witness_find(witness, parent);
}

static inline void witness_appeared(void *userdata, uint64_t id, const char *path, int dir_fd)
{
    struct Witness *witness = userdata;
    struct Known *parent = witness_parent(witness, path), *known = calloc(1, sizeof(*known));
    struct stat st;

    assert_null(witness_find(witness, path));
    assert_non_null(known);
    assert_int_equal(fstat(dir_fd, &st), 0);
    assert_int_equal(st.st_ino, id);
    known->id = id;
    known->path = strdup(path);
    HASH_ADD_KEYPTR(hh, witness->known, known->path, strlen(known->path), known);
    if (parent)
        parent->children++;
    witness->appeared++;
    if (witness->watch_files)
        tree_watch_file(&witness->tree, id, dir_fd, "pids.events", TREE_PIDS_EVENTS);
}

static inline void witness_forget(struct Witness *witness, struct Known *known)
{
    HASH_DELETE(hh, witness->known, known);
    free(known->path);
    free(known);
}

static inline void witness_vanished(void *userdata, uint64_t id, const char *path)
{
    struct Witness *witness = userdata;
    struct Known *known = witness_find(witness, path), *parent = witness_parent(witness, path);

    assert_non_null(known);
    assert_int_equal(known->id, id);
    assert_int_equal(known->children, 0);
    if (parent)
        parent->children--;
    witness_forget(witness, known);
    witness->vanished++;
}

static inline void witness_changed(void *userdata, uint64_t id, enum TreeFile file)
{
    struct Witness *witness = userdata;

    for (struct Known *known = witness->known; known; known = known->hh.next)
        if (known->id == id)
            known->changed[file]++;
}

static inline void witness_degraded(void *userdata, const char *why)
{
    struct Witness *witness = userdata;

    assert_true(why[0] != '\0');
    witness->degraded++;
}

static inline void witness_crowded(void *userdata, uint64_t id)
{
    struct Witness *witness = userdata;

    assert_true(id != 0);
    witness->crowded++;
}

static inline int witness_open(struct Witness *witness, const char *root)
{
    static const struct TreeEvents events = {
        .appeared = witness_appeared,
        .vanished = witness_vanished,
        .changed = witness_changed,
        .degraded = witness_degraded,
        .crowded = witness_crowded,
    };

    return tree_open(&witness->tree, root, &events, witness);
}

static inline void witness_done(struct Witness *witness)
{
    struct Known *known, *next;

    tree_close(&witness->tree);
    HASH_ITER (hh, witness->known, known, next)
        witness_forget(witness, known);
}

static inline bool witness_poll(const struct Witness *witness, int timeout_msec)
{
    struct pollfd p = {.fd = tree_fd(&witness->tree), .events = POLLIN};

    return poll(&p, 1, timeout_msec) > 0;
}

/* Handles everything that waits. */
static inline void witness_drain(struct Witness *witness)
{
    while (witness_poll(witness, 0))
        assert_int_equal(tree_dispatch(&witness->tree), 0);
}

/* Watches that the kernel holds for this tree: what is removed must not go on counting. */
static inline unsigned witness_kernel_watches(const struct Witness *witness)
{
    char path[64], line[512];
    unsigned n = 0;
    FILE *info;

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", tree_fd(&witness->tree));
    info = fopen(path, "re");
    assert_non_null(info);
    while (fgets(line, sizeof(line), info))
        n += strncmp(line, "inotify ", 8) == 0;
    fclose(info);
    return n;
}
