/* A section is a table of keys; a key is its name, the function that takes its value, and what is right.
 * A setter gets the value without blanks at its ends. An empty one takes back what stood before. */
#include "config/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/disk.h"
#include "config/nearest.h"
#include "config/values.h"

/* A setter's answer besides 0 and -ENOMEM: the complaint is filled. */
#define KEY_REFUSED 1

struct Key {
    const char *name;
    int (*set)(struct Draft *draft, const char *value, struct Complaint *complaint); /* NULL: a limit */
    const char *right;
};

struct Section {
    const char *name;
    bool named;             /* [Tenants NAME] */
    const struct Key *keys; /* ended by one without a name */
};

static int refused_unless(bool taken)
{
    return taken ? 0 : KEY_REFUSED;
}

/* Replaces an owned string. */
static int set_text(char **field, const char *value)
{
    char *copy = NULL;

    if (value[0] != '\0' && !(copy = strdup(value)))
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}

static int grow_globs(struct Word **words, const char *value, struct Place place, struct Complaint *complaint)
{
    if (value[0] == '\0') {
        words_clear(words);
        return 0;
    }
    if (!value_glob(value, complaint))
        return KEY_REFUSED;
    return words_add(words, value, place);
}

/* Paths with blanks between them. No '/' at the end is kept, so that paths can be compared. */
static int grow_paths(struct Word **words, const char *value, struct Place place,
                      bool (*check)(const char *text, struct Complaint *complaint),
                      struct Complaint *complaint)
{
    char copy[CONFIG_LINE_MAX + 1], *rest = copy, *path;
    int r = 0;

    snprintf(copy, sizeof(copy), "%s", value);
    if (value[0] == '\0')
        words_clear(words);
    while (r == 0 && (path = strsep(&rest, " \t"))) {
        size_t length = strlen(path);

        if (length == 0)
            continue;
        while (path[0] == '/' && length > 1 && path[length - 1] == '/')
            path[--length] = '\0';
        r = check(path, complaint) ? words_add(words, path, place) : KEY_REFUSED;
    }
    return r;
}

/* [Guard] */

static int set_mode(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    struct Policy *policy = &draft->config->policy;

    if (value[0] != '\0')
        return refused_unless(value_mode(value, &policy->mode, complaint));
    policy->mode = MODE_ENFORCE;
    return 0;
}

static int set_cgroup_root(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    if (value[0] != '\0' && !value_path(value, complaint))
        return KEY_REFUSED;
    return set_text(&draft->config->cgroup_root, value);
}

static int set_operator_group(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    if (value[0] != '\0' && !value_group(value, complaint))
        return KEY_REFUSED;
    return set_text(&draft->config->operator_group, value);
}

static int set_viewer_group(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    if (value[0] != '\0' && !value_group(value, complaint))
        return KEY_REFUSED;
    return set_text(&draft->config->viewer_group, value);
}

static int set_kill_budget(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    struct KillLimit *limit = &draft->config->policy.kill_limit;

    if (value[0] != '\0')
        return refused_unless(value_kill_limit(value, limit, complaint));
    *limit = CONFIG_DEFAULT_KILL_LIMIT;
    return 0;
}

static int set_protect(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    return grow_globs(&draft->protect, value, draft->place, complaint);
}

static int set_disk_roots(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    draft->says_disk_roots = true;
    return grow_paths(&draft->disk_roots, value, draft->place, value_disk_root, complaint);
}

static int set_project_ids(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    struct DiskPolicy *disk = &draft->config->policy.disk;

    if (value[0] != '\0')
        return refused_unless(value_project_ids(value, &disk->first_project, &disk->last_project, complaint));
    disk->first_project = DISK_DEFAULT_FIRST_PROJECT;
    disk->last_project = DISK_DEFAULT_LAST_PROJECT;
    return 0;
}

static int set_trace_size(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    if (value[0] != '\0')
        return refused_unless(value_trace_size(value, &draft->config->trace_bytes, complaint));
    draft->config->trace_bytes = CONFIG_DEFAULT_TRACE_BYTES;
    return 0;
}

