/* Footprints of made-up tenants: /proc, cgroups, mount tables and the host's directories are all in a scratch
 * directory, whose filesystem plays the host's. */
#include "../failing.h"
#include "../scratch.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "tenant/findings.h"
#include "tenant/footprint.h"
#include "tenant/process.h"
#include "tenant/runtime.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER_ID "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DOCKER "/var/lib/docker"
#define LAYER DOCKER "/overlay2/mine"
#define PODMAN "/var/lib/containers/storage"
/* Numbers of filesystems without a disk that no kernel has come to: /tmp may be on the 50th. */
#define HOST_OVERLAY "0:1000050"
#define STAT_TAIL " S 1 1 1 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 %d 1000 1 18446744073709551615 0 0 0\n"

struct Fixture {
    struct Scratch scratch;
    char proc[PATH_MAX], root[PATH_MAX], passwd[PATH_MAX];
    char dev[32]; /* of the scratch directory */
    char host_table[8192], table[65536];
    int next_id;
    char *roots[4], *disk_paths[4];
    struct DiskPolicy policy;
    struct TenantClass class;
    struct FootprintOwner owner;
    struct Directory *list;
    size_t n;
    bool unsettled;
};

/* Lines of mountinfo: all stand on the first. */
static void add_line(struct Fixture *f, char *table, size_t size, const char *dev, const char *root,
                     const char *path, const char *access, const char *type, const char *options)
{
    size_t used = strlen(table);
    int base = table == f->host_table ? 1 : 10000, id = used == 0 ? base : base + f->next_id++;

    assert_true(snprintf(table + used, size - used, "%d %d %s %s %s %s,relatime - %s src rw%s%s\n", id,
                         used == 0 ? 0 : base, dev, root, path, access, type, options[0] ? "," : "",
                         options) < (int)(size - used));
}

static void host_mount(struct Fixture *f, const char *dev, const char *root, const char *path,
                       const char *type, const char *options)
{
    add_line(f, f->host_table, sizeof(f->host_table), dev, root, path, "rw", type, options);
}

static void mounted(struct Fixture *f, const char *dev, const char *root, const char *path, const char *type,
                    const char *options)
{
    add_line(f, f->table, sizeof(f->table), dev, root, path, "rw", type, options);
}

static void host_directory(const struct Fixture *f, const char *path)
{
    char name[PATH_MAX];

    snprintf(name, sizeof(name), "root%s", path);
    scratch_mkdir(&f->scratch, name);
}

static void host_layer(const struct Fixture *f, const char *path)
{
    char name[256];

    snprintf(name, sizeof(name), "%s/diff", path);
    host_directory(f, name);
    snprintf(name, sizeof(name), "%s/work/work", path);
    host_directory(f, name);
}

static void host_file(const struct Fixture *f, const char *path, const char *text)
{
    char name[PATH_MAX];

    snprintf(name, sizeof(name), "root%s", path);
    *strrchr(name, '/') = '\0';
    scratch_mkdir(&f->scratch, name);
    snprintf(name, sizeof(name), "root%s", path);
    scratch_write(&f->scratch, name, text);
}

static void process(const struct Fixture *f, int pid, const char *name, int start)
{
    char directory[64], path[PATH_MAX], text[512];

    snprintf(directory, sizeof(directory), "proc/%d", pid);
    scratch_mkdir(&f->scratch, directory);
    snprintf(text, sizeof(text), "%d (%s)" STAT_TAIL, pid, name, start);
    snprintf(path, sizeof(path), "%s/stat", directory);
    scratch_write(&f->scratch, path, text);
    snprintf(path, sizeof(path), "%s/mountinfo", directory);
    scratch_write(&f->scratch, path, f->table);
}

static void cgroup(const struct Fixture *f, const char *name, const char *pids)
{
    char path[PATH_MAX + 16];

    scratch_mkdir(&f->scratch, name);
    snprintf(path, sizeof(path), "%s/cgroup.procs", name);
    scratch_write(&f->scratch, path, pids);
}

static int setup(void **state)
{
    struct Fixture *f = calloc(1, sizeof(*f));
    struct stat st;

    assert_non_null(f);
    f->scratch = scratch_new("/tmp");
    assert_int_equal(stat(f->scratch.path, &st), 0);
    snprintf(f->dev, sizeof(f->dev), "%u:%u", major(st.st_dev), minor(st.st_dev));
    scratch_path(&f->scratch, "proc", f->proc);
    scratch_path(&f->scratch, "root", f->root);
    scratch_path(&f->scratch, "passwd", f->passwd);
    f->next_id = 2;
    f->roots[0] = DOCKER;
    f->roots[1] = PODMAN "/";
    f->roots[2] = "/srv";
    f->policy.roots = f->roots;
    f->class.disk_paths = f->disk_paths;
    host_mount(f, f->dev, "/", "/", "xfs", "prjquota");
    host_mount(f, "0:1000030", "/", "/run", "tmpfs", "");
    host_mount(f, "0:1000031", "/", "/srv/far", "nfs4", "");
    host_mount(f, HOST_OVERLAY, "/", LAYER "/merged", "overlay",
               "lowerdir=" DOCKER "/overlay2/l/A,upperdir=" LAYER "/diff,workdir=" LAYER "/work");
    host_layer(f, LAYER);
    host_directory(f, "/srv/web");
    scratch_mkdir(&f->scratch, "proc");
    cgroup(f, "cg", "10\n");
    f->owner = (struct FootprintOwner){.name = "docker/web",
                                       .path = "system.slice/docker-" ID ".scope",
                                       .unit = "docker-" ID ".scope",
                                       .container_id = ID,
                                       .cgroup_fd = scratch_open(&f->scratch, "cg"),
                                       .class = &f->class};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct Fixture *f = *state;

    directories_free(f->list, f->n);
    close(f->owner.cgroup_fd);
    scratch_done(&f->scratch);
    free(f);
    return 0;
}

static void read_host(const struct Fixture *f, struct Mounts *ret)
{
    char path[PATH_MAX];

    scratch_write(&f->scratch, "host", f->host_table);
    assert_int_equal(mounts_read(scratch_path(&f->scratch, "host", path), ret), 0);
}

static int find_on(struct Fixture *f, const struct Mounts *mounts)
{
    struct FootprintSources sources = {
        .proc = f->proc, .root = f->root, .mounts = mounts, .policy = &f->policy, .passwd = f->passwd};

    directories_free(f->list, f->n);
    f->list = NULL;
    f->n = 0;
    return footprint_find(&sources, &f->owner, &f->list, &f->n, &f->unsettled);
}

static int find(struct Fixture *f)
{
    struct Mounts mounts;
    int r;

    read_host(f, &mounts);
    r = find_on(f, &mounts);
    mounts_done(&mounts);
    for (size_t i = 1; i < f->n; i++)
        assert_true(strcmp(f->list[i - 1].path, f->list[i].path) < 0);
    return r;
}

/* With the oldest process as the table says. */
static void find_all(struct Fixture *f)
{
    process(f, 10, "init", 100);
    assert_int_equal(find(f), 0);
}

static const struct Directory *found(const struct Fixture *f, const char *path)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->list[i].path, path) == 0)
            return &f->list[i];
    for (size_t i = 0; i < f->n; i++)
        print_message("# %s: %s %s %s\n", f->list[i].path, directory_kind_name(f->list[i].kind),
                      directory_state_name(f->list[i].state), f->list[i].why);
    fail_msg("%s is not among them", path);
    return NULL;
}

