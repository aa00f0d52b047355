/* Limits, with a made-up quotactl_fd(2) that keeps them as XFS does. */
#include "../scratch.h"

#include <errno.h>
#include <linux/dqblk_xfs.h>
#include <linux/quota.h>
#include <stdbool.h>

#include "act/quota_ops.h"

#define PROJECT 1000003U
#define MB ((uint64_t)1024 * 1024)

struct Ground {
    struct QuotaOps ops;
    dev_t dev;
    struct fs_disk_quota kept; /* of PROJECT */
    uint64_t space_grace, inodes_grace;
    bool used, deaf;
    int error;
    unsigned writes;
};

/* In blocks of 4096. */
static uint64_t rounded(uint64_t blocks)
{
    return (blocks + 7) / 8 * 8;
}

static int fake_set(struct Ground *ground, uint32_t id, const struct fs_disk_quota *quota)
{
    ground->writes++;
    assert_int_equal(quota->d_version, FS_DQUOT_VERSION);
    assert_int_equal(quota->d_flags, FS_PROJ_QUOTA);
    assert_int_equal(quota->d_id, id);
    if (ground->deaf)
        return 0;
    if (quota->d_fieldmask & FS_DQ_BTIMER)
        ground->space_grace = (uint64_t)quota->d_btimer;
    if (quota->d_fieldmask & FS_DQ_ITIMER)
        ground->inodes_grace = (uint64_t)quota->d_itimer;
    if (quota->d_fieldmask & FS_DQ_BHARD)
        ground->kept.d_blk_hardlimit = rounded(quota->d_blk_hardlimit);
    if (quota->d_fieldmask & FS_DQ_BSOFT)
        ground->kept.d_blk_softlimit = rounded(quota->d_blk_softlimit);
    if (quota->d_fieldmask & FS_DQ_IHARD)
        ground->kept.d_ino_hardlimit = quota->d_ino_hardlimit;
    if (quota->d_fieldmask & FS_DQ_ISOFT)
        ground->kept.d_ino_softlimit = quota->d_ino_softlimit;
    ground->used |= quota->d_blk_hardlimit || quota->d_ino_hardlimit;
    return 0;
}

static int fake_control(void *userdata, int fd, unsigned command, uint32_t id, void *data)
{
    struct Ground *ground = userdata;

    assert_true(fcntl(fd, F_GETFD) >= 0);
    if (ground->error < 0)
        return ground->error;
    if (command == QCMD((unsigned)Q_XSETQLIM, PRJQUOTA))
        return fake_set(ground, id, data);
    if (command == QCMD((unsigned)Q_GETINFO, PRJQUOTA)) {
        *(struct if_dqinfo *)data =
            (struct if_dqinfo){.dqi_bgrace = ground->space_grace, .dqi_igrace = ground->inodes_grace};
        return 0;
    }
    assert_int_equal(command, QCMD((unsigned)Q_XGETQUOTA, PRJQUOTA));
    assert_int_equal(id, PROJECT);
    if (!ground->used)
        return -ENOENT;
    *(struct fs_disk_quota *)data = ground->kept;
    return 0;
}