static const struct Key guard_keys[] = {
    {"Mode", set_mode, "enforce, or observe: decide and record, act on nothing"},
    {"CgroupRoot", set_cgroup_root,
     "where a cgroup2 tree is mounted, such as /sys/fs/cgroup; empty: found by itself"},
    {"OperatorGroup", set_operator_group, "the name of one group; empty: root alone"},
    {"ViewerGroup", set_viewer_group, "the name of one group; empty: root and operators alone"},
    {"KillBudget", set_kill_budget, "N/DURATION, such as 5/1min, with N from 0 to 64"},
    {"Protect", set_protect, "a glob on cgroup paths, such as system.slice/ssh*.service"},
    {"DiskRoots", set_disk_roots,
     "absolute paths with blanks between them, such as /var/lib/docker /srv; empty: none"},
    {"ProjectIds", set_project_ids, "FIRST-LAST, such as 1000000-1999999, from 1 to 4294967294"},
    {"TraceSize", set_trace_size, "bytes, such as 4M, from 512K to 256M; or 0: no trace"},
    {0},
};

/* [Tenants NAME] */

static int set_match(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    return grow_globs(&draft->class->match, value, draft->place, complaint);
}

static int set_limit(struct Draft *draft, enum LimitId id, const char *value, struct Complaint *complaint)
{
    struct Limits *limits = &draft->class->limits;

    if (value[0] != '\0' && !value_limit(id, value, &limits->value[id], complaint))
        return KEY_REFUSED;
    limits->set[id] = value[0] != '\0';
    return 0;
}

static int set_network_flood(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    uint64_t bits = 0;

    if (value[0] != '\0' && !value_limit(LIMIT_NETWORK_EGRESS_MAX, value, &bits, complaint))
        return KEY_REFUSED;
    if (bits == LIMIT_INFINITY) {
        complain(complaint, "'%s' slows nobody down", value);
        complain_right(complaint, "bits per second, such as 1M");
        return KEY_REFUSED;
    }
    draft->class->network_flood_bits = bits;
    return 0;
}

static int set_network_burst(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    if (value[0] != '\0')
        return refused_unless(value_burst(value, &draft->class->network_burst_bytes, complaint));
    draft->class->network_burst_bytes = 0;
    return 0;
}

static int set_disk_warn_at(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    if (value[0] != '\0')
        return refused_unless(value_disk_warn(value, &draft->class->disk_warn_percent, complaint));
    draft->class->disk_warn_percent = DISK_DEFAULT_WARN_PERCENT;
    return 0;
}

static int set_disk_path(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    return grow_paths(&draft->class->disk_paths, value, draft->place, value_disk_path, complaint);
}

static int set_rules(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    char copy[CONFIG_LINE_MAX + 1], *rest = copy, *name;
    int r;

    snprintf(copy, sizeof(copy), "%s", value);
    draft->class->says_rules = true;
    if (value[0] == '\0')
        words_clear(&draft->class->rules);
    while ((name = strsep(&rest, " \t"))) {
        if (name[0] == '\0')
            continue;
        if (!value_name(name, complaint))
            return KEY_REFUSED;
        r = words_add(&draft->class->rules, name, draft->place);
        if (r < 0)
            return r;
    }
    return 0;
}

static const struct Key class_keys[] = {
    {"Match", set_match, "a glob on cgroup paths, such as system.slice/docker-*.scope"},
    /* Limits have no setter: what is right for them, value_limit() says. */
    {"TasksMax", NULL, ""},
    {"DiskSpaceMax", NULL, ""},
    {"DiskInodesMax", NULL, ""},
    {"MemoryHigh", NULL, ""},
    {"MemoryMax", NULL, ""},
    {"MemorySwapMax", NULL, ""},
    {"CPUQuota", NULL, ""},
    {"CPUWeight", NULL, ""},
    {"IOWeight", NULL, ""},
    {"IOReadBandwidthMax", NULL, ""},
    {"IOWriteBandwidthMax", NULL, ""},
    {"IOReadIOPSMax", NULL, ""},
    {"IOWriteIOPSMax", NULL, ""},
    {"NetworkEgressMax", NULL, ""},
    {"NetworkIngressMax", NULL, ""},
    {"NetworkBurst", set_network_burst,
     "bytes in powers of 1024 from 2K to 1G, such as 64K; empty: by the rate"},
    {"NetworkFloodRate", set_network_flood,
     "bits per second in powers of 1000, such as 1M; empty: no rule throttles it"},
    {"DiskWarnAt", set_disk_warn_at, "a percentage of the limits from 1% to 99%, or off"},
    {"DiskPath", set_disk_path,
     "absolute paths such as /srv/%n or /home/%u (%n %p %c %u %U %%), or StateDirectory"},
    {"Rules", set_rules, "names of rules, with blanks between them; empty: none"},
    {0},
};

