/* Opens the handle on a cgroup (model/cgroup.h): identity, unit, and every file that is needed later. */
#pragma once

#include "model/cgroup.h"

/* `dir_fd` is the cgroup's directory; borrowed, a copy of it is kept. `path` counts from the root of the
 * tree. With `managed` (PID 1 is systemd and this is its tree) the unit of the path is named. A file of a
 * controller that is not enabled leaves -EBADF in its place; that is no error. A slice gets a freeze point
 * for each child that is there. Returns 0, -ENODEV/-ENOENT when it is gone, -EMFILE. */
int cgroup_open(int dir_fd, const char *path, bool managed, struct Cgroup *ret);
void cgroup_close(struct Cgroup *cgroup);

/* Opens the files of controllers that were enabled since (a delegated manager makes a cgroup first and
 * enables its controllers then; the kernel does not announce it). Cheap when nothing is missing; errors as
 * above. */
int cgroup_open_controllers(struct Cgroup *cgroup);
/* Nothing of them is missing. */
bool cgroup_has_controllers(const struct Cgroup *cgroup);
/* Is this the directory of a cgroup that has not been removed? For who was told that it is gone. */
bool cgroup_is_there(int dir_fd);

/* Opens those of the files (1u << enum CgroupFile) that are not open yet, for writing where they can be
 * written; one that is not there stays -EBADF. Errors as above. */
int cgroup_open_files(struct Cgroup *cgroup, uint32_t files);
/* A controller that was disabled took its files along: their descriptors answer ENODEV, also when it is back.
 */
void cgroup_close_files(struct Cgroup *cgroup, uint32_t files);

/* A child of a slice appeared or vanished. -EEXIST, -ENOENT when that was known. */
int cgroup_add_point(struct Cgroup *slice, int child_dir_fd, uint64_t id, const char *name);
int cgroup_remove_point(struct Cgroup *slice, uint64_t id);

/* PID 1's unit of a cgroup path: its last component is a unit and every one before it a slice (what is
 * below a service or scope is delegated). Returns its name, which is the end of `path`, or NULL. The "_" that
 * systemd puts before names that clash with cgroup files is taken off. */
const char *cgroup_unit(const char *path);
