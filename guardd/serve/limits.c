/* See limits.h. Values come as people write them, and are read by the same function as those of the
 * configuration, so that both take the same and complain alike. */
#include "serve/limits.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/values.h"
#include "serve/answer.h"
#include "serve/target.h"
#include "wire/codec.h"
#include "wire/interface.h"
#include "wire/text.h"

#define NAME_SHOWN 64
#define WHAT "setting limits"                         /* in a sentence that says no */
#define FOR_MAX_USEC (100 * 366 * 24 * USEC_PER_HOUR) /* more is for good */

/* The row of `ifVersion` in a call's table of parameters. */
#define VERSION_FIELD(type)                                                                                  \
    {"ifVersion", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_variant_noref, offsetof(type, version),    \
     SD_JSON_NULLABLE}

/* A limit as it was asked for. */
struct Setting {
    const char *name, *value;
};

static const char *known_names(char *buf, size_t size)
{
    size_t used = (size_t)snprintf(buf, size, "one of");

    for (int i = 0; i < LIMIT_COUNT && used < size; i++)
        used += (size_t)snprintf(buf + used, size - used, "%s %s", i > 0 ? "," : "",
                                 limit_info((enum LimitId)i)->directive);
    return buf;
}

/* Never 0. `name` is left out when it is "". */
static int answer_invalid(struct ServicePeer *peer, const char *name, const char *message, const char *right)
{
    int r = sd_varlink_errorbo(peer->link, WIRE_ERROR_INVALID_LIMIT, WIRE_PAIR_TEXT("message", message),
                               WIRE_PAIR_TEXT_IF_ANY("name", name), WIRE_PAIR_TEXT("right", right));

    return r < 0 ? r : -EINVAL;
}

/* The limit of that name, which is asked for the first time in this call. 0; else the peer was answered. */
static int find_limit(struct ServicePeer *peer, const char *name, struct Limits *limits, enum LimitId *ret_id)
{
    enum LimitId id = limit_from_directive(name);
    char message[NAME_SHOWN + 64], right[REASON_MAX];

    if (id != LIMIT_INVALID && !limits->set[id]) {
        limits->set[id] = true;
        *ret_id = id;
        return 0;
    }
    if (id == LIMIT_INVALID)
        snprintf(message, sizeof(message), "there is no limit '%.*s'", NAME_SHOWN, name);
    else
        snprintf(message, sizeof(message), "%s is named twice", name);
    return answer_invalid(peer, name, message,
                          id == LIMIT_INVALID ? known_names(right, sizeof(right)) : "each limit once");
}

/* 0; else the peer was answered. */
static int take_value(struct ServicePeer *peer, enum LimitId id, const char *text, uint64_t *ret_value)
{
    const char *name = limit_info(id)->directive;
    char message[COMPLAINT_MAX + 64];
    struct Complaint complaint = {};

    if (value_limit(id, text, ret_value, &complaint))
        return 0;
    snprintf(message, sizeof(message), "%s: %s", name, complaint.what);
    return answer_invalid(peer, name, message, complaint.right);
}

static int take_setting(struct ServicePeer *peer, sd_json_variant *element, struct Limits *limits)
{
    static const sd_json_dispatch_field fields[] = {
        {"name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, offsetof(struct Setting, name),
         SD_JSON_MANDATORY},
        {"value", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, offsetof(struct Setting, value),
         SD_JSON_MANDATORY},
        {},
    };
    struct Setting setting = {};
    enum LimitId id;
    int r;

    if (sd_json_dispatch(element, fields, 0, &setting) < 0)
        return sd_varlink_error_invalid_parameter_name(peer->link, "limits");
    r = find_limit(peer, setting.name, limits, &id);
    return r != 0 ? r : take_value(peer, id, setting.value, &limits->value[id]);
}

/* All of them or none: 0, or the peer was answered. */
static int take_settings(struct ServicePeer *peer, sd_json_variant *list, struct Limits *ret)
{
    size_t n = sd_json_variant_elements(list);
    char right[REASON_MAX];
    int r = 0;

    *ret = (struct Limits){};
    if (n == 0)
        return answer_invalid(peer, "", "no limit is named", known_names(right, sizeof(right)));
    for (size_t i = 0; i < n && r == 0; i++)
        r = take_setting(peer, sd_json_variant_by_index(list, i), ret);
    return r;
}

