/* A table of kinds: each looks at the path, and at the state files where the path says whose they are. The
 * first that knows it names the tenant; the last one, the path itself, always does.
 *
 * A name is what people read on a terminal and type to name a victim, so a tenant must not choose it
 * freely: containers are believed only where PID 1 or root made the cgroup, names from state files must be
 * of the runtime's alphabet, and a path is escaped where it is not plain ASCII. */
#include "tenant/name.h"

#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <systemd/sd-login.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "tenant/cgroup.h"
#include "tenant/runtime.h"

#define CONTAINER_ID_LENGTH 64
#define CONTAINER_ID_SHOWN 12

/* What there is to go by, and what comes of it. */
struct Naming {
    const struct NameSources *sources;
    const char *path;
    const char *unit; /* of PID 1, NULL when the path is none */
    char *name;
    size_t size;
    char *container_id;
};

/* The text between prefix and suffix, copied; false when it does not begin and end so or is empty. */
static bool between(const char *text, const char *prefix, const char *suffix, char *buf, size_t size)
{
    size_t length = strlen(text), before = strlen(prefix), after = strlen(suffix);

    if (length <= before + after || strncmp(text, prefix, before) != 0 ||
        strcmp(text + length - after, suffix) != 0 || length - before - after >= size)
        return false;
    memcpy(buf, text + before, length - before - after);
    buf[length - before - after] = '\0';
    return true;
}

static bool is_container_id(const char *text)
{
    return strlen(text) == CONTAINER_ID_LENGTH && strspn(text, "0123456789abcdef") == CONTAINER_ID_LENGTH;
}

/* Under systemd's cgroup driver a container is a scope of PID 1; under cgroupfs a child of one directory. */
static bool container_id(const struct Naming *naming, const char *unit_prefix, const char *path_prefix,
                         char id[CONTAINER_ID_LENGTH + 1])
{
    if (naming->unit && between(naming->unit, unit_prefix, ".scope", id, CONTAINER_ID_LENGTH + 1))
        return is_container_id(id);
    return between(naming->path, path_prefix, "", id, CONTAINER_ID_LENGTH + 1) && is_container_id(id);
}

static bool name_container(struct Naming *naming, const char *runtime, const char *id,
                           int (*lookup)(const char *root, const char *id, char *name, size_t size))
{
    char name[256];

    if (lookup(naming->sources->root, id, name, sizeof(name)) < 0)
        snprintf(name, sizeof(name), "%.*s", CONTAINER_ID_SHOWN, id);
    snprintf(naming->name, naming->size, "%s/%s", runtime, name);
    memcpy(naming->container_id, id, CONTAINER_ID_LENGTH + 1);
    return true;
}

static bool name_docker(struct Naming *naming)
{
    char id[CONTAINER_ID_LENGTH + 1];

    return container_id(naming, "docker-", "docker/", id) &&
           name_container(naming, "docker", id, docker_name);
}

static bool name_podman(struct Naming *naming)
{
    char id[CONTAINER_ID_LENGTH + 1];

    return container_id(naming, "libpod-", "libpod_parent/libpod-", id) &&
           name_container(naming, "podman", id, podman_name);
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = c != '\0' ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* Takes systemd's \xHH out of a unit name, in place. */
static void unescape(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++) {
        int high = from[0] == '\\' && from[1] == 'x' ? hex_digit(from[2]) : -1;
        int low = high >= 0 ? hex_digit(from[3]) : -1;

        if (low < 0 || high + low == 0) {
            *to++ = *from;
            continue;
        }
        *to++ = (char)(high * 16 + low);
        from += 3;
    }
    *to = '\0';
}

static bool name_nspawn(struct Naming *naming)
{
    char machine[256];

    if (!naming->unit || (!between(naming->unit, "machine-", ".scope", machine, sizeof(machine)) &&
                          !between(naming->unit, "systemd-nspawn@", ".service", machine, sizeof(machine))))
        return false;
    unescape(machine);
    if (!runtime_name_is_valid(machine))
        return false;
    snprintf(naming->name, naming->size, "nspawn/%s", machine);
    return true;
}

