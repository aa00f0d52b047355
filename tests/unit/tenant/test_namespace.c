/* Network namespaces of made-up tenants: in a made-up /proc two processes share one when their net/dev are
 * one file. At the end a real one. */
#include "../scratch.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "tenant/namespace.h"

#define STAT_TAIL " S 1 1 1 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 %d 1000 1 18446744073709551615 0 0 0\n"

struct Fixture {
    struct Scratch scratch;
    char proc[PATH_MAX];
};

static int set_up(void **state)
{
    struct Fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->scratch = scratch_new("/tmp");
    scratch_path(&f->scratch, "proc", f->proc);
    scratch_mkdir(&f->scratch, "proc");
    scratch_mkdir(&f->scratch, "ns");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct Fixture *f = *state;

    scratch_done(&f->scratch);
    free(f);
    return 0;
}

static void cgroup(const struct Fixture *f, const char *name, const char *procs)
{
    char file[PATH_MAX];

    scratch_mkdir(&f->scratch, name);
    snprintf(file, sizeof(file), "%s/cgroup.procs", name);
    scratch_write(&f->scratch, file, procs);
}

/* `task` is its directory in /proc. */
static void enter(const struct Fixture *f, const char *task, const char *namespace)
{
    char from[PATH_MAX], to[PATH_MAX], name[64];

    snprintf(name, sizeof(name), "ns/%s", namespace);
    scratch_path(&f->scratch, name, from);
    if (access(from, F_OK) < 0)
        scratch_write(&f->scratch, name, "");
    snprintf(name, sizeof(name), "proc/%s/net", task);
    scratch_mkdir(&f->scratch, name);
    snprintf(name, sizeof(name), "proc/%s/net/dev", task);
    scratch_path(&f->scratch, name, to);
    (void)unlink(to);
    assert_int_equal(link(from, to), 0);
}

static void process(const struct Fixture *f, int pid, int start, const char *namespace)
{
    char name[64], text[256];

    snprintf(name, sizeof(name), "proc/%d", pid);
    scratch_mkdir(&f->scratch, name);
    snprintf(name, sizeof(name), "proc/%d/stat", pid);
    snprintf(text, sizeof(text), "%d (x)" STAT_TAIL, pid, start);
    scratch_write(&f->scratch, name, text);
    snprintf(name, sizeof(name), "%d", pid);
    if (namespace)
        enter(f, name, namespace);
}

static int find(const struct Fixture *f, const char *name, struct NamespaceSighting *ret)
{
    int fd = scratch_open(&f->scratch, name), r = namespace_find(f->proc, fd, ret);

    close(fd);
    return r;
}

static void assert_found(const struct Fixture *f, int task, const char *namespace)
{
    struct NamespaceSighting sighting = {0};
    char path[PATH_MAX], name[64];
    struct stat st;

    assert_int_equal(find(f, "cg", &sighting), 0);
    assert_int_equal(sighting.task, task);
    snprintf(name, sizeof(name), "ns/%s", namespace);
    assert_int_equal(stat(scratch_path(&f->scratch, name, path), &st), 0);
    assert_int_equal(sighting.namespace.dev, st.st_dev);
    assert_int_equal(sighting.namespace.inode, st.st_ino);
    assert_true(namespace_stands(f->proc, &sighting));
}

static void oldest_process(void **state)
{
    struct Fixture *f = *state;

    process(f, 10, 300, "late");
    process(f, 11, 200, "web");
    cgroup(f, "cg", "10\n11\n");
    assert_found(f, 11, "web");
    process(f, 12, 100, "init");
    cgroup(f, "cg/a/b", "12\n");
    cgroup(f, "cg/a", "");
    assert_found(f, 12, "init");
}

static void nobody(void **state)
{
    struct Fixture *f = *state;
    struct NamespaceSighting sighting;

    cgroup(f, "cg", "");
    assert_int_equal(find(f, "cg", &sighting), -ESRCH);
    cgroup(f, "cg", "10\n11\n");
    assert_int_equal(find(f, "cg", &sighting), -ESRCH);
    process(f, 11, 1, NULL); /* a zombie */
    assert_int_equal(find(f, "cg", &sighting), -ESRCH);
    scratch_unlink_file(&f->scratch, "cg/cgroup.procs");
    assert_int_equal(find(f, "cg", &sighting), -ENODEV);
}

/* The oldest has just ended, its net is no more; the next one tells. */
static void vanished(void **state)
{
    struct Fixture *f = *state;

    cgroup(f, "cg", "10\n11\n12\n");
    process(f, 10, 100, NULL);
    process(f, 11, 150, "web");
    process(f, 12, 120, NULL);
    assert_found(f, 11, "web");
}

