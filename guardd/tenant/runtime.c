/* docker: one config.v2.json a container, below the data root that daemon.json may move. podman: one
 * containers.json for all, of containers/storage, and others beside it for containers that need not
 * survive a reboot. Files are read whole, up to a bound: they grow with what a container's creator puts
 * into labels and environment. */
#include "tenant/runtime.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <systemd/sd-json.h>

#include "base/cleanup.h"
#include "base/error.h"

#define CONTAINER_BYTES_MAX ((size_t)1024 * 1024)
#define STORAGE_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define LAYER_BYTES_MAX ((size_t)256)
#define DOCKER_DATA_ROOT "/var/lib/docker"

static void cleanup_variant(sd_json_variant **variant)
{
    sd_json_variant_unref(*variant);
}
#define _cleanup_variant_ _cleanup_(cleanup_variant)

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool runtime_name_is_valid(const char *name)
{
    if (!is_alphanumeric(name[0]))
        return false;
    for (; *name != '\0'; name++)
        if (!is_alphanumeric(*name) && !strchr("_.-", *name))
            return false;
    return true;
}

static int parse(const char *text, sd_json_variant **ret)
{
    int r = sd_json_parse(text, 0, ret, NULL, NULL);

    return r == -ENOMEM ? r : r < 0 ? -EBADMSG : 0;
}

/* A member that is a string, else NULL; sd-json would complain about asking anything but an object. */
static const char *member_string(sd_json_variant *object, const char *key)
{
    sd_json_variant *member = sd_json_variant_is_object(object) ? sd_json_variant_by_key(object, key) : NULL;

    return member && sd_json_variant_is_string(member) ? sd_json_variant_string(member) : NULL;
}

/* What snprintf() returned: -ENOENT when not all of it is there. */
static int fits(int n, size_t size)
{
    return (size_t)n >= size ? -ENOENT : 0;
}

static int copy_name(const char *found, char *name, size_t size)
{
    if (!found || !runtime_name_is_valid(found))
        return -ENOENT;
    snprintf(name, size, "%s", found);
    return 0;
}

int docker_name_from_json(const char *text, char *name, size_t size)
{
    _cleanup_variant_ sd_json_variant *container = NULL;
    const char *found;
    int r = parse(text, &container);

    if (r < 0)
        return r;
    found = member_string(container, "Name");
    return copy_name(found && found[0] == '/' ? found + 1 : found, name, size);
}

int docker_data_root_from_json(const char *text, char *path, size_t size)
{
    _cleanup_variant_ sd_json_variant *options = NULL;
    const char *found;
    int r = parse(text, &options);

    if (r < 0)
        return r;
    found = member_string(options, "data-root");
    found = found ? found : member_string(options, "graph");
    if (!found || found[0] != '/')
        return -ENOENT;
    return fits(snprintf(path, size, "%s", found), size);
}

static const char *first_name(sd_json_variant *container)
{
    sd_json_variant *names = sd_json_variant_by_key(container, "names"), *first;

    if (!names || !sd_json_variant_is_array(names) || sd_json_variant_elements(names) == 0)
        return NULL;
    first = sd_json_variant_by_index(names, 0);
    return sd_json_variant_is_string(first) ? sd_json_variant_string(first) : NULL;
}

/* Hands what `pick` finds in the entry of this container to `value`. */
static int podman_from_json(const char *text, const char *id, const char *(*pick)(sd_json_variant *container),
                            char *value, size_t size)
{
    _cleanup_variant_ sd_json_variant *containers = NULL;
    int r = parse(text, &containers);

    if (r < 0)
        return r;
    if (!sd_json_variant_is_array(containers))
        return -ENOENT;
    for (size_t i = 0; i < sd_json_variant_elements(containers); i++) {
        sd_json_variant *container = sd_json_variant_by_index(containers, i);
        const char *found = member_string(container, "id");

        if (found && strcmp(found, id) == 0)
            return copy_name(pick(container), value, size);
    }
    return -ENOENT;
}

int podman_name_from_json(const char *text, const char *id, char *name, size_t size)
{
    return podman_from_json(text, id, first_name, name, size);
}

