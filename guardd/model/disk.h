/* What belongs to a tenant on disk: directories and files of its runtime, and on each filesystem one project
 * (a number that the kernel counts files by) with its limits. The kernel counts a filesystem at a time, so a
 * limit holds on each of them; nearly always there is one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/usec.h"
#include "model/limit.h"

enum DirectoryKind {
    DIRECTORY_LAYER,   /* what a container writes to its root: overlay's upper directory */
    DIRECTORY_WORK,    /* overlay's work directory: it counts when its layer does, and not without */
    DIRECTORY_RUNTIME, /* what the runtime has and the container can make grow: its log, hostname, hosts,
                          resolv.conf; nearly always a regular file, not a directory */
    DIRECTORY_VOLUME,  /* a volume or bind mount */
    DIRECTORY_NAMED,   /* DiskPath= of the class */
};

enum DirectoryState {
    DIRECTORY_OUT,     /* does not count, and `why` says why */
    DIRECTORY_WAITING, /* counts from now on, what is in it is still to be tagged */
    DIRECTORY_TAGGING, /* being tagged */
    DIRECTORY_COUNTED, /* all of it counts */
};

struct Directory { /* or a file: DIRECTORY_RUNTIME */
    char *path;    /* on the host, owned */
    enum DirectoryKind kind;
    dev_t dev;
    ino_t inode;
    enum DirectoryState state;
    char why[192];          /* why it does not count, or not all of it; "" */
    uint64_t seen, changed; /* files and directories, while it is tagged and afterwards */
    uint64_t passed_over;   /* of them: not tagged (links from outside, another's id) */
};

/* Of one project on one filesystem. A limit of 0 is none. */
struct DiskUsage {
    uint64_t space_bytes, inodes;
    uint64_t space_hard_bytes, space_soft_bytes;
    uint64_t inodes_hard, inodes_soft;
};

/* What was there at some time; of 0: at none. */
struct DiskMark {
    uint64_t bytes, inodes;
    usec_t usec;
};

/* A tenant's project on one filesystem. */
struct DiskShare {
    dev_t dev;
    uint32_t project;
    char where[160]; /* "/var/lib/docker (/dev/vdb, UUID=...)" */
    bool valid;      /* usage was read */
    bool repeats;    /* its filesystem announces each write over a limit, not only the crossing */
    struct DiskUsage usage;
    struct DiskMark from, next; /* what the growth is counted from, and what will be next */
    usec_t grown_usec;          /* when it grew last */
    int64_t bytes_per_sec, inodes_per_sec;
    /* of the filesystem, when it was last looked at */
    uint64_t free_bytes, size_bytes, free_inodes, all_inodes;
};

#define DISK_SHARES_MAX 4
struct Disk {
    struct Directory *directories; /* owned */
    size_t n_directories;
    struct DiskShare shares[DISK_SHARES_MAX];
    size_t n_shares;
    char unguarded[256]; /* why nothing of it is guarded, and what to do; "" */
    unsigned denied;     /* refusals announced since the last look */
    bool settled;        /* its directories were all found once: the container is made */
    bool stale;          /* something was announced: look at the next opportunity */
    usec_t look_usec;    /* look again; USEC_INFINITY at peace */
};

const char *directory_kind_name(enum DirectoryKind kind);    /* layer, work, runtime, volume, path */
const char *directory_state_name(enum DirectoryState state); /* out, waiting, tagging, counted */

bool directory_counts(const struct Directory *directory);

/* NULL when the tenant has none of this path. */
struct Directory *disk_directory(const struct Disk *disk, const char *path);
/* Its share of this filesystem; NULL when it has none. */
struct DiskShare *disk_share(struct Disk *disk, dev_t dev);
/* What the kernel keeps for this limit (LIMIT_DISK_*) on every share alike; where they differ the largest.
 * LIMIT_INFINITY: none. -ENODATA: there is no share, or none could be read. */
int disk_limit(const struct Disk *disk, enum LimitId limit, uint64_t *ret_value);
void directories_free(struct Directory *list, size_t n);
/* Frees what it owns; the struct may be used again. */
void disk_done(struct Disk *disk);
