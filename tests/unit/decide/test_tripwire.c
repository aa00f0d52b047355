/* Where the tripwire lies, and that nobody passes the mark of a rule unannounced. */
#include "fixture.h"

#include <inttypes.h>

#include "decide/tripwire.h"

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)
#define BLOCK UINT64_C(4096)

struct Ground {
    struct Rule rules[2];
    struct TenantClass class;
    struct DiskShare share;
    struct TripwireView view;
};

/* One tenant of ten on a filesystem of 100 GiB and a million inodes, half of it free, DiskWarnAt=80%. */
static void ground_init(struct Ground *ground)
{
    memset(ground, 0, sizeof(*ground));
    ground->class.disk_warn_percent = 80;
    ground->share = (struct DiskShare){.valid = true,
                                       .free_bytes = 50 * GIB,
                                       .size_bytes = 100 * GIB,
                                       .free_inodes = 500000,
                                       .all_inodes = 1000000};
    ground->view = (struct TripwireView){.class = &ground->class, .share = &ground->share, .n_growers = 10};
}

static void add_rule(struct Ground *ground, enum ReadingId reading, enum Comparison comparison, int64_t value,
                     bool percent)
{
    struct Rule *rule = &ground->rules[ground->class.n_rules];

    rule->when = (struct Condition){reading, comparison, value, percent, 0};
    ground->class.rules[ground->class.n_rules++] = rule;
}

static uint64_t space(const struct Ground *ground)
{
    uint64_t bytes = 1, inodes = 1;

    tripwire_place(&ground->view, &bytes, &inodes);
    return bytes;
}

static uint64_t inodes(const struct Ground *ground)
{
    uint64_t bytes = 1, count = 1;

    tripwire_place(&ground->view, &bytes, &count);
    return count;
}

enum Watch {
    NOBODY,
    FREE_10_PERCENT, /* host.disk.free < 10%: the mark is at 10 GiB */
    FREE_20_GIB,     /* host.disk.free <= 20G */
    FREE_ABOVE,      /* host.disk.free > 10%: asks for nothing */
    ETA,             /* disk.eta < 2min */
    FREE_10_AND_20,  /* two marks: the higher one is reached first */
    FREE_20_AND_10,
    FREE_10_IN_INODES,  /* host.disk.inodes < 10%: nothing about space */
    DISK_SPACE_ALREADY, /* disk.space > 80% */
};

static void watch(struct Ground *ground, enum Watch watch)
{
    if (watch == FREE_10_PERCENT || watch == FREE_10_AND_20)
        add_rule(ground, READING_HOST_DISK_FREE, COMPARISON_BELOW, 10, true);
    if (watch == FREE_20_GIB)
        add_rule(ground, READING_HOST_DISK_FREE, COMPARISON_AT_MOST, 20 * GIB, false);
    if (watch == FREE_10_AND_20 || watch == FREE_20_AND_10)
        add_rule(ground, READING_HOST_DISK_FREE, COMPARISON_BELOW, 20, true);
    if (watch == FREE_20_AND_10)
        add_rule(ground, READING_HOST_DISK_FREE, COMPARISON_BELOW, 10, true);
    if (watch == FREE_ABOVE)
        add_rule(ground, READING_HOST_DISK_FREE, COMPARISON_ABOVE, 10, true);
    if (watch == ETA)
        add_rule(ground, READING_DISK_ETA, COMPARISON_BELOW, 120, false);
    if (watch == FREE_10_IN_INODES)
        add_rule(ground, READING_HOST_DISK_INODES, COMPARISON_BELOW, 10, true);
    if (watch == DISK_SPACE_ALREADY)
        add_rule(ground, READING_DISK_SPACE, COMPARISON_ABOVE, 80, true);
}

