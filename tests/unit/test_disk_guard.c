/* Which directories count for a tenant: adopted, given up, taken up again, and what is written down of it. */
#include "tests/unit/disk_ground.h"

#include <errno.h>

static uint32_t project_of(struct Tenant *tenant)
{
    assert_int_equal(tenant->disk.n_shares, 1);
    return tenant->disk.shares[0].project;
}

/* A tenant with one volume that is counted. */
static struct Tenant *counted(uint64_t id, const char *name, struct GroundTree *volume)
{
    struct Tenant *tenant = ground_tenant(id, name);

    ground_check(tenant);
    ground_work();
    ground_state(tenant, volume, DIRECTORY_COUNTED);
    return tenant;
}

static bool is_noted(uint32_t project, const struct GroundTree *tree, bool tagged)
{
    const struct Project *of = project_by_id(&ground->disk.projects, project);

    for (size_t i = 0; of && i < of->n_directories; i++)
        if (strcmp(of->directories[i].path, tree->path) == 0)
            return of->directories[i].tagged == tagged;
    return false;
}

static void from_found_to_counted(void **state)
{
    struct GroundTree *volume = ground_directory("docker/web", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *tenant = ground_tenant(1, "docker/web");

    ground_check(tenant);
    ground_state(tenant, volume, DIRECTORY_TAGGING);
    assert_int_equal(project_of(tenant), FIRST_PROJECT);
    assert_true(is_noted(FIRST_PROJECT, volume, false)); /* before the first file has it */
    assert_int_equal(ground->walks_asked, 1);
    ground_check(tenant); /* looked at again meanwhile */
    assert_int_equal(ground->walks_asked, 1);
    ground_work();
    ground_state(tenant, volume, DIRECTORY_COUNTED);
    assert_int_equal(volume->project, FIRST_PROJECT);
    assert_true(is_noted(FIRST_PROJECT, volume, true));
    assert_true(ground_usage(ground->dev, FIRST_PROJECT)->space_hard_bytes == 10 * GB);
    ground_check(tenant);
    assert_int_equal(ground->walks_asked, 1);
    assert_null(ground->disk.orders);
}

static void work_before_layer(void **state)
{
    struct GroundTree *layer = ground_directory("docker/web", DIRECTORY_LAYER, "diff", ground->dev);
    struct GroundTree *work = ground_directory("docker/web", DIRECTORY_WORK, "work", ground->dev);
    struct Tenant *tenant = ground_tenant(1, "docker/web");

    ground_check(tenant);
    ground_state(tenant, work, DIRECTORY_TAGGING);
    ground_state(tenant, layer, DIRECTORY_WAITING);
    assert_int_equal(ground->n_walks, 1);
    assert_int_equal(ground_answer_walks(0), 1);
    ground_state(tenant, work, DIRECTORY_COUNTED);
    ground_state(tenant, layer, DIRECTORY_TAGGING);
    ground_work();
    ground_state(tenant, layer, DIRECTORY_COUNTED);
}

static void whiteout_leaves_both_out(void **state)
{
    struct GroundTree *layer = ground_directory("docker/web", DIRECTORY_LAYER, "diff", ground->dev);
    struct GroundTree *work = ground_directory("docker/web", DIRECTORY_WORK, "work", ground->dev);
    struct GroundTree *volume = ground_directory("docker/web", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *tenant = ground_tenant(1, "docker/web");

    work->whiteout = true;
    ground_check(tenant);
    ground_work();
    assert_non_null(strstr(ground_state(tenant, work, DIRECTORY_OUT)->why, "before guardd came"));
    assert_non_null(strstr(ground_state(tenant, layer, DIRECTORY_OUT)->why, "before guardd came"));
    ground_state(tenant, volume, DIRECTORY_COUNTED);
    assert_int_equal(layer->project, 0);
    assert_int_equal(work->project, 0);
}

/* It removes a file while its work directory is being walked. */
static void whiteout_meanwhile(void **state)
{
    struct GroundTree *layer = ground_directory("docker/web", DIRECTORY_LAYER, "diff", ground->dev);
    struct GroundTree *work = ground_directory("docker/web", DIRECTORY_WORK, "work", ground->dev);
    struct Tenant *tenant = ground_tenant(1, "docker/web");

    ground_check(tenant);
    work->whiteout = true;
    ground_work();
    ground_state(tenant, work, DIRECTORY_OUT);
    ground_state(tenant, layer, DIRECTORY_OUT);
    assert_int_equal(work->project, 0);
    assert_int_equal(layer->project, 0);
}

static void rival_comes_and_goes(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *a = counted(1, "docker/a", volume), *b;
    struct GroundTree *same = ground_directory("docker/b", DIRECTORY_VOLUME, "volume", ground->dev);

    b = ground_tenant(2, "docker/b");
    ground_check(b);
    assert_non_null(strstr(ground_state(b, same, DIRECTORY_OUT)->why, "shared with docker/a"));
    ground_settle();
    assert_non_null(strstr(ground_state(a, volume, DIRECTORY_OUT)->why, "shared with docker/b"));
    ground_work();
    assert_int_equal(volume->project, 0);
    assert_false(is_noted(FIRST_PROJECT, volume, true) || is_noted(FIRST_PROJECT, volume, false));

    ground_vanish(b);
    same->owner[0] = '\0';
    ground_settle();
    ground_work();
    ground_state(a, volume, DIRECTORY_COUNTED);
    assert_int_equal(volume->project, project_of(a));
}

/* The rival leaves before what was given up is cleared: it must not count as tagged, for it is half cleared,
 * and the clearing must not go on behind the tagging's back. */
static void rival_leaves_while_cleared(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *a = counted(1, "docker/a", volume), *b;
    struct GroundTree *same = ground_directory("docker/b", DIRECTORY_VOLUME, "volume", ground->dev);

    b = ground_tenant(2, "docker/b");
    ground_check(b);
    ground_settle();
    assert_int_equal(ground->n_walks, 1); /* to clear it: under way */
    assert_true(is_noted(FIRST_PROJECT, volume, false));
    ground_vanish(b);
    same->owner[0] = '\0';
    ground_settle();
    ground_state(a, volume, DIRECTORY_TAGGING);
    ground_work();
    ground_state(a, volume, DIRECTORY_COUNTED);
    assert_int_equal(volume->project, project_of(a));
    assert_true(is_noted(project_of(a), volume, true));
}

/* kill -9 in the midst of clearing: what is half cleared is walked again, not believed. */
static void killed_while_cleared(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct GroundTree *same;
    struct Tenant *a;

    counted(1, "docker/a", volume);
    same = ground_directory("docker/b", DIRECTORY_VOLUME, "volume", ground->dev);
    ground_check(ground_tenant(2, "docker/b"));
    ground_settle();
    assert_int_equal(ground->n_walks, 1);
    ground_restart();
    same->owner[0] = '\0';
    a = ground_tenant(1, "docker/a");
    ground_check(a);
    ground_state(a, volume, DIRECTORY_TAGGING);
    ground_work();
    ground_state(a, volume, DIRECTORY_COUNTED);
}

static void released(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *a = counted(1, "docker/a", volume);

    a->released = true;
    adoption_release(&ground->disk, a);
    assert_non_null(strstr(ground_state(a, volume, DIRECTORY_OUT)->why, "released"));
    ground_work();
    assert_int_equal(volume->project, 0);
    assert_int_equal(a->disk.n_shares, 0);
    assert_true(ground_usage(ground->dev, FIRST_PROJECT)->space_hard_bytes == 0);
    assert_null(project_by_id(&ground->disk.projects, FIRST_PROJECT));
}

/* The files are cleared before the limit that was under way is answered: nothing of it is left all the same.
 */
static void released_while_limited(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *a = counted(1, "docker/a", volume);

    a->overrides.set[LIMIT_DISK_SPACE_MAX] = true;
    a->overrides.value[LIMIT_DISK_SPACE_MAX] = 20 * GB;
    ground_check(a);
    assert_int_equal(a->limits[LIMIT_DISK_SPACE_MAX].waiting, 1);
    a->released = true;
    adoption_release(&ground->disk, a);
    while (ground_answer_walks(0) > 0)
        ;
    ground_work();
    assert_int_equal(a->disk.n_shares, 0);
    assert_true(ground_usage(ground->dev, FIRST_PROJECT)->space_hard_bytes == 0);
    assert_null(project_by_id(&ground->disk.projects, FIRST_PROJECT));
    assert_null(ground->disk.owners);
}

static void released_then_gone(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *a = counted(1, "docker/a", volume);

    a->released = true;
    adoption_release(&ground->disk, a);
    ground_vanish(a); /* before anything is answered: no headroom on top of what was taken off */
    ground_work();
    assert_int_equal(volume->project, 0);
    assert_true(ground_usage(ground->dev, FIRST_PROJECT)->space_hard_bytes == 0);
}

static void no_more_wanted(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *a = counted(1, "docker/a", volume);

    a->class = &ground->other_class;
    disk_guard_reload(&ground->disk);
    ground_state(a, volume, DIRECTORY_OUT);
    ground_work();
    assert_int_equal(volume->project, 0);
    assert_int_equal(a->disk.n_shares, 0);
    a->class = &ground->class;
    ground_check(a);
    ground_work();
    ground_state(a, volume, DIRECTORY_COUNTED);
}

static void leftovers_are_cleared(void **state)
{
    struct GroundTree *old = ground_directory("docker/a", DIRECTORY_VOLUME, "old", ground->dev);
    struct GroundTree *both = ground_directory("docker/a", DIRECTORY_VOLUME, "both", ground->dev);
    struct GroundTree *layer = ground_directory("docker/a", DIRECTORY_LAYER, "diff1", ground->dev);
    struct Tenant *a = counted(1, "docker/a", old);
    char path[PATH_MAX];

    ground_vanish(a);
    old->owner[0] = '\0'; /* the container is made again, without this volume */
    snprintf(path, sizeof(path), "%s", layer->path);
    ground_remove(layer);
    a = counted(2, "docker/a", both);
    assert_int_equal(old->project, 0);
    assert_int_equal(both->project, FIRST_PROJECT);
    assert_int_equal(project_by_id(&ground->disk.projects, FIRST_PROJECT)->n_directories, 1);
    assert_int_equal(project_of(a), FIRST_PROJECT);
}

/* It comes back, and while it is being made only its layer is known: the volume that it will be found to have
 * keeps its project, or all of it would be walked twice, and not be limited meanwhile. */
static void early_look_clears_nothing(void **state)
{
    struct GroundTree *layer = ground_directory("docker/a", DIRECTORY_LAYER, "diff", ground->dev);
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct GroundTree *old = ground_directory("docker/a", DIRECTORY_VOLUME, "old", ground->dev);
    struct Tenant *a = counted(1, "docker/a", volume);

    ground_vanish(a);
    volume->owner[0] = old->owner[0] = '\0';
    ground->unsettled = true;
    a = ground_tenant(2, "docker/a");
    ground_check(a);
    ground_work();
    ground_state(a, layer, DIRECTORY_COUNTED);
    assert_int_equal(volume->project, FIRST_PROJECT);
    assert_int_equal(project_by_id(&ground->disk.projects, FIRST_PROJECT)->n_directories, 3);
    snprintf(volume->owner, sizeof(volume->owner), "docker/a");
    ground->unsettled = false;
    ground_check(a);
    ground_work();
    assert_int_equal(ground_state(a, volume, DIRECTORY_COUNTED)->changed, 0);
    assert_int_equal(old->project, 0); /* what it does not have any more is cleared now */
}

static void retained_while_it_lives(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct GroundTree *layer = ground_directory("docker/a", DIRECTORY_LAYER, "diff", ground->dev);
    struct Tenant *a = counted(1, "docker/a", volume);

    volume->owner[0] = '\0'; /* it unmounts it */
    ground_check(a);
    ground_work();
    ground_state(a, volume, DIRECTORY_COUNTED);
    ground_state(a, layer, DIRECTORY_COUNTED);
    assert_int_equal(rmdir(volume->path), 0); /* and now it is removed */
    ground_check(a);
    assert_int_equal(a->disk.n_directories, 1);
}

static void retried_after_an_error(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *a = ground_tenant(1, "docker/a");

    ground_check(a);
    (void)ground_answer_limits(0);
    assert_int_equal(ground_answer_walks(-EAGAIN), 1);
    assert_non_null(strstr(ground_state(a, volume, DIRECTORY_WAITING)->why, "not all of it"));
    assert_true(a->limits_due_usec > ground->now && a->limits_due_usec != USEC_INFINITY);
    ground->now = a->limits_due_usec;
    ground_settle();
    ground_state(a, volume, DIRECTORY_TAGGING);
    ground_work();
    ground_state(a, volume, DIRECTORY_COUNTED);
}

static void foreign_root(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *a = ground_tenant(1, "docker/a");

    volume->project = 42;
    ground_check(a);
    ground_work();
    assert_non_null(strstr(ground_state(a, volume, DIRECTORY_OUT)->why, "project 42"));
    assert_int_equal(volume->project, 42);
    assert_int_equal(a->disk.n_shares, 0);
    assert_non_null(strstr(a->disk.unguarded, "project 42"));
}

static void observe_changes_nothing(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *a = ground_tenant(1, "docker/a");

    ground->pipeline.mode = MODE_OBSERVE;
    ground_check(a);
    assert_non_null(strstr(ground_state(a, volume, DIRECTORY_OUT)->why, "Mode=observe"));
    assert_int_equal(ground->walks_asked + ground->limits_asked, 0);
    ground->pipeline.mode = MODE_ENFORCE;
    disk_guard_reload(&ground->disk);
    ground_settle();
    ground_work();
    ground_state(a, volume, DIRECTORY_COUNTED);
}

/* Neither does it take anything off that was put on before, also from whom nothing is asked any more. */
static void observe_takes_nothing_off(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *a = counted(1, "docker/a", volume);
    size_t asked = ground->walks_asked + ground->limits_asked;

    ground->pipeline.mode = MODE_OBSERVE;
    a->class = &ground->other_class;
    disk_guard_reload(&ground->disk);
    ground_settle();
    assert_int_equal(ground->walks_asked + ground->limits_asked, asked);
    a->class = &ground->class;
    disk_guard_reload(&ground->disk);
    ground_settle();
    assert_int_equal(ground->walks_asked + ground->limits_asked, asked);
    assert_int_equal(volume->project, FIRST_PROJECT);
    ground->pipeline.mode = MODE_ENFORCE;
    disk_guard_reload(&ground->disk);
    ground_settle();
    ground_state(a, volume, DIRECTORY_COUNTED);
    assert_int_equal(ground->walks_asked + ground->limits_asked, asked);
}

static void id_is_kept_by_name(void **state)
{
    struct GroundTree *first = ground_directory("docker/b", DIRECTORY_VOLUME, "b", ground->dev);
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *a;
    uint32_t id;

    counted(1, "docker/b", first);
    a = counted(2, "docker/a", volume);
    id = project_of(a);
    ground_vanish(a);
    ground_work();
    assert_int_equal(volume->project, id);
    assert_true(ground_usage(ground->dev, id)->space_hard_bytes > 10 * GB); /* room for its start */
    a = counted(3, "docker/a", volume);
    assert_int_equal(project_of(a), id);
    assert_true(ground_usage(ground->dev, id)->space_hard_bytes == 10 * GB);
    ground_restart();
    ground->walks_asked = 0;
    a = counted(3, "docker/a", volume);
    assert_int_equal(project_of(a), id);
    assert_int_equal(ground->walks_asked, 0); /* it is believed what is written down */
}

/* Restarted again and again before a limit is answered: the headroom does not add up. */
static void headroom_does_not_add_up(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);

    ground_vanish(counted(1, "docker/a", volume));
    ground_work();
    for (uint64_t id = 2; id < 10; id++) {
        struct Tenant *tenant = ground_tenant(id, "docker/a");

        ground_check(tenant);
        ground_vanish(tenant);
        ground_work();
    }
    assert_true(ground_usage(ground->dev, FIRST_PROJECT)->space_hard_bytes == 10 * GB + 16 * 1024 * 1024);
}

/* The new one of a name is there before the old one's end is heard of. */
static void successor_before_the_end(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *old = counted(1, "docker/a", volume), *new;

    volume->owner[0] = '\0';
    volume = ground_directory("docker/a", DIRECTORY_VOLUME, "other", ground->dev);
    new = counted(2, "docker/a", volume);
    ground_vanish(old);
    ground_work();
    assert_ptr_equal(disk_owner(&ground->disk, ground->dev, FIRST_PROJECT), new);
    assert_true(ground_usage(ground->dev, FIRST_PROJECT)->space_hard_bytes == 10 * GB);
}

static void deserted_ids_are_collected(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *a = counted(1, "docker/a", volume);

    ground_usage(ground->dev, FIRST_PROJECT)->inodes = 1;
    ground_vanish(a);
    ground_work();
    assert_true(disk_guard_due_usec(&ground->disk) != USEC_INFINITY);
    ground->now = disk_guard_due_usec(&ground->disk);
    disk_guard_pass(&ground->disk, ground->now);
    assert_non_null(project_by_id(&ground->disk.projects, FIRST_PROJECT)); /* its directory is there */
    ground_remove(volume);
    share_collect(&ground->disk);
    assert_non_null(project_by_id(&ground->disk.projects, FIRST_PROJECT)); /* a file is open still */
    ground_usage(ground->dev, FIRST_PROJECT)->inodes = 0;
    share_collect(&ground->disk);
    assert_null(project_by_id(&ground->disk.projects, FIRST_PROJECT));
    ground_work();
    assert_true(ground_usage(ground->dev, FIRST_PROJECT)->space_hard_bytes == 0);
    assert_null(ground->disk.owners);
}

/* What the last directory of a project leaves: the limits go with the id. */
static void cleared_project_has_no_limit(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_NAMED, "volume", ground->dev);
    struct Tenant *a = counted(1, "docker/a", volume);

    a->container_id[0] = '\0';
    volume->owner[0] = '\0'; /* DiskPath= names it no more */
    ground_check(a);
    ground_work();
    assert_int_equal(volume->project, 0);
    assert_null(project_by_id(&ground->disk.projects, FIRST_PROJECT));
    assert_true(ground_usage(ground->dev, FIRST_PROJECT)->space_hard_bytes == 0);
}

