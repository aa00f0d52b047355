/* What no single line shows: a section that is not complete, a class that names a rule nobody wrote. Runs
 * once, when every file is read; afterwards the draft's Config is what the daemon gets, or there are
 * problems and nobody gets it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "config/disk.h"
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

static const char *const no_strings[] = {NULL};

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

/* Who is likely to be at the bottom of it. */
static enum ReadingId rank_example(enum Resource resource)
{
    static const enum ReadingId examples[RESOURCE_COUNT] = {
        [RESOURCE_TASKS] = READING_TASKS_CURRENT, [RESOURCE_MEMORY] = READING_MEMORY_GROWTH,
        [RESOURCE_CPU] = READING_CPU_USAGE,       [RESOURCE_IO] = READING_IO_RATE,
        [RESOURCE_DISK] = READING_DISK_GROWTH,    [RESOURCE_NETWORK] = READING_NET_EGRESS,
    };

    return examples[resource];
}

static bool judge_floor(struct RuleDraft *draft, struct Place *ret_place, struct Complaint *complaint)
{
    const struct ReadingInfo *rank = reading_info(draft->rule.rank);

    if (!draft->floor || measure_parse(rank->measure, draft->floor->text, &draft->rule.floor))
        return true;
    *ret_place = draft->floor->place;
    complain_right(complaint, "%s", value_example(rank->measure));
    return complain(complaint, "Floor=: '%s' is no value of %s", draft->floor->text, rank->name);
}

/* What is of a filesystem is of those who are on it; what is of the whole host is of everybody at once. */
static bool judge_tenant_scope(const struct RuleDraft *draft, struct Place *ret_place,
                               struct Complaint *complaint)
{
    const struct Rule *rule = &draft->rule;
    const struct ReadingInfo *when = reading_info(rule->when.reading);

    if (draft->has_rank || draft->floor) {
        *ret_place = draft->has_rank ? draft->rank_place : draft->floor->place;
        complain_right(complaint, "Scope=host with it, or neither Rank= nor Floor=");
        return complain(complaint, "%s=: rule '%s' elects nobody: it has no Scope=host",
                        draft->has_rank ? "Rank" : "Floor", rule->name);
    }
    if (!when->of_host || reading_is_of_disk(rule->when.reading))
        return true;
    *ret_place = draft->when_place;
    complain_right(complaint, "Scope=host and Rank=READING with it, such as Rank=%s",
                   reading_info(rank_example(when->resource))->name);
    return complain(complaint,
                    "When=: %s holds for every tenant at the same moment, and rule '%s' elects "
                    "nobody",
                    when->name, rule->name);
}

/* Whom a rule elects is read when it does: on a disk those that are on it, on the network those that send or
 * get, else what strains the host. */
static bool fits_rank(enum ReadingId when, enum ReadingId rank)
{
    if (reading_is_of_disk(when))
        return !reading_is_of_strain(rank) && !reading_is_of_network(rank);
    if (reading_is_of_network(when))
        return reading_is_of_network(rank);
    return reading_is_of_strain(rank) || rank == READING_TASKS_CURRENT || rank == READING_TASKS_GROWTH;
}

static bool judge_rank(const struct RuleDraft *draft, struct Place *ret_place, struct Complaint *complaint)
{
    const struct Rule *rule = &draft->rule;
    const struct ReadingInfo *when = reading_info(rule->when.reading), *rank = reading_info(rule->rank);

    if (fits_rank(rule->when.reading, rule->rank))
        return true;
    *ret_place = draft->rank_place;
    complain_right(complaint, "such as Rank=%s", reading_info(rank_example(when->resource))->name);
    return complain(complaint, "Rank=: rule '%s' is on %s, and who has most of %s has nothing to do with it",
                    rule->name, when->name, rank->name);
}