static int take_names(struct ServicePeer *peer, sd_json_variant *list, struct Limits *ret)
{
    int r = 0;

    *ret = (struct Limits){};
    for (size_t i = 0; list && i < sd_json_variant_elements(list) && r == 0; i++) {
        sd_json_variant *name = sd_json_variant_by_index(list, i);
        enum LimitId id;

        if (!sd_json_variant_is_string(name))
            return sd_varlink_error_invalid_parameter_name(peer->link, "names");
        r = find_limit(peer, sd_json_variant_string(name), ret, &id);
    }
    return r;
}

static int reply_limits(struct ServicePeer *peer, const struct Tenant *tenant, const char *text)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *limits = NULL, *overrides = NULL;
    const struct Overrides *all = peer->service->view.overrides;
    int r = wire_limits(tenant, &limits);

    if (r >= 0)
        r = peer_overrides(peer, tenant->name, &overrides);
    if (r < 0)
        return r;
    return sd_varlink_replybo(peer->link, WIRE_PAIR_TEXT("name", tenant->name),
                              SD_JSON_BUILD_PAIR_VARIANT("limits", limits),
                              SD_JSON_BUILD_PAIR_VARIANT("overrides", overrides),
                              SD_JSON_BUILD_PAIR_UNSIGNED("version", override_version(all, tenant->name)),
                              WIRE_PAIR_TEXT_IF_ANY("text", text));
}

int limits_answer(struct ServicePeer *peer, const struct Tenant *tenant, const struct Outcome *outcome)
{
    bool observed = outcome->result == RESULT_OBSERVED && outcome->text[0] == '\0';

    if (!result_is_success(outcome->result))
        return answer_unsuccessful(peer->link, WHAT, outcome);
    if (!tenant)
        return answer_failure(peer->link, WHAT, -ENODEV);
    return reply_limits(
        peer, tenant, observed ? "nothing was changed: guardd only observes (Mode=observe)" : outcome->text);
}

/* `number` NULL: not asked for. 0 is a version, too: nothing was ever changed. false: it is none. */
static bool parse_version(sd_json_variant *number, struct OverrideWish *wish)
{
    if (!number || sd_json_variant_is_null(number))
        return true;
    if (!sd_json_variant_is_unsigned(number))
        return false;
    wish->if_version = true;
    wish->version = sd_json_variant_unsigned(number);
    return true;
}

/* Somebody was quicker. */
static int answer_changed(struct ServicePeer *peer, const struct Tenant *tenant, const char *why)
{
    uint64_t version = override_version(peer->service->view.overrides, tenant->name);

    if (peer->ticket == 0)
        return 0;
    peer->ticket = 0;
    return sd_varlink_errorbo(peer->link, WIRE_ERROR_CHANGED, WIRE_PAIR_TEXT("message", why),
                              SD_JSON_BUILD_PAIR_UNSIGNED("version", version));
}

/* "set TasksMax=300 MemoryMax=2G for 2h" */
static void record_set(struct ServicePeer *peer, const struct Target *target, const struct Limits *limits,
                       const struct OverrideWish *wish)
{
    char text[REASON_MAX] = "", value[MEASURE_FORMAT_MAX], span[USEC_FORMAT_MAX];
    size_t used = 0;

    for (int i = 0; i < LIMIT_COUNT && used < sizeof(text); i++)
        if (limits->set[i])
            used += (size_t)snprintf(text + used, sizeof(text) - used, " %s=%s", limit_info(i)->directive,
                                     limit_format(i, limits->value[i], value, sizeof(value)));
    peer_asked(peer, target->tenant, &target->author, "set%s%s%s%s", text, wish->for_usec > 0 ? " for " : "",
               wish->for_usec > 0 ? usec_format(wish->for_usec, span, sizeof(span)) : "",
               wish->runtime ? " until the next boot" : "");
}

