/* One file a project, named by its id: 1000042.json
 *
 *   {"id": 1000042, "tenant": "docker/web", "filesystem": "UUID=...",
 *    "directories": [{"path": "/var/lib/docker/volumes/data", "tagged": true}]}
 *
 * tenant, filesystem and path escaped (record/store.h). What is in memory is what is on disk: the file is
 * written first, and memory follows when that has succeeded, with nothing left that could fail.
 *
 * Ids are taken in a row, from behind the highest one in use, round the range: an id that is given back is
 * not used again at once, when a forgotten file could still bear it. */
#include "record/project.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "model/tenant.h"
#include "record/store.h"

#define FILESYSTEM_MAX 256
#define ID_NAME_MAX 32
#define ADMIN_LINES_MAX 1000000 /* of /etc/projid, /etc/projects */
#define ADMIN_LINE_MAX 8192

static void project_free(struct Project *project)
{
    for (size_t i = 0; i < project->n_directories; i++)
        free(project->directories[i].path);
    free(project->directories);
    free(project->tenant);
    free(project->filesystem);
    free(project);
}

static void cleanup_project(struct Project **project)
{
    if (*project)
        project_free(*project);
}

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)
#define _cleanup_project_ _cleanup_(cleanup_project)

/* --- in memory ------------------------------------------------------------------------------------ */

static bool may_own(const char *filesystem, const char *tenant)
{
    return filesystem[0] && tenant[0] && !strchr(filesystem, '\n') && strlen(filesystem) < FILESYSTEM_MAX &&
           strlen(tenant) < TENANT_NAME_MAX;
}

/* Takes both strings over. */
static int project_new(uint32_t id, char *filesystem, char *tenant, struct Project **ret)
{
    struct Project *project = filesystem && tenant ? calloc(1, sizeof(*project)) : NULL;
    int r = !project ? -ENOMEM : may_own(filesystem, tenant) ? 0 : -EINVAL;

    if (r < 0) {
        free(project);
        free(filesystem);
        free(tenant);
        return r;
    }
    *project = (struct Project){.id = id, .filesystem = filesystem, .tenant = tenant};
    *ret = project;
    return 0;
}

static int compare_by_id(const void *a, const void *b)
{
    uint32_t x = ((const struct Project *)a)->id, y = ((const struct Project *)b)->id;

    return (x > y) - (x < y);
}

static int compare_by_owner(const void *a, const void *b)
{
    const struct Project *x = a, *y = b;
    int r = strcmp(x->tenant, y->tenant);

    return r != 0 ? r : strcmp(x->filesystem, y->filesystem);
}

static void unlink_project(struct Projects *projects, struct Project *project)
{
    tdelete(project, &projects->by_id, compare_by_id);
    tdelete(project, &projects->by_owner, compare_by_owner);
    LIST_REMOVE(project, others);
    projects->n--;
}

/* One whose id and owner are not here yet. */
static int link_project(struct Projects *projects, struct Project *project)
{
    if (!tsearch(project, &projects->by_id, compare_by_id))
        return -ENOMEM;
    if (!tsearch(project, &projects->by_owner, compare_by_owner)) {
        tdelete(project, &projects->by_id, compare_by_id);
        return -ENOMEM;
    }
    LIST_INSERT_HEAD(&projects->list, project, others);
    projects->n++;
    return 0;
}

struct Project *project_by_id(const struct Projects *projects, uint32_t id)
{
    const struct Project wanted = {.id = id};
    struct Project *const *found = tfind(&wanted, &projects->by_id, compare_by_id);

    return found ? *found : NULL;
}

struct Project *project_find(const struct Projects *projects, const char *filesystem, const char *tenant)
{
    const struct Project wanted = {.filesystem = (char *)filesystem, .tenant = (char *)tenant};
    struct Project *const *found = tfind(&wanted, &projects->by_owner, compare_by_owner);

    return found ? *found : NULL;
}

static struct ProjectDirectory *find_directory(const struct Project *project, const char *path)
{
    for (size_t i = 0; i < project->n_directories; i++)
        if (strcmp(project->directories[i].path, path) == 0)
            return &project->directories[i];
    return NULL;
}

