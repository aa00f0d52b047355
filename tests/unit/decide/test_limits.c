/* What is asked for a limit, against what is there. */
#include "fixture.h"

#include "decide/limits.h"

static struct Readings tasks(int64_t value)
{
    struct Readings readings = {};

    readings.valid[READING_TASKS_CURRENT] = true;
    readings.value[READING_TASKS_CURRENT] = value;
    readings.limit[READING_TASKS_CURRENT] = READING_UNLIMITED;
    return readings;
}

static void override(struct World *world, enum LimitId id, uint64_t value)
{
    world->tenant.overrides.set[id] = true;
    world->tenant.overrides.value[id] = value;
}

/* --- the number of tasks: what the class asks --------------------------------------------------------- */

static bool limit_of(struct World *world, uint64_t asked, uint64_t present, int64_t running,
                     struct Decision *decision)
{
    world->class.limits.set[LIMIT_TASKS_MAX] = true;
    world->class.limits.value[LIMIT_TASKS_MAX] = asked;
    world->tenant.readings = tasks(running);
    return limit_decide(&world->tenant, LIMIT_TASKS_MAX, present, world->now, decision);
}

static void test_limit_is_set(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    assert_true(limit_of(&world, 1024, LIMIT_INFINITY, 5, &decision));
    assert_int_equal(decision.verb, VERB_LIMIT);
    assert_int_equal(decision.value, 1024);
    assert_string_equal(world.tenant.limits[0].note, "");
}

static void test_tighter_limit_is_kept(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    assert_false(limit_of(&world, 1024, 100, 5, &decision));
    assert_non_null(strstr(world.tenant.limits[0].note, "TasksMax=100 already"));
}

static void test_limit_below_use_is_not_set(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.was_here = true;
    assert_false(limit_of(&world, 1024, LIMIT_INFINITY, 5000, &decision));
    assert_non_null(strstr(world.tenant.limits[0].note, "5000 tasks run already"));
}

/* A bomb that was quicker than the limit must not win by it. */
static void test_newcomer_beyond_its_limit_gets_it(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.appeared_usec = world.now - 1 * SECOND;
    assert_true(limit_of(&world, 1024, LIMIT_INFINITY, 5000, &decision));
    world.now += LIMIT_NEWCOMER_USEC;
    assert_false(limit_of(&world, 1024, LIMIT_INFINITY, 5000, &decision));
}

/* The runtime was slower than guardd, and set less: that is the tenant's own from now on. */
static void test_limit_set_by_another_is_kept(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.limits[0] = (struct LimitState){.applied = true, .found = LIMIT_INFINITY, .value = 1024};
    assert_true(limit_of(&world, 1024, 100, 5, &decision));
    assert_int_equal(decision.verb, VERB_UNLIMIT);
    assert_int_equal(decision.value, 100);
}

/* Written direct while the runtime was at work; at the last look PID 1 is told. */
static void test_systemd_is_told_at_the_last_look(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.limits[0] =
        (struct LimitState){.applied = true, .untold = true, .found = LIMIT_INFINITY, .value = 1024};
    world.tenant.settling = true;
    assert_false(limit_of(&world, 1024, 1024, 5, &decision));
    /* A settled one that is due again, for its disk say, is no newcomer. */
    world.tenant.settling = false;
    world.tenant.limits_due_usec = world.now;
    assert_true(limit_of(&world, 1024, 1024, 5000, &decision));
    assert_int_equal(decision.verb, VERB_LIMIT);
    world.tenant.limits[0].untold = false;
    assert_false(limit_of(&world, 1024, 1024, 5, &decision));
}

static void test_limit_lost_is_set_again(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.limits[0] = (struct LimitState){.applied = true, .found = 5000, .value = 1024};
    assert_true(limit_of(&world, 1024, LIMIT_INFINITY, 5, &decision));
    assert_int_equal(decision.verb, VERB_LIMIT);
    assert_int_equal(decision.value, 1024);
    assert_true(world.tenant.limits[0].found == LIMIT_INFINITY);
}

