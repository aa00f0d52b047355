/* What is told of shares: tables, without a kernel. */
#include "../scratch.h"

#include <sys/sysmacros.h>

#include "sense/disk.h"

#define S USEC_PER_SEC
#define T0 (1000 * S)
#define G (1024ULL * 1024 * 1024)

static struct DiskShare share_with(uint64_t bytes, uint64_t inodes)
{
    return (struct DiskShare){.dev = makedev(999, 1),
                              .project = 1000000,
                              .valid = true,
                              .repeats = true,
                              .usage = {.space_bytes = bytes, .inodes = inodes},
                              .free_bytes = 100 * G,
                              .size_bytes = 200 * G,
                              .free_inodes = 1000000,
                              .all_inodes = 2000000};
}

static void test_growth(void **state)
{
    static const struct {
        uint64_t bytes, inodes;
        usec_t at;
        int64_t bytes_per_sec, inodes_per_sec;
        usec_t grown;
    } table[] = {
        {1000, 10, T0, 0, 0, T0},                      /* counted from here */
        {2000, 20, T0 + S / 2, 0, 0, T0},              /* too soon */
        {3000, 30, T0 + S, 2000, 20, T0 + S},          /* since the first */
        {5000, 30, T0 + 4 * S, 1000, 5, T0 + 4 * S},   /* still */
        {5000, 30, T0 + 5 * S, 800, 4, T0 + 5 * S},    /* the average of five seconds; the mark moves */
        {6000, 30, T0 + 9 * S, 555, 2, T0 + 9 * S},    /* of nine */
        {6000, 30, T0 + 10 * S, 500, 2, T0 + 10 * S},  /* of ten: from now on, since the fifth */
        {6000, 30, T0 + 15 * S, 100, 0, T0 + 10 * S},  /* stands still, a step may come yet */
        {6000, 30, T0 + 25 * S, 0, 0, T0 + 10 * S},    /* three times as long as the last one took */
        {2000, 24, T0 + 26 * S, -142, 0, T0 + 10 * S}, /* shrinks */
        {2000, 36, T0 + 27 * S, -235, 0, T0 + 27 * S}, /* empty files are growth */
        {9000, 99, T0 + 4 * S, -235, 0, T0 + 27 * S},  /* a clock that goes back changes nothing */
        {3617000, 36, T0 + 3621 * S, 1000, 0, T0 + 3621 * S},         /* after a long peace */
        {UINT64_MAX, 36, T0 + 3622 * S, INT64_MAX, 0, T0 + 3622 * S}, /* and what goes on now */
        {0, 0, T0 + 3623 * S, -1808500, -18, T0 + 3622 * S},
    };
    struct DiskShare share = {.valid = true};

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        share.usage.space_bytes = table[i].bytes;
        share.usage.inodes = table[i].inodes;
        disk_grow(&share, table[i].at);
        if (share.bytes_per_sec != table[i].bytes_per_sec ||
            share.inodes_per_sec != table[i].inodes_per_sec || share.grown_usec != table[i].grown)
            fail_msg("row %zu: %lld bytes/s, %lld inodes/s, grown at %llu", i, (long long)share.bytes_per_sec,
                     (long long)share.inodes_per_sec, (unsigned long long)share.grown_usec);
    }
}

/* A file that grows by 10 MB a second is given 8 MB, then 16, 32 and so on: it never seems to stand still. */
static void test_growth_in_steps(void **state)
{
    struct DiskShare share = share_with(0, 1);
    uint64_t given = 8000000;
    unsigned second;

    for (second = 0; second < 70; second++) {
        while (given < second * 10000000ULL)
            given *= 2;
        share.usage.space_bytes = given;
        disk_grow(&share, T0 + second * S);
        if (second >= 8)
            assert_in_range(share.bytes_per_sec, 5000000, 26000000);
    }
    for (; second < 180; second++)
        disk_grow(&share, T0 + second * S);
    assert_int_equal(share.bytes_per_sec, 0);
}

/* What could not be read in between is no growth from nothing. */
static void test_growth_begins_again(void **state)
{
    struct DiskShare share = share_with(1000, 1);

    disk_grow(&share, T0);
    share.usage.space_bytes = 5000;
    disk_grow(&share, T0 + S);
    assert_int_equal(share.bytes_per_sec, 4000);
    share.valid = false;
    disk_grow(&share, T0 + 2 * S);
    assert_int_equal(share.bytes_per_sec, 0);
    share.valid = true;
    share.usage.space_bytes = 900000;
    disk_grow(&share, T0 + 3 * S);
    assert_int_equal(share.bytes_per_sec, 0);
    share.usage.space_bytes = 900100;
    disk_grow(&share, T0 + 4 * S);
    assert_int_equal(share.bytes_per_sec, 100);
}

static void check_reading(const struct Readings *readings, enum ReadingId id, int64_t value, int64_t limit)
{
    if (!readings->valid[id] || readings->value[id] != value || readings->limit[id] != limit)
        fail_msg("%s: valid %d, %lld of %lld, not %lld of %lld", reading_info(id)->name, readings->valid[id],
                 (long long)readings->value[id], (long long)readings->limit[id], (long long)value,
                 (long long)limit);
}

