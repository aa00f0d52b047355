/* Through systemd, over the system bus: the limits of units, and telling PID 1 what guardd froze itself.
 * Everything is asynchronous: a guard that waits for PID 1 waits for the attack. A bus that is lost is
 * opened again at the next call, at most once a second. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "base/usec.h"
#include "model/limit.h"
#include "model/rate.h"

/* error: 0, or a negative errno with systemd's sentence: -ETIMEDOUT: no answer within 5 s; -ENOENT: no
 * such unit; -ECONNRESET: the bus was lost, or does not greet. It may call unit_set_limit(), and must
 * not call unit_manager_done(). */
typedef void (*unit_answer_t)(void *userdata, uint64_t tenant_id, enum LimitId limit, int error,
                              const char *message);

/* StateDirectory= of a service, absolute, NULL-terminated and borrowed; empty when it has none. */
typedef void (*unit_directories_t)(void *userdata, uint64_t tenant_id, char *const *directories);

struct UnitCall;

struct UnitManager {
    sd_event *event; /* borrowed */
    sd_bus *bus;     /* owned; NULL while there is none */
    unit_answer_t answer;
    unit_directories_t directories; /* set by the owner; NULL: nobody asks */
    void *userdata;

    struct UnitCall *asked, *waiting; /* owned: calls under way, and those that wait for their turn */
    size_t n_asked;
    unsigned n_told;           /* FreezeUnit and ThawUnit that PID 1 has not answered yet */
    sd_event_source *greeting; /* the time by which the bus has to be ready */
    usec_t reopen_usec;        /* not opened again before this */
};

void unit_manager_init(struct UnitManager *manager, sd_event *event, unit_answer_t answer, void *userdata);
/* Closes the bus. Whoever still waits for an answer gets none. */
void unit_manager_done(struct UnitManager *manager);

/* SetUnitProperties(unit, runtime). 0: asked, `answer` will be called once, from the event loop.
 * < 0: could not be asked (-ENOTCONN: no bus, and too early to try again). */
int unit_set_limit(struct UnitManager *manager, const char *unit, enum LimitId limit, uint64_t value,
                   uint64_t tenant_id);

/* A disk, and what its limits of I/O are to be, in the order of enum LimitId. */
struct UnitDisk {
    uint32_t major, minor;
    uint64_t rate[LIMIT_RATE_COUNT];
};

/* The same for a limit of I/O (limit_is_rate()), which is set on each of the `n` disks (at most
 * RATE_DISKS_MAX). PID 1 is told of their other limits as well where these are not LIMIT_INFINITY: it writes
 * all of a device's line. */
int unit_set_rates(struct UnitManager *manager, const char *unit, enum LimitId limit,
                   const struct UnitDisk *disks, size_t n, uint64_t tenant_id);

/* Asks for a service's StateDirectory=; `directories` is called once, unless the bus is lost or PID 1 has no
 * such service. < 0: could not be asked. */
int unit_ask_directories(struct UnitManager *manager, const char *unit, uint64_t tenant_id);

/* FreezeUnit or ThawUnit, without waiting and without caring what the answer is: the cgroup is frozen
 * already, this keeps `systemctl` honest (a stop of a unit frozen behind systemd's back hangs for its
 * whole timeout). For a slice, `unit` is each of its freeze points that is one: the slice itself is
 * not frozen. */
void unit_tell_freezer(struct UnitManager *manager, const char *unit, bool frozen);
