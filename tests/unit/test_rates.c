/* Limits of I/O on made-up disks: 8:0 without any limit, 8:16 with one that its runtime has set. systemd and
 * the kernel's io.max are made up here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "limiting.h"
#include "rates.h"
#include "tests/unit/act/fake_io_max.h"
#include "tests/unit/scratch.h"
#include "throttling.h"

#define WRITE LIMIT_IO_WRITE_BANDWIDTH_MAX
#define READ LIMIT_IO_READ_BANDWIDTH_MAX
#define NONE "8:16 rbps=max wbps=5000000 riops=max wiops=max\n"

struct Ground {
    struct Ledger ledger;
    struct History history;
    struct Pipeline pipeline;
    struct TenantClass class;
    struct Rate disks;
    struct Tenant tenant;
    struct Scratch scratch;
    int dir_fd;
};

/* What PID 1 was told last, and how often. */
static struct {
    unsigned n;
    enum LimitId limit;
    struct UnitDisk disks[RATE_DISKS_MAX];
    size_t n_disks;
} told;
static struct Outcome last;

int unit_set_limit(struct UnitManager *manager, const char *unit, enum LimitId limit, uint64_t value,
                   uint64_t tenant_id)
{
    fail_msg("%s is no property of one value", limit_info(limit)->directive);
    return 0;
}

int unit_set_rates(struct UnitManager *manager, const char *unit, enum LimitId limit,
                   const struct UnitDisk *disks, size_t n, uint64_t tenant_id)
{
    told.n++;
    told.limit = limit;
    told.n_disks = n;
    memcpy(told.disks, disks, n * sizeof(*disks));
    return 0;
}

void unit_tell_freezer(struct UnitManager *manager, const char *unit, bool frozen)
{
}

static usec_t no_clock(void)
{
    return 1;
}

static void settled(void *userdata, struct Tenant *tenant, const struct Decision *decision,
                    const struct Outcome *outcome, uint64_t ticket, usec_t now)
{
    last = *outcome;
}

static int no_sink(void *userdata, const struct Event *event, uint64_t lost)
{
    return 0;
}

static int set_up(void **state)
{
    struct Ground *ground = calloc(1, sizeof(*ground));
    struct LedgerReport report;

    ground->scratch = scratch_new("/tmp");
    ground->dir_fd = scratch_open(&ground->scratch, ".");
    assert_int_equal(ledger_open(&ground->ledger, ground->dir_fd, "ledger", &report), 0);
    assert_int_equal(history_open_sink(&ground->history, 64, no_sink, NULL), 0);
    ground->pipeline = (struct Pipeline){.ledger = &ground->ledger,
                                         .history = &ground->history,
                                         .mode = MODE_ENFORCE,
                                         .clock = no_clock,
                                         .settled = settled};
    snprintf(ground->class.name, sizeof(ground->class.name), "jobs");
    ground->disks = (struct Rate){.n = 2, .disks = {{.major = 8}, {.major = 8, .minor = 16}}};
    ground->tenant.disks = &ground->disks;
    ground->tenant.class = &ground->class;
    ground->tenant.cgroup = fake_cgroup(1);
    ground->tenant.cgroup.path = strdup("jobs/a");
    ground->tenant.limits_due_usec = USEC_INFINITY;
    for (int id = 0; id < LIMIT_COUNT; id++)
        ground->tenant.limit_slots[id] = LEDGER_SLOT_NONE;
    fake_io_max(&ground->tenant.cgroup);
    fake_io_say("8:16 wbps=5000000");
    memset(&told, 0, sizeof(told));
    last = (struct Outcome){.result = RESULT_DONE};
    *state = ground;
    return 0;
}

static int tear_down(void **state)
{
    struct Ground *ground = *state;

    free(ground->tenant.cgroup.path);
    free(ground->tenant.cgroup.unit);
    fake_cgroup_close(&ground->tenant.cgroup);
    history_close(&ground->history);
    ledger_close(&ground->ledger);
    close(ground->dir_fd);
    scratch_done(&ground->scratch);
    fake_take = NULL;
    free(ground);
    return 0;
}

static void a_unit(struct Ground *ground)
{
    ground->tenant.cgroup.unit = strdup("docker-1.scope");
}