/* Takes the path over. */
static int add_directory(struct Project *project, char *path, bool tagged)
{
    struct ProjectDirectory *list =
        path ? reallocarray(project->directories, project->n_directories + 1, sizeof(*list)) : NULL;

    if (!list) {
        free(path);
        return -ENOMEM;
    }
    project->directories = list;
    list[project->n_directories++] = (struct ProjectDirectory){.path = path, .tagged = tagged};
    return 0;
}

/* --- to disk -------------------------------------------------------------------------------------- */

static const char *file_name(uint32_t id, char buf[static ID_NAME_MAX])
{
    snprintf(buf, ID_NAME_MAX, "%u.json", id);
    return buf;
}

/* All but `without`. */
static int directories_to_json(const struct Project *project, const struct ProjectDirectory *without,
                               sd_json_variant **ret)
{
    _cleanup_json_ sd_json_variant *list = NULL;
    int r = sd_json_variant_new_array(&list, NULL, 0);

    for (size_t i = 0; r >= 0 && i < project->n_directories; i++) {
        const struct ProjectDirectory *directory = &project->directories[i];
        _cleanup_free_ char *path = NULL;

        if (directory == without)
            continue;
        path = store_escape(directory->path);
        if (!path)
            return -ENOMEM;
        r = sd_json_variant_append_arraybo(&list, SD_JSON_BUILD_PAIR_STRING("path", path),
                                           SD_JSON_BUILD_PAIR_BOOLEAN("tagged", directory->tagged));
    }
    if (r >= 0)
        *ret = take_ptr(list);
    return r;
}

static int project_write(const struct Projects *projects, const struct Project *project,
                         const struct ProjectDirectory *without)
{
    _cleanup_json_ sd_json_variant *directories = NULL, *json = NULL;
    _cleanup_free_ char *tenant = store_escape(project->tenant);
    _cleanup_free_ char *filesystem = store_escape(project->filesystem);
    char name[ID_NAME_MAX];
    int r;

    if (!tenant || !filesystem)
        return -ENOMEM;
    r = directories_to_json(project, without, &directories);
    if (r < 0)
        return r;
    r = sd_json_buildo(&json, SD_JSON_BUILD_PAIR_UNSIGNED("id", project->id),
                       SD_JSON_BUILD_PAIR_STRING("tenant", tenant),
                       SD_JSON_BUILD_PAIR_STRING("filesystem", filesystem),
                       SD_JSON_BUILD_PAIR_VARIANT("directories", directories));
    return r < 0 ? r : store_write(projects->dir_fd, file_name(project->id, name), json, false);
}

/* --- from disk ------------------------------------------------------------------------------------ */

struct ProjectFile {
    uint32_t id;
    const char *tenant, *filesystem;
    sd_json_variant *directories;
};

static const sd_json_dispatch_field project_fields[] = {
    {"id", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint32, offsetof(struct ProjectFile, id),
     SD_JSON_MANDATORY},
    {"tenant", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, offsetof(struct ProjectFile, tenant),
     SD_JSON_MANDATORY},
    {"filesystem", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
     offsetof(struct ProjectFile, filesystem), SD_JSON_MANDATORY},
    {"directories", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_variant_noref,
     offsetof(struct ProjectFile, directories), SD_JSON_MANDATORY},
    {0},
};

static int directory_from_json(struct Project *project, sd_json_variant *json)
{
    sd_json_variant *path, *tagged;
    char *text;

    if (!sd_json_variant_is_object(json))
        return STORE_DAMAGED;
    path = sd_json_variant_by_key(json, "path");
    tagged = sd_json_variant_by_key(json, "tagged");
    if (!path || !sd_json_variant_is_string(path) || !tagged || !sd_json_variant_is_boolean(tagged))
        return STORE_DAMAGED;
    text = store_unescape(sd_json_variant_string(path));
    if (!text)
        return errno == ENOMEM ? -ENOMEM : STORE_DAMAGED;
    if (find_directory(project, text)) {
        free(text);
        return STORE_DAMAGED;
    }
    return add_directory(project, text, sd_json_variant_boolean(tagged));
}

static int project_from_text(uint32_t id, const char *filesystem, const char *tenant, struct Project **ret)
{
    char *a = store_unescape(filesystem), *b = a ? store_unescape(tenant) : NULL;

    if (!b) {
        int r = negative_errno();

        free(a);
        return r;
    }
    return project_new(id, a, b, ret);
}

