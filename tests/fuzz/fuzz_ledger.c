/* Fuzz target: the ledger's file (record/ledger.h). Whatever lies in it, it is opened; and what is taken up
 * of it can be written again and is then what it was, also after one more start. Most bytes are no checksum:
 * so the same file is opened once more with all of its checksums right. */
#include <zlib.h>

#include "record/ledger.h"
#include "tests/fuzz/ground.h"

#define SLOT 1024

static const char boot[] = "0123456789abcdef0123456789abcdef";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_ledger(struct Ledger *ledger, struct LedgerReport *ret_report)
{
    int dir_fd = open(ground(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    must(ledger_open_boot(ledger, dir_fd, "ledger", boot, ret_report) == 0);
    must(ret_report->entries == ledger->n_used && ledger->n_used < ledger->n_slots);
    close(dir_fd);
}

static bool is_same(const struct LedgerEntry *a, const struct LedgerEntry *b)
{
    return a->kind == b->kind && a->phase == b->phase && a->cgroup_id == b->cgroup_id &&
           a->since_usec == b->since_usec && a->holder == b->holder && a->step == b->step &&
           a->limit == b->limit && a->repeats == b->repeats && a->found == b->found && a->value == b->value &&
           a->previous == b->previous && a->resource == b->resource &&
           strcmp(a->found_line, b->found_line) == 0 && strcmp(a->value_line, b->value_line) == 0 &&
           strcmp(a->rule, b->rule) == 0 && strcmp(a->name, b->name) == 0 && strcmp(a->path, b->path) == 0;
}

/* In its own slot, and in another one. */
static int write_again(void *userdata, uint32_t slot, const struct LedgerEntry *entry)
{
    struct Ledger *ledger = userdata;
    struct LedgerEntry again;
    uint32_t other;

    must(ledger_update(ledger, slot, entry) == 0 && ledger_get(ledger, slot, &again) == 0);
    must(is_same(entry, &again));
    must(ledger_reserve(ledger, 1) == 0 && ledger_put(ledger, entry, &other) == 0);
    must(ledger_get(ledger, other, &again) == 0 && is_same(entry, &again));
    return ledger_drop(ledger, other);
}

static void take_up(const uint8_t *bytes, size_t size)
{
    struct LedgerReport report, later;
    struct Ledger ledger;

    ground_write("ledger", bytes, size);
    open_ledger(&ledger, &report);
    must(!report.damaged || report.entries == 0);
    must(ledger_for_each(&ledger, write_again, &ledger) == 0);
    ledger_close(&ledger);
    open_ledger(&ledger, &later);
    must(later.entries == report.entries && later.torn == 0 && !later.damaged && !later.other_boot);
    ledger_close(&ledger);
}

static void seal(uint8_t *slot)
{
    uint32_t checksum = (uint32_t)crc32(0, slot, SLOT - sizeof(checksum));

    memcpy(slot + SLOT - sizeof(checksum), &checksum, sizeof(checksum));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t version_and_size[] = {1, SLOT};
    uint8_t *bytes = (uint8_t *)input_text(data, size);

    take_up(bytes, size);
    for (size_t i = 0; i < size / SLOT; i++) {
        if (i == 0) {
            memcpy(bytes, "guardd\r\n", 8);
            memcpy(bytes + 8, version_and_size, sizeof(version_and_size));
            memcpy(bytes + 16, boot, 32);
        }
        seal(bytes + i * SLOT);
    }
    take_up(bytes, size);
    free(bytes);
    return 0;
}
