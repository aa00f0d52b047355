/* What people call a tenant, from its cgroup path and the state files that runtimes keep: no socket, no
 * client, no name service that could block. A state file that is missing, unreadable, too large or no
 * JSON only costs the name, never the tenant.
 *
 *   system.slice/docker-ID.scope, docker/ID              docker/NAME   config.v2.json of the container
 *   machine.slice/libpod-ID.scope, libpod_parent/...     podman/NAME   containers.json of the storage
 *   machine.slice/machine-NAME.scope, systemd-nspawn@    nspawn/NAME
 *   user.slice/user-UID.slice                            user/LOGIN    /etc/passwd, then logind's sessions
 *   any unit of PID 1 that is a service or scope         its name
 *   all else                                             the cgroup path
 *
 * Rootless containers live in a tree their user controls: their state files are not believed, they go by
 * their path. */
#pragma once

#include <stddef.h>

struct NameSources {
    const char *root; /* put before every path; "" on the host, a made-up tree in tests */
};

/* Fills `name` (cut to size) and `container_id` (65 bytes, "" when it is no container). Never fails:
 * without a state file a container is "docker/" and the first 12 digits of its id. */
void tenant_name(const struct NameSources *sources, const char *path, char *name, size_t size,
                 char *container_id);
