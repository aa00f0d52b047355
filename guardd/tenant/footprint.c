/* What DiskPath= names, and for a container what its mount table says (container.c). */
#include "tenant/footprint.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "tenant/container.h"
#include "tenant/findings.h"
#include "tenant/process.h"

#define STATE_DIRECTORY "StateDirectory"
/* The oldest process may end while it is looked at. */
#define TRIES 3

/* In the cgroup of a machine there may also be the systemd-nspawn that runs it, which is of the host. */
static int open_payload(const struct FootprintOwner *owner)
{
    if (strncmp(owner->name, "nspawn/", strlen("nspawn/")) != 0)
        return -EBADF;
    return openat(owner->cgroup_fd, "payload", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int read_table(const struct FootprintSources *sources, const struct FootprintOwner *owner,
                      struct Mounts *ret)
{
    _cleanup_fd_ int payload_fd = open_payload(owner);
    int r = -ESRCH;

    for (int i = 0; i < TRIES && r == -ESRCH; i++) {
        struct Process oldest;

        r = process_oldest(sources->proc, payload_fd >= 0 ? payload_fd : owner->cgroup_fd, &oldest);
        if (r < 0)
            return r;
        r = process_mounts(sources->proc, &oldest, ret);
    }
    return r;
}

static int find_of_container(struct Findings *findings, const struct FootprintOwner *owner,
                             bool *ret_unsettled)
{
    _cleanup_(mounts_done) struct Mounts table = {0};
    int r;

    *ret_unsettled = false;
    if (!container_is_one(owner))
        return 0;
    r = read_table(findings->sources, owner, &table);
    if (r < 0 && r != -ESRCH)
        return r;
    *ret_unsettled = r < 0 || container_is_unsettled(findings->sources->mounts, &table);
    if (!*ret_unsettled)
        container_find(findings, owner, &table);
    else if (!container_find_early(findings, owner) && r < 0)
        return r;
    return 0;
}

static void find_pattern(struct Findings *findings, const struct FootprintOwner *owner, const char *pattern)
{
    _cleanup_free_ char *path = NULL;
    int r = footprint_expand(findings->sources, owner, pattern, &path);

    if (r == -ENOMEM)
        findings->error = r;
    else if (r < 0)
        findings_add_out(findings, DIRECTORY_NAMED, pattern, 0, "not all of it is known of this tenant");
    else
        findings_add(findings, DIRECTORY_NAMED, path, 0);
}

static void find_named(struct Findings *findings, const struct FootprintOwner *owner)
{
    for (char **pattern = owner->class ? owner->class->disk_paths : NULL; pattern && *pattern; pattern++) {
        if (strcmp(*pattern, STATE_DIRECTORY) != 0) {
            find_pattern(findings, owner, *pattern);
            continue;
        }
        for (char *const *path = owner->state_directories; path && *path; path++)
            findings_add(findings, DIRECTORY_NAMED, *path, 0);
    }
}

int footprint_find(const struct FootprintSources *sources, const struct FootprintOwner *owner,
                   struct Directory **ret_list, size_t *ret_n, bool *ret_unsettled)
{
    _cleanup_(findings_done) struct Findings findings = {.sources = sources};
    bool unsettled;
    int r = find_of_container(&findings, owner, &unsettled);

    if (r < 0)
        return r;
    find_named(&findings, owner);
    r = findings_take(&findings, ret_list, ret_n);
    if (r == 0)
        *ret_unsettled = unsettled;
    return r;
}
