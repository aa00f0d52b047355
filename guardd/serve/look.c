/* See look.h. What is shown is measured when it is asked for. Watchers are fed from the history: an
 * event is encoded once for all of a kind, and when nothing more urgent is to be done. */
#include "serve/look.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "build-config.h"
#include "serve/listing.h"
#include "serve/target.h"
#include "wire/codec.h"
#include "wire/interface.h"
#include "wire/text.h"

#define SHOWN_EVENTS_MAX 20

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)

static int findings_list(const struct HostFindings *host, sd_json_variant **ret)
{
    int r = sd_json_variant_new_array(ret, NULL, 0);

    for (size_t i = 0; host && i < host->n && r >= 0; i++)
        r = sd_json_variant_append_arraybo(ret, SD_JSON_BUILD_PAIR_BOOLEAN("ok", host->list[i].ok),
                                           WIRE_PAIR_TEXT("what", host->list[i].what),
                                           WIRE_PAIR_TEXT("text", host->list[i].text));
    return r;
}

static int notices_list(const struct ServiceStatus *status, sd_json_variant **ret)
{
    const size_t max = sizeof(status->notices) / sizeof(status->notices[0]);
    int r = sd_json_variant_new_array(ret, NULL, 0);

    for (size_t i = 0; i < max && status->notices[i] && r >= 0; i++)
        r = sd_json_variant_append_arrayb(ret, WIRE_BUILD_TEXT(status->notices[i]));
    return r;
}

int look_get_status(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                    void *userdata)
{
    _cleanup_json_ sd_json_variant *findings = NULL, *notices = NULL;
    struct ServicePeer *peer = userdata;
    struct Service *service = peer->service;
    struct ServiceStatus status = {0};
    const struct Author *by;
    int r = peer_demand(peer, RIGHT_LOOK);

    if (r < 0)
        return r;
    service->ops->status(service->userdata, &status);
    by = status.mode_by;
    r = findings_list(status.host, &findings);
    if (r >= 0)
        r = notices_list(&status, &notices);
    if (r < 0)
        return r;
    return sd_varlink_replybo(
        link,
        SD_JSON_BUILD_PAIR_OBJECT("health", SD_JSON_BUILD_PAIR_STRING("state", status.health),
                                  WIRE_PAIR_TEXT("sentence", status.sentence)),
        SD_JSON_BUILD_PAIR_STRING("mode", status.mode),
        SD_JSON_BUILD_PAIR_STRING("configuredMode", status.configured_mode),
        SD_JSON_BUILD_PAIR_CONDITION(by != NULL, "modeUid", SD_JSON_BUILD_UNSIGNED(by ? by->uid : 0)),
        WIRE_PAIR_TEXT_IF_ANY("modeUser", by ? by->name : ""),
        SD_JSON_BUILD_PAIR_CONDITION(by != NULL, "modeRealtimeUsec",
                                     SD_JSON_BUILD_UNSIGNED(status.mode_realtime_usec)),
        SD_JSON_BUILD_PAIR_STRING("version", GUARDD_VERSION),
        WIRE_PAIR_TEXT("cgroupRoot", status.cgroup_root),
        SD_JSON_BUILD_PAIR_UNSIGNED("startedRealtimeUsec", status.started_realtime_usec),
        SD_JSON_BUILD_PAIR_UNSIGNED("tenants", registry_count(service->view.registry)),
        SD_JSON_BUILD_PAIR_UNSIGNED("standing", status.standing),
        SD_JSON_BUILD_PAIR_UNSIGNED("throttled", status.throttled),
        SD_JSON_BUILD_PAIR_UNSIGNED("exempt", status.exempt),
        SD_JSON_BUILD_PAIR_UNSIGNED("killsLeft", status.kills_left),
        SD_JSON_BUILD_PAIR_UNSIGNED("killsLimit", status.kills_limit),
        SD_JSON_BUILD_PAIR_UNSIGNED("killsWindowUsec", status.kills_window_usec),
        SD_JSON_BUILD_PAIR_VARIANT("findings", findings), SD_JSON_BUILD_PAIR_VARIANT("notices", notices));
}