static void test_limit_follows_a_reload(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.limits[0] = (struct LimitState){.applied = true, .found = LIMIT_INFINITY, .value = 1024};
    assert_false(limit_of(&world, 1024, 1024, 5, &decision));
    assert_true(limit_of(&world, 2048, 1024, 5, &decision));
    assert_int_equal(decision.value, 2048);
    world.class.limits.set[LIMIT_TASKS_MAX] = false;
    assert_true(limit_decide(&world.tenant, LIMIT_TASKS_MAX, 1024, world.now, &decision));
    assert_int_equal(decision.verb, VERB_UNLIMIT);
    assert_true(decision.value == LIMIT_INFINITY);
}

static void test_untouchable_gets_no_limit(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.untouchable = true;
    assert_false(limit_of(&world, 1024, LIMIT_INFINITY, 5, &decision));
}

/* Another wish while the service manager is asked: a rule's look waits, an operator does not. */
static void test_waiting(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.limits[0] =
        (struct LimitState){.applied = true, .waiting = 1, .found = LIMIT_INFINITY, .value = 1024};
    assert_false(limit_of(&world, 2048, LIMIT_INFINITY, 5, &decision));
    override(&world, LIMIT_TASKS_MAX, 1024);
    assert_false(limit_of(&world, 2048, 300, 5, &decision));
    override(&world, LIMIT_TASKS_MAX, 4096);
    assert_true(limit_of(&world, 2048, 300, 5, &decision));
    assert_int_equal(decision.value, 4096);
    /* What is there is not yet what was asked for, and nobody else's. */
    assert_true(world.tenant.limits[0].found == LIMIT_INFINITY);
}

/* --- an operator's override ------------------------------------------------------------------------ */

static void test_override_is_set_as_asked(void **state)
{
    static const struct {
        uint64_t class, found, asked;
        int64_t running;
        bool decided;
        const char *reason;
    } table[] = {
        {1024, 1024, 4096, 5, true, "an operator asks for TasksMax=4096, found 1024"},
        {1024, LIMIT_INFINITY, 64, 5, true, "an operator asks for TasksMax=64, found infinity"},
        {1024, LIMIT_INFINITY, 64, 100, true,
         "an operator asks for TasksMax=64, found infinity; below the 100 tasks that run: it cannot fork"},
        {1024, 2048, LIMIT_INFINITY, 5, true, "an operator asks for TasksMax=infinity, found 2048"},
        {1024, 2048, 2048, 5, false, NULL},
        {1024, LIMIT_INFINITY, LIMIT_INFINITY, 5, false, NULL},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct World world;
        struct Decision decision;

        world_init(&world);
        world.tenant.was_here = true;
        override(&world, LIMIT_TASKS_MAX, table[i].asked);
        if (limit_of(&world, table[i].class, table[i].found, table[i].running, &decision) != table[i].decided)
            fail_msg("row %zu", i);
        assert_string_equal(world.tenant.limits[0].note, "");
        if (!table[i].decided)
            continue;
        assert_int_equal(decision.verb, VERB_LIMIT);
        assert_int_equal(decision.cause, CAUSE_OPERATOR);
        assert_true(decision.value == table[i].asked);
        assert_string_equal(decision.reason, table[i].reason);
    }
}

/* Set, in force, taken back: then the class, or what was found. */
static void test_override_is_reset(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.limits[0] = (struct LimitState){.applied = true, .found = 100, .value = 4096};
    override(&world, LIMIT_TASKS_MAX, 4096);
    assert_false(limit_of(&world, 1024, 4096, 5, &decision));
    /* Back to what is found, by the operator's own wish. */
    override(&world, LIMIT_TASKS_MAX, 100);
    assert_true(limit_of(&world, 1024, 4096, 5, &decision));
    assert_int_equal(decision.verb, VERB_UNLIMIT);
    assert_int_equal(decision.cause, CAUSE_OPERATOR);
    assert_int_equal(decision.value, 100);
    /* The class would be content with what was found. */
    world.tenant.overrides.set[LIMIT_TASKS_MAX] = false;
    assert_true(limit_of(&world, 1024, 4096, 5, &decision));
    assert_int_equal(decision.verb, VERB_UNLIMIT);
    assert_int_equal(decision.value, 100);
    world.tenant.limits[0].found = 2000;
    assert_true(limit_of(&world, 1024, 4096, 5, &decision));
    assert_int_equal(decision.verb, VERB_LIMIT);
    assert_int_equal(decision.value, 1024);
}