static void released_absent(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct GroundTree *log = ground_directory("docker/a", DIRECTORY_RUNTIME, "log", ground->dev);
    struct GroundTree *layer = ground_directory("docker/a", DIRECTORY_LAYER, "diff", ground->dev);
    struct Tenant *a;

    assert_int_equal(rmdir(log->path), 0);
    scratch_write(&ground->scratch, "log", "1");
    a = counted(1, "docker/a", volume);
    ground_state(a, log, DIRECTORY_COUNTED);
    ground_vanish(a);
    ground_remove(layer);
    ground_work();
    assert_int_equal(share_release_absent(&ground->disk), 1);
    ground_work();
    assert_int_equal(volume->project, 0);
    assert_int_equal(log->project, 0); /* a file is no directory, and counts all the same */
    assert_null(project_by_id(&ground->disk.projects, FIRST_PROJECT));
    assert_true(ground_usage(ground->dev, FIRST_PROJECT)->space_hard_bytes == 0);
}

/* No descriptor is left for a moment: what counts goes on counting, and is looked at again. */
static void out_of_descriptors(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *a = counted(1, "docker/a", volume);

    volume->unreadable = -EMFILE;
    ground_check(a);
    ground_work();
    ground_state(a, volume, DIRECTORY_COUNTED);
    assert_int_equal(volume->project, FIRST_PROJECT);
    assert_true(a->limits_due_usec != USEC_INFINITY);
    volume->unreadable = 0;
    ground->footprint_error = -EMFILE;
    ground_check(a);
    ground_state(a, volume, DIRECTORY_COUNTED);
    assert_true(a->limits_due_usec != USEC_INFINITY);
    ground->footprint_error = 0;
    ground->unsettled = true;
    ground_check(a);
    ground_state(a, volume, DIRECTORY_COUNTED);
    assert_true(a->limits_due_usec != USEC_INFINITY);
}