static const char *layer_of(sd_json_variant *container)
{
    return member_string(container, "layer");
}

int podman_layer_from_json(const char *text, const char *id, char *layer, size_t size)
{
    return podman_from_json(text, id, layer_of, layer, size);
}

/* A whole file as a string, to be freed; NULL when it is missing, too large, or no regular file (a FIFO
 * in its place must not hold the guard up). */
static char *read_bounded(const char *path, size_t max)
{
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    _cleanup_free_ char *text = NULL;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > max)
        return NULL;
    text = malloc((size_t)st.st_size + 1);
    if (!text || fd_read_file(fd, text, (size_t)st.st_size + 1) < 0)
        return NULL;
    return take_ptr(text);
}

/* `path` is built from these parts; NULL when that is too long. */
static char *read_below(const char *root, const char *directory, const char *file, size_t max)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s%s/%s", root, directory, file);

    return fits(n, sizeof(path)) < 0 ? NULL : read_bounded(path, max);
}

void docker_data_root(const char *root, char *path, size_t size)
{
    _cleanup_free_ char *text = read_below(root, "/etc/docker", "daemon.json", CONTAINER_BYTES_MAX);

    if (!text || docker_data_root_from_json(text, path, size) < 0)
        snprintf(path, size, "%s", DOCKER_DATA_ROOT);
}

int docker_name(const char *root, const char *id, char *name, size_t size)
{
    _cleanup_free_ char *text = NULL;
    char data_root[PATH_MAX / 2], file[128];

    docker_data_root(root, data_root, sizeof(data_root));
    snprintf(file, sizeof(file), "containers/%s/config.v2.json", id);
    text = read_below(root, data_root, file, CONTAINER_BYTES_MAX);
    return text && docker_name_from_json(text, name, size) == 0 ? 0 : -ENOENT;
}

/* Looks for the container in one of podman's lists after the other. */
static int podman_find(const char *root, const char *id,
                       int (*from_json)(const char *text, const char *id, char *value, size_t size),
                       char *value, size_t size)
{
    static const struct {
        const char *directory, *file;
    } state[] = {
        {PODMAN_STORAGE "/overlay-containers", "containers.json"},
        {PODMAN_STORAGE "/overlay-containers", "volatile-containers.json"},
        {"/run/containers/storage/overlay-containers", "volatile-containers.json"},
    };

    for (size_t i = 0; i < sizeof(state) / sizeof(state[0]); i++) {
        _cleanup_free_ char *text = read_below(root, state[i].directory, state[i].file, STORAGE_BYTES_MAX);

        if (text && from_json(text, id, value, size) == 0)
            return 0;
    }
    return -ENOENT;
}

int podman_name(const char *root, const char *id, char *name, size_t size)
{
    return podman_find(root, id, podman_name_from_json, name, size);
}

int podman_layer(const char *root, const char *id, char *path, size_t size)
{
    char layer[128];

    if (podman_find(root, id, podman_layer_from_json, layer, sizeof(layer)) < 0)
        return -ENOENT;
    return fits(snprintf(path, size, PODMAN_STORAGE "/overlay/%s", layer), size);
}

int docker_layer(const char *root, const char *id, char *path, size_t size)
{
    _cleanup_free_ char *layer = NULL;
    char data_root[PATH_MAX / 2], file[128];

    docker_data_root(root, data_root, sizeof(data_root));
    snprintf(file, sizeof(file), "image/overlay2/layerdb/mounts/%s/mount-id", id);
    layer = read_below(root, data_root, file, LAYER_BYTES_MAX);
    if (!layer)
        return -ENOENT;
    layer[strcspn(layer, "\n")] = '\0';
    if (!runtime_name_is_valid(layer))
        return -ENOENT;
    return fits(snprintf(path, size, "%s/overlay2/%s", data_root, layer), size);
}

void docker_directory(const char *root, const char *id, char path[static PATH_MAX])
{
    char data_root[PATH_MAX / 2];

    docker_data_root(root, data_root, sizeof(data_root));
    snprintf(path, PATH_MAX, "%s/containers/%s", data_root, id);
}