/* A tenant whose class a reload took away keeps what the operator set. */
static void test_override_needs_no_class(void **state)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.class = NULL;
    override(&world, LIMIT_TASKS_MAX, 64);
    assert_true(limit_decide(&world.tenant, LIMIT_TASKS_MAX, LIMIT_INFINITY, world.now, &decision));
    assert_int_equal(decision.value, 64);
}

/* --- disk limits ----------------------------------------------------------------------------------- */

#define GIB (UINT64_C(1) << 30)

static void test_disk_limits(void **state)
{
    static const struct {
        enum LimitId id;
        bool by_operator;
        uint64_t asked, present, used;
        bool applied;
        uint64_t value;
        bool decided;
        const char *reason, *note;
    } table[] = {
        {LIMIT_DISK_SPACE_MAX, false, 10 * GIB, 0, GIB, false, 0, true,
         "class containers asks for DiskSpaceMax=10G, found infinity", ""},
        {LIMIT_DISK_SPACE_MAX, false, 10 * GIB, LIMIT_INFINITY, GIB, false, 0, true,
         "class containers asks for DiskSpaceMax=10G, found infinity", ""},
        /* In force, as a filesystem of 4096 bytes a block keeps it. */
        {LIMIT_DISK_SPACE_MAX, false, 10 * GIB + 100, 10 * GIB, GIB, true, 10 * GIB + 100, false, NULL, ""},
        {LIMIT_DISK_SPACE_MAX, false, 10 * GIB + 4096, 10 * GIB, GIB, true, 10 * GIB, true,
         "class containers asks for DiskSpaceMax=10G, found 10G", ""},
        {LIMIT_DISK_INODES_MAX, false, 200000, 199999, 5, true, 199999, true,
         "class containers asks for DiskInodesMax=200000, found 199999", ""},
        {LIMIT_DISK_INODES_MAX, false, 200000, 200000, 5, true, 200000, false, NULL, ""},
        /* There since an earlier boot: taken over, never for the tenant's own, also where it is less. */
        {LIMIT_DISK_SPACE_MAX, false, 10 * GIB, 10 * GIB, GIB, false, 0, true,
         "class containers asks for DiskSpaceMax=10G, found 10G", ""},
        {LIMIT_DISK_SPACE_MAX, false, 10 * GIB, 5 * GIB, GIB, false, 0, true,
         "class containers asks for DiskSpaceMax=10G, found 5G", ""},
        /* Somebody's hand. */
        {LIMIT_DISK_SPACE_MAX, false, 10 * GIB, 0, GIB, true, 10 * GIB, true,
         "class containers asks for DiskSpaceMax=10G, somebody else has set it to infinity", ""},
        {LIMIT_DISK_SPACE_MAX, false, 10 * GIB, 5 * GIB, GIB, true, 10 * GIB, true,
         "class containers asks for DiskSpaceMax=10G, somebody else has set it to 5G", ""},
        {LIMIT_DISK_SPACE_MAX, false, 5 * GIB, 10 * GIB, 82 * GIB / 10, true, 5 * GIB, true,
         "class containers asks for DiskSpaceMax=5G, somebody else has set it to 10G; below the present use "
         "of 8.2G: it cannot grow",
         "below the present use of 8.2G: it cannot grow"},
        /* Below what is used, by the class and by an operator, and once it is in force. */
        {LIMIT_DISK_SPACE_MAX, false, 5 * GIB, 0, 82 * GIB / 10, false, 0, true,
         "class containers asks for DiskSpaceMax=5G, found infinity; below the present use of 8.2G: it "
         "cannot "
         "grow",
         "below the present use of 8.2G: it cannot grow"},
        {LIMIT_DISK_SPACE_MAX, true, 5 * GIB, 10 * GIB, 82 * GIB / 10, true, 10 * GIB, true,
         "an operator asks for DiskSpaceMax=5G, found 10G; below the present use of 8.2G: it cannot grow",
         "below the present use of 8.2G: it cannot grow"},
        {LIMIT_DISK_SPACE_MAX, true, 5 * GIB, 5 * GIB, 82 * GIB / 10, true, 5 * GIB, false, NULL,
         "below the present use of 8.2G: it cannot grow"},
        {LIMIT_DISK_INODES_MAX, true, 10, 0, 500, false, 0, true,
         "an operator asks for DiskInodesMax=10, found infinity; below the present use of 500 inodes: it "
         "cannot grow",
         "below the present use of 500 inodes: it cannot grow"},
        /* More than before. */
        {LIMIT_DISK_SPACE_MAX, true, 20 * GIB, 10 * GIB, GIB, true, 10 * GIB, true,
         "an operator asks for DiskSpaceMax=20G, found 10G", ""},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct World world;
        struct Decision decision;

        world_init(&world);
        world.tenant.disk.n_shares = 2;
        world.tenant.disk.shares[0].usage =
            (struct DiskUsage){.space_bytes = 99 * GIB, .inodes = 99 * GIB}; /* of long ago */
        world.tenant.disk.shares[1].valid = true;
        world.tenant.disk.shares[1].usage =
            (struct DiskUsage){.space_bytes = table[i].used, .inodes = table[i].used};
        world.tenant.limits[table[i].id].applied = table[i].applied;
        world.tenant.limits[table[i].id].value = table[i].value;
        if (table[i].by_operator)
            override(&world, table[i].id, table[i].asked);
        world.class.limits.set[table[i].id] = true;
        world.class.limits.value[table[i].id] = table[i].by_operator ? 77 * GIB : table[i].asked;
        if (limit_decide(&world.tenant, table[i].id, table[i].present, world.now, &decision) !=
            table[i].decided)
            fail_msg("row %zu", i);
        assert_string_equal(world.tenant.limits[table[i].id].note, table[i].note);
        if (!table[i].decided)
            continue;
        assert_int_equal(decision.verb, VERB_LIMIT);
        assert_int_equal(decision.cause, table[i].by_operator ? CAUSE_OPERATOR : CAUSE_CLASS);
        assert_true(decision.value == table[i].asked);
        assert_string_equal(decision.reason, table[i].reason);
        assert_true(world.tenant.limits[table[i].id].found == LIMIT_INFINITY);
    }
}

