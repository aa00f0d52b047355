/* Limits and tripwires as orders to the worker, and the host's rules: who is elected, and when. */
#include "tests/unit/disk_ground.h"

#include <errno.h>

#include "act/quota.h"
#include "decide/host.h"

#define SECOND USEC_PER_SEC

static struct Tenant *on_two_filesystems(void)
{
    struct Tenant *tenant = ground_tenant(1, "docker/a");

    ground_directory("docker/a", DIRECTORY_VOLUME, "here", ground->dev);
    ground_directory("docker/a", DIRECTORY_VOLUME, "there", OTHER_DEV);
    ground_check(tenant);
    ground_work();
    assert_int_equal(tenant->disk.n_shares, 2);
    return tenant;
}

static struct Tenant *on_one(uint64_t id, const char *name)
{
    struct Tenant *tenant = ground_tenant(id, name);
    char directory[64];

    snprintf(directory, sizeof(directory), "of-%d", (int)id);
    ground_directory(name, DIRECTORY_VOLUME, directory, ground->dev);
    ground_check(tenant);
    ground_work();
    assert_int_equal(tenant->disk.n_shares, 1);
    return tenant;
}

static struct DiskUsage *usage_of(const struct Tenant *tenant)
{
    return ground_usage(tenant->disk.shares[0].dev, tenant->disk.shares[0].project);
}

static uint64_t hard(const struct Tenant *tenant, size_t share)
{
    return ground_usage(tenant->disk.shares[share].dev, tenant->disk.shares[share].project)->space_hard_bytes;
}

static void override(struct Tenant *tenant, uint64_t value)
{
    tenant->overrides.set[LIMIT_DISK_SPACE_MAX] = true;
    tenant->overrides.value[LIMIT_DISK_SPACE_MAX] = value;
    ground_check(tenant);
}

/* --- limits --------------------------------------------------------------------------------------- */

static void two_shares_two_answers(void **state)
{
    struct Tenant *tenant = on_two_filesystems();
    struct LimitState *limit = &tenant->limits[LIMIT_DISK_SPACE_MAX];

    assert_int_equal(ground->settled[LIMIT_DISK_SPACE_MAX], 1);
    assert_true(hard(tenant, 0) == 10 * GB && hard(tenant, 1) == 10 * GB);
    override(tenant, 20 * GB);
    assert_int_equal(limit->waiting, 2);
    ground_answer_limit(0);
    assert_int_equal(ground->settled[LIMIT_DISK_SPACE_MAX], 1);
    ground_answer_limit(0);
    assert_int_equal(ground->settled[LIMIT_DISK_SPACE_MAX], 2);
    assert_int_equal(ground->outcome.result, RESULT_DONE);
    assert_true(limit->applied && limit->value == 20 * GB);
}

/* One of two fails, whichever: the whole has failed, and the next wish mends both. */
static void half_of_it_fails(void **state)
{
    struct Tenant *tenant = on_two_filesystems();

    for (int first = 0; first < 2; first++) {
        override(tenant, 5 * GB);
        ground_answer_limit(first == 0 ? -EIO : 0);
        ground_answer_limit(first == 0 ? 0 : -EIO);
        assert_int_equal(ground->outcome.result, RESULT_FAILED);
        override(tenant, 10 * GB); /* what was in force before */
        ground_work();
        assert_true(hard(tenant, 0) == 10 * GB && hard(tenant, 1) == 10 * GB);
    }
}

static void answer_of_the_last_wish(void **state)
{
    struct Tenant *tenant = on_one(1, "docker/a");
    unsigned before = ground->settled[LIMIT_DISK_SPACE_MAX];

    override(tenant, 20 * GB);
    override(tenant, 30 * GB);
    ground_answer_limit(0);
    assert_int_equal(ground->settled[LIMIT_DISK_SPACE_MAX], before);
    ground_answer_limit(0);
    assert_int_equal(ground->settled[LIMIT_DISK_SPACE_MAX], before + 1);
    assert_int_equal(ground->outcome.result, RESULT_DONE);
    assert_true(hard(tenant, 0) == 30 * GB);
}

