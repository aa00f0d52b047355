/* The ledger: what is put is found again, and what a bad day does to the file. */
#include "failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "record/ledger.h"

#define BOOT "0123456789abcdef0123456789abcdef"
#define OTHER_BOOT "fedcba9876543210fedcba9876543210"
#define SLOT 1024

struct Ground {
    char directory[64];
    int dir_fd;
    struct Ledger ledger;
    struct LedgerReport report;
};

static int reopen(struct Ground *ground, const char *boot)
{
    ledger_close(&ground->ledger);
    return ledger_open_boot(&ground->ledger, ground->dir_fd, "ledger", boot, &ground->report);
}

static int set_up(void **state)
{
    struct Ground *ground = calloc(1, sizeof(*ground));

    assert_non_null(ground);
    strcpy(ground->directory, "/tmp/guardd-ledger-XXXXXX");
    assert_non_null(mkdtemp(ground->directory));
    ground->dir_fd = open(ground->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ground->ledger.fd = -EBADF;
    assert_int_equal(reopen(ground, BOOT), 0);
    *state = ground;
    return 0;
}

static int tear_down(void **state)
{
    struct Ground *ground = *state;
    char command[128];

    ledger_close(&ground->ledger);
    close(ground->dir_fd);
    snprintf(command, sizeof(command), "rm -rf '%s'", ground->directory);
    assert_int_equal(system(command), 0);
    free(ground);
    return 0;
}

static struct LedgerEntry hold(uint64_t cgroup_id)
{
    struct LedgerEntry entry = {
        .kind = ENTRY_HOLD,
        .phase = ENTRY_STANDING,
        .cgroup_id = cgroup_id,
        .since_usec = 123456789,
        .holder = 3,
        .step = 1,
        .repeats = 2,
        .rule = "fork-bomb",
        .name = "docker/web",
        .path = "system.slice/docker-1.scope",
    };

    return entry;
}

static void assert_entry(const struct LedgerEntry *a, const struct LedgerEntry *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->phase, b->phase);
    assert_int_equal(a->cgroup_id, b->cgroup_id);
    assert_int_equal(a->since_usec, b->since_usec);
    assert_int_equal(a->holder, b->holder);
    assert_int_equal(a->step, b->step);
    assert_int_equal(a->limit, b->limit);
    assert_int_equal(a->repeats, b->repeats);
    assert_int_equal(a->found, b->found);
    assert_int_equal(a->value, b->value);
    assert_string_equal(a->rule, b->rule);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->path, b->path);
}

/* The longest lines there are, and a name that a throttle's entry has no room for. */
static struct LedgerEntry throttle(void)
{
    struct LedgerEntry entry = hold(7);

    entry.kind = ENTRY_THROTTLE;
    entry.resource = RESOURCE_IO;
    memset(entry.found_line, 'f', sizeof(entry.found_line) - 1);
    memset(entry.value_line, 'v', sizeof(entry.value_line) - 1);
    return entry;
}

/* Puts `n` holds with the ids 1..n. */
static void put_holds(struct Ground *ground, uint64_t n)
{
    uint32_t slot;

    assert_int_equal(ledger_reserve(&ground->ledger, n), 0);
    for (uint64_t id = 1; id <= n; id++) {
        struct LedgerEntry entry = hold(id);

        assert_int_equal(ledger_put(&ground->ledger, &entry, &slot), 0);
    }
}

static void write_raw(struct Ground *ground, off_t offset, const void *bytes, size_t size)
{
    int fd = openat(ground->dir_fd, "ledger", O_WRONLY | O_CLOEXEC);

    assert_int_equal(pwrite(fd, bytes, size, offset), size);
    close(fd);
}

static void cut(struct Ground *ground, off_t size)
{
    int fd = openat(ground->dir_fd, "ledger", O_WRONLY | O_CLOEXEC);

    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
}

static int count(void *userdata, uint32_t slot, const struct LedgerEntry *entry)
{
    *(size_t *)userdata += 1;
    return 0;
}

static size_t n_entries(struct Ground *ground)
{
    size_t n = 0;

    assert_int_equal(ledger_for_each(&ground->ledger, count, &n), 0);
    assert_int_equal(n, ground->ledger.n_used);
    return n;
}

