/* Walks a tree that belongs to an enemy, and gives what is in it a project id.
 *
 * Why nothing outside is reached. There are no paths: the root is opened without following any link and must
 * be the very directory that was ordered; below it each name is opened relative to the descriptor of its
 * directory, and never through a link or onto another mount. It is opened as O_PATH first, which does nothing
 * to it; only of a regular file or directory of this filesystem a real descriptor is made, of that inode and
 * no other. A name can therefore lead only to what really is in that directory at that moment.
 *
 * A file may have further names, and one outside. A file with several is tagged when all of them are proven
 * to be in the tree (links.c). One that has a single link when we look might have lost the name that we came
 * by just before: it is looked up again, and a stamp of the file or of its directory shows that neither
 * changed meanwhile (where both change with every tick of the clock, sixteen looks in a row must agree). What
 * can be tagged against its owner's will is only what the enemy could have moved into the tree, which is his
 * right.
 *
 * Why it is complete. In a directory the files come first (those that are renamed within it keep working),
 * then the directory itself, then all of it again, and what is below. From when a directory has id and flag
 * the kernel lets nothing in that has another id (EXDEV) and hands the id on to what is made there: so
 * untagged directories only get fewer, and a pass that finds nothing to change has seen them all. (A known
 * gap: XFS looks at one side only when two names are exchanged. What gets in that way is found by the next
 * TAG_CHECK or TAG_REPAIR. A file that was deleted but is open has no name, and is never seen.)
 *
 * Depth: directories above level LEVELS_OPEN stay open. Below it only the lowest one is; the way back is its
 * "..", which must be the directory we came from: inode and generation, since inode numbers are used again.
 * If it is not, the enemy has moved it: the walk goes on at the lowest level that is open, and the pass
 * counts as incomplete. The position in each directory is the kernel's cookie; of names nothing is kept. */
#include "act/tagger_ops.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "act/links.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"

#define PASSES_MAX 16
#define QUIET_PASSES_MAX 4 /* without a change, for what may be proven or given free yet */
#define PAUSE_NSEC 20000000
#define LEVELS_OPEN 64
#define LEVELS_MAX 262144
#define FILES_FIRST_MAX                                                                                      \
    65536 /* entries: who makes new ones faster than they are listed does not hold us up */
#define LOOKS_MAX 16

struct Level {
    int fd; /* owned; -EBADF: to be opened again by ".." */
    bool files_first;
    bool counted; /* what is in it was counted, while it was files_first */
    uint32_t listed;
    ino_t inode;
    uint64_t generation; /* 0 above LEVELS_OPEN, or where the filesystem knows none */
    off_t next;          /* where to go on after a directory in it */
};

struct Walk {
    const struct TagOrder *order;
    const struct TagOps *ops;
    struct TagCount *count;
    const atomic_bool *stop;
    struct Links links;
    struct Level *levels; /* owned */
    size_t depth, allocated;
    int error; /* the filesystem could not write: the first time */
    /* of this pass */
    struct {
        uint64_t seen, changed, wrong, foreign, failed, linked;
        bool again;      /* another pass may get further */
        bool incomplete; /* something was missed that may not be missed */
    } pass;
    _Alignas(struct dirent64) char entries[8192];
};

/* An entry under examination. */
struct Entry {
    int path_fd, fd; /* owned */
    const char *name;
    struct stat st;
    struct fsxattr attributes;
};

enum Verdict { VERDICT_RIGHT, VERDICT_CHANGE, VERDICT_FOREIGN };

static int kernel_get(void *userdata, int fd, struct fsxattr *ret)
{
    return ioctl(fd, FS_IOC_FSGETXATTR, ret) < 0 ? negative_errno() : 0;
}

static int kernel_set(void *userdata, int fd, const struct fsxattr *attributes)
{
    return ioctl(fd, FS_IOC_FSSETXATTR, attributes) < 0 ? negative_errno() : 0;
}

static const struct TagOps kernel_ops = {.get = kernel_get, .set = kernel_set};

