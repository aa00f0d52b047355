/* What is asked for comes from two sides, and they have different rights. A class asks for many tenants that
 * it does not know: it never raises what is found, and never sets what the tenant is beyond already. An
 * operator who names one tenant and a value gets that value.
 *
 * A disk limit is one of a project that guardd itself gave the tenant: nobody else can have set one before,
 * so what is found is always none, also where the ledger of an earlier boot is lost and the limit is still
 * there. Below what is used it forbids nothing but growth, so it is set. */
#include "decide/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One limit of one tenant at one moment. */
struct Question {
    struct Tenant *tenant;
    struct LimitState *state;
    enum LimitId id;
    bool by_operator;
    uint64_t asked, present, found;
    usec_t now;
};

static struct Decision limit_decision(enum Verb verb, enum Cause cause, enum LimitId id, uint64_t value,
                                      usec_t now)
{
    return (struct Decision){
        .verb = verb, .cause = cause, .holder = HOLDER_OPERATOR, .limit = id, .value = value, .at_usec = now};
}

/* On the filesystem where it is most. */
static uint64_t in_use_on_disk(const struct Tenant *tenant, enum LimitId id)
{
    uint64_t most = 0, usage;

    for (size_t i = 0; i < tenant->disk.n_shares; i++) {
        const struct DiskShare *share = &tenant->disk.shares[i];

        usage = id == LIMIT_DISK_SPACE_MAX ? share->usage.space_bytes : share->usage.inodes;
        if (share->valid && usage > most)
            most = usage;
    }
    return most;
}

/* How much of it is in use; 0 where that is not known. */
static uint64_t in_use(const struct Tenant *tenant, enum LimitId id)
{
    const struct Readings *readings = &tenant->readings;

    if (id == LIMIT_TASKS_MAX)
        return readings->valid[READING_TASKS_CURRENT] ? (uint64_t)readings->value[READING_TASKS_CURRENT] : 0;
    if (limit_is_quota(id))
        return in_use_on_disk(tenant, id);
    return tenant->views[id].measured ? tenant->views[id].used : 0;
}

static bool is_newcomer(const struct Question *question)
{
    return !question->tenant->was_here &&
           question->now < usec_add(question->tenant->appeared_usec, LIMIT_NEWCOMER_USEC);
}

/* What follows for the tenant when it is beyond the limit already; "" when it is not. */
static const char *consequence(const struct Question *question, char *buf, size_t size)
{
    uint64_t used = in_use(question->tenant, question->id);
    char text[MEASURE_FORMAT_MAX];

    buf[0] = '\0';
    if (used <= question->asked)
        return buf;
    if (question->id == LIMIT_TASKS_MAX)
        snprintf(buf, size, "below the %" PRIu64 " tasks that run: it cannot fork", used);
    else
        snprintf(buf, size, "below the present use of %s%s: it %s",
                 limit_format(question->id, used, text, sizeof(text)),
                 question->id == LIMIT_DISK_INODES_MAX ? " inodes" : "",
                 question->id == LIMIT_MEMORY_HIGH  ? "is slowed down until it fits"
                 : question->id == LIMIT_MEMORY_MAX ? "is killed unless it can be made to fit"
                                                    : "cannot grow");
    return buf;
}

/* Would the kernel turn on a tenant that is beyond this limit already, rather than only stop its growth? */
static bool is_harsh(enum LimitId id)
{
    return id == LIMIT_TASKS_MAX || id == LIMIT_MEMORY_HIGH || id == LIMIT_MEMORY_MAX;
}

/* The class is told "no" where it would loosen, or take a tenant's forks or memory by surprise. */
static bool is_denied(const struct Question *question)
{
    char asked[MEASURE_FORMAT_MAX], found[MEASURE_FORMAT_MAX];
    struct LimitState *state = question->state;

    if (question->by_operator || !is_harsh(question->id) || is_newcomer(question) ||
        in_use(question->tenant, question->id) <= question->asked)
        return false;
    if (state->applied && (question->id == LIMIT_TASKS_MAX || question->asked >= question->present))
        return false;
    snprintf(state->note, sizeof(state->note), "not set: %s %s already, more than %s",
             limit_format(question->id, in_use(question->tenant, question->id), found, sizeof(found)),
             question->id == LIMIT_TASKS_MAX ? "tasks run" : "are used",
             limit_format(question->id, question->asked, asked, sizeof(asked)));
    return true;
}

static void write_reason(const struct Question *question, char *reason)
{
    const char *directive = limit_info(question->id)->directive;
    const struct LimitState *state = question->state;
    bool changed = state->applied && !limit_is_same(question->id, question->present, state->value);
    char who[16 + POLICY_NAME_MAX], asked[MEASURE_FORMAT_MAX], before[MEASURE_FORMAT_MAX], beyond[96];

    if (question->by_operator)
        snprintf(who, sizeof(who), "an operator");
    else
        snprintf(who, sizeof(who), "class %s", question->tenant->class->name);
    limit_format(question->id, question->asked, asked, sizeof(asked));
    limit_format(question->id, limit_is_own(question->id) ? question->present : question->found, before,
                 sizeof(before));
    consequence(question, beyond, sizeof(beyond));
    if (limit_is_own(question->id) && changed)
        snprintf(reason, REASON_MAX, "%s asks for %s=%s, somebody else has set it to %s%s%s", who, directive,
                 asked, before, beyond[0] ? "; " : "", beyond);
    else
        snprintf(reason, REASON_MAX, "%s asks for %s=%s, found %s%s%s", who, directive, asked, before,
                 beyond[0] ? "; " : "", beyond);
}

