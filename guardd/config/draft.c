/* A draft owns lists of sections, and they own lists of words. Nothing refers from one to the other but by
 * name, so that the order of sections and files does not matter. */
#include "config/draft.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "config/disk.h"

/* What nobody configured; NULL: no memory. */
static struct Config *config_new(void)
{
    struct Config *config = calloc(1, sizeof(*config));

    if (!config)
        return NULL;
    config->policy.mode = MODE_ENFORCE;
    config->policy.kill_limit = CONFIG_DEFAULT_KILL_LIMIT;
    config->policy.disk.first_project = DISK_DEFAULT_FIRST_PROJECT;
    config->policy.disk.last_project = DISK_DEFAULT_LAST_PROJECT;
    config->trace_bytes = CONFIG_DEFAULT_TRACE_BYTES;
    config->operator_group = strdup(CONFIG_DEFAULT_GROUP);
    config->files = calloc(1, sizeof(*config->files));
    if (!config->operator_group || !config->files)
        return config_free(config);
    return config;
}

int draft_init(struct Draft *draft, struct Problems *problems)
{
    *draft = (struct Draft){.config = config_new(), .problems = problems};
    return draft->config ? 0 : -ENOMEM;
}

void draft_done(struct Draft *draft)
{
    struct ClassDraft *class;
    struct RuleDraft *rule;

    words_clear(&draft->protect);
    words_clear(&draft->disk_roots);
    while ((class = draft->classes)) {
        draft->classes = class->next;
        words_clear(&class->match);
        words_clear(&class->rules);
        words_clear(&class->disk_paths);
        free(class);
    }
    while ((rule = draft->rules)) {
        draft->rules = rule->next;
        words_clear(&rule->floor);
        free(rule);
    }
    config_free(draft->config);
    *draft = (struct Draft){0};
}

int draft_begin_file(struct Draft *draft, const char *name)
{
    char **files = draft->config->files;
    size_t n = 0;

    while (files[n])
        n++;
    files = reallocarray(files, n + 2, sizeof(*files));
    if (!files)
        return -ENOMEM;
    draft->config->files = files;
    files[n] = strdup(name);
    files[n + 1] = NULL;
    if (!files[n])
        return -ENOMEM;
    draft->place = (struct Place){.file = files[n]};
    draft->section = NULL;
    return 0;
}

struct ClassDraft *draft_class(struct Draft *draft, const char *name)
{
    struct ClassDraft *class;

    for (class = draft->classes; class; class = class->next)
        if (strcmp(class->name, name) == 0)
            return class;
    class = calloc(1, sizeof(*class));
    if (!class)
        return NULL;
    snprintf(class->name, sizeof(class->name), "%s", name);
    class->place = draft->place;
    class->disk_warn_percent = DISK_DEFAULT_WARN_PERCENT;
    DL_APPEND(draft->classes, class);
    return class;
}

struct RuleDraft *draft_rule(struct Draft *draft, const char *name)
{
    struct RuleDraft *rule;

    for (rule = draft->rules; rule; rule = rule->next)
        if (strcmp(rule->rule.name, name) == 0)
            return rule;
    rule = calloc(1, sizeof(*rule));
    if (!rule)
        return NULL;
    snprintf(rule->rule.name, sizeof(rule->rule.name), "%s", name);
    rule->place = draft->place;
    DL_APPEND(draft->rules, rule);
    return rule;
}

int words_add(struct Word **words, const char *text, struct Place place)
{
    struct Word *word = calloc(1, sizeof(*word));

    if (!word)
        return -ENOMEM;
    *word = (struct Word){.text = strdup(text), .place = place};
    if (!word->text) {
        free(word);
        return -ENOMEM;
    }
    DL_APPEND(*words, word);
    return 0;
}

void words_clear(struct Word **words)
{
    struct Word *word;

    while ((word = *words)) {
        *words = word->next;
        free(word->text);
        free(word);
    }
}