static void drift_is_mended(void **state)
{
    struct Tenant *tenant = on_one(1, "docker/a");

    usage_of(tenant)->space_hard_bytes = 0; /* xfs_quota, by hand */
    disk_guard_look(&ground->disk, tenant, true, ground->now);
    assert_true(tenant->limits_due_usec <= ground->now);
    ground_settle();
    assert_true(ground_said("somebody else has set it to infinity"));
    ground_work();
    assert_true(hard(tenant, 0) == 10 * GB);
}

/* Also where it is lower than asked for, on one of two filesystems. */
static void drift_of_one_share(void **state)
{
    struct Tenant *tenant = on_two_filesystems();

    for (size_t share = 0; share < 2; share++) {
        ground_usage(tenant->disk.shares[share].dev, tenant->disk.shares[share].project)->space_hard_bytes =
            1 * GB;
        disk_guard_look(&ground->disk, tenant, true, ground->now);
        ground_settle();
        ground_work();
        assert_true(hard(tenant, 0) == 10 * GB && hard(tenant, 1) == 10 * GB);
    }
    assert_true(ground_said("somebody else has set it to 1G"));
}

static void vanished_under_way(void **state)
{
    struct Tenant *tenant = on_one(1, "docker/a");

    override(tenant, 20 * GB);
    ground_vanish(tenant);
    ground_work();
    assert_null(ground->disk.orders);
    /* and an answer that nobody waits for */
    ground->disk.worker.events.limited(&ground->disk, 4711, 0, &(struct DiskUsage){});
    ground->disk.worker.events.tagged(&ground->disk, 4711, true, 0, &(struct TagResult){});
}

/* --- tripwires ------------------------------------------------------------------------------------ */

static void tripwire_with_its_limit(void **state)
{
    struct Tenant *tenant = on_one(1, "docker/a");
    size_t asked = ground->limits_asked;

    assert_int_equal(asked, 1); /* in one order */
    assert_true(usage_of(tenant)->space_soft_bytes == 8 * GB);
    for (int i = 0; i < 5; i++)
        disk_guard_look(&ground->disk, tenant, true, ground->now++);
    assert_int_equal(ground->limits_asked, asked);
    usage_of(tenant)->space_soft_bytes = 0;
    disk_guard_look(&ground->disk, tenant, true, ground->now);
    assert_int_equal(ground->limits_asked, asked + 1);
    ground_work();
    assert_true(usage_of(tenant)->space_soft_bytes == 8 * GB);
    override(tenant, 20 * GB);
    ground_work();
    assert_true(usage_of(tenant)->space_soft_bytes == 16 * GB);
}

/* A frozen filesystem can be read, and sets nothing: looks do not pile up orders. */
static void one_tripwire_under_way(void **state)
{
    struct Tenant *tenant = on_one(1, "docker/a");

    usage_of(tenant)->space_soft_bytes = 0;
    for (int i = 0; i < 100; i++)
        disk_guard_look(&ground->disk, tenant, true, ground->now += SECOND);
    assert_int_equal(ground->n_limits, 1);
    ground_answer_limit(-EIO);
    disk_guard_look(&ground->disk, tenant, true, ground->now += SECOND);
    assert_int_equal(ground->n_limits, 1); /* tried again */
    ground_work();
    assert_true(usage_of(tenant)->space_soft_bytes == 8 * GB);
}

/* When one comes near, the others' wires, which were laid when there was more, come nearer as well; a look
 * that nobody announced leaves them. */
static void others_wires(void **state)
{
    struct Rule *rule = calloc(1, sizeof(*rule));
    struct Tenant *a, *b;
    uint64_t before;

    assert_non_null(rule);
    *rule = (struct Rule){.name = "disk-filling",
                          .when = {READING_HOST_DISK_FREE, COMPARISON_BELOW, 10, true, 0},
                          .until = {READING_HOST_DISK_FREE, COMPARISON_ABOVE, 15, true, 0},
                          .steps = {{VERB_FREEZE, USEC_INFINITY}},
                          .n_steps = 1};
    ground->class.rules[0] = rule;
    ground->class.n_rules = 1;
    ground->class.limits.set[LIMIT_DISK_SPACE_MAX] = false;
    a = on_one(1, "docker/a");
    b = on_one(2, "docker/b");
    disk_guard_look(&ground->disk, a, true, ground->now); /* new ones are looked at as announced */
    disk_guard_look(&ground->disk, b, true, ground->now);
    ground_work();
    before = usage_of(b)->space_soft_bytes;
    assert_true(before > 0);
    ground->free_bytes = 12 * GB;
    disk_guard_look(&ground->disk, a, true, ground->now);
    ground_work();
    assert_true(usage_of(b)->space_soft_bytes == before);
    ground->disk.warnings.warned(&ground->disk, ground->dev, a->disk.shares[0].project, WARNING_SOFT_SPACE);
    ground_work();
    assert_true(usage_of(b)->space_soft_bytes < before);
    ground->class.n_rules = 0;
    free(rule);
}

