/* Who may do what: root and members of OperatorGroup= change and look, members of ViewerGroup= look,
 * everyone else does neither. A peer's user and groups are what the kernel says of the process that
 * connected. Groups are looked up in the group file itself: a name service could block, and under attack
 * it would. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <systemd/sd-varlink.h>

#include "config/config.h"

enum Right {
    RIGHT_NONE,
    RIGHT_LOOK,
    RIGHT_CHANGE, /* looking included */
};

#define GID_NONE ((gid_t) - 1)

/* The groups that the configuration names; GID_NONE where it names none or there is no such group. */
struct Authority {
    gid_t operators, viewers;
};

/* The decision itself. `gids`: all groups of the peer, the primary one included. */
enum Right authority_right(const struct Authority *authority, uid_t uid, const gid_t *gids, size_t n);

/* Looks the groups up. A file that cannot be read has no groups in it. */
void authority_load(const char *group_file, const struct Config *config, struct Authority *ret);

/* The right of the process at the other end. Whatever cannot be found out gives no right. */
enum Right authority_of_peer(const char *group_file, const struct Config *config, sd_varlink *link);

/* The sentence for a peer that lacks `wanted`; returns `buf`. */
const char *authority_denial(const struct Config *config, enum Right wanted, char *buf, size_t size);
#define AUTHORITY_DENIAL_MAX 320
