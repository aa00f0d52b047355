/* Fuzz target: two mount tables, one behind the other with an empty line between (base/mounts.h), of which
 * the second one is a container's (tenant/container.h): that one an enemy has written. Every mount is whole,
 * a path lies on one that is above it, and what is found of the container has a path and a reason or none. */
#include <errno.h>

#include "tenant/container.h"
#include "tenant/findings.h"
#include "tests/fuzz/ground.h"

#define MOUNTS_TRIED 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_mount(const struct Mounts *mounts, const struct Mount *mount)
{
    const struct Mount *holding = mounts_holding(mounts, mount->path), *at = mounts_at(mounts, mount->path);
    char *path = NULL;

    must(mount->path[0] == '/' && mount->root && mount->type && mount->source);
    must(holding && (!at || at == holding));
    if (mounts_locate(mounts, mount->dev, mount->root, NULL, &path) == 0) {
        holding = mounts_holding(mounts, path);
        must(holding && holding->dev == mount->dev);
    }
    free(path);
}

static int read_mounts(const char *text, size_t size, struct Mounts *ret)
{
    int r;

    ground_write("mountinfo", text, size);
    r = mounts_read(ground_file("mountinfo"), ret);
    must(r == 0 || r == -EBADMSG);
    for (size_t i = 0; r == 0 && i < ret->n && i < MOUNTS_TRIED; i++)
        check_mount(ret, &ret->list[i]);
    return r;
}

static void find(const struct Mounts *host, const struct Mounts *table)
{
    static char *const roots[] = {(char *)"/srv", (char *)"/var", NULL};
    const struct DiskPolicy policy = {.roots = (char **)roots};
    const struct FootprintSources sources = {.root = ground(), .mounts = host, .policy = &policy};
    const struct FootprintOwner owner = {
        .name = "docker/web",
        .path = "system.slice/docker-1.scope",
        .unit = "docker-1.scope",
        .container_id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        .cgroup_fd = -EBADF,
    };
    struct Findings findings = {.sources = &sources};
    struct Directory *list = NULL;
    size_t n = 0;

    (void)container_is_unsettled(host, table);
    container_find(&findings, &owner, table);
    must(findings.n <= FINDINGS_MAX && findings.n_out <= FINDINGS_OUT_MAX + 1 && findings.error == 0);
    must(findings_take(&findings, &list, &n) == 0);
    for (size_t i = 0; i < n; i++)
        must(list[i].path && memchr(list[i].why, '\0', sizeof(list[i].why)) &&
             (list[i].state == DIRECTORY_OUT) == (list[i].why[0] != '\0'));
    directories_free(list, n);
    findings_done(&findings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct Mounts host = {0}, table = {0};
    char *text = input_text(data, size), *blank = strstr(text, "\n\n");
    size_t first = blank ? (size_t)(blank - text) + 1 : size;

    if (read_mounts(text, first, &host) == 0 && read_mounts(text + first, size - first, &table) == 0)
        find(&host, &table);
    mounts_done(&host);
    mounts_done(&table);
    free(text);
    return 0;
}
