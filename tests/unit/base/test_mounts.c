/* Mount tables as hosts and containers have them, and as nobody should. */
#include "../scratch.h"

#include <errno.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "../fault.h"
#include "base/mounts.h"

/* As booted through an initramfs: the root comes after what was moved onto it. */
static const char host[] =
    "22 28 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw\n"
    "23 28 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw\n"
    "28 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro\n"
    "40 28 254:16 / /var/lib/docker rw,relatime shared:60 - xfs /dev/vdb "
    "rw,attr2,inode64,logbufs=8,logbsize=32k,prjquota\n"
    "41 28 254:32 / /srv/with\\040blank ro,relatime shared:61 - xfs /dev/vdc rw,attr2,prjquota\n"
    "42 28 254:16 /volumes/a/_data /mnt/a ro,relatime shared:62 - xfs /dev/vdb rw,attr2,prjquota\n"
    "90 40 0:45 / /var/lib/docker/overlay2/0123/merged rw,relatime shared:99 - overlay overlay "
    "rw,lowerdir=/var/lib/docker/overlay2/l/A:/var/lib/docker/overlay2/l/B,"
    "upperdir=/var/lib/docker/overlay2/0123/diff,workdir=/var/lib/docker/overlay2/0123/work\n";

static const char container[] =
    "300 200 0:45 / / rw,relatime - overlay overlay "
    "rw,lowerdir=/l,upperdir=/var/lib/docker/overlay2/0123/diff,"
    "workdir=/var/lib/docker/overlay2/0123/work\n"
    "301 300 0:47 / /proc rw,nosuid - proc proc rw\n"
    "302 300 254:16 /containers/0123/resolv.conf /etc/resolv.conf rw,relatime - xfs /dev/vdb rw,prjquota\n"
    "303 300 254:16 /containers/0123/hostname /etc/hostname rw,relatime - xfs /dev/vdb rw,prjquota\n"
    "304 300 254:16 /volumes/a/_data /data rw,relatime - xfs /dev/vdb rw,prjquota\n";

static int read_text(const char *text, size_t length, struct Mounts *ret)
{
    struct Scratch scratch = scratch_new("/tmp");
    char path[PATH_MAX];
    FILE *file = fopen(scratch_path(&scratch, "mountinfo", path), "we");
    int r;

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    fclose(file);
    r = mounts_read(path, ret);
    scratch_done(&scratch);
    return r;
}

static struct Mounts mounts_of(const char *text)
{
    struct Mounts mounts;

    assert_int_equal(read_text(text, strlen(text), &mounts), 0);
    return mounts;
}

static void test_fields(void **state)
{
    struct Mounts mounts = mounts_of(host);

    assert_int_equal(mounts.n, 7);
    assert_int_equal(mounts.list[3].id, 40);
    assert_int_equal(mounts.list[3].parent, 28);
    assert_int_equal(mounts.list[3].dev, makedev(254, 16));
    assert_string_equal(mounts.list[3].root, "/");
    assert_string_equal(mounts.list[3].path, "/var/lib/docker");
    assert_string_equal(mounts.list[3].type, "xfs");
    assert_string_equal(mounts.list[3].source, "/dev/vdb");
    assert_null(mounts.list[3].upper);
    assert_false(mounts.list[3].read_only);
    assert_false(mounts.list[2].read_only); /* errors=remount-ro is none */
    assert_string_equal(mounts.list[4].path, "/srv/with blank");
    assert_true(mounts.list[4].read_only);
    assert_string_equal(mounts.list[5].root, "/volumes/a/_data");
    assert_string_equal(mounts.list[6].upper, "/var/lib/docker/overlay2/0123/diff");
    assert_string_equal(mounts.list[6].work, "/var/lib/docker/overlay2/0123/work");
    mounts_done(&mounts);
    assert_null(mounts.list);
}