static void test_space(void **state)
{
    static const struct {
        enum Watch watch;
        uint64_t hard, usage, free;
        unsigned warn;
        size_t growers;
        uint64_t soft;
    } table[] = {
        /* Neither a limit nor a rule. */
        {NOBODY, 0, GIB, 50 * GIB, 80, 10, 0},
        {NOBODY, LIMIT_INFINITY, GIB, 50 * GIB, 80, 10, 0},
        {FREE_ABOVE, 0, GIB, 50 * GIB, 80, 10, 0},
        {FREE_10_IN_INODES, 0, GIB, 50 * GIB, 80, 10, 0},
        {DISK_SPACE_ALREADY, 0, GIB, 50 * GIB, 80, 10, 0},
        /* The warn line. */
        {NOBODY, 10 * GIB, GIB, 50 * GIB, 80, 10, 8 * GIB},
        {NOBODY, 10 * GIB, GIB, 0, 80, 10, 8 * GIB},
        {NOBODY, 10 * GIB, GIB, 50 * GIB, 100, 10, 10 * GIB},
        {NOBODY, 10 * GIB, GIB, 50 * GIB, 0, 10, 0},
        {NOBODY, 10000, 0, 50 * GIB, 50, 10, 4096}, /* 5000, in blocks */
        {NOBODY, 10000, 0, 50 * GIB, 100, 10, 8192},
        {NOBODY, 1000, 0, 50 * GIB, 80, 10, 0},
        {NOBODY, 10 * GIB, GIB, 50 * GIB, 120, 10, 10 * GIB},
        {NOBODY, UINT64_C(1) << 62, GIB, 50 * GIB, 50, 10, UINT64_C(1) << 61},
        /* It is crossed: it stays. */
        {NOBODY, 10 * GIB, 9 * GIB, 50 * GIB, 80, 10, 8 * GIB},
        {NOBODY, 10 * GIB, 20 * GIB, 50 * GIB, 80, 10, 8 * GIB},
        {DISK_SPACE_ALREADY, 10 * GIB, 9 * GIB, 50 * GIB, 80, 10, 8 * GIB},
        /* Of 40 GiB above the mark each of ten may take 2. */
        {FREE_10_PERCENT, 0, GIB, 50 * GIB, 80, 10, 3 * GIB},
        {FREE_10_PERCENT, LIMIT_INFINITY, GIB, 50 * GIB, 80, 10, 3 * GIB},
        {FREE_10_PERCENT, 0, GIB, 50 * GIB, 80, 1, 21 * GIB},
        {FREE_10_PERCENT, 0, GIB, 50 * GIB, 80, 0, 21 * GIB},
        {FREE_20_GIB, 0, GIB, 50 * GIB, 80, 10, GIB + 1536 * MIB},
        {FREE_10_AND_20, 0, GIB, 50 * GIB, 80, 10, GIB + 1536 * MIB},
        {FREE_20_AND_10, 0, GIB, 50 * GIB, 80, 10, GIB + 1536 * MIB},
        {ETA, 0, GIB, 50 * GIB, 80, 10, GIB + 2560 * MIB},
        /* A tenant that starts within a block. */
        {FREE_10_PERCENT, 0, GIB + 512, 50 * GIB, 80, 10, 3 * GIB + BLOCK},
        /* In blocks, and downwards. */
        {FREE_20_GIB, 0, 0, 20 * GIB + 20 * (2 * MIB + 5000), 80, 10, 2 * MIB + BLOCK},
        /* The least step: near the mark, at it, beyond it. */
        {FREE_20_GIB, 0, GIB, 20 * GIB + 5 * MIB, 80, 10, GIB + MIB},
        {FREE_20_GIB, 0, GIB, 20 * GIB, 80, 10, GIB + MIB},
        {FREE_20_GIB, 0, GIB, 0, 80, 10, GIB + MIB},
        /* With a limit: the nearer one. */
        {FREE_10_PERCENT, 10 * GIB, GIB, 50 * GIB, 80, 10, 3 * GIB},
        {FREE_10_PERCENT, 10 * GIB, 7 * GIB, 50 * GIB, 80, 10, 8 * GIB},
        {FREE_10_PERCENT, 3 * GIB, GIB, 50 * GIB, 80, 10, 3 * GIB * 80 / 100 / BLOCK * BLOCK},
        {ETA, 100 * GIB, GIB, 50 * GIB, 80, 10, GIB + 2560 * MIB},
        /* The warn line is told: the rule's goes on, as far as the hard limit. */
        {FREE_10_PERCENT, 100 * GIB, 85 * GIB, 50 * GIB, 80, 10, 87 * GIB},
        {FREE_10_PERCENT, 10 * GIB, 9 * GIB, 50 * GIB, 80, 10, 10 * GIB},
        {FREE_10_PERCENT, 10 * GIB, 8 * GIB, 50 * GIB, 80, 10, 10 * GIB},
        {FREE_10_PERCENT, 10 * GIB, 8 * GIB - 512, 50 * GIB, 80, 10, 8 * GIB},
        {FREE_10_PERCENT, 10 * GIB, 20 * GIB, 50 * GIB, 80, 10, 10 * GIB},
        {FREE_10_PERCENT, 10 * GIB + 100, 20 * GIB, 50 * GIB, 80, 10, 10 * GIB},
        /* No warn line. */
        {FREE_10_PERCENT, 10 * GIB, GIB, 50 * GIB, 0, 10, 3 * GIB},
        /* Nothing wraps. */
        {FREE_10_PERCENT, LIMIT_INFINITY, UINT64_MAX - 10, 50 * GIB, 80, 10, UINT64_MAX},
        {NOBODY, LIMIT_INFINITY - 1, GIB, 50 * GIB, 120, 10, LIMIT_INFINITY / BLOCK * BLOCK},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct Ground ground;

        ground_init(&ground);
        watch(&ground, table[i].watch);
        ground.view.space_hard_bytes = table[i].hard;
        ground.view.n_growers = table[i].growers;
        ground.share.usage.space_bytes = table[i].usage;
        ground.share.free_bytes = table[i].free;
        ground.class.disk_warn_percent = table[i].warn;
        if (space(&ground) != table[i].soft)
            fail_msg("row %zu: %" PRIu64 " and not %" PRIu64, i, space(&ground), table[i].soft);
        if (table[i].watch != FREE_10_IN_INODES)
            assert_int_equal(inodes(&ground), 0);
    }
}