static void assert_counts(const struct Fixture *f, const char *path, enum DirectoryKind kind)
{
    const struct Directory *directory = found(f, path);
    char name[PATH_MAX], full[PATH_MAX];
    struct stat st;

    assert_string_equal(directory->why, "");
    assert_int_equal(directory->state, DIRECTORY_WAITING);
    assert_int_equal(directory->kind, kind);
    snprintf(name, sizeof(name), "root%s", path);
    assert_int_equal(stat(scratch_path(&f->scratch, name, full), &st), 0);
    assert_int_equal(directory->inode, st.st_ino);
    assert_int_equal(directory->dev, st.st_dev);
}

/* What is around them does not: the runtime writes there. */
static void assert_layer_counts(const struct Fixture *f, const char *path)
{
    char name[256];

    snprintf(name, sizeof(name), "%s/diff", path);
    assert_counts(f, name, DIRECTORY_LAYER);
    snprintf(name, sizeof(name), "%s/work", path);
    assert_counts(f, name, DIRECTORY_WORK);
}

static void assert_out(const struct Fixture *f, const char *path, const char *why)
{
    const struct Directory *directory = found(f, path);

    assert_int_equal(directory->state, DIRECTORY_OUT);
    if (!strstr(directory->why, why))
        fail_msg("%s: %s, not %s", path, directory->why, why);
}

static void docker_root(struct Fixture *f)
{
    mounted(f, HOST_OVERLAY, "/", "/", "overlay", "lowerdir=l,upperdir=/srv/lie/diff,workdir=/srv/lie/work");
    mounted(f, "0:1000060", "/", "/proc", "proc", "");
    mounted(f, "0:1000061", "/", "/dev", "tmpfs", "");
    mounted(f, "0:1000062", "/", "/dev/shm", "tmpfs", "");
}

/* --- containers ---------------------------------------------------------------------------------------- */

static void docker(void **state)
{
    struct Fixture *f = *state;

    host_file(f, DOCKER "/containers/" ID "/hosts", "");
    host_file(f, DOCKER "/containers/" ID "/resolv.conf", "");
    host_file(f, DOCKER "/containers/" ID "/config.v2.json", "{}");
    host_directory(f, DOCKER "/volumes/data/_data");
    docker_root(f);
    mounted(f, f->dev, DOCKER "/containers/" ID "/resolv.conf", "/etc/resolv.conf", "xfs", "");
    mounted(f, f->dev, DOCKER "/containers/" ID "/hosts", "/etc/hosts", "xfs", "");
    mounted(f, f->dev, DOCKER "/volumes/data/_data", "/data", "xfs", "");
    mounted(f, f->dev, "/srv/web", "/web", "xfs", "");
    find_all(f);
    assert_false(f->unsettled);
    assert_layer_counts(f, LAYER);
    assert_counts(f, DOCKER "/containers/" ID "/hosts", DIRECTORY_RUNTIME);
    assert_counts(f, DOCKER "/containers/" ID "/resolv.conf", DIRECTORY_RUNTIME);
    assert_counts(f, DOCKER "/volumes/data/_data", DIRECTORY_VOLUME);
    assert_counts(f, "/srv/web", DIRECTORY_VOLUME);
    assert_int_equal(f->n, 6);
}

#define LOG DOCKER "/containers/" ID "/" ID "-json.log"