static void test_overlay_escapes(void **state)
{
    static const char table[] =
        "9 1 0:45 / / rw - overlay overlay "
        "rw,lowerdir=/x,upperdir=/a\\054upperdir=/b\\134:c\\040d,workdir=/w\\134\\134\n"
        "10 9 0:46 / /ro ro - overlay overlay ro,lowerdir=/a:/b\n"
        "11 9 0:47 / /odd rw - overlay over\\054upperdir=/x rw,upperdir\n"
        "12 9 0:48 / /digits rw - overlay overlay "
        "rw,upperdir=/\\101\\400\\/00\\181\\1/1\\118\\11/,workdir=/\\1\\11\n";
    struct Mounts mounts = mounts_of(table);

    assert_int_equal(mounts.n, 4);
    assert_string_equal(mounts.list[0].upper, "/a,upperdir=/b:c d");
    assert_string_equal(mounts.list[0].work, "/w\\");
    assert_null(mounts.list[1].upper);
    assert_null(mounts.list[1].work);
    assert_true(mounts.list[1].read_only);
    assert_null(mounts.list[2].upper);
    /* What is no escape of the kernel's is one of overlay's. */
    assert_string_equal(mounts.list[3].upper, "/A400/001811/111811/");
    assert_string_equal(mounts.list[3].work, "/111");
    mounts_done(&mounts);
}

static void check_holding(const struct Mounts *mounts, const char *path, int id)
{
    const struct Mount *mount = mounts_holding(mounts, path);

    if ((mount ? mount->id : 0) != id)
        fail_msg("%s lies on %d, not on %d", path, mount ? mount->id : 0, id);
}

static void test_holding(void **state)
{
    struct Mounts mounts = mounts_of(host);

    check_holding(&mounts, "/", 28);
    check_holding(&mounts, "/etc", 28);
    check_holding(&mounts, "/var/lib/docker", 40);
    check_holding(&mounts, "/var/lib/docker/", 40);
    check_holding(&mounts, "/var/lib/docker/volumes/a", 40);
    check_holding(&mounts, "/var/lib/dockerd", 28);
    check_holding(&mounts, "/var/lib/docker/overlay2/0123/merged/etc", 90);
    check_holding(&mounts, "relative", 0);
    assert_int_equal(mounts_at(&mounts, "/mnt/a")->id, 42);
    assert_int_equal(mounts_at(&mounts, "/")->id, 28);
    assert_null(mounts_at(&mounts, "/mnt/a/b"));
    assert_null(mounts_at(&mounts, "/mnt"));
    assert_null(mounts_at(&mounts, "relative"));
    mounts_done(&mounts);
}

/* The last of equals; then one that is covered from above, in spite of its longer path. */
static void test_covered(void **state)
{
    static const char table[] = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
                                "2 1 8:2 / /a/b rw - xfs /dev/sdb rw\n"
                                "3 1 8:3 / /a rw - xfs /dev/sdc rw\n"
                                "4 1 8:4 / /c rw - xfs /dev/sdd rw\n"
                                "5 4 8:5 / /c rw - xfs /dev/sde rw\n"
                                "7 8 8:7 / /d rw - xfs /dev/sdg rw\n"
                                "8 1 8:8 / /d rw - xfs /dev/sdh rw\n";
    struct Mounts mounts = mounts_of(table);
    char *path;

    check_holding(&mounts, "/a/b/x", 3);
    check_holding(&mounts, "/a/c", 3);
    check_holding(&mounts, "/c", 5);
    check_holding(&mounts, "/d/x", 7); /* moved there: older than what it stands on */
    assert_null(mounts_at(&mounts, "/a/b"));
    assert_int_equal(mounts_locate(&mounts, makedev(8, 2), "/x", NULL, &path), -ENOENT);
    assert_int_equal(mounts_locate(&mounts, makedev(8, 5), "/x", NULL, &path), 0);
    assert_string_equal(path, "/c/x");
    free(path);
    mounts_done(&mounts);
}

/* Two that stand on one mount at one place, as propagation makes them: neither covers the other, and the last
 * is seen. */
static void test_side_by_side(void **state)
{
    static const char table[] = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
                                "2 1 8:2 / /a rw - xfs /dev/sdb rw\n"
                                "3 1 8:3 / /a rw - xfs /dev/sdc rw\n";
    struct Mounts mounts = mounts_of(table);
    char *path;

    check_holding(&mounts, "/a/x", 3);
    assert_int_equal(mounts_locate(&mounts, makedev(8, 2), "/", NULL, &path), -ENOENT);
    mounts_done(&mounts);
}