/* A mark that is more than a number holds is above all that is free: the least step is left. */
static void test_mark_does_not_wrap(void **state)
{
    struct Ground ground;

    ground_init(&ground);
    add_rule(&ground, READING_HOST_DISK_FREE, COMPARISON_BELOW, 101, true);
    ground.share.size_bytes = UINT64_MAX;
    ground.share.free_bytes = UINT64_MAX;
    assert_int_equal(space(&ground), MIB);
}

static void test_inodes(void **state)
{
    static const struct {
        bool watched;
        uint64_t hard, usage, free, all, size, soft;
    } table[] = {
        {false, 0, 100, 500000, 1000000, 100 * GIB, 0},
        {false, 200000, 100, 500000, 1000000, 100 * GIB, 160000},
        {false, 7, 100, 500000, 1000000, 100 * GIB, 5},
        {false, 200000, 170000, 500000, 1000000, 100 * GIB, 160000},
        {true, 0, 100, 500000, 1000000, 100 * GIB, 100 + 20000},
        {true, 200000, 100, 500000, 1000000, 100 * GIB, 100 + 20000},
        {true, 200000, 150000, 500000, 1000000, 100 * GIB, 160000},
        {true, 200000, 160000, 500000, 1000000, 100 * GIB, 180000},
        {true, 0, 100, 100000, 1000000, 100 * GIB, 100 + 256},
        {true, 0, 100, 50, 1000000, 100 * GIB, 100 + 256},
        {true, 150, 149, 50, 1000000, 100 * GIB, 150},
        /* No number of inodes there; nothing known of it yet. */
        {true, 0, 100, 0, 0, 100 * GIB, 0},
        {true, 200000, 100, 0, 0, 100 * GIB, 160000},
        {true, 0, 100, 0, 0, 0, 100 + 256},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct Ground ground;

        ground_init(&ground);
        if (table[i].watched)
            watch(&ground, FREE_10_IN_INODES);
        ground.view.inodes_hard = table[i].hard;
        ground.share.usage.inodes = table[i].usage;
        ground.share.free_inodes = table[i].free;
        ground.share.all_inodes = table[i].all;
        ground.share.size_bytes = table[i].size;
        if (inodes(&ground) != table[i].soft)
            fail_msg("row %zu: %" PRIu64 " and not %" PRIu64, i, inodes(&ground), table[i].soft);
        assert_int_equal(space(&ground), 0);
    }
}

static void test_is_far(void **state)
{
    static const struct {
        enum Watch watch;
        uint64_t usage, free, hard;
        size_t growers;
        uint64_t soft;
        bool far;
    } table[] = {
        {NOBODY, GIB, 50 * GIB, 0, 10, 0, false},
        {NOBODY, GIB, 50 * GIB, 10 * GIB, 10, 8 * GIB, false},
        /* 2 GiB would be given; up to 4 may stay. */
        {FREE_10_PERCENT, GIB, 50 * GIB, 0, 10, 3 * GIB, false},
        {FREE_10_PERCENT, GIB, 50 * GIB, 0, 10, 5 * GIB, false},
        {FREE_10_PERCENT, GIB, 50 * GIB, 0, 10, 5 * GIB + BLOCK, true},
        {FREE_10_PERCENT, GIB, 29 * GIB, 0, 10, 3 * GIB, true},
        {FREE_10_PERCENT, GIB, 50 * GIB, 0, 21, 3 * GIB, true},
        /* Crossed: it tells at once. */
        {FREE_10_PERCENT, 4 * GIB, 50 * GIB, 0, 10, 3 * GIB, false},
        /* None is laid, or it ends at the hard limit. */
        {FREE_10_PERCENT, GIB, 50 * GIB, 0, 10, 0, true},
        {FREE_10_PERCENT, 9 * GIB, 50 * GIB, 10 * GIB, 10, 10 * GIB, false},
        /* The least step never is. */
        {FREE_20_GIB, GIB, GIB, 0, 10, GIB + MIB, false},
        {FREE_20_GIB, GIB, GIB, 0, 10, GIB + 2 * MIB + BLOCK, true},
        /* Nothing wraps. */
        {FREE_10_PERCENT, UINT64_MAX - 10, 50 * GIB, 0, 10, UINT64_MAX, false},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct Ground ground;

        ground_init(&ground);
        watch(&ground, table[i].watch);
        ground.view.space_hard_bytes = table[i].hard;
        ground.view.n_growers = table[i].growers;
        ground.share.free_bytes = table[i].free;
        ground.share.usage.space_bytes = table[i].usage;
        ground.share.usage.space_soft_bytes = table[i].soft;
        if (tripwire_is_far(&ground.view) != table[i].far)
            fail_msg("row %zu", i);
        ground.share.usage.space_soft_bytes = space(&ground);
        assert_false(tripwire_is_far(&ground.view)); /* or it would be placed for ever */
    }
}

