/* Two things may ask for a tripwire, and the nearer one decides.
 *
 * DiskWarnAt= of the tenant's own hard limit: the warn line. It needs nobody else's cooperation.
 *
 * A rule on what the whole filesystem has left (host.disk.free, host.disk.inodes; disk.eta, whose mark is 0).
 * No tenant can see the others grow, so what lies between here and the rule's mark, the headroom H, is dealt
 * out: each of the n growers may take H / 2n before its tripwire tells. All together they take at most H / 2
 * that way: whoever is told of a crossing, however late and of whomever, comes while H / 2 is left.
 *
 * That argument is about tripwires which were all placed against the same H. They are not: the one that was
 * crossed is placed again, against what is left, while the others keep what they were given when there was
 * more. What must hold is
 *
 *     the sum of what each may still take unannounced <= the headroom there is now
 *
 * and it does as long as nobody may take more than H / n, twice what it would be given. So whoever hears an
 * announcement reads what is free and asks tripwire_is_far() of every tenant there; whoever is too far is
 * placed anew. When one tenant alone eats the disk, the others are placed again each time the headroom
 * has halved, that is a few times, not each time it is announced. The same answers a newcomer: n has grown.
 * Between two announcements nobody has taken more than was dealt out, so nobody needs to be looked at.
 *
 * What this does not promise. A step is at least 1 MiB (256 inodes), or near the mark every write would be
 * an announcement: n tenants may together pass the mark by n such steps, or 2n where they were placed farther
 * off. What is written by whom guardd does not count (the host itself, tenants without a rule of the kind) is
 * not announced by anybody; the next crossing of a tenant finds it. What is deleted only makes the tripwire
 * early, which costs one look.
 *
 * Once the warn line is crossed and told, it has no more to say. Without another rule the tripwire stays
 * there: XFS repeats itself, ext4 tells again after relief. With one it moves on, at most to the hard limit:
 * what is left up to there is less than what the tenant may take unannounced. */
#include "decide/tripwire.h"

#include "model/limit.h"

#define SPACE_UNIT 4096
#define SPACE_STEP_MIN (1024 * 1024)
#define INODES_STEP_MIN 256

/* Space or inodes of one tenant, which go by the same rules. */
struct Line {
    uint64_t usage, soft, hard; /* hard: LIMIT_INFINITY is none */
    uint64_t free, all;         /* of the filesystem */
    bool watched;               /* a rule watches what is left of it */
    uint64_t mark;              /* at so much of it */
    uint64_t unit, step_min;
    uint64_t growers;
    unsigned warn_percent;
};

static uint64_t percent_of(uint64_t all, uint64_t percent)
{
    uint64_t product;

    if (__builtin_mul_overflow(all / 100, percent, &product))
        return UINT64_MAX;
    return product + all % 100 * percent / 100;
}

static uint64_t add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Finds the mark that is reached first: the highest. */
static void find_mark(struct Line *line, const struct TenantClass *class, enum ReadingId reading)
{
    for (size_t i = 0; i < class->n_rules; i++) {
        const struct Condition *when = &class->rules[i]->when;
        uint64_t mark = when->value > 0 ? (uint64_t)when->value : 0;

        if (reading == READING_HOST_DISK_FREE && when->reading == READING_DISK_ETA)
            line->watched = true;
        if (when->reading != reading ||
            (when->comparison != COMPARISON_BELOW && when->comparison != COMPARISON_AT_MOST))
            continue;
        line->watched = true;
        line->mark = most(line->mark, when->percent ? percent_of(line->all, mark) : mark);
    }
}

static uint64_t headroom(const struct Line *line)
{
    return line->free > line->mark ? line->free - line->mark : 0;
}

/* What this tenant may take before it is announced. */
static uint64_t step(const struct Line *line)
{
    uint64_t share = headroom(line) / 2 / line->growers;

    return most(share / line->unit * line->unit, line->step_min);
}

static uint64_t place(const struct Line *line)
{
    bool limited = line->hard != LIMIT_INFINITY;
    uint64_t hard = limited ? line->hard / line->unit * line->unit : UINT64_MAX;
    uint64_t warn = limited && line->warn_percent > 0
                        ? percent_of(line->hard, line->warn_percent) / line->unit * line->unit
                        : 0;
    uint64_t near;

    if (!line->watched)
        return least(warn, hard);
    /* A part of a unit in use counts as all of it: never at or below what is there. */
    near = add(line->usage, line->unit - 1) / line->unit * line->unit;
    near = add(near, step(line));
    if (warn > line->usage)
        near = least(near, warn);
    return least(near, hard);
}

static bool is_far(const struct Line *line)
{
    uint64_t room = most(headroom(line) / line->growers, 2 * line->step_min);

    if (!line->watched)
        return false;
    if (line->soft == 0)
        return place(line) != 0;
    return line->soft > add(line->usage, room);
}

static struct Line space_line(const struct TripwireView *view)
{
    const struct DiskShare *share = view->share;
    struct Line line = {
        .usage = share->usage.space_bytes,
        .soft = share->usage.space_soft_bytes,
        .hard = view->space_hard_bytes > 0 ? view->space_hard_bytes : LIMIT_INFINITY,
        .free = share->free_bytes,
        .all = share->size_bytes,
        .unit = SPACE_UNIT,
        .step_min = SPACE_STEP_MIN,
        .growers = view->n_growers > 0 ? view->n_growers : 1,
        .warn_percent = view->class->disk_warn_percent,
    };

    find_mark(&line, view->class, READING_HOST_DISK_FREE);
    return line;
}

static struct Line inodes_line(const struct TripwireView *view)
{
    const struct DiskShare *share = view->share;
    struct Line line = {
        .usage = share->usage.inodes,
        .soft = share->usage.inodes_soft,
        .hard = view->inodes_hard > 0 ? view->inodes_hard : LIMIT_INFINITY,
        .free = share->free_inodes,
        .all = share->all_inodes,
        .unit = 1,
        .step_min = INODES_STEP_MIN,
        .growers = view->n_growers > 0 ? view->n_growers : 1,
        .warn_percent = view->class->disk_warn_percent,
    };

    find_mark(&line, view->class, READING_HOST_DISK_INODES);
    /* A filesystem that has room but no number of inodes does not run out of them. */
    if (share->size_bytes > 0 && share->all_inodes == 0)
        line.watched = false;
    return line;
}

void tripwire_place(const struct TripwireView *view, uint64_t *ret_space_soft_bytes,
                    uint64_t *ret_inodes_soft)
{
    struct Line space = space_line(view), inodes = inodes_line(view);

    *ret_space_soft_bytes = place(&space);
    *ret_inodes_soft = place(&inodes);
}

bool tripwire_is_far(const struct TripwireView *view)
{
    struct Line space = space_line(view), inodes = inodes_line(view);

    return is_far(&space) || is_far(&inodes);
}