/* What a container can make grow, and not what its runtime writes for itself beside it. */
static void log_of_docker(void **state)
{
    struct Fixture *f = *state;
    char path[PATH_MAX], other[PATH_MAX];

    docker_root(f);
    host_file(f, LOG, "{}");
    host_file(f, LOG ".1", "{}");
    host_file(f, LOG ".2.gz", "{}");
    host_file(f, DOCKER "/containers/" ID "/hostconfig.json", "{}");
    host_file(f, DOCKER "/containers/" ID "/" OTHER_ID "-json.log", "{}");
    host_file(f, DOCKER "/containers/" ID "/local-logs/container.log", "");
    host_directory(f, DOCKER "/containers/" ID "/checkpoints");
    find_all(f);
    assert_layer_counts(f, LAYER);
    assert_counts(f, LOG, DIRECTORY_RUNTIME);
    assert_counts(f, LOG ".1", DIRECTORY_RUNTIME);
    assert_counts(f, LOG ".2.gz", DIRECTORY_RUNTIME);
    assert_counts(f, DOCKER "/containers/" ID "/local-logs", DIRECTORY_RUNTIME);
    assert_int_equal(f->n, 6);

    scratch_path(&f->scratch, "root" LOG ".1", path);
    assert_int_equal(link(path, scratch_path(&f->scratch, "root/srv/web/log", other)), 0);
    scratch_path(&f->scratch, "root" LOG ".2.gz", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    scratch_path(&f->scratch, "root" LOG ".3", path);
    assert_int_equal(symlink("hostconfig.json", path), 0);
    assert_int_equal(find(f), 0);
    assert_counts(f, LOG, DIRECTORY_RUNTIME);
    assert_out(f, LOG ".1", "has other names");
    assert_out(f, LOG ".2.gz", "neither a regular file nor a directory");
    assert_out(f, LOG ".3", "symbolic link");
    assert_int_equal(f->n, 7);
}

/* Where it may not be looked it is not, but not in silence. */
static void log_outside(void **state)
{
    struct Fixture *f = *state;
    char path[PATH_MAX];

    docker_root(f);
    host_file(f, "/etc/docker/daemon.json", "{\"data-root\":\"/data/docker\"}");
    host_file(f, "/data/docker/containers/" ID "/" ID "-json.log", "{}");
    find_all(f);
    assert_out(f, "/data/docker/containers/" ID, "outside DiskRoots=");
    assert_layer_counts(f, LAYER);
    assert_int_equal(f->n, 3);

    host_file(f, "/etc/docker/daemon.json", "{\"data-root\":\"/srv/docker\"}");
    host_directory(f, "/srv/docker");
    assert_int_equal(find(f), 0);
    assert_int_equal(f->n, 2);
    scratch_path(&f->scratch, "root/srv/docker/containers", path);
    assert_int_equal(symlink("../../data/docker/containers", path), 0);
    assert_int_equal(find(f), 0);
    assert_out(f, "/srv/docker/containers/" ID, "symbolic link");
    assert_int_equal(f->n, 3);
}

static void volumes_that_do_not_count(void **state)
{
    struct Fixture *f = *state;

    host_directory(f, "/srv/read");
    host_directory(f, "/srv/covered");
    host_directory(f, "/srv/far/x");
    host_directory(f, "/data/x");
    host_file(f, "/srv/file", "");
    host_mount(f, "9:9", "/", "/srv/covered", "xfs", "");
    docker_root(f);
    add_line(f, f->table, sizeof(f->table), f->dev, "/srv/read", "/read", "ro", "xfs", "");
    mounted(f, f->dev, "/srv/file", "/etc/app.conf", "xfs", "");
    mounted(f, f->dev, "/data/x", "/x", "xfs", "");
    mounted(f, f->dev, "/srv", "/all", "xfs", "");
    mounted(f, f->dev, "/var/lib", "/most", "xfs", "");
    mounted(f, f->dev, "/", "/everything", "xfs", "");
    mounted(f, "8:99", "/", "/device", "xfs", "");
    mounted(f, "9:9", "/", "/covered", "xfs", "");
    mounted(f, "0:1000070", "/", "/scratch", "tmpfs", "");
    mounted(f, "0:1000071", "/", "/run/lock", "tmpfs", "");
    mounted(f, "0:1000031", "/x", "/far", "nfs4", "");
    mounted(f, f->dev, "/srv/gone", "/gone", "xfs", "");
    mounted(f, f->dev, "/srv/removed//deleted", "/removed", "xfs", "");
    find_all(f);
    assert_layer_counts(f, LAYER);
    assert_out(f, "/srv/read", "mounted read-only");
    assert_out(f, "/srv/file", "a single file");
    assert_out(f, "/data/x", "outside DiskRoots= (" DOCKER " " PODMAN "/ /srv)");
    assert_out(f, "/srv", "holds /srv of DiskRoots=");
    assert_out(f, "/var/lib", "has what a runtime keeps of its containers");
    assert_out(f, "/", "holds");
    assert_out(f, "/device", "not mounted on this host");
    assert_out(f, "/srv/covered", "covered by another mount");
    assert_out(f, "/scratch", "on tmpfs");
    assert_out(f, "/srv/far/x", "on nfs4");
    assert_out(f, "/srv/gone", "no such directory");
    assert_out(f, "/removed", "removed on the host");
    assert_int_equal(f->n, 14);
}

static void nested_and_double(void **state)
{
    struct Fixture *f = *state;

    host_directory(f, "/srv/web/sub/deep");
    host_directory(f, "/srv/web-other");
    host_mount(f, f->dev, "/srv/web", "/srv/again", "xfs", "");
    host_directory(f, "/srv/again");
    docker_root(f);
    mounted(f, f->dev, "/srv/web/sub/deep", "/deep", "xfs", "");
    mounted(f, f->dev, "/srv/web/sub", "/sub", "xfs", "");
    mounted(f, f->dev, "/srv/web-other", "/other", "xfs", "");
    add_line(f, f->table, sizeof(f->table), f->dev, "/srv/web", "/read", "ro", "xfs", "");
    mounted(f, f->dev, "/srv/web", "/web", "xfs", "");
    mounted(f, f->dev, "/srv/web", "/web2", "xfs", "");
    mounted(f, f->dev, "/srv/web/sub", "/sub2", "xfs", "");
    find_all(f);
    assert_counts(f, "/srv/web", DIRECTORY_VOLUME);
    assert_counts(f, "/srv/web-other", DIRECTORY_VOLUME);
    assert_int_equal(f->n, 4);
}

/* One disk at /data, whose parts are mounted where they are used. */
static void one_disk_in_many_places(void **state)
{
    struct Fixture *f = *state;

    f->host_table[0] = '\0';
    host_mount(f, "8:1", "/", "/", "ext4", "");
    host_mount(f, f->dev, "/", "/data", "xfs", "prjquota");
    host_mount(f, f->dev, "/docker", DOCKER, "xfs", "prjquota");
    host_mount(f, f->dev, "/srv", "/srv", "xfs", "prjquota");
    host_directory(f, DOCKER "/volumes/data/_data");
    mounted(f, f->dev, "/docker/volumes/data/_data", "/data", "xfs", "");
    mounted(f, f->dev, "/srv/web", "/web", "xfs", "");
    mounted(f, f->dev, "/other", "/other", "xfs", "");
    find_all(f);
    assert_counts(f, DOCKER "/volumes/data/_data", DIRECTORY_VOLUME);
    assert_counts(f, "/srv/web", DIRECTORY_VOLUME);
    assert_out(f, "/data/other", "outside DiskRoots=");
}

#define CHILD_SKIPS 77

/* In a mount namespace of its own, so that nobody else sees the mount. */
static int find_one_directory_by_two_names(struct Fixture *f)
{
    char web[PATH_MAX], again[PATH_MAX];

    scratch_path(&f->scratch, "root/srv/web", web);
    scratch_path(&f->scratch, "root/srv/again", again);
    if (unshare(CLONE_NEWNS) < 0 || (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 &&
                                     mount(NULL, "/tmp", NULL, MS_PRIVATE, NULL) < 0))
        return CHILD_SKIPS;
    if (mount(web, again, NULL, MS_BIND, NULL) < 0)
        return CHILD_SKIPS;
    if (find(f) != 0 || f->n != 1)
        return 1;
    return strcmp(f->list[0].path, "/srv/again") == 0 && f->list[0].state == DIRECTORY_WAITING ? 0 : 2;
}

/* DiskPath= names a bind mount, and what is mounted there; the first of the two stays. */
static void one_directory_by_two_names(void **state)
{
    struct Fixture *f = *state;
    int status;
    pid_t pid;

    f->owner.name = f->owner.unit = "web.service";
    f->owner.path = "system.slice/web.service";
    f->owner.container_id = "";
    f->disk_paths[0] = "/srv/again";
    f->disk_paths[1] = "/srv/web";
    host_directory(f, "/srv/again");
    assert_int_equal(find(f), 0);
    assert_int_equal(f->n, 2);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(find_one_directory_by_two_names(f));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIPS)
        skip();
    assert_int_equal(status, 0);
}

/* What a backup or a shipper of logs may be given. */
static void stores_of_containers(void **state)
{
    struct Fixture *f = *state;

    host_directory(f, DOCKER "/volumes/data/_data");
    host_directory(f, PODMAN "/overlay");
    host_directory(f, "/srv/docker/volumes");
    docker_root(f);
    mounted(f, f->dev, DOCKER "/overlay2", "/layers", "xfs", "");
    mounted(f, f->dev, DOCKER "/volumes", "/volumes", "xfs", "");
    mounted(f, f->dev, DOCKER "/volumes/data/_data", "/data", "xfs", "");
    mounted(f, f->dev, PODMAN "/overlay", "/podman", "xfs", "");
    mounted(f, f->dev, "/srv/docker/volumes", "/srv", "xfs", "");
    find_all(f);
    assert_out(f, DOCKER "/overlay2", "has what a runtime keeps of its containers");
    assert_out(f, DOCKER "/volumes", "has what a runtime keeps of its containers");
    assert_out(f, PODMAN "/overlay", "has what a runtime keeps of its containers");
    assert_counts(f, DOCKER "/volumes/data/_data", DIRECTORY_VOLUME);
    assert_counts(f, "/srv/docker/volumes", DIRECTORY_VOLUME);
    assert_layer_counts(f, LAYER);
    assert_int_equal(f->n, 7);

    host_directory(f, "/srv/containerd/snapshots/7/fs");
    host_directory(f, "/srv/containerd/snapshots/7/work");
    host_mount(f, "0:1000055", "/", "/run/containerd/x", "overlay",
               "upperdir=/srv/containerd/snapshots/7/fs,workdir=/srv/containerd/snapshots/7/work");
    f->table[0] = '\0';
    mounted(f, "0:1000055", "/", "/", "overlay", "");
    mounted(f, f->dev, "/srv/containerd/snapshots", "/all", "xfs", "");
    mounted(f, f->dev, "/srv/docker/volumes", "/srv", "xfs", "");
    find_all(f);
    assert_counts(f, "/srv/containerd/snapshots/7/fs", DIRECTORY_LAYER);
    assert_counts(f, "/srv/containerd/snapshots/7/work", DIRECTORY_WORK);
    assert_out(f, "/srv/containerd/snapshots", "has what a runtime keeps of its containers");

    host_file(f, "/etc/docker/daemon.json", "{\"data-root\":\"/srv/docker\"}");
    assert_int_equal(find(f), 0);
    assert_out(f, "/srv/docker/volumes", "has what a runtime keeps of its containers");
}

