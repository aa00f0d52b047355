/* When do all names of a file lie in the tree?
 *
 * Counting the names that a walk meets does not tell: the enemy links a file of somebody else into the tree,
 * and renames that one name to where the walk comes by later, until it was met as often as the file has
 * names. The stamp of the file does not help: XFS leaves it alone when two files are exchanged
 * (RENAME_EXCHANGE). That of the directory does not lie: every name that comes or goes changes it.
 *
 * So a name is proven only when it was met in an earlier pass, and is met again in this one, and its
 * directory has not changed in between: then it was there all the time, at the beginning of this pass too.
 * When all names met in this pass are proven, there was a moment at which all of them were there together;
 * and when at the first of them the file had as many links as that, it had no other name. (What may happen
 * later, that the file gets another name outside, could as well happen after it was tagged.)
 *
 * A directory that changes all the time proves nothing: what is in it stays passed over. */
#include "act/links.h"

#define HASH_NONFATAL_OOM 1 /* a failed add leaves hh.tbl NULL; looked at after each one */
#include <uthash.h>

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct LinkedName {
    struct NameKey {
        uint64_t inode, directory, hash;
    } key;
    struct timespec directory_changed;
    unsigned pass; /* in which it was met last */
    bool settled;
    UT_hash_handle hh;
};

struct LinkedFile {
    uint64_t inode;
    uint64_t links;        /* at the first sighting of this pass */
    uint64_t seen, proven; /* names, in this pass */
    unsigned pass;
    bool inside; /* it was said so in this pass */
    UT_hash_handle hh;
};

bool links_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool links_settled(const struct timespec *changed, const struct timespec *now)
{
    time_t until = changed->tv_sec + (changed->tv_nsec == 0 ? 1 : 0);

    return now->tv_sec > until || (now->tv_sec == until && now->tv_nsec > changed->tv_nsec);
}

void links_open(struct Links *links)
{
    *links = (struct Links){.pass = 0};
    if (getrandom(&links->seed, sizeof(links->seed), GRND_NONBLOCK) < 0)
        links->seed = (uintptr_t)links; /* early at boot */
}

void links_done(struct Links *links)
{
    struct LinkedName *name, *next_name;
    struct LinkedFile *file, *next_file;

    HASH_ITER (hh, links->names, name, next_name) {
        HASH_DEL(links->names, name);
        free(name);
    }
    HASH_ITER (hh, links->files, file, next_file) {
        HASH_DEL(links->files, file);
        free(file);
    }
    links->n_names = 0;
}

void links_begin_pass(struct Links *links)
{
    links->pass++;
}

/* Two names with the same hash count as one: the file is passed over, never tagged by mistake. */
static uint64_t name_hash(const struct Links *links, const char *name)
{
    uint64_t hash = links->seed;

    for (; *name != '\0'; name++) {
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return hash;
}

static struct LinkedFile *file_of(struct Links *links, const struct stat *st)
{
    uint64_t inode = st->st_ino;
    struct LinkedFile *file;

    HASH_FIND(hh, links->files, &inode, sizeof(inode), file);
    if (file)
        return file;
    file = calloc(1, sizeof(*file));
    if (!file)
        return NULL;
    file->inode = inode;
    HASH_ADD(hh, links->files, inode, sizeof(file->inode), file);
    if (file->hh.tbl)
        return file;
    free(file);
    return NULL;
}

/* A name that is new has pass 0, which no pass is. */
static struct LinkedName *name_of(struct Links *links, const struct LinkSighting *sighting)
{
    struct NameKey key = {
        .inode = sighting->file.st_ino,
        .directory = sighting->directory.st_ino,
        .hash = name_hash(links, sighting->name),
    };
    struct LinkedName *name;

    /* All of it is set, and there is no padding.
     * NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
    HASH_FIND(hh, links->names, &key, sizeof(key), name);
    if (name || links->n_names >= LINKS_MAX)
        return name;
    name = calloc(1, sizeof(*name));
    if (!name)
        return NULL;
    name->key = key;
    HASH_ADD(hh, links->names, key, sizeof(name->key), name);
    if (!name->hh.tbl) {
        free(name);
        return NULL;
    }
    links->n_names++;
    return name;
}

/* Whether it stood there since an earlier pass. */
static bool name_is_proven(struct LinkedName *name, const struct LinkSighting *sighting)
{
    if (name->pass > 0 && name->settled &&
        links_same_time(&name->directory_changed, &sighting->directory.st_ctim))
        return true;
    name->directory_changed = sighting->directory.st_ctim;
    name->settled = links_settled(&sighting->directory.st_ctim, &sighting->now);
    return false;
}

enum LinksAnswer links_saw(struct Links *links, const struct LinkSighting *sighting)
{
    struct LinkedName *name = name_of(links, sighting);
    struct LinkedFile *file = name ? file_of(links, &sighting->file) : NULL;

    if (!file)
        return LINKS_FULL;
    if (file->pass != links->pass) {
        file->pass = links->pass;
        file->links = sighting->file.st_nlink;
        file->seen = file->proven = 0;
        file->inside = false;
    }
    if (name->pass == links->pass)
        return LINKS_MISSING; /* the very same name again: its directory was moved to where we are now */
    file->seen++;
    file->proven += name_is_proven(name, sighting);
    name->pass = links->pass;
    file->inside = file->proven == file->links && file->links == sighting->file.st_nlink;
    return file->inside ? LINKS_INSIDE : LINKS_MISSING;
}

void links_count(const struct Links *links, uint64_t *ret_left, uint64_t *ret_unproven)
{
    struct LinkedFile *file, *next;
    uint64_t left = 0, unproven = 0;

    HASH_ITER (hh, links->files, file, next) {
        if (file->pass != links->pass || file->inside)
            continue;
        left++;
        unproven += file->seen >= file->links;
    }
    *ret_left = left;
    *ret_unproven = unproven;
}
