/* A mount table, /proc/PID/mountinfo, read by libmount. Whoever owns the mount namespace wrote its paths and
 * options; device number and root are the kernel's own word. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct Mount {
    int id, parent; /* parent: the mount it stands on */
    dev_t dev;
    char *root;   /* the directory of that filesystem that is mounted: "/" or a part of it */
    char *path;   /* mount point, in the namespace that was read */
    char *type;   /* xfs, ext4, overlay, tmpfs */
    char *source; /* /dev/vdb, overlay */
    char *upper;  /* of an overlay: its upperdir= and workdir=, in the namespace of whoever mounted it; else
                     NULL */
    char *work;
    bool read_only; /* the mount or the filesystem */
};

/* In the order of the file. All owned. */
struct Mounts {
    struct Mount *list;
    size_t n;
    bool truncated; /* there are more than are read (16384): what is not here may still be mounted */
};

/* Reads a file of mountinfo(5) format, and passes over lines that are none. -ENOENT, -ESRCH: the process is
 * gone; -EBADMSG: not a line of it is; -ENOMEM. */
int mounts_read(const char *file, struct Mounts *ret);
void mounts_done(struct Mounts *mounts);

/* What is mounted at exactly this path and seen there; NULL. */
const struct Mount *mounts_at(const struct Mounts *mounts, const char *path);
/* The mount that a path lies on: the one with the longest mount point above it (the last of equals), unless
 * that is covered by another one; NULL. */
const struct Mount *mounts_holding(const struct Mounts *mounts, const char *path);
/* Where `directory` of the filesystem `dev` (as counted from that filesystem's root) is seen in this table: a
 * newly allocated path, through a mount that is not covered by another one. Of several the first one that is
 * one of the paths `preferred` (NULL-terminated; NULL: none) or lies below one is taken, else the first one;
 * either way a writable mount sooner than one that is not. -ENOENT: not mounted here. */
int mounts_locate(const struct Mounts *mounts, dev_t dev, const char *directory, char *const *preferred,
                  char **ret_path);
