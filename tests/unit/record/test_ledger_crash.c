/* kill -9 at any instant: a child puts, updates and drops at random and is killed, again and again, on the
 * same ledger. What it has done, and what it is about to do, it notes in shared memory: that is what the
 * ledger is held against afterwards. */
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
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "record/ledger.h"

#define BOOT "0123456789abcdef0123456789abcdef"
#define ROUNDS 400
#define SLOTS 256
#define ENTRIES_MAX 150

/* An entry is all made of these two; id 0: none. */
struct Content {
    uint64_t id;
    uint32_t step;
};

struct Notes {
    struct Content slots[SLOTS]; /* done */
    uint32_t slot;               /* of the operation under way; 0: a put, or none */
    struct Content wanted;       /* by it; id 0: a drop */
    bool under_way;
    uint64_t next_id, operations;
    size_t n;
};

static struct LedgerEntry entry_of(struct Content content)
{
    struct LedgerEntry entry = {
        .kind = ENTRY_HOLD,
        .phase = content.step % 2 ? ENTRY_UNDOING : ENTRY_STANDING,
        .cgroup_id = content.id,
        .since_usec = content.id * 1000003,
        .step = content.step,
        .holder = (uint32_t)(content.id % 9),
        .found = ~content.id,
        .value = content.id ^ content.step,
        .rule = "fork-bomb",
    };

    snprintf(entry.name, sizeof(entry.name), "docker/%0*d", (int)(content.id % 200) + 1, (int)content.step);
    snprintf(entry.path, sizeof(entry.path), "system.slice/%0*d", (int)(content.id % 450) + 1,
             (int)content.step);
    return entry;
}

static bool is_entry_of(const struct LedgerEntry *entry, struct Content content)
{
    struct LedgerEntry expected = entry_of(content);

    return entry->kind == expected.kind && entry->phase == expected.phase &&
           entry->cgroup_id == expected.cgroup_id && entry->since_usec == expected.since_usec &&
           entry->step == expected.step && entry->holder == expected.holder &&
           entry->found == expected.found && entry->value == expected.value &&
           strcmp(entry->rule, expected.rule) == 0 && strcmp(entry->name, expected.name) == 0 &&
           strcmp(entry->path, expected.path) == 0;
}

/* --- the child ------------------------------------------------------------------------------------ */

/* The compiler is not to move a note over the system call it is about. */
#define ORDER() __asm__ volatile("" ::: "memory")

static void operate(struct Ledger *ledger, volatile struct Notes *notes)
{
    uint32_t slot = 1 + (uint32_t)rand() % (SLOTS - 1);
    bool put = notes->slots[slot].id == 0, drop = !put && rand() % 3 == 0;
    struct Content wanted = {
        .id = drop ? 0 : (put ? notes->next_id : notes->slots[slot].id),
        .step = put || drop ? 0 : notes->slots[slot].step + 1,
    };
    struct LedgerEntry entry = entry_of(wanted);
    int r;

    if (put && notes->n >= ENTRIES_MAX)
        return;
    notes->slot = put ? 0 : slot;
    notes->wanted.id = wanted.id;
    notes->wanted.step = wanted.step;
    ORDER();
    notes->under_way = true;
    ORDER();
    if (put)
        r = ledger_put(ledger, &entry, &slot);
    else
        r = drop ? ledger_drop(ledger, slot) : ledger_update(ledger, slot, &entry);
    if (r < 0)
        _exit(2);
    ORDER();
    notes->slots[slot].id = wanted.id;
    notes->slots[slot].step = wanted.step;
    ORDER();
    notes->under_way = false;
    notes->n += put;
    notes->n -= drop;
    notes->next_id += put;
    notes->operations++;
}

static void write_until_killed(int dir_fd, volatile struct Notes *notes, unsigned seed)
{
    struct LedgerReport report;
    struct Ledger ledger;

    srand(seed);
    if (ledger_open_boot(&ledger, dir_fd, "ledger", BOOT, &report) < 0 ||
        ledger_reserve(&ledger, ENTRIES_MAX - ledger.n_used) < 0 || ledger.n_slots > SLOTS)
        _exit(1);
    for (;;)
        operate(&ledger, notes);
}

/* --- the judge ------------------------------------------------------------------------------------ */

struct Judge {
    struct Notes *notes;
    struct Content found[SLOTS];
    size_t n;
};

/* Whole, and what was noted: as done, or as under way. */
static int judge_entry(void *userdata, uint32_t slot, const struct LedgerEntry *entry)
{
    struct Judge *judge = userdata;
    const struct Notes *notes = judge->notes;
    struct Content content = {.id = entry->cgroup_id, .step = entry->step};
    bool may_be_wanted = notes->under_way && (notes->slot == 0 || notes->slot == slot);

    assert_in_range(slot, 1, SLOTS - 1);
    assert_true(is_entry_of(entry, content));
    assert_true((content.id == notes->slots[slot].id && content.step == notes->slots[slot].step) ||
                (may_be_wanted && content.id == notes->wanted.id && content.step == notes->wanted.step));
    judge->found[slot] = content;
    judge->n++;
    return 0;
}

static void judge_missing(const struct Judge *judge)
{
    const struct Notes *notes = judge->notes;

    for (uint32_t slot = 1; slot < SLOTS; slot++)
        if (notes->slots[slot].id != 0 && judge->found[slot].id == 0)
            assert_true(notes->under_way && notes->slot == slot && notes->wanted.id == 0);
}

static void judge_ledger(int dir_fd, struct Notes *notes)
{
    struct Judge judge = {.notes = notes};
    struct LedgerReport report;
    struct Ledger ledger;

    assert_int_equal(ledger_open_boot(&ledger, dir_fd, "ledger", BOOT, &report), 0);
    assert_int_equal(report.torn, 0);
    assert_false(report.damaged);
    assert_int_equal(ledger_for_each(&ledger, judge_entry, &judge), 0);
    judge_missing(&judge);
    ledger_close(&ledger);
    memcpy(notes->slots, judge.found, sizeof(judge.found));
    notes->n = judge.n;
    notes->next_id += 1;
    notes->under_way = false;
}

static void kill_at_random_instants(void **state)
{
    char directory[] = "/tmp/guardd-crash-XXXXXX", command[64];
    struct Notes *notes =
        mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int dir_fd, status;

    assert_ptr_not_equal(notes, MAP_FAILED);
    notes->next_id = 1;
    assert_non_null(mkdtemp(directory));
    dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct timespec life = {.tv_nsec = rand() % (4 * 1000 * 1000)};
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
            write_until_killed(dir_fd, notes, round);
        nanosleep(&life, NULL);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status)); /* and did not end by itself */
        judge_ledger(dir_fd, notes);
    }
    print_message("# %u kills, %llu operations, %zu entries at the end\n", ROUNDS,
                  (unsigned long long)notes->operations, notes->n);
    assert_true(notes->operations > ROUNDS);
    close(dir_fd);
    munmap(notes, sizeof(*notes));
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kill_at_random_instants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