static void test_readings(void **state)
{
    struct Disk disk = {.n_shares = 1, .shares = {share_with(5 * G, 3000)}, .denied = 7, .stale = true};
    struct Readings readings = {.value = {[READING_TASKS_CURRENT] = 5},
                                .valid = {[READING_TASKS_CURRENT] = true}};

    disk.shares[0].usage.space_hard_bytes = 10 * G;
    disk.shares[0].bytes_per_sec = (int64_t)G;
    disk.shares[0].inodes_per_sec = 20000;
    disk_tell(&disk, T0, &readings);
    check_reading(&readings, READING_DISK_SPACE, 5 * G, 10 * G);
    check_reading(&readings, READING_DISK_INODES, 3000, READING_UNLIMITED);
    check_reading(&readings, READING_DISK_GROWTH, G, READING_UNLIMITED);
    check_reading(&readings, READING_DISK_DENIED, 7, READING_UNLIMITED);
    check_reading(&readings, READING_DISK_ETA, 50, READING_UNLIMITED); /* inodes first: 100 s of bytes */
    check_reading(&readings, READING_HOST_DISK_FREE, 100 * G, 200 * G);
    check_reading(&readings, READING_HOST_DISK_INODES, 1000000, 2000000);
    assert_true(readings.valid[READING_TASKS_CURRENT]);
    assert_int_equal(readings.value[READING_TASKS_CURRENT], 5);
    assert_int_equal(disk.denied, 0);
    assert_false(disk.stale);

    disk_pass(&disk, &readings);
    check_reading(&readings, READING_DISK_DENIED, 0, READING_UNLIMITED);
    check_reading(&readings, READING_DISK_SPACE, 5 * G, 10 * G);
}

static void test_eta(void **state)
{
    static const struct {
        int64_t bytes_per_sec, inodes_per_sec;
        uint64_t free_bytes, all_inodes;
        int64_t eta;
    } table[] = {
        {0, 0, 100, 10, READING_UNLIMITED},
        {-5, -5, 100, 10, READING_UNLIMITED},
        {10, 0, 100, 10, 10},
        {10, 1, 100, 10, 5},
        {10, 1, 30, 10, 3},
        {10, 1, 100, 0, 10},
        {10, 0, 0, 10, 0},
        {1, 0, UINT64_MAX, 10, READING_UNLIMITED},
        {100000, 0, 99, 10, 0},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct Disk disk = {.n_shares = 1, .shares = {share_with(1, 1)}};
        struct Readings readings = {0};

        disk.shares[0].bytes_per_sec = table[i].bytes_per_sec;
        disk.shares[0].inodes_per_sec = table[i].inodes_per_sec;
        disk.shares[0].free_bytes = table[i].free_bytes;
        disk.shares[0].free_inodes = 5;
        disk.shares[0].all_inodes = table[i].all_inodes;
        disk_tell(&disk, T0, &readings);
        check_reading(&readings, READING_DISK_ETA, table[i].eta, READING_UNLIMITED);
        assert_int_equal(readings.valid[READING_HOST_DISK_INODES], table[i].all_inodes > 0);
    }
}