static void class_asks(struct Ground *ground, enum LimitId limit, uint64_t value)
{
    ground->class.limits.set[limit] = value != 0;
    ground->class.limits.value[limit] = value;
    limiting_check(&ground->pipeline, &ground->tenant, 1);
}

static void operator_asks(struct Ground *ground, enum LimitId limit, uint64_t value)
{
    ground->tenant.overrides.set[limit] = value != 0;
    ground->tenant.overrides.value[limit] = value;
    limiting_check(&ground->pipeline, &ground->tenant, 1);
}

static void file_has(const char *wanted)
{
    char text[512];

    assert_string_equal(fake_read(fake_io.fd, text, sizeof(text)), wanted);
}

static uint64_t present(struct Ground *ground, enum LimitId limit)
{
    uint64_t value = 0;

    assert_int_equal(limiting_present(&ground->tenant, limit, &value), 0);
    return value;
}

/* PID 1 writes what it was told, a line a device. */
static void systemd_answers(struct Ground *ground)
{
    for (size_t i = 0; i < told.n_disks; i++) {
        char line[128];

        for (int k = 0; k < LIMIT_RATE_COUNT; k++) {
            uint64_t rate = told.disks[i].rate[k];
            char number[24] = "max";

            if (rate != LIMIT_INFINITY)
                snprintf(number, sizeof(number), "%llu", (unsigned long long)rate);
            snprintf(line, sizeof(line), "%u:%u %s=%s", told.disks[i].major, told.disks[i].minor,
                     fake_io_keys[k], number);
            fake_io_say(line);
        }
    }
    limiting_answer(&ground->pipeline, &ground->tenant, told.limit, 0, NULL, 1);
}

/* --- direct --------------------------------------------------------------------------------------- */

/* A disk that has less keeps it, and each gets back what it had. */
static void a_class_only_tightens(void **state)
{
    struct Ground *ground = *state;
    struct LedgerEntry entry;

    assert_true(present(ground, WRITE) == LIMIT_INFINITY);
    class_asks(ground, WRITE, 20000000);
    assert_int_equal(last.result, RESULT_DONE);
    file_has(
        "8:16 rbps=max wbps=5000000 riops=max wiops=max\n8:0 rbps=max wbps=20000000 riops=max wiops=max\n");
    assert_int_equal(present(ground, WRITE), 20000000);
    assert_true(present(ground, READ) == LIMIT_INFINITY);
    assert_int_equal(ledger_get(&ground->ledger, ground->tenant.limit_slots[WRITE], &entry), 0);
    assert_string_equal(entry.found_line, "8:0 max 8:16 5000000");
    assert_string_equal(entry.value_line, "8:0 20000000 8:16 5000000");

    class_asks(ground, WRITE, 1000000);
    file_has(
        "8:16 rbps=max wbps=1000000 riops=max wiops=max\n8:0 rbps=max wbps=1000000 riops=max wiops=max\n");
    class_asks(ground, WRITE, 20000000);
    class_asks(ground, READ, 300000);
    file_has("8:16 rbps=300000 wbps=5000000 riops=max wiops=max\n"
             "8:0 rbps=300000 wbps=20000000 riops=max wiops=max\n");
    assert_false(limiting_look(&ground->tenant));
    class_asks(ground, READ, 0);
    class_asks(ground, WRITE, 0);
    file_has(NONE);
    assert_false(ground->tenant.limits[WRITE].applied);
    assert_int_equal(ground->tenant.limit_slots[WRITE], LEDGER_SLOT_NONE);
}

/* Nothing to tighten, nothing is done: all its disks have less. */
static void less_is_left(void **state)
{
    struct Ground *ground = *state;

    fake_io_say("8:0 wbps=4000000");
    class_asks(ground, WRITE, 20000000);
    assert_false(ground->tenant.limits[WRITE].applied);
    assert_string_equal(ground->tenant.limits[WRITE].note,
                        "it has IOWriteBandwidthMax=5M/s already, which is less");
}

static void an_operator_gets_what_is_asked(void **state)
{
    struct Ground *ground = *state;

    operator_asks(ground, WRITE, 20000000);
    file_has("8:16 rbps=max wbps=20000000 riops=max wiops=max\n"
             "8:0 rbps=max wbps=20000000 riops=max wiops=max\n");
    operator_asks(ground, WRITE, LIMIT_INFINITY);
    file_has(NONE);
    operator_asks(ground, WRITE, 9000);
    operator_asks(ground, WRITE, 0);
    file_has(NONE);
}