static bool is_in_force(const struct Question *question)
{
    const struct LimitState *state = question->state;
    bool tell = state->untold && !question->tenant->settling;

    return state->applied && limit_is_same(question->id, question->present, question->asked) && !tell;
}

/* Nothing is asked for, or what was found serves as well. */
static bool give_back(const struct Question *question, struct Decision *ret_decision)
{
    enum Cause cause = question->by_operator ? CAUSE_OPERATOR : CAUSE_CLASS;
    char present[MEASURE_FORMAT_MAX];

    if (limit_release(question->tenant, question->id, cause, question->now, ret_decision))
        return true;
    if (!limit_is_own(question->id) || question->present == LIMIT_INFINITY)
        return false;
    /* Of an earlier boot, or by somebody's hand: the project is guardd's, and nobody asks for it. */
    *ret_decision = limit_decision(VERB_UNLIMIT, cause, question->id, LIMIT_INFINITY, question->now);
    snprintf(ret_decision->reason, sizeof(ret_decision->reason), "%s=%s is there and nobody asks for it",
             limit_info(question->id)->directive,
             limit_format(question->id, question->present, present, sizeof(present)));
    return true;
}

bool limit_release(const struct Tenant *tenant, enum LimitId id, enum Cause cause, usec_t now,
                   struct Decision *ret_decision)
{
    const struct LimitState *state = &tenant->limits[id];
    uint64_t found = limit_is_own(id) ? LIMIT_INFINITY : state->found;
    char text[MEASURE_FORMAT_MAX];

    if (!state->applied)
        return false;
    *ret_decision = limit_decision(VERB_UNLIMIT, cause, id, found, now);
    snprintf(ret_decision->reason, sizeof(ret_decision->reason), "%s back to %s, as found",
             limit_info(id)->directive, limit_format(id, found, text, sizeof(text)));
    return true;
}

static void look_at_found(struct Question *question)
{
    struct LimitState *state = question->state;

    if (limit_is_own(question->id)) {
        if (question->present == 0)
            question->present = LIMIT_INFINITY;
        state->found = LIMIT_INFINITY;
    } else if (state->applied && state->waiting == 0 &&
               !limit_is_same(question->id, question->present, state->value))
        state->found = question->present;
    question->found = state->applied || limit_is_own(question->id) ? state->found : question->present;
}

/* Is there nothing more to set than what was found? Says so where that is not what was asked for. */
static bool is_served_by_found(const struct Question *question)
{
    struct LimitState *state = question->state;
    char found[MEASURE_FORMAT_MAX];

    if (question->by_operator)
        return limit_is_same(question->id, question->found, question->asked);
    if (limit_is_weight(question->id) && question->found == limit_default(question->id))
        return question->found == question->asked;
    if (question->found < question->asked && !limit_is_same(question->id, question->found, question->asked))
        snprintf(state->note, sizeof(state->note), "it has %s=%s already, which is less",
                 limit_info(question->id)->directive,
                 limit_format(question->id, question->found, found, sizeof(found)));
    return question->found <= question->asked ||
           limit_is_same(question->id, question->found, question->asked);
}

/* What the service manager has not answered yet is waited for; an operator's next wish is not. */
static bool is_on_its_way(const struct Question *question)
{
    return question->state->waiting > 0 &&
           (!question->by_operator || question->state->value == question->asked);
}

bool limit_decide(struct Tenant *tenant, enum LimitId id, uint64_t present, usec_t now,
                  struct Decision *ret_decision)
{
    struct LimitState *state = &tenant->limits[id];
    struct Question question = {.tenant = tenant,
                                .state = state,
                                .id = id,
                                .by_operator = tenant->overrides.set[id],
                                .present = present,
                                .now = now};
    bool is_asked = tenant_asked(tenant, id, &question.asked);

    state->note[0] = '\0';
    if (tenant->untouchable || tenant->released || is_on_its_way(&question))
        return false;
    if (tenant_throttled_at(tenant, id)) {
        if (is_asked)
            snprintf(state->note, sizeof(state->note), "a throttle stands in its place");
        return false;
    }
    look_at_found(&question);
    if (!is_asked || is_served_by_found(&question))
        return give_back(&question, ret_decision);
    if (limit_is_quota(id))
        consequence(&question, state->note, sizeof(state->note));
    if (is_in_force(&question) || is_denied(&question))
        return false;
    *ret_decision = limit_decision(VERB_LIMIT, question.by_operator ? CAUSE_OPERATOR : CAUSE_CLASS, id,
                                   question.asked, now);
    write_reason(&question, ret_decision->reason);
    return true;
}
