/* Files -> draft -> Config. A Config is only handed out when there is not one problem. */
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/draft.h"
#include "config/files.h"
#include "config/parser.h"
#include "config/text.h"

/* Appends the lines of a file, but for those that are empty or a comment from their first column on. */
static int keep_text(struct Config *config, const char *text, size_t size)
{
    size_t kept = config->text ? strlen(config->text) : 0;
    char *all = realloc(config->text, kept + size + 2);

    if (!all)
        return -ENOMEM;
    config->text = all;
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - (text + at)) : size - at;

        if (length > 0 && text[at] != '#' && text[at] != ';') {
            memcpy(all + kept, text + at, length);
            kept += length;
            all[kept++] = '\n';
        }
        at += length + 1;
    }
    all[kept] = '\0';
    return 0;
}

static int parse_file(struct Draft *draft, const char *path)
{
    const struct Place place = {.file = path};
    _cleanup_free_ char *text = NULL;
    struct Complaint complaint;
    size_t size;
    int r;

    if (text_problem(path, strlen(path)))
        return problem_add_text(draft->problems, place, "the file's name is not text", "a name in UTF-8");
    r = file_read(path, &text, &size, &complaint);
    if (r == FILE_REFUSED)
        return problem_add(draft->problems, place, &complaint);
    if (r == 0)
        r = draft_begin_file(draft, path);
    if (r == 0)
        r = parse_text(draft, text, size);
    return r < 0 ? r : keep_text(draft->config, text, size);
}

/* The end of every way to a Config: `r` is what came of reading. The draft is done with. */
static int finish(struct Draft *draft, int r, struct Config **ret_config)
{
    if (r == 0)
        r = draft_resolve(draft);
    if (r == 0 && draft->problems->n > 0)
        r = CONFIG_INVALID;
    if (r == 0)
        *ret_config = take_ptr(draft->config);
    draft_done(draft);
    return r;
}

int config_load_files(char *const *files, struct Config **ret_config, struct Problems *problems)
{
    struct Draft draft;
    int r = draft_init(&draft, problems);

    for (; r == 0 && *files; files++)
        r = parse_file(&draft, *files);
    return finish(&draft, r, ret_config);
}

int config_load(const char *root, struct Config **ret_config, struct Problems *problems)
{
    char **files = NULL;
    int r = config_find_files(root, &files, problems);

    if (r == 0)
        r = config_load_files(files, ret_config, problems);
    config_files_free(files);
    return r;
}

int config_parse_buffer(const char *name, const char *text, size_t size, struct Config **ret_config,
                        struct Problems *problems)
{
    struct Draft draft;
    int r = draft_init(&draft, problems);

    if (r == 0)
        r = draft_begin_file(&draft, name);
    if (r == 0)
        r = parse_text(&draft, text, size);
    if (r == 0)
        r = keep_text(draft.config, text, size);
    return finish(&draft, r, ret_config);
}

struct Config *config_free(struct Config *config)
{
    if (!config)
        return NULL;
    for (size_t i = 0; i < config->policy.n_classes; i++) {
        config_files_free(config->policy.classes[i].match);
        config_files_free(config->policy.classes[i].disk_paths);
    }
    free(config->policy.classes);
    free(config->policy.rules);
    config_files_free(config->policy.protect);
    config_files_free(config->policy.disk.roots);
    config_files_free(config->files);
    free(config->cgroup_root);
    free(config->operator_group);
    free(config->viewer_group);
    free(config->text);
    free(config);
    return NULL;
}