static int open_how(int dir_fd, const char *name, int flags, uint64_t resolve)
{
    struct open_how how = {
        .flags = (uint64_t)(flags | O_CLOEXEC),
        .resolve = resolve | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));

    return fd < 0 ? negative_errno() : (int)fd;
}

/* A real descriptor of what an O_PATH one stands for. */
static int open_really(int path_fd, int flags)
{
    char path[32];
    int fd;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
    flags |= O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    fd = open(path, flags | O_NOATIME);
    if (fd < 0 && errno == EPERM)
        fd = open(path, flags);
    return fd < 0 ? negative_errno() : fd;
}

/* A directory, or one regular file. It is opened by what it is only when that is known: a pipe or a device
 * put in its place is never opened. */
static int root_open(const char *path, struct stat *ret_st)
{
    _cleanup_fd_ int fd = -EBADF;

    if (path[0] != '/')
        return -EINVAL;
    fd = open_how(AT_FDCWD, path, O_PATH | O_NOFOLLOW, 0);
    if (fd == -ELOOP || fd == -ENOTDIR)
        return -ESTALE;
    if (fd < 0)
        return fd;
    if (fstat(fd, ret_st) < 0)
        return negative_errno();
    if (!S_ISDIR(ret_st->st_mode) && !S_ISREG(ret_st->st_mode))
        return -ESTALE;
    return open_really(fd, S_ISDIR(ret_st->st_mode) ? O_DIRECTORY : 0);
}

static int name_open(int dir_fd, const char *name)
{
    return open_how(dir_fd, name, O_PATH | O_NOFOLLOW, RESOLVE_BENEATH | RESOLVE_NO_XDEV);
}

static uint64_t generation_of(int fd)
{
    long generation = 0; /* most filesystems write an int */

    return ioctl(fd, FS_IOC_GETVERSION, &generation) < 0 ? 0 : (uint64_t)generation;
}

static bool stopped(const struct Walk *walk)
{
    return atomic_load_explicit(walk->stop, memory_order_relaxed);
}

/* --- counting: later passes see the same again, so that the larger number is shown until a pass ends --- */

static void tally(uint64_t *number, atomic_uint_fast64_t *shown)
{
    ++*number;
    if (*number > atomic_load_explicit(shown, memory_order_relaxed))
        atomic_store_explicit(shown, *number, memory_order_relaxed);
}

static bool counting(const struct Walk *walk)
{
    return walk->depth == 0 || !walk->levels[walk->depth - 1].counted;
}

/* Of files; a directory is met only once in a pass. */
#define TALLY(walk, what)                                                                                    \
    do {                                                                                                     \
        if (counting(walk))                                                                                  \
            tally(&(walk)->pass.what, &(walk)->count->what);                                                 \
    } while (0)

static void count_show(const struct Walk *walk)
{
    atomic_store(&walk->count->seen, walk->pass.seen);
    atomic_store(&walk->count->wrong, walk->pass.wrong);
    atomic_store(&walk->count->foreign, walk->pass.foreign);
    atomic_store(&walk->count->failed, walk->pass.failed);
    atomic_store(&walk->count->linked, walk->pass.linked);
}

/* --- one inode --------------------------------------------------------------------------------------------
 */

static enum Verdict judge(const struct TagOrder *order, const struct fsxattr *attributes, bool directory)
{
    uint32_t id = attributes->fsx_projid;
    bool ours = id == order->project;

    if (order->mode == TAG_CLEAR)
        return ours ? VERDICT_CHANGE : VERDICT_RIGHT;
    if (ours && (!directory || (attributes->fsx_xflags & FS_XFLAG_PROJINHERIT)))
        return VERDICT_RIGHT;
    if (order->mode == TAG_ADOPT && !ours && id != 0 &&
        (id < order->first_project || id > order->last_project))
        return VERDICT_FOREIGN;
    return VERDICT_CHANGE;
}