/* A volume that is a symbolic link by now, or below one. */
static void symbolic_links(void **state)
{
    struct Fixture *f = *state;
    char link[PATH_MAX];

    docker_root(f);
    assert_int_equal(symlink("web", scratch_path(&f->scratch, "root/srv/link", link)), 0);
    host_directory(f, "/srv/web/sub");
    mounted(f, f->dev, "/srv/link", "/link", "xfs", "");
    mounted(f, f->dev, "/srv/link/sub", "/sub", "xfs", "");
    find_all(f);
    assert_out(f, "/srv/link", "symbolic link");
    assert_out(f, "/srv/link/sub", "symbolic link");
}

/* Whoever may make a user namespace mounts an overlay and names the upper directory. */
static void overlay_of_ones_own_is_not_believed(void **state)
{
    struct Fixture *f = *state;

    host_layer(f, DOCKER "/overlay2/victim");
    mounted(f, "0:1000099", "/", "/", "overlay",
            "lowerdir=l,upperdir=" DOCKER "/overlay2/victim/diff,workdir=" DOCKER "/overlay2/victim/work");
    find_all(f);
    assert_out(f, "/", "not mounted on this host");
    assert_int_equal(f->n, 1);

    host_file(f, DOCKER "/image/overlay2/layerdb/mounts/" ID "/mount-id", "mine\n");
    assert_int_equal(find(f), 0);
    assert_layer_counts(f, LAYER);
    assert_int_equal(f->n, 2);
}

/* What else has the overlay's device is not it. */
static void overlay_among_others(void **state)
{
    struct Fixture *f = *state;

    f->host_table[0] = '\0';
    host_mount(f, f->dev, "/", "/", "xfs", "prjquota");
    host_mount(f, HOST_OVERLAY, "/", "/srv/other", "xfs", "upperdir=/srv/lie/diff,workdir=/srv/lie/work");
    host_mount(f, HOST_OVERLAY, "/", LAYER "/merged", "overlay",
               "lowerdir=l,upperdir=" LAYER "/diff,workdir=" LAYER "/work");
    mounted(f, HOST_OVERLAY, "/", "/", "overlay", "");
    find_all(f);
    assert_layer_counts(f, LAYER);
    assert_int_equal(f->n, 2);
}

static void relative_overlay(struct Fixture *f, const char *options)
{
    f->host_table[0] = f->table[0] = '\0';
    host_mount(f, f->dev, "/", "/", "xfs", "prjquota");
    host_mount(f, HOST_OVERLAY, "/", LAYER "/merged", "overlay", options);
    mounted(f, HOST_OVERLAY, "/", "/", "overlay", options);
    find_all(f);
}

static void layers_named_otherwise(void **state)
{
    struct Fixture *f = *state;

    relative_overlay(f, "lowerdir=l/A:l/B,upperdir=mine/diff,workdir=mine/work");
    assert_out(f, "mine/diff", "relative to a directory that is not known");
    relative_overlay(f, "lowerdir=l,upperdir=" DOCKER "/overlay2/../overlay2/mine/diff,workdir=" DOCKER
                        "/overlay2/../overlay2/mine/work");
    assert_out(f, DOCKER "/overlay2/../overlay2/mine/diff", "not a plain absolute path");
    relative_overlay(f, "lowerdir=l,upperdir=" LAYER "/diff,workdir=/srv/work");
    assert_out(f, LAYER "/diff", "not without /srv/work: no such directory");
    assert_out(f, "/srv/work", "no such directory");
    host_directory(f, "/srv/work");
    relative_overlay(f, "lowerdir=l,upperdir=" LAYER "/diff,workdir=/srv/work");
    assert_counts(f, LAYER "/diff", DIRECTORY_LAYER);
    assert_counts(f, "/srv/work", DIRECTORY_WORK);
    relative_overlay(f, "lowerdir=l,upperdir=" LAYER "/diff,workdir=mine/work");
    assert_out(f, LAYER "/diff", "relative to a directory that is not known");
    relative_overlay(f, "lowerdir=l,upperdir=" LAYER "/diff");
    assert_out(f, "/", "without an upper directory");
    relative_overlay(f, "lowerdir=l");
    assert_out(f, "/", "without an upper directory");
    assert_int_equal(f->n, 1);

    host_file(f, DOCKER "/image/overlay2/layerdb/mounts/" ID "/mount-id", "mine");
    relative_overlay(f, "lowerdir=l/A:l/B,upperdir=mine/diff,workdir=mine/work");
    assert_layer_counts(f, LAYER);
    assert_int_equal(f->n, 2);
    relative_overlay(f, "lowerdir=l");
    assert_layer_counts(f, LAYER);
    assert_int_equal(f->n, 2);
    relative_overlay(f, "lowerdir=l/A:l/B,upperdir=mine/diff,workdir=mine/work");
    host_file(f, DOCKER "/image/overlay2/layerdb/mounts/" ID "/mount-id", "../volumes");
    assert_int_equal(find(f), 0);
    assert_out(f, "mine/diff", "relative to a directory that is not known");
    host_file(f, DOCKER "/image/overlay2/layerdb/mounts/" ID "/mount-id", "gone");
    host_directory(f, DOCKER "/overlay2/gone/diff");
    assert_int_equal(find(f), 0);
    assert_out(f, "mine/diff", "relative to a directory that is not known");
    assert_int_equal(f->n, 1);
    scratch_rmdir(&f->scratch, "root" DOCKER "/overlay2/gone/diff");
    host_directory(f, DOCKER "/overlay2/gone/work");
    assert_int_equal(find(f), 0);
    assert_int_equal(f->n, 1);
}

/* Files are renamed from one into the other. */
static void upper_and_work_count_together(void **state)
{
    struct Fixture *f = *state;
    char path[PATH_MAX];

    host_layer(f, "/data/layer");
    relative_overlay(f, "lowerdir=l,upperdir=" LAYER "/diff,workdir=/data/layer/work");
    assert_out(f, LAYER "/diff", "not without /data/layer/work: outside DiskRoots=");
    assert_out(f, "/data/layer/work", "outside DiskRoots=");
    assert_int_equal(f->n, 2);
    relative_overlay(f, "lowerdir=l,upperdir=/data/layer/diff,workdir=" LAYER "/work");
    assert_out(f, "/data/layer/diff", "outside DiskRoots=");
    assert_out(f, LAYER "/work", "not without /data/layer/diff: outside DiskRoots=");
    relative_overlay(f, "lowerdir=l,upperdir=/data/layer/diff,workdir=/data/layer/work");
    assert_int_equal(strncmp(found(f, "/data/layer/diff")->why, "outside ", 8), 0);
    assert_int_equal(strncmp(found(f, "/data/layer/work")->why, "outside ", 8), 0);

    /* and by the runtime's state */
    f->table[0] = '\0';
    host_file(f, DOCKER "/image/overlay2/layerdb/mounts/" ID "/mount-id", "mine");
    scratch_rmdir(&f->scratch, "root" LAYER "/diff");
    assert_int_equal(symlink("../other", scratch_path(&f->scratch, "root" LAYER "/diff", path)), 0);
    find_all(f);
    assert_out(f, LAYER "/diff", "symbolic link");
    assert_out(f, LAYER "/work", "not without " LAYER "/diff: reached through a symbolic link");
    assert_int_equal(f->n, 2);
}