/* Of a process whose root is no mount point, the mount that it lies on is not in its table. */
static void test_without_bottom(void **state)
{
    static const char table[] = "5 4 8:5 / /c rw - xfs /dev/sde rw\n"
                                "4 9 8:4 / /c rw - xfs /dev/sdd rw\n"
                                "6 9 8:6 / /d rw - xfs /dev/sdf rw\n";
    struct Mounts mounts = mounts_of(table);

    check_holding(&mounts, "/", 0);
    check_holding(&mounts, "/d/x", 6);
    check_holding(&mounts, "/c/x", 4); /* covered, and nowhere to begin: the last of those it may be */
    mounts_done(&mounts);
}

/* In an initramfs the first mount holds itself. */
static void test_holds_itself(void **state)
{
    static const char table[] = "1 1 0:2 / / rw - rootfs rootfs rw\n"
                                "2 1 8:2 / /a/b rw - xfs /dev/sdb rw\n"
                                "3 1 8:3 / /c/d rw - xfs /dev/sdb rw\n"
                                "4 1 8:4 / /c rw - xfs /dev/sdb rw\n";
    struct Mounts mounts = mounts_of(table);

    check_holding(&mounts, "/a/b/x", 2);
    check_holding(&mounts, "/a", 1);
    check_holding(&mounts, "/c/d", 4);
    mounts_done(&mounts);
}

static void check_preferred(const struct Mounts *mounts, dev_t dev, const char *directory,
                            char *const *preferred, const char *expected)
{
    char *path = NULL;

    assert_int_equal(mounts_locate(mounts, dev, directory, preferred, &path), 0);
    assert_string_equal(path, expected);
    free(path);
}

static void check_locate(const struct Mounts *mounts, dev_t dev, const char *directory, const char *expected)
{
    check_preferred(mounts, dev, directory, NULL, expected);
}

static void test_locate(void **state)
{
    static const char part[] = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
                               "2 1 8:2 /volumes /ro ro - xfs /dev/sdb rw\n"
                               "3 1 8:2 /volumes/x /rw rw - xfs /dev/sdb rw\n";
    struct Mounts mounts = mounts_of(host), parts = mounts_of(part);
    char *path;

    check_locate(&mounts, makedev(254, 16), "/", "/var/lib/docker");
    check_locate(&mounts, makedev(254, 16), "/containers/0123", "/var/lib/docker/containers/0123");
    check_locate(&mounts, makedev(254, 16), "/volumes/a/_data/x", "/var/lib/docker/volumes/a/_data/x");
    check_locate(&mounts, makedev(254, 1), "/home/x", "/home/x");
    check_locate(&mounts, makedev(254, 1), "/", "/");
    assert_int_equal(mounts_locate(&mounts, makedev(254, 1), "/var/lib/docker/x", NULL, &path), -ENOENT);
    assert_int_equal(mounts_locate(&mounts, makedev(1, 1), "/", NULL, &path), -ENOENT);
    check_locate(&parts, makedev(8, 2), "/volumes/x/y", "/rw/y");
    check_locate(&parts, makedev(8, 2), "/volumes/y", "/ro/y");
    check_locate(&parts, makedev(8, 2), "/volumes", "/ro");
    assert_int_equal(mounts_locate(&parts, makedev(8, 2), "/vol", NULL, &path), -ENOENT);
    mounts_done(&mounts);
    mounts_done(&parts);
}

/* One disk, parts of which are also mounted where they are used. */
static void test_preferred(void **state)
{
    static const char table[] = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
                                "2 1 8:2 / /data rw - xfs /dev/sdb rw\n"
                                "3 1 8:2 /docker /backup/docker ro - xfs /dev/sdb rw\n"
                                "4 1 8:2 /docker /var/lib/docker rw - xfs /dev/sdb rw\n"
                                "5 1 8:2 /docker /var/lib/docker2 rw - xfs /dev/sdb rw\n"
                                "6 1 8:2 /home /home ro - xfs /dev/sdb rw\n"
                                "7 1 8:2 /home /mnt/home rw - xfs /dev/sdb rw\n";
    struct Mounts mounts = mounts_of(table);
    char *docker[] = {"/var/lib/docker/", NULL}, *below[] = {"/srv", "/var/lib/docker/volumes", NULL};
    char *both[] = {"/backup", "/var/lib/docker", NULL}, *home[] = {"/home", NULL};
    char *elsewhere[] = {"/srv", "/var/lib/dock", NULL}, *none[] = {NULL};

    check_preferred(&mounts, makedev(8, 2), "/docker/volumes/x", docker, "/var/lib/docker/volumes/x");
    check_preferred(&mounts, makedev(8, 2), "/docker", docker, "/var/lib/docker");
    check_preferred(&mounts, makedev(8, 2), "/docker/volumes/x", below, "/var/lib/docker/volumes/x");
    check_preferred(&mounts, makedev(8, 2), "/docker/x", below, "/data/docker/x");
    check_preferred(&mounts, makedev(8, 2), "/docker/x", both, "/var/lib/docker/x");
    check_preferred(&mounts, makedev(8, 2), "/home/x", home, "/home/x");
    check_preferred(&mounts, makedev(8, 2), "/home/x", elsewhere, "/data/home/x");
    check_preferred(&mounts, makedev(8, 2), "/docker/x", elsewhere, "/data/docker/x");
    check_preferred(&mounts, makedev(8, 2), "/docker/x", none, "/data/docker/x");
    mounts_done(&mounts);
}

