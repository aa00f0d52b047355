#include "base/glob.h"

#include <fnmatch.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

/* What is behind the first component; NULL behind the last one. */
static const char *behind_first(const char *text)
{
    const char *slash = strchr(text, '/');

    return slash ? slash + 1 : NULL;
}

/* Copies the first component; false when it is longer than any name is. */
static bool copy_first(const char *text, char component[static NAME_MAX + 1])
{
    const size_t length = strcspn(text, "/");

    if (length > NAME_MAX)
        return false;
    memcpy(component, text, length);
    component[length] = '\0';
    return true;
}

bool glob_match(const char *pattern, const char *path)
{
    char want[NAME_MAX + 1], have[NAME_MAX + 1];
    const char *pattern_rest = behind_first(pattern), *path_rest = behind_first(path);

    if (!copy_first(pattern, want))
        return false;
    if (strcmp(want, "**") == 0) {
        if (!pattern_rest)
            return true;
        for (const char *p = path; p; p = behind_first(p))
            if (glob_match(pattern_rest, p))
                return true;
        return false;
    }
    if (!copy_first(path, have) || fnmatch(want, have, FNM_PATHNAME | FNM_NOESCAPE) != 0)
        return false;
    if (!pattern_rest)
        return !path_rest;
    if (!path_rest)
        return strcmp(pattern_rest, "**") == 0;
    return glob_match(pattern_rest, path_rest);
}

const char *glob_problem(const char *pattern)
{
    if (pattern[0] == '\0')
        return "the pattern is empty";
    if (pattern[0] == '/')
        return "a cgroup path does not begin with '/': it counts from the root of the cgroup tree";
    if (pattern[strlen(pattern) - 1] == '/')
        return "a cgroup path does not end with '/'";
    for (const char *p = pattern; p; p = behind_first(p)) {
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