/* [Rule NAME] */

static int set_when(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    struct RuleDraft *rule = draft->rule;

    if (value[0] != '\0' && !value_trigger(value, &rule->rule.when, complaint))
        return KEY_REFUSED;
    rule->has_when = value[0] != '\0';
    rule->when_place = draft->place;
    return 0;
}

static int set_until(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    struct RuleDraft *rule = draft->rule;

    if (value[0] != '\0' && !value_condition(value, &rule->rule.until, complaint))
        return KEY_REFUSED;
    rule->has_until = value[0] != '\0';
    return 0;
}

static int set_steps(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    struct Rule *rule = &draft->rule->rule;

    draft->rule->steps_place = draft->place;
    if (value[0] != '\0')
        return refused_unless(value_steps(value, rule->steps, &rule->n_steps, complaint));
    rule->n_steps = 0;
    return 0;
}

static int set_scope(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    struct Rule *rule = &draft->rule->rule;

    if (value[0] != '\0')
        return refused_unless(value_scope(value, &rule->scope, complaint));
    rule->scope = SCOPE_TENANT;
    return 0;
}

static int set_rank(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    struct RuleDraft *rule = draft->rule;

    if (value[0] != '\0' && !value_rank(value, &rule->rule.rank, complaint))
        return KEY_REFUSED;
    rule->has_rank = value[0] != '\0';
    rule->rank_place = draft->place;
    return 0;
}

static int set_floor(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    struct Word **floor = &draft->rule->floor;

    words_clear(floor);
    return value[0] == '\0' ? 0 : words_add(floor, value, draft->place);
}

static int set_throttle_to(struct Draft *draft, const char *value, struct Complaint *complaint)
{
    struct RuleDraft *rule = draft->rule;

    rule->throttle_place = draft->place;
    if (value[0] != '\0')
        return refused_unless(value_throttle(value, &rule->rule.throttle_percent, complaint));
    rule->rule.throttle_percent = 0;
    return 0;
}

static const struct Key rule_keys[] = {
    {"When", set_when, "READING OPERATOR VALUE [for DURATION], such as tasks.denied > 0"},
    {"Until", set_until, "READING OPERATOR VALUE [for DURATION], such as tasks.current < 50% for 10s"},
    {"Steps", set_steps, "VERB [DURATION], and more with ',' between them, such as freeze 5s, kill"},
    {"Scope", set_scope,
     "tenant: the condition is that of the tenant that is acted on; or host: it is the host's, and the worst "
     "by Rank= is acted on"},
    {"Rank", set_rank, "a reading of tenants, the more of it the worse, such as disk.growth"},
    {"Floor", set_floor, "a value of the reading in Rank="},
    {"ThrottleTo", set_throttle_to, "a percentage of what the tenant uses from 1% to 99%, such as 50%"},
    {0},
};

static const struct Section sections[] = {
    {"Guard", false, guard_keys},
    {"Tenants", true, class_keys},
    {"Rule", true, rule_keys},
    {0},
};

/* The draft is in this one after a header that was refused. */
static const struct Section passed_over = {"", false, NULL};