/* Rules with Scope=host, and what is only for them. False: a complaint, and where. */
static bool judge_scope(struct RuleDraft *draft, struct Place *ret_place, struct Complaint *complaint)
{
    struct Rule *rule = &draft->rule;

    if (rule->scope == SCOPE_TENANT)
        return judge_tenant_scope(draft, ret_place, complaint);
    if (!reading_info(rule->when.reading)->of_host) {
        *ret_place = draft->when_place;
        complain_right(complaint, "a reading of the host, such as host.disk.free < 10%%, or Scope=tenant");
        return complain(complaint, "When=: %s is of a tenant, and rule '%s' has Scope=host",
                        reading_info(rule->when.reading)->name, rule->name);
    }
    if (!draft->has_rank) {
        *ret_place = draft->place;
        complain_right(complaint, "Rank=READING: who has most of it is acted on, such as Rank=disk.growth");
        return complain(complaint, "rule '%s' has Scope=host and no Rank=", rule->name);
    }
    return judge_rank(draft, ret_place, complaint) && judge_floor(draft, ret_place, complaint);
}

/* What a throttle is set in must be one of what can be slowed down. */
static bool judge_throttle(const struct RuleDraft *draft, struct Place *ret_place,
                           struct Complaint *complaint)
{
    const struct Rule *rule = &draft->rule;
    bool of_rank = rule->scope == SCOPE_HOST;

    if (!rule_has_step(rule, VERB_THROTTLE)) {
        if (rule->throttle_percent == 0)
            return true;
        *ret_place = draft->throttle_place;
        complain_right(complaint, "a throttle among the steps, such as Steps=throttle, or no ThrottleTo=");
        return complain(complaint, "ThrottleTo=: rule '%s' has no step that throttles", rule->name);
    }
    if (rule->resource == RESOURCE_NETWORK && rule->throttle_percent > 0) {
        *ret_place = draft->throttle_place;
        complain_right(complaint, "NetworkFloodRate= in each class that lists the rule");
        return complain(complaint, "ThrottleTo=: rule '%s' throttles the network, which is to a rate",
                        rule->name);
    }
    if (resource_can_throttle(rule->resource))
        return true;
    *ret_place = draft->steps_place;
    complain_right(complaint, "warn, freeze%s; or %s= on memory.*, cpu.*, io.* or net.*",
                   rule->resource == RESOURCE_DISK ? "" : ", kill", of_rank ? "Rank" : "When");
    return complain(complaint,
                    "Steps=: rule '%s' %s %s, and 'throttle' slows down memory, cpu, io or network",
                    rule->name, of_rank ? "ranks by" : "is on",
                    reading_info(of_rank ? rule->rank : rule->when.reading)->name);
}

/* A full disk is not emptied by a kill: the files stay. */
static bool judge_kill(const struct RuleDraft *draft, struct Place *ret_place, struct Complaint *complaint)
{
    const struct Rule *rule = &draft->rule;
    const struct ReadingInfo *when = reading_info(rule->when.reading);

    if (!when->of_host || !reading_is_of_disk(rule->when.reading) ||
        rule->steps[rule->n_steps - 1].verb != VERB_KILL)
        return true;
    *ret_place = draft->steps_place;
    complain_right(complaint, "warn, freeze: who is frozen writes no more");
    return complain(complaint, "Steps=: rule '%s' is on %s, and 'kill' frees no space", rule->name,
                    when->name);
}

/* What no key shows by itself, once all there must be is there. */
static int check_rule(struct Draft *draft, struct RuleDraft *rule)
{
    struct Complaint complaint = {0};
    struct Place place;

    if (rule->refused || !rule->has_when || rule->rule.n_steps == 0)
        return 0;
    if (judge_scope(rule, &place, &complaint) && judge_kill(rule, &place, &complaint) &&
        judge_throttle(rule, &place, &complaint))
        return 0;
    return problem_add(draft->problems, place, &complaint);
}

static void resolve_resource(struct Rule *rule)
{
    rule->resource = reading_info(rule->scope == SCOPE_HOST ? rule->rank : rule->when.reading)->resource;
}

/* What is not said, once all of it is judged. */
static void resolve_defaults(struct RuleDraft *draft)
{
    struct Rule *rule = &draft->rule;

    if (!draft->has_until)
        rule->until = condition_opposite(&rule->when);
    if (rule->throttle_percent == 0 && rule->resource != RESOURCE_NETWORK &&
        rule_has_step(rule, VERB_THROTTLE))
        rule->throttle_percent =
            rule->resource == RESOURCE_MEMORY ? POLICY_THROTTLE_MEMORY_PERCENT : POLICY_THROTTLE_PERCENT;
}

