/* Fuzz target: files of projects and of exemptions (record/project.h, record/exemption.h), and an admin's
 * list of project ids. What is read of a file is the same when it is written and read again. */
#include "record/exemption.h"
#include "record/project.h"
#include "record/store.h"
#include "tests/fuzz/ground.h"

#define FIRST 1000
#define LAST 1999

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The names that a file must have to be believed. */
struct Names {
    char project[STORE_NAME_MAX], exemption[STORE_NAME_MAX];
};

static void make_names(const char *text, struct Names *ret)
{
    sd_json_variant *json = NULL, *id, *tenant;
    char *plain = NULL;
    uint64_t number = FIRST;

    if (sd_json_parse(text, 0, &json, NULL, NULL) >= 0) {
        id = sd_json_variant_by_key(json, "id");
        tenant = sd_json_variant_by_key(json, "tenant");
        number = id ? sd_json_variant_unsigned(id) : number;
        plain = tenant && sd_json_variant_is_string(tenant) ? store_unescape(sd_json_variant_string(tenant))
                                                            : NULL;
    }
    snprintf(ret->project, sizeof(ret->project), "%lu.json", number);
    store_file_name(plain ? plain : "web", ret->exemption);
    free(plain);
    sd_json_variant_unref(json);
}

static void write_file(const char *directory, const char *name, const char *text)
{
    char file[2 * STORE_NAME_MAX];

    snprintf(file, sizeof(file), "%s/%s", directory, name);
    ground_write(file, text, strlen(text));
}

/* --- projects ------------------------------------------------------------------------------------- */

static struct Projects open_projects(void)
{
    struct Projects projects;

    must(projects_open(&projects, ground(), FIRST, LAST) == 0 && projects.dir_fd >= 0);
    must(projects.next >= FIRST && projects.next <= LAST);
    return projects;
}

static void reopen(struct Projects *projects)
{
    projects_close(projects);
    *projects = open_projects();
    must(projects->damaged == 0);
}

/* A directory more, and it has all that it had. */
static void note(struct Projects *projects, struct Project *project)
{
    uint32_t id = project->id;
    size_t n;
    char *filesystem = strdup(project->filesystem), *tenant = strdup(project->tenant);

    must(project_find(projects, filesystem, tenant) == project);
    must(project_note(projects, project, "/one/more\n", true) == 0);
    n = project->n_directories;
    reopen(projects);
    project = project_by_id(projects, id);
    must(project && project == project_find(projects, filesystem, tenant));
    must(project->n_directories == n && strcmp(project->filesystem, filesystem) == 0);
    must(project_forget(projects, project, "/one/more\n") == 0 && project->n_directories == n - 1);
    free(filesystem);
    free(tenant);
}

static int is_used(void *userdata, uint32_t id)
{
    return 0;
}

static void try_projects(const char *text, const char *name)
{
    struct Projects projects;
    struct Project *project = NULL;
    uint32_t id;
    int r;

    write_file("projects", name, text);
    projects = open_projects();
    if (LIST_FIRST(&projects.list))
        note(&projects, LIST_FIRST(&projects.list));
    r = project_take(&projects, "/dev/vdz", "somebody/else", ground_file("admin"), ground_file("admin"),
                     is_used, NULL, &project);
    must(r == 0 || r == -ENOSPC || r == -EEXIST);
    if (r == 0) {
        id = project->id;
        must(id >= FIRST && id <= LAST);
        projects_close(&projects);
        projects = open_projects();
        project = project_by_id(&projects, id);
        must(project && strcmp(project->tenant, "somebody/else") == 0);
        must(project_return(&projects, project) == 0);
    }
    ground_forget(projects.dir_fd, name);
    projects_close(&projects);
}

/* --- exemptions ----------------------------------------------------------------------------------- */

static struct Exemptions open_exemptions(void)
{
    struct Exemptions exemptions;

    must(exemptions_open(&exemptions, ground()) == 0 && exemptions.fd >= 0);
    return exemptions;
}

static void set_again(struct Exemptions *exemptions)
{
    const struct Exemption exemption = exemptions->list->exemption, *later;
    char *tenant = strdup(exemptions->list->tenant);

    must(exemption_set(exemptions, tenant, &exemption) == 0);
    exemptions_close(exemptions);
    *exemptions = open_exemptions();
    later = exemption_find(exemptions, tenant);
    must(exemptions->damaged == 0 && later);
    must(later->until_realtime_usec == exemption.until_realtime_usec &&
         later->since_realtime_usec == exemption.since_realtime_usec && later->by.uid == exemption.by.uid &&
         later->by.pid == exemption.by.pid && strcmp(later->by.name, exemption.by.name) == 0);
    free(tenant);
}

static void try_exemptions(const char *text, const char *name)
{
    struct Exemptions exemptions;

    write_file("exemptions", name, text);
    exemptions = open_exemptions();
    if (exemptions.list)
        set_again(&exemptions);
    ground_forget(exemptions.fd, name);
    exemptions_close(&exemptions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = input_text(data, size);
    struct Names names;

    mkdir(ground_file("projects"), 0700);
    mkdir(ground_file("exemptions"), 0700);
    ground_write("admin", data, size);
    make_names(text, &names);
    try_projects(text, names.project);
    try_exemptions(text, names.exemption);
    free(text);
    return 0;
}