/* Sets what `attributes`, as read, do not say yet. < 0: the walk is over. */
static int set(struct Walk *walk, int fd, struct fsxattr *attributes, bool directory)
{
    bool clear = walk->order->mode == TAG_CLEAR;
    int r;

    attributes->fsx_projid = clear ? 0 : walk->order->project;
    if (clear)
        attributes->fsx_xflags &= ~(uint32_t)FS_XFLAG_PROJINHERIT;
    else if (directory)
        attributes->fsx_xflags |= FS_XFLAG_PROJINHERIT;
    r = walk->ops->set(walk->ops->userdata, fd, attributes);
    if (r == -EROFS || r == -EOPNOTSUPP || r == -ENOTTY)
        return r;
    if (r < 0) {
        TALLY(walk, failed);
        if (walk->error == 0 && (r == -EDQUOT || r == -ENOSPC))
            walk->error = r;
        return 0;
    }
    walk->pass.changed++;
    atomic_fetch_add_explicit(&walk->count->changed, 1, memory_order_relaxed);
    return 0;
}

static bool same_inode(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Looks the name up again. Returns the link count and, in `ret`, file and directory as they are afterwards;
 * -1: the name is not there, or not this file's. */
static int look_again(int dir_fd, const struct Entry *entry, struct LinkSighting *ret)
{
    _cleanup_fd_ int fd = name_open(dir_fd, entry->name);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !same_inode(&st, &entry->st))
        return -1;
    if (fstat(entry->fd, &ret->file) < 0 || fstat(dir_fd, &ret->directory) < 0)
        return -1;
    ret->name = entry->name;
    return (int)(ret->file.st_nlink > INT32_MAX ? INT32_MAX : ret->file.st_nlink);
}

/* Whether the only link that the file has is the name that we came by. */
static bool sole_link_is_here(int dir_fd, const struct Entry *entry)
{
    for (unsigned i = 0; i < LOOKS_MAX; i++) {
        struct LinkSighting before, after;

        clock_gettime(CLOCK_REALTIME_COARSE, &before.now);
        if (fstat(dir_fd, &before.directory) < 0 || fstat(entry->fd, &before.file) < 0)
            return false;
        if (before.file.st_nlink != 1 || look_again(dir_fd, entry, &after) != 1)
            return false;
        if (links_settled(&before.directory.st_ctim, &before.now) &&
            links_same_time(&before.directory.st_ctim, &after.directory.st_ctim))
            return true;
        if (links_settled(&before.file.st_ctim, &before.now) &&
            links_same_time(&before.file.st_ctim, &after.file.st_ctim))
            return true;
    }
    return true;
}

/* A file with several names: whether all of them are here. */
static bool links_are_here(struct Walk *walk, int dir_fd, const struct Entry *entry)
{
    struct LinkSighting sighting;
    enum LinksAnswer answer;

    clock_gettime(CLOCK_REALTIME_COARSE, &sighting.now);
    if (look_again(dir_fd, entry, &sighting) < 2) {
        walk->pass.again = walk->pass.incomplete = true;
        return false;
    }
    answer = links_saw(&walk->links, &sighting);
    if (answer == LINKS_FULL)
        TALLY(walk, linked);
    return answer == LINKS_INSIDE;
}

static bool may_change_file(struct Walk *walk, int dir_fd, const struct Entry *entry)
{
    struct stat st;

    if (walk->order->mode == TAG_CLEAR)
        return true;
    if (entry->fd < 0 || fstat(entry->fd, &st) < 0 || st.st_nlink == 0)
        return false;
    if (st.st_nlink > 1)
        return links_are_here(walk, dir_fd, entry);
    if (walk->order->mode == TAG_CHECK || sole_link_is_here(dir_fd, entry))
        return true;
    walk->pass.again = walk->pass.incomplete = true;
    return false;
}

static int file_visit(struct Walk *walk, int dir_fd, struct Entry *entry)
{
    enum Verdict verdict = judge(walk->order, &entry->attributes, false);

    TALLY(walk, seen);
    if (verdict == VERDICT_FOREIGN)
        TALLY(walk, foreign);
    if (verdict != VERDICT_CHANGE || !may_change_file(walk, dir_fd, entry))
        return 0;
    if (walk->order->mode != TAG_CHECK)
        return set(walk, entry->fd, &entry->attributes, false);
    TALLY(walk, wrong);
    return 0;
}

/* --- levels -----------------------------------------------------------------------------------------------
 */

