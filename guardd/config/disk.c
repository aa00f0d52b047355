/* A path that is named here is opened as root and what is in it is given a project: it says exactly where it
 * leads, or it is refused. */
#include "config/disk.h"

#include <inttypes.h>
#include <string.h>

#include "config/values.h"

#define PROJECT_MAX (UINT32_MAX - 1)

const char *const disk_default_roots[] = {
    "/var/lib/docker", "/var/lib/containers", "/var/lib/containerd", "/srv", "/home", NULL,
};

static bool is_component(const char *at, size_t length, const char *name)
{
    return strlen(name) == length && strncmp(at, name, length) == 0;
}

bool value_disk_root(const char *text, struct Complaint *complaint)
{
    if (!value_path(text, complaint))
        return false;
    if (text[1] == '\0')
        return complain(complaint, "'/' is the whole host");
    for (const char *at = text; *at == '/'; at += strcspn(at, "/")) {
        const size_t length = strcspn(++at, "/");

        if (length == 0)
            return complain(complaint, "'%s' has an empty component", text);
        if (is_component(at, length, ".") || is_component(at, length, ".."))
            return complain(complaint, "'%s' holds a '%.*s'", text, (int)length, at);
    }
    return true;
}

bool value_disk_path(const char *text, struct Complaint *complaint)
{
    if (strcmp(text, "StateDirectory") == 0)
        return true;
    for (const char *at = strchr(text, '%'); at; at = strchr(at + 2, '%'))
        if (at[1] == '\0' || !strchr("npcuU%", at[1]))
            return complain(complaint, "'%s': behind a '%%' stands none of n, p, c, u, U and %%", text);
    return value_disk_root(text, complaint);
}

bool value_project_ids(const char *text, uint32_t *ret_first, uint32_t *ret_last, struct Complaint *complaint)
{
    const size_t length = strcspn(text, "-");
    uint64_t first, last;

    if (text[length] != '-')
        return complain(complaint, "'%s' is no range: there is no '-'", text);
    if (!value_number(text, length, &first))
        return complain(complaint, "'%.*s' is no number", (int)length, text);
    if (!value_number(text + length + 1, strlen(text + length + 1), &last))
        return complain(complaint, "'%s' is no number", text + length + 1);
    if (first > last)
        return complain(complaint, "%" PRIu64 " comes after %" PRIu64, first, last);
    if (first == 0 || last > PROJECT_MAX)
        return complain(complaint, "%" PRIu64 " is out of range", first == 0 ? first : last);
    *ret_first = (uint32_t)first;
    *ret_last = (uint32_t)last;
    return true;
}

bool value_disk_warn(const char *text, unsigned *ret_percent, struct Complaint *complaint)
{
    const size_t length = strlen(text);
    uint64_t percent = 0;

    if (strcmp(text, "off") == 0) {
        *ret_percent = 0;
        return true;
    }
    if (text[length - 1] != '%' || !value_number(text, length - 1, &percent))
        return complain(complaint, "'%s' is no percentage", text);
    if (percent < 1 || percent > 99)
        return complain(complaint, "%s is out of range", text);
    *ret_percent = (unsigned)percent;
    return true;
}
