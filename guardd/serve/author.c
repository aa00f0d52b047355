/* See author.h. */
#include "serve/author.h"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define PASSWD_LINE_MAX 4096

static void read_name(const char *passwd_file, struct Author *author)
{
    _cleanup_file_ FILE *file = fopen(passwd_file, "re");
    struct passwd user, *found;
    char buf[PASSWD_LINE_MAX];

    while (file && fgetpwent_r(file, &user, buf, sizeof(buf), &found) == 0)
        if (user.pw_uid == author->uid) {
            snprintf(author->name, sizeof(author->name), "%s", user.pw_name);
            return;
        }
}

/* Arguments end with a NUL each. */
static void read_command(struct Author *author)
{
    char path[64];
    _cleanup_fd_ int fd = -EBADF;
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/%d/cmdline", author->pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, author->command, sizeof(author->command) - 1);
    for (ssize_t i = 0; i + 1 < n; i++)
        if (author->command[i] == '\0')
            author->command[i] = ' ';
    author->command[n > 0 ? n : 0] = '\0';
}

static bool has_ended(int pid_fd)
{
    struct pollfd pollfd = {.fd = pid_fd, .events = POLLIN};

    return poll(&pollfd, 1, 0) != 0;
}

void author_of_peer(const char *passwd_file, sd_varlink *link, struct Author *ret)
{
    int pid_fd = sd_varlink_get_peer_pidfd(link); /* the link's own */
    uid_t uid = (uid_t)-1;
    pid_t pid;

    *ret = (struct Author){};
    (void)sd_varlink_get_peer_uid(link, &uid);
    ret->uid = uid;
    read_name(passwd_file, ret);
    if (sd_varlink_get_peer_pid(link, &pid) < 0 || pid <= 0)
        return;
    ret->pid = pid;
    if (pid_fd < 0)
        return;
    /* Read first: whoever has not ended by then was the one that was read. */
    read_command(ret);
    if (has_ended(pid_fd))
        ret->command[0] = '\0';
}