static void test_container(void **state)
{
    struct Mounts mounts = mounts_of(container);

    assert_string_equal(mounts_at(&mounts, "/")->upper, "/var/lib/docker/overlay2/0123/diff");
    assert_string_equal(mounts_at(&mounts, "/etc/hostname")->root, "/containers/0123/hostname");
    assert_string_equal(mounts_at(&mounts, "/data")->root, "/volumes/a/_data");
    mounts_done(&mounts);
}

static void test_own(void **state)
{
    struct Mounts mounts;

    assert_int_equal(mounts_read("/proc/self/mountinfo", &mounts), 0);
    assert_non_null(mounts_holding(&mounts, "/proc/self"));
    mounts_done(&mounts);
    assert_int_equal(mounts_read("/proc/self/mountinfo.none", &mounts), -ENOENT);
    assert_int_equal(mounts_read("/dev/null", &mounts), 0);
    assert_int_equal(mounts.n, 0);
    assert_int_equal(mounts_read("/proc/self/status", &mounts), -EBADMSG);
}

/* Its table goes before its process does: the kernel says EINVAL, when it is opened and when it is read. */
static void test_zombie(void **state)
{
    struct Mounts mounts;
    char path[64];
    siginfo_t info;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
    assert_int_equal(mounts_read(path, &mounts), -ESRCH);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    fault_call("read", 0, EINVAL);
    assert_int_equal(mounts_read("/proc/self/mountinfo", &mounts), -ESRCH);
}

static int read_host(void *path)
{
    struct Mounts mounts = {0};
    int r = mounts_read(path, &mounts);

    if (r < 0)
        assert_null(mounts.list);
    mounts_done(&mounts);
    return r;
}

/* Nothing is made of half a table, and nothing of an interruption. */
static void test_faults(void **state)
{
    struct Scratch scratch = scratch_new("/tmp");
    char path[PATH_MAX], long_line[70000] = "2 1 8:2 /";
    struct Mounts mounts;

    scratch_write(&scratch, "host", host);
    fault_each_shortage(read_host, (void *)scratch_path(&scratch, "host", path), 0);
    fault_call("mnt_table_parse_stream", 3, ENOMEM);
    assert_int_equal(read_host(path), -ENOMEM);
    fault_call("read", 1, EIO);
    assert_int_equal(read_host(path), -EIO);
    fault_call("read", 1, EINTR);
    assert_int_equal(mounts_read(path, &mounts), 0);
    assert_int_equal(mounts.n, 7);
    mounts_done(&mounts);
    /* What libmount does not get over, but for that, costs its line. */
    fault_call("mnt_table_parse_stream", 3, EIO);
    assert_int_equal(mounts_read(path, &mounts), 0);
    assert_int_equal(mounts.n, 6);
    assert_int_equal(mounts.list[3].id, 41);
    mounts_done(&mounts);
    /* One that does not fit into what is read at first. */
    memset(long_line + strlen(long_line), 'a', sizeof(long_line) - 1 - strlen(long_line));
    scratch_write(&scratch, "host", long_line);
    fault_each_shortage(read_host, path, -EBADMSG);
    scratch_done(&scratch);
}

struct Place {
    struct Mounts mounts;
    dev_t dev;
};

static int locate(void *userdata)
{
    const struct Place *place = userdata;
    char *preferred[] = {"/nowhere", NULL}, *path = NULL;
    int r = mounts_locate(&place->mounts, place->dev, "/volumes/a/_data", preferred, &path);

    assert_int_equal(path != NULL, r == 0);
    free(path);
    return r;
}

