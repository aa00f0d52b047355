/* The interface io.guardd.Guard as commented data (`varlinkctl introspect` prints it), and its address. */
#pragma once

#include <systemd/sd-varlink-idl.h>

#define WIRE_SOCKET "/run/guardd/io.guardd.Guard"
#define WIRE_INTERFACE "io.guardd.Guard"

/* Typed errors; each carries `message`, a sentence for people. */
#define WIRE_ERROR_NO_SUCH_TENANT WIRE_INTERFACE ".NoSuchTenant" /* guardctl exits 3 */
#define WIRE_ERROR_AMBIGUOUS WIRE_INTERFACE ".AmbiguousTenant"   /* 3; `candidates` */
#define WIRE_ERROR_NO_SUCH_CLASS WIRE_INTERFACE ".NoSuchClass"   /* 2 */
#define WIRE_ERROR_INVALID_LIMIT WIRE_INTERFACE ".InvalidLimit"  /* 2; `name`, `right` */
#define WIRE_ERROR_CHANGED WIRE_INTERFACE ".LimitsChanged"       /* 5; `version` */
#define WIRE_ERROR_DENIED WIRE_INTERFACE ".PermissionDenied"     /* 4 */
#define WIRE_ERROR_REFUSED WIRE_INTERFACE ".Refused"             /* 5: protected, budget spent */
#define WIRE_ERROR_FAILED WIRE_INTERFACE ".ActionFailed"         /* 1: tried, did not take, rolled back */
#define WIRE_ERROR_CONFIG WIRE_INTERFACE ".InvalidConfiguration" /* 1; `problems` */

extern const sd_varlink_interface vl_interface_io_guardd_Guard;
