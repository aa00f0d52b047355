/* Each probe looks at one thing and says one sentence: what is there, or what is missing, what follows
 * from that and what to do. What enforcing needs is looked for in a cgroup that exists anyway: nothing is
 * created. */
#include "sense/host.h"

#include <fcntl.h>
#include <mntent.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/cleanup.h"
#include "base/error.h"

/* A cgroup costs one watch, a tenant two more. */
#define WATCHES_PER_CGROUP 3
#define WATCHES_MIN 8192

int host_find_cgroup_root(const char *mount_table, char **ret_path)
{
    char buf[8192];
    struct mntent entry;
    FILE *table = setmntent(mount_table, "re");
    char *found = NULL;
    bool seen = false;

    if (!table)
        return negative_errno();
    while (!seen && getmntent_r(table, &entry, buf, sizeof(buf))) {
        seen = strcmp(entry.mnt_type, "cgroup2") == 0;
        if (seen)
            found = strdup(entry.mnt_dir);
    }
    endmntent(table);
    if (!found)
        return seen ? -ENOMEM : -ENOENT;
    *ret_path = found;
    return 0;
}

/* The text behind "0::/" of a line; NULL when it is another hierarchy's. */
static const char *unified_path(char *line)
{
    line[strcspn(line, "\n")] = '\0';
    return strncmp(line, "0::/", 4) == 0 ? line + 4 : NULL;
}

int host_cgroup_of(int pid, char **ret_path)
{
    _cleanup_file_ FILE *file = NULL;
    _cleanup_free_ char *line = NULL;
    const char *path = NULL;
    char name[64] = "/proc/self/cgroup";
    char *copy;
    size_t size = 0;

    if (pid != 0)
        snprintf(name, sizeof(name), "/proc/%d/cgroup", pid);
    file = fopen(name, "re");
    if (!file)
        return negative_errno();
    while (!path && getline(&line, &size, file) >= 0)
        path = unified_path(line);
    if (!path)
        return -ENOENT;
    copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    *ret_path = copy;
    return 0;
}

void host_finding(struct HostFindings *findings, bool ok, const char *what, const char *format, ...)
{
    struct HostFinding *added;
    va_list args;

    if (findings->n == HOST_FINDINGS_MAX)
        return;
    added = &findings->list[findings->n++];
    added->ok = ok;
    snprintf(added->what, sizeof(added->what), "%s", what);
    va_start(args, format);
    vsnprintf(added->text, sizeof(added->text), format, args);
    va_end(args);
}

bool host_finding_is_needed(const struct HostFinding *finding)
{
    static const char *const needed[] = {"cgroup v2", "pids controller", "freezing", "killing", "permission"};

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (strcmp(finding->what, needed[i]) == 0)
            return true;
    return false;
}

/* A small file as a string; false when there is none. */
static bool read_text(int dir_fd, const char *name, char *buf, size_t size)
{
    _cleanup_fd_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);

    return fd >= 0 && fd_read_file(fd, buf, size) >= 0;
}

static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    for (text += strspn(text, " \n"); *text != '\0'; text += strspn(text, " \n")) {
        size_t n = strcspn(text, " \n");

        if (n == length && strncmp(text, word, n) == 0)
            return true;
        text += n;
    }
    return false;
}

static bool has_file(int dir_fd, const char *name)
{
    return dir_fd >= 0 && faccessat(dir_fd, name, F_OK, 0) == 0;
}

/* Some cgroup below the root, with the pids files if any has them; -EBADF when there is none. */
static int open_any_child(int root_fd)
{
    _cleanup_fd_ int found = -EBADF;
    _cleanup_dir_ DIR *list = NULL;
    struct dirent *entry;
    int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list) {
        fd_close(fd);
        return -EBADF;
    }
    while (!has_file(found, "pids.events") && (entry = readdir(list))) {
        _cleanup_fd_ int child = -EBADF;

        if (entry->d_name[0] == '.')
            continue;
        child = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (!has_file(child, "cgroup.events") || (found >= 0 && !has_file(child, "pids.events")))
            continue;
        fd_close(found);
        found = take_fd(&child);
    }
    return take_fd(&found);
}

