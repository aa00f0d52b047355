/* A look has a part that asks the kernel, share by share, and a part that only counts (disk_grow, disk_tell),
 * which a test can give its numbers to.
 *
 * XFS gives a file that grows more than it writes, each time as much as it has: usage goes up in steps that
 * double, and so does the time from one to the next, while nothing seems to happen. Growth is therefore told
 * from a mark, and marks move only when there is more (or less) than at the last: what stands still after a
 * step goes on growing, a little less with each look, until three times as long has passed as the last step
 * took to come. When a look comes after a long peace, its growth is the average of that time,
 * and the next look, a second later, tells what goes on now. */
#include "sense/disk.h"

/* While it grows above its tripwire; and while it stays there on a filesystem that announced the crossing
 * only. */
#define LOOK_GROWING_USEC (1 * USEC_PER_SEC)
#define LOOK_QUIET_USEC (30 * USEC_PER_SEC)

/* --- growth ----------------------------------------------------------------------------------------- */

static int64_t rate(uint64_t from, uint64_t to, usec_t elapsed)
{
    __int128 change = (__int128)to - (__int128)from;
    __int128 per_sec = change * (__int128)USEC_PER_SEC / (__int128)elapsed;

    if (per_sec > INT64_MAX)
        return INT64_MAX;
    return per_sec < INT64_MIN ? INT64_MIN : (int64_t)per_sec;
}

static struct DiskMark mark(const struct DiskShare *share, usec_t now)
{
    return (struct DiskMark){share->usage.space_bytes, share->usage.inodes, now};
}

static bool is_at(const struct DiskShare *share, const struct DiskMark *mark)
{
    return share->usage.space_bytes == mark->bytes && share->usage.inodes == mark->inodes;
}

static void move_marks(struct DiskShare *share, usec_t now)
{
    usec_t age = now - share->next.usec;

    if (age < DISK_GROWTH_WINDOW_USEC || is_at(share, &share->next))
        return;
    share->from = age <= DISK_GROWTH_STEP_USEC ? share->next : mark(share, now);
    share->next = mark(share, now);
}

/* Does it stand still for so long that no further step is to be expected? */
static bool is_still(const struct DiskShare *share, usec_t now)
{
    usec_t still = now - share->grown_usec, step = share->next.usec - share->from.usec;

    return is_at(share, &share->next) && still >= DISK_GROWTH_WINDOW_USEC && still >= 3 * step;
}

static void count(struct DiskShare *share, usec_t now)
{
    const struct DiskMark *from = &share->from, *next = &share->next;

    if (share->usage.space_bytes > next->bytes || share->usage.inodes > next->inodes)
        share->grown_usec = now;
    share->bytes_per_sec = share->inodes_per_sec = 0;
    if (is_still(share, now))
        return;
    share->bytes_per_sec = rate(from->bytes, share->usage.space_bytes, now - from->usec);
    share->inodes_per_sec = rate(from->inodes, share->usage.inodes, now - from->usec);
}

void disk_grow(struct DiskShare *share, usec_t now)
{
    if (!share->valid) {
        share->from.usec = 0;
        share->bytes_per_sec = share->inodes_per_sec = 0;
    } else if (share->from.usec == 0) {
        share->from = share->next = mark(share, now);
        share->grown_usec = now; /* nobody knows: it is watched for a while */
    } else if (now > share->from.usec && now - share->from.usec >= DISK_GROWTH_MIN_USEC) {
        count(share, now);
        move_marks(share, now);
    }
}

/* --- readings --------------------------------------------------------------------------------------- */

