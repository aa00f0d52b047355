/* Whom systemd-oomd is told to spare: ManagedOOMPreference=avoid|omit of a unit, which systemd puts on its
 * cgroup as the extended attributes user.oomd_avoid and user.oomd_omit. */
#pragma once

#include "model/tenant.h"

/* Counts only on a cgroup that root owns: a tenant that owns its own must not exempt itself. */
enum OomPreference oomd_preference(int dir_fd);