/* 0 when the class exists; else the peer was told which do. */
static int demand_class(struct ServicePeer *peer, const char *class)
{
    _cleanup_json_ sd_json_variant *classes = NULL;
    const struct Policy *policy = &(*peer->service->view.config)->policy;
    char message[REASON_MAX];
    int r = sd_json_variant_new_array(&classes, NULL, 0);

    for (size_t i = 0; i < policy->n_classes && r >= 0; i++) {
        if (!class || strcmp(policy->classes[i].name, class) == 0)
            return 0;
        r = sd_json_variant_append_arrayb(&classes, WIRE_BUILD_TEXT(policy->classes[i].name));
    }
    if (r < 0 || !class)
        return r < 0 ? r : 0;
    snprintf(message, sizeof(message), "there is no class '%s'", class);
    return sd_varlink_errorbo(peer->link, WIRE_ERROR_NO_SUCH_CLASS, WIRE_PAIR_TEXT("message", message),
                              SD_JSON_BUILD_PAIR_VARIANT("classes", classes));
}

static int reply_tenants(struct ServicePeer *peer, sd_json_variant *rows)
{
    return sd_varlink_replybo(peer->link, SD_JSON_BUILD_PAIR_VARIANT("tenants", rows));
}

int look_list_tenants(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                      void *userdata)
{
    static const sd_json_dispatch_field fields[] = {
        {"class", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, 0, SD_JSON_NULLABLE},
        {},
    };
    static const struct ListingKind kind = {.encode = wire_tenant_row, .reply = reply_tenants};
    struct ServicePeer *peer = userdata;
    const char *class = NULL;
    int r = peer_demand(peer, RIGHT_LOOK);

    if (r >= 0)
        r = sd_varlink_dispatch(link, parameters, fields, &class);
    if (r == 0)
        r = demand_class(peer, class);
    return r != 0 ? r : listing_ask(peer, &kind, class ? class : "", flags);
}

/* What came of what was done, of each verb and result that there was. */
static int actions_list(const struct Tally *tally, sd_json_variant **ret)
{
    int r = sd_json_variant_new_array(ret, NULL, 0);

    for (int verb = 0; verb < VERB_COUNT && tally && r >= 0; verb++)
        for (int result = 0; result < RESULT_COUNT && r >= 0; result++)
            if (tally->actions[verb][result] > 0)
                r = sd_json_variant_append_arraybo(
                    ret, SD_JSON_BUILD_PAIR_STRING("verb", verb_name((enum Verb)verb)),
                    SD_JSON_BUILD_PAIR_STRING("result", result_name((enum Result)result)),
                    SD_JSON_BUILD_PAIR_UNSIGNED("count", tally->actions[verb][result]));
    return r;
}

static int reply_metrics(struct ServicePeer *peer, sd_json_variant *rows)
{
    _cleanup_json_ sd_json_variant *actions = NULL;
    struct Service *service = peer->service;
    struct ServiceStatus status = {0};
    int r;

    service->ops->status(service->userdata, &status);
    r = actions_list(status.tally, &actions);
    if (r < 0)
        return r;
    return sd_varlink_replybo(
        peer->link, SD_JSON_BUILD_PAIR_VARIANT("actions", actions),
        SD_JSON_BUILD_PAIR_UNSIGNED("withheld", status.tally ? status.tally->withheld : 0),
        SD_JSON_BUILD_PAIR_UNSIGNED("events", service->view.history->last_sequence),
        SD_JSON_BUILD_PAIR_UNSIGNED("eventsLost", status.events_lost),
        SD_JSON_BUILD_PAIR_VARIANT("tenants", rows));
}

int look_get_metrics(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                     void *userdata)
{
    static const struct ListingKind kind = {.encode = wire_tenant_metrics, .reply = reply_metrics};
    struct ServicePeer *peer = userdata;
    int r = peer_demand(peer, RIGHT_LOOK);

    return r < 0 ? r : listing_ask(peer, &kind, "", flags);
}

