/* The ledger: what guardd has changed on this host and how to undo it, on disk before it is done.
 *
 * One file of fixed slots in /run (what it speaks of does not outlive a reboot either), each slot one
 * entry with a checksum, written by a single pwrite. A slot is filled when it is free, and freed when the
 * inverse has run; nothing is ever moved, so a kill -9 at any instant leaves each entry whole, absent or
 * torn. A torn entry was being written, hence its action not yet done, or being freed, hence its inverse
 * done: it is dropped, and counted. Space is reserved when a tenant appears, so that putting an entry neither
 * allocates nor meets ENOSPC. The header names the boot: entries of another boot are void, cgroup ids begin
 * anew. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/usec.h"
#include "model/decision.h"
#include "model/limit.h"
#include "model/policy.h"
#include "model/throttle.h"

enum EntryKind {
    ENTRY_HOLD = 1,  /* frozen for a holder; inverse: thaw */
    ENTRY_TERMINATE, /* SIGTERM was sent, kill follows after the grace */
    ENTRY_KILL,      /* memory for the kill budget and repeat offenders; no inverse; expires */
    ENTRY_LIMIT,     /* a limit was set; inverse: `found` */
    ENTRY_THROTTLE,  /* a line of cpu.max, memory.high or io.max was replaced; inverse: `found_line` */
    ENTRY_LINKS,     /* of no tenant: links may carry what no other entry speaks of; inverse: sweep them */
};

enum EntryPhase {
    ENTRY_STANDING = 1, /* done, or about to be done */
    ENTRY_UNDOING,      /* its inverse is about to run, or has run */
};

struct LedgerEntry {
    enum EntryKind kind;
    enum EntryPhase phase;
    uint64_t cgroup_id;
    usec_t since_usec; /* CLOCK_BOOTTIME */
    uint32_t holder;   /* ENTRY_HOLD: HOLDER_OPERATOR, or any rule */
    uint32_t step;     /* of the rule */
    uint32_t limit;    /* enum LimitId */
    uint32_t repeats;
    uint64_t found, value; /* ENTRY_LIMIT */
    uint64_t previous;     /* ENTRY_LIMIT: in force before `value`: by guardd, or as found */
    uint32_t resource;     /* ENTRY_THROTTLE: enum Resource */
    /* ENTRY_THROTTLE; and of a limit of I/O: disk by disk (rates.h) */
    char found_line[THROTTLE_LINE_MAX], value_line[THROTTLE_LINE_MAX];
    char rule[POLICY_NAME_MAX]; /* "" for the operator */
    char name[256];             /* of the tenant; "" of what has lines */
    char path[512];             /* of the cgroup; a longer one is cut and never equal to a real one */
};

struct Ledger {
    int fd;         /* -EBADF: no ledger (the directory cannot be written) */
    size_t n_slots; /* in the file, the header's (slot 0) included */
    uint8_t *used;  /* a byte a slot, owned */
    size_t n_used;  /* entries */
    char boot_id[33];
};

/* What ledger_open() found. */
struct LedgerReport {
    size_t entries;
    size_t torn;
    bool other_boot; /* the file was of an earlier boot and is begun anew */
    bool damaged;    /* header unreadable: begun anew, the old file kept beside it as NAME.damaged */
};

/* Opens or makes `name` in `dir_fd` (borrowed). An empty or short file is a new one. -EROFS, -EACCES,
 * -ENOSPC: the caller goes on without (and says that nothing will be frozen: what cannot be undone after a
 * crash is not done). -EBUSY: another guardd has it open; there must not be two. After a failure the ledger
 * is closed: it may be given to every function here. */
int ledger_open(struct Ledger *ledger, int dir_fd, const char *name, struct LedgerReport *ret_report);
/* The same for a given boot (32 hexadecimal digits). */
int ledger_open_boot(struct Ledger *ledger, int dir_fd, const char *name, const char *boot_id,
                     struct LedgerReport *ret_report);
void ledger_close(struct Ledger *ledger);

/* Makes room for `n` entries beyond the present ones. Allocates. -EBADF, -ENOSPC, -ENOMEM. */
int ledger_reserve(struct Ledger *ledger, size_t n);

/* Allocates nothing. -EBADF without a ledger, -ENOSPC when nothing was reserved, -EINVAL for an entry
 * that makes no sense, else errno of the write. */
int ledger_put(struct Ledger *ledger, const struct LedgerEntry *entry, uint32_t *ret_slot);
/* Rewrites an entry in place (phase, step). -ENOENT: there is none in that slot. */
int ledger_update(struct Ledger *ledger, uint32_t slot, const struct LedgerEntry *entry);
int ledger_get(const struct Ledger *ledger, uint32_t slot, struct LedgerEntry *ret_entry);
int ledger_drop(struct Ledger *ledger, uint32_t slot);

/* Every entry; `each` may drop the one it is given. Stops when it returns < 0, and returns that. */
int ledger_for_each(struct Ledger *ledger,
                    int (*each)(void *userdata, uint32_t slot, const struct LedgerEntry *entry),
                    void *userdata);