static void test_inodes_are_far(void **state)
{
    struct Ground ground;

    ground_init(&ground);
    watch(&ground, FREE_10_IN_INODES);
    ground.share.usage.inodes = 100;
    ground.share.usage.inodes_soft = 100 + 40000;
    assert_false(tripwire_is_far(&ground.view));
    ground.share.usage.inodes_soft++;
    assert_true(tripwire_is_far(&ground.view));
}

/* --- the promise: all together, whoever grows how ---------------------------------------------------- */

#define GROWERS 7

struct Growers {
    struct Ground ground;
    struct DiskShare shares[GROWERS];
    uint64_t free;
    unsigned announced;
};

static void look_at(struct Growers *all, size_t i)
{
    all->shares[i].free_bytes = all->free;
    all->ground.view.share = &all->shares[i];
    all->ground.view.n_growers = GROWERS;
}

static void place(struct Growers *all, size_t i)
{
    look_at(all, i);
    all->shares[i].usage.space_soft_bytes = space(&all->ground);
}

/* What the daemon does when the kernel announces a crossing. */
static void announce(struct Growers *all, size_t who)
{
    all->announced++;
    place(all, who);
    for (size_t i = 0; i < GROWERS; i++) {
        look_at(all, i);
        if (tripwire_is_far(&all->ground.view))
            place(all, i);
    }
}

static bool grow(struct Growers *all, size_t who, uint64_t bytes)
{
    struct DiskUsage *usage = &all->shares[who].usage;

    usage->space_bytes += bytes;
    all->free -= bytes;
    return usage->space_bytes > usage->space_soft_bytes;
}

static uint64_t next_number(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* At each moment: if everybody took what is left to them at once, the mark would not be passed by more than
 * the least steps. */
static void assert_promise(const struct Growers *all, uint64_t mark)
{
    uint64_t left = 0, headroom = all->free > mark ? all->free - mark : 0;

    for (size_t i = 0; i < GROWERS; i++)
        if (all->shares[i].usage.space_soft_bytes > all->shares[i].usage.space_bytes)
            left += all->shares[i].usage.space_soft_bytes - all->shares[i].usage.space_bytes;
    if (left > headroom + GROWERS * 2 * MIB)
        fail_msg("%" PRIu64 " may be taken, %" PRIu64 " is left", left, headroom);
}

static void test_nobody_passes_the_mark_unannounced(void **state)
{
    const uint64_t mark = 10 * GIB;

    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct Growers all = {.free = 50 * GIB};
        uint64_t numbers = seed;
        /* From one that takes all to all that take the same. */
        size_t movers = 1 + (size_t)(seed % GROWERS);

        ground_init(&all.ground);
        watch(&all.ground, FREE_10_PERCENT);
        for (size_t i = 0; i < GROWERS; i++) {
            all.shares[i] = all.ground.share;
            place(&all, i);
        }
        while (all.free > mark) {
            size_t who = (size_t)(next_number(&numbers) % movers);

            if (grow(&all, who, (1 + next_number(&numbers) % 64) * 64 * 1024))
                announce(&all, who);
            assert_promise(&all, mark);
        }
        assert_true(all.announced > 0);
        assert_true(all.announced < 2000); /* not each write */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_space),          cmocka_unit_test(test_mark_does_not_wrap),
        cmocka_unit_test(test_inodes),         cmocka_unit_test(test_is_far),
        cmocka_unit_test(test_inodes_are_far), cmocka_unit_test(test_nobody_passes_the_mark_unannounced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
