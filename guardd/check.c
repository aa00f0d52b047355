/* A check is made whole and then told, so that people and programs are told the same: the files, what is
 * wrong in them, what is right but hardly meant, and what the host offers. */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-json.h>

#include "act/shaper.h"
#include "base/cleanup.h"
#include "base/device.h"
#include "config/config.h"
#include "rates.h"
#include "sense/filesystem.h"
#include "sense/host.h"

#define WIDTH 80
/* Where the service runs. Not the cgroup of this process: a check is run from a login. */
#define GUARD_CGROUP "system.slice/guardd.service"

struct Warnings {
    char **list;
    size_t n;
};

struct Check {
    char **files;          /* those that are read, right or wrong */
    struct Config *config; /* NULL: not valid */
    struct Problems problems;
    struct Warnings warnings;
    struct HostFindings host;
};

static void check_done(struct Check *check)
{
    config_files_free(check->files);
    config_free(check->config);
    problems_free(&check->problems);
    for (size_t i = 0; i < check->warnings.n; i++)
        free(check->warnings.list[i]);
    free(check->warnings.list);
}

static int copy_files(char *const *files, char ***ret_files)
{
    char **copy;
    size_t n = 0;

    while (files[n])
        n++;
    *ret_files = copy = calloc(n + 1, sizeof(*copy));
    for (size_t i = 0; copy && i < n; i++)
        if (!(copy[i] = strdup(files[i])))
            return -ENOMEM;
    return copy ? 0 : -ENOMEM;
}

static int check_config(struct Check *check, const char *root, char *const *files)
{
    int r = files[0] ? copy_files(files, &check->files)
                     : config_find_files(root, &check->files, &check->problems);

    if (r == 0)
        r = config_load_files(check->files, &check->config, &check->problems);
    return r == CONFIG_INVALID ? 0 : r;
}

static int warn_of_match(struct Check *check, const char *path, const char *whom)
{
    const struct TenantClass *class = policy_classify(&check->config->policy, path);
    char **list, *text;

    if (!class)
        return 0;
    list = reallocarray(check->warnings.list, check->warnings.n + 1, sizeof(*list));
    if (!list)
        return -ENOMEM;
    check->warnings.list = list;
    if (asprintf(&text,
                 "class '%s' matches %s, which holds %s: no rule and no limit of the class is ever "
                 "applied there; a narrower Match= is meant",
                 class->name, path, whom) < 0)
        return -ENOMEM;
    list[check->warnings.n++] = text;
    return 0;
}

/* Every cgroup above `path`, and with `itself` that one too. */
static int warn_of_ancestors(struct Check *check, const char *path, bool itself, const char *whom)
{
    _cleanup_free_ char *part = strdup(path);
    int r = 0;

    if (!part)
        return -ENOMEM;
    for (size_t i = 1; r == 0 && path[0] != '\0' && i <= strlen(path); i++) {
        if (path[i] != '/' && (path[i] != '\0' || !itself))
            continue;
        part[i] = '\0';
        r = warn_of_match(check, part, whom);
        part[i] = path[i];
    }
    return r;
}

static int check_matches(struct Check *check)
{
    _cleanup_free_ char *init = NULL;
    int r;

    if (!check->config)
        return 0;
    r = warn_of_ancestors(check, GUARD_CGROUP, false, "guardd");
    if (r == 0 && host_cgroup_of(1, &init) == 0)
        r = warn_of_ancestors(check, init, true, "PID 1");
    return r;
}

static void check_host(struct Check *check)
{
    _cleanup_free_ char *found = NULL;
    const char *root = check->config ? check->config->cgroup_root : NULL;

    if (root || host_find_cgroup_root("/proc/self/mounts", &found) == 0) {
        host_probe(root ? root : found, &check->host);
        return;
    }
    check->host = (struct HostFindings){
        .n = 1,
        .list = {
            {.what = "cgroup v2",
             .text = "no cgroup v2 tree is mounted: nothing can be guarded. Mount one (mount -t cgroup2), or "
                     "name it with CgroupRoot="}}};
}

/* Without a valid configuration nobody knows which roots are meant. */
static void check_disks(struct Check *check)
{
    struct Filesystems filesystems;

    if (!check->config || filesystems_open(&filesystems, NULL) < 0)
        return;
    if (filesystems_load(&filesystems, check->config->policy.disk.roots, NULL) == 0)
        filesystem_findings(&filesystems, &check->host);
    filesystems_close(&filesystems);
}

