/* From a decision to `frozen 1` nothing is allocated: each allocation of this thread is counted, of the
 * C library's own too. Under ASan its allocator does the counting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "act/actuator.h"
#include "act/limit.h"
#include "record/history.h"
#include "record/ledger.h"
#include "tests/unit/act/fake_cgroup.h"

static _Thread_local size_t allocations;

#ifdef __SANITIZE_ADDRESS__
/* <sanitizer/allocator_interface.h>, which not every gcc package has */
int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void *, size_t),
                                              void (*free_hook)(const volatile void *));

static void on_malloc(const volatile void *pointer, size_t size)
{
    allocations++;
}

static void on_free(const volatile void *pointer)
{
}

static void count_allocations(void)
{
    assert_true(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0);
}
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *pointer, size_t size);

/* so that the C library finds them too */
#define EXPORTED __attribute__((visibility("default")))

EXPORTED void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

EXPORTED void *calloc(size_t n, size_t size)
{
    allocations++;
    return __libc_calloc(n, size);
}

EXPORTED void *realloc(void *pointer, size_t size)
{
    allocations++;
    return __libc_realloc(pointer, size);
}

static void count_allocations(void)
{
}
#endif

static int sink_away(void *userdata, const struct Event *event, uint64_t lost)
{
    return 0;
}

/* The counter counts: else the test below would say nothing. */
static void allocations_are_counted(void **state)
{
    size_t before = allocations;
    char *copy = strdup("something");

    assert_non_null(copy);
    assert_int_equal(allocations, before + 1);
    free(copy);
}

/* What the pipeline does between a decision and its confirmation, and then its undoing. */
static void freeze_and_thaw(struct Ledger *ledger, struct History *history, struct Cgroup *cgroup)
{
    struct LedgerEntry entry = {
        .kind = ENTRY_HOLD, .phase = ENTRY_STANDING, .cgroup_id = 5, .rule = "fork-bomb"};
    struct Event event = {.kind = EVENT_DECISION, .priority = LOG_WARNING, .decision = {.verb = VERB_FREEZE}};
    uint32_t slot;

    assert_int_equal(ledger_put(ledger, &entry, &slot), 0);
    assert_int_equal(actuator_for(VERB_FREEZE, MODE_ENFORCE)->begin(cgroup), ACT_PENDING);
    history_add(history, &event);
    assert_int_equal(actuator_freeze.settled(cgroup), ACT_PENDING);
    fake_events(cgroup->points[0].events_fd, true, true);
    assert_int_equal(actuator_freeze.settled(cgroup), ACT_SETTLED);
    event.kind = EVENT_OUTCOME;
    history_add(history, &event);
    entry.phase = ENTRY_UNDOING;
    assert_int_equal(ledger_update(ledger, slot, &entry), 0);
    assert_int_equal(actuator_thaw.begin(cgroup), ACT_PENDING);
    fake_events(cgroup->points[0].events_fd, true, false);
    assert_int_equal(actuator_thaw.settled(cgroup), ACT_SETTLED);
    assert_int_equal(ledger_drop(ledger, slot), 0);
}

static void the_way_to_a_freeze_allocates_nothing(void **state)
{
    char directory[] = "/tmp/guardd-hot-XXXXXX", command[64];
    struct Cgroup cgroup = fake_cgroup(1);
    struct LedgerReport report;
    struct History history;
    struct Ledger ledger;
    size_t before;
    int dir_fd;

    assert_non_null(mkdtemp(directory));
    dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(ledger_open(&ledger, dir_fd, "ledger", &report), 0);
    assert_int_equal(ledger_reserve(&ledger, 8), 0);
    assert_int_equal(history_open_sink(&history, 64, sink_away, NULL), 0);
    before = allocations;
    for (int i = 0; i < 100; i++)
        freeze_and_thaw(&ledger, &history, &cgroup);
    assert_int_equal(actuator_kill.begin(&cgroup), ACT_PENDING);
    assert_int_equal(actuator_kill.settled(&cgroup), ACT_PENDING);
    assert_int_equal(limit_write(&cgroup, LIMIT_TASKS_MAX, 2048), 0);
    assert_int_equal(allocations, before);
    history_close(&history);
    ledger_close(&ledger);
    fake_cgroup_close(&cgroup);
    close(dir_fd);
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_counted),
        cmocka_unit_test(the_way_to_a_freeze_allocates_nothing),
    };

    count_allocations();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
