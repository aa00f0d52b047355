/* The service manager as an actuator for limits.
 *
 * A call is in one of two lists: `asked` (on the bus, its slot waits for the reply) or `waiting`. At most
 * ASKED_MAX are asked at once: a bus daemon refuses more than 128 replies under way on a connection, and
 * a guard that starts on a host with a thousand tenants is not to bury PID 1 either.
 *
 * Each call is answered once: by its reply, by its timeout (sd-bus makes a reply of that), or, when the
 * bus is lost, by bus_lose(), which takes the lists off first, so that an answer that asks anew starts
 * from a clean state. sd-bus fails the calls under way one by one before it says that the bus is gone;
 * the first of them is enough to know it. */
#include "act/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <utlist.h>

#include "base/device.h"

#define MANAGER_NAME "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"

#define ASKED_MAX 64
#define ANSWER_TIMEOUT (5 * USEC_PER_SEC)
#define GREETING_TIMEOUT (5 * USEC_PER_SEC)
#define REOPEN_INTERVAL USEC_PER_SEC
#define FLUSH_ROUND (100 * USEC_PER_MSEC)
#define FLUSH_ROUNDS_MAX 30

struct UnitCall {
    struct UnitManager *manager; /* borrowed */
    sd_bus_slot *slot;           /* owned; NULL while it waits */
    uint64_t tenant_id, value;
    enum LimitId limit;
    struct UnitDisk disks[RATE_DISKS_MAX]; /* of a limit of I/O, in the place of `value` */
    size_t n_disks;
    struct UnitCall *prev, *next;
    char unit[];
};

static struct UnitCall *call_new(struct UnitManager *manager, const char *unit, enum LimitId limit,
                                 uint64_t value, uint64_t tenant_id)
{
    size_t size = strlen(unit) + 1;
    struct UnitCall *call = malloc(sizeof(*call) + size);

    if (!call)
        return NULL;
    *call = (struct UnitCall){
        .manager = manager,
        .tenant_id = tenant_id,
        .limit = limit,
        .value = value,
    };
    memcpy(call->unit, unit, size);
    return call;
}

static void call_free(struct UnitCall *call)
{
    sd_bus_slot_unref(call->slot);
    free(call);
}

static void call_answer(struct UnitCall *call, int error, const char *message)
{
    struct UnitManager *manager = call->manager;
    uint64_t tenant_id = call->tenant_id;
    enum LimitId limit = call->limit;

    call_free(call);
    manager->answer(manager->userdata, tenant_id, limit, error, message);
}

/* Unlinks the whole of `list` before the first answer: `list` is local to the caller. */
static void calls_answer(struct UnitCall *list, int error, const char *message)
{
    struct UnitCall *call, *next;

    DL_FOREACH_SAFE (list, call, next) {
        DL_DELETE(list, call);
        call_answer(call, error, message);
    }
}

/* Closes without flushing: that would wait for the bus. */
static void bus_close(struct UnitManager *manager)
{
    sd_bus *bus = manager->bus;

    manager->bus = NULL;
    manager->n_told = 0;
    manager->greeting = sd_event_source_unref(manager->greeting);
    if (!bus)
        return;
    sd_bus_close(bus);
    sd_bus_unref(bus);
}

static void bus_lose(struct UnitManager *manager, const char *message)
{
    struct UnitCall *asked = manager->asked, *waiting = manager->waiting, *call;

    manager->asked = manager->waiting = NULL;
    manager->n_asked = 0;
    /* no reply reaches a call from here on */
    DL_FOREACH (asked, call)
        call->slot = sd_bus_slot_unref(call->slot);
    bus_close(manager);
    calls_answer(asked, -ECONNRESET, message);
    calls_answer(waiting, -ECONNRESET, message);
}

static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    bus_lose(userdata, "the system bus was lost");
    return 0;
}

static int on_greeting_due(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct UnitManager *manager = userdata;

    if (sd_bus_is_ready(manager->bus) <= 0)
        bus_lose(manager, "the system bus does not answer");
    return 0;
}

