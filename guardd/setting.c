/* See setting.h. The order: would it be possible at all, the override on disk, the limits one after the
 * other, each on the way of every action; when the last outcome is in, the answer. When one of them failed
 * the override is taken back, the others are put back on the same way, and only then there is an answer. */
#include "setting.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "adoption.h"
#include "decide/limits.h"
#include "limiting.h"

static struct Setting *find_setting(struct Guard *guard, uint64_t tenant_id)
{
    for (size_t i = 0; i < SETTINGS_MAX; i++)
        if (guard->settings[i].ticket != 0 && guard->settings[i].tenant_id == tenant_id)
            return &guard->settings[i];
    return NULL;
}

static struct Setting *free_setting(struct Guard *guard)
{
    for (size_t i = 0; i < SETTINGS_MAX; i++)
        if (guard->settings[i].ticket == 0)
            return &guard->settings[i];
    return NULL;
}

/* --- is it possible ------------------------------------------------------------------------------- */

static bool refuse(char *why, const char *text)
{
    snprintf(why, REASON_MAX, "%s", text);
    return false;
}

static bool has_disk_limit(const struct Limits *limits)
{
    return limits->set[LIMIT_DISK_SPACE_MAX] || limits->set[LIMIT_DISK_INODES_MAX];
}

static bool has_network_limit(const struct Limits *limits)
{
    return limits->set[LIMIT_NETWORK_EGRESS_MAX] || limits->set[LIMIT_NETWORK_INGRESS_MAX];
}

static bool has_controllers(struct Tenant *tenant, const struct Limits *limits, char *why)
{
    char trouble[128];
    int r;

    for (int id = 0; id < LIMIT_COUNT; id++) {
        const struct LimitInfo *info = limit_info(id);
        uint64_t present;

        if (!limits->set[id] || limit_is_own(id))
            continue;
        if (tenant_throttled_at(tenant, id)) {
            snprintf(why, REASON_MAX, "a throttle stands in the place of %s: it goes first", info->directive);
            return false;
        }
        r = limiting_present(tenant, id, &present);
        if (r < 0) {
            limiting_trouble(tenant, id, r, trouble, sizeof(trouble));
            snprintf(why, REASON_MAX, "%s cannot be set: %s", info->directive,
                     trouble[0] != '\0' ? trouble : strerror(-r));
            return false;
        }
    }
    return true;
}

/* Nothing is changed by asking, save that directories are adopted that would have been anyway. */
static bool is_possible(struct Guard *guard, struct Tenant *tenant, const struct Limits *limits, char *why)
{
    if (guard->pipeline.mode == MODE_OBSERVE)
        return refuse(why, "Mode=observe: guardd changes nothing");
    if (tenant->untouchable)
        return refuse(why, "it holds guardd, PID 1 or what they need: it gets no limits");
    if (tenant->released)
        return refuse(why, "it was released, and is left alone until a reload");
    if (find_setting(guard, tenant->cgroup.id) || !free_setting(guard))
        return refuse(why, "another change of its limits is under way");
    for (int id = 0; id < LIMIT_COUNT; id++)
        if (limits->set[id] && tenant->limits[id].waiting > 0)
            return refuse(why, "another change of its limits is under way");
    return true;
}

static bool has_shares(struct Guard *guard, struct Tenant *tenant, char *why)
{
    disk_guard_probe(&guard->disk);
    adoption_look(&guard->disk, tenant, guard->clock());
    if (tenant->disk.n_shares > 0)
        return true;
    snprintf(why, REASON_MAX, "its disk cannot be limited: %s",
             !guard->disk.open                   ? "disks are not guarded here"
             : tenant->disk.unguarded[0] != '\0' ? tenant->disk.unguarded
                                                 : "no directory of it was found");
    return false;
}

/* Perhaps nobody wants them to count any more. */
static void look_at_directories(struct Guard *guard, struct Tenant *tenant)
{
    if (!guard->disk.open)
        return;
    tenant->limits_due_usec = usec_min(tenant->limits_due_usec, guard->clock());
    agenda_put(tenant);
}

/* --- the end -------------------------------------------------------------------------------------- */

