/* See authority.h. */
#include "serve/authority.h"

#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define GROUP_LINE_MAX (256 * 1024) /* a group with many members is one long line */

static bool contains(const gid_t *gids, size_t n, gid_t gid)
{
    for (size_t i = 0; gid != GID_NONE && i < n; i++)
        if (gids[i] == gid)
            return true;
    return false;
}

enum Right authority_right(const struct Authority *authority, uid_t uid, const gid_t *gids, size_t n)
{
    if (uid == 0 || contains(gids, n, authority->operators))
        return RIGHT_CHANGE;
    return contains(gids, n, authority->viewers) ? RIGHT_LOOK : RIGHT_NONE;
}

/* The first line of that name counts, as for everyone else who reads the file. */
static void note_group(const struct group *group, const char *name, gid_t *gid)
{
    if (name && *gid == GID_NONE && strcmp(group->gr_name, name) == 0)
        *gid = group->gr_gid;
}

void authority_load(const char *group_file, const struct Config *config, struct Authority *ret)
{
    _cleanup_free_ char *buf = malloc(GROUP_LINE_MAX);
    _cleanup_file_ FILE *file = fopen(group_file, "re");
    struct group group, *found;

    *ret = (struct Authority){.operators = GID_NONE, .viewers = GID_NONE};
    if (!buf || !file)
        return;
    while (fgetgrent_r(file, &group, buf, GROUP_LINE_MAX, &found) == 0) {
        note_group(found, config->operator_group, &ret->operators);
        note_group(found, config->viewer_group, &ret->viewers);
    }
}

/* Every group of the peer into a new array, the primary one last. */
static int peer_groups(sd_varlink *link, gid_t **ret_gids, size_t *ret_n)
{
    _cleanup_free_ gid_t *gids = NULL;
    int fd = sd_varlink_get_fd(link);
    gid_t none;
    socklen_t size = 0;
    size_t n;
    gid_t primary;
    int r = sd_varlink_get_peer_gid(link, &primary);

    if (fd < 0 || r < 0)
        return fd < 0 ? fd : r;
    /* With no room the kernel tells how much is needed; it cannot change any more after that. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, &none, &size) < 0 && errno != ERANGE)
        return -errno;
    gids = malloc(size + sizeof(gid_t));
    if (!gids)
        return -ENOMEM;
    if (size > 0 && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &size) < 0)
        return -errno;
    n = size / sizeof(gid_t);
    gids[n++] = primary;
    *ret_gids = take_ptr(gids);
    *ret_n = n;
    return 0;
}

enum Right authority_of_peer(const char *group_file, const struct Config *config, sd_varlink *link)
{
    _cleanup_free_ gid_t *gids = NULL;
    struct Authority authority;
    size_t n = 0;
    uid_t uid;

    if (sd_varlink_get_peer_uid(link, &uid) < 0)
        return RIGHT_NONE;
    if (uid == 0) /* needs no groups, and no file that may be missing */
        return RIGHT_CHANGE;
    if (peer_groups(link, &gids, &n) < 0)
        return RIGHT_NONE;
    authority_load(group_file, config, &authority);
    return authority_right(&authority, uid, gids, n);
}

const char *authority_denial(const struct Config *config, enum Right wanted, char *buf, size_t size)
{
    const char *operators = config->operator_group, *viewers = config->viewer_group;

    if (wanted == RIGHT_CHANGE && operators)
        snprintf(buf, size, "only root and members of group '%s' may change anything: join '%s'", operators,
                 operators);
    else if (wanted == RIGHT_CHANGE)
        snprintf(buf, size, "only root may change anything (OperatorGroup= names no group)");
    else if (viewers)
        snprintf(buf, size, "only root and members of group '%s' may look: join '%s'", viewers, viewers);
    else if (operators)
        snprintf(buf, size, "only root and members of group '%s' may look: join '%s'", operators, operators);
    else
        snprintf(buf, size, "only root may look (OperatorGroup= and ViewerGroup= name no group)");
    return buf;
}