/* "reset TasksMax"; "reset" of all. */
static void record_reset(struct ServicePeer *peer, const struct Target *target, const struct Limits *limits)
{
    char text[REASON_MAX] = "";
    size_t used = 0;

    for (int i = 0; limits && i < LIMIT_COUNT && used < sizeof(text); i++)
        if (limits->set[i])
            used += (size_t)snprintf(text + used, sizeof(text) - used, " %s", limit_info(i)->directive);
    peer_asked(peer, target->tenant, &target->author, "reset%s", text);
}

struct SetCall {
    struct Target target;
    sd_json_variant *limits, *version;
    bool runtime;
    uint64_t for_usec;
};

int limits_set(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags, void *userdata)
{
    static const sd_json_dispatch_field fields[] = {
        TARGET_FIELD,
        {"limits", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_variant_noref, offsetof(struct SetCall, limits),
         SD_JSON_MANDATORY},
        {"runtime", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool, offsetof(struct SetCall, runtime),
         SD_JSON_NULLABLE},
        {"forUsec", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
         offsetof(struct SetCall, for_usec), SD_JSON_NULLABLE},
        VERSION_FIELD(struct SetCall),
        {},
    };
    struct ServicePeer *peer = userdata;
    struct Service *service = peer->service;
    struct OverrideWish wish;
    struct SetCall call = {};
    char why[REASON_MAX] = "";
    struct Limits limits;
    uint64_t id;
    int r = target_find(peer, RIGHT_CHANGE, parameters, fields, &call.target);

    if (r == 0)
        r = take_settings(peer, call.limits, &limits);
    if (r != 0)
        return r;
    wish = (struct OverrideWish){
        .runtime = call.runtime, .for_usec = call.for_usec, .author = call.target.author};
    if (!parse_version(call.version, &wish))
        return sd_varlink_error_invalid_parameter_name(link, "ifVersion");
    if (call.for_usec > FOR_MAX_USEC)
        return sd_varlink_error_invalid_parameter_name(link, "forUsec");
    record_set(peer, &call.target, &limits, &wish);
    id = call.target.tenant->cgroup.id;
    peer_await(peer, AWAITS_LIMITS, call.target.tenant, flags);
    r = service->ops->set(service->userdata, call.target.tenant, &limits, &wish, peer->ticket, why);
    if (r == SERVICE_CHANGED)
        return answer_changed(peer, call.target.tenant, why);
    return answer_at_once(peer, WHAT, id, r, why, reply_limits);
}

struct ResetCall {
    struct Target target;
    sd_json_variant *names, *version;
};

int limits_reset(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                 void *userdata)
{
    static const sd_json_dispatch_field fields[] = {
        TARGET_FIELD,
        {"names", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_variant_noref, offsetof(struct ResetCall, names),
         SD_JSON_NULLABLE},
        VERSION_FIELD(struct ResetCall),
        {},
    };
    struct ServicePeer *peer = userdata;
    struct Service *service = peer->service;
    struct OverrideWish wish;
    struct ResetCall call = {};
    char why[REASON_MAX] = "";
    struct Limits limits, *named;
    uint64_t id;
    int r = target_find(peer, RIGHT_CHANGE, parameters, fields, &call.target);

    if (r == 0)
        r = take_names(peer, call.names, &limits);
    if (r != 0)
        return r;
    wish = (struct OverrideWish){.author = call.target.author};
    if (!parse_version(call.version, &wish))
        return sd_varlink_error_invalid_parameter_name(link, "ifVersion");
    named = call.names && sd_json_variant_elements(call.names) > 0 ? &limits : NULL;
    record_reset(peer, &call.target, named);
    id = call.target.tenant->cgroup.id;
    peer_await(peer, AWAITS_LIMITS, call.target.tenant, flags);
    r = service->ops->reset(service->userdata, call.target.tenant, named, &wish, peer->ticket, why);
    if (r == SERVICE_CHANGED)
        return answer_changed(peer, call.target.tenant, why);
    return answer_at_once(peer, WHAT, id, r, why, reply_limits);
}