/* hosts of another container's network, resolv.conf of the host: not its own. */
static void files_of_others(void **state)
{
    struct Fixture *f = *state;

    host_file(f, DOCKER "/containers/" OTHER_ID "/hosts", "");
    docker_root(f);
    mounted(f, f->dev, DOCKER "/containers/" OTHER_ID "/hosts", "/etc/hosts", "xfs", "");
    mounted(f, f->dev, "/etc/resolv.conf", "/etc/resolv.conf", "xfs", "");
    mounted(f, f->dev, "/srv/hostname", "/etc/hostname", "xfs", "");
    host_file(f, "/srv/hostname", "");
    find_all(f);
    assert_out(f, DOCKER "/containers/" OTHER_ID "/hosts", "a single file");
    assert_out(f, "/etc/resolv.conf", "outside DiskRoots=");
    assert_out(f, "/srv/hostname", "a single file");
    assert_layer_counts(f, LAYER);
    assert_int_equal(f->n, 5);

    /* in no directory, and not to be found on this host */
    f->table[0] = '\0';
    docker_root(f);
    mounted(f, f->dev, "/hosts", "/etc/hosts", "xfs", "");
    mounted(f, "8:99", "/resolv.conf", "/etc/resolv.conf", "xfs", "");
    find_all(f);
    assert_out(f, "/hosts", "outside DiskRoots=");
    assert_out(f, "/etc/resolv.conf", "not mounted on this host");
    assert_int_equal(f->n, 4);

    /* its log is its own all the same */
    host_file(f, LOG, "");
    assert_int_equal(find(f), 0);
    assert_counts(f, LOG, DIRECTORY_RUNTIME);
    assert_int_equal(f->n, 5);
}

static void podman_owner(struct Fixture *f)
{
    f->owner.name = "podman/db";
    f->owner.path = "machine.slice/libpod-" ID ".scope";
    f->owner.unit = "libpod-" ID ".scope";
}

static void podman(void **state)
{
    struct Fixture *f = *state;

    podman_owner(f);
    host_layer(f, PODMAN "/overlay/top");
    host_file(f, PODMAN "/overlay-containers/" ID "/userdata/ctr.log", "");
    host_file(f, PODMAN "/overlay-containers/" ID "/userdata/config.json", "{}");
    host_mount(f, "0:1000051", "/", PODMAN "/overlay/top/merged", "overlay",
               "lowerdir=l,upperdir=" PODMAN "/overlay/top/diff,workdir=" PODMAN
               "/overlay/top/work,metacopy=on");
    mounted(f, "0:1000051", "/", "/", "overlay", "lowerdir=l,upperdir=x,workdir=y");
    mounted(f, "0:1000030", "/containers/storage/overlay-containers/" ID "/userdata/hosts", "/etc/hosts",
            "tmpfs", "");
    mounted(f, "0:1000030", "/containers/storage/overlay-containers/" ID "/userdata/.containerenv",
            "/run/.containerenv", "tmpfs", "");
    find_all(f);
    assert_layer_counts(f, PODMAN "/overlay/top");
    assert_counts(f, PODMAN "/overlay-containers/" ID "/userdata/ctr.log", DIRECTORY_RUNTIME);
    assert_out(f, "/run/containers/storage/overlay-containers/" ID "/userdata/hosts", ON_TMPFS);
    assert_int_equal(f->n, 4);
}

/* Beside what is called so only. */
static void podman_layer_elsewhere(void **state)
{
    struct Fixture *f = *state;

    podman_owner(f);
    host_layer(f, "/srv/a/b/layer");
    host_file(f, "/srv/a/overlay-containers/" ID "/userdata/ctr.log", "");
    host_mount(f, "0:1000051", "/", "/srv/merged", "overlay",
               "lowerdir=l,upperdir=/srv/a/b/layer/diff,workdir=/srv/a/b/layer/work");
    mounted(f, "0:1000051", "/", "/", "overlay", "");
    find_all(f);
    assert_layer_counts(f, "/srv/a/b/layer");
    assert_int_equal(f->n, 2);
}

/* So near the root that there is nothing beside it. */
static void podman_layer_near_the_root(void **state)
{
    static const char *const layers[] = {"", "/srv", "/overlay/srv"};
    struct Fixture *f = *state;

    podman_owner(f);
    f->roots[2] = "/";
    host_file(f, "/overlay-containers/" ID "/userdata/ctr.log", "");
    host_file(f, "/srv/overlay-containers/" ID "/userdata/ctr.log", "");
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
        char options[256];

        host_layer(f, layers[i]);
        snprintf(options, sizeof(options), "lowerdir=l,upperdir=%s/diff,workdir=%s/work", layers[i],
                 layers[i]);
        relative_overlay(f, options);
        assert_layer_counts(f, layers[i]);
        assert_int_equal(f->n, 2);
    }
}

static void podman_by_its_state(void **state)
{
    struct Fixture *f = *state;

    podman_owner(f);
    host_layer(f, PODMAN "/overlay/top");
    host_file(f, PODMAN "/overlay-containers/" ID "/userdata/ctr.log", "");
    host_file(f, PODMAN "/overlay-containers/containers.json",
              "[{\"id\":\"" OTHER_ID "\",\"layer\":\"other\"},{\"id\":\"" ID
              "\",\"names\":[\"db\"],\"layer\":\"top\"}]");
    mounted(f, "0:1000099", "/", "/", "overlay", "lowerdir=l,upperdir=/srv/web/a,workdir=/srv/web/b");
    find_all(f);
    assert_layer_counts(f, PODMAN "/overlay/top");
    assert_counts(f, PODMAN "/overlay-containers/" ID "/userdata/ctr.log", DIRECTORY_RUNTIME);
    assert_int_equal(f->n, 3);
}

static void other_runtimes(void **state)
{
    struct Fixture *f = *state;

    f->owner.name = f->owner.unit = "cri-containerd-" ID ".scope";
    f->owner.path = "kubepods.slice/cri-containerd-" ID ".scope";
    f->owner.container_id = "";
    docker_root(f);
    find_all(f);
    assert_layer_counts(f, LAYER);
    f->owner.path = "user.slice/cri-containerd-" ID ".scope";
    assert_int_equal(find(f), 0);
    assert_int_equal(f->n, 0);
}

/* Named as a container would be, but for the end. */
static void scopes_that_are_none(void **state)
{
    static const char *const units[] = {"cri-" ID ".service", "cri-" ID "0.scope", "cri-0123.scope",
                                        ID ".scope",          "nspawn.scope",      NULL};
    struct Fixture *f = *state;

    f->owner.name = "other";
    f->owner.path = "kubepods.slice/other";
    f->owner.container_id = "";
    docker_root(f);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        f->owner.unit = units[i];
        find_all(f);
        assert_int_equal(f->n, 0);
    }
    f->owner.name = "nspawn/box"; /* and no unit: nobody of the host's own made it */
    find_all(f);
    assert_int_equal(f->n, 0);
}