static void probe_pids(int root_fd, const char *controllers, struct HostFindings *ret)
{
    char enabled[512];

    if (!has_word(controllers, "pids")) {
        host_finding(ret, false, "pids controller",
                     "the cgroup v2 tree has none: forks and tasks are not seen and TasksMax= cannot be "
                     "set. On a hybrid host boot with systemd.unified_cgroup_hierarchy=1; else the kernel "
                     "lacks CONFIG_CGROUP_PIDS");
        return;
    }
    if (!read_text(root_fd, "cgroup.subtree_control", enabled, sizeof(enabled)) || !has_word(enabled, "pids"))
        host_finding(ret, false, "pids controller",
                     "there, but not enabled for the cgroups below the root: their forks and tasks are "
                     "not seen. Set DefaultTasksAccounting=yes in /etc/systemd/system.conf, or write "
                     "\"+pids\" to cgroup.subtree_control");
    else
        host_finding(ret, true, "pids controller", "enabled: forks and tasks are seen and limited");
}

/* What the rules on a resource need besides its pressure: what its tenants use, and where they are slowed. */
static void probe_controller(int root_fd, const char *controllers, const char *name, const char *files,
                             struct HostFindings *ret)
{
    char what[48], enabled[512];

    snprintf(what, sizeof(what), "%s controller", name);
    if (!has_word(controllers, name))
        host_finding(ret, false, what,
                     "the cgroup v2 tree has none: %s are not there, so that no limit is kept and nobody is "
                     "slowed down in it",
                     files);
    else if (!read_text(root_fd, "cgroup.subtree_control", enabled, sizeof(enabled)) ||
             !has_word(enabled, name))
        host_finding(ret, false, what,
                     "there, but not enabled for the cgroups below the root: %s are there only for units "
                     "that ask for them (Delegate=yes, as containers do, or a limit). To enable it write "
                     "\"+%s\" to cgroup.subtree_control",
                     files, name);
    else
        host_finding(ret, true, what, "enabled: %s", files);
}

static void probe_pressure(int child_fd, struct HostFindings *ret)
{
    char text[512];

    if (child_fd < 0)
        host_finding(ret, false, "pressure",
                     "cannot tell: the tree has no cgroup below its root to look into");
    else if (!read_text(child_fd, "memory.pressure", text, sizeof(text)))
        host_finding(
            ret, false, "pressure",
            "the kernel does not count it: rules on pressure and memory.stall, of tenants and of the "
            "host, never begin. Boot with psi=1; else the kernel lacks CONFIG_PSI");
    else
        host_finding(ret, true, "pressure", "counted and announced (PSI)");
}

/* Who else ends what takes too much, found by its cgroup. None of them asks guardd, or is asked. */
static void probe_others(int root_fd, struct HostFindings *ret)
{
    static const struct {
        const char *cgroup, *what, *text;
    } others[] = {
        {"system.slice/systemd-oomd.service/cgroup.events", "systemd-oomd",
         "is active, too: it kills cgroups, those that ManagedOOMSwap= and ManagedOOMMemoryPressure= name. "
         "guardd slows down, freezes and kills tenants by its own rules; what ManagedOOMPreference= spares, "
         "it spares in elections"},
        {"system.slice/earlyoom.service/cgroup.events", "earlyoom",
         "is active, too: it kills the process with the highest oom_score, whosoever it is, when memory and "
         "swap are nearly used up. guardd goes by pressure, and by tenants: it mostly comes first"},
        {"system.slice/oomd.service/cgroup.events", "oomd",
         "is active, too: it kills cgroups by the rules of its own configuration. A cgroup should be in the "
         "hand of one of the two"},
    };

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (has_file(root_fd, others[i].cgroup))
            host_finding(ret, true, others[i].what, "%s", others[i].text);
}

static void probe_freeze(int child_fd, struct HostFindings *ret)
{
    if (child_fd < 0)
        host_finding(ret, false, "freezing",
                     "cannot tell: the tree has no cgroup below its root to look into");
    else if (!has_file(child_fd, "cgroup.freeze"))
        host_finding(ret, false, "freezing",
                     "the kernel has no cgroup.freeze: nothing can be frozen, and a freeze step fails. Use "
                     "Linux 5.2 or later");
    else
        host_finding(ret, true, "freezing", "cgroup.freeze is there");
}

static void probe_kill(int child_fd, struct HostFindings *ret)
{
    if (child_fd < 0)
        host_finding(ret, false, "killing",
                     "cannot tell: the tree has no cgroup below its root to look into");
    else if (!has_file(child_fd, "cgroup.kill"))
        host_finding(ret, false, "killing",
                     "the kernel has no cgroup.kill: nothing can be killed as a whole, and a kill step "
                     "fails. Use Linux 5.14 or later");
    else
        host_finding(ret, true, "killing", "cgroup.kill is there");
}