/* Somebody turns quota off and on again: a million files are not walked for it. */
static void quota_off_and_on(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *a = counted(1, "docker/a", volume);
    size_t walks = ground->walks_asked;

    ground->filesystems[0].guarded = false;
    snprintf(ground->filesystems[0].why, sizeof(ground->filesystems[0].why), "quota is off");
    ground_check(a);
    ground_work();
    assert_non_null(strstr(ground_state(a, volume, DIRECTORY_OUT)->why, "quota is off"));
    assert_string_equal(a->disk.unguarded, "quota is off");
    ground->filesystems[0].guarded = true;
    ground_check(a);
    ground_work();
    ground_state(a, volume, DIRECTORY_COUNTED);
    assert_int_equal(ground->walks_asked, walks);
}

static void filesystem_gone(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", OTHER_DEV);
    struct Tenant *a = counted(1, "docker/a", volume);

    disk_guard_look(&ground->disk, a, true, ground->now);
    assert_true(a->readings.valid[READING_DISK_SPACE]);
    ground->filesystems[1].gone = true;
    ground_check(a);
    ground_work();
    assert_non_null(strstr(ground_state(a, volume, DIRECTORY_OUT)->why, "not mounted"));
    assert_int_equal(a->disk.n_shares, 0);
    disk_guard_look(&ground->disk, a, false, ground->now);
    assert_false(a->readings.valid[READING_DISK_SPACE]); /* what was read once is not so any more */
    assert_true(a->disk.look_usec == USEC_INFINITY);
    ground_vanish(a);
    assert_null(ground->disk.owners);
}