static int refuse_section(struct Draft *draft, const char *kind)
{
    struct Complaint complaint;
    const char *near = NULL;

    draft->section = &passed_over;
    for (const struct Section *section = sections; section->name; section++)
        if (is_near(kind, section->name))
            near = section->name;
    complain(&complaint, "there is no section [%s]", kind);
    complain_right(&complaint, "%s%s[Guard], [Tenants NAME] or [Rule NAME]", near ? near : "",
                   near ? "? one of: " : "one of: ");
    return problem_add(draft->problems, draft->place, &complaint);
}

/* Without its name, or with one where none belongs. */
static int refuse_section_name(struct Draft *draft, const struct Section *section, const char *name)
{
    struct Complaint complaint = {0};

    draft->section = &passed_over;
    if (!section->named) {
        complain(&complaint, "[%s] has no name behind it", section->name);
        complain_right(&complaint, "[%s]", section->name);
    } else if (name[0] == '\0') {
        complain(&complaint, "[%s] lacks its name", section->name);
        complain_right(&complaint, "[%s NAME]", section->name);
    } else {
        value_name(name, &complaint);
    }
    return problem_add(draft->problems, draft->place, &complaint);
}

static int enter_named(struct Draft *draft, const char *name)
{
    draft->class = NULL;
    draft->rule = NULL;
    if (draft->section->keys == class_keys)
        return (draft->class = draft_class(draft, name)) ? 0 : -ENOMEM;
    return (draft->rule = draft_rule(draft, name)) ? 0 : -ENOMEM;
}

int section_enter(struct Draft *draft, const char *header)
{
    char kind[CONFIG_LINE_MAX + 1], *name;
    const struct Section *section;
    struct Complaint unused;

    snprintf(kind, sizeof(kind), "%s", header);
    name = kind + strcspn(kind, " \t");
    if (name[0] != '\0')
        *name++ = '\0';
    name += strspn(name, " \t");
    for (section = sections; section->name && strcmp(section->name, kind) != 0;)
        section++;
    if (!section->name)
        return refuse_section(draft, kind);
    if (section->named ? !value_name(name, &unused) : name[0] != '\0')
        return refuse_section_name(draft, section, name);
    draft->section = section;
    return section->named ? enter_named(draft, name) : 0;
}

static void mark_refused(struct Draft *draft)
{
    if (draft->section->keys == class_keys)
        draft->class->refused = true;
    else if (draft->section->keys == rule_keys)
        draft->rule->refused = true;
}

static int refuse_key(struct Draft *draft, const char *name)
{
    const struct Key *near = NULL;
    char known[COMPLAINT_MAX / 2] = "";
    struct Complaint complaint;

    mark_refused(draft);
    for (const struct Key *key = draft->section->keys; key->name; key++) {
        const size_t used = strlen(known);

        snprintf(known + used, sizeof(known) - used, " %s=", key->name);
        if (is_near(name, key->name))
            near = key;
    }
    complain(&complaint, "there is no key '%s' in [%s]", name, draft->section->name);
    complain_right(&complaint, "%s%sone of:%s", near ? near->name : "", near ? "=? " : "", known);
    return problem_add(draft->problems, draft->place, &complaint);
}

static int refuse_value(struct Draft *draft, const struct Key *key, const struct Complaint *complaint)
{
    char what[COMPLAINT_MAX + 32];

    mark_refused(draft);
    snprintf(what, sizeof(what), "%s=: %s", key->name, complaint->what);
    return problem_add_text(draft->problems, draft->place, what,
                            complaint->right[0] != '\0' ? complaint->right : key->right);
}

int key_assign(struct Draft *draft, const char *name, const char *value)
{
    struct Complaint complaint = {0};
    const struct Key *key;
    int r;

    if (draft->section == &passed_over)
        return 0;
    if (!draft->section)
        return problem_add_text(draft->problems, draft->place, "a key before the first section",
                                "[Guard], [Tenants NAME] or [Rule NAME] in a line above it");
    for (key = draft->section->keys; key->name && strcmp(key->name, name) != 0;)
        key++;
    if (!key->name)
        return refuse_key(draft, name);
    r = key->set ? key->set(draft, value, &complaint)
                 : set_limit(draft, limit_from_directive(name), value, &complaint);
    return r == KEY_REFUSED ? refuse_value(draft, key, &complaint) : r;
}