static void check_rates(struct Check *check)
{
    char names[192] = "", node[64];
    struct Rate disks;

    if (!check->config)
        return;
    rates_find_disks("", check->config->policy.disk.roots, &disks);
    for (size_t i = 0; i < disks.n; i++) {
        const struct RateDisk *disk = &disks.disks[i];
        size_t used = strlen(names);

        snprintf(names + used, sizeof(names) - used, "%s%s", i > 0 ? ", " : "",
                 device_node("", disk->major, disk->minor, node, sizeof(node)));
    }
    if (disks.n > 0)
        host_finding(&check->host, true, "limits of I/O", "each holds on %s", names);
    else
        host_finding(
            &check->host, false, "limits of I/O",
            "no disk is found below /, /var and DiskRoots=: IOReadBandwidthMax= and its like are not set");
}

/* By doing it, on a device of its own that nothing passes. */
static void check_links(struct Check *check)
{
    struct Shaper shaper;
    const char *module = NULL;
    int r = shaper_open(&shaper);

    if (r >= 0) {
        r = shaper_probe(&shaper, &module);
        shaper_close(&shaper);
    }
    if (r >= 0)
        host_finding(&check->host, true, "limits of network", "links can be shaped, both ways");
    else if (module)
        host_finding(
            &check->host, false, "limits of network",
            "the kernel has no %s: NetworkEgressMax= and NetworkIngressMax= are not set. modprobe %s", module,
            module);
    else
        host_finding(&check->host, false, "limits of network",
                     "NetworkEgressMax= and NetworkIngressMax= cannot be set (%s)%s", strerror(-r),
                     r == -EPERM ? ": it takes root to look" : "");
}

static bool host_can_be_guarded(const struct HostFindings *host)
{
    for (size_t i = 0; i < host->n; i++)
        if (!host->list[i].ok && host_finding_is_needed(&host->list[i]))
            return false;
    return true;
}

/* For people */

/* Prints words from `column` on, and further lines indented. */
static void print_wrapped(const char *text, size_t column, size_t indent)
{
    bool first = true;

    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        size_t length = strcspn(text, " ");

        if (!first && column + 1 + length > WIDTH) {
            printf("\n%*s", (int)indent, "");
            column = indent;
            first = true;
        }
        printf("%s%.*s", first ? "" : " ", (int)length, text);
        column += length + (first ? 0 : 1);
        first = false;
        text += length;
    }
    putchar('\n');
}

static void print_problem(const struct Problem *problem)
{
    int column =
        problem->line > 0 ? printf("%s:%u: ", problem->file, problem->line) : printf("%s: ", problem->file);

    print_wrapped(problem->what, column > 0 ? (size_t)column : 0, 4);
    column = printf("    right: ");
    print_wrapped(problem->right, (size_t)column, 11);
}

static void print_finding(const struct HostFinding *finding)
{
    int column = printf("%s  %-18s", finding->ok ? "ok" : "--", finding->what);

    column += printf("  ");
    print_wrapped(finding->text, (size_t)column, 24);
}

static void print_summary(const struct Check *check)
{
    size_t n_files = 0;

    while (check->files[n_files])
        n_files++;
    printf("\nconfiguration: %s, %zu file%s, %zu problem%s\n", check->config ? "valid" : "not valid", n_files,
           n_files == 1 ? "" : "s", check->problems.n, check->problems.n == 1 ? "" : "s");
    printf("host: %s\n",
           host_can_be_guarded(&check->host) ? "can be guarded" : "cannot be guarded, see '--' above");
}

static void print_check(const struct Check *check)
{
    for (size_t i = 0; i < check->problems.n; i++)
        print_problem(&check->problems.list[i]);
    for (size_t i = 0; i < check->warnings.n; i++) {
        int column = printf("warning: ");

        print_wrapped(check->warnings.list[i], (size_t)column, 4);
    }
    if (check->problems.n + check->warnings.n > 0)
        putchar('\n');
    for (size_t i = 0; i < check->host.n; i++)
        print_finding(&check->host.list[i]);
    print_summary(check);
}

/* For programs */

static void cleanup_json(sd_json_variant **variant)
{
    sd_json_variant_unref(*variant);
}

