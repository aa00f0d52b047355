/* See change.h. An action is answered when its outcome is there: the call stays pending, and the peer
 * holds the ticket by which service_settled() finds it again. Only one call of a peer is pending at a
 * time. A peer that hung up meanwhile, or wants no answer (oneway), is simply not found. */
#include "serve/change.h"

#include "base/cleanup.h"
#include "serve/answer.h"
#include "serve/author.h"
#include "serve/inspect.h"
#include "serve/limits.h"
#include "serve/target.h"
#include "wire/codec.h"
#include "wire/interface.h"
#include "wire/text.h"

/* Of the resource that is named most often, half. */
#define THROTTLE_PERCENT 50

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)

static int answer_outcome(sd_varlink *link, const char *name, const struct Outcome *outcome)
{
    _cleanup_json_ sd_json_variant *encoded = NULL;
    int r = wire_outcome(outcome, &encoded);

    if (r < 0)
        return r;
    return sd_varlink_replybo(link, WIRE_PAIR_TEXT("name", name),
                              SD_JSON_BUILD_PAIR_VARIANT("outcome", encoded));
}

/* A tenant that vanished before it was killed is what the operator wanted. */
static bool is_as_wanted(enum Verb verb, enum Result result)
{
    return result_is_success(result) || (verb == VERB_KILL && result == RESULT_GONE);
}

static int answer_action(const struct ServicePeer *peer, enum Verb verb, const struct Outcome *outcome)
{
    if (is_as_wanted(verb, outcome->result))
        return answer_outcome(peer->link, peer->subject, outcome);
    return answer_unsuccessful(peer->link, verb_name(verb), outcome);
}

static int answer_release(const struct ServicePeer *peer, const struct Outcome *outcome)
{
    if (outcome->result == RESULT_FAILED)
        return answer_error(peer->link, WIRE_ERROR_FAILED, outcome->text);
    if (peer->subject[0] != '\0')
        return sd_varlink_replybo(peer->link, WIRE_PAIR_TEXT("name", peer->subject),
                                  WIRE_PAIR_TEXT_IF_ANY("text", outcome->text));
    return sd_varlink_replybo(peer->link, SD_JSON_BUILD_PAIR_UNSIGNED("released", peer->released),
                              WIRE_PAIR_TEXT_IF_ANY("text", outcome->text));
}

void service_settled(struct Service *service, uint64_t ticket, const struct Tenant *tenant,
                     const struct Decision *decision, const struct Outcome *outcome)
{
    struct ServicePeer *peer;

    if (outcome->result == RESULT_PENDING)
        return;
    peer = peer_take_waiting(service, ticket);
    if (!peer)
        return;
    switch (peer->awaits) {
    case AWAITS_ACTION:
        answer_action(peer, decision->verb, outcome);
        break;
    case AWAITS_RELEASE:
        answer_release(peer, outcome);
        break;
    case AWAITS_LIMITS:
        limits_answer(peer, tenant, outcome);
        break;
    case AWAITS_CHECK:
        inspect_answer(peer, tenant, outcome);
        break;
    }
}

static int answer_act(struct ServicePeer *peer, enum Verb verb, int answer, const char *why)
{
    struct Outcome outcome = {.result = why[0] != '\0' ? RESULT_SKIPPED : RESULT_DONE};

    if (answer < 0)
        return answer_failure(peer->link, verb_name(verb), answer);
    if (answer == SERVICE_REFUSED)
        return answer_error(peer->link, WIRE_ERROR_REFUSED, why);
    snprintf(outcome.text, sizeof(outcome.text), "%s", why);
    return answer_outcome(peer->link, peer->subject, &outcome);
}

static int act_on(struct ServicePeer *peer, const struct Target *target, sd_varlink_method_flags_t flags,
                  const struct ServiceAct *act)
{
    struct Service *service = peer->service;
    char why[REASON_MAX] = "";
    int r;

    if (act->verb == VERB_THROTTLE)
        peer_asked(peer, target->tenant, &target->author, "throttle %s %u%%", resource_name(act->resource),
                   act->percent);
    else
        peer_asked(peer, target->tenant, &target->author, "%s", verb_name(act->verb));
    peer_await(peer, AWAITS_ACTION, target->tenant, flags);
    r = service->ops->act(service->userdata, target->tenant, act, target->uid, peer->ticket, why);
    if (peer->ticket == 0 || r == SERVICE_UNDER_WAY)
        return 0;
    peer->ticket = 0;
    return answer_act(peer, act->verb, r, why);
}

static int act(struct ServicePeer *peer, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
               enum Verb verb)
{
    const struct ServiceAct act = {.verb = verb, .resource = RESOURCE_INVALID};
    struct Target target = {};
    int r = target_find(peer, RIGHT_CHANGE, parameters, NULL, &target);