static int resolve_rule(struct Draft *draft, struct RuleDraft *rule, struct Rule *ret_rule)
{
    int r = 0;

    if (!rule->has_when && !rule->refused)
        r = rule_problem(draft, rule, "When", "When=READING OPERATOR VALUE, such as tasks.denied > 0");
    if (r == 0 && rule->rule.n_steps == 0 && !rule->refused)
        r = rule_problem(draft, rule, "Steps", "Steps=warn at least");
    resolve_resource(&rule->rule);
    if (r == 0)
        r = check_rule(draft, rule);
    resolve_defaults(rule);
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

/* By When= and Until= alone: what a rule ranks by needs nobody who looks besides (fits_rank()). */
static bool rule_is_of_disk(const struct Rule *rule)
{
    return reading_is_of_disk(rule->when.reading) || reading_is_of_disk(rule->until.reading);
}

static bool rule_is_of_strain(const struct Rule *rule)
{
    return reading_is_of_strain(rule->when.reading) || reading_is_of_strain(rule->until.reading);
}

/* What a rule asks of those who look at the tenants of its class. The host is looked at by itself. */
static void mind_rule(struct TenantClass *class, const struct Rule *rule)
{
    enum Pressure pressure = reading_pressure(rule->when.reading);

    class->disk |= rule_is_of_disk(rule);
    class->strain |= rule_is_of_strain(rule);
    if (rule->scope == SCOPE_HOST)
        return;
    class->sweep |= !reading_info(rule->when.reading)->announced;
    if (pressure != PRESSURE_INVALID)
        class->pressures |= UINT32_C(1) << pressure;
}

static int no_flood_rate(struct Draft *draft, const struct ClassDraft *class, const struct Word *word)
{
    struct Complaint complaint;

    complain(&complaint, "class '%s' has no NetworkFloodRate=, to which its rule '%s' throttles", class->name,
             word->text);
    complain_right(&complaint, "NetworkFloodRate= in the class, such as 1M");
    return problem_add(draft->problems, word->place, &complaint);
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
    if (from->network_flood_bits == 0 && rule->rule.resource == RESOURCE_NETWORK &&
        rule_has_step(&rule->rule, VERB_THROTTLE))
        return no_flood_rate(draft, from, word);
    class->rules[class->n_rules++] = rule->resolved;
    mind_rule(class, rule->resolved);
    return 0;
}

static bool has_limit(const struct Limits *limits, enum LimitId id)
{
    return limits->set[id] && limits->value[id] != LIMIT_INFINITY;
}

static bool sets_limit(const struct ClassDraft *class)
{
    for (int i = 0; i < LIMIT_COUNT; i++)
        if (has_limit(&class->limits, (enum LimitId)i))
            return true;
    return false;
}

/* Also when paths alone are named: what is in them is counted, and an operator may set limits live. */
static bool counts_disk(const struct ClassDraft *class)
{
    for (int i = 0; i < LIMIT_COUNT; i++)
        if (limit_is_quota((enum LimitId)i) && has_limit(&class->limits, (enum LimitId)i))
            return true;
    return class->disk_paths;
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
    int r = check_class(draft, from);

    memcpy(class->name, from->name, sizeof(class->name));
    class->limits = from->limits;
    class->disk_warn_percent = from->disk_warn_percent;
    class->network_burst_bytes = from->network_burst_bytes;
    class->network_flood_bits = from->network_flood_bits;
    class->disk = counts_disk(from);
    if (r == 0)
        r = strings_make(no_strings, from->match, &class->match);
    if (r == 0)
        r = strings_make(no_strings, from->disk_paths, &class->disk_paths);
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
    struct Policy *policy = &draft->config->policy;
    int r = strings_make(protect_built_in, draft->protect, &policy->protect);

    if (r == 0)
        r = strings_make(draft->says_disk_roots ? no_strings : disk_default_roots, draft->disk_roots,
                         &policy->disk.roots);
    if (r == 0)
        r = resolve_rules(draft);
    return r < 0 ? r : resolve_classes(draft);
}
