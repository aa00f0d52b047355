#include "model/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {
    [DIRECTORY_LAYER] = "layer",   [DIRECTORY_WORK] = "work",  [DIRECTORY_RUNTIME] = "runtime",
    [DIRECTORY_VOLUME] = "volume", [DIRECTORY_NAMED] = "path",
};

static const char *const states[] = {
    [DIRECTORY_OUT] = "out",
    [DIRECTORY_WAITING] = "waiting",
    [DIRECTORY_TAGGING] = "tagging",
    [DIRECTORY_COUNTED] = "counted",
};

const char *directory_kind_name(enum DirectoryKind kind)
{
    return kinds[kind];
}

const char *directory_state_name(enum DirectoryState state)
{
    return states[state];
}

bool directory_counts(const struct Directory *directory)
{
    return directory->state != DIRECTORY_OUT;
}

struct Directory *disk_directory(const struct Disk *disk, const char *path)
{
    for (size_t i = 0; i < disk->n_directories; i++)
        if (strcmp(disk->directories[i].path, path) == 0)
            return &disk->directories[i];
    return NULL;
}

struct DiskShare *disk_share(struct Disk *disk, dev_t dev)
{
    for (size_t i = 0; i < disk->n_shares; i++)
        if (disk->shares[i].dev == dev)
            return &disk->shares[i];
    return NULL;
}

int disk_limit(const struct Disk *disk, enum LimitId limit, uint64_t *ret_value)
{
    bool any = false;

    for (size_t i = 0; i < disk->n_shares; i++) {
        const struct DiskUsage *usage = &disk->shares[i].usage;
        uint64_t hard = limit == LIMIT_DISK_SPACE_MAX ? usage->space_hard_bytes : usage->inodes_hard;

        if (!disk->shares[i].valid)
            continue;
        if (hard == 0)
            hard = LIMIT_INFINITY;
        if (!any || hard > *ret_value)
            *ret_value = hard;
        any = true;
    }
    return any ? 0 : -ENODATA;
}

void directories_free(struct Directory *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(list[i].path);
    free(list);
}

void disk_done(struct Disk *disk)
{
    directories_free(disk->directories, disk->n_directories);
    *disk = (struct Disk){.look_usec = USEC_INFINITY};
}
