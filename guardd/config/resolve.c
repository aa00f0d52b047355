/* What no single line shows: a section that is not complete, a class that names a rule nobody wrote. Runs
 * once, when every file is read; afterwards the draft's Config is what the daemon gets, or there are
 * problems and nobody gets it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "config/draft.h"
#include "config/nearest.h"
#include "config/values.h"

/* Without these the host cannot be mended, or not even be looked at. Always protected, whatever Protect=
 * says. */
static const char *const protect_built_in[] = {
    "init.scope",
    "system.slice/guardd.service",
    "system.slice/systemd-journald*.service",
    "system.slice/system-systemd\\x2djournald.slice/*.service", /* journal namespaces */
    "system.slice/systemd-logind.service",
    "system.slice/systemd-udevd.service",
    "system.slice/dbus*.service", /* dbus-daemon and dbus-broker */
    NULL,
};

static size_t words_count(const struct Word *words)
{
    size_t n = 0;

    for (const struct Word *word = words; word; word = word->next)
        n++;
    return n;
}

/* The constant strings and then the words, as one NULL-terminated list of copies. */
static int strings_make(const char *const *first, const struct Word *words, char ***ret_strings)
{
    size_t n = 0;

    while (first[n])
        n++;
    *ret_strings = calloc(n + words_count(words) + 1, sizeof(**ret_strings));
    if (!*ret_strings)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (!((*ret_strings)[i] = strdup(first[i])))
            return -ENOMEM;
    for (const struct Word *word = words; word; word = word->next)
        if (!((*ret_strings)[n++] = strdup(word->text)))
            return -ENOMEM;
    return 0;
}

static int rule_problem(struct Draft *draft, const struct RuleDraft *rule, const char *key, const char *right)
{
    struct Complaint complaint;

    complain(&complaint, "rule '%s' has no %s=", rule->rule.name, key);
    complain_right(&complaint, "%s", right);
    return problem_add(draft->problems, rule->place, &complaint);
}

static int resolve_rule(struct Draft *draft, struct RuleDraft *rule, struct Rule *ret_rule)
{
    int r = 0;

    if (!rule->has_when && !rule->refused)
        r = rule_problem(draft, rule, "When", "When=READING OPERATOR VALUE, such as tasks.denied > 0");
    if (r == 0 && rule->rule.n_steps == 0 && !rule->refused)
        r = rule_problem(draft, rule, "Steps", "Steps=warn at least");
    if (!rule->has_until)
        rule->rule.until = condition_opposite(&rule->rule.when);
    *ret_rule = rule->rule;
    rule->resolved = ret_rule;
    return r;
}

static int resolve_rules(struct Draft *draft)
{
    struct Policy *policy = &draft->config->policy;
    struct RuleDraft *rule;
    int count = 0, r = 0;

    DL_COUNT(draft->rules, rule, count);
    policy->rules = calloc((size_t)count + 1, sizeof(*policy->rules));
    if (!policy->rules)
        return -ENOMEM;
    for (rule = draft->rules; r == 0 && rule; rule = rule->next)
        r = resolve_rule(draft, rule, &policy->rules[policy->n_rules++]);
    return r;
}

static int unknown_rule(struct Draft *draft, const struct ClassDraft *class, const struct Word *word)
{
    struct Complaint complaint;

    complain(&complaint, "class '%s' names the rule '%s', and there is none", class->name, word->text);
    complain_right(&complaint, "a section [Rule %s], or the name of one there is", word->text);
    for (const struct RuleDraft *rule = draft->rules; rule; rule = rule->next)
        if (is_near(word->text, rule->rule.name))
            complain_right(&complaint, "%s?", rule->rule.name);
    return problem_add(draft->problems, word->place, &complaint);
}

static int too_many_rules(struct Draft *draft, const struct ClassDraft *class, const struct Word *word)
{
    struct Complaint complaint;

    complain(&complaint, "class '%s' names too many rules, from '%s' on", class->name, word->text);
    complain_right(&complaint, "at most %d", POLICY_CLASS_RULES_MAX);
    return problem_add(draft->problems, word->place, &complaint);
}

static bool class_has_rule(const struct TenantClass *class, const struct Rule *rule)
{
    for (size_t i = 0; i < class->n_rules; i++)
        if (class->rules[i] == rule)
            return true;
    return false;
}

static const struct RuleDraft *find_rule(const struct Draft *draft, const char *name)
{
    for (const struct RuleDraft *rule = draft->rules; rule; rule = rule->next)
        if (strcmp(rule->rule.name, name) == 0)
            return rule;
    return NULL;
}

static int resolve_class_rule(struct Draft *draft, const struct ClassDraft *from, const struct Word *word,
                              struct TenantClass *class)
{
    const struct RuleDraft *rule = find_rule(draft, word->text);

    if (!rule)
        return unknown_rule(draft, from, word);
    if (class_has_rule(class, rule->resolved)) /* a drop-in may say it again */
        return 0;
    if (class->n_rules == POLICY_CLASS_RULES_MAX)
        return too_many_rules(draft, from, word);
    class->rules[class->n_rules++] = rule->resolved;
    class->sweep |= !reading_info(rule->resolved->when.reading)->announced;
    return 0;
}

static bool sets_limit(const struct ClassDraft *class)
{
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        if (class->limits.set[i] && class->limits.value[i] != LIMIT_INFINITY)
            return true;
    return false;
}

/* A class matches something and does something about it; doing without rules must have been meant. */
static int check_class(struct Draft *draft, const struct ClassDraft *class)
{
    struct Complaint complaint = {0};

    if (class->refused)
        return 0;
    if (!class->match) {
        complain(&complaint, "class '%s' matches nothing: it has no Match=", class->name);
        complain_right(&complaint, "Match=GLOB, such as system.slice/docker-*.scope");
    } else if (!class->rules && !sets_limit(class)) {
        complain(&complaint, "class '%s' guards nothing: it names no rule and sets no limit", class->name);
        complain_right(&complaint, "Rules=NAME..., or a limit such as TasksMax=4096");
    } else if (!class->rules && !class->says_rules) {
        complain(&complaint, "class '%s' names no rule", class->name);
        complain_right(&complaint, "Rules=NAME..., or an empty Rules= where the limits alone are meant");
    }
    return complaint.what[0] == '\0' ? 0 : problem_add(draft->problems, class->place, &complaint);
}

static int resolve_class(struct Draft *draft, const struct ClassDraft *from, struct TenantClass *class)
{
    static const char *const nothing[] = {NULL};
    int r = check_class(draft, from);

    memcpy(class->name, from->name, sizeof(class->name));
    class->limits = from->limits;
    if (r == 0)
        r = strings_make(nothing, from->match, &class->match);
    for (const struct Word *word = from->rules; r == 0 && word; word = word->next)
        r = resolve_class_rule(draft, from, word, class);
    return r;
}

static int resolve_classes(struct Draft *draft)
{
    struct Policy *policy = &draft->config->policy;
    struct ClassDraft *class;
    int count = 0, r = 0;

    DL_COUNT(draft->classes, class, count);
    policy->classes = calloc((size_t)count + 1, sizeof(*policy->classes));
    if (!policy->classes)
        return -ENOMEM;
    for (class = draft->classes; r == 0 && class; class = class->next)
        r = resolve_class(draft, class, &policy->classes[policy->n_classes++]);
    return r;
}

int draft_resolve(struct Draft *draft)
{
    int r = strings_make(protect_built_in, draft->protect, &draft->config->policy.protect);

    if (r == 0)
        r = resolve_rules(draft);
    return r < 0 ? r : resolve_classes(draft);
}
