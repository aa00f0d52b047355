/* Which filesystems are taken in from a made-up mount table, and what is said of those without quota. */
#include "../scratch.h"

#include <errno.h>
#include <sys/sysmacros.h>

#include "sense/filesystem.h"
#include "sense/host.h"
#include "sense/quota.h"

#define ROOT "28 1 999:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
#define DOCKER "40 28 999:16 / /var/lib/guardd-test/docker rw - xfs /dev/vdb rw,prjquota\n"
#define SRV "41 28 0:60 / /srv/guardd-test rw - btrfs /dev/vdc rw\n"
#define BOOT "42 28 999:2 / /boot rw - ext4 /dev/vda2 rw\n"
#define OVERLAY                                                                                              \
    "90 40 0:45 / /var/lib/guardd-test/docker/overlay2/0123/merged rw - overlay overlay "                    \
    "rw,lowerdir=/l,upperdir=/u,workdir=/w\n"                                                                \
    "91 40 0:46 / /var/lib/guardd-test/docker/containers/0123/shm rw - tmpfs shm rw\n"

static char *roots[] = {"/var/lib/guardd-test", "/srv/guardd-test", NULL};

struct Ground {
    struct Scratch scratch;
    struct Filesystems filesystems;
};

static void ground_new(struct Ground *ground, const char *table)
{
    char path[PATH_MAX];

    ground->scratch = scratch_new("/tmp");
    scratch_write(&ground->scratch, "mountinfo", table);
    assert_int_equal(
        filesystems_open(&ground->filesystems, scratch_path(&ground->scratch, "mountinfo", path)), 0);
    assert_int_equal(filesystems_mount_fd(&ground->filesystems), -EBADF);
}

static bool load(struct Ground *ground, const char *table)
{
    bool changed;

    scratch_write(&ground->scratch, "mountinfo", table);
    assert_int_equal(filesystems_load(&ground->filesystems, roots, &changed), 0);
    return changed;
}

static void ground_done(struct Ground *ground)
{
    filesystems_close(&ground->filesystems);
    filesystems_close(&ground->filesystems);
    scratch_done(&ground->scratch);
}

static const struct Filesystem *get(struct Ground *ground, unsigned int major_number,
                                    unsigned int minor_number)
{
    for (size_t i = 0; i < ground->filesystems.n; i++)
        if (ground->filesystems.list[i].dev == makedev(major_number, minor_number))
            return &ground->filesystems.list[i];
    return NULL;
}

static void check_why(const struct Filesystem *filesystem, const char *text)
{
    assert_non_null(filesystem);
    assert_false(filesystem->guarded);
    if (!strstr(filesystem->why, text))
        fail_msg("\"%s\" does not say \"%s\"", filesystem->why, text);
}

static void test_taken_in(void **state)
{
    struct Ground ground;

    ground_new(&ground, "");
    assert_true(load(&ground, ROOT DOCKER SRV BOOT OVERLAY));
    assert_int_equal(ground.filesystems.n, 3);
    assert_non_null(get(&ground, 999, 1));  /* the first root lies on it */
    assert_non_null(get(&ground, 999, 16)); /* lies below it */
    assert_non_null(get(&ground, 0, 60));
    assert_string_equal(get(&ground, 999, 16)->path, "/var/lib/guardd-test/docker");
    assert_string_equal(get(&ground, 999, 16)->type, "xfs");
    assert_true(get(&ground, 999, 16)->repeats);
    assert_false(get(&ground, 999, 1)->repeats);
    /* what is there instead is no such device */
    check_why(get(&ground, 999, 1), "another filesystem");
    check_why(get(&ground, 999, 16), "cannot be asked");
    check_why(get(&ground, 0, 60), "btrfs cannot limit a directory: xfs or ext4 with project quota");
    assert_false(load(&ground, ROOT DOCKER SRV BOOT OVERLAY));
    ground_done(&ground);
}

static void test_asked_for(void **state)
{
    struct Ground ground;

    ground_new(&ground, "");
    load(&ground, ROOT DOCKER BOOT);
    assert_null(get(&ground, 999, 2));
    assert_null(filesystem_find(&ground.filesystems, makedev(999, 3)));
    assert_string_equal(filesystem_find(&ground.filesystems, makedev(999, 2))->path, "/boot");
    assert_true(load(&ground, ROOT DOCKER)); /* and is kept in sight */
    check_why(get(&ground, 999, 2), "no longer mounted: mount it again at /boot");
    ground_done(&ground);
}

static void test_comes_and_goes(void **state)
{
    struct Ground ground;

    ground_new(&ground, "");
    load(&ground, ROOT);
    assert_true(load(&ground, ROOT DOCKER));
    assert_false(get(&ground, 999, 16)->gone);
    assert_true(load(&ground, ROOT));
    assert_true(get(&ground, 999, 16)->gone);
    check_why(get(&ground, 999, 16), "mount it again at /var/lib/guardd-test/docker");
    assert_false(load(&ground, ROOT));
    assert_true(load(&ground, ROOT DOCKER));
    assert_false(get(&ground, 999, 16)->gone);
    assert_true(
        load(&ground, ROOT "40 28 999:16 / /var/lib/guardd-test/docker rw - ext4 /dev/vdb rw,prjquota\n"));
    assert_false(get(&ground, 999, 16)->repeats);
    ground_done(&ground);
}

