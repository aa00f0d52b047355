/* Everything is opened relative to the directory, so that all descriptors belong to one cgroup even if
 * its path is used again meanwhile. A file that is not there means that its controller is not enabled;
 * only cgroup.events, which every cgroup but the root has, tells a missing file from a missing cgroup. */
#include "tenant/cgroup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"

static bool ends_with(const char *text, size_t length, const char *suffix)
{
    size_t n = strlen(suffix);

    return length > n && strncmp(text + length - n, suffix, n) == 0;
}

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Of the unit types, those that have a cgroup. */
static bool is_unit_name(const char *text, size_t length)
{
    static const char *const suffixes[] = {".service", ".scope", ".slice", ".socket", ".mount", ".swap"};

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (ends_with(text, length, suffixes[i]))
            return true;
    return false;
}

const char *cgroup_unit(const char *path)
{
    const char *name = path;

    for (const char *slash; (slash = strchr(name, '/')); name = slash + 1)
        if (!ends_with(name, (size_t)(slash - name), ".slice"))
            return NULL;
    if (!is_unit_name(name, strlen(name)))
        return NULL;
    return name[0] == '_' ? name + 1 : name;
}

/* May this file be used with less than was asked for? The guard then looks and cannot act. */
static bool may_not_write(int error)
{
    return error == -EACCES || error == -EPERM || error == -EROFS;
}

/* Leaves -EBADF in `*fd` where there is no such file, and 0 for an answer. What is open stays open. */
static int open_file(int dir_fd, const char *name, int flags, int *fd)
{
    int opened;

    if (*fd >= 0)
        return 0;
    opened = openat(dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW);
    if (opened >= 0) {
        *fd = opened;
        return 0;
    }
    return errno == ENOENT ? 0 : negative_errno();
}

/* O_NONBLOCK: who writes less than the present use to memory.high or memory.max does not wait until the
 * kernel has taken the difference back (Linux 6.16; the flag means nothing to an older one, and to other
 * files). */
static int open_writable(int dir_fd, const char *name, int *fd)
{
    int r = open_file(dir_fd, name, O_RDWR | O_NONBLOCK, fd);

    return may_not_write(r) ? open_file(dir_fd, name, O_RDONLY, fd) : r;
}

static int open_events(int dir_fd, int *fd)
{
    int r = open_file(dir_fd, "cgroup.events", O_RDONLY, fd);

    return r == 0 && *fd < 0 ? -ENOENT : r;
}

static int open_kill(int dir_fd, int *fd)
{
    int r = open_file(dir_fd, "cgroup.kill", O_WRONLY, fd);

    return may_not_write(r) ? 0 : r;
}

int cgroup_open_controllers(struct Cgroup *cgroup)
{
    int r = open_file(cgroup->dir_fd, "pids.current", O_RDONLY, &cgroup->pids_current_fd);

    if (r == 0)
        r = open_writable(cgroup->dir_fd, "pids.max", &cgroup->pids_max_fd);
    if (r == 0)
        r = open_file(cgroup->dir_fd, "pids.events", O_RDONLY, &cgroup->pids_events_fd);
    if (r == 0)
        r = open_file(cgroup->dir_fd, "pids.events.local", O_RDONLY, &cgroup->pids_local_fd);
    return r;
}

bool cgroup_has_controllers(const struct Cgroup *cgroup)
{
    return cgroup->pids_current_fd >= 0 && cgroup->pids_max_fd >= 0 && cgroup->pids_events_fd >= 0 &&
           cgroup->pids_local_fd >= 0;
}

bool cgroup_is_there(int dir_fd)
{
    return faccessat(dir_fd, "cgroup.events", F_OK, 0) == 0;
}

static const struct {
    const char *name;
    bool writable;
} files[CGROUP_FILE_COUNT] = {
    [CGROUP_MEMORY_CURRENT] = {"memory.current", false},
    [CGROUP_MEMORY_SWAP_CURRENT] = {"memory.swap.current", false},
    [CGROUP_MEMORY_HIGH] = {"memory.high", true},
    [CGROUP_MEMORY_MAX] = {"memory.max", true},
    [CGROUP_MEMORY_SWAP_MAX] = {"memory.swap.max", true},
    [CGROUP_MEMORY_EVENTS] = {"memory.events", false},
    [CGROUP_MEMORY_EVENTS_LOCAL] = {"memory.events.local", false},
    [CGROUP_MEMORY_STAT] = {"memory.stat", false},
    [CGROUP_MEMORY_PRESSURE] = {"memory.pressure", false},
    [CGROUP_CPU_MAX] = {"cpu.max", true},
    [CGROUP_CPU_WEIGHT] = {"cpu.weight", true},
    [CGROUP_CPU_STAT] = {"cpu.stat", false},
    [CGROUP_CPU_PRESSURE] = {"cpu.pressure", false},
    [CGROUP_IO_MAX] = {"io.max", true},
    [CGROUP_IO_WEIGHT] = {"io.weight", true},
    [CGROUP_IO_STAT] = {"io.stat", false},
    [CGROUP_IO_PRESSURE] = {"io.pressure", false},
};

int cgroup_open_files(struct Cgroup *cgroup, uint32_t wanted)
{
    int r = 0;

    for (int i = 0; r == 0 && i < CGROUP_FILE_COUNT; i++)
        if (wanted & (1u << i))
            r = files[i].writable ? open_writable(cgroup->dir_fd, files[i].name, &cgroup->files[i])
                                  : open_file(cgroup->dir_fd, files[i].name, O_RDONLY, &cgroup->files[i]);
    return r;
}

