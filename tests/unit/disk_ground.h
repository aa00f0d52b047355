/* The ground of the disk guard's tests: the guard itself on a made-up kernel. Directories are real, below a
 * scratch directory; projects, tags and usage are numbers in a table; the worker does nothing until a test
 * has it do so, so that a test can stop the world between an order and its answer. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adoption.h"
#include "inspection.h"
#include "share.h"
#include "allowance.h"
#include "disk.h"
#include "election.h"
#include "record/history.h"
#include "tests/unit/scratch.h"

#define OTHER_DEV ((dev_t)0x7777)
#define FIRST_PROJECT 1000
#define LAST_PROJECT 1099
#define GROUND_TREES 32
#define GROUND_USAGES 32
#define GROUND_ORDERS 512
#define GB (1024ull * 1024 * 1024)

/* A directory as the kernel has it. */
struct GroundTree {
    char path[PATH_MAX];
    char owner[64]; /* whose footprint it is in, "" */
    enum DirectoryKind kind;
    enum DirectoryState found; /* what the footprint says of it */
    dev_t dev;
    uint32_t project;
    bool inherits, whiteout;
    int unreadable; /* what reading its project fails with */
};

struct GroundUsage {
    dev_t dev;
    uint32_t project;
    struct DiskUsage usage;
};

struct GroundLimit {
    struct QuotaOrder order;
    uint64_t ticket;
};

struct GroundWalk {
    struct TagOrder order;
    char path[PATH_MAX];
    uint64_t ticket;
};

struct Ground {
    struct Scratch scratch;
    char state_dir[PATH_MAX];
    dev_t dev; /* of what is real */
    usec_t now;
    struct Policy policy;
    struct TenantClass class, other_class;
    struct Rule rule;
    struct Registry registry;
    struct Ledger ledger;
    struct History history;
    struct Pipeline pipeline;
    struct DiskGuard disk;

    struct GroundTree trees[GROUND_TREES];
    size_t n_trees;
    struct GroundUsage usages[GROUND_USAGES];
    size_t n_usages;
    struct GroundLimit limits[GROUND_ORDERS]; /* waiting */
    size_t n_limits, limits_asked;
    uint64_t line_ticket; /* of the last line to be written; 0 */
    struct GroundWalk walks[GROUND_ORDERS];
    size_t n_walks, walks_asked;
    struct Filesystem filesystems[2]; /* the real one, and the other */
    bool unsettled;
    int footprint_error, worker_error, filesystems_error;
    unsigned quota_reads; /* fail when 0 is reached; UINT32_MAX: never */
    uint64_t free_bytes, size_bytes;
    unsigned settled[LIMIT_COUNT]; /* outcomes */
    struct Outcome outcome;        /* the last one */
    struct Tenant *looked[64];     /* by whom disk->look() was called */
    size_t n_looked;
    struct Outcome inspected;
    size_t n_inspected;
};

extern struct Ground *ground;

int ground_set_up(void **state);
int ground_tear_down(void **state);
/* kill -9 and another start: what was in memory is gone, tenants appear again by the same names. */
void ground_restart(void);

struct Tenant *ground_tenant(uint64_t id, const char *name);
void ground_vanish(struct Tenant *tenant);
/* A real directory of this tenant; on OTHER_DEV only by number. */
struct GroundTree *ground_directory(const char *owner, enum DirectoryKind kind, const char *name, dev_t dev);
void ground_remove(struct GroundTree *tree);
struct DiskUsage *ground_usage(dev_t dev, uint32_t project);

/* As guard.c does when the limits of a tenant are due. */
void ground_check(struct Tenant *tenant);
/* The same for everybody for whom it is due, until nobody is. */
void ground_settle(void);
/* What waits for the worker is done (error 0), or fails. Returns how many. */
size_t ground_answer_limits(int error);
void ground_answer_limit(int error); /* the next one */
size_t ground_answer_walks(int error);
/* All of it, again and again, until nothing waits. */
void ground_work(void);

const struct Directory *ground_state(struct Tenant *tenant, const struct GroundTree *tree,
                                     enum DirectoryState wanted);
bool ground_said(const char *text);
