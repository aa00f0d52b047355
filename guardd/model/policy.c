#include "model/policy.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/glob.h"

const char *mode_name(enum Mode mode)
{
    return mode == MODE_OBSERVE ? "observe" : "enforce";
}

const char *comparison_text(enum Comparison comparison)
{
    static const char *const texts[] = {
        [COMPARISON_ABOVE] = ">",
        [COMPARISON_AT_LEAST] = ">=",
        [COMPARISON_BELOW] = "<",
        [COMPARISON_AT_MOST] = "<=",
    };

    return texts[comparison];
}

bool comparison_holds(int64_t left, enum Comparison comparison, int64_t right)
{
    switch (comparison) {
    case COMPARISON_ABOVE:
        return left > right;
    case COMPARISON_AT_LEAST:
        return left >= right;
    case COMPARISON_BELOW:
        return left < right;
    case COMPARISON_AT_MOST:
        return left <= right;
    }
    return false;
}

static const char *first_match(char *const *globs, const char *path)
{
    for (; globs && *globs; globs++)
        if (glob_match(*globs, path))
            return *globs;
    return NULL;
}

const struct TenantClass *policy_classify(const struct Policy *policy, const char *path)
{
    for (size_t i = 0; i < policy->n_classes; i++)
        if (first_match(policy->classes[i].match, path))
            return &policy->classes[i];
    return NULL;
}

const char *policy_protects(const struct Policy *policy, const char *path)
{
    return first_match(policy->protect, path);
}

const char *condition_format(const struct Condition *condition, char *buf, size_t size)
{
    const struct ReadingInfo *info = reading_info(condition->reading);
    char duration[USEC_FORMAT_MAX], value[MEASURE_FORMAT_MAX];
    int n;

    if (condition->percent)
        snprintf(value, sizeof(value), "%" PRId64 "%%", condition->value);
    else if (info->measure == MEASURE_RATE) /* the reading's name says that it is per second */
        snprintf(value, sizeof(value), "%" PRId64, condition->value);
    else
        measure_format_exact(info->measure, condition->value, value, sizeof(value));
    n = snprintf(buf, size, "%s %s %s", info->name, comparison_text(condition->comparison), value);
    if (condition->for_usec > 0 && n > 0 && (size_t)n < size)
        snprintf(buf + n, size - (size_t)n, " for %s",
                 usec_format(condition->for_usec, duration, sizeof(duration)));
    return buf;
}

const char *step_format(const struct Rule *rule, size_t step, char *buf, size_t size)
{
    const struct Step *at = &rule->steps[step];
    bool last = at->lasts_usec == USEC_INFINITY;
    char share[32] = "", lasts[USEC_FORMAT_MAX] = "";

    if (at->verb == VERB_THROTTLE && rule->throttle_percent > 0)
        snprintf(share, sizeof(share), " to %u%%", rule->throttle_percent);
    if (!last)
        usec_format(at->lasts_usec, lasts, sizeof(lasts));
    snprintf(buf, size, "%s%s%s%s", verb_name(at->verb), share, last ? "" : " ", lasts);
    return buf;
}

bool rule_has_step(const struct Rule *rule, enum Verb verb)
{
    for (size_t i = 0; i < rule->n_steps; i++)
        if (rule->steps[i].verb == verb)
            return true;
    return false;
}

bool rule_throttles(const struct Rule *rule, enum Resource resource)
{
    return rule->resource == resource && rule_has_step(rule, VERB_THROTTLE);
}
