/* The patterns of DiskPath=. What a specifier stands for is one component of a path at most: a unit or a user
 * whose name would be more, or another directory than it looks, stands for nothing. */
#include "tenant/footprint.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"

#define USER_SLICE "user.slice/user-"
#define VALUE_MAX 256

static int copy_component(const char *text, size_t length, char value[VALUE_MAX])
{
    if (length == 0 || length >= VALUE_MAX || text[0] == '.' || memchr(text, '/', length))
        return -EINVAL;
    memcpy(value, text, length);
    value[length] = '\0';
    return 0;
}

/* "user.slice/user-UID.slice", and what is in it. */
static int user_id(const struct FootprintOwner *owner, char value[VALUE_MAX])
{
    const char *digits = owner->path + strlen(USER_SLICE);
    size_t length;

    if (strncmp(owner->path, USER_SLICE, strlen(USER_SLICE)) != 0)
        return -EINVAL;
    length = strspn(digits, "0123456789");
    if (length > 10 || strncmp(digits + length, ".slice", strlen(".slice")) != 0)
        return -EINVAL;
    digits += length;
    if (digits[strlen(".slice")] != '\0' && digits[strlen(".slice")] != '/')
        return -EINVAL;
    return copy_component(digits - length, length, value);
}

/* fgetpwent(3) and not getpwuid(3): that one asks LDAP and others, who may be slow to answer. */
static int login_from_passwd(const char *file, uid_t uid, char value[VALUE_MAX])
{
    _cleanup_file_ FILE *passwd = fopen(file, "re");
    const struct passwd *entry;

    while (passwd && (entry = fgetpwent(passwd)))
        if (entry->pw_uid == uid)
            return copy_component(entry->pw_name, strlen(entry->pw_name), value);
    return -EINVAL;
}

/* The tenant has its user's name if that was known, else the number. */
static int user_name(const struct FootprintSources *sources, const struct FootprintOwner *owner,
                     char value[VALUE_MAX])
{
    char id[VALUE_MAX];
    unsigned long uid;
    int r = user_id(owner, id);

    if (r < 0)
        return r;
    if (strncmp(owner->name, "user/", 5) == 0 && strcmp(owner->name + 5, id) != 0)
        return copy_component(owner->name + 5, strlen(owner->name + 5), value);
    uid = strtoul(id, NULL, 10);
    return uid >= UINT32_MAX ? -EINVAL : login_from_passwd(sources->passwd, (uid_t)uid, value);
}

static int unit_name(const struct FootprintOwner *owner, bool with_suffix, char value[VALUE_MAX])
{
    const char *dot = owner->unit ? strrchr(owner->unit, '.') : NULL;

    if (!dot)
        return -EINVAL;
    return copy_component(owner->unit, with_suffix ? strlen(owner->unit) : (size_t)(dot - owner->unit),
                          value);
}

/* For what is no unit. Whoever may make cgroups gives them their names: this is for trees that no tenant
 * owns. */
static int cgroup_name(const struct FootprintOwner *owner, char value[VALUE_MAX])
{
    const char *slash = strrchr(owner->path, '/'), *name = slash ? slash + 1 : owner->path;

    return copy_component(name, strlen(name), value);
}

static int specifier(const struct FootprintSources *sources, const struct FootprintOwner *owner, char which,
                     char value[VALUE_MAX])
{
    switch (which) {
    case 'n':
        return unit_name(owner, true, value);
    case 'p':
        return unit_name(owner, false, value);
    case 'c':
        return cgroup_name(owner, value);
    case 'u':
        return user_name(sources, owner, value);
    case 'U':
        return user_id(owner, value);
    case '%':
        snprintf(value, VALUE_MAX, "%%");
        return 0;
    default:
        return -EINVAL;
    }
}

int footprint_expand(const struct FootprintSources *sources, const struct FootprintOwner *owner,
                     const char *pattern, char **ret_path)
{
    char path[PATH_MAX], value[VALUE_MAX];
    size_t length = 0;

    for (const char *p = pattern; *p != '\0'; p++) {
        size_t n;

        value[0] = *p;
        value[1] = '\0';
        if (*p == '%') {
            p++; /* at its end, that is the NUL: no specifier */
            if (specifier(sources, owner, *p, value) < 0)
                return -EINVAL;
        }
        n = strlen(value);
        if (length + n >= sizeof(path))
            return -EINVAL;
        memcpy(path + length, value, n);
        length += n;
    }
    while (length > 1 && path[length - 1] == '/')
        length--;
    path[length] = '\0';
    *ret_path = strdup(path);
    return *ret_path ? 0 : -ENOMEM;
}
