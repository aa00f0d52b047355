/* How a method begins that is about one tenant: may the peer call it, which tenant does it mean, and whose
 * call is it. */
#pragma once

#include "model/author.h"
#include "serve/peer.h"

/* The first member of what a call's parameters are read into. */
struct Target {
    const char *name; /* its `tenant` parameter */
    struct Tenant *tenant;
    uid_t uid;            /* the peer's */
    struct Author author; /* the same, of calls that change something: who it is for the record */
};

/* The row of `tenant` in a call's table of parameters. */
#define TARGET_FIELD                                                                                         \
    {"tenant", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, offsetof(struct Target, name),         \
     SD_JSON_MANDATORY}

/* Reads the parameters by `fields` (NULL: there is none but `tenant`) into what begins with `target`. 0 and
 * the target; else the peer was answered (WIRE_ERROR_DENIED, WIRE_ERROR_NO_SUCH_TENANT, WIRE_ERROR_AMBIGUOUS,
 * an invalid parameter), and the method returns what this returns. */
int target_find(struct ServicePeer *peer, enum Right wanted, sd_json_variant *parameters,
                const sd_json_dispatch_field *fields, struct Target *target);
