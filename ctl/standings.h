/* Tenants as `guardctl top` orders them: by one thing that they take, or by how near each is to the limit
 * that it is nearest to. Made from a reply of ListTenants, which it borrows from. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-json.h>

#define STANDINGS_TEXT_MAX 32

/* What tenants can be ordered by; all but the first two are amounts. */
enum Gauge {
    GAUGE_NEAREST,
    GAUGE_NAME,
    GAUGE_TASKS,
    GAUGE_CPU,
    GAUGE_MEMORY,
    GAUGE_DISK,
    GAUGE_INODES,
    GAUGE_SENDS,
    GAUGE_GETS,
    GAUGE_DROPS,
    GAUGE_COUNT,
};

/* What a gauge is called over its column, and the letter that orders by it. */
const char *gauge_title(enum Gauge gauge);
char gauge_letter(enum Gauge gauge);
/* GAUGE_COUNT: none has that letter. */
enum Gauge gauge_from_letter(int letter);

struct Standing {
    sd_json_variant *tenant; /* borrowed */
    int rank;                /* 2: guardd holds or slows it; 1: a rule is about to; 0 */
    enum Gauge nearest;      /* GAUGE_NAME: it has no limit that is known */
    int percent;             /* of that limit; 0 */
};

/* `tenants`: an array of io.guardd.Guard's Tenant objects, or NULL. Returns a new array, to be freed with
 * free(), or NULL when there is no memory. Of equal ones the name decides. */
struct Standing *standings_make(sd_json_variant *tenants, enum Gauge by, size_t *ret_n);

/* "390M"; "-" when it is not known, or no amount. Returns `buf`. */
const char *standing_amount(const struct Standing *standing, enum Gauge gauge, char *buf, size_t size);
/* "82% disk"; "" without a limit. Returns `buf`. */
const char *standing_nearest(const struct Standing *standing, char *buf, size_t size);
