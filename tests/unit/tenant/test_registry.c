/* The registry: who is a tenant, who is protected by what, who freezes where, and who "web" is. */
#include "../scratch.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "tenant/registry.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SIMILAR_ID "0123abcdefabcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char *protect[] = {"system.slice/ssh*", "deep/**/keep", NULL};
static char *match_services[] = {"system.slice/*.service", "system.slice/docker-*.scope", "docker/*",
                                 "machine.slice/*", NULL};
static char *match_rest[] = {"user.slice/*", "jobs/*", "deep/*", "system.slice", NULL};
static struct TenantClass classes[] = {
    {.name = "services", .match = match_services},
    {.name = "rest", .match = match_rest},
};
static const struct Policy policy = {.protect = protect, .classes = classes, .n_classes = 2};

struct Fixture {
    struct Scratch scratch;
    struct Registry registry;
};

static int setup(void **state)
{
    struct Fixture *f = calloc(1, sizeof(*f));
    char *own[] = {"system.slice/guardd.service", "init.scope", NULL};
    struct NameSources sources;

    assert_non_null(f);
    f->scratch = scratch_new("/tmp");
    sources.root = f->scratch.path;
    assert_int_equal(registry_init(&f->registry, &sources, own, true), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct Fixture *f = *state;

    registry_done(&f->registry);
    scratch_done(&f->scratch);
    free(f);
    return 0;
}

static int add_again(struct Fixture *f, const char *path, struct Tenant **ret)
{
    _cleanup_fd_ int fd = scratch_open(&f->scratch, path);

    return registry_add(&f->registry, &policy, scratch_id(&f->scratch, path), path, fd, 42, ret);
}

/* Makes the cgroup and adds it; NULL when it is no tenant. */
static struct Tenant *add(struct Fixture *f, const char *path)
{
    struct Tenant *tenant = NULL;

    scratch_cgroup(&f->scratch, path);
    assert_int_equal(add_again(f, path, &tenant), 0);
    return tenant;
}

static void tenants_begin_at_peace(void **state)
{
    struct Fixture *f = *state;
    struct Tenant *tenant, *again = NULL;

    assert_null(add(f, "system.slice/dbus.socket"));
    tenant = add(f, "system.slice/nginx.service");
    assert_non_null(tenant);
    assert_string_equal(tenant->name, "nginx.service");
    assert_ptr_equal(tenant->class, &classes[0]);
    assert_string_equal(tenant->cgroup.unit, "nginx.service");
    assert_true(tenant->cgroup.events_fd >= 0);
    assert_int_equal(tenant->appeared_usec, 42);
    assert_true(tenant->condition.look_usec == USEC_INFINITY);
    for (size_t i = 0; i < POLICY_CLASS_RULES_MAX; i++)
        assert_true(tenant->condition.rules[i].until_since_usec == USEC_INFINITY);
    for (size_t i = 0; i < HOLDER_COUNT; i++)
        assert_int_equal(tenant->hold_slots[i], LEDGER_SLOT_NONE);
    assert_int_equal(tenant->limit_slots[LIMIT_TASKS_MAX], LEDGER_SLOT_NONE);
    assert_string_equal(tenant->protected_by, "");
    assert_ptr_equal(registry_find(&f->registry, tenant->cgroup.id), tenant);
    assert_int_equal(registry_count(&f->registry), 1);
    assert_int_equal(add_again(f, "system.slice/nginx.service", &again), -EEXIST);
    assert_ptr_equal(again, tenant);
}

static void removed_tenants_are_handed_out(void **state)
{
    struct Fixture *f = *state;
    struct Tenant *tenant = add(f, "jobs/one");
    uint64_t id = tenant->cgroup.id;

    assert_ptr_equal(registry_remove(&f->registry, &policy, id), tenant);
    assert_true(tenant->gone);
    assert_null(registry_find(&f->registry, id));
    assert_null(registry_remove(&f->registry, &policy, id));
    assert_int_equal(registry_count(&f->registry), 0);
    assert_null(tenant_free(tenant));
}

static size_t count_agenda(const struct Registry *registry)
{
    struct Tenant *tenant, *next;
    size_t n = 0;

    AGENDA_EACH(&registry->agenda, tenant, next)
    n++;
    return n;
}

static void on_the_agenda_once_and_never_when_gone(void **state)
{
    struct Fixture *f = *state;
    struct Tenant *one = add(f, "jobs/one"), *two = add(f, "jobs/two"), *gone;

    assert_int_equal(count_agenda(&f->registry), 0);
    registry_reclassify(&f->registry, &policy, one);
    agenda_put(two);
    agenda_put(one);
    assert_int_equal(count_agenda(&f->registry), 2);
    agenda_remove(two);
    agenda_remove(two);
    assert_ptr_equal(f->registry.agenda.first, one);
    gone = registry_remove(&f->registry, &policy, one->cgroup.id);
    assert_int_equal(count_agenda(&f->registry), 0);
    agenda_put(gone);
    assert_false(gone->on_agenda);
    tenant_free(gone);
}

static void gone_already(void **state)
{
    struct Fixture *f = *state;
    struct Tenant *tenant = NULL;
    _cleanup_fd_ int fd = -EBADF;

    scratch_mkdir(&f->scratch, "jobs/one");
    fd = scratch_open(&f->scratch, "jobs/one");
    scratch_rmdir(&f->scratch, "jobs/one");
    assert_true(error_is_gone(registry_add(&f->registry, &policy, 7, "jobs/one", fd, 0, &tenant)));
    assert_int_equal(registry_add(&f->registry, &policy, 7, "jobs/one", -EMFILE, 0, &tenant), -EMFILE);
    assert_int_equal(registry_count(&f->registry), 0);
}

static void protected_by_its_own_path(void **state)
{
    struct Fixture *f = *state;

    assert_string_equal(add(f, "system.slice/ssh.service")->protected_by, "system.slice/ssh*");
    assert_false(add(f, "system.slice/sshd.service")->untouchable);
}

static void protected_by_what_it_holds(void **state)
{
    struct Fixture *f = *state;
    struct Tenant *tenant = add(f, "deep/one"), *other = add(f, "deep/on");
    uint64_t id;

    assert_string_equal(tenant->protected_by, "");
    assert_null(add(f, "deep/one/x"));
    assert_string_equal(tenant->protected_by, "");
    assert_null(add(f, "deep/one/x/keep"));
    id = scratch_id(&f->scratch, "deep/one/x/keep");
    assert_string_equal(tenant->protected_by, "holds deep/one/x/keep");
    assert_false(tenant->untouchable);
    assert_string_equal(other->protected_by, "");
    assert_null(registry_remove(&f->registry, &policy, id));
    assert_string_equal(tenant->protected_by, "");
}

/* It was there before the tenant was one: after a reload. */
static void protected_by_what_it_held_before(void **state)
{
    struct Fixture *f = *state;

    assert_null(add(f, "deep/one/x/keep"));
    assert_string_equal(add(f, "deep/one")->protected_by, "holds deep/one/x/keep");
}

static void own_cgroups_are_untouchable(void **state)
{
    struct Fixture *f = *state;
    struct Tenant *slice = add(f, "system.slice"), *own = add(f, "system.slice/guardd.service");
    struct Tenant *similar = add(f, "system.slice/guardd.service2.service");

    assert_true(slice->untouchable);
    assert_string_equal(slice->protected_by, "holds guardd itself");
    assert_true(own->untouchable);
    assert_string_equal(own->protected_by, "holds guardd itself");
    assert_false(similar->untouchable);
}

static void own_paths_may_be_missing(void **state)
{
    struct Fixture *f = *state;
    char *own[] = {"", "jobs/init", NULL};
    const struct NameSources sources = {.root = ""};

    registry_done(&f->registry);
    assert_int_equal(registry_init(&f->registry, &sources, own, true), 0);
    assert_false(add(f, "jobs/one")->untouchable);
    assert_string_equal(add(f, "jobs/init")->protected_by, "holds PID 1");
    registry_done(&f->registry);
    assert_int_equal(registry_init(&f->registry, &sources, NULL, true), 0);
    assert_false(add(f, "jobs/init")->untouchable);
}

static void reload_classifies_and_protects_anew(void **state)
{
    struct Fixture *f = *state;
    char *new_protect[] = {"jobs/one", NULL}, *new_match[] = {"jobs/*", NULL};
    struct TenantClass new_classes[] = {{.name = "jobs", .match = new_match}};
    const struct Policy new_policy = {.protect = new_protect, .classes = new_classes, .n_classes = 1};
    struct Tenant *job = add(f, "jobs/one"), *deep = add(f, "deep/one");
    uint64_t keep_id;

    add(f, "deep/one/keep");
    keep_id = scratch_id(&f->scratch, "deep/one/keep");
    assert_string_equal(deep->protected_by, "holds deep/one/keep");
    registry_protect_reset(&f->registry);
    assert_int_equal(registry_protect_note(&f->registry, &new_policy, job->cgroup.id, "jobs/one"), 0);
    assert_int_equal(registry_protect_note(&f->registry, &new_policy, keep_id, "deep/one/keep"), 0);
    registry_reclassify(&f->registry, &new_policy, job);
    registry_reclassify(&f->registry, &new_policy, deep);
    assert_ptr_equal(job->class, &new_classes[0]);
    assert_string_equal(job->protected_by, "jobs/one");
    assert_null(deep->class);
    assert_string_equal(deep->protected_by, "");
}

static void children_of_a_slice_are_its_freeze_points(void **state)
{
    struct Fixture *f = *state;
    struct Tenant *slice, *gone;
    uint64_t before, after;

    scratch_cgroup(&f->scratch, "user.slice/user-1.slice");
    scratch_cgroup(&f->scratch, "user.slice/user-1.slice/before.scope");
    slice = add(f, "user.slice/user-1.slice");
    before = scratch_id(&f->scratch, "user.slice/user-1.slice/before.scope");
    assert_ptr_equal(registry_point_owner(&f->registry, before), slice);
    assert_null(add(f, "user.slice/user-1.slice/before.scope"));
    assert_null(add(f, "user.slice/user-1.slice/after.scope"));
    assert_null(add(f, "user.slice/user-1.slice/after.scope/below"));
    after = scratch_id(&f->scratch, "user.slice/user-1.slice/after.scope");
    assert_int_equal(slice->cgroup.n_points, 2);
    assert_ptr_equal(registry_point_owner(&f->registry, before), slice);
    assert_ptr_equal(registry_point_owner(&f->registry, after), slice);
    assert_null(registry_point_owner(&f->registry,
                                     scratch_id(&f->scratch, "user.slice/user-1.slice/after.scope/below")));
    assert_null(registry_remove(&f->registry, &policy, after));
    assert_int_equal(slice->cgroup.n_points, 1);
    assert_null(registry_point_owner(&f->registry, after));
    gone = registry_remove(&f->registry, &policy, slice->cgroup.id);
    assert_ptr_equal(gone, slice);
    assert_null(registry_point_owner(&f->registry, before));
    assert_null(f->registry.points);
    tenant_free(gone);
}

/* A child may be a tenant of its own as well. */
static void freeze_point_and_tenant(void **state)
{
    struct Fixture *f = *state;
    struct Tenant *slice = add(f, "system.slice"), *child = add(f, "system.slice/a.service");

    assert_non_null(child);
    assert_int_equal(slice->cgroup.n_points, 1);
    assert_ptr_equal(registry_point_owner(&f->registry, child->cgroup.id), slice);
    assert_ptr_equal(registry_remove(&f->registry, &policy, child->cgroup.id), child);
    assert_int_equal(slice->cgroup.n_points, 0);
    tenant_free(child);
}

static void assert_finds(struct Fixture *f, const char *text, const struct Tenant *expected)
{
    struct Tenant *found = NULL;

    if (registry_lookup(&f->registry, text, &found) != 0 || found != expected)
        fail_msg("\"%s\" does not find %s", text, expected->name);
}

static void assert_finds_none(struct Fixture *f, const char *text, int why)
{
    struct Tenant *found = NULL;

    assert_int_equal(registry_lookup(&f->registry, text, &found), why);
    assert_null(found);
}

static void docker_state(const struct Fixture *f, const char *id, const char *name)
{
    char path[PATH_MAX], text[128];

    snprintf(path, sizeof(path), "var/lib/docker/containers/%s", id);
    scratch_mkdir(&f->scratch, path);
    snprintf(path, sizeof(path), "var/lib/docker/containers/%s/config.v2.json", id);
    snprintf(text, sizeof(text), "{\"Name\":\"/%s\"}", name);
    scratch_write(&f->scratch, path, text);
}

static void looked_up_as_people_write_it(void **state)
{
    struct Fixture *f = *state;
    struct Tenant *web, *nginx = add(f, "system.slice/nginx.service"), *job = add(f, "jobs/web");

    docker_state(f, ID, "web");
    web = add(f, "system.slice/docker-" ID ".scope");
    assert_finds(f, "docker/web", web);
    assert_finds(f, "web", web);
    assert_finds(f, "system.slice/docker-" ID ".scope", web);
    assert_finds(f, "/system.slice/docker-" ID ".scope", web);
    assert_finds(f, "docker-" ID ".scope", web);
    assert_finds(f, ID, web);
    assert_finds(f, "0123", web);
    assert_finds(f, "nginx.service", nginx);
    assert_finds(f, "/jobs/web", job);
    assert_finds_none(f, "012", -ENOENT);
    assert_finds_none(f, "0124", -ENOENT);
    assert_finds_none(f, ID "0", -ENOENT);
    assert_finds_none(f, "/web", -ENOENT);
    assert_finds_none(f, "", -ENOENT);
    assert_finds_none(f, "/", -ENOENT);
    assert_finds_none(f, "docker/", -ENOENT);
}

static void several_that_it_could_be(void **state)
{
    struct Fixture *f = *state;
    struct Tenant *web;

    docker_state(f, ID, "web");
    web = add(f, "system.slice/docker-" ID ".scope");
    add(f, "system.slice/docker-" SIMILAR_ID ".scope");
    add(f, "machine.slice/machine-web.scope");
    assert_finds_none(f, "web", REGISTRY_AMBIGUOUS);
    assert_finds_none(f, "0123", REGISTRY_AMBIGUOUS);
    assert_finds(f, "01234", web);
    assert_finds(f, "docker/web", web);
}

#define REGISTRY_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REGISTRY_TEST(tenants_begin_at_peace),
        REGISTRY_TEST(removed_tenants_are_handed_out),
        REGISTRY_TEST(on_the_agenda_once_and_never_when_gone),
        REGISTRY_TEST(gone_already),
        REGISTRY_TEST(protected_by_its_own_path),
        REGISTRY_TEST(protected_by_what_it_holds),
        REGISTRY_TEST(protected_by_what_it_held_before),
        REGISTRY_TEST(own_cgroups_are_untouchable),
        REGISTRY_TEST(own_paths_may_be_missing),
        REGISTRY_TEST(reload_classifies_and_protects_anew),
        REGISTRY_TEST(children_of_a_slice_are_its_freeze_points),
        REGISTRY_TEST(freeze_point_and_tenant),
        REGISTRY_TEST(looked_up_as_people_write_it),
        REGISTRY_TEST(several_that_it_could_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
