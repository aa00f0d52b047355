/* What container runtimes keep on disk about their containers. Private to tenant/. The parsers take text,
 * so that they can be tested and fuzzed without files. A name that is not of the runtime's own alphabet
 * ([a-zA-Z0-9_.-], a letter or digit first) is none: it goes to terminals and is what people type. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* 0, -ENOENT when the text holds no (usable) name, -EBADMSG when it is no JSON. `name` is cut to size. */
int docker_name_from_json(const char *text, char *name, size_t size);
int podman_name_from_json(const char *text, const char *id, char *name, size_t size);
int podman_layer_from_json(const char *text, const char *id, char *layer, size_t size);
/* "data-root", or the older "graph", of docker's daemon.json. */
int docker_data_root_from_json(const char *text, char *path, size_t size);

/* The same, from the state files below `root`. Any failure is -ENOENT. */
int docker_name(const char *root, const char *id, char *name, size_t size);
int podman_name(const char *root, const char *id, char *name, size_t size);

#define PODMAN_STORAGE "/var/lib/containers/storage"
/* As daemon.json says, else where it is if nothing is said. */
void docker_data_root(const char *root, char *path, size_t size);
/* Where the runtime itself says that the container writes to its root. `path` is of the host, without `root`.
 * Any failure is -ENOENT. */
int docker_layer(const char *root, const char *id, char *path, size_t size);
int podman_layer(const char *root, const char *id, char *path, size_t size);
/* Where it keeps its log. */
void docker_directory(const char *root, const char *id, char path[static PATH_MAX]);

bool runtime_name_is_valid(const char *name);
