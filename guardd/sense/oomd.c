#include "sense/oomd.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

static bool has_attribute(int fd, const char *name)
{
    char value[8] = "";
    ssize_t n = fgetxattr(fd, name, value, sizeof(value) - 1);

    return n == 1 && value[0] == '1';
}

enum OomPreference oomd_preference(int dir_fd)
{
    struct stat status;

    if (fstat(dir_fd, &status) < 0 || status.st_uid != 0)
        return OOM_PREFERENCE_NONE;
    if (has_attribute(dir_fd, "user.oomd_omit"))
        return OOM_PREFERENCE_OMIT;
    return has_attribute(dir_fd, "user.oomd_avoid") ? OOM_PREFERENCE_AVOID : OOM_PREFERENCE_NONE;
}