void cgroup_close_files(struct Cgroup *cgroup, uint32_t unwanted)
{
    for (int i = 0; i < CGROUP_FILE_COUNT; i++)
        if (unwanted & (1u << i)) {
            fd_close(cgroup->files[i]);
            cgroup->files[i] = -EBADF;
        }
}

static void close_point(struct FreezePoint *point)
{
    fd_close(point->freeze_fd);
    fd_close(point->events_fd);
    free(point->name);
}

static int open_point(int dir_fd, uint64_t id, const char *name, struct FreezePoint *ret)
{
    struct FreezePoint point = {.id = id, .freeze_fd = -EBADF, .events_fd = -EBADF};
    int r = open_events(dir_fd, &point.events_fd);

    if (r == 0)
        r = open_writable(dir_fd, "cgroup.freeze", &point.freeze_fd);
    if (r == 0) {
        point.name = strdup(name);
        r = point.name ? 0 : -ENOMEM;
    }
    if (r < 0)
        close_point(&point);
    else
        *ret = point;
    return r;
}

static struct FreezePoint *find_point(const struct Cgroup *cgroup, uint64_t id)
{
    for (size_t i = 0; i < cgroup->n_points; i++)
        if (cgroup->points[i].id == id)
            return &cgroup->points[i];
    return NULL;
}

int cgroup_add_point(struct Cgroup *slice, int child_dir_fd, uint64_t id, const char *name)
{
    struct FreezePoint *points;
    int r;

    if (find_point(slice, id))
        return -EEXIST;
    points = reallocarray(slice->points, slice->n_points + 1, sizeof(*points));
    if (!points)
        return -ENOMEM;
    slice->points = points;
    r = open_point(child_dir_fd, id, name, &points[slice->n_points]);
    if (r == 0)
        slice->n_points++;
    return r;
}

int cgroup_remove_point(struct Cgroup *slice, uint64_t id)
{
    struct FreezePoint *point = find_point(slice, id);

    if (!point)
        return -ENOENT;
    close_point(point);
    *point = slice->points[--slice->n_points];
    return 0;
}

/* A child that vanishes meanwhile, or is no cgroup, is none of the points. */
static int add_child(struct Cgroup *slice, int dir_fd, const char *name)
{
    _cleanup_fd_ int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    int r;

    if (fd < 0)
        return errno == ENOTDIR || errno == ELOOP || error_is_gone(-errno) ? 0 : negative_errno();
    if (fstat(fd, &st) < 0)
        return negative_errno();
    r = cgroup_add_point(slice, fd, st.st_ino, name);
    return error_is_gone(r) ? 0 : r;
}

static int add_children(struct Cgroup *slice)
{
    _cleanup_dir_ DIR *list = NULL;
    struct dirent *entry;
    int fd = openat(slice->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

    if (fd < 0)
        return negative_errno();
    list = fdopendir(fd);
    if (!list) {
        r = negative_errno();
        fd_close(fd);
        return r;
    }
    while (r == 0 && ((void)(errno = 0), (entry = readdir(list))))
        if (entry->d_name[0] != '.' && (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN))
            r = add_child(slice, fd, entry->d_name);
    return r == 0 && errno != 0 && errno != ENOENT ? negative_errno() : r;
}

static int open_identity(int dir_fd, const char *path, bool managed, struct Cgroup *cgroup)
{
    const char *unit = managed ? cgroup_unit(path) : NULL;
    struct stat st;

    cgroup->dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
    if (cgroup->dir_fd < 0 || fstat(cgroup->dir_fd, &st) < 0)
        return negative_errno();
    cgroup->id = st.st_ino;
    cgroup->is_slice = ends_with(path, strlen(path), ".slice");
    cgroup->path = strdup(path);
    cgroup->unit = unit ? strdup(unit) : NULL;
    return !cgroup->path || (unit && !cgroup->unit) ? -ENOMEM : 0;
}

static int open_handle(struct Cgroup *cgroup)
{
    int r = open_events(cgroup->dir_fd, &cgroup->events_fd);

    if (r == 0)
        r = open_kill(cgroup->dir_fd, &cgroup->kill_fd);
    if (r == 0)
        r = cgroup_open_controllers(cgroup);
    if (r < 0)
        return r;
    if (cgroup->is_slice)
        return add_children(cgroup);
    return cgroup_add_point(cgroup, cgroup->dir_fd, cgroup->id, last_component(cgroup->path));
}

int cgroup_open(int dir_fd, const char *path, bool managed, struct Cgroup *ret)
{
    struct Cgroup cgroup = CGROUP_NULL;
    int r = open_identity(dir_fd, path, managed, &cgroup);

    if (r == 0)
        r = open_handle(&cgroup);
    if (r < 0) {
        cgroup_close(&cgroup);
        return r;
    }
    *ret = cgroup;
    return 0;
}

void cgroup_close(struct Cgroup *cgroup)
{
    for (size_t i = 0; i < cgroup->n_points; i++)
        close_point(&cgroup->points[i]);
    free(cgroup->points);
    fd_close(cgroup->pids_events_fd);
    fd_close(cgroup->pids_local_fd);
    fd_close(cgroup->pids_max_fd);
    fd_close(cgroup->pids_current_fd);
    cgroup_close_files(cgroup, CGROUP_FILES_ALL);
    fd_close(cgroup->events_fd);
    fd_close(cgroup->kill_fd);
    fd_close(cgroup->dir_fd);
    free(cgroup->unit);
    free(cgroup->path);
    *cgroup = CGROUP_NULL;
}