static int64_t clamp(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* How full by its own limits, of 1; negative: it has none. */
static double fullness(const struct DiskUsage *usage)
{
    double full = -1, inodes;

    if (usage->space_hard_bytes > 0)
        full = (double)usage->space_bytes / (double)usage->space_hard_bytes;
    if (usage->inodes_hard == 0)
        return full;
    inodes = (double)usage->inodes / (double)usage->inodes_hard;
    return inodes > full ? inodes : full;
}

/* The share that is told of; NULL: none could be read. */
static const struct DiskShare *worst_share(const struct Disk *disk)
{
    const struct DiskShare *worst = NULL;

    for (size_t i = 0; i < disk->n_shares; i++) {
        const struct DiskShare *share = &disk->shares[i];
        double full = fullness(&share->usage), most = worst ? fullness(&worst->usage) : 0;

        if (share->valid &&
            (!worst || full > most || (full >= most && share->free_bytes < worst->free_bytes)))
            worst = share;
    }
    return worst;
}

/* READING_UNLIMITED: never; also when the tenant comes to its own limit before. */
static int64_t seconds_until(uint64_t free, uint64_t used, uint64_t hard, int64_t per_sec)
{
    if (per_sec <= 0 || (hard > 0 && (used >= hard || hard - used < free)))
        return READING_UNLIMITED;
    return clamp(free / (uint64_t)per_sec);
}

/* Until the first of its filesystems is full, of bytes or of inodes. */
static int64_t eta(const struct Disk *disk)
{
    int64_t first = READING_UNLIMITED;

    for (size_t i = 0; i < disk->n_shares; i++) {
        const struct DiskShare *share = &disk->shares[i];
        int64_t space, inodes = READING_UNLIMITED;

        if (!share->valid)
            continue;
        space = seconds_until(share->free_bytes, share->usage.space_bytes, share->usage.space_hard_bytes,
                              share->bytes_per_sec);
        if (share->all_inodes > 0) /* else the filesystem makes as many as there is space for */
            inodes = seconds_until(share->free_inodes, share->usage.inodes, share->usage.inodes_hard,
                                   share->inodes_per_sec);
        first = space < first ? space : first;
        first = inodes < first ? inodes : first;
    }
    return first;
}

static void put(struct Readings *readings, enum ReadingId id, int64_t value, int64_t limit)
{
    readings->valid[id] = true;
    readings->value[id] = value;
    readings->limit[id] = limit;
}

static int64_t limit_of(uint64_t hard)
{
    return hard > 0 ? clamp(hard) : READING_UNLIMITED;
}

static bool above_soft(const struct DiskUsage *usage)
{
    return (usage->space_soft_bytes > 0 && usage->space_bytes > usage->space_soft_bytes) ||
           (usage->inodes_soft > 0 && usage->inodes > usage->inodes_soft);
}

static usec_t next_look(const struct DiskShare *share, usec_t now)
{
    if (!share->valid || !above_soft(&share->usage))
        return USEC_INFINITY;
    if (now - share->grown_usec < DISK_QUIET_USEC)
        return now + LOOK_GROWING_USEC;
    return share->repeats ? USEC_INFINITY : now + LOOK_QUIET_USEC;
}

void disk_tell(struct Disk *disk, usec_t now, struct Readings *readings)
{
    const struct DiskShare *share = worst_share(disk);
    int64_t denied = disk->denied;

    disk->look_usec = USEC_INFINITY;
    disk->denied = 0;
    disk->stale = false;
    for (enum ReadingId id = READING_DISK_SPACE; id <= READING_HOST_DISK_INODES; id++)
        readings->valid[id] = false;
    for (size_t i = 0; i < disk->n_shares; i++) {
        usec_t next = next_look(&disk->shares[i], now);

        disk->look_usec = next < disk->look_usec ? next : disk->look_usec;
    }
    if (!share)
        return;
    put(readings, READING_DISK_SPACE, clamp(share->usage.space_bytes),
        limit_of(share->usage.space_hard_bytes));
    put(readings, READING_DISK_INODES, clamp(share->usage.inodes), limit_of(share->usage.inodes_hard));
    put(readings, READING_DISK_GROWTH, share->bytes_per_sec, READING_UNLIMITED);
    reading_count(readings, READING_DISK_DENIED, denied);
    readings->limit[READING_DISK_DENIED] = READING_UNLIMITED;
    put(readings, READING_DISK_ETA, eta(disk), READING_UNLIMITED);
    put(readings, READING_HOST_DISK_FREE, clamp(share->free_bytes), clamp(share->size_bytes));
    if (share->all_inodes > 0)
        put(readings, READING_HOST_DISK_INODES, clamp(share->free_inodes), clamp(share->all_inodes));
}

void disk_pass(struct Disk *disk, struct Readings *readings)
{
    readings->value[READING_DISK_DENIED] = 0;
}

/* --- the kernel ------------------------------------------------------------------------------------- */

static const struct Filesystem *known(const struct Filesystems *filesystems, dev_t dev)
{
    for (size_t i = 0; i < filesystems->n; i++)
        if (filesystems->list[i].dev == dev)
            return &filesystems->list[i];
    return NULL;
}

static void read_share(const struct Filesystems *filesystems, struct DiskShare *share, usec_t now)
{
    const struct Filesystem *filesystem = known(filesystems, share->dev);

    share->valid = filesystem && filesystem_measure(filesystem, share) == 0;
    share->repeats = filesystem && filesystem->repeats;
    disk_grow(share, now);
}

void disk_look(const struct Filesystems *filesystems, struct Disk *disk, usec_t now,
               struct Readings *readings)
{
    for (size_t i = 0; i < disk->n_shares; i++)
        read_share(filesystems, &disk->shares[i], now);
    disk_tell(disk, now, readings);
}