/* systemd-nspawn itself is in the cgroup too, and older. */
static void machine(void **state)
{
    struct Fixture *f = *state;

    f->owner.name = "nspawn/box";
    f->owner.unit = "systemd-nspawn@box.service";
    f->owner.path = "machine.slice/systemd-nspawn@box.service";
    f->owner.container_id = "";
    host_directory(f, "/srv/machines/box");
    mounted(f, f->dev, "/", "/", "xfs", "");
    process(f, 5, "systemd-nspawn", 1);
    cgroup(f, "cg/supervisor", "5\n");
    cgroup(f, "cg", "");
    assert_int_equal(find(f), 0);
    assert_true(f->unsettled);

    f->table[0] = '\0';
    mounted(f, f->dev, "/srv/machines/box", "/", "xfs", "");
    process(f, 6, "systemd", 2);
    cgroup(f, "cg/payload/init.scope", "6\n");
    cgroup(f, "cg/payload", "");
    assert_int_equal(find(f), 0);
    assert_false(f->unsettled);
    assert_counts(f, "/srv/machines/box", DIRECTORY_LAYER);

    /* it has no id that a directory of its runtime's could be named after */
    host_file(f, "/srv/hosts", "");
    mounted(f, f->dev, "/srv/hosts", "/etc/hosts", "xfs", "");
    process(f, 6, "systemd", 2);
    assert_int_equal(find(f), 0);
    assert_out(f, "/srv/hosts", "a single file");

    f->table[0] = '\0';
    mounted(f, "7:1", "/", "/", "ext4", "");
    process(f, 6, "systemd", 2);
    assert_int_equal(find(f), 0);
    assert_out(f, "/", "not mounted on this host");
}

/* What a runtime mounts unasked goes without a word; what is only called like it does not. */
static void memory(void **state)
{
    static const char *const unasked[] = {"/dev",      "/dev/shm",   "/run",
                                          "/run/lock", "/proc/acpi", "/sys/firmware"};
    static const char *const asked[] = {"/running", "/device", "/processes/x", "/data"};
    struct Fixture *f = *state;

    mounted(f, HOST_OVERLAY, "/", "/", "overlay", "");
    for (size_t i = 0; i < sizeof(unasked) / sizeof(unasked[0]); i++)
        mounted(f, "0:1000070", "/", unasked[i], "tmpfs", "");
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
        mounted(f, "0:1000071", "/", asked[i], i % 2 ? "tmpfs" : "ramfs", "");
    find_all(f);
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
        assert_out(f, asked[i], ON_TMPFS);
    assert_int_equal(f->n, 2 + sizeof(asked) / sizeof(asked[0]));
}

/* Whichever allocation fails: that is what is told, and no part of a footprint as if it were all. */
static void without_memory(void **state)
{
    struct Fixture *f = *state;
    struct Mounts mounts;

    for (int podman = 0; podman < 2; podman++) {
        if (podman)
            podman_owner(f);
        f->table[0] = '\0';
        docker_root(f);
        host_file(f, LOG, "");
        host_file(f, DOCKER "/containers/" ID "/hosts", "");
        mounted(f, f->dev, DOCKER "/containers/" ID "/hosts", "/etc/hosts", "xfs", "");
        mounted(f, f->dev, "/srv/web", "/web", "xfs", "");
        mounted(f, "0:1000070", "/", "/scratch", "tmpfs", "");
        process(f, 10, "init", 100);
        read_host(f, &mounts);
        EACH_FAILURE(nth, ANY_ALLOCATION, ENOMEM)
        {
            int r = find_on(f, &mounts);

            if (!call_failed()) {
                assert_int_equal(r, 0);
                break;
            }
            assert_int_equal(r, -ENOMEM);
        }
        mounts_done(&mounts);
    }
}

static void being_started(void **state)
{
    struct Fixture *f = *state;

    f->disk_paths[0] = "/srv/web";
    mounted(f, f->dev, "/", "/", "xfs", "");
    mounted(f, f->dev, "/srv/victim", "/x", "xfs", "");
    find_all(f);
    assert_true(f->unsettled);
    assert_counts(f, "/srv/web", DIRECTORY_NAMED);
    assert_int_equal(f->n, 1);
}

static void more_than_may_count(void **state)
{
    struct Fixture *f = *state;

    docker_root(f);
    for (int i = 0; i < 300; i++) {
        char path[64];

        snprintf(path, sizeof(path), "/srv/many/%03d", i);
        host_directory(f, path);
        mounted(f, f->dev, path, path, "xfs", "");
        snprintf(path, sizeof(path), "/srv/none/%03d", i);
        mounted(f, f->dev, path, path, "xfs", "");
    }
    find_all(f);
    assert_int_equal(f->n, 256 + 64 + 1);
    assert_out(f, "(more)", "282 more are left out: 256 directories may count");
    assert_layer_counts(f, LAYER);
}

/* --- services and users -------------------------------------------------------------------------------- */

static void service_owner(struct Fixture *f)
{
    f->owner.name = f->owner.unit = "web.service";
    f->owner.path = "system.slice/web.service";
    f->owner.container_id = "";
}

static void service(void **state)
{
    struct Fixture *f = *state;
    char *directories[] = {"/srv/state", "/var/lib/web", NULL};

    service_owner(f);
    f->disk_paths[0] = "/srv/%p/";
    f->disk_paths[1] = "/srv/%n";
    f->disk_paths[2] = "StateDirectory";
    host_directory(f, "/srv/state");
    assert_int_equal(find(f), 0);
    assert_counts(f, "/srv/web", DIRECTORY_NAMED);
    assert_out(f, "/srv/web.service", "no such directory");
    assert_int_equal(f->n, 2);

    f->owner.state_directories = directories;
    assert_int_equal(find(f), 0);
    assert_counts(f, "/srv/state", DIRECTORY_NAMED);
    assert_out(f, "/var/lib/web", "outside DiskRoots=");
    assert_int_equal(f->n, 4);
}

/* In a mount namespace of its own a service sees what it likes. */
static void mounts_of_services_are_not_believed(void **state)
{
    struct Fixture *f = *state;

    service_owner(f);
    mounted(f, f->dev, "/srv/web", "/", "xfs", "");
    mounted(f, f->dev, "/srv/victim", "/x", "xfs", "");
    find_all(f);
    assert_false(f->unsettled);
    assert_int_equal(f->n, 0);
}

static void user(void **state)
{
    struct Fixture *f = *state;

    f->owner = (struct FootprintOwner){.name = "user/alice",
                                       .path = "user.slice/user-1000.slice",
                                       .unit = "user-1000.slice",
                                       .container_id = "",
                                       .cgroup_fd = f->owner.cgroup_fd,
                                       .class = &f->class};
    f->disk_paths[0] = "/srv/%u";
    f->disk_paths[1] = "/srv/n%U";
    host_directory(f, "/srv/alice");
    host_directory(f, "/srv/n1000");
    assert_int_equal(find(f), 0);
    assert_counts(f, "/srv/alice", DIRECTORY_NAMED);
    assert_counts(f, "/srv/n1000", DIRECTORY_NAMED);
    assert_int_equal(f->n, 2);
}

static void assert_expands(const struct Fixture *f, const char *pattern, const char *expected)
{
    const struct FootprintSources sources = {.proc = f->proc, .root = f->root, .passwd = f->passwd};
    char *path = NULL;
    int r = footprint_expand(&sources, &f->owner, pattern, &path);

    assert_int_equal(r, expected ? 0 : -EINVAL);
    if (expected)
        assert_string_equal(path, expected);
    free(path);
}

