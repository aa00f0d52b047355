/* See answer.h. */
#include "serve/answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "wire/interface.h"
#include "wire/text.h"

int answer_error(sd_varlink *link, const char *error, const char *message)
{
    return sd_varlink_errorbo(link, error, WIRE_PAIR_TEXT("message", message));
}

int answer_failure(sd_varlink *link, const char *what, int r)
{
    char message[REASON_MAX];

    snprintf(message, sizeof(message), "%s failed: %s", what,
             error_is_gone(r) ? "the tenant vanished" : strerror(-r));
    return answer_error(link, WIRE_ERROR_FAILED, message);
}

int answer_unsuccessful(sd_varlink *link, const char *what, const struct Outcome *outcome)
{
    const char *more = outcome->text, *colon = more[0] != '\0' ? ": " : "";
    char message[2 * REASON_MAX];

    switch (outcome->result) {
    case RESULT_GONE:
        snprintf(message, sizeof(message), "%s came too late: the tenant vanished", what);
        break;
    case RESULT_SUPERSEDED:
        snprintf(message, sizeof(message), "another decision took the place of %s%s%s", what, colon, more);
        break;
    default:
        if (more[0] == '\0' && outcome->error != 0)
            more = strerror(-outcome->error), colon = ": ";
        snprintf(message, sizeof(message), "%s failed%s%s", what, colon, more);
    }
    return answer_error(link, WIRE_ERROR_FAILED, message);
}

int answer_at_once(struct ServicePeer *peer, const char *what, uint64_t tenant_id, int r, const char *why,
                   int (*reply)(struct ServicePeer *peer, const struct Tenant *tenant, const char *text))
{
    const struct Tenant *tenant;

    if (peer->ticket == 0 || r == SERVICE_UNDER_WAY)
        return 0;
    peer->ticket = 0;
    if (r < 0)
        return answer_failure(peer->link, what, r);
    if (r == SERVICE_REFUSED)
        return answer_error(peer->link, WIRE_ERROR_REFUSED, why);
    tenant = registry_find(peer->service->view.registry, tenant_id);
    return tenant ? reply(peer, tenant, why) : answer_failure(peer->link, what, -ENODEV);
}
