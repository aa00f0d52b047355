/* Whom to believe. Device number and root of a mount are the kernel's own word, and a container sees only
 * what it was given. The options of an overlay are not: a process that may make a user namespace mounts one
 * of its own, with an upper directory whose path, read on the host, is another container's. An overlay of the
 * host's own table was mounted by root of the host. */
#include "tenant/container.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "tenant/runtime.h"

#define CONTAINER_ID_LENGTH 64
#define MOUNTS_LOOKED_AT_MAX 1024 /* the runtime's come first */

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool has_suffix(const char *text, const char *suffix)
{
    size_t length = strlen(text), n = strlen(suffix);

    return length > n && strcmp(text + length - n, suffix) == 0;
}

/* The id in PREFIX-ID.scope; "" when it is no such scope. */
static void id_of_scope(const char *unit, char id[CONTAINER_ID_LENGTH + 1])
{
    const char *dash = strrchr(unit, '-');

    id[0] = '\0';
    if (!dash || strspn(dash + 1, "0123456789abcdef") != CONTAINER_ID_LENGTH ||
        strcmp(dash + 1 + CONTAINER_ID_LENGTH, ".scope") != 0)
        return;
    memcpy(id, dash + 1, CONTAINER_ID_LENGTH);
    id[CONTAINER_ID_LENGTH] = '\0';
}

static void container_id(const struct FootprintOwner *owner, char id[CONTAINER_ID_LENGTH + 1])
{
    if (owner->container_id[0] != '\0')
        snprintf(id, CONTAINER_ID_LENGTH + 1, "%s", owner->container_id);
    else if (owner->unit && !has_prefix(owner->path, "user.slice/"))
        id_of_scope(owner->unit, id);
    else
        id[0] = '\0';
}

bool container_is_one(const struct FootprintOwner *owner)
{
    char id[CONTAINER_ID_LENGTH + 1];

    container_id(owner, id);
    return id[0] != '\0' || (owner->unit && has_prefix(owner->name, "nspawn/"));
}

bool container_is_unsettled(const struct Mounts *host, const struct Mounts *table)
{
    const struct Mount *ours = mounts_at(host, "/"), *theirs = mounts_at(table, "/");

    return ours && theirs && ours->dev == theirs->dev && strcmp(ours->root, theirs->root) == 0;
}

/* --- paths --------------------------------------------------------------------------------------------- */

/* Without its last component; false when nothing would be left. */
static bool parent_of(const char *path, char parent[PATH_MAX])
{
    size_t length = (size_t)(basename(path) - path); /* with the slash behind it */

    if (length <= 1 || length > PATH_MAX)
        return false;
    memcpy(parent, path, length - 1);
    parent[length - 1] = '\0';
    return true;
}

/* A directory that is named after the container, or one level below such. */
static bool is_of_container(const char *path, const char *id)
{
    char parent[PATH_MAX];

    if (id[0] == '\0')
        return false;
    return strcmp(basename(path), id) == 0 || (parent_of(path, parent) && strcmp(basename(parent), id) == 0);
}

/* --- the layer ----------------------------------------------------------------------------------------- */

/* The overlay of this device as root of the host mounted it. */
static const struct Mount *overlay_of_host(const struct Mounts *host, dev_t dev)
{
    for (size_t i = 0; i < host->n; i++)
        if (host->list[i].dev == dev && strcmp(host->list[i].type, "overlay") == 0)
            return &host->list[i];
    return NULL;
}

/* What the runtime says. */
static bool add_layer_by_state(struct Findings *findings, const struct FootprintOwner *owner)
{
    const char *root = findings->sources->root, *id = owner->container_id;
    char path[PATH_MAX], upper[sizeof(path) + sizeof("/diff")], work[sizeof(path) + sizeof("/work")];
    int r = -ENOENT;

    if (has_prefix(owner->name, "docker/"))
        r = docker_layer(root, id, path, sizeof(path));
    else if (has_prefix(owner->name, "podman/"))
        r = podman_layer(root, id, path, sizeof(path));
    if (id[0] == '\0' || r < 0)
        return false;
    snprintf(upper, sizeof(upper), "%s/diff", path);
    snprintf(work, sizeof(work), "%s/work", path);
    return findings_add_pair(findings, upper, work, true);
}