static void first_thread_ended(void **state)
{
    struct Fixture *f = *state;

    cgroup(f, "cg", "10\n");
    process(f, 10, 100, NULL);
    scratch_mkdir(&f->scratch, "proc/10/task/10");
    scratch_mkdir(&f->scratch, "proc/10/task/15");
    process(f, 15, 101, "web"); /* /proc has it, though it does not list it */
    assert_found(f, 15, "web");
}

/* Those who run a container are in the host's namespace. */
static void keepers_are_passed_over(void **state)
{
    struct Fixture *f = *state;

    process(f, 10, 100, "host");
    process(f, 11, 200, "web");
    cgroup(f, "cg", "");
    cgroup(f, "cg/supervisor", "10\n");
    assert_found(f, 10, "host"); /* nobody else yet */
    cgroup(f, "cg/payload", "11\n");
    assert_found(f, 11, "web");
    cgroup(f, "cg/supervisor", "");
    cgroup(f, "cg/runtime", "10\n");
    assert_found(f, 11, "web");
    /* Only right below it. */
    cgroup(f, "cg/runtime", "");
    cgroup(f, "cg/payload/supervisor", "10\n");
    assert_found(f, 10, "host");
}

static void shared_by_tenants(void **state)
{
    struct Fixture *f = *state;
    struct NamespaceSighting a, b, c;

    process(f, 10, 100, "pod");
    process(f, 11, 200, "pod");
    process(f, 12, 200, "other");
    cgroup(f, "a", "10\n");
    cgroup(f, "b", "11\n");
    cgroup(f, "c", "12\n");
    assert_int_equal(find(f, "a", &a) | find(f, "b", &b) | find(f, "c", &c), 0);
    assert_true(network_namespace_is_same(&a.namespace, &b.namespace));
    assert_false(network_namespace_is_same(&a.namespace, &c.namespace));
}

static void of_the_host(void **state)
{
    struct Fixture *f = *state;
    struct NetworkNamespace own;
    struct NamespaceSighting sighting;

    assert_int_equal(namespace_own(f->proc, &own), -ESRCH);
    enter(f, "self", "host");
    process(f, 10, 100, "host");
    cgroup(f, "cg", "10\n");
    assert_int_equal(namespace_own(f->proc, &own), 0);
    assert_int_equal(find(f, "cg", &sighting), 0);
    assert_true(network_namespace_is_same(&own, &sighting.namespace));
    process(f, 10, 100, "web");
    assert_int_equal(find(f, "cg", &sighting), 0);
    assert_false(network_namespace_is_same(&own, &sighting.namespace));
}

static void changed_since(void **state)
{
    struct Fixture *f = *state;
    struct NamespaceSighting sighting;

    process(f, 10, 100, "web");
    cgroup(f, "cg", "10\n");
    assert_int_equal(find(f, "cg", &sighting), 0);
    assert_true(namespace_stands(f->proc, &sighting));
    process(f, 10, 101, "web"); /* another one of that pid */
    assert_false(namespace_stands(f->proc, &sighting));
    process(f, 10, 100, "other"); /* it went elsewhere */
    assert_false(namespace_stands(f->proc, &sighting));
    process(f, 10, 100, "web");
    assert_true(namespace_stands(f->proc, &sighting));
    scratch_unlink_file(&f->scratch, "proc/10/stat");
    assert_false(namespace_stands(f->proc, &sighting));
}

/* Of a process that the kernel has. */
static void real(void **state)
{
    struct Fixture *f = *state;
    struct NamespaceSighting ours, theirs;
    struct NetworkNamespace own;
    char text[32], byte = 0;
    int ready[2], fd;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        bool made = unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;

        if (write(ready[1], made ? "y" : "n", 1) == 1)
            pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    snprintf(text, sizeof(text), "%d\n", pid);
    cgroup(f, "cg", text);
    snprintf(text, sizeof(text), "%d\n", getpid());
    cgroup(f, "own", text);
    assert_int_equal(namespace_own("/proc", &own), 0);
    fd = scratch_open(&f->scratch, "own");
    assert_int_equal(namespace_find("/proc", fd, &ours), 0);
    close(fd);
    assert_true(network_namespace_is_same(&own, &ours.namespace));
    fd = scratch_open(&f->scratch, "cg");
    assert_int_equal(namespace_find("/proc", fd, &theirs), 0);
    close(fd);
    assert_int_equal(theirs.task, pid);
    assert_int_equal(network_namespace_is_same(&own, &theirs.namespace), byte == 'n');
    assert_true(namespace_stands("/proc", &theirs));
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_false(namespace_stands("/proc", &theirs));
}

#define NAMESPACE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NAMESPACE_TEST(oldest_process),
        NAMESPACE_TEST(nobody),
        NAMESPACE_TEST(vanished),
        NAMESPACE_TEST(first_thread_ended),
        NAMESPACE_TEST(keepers_are_passed_over),
        NAMESPACE_TEST(shared_by_tenants),
        NAMESPACE_TEST(of_the_host),
        NAMESPACE_TEST(changed_since),
        NAMESPACE_TEST(real),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
