/* See suspend.h. */
#include "serve/suspend.h"

#include <string.h>

#include "base/cleanup.h"
#include "model/exemption.h"
#include "model/policy.h"
#include "serve/answer.h"
#include "serve/author.h"
#include "serve/target.h"
#include "wire/codec.h"
#include "wire/interface.h"
#include "wire/text.h"

static bool find_mode(const char *name, enum Mode *ret)
{
    static const enum Mode modes[] = {MODE_ENFORCE, MODE_OBSERVE};

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(mode_name(modes[i]), name) == 0) {
            *ret = modes[i];
            return true;
        }
    return false;
}

int suspend_set_mode(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                     void *userdata)
{
    static const sd_json_dispatch_field fields[] = {
        {"mode", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, 0, SD_JSON_MANDATORY},
        {},
    };
    struct ServicePeer *peer = userdata;
    const char *name = NULL;
    struct Author author;
    enum Mode mode;
    int r = peer_demand(peer, RIGHT_CHANGE);

    if (r == 0)
        r = sd_varlink_dispatch(link, parameters, fields, &name);
    if (r != 0)
        return r;
    if (!find_mode(name, &mode))
        return sd_varlink_error_invalid_parameter_name(link, "mode");
    author_of_peer(peer->service->passwd_file, link, &author);
    peer->service->ops->set_mode(peer->service->userdata, mode, &author);
    return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_STRING("mode", mode_name(mode)));
}

/* What is asked for of one tenant, and its name: the tenant may be gone when it is done. */
static int answer(struct ServicePeer *peer, const struct Target *target, usec_t for_usec)
{
    struct Service *service = peer->service;
    const uint64_t id = target->tenant->cgroup.id;
    char name[TENANT_NAME_MAX], why[REASON_MAX] = "";
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *exemption = NULL;
    const struct Tenant *tenant;
    int r;

    snprintf(name, sizeof(name), "%s", target->tenant->name);
    if (service->ops->exempt(service->userdata, target->tenant, for_usec, &target->author, why) ==
        SERVICE_REFUSED)
        return answer_error(peer->link, WIRE_ERROR_REFUSED, why);
    tenant = registry_find(service->view.registry, id);
    r = tenant ? wire_exemption(&tenant->exemption, &exemption) : 0;
    if (r < 0)
        return r;
    return sd_varlink_replybo(
        peer->link, WIRE_PAIR_TEXT("name", name),
        SD_JSON_BUILD_PAIR_CONDITION(exemption != NULL, "exemption", SD_JSON_BUILD_VARIANT(exemption)),
        WIRE_PAIR_TEXT_IF_ANY("text", why));
}

struct ExemptCall {
    struct Target target;
    uint64_t for_usec;
};

int suspend_exempt(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                   void *userdata)
{
    static const sd_json_dispatch_field fields[] = {
        TARGET_FIELD,
        {"forUsec", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
         offsetof(struct ExemptCall, for_usec), SD_JSON_MANDATORY},
        {},
    };
    struct ExemptCall call = {};
    int r = target_find(userdata, RIGHT_CHANGE, parameters, fields, &call.target);

    if (r != 0)
        return r;
    if (call.for_usec == 0 || call.for_usec > EXEMPTION_MAX_USEC)
        return sd_varlink_error_invalid_parameter_name(link, "forUsec");
    return answer(userdata, &call.target, call.for_usec);
}

int suspend_end_exemption(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                          void *userdata)
{
    struct Target target = {};
    int r = target_find(userdata, RIGHT_CHANGE, parameters, NULL, &target);

    return r != 0 ? r : answer(userdata, &target, 0);
}