static void a_new_ledger_is_empty(void **state)
{
    struct Ground *ground = *state;
    struct stat st;

    assert_int_equal(ground->report.entries, 0);
    assert_int_equal(ground->report.torn, 0);
    assert_false(ground->report.other_boot);
    assert_false(ground->report.damaged);
    assert_int_equal(n_entries(ground), 0);
    assert_int_equal(fstat(ground->ledger.fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void what_is_put_is_there_after_a_restart(void **state)
{
    struct Ground *ground = *state;
    struct LedgerEntry one = hold(17), two = hold(18), read;
    uint32_t slot_one, slot_two;

    two.kind = ENTRY_LIMIT;
    two.limit = LIMIT_TASKS_MAX;
    two.found = LIMIT_INFINITY;
    two.value = 2048;
    memset(two.path, 'p', sizeof(two.path) - 1);
    assert_int_equal(ledger_reserve(&ground->ledger, 2), 0);
    assert_int_equal(ledger_put(&ground->ledger, &one, &slot_one), 0);
    assert_int_equal(ledger_put(&ground->ledger, &two, &slot_two), 0);
    assert_int_not_equal(slot_one, slot_two);
    assert_int_equal(reopen(ground, BOOT), 0);
    assert_int_equal(ground->report.entries, 2);
    assert_int_equal(ground->report.torn, 0);
    assert_int_equal(ledger_get(&ground->ledger, slot_one, &read), 0);
    assert_entry(&read, &one);
    assert_int_equal(ledger_get(&ground->ledger, slot_two, &read), 0);
    assert_entry(&read, &two);
}

/* Of a limit of I/O: what was found and set disk by disk. */
static void the_disks_of_a_limit_are_there_after_a_restart(void **state)
{
    struct Ground *ground = *state;
    struct LedgerEntry entry = hold(17), read;
    uint32_t slot;

    entry.kind = ENTRY_LIMIT;
    entry.limit = LIMIT_IO_WRITE_BANDWIDTH_MAX;
    entry.found = LIMIT_INFINITY;
    entry.value = 20000000;
    entry.name[0] = '\0';
    strcpy(entry.found_line, "8:0 max 8:16 5000000");
    strcpy(entry.value_line, "8:0 20000000 8:16 5000000");
    assert_int_equal(ledger_reserve(&ground->ledger, 1), 0);
    assert_int_equal(ledger_put(&ground->ledger, &entry, &slot), 0);
    assert_int_equal(reopen(ground, BOOT), 0);
    assert_int_equal(ledger_get(&ground->ledger, slot, &read), 0);
    assert_entry(&read, &entry);
    assert_string_equal(read.found_line, entry.found_line);
    assert_string_equal(read.value_line, entry.value_line);
    entry.found_line[0] = '\0';
    assert_int_equal(ledger_put(&ground->ledger, &entry, &slot), -EINVAL);
}

static void the_lines_of_a_throttle_are_there_after_a_restart(void **state)
{
    struct Ground *ground = *state;
    struct LedgerEntry entry = throttle(), found;
    uint32_t slot;

    assert_int_equal(ledger_reserve(&ground->ledger, 1), 0);
    assert_int_equal(ledger_put(&ground->ledger, &entry, &slot), 0);
    assert_int_equal(reopen(ground, BOOT), 0);
    assert_int_equal(ground->report.torn, 0);
    assert_int_equal(ledger_get(&ground->ledger, slot, &found), 0);
    assert_int_equal(found.resource, RESOURCE_IO);
    assert_string_equal(found.found_line, entry.found_line);
    assert_string_equal(found.value_line, entry.value_line);
    entry.name[0] = '\0';
    assert_entry(&found, &entry);
    assert_int_equal(found.previous, 0);
}

/* What could not be written back is not written down. */
static void a_throttle_without_its_lines_makes_no_sense(void **state)
{
    struct Ground *ground = *state;
    struct LedgerEntry entry = throttle();
    uint32_t slot;

    assert_int_equal(ledger_reserve(&ground->ledger, 1), 0);
    entry.found_line[0] = '\0';
    assert_int_equal(ledger_put(&ground->ledger, &entry, &slot), -EINVAL);
    entry = throttle();
    entry.value_line[0] = '\0';
    assert_int_equal(ledger_put(&ground->ledger, &entry, &slot), -EINVAL);
    entry = throttle();
    entry.resource = RESOURCE_TASKS;
    assert_int_equal(ledger_put(&ground->ledger, &entry, &slot), -EINVAL);
    entry.resource = RESOURCE_COUNT;
    assert_int_equal(ledger_put(&ground->ledger, &entry, &slot), -EINVAL);
}

static void an_update_is_there_after_a_restart(void **state)
{
    struct Ground *ground = *state;
    struct LedgerEntry entry = hold(17), read;
    uint32_t slot;

    assert_int_equal(ledger_reserve(&ground->ledger, 1), 0);
    assert_int_equal(ledger_put(&ground->ledger, &entry, &slot), 0);
    entry.phase = ENTRY_UNDOING;
    entry.step = 2;
    assert_int_equal(ledger_update(&ground->ledger, slot, &entry), 0);
    assert_int_equal(reopen(ground, BOOT), 0);
    assert_int_equal(ledger_get(&ground->ledger, slot, &read), 0);
    assert_entry(&read, &entry);
}

static void what_is_dropped_is_gone(void **state)
{
    struct Ground *ground = *state;
    struct LedgerEntry entry = hold(17), read;
    uint32_t slot, again;

    assert_int_equal(ledger_reserve(&ground->ledger, 1), 0);
    assert_int_equal(ledger_put(&ground->ledger, &entry, &slot), 0);
    assert_int_equal(ledger_drop(&ground->ledger, slot), 0);
    assert_int_equal(ledger_drop(&ground->ledger, slot), -ENOENT);
    assert_int_equal(ledger_get(&ground->ledger, slot, &read), -ENOENT);
    assert_int_equal(ledger_update(&ground->ledger, slot, &entry), -ENOENT);
    assert_int_equal(n_entries(ground), 0);
    assert_int_equal(ledger_put(&ground->ledger, &entry, &again), 0);
    assert_int_equal(again, slot); /* a freed slot is used again */
    assert_int_equal(ledger_drop(&ground->ledger, again), 0);
    assert_int_equal(reopen(ground, BOOT), 0);
    assert_int_equal(ground->report.entries, 0);
    assert_int_equal(ground->report.torn, 0);
}

static void slots_that_are_none_are_refused(void **state)
{
    struct Ground *ground = *state;
    struct LedgerEntry entry = hold(17);
    static const uint32_t slots[] = {0, 1, 63, 64, 1000000, UINT32_MAX};

    assert_int_equal(ledger_reserve(&ground->ledger, 10), 0);
    for (size_t i = 0; i < sizeof(slots) / sizeof(*slots); i++) {
        assert_int_equal(ledger_get(&ground->ledger, slots[i], &entry), -ENOENT);
        assert_int_equal(ledger_update(&ground->ledger, slots[i], &entry), -ENOENT);
        assert_int_equal(ledger_drop(&ground->ledger, slots[i]), -ENOENT);
    }
}

static void without_reserve_there_is_no_room(void **state)
{
    struct Ground *ground = *state;
    struct LedgerEntry entry = hold(17);
    uint32_t slot = 99;

    assert_int_equal(ledger_put(&ground->ledger, &entry, &slot), -ENOSPC);
    assert_int_equal(slot, 99);
    assert_int_equal(ledger_reserve(&ground->ledger, SIZE_MAX / 2), -ENOSPC);
}

static void reserve_counts_from_the_present_entries(void **state)
{
    struct Ground *ground = *state;
    struct LedgerEntry entry = hold(1);
    uint32_t slot;

    put_holds(ground, 1000);
    assert_int_equal(ledger_reserve(&ground->ledger, 500), 0);
    for (int i = 0; i < 500; i++)
        assert_int_equal(ledger_put(&ground->ledger, &entry, &slot), 0);
    assert_int_equal(n_entries(ground), 1500);
}

static void what_makes_no_sense_is_not_written(void **state)
{
    struct Ground *ground = *state;
    struct LedgerEntry good = hold(17), entry;
    uint32_t slot;

    assert_int_equal(ledger_reserve(&ground->ledger, 1), 0);
    entry = good, entry.kind = 0;
    assert_int_equal(ledger_put(&ground->ledger, &entry, &slot), -EINVAL);
    entry = good, entry.phase = 9;
    assert_int_equal(ledger_put(&ground->ledger, &entry, &slot), -EINVAL);
    entry = good, entry.kind = ENTRY_LIMIT, entry.limit = (uint32_t)LIMIT_INVALID;
    assert_int_equal(ledger_put(&ground->ledger, &entry, &slot), -EINVAL);
    assert_int_equal(n_entries(ground), 0);
    assert_int_equal(ledger_put(&ground->ledger, &good, &slot), 0);
}

/* Every byte of an entry matters: whichever is flipped, the entry is not believed. */
static void a_torn_slot_is_dropped_and_counted(void **state)
{
    struct Ground *ground = *state;

    for (off_t offset = 0; offset < SLOT; offset += 13) {
        uint8_t byte;

        put_holds(ground, 3); /* slots 1 to 3 */
        assert_int_equal(pread(ground->ledger.fd, &byte, 1, 2 * SLOT + offset), 1);
        byte = (uint8_t)~byte;
        write_raw(ground, 2 * SLOT + offset, &byte, 1);
        assert_int_equal(reopen(ground, BOOT), 0);
        assert_int_equal(ground->report.torn, 1);
        assert_int_equal(ground->report.entries, 2);
        assert_int_equal(reopen(ground, BOOT), 0); /* and it is told once */
        assert_int_equal(ground->report.torn, 0);
        assert_int_equal(ground->report.entries, 2);
        assert_int_equal(ledger_drop(&ground->ledger, 1), 0);
        assert_int_equal(ledger_drop(&ground->ledger, 3), 0);
    }
}

/* Half of a new entry over half of an old one, as a write cut short leaves it. */
static void half_written_slots_are_torn(void **state)
{
    struct Ground *ground = *state;
    uint8_t old[SLOT], new[SLOT];

    put_holds(ground, 2);
    assert_int_equal(pread(ground->ledger.fd, old, SLOT, 1 * SLOT), SLOT);
    assert_int_equal(pread(ground->ledger.fd, new, SLOT, 2 * SLOT), SLOT);
    memcpy(old, new, SLOT / 2);
    write_raw(ground, 1 * SLOT, old, SLOT);
    memset(new + SLOT / 2, 0, SLOT / 2);
    write_raw(ground, 2 * SLOT, new, SLOT);
    assert_int_equal(reopen(ground, BOOT), 0);
    assert_int_equal(ground->report.torn, 2);
    assert_int_equal(n_entries(ground), 0);
}

static void an_entry_that_breaks_while_in_use_hides_no_other(void **state)
{
    struct Ground *ground = *state;
    struct LedgerEntry entry;
    size_t n = 0;

    put_holds(ground, 3);
    write_raw(ground, 2 * SLOT + 100, "XXXX", 4);
    assert_int_equal(ledger_get(&ground->ledger, 2, &entry), -EBADMSG);
    assert_int_equal(ledger_for_each(&ground->ledger, count, &n), 0);
    assert_int_equal(n, 2);
}

static void an_empty_or_short_file_is_a_new_one(void **state)
{
    static const off_t sizes[] = {0, 1, 512, SLOT - 1};
    struct Ground *ground = *state;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        put_holds(ground, 2);
        cut(ground, sizes[i]);
        assert_int_equal(reopen(ground, BOOT), 0);
        assert_int_equal(ground->report.entries, 0);
        assert_false(ground->report.damaged);
        put_holds(ground, 1);
        assert_int_equal(reopen(ground, BOOT), 0);
        assert_int_equal(ground->report.entries, 1);
    }
}

static void a_file_cut_within_a_slot_keeps_the_others(void **state)
{
    struct Ground *ground = *state;

    put_holds(ground, 5);
    cut(ground, 4 * SLOT + 700); /* slots 1 to 3 whole, 4 not, 5 missing */
    assert_int_equal(reopen(ground, BOOT), 0);
    assert_int_equal(ground->report.torn, 1);
    assert_int_equal(ground->report.entries, 3);
    put_holds(ground, 1);
    assert_int_equal(reopen(ground, BOOT), 0);
    assert_int_equal(ground->report.torn, 0);
    assert_int_equal(ground->report.entries, 4);
}

static void garbage_is_put_aside(void **state)
{
    static const char garbage[3 * SLOT] = "this is no ledger";
    struct Ground *ground = *state;
    char buf[32] = "";
    int fd;

    put_holds(ground, 2);
    write_raw(ground, 0, garbage, sizeof(garbage));
    assert_int_equal(reopen(ground, BOOT), 0);
    assert_true(ground->report.damaged);
    assert_int_equal(n_entries(ground), 0);
    fd = openat(ground->dir_fd, "ledger.damaged", O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, buf, 17), 17);
    close(fd);
    assert_string_equal(buf, "this is no ledger");
    put_holds(ground, 1);
    assert_int_equal(reopen(ground, BOOT), 0);
    assert_false(ground->report.damaged);
    assert_int_equal(ground->report.entries, 1);
}

static void a_header_with_one_wrong_byte_is_damaged(void **state)
{
    struct Ground *ground = *state;

    for (off_t offset = 0; offset < SLOT; offset += 31) {
        uint8_t byte;

        put_holds(ground, 1);
        assert_int_equal(pread(ground->ledger.fd, &byte, 1, offset), 1);
        byte ^= 0x10;
        write_raw(ground, offset, &byte, 1);
        assert_int_equal(reopen(ground, BOOT), 0);
        assert_true(ground->report.damaged);
        assert_int_equal(ground->report.entries, 0);
    }
}

static void entries_of_another_boot_are_void(void **state)
{
    struct Ground *ground = *state;

    put_holds(ground, 2);
    assert_int_equal(reopen(ground, OTHER_BOOT), 0);
    assert_true(ground->report.other_boot);
    assert_int_equal(ground->report.entries, 0);
    assert_int_equal(n_entries(ground), 0);
    assert_int_equal(reopen(ground, OTHER_BOOT), 0);
    assert_false(ground->report.other_boot);
}

static void this_boot_has_an_id(void **state)
{
    struct Ground *ground = *state;

    ledger_close(&ground->ledger);
    assert_int_equal(ledger_open(&ground->ledger, ground->dir_fd, "ledger", &ground->report), 0);
    assert_true(ground->report.other_boot);
    assert_int_equal(strlen(ground->ledger.boot_id), 32);
}

static void there_are_not_two(void **state)
{
    struct Ground *ground = *state;
    struct Ledger second;

    assert_int_equal(ledger_open_boot(&second, ground->dir_fd, "ledger", BOOT, &ground->report), -EBUSY);
    assert_int_equal(second.fd, -EBADF);
}

static void what_is_no_file_is_refused(void **state)
{
    struct Ground *ground = *state;
    struct Ledger ledger;

    assert_int_equal(symlinkat("ledger", ground->dir_fd, "link"), 0);
    assert_int_equal(ledger_open_boot(&ledger, ground->dir_fd, "link", BOOT, &ground->report), -ELOOP);
    assert_int_equal(mkfifoat(ground->dir_fd, "fifo", 0600), 0);
    assert_int_equal(ledger_open_boot(&ledger, ground->dir_fd, "fifo", BOOT, &ground->report), -EINVAL);
    assert_int_equal(mkdirat(ground->dir_fd, "directory", 0700), 0);
    assert_int_equal(ledger_open_boot(&ledger, ground->dir_fd, "directory", BOOT, &ground->report), -EISDIR);
}

/* Every function takes a ledger that is none. */
static void without_a_ledger_nothing_is_written_down(void **state)
{
    struct Ground *ground = *state;
    struct LedgerEntry entry = hold(1);
    struct Ledger ledger;
    uint32_t slot;
    size_t n = 0;

    assert_int_equal(ledger_open_boot(&ledger, -EBADF, "ledger", BOOT, &ground->report), -EBADF);
    assert_int_equal(ledger_reserve(&ledger, 1), -EBADF);
    assert_int_equal(ledger_put(&ledger, &entry, &slot), -EBADF);
    assert_int_equal(ledger_update(&ledger, 1, &entry), -EBADF);
    assert_int_equal(ledger_get(&ledger, 1, &entry), -EBADF);
    assert_int_equal(ledger_drop(&ledger, 1), -EBADF);
    assert_int_equal(ledger_for_each(&ledger, count, &n), 0);
    ledger_close(&ledger);
}

/* Runs `body` in a child, so that what it does to itself stays there. 77: it cannot be tried here. */
static void in_child(struct Ground *ground, int (*body)(struct Ground *ground))
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(body(ground));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int try_directory_of_another(struct Ground *ground)
{
    if (getuid() == 0 && setresuid(65534, 65534, 65534) < 0)
        return 77;
    ledger_close(&ground->ledger);
    return ledger_open_boot(&ground->ledger, ground->dir_fd, "ledger", BOOT, &ground->report) == -EACCES ? 0
                                                                                                         : 1;
}

static void a_directory_that_may_not_be_written(void **state)
{
    struct Ground *ground = *state;

    assert_int_equal(fchmod(ground->dir_fd, 0555), 0);
    assert_int_equal(unlinkat(ground->dir_fd, "ledger", 0), getuid() == 0 ? 0 : -1);
    in_child(ground, try_directory_of_another);
    assert_int_equal(fchmod(ground->dir_fd, 0700), 0);
}

/* A tmpfs of 128 KiB that is mounted nowhere; needs CAP_SYS_ADMIN. */
static int small_file_system(unsigned attributes)
{
    int context = fsopen("tmpfs", FSOPEN_CLOEXEC), fd = -1;

    if (context >= 0 && fsconfig(context, FSCONFIG_SET_STRING, "size", "128k", 0) == 0 &&
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        fd = fsmount(context, FSMOUNT_CLOEXEC, attributes);
    close(context);
    if (fd < 0)
        skip();
    return fd;
}

static void a_read_only_file_system(void **state)
{
    struct Ground *ground = *state;
    struct Ledger ledger;
    int fd = small_file_system(MOUNT_ATTR_RDONLY);

    assert_int_equal(ledger_open_boot(&ledger, fd, "ledger", BOOT, &ground->report), -EROFS);
    assert_int_equal(ledger.fd, -EBADF);
    close(fd);
}

/* Writes until there is no byte left. */
static void fill(int dir_fd)
{
    static const char zeros[SLOT];
    int fd = openat(dir_fd, "filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    while (write(fd, zeros, sizeof(zeros)) == sizeof(zeros))
        ;
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

/* What was reserved before can be used with the file system full. */
static void a_full_file_system(void **state)
{
    struct LedgerEntry entry = hold(1);
    struct LedgerReport report;
    struct Ledger ledger;
    uint32_t slot;
    int fd = small_file_system(0);

    assert_int_equal(ledger_open_boot(&ledger, fd, "ledger", BOOT, &report), 0);
    assert_int_equal(ledger_reserve(&ledger, 60), 0);
    assert_int_equal(ledger_reserve(&ledger, 500), -ENOSPC);
    fill(fd);
    for (int i = 0; i < 60; i++)
        assert_int_equal(ledger_put(&ledger, &entry, &slot), 0);
    ledger_close(&ledger);
    assert_int_equal(ledger_open_boot(&ledger, fd, "ledger", BOOT, &report), 0);
    assert_int_equal(report.entries, 60);
    assert_int_equal(report.torn, 0);
    ledger_close(&ledger);
    assert_int_equal(ledger_open_boot(&ledger, fd, "another", BOOT, &report), -ENOSPC);
    close(fd);
}

/* A file size limit is the ENOSPC that needs no privilege. */
static int try_limited(struct Ground *ground)
{
    struct rlimit limit = {.rlim_cur = 64 * SLOT, .rlim_max = 64 * SLOT};
    struct LedgerEntry entry = hold(1);
    uint32_t slot;

    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
        return 77;
    if (ledger_reserve(&ground->ledger, 63) < 0)
        return 1;
    if (ledger_reserve(&ground->ledger, 64) != -EFBIG)
        return 2;
    for (int i = 0; i < 63; i++)
        if (ledger_put(&ground->ledger, &entry, &slot) < 0)
            return 3;
    return ledger_put(&ground->ledger, &entry, &slot) == -ENOSPC ? 0 : 4;
}

static void a_file_that_may_not_grow(void **state)
{
    in_child(*state, try_limited);
}

static int drop_even(void *userdata, uint32_t slot, const struct LedgerEntry *entry)
{
    return entry->cgroup_id % 2 == 0 ? ledger_drop(userdata, slot) : 0;
}

static int stop_at_3(void *userdata, uint32_t slot, const struct LedgerEntry *entry)
{
    *(uint64_t *)userdata = entry->cgroup_id;
    return entry->cgroup_id == 3 ? -ECANCELED : 0;
}

/* --- what somebody else may have written ---------------------------------------------------------- */

/* So many bytes of a slot are these, and its checksum is right. */
static void forge(struct Ground *ground, uint32_t slot, size_t offset, size_t size, int byte)
{
    unsigned char bytes[SLOT];
    uint32_t checksum;
    int fd = openat(ground->dir_fd, "ledger", O_RDWR | O_CLOEXEC);

    assert_int_equal(pread(fd, bytes, SLOT, (off_t)slot * SLOT), SLOT);
    memset(bytes + offset, byte, size);
    checksum = (uint32_t)crc32(0, bytes, SLOT - sizeof(checksum));
    memcpy(bytes + SLOT - sizeof(checksum), &checksum, sizeof(checksum));
    assert_int_equal(pwrite(fd, bytes, SLOT, (off_t)slot * SLOT), SLOT);
    close(fd);
}

/* The one in front of it is still believed. */
static void assert_not_believed(struct Ground *ground, const struct LedgerEntry *entry, size_t offset,
                                size_t size, int byte)
{
    uint32_t slot;

    cut(ground, 0);
    assert_int_equal(reopen(ground, BOOT), 0);
    put_holds(ground, 1);
    assert_int_equal(ledger_reserve(&ground->ledger, 1), 0);
    assert_int_equal(ledger_put(&ground->ledger, entry, &slot), 0);
    ledger_close(&ground->ledger);
    forge(ground, slot, offset, size, byte);
    assert_int_equal(reopen(ground, BOOT), 0);
    assert_int_equal(ground->report.torn, 1);
    assert_int_equal(ground->report.entries, 1);
}

static void forged_entries_are_not_believed(void **state)
{
    enum { KIND = 4, PHASE = 8, RULE = 60, NAME = 124, FOUND = 128, VALUE = 224, PATH = 380 };
    static const struct {
        bool lines;
        size_t offset, size;
        int byte;
    } table[] = {
        {false, 0, 1, 0},        {false, 0, 4, 'x'},
        {false, KIND, 4, 0},     {false, KIND, 1, ENTRY_LINKS + 1},
        {false, PHASE, 4, 0},    {false, PHASE, 1, 99},
        {false, RULE, 64, 'x'},  {false, NAME, 256, 'x'},
        {false, PATH, 512, 'x'}, {true, RULE, 64, 'x'},
        {true, PATH, 512, 'x'},  {true, NAME, 1, 99},
        {true, FOUND, 96, 'x'},  {true, VALUE, 96, 'x'},
        {true, FOUND, 96, '\0'}, {true, VALUE, 96, '\0'},
    };
    struct LedgerEntry entries[] = {hold(2), throttle()};

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        assert_not_believed(*state, &entries[table[i].lines], table[i].offset, table[i].size, table[i].byte);
}

/* Of a guardd that had another form of it. */
static void header_of_another_version(void **state)
{
    struct Ground *ground = *state;

    for (size_t offset = 8; offset <= 12; offset += 4) {
        put_holds(ground, 1);
        ledger_close(&ground->ledger);
        forge(ground, 0, offset, 1, 77);
        assert_int_equal(reopen(ground, BOOT), 0);
        assert_true(ground->report.damaged);
        assert_int_equal(ground->report.entries, 0);
    }
}

static void names_too_long_to_be_put_aside(void **state)
{
    struct Ground *ground = *state;
    char name[256], garbage[SLOT] = "garbage";
    int fd;

    memset(name, 'l', 250);
    name[250] = '\0';
    fd = openat(ground->dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, garbage, sizeof(garbage)), sizeof(garbage));
    close(fd);
    ledger_close(&ground->ledger);
    assert_int_equal(ledger_open_boot(&ground->ledger, ground->dir_fd, name, BOOT, &ground->report),
                     -ENAMETOOLONG);
    assert_int_equal(ground->ledger.fd, -EBADF);
}

/* No guardd has a million entries. */
static void more_slots_than_are_read(void **state)
{
    struct Ground *ground = *state;

    ledger_close(&ground->ledger);
    cut(ground, (off_t)((1 << 20) + 1) * SLOT);
    assert_int_equal(reopen(ground, BOOT), -EFBIG);
    cut(ground, 2 * SLOT);
    assert_int_equal(reopen(ground, BOOT), 0);
}

/* --- calls that fail ------------------------------------------------------------------------------ */

/* A file in which there is everything that a start may have to do. */
static void make_work(struct Ground *ground, unsigned what)
{
    cut(ground, 0);
    assert_int_equal(reopen(ground, BOOT), 0);
    put_holds(ground, 2);
    ledger_close(&ground->ledger);
    switch (what) {
    case 0: /* a torn slot, and half a one */
        write_raw(ground, 2 * SLOT, "x", 1);
        cut(ground, 3 * SLOT + 7);
        break;
    case 1:
        write_raw(ground, 0, "x", 1);
        break;
    default: /* of another boot */
        break;
    }
}

static void opened_or_told_why_not(void **state)
{
    static const struct {
        const char *function;
        int error;
    } table[] = {{"openat64", EMFILE}, {"fstat64", EIO}, {"flock", ENOLCK}, {"ftruncate64", EIO},
                 {"renameat", EACCES}, {"pread64", EIO}, {"pwrite64", EIO}, {ANY_ALLOCATION, ENOMEM}};
    struct Ground *ground = *state;

    for (unsigned what = 0; what < 3; what++)
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
            for (unsigned nth = 1, failed = true; failed; nth++) {
                int r;

                make_work(ground, what);
                fail_call(table[i].function, nth, table[i].error);
                r = ledger_open_boot(&ground->ledger, ground->dir_fd, "ledger", what == 2 ? OTHER_BOOT : BOOT,
                                     &ground->report);
                failed = call_failed();
                assert_int_equal(r, failed ? -table[i].error : 0);
                if (failed)
                    assert_int_equal(ground->ledger.fd, -EBADF);
                /* once more, and it is opened */
                assert_int_equal(reopen(ground, what == 2 ? OTHER_BOOT : BOOT), 0);
                assert_true(ground->ledger.n_used <= 2);
            }
}

static void interrupted(void **state)
{
    struct Ground *ground = *state;
    struct LedgerEntry entry = hold(1), found;
    uint32_t slot;

    assert_int_equal(ledger_reserve(&ground->ledger, 1), 0);
    fail_call("pwrite64", 1, EINTR);
    assert_int_equal(ledger_put(&ground->ledger, &entry, &slot), 0);
    assert_true(call_failed());
    fail_call("pread64", 1, EINTR);
    assert_int_equal(ledger_get(&ground->ledger, slot, &found), 0);
    assert_true(call_failed());
    assert_entry(&entry, &found);
}

/* What could not be read is not told, and what could not be cleared is still there. */
static void slots_that_cannot_be_used(void **state)
{
    struct Ground *ground = *state;
    struct LedgerEntry entry = hold(2), found;
    size_t n = 0;

    put_holds(ground, 2);
    fail_call("pread64", 1, EIO);
    assert_int_equal(ledger_get(&ground->ledger, 1, &found), -EIO);
    fail_call("pread64", 2, EIO);
    assert_int_equal(ledger_for_each(&ground->ledger, count, &n), -EIO);
    assert_int_equal(n, 1);
    fail_call("pwrite64", 1, EIO);
    assert_int_equal(ledger_drop(&ground->ledger, 1), -EIO);
    assert_int_equal(ledger_get(&ground->ledger, 1, &found), 0);
    fail_call("pwrite64", 1, EIO);
    assert_int_equal(ledger_update(&ground->ledger, 1, &entry), -EIO);
    assert_int_equal(ledger_get(&ground->ledger, 1, &found), 0);
    assert_int_equal(found.cgroup_id, 1);
    fail_call(ANY_ALLOCATION, 1, ENOMEM);
    assert_int_equal(ledger_reserve(&ground->ledger, 1000), -ENOMEM);
    assert_true(call_failed());
    assert_int_equal(ground->ledger.n_used, 2);
}

/* A slot of which only the beginning could be written: as on a file system that is full. */
static void half_a_slot(void **state)
{
    struct Ground *ground = *state;
    struct LedgerEntry entry = hold(2);
    struct rlimit before, limit;
    uint32_t slot;
    int r;

    put_holds(ground, 1);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){.rlim_cur = 2 * SLOT + 100, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    r = ledger_put(&ground->ledger, &entry, &slot);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(r, -ENOSPC);
    assert_int_equal(ground->ledger.n_used, 1);
    assert_int_equal(reopen(ground, BOOT), 0);
    assert_int_equal(ground->report.entries, 1);
    assert_int_equal(ground->report.torn, 1);
}

static void boot_without_an_id(void **state)
{
    struct Ground *ground = *state;

    ledger_close(&ground->ledger);
    fail_call("sd_id128_get_boot", 1, ENOSYS);
    assert_int_equal(ledger_open(&ground->ledger, ground->dir_fd, "ledger", &ground->report), -ENOSYS);
    assert_true(call_failed());
    assert_int_equal(ground->ledger.fd, -EBADF);
}

static void each_may_drop_and_stop(void **state)
{
    struct Ground *ground = *state;
    uint64_t last = 0;

    put_holds(ground, 10);
    assert_int_equal(ledger_for_each(&ground->ledger, drop_even, &ground->ledger), 0);
    assert_int_equal(n_entries(ground), 5);
    assert_int_equal(ledger_for_each(&ground->ledger, stop_at_3, &last), -ECANCELED);
    assert_int_equal(last, 3);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_ledger_is_empty),
        TEST(what_is_put_is_there_after_a_restart),
        TEST(the_disks_of_a_limit_are_there_after_a_restart),
        TEST(the_lines_of_a_throttle_are_there_after_a_restart),
        TEST(a_throttle_without_its_lines_makes_no_sense),
        TEST(an_update_is_there_after_a_restart),
        TEST(what_is_dropped_is_gone),
        TEST(slots_that_are_none_are_refused),
        TEST(without_reserve_there_is_no_room),
        TEST(reserve_counts_from_the_present_entries),
        TEST(what_makes_no_sense_is_not_written),
        TEST(a_torn_slot_is_dropped_and_counted),
        TEST(half_written_slots_are_torn),
        TEST(an_entry_that_breaks_while_in_use_hides_no_other),
        TEST(an_empty_or_short_file_is_a_new_one),
        TEST(a_file_cut_within_a_slot_keeps_the_others),
        TEST(garbage_is_put_aside),
        TEST(a_header_with_one_wrong_byte_is_damaged),
        TEST(entries_of_another_boot_are_void),
        TEST(this_boot_has_an_id),
        TEST(there_are_not_two),
        TEST(what_is_no_file_is_refused),
        TEST(without_a_ledger_nothing_is_written_down),
        TEST(a_directory_that_may_not_be_written),
        TEST(a_read_only_file_system),
        TEST(a_full_file_system),
        TEST(a_file_that_may_not_grow),
        TEST(forged_entries_are_not_believed),
        TEST(header_of_another_version),
        TEST(names_too_long_to_be_put_aside),
        TEST(more_slots_than_are_read),
        TEST(opened_or_told_why_not),
        TEST(interrupted),
        TEST(slots_that_cannot_be_used),
        TEST(half_a_slot),
        TEST(boot_without_an_id),
        TEST(each_may_drop_and_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
