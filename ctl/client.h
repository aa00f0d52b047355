/* The connection to guardd, and what its errors mean to whoever called guardctl. */
#pragma once

#include <systemd/sd-varlink.h>

#include "ctl/guardctl.h"

/* Connects. EXIT_DONE and the connection (caller unrefs), or the exit code, complained about. */
enum Exit client_open(const struct Options *options, sd_varlink **ret_link);

/* Calls a method (without the interface's name) on a connection of its own. `parameters` may be NULL and is
 * borrowed. EXIT_DONE and the reply (caller unrefs), or the exit code, complained about. */
enum Exit client_call(const struct Options *options, const char *method, sd_json_variant *parameters,
                      sd_json_variant **ret_reply);

/* The same where the answer may take as long as it takes. */
enum Exit client_call_patiently(const struct Options *options, const char *method,
                                sd_json_variant *parameters, sd_json_variant **ret_reply);

/* The same for a method whose one parameter is the tenant. */
enum Exit client_call_tenant(const struct Options *options, const char *method, const char *tenant,
                             sd_json_variant **ret_reply);

/* Complains about an error that guardd, or the connection, gave. Returns the exit code. */
enum Exit client_error(const char *error, sd_json_variant *parameters);