static int set_up(void **state)
{
    struct Ground *ground = calloc(1, sizeof(*ground));
    struct stat st;

    assert_non_null(ground);
    assert_int_equal(stat("/tmp", &st), 0);
    ground->dev = st.st_dev;
    ground->ops = (struct QuotaOps){.control = fake_control, .userdata = ground};
    ground->space_grace = ground->inodes_grace = 604800;
    *state = ground;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static struct QuotaOrder order_for(const struct Ground *ground)
{
    return (struct QuotaOrder){
        .path = "/tmp",
        .dev = ground->dev,
        .project = PROJECT,
        .space = true,
        .space_hard_bytes = 10 * MB,
        .space_soft_bytes = 8 * MB,
    };
}

static void limits_are_set_and_read_back(void **state)
{
    struct Ground *ground = *state;
    struct QuotaOrder order = order_for(ground);
    struct DiskUsage usage;

    ground->kept.d_bcount = 16;
    ground->kept.d_icount = 3;
    ground->kept.d_ino_hardlimit = 77;
    assert_int_equal(quota_set_with(&order, &usage, &ground->ops), 0);
    assert_int_equal(usage.space_hard_bytes, 10 * MB);
    assert_int_equal(usage.space_soft_bytes, 8 * MB);
    assert_int_equal(usage.space_bytes, 8192);
    assert_int_equal(usage.inodes, 3);
    assert_int_equal(usage.inodes_hard, 77); /* not asked for: as it was */
    order = (struct QuotaOrder){.path = "/tmp", .dev = ground->dev, .project = PROJECT, .inodes = true};
    order.inodes_hard = 1000;
    assert_int_equal(quota_set_with(&order, &usage, &ground->ops), 0);
    assert_int_equal(usage.inodes_hard, 1000);
    assert_int_equal(usage.space_hard_bytes, 10 * MB);
}

static void space_is_rounded_up(void **state)
{
    struct Ground *ground = *state;
    struct QuotaOrder order = order_for(ground);
    struct DiskUsage usage;

    order.space_hard_bytes = 10 * MB + 1;
    assert_int_equal(quota_set_with(&order, &usage, &ground->ops), 0);
    assert_int_equal(usage.space_hard_bytes, 10 * MB + 4096);
}

static void what_reads_back_otherwise_is_an_error(void **state)
{
    struct Ground *ground = *state;
    struct QuotaOrder order = order_for(ground);
    struct DiskUsage usage;

    assert_int_equal(quota_set_with(&order, &usage, &ground->ops), 0);
    ground->deaf = true;
    order.space_soft_bytes = 0;
    assert_int_equal(quota_set_with(&order, &usage, &ground->ops), -EBADMSG);
    order.space_soft_bytes = 8 * MB;
    order.inodes = true;
    order.inodes_soft = 1;
    assert_int_equal(quota_set_with(&order, &usage, &ground->ops), -EBADMSG);
}

static void no_limit_on_an_unused_project_is_fine(void **state)
{
    struct Ground *ground = *state;
    struct QuotaOrder order = order_for(ground);
    struct DiskUsage usage;

    order.space_hard_bytes = order.space_soft_bytes = 0;
    order.inodes = true;
    assert_int_equal(quota_set_with(&order, &usage, &ground->ops), 0);
    assert_int_equal(usage.space_hard_bytes, 0);
    assert_int_equal(usage.space_bytes, 0);
}

static void bad_orders_are_refused(void **state)
{
    struct Ground *ground = *state;
    struct QuotaOrder order = order_for(ground);
    struct DiskUsage usage;

    order.project = 0;
    assert_int_equal(quota_set_with(&order, &usage, &ground->ops), -EINVAL);
    order = order_for(ground);
    order.space_soft_bytes = order.space_hard_bytes + 1;
    assert_int_equal(quota_set_with(&order, &usage, &ground->ops), -EINVAL);
    order = order_for(ground);
    order.space = false;
    assert_int_equal(quota_set_with(&order, &usage, &ground->ops), -EINVAL);
    order.inodes = true;
    order.inodes_hard = 5;
    order.inodes_soft = 6;
    assert_int_equal(quota_set_with(&order, &usage, &ground->ops), -EINVAL);
    order = order_for(ground);
    order.dev++;
    assert_int_equal(quota_set_with(&order, &usage, &ground->ops), -ENODEV);
    order.path = "/tmp/there-is-no-such-thing";
    assert_int_equal(quota_set_with(&order, &usage, &ground->ops), -ENOENT);
    assert_int_equal(ground->writes, 0);
    /* a soft limit without a hard one */
    order = order_for(ground);
    order.space_hard_bytes = 0;
    order.inodes = true;
    order.inodes_hard = 5;
    assert_int_equal(quota_set_with(&order, &usage, &ground->ops), 0);
}

static void no_quota_has_one_name(void **state)
{
    static const int errors[] = {-ENOSYS, -EOPNOTSUPP, -ENOTTY, -ESRCH};
    struct Ground *ground = *state;
    struct QuotaOrder order = order_for(ground);
    struct DiskUsage usage;
    uint32_t space, inodes;

    for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
        ground->error = errors[i];
        assert_int_equal(quota_set_with(&order, &usage, &ground->ops), -ESRCH);
        assert_int_equal(quota_grace_with("/tmp", ground->dev, 1, 1, &space, &inodes, &ground->ops), -ESRCH);
    }
    ground->error = -EROFS;
    assert_int_equal(quota_set_with(&order, &usage, &ground->ops), -EROFS);
}