static struct Level *level_top(const struct Walk *walk)
{
    return &walk->levels[walk->depth - 1];
}

static int levels_grow(struct Walk *walk)
{
    size_t allocated = walk->allocated ? 2 * walk->allocated : LEVELS_OPEN;
    struct Level *levels;

    if (walk->depth < walk->allocated)
        return 0;
    levels = reallocarray(walk->levels, allocated, sizeof(*levels));
    if (!levels)
        return -ENOMEM;
    walk->levels = levels;
    walk->allocated = allocated;
    return 0;
}

/* Leaves the levels from `depth` on. */
static void levels_cut(struct Walk *walk, size_t depth)
{
    while (walk->depth > depth)
        fd_close(walk->levels[--walk->depth].fd);
}

/* Takes the descriptor of a directory over. */
static int level_push(struct Walk *walk, int *fd, const struct stat *st, bool files_first)
{
    int r = levels_grow(walk);

    if (r < 0)
        return r;
    if (walk->depth > LEVELS_OPEN) {
        fd_close(level_top(walk)->fd);
        level_top(walk)->fd = -EBADF;
    }
    walk->levels[walk->depth] = (struct Level){
        .fd = *fd,
        .files_first = files_first,
        .inode = st->st_ino,
        .generation = walk->depth >= LEVELS_OPEN ? generation_of(*fd) : 0,
    };
    walk->depth++;
    (void)take_fd(fd);
    return 0;
}

/* Opens the parent of the lowest level again, if it is still the same. */
static int parent_reopen(const struct Walk *walk, const struct Level *parent, int child_fd)
{
    _cleanup_fd_ int fd =
        open_how(child_fd, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK, RESOLVE_NO_XDEV);
    struct stat st;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        return negative_errno();
    if (st.st_dev != walk->order->dev || st.st_ino != parent->inode ||
        generation_of(fd) != parent->generation)
        return -ESTALE;
    return take_fd(&fd);
}

static void level_leave(struct Walk *walk)
{
    _cleanup_fd_ int child_fd = take_fd(&level_top(walk)->fd);
    struct Level *parent;

    walk->depth--;
    if (walk->depth == 0)
        return;
    parent = level_top(walk);
    if (parent->fd < 0)
        parent->fd = parent_reopen(walk, parent, child_fd);
    if (parent->fd < 0) {
        walk->pass.again = walk->pass.incomplete = true;
        levels_cut(walk, LEVELS_OPEN);
        parent = level_top(walk);
    }
    if (lseek(parent->fd, parent->next, SEEK_SET) < 0)
        walk->pass.again = walk->pass.incomplete = true;
}

/* --- directories ------------------------------------------------------------------------------------------
 */

/* Looks at a directory and, unless it is passed over with all that is below, makes it the lowest level. */
static int directory_enter(struct Walk *walk, struct Entry *entry)
{
    enum TagMode mode = walk->order->mode;
    enum Verdict verdict = judge(walk->order, &entry->attributes, true);
    int r = 0;

    tally(&walk->pass.seen, &walk->count->seen);
    if (verdict == VERDICT_FOREIGN) {
        tally(&walk->pass.foreign, &walk->count->foreign);
        return 0;
    }
    if (walk->depth >= LEVELS_MAX) {
        tally(&walk->pass.failed, &walk->count->failed);
        return 0;
    }
    if (verdict == VERDICT_CHANGE && mode == TAG_CHECK)
        tally(&walk->pass.wrong, &walk->count->wrong);
    if (verdict == VERDICT_CHANGE && mode == TAG_CLEAR)
        r = set(walk, entry->fd, &entry->attributes, true);
    if (r < 0)
        return r;
    return level_push(walk, &entry->fd, &entry->st,
                      verdict == VERDICT_CHANGE && mode != TAG_CHECK && mode != TAG_CLEAR);
}

