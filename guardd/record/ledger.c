/* The ledger on disk: slots of 1024 bytes. Slot 0 is the header, each other one an entry or free.
 *
 *   header   "guardd\r\n", version, size of a slot, id of the boot,        checksum
 *   entry    "ENTR", kind, phase, the numbers and strings,               checksum
 *            of a throttle: its lines where the others have the tenant's name, which nobody asks it for
 *   free     zeros
 *
 * as struct HeaderSlot and struct EntrySlot say, packed, in this machine's byte order (the file never
 * leaves it), unused bytes zero. The checksum is zlib's crc32 of all that stands before it, so that a
 * slot that is half an old one and half a new one is seen to be torn.
 *
 * What kill -9 can do: a slot never crosses a page (1024 divides 4096), and the kernel copies within a page
 * in one go; a process is killed before or after that. The checksum is for what is left: a copy cut short by
 * a page fault, another program's bytes, bad memory. Nothing is synced: the file is in /run, and what it
 * speaks of ends with the kernel that would have to write it back.
 *
 * A file is begun by emptying it, then its header is written: one that is too short for a header has no
 * entries. The file is locked while it is open. */
#include "record/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <systemd/sd-id128.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"

#define SLOT_SIZE 1024
#define LEDGER_VERSION 1
#define LEDGER_SLOTS_MAX (1u << 20)
#define HEADER_MAGIC "guardd\r\n"
#define ENTRY_MAGIC "ENTR"
#define RESERVE_STEP 64 /* slots; so that not every tenant that appears makes the file grow */

struct HeaderSlot {
    char magic[8];
    uint32_t version;
    uint32_t slot_size;
    char boot_id[32];
    uint8_t zero[SLOT_SIZE - 8 - 2 * 4 - 32 - 4];
    uint32_t checksum;
} __attribute__((packed));

struct EntrySlot {
    char magic[4];
    uint32_t kind, phase;
    uint32_t holder, step, limit, repeats;
    uint64_t cgroup_id, since_usec, found, value;
    char rule[64];
    union {
        char name[256];
        struct {
            uint32_t resource;
            char found[96], value[96];
            uint8_t zero[256 - 4 - 2 * 96];
        } __attribute__((packed)) throttle;
    };
    char path[512];
    uint64_t previous;
    uint8_t zero[SLOT_SIZE - 7 * 4 - 5 * 8 - 64 - 256 - 512 - 4];
    uint32_t checksum;
} __attribute__((packed));

_Static_assert(sizeof(struct HeaderSlot) == SLOT_SIZE, "a header fills its slot");
_Static_assert(sizeof(struct EntrySlot) == SLOT_SIZE, "an entry fills its slot");
_Static_assert(sizeof((struct LedgerEntry){0}.rule) == sizeof((struct EntrySlot){0}.rule), "rule");
_Static_assert(sizeof((struct LedgerEntry){0}.name) == sizeof((struct EntrySlot){0}.name), "name");
_Static_assert(THROTTLE_LINE_MAX == sizeof((struct EntrySlot){0}.throttle.found), "lines");
_Static_assert(sizeof((struct LedgerEntry){0}.path) == sizeof((struct EntrySlot){0}.path), "path");

/* Of a whole slot but its last field. */
static uint32_t slot_checksum(const void *slot)
{
    return (uint32_t)crc32(0, slot, SLOT_SIZE - sizeof(uint32_t));
}

static int slot_write(int fd, size_t slot, const void *bytes)
{
    ssize_t n;

    do
        n = pwrite(fd, bytes, SLOT_SIZE, (off_t)(slot * SLOT_SIZE));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return negative_errno();
    return n == SLOT_SIZE ? 0 : -ENOSPC;
}

/* -ENODATA: the file ends within the slot. */
static int slot_read(int fd, size_t slot, void *bytes)
{
    ssize_t n;

    do
        n = pread(fd, bytes, SLOT_SIZE, (off_t)(slot * SLOT_SIZE));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return negative_errno();
    return n == SLOT_SIZE ? 0 : -ENODATA;
}

static int slot_clear(int fd, size_t slot)
{
    static const uint8_t zeros[SLOT_SIZE];

    return slot_write(fd, slot, zeros);
}

/* In the place of the tenant's name: whoever undoes these goes by the cgroup. */
static bool has_lines(uint32_t kind, uint32_t limit)
{
    return kind == ENTRY_THROTTLE ||
           (kind == ENTRY_LIMIT && limit < LIMIT_COUNT && limit_is_rate((enum LimitId)limit));
}

