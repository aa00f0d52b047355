/* Directories of small JSON files that outlive the process: projects and overrides are kept so. A file is
 * there whole, as it was or as it is to be, whenever guardd ends.
 *
 * Strings that may hold any byte (names, paths) are escaped, since JSON is UTF-8 and a file's name has no
 * slash: a byte is written %XX, with two capital hexadecimal digits. In the text of a file that is every
 * byte but printable ASCII, and '%' itself; in a file's name it is every byte outside [A-Za-z0-9_.-], and a
 * leading '.'. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <systemd/sd-json.h>

#define STORE_FILE_MAX (1024 * 1024) /* bytes of a file; a larger one is neither written nor read */
#define STORE_FILES_MAX (256 * 1024) /* of a directory */
#define STORE_NAME_MAX 240           /* with its NUL and ".json" */

/* Opens PARENT/NAME, made where needed; what an interrupted write left there is removed. Returns the
 * descriptor. */
int store_open(const char *parent, const char *name);

/* Writes NAME whole: to a temporary name, renamed. So a kill -9 at any instant leaves the old or the new one.
 * With `sync` it outlives a loss of power as well, but the call waits for the disk, and on a busy disk that
 * is long. On an error what was there before is there still, save when the last sync alone fails (-EIO:
 * either may be there after a reboot). -EFBIG: longer than STORE_FILE_MAX. A `dir_fd` below 0 is returned as
 * the error, by store_remove() too. */
int store_write(int dir_fd, const char *name, sd_json_variant *json, bool sync);
/* Done too when there is none. */
int store_remove(int dir_fd, const char *name, bool sync);

#define STORE_DAMAGED 1 /* what an `each` says of a file that makes no sense */

/* Calls `each` for every *.json. What is no JSON object or too large, or makes no sense to `each`, is
 * renamed from NAME.json to NAME.damaged where the directory can be written, and counted. An error of
 * `each` ends it. */
int store_read(int dir_fd, int (*each)(void *userdata, const char *name, sd_json_variant *object),
               void *userdata, size_t *ret_damaged);

/* Both return memory of their own. NULL: there is none (errno ENOMEM), or for unescape `text` is nothing that
 * store_escape() returns (EBADMSG). */
char *store_escape(const char *text);
char *store_unescape(const char *text);
/* "docker%2Fweb.json". A name that would be longer than 200 bytes is cut, and a checksum of all of it
 * appended: two names may then share a file's name, which the caller looks after. Returns `buf`. */
const char *store_file_name(const char *text, char buf[static STORE_NAME_MAX]);