static int bus_attach(struct UnitManager *manager)
{
    int r;

    r = sd_bus_set_close_on_exit(manager->bus, false);
    if (r < 0)
        return r;
    r = sd_bus_match_signal_async(manager->bus, NULL, "org.freedesktop.DBus.Local",
                                  "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local", "Disconnected",
                                  on_disconnected, NULL, manager);
    if (r < 0)
        return r;
    r = sd_bus_attach_event(manager->bus, manager->event, SD_EVENT_PRIORITY_NORMAL);
    if (r < 0)
        return r;
    return sd_event_add_time_relative(manager->event, &manager->greeting, CLOCK_BOOTTIME, GREETING_TIMEOUT, 0,
                                      on_greeting_due, manager);
}

/* Sees to it that there is a bus. Connecting does not wait; what is asked meanwhile is queued. */
static int bus_ready(struct UnitManager *manager)
{
    usec_t now;
    int r;

    if (manager->bus)
        return sd_bus_is_open(manager->bus) > 0 ? 0 : -ENOTCONN; /* about to be lost */
    r = sd_event_now(manager->event, CLOCK_BOOTTIME, &now);
    if (r < 0)
        return r;
    if (now < manager->reopen_usec)
        return -ENOTCONN;
    manager->reopen_usec = usec_add(now, REOPEN_INTERVAL);
    r = sd_bus_open_system_with_description(&manager->bus, "guardd");
    if (r < 0)
        return r;
    r = bus_attach(manager);
    if (r < 0)
        bus_close(manager);
    return r;
}

static int reply_error(sd_bus_message *reply, const char **ret_message)
{
    const sd_bus_error *error = sd_bus_message_get_error(reply);

    if (!error) {
        *ret_message = "";
        return 0;
    }
    *ret_message = error->message ? error->message : error->name;
    return -sd_bus_message_get_errno(reply);
}

static int call_send(struct UnitCall *call);

static void ask_waiting(struct UnitManager *manager)
{
    while (manager->waiting && manager->n_asked < ASKED_MAX) {
        struct UnitCall *call = manager->waiting;
        int r;

        DL_DELETE(manager->waiting, call);
        r = call_send(call);
        if (r < 0)
            call_answer(call, r, strerrordesc_np(-r));
    }
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    struct UnitCall *call = userdata;
    struct UnitManager *manager = call->manager;
    const char *message;
    int error;

    if (sd_bus_is_open(manager->bus) <= 0) { /* this reply is sd-bus' own, made of the loss */
        bus_lose(manager, "the system bus was lost");
        return 0;
    }
    DL_DELETE(manager->asked, call);
    manager->n_asked--;
    error = reply_error(reply, &message);
    call_answer(call, error, message);
    ask_waiting(manager);
    return 0;
}

/* Only CPUQuota= is called otherwise than its directive, and counted otherwise: in microseconds of CPU per
 * second. The default weight is no weight set: systemd then needs no controller for it. UINT64_MAX is that,
 * as it is infinity. */
static const char *property_of(const struct UnitCall *call, uint64_t *ret_value)
{
    *ret_value = call->value;
    if (call->limit == LIMIT_CPU_QUOTA) {
        if (call->value != LIMIT_INFINITY &&
            __builtin_mul_overflow(call->value, USEC_PER_SEC / 10000, ret_value))
            *ret_value = LIMIT_INFINITY - 1;
        return "CPUQuotaPerSecUSec";
    }
    if (limit_is_weight(call->limit) && call->value == limit_default(call->limit))
        *ret_value = UINT64_MAX;
    return limit_info(call->limit)->directive;
}

static bool is_told(const struct UnitCall *call, int limit, const struct UnitDisk *disk)
{
    return limit == (int)call->limit || disk->rate[limit - LIMIT_RATE_FIRST] != LIMIT_INFINITY;
}

