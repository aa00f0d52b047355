/* Disks in a made-up sysfs: a partition, a volume on a disk and one on two, and what is on no disk. */
#include "../scratch.h"

#include <errno.h>

#include "base/device.h"

static struct Scratch scratch;

static void add_device(const char *directory, const char *name, const char *number)
{
    char path[PATH_MAX], target[PATH_MAX], link[PATH_MAX];

    snprintf(path, sizeof(path), "sys/devices/%s%s/slaves", directory, name);
    scratch_mkdir(&scratch, path);
    snprintf(path, sizeof(path), "sys/devices/%s%s/dev", directory, name);
    snprintf(target, sizeof(target), "%s\n", number);
    scratch_write(&scratch, path, target);
    snprintf(target, sizeof(target), "../../devices/%s%s", directory, name);
    snprintf(path, sizeof(path), "sys/class/block/%s", name);
    assert_int_equal(symlink(target, scratch_path(&scratch, path, link)), 0);
    snprintf(target, sizeof(target), "../../devices/%s%s", directory, name);
    snprintf(path, sizeof(path), "sys/dev/block/%s", number);
    assert_int_equal(symlink(target, scratch_path(&scratch, path, link)), 0);
}

static int set_up(void **state)
{
    char link[PATH_MAX];

    scratch = scratch_new("/tmp");
    scratch_mkdir(&scratch, "sys/class/block");
    scratch_mkdir(&scratch, "sys/dev/block");
    add_device("", "vda", "254:0");
    add_device("vda/", "vda1", "254:1");
    scratch_write(&scratch, "sys/devices/vda/vda1/partition", "1\n");
    add_device("", "vdb", "254:16");
    add_device("", "cciss!c0d0", "104:0");
    add_device("", "dm-0", "253:0");
    scratch_mkdir(&scratch, "sys/devices/dm-0/slaves/vda1");
    add_device("", "dm-1", "253:1");
    scratch_mkdir(&scratch, "sys/devices/dm-1/slaves/dm-0");
    add_device("", "dm-2", "253:2");
    scratch_mkdir(&scratch, "sys/devices/dm-2/slaves/vda");
    scratch_mkdir(&scratch, "sys/devices/dm-2/slaves/vdb");
    add_device("", "loop0", "7:1"); /* as no kernel has it */
    scratch_mkdir(&scratch, "sys/devices/loop0/slaves/loop0");
    scratch_mkdir(&scratch, "sys/dev/block/8:1/dev");
    scratch_mkdir(&scratch, "sys/dev/block/8:2");
    scratch_write(&scratch, "sys/dev/block/8:2/dev", "8\n");
    scratch_mkdir(&scratch, "sys/dev/block/8:4");
    scratch_write(&scratch, "sys/dev/block/8:4/dev", "8:4\n");
    assert_int_equal(symlink("vdz", scratch_path(&scratch, "sys/dev/block/8:3", link)), 0);
    return 0;
}

static int tear_down(void **state)
{
    scratch_done(&scratch);
    return 0;
}

static void each_filesystem_has_its_disk(void **state)
{
    static const struct {
        unsigned major, minor;
        char *source;
        int r;
        unsigned disk_major, disk_minor;
    } table[] = {
        {254, 16, "/dev/vdb", 0, 254, 16},
        {254, 1, "/dev/vda1", 0, 254, 0},
        {253, 0, "/dev/mapper/root", 0, 254, 0},  /* on a partition */
        {253, 1, "/dev/mapper/crypt", 0, 254, 0}, /* on that */
        {253, 2, "/dev/mapper/two", 0, 253, 2},   /* on two disks */
        {0, 30, "/dev/vda1", 0, 254, 0},          /* btrfs */
        {0, 31, "overlay", -ENOTBLK, 0, 0},
        {0, 32, NULL, -ENOTBLK, 0, 0},
        {7, 0, "/dev/loop1", -ENOTBLK, 0, 0},
        {7, 1, "/dev/loop0", 0, 7, 1}, /* on itself */
        {8, 1, NULL, -ENOTBLK, 0, 0},  /* its number cannot be read */
        {8, 4, NULL, 0, 8, 4},         /* says nothing of what it is on */
        {8, 2, NULL, -ENOTBLK, 0, 0},  /* it is none */
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct Mount mount = {.dev = makedev(table[i].major, table[i].minor),
                                    .source = table[i].source};
        dev_t disk = 0;

        assert_int_equal(device_of_mount(scratch.path, &mount, &disk), table[i].r);
        assert_true(disk == makedev(table[i].disk_major, table[i].disk_minor));
    }
}

static void a_disk_has_a_name(void **state)
{
    char buf[64];

    assert_string_equal(device_node(scratch.path, 254, 16, buf, sizeof(buf)), "/dev/vdb");
    assert_string_equal(device_node(scratch.path, 104, 0, buf, sizeof(buf)), "/dev/cciss/c0d0");
    assert_string_equal(device_node(scratch.path, 8, 0, buf, sizeof(buf)), "/dev/block/8:0");
    assert_string_equal(device_node(scratch.path, 8, 3, buf, sizeof(buf)), "/dev/vdz");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_filesystem_has_its_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_disk_has_a_name, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
