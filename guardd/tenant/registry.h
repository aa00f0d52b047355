/* The registry: which tenants are here, by cgroup id, and which of them must not be touched.
 *
 * It is told of every cgroup that appears or vanishes, tenant or not, because a tenant is protected when
 * it is, or holds, a cgroup that Protect= names; and untouchable when it is, or holds, guardd's own cgroup
 * or PID 1's (an ancestor of guardd frozen would freeze guardd). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/policy.h"
#include "model/tenant.h"
#include "tenant/name.h"

struct ProtectedPath; /* uthash, by id */
struct PointOwner;    /* uthash: id of a freeze point -> id of its tenant */

struct Registry {
    struct Tenant *tenants; /* uthash, by cgroup.id; iterate with HASH_ITER(hh, ...) */
    struct Agenda agenda;   /* of which of them something may be due */
    struct ProtectedPath *protected_paths;
    struct PointOwner *points;
    struct NameSources sources;
    char **own_paths; /* cgroups of [0] guardd and [1] PID 1, "" where unknown; NULL-terminated, owned */
    bool managed;     /* PID 1 is systemd and the tree is its tree */
};

/* `own_paths` is copied; it may be NULL or end early. */
int registry_init(struct Registry *registry, const struct NameSources *sources, char *const *own_paths,
                  bool managed);
void registry_done(struct Registry *registry);

/* A cgroup appeared. Becomes a tenant when a class matches (`ret_tenant`, else NULL there); a freeze point
 * when its parent is a slice that is a tenant; and perhaps the reason that another one is protected.
 * It may be told again of one it knows, as after a reload: a negative `dir_fd` is then handed back as the
 * error. Returns 0; -EEXIST when it is a tenant already (ret_tenant is that one); -ENODEV/-ENOENT when it is
 * gone already; -ENOMEM; -EMFILE. */
int registry_add(struct Registry *registry, const struct Policy *policy, uint64_t id, const char *path,
                 int dir_fd, usec_t now, struct Tenant **ret_tenant);

/* A cgroup vanished. Returns its tenant, taken out of the registry and owned by the caller now
 * (tenant_free), or NULL when it was none. */
struct Tenant *registry_remove(struct Registry *registry, const struct Policy *policy, uint64_t id);
struct Tenant *tenant_free(struct Tenant *tenant);
/* Replaces what is known of its unit's StateDirectory=; the list is copied. -ENOMEM: it is as it was. */
int tenant_set_directories(struct Tenant *tenant, char *const *directories);

/* After a reload: gives a tenant its class in the new policy (NULL: none) and its protection. */
void registry_reclassify(struct Registry *registry, const struct Policy *policy, struct Tenant *tenant);
/* After a reload, before reclassifying: forgets every protected path; each known cgroup is named again. */
void registry_protect_reset(struct Registry *registry);
int registry_protect_note(struct Registry *registry, const struct Policy *policy, uint64_t id,
                          const char *path);

struct Tenant *registry_find(const struct Registry *registry, uint64_t id);
/* The slice tenant that has this cgroup as a freeze point, NULL when none has. */
struct Tenant *registry_point_owner(const struct Registry *registry, uint64_t id);
size_t registry_count(const struct Registry *registry);

/* TENANT as people write it: a name, a cgroup path (with or without a leading slash), an unambiguous start
 * (>= 4 digits) of a container id, the part of a name behind its slash when only one tenant has it, or a
 * unit name. Returns 0, -ENOENT, or REGISTRY_AMBIGUOUS (several; the caller says so). */
#define REGISTRY_AMBIGUOUS 1
int registry_lookup(const struct Registry *registry, const char *text, struct Tenant **ret_tenant);
