/* One file is written at a time, so there is one temporary name, which no *.json is. A file that is not
 * guardd's own making (a link, a pipe, gigabytes of something) is not followed, waited for or read. */
#include "record/store.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"

#define TEMPORARY ".new"
#define ENDING ".json"
#define ENDING_DAMAGED ".damaged"
#define ESCAPED_NAME_MAX 200

/* --- writing -------------------------------------------------------------------------------------- */

int store_open(const char *parent, const char *name)
{
    _cleanup_fd_ int parent_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd;

    if (parent_fd < 0)
        return negative_errno();
    if (mkdirat(parent_fd, name, 0700) < 0 && errno != EEXIST && errno != EROFS)
        return negative_errno();
    fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return negative_errno();
    (void)unlinkat(fd, TEMPORARY, 0);
    return fd;
}

static int write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? negative_errno() : -EIO;
        text += n;
        size -= (size_t)n;
    }
    return 0;
}

static int sync_fd(int fd)
{
    return fsync(fd) < 0 ? negative_errno() : 0;
}

static int write_temporary(int dir_fd, const char *text, size_t size, bool sync)
{
    _cleanup_fd_ int fd =
        openat(dir_fd, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    int r;

    if (fd < 0)
        return negative_errno();
    r = write_all(fd, text, size);
    return r < 0 || !sync ? r : sync_fd(fd);
}

int store_write(int dir_fd, const char *name, sd_json_variant *json, bool sync)
{
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r;

    if (dir_fd < 0)
        return dir_fd;
    r = sd_json_variant_format(json, SD_JSON_FORMAT_PRETTY | SD_JSON_FORMAT_NEWLINE, &text);
    if (r < 0)
        return r;
    size = strlen(text);
    if (size > STORE_FILE_MAX)
        return -EFBIG;
    r = write_temporary(dir_fd, text, size, sync);
    if (r >= 0 && renameat(dir_fd, TEMPORARY, dir_fd, name) < 0)
        r = negative_errno();
    if (r < 0) {
        (void)unlinkat(dir_fd, TEMPORARY, 0);
        return r;
    }
    return sync ? sync_fd(dir_fd) : 0;
}

int store_remove(int dir_fd, const char *name, bool sync)
{
    if (dir_fd < 0)
        return dir_fd;
    if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
        return negative_errno();
    return sync ? sync_fd(dir_fd) : 0;
}

/* --- reading -------------------------------------------------------------------------------------- */

/* -EBADMSG: it is there, and nothing of ours. */
static int read_object(int dir_fd, const char *name, sd_json_variant **ret)
{
    _cleanup_fd_ int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    _cleanup_file_ FILE *file = NULL;
    sd_json_variant *json = NULL;
    struct stat st;
    int r;

    if (fd < 0)
        return errno == ELOOP || errno == ENXIO ? -EBADMSG : negative_errno();
    if (fstat(fd, &st) < 0)
        return negative_errno();
    if (!S_ISREG(st.st_mode) || st.st_size > STORE_FILE_MAX)
        return -EBADMSG;
    file = fdopen(fd, "re");
    if (!file)
        return negative_errno();
    (void)take_fd(&fd);
    r = sd_json_parse_file_at(file, dir_fd, name, 0, &json, NULL, NULL);
    if (r < 0)
        return r == -ENOMEM || r == -EIO ? r : -EBADMSG;
    if (!sd_json_variant_is_object(json)) {
        sd_json_variant_unref(json);
        return -EBADMSG;
    }
    *ret = json;
    return 0;
}

/* Returns 0 for a name that ends otherwise. */
static size_t stem_of(const char *name)
{
    size_t length = strlen(name), ending = strlen(ENDING);

    if (length <= ending || strcmp(name + length - ending, ENDING) != 0)
        return 0;
    return length - ending;
}

static void put_aside(int dir_fd, const char *name)
{
    char aside[NAME_MAX + sizeof(ENDING_DAMAGED)];

    snprintf(aside, sizeof(aside), "%.*s%s", (int)stem_of(name), name, ENDING_DAMAGED);
    (void)renameat(dir_fd, name, dir_fd, aside);
}

/* A file that cannot be read is counted and left where it is: the next start may read it. */
static int read_entry(int dir_fd, const char *name,
                      int (*each)(void *userdata, const char *name, sd_json_variant *object), void *userdata,
                      size_t *damaged)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *object = NULL;
    int r = read_object(dir_fd, name, &object);

    if (r == -ENOMEM || r == -EMFILE || r == -ENFILE)
        return r;
    if (r >= 0) {
        r = each(userdata, name, object);
        if (r <= 0)
            return r;
        r = -EBADMSG;
    }
    if (r == -EBADMSG)
        put_aside(dir_fd, name);
    (*damaged)++;
    return 0;
}