static void add_overlay(struct Findings *findings, const struct Mount *mount, bool known)
{
    const struct Mount *trusted = overlay_of_host(findings->sources->mounts, mount->dev);

    if (!trusted && !known)
        findings_add_out(
            findings, DIRECTORY_LAYER, "/", mount->dev,
            "its root is an overlay that is not mounted on this host: who mounted it is not known");
    if (!trusted || (trusted->upper == NULL && known))
        return;
    if (!trusted->upper || !trusted->work)
        findings_add_out(findings, DIRECTORY_LAYER, "/", mount->dev, "an overlay without an upper directory");
    else if (trusted->upper[0] != '/' || trusted->work[0] != '/') {
        if (!known)
            findings_add_out(findings, DIRECTORY_LAYER, trusted->upper, 0,
                             "its layer is named relative to a directory that is not known");
    } else
        findings_add_pair(findings, trusted->upper, trusted->work, false);
}

/* A volume that is a store of containers, whole: it has what belongs to others. */
static bool is_store(const struct Findings *findings, const char *path)
{
    char parent[PATH_MAX], data_root[PATH_MAX];

    for (size_t i = 0; i < findings->n; i++) {
        const struct Directory *own = &findings->list[i];

        if (own->kind != DIRECTORY_VOLUME && has_prefix(own->path, path) && own->path[strlen(path)] == '/')
            return true;
    }
    if (!parent_of(path, parent))
        return false;
    docker_data_root(findings->sources->root, data_root, sizeof(data_root));
    return strcmp(parent, data_root) == 0 || strcmp(parent, PODMAN_STORAGE) == 0;
}

/* By the kernel's word. */
static int locate(const struct Findings *findings, const struct Mount *mount, char **ret_path)
{
    const struct FootprintSources *sources = findings->sources;

    return mounts_locate(sources->mounts, mount->dev, mount->root, sources->policy->roots, ret_path);
}

/* A mount, at its place on this host. */
static void add_mounted(struct Findings *findings, enum DirectoryKind kind, const struct Mount *mount)
{
    _cleanup_free_ char *path = NULL;
    int r = locate(findings, mount, &path);

    if (r == -ENOMEM)
        findings->error = r;
    else if (has_suffix(mount->root, "//deleted"))
        findings_add_out(findings, kind, mount->path, mount->dev, "in the container; removed on the host");
    else if (r < 0)
        findings_add_out(findings, kind, mount->path, mount->dev,
                         "in the container; not mounted on this host");
    else if (mount->read_only)
        findings_add_out(findings, kind, path, mount->dev, "mounted read-only");
    else if (kind == DIRECTORY_VOLUME && is_store(findings, path))
        findings_add_out(findings, kind, path, mount->dev, "has what a runtime keeps of its containers");
    else
        findings_add(findings, kind, path, mount->dev);
}

static void find_layer(struct Findings *findings, const struct FootprintOwner *owner,
                       const struct Mounts *table)
{
    const struct Mount *mount = mounts_at(table, "/");
    bool known = add_layer_by_state(findings, owner);

    if (mount && strcmp(mount->type, "overlay") == 0)
        add_overlay(findings, mount, known);
    else if (mount)
        add_mounted(findings, DIRECTORY_LAYER, mount);
    else if (!known)
        findings_add_out(findings, DIRECTORY_LAYER, "/", 0, "its root is no mount point: it is not known");
}

/* --- what the runtime has of it ------------------------------------------------------------------------ */

static const char *const runtime_files[] = {"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"};

/* Where on this host what is mounted here is, if a directory of this container holds it; else NULL. */
static char *runtime_file(struct Findings *findings, const struct Mount *mount, const char *id)
{
    _cleanup_free_ char *path = NULL;
    char directory[PATH_MAX];
    int r = locate(findings, mount, &path);

    if (r == -ENOMEM)
        findings->error = r;
    return r == 0 && parent_of(path, directory) && is_of_container(directory, id) ? take_ptr(path) : NULL;
}

/* DATAROOT/containers/ID: the log with its older parts, and where the driver "local" has its own. */
static void find_docker_log(struct Findings *findings, const char *id)
{
    char path[PATH_MAX], log[CONTAINER_ID_LENGTH + sizeof("-json.log")];
    const char *const logs[] = {log, "local-logs", NULL};

    snprintf(log, sizeof(log), "%s-json.log", id);
    docker_directory(findings->sources->root, id, path);
    findings_add_beginning(findings, path, logs);
}