/* Strings are copied as strings: what stands behind their end is not written down. */
static void entry_encode(const struct LedgerEntry *entry, struct EntrySlot *ret)
{
    *ret = (struct EntrySlot){
        .magic = {'E', 'N', 'T', 'R'},
        .kind = entry->kind,
        .phase = entry->phase,
        .holder = entry->holder,
        .step = entry->step,
        .limit = entry->limit,
        .repeats = entry->repeats,
        .cgroup_id = entry->cgroup_id,
        .since_usec = entry->since_usec,
        .found = entry->found,
        .value = entry->value,
        .previous = entry->previous,
    };
    snprintf(ret->rule, sizeof(ret->rule), "%s", entry->rule);
    snprintf(ret->path, sizeof(ret->path), "%s", entry->path);
    if (has_lines(entry->kind, entry->limit)) {
        ret->throttle.resource = entry->resource;
        snprintf(ret->throttle.found, sizeof(ret->throttle.found), "%s", entry->found_line);
        snprintf(ret->throttle.value, sizeof(ret->throttle.value), "%s", entry->value_line);
    } else {
        snprintf(ret->name, sizeof(ret->name), "%s", entry->name);
    }
    ret->checksum = slot_checksum(ret);
}

static bool is_string(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

/* Lines that could not be written back are none. */
static bool lines_make_sense(const struct EntrySlot *slot)
{
    bool known = slot->kind != ENTRY_THROTTLE ||
                 (slot->throttle.resource < RESOURCE_COUNT && resource_can_throttle(slot->throttle.resource));

    return known && is_string(slot->throttle.found, sizeof(slot->throttle.found)) &&
           is_string(slot->throttle.value, sizeof(slot->throttle.value)) && slot->throttle.found[0] != '\0' &&
           slot->throttle.value[0] != '\0';
}

/* What makes no sense is not written, and not believed when it is read. */
static bool entry_makes_sense(const struct EntrySlot *slot)
{
    bool common = slot->kind >= ENTRY_HOLD && slot->kind <= ENTRY_LINKS && slot->phase >= ENTRY_STANDING &&
                  slot->phase <= ENTRY_UNDOING && is_string(slot->rule, sizeof(slot->rule)) &&
                  is_string(slot->path, sizeof(slot->path));

    if (has_lines(slot->kind, slot->limit))
        return common && lines_make_sense(slot);
    return common && (slot->kind != ENTRY_LIMIT || slot->limit < LIMIT_COUNT) &&
           is_string(slot->name, sizeof(slot->name));
}

static bool entry_is_whole(const struct EntrySlot *slot)
{
    return memcmp(slot->magic, ENTRY_MAGIC, sizeof(slot->magic)) == 0 &&
           slot->checksum == slot_checksum(slot) && entry_makes_sense(slot);
}

static void entry_decode(const struct EntrySlot *slot, struct LedgerEntry *ret)
{
    *ret = (struct LedgerEntry){
        .kind = slot->kind,
        .phase = slot->phase,
        .cgroup_id = slot->cgroup_id,
        .since_usec = slot->since_usec,
        .holder = slot->holder,
        .step = slot->step,
        .limit = slot->limit,
        .repeats = slot->repeats,
        .found = slot->found,
        .value = slot->value,
        .previous = slot->previous,
    };
    memcpy(ret->rule, slot->rule, sizeof(ret->rule));
    memcpy(ret->path, slot->path, sizeof(ret->path));
    if (has_lines(slot->kind, slot->limit)) {
        ret->resource = slot->throttle.resource;
        memcpy(ret->found_line, slot->throttle.found, sizeof(ret->found_line));
        memcpy(ret->value_line, slot->throttle.value, sizeof(ret->value_line));
    } else {
        memcpy(ret->name, slot->name, sizeof(ret->name));
    }
}

static bool slot_is_free(const struct EntrySlot *slot)
{
    const char *bytes = (const char *)slot;

    return bytes[0] == '\0' && memcmp(bytes, bytes + 1, SLOT_SIZE - 1) == 0;
}

static int header_write(const struct Ledger *ledger)
{
    struct HeaderSlot header = {
        .magic = {'g', 'u', 'a', 'r', 'd', 'd', '\r', '\n'},
        .version = LEDGER_VERSION,
        .slot_size = SLOT_SIZE,
    };

    memcpy(header.boot_id, ledger->boot_id, sizeof(header.boot_id));
    header.checksum = slot_checksum(&header);
    return slot_write(ledger->fd, 0, &header);
}

static bool header_is_ours(const struct HeaderSlot *header)
{
    return memcmp(header->magic, HEADER_MAGIC, sizeof(header->magic)) == 0 &&
           header->checksum == slot_checksum(header) && header->version == LEDGER_VERSION &&
           header->slot_size == SLOT_SIZE;
}

/* Opens and locks. */
static int file_open(int dir_fd, const char *name)
{
    _cleanup_fd_ int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return negative_errno();
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EBUSY : negative_errno();
    return take_fd(&fd);
}

/* Empties the file and gives it a header. */
static int ledger_begin(struct Ledger *ledger)
{
    if (ftruncate(ledger->fd, 0) < 0)
        return negative_errno();
    ledger->n_slots = 1;
    return header_write(ledger);
}

/* Puts the unreadable file aside, for whoever wants to know, and begins another one. */
static int ledger_replace(struct Ledger *ledger, int dir_fd, const char *name)
{
    char aside[256];
    int fd;

    if ((size_t)snprintf(aside, sizeof(aside), "%s.damaged", name) >= sizeof(aside))
        return -ENAMETOOLONG;
    if (renameat(dir_fd, name, dir_fd, aside) < 0)
        return negative_errno();
    fd = file_open(dir_fd, name);
    if (fd < 0)
        return fd;
    fd_close(ledger->fd);
    ledger->fd = fd;
    return ledger_begin(ledger);
}

/* Reads the header, or makes one. */
static int ledger_identify(struct Ledger *ledger, int dir_fd, const char *name, struct LedgerReport *report)
{
    struct HeaderSlot header;
    int r = slot_read(ledger->fd, 0, &header);

    if (r == -ENODATA)
        return ledger_begin(ledger);
    if (r < 0)
        return r;
    if (!header_is_ours(&header)) {
        report->damaged = true;
        return ledger_replace(ledger, dir_fd, name);
    }
    if (memcmp(header.boot_id, ledger->boot_id, sizeof(header.boot_id)) != 0) {
        report->other_boot = true;
        return ledger_begin(ledger);
    }
    return 0;
}

/* Finds the length in slots. A tail that is no whole slot was being added, and is cut off. */
static int ledger_measure(struct Ledger *ledger, struct LedgerReport *report)
{
    struct stat st;

    if (fstat(ledger->fd, &st) < 0)
        return negative_errno();
    ledger->n_slots = (size_t)st.st_size / SLOT_SIZE;
    if (ledger->n_slots > LEDGER_SLOTS_MAX)
        return -EFBIG;
    if (st.st_size % SLOT_SIZE != 0) {
        report->torn++;
        if (ftruncate(ledger->fd, (off_t)(ledger->n_slots * SLOT_SIZE)) < 0)
            return negative_errno();
    }
    ledger->used = calloc(ledger->n_slots, 1);
    return ledger->used ? 0 : -ENOMEM;
}

static int ledger_scan(struct Ledger *ledger, struct LedgerReport *report)
{
    ledger->used[0] = 1; /* the header */
    for (size_t slot = 1; slot < ledger->n_slots; slot++) {
        struct EntrySlot entry;
        int r = slot_read(ledger->fd, slot, &entry);

        if (r < 0)
            return r;
        if (slot_is_free(&entry))
            continue;
        if (entry_is_whole(&entry)) {
            ledger->used[slot] = 1;
            ledger->n_used++;
            continue;
        }
        report->torn++;
        r = slot_clear(ledger->fd, slot);
        if (r < 0)
            return r;
    }
    report->entries = ledger->n_used;
    return 0;
}

int ledger_open_boot(struct Ledger *ledger, int dir_fd, const char *name, const char *boot_id,
                     struct LedgerReport *ret_report)
{
    struct LedgerReport report = {0};
    int r;

    *ledger = (struct Ledger){.fd = file_open(dir_fd, name)};
    snprintf(ledger->boot_id, sizeof(ledger->boot_id), "%s", boot_id);
    r = ledger->fd;
    if (r >= 0)
        r = ledger_identify(ledger, dir_fd, name, &report);
    if (r >= 0)
        r = ledger_measure(ledger, &report);
    if (r >= 0)
        r = ledger_scan(ledger, &report);
    if (r < 0) {
        ledger_close(ledger);
        return r;
    }
    *ret_report = report;
    return 0;
}

int ledger_open(struct Ledger *ledger, int dir_fd, const char *name, struct LedgerReport *ret_report)
{
    char boot_id[SD_ID128_STRING_MAX];
    sd_id128_t id;
    int r = sd_id128_get_boot(&id);

    *ledger = (struct Ledger){.fd = -EBADF};
    if (r < 0)
        return r;
    return ledger_open_boot(ledger, dir_fd, name, sd_id128_to_string(id, boot_id), ret_report);
}

void ledger_close(struct Ledger *ledger)
{
    fd_close(ledger->fd);
    free(ledger->used);
    *ledger = (struct Ledger){.fd = -EBADF};
}

int ledger_reserve(struct Ledger *ledger, size_t n)
{
    size_t wanted = 1 + ledger->n_used + n, slots;
    uint8_t *used;
    int r;

    if (ledger->fd < 0)
        return -EBADF;
    if (wanted <= ledger->n_slots)
        return 0;
    slots = (wanted + RESERVE_STEP - 1) / RESERVE_STEP * RESERVE_STEP;
    if (n > LEDGER_SLOTS_MAX || slots > LEDGER_SLOTS_MAX)
        return -ENOSPC;
    used = realloc(ledger->used, slots);
    if (!used)
        return -ENOMEM;
    ledger->used = used;
    memset(used + ledger->n_slots, 0, slots - ledger->n_slots);
    r = posix_fallocate(ledger->fd, 0, (off_t)(slots * SLOT_SIZE));
    if (r != 0)
        return -r;
    ledger->n_slots = slots;
    return 0;
}

static int entry_write(struct Ledger *ledger, size_t slot, const struct LedgerEntry *entry)
{
    struct EntrySlot bytes;

    entry_encode(entry, &bytes);
    return entry_makes_sense(&bytes) ? slot_write(ledger->fd, slot, &bytes) : -EINVAL;
}

int ledger_put(struct Ledger *ledger, const struct LedgerEntry *entry, uint32_t *ret_slot)
{
    uint8_t *free_slot;
    size_t slot;
    int r;

    if (ledger->fd < 0)
        return -EBADF;
    free_slot = memchr(ledger->used, 0, ledger->n_slots);
    if (!free_slot)
        return -ENOSPC;
    slot = (size_t)(free_slot - ledger->used);
    r = entry_write(ledger, slot, entry);
    if (r < 0)
        return r;
    ledger->used[slot] = 1;
    ledger->n_used++;
    *ret_slot = (uint32_t)slot;
    return 0;
}

static int slot_check(const struct Ledger *ledger, uint32_t slot)
{
    if (ledger->fd < 0)
        return -EBADF;
    return slot > 0 && slot < ledger->n_slots && ledger->used[slot] ? 0 : -ENOENT;
}

int ledger_update(struct Ledger *ledger, uint32_t slot, const struct LedgerEntry *entry)
{
    int r = slot_check(ledger, slot);

    return r < 0 ? r : entry_write(ledger, slot, entry);
}

int ledger_get(const struct Ledger *ledger, uint32_t slot, struct LedgerEntry *ret_entry)
{
    struct EntrySlot bytes;
    int r = slot_check(ledger, slot);

    if (r < 0)
        return r;
    r = slot_read(ledger->fd, slot, &bytes);
    if (r < 0)
        return r;
    if (!entry_is_whole(&bytes))
        return -EBADMSG;
    entry_decode(&bytes, ret_entry);
    return 0;
}

int ledger_drop(struct Ledger *ledger, uint32_t slot)
{
    int r = slot_check(ledger, slot);

    if (r < 0)
        return r;
    r = slot_clear(ledger->fd, slot);
    if (r < 0)
        return r;
    ledger->used[slot] = 0;
    ledger->n_used--;
    return 0;
}

int ledger_for_each(struct Ledger *ledger,
                    int (*each)(void *userdata, uint32_t slot, const struct LedgerEntry *entry),
                    void *userdata)
{
    for (size_t slot = 1; slot < ledger->n_slots; slot++) {
        struct LedgerEntry entry;
        int r;

        if (!ledger->used[slot])
            continue;
        r = ledger_get(ledger, (uint32_t)slot, &entry);
        if (r == -EBADMSG) /* damaged since: the others are still wanted */
            continue;
        if (r < 0)
            return r;
        r = each(userdata, (uint32_t)slot, &entry);
        if (r < 0)
            return r;
    }
    return 0;
}