static bool is_login(const char *text)
{
    if (text[0] == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~' || *text == '/')
            return false;
    return true;
}

/* fgetpwent(3) and not getpwuid(3): that one asks LDAP and others, who may be slow to answer. */
static bool login_from_passwd(const char *root, uid_t uid, char *login, size_t size)
{
    char path[4096];
    _cleanup_file_ FILE *passwd = NULL;
    const struct passwd *entry;

    snprintf(path, sizeof(path), "%s/etc/passwd", root);
    passwd = fopen(path, "re");
    while (passwd && (entry = fgetpwent(passwd)))
        if (entry->pw_uid == uid && is_login(entry->pw_name)) {
            snprintf(login, size, "%s", entry->pw_name);
            return true;
        }
    return false;
}

static void free_strings(char **list)
{
    for (char **p = list; p && *p; p++)
        free(*p);
    free(list);
}

/* Users that no local file knows: logind has written down who logged in. */
static bool login_from_sessions(uid_t uid, char *login, size_t size)
{
    char **sessions = NULL;
    bool found = false;
    int n = sd_uid_get_sessions(uid, 0, &sessions);

    for (int i = 0; i < n && !found; i++) {
        _cleanup_free_ char *name = NULL;

        found = sd_session_get_username(sessions[i], &name) >= 0 && is_login(name);
        if (found)
            snprintf(login, size, "%s", name);
    }
    free_strings(sessions);
    return found;
}

static bool name_user(struct Naming *naming)
{
    const char *root = naming->sources->root;
    char digits[16], login[256];
    unsigned long uid;

    if (!between(naming->path, "user.slice/user-", ".slice", digits, sizeof(digits)) ||
        strspn(digits, "0123456789") != strlen(digits))
        return false;
    uid = strtoul(digits, NULL, 10);
    if (uid >= UINT32_MAX)
        return false;
    if (!login_from_passwd(root, (uid_t)uid, login, sizeof(login)) &&
        (root[0] != '\0' || !login_from_sessions((uid_t)uid, login, sizeof(login))))
        snprintf(login, sizeof(login), "%lu", uid);
    snprintf(naming->name, naming->size, "user/%s", login);
    return true;
}

/* Only printable ASCII: the kernel lets whoever may make a cgroup put anything but '/' and a newline into
 * its name, terminal escapes included. */
static void copy_escaped(const char *text, char *name, size_t size)
{
    size_t used = 0;

    for (; *text != '\0' && used + sizeof("\\xff") <= size; text++) {
        unsigned char c = (unsigned char)*text;

        if (c >= ' ' && c <= '~')
            name[used++] = *text;
        else
            used += (size_t)snprintf(name + used, size - used, "\\x%02x", c);
    }
    name[used] = '\0';
}

static bool name_unit(struct Naming *naming)
{
    char stem[256];

    if (!naming->unit || (!between(naming->unit, "", ".service", stem, sizeof(stem)) &&
                          !between(naming->unit, "", ".scope", stem, sizeof(stem))))
        return false;
    copy_escaped(naming->unit, naming->name, naming->size);
    return true;
}

static bool name_path(struct Naming *naming)
{
    copy_escaped(naming->path, naming->name, naming->size);
    return true;
}

void tenant_name(const struct NameSources *sources, const char *path, char *name, size_t size,
                 char *container_id)
{
    static bool (*const kinds[])(struct Naming *naming) = {
        name_docker, name_podman, name_nspawn, name_user, name_unit, name_path,
    };
    struct Naming naming = {
        .sources = sources,
        .path = path,
        .unit = cgroup_unit(path),
        .name = name,
        .size = size,
        .container_id = container_id,
    };

    container_id[0] = '\0';
    for (size_t i = 0; !kinds[i](&naming); i++)
        ; /* the last one knows any */
}
