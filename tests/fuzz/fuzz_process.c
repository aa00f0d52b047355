/* Fuzz target: what an enemy names (tenant/name.h, process.h, specifier.c): the first line of the input is
 * the path of a cgroup, the second one a pattern of DiskPath=, all of it a state file, passwd and stat. A
 * name is one for terminals, a specifier one component of a path, and whoever calls himself ") R 1" has the
 * start time that the kernel says. */
#include <errno.h>
#include <limits.h>

#include "model/tenant.h"
#include "tenant/cgroup.h"
#include "tenant/footprint.h"
#include "tenant/name.h"
#include "tenant/process.h"
#include "tests/fuzz/ground.h"

#define ID_LENGTH 64
#define COMMAND_MAX 63 /* of a kernel thread; of all others less */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void name_tenant(const char *path)
{
    const struct NameSources sources = {.root = ground()};
    char *name = malloc(TENANT_NAME_MAX), *id = malloc(ID_LENGTH + 1), *unit = cgroup_unit(path);

    must(name && id);
    tenant_name(&sources, path, name, TENANT_NAME_MAX, id);
    must(memchr(name, '\0', TENANT_NAME_MAX) && (name[0] != '\0' || path[0] == '\0'));
    for (const char *p = name; *p != '\0'; p++)
        must(*p >= ' ' && *p <= '~');
    must(id[0] == '\0' || (strspn(id, "0123456789abcdef") == ID_LENGTH && id[ID_LENGTH] == '\0'));
    must(!unit || !strchr(unit, '/'));
    free(unit);
    free(id);
    free(name);
}

static void expand(const char *path, const char *pattern)
{
    static const char all[] = "/srv/%c/%n/%p/%u/%U";
    char passwd[PATH_MAX], *expanded = NULL, *unit = cgroup_unit(path);
    const struct FootprintSources sources = {.passwd = passwd};
    const struct FootprintOwner owner = {.name = "user/0", .path = path, .unit = unit, .container_id = ""};
    size_t slashes = 0;

    snprintf(passwd, sizeof(passwd), "%s", ground_file("etc/passwd"));
    if (footprint_expand(&sources, &owner, pattern, &expanded) == 0)
        must(strlen(expanded) < PATH_MAX);
    free(expanded);
    if (footprint_expand(&sources, &owner, all, &expanded) == 0) {
        for (const char *p = expanded; (p = strchr(p, '/')); p++, slashes++)
            must(p[1] != '.' && p[1] != '/' && p[1] != '\0');
        must(slashes == 6);
        free(expanded);
    }
    free(unit);
}

static void see(const char *command)
{
    char stat[512];
    struct Process process;
    int n, r = process_see(ground(), 7, &process);

    must(r == 0 || r == -EBADMSG);
    n = snprintf(stat, sizeof(stat), "7 (%.*s) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 0 0 0\n",
                 COMMAND_MAX, command);
    ground_write("7/stat", stat, (size_t)n);
    must(process_see(ground(), 7, &process) == 0 && process.pid == 7 && process.start == 4711);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = input_text(data, size), *rest = text, *path, *pattern;

    mkdir(ground_file("7"), 0700);
    mkdir(ground_file("etc"), 0700);
    ground_write("7/stat", data, size);
    ground_write("etc/passwd", data, size);
    see(text);
    path = strsep(&rest, "\n");
    pattern = rest ? strsep(&rest, "\n") : "";
    name_tenant(path);
    expand(path, pattern);
    free(text);
    return 0;
}