/* Somebody else's value is mended where it is more, kept where it is less, and given back at the end. */
static void drift_is_seen_and_mended(void **state)
{
    struct Ground *ground = *state;

    class_asks(ground, WRITE, 20000000);
    fake_io_say("8:0 wbps=90000000");
    assert_true(limiting_look(&ground->tenant));
    limiting_check(&ground->pipeline, &ground->tenant, 2);
    file_has(
        "8:16 rbps=max wbps=5000000 riops=max wiops=max\n8:0 rbps=max wbps=20000000 riops=max wiops=max\n");
    assert_false(limiting_look(&ground->tenant));
    fake_io_say("8:16 wbps=2000000");
    assert_true(limiting_look(&ground->tenant));
    limiting_check(&ground->pipeline, &ground->tenant, 3);
    assert_int_equal(last.result, RESULT_DONE);
    file_has(
        "8:16 rbps=max wbps=2000000 riops=max wiops=max\n8:0 rbps=max wbps=20000000 riops=max wiops=max\n");
    assert_false(limiting_look(&ground->tenant));
    class_asks(ground, WRITE, 0);
    file_has(
        "8:16 rbps=max wbps=2000000 riops=max wiops=max\n8:0 rbps=max wbps=90000000 riops=max wiops=max\n");
}

static void what_cannot_be_written_is_not_in_force(void **state)
{
    struct Ground *ground = *state;

    class_asks(ground, WRITE, 20000000);
    fake_refuse(fake_io.fd, EINVAL);
    class_asks(ground, WRITE, 10000000);
    assert_int_equal(last.result, RESULT_FAILED);
    fake_refuse(fake_io.fd, 0);
    class_asks(ground, WRITE, 10000000);
    assert_int_equal(last.result, RESULT_DONE);
    class_asks(ground, WRITE, 0);
    file_has(NONE);
}

static void a_disk_that_is_gone_needs_no_limit(void **state)
{
    struct Ground *ground = *state;

    fake_io_say("8:16 wbps=max");
    fake_io.gone = true;
    class_asks(ground, WRITE, 20000000);
    assert_int_equal(last.result, RESULT_DONE);
    file_has("8:0 rbps=max wbps=20000000 riops=max wiops=max\n");
    assert_false(limiting_look(&ground->tenant));
}

static void without_disks(void **state)
{
    struct Ground *ground = *state;
    uint64_t value;

    ground->disks.n = 0;
    class_asks(ground, WRITE, 20000000);
    assert_false(ground->tenant.limits[WRITE].applied);
    assert_string_equal(ground->tenant.limits[WRITE].note, "no disk is known below /, /var and DiskRoots=");
    assert_int_equal(limiting_present(&ground->tenant, WRITE, &value), -ENOTBLK);
    assert_false(limiting_look(&ground->tenant));
}

/* Where it stands it stays, whatever disks the host has by then. */
static void given_back_where_it_was_set(void **state)
{
    struct Ground *ground = *state;

    class_asks(ground, WRITE, 1000000);
    ground->disks = (struct Rate){.n = 1, .disks = {{.major = 9}}};
    assert_false(limiting_look(&ground->tenant));
    class_asks(ground, WRITE, 0);
    file_has(NONE);
}

/* --- through systemd ------------------------------------------------------------------------------ */

/* What the runtime has set itself PID 1 is told, too: it writes whole lines. */
static void systemd_is_told_of_the_whole_line(void **state)
{
    struct Ground *ground = *state;

    a_unit(ground);
    ground->class.limits.set[READ] = true;
    ground->class.limits.value[READ] = 300000;
    class_asks(ground, LIMIT_IO_WRITE_IOPS_MAX, 70);
    assert_int_equal(told.n, 2);
    assert_int_equal(told.limit, LIMIT_IO_WRITE_IOPS_MAX);
    assert_int_equal(told.n_disks, 2);
    assert_int_equal(told.disks[1].rate[0], 300000); /* on its way */
    assert_int_equal(told.disks[1].rate[1], 5000000);
    assert_true(told.disks[1].rate[2] == LIMIT_INFINITY);
    assert_int_equal(told.disks[1].rate[3], 70);
    systemd_answers(ground);
    assert_int_equal(last.result, RESULT_DONE);
    assert_string_equal(last.text, "through systemd");
    told.limit = READ;
    systemd_answers(ground);
    assert_int_equal(last.result, RESULT_DONE);
    file_has(
        "8:16 rbps=300000 wbps=5000000 riops=max wiops=70\n8:0 rbps=300000 wbps=max riops=max wiops=70\n");

    class_asks(ground, READ, 0);
    systemd_answers(ground);
    class_asks(ground, LIMIT_IO_WRITE_IOPS_MAX, 0);
    assert_int_equal(told.n, 4);
    systemd_answers(ground);
    file_has(NONE);
    assert_false(ground->tenant.limits[READ].applied);
}

