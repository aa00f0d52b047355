/* See limits.h. Values come as people write them, and are read by the same function as those of the
 * configuration, so that both take the same and complain alike. */
#include "serve/limits.h"

#include <string.h>

#include "base/cleanup.h"
#include "config/values.h"
#include "serve/answer.h"
#include "serve/target.h"
#include "wire/codec.h"
#include "wire/interface.h"
#include "wire/text.h"

#define NAME_SHOWN 64
#define WHAT "setting limits" /* in a sentence that says no */

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
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *limits = NULL;
    int r = wire_limits(tenant, &limits);

    if (r < 0)
        return r;
    return sd_varlink_replybo(peer->link, WIRE_PAIR_TEXT("name", tenant->name),
                              SD_JSON_BUILD_PAIR_VARIANT("limits", limits),
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

struct SetCall {
    struct Target target;
    sd_json_variant *limits;
    bool runtime;
};

int limits_set(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags, void *userdata)
{
    static const sd_json_dispatch_field fields[] = {
        TARGET_FIELD,
        {"limits", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_variant_noref, offsetof(struct SetCall, limits),
         SD_JSON_MANDATORY},
        {"runtime", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool, offsetof(struct SetCall, runtime),
         SD_JSON_NULLABLE},
        {},
    };
    struct ServicePeer *peer = userdata;
    struct Service *service = peer->service;
    struct SetCall call = {};
    char why[REASON_MAX] = "";
    struct Limits limits;
    uint64_t id;
    int r = target_find(peer, RIGHT_CHANGE, parameters, fields, &call.target);

    if (r == 0)
        r = take_settings(peer, call.limits, &limits);
    if (r != 0)
        return r;
    id = call.target.tenant->cgroup.id;
    peer_await(peer, AWAITS_LIMITS, call.target.tenant, flags);
    r = service->ops->set(service->userdata, call.target.tenant, &limits, call.runtime, call.target.uid,
                          peer->ticket, why);
    return answer_at_once(peer, WHAT, id, r, why, reply_limits);
}

struct ResetCall {
    struct Target target;
    sd_json_variant *names;
};

int limits_reset(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                 void *userdata)
{
    static const sd_json_dispatch_field fields[] = {
        TARGET_FIELD,
        {"names", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_variant_noref, offsetof(struct ResetCall, names),
         SD_JSON_NULLABLE},
        {},
    };
    struct ServicePeer *peer = userdata;
    struct Service *service = peer->service;
    struct ResetCall call = {};
    char why[REASON_MAX] = "";
    struct Limits limits;
    uint64_t id;
    int r = target_find(peer, RIGHT_CHANGE, parameters, fields, &call.target);

    if (r == 0)
        r = take_names(peer, call.names, &limits);
    if (r != 0)
        return r;
    id = call.target.tenant->cgroup.id;
    peer_await(peer, AWAITS_LIMITS, call.target.tenant, flags);
    r = service->ops->reset(service->userdata, call.target.tenant,
                            call.names && sd_json_variant_elements(call.names) > 0 ? &limits : NULL,
                            call.target.uid, peer->ticket, why);
    return answer_at_once(peer, WHAT, id, r, why, reply_limits);
}
