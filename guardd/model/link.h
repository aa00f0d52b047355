/* Which way, seen from the tenant. */
#pragma once

/* Of the tenant: egress is what it sends. */
enum Direction {
    DIRECTION_EGRESS,
    DIRECTION_INGRESS,
    DIRECTION_COUNT,
    DIRECTION_INVALID = -1,
};