/* The unit file names the disk by another path: an older PID 1 writes ours, and then that one. */
static void a_unit_with_a_limit_of_its_own(void **state)
{
    struct Ground *ground = *state;

    a_unit(ground);
    class_asks(ground, WRITE, 1000000);
    limiting_answer(&ground->pipeline, &ground->tenant, WRITE, 0, NULL, 1);
    assert_int_equal(last.result, RESULT_DONE);
    assert_non_null(strstr(last.text, "written direct"));
    file_has(
        "8:16 rbps=max wbps=1000000 riops=max wiops=max\n8:0 rbps=max wbps=1000000 riops=max wiops=max\n");
}

/* systemd enables the controller when it is told. */
static void a_unit_without_the_controller(void **state)
{
    struct Ground *ground = *state;

    a_unit(ground);
    ground->tenant.cgroup.files[CGROUP_IO_MAX] = -EBADF;
    class_asks(ground, WRITE, 1000000);
    assert_int_equal(told.n, 1);
    assert_true(ground->tenant.limits[WRITE].found == LIMIT_INFINITY);
    ground->tenant.cgroup.files[CGROUP_IO_MAX] = fake_io.fd;
    systemd_answers(ground);
    assert_int_equal(last.result, RESULT_DONE);
}

/* --- a throttle on the same lines ------------------------------------------------------------------- */

static void throttle(struct Ground *ground, enum Verb verb)
{
    struct Decision decision = {.verb = verb,
                                .cause = CAUSE_OPERATOR,
                                .holder = HOLDER_OPERATOR,
                                .limit = LIMIT_INVALID,
                                .resource = RESOURCE_IO,
                                .percent = 50,
                                .at_usec = 1};

    ground->tenant.strain.n_devices = 1;
    ground->tenant.strain.devices[0] = (struct DeviceUse){.major = 8, .rbps = 2000000, .wbps = 2000000};
    pipeline_carry_out(&ground->pipeline, &ground->tenant, &decision, 0, 1);
    assert_int_equal(last.result, RESULT_DONE);
}

#define THROTTLED "8:0 rbps=1000000 wbps=1000000 riops=8 wiops=8\n"

/* It hides the limit, which is left alone meanwhile, and gives it back. */
static void a_throttle_stands_in_its_place(void **state)
{
    struct Ground *ground = *state;

    class_asks(ground, WRITE, 20000000);
    throttle(ground, VERB_THROTTLE);
    file_has(NONE THROTTLED);
    assert_int_equal(present(ground, WRITE), 20000000);
    assert_true(present(ground, READ) == LIMIT_INFINITY);
    assert_false(limiting_look(&ground->tenant));
    class_asks(ground, WRITE, 10000000);
    file_has(NONE THROTTLED);
    assert_string_equal(ground->tenant.limits[WRITE].note, "a throttle stands in its place");
    throttle(ground, VERB_UNTHROTTLE);
    file_has(NONE "8:0 rbps=max wbps=20000000 riops=max wiops=max\n");
    limiting_check(&ground->pipeline, &ground->tenant, 2);
    file_has(NONE "8:0 rbps=max wbps=10000000 riops=max wiops=max\n");
    class_asks(ground, WRITE, 0);
    file_has(NONE);
}

/* PID 1 answers when the throttle stands already: it goes over the limit, and gives that back. */
static void a_throttle_comes_between(void **state)
{
    struct Ground *ground = *state;

    a_unit(ground);
    class_asks(ground, WRITE, 20000000);
    throttle(ground, VERB_THROTTLE);
    systemd_answers(ground);
    assert_int_equal(last.result, RESULT_DONE);
    assert_string_equal(last.text, "through systemd");
    file_has(NONE THROTTLED);
    throttle(ground, VERB_UNTHROTTLE);
    file_has(NONE "8:0 rbps=max wbps=20000000 riops=max wiops=max\n");
    assert_false(limiting_look(&ground->tenant));
}

