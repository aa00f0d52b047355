/* See inspect.h. */
#include "serve/inspect.h"

#include "base/cleanup.h"
#include "serve/answer.h"
#include "serve/target.h"
#include "wire/codec.h"
#include "wire/interface.h"
#include "wire/text.h"

#define WHAT "the check" /* in a sentence that says no */

struct CheckCall {
    struct Target target;
    bool repair;
};

/* Does everything in it count, now that the walk is done? */
static bool is_clean(const struct Directory *directory, bool repaired)
{
    if (directory->state == DIRECTORY_OUT)
        return true;
    return directory->state == DIRECTORY_COUNTED && directory->passed_over == 0 &&
           (repaired || directory->changed == 0);
}

static int reply_found(struct ServicePeer *peer, const struct Tenant *tenant, const char *text)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *directories = NULL;
    bool clean = true;
    int r = wire_directories(tenant, &directories);

    if (r < 0)
        return r;
    for (size_t i = 0; i < tenant->disk.n_directories; i++)
        clean = clean && is_clean(&tenant->disk.directories[i], peer->repair);
    return sd_varlink_replybo(peer->link, WIRE_PAIR_TEXT("name", tenant->name),
                              SD_JSON_BUILD_PAIR_VARIANT("directories", directories),
                              SD_JSON_BUILD_PAIR_BOOLEAN("clean", clean),
                              WIRE_PAIR_TEXT_IF_ANY("text", text));
}

int inspect_answer(struct ServicePeer *peer, const struct Tenant *tenant, const struct Outcome *outcome)
{
    if (!result_is_success(outcome->result))
        return answer_unsuccessful(peer->link, WHAT, outcome);
    if (outcome->result == RESULT_OBSERVED)
        peer->repair = false;
    return tenant ? reply_found(peer, tenant, outcome->text) : answer_failure(peer->link, WHAT, -ENODEV);
}

int inspect_check(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                  void *userdata)
{
    static const sd_json_dispatch_field fields[] = {
        TARGET_FIELD,
        {"repair", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool, offsetof(struct CheckCall, repair),
         SD_JSON_NULLABLE},
        {},
    };
    struct ServicePeer *peer = userdata;
    struct Service *service = peer->service;
    struct CheckCall call = {};
    char why[REASON_MAX] = "";
    uint64_t id;
    int r = target_find(peer, RIGHT_CHANGE, parameters, fields, &call.target);

    if (r != 0)
        return r;
    id = call.target.tenant->cgroup.id;
    peer->repair = call.repair;
    if (call.repair)
        peer_asked(peer, call.target.tenant, &call.target.author, "check --repair");
    peer_await(peer, AWAITS_CHECK, call.target.tenant, flags);
    r = service->ops->inspect(service->userdata, call.target.tenant, call.repair, call.target.uid,
                              peer->ticket, why);
    return answer_at_once(peer, WHAT, id, r, why, reply_found);
}