static void test_disk_limit_is_taken_off(void **state)
{
    struct World world;
    struct Decision decision;
    struct LimitState *limit = &world.tenant.limits[LIMIT_DISK_SPACE_MAX];

    world_init(&world);
    *limit = (struct LimitState){.applied = true, .found = 12345, .value = 10 * GIB};
    assert_true(limit_release(&world.tenant, LIMIT_DISK_SPACE_MAX, CAUSE_STOP, world.now, &decision));
    assert_int_equal(decision.verb, VERB_UNLIMIT);
    assert_true(decision.value == LIMIT_INFINITY);
    assert_string_equal(decision.reason, "DiskSpaceMax back to infinity, as found");
    /* Nobody asks for it any more. */
    assert_true(limit_decide(&world.tenant, LIMIT_DISK_SPACE_MAX, 10 * GIB, world.now, &decision));
    assert_int_equal(decision.verb, VERB_UNLIMIT);
    assert_true(decision.value == LIMIT_INFINITY);
    /* Nor for one of an earlier boot. */
    *limit = (struct LimitState){};
    assert_true(limit_decide(&world.tenant, LIMIT_DISK_SPACE_MAX, 10 * GIB, world.now, &decision));
    assert_int_equal(decision.verb, VERB_UNLIMIT);
    assert_true(decision.value == LIMIT_INFINITY);
    assert_string_equal(decision.reason, "DiskSpaceMax=10G is there and nobody asks for it");
    assert_false(limit_decide(&world.tenant, LIMIT_DISK_SPACE_MAX, 0, world.now, &decision));
    assert_false(limit_release(&world.tenant, LIMIT_DISK_SPACE_MAX, CAUSE_STOP, world.now, &decision));
    /* An operator lifts what the class asks for. */
    *limit = (struct LimitState){.applied = true, .value = 10 * GIB};
    world.class.limits.set[LIMIT_DISK_SPACE_MAX] = true;
    world.class.limits.value[LIMIT_DISK_SPACE_MAX] = 10 * GIB;
    override(&world, LIMIT_DISK_SPACE_MAX, LIMIT_INFINITY);
    assert_true(limit_decide(&world.tenant, LIMIT_DISK_SPACE_MAX, 10 * GIB, world.now, &decision));
    assert_int_equal(decision.verb, VERB_UNLIMIT);
    assert_int_equal(decision.cause, CAUSE_OPERATOR);
}