static void grace_once(void **state)
{
    struct Tenant *tenant = ground_tenant(1, "docker/a");

    ground_directory("docker/a", DIRECTORY_VOLUME, "a", ground->dev);
    ground_check(tenant);
    assert_int_equal(ground->limits[0].order.grace_sec, QUOTA_GRACE_NEVER);
    ground_work();
    override(tenant, 20 * GB);
    assert_int_equal(ground->limits[0].order.grace_sec, 0);
    ground_work();
    allowance_end_grace(&ground->disk);
    assert_int_equal(ground->n_limits, ground->disk.filesystems.n);
    assert_true(ground->limits[0].order.ends_grace && ground->limits[0].order.grace_sec == 0);
    ground_work();
    /* with the next wire it is put off again */
    override(tenant, 30 * GB);
    assert_int_equal(ground->limits[0].order.grace_sec, QUOTA_GRACE_NEVER);
    ground_work();
}

static void no_tripwire_observing(void **state)
{
    struct Tenant *tenant = on_one(1, "docker/a");
    size_t asked = ground->limits_asked;

    ground->pipeline.mode = MODE_OBSERVE;
    usage_of(tenant)->space_soft_bytes = 0;
    disk_guard_look(&ground->disk, tenant, true, ground->now);
    assert_int_equal(ground->limits_asked, asked);
}

/* What was asked for when guardd stops is done, as far as there is time. */
static void finished_at_a_stop(void **state)
{
    struct Tenant *tenant = on_one(1, "docker/a");
    const struct DiskUsage *usage = usage_of(tenant);

    override(tenant, 20 * GB);
    disk_guard_close(&ground->disk);
    assert_true(usage->space_hard_bytes == 20 * GB);
}

/* --- what the kernel announces -------------------------------------------------------------------- */

/* A line of a throttle: its answer finds its tenant, or nobody. */
static void line_for_the_worker(void **state)
{
    struct Tenant *tenant = on_one(1, "docker/a");
    struct Throttle *throttle = &tenant->throttles[RESOURCE_MEMORY];
    const struct WorkerEvents *events = &ground->disk.worker.events;

    assert_int_equal(disk_guard_write(&ground->disk, tenant, RESOURCE_MEMORY, -1, "max"), -EBADF);
    assert_null(ground->disk.orders);
    assert_int_equal(disk_guard_write(&ground->disk, tenant, RESOURCE_MEMORY, 5, "max"), 0);
    throttle->waiting = 1;
    events->wrote(ground->disk.worker.userdata, ground->line_ticket, 0);
    assert_int_equal(throttle->waiting, 0);
    assert_null(ground->disk.orders);
    events->wrote(ground->disk.worker.userdata, ground->line_ticket, 0); /* nobody's any more */
    assert_int_equal(disk_guard_write(&ground->disk, tenant, RESOURCE_MEMORY, 5, "max"), 0);
    ground_vanish(tenant);
    events->wrote(ground->disk.worker.userdata, ground->line_ticket, -ENODEV);
    ground->disk.open = false;
    assert_int_equal(disk_guard_write(&ground->disk, NULL, RESOURCE_MEMORY, 5, "max"), -ENOTCONN);
    ground->disk.open = true;
}