/* One property: an array of devices, each with its limit. */
static int append_rate(sd_bus_message *message, const struct UnitCall *call, int limit)
{
    char node[64];
    int r = sd_bus_message_open_container(message, 'r', "sv");

    if (r >= 0)
        r = sd_bus_message_append(message, "s", limit_info((enum LimitId)limit)->directive);
    if (r >= 0)
        r = sd_bus_message_open_container(message, 'v', "a(st)");
    if (r >= 0)
        r = sd_bus_message_open_container(message, 'a', "(st)");
    for (size_t i = 0; r >= 0 && i < call->n_disks; i++) {
        const struct UnitDisk *disk = &call->disks[i];

        if (is_told(call, limit, disk))
            r = sd_bus_message_append(message, "(st)",
                                      device_node("", disk->major, disk->minor, node, sizeof(node)),
                                      disk->rate[limit - LIMIT_RATE_FIRST]);
    }
    for (int i = 0; r >= 0 && i < 3; i++)
        r = sd_bus_message_close_container(message);
    return r;
}

static int append_rates(sd_bus_message *message, const struct UnitCall *call)
{
    int r = sd_bus_message_append(message, "sb", call->unit, true);

    if (r >= 0)
        r = sd_bus_message_open_container(message, 'a', "(sv)");
    for (int limit = LIMIT_RATE_FIRST; r >= 0 && limit < LIMIT_RATE_FIRST + LIMIT_RATE_COUNT; limit++) {
        bool any = false;

        for (size_t i = 0; i < call->n_disks; i++)
            any = any || is_told(call, limit, &call->disks[i]);
        /* An empty array would take off all there are. */
        if (any)
            r = append_rate(message, call, limit);
    }
    return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append_value(sd_bus_message *message, const struct UnitCall *call)
{
    uint64_t value;
    const char *property = property_of(call, &value);

    return sd_bus_message_append(message, "sba(sv)", call->unit, true, 1, property, "t", value);
}

/* On success the call is in `asked`; on failure it is in no list and still the caller's. */
static int call_send(struct UnitCall *call)
{
    struct UnitManager *manager = call->manager;
    sd_bus_message *message = NULL;
    int r;

    r = sd_bus_message_new_method_call(manager->bus, &message, MANAGER_NAME, MANAGER_PATH, MANAGER_INTERFACE,
                                       "SetUnitProperties");
    if (r >= 0)
        r = limit_is_rate(call->limit) ? append_rates(message, call) : append_value(message, call);
    if (r >= 0)
        r = sd_bus_call_async(manager->bus, &call->slot, message, on_reply, call, ANSWER_TIMEOUT);
    sd_bus_message_unref(message);
    if (r < 0)
        return r;
    DL_APPEND(manager->asked, call);
    manager->n_asked++;
    return 0;
}

void unit_manager_init(struct UnitManager *manager, sd_event *event, unit_answer_t answer, void *userdata)
{
    *manager = (struct UnitManager){.event = event, .answer = answer, .userdata = userdata};
}

static void calls_free(struct UnitCall **list)
{
    struct UnitCall *call, *next;

    DL_FOREACH_SAFE (*list, call, next) {
        DL_DELETE(*list, call);
        call_free(call);
    }
}

/* What PID 1 is told last (a stop thaws) must have been answered before the bus is closed: PID 1 asks the bus
 * who the sender is, and refuses one that is gone. Bounded: a bus that takes nothing any more holds up no
 * stop. */
static void bus_flush(struct UnitManager *manager)
{
    for (unsigned i = 0; i < FLUSH_ROUNDS_MAX && manager->bus; i++) {
        uint64_t queued = 0;

        if (sd_bus_get_n_queued_write(manager->bus, &queued) < 0 || (queued == 0 && manager->n_told == 0))
            return;
        if (sd_bus_process(manager->bus, NULL) == 0)
            (void)sd_bus_wait(manager->bus, FLUSH_ROUND);
    }
}

void unit_manager_done(struct UnitManager *manager)
{
    calls_free(&manager->asked);
    calls_free(&manager->waiting);
    manager->n_asked = 0;
    bus_flush(manager);
    bus_close(manager);
}

/* Now, or when its turn comes. */
static int call_begin(struct UnitManager *manager, struct UnitCall *call)
{
    int r;

    if (!call)
        return -ENOMEM;
    if (manager->n_asked >= ASKED_MAX || manager->waiting) { /* in the order of asking */
        DL_APPEND(manager->waiting, call);
        return 0;
    }
    r = call_send(call);
    if (r < 0)
        call_free(call);
    return r;
}

int unit_set_limit(struct UnitManager *manager, const char *unit, enum LimitId limit, uint64_t value,
                   uint64_t tenant_id)
{
    int r = bus_ready(manager);

    return r < 0 ? r : call_begin(manager, call_new(manager, unit, limit, value, tenant_id));
}

int unit_set_rates(struct UnitManager *manager, const char *unit, enum LimitId limit,
                   const struct UnitDisk *disks, size_t n, uint64_t tenant_id)
{
    struct UnitCall *call;
    int r = n == 0 || n > RATE_DISKS_MAX ? -EINVAL : bus_ready(manager);

    if (r < 0)
        return r;
    call = call_new(manager, unit, limit, 0, tenant_id);
    if (call) {
        memcpy(call->disks, disks, n * sizeof(*disks));
        call->n_disks = n;
    }
    return call_begin(manager, call);
}

static int on_told(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    struct UnitManager *manager = userdata;

    if (manager->n_told > 0)
        manager->n_told--;
    return 0;
}

void unit_tell_freezer(struct UnitManager *manager, const char *unit, bool frozen)
{
    sd_bus_message *message = NULL;
    int r;

    if (bus_ready(manager) < 0)
        return;
    r = sd_bus_message_new_method_call(manager->bus, &message, MANAGER_NAME, MANAGER_PATH, MANAGER_INTERFACE,
                                       frozen ? "FreezeUnit" : "ThawUnit");
    if (r >= 0)
        r = sd_bus_message_append(message, "s", unit);
    if (r >= 0)
        r = sd_bus_call_async(manager->bus, NULL, message, on_told, manager, ANSWER_TIMEOUT);
    if (r >= 0)
        manager->n_told++;
    sd_bus_message_unref(message);
}

/* --- StateDirectory= ------------------------------------------------------------------------------ */

#define STATE_DIRECTORIES_MAX 16

struct DirectoryQuestion {
    struct UnitManager *manager; /* borrowed */
    uint64_t tenant_id;
};

static void tell_directories(const struct DirectoryQuestion *question, sd_bus_message *reply)
{
    char *list[STATE_DIRECTORIES_MAX + 1] = {};
    const char *name;
    size_t n = 0;

    if (sd_bus_message_enter_container(reply, 'v', "as") < 0 ||
        sd_bus_message_enter_container(reply, 'a', "s") < 0)
        return;
    while (n < STATE_DIRECTORIES_MAX && sd_bus_message_read(reply, "s", &name) > 0) {
        char *path = NULL;

        /* With DynamicUser= the directory itself is below private/, and this is a link to it. */
        if (asprintf(&path, "/var/lib/private/%s", name) < 0)
            break;
        if (access(path, F_OK) < 0)
            snprintf(path, strlen(path) + 1, "/var/lib/%s", name);
        list[n++] = path;
    }
    question->manager->directories(question->manager->userdata, question->tenant_id, list);
    for (size_t i = 0; i < n; i++)
        free(list[i]);
}

static int on_directories(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    const struct DirectoryQuestion *question = userdata;

    if (!sd_bus_message_is_method_error(reply, NULL) && question->manager->directories)
        tell_directories(question, reply);
    return 0;
}

int unit_ask_directories(struct UnitManager *manager, const char *unit, uint64_t tenant_id)
{
    struct DirectoryQuestion *question = malloc(sizeof(*question));
    sd_bus_slot *slot = NULL;
    char *path = NULL;
    int r = question ? bus_ready(manager) : -ENOMEM;

    if (r >= 0)
        r = sd_bus_path_encode(MANAGER_PATH "/unit", unit, &path);
    if (r >= 0) {
        *question = (struct DirectoryQuestion){.manager = manager, .tenant_id = tenant_id};
        r = sd_bus_call_method_async(manager->bus, &slot, MANAGER_NAME, path,
                                     "org.freedesktop.DBus.Properties", "Get", on_directories, question, "ss",
                                     "org.freedesktop.systemd1.Service", "StateDirectory");
    }
    free(path);
    if (r < 0) {
        free(question);
        return r;
    }
    /* From here on both belong to the bus. */
    sd_bus_slot_set_destroy_callback(slot, free);
    sd_bus_slot_set_floating(slot, true);
    sd_bus_slot_unref(slot);
    return 0;
}