static void probe_write(int child_fd, struct HostFindings *ret)
{
    if (!has_file(child_fd, "cgroup.freeze"))
        return;
    if (faccessat(child_fd, "cgroup.freeze", W_OK, AT_EACCESS) == 0)
        host_finding(ret, true, "permission", "cgroups may be written to");
    else
        host_finding(ret, false, "permission",
                     "cgroup.freeze cannot be written (%s): guardd can look, but not act. Run it as root, "
                     "on a cgroup tree that is not mounted read-only",
                     strerror(errno));
}

static void probe_local_events(int child_fd, struct HostFindings *ret)
{
    if (!has_file(child_fd, "pids.events"))
        return; /* the finding on the controller says it */
    if (has_file(child_fd, "pids.events.local"))
        host_finding(ret, true, "own refused forks", "pids.events.local is there");
    else
        host_finding(ret, false, "own refused forks",
                     "the kernel has no pids.events.local, so pids.events is read: forks that a cgroup "
                     "inside a tenant was refused may count as the tenant's own. Linux 6.11 has it");
}

static bool read_sysctl(const char *path, uint64_t *ret_value)
{
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd >= 0 && fd_read_value(fd, ret_value) == 0;
}

static uint64_t watches_wanted(int root_fd)
{
    uint64_t cgroups = 0;
    char stat[1024];

    if (read_text(root_fd, "cgroup.stat", stat, sizeof(stat)))
        keyed_value(stat, "nr_descendants", &cgroups);
    if (cgroups > UINT32_MAX)
        return UINT64_MAX;
    cgroups *= WATCHES_PER_CGROUP;
    return cgroups > WATCHES_MIN ? cgroups : WATCHES_MIN;
}

static void probe_inotify(int root_fd, struct HostFindings *ret)
{
    uint64_t watches, instances, wanted = watches_wanted(root_fd);

    if (!read_sysctl("/proc/sys/fs/inotify/max_user_watches", &watches) ||
        !read_sysctl("/proc/sys/fs/inotify/max_user_instances", &instances) || instances == 0)
        host_finding(ret, false, "inotify",
                     "the kernel gives no inotify instances: new cgroups and refused forks are found only "
                     "by a slow sweep. Set the sysctl fs.inotify.max_user_instances");
    else if (watches < wanted)
        host_finding(ret, false, "inotify",
                     "%llu watches may not be enough for this host (%llu): what has none is found only by "
                     "a slow sweep. Raise the sysctl fs.inotify.max_user_watches",
                     (unsigned long long)watches, (unsigned long long)wanted);
    else
        host_finding(ret, true, "inotify", "%llu watches, at most %llu wanted", (unsigned long long)watches,
                     (unsigned long long)wanted);
}

static void probe_systemd(struct HostFindings *ret)
{
    if (sd_booted() > 0)
        host_finding(ret, true, "systemd", "runs as PID 1: limits of units are set through it");
    else
        host_finding(ret, false, "systemd",
                     "is not PID 1 here: limits are written direct to the cgroups, and whatever manages "
                     "them may write others");
}

void host_probe(const char *cgroup_root, struct HostFindings *ret)
{
    _cleanup_fd_ int root_fd = open(cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_fd_ int child_fd = -EBADF;
    char controllers[512];

    ret->n = 0;
    if (root_fd < 0 || !read_text(root_fd, "cgroup.controllers", controllers, sizeof(controllers))) {
        host_finding(ret, false, "cgroup v2",
                     "%.120s is no cgroup v2 tree: nothing can be guarded. Mount one (mount -t cgroup2), "
                     "or name it with CgroupRoot=",
                     cgroup_root);
        return;
    }
    child_fd = open_any_child(root_fd);
    controllers[strcspn(controllers, "\n")] = '\0';
    host_finding(ret, true, "cgroup v2", "%.80s, controllers: %.120s", cgroup_root,
                 controllers[0] != '\0' ? controllers : "none");
    probe_pids(root_fd, controllers, ret);
    probe_controller(root_fd, controllers, "memory", "memory.current and memory.high", ret);
    probe_controller(root_fd, controllers, "cpu", "cpu.max and cpu.weight", ret);
    probe_controller(root_fd, controllers, "io", "io.stat and io.max", ret);
    probe_pressure(child_fd, ret);
    probe_freeze(child_fd, ret);
    probe_kill(child_fd, ret);
    probe_write(child_fd, ret);
    probe_local_events(child_fd, ret);
    probe_inotify(root_fd, ret);
    probe_systemd(ret);
    probe_others(root_fd, ret);
}