static void warned_and_lost(void **state)
{
    struct Tenant *a = on_one(1, "docker/a"), *b = on_one(2, "docker/b");

    ground->disk.warnings.warned(&ground->disk, ground->dev, a->disk.shares[0].project, WARNING_HARD_SPACE);
    assert_int_equal(ground->n_looked, 1);
    assert_int_equal(a->readings.value[READING_DISK_DENIED], 1);
    disk_guard_look(&ground->disk, a, false, ground->now);
    assert_int_equal(a->readings.value[READING_DISK_DENIED], 0);
    ground->disk.warnings.warned(&ground->disk, ground->dev, 99, WARNING_HARD_SPACE);
    assert_int_equal(ground->n_looked, 1); /* nobody's */

    usage_of(b)->space_bytes = 9 * GB;
    ground->disk.warnings.lost(&ground->disk);
    ground->disk.warnings.lost(&ground->disk);
    ground->now = disk_guard_due_usec(&ground->disk);
    disk_guard_pass(&ground->disk, ground->now);
    assert_int_equal(ground->n_looked, 2);
    assert_ptr_equal(ground->looked[1], b);
    assert_true(b->readings.value[READING_DISK_SPACE] == (int64_t)(9 * GB));
}

/* --- the host's rules ----------------------------------------------------------------------------- */

static struct Rule *host_rule(usec_t for_usec)
{
    struct Rule *rule = calloc(1, sizeof(*rule));

    assert_non_null(rule);
    *rule = (struct Rule){.name = "disk-host-low",
                          .scope = SCOPE_HOST,
                          .rank = READING_DISK_GROWTH,
                          .when = {READING_HOST_DISK_FREE, COMPARISON_BELOW, 10, true, for_usec},
                          .until = {READING_HOST_DISK_FREE, COMPARISON_ABOVE, 15, true, 0},
                          .steps = {{VERB_FREEZE, USEC_INFINITY}},
                          .n_steps = 1};
    ground->class.rules[0] = rule;
    ground->class.n_rules = 1;
    return rule;
}

struct Three {
    struct Tenant *growers[3];
    struct Rule *rule;
};

static struct Three three_growers(usec_t for_usec)
{
    struct Three three = {.rule = host_rule(for_usec)};

    ground->class.limits.set[LIMIT_DISK_SPACE_MAX] = false;
    for (uint64_t i = 0; i < 3; i++) {
        char name[16];

        snprintf(name, sizeof(name), "docker/%c", (char)('a' + i));
        three.growers[i] = on_one(i + 1, name);
    }
    ground_work();
    return three;
}

/* The third is the fastest. */
static void grow(const struct Three *three)
{
    for (unsigned i = 0; i < 3; i++)
        usage_of(three->growers[i])->space_bytes += (i + 1) * GB / 10;
}

static unsigned n_elected(const struct Three *three)
{
    unsigned n = 0;

    for (unsigned i = 0; i < 3; i++)
        n += three->growers[i]->condition.rules[0].elected;
    return n;
}

/* The engine's part. */
static void freeze_elected(struct RuleState *state)
{
    if (!state->elected || state->phase != PHASE_IDLE)
        return;
    state->phase = PHASE_STANDING;
    state->stood_usec = ground->now;
}

/* So long a time of the host's, a second at a time, as the daemon's timer has it. */
static void pass(const struct Three *three, usec_t until)
{
    while (ground->now < until) {
        ground->now += SECOND;
        grow(three);
        disk_guard_pass(&ground->disk, ground->now);
        for (unsigned i = 0; i < 3; i++)
            freeze_elected(&three->growers[i]->condition.rules[0]);
    }
}

static void one_of_three(void **state)
{
    struct Three three = three_growers(0);
    usec_t first;

    ground->free_bytes = 5 * GB;
    disk_guard_look(&ground->disk, three.growers[0], true, ground->now);
    assert_true(disk_guard_due_usec(&ground->disk) <= ground->now + HOST_DWELL_USEC);
    while (n_elected(&three) == 0)
        pass(&three, ground->now + SECOND);
    first = ground->now;
    assert_int_equal(n_elected(&three), 1);
    assert_true(three.growers[2]->condition.rules[0].elected);
    assert_non_null(strstr(three.growers[2]->condition.election.reason, "docker/c has most disk.growth"));
    assert_ptr_equal(ground->looked[ground->n_looked - 1], three.growers[2]);
    pass(&three, first + HOST_DWELL_USEC - SECOND);
    assert_int_equal(n_elected(&three), 1);
    pass(&three, first + HOST_DWELL_USEC + SECOND);
    assert_int_equal(n_elected(&three), 2);
    assert_true(three.growers[1]->condition.rules[0].elected);

    ground->free_bytes = 50 * GB;
    pass(&three, ground->now + 10 * SECOND);
    assert_int_equal(n_elected(&three), 2);
    ground_work();
    free(three.rule);
    ground->class.n_rules = 0;
}