/* The files of the lowest level are done: now itself, then all of it once more. */
static int directory_set(struct Walk *walk)
{
    struct Level *level = level_top(walk);
    struct fsxattr attributes;
    int r = 0;

    if (walk->ops->get(walk->ops->userdata, level->fd, &attributes) < 0)
        TALLY(walk, failed);
    else if (judge(walk->order, &attributes, true) == VERDICT_CHANGE)
        r = set(walk, level->fd, &attributes, true);
    if (lseek(level->fd, 0, SEEK_SET) < 0)
        walk->pass.incomplete = true;
    level->files_first = false;
    level->counted = true;
    return r;
}

/* --- entries ----------------------------------------------------------------------------------------------
 */

static void entry_done(struct Entry *entry)
{
    fd_close(entry->fd);
    fd_close(entry->path_fd);
}

static int entry_failed(struct Walk *walk, int r)
{
    if (r == -EMFILE || r == -ENFILE || r == -ENOMEM)
        return r;
    if (r == -EAGAIN) /* a lease is being broken, or a rename in the way */
        walk->pass.again = true;
    if (r != -ENOENT && r != -ELOOP && r != -EXDEV) /* gone; a link; another mount */
        TALLY(walk, failed);
    return 0;
}

/* Returns 1 when there is something to look at, 0 when it is passed over, < 0: the walk is over. */
static int entry_open(struct Walk *walk, int dir_fd, struct Entry *entry)
{
    bool directory;
    int r;

    entry->path_fd = name_open(dir_fd, entry->name);
    if (entry->path_fd < 0)
        return entry_failed(walk, entry->path_fd);
    if (fstat(entry->path_fd, &entry->st) < 0)
        return entry_failed(walk, negative_errno());
    directory = S_ISDIR(entry->st.st_mode);
    if (entry->st.st_dev != walk->order->dev || (!directory && !S_ISREG(entry->st.st_mode)))
        return 0;
    if (directory && level_top(walk)->files_first)
        return 0;
    entry->fd = open_really(entry->path_fd, directory ? O_DIRECTORY : 0);
    if (entry->fd < 0)
        return entry_failed(walk, entry->fd);
    r = walk->ops->get(walk->ops->userdata, entry->fd, &entry->attributes);
    return r < 0 ? entry_failed(walk, r) : 1;
}

static int entry_visit(struct Walk *walk, const char *name)
{
    int dir_fd = level_top(walk)->fd;
    _cleanup_(entry_done) struct Entry entry = {.path_fd = -EBADF, .fd = -EBADF, .name = name};
    int r = entry_open(walk, dir_fd, &entry);

    if (r <= 0)
        return r;
    return S_ISDIR(entry.st.st_mode) ? directory_enter(walk, &entry) : file_visit(walk, dir_fd, &entry);
}

/* By what getdents says; wrong at worst for what was replaced since, and the next pass meets that. */
static bool entry_is_worth(const struct Level *level, const struct dirent64 *entry)
{
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return false;
    if (entry->d_type == DT_DIR)
        return !level->files_first;
    return entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN;
}

/* As far as the next directory. Returns 0, TAG_STOPPED, or < 0. */
static int entries_visit(struct Walk *walk, size_t size)
{
    size_t depth = walk->depth;
    int r = 0;

    for (size_t at = 0; r == 0 && walk->depth == depth && at < size;) {
        const struct dirent64 *entry = (const void *)(walk->entries + at);

        if (stopped(walk))
            return TAG_STOPPED;
        level_top(walk)->next = entry->d_off;
        level_top(walk)->listed++;
        if (entry_is_worth(level_top(walk), entry))
            r = entry_visit(walk, entry->d_name);
        at += entry->d_reclen;
    }
    return r;
}

/* --- passes -----------------------------------------------------------------------------------------------
 */

static int level_step(struct Walk *walk)
{
    struct Level *level = level_top(walk);
    ssize_t n = 0;

    if (stopped(walk))
        return TAG_STOPPED;
    if (!level->files_first || level->listed < FILES_FIRST_MAX)
        n = getdents64(level->fd, walk->entries, sizeof(walk->entries));
    if (n < 0 && errno != ENOENT)
        TALLY(walk, failed);
    if (n > 0)
        return entries_visit(walk, (size_t)n);
    if (level->files_first)
        return directory_set(walk);
    level_leave(walk);
    return 0;
}