static void patterns(void **state)
{
    struct Fixture *f = *state;
    char longest[PATH_MAX + 1];

    service_owner(f);
    assert_expands(f, "/srv/%n/%p/100%%/", "/srv/web.service/web/100%");
    assert_expands(f, "/srv/%c", "/srv/web.service");
    assert_expands(f, "/srv/%u", NULL);
    assert_expands(f, "/srv/%U", NULL);
    assert_expands(f, "/srv/%x", NULL);
    assert_expands(f, "/srv/%", NULL);
    assert_expands(f, "/", "/");
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_expands(f, longest, NULL);
    f->owner.unit = "..service";
    assert_expands(f, "/srv/%p", NULL);
    f->owner.unit = "web";
    assert_expands(f, "/srv/%p", NULL);
    f->owner.unit = NULL;
    assert_expands(f, "/srv/%n", NULL);
    f->owner.path = "jobs";
    assert_expands(f, "/srv/%c", "/srv/jobs");
    f->owner.path = "jobs/.hidden";
    assert_expands(f, "/srv/%c", NULL);
}

static void pattern_without_memory(void **state)
{
    struct Fixture *f = *state;
    char *path;

    fail_call(ANY_ALLOCATION, 1, ENOMEM);
    assert_int_equal(footprint_expand(&(struct FootprintSources){0}, &f->owner, "/srv", &path), -ENOMEM);
    assert_true(call_failed());
}

static void users(void **state)
{
    struct Fixture *f = *state;

    scratch_write(&f->scratch, "passwd",
                  "root:x:0:0::/root:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n"
                  "..:x:1002:1002::/:/bin/sh\na/b:x:1003:1003::/:/bin/sh\n");
    f->owner.unit = NULL;
    f->owner.name = "user/1001";
    f->owner.path = "user.slice/user-1001.slice";
    assert_expands(f, "/home/%u", "/home/bob");
    f->owner.name = "user@1001.service";
    f->owner.path = "user.slice/user-1001.slice/user@1001.service";
    assert_expands(f, "/home/%u-%U", "/home/bob-1001");
    f->owner.path = "user.slice/user-1002.slice";
    assert_expands(f, "/home/%u", NULL);
    f->owner.path = "user.slice/user-1003.slice";
    assert_expands(f, "/home/%u", NULL);
    f->owner.path = "user.slice/user-1004.slice";
    assert_expands(f, "/home/%u", NULL);
    f->owner.name = "user/..";
    assert_expands(f, "/home/%u", NULL);
    f->owner.name = "user/a/b";
    assert_expands(f, "/home/%u", NULL);
    f->owner.name = "user/alice";
    f->owner.path = "user.slice/user-1001.slicex";
    assert_expands(f, "/home/%u", NULL);
    f->owner.path = "user.slice/user-.slice";
    assert_expands(f, "/home/%U", NULL);
    f->owner.path = "user.slice/user-1001.scope";
    assert_expands(f, "/home/%U", NULL);
    f->owner.path = "user.slice/user-11111111111.slice";
    assert_expands(f, "/home/%U", NULL);
    f->owner.name = "user-4294967295.slice";
    f->owner.path = "user.slice/user-4294967295.slice"; /* the number of nobody at all */
    assert_expands(f, "/home/%u", NULL);
    f->owner.path = "user.slice/user-1001.slice";
    assert_expands(f, "/home/%u", "/home/bob");
    scratch_unlink_file(&f->scratch, "passwd");
    assert_expands(f, "/home/%u", NULL);
    f->owner.path = "evil.slice";
    assert_expands(f, "/home/%u", NULL);
}

/* --- the oldest process -------------------------------------------------------------------------------- */

static void assert_oldest(const struct Fixture *f, int expected)
{
    pid_t pid = 0;
    int r = footprint_oldest(f->proc, f->owner.cgroup_fd, &pid);

    assert_int_equal(expected < 0 ? r : pid, expected);
}

static void oldest(void **state)
{
    struct Fixture *f = *state;

    cgroup(f, "cg", "0\n10\n11\n12\n");
    assert_oldest(f, -ESRCH);
    process(f, 12, "late", 300);
    assert_oldest(f, 12);
    process(f, 11, "same", 300);
    assert_oldest(f, 11);
    process(f, 10, "evil) S 1 1 1 0 -1 1 1 0 0 0 1 1 0 0 20 0 1 0 1 (", 500);
    assert_oldest(f, 11);
    process(f, 9, "a b) c", 200);
    cgroup(f, "cg/init.scope", "9\n");
    assert_oldest(f, 9);
    process(f, 8, "", 100);
    cgroup(f, "cg/a/b/c", "8\n");
    assert_oldest(f, 8);
    scratch_write(&f->scratch, "proc/8/stat", "8 (cut");
    assert_oldest(f, 9);
}

/* Younger ones, and those that began at the same time behind it, do not come before it. */
static void oldest_comes_first(void **state)
{
    struct Fixture *f = *state;

    process(f, 10, "first", 100);
    process(f, 11, "same", 100);
    process(f, 12, "later", 101);
    cgroup(f, "cg", "10\n11\n12\n");
    assert_oldest(f, 10);
    cgroup(f, "cg", "11\n12\n10\n");
    assert_oldest(f, 10);
}

/* What proc_pid_stat(5) does not say. */
static void no_stat_of_a_process(void **state)
{
    static const char *const starts[] = {"-5", "x", "12x", "", "12"};
    char head[] = "10 (init) S 1 1 1 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 ", text[4096];
    struct Fixture *f = *state;
    struct Process process;

    scratch_mkdir(&f->scratch, "proc/10");
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        snprintf(text, sizeof(text), "%s%s", head, starts[i]);
        scratch_write(&f->scratch, "proc/10/stat", text);
        assert_int_equal(process_see(f->proc, 10, &process), -EBADMSG);
    }
    scratch_write(&f->scratch, "proc/10/stat", "10 (init) S 1 1");
    assert_int_equal(process_see(f->proc, 10, &process), -EBADMSG);
    memset(text, ' ', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    scratch_write(&f->scratch, "proc/10/stat", text);
    assert_int_equal(process_see(f->proc, 10, &process), -ENOBUFS);
    fail_call("open64", 1, EACCES);
    assert_int_equal(process_see(f->proc, 10, &process), -EACCES);
    assert_true(call_failed());
    assert_int_equal(process_see(f->proc, 11, &process), -ESRCH);
}

/* What goes wrong with the tenant's own cgroup is told; what does not say that it is gone, or that guardd has
 * come to an end of its own, leaves those below it. */
static void cgroup_that_cannot_be_read(void **state)
{
    static const struct {
        const char *function;
        int error, expected;
    } table[] = {
        {"openat64", EMFILE, -EMFILE}, {"openat64", ENFILE, -ENFILE},
        {"openat64", ENOENT, -ENODEV}, {"openat64", ENODEV, -ENODEV},
        {"openat64", EACCES, 9},       {"fdopen", ENOMEM, -ENOMEM},
        {"ferror", ENODEV, -ENODEV},   {"ferror", EIO, 9},
    };
    struct Fixture *f = *state;

    process(f, 9, "below", 200);
    cgroup(f, "cg", "");
    cgroup(f, "cg/below", "9\n");
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        fail_call(table[i].function, 1, table[i].error);
        assert_oldest(f, table[i].expected);
        assert_true(call_failed());
    }
    fail_call("openat64", 2, EMFILE); /* its list of children */
    assert_oldest(f, -ESRCH);
    assert_true(call_failed());
    fail_call("fdopendir", 1, ENOMEM);
    assert_oldest(f, -ESRCH);
    assert_true(call_failed());
}

