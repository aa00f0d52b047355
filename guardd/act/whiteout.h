/* Overlayfs keeps one whiteout (a character device 0/0) in WORK/work and makes hard links of it for each file
 * of the image that is removed. One that was made before its directory had a project has none itself, cannot
 * be opened to get one, and the kernel then refuses (EXDEV) to move its links into a directory of a project:
 * in such a container no file of the image could be removed any more. The next mount, at the container's next
 * start, begins with a new one; `docker restart` keeps the mount that there is. */
#pragma once

/* `work`: the directory of overlay's workdir= option. 1: there is one; 0: none; -ENOENT, -ELOOP, -EACCES...:
 * it could not be looked at. Opened without following links. */
int whiteout_find(const char *work);