/* The root is a file. Its directory is not known, so that no other name of it may be there. */
static int lone_file_visit(struct Walk *walk, struct Entry *entry)
{
    enum Verdict verdict = judge(walk->order, &entry->attributes, false);

    TALLY(walk, seen);
    if (verdict == VERDICT_FOREIGN)
        TALLY(walk, foreign);
    if (verdict != VERDICT_CHANGE)
        return 0;
    if (entry->st.st_nlink != 1 && walk->order->mode != TAG_CLEAR)
        TALLY(walk, linked);
    else if (walk->order->mode == TAG_CHECK)
        TALLY(walk, wrong);
    else
        return set(walk, entry->fd, &entry->attributes, false);
    return 0;
}

static int root_enter(struct Walk *walk)
{
    const struct TagOrder *order = walk->order;
    _cleanup_(entry_done) struct Entry entry = {.path_fd = -EBADF, .fd = -EBADF, .name = "/"};
    int r;

    entry.fd = root_open(order->path, &entry.st);
    if (entry.fd < 0)
        return entry.fd;
    if (entry.st.st_dev != order->dev || entry.st.st_ino != order->inode)
        return -ESTALE;
    r = walk->ops->get(walk->ops->userdata, entry.fd, &entry.attributes);
    if (r < 0)
        return r;
    return S_ISDIR(entry.st.st_mode) ? directory_enter(walk, &entry) : lone_file_visit(walk, &entry);
}

static int pass_run(struct Walk *walk)
{
    uint64_t left, unproven;
    int r;

    memset(&walk->pass, 0, sizeof(walk->pass));
    walk->error = 0;
    links_begin_pass(&walk->links);
    r = root_enter(walk);
    while (r == 0 && walk->depth > 0)
        r = level_step(walk);
    levels_cut(walk, 0);
    if (r != 0)
        return r;
    links_count(&walk->links, &left, &unproven);
    if (walk->order->mode == TAG_CHECK) {
        walk->pass.wrong += unproven;
        left -= unproven;
    }
    walk->pass.linked += left;
    walk->pass.again |= unproven > 0;
    count_show(walk);
    return 0;
}

static int passes_run(struct Walk *walk)
{
    static const struct timespec pause = {.tv_nsec = PAUSE_NSEC};
    unsigned quiet = 0;

    for (unsigned i = 0; i < PASSES_MAX; i++) {
        int r = pass_run(walk);

        if (r != 0)
            return r;
        if (walk->order->mode == TAG_CHECK)
            return 0;
        if (walk->pass.changed > 0)
            continue;
        if (!walk->pass.again && !walk->pass.incomplete)
            return walk->error;
        if (++quiet == QUIET_PASSES_MAX)
            break;
        nanosleep(&pause, NULL); /* stamps settle, leases are given back */
    }
    if (walk->error < 0)
        return walk->error;
    return walk->pass.changed > 0 || walk->pass.incomplete ? -EAGAIN : 0;
}

int tag_tree_with(const struct TagOrder *order, struct TagCount *count, const atomic_bool *stop,
                  const struct TagOps *ops)
{
    struct Walk walk = {.order = order, .ops = ops, .count = count, .stop = stop};
    int r;

    if (order->project == 0)
        return -EINVAL;
    count_show(&walk);
    atomic_store(&count->changed, 0);
    links_open(&walk.links);
    r = passes_run(&walk);
    links_done(&walk.links);
    free(walk.levels);
    return r;
}

int tag_tree(const struct TagOrder *order, struct TagCount *count, const atomic_bool *stop)
{
    return tag_tree_with(order, count, stop, &kernel_ops);
}

int tag_read(const char *path, uint32_t *ret_project, bool *ret_inherits)
{
    struct fsxattr attributes;
    struct stat st;
    _cleanup_fd_ int fd = root_open(path, &st);
    int r;

    if (fd < 0)
        return fd;
    r = kernel_get(NULL, fd, &attributes);
    if (r < 0)
        return r;
    *ret_project = attributes.fsx_projid;
    *ret_inherits = (attributes.fsx_xflags & FS_XFLAG_PROJINHERIT) != 0;
    return 0;
}