/* A link is no child. */
static void link_among_cgroups(void **state)
{
    struct Fixture *f = *state;
    char path[PATH_MAX];

    process(f, 9, "elsewhere", 200);
    cgroup(f, "elsewhere", "9\n");
    cgroup(f, "cg", "");
    assert_int_equal(symlink("../elsewhere", scratch_path(&f->scratch, "cg/link", path)), 0);
    assert_oldest(f, -ESRCH);
}

static void thousands_of_processes(void **state)
{
    struct Fixture *f = *state;
    static char pids[4097 * sizeof("10000\n")];
    size_t length = 0;

    for (int i = 0; i < 4095; i++)
        length += (size_t)snprintf(pids + length, sizeof(pids) - length, "10000\n");
    process(f, 11, "last", 100);
    process(f, 12, "behind", 50);
    snprintf(pids + length, sizeof(pids) - length, "11\n12\n");
    cgroup(f, "cg", pids);
    assert_oldest(f, 11);
}

static void gone(void **state)
{
    struct Fixture *f = *state;

    cgroup(f, "cg", "");
    assert_int_equal(find(f), -ESRCH);
    assert_oldest(f, -ESRCH);
    scratch_unlink_file(&f->scratch, "cg/cgroup.procs");
    assert_oldest(f, -ENODEV);
    assert_int_equal(find(f), -ENODEV);
}

/* The first thread has ended: the kernel shows no table for the process, but for those that are left. */
static void process_without_its_first_thread(void **state)
{
    struct Fixture *f = *state;

    docker_root(f);
    process(f, 10, "init", 100);
    scratch_unlink_file(&f->scratch, "proc/10/mountinfo");
    assert_int_equal(find(f), -ESRCH);
    scratch_mkdir(&f->scratch, "proc/10/task/10");
    scratch_mkdir(&f->scratch, "proc/10/task/11");
    scratch_write(&f->scratch, "proc/10/task/11/mountinfo", f->table);
    assert_int_equal(find(f), 0);
    assert_layer_counts(f, LAYER);
}

/* None of its threads has a table, or one that cannot be read. */
static void process_without_any_table(void **state)
{
    struct Fixture *f = *state;
    struct Process known = {.pid = 10, .start = 100};
    struct Mounts mounts = {0};

    docker_root(f);
    process(f, 10, "init", 100);
    scratch_unlink_file(&f->scratch, "proc/10/mountinfo");
    scratch_mkdir(&f->scratch, "proc/10/task/10");
    assert_int_equal(process_mounts(f->proc, &known, &mounts), -ESRCH);
    for (int i = 1; i < 100; i++) {
        char path[64];

        snprintf(path, sizeof(path), "proc/10/task/%d", 10 + i);
        scratch_mkdir(&f->scratch, path);
    }
    assert_int_equal(process_mounts(f->proc, &known, &mounts), -ESRCH);
    for (int i = 0; i < 100; i++) {
        char path[64];

        snprintf(path, sizeof(path), "proc/10/task/%d/mountinfo", 10 + i);
        scratch_mkdir(&f->scratch, path);
    }
    assert_int_equal(process_mounts(f->proc, &known, &mounts), -EISDIR);
}

static void thousands_of_cgroups(void **state)
{
    struct Fixture *f = *state;
    char name[PATH_MAX];
    size_t length;

    process(f, 10, "init", 100);
    process(f, 11, "deep", 50);
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof(name), "cg/n%d", i);
        cgroup(f, name, "");
    }
    length = strlen(strcpy(name, "cg/n0"));
    for (int i = 0; i < 1000 && length + 3 < 3500; i++) {
        memcpy(name + length, "/d", 3);
        length += 2;
        cgroup(f, name, "");
    }
    assert_oldest(f, 10);
}

/* Between the two looks at it the pid became another's. */
static void pid_used_again(void **state)
{
    struct Fixture *f = *state;
    struct Process known = {.pid = 10, .start = 100};
    struct Mounts mounts = {0};

    docker_root(f);
    process(f, 10, "init", 100);
    assert_int_equal(process_mounts(f->proc, &known, &mounts), 0);
    assert_int_equal(mounts.n, 4);
    mounts_done(&mounts);
    process(f, 10, "another", 101);
    assert_int_equal(process_mounts(f->proc, &known, &mounts), -ESRCH);
    scratch_unlink_file(&f->scratch, "proc/10/stat");
    assert_int_equal(process_mounts(f->proc, &known, &mounts), -ESRCH);
}

#define FOOTPRINT_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOOTPRINT_TEST(docker),
        FOOTPRINT_TEST(log_of_docker),
        FOOTPRINT_TEST(log_outside),
        FOOTPRINT_TEST(upper_and_work_count_together),
        FOOTPRINT_TEST(volumes_that_do_not_count),
        FOOTPRINT_TEST(nested_and_double),
        FOOTPRINT_TEST(one_disk_in_many_places),
        FOOTPRINT_TEST(one_directory_by_two_names),
        FOOTPRINT_TEST(stores_of_containers),
        FOOTPRINT_TEST(symbolic_links),
        FOOTPRINT_TEST(overlay_of_ones_own_is_not_believed),
        FOOTPRINT_TEST(overlay_among_others),
        FOOTPRINT_TEST(layers_named_otherwise),
        FOOTPRINT_TEST(files_of_others),
        FOOTPRINT_TEST(podman),
        FOOTPRINT_TEST(podman_layer_elsewhere),
        FOOTPRINT_TEST(podman_layer_near_the_root),
        FOOTPRINT_TEST(podman_by_its_state),
        FOOTPRINT_TEST(other_runtimes),
        FOOTPRINT_TEST(scopes_that_are_none),
        FOOTPRINT_TEST(machine),
        FOOTPRINT_TEST(memory),
        FOOTPRINT_TEST(without_memory),
        FOOTPRINT_TEST(being_started),
        FOOTPRINT_TEST(more_than_may_count),
        FOOTPRINT_TEST(service),
        FOOTPRINT_TEST(mounts_of_services_are_not_believed),
        FOOTPRINT_TEST(user),
        FOOTPRINT_TEST(patterns),
        FOOTPRINT_TEST(pattern_without_memory),
        FOOTPRINT_TEST(users),
        FOOTPRINT_TEST(oldest),
        FOOTPRINT_TEST(oldest_comes_first),
        FOOTPRINT_TEST(no_stat_of_a_process),
        FOOTPRINT_TEST(cgroup_that_cannot_be_read),
        FOOTPRINT_TEST(link_among_cgroups),
        FOOTPRINT_TEST(thousands_of_processes),
        FOOTPRINT_TEST(gone),
        FOOTPRINT_TEST(process_without_its_first_thread),
        FOOTPRINT_TEST(process_without_any_table),
        FOOTPRINT_TEST(pid_used_again),
        FOOTPRINT_TEST(thousands_of_cgroups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