/* A tenant that comes to its own limit first never fills the filesystem. */
static void test_eta_within_limit(void **state)
{
    static const struct {
        uint64_t used, hard, free;
        int64_t eta;
    } table[] = {
        {50, 0, 100, 10},
        {50, 100, 100, READING_UNLIMITED},
        {50, 149, 100, READING_UNLIMITED},
        {50, 150, 100, 10},
        {50, 1000, 100, 10},
        {150, 100, 100, READING_UNLIMITED},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        for (int inodes = 0; inodes < 2; inodes++) {
            struct Disk disk = {.n_shares = 1, .shares = {share_with(1, 1)}};
            struct DiskShare *share = &disk.shares[0];
            struct Readings readings = {0};

            share->all_inodes = 1000;
            share->usage = (struct DiskUsage){0};
            *(inodes ? &share->usage.inodes : &share->usage.space_bytes) = table[i].used;
            *(inodes ? &share->usage.inodes_hard : &share->usage.space_hard_bytes) = table[i].hard;
            *(inodes ? &share->free_inodes : &share->free_bytes) = table[i].free;
            *(inodes ? &share->inodes_per_sec : &share->bytes_per_sec) = 10;
            disk_tell(&disk, T0, &readings);
            check_reading(&readings, READING_DISK_ETA, table[i].eta, READING_UNLIMITED);
        }
}

static void test_several(void **state)
{
    struct Disk disk = {.n_shares = 3, .shares = {share_with(1, 1), share_with(2, 2), share_with(3, 3)}};
    struct Readings readings = {0};

    /* without limits: the least room */
    disk.shares[1].free_bytes = 7;
    disk_tell(&disk, T0, &readings);
    check_reading(&readings, READING_HOST_DISK_FREE, 7, 200 * G);
    check_reading(&readings, READING_DISK_SPACE, 2, READING_UNLIMITED);
    /* a limit counts more than room */
    disk.shares[0].usage.space_hard_bytes = 1000;
    disk_tell(&disk, T0, &readings);
    check_reading(&readings, READING_DISK_SPACE, 1, 1000);
    /* the nearest, by either */
    disk.shares[2].usage.inodes_hard = 4;
    disk_tell(&disk, T0, &readings);
    check_reading(&readings, READING_DISK_INODES, 3, 4);
    /* but the host is in danger where it is full first */
    disk.shares[1].bytes_per_sec = 7;
    disk_tell(&disk, T0, &readings);
    check_reading(&readings, READING_DISK_ETA, 1, READING_UNLIMITED);
    /* one that could not be read does not count */
    disk.shares[2].valid = disk.shares[1].valid = false;
    disk_tell(&disk, T0, &readings);
    check_reading(&readings, READING_DISK_SPACE, 1, 1000);
    check_reading(&readings, READING_DISK_ETA, READING_UNLIMITED, READING_UNLIMITED);
}

static void test_none(void **state)
{
    struct Disk disk = {.n_shares = 1, .shares = {share_with(1, 1)}, .denied = 1};
    struct Readings readings = {0};

    disk_tell(&disk, T0, &readings);
    assert_true(readings.valid[READING_DISK_SPACE]);
    disk.shares[0].valid = false;
    disk_tell(&disk, T0, &readings);
    for (enum ReadingId id = READING_DISK_SPACE; id <= READING_HOST_DISK_INODES; id++)
        assert_false(readings.valid[id]);
    assert_int_equal(disk.look_usec, USEC_INFINITY);
    disk.n_shares = 0;
    disk_tell(&disk, T0, &readings);
    assert_false(readings.valid[READING_DISK_SPACE]);
}

static void test_look_again(void **state)
{
    static const struct {
        uint64_t bytes, soft_bytes, inodes, inodes_soft;
        usec_t quiet;
        bool repeats;
        usec_t next; /* from now on; 0: never */
    } table[] = {
        {80, 0, 8, 0, 0, true, 0},             /* no tripwire */
        {80, 80, 8, 8, 0, true, 0},            /* not above it */
        {81, 80, 8, 8, 0, true, S},            /* grows above it */
        {80, 80, 9, 8, 0, false, S},           /* or its files do */
        {81, 80, 8, 8, 9 * S, true, S},        /* grew not long ago */
        {81, 80, 8, 8, 10 * S, true, 0},       /* quiet; the next write is announced */
        {81, 80, 8, 8, 10 * S, false, 30 * S}, /* quiet; it is not */
        {79, 80, 8, 8, 10 * S, false, 0},      /* quiet and below */
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct Disk disk = {.n_shares = 1, .shares = {share_with(table[i].bytes, table[i].inodes)}};
        struct Readings readings = {0};
        usec_t expected = table[i].next > 0 ? T0 + table[i].next : USEC_INFINITY;

        disk.shares[0].usage.space_soft_bytes = table[i].soft_bytes;
        disk.shares[0].usage.inodes_soft = table[i].inodes_soft;
        disk.shares[0].grown_usec = T0 - table[i].quiet;
        disk.shares[0].repeats = table[i].repeats;
        disk_tell(&disk, T0, &readings);
        if (disk.look_usec != expected)
            fail_msg("row %zu: looked at again at %llu", i, (unsigned long long)disk.look_usec);
    }
}

/* Of several the first that is due. */
static void test_look_first_due(void **state)
{
    struct Disk disk = {.n_shares = 2, .shares = {share_with(9, 1), share_with(9, 1)}};
    struct Readings readings = {0};

    disk.shares[0].usage.space_soft_bytes = disk.shares[1].usage.space_soft_bytes = 8;
    disk.shares[0].repeats = false;
    disk.shares[1].grown_usec = T0 - S;
    disk_tell(&disk, T0, &readings);
    assert_int_equal(disk.look_usec, T0 + S);
    disk.shares[1].grown_usec = 0;
    disk_tell(&disk, T0, &readings);
    assert_int_equal(disk.look_usec, T0 + 30 * S);
}

/* A share whose filesystem is not known, gone, or another one now: nothing is read, nothing is told. */
static void test_look(void **state)
{
    struct Filesystem list[] = {{.path = "/", .dev = makedev(999, 2)},
                                {.path = "/", .dev = makedev(999, 3), .gone = true}};
    struct Filesystems filesystems = {.list = list, .n = 2};
    struct Readings readings = {0};

    for (unsigned minor_number = 1; minor_number <= 3; minor_number++) {
        struct Disk disk = {.n_shares = 1, .shares = {share_with(1, 1)}, .stale = true};

        disk.shares[0].dev = makedev(999, minor_number);
        disk_look(&filesystems, &disk, T0, &readings);
        assert_false(disk.shares[0].valid);
        assert_false(readings.valid[READING_DISK_SPACE]);
        assert_false(disk.stale);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_growth_in_steps),
        cmocka_unit_test(test_growth_begins_again),
        cmocka_unit_test(test_readings),
        cmocka_unit_test(test_eta),
        cmocka_unit_test(test_eta_within_limit),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_look_again),
        cmocka_unit_test(test_look_first_due),
        cmocka_unit_test(test_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