/* containers/storage: .../overlay/LAYER/diff and .../overlay-containers/ID/userdata. */
static void find_podman_log(struct Findings *findings, const char *id)
{
    static const char *const logs[] = {"ctr.log", NULL};
    char layer[PATH_MAX], store[PATH_MAX], above[PATH_MAX];
    char path[sizeof(above) + sizeof("/overlay-containers//userdata") + CONTAINER_ID_LENGTH];

    if (findings->n == 0 || !parent_of(findings->list[0].path, layer) || !parent_of(layer, store) ||
        strcmp(basename(store), "overlay") != 0 || !parent_of(store, above))
        return;
    snprintf(path, sizeof(path), "%s/overlay-containers/%s/userdata", above, id);
    findings_add_beginning(findings, path, logs);
}

static void find_runtime(struct Findings *findings, const struct FootprintOwner *owner,
                         const struct Mounts *table, const char *id)
{
    if (has_prefix(owner->name, "docker/"))
        find_docker_log(findings, id);
    if (has_prefix(owner->name, "podman/"))
        find_podman_log(findings, id);
    for (size_t i = 0; i < sizeof(runtime_files) / sizeof(runtime_files[0]); i++) {
        const struct Mount *mount = mounts_at(table, runtime_files[i]);
        _cleanup_free_ char *path = mount ? runtime_file(findings, mount, id) : NULL;

        if (path)
            findings_add(findings, DIRECTORY_RUNTIME, path, mount->dev);
    }
}

/* --- volumes ------------------------------------------------------------------------------------------- */

static bool is_one_of(const char *text, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, list[i]) == 0)
            return true;
    return false;
}

/* An overlay in a container writes to a directory of another mount, which is looked at itself. */
static bool is_virtual(const char *type)
{
    static const char *const types[] = {
        "proc",      "sysfs",      "cgroup",    "cgroup2",     "devpts", "mqueue",  "devtmpfs", "securityfs",
        "debugfs",   "tracefs",    "bpf",       "pstore",      "nsfs",   "autofs",  "efivarfs", "configfs",
        "hugetlbfs", "rpc_pipefs", "selinuxfs", "binfmt_misc", "pidfs",  "fusectl", "overlay",
    };

    return is_one_of(type, types, sizeof(types) / sizeof(types[0]));
}

static bool is_memory(const char *type)
{
    return strcmp(type, "tmpfs") == 0 || strcmp(type, "ramfs") == 0;
}

/* Where a runtime mounts memory without having been asked. */
static bool is_usual_memory(const char *path)
{
    static const char *const above[] = {"/dev", "/proc", "/sys", "/run"};

    for (size_t i = 0; i < sizeof(above) / sizeof(above[0]); i++)
        if (has_prefix(path, above[i]) && (path[strlen(above[i])] == '/' || path[strlen(above[i])] == '\0'))
            return true;
    return false;
}

/* One that find_runtime() has told of. */
static bool is_of_runtime(struct Findings *findings, const struct Mount *mount, const char *id)
{
    _cleanup_free_ char *path = NULL;

    if (is_one_of(mount->path, runtime_files, sizeof(runtime_files) / sizeof(runtime_files[0])))
        path = runtime_file(findings, mount, id);
    return path != NULL;
}

static void find_volumes(struct Findings *findings, const struct Mounts *table, const char *id)
{
    size_t n = table->n < MOUNTS_LOOKED_AT_MAX ? table->n : MOUNTS_LOOKED_AT_MAX;

    findings->dropped += table->n - n;
    for (size_t i = 0; i < n && findings->error == 0; i++) {
        const struct Mount *mount = &table->list[i];

        if (strcmp(mount->path, "/") == 0 || is_virtual(mount->type) || is_of_runtime(findings, mount, id))
            continue;
        if (!is_memory(mount->type))
            add_mounted(findings, DIRECTORY_VOLUME, mount);
        else if (!is_usual_memory(mount->path))
            findings_add_out(findings, DIRECTORY_VOLUME, mount->path, mount->dev, "in the container; %s",
                             ON_TMPFS);
    }
}

bool container_find_early(struct Findings *findings, const struct FootprintOwner *owner)
{
    return add_layer_by_state(findings, owner);
}

void container_find(struct Findings *findings, const struct FootprintOwner *owner, const struct Mounts *table)
{
    char id[CONTAINER_ID_LENGTH + 1];

    container_id(owner, id);
    find_layer(findings, owner, table);
    find_runtime(findings, owner, table, id);
    find_volumes(findings, table, id);
}