static void answer(struct Guard *guard, struct Setting *setting, const struct Tenant *tenant,
                   const struct Outcome *outcome)
{
    uint64_t ticket = setting->ticket;

    override_done(&setting->before);
    *setting = (struct Setting){};
    guard->answer(guard->userdata, ticket, tenant, NULL, outcome);
}

static void apply(struct Guard *guard, struct Setting *setting, struct Tenant *tenant);

/* What was before is put back in the state, and then in the kernel; who asked waits for that. */
static void undo(struct Guard *guard, struct Setting *setting, struct Tenant *tenant)
{
    int r = override_restore(&guard->overrides, &setting->before);

    if (r < 0)
        guard_notice(guard, EVENT_NOTICE, LOG_ERR,
                     "limits of %.200s that were not set stay written down until it can be changed: %s",
                     tenant->name, strerror(-r));
    override_limits(&guard->overrides, tenant->name, &tenant->overrides);
    setting->undoing = true;
    apply(guard, setting, tenant);
}

static void finish(struct Guard *guard, struct Setting *setting, struct Tenant *tenant)
{
    struct Outcome outcome = {.result = RESULT_DONE};

    if (setting->failed[0] != '\0' && !setting->undoing)
        return undo(guard, setting, tenant);
    if (setting->undoing) {
        outcome.result = RESULT_FAILED;
        snprintf(outcome.text, sizeof(outcome.text), "nothing is changed: %s", setting->failed);
        pipeline_note(&guard->pipeline, tenant, EVENT_NOTICE, LOG_WARNING, guard->clock(), outcome.text);
        limiting_check(&guard->pipeline, tenant, guard->clock());
    } else {
        guard_refresh(guard, tenant);
    }
    look_at_directories(guard, tenant);
    answer(guard, setting, tenant, &outcome);
}

/* One after the other: what did not take, and what could not be put back. */
static void note_failure(struct Setting *setting, enum LimitId id, const char *why)
{
    size_t used = strlen(setting->failed);

    snprintf(setting->failed + used, sizeof(setting->failed) - used, "%s%s%s: %.120s", used > 0 ? "; " : "",
             limit_info(id)->directive, setting->undoing ? " could not be put back" : "", why);
}

void setting_settled(struct Guard *guard, struct Tenant *tenant, const struct Decision *decision,
                     const struct Outcome *outcome)
{
    struct Setting *setting = find_setting(guard, tenant->cgroup.id);

    if (!setting || (decision->verb != VERB_LIMIT && decision->verb != VERB_UNLIMIT) ||
        !(setting->waiting & (1u << decision->limit)))
        return;
    setting->waiting &= ~(1u << decision->limit);
    if (!result_is_success(outcome->result))
        note_failure(setting, decision->limit, outcome->text);
    if (setting->waiting == 0 && !setting->beginning)
        finish(guard, setting, tenant);
}

void setting_vanished(struct Guard *guard, const struct Tenant *tenant)
{
    struct Setting *setting = find_setting(guard, tenant->cgroup.id);
    struct Outcome outcome = {.result = RESULT_GONE,
                              .text = "the cgroup is gone; the limits are kept for its name"};

    if (setting)
        answer(guard, setting, tenant, &outcome);
}

/* --- the way -------------------------------------------------------------------------------------- */

static void apply(struct Guard *guard, struct Setting *setting, struct Tenant *tenant)
{
    usec_t now = guard->clock();

    setting->beginning = true;
    for (int id = 0; id < LIMIT_COUNT; id++) {
        struct Decision decision;
        uint64_t present;
        int r;

        if (!setting->asked.set[id])
            continue;
        r = limiting_present(tenant, id, &present);
        if (r < 0 && tenant->overrides.set[id])
            note_failure(setting, id, strerror(-r));
        if (r < 0 || !limit_decide(tenant, id, present, now, &decision))
            continue;
        decision.cause = CAUSE_OPERATOR;
        decision.uid = setting->author.uid;
        setting->waiting |= 1u << id;
        pipeline_carry_out(&guard->pipeline, tenant, &decision, 0, now);
    }
    setting->beginning = false;
    if (setting->waiting == 0)
        finish(guard, setting, tenant);
}