/* The newest events of a tenant, oldest first. */
static int newest_events(struct History *history, uint64_t tenant_id, sd_json_variant **ret)
{
    sd_json_variant *found[SHOWN_EVENTS_MAX];
    size_t first = SHOWN_EVENTS_MAX;
    uint64_t sequence = history->last_sequence;
    struct Event event;
    int r = 0;

    for (; r >= 0 && first > 0 && history_get_of(history, tenant_id, &sequence, &event); sequence--) {
        r = wire_event(&event, &found[first - 1]);
        first -= r >= 0;
    }
    if (r >= 0)
        r = sd_json_variant_new_array(ret, found + first, SHOWN_EVENTS_MAX - first);
    for (size_t i = first; i < SHOWN_EVENTS_MAX; i++)
        sd_json_variant_unref(found[i]);
    return r;
}

int look_show_tenant(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                     void *userdata)
{
    _cleanup_json_ sd_json_variant *details = NULL, *overrides = NULL, *events = NULL;
    struct ServicePeer *peer = userdata;
    struct Service *service = peer->service;
    const struct Tenant *tenant;
    struct Target target = {};
    uint64_t id;
    int r = target_find(peer, RIGHT_LOOK, parameters, NULL, &target);

    if (r != 0)
        return r;
    id = target.tenant->cgroup.id;
    service->ops->refresh(service->userdata, target.tenant);
    tenant = registry_find(service->view.registry, id);
    if (!tenant) /* the fresh look found it gone */
        return sd_varlink_errorbo(link, WIRE_ERROR_NO_SUCH_TENANT,
                                  SD_JSON_BUILD_PAIR_STRING("message", "the tenant vanished just now"));
    r = wire_tenant_full(tenant, service->ops->now(service->userdata), &details);
    if (r >= 0)
        r = newest_events(service->view.history, id, &events);
    if (r >= 0)
        r = peer_overrides(peer, tenant->name, &overrides);
    if (r < 0)
        return r;
    return sd_varlink_replybo(
        link, SD_JSON_BUILD_PAIR_VARIANT("details", details),
        SD_JSON_BUILD_PAIR_VARIANT("overrides", overrides),
        SD_JSON_BUILD_PAIR_UNSIGNED("version", override_version(service->view.overrides, tenant->name)),
        SD_JSON_BUILD_PAIR_VARIANT("events", events));
}

size_t look_watchers(const struct Service *service)
{
    const struct ServicePeer *peer;
    size_t n = 0;

    DL_FOREACH (service->peers, peer)
        n += peer->watching;
    return n;
}

bool look_is_watched(const struct Service *service)
{
    return look_watchers(service) > 0;
}

int look_watch(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags, void *userdata)
{
    static const sd_json_dispatch_field fields[] = {
        {"brief", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool, 0, SD_JSON_NULLABLE},
        {},
    };
    struct ServicePeer *peer = userdata;
    struct Service *service = peer->service;
    bool brief = false;
    int r = peer_demand(peer, RIGHT_LOOK);

    if (r >= 0)
        r = sd_varlink_dispatch(link, parameters, fields, &brief);
    if (r != 0)
        return r;
    look_feed(service); /* what came before is for the others */
    service->fed = service->view.history->last_sequence;
    peer->watching = true;
    peer->brief = brief;
    peer_notify(peer, NULL);
    return 0;
}

/* Without memory nobody is told: the sequence number tells watchers of the gap. */
static void feed_event(struct Service *service, const struct Event *event)
{
    _cleanup_json_ sd_json_variant *full = NULL, *brief = NULL;
    struct ServicePeer *peer, *next;

    DL_FOREACH_SAFE (service->peers, peer, next) {
        if (!peer->watching)
            continue;
        if (peer->brief && (brief || wire_event_brief(event, &brief) >= 0))
            peer_notify(peer, brief);
        else if (!peer->brief && (full || wire_event_reply(event, &full) >= 0))
            peer_notify(peer, full);
    }
}

void look_feed(struct Service *service)
{
    struct ServicePeer *peer, *next;
    struct Event event;

    while (service->fed < service->view.history->last_sequence && look_is_watched(service))
        if (history_get(service->view.history, ++service->fed, &event))
            feed_event(service, &event);
    DL_FOREACH_SAFE (service->peers, peer, next)
        if (peer->watching)
            peer_push(peer);
}