static void the_grace_is_set_and_what_it_was_is_told(void **state)
{
    struct Ground *ground = *state;
    uint32_t space = 0, inodes = 0;

    ground->inodes_grace = 3600;
    assert_int_equal(quota_grace_with("/tmp", ground->dev, QUOTA_GRACE_NEVER, QUOTA_GRACE_NEVER, &space,
                                      &inodes, &ground->ops),
                     0);
    assert_int_equal(space, 604800);
    assert_int_equal(inodes, 3600);
    assert_int_equal(ground->space_grace, INT32_MAX);
    assert_int_equal(ground->inodes_grace, INT32_MAX);
    /* again: nothing is written */
    assert_int_equal(quota_grace_with("/tmp", ground->dev, QUOTA_GRACE_NEVER, QUOTA_GRACE_NEVER, &space,
                                      &inodes, &ground->ops),
                     0);
    assert_int_equal(ground->writes, 1);
    ground->deaf = true;
    assert_int_equal(quota_grace_with("/tmp", ground->dev, 1, 1, &space, &inodes, &ground->ops), -EBADMSG);
    assert_int_equal(quota_grace_with("/tmp", ground->dev, UINT32_MAX, 1, &space, &inodes, &ground->ops),
                     -EINVAL);
}

static void the_grace_ends_where_it_is_ours(void **state)
{
    struct Ground *ground = *state;
    const struct QuotaOrder order = {.path = "/tmp", .dev = ground->dev, .ends_grace = true};
    struct DiskUsage usage;

    ground->space_grace = QUOTA_GRACE_NEVER;
    ground->inodes_grace = 3600;
    assert_int_equal(quota_set_with(&order, &usage, &ground->ops), 0);
    assert_int_equal(ground->space_grace, QUOTA_GRACE_DEFAULT_SEC);
    assert_int_equal(ground->inodes_grace, 3600);
    /* what is somebody else's stays */
    ground->space_grace = 7200;
    assert_int_equal(quota_set_with(&order, &usage, &ground->ops), 0);
    assert_int_equal(ground->space_grace, 7200);
    assert_int_equal(ground->writes, 1);
}

/* The real call, where nothing has quotas: proves number and arguments of the system call at least. */
static void the_kernel_is_asked(void **state)
{
    struct QuotaOrder order = order_for(*state);
    struct DiskUsage usage;
    struct stat st;
    int r;

    assert_int_equal(stat("/proc", &st), 0);
    order.path = "/proc";
    order.dev = st.st_dev;
    r = quota_set(&order, &usage);
    assert_true(r == -ESRCH || r == -EPERM || r == -EROFS);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(limits_are_set_and_read_back),
        TEST(space_is_rounded_up),
        TEST(what_reads_back_otherwise_is_an_error),
        TEST(no_limit_on_an_unused_project_is_fine),
        TEST(bad_orders_are_refused),
        TEST(no_quota_has_one_name),
        TEST(the_grace_is_set_and_what_it_was_is_told),
        TEST(the_grace_ends_where_it_is_ours),
        TEST(the_kernel_is_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