    return r != 0 ? r : act_on(peer, &target, flags, &act);
}

int change_freeze(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                  void *userdata)
{
    return act(userdata, parameters, flags, VERB_FREEZE);
}

int change_thaw(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                void *userdata)
{
    return act(userdata, parameters, flags, VERB_THAW);
}

int change_kill(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                void *userdata)
{
    return act(userdata, parameters, flags, VERB_KILL);
}

struct ThrottleCall {
    struct Target target;
    const char *resource;
    unsigned percent;
};

int change_throttle(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                    void *userdata)
{
    static const sd_json_dispatch_field fields[] = {
        TARGET_FIELD,
        {"resource", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
         offsetof(struct ThrottleCall, resource), SD_JSON_NULLABLE},
        {"percent", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint,
         offsetof(struct ThrottleCall, percent), 0},
        {},
    };
    struct ThrottleCall call = {.percent = THROTTLE_PERCENT};
    struct ServiceAct act = {.verb = VERB_THROTTLE, .resource = RESOURCE_CPU};
    int r = target_find(userdata, RIGHT_CHANGE, parameters, fields, &call.target);

    if (r != 0)
        return r;
    if (call.resource)
        act.resource = resource_from_name(call.resource);
    if (act.resource == RESOURCE_INVALID)
        return sd_varlink_error_invalid_parameter_name(link, "resource");
    act.percent = call.percent;
    return act_on(userdata, &call.target, flags, &act);
}

static void record_of_host(struct ServicePeer *peer, const char *what)
{
    struct Author author;

    author_of_peer(peer->service->passwd_file, peer->link, &author);
    peer_asked(peer, NULL, &author, "%s", what);
}

/* `tenant` NULL: all. */
static int release(struct ServicePeer *peer, struct Tenant *tenant, uid_t uid,
                   sd_varlink_method_flags_t flags)
{
    struct Service *service = peer->service;
    int r;

    peer_await(peer, AWAITS_RELEASE, tenant, flags);
    peer->released = 0;
    r = service->ops->release(service->userdata, tenant, uid, peer->ticket, &peer->released);
    if (r >= 0)
        return 0;
    peer->ticket = 0;
    return answer_failure(peer->link, "release", r);
}

int change_release(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                   void *userdata)
{
    struct ServicePeer *peer = userdata;
    struct Target target = {};
    int r = target_find(peer, RIGHT_CHANGE, parameters, NULL, &target);

    if (r != 0)
        return r;
    peer_asked(peer, target.tenant, &target.author, "release");
    return release(peer, target.tenant, target.uid, flags);
}

int change_release_all(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                       void *userdata)
{
    struct ServicePeer *peer = userdata;
    uid_t uid = 0;
    int r = peer_demand(peer, RIGHT_CHANGE);

    if (r == 0)
        r = sd_varlink_get_peer_uid(link, &uid);
    if (r != 0)
        return r;
    record_of_host(peer, "release --all");
    return release(peer, NULL, uid, flags);
}

static int problems_list(const struct Problems *problems, sd_json_variant **ret)
{
    int r = sd_json_variant_new_array(ret, NULL, 0);

    for (size_t i = 0; i < problems->n && r >= 0; i++) {
        const struct Problem *problem = &problems->list[i];

        r = sd_json_variant_append_arraybo(
            ret, WIRE_PAIR_TEXT_IF_ANY("file", problem->file ? problem->file : ""),
            SD_JSON_BUILD_PAIR_CONDITION(problem->line > 0, "line", SD_JSON_BUILD_UNSIGNED(problem->line)),
            WIRE_PAIR_TEXT("what", problem->what),
            WIRE_PAIR_TEXT_IF_ANY("right", problem->right ? problem->right : ""));
    }
    return r;
}

static int answer_problems(sd_varlink *link, const struct Problems *problems)
{
    _cleanup_json_ sd_json_variant *list = NULL;
    int r = problems_list(problems, &list);

    if (r < 0)
        return r;
    return sd_varlink_errorbo(
        link, WIRE_ERROR_CONFIG,
        SD_JSON_BUILD_PAIR_STRING("message", "the configuration is wrong; the one in force stays in force"),
        SD_JSON_BUILD_PAIR_VARIANT("problems", list));
}

int change_reload(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                  void *userdata)
{
    _cleanup_(problems_free) struct Problems problems = {0};
    struct ServicePeer *peer = userdata;
    struct Service *service = peer->service;
    int r = peer_demand(peer, RIGHT_CHANGE);

    if (r < 0)
        return r;
    record_of_host(peer, "reload");
    r = service->ops->reload(service->userdata, &problems);
    if (r == CONFIG_INVALID)
        return answer_problems(link, &problems);
    return r < 0 ? answer_failure(link, "reload", r) : sd_varlink_reply(link, NULL);
}
