/* A mount table, /proc/PID/mountinfo, read by libmount. Whoever owns the mount namespace wrote its paths and
 * options; device number and root are the kernel's own word. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct Mount {
    int id;
    dev_t dev;
    char *root;   /* the directory of that filesystem that is mounted: "/" or a part of it */
    char *path;   /* mount point, in the namespace that was read */
    char *type;   /* xfs, ext4, overlay, tmpfs */
    char *source; /* /dev/vdb, overlay */
    char *upper;  /* of an overlay: its upperdir= and workdir= as given when it was mounted; else NULL */
    char *work;
    bool read_only; /* the mount or the filesystem */
};

/* In the order of the file: of two on one mount point the later one is seen. All owned. */
struct Mounts {
    struct Mount *list;
    size_t n;
};

/* Reads a file of mountinfo(5) format. -ENOENT, -ESRCH: the process is gone; -EBADMSG: it is none; -ENOMEM.
 */
int mounts_read(const char *file, struct Mounts *ret);
void mounts_done(struct Mounts *mounts);

/* What is mounted at exactly this path, seen from outside (the last one); NULL. */
const struct Mount *mounts_at(const struct Mounts *mounts, const char *path);
/* The mount that a path lies on: the one with the longest mount point above it (the last of equals); NULL. */
const struct Mount *mounts_holding(const struct Mounts *mounts, const char *path);
/* Where `directory` of the filesystem `dev` (as counted from that filesystem's root) is seen in this table: a
 * newly allocated path, through a mount that is not covered by another one. A writable mount is preferred.
 * -ENOENT: not mounted here. */
int mounts_locate(const struct Mounts *mounts, dev_t dev, const char *directory, char **ret_path);