/* No directory of it is left while a limit is under way, and then it goes. */
static void gone_without_directories(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_NAMED, "volume", ground->dev);
    struct Tenant *a = ground_tenant(1, "docker/a");

    a->container_id[0] = '\0';
    ground_check(a);
    volume->owner[0] = '\0';
    ground_check(a);
    assert_int_equal(a->disk.n_directories, 0);
    ground_vanish(a);
    ground_work();
    assert_null(ground->disk.owners);
}

static void inspected(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *a = counted(1, "docker/a", volume);

    volume->project = 7; /* from inside */
    assert_int_equal(inspection_begin(&ground->disk, a, false, 5), 0);
    assert_int_equal(inspection_begin(&ground->disk, a, false, 6), -EBUSY);
    ground_work();
    assert_int_equal(ground->n_inspected, 1);
    assert_int_equal(ground->inspected.result, RESULT_SKIPPED);
    assert_int_equal(inspection_begin(&ground->disk, a, true, 7), 0);
    ground_vanish(a); /* while it is looked at */
    ground_work();
    assert_int_equal(ground->n_inspected, 2);
    assert_int_equal(volume->project, FIRST_PROJECT);
    assert_null(ground->disk.orders);
}

/* --- bad starts ----------------------------------------------------------------------------------- */