/* --- the ledger, the host ------------------------------------------------------------------------- */

static void what_is_no_list_of_disks_is_not_believed(void **state)
{
    static const char *const bad[][2] = {{"", ""},
                                         {"8:0", "8:0 1"},
                                         {"8:0 x", "8:0 1"},
                                         {"8:0 1", ""},
                                         {"8:0 1", "8:16 1"},
                                         {"8:0 1", "8:0 1 8:16 1"},
                                         {"8:0 1 8:1 1 8:2 1 8:3 1 8:4 1", "8:0 1 8:1 1 8:2 1 8:3 1 8:4 1"}};
    struct LedgerEntry entry = {};
    struct Rate rate = {.n = 4}, read;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(entry.found_line, sizeof(entry.found_line), "%s", bad[i][0]);
        snprintf(entry.value_line, sizeof(entry.value_line), "%s", bad[i][1]);
        assert_int_equal(rates_from_entry(&entry, &read), -EBADMSG);
    }
    for (unsigned i = 0; i < 4; i++)
        rate.disks[i] =
            (struct RateDisk){259, i, i == 0 ? LIMIT_INFINITY : UINT64_C(999999999999) + i, 5000 + i};
    assert_int_equal(rates_to_entry(&rate, &entry), 0);
    assert_int_equal(rates_from_entry(&entry, &read), 0);
    assert_memory_equal(&read, &rate, sizeof(rate));
    for (unsigned i = 0; i < 4; i++)
        rate.disks[i].found = LIMIT_INFINITY - 1;
    assert_int_equal(rates_to_entry(&rate, &entry), -ENOBUFS);
}

static void add_disk(struct Ground *ground, unsigned minor)
{
    char path[64], number[16];

    snprintf(number, sizeof(number), "8:%u\n", minor);
    snprintf(path, sizeof(path), "sys/dev/block/8:%u", minor);
    scratch_mkdir(&ground->scratch, path);
    strcat(path, "/dev");
    scratch_write(&ground->scratch, path, number);
}

/* Each once, and of what is mounted alone. */
static void the_disks_of_a_host(void **state)
{
    char *roots[] = {"/home", "/srv/a", "/mnt/none", NULL};
    struct Ground *ground = *state;
    struct Rate disks;

    rates_find_disks(ground->scratch.path, roots, &disks);
    assert_int_equal(disks.n, 0);
    scratch_mkdir(&ground->scratch, "proc/1");
    scratch_write(&ground->scratch, "proc/1/mountinfo",
                  "28 1 8:0 / / rw - ext4 /dev/sda rw\n"
                  "29 28 8:32 / /srv rw - xfs /dev/sdc rw\n"
                  "30 28 8:16 / /var rw - xfs /dev/sdb rw\n"
                  "31 28 8:48 / /opt rw - xfs /dev/sdd rw\n"
                  "32 28 0:40 / /mnt rw - tmpfs tmpfs rw\n");
    for (unsigned i = 0; i < 4; i++)
        add_disk(ground, 16 * i);
    rates_find_disks(ground->scratch.path, roots, &disks);
    assert_int_equal(disks.n, 3);
    assert_int_equal(disks.disks[0].minor, 0);
    assert_int_equal(disks.disks[1].minor, 16);
    assert_int_equal(disks.disks[2].minor, 32);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_class_only_tightens),
        TEST(less_is_left),
        TEST(an_operator_gets_what_is_asked),
        TEST(drift_is_seen_and_mended),
        TEST(what_cannot_be_written_is_not_in_force),
        TEST(a_disk_that_is_gone_needs_no_limit),
        TEST(without_disks),
        TEST(given_back_where_it_was_set),
        TEST(systemd_is_told_of_the_whole_line),
        TEST(a_unit_with_a_limit_of_its_own),
        TEST(a_unit_without_the_controller),
        TEST(a_throttle_stands_in_its_place),
        TEST(a_throttle_comes_between),
        TEST(what_is_no_list_of_disks_is_not_believed),
        TEST(the_disks_of_a_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