/* --- memory, CPU and I/O ---------------------------------------------------------------------------- */

struct Row {
    enum LimitId id;
    bool by_operator, newcomer;
    uint64_t asked, present, used;
    struct LimitState state;
    enum Verb verb; /* VERB_INVALID: nothing is decided */
    uint64_t value;
    const char *reason, *note;
};

static void check_row(const struct Row *row, size_t i)
{
    struct World world;
    struct Decision decision;

    world_init(&world);
    world.tenant.was_here = !row->newcomer;
    world.tenant.appeared_usec = world.now;
    world.tenant.limits_due_usec = USEC_INFINITY;
    world.tenant.limits[row->id] = row->state;
    world.tenant.views[row->id] = (struct LimitView){.measured = row->used > 0, .used = row->used};
    if (row->by_operator)
        override(&world, row->id, row->asked);
    world.class.limits.set[row->id] = !row->by_operator;
    world.class.limits.value[row->id] = row->asked;
    if (limit_decide(&world.tenant, row->id, row->present, world.now, &decision) !=
        (row->verb != VERB_INVALID))
        fail_msg("row %zu", i);
    assert_string_equal(world.tenant.limits[row->id].note, row->note);
    if (row->verb == VERB_INVALID)
        return;
    assert_int_equal(decision.verb, row->verb);
    assert_true(decision.value == row->value);
    assert_string_equal(decision.reason, row->reason);
}

