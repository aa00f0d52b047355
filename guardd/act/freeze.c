/* Freeze and thaw: a number written to cgroup.freeze of every freeze point, and the kernel's word for it
 * in cgroup.events.
 *
 * The kernel freezes asynchronously: each task stops on its way back to user mode, and one in an
 * uninterruptible sleep does not get there. So `frozen 1` has to be waited for, and a freeze that it does
 * not come for is taken back: a tenant that is half frozen is neither stopped nor working.
 *
 * A point that vanishes meanwhile is as good as frozen, and as good as thawed. Whether the tenant's own
 * cgroup is still there needs asking only when no point answered: a cgroup with children cannot be
 * removed, and the only point of one that is no slice is itself. */
#include "act/actuator.h"

#include "base/error.h"
#include "base/fd.h"

/* 0 when the cgroup exists. */
static int cgroup_is_here(const struct Cgroup *cgroup)
{
    struct CgroupState state;

    return cgroup_read_state(cgroup->events_fd, &state);
}

/* Writes to every point, past those that refuse: the first refusal is returned afterwards. */
static int points_write(const struct Cgroup *cgroup, const char *text)
{
    int error = 0;
    bool any = false;

    for (size_t i = 0; i < cgroup->n_points; i++) {
        int r = fd_write_text(cgroup->points[i].freeze_fd, text);

        if (r == 0)
            any = true;
        else if (!error_is_gone(r) && error == 0)
            error = r;
    }
    if (error < 0)
        return error;
    return any ? 0 : cgroup_is_here(cgroup);
}

static int points_settled(const struct Cgroup *cgroup, bool frozen)
{
    bool any = false;
    int r;

    for (size_t i = 0; i < cgroup->n_points; i++) {
        struct CgroupState state;

        r = cgroup_read_state(cgroup->points[i].events_fd, &state);
        if (error_is_gone(r))
            continue;
        if (r < 0)
            return r;
        if (state.frozen != frozen)
            return ACT_PENDING;
        any = true;
    }
    r = any ? 0 : cgroup_is_here(cgroup);
    return r < 0 ? r : ACT_SETTLED;
}

static int thaw_begin(const struct Cgroup *cgroup)
{
    return points_write(cgroup, "0");
}

static int thaw_settled(const struct Cgroup *cgroup)
{
    return points_settled(cgroup, false);
}

/* A freeze that one point refused is taken back from the others. */
static int freeze_begin(const struct Cgroup *cgroup)
{
    int r = points_write(cgroup, "1");

    if (r < 0 && !error_is_gone(r))
        (void)points_write(cgroup, "0");
    return r;
}

static int freeze_settled(const struct Cgroup *cgroup)
{
    return points_settled(cgroup, true);
}

const struct Actuator actuator_freeze = {
    .name = "freeze",
    .timeout_usec = 10 * USEC_PER_SEC,
    .begin = freeze_begin,
    .settled = freeze_settled,
    .roll_back = thaw_begin,
};

/* A thaw is not taken back: when `frozen 0` does not come, it is an ancestor that is frozen, and the
 * tenant is to run as soon as that one does. */
const struct Actuator actuator_thaw = {
    .name = "thaw",
    .timeout_usec = 10 * USEC_PER_SEC,
    .begin = thaw_begin,
    .settled = thaw_settled,
    .roll_back = NULL,
};
