/* What tenants have on disk, kept within limits: the rooms below put together for directories, projects and
 * quotas, as guard.c does it for cgroups.
 *
 *   disk.c       what the kernel announces (warnings, mounts), the looks at usage, whose project it is
 *   adoption.c   which directories count for a tenant: footprint → claims → project → tagged
 *   share.c      a tenant's project on one filesystem: its id, from the taking to the giving back
 *   walk.c       through all of a directory by the worker: to tag it, to clear it, to look at it
 *   inspection.c does all of a tenant count, for an operator who asks
 *   allowance.c  hard limits and tripwires, as orders to the worker
 *   election.c   rules with Scope=host: who has to stand still when the host's disk runs low
 *
 * Nothing here is polled at peace: a tenant below its tripwire (a soft limit) writes unobserved. What may
 * wait for a disk is done by the worker's threads, and comes back as an event of the loop. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>
#include <uthash.h>

#include "act/worker.h"
#include "decide/host.h"
#include "model/policy.h"
#include "pipeline.h"
#include "record/project.h"
#include "sense/filesystem.h"
#include "sense/warnings.h"
#include "tenant/claims.h"
#include "tenant/registry.h"

/* Whose project it is. */
struct ProjectOwner {
    struct {
        uint64_t dev;
        uint64_t project;
    } key;
    uint64_t tenant_id;
    bool wire_under_way; /* its tripwire was ordered: one at a time */
    UT_hash_handle hh;
};

enum OrderKind {
    ORDER_LIMIT,    /* a hard limit that the pipeline waits for */
    ORDER_TRIPWIRE, /* a soft limit */
    ORDER_LIFT,     /* all limits off a project that has no tenant (any more), or a grace */
    ORDER_TAG,
    ORDER_CLEAR,   /* takes the project off a directory that counts no more */
    ORDER_INSPECT, /* an operator asked whether all of it counts */
    ORDER_WRITE,   /* a line of a throttle: no matter of disks, but the worker is here */
};

/* What the worker was asked. */
struct DiskOrder {
    uint64_t ticket;
    enum OrderKind kind;
    uint64_t tenant_id; /* 0: nobody who is here */
    dev_t dev;
    uint32_t project;
    enum LimitId limit;     /* ORDER_LIMIT */
    enum Resource resource; /* ORDER_WRITE */
    char *path;             /* of a directory, owned */
    usec_t said_usec;       /* when its progress was told last */
    UT_hash_handle hh;
};

/* A filesystem that tenants have projects on. */
struct DiskStore {
    dev_t dev;
    size_t n_growers; /* projects of tenants that are here */
    bool graced;      /* no soft limit there ever hardens any more */
    struct DiskStore *prev, *next;
};

/* A rule with Scope=host on one filesystem. */
struct HostRule {
    struct HostState state;
    dev_t dev;
    usec_t look_usec; /* look at it again; USEC_INFINITY while it does not hold */
    struct HostRule *prev, *next;
};

/* An operator's check of a tenant's directories. */
struct Inspection {
    uint64_t ticket; /* 0: the place is free */
    uint64_t tenant_id;
    bool repair;
    unsigned waiting;
    int error;
    uint64_t seen, wrong, passed_over;
};
#define INSPECTIONS_MAX 8

struct DiskGuard {
    /* All borrowed; the caller's to set before disk_guard_open(). */
    const struct Policy *policy; /* the one in force; set anew before disk_guard_reload() */
    struct Registry *registry;
    struct Pipeline *pipeline;
    usec_t (*clock)(void);
    const char *root;      /* of made-up trees; "" */
    const char *state_dir; /* /var/lib/guardd */
    void (*look)(void *userdata, struct Tenant *tenant);
    void (*announced)(void *userdata); /* what the kernel announced is looked at: watchers wait for it */
    void (*filesystems_changed)(void *userdata); /* what is told of them is told anew */
    void (*inspected)(void *userdata, uint64_t ticket, struct Tenant *tenant, const struct Outcome *outcome);
    void *userdata;

    struct Filesystems filesystems;
    struct Warnings warnings;
    struct Worker worker;
    struct Projects projects;
    struct Claims claims;
    struct ProjectOwner *owners;
    struct DiskOrder *orders;
    struct DiskStore *stores;
    struct HostRule *host_rules;
    struct Inspection inspections[INSPECTIONS_MAX];
    sd_event_source *sources[4];
    uint64_t last_ticket;
    usec_t sweep_usec;   /* some warnings were lost: look at every project */
    usec_t collect_usec; /* look which projects nobody needs any more */
    usec_t probed_usec;  /* when the filesystems were looked at last */
    bool open;
    char trouble[256]; /* what cannot be done here, "" */
};

/* Without what it needs (state directory, netlink, quotas) it goes on with what there is, and says so in
 * `trouble`; without the mount table or its threads it stays closed, and cgroups are guarded all the same. */
void disk_guard_open(struct DiskGuard *disk, sd_event *event);
void disk_guard_close(struct DiskGuard *disk);

/* Another policy is in force. */
void disk_guard_reload(struct DiskGuard *disk);

/* The disk's part of a look: reads usage when something was announced, a rule of the tenant is at work, or
 * `now`. */
void disk_guard_look(struct DiskGuard *disk, struct Tenant *tenant, bool fresh, usec_t now);
/* Looks at the filesystems again: for somebody who needs to know now. */
void disk_guard_probe(struct DiskGuard *disk);

/* Has the worker write a line to `fd`, for throttling_answer(). -ENOTCONN: there is no worker. */
int disk_guard_write(struct DiskGuard *disk, const struct Tenant *tenant, enum Resource resource, int fd,
                     const char *line);

/* When disk_guard_pass() is due. */
usec_t disk_guard_due_usec(const struct DiskGuard *disk);
void disk_guard_pass(struct DiskGuard *disk, usec_t now);

/* --- between the files of the disk guard ---------------------------------------------------------- */

struct DiskOrder *disk_order_new(struct DiskGuard *disk, enum OrderKind kind, uint64_t tenant_id, dev_t dev,
                                 uint32_t project, const char *path);
void disk_order_free(struct DiskGuard *disk, struct DiskOrder *order);
/* It was answered: nothing that follows from the answer finds it among the orders any more. Then it is freed
 * by disk_order_done(). */
void disk_order_take(struct DiskGuard *disk, struct DiskOrder *order);
void disk_order_done(struct DiskOrder *order);
struct DiskStore *disk_store(const struct DiskGuard *disk, dev_t dev);
int disk_own(struct DiskGuard *disk, dev_t dev, uint32_t project, uint64_t tenant_id);
/* Only what this tenant owns: one of its name may have taken it over. */
void disk_disown(struct DiskGuard *disk, dev_t dev, uint32_t project, uint64_t tenant_id);
bool disk_owns(const struct DiskGuard *disk, dev_t dev, uint32_t project, uint64_t tenant_id);
struct ProjectOwner *disk_project_owner(const struct DiskGuard *disk, dev_t dev, uint32_t project);
struct Tenant *disk_owner(const struct DiskGuard *disk, dev_t dev, uint32_t project);
__attribute__((format(printf, 4, 5))) void disk_notice(struct DiskGuard *disk, const struct Tenant *tenant,
                                                       int priority, const char *format, ...);
