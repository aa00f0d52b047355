#include "base/glob.h"

#include <fnmatch.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

/* Copies the first component of `text` and returns where the rest begins, NULL at the last one. */
static const char *first_component(const char *text, char *component, size_t size)
{
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);

    if (length >= size)
        length = size - 1;
    memcpy(component, text, length);
    component[length] = '\0';
    return slash ? slash + 1 : NULL;
}

bool glob_match(const char *pattern, const char *path)
{
    char want[NAME_MAX + 1], have[NAME_MAX + 1];
    const char *pattern_rest = first_component(pattern, want, sizeof(want)), *path_rest;

    if (strcmp(want, "**") == 0) {
        if (!pattern_rest)
            return true;
        for (const char *p = path; p; p = strchr(p, '/'), p = p ? p + 1 : NULL)
            if (glob_match(pattern_rest, p))
                return true;
        return false;
    }
    path_rest = first_component(path, have, sizeof(have));
    if (fnmatch(want, have, FNM_PATHNAME | FNM_NOESCAPE) != 0)
        return false;
    if (!pattern_rest)
        return !path_rest;
    if (!path_rest)
        return strcmp(pattern_rest, "**") == 0;
    return glob_match(pattern_rest, path_rest);
}

const char *glob_problem(const char *pattern)
{
    char component[NAME_MAX + 1];

    if (pattern[0] == '\0')
        return "the pattern is empty";
    if (pattern[0] == '/')
        return "a cgroup path does not begin with '/': it counts from the root of the cgroup tree";
    if (pattern[strlen(pattern) - 1] == '/')
        return "a cgroup path does not end with '/'";
    for (const char *p = pattern; p; p = first_component(p, component, sizeof(component))) {
        size_t length = strcspn(p, "/");

        if (length == 0)
            return "the path has an empty component ('//')";
        if (length > NAME_MAX)
            return "a path component is longer than 255 characters";
        if (memmem(p, length, "**", 2) && length != 2)
            return "'**' stands for whole components: write it between slashes";
    }
    return NULL;
}