#define _cleanup_json_ _cleanup_(cleanup_json)

static int files_json(char *const *files, sd_json_variant **ret)
{
    int r = sd_json_variant_new_array(ret, NULL, 0);

    for (; r >= 0 && *files; files++) {
        r = sd_json_variant_append_arrayb(ret, SD_JSON_BUILD_STRING(*files));
        if (r == -EUCLEAN)
            r = sd_json_variant_append_arrayb(ret, SD_JSON_BUILD_STRING("(a name that is not UTF-8)"));
    }
    return r;
}

static int problems_json(const struct Problems *problems, sd_json_variant **ret)
{
    int r = sd_json_variant_new_array(ret, NULL, 0);

    for (size_t i = 0; r >= 0 && i < problems->n; i++) {
        const struct Problem *problem = &problems->list[i];

        r = sd_json_variant_append_arraybo(
            ret, SD_JSON_BUILD_PAIR_STRING("file", problem->file),
            SD_JSON_BUILD_PAIR_CONDITION(problem->line > 0, "line", SD_JSON_BUILD_UNSIGNED(problem->line)),
            SD_JSON_BUILD_PAIR_STRING("what", problem->what),
            SD_JSON_BUILD_PAIR_STRING("right", problem->right));
    }
    return r;
}

static int warnings_json(const struct Warnings *warnings, sd_json_variant **ret)
{
    int r = sd_json_variant_new_array(ret, NULL, 0);

    for (size_t i = 0; r >= 0 && i < warnings->n; i++)
        r = sd_json_variant_append_arrayb(ret, SD_JSON_BUILD_STRING(warnings->list[i]));
    return r;
}

static int host_json(const struct HostFindings *host, sd_json_variant **ret)
{
    int r = sd_json_variant_new_array(ret, NULL, 0);

    for (size_t i = 0; r >= 0 && i < host->n; i++)
        r = sd_json_variant_append_arraybo(ret, SD_JSON_BUILD_PAIR_BOOLEAN("ok", host->list[i].ok),
                                           SD_JSON_BUILD_PAIR_STRING("what", host->list[i].what),
                                           SD_JSON_BUILD_PAIR_STRING("text", host->list[i].text));
    return r;
}

static int print_json(const struct Check *check)
{
    _cleanup_json_ sd_json_variant *files = NULL, *problems = NULL, *warnings = NULL, *host = NULL,
                                   *all = NULL;
    int r = files_json(check->files, &files);

    if (r >= 0)
        r = problems_json(&check->problems, &problems);
    if (r >= 0)
        r = warnings_json(&check->warnings, &warnings);
    if (r >= 0)
        r = host_json(&check->host, &host);
    if (r >= 0)
        r = sd_json_buildo(
            &all,
            SD_JSON_BUILD_PAIR("configuration",
                               SD_JSON_BUILD_OBJECT(SD_JSON_BUILD_PAIR_VARIANT("files", files),
                                                    SD_JSON_BUILD_PAIR_VARIANT("problems", problems),
                                                    SD_JSON_BUILD_PAIR_VARIANT("warnings", warnings))),
            SD_JSON_BUILD_PAIR_VARIANT("host", host));
    if (r >= 0)
        r = sd_json_variant_dump(all, SD_JSON_FORMAT_PRETTY_AUTO, stdout, NULL);
    return r < 0 ? r : 0;
}

static int tell(const struct Check *check, bool json)
{
    int r = 0;

    if (json)
        r = print_json(check);
    else
        print_check(check);
    return r == 0 && fflush(stdout) != 0 ? -EIO : r;
}

int check_run(const char *root, char *const *files, bool json)
{
    struct Check check = {0};
    int r = check_config(&check, root, files), result = EXIT_SUCCESS;

    if (r == 0)
        r = check_matches(&check);
    if (r == 0) {
        check_host(&check);
        check_disks(&check);
        check_rates(&check);
        check_links(&check);
        r = tell(&check, json);
    }
    if (!check.config)
        result = EXIT_FAILURE;
    else if (!host_can_be_guarded(&check.host))
        result = EXIT_FAILURE;
    if (r < 0) {
        fprintf(stderr, "guardd: the check could not be made: %s\n", strerror(-r));
        result = EXIT_FAILURE;
    }
    check_done(&check);
    return result;
}