static void test_locate_without_memory(void **state)
{
    struct Place place = {.mounts = mounts_of(host), .dev = makedev(254, 16)};

    fault_each_shortage(locate, &place, 0);
    mounts_done(&place.mounts);
}

/* Every line that is broken costs itself only. */
static void test_broken(void **state)
{
    static const char *const lines[] = {
        "",
        " ",
        "40",
        "40 28",
        "40 28 254:16",
        "40 28 254:16 /",
        "40 28 254:16 / /x",
        "40 28 254:16 / /x rw",
        "40\t28\t254:16\t/\t/x\trw\t-\toverlay\toverlay\trw,upperdir=/u",
        "40 28 254:16 / /x rw -",
        "40 28 254:16 / /x rw - ",
        "x y 254:16 / /x rw - xfs /dev/vdb rw",
        "/dev/vda1 / ext4 defaults 0 1",
        "40 28 254:16 / relative rw - xfs /dev/vdb rw",
        "99999999999999999999 28 254:16 / /x rw - xfs /dev/vdb rw",
        "40 28 99999999999999:16 / /x rw - xfs /dev/vdb rw",
        "# 40 28 254:16 / /x rw - xfs /dev/vdb rw",
    };
    char text[1024];

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct Mounts mounts;

        snprintf(text, sizeof(text), "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n%s\n2 1 8:2 / /b rw - xfs x rw\n",
                 lines[i]);
        assert_int_equal(read_text(text, strlen(text), &mounts), 0);
        if (mounts.n != 2 || mounts.list[1].id != 2)
            fail_msg("%zu mounts with the line \"%s\"", mounts.n, lines[i]);
        mounts_done(&mounts);
    }
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

/* Whatever a byte turns into, nothing breaks: run under the sanitizers. */
static void test_fuzz(void **state)
{
    uint32_t seed = 1;

    for (int round = 0; round < 2000; round++) {
        char text[sizeof(host) + sizeof(container)];
        struct Mounts mounts;
        size_t length;

        memcpy(text, host, sizeof(host) - 1);
        memcpy(text + sizeof(host) - 1, container, sizeof(container) - 1);
        length = 1 + next_random(&seed) % (sizeof(host) + sizeof(container) - 2);
        for (int i = 0; i < 8; i++)
            text[next_random(&seed) % length] = "\n \\,:-/0\0\xff"[next_random(&seed) % 10];
        if (read_text(text, length, &mounts) < 0)
            continue;
        mounts_holding(&mounts, "/var/lib/docker/overlay2/x");
        mounts_done(&mounts);
    }
}

/* An enemy with mounts without number, stacked and long: it is read in bounds. */
static void test_huge(void **state)
{
    size_t size = 64U << 20;
    char *text = malloc(size), *at = text;
    struct Mounts mounts;

    assert_non_null(text);
    at += sprintf(at, "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
    for (int i = 2; i < 20000; i++)
        at += sprintf(at, "%d %d 8:2 / /a rw - xfs /dev/sdb rw\n", i, i - 1);
    assert_int_equal(read_text(text, (size_t)(at - text), &mounts), 0);
    assert_int_equal(mounts.n, 16384);
    assert_true(mounts.truncated);
    assert_non_null(mounts_holding(&mounts, "/a/b"));
    mounts_done(&mounts);

    at = text + sprintf(text, "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 / /");
    memset(at, 'a', 40U << 20);
    at += 40U << 20;
    at += sprintf(at, " rw - xfs /dev/sdb rw\n");
    assert_int_equal(read_text(text, (size_t)(at - text), &mounts), 0);
    assert_int_equal(mounts.n, 1);
    assert_true(mounts.truncated);
    mounts_done(&mounts);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_overlay_escapes),
        cmocka_unit_test(test_holding),
        cmocka_unit_test(test_covered),
        cmocka_unit_test(test_holds_itself),
        cmocka_unit_test(test_locate),
        cmocka_unit_test(test_container),
        cmocka_unit_test(test_own),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_fuzz),
        cmocka_unit_test(test_huge),
        cmocka_unit_test(test_preferred),
        cmocka_unit_test(test_side_by_side),
        cmocka_unit_test(test_without_bottom),
        cmocka_unit_test(test_zombie),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_locate_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
