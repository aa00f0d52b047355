/* Which project id belongs to whom, in STATE/projects: one JSON file an id, written whole to a temporary
 * name, renamed. A project belongs to a tenant's name on a filesystem (by UUID; without one by its device
 * path), so that a container that is started again, or made again under its name, finds its limits; ids are
 * given back when none of its directories is there and the kernel counts nothing for it.
 *
 * Nothing here waits for the disk: the loop calls it. What a loss of power takes with it is harmless: an id
 * that is lost is never taken again while the kernel counts files for it, and those files are tagged anew. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/queue.h>

struct ProjectDirectory {
    char *path;  /* owned */
    bool tagged; /* all of it, when it was last walked */
};

struct Project {
    uint32_t id;
    char *tenant;     /* name */
    char *filesystem; /* UUID=..., or /dev/... */
    struct ProjectDirectory *directories;
    size_t n_directories;
    LIST_ENTRY(Project) others;
};

struct Projects {
    int dir_fd; /* negative: why it could not be opened; nothing is remembered, no id is taken */
    LIST_HEAD(ProjectList, Project) list;
    size_t n;
    void *by_id, *by_owner; /* the same, in trees of search.h */
    uint32_t first, last;   /* ProjectIds= */
    uint32_t next;
    size_t damaged; /* files that could not be read; kept as NAME.damaged */
};

/* Makes STATE/projects where needed. Where that cannot be done it succeeds all the same, and `dir_fd` says
 * why: what would change something then fails with that. */
int projects_open(struct Projects *projects, const char *state_dir, uint32_t first, uint32_t last);
void projects_close(struct Projects *projects);

struct Project *project_find(const struct Projects *projects, const char *filesystem, const char *tenant);
struct Project *project_by_id(const struct Projects *projects, uint32_t id);
/* Takes the next id of the range that nobody has: not here, not in `projid_file` (projid(5), /etc/projid) or
 * `projects_file` (projects(5)), and not `is_used` (which asks the filesystem). On file before it returns.
 * -ENOSPC: the range is used up, or the disk; -EEXIST: that tenant has one there; -EROFS, -ENOENT...: the
 * directory. An admin's file that is there and cannot be read is an error too: it may name that very id. */
int project_take(struct Projects *projects, const char *filesystem, const char *tenant,
                 const char *projid_file, const char *projects_file,
                 int (*is_used)(void *userdata, uint32_t id), void *userdata, struct Project **ret);
/* Notes a directory (adds it, or changes `tagged`), on file before it returns; forgets one. On an error
 * nothing is changed. */
int project_note(struct Projects *projects, struct Project *project, const char *path, bool tagged);
int project_forget(struct Projects *projects, struct Project *project, const char *path);
/* Gives the id back, and frees the project. */
int project_return(struct Projects *projects, struct Project *project);