int store_read(int dir_fd, int (*each)(void *userdata, const char *name, sd_json_variant *object),
               void *userdata, size_t *ret_damaged)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    size_t damaged = 0, n = 0;
    struct dirent *entry;

    if (!dir) {
        int r = negative_errno();

        fd_close(fd);
        return r;
    }
    while ((void)(errno = 0), (entry = readdir(dir))) {
        int r;

        if (entry->d_name[0] == '.' || stem_of(entry->d_name) == 0)
            continue;
        if (++n > STORE_FILES_MAX)
            return -EFBIG;
        r = read_entry(dir_fd, entry->d_name, each, userdata, &damaged);
        if (r < 0)
            return r;
    }
    if (errno != 0)
        return negative_errno();
    *ret_damaged = damaged;
    return 0;
}

/* --- any bytes as text ---------------------------------------------------------------------------- */

static bool is_plain_in_text(unsigned char c)
{
    return c >= ' ' && c <= '~' && c != '%';
}

static bool is_plain_in_name(unsigned char c)
{
    return c < 0x80 && (isalnum(c) || c == '_' || c == '.' || c == '-');
}

static size_t put_byte(unsigned char c, bool plain, char *p)
{
    static const char digits[] = "0123456789ABCDEF";

    if (plain) {
        p[0] = (char)c;
        return 1;
    }
    p[0] = '%';
    p[1] = digits[c >> 4];
    p[2] = digits[c & 15];
    return 3;
}

char *store_escape(const char *text)
{
    char *escaped = malloc(3 * strlen(text) + 1), *p = escaped;

    if (!escaped)
        return NULL;
    for (; *text; text++)
        p += put_byte((unsigned char)*text, is_plain_in_text((unsigned char)*text), p);
    *p = '\0';
    return escaped;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Each string has one escaped form, and only that is taken. */
char *store_unescape(const char *text)
{
    _cleanup_free_ char *plain = malloc(strlen(text) + 1);
    char *p = plain;

    if (!plain)
        return NULL;
    for (; *text; text++) {
        int high, low;

        if (is_plain_in_text((unsigned char)*text)) {
            *p++ = *text;
            continue;
        }
        high = *text == '%' ? hex_digit(text[1]) : -1;
        low = high >= 0 ? hex_digit(text[2]) : -1;
        if (low < 0 || high * 16 + low == 0 || is_plain_in_text((unsigned char)(high * 16 + low))) {
            errno = EBADMSG;
            return NULL;
        }
        *p++ = (char)(high * 16 + low);
        text += 2;
    }
    *p = '\0';
    return take_ptr(plain);
}

const char *store_file_name(const char *text, char buf[static STORE_NAME_MAX])
{
    const char *start = text;
    size_t n = 0;

    for (; *text && n <= ESCAPED_NAME_MAX; text++)
        n += put_byte((unsigned char)*text, is_plain_in_name((unsigned char)*text) && (n > 0 || *text != '.'),
                      buf + n);
    if (n > ESCAPED_NAME_MAX) {
        n = ESCAPED_NAME_MAX - 12;
        n += (size_t)snprintf(buf + n, STORE_NAME_MAX - n, "%%~%08lX",
                              crc32(0, (const unsigned char *)start, (unsigned)strlen(start)));
    }
    snprintf(buf + n, STORE_NAME_MAX - n, "%s", ENDING);
    return buf;
}