/* Nobody is left on it, or it cannot be read: what was read of it before elects nobody, and what held before
 * has to hold anew. */
static void host_not_read(void **state)
{
    struct Three three = three_growers(5 * SECOND);

    ground->free_bytes = 5 * GB;
    disk_guard_look(&ground->disk, three.growers[0], true, ground->now);
    pass(&three, ground->now + 4 * SECOND);
    assert_int_equal(n_elected(&three), 0);
    ground->filesystems[0].guarded = false;
    pass(&three, ground->now + 10 * SECOND);
    ground->filesystems[0].guarded = true;
    ground->filesystems[0].why[0] = '\0';
    disk_guard_look(&ground->disk, three.growers[0], true, ground->now);
    pass(&three, ground->now + 3 * SECOND);
    assert_int_equal(n_elected(&three), 0);
    pass(&three, ground->now + 3 * SECOND);
    assert_int_equal(n_elected(&three), 1);
    for (unsigned i = 0; i < 3; i++)
        ground_vanish(three.growers[i]);
    ground_work();
    disk_guard_pass(&ground->disk, ground->now += SECOND);
    assert_true(disk_guard_due_usec(&ground->disk) > ground->now + SECOND);
    free(three.rule);
    ground->class.n_rules = 0;
}

/* A refusal that was announced just when the host's disk runs low is told all the same. */
static void denied_is_told_once(void **state)
{
    struct Three three = three_growers(0);
    struct Tenant *a = three.growers[0];

    ground->free_bytes = 5 * GB;
    ground->disk.warnings.warned(&ground->disk, ground->dev, a->disk.shares[0].project, WARNING_HARD_INODES);
    assert_int_equal(a->readings.value[READING_DISK_DENIED], 1);
    disk_guard_look(&ground->disk, a, true, ground->now);
    assert_int_equal(a->readings.value[READING_DISK_DENIED], 0);
    ground_work();
    free(three.rule);
    ground->class.n_rules = 0;
}

/* The rules of the old policy are freed after a reload; nothing looks at them. */
static void reloaded(void **state)
{
    struct Three three = three_growers(0);

    ground->free_bytes = 5 * GB;
    disk_guard_look(&ground->disk, three.growers[0], true, ground->now);
    pass(&three, ground->now + 3 * SECOND);
    for (unsigned i = 0; i < 3; i++)
        three.growers[i]->condition.rules[0] = (struct RuleState){};
    free(three.rule);
    three.rule = NULL;
    ground->class.rules[0] = NULL;
    ground->class.n_rules = 0;
    disk_guard_reload(&ground->disk);
    three.rule = host_rule(0);
    disk_guard_look(&ground->disk, three.growers[0], true, ground->now);
    assert_ptr_equal(ground->disk.host_rules->state.rule, three.rule);
    assert_null(ground->disk.host_rules->next);
    pass(&three, ground->now + 3 * SECOND);
    assert_true(n_elected(&three) > 0);
    ground_work();
    disk_guard_close(&ground->disk);
    free(three.rule);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, ground_set_up, ground_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_shares_two_answers),
        TEST(half_of_it_fails),
        TEST(answer_of_the_last_wish),
        TEST(drift_is_mended),
        TEST(drift_of_one_share),
        TEST(vanished_under_way),
        TEST(tripwire_with_its_limit),
        TEST(one_tripwire_under_way),
        TEST(others_wires),
        TEST(grace_once),
        TEST(no_tripwire_observing),
        TEST(finished_at_a_stop),
        TEST(line_for_the_worker),
        TEST(warned_and_lost),
        TEST(one_of_three),
        TEST(host_not_read),
        TEST(denied_is_told_once),
        TEST(reloaded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
