/* See listing.h. */
#include "serve/listing.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "base/error.h"

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)

/* One that is being made. A tenant may go meanwhile: it is known by its number. */
struct Listing {
    const struct ListingKind *kind;
    uint64_t *tenants; /* sorted by name */
    size_t n, next;
    sd_json_variant **rows;
    size_t made;
};

static void listing_free(struct Listing *listing)
{
    if (!listing)
        return;
    for (size_t i = 0; i < listing->made; i++)
        sd_json_variant_unref(listing->rows[i]);
    free(listing->rows);
    free(listing->tenants);
    free(listing);
}

/* --- who asks --------------------------------------------------------------------------------------- */

static bool asks_for_the_same(const struct ListingWish *a, const struct ListingWish *b)
{
    return a->kind == b->kind && strcmp(a->class, b->class) == 0;
}

static bool goes_before(const struct ServicePeer *a, const struct ServicePeer *b)
{
    bool a_changes = a->right >= RIGHT_CHANGE, b_changes = b->right >= RIGHT_CHANGE;

    return a_changes != b_changes ? a_changes : a->wish.number < b->wish.number;
}

/* Of those who wait: an operator, else who has come first. NULL: nobody does. */
static struct ServicePeer *next_to_serve(const struct Service *service)
{
    struct ServicePeer *peer, *found = NULL;

    DL_FOREACH (service->peers, peer)
        if (peer->wish.kind && !peer->wish.being_made && (!found || goes_before(peer, found)))
            found = peer;
    return found;
}

static struct ServicePeer *next_to_answer(const struct Service *service)
{
    struct ServicePeer *peer;

    DL_FOREACH (service->peers, peer)
        if (peer->wish.being_made)
            return peer;
    return NULL;
}

/* --- one listing ------------------------------------------------------------------------------------ */

static int compare_names(const void *a, const void *b)
{
    const struct Tenant *const *left = a, *const *right = b;
    int order = strcmp((*left)->name, (*right)->name);

    return order != 0 ? order : strcmp((*left)->cgroup.path, (*right)->cgroup.path);
}

static bool is_of_class(const struct Tenant *tenant, const char *class)
{
    return class[0] == '\0' || (tenant->class && strcmp(tenant->class->name, class) == 0);
}

static int find_tenants(struct Listing *listing, const struct Registry *registry, const char *class)
{
    _cleanup_free_ const struct Tenant **sorted = calloc(registry_count(registry) + 1, sizeof(const void *));
    const struct Tenant *tenant, *next;

    if (!sorted)
        return -ENOMEM;
    HASH_ITER (hh, registry->tenants, tenant, next) {
        if (is_of_class(tenant, class))
            sorted[listing->n++] = tenant;
    }
    qsort(sorted, listing->n, sizeof(*sorted), compare_names);
    listing->tenants = calloc(listing->n + 1, sizeof(*listing->tenants));
    listing->rows = calloc(listing->n + 1, sizeof(*listing->rows));
    if (!listing->tenants || !listing->rows)
        return -ENOMEM;
    for (size_t i = 0; i < listing->n; i++)
        listing->tenants[i] = sorted[i]->cgroup.id;
    return 0;
}

static int listing_new(struct Service *service, const struct ListingWish *wish, struct Listing **ret)
{
    struct Listing *listing = calloc(1, sizeof(*listing));
    int r;

    if (!listing)
        return -ENOMEM;
    listing->kind = wish->kind;
    r = find_tenants(listing, service->view.registry, wish->class);
    if (r < 0)
        listing_free(listing);
    else
        *ret = listing;
    return r;
}

/* A fresh look may find that it is gone. */
static int add_row(struct Service *service, struct Listing *listing, uint64_t id)
{
    struct Tenant *tenant = registry_find(service->view.registry, id);
    int r;

    if (tenant)
        service->ops->refresh(service->userdata, tenant);
    tenant = registry_find(service->view.registry, id);
    if (!tenant)
        return 0;
    r = listing->kind->encode(tenant, &listing->rows[listing->made]);
    if (r >= 0)
        listing->made++;
    return r;
}