/* Without an end, an enemy with loop devices could make the list long. */
static void test_gone_are_forgotten(void **state)
{
    struct Ground ground;
    char line[256];

    ground_new(&ground, "");
    for (int i = 0; i < 200; i++) {
        snprintf(line, sizeof(line), ROOT "40 28 7:%d / /srv/guardd-test rw - xfs /dev/loop%d rw\n", i, i);
        load(&ground, line);
        assert_non_null(get(&ground, 7, (unsigned)i));
        assert_false(get(&ground, 7, (unsigned)i)->gone);
    }
    assert_int_equal(ground.filesystems.n, 66); /* root, the last one, 64 that are gone */
    assert_true(get(&ground, 7, 198)->gone);
    assert_null(get(&ground, 7, 134));
    ground_done(&ground);
}

/* A table that is too long to be read whole: what is not in sight need not be gone. */
static void test_truncated(void **state)
{
    static const char line[] = "5 28 0:99 / /run/x rw - nsfs nsfs rw\n";
    size_t n = 20000, size = sizeof(ROOT) + n * sizeof(line);
    char *table = malloc(size), *at = table;
    struct Ground ground;

    assert_non_null(table);
    ground_new(&ground, "");
    load(&ground, ROOT DOCKER);
    at += sprintf(at, ROOT);
    for (size_t i = 0; i < n; i++)
        at += sprintf(at, line);
    assert_false(load(&ground, table));
    assert_false(get(&ground, 999, 16)->gone);
    free(table);
    ground_done(&ground);
}

static void test_path(void **state)
{
    struct Ground ground;

    ground_new(&ground, "");
    load(&ground, ROOT "40 28 999:16 /x /srv/guardd-test/part ro - xfs /dev/vdb rw\n"
                       "41 28 999:16 / /mnt/whole ro - xfs /dev/vdb rw\n");
    assert_string_equal(get(&ground, 999, 16)->path, "/mnt/whole");
    assert_true(get(&ground, 999, 16)->read_only);
    load(&ground, ROOT "41 28 999:16 / /mnt/whole ro - xfs /dev/vdb rw\n"
                       "40 28 999:16 /x /srv/guardd-test/part rw - xfs /dev/vdb rw\n");
    assert_string_equal(get(&ground, 999, 16)->path, "/srv/guardd-test/part");
    assert_false(get(&ground, 999, 16)->read_only);
    load(&ground, ROOT "41 28 999:16 / /mnt/whole rw - xfs /dev/vdb rw\n"
                       "40 28 999:16 /x /srv/guardd-test/part rw - xfs /dev/vdb rw\n"
                       "42 28 999:17 / /mnt rw - xfs /dev/vde rw\n"); /* covers the whole */
    assert_string_equal(get(&ground, 999, 16)->path, "/srv/guardd-test/part");
    ground_done(&ground);
}

static void test_broken_table(void **state)
{
    struct Ground ground;

    ground_new(&ground, "");
    load(&ground, ROOT DOCKER);
    scratch_write(&ground.scratch, "mountinfo", "nonsense\n");
    assert_int_equal(filesystems_load(&ground.filesystems, roots, NULL), -EBADMSG);
    assert_false(get(&ground, 999, 16)->gone); /* as it was */
    scratch_unlink_file(&ground.scratch, "mountinfo");
    assert_int_equal(filesystems_load(&ground.filesystems, roots, NULL), -ENOENT);
    assert_int_equal(filesystems_load(&ground.filesystems, NULL, NULL), -ENOENT);
    ground_done(&ground);
}