static void test_limits_of_files(void **state)
{
    static const struct Row table[] = {
        {LIMIT_MEMORY_MAX,
         false,
         false,
         GIB,
         LIMIT_INFINITY,
         GIB / 2,
         {0},
         VERB_LIMIT,
         GIB,
         "class containers asks for MemoryMax=1G, found infinity",
         ""},
        /* what it has is less, or the same but for the kernel's rounding */
        {LIMIT_MEMORY_MAX,
         false,
         false,
         GIB,
         GIB / 2,
         0,
         {0},
         VERB_INVALID,
         0,
         NULL,
         "it has MemoryMax=512M already, which is less"},
        {LIMIT_MEMORY_MAX, false, false, 1000000000, 999997440, 0, {0}, VERB_INVALID, 0, NULL, ""},
        {LIMIT_MEMORY_MAX, false, false, 1000000000, 1000001536, 0, {0}, VERB_INVALID, 0, NULL, ""},
        {LIMIT_MEMORY_MAX,
         false,
         false,
         1000000000,
         999997440,
         0,
         {.applied = true, .found = LIMIT_INFINITY, .value = 1000000000},
         VERB_INVALID,
         0,
         NULL,
         ""},
        /* nobody is killed, or slowed down to a crawl, by a class that comes late */
        {LIMIT_MEMORY_MAX,
         false,
         false,
         GIB,
         LIMIT_INFINITY,
         2 * GIB,
         {0},
         VERB_INVALID,
         0,
         NULL,
         "not set: 2G are used already, more than 1G"},
        {LIMIT_MEMORY_HIGH,
         false,
         false,
         GIB,
         LIMIT_INFINITY,
         2 * GIB,
         {0},
         VERB_INVALID,
         0,
         NULL,
         "not set: 2G are used already, more than 1G"},
        {LIMIT_MEMORY_MAX,
         false,
         false,
         GIB,
         3 * GIB,
         2 * GIB,
         {.applied = true, .found = LIMIT_INFINITY, .value = 3 * GIB},
         VERB_INVALID,
         0,
         NULL,
         "not set: 2G are used already, more than 1G"},
        {LIMIT_MEMORY_HIGH,
         false,
         false,
         GIB,
         GIB / 2,
         2 * GIB,
         {.applied = true, .found = LIMIT_INFINITY, .value = GIB / 2},
         VERB_LIMIT,
         GIB,
         "class containers asks for MemoryHigh=1G, found infinity; below the present use of 2G: it is slowed "
         "down until it fits",
         ""},
        {LIMIT_MEMORY_MAX,
         false,
         true,
         GIB,
         LIMIT_INFINITY,
         2 * GIB,
         {0},
         VERB_LIMIT,
         GIB,
         "class containers asks for MemoryMax=1G, found infinity; below the present use of 2G: it is killed "
         "unless it "
         "can be made to fit",
         ""},
        {LIMIT_MEMORY_MAX,
         true,
         false,
         GIB,
         LIMIT_INFINITY,
         2 * GIB,
         {0},
         VERB_LIMIT,
         GIB,
         "an operator asks for MemoryMax=1G, found infinity; below the present use of 2G: it is killed "
         "unless it can "
         "be made to fit",
         ""},
        {LIMIT_MEMORY_SWAP_MAX,
         false,
         false,
         GIB,
         LIMIT_INFINITY,
         2 * GIB,
         {0},
         VERB_LIMIT,
         GIB,
         "class containers asks for MemorySwapMax=1G, found infinity; below the present use of 2G: it cannot "
         "grow",
         ""},
        /* set by somebody else since */
        {LIMIT_MEMORY_MAX,
         false,
         false,
         GIB,
         2 * GIB,
         0,
         {.applied = true, .found = LIMIT_INFINITY, .value = GIB},
         VERB_LIMIT,
         GIB,
         "class containers asks for MemoryMax=1G, found 2G",
         ""},
        {LIMIT_MEMORY_MAX,
         false,
         false,
         GIB,
         GIB / 2,
         0,
         {.applied = true, .found = LIMIT_INFINITY, .value = GIB},
         VERB_UNLIMIT,
         GIB / 2,
         "MemoryMax back to 512M, as found",
         "it has MemoryMax=512M already, which is less"},
        {LIMIT_CPU_QUOTA,
         false,
         false,
         15000,
         LIMIT_INFINITY,
         0,
         {0},
         VERB_LIMIT,
         15000,
         "class containers asks for CPUQuota=150%, found infinity",
         ""},
        {LIMIT_CPU_QUOTA,
         false,
         false,
         15000,
         5050,
         0,
         {0},
         VERB_INVALID,
         0,
         NULL,
         "it has CPUQuota=50.5% already, which is less"},
        {LIMIT_CPU_QUOTA,
         true,
         false,
         15000,
         5050,
         0,
         {0},
         VERB_LIMIT,
         15000,
         "an operator asks for CPUQuota=150%, found 50.5%",
         ""},
        /* the default weight is nobody's wish */
        {LIMIT_CPU_WEIGHT,
         false,
         false,
         500,
         100,
         0,
         {0},
         VERB_LIMIT,
         500,
         "class containers asks for CPUWeight=500, found 100",
         ""},
        {LIMIT_IO_WEIGHT,
         false,
         false,
         50,
         100,
         0,
         {0},
         VERB_LIMIT,
         50,
         "class containers asks for IOWeight=50, found 100",
         ""},
        {LIMIT_IO_WEIGHT, false, false, 100, 100, 0, {0}, VERB_INVALID, 0, NULL, ""},
        {LIMIT_CPU_WEIGHT,
         false,
         false,
         500,
         200,
         0,
         {0},
         VERB_INVALID,
         0,
         NULL,
         "it has CPUWeight=200 already, which is less"},
        {LIMIT_CPU_WEIGHT,
         false,
         false,
         500,
         500,
         0,
         {.applied = true, .found = 100, .value = 500},
         VERB_INVALID,
         0,
         NULL,
         ""},
        {LIMIT_CPU_WEIGHT,
         true,
         false,
         500,
         200,
         0,
         {0},
         VERB_LIMIT,
         500,
         "an operator asks for CPUWeight=500, found 200",
         ""},
        {LIMIT_CPU_WEIGHT,
         true,
         false,
         200,
         500,
         0,
         {.applied = true, .found = 200, .value = 500},
         VERB_UNLIMIT,
         200,
         "CPUWeight back to 200, as found",
         ""},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        check_row(&table[i], i);
}

/* What stands in memory.high and cpu.max is then the throttle's, and nobody's wish. */
static void test_throttled_is_left_alone(void **state)
{
    static const struct {
        enum LimitId id;
        enum Resource resource;
        bool alone;
    } table[] = {
        {LIMIT_MEMORY_HIGH, RESOURCE_MEMORY, true}, {LIMIT_MEMORY_MAX, RESOURCE_MEMORY, false},
        {LIMIT_CPU_QUOTA, RESOURCE_CPU, true},      {LIMIT_CPU_WEIGHT, RESOURCE_CPU, false},
        {LIMIT_CPU_QUOTA, RESOURCE_IO, false},      {LIMIT_IO_WEIGHT, RESOURCE_IO, false},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct World world;
        struct Decision decision;
        const uint64_t asked = 5000;

        world_init(&world);
        world.tenant.throttles[table[i].resource].n_lines = 1;
        world.tenant.limits[table[i].id] =
            (struct LimitState){.applied = true, .found = 7000, .value = asked};
        world.class.limits.set[table[i].id] = true;
        world.class.limits.value[table[i].id] = asked;
        assert_int_equal(limit_decide(&world.tenant, table[i].id, UINT64_C(1) << 20, world.now, &decision),
                         !table[i].alone);
        assert_string_equal(world.tenant.limits[table[i].id].note,
                            table[i].alone ? "a throttle stands in its place" : "");
        assert_int_equal(world.tenant.limits[table[i].id].found, table[i].alone ? 7000 : 1 << 20);
        if (!table[i].alone)
            continue;
        /* Nobody asks for it any more: it waits, and there is nothing to be told. */
        world.class.limits.set[table[i].id] = false;
        assert_false(limit_decide(&world.tenant, table[i].id, UINT64_C(1) << 20, world.now, &decision));
        assert_string_equal(world.tenant.limits[table[i].id].note, "");
    }
}

/* Nothing is found in the place of a rate: it is guardd's alone, and what is looser is tightened. */
static void test_rates(void **state)
{
    struct World world;
    struct Decision decision;
    const enum LimitId id = LIMIT_NETWORK_EGRESS_MAX;
    struct LimitState *limit = &world.tenant.limits[LIMIT_NETWORK_EGRESS_MAX];

    world_init(&world);
    world.class.limits.set[id] = true;
    world.class.limits.value[id] = 10000000;
    assert_true(limit_decide(&world.tenant, id, LIMIT_INFINITY, world.now, &decision));
    assert_int_equal(decision.verb, VERB_LIMIT);
    assert_int_equal(decision.value, 10000000);
    assert_int_equal(limit->found, LIMIT_INFINITY);
    /* Of an earlier run, and another rate. */
    assert_true(limit_decide(&world.tenant, id, 5000000, world.now, &decision));
    assert_int_equal(decision.value, 10000000);
    /* As the kernel rounds it. */
    *limit = (struct LimitState){.applied = true, .found = LIMIT_INFINITY, .value = 10000000};
    assert_false(limit_decide(&world.tenant, id, 10000007, world.now, &decision));
    override(&world, id, 50000000);
    assert_true(limit_decide(&world.tenant, id, 10000000, world.now, &decision));
    assert_int_equal(decision.value, 50000000);
    assert_int_equal(decision.cause, CAUSE_OPERATOR);
    assert_true(limit_release(&world.tenant, id, CAUSE_OPERATOR, world.now, &decision));
    assert_int_equal(decision.verb, VERB_UNLIMIT);
    assert_int_equal(decision.value, LIMIT_INFINITY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit_is_set),
        cmocka_unit_test(test_tighter_limit_is_kept),
        cmocka_unit_test(test_limit_below_use_is_not_set),
        cmocka_unit_test(test_newcomer_beyond_its_limit_gets_it),
        cmocka_unit_test(test_limit_set_by_another_is_kept),
        cmocka_unit_test(test_systemd_is_told_at_the_last_look),
        cmocka_unit_test(test_limit_lost_is_set_again),
        cmocka_unit_test(test_limit_follows_a_reload),
        cmocka_unit_test(test_untouchable_gets_no_limit),
        cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_override_is_set_as_asked),
        cmocka_unit_test(test_override_is_reset),
        cmocka_unit_test(test_override_needs_no_class),
        cmocka_unit_test(test_disk_limits),
        cmocka_unit_test(test_disk_limit_is_taken_off),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_limits_of_files),
        cmocka_unit_test(test_throttled_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