/* A name that is not the id's own, an owner that is here already: not written by guardd. An id that is here
 * is the same file once more: a directory that changes while it is read may list it twice. */
static int project_read(void *userdata, const char *name, sd_json_variant *object)
{
    struct Projects *projects = userdata;
    _cleanup_project_ struct Project *project = NULL;
    struct ProjectFile file = {0};
    char expected[ID_NAME_MAX];
    int r = sd_json_dispatch(object, project_fields, SD_JSON_ALLOW_EXTENSIONS, &file);

    if (r == -ENOMEM)
        return r;
    if (r < 0 || file.id == 0 || strcmp(name, file_name(file.id, expected)) != 0)
        return STORE_DAMAGED;
    if (project_by_id(projects, file.id))
        return 0;
    r = project_from_text(file.id, file.filesystem, file.tenant, &project);
    if (r < 0)
        return r == -ENOMEM ? r : STORE_DAMAGED;
    if (project_find(projects, project->filesystem, project->tenant))
        return STORE_DAMAGED;
    for (size_t i = 0; i < sd_json_variant_elements(file.directories); i++) {
        r = directory_from_json(project, sd_json_variant_by_index(file.directories, i));
        if (r != 0)
            return r;
    }
    r = link_project(projects, project);
    if (r >= 0)
        (void)take_ptr(project);
    return r;
}

static uint32_t behind_highest(const struct Projects *projects)
{
    uint32_t next = projects->first;
    const struct Project *p;

    LIST_FOREACH(p, &projects->list, others)
    if (p->id >= next && p->id <= projects->last)
        next = p->id < projects->last ? p->id + 1 : projects->first;
    return next;
}

int projects_open(struct Projects *projects, const char *state_dir, uint32_t first, uint32_t last)
{
    int r;

    *projects = (struct Projects){.dir_fd = -EBADF, .first = first, .last = last, .next = first};
    if (first == 0 || first > last)
        return -EINVAL;
    projects->dir_fd = store_open(state_dir, "projects");
    if (projects->dir_fd < 0)
        return 0;
    r = store_read(projects->dir_fd, project_read, projects, &projects->damaged);
    if (r < 0) {
        projects_close(projects);
        return r;
    }
    projects->next = behind_highest(projects);
    return 0;
}

void projects_close(struct Projects *projects)
{
    for (struct Project *p; (p = LIST_FIRST(&projects->list));) {
        unlink_project(projects, p);
        project_free(p);
    }
    fd_close(projects->dir_fd);
    *projects = (struct Projects){.dir_fd = -EBADF};
}

/* --- ids that others use -------------------------------------------------------------------------- */

struct Ids {
    uint32_t *list;
    size_t n, room;
};

static void cleanup_ids(struct Ids *ids)
{
    free(ids->list);
}

static int ids_add(struct Ids *ids, uint32_t id)
{
    if (ids->n == ids->room) {
        size_t room = ids->room ? 2 * ids->room : 64;
        uint32_t *list = reallocarray(ids->list, room, sizeof(*list));

        if (!list)
            return -ENOMEM;
        ids->list = list;
        ids->room = room;
    }
    ids->list[ids->n++] = id;
    return 0;
}

static int compare_ids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static bool ids_contain(const struct Ids *ids, uint32_t id)
{
    return ids->n > 0 && bsearch(&id, ids->list, ids->n, sizeof(id), compare_ids);
}

/* The id of "NAME:ID" (`second`) or "ID:PATH". A comment or anything else has none. */
static bool id_of_line(const char *line, bool second, uint32_t *ret)
{
    const char *colon = strchr(line, ':'), *start = second && colon ? colon + 1 : line;
    unsigned long long id;
    char *end;

    if (!colon || line[0] == '#' || start[strspn(start, " \t")] == '-')
        return false;
    errno = 0;
    id = strtoull(start, &end, 10);
    if (errno != 0 || end == start || (!second && end != colon) || id > UINT32_MAX)
        return false;
    *ret = (uint32_t)id;
    return true;
}

/* A line that is too long is passed over in pieces; its first piece still has the id. */
static int ids_read_stream(struct Ids *ids, FILE *file, bool second)
{
    char line[ADMIN_LINE_MAX];
    bool begins = true;
    int r = 0;

    for (size_t n = 0; r >= 0 && n < ADMIN_LINES_MAX && fgets(line, sizeof(line), file); n++) {
        uint32_t id;

        if (begins && id_of_line(line, second, &id))
            r = ids_add(ids, id);
        begins = strchr(line, '\n') != NULL;
    }
    if (r < 0)
        return r;
    return ferror(file) ? -EIO : 0;
}