static void test_explain(void **state)
{
    static const struct {
        char *type;
        bool gone, read_only;
        int error;
        enum QuotaState state;
        const char *why;
    } table[] = {
        {"xfs", false, false, 0, QUOTA_ENFORCED, NULL},
        {"ext4", false, false, 0, QUOTA_ENFORCED, NULL},
        {"xfs", false, true, 0, QUOTA_ENFORCED, "mounted read-only"},
        {"xfs", false, false, 0, QUOTA_OFF, "rootflags=prjquota on the kernel's command line)"},
        {"xfs", false, false, 0, QUOTA_COUNTED, "xfs_quota -x -c 'enable -p' /srv"},
        {"ext4", false, false, 0, QUOTA_OFF, "tune2fs -O project,quota /dev/vdx while it is unmounted"},
        {"ext4", false, false, 0, QUOTA_COUNTED, "quotaon -P /srv"},
        {"ext4", true, false, 0, QUOTA_ENFORCED, "no longer mounted"},
        {"xfs", false, false, -EOPNOTSUPP, QUOTA_OFF, "Linux 5.14"},
        {"xfs", false, false, -EPERM, QUOTA_OFF, "Operation not permitted"},
        {"tmpfs", false, false, 0, QUOTA_ENFORCED, "tmpfs cannot limit a directory"},
        {"nfs4", false, false, 0, QUOTA_OFF, "mkfs.xfs, mount option prjquota"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct Filesystem filesystem = {.path = "/srv",
                                        .device = "/dev/vdx",
                                        .type = table[i].type,
                                        .gone = table[i].gone,
                                        .read_only = table[i].read_only};

        filesystem_explain(&filesystem, table[i].error, table[i].state);
        assert_int_equal(filesystem.guarded, !table[i].why);
        if (!strstr(filesystem.why, table[i].why ? table[i].why : ""))
            fail_msg("\"%s\" does not say \"%s\"", filesystem.why, table[i].why);
        assert_true(strlen(filesystem.why) < sizeof(filesystem.why) - 1); /* not cut off */
    }
}

/* This host, whatever it is: each filesystem is guarded or says why not. */
static void test_this_host(void **state)
{
    char *everything[] = {"/", NULL};
    struct Filesystems filesystems;
    struct HostFindings findings = {0};

    assert_int_equal(filesystems_open(&filesystems, NULL), 0);
    assert_true(filesystems_mount_fd(&filesystems) >= 0);
    assert_int_equal(filesystems_load(&filesystems, everything, NULL), 0);
    filesystems_drain(&filesystems);
    assert_true(filesystems.n > 0);
    for (size_t i = 0; i < filesystems.n; i++) {
        const struct Filesystem *filesystem = &filesystems.list[i];
        struct DiskShare share = {0};
        struct DiskUsage usage;

        assert_int_equal(filesystem->guarded, filesystem->why[0] == '\0');
        if (filesystem_room(filesystem, &share) == 0)
            assert_true(share.size_bytes >= share.free_bytes);
        if (strcmp(filesystem->type, "ext4") == 0 || strcmp(filesystem->type, "xfs") == 0)
            assert_int_equal(quota_read(filesystem, 7, &usage) == 0, filesystem->guarded);
        print_message("%s on %s: %s\n", filesystem->type, filesystem->path, filesystem->why);
    }
    filesystem_findings(&filesystems, &findings);
    assert_true(findings.n > 0);
    filesystems_close(&filesystems);
}

static void test_findings(void **state)
{
    struct Filesystem list[] = {
        {.path = "/var/lib/docker",
         .type = "xfs",
         .device = "/dev/vdb",
         .label = "tenants",
         .uuid = "1-2",
         .guarded = true},
        {.path = "/srv", .type = "xfs", .device = "/dev/vdc", .uuid = "1-2", .guarded = true},
        {.path = "/home", .type = "btrfs", .device = "/dev/vdd", .why = "why not"},
    };
    struct Filesystems filesystems = {.list = list, .n = 3};
    struct HostFindings findings = {0};

    filesystem_findings(&filesystems, &findings);
    assert_int_equal(findings.n, 3);
    assert_true(findings.list[0].ok);
    assert_string_equal(findings.list[0].what, "disk /var/lib/docker");
    assert_string_equal(findings.list[0].text, "xfs on /dev/vdb (label tenants), project quota enforced");
    assert_string_equal(findings.list[1].text, "xfs on /dev/vdc (UUID 1-2), project quota enforced");
    assert_false(findings.list[2].ok);
    assert_string_equal(findings.list[2].text, "why not");
}

static int no_project(void *userdata, uint32_t project, const struct DiskUsage *usage)
{
    fail();
    return 0;
}

/* The mount point is another filesystem now, or there is none. */
static void test_another_device(void **state)
{
    struct Filesystem filesystem = {.path = "/tmp", .dev = makedev(999, 99)};
    struct DiskShare share;
    struct DiskUsage usage;

    assert_int_equal(filesystem_room(&filesystem, &share), -ENODEV);
    assert_int_equal(quota_read(&filesystem, 1, &usage), -ENODEV);
    assert_int_equal(quota_for_each(&filesystem, 1, no_project, NULL), -ENODEV);
    filesystem.path = "/tmp/guardd-test.none";
    assert_int_equal(quota_read(&filesystem, 1, &usage), -ENOENT);
    filesystem.gone = true;
    assert_int_equal(quota_read(&filesystem, 1, &usage), -ENODEV);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken_in),       cmocka_unit_test(test_asked_for),
        cmocka_unit_test(test_comes_and_goes), cmocka_unit_test(test_gone_are_forgotten),
        cmocka_unit_test(test_path),           cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_broken_table),   cmocka_unit_test(test_explain),
        cmocka_unit_test(test_this_host),      cmocka_unit_test(test_findings),
        cmocka_unit_test(test_another_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