/* --- all of them, in turn --------------------------------------------------------------------------- */

static void end(struct Service *service)
{
    listing_free(service->listing);
    service->listing = NULL;
}

/* None of those for whom it is made gets it. */
static void fail(struct Service *service, int error)
{
    struct ServicePeer *peer;

    while ((peer = next_to_answer(service))) {
        peer->wish = (struct ListingWish){};
        (void)sd_varlink_error_errno(peer->link, error);
    }
    end(service);
}

static void begin(struct Service *service)
{
    struct ServicePeer *first = next_to_serve(service), *peer;
    int r;

    if (!first)
        return;
    DL_FOREACH (service->peers, peer)
        if (peer->wish.kind && asks_for_the_same(&peer->wish, &first->wish))
            peer->wish.being_made = true;
    r = listing_new(service, &first->wish, &service->listing);
    if (r < 0)
        fail(service, r);
}

static void go_on(struct Service *service)
{
    struct Listing *listing = service->listing;
    int r = 0;

    for (int i = 0; i < LISTING_TURN_TENANTS && listing->next < listing->n && r >= 0; i++)
        r = add_row(service, listing, listing->tenants[listing->next++]);
    if (r < 0)
        fail(service, r);
}

/* One peer: to send ten thousand rows takes its time as well. It may be gone afterwards. */
static void answer(struct Service *service, struct ServicePeer *peer)
{
    _cleanup_json_ sd_json_variant *rows = NULL;
    const struct Listing *listing = service->listing;
    int r = sd_json_variant_new_array(&rows, listing->rows, listing->made);

    peer->wish = (struct ListingWish){};
    if (r >= 0)
        r = listing->kind->reply(peer, rows);
    if (r < 0)
        (void)sd_varlink_error_errno(peer->link, r);
}

static int on_turn(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct Service *service = userdata;
    struct ServicePeer *peer = next_to_answer(service);

    if (!peer) { /* all have been answered, or have hung up */
        end(service);
        begin(service);
    } else if (service->listing->next < service->listing->n)
        go_on(service);
    else
        answer(service, peer);
    if (!service->listing && !next_to_serve(service))
        sd_event_source_set_enabled(source, SD_EVENT_OFF);
    return 0;
}

int listing_ask(struct ServicePeer *peer, const struct ListingKind *kind, const char *class,
                sd_varlink_method_flags_t flags)
{
    struct Service *service = peer->service;

    int r;

    if (flags & SD_VARLINK_METHOD_ONEWAY)
        return 0;
    r = sd_event_source_set_enabled(service->lister, SD_EVENT_ON);
    if (r < 0)
        return r;
    peer->wish = (struct ListingWish){.kind = kind, .number = ++service->last_wish};
    snprintf(peer->wish.class, sizeof(peer->wish.class), "%s", class);
    return 0;
}

/* A descriptor that is always readable takes its turns among the links, each of which has one as well. What
 * is deferred would be asked before anything that comes in after it: before all links, again and again. */
int listing_open(struct Service *service, sd_event *event)
{
    _cleanup_fd_ int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    int r;

    if (fd < 0)
        return negative_errno();
    r = sd_event_add_io(event, &service->lister, fd, EPOLLIN, on_turn, service);
    if (r >= 0)
        r = sd_event_source_set_io_fd_own(service->lister, true);
    if (r < 0)
        return r;
    take_fd(&fd);
    r = sd_event_source_set_priority(service->lister, SERVICE_PRIORITY);
    return r < 0 ? r : sd_event_source_set_enabled(service->lister, SD_EVENT_OFF);
}

void listing_close(struct Service *service)
{
    end(service);
    service->lister = sd_event_source_disable_unref(service->lister);
}