/* There needs not be such a file. One that is there and cannot be read is an error: it may name the very id
 * that would be taken. */
static int ids_read(struct Ids *ids, const char *path, bool second)
{
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    _cleanup_file_ FILE *file = NULL;
    struct stat st;

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : negative_errno();
    if (fstat(fd, &st) < 0)
        return negative_errno();
    if (!S_ISREG(st.st_mode))
        return 0;
    file = fdopen(fd, "re");
    if (!file)
        return negative_errno();
    (void)take_fd(&fd);
    return ids_read_stream(ids, file, second);
}

/* --- taking, noting, returning -------------------------------------------------------------------- */

/* The next id from `projects->next` on, once round. */
static int find_free(const struct Projects *projects, const struct Ids *others,
                     int (*is_used)(void *userdata, uint32_t id), void *userdata, uint32_t *ret)
{
    uint32_t id = projects->next;

    do {
        if (!project_by_id(projects, id) && !ids_contain(others, id)) {
            int r = is_used(userdata, id);

            if (r < 0)
                return r;
            if (r == 0) {
                *ret = id;
                return 0;
            }
        }
        id = id < projects->last ? id + 1 : projects->first;
    } while (id != projects->next);
    return -ENOSPC;
}

int project_take(struct Projects *projects, const char *filesystem, const char *tenant,
                 const char *projid_file, const char *projects_file,
                 int (*is_used)(void *userdata, uint32_t id), void *userdata, struct Project **ret)
{
    _cleanup_(cleanup_ids) struct Ids others = {0};
    _cleanup_project_ struct Project *project = NULL;
    uint32_t id;
    int r;

    if (projects->dir_fd < 0)
        return projects->dir_fd;
    if (project_find(projects, filesystem, tenant))
        return -EEXIST;
    r = ids_read(&others, projid_file, true);
    if (r >= 0)
        r = ids_read(&others, projects_file, false);
    if (r < 0)
        return r;
    if (others.n > 0)
        qsort(others.list, others.n, sizeof(*others.list), compare_ids);
    r = find_free(projects, &others, is_used, userdata, &id);
    if (r >= 0)
        r = project_new(id, strdup(filesystem), strdup(tenant), &project);
    if (r >= 0)
        r = link_project(projects, project);
    if (r < 0)
        return r;
    r = project_write(projects, project, NULL);
    if (r < 0) {
        unlink_project(projects, project);
        return r;
    }
    projects->next = id < projects->last ? id + 1 : projects->first;
    *ret = take_ptr(project);
    return 0;
}

static int note_again(struct Projects *projects, struct Project *project, struct ProjectDirectory *directory,
                      bool tagged)
{
    int r;

    if (directory->tagged == tagged)
        return 0;
    directory->tagged = tagged;
    r = project_write(projects, project, NULL);
    if (r < 0)
        directory->tagged = !tagged;
    return r;
}

int project_note(struct Projects *projects, struct Project *project, const char *path, bool tagged)
{
    struct ProjectDirectory *directory = find_directory(project, path);
    int r;

    if (directory)
        return note_again(projects, project, directory, tagged);
    r = add_directory(project, strdup(path), tagged);
    if (r < 0)
        return r;
    r = project_write(projects, project, NULL);
    if (r < 0)
        free(project->directories[--project->n_directories].path);
    return r;
}

int project_forget(struct Projects *projects, struct Project *project, const char *path)
{
    struct ProjectDirectory *directory = find_directory(project, path);
    int r;

    if (!directory)
        return 0;
    r = project_write(projects, project, directory);
    if (r < 0)
        return r;
    free(directory->path);
    project->n_directories--;
    memmove(directory, directory + 1,
            (project->n_directories - (size_t)(directory - project->directories)) * sizeof(*directory));
    return 0;
}

int project_return(struct Projects *projects, struct Project *project)
{
    char name[ID_NAME_MAX];
    int r = store_remove(projects->dir_fd, file_name(project->id, name), false);

    if (r < 0)
        return r;
    unlink_project(projects, project);
    project_free(project);
    return 0;
}