/* `before` is taken over. */
static enum SettingAnswer begin(struct Guard *guard, struct Tenant *tenant, const struct Limits *limits,
                                struct Override *before, const struct Author *author, uint64_t ticket)
{
    struct Setting *setting = free_setting(guard);

    assert(setting); /* whoever asks has looked */
    *setting = (struct Setting){.ticket = ticket,
                                .tenant_id = tenant->cgroup.id,
                                .asked = *limits,
                                .before = *before,
                                .author = *author};
    override_limits(&guard->overrides, tenant->name, &tenant->overrides);
    apply(guard, setting, tenant);
    return SETTING_UNDER_WAY;
}

static bool is_version(const struct Guard *guard, const struct Tenant *tenant,
                       const struct OverrideWish *wish, char *why)
{
    char changes[REASON_MAX - 128];

    if (!wish->if_version || override_version(&guard->overrides, tenant->name) == wish->version)
        return true;
    snprintf(why, REASON_MAX, "limits of %.80s have changed meanwhile: %s", tenant->name,
             override_changes(&guard->overrides, tenant->name, wish->version, guard_realtime_usec(guard),
                              changes, sizeof(changes)));
    return false;
}

/* Some of them only with others that the operator has set. */
static bool can_be_kept(struct Guard *guard, struct Tenant *tenant, const struct Limits *limits, char *why)
{
    const struct Limits in_force = tenant->overrides;
    bool can;

    if (has_network_limit(limits) && !network_guard_can(&guard->network, tenant, limits, why))
        return false;
    for (int id = 0; id < LIMIT_COUNT; id++)
        tenant->overrides.set[id] = tenant->overrides.set[id] || limits->set[id];
    can = !has_disk_limit(limits) || has_shares(guard, tenant, why);
    tenant->overrides = in_force;
    if (!can)
        look_at_directories(guard, tenant);
    return can;
}

static enum SettingAnswer not_written(struct Guard *guard, struct Tenant *tenant, struct Override *before,
                                      int error, char *why)
{
    override_done(before);
    look_at_directories(guard, tenant);
    snprintf(why, REASON_MAX, "it could not be written down: %s", strerror(-error));
    return SETTING_REFUSED;
}

enum SettingAnswer setting_set(struct Guard *guard, struct Tenant *tenant, const struct Limits *limits,
                               const struct OverrideWish *wish, uint64_t ticket, char *why)
{
    struct Override before = {};
    int r;

    if (!is_version(guard, tenant, wish, why))
        return SETTING_CHANGED;
    if (!is_possible(guard, tenant, limits, why) || !has_controllers(tenant, limits, why) ||
        !can_be_kept(guard, tenant, limits, why))
        return SETTING_REFUSED;
    r = override_copy(&guard->overrides, tenant->name, &before);
    if (r >= 0)
        r = override_set(&guard->overrides, tenant->name, limits, wish, guard_realtime_usec(guard));
    if (r < 0)
        return not_written(guard, tenant, &before, r, why);
    return begin(guard, tenant, limits, &before, &wish->author, ticket);
}

enum SettingAnswer setting_reset(struct Guard *guard, struct Tenant *tenant, const struct Limits *limits,
                                 const struct OverrideWish *wish, uint64_t ticket, char *why)
{
    struct Limits which = limits ? *limits : tenant->overrides;
    struct Override before = {};
    int r;

    if (!is_version(guard, tenant, wish, why))
        return SETTING_CHANGED;
    if (!is_possible(guard, tenant, &which, why))
        return SETTING_REFUSED;
    r = override_copy(&guard->overrides, tenant->name, &before);
    if (r >= 0)
        r = override_reset(&guard->overrides, tenant->name, &which, &wish->author,
                           guard_realtime_usec(guard));
    if (r < 0)
        return not_written(guard, tenant, &before, r, why);
    return begin(guard, tenant, &which, &before, &wish->author, ticket);
}

void setting_close(struct Guard *guard)
{
    for (size_t i = 0; i < SETTINGS_MAX; i++)
        override_done(&guard->settings[i].before);
}