static void no_state_directory(void **state)
{
    struct GroundTree *volume = ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    struct Tenant *a;

    snprintf(ground->state_dir, sizeof(ground->state_dir), "/proc/none");
    ground_restart();
    assert_true(ground_said("no state directory"));
    assert_true(ground->disk.trouble[0] != '\0');
    a = ground_tenant(1, "docker/a");
    ground_check(a);
    assert_non_null(strstr(ground_state(a, volume, DIRECTORY_OUT)->why, "no project id"));
    assert_int_equal(ground->walks_asked + ground->limits_asked, 0);
}

static void no_worker(void **state)
{
    struct Tenant *a;

    ground->worker_error = -EAGAIN; /* no thread may be made */
    ground_directory("docker/a", DIRECTORY_VOLUME, "volume", ground->dev);
    ground_restart();
    assert_true(ground_said("disks are not guarded"));
    assert_non_null(strstr(ground->disk.trouble, "disks are not guarded"));
    assert_false(ground->disk.open);
    a = ground_tenant(1, "docker/a");
    ground_check(a);
    assert_int_equal(a->disk.n_shares, 0);
    disk_guard_look(&ground->disk, a, true, ground->now);
    assert_int_equal(share_release_absent(&ground->disk), 0);
    allowance_end_grace(&ground->disk);
    ground_vanish(a);
    ground->worker_error = 0;
    ground->filesystems_error = -EMFILE;
    ground_restart();
    assert_false(ground->disk.open);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, ground_set_up, ground_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(from_found_to_counted),
        TEST(work_before_layer),
        TEST(whiteout_leaves_both_out),
        TEST(whiteout_meanwhile),
        TEST(rival_comes_and_goes),
        TEST(rival_leaves_while_cleared),
        TEST(killed_while_cleared),
        TEST(released),
        TEST(released_while_limited),
        TEST(released_then_gone),
        TEST(no_more_wanted),
        TEST(leftovers_are_cleared),
        TEST(early_look_clears_nothing),
        TEST(retained_while_it_lives),
        TEST(retried_after_an_error),
        TEST(foreign_root),
        TEST(observe_changes_nothing),
        TEST(observe_takes_nothing_off),
        TEST(id_is_kept_by_name),
        TEST(headroom_does_not_add_up),
        TEST(successor_before_the_end),
        TEST(deserted_ids_are_collected),
        TEST(cleared_project_has_no_limit),
        TEST(released_absent),
        TEST(out_of_descriptors),
        TEST(quota_off_and_on),
        TEST(filesystem_gone),
        TEST(gone_without_directories),
        TEST(inspected),
        TEST(no_state_directory),
        TEST(no_worker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
